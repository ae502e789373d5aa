#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How many instructions is a round trip? Counted by callgrind, which repeats to
# the instruction where clocks do not. What start and end of the program need is
# taken out by counting twice.
#
# usage: instructions.sh WASMFX-BENCH
# Exit status: 77 without valgrind; 1 if the limit, which all ratios are multiples
# of, is not the 21 instructions that it should be.
set -eu

bench=$1
limit_expected=21

if ! command -v valgrind >/dev/null 2>&1; then
  echo "needs valgrind"
  exit 77
fi

# Instructions of the whole program for $2 round trips of subject $1.
collected() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" --answer roundtrip "$1" "$2" 2>&1 >/dev/null |
    sed -n 's/^.*Collected : //p'
}

# Instructions per round trip, in hundredths, so that nothing is lost to rounding.
per_round_trip() {
  few=$(collected "$1" 10000)
  many=$(collected "$1" 20000)
  [ -n "$few" ] && [ -n "$many" ] || return 1
  echo $(((many - few) / 100))
}

limit=none
echo "instructions for each round trip:"
for subject in limit fast plain fiber-plain fcontext; do
  if "$bench" --answer roundtrip "$subject" 1 >/dev/null; then
    hundredths=$(per_round_trip "$subject") || { echo "callgrind gave no count for $subject" >&2; exit 1; }
    printf '  %-10s %4d.%02d\n' "$subject" $((hundredths / 100)) $((hundredths % 100))
    [ "$subject" != limit ] || limit=$hundredths
  else
    printf '  %-10s not there\n' "$subject"
  fi
done

if [ "$limit" -ne $((limit_expected * 100)) ]; then
  echo "the limit should be $limit_expected instructions" >&2
  exit 1
fi
