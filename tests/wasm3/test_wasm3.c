/* SPDX-License-Identifier: Apache-2.0 */
/* Modules as wasmfx-lower makes them, run by wasm3 on the glue.
 * Usage: test_wasm3 VERBS.wasm GENERATOR.wasm STACKS.wasm */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wasmfx-m3.h"

/* ---- The host ------------------------------------------------------------------------------ */

static const char *verbs_file, *generator_file, *stacks_file;

struct world {
  wasmfx_m3_t *m3;
  IM3Environment environment;
  IM3Runtime engine;
  IM3Module module;
  uint8_t *bytes;
  M3Result nested; /* how the call by an import has ended */
  void (*hook)(struct world *world); /* what an import calls; or NULL */
};

static uint8_t *read_file(const char *name, uint32_t *count)
{
  FILE *file = fopen(name, "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  const long length = ftell(file);
  uint8_t *bytes = malloc((size_t)length);
  assert_non_null(bytes);
  rewind(file);
  assert_int_equal(fread(bytes, 1, (size_t)length, file), length);
  fclose(file);
  *count = (uint32_t)length;
  return bytes;
}

static void assert_done(M3Result result)
{
  if (result)
    fail_msg("%s", result);
}

static void link_host(struct world *world);

static struct world *world_new(const char *file, const wasmfx_runtime_config_t *config)
{
  struct world *world = calloc(1, sizeof *world);
  uint32_t count = 0;
  assert_non_null(world);
  assert_int_equal(wasmfx_m3_new(config, &world->m3), WASMFX_OK);
  world->bytes = read_file(file, &count);
  world->environment = m3_NewEnvironment();
  world->engine = m3_NewRuntime(world->environment, 64 * 1024, world);
  assert_non_null(world->engine);
  assert_done(m3_ParseModule(world->environment, &world->module, world->bytes, count));
  assert_done(m3_LoadModule(world->engine, world->module));
  link_host(world);
  assert_done(wasmfx_m3_link(world->m3, world->module));
  return world;
}

static void world_free(struct world *world)
{
  assert_int_equal(wasmfx_m3_free(world->m3), WASMFX_OK);
  m3_FreeRuntime(world->engine);
  m3_FreeEnvironment(world->environment);
  free(world->bytes);
  free(world);
}

static int open_verbs(void **state)
{
  *state = world_new(verbs_file, NULL);
  return 0;
}

static int open_stacks(void **state)
{
  *state = world_new(stacks_file, NULL);
  return 0;
}

static int close_world(void **state)
{
  world_free(*state);
  return 0;
}

static IM3Function export(struct world *world, const char *name)
{
  IM3Function function = NULL;
  assert_done(m3_FindFunction(&function, world->engine, name));
  return function;
}

/* Calls an export of i32s and i64s, as many as it has parameters. */
static M3Result call(struct world *world, const char *name, uint64_t first, uint64_t second)
{
  IM3Function function = export(world, name);
  const void *arguments[] = { &first, &second };
  return wasmfx_m3_call(world->m3, function, m3_GetArgCount(function), arguments);
}

/* One that returns: its first two results. */
static uint64_t run_2(struct world *world, const char *name, uint64_t first, uint64_t second, uint64_t *more)
{
  IM3Function function = export(world, name);
  uint64_t result = 0, ignored;
  const void *results[] = { &result, more ? more : &ignored };
  assert_done(call(world, name, first, second));
  assert_null(wasmfx_m3_exception(world->m3));
  assert_done(m3_GetResults(function, m3_GetRetCount(function), results));
  return result;
}

static uint64_t run(struct world *world, const char *name, uint64_t word)
{
  return run_2(world, name, word, 0, NULL);
}

static uint64_t conts_live(const struct world *world)
{
  wasmfx_stats_t stats;
  wasmfx_runtime_stats(wasmfx_m3_runtime(world->m3), &stats, sizeof stats);
  return stats.conts_live;
}

/* ---- Imports of the host's -------------------------------------------------------------------- */

/* As wasm3 calls them: results first, from `slots` on, then arguments. */
#define IMPORT(name)                                                                                                   \
  static const void *name(IM3Runtime engine, IM3ImportContext context, uint64_t *slots, void *memory)
#define OF_IMPORT                                                                                                      \
  struct world *world = context->userdata;                                                                             \
  (void)engine;                                                                                                        \
  (void)memory

IMPORT(again)
{
  OF_IMPORT;
  world->nested = call(world, "trap", 1, slots[1]);
  slots[0] = 0;
  return m3Err_none;
}

static const char *const text_of_host = "the host's own trap";

IMPORT(fails)
{
  OF_IMPORT;
  (void)world;
  (void)slots;
  return text_of_host;
}

IMPORT(on_host)
{
  OF_IMPORT;
  if (world->hook)
    world->hook(world);
  slots[0] = 1;
  return m3Err_none;
}

IMPORT(throws)
{
  OF_IMPORT;
  return wasmfx_m3_throw(world->m3, (const wasmfx_tag_t *)(uintptr_t)slots[0], &(wasmfx_value_t){ .i64 = 8 }, 1);
}

static void link_host(struct world *world)
{
  static const struct {
    const char *name, *type;
    M3RawCall function;
  } imports[] = { { "again", "i(I)", again }, { "fails", "v()", fails }, { "on_host", "i()", on_host },
                  { "throws", "v(R)", throws } };
  for (size_t i = 0; i < sizeof imports / sizeof *imports; i++) {
    const M3Result result = m3_LinkRawFunctionEx(world->module, "env", imports[i].name, imports[i].type,
                                                 imports[i].function, world);
    assert_true(!result || result == m3Err_functionLookupFailed);
  }
}

/* ---- Verbs ------------------------------------------------------------------------------------- */

static void a_body_yields_words_and_gets_others(void **state)
{
  assert_int_equal(run(*state, "sum", 100), 5050 * UINT64_C(1000000) + 2 * 5050);
}

static void a_closure_passes_on_what_it_is_made_of(void **state)
{
  assert_int_equal(run(*state, "start_function", 5), 10015);
}

static void the_same_closure_is_made_once(void **state)
{
  run(*state, "closures", 1000);
}

static void a_function_is_a_word_and_back(void **state)
{
  assert_int_equal(run(*state, "function_word", 7), 21);
}

static void a_reference_is_a_word_and_back(void **state)
{
  assert_int_equal(run(*state, "words", UINT64_C(0xfedcba9876543210)), UINT64_C(0xfedcba9876543210));
  assert_int_equal(run(*state, "words", 0), 0);
}

static void lists_of_every_length_go_both_ways(void **state)
{
  static const struct {
    const char *name;
    uint64_t yielded, returned;
  } cases[] = { { "list_1", 2, 8 }, { "list_2", 12, 43 }, { "list_3", 123, 654 }, { "list_4", 1234, 8765 },
                { "list_5", 12345, 67890 } };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint64_t more = 0;
    assert_int_equal(run_2(*state, cases[i].name, 0, 0, &more), cases[i].yielded);
    assert_int_equal(more, cases[i].returned);
  }
}

