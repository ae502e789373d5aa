/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How is a task told that it is not wanted any more?
 *
 * resume_throw wakes it with an exception in place of a value. The suspension
 * then answers THREW, and the task does what any code does with an exception: it
 * cleans up and passes it on, or it catches it. A task that has not begun has
 * nothing to clean up: it never runs.
 *
 * Expected output:
 *
 *     tidy: opens
 *     tidy: closes, for reason 7
 *     tidy ended by an exception
 *     stubborn: opens
 *     stubborn: closes, and returns all the same
 *     stubborn ended by returning
 *     late ended by an exception
 *
 * Next: dynbind.h and dynbind.c, where a handler lives in a header of its own.
 */
#include "check.h"

static wasmfx_tag_t *wait_for_input, *cancelled;

static void tidy(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)env, (void)args, (void)results;
  puts("tidy: opens");
  const wasmfx_outcome_t outcome = wasmfx_suspend(rt, wait_for_input, NULL, 0);
  expect(outcome.status, WASMFX_THREW);
  printf("tidy: closes, for reason %d\n", outcome.exception->values[0].i32);
  ok(wasmfx_throw_ref(rt, outcome.exception)); /* does not come back */
}

static void stubborn(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)env, (void)args, (void)results;
  puts("stubborn: opens");
  expect(wasmfx_suspend(rt, wait_for_input, NULL, 0).status, WASMFX_THREW);
  puts("stubborn: closes, and returns all the same");
}

static void late(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env, (void)args, (void)results;
  puts("late: this is never seen");
}

static void cancel(wasmfx_runtime_t *rt, wasmfx_cont_t task, const char *name)
{
  const wasmfx_value_t reason = { .i32 = 7 };
  const wasmfx_outcome_t outcome = wasmfx_resume_throw(rt, &task, NULL, cancelled, &reason, 1);
  if (outcome.status == WASMFX_RETURNED) {
    printf("%s ended by returning\n", name);
    return;
  }
  expect(outcome.status, WASMFX_THREW);
  if (outcome.exception->tag == cancelled)
    printf("%s ended by an exception\n", name);
}

int main(void)
{
  static const wasmfx_kind_t i32 = WASMFX_I32;
  wasmfx_runtime_t *rt;
  wasmfx_type_t *thunk, *of_cancelled;
  wasmfx_handlers_t *on_wait;
  ok(wasmfx_runtime_new(NULL, &rt));
  ok(wasmfx_type_new(rt, NULL, 0, NULL, 0, &thunk));
  ok(wasmfx_type_new(rt, &i32, 1, NULL, 0, &of_cancelled));
  ok(wasmfx_tag_new(rt, thunk, &wait_for_input));
  ok(wasmfx_tag_new(rt, of_cancelled, &cancelled));
  ok(wasmfx_handlers_new(rt, &(wasmfx_clause_t){ .tag = wait_for_input, .kind = WASMFX_ON_LABEL }, 1, &on_wait));

  wasmfx_cont_t task;
  ok(wasmfx_cont_new(rt, thunk, tidy, NULL, &task));
  expect(wasmfx_resume(rt, &task, on_wait, NULL, 0).status, WASMFX_SUSPENDED);
  cancel(rt, task, "tidy");

  ok(wasmfx_cont_new(rt, thunk, stubborn, NULL, &task));
  expect(wasmfx_resume(rt, &task, on_wait, NULL, 0).status, WASMFX_SUSPENDED);
  cancel(rt, task, "stubborn");

  ok(wasmfx_cont_new(rt, thunk, late, NULL, &task));
  cancel(rt, task, "late");
  ok(wasmfx_runtime_free(rt, NULL));
  return 0;
}
