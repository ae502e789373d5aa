;; SPDX-License-Identifier: Apache-2.0
;; Do two handlers compose that know nothing of each other?
;; A yield finds no clause at the handler of the variable and passes it by: the scheduler gets the task with that
;; handler around it. So the variable has become local to the task, and neither was written for that.
;;
;; Run with: print.wasm queue.wasm lwt_dynbind.wasm
;; Expected output:
;;     task 1 sees 10
;;     task 2 sees 20
;;     task 1 sees 10 again
;;     task 2 sees 20 again
;;
;; Next: twice.wat

(module $lwt_dynbind
  (type $task (func))
  (type $k (cont $task))
  (type $numbered (func (param i32)))
  (type $fresh (cont $numbered))
  (import "print" "memory" (memory 1))
  (import "print" "text" (func $text (param i32 i32)))
  (import "print" "number" (func $number (param i32)))
  (import "queue" "enqueue" (func $enqueue (param (ref $k))))
  (import "queue" "dequeue" (func $dequeue (result (ref null $k))))
  (data (i32.const 64) "task  sees  again\n")

  (tag $yield)
  (tag $ask (result i32))

  (func $run
    (local $k (ref null $k))
    (loop $next
      (local.set $k (call $dequeue))
      (if (ref.is_null (local.get $k)) (then (return)))
      (block $yielded (result (ref $k))
        (resume $k (on $yield $yielded) (local.get $k))
        (br $next))
      (call $enqueue)
      (br $next)))

  (func $with_answer (param $answer i32) (param $k (ref $fresh)) (param $task i32)
    (block $asked (result (ref $fresh))
      (resume $fresh (on $ask $asked) (local.get $task) (local.get $k))
      (return))
    (local.set $k)
    (loop $again
      (block $asked (result (ref $fresh))
        (resume $fresh (on $ask $asked) (local.get $answer) (local.get $k))
        (return))
      (local.set $k)
      (br $again)))

  (func $sees (param $task i32) (param $answer i32)
    (call $text (i32.const 64) (i32.const 5))
    (call $number (local.get $task))
    (call $text (i32.const 69) (i32.const 6))
    (call $number (local.get $answer)))

  (func $body (type $numbered) (param $task i32)
    (call $sees (local.get $task) (suspend $ask))
    (call $text (i32.const 81) (i32.const 1))
    (suspend $yield)
    (call $sees (local.get $task) (suspend $ask))
    (call $text (i32.const 75) (i32.const 7)))

  (func $task (type $numbered) (param $task i32)
    (call $with_answer
      (i32.mul (local.get $task) (i32.const 10)) (cont.new $fresh (ref.func $body)) (local.get $task)))
  (elem declare func $body $task)

  (func $spawn (param $task i32)
    (call $enqueue (cont.bind $fresh $k (local.get $task) (cont.new $fresh (ref.func $task)))))

  (func (export "_start")
    (call $spawn (i32.const 1))
    (call $spawn (i32.const 2))
    (call $run))
)
