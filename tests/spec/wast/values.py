# SPDX-License-Identifier: Apache-2.0
"""Constants that a script passes, and patterns that it holds results against. Numbers are bits: NaNs can be told."""
import re
from dataclasses import dataclass
from fractions import Fraction

from .text import Atom, List, Malformed

FLOATS = {'f32': (23, 8), 'f64': (52, 11)}  # bits of fraction, of exponent
WIDTHS = {'i32': 32, 'i64': 64, 'f32': 32, 'f64': 64}
DECIMAL = re.compile(r'([+-]?)([0-9_]+)(?:\.([0-9_]*))?(?:[eE]([+-]?[0-9_]+))?$')
HEXADECIMAL = re.compile(r'([+-]?)0x([0-9A-Fa-f_]+)(?:\.([0-9A-Fa-f_]*))?(?:[pP]([+-]?[0-9_]+))?$')
REFERENCES = {  # the pattern's word -> the kinds of value that it takes; none: all that are not null
  'ref': None, 'ref.func': {'func'}, 'ref.extern': {'extern', 'any'}, 'ref.host': {'extern'}, 'ref.exn': {'exn'},
  'ref.cont': {'cont'}, 'ref.eq': {'any'}, 'ref.i31': {'any'}, 'ref.struct': {'any'}, 'ref.array': {'any'},
}


class NotSupported(Exception):
  """What a script may say and this runner has no means to do."""


@dataclass(frozen=True)
class Value:
  """kind: i32 i64 f32 f64, with their bits; extern, with its number; null func exn cont any, with nothing more."""
  kind: str
  bits: int = 0

  def __str__(self):
    return f'{self.kind} 0x{self.bits:x}' if self.kind in WIDTHS else f'{self.kind} {self.bits or ""}'.strip()


@dataclass(frozen=True)
class Pattern:
  """What a result may be. `kind` is how an engine shall read the result, if it cannot tell by itself."""
  kind: str
  text: str
  takes: object  # a function: Value -> bool


def read_value(source, node):
  word, operands = split(source, node)
  kind = word.removesuffix('.const')
  if kind in WIDTHS and len(operands) == 1:
    return Value(kind, number(source, kind, operands[0]))
  if word == 'ref.null':
    return Value('null')
  if word in ('ref.extern', 'ref.host') and len(operands) == 1:
    return Value('extern', integer(source, operands[0]))
  if kind == 'v128':
    raise NotSupported('values of type v128')
  raise Malformed(source, node.start, f'unexpected constant {word}')


def read_pattern(source, node):
  word, operands = split(source, node)
  text = source.text[node.start:node.end]
  kind = word.removesuffix('.const')
  if word == 'either':
    choices = [read_pattern(source, operand) for operand in operands]
    return Pattern(choices[0].kind, text, lambda value: any(choice.takes(value) for choice in choices))
  if kind in FLOATS and len(operands) == 1 and word_of(operands[0]) in ('nan:canonical', 'nan:arithmetic'):
    return Pattern(kind, text, nan_test(kind, word_of(operands[0])))
  if word == 'ref.null':
    return Pattern('null', text, lambda value: value.kind == 'null')
  if word in REFERENCES and not operands:
    kinds = REFERENCES[word]
    return Pattern('ref', text, lambda value: value.kind in kinds if kinds else value.kind != 'null')
  wanted = read_value(source, node)
  return Pattern(wanted.kind, text, lambda value: value == wanted)


def split(source, node):
  if not isinstance(node, List) or node.head is None:
    raise Malformed(source, node.start, 'unexpected token, a constant was expected')
  return node.head, node.items[1:]


def word_of(node):
  return node.text if isinstance(node, Atom) else None


def nan_test(kind, which):
  """Canonical: the quiet bit alone, of either sign. Arithmetic: the quiet bit, and anything below it."""
  fraction_bits, exponent_bits = FLOATS[kind]
  quiet = ((1 << exponent_bits + 1) - 1) << fraction_bits - 1
  magnitude = (1 << fraction_bits + exponent_bits) - 1
  if which == 'nan:canonical':
    return lambda value: value.kind == kind and value.bits & magnitude == quiet
  return lambda value: value.kind == kind and value.bits & quiet == quiet


# ---- Numbers --------------------------------------------------------------------------------


def number(source, kind, node):
  text = word_of(node)
  bits = None
  if text is not None:
    bits = integer_bits(text, WIDTHS[kind]) if kind[0] == 'i' else float_bits(text, *FLOATS[kind])
  if bits is None:
    raise Malformed(source, node.start, f'constant out of range or malformed, of type {kind}')
  return bits


def integer(source, node):
  match = re.fullmatch(r'[0-9_]+|0x[0-9A-Fa-f_]+', word_of(node) or '')
  if not match:
    raise Malformed(source, node.start, 'a number was expected')
  return parsed(match.group())


def parsed(digits):
  digits = digits.replace('_', '')
  return int(digits[2:], 16) if digits.startswith('0x') else int(digits)


def integer_bits(text, width):
  """Signed and unsigned numbers are the same bits; none if it is no number that fits."""
  match = re.fullmatch(r'([+-]?)(0x[0-9A-Fa-f_]+|[0-9][0-9_]*)', text)
  if not match:
    return None
  value = parsed(match.group(2))
  if match.group(1) == '-':
    return -value % (1 << width) if value <= 1 << width - 1 else None
  return value if value < 1 << width else None


def float_bits(text, fraction_bits, exponent_bits):
  sign = 1 << fraction_bits + exponent_bits if text.startswith('-') else 0
  infinity = ((1 << exponent_bits) - 1) << fraction_bits
  name = text.lstrip('+-')
  if name == 'inf':
    return sign | infinity
  if name == 'nan':
    return sign | infinity | 1 << fraction_bits - 1
  if name.startswith('nan:0x'):
    payload = parsed(name[4:])
    return sign | infinity | payload if 0 < payload < 1 << fraction_bits else None
  magnitude = exact(text)
  bits = None if magnitude is None else rounded(magnitude, fraction_bits, exponent_bits)
  return sign | bits if bits is not None and bits < infinity else None


def exact(text):
  """The magnitude that is written there, none if it is no number."""
  for form, base, power in ((HEXADECIMAL, 16, 2), (DECIMAL, 10, 10)):
    match = form.match(text)
    if match:
      whole, part = (group.replace('_', '') if group else '' for group in match.group(2, 3))
      exponent = int((match.group(4) or '0').replace('_', ''))
      return Fraction(int(whole + part, base), base**len(part)) * Fraction(power)**exponent
  return None


def rounded(magnitude, fraction_bits, exponent_bits):
  """To the nearest float, ties to even, once: by way of a Python float it would be twice for an f32."""
  if magnitude == 0:
    return 0
  bias = (1 << exponent_bits - 1) - 1
  exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
  if Fraction(2)**exponent > magnitude:
    exponent -= 1
  exponent = max(exponent, 1 - bias)
  # The leading bit of a normal number adds one to the exponent, and so does a carry out of rounding.
  return round(magnitude / Fraction(2)**(exponent - fraction_bits)) + (exponent + bias - 1 << fraction_bits)
