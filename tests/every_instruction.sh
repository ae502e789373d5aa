#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The walks of test_every_instruction are right, and it meets each instruction of the stubs.
# Usage: every_instruction.sh STATIC-LIBRARY PROGRAM [PROGRAM-WITH-ANOTHER-TIER]..
# The library is the one that the programs were linked with.
set -eu
. "$(dirname "$0")/tap.sh"
library=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for program; do
  check "the walks of ${program##*/} are right" "$program" "$work/met-${program##*/}"
done
sort -u "$work"/met-* >"$work/met.sorted"
without=
[ $# -gt 1 ] || without='^(wasmfx_fast_|fast_|decline|wasmfx_abi_)'

# "DISTANCE SYMBOL INSTRUCTION" of each instruction in the assembly, but what fills gaps, or stands where nobody goes, with a
# mark for checked jumps in front of it or not. As in the program the distance
# is from wasmfx_resume. Of the call at `enter` the second byte has a label, wfx_base, and nobody can stop there.
objdump -d --no-show-raw-insn "$library" | awk -v without="$without" '
  function number(text,   i, value) {
    for (i = 1; i <= length(text); i++)
      value = 16 * value + index("0123456789abcdef", substr(text, i, 1)) - 1
    return value
  }
  /file format/ { inside = /_sysv/; symbol = "" }
  inside && /^[0-9a-f]+ <.*>:$/ {
    symbol = $2
    gsub(/[<>:]/, "", symbol)
    if (symbol == "wasmfx_resume") origin = number($1)
  }
  inside && /^ +[0-9a-f]+:/ {
    if (symbol == "wfx_base" && !met_base++) next
    if (without && symbol ~ without) next
    address = $1
    sub(/:/, "", address)
    $1 = ""
    if (/ ud2/ && texts[count] ~ / endbr64/) count--
    if (!/ (nop|cs nop|data16|xchg +%ax,%ax|ud2)/) { places[++count] = number(address); texts[count] = symbol $0 }
  }
  END { for (i = 1; i <= count; i++) print places[i] - origin, texts[i] }
' | sort >"$work/all"

check 'the disassembly has all of it' test "$(wc -l <"$work/all")" -gt 500
check 'the stubs are met' grep -qx 0 "$work/met.sorted"
nothing 'every instruction of the stubs is met' "$(join -v 1 "$work/all" "$work/met.sorted")"
echo "# $(wc -l <"$work/all") instructions"
finish
