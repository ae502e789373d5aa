/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_EXAMPLES_LWT_H
#define WASMFX_EXAMPLES_LWT_H
/**
 * @file lwt.h
 * Lightweight threads: a scheduler handler. A task that yields becomes an object
 * in the scheduler's queue, until its turn comes again.
 */
#include "check.h"

#define LWT_MAX 8

struct lwt {
  wasmfx_runtime_t *rt;
  wasmfx_type_t *thunk;
  wasmfx_tag_t *yield; /* [] -> [] */
  wasmfx_handlers_t *on_yield;
  wasmfx_cont_t queue[LWT_MAX];
  size_t head, count;
};

static inline struct lwt lwt_new(wasmfx_runtime_t *rt)
{
  struct lwt lwt = { .rt = rt };
  ok(wasmfx_type_new(rt, NULL, 0, NULL, 0, &lwt.thunk));
  ok(wasmfx_tag_new(rt, lwt.thunk, &lwt.yield));
  ok(wasmfx_handlers_new(rt, &(wasmfx_clause_t){ .tag = lwt.yield, .kind = WASMFX_ON_LABEL }, 1, &lwt.on_yield));
  return lwt;
}

static inline void lwt_enqueue(struct lwt *lwt, wasmfx_cont_t task)
{
  expect(lwt->count < LWT_MAX ? WASMFX_OK : WASMFX_ERROR_LIMIT, WASMFX_OK);
  lwt->queue[(lwt->head + lwt->count++) % LWT_MAX] = task;
}

static inline wasmfx_cont_t lwt_dequeue(struct lwt *lwt)
{
  const wasmfx_cont_t task = lwt->queue[lwt->head];
  lwt->head = (lwt->head + 1) % LWT_MAX;
  lwt->count--;
  return task;
}

/** Makes a task that will run `body(.., env, ..)`. */
static inline void lwt_spawn(struct lwt *lwt, wasmfx_word_entry_t body, void *env)
{
  wasmfx_cont_t task;
  ok(wasmfx_cont_new_word(lwt->rt, lwt->thunk, body, env, &task));
  lwt_enqueue(lwt, task);
}

/** Inside a task: lets the others have their turn. */
static inline void lwt_yield(const struct lwt *lwt)
{
  expect(wasmfx_suspend_word(lwt->rt, lwt->yield, 0).status, WASMFX_RETURNED);
}

/** Runs the tasks until all have ended. */
static inline void lwt_run(struct lwt *lwt)
{
  while (lwt->count > 0) {
    wasmfx_cont_t task = lwt_dequeue(lwt);
    const wasmfx_outcome_t outcome = wasmfx_resume_word(lwt->rt, &task, lwt->on_yield, 0);
    if (outcome.status == WASMFX_SUSPENDED)
      lwt_enqueue(lwt, task);
    else
      expect(outcome.status, WASMFX_RETURNED);
  }
}

#endif
