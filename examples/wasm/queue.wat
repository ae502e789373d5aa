;; SPDX-License-Identifier: Apache-2.0
;; A queue of continuations. It knows nothing of switching: to it they are values like others.

(module $queue
  (type $task (func))
  (type $k (cont $task))
  (table $slots 8 (ref null $k))
  (global $head (mut i32) (i32.const 0))
  (global $count (mut i32) (i32.const 0))

  (func (export "enqueue") (param $k (ref $k))
    (if (i32.eq (global.get $count) (i32.const 8)) (then (unreachable)))
    (table.set $slots
      (i32.rem_u (i32.add (global.get $head) (global.get $count)) (i32.const 8)) (local.get $k))
    (global.set $count (i32.add (global.get $count) (i32.const 1))))

  ;; Null if it is empty.
  (func (export "dequeue") (result (ref null $k))
    (local $at i32)
    (if (i32.eqz (global.get $count)) (then (return (ref.null $k))))
    (local.set $at (global.get $head))
    (global.set $head (i32.rem_u (i32.add (local.get $at) (i32.const 1)) (i32.const 8)))
    (global.set $count (i32.sub (global.get $count) (i32.const 1)))
    (table.get $slots (local.get $at))
    (table.set $slots (local.get $at) (ref.null $k)))
)
