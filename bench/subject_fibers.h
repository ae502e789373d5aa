/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fiber interface, in one of its tiers. No include guard, since a file that includes it is a subject; it first
 * defines
 *
 *   BENCH_INLINE   an attribute for what resumes and yields
 *
 * and gets ANSWERS for its struct subject.
 */
#include "bench.h"

#include <wasmfx/fiber.h>

#include <stdint.h>

struct world {
  char none;
};

static struct world world_begin(const struct subject *subject, bool guarded)
{
  (void)subject;
  (void)guarded; /* always */
  fiber_init();
  return (struct world){ 0 };
}

static void world_end(struct world world)
{
  (void)world;
  fiber_finalize();
}

typedef fiber_t co_t;

/* Fibers know themselves. */
#define CO_BODY(name, self, word)                                                                                      \
  static uint64_t name##_body(char self, uint64_t word);                                                               \
  static void *name(void *argument)                                                                                    \
  {                                                                                                                    \
    return (void *)(uintptr_t)name##_body(0, (uint64_t)(uintptr_t)argument);                                           \
  }                                                                                                                    \
  static uint64_t name##_body(char self, uint64_t word)

static inline void co_new(struct world world, co_t *co, fiber_entry_point_t body)
{
  (void)world;
  *co = fiber_alloc(body);
  bench_expect(*co != NULL, "no fiber");
}

static inline BENCH_INLINE uint64_t co_step(co_t *co, uint64_t word, fiber_result_t expected)
{
  fiber_result_t result;
  void *answer = fiber_resume(*co, (void *)(uintptr_t)word, &result);
  bench_expect(result == expected, "a fiber did not do what it should");
  return (uint64_t)(uintptr_t)answer;
}

static inline BENCH_INLINE uint64_t co_resume(struct world world, co_t *co, uint64_t word)
{
  (void)world;
  return co_step(co, word, FIBER_YIELD);
}

#define co_start co_resume

static inline void co_abandon(struct world world, co_t *co)
{
  (void)world;
  fiber_free(*co);
}

static inline BENCH_INLINE uint64_t co_finish(struct world world, co_t *co, uint64_t word)
{
  uint64_t result = co_step(co, word, FIBER_OK);
  co_abandon(world, co);
  return result;
}

#define co_run co_finish

static inline BENCH_INLINE uint64_t co_yield(char self, uint64_t word)
{
  (void)self;
  return (uint64_t)(uintptr_t)fiber_yield((void *)(uintptr_t)word);
}

#define co_work(self, work) do_work(work)
#define co_prefetch(world, co) ((void)0)
#define CO_SELF char
#define CO_ENTRY fiber_entry_point_t

#include "questions.h"
