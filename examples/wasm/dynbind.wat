;; SPDX-License-Identifier: Apache-2.0
;; How does code get a value from its context that nobody passed to it?
;; It asks, by a suspension, and the innermost handler around it answers.
;;
;; Run with: print.wasm dynbind.wasm
;; Expected output:
;;     the width is 80
;;       in the box it is 40
;;       in the box it is 40
;;     the width is 80
;;
;; Next: lwt.wat

(module $dynbind
  (type $body (func))
  (type $start (cont $body))
  (type $answered (func (param i32)))
  (type $waiting (cont $answered))
  (import "print" "memory" (memory 1))
  (import "print" "text" (func $text (param i32 i32)))
  (import "print" "number" (func $number (param i32)))
  (data (i32.const 64) "the width is   in the box it is \n")

  (tag $width (result i32))

  ;; Runs a body. Whenever it asks, it is resumed with the value.
  (func $with_width (param $value i32) (param $body (ref $body))
    (local $k (ref $waiting))
    (block $asked (result (ref $waiting))
      (resume $start (on $width $asked) (cont.new $start (local.get $body)))
      (return))
    (local.set $k)
    (loop $again
      (block $asked (result (ref $waiting))
        (resume $waiting (on $width $asked) (local.get $value) (local.get $k))
        (return))
      (local.set $k)
      (br $again)))

  (func $line (param $at i32) (param $bytes i32)
    (call $text (local.get $at) (local.get $bytes))
    (call $number (suspend $width))
    (call $text (i32.const 96) (i32.const 1)))

  (func $box
    (call $line (i32.const 77) (i32.const 19))
    (call $line (i32.const 77) (i32.const 19)))
  (func $page
    (call $line (i32.const 64) (i32.const 13))
    (call $with_width (i32.const 40) (ref.func $box))
    (call $line (i32.const 64) (i32.const 13)))
  (elem declare func $box $page)

  (func (export "_start")
    (call $with_width (i32.const 80) (ref.func $page)))
)
