# SPDX-License-Identifier: Apache-2.0
import re

from .engines import Answer, Told
from .helper import Died, Helper
from .tools import HERE
from .values import Value


class Node(Told):
  """V8, with the flags that stack switching wants there. A second opinion."""
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
    super().__init__(Helper([str(tools.node), *self.FLAGS, str(HERE / 'engine_node.mjs')], timeout))
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

  def ask(self, **question):
    try:
      return self.read(self.tell(question))
    except Died as died:
      if 'switch' in self.words and 'no answer' not in str(died):
        return Answer('gap', self.GAPS['switch'])
      return Answer('died', str(died))

  def read(self, answer):
    said = answer.get('text', '')
    texts = []
    if answer['what'] == 'trap':
      texts = next((texts for pattern, texts in self.TRAPS if pattern.search(said)), [said])
    return Answer(answer['what'], said, [Value(kind, int(bits, 16)) for kind, bits in answer.get('values', [])], texts)
