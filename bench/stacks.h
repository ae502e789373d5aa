/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_STACKS_H
#define BENCH_STACKS_H
/*
 * Stacks for the subjects that bring none of their own: cut from slabs, reused
 * last in, first out. As fast as a pool can be, so that a comparison measures
 * the switching.
 *
 *     high +------------------+  64 KiB above the low end, or up to 3 KiB less: "coloured"
 *          | next free stack  |  only while it is free
 *          ~                  ~
 *          | guard            |  one page, in guarded pools
 *     low  +------------------+
 */
#include <stdbool.h>
#include <stddef.h>

#define STACK_LINE 64

/* Where a stack can be linked while it is free: the words under its top, which
 * its next owner is going to touch anyway. */
struct free_stack {
  _Alignas(STACK_LINE) struct free_stack *next;
};

extern struct free_stack *free_stacks;

/* Starts with an empty pool. Tops of coloured stacks differ in their place
 * within a page, so that they do not all compete for the same sets of the
 * caches. Nothing is ever given back to the system: a pool ends with its process. */
void stacks_start(bool coloured, bool guarded);

/* Whether this kernel has guards that do not split a mapping; without them a
 * guarded pool ends at some 32,000 stacks. */
bool stacks_can_guard(void);

/* Cuts another slab; ends the program if there is no memory. */
void stacks_refill(void);

/* The top of a stack, aligned to 64 bytes. */
static inline void *stack_take(void)
{
  if (__builtin_expect(!free_stacks, 0))
    stacks_refill();
  struct free_stack *stack = free_stacks;
  free_stacks = stack->next;
  return stack + 1;
}

static inline void stack_give(void *top)
{
  struct free_stack *stack = (struct free_stack *)top - 1;
  stack->next = free_stacks;
  free_stacks = stack;
}
#endif
