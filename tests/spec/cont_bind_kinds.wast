;; Do bound arguments keep their values until the resume, of whatever kind they are?
;; Numbers of all kinds, references to what the host has, to functions, exceptions and continuations, and many at once.

(module
  (type $f (func (param i32 i64 f32 f64) (result f64 f32 i64 i32)))
  (type $k (cont $f))
  (type $f_rest (func (param f32 f64) (result f64 f32 i64 i32)))
  (type $k_rest (cont $f_rest))
  (type $f_done (func (result f64 f32 i64 i32)))
  (type $k_done (cont $f_done))
  (func $turn_round (type $f) (local.get 3) (local.get 2) (local.get 1) (local.get 0))
  (elem declare func $turn_round)

  (func (export "all-numbers") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
    (resume $k_done
      (cont.bind $k $k_done (local.get 0) (local.get 1) (local.get 2) (local.get 3)
        (cont.new $k (ref.func $turn_round)))))
  (func (export "half-of-the-numbers") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
    (resume $k_rest (local.get 2) (local.get 3)
      (cont.bind $k $k_rest (local.get 0) (local.get 1) (cont.new $k (ref.func $turn_round)))))
)
(assert_return (invoke "all-numbers" (i32.const -1) (i64.const 0x8000000000000000) (f32.const -0.0) (f64.const -inf))
  (f64.const -inf) (f32.const -0.0) (i64.const 0x8000000000000000) (i32.const -1))
(assert_return (invoke "half-of-the-numbers" (i32.const 1) (i64.const 2) (f32.const 0x1p-149) (f64.const 0x1p-1074))
  (f64.const 0x1p-1074) (f32.const 0x1p-149) (i64.const 2) (i32.const 1))

(module
  (type $f (func (param externref funcref) (result funcref externref)))
  (type $k (cont $f))
  (type $f_rest (func (param funcref) (result funcref externref)))
  (type $k_rest (cont $f_rest))
  (type $f_done (func (result funcref externref)))
  (type $k_done (cont $f_done))
  (func $turn_round (type $f) (local.get 1) (local.get 0))
  (elem declare func $turn_round)

  (func (export "host-and-function-references") (param externref) (result funcref externref)
    (resume $k_done
      (cont.bind $k $k_done (local.get 0) (ref.func $turn_round) (cont.new $k (ref.func $turn_round)))))
  (func (export "one-reference-bound-one-passed") (param externref) (result funcref externref)
    (resume $k_rest (ref.null func)
      (cont.bind $k $k_rest (local.get 0) (cont.new $k (ref.func $turn_round)))))
)
(assert_return (invoke "host-and-function-references" (ref.extern 3)) (ref.func) (ref.extern 3))
(assert_return (invoke "host-and-function-references" (ref.null extern)) (ref.func) (ref.null))
(assert_return (invoke "one-reference-bound-one-passed" (ref.extern 4)) (ref.null) (ref.extern 4))

;; A continuation, bound to another one, which runs it.
(module
  (type $f0 (func (result i32)))
  (type $k0 (cont $f0))
  (type $f1 (func (param (ref $k0)) (result i32)))
  (type $k1 (cont $f1))
  (func $answer (type $f0) (i32.const 41))
  (func $run (type $f1) (i32.add (i32.const 1) (resume $k0 (local.get 0))))
  (elem declare func $answer $run)
  (func $bound (result (ref $k0))
    (cont.bind $k1 $k0 (cont.new $k0 (ref.func $answer)) (cont.new $k1 (ref.func $run))))
  (func (export "a-continuation-in-a-continuation") (result i32) (resume $k0 (call $bound)))
  (func (export "a-chain-of-them") (result i32)
    (resume $k0 (cont.bind $k1 $k0 (call $bound) (cont.new $k1 (ref.func $run)))))
)
(assert_return (invoke "a-continuation-in-a-continuation") (i32.const 42))
(assert_return (invoke "a-chain-of-them") (i32.const 43))

;; An exception, thrown again inside.
(module
  (type $f1 (func (param exnref)))
  (type $k1 (cont $f1))
  (type $f0 (func))
  (type $k0 (cont $f0))
  (tag $exn (param i32))
  (func $throws (throw $exn (i32.const 17)))
  (func $throw_again (type $f1) (throw_ref (local.get 0)))
  (elem declare func $throw_again)
  (func $exception (result exnref)
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $throws))
      (unreachable)))
  (func (export "an-exception") (result i32)
    (block $caught (result i32)
      (try_table (catch $exn $caught)
        (resume $k0 (cont.bind $k1 $k0 (call $exception) (cont.new $k1 (ref.func $throw_again)))))
      (i32.const -1)))
)
(assert_return (invoke "an-exception") (i32.const 17))

;; Many.
(module
  (type $f (func
    (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (result i64)))
  (type $k (cont $f))
  (type $f_rest (func (param i64) (result i64)))
  (type $k_rest (cont $f_rest))
  (func $weigh (type $f)
    (i64.add (local.get 0)
      (i64.add (i64.mul (local.get 9) (i64.const 100)) (i64.mul (local.get 19) (i64.const 10000)))))
  (elem declare func $weigh)
  (func (export "nineteen-of-twenty") (result i64)
    (resume $k_rest (i64.const 20)
      (cont.bind $k $k_rest
        (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8)
        (i64.const 9) (i64.const 10) (i64.const 11) (i64.const 12) (i64.const 13) (i64.const 14) (i64.const 15)
        (i64.const 16) (i64.const 17) (i64.const 18) (i64.const 19)
        (cont.new $k (ref.func $weigh)))))
)
(assert_return (invoke "nineteen-of-twenty") (i64.const 201001))
