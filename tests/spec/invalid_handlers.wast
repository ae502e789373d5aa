;; What does validation want of the clauses of a resume?
;; Of (on $e $l): the label takes the tag's parameters and, last, a continuation that takes the tag's results and gives
;; what the resumed one gives. Of (on $e switch): a tag without parameters.

(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (block $on (result (ref $k)) (resume $k (on 0 $on) (ref.null $k)) (unreachable)) (drop)))
  "unknown tag")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t)
    (func (resume $k (on $t 1) (ref.null $k))))
  "unknown label")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (resume $k (on 0 switch) (ref.null $k))))
  "unknown tag")

;; The label takes a continuation,
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t)
    (func (block $on (resume $k (on $t $on) (ref.null $k)) (unreachable))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t)
    (func (block $on (result i32) (resume $k (on $t $on) (ref.null $k)) (unreachable)) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t)
    (func (block $on (result (ref $f)) (resume $k (on $t $on) (ref.null $k)) (unreachable)) (drop)))
  "non-continuation type")
;; of a type that says what it is,
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t)
    (func (block $on (result (ref cont)) (resume $k (on $t $on) (ref.null $k)) (unreachable)) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t)
    (func (block $on (result (ref null nocont)) (resume $k (on $t $on) (ref.null $k)) (unreachable)) (drop)))
  "type mismatch")
;; last.
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t (param i32))
    (func (block $on (result (ref $k) i32) (resume $k (on $t $on) (ref.null $k)) (unreachable)) (drop) (drop)))
  "type mismatch")
;; Before it the payload, all of it and no more, of the tag's kinds or above.
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t (param i32))
    (func (block $on (result (ref $k)) (resume $k (on $t $on) (ref.null $k)) (unreachable)) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t)
    (func (block $on (result i32 (ref $k)) (resume $k (on $t $on) (ref.null $k)) (unreachable)) (drop) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t (param i32))
    (func (block $on (result i64 (ref $k)) (resume $k (on $t $on) (ref.null $k)) (unreachable)) (drop) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t (param funcref))
    (func (block $on (result (ref func) (ref $k)) (resume $k (on $t $on) (ref.null $k)) (unreachable)) (drop) (drop)))
  "type mismatch")
;; The continuation takes the tag's results,
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t (result i32))
    (func (block $on (result (ref $k)) (resume $k (on $t $on) (ref.null $k)) (unreachable)) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (type $g (func (param i64))) (type $c (cont $g)) (tag $t (result i32))
    (func (block $on (result (ref $c)) (resume $k (on $t $on) (ref.null $k)) (unreachable)) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (type $g (func (param funcref))) (type $c (cont $g))
    (tag $t (result (ref func)))
    (func (block $on (result (ref $c)) (resume $k (on $t $on) (ref.null $k)) (unreachable)) (drop)))
  "type mismatch")
;; not what the resumed one took,
(assert_invalid
  (module (type $f (func (param i32))) (type $k (cont $f)) (tag $t)
    (func
      (block $on (result (ref $k)) (resume $k (on $t $on) (i32.const 0) (ref.null $k)) (unreachable))
      (drop)))
  "type mismatch")
;; and gives what the resumed one gives.
(assert_invalid
  (module (type $f (func (result i32))) (type $k (cont $f)) (type $g (func)) (type $c (cont $g)) (tag $t)
    (func (block $on (result (ref $c)) (drop (resume $k (on $t $on) (ref.null $k))) (unreachable)) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func (result i32))) (type $k (cont $f)) (type $g (func (result i64))) (type $c (cont $g)) (tag $t)
    (func (block $on (result (ref $c)) (drop (resume $k (on $t $on) (ref.null $k))) (unreachable)) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func (result funcref))) (type $k (cont $f)) (type $g (func (result (ref func)))) (type $c (cont $g))
    (tag $t)
    (func (block $on (result (ref $c)) (drop (resume $k (on $t $on) (ref.null $k))) (unreachable)) (drop)))
  "type mismatch")
;; Among several clauses each is looked at.
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t) (tag $u (param i32))
    (func (block $on (result (ref $k)) (resume $k (on $t $on) (on $u $on) (ref.null $k)) (unreachable)) (drop)))
  "type mismatch")

;; A switch clause.
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t (param i32))
    (func (resume $k (on $t switch) (ref.null $k))))
  "type mismatch")

;; The same rules stand in the two that throw.
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t (param i32)) (tag $exn)
    (func (block $on (result (ref $k)) (resume_throw $k $exn (on $t $on) (ref.null $k)) (unreachable)) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t (param i32)) (tag $exn)
    (func (resume_throw $k $exn (on $t switch) (ref.null $k))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t (param i32))
    (func (param exnref)
      (block $on (result (ref $k)) (resume_throw_ref $k (on $t $on) (local.get 0) (ref.null $k)) (unreachable)) (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $t (param i32))
    (func (param exnref) (resume_throw_ref $k (on $t switch) (local.get 0) (ref.null $k))))
  "type mismatch")
