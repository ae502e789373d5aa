;; What do the instructions take and give where code is not reached?
;; Whatever they need is there, of the right type or of none; what they give has its type.

(module
  (type $f (func (param i32 i64) (result f32)))
  (type $k (cont $f))
  (type $f_rest (func (param i64) (result f32)))
  (type $k_rest (cont $f_rest))
  (rec (type $g (func (param i32 (ref null $c)) (result i64))) (type $c (cont $g)))
  (tag $t (param i32) (result i64))
  (tag $x (param i32))
  (tag $s (result i64))

  (func (result (ref $k)) (unreachable) (cont.new $k))
  (func (result (ref $k_rest)) (unreachable) (cont.bind $k $k_rest))
  (func (param (ref $k)) (result (ref $k_rest)) (unreachable) (local.get 0) (cont.bind $k $k_rest))
  (func (result i64) (unreachable) (suspend $t))
  (func (result f32) (unreachable) (resume $k))
  (func (result f32) (unreachable) (i64.const 1) (ref.null $k) (resume $k))
  (func (result f32) (unreachable) (ref.null nocont) (resume $k))
  (func (result f32) (unreachable) (resume_throw $k $x))
  (func (result i32 (ref null $c)) (unreachable) (switch $c $s))
  (func (result i32 (ref $k_rest)) (unreachable) (resume $k (on $t 0)) (unreachable))
)
(module
  (type $f (func))
  (type $k (cont $f))
  (func (unreachable) (resume_throw_ref $k))
  (func (unreachable) (ref.null $k) (resume_throw_ref $k))
)

(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (unreachable) (i32.const 0) (resume $k)))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param i32))) (type $k (cont $f)) (func (unreachable) (i64.const 0) (ref.null $k) (resume $k)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (result i32) (unreachable) (cont.new $k)))
  "type mismatch")
(assert_invalid
  (module (tag $t (result i64)) (func (result i32) (unreachable) (suspend $t)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (unreachable) (ref.null cont) (resume $k)))
  "type mismatch")
