;; SPDX-License-Identifier: Apache-2.0
;; For the other examples: texts and numbers on the standard output, through WASI. Whoever prints puts its texts into
;; the memory of this module, from address 64 on.

(module $print
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)

  (func $text (export "text") (param $at i32) (param $bytes i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $bytes))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))

  ;; Without a sign; its digits are written from the last to the first.
  (func (export "number") (param $number i32)
    (local $at i32)
    (local.set $at (i32.const 32))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48 (;'0';)) (i32.rem_u (local.get $number) (i32.const 10))))
      (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
      (br_if $digit (local.get $number)))
    (call $text (local.get $at) (i32.sub (i32.const 32) (local.get $at))))
)
