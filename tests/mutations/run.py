#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks the library in one place at a time and sees whether a test notices.

The lists beside this file, *.txt, hold the mutations, separated by blank lines:

    mutation: a-name
    breaks:   what a user would see, or why it matters
    file:     lib/object.c
    try:      references states         tests to run first; may be left out
    build:    sanitize                  for what only a tool sees: sanitize, thread, memory, valgrind; else left out
    -the text to replace, which stands in the file exactly once;
    +the text in its place

The text may be part of a line, or several lines; without a line with + it goes. Lines with # are comments.
scripts/mutate installs what this needs, and calls it.
"""
import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LISTS = Path(__file__).resolve().parent
FIELDS = {'mutation', 'breaks', 'file', 'try', 'build'}
JOBS = str(os.cpu_count() or 1)
LATE_SUITES = ['scale', 'examples', 'headers', 'layers', 'c10m', 'consumers', 'bench', 'counts']  # the slow and the indirect
LEFT_OUT = {'long', 'mutation-lists'}  # the latter wants a tree without a mutation


@dataclass
class Kind:
  """How the library is built, and its tests are run."""
  options: list = field(default_factory=list)
  environment: dict = field(default_factory=dict)
  setup: str = ''  # of "meson test"; none: the default one
  timeout_factor: str = '0.5'  # of the tests' own timeouts, which allow for slow machines


CLANG = next((name for name in ('clang-22', 'clang') if shutil.which(name)), 'clang')
WITH_CLANG = {'CC': CLANG, 'CXX': CLANG.replace('clang', 'clang++')}
BUILDS = {
  'plain': Kind(),
  'sanitize': Kind(['-Db_sanitize=address,undefined']),
  'thread': Kind(['-Db_sanitize=thread', '-Db_lundef=false'], {**WITH_CLANG, 'WASMFX_EFFORT': '10'}),
  'memory': Kind(['-Db_sanitize=memory', '-Db_lundef=false'], WITH_CLANG),
  'valgrind': Kind(setup='valgrind', timeout_factor='5'),
}


NOT_COMPILED = 'not compiled'  # then nothing can be said about the tests


class Trouble(Exception):
  """Something that is wrong with a list or with the tree, not with a test."""


# ---- The lists ------------------------------------------------------------------------


@dataclass
class Mutation:
  where: str
  fields: dict = field(default_factory=dict)
  old: list = field(default_factory=list)
  new: list = field(default_factory=list)

  @property
  def name(self):
    return self.fields['mutation']

  @property
  def build(self):
    return self.fields.get('build', 'plain')

  def first_tests(self):
    return self.fields.get('try', '').split()

  def apply(self, text):
    """The text of its file with the mutation. Trouble if it does not fit there."""
    old = '\n'.join(self.old)
    found = text.count(old)
    if found != 1:
      raise Trouble(f'{self.where}: {self.name} is out of date: its text stands {found} times in {self.fields["file"]}')
    return text.replace(old, '\n'.join(self.new))


def read_entry(where, lines):
  mutation = Mutation(where)
  for line in lines:
    if line[0] == '-':
      mutation.old.append(line[1:])
    elif line[0] == '+':
      mutation.new.append(line[1:])
    else:
      key, colon, value = line.partition(':')
      if not colon or key not in FIELDS or key in mutation.fields:
        raise Trouble(f'{where}: not understood: {line}')
      mutation.fields[key] = value.strip()
  missing = {'mutation', 'breaks', 'file'} - set(mutation.fields)
  if missing or not mutation.old or mutation.old == mutation.new or mutation.build not in BUILDS:
    raise Trouble(f'{where}: an entry wants mutation, breaks, file, one of the builds, and a text that changes')
  return mutation


def read_list(path):
  entry, first = [], 0
  for number, line in enumerate([*path.read_text().splitlines(), ''], 1):
    if line.startswith('#'):
      continue
    if line:
      first = first if entry else number
      entry.append(line)
    elif entry:
      yield read_entry(f'{path.name}:{first}', entry)
      entry = []


def read_lists():
  mutations = [mutation for path in sorted(LISTS.glob('*.txt')) for mutation in read_list(path)]
  names = [mutation.name for mutation in mutations]
  twice = {name for name in names if names.count(name) > 1}
  if twice:
    raise Trouble(f'names that stand twice: {" ".join(sorted(twice))}')
  return mutations


def check_all(mutations):
  """Whether each still fits the tree. Says which do not."""
  out_of_date = []
  for mutation in mutations:
    try:
      mutation.apply((ROOT / mutation.fields['file']).read_text())
    except (Trouble, FileNotFoundError) as trouble:
      out_of_date.append(str(trouble))
  if out_of_date:
    raise Trouble('\n'.join(out_of_date))


# ---- Building and testing ---------------------------------------------------------------


def run(*command, environment=None):
  return subprocess.run(command, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                        errors='replace', check=False)


class Build:
  """One build folder of the copied tree."""

  def __init__(self, tree, name):
    self.folder = tree.parent / name
    self.kind = BUILDS[name]
    self.must(self.run('meson', 'setup', str(self.folder), str(tree), *self.kind.options), f'configuring {name}')
    self.must(self.ninja(), f'building {name}')
    listed = json.loads(run('meson', 'introspect', '--tests', str(self.folder)).stdout)
    tests = [(test['name'], [suite.rpartition(':')[2] for suite in test['suite']]) for test in listed]
    tests = [(name, suites) for name, suites in tests if not LEFT_OUT & set(suites)]
    self.tests = [name for name, _ in sorted(tests, key=lambda test: self.lateness(test[1]))]
    failed = self.first_failure([])
    if failed:
      raise Trouble(f'{name}: without any mutation, {failed}')

  def run(self, *command):
    return run(*command, environment=self.kind.environment)

  @staticmethod
  def must(result, what):
    if result.returncode != 0:
      raise Trouble(f'{what} failed:\n{result.stdout[-4000:]}')

  @staticmethod
  def lateness(suites):
    return max([LATE_SUITES.index(suite) + 1 for suite in suites if suite in LATE_SUITES], default=0)

  def ninja(self):
    return self.run('ninja', '-j', JOBS, '-C', str(self.folder))

  def first_failure(self, first_tests):
    """Runs these tests, then all others, until one fails. Answers what happened to it, None if all passed."""
    strangers = set(first_tests) - set(self.tests)
    if strangers:
      raise Trouble(f'there is no test called {" ".join(strangers)}')
    rest = [name for name in self.tests if name not in first_tests]
    # Those to be tried first, then the ones that look at the library itself, then everything else.
    for names in filter(None, (first_tests, rest)):
      failed = self.run_tests(names)
      if failed:
        return failed
    return None

  def run_tests(self, names):
    setup = self.kind.setup
    log = self.folder / 'meson-logs' / (f'testlog-{setup}.json' if setup else 'testlog.json')
    log.unlink(missing_ok=True)
    result = self.run('meson', 'test', '-C', str(self.folder), '--no-rebuild', '--maxfail', '1',
                      '--num-processes', JOBS, '--timeout-multiplier', self.kind.timeout_factor,
                      *(['--setup', setup] if setup else []), *names)
    if result.returncode == 0:
      return None
    for line in log.read_text().splitlines():
      test = json.loads(line)
      if test['result'] in ('FAIL', 'ERROR', 'TIMEOUT', 'UNEXPECTEDPASS'):
        name = test['name'].rpartition(' / ')[2]
        return f'{name} (timeout)' if test['result'] == 'TIMEOUT' else name
    raise Trouble(f'meson test failed, but no test did:\n{result.stdout[-4000:]}')


def copy_tree(folder):
  tree = folder / 'tree'
  shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns('build*', '.git'), symlinks=True)
  return tree


def try_mutation(mutation, build, tree):
  """Answers what failed, None if nothing did."""
  path = tree / mutation.fields['file']
  text = path.read_text()
  path.write_text(mutation.apply(text))
  try:
    if build.ninja().returncode:
      return NOT_COMPILED
    return build.first_failure(mutation.first_tests())
  finally:
    path.write_text(text)


# ---- All of it ------------------------------------------------------------------------------


def try_all(mutations, folder):
  """Answers (mutation, what failed) for each."""
  tree = copy_tree(folder)
  builds, results = {}, []
  for number, mutation in enumerate(mutations, 1):
    if mutation.build not in builds:
      print(f'building {mutation.build}, and running its tests without a mutation', flush=True)
      builds[mutation.build] = Build(tree, mutation.build)
    began = time.monotonic()
    killer = try_mutation(mutation, builds[mutation.build], tree)
    verdict = NOT_COMPILED if killer is NOT_COMPILED else f'killed by {killer}' if killer else 'SURVIVED'
    print(f'{number:3}/{len(mutations)}  {mutation.name:44}  {verdict} in {time.monotonic() - began:.1f} s', flush=True)
    results.append((mutation, killer))
  return results


def report(results):
  files = sorted({mutation.fields['file'] for mutation, _ in results})
  print(f'\n{"file":32}  mutations  killed')
  for name in files:
    verdicts = [killer for mutation, killer in results if mutation.fields['file'] == name]
    print(f'{name:32}  {len(verdicts):9}  {sum(1 for killer in verdicts if killer not in (None, NOT_COMPILED)):6}')
  survivors = [mutation for mutation, killer in results if killer in (None, NOT_COMPILED)]
  for mutation in survivors:
    print(f'\nSURVIVED, OR NOT COMPILED: {mutation.name} ({mutation.where}), {mutation.fields["file"]}: {mutation.fields["breaks"]}')
    print('\n'.join([f'  -{line}' for line in mutation.old] + [f'  +{line}' for line in mutation.new]))
  late = sum(1 for _, killer in results if killer and killer.endswith('(timeout)'))
  print(f'\n{len(results) - len(survivors)} of {len(results)} mutations killed, {late} of them by a timeout; '
        f'{len(survivors)} survived or could not be compiled')
  return 1 if survivors else 0


def main():
  parser = argparse.ArgumentParser(add_help=False)
  parser.add_argument('--list', action='store_true')
  parser.add_argument('names', nargs='*')
  arguments = parser.parse_args()
  mutations = read_lists()
  unknown = set(arguments.names) - {mutation.name for mutation in mutations}
  if unknown:
    raise Trouble(f'no mutation is called {" ".join(sorted(unknown))}')
  if arguments.names:
    mutations = [mutation for mutation in mutations if mutation.name in arguments.names]
  check_all(mutations)
  if arguments.list:
    for mutation in mutations:
      print(f'{mutation.name:44}  {mutation.fields["breaks"]}')
    print(f'\n{len(mutations)} mutations')
    return 0
  resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
  os.environ.setdefault('UBSAN_OPTIONS', 'halt_on_error=1:print_stacktrace=1')
  mutations.sort(key=lambda mutation: (list(BUILDS).index(mutation.build), mutation.fields['file']))
  with tempfile.TemporaryDirectory(prefix='wasmfx-mutate-', ignore_cleanup_errors=True) as folder:
    return report(try_all(mutations, Path(folder)))


if __name__ == '__main__':
  try:
    sys.exit(main())
  except Trouble as trouble:
    sys.exit(f'{trouble}\nNothing can be said about the tests before this is put right.')
