#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the assembly says of control-flow enforcement: it has a mark wherever an indirect branch leads, where that is asked
# for, and never claims shadow stacks. Usage: cet.sh SOURCE-ROOT C-COMPILER; the compiler may be several words.
set -eu
. "$(dirname "$0")/tap.sh"
root=$1 c=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Called or jumped to by an address that was stored, besides the landings: those are taken by `lea`.
stored='wasmfx_[a-z_]*|wfx_(deep|fresh|start|start_float|overflowed|personality)'

for protection in none branch full; do
  object=$work/$protection.o
  check "with -fcf-protection=$protection it assembles" \
    $c -fcf-protection=$protection "-I$root/include" "-I$root/lib" -c "$root/lib/arch/x86_64_sysv.S" -o "$object"
  readelf -nW "$object" | sed -n 's/.*x86 feature: *//p' >"$work/claims"
  case $protection in
    none) nothing 'which claims nothing' "$(cat "$work/claims")" ;;
    *) check 'which claims branch tracking, and no shadow stacks' grep -qx 'IBT *' "$work/claims" ;;
  esac
done

# Address and name of what begins with no mark.
objdump -d --no-show-raw-insn "$work/branch.o" >"$work/code"
awk '
  /^[0-9a-f]+ <.*>:$/ { name = substr($2, 2, length($2) - 3); next }
  name { if ($2 != "endbr64") print name; name = "" }' "$work/code" | sort >"$work/unmarked"
{
  sed -nE 's/^[0-9a-f]+ <('"$stored"')>:$/\1/p' "$work/code"
  sed -nE 's/.*lea .*\(%rip\).*<(.*)>$/\1/p' "$work/code"
} | sort -u >"$work/targets"
check 'landings and verbs are among what is branched to' \
  sh -c 'grep -qx land_resume "$0" && grep -qx float_land_switch "$0" && grep -qx wasmfx_suspend "$0"' "$work/targets"
nothing 'each begins with a mark' "$(comm -12 "$work/targets" "$work/unmarked")"
finish
