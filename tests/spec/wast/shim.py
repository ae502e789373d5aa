# SPDX-License-Identifier: Apache-2.0
"""The C between a module from wasm2c and the host process: who calls whom by pointer. engine_wasmfx.h says how.

The module has been renamed: its imports are i0, i1, ... of a module i, but for the host's; its exports e0, e1, ...
"""
from .binary import EXTERNREF, FUNCREF, renamed
from .link import HOST

# lowered type -> in C; the letter of wasm2c; the member of wast_value_t
TYPES = {'i32': ('u32', 'i', 'i32'), 'i64': ('u64', 'j', 'i64'), 'f32': ('f32', 'f', 'f32'), 'f64': ('f64', 'd', 'f64'),
         EXTERNREF: ('wasm_rt_externref_t', 'e', 'externref'), FUNCREF: ('wasm_rt_funcref_t', 'r', 'funcref')}
TABLES = {EXTERNREF: 'wasm_rt_externref_table_t', FUNCREF: 'wasm_rt_funcref_table_t'}


def with_plain_names(data, module):
  names = [None if item.module == HOST else ('i', f'i{index}') for index, item in enumerate(module.imports)]
  return renamed(data, lambda index: names[index], lambda index: f'e{index}')


def shim(module):
  """For the lowered module; it includes what wasm2c makes of it, m.c."""
  imports = [(index, item) for index, item in enumerate(module.imports) if item.module != HOST]
  parts = ['#include "m.c"\n#include "engine_wasmfx.h"\n']
  if imports:
    parts.append('struct Z_i_instance_t {\n  struct Z_i_instance_t *self;\n'
                 f'  wast_slot_t slots[{len(imports)}];\n}};\n')
    parts += [import_of(slot, index, item) for slot, (index, item) in enumerate(imports)]
  parts += [call_of(index, item.type) for index, item in enumerate(module.exports) if item.kind == 'func']
  parts.append(instantiate(module))
  parts.append(description(module))
  return '\n'.join(parts)


def c_type(type):
  return TYPES[type][0]


def letters(types):
  return ''.join(TYPES[type][1] for type in types)


def result_of(function):
  if len(function.results) > 1:
    return f'struct wasm_multi_{letters(function.results)}'
  return c_type(function.results[0]) if function.results else 'void'


def object_of(item):
  """What a table, a memory or a global is in C."""
  if item.kind == 'table':
    return TABLES[item.type.element]
  return 'wasm_rt_memory_t' if item.kind == 'memory' else c_type(item.type.type)


def import_of(slot, index, item):
  if item.kind != 'func':
    kind = object_of(item)
    return (f'{kind} *Z_iZ_i{index}(struct Z_i_instance_t *i) {{\n'
            f'  return i->self->slots[{slot}].object;\n}}\n')
  types = [c_type(type) for type in item.type.parameters]
  parameters = ''.join(f', {type} p{place}' for place, type in enumerate(types))
  arguments = ''.join(f', p{place}' for place in range(len(types)))
  result = result_of(item.type)
  pointer = f'{result} (*)({", ".join(["void *", *types])})'
  return (f'{result} Z_iZ_i{index}(struct Z_i_instance_t *i{parameters}) {{\n'
          f'  {"" if result == "void" else "return "}(({pointer})i->self->slots[{slot}].function)'
          f'(i->self->slots[{slot}].object{arguments});\n}}\n')


def call_of(index, function):
  members = [TYPES[type][2] for type in function.parameters]
  call = f'Z_mZ_e{index}({", ".join(["instance", *(f"values[{i}].{member}" for i, member in enumerate(members))])})'
  results = [TYPES[type][2] for type in function.results]
  if not results:
    body = f'  {call};\n'
  elif len(results) == 1:
    body = f'  values[0].{results[0]} = {call};\n'
  else:
    body = f'  {result_of(function)} results = {call};\n' + ''.join(
      f'  values[{i}].{member} = results.{letter}{i};\n'
      for i, (member, letter) in enumerate(zip(results, letters(function.results))))
  return f'static void call_e{index}(void *instance, wast_value_t *values) {{\n  (void)values;\n{body}}}\n'


def instantiate(module):
  modules = sorted({item.module if item.module == HOST else 'i' for item in module.imports})
  given = {'i': 'slots', HOST: 'host'}
  arguments = ''.join(f', {given[name]}' for name in modules)
  return ('static void instantiate(void *instance, void *slots, void *host) {\n  (void)slots;\n  (void)host;\n'
          f'  Z_m_instantiate(instance{arguments});\n}}\n')


def description(module):
  rows = ''.join(f'  {export_of(index, item)},\n' for index, item in enumerate(module.exports))
  return (f'static const wast_export_t exports[] = {{\n{rows}  {{ 0 }},\n}};\n\n'
          'WAST_VISIBLE const wast_module_t wast_module = {\n'
          f'  .instance_bytes = sizeof(Z_m_instance_t),\n  .exports = exports,\n'
          '  .init = Z_m_init_module,\n  .instantiate = instantiate,\n};\n')


def export_of(index, item):
  name = f'Z_mZ_e{index}'
  if item.kind == 'func':
    parameters, results = letters(item.type.parameters), letters(item.type.results)
    return (f'{{ .kind = WAST_FUNCTION, .parameters = "{parameters}", .results = "{results}", '
            f'.function = (wast_function_t){name}, .call = call_e{index} }}')
  results = {'global': lambda: letters([item.type.type]), 'table': lambda: letters([item.type.element]),
             'memory': lambda: ''}[item.kind]()
  return f'{{ .kind = WAST_{item.kind.upper()}, .results = "{results}", .object = (wast_object_t){name} }}'
