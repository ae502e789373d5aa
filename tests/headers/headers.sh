#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each public header compiles alone, without a warning, as C11 and as C++17; those that are for C++, from C++11 on.
# Usage: headers.sh INCLUDE-FOLDER C-COMPILER [C++-COMPILER]; a compiler may be several words.
set -eu
. "$(dirname "$0")/../tap.sh"
include=$1 c=$2 cpp=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings='-Wall -Wextra -Wpedantic -Wundef -Wshadow -Werror'

for path in "$include"/wasmfx/*.h; do
  header=wasmfx/${path##*/}
  # Twice: a header guards itself. And something of its own behind it, so that the file is not empty.
  printf '#include <%s>\n#include <%s>\nint in_use;\n' "$header" "$header" >"$work/alone.c"
  cp "$work/alone.c" "$work/alone.cc"
  for standard in c11 c17 gnu11; do
    check "$header as $standard" $c -std=$standard $warnings -Wstrict-prototypes -Wmissing-prototypes \
      -I"$include" -fsyntax-only "$work/alone.c"
  done
  if [ -n "$cpp" ]; then
    for standard in c++17 c++20; do
      check "$header as $standard" $cpp -std=$standard $warnings -I"$include" -fsyntax-only "$work/alone.cc"
    done
  fi
done
if [ -n "$cpp" ]; then
  for path in "$include"/wasmfx/*.hpp; do
    header=wasmfx/${path##*/}
    printf '#include <%s>\n#include <%s>\nint in_use;\n' "$header" "$header" >"$work/alone.cc"
    for standard in c++11 c++17 c++20; do
      check "$header as $standard" $cpp -std=$standard $warnings -I"$include" -fsyntax-only "$work/alone.cc"
    done
  done
fi
finish
