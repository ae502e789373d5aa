/* SPDX-License-Identifier: Apache-2.0 */
/* fiber.h in one thread: what resume and yield exchange, every misuse, freeing, and many at once. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include <wasmfx/fiber_fast.h>
#include <wasmfx/wasmfx.h>

#include "effort.h"
#include "tools.h"

/* Small numbers travel as pointers. */
static void *pack(intptr_t number)
{
  return (void *)number;
}
static intptr_t number_of(const void *packed)
{
  return (intptr_t)packed;
}

/* Resumes and asserts what comes of it. */
static void resume_expecting(fiber_t fiber, intptr_t arg, fiber_result_t expected_status, intptr_t expected)
{
  fiber_result_t status = FIBER_ERROR;
  void *result = fiber_resume(fiber, pack(arg), &status);
  assert_int_equal(status, expected_status);
  assert_int_equal(number_of(result), expected);
}

static void assert_cannot_resume(fiber_t fiber)
{
  fiber_result_t status = FIBER_OK;
  assert_null(fiber_resume(fiber, pack(1), &status));
  assert_int_equal(status, FIBER_ERROR);
  assert_null(fiber_resume(fiber, pack(1), NULL));
}

/* ---- Resume and yield ------------------------------------------------------------- */

static void *add_one(void *arg)
{
  return pack(number_of(arg) + 1);
}

/* Yields twice what it is resumed with, until that is 0. */
static void *doubler(void *arg)
{
  while (arg)
    arg = fiber_yield(pack(2 * number_of(arg)));
  return pack(-1);
}

static void the_first_resume_calls_the_entry_and_the_last_returns_its_result(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(add_one);
  assert_non_null(fiber);
  resume_expecting(fiber, 41, FIBER_OK, 42);
  fiber_free(fiber);
}

static void yield_and_resume_exchange_their_arguments(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(doubler);
  resume_expecting(fiber, 1, FIBER_YIELD, 2);
  resume_expecting(fiber, 10, FIBER_YIELD, 20);
  resume_expecting(fiber, 100, FIBER_YIELD, 200);
  resume_expecting(fiber, 0, FIBER_OK, -1);
  fiber_free(fiber);
}

static void all_bits_of_a_pointer_travel(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(doubler);
  resume_expecting(fiber, INTPTR_MIN / 2 + 1, FIBER_YIELD, INTPTR_MIN + 2);
  resume_expecting(fiber, INTPTR_MAX / 2, FIBER_YIELD, INTPTR_MAX - 1);
  fiber_free(fiber);
}

static void the_status_may_be_left_out(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(doubler);
  assert_int_equal(number_of(fiber_resume(fiber, pack(4), NULL)), 8);
  assert_int_equal(number_of(fiber_resume(fiber, NULL, NULL)), -1);
  fiber_free(fiber);
}

static void fibers_take_turns_without_disturbing_each_other(void **state)
{
  (void)state;
  fiber_t a = fiber_alloc(doubler), b = fiber_alloc(doubler);
  for (intptr_t i = 1; i < 100; i++) {
    resume_expecting(a, i, FIBER_YIELD, 2 * i);
    resume_expecting(b, -i, FIBER_YIELD, -2 * i);
  }
  fiber_free(a);
  fiber_free(b);
}

/* Doubles, and yields in turn by each tier. */
static void *doubler_by_both_tiers(void *arg)
{
  for (int i = 0; arg; i++)
    arg = i % 2 ? fiber_fast_yield(pack(2 * number_of(arg))) : fiber_yield(pack(2 * number_of(arg)));
  return pack(-1);
}

static void each_tier_resumes_what_the_other_has_suspended(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(doubler_by_both_tiers);
  for (intptr_t i = 1; i <= 8; i++) {
    fiber_result_t status = FIBER_ERROR;
    void *result = i / 2 % 2 ? fiber_fast_resume(fiber, pack(i), &status) : fiber_resume(fiber, pack(i), &status);
    assert_int_equal(status, FIBER_YIELD);
    assert_int_equal(number_of(result), 2 * i);
  }
  assert_int_equal(number_of(fiber_fast_resume(fiber, NULL, NULL)), -1);
  fiber_result_t status = FIBER_OK;
  assert_null(fiber_fast_resume(fiber, pack(1), &status));
  assert_int_equal(status, FIBER_ERROR);
  assert_null(fiber_fast_yield(pack(1)));
  fiber_free(fiber);
}

