;; What does cont.new make?
;; A continuation that has not begun: nothing of its function has run, and each has a life of its own.

(module
  (type $task (func))
  (type $k (cont $task))
  (type $add (func (param i32 i32) (result i32)))
  (type $k_add (cont $add))

  (global $begun (mut i32) (i32.const 0))
  (func $body (global.set $begun (i32.add (global.get $begun) (i32.const 1))))
  (func $add (type $add) (i32.add (local.get 0) (local.get 1)))
  (elem declare func $body $add)

  (func (export "making-runs-nothing") (result i32)
    (drop (cont.new $k (ref.func $body)))
    (global.get $begun))

  (func (export "resuming-runs-the-body-once") (result i32)
    (resume $k (cont.new $k (ref.func $body)))
    (global.get $begun))

  (func (export "one-function-many-continuations") (result i32)
    (local $a (ref null $k)) (local $b (ref null $k))
    (local.set $a (cont.new $k (ref.func $body)))
    (local.set $b (cont.new $k (ref.func $body)))
    (resume $k (local.get $a))
    (resume $k (local.get $b))
    (global.get $begun))

  (func (export "arguments-come-with-the-resume") (result i32)
    (resume $k_add (i32.const 40) (i32.const 2) (cont.new $k_add (ref.func $add))))

  (func (export "a-null-function-traps") (drop (cont.new $k (ref.null $task))))

  (func (export "the-reference-is-not-null") (result i32)
    (ref.is_null (cont.new $k (ref.func $body))))

  (func (export "a-nullable-function-is-taken") (param $f (ref null $task)) (result i32)
    (resume $k (cont.new $k (local.get $f)))
    (global.get $begun))
  (func (export "call-with-a-function") (result i32)
    (local $f (ref null $task))
    (local.set $f (ref.func $body))
    (resume $k (cont.new $k (local.get $f)))
    (global.get $begun))
)

(assert_return (invoke "making-runs-nothing") (i32.const 0))
(assert_return (invoke "resuming-runs-the-body-once") (i32.const 1))
(assert_return (invoke "one-function-many-continuations") (i32.const 3))
(assert_return (invoke "arguments-come-with-the-resume") (i32.const 42))
(assert_trap (invoke "a-null-function-traps") "null function reference")
(assert_return (invoke "the-reference-is-not-null") (i32.const 0))
(assert_return (invoke "call-with-a-function") (i32.const 4))
