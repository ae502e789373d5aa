;; What does validation want of cont.bind?
;; Two continuation types, the second of which is the first without a prefix of its parameters, or above that.

(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (cont.bind $k 2 (unreachable)) (drop)))
  "unknown type")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (cont.bind 2 $k (unreachable)) (drop)))
  "unknown type")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (drop (cont.bind $f $k (ref.null $k)))))
  "non-continuation type")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (drop (cont.bind $k $f (ref.null $k)))))
  "non-continuation type")

;; Parameters are bound, not added.
(assert_invalid
  (module (type $f (func)) (type $g (func (param i32))) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (drop (cont.bind $k $c (local.get 0)))))
  "type mismatch")
;; From the front, not from the end.
(assert_invalid
  (module (type $f (func (param i32 i64))) (type $g (func (param i32))) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (drop (cont.bind $k $c (i64.const 1) (local.get 0)))))
  "type mismatch")
;; The rest stays as it was.
(assert_invalid
  (module (type $f (func (param i32 i64))) (type $g (func (param f64))) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (drop (cont.bind $k $c (i32.const 1) (local.get 0)))))
  "type mismatch")
;; So do the results, in number and kind.
(assert_invalid
  (module (type $f (func (result i32))) (type $g (func (result i64))) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (drop (cont.bind $k $c (local.get 0)))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (result i32))) (type $g (func)) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (drop (cont.bind $k $c (local.get 0)))))
  "type mismatch")
;; Parameters may become less general, results more so, and not the other way round.
(assert_invalid
  (module (type $f (func (param (ref func)))) (type $g (func (param funcref))) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (drop (cont.bind $k $c (local.get 0)))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (result funcref))) (type $g (func (result (ref func)))) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (drop (cont.bind $k $c (local.get 0)))))
  "type mismatch")

;; The operands: the bound arguments and, last, the continuation.
(assert_invalid
  (module (type $f (func (param i32))) (type $g (func)) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (drop (cont.bind $k $c (local.get 0)))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param i32))) (type $g (func)) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (drop (cont.bind $k $c (i64.const 1) (local.get 0)))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param i32))) (type $g (func)) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (drop (cont.bind $k $c (local.get 0) (i32.const 1)))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param i32))) (type $g (func)) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (cont.bind $k $c (i32.const 1) (i32.const 1) (local.get 0)) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param i32))) (type $g (func)) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $c)) (drop (cont.bind $k $c (i32.const 1) (local.get 0)))))
  "type mismatch")
;; The result is of the second type.
(assert_invalid
  (module (type $f (func (param i32))) (type $g (func)) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (result (ref $k)) (cont.bind $k $c (i32.const 1) (local.get 0))))
  "type mismatch")
