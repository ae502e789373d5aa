/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Continuations and threads: one that ends inside of a continuation, and a runtime that moves from one thread to
 * another, with what belongs to the threads themselves.
 *
 * It is built twice, the second time with -fexceptions: with it the cleanup handlers of a thread are called by the
 * unwinder, frame by frame, without it the C library jumps to each of them.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "stale.h"
#include "tools.h"

/* ---- A thread that ends inside of a continuation ------------------------------------------------ */

/* What happens in the thread. It takes notes: cmocka hears assertions of its own thread only. */
struct exiting {
  wasmfx_runtime_t *rt;
  wasmfx_mark_t outside;
  wasmfx_tag_t *pause;
  const wasmfx_handlers_t *handlers;
  wasmfx_cont_t inner, parked;
  void (*end)(void);
  char cleaned[8]; /* whose cleanup handlers have run: A, B the continuations, H the host, D the destructor */
  size_t cleaned_count;
  bool went_on; /* somebody came back from where nobody comes back */
  size_t depth_before, depth_after, killed, dropped;
  wasmfx_status_t free_before, unwound, freed_after;
  wasmfx_outcome_t parked_after;
};

static pthread_key_t exit_key;

static void note(struct exiting *exiting, char who)
{
  exiting->cleaned[exiting->cleaned_count++] = who;
}

static void clean_a(void *exiting)
{
  note(exiting, 'A');
}
static void clean_b(void *exiting)
{
  note(exiting, 'B');
}
static void clean_host(void *exiting)
{
  note(exiting, 'H');
}

static uint64_t wait_once(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct exiting *exiting = env;
  (void)from;
  wasmfx_suspend_word(rt, exiting->pause, 0);
  return word + 5;
}

static uint64_t end_in_b(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct exiting *exiting = env;
  (void)rt, (void)from;
  pthread_cleanup_push(clean_b, exiting);
  exiting->end();
  exiting->went_on = true;
  pthread_cleanup_pop(0);
  return word;
}

static uint64_t resume_b(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct exiting *exiting = env;
  (void)from;
  pthread_cleanup_push(clean_a, exiting);
  wasmfx_resume_word(rt, &exiting->inner, exiting->handlers, 0);
  exiting->went_on = true;
  pthread_cleanup_pop(0);
  return word;
}

static void *end_inside(void *env)
{
  struct exiting *exiting = env;
  wasmfx_runtime_t *rt = exiting->rt;
  wasmfx_mark(rt, &exiting->outside);
  pthread_setspecific(exit_key, exiting);
  pthread_cleanup_push(clean_host, exiting);
  wasmfx_cont_t a = word_cont_of(rt, ":", resume_b, exiting);
  exiting->inner = word_cont_of(rt, ":", end_in_b, exiting);
  exiting->parked = word_cont_of(rt, "l:l", wait_once, exiting);
  wasmfx_resume_word(rt, &exiting->parked, exiting->handlers, 0);
  wasmfx_resume_word(rt, &a, NULL, 0);
  exiting->went_on = true;
  pthread_cleanup_pop(0);
  return NULL;
}

/* Called where the thread began: what it ran on before is a matter of the runtime's only. */
static void at_thread_exit(void *env)
{
  struct exiting *exiting = env;
  wasmfx_runtime_t *rt = exiting->rt;
  note(exiting, 'D');
  exiting->depth_before = wasmfx_depth(rt);
  exiting->free_before = wasmfx_runtime_free(rt, NULL);
  exiting->unwound = wasmfx_unwind_to(rt, &exiting->outside, &exiting->killed);
  exiting->depth_after = wasmfx_depth(rt);
  exiting->parked_after = wasmfx_resume_word(rt, &exiting->parked, NULL, 0);
  exiting->freed_after = wasmfx_runtime_free(rt, &exiting->dropped);
}

static void exit_now(void)
{
  pthread_exit((void *)7);
}

