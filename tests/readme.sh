#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What README.md and docs/ show is what happens: README's first program is built by the commands that stand there and
# prints what stands there; the snippets of docs/ compile; links lead somewhere.
# Usage: readme.sh SOURCE-ROOT BUILD-ROOT C-COMPILER; the compiler may be several words.
set -eu
. "$(dirname "$0")/tap.sh"
source=$(cd "$1" && pwd) build=$(cd "$2" && pwd) c=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
strict="-std=c11 -Wall -Wextra -Wpedantic -Werror -Wno-unused-function"

# ---- Links ---------------------------------------------------------------------------------

# Outside of code: the lines of a page that are its text.
prose() {
  awk '/^ *```/ { inside = !inside; next } !inside' "$1"
}

# As GitHub makes them: lower case, hyphens for spaces, no other punctuation.
headings() {
  prose "$1" | sed -n 's/^##* //p' | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# dead_links PAGE...: the links to files that do not exist, and to headings that do not.
dead_links() (
  cd "$source"
  for page; do
    prose "$page" | grep -oE '\]\([^)]*\)' | sed 's/^](//; s/)$//' | grep -v '^[a-z]*:' | while read -r link; do
      file=${link%%#*}
      file=${file:+$(dirname "$page")/$file}
      [ -e "${file:-$page}" ] || echo "$page: $link"
      case $link in
        *'#'*) headings "${file:-$page}" | grep -qxe "${link#*#}" || echo "$page: $link" ;;
      esac
    done
  done
)
pages=$(cd "$source" && echo README.md SECURITY.md CHANGELOG.md docs/*.md)
check 'there are links' grep -q '](docs/' "$source/README.md"
# shellcheck disable=SC2086 # the pages are words
nothing 'links lead to files and headings that exist' "$(dead_links $pages)"

# ---- README: the first program ----------------------------------------------------------

# The folder is as README wants it: the program lies beside what it is built from, and `cc` is the build's compiler.
ln -s "$source/include" "$source/lib" "$work/"
ln -s "$build" "$work/build"
mkdir "$work/bin"
printf '#!/bin/sh\nPATH="%s"\nexec %s "$@"\n' "$PATH" "$c" >"$work/bin/cc"
chmod +x "$work/bin/cc"

awk '/^```c$/ { inside = 1; next } /^```/ { if (inside) exit } inside' "$source/README.md" >"$work/squares.c"
# The first indented lines after the program.
awk '
  /^```/ { fences++; next }
  fences == 2 && /^    / { print substr($0, 5); shown = 1; next }
  shown { exit }' "$source/README.md" >"$work/expected"

check 'README has a first program' grep -q main "$work/squares.c"
check 'and what it prints' grep -q . "$work/expected"
check 'the first program has no warnings' $c $strict -fsyntax-only "-I$source/include" "$work/squares.c"

# runs COMMAND: what it ends up printing is what README shows.
runs() (
  cd "$work"
  rm -f squares
  PATH="$work/bin:$PATH" sh -ec "$1" >output </dev/null && diff expected output
)

# Those with pkg-config need an installed library: consumers/installed.sh has that.
sed -n '/pkg-config/d; s/^    \(cc .*\)/\1/p' "$source/README.md" >"$work/commands"
check 'README has commands that build the first program' grep -q . "$work/commands"
while read -r command; do
  case $command in
    */libwasmfx.a*)
      [ -f "$build/lib/libwasmfx.a" ] || { echo '# no static library in this build'; continue; } ;;
  esac
  case $command in
    *./squares) ;;
    *) command="$command && ./squares" ;;
  esac
  check "$command" runs "$command"
done <"$work/commands"

# ---- docs/: the snippets -----------------------------------------------------------------

# snippets LANGUAGE FILE SECTIONS: the blocks of these "##" sections, an extended regular expression.
snippets() {
  awk -v language="$1" -v file="$2" -v sections="$3" '
    /^```/ {
      inside = !inside
      wanted = inside && $0 == "```" language && section ~ sections
      if (wanted && language == "c") printf "#line %d \"%s\"\n", FNR + 1, file
      next
    }
    !inside && /^## / { section = substr($0, 4) }
    wanted' "$source/$2"
}

# compiles NAME FILE SECTIONS: the C of these sections, with what stands on standard input behind it, is one file
# without warnings.
compiles() {
  { snippets c "$2" "$3"; cat; } >"$work/snippets.c"
  check "$1: there are snippets" grep -q '^#line' "$work/snippets.c"
  check "$1: they are one file that compiles" $c $strict -fsyntax-only "-I$source/include" "$work/snippets.c"
}

embedding=docs/embedding.md
compiles 'concepts' docs/concepts.md . </dev/null
compiles 'embedding, interpreter' $embedding '^(Common ground|\(a\))' </dev/null
compiles 'embedding, compiler to C' $embedding '^(Common ground|\(b\))' </dev/null
compiles 'embedding, questions' $embedding '^(Common ground|Questions)' </dev/null
# The offsets are those that the assembly of this chapter names.
compiles 'embedding, JIT' $embedding '^(Common ground|\(c\))' <<'END'
_Static_assert(offsetof(struct instance, rt) == 0, "rt");
_Static_assert(offsetof(struct instance, tables) == 24, "tables");
_Static_assert(offsetof(struct instance, memory) == 32, "memory");
END
snippets asm $embedding '^\(c\)' >"$work/jit.s"
check 'embedding, JIT: there is assembly' grep -q jit_sum: "$work/jit.s"
check 'embedding, JIT: it assembles' $c -c -o "$work/jit.o" "$work/jit.s"

# Some of concepts.md says what comes out of it.
if [ -f "$build/lib/libwasmfx.a" ]; then
  { snippets c docs/concepts.md .; cat; } >"$work/concepts.c" <<'END'
int main(void)
{
  wasmfx_runtime_t *rt;
  wasmfx_cont_t k, holding = 0;
  if (wasmfx_runtime_new(NULL, &rt) < 0 || !prepare(rt))
    return 1;
  if (run(rt) != 114 || value_of(word_of(1.5)) != 1.5)
    return 2;
  if (wasmfx_cont_new_word(rt, task, ask, NULL, &k) < 0 || bind_first(rt, &k) < 0 || wasmfx_cont_arity(rt, k) != 0)
    return 3;
  wasmfx_outcome_t out = wasmfx_resume_word(rt, &k, clauses, 0);
  if (out.status != WASMFX_SUSPENDED || out.word != 7)
    return 4;
  out = tell_to_stop(rt, &k);
  if (out.status != WASMFX_THREW || out.exception->tag != stop || out.exception->values[0].i64 != 42 || k != 0)
    return 5;
  if (wasmfx_cont_new_word(rt, task, ask, NULL, &k) < 0 || wasmfx_cont_new_word(rt, task, ask, NULL, &holding) < 0)
    return 6;
  if (wasmfx_resume_word(rt, &holding, clauses, 0).status != WASMFX_SUSPENDED)
    return 7;
  end_both(rt, &k, &holding);
  return k != 0 || holding != 0 || wasmfx_runtime_free(rt, NULL) != WASMFX_OK;
}
END
  check 'concepts: with a main() it builds' \
    $c $strict "-I$source/include" "$work/concepts.c" "$build/lib/libwasmfx.a" -o "$work/concepts"
  check 'and what comes out is what it says' "$work/concepts"
fi
finish
