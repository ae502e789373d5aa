# SPDX-License-Identifier: Apache-2.0
"""Which export an import of a lowered module gets: docs/lowering.md, "Names and types between modules"."""
import re

NAME = re.compile(r'((?:[^#]|##)*)(#[0-9a-f]{32})?', re.DOTALL)
HOST = 'wasmfx'  # imports from there are the verbs, which come with the module's code


class Unlinkable(Exception):
  """In the words of WebAssembly's tests."""


def stem(name):
  """The name in the source."""
  return NAME.fullmatch(name).group(1).replace('##', '#')


def find(exports, name):
  """The place of what the source exports by this name, the first if it has several types; None if there is none."""
  return next((index for index, export in enumerate(exports) if stem(export.name) == name), None)


def resolve(module, name, wanted, exports, size):
  """The place of the export that an import gets. `size` tells that of an exported table or memory now."""
  for index, export in enumerate(exports):
    if export.name == name:
      if export.kind == wanted.kind and matches(export.type, wanted, lambda: size(index)):
        return index
      break
  what = 'unknown import' if find(exports, stem(name)) is None else 'incompatible import type'
  raise Unlinkable(f'{what} "{module}" "{stem(name)}"')


def matches(found, wanted, size):
  """Types that a name does not say are equal, or limits."""
  if wanted.kind not in ('table', 'memory'):
    return found == wanted.type
  limits = wanted.type
  return (found.element == limits.element and size() >= limits.minimum and
          (limits.maximum is None or found.maximum is not None and found.maximum <= limits.maximum))
