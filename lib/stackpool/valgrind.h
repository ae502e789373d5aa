/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_VALGRIND_H
#define WFX_VALGRIND_H
/**
 * @file valgrind.h
 * What valgrind has to be told:
 *
 *  - Where stacks are, or it takes a switch for a function with a gigantic frame.
 *  - That what lies below the last frame of a dead one may be written again, though
 *    not by a frame.
 *  - That a scan for references looks at words that nobody has written, and means it.
 *
 * Without its header at build time nobody is told. Outside of valgrind it costs a few
 * instructions for each new stack.
 */
#include "stackpool.h"

#ifdef WFX_HAVE_VALGRIND
#include <valgrind/memcheck.h>

static inline void wfx_valgrind_register(struct wfx_stack *stack)
{
  stack->valgrind = VALGRIND_STACK_REGISTER(wfx_stack_floor(stack), stack);
}
static inline void wfx_valgrind_deregister(struct wfx_stack *stack)
{
  VALGRIND_STACK_DEREGISTER(stack->valgrind);
}
/* Nobody stands on it any more. */
static inline void wfx_valgrind_forget(struct wfx_stack *stack)
{
  (void)VALGRIND_MAKE_MEM_UNDEFINED(wfx_stack_floor(stack), wfx_stack_bytes(stack));
}
static inline bool wfx_valgrind_watches(void)
{
  return RUNNING_ON_VALGRIND;
}
static inline uint64_t wfx_valgrind_defined(uint64_t word)
{
  (void)VALGRIND_MAKE_MEM_DEFINED(&word, sizeof word);
  return word;
}
#else
static inline void wfx_valgrind_register(struct wfx_stack *stack)
{
  (void)stack;
}
static inline void wfx_valgrind_deregister(struct wfx_stack *stack)
{
  (void)stack;
}
static inline void wfx_valgrind_forget(struct wfx_stack *stack)
{
  (void)stack;
}
static inline bool wfx_valgrind_watches(void)
{
  return false;
}
static inline uint64_t wfx_valgrind_defined(uint64_t word)
{
  return word;
}
#endif

#endif
