;; Do three that switch to one another need a scheduler?
;; No: each knows whom it goes to, and leaves behind where it came from. One resume encloses them all.

(module
  (rec
    (type $f (func (param i32 (ref null $k)) (result i64)))
    (type $k (cont $f)))
  (type $f_member (func (param i32 i32 (ref null $k)) (result i64)))
  (type $k_member (cont $f_member))
  (tag $pass (result i64))

  (table $ring 3 (ref null $k))
  (global $trace (mut i64) (i64.const 0))

  (func $after (param $i i32) (result i32) (i32.rem_u (i32.add (local.get $i) (i32.const 1)) (i32.const 3)))
  (func $before (param $i i32) (result i32) (i32.rem_u (i32.add (local.get $i) (i32.const 2)) (i32.const 3)))

  ;; Has the token n times to pass on; who came from nowhere was the first.
  (func $member (param $i i32) (param $n i32) (param $from (ref null $k)) (result i64)
    (loop $turn (result i64)
      (if (i32.eqz (ref.is_null (local.get $from)))
        (then (table.set $ring (call $before (local.get $i)) (local.get $from))))
      (global.set $trace
        (i64.add (i64.mul (global.get $trace) (i64.const 4))
          (i64.extend_i32_u (i32.add (local.get $i) (i32.const 1)))))
      (if (i32.eqz (local.get $n)) (then (return (global.get $trace))))
      (switch $k $pass (i32.sub (local.get $n) (i32.const 1)) (table.get $ring (call $after (local.get $i))))
      (local.set $from) (local.set $n)
      (br $turn)))
  (elem declare func $member)

  (func $new (param $i i32) (result (ref $k))
    (cont.bind $k_member $k (local.get $i) (cont.new $k_member (ref.func $member))))

  (func (export "pass-round") (param $n i32) (result i64)
    (global.set $trace (i64.const 0))
    (table.set $ring (i32.const 1) (call $new (i32.const 1)))
    (table.set $ring (i32.const 2) (call $new (i32.const 2)))
    (resume $k (on $pass switch) (local.get $n) (ref.null $k) (call $new (i32.const 0))))
)

;; The trace has two bits for each turn: 1, 2, 3, 1, ..
(assert_return (invoke "pass-round" (i32.const 0)) (i64.const 0x1))
(assert_return (invoke "pass-round" (i32.const 1)) (i64.const 0x6))
(assert_return (invoke "pass-round" (i32.const 2)) (i64.const 0x1b))
(assert_return (invoke "pass-round" (i32.const 8)) (i64.const 0x1b6db))
(assert_return (invoke "pass-round" (i32.const 30000)) (i64.const 0xdb6db6db6db6db6d))

;; In a ring of two each goes back to where it came from, and no table is needed.
(module
  (rec
    (type $f (func (param i32 (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (tag $pass (result i32))
  (func $player (type $f)
    (loop $turn (result i32)
      (if (i32.ge_u (local.get 0) (i32.const 100000)) (then (return (local.get 0))))
      (switch $k $pass (i32.add (local.get 0) (i32.const 1)) (local.get 1))
      (local.set 1) (local.set 0)
      (br $turn)))
  (func $begin (type $f)
    (switch $k $pass (i32.const 0) (local.get 1))
    (local.set 1) (local.set 0)
    (return_call $player (local.get 0) (local.get 1)))
  (elem declare func $player $begin)
  (func (export "ping-pong") (result i32)
    (resume $k (on $pass switch) (i32.const 0) (cont.new $k (ref.func $player)) (cont.new $k (ref.func $begin))))
)
(assert_return (invoke "ping-pong") (i32.const 100000))
