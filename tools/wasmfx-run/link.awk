# SPDX-License-Identifier: Apache-2.0
# Links modules: checks that each import has an export of its type before it, and writes the C that makes the instances.
#
#   awk -f link.awk host_modules.h m1.h m1.names m2.h m2.names ...
#
# The headers are of wasm2c, the .names of names.awk, and WASMFX_RUN_M1, ... in the environment have the module's name
# and the file's, with a tab between. Where something is wrong, lines that begin with "wasmfx-run: " say so on standard
# error, and the status is 1.

function complain(text) {
  print "wasmfx-run: " text | "cat >&2"
  is_wrong = 1
}

# A declaration without what an import and an export write differently.
function normal(declaration) {
  gsub(/extern |struct /, "", declaration)
  sub(/ instance\)/, ")", declaration)
  gsub(/ *\* */, "*", declaration)
  return declaration
}

function c_string(text,    i, letter, quoted) {
  for (i = 1; i <= length(text); i++) {
    letter = substr(text, i, 1)
    quoted = quoted (letter ~ /["\\?]/ ? "\\" : "") letter
  }
  return "\"" quoted "\""
}

# The name that the source has: each # once, and without a type, which begins with a # alone.
function source_name(name,    i, letter, source) {
  for (i = 1; i <= length(name); i++) {
    letter = substr(name, i, 1)
    if (letter == "#" && substr(name, ++i, 1) != "#")
      break
    source = source letter
  }
  return source
}

function has_type(name) {
  gsub(/##/, "", name)
  return name ~ /#/
}

# Fields are separated by tabs: names may have anything else in them.
BEGIN {
  FS = "\t"
  kinds["u32"] = "i"; kinds["u64"] = "j"; kinds["f32"] = "f"; kinds["f64"] = "d"
  kinds["wasm_rt_externref_t"] = "e"; kinds["wasm_rt_funcref_t"] = "r"; kinds["void"] = ""
  fields["i"] = "i32"; fields["j"] = "i64"; fields["f"] = "f32"; fields["d"] = "f64"; fields["e"] = "externref"
  c_types["i"] = "u32"; c_types["j"] = "u64"; c_types["f"] = "f32"; c_types["d"] = "f64"
  c_types["e"] = "wasm_rt_externref_t"
  module = 0
}

FNR == 1 {
  is_names = FILENAME ~ /\.names$/
  if (NR > 1 && !is_names) {
    split(ENVIRON["WASMFX_RUN_M" ++module], list, "\t")
    names[module] = list[1]
    files[module] = list[2]
  }
}

# The name as wasm2c mangles it is that of the instance's struct.
!is_names && /^typedef struct Z_[A-Za-z0-9_]*_instance_t \{$/ {
  symbol = $0
  sub(/^typedef struct Z_/, "", symbol)
  sub(/_instance_t \{$/, "", symbol)
  symbols[module] = symbol
  number_of[symbol] = module
}

is_names && $1 == "refused" { complain(files[module] ": not supported: " $2) }

is_names && $1 == "import" {
  import_count[module]++
  imports[module, import_count[module]] = $0
}

is_names && $1 == "export" {
  export_count[module]++
  exports[module, export_count[module]] = $0
  kind_of["Z_" symbols[module] "Z_" $3] = $2
  # For messages: what there is by a name, whatever its type.
  exists[symbols[module], source_name($4)] = 1
}

# A line of host_modules.h.
/^HOST_/ {
  count = split($0, list, /[(,)] */)
  symbol = "Z_" list[3] "Z_" list[4]
  parameters = list[3] "_instance_t*"
  for (i = 5; i < count; i++)
    parameters = parameters ", " list[i]
  declared[0, symbol] = normal(list[2] " " symbol "(Z_" parameters ");")
  is_host[list[3]] = 1
  if (list[1] == "HOST_STUB")
    is_stub[symbol] = 1
}

# A header of wasm2c: the declarations by what they declare, those of imports as well.
!is_names && /^[a-z].*[ *]Z_[A-Za-z0-9_]* ?\(.*\);$/ {
  symbol = $0
  sub(/ ?\(.*/, "", symbol)
  sub(/.*[ *]/, "", symbol)
  declared[module, symbol] = normal($0)
  if (symbol == "Z_" symbols[module] "_instantiate")
    instantiate[module] = $0
}

function check_import(number, line,    words, symbol, giver, where) {
  split(line, words, "\t")
  if (words[3] == "wasmfx")
    return
  symbol = "Z_" words[3] "Z_" words[4]
  where = files[number] ": "
  giver = (words[3] in number_of) ? number_of[words[3]] : 0
  if (giver >= number || (!giver && !(words[3] in is_host)))
    complain(where "unknown import: \"" source_name(words[6]) "\" of \"" words[5] "\": " \
      (giver ? "that module comes later" : "there is no module of that name"))
  else if (!((giver, symbol) in declared))
    complain_of_export(where, giver, words)
  else if (declared[giver, symbol] != declared[number, symbol] || (giver && kind_of[symbol] != words[2]))
    complain(where "incompatible import type: \"" source_name(words[6]) "\" of \"" words[5] "\"")
  else if (!giver && symbol in is_stub)
    stubs[symbol] = declared[0, symbol]
}

# The type is in the name, so another type is another name.
function complain_of_export(where, giver, words,    name) {
  name = source_name(words[6])
  if (giver && (words[3], name) in exists)
    complain(where "incompatible import type: \"" name "\" of \"" words[5] "\" (" files[giver] ")")
  else
    complain(where "unknown import: \"" name "\" of \"" words[5] "\"" (giver ? " (" files[giver] ")" : ""))
}

# ---- C ------------------------------------------------------------------------------------

function emit_instance(number,    parts, count, i, symbol, arguments) {
  count = split(instantiate[number], parts, "struct Z_")
  arguments = "&i" number
  for (i = 2; i <= count; i++) {
    symbol = parts[i]
    sub(/_instance_t.*/, "", symbol)
    arguments = arguments ", " instance_of(number, symbol)
  }
  body = body sprintf("  Z_%s_init_module();\n", symbols[number])
  body = body sprintf("  host_register(&i%d, sizeof i%d);\n", number, number)
  body = body sprintf("  host_making = %d;\n  Z_%s_instantiate(%s);\n", number - 1, symbols[number], arguments)
  body = body "  if (rt->thrown)\n    return;\n"
  symbol = "Z_" symbols[number] "Z__initialize"
  if (number < module && declared[number, symbol] ~ /^void .*\([^,]*\);$/) {
    body = body sprintf("  %s(&i%d);\n", symbol, number)
    body = body "  if (rt->thrown)\n    return;\n"
  }
}

function emit_stub(symbol,    declaration, i) {
  declaration = stubs[symbol]
  sub(/Z_[a-z0-9_]*_instance_t/, "struct &", declaration)
  for (i = 0; sub(/, u/, ",#u", declaration); i++)
    ;
  for (i = 0; sub(/#u(32|64)/, "& a" i, declaration); i++)
    sub(/#/, " ", declaration)
  sub(/\*[,)]/, "*w&", declaration)
  sub(/w\*/, "w", declaration)
  sub(/;$/, "", declaration)
  printf "\n%s\n{\n  return HOST_ENOSYS;\n}\n", declaration
}

# The argument for an imported module. Each module has its own of a host's: they look at its memory.
function instance_of(number, symbol) {
  if (symbol == "wasmfx")
    return "rt"
  if (symbol in number_of)
    return "&i" number_of[symbol]
  printf "static struct Z_%s_instance_t i%d_%s = { memory_%d };\n", symbol, number, symbol, number
  return "&i" number "_" symbol
}

function emit_memory(number,    symbol) {
  symbol = "Z_" symbols[number] "Z_memory"
  printf "static wasm_rt_memory_t *memory_%d(void)\n{\n  return %s;\n}\n", number, \
    (symbol in kind_of && kind_of[symbol] == "memory") ? symbol "(&i" number ")" : "NULL"
}

# The letters of a function's parameters, or "?" where one is of a kind that no command line has.
function parameters_of(declaration,    list, count, i, letters, kind) {
  sub(/^[^(]*\(/, "", declaration)
  sub(/\);$/, "", declaration)
  count = split(declaration, list, /, /)
  letters = ""
  for (i = 2; i <= count; i++)
    letters = letters kinds[list[i]]
  return letters
}

function results_of(declaration,    result) {
  result = declaration
  sub(/ ?Z_.*/, "", result)
  if (result ~ /wasm_multi_/) {
    sub(/.*wasm_multi_/, "", result)
    return result
  }
  return kinds[result]
}

# A function that takes and leaves values in arrays.
function emit_call(place, symbol, parameters, results, number,    call, i) {
  call = symbol "(&i" number
  for (i = 1; i <= length(parameters); i++)
    call = call ", values[" i - 1 "]." fields[substr(parameters, i, 1)]
  call = call ")"
  printf "static void call_%d(wasmfx_value_t *values)\n{\n  (void)values;\n", place
  if (length(results) > 1) {
    printf "  const struct wasm_multi_%s results = %s;\n", results, call
    for (i = 1; i <= length(results); i++)
      emit_result(i - 1, substr(results, i, 1), "results." substr(results, i, 1) (i - 1))
  } else if (results != "")
    emit_result(0, results, call)
  else
    printf "  %s;\n", call
  print "}"
}

function emit_result(place, letter, value) {
  if (letter == "r")
    printf "  values[%d].externref = (void *)%s.func;\n", place, value
  else
    printf "  values[%d].%s = %s;\n", place, fields[letter], value
}

function emit_exports(number,    i, words, symbol, declaration, parameters, results) {
  for (i = 1; i <= export_count[number]; i++) {
    split(exports[number, i], words, "\t")
    symbol = "Z_" symbols[number] "Z_" words[3]
    if (words[2] != "function" || seen[symbol]++)
      continue
    declaration = declared[number, symbol]
    parameters = parameters_of(declaration)
    results = results_of(declaration)
    if (parameters !~ /r/)
      emit_call(call_count + 0, symbol, parameters, results, number)
    table = table sprintf("  { %s, \"%s\", \"%s\", %s },\n", c_string(source_name(words[4])), parameters, results, \
      parameters !~ /r/ ? "call_" (call_count + 0) : "NULL")
    call_count++
  }
}

# Tags are exported as globals that carry their type.
function emit_tags(number,    i, words, symbol) {
  for (i = 1; i <= export_count[number]; i++) {
    split(exports[number, i], words, "\t")
    symbol = "Z_" symbols[number] "Z_" words[3]
    if (words[2] == "variable" && has_type(words[4]) && declared[number, symbol] ~ /^wasm_rt_externref_t\*/)
      tags = tags sprintf("  if (*%s(&i%d) == tag)\n    return %s;\n", symbol, number, \
        c_string(names[number] "!" source_name(words[4])))
  }
}

END {
  if (module == 0)
    exit 1
  for (m = 1; m <= module; m++)
    for (k = 1; k <= import_count[m]; k++)
      check_import(m, imports[m, k])
  if (is_wrong) {
    close("cat >&2")
    exit 1
  }
  print "/* Made by wasmfx-run. */\n#include \"host.h\"\n"
  for (m = 1; m <= module; m++)
    printf "#include \"m%d.h\"\n", m
  for (symbol in is_host)
    if (!(symbol in number_of))
      printf "\nHOST_MODULE(%s);\n", symbol
  for (symbol in stubs)
    emit_stub(symbol)
  for (m = 1; m <= module; m++) {
    printf "\nstatic Z_%s_instance_t i%d;\n", symbols[m], m
    emit_memory(m)
    emit_instance(m)
    emit_tags(m)
  }
  emit_exports(module)
  printf "\nvoid host_make_instances(void *context)\n{\n  wasmfx_rt_t *rt = context;\n%s}\n", body
  printf "\nconst char *host_tag_name(const void *tag)\n{\n  (void)tag;\n%s  return NULL;\n}\n", tags
  print "\nconst struct host_module host_modules[] = {"
  for (m = 1; m <= module; m++)
    printf "  { %s, \"%s\" },\n", c_string(names[m]), symbols[m]
  print "  { NULL, NULL },\n};"
  printf "\nconst struct host_export host_exports[] = {\n%s  { NULL, NULL, NULL, NULL },\n};\n", table
}
