/* SPDX-License-Identifier: Apache-2.0 */
/* fiber.h in several threads: each has fibers of its own, ends with them, and cannot use those of others. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* usleep */
#endif
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wasmfx/fiber.h>

#include "tools.h"

#define THREADS 8
#define FIBERS 100

/* fiber_switch.h by its symbols: its names mean something else in this file. */
struct fiber *wasmfx_fiber_switch_alloc(void *(*entry)(void *, struct fiber *));
void wasmfx_fiber_switch_free(struct fiber *fiber);
void *wasmfx_fiber_switch_switch(struct fiber *target, void *arg, struct fiber **switched_from);
void *wasmfx_fiber_switch_main(void *(*program)(int, char **), int argc, char **argv);

/* Runs `work(arg)` in a thread of its own and waits for it. Assertions stay in the test's own thread: cmocka knows no
 * other. */
static void *in_a_thread(void *(*work)(void *), void *arg)
{
  pthread_t thread;
  void *result;
  assert_int_equal(pthread_create(&thread, NULL, work, arg), 0);
  assert_int_equal(pthread_join(thread, &result), 0);
  return result;
}

static void *yes_or_no(bool answer)
{
  return (void *)(uintptr_t)answer;
}
static bool is_yes(const void *answer)
{
  return answer != NULL;
}

/* Counts what it is resumed with, until that is 0, and yields each sum. */
static void *adder(void *arg)
{
  uintptr_t sum = 0;
  for (; arg; arg = fiber_yield((void *)sum))
    sum += (uintptr_t)arg;
  return (void *)sum;
}

static bool resumes_to(fiber_t fiber, uintptr_t arg, fiber_result_t expected_status, uintptr_t expected)
{
  fiber_result_t status = FIBER_ERROR;
  void *result = fiber_resume(fiber, (void *)arg, &status);
  return status == expected_status && (uintptr_t)result == expected;
}

static bool cannot_be_resumed(fiber_t fiber)
{
  return resumes_to(fiber, 1, FIBER_ERROR, 0) && fiber_resume(fiber, NULL, NULL) == NULL;
}

/* ---- Fibers of one's own --------------------------------------------------------------- */

/* Resumes many fibers in turns; says whether all have gone right. */
static void *take_turns(void *with_init)
{
  fiber_t fibers[FIBERS];
  bool right = true;
  if (with_init)
    fiber_init();
  for (int i = 0; i < FIBERS; i++)
    right = (fibers[i] = fiber_alloc(adder)) && right;
  uintptr_t sum = 0;
  for (uintptr_t round = 1; round <= 1000; round++) {
    sum += round;
    for (int i = 0; i < FIBERS; i++)
      right = resumes_to(fibers[i], round, FIBER_YIELD, sum) && right;
  }
  for (int i = 0; i < FIBERS; i++) {
    right = resumes_to(fibers[i], 0, FIBER_OK, sum) && right;
    fiber_free(fibers[i]);
  }
  if (with_init)
    fiber_finalize();
  return yes_or_no(right);
}

/* Each reserves addresses for many stacks, of which valgrind has few. */
static int threads_at_once(void)
{
  return under_valgrind() ? 2 : THREADS;
}

static void eight_threads_have_fibers_of_their_own(void **state)
{
  (void)state;
  pthread_t threads[THREADS];
  void *result;
  for (int i = 0; i < threads_at_once(); i++)
    assert_int_equal(pthread_create(&threads[i], NULL, take_turns, yes_or_no(i % 2)), 0);
  assert_true(is_yes(take_turns(NULL)));
  for (int i = 0; i < threads_at_once(); i++) {
    assert_int_equal(pthread_join(threads[i], &result), 0);
    assert_true(is_yes(result));
  }
}

static void *misuse(void *nothing)
{
  (void)nothing;
  return yes_or_no(!fiber_yield((void *)1) && cannot_be_resumed(NULL));
}

