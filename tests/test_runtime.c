/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime itself: configuration, limits, stack classes, memory that runs out, counters, stacks from the host. */
#include "support.h"
#include "tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counters.h"

/* ---- Bodies ------------------------------------------------------------------------ */

static uint64_t return_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return word;
}

static uint64_t pause_once(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_tag_t *pause = env;
  (void)word, (void)from;
  return wasmfx_suspend_word(rt, pause, 0).word;
}

static void many_results(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  results[999] = args[0];
}

/** Makes, runs and ends a continuation: the runtime is in order. */
static void assert_works(wasmfx_runtime_t *rt)
{
  wasmfx_tag_t *pause = tag_of(rt, ":l");
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(pause));
  const struct view before = view_of(rt);
  wasmfx_cont_t cont = word_cont_of(rt, ":l", pause_once, pause);
  assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 0), WASMFX_SUSPENDED);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, NULL, 31);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 31);
  assert_live(rt, before.stats.conts_live, before.stats.stacks_used);
}

/* ---- Configuration -------------------------------------------------------------------- */

static void assert_refused(const wasmfx_runtime_config_t *config)
{
  wasmfx_runtime_t *rt = (wasmfx_runtime_t *)&rt;
  assert_status(wasmfx_runtime_new(config, &rt), WASMFX_ERROR_ARGUMENT);
  assert_null(rt);
}

static void the_defaults_are_all_zero_but_the_size(void **state)
{
  wasmfx_runtime_config_t config, zero;
  (void)state;
  memset(&config, 0xff, sizeof(config));
  wasmfx_runtime_config_init(&config);
  memset(&zero, 0, sizeof(zero));
  zero.size = sizeof(zero);
  assert_memory_equal(&config, &zero, sizeof(zero));
}