static void arguments_are_bound_in_parts(void **state)
{
  assert_int_equal(run(*state, "bind_1_4", 0), 54321);
  assert_int_equal(run(*state, "bind_2_3", 0), 54321);
  assert_int_equal(run(*state, "bind_n", 0), 54321);
  assert_int_equal(run(*state, "bind_twice", 0), 2 * 54321);
}

static void two_bodies_switch_to_each_other(void **state)
{
  assert_int_equal(run(*state, "switch", 0), 1000);
}

static void a_switch_takes_lists(void **state)
{
  assert_int_equal(run(*state, "switch_2", 0), 12);
  assert_int_equal(run(*state, "switch_3", 0), 123);
  assert_int_equal(run(*state, "switch_4", 0), 1234);
  assert_int_equal(run(*state, "switch_5", 0), 12345);
}

static void a_generator_is_summed_up(void **state)
{
  struct world *world = world_new(generator_file, NULL);
  (void)state;
  assert_int_equal(run(world, "sum", 100), 5050);
  world_free(world);
}

/* ---- Exceptions ---------------------------------------------------------------------------------- */

static void an_exception_leaves_a_body_and_is_caught_by_who_resumed(void **state)
{
  assert_int_equal(run(*state, "throw_through", 42), 42);
}

static void an_exception_that_nobody_catches_is_the_hosts(void **state)
{
  struct world *world = *state;
  assert_string_equal(call(world, "throw_uncaught", 42, 0), wasmfx_m3_uncaught);
  const wasmfx_exception_t *exception = wasmfx_m3_exception(world->m3);
  assert_int_equal(exception->count, 1);
  assert_int_equal(exception->values[0].i64, 42);
  run(world, "sum", 1);
}

