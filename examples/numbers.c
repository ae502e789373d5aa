/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a handler that only has an answer need a continuation?
 *
 * No. A clause may name a function. Who suspends calls it, on the spot, and goes
 * on with what it returns: nothing is captured, and nobody switches. So such
 * handlers are for what the host knows or keeps: numbers here, a log, a random
 * generator, a file. Who asks cannot tell the difference.
 *
 * If the function throws, it is its resume that finds the exception, and what
 * runs under that is dead, as if the body had thrown.
 *
 * Expected output:
 *
 *     1 2 3 4 5
 *     6 7 8
 *     there are no more numbers than 8
 *
 * Next: lwt.h and lwt.c, a handler that makes objects of tasks.
 */
#include "check.h"

#define ALL 8

static wasmfx_tag_t *next, *no_more; /* [] -> [i64], [i64] -> [] */

/* The handler: `env` is what the clause says. */
static uint64_t count_on(wasmfx_runtime_t *rt, void *env, uint64_t nothing)
{
  uint64_t *number = env;
  const wasmfx_value_t limit = { .i64 = ALL };
  (void)nothing;
  if (*number == ALL)
    ok(wasmfx_throw(rt, no_more, &limit, 1)); /* does not come back */
  return ++*number;
}

static uint64_t print_five(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t nobody)
{
  (void)env, (void)nobody;
  for (int i = 0; i < 5; i++) {
    const wasmfx_outcome_t outcome = wasmfx_suspend_word(rt, next, 0);
    expect(outcome.status, WASMFX_RETURNED);
    printf(i ? " %d" : "%d", (int)outcome.word);
  }
  puts("");
  return word;
}

static wasmfx_outcome_t run(wasmfx_runtime_t *rt, const wasmfx_type_t *thunk, const wasmfx_handlers_t *handlers)
{
  wasmfx_cont_t body;
  ok(wasmfx_cont_new_word(rt, thunk, print_five, NULL, &body));
  return wasmfx_resume_word(rt, &body, handlers, 0);
}

int main(void)
{
  static const wasmfx_kind_t i64 = WASMFX_I64;
  uint64_t number = 0;
  wasmfx_runtime_t *rt;
  wasmfx_type_t *thunk, *of_next, *of_no_more;
  wasmfx_handlers_t *handlers;
  ok(wasmfx_runtime_new(NULL, &rt));
  ok(wasmfx_type_new(rt, NULL, 0, NULL, 0, &thunk));
  ok(wasmfx_type_new(rt, NULL, 0, &i64, 1, &of_next));
  ok(wasmfx_type_new(rt, &i64, 1, NULL, 0, &of_no_more));
  ok(wasmfx_tag_new(rt, of_next, &next));
  ok(wasmfx_tag_new(rt, of_no_more, &no_more));
  const wasmfx_clause_t on_next = { next, WASMFX_ON_CALL_WORD, { .call_word = count_on }, &number };
  ok(wasmfx_handlers_new(rt, &on_next, 1, &handlers));

  expect(run(rt, thunk, handlers).status, WASMFX_RETURNED);
  const wasmfx_outcome_t outcome = run(rt, thunk, handlers);
  expect(outcome.status, WASMFX_THREW);
  printf("\nthere are no more numbers than %d\n", (int)outcome.exception->values[0].i64);
  ok(wasmfx_runtime_free(rt, NULL));
  return 0;
}
