#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the library shows to the linker. Usage: symbols.sh SOURCE-ROOT SHARED-LIBRARY STATIC-LIBRARY PROGRAM
# The program is one that was linked with the static library.
set -eu
. "$(dirname "$0")/tap.sh"
root=$1 shared=$2 static=$3 program=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nm -D --defined-only "$shared" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"
# A declaration: from WASMFX_API to the semicolon. Its symbol is the name in __asm__ if it has one; an array is code that
# cannot be called.
code "$root"/include/wasmfx/*.h | sed 's/^[^:]*:[0-9]*://' | tr '\n' ' ' | tr ';' '\n' | sed -n '
  s/.*WASMFX_API.*__asm__("\([a-z0-9_]*\)").*/\1/p
  t
  s/.*WASMFX_API extern const char \(wasmfx_[a-z0-9_]*\)\[\].*/\1/p
  t
  s/.*WASMFX_API[^(]*[ *]\(wasmfx_[a-z0-9_]*\)(.*/\1/p' | sort >"$work/declared"

nothing 'only wasmfx_* is exported' "$(grep -v '^wasmfx_' "$work/exported" || true)"
nothing 'every exported symbol is declared in a public header' "$(comm -23 "$work/exported" "$work/declared")"
nothing 'every function of the public headers is exported' "$(comm -13 "$work/exported" "$work/declared")"
check 'the verbs are among them' grep -qx wasmfx_resume "$work/exported"

# executable_stack FILE...: those whose stack would be executable.
executable_stack() {
  for file; do
    readelf -lW "$file" | grep GNU_STACK | grep -q ' RW  *0x' || echo "$file"
  done
}
nothing 'neither the shared library nor a program with the static one has an executable stack' \
  "$(executable_stack "$shared" "$program")"
nothing 'every object says that it needs no executable stack' \
  "$(readelf -SW "$static" | awk '/^File: /{ if (file && !note) print file; file = $2; note = 0 }
     /\.note\.GNU-stack/ && !/ X /{ note = 1 } END { if (file && !note) print file }')"
check 'the shared library has a soname with a version' \
  sh -c "readelf -dW '$shared' | grep -q 'SONAME.*libwasmfx\.so\.[0-9]'"
check 'the shared library is bound at once: nothing of the loader runs on the stack of a continuation' \
  sh -c "readelf -dW '$shared' | grep -qE 'BIND_NOW|FLAGS_1.* NOW'"
nothing 'the shared library has no text relocations' "$(readelf -dW "$shared" | grep TEXTREL || true)"
finish
