/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <wasmfx/wasmfx.h>

/* The plain calls in word form, out of the shared library, all checks on. */

struct world {
  wasmfx_runtime_t *rt;
  const wasmfx_type_t *type;
  const wasmfx_handlers_t *handlers;
};

/* The bodies' tag: one, since a body reaches no world of its own. */
static wasmfx_tag_t *yielded;

static void check(wasmfx_status_t status)
{
  bench_expect(status >= 0, wasmfx_status_text(status));
}

static struct world world_begin(const struct subject *subject, bool guarded)
{
  (void)guarded; /* always */
  struct world world = { NULL, NULL, NULL };
  const wasmfx_kind_t word = WASMFX_I64;
  wasmfx_type_t *type;
  wasmfx_handlers_t *handlers;
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.stack_bytes[0] = subject->stack_bytes;
  config.tenants = subject->tenants;
  config.max_stacks = subject->max_stacks;
  check(wasmfx_runtime_new(&config, &world.rt));
  check(wasmfx_type_new(world.rt, &word, 1, &word, 1, &type));
  check(wasmfx_tag_new(world.rt, type, &yielded));
  check(wasmfx_handlers_new(world.rt, &(wasmfx_clause_t){ yielded, WASMFX_ON_LABEL }, 1, &handlers));
  world.type = type;
  world.handlers = handlers;
  return world;
}

static void world_end(struct world world)
{
  check(wasmfx_runtime_free(world.rt, NULL));
}

typedef wasmfx_cont_t co_t;

#define CO_BODY(name, self, word)                                                                                      \
  static uint64_t name##_body(wasmfx_runtime_t *self, uint64_t word);                                                  \
  static uint64_t name(wasmfx_runtime_t *self, void *env, uint64_t word, wasmfx_cont_t from)                           \
  {                                                                                                                    \
    (void)env;                                                                                                         \
    (void)from;                                                                                                        \
    return name##_body(self, word);                                                                                    \
  }                                                                                                                    \
  static uint64_t name##_body(wasmfx_runtime_t *self, uint64_t word)

static inline void co_new(struct world world, co_t *co, wasmfx_word_entry_t body)
{
  check(wasmfx_cont_new_word(world.rt, world.type, body, NULL, co));
}

static inline uint64_t co_resume(struct world world, co_t *co, uint64_t word)
{
  wasmfx_outcome_t outcome = wasmfx_resume_word(world.rt, co, world.handlers, word);
  if (outcome.status != WASMFX_SUSPENDED)
    check(WASMFX_ERROR_STATE);
  return outcome.word;
}

#define co_start co_resume

static inline uint64_t co_finish(struct world world, co_t *co, uint64_t word)
{
  wasmfx_outcome_t outcome = wasmfx_resume_word(world.rt, co, world.handlers, word);
  if (outcome.status != WASMFX_RETURNED)
    check(WASMFX_ERROR_STATE);
  return outcome.word;
}

#define co_run co_finish

static inline void co_abandon(struct world world, co_t *co)
{
  check(wasmfx_drop(world.rt, co));
}

static inline uint64_t co_yield(wasmfx_runtime_t *self, uint64_t word)
{
  return wasmfx_suspend_word(self, yielded, word).word;
}

#include "questions.h"

/* As `create`, by tenants that take turns. */
static void tenants(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  struct world world = world_begin(subject, true);
  const uint32_t turns = subject->turns ? subject->turns : 1;
  uint64_t word = 0;
  co_t co;

  double start = now_ns();
  for (size_t i = 0; i < count; i++) {
    check(wasmfx_tenant_set(world.rt, (uint32_t)i % turns));
    co_new(world, &co, return_at_once);
    word = co_run(world, &co, word);
  }
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(word == count, "tenants: wrong count");
  world_end(world);
}

const struct subject subject_library = {
  .name = "library",
  .about = "plain word calls of libwasmfx, shared",
  .asks = ANSWERS,
  .asks[TENANTS] = tenants,
};

const struct subject subject_library_stays = {
  .name = "one-of-two",
  .about = "a runtime with two tenants, one does it all",
  .tenants = 2,
  .asks = { [TENANTS] = tenants },
};

const struct subject subject_library_turns = {
  .name = "two-in-turn",
  .about = "two in turn, each with a stack of its own",
  .tenants = 2,
  .turns = 2,
  .asks = { [TENANTS] = tenants },
};

const struct subject subject_library_crosses = {
  .name = "crossing",
  .about = "two in turn, with one stack that crosses, and is wiped, each time",
  .tenants = 2,
  .turns = 2,
  .max_stacks = 1,
  .asks = { [TENANTS] = tenants },
};

const struct subject subject_library_16k = {
  .name = "library-16k",
  .about = "the same, stacks of 16 KiB instead of 64",
  .stack_bytes = 16384,
  .asks = { [SUSPENDED] = suspended },
};
