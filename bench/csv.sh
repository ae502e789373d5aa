#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What wasmfx-bench prints for programs is as docs/performance.md says: who measured, a head, and rows of seven fields.
# usage: csv.sh WASMFX-BENCH
set -eu
. "$(dirname "$0")/../tests/tap.sh"
bench=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ask NAME ARGUMENT...: into files, rows of NAME and the lines above them.
ask() {
  name=$1
  shift
  "$bench" --csv --quick --rounds 2 "$@" >"$work/all" || return 1
  grep '^#' "$work/all" >"$work/above"
  grep -v '^#' "$work/all" >"$work/$name"
}

# questions NAME: those that have rows, on one line.
questions() {
  tail -n +2 "$work/$1" | cut -d, -f1 | uniq | paste -sd ' ' -
}

check 'a question is asked' ask one roundtrip
for key in machine compiler flags commit; do
  check "above stands the $key" grep -q "^# $key: ." "$work/above"
done
check 'the head names seven fields' test "$(head -n 1 "$work/one")" = question,subject,metric,median,min,unit,rounds
row='roundtrip,[a-z0-9/-]+,time(-ratio)?,[0-9]+\.[0-9]{3},[0-9]+\.[0-9]{3},(ns|x limit),2'
nothing 'rows have seven fields, of which three are figures' "$(tail -n +2 "$work/one" | grep -vxE "$row" || true)"
check 'the limit is the first of all' grep -q '^roundtrip,limit,time,' "$work/one"

check 'a question is asked for two numbers of our own' ask two --at 2 --at 5 search
check 'they stand behind its name' test "$(questions two)" = 'search@2 search@5'
check 'without, it is asked for the first of those that the list shows' ask named search
check 'which are these' test "$(questions named)" = 'search@1 search@3 search@10 search@30 search@100'

check 'one thread is asked, and more than there are CPUs' ask threads --at 1 --at 9999 threads
check 'and only the one answers' test "$(questions threads)" = threads@1

"$bench" --csv no-such-question >"$work/out" 2>"$work/error" && status=0 || status=$?
check 'no such question is an error' test "$status" -eq 2
check 'which names it' grep -q no-such-question "$work/error"
finish
