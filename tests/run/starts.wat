;; Its start function traps.
(module
  (func $begin unreachable)
  (start $begin))
