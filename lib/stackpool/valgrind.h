/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_VALGRIND_H
#define WFX_VALGRIND_H
/**
 * @file valgrind.h
 * What valgrind has to be told: where stacks are, or it takes a switch for a
 * function with a gigantic frame. Without its header at build time nobody is
 * told; outside of valgrind it costs a few instructions for each new stack.
 */
#include "stackpool.h"

#ifdef WFX_HAVE_VALGRIND
#include <valgrind/memcheck.h>

static inline void wfx_valgrind_register(struct wfx_stack *stack)
{
  stack->valgrind = VALGRIND_STACK_REGISTER(stack->low, stack);
}
static inline void wfx_valgrind_deregister(struct wfx_stack *stack)
{
  VALGRIND_STACK_DEREGISTER(stack->valgrind);
}
static inline bool wfx_valgrind_watches(void)
{
  return RUNNING_ON_VALGRIND;
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
static inline bool wfx_valgrind_watches(void)
{
  return false;
}
#endif

#endif
