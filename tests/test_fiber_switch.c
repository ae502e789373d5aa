/* SPDX-License-Identifier: Apache-2.0 */
/* fiber_switch.h in one thread: who runs next and who ran before, every misuse, freeing, programs inside programs, and
 * the two fiber interfaces in one program. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wasmfx/fiber_switch.h>

/* The other interface, by its symbols: the names of fiber.h mean something else in this file. */
struct fiber *wasmfx_fiber_alloc(void *(*entry)(void *));
void wasmfx_fiber_free(struct fiber *fiber);
void *wasmfx_fiber_yield(void *arg);
void *wasmfx_fiber_resume(struct fiber *fiber, void *arg, int *status);
void wasmfx_fiber_finalize(void);
enum { RESUME_OK, RESUME_YIELD, RESUME_ERROR };

/* Small numbers travel as pointers. */
static void *pack(intptr_t number)
{
  return (void *)number;
}
static intptr_t number_of(const void *packed)
{
  return (intptr_t)packed;
}

/* Most programs here need no arguments. */
static void *run(void *(*program)(int, char **))
{
  return fiber_main(program, 0, NULL);
}

static fiber_t untouched(void)
{
  static char nobody;
  return (fiber_t)(void *)&nobody;
}

/* Tries to switch and asserts that nothing happens. */
static void assert_cannot_switch(fiber_t target)
{
  fiber_t from = untouched();
  assert_null(fiber_switch(target, pack(1), &from));
  assert_ptr_equal(from, untouched());
  assert_null(fiber_switch(target, pack(1), NULL));
  fiber_switch_return(target, pack(1));
}

/* ---- Programs ------------------------------------------------------------------------ */

static void *join_arguments(int argc, char **argv)
{
  assert_int_equal(argc, 2);
  assert_null(argv[2]);
  return strcat(argv[0], argv[1]);
}

static void fiber_main_passes_its_arguments_and_returns_the_result(void **state)
{
  (void)state;
  char first[8] = "one", second[] = "two";
  char *argv[] = { first, second, NULL };
  assert_string_equal(fiber_main(join_arguments, 2, argv), "onetwo");
}

static void fiber_main_without_a_program_answers_null(void **state)
{
  (void)state;
  assert_null(run(NULL));
}

/* ---- Switching ------------------------------------------------------------------------- */

/* Answers every switch with one more than it was given. */
static void *add_one(void *arg, fiber_t from)
{
  while (from)
    arg = fiber_switch(from, pack(number_of(arg) + 1), &from);
  return arg;
}

static void *ask_adder(int argc, char **argv)
{
  (void)argc, (void)argv;
  fiber_t adder = fiber_alloc(add_one), from = NULL;
  assert_non_null(adder);
  for (intptr_t i = 1; i < 100; i++) {
    assert_int_equal(number_of(fiber_switch(adder, pack(i), &from)), i + 1);
    assert_ptr_equal(from, adder);
  }
  assert_int_equal(number_of(fiber_switch(adder, pack(7), NULL)), 8);
  fiber_free(adder);
  return pack(9);
}

static void a_switch_passes_an_argument_and_says_who_switched(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(ask_adder)), 9);
}

static void *remember_who(void *who, fiber_t from)
{
  *(fiber_t *)who = from;
  fiber_switch_return(from, from);
  return NULL;
}

/* The running fiber, as others see it. */
static fiber_t myself(void)
{
  fiber_t seen = NULL, teller = fiber_alloc(remember_who);
  void *same = fiber_switch(teller, &seen, NULL);
  assert_ptr_equal(same, seen);
  fiber_free(teller);
  return seen;
}

static void *ask_who_am_i(int argc, char **argv)
{
  (void)argc, (void)argv;
  assert_non_null(myself());
  assert_ptr_equal(myself(), myself());
  return NULL;
}

static void a_fiber_is_the_same_to_all(void **state)
{
  (void)state;
  (void)run(ask_who_am_i);
}

#define RING 1000
static fiber_t ring[RING], ring_program;