static void a_thread_without_fibers_may_misuse_them(void **state)
{
  (void)state;
  assert_true(is_yes(in_a_thread(misuse, NULL)));
}

static void *finalize(void *nothing)
{
  fiber_init();
  fiber_finalize();
  return nothing;
}

static void finalize_leaves_the_fibers_of_others_alone(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(adder);
  assert_true(resumes_to(fiber, 1, FIBER_YIELD, 1));
  (void)in_a_thread(finalize, NULL);
  assert_true(resumes_to(fiber, 1, FIBER_YIELD, 2));
  fiber_free(fiber);
}

/* ---- Threads that end -------------------------------------------------------------------- */

/* Leaves fibers behind: fresh, suspended and finished ones. */
static void *leave_fibers(void *into)
{
  fiber_t *fibers = into;
  for (int i = 0; i < FIBERS; i++) {
    fibers[i] = fiber_alloc(adder);
    if (i % 3 > 0)
      (void)fiber_resume(fibers[i], (void *)1, NULL);
    if (i % 3 > 1)
      (void)fiber_resume(fibers[i], NULL, NULL);
  }
  return NULL;
}

static void fibers_of_a_thread_that_has_ended_are_errors_and_may_be_freed(void **state)
{
  (void)state;
  fiber_t fibers[FIBERS];
  (void)in_a_thread(leave_fibers, fibers);
  for (int i = 0; i < FIBERS; i++) {
    assert_true(cannot_be_resumed(fibers[i]));
    fiber_free(fibers[i]);
  }
}

static void *exit_now(void *result)
{
  pthread_exit(result);
}

static void *resume_one_that_exits(void *result)
{
  fiber_t *fiber = result;
  *fiber = fiber_alloc(exit_now);
  (void)fiber_resume(*fiber, (void *)7, NULL);
  return NULL;
}

static void a_thread_may_exit_inside_a_fiber(void **state)
{
  (void)state;
  fiber_t fiber;
  if (is_left_out(KNOWS_ONE_STACK_A_THREAD, "it takes the stack that a thread ends on for the thread\'s"))
    return;
  assert_int_equal((uintptr_t)in_a_thread(resume_one_that_exits, &fiber), 7);
  assert_true(cannot_be_resumed(fiber));
  fiber_free(fiber);
}

