;; Which types of continuations are none?

(assert_invalid (module (type $k (cont 1))) "unknown type")
(assert_invalid (module (type $f (func)) (type $k (cont $f)) (type $kk (cont $k))) "non-function type")
(assert_invalid (module (type $k (cont $k))) "non-function type")

;; Subtypes: declared between what fits, of what is not final.
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (type (sub $k (cont $f))))
  "sub type")
(assert_invalid
  (module
    (type $f (func)) (type $g (func (param i32)))
    (type $k (sub (cont $f))) (type (sub $k (cont $g))))
  "sub type")
(assert_invalid
  (module
    (type $f (sub (func (result funcref)))) (type $g (func (result (ref func))))
    (type $k (sub (cont $f))) (type (sub $k (cont $g))))
  "sub type")
(assert_invalid
  (module (type $f (sub (func))) (type (sub $f (cont $f))))
  "sub type")
(assert_invalid
  (module (type $f (func)) (type $k (sub (cont $f))) (type (sub $k (func))))
  "sub type")

;; What is above, below and beside.
(assert_invalid
  (module (func (param (ref null cont)) (result (ref null nocont)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null cont)) (result (ref null $k)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null $k)) (result (ref null nocont)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null $k)) (result (ref $k)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref $k)) (result (ref $f)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $g (func (param i32))) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $k)) (result (ref $c)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module
    (type $f (sub (func (result funcref)))) (type $g (sub $f (func (result (ref func)))))
    (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $c)) (result (ref $k)) (local.get 0)))
  "type mismatch")
(assert_invalid (module (func (param (ref cont)) (result (ref func)) (local.get 0))) "type mismatch")
(assert_invalid (module (func (param (ref cont)) (result (ref extern)) (local.get 0))) "type mismatch")
(assert_invalid (module (func (param (ref cont)) (result (ref any)) (local.get 0))) "type mismatch")
(assert_invalid (module (func (param (ref cont)) (result (ref exn)) (local.get 0))) "type mismatch")
(assert_invalid (module (func (param (ref null nocont)) (result (ref null nofunc)) (local.get 0))) "type mismatch")
(assert_invalid
  (module
    (rec (type $f (func (param (ref null $k)))) (type $k (cont $f)))
    (rec (type $g (func (param (ref null $c)))) (type $c (cont $g)) (type (func)))
    (func (param (ref $k)) (result (ref $c)) (local.get 0)))
  "type mismatch")

;; A local that holds no null has to be set first.
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (local $k (ref $k)) (resume $k (local.get $k))))
  "uninitialized local")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (table 1 (ref $k)))
  "type mismatch")
