#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Dependencies run downward only, and what is special stays in its place. Usage: layers.sh SOURCE-ROOT
set -eu
. "$(dirname "$0")/tap.sh"
cd "$1"

# includes FILE...: "file: <what> or "what"", one line for each include.
includes() {
  code "$@" | sed -n 's/^\([^:]*\):[0-9]*:[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"][^>"]*[>"]\).*/\1: \2/p'
}

# strangers ALLOWED FILE...: includes that do not match the extended regular expression.
strangers() {
  allowed=$1
  shift
  includes "$@" | grep -vE ": ($allowed)\$" || true
}

# neighbours FOLDER: quoted includes of files that lie there themselves, as an expression.
neighbours() {
  find "$1" -maxdepth 1 \( -name '*.h' -o -name '*.h.in' \) -exec basename {} \; |
    sed 's/\.in$//; s/\./\\./; s/.*/"&"/' | paste -sd '|' -
}

system='<[a-z_/]+\.h>'
public='<wasmfx/[a-z_]+\.h>'

nothing 'public headers include public headers and what C itself has' \
  "$(strangers "$public|\"base\\.h\"|<std(bool|def|int)\\.h>" include/wasmfx/*.h)"
nothing 'public headers for C++ include public headers and what C++ itself has' \
  "$(strangers "$public|<[a-z]+>|<cxxabi\\.h>" include/wasmfx/*.hpp)"
nothing 'lib/arch includes nothing but itself, sizes and truth values, and its files for an operating system what that has' \
  "$(strangers "<std(bool|def)\\.h>|$(neighbours lib/arch)" lib/arch/*.[hS]
     strangers "$system|$(neighbours lib/arch)" lib/arch/*.c)"
nothing 'lib/arch/layout.h is plain numbers' \
  "$(includes lib/arch/layout.h
     code lib/arch/layout.h | grep -vE ':[0-9]+:[[:space:]]*(#.*)?$' || true)"
nothing 'lib/stackpool includes only itself, public headers and the system' \
  "$(strangers "$system|$public|$(neighbours lib/stackpool)" lib/stackpool/*.[ch])"
nothing 'lib/fiber includes only itself, public headers and the system' \
  "$(strangers "$system|$public|\"fiber[a-z_]*\\.h\"" lib/fiber*.[ch])"
nothing 'the glue for each engine includes only itself, public headers, the engine'"'"'s runtime and the system' \
  "$(strangers "$system|<sys/mman\.h>|$public|\"wasm-rt(-impl)?\.[ch]\"|$(neighbours lib/engine/wasm2c)" \
    lib/engine/wasm2c/*.[ch]
    strangers "$system|$public|\"(wasm3|m3_env)\.h\"|$(neighbours lib/engine/wasm3)" lib/engine/wasm3/*.[ch])"
nothing 'the examples include only public headers' \
  "$(strangers "$system|$public|$(neighbours examples)" examples/*.[ch]
     for folder in examples/interpreter examples/plugin_host examples/jit; do
       strangers "$system|$public|\"\.\./check\.h\"|$(neighbours $folder)" $folder/*.[ch]
     done)"
nothing 'the tools include only themselves and the system, and nothing of the library' \
  "$(strangers "$system|$(neighbours tools/wasmfx-lower)" tools/wasmfx-lower/*.[ch])"
nothing 'the benchmarks include only public headers' \
  "$(strangers "$system|<boost/[a-z_/]+\\.hpp>|$public|$(neighbours bench)" bench/*.[ch])"

# What each header of lib/ may build on: those before it in this list. The verbs stand at the end.
below='"arch/(arch|layout)\.h"|"stackpool/stackpool\.h"|"sanitize\.h"'
for header in payload object handler overflow runtime cont; do
  nothing "lib/$header.h builds on what lies below it" "$(strangers "$system|$public|$below" lib/$header.h)"
  below="$below|\"$header\\.h\""
done
core=$(find lib -maxdepth 1 -name '*.c' ! -name 'cont.c' ! -name 'fiber*.c')
nothing 'nothing in lib/ below the verbs includes them' "$(includes $core | grep '"cont\.h"' || true)"

all=$(find lib -name '*.[ch]' ! -path 'lib/engine/*') # glue is compiled with the engine, and knows what that knows
outside_os=$(echo "$all" | grep -v '^lib/stackpool/os_')
outside_arch=$(echo "$all" | grep -v '^lib/arch/')
outside_both=$(echo "$outside_os" | grep -v '^lib/arch/')

nothing 'memory is asked from the system in lib/stackpool/os_*.c only' \
  "$(code $outside_os | grep -E '\<(mmap|munmap|mremap|madvise|mprotect|mlock)\>|sys/mman\.h' || true)"
nothing 'assembly and names of registers stand in lib/arch only' \
  "$(code $outside_arch |
     grep -E '\<(asm|__asm|__asm__|[re]?[abcd]x|[re]?[sd]i|[re]?[sbi]p|r(8|9|1[0-5])|[xyz]mm[0-9]+|mxcsr)\>[^;]*["%(:]' |
     grep -vE '(->|\.)(sp|fp|ip)\>' || true)"
nothing 'systems and processors are told apart in lib/arch and lib/stackpool/os_*.c only' \
  "$(code $outside_both |
     grep -E '__(linux|gnu_linux|unix|APPLE|FreeBSD|x86_64|amd64|aarch64|riscv|i386)|_WIN(32|64)' || true)"
finish
