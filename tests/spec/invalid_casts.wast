;; Are there casts to continuation types?
;; No: so continuations need no types at run time.

(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null cont)) (result i32) (ref.test (ref $k) (local.get 0))))
  "invalid cast")
(assert_invalid
  (module (func (param (ref null cont)) (result i32) (ref.test (ref cont) (local.get 0))))
  "invalid cast")
(assert_invalid
  (module (func (param (ref null cont)) (result i32) (ref.test (ref null nocont) (local.get 0))))
  "invalid cast")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null cont)) (result (ref $k)) (ref.cast (ref $k) (local.get 0))))
  "invalid cast")
(assert_invalid
  (module (func (param (ref null cont)) (result (ref null nocont)) (ref.cast (ref null nocont) (local.get 0))))
  "invalid cast")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null cont)) (result (ref null cont))
      (block (result (ref null cont)) (br_on_cast 0 (ref null cont) (ref $k) (local.get 0)))))
  "invalid cast")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null cont)) (result (ref null cont))
      (block (result (ref null cont)) (br_on_cast_fail 0 (ref null cont) (ref $k) (local.get 0)))))
  "invalid cast")
