#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints a module with a function that keeps 1,500 values alive over a call of itself: a frame of 12 KiB, three times as
# large as a guard. The recursion has no end but that of the stack.
set -eu
count=1500
cat <<'EOF'
(module
  (import "wasmfx" "type_result" (func $type_result (param i32)))
  (import "wasmfx" "type" (func $type (result externref)))
  (import "wasmfx" "handlers" (func $handlers (result externref)))
  (import "wasmfx" "closure" (func $closure (param funcref funcref i32) (result externref)))
  (import "wasmfx" "cont_new" (func $cont_new (param externref externref) (result externref)))
  (import "wasmfx" "resume" (func $resume (param i64 externref externref) (result i32 i64 externref)))
  (memory 1)
  (func $large (param $word i64) (param $from externref) (result i64)
EOF
i=0
while [ $i -lt $count ]; do
  echo "(local \$v$i i64)"
  i=$((i + 1))
done
# A call, which touches the far end of the frame first.
echo '(drop (memory.grow (i32.const 0)))'
i=0
while [ $i -lt $count ]; do
  echo "(local.set \$v$i (i64.load offset=$((i * 8)) (i32.const 0)))"
  i=$((i + 1))
done
echo '(i64.store (i32.const 0) (i64.add (local.get $v0) (i64.const 1)))'
echo '(call $large (i64.const 0) (local.get $from))'
i=0
while [ $i -lt $count ]; do
  echo "(i64.xor (local.get \$v$i))"
  i=$((i + 1))
done
cat <<'EOF'
  )
  (elem declare func $large)
  (func (export "run") (param $in_cont i32) (result i64) (local $result i64)
    (if (i32.eqz (local.get $in_cont)) (then (return (call $large (i64.const 0) (ref.null extern)))))
    (call $type_result (i32.const 0x7e))
    (call $resume (i64.const 0)
      (call $cont_new (call $closure (ref.func $large) (ref.null func) (i32.const 0)) (call $type))
      (call $handlers))
    drop local.set $result drop
    (local.get $result))
)
EOF