/* Adds up what a tree of calls yields from its leaves. */
static void yield_leaves(int depth)
{
  volatile char frame[64] = { 0 }; /* some stack, used on the way in and out */
  if (depth == 0)
    (void)fiber_yield(pack(1));
  else
    for (int i = 0; i < 2; i++)
      yield_leaves(depth - 1);
  frame[63] = frame[0];
}

static void *walk(void *depth)
{
  yield_leaves((int)number_of(depth));
  return NULL;
}

static void a_fiber_yields_from_any_depth_of_calls(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(walk);
  intptr_t leaves = 0;
  fiber_result_t status;
  void *leaf = fiber_resume(fiber, pack(10), &status);
  for (; status == FIBER_YIELD; leaf = fiber_resume(fiber, NULL, &status))
    leaves += number_of(leaf);
  assert_int_equal(status, FIBER_OK);
  assert_int_equal(leaves, 1 << 10);
  fiber_free(fiber);
}

/* ---- Fibers that resume fibers ------------------------------------------------------ */

/* Runs a doubler of its own, and passes on what that yields. */
static void *relay(void *arg)
{
  fiber_t inner = fiber_alloc(doubler);
  fiber_result_t status;
  do
    arg = fiber_yield(fiber_resume(inner, arg, &status));
  while (status == FIBER_YIELD);
  fiber_free(inner);
  return pack(7);
}

static void a_yield_goes_to_the_innermost_resume(void **state)
{
  (void)state;
  fiber_t outer = fiber_alloc(relay);
  resume_expecting(outer, 3, FIBER_YIELD, 6);
  resume_expecting(outer, 4, FIBER_YIELD, 8);
  resume_expecting(outer, 0, FIBER_YIELD, -1);
  resume_expecting(outer, 0, FIBER_OK, 7);
  fiber_free(outer);
}

static void *start_other(void *other)
{
  resume_expecting(other, 5, FIBER_YIELD, 10);
  return NULL;
}

static void a_fiber_may_be_resumed_by_another_one_each_time(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(doubler), starter = fiber_alloc(start_other);
  assert_null(fiber_resume(starter, fiber, NULL));
  resume_expecting(fiber, 6, FIBER_YIELD, 12);
  fiber_free(fiber);
  fiber_free(starter);
}

static void *nest(void *depth)
{
  if (!depth)
    return pack(0);
  fiber_t inner = fiber_alloc(nest);
  void *result = fiber_resume(inner, pack(number_of(depth) - 1), NULL);
  fiber_free(inner);
  return pack(number_of(result) + 1);
}

static void fibers_nest_a_thousand_deep(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(nest);
  resume_expecting(fiber, 1000, FIBER_OK, 1000);
  fiber_free(fiber);
}

/* ---- Misuse ------------------------------------------------------------------------- */

static void alloc_without_an_entry_answers_null(void **state)
{
  (void)state;
  assert_null(fiber_alloc(NULL));
}

static void resume_of_null_is_an_error(void **state)
{
  (void)state;
  assert_cannot_resume(NULL);
}

static void resume_of_a_finished_fiber_is_an_error(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(add_one);
  resume_expecting(fiber, 1, FIBER_OK, 2);
  assert_cannot_resume(fiber);
  assert_cannot_resume(fiber);
  fiber_free(fiber);
}

static void *resume_it(void *fiber)
{
  assert_cannot_resume(fiber);
  (void)fiber_yield(NULL);
  assert_cannot_resume(fiber);
  return pack(3);
}

/* Each of these goes on where the finished one was, and has its number when revisions have six bits and wrap. */
static void a_finished_fiber_is_not_taken_for_a_later_one(void **state)
{
  (void)state;
  fiber_t finished = fiber_alloc(add_one);
  resume_expecting(finished, 1, FIBER_OK, 2);
  for (intptr_t i = 0; i < 200; i++) {
    fiber_t later = fiber_alloc(add_one);
    assert_cannot_resume(finished);
    resume_expecting(later, i, FIBER_OK, i + 1);
    assert_cannot_resume(later);
    fiber_free(later);
  }
  fiber_free(finished);
}

static void resume_of_the_running_fiber_is_an_error(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(resume_it);
  assert_null(fiber_resume(fiber, fiber, NULL));
  resume_expecting(fiber, 0, FIBER_OK, 3);
  fiber_free(fiber);
}

static void *run_the_one_that_resumes_it(void *self)
{
  fiber_t inner = fiber_alloc(resume_it);
  fiber_result_t status;
  assert_null(fiber_resume(inner, self, &status));
  assert_int_equal(status, FIBER_YIELD);
  resume_expecting(inner, 0, FIBER_OK, 3);
  fiber_free(inner);
  return pack(4);
}

