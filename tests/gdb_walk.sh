#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# gdb walks from three nested continuations to _start. Usage: gdb_walk.sh PROGRAM
# Exit 77 (skipped) where there is no gdb.
command -v gdb >/dev/null 2>&1 || { echo "gdb is not installed: skipped"; exit 77; }

walk=$(gdb -batch -nx \
  -ex 'set breakpoint pending on' -ex 'set debuginfod enabled off' -ex 'set backtrace past-main on' \
  -ex 'break innermost_place' -ex 'run --stop' -ex 'backtrace' "$1" 2>&1)

# Each name in its turn, with anything between them.
expected='innermost_place innermost run_inside middle run_inside outermost nest_three main _start'
if printf '%s\n' "$walk" | awk -v expected="$expected" '
    BEGIN { count = split(expected, names, " "); next_one = 1 }
    /^#[0-9]+ / && next_one <= count && $0 ~ "(^|[ .])" names[next_one] "[. (]" { next_one++ }
    END { exit next_one <= count }'
then
  echo "gdb walks from three nested continuations to _start"
else
  printf '%s\n' "$walk" "the walk above should contain, in this order: $expected"
  exit 1
fi
