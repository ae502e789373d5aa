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
from dataclasses import dataclass, field


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


class Told(Engine):
  """One with a process for each script. When that dies, the question is answered so; with the next one another process
  begins, which is told again what the script did so far.
  """

  def __init__(self, helper):
    self.helper = helper
    self.done = []  # what was asked and survived

  def tell(self, question):
    if self.helper.process is None:
      for earlier in self.done:
        self.helper.ask(earlier)
    answer = self.helper.ask(question)
    self.done.append(question)
    return answer

  def close(self):
    self.helper.stop()
