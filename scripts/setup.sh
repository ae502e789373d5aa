# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For the scripts beside this one: finds out what is missing and, on Debian as
# root, installs it. Read it with "." after setting `root` to the checkout.
#
#   need PACKAGE CHECK...   notes the Debian package if the check fails
#   need_for_tests          notes all that the tests need, but for a C compiler
#   links COMMAND...        whether a compiler makes a program of the C on standard input
#   choose_clang            sets `clang` and `clang_version`: 22 where there is one, else what the system calls clang
#   install_missing         installs what was noted, or says what to install and ends with status 2

missing=

need() {
  package=$1
  shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}

has_command() {
  command -v "$1"
}

# A header that a compiler finds. Asks the preprocessor, so that it does not
# matter where headers lie or what they need themselves.
has_header() {
  compiler=$(command -v "${CC:-gcc}" || command -v clang || command -v cc) || return 1
  printf '#if !__has_include(<%s>)\n#error\n#endif\n' "$1" | "$compiler" -E -x c - >/dev/null
}

links() {
  made=$(mktemp) makes=0
  "$@" -x c - -o "$made" || makes=1
  rm -f "$made"
  return "$makes"
}

need_for_tests() {
  need g++ has_command g++
  need libc6-dev has_header stdio.h
  need meson has_command meson
  need ninja-build has_command ninja
  need pkg-config has_command pkg-config
  need binutils has_command nm
  need git has_command git
  need gdb has_command gdb
  need valgrind has_command valgrind
  need libcmocka-dev has_header cmocka.h
  need libunwind-dev has_header libunwind.h
  need libgc-dev has_header gc.h
  need wabt has_command wasm2c
  need libboost-context-dev has_header boost/context/detail/fcontext.hpp
}

# shellcheck disable=SC2034 # for whoever reads this file
choose_clang() {
  clang=clang clang_version=14
  if has_command clang-22 >/dev/null || apt-cache show clang-22 >/dev/null 2>&1; then
    clang=clang-22 clang_version=22
  fi
}

on_debian_as_root() {
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null &&
    [ -r /etc/os-release ] && (. /etc/os-release && [ "${ID:-}" = debian ])
}

say_what_to_install() {
  echo "Missing here, by the names of Debian's packages:" >&2
  echo "   $missing" >&2
  echo "On Debian 12, run this again as root and it installs them, or install them yourself:" >&2
  echo "    apt-get install$missing" >&2
  echo "On other systems install what has the same purpose. Nothing was changed." >&2
}

# Without what the packages recommend, which is many times as much.
install_missing() {
  [ -n "$missing" ] || return 0
  if ! on_debian_as_root; then
    say_what_to_install
    exit 2
  fi
  echo "Installing with apt-get:$missing"
  log=$(mktemp)
  # shellcheck disable=SC2086 # the packages are words
  if ! { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing; } \
    >"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    echo "apt-get failed; all it said is in $log" >&2
    exit 2
  fi
  rm -f "$log"
}

# configure FOLDER OPTION...: sets up a build folder, also one that is there already.
configure() {
  folder=$1
  shift
  if [ -e "$folder/meson-private/coredata.dat" ]; then
    meson setup --reconfigure "$folder" "$root" "$@" || meson setup --wipe "$folder" "$root" "$@"
  else
    meson setup "$folder" "$root" "$@"
  fi
}
