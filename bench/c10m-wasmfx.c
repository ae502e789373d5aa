/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C10M with continuations: a coroutine is a plain function that suspends in its
 * middle, and its variables wait on its own stack.
 */
#include "c10m-work.h"

#include <wasmfx/wasmfx.h>

#include <stdlib.h>

const char c10m_name[] = "c10m-wasmfx";

static wasmfx_tag_t *yield;

static uint64_t coroutine(wasmfx_runtime_t *rt, void *env, uint64_t number, wasmfx_cont_t from)
{
  struct c10m *work = env;
  (void)from;
  unsigned line = 0;
  while (line < work->before)
    c10m_write(work, number, line++);
  wasmfx_suspend_word(rt, yield, 0);
  while (line < work->before + work->after)
    c10m_write(work, number, line++);
  return number;
}

static void check(wasmfx_status_t status)
{
  if (status < 0)
    c10m_fail(wasmfx_status_text(status));
}

/* The word that came back from a resume that was to end this way. */
static uint64_t expect(wasmfx_outcome_t outcome, wasmfx_status_t expected)
{
  check(outcome.status);
  if (outcome.status != expected)
    c10m_fail("a coroutine ended or suspended where it should not");
  return outcome.word;
}

void c10m_run(struct c10m *work)
{
  wasmfx_runtime_t *rt;
  wasmfx_type_t *type, *yield_type;
  wasmfx_handlers_t *handlers;
  check(wasmfx_runtime_new(NULL, &rt));
  const wasmfx_kind_t number_kind = WASMFX_I64;
  check(wasmfx_type_new(rt, &number_kind, 1, &number_kind, 1, &type));
  check(wasmfx_type_new(rt, NULL, 0, NULL, 0, &yield_type));
  check(wasmfx_tag_new(rt, yield_type, &yield));
  check(wasmfx_handlers_new(rt, &(wasmfx_clause_t){ .tag = yield, .kind = WASMFX_ON_LABEL }, 1, &handlers));
  wasmfx_cont_t *window = calloc(work->live, sizeof *window);
  if (!window)
    c10m_fail("no memory");

  for (uint64_t number = 0, slot = 0; number < work->total + work->live; number++) {
    if (window[slot])
      c10m_ended(work, expect(wasmfx_resume_word(rt, &window[slot], handlers, 0), WASMFX_RETURNED));
    if (number < work->total) {
      check(wasmfx_cont_new_word(rt, type, coroutine, work, &window[slot]));
      expect(wasmfx_resume_word(rt, &window[slot], handlers, number), WASMFX_SUSPENDED);
    }
    slot = slot + 1 < work->live ? slot + 1 : 0;
  }

  free(window);
  check(wasmfx_runtime_free(rt, NULL));
}
