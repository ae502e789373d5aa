;; Copies its standard input to its standard output, in pieces of two and three bytes, and exits with 7.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\40\00\00\00\02\00\00\00\42\00\00\00\03\00\00\00")
  (func (export "_start")
    (loop $next
      (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 32)))
      (if (i32.load (i32.const 32))
        (then
          ;; What was read lies in one piece.
          (i32.store (i32.const 16) (i32.const 64))
          (i32.store (i32.const 20) (i32.load (i32.const 32)))
          (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 36)))
          (br $next))))
    (call $proc_exit (i32.const 7))))
