# SPDX-License-Identifier: Apache-2.0
"""A process that answers each line with one, of JSON unless told otherwise. It may die or hang at any question."""
import json
import queue
import subprocess
import threading


class Died(Exception):
  """What became of the process: it ended, or it was ended when its time was over."""


class Helper:

  def __init__(self, command, timeout, write=json.dumps, read=json.loads):
    self.command = command
    self.write, self.read = write, read
    self.timeout = timeout
    self.process = None
    self.lines = None

  def ask(self, question):
    if self.process is None:
      self.start()
    try:
      self.process.stdin.write(self.write(question).encode() + b'\n')
      self.process.stdin.flush()
      line = self.lines.get(timeout=self.timeout)
    except OSError:
      line = None
    except queue.Empty:
      self.stop()
      raise Died(f'no answer in {self.timeout:g} s') from None
    if line is None:
      raise Died(self.last_words())
    return self.read(line)

  def start(self):
    self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    self.lines = queue.Queue()
    self.complaints = []
    self.readers = [
      threading.Thread(target=pass_lines, args=(self.process.stdout, self.lines.put), daemon=True),
      threading.Thread(target=pass_lines, args=(self.process.stderr, self.complaints.append), daemon=True),
    ]
    for reader in self.readers:
      reader.start()

  def last_words(self):
    """Of a process that has closed its output."""
    status = self.process.wait()
    for reader in self.readers:
      reader.join()
    self.stop()
    said = [line.decode(errors='replace').strip() for line in self.complaints if line and line.strip(b'# \n')]
    return f'the process ended with status {status}' + (f': {said[0]}' if said else '')

  def stop(self):
    if self.process is not None:
      self.process.kill()
      self.process.communicate()
      self.process = None


def pass_lines(stream, put):
  try:
    for line in stream:
      put(line)
  except ValueError:  # closed meanwhile, with the process
    pass
  put(None)