static void cancel_oneself(void)
{
  pthread_cancel(pthread_self());
  pthread_testcancel();
}

/* What becomes of a thread with a continuation A inside which a continuation B ends it. */
static void assert_ends(void (*end)(void), void *expected)
{
  struct exiting exiting;
  memset(&exiting, 0, sizeof exiting);
  exiting.end = end;
  assert_status(wasmfx_runtime_new(NULL, &exiting.rt), WASMFX_OK);
  exiting.pause = tag_of(exiting.rt, ":l");
  exiting.handlers = HANDLERS(exiting.rt, ON_LABEL(exiting.pause));

  pthread_t thread;
  void *result;
  assert_int_equal(pthread_key_create(&exit_key, at_thread_exit), 0);
  assert_int_equal(pthread_create(&thread, NULL, end_inside, &exiting), 0);
  assert_int_equal(pthread_join(thread, &result), 0);
  assert_int_equal(pthread_key_delete(exit_key), 0);

  assert_ptr_equal(result, expected);
  assert_false(exiting.went_on);
  assert_string_equal(exiting.cleaned, "BAHD"); /* from the inside out, across the stacks */
  assert_int_equal(exiting.depth_before, 2);    /* the library has not noticed */
  assert_status(exiting.free_before, WASMFX_ERROR_STATE);
  assert_status(exiting.unwound, WASMFX_OK);
  assert_int_equal(exiting.killed, 2);
  assert_int_equal(exiting.depth_after, 0);
  assert_outcome(exiting.parked_after, WASMFX_RETURNED);
  assert_int_equal(exiting.parked_after.word, 5);
  assert_status(exiting.freed_after, WASMFX_OK);
  assert_int_equal(exiting.dropped, 0);
}

static void a_thread_that_exits_in_a_continuation_cleans_up_from_the_inside_out(void **state)
{
  (void)state;
  if (is_left_out(KNOWS_ONE_STACK_A_THREAD, "it takes the stack that a thread ends on for the thread\'s"))
    return;
  assert_ends(exit_now, (void *)7);
}

static void a_thread_that_is_cancelled_in_a_continuation_cleans_up_from_the_inside_out(void **state)
{
  (void)state;
  if (is_left_out(KNOWS_ONE_STACK_A_THREAD, "it takes the stack that a thread ends on for the thread\'s"))
    return;
  assert_ends(cancel_oneself, PTHREAD_CANCELED);
}

/* ---- What belongs to a thread ----------------------------------------------------------------------
 *
 * A continuation has no thread-local variables of its own, and is nowhere at home: while nothing of its runtime runs,
 * that may move to another thread. What a body has found out about its thread before a suspension is then wrong. That
 * goes for addresses in particular, which compilers keep unasked: for them a function runs in one thread.
 */

struct move {
  wasmfx_runtime_t *rt;
  wasmfx_cont_t cont;
  wasmfx_outcome_t outcome;
  const void *variable, *own_errno; /* of the thread that it has moved to */
};

static void *resume_here(void *env)
{
  struct move *move = env;
  move->variable = variable_of_this_thread();
  move->own_errno = errno_of_this_thread();
  move->outcome = wasmfx_resume_word(move->rt, &move->cont, NULL, 0);
  return NULL;
}

