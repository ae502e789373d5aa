/* SPDX-License-Identifier: Apache-2.0 */
/* The fiber interface by resume and suspend: each fiber is a continuation, a yield is a tag. */
#include <wasmfx/fiber.h>

#include "fiber_tls.h"

static uint64_t run_entry(wasmfx_runtime_t *rt, void *env, uint64_t arg, wasmfx_cont_t from)
{
  (void)rt, (void)from;
  const struct fiber *fiber = env;
  return (uintptr_t)((fiber_entry_point_t)fiber->entry)((void *)(uintptr_t)arg);
}

fiber_t fiber_alloc(fiber_entry_point_t entry)
{
  struct fiber_thread *thread = entry ? wfx_fiber_thread_make() : NULL;
  return thread ? wfx_fiber_new(thread, thread->resumed, run_entry, (void (*)(void))entry) : NULL;
}

void fiber_free(fiber_t fiber)
{
  wfx_fiber_free(fiber);
}

void *fiber_yield(void *arg)
{
  const struct fiber_thread *thread = wfx_fiber_thread();
  if (!thread)
    return NULL;
  /* Where nobody handles the yield, the word of the outcome is 0. */
  return (void *)(uintptr_t)wasmfx_suspend_word(thread->rt, thread->yield, (uintptr_t)arg).word;
}

static bool can_resume(const struct fiber_thread *thread, const struct fiber *fiber)
{
  return thread && fiber && fiber->thread == thread->number && fiber->type == thread->resumed &&
         fiber->cont != WASMFX_NULL_CONT;
}

/* Runs the fiber, which may be gone afterwards: only what is still alive is filed with it. Each has a `current` of its
 * own: it is outside any fiber_main() that it has not called. */
static wasmfx_outcome_t resume(struct fiber_thread *thread, struct fiber *fiber, void *arg)
{
  struct fiber *outside = thread->current;
  wasmfx_cont_t cont = fiber->cont;
  thread->current = fiber->inside;
  fiber->cont = WASMFX_NULL_CONT;
  const wasmfx_outcome_t outcome = wasmfx_resume_word(thread->rt, &cont, thread->on_yield, (uintptr_t)arg);
  if (cont != WASMFX_NULL_CONT) {
    fiber->cont = cont;
    fiber->inside = thread->current;
    if (fiber->freed)
      wfx_fiber_free(fiber); /* nobody could resume it */
  }
  thread->current = outside;
  return outcome;
}

void *fiber_resume(fiber_t fiber, void *arg, fiber_result_t *status)
{
  fiber_result_t ignored;
  if (!status)
    status = &ignored;
  *status = FIBER_ERROR;
  struct fiber_thread *thread = wfx_fiber_thread();
  if (!can_resume(thread, fiber))
    return NULL;
  const wasmfx_outcome_t outcome = resume(thread, fiber, arg);
  if (outcome.status != WASMFX_RETURNED && outcome.status != WASMFX_SUSPENDED)
    return NULL;
  *status = outcome.status == WASMFX_RETURNED ? FIBER_OK : FIBER_YIELD;
  return (void *)(uintptr_t)outcome.word;
}

void fiber_init(void)
{
  (void)wfx_fiber_thread_make();
}

void fiber_finalize(void)
{
  wfx_fiber_thread_end();
}