static void stacks_that_leave_nothing_beside_the_hosts_functions_are_refused(void **state)
{
  static const size_t sizes[] = { 16384, 65536, 1 << 20, SIZE_MAX - 4096, SIZE_MAX };
  wasmfx_runtime_config_t config;
  wasmfx_runtime_t *rt;
  (void)state;
  wasmfx_runtime_config_init(&config);
  for (size_t i = 0; i < COUNT_OF(sizes); i++) {
    config.host_stack_bytes = sizes[i];
    assert_refused(&config);
  }
  config.host_stack_bytes = 16384;
  for (unsigned i = 0; i < WASMFX_STACK_CLASSES; i++)
    config.stack_bytes[i] = 32768;
  assert_status(wasmfx_runtime_new(&config, &rt), WASMFX_OK);
  assert_works(rt);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

static void no_configuration_means_the_defaults(void **state)
{
  wasmfx_runtime_t *rt;
  (void)state;
  assert_status(wasmfx_runtime_new(NULL, &rt), WASMFX_OK);
  assert_null(wasmfx_runtime_host(rt));
  assert_works(rt);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

static void a_configuration_of_an_older_caller_is_shorter(void **state)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_t *rt;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.host = &config; /* beyond what this caller knows of: not looked at */
  config.size = offsetof(wasmfx_runtime_config_t, host);
  assert_status(wasmfx_runtime_new(&config, &rt), WASMFX_OK);
  assert_null(wasmfx_runtime_host(rt));
  assert_works(rt);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

static void a_configuration_of_a_newer_caller_is_longer(void **state)
{
  struct {
    wasmfx_runtime_config_t known;
    uint64_t unknown[8];
  } config;
  wasmfx_runtime_t *rt;
  (void)state;
  memset(&config, 0, sizeof(config));
  config.known.size = sizeof(config);
  config.known.host = &config;
  assert_status(wasmfx_runtime_new(&config.known, &rt), WASMFX_OK);
  assert_ptr_equal(wasmfx_runtime_host(rt), &config);
  assert_works(rt);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

static void a_configuration_that_makes_no_sense_is_refused(void **state)
{
  static const size_t sizes[] = { 0, 1, 4, 8, sizeof(size_t) + sizeof(void *) };
  wasmfx_runtime_config_t config;
  struct heap heap = { 0 };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(sizes); i++) {
    wasmfx_runtime_config_init(&config);
    config.size = sizes[i];
    assert_refused(&config);
  }
  wasmfx_runtime_config_init(&config);
  config.guard = WASMFX_GUARD_NONE + 1;
  assert_refused(&config);

  wasmfx_runtime_config_init(&config);
  config.allocator = heap_allocator(&heap);
  config.allocator.release = NULL;
  assert_refused(&config);
  config.allocator = heap_allocator(&heap);
  config.allocator.allocate = NULL;
  assert_refused(&config);

  wasmfx_runtime_config_init(&config);
  config.allocator = heap_allocator(&heap);
  config.stack_bytes[2] = 1;
  assert_refused(&config);
  config.stack_bytes[2] = SIZE_MAX;
  assert_refused(&config);
  config.stack_bytes[2] = 0;
  config.guard_bytes = SIZE_MAX;
  assert_refused(&config);
  config.guard_bytes = 0;
  config.max_conts = 1u << 28; /* more than there are numbers for, with what is kept in reserve */
  assert_refused(&config);
  config.max_conts = UINT32_MAX;
  assert_refused(&config);
  assert_int_equal(heap.blocks, 0);
}

static void ranges_for_stacks_that_no_address_can_name_are_refused(void **state)
{
  static const struct {
    size_t stack_bytes;
    uint32_t max_stacks;
  } cases[] = {
    { (size_t)1 << 33, 1u << 31 }, { (size_t)1 << 40, 1u << 24 }, { (size_t)1 << 40, UINT32_MAX },
    { (size_t)3 << 32, UINT32_MAX },
  };
  wasmfx_runtime_config_t config;
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    for (uint32_t stack_class = 0; stack_class < WASMFX_STACK_CLASSES; stack_class++) {
      wasmfx_runtime_config_init(&config);
      config.stack_bytes[stack_class] = cases[i].stack_bytes;
      config.max_stacks = cases[i].max_stacks;
      assert_refused(&config);
    }
}

static void stacks_of_less_than_16_kib_are_refused(void **state)
{
  static const size_t too_small[] = { 1, 100, 4096, 8192, 12288, 16383 };
  wasmfx_runtime_config_t config;
  (void)state;
  for (uint32_t stack_class = 0; stack_class < WASMFX_STACK_CLASSES; stack_class++) {
    wasmfx_runtime_config_init(&config);
    for (size_t i = 0; i < COUNT_OF(too_small); i++) {
      config.stack_bytes[stack_class] = too_small[i];
      assert_refused(&config);
    }
    config.stack_bytes[stack_class] = 16384;
    struct world *world = world_new(&config);
    assert_works(world->rt);
    world_free(world);
  }
}

/** A configuration with whatever a newer caller may have behind it. */
union long_config {
  wasmfx_runtime_config_t known;
  unsigned char bytes[8192];
};

static void a_configuration_that_asks_for_what_is_not_known_is_refused(void **state)
{
  union long_config config;
  (void)state;
  memset(&config, 0, sizeof(config));
  config.known.size = sizeof(config.known) + 64;
  for (size_t i = sizeof(config.known); i < config.known.size; i++) {
    config.bytes[i] = (unsigned char)(i % 2 ? 1 : 0x80);
    assert_refused(&config.known);
    config.bytes[i] = 0;
  }
  config.bytes[config.known.size] = 1; /* behind its end: not looked at */
  wasmfx_runtime_t *rt;
  assert_status(wasmfx_runtime_new(&config.known, &rt), WASMFX_OK);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

static void a_configuration_of_an_unlikely_size_is_refused(void **state)
{
  static const size_t too_long[] = { 4097, 4100, 4104, sizeof(union long_config) };
  union long_config config;
  wasmfx_runtime_t *rt;
  (void)state;
  memset(&config, 0, sizeof(config));
  for (size_t i = 0; i < COUNT_OF(too_long); i++) {
    config.known.size = too_long[i];
    assert_refused(&config.known);
  }
  memset(config.bytes, 0xff, sizeof(config.known)); /* not a size, but what was never set */
  assert_refused(&config.known);

  for (size_t odd = 1; odd < sizeof(uint32_t); odd++) {
    wasmfx_runtime_config_init(&config.known);
    config.known.size = offsetof(wasmfx_runtime_config_t, guard) + odd; /* the middle of a field */
    assert_refused(&config.known);
  }
  wasmfx_runtime_config_init(&config.known);
  config.known.size = 4096;
  assert_status(wasmfx_runtime_new(&config.known, &rt), WASMFX_OK);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

static void the_hosts_word_comes_back(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.host = &config;
  struct world *world = world_new(&config);
  assert_ptr_equal(wasmfx_runtime_host(world->rt), &config);
  world_free(world);
}

static void the_version_is_that_of_the_headers(void **state)
{
  char text[40];
  (void)state;
  snprintf(text, sizeof(text), "%d.%d.%d", WASMFX_VERSION_MAJOR, WASMFX_VERSION_MINOR, WASMFX_VERSION_PATCH);
  assert_string_equal(wasmfx_version(), text);
}

/* ---- Tenants and limits ------------------------------------------------------------------------ */

static void a_tenant_has_to_be_one_of_those_configured(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  for (uint32_t tenants = 0; tenants <= 3; tenants++) {
    config.tenants = tenants;
    struct world *world = world_new(&config);
    const uint32_t count = tenants ? tenants : 1;
    for (uint32_t tenant = 0; tenant < count; tenant++) {
      assert_status(wasmfx_tenant_set(world->rt, tenant), WASMFX_OK);
      assert_works(world->rt);
    }
    assert_status(wasmfx_tenant_set(world->rt, count), WASMFX_ERROR_ARGUMENT);
    assert_status(wasmfx_tenant_set(world->rt, UINT32_MAX), WASMFX_ERROR_ARGUMENT);
    world_free(world);
  }
}

/* The record of a root lies where a continuation may be later. */
static void make_room_for_one(wasmfx_runtime_t *rt)
{
  wasmfx_scope_t scope;
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
}

static void continuations_are_limited_by_max_conts(void **state)
{
  enum { MAX = 10 };
  wasmfx_runtime_config_t config;
  wasmfx_cont_t conts[MAX], one_more = 42;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.max_conts = MAX;
  struct world *world = world_new(&config);
  wasmfx_runtime_t *rt = world->rt;
  wasmfx_type_t *type = type_of(rt, "l:l");
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < MAX; i++)
      conts[i] = word_cont_of(rt, "l:l", return_word, NULL);
    make_room_for_one(rt); /* it is not for want of room that there is a limit */
    const struct view before = view_of(rt);
    assert_status(wasmfx_cont_new_word(rt, type, return_word, NULL, &one_more), WASMFX_ERROR_LIMIT);
    assert_int_equal(one_more, 42);
    assert_unchanged(rt, &before);
    assert_status(wasmfx_drop(rt, &conts[round]), WASMFX_OK);
    conts[round] = word_cont_of(rt, "l:l", return_word, NULL);
    for (size_t i = 0; i < MAX; i++)
      assert_outcome(wasmfx_resume_word(rt, &conts[i], NULL, i), WASMFX_RETURNED);
    assert_live(rt, 0, 0);
  }
  world_free(world);
}

static void stacks_are_limited_by_max_stacks(void **state)
{
  enum { MAX = 5 };
  wasmfx_runtime_config_t config;
  wasmfx_cont_t conts[MAX], one_more;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.max_stacks = MAX;
  struct world *world = world_new(&config);
  wasmfx_runtime_t *rt = world->rt;
  wasmfx_tag_t *pause = tag_of(rt, ":l");
  const wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(pause));
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < MAX; i++) {
      conts[i] = word_cont_of(rt, ":l", pause_once, pause);
      assert_outcome(wasmfx_resume_word(rt, &conts[i], handlers, 0), WASMFX_SUSPENDED);
    }
    one_more = word_cont_of(rt, ":l", pause_once, pause);
    const wasmfx_cont_t given = one_more;
    assert_outcome(wasmfx_resume_word(rt, &one_more, handlers, 0), WASMFX_ERROR_LIMIT);
    assert_outcome(wasmfx_resume(rt, &one_more, handlers, NULL, 0), WASMFX_ERROR_LIMIT);
    assert_int_equal(one_more, given);
    assert_state(rt, one_more, WASMFX_STATE_FRESH);
    assert_live(rt, MAX + 1, MAX);

    assert_status(wasmfx_drop(rt, &conts[round]), WASMFX_OK);
    assert_outcome(wasmfx_resume_word(rt, &one_more, handlers, 0), WASMFX_SUSPENDED); /* there is room again */
    conts[round] = one_more;
    for (size_t i = 0; i < MAX; i++)
      assert_outcome(wasmfx_resume_word(rt, &conts[i], NULL, 0), WASMFX_RETURNED);
    assert_live(rt, 0, 0);
  }
  world_free(world);
}

