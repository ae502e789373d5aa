/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In steady state no verb allocates and none enters the kernel. Each pattern of
 * use runs in a child process: once to warm up, then again where the kernel
 * kills the process at any system call but exit, read and write.
 */
#undef _FORTIFY_SOURCE
#define _GNU_SOURCE /* syscall */
#include "support.h"

#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 2000, CROWD = 1000 };

/** What a pattern works with. */
struct bench {
  wasmfx_runtime_t *rt;
  wasmfx_type_t *word, *triple, *peer; /* [i64] -> [i64], [3 x i64] -> [i64], [i64 contref] -> [i64] */
  wasmfx_type_t *many;                 /* [i64] -> [1000 x i64] */
  wasmfx_tag_t *pause, *pause_triple;  /* [i64] -> [i64], [3 x i64] -> [3 x i64] */
  wasmfx_tag_t *swap, *oops;           /* [] -> [i64], [i64] -> [] */
  const wasmfx_handlers_t *handlers, *calls;
  wasmfx_cont_t crowd[CROWD];
  size_t levels;
  jmp_buf out;
};

/* In the child: cmocka's own ways to fail would need the kernel. */
#define require(condition) \
  do { \
    if (!(condition)) \
      syscall(SYS_exit, __LINE__ % 250 + 2); \
  } while (0)

static const wasmfx_value_t triple[3] = { { .i64 = 1 }, { .i64 = 2 }, { .i64 = 3 } };

/* ---- Bodies -------------------------------------------------------------------- */

static uint64_t return_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return word;
}

static uint64_t pause_for_ever(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct bench *bench = env;
  (void)from;
  for (;;)
    word = wasmfx_suspend_word(rt, bench->pause, word).word;
  return word;
}

static uint64_t pause_until_thrown_at(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct bench *bench = env;
  (void)from;
  const wasmfx_outcome_t woken = wasmfx_suspend_word(rt, bench->pause, word);
  if (woken.status == WASMFX_THREW)
    wasmfx_throw_ref(rt, woken.exception);
  return woken.word;
}

static void pause_with_triples(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const struct bench *bench = env;
  (void)results;
  for (wasmfx_outcome_t woken = { .values = args };;)
    woken = wasmfx_suspend(rt, bench->pause_triple, woken.values, 3);
}

static void sum_of_triple(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  results[0].i64 = args[0].i64 + args[1].i64 + args[2].i64;
}

static void thousand_results(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  results[999] = args[0];
}

static uint64_t pause_below(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct bench *bench = env;
  if (--bench->levels == 0)
    return pause_for_ever(rt, env, word, from);
  wasmfx_cont_t inner;
  require(wasmfx_cont_new_word(rt, bench->word, pause_below, env, &inner) == WASMFX_OK);
  return wasmfx_resume_word(rt, &inner, NULL, word).word;
}

static uint64_t switch_back_for_ever(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct bench *bench = env;
  for (;;)
    word = wasmfx_switch_word(rt, &from, bench->swap, bench->peer, word).word;
  return word;
}

static uint64_t switch_in_rounds(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct bench *bench = env;
  wasmfx_cont_t peer;
  (void)from;
  require(wasmfx_cont_new_word(rt, bench->peer, switch_back_for_ever, env, &peer) == WASMFX_OK);
  for (int i = 0; i < ROUNDS; i++)
    require(wasmfx_switch_word(rt, &peer, bench->swap, bench->peer, word).status == WASMFX_RETURNED);
  require(wasmfx_drop(rt, &peer) == WASMFX_OK);
  return word;
}

static uint64_t throw_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct bench *bench = env;
  const wasmfx_value_t value = { .word = word };
  (void)from;
  wasmfx_throw(rt, bench->oops, &value, 1);
  return word;
}

static uint64_t trap_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  wasmfx_trap(rt, (int64_t)word);
  return word;
}

