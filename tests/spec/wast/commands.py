# SPDX-License-Identifier: Apache-2.0
"""What a script says: its commands, in order."""
import re
from dataclasses import dataclass, field

from . import text, values
from .text import Atom, List, Malformed, String

ABOUT_ACTIONS = {'assert_return', 'assert_suspension', 'assert_exception', 'assert_exhaustion'}
ABOUT_MODULES = {'assert_invalid', 'assert_malformed', 'assert_unlinkable', 'assert_invalid_custom',
                 'assert_malformed_custom'}
ASSERTIONS = ABOUT_ACTIONS | ABOUT_MODULES | {'assert_trap'}
BEYOND_ASCII = re.compile(r'[^\0-\x7f]')
COMMANDS = ASSERTIONS | {'module', 'register', 'invoke', 'get', 'script', 'input', 'output'}


@dataclass
class Module:
  """Also an instance of it, but for a `definition`. One of text (str) and binary (bytes) is there."""
  name: str
  is_definition: bool
  text: str = None
  binary: bytes = None
  is_quoted: bool = False
  words: set = field(default_factory=set)  # the atoms of the text, by which an engine knows what it cannot do
  line: int = 0


@dataclass
class Instance:
  """Of a module that was defined before; none named: the latest."""
  name: str
  module: str
  line: int = 0


@dataclass
class Register:
  name: str
  instance: str
  line: int = 0


@dataclass
class Action:
  """invoke, or get, which has no arguments."""
  verb: str
  instance: str
  field: str
  arguments: list
  line: int = 0


@dataclass
class Assertion:
  verb: str
  subject: object  # a Module, an Instance or an Action
  text: str = ''
  patterns: list = field(default_factory=list)
  line: int = 0


@dataclass
class NotRun:
  """A command that is understood, and that this runner does not do."""
  verb: str
  reason: str
  line: int = 0


def read_script(source):
  nodes = text.read(source)
  if nodes and isinstance(nodes[0], List) and nodes[0].head not in COMMANDS:
    # A text that is no list of commands is the inside of one module.
    return [Module(None, False, text=f'(module {source.text}\n)', words=text.words(nodes), line=1)]
  return [read_command(source, node) for node in nodes]


def read_command(source, node):
  if not isinstance(node, List) or node.head not in COMMANDS:
    raise Malformed(source, node.start, 'unexpected token, a command was expected')
  try:
    command = READERS.get(node.head, read_assertion)(Operands(source, node))
  except values.NotSupported as unsupported:
    command = NotRun(node.head, str(unsupported))
  command.line = source.position(node.start)[0]
  return command


class Operands:
  """What follows the word of a command, taken piece by piece."""

  def __init__(self, source, node):
    self.source = source
    self.node = node
    self.verb = node.head
    self.rest = node.items[1:]

  def word(self, expected):
    """Whether this word comes next; then it is taken."""
    if self.rest and isinstance(self.rest[0], Atom) and self.rest[0].text == expected:
      self.rest.pop(0)
      return True
    return False

  def name(self):
    """An identifier, or none."""
    if self.rest and isinstance(self.rest[0], Atom) and self.rest[0].text.startswith('$'):
      return self.rest.pop(0).text
    return None

  def string(self):
    return text.decoded(self.source, self.take(String, 'a string was expected'))

  def list(self):
    return self.take(List, 'a list was expected')

  def bytes(self):
    """All strings that follow, one after the other."""
    pieces = []
    while self.rest:
      pieces.append(self.take(String, 'a string was expected').value)
    return b''.join(pieces)

  def all(self):
    taken, self.rest = self.rest, []
    return taken

  def take(self, kind, complaint):
    if not self.rest or not isinstance(self.rest[0], kind):
      raise Malformed(self.source, self.rest[0].start if self.rest else self.node.end - 1, complaint)
    return self.rest.pop(0)

  def end(self):
    if self.rest:
      raise Malformed(self.source, self.rest[0].start, f'unexpected token in {self.verb}')


def read_module(operands):
  if operands.word('instance'):
    first, second = operands.name(), operands.name()
    operands.end()
    return Instance(first if second else None, second or first)
  is_definition = operands.word('definition')
  name = operands.name()
  if operands.word('binary'):
    return Module(name, is_definition, binary=operands.bytes())
  if operands.word('quote'):
    return quoted_module(operands, name, is_definition)
  # The assembler knows no `definition`, and the name means nothing to it: what it gets begins with the fields.
  fields = operands.all()
  node = operands.node
  inside = escaped(operands.source.text[fields[0].start:node.end - 1]) if fields else ''
  return Module(name, is_definition, text=f'(module {inside})', words=text.words(fields))


def escaped(module):
  """Some characters wasm-tools refuses unless they are escaped, since they look like nothing or like others. They stand
  in strings, where that is the same, or in comments."""
  return BEYOND_ASCII.sub(lambda match: f'\\u{{{ord(match.group()):x}}}', module)


def quoted_module(operands, name, is_definition):
  """Text in strings, to be read only now. It may be anything, also no text at all; then it stays bytes, which do not
  assemble."""
  pieces = operands.bytes()
  try:
    inside = pieces.decode()
    words = text.words(text.read(text.Source(inside)))
  except (UnicodeDecodeError, Malformed):
    inside, words = pieces.decode(errors='surrogateescape'), set()
  return Module(name, is_definition, text=inside, is_quoted=True, words=words)


def read_register(operands):
  command = Register(operands.string(), operands.name())
  operands.end()
  return command


def read_action(operands):
  instance, name = operands.name(), operands.string()
  arguments = [values.read_value(operands.source, node) for node in operands.all()]
  if operands.verb == 'get' and arguments:
    raise Malformed(operands.source, operands.node.start, 'get takes no arguments')
  return Action(operands.verb, instance, name, arguments)


def read_assertion(operands):
  subject = read_subject(operands.source, operands.list())
  allowed = {'assert_trap': (Module, Instance, Action)}.get(
    operands.verb, (Action,) if operands.verb in ABOUT_ACTIONS else (Module, Instance))
  if not isinstance(subject, allowed):
    raise Malformed(operands.source, operands.node.start, f'{operands.verb} is not about this')
  assertion = Assertion(operands.verb, subject)
  if operands.verb == 'assert_return':
    assertion.patterns = [values.read_pattern(operands.source, node) for node in operands.all()]
  elif operands.rest or operands.verb != 'assert_exception':
    assertion.text = operands.string()
  operands.end()
  if operands.verb.endswith('_custom'):
    return NotRun(operands.verb, 'what stands in custom sections')
  return assertion


def read_subject(source, node):
  if node.head not in ('module', 'invoke', 'get'):
    raise Malformed(source, node.start, 'a module or an action was expected')
  subject = READERS[node.head](Operands(source, node))
  subject.line = source.position(node.start)[0]
  return subject


def read_meta(operands):
  return NotRun(operands.verb, 'scripts in scripts')


READERS = {'module': read_module, 'register': read_register, 'invoke': read_action, 'get': read_action,
           'script': read_meta, 'input': read_meta, 'output': read_meta}
