;; May a continuation be resumed by another module than made it?
;; Yes, if the types agree, which are compared by structure. It goes on with the memory and the globals of its own
;; instance.

(module $maker
  (type $task (func (param i32) (result i32)))
  (type $k (cont $task))
  (tag $ask (export "ask") (result i32))
  (global $mine (mut i32) (i32.const 1000))
  (func $body (type $task)
    (global.set $mine (i32.add (global.get $mine) (local.get 0)))
    (i32.add (suspend $ask) (global.get $mine)))
  (elem declare func $body)
  (func (export "make") (result (ref $k)) (cont.new $k (ref.func $body)))
  (global (export "kept") (mut (ref null $k)) (ref.null $k))
  (table (export "some") 2 (ref null $k))
)
(register "maker")

(module $user
  (type $t (func (param i32) (result i32)))
  (type $c (cont $t))
  (tag $ask (import "maker" "ask") (result i32))
  (func $make (import "maker" "make") (result (ref $c)))
  (global $kept (import "maker" "kept") (mut (ref null $c)))
  (table $some (import "maker" "some") 2 (ref null $c))
  (global $mine (mut i32) (i32.const 5))
  (memory 1)

  (func (export "made-there-resumed-here") (result i32)
    (local $k (ref null $c))
    (block $on (result (ref $c))
      (return (resume $c (on $ask $on) (i32.const 1) (call $make))))
    (local.set $k)
    (resume $c (i32.const 20000) (local.get $k)))
  (func (export "keep") 
    (global.set $kept (call $make))
    (table.set $some (i32.const 1) (call $make)))
  (func (export "resume-what-was-kept") (result i32)
    (block $on (result (ref $c))
      (return (resume $c (on $ask $on) (i32.const 0) (global.get $kept))))
    (drop)
    (i32.const 1))
  (func (export "resume-from-the-table") (param $i i32) (result i32)
    (block $on (result (ref $c))
      (return (resume $c (on $ask $on) (i32.const 0) (table.get $some (local.get $i)))))
    (drop)
    (i32.const 1))
)
(assert_return (invoke "made-there-resumed-here") (i32.const 21001))
(invoke "keep")
(assert_return (invoke "resume-what-was-kept") (i32.const 1))
(assert_trap (invoke "resume-what-was-kept") "continuation already consumed")
(assert_trap (invoke "resume-from-the-table" (i32.const 0)) "null continuation reference")
(assert_return (invoke "resume-from-the-table" (i32.const 1)) (i32.const 1))
(assert_trap (invoke "resume-from-the-table" (i32.const 2)) "out of bounds table access")

;; Another type is another, though both are references.
(assert_unlinkable
  (module
    (type $f (func (param i64) (result i32)))
    (type $k (cont $f))
    (func (import "maker" "make") (result (ref $k))))
  "incompatible import type")
(assert_unlinkable
  (module
    (type $f (func (param i64) (result i32)))
    (type $k (cont $f))
    (global (import "maker" "kept") (mut (ref null $k))))
  "incompatible import type")
(assert_unlinkable
  (module
    (type $f (func (param i64) (result i32)))
    (type $k (cont $f))
    (table (import "maker" "some") 2 (ref null $k)))
  "incompatible import type")
(assert_unlinkable
  (module (func (import "maker" "make") (result funcref)))
  "incompatible import type")
