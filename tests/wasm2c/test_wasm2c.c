/* SPDX-License-Identifier: Apache-2.0 */
/* Modules as wasmfx-lower makes them, translated by wasm2c, on its runtime and the glue. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, sigsetjmp */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "large_frame.h"
#include "user.h"
#include "verbs.h"
#include "wasmfx-rt.h"

/* ---- The host ------------------------------------------------------------------------------ */

/* What is called in a try, and what it has answered. */
struct world {
  wasmfx_rt_t *rt;
  Z_verbs_instance_t verbs;
  Z_user_instance_t user;
  Z_large_frame_instance_t large_frame;
  uint64_t word, result, more;
  uint32_t flag;
  wasm_rt_externref_t reference;
  int nested; /* how the try of an import has ended */
};

struct Z_env_instance_t {
  struct world *world;
  void (*hook)(void); /* what an import calls; or NULL */
};
static struct Z_env_instance_t env;

static void instantiate(void *arg)
{
  struct world *world = arg;
  Z_verbs_init_module();
  Z_user_init_module();
  Z_large_frame_init_module();
  Z_verbs_instantiate(&world->verbs, &env, world->rt);
  Z_user_instantiate(&world->user, &world->verbs, world->rt);
  Z_large_frame_instantiate(&world->large_frame, world->rt);
}

static int open_configured(void **state, const wasmfx_runtime_config_t *config)
{
  struct world *world = calloc(1, sizeof *world);
  assert_non_null(world);
  assert_int_equal(wasmfx_rt_new(config, &world->rt), WASMFX_OK);
  assert_int_equal(wasmfx_rt_register(world->rt, &world->verbs, sizeof world->verbs), WASMFX_OK);
  assert_int_equal(wasmfx_rt_register(world->rt, &world->user, sizeof world->user), WASMFX_OK);
  env.world = world;
  assert_int_equal(wasmfx_rt_try(world->rt, instantiate, world), 0);
  *state = world;
  return 0;
}

static int open_world(void **state)
{
  return open_configured(state, NULL);
}

static void free_modules(struct world *world)
{
  Z_verbs_free(&world->verbs);
  Z_user_free(&world->user);
  Z_large_frame_free(&world->large_frame);
}

static int close_world(void **state)
{
  struct world *world = *state;
  assert_null(wasmfx_rt_running());
  free_modules(world);
  assert_int_equal(wasmfx_rt_free(world->rt), WASMFX_OK);
  free(world);
  return 0;
}

/* An export as what wasmfx_rt_try() calls. */
#define EXPORT(name, call)                                                                                             \
  static void name(void *arg)                                                                                          \
  {                                                                                                                    \
    struct world *world = arg;                                                                                         \
    call;                                                                                                              \
  }
#define EXPORT_OF_WORD(name) EXPORT(name, world->result = Z_verbsZ_##name(&world->verbs, world->word))
#define EXPORT_OF_NOTHING(name) EXPORT(name, world->result = Z_verbsZ_##name(&world->verbs))

static void call_pair(struct world *world, struct wasm_multi_jj (*function)(Z_verbs_instance_t *))
{
  const struct wasm_multi_jj pair = function(&world->verbs);
  world->result = pair.j0;
  world->more = pair.j1;
}
#define EXPORT_OF_PAIR(name) EXPORT(name, call_pair(world, Z_verbsZ_##name))

