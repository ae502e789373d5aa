;; How does code get a value from its context that nobody passed to it?
;; It asks, and the innermost handler around it answers. Next: lwt.wast.

(module $dynbind
  (type $f0 (func))
  (type $k0 (cont $f0))
  (type $answered (func (param i32)))
  (type $k_answered (cont $answered))
  (tag $ask (export "ask") (result i32))

  (func (export "ask-it") (result i32) (suspend $ask))

  ;; Runs a body, and answers each question with the value.
  (func $bind (export "bind") (param $value i32) (param $body (ref null $f0))
    (local $k (ref null $k_answered))
    (block $done
      (block $first (result (ref $k_answered))
        (resume $k0 (on $ask $first) (cont.new $k0 (local.get $body)))
        (br $done))
      (local.set $k)
      (loop $more
        (block $next (result (ref $k_answered))
          (resume $k_answered (on $ask $next) (local.get $value) (local.get $k))
          (br $done))
        (local.set $k)
        (br $more))))
)
(register "dynbind")

(module
  (type $f0 (func))
  (func $ask (import "dynbind" "ask-it") (result i32))
  (func $bind (import "dynbind" "bind") (param i32 (ref null $f0)))
  (global $printed (mut i64) (i64.const 0))
  (func $print (param i32)
    (global.set $printed (i64.add (i64.mul (global.get $printed) (i64.const 10)) (i64.extend_i32_u (local.get 0)))))

  (func $ask_twice (call $print (call $ask)) (call $print (call $ask)))
  (func $ask_inside
    (call $print (call $ask))
    (call $bind (i32.const 8) (ref.func $ask_twice))
    (call $print (call $ask)))
  (elem declare func $ask_twice $ask_inside)

  (func (export "the-same-body-under-four-values") (result i64)
    (local $value i32)
    (global.set $printed (i64.const 0))
    (loop $next
      (call $bind (local.get $value) (ref.func $ask_twice))
      (local.set $value (i32.add (local.get $value) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $value) (i32.const 4))))
    (global.get $printed))
  (func (export "the-innermost-answers") (result i64)
    (global.set $printed (i64.const 0))
    (call $bind (i32.const 7) (ref.func $ask_inside))
    (global.get $printed))
  (func (export "nobody-answers") (call $ask_twice))
)
(assert_return (invoke "the-same-body-under-four-values") (i64.const 00112233))
(assert_return (invoke "the-innermost-answers") (i64.const 7887))
(assert_suspension (invoke "nobody-answers") "unhandled tag")