static uint64_t jump_out_below(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct bench *bench = env;
  wasmfx_scope_t scope;
  (void)from;
  require(wasmfx_root_enter(rt, &scope) == WASMFX_OK);
  if (word == 0)
    longjmp(bench->out, 1);
  wasmfx_cont_t inner;
  require(wasmfx_cont_new_word(rt, bench->word, jump_out_below, env, &inner) == WASMFX_OK);
  wasmfx_resume_word(rt, &inner, NULL, word - 1);
  return word;
}

static uint64_t add_one(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  (void)rt, (void)env;
  return word + 1;
}

static void turn_round(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  for (int i = 0; i < 3; i++)
    results[i] = args[2 - i];
}

static void add_one_there(void *arg)
{
  ++*(uint64_t *)arg;
}

static uint64_t ask_in_rounds(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct bench *bench = env;
  (void)from;
  for (int i = 0; i < ROUNDS; i++) {
    word = wasmfx_suspend_word(rt, bench->pause, word).word;
    require(wasmfx_suspend(rt, bench->pause_triple, triple, 3).values[0].i64 == 3);
    require(wasmfx_call_on_host_stack(rt, add_one_there, &word) == WASMFX_OK);
  }
  return word;
}

static uint64_t ask_below(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct bench *bench = env;
  wasmfx_cont_t cont;
  (void)from;
  const wasmfx_word_entry_t next = --bench->levels ? ask_below : ask_in_rounds;
  require(wasmfx_cont_new_word(rt, bench->word, next, env, &cont) == WASMFX_OK);
  return wasmfx_resume_word(rt, &cont, NULL, word).word;
}

static wasmfx_cont_t start(struct bench *bench, wasmfx_word_entry_t entry)
{
  wasmfx_cont_t cont;
  require(wasmfx_cont_new_word(bench->rt, bench->word, entry, bench, &cont) == WASMFX_OK);
  require(wasmfx_resume_word(bench->rt, &cont, bench->handlers, 1).status == WASMFX_SUSPENDED);
  return cont;
}

/* ---- Patterns -------------------------------------------------------------------- */

static void resume_and_suspend(struct bench *bench)
{
  wasmfx_cont_t cont = start(bench, pause_for_ever);
  for (uint64_t i = 0; i < ROUNDS; i++)
    require(wasmfx_resume_word(bench->rt, &cont, bench->handlers, i).word == i);
  require(wasmfx_drop(bench->rt, &cont) == WASMFX_OK);
}

static void resume_and_suspend_with_lists(struct bench *bench)
{
  wasmfx_cont_t cont;
  require(wasmfx_cont_new(bench->rt, bench->triple, pause_with_triples, bench, &cont) == WASMFX_OK);
  for (int i = 0; i < ROUNDS; i++) {
    const wasmfx_outcome_t outcome = wasmfx_resume(bench->rt, &cont, bench->handlers, triple, 3);
    require(outcome.status == WASMFX_SUSPENDED && outcome.values[2].i64 == 3);
  }
  require(wasmfx_drop(bench->rt, &cont) == WASMFX_OK);
}

static void resume_and_suspend_a_chain(struct bench *bench)
{
  bench->levels = 20;
  wasmfx_cont_t cont = start(bench, pause_below);
  for (uint64_t i = 0; i < ROUNDS; i++)
    require(wasmfx_resume_word(bench->rt, &cont, bench->handlers, i).word == i);
  require(wasmfx_drop(bench->rt, &cont) == WASMFX_OK);
}

static void switch_to_and_fro(struct bench *bench)
{
  wasmfx_cont_t cont;
  require(wasmfx_cont_new_word(bench->rt, bench->word, switch_in_rounds, bench, &cont) == WASMFX_OK);
  require(wasmfx_resume_word(bench->rt, &cont, bench->handlers, 7).word == 7);
}

static void create_run_and_end(struct bench *bench)
{
  for (uint64_t i = 0; i < ROUNDS; i++) {
    wasmfx_cont_t cont;
    require(wasmfx_cont_new_word(bench->rt, bench->word, return_word, NULL, &cont) == WASMFX_OK);
    require(wasmfx_resume_word(bench->rt, &cont, NULL, i).word == i);
  }
}