EXPORT_OF_WORD(sum)
EXPORT_OF_WORD(start_function)
EXPORT_OF_WORD(take_turns)
EXPORT_OF_WORD(function_word)
EXPORT_OF_PAIR(list_1)
EXPORT_OF_PAIR(list_2)
EXPORT_OF_PAIR(list_3)
EXPORT_OF_PAIR(list_4)
EXPORT_OF_PAIR(list_5)
EXPORT_OF_NOTHING(bind_1_4)
EXPORT_OF_NOTHING(bind_2_3)
EXPORT_OF_NOTHING(bind_n)
EXPORT_OF_NOTHING(bind_twice)
EXPORT(switch_1, world->result = Z_verbsZ_switch(&world->verbs, world->word))
EXPORT_OF_NOTHING(switch_2)
EXPORT_OF_NOTHING(switch_3)
EXPORT_OF_NOTHING(switch_4)
EXPORT_OF_NOTHING(switch_5)
EXPORT(words, world->reference = Z_verbsZ_words(&world->verbs, world->reference))
EXPORT(closures, Z_verbsZ_closures(&world->verbs, world->flag))
EXPORT_OF_WORD(throw_through)
EXPORT_OF_WORD(throw_uncaught)
EXPORT_OF_WORD(throw_into_catcher)
EXPORT_OF_WORD(throw_into)
EXPORT_OF_WORD(throw_into_fresh)
EXPORT_OF_NOTHING(exceptions)
EXPORT_OF_NOTHING(throw_held)
EXPORT(throw_and_catch, Z_verbsZ_throw_and_catch(&world->verbs, (uint32_t)world->word, world->flag))
EXPORT(throw_large_and_catch, Z_verbsZ_throw_large_and_catch(&world->verbs, (uint32_t)world->word))
EXPORT_OF_NOTHING(throw_by_host)
EXPORT(leave_behind, Z_verbsZ_leave_behind(&world->verbs))
EXPORT_OF_NOTHING(pick_up)
EXPORT(hold, Z_verbsZ_hold(&world->verbs, world->word))
EXPORT_OF_NOTHING(let_go)
EXPORT(bind_exception, Z_verbsZ_bind_exception(&world->verbs, world->word))
EXPORT(litter, Z_verbsZ_litter(&world->verbs, (uint32_t)world->word))
EXPORT(litter_stacks, Z_verbsZ_litter_stacks(&world->verbs, (uint32_t)world->word))
EXPORT_OF_WORD(litter_inside)
EXPORT_OF_WORD(nest)
EXPORT(trap, world->result = Z_verbsZ_trap(&world->verbs, world->flag, world->word))
EXPORT_OF_WORD(call_host)
EXPORT(theirs_drives_ours, world->result = Z_userZ_theirs_drives_ours(&world->user))
EXPORT(ours_drives_theirs, world->result = Z_userZ_ours_drives_theirs(&world->user, world->word))
EXPORT(catch_theirs, world->result = Z_userZ_catch_theirs(&world->user, world->word))
EXPORT(load_by_user, world->result = Z_userZ_load(&world->user, (uint32_t)world->word))
EXPORT(run_large_frame, world->result = Z_large_frameZ_run(&world->large_frame, world->flag))

/* Calls an export, which returns. */
static uint64_t run(struct world *world, void (*function)(void *arg), uint64_t word)
{
  world->word = word;
  world->result = 0;
  assert_int_equal(wasmfx_rt_try(world->rt, function, world), 0);
  assert_null(wasmfx_rt_exception(world->rt));
  assert_null(wasmfx_rt_running());
  return world->result;
}

/* Calls one that traps, and answers how. */
static const char *trap_of(struct world *world, void (*function)(void *arg), uint64_t word)
{
  world->word = word;
  const int code = wasmfx_rt_try(world->rt, function, world);
  assert_int_not_equal(code, 0);
  return wasmfx_rt_strerror(code);
}

/* ---- Imports of the host's -------------------------------------------------------------------- */

u32 Z_envZ_again(struct Z_env_instance_t *instance, u64 word)
{
  struct world *world = instance->world;
  world->flag = 1;
  world->word = word;
  world->nested = wasmfx_rt_try(world->rt, trap, world);
  assert_ptr_equal(wasmfx_rt_running(), world->rt);
  return 0;
}

#define CODE_OF_HOST 300

void Z_envZ_fails(struct Z_env_instance_t *instance)
{
  wasmfx_rt_trap(instance->world->rt, CODE_OF_HOST);
}

struct place {
  const char *here;
};

static __attribute__((noinline)) void look_where(void *arg)
{
  ((struct place *)arg)->here = __builtin_frame_address(0);
}

