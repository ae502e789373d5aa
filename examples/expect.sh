#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# expect.sh SOURCE COMMAND...: runs an example and compares what it prints with
# the block "Expected output:" in the comment at the head of its source.
set -u

trimmed() { sed 's/ *$//'; }

expected=$(sed -n '/^ \* Expected output:$/,/^ \* [^ ]*:/ s/^ \*     //p' "$1" | trimmed)
if [ -z "$expected" ]; then
  echo "$1 does not say what to expect"
  exit 1
fi
shift
printed=$("$@")
status=$?
if [ "$status" -ne 0 ]; then
  echo "$1 exited with $status"
  exit 1
fi
printed=$(printf '%s\n' "$printed" | trimmed)
if [ "$printed" != "$expected" ]; then
  printf 'expected:\n%s\nprinted:\n%s\n' "$expected" "$printed"
  exit 1
fi
