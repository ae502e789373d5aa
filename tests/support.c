/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

/* ---- Memory -------------------------------------------------------------- */

static void *heap_allocate(void *context, size_t bytes)
{
  struct heap *heap = context;
  if (++heap->calls == heap->fail_at)
    return NULL;
  heap->blocks++;
  heap->bytes += bytes;
  return malloc(bytes);
}

static void heap_release(void *context, void *block, size_t bytes)
{
  struct heap *heap = context;
  heap->blocks--;
  heap->bytes -= bytes;
  free(block);
}

wasmfx_allocator_t heap_allocator(struct heap *heap)
{
  const wasmfx_allocator_t allocator = { heap_allocate, heap_release, heap };
  return allocator;
}

/* ---- Worlds -------------------------------------------------------------- */

struct world *world_new(const wasmfx_runtime_config_t *config)
{
  struct world *world = calloc(1, sizeof(*world));
  assert_non_null(world);
  wasmfx_runtime_config_t own;
  wasmfx_runtime_config_init(&own);
  if (config)
    own = *config;
  own.allocator = heap_allocator(&world->heap);
  assert_status(wasmfx_runtime_new(&own, &world->rt), WASMFX_OK);
  return world;
}

void world_free(struct world *world)
{
  size_t dropped = 0;
  assert_status(wasmfx_runtime_free(world->rt, &dropped), WASMFX_OK);
  assert_int_equal(dropped, 0);
  assert_int_equal(world->heap.blocks, 0);
  assert_int_equal(world->heap.bytes, 0);
  free(world);
}

int open_world(void **state)
{
  *state = world_new(NULL);
  return 0;
}

int close_world(void **state)
{
  world_free(*state);
  return 0;
}

wasmfx_runtime_t *runtime_of(void **state)
{
  const struct world *world = *state;
  return world->rt;
}

/* ---- Types, tags, tables, continuations ---------------------------------- */

static wasmfx_kind_t kind_of(char letter)
{
  switch (letter) {
  case 'i': return WASMFX_I32;
  case 'l': return WASMFX_I64;
  case 'f': return WASMFX_F32;
  case 'd': return WASMFX_F64;
  case 'v': return WASMFX_V128;
  case 'p': return WASMFX_FUNCREF;
  case 'e': return WASMFX_EXTERNREF;
  case 'x': return WASMFX_EXNREF;
  case 'c': return WASMFX_CONTREF;
  default: fail_msg("no kind has the letter '%c'", letter); return 0;
  }
}

wasmfx_type_t *type_of(wasmfx_runtime_t *rt, const char *signature)
{
  wasmfx_kind_t kinds[80];
  const char *colon = strchr(signature, ':');
  assert_non_null(colon);
  const size_t params = (size_t)(colon - signature), results = strlen(colon + 1);
  assert_true(params + results <= COUNT_OF(kinds));
  for (size_t i = 0; i < params; i++)
    kinds[i] = kind_of(signature[i]);
  for (size_t i = 0; i < results; i++)
    kinds[params + i] = kind_of(colon[1 + i]);
  wasmfx_type_t *type = NULL;
  assert_status(wasmfx_type_new(rt, kinds, params, kinds + params, results, &type), WASMFX_OK);
  return type;
}

wasmfx_tag_t *tag_of(wasmfx_runtime_t *rt, const char *signature)
{
  wasmfx_tag_t *tag = NULL;
  assert_status(wasmfx_tag_new(rt, type_of(rt, signature), &tag), WASMFX_OK);
  return tag;
}

wasmfx_handlers_t *handlers_of(wasmfx_runtime_t *rt, const wasmfx_clause_t *clauses, size_t count)
{
  wasmfx_handlers_t *handlers = NULL;
  assert_status(wasmfx_handlers_new(rt, clauses, count, &handlers), WASMFX_OK);
  return handlers;
}

wasmfx_cont_t cont_of(wasmfx_runtime_t *rt, const char *signature, wasmfx_entry_t entry, void *env)
{
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  assert_status(wasmfx_cont_new(rt, type_of(rt, signature), entry, env, &cont), WASMFX_OK);
  assert_state(rt, cont, WASMFX_STATE_FRESH);
  return cont;
}

wasmfx_cont_t word_cont_of(wasmfx_runtime_t *rt, const char *signature, wasmfx_word_entry_t entry, void *env)
{
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  assert_status(wasmfx_cont_new_word(rt, type_of(rt, signature), entry, env, &cont), WASMFX_OK);
  assert_state(rt, cont, WASMFX_STATE_FRESH);
  return cont;
}

__attribute__((noinline)) static uint64_t recurse_to(uint64_t depth, volatile const uint64_t *deepest)
{
  volatile uint64_t frame[64];
  frame[0] = depth;
  return depth == *deepest ? depth : recurse_to(depth + 1, deepest) + frame[0];
}

