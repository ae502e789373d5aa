;; What does a suspension capture that passes several resumes?
;; All from the suspension up to the resume that handles it: the inner resumes with their handlers and their callers'
;; frames.

(module
  (type $f0 (func (result i32)))
  (type $k0 (cont $f0))
  (type $f1 (func (param i32) (result i32)))
  (type $k1 (cont $f1))
  (tag $far (param i32) (result i32))
  (tag $near (param i32) (result i32))

  ;; innermost -> middle (handles $near) -> outermost (handles nothing) -> the exports (handle $far)
  (func $innermost (result i32)
    (i32.add (suspend $far (i32.const 1)) (suspend $near (i32.const 2))))
  (func $middle (result i32)
    (local $k (ref null $k1)) (local $asked i32)
    (block $on (result i32 (ref $k1))
      (return (resume $k0 (on $near $on) (cont.new $k0 (ref.func $innermost)))))
    (local.set $k) (local.set $asked)
    (i32.mul (i32.const 2) (resume $k1 (i32.mul (local.get $asked) (i32.const 10)) (local.get $k))))
  (func $outermost (result i32)
    (i32.add (i32.const 1000) (resume $k0 (cont.new $k0 (ref.func $middle)))))
  (elem declare func $innermost $middle $outermost)

  (func $until_far (result i32 (ref $k1))
    (block $on (result i32 (ref $k1))
      (drop (resume $k0 (on $far $on) (cont.new $k0 (ref.func $outermost))))
      (unreachable)))

  ;; 1000 + 2 * (answer + 20)
  (func (export "the-whole-chain-goes-on") (param $answer i32) (result i32)
    (local $k (ref null $k1))
    (local.set $k (call $until_far)) (drop)
    (resume $k1 (local.get $answer) (local.get $k)))
  (func (export "the-payload-comes-from-the-innermost") (result i32)
    (drop (call $until_far)))

  ;; A chain that nobody resumes is simply gone.
  (func (export "dropped") (drop (call $until_far)) (drop))
)
(assert_return (invoke "the-whole-chain-goes-on" (i32.const 5)) (i32.const 1050))
(assert_return (invoke "the-whole-chain-goes-on" (i32.const 6)) (i32.const 1052))
(assert_return (invoke "the-payload-comes-from-the-innermost") (i32.const 1))
(assert_return (invoke "dropped"))

;; A captured chain may go on under another parent, and be captured again there.
(module
  (type $f0 (func))
  (type $k0 (cont $f0))
  (tag $a)
  (tag $b)
  (global $trace (mut i32) (i32.const 0))
  (func $note (param i32)
    (global.set $trace (i32.add (i32.mul (global.get $trace) (i32.const 10)) (local.get 0))))
  (global $kept (mut (ref null $k0)) (ref.null $k0))

  (func $leaf
    (call $note (i32.const 1)) (suspend $a)
    (call $note (i32.const 2)) (suspend $b)
    (call $note (i32.const 3)) (suspend $a)
    (call $note (i32.const 4)))
  (func $wrapper
    (resume $k0 (cont.new $k0 (ref.func $leaf)))
    (call $note (i32.const 5)))
  (func $second_parent
    (block $on (result (ref $k0))
      (resume $k0 (on $a $on) (global.get $kept))
      (return))
    (global.set $kept)
    (call $note (i32.const 6)))
  (elem declare func $leaf $wrapper $second_parent)

  (func $until_a (param $k (ref null $k0)) (result (ref $k0))
    (block $on (result (ref $k0)) (resume $k0 (on $a $on) (local.get $k)) (unreachable)))
  (func $until_b (param $k (ref null $k0)) (result (ref $k0))
    (block $on (result (ref $k0)) (resume $k0 (on $b $on) (local.get $k)) (unreachable)))

  (func (export "under-another-parent") (result i32)
    (local $chain (ref null $k0))
    (global.set $kept (call $until_a (cont.new $k0 (ref.func $wrapper))))
    ;; $second_parent runs the chain on, until both are captured together.
    (local.set $chain (call $until_b (cont.new $k0 (ref.func $second_parent))))
    ;; Together they go on; $second_parent then handles the chain's next suspension, and ends.
    (resume $k0 (local.get $chain))
    (resume $k0 (global.get $kept))
    (global.get $trace))
)
(assert_return (invoke "under-another-parent") (i32.const 123645))
