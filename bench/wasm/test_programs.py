#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The programs print what they must, whatever makes their fibers and whatever runs them.

Modules are built with FIBER_CHECK, so that a program whose fibers share a shadow stack, and which yields with something
on it, ends there and then. Node runs all of them; where wasm2c is, those for stack switching are lowered and run by it.
usage: test_programs.py BUILD-FOLDER
"""
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True  # the tree stays as it is
import engine
import toolchain

# Arguments, and what is printed then; None: what all others print.
C10M = ('300 20 0', '300 20 1', '100 7 10', '50 50 3 5')
EXPECTED = {
  'c10m': {size: None for size in C10M},
  'c10m-by-hand': {size: None for size in C10M},
  'itersum': {'1000': sum(range(1000))},
  'treesum': {'10': 10 * 2**10, '0': 0},
  'state': {'100': 100},
  'scheduler': {'50 10': 50 * sum(range(1, 11)), '7 1': 7},
  'sieve': {'10': 2 + 3 + 5 + 7 + 11 + 13 + 17 + 19 + 23 + 29},
  'skynet': {'0': 0, '3': sum(range(1000))},
  'test-rules': {'': None},
}
SHADOW = {'test-shadow': {'10': 100 * (10 + 2) * 64}}
MACROS = ('FIBER_CHECK=1', 'FIBER_STACK_BYTES=8192')
CASES = [('c10m-by-hand', 'wasmfx')]
CASES += [(program, back_end) for program in EXPECTED for back_end in ('wasmfx', 'asyncify') if program != CASES[0][0]]
CASES += [(program, 'wasmfx-own') for program in ('c10m', 'skynet', 'treesum', 'test-rules')]
CASES += [('test-shadow', back_end) for back_end in toolchain.BACK_ENDS]


class Tap:

  def __init__(self):
    self.count, self.failed = 0, False

  def check(self, holds, name, why=''):
    self.count += 1
    self.failed |= not holds
    print(f'{"ok" if holds else "not ok"} {self.count} - {name}', flush=True)
    if not holds and why:
      print('\n'.join('# ' + line for line in why.splitlines()), flush=True)

  def finish(self):
    print(f'1..{self.count}')
    sys.exit(self.failed)


class Programs:

  def __init__(self, tools, host, folder):
    self.tools, self.host, self.folder = tools, host, folder

  def build(self, case):
    """The commands that run it, by name of who does."""
    program, back_end = case
    module = self.folder / f'{program}-{back_end}.wasm'
    toolchain.build(self.tools, program, back_end, module, MACROS)
    commands = {'node': [self.tools.node, *toolchain.NODE_FLAGS, toolchain.HERE / 'run.mjs', module]}
    if self.host and back_end.startswith('wasmfx') and program not in toolchain.BY_HAND:
      commands['wasm2c'] = [module.with_suffix('')]
      self.host.compile(module, module.with_suffix(''), engine.Glue())
    return commands


def output_of(command, size):
  done = subprocess.run([*map(str, command), *size.split()], capture_output=True, text=True)
  return (done.stdout.strip() if done.returncode == 0 else f'exit status {done.returncode}'), done.stderr


def check_outputs(tap, case, commands, expected, first):
  """What nobody knows beforehand is right if all print it."""
  program, back_end = case
  for by, command in commands.items():
    for size, wanted in expected.items():
      output, errors = output_of(command, size)
      wanted = first.setdefault((program.removesuffix('-by-hand'), size), output) if wanted is None else str(wanted)
      tap.check(output == wanted, f'{program} {size}: {back_end}, {by}', f'{output}, not {wanted}\n{errors[:1000]}')


def check_refused(tap, case, commands):
  for by, command in commands.items():
    output, errors = output_of(command, '')
    tap.check(not output.isdigit() and 'shadow stack' in errors,
              f'{case[0]}: {case[1]}, {by}: one that waits with something on a shared stack is found', output)


def check_overflow(tap, case, commands):
  for by, command in commands.items():
    output, errors = output_of(command, '150')
    tap.check(not output.isdigit() and 'has left its shadow stack' in errors,
              f'{case[0]}: {case[1]}, {by}: one that needs more than its shadow stack is found', output)


def find_host(folder):
  """None, with a line that says why, where it is not."""
  host = engine.Engine(folder)
  try:
    host.check()
  except toolchain.Missing as missing:
    print(f'# without wasm2c: {missing}')
    return None
  return host


def main():
  tools = toolchain.Tools(toolchain.default_folder())
  try:
    tools.check()
  except toolchain.Missing as missing:
    print(f'1..0 # SKIP {missing}')
    return
  tap, first = Tap(), {}
  with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
    programs = Programs(tools, find_host(Path(sys.argv[1])), Path(folder))
    for case, commands in zip(CASES, pool.map(programs.build, CASES)):
      program, back_end = case
      if program in EXPECTED:
        check_outputs(tap, case, commands, EXPECTED[program], first)
      elif back_end.endswith('own'):
        check_outputs(tap, case, commands, SHADOW[program], first)
        check_overflow(tap, case, commands)
      else:
        check_refused(tap, case, commands)
  tap.finish()


if __name__ == '__main__':
  main()
