/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_EXAMPLES_DYNBIND_H
#define WASMFX_EXAMPLES_DYNBIND_H
/**
 * @file dynbind.h
 * An environment handler: it gives a variable whose value depends on where code
 * was called from, not on where it was written.
 *
 * Who asks for the variable suspends; the handler resumes it with the value that
 * it was given. It knows nothing of other tags, so these pass it by.
 */
#include "check.h"

struct dynbind {
  wasmfx_runtime_t *rt;
  wasmfx_type_t *thunk;
  wasmfx_tag_t *ask; /* [] -> [i32] */
  wasmfx_handlers_t *on_ask;
};

static inline struct dynbind dynbind_new(wasmfx_runtime_t *rt)
{
  static const wasmfx_kind_t i32 = WASMFX_I32;
  struct dynbind dynbind = { .rt = rt };
  wasmfx_type_t *of_ask;
  ok(wasmfx_type_new(rt, NULL, 0, NULL, 0, &dynbind.thunk));
  ok(wasmfx_type_new(rt, NULL, 0, &i32, 1, &of_ask));
  ok(wasmfx_tag_new(rt, of_ask, &dynbind.ask));
  ok(wasmfx_handlers_new(rt, &(wasmfx_clause_t){ .tag = dynbind.ask, .kind = WASMFX_ON_LABEL }, 1, &dynbind.on_ask));
  return dynbind;
}

/** The value of the variable here. */
static inline int32_t dynbind_ask(const struct dynbind *dynbind)
{
  const wasmfx_outcome_t outcome = wasmfx_suspend_word(dynbind->rt, dynbind->ask, 0);
  expect(outcome.status, WASMFX_RETURNED);
  return (int32_t)outcome.word;
}

/** Runs `body(.., env, ..)`; the variable has the value `value` in it. */
static inline void dynbind_run(const struct dynbind *dynbind, int32_t value, wasmfx_word_entry_t body, void *env)
{
  wasmfx_cont_t cont;
  ok(wasmfx_cont_new_word(dynbind->rt, dynbind->thunk, body, env, &cont));
  wasmfx_outcome_t outcome = wasmfx_resume_word(dynbind->rt, &cont, dynbind->on_ask, 0);
  while (outcome.status == WASMFX_SUSPENDED)
    outcome = wasmfx_resume_word(dynbind->rt, &cont, dynbind->on_ask, (uint32_t)value);
  expect(outcome.status, WASMFX_RETURNED);
}

#endif