u32 Z_envZ_on_host(struct Z_env_instance_t *instance)
{
  struct place inside = { NULL };
  void *low, *high;
  wasmfx_rt_t *rt = instance->world->rt;
  wasmfx_rt_call_on_host_stack(rt, look_where, &inside);
  if (instance->hook)
    instance->hook();
  assert_int_equal(wasmfx_stack_bounds(wasmfx_rt_runtime(rt), &low, &high), WASMFX_OK);
  return inside.here < (char *)low || (char *)high <= inside.here;
}

void Z_envZ_throws(struct Z_env_instance_t *instance, wasm_rt_externref_t tag)
{
  wasmfx_rt_throw(instance->world->rt, tag, &(wasmfx_value_t){ .i64 = 8 }, 1);
}

/* ---- Verbs ------------------------------------------------------------------------------------- */

static void a_body_yields_words_and_gets_others(void **state)
{
  assert_int_equal(run(*state, sum, 100), 5050 * UINT64_C(1000000) + 2 * 5050);
}

/* More than there is room at first for who follows whom. In the round before the last each yields 1. */
static void many_take_turns(void **state)
{
  const uint64_t count = 20000;
  assert_int_equal(run(*state, take_turns, count), count + count * (count - 1));
}

static void a_closure_passes_on_what_it_is_made_of(void **state)
{
  assert_int_equal(run(*state, start_function, 5), 10015);
}

static void the_same_closure_is_made_once(void **state)
{
  struct world *world = *state;
  world->flag = 100000;
  run(world, closures, 0);
}

static void a_function_is_a_word_and_back(void **state)
{
  assert_int_equal(run(*state, function_word, 7), 21);
}

static void a_reference_is_a_word_and_back(void **state)
{
  struct world *world = *state;
  world->reference = world;
  run(world, words, 0);
  assert_ptr_equal(world->reference, world);
  world->reference = NULL;
  run(world, words, 0);
  assert_null(world->reference);
}

static void lists_of_every_length_go_both_ways(void **state)
{
  static const struct {
    void (*function)(void *arg);
    uint64_t yielded, returned;
  } cases[] = { { list_1, 2, 8 }, { list_2, 12, 43 }, { list_3, 123, 654 }, { list_4, 1234, 8765 },
                { list_5, 12345, 67890 } };
  struct world *world = *state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(run(world, cases[i].function, 0), cases[i].yielded);
    assert_int_equal(world->more, cases[i].returned);
  }
}

static void arguments_are_bound_in_parts(void **state)
{
  assert_int_equal(run(*state, bind_1_4, 0), 54321);
  assert_int_equal(run(*state, bind_2_3, 0), 54321);
  assert_int_equal(run(*state, bind_n, 0), 54321);
  assert_int_equal(run(*state, bind_twice, 0), 2 * 54321);
}

static void two_bodies_switch_to_each_other(void **state)
{
  assert_int_equal(run(*state, switch_1, 0), 1000);
}

static void a_switch_takes_lists(void **state)
{
  assert_int_equal(run(*state, switch_2, 0), 12);
  assert_int_equal(run(*state, switch_3, 0), 123);
  assert_int_equal(run(*state, switch_4, 0), 1234);
  assert_int_equal(run(*state, switch_5, 0), 12345);
}

/* ---- Exceptions ---------------------------------------------------------------------------------- */

static void an_exception_leaves_a_body_and_is_caught_by_who_resumed(void **state)
{
  assert_int_equal(run(*state, throw_through, 42), 42);
}

static void an_exception_that_nobody_catches_is_the_hosts(void **state)
{
  struct world *world = *state;
  assert_string_equal(trap_of(world, throw_uncaught, 42), "unhandled exception");
  const wasmfx_exception_t *exception = wasmfx_rt_exception(world->rt);
  assert_ptr_equal(exception->tag, *Z_verbsZ_error(&world->verbs));
  assert_int_equal(exception->count, 1);
  assert_int_equal(exception->values[0].i64, 42);
  run(world, sum, 1);
}

