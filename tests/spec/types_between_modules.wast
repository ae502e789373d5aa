;; Can a module pass a continuation off as one of another type by way of another module?
;; No way leads there: not a function, a global, a table, a tag, nor a function in a table. What is a supertype may be
;; imported.

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $base (sub (func (param i32) (result (ref null $k)))))
  (type $derived (sub $base (func (param i32) (result (ref $k)))))
  (func $one (type $f) (i32.const 1))
  (func $make (export "make") (type $derived) (cont.new $k (ref.func $one)))
  (func $run (export "run") (param (ref null $k)) (result i32) (resume $k (local.get 0)))
  (global (export "variable") (mut (ref null $k)) (ref.null $k))
  (global (export "constant") (ref null $k) (ref.null $k))
  (global (export "maker") (ref $derived) (ref.func $make))
  (table (export "some") 1 (ref null $k))
  (tag (export "e") (param (ref null $k)))
  (table (export "functions") 3 funcref)
  (elem (table 1) (i32.const 0) func $run $make $one)
)
(register "m")

;; Equal types, wherever they stand in their module.
(module
  (type (func))
  (type $g (func (result i32)))
  (type $c (cont $g))
  (type $base (sub (func (param i32) (result (ref null $c)))))
  (type $derived (sub $base (func (param i32) (result (ref $c)))))
  (func $make (import "m" "make") (type $derived))
  (func $run (import "m" "run") (param (ref null $c)) (result i32))
  (global (import "m" "variable") (mut (ref null $c)))
  (table (import "m" "some") 1 (ref null $c))
  (tag (import "m" "e") (param (ref null $c)))
  (func (export "run-it") (result i32) (call $run (call $make (i32.const 0))))
)
(assert_return (invoke "run-it") (i32.const 1))

;; Supertypes: of a function what is declared, of a constant what there is.
(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $base (sub (func (param i32) (result (ref null $k)))))
  (func $make (import "m" "make") (type $base))
  (global (import "m" "constant") (ref null cont))
  (global $maker (import "m" "maker") (ref $base))
  (global $any (import "m" "maker") funcref)
  (func (export "by-the-supertype") (result i32) (resume $k (call $make (i32.const 0))))
  (func (export "by-a-constant") (result i32)
    (resume $k (call_ref $base (i32.const 0) (global.get $maker))))
  (func (export "as-funcref") (result i32) (ref.is_null (global.get $any)))
)
(assert_return (invoke "by-the-supertype") (i32.const 1))
(assert_return (invoke "by-a-constant") (i32.const 1))
(assert_return (invoke "as-funcref") (i32.const 0))

;; A variable is what it is: one could put something else there.
(assert_unlinkable (module (global (import "m" "variable") (mut (ref null cont)))) "incompatible import type")
(assert_unlinkable (module (global (import "m" "variable") (ref null cont))) "incompatible import type")
(assert_unlinkable (module (global (import "m" "constant") (mut (ref null cont)))) "incompatible import type")
(assert_unlinkable (module (table (import "m" "some") 1 (ref null cont))) "incompatible import type")

;; Nor is it one of a host's references.
(assert_unlinkable (module (func (import "m" "run") (param externref) (result i32))) "incompatible import type")
(assert_unlinkable (module (global (import "m" "variable") (mut externref))) "incompatible import type")
(assert_unlinkable (module (global (import "m" "constant") externref)) "incompatible import type")
(assert_unlinkable (module (table (import "m" "some") 1 externref)) "incompatible import type")
(assert_unlinkable (module (global (import "m" "e") (mut externref))) "incompatible import type")
(assert_unlinkable (module (tag (import "m" "e") (param externref))) "incompatible import type")

;; A subtype that its exporter did not declare.
(assert_unlinkable
  (module
    (type $f (func (result i32)))
    (type $k (cont $f))
    (func (import "m" "make") (param i32) (result (ref $k))))
  "incompatible import type")

;; Functions in a table that both have are compared when they are called.
(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $g (func (result i64)))
  (type $c (cont $g))
  (type $run (func (param (ref null $k)) (result i32)))
  (type $run_c (func (param (ref null $c)) (result i32)))
  (type $run_extern (func (param externref) (result i32)))
  (type $base (sub (func (param i32) (result (ref null $k)))))
  (type $derived (sub $base (func (param i32) (result (ref $k)))))
  (type $alone (func (param i32) (result (ref $k))))
  (table (import "m" "functions") 3 funcref)
  (func $two (type $g) (i64.const 2))
  (elem declare func $two)
  (func (export "as-it-is") (result i32)
    (call_indirect (type $run) (call_indirect (type $derived) (i32.const 0) (i32.const 1)) (i32.const 0)))
  (func (export "as-a-supertype") (result i32)
    (call_indirect (type $run) (call_indirect (type $base) (i32.const 0) (i32.const 1)) (i32.const 0)))
  (func (export "as-a-type-that-only-looks-the-same") (result i32)
    (ref.is_null (call_indirect (type $alone) (i32.const 0) (i32.const 1))))
  (func (export "with-a-continuation-of-another-type") (result i32)
    (call_indirect (type $run_c) (cont.new $c (ref.func $two)) (i32.const 0)))
  (func (export "with-a-reference-of-the-host") (param externref) (result i32)
    (call_indirect (type $run_extern) (local.get 0) (i32.const 0)))
  (func (export "numbers-only") (result i32) (call_indirect (type $f) (i32.const 2)))
)
(assert_return (invoke "as-it-is") (i32.const 1))
(assert_return (invoke "as-a-supertype") (i32.const 1))
(assert_trap (invoke "as-a-type-that-only-looks-the-same") "indirect call type mismatch")
(assert_trap (invoke "with-a-continuation-of-another-type") "indirect call type mismatch")
(assert_trap (invoke "with-a-reference-of-the-host" (ref.extern 1)) "indirect call type mismatch")
(assert_return (invoke "numbers-only") (i32.const 1))