static void resume_thrower(struct world *world)
{
  wasmfx_cont_t cont = run(world, "make_thrower", 0);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(wasmfx_m3_runtime(world->m3), &cont, NULL, 42);
  assert_int_equal(outcome.status, WASMFX_THREW);
  assert_int_equal(outcome.exception->values[0].i64, 42);
  world->hook = NULL;
}

static void an_exception_leaves_a_body_as_one_of_the_librarys(void **state)
{
  struct world *world = *state;
  world->hook = resume_thrower;
  assert_int_equal(run(world, "call_host", 0), 1);
  assert_null(world->hook);
}

static void an_exception_is_thrown_into_a_body_that_waits(void **state)
{
  assert_int_equal(run(*state, "throw_into_catcher", 5), 105);
  assert_int_equal(run(*state, "throw_into", 5), 5);
}

static void an_exception_ends_a_body_that_has_not_begun(void **state)
{
  assert_int_equal(run(*state, "throw_into_fresh", 6), 6);
}

static void exceptions_have_values_of_any_number(void **state)
{
  assert_int_equal(run(*state, "exceptions", 0), 12345);
}

static void what_is_held_can_be_caught_again(void **state)
{
  assert_int_equal(run(*state, "throw_held", 0), 55);
}

static void a_host_function_throws(void **state)
{
  assert_int_equal(run(*state, "throw_by_host", 0), 8);
}

static void throwing_for_ever_takes_no_memory(void **state)
{
  struct world *world = *state;
  run_2(world, "throw_and_catch", 100000, 0, NULL);
  run(world, "throw_large_and_catch", 100000);
  assert_true(wasmfx_m3_exception_count(world->m3) <= 2);
}

static void exceptions_that_nobody_holds_any_more_are_collected(void **state)
{
  struct world *world = *state;
  run_2(world, "throw_and_catch", 100000, 1, NULL);
  assert_true(wasmfx_m3_exception_count(world->m3) <= 1024);
}

/* ---- Traps -------------------------------------------------------------------------------------------- */

/* By the numbers of the module. */
static const struct {
  uint64_t number;
  const char *text;
} traps[] = {
  { 0, "[trap] unreachable executed" },
  { 1, "[trap] integer divide by zero" },
  { 2, "[trap] integer overflow" },
  { 3, "[trap] invalid conversion to integer" },
  { 4, "[trap] out of bounds memory access" },
  { 5, "[trap] out of bounds memory access" },
  { 6, "[trap] uninitialized element" },
  { 7, "[trap] stack overflow" },
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
  { 23, "[trap] out of bounds memory access" },
};

/* Where no continuation runs, in one, and in one within one. */
static void every_trap_reaches_the_host_by_its_text(void **state)
{
  for (uint64_t where = 0; where < 3; where++)
    for (size_t i = 0; i < sizeof traps / sizeof *traps; i++) {
      assert_string_equal(call(*state, "trap", where, traps[i].number), traps[i].text);
      assert_int_equal(run(*state, "sum", 3), 6000012);
    }
}

static void a_trap_leaves_nothing_alive(void **state)
{
  for (int i = 0; i < 100; i++) {
    call(*state, "trap", 2, 0);
    call(*state, "trap", 2, 4);
    call(*state, "trap", 2, 7);
  }
  assert_int_equal(conts_live(*state), 0);
}

static void a_trap_or_exception_passes_through_many_continuations(void **state)
{
  struct world *world = *state;
  assert_string_equal(call(world, "nest", 1000, 0), "[trap] unreachable executed");
  assert_string_equal(call(world, "nest", (uint64_t)-1000, 0), wasmfx_m3_uncaught);
  assert_int_equal(wasmfx_m3_exception(world->m3)->values[0].i64, 5);
}

/* ---- The host in between ---------------------------------------------------------------------------------- */

/* A continuation calls an import, which calls the module again, which traps. */
static void a_trap_of_an_inner_call_ends_there(void **state)
{
  struct world *world = *state;
  for (size_t i = 1; i < sizeof traps / sizeof *traps; i++) {
    run(world, "call_host", traps[i].number);
    assert_string_equal(world->nested, traps[i].text);
  }
}

static void an_import_traps_by_a_text_of_its_own(void **state)
{
  assert_ptr_equal(call(*state, "call_host", (uint64_t)-1, 0), text_of_host);
}

