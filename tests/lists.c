/* SPDX-License-Identifier: Apache-2.0 */
#include "lists.h"

#include <stdlib.h>
#include <string.h>

wasmfx_kind_t nth_kind(size_t n)
{
  static const wasmfx_kind_t kinds[] = {
    WASMFX_I32, WASMFX_I64, WASMFX_F32, WASMFX_F64, WASMFX_V128, WASMFX_FUNCREF, WASMFX_EXTERNREF, WASMFX_EXNREF,
    WASMFX_CONTREF,
  };
  _Static_assert(COUNT_OF(kinds) == KINDS, "all of them");
  return kinds[n % COUNT_OF(kinds)];
}

size_t bytes_of(wasmfx_kind_t kind)
{
  if (kind == WASMFX_V128)
    return 16;
  return kind == WASMFX_I32 || kind == WASMFX_F32 ? 4 : 8;
}

void lists_init(struct lists *lists, size_t count, size_t first_kind)
{
  uint64_t seed = 1 + count * 64 + first_kind;
  lists->count = count;
  lists->kinds = malloc(count + 1);
  for (size_t i = 0; i < count; i++)
    lists->kinds[i] = nth_kind(first_kind + i);
  for (size_t list = 0; list < COUNT_OF(lists->sent); list++) {
    lists->sent[list] = aligned_alloc(16, (count + 1) * sizeof(wasmfx_value_t));
    for (size_t i = 0; i < count; i++) {
      const uint64_t halves[2] = { random_word(&seed), random_word(&seed) };
      memcpy(&lists->sent[list][i], halves, sizeof(halves));
    }
  }
}

void lists_free(struct lists *lists)
{
  free(lists->kinds);
  for (size_t list = 0; list < COUNT_OF(lists->sent); list++)
    free(lists->sent[list]);
}

void assert_arrived(const struct lists *lists, const wasmfx_value_t *values, size_t list)
{
  for (size_t i = 0; i < lists->count; i++)
    assert_memory_equal(&values[i], &lists->sent[list][i], bytes_of(lists->kinds[i]));
}
