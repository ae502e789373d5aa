# SPDX-License-Identifier: Apache-2.0
"""S-expressions of WebAssembly's text format, with the place where each stands.

What is in a module is the assembler's business: here it is atoms, strings and lists, and where each of them stands.
"""
import bisect
import re
from dataclasses import dataclass

SPACE = re.compile(r'[ \t\n\r]+|;;[^\n\r]*')
BLOCK_COMMENT_PART = re.compile(r'\(;|;\)')
ATOM = re.compile(r"""[0-9A-Za-z!#$%&'*+\-./:<=>?@\\^_`|~,;\[\]{}]+""")
ESCAPES = {'t': b'\t', 'n': b'\n', 'r': b'\r', '"': b'"', "'": b"'", '\\': b'\\'}
HEX_BYTE = re.compile(r'[0-9A-Fa-f]{2}')
HEX_CHARACTER = re.compile(r'u\{([0-9A-Fa-f]+(?:_[0-9A-Fa-f]+)*)\}')


class Malformed(Exception):
  """What is wrong with a text, and where: line and column count from 1."""

  def __init__(self, source, offset, what):
    self.line, self.column = source.position(offset)
    self.what = what
    super().__init__(f'{source.name}:{self.line}:{self.column}: {what}')


class Source:
  """A text with a name, for messages."""

  def __init__(self, text, name='text'):
    self.text = text
    self.name = name
    self.line_starts = [0] + [match.end() for match in re.finditer(r'\r\n|\n|\r', text)]

  def position(self, offset):
    line = bisect.bisect_right(self.line_starts, offset)
    return line, offset - self.line_starts[line - 1] + 1


@dataclass
class Atom:
  text: str
  start: int
  end: int


@dataclass
class String:
  value: bytes  # not text: the bytes of a binary module stand in strings as well
  start: int
  end: int


@dataclass
class List:
  items: list
  start: int
  end: int

  @property
  def head(self):
    """The word that says what a list is; none if it does not begin with one."""
    first = self.items[0] if self.items else None
    return first.text if isinstance(first, Atom) else None


def read(source):
  """All expressions of a source but its annotations, (@..), which mean nothing here. Lists are kept on a stack of our
  own: a text may nest deeper than Python calls."""
  outermost = List([], 0, len(source.text))
  open_lists = [outermost]
  at = skip_space(source, 0)
  while at < len(source.text):
    character = source.text[at]
    if character == '(':
      open_lists.append(List([], at, at))
      at += 1
    elif character == ')':
      if len(open_lists) == 1:
        raise Malformed(source, at, 'unexpected )')
      at += 1
      closed = open_lists.pop()
      closed.end = at
      if not (closed.head or '').startswith('@'):
        open_lists[-1].items.append(closed)
    else:
      token = read_string(source, at) if character == '"' else read_atom(source, at)
      open_lists[-1].items.append(token)
      at = token.end
    at = skip_space(source, at)
  if len(open_lists) > 1:
    raise Malformed(source, open_lists[-1].start, 'unclosed (')
  return outermost.items


def skip_space(source, at):
  while True:
    if source.text.startswith('(;', at):
      at = end_of_block_comment(source, at)
      continue
    space = SPACE.match(source.text, at)
    if not space:
      return at
    at = space.end()


def end_of_block_comment(source, start):
  """They nest."""
  depth = 0
  for part in BLOCK_COMMENT_PART.finditer(source.text, start):
    depth += 1 if part.group() == '(;' else -1
    if depth == 0:
      return part.end()
  raise Malformed(source, start, 'unclosed comment')


def read_atom(source, start):
  match = ATOM.match(source.text, start)
  if not match:
    raise Malformed(source, start, f'unexpected character {source.text[start]!r}')
  text, end = match.group(), match.end()
  comment = text.find(';;')
  if comment > 0:
    text, end = text[:comment], start + comment
  if text == '$' and source.text.startswith('"', end):
    quoted = read_string(source, end)
    return Atom('$' + decoded(source, quoted), start, quoted.end)
  return Atom(text, start, end)


def read_string(source, start):
  value = bytearray()
  at = start + 1
  while True:
    character = source.text[at:at + 1]
    if character == '"':
      return String(bytes(value), start, at + 1)
    if character in ('', '\n', '\r'):
      raise Malformed(source, start, 'unclosed string')
    if character == '\\':
      piece, at = read_escape(source, at)
      value += piece
    elif character < ' ' or character == '\x7f':
      raise Malformed(source, at, f'unexpected character {character!r} in a string')
    else:
      value += character.encode()
      at += 1


def read_escape(source, at):
  """The bytes that an escape means, and where it ends."""
  follows = source.text[at + 1:at + 2]
  if follows in ESCAPES:
    return ESCAPES[follows], at + 2
  character = HEX_CHARACTER.match(source.text, at + 1)
  if character:
    number = int(character.group(1).replace('_', ''), 16)
    if number < 0xd800 or 0xe000 <= number < 0x110000:
      return chr(number).encode(), character.end()
  byte = HEX_BYTE.match(source.text, at + 1)
  if byte:
    return bytes.fromhex(byte.group()), byte.end()
  raise Malformed(source, at, 'unknown escape in a string')


def decoded(source, string):
  try:
    return string.value.decode()
  except UnicodeDecodeError:
    raise Malformed(source, string.start, 'malformed UTF-8 encoding') from None


def words(nodes):
  """The set of all atoms in there."""
  found = set()
  waiting = list(nodes)
  while waiting:
    node = waiting.pop()
    if isinstance(node, Atom):
      found.add(node.text)
    elif isinstance(node, List):
      waiting += node.items
  return found
