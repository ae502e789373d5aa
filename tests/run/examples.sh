#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The modules in examples/wasm print what the comment at their head says. Skipped without the assembler, which is from
# npm.
# Usage: examples.sh SOURCE-ROOT WASMFX-RUN C-COMPILER
set -u
. "$(dirname "$0")/../tap.sh"
source=$1 run=$2 CC=$3
export CC
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
XDG_CACHE_HOME=$work/cache
export XDG_CACHE_HOME

said=$("$source/tests/spec/run-wast" --or-skip --assemble "$work" "$source"/examples/wasm/*.wat 2>&1)
status=$?
if [ $status -eq 77 ]; then
  echo "1..0 # SKIP $said"
  exit 0
fi
nothing 'the examples are assembled' "$said"
cd "$work" || exit 1

# comment PATTERN FILE: what follows the pattern in a line of the comment.
comment() {
  sed -n "s/^;; $1//p" "$2"
}

runs() {
  sed -n '/^;; Expected output:$/,/^;;$\|^$/ s/^;;     //p' "$1" >expected
  # shellcheck disable=SC2046 # names of files
  "$run" $(comment 'Run with: ' "$1") >printed 2>&1
  status=$?
  [ -s expected ] && [ $status -eq "$(comment 'Exit status: ' "$1" | grep . || echo 0)" ] && diff expected printed
}

for example in "$source"/examples/wasm/*.wat; do
  if [ -n "$(comment 'Run with: ' "$example")" ]; then
    check "${example##*/}" runs "$example"
  fi
done
check 'there are four that are programs' [ $tap_count -eq 5 ]

# shows NAME: README has the command that runs an example, and behind it, indented, what that prints.
shows() {
  command="$(comment 'Run with: ' "$source/examples/wasm/$1" | sed 's,[a-z_]*\.wasm,demo/&,g')"
  sed -n '/^;; Expected output:$/,/^;;$\|^$/ s/^;;     /    /p' "$source/examples/wasm/$1" >expected
  awk -v command="wasmfx-run $command" '
    index($0, command) { found = 1; next }
    found && /^    / { print; shown = 1; next }
    shown { exit }' "$source/README.md" | diff expected -
}
check 'README shows what tasks print' shows lwt.wat
check 'and how a trap looks' shows twice.wat
finish