/* Passes a token on, one more each time; the last one passes it to the program. */
static void *ring_member(void *index, fiber_t from)
{
  intptr_t token = number_of(index);
  if (token == 0)
    ring_program = from;
  const fiber_t next = token + 1 < RING ? ring[token + 1] : ring_program;
  while (token >= 0)
    token = number_of(fiber_switch(next, pack(token + 1), NULL));
  return NULL;
}

static void *turn_ring(int argc, char **argv)
{
  (void)argc, (void)argv;
  for (int i = 0; i < RING; i++)
    assert_non_null(ring[i] = fiber_alloc(ring_member));
  fiber_t last = NULL;
  for (int round = 0; round < 10; round++) {
    assert_int_equal(number_of(fiber_switch(ring[0], pack(0), &last)), RING);
    assert_ptr_equal(last, ring[RING - 1]);
  }
  for (int i = 0; i < RING; i++)
    fiber_free(ring[i]);
  return NULL;
}

static void a_thousand_fibers_switch_in_a_ring(void **state)
{
  (void)state;
  (void)run(turn_ring);
}

/* ---- Ending ----------------------------------------------------------------------------- */

static void *end_with_two_more(void *arg, fiber_t from)
{
  fiber_switch_return(from, pack(number_of(arg) + 2));
  return NULL;
}

static void *start_one_that_ends(int argc, char **argv)
{
  (void)argc, (void)argv;
  fiber_t fiber = fiber_alloc(end_with_two_more), from = untouched();
  assert_int_equal(number_of(fiber_switch(fiber, pack(1), &from)), 3);
  assert_null(from);
  assert_cannot_switch(fiber);
  fiber_free(fiber);
  return pack(1);
}

static void switch_return_ends_a_fiber_and_leaves_nobody_to_switch_back_to(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(start_one_that_ends)), 1);
}

static fiber_t started; /* by the program of the next test */

static void *return_arg_if_nobody_was_before(void *arg, fiber_t from)
{
  assert_null(from);
  return arg;
}

static void *hand_over(int argc, char **argv)
{
  (void)argc, (void)argv;
  started = fiber_alloc(return_arg_if_nobody_was_before);
  fiber_switch_return(started, pack(5));
  fail(); /* not reached */
  return NULL;
}

static void the_program_may_end_before_others_do(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(hand_over)), 5);
  fiber_free(started);
}

static void *return_arg(void *arg, fiber_t from)
{
  (void)from;
  return arg;
}

static void *start_one_that_returns(int argc, char **argv)
{
  (void)argc, (void)argv;
  started = fiber_alloc(return_arg);
  (void)fiber_switch(started, pack(6), NULL);
  fail(); /* not reached: the program is dropped here */
  return NULL;
}

static void a_fiber_that_returns_ends_fiber_main_with_its_result(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(start_one_that_returns)), 6);
  fiber_free(started);
}

static void *start_adder(int argc, char **argv)
{
  (void)argc, (void)argv;
  started = fiber_alloc(add_one);
  return fiber_switch(started, pack(1), NULL);
}

static void *use_started(int argc, char **argv)
{
  (void)argc, (void)argv;
  return fiber_switch(started, pack(10), NULL);
}

static void a_suspended_fiber_runs_on_under_the_next_fiber_main(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(start_adder)), 2);
  assert_int_equal(number_of(run(use_started)), 11);
  assert_int_equal(number_of(run(use_started)), 11);
  fiber_free(started);
}

/* ---- Misuse ------------------------------------------------------------------------------- */

static void alloc_without_an_entry_answers_null(void **state)
{
  (void)state;
  assert_null(fiber_alloc(NULL));
}

static void a_switch_outside_fiber_main_changes_nothing(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(add_one);
  assert_cannot_switch(fiber);
  assert_cannot_switch(NULL);
  assert_int_equal(number_of(run(start_adder)), 2);
  assert_cannot_switch(started);
  assert_cannot_switch(fiber);
  fiber_free(started);
  fiber_free(fiber);
}

static void *switch_where_nothing_is(int argc, char **argv)
{
  (void)argc, (void)argv;
  assert_cannot_switch(NULL);
  assert_cannot_switch(myself());
  return pack(1);
}

static void a_switch_to_null_or_to_oneself_changes_nothing(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(switch_where_nothing_is)), 1);
}

