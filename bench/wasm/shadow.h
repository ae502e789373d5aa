/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_WASM_SHADOW_H
#define BENCH_WASM_SHADOW_H
/*
 * The shadow stack: where C code compiled to WebAssembly keeps variables that have an address. It lies in linear
 * memory, and a global of the module points to its top. Stack switching knows nothing of it.
 *
 * FIBER_OWN_STACKS=1: each fiber has one of its own, of FIBER_STACK_BYTES. There is no guard below it: what
 * needs more writes over what lies there.
 * FIBER_OWN_STACKS=0: all share the one there is. That is sound only while no function has anything on it that is
 * active where a fiber yields, for another fiber may write there before it goes on.
 * FIBER_CHECK=1: each yield makes sure of the one or the other, and ends the program if it is not so.
 */
#include <stdint.h>
#include <stdlib.h>

#include "say.h"

#ifndef FIBER_OWN_STACKS
#define FIBER_OWN_STACKS 0
#endif
#ifndef FIBER_STACK_BYTES
#define FIBER_STACK_BYTES 65536
#endif
#ifndef FIBER_CHECK
#define FIBER_CHECK 0
#endif

/* Of each stack up to SHADOW_COLOURS lines stay unused at its upper end; all can use SHADOW_BYTES. */
enum { SHADOW_LINE = 64, SHADOW_COLOURS = 32, SHADOW_SLAB = 16 };
enum { SHADOW_BYTES = FIBER_STACK_BYTES - SHADOW_COLOURS * SHADOW_LINE };
_Static_assert(SHADOW_BYTES >= FIBER_STACK_BYTES / 2, "at most half of a stack goes to colours");

__asm__(".globaltype __stack_pointer, i32\n");

static inline uintptr_t shadow_pointer(void)
{
  uintptr_t pointer;
  __asm__ volatile("global.get __stack_pointer\n\tlocal.set %0" : "=r"(pointer));
  return pointer;
}

static inline void set_shadow_pointer(uintptr_t pointer)
{
  __asm__ volatile("local.get %0\n\tglobal.set __stack_pointer" ::"r"(pointer));
}

/* ---- Stacks for fibers: each has one from its first resume to its end ------------------------------- */

/* The tops of those that nobody has; the last one first, which is the warmest. */
static uintptr_t *free_shadows;
static uint32_t free_shadow_count, shadow_count;

/* In the lowest word that a fiber may use, in the checked build. */
static const uint32_t shadow_mark = 0x5afe57ac;

static inline uint32_t *lowest_word(uintptr_t top)
{
  return (uint32_t *)(top - SHADOW_BYTES);
}

/* So many at once: what the allocator writes beside each would be a page more of each. Not all tops are at the same
 * place within a page, where they would compete for a few sets of the cache. */
static inline __attribute__((noinline, cold)) void make_shadows(void)
{
  uintptr_t *tops = realloc(free_shadows, (shadow_count + SHADOW_SLAB) * sizeof *tops);
  char *slab = aligned_alloc(SHADOW_LINE, (size_t)SHADOW_SLAB * FIBER_STACK_BYTES);
  if (!tops || !slab)
    abort();
  free_shadows = tops;
  for (uint32_t i = 0; i < SHADOW_SLAB; i++) {
    char *end = slab + (size_t)(i + 1) * FIBER_STACK_BYTES;
    const uintptr_t top = (uintptr_t)end - shadow_count++ % SHADOW_COLOURS * SHADOW_LINE;
    if (FIBER_CHECK)
      *lowest_word(top) = shadow_mark;
    tops[free_shadow_count++] = top;
  }
}

/* The program ends if there is no memory: in a fiber nobody could be told. */
static inline uintptr_t take_shadow(void)
{
  if (__builtin_expect(free_shadow_count == 0, 0))
    make_shadows();
  return free_shadows[--free_shadow_count];
}

static inline void give_shadow(uintptr_t top)
{
  free_shadows[free_shadow_count++] = top;
}

/* What a yield looks at: the top of its fiber's stack, and the pointer when that was resumed last. */
static inline void check_shadow(uintptr_t top, uintptr_t resumed_at)
{
  const uintptr_t pointer = shadow_pointer();
  if (FIBER_OWN_STACKS ? pointer <= top && pointer > top - SHADOW_BYTES && *lowest_word(top) == shadow_mark
                       : pointer == resumed_at)
    return;
  fail(FIBER_OWN_STACKS ? "a fiber has left its shadow stack" : "a fiber yields with something on the shadow stack");
}
#endif
