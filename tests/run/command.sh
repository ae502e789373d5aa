#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# wasmfx-run as it is used. Usage: command.sh WASMFX-RUN MODULES [C-COMPILER]; MODULES is the program of modules.c.
set -u
. "$(dirname "$0")/../tap.sh"
run=$1 modules=$2
CC=${3:-cc}
export CC
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
XDG_CACHE_HOME=$work/cache
export XDG_CACHE_HOME

"$modules" "$work" || exit 1
for text in "$here"/*.wat; do
  name=${text##*/}
  wat2wasm --debug-names "$text" -o "$work/${name%.wat}.wasm" || exit 1
done
cd "$work" || exit 1

# status EXPECTED COMMAND...: what it prints is in $work/printed, what it says on standard error in $work/said.
status() {
  expected=$1
  shift
  "$@" >printed 2>said </dev/null
  got=$?
  [ $got -eq "$expected" ] || { echo "status $got"; cat said; return 1; }
}

# prints TEXT: that was printed, and nothing else.
prints() {
  printf '%s\n' "$1" | diff - printed
}

# says TEXT: that was said, and nothing else.
says() {
  printf '%s\n' "$1" | diff - said
}

mentions() {
  grep -qF -- "$1" said || { cat said; return 1; }
}

# ---- Programs ------------------------------------------------------------------------------------

check 'a program runs' status 0 "$run" numbers.wasm
check 'and prints what its generator suspends with' prints "1
2
3"
check 'modules are linked by name' status 0 "$run" keeper.wasm user.wasm
check 'and share continuations' prints 5
check 'a module gets another name on the command line' status 0 "$run" keeper=./keeper.wasm user.wasm
cp keeper.wasm other.wasm
check 'whatever its file is called' status 0 "$run" keeper=other.wasm user.wasm

check 'a module takes the place of one of the host' status 0 "$run" spectest=./mute.wasm numbers.wasm
check 'and is called instead' cmp /dev/null printed
check 'without _start it is _initialize and main' status 0 "$run" reactor.wasm
check 'once each' prints "1
2
i32 3"
check 'of those before the program, _initialize' status 0 "$run" reactor.wasm numbers.wasm
check 'before it runs' prints "1
1
2
3"

# ---- Functions that are called by name --------------------------------------------------------------

check 'a function is called by name' status 0 "$run" values.wasm --invoke values -- -1 0x10 1.5 -inf null
check 'and its results are printed with their types' prints "i32 -1
i64 16
f32 1.5
f64 -inf
null"
check 'a number that does not fit is refused' status 125 "$run" values.wasm --invoke values -- 4294967296 0 0 0 null
check 'by its place' says 'wasmfx-run: values: argument 1 is to be an integer in range'
check 'one that is none too' status 125 "$run" values.wasm --invoke values -- 1 0 1x 0 null
check 'as many as there are parameters are wanted' status 125 "$run" values.wasm --invoke values -- 1
check 'and no more' status 125 "$run" values.wasm --invoke values -- 1 2 3 4 null 5
check 'a function that is not there is refused' status 125 "$run" values.wasm --invoke nobody
check 'and the others are named' \
  says 'wasmfx-run: the program exports no function nobody; there is: values, odd na"me?\#1'
check 'names may be odd' status 0 "$run" values.wasm --invoke 'odd na"me?\#1'
check 'a program without a beginning is refused' status 125 "$run" values.wasm

# ---- Traps -------------------------------------------------------------------------------------------------

backtraces=1
if "$run" ends.wasm --invoke go -- 0 2>&1 | grep -q 'without libunwind'; then
  backtraces=''
fi