static void *switch_to_started(int argc, char **argv)
{
  (void)argc, (void)argv;
  assert_cannot_switch(started);
  return pack(1);
}

static void a_switch_to_one_that_has_returned_changes_nothing(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(start_one_that_returns)), 6);
  assert_int_equal(number_of(run(switch_to_started)), 1);
  fiber_free(started);
}

static void a_switch_to_one_of_a_finalized_thread_changes_nothing(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(start_adder)), 2);
  wasmfx_fiber_finalize();
  assert_int_equal(number_of(run(switch_to_started)), 1);
  fiber_free(started);
}

/* ---- Freeing -------------------------------------------------------------------------------- */

static int reached; /* how far a fiber has come */

/* A sanitizer has a malloc of its own, for which this is 0 at all times; its search for leaks counts then. */
static size_t malloced_bytes(void)
{
  return mallinfo2().uordblks;
}

static void *two_steps(void *arg, fiber_t from)
{
  reached = 1;
  (void)fiber_switch(from, arg, &from);
  reached = 2;
  fiber_switch_return(from, arg);
  return NULL;
}

static void *free_fresh_and_suspended(int argc, char **argv)
{
  (void)argc, (void)argv;
  fiber_free(NULL);
  reached = 0;
  fiber_free(fiber_alloc(two_steps));
  assert_int_equal(reached, 0);
  fiber_t fiber = fiber_alloc(two_steps);
  assert_int_equal(number_of(fiber_switch(fiber, pack(3), NULL)), 3);
  fiber_free(fiber);
  assert_int_equal(reached, 1);
  return NULL;
}

static void a_fresh_or_suspended_fiber_that_is_freed_never_goes_on(void **state)
{
  (void)state;
  (void)run(free_fresh_and_suspended);
}

static void *free_itself(void *self, fiber_t from)
{
  fiber_free(self);
  reached = 1;
  (void)fiber_switch(from, pack(1), NULL);
  reached = 2;
  return NULL;
}

static void *start_those_that_free_themselves(int argc, char **argv)
{
  (void)argc, (void)argv;
  size_t before = 0;
  for (int i = 0; i < 2000; i++) {
    if (i == 1000)
      before = malloced_bytes();
    fiber_t fiber = fiber_alloc(free_itself), from = untouched();
    assert_int_equal(number_of(fiber_switch(fiber, fiber, &from)), 1);
    assert_null(from);
    assert_int_equal(reached, 1);
  }
  assert_true(malloced_bytes() < before + 1000);
  return pack(2);
}

static void a_fiber_freed_while_running_goes_at_its_next_switch(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(start_those_that_free_themselves)), 2);
}

static void *free_who_was_before(void *arg, fiber_t from)
{
  fiber_free(from);
  return arg;
}

static void *start_one_that_frees_the_program(int argc, char **argv)
{
  (void)argc, (void)argv;
  started = fiber_alloc(free_who_was_before);
  (void)fiber_switch(started, pack(4), NULL);
  fail(); /* not reached */
  return NULL;
}

static void *free_itself_as_the_program(int argc, char **argv)
{
  (void)argc, (void)argv;
  fiber_free(myself());
  return pack(5);
}

static void the_program_may_be_freed_like_any_other_fiber(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(start_one_that_frees_the_program)), 4);
  fiber_free(started);
  assert_int_equal(number_of(run(free_itself_as_the_program)), 5);
}

/* ---- Programs inside programs ------------------------------------------------------------------ */

static fiber_t outer; /* the fiber that called the inner fiber_main() */

static void *inner_program(int argc, char **argv)
{
  (void)argc, (void)argv;
  assert_cannot_switch(outer); /* it waits, */
  fiber_free(outer);           /* and its own fiber_main() will free it */
  assert_int_equal(number_of(ask_adder(0, NULL)), 9);
  return fiber_switch(started, pack(20), NULL);
}

static void *outer_program(int argc, char **argv)
{
  (void)argc, (void)argv;
  outer = myself();
  started = fiber_alloc(add_one);
  assert_int_equal(number_of(fiber_switch(started, pack(1), NULL)), 2);
  assert_int_equal(number_of(run(inner_program)), 21);
  assert_ptr_equal(myself(), outer);
  return fiber_switch(started, pack(30), NULL);
}

