;; What is called where there is no _start.
(module
  (import "spectest" "print_i32" (func $print (param i32)))
  (func (export "_initialize") (call $print (i32.const 1)))
  (func (export "main") (result i32) (call $print (i32.const 2)) (i32.const 3)))
