# SPDX-License-Identifier: Apache-2.0
"""One script on one engine: what each command came to."""
from dataclasses import dataclass

from .assemble import Refused
from .commands import Action, Assertion, Instance, Module, NotRun, Register
from .engines import Answer

PASSED, FAILED, NOT_RUN = 'passed', 'failed', 'not run'


@dataclass
class Verdict:
  """Of one command. `text` says why it failed or was not run; for the latter it is one of few, to be counted."""
  what: str
  line: int
  verb: str
  text: str = ''


class Player:

  def __init__(self, engine, assembler):
    self.engine = engine
    self.assembler = assembler
    self.modules = {}  # by name; the latest is that of no name: a key of the engine's, or an Answer that says why not
    self.instances = {}
    self.absent = {}  # names that were to be registered for instances that are not there: why not
    self.keys = 0

  def play(self, commands):
    for command in commands:
      verdict = self.judge(command)
      if verdict:
        yield verdict

  def judge(self, command):
    """None for what can neither pass nor fail."""
    verb = getattr(command, 'verb', type(command).__name__.lower())
    if isinstance(command, NotRun):
      return Verdict(NOT_RUN, command.line, verb, command.reason)
    if isinstance(command, Register):
      return self.register(command)
    if isinstance(command, Assertion):
      answer, wanted = self.ask(command.subject, command), command
    else:
      answer, wanted = self.ask(command, None), None
    if answer.what in ('gap', 'missing'):
      return Verdict(NOT_RUN, command.line, verb, answer.text)
    complaint = disagreement(answer, wanted)
    return Verdict(FAILED if complaint else PASSED, command.line, verb, complaint)

  def register(self, command):
    instance = self.instances.get(command.instance)
    if isinstance(instance, str):
      self.engine.register(command.name, instance)
      self.absent.pop(command.name, None)
      return None
    self.absent[command.name] = reason(instance)
    return Verdict(NOT_RUN, command.line, 'register', reason(instance))

  def ask(self, subject, assertion):
    if isinstance(subject, Action):
      return self.act(subject, assertion.patterns if assertion else [])
    if isinstance(subject, Instance):
      return self.instantiate(subject.name, subject.module, assertion)
    answer = self.define(subject, assertion)
    about_module = assertion and assertion.verb in ('assert_invalid', 'assert_malformed')
    if answer.what != 'ok' or subject.is_definition or about_module:
      if not assertion and not subject.is_definition:
        self.bind(self.instances, subject.name, answer)
      return answer
    return self.instantiate(subject.name, None if not assertion else answer, assertion)

  def define(self, module, assertion):
    """What an assertion defines is nobody's latest module."""
    answer, key = self.translate(module)
    if not assertion:
      self.bind(self.modules, module.name, key if answer.what == 'ok' else answer)
    elif answer.what == 'ok':
      answer = Answer('ok', key)
    return answer

  def translate(self, module):
    """The engine's answer, and its key."""
    key = self.new_key()
    binary = module.binary
    if binary is None:
      try:
        binary = self.assembler.assemble(module.text)
      except Refused as refused:
        return Answer('malformed text', str(refused)), None
    return self.engine.define(key, binary, module.words), key

  def instantiate(self, name, module, assertion):
    """`module`: a name, none for the latest, or the answer to a definition."""
    key = module.text if isinstance(module, Answer) else self.modules.get(module)
    if not isinstance(key, str):
      return Answer('missing', reason(key))
    instance = self.new_key()
    answer = self.excused(self.engine.instantiate(instance, key))
    if not assertion:
      self.bind(self.instances, name, instance if answer.what == 'ok' else answer)
    return answer

  def excused(self, answer):
    """That a module cannot be linked says nothing if what it imports from should be there."""
    if answer.what == 'unlinkable':
      for name, why in self.absent.items():
        if f'"{name}"' in answer.text:
          return Answer('missing', why)
    return answer

  def act(self, action, patterns):
    instance = self.instances.get(action.instance)
    if not isinstance(instance, str):
      return Answer('missing', reason(instance))
    kinds = [pattern.kind for pattern in patterns]
    if action.verb == 'get':
      return self.engine.get(instance, action.field, kinds)
    return self.engine.invoke(instance, action.field, action.arguments, kinds)

  def bind(self, names, name, what):
    names[None] = what
    if name:
      names[name] = what

  def new_key(self):
    self.keys += 1
    return f'#{self.keys}'


def reason(absent):
  """Why there is no module or instance: the gap that it met, so that all that hangs on one gap is counted there."""
  if isinstance(absent, Answer) and absent.what in ('gap', 'missing'):
    return absent.text
  return 'the module before has failed' if absent else 'there is no such module'


# ---- What is asserted, and what came ---------------------------------------------------------------------


def disagreement(answer, assertion):
  """Empty if all is well."""
  if assertion is None:
    return '' if answer.what in ('ok', 'values') else str(answer)
  return CHECKS[assertion.verb](answer, assertion)


def check_return(answer, assertion):
  patterns = assertion.patterns
  if answer.what == 'values' and len(answer.values) == len(patterns) and all(
      pattern.takes(value) for pattern, value in zip(patterns, answer.values)):
    return ''
  return f'expected {" ".join(pattern.text for pattern in patterns) or "nothing"}, got {answer}'


def check_trap(answer, assertion):
  if answer.what == 'trap' and in_words(answer, assertion):
    return ''
  return f'expected trap "{assertion.text}", got {answer}'


def in_words(answer, assertion):
  """What an engine says may go on, as with an index. So may what is expected, where an engine has few words."""
  return any(text.startswith(assertion.text) or text and assertion.text.startswith(text) for text in answer.texts)


def in_words_if_any(answer, assertion):
  return not answer.texts or in_words(answer, assertion)


def check_end(what):
  return lambda answer, assertion: '' if answer.what == what else f'expected {what}, got {answer}'


def check_unlinkable(answer, assertion):
  if answer.what == 'unlinkable' and in_words_if_any(answer, assertion):
    return ''
  return f'expected unlinkable "{assertion.text}", got {answer}'


def check_invalid(answer, assertion):
  if answer.what == 'malformed text':
    return f'the assembler was not to judge: {answer.text}'
  if answer.what == 'invalid' and in_words_if_any(answer, assertion):
    return ''
  return f'expected invalid "{assertion.text}", got {answer}'


def check_malformed(answer, assertion):
  """Text is the assembler's to refuse, a binary the engine's."""
  wanted = 'malformed text' if assertion.subject.binary is None else 'invalid'
  if answer.what == wanted and in_words_if_any(answer, assertion):
    return ''
  return f'expected malformed "{assertion.text}", got {answer}'


CHECKS = {
  'assert_return': check_return,
  'assert_trap': check_trap,
  'assert_exception': check_end('exception'),
  'assert_suspension': check_end('suspension'),
  'assert_exhaustion': check_end('exhaustion'),
  'assert_unlinkable': check_unlinkable,
  'assert_invalid': check_invalid,
  'assert_malformed': check_malformed,
}