static void programs_nest_and_the_inner_one_may_run_what_the_outer_one_has_suspended(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(outer_program)), 31);
  fiber_free(started);
}

static void *end_inner(void *arg, fiber_t from)
{
  (void)from;
  return pack(number_of(run(ask_adder)) + number_of(arg));
}

static void *start_fiber_with_a_program(int argc, char **argv)
{
  (void)argc, (void)argv;
  started = fiber_alloc(end_inner);
  (void)fiber_switch(started, pack(1), NULL);
  return NULL;
}

static void the_end_of_a_fiber_ends_the_innermost_program_only(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(start_fiber_with_a_program)), 10);
  fiber_free(started);
}

/* ---- Both interfaces in one program ----------------------------------------------------------------- */

static void *yield_between_switches(int argc, char **argv)
{
  (void)argc, (void)argv;
  fiber_t adder = fiber_alloc(add_one);
  void *arg = fiber_switch(adder, pack(1), NULL);
  arg = wasmfx_fiber_yield(arg);
  arg = fiber_switch(adder, arg, NULL);
  fiber_free(adder);
  return arg;
}

static void *run_in_fiber(void *arg)
{
  (void)arg;
  return run(yield_between_switches);
}

static void a_yield_takes_the_program_around_it_along(void **state)
{
  (void)state;
  int status = RESUME_ERROR;
  struct fiber *fiber = wasmfx_fiber_alloc(run_in_fiber);
  assert_int_equal(number_of(wasmfx_fiber_resume(fiber, NULL, &status)), 2);
  assert_int_equal(status, RESUME_YIELD);
  assert_int_equal(number_of(wasmfx_fiber_resume(fiber, pack(10), &status)), 11);
  assert_int_equal(status, RESUME_OK);
  wasmfx_fiber_free(fiber);
}

enum { OFTEN = 300 };

static void *yield_once(int argc, char **argv)
{
  (void)argc, (void)argv;
  return wasmfx_fiber_yield(pack(-1));
}

static void *run_and_yield_often(void *arg)
{
  (void)arg;
  assert_int_equal(number_of(run(yield_once)), -2);
  for (intptr_t i = 0; i < OFTEN; i++)
    assert_int_equal(number_of(wasmfx_fiber_yield(pack(i))), -i);
  return NULL;
}

/* With revisions that run out it moves on the way, which asks what it waits for. */
static void a_fiber_yields_as_before_when_its_program_has_ended(void **state)
{
  (void)state;
  int status = RESUME_ERROR;
  struct fiber *fiber = wasmfx_fiber_alloc(run_and_yield_often);
  assert_int_equal(number_of(wasmfx_fiber_resume(fiber, NULL, &status)), -1);
  assert_int_equal(number_of(wasmfx_fiber_resume(fiber, pack(-2), &status)), 0);
  for (intptr_t i = 1; i < OFTEN; i++) {
    assert_int_equal(number_of(wasmfx_fiber_resume(fiber, pack(1 - i), &status)), i);
    assert_int_equal(status, RESUME_YIELD);
  }
  assert_null(wasmfx_fiber_resume(fiber, pack(1 - OFTEN), &status));
  assert_int_equal(status, RESUME_OK);
  wasmfx_fiber_free(fiber);
}

static void *resume_inside_a_program(int argc, char **argv)
{
  (void)argv;
  int status = RESUME_ERROR;
  fiber_t me = myself();
  struct fiber *fiber = wasmfx_fiber_alloc(run_in_fiber);
  assert_int_equal(number_of(wasmfx_fiber_resume(fiber, NULL, &status)), 2);
  assert_ptr_equal(myself(), me);
  assert_int_equal(number_of(ask_adder(argc, NULL)), 9);
  assert_int_equal(number_of(wasmfx_fiber_resume(fiber, pack(10), &status)), 11);
  assert_int_equal(status, RESUME_OK);
  assert_ptr_equal(myself(), me);
  wasmfx_fiber_free(fiber);
  return pack(1);
}

