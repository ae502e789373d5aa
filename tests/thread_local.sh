#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A continuation may be resumed by another thread, but compilers take it that a function runs in one: they find a
# thread-local variable once, and keep its address over every call. So in the library such a variable is touched only
# by functions that call nothing, hence never come back on another thread; and by the stubs, which no compiler has made,
# before they call. Usage: thread_local.sh STATIC-LIBRARY
set -eu
. "$(dirname "$0")/tap.sh"
library=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One line for each fact, from the disassembly with relocations: "OBJECT FUNCTION variable|late|errno|call". Late is
# what is touched behind a call.
objdump -dr --no-show-raw-insn "$library" | awk '
  /file format/ { object = $1; sub(/:$/, "", object) }
  /^[0-9a-f]+ <.*>:$/ { function_name = $2; gsub(/[<>:]/, "", function_name) }
  # Labels in the assembly are symbols, too, and no beginnings.
  /^[0-9a-f]+ <.*>:$/ && (object !~ /_sysv/ || function_name ~ /^(wasmfx|wfx)_/) { called = 0 }
  /%fs:|GOTTPOFF/ && !/%fs:0x28/ && called { print object, function_name, "late" }
  /R_X86_64_(TPOFF|GOTTPOFF|TLSGD|TLSLD|DTPOFF|DTPMOD|GOTPC32_TLSDESC)/ { print object, function_name, "variable" }
  /%fs:/ && !/%fs:0x28/ { print object, function_name, "variable" }
  /__tls_get_addr|__emutls/ { print object, function_name, "variable" }
  /__errno_location/ { print object, function_name, "errno"; next }
  $2 == "call" || $2 == "callq" { print object, function_name, "call"; called = 1 }
' | sort -u >"$work/facts"

# users WHAT: "OBJECT FUNCTION" of those that have it.
users() {
  awk -v what="$1" '$3 == what { print $1, $2 }' "$work/facts" | sort
}
users variable >"$work/variable"
users call >"$work/call"

# Else nothing below could fail.
check 'the state of fibers is found by its accessor' grep -q 'fiber_tls.* wfx_fiber_thread$' "$work/variable"
check 'the state of overflow is found by its accessor' grep -q 'overflow.* this_thread$' "$work/variable"
check 'the state of fibers is found by their stubs' grep -q '_sysv.* wasmfx_fiber_resume$' "$work/variable"
check 'calls are found' grep -q 'cont.* wasmfx_cancel$' "$work/call"
nothing 'only fibers and overflow have variables of the thread' \
  "$(grep -vE '^[^ ]*(fiber_tls|overflow)[^ ]* |^[^ ]*_sysv[^ ]* [a-z_]*fiber_[a-z_]*$' "$work/variable" || true)"
nothing 'nothing that a compiler has made and that touches one calls a function' \
  "$(comm -12 "$work/variable" "$work/call" | grep -v '^[^ ]*_sysv[^ ]* ' || true)"
nothing 'no stub touches one behind a call' "$(users late | grep '^[^ ]*_sysv[^ ]* ' || true)"
nothing 'errno is touched by calls of the system and by the handler of faults only, which begin and end in one thread' \
  "$(users errno | grep -vE '^[^ ]*os_[a-z]+[^ ]* |^[^ ]*overflow[^ ]* on_fault$' || true)"
nothing 'no other object defines one' \
  "$(readelf -sW "$library" | awk '/^File: /{ file = $2 } $4 == "TLS" && $7 != "UND" { print file, $8 }' |
     grep -vE '(fiber_tls|overflow)[^ ]* ' || true)"
finish