static void create_and_drop(struct bench *bench)
{
  for (int i = 0; i < ROUNDS; i++) {
    wasmfx_cont_t cont;
    require(wasmfx_cont_new_word(bench->rt, bench->word, return_word, NULL, &cont) == WASMFX_OK);
    require(wasmfx_drop(bench->rt, &cont) == WASMFX_OK);
    cont = start(bench, pause_for_ever);
    require(wasmfx_drop(bench->rt, &cont) == WASMFX_OK);
  }
}

static void bind_fresh_ones(struct bench *bench)
{
  for (int i = 0; i < ROUNDS; i++) {
    wasmfx_cont_t cont;
    require(wasmfx_cont_new(bench->rt, bench->triple, sum_of_triple, NULL, &cont) == WASMFX_OK);
    require(wasmfx_cont_bind(bench->rt, &cont, NULL, triple, 1) == WASMFX_OK);
    require(wasmfx_cont_bind(bench->rt, &cont, NULL, NULL, 0) == WASMFX_OK);
    require(wasmfx_cont_bind(bench->rt, &cont, bench->word, triple + 1, 1) == WASMFX_OK);
    require(wasmfx_resume_word(bench->rt, &cont, NULL, 3).word == 6);
  }
}

static void bind_suspended_ones(struct bench *bench)
{
  wasmfx_cont_t cont;
  require(wasmfx_cont_new(bench->rt, bench->triple, pause_with_triples, bench, &cont) == WASMFX_OK);
  for (int i = 0; i < ROUNDS; i++) {
    require(wasmfx_cont_bind(bench->rt, &cont, NULL, triple, 2) == WASMFX_OK);
    require(wasmfx_resume(bench->rt, &cont, bench->handlers, triple + 2, 1).values[2].i64 == 3);
  }
  require(wasmfx_drop(bench->rt, &cont) == WASMFX_OK);
}

static void run_with_long_results(struct bench *bench)
{
  for (int i = 0; i < ROUNDS; i++) {
    wasmfx_cont_t cont;
    require(wasmfx_cont_new(bench->rt, bench->many, thousand_results, NULL, &cont) == WASMFX_OK);
    require(wasmfx_resume(bench->rt, &cont, NULL, triple, 1).values[999].i64 == 1);
  }
}

static void throw_and_trap(struct bench *bench)
{
  for (int i = 0; i < ROUNDS; i++) {
    wasmfx_cont_t cont;
    require(wasmfx_cont_new_word(bench->rt, bench->word, throw_word, bench, &cont) == WASMFX_OK);
    require(wasmfx_resume_word(bench->rt, &cont, NULL, 9).exception->values[0].i64 == 9);
    require(wasmfx_cont_new_word(bench->rt, bench->word, trap_word, bench, &cont) == WASMFX_OK);
    require(wasmfx_resume_word(bench->rt, &cont, NULL, 9).code == 9);
  }
}

static void throw_into_suspended_ones(struct bench *bench)
{
  const wasmfx_exception_t exception = { bench->oops, triple, 1, NULL };
  for (int i = 0; i < ROUNDS; i++) {
    wasmfx_cont_t cont = start(bench, pause_until_thrown_at);
    require(wasmfx_resume_throw(bench->rt, &cont, NULL, bench->oops, triple, 1).status == WASMFX_THREW);
    cont = start(bench, pause_until_thrown_at);
    require(wasmfx_resume_throw_ref(bench->rt, &cont, NULL, &exception).status == WASMFX_THREW);
    cont = start(bench, pause_for_ever);
    require(wasmfx_cancel(bench->rt, &cont, &exception, 5).status == WASMFX_SUSPENDED);
  }
}

static void answer_in_place_and_call(struct bench *bench)
{
  bench->levels = 20;
  wasmfx_cont_t cont;
  require(wasmfx_cont_new_word(bench->rt, bench->word, ask_below, bench, &cont) == WASMFX_OK);
  require(wasmfx_resume_word(bench->rt, &cont, bench->calls, 0).word == 2 * ROUNDS);
}