static void a_program_resumes_fibers_that_run_programs(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(resume_inside_a_program)), 1);
}

static void *try_to_switch(void *target)
{
  assert_cannot_switch(target);
  assert_int_equal(number_of(run(ask_adder)), 9);
  assert_cannot_switch(target);
  (void)wasmfx_fiber_yield(NULL);
  assert_cannot_switch(target);
  return NULL;
}

static void *resume_one_that_tries_to_switch(int argc, char **argv)
{
  (void)argc, (void)argv;
  int status = RESUME_ERROR;
  fiber_t adder = fiber_alloc(add_one);
  struct fiber *fiber = wasmfx_fiber_alloc(try_to_switch);
  (void)wasmfx_fiber_resume(fiber, adder, &status);
  assert_int_equal(status, RESUME_YIELD);
  assert_int_equal(number_of(fiber_switch(adder, pack(1), NULL)), 2);
  (void)wasmfx_fiber_resume(fiber, NULL, &status);
  assert_int_equal(status, RESUME_OK);
  wasmfx_fiber_free(fiber);
  fiber_free(adder);
  return pack(1);
}

static void a_resumed_fiber_is_outside_the_program_that_resumes_it(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(resume_one_that_tries_to_switch)), 1);
}

static void *not_reached(void *arg)
{
  fail();
  return arg;
}

static void *mix_up(int argc, char **argv)
{
  (void)argc, (void)argv;
  int status = RESUME_OK;
  fiber_t adder = fiber_alloc(add_one);
  struct fiber *fiber = wasmfx_fiber_alloc(not_reached);
  assert_cannot_switch(fiber);
  assert_null(wasmfx_fiber_resume(adder, pack(1), &status));
  assert_int_equal(status, RESUME_ERROR);
  assert_null(wasmfx_fiber_yield(pack(1)));
  assert_int_equal(number_of(fiber_switch(adder, pack(1), NULL)), 2);
  wasmfx_fiber_free(fiber);
  fiber_free(adder);
  return pack(1);
}

static void each_interface_refuses_the_fibers_of_the_other(void **state)
{
  (void)state;
  assert_int_equal(number_of(run(mix_up)), 1);
}

/* ---- Fibers that are dropped with another one --------------------------------------------------------- */

static void *yield_from_the_program(int argc, char **argv)
{
  (void)argc, (void)argv;
  return wasmfx_fiber_yield(pack(1));
}

static void *yield_from_another_fiber(void *arg, fiber_t from)
{
  (void)from;
  return wasmfx_fiber_yield(arg);
}

static void *switch_and_yield(int argc, char **argv)
{
  (void)argc, (void)argv;
  started = fiber_alloc(yield_from_another_fiber);
  return fiber_switch(started, pack(1), NULL);
}

static void *end_and_yield(int argc, char **argv)
{
  (void)argc, (void)argv;
  started = fiber_alloc(yield_from_another_fiber);
  fiber_switch_return(started, pack(1));
  return NULL;
}

static void *free_the_program_and_yield(int argc, char **argv)
{
  fiber_free(myself());
  return switch_and_yield(argc, argv);
}

static void *yield_from_a_program_inside(int argc, char **argv)
{
  (void)argc, (void)argv;
  return run(switch_and_yield);
}

static void *(*program_inside)(int, char **);

static void *run_program_inside(void *arg)
{
  (void)arg;
  return run(program_inside);
}

/* A suspended fiber that has run the program up to its yield. */
static struct fiber *suspended_with(void *(*program)(int, char **))
{
  int status = RESUME_ERROR;
  struct fiber *fiber = wasmfx_fiber_alloc(run_program_inside);
  program_inside = program;
  started = NULL;
  assert_int_equal(number_of(wasmfx_fiber_resume(fiber, NULL, &status)), 1);
  assert_int_equal(status, RESUME_YIELD);
  return fiber;
}

static void *(*const programs_that_yield[])(int, char **) = {
  yield_from_the_program, switch_and_yield, end_and_yield, free_the_program_and_yield, yield_from_a_program_inside,
};
#define PROGRAMS_THAT_YIELD (sizeof programs_that_yield / sizeof *programs_that_yield)

