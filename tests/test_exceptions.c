/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions as values: thrown, passed on, kept, thrown again. */
#include "support.h"
#include "tools.h"

#include <string.h>

struct thrown {
  wasmfx_tag_t *pause; /* [] -> [] */
  wasmfx_tag_t *oops;  /* [i64 v128] -> [] */
  void *low, *high;
};

static uint64_t throw_two_values(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct thrown *thrown = env;
  wasmfx_value_t values[2] = { i64_value((int64_t)word), i64_value(0) };
  (void)from;
  memset(values[1].v128, 0xa5, 16);
  wasmfx_throw(rt, thrown->oops, values, 2);
  return word;
}

static void assert_two_values(const struct thrown *thrown, const wasmfx_exception_t *exception, int64_t first)
{
  assert_ptr_equal(exception->tag, thrown->oops);
  assert_int_equal(exception->count, 2);
  assert_int_equal(exception->values[0].i64, first);
  for (int i = 0; i < 16; i++)
    assert_int_equal(exception->values[1].v128[i], 0xa5);
}

/** The values that it throws lie on its own stack; the bounds of that are noted. */
static uint64_t throw_from_own_stack(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct thrown *thrown = env;
  assert_status(wasmfx_stack_bounds(rt, &thrown->low, &thrown->high), WASMFX_OK);
  return throw_two_values(rt, env, word, from);
}

/* Nobody's any more, but tools still know frames there. Volatile, so that it is no memset. */
LOOKS_ANYWHERE static void overwrite(void *low, void *high)
{
  open_to_looks(low, high);
  for (volatile char *byte = low; byte < (volatile char *)high; byte++)
    *byte = (char)0xee;
}

static void what_is_thrown_outlives_the_stack_that_it_lay_on(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct thrown thrown = { .oops = tag_of(rt, "lv:") };
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", throw_from_own_stack, &thrown);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, NULL, 77);
  assert_outcome(outcome, WASMFX_THREW);
  const char *values = (const char *)outcome.exception->values, *exception = (const char *)outcome.exception;
  overwrite(thrown.low, thrown.high);
  assert_false((char *)thrown.low <= values && values < (char *)thrown.high);
  assert_false((char *)thrown.low <= exception && exception < (char *)thrown.high);
  assert_two_values(&thrown, outcome.exception, 77);
}

/** Resumes one that throws, and lets its exception through. */
static uint64_t rethrow(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_cont_t inner = word_cont_of(rt, "l:l", word > 1 ? rethrow : throw_two_values, env);
  (void)from;
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &inner, NULL, word > 1 ? word - 1 : 77);
  assert_outcome(outcome, WASMFX_THREW);
  assert_two_values(env, outcome.exception, 77);
  wasmfx_throw_ref(rt, outcome.exception);
  return word;
}

static void an_exception_can_be_thrown_on_through_many_resumes(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct thrown thrown = { .oops = tag_of(rt, "lv:") };
  for (uint64_t depth = 1; depth <= 50; depth++) {
    wasmfx_cont_t cont = word_cont_of(rt, "l:l", rethrow, &thrown);
    const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, NULL, depth);
    assert_outcome(outcome, WASMFX_THREW);
    assert_two_values(&thrown, outcome.exception, 77);
    assert_int_equal(cont, WASMFX_NULL_CONT);
    assert_live(rt, 0, 0);
  }
}

static uint64_t catch_and_pass_on(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct thrown *thrown = env;
  (void)from;
  for (;;) {
    const wasmfx_outcome_t woken = wasmfx_suspend_word(rt, thrown->pause, word);
    if (woken.status != WASMFX_THREW)
      return word;
    assert_two_values(thrown, woken.exception, (int64_t)word++);
  }
}