static uint64_t resume_beyond_the_limit(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_cont_t inner = word_cont_of(rt, "l:l", return_word, env);
  (void)from;
  assert_outcome(wasmfx_resume_word(rt, &inner, NULL, word), WASMFX_ERROR_LIMIT);
  assert_status(wasmfx_cont_stack_class(rt, inner, 1), WASMFX_OK); /* the limit is that of one class */
  assert_outcome(wasmfx_resume_word(rt, &inner, NULL, word), WASMFX_RETURNED);
  return word;
}

static void a_limit_met_inside_a_continuation_leaves_it_running(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.max_stacks = 1;
  struct world *world = world_new(&config);
  wasmfx_cont_t cont = word_cont_of(world->rt, "l:l", resume_beyond_the_limit, NULL);
  assert_outcome(wasmfx_resume_word(world->rt, &cont, NULL, 1), WASMFX_RETURNED);
  world_free(world);
}

/* ---- Stack classes ---------------------------------------------------------------------------- */

/** Uses the stack down to its last bytes. */
static uint64_t use_whole_stack(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  size_t *bytes = env;
  void *low, *high;
  (void)from;
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  *bytes = (size_t)((char *)high - (char *)low);
  for (volatile char *address = (char *)__builtin_frame_address(0) - 4096; address >= (char *)low; address -= 512)
    *address = 1;
  *(volatile char *)low = 1;
  return word;
}

static void each_class_has_the_size_that_was_configured(void **state)
{
  static const size_t sizes[] = { 64 << 10, 16 << 10, 256 << 10, 1 << 20, 17 << 10, 3 << 20, 100000, 20 << 10 };
  (void)state;
  for (size_t set = 0; set < 2; set++) {
    wasmfx_runtime_config_t config;
    wasmfx_runtime_config_init(&config);
    if (set)
      memcpy(config.stack_bytes, sizes + 4, sizeof(config.stack_bytes));
    struct world *world = world_new(&config);
    for (uint32_t stack_class = 0; stack_class < WASMFX_STACK_CLASSES; stack_class++) {
      size_t bytes = 0;
      wasmfx_cont_t cont = word_cont_of(world->rt, "l:l", use_whole_stack, &bytes);
      assert_status(wasmfx_cont_stack_class(world->rt, cont, stack_class), WASMFX_OK);
      assert_outcome(wasmfx_resume_word(world->rt, &cont, NULL, 1), WASMFX_RETURNED);
      const size_t asked = sizes[set * 4 + stack_class];
      assert_in_range(bytes, asked - 4096, asked + 8192); /* rounded up to pages, less what is kept at the top */
    }
    world_free(world);
  }
}

static void a_class_is_chosen_while_fresh_and_has_to_exist(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", return_word, NULL);
  assert_status(wasmfx_cont_stack_class(rt, cont, WASMFX_STACK_CLASSES), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_cont_stack_class(rt, cont, UINT32_MAX), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_cont_stack_class(rt, cont, 3), WASMFX_OK);
  assert_status(wasmfx_cont_stack_class(rt, cont, 0), WASMFX_OK);
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 1), WASMFX_RETURNED);
}

/** Whichever stacks are free, and whichever path a resume takes. */
static void a_free_stack_of_another_class_is_left_alone(void **state)
{
  enum { SMALL = 1, LARGE = 3 };
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *pause = tag_of(rt, ":l");
  const wasmfx_handlers_t *tables[] = { NULL, HANDLERS(rt, ON_LABEL(pause)) };
  const uint32_t classes[] = { 0, LARGE, SMALL, LARGE, 0, SMALL, 0 };
  const size_t least[] = { 60 << 10, 12 << 10, 250 << 10, 1000 << 10 };
  for (size_t table = 0; table < COUNT_OF(tables); table++)
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
      size_t bytes = 0;
      wasmfx_cont_t cont = word_cont_of(rt, "l:l", use_whole_stack, &bytes);
      assert_status(wasmfx_cont_stack_class(rt, cont, classes[i]), WASMFX_OK);
      assert_outcome(wasmfx_resume_word(rt, &cont, tables[table], 1), WASMFX_RETURNED);
      assert_in_range(bytes, least[classes[i]], least[classes[i]] + (32 << 10));
    }
  assert_int_equal(stats_of(rt).stacks_made, 3); /* one of each class that was used */
}

static void no_stack_is_there_before_the_first_resume(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  static wasmfx_cont_t conts[10000];
  wasmfx_type_t *type = type_of(rt, "l:l");
  for (size_t i = 0; i < COUNT_OF(conts); i++)
    assert_status(wasmfx_cont_new_word(rt, type, return_word, NULL, &conts[i]), WASMFX_OK);
  const wasmfx_stats_t stats = stats_of(rt);
  assert_int_equal(stats.conts_live, COUNT_OF(conts));
  assert_int_equal(stats.stacks_made, 0);
  assert_int_equal(stats.stack_reservations, 0);
  for (size_t i = 0; i < COUNT_OF(conts); i++) {
    assert_outcome(wasmfx_resume_word(rt, &conts[i], NULL, i), WASMFX_RETURNED);
    assert_int_equal(stats_of(rt).stacks_made, 1); /* each on the stack that the one before it gave back */
  }
}

/* ---- What goes back ------------------------------------------------------------------------------ */

static void a_type_tag_or_table_may_go_before_its_runtime(void **state)
{
  struct world *world = *state;
  wasmfx_runtime_t *rt = world->rt;
  wasmfx_type_free(rt, type_of(rt, "lll:")); /* so that there is room for payloads of this size */
  const size_t blocks = world->heap.blocks, bytes = world->heap.bytes;
  for (int i = 0; i < 3; i++) {
    wasmfx_type_t *types[2] = { type_of(rt, "ll:"), type_of(rt, "l:") };
    wasmfx_tag_t *tags[2];
    for (size_t k = 0; k < 2; k++)
      assert_status(wasmfx_tag_new(rt, types[k], &tags[k]), WASMFX_OK);
    wasmfx_handlers_t *tables[2] = { HANDLERS(rt, ON_LABEL(tags[0])), HANDLERS(rt, ON_LABEL(tags[1])) };
    for (size_t k = 0; k < 2; k++) { /* in the order of their making, and in the reverse one */
      wasmfx_handlers_free(rt, tables[i % 2 ? k : 1 - k]);
      wasmfx_tag_free(rt, tags[i % 2 ? k : 1 - k]);
      wasmfx_type_free(rt, types[i % 2 ? k : 1 - k]);
    }
    assert_int_equal(world->heap.blocks, blocks);
    assert_int_equal(world->heap.bytes, bytes);
  }
}

