;; What does validation want of cont.new? A continuation type, and a function of its type.

(assert_invalid (module (func (cont.new 1 (unreachable)) (drop))) "unknown type")
(assert_invalid (module (type $f (func)) (func (drop (cont.new $f (ref.null $f))))) "non-continuation type")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (cont.new $k) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (drop (cont.new $k (i32.const 0)))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (drop (cont.new $k (ref.null $k)))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (param funcref) (drop (cont.new $k (local.get 0)))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $g (func (param i32))) (type $k (cont $f))
    (func (param (ref $g)) (drop (cont.new $k (local.get 0)))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $g (func (param i32))) (type $k (cont $f)) (type $c (cont $g))
    (func (param (ref $f)) (result (ref $c)) (cont.new $k (local.get 0))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func $g) (func (drop (cont.new $k (ref.func $g)))))
  "undeclared function reference")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func $g) (elem declare func $g)
    (global (ref $k) (cont.new $k (ref.func $g))))
  "constant expression required")
