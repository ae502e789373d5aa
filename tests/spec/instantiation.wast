;; Can a function be called whose module was never instantiated to the end?
;; Yes, if it came into another's table before: it suspends and throws as ever. Segments are placed in order, elements
;; first, up to the one that does not fit.

(module
  (type $f (func (result i32)))
  (table (export "table") 10 funcref)
  (memory (export "memory") 1)
  (func (export "call") (param i32) (result i32) (call_indirect (type $f) (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
)
(register "others")

(assert_trap
  (module
    (type $f (func))
    (type $k (cont $f))
    (table (import "others" "table") 10 funcref)
    (tag $e (param i32))
    (tag $s (param i32))
    (func $throw_and_catch (result i32)
      (block $caught (result i32)
        (try_table (catch $e $caught) (throw $e (i32.const 42)))
        (i32.const 1)))
    (func $body (suspend $s (i32.const 43)))
    (func $suspend_and_handle (result i32)
      (block $on (result i32 (ref $k))
        (resume $k (on $s $on) (cont.new $k (ref.func $body)))
        (return (i32.const 1)))
      (drop))
    (elem (i32.const 0) $throw_and_catch $suspend_and_handle $body)
    (elem (i32.const 10) $body))
  "out of bounds table access")
(module
  (func $call (import "others" "call") (param i32) (result i32))
  (func $load (import "others" "load") (param i32) (result i32))
  (func (export "call") (param i32) (result i32) (call $call (local.get 0)))
  (func (export "load") (param i32) (result i32) (call $load (local.get 0)))
)
(assert_return (invoke "call" (i32.const 0)) (i32.const 42))
(assert_return (invoke "call" (i32.const 1)) (i32.const 43))

;; A table with a first value is filled before elements are placed.
(module $filled
  (type $f (func (result i32)))
  (func $one (type $f) (i32.const 1))
  (func $two (type $f) (i32.const 2))
  (table $t 3 funcref (ref.func $one))
  (memory 1)
  (elem (table $t) (i32.const 1) func $two)
  (data (i32.const 5) "abc")
  (func (export "call") (param i32) (result i32) (call_indirect $t (type $f) (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
)
(assert_return (invoke $filled "call" (i32.const 0)) (i32.const 1))
(assert_return (invoke $filled "call" (i32.const 1)) (i32.const 2))
(assert_return (invoke $filled "call" (i32.const 2)) (i32.const 1))
(assert_return (invoke $filled "load" (i32.const 6)) (i32.const 98))

;; Elements that fit are there, though the data does not.
(assert_trap
  (module
    (table $t (import "others" "table") 10 funcref)
    (memory (import "others" "memory") 1)
    (table 1 funcref (ref.func $f))
    (func $f (result i32) (i32.const 77))
    (elem (table $t) (i32.const 4) func $f)
    (data (i32.const 65536) "x"))
  "out of bounds memory access")
;; Where an element does not, no data is.
(assert_trap
  (module
    (table $t (import "others" "table") 10 funcref)
    (memory (import "others" "memory") 1)
    (table 1 funcref (ref.func $f))
    (func $f (result i32) (i32.const 77))
    (elem (table $t) (i32.const 10) func $f)
    (data (i32.const 0) "x"))
  "out of bounds table access")
(module
  (func $call (import "others" "call") (param i32) (result i32))
  (func $load (import "others" "load") (param i32) (result i32))
  (func (export "call") (param i32) (result i32) (call $call (local.get 0)))
  (func (export "load") (param i32) (result i32) (call $load (local.get 0)))
)
(assert_return (invoke "call" (i32.const 4)) (i32.const 77))
(assert_return (invoke "load" (i32.const 0)) (i32.const 0))

;; What is declared may stand beside what is read from a global.
(module
  (type $f (func (result i32)))
  (global $null funcref (ref.null func))
  (func $five (type $f) (i32.const 5))
  (elem declare funcref (item (ref.func $five)) (item (global.get $null)))
  (func (export "declared") (result i32) (call_ref $f (ref.func $five)))
)
(assert_return (invoke "declared") (i32.const 5))
