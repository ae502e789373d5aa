;; SPDX-License-Identifier: Apache-2.0
;; What is a task, if a handler makes it?
;; A continuation in a queue. The scheduler turns each yield into an entry of it.
;;
;; Run with: print.wasm queue.wasm lwt.wasm
;; Expected output:
;;     task 1, step 1
;;     task 2, step 1
;;     task 3, step 1
;;     task 2, step 2
;;     task 3, step 2
;;     task 3, step 3
;;
;; Next: lwt_dynbind.wat

(module $lwt
  (type $task (func))
  (type $k (cont $task))
  (type $numbered (func (param i32)))
  (type $fresh (cont $numbered))
  (import "print" "memory" (memory 1))
  (import "print" "text" (func $text (param i32 i32)))
  (import "print" "number" (func $number (param i32)))
  (import "queue" "enqueue" (func $enqueue (param (ref $k))))
  (import "queue" "dequeue" (func $dequeue (result (ref null $k))))
  (data (i32.const 64) "task , step \n")

  (tag $yield)

  ;; Runs the tasks until all have ended.
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

  (func $line (param $task i32) (param $step i32)
    (call $text (i32.const 64) (i32.const 5))
    (call $number (local.get $task))
    (call $text (i32.const 69) (i32.const 7))
    (call $number (local.get $step))
    (call $text (i32.const 76) (i32.const 1)))

  ;; As many steps as its number.
  (func $steps (type $numbered) (param $task i32)
    (local $step i32)
    (loop $next
      (local.set $step (i32.add (local.get $step) (i32.const 1)))
      (call $line (local.get $task) (local.get $step))
      (if (i32.lt_u (local.get $step) (local.get $task))
        (then (suspend $yield) (br $next)))))
  (elem declare func $steps)

  ;; The task's number is bound to the continuation, which has no parameter then and fits the queue.
  (func $spawn (param $task i32)
    (call $enqueue (cont.bind $fresh $k (local.get $task) (cont.new $fresh (ref.func $steps)))))

  (func (export "_start")
    (call $spawn (i32.const 1))
    (call $spawn (i32.const 2))
    (call $spawn (i32.const 3))
    (call $run))
)