static void a_program_inside_a_dropped_fiber_leaves_nothing(void **state)
{
  (void)state;
  for (size_t i = 0; i < PROGRAMS_THAT_YIELD; i++) {
    size_t before = 0;
    for (int k = 0; k < 200; k++) {
      if (k == 100)
        before = malloced_bytes();
      wasmfx_fiber_free(suspended_with(programs_that_yield[i]));
      fiber_free(started);
    }
    assert_true(malloced_bytes() < before + 1000);
  }
}

static void a_program_that_is_inside_a_fiber_at_finalize_leaves_nothing(void **state)
{
  (void)state;
  for (size_t i = 0; i < PROGRAMS_THAT_YIELD; i++) {
    struct fiber *fiber = suspended_with(programs_that_yield[i]);
    wasmfx_fiber_finalize();
    wasmfx_fiber_free(fiber);
    fiber_free(started);
  }
}

static void a_fiber_freed_while_it_runs_in_another_goes_with_that(void **state)
{
  (void)state;
  for (size_t i = 0; i < PROGRAMS_THAT_YIELD; i++) {
    struct fiber *dropped = suspended_with(programs_that_yield[i]);
    fiber_free(started);
    wasmfx_fiber_free(dropped);
    struct fiber *finalized = suspended_with(programs_that_yield[i]);
    fiber_free(started);
    wasmfx_fiber_finalize();
    wasmfx_fiber_free(finalized);
  }
}

static void a_fiber_dropped_with_another_one_is_finished(void **state)
{
  (void)state;
  wasmfx_fiber_free(suspended_with(switch_and_yield));
  assert_int_equal(number_of(run(switch_to_started)), 1);
  fiber_free(started);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(fiber_main_passes_its_arguments_and_returns_the_result),
    cmocka_unit_test(fiber_main_without_a_program_answers_null),
    cmocka_unit_test(a_switch_passes_an_argument_and_says_who_switched),
    cmocka_unit_test(a_fiber_is_the_same_to_all),
    cmocka_unit_test(a_thousand_fibers_switch_in_a_ring),
    cmocka_unit_test(switch_return_ends_a_fiber_and_leaves_nobody_to_switch_back_to),
    cmocka_unit_test(the_program_may_end_before_others_do),
    cmocka_unit_test(a_fiber_that_returns_ends_fiber_main_with_its_result),
    cmocka_unit_test(a_suspended_fiber_runs_on_under_the_next_fiber_main),
    cmocka_unit_test(alloc_without_an_entry_answers_null),
    cmocka_unit_test(a_switch_outside_fiber_main_changes_nothing),
    cmocka_unit_test(a_switch_to_null_or_to_oneself_changes_nothing),
    cmocka_unit_test(a_switch_to_one_that_has_returned_changes_nothing),
    cmocka_unit_test(a_switch_to_one_of_a_finalized_thread_changes_nothing),
    cmocka_unit_test(a_fresh_or_suspended_fiber_that_is_freed_never_goes_on),
    cmocka_unit_test(a_fiber_freed_while_running_goes_at_its_next_switch),
    cmocka_unit_test(the_program_may_be_freed_like_any_other_fiber),
    cmocka_unit_test(programs_nest_and_the_inner_one_may_run_what_the_outer_one_has_suspended),
    cmocka_unit_test(the_end_of_a_fiber_ends_the_innermost_program_only),
    cmocka_unit_test(a_yield_takes_the_program_around_it_along),
    cmocka_unit_test(a_fiber_yields_as_before_when_its_program_has_ended),
    cmocka_unit_test(a_program_resumes_fibers_that_run_programs),
    cmocka_unit_test(a_resumed_fiber_is_outside_the_program_that_resumes_it),
    cmocka_unit_test(each_interface_refuses_the_fibers_of_the_other),
    cmocka_unit_test(a_program_inside_a_dropped_fiber_leaves_nothing),
    cmocka_unit_test(a_program_that_is_inside_a_fiber_at_finalize_leaves_nothing),
    cmocka_unit_test(a_fiber_freed_while_it_runs_in_another_goes_with_that),
    cmocka_unit_test(a_fiber_dropped_with_another_one_is_finished),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
