/* SPDX-License-Identifier: Apache-2.0 */
/* A program of somebody who uses the library: resumes a generator and adds up. Prints the sum. */
#include <stdio.h>
#include <wasmfx/wasmfx.h>

static uint64_t count_to(wasmfx_runtime_t *rt, void *env, uint64_t end, wasmfx_cont_t from)
{
  const wasmfx_tag_t *yield = env;
  (void)from;
  for (uint64_t i = 1; i <= end; i++)
    wasmfx_suspend_word(rt, yield, i);
  return 0;
}

int main(void)
{
  const wasmfx_kind_t i64 = WASMFX_I64;
  wasmfx_runtime_t *rt;
  wasmfx_type_t *type;
  wasmfx_tag_t *yield;
  wasmfx_handlers_t *handlers;
  wasmfx_cont_t cont;
  if (wasmfx_runtime_new(NULL, &rt) < 0 || wasmfx_type_new(rt, &i64, 1, NULL, 0, &type) < 0 ||
      wasmfx_tag_new(rt, type, &yield) < 0)
    return 1;
  const wasmfx_clause_t clause = { .tag = yield, .kind = WASMFX_ON_LABEL };
  if (wasmfx_handlers_new(rt, &clause, 1, &handlers) < 0 || wasmfx_cont_new_word(rt, type, count_to, yield, &cont) < 0)
    return 1;

  uint64_t sum = 0;
  wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, handlers, 10);
  while (outcome.status == WASMFX_SUSPENDED) {
    sum += outcome.word;
    outcome = wasmfx_resume_word(rt, &cont, handlers, 0);
  }
  printf("wasmfx %s: %lu\n", wasmfx_version(), (unsigned long)sum);
  return wasmfx_runtime_free(rt, NULL) == WASMFX_OK && outcome.status == WASMFX_RETURNED && sum == 55 ? 0 : 1;
}