/** Pages of address space that the process has. */
static size_t address_space(void)
{
  size_t pages = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  assert_non_null(statm);
  assert_int_equal(fscanf(statm, "%zu", &pages), 1);
  fclose(statm);
  return pages;
}

static void a_runtime_that_goes_gives_its_addresses_back(void **state)
{
  size_t before = 0;
  (void)state;
  if (is_left_out(WITH_THREAD_SANITIZER || under_valgrind(), "its own addresses come and go"))
    return;
  for (int i = 0; i < 20; i++) {
    struct world *world = world_new(NULL);
    assert_works(world->rt);
    world_free(world);
    if (i == 0)
      before = address_space();
  }
  assert_int_equal(address_space(), before);
}

/** An allocator that can look into all blocks that it has given out. */
struct glass_heap {
  struct {
    unsigned char *block;
    size_t bytes;
  } given[256];
  size_t count;
};

static void *glass_allocate(void *context, size_t bytes)
{
  struct glass_heap *heap = context;
  assert_true(heap->count < COUNT_OF(heap->given));
  heap->given[heap->count].bytes = bytes;
  return heap->given[heap->count++].block = malloc(bytes);
}

static void glass_release(void *context, void *block, size_t bytes)
{
  struct glass_heap *heap = context;
  size_t i = 0;
  while (heap->given[i].block != block)
    i++;
  assert_int_equal(heap->given[i].bytes, bytes);
  heap->given[i] = heap->given[--heap->count];
  free(block);
}

static size_t count_secrets(const struct glass_heap *heap, uint64_t secret)
{
  size_t found = 0;
  for (size_t i = 0; i < heap->count; i++)
    for (size_t at = 0; at + sizeof(secret) <= heap->given[i].bytes; at += sizeof(secret))
      found += memcmp(heap->given[i].block + at, &secret, sizeof(secret)) == 0;
  return found;
}

/** `first` binds 20 secrets and drops them; then `second` binds something in the same place. */
static void bind_in_turn(wasmfx_runtime_t *rt, const wasmfx_type_t *type, const struct glass_heap *heap, uint32_t first,
                         uint32_t second)
{
  const uint64_t secret = 0x5ec2e75ec2e75ec2 + first;
  wasmfx_value_t values[20];
  wasmfx_cont_t cont;
  for (size_t i = 0; i < COUNT_OF(values); i++)
    values[i] = i64_value((int64_t)secret);
  assert_status(wasmfx_tenant_set(rt, first), WASMFX_OK);
  assert_status(wasmfx_cont_new(rt, type, many_results, NULL, &cont), WASMFX_OK);
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, values, COUNT_OF(values)), WASMFX_OK);
  assert_int_equal(count_secrets(heap, secret), COUNT_OF(values));
  assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);

  const wasmfx_value_t harmless = i64_value(1);
  assert_status(wasmfx_tenant_set(rt, second), WASMFX_OK);
  assert_status(wasmfx_cont_new(rt, type, many_results, NULL, &cont), WASMFX_OK);
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, &harmless, 1), WASMFX_OK);
  assert_int_equal(count_secrets(heap, secret), 0);
  assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);
}

/** A runtime of three tenants on a heap of glass. */
static wasmfx_runtime_t *runtime_of_tenants(struct glass_heap *heap)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_t *rt;
  wasmfx_runtime_config_init(&config);
  config.allocator = (wasmfx_allocator_t){ glass_allocate, glass_release, heap };
  config.tenants = 3;
  assert_status(wasmfx_runtime_new(&config, &rt), WASMFX_OK);
  return rt;
}

static void what_one_tenant_bound_is_gone_before_another_binds(void **state)
{
  struct glass_heap heap = { .count = 0 };
  wasmfx_runtime_t *rt = runtime_of_tenants(&heap);
  wasmfx_kind_t kinds[20];
  wasmfx_type_t *type;
  (void)state;
  memset(kinds, WASMFX_I64, sizeof(kinds));
  assert_status(wasmfx_type_new(rt, kinds, COUNT_OF(kinds), NULL, 0, &type), WASMFX_OK);
  bind_in_turn(rt, type, &heap, 1, 0);
  bind_in_turn(rt, type, &heap, 0, 1);
  bind_in_turn(rt, type, &heap, 1, 2);
  bind_in_turn(rt, type, &heap, 2, 0);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
  assert_int_equal(heap.count, 0);
}

/** A chain of two, whose inner one waits for a list that is bound. */
struct chain {
  wasmfx_tag_t *ask; /* [] -> [20 x i64] */
  wasmfx_type_t *type;
};

static uint64_t wait_for_a_list(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct chain *chain = env;
  (void)from;
  (void)wasmfx_suspend(rt, chain->ask, NULL, 0);
  return word;
}

static uint64_t wait_inside(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct chain *chain = env;
  wasmfx_cont_t inner;
  (void)from;
  assert_status(wasmfx_cont_new_word(rt, chain->type, wait_for_a_list, env, &inner), WASMFX_OK);
  (void)wasmfx_resume_word(rt, &inner, NULL, word);
  return word;
}

/** Binds a list to a chain of `tenant`, which is dropped. Answers how many of the values `sought` there are then. */
static size_t bind_to_chain(wasmfx_runtime_t *rt, struct chain *chain, const struct glass_heap *heap, uint32_t tenant,
                            const wasmfx_value_t *values, size_t count, uint64_t sought)
{
  wasmfx_cont_t cont;
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(chain->ask));
  assert_status(wasmfx_tenant_set(rt, tenant), WASMFX_OK);
  assert_status(wasmfx_cont_new_word(rt, chain->type, wait_inside, chain, &cont), WASMFX_OK);
  assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 0), WASMFX_SUSPENDED);
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, values, count), WASMFX_OK);
  const size_t found = count_secrets(heap, sought);
  assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);
  wasmfx_handlers_free(rt, handlers);
  return found;
}

