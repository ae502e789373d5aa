# SPDX-License-Identifier: Apache-2.0
"""From a module of WebAssembly to a program of this machine, by wasm2c and a C compiler."""
import os
import re
import shlex
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from toolchain import HERE, ROOT, Missing, run

RUNTIME = Path('/usr/src/wasm2c')  # where Debian's wabt has it
GLUE = ROOT / 'lib' / 'engine' / 'wasm2c'
FLAGS = ['-O2', '-fstack-clash-protection', '-w']


@dataclass(frozen=True)
class Glue:
  """How a lowered module meets the library."""
  macros: tuple = ()
  is_shared: bool = False  # the verbs are in a library of their own, beside the shared libwasmfx


class Engine:

  def __init__(self, build):
    self.build = build
    self.compiler = shlex.split(os.environ.get('CC', 'gcc'))
    self.lower = build / 'tools' / 'wasmfx-lower' / 'wasmfx-lower'
    self.library = build / 'lib'

  def check(self):
    for tool in ('wasm2c', self.compiler[0]):
      if not shutil.which(tool):
        raise Missing(f'{tool} is not there; on Debian: apt-get install wabt gcc')
    if not (RUNTIME / 'wasm-rt-impl.c').exists():
      raise Missing(f'{RUNTIME} has no source of the runtime; on Debian: apt-get install wabt')
    for path in (self.lower, self.library / 'libwasmfx.a', self.library / 'libwasmfx.so'):
      if not path.exists():
        raise Missing(f'{path} is not there; build the project, and name the folder with --build')

  def lowered(self, module, output):
    run([self.lower, module, '-o', output])

  def compile(self, module, output, glue=None):
    """Writes the program. Without glue the module is one that has no verbs."""
    with tempfile.TemporaryDirectory() as folder:
      work = Path(folder)
      if glue:
        self.lowered(module, work / 'lowered.wasm')
        module = work / 'lowered.wasm'
      run(['wasm2c', '-n', 'm', module, '-o', work / 'm.c'])
      common = [*self.compiler, *FLAGS, '-I', work, '-isystem', RUNTIME, '-DMODULE_C="m.c"']
      if not glue:
        return run([*common, HERE / 'host.c', RUNTIME / 'wasm-rt-impl.c', '-o', output])
      common += ['-DWASMFX', '-DIMPORTS=' + imports(work / 'm.h'), '-I', GLUE, '-I', ROOT / 'include']
      common += [f'-D{macro}' for macro in glue.macros]
      return (self.link_shared if glue.is_shared else self.link_inlined)(common, output)

  def link_inlined(self, common, output):
    run([*common, HERE / 'host.c', GLUE / 'wasmfx-rt-impl.c', self.library / 'libwasmfx.a', '-pthread', '-o', output])

  def link_shared(self, common, output):
    verbs, search = Path(f'{output}.so'), f'-Wl,-rpath,{self.library.resolve()}'
    libwasmfx = [self.library / 'libwasmfx.so', search, '-pthread']
    run([*common, '-fPIC', '-shared', GLUE / 'wasmfx-rt-imports.c', GLUE / 'wasmfx-rt-impl.c', *libwasmfx, '-o', verbs])
    run([*common, '-DOPAQUE', HERE / 'host.c', verbs.resolve(), *libwasmfx, '-Wl,-z,now', '-o', output])


def imports(header):
  """The instances that Z_m_instantiate() wants, in its order."""
  declared = re.search(r'void Z_m_instantiate\(Z_m_instance_t\*([^)]*)\)', header.read_text())[1]
  names = {'wasi_snapshot_preview1': '&wasi', 'wasmfx': 'rt'}
  return ', '.join(names[name] for name in re.findall(r'struct Z_(\w+)_instance_t', declared))
