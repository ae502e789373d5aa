;; Which handler does a switch find?
;; The innermost resume with a switch clause for its tag. A clause with a label does not count, and is not taken.

(module
  (rec
    (type $f (func (param (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (type $f0 (func (result i32)))
  (type $k0 (cont $f0))
  (tag $e (result i32))
  (type $f_e (func (param i32) (result i32)))
  (type $k_e (cont $f_e))

  (func $target (type $f) (i32.const 7))
  (func $switches (result i32)
    (switch $k $e (cont.new $k (ref.func $target)))
    (drop)
    (i32.const -1))
  (func $under_label (result i32)
    (block $on (result (ref $k_e))
      (return (i32.add (i32.const 100) (resume $k0 (on $e $on) (cont.new $k0 (ref.func $switches))))))
    (drop)
    (i32.const -2))
  (func $under_switch (result i32)
    (i32.add (i32.const 100) (resume $k0 (on $e switch) (cont.new $k0 (ref.func $switches)))))
  (elem declare func $target $switches $under_label $under_switch)

  ;; The target of a switch takes the place of all below the resume that stays: what adds 100 is captured, or it is not.
  (func (export "the-innermost-of-two-stays") (result i32)
    (resume $k0 (on $e switch) (cont.new $k0 (ref.func $under_switch))))
  (func (export "a-label-clause-of-its-tag-is-passed") (result i32)
    (resume $k0 (on $e switch) (cont.new $k0 (ref.func $under_label))))
  (func (export "also-in-one-list") (result i32)
    (block $on (result (ref $k_e))
      (return (resume $k0 (on $e $on) (on $e switch) (cont.new $k0 (ref.func $switches)))))
    (drop)
    (i32.const -3))
  (func (export "a-label-clause-alone-handles-no-switch") (result i32) (call $under_label))
)

(assert_return (invoke "the-innermost-of-two-stays") (i32.const 107))
(assert_return (invoke "a-label-clause-of-its-tag-is-passed") (i32.const 7))
(assert_return (invoke "also-in-one-list") (i32.const 7))
(assert_suspension (invoke "a-label-clause-alone-handles-no-switch") "unhandled tag")
