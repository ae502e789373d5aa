/* SPDX-License-Identifier: Apache-2.0 */
/* Fibers without memory: whatever is refused, the call says so, and succeeds when it is made again. */
#include "faults.h"

#include <wasmfx/fiber.h>

enum { CROWD = 40 }; /* more continuations than a runtime's first page has room for */

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
  for (size_t before = refusals(); !(fiber = fiber_alloc(entry)); before = refusals())
    assert_true(refusals() > before);
  return fiber;
}

static void resume_expecting(fiber_t fiber, intptr_t arg, fiber_result_t expected, intptr_t answer)
{
  fiber_result_t status;
  void *result;
  for (size_t before = refusals(); result = fiber_resume(fiber, pack(arg), &status), status == FIBER_ERROR;
       before = refusals()) {
    assert_true(refusals() > before);
    assert_null(result);
  }
  assert_int_equal(status, expected);
  assert_int_equal(number_of(result), answer);
}

static void *double_twice(void *arg)
{
  return pack(2 * number_of(fiber_yield(pack(2 * number_of(arg)))));
}

/* Makes and runs another one inside. */
static void *relay(void *arg)
{
  fiber_t inner = fiber_of(double_twice);
  resume_expecting(inner, number_of(arg), FIBER_YIELD, 2 * number_of(arg));
  void *answer = fiber_yield(arg);
  resume_expecting(inner, 5, FIBER_OK, 10);
  fiber_free(inner);
  return answer;
}

static void run_fibers(void *context)
{
  (void)context;
  count_requests(true);
  fiber_init(); /* if it is refused, the first fiber_alloc() does it */
  fiber_t outer = fiber_of(relay), left = fiber_of(double_twice), crowd[CROWD];
  resume_expecting(outer, 3, FIBER_YIELD, 3);
  resume_expecting(left, 4, FIBER_YIELD, 8);
  resume_expecting(outer, 7, FIBER_OK, 7);
  for (int i = 0; i < CROWD; i++)
    crowd[i] = fiber_of(relay);
  for (int i = 0; i < CROWD; i++)
    fiber_free(crowd[i]);
  fiber_free(left);
  fiber_free(outer);
  fiber_finalize();
}

static void the_first_fiber_of_a_process_is_refused_a_key(void **state)
{
  (void)state;
  count_requests(true);
  refuse_next(THREAD_KEY);
  assert_null(fiber_alloc(relay));
  assert_int_equal(refusals(), 1);
  run_once(run_fibers, NULL);
  assert_int_equal(requests_of(THREAD_KEY), 2);
}

static void fibers_survive_each_refusal(void **state)
{
  (void)state;
  print_message("# %zu runs\n", each_refusal(run_fibers, NULL, ALL_PAIRS));
  assert_true(requests_of(C_MEMORY) > 0 && requests_of(COMMITMENT) > 0 && requests_of(THREAD_KEY) > 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(the_first_fiber_of_a_process_is_refused_a_key, tell_refusals),
    cmocka_unit_test_teardown(fibers_survive_each_refusal, tell_refusals),
  };
  return cmocka_run_group_tests_name("faults-fiber", tests, NULL, NULL);
}