uint64_t recurse_for_ever(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  volatile const uint64_t never = UINT64_MAX;
  (void)rt, (void)env, (void)from;
  return recurse_to(word % 2, &never);
}

wasmfx_value_t i64_value(int64_t value)
{
  wasmfx_value_t slot;
  memset(&slot, 0, sizeof(slot));
  slot.i64 = value;
  return slot;
}

wasmfx_value_t cont_value(wasmfx_cont_t value)
{
  wasmfx_value_t slot;
  memset(&slot, 0, sizeof(slot));
  slot.contref = value;
  return slot;
}

/* ---- Views and assertions ------------------------------------------------ */

wasmfx_stats_t stats_of(const wasmfx_runtime_t *rt)
{
  wasmfx_stats_t stats;
  memset(&stats, 0, sizeof(stats));
  wasmfx_runtime_stats(rt, &stats, sizeof(stats));
  return stats;
}

struct view view_of(const wasmfx_runtime_t *rt)
{
  const struct view view = { stats_of(rt), wasmfx_depth(rt) };
  return view;
}

static const char *status_name(wasmfx_status_t status)
{
  switch (status) {
  case WASMFX_OK: return "OK / RETURNED";
  case WASMFX_SUSPENDED: return "SUSPENDED";
  case WASMFX_THREW: return "THREW";
  case WASMFX_TRAPPED: return "TRAPPED";
  case WASMFX_TRAP_NULL_FUNCTION: return "TRAP_NULL_FUNCTION";
  case WASMFX_TRAP_NULL_CONT: return "TRAP_NULL_CONT";
  case WASMFX_TRAP_CONSUMED: return "TRAP_CONSUMED";
  case WASMFX_TRAP_NULL_EXCEPTION: return "TRAP_NULL_EXCEPTION";
  case WASMFX_TRAP_UNHANDLED: return "TRAP_UNHANDLED";
  case WASMFX_TRAP_BARRIER: return "TRAP_BARRIER";
  case WASMFX_ERROR_ARITY: return "ERROR_ARITY";
  case WASMFX_ERROR_TYPE: return "ERROR_TYPE";
  case WASMFX_ERROR_STATE: return "ERROR_STATE";
  case WASMFX_ERROR_ARGUMENT: return "ERROR_ARGUMENT";
  case WASMFX_ERROR_NO_MEMORY: return "ERROR_NO_MEMORY";
  case WASMFX_ERROR_NO_ADDRESS_SPACE: return "ERROR_NO_ADDRESS_SPACE";
  case WASMFX_ERROR_NO_MAPS: return "ERROR_NO_MAPS";
  case WASMFX_ERROR_LIMIT: return "ERROR_LIMIT";
  default: return "unknown status";
  }
}

void check_status(wasmfx_status_t actual, wasmfx_status_t expected, const char *what, const char *file, int line)
{
  if (actual == expected)
    return;
  print_error("%s is %s (%d), should be %s\n", what, status_name(actual), (int)actual, status_name(expected));
  _fail(file, line);
}

void check_outcome(wasmfx_outcome_t actual, wasmfx_status_t expected, const char *what, const char *file, int line)
{
  check_status(actual.status, expected, what, file, line);
  if (actual.status < 0)
    _assert_int_equal(actual.word, 0, file, line);
}

void check_state(enum wasmfx_state actual, enum wasmfx_state expected, const char *what, const char *file, int line)
{
  static const char *const names[] = { "NULL", "FRESH", "SUSPENDED", "CONSUMED" };
  if (actual == expected)
    return;
  print_error("%s is %s, should be %s\n", what, (size_t)actual < COUNT_OF(names) ? names[actual] : "in no state",
              names[expected]);
  _fail(file, line);
}

void check_live(const wasmfx_runtime_t *rt, uint64_t conts, uint64_t stacks, const char *file, int line)
{
  const wasmfx_stats_t stats = stats_of(rt);
  if (stats.conts_live == conts && stats.stacks_used == stacks)
    return;
  print_error("%lu continuations live on %lu stacks, should be %lu on %lu\n", (unsigned long)stats.conts_live,
              (unsigned long)stats.stacks_used, (unsigned long)conts, (unsigned long)stacks);
  _fail(file, line);
}

void check_unchanged(const wasmfx_runtime_t *rt, const struct view *before, const char *file, int line)
{
  const struct view now = view_of(rt);
  _assert_int_equal(now.depth, before->depth, file, line);
  _assert_memory_equal(&now.stats, &before->stats, sizeof(now.stats), file, line);
}

uint64_t random_word(uint64_t *seed)
{
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  *seed ^= *seed << 17;
  return *seed * UINT64_C(0x2545F4914F6CDD1D);
}
