# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For the scripts that build in several ways and run all tests with each. Read it with "." after setup.sh, and after
# setting `build` to a folder.
#
#   try NAME C-COMPILER C++-COMPILER OPTION...   one build and its tests; `test_options` are more words for "meson test"
#   finish                                       the summary, "N passed, N failed", and the exit status

: "${build:?}"
passed=0
failed=0
summary=
test_options=

# count LABEL FILE: a figure of the summary that "meson test" ends with.
count() {
  sed -n "s/^$1: *\([0-9][0-9]*\) *$/\1/p" "$2" | tail -n 1 | grep . || echo 0
}

note() {
  summary="$summary$(printf '  %-11s %s' "$1" "$2")
"
}

# build FOLDER C-COMPILER C++-COMPILER OPTION...
build_with() (
  folder=$1
  export CC="$2" CXX="$3"
  shift 3
  configure "$folder" --werror "$@" && ninja -C "$folder"
)

# left_out FOLDER: the parts of tests that said in the last run that they are left out.
left_out() {
  newest=$(find "$1/meson-logs" -name 'testlog*.txt' -newer "$1/build.ninja" -printf '%T@ %p\n' | sort -n | tail -n 1)
  parts=$(grep -c '^# left out: ' "${newest#* }" || true)
  [ "$parts" -eq 0 ] || echo ", $parts parts left out"
}

try() {
  name=$1 folder=$build/$1 output=$build/$1.log
  began=$(date +%s)
  printf '\n== %s: building\n' "$name"
  shift
  if ! build_with "$folder" "$@" >"$output" 2>&1; then
    tail -n 40 "$output"
    echo "$name: the build failed; all it said is in $output"
    note "$name" "the build failed"
    failed=$((failed + 1))
    return 0
  fi
  printf '== %s: testing\n' "$name"
  # shellcheck disable=SC2086 # the options are words
  meson test -C "$folder" --no-rebuild --print-errorlogs $test_options 2>&1 | tee "$output" || true
  ok=$(($(count Ok "$output") + $(count 'Expected Fail' "$output")))
  bad=$(($(count Fail "$output") + $(count 'Unexpected Pass' "$output") + $(count Timeout "$output")))
  skipped=$(count Skipped "$output")
  if [ "$ok" -eq 0 ] && [ "$bad" -eq 0 ]; then
    echo "$name: no test has run"
    bad=1
  fi
  note "$name" "$ok passed, $bad failed, $skipped skipped$(left_out "$folder"), $(($(date +%s) - began)) s"
  passed=$((passed + ok))
  failed=$((failed + bad))
}

finish() {
  printf '\n== Summary\n%s' "$summary"
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
