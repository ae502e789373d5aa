;; SPDX-License-Identifier: Apache-2.0
;; Stacks of different depth that take turns, and a linear memory that grows meanwhile.
(module
  (import "wasmfx" "type_parameter" (func $type_parameter (param i32)))
  (import "wasmfx" "type_result" (func $type_result (param i32)))
  (import "wasmfx" "type" (func $type (result externref)))
  (import "wasmfx" "tag" (func $tag (param externref) (result externref)))
  (import "wasmfx" "clause" (func $clause (param externref i32)))
  (import "wasmfx" "handlers" (func $handlers (result externref)))
  (import "wasmfx" "closure" (func $closure (param funcref funcref i32) (result externref)))
  (import "wasmfx" "cont_new" (func $cont_new (param externref externref) (result externref)))
  (import "wasmfx" "resume" (func $resume (param i64 externref externref) (result i32 i64 externref)))
  (import "wasmfx" "suspend" (func $suspend (param i64 externref) (result i64)))
  (memory 1 1000)
  (global $type_1_1 (mut externref) (ref.null extern))
  (global $pause (mut externref) (ref.null extern))
  (global $on_pause (mut externref) (ref.null extern))
  (global $held (mut externref) (ref.null extern))
  (func $start
    (call $type_parameter (i32.const 0x7e))
    (call $type_result (i32.const 0x7e))
    (global.set $type_1_1 (call $type))
    (global.set $pause (call $tag (global.get $type_1_1)))
    (call $clause (global.get $pause) (i32.const 0))
    (global.set $on_pause (call $handlers)))
  (start $start)

  ;; Goes n calls deep, and adds up what comes back.
  (func $dive (export "dive") (param $n i64) (result i64)
    (if (i64.eqz (local.get $n)) (then (return (i64.const 0))))
    (i64.add (local.get $n) (call $dive (i64.sub (local.get $n) (i64.const 1)))))
  ;; The same with many more values in each call.
  (func $dive_wide (export "dive_wide") (param $n i64) (result i64)
    (local i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (if (i64.eqz (local.get $n)) (then (return (i64.const 0))))
    (i64.add (local.get $n) (call $dive_wide (i64.sub (local.get $n) (i64.const 1)))))
  ;; As the first, but at the bottom it suspends, and what it gets it adds.
  (func $dive_and_pause (param $n i64) (result i64)
    (if (i64.eqz (local.get $n)) (then (return (call $suspend (i64.const 0) (global.get $pause)))))
    (i64.add (local.get $n) (call $dive_and_pause (i64.sub (local.get $n) (i64.const 1)))))

  (func $pausing (param $n i64) (param $from externref) (result i64) (call $dive_and_pause (local.get $n)))
  (func $diving (param $n i64) (param $from externref) (result i64) (call $dive (local.get $n)))
  (func $growing (param $n i64) (param $from externref) (result i64)
    (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
    (call $dive_wide (local.get $n)))
  (func $diving_wide (param $n i64) (param $from externref) (result i64) (call $dive_wide (local.get $n)))
  (elem declare func $pausing $diving $diving_wide $growing)

  (func $run (param $function funcref) (param $n i64) (result i64) (local $result i64)
    (call $resume (local.get $n)
      (call $cont_new (call $closure (local.get $function) (ref.null func) (i32.const 0)) (global.get $type_1_1))
      (global.get $on_pause))
    global.set $held local.set $result drop
    (local.get $result))
  (func (export "pause") (param $n i64) (result i64) (call $run (ref.func $pausing) (local.get $n)))
  (func (export "dive_inside") (param $n i64) (result i64) (call $run (ref.func $diving) (local.get $n)))
  (func (export "dive_wide_inside") (param $n i64) (result i64) (call $run (ref.func $diving_wide) (local.get $n)))
  (func (export "grow_inside") (param $n i64) (result i64) (call $run (ref.func $growing) (local.get $n)))
  ;; Suspends one at depth 10, and goes on diving where it was resumed.
  (func (export "pause_and_dive") (param $n i64) (result i64)
    (drop (call $run (ref.func $pausing) (i64.const 10)))
    (call $dive (local.get $n)))
  (func (export "go_on") (param $word i64) (result i64) (local $result i64)
    (call $resume (local.get $word) (global.get $held) (global.get $on_pause))
    drop local.set $result drop
    (local.get $result))
  ;; Suspends one that only a local of whoever resumed it holds, and makes n that nobody holds.
  (func (export "litter_beside") (param $n i64) (result i64) (local $mine externref) (local $result i64)
    (drop (call $run (ref.func $pausing) (i64.const 10)))
    (local.set $mine (global.get $held))
    (global.set $held (ref.null extern))
    (loop $more
      (drop (call $cont_new (call $closure (ref.func $diving) (ref.null func) (i32.const 0)) (global.get $type_1_1)))
      (br_if $more (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (call $resume (i64.const 3) (local.get $mine) (global.get $on_pause))
    drop local.set $result drop
    (local.get $result))
  (func (export "grow") (result i64) (i64.extend_i32_s (memory.grow (i32.const 1))))
)
