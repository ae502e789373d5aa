;; Takes the place of the host's spectest.
(module
  (func (export "print_i32") (param i32)))