static void resume_thrower(void *arg)
{
  struct world *world = arg;
  wasmfx_cont_t cont = (wasmfx_cont_t)(uintptr_t)Z_verbsZ_make_thrower(&world->verbs);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(wasmfx_rt_runtime(world->rt), &cont, NULL, 42);
  world->flag = (uint32_t)outcome.status;
  world->result = outcome.status == WASMFX_THREW ? outcome.exception->values[0].word : 0;
}

static void an_exception_leaves_a_body_as_one_of_the_librarys(void **state)
{
  struct world *world = *state;
  run(world, resume_thrower, 0);
  assert_int_equal(world->flag, WASMFX_THREW);
  assert_int_equal(world->result, 42);
}

static void an_exception_is_thrown_into_a_body_that_waits(void **state)
{
  assert_int_equal(run(*state, throw_into_catcher, 5), 105);
  assert_int_equal(run(*state, throw_into, 5), 5);
}

static void an_exception_ends_a_body_that_has_not_begun(void **state)
{
  assert_int_equal(run(*state, throw_into_fresh, 6), 6);
}

static void exceptions_have_values_of_any_number(void **state)
{
  assert_int_equal(run(*state, exceptions, 0), 12345);
}

static void what_is_held_can_be_caught_again(void **state)
{
  assert_int_equal(run(*state, throw_held, 0), 55);
}

static void a_host_function_throws(void **state)
{
  assert_int_equal(run(*state, throw_by_host, 0), 8);
}

static void throwing_for_ever_takes_no_memory(void **state)
{
  struct world *world = *state;
  world->flag = 0;
  run(world, throw_and_catch, 100000);
  run(world, throw_large_and_catch, 100000);
  assert_true(wasmfx_rt_exception_count(world->rt) <= 2);
}

static void exceptions_that_nobody_holds_any_more_are_collected(void **state)
{
  struct world *world = *state;
  world->flag = 1;
  run(world, throw_and_catch, 100000);
  assert_true(wasmfx_rt_exception_count(world->rt) <= 1024);
}

/* ---- Collections ------------------------------------------------------------------------------------ */

static size_t collect(struct world *world)
{
  size_t dropped = 0;
  assert_int_equal(wasmfx_rt_collect(world->rt, &dropped), WASMFX_OK);
  return dropped;
}

/* Frames that are gone may have left a reference where the host's stack is looked at no more. */
static void what_a_table_holds_is_kept_and_the_rest_goes(void **state)
{
  struct world *world = *state;
  run(world, leave_behind, 0);
  assert_int_equal(collect(world), 99);
  assert_int_equal(wasmfx_rt_exception_count(world->rt), 1);
  assert_int_equal(collect(world), 0);
  assert_int_equal(run(world, pick_up, 0), 10 * 1000000 + 30);
}

static void what_a_suspended_body_holds_is_kept(void **state)
{
  struct world *world = *state;
  run(world, hold, 11);
  assert_int_equal(collect(world), 0);
  assert_int_equal(run(world, let_go, 0), 6000000 + 12 + 11);
}

static void what_is_bound_is_kept(void **state)
{
  struct world *world = *state;
  run(world, bind_exception, 13);
  assert_int_equal(collect(world), 0);
  assert_int_equal(wasmfx_rt_exception_count(world->rt), 1);
  assert_int_equal(run(world, let_go, 0), 13);
}

static void collections_come_by_themselves_and_keep_what_runs(void **state)
{
  struct world *world = *state;
  wasmfx_stats_t stats;
  assert_int_equal(run(world, litter_inside, 10000), 9 + 6000012);
  wasmfx_runtime_stats(wasmfx_rt_runtime(world->rt), &stats, sizeof stats);
  assert_true(stats.conts_live < 5000);
  assert_true(wasmfx_rt_exception_count(world->rt) <= 1024);
}

