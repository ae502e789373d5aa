# SPDX-License-Identifier: Apache-2.0
"""What a valid module in binary imports and exports, with the types; and the same module under other names there."""
from dataclasses import dataclass

NUMBERS = {0x7f: 'i32', 0x7e: 'i64', 0x7d: 'f32', 0x7c: 'f64', 0x7b: 'v128'}
HEAPS = {0x74: 'noexn', 0x73: 'nofunc', 0x72: 'noextern', 0x71: 'none', 0x70: 'func', 0x6f: 'extern', 0x6e: 'any',
         0x6d: 'eq', 0x6c: 'i31', 0x6b: 'struct', 0x6a: 'array', 0x69: 'exn', 0x68: 'cont', 0x75: 'nocont'}
KINDS = ['func', 'table', 'memory', 'global', 'tag']
TYPES, IMPORTS, FUNCTIONS, TABLES, MEMORIES, GLOBALS, EXPORTS, TAGS = 1, 2, 3, 4, 5, 6, 7, 13
# Of constant expressions: opcode -> how many integers follow. That of 0xd0 is a heap type.
CONSTANTS = {0x41: 1, 0x42: 1, 0x23: 1, 0xd2: 1, 0xd0: 1,
             0x6a: 0, 0x6b: 0, 0x6c: 0, 0x7c: 0, 0x7d: 0, 0x7e: 0}


@dataclass(frozen=True)
class Ref:
  """A type of references. `heap`: the word of an abstract type, or the index of a defined one."""
  heap: object
  nullable: bool = True


FUNCREF, EXTERNREF = Ref('func'), Ref('extern')


@dataclass(frozen=True)
class Function:
  parameters: tuple
  results: tuple


@dataclass(frozen=True)
class Limits:
  """Of a table of elements of a type, or of a memory, which has none. No maximum: None."""
  element: object
  minimum: int
  maximum: object


@dataclass(frozen=True)
class Global:
  type: object
  mutable: bool


@dataclass(frozen=True)
class Import:
  module: str
  name: str
  kind: str
  type: object


@dataclass(frozen=True)
class Export:
  name: str
  kind: str
  type: object


@dataclass(frozen=True)
class Module:
  types: list  # a Function, or 'cont', 'struct', 'array'
  imports: list
  exports: list

  def reference_kind(self, reference):
    """func, extern, exn, cont or any: what a value of this type that is not null is to a script."""
    heap = reference.heap
    if isinstance(heap, int):
      heap = 'func' if isinstance(self.types[heap], Function) else self.types[heap]
    heap = heap.removeprefix('no')
    return heap if heap in ('func', 'extern', 'exn', 'cont') else 'any'


class Bytes:
  """A place in bytes, and what can be read there. The module has been validated: nothing is checked."""

  def __init__(self, data, at=0):
    self.data = data
    self.at = at

  def byte(self):
    self.at += 1
    return self.data[self.at - 1]

  def number(self, signed=False):
    value = shift = 0
    while True:
      byte = self.byte()
      value |= (byte & 0x7f) << shift
      shift += 7
      if byte < 0x80:
        return value - (1 << shift) if signed and byte & 0x40 else value

  def taken(self, size):
    self.at += size
    return self.data[self.at - size:self.at]

  def name(self):
    return self.taken(self.number()).decode()

  def list(self, read):
    return [read() for _ in range(self.number())]

  def next(self):
    return self.data[self.at]


