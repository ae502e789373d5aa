#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A tool sees what is wrong in a continuation, and nothing where nothing is. Usage: sees.sh PROGRAM TOOL[,TOOL]
# TOOL is none (skipped, unless WASMFX_TOOL names one), address, thread, memory, valgrind or anything else.
# shellcheck disable=SC2317 # check calls them
set -eu
. "$(dirname "$0")/tap.sh"
program=$1
tools=${WASMFX_TOOL:-$2}
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# sees ACT REPORT: the act makes the tool say so, and say where.
sees() {
  if ! "$program" "$1" >"$said" 2>&1 && grep -q "$2" "$said" && grep -q 'sees\.c' "$said"; then
    return 0
  fi
  cat "$said"
  return 1
}

# sees_nothing ACT: it comes to its end, and nothing else is said.
sees_nothing() {
  if "$program" "$1" >"$said" 2>&1 && [ "$(cat "$said")" = 'done' ]; then
    return 0
  fi
  cat "$said"
  return 1
}

case $tools in
  *address*)
    export ASAN_OPTIONS=detect_stack_use_after_return=1
    check 'a write beyond the end of a variable of a continuation is seen' sees beyond stack-buffer-overflow
    check 'one up to its end is not' sees_nothing within
    check 'a read of a variable whose function has returned meanwhile is seen' sees after-return stack-use-after-return
    check 'one before that is not' sees_nothing before-return
    ;;
  *memory*)
    check 'a look at a variable of a continuation that nobody has written is seen' \
      sees unwritten use-of-uninitialized-value
    check 'one at what was written after a suspension is not' sees_nothing written
    check 'nor one at what is passed, where something else was passed that nobody had written' sees_nothing passed
    ;;
  *thread*)
    check 'a race between continuations of eight threads is seen' sees unguarded 'data race'
    check 'where they take turns there is none' sees_nothing guarded
    ;;
  valgrind)
    check 'a look at a variable of a continuation that nobody has written is seen' sees unwritten 'uninitialised value'
    check 'one at what was written after a suspension is not' sees_nothing written
    check 'a read of a variable whose function has returned meanwhile is seen' sees after-return 'Invalid read'
    check 'one before that is not' sees_nothing before-return
    ;;
  *)
    echo '1..0 # SKIP without a tool there is nobody to see anything'
    exit 0
    ;;
esac
finish
