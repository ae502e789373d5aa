/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How does a function hand out a sequence, one value at a time?
 *
 * It suspends with each value. Whoever wants the next one resumes it; when it
 * returns, there are no more. The tag `give` is what the two agree on: it
 * carries an i32 to the consumer and nothing back.
 *
 * Expected output:
 *
 *     1 1 2 3 5 8 13 21
 *
 * Next: generator_reset.c, where the consumer has something to say too.
 */
#include "check.h"

static uint64_t fibonacci(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody)
{
  (void)nothing, (void)nobody;
  const wasmfx_tag_t *give = env;
  for (uint32_t current = 1, next = 1; current < 30;) {
    expect(wasmfx_suspend_word(rt, give, current).status, WASMFX_RETURNED);
    const uint32_t sum = current + next;
    current = next;
    next = sum;
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
  ok(wasmfx_type_new(rt, &i32, 1, NULL, 0, &of_give));
  ok(wasmfx_tag_new(rt, of_give, &give));
  ok(wasmfx_handlers_new(rt, &(wasmfx_clause_t){ .tag = give, .kind = WASMFX_ON_LABEL }, 1, &on_give));

  wasmfx_cont_t generator;
  ok(wasmfx_cont_new_word(rt, thunk, fibonacci, give, &generator));
  wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &generator, on_give, 0);
  while (outcome.status == WASMFX_SUSPENDED) {
    printf("%d ", (int32_t)outcome.word);
    outcome = wasmfx_resume_word(rt, &generator, on_give, 0);
  }
  expect(outcome.status, WASMFX_RETURNED);
  puts("");
  ok(wasmfx_runtime_free(rt, NULL));
  return 0;
}
