# SPDX-License-Identifier: Apache-2.0
import hashlib

from . import link
from .engine_wasmfx import Wasmfx, with_kinds
from .engines import Answer, Told
from .helper import Helper
from .tools import Missing

LINKING = Answer('gap', 'wasm3 does not link modules')
OTHER_TABLE = Answer('gap', 'wasm3 exports no table but the first')


class Wasm3(Wasmfx):
  """Lowered modules on wasm3, by the glue for that. What a module would import from another is not run."""

  def __init__(self, made_by, assembler, timeout):
    program = made_by.host_program.parents[1] / 'wasm3' / 'engine-wasm3'
    if not program.exists():
      raise Missing(f'{program} is not there; it is built with -Dwasm3=FOLDER')
    Told.__init__(self, Helper([str(program)], timeout, ' '.join, lambda line: line.decode().split()))
    self.begin(made_by, assembler)

  def instantiate(self, instance, module):
    made = self.modules[module]
    if any(wanted.module != link.HOST for wanted in made.module.imports):
      return LINKING
    path = self.chain.cache / f'{hashlib.sha256(made.code).hexdigest()[:32]}.wasm'
    path.write_bytes(made.code)
    answer = self.ask('instantiate', instance, str(path))
    if answer.what == 'ok':
      self.instances[instance] = module
    elif answer.what == 'died' and sum(export.kind == 'table' for export in made.module.exports) > 1:
      return OTHER_TABLE
    return answer

  def ask_export(self, instance, name, verb, arguments):
    if instance not in self.instances:
      return LINKING
    exports = self.module_of(instance).exports
    place = link.find(exports, name)
    if place is None:
      return Answer('died', f'there is no export "{name}"')
    if verb == 'get' and not isinstance(exports[place].type.type, str):
      return Answer('gap', 'wasm3 shows no globals of references')
    answer = self.ask(verb, instance, exports[place].name.encode().hex(), *arguments)
    answer.values = with_kinds(answer.values, self.modules[self.instances[instance]].source, name)
    return answer
