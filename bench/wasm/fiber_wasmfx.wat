;; SPDX-License-Identifier: Apache-2.0
;; The verbs of fiber_wasmfx.c. A word goes each way; all bodies are one function, so that making a continuation needs
;; no more than its number.
(module
  (type $body (func (param i32) (result i32)))
  (type $fiber (cont $body))
  (import "program" "start" (func $start (type $body)))
  (tag $yield (param i32) (result i32))
  (table $fibers 0 (ref null $fiber))
  (elem declare func $start)

  (func (export "grow") (param $count i32) (result i32)
    (table.grow $fibers (ref.null $fiber) (local.get $count)))

  (func (export "new") (param $number i32)
    (table.set $fibers (local.get $number) (cont.new $fiber (ref.func $start))))

  (func (export "drop") (param $number i32)
    (table.set $fibers (local.get $number) (ref.null $fiber)))

  (func (export "waits") (param $number i32) (result i32)
    (i32.eqz (ref.is_null (table.get $fibers (local.get $number)))))

  ;; In the upper half of what it answers: 0 returned, 1 yielded, 2 was neither fresh nor suspended.
  (func (export "resume") (param $number i32) (param $word i32) (result i64)
    (local $waiting (ref null $fiber))
    (local.set $waiting (table.get $fibers (local.get $number)))
    (if (ref.is_null (local.get $waiting))
      (then (return (i64.const 0x200000000))))
    (table.set $fibers (local.get $number) (ref.null $fiber))
    (block $yielded (result i32 (ref $fiber))
      (return
        (i64.extend_i32_u
          (resume $fiber (on $yield $yielded) (local.get $word) (local.get $waiting)))))
    (local.set $waiting)
    (local.set $word)
    (table.set $fibers (local.get $number) (local.get $waiting))
    (i64.or (i64.const 0x100000000) (i64.extend_i32_u (local.get $word))))

  (func (export "yield") (param $word i32) (result i32)
    (suspend $yield (local.get $word))))
