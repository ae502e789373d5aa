/* SPDX-License-Identifier: Apache-2.0 */
/* Fibers that switch, without memory: whatever is refused, the call says so, and succeeds when it is made again. */
#include "faults.h"

#include <wasmfx/fiber_switch.h>

void wasmfx_fiber_finalize(void); /* of fiber.h, whose names mean something else in this file */

static void *pack(intptr_t number)
{
  return (void *)number;
}

static intptr_t number_of(void *packed)
{
  return (intptr_t)packed;
}

static fiber_t fiber_of(fiber_entry_point_t entry)
{
  fiber_t fiber;
  const size_t blocks = blocks_held();
  for (size_t before = refusals(); !(fiber = fiber_alloc(entry)); before = refusals()) {
    assert_true(refusals() > before);
    assert_int_equal(blocks_held(), blocks);
  }
  return fiber;
}

static intptr_t switch_to(fiber_t target, intptr_t arg, fiber_t *from)
{
  void *answer;
  for (size_t before = refusals(); !(answer = fiber_switch(target, pack(arg), from)); before = refusals())
    assert_true(refusals() > before);
  return number_of(answer);
}

/* Answers once, and ends by switching back. */
static void *answer_twice(void *arg, fiber_t from)
{
  const intptr_t more = switch_to(from, 2 * number_of(arg), &from);
  fiber_switch_return(from, pack(2 * more));
  return NULL;
}

static fiber_t home, heir;

static void *answer_home(void *arg, fiber_t from)
{
  assert_null(from);
  fiber_switch_return(home, pack(3 * number_of(arg)));
  return NULL;
}

/* Its last act is to hand over to a fresh one. */
static void *hand_over(void *arg, fiber_t from)
{
  home = from;
  heir = fiber_of(answer_home);
  for (size_t before = refusals();; before = refusals()) {
    fiber_switch_return(heir, arg);
    assert_true(refusals() > before);
  }
  return NULL;
}

static void *one(int argc, char **argv)
{
  (void)argv;
  return pack(argc);
}

static void *program(int argc, char **argv)
{
  fiber_t answers = fiber_of(answer_twice), left = fiber_of(answer_twice), parent = fiber_of(hand_over), from = NULL;
  (void)argv;
  assert_int_equal(switch_to(answers, 4, &from), 8);
  assert_ptr_equal(from, answers);
  assert_int_equal(switch_to(answers, 5, &from), 10);
  assert_null(from);
  assert_int_equal(switch_to(left, 6, &from), 12);
  assert_int_equal(switch_to(parent, 7, &from), 21);
  assert_null(from);
  fiber_free(answers);
  fiber_free(left);
  fiber_free(parent);
  fiber_free(heir);
  return pack(argc);
}

static intptr_t run_main(void *(*function)(int, char **), int argc)
{
  void *result;
  size_t blocks = blocks_held(); /* what the thread needs for its fibers is made first, and stays */
  for (size_t before = refusals(); !(result = fiber_main(function, argc, NULL)); before = refusals()) {
    assert_true(refusals() > before);
    assert_true(blocks == 0 || blocks_held() == blocks);
    blocks = blocks_held();
  }
  return number_of(result);
}

static void run_fibers(void *context)
{
  (void)context;
  count_requests(true);
  assert_int_equal(run_main(one, 3), 3);
  assert_int_equal(run_main(program, 9), 9);
  wasmfx_fiber_finalize();
}

static void switching_fibers_survive_each_refusal(void **state)
{
  (void)state;
  run_once(run_fibers, NULL); /* the key of threads stays */
  print_message("# %zu runs\n", each_refusal(run_fibers, NULL, ALL_PAIRS));
  assert_true(requests_of(C_MEMORY) > 0 && requests_of(COMMITMENT) > 0 && requests_of(THREAD_KEY) > 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(switching_fibers_survive_each_refusal, tell_refusals),
  };
  return cmocka_run_group_tests_name("faults-fiber-switch", tests, NULL, NULL);
}
