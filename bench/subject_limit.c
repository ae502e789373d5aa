/* SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

#include "bench.h"

struct world {
  char none;
};

static struct world world_begin(const struct subject *subject, bool guarded)
{
  stacks_start(subject->coloured, guarded && stacks_can_guard());
  return (struct world){ 0 };
}

static void world_end(struct world world)
{
  (void)world;
}

typedef struct limit *co_t;

#define CO_BODY(name, self, word) static uint64_t name(struct limit *self, uint64_t word)

static inline void co_new(struct world world, co_t *co, uint64_t (*body)(struct limit *self, uint64_t word))
{
  (void)world;
  *co = limit_new(body);
}

static inline __attribute__((always_inline)) uint64_t co_resume(struct world world, co_t *co, uint64_t word)
{
  (void)world;
  return limit_resume(*co, word);
}

#define co_start co_resume

static inline void co_abandon(struct world world, co_t *co)
{
  (void)world;
  limit_free(*co);
}

static inline __attribute__((always_inline)) uint64_t co_finish(struct world world, co_t *co, uint64_t word)
{
  uint64_t result = co_resume(world, co, word);
  co_abandon(world, co);
  return result;
}

#define co_run co_finish

#define co_yield limit_yield

#include "questions.h"

const struct subject subject_limit = {
  .name = "limit",
  .about = "bare inline switch",
  .asks = ANSWERS,
};

const struct subject subject_limit_coloured = {
  .name = "limit-coloured",
  .about = "the same, tops of stacks spread over a page",
  .coloured = true,
  .asks = ANSWERS,
};