static void fail_in_all_ways(struct bench *bench)
{
  wasmfx_cont_t null = WASMFX_NULL_CONT;
  for (int i = 0; i < ROUNDS; i++) {
    wasmfx_cont_t cont = start(bench, pause_for_ever), consumed = cont;
    require(wasmfx_cont_bind(bench->rt, &cont, NULL, NULL, 0) == WASMFX_OK);
    require(wasmfx_resume_word(bench->rt, &null, NULL, 0).status == WASMFX_TRAP_NULL_CONT);
    require(wasmfx_resume_word(bench->rt, &consumed, NULL, 0).status == WASMFX_TRAP_CONSUMED);
    require(wasmfx_resume(bench->rt, &cont, NULL, triple, 3).status == WASMFX_ERROR_ARITY);
    require(wasmfx_suspend_word(bench->rt, bench->pause, 0).status == WASMFX_TRAP_UNHANDLED);
    require(wasmfx_drop(bench->rt, &cont) == WASMFX_OK);
  }
}

static void open_and_close_scopes(struct bench *bench)
{
  for (int i = 0; i < ROUNDS; i++) {
    wasmfx_scope_t root, barrier;
    require(wasmfx_root_enter(bench->rt, &root) == WASMFX_OK);
    require(wasmfx_barrier_enter(bench->rt, &barrier) == WASMFX_OK);
    require(wasmfx_barrier_leave(bench->rt, &barrier) == WASMFX_OK);
    require(wasmfx_root_leave(bench->rt, &root) == WASMFX_OK);
  }
}

static void jump_and_unwind(struct bench *bench)
{
  for (volatile int i = 0; i < ROUNDS; i++) {
    wasmfx_mark_t mark;
    size_t killed;
    wasmfx_mark(bench->rt, &mark);
    if (_setjmp(bench->out) == 0) {
      wasmfx_cont_t cont;
      require(wasmfx_cont_new_word(bench->rt, bench->word, jump_out_below, bench, &cont) == WASMFX_OK);
      wasmfx_resume_word(bench->rt, &cont, NULL, 2);
    }
    require(wasmfx_unwind_to(bench->rt, &mark, &killed) == WASMFX_OK && killed == 3);
  }
}

static void round_robin_over_a_crowd(struct bench *bench)
{
  for (size_t i = 0; i < CROWD; i++)
    bench->crowd[i] = start(bench, pause_for_ever);
  for (uint64_t round = 0; round < 20; round++)
    for (size_t i = 0; i < CROWD; i++)
      require(wasmfx_resume_word(bench->rt, &bench->crowd[i], bench->handlers, round).word == round);
  for (size_t i = 0; i < CROWD; i++)
    require(wasmfx_drop(bench->rt, &bench->crowd[i]) == WASMFX_OK);
}

static void choose_stack_classes(struct bench *bench)
{
  for (uint32_t i = 0; i < ROUNDS; i++) {
    wasmfx_cont_t cont;
    require(wasmfx_cont_new_word(bench->rt, bench->word, return_word, NULL, &cont) == WASMFX_OK);
    require(wasmfx_cont_stack_class(bench->rt, cont, i % WASMFX_STACK_CLASSES) == WASMFX_OK);
    require(wasmfx_resume_word(bench->rt, &cont, NULL, i).word == i);
  }
}

/* ---- The child ---------------------------------------------------------------------- */

