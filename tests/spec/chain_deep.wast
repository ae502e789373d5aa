;; How deep may resumes nest, and how many continuations may live at a time?
;; As many as memory holds: here 1,000 in one another, and 10,000 side by side. Recursion without end is exhaustion, as
;; anywhere.

(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (type $f0 (func (result i32)))
  (type $k0 (cont $f0))
  (tag $ask (result i32))

  ;; n continuations in one another; the innermost asks, and each adds one to the answer.
  (func $nest (type $f)
    (if (result i32) (local.get 0)
      (then
        (i32.add (i32.const 1)
          (resume $k (i32.sub (local.get 0) (i32.const 1)) (cont.new $k (ref.func $nest)))))
      (else (suspend $ask))))
  ;; The same, but each in turn is a handler of another tag.
  (tag $unused)
  (func $nest_under_handlers (type $f)
    (if (i32.eqz (local.get 0)) (then (return (suspend $ask))))
    (block $on (result (ref $k0))
      (return
        (i32.add (i32.const 1)
          (resume $k (on $unused $on)
            (i32.sub (local.get 0) (i32.const 1)) (cont.new $k (ref.func $nest_under_handlers))))))
    (drop)
    (i32.const -1))
  (elem declare func $nest $nest_under_handlers $pauses $endless)

  (func $answered (param $n i32) (param $k (ref $k)) (result i32)
    (block $on (result (ref $k))
      (return (resume $k (on $ask $on) (local.get $n) (local.get $k))))
    (local.set $k)
    (resume $k (i32.const 7) (local.get $k)))
  (func (export "nested") (param $n i32) (result i32)
    (call $answered (local.get $n) (cont.new $k (ref.func $nest))))
  (func (export "nested-under-handlers") (param $n i32) (result i32)
    (call $answered (local.get $n) (cont.new $k (ref.func $nest_under_handlers))))

  ;; Side by side, all suspended before the first goes on.
  (table $alive 10000 (ref null $k))
  (func $pauses (type $f) (i32.add (local.get 0) (suspend $ask)))
  (func $start (param $i i32) (result (ref $k))
    (block $on (result (ref $k))
      (drop (resume $k (on $ask $on) (local.get $i) (cont.new $k (ref.func $pauses))))
      (unreachable)))
  (func (export "side-by-side") (param $n i32) (result i32)
    (local $i i32) (local $sum i32)
    (loop $starts
      (table.set $alive (local.get $i) (call $start (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $starts (i32.lt_u (local.get $i) (local.get $n))))
    (loop $ends
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (local.set $sum
        (i32.add (local.get $sum) (resume $k (i32.const 1) (table.get $alive (local.get $i)))))
      (table.set $alive (local.get $i) (ref.null $k))
      (br_if $ends (local.get $i)))
    (local.get $sum))

  (func $endless (type $f) (i32.add (i32.const 1) (call $endless (local.get 0))))
  (func (export "recursion-without-end") (result i32)
    (resume $k (i32.const 0) (cont.new $k (ref.func $endless))))
)

(assert_return (invoke "nested" (i32.const 0)) (i32.const 7))
(assert_return (invoke "nested" (i32.const 1)) (i32.const 8))
(assert_return (invoke "nested" (i32.const 200)) (i32.const 207))
(assert_return (invoke "nested-under-handlers" (i32.const 200)) (i32.const 207))
(assert_return (invoke "side-by-side" (i32.const 1)) (i32.const 1))
(assert_return (invoke "side-by-side" (i32.const 10000)) (i32.const 50005000))
(assert_return (invoke "nested" (i32.const 1000)) (i32.const 1007))
(assert_exhaustion (invoke "recursion-without-end") "call stack exhausted")
(assert_return (invoke "nested" (i32.const 3)) (i32.const 10))
