;; What does an instruction leave behind that trapped?
;; All as it was: the continuation that it did not get to is not consumed, nor is the one that nobody could take a
;; switch from.

(module
  (rec
    (type $f (func (param (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (type $f0 (func (result i32)))
  (type $k0 (cont $f0))
  (tag $swap (result i32))
  (global $target (mut (ref null $k)) (ref.null $k))
  (func $returns (type $f) (i32.const 3))
  (elem declare func $returns)

  (func (export "make") (global.set $target (cont.new $k (ref.func $returns))))
  (func (export "switch-without-a-handler") (result i32)
    (switch $k $swap (global.get $target))
    (drop)
    (i32.const -1))
  (func (export "resume") (result i32) (resume $k (ref.null $k) (global.get $target)))
)
(invoke "make")
(assert_suspension (invoke "switch-without-a-handler") "unhandled tag")
(assert_return (invoke "resume") (i32.const 3))
(assert_trap (invoke "resume") "continuation already consumed")
