/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How does a consumer talk back to its generator?
 *
 * The tag `give` has a result now: with each resume the consumer says whether
 * to start again. But a generator that has not run yet takes no argument, and
 * one that has suspended takes one. cont.bind makes them the same: it binds the
 * answer to the suspended generator, and what is left takes no argument either.
 *
 * Expected output:
 *
 *     5 4 3 5 4 3 2 1
 *
 * Next: scheduler_suspend.c, where there is more than one to resume.
 */
#include <stdbool.h>

#include "check.h"

static uint64_t countdown(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody)
{
  (void)nothing, (void)nobody;
  const wasmfx_tag_t *give = env;
  const uint32_t start = 5;
  for (uint32_t i = start; i > 0;) {
    const wasmfx_outcome_t outcome = wasmfx_suspend_word(rt, give, i);
    expect(outcome.status, WASMFX_RETURNED);
    const bool reset = (int32_t)outcome.word;
    i = reset ? start : i - 1;
  }
  return 0;
}

int main(void)
{
  static const wasmfx_kind_t i32 = WASMFX_I32;
  wasmfx_runtime_t *rt;
  wasmfx_type_t *thunk, *of_give;
  wasmfx_tag_t *give;
  wasmfx_handlers_t *on_give;
  ok(wasmfx_runtime_new(NULL, &rt));
  ok(wasmfx_type_new(rt, NULL, 0, NULL, 0, &thunk));
  ok(wasmfx_type_new(rt, &i32, 1, &i32, 1, &of_give));
  ok(wasmfx_tag_new(rt, of_give, &give));
  ok(wasmfx_handlers_new(rt, &(wasmfx_clause_t){ .tag = give, .kind = WASMFX_ON_LABEL }, 1, &on_give));

  wasmfx_cont_t generator; /* always one that takes nothing: of type `thunk` */
  ok(wasmfx_cont_new_word(rt, thunk, countdown, give, &generator));
  for (int received = 1;; received++) {
    const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &generator, on_give, 0);
    if (outcome.status == WASMFX_RETURNED)
      break;
    expect(outcome.status, WASMFX_SUSPENDED);
    printf("%d ", (int32_t)outcome.word);
    const wasmfx_value_t reset = { .i32 = received == 3 };
    ok(wasmfx_cont_bind(rt, &generator, thunk, &reset, 1));
  }
  puts("");
  ok(wasmfx_runtime_free(rt, NULL));
  return 0;
}
