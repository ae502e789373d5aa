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
#include <stdio.h>
#include <stdlib.h>

#ifndef FIBER_OWN_STACKS
#define FIBER_OWN_STACKS 0
#endif
#ifndef FIBER_STACK_BYTES
#define FIBER_STACK_BYTES 65536
#endif
#ifndef FIBER_CHECK
#define FIBER_CHECK 0
#endif

enum { SHADOW_ALIGNMENT = 16, SHADOW_LINE = 64, SHADOW_COLOURS = 32 };
_Static_assert(FIBER_STACK_BYTES >= 2 * SHADOW_LINE * SHADOW_COLOURS, "less than half of a stack goes to colours");

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

/* In the lowest word of each stack, in the checked build. */
static const uint32_t shadow_mark = 0x5afe57ac;

/* Where the pointer begins on a stack of its own. Not all at the same place within a page: they would compete for a few
 * sets of the cache. */
static inline uintptr_t shadow_top(char *stack)
{
  static uintptr_t colour;
  colour = (colour + 1) % SHADOW_COLOURS;
  if (FIBER_CHECK)
    *(uint32_t *)stack = shadow_mark;
  return ((uintptr_t)stack + FIBER_STACK_BYTES - colour * SHADOW_LINE) & ~(uintptr_t)(SHADOW_ALIGNMENT - 1);
}

/* What a yield looks at: the stack of its fiber, and the pointer when it was resumed last. */
static inline void check_shadow(const char *stack, uintptr_t resumed_at)
{
  const uintptr_t now = shadow_pointer();
  if (FIBER_OWN_STACKS ? now > (uintptr_t)stack && *(const uint32_t *)stack == shadow_mark : now == resumed_at)
    return;
  fputs(FIBER_OWN_STACKS ? "a fiber has left its shadow stack\n" : "a fiber yields with something on the shadow stack\n",
        stderr);
  abort();
}
#endif
