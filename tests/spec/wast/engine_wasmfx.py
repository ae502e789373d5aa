# SPDX-License-Identifier: Apache-2.0
import re
from dataclasses import dataclass

from . import binary, chain, link
from .engines import Answer, Told
from .helper import Died, Helper
from .values import Value

# wasm2c has one trap where WebAssembly's tests have several texts; these are named together.
TEXTS = re.compile(', | or ')

# What other tests may import. It goes the way of all modules.
SPECTEST = '''(module
  (global (export "global_i32") i32 (i32.const 666))
  (global (export "global_i64") i64 (i64.const 666))
  (global (export "global_f32") f32 (f32.const 666.6))
  (global (export "global_f64") f64 (f64.const 666.6))
  (table (export "table") 10 20 funcref)
  (memory (export "memory") 1 2)
  (func (export "print"))
  (func (export "print_i32") (param i32))
  (func (export "print_i64") (param i64))
  (func (export "print_f32") (param f32))
  (func (export "print_f64") (param f64))
  (func (export "print_i32_f32") (param i32 f32))
  (func (export "print_f64_f64") (param f64 f64)))'''

@dataclass
class Made:
  source: binary.Module
  module: binary.Module  # lowered
  code: bytes  # lowered
  is_loaded: bool = False


class Wasmfx(Told):
  """The project's own way: wasmfx-lower, wasm2c, a C compiler, and libwasmfx behind the glue for wasm2c.

  Names are resolved here; the process knows modules, instances and exports by their keys and places.
  """

  def __init__(self, made_by, assembler, timeout):
    super().__init__(Helper([str(made_by.host_program)], timeout, ' '.join, lambda line: line.decode().split()))
    self.begin(made_by, assembler)

  def begin(self, made_by, assembler):
    self.chain = made_by
    self.assembler = assembler
    self.modules = {}
    self.instances = {}  # of which module
    self.registered = {}  # name -> instance

  def define(self, module, binary_, words):
    try:
      code = self.chain.lower(binary_)
    except chain.Refused as refused:
      if refused.is_gap:
        return Answer('gap', f'wasmfx-lower: {refused.text}')
      return Answer('invalid', refused.text, texts=refused.texts())
    except chain.Broken as broken:
      return Answer('died', str(broken))
    self.modules[module] = Made(binary.read(binary_), binary.read(code), code)
    return Answer('ok')

  def instantiate(self, instance, module):
    """What cannot be linked is not compiled."""
    made = self.modules[module]
    try:
      slots = [self.resolve(wanted) for wanted in made.module.imports if wanted.module != link.HOST]
      if not made.is_loaded:
        answer = self.ask('load', module, str(self.chain.compile(made.code)))
        made.is_loaded = answer.what == 'ok'
    except link.Unlinkable as unlinkable:
      return Answer('unlinkable', str(unlinkable), texts=[str(unlinkable)])
    except (chain.Broken, Died) as broken:
      return Answer('died', str(broken))
    if made.is_loaded:
      answer = self.ask('instantiate', instance, module, *slots)
    if answer.what == 'ok':
      self.instances[instance] = module
    return answer

  def resolve(self, wanted):
    if wanted.module == 'spectest' and wanted.module not in self.registered:
      self.make_spectest()
    instance = self.registered.get(wanted.module)
    exports = self.module_of(instance).exports if instance else []
    place = link.resolve(wanted.module, wanted.name, wanted, exports,
                         lambda index: int(self.tell(('size', instance, str(index)))[1]))
    return f'{instance}:{place}'

  def make_spectest(self):
    answer = self.define('spectest-module', self.assembler.assemble(SPECTEST), set())
    if answer.what == 'ok':
      answer = self.instantiate('spectest', 'spectest-module')
    if answer.what != 'ok':
      raise chain.Broken(f'spectest: {answer}')
    self.register('spectest', 'spectest')

  def module_of(self, instance):
    return self.modules[self.instances[instance]].module

  def register(self, name, instance):
    self.registered[name] = instance
    return Answer('ok')

  def invoke(self, instance, name, arguments, kinds):
    return self.ask_export(instance, name, 'invoke', [f'{value.kind}:{value.bits:x}' for value in arguments])

  def get(self, instance, name, kinds):
    return self.ask_export(instance, name, 'get', [])

  def ask_export(self, instance, name, verb, arguments):
    place = link.find(self.module_of(instance).exports, name)
    if place is None:
      return Answer('died', f'there is no export "{name}"')
    answer = self.ask(verb, instance, str(place), *arguments)
    source = self.modules[self.instances[instance]].source
    answer.values = with_kinds(answer.values, source, name)
    return answer

  def ask(self, *question):
    try:
      what, *rest = self.tell(question)
    except Died as died:
      return Answer('died', str(died))
    if what == 'values':
      return Answer(what, values=[read_value(word) for word in rest])
    text = ' '.join(rest)
    return Answer(what, text, texts=TEXTS.split(text))


def read_value(word):
  kind, bits = word.split(':')
  return Value(kind, int(bits, 16))


def with_kinds(values, source, name):
  """Lowered references to continuations and exceptions do not say what they are; the source does."""
  type = next(export.type for export in source.exports if export.name == name)
  types = type.results if isinstance(type, binary.Function) else [type.type]
  return [Value(kind_of(source, type), value.bits) if value.kind == 'any' else value
          for value, type in zip(values, types)]


def kind_of(source, type):
  kind = source.reference_kind(type)
  return kind if kind in ('cont', 'exn') else 'any'
