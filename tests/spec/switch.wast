;; What does switch do?
;; It suspends who runs and goes on with another at once, below the same resume. The other gets the arguments and,
;; last, the continuation that was suspended.

(module
  (rec
    (type $f (func (param i32 (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (type $f_start (func (result i32)))
  (type $k_start (cont $f_start))
  (tag $swap (result i32))
  (tag $other (result i32))
  (tag $pause)
  (type $f_paused (func (result i32)))
  (type $k_paused (cont $f_paused))

  ;; A partner that returns what it was sent.
  (func $returns (type $f) (local.get 0))
  ;; A partner that sends back one more, and never comes again unless it is switched to.
  (func $answers (type $f)
    (switch $k $swap (i32.add (local.get 0) (i32.const 1)) (local.get 1))
    (drop))

  (func $to_returns (result i32)
    (drop (switch $k $swap (i32.const 5) (cont.new $k (ref.func $returns))))
    (unreachable))
  (func (export "when-the-target-returns-the-resume-returns") (result i32)
    (resume $k_start (on $swap switch) (cont.new $k_start (ref.func $to_returns))))

  (func $to_answers (result i32)
    (switch $k $swap (i32.const 5) (cont.new $k (ref.func $answers)))
    (drop))
  (func (export "the-target-switches-back") (result i32)
    (resume $k_start (on $swap switch) (cont.new $k_start (ref.func $to_answers))))

  ;; Twice there and back; locals of both live on.
  (func $counts (type $f)
    (local $calls i32)
    (local.set $calls (i32.const 1))
    (switch $k $swap (local.get $calls) (local.get 1))
    (local.set 1) (drop)
    (local.set $calls (i32.add (local.get $calls) (i32.const 1)))
    (switch $k $swap (local.get $calls) (local.get 1))
    (drop))
  (func $calls_twice (result i32)
    (local $partner (ref null $k)) (local $sum i32)
    (switch $k $swap (i32.const 0) (cont.new $k (ref.func $counts)))
    (local.set $partner) (local.set $sum)
    (switch $k $swap (i32.const 0) (local.get $partner))
    (drop)
    (i32.add (i32.mul (local.get $sum) (i32.const 10))))
  (func (export "locals-of-both-live-on") (result i32)
    (resume $k_start (on $swap switch) (cont.new $k_start (ref.func $calls_twice))))

  ;; The resume stays: its handlers serve whom it did not start.
  (func $pauses (type $f) (suspend $pause) (i32.add (local.get 0) (i32.const 100)))
  (func $to_pauses (result i32)
    (drop (switch $k $swap (i32.const 6) (cont.new $k (ref.func $pauses))))
    (unreachable))
  (func (export "a-suspension-of-the-target-finds-the-same-resume") (result i32)
    (local $rest (ref null $k_paused))
    (block $on (result (ref $k_paused))
      (return (resume $k_start (on $swap switch) (on $pause $on) (cont.new $k_start (ref.func $to_pauses)))))
    (local.set $rest)
    (resume $k_paused (local.get $rest)))

  ;; Calls and resumes between are captured.
  (func $deep (param $n i32) (result i32)
    (if (result i32) (local.get $n)
      (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get $n) (i32.const 1)))))
      (else (drop (switch $k $swap (i32.const 0) (cont.new $k (ref.func $answers)))))))
  (func $inside (result i32) (call $deep (i32.const 10)))
  (func $around (result i32)
    (i32.add (i32.const 1000) (resume $k_start (on $other switch) (cont.new $k_start (ref.func $inside)))))
  (func (export "a-switch-passes-resumes-of-other-tags") (result i32)
    (resume $k_start (on $swap switch) (cont.new $k_start (ref.func $around))))

  ;; Traps.
  (func $to_null (result i32) (drop (switch $k $swap (i32.const 5) (ref.null $k))) (unreachable))
  (func (export "null") (result i32)
    (resume $k_start (on $swap switch) (cont.new $k_start (ref.func $to_null))))
  (func $to_consumed (result i32)
    (local $partner (ref null $k))
    (local.set $partner (cont.new $k (ref.func $answers)))
    (switch $k $swap (i32.const 5) (local.get $partner))
    (drop) (drop)
    (switch $k $swap (i32.const 5) (local.get $partner))
    (drop))
  (func (export "consumed-by-a-switch") (result i32)
    (resume $k_start (on $swap switch) (cont.new $k_start (ref.func $to_consumed))))
  (func (export "nobody-around") (result i32) (call $to_returns))
  (func (export "a-handler-of-another-tag") (result i32)
    (resume $k_start (on $other switch) (cont.new $k_start (ref.func $to_returns))))

  (elem declare func $returns $answers $to_returns $to_answers $counts $calls_twice $pauses $to_pauses $inside $around
    $to_null $to_consumed)
)

(assert_return (invoke "when-the-target-returns-the-resume-returns") (i32.const 5))
(assert_return (invoke "the-target-switches-back") (i32.const 6))
(assert_return (invoke "locals-of-both-live-on") (i32.const 12))
(assert_return (invoke "a-suspension-of-the-target-finds-the-same-resume") (i32.const 106))
(assert_return (invoke "a-switch-passes-resumes-of-other-tags") (i32.const 1011))
(assert_trap (invoke "null") "null continuation reference")
(assert_trap (invoke "consumed-by-a-switch") "continuation already consumed")
(assert_suspension (invoke "nobody-around") "unhandled tag")
(assert_suspension (invoke "a-handler-of-another-tag") "unhandled tag")