# ends NUMBER TEXT [FUNCTION]: how `go` ends by that trap, and which function was running.
ends() {
  check "it ends: $2" status 134 "$run" --debug ends.wasm --invoke go -- "$1"
  if [ -n "$backtraces" ]; then
    check 'with a backtrace over three stacks' says "wasmfx-run: trap: $2
    ends!$3
    ends!inner
  -- resumed by --
    ends!outer
  -- resumed by --
    ends!go"
  fi
}
ends 0 unreachable falls
ends 1 'unhandled tag' asks
check 'compiled as for a release it ends so, too' status 134 "$run" ends.wasm --invoke go -- 0
if [ -n "$backtraces" ]; then
  # The innermost may be missing: compilers share ends that do not return.
  check 'with a backtrace that names inlined functions' sh -c 'printf "%s\n" "    ends!inner" "  -- resumed by --" \
    "    ends!outer" "  -- resumed by --" "    ends!go" >expected; tail -n 5 said | diff expected -'
fi
check 'an exception that nobody catches ends it' status 134 "$run" ends.wasm --invoke go -- 2
check 'by name and payload' says 'wasmfx-run: uncaught exception ends!boom: i32 42'
check 'a recursion without end ends' status 134 "$run" ends.wasm --invoke go -- 3
check 'as the specification has it' mentions 'trap: call stack exhausted'
if [ -n "$backtraces" ]; then
  check 'what was repeated is counted' grep -q '^    ends!deep ([0-9]* times)$' said
fi
check 'a larger stack is not larger than its recursion' status 134 "$run" --stack 1048576 ends.wasm --invoke go -- 3
check 'a continuation that was used is not resumed' status 134 "$run" ends.wasm --invoke twice
check 'and that is said' mentions 'trap: continuation already consumed'
check 'memory has an end' status 134 "$run" wasi.wasm --invoke outside
check 'a fault there is a trap like others' grep -qx 'wasmfx-run: trap: out of bounds memory access' said
check 'a start function may trap' status 134 "$run" starts.wasm
check 'and the module is named' mentions 'while starts was instantiated'

# ---- What does not fit ------------------------------------------------------------------------------------------

check 'a continuation of another type does not pass' status 125 "$run" keeper.wasm stranger.wasm
check 'where the types meet, by name' \
  says 'wasmfx-run: stranger.wasm: incompatible import type: "run" of "keeper" (keeper.wasm)'
check 'what is not given is missed' status 125 "$run" user.wasm
check 'by name' says 'wasmfx-run: user.wasm: unknown import: "run" of "keeper": there is no module of that name'
check 'modules come before those that want them' status 125 "$run" user.wasm keeper.wasm
check 'which is said' mentions 'that module comes later'
check 'all that does not fit is listed' status 125 "$run" values.wasm misfits.wasm
check 'numbers of other types, variables for constants, nothing at all' says \
  'wasmfx-run: misfits.wasm: incompatible import type: "values" of "values"
wasmfx-run: misfits.wasm: incompatible import type: "constant" of "values"
wasmfx-run: misfits.wasm: unknown import: "nobody" of "values" (values.wasm)
wasmfx-run: misfits.wasm: incompatible import type: "print_i32" of "spectest"
wasmfx-run: misfits.wasm: unknown import: "fd_swim" of "wasi_snapshot_preview1"'
check 'a name that would be C in the comments of wasm2c is refused' status 125 "$run" comment.wasm
check 'as not supported' mentions 'not supported: a name with control characters or */ in it'
printf 'no module' >broken.wasm
check 'what is no module is refused' status 125 "$run" broken.wasm
check 'in the words of wasmfx-lower' mentions 'broken.wasm:0x0: '
check 'a file that is not there is refused' status 125 "$run" nowhere.wasm
check 'two modules of a name are refused' status 125 "$run" keeper.wasm keeper=other.wasm
check 'a compiler that is not there is missed' status 125 "$run" --cc no-such-compiler numbers.wasm
check 'with what to do' mentions 'no-such-compiler is missing'
check 'an option that is none is refused' status 125 "$run" --fly numbers.wasm
check 'help is given' status 0 "$run" --help
check 'on the standard output' grep -q '^usage:' printed