static void resume_of_a_fiber_that_waits_in_a_resume_is_an_error(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(run_the_one_that_resumes_it);
  fiber_result_t status;
  assert_int_equal(number_of(fiber_resume(fiber, fiber, &status)), 4);
  assert_int_equal(status, FIBER_OK);
  fiber_free(fiber);
}

static void yield_outside_a_fiber_answers_null(void **state)
{
  (void)state;
  fiber_finalize();
  assert_null(fiber_yield(pack(1)));
  fiber_init();
  assert_null(fiber_yield(pack(1)));
  fiber_t fiber = fiber_alloc(doubler);
  resume_expecting(fiber, 1, FIBER_YIELD, 2);
  assert_null(fiber_yield(pack(1)));
  resume_expecting(fiber, 2, FIBER_YIELD, 4);
  fiber_free(fiber);
}

/* ---- Freeing -------------------------------------------------------------------------- */

static int reached; /* how far a fiber has come */

/* A sanitizer has a malloc of its own, for which this is 0 at all times; its search for leaks counts then. */
static size_t malloced_bytes(void)
{
  return mallinfo2().uordblks;
}

static void *two_steps(void *arg)
{
  reached = 1;
  (void)fiber_yield(arg);
  reached = 2;
  return arg;
}

static void free_of_null_is_nothing(void **state)
{
  (void)state;
  fiber_free(NULL);
}

static void a_fresh_fiber_that_is_freed_never_runs(void **state)
{
  (void)state;
  reached = 0;
  fiber_free(fiber_alloc(two_steps));
  assert_int_equal(reached, 0);
}

static void a_suspended_fiber_that_is_freed_never_goes_on(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(two_steps);
  resume_expecting(fiber, 9, FIBER_YIELD, 9);
  fiber_free(fiber);
  assert_int_equal(reached, 1);
}

static void *free_itself(void *self)
{
  fiber_free(self);
  reached = 1;
  return pack(3);
}

static void a_fiber_freed_while_running_goes_at_its_end(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(free_itself);
  resume_expecting(fiber, (intptr_t)fiber, FIBER_OK, 3);
  assert_int_equal(reached, 1);
}

static void *free_itself_and_yield(void *self)
{
  fiber_free(self);
  reached = 1;
  (void)fiber_yield(pack(1));
  reached = 2;
  return NULL;
}

static void a_fiber_freed_while_running_goes_at_its_next_yield(void **state)
{
  (void)state;
  size_t before = 0;
  for (int i = 0; i < 2000; i++) {
    if (i == 1000)
      before = malloced_bytes();
    fiber_t fiber = fiber_alloc(free_itself_and_yield);
    resume_expecting(fiber, (intptr_t)fiber, FIBER_YIELD, 1);
    assert_int_equal(reached, 1);
  }
  assert_true(malloced_bytes() < before + 1000);
}

static void *free_the_other(void *other)
{
  fiber_free(other);
  return NULL;
}

static void *be_freed_from_inside(void *self)
{
  fiber_t inner = fiber_alloc(free_the_other);
  assert_null(fiber_resume(inner, self, NULL));
  fiber_free(inner);
  return pack(5);
}

static void *be_freed_from_inside_and_yield(void *self)
{
  return fiber_yield(be_freed_from_inside(self));
}

static void a_fiber_freed_while_it_waits_runs_on_until_it_ends_or_yields(void **state)
{
  (void)state;
  fiber_t ends = fiber_alloc(be_freed_from_inside), yields = fiber_alloc(be_freed_from_inside_and_yield);
  resume_expecting(ends, (intptr_t)ends, FIBER_OK, 5);
  resume_expecting(yields, (intptr_t)yields, FIBER_YIELD, 5);
}

static void *keep_one_suspended(void *inner)
{
  (void)fiber_resume(inner, pack(1), NULL);
  (void)fiber_yield(NULL);
  return NULL;
}

static void a_fiber_outlives_the_one_that_started_it(void **state)
{
  (void)state;
  fiber_t inner = fiber_alloc(doubler), outer = fiber_alloc(keep_one_suspended);
  assert_null(fiber_resume(outer, inner, NULL));
  fiber_free(outer);
  resume_expecting(inner, 2, FIBER_YIELD, 4);
  fiber_free(inner);
}

/* ---- Init and finalize ------------------------------------------------------------------ */

static void fibers_work_without_init(void **state)
{
  (void)state;
  fiber_finalize();
  fiber_t fiber = fiber_alloc(add_one);
  resume_expecting(fiber, 1, FIBER_OK, 2);
  fiber_free(fiber);
}