/* The host may hold what is not registered. */
static void where_nothing_is_registered_nothing_is_collected_unasked(void **state)
{
  struct world *world = *state;
  wasmfx_rt_unregister(world->rt, &world->verbs);
  wasmfx_rt_unregister(world->rt, &world->user);
  run(world, litter, 5000);
  assert_int_equal(wasmfx_rt_exception_count(world->rt), 5000);
  assert_int_equal(wasmfx_rt_register(world->rt, &world->verbs, sizeof world->verbs), WASMFX_OK);
  assert_int_equal(collect(world), 5000);
  assert_int_equal(wasmfx_rt_exception_count(world->rt), 0);
}

/* ---- Traps -------------------------------------------------------------------------------------------- */

/* By the numbers of the module. */
static const struct {
  uint64_t number;
  const char *text;
} traps[] = {
  { 0, "unreachable" },
  { 1, "integer divide by zero" },
  { 2, "integer overflow" },
  { 3, "invalid conversion to integer" },
  { 4, "out of bounds memory access or out of bounds table access" },
  { 5, "out of bounds memory access or out of bounds table access" },
  { 6, "undefined element, uninitialized element or indirect call type mismatch" },
  { 7, "call stack exhausted" },
  { 8, "null function reference" },
  { 9, "null reference" },
  { 10, "indirect call type mismatch" },
  { 11, "null exception reference" },
  { 12, "cast failure" },
  { 13, "unhandled tag" },
  { 14, "unhandled tag" },
  { 15, "null continuation reference" },
  { 16, "continuation already consumed" },
  { 17, "null function reference" },
  { 18, "null exception reference" },
  { 19, "null continuation reference" },
  { 20, "unhandled tag" },
  { 21, "the module breaks the contract of its imports" },
  { 22, "out of memory" },
  { 23, "out of bounds memory access or out of bounds table access" },
};

/* Where no continuation runs, in one, and in one within one. */
static void every_trap_reaches_the_host_by_its_text(void **state)
{
  struct world *world = *state;
  for (world->flag = 0; world->flag < 3; world->flag++)
    for (size_t i = 0; i < sizeof traps / sizeof *traps; i++) {
      assert_string_equal(trap_of(world, trap, traps[i].number), traps[i].text);
      assert_int_equal(run(world, sum, 3), 6000012);
    }
}

static void a_trap_leaves_nothing_alive(void **state)
{
  struct world *world = *state;
  wasmfx_stats_t stats;
  world->flag = 2;
  for (int i = 0; i < 100; i++) {
    trap_of(world, trap, 0);
    trap_of(world, trap, 4);
    trap_of(world, trap, 7);
  }
  wasmfx_runtime_stats(wasmfx_rt_runtime(world->rt), &stats, sizeof stats);
  assert_int_equal(stats.conts_live, 0);
}

static void the_signal_is_not_left_blocked(void **state)
{
  sigset_t mask;
  for (int i = 0; i < 3; i++) {
    ((struct world *)*state)->flag = (uint32_t)i;
    trap_of(*state, trap, 4);
    trap_of(*state, trap, 7);
    assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
    assert_false(sigismember(&mask, SIGSEGV));
  }
}

static void a_frame_larger_than_a_guard_does_not_step_over_it(void **state)
{
  struct world *world = *state;
  for (world->flag = 0; world->flag < 2; world->flag++)
    assert_string_equal(trap_of(world, run_large_frame, 0), "call stack exhausted");
}

static struct {
  int count, code;
} seen;

static void see_trap(wasmfx_rt_t *rt, int code, void *context)
{
  assert_ptr_equal(rt, ((struct world *)context)->rt);
  seen.count++;
  seen.code = code;
}

static void a_trap_is_seen_once_where_it_begins(void **state)
{
  struct world *world = *state;
  seen.count = 0;
  wasmfx_rt_at_trap(world->rt, see_trap, world);
  world->flag = 2;
  trap_of(world, trap, 16);
  assert_int_equal(seen.count, 1);
  assert_int_equal(seen.code, WASMFX_RT_TRAP_CONSUMED);
  wasmfx_rt_at_trap(world->rt, NULL, NULL);
}

/* ---- The host in between ---------------------------------------------------------------------------------- */

