# SPDX-License-Identifier: Apache-2.0
"""From a module in binary to one that the host process loads: wasmfx-lower, wasm2c, and the C compiler."""
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import binary, shim
from .tools import HERE, Missing

ROOT = HERE.parents[2]
GLUE = ROOT / 'lib' / 'engine' / 'wasm2c'
# As in "m.wasm:0x1f3: function 4 "run": resume: type mismatch: ..."
MESSAGE = re.compile(r'.*?:0x[0-9a-f]+: (?:function \d+(?: ".*?")?: )?(.*)', re.DOTALL)
# Recursion without end is to end: no loops of it. NaNs become quiet where wasm2c says so, not where the compiler likes.
FLAGS = ['-std=gnu11', '-O1', '-fno-optimize-sibling-calls', '-fsignaling-nans', '-fstack-clash-protection', '-fPIC',
         '-shared', '-fvisibility=hidden', '-w']


class Refused(Exception):
  """By wasmfx-lower. `text` is what it says, without the place; `is_gap`: the module may be a good one."""

  def __init__(self, message):
    super().__init__(message)
    match = MESSAGE.match(message)
    self.text = match.group(1) if match else message
    self.is_gap = 'not supported' in self.text

  def texts(self):
    """Those by which WebAssembly's tests may know it: there may be an instruction before it."""
    return [self.text, self.text.partition(': ')[2]] if ': ' in self.text else [self.text]


class Broken(Exception):
  """A step that should not fail has."""


class Chain:
  """`build`: a folder that Meson has built this project in. What was compiled stays there, by what it was made from."""

  def __init__(self, build, timeout):
    self.timeout = timeout
    self.lower_program = build / 'tools' / 'wasmfx-lower' / 'wasmfx-lower'
    self.host_program = build / 'tests' / 'spec' / 'engine-wasmfx'
    self.cache = build / 'tests' / 'spec' / 'modules'
    self.compiler = os.environ.get('CC', 'cc').split()
    self.check()
    self.cache.mkdir(parents=True, exist_ok=True)
    self.made_with = self.ingredients()

  def check(self):
    for program, package in (('wasm2c', 'wabt'), (self.compiler[0], 'gcc')):
      if not shutil.which(program):
        raise Missing(f'{program} is not there; on Debian: apt-get install {package}')
    how = 'build the project, where wabt is installed and without sanitizers, and say where that is: --build FOLDER'
    for program in (self.lower_program, self.host_program):
      if not program.exists():
        raise Missing(f'{program} is not there; {how}')

  def ingredients(self):
    """Of all modules."""
    parts = [output_of([*self.compiler, '--version']), output_of(['wasm2c', '--version']), ' '.join(FLAGS).encode()]
    headers = [*HERE.glob('*.h'), *GLUE.glob('*.h'), *(ROOT / 'include').rglob('*.h')]
    parts += [path.read_bytes() for path in sorted(headers)]
    return hashlib.sha256(b'\0'.join(parts)).digest()

  def lower(self, module):
    with tempfile.TemporaryDirectory(dir=self.cache) as folder:
      source, lowered = Path(folder, 'm.wasm'), Path(folder, 'lowered.wasm')
      source.write_bytes(module)
      ended = self.run([str(self.lower_program), str(source), '-o', str(lowered)], self.timeout)
      if ended.returncode == 1:
        raise Refused(ended.stderr.decode(errors='replace').strip())
      if ended.returncode or not lowered.exists():
        raise Broken(f'wasmfx-lower: status {ended.returncode}: {first_line(ended.stderr)}')
      return lowered.read_bytes()

  def compile(self, lowered):
    """The path of the shared object."""
    described = binary.read(lowered)
    try:
      code = shim.shim(described)
    except KeyError as key:
      raise Broken(f'wasmfx-lower: this is not lowered: {key}') from None
    name = hashlib.sha256(b'\0'.join([self.made_with, code.encode(), lowered])).hexdigest()[:32]
    made = self.cache / f'{name}.so'
    if not made.exists():
      with tempfile.TemporaryDirectory(dir=self.cache) as folder:
        Path(folder, 'm.wasm').write_bytes(shim.with_plain_names(lowered, described))
        Path(folder, 'shim.c').write_text(code)
        self.step(['wasm2c', '-n', 'm', 'm.wasm', '-o', 'm.c'], folder)
        self.step([*self.compiler, *FLAGS, *self.includes(), 'shim.c', '-o', 'm.so', '-lm'], folder)
        os.replace(Path(folder, 'm.so'), made)
    return made

  def includes(self):
    return [f'-I{folder}' for folder in (HERE, GLUE, ROOT / 'include')] + ['-include', 'wasmfx-rt-imports.h']

  def step(self, command, folder):
    """Compilers may take their time."""
    ended = self.run(command, 10 * self.timeout, cwd=folder)
    if ended.returncode:
      raise Broken(f'{command[0]}: {first_line(ended.stderr)}')

  def run(self, command, timeout, **options):
    try:
      return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, **options)
    except subprocess.TimeoutExpired:
      raise Broken(f'{command[0]}: no end in {timeout:g} s') from None


def output_of(command):
  return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).stdout


def first_line(output):
  lines = output.decode(errors='replace').splitlines()
  return next((line for line in lines if 'error' in line), lines[0] if lines else 'no word')
