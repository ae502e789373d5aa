;; What does validation want of resume?
;; A continuation type, its parameters and the continuation below, its results above.

(assert_invalid (module (func (resume 1 (unreachable)))) "unknown type")
(assert_invalid (module (type $f (func)) (func (resume $f (ref.null $f)))) "non-continuation type")
(assert_invalid (module (type $f (func)) (type $k (cont $f)) (func (resume $k))) "type mismatch")
(assert_invalid (module (type $f (func)) (type $k (cont $f)) (func (resume $k (ref.null $f)))) "type mismatch")
(assert_invalid (module (type $f (func)) (type $k (cont $f)) (func (resume $k (ref.null cont)))) "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (type $g (func (param i32))) (type $c (cont $g))
    (func (resume $k (ref.null $c))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param i32))) (type $k (cont $f)) (func (resume $k (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param i32))) (type $k (cont $f)) (func (resume $k (i64.const 0) (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param i32))) (type $k (cont $f)) (func (resume $k (ref.null $k) (i32.const 0))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param i32))) (type $k (cont $f))
    (func (resume $k (i32.const 0) (i32.const 0) (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (result i32))) (type $k (cont $f)) (func (resume $k (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (result i32))) (type $k (cont $f)) (func (result i64) (resume $k (ref.null $k))))
  "type mismatch")
