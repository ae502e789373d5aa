# SPDX-License-Identifier: Apache-2.0
# For the tests that are shell scripts: results in the Test Anything Protocol. Sourced.

tap_count=0
tap_failed=0

# result STATUS NAME: one result; 0 is good.
result() {
  tap_count=$((tap_count + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $tap_count - $2"
  else
    tap_failed=1
    echo "not ok $tap_count - $2"
  fi
}

# check NAME COMMAND...: the command succeeds; if not, what it said is shown.
check() {
  check_name=$1
  shift
  if check_output=$("$@" 2>&1); then
    result 0 "$check_name"
  else
    result 1 "$check_name"
    echo "$check_output" | sed 's/^/# /'
  fi
}

# nothing NAME TEXT: the text, which lists what is wrong, is empty.
nothing() {
  if [ -z "$2" ]; then
    result 0 "$1"
  else
    result 1 "$1"
    echo "$2" | sed 's/^/# /'
  fi
}

finish() {
  echo "1..$tap_count"
  exit $tap_failed
}

# code FILE...: C without its comments, each line led by "file:line:".
code() {
  awk '
    FNR == 1 { inside = 0 }
    {
      text = $0
      out = ""
      while (text != "") {
        if (inside) {
          end = index(text, "*/")
          if (!end) break
          text = substr(text, end + 2)
          inside = 0
        } else {
          start = index(text, "/*")
          if (!start) { out = out text; break }
          out = out substr(text, 1, start - 1) " "
          text = substr(text, start + 2)
          inside = 1
        }
      }
      sub(/\/\/.*/, "", out)
      print FILENAME ":" FNR ":" out
    }' "$@"
}
