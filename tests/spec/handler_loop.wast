;; May a handler's label be a loop?
;; Yes: a clause is a branch like any other. The continuation is then the loop's parameter.

(module
  (type $f0 (func))
  (type $k0 (cont $f0))
  (tag $tick)
  (global $ticks (mut i32) (i32.const 0))
  (func $ticks_five_times
    (suspend $tick) (suspend $tick) (suspend $tick) (suspend $tick) (suspend $tick))
  (elem declare func $ticks_five_times)

  (func (export "a-trampoline") (result i32)
    (cont.new $k0 (ref.func $ticks_five_times))
    (loop $on (param (ref $k0))
      (global.set $ticks (i32.add (global.get $ticks) (i32.const 1)))
      (resume $k0 (on $tick $on)))
    (global.get $ticks))
)
(assert_return (invoke "a-trampoline") (i32.const 6))
