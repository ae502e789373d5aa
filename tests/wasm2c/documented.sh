#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The commands and the host of docs/wasm2c.md do what that page says, on what is installed.
# Usage: documented.sh MESON BUILD-FOLDER PREFIX LIBDIR SOURCE-ROOT C-COMPILER; the compiler may be several words.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tap.sh"
meson=$1 build=$2 prefix=$3 libdir=$4 page=$5/docs/wasm2c.md c=$6
command -v pkg-config >/dev/null || { echo '1..0 # SKIP no pkg-config'; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check 'it installs' "$meson" install -C "$build" --no-rebuild --quiet --destdir "$work"

# blocks LANGUAGE: the code of the page in it.
blocks() {
  awk -v fence="^ *\`\`\`$1\$" '$0 ~ fence { inside = 1; next } /^ *```$/ { inside = 0 } inside' "$page"
}

# The module is there as it comes out of wasmfx-lower, which has tests of its own; cc is who compiles the rest.
mkdir "$work/bin"
cat >"$work/bin/wasmfx-lower" <<EOF
#!/bin/sh
exec wat2wasm "$here/generator.wat" -o "\$3"
EOF
cat >"$work/bin/cc" <<EOF
#!/bin/sh
exec $c -Wall -Wno-unused-function -Wno-unused-label "\$@"
EOF
# pkg-config knows where things will be; here they lie under another root.
cat >"$work/bin/pkg-config" <<EOF
#!/bin/sh
PATH=\${PATH#*:} pkg-config "\$@" | sed 's|^$prefix/src|$work&|'
EOF
chmod +x "$work/bin"/*
export PKG_CONFIG_LIBDIR="$work$prefix/$libdir/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$work"
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export LD_LIBRARY_PATH="$work$prefix/$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" PATH="$work/bin:$PATH"

blocks c >"$work/host.c"
blocks sh >"$work/commands.sh"
cd "$work"
check 'the commands make a program' sh -eu commands.sh
check 'and it runs' sh -c 'test "$(./program)" = 55'
finish
