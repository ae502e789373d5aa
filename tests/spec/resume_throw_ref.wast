;; How is an exception that was caught thrown again in another continuation?
;; By its reference: with all its values and its identity, of whatever tag.

(module
  (type $f0 (func))
  (type $k0 (cont $f0))
  (type $f_i32 (func (result i32)))
  (type $k_i32 (cont $f_i32))
  (tag $pause)
  (tag $exn (param i32))

  (func $never (unreachable))
  (func $throws (throw $exn (i32.const 33)))
  (func $plain (suspend $pause))
  (func $catches (result i32)
    (block $caught (result i32)
      (try_table (catch $exn $caught) (suspend $pause))
      (i32.const -1)))
  (elem declare func $never $throws $plain $catches)

  ;; What $throws throws, as a reference.
  (func $exception (result exnref)
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $throws))
      (unreachable)))
  (func $suspended (result (ref $k0))
    (block $on (result (ref $k0))
      (resume $k0 (on $pause $on) (cont.new $k0 (ref.func $plain)))
      (unreachable)))
  (func $suspended_catcher (result (ref $k_i32))
    (block $on (result (ref $k_i32))
      (drop (resume $k_i32 (on $pause $on) (cont.new $k_i32 (ref.func $catches))))
      (unreachable)))

  (func (export "caught-inside") (result i32)
    (resume_throw_ref $k_i32 (call $exception) (call $suspended_catcher)))

  (func (export "uncaught-inside") (result i32)
    (block $caught (result i32)
      (try_table (catch $exn $caught) (resume_throw_ref $k0 (call $exception) (call $suspended)))
      (i32.const -1)))

  (func (export "fresh-the-body-never-runs") (result i32)
    (block $caught (result i32)
      (try_table (catch $exn $caught)
        (resume_throw_ref $k0 (call $exception) (cont.new $k0 (ref.func $never))))
      (i32.const -1)))

  (func (export "one-reference-twice") (result i32)
    (local $e exnref)
    (local.set $e (call $exception))
    (i32.add
      (resume_throw_ref $k_i32 (local.get $e) (call $suspended_catcher))
      (resume_throw_ref $k_i32 (local.get $e) (call $suspended_catcher))))

  (func (export "nobody-catches") (resume_throw_ref $k0 (call $exception) (call $suspended)))

  (func (export "null-exception") (resume_throw_ref $k0 (ref.null exn) (call $suspended)))
  (func (export "null-continuation") (resume_throw_ref $k0 (call $exception) (ref.null $k0)))
  (func (export "consumed")
    (local $k (ref null $k0))
    (local.set $k (call $suspended))
    (resume $k0 (local.get $k))
    (resume_throw_ref $k0 (call $exception) (local.get $k)))
)

(assert_return (invoke "caught-inside") (i32.const 33))
(assert_return (invoke "uncaught-inside") (i32.const 33))
(assert_return (invoke "fresh-the-body-never-runs") (i32.const 33))
(assert_return (invoke "one-reference-twice") (i32.const 66))
(assert_exception (invoke "nobody-catches"))
(assert_trap (invoke "null-exception") "null exception reference")
(assert_trap (invoke "null-continuation") "null continuation reference")
(assert_trap (invoke "consumed") "continuation already consumed")

;; Both are wrong: the continuation is looked at first.
(module
  (type $f0 (func))
  (type $k0 (cont $f0))
  (func $empty)
  (elem declare func $empty)
  (func (export "both-null") (resume_throw_ref $k0 (ref.null exn) (ref.null $k0)))
  (func (export "null-and-consumed")
    (local $k (ref null $k0))
    (local.set $k (cont.new $k0 (ref.func $empty)))
    (resume $k0 (local.get $k))
    (resume_throw_ref $k0 (ref.null exn) (local.get $k)))
)
(assert_trap (invoke "both-null") "null continuation reference")
(assert_trap (invoke "null-and-consumed") "continuation already consumed")
