#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Others walk from three nested continuations to _start: gdb in the running program, gdb in core files, and the C
# library's backtrace(). Usage: walks.sh PROGRAM, which is test_unwind.
set -eu
. "$(dirname "$0")/tap.sh"
program=$(realpath "$1")
command -v gdb >/dev/null 2>&1 || { echo "1..0 # SKIP gdb is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

in_gdb() {
  gdb -batch -nx -ex 'set breakpoint pending on' -ex 'set debuginfod enabled off' -ex 'set backtrace past-main on' "$@" 2>&1
}

# comes_to_start FILE: the lines that begin with "#" have each name in its turn, with anything between them.
comes_to_start() {
  awk '
    BEGIN {
      expected = "innermost_place innermost run_inside middle run_inside outermost nest_three main _start"
      count = split(expected, names, " "); next_one = 1
    }
    /^#/ && next_one <= count && $0 ~ "(^|[# .])" names[next_one] "([. (]|$)" { next_one++ }
    { print }
    END {
      if (next_one > count) exit 0
      print "the walk above should contain, in this order: " expected
      exit 1
    }' "$1"
}

in_gdb -ex 'break innermost_place' -ex 'run --stop' -ex "generate-core-file $work/written" -ex 'backtrace' "$program" \
  >"$work/live" || true
check 'gdb walks in the running program' comes_to_start "$work/live"

in_gdb -ex 'backtrace' "$program" "$work/written" >"$work/dead" || true
check 'gdb walks in a core file that it has written' comes_to_start "$work/dead"

# That of the kernel may go to a program, or nowhere.
# shellcheck disable=SC3045 # wherever there is a limit, its shell knows -c
if (cd "$work" && ulimit -c unlimited && "$program" --abort) >"$work/aborted" 2>&1; then
  result 1 'a program that aborts does not end well'
fi
core=$(find "$work" -name 'core*')
if [ -n "$core" ]; then
  in_gdb -ex 'backtrace' "$program" "$core" >"$work/dead" || true
  check 'gdb walks in a core file of the kernel' comes_to_start "$work/dead"
else
  result 0 'gdb walks in a core file of the kernel # SKIP core files go elsewhere here'
fi

# Addresses of the program itself, "PROGRAM(+0x1234) [0x...]", each behind a call.
"$program" --backtrace >"$work/addresses" || true
sed -n 's/^.*(+0x\([0-9a-f]*\)).*$/\1/p' "$work/addresses" | while read -r offset; do
  printf '%x\n' $((0x$offset - 1))
done | xargs addr2line -i -f -e "$program" | awk 'NR % 2 { print "#" $0 }' >"$work/names"
check 'backtrace() walks' comes_to_start "$work/names"

finish
