/* SPDX-License-Identifier: Apache-2.0 */
/* The fiber object: made here, freed here, in whatever way it ends. */
#include "fiber_object.h"

#include <stdlib.h>

#include "fiber_tls.h"

static void collect_left(struct fiber_thread *thread)
{
  for (struct fiber *fiber = wfx_fiber_take_left(thread), *next; fiber; fiber = next) {
    next = fiber->next_left;
    wfx_fiber_free(fiber);
  }
}

struct fiber *wfx_fiber_new(struct fiber_thread *thread, enum fiber_kind kind, wasmfx_word_entry_t body,
                            void (*entry)(void))
{
  collect_left(thread);
  struct fiber *fiber = malloc(sizeof *fiber);
  if (!fiber)
    return NULL;
  *fiber = (struct fiber){ .handle.key = wfx_fiber_key(thread->number, kind), .entry = entry };
  if (wasmfx_cont_new_word(thread->rt, thread->types[kind], body, fiber, &fiber->handle.fresh) < 0) {
    free(fiber);
    return NULL;
  }
  *wasmfx_cont_host_word(thread->rt, fiber->handle.fresh) = fiber;
  return fiber;
}

/* Only its own thread may drop what a fiber still holds. */
static void free_elsewhere(struct fiber *fiber)
{
  if (!fiber->held && !wfx_fiber_leave(fiber))
    free(fiber);
}

void wfx_fiber_free(struct fiber *fiber)
{
  if (!fiber)
    return;
  const struct fiber_thread *thread = wfx_fiber_thread();
  if (!thread || thread->number != wfx_fiber_thread_number(fiber)) {
    free_elsewhere(fiber);
    return;
  }
  if (!fiber->held)
    fiber->handle.given_up |= FIBER_FREED;
  wasmfx_cont_t cont = fiber->handle.cont ? fiber->handle.cont : fiber->handle.fresh;
  if (fiber->ended && !fiber->held)
    free(fiber);
  else
    (void)wasmfx_drop(thread->rt, &cont); /* and so it ends, unless it runs or waits: then the reference is dead */
}

/* With whoever waited in a fiber_main() that one is gone: its first fiber is left to be freed later, since it may still
 * be suspended, and a hook drops nothing. */
void wfx_fiber_died(wasmfx_runtime_t *rt, void *word)
{
  (void)rt;
  struct fiber *fiber = word;
  if (fiber->first) {
    fiber->first->held = false;
    (void)wfx_fiber_leave(fiber->first);
  }
  fiber->ended = true;
  if (fiber->handle.given_up & FIBER_FREED)
    free(fiber);
}
