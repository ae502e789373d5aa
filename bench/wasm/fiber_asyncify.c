/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fiber.h with Asyncify: the code is rewritten so that a function can be left in its middle, its variables written into
 * a buffer, and entered there again. A fiber is its buffer and some words before it. FIBER_POOL=1: those that come
 * back are used again, the last one first; 0: each is allocated and freed.
 */
#include <fiber.h>

#include "shadow.h"

#include <stddef.h>

#ifndef FIBER_BUFFER_BYTES
#define FIBER_BUFFER_BYTES 262144
#endif

#ifndef FIBER_POOL
#define FIBER_POOL 1
#endif

#define ASYNCIFY(name) __attribute__((import_module("asyncify"), import_name(name)))

ASYNCIFY("start_unwind") void asyncify_start_unwind(void *buffer);
ASYNCIFY("stop_unwind") void asyncify_stop_unwind(void);
ASYNCIFY("start_rewind") void asyncify_start_rewind(void *buffer);
ASYNCIFY("stop_rewind") void asyncify_stop_rewind(void);

enum state { FRESH, RUNNING, UNWINDING, SUSPENDED, REWINDING, FINISHED };

struct fiber {
  char *next_byte, *end; /* of the buffer: here, in this order, Asyncify looks for them */
  enum state state;
  fiber_entry_point_t entry;
  void *word; /* on its way in or out */
  int doomed; /* freed while it ran */
  struct fiber *next;
#if FIBER_OWN_STACKS
  uintptr_t top, pointer; /* of its shadow stack; no top: it has none */
#endif
  char buffer[FIBER_BUFFER_BYTES];
};
_Static_assert(offsetof(struct fiber, next_byte) == 0 && offsetof(struct fiber, end) == 4, "as Asyncify has it");

static struct fiber *free_fibers, *current;
static uintptr_t resumed_at; /* the shadow stack's pointer at the last resume; FIBER_CHECK only */

static void release(struct fiber *fiber)
{
#if FIBER_OWN_STACKS
  if (fiber->top)
    give_shadow(fiber->top);
#endif
  if (!FIBER_POOL) {
    free(fiber);
    return;
  }
  fiber->next = free_fibers;
  free_fibers = fiber;
}

fiber_t fiber_alloc(fiber_entry_point_t entry)
{
  struct fiber *fiber = free_fibers;
  if (!entry)
    return NULL;
  if (fiber)
    free_fibers = fiber->next;
  else if (!(fiber = malloc(sizeof *fiber)))
    return NULL;
  fiber->next_byte = fiber->buffer;
  fiber->end = fiber->buffer + FIBER_BUFFER_BYTES;
  fiber->state = FRESH;
  fiber->entry = entry;
  fiber->doomed = 0;
#if FIBER_OWN_STACKS
  fiber->top = 0;
#endif
  return fiber;
}

void fiber_free(fiber_t fiber)
{
  if (!fiber)
    return;
  if (fiber->state == RUNNING)
    fiber->doomed = 1;
  else
    release(fiber);
}

/* Lets it run; fiber_result_t is in the upper half of the answer. Asyncify does not rewrite this function, and so
 * it must stay one. */
__attribute__((noinline)) uint64_t fiber_run(struct fiber *fiber, void *arg)
{
  struct fiber *outer = current;
  const uintptr_t pointer = FIBER_OWN_STACKS || FIBER_CHECK ? shadow_pointer() : 0, outer_at = resumed_at;
  if (FIBER_CHECK)
    resumed_at = pointer;
  current = fiber;
#if FIBER_OWN_STACKS
  if (fiber->state == FRESH)
    fiber->top = fiber->pointer = take_shadow();
  set_shadow_pointer(fiber->pointer);
#endif
  if (fiber->state == FRESH) {
    fiber->state = RUNNING;
  } else {
    fiber->state = REWINDING;
    fiber->word = arg;
    asyncify_start_rewind(fiber);
  }
  void *word = fiber->entry(arg);
  fiber_result_t result = FIBER_OK;
  if (fiber->state == UNWINDING) {
    asyncify_stop_unwind();
    fiber->state = SUSPENDED;
    result = FIBER_YIELD;
    word = fiber->word;
  } else {
    fiber->state = FINISHED;
  }
  if (FIBER_OWN_STACKS)
    set_shadow_pointer(pointer);
  if (FIBER_CHECK)
    resumed_at = outer_at;
  current = outer;
  if (fiber->doomed)
    release(fiber);
  return (uint64_t)result << 32 | (uintptr_t)word;
}

/* Inlined, so that *status need not be in memory: who resumes would have it on the shadow stack, and may be a fiber. */
__attribute__((always_inline)) void *fiber_resume(fiber_t fiber, void *arg, fiber_result_t *status)
{
  uint64_t outcome = (uint64_t)FIBER_ERROR << 32;
  if (fiber && (fiber->state == FRESH || fiber->state == SUSPENDED))
    outcome = fiber_run(fiber, arg);
  if (status)
    *status = (fiber_result_t)(outcome >> 32);
  return (void *)(uintptr_t)(uint32_t)outcome;
}

/* Called twice for each yield: once it begins to leave, then it is where the fiber has come back to. */
__attribute__((noinline)) void *fiber_yield(void *arg)
{
  if (!current)
    return NULL;
  if (current->state == REWINDING) {
    asyncify_stop_rewind();
    current->state = RUNNING;
    return current->word;
  }
#if FIBER_OWN_STACKS
  if (FIBER_CHECK)
    check_shadow(current->top, resumed_at);
  current->pointer = shadow_pointer();
#else
  if (FIBER_CHECK)
    check_shadow(0, resumed_at);
#endif
  current->word = arg;
  current->state = UNWINDING;
  asyncify_start_unwind(current);
  return NULL;
}

void fiber_init(void)
{
}

void fiber_finalize(void)
{
}