/* Runs `body` until it suspends, here, and the rest in another thread. */
static struct places move_between_threads(wasmfx_runtime_t *rt, wasmfx_word_entry_t body, struct move *move)
{
  struct places places = { .pause = tag_of(rt, ":") };
  pthread_t thread;
  move->rt = rt;
  move->cont = word_cont_of(rt, ":", body, &places);
  assert_outcome(wasmfx_resume_word(rt, &move->cont, HANDLERS(rt, ON_LABEL(places.pause)), 0), WASMFX_SUSPENDED);
  assert_int_equal(pthread_create(&thread, NULL, resume_here, move), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_outcome(move->outcome, WASMFX_RETURNED);
  return places;
}

static void a_compiler_keeps_the_address_of_a_thread_local_variable_over_a_move(void **state)
{
  struct move move;
  const struct places places = move_between_threads(runtime_of(state), find_variable, &move);
  assert_ptr_equal(places.before, variable_of_this_thread());
  assert_ptr_not_equal(places.after, move.variable); /* it is the other thread's by now */
  assert_ptr_equal(places.after, places.before);
}

static void a_compiler_keeps_the_address_of_errno_over_a_move(void **state)
{
  struct move move;
  const struct places places = move_between_threads(runtime_of(state), find_errno, &move);
  assert_ptr_equal(places.before, errno_of_this_thread());
  assert_ptr_not_equal(places.after, move.own_errno);
  assert_ptr_equal(places.after, places.before);
}

static void a_function_that_is_not_inlined_finds_the_variable_of_the_thread_that_it_runs_in(void **state)
{
  struct move move;
  const struct places places = move_between_threads(runtime_of(state), ask_for_variable, &move);
  assert_ptr_equal(places.before, variable_of_this_thread());
  assert_ptr_equal(places.after, move.variable);
  assert_ptr_not_equal(places.after, places.before);
}

/* ---- errno ------------------------------------------------------------------------------------------ */

__attribute__((noinline)) static int get_errno(void)
{
  return errno;
}
__attribute__((noinline)) static void set_errno(int value)
{
  errno = value;
}

static uint64_t fail_and_look_again(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)word, (void)from;
  set_errno(EDOM);
  wasmfx_suspend_word(rt, env, 0);
  return (uint64_t)get_errno();
}

static void errno_is_the_threads_and_not_the_continuations(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *pause = tag_of(rt, ":");
  wasmfx_cont_t cont = word_cont_of(rt, ":l", fail_and_look_again, pause);
  assert_outcome(wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_LABEL(pause)), 0), WASMFX_SUSPENDED);
  assert_int_equal(get_errno(), EDOM);
  set_errno(ERANGE);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, NULL, 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, ERANGE);
}

/* Host words are where each side's errno is kept while it does not run. */
static void exchange_errno(wasmfx_runtime_t *rt, void **from_word, void **to_word)
{
  (void)rt;
  *(int *)*from_word = errno;
  errno = *(const int *)*to_word;
}

static void a_hook_gives_each_continuation_an_errno_of_its_own(void **state)
{
  wasmfx_runtime_config_t config;
  int hosts = 0, bodys = 0;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.switched = exchange_errno;
  struct world *world = world_new(&config);
  wasmfx_runtime_t *rt = world->rt;
  wasmfx_tag_t *pause = tag_of(rt, ":");
  wasmfx_cont_t cont = word_cont_of(rt, ":l", fail_and_look_again, pause);
  *wasmfx_host_word(rt) = &hosts;
  *wasmfx_cont_host_word(rt, cont) = &bodys;
  set_errno(ERANGE);
  assert_outcome(wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_LABEL(pause)), 0), WASMFX_SUSPENDED);
  assert_int_equal(get_errno(), ERANGE);
  set_errno(EINTR);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, NULL, 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, EDOM);
  assert_int_equal(get_errno(), EINTR);
  world_free(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_thread_that_exits_in_a_continuation_cleans_up_from_the_inside_out),
    cmocka_unit_test(a_thread_that_is_cancelled_in_a_continuation_cleans_up_from_the_inside_out),
    in_a_world(a_compiler_keeps_the_address_of_a_thread_local_variable_over_a_move),
    in_a_world(a_compiler_keeps_the_address_of_errno_over_a_move),
    in_a_world(a_function_that_is_not_inlined_finds_the_variable_of_the_thread_that_it_runs_in),
    in_a_world(errno_is_the_threads_and_not_the_continuations),
    cmocka_unit_test(a_hook_gives_each_continuation_an_errno_of_its_own),
  };
  return cmocka_run_group_tests_name("host threads", tests, NULL, NULL);
}