/* A continuation calls an import, which calls the module again, which traps. */
static void a_trap_of_an_inner_try_ends_there(void **state)
{
  struct world *world = *state;
  for (size_t i = 1; i < sizeof traps / sizeof *traps; i++) {
    run(world, call_host, traps[i].number);
    assert_string_equal(wasmfx_rt_strerror(world->nested), traps[i].text);
  }
}

static void a_trap_or_exception_passes_through_many_continuations(void **state)
{
  struct world *world = *state;
  assert_string_equal(trap_of(world, nest, 1000), "unreachable");
  assert_string_equal(trap_of(world, nest, (uint64_t)-1000), "unhandled exception");
  assert_int_equal(wasmfx_rt_exception(world->rt)->values[0].i64, 5);
}

static void an_import_traps_by_a_code_of_its_own(void **state)
{
  struct world *world = *state;
  world->word = (uint64_t)-1;
  assert_int_equal(wasmfx_rt_try(world->rt, call_host, world), CODE_OF_HOST);
}

static void touch_behind_memory(void *arg)
{
  const wasm_rt_memory_t *memory = Z_verbsZ_memory(&((struct world *)arg)->verbs);
  *(volatile uint8_t *)(memory->data + 0x30000) = 1;
}

static void touch_behind_memory_on_host(void)
{
  wasmfx_rt_call_on_host_stack(env.world->rt, touch_behind_memory, env.world);
}

static void touch_behind_memory_here(void)
{
  touch_behind_memory(env.world);
}

/* It is the module's memory, whoever goes beyond it. */
static void an_import_traps_that_goes_beyond_a_memory(void **state)
{
  env.hook = touch_behind_memory_on_host;
  assert_string_equal(trap_of(*state, call_host, 0), wasmfx_rt_strerror(WASM_RT_TRAP_OOB));
  env.hook = touch_behind_memory_here;
  assert_string_equal(trap_of(*state, call_host, 0), wasmfx_rt_strerror(WASM_RT_TRAP_OOB));
  env.hook = NULL;
}

static void an_import_runs_on_the_hosts_stack(void **state)
{
  assert_int_equal(run(*state, call_host, 0), 1);
}

/* ---- Several modules --------------------------------------------------------------------------------------- */

static void modules_share_continuations_tags_and_exceptions(void **state)
{
  assert_int_equal(run(*state, theirs_drives_ours, 0), 34 * 1000000 + 68);
  assert_int_equal(run(*state, ours_drives_theirs, 4), 1004);
  assert_int_equal(run(*state, catch_theirs, 9), 9);
}

static void each_module_has_its_own_memory(void **state)
{
  assert_string_equal(trap_of(*state, load_by_user, 0x10000),
                      "out of bounds memory access or out of bounds table access");
  assert_int_equal(run(*state, load_by_user, 0xfff8), 0);
}

/* As many as would fill the address space. */
static void a_memory_gives_all_of_its_addresses_back(void **state)
{
  struct world *world = *state;
  for (int i = 0; i < 20000; i++) {
    free_modules(world);
    assert_int_equal(wasmfx_rt_try(world->rt, instantiate, world), 0);
  }
}

/* ---- Several runtimes and threads ---------------------------------------------------------------------------- */

static struct world *other;

static void trap_in_other(void)
{
  for (other->flag = 0; other->flag < 2; other->flag++) {
    assert_string_equal(trap_of(other, trap, 4), "out of bounds memory access or out of bounds table access");
    assert_string_equal(trap_of(other, trap, 7), "call stack exhausted");
  }
}

/* A continuation of one calls an import, which calls modules of the other. */
static void a_trap_of_one_runtime_leaves_another_as_it_is(void **state)
{
  struct world *world = *state;
  open_world((void **)&other);
  env.world = world;
  env.hook = trap_in_other;
  assert_int_equal(run(world, call_host, 0), 1);
  env.hook = NULL;
  void *opened = other;
  close_world(&opened);
  assert_string_equal(trap_of(world, trap, 7), "call stack exhausted");
}