static void bench_init(struct bench *bench, wasmfx_runtime_t *rt)
{
  wasmfx_kind_t kinds[1000];
  memset(kinds, WASMFX_I64, sizeof(kinds));
  memset(bench, 0, sizeof(*bench));
  bench->rt = rt;
  bench->word = type_of(rt, "l:l");
  bench->triple = type_of(rt, "lll:l");
  bench->peer = type_of(rt, "lc:l");
  assert_status(wasmfx_type_new(rt, kinds, 1, kinds, COUNT_OF(kinds), &bench->many), WASMFX_OK);
  bench->pause = tag_of(rt, "l:l");
  bench->pause_triple = tag_of(rt, "lll:lll");
  bench->swap = tag_of(rt, ":l");
  bench->oops = tag_of(rt, "l:");
  bench->handlers = HANDLERS(rt, ON_LABEL(bench->pause), ON_LABEL(bench->pause_triple), ON_SWITCH(bench->swap));
  bench->calls = HANDLERS(rt, ON_CALL(bench->pause_triple, turn_round, NULL), ON_CALL_WORD(bench->pause, add_one, NULL));
}

static _Noreturn void run_in_the_child(void (*pattern)(struct bench *bench), struct world *world)
{
  static struct bench bench;
  bench_init(&bench, world->rt);
  pattern(&bench);
  pattern(&bench);
  const wasmfx_stats_t before = stats_of(world->rt);
  const size_t calls = world->heap.calls;
  require(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
  for (int i = 0; i < 3; i++)
    pattern(&bench);
  const wasmfx_stats_t after = stats_of(world->rt);
  require(after.allocations == before.allocations && world->heap.calls == calls);
  require(after.system_calls == before.system_calls);
  require(after.conts_live == before.conts_live && after.stacks_made == before.stacks_made);
  syscall(SYS_exit, 0);
  __builtin_unreachable();
}

/* How a pattern is run. */
struct steady {
  void (*pattern)(struct bench *bench);
  uint32_t stack_policy;
};

static int status_of_a_child(const struct steady *steady)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.stack_policy = steady->stack_policy;
#ifndef __OPTIMIZE__
  if (steady->stack_policy == WASMFX_STACKS_DENSE)
    config.stack_bytes[0] = 16384; /* the patterns' own frames are larger */
#endif
  config.cached_stacks = 4 * CROWD;
  struct world *world = world_new(&config);
  const pid_t child = fork();
  if (child == 0)
    run_in_the_child(steady->pattern, world);
  int status;
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  world_free(world);
  return status;
}

static void assert_steady(void **state)
{
  const int status = status_of_a_child(*state);
  if (WIFSIGNALED(status))
    fail_msg("killed by signal %d: 9 and 31 mean that it made a system call", WTERMSIG(status));
  if (WEXITSTATUS(status))
    fail_msg("a requirement failed at line %d, counted modulo 250", WEXITSTATUS(status) - 2);
}

static void enter_the_kernel(struct bench *bench)
{
  (void)bench;
  getppid();
}

static void a_system_call_would_have_been_seen(void **state)
{
  (void)state;
  assert_true(WIFSIGNALED(status_of_a_child(&(struct steady){ enter_the_kernel, WASMFX_STACKS_SEPARATE })));
}

#define steady_by(name, pattern, policy) { name, assert_steady, NULL, NULL, &(struct steady){ pattern, policy } }
#define steady(pattern)                                     \
  steady_by(#pattern, pattern, WASMFX_STACKS_SEPARATE),     \
    steady_by(#pattern "_on_dense_stacks", pattern, WASMFX_STACKS_DENSE)

int main(void)
{
  const struct CMUnitTest tests[] = {
    steady(resume_and_suspend),        steady(resume_and_suspend_with_lists),
    steady(resume_and_suspend_a_chain), steady(switch_to_and_fro),
    steady(create_run_and_end),        steady(create_and_drop),
    steady(bind_fresh_ones),           steady(bind_suspended_ones),
    steady(throw_and_trap),            steady(throw_into_suspended_ones),
    steady(fail_in_all_ways),          steady(open_and_close_scopes),
    steady(jump_and_unwind),           steady(round_robin_over_a_crowd),
    steady(choose_stack_classes),      steady(run_with_long_results),
    steady(answer_in_place_and_call),
    cmocka_unit_test(a_system_call_would_have_been_seen),
  };
  return cmocka_run_group_tests_name("steady", tests, NULL, NULL);
}
