;; What does a resume come to?
;; To the results, if the body returns; to a branch with the payload and the continuation, if it suspends.

(module
  (type $f0 (func))
  (type $k0 (cont $f0))
  (type $f_many (func (param i32 i64 f32 f64) (result f64 f32 i64 i32)))
  (type $k_many (cont $f_many))
  (type $f_gen (func (param i32)))
  (type $k_gen (cont $f_gen))
  (tag $yield (param i32))
  (tag $other (param i32))

  (func $empty)
  (func $turn_round (type $f_many) (local.get 3) (local.get 2) (local.get 1) (local.get 0))
  (func $count_to (param $n i32)
    (local $i i32)
    (loop $more
      (if (i32.lt_u (local.get $i) (local.get $n))
        (then
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (suspend $yield (local.get $i))
          (br $more)))))
  (elem declare func $empty $turn_round $count_to $inner $outer)

  (func (export "a-body-that-returns-nothing") (resume $k0 (cont.new $k0 (ref.func $empty))))

  (func (export "arguments-in-results-out") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
    (resume $k_many (local.get 0) (local.get 1) (local.get 2) (local.get 3)
      (cont.new $k_many (ref.func $turn_round))))

  (func (export "sum-of-a-generator") (param $n i32) (result i32)
    (local $sum i32) (local $value i32) (local $k (ref null $k0))
    (block $done
      (block $first (result i32 (ref $k0))
        (resume $k_gen (on $yield $first) (local.get $n) (cont.new $k_gen (ref.func $count_to)))
        (br $done))
      (local.set $k) (local.set $value)
      (loop $more
        (local.set $sum (i32.add (local.get $sum) (local.get $value)))
        (block $next (result i32 (ref $k0))
          (resume $k0 (on $yield $next) (local.get $k))
          (br $done))
        (local.set $k) (local.set $value)
        (br $more)))
    (local.get $sum))

  ;; A label may be outside the innermost block, also that of the function.
  (func $first_of_three (result i32 (ref null $k0))
    (resume $k_gen (on $yield 0) (i32.const 3) (cont.new $k_gen (ref.func $count_to)))
    (i32.const -1) (ref.null $k0))
  (func (export "the-label-may-be-the-function") (result i32 i32)
    (ref.is_null (call $first_of_three)))
  (func (export "a-branch-out-of-several-blocks") (result i32)
    (local $k (ref null $k0))
    (block $on (result i32 (ref $k0))
      (loop
        (block
          (block (resume $k_gen (on $yield $on) (i32.const 3) (cont.new $k_gen (ref.func $count_to))))))
      (return (i32.const -1)))
    (local.set $k))

  ;; A continuation may make and run others.
  (func $inner (suspend $yield (i32.const 20)))
  (func $outer
    (local $k (ref null $k0)) (local $got i32)
    (block $on (result i32 (ref $k0))
      (resume $k0 (on $yield $on) (cont.new $k0 (ref.func $inner)))
      (return))
    (local.set $k) (local.set $got)
    (suspend $other (i32.add (local.get $got) (i32.const 1)))
    (resume $k0 (local.get $k)))
  (func (export "a-continuation-in-a-continuation") (result i32)
    (local $k (ref null $k0)) (local $got i32)
    (block $on (result i32 (ref $k0))
      (resume $k0 (on $other $on) (cont.new $k0 (ref.func $outer)))
      (return (i32.const -1)))
    (local.set $k) (local.set $got)
    (resume $k0 (local.get $k))
    (local.get $got))

  ;; Who resumes need not be who did so first.
  (func $finish (param $k (ref $k0)) (resume $k0 (local.get $k)))
  (func (export "another-function-goes-on") (result i32)
    (local $k (ref null $k0))
    (block $on (result i32 (ref $k0))
      (resume $k_gen (on $yield $on) (i32.const 1) (cont.new $k_gen (ref.func $count_to)))
      (return (i32.const -1)))
    (local.set $k)
    (call $finish (ref.as_non_null (local.get $k))))
)

(assert_return (invoke "a-body-that-returns-nothing"))
(assert_return
  (invoke "arguments-in-results-out" (i32.const 1) (i64.const -2) (f32.const nan:0x400001) (f64.const -0.0))
  (f64.const -0.0) (f32.const nan:arithmetic) (i64.const -2) (i32.const 1))
(assert_return (invoke "sum-of-a-generator" (i32.const 0)) (i32.const 0))
(assert_return (invoke "sum-of-a-generator" (i32.const 1)) (i32.const 1))
(assert_return (invoke "sum-of-a-generator" (i32.const 1000)) (i32.const 500500))
(assert_return (invoke "the-label-may-be-the-function") (i32.const 1) (i32.const 0))
(assert_return (invoke "a-branch-out-of-several-blocks") (i32.const 1))
(assert_return (invoke "a-continuation-in-a-continuation") (i32.const 21))
(assert_return (invoke "another-function-goes-on") (i32.const 1))