static void init_and_finalize_may_be_repeated(void **state)
{
  (void)state;
  for (int i = 0; i < 3; i++) {
    fiber_init();
    fiber_init();
    fiber_t fiber = fiber_alloc(add_one);
    resume_expecting(fiber, i, FIBER_OK, i + 1);
    fiber_free(fiber);
    fiber_finalize();
    fiber_finalize();
  }
}

static void finalize_drops_the_fibers_that_are_left(void **state)
{
  (void)state;
  fiber_t suspended = fiber_alloc(two_steps), fresh = fiber_alloc(two_steps);
  resume_expecting(suspended, 1, FIBER_YIELD, 1);
  fiber_finalize();
  assert_cannot_resume(suspended);
  fiber_init();
  assert_cannot_resume(suspended);
  assert_cannot_resume(fresh);
  assert_int_equal(reached, 1);
  fiber_free(suspended);
  fiber_free(fresh);
}

static void *finalize_inside(void *arg)
{
  fiber_finalize();
  arg = fiber_yield(arg);
  fiber_finalize();
  return arg;
}

static void finalize_inside_a_fiber_does_nothing(void **state)
{
  (void)state;
  fiber_t other = fiber_alloc(doubler), fiber = fiber_alloc(finalize_inside);
  resume_expecting(other, 1, FIBER_YIELD, 2);
  resume_expecting(fiber, 1, FIBER_YIELD, 1);
  resume_expecting(fiber, 2, FIBER_OK, 2);
  resume_expecting(other, 3, FIBER_YIELD, 6);
  fiber_free(fiber);
  fiber_free(other);
}

/* ---- Out of memory, and much of it --------------------------------------------------------- */

