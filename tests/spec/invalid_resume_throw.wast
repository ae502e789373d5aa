;; What does validation want of resume_throw and resume_throw_ref?
;; Of the first a tag without results, whose parameters are the operands; of the second an exception. Then the
;; continuation.

(assert_invalid (module (tag $x) (func (resume_throw 1 $x (unreachable)))) "unknown type")
(assert_invalid (module (type $f (func)) (type $k (cont $f)) (func (resume_throw $k 0 (ref.null $k)))) "unknown tag")
(assert_invalid (module (type $f (func)) (tag $x) (func (resume_throw $f $x (ref.null $f)))) "non-continuation type")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $x (result i32)) (func (resume_throw $k $x (ref.null $k))))
  "type mismatch")
(assert_invalid (module (type $f (func)) (type $k (cont $f)) (tag $x) (func (resume_throw $k $x))) "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $x) (func (resume_throw $k $x (ref.null $f))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $x (param i32)) (func (resume_throw $k $x (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $x (param i32))
    (func (resume_throw $k $x (i64.const 0) (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $x (param i32))
    (func (resume_throw $k $x (ref.null $k) (i32.const 0))))
  "type mismatch")
;; It wants the exception's values, and not the continuation's parameters.
(assert_invalid
  (module (type $f (func (param i64))) (type $k (cont $f)) (tag $x (param i32))
    (func (resume_throw $k $x (i64.const 0) (i32.const 0) (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (result i32))) (type $k (cont $f)) (tag $x) (func (resume_throw $k $x (ref.null $k))))
  "type mismatch")

(assert_invalid (module (func (resume_throw_ref 1 (unreachable)))) "unknown type")
(assert_invalid
  (module (type $f (func)) (func (param exnref) (resume_throw_ref $f (local.get 0) (ref.null $f))))
  "non-continuation type")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (param exnref) (resume_throw_ref $k (local.get 0))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (resume_throw_ref $k (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param exnref) (resume_throw_ref $k (ref.null $k) (local.get 0))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param externref) (resume_throw_ref $k (local.get 0) (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (result i32))) (type $k (cont $f))
    (func (param exnref) (resume_throw_ref $k (local.get 0) (ref.null $k))))
  "type mismatch")
