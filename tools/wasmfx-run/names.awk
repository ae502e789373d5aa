# SPDX-License-Identifier: Apache-2.0
# What a module imports and exports, a line each. Input: its bytes as numbers, one a line; a valid module.
#
#   import KIND MODULE-SYMBOL SYMBOL MODULE NAME     KIND: function, table, memory, constant, variable
#   export KIND SYMBOL NAME
#
# with tabs between. The symbols are the names as wasm2c mangles them. wasm2c copies names into the comments of its C:
# one that could end a comment would be C itself, so names with such bytes are refused here.

function byte() {
  if ((getline number) <= 0)
    exit
  at++
  return number + 0
}

function leb(    value, scale, part) {
  value = 0
  scale = 1
  do {
    part = byte()
    value += (part % 128) * scale
    scale *= 128
  } while (part >= 128)
  return value
}

function skip_leb() {
  while (byte() >= 128)
    ;
}

function skip(count) {
  while (count-- > 0)
    byte()
}

# Sets `name` and `symbol`.
function read_name(    count, part, before) {
  name = symbol = ""
  before = 0
  for (count = leb(); count > 0; count--) {
    part = byte()
    if (part < 32 || part == 127 || (before == 42 && part == 47)) {
      print "refused\ta name with control characters or */ in it"
      exit
    }
    before = part
    name = name sprintf("%c", part)
    symbol = symbol mangled(part)
  }
}

function mangled(part,    text) {
  text = sprintf("%c", part)
  if (part < 128 && text ~ /[A-Y_a-z0-9]/)
    return text
  return sprintf("Z%02X", part)
}

function read_limits(    flags) {
  flags = byte()
  skip_leb()
  if (flags % 2)
    skip_leb()
}

# Of a global, behind its value's type.
function read_mutability() {
  return byte() ? "variable" : "constant"
}

# Answers the kind.
function read_import_type(    kind) {
  kind = byte()
  if (kind == 0) {
    skip_leb()
    return "function"
  }
  if (kind == 1) {
    byte()
    read_limits()
    return "table"
  }
  if (kind == 2) {
    read_limits()
    return "memory"
  }
  byte()
  return globals[global_count++] = read_mutability()
}

function read_imports(    count, module, module_symbol, kind) {
  for (count = leb(); count > 0; count--) {
    read_name()
    module = name
    module_symbol = symbol
    read_name()
    kind = read_import_type()
    print "import\t" kind "\t" module_symbol "\t" symbol "\t" module "\t" name
  }
}

function skip_expression(    opcode) {
  while ((opcode = byte()) != 11) {
    if (opcode == 65 || opcode == 66 || opcode == 35 || opcode == 210)
      skip_leb()
    else if (opcode == 67 || opcode == 68)
      skip(opcode == 67 ? 4 : 8)
    else if (opcode == 208)
      byte()
  }
}

function read_globals(    count) {
  for (count = leb(); count > 0; count--) {
    byte()
    globals[global_count++] = read_mutability()
    skip_expression()
  }
}

function read_exports(    count, kind, place) {
  for (count = leb(); count > 0; count--) {
    read_name()
    kind = byte()
    place = leb()
    print "export\t" (kind == 0 ? "function" : kind == 1 ? "table" : kind == 2 ? "memory" : globals[place]) "\t" \
      symbol "\t" name
  }
}

BEGIN {
  skip(8)
  # In this order, custom sections anywhere between.
  for (id = 0; id < 7;) {
    id = byte()
    size = leb()
    from = at
    if (id == 2)
      read_imports()
    else if (id == 6)
      read_globals()
    else if (id == 7)
      read_exports()
    skip(size - (at - from))
  }
}
