#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The way from a module to the process that runs it, without the programs on it: what modules import and export, who is
linked to whom, and what the engine makes of the answers."""
import sys
import unittest

sys.dont_write_bytecode = True
from wast import binary, chain, engine_wasmfx, link, shim
from wast.binary import EXTERNREF, FUNCREF, Export, Function, Global, Import, Limits, Ref, written, written_name
from wast.helper import Died
from wast.values import Value

# ---- Modules in binary -----------------------------------------------------------------------------------


def module(*sections):
  return b'\0asm\1\0\0\0' + b''.join(sections)


def section(number, *items):
  content = written(len(items)) + b''.join(items)
  return bytes([number]) + written(len(content)) + content


def types(*items):
  return section(1, *items)


def imported(where, name, kind, type):
  return written_name(where) + written_name(name) + bytes([kind]) + type


def exported(name, kind, index):
  return written_name(name) + bytes([kind]) + written(index)


I32_TO_I64 = b'\x60\x01\x7f\x01\x7e'
NOTHING = b'\x60\0\0'


class Binaries(unittest.TestCase):

  def exports(self, *sections):
    return [(export.kind, export.type) for export in binary.read(module(*sections)).exports]

  def test_imports_have_their_types(self):
    read = binary.read(module(types(I32_TO_I64), section(
      2, imported('m', 'f', 0, b'\0'), imported('m', 't', 1, b'\x6f\x01\x01\x02'), imported('', 'm', 2, b'\0\x01'),
      imported('n', 'g', 3, b'\x7d\x01'))))
    self.assertEqual(read.imports, [
      Import('m', 'f', 'func', Function(('i32',), ('i64',))), Import('m', 't', 'table', Limits(EXTERNREF, 1, 2)),
      Import('', 'm', 'memory', Limits(None, 1, None)), Import('n', 'g', 'global', Global('f32', True))])

  def test_an_export_counts_the_imports_of_its_kind_first(self):
    self.assertEqual(
      self.exports(types(I32_TO_I64, NOTHING), section(2, imported('m', 'g', 3, b'\x7f\0'),
                                                       imported('m', 'f', 0, b'\0')),
                   section(3, b'\x01'), section(7, exported('a', 0, 0), exported('b', 0, 1))),
      [('func', Function(('i32',), ('i64',))), ('func', Function((), ()))])

  def test_types_of_all_forms_have_an_index(self):
    group = b'\x4e\x02' + b'\x60\x01\x63\x01\0' + b'\x5d\0'  # (rec (type (func (param (ref null 1)))) (type (cont 0)))
    read = binary.read(module(types(
      group, b'\x50\x01\x00\x60\x01\x63\x01\0', b'\x4f\0\x5f\x02\x78\0\x7f\x01', b'\x5e\x64\x03\0', b'\x5d\x02')))
    function = Function((Ref(1),), ())
    self.assertEqual(read.types, [function, 'cont', function, 'struct', 'array', 'cont'])

  def test_an_abstract_type_is_negative_and_an_index_is_not(self):
    read = binary.read(module(types(b'\x60\x03\x63\x6f\x64\xef\0\x64\x69\0')))
    self.assertEqual(read.types, [Function((EXTERNREF, Ref(0x6f, False), Ref('exn', False)), ())])

  def test_what_a_reference_is_to_a_script(self):
    read = binary.read(module(types(NOTHING, b'\x5d\0', b'\x5f\0')))
    for heap, kind in ((0, 'func'), (1, 'cont'), (2, 'any'), ('nofunc', 'func'), ('cont', 'cont'), ('nocont', 'cont'),
                       ('exn', 'exn'), ('extern', 'extern'), ('eq', 'any'), ('none', 'any')):
      self.assertEqual(read.reference_kind(Ref(heap)), kind, heap)

  def test_first_values_are_skipped_whatever_bytes_they_have(self):
    values = [b'\x7f\0\x41\x0b', b'\x7e\0\x42\x8b\x0b', b'\x7d\0\x43\x0b\x0b\x0b\x0b', b'\x7c\0\x44' + b'\x0b' * 8,
              b'\x70\0\xd2\x0b', b'\x6f\0\xd0\x6f', b'\x7f\0\x23\x0b\x41\x0b\x6a']
    count = len(values)
    self.assertEqual(
      self.exports(section(6, *(value + b'\x0b' for value in values), b'\x7f\x01\x41\0\x0b'),
                   section(7, exported('g', 3, count))),
      [('global', Global('i32', True))])

  def test_a_table_may_have_a_first_value(self):
    self.assertEqual(
      self.exports(section(4, b'\x40\0\x70\0\x01\xd0\x0b\x0b', b'\x6f\x01\x02\x03'), section(7, exported('t', 1, 1))),
      [('table', Limits(EXTERNREF, 2, 3))])

  def test_renaming_leaves_all_but_names_and_custom_sections(self):
    def named(first, second, export, *custom):
      imports = section(2, imported(*first, 0, b'\0'), imported(*second, 2, b'\x01\x01\x02'))
      return module(*custom, types(NOTHING), imports, section(7, exported(export, 0, 0)), section(10))
    given = named(('wasmfx', 'value'), ('m', 'x'), 'long name', b'\0\x02\x01a')
    self.assertEqual(binary.renamed(given, [None, ('i', 'i1')].__getitem__, 'e{}'.format),
                     named(('wasmfx', 'value'), ('i', 'i1'), 'e0'))


# ---- Linking ---------------------------------------------------------------------------------------------

SUFFIX = '#0123456789abcdef0123456789abcdef'
OTHER = '#fedcba9876543210fedcba9876543210'
F, G = Function((), ()), Function(('i32',), ())


class Linking(unittest.TestCase):

  def resolved(self, wanted, *exports, size=0):
    """The place, or the words."""
    try:
      return link.resolve('m', wanted.name, wanted, [Export(*export) for export in exports], lambda index: size)
    except link.Unlinkable as unlinkable:
      return str(unlinkable).partition(' "')[0]

  def function(self, name, *exports):
    return self.resolved(Import('m', name, 'func', F), *exports)

  def test_a_name_of_the_source(self):
    for name, source in (('f', 'f'), ('f' + SUFFIX, 'f'), ('a##b', 'a#b'), ('', ''), (SUFFIX, ''), ('##' + SUFFIX, '#'),
                         ('f#' + SUFFIX, 'f' + SUFFIX), ('\n', '\n')):
      self.assertEqual(link.stem(name), source, name)

  def test_an_export_of_several_types_is_found_by_the_first(self):
    exports = [Export(name, 'func', F) for name in ('f', 'g' + OTHER, 'g' + SUFFIX)]
    self.assertEqual([link.find(exports, name) for name in ('f', 'g', 'h')], [0, 1, None])

  def test_names_are_compared_with_the_type_in_them(self):
    self.assertEqual(self.function('f' + SUFFIX, ('f' + OTHER, 'func', F), ('f' + SUFFIX, 'func', F)), 1)
    self.assertEqual(self.function('f' + SUFFIX, ('f' + OTHER, 'func', F)), 'incompatible import type')
    self.assertEqual(self.function('f' + SUFFIX, ('f', 'func', F)), 'incompatible import type')
    self.assertEqual(self.function('f', ('f' + SUFFIX, 'func', F)), 'incompatible import type')

  def test_what_nobody_exports_is_unknown(self):
    self.assertEqual(self.function('f', ('g', 'func', F)), 'unknown import')
    self.assertEqual(self.function('f' + SUFFIX, ('f#' + SUFFIX, 'func', F)), 'unknown import')

  def test_kinds_and_types_that_names_do_not_say(self):
    self.assertEqual(self.function('f', ('f', 'func', F)), 0)
    self.assertEqual(self.function('f', ('f', 'func', G)), 'incompatible import type')
    self.assertEqual(self.function('f', ('f', 'global', F)), 'incompatible import type')
    wanted = Import('m', 'g', 'global', Global('i32', False))
    self.assertEqual(self.resolved(wanted, ('g', 'global', Global('i32', False))), 0)
    self.assertEqual(self.resolved(wanted, ('g', 'global', Global('i32', True))), 'incompatible import type')

  def test_limits(self):
    # what is wanted, the maximum of what is there, its size now
    for minimum, maximum, found, size, fits in ((2, None, None, 2, True), (2, None, None, 1, False),
                                                (2, 4, 4, 3, True), (2, 4, 3, 2, True), (2, 4, 5, 2, False),
                                                (2, 4, None, 2, False), (2, None, 4, 2, True)):
      self.assertEqual(self.resolved(Import('m', 'x', 'memory', Limits(None, minimum, maximum)),
                                     ('x', 'memory', Limits(None, 0, found)), size=size) == 0, fits)

  def test_tables_of_other_elements(self):
    wanted = Import('m', 't', 'table', Limits(FUNCREF, 0, None))
    self.assertEqual(self.resolved(wanted, ('t', 'table', Limits(FUNCREF, 0, None))), 0)
    self.assertEqual(self.resolved(wanted, ('t', 'table', Limits(EXTERNREF, 0, None))), 'incompatible import type')


class Shims(unittest.TestCase):

  def test_several_results_are_the_struct_of_wasm2c(self):
    self.assertEqual(shim.result_of(Function((), ('i32', 'i64', EXTERNREF, FUNCREF, 'f32', 'f64'))),
                     'struct wasm_multi_ijerfd')
    self.assertIn('values[1].i64 = results.j1;', shim.call_of(0, Function((), ('i32', 'i64'))))

  def test_an_import_passes_on_what_it_gets(self):
    text = shim.import_of(3, 5, Import('m', 'f', 'func', Function(('i32', FUNCREF), ('f64',))))
    self.assertIn('f64 Z_iZ_i5(struct Z_i_instance_t *i, u32 p0, wasm_rt_funcref_t p1)', text)
    self.assertIn('return ((f64 (*)(void *, u32, wasm_rt_funcref_t))i->self->slots[3].function)'
                  '(i->self->slots[3].object, p0, p1);', text)

  def test_slots_are_for_imports_that_are_not_the_hosts(self):
    imports = [Import('wasmfx', 'value', 'func', F), Import('m', 'f', 'func', F), Import('a', 'g', 'func', F)]
    text = shim.shim(binary.Module([], imports, []))
    self.assertIn('slots[2];', text)
    self.assertIn('Z_iZ_i2(struct Z_i_instance_t *i) {\n  ((void (*)(void *))i->self->slots[1].function)', text)
    self.assertIn('Z_m_instantiate(instance, slots, host);', text)


# ---- The engine --------------------------------------------------------------------------------------------


class Refusals(unittest.TestCase):

  def test_the_place_is_not_part_of_the_text(self):
    for message in ('/a b/m.wasm:0x1f3: function 4 "a: b": resume: type mismatch: expected i32',
                    'm.wasm:0x1f3: function 4: resume: type mismatch: expected i32',
                    'm.wasm:0x1f3: resume: type mismatch: expected i32'):
      self.assertEqual(chain.Refused(message).texts(),
                       ['resume: type mismatch: expected i32', 'type mismatch: expected i32'])

  def test_what_is_not_supported(self):
    self.assertTrue(chain.Refused('m.wasm:0x1: function 1: not supported: struct.new').is_gap)
    self.assertFalse(chain.Refused('m.wasm:0x1: function 1 "not supported": unexpected end').is_gap)


class Steps:
  """A chain that lowers nothing, and compiles to a name."""

  def __init__(self):
    self.compiled = []

  def lower(self, given):
    if isinstance(given, Exception):
      raise given
    return given

  def compile(self, lowered):
    self.compiled.append(lowered)
    return 'path'


class Answers:
  """A process whose answers are written down beforehand, by verb."""

  def __init__(self, **answers):
    self.process = True
    self.asked = []
    self.answers = answers

  def ask(self, question):
    self.asked.append(question)
    answer = self.answers.get(question[0], 'ok')
    if answer == 'dies':
      self.process = None
      raise Died('it died')
    self.process = True
    return answer.split(' ')


EXPORTS_F = module(types(NOTHING), section(3, b'\0'), section(7, exported('f', 0, 0)))
IMPORTS_F = module(types(NOTHING), section(2, imported('m', 'f', 0, b'\0')))


class Engines(unittest.TestCase):

  def engine(self, **answers):
    engine = engine_wasmfx.Wasmfx.__new__(engine_wasmfx.Wasmfx)
    engine_wasmfx.Told.__init__(engine, Answers(**answers))
    engine.begin(Steps(), None)
    return engine

  def of(self, code, **answers):
    """An engine with an instance #2 of this module, #1."""
    engine = self.engine(**answers)
    self.assertEqual(engine.define('#1', code, set()).what, 'ok')
    engine.instantiate('#2', '#1')
    return engine

  def test_refusals(self):
    message = 'm.wasm:0x9: function 0: suspend: unknown tag 1'
    answer = self.engine().define('#1', chain.Refused(message), set())
    self.assertEqual((answer.what, answer.texts), ('invalid', ['suspend: unknown tag 1', 'unknown tag 1']))
    self.assertEqual(self.engine().define('#1', chain.Refused('m.wasm:0x9: not supported: x'), set()).what, 'gap')
    self.assertEqual(self.engine().define('#1', chain.Broken('x'), set()).what, 'died')

  def test_a_module_is_compiled_when_it_can_be_linked(self):
    engine = self.engine()
    engine.define('#1', IMPORTS_F, set())
    self.assertEqual(engine.chain.compiled, [])
    self.assertEqual(engine.instantiate('#2', '#1').what, 'unlinkable')
    self.assertEqual((engine.chain.compiled, engine.helper.asked), ([], []))

  def test_a_module_is_loaded_once(self):
    engine = self.of(EXPORTS_F)
    engine.instantiate('#3', '#1')
    self.assertEqual(engine.helper.asked,
                     [('load', '#1', 'path'), ('instantiate', '#2', '#1'), ('instantiate', '#3', '#1')])

  def test_an_import_is_an_instance_and_a_place(self):
    engine = self.of(EXPORTS_F)
    engine.register('m', '#2')
    engine.define('#3', IMPORTS_F, set())
    self.assertEqual(engine.instantiate('#4', '#3').what, 'ok')
    self.assertEqual(engine.helper.asked[-1], ('instantiate', '#4', '#3', '#2:0'))

  def test_an_instance_that_has_failed_is_none(self):
    engine = self.of(EXPORTS_F, instantiate='trap unreachable')
    self.assertEqual(engine.instances, {})

  def test_a_trap_may_be_one_of_several(self):
    engine = self.of(EXPORTS_F, invoke='trap undefined element, uninitialized element or indirect call type mismatch')
    self.assertEqual(engine.invoke('#2', 'f', [], []).texts,
                     ['undefined element', 'uninitialized element', 'indirect call type mismatch'])

  def test_arguments_and_results(self):
    code = module(types(b'\x60\0\x02\x7f\x6f'), section(3, b'\0'), section(7, exported('f', 0, 0)))
    engine = self.of(code, invoke='values i32:ff null:0')
    answer = engine.invoke('#2', 'f', [Value('i64', 16), Value('extern', 1), Value('null')], [])
    self.assertEqual(engine.helper.asked[-1], ('invoke', '#2', '0', 'i64:10', 'extern:1', 'null:0'))
    self.assertEqual((answer.what, answer.values), ('values', [Value('i32', 255), Value('null')]))

  def test_the_source_says_what_kind_a_reference_is(self):
    code = module(types(NOTHING, b'\x5d\0', b'\x60\0\x04\x64\x01\x69\x6f\x63\x01'), section(3, b'\x02'),
                  section(6, b'\x63\x01\0\xd0\x01\x0b'), section(7, exported('f', 0, 0), exported('g', 3, 0)))
    engine = self.of(code, invoke='values any:0 any:0 any:0 null:0', get='values any:0')
    self.assertEqual([value.kind for value in engine.invoke('#2', 'f', [], []).values], ['cont', 'exn', 'any', 'null'])
    self.assertEqual([value.kind for value in engine.get('#2', 'g', []).values], ['cont'])

  def test_what_is_not_exported(self):
    self.assertEqual(self.of(EXPORTS_F).invoke('#2', 'x', [], []).what, 'died')

  def test_after_a_death_all_is_told_again(self):
    engine = self.of(EXPORTS_F)
    engine.helper.answers['invoke'] = 'dies'
    self.assertEqual(engine.invoke('#2', 'f', [], []).text, 'it died')
    engine.helper.answers['invoke'], engine.helper.asked = 'values', []
    self.assertEqual(engine.invoke('#2', 'f', [], []).what, 'values')
    self.assertEqual([question[0] for question in engine.helper.asked], ['load', 'instantiate', 'invoke'])


if __name__ == '__main__':
  unittest.main()
