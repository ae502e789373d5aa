#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How many instructions does it take? Counted by callgrind, which repeats to
# the instruction where clocks do not. What start and end of the program need is
# taken out by counting twice.
#
# usage: instructions.sh WASMFX-BENCH
# Exit status: 77 without valgrind; 1 if something takes more than it may, or if the limit, which
# all ratios are multiples of, does not take what it should.
set -eu

bench=$1

if ! command -v valgrind >/dev/null 2>&1; then
  echo "needs valgrind"
  exit 77
fi

# collected QUESTION SUBJECT TIMES: instructions of the whole program.
collected() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" --answer "$1" "$2" "$3" 2>&1 >/dev/null |
    sed -n 's/^.*Collected : //p'
}

# each QUESTION SUBJECT: instructions for one time, in hundredths, so that nothing is lost to rounding.
each() {
  few=$(collected "$1" "$2" 10000)
  many=$(collected "$1" "$2" 20000)
  [ -n "$few" ] && [ -n "$many" ] || return 1
  echo $(((many - few) / 100))
}

failed=0

# at_most NUMBER QUESTION SUBJECT
at_most() {
  if ! "$bench" --answer "$2" "$3" 1 >/dev/null; then
    printf '  %-10s %-12s not there\n' "$2" "$3"
    return 0
  fi
  hundredths=$(each "$2" "$3") || { echo "callgrind gave no count for $3" >&2; exit 1; }
  verdict=
  if [ "$hundredths" -gt $(($1 * 100)) ]; then
    failed=1 verdict="MORE"
  fi
  printf '  %-10s %-12s %4d.%02d of %d %s\n' "$2" "$3" $((hundredths / 100)) $((hundredths % 100)) "$1" "$verdict"
}

echo "instructions for each time, and the most that there may be:"
at_most 21 roundtrip limit
[ "$hundredths" -eq 2100 ] || { echo "the limit should take 21" >&2; exit 1; }
at_most 62 roundtrip fcontext
at_most 62 roundtrip pinned
at_most 64 roundtrip fast
at_most 105 roundtrip plain
at_most 72 roundtrip fiber-fast
at_most 112 roundtrip fiber-plain
at_most 107 table8 fast
at_most 148 table8 plain
at_most 90 depth10 fast
at_most 131 depth10 plain
at_most 47 inplace1 plain
at_most 55 inplace1 fast
at_most 62 inplace100 plain
at_most 70 inplace100 fast
at_most 72 ring2 pinned
at_most 75 ring2 fast
at_most 91 ring2 plain
at_most 132 create pinned
at_most 144 create fast
at_most 162 create plain
exit "$failed"
