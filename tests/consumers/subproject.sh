#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The library as a Meson subproject of another project. Usage: subproject.sh MESON SOURCE-ROOT
set -eu
here=$(dirname "$0")
. "$here/../tap.sh"
meson=$1 root=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/subprojects"
cp "$here"/project/* "$work"
ln -s "$root" "$work/subprojects/wasmfx"

check 'a project with it as a subproject is set up' "$meson" setup "$work/build" "$work"
check 'and builds' "$meson" compile -C "$work/build"
check 'and its program runs' "$work/build/consumer"
finish