/* From here until memory_is_back() no address space can be had. */
static rlim_t memory_is_gone(void)
{
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = 1;
  assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
  return before;
}
static void memory_is_back(rlim_t before)
{
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
  limit.rlim_cur = before;
  assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

static void alloc_without_memory_answers_null(void **state)
{
  (void)state;
  fiber_finalize();
  if (is_left_out(WITH_SANITIZER || under_valgrind(), "it ends the process when it gets no memory"))
    return;
  const rlim_t before = memory_is_gone();
  fiber_init();
  fiber_t fiber = fiber_alloc(add_one);
  memory_is_back(before);
  assert_null(fiber);
  fiber = fiber_alloc(add_one);
  resume_expecting(fiber, 1, FIBER_OK, 2);
  fiber_free(fiber);
}

static void resume_without_memory_for_the_stack_is_an_error_and_may_be_repeated(void **state)
{
  (void)state;
  fiber_finalize(); /* no stacks are kept from before */
  if (is_left_out(WITH_SANITIZER || under_valgrind(), "it ends the process when it gets no memory"))
    return;
  fiber_t fiber = fiber_alloc(add_one);
  fiber_result_t status = FIBER_OK;
  const rlim_t before = memory_is_gone();
  void *result = fiber_resume(fiber, pack(1), &status);
  memory_is_back(before);
  assert_null(result);
  assert_int_equal(status, FIBER_ERROR);
  resume_expecting(fiber, 1, FIBER_OK, 2);
  fiber_free(fiber);
}

static uint64_t do_nothing(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return word;
}

/* Whether any number of stacks can be guarded; with mprotect it is at most one for two of the kernel's 65,530 maps.
 * A runtime knows it when it has made its first stack. */
static bool guards_are_free(void)
{
  wasmfx_runtime_t *rt;
  wasmfx_type_t *thunk;
  wasmfx_cont_t cont;
  wasmfx_stats_t stats;
  assert_int_equal(wasmfx_runtime_new(NULL, &rt), WASMFX_OK);
  assert_int_equal(wasmfx_type_new(rt, NULL, 0, NULL, 0, &thunk), WASMFX_OK);
  assert_int_equal(wasmfx_cont_new_word(rt, thunk, do_nothing, NULL, &cont), WASMFX_OK);
  assert_int_equal(wasmfx_resume_word(rt, &cont, NULL, 0).status, WASMFX_RETURNED);
  wasmfx_runtime_stats(rt, &stats, sizeof stats);
  assert_int_equal(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
  return stats.guard == WASMFX_GUARD_LIGHT;
}

/* Suspends so many fibers at once, resumes each, and lets half of them end. */
static void have_many_fibers(intptr_t count)
{
  fiber_t *fibers = malloc((size_t)count * sizeof *fibers);
  assert_non_null(fibers);
  for (intptr_t i = 0; i < count; i++)
    assert_non_null(fibers[i] = fiber_alloc(doubler));
  for (intptr_t i = 0; i < count; i++)
    resume_expecting(fibers[i], i + 1, FIBER_YIELD, 2 * (i + 1));
  for (intptr_t i = 0; i < count; i++)
    resume_expecting(fibers[i], -i - 1, FIBER_YIELD, 2 * (-i - 1));
  for (intptr_t i = 0; i < count; i++) {
    if (i % 2)
      resume_expecting(fibers[i], 0, FIBER_OK, -1);
    fiber_free(fibers[i]);
  }
  free(fibers);
  fiber_finalize();
}

static void a_hundred_thousand_fibers_are_alive_at_once(void **state)
{
  (void)state;
  fiber_finalize();
  have_many_fibers(effort(guards_are_free() ? 100000 : 20000));
}

static void a_shortage_of_memory_leaves_no_trace(void **state)
{
  (void)state;
  fiber_finalize();
  if (is_left_out(WITH_SANITIZER || under_valgrind(), "it ends the process when it gets no memory"))
    return;
  fiber_t fiber = fiber_alloc(add_one);
  const rlim_t before = memory_is_gone();
  void *result = fiber_resume(fiber, pack(1), NULL);
  memory_is_back(before);
  assert_null(result);
  fiber_free(fiber);
  have_many_fibers(effort(guards_are_free() ? 40000 : 20000));
}

static void a_million_fibers_come_and_go(void **state)
{
  (void)state;
  const intptr_t count = (intptr_t)effort(1000000);
  for (intptr_t i = 1; i <= count; i++) {
    fiber_t fiber = fiber_alloc(doubler);
    resume_expecting(fiber, i, FIBER_YIELD, 2 * i);
    if (i % 2)
      resume_expecting(fiber, 0, FIBER_OK, -1);
    fiber_free(fiber);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_first_resume_calls_the_entry_and_the_last_returns_its_result),
    cmocka_unit_test(yield_and_resume_exchange_their_arguments),
    cmocka_unit_test(all_bits_of_a_pointer_travel),
    cmocka_unit_test(the_status_may_be_left_out),
    cmocka_unit_test(fibers_take_turns_without_disturbing_each_other),
    cmocka_unit_test(each_tier_resumes_what_the_other_has_suspended),
    cmocka_unit_test(a_fiber_yields_from_any_depth_of_calls),
    cmocka_unit_test(a_yield_goes_to_the_innermost_resume),
    cmocka_unit_test(a_fiber_may_be_resumed_by_another_one_each_time),
    cmocka_unit_test(fibers_nest_a_thousand_deep),
    cmocka_unit_test(alloc_without_an_entry_answers_null),
    cmocka_unit_test(resume_of_null_is_an_error),
    cmocka_unit_test(resume_of_a_finished_fiber_is_an_error),
    cmocka_unit_test(a_finished_fiber_is_not_taken_for_a_later_one),
    cmocka_unit_test(resume_of_the_running_fiber_is_an_error),
    cmocka_unit_test(resume_of_a_fiber_that_waits_in_a_resume_is_an_error),
    cmocka_unit_test(yield_outside_a_fiber_answers_null),
    cmocka_unit_test(free_of_null_is_nothing),
    cmocka_unit_test(a_fresh_fiber_that_is_freed_never_runs),
    cmocka_unit_test(a_suspended_fiber_that_is_freed_never_goes_on),
    cmocka_unit_test(a_fiber_freed_while_running_goes_at_its_end),
    cmocka_unit_test(a_fiber_freed_while_running_goes_at_its_next_yield),
    cmocka_unit_test(a_fiber_freed_while_it_waits_runs_on_until_it_ends_or_yields),
    cmocka_unit_test(a_fiber_outlives_the_one_that_started_it),
    cmocka_unit_test(fibers_work_without_init),
    cmocka_unit_test(init_and_finalize_may_be_repeated),
    cmocka_unit_test(finalize_drops_the_fibers_that_are_left),
    cmocka_unit_test(finalize_inside_a_fiber_does_nothing),
    cmocka_unit_test(alloc_without_memory_answers_null),
    cmocka_unit_test(resume_without_memory_for_the_stack_is_an_error_and_may_be_repeated),
    cmocka_unit_test(a_hundred_thousand_fibers_are_alive_at_once),
    cmocka_unit_test(a_shortage_of_memory_leaves_no_trace),
    cmocka_unit_test(a_million_fibers_come_and_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
