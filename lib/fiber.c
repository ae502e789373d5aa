/* SPDX-License-Identifier: Apache-2.0 */
/* The fiber interface by resume and suspend: each fiber is a continuation, a yield is a tag. fiber_resume() and
 * fiber_yield() switch, so they are entered in lib/arch. */
#include <wasmfx/fiber_fast.h>

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
  return thread ? wfx_fiber_new(thread, FIBER_RESUMED, run_entry, (void (*)(void))entry) : NULL;
}

void fiber_free(fiber_t fiber)
{
  wfx_fiber_free(fiber);
}

/* Stubs and fast tier take an event that is 0 or 1 for the result that it is; with all others they come here. */
_Static_assert(WASMFX_RETURNED == 0 && (int)FIBER_OK == 0, "a fiber that has returned");
_Static_assert(WASMFX_SUSPENDED == 1 && (int)FIBER_YIELD == 1, "a fiber that has yielded");

void *wasmfx_fiber_resumed(uint64_t event, wasmfx_cont_t cont, uint64_t word, fiber_result_t *result)
{
  const wasmfx_status_t status = (int16_t)event;
  const bool is_answer = status == WASMFX_RETURNED || status == WASMFX_SUSPENDED;
  if (event & FIBER_EVENT_GIVEN_UP)
    (void)wasmfx_drop(wfx_fiber_thread()->rt, &cont); /* nobody could resume it */
  if (result)
    *result = is_answer ? (fiber_result_t)status : FIBER_ERROR;
  return is_answer ? (void *)(uintptr_t)word : NULL;
}

void fiber_init(void)
{
  (void)wfx_fiber_thread_make();
}

void fiber_finalize(void)
{
  wfx_fiber_thread_end();
}