static void what_was_bound_to_a_chain_is_gone_before_another_tenant_binds(void **state)
{
  const uint64_t secret = 0x5ec2e75ec2e75ec2;
  struct glass_heap heap = { .count = 0 };
  wasmfx_runtime_t *rt = runtime_of_tenants(&heap);
  wasmfx_kind_t kinds[20];
  wasmfx_value_t secrets[20];
  wasmfx_type_t *asked;
  const wasmfx_value_t harmless = i64_value(1);
  (void)state;
  memset(kinds, WASMFX_I64, sizeof(kinds));
  for (size_t i = 0; i < COUNT_OF(secrets); i++)
    secrets[i] = i64_value((int64_t)secret);
  assert_status(wasmfx_type_new(rt, NULL, 0, kinds, COUNT_OF(kinds), &asked), WASMFX_OK);
  struct chain chain = { .type = type_of(rt, ":") };
  assert_status(wasmfx_tag_new(rt, asked, &chain.ask), WASMFX_OK);
  assert_int_equal(bind_to_chain(rt, &chain, &heap, 1, secrets, 20, secret), 20);
  assert_int_equal(bind_to_chain(rt, &chain, &heap, 1, &harmless, 1, secret), 19); /* its own */
  assert_int_equal(bind_to_chain(rt, &chain, &heap, 2, &harmless, 1, secret), 0);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

/** Writes as many results as the word in `env` says, but never returns them. */
static void write_results_and_trap(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const uint64_t *secret = env;
  (void)args;
  for (size_t i = 0; i < 1000 && *secret; i++)
    results[i].word = *secret;
  wasmfx_trap(rt, 1);
}

static void long_results_of_one_tenant_are_gone_before_another_runs(void **state)
{
  uint64_t secret = 0x5ec2e75ec2e75ec2, none = 0;
  struct glass_heap heap = { .count = 0 };
  wasmfx_runtime_t *rt = runtime_of_tenants(&heap);
  wasmfx_kind_t kinds[1000];
  wasmfx_type_t *type;
  wasmfx_cont_t cont;
  (void)state;
  memset(kinds, WASMFX_I64, sizeof(kinds));
  assert_status(wasmfx_type_new(rt, NULL, 0, kinds, COUNT_OF(kinds), &type), WASMFX_OK);
  assert_status(wasmfx_tenant_set(rt, 1), WASMFX_OK);
  assert_status(wasmfx_cont_new(rt, type, write_results_and_trap, &secret, &cont), WASMFX_OK);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, NULL, 0), WASMFX_TRAPPED);
  assert_int_equal(count_secrets(&heap, secret), COUNT_OF(kinds));
  assert_status(wasmfx_tenant_set(rt, 2), WASMFX_OK);
  assert_status(wasmfx_cont_new(rt, type, write_results_and_trap, &none, &cont), WASMFX_OK);
  assert_int_equal(count_secrets(&heap, secret), 0);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, NULL, 0), WASMFX_TRAPPED);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

/* ---- Memory that runs out ------------------------------------------------------------------------ */

/** What a call that allocates works on; made while there is memory. */
struct attempt {
  wasmfx_runtime_t *rt;
  wasmfx_type_t *type; /* [20 x i64] -> [1000 x i64] */
  wasmfx_cont_t cont;
};

static wasmfx_status_t make_type(struct attempt *attempt)
{
  static wasmfx_kind_t kinds[2000];
  wasmfx_type_t *type;
  memset(kinds, WASMFX_I64, sizeof(kinds));
  return wasmfx_type_new(attempt->rt, kinds, COUNT_OF(kinds), kinds, 1, &type);
}

static wasmfx_status_t make_tag(struct attempt *attempt)
{
  wasmfx_tag_t *tag;
  return wasmfx_tag_new(attempt->rt, attempt->type, &tag);
}

static wasmfx_status_t make_table(struct attempt *attempt)
{
  wasmfx_handlers_t *handlers;
  return wasmfx_handlers_new(attempt->rt, NULL, 0, &handlers);
}

static wasmfx_status_t make_and_run_cont(struct attempt *attempt)
{
  static const wasmfx_value_t values[20] = { { .word = 17 } };
  wasmfx_cont_t cont;
  const wasmfx_status_t status = wasmfx_cont_new(attempt->rt, attempt->type, many_results, NULL, &cont);
  if (status < 0)
    return status;
  const wasmfx_outcome_t outcome = wasmfx_resume(attempt->rt, &cont, NULL, values, COUNT_OF(values));
  assert_int_equal(outcome.values[999].word, 17);
  return outcome.status;
}

static wasmfx_status_t bind_prefix(struct attempt *attempt)
{
  static const wasmfx_value_t values[10];
  return wasmfx_cont_bind(attempt->rt, &attempt->cont, NULL, values, COUNT_OF(values));
}

/** Lets the first, the second, ... allocation of `call` fail until it succeeds. Answers how many failed. */
static size_t fail_each_allocation(struct world *world, struct attempt *attempt,
                                   wasmfx_status_t (*call)(struct attempt *attempt))
{
  for (size_t nth = 1;; nth++) {
    const wasmfx_cont_t given = attempt->cont;
    const struct view before = view_of(world->rt);
    world->heap.calls = 0;
    world->heap.fail_at = nth;
    const wasmfx_status_t status = call(attempt);
    world->heap.fail_at = 0;
    if (status == WASMFX_OK)
      return nth - 1;
    assert_status(status, WASMFX_ERROR_NO_MEMORY);
    assert_live(world->rt, before.stats.conts_live, before.stats.stacks_used);
    assert_int_equal(stats_of(world->rt).conts_created, before.stats.conts_created);
    assert_int_equal(attempt->cont, given);
    assert_int_equal(wasmfx_cont_arity(world->rt, attempt->cont), 20);
    assert_works(world->rt);
  }
}

