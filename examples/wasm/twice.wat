;; SPDX-License-Identifier: Apache-2.0
;; What if a continuation is resumed twice?
;; The second time is a trap. It happens in a continuation here, and the backtrace goes on where that was resumed.
;;
;; Run with: print.wasm twice.wasm
;; Exit status: 134
;; Expected output:
;;     once
;;     wasmfx-run: trap: continuation already consumed
;;         twice!greedy
;;       -- resumed by --
;;         twice!_start

(module $twice
  (type $body (func))
  (type $k (cont $body))
  (import "print" "memory" (memory 1))
  (import "print" "text" (func $text (param i32 i32)))
  (data (i32.const 64) "once\ntwice\n")

  (func $says_once (call $text (i32.const 64) (i32.const 5)))
  (func $greedy
    (local $k (ref $k))
    (local.set $k (cont.new $k (ref.func $says_once)))
    (resume $k (local.get $k))
    (resume $k (local.get $k))
    (call $text (i32.const 69) (i32.const 6)))
  (elem declare func $says_once $greedy)

  (func (export "_start")
    (resume $k (cont.new $k (ref.func $greedy)))
    (call $text (i32.const 69) (i32.const 6)))
)
