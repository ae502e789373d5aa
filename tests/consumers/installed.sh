#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The installed library as pkg-config describes it: shared, static, and for programs of the fiber interface.
# Usage: installed.sh MESON BUILD-FOLDER PREFIX LIBDIR C-COMPILER; the compiler may be several words.
set -eu
here=$(dirname "$0")
. "$here/../tap.sh"
meson=$1 build=$2 prefix=$3 libdir=$4 c=$5
command -v pkg-config >/dev/null || { echo '1..0 # SKIP no pkg-config'; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check 'it installs' "$meson" install -C "$build" --no-rebuild --quiet --destdir "$work"
# It lies under another root than the one that it was made for.
export PKG_CONFIG_LIBDIR="$work$prefix/$libdir/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$work"
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export LD_LIBRARY_PATH="$work$prefix/$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
check 'pkg-config knows it' pkg-config --exists --print-errors wasmfx
nothing 'all public headers were installed' \
  "$(cd "$here/../../include" && for header in wasmfx/*.h; do
       [ -f "$work$prefix/include/$header" ] || echo "$header"
     done)"

# build NAME SOURCE OPTION...
build() {
  program=$work/$1 source=$2
  shift 2
  $c -Wall -Wextra -Werror $(pkg-config --cflags wasmfx) -o "$program" "$source" "$@"
}
check 'a program builds with the shared library' \
  build shared "$here/project/consumer.c" $(pkg-config --libs wasmfx)
check 'and runs' "$work/shared"
check 'it needs the library by its soname' sh -c "readelf -dW '$work/shared' | grep -q 'NEEDED.*libwasmfx\.so\.[0-9]'"
if [ -f "$work$prefix/$libdir/libwasmfx.a" ]; then
  check 'a program builds with the static library' \
    build static "$here/project/consumer.c" -static $(pkg-config --static --libs wasmfx)
  check 'and runs' "$work/static"
fi
check 'a program of the fiber interface builds unchanged' \
  build fibers "$here/fibers.c" "-I$(pkg-config --variable=includedir wasmfx)/wasmfx" $(pkg-config --libs wasmfx)
check 'and runs' "$work/fibers"
finish