static void run_inside(struct world *world)
{
  world->hook = NULL;
  assert_int_equal(run(world, "sum", 100), 5050 * UINT64_C(1000000) + 2 * 5050);
  assert_int_equal(run(world, "throw_through", 42), 42);
}

static void an_import_calls_the_module_again(void **state)
{
  struct world *world = *state;
  world->hook = run_inside;
  assert_int_equal(run(world, "call_host", 0), 1);
  assert_null(world->hook);
}

/* ---- Stacks ------------------------------------------------------------------------------------------------- */

#define FOR_EVER 1000000000
static const char *const exhausted = "[trap] stack overflow";

/* The deepest that an export goes. */
static uint64_t depth(struct world *world, const char *name)
{
  uint64_t good = 0, bad = 1 << 20;
  while (bad - good > 1) {
    const uint64_t middle = (good + bad) / 2;
    const M3Result result = call(world, name, middle, 0);
    assert_true(!result || strcmp(result, exhausted) == 0);
    *(result ? &bad : &good) = middle;
  }
  return good;
}

/* Stacks begin at different distances from their ends, so that they share the cache. */
static void assert_about(uint64_t depth, uint64_t wanted)
{
  assert_in_range(depth, wanted - wanted / 8, wanted + wanted / 8);
}

static void each_continuation_goes_equally_deep(void **state)
{
  const uint64_t inside = depth(*state, "dive_inside"), outside = depth(*state, "dive");
  assert_true(inside > 100);
  run(*state, "pause", inside / 2);
  assert_about(depth(*state, "dive_inside"), inside);
  assert_int_equal(depth(*state, "dive"), outside);
}

/* Who has been resumed by one, and goes on with its own stack. */
static void an_overflow_is_met_wherever_it_goes_on_after_a_switch(void **state)
{
  assert_string_equal(call(*state, "pause_and_dive", FOR_EVER, 0), exhausted);
  assert_true(depth(*state, "pause_and_dive") + 10 > depth(*state, "dive"));
}

static void who_waits_deep_goes_on_after_others_have_overflowed(void **state)
{
  run(*state, "pause", 50);
  assert_string_equal(call(*state, "dive", FOR_EVER, 0), exhausted);
  assert_int_equal(run(*state, "go_on", 3), 50 * 51 / 2 + 3);
}

static void a_memory_that_grows_leaves_stacks_their_limits(void **state)
{
  const uint64_t inside = depth(*state, "dive_wide_inside"), outside = depth(*state, "dive_wide");
  assert_about(depth(*state, "grow_inside"), inside);
  assert_int_equal(depth(*state, "dive_wide"), outside);
  run(*state, "pause", 50);
  assert_int_not_equal(run(*state, "grow", 0), -1);
  assert_int_equal(run(*state, "go_on", 3), 50 * 51 / 2 + 3);
}

static void a_larger_stack_goes_deeper(void **state)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.stack_bytes[0] = 1024 * 1024;
  struct world *large = world_new(stacks_file, &config);
  config.stack_bytes[0] = 16 * 1024;
  struct world *small = world_new(stacks_file, &config);
  const uint64_t usual = depth(*state, "dive_inside");
  assert_true(depth(large, "dive_inside") > 10 * usual);
  assert_in_range(depth(small, "dive_inside"), 10, usual / 2);
  world_free(large);
  world_free(small);
}

/* ---- Collections ---------------------------------------------------------------------------------------------- */

static size_t collect(struct world *world)
{
  size_t dropped = 0;
  assert_int_equal(wasmfx_m3_collect(world->m3, &dropped), WASMFX_OK);
  return dropped;
}

static void what_a_table_holds_is_kept_and_the_rest_goes(void **state)
{
  struct world *world = *state;
  run(world, "leave_behind", 0);
  assert_int_equal(collect(world), 99);
  assert_int_equal(wasmfx_m3_exception_count(world->m3), 1);
  assert_int_equal(collect(world), 0);
  assert_int_equal(run(world, "pick_up", 0), 10 * 1000000 + 30);
}

static void what_a_suspended_body_holds_is_kept(void **state)
{
  struct world *world = *state;
  run(world, "hold", 11);
  assert_int_equal(collect(world), 0);
  assert_int_equal(run(world, "let_go", 0), 6000000 + 12 + 11);
}