static void *trap_in_thread(void *arg)
{
  struct world *world = arg;
  for (world->flag = 0; world->flag < 2; world->flag++)
    for (size_t i = 0; i < sizeof traps / sizeof *traps; i++)
      if (strcmp(trap_of(world, trap, traps[i].number), traps[i].text) != 0)
        return NULL;
  return world;
}

static void every_trap_reaches_the_host_in_another_thread(void **state)
{
  pthread_t thread;
  void *answer = NULL;
  assert_int_equal(pthread_create(&thread, NULL, trap_in_thread, *state), 0);
  assert_int_equal(pthread_join(thread, &answer), 0);
  assert_ptr_equal(answer, *state);
}

/* ---- Configurations ------------------------------------------------------------------------------------------- */

static void a_configuration_that_no_runtime_can_have_is_refused(void **state)
{
  wasmfx_runtime_config_t config;
  wasmfx_rt_t *rt = (void *)state;
  wasmfx_runtime_config_init(&config);
  config.stack_policy = 77;
  assert_int_equal(wasmfx_rt_new(&config, &rt), WASMFX_ERROR_ARGUMENT);
  assert_null(rt);
  assert_int_equal(wasmfx_rt_free(NULL), WASMFX_OK);
}

/* What the module does by itself fits a small stack; what the glue does beside runs on the host's. */
static void modules_run_on_dense_stacks(void **state)
{
  struct world *world;
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.stack_policy = WASMFX_STACKS_DENSE;
  config.stack_bytes[0] = 16384; /* compiled without optimization it wants more than 2 KiB */
  open_configured((void **)&world, &config);
  assert_int_equal(run(world, sum, 100), 5050 * UINT64_C(1000000) + 2 * 5050);
  assert_int_equal(run(world, throw_through, 42), 42);
  assert_int_equal(run(world, litter_inside, 5000), 9 + 6000012);
  world->flag = 1;
  assert_string_equal(trap_of(world, trap, 0), "unreachable");
  assert_string_equal(trap_of(world, trap, 13), "unhandled tag");
  assert_string_equal(trap_of(world, trap, 4), wasmfx_rt_strerror(WASM_RT_TRAP_OOB));
  world->flag = 0;
  assert_string_equal(trap_of(world, trap, 4), wasmfx_rt_strerror(WASM_RT_TRAP_OOB));
  assert_string_equal(trap_of(world, trap, 7), "call stack exhausted");
  close_world((void **)&world);
}

/* Of suspended continuations that nobody holds. */
static void a_limit_of_stacks_is_met_by_a_collection(void **state)
{
  struct world *world;
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.max_stacks = 64;
  open_configured((void **)&world, &config);
  run(world, litter_stacks, 1000);
  wasmfx_rt_unregister(world->rt, &world->verbs);
  wasmfx_rt_unregister(world->rt, &world->user);
  assert_string_equal(trap_of(world, litter_stacks, 1000), "out of memory");
  close_world((void **)&world);
}

static void a_limit_of_continuations_is_met_by_a_collection(void **state)
{
  struct world *world;
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.max_conts = 64;
  open_configured((void **)&world, &config);
  run(world, litter, 1000);
  wasmfx_rt_unregister(world->rt, &world->verbs);
  wasmfx_rt_unregister(world->rt, &world->user);
  assert_string_equal(trap_of(world, litter, 1000), "out of memory");
  close_world((void **)&world);
}

/* ---- Faults of others ---------------------------------------------------------------------------------------- */

static sigjmp_buf home;

static void go_home(int signal)
{
  siglongjmp(home, signal);
}

static char *volatile nowhere;

static void touch_nowhere(void *arg)
{
  int *caught = arg;
  if (sigsetjmp(home, 1) != 0) {
    ++*caught;
    return;
  }
  *nowhere = 1;
  fail();
}

static void a_fault_of_the_hosts_goes_to_the_handler_that_was_there(void **state)
{
  const struct sigaction action = { .sa_handler = go_home };
  struct sigaction before;
  struct world *world;
  int caught = 0;
  (void)state;
  nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
  open_world((void **)&world);
  touch_nowhere(&caught);
  assert_int_equal(caught, 1);
  assert_int_equal(wasmfx_rt_try(world->rt, touch_nowhere, &caught), 0);
  assert_int_equal(caught, 2);
  close_world((void **)&world);
  assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
  munmap(nowhere, 4096);
}