static void an_allocation_that_fails_is_a_status_and_nothing_has_changed(void **state)
{
  struct world *world = *state;
  wasmfx_runtime_t *rt = world->rt;
  wasmfx_kind_t kinds[1000];
  struct attempt attempt = { rt, NULL, WASMFX_NULL_CONT };
  memset(kinds, WASMFX_I64, sizeof(kinds));
  assert_status(wasmfx_type_new(rt, kinds, 20, kinds, 1000, &attempt.type), WASMFX_OK);
  assert_status(wasmfx_cont_new(rt, attempt.type, many_results, NULL, &attempt.cont), WASMFX_OK);
  assert_true(fail_each_allocation(world, &attempt, make_type) > 0);
  assert_true(fail_each_allocation(world, &attempt, make_tag) > 0);
  assert_true(fail_each_allocation(world, &attempt, make_table) > 0);
  fail_each_allocation(world, &attempt, make_and_run_cont); /* allocates only if no buffer is there from before */
  fail_each_allocation(world, &attempt, bind_prefix);
  assert_int_equal(wasmfx_cont_arity(rt, attempt.cont), 10);

  const wasmfx_value_t values[10] = { { .word = 0 } };
  const wasmfx_outcome_t outcome = wasmfx_resume(rt, &attempt.cont, NULL, values, 10);
  assert_outcome(outcome, WASMFX_RETURNED);
}

static void a_cont_that_could_not_be_made_uses_nothing_up(void **state)
{
  wasmfx_runtime_config_t config;
  wasmfx_kind_t kinds[1000];
  wasmfx_type_t *type;
  wasmfx_cont_t cont;
  (void)state;
  memset(kinds, WASMFX_I64, sizeof(kinds));
  wasmfx_runtime_config_init(&config);
  config.max_conts = 4;
  struct world *world = world_new(&config);
  assert_status(wasmfx_type_new(world->rt, kinds, 20, kinds, 1000, &type), WASMFX_OK);
  const uint64_t system_calls = stats_of(world->rt).system_calls;
  for (int i = 0; i < 20000; i++) {
    world->heap.fail_at = world->heap.calls + 1;
    const wasmfx_status_t status = wasmfx_cont_new(world->rt, type, many_results, NULL, &cont);
    assert_status(status, WASMFX_ERROR_NO_MEMORY);
  }
  world->heap.fail_at = 0;
  assert_int_equal(stats_of(world->rt).system_calls, system_calls); /* nor memory for 20,000 references */
  assert_live(world->rt, 0, 0);
  assert_works(world->rt);
  world_free(world);
}

static void a_bind_without_memory_leaves_its_cont_alive(void **state)
{
  struct world *world = *state;
  wasmfx_runtime_t *rt = world->rt;
  const wasmfx_value_t seven = i64_value(7);
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", return_word, NULL);
  const wasmfx_cont_t given = cont;
  world->heap.calls = 0;
  world->heap.fail_at = 1;
  const wasmfx_status_t status = wasmfx_cont_bind(rt, &cont, NULL, &seven, 1);
  world->heap.fail_at = 0;
  assert_status(status, WASMFX_ERROR_NO_MEMORY);
  assert_int_equal(cont, given);
  assert_state(rt, cont, WASMFX_STATE_FRESH);
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, &seven, 1), WASMFX_OK);
  const wasmfx_outcome_t outcome = wasmfx_resume(rt, &cont, NULL, NULL, 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.values[0].i64, 7);
}

static void a_runtime_without_memory_is_not_made_and_leaks_nothing(void **state)
{
  size_t failed = 0;
  (void)state;
  for (size_t nth = 1;; nth++) {
    struct heap heap = { .fail_at = nth };
    wasmfx_runtime_config_t config;
    wasmfx_runtime_config_init(&config);
    config.allocator = heap_allocator(&heap);
    wasmfx_runtime_t *rt = (wasmfx_runtime_t *)&rt;
    const wasmfx_status_t status = wasmfx_runtime_new(&config, &rt);
    if (status == WASMFX_OK)
      assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
    assert_int_equal(heap.blocks, 0);
    assert_int_equal(heap.bytes, 0);
    if (status == WASMFX_OK)
      break;
    assert_status(status, WASMFX_ERROR_NO_MEMORY);
    assert_null(rt);
    failed++;
  }
  assert_true(failed > 0);
}

/** In a child, whose address space has no room for the objects of a runtime. Its exit status says how that went. */
static _Noreturn void make_a_runtime_without_addresses(void)
{
  struct heap heap = { .blocks = 0 };
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.allocator = heap_allocator(&heap);
  wasmfx_runtime_t *rt = (wasmfx_runtime_t *)&rt;
  const struct rlimit limit = { (rlim_t)1 << 28, (rlim_t)1 << 28 };
  if (setrlimit(RLIMIT_AS, &limit) != 0)
    _exit(2);
  const wasmfx_status_t status = wasmfx_runtime_new(&config, &rt);
  const bool refused = status == WASMFX_ERROR_NO_ADDRESS_SPACE || status == WASMFX_ERROR_NO_MEMORY;
  save_counters();
  _exit(refused && rt == NULL && heap.blocks == 0 ? 0 : 1);
}

static void a_runtime_without_addresses_is_not_made_and_leaks_nothing(void **state)
{
  (void)state;
  const pid_t child = fork();
  if (child == 0)
    make_a_runtime_without_addresses();
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- Counters ----------------------------------------------------------------------------------- */

static void the_counters_say_what_has_happened(void **state)
{
  struct world *world = *state;
  wasmfx_runtime_t *rt = world->rt;
  wasmfx_tag_t *pause = tag_of(rt, ":l");
  const wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(pause));
  wasmfx_cont_t conts[3];
  assert_int_equal(stats_of(rt).allocations, world->heap.calls);
  for (size_t i = 0; i < 3; i++)
    conts[i] = word_cont_of(rt, ":l", pause_once, pause);
  assert_live(rt, 3, 0);
  for (size_t i = 0; i < 3; i++) {
    assert_outcome(wasmfx_resume_word(rt, &conts[i], handlers, 0), WASMFX_SUSPENDED);
    assert_live(rt, 3, i + 1);
  }
  assert_int_equal(stats_of(rt).stacks_made, 3);
  assert_int_equal(stats_of(rt).stacks_cached, 0);
  assert_int_equal(stats_of(rt).stack_reservations, 1);
  assert_in_range(stats_of(rt).guard, WASMFX_GUARD_LIGHT, WASMFX_GUARD_PROTECT);
  assert_outcome(wasmfx_resume_word(rt, &conts[0], NULL, 0), WASMFX_RETURNED);
  assert_status(wasmfx_drop(rt, &conts[1]), WASMFX_OK);
  assert_live(rt, 1, 1);
  assert_int_equal(stats_of(rt).stacks_cached, 2);
  assert_int_equal(stats_of(rt).stacks_made, 3);
  assert_int_equal(stats_of(rt).conts_created, 3);
  assert_status(wasmfx_drop(rt, &conts[2]), WASMFX_OK);
  assert_int_equal(stats_of(rt).stacks_cached, 3);
  assert_int_equal(stats_of(rt).stacks_trimmed, 0);
  assert_int_equal(stats_of(rt).stack_trims, 0);
  assert_int_equal(stats_of(rt).allocations, world->heap.calls);
}

