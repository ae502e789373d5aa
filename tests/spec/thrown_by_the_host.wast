;; What if a module that is taken for the host's throws after all?
;; That is against the rules, and what it calls goes on with zeros and nulls: no reference is made of numbers.

(module $liar
  (tag $e)
  (func (export "throw") (throw $e))
)
(register "wasi_unstable" $liar)
(module
  (type $f (func (param i64 i64) (result i64 funcref)))
  (type $k (cont $f))
  (func $throw (import "wasi_unstable" "throw"))
  (func $two (type $f) (call $throw) (i64.const 1) (ref.null func))
  (elem declare func $two)
  (func (export "forge") (result i32) (local $function funcref)
    (resume $k (i64.const 1) (i64.const 0x414141414140) (cont.new $k (ref.func $two)))
    (local.set $function)
    (drop)
    (ref.is_null (local.get $function)))
)
(assert_exception (invoke "forge"))