static size_t address_space_bytes(void)
{
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%lu", &pages), 1);
  fclose(file);
  return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void a_thread_that_ends_gives_everything_back(void **state)
{
  (void)state;
  fiber_t fibers[FIBERS];
  if (is_left_out(KNOWS_ONE_STACK_A_THREAD, "it takes the stack that a thread ends on for the thread\'s"))
    return;
  size_t before = 0;
  for (int i = 0; i < 200; i++) {
    (void)in_a_thread(leave_fibers, fibers);
    for (int k = 0; k < FIBERS; k++)
      fiber_free(fibers[k]);
    (void)in_a_thread(resume_one_that_exits, &fibers[0]);
    fiber_free(fibers[0]);
    if (i == 100)
      before = address_space_bytes();
  }
  const size_t gigabyte = (size_t)1 << 30; /* less than one thread reserves; malloc and sanitizers keep some */
  assert_true(address_space_bytes() < before + gigabyte);
}

static pthread_key_t late_key;

/* The exit of a thread may need fibers again, after its own have gone. */
static void use_fibers_at_exit(void *result)
{
  *(void **)result = take_turns(NULL);
}

static void *ask_for_late_use(void *result)
{
  (void)take_turns(NULL);
  (void)pthread_setspecific(late_key, result);
  return NULL;
}

static void fibers_may_be_used_while_a_thread_exits(void **state)
{
  (void)state;
  void *result = NULL;
  assert_int_equal(pthread_key_create(&late_key, use_fibers_at_exit), 0);
  (void)in_a_thread(ask_for_late_use, &result);
  assert_int_equal(pthread_key_delete(late_key), 0);
  assert_true(is_yes(result));
}

/* ---- Fibers of others ----------------------------------------------------------------------- */

static void *resume_in_vain(void *fiber)
{
  const bool before = cannot_be_resumed(fiber);
  fiber_t mine = fiber_alloc(adder);
  const bool right = before && cannot_be_resumed(fiber) && resumes_to(mine, 1, FIBER_YIELD, 1);
  fiber_free(mine);
  return yes_or_no(right);
}

static void a_fiber_of_another_thread_cannot_be_resumed(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(adder);
  assert_true(is_yes(in_a_thread(resume_in_vain, fiber)));
  assert_true(resumes_to(fiber, 1, FIBER_YIELD, 1));
  assert_true(is_yes(in_a_thread(resume_in_vain, fiber)));
  assert_true(resumes_to(fiber, 1, FIBER_YIELD, 2));
  fiber_free(fiber);
}

static void *resume_in_vain_from_inside(void *fiber)
{
  const bool right = is_yes(in_a_thread(resume_in_vain, fiber));
  return yes_or_no(right);
}

static void a_running_fiber_of_another_thread_cannot_be_resumed(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(resume_in_vain_from_inside);
  assert_true(is_yes(fiber_resume(fiber, fiber, NULL)));
  fiber_free(fiber);
}

static void *free_it(void *fiber)
{
  fiber_free(fiber);
  return NULL;
}

static void a_fiber_may_be_freed_by_another_thread(void **state)
{
  (void)state;
  fiber_t fresh = fiber_alloc(adder), suspended = fiber_alloc(adder), finished = fiber_alloc(adder);
  assert_true(resumes_to(suspended, 1, FIBER_YIELD, 1));
  assert_true(resumes_to(finished, 0, FIBER_OK, 0));
  (void)in_a_thread(free_it, fresh);
  (void)in_a_thread(free_it, suspended);
  (void)in_a_thread(free_it, finished);
  fiber_free(fiber_alloc(adder)); /* here this thread takes them back; */
  (void)in_a_thread(free_it, fiber_alloc(adder));
  fiber_finalize(); /* or here */
}

static void *yield_its_place(void *argument)
{
  (void)argument;
  return fiber_yield(__builtin_frame_address(0));
}

static void *free_it_and_use_fibers(void *fiber)
{
  (void)take_turns(NULL);
  fiber_free(fiber);
  return NULL;
}

static void a_fiber_that_another_thread_frees_gives_its_stack_back_to_its_own(void **state)
{
  (void)state;
  fiber_t fiber = fiber_alloc(yield_its_place), next;
  void *place = fiber_resume(fiber, NULL, NULL);
  assert_non_null(place);
  (void)in_a_thread(free_it_and_use_fibers, fiber);
  next = fiber_alloc(yield_its_place); /* takes it back, and so is the next to get its stack */
  assert_ptr_equal(fiber_resume(next, NULL, NULL), place);
  fiber_free(next);
}

static void *be_freed_elsewhere(void *self)
{
  (void)in_a_thread(free_it, self);
  fiber_free(fiber_alloc(adder)); /* takes it back, but it runs */
  return (void *)3;
}

static void *be_freed_elsewhere_and_yield(void *self)
{
  return fiber_yield(be_freed_elsewhere(self));
}

static void a_running_fiber_that_another_thread_frees_goes_when_it_ends_or_yields(void **state)
{
  (void)state;
  fiber_t ends = fiber_alloc(be_freed_elsewhere), yields = fiber_alloc(be_freed_elsewhere_and_yield);
  assert_true(resumes_to(ends, (uintptr_t)ends, FIBER_OK, 3));
  assert_true(resumes_to(yields, (uintptr_t)yields, FIBER_YIELD, 3));
}

static void *free_all(void *fibers)
{
  for (int i = 0; i < FIBERS; i++)
    fiber_free(((fiber_t *)fibers)[i]);
  return NULL;
}

static void many_threads_free_the_fibers_of_one_while_it_makes_more(void **state)
{
  (void)state;
  static fiber_t fibers[THREADS][FIBERS];
  pthread_t threads[THREADS];
  for (int t = 0; t < THREADS; t++)
    for (int i = 0; i < FIBERS; i++) {
      assert_non_null(fibers[t][i] = fiber_alloc(adder));
      assert_true(resumes_to(fibers[t][i], 1, FIBER_YIELD, 1));
    }
  for (int t = 0; t < THREADS; t++)
    assert_int_equal(pthread_create(&threads[t], NULL, free_all, fibers[t]), 0);
  for (int i = 0; i < 100 * FIBERS; i++) {
    fiber_t fiber = fiber_alloc(adder);
    assert_true(resumes_to(fiber, 1, FIBER_YIELD, 1));
    fiber_free(fiber);
  }
  for (int t = 0; t < THREADS; t++)
    assert_int_equal(pthread_join(threads[t], NULL), 0);
}

/* ---- The other interface --------------------------------------------------------------------- */

static struct fiber *of_main_thread;

static void *answer(void *arg, struct fiber *from)
{
  while (from)
    arg = wasmfx_fiber_switch_switch(from, (void *)((uintptr_t)arg + 1), &from);
  return arg;
}

static void *switch_to_mine_only(int argc, char **argv)
{
  (void)argc, (void)argv;
  struct fiber *mine = wasmfx_fiber_switch_alloc(answer), *from = mine;
  bool right = true;
  for (uintptr_t i = 1; i < 1000; i++) {
    right = !wasmfx_fiber_switch_switch(of_main_thread, (void *)i, &from) && from == mine && right;
    right = (uintptr_t)wasmfx_fiber_switch_switch(mine, (void *)i, &from) == i + 1 && from == mine && right;
  }
  wasmfx_fiber_switch_free(mine);
  return yes_or_no(right);
}

static void *free_program(void *program)
{
  wasmfx_fiber_switch_free(program);
  return NULL;
}

static void *run_program(void *nothing)
{
  (void)nothing;
  return wasmfx_fiber_switch_main(switch_to_mine_only, 0, NULL);
}

static void programs_run_in_eight_threads_and_switch_to_their_own_fibers_only(void **state)
{
  (void)state;
  pthread_t threads[THREADS];
  void *result;
  of_main_thread = wasmfx_fiber_switch_alloc(answer);
  for (int i = 0; i < threads_at_once(); i++)
    assert_int_equal(pthread_create(&threads[i], NULL, run_program, NULL), 0);
  for (int i = 0; i < threads_at_once(); i++) {
    assert_int_equal(pthread_join(threads[i], &result), 0);
    assert_true(is_yes(result));
  }
  wasmfx_fiber_switch_free(of_main_thread);
}

static void *free_in_a_thread(void *arg, struct fiber *program)
{
  (void)in_a_thread(free_program, program);
  return wasmfx_fiber_switch_switch(program, arg, NULL);
}

static void *be_freed_by_a_thread(int argc, char **argv)
{
  (void)argc, (void)argv;
  struct fiber *other = wasmfx_fiber_switch_alloc(free_in_a_thread);
  void *arg = wasmfx_fiber_switch_switch(other, (void *)6, NULL);
  wasmfx_fiber_switch_free(other);
  return arg;
}

static void the_program_may_be_freed_by_another_thread(void **state)
{
  (void)state;
  assert_int_equal((uintptr_t)wasmfx_fiber_switch_main(be_freed_by_a_thread, 0, NULL), 6);
  fiber_finalize();
}

static void *free_itself_and_exit(void *self, struct fiber *from)
{
  (void)from;
  wasmfx_fiber_switch_free(self);
  pthread_exit((void *)8);
}

static void *switch_to_one_that_exits(int argc, char **argv)
{
  (void)argc, (void)argv;
  struct fiber *other = wasmfx_fiber_switch_alloc(free_itself_and_exit);
  return wasmfx_fiber_switch_switch(other, other, NULL);
}

static void *run_a_program_inside(int argc, char **argv)
{
  return wasmfx_fiber_switch_main(switch_to_one_that_exits, argc, argv);
}

static void *run_programs_that_exit(void *nothing)
{
  (void)nothing;
  return wasmfx_fiber_switch_main(run_a_program_inside, 0, NULL);
}

/* Two programs wait and a fiber that is freed runs: four objects, with the thread's own. */
static void a_thread_that_exits_inside_programs_leaves_nothing(void **state)
{
  (void)state;
  if (is_left_out(KNOWS_ONE_STACK_A_THREAD, "it takes the stack that a thread ends on for the thread\'s"))
    return;
  size_t before = 0;
  for (int i = 0; i < 200; i++) {
    if (i == 100)
      before = mallinfo2().uordblks;
    assert_int_equal((uintptr_t)in_a_thread(run_programs_that_exit, NULL), 8);
  }
  assert_true(mallinfo2().uordblks < before + 1000);
}

/* ---- fork() ---- */

static struct {
  bool is_on; /* for the test that wants it */
  pthread_t thread;
  atomic_bool has_fibers;
  bool has_fibers_early;
} fork_test;

static void *make_a_fiber_while_forking(void *nothing)
{
  const fiber_t fiber = fiber_alloc(adder);
  atomic_store(&fork_test.has_fibers, fiber != NULL);
  fiber_free(fiber);
  return nothing;
}

/* Runs after the library has prepared itself, as it was registered before. */
static void at_fork(void)
{
  if (!fork_test.is_on)
    return;
  pthread_create(&fork_test.thread, NULL, make_a_fiber_while_forking, NULL);
  for (unsigned i = 0; i < 50 && !fork_test.has_fibers_early; i++) {
    usleep(1000);
    fork_test.has_fibers_early = atomic_load(&fork_test.has_fibers);
  }
}

static void no_thread_is_in_the_middle_of_its_first_fiber_while_another_forks(void **state)
{
  (void)state;
  fork_test.is_on = true;
  const pid_t pid = fork();
  if (pid == 0)
    _exit(0);
  fork_test.is_on = false;
  pthread_join(fork_test.thread, NULL);
  waitpid(pid, NULL, 0);
  assert_false(fork_test.has_fibers_early);
  assert_true(atomic_load(&fork_test.has_fibers));
}

int main(void)
{
  pthread_atfork(at_fork, NULL, NULL); /* before the library's: these run the other way round */
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(eight_threads_have_fibers_of_their_own),
    cmocka_unit_test(a_thread_without_fibers_may_misuse_them),
    cmocka_unit_test(finalize_leaves_the_fibers_of_others_alone),
    cmocka_unit_test(fibers_of_a_thread_that_has_ended_are_errors_and_may_be_freed),
    cmocka_unit_test(a_thread_may_exit_inside_a_fiber),
    cmocka_unit_test(a_thread_that_ends_gives_everything_back),
    cmocka_unit_test(fibers_may_be_used_while_a_thread_exits),
    cmocka_unit_test(a_fiber_of_another_thread_cannot_be_resumed),
    cmocka_unit_test(a_running_fiber_of_another_thread_cannot_be_resumed),
    cmocka_unit_test(a_fiber_may_be_freed_by_another_thread),
    cmocka_unit_test(a_fiber_that_another_thread_frees_gives_its_stack_back_to_its_own),
    cmocka_unit_test(a_running_fiber_that_another_thread_frees_goes_when_it_ends_or_yields),
    cmocka_unit_test(many_threads_free_the_fibers_of_one_while_it_makes_more),
    cmocka_unit_test(programs_run_in_eight_threads_and_switch_to_their_own_fibers_only),
    cmocka_unit_test(the_program_may_be_freed_by_another_thread),
    cmocka_unit_test(a_thread_that_exits_inside_programs_leaves_nothing),
    cmocka_unit_test(no_thread_is_in_the_middle_of_its_first_fiber_while_another_forks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
