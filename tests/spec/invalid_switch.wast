;; What does validation want of switch?
;; A continuation type whose last parameter is a continuation; a tag without parameters, whose results are what both
;; give.

;; What is right, to begin with.
(module
  (rec (type $f (func (param i32 (ref null $k)) (result i64))) (type $k (cont $f)))
  (tag $e (result i64))
  (func (param (ref null $k)) (result i32 (ref null $k)) (switch $k $e (i32.const 0) (local.get 0))))
;; The two types need not be one.
(module
  (type $g (func (param f32) (result i64))) (type $c (cont $g))
  (type $f (func (param i32 (ref $c)) (result i64))) (type $k (cont $f))
  (tag $e (result i64))
  (func (param (ref $k)) (result f32) (switch $k $e (i32.const 0) (local.get 0))))
;; Results may go up: from the target's to the tag's to the switcher's.
(module
  (type $g (func (result funcref))) (type $c (cont $g))
  (type $f (func (param (ref $c)) (result (ref func)))) (type $k (cont $f))
  (tag $e (result funcref))
  (func (param (ref $k)) (switch $k $e (local.get 0))))

(assert_invalid (module (tag $e) (func (switch 1 $e (unreachable)))) "unknown type")
(assert_invalid
  (module
    (rec (type $f (func (param (ref null $k)))) (type $k (cont $f)))
    (func (drop (switch $k 0 (ref.null $k)))))
  "unknown tag")
(assert_invalid
  (module (type $f (func)) (tag $e) (func (switch $f $e (ref.null $f))))
  "non-continuation type")
;; The last parameter.
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $e) (func (switch $k $e (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param i32))) (type $k (cont $f)) (tag $e) (func (switch $k $e (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param (ref cont)))) (type $k (cont $f)) (tag $e) (func (switch $k $e (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $g (func)) (type $f (func (param (ref $g)))) (type $k (cont $f)) (tag $e)
    (func (switch $k $e (ref.null $k))))
  "non-continuation type")
(assert_invalid
  (module (type $g (func)) (type $c (cont $g)) (type $f (func (param (ref $c) i32))) (type $k (cont $f)) (tag $e)
    (func (switch $k $e (unreachable))))
  "type mismatch")
;; The tag.
(assert_invalid
  (module
    (rec (type $f (func (param (ref null $k)))) (type $k (cont $f)))
    (tag $e (param i32))
    (func (drop (switch $k $e (ref.null $k)))))
  "type mismatch")
(assert_invalid
  (module
    (rec (type $f (func (param (ref null $k)))) (type $k (cont $f)))
    (tag $e (result i32))
    (func (drop (switch $k $e (ref.null $k)))))
  "type mismatch")
(assert_invalid
  (module
    (type $g (func (result i64))) (type $c (cont $g))
    (type $f (func (param (ref $c)) (result i32))) (type $k (cont $f))
    (tag $e (result i32))
    (func (switch $k $e (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module
    (type $g (func (result i32))) (type $c (cont $g))
    (type $f (func (param (ref $c)) (result i64))) (type $k (cont $f))
    (tag $e (result i32))
    (func (switch $k $e (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module
    (type $g (func (result (ref func)))) (type $c (cont $g))
    (type $f (func (param (ref $c)) (result (ref func)))) (type $k (cont $f))
    (tag $e (result funcref))
    (func (switch $k $e (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module
    (type $g (func (result funcref))) (type $c (cont $g))
    (type $f (func (param (ref $c)) (result funcref))) (type $k (cont $f))
    (tag $e (result (ref func)))
    (func (switch $k $e (ref.null $k))))
  "type mismatch")
;; The operands and the results.
(assert_invalid
  (module
    (rec (type $f (func (param i32 (ref null $k)))) (type $k (cont $f)))
    (tag $e)
    (func (switch $k $e (ref.null $k)) (drop) (drop)))
  "type mismatch")
(assert_invalid
  (module
    (rec (type $f (func (param i32 (ref null $k)))) (type $k (cont $f)))
    (tag $e)
    (func (switch $k $e (i64.const 0) (ref.null $k)) (drop) (drop)))
  "type mismatch")
(assert_invalid
  (module
    (rec (type $f (func (param i32 (ref null $k)))) (type $k (cont $f)))
    (tag $e)
    (func (switch $k $e (ref.null $k) (i32.const 0)) (drop) (drop)))
  "type mismatch")
(assert_invalid
  (module
    (rec (type $f (func (param i32 (ref null $k)))) (type $k (cont $f)))
    (tag $e)
    (func (switch $k $e (i32.const 0) (ref.null $f)) (drop) (drop)))
  "type mismatch")
(assert_invalid
  (module
    (rec (type $f (func (param i32 (ref null $k)))) (type $k (cont $f)))
    (tag $e)
    (func (switch $k $e (i32.const 0) (ref.null $k)) (drop)))
  "type mismatch")