static void references_want_something_of_the_system_now_and_then(void **state)
{
  enum { MANY = 10000 };
  static wasmfx_cont_t conts[MANY];
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_type_t *type = type_of(rt, "l:l");
  const uint64_t before = stats_of(rt).system_calls;
  for (size_t i = 0; i < MANY; i++)
    assert_status(wasmfx_cont_new_word(rt, type, return_word, NULL, &conts[i]), WASMFX_OK);
  assert_in_range(stats_of(rt).system_calls, before + 1, before + 5); /* memory, a mebibyte at a time */
  for (size_t i = 0; i < MANY; i++)
    assert_status(wasmfx_drop(rt, &conts[i]), WASMFX_OK);
}

static void the_counters_fill_no_more_than_the_caller_knows_of(void **state)
{
  wasmfx_stats_t stats;
  memset(&stats, 0xee, sizeof(stats));
  wasmfx_runtime_stats(runtime_of(state), &stats, offsetof(wasmfx_stats_t, stacks_used));
  assert_int_equal(stats.conts_live, 0);
  assert_true(stats.stacks_used == UINT64_C(0xeeeeeeeeeeeeeeee));
  wasmfx_runtime_stats(runtime_of(state), &stats, 0);

  struct {
    wasmfx_stats_t known;
    uint64_t unknown;
  } newer = { .unknown = 5 };
  wasmfx_runtime_stats(runtime_of(state), &newer.known, sizeof(newer));
  assert_true(newer.unknown == 5 || newer.unknown == 0);
}

/* ---- Stacks from the host -------------------------------------------------------------------------------- */

/** A host's own stacks; what comes back must be what was given. */
struct host_stacks {
  struct {
    char *memory;
    size_t bytes;
    uint32_t tenant;
  } given[64];
  size_t given_count;
  size_t allocations;
  bool empty;
};

static void *give_stack(void *context, size_t bytes, uint32_t tenant)
{
  struct host_stacks *stacks = context;
  if (stacks->empty || stacks->given_count == COUNT_OF(stacks->given))
    return NULL;
  char *memory = aligned_alloc(16, bytes + 64);
  memset(memory, 0xcd, bytes + 64);
  stacks->allocations++;
  stacks->given[stacks->given_count].memory = memory;
  stacks->given[stacks->given_count].bytes = bytes;
  stacks->given[stacks->given_count++].tenant = tenant;
  return memory;
}

static void take_stack(void *context, void *memory, size_t bytes, uint32_t tenant)
{
  struct host_stacks *stacks = context;
  for (size_t i = 0; i < stacks->given_count; i++)
    if (stacks->given[i].memory == memory) {
      assert_int_equal(stacks->given[i].bytes, bytes);
      assert_int_equal(stacks->given[i].tenant, tenant);
      for (size_t past = bytes; past < bytes + 64; past++)
        assert_int_equal((unsigned char)stacks->given[i].memory[past], 0xcd);
      memset(memory, 0xee, bytes); /* it is the host's again, to write into */
      free(memory);
      stacks->given[i] = stacks->given[--stacks->given_count];
      return;
    }
  fail_msg("a stack came back that was not given");
}

static struct world *host_stack_world(struct host_stacks *stacks, uint32_t tenants)
{
  wasmfx_runtime_config_t config;
  memset(stacks, 0, sizeof(*stacks));
  wasmfx_runtime_config_init(&config);
  config.stack_allocator.allocate = give_stack;
  config.stack_allocator.release = take_stack;
  config.stack_allocator.context = stacks;
  config.tenants = tenants;
  return world_new(&config);
}

static uint64_t run_on_the_hosts_stack(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct host_stacks *stacks = env;
  const char *here = __builtin_frame_address(0); /* not of a variable, which sanitizers keep elsewhere */
  bool found = false;
  (void)from;
  for (size_t i = 0; i < stacks->given_count; i++)
    found |= stacks->given[i].memory <= here && here < stacks->given[i].memory + stacks->given[i].bytes;
  assert_true(found);
  void *low, *high;
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  assert_true((char *)low <= here && here < (char *)high);
  return word;
}

static void borrow_stacks(uint32_t tenants)
{
  struct host_stacks stacks;
  struct world *world = host_stack_world(&stacks, tenants);
  wasmfx_runtime_t *rt = world->rt;
  wasmfx_tag_t *pause = tag_of(rt, ":l");
  const wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(pause));
  wasmfx_cont_t conts[16];
  for (int i = 0; i < 50; i++) {
    wasmfx_cont_t cont = word_cont_of(rt, "l:l", run_on_the_hosts_stack, &stacks);
    assert_status(wasmfx_cont_stack_class(rt, cont, (uint32_t)i % 4), WASMFX_OK);
    assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 1), WASMFX_RETURNED);
    assert_live(rt, 0, 0);
  }
  for (size_t i = 0; i < COUNT_OF(conts); i++) {
    conts[i] = word_cont_of(rt, ":l", pause_once, pause);
    assert_outcome(wasmfx_resume_word(rt, &conts[i], handlers, 0), WASMFX_SUSPENDED);
    assert_live(rt, i + 1, i + 1);
  }
  assert_int_equal(stacks.given_count, COUNT_OF(conts)); /* each in use, and no more than that */
  for (size_t i = 0; i < COUNT_OF(conts); i++)
    if (i % 2)
      assert_status(wasmfx_drop(rt, &conts[i]), WASMFX_OK);
    else
      assert_outcome(wasmfx_resume_word(rt, &conts[i], NULL, 0), WASMFX_RETURNED);
  assert_live(rt, 0, 0);
  world_free(world);
  assert_int_equal(stacks.given_count, 0);
}

