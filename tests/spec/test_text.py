#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What run-wast reads: S-expressions, constants and patterns, commands; and what it makes of an engine's answers, also
of one that aborts or hangs."""
import sys
import unittest

sys.dont_write_bytecode = True
from wast import commands, play, text, values
from wast.assemble import Refused
from wast.engine_node import Node
from wast.engines import Answer, Engine
from wast.helper import Died, Helper
from wast.text import Atom, List, Malformed, Source, String
from wast.values import Value


def shape(node):
  """Without the places."""
  if isinstance(node, List):
    return [shape(item) for item in node.items]
  return node.text if isinstance(node, Atom) else node.value


def read(written):
  return [shape(node) for node in text.read(Source(written))]


def complaint(written, reader=text.read):
  """line, column and what is wrong."""
  try:
    reader(Source(written, 'here'))
  except Malformed as malformed:
    return malformed.line, malformed.column, malformed.what
  return None


class Expressions(unittest.TestCase):

  def test_lists_nest(self):
    self.assertEqual(read('(a (b "c") ()) d'), [['a', ['b', b'c'], []], 'd'])

  def test_atoms_end_where_lists_and_strings_begin(self):
    self.assertEqual(read('a(b)c"d"'), ['a', ['b'], 'c', b'd'])

  def test_names_have_all_the_characters_that_they_may_have(self):
    name = "$aZ09!#$%&'*+-./:<=>?@\\^_`|~"
    self.assertEqual(read(name), [name])

  def test_names_may_be_quoted(self):
    self.assertEqual(read(r'(module $"a \28b\29")'), [['module', '$a (b)']])

  def test_nesting_deeper_than_python_calls(self):
    depth = 100000
    nodes = text.read(Source('(' * depth + ')' * depth))
    for _ in range(depth - 1):
      nodes = nodes[0].items
    self.assertEqual(nodes[0].items, [])

  def test_every_node_knows_where_it_stands(self):
    source = Source('\n (a "b" (c))')
    outer = text.read(source)[0]
    self.assertEqual(source.text[outer.start:outer.end], '(a "b" (c))')
    self.assertEqual([source.text[node.start:node.end] for node in outer.items], ['a', '"b"', '(c)'])
    self.assertEqual(source.position(outer.items[2].start), (2, 9))

  def test_line_comments_end_with_the_line_however_it_ends(self):
    self.assertEqual(read('a ;; (b\nc ;; d\re ;; f\r\ng ;;'), ['a', 'c', 'e', 'g'])

  def test_a_line_comment_may_follow_without_space(self):
    self.assertEqual(read('a;;b\nc'), ['a', 'c'])

  def test_block_comments_nest(self):
    self.assertEqual(read('a (; b (; c ;) ) " ;) d'), ['a', 'd'])

  def test_a_line_comment_in_a_block_comment_is_none(self):
    self.assertEqual(read('(; ;; ;) a'), ['a'])

  def test_comments_in_strings_are_none(self):
    self.assertEqual(read('";; a (; b"'), [b';; a (; b'])

  def test_annotations_are_left_out_at_all_depths(self):
    self.assertEqual(read('(@a "b" (c)) ((@d) e (@)) f'), [['e'], 'f'])

  def test_words_are_the_atoms_at_all_depths(self):
    self.assertEqual(text.words(text.read(Source('(a (b "c" (d)))'))), {'a', 'b', 'd'})


class Strings(unittest.TestCase):

  def test_escapes_with_a_letter(self):
    self.assertEqual(read(r'"\t\n\r\"\'\\"'), [b'\t\n\r"\'\\'])

  def test_escapes_in_hexadecimal_are_bytes(self):
    self.assertEqual(read(r'"\00asm\fF"'), [b'\0asm\xff'])

  def test_escaped_characters_are_utf_8(self):
    self.assertEqual(read(r'"\u{e4}\u{1_F600}"'), ['\u00e4\U0001f600'.encode()])

  def test_characters_are_utf_8(self):
    self.assertEqual(read('"\u00e4"'), ['\u00e4'.encode()])

  def test_a_surrogate_is_no_character(self):
    self.assertEqual(complaint(r'"\u{d800}"'), (1, 2, 'unknown escape in a string'))

  def test_a_character_beyond_the_last(self):
    self.assertEqual(complaint(r'"\u{110000}"'), (1, 2, 'unknown escape in a string'))

  def test_an_unknown_escape(self):
    self.assertEqual(complaint('a\n  "b\\x"'), (2, 5, 'unknown escape in a string'))

  def test_half_a_byte(self):
    self.assertEqual(complaint(r'"\0g"'), (1, 2, 'unknown escape in a string'))

  def test_a_string_that_the_line_ends(self):
    self.assertEqual(complaint('(a\n "b\n")'), (2, 2, 'unclosed string'))

  def test_a_string_that_the_text_ends(self):
    self.assertEqual(complaint('a "b'), (1, 3, 'unclosed string'))

  def test_control_characters(self):
    for character in '\0\t\x1f\x7f':
      self.assertEqual(complaint(f'"a{character}b"')[:2], (1, 3), repr(character))


class Malformations(unittest.TestCase):

  def test_a_list_that_is_not_closed_is_named_where_it_opens(self):
    self.assertEqual(complaint('(a\n (b\n (c)'), (2, 2, 'unclosed ('))

  def test_a_list_that_was_not_open(self):
    self.assertEqual(complaint('(a))'), (1, 4, 'unexpected )'))

  def test_a_comment_that_is_not_closed(self):
    self.assertEqual(complaint('a\n\n(; (; ;)'), (3, 1, 'unclosed comment'))

  def test_what_is_no_character_of_the_format(self):
    self.assertEqual(complaint('a \u00e4')[:2], (1, 3))

  def test_columns_count_characters_after_any_end_of_line(self):
    for end in ('\r\n', '\n', '\r'):
      self.assertEqual(complaint(f'a{end} "\u00e4" )'), (2, 6, 'unexpected )'), repr(end))

  def test_the_message_names_file_line_and_column(self):
    with self.assertRaisesRegex(Malformed, '^here:1:1: unexpected \\)$'):
      text.read(Source(')', 'here'))


def read_value(source):
  return values.read_value(source, text.read(source)[0])


def value(written):
  return read_value(Source(written))


def takes(pattern, candidate):
  source = Source(pattern)
  return values.read_pattern(source, text.read(source)[0]).takes(candidate)


class Constants(unittest.TestCase):

  def test_integers_are_bits(self):
    self.assertEqual(value('(i32.const -1)'), Value('i32', 0xffffffff))
    self.assertEqual(value('(i32.const 4294967295)'), Value('i32', 0xffffffff))
    self.assertEqual(value('(i64.const -0x8000_0000_0000_0000)'), Value('i64', 1 << 63))

  def test_integers_that_do_not_fit(self):
    for written in ('(i32.const 4294967296)', '(i32.const -2147483649)', '(i64.const 0x1_0000_0000_0000_0000)'):
      self.assertEqual(complaint(written, read_value)[:2], (1, 12))

  def test_floats_are_bits(self):
    self.assertEqual(value('(f32.const 1)'), Value('f32', 0x3f800000))
    self.assertEqual(value('(f64.const -0)'), Value('f64', 1 << 63))
    self.assertEqual(value('(f64.const 0x1.8p+1)'), Value('f64', 0x4008000000000000))
    self.assertEqual(value('(f64.const 1e-5)'), Value('f64', 0x3ee4f8b588e368f1))
    self.assertEqual(value('(f32.const -inf)'), Value('f32', 0xff800000))

  def test_the_largest_and_the_smallest(self):
    self.assertEqual(value('(f32.const 0x1.fffffep127)'), Value('f32', 0x7f7fffff))
    self.assertEqual(value('(f32.const 0x1p-149)'), Value('f32', 1))
    self.assertEqual(value('(f64.const 4.9e-324)'), Value('f64', 1))
    self.assertEqual(value('(f32.const 0x1.fffffcp-127)'), Value('f32', 0x007fffff))

  def test_a_float_is_rounded_once(self):
    # By way of an f64 this would be a tie, and round to even.
    self.assertEqual(value('(f32.const 0x1.00000100000000001p0)'), Value('f32', 0x3f800001))
    self.assertEqual(value('(f32.const 0x1.000001p0)'), Value('f32', 0x3f800000))
    self.assertEqual(value('(f32.const 0x1.000003p0)'), Value('f32', 0x3f800002))

  def test_a_float_that_rounds_to_infinity(self):
    self.assertIsNotNone(complaint('(f32.const 0x1.ffffffp127)', read_value))

  def test_nans(self):
    self.assertEqual(value('(f32.const nan)'), Value('f32', 0x7fc00000))
    self.assertEqual(value('(f32.const -nan:0x1)'), Value('f32', 0xff800001))

  def test_references(self):
    self.assertEqual(value('(ref.null func)'), Value('null'))
    self.assertEqual(value('(ref.extern 7)'), Value('extern', 7))

  def test_vectors_are_not_supported(self):
    with self.assertRaises(values.NotSupported):
      value('(v128.const i32x4 0 0 0 0)')


class Patterns(unittest.TestCase):

  def test_a_number_takes_its_bits_only(self):
    self.assertTrue(takes('(f32.const 0.0)', Value('f32', 0)))
    self.assertFalse(takes('(f32.const 0.0)', Value('f32', 1 << 31)))
    self.assertFalse(takes('(i32.const 0)', Value('i64', 0)))

  def test_a_canonical_nan_has_the_quiet_bit_alone(self):
    for bits, taken in ((0x7fc00000, True), (0xffc00000, True), (0x7fc00001, False), (0x7f800001, False)):
      self.assertEqual(takes('(f32.const nan:canonical)', Value('f32', bits)), taken)

  def test_an_arithmetic_nan_has_the_quiet_bit(self):
    for bits, taken in ((0x7ff8 << 48, True), ((0xfff8 << 48) + 1, True), ((0x7ff0 << 48) + 1, False), (0, False)):
      self.assertEqual(takes('(f64.const nan:arithmetic)', Value('f64', bits)), taken)

  def test_references_by_kind(self):
    self.assertTrue(takes('(ref.null)', Value('null')))
    self.assertFalse(takes('(ref.null)', Value('func')))
    self.assertTrue(takes('(ref.func)', Value('func')))
    self.assertFalse(takes('(ref.func)', Value('extern', 1)))
    self.assertTrue(takes('(ref.extern)', Value('extern', 1)))
    self.assertTrue(takes('(ref.extern 1)', Value('extern', 1)))
    self.assertFalse(takes('(ref.extern 1)', Value('extern', 2)))
    self.assertFalse(takes('(ref)', Value('null')))

  def test_either(self):
    for number, taken in ((1, True), (2, True), (3, False)):
      self.assertEqual(takes('(either (i32.const 1) (i32.const 2))', Value('i32', number)), taken)


def script(written):
  return commands.read_script(Source(written, 'here'))


class Commands(unittest.TestCase):

  def test_a_module_keeps_its_text(self):
    module = script('(module $m (func (export "a)")) ;; )\n)')[0]
    self.assertEqual((module.name, module.is_definition), ('$m', False))
    self.assertEqual(read(module.text), [['module', ['func', ['export', b'a)']]]])

  def test_what_is_not_ascii_is_escaped(self):
    module = script('(module (func (export "\u00e4")))')[0]
    self.assertEqual(module.text, '(module (func (export "\\u{e4}")))')

  def test_a_definition_is_assembled_as_a_module(self):
    module = script('(module definition $m (func))')[0]
    self.assertTrue(module.is_definition)
    self.assertEqual(read(module.text), [['module', ['func']]])

  def test_an_instance_and_its_module(self):
    both, one, none = script('(module instance $i $m) (module instance $m) (module instance)')
    self.assertEqual([(command.name, command.module) for command in (both, one, none)],
                     [('$i', '$m'), (None, '$m'), (None, None)])

  def test_a_binary_is_its_strings_in_one(self):
    self.assertEqual(script(r'(module binary "\00as" "m")')[0].binary, b'\0asm')

  def test_a_quoted_module_may_be_no_text(self):
    module = script('(module quote "(func" ")")')[0]
    self.assertEqual((module.text, module.is_quoted), ('(func)', True))
    self.assertTrue(script(r'(module quote "\ff")')[0].is_quoted)

  def test_actions(self):
    invoke, get = script('(invoke $m "f" (i32.const 1)) (get "g")')
    self.assertEqual((invoke.verb, invoke.instance, invoke.field, invoke.arguments),
                     ('invoke', '$m', 'f', [Value('i32', 1)]))
    self.assertEqual((get.verb, get.instance, get.field), ('get', None, 'g'))

  def test_assertions_of_all_kinds(self):
    for written in ('(assert_return (invoke "f"))', '(assert_return (get "g") (ref.null) (ref.func))',
                    '(assert_trap (invoke "f") "x")', '(assert_trap (module) "x")',
                    '(assert_suspension (invoke "f") "x")',
                    '(assert_exception (invoke "f"))', '(assert_exhaustion (invoke "f") "x")',
                    '(assert_invalid (module) "x")', '(assert_malformed (module quote "(") "x")',
                    '(assert_unlinkable (module) "x")', '(assert_unlinkable (module instance $m) "x")'):
      self.assertIsInstance(script(written)[0], commands.Assertion, written)

  def test_a_command_knows_its_line(self):
    self.assertEqual([command.line for command in script('(module)\n\n(invoke\n "f")')], [1, 3])

  def test_a_text_without_commands_is_one_module(self):
    self.assertEqual(read(script('(func) (memory 1)')[0].text), [['module', ['func'], ['memory', '1']]])

  def test_what_is_not_run_is_a_command_too(self):
    self.assertEqual(script('(assert_return (invoke "f") (v128.const i32x4 0 0 0 0))')[0].reason, 'values of type v128')

  def test_malformed_commands(self):
    for written, place in (('(module)\n(nothing)', (2, 1)), ('(module) x', (1, 10)), ('(register)', (1, 10)),
                           ('(register "a" "b")', (1, 15)), ('(module instance $i $m $x)', (1, 24)),
                           ('(invoke "f" (i32.const x))', (1, 24)),
                           ('(invoke "f" 1)', (1, 13)), ('(assert_trap (invoke "f"))', (1, 26)),
                           ('(assert_return (module))', (1, 1)), ('(assert_invalid (invoke "f") "x")', (1, 1)),
                           ('(get "g" (i32.const 1))', (1, 1)), ('(register "\\ff")', (1, 11))):
      self.assertEqual(complaint(written, commands.read_script)[:2], place, written)


class Scripted(Engine):
  """An engine whose answers are written down beforehand."""

  def __init__(self, **answers):
    self.answers = answers
    self.asked = []  # the verb, and by how many-th keys
    self.keys = []

  def answer(self, verb, *keys):
    self.keys += [key for key in keys if key not in self.keys]
    self.asked.append((verb, *map(self.keys.index, keys)))
    return self.answers.get(verb, Answer('ok'))

  def define(self, module, binary, words):
    return self.answer('define', module)

  def instantiate(self, instance, module):
    return self.answer('instantiate', instance, module)

  def register(self, name, instance):
    return self.answer('register', instance)

  def invoke(self, instance, name, arguments, kinds):
    return self.answer('invoke', instance)

  def get(self, instance, name, kinds):
    return self.answer('get', instance)


class Letters:
  """An assembler that takes any text but one with a question mark."""

  def assemble(self, module):
    if '?' in module:
      raise Refused('unexpected token')
    return module.encode()


def played(written, **answers):
  """What each command came to."""
  engine = Scripted(**answers)
  return [verdict.what for verdict in play.Player(engine, Letters()).play(script(written))]


class Playing(unittest.TestCase):

  def check(self, assertion, answer, verdict):
    verb = 'invoke' if 'invoke' in assertion else 'instantiate' if answer.what in ('unlinkable', 'trap') else 'define'
    self.assertEqual(played('(module)' + assertion, **{verb: answer})[-1], verdict, (assertion, answer))

  def test_assert_return(self):
    one = Value('i32', 1)
    self.check('(assert_return (invoke "f") (i32.const 1))', Answer('values', values=[one]), play.PASSED)
    self.check('(assert_return (invoke "f") (i32.const 2))', Answer('values', values=[one]), play.FAILED)
    self.check('(assert_return (invoke "f"))', Answer('values', values=[one]), play.FAILED)
    self.check('(assert_return (invoke "f") (i32.const 1))', Answer('values'), play.FAILED)
    self.check('(assert_return (invoke "f"))', Answer('trap', 'unreachable'), play.FAILED)

  def test_assert_trap_wants_the_words(self):
    trap = Answer('trap', texts=['undefined element 3'])
    self.check('(assert_trap (invoke "f") "undefined element")', trap, play.PASSED)
    self.check('(assert_trap (invoke "f") "undefined element 3")', trap, play.PASSED)
    self.check('(assert_trap (invoke "f") "unreachable")', trap, play.FAILED)
    self.check('(assert_trap (invoke "f") "undefined element")', Answer('exception'), play.FAILED)
    self.check('(assert_trap (invoke "f") "undefined element")',
               Answer('died', texts=['undefined element']), play.FAILED)

  def test_the_other_ends_are_told_apart(self):
    ends = {'assert_exception': 'exception', 'assert_suspension': 'suspension', 'assert_exhaustion': 'exhaustion'}
    for verb, wanted in ends.items():
      for what in [*ends.values(), 'trap', 'values', 'died']:
        self.check(f'({verb} (invoke "f") "x")', Answer(what), play.PASSED if what == wanted else play.FAILED)

  def test_assert_invalid_is_for_the_engine_to_say(self):
    self.assertEqual(played('(assert_invalid (module) "x")', define=Answer('invalid', 'y')), [play.PASSED])
    self.assertEqual(played('(assert_invalid (module) "x")', define=Answer('invalid', texts=['x 0'])), [play.PASSED])
    self.assertEqual(played('(assert_invalid (module) "x")', define=Answer('invalid', texts=['y'])), [play.FAILED])
    self.assertEqual(played('(assert_invalid (module) "x")', define=Answer('ok')), [play.FAILED])
    self.assertEqual(played('(assert_invalid (module ?) "x")', define=Answer('invalid')), [play.FAILED])

  def test_assert_malformed_text_is_for_the_assembler_to_say(self):
    self.assertEqual(played('(assert_malformed (module quote "?") "x")'), [play.PASSED])
    self.assertEqual(played('(assert_malformed (module quote "a") "x")'), [play.FAILED])
    self.assertEqual(played('(assert_malformed (module quote "a") "x")', define=Answer('invalid')), [play.FAILED])
    self.assertEqual(played('(assert_malformed (module binary "a") "x")', define=Answer('invalid')), [play.PASSED])

  def test_assert_unlinkable_and_traps_of_start_functions(self):
    self.check('(assert_unlinkable (module) "x")', Answer('unlinkable'), play.PASSED)
    self.check('(assert_unlinkable (module) "x")', Answer('unlinkable', texts=['x "m"']), play.PASSED)
    self.check('(assert_unlinkable (module) "x")', Answer('unlinkable', texts=['y "m"']), play.FAILED)
    self.check('(assert_unlinkable (module) "x")', Answer('trap', texts=['x']), play.FAILED)
    self.check('(assert_trap (module) "x")', Answer('trap', texts=['x']), play.PASSED)

  def test_what_hangs_on_a_failure_is_not_run(self):
    self.assertEqual(played('(module)(assert_return (invoke "f"))(register "m")', define=Answer('invalid')),
                     [play.FAILED, play.NOT_RUN, play.NOT_RUN])

  def test_what_hangs_on_a_gap_is_not_run_for_its_reason(self):
    engine = Scripted(define=Answer('gap', 'a gap'))
    verdicts = list(play.Player(engine, Letters()).play(script('(module)(invoke "f")')))
    self.assertEqual([(verdict.what, verdict.text) for verdict in verdicts], [(play.NOT_RUN, 'a gap')] * 2)

  def test_an_import_from_what_is_not_there_for_a_gap_is_not_run_for_its_reason(self):
    engine = Scripted(define=Answer('gap', 'a gap'))
    player = play.Player(engine, Letters())
    verdicts = list(player.play(script('(module)(register "m")')))
    engine.answers = {'instantiate': Answer('unlinkable', 'unknown import "m" "f"')}
    verdicts += player.play(script('(module)(assert_return (invoke "f"))(assert_unlinkable (module) "unknown import")'))
    self.assertEqual([(verdict.what, verdict.text) for verdict in verdicts], [(play.NOT_RUN, 'a gap')] * 5)
    self.assertEqual(self.unlinkable(player, 'n'), play.PASSED)
    engine.answers = {}
    list(player.play(script('(module)(register "m")')))
    self.assertEqual(self.unlinkable(player, 'm'), play.PASSED)

  def unlinkable(self, player, name):
    """What a module comes to that cannot be linked to the module of this name."""
    player.engine.answers = {'instantiate': Answer('unlinkable', f'unknown import "{name}" "f"')}
    return next(player.play(script('(assert_unlinkable (module) "x")'))).what

  def test_an_asserted_module_is_not_the_latest(self):
    engine = Scripted(invoke=Answer('values'))
    written = '(module $a)(assert_unlinkable (module) "x")(invoke "f")(register "m" $a)(module instance)(invoke "f")'
    self.assertEqual([verdict.what for verdict in play.Player(engine, Letters()).play(script(written))],
                     [play.PASSED, play.FAILED, play.PASSED, play.PASSED, play.PASSED])
    self.assertEqual(engine.asked, [('define', 0), ('instantiate', 1, 0), ('define', 2), ('instantiate', 3, 2),
                                    ('invoke', 1), ('register', 1), ('instantiate', 4, 0), ('invoke', 4)])

  def test_an_invalid_module_has_no_instance(self):
    engine = Scripted()
    list(play.Player(engine, Letters()).play(script('(assert_invalid (module) "x")')))
    self.assertEqual(engine.asked, [('define', 0)])

  def test_a_definition_has_no_instance_until_one_is_made(self):
    written = '(module definition $m)(invoke "f")(module instance $i $m)(invoke $i "f")'
    self.assertEqual(played(written, invoke=Answer('values')),
                     [play.PASSED, play.NOT_RUN, play.PASSED, play.PASSED])


# Answers each question with how many it has heard so far; dies or hangs at some.
PROCESS = """
import json, sys, time
heard = 0
for line in sys.stdin:
  heard += 1
  name = json.loads(line).get('name')
  if name == 'die':
    sys.exit('# Fatal: a reason')
  if name == 'hang':
    time.sleep(60)
  print(json.dumps({'what': 'ok', 'text': str(heard)}), flush=True)