static void what_is_bound_is_kept(void **state)
{
  struct world *world = *state;
  run(world, "bind_exception", 13);
  assert_int_equal(collect(world), 0);
  assert_int_equal(wasmfx_m3_exception_count(world->m3), 1);
  assert_int_equal(run(world, "let_go", 0), 13);
}

static void collections_come_by_themselves_and_keep_what_runs(void **state)
{
  struct world *world = *state;
  assert_int_equal(run(world, "litter_inside", 10000), 9 + 6000012);
  assert_true(conts_live(world) < 5000);
  assert_true(wasmfx_m3_exception_count(world->m3) <= 1100);
}

static void a_limit_of_continuations_is_met_by_a_collection(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.max_conts = 64;
  struct world *world = world_new(verbs_file, &config);
  run(world, "litter", 1000);
  assert_int_equal(run(world, "litter_inside", 1000), 9 + 6000012);
  assert_true(conts_live(world) <= 64);
  world_free(world);
}

static void what_a_call_by_the_host_holds_is_kept(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.max_conts = 64;
  struct world *world = world_new(stacks_file, &config);
  assert_int_equal(run(world, "litter_beside", 1000), 10 * 11 / 2 + 3);
  world_free(world);
}

/* ---- Linking -------------------------------------------------------------------------------------------------- */

static void a_second_module_is_refused(void **state)
{
  struct world *world = *state;
  assert_string_equal(wasmfx_m3_link(world->m3, world->module), m3Err_moduleAlreadyLinked);
}

static void nothing_is_called_before_a_module_is_linked(void **state)
{
  wasmfx_m3_t *m3;
  assert_int_equal(wasmfx_m3_new(NULL, &m3), WASMFX_OK);
  assert_string_equal(wasmfx_m3_call(m3, export(*state, "bind_n"), 0, NULL), m3Err_moduleNotLinked);
  assert_int_equal(wasmfx_m3_free(m3), WASMFX_OK);
  assert_int_equal(wasmfx_m3_free(NULL), WASMFX_OK);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_verbs, close_world)
#define WITH_STACKS(test) cmocka_unit_test_setup_teardown(test, open_stacks, close_world)

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    IN_WORLD(a_body_yields_words_and_gets_others),
    IN_WORLD(a_closure_passes_on_what_it_is_made_of),
    IN_WORLD(the_same_closure_is_made_once),
    IN_WORLD(a_function_is_a_word_and_back),
    IN_WORLD(a_reference_is_a_word_and_back),
    IN_WORLD(lists_of_every_length_go_both_ways),
    IN_WORLD(arguments_are_bound_in_parts),
    IN_WORLD(two_bodies_switch_to_each_other),
    IN_WORLD(a_switch_takes_lists),
    cmocka_unit_test(a_generator_is_summed_up),
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
    IN_WORLD(every_trap_reaches_the_host_by_its_text),
    IN_WORLD(a_trap_leaves_nothing_alive),
    IN_WORLD(a_trap_or_exception_passes_through_many_continuations),
    IN_WORLD(a_trap_of_an_inner_call_ends_there),
    IN_WORLD(an_import_traps_by_a_text_of_its_own),
    IN_WORLD(an_import_calls_the_module_again),
    WITH_STACKS(each_continuation_goes_equally_deep),
    WITH_STACKS(an_overflow_is_met_wherever_it_goes_on_after_a_switch),
    WITH_STACKS(who_waits_deep_goes_on_after_others_have_overflowed),
    WITH_STACKS(a_memory_that_grows_leaves_stacks_their_limits),
    WITH_STACKS(a_larger_stack_goes_deeper),
    IN_WORLD(what_a_table_holds_is_kept_and_the_rest_goes),
    IN_WORLD(what_a_suspended_body_holds_is_kept),
    IN_WORLD(what_is_bound_is_kept),
    IN_WORLD(collections_come_by_themselves_and_keep_what_runs),
    cmocka_unit_test(a_limit_of_continuations_is_met_by_a_collection),
    cmocka_unit_test(what_a_call_by_the_host_holds_is_kept),
    IN_WORLD(a_second_module_is_refused),
    IN_WORLD(nothing_is_called_before_a_module_is_linked),
  };
  if (argc < 4)
    return 2;
  verbs_file = argv[1];
  generator_file = argv[2];
  stacks_file = argv[3];
  return cmocka_run_group_tests(tests, NULL, NULL);
}
