;; What does suspend send, and what comes back?
;; The tag's parameters go to the handler; what the next resume passes are the tag's results, of any number and kind.

(module
  (type $f0 (func))
  (type $k0 (cont $f0))
  (type $f_i32 (func (result i32)))
  (type $k_i32 (cont $f_i32))

  (tag $nothing)
  (tag $say (param i32))
  (tag $ask (result i32))
  (type $answered (func (param i32) (result i32)))
  (type $k_answered (cont $answered))
  (tag $all (param i32 i64 f32 f64) (result f64 f32 i64 i32))
  (type $answered_all (func (param f64 f32 i64 i32) (result i32)))
  (type $k_answered_all (cont $answered_all))
  (tag $refs (param externref funcref) (result externref))
  (type $f_extern (func (param externref) (result externref)))
  (type $k_extern (cont $f_extern))

  (global $trace (mut i32) (i32.const 0))
  (func $note (param i32)
    (global.set $trace (i32.add (i32.mul (global.get $trace) (i32.const 10)) (local.get 0))))

  ;; Without a payload in either direction.
  (func $three_steps
    (call $note (i32.const 1)) (suspend $nothing)
    (call $note (i32.const 3)) (suspend $nothing)
    (call $note (i32.const 5)))
  (func (export "the-body-goes-on-where-it-stopped") (result i32)
    (local $k (ref null $k0))
    (global.set $trace (i32.const 0))
    (local.set $k (cont.new $k0 (ref.func $three_steps)))
    (block $end
      (loop $again
        (block $on (result (ref $k0))
          (resume $k0 (on $nothing $on) (local.get $k))
          (br $end))
        (local.set $k)
        (call $note (i32.const 0))
        (br $again)))
    (global.get $trace))

  ;; Out only.
  (func $say_seven (suspend $say (i32.const 7)))
  (func (export "a-parameter-reaches-the-handler") (result i32)
    (local $k (ref null $k0))
    (block $on (result i32 (ref $k0))
      (resume $k0 (on $say $on) (cont.new $k0 (ref.func $say_seven)))
      (return (i32.const -1)))
    (local.set $k))

  ;; In only.
  (func $ask_twice (result i32) (i32.sub (suspend $ask) (suspend $ask)))
  (func (export "a-result-comes-from-the-resume") (result i32)
    (local $k (ref null $k_answered))
    (block $first (result (ref $k_answered))
      (return (resume $k_i32 (on $ask $first) (cont.new $k_i32 (ref.func $ask_twice)))))
    (local.set $k)
    (block $second (result (ref $k_answered))
      (return (resume $k_answered (on $ask $second) (i32.const 50) (local.get $k))))
    (local.set $k)
    (resume $k_answered (i32.const 8) (local.get $k)))

  ;; All kinds of numbers, both ways.
  (func $all_kinds (result i32)
    (local $d f64) (local $f f32) (local $l i64) (local $i i32)
    (suspend $all (i32.const 1) (i64.const 2) (f32.const 3.5) (f64.const 4.5))
    (local.set $i) (local.set $l) (local.set $f) (local.set $d)
    (i32.add (i32.add (local.get $i) (i32.wrap_i64 (local.get $l)))
      (i32.add (i32.trunc_f32_s (f32.mul (local.get $f) (f32.const 2)))
        (i32.trunc_f64_s (f64.mul (local.get $d) (f64.const 2))))))
  (func (export "numbers-of-all-kinds-both-ways") (result i32 i64 f32 f64 i32)
    (local $k (ref null $k_answered_all))
    (block $on (result i32 i64 f32 f64 (ref $k_answered_all))
      (drop (resume $k_i32 (on $all $on) (cont.new $k_i32 (ref.func $all_kinds))))
      (unreachable))
    (local.set $k)
    (resume $k_answered_all (f64.const 0.5) (f32.const 1.5) (i64.const 100) (i32.const 1000) (local.get $k)))

  ;; References.
  (func $swap_refs (param $own externref) (result externref)
    (suspend $refs (local.get $own) (ref.func $note)))
  (func (export "references-both-ways") (param $own externref) (param $other externref)
    (result externref funcref externref)
    (local $k (ref null $k_extern))
    (block $on (result externref funcref (ref $k_extern))
      (drop (resume $k_extern (on $refs $on) (local.get $own) (cont.new $k_extern (ref.func $swap_refs))))
      (unreachable))
    (local.set $k)
    (resume $k_extern (local.get $other) (local.get $k)))

  ;; From below a call.
  (func $deeper (param $depth i32) (result i32)
    (if (result i32) (local.get $depth)
      (then (i32.add (i32.const 1) (call $deeper (i32.sub (local.get $depth) (i32.const 1)))))
      (else (suspend $ask))))
  (func $from_depth_10 (result i32) (call $deeper (i32.const 10)))
  (func (export "calls-between-are-captured-and-return-later") (result i32)
    (local $k (ref null $k_answered))
    (block $on (result (ref $k_answered))
      (return (resume $k_i32 (on $ask $on) (cont.new $k_i32 (ref.func $from_depth_10)))))
    (local.set $k)
    (resume $k_answered (i32.const 32) (local.get $k)))

  (elem declare func $three_steps $say_seven $ask_twice $all_kinds $swap_refs $note $from_depth_10)
)

(assert_return (invoke "the-body-goes-on-where-it-stopped") (i32.const 10305))
(assert_return (invoke "a-parameter-reaches-the-handler") (i32.const 7))
(assert_return (invoke "a-result-comes-from-the-resume") (i32.const 42))
(assert_return (invoke "numbers-of-all-kinds-both-ways")
  (i32.const 1) (i64.const 2) (f32.const 3.5) (f64.const 4.5) (i32.const 1104))
(assert_return (invoke "references-both-ways" (ref.extern 1) (ref.extern 2)) (ref.extern 1) (ref.func) (ref.extern 2))
(assert_return (invoke "references-both-ways" (ref.null extern) (ref.extern 2)) (ref.null) (ref.func) (ref.extern 2))
(assert_return (invoke "calls-between-are-captured-and-return-later") (i32.const 42))
