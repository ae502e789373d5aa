;; Functions to be called by name, and what others may import.
(module
  (global (export "constant") i32 (i32.const 8))
  (func (export "values") (param i32 i64 f32 f64 externref) (result i32 i64 f32 f64 externref)
    local.get 0 local.get 1 local.get 2 local.get 3 local.get 4)
  (func (export "odd na\"me?\\#1")))