# ---- WASI ----------------------------------------------------------------------------------------------------------

check 'a program has arguments and an environment' \
  status 0 "$run" --env A=1 --env 'B=two words' arguments.wasm -- one "it's" ''
printf '%s\n' arguments.wasm one "it's" '' A=1 'B=two words' >expected
check 'as they were given' sh -c 'tr "\\000" "\\n" <printed | diff - expected' 
check 'what is read is what is written' \
  sh -c "seq 1000 | '$run' echo.wasm >echoed; [ \$? -eq 7 ] && seq 1000 | cmp - echoed"

# answers FUNCTION VALUE NAME: what it prints.
answers() {
  check "$3" status 0 "$run" wasi.wasm --invoke "$1"
  check "... $1" prints "$2"
}
answers a-byte-too-far 'i32 21' 'pointers are checked'
answers around-the-end 'i32 21' 'sums of theirs too'
answers a-list-outside 'i32 21' 'a list may not end outside'
answers an-answer-outside 'i32 21' 'nor an answer'
answers random-outside 'i32 21' 'nor what is filled'
answers no-such-file 'i32 8' 'there are three files'
answers no-folders 'i32 8' 'and no folders'
answers not-there 'i32 52' 'what is not there says so'
answers closed 'i32 0
i32 8' 'what is closed is not written to'
answers may-be-written 'i64 64' 'standard output can be written to'
answers yield 'i32 0' 'there is nobody to yield to'
answers sleep 'i32 1
i64 77
i32 1' 'sleeping takes time'
answers random 'i32 1' 'random numbers differ'
check 'the last byte of memory is in it' status 0 "$run" wasi.wasm --invoke to-the-last-byte
check 'and is written' sh -c "printf '\\000i32 0\\n' | cmp - printed"

# ---- C ---------------------------------------------------------------------------------------------------------------

if clang-22 --target=wasm32-wasi -O2 "$here/hello.c" -o hello.wasm 2>no-clang; then
  printf 'one line\nand another' >input
  printf '%s\n' "2 arguments, the last is a word; NAME is given" 'read one line' 'read and another1, 0.333' slept \
    'there are no files' >expected
  check 'a C program exits as it likes' sh -c \
    "'$run' --env NAME=given hello.wasm -- - 'a word' <input >printed 2>said; [ \$? -eq 42 ]"
  check 'prints what it should' diff expected printed
  check 'and has a stream for errors' says 'an error'
else
  echo "# no C program, for want of clang-22, lld-22, wasi-libc and libclang-rt-22-dev-wasm32"
fi

# ---- The cache -----------------------------------------------------------------------------------------------------

# builds COMMAND...: it compiles something.
builds() {
  "$@" --verbose >printed 2>said </dev/null
  grep -q '^+ wasm2c' said
}

does_not_build() {
  ! builds "$@"
}
check 'a program that was built is there' does_not_build "$run" numbers.wasm
check 'and runs' prints "1
2
3"
check 'another one is not' builds "$run" --no-cache numbers.wasm
check 'other flags make another' builds "$run" --debug numbers.wasm
cp numbers.wasm third.wasm
check 'another name too' builds "$run" third.wasm
check 'other contents too' sh -c 'cp ends.wasm third.wasm'
check '... which is what runs then' status 125 "$run" third.wasm
check 'what is kept can be looked at' sh -c "'$run' --keep c third.wasm --invoke nothing && grep -q w2c_inner c/m1.c"
rm -rf cache
check 'two at once do not disturb each other' sh -c "
  '$run' numbers.wasm >first & '$run' numbers.wasm >second & wait; cmp first second && [ -s first ]"
check 'and leave a program and what it is linked with' sh -c '[ "$(ls cache/wasmfx-run | wc -l)" -eq 2 ]'
check 'a cache that cannot be written is done without' \
  status 0 env XDG_CACHE_HOME=/dev/null "$run" numbers.wasm
finish
