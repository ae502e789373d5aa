# SPDX-License-Identifier: Apache-2.0
"""Who runs the modules. An engine holds what one script has made, and forgets it when it is closed.

Each call answers with an Answer. Its `what` is one of

    ok          defined, instantiated, registered
    values      what a function or a global gave
    trap exception suspension exhaustion      how a call, or a start function, ended
    invalid unlinkable                        why there is no module, no instance
    died        the engine itself failed
    gap         the engine is known not to do this; `text` names the gap
"""
import re
from dataclasses import dataclass, field

from .helper import Died, Helper
from .tools import HERE
from .values import Value


@dataclass
class Answer:
  what: str
  text: str = ''
  values: list = field(default_factory=list)
  texts: list = field(default_factory=list)  # what this may be in the words of WebAssembly's tests; none: unknown

  def __str__(self):
    shown = ' '.join(f'({value})' for value in self.values)
    return ' '.join(part for part in (self.what, self.text, shown) if part)


class Engine:
  """What an engine has to be able to do. Modules and instances go by keys that the caller chooses."""

  def define(self, module, binary, words):
    """Reads and validates. `words` are the atoms of the text, where there is one."""
    raise NotImplementedError

  def instantiate(self, instance, module):
    """With the imports from what is registered. Runs the start function."""
    raise NotImplementedError

  def register(self, name, instance):
    raise NotImplementedError

  def invoke(self, instance, name, arguments, kinds):
    """`kinds` says how the results are to be read, for engines whose values do not say what they are."""
    raise NotImplementedError

  def get(self, instance, name, kinds):
    raise NotImplementedError

  def close(self):
    raise NotImplementedError


class Node(Engine):
  """V8, with the flags that stack switching wants there. A second opinion.

  It has a process for each script. When that dies, the question is answered so; with the next one another process
  begins, which is told again what the script did so far.
  """
  FLAGS = ['--experimental-wasm-wasmfx', '--no-turboshaft-wasm-load-elimination']
  GAPS = {
    'resume_throw_ref': 'node: resume_throw_ref takes its operands in another order',
    'switch': 'node: switch aborts the process',
  }
  # What V8 says -> what WebAssembly's tests call it. V8 has one text where these have several.
  TRAPS = [(re.compile(pattern), texts) for pattern, texts in [
    (r'^unreachable$', ['unreachable']),
    (r'memory access out of bounds|data segment', ['out of bounds memory access']),
    (r'table index is out of bounds', ['undefined element', 'out of bounds table access']),
    (r'table access out of bounds|element segment', ['out of bounds table access', 'undefined element',
                                                     'out of bounds array access']),
    (r'divide by zero|remainder by zero', ['integer divide by zero']),
    (r'divide result unrepresentable', ['integer overflow']),
    (r'float unrepresentable in integer range', ['integer overflow', 'invalid conversion to integer']),
    (r'function signature mismatch', ['uninitialized element', 'indirect call type mismatch']),
    (r'dereferencing a null pointer', ['null function reference', 'null continuation reference',
                                       'null exception reference', 'null reference', 'null structure reference',
                                       'null array reference', 'null i31 reference']),
    (r'array element access out of bounds', ['out of bounds array access', 'out of bounds table access',
                                             'out of bounds memory access']),
    (r'illegal cast', ['cast failure']),
    (r'resum\w+ .*(invalid|consumed|suspended|finished)|already', ['continuation already consumed']),
  ]]

  def __init__(self, tools, timeout):
    self.helper = Helper([str(tools.node), *self.FLAGS, str(HERE / 'engine_node.mjs')], timeout)
    self.done = []  # what was asked and survived
    self.words = set()  # of all modules that were defined

  def define(self, module, binary, words):
    if 'resume_throw_ref' in words:
      return Answer('gap', self.GAPS['resume_throw_ref'])
    self.words |= words
    return self.ask(verb='define', module=module, binary=binary.hex())

  def instantiate(self, instance, module):
    return self.ask(verb='instantiate', instance=instance, module=module)

  def register(self, name, instance):
    return self.ask(verb='register', name=name, instance=instance)

  def invoke(self, instance, name, arguments, kinds):
    return self.ask(verb='invoke', instance=instance, name=name, kinds=kinds,
                    arguments=[[value.kind, f'{value.bits:x}'] for value in arguments])

  def get(self, instance, name, kinds):
    return self.ask(verb='get', instance=instance, name=name, kinds=kinds)

  def close(self):
    self.helper.stop()

  def ask(self, **question):
    try:
      if self.helper.process is None:
        for earlier in self.done:
          self.helper.ask(earlier)
      answer = self.helper.ask(question)
    except Died as died:
      if 'switch' in self.words and 'no answer' not in str(died):
        return Answer('gap', self.GAPS['switch'])
      return Answer('died', str(died))
    self.done.append(question)
    return self.read(answer)

  def read(self, answer):
    said = answer.get('text', '')
    texts = []
    if answer['what'] == 'trap':
      texts = next((texts for pattern, texts in self.TRAPS if pattern.search(said)), [said])
    return Answer(answer['what'], said, [Value(kind, int(bits, 16)) for kind, bits in answer.get('values', [])], texts)


class NotThere(Exception):
  """There is no such engine yet."""


def wasmfx(tools, timeout):
  raise NotThere('the engine wasmfx is not there yet; what is there: --engine node')


ENGINES = {'node': Node, 'wasmfx': wasmfx}