/* cmocka puts its own handler of faults in place before each test, and a set-up comes earlier. */
struct in_world {
  void (*test)(void **state);
};

static void run_in_world(void **state)
{
  const struct in_world *body = *state;
  void *world;
  open_world(&world);
  body->test(&world);
  close_world(&world);
}
#define IN_WORLD(name)                                                                                                 \
  {                                                                                                                    \
    #name, run_in_world, NULL, NULL, &(struct in_world){ name }                                                        \
  }

int main(void)
{
  const struct CMUnitTest tests[] = {
    IN_WORLD(a_body_yields_words_and_gets_others),
    IN_WORLD(many_take_turns),
    IN_WORLD(a_closure_passes_on_what_it_is_made_of),
    IN_WORLD(the_same_closure_is_made_once),
    IN_WORLD(a_function_is_a_word_and_back),
    IN_WORLD(a_reference_is_a_word_and_back),
    IN_WORLD(lists_of_every_length_go_both_ways),
    IN_WORLD(arguments_are_bound_in_parts),
    IN_WORLD(two_bodies_switch_to_each_other),
    IN_WORLD(a_switch_takes_lists),
    IN_WORLD(an_exception_leaves_a_body_and_is_caught_by_who_resumed),
    IN_WORLD(an_exception_that_nobody_catches_is_the_hosts),
    IN_WORLD(an_exception_leaves_a_body_as_one_of_the_librarys),
    IN_WORLD(an_exception_is_thrown_into_a_body_that_waits),
    IN_WORLD(an_exception_ends_a_body_that_has_not_begun),
    IN_WORLD(exceptions_have_values_of_any_number),
    IN_WORLD(what_is_held_can_be_caught_again),
    IN_WORLD(a_host_function_throws),
    IN_WORLD(throwing_for_ever_takes_no_memory),
    IN_WORLD(exceptions_that_nobody_holds_any_more_are_collected),
    IN_WORLD(what_a_table_holds_is_kept_and_the_rest_goes),
    IN_WORLD(what_a_suspended_body_holds_is_kept),
    IN_WORLD(what_is_bound_is_kept),
    IN_WORLD(collections_come_by_themselves_and_keep_what_runs),
    IN_WORLD(where_nothing_is_registered_nothing_is_collected_unasked),
    IN_WORLD(every_trap_reaches_the_host_by_its_text),
    IN_WORLD(a_trap_leaves_nothing_alive),
    IN_WORLD(the_signal_is_not_left_blocked),
    IN_WORLD(a_frame_larger_than_a_guard_does_not_step_over_it),
    IN_WORLD(a_trap_is_seen_once_where_it_begins),
    IN_WORLD(a_trap_of_an_inner_try_ends_there),
    IN_WORLD(a_trap_or_exception_passes_through_many_continuations),
    IN_WORLD(an_import_traps_by_a_code_of_its_own),
    IN_WORLD(an_import_traps_that_goes_beyond_a_memory),
    IN_WORLD(an_import_runs_on_the_hosts_stack),
    IN_WORLD(modules_share_continuations_tags_and_exceptions),
    IN_WORLD(each_module_has_its_own_memory),
    IN_WORLD(a_memory_gives_all_of_its_addresses_back),
    IN_WORLD(a_trap_of_one_runtime_leaves_another_as_it_is),
    IN_WORLD(every_trap_reaches_the_host_in_another_thread),
    cmocka_unit_test(a_configuration_that_no_runtime_can_have_is_refused),
    cmocka_unit_test(modules_run_on_dense_stacks),
    cmocka_unit_test(a_limit_of_stacks_is_met_by_a_collection),
    cmocka_unit_test(a_limit_of_continuations_is_met_by_a_collection),
    cmocka_unit_test(a_fault_of_the_hosts_goes_to_the_handler_that_was_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
