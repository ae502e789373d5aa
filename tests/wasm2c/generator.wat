;; SPDX-License-Identifier: Apache-2.0
;; What wasmfx-lower would make of the module of docs/wasm2c.md: sum(n) adds up what a continuation yields.
(module
  (import "wasmfx" "type_parameter" (func $type_parameter (param i32)))
  (import "wasmfx" "type" (func $type (result externref)))
  (import "wasmfx" "tag" (func $tag (param externref) (result externref)))
  (import "wasmfx" "clause" (func $clause (param externref i32)))
  (import "wasmfx" "handlers" (func $handlers (result externref)))
  (import "wasmfx" "closure" (func $closure (param funcref funcref i32) (result externref)))
  (import "wasmfx" "cont_new" (func $cont_new (param externref externref) (result externref)))
  (import "wasmfx" "resume" (func $resume (param i64 externref externref) (result i32 i64 externref)))
  (import "wasmfx" "suspend" (func $suspend (param i64 externref) (result i64)))
  (global $takes_one (mut externref) (ref.null extern))
  (global $yield (mut externref) (ref.null extern))
  (global $on_yield (mut externref) (ref.null extern))
  (func $start
    (call $type_parameter (i32.const 0x7f))
    (global.set $takes_one (call $type))
    (global.set $yield (call $tag (global.get $takes_one)))
    (call $clause (global.get $yield) (i32.const 0))
    (global.set $on_yield (call $handlers)))
  (start $start)
  (func $count_down (param $n i64) (param $from externref) (result i64)
    (loop $more
      (drop (call $suspend (local.get $n) (global.get $yield)))
      (br_if $more (i32.wrap_i64 (local.tee $n (i64.sub (local.get $n) (i64.const 1))))))
    (i64.const 0))
  (elem declare func $count_down)
  (func (export "sum") (param $n i32) (result i32) (local $cont externref) (local $seen i64) (local $sum i32)
    (local.set $cont
      (call $cont_new (call $closure (ref.func $count_down) (ref.null func) (i32.const 0)) (global.get $takes_one)))
    (loop $more
      (call $resume (i64.extend_i32_u (local.get $n)) (local.get $cont) (global.get $on_yield))
      local.set $cont local.set $seen
      (if
        (then
          (local.set $sum (i32.add (local.get $sum) (i32.wrap_i64 (local.get $seen))))
          (br $more))))
    (local.get $sum))
)