"""


class Processes(unittest.TestCase):

  def helper(self, timeout):
    helper = Helper([sys.executable, '-c', PROCESS], timeout)
    self.addCleanup(helper.stop)
    return helper

  def node(self, words=()):
    engine = Node.__new__(Node)
    engine.helper, engine.done, engine.words = self.helper(20), [], set(words)
    return engine

  def test_questions_and_answers(self):
    helper = self.helper(20)
    self.assertEqual([helper.ask({})['text'] for _ in range(3)], ['1', '2', '3'])

  def test_one_that_dies_says_why_and_the_next_question_starts_another(self):
    helper = self.helper(20)
    helper.ask({})
    with self.assertRaisesRegex(Died, '^the process ended with status 1: # Fatal: a reason$'):
      helper.ask({'name': 'die'})
    self.assertEqual(helper.ask({})['text'], '1')

  def test_one_that_hangs_is_ended(self):
    helper = self.helper(1)
    with self.assertRaisesRegex(Died, '^no answer in 1 s$'):
      helper.ask({'name': 'hang'})
    self.assertIsNone(helper.process)

  def test_an_engine_that_died_is_told_again_what_it_knew(self):
    engine = self.node()
    self.assertEqual(engine.invoke('i', 'f', [], []).text, '1')
    self.assertEqual(engine.invoke('i', 'die', [], []).what, 'died')
    self.assertEqual(engine.invoke('i', 'f', [], []).text, '2')  # the first, and this; not the one at which it died
    self.assertEqual(engine.invoke('i', 'f', [], []).text, '3')

  def test_that_it_dies_is_a_gap_only_where_there_is_a_switch(self):
    self.assertEqual(self.node(['suspend']).invoke('i', 'die', [], []).what, 'died')
    self.assertEqual(self.node(['suspend', 'switch']).invoke('i', 'die', [], []).what, 'gap')

  def test_what_it_does_not_take_is_not_asked(self):
    engine = self.node()
    self.assertEqual(engine.define('m', b'', {'resume_throw_ref'}).what, 'gap')
    self.assertEqual(engine.done, [])


if __name__ == '__main__':
  unittest.main()
