/* SPDX-License-Identifier: Apache-2.0 */
#include "stacks.h"

#include "bench.h"

#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13; the C library's headers may be older */
#endif

enum {
  STACK_BYTES = 64 * 1024,
  GUARD_BYTES = 4096,
  SLAB_STACKS = 256,
  COLOURS = 48,     /* lines by which tops differ: 3 KiB, so that shallow frames stay on the same page */
  COLOUR_STRIDE = 17 /* without a factor in common with COLOURS */
};

struct free_stack *free_stacks;

static struct {
  bool coloured, guarded;
  size_t cut;
} pool;

void stacks_start(bool coloured, bool guarded)
{
  free_stacks = NULL;
  pool.coloured = coloured;
  pool.guarded = guarded;
  pool.cut = 0;
}

static void *map(size_t bytes)
{
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    bench_fail("no memory for stacks");
  return memory;
}

bool stacks_can_guard(void)
{
  char *page = map(GUARD_BYTES);
  bool can = madvise(page, GUARD_BYTES, MADV_GUARD_INSTALL) == 0;
  munmap(page, GUARD_BYTES);
  return can;
}

void stacks_refill(void)
{
  char *slab = map(SLAB_STACKS * (size_t)STACK_BYTES);
  /* A huge page under a stack would count as resident as a whole. */
  madvise(slab, SLAB_STACKS * (size_t)STACK_BYTES, MADV_NOHUGEPAGE);
  for (size_t i = SLAB_STACKS; i-- > 0;) {
    char *low = slab + i * STACK_BYTES;
    if (pool.guarded && madvise(low, GUARD_BYTES, MADV_GUARD_INSTALL) != 0)
      bench_fail("no guards for stacks");
    size_t colour = pool.coloured ? pool.cut * COLOUR_STRIDE % COLOURS : 0;
    pool.cut++;
    stack_give(low + STACK_BYTES - colour * STACK_LINE);
  }
}
