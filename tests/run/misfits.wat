;; Imports of which none fits what there is.
(module
  (import "values" "values" (func (param i64)))
  (import "values" "constant" (global (mut i32)))
  (import "values" "nobody" (func))
  (import "spectest" "print_i32" (func (param i64)))
  (import "wasi_snapshot_preview1" "fd_swim" (func)))
