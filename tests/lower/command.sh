#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command as it is used. Usage: command.sh WASMFX-LOWER
set -u
. "$(dirname "$0")/../tap.sh"
lower=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# status EXPECTED COMMAND...: what it says on standard error is in $work/said.
status() {
  expected=$1
  shift
  "$@" >"$work/output" 2>"$work/said"
  [ $? -eq "$expected" ]
}

# said TEXT: all that was said, in one line.
said() {
  printf '%s\n' "$1" | cmp - "$work/said"
}

header='\000asm\001\000\000\000'
types='\001\006\002\140\000\000\135\000' # [] -> [], and a continuation
function='\003\002\001\000'
export='\007\007\001\003run\000\000'
printf "$header" >"$work/empty.wasm"
printf "$header$types$function$export"'\012\011\001\007\000\320\000\343\001\000\013' >"$work/wrong.wasm"
printf "$header"'\017\000' >"$work/malformed.wasm"

check 'an empty module is valid' status 0 "$lower" --check "$work/empty.wasm"
check 'and nothing is said' cmp /dev/null "$work/said"
check 'the standard input is a file' sh -c "'$lower' --check - <'$work/empty.wasm'"
check 'what is invalid is refused' status 1 "$lower" --check "$work/wrong.wasm"
check 'by file, offset, function, instruction and rule' \
  said "$work/wrong.wasm:0x24: function 0 \"run\": resume: type mismatch: expected (ref null \$1), found (ref null \$0)"
check 'what is malformed is refused' status 1 "$lower" --check "$work/malformed.wasm"
check 'in the words of Wasm' said "$work/malformed.wasm:0x8: malformed section id"
check 'a file that is not there is refused' status 1 "$lower" --check "$work/none.wasm"
check 'a folder too' status 1 "$lower" --check "$work"
check 'help is given' status 0 "$lower" --help
check 'on the standard output' grep -q '^usage:' "$work/output"
check 'a command that is none gets it too' status 2 "$lower" --lift "$work/empty.wasm"
check 'on standard error' grep -q '^usage:' "$work/said"
check 'without --check it wants to know where to write' status 2 "$lower" "$work/empty.wasm"
check 'both are too much' status 2 "$lower" "$work/empty.wasm" --check -o "$work/lowered.wasm"
check 'what needs nothing is written as it is' status 0 "$lower" "$work/empty.wasm" -o "$work/lowered.wasm"
check 'byte for byte' cmp "$work/empty.wasm" "$work/lowered.wasm"
check 'to the standard output too' sh -c "'$lower' '$work/empty.wasm' -o - | cmp - '$work/empty.wasm'"
rm "$work/lowered.wasm"
check 'what is invalid is not lowered' status 1 "$lower" "$work/wrong.wasm" -o "$work/lowered.wasm"
check 'and nothing is written' test ! -e "$work/lowered.wasm"
check 'a folder that is not there is refused' status 1 "$lower" "$work/empty.wasm" -o "$work/none/lowered.wasm"
finish