class Reader:

  def __init__(self, data):
    self.data = data
    self.types = []
    self.imports = []
    self.exports = []
    self.spaces = {kind: [] for kind in KINDS}

  def module(self):
    readers = {TYPES: self.read_types, IMPORTS: self.read_import, FUNCTIONS: self.read_function,
               TABLES: self.read_table, MEMORIES: self.read_memory, TAGS: self.read_tag, GLOBALS: self.read_global,
               EXPORTS: self.read_export}
    for number, section in sections(self.data):
      if number in readers:
        self.bytes = Bytes(section)
        self.bytes.list(readers[number])
    return Module(self.types, self.imports, self.exports)

  def read_types(self):
    if self.bytes.next() == 0x4e:
      self.bytes.byte()
      self.bytes.list(self.read_type)
    else:
      self.read_type()

  def read_type(self):
    form = self.bytes.byte()
    if form in (0x50, 0x4f):
      self.bytes.list(self.bytes.number)  # supertypes
      form = self.bytes.byte()
    self.types.append(getattr(self, f'composite_{form:x}')())

  def composite_60(self):
    return Function(tuple(self.bytes.list(self.value_type)), tuple(self.bytes.list(self.value_type)))

  def composite_5d(self):
    self.bytes.number()
    return 'cont'

  def composite_5f(self):
    self.bytes.list(self.field)
    return 'struct'

  def composite_5e(self):
    self.field()
    return 'array'

  def field(self):
    if self.bytes.next() in (0x78, 0x77):  # i8, i16
      self.bytes.byte()
    else:
      self.value_type()
    self.bytes.byte()

  def value_type(self):
    byte = self.bytes.byte()
    if byte in NUMBERS:
      return NUMBERS[byte]
    if byte in (0x63, 0x64):
      heap = self.bytes.number(signed=True)
      return Ref(heap if heap >= 0 else HEAPS[heap & 0x7f], byte == 0x63)
    return Ref(HEAPS[byte])

  def table_type(self):
    return self.limits(self.value_type())

  def limits(self, element=None):
    flags = self.bytes.byte()
    return Limits(element, self.bytes.number(), self.bytes.number() if flags & 1 else None)

  def global_type(self):
    return Global(self.value_type(), bool(self.bytes.byte()))

  def function_type(self):
    return self.types[self.bytes.number()]

  def tag_type(self):
    self.bytes.byte()
    return self.function_type()

  def add(self, kind, type):
    self.spaces[kind].append(type)
    return type

  def read_import(self):
    module, name, kind = self.bytes.name(), self.bytes.name(), KINDS[self.bytes.byte()]
    read = {'func': self.function_type, 'table': self.table_type, 'memory': self.limits, 'global': self.global_type,
            'tag': self.tag_type}
    self.imports.append(Import(module, name, kind, self.add(kind, read[kind]())))

  def read_function(self):
    self.add('func', self.function_type())

  def read_table(self):
    has_first_value = self.bytes.next() == 0x40
    if has_first_value:
      self.bytes.taken(2)
    self.add('table', self.table_type())
    if has_first_value:
      self.skip_constant()

  def read_memory(self):
    self.add('memory', self.limits())

  def read_tag(self):
    self.add('tag', self.tag_type())

  def read_global(self):
    self.add('global', self.global_type())
    self.skip_constant()

  def skip_constant(self):
    while (opcode := self.bytes.byte()) != 0x0b:
      if opcode in (0x43, 0x44):
        self.bytes.taken(4 if opcode == 0x43 else 8)
      else:
        for _ in range(CONSTANTS[opcode]):
          self.bytes.number()

  def read_export(self):
    name, kind = self.bytes.name(), KINDS[self.bytes.byte()]
    self.exports.append(Export(name, kind, self.spaces[kind][self.bytes.number()]))


def sections(data):
  """Each with its number."""
  source = Bytes(data, 8)
  while source.at < len(data):
    number = source.byte()
    yield number, source.taken(source.number())


def read(data):
  return Reader(data).module()


# ---- Other names ---------------------------------------------------------------------------------------------


def renamed(data, import_name, export_name):
  """The module with the names that the functions give: by its place for an import, the names of module and item, or
  None to let it as it is; by its place for an export its name. Custom sections are left out."""
  out = bytearray(data[:8])
  for number, section in sections(data):
    if number == IMPORTS:
      section = renamed_imports(data, section, import_name)
    elif number == EXPORTS:
      section = renamed_exports(section, export_name)
    if number:
      out += bytes([number]) + written(len(section)) + section
  return bytes(out)


def renamed_imports(data, section, import_name):
  reader = Reader(data)
  reader.types = read(data).types
  source = reader.bytes = Bytes(section)
  count = source.number()
  out = bytearray(written(count))
  for index in range(count):
    begin = source.at
    old = source.name(), source.name()
    behind = source.at
    source.at = begin
    reader.read_import()
    for name in import_name(index) or old:
      out += written_name(name)
    out += section[behind:source.at]
  return bytes(out)


def renamed_exports(section, export_name):
  source = Bytes(section)
  count = source.number()
  out = bytearray(written(count))
  for index in range(count):
    source.name()
    out += written_name(export_name(index)) + source.taken(1) + written(source.number())
  return bytes(out)


def written(number):
  out = bytearray()
  while number >= 0x80:
    out.append(number & 0x7f | 0x80)
    number >>= 7
  return bytes(out + bytes([number]))


def written_name(name):
  encoded = name.encode()
  return written(len(encoded)) + encoded
