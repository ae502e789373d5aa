# SPDX-License-Identifier: Apache-2.0
"""Text to binary, by wasm-tools. It does not validate: what is wrong with a module is for the engine to say."""
import threading

from .helper import Died, Helper
from .tools import HERE


class Refused(Exception):
  """The text is malformed; what wasm-tools says of it."""


class Assembler:
  """Any thread may ask."""

  def __init__(self, tools, timeout):
    self.helper = Helper([str(tools.node), str(HERE / 'assemble.mjs'), str(tools.assembler)], timeout)
    self.lock = threading.Lock()

  def assemble(self, text):
    if any('\ud800' <= character <= '\udfff' for character in text):
      raise Refused('malformed UTF-8 encoding')
    try:
      with self.lock:
        answer = self.helper.ask({'text': text})
    except Died as died:
      raise Refused(f'wasm-tools: {died}') from None
    if 'binary' not in answer:
      raise Refused(answer['refused'])
    return bytes.fromhex(answer['binary'])

  def close(self):
    self.helper.stop()