static void stacks_may_come_from_the_host_and_all_go_back(void **state)
{
  (void)state;
  borrow_stacks(1);
  borrow_stacks(8);
}

static void a_host_gets_its_stacks_back_from_a_runtime_that_goes(void **state)
{
  struct host_stacks stacks;
  struct world *world = host_stack_world(&stacks, 8);
  wasmfx_tag_t *pause = tag_of(world->rt, ":l");
  const wasmfx_handlers_t *handlers = HANDLERS(world->rt, ON_LABEL(pause));
  (void)state;
  for (size_t i = 0; i < 10; i++) {
    wasmfx_cont_t cont = word_cont_of(world->rt, ":l", pause_once, pause);
    assert_outcome(wasmfx_resume_word(world->rt, &cont, handlers, 0), WASMFX_SUSPENDED);
  }
  size_t dropped;
  assert_status(wasmfx_runtime_free(world->rt, &dropped), WASMFX_OK);
  assert_int_equal(dropped, 10);
  assert_int_equal(stacks.given_count, 0);
  assert_int_equal(world->heap.blocks, 0);
  free(world);
}

static void a_hosts_stack_belongs_to_the_tenant_that_made_the_continuation(void **state)
{
  struct host_stacks stacks;
  struct world *world = host_stack_world(&stacks, 8);
  wasmfx_runtime_t *rt = world->rt;
  wasmfx_tag_t *pause = tag_of(rt, ":l");
  const wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(pause));
  wasmfx_cont_t conts[8];
  (void)state;
  for (uint32_t tenant = 0; tenant < 8; tenant++) {
    assert_status(wasmfx_tenant_set(rt, tenant), WASMFX_OK);
    conts[tenant] = word_cont_of(rt, ":l", pause_once, pause);
  }
  assert_status(wasmfx_tenant_set(rt, 3), WASMFX_OK);
  for (uint32_t tenant = 0; tenant < 8; tenant++) {
    assert_outcome(wasmfx_resume_word(rt, &conts[tenant], handlers, 0), WASMFX_SUSPENDED);
    assert_int_equal(stacks.given[tenant].tenant, tenant);
  }
  for (uint32_t tenant = 0; tenant < 8; tenant++)
    assert_status(wasmfx_drop(rt, &conts[tenant]), WASMFX_OK);
  world_free(world);
  assert_int_equal(stacks.given_count, 0);
}

static void a_host_without_stacks_is_a_status_and_the_cont_stays_fresh(void **state)
{
  struct host_stacks stacks;
  struct world *world = host_stack_world(&stacks, 8);
  (void)state;
  stacks.empty = true;
  wasmfx_cont_t cont = word_cont_of(world->rt, "l:l", run_on_the_hosts_stack, &stacks);
  const wasmfx_cont_t given = cont;
  assert_outcome(wasmfx_resume_word(world->rt, &cont, NULL, 1), WASMFX_ERROR_NO_MEMORY);
  assert_int_equal(cont, given);
  assert_state(world->rt, cont, WASMFX_STATE_FRESH);
  assert_live(world->rt, 1, 0);
  stacks.empty = false;
  assert_outcome(wasmfx_resume_word(world->rt, &cont, NULL, 1), WASMFX_RETURNED);
  world_free(world);
  assert_int_equal(stacks.given_count, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_defaults_are_all_zero_but_the_size),
    cmocka_unit_test(no_configuration_means_the_defaults),
    cmocka_unit_test(a_configuration_of_an_older_caller_is_shorter),
    cmocka_unit_test(a_configuration_of_a_newer_caller_is_longer),
    cmocka_unit_test(a_configuration_that_makes_no_sense_is_refused),
    cmocka_unit_test(ranges_for_stacks_that_no_address_can_name_are_refused),
    cmocka_unit_test(stacks_of_less_than_16_kib_are_refused),
    cmocka_unit_test(stacks_that_leave_nothing_beside_the_hosts_functions_are_refused),
    cmocka_unit_test(a_configuration_that_asks_for_what_is_not_known_is_refused),
    cmocka_unit_test(a_configuration_of_an_unlikely_size_is_refused),
    cmocka_unit_test(the_hosts_word_comes_back),
    cmocka_unit_test(the_version_is_that_of_the_headers),
    cmocka_unit_test(a_tenant_has_to_be_one_of_those_configured),
    cmocka_unit_test(continuations_are_limited_by_max_conts),
    cmocka_unit_test(stacks_are_limited_by_max_stacks),
    cmocka_unit_test(a_limit_met_inside_a_continuation_leaves_it_running),
    cmocka_unit_test(each_class_has_the_size_that_was_configured),
    in_a_world(a_class_is_chosen_while_fresh_and_has_to_exist),
    in_a_world(a_free_stack_of_another_class_is_left_alone),
    in_a_world(no_stack_is_there_before_the_first_resume),
    in_a_world(a_type_tag_or_table_may_go_before_its_runtime),
    cmocka_unit_test(a_runtime_that_goes_gives_its_addresses_back),
    cmocka_unit_test(what_one_tenant_bound_is_gone_before_another_binds),
    cmocka_unit_test(what_was_bound_to_a_chain_is_gone_before_another_tenant_binds),
    cmocka_unit_test(long_results_of_one_tenant_are_gone_before_another_runs),
    in_a_world(an_allocation_that_fails_is_a_status_and_nothing_has_changed),
    cmocka_unit_test(a_cont_that_could_not_be_made_uses_nothing_up),
    in_a_world(a_bind_without_memory_leaves_its_cont_alive),
    cmocka_unit_test(a_runtime_without_memory_is_not_made_and_leaks_nothing),
    cmocka_unit_test(a_runtime_without_addresses_is_not_made_and_leaks_nothing),
    in_a_world(the_counters_say_what_has_happened),
    in_a_world(references_want_something_of_the_system_now_and_then),
    in_a_world(the_counters_fill_no_more_than_the_caller_knows_of),
    cmocka_unit_test(stacks_may_come_from_the_host_and_all_go_back),
    cmocka_unit_test(a_host_gets_its_stacks_back_from_a_runtime_that_goes),
    cmocka_unit_test(a_hosts_stack_belongs_to_the_tenant_that_made_the_continuation),
    cmocka_unit_test(a_host_without_stacks_is_a_status_and_the_cont_stays_fresh),
  };
  return cmocka_run_group_tests_name("runtime", tests, NULL, NULL);
}