static void a_kept_copy_of_an_exception_can_be_thrown_again_and_again(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct thrown thrown = { .oops = tag_of(rt, "lv:"), .pause = tag_of(rt, "l:") };
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(thrown.pause));
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", throw_two_values, &thrown);
  wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, NULL, 30);
  assert_outcome(outcome, WASMFX_THREW);

  wasmfx_value_t values[2] = { outcome.exception->values[0], outcome.exception->values[1] };
  wasmfx_exception_t kept = { outcome.exception->tag, values, 2, NULL };
  cont = word_cont_of(rt, "l:l", catch_and_pass_on, &thrown);
  assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 30), WASMFX_SUSPENDED);
  for (int i = 0; i < 10; i++) {
    const wasmfx_cont_t old = cont;
    outcome = wasmfx_resume_throw_ref(rt, &cont, handlers, &kept);
    assert_outcome(outcome, WASMFX_SUSPENDED);
    assert_int_equal(outcome.by_address, 1); /* resume_throw has no word form */
    assert_int_equal(outcome.values[0].i64, 31 + i);
    assert_dead(rt, old);
    values[0].i64++;
  }
  assert_two_values(&thrown, &kept, 40);
  assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 0), WASMFX_RETURNED);
}

static uint64_t throw_kept(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_exception_t *exception = env;
  (void)from;
  wasmfx_throw_ref(rt, exception);
  return word;
}

static void an_exception_carries_the_hosts_own_pointer(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct thrown thrown = { .pause = tag_of(rt, "l:") };
  int object;
  wasmfx_exception_t exception = { tag_of(rt, ":"), NULL, 0, &object };
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", throw_kept, &exception);
  wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, NULL, 0);
  assert_outcome(outcome, WASMFX_THREW);
  assert_ptr_equal(outcome.exception->host, &object);

  cont = word_cont_of(rt, "l:l", catch_and_pass_on, &thrown);
  outcome = wasmfx_resume_throw_ref(rt, &cont, NULL, &exception); /* fresh: it comes straight back */
  assert_outcome(outcome, WASMFX_THREW);
  assert_ptr_equal(outcome.exception->host, &object);
}

static uint64_t throw_with_results(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_exception_t bad = { env, NULL, 0, NULL };
  (void)from;
  const struct view before = view_of(rt);
  assert_status(wasmfx_throw(rt, env, NULL, 0), WASMFX_ERROR_TYPE);
  assert_status(wasmfx_throw_ref(rt, &bad), WASMFX_ERROR_TYPE);
  assert_status(wasmfx_throw(rt, NULL, NULL, 0), WASMFX_ERROR_ARGUMENT);
  assert_unchanged(rt, &before);
  return word;
}

static void a_tag_with_results_is_no_exception(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *tag = tag_of(rt, ":l");
  const wasmfx_exception_t bad = { tag, NULL, 0, NULL };
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", throw_with_results, tag);
  const wasmfx_cont_t given = cont;
  assert_outcome(wasmfx_resume_throw(rt, &cont, NULL, tag, NULL, 0), WASMFX_ERROR_TYPE);
  assert_outcome(wasmfx_resume_throw_ref(rt, &cont, NULL, &bad), WASMFX_ERROR_TYPE);
  assert_outcome(wasmfx_cancel(rt, &cont, &bad, 0), WASMFX_ERROR_TYPE);
  assert_outcome(wasmfx_resume_throw(rt, &cont, NULL, NULL, NULL, 0), WASMFX_ERROR_ARGUMENT);
  assert_int_equal(cont, given);
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 1), WASMFX_RETURNED);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(what_is_thrown_outlives_the_stack_that_it_lay_on),
    in_a_world(an_exception_can_be_thrown_on_through_many_resumes),
    in_a_world(a_kept_copy_of_an_exception_can_be_thrown_again_and_again),
    in_a_world(an_exception_carries_the_hosts_own_pointer),
    in_a_world(a_tag_with_results_is_no_exception),
  };
  return cmocka_run_group_tests_name("exceptions", tests, NULL, NULL);
}
