/* SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

#include "bench.h"
#include "threads.h"

#include <stdlib.h>

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

/* Nothing of the kind: work is done where the coroutine stands. */
#define co_work(self, work) do_work(work)
#define co_prefetch(world, co) ((void)0)
#define CO_SELF struct limit *
typedef uint64_t co_entry_t(CO_SELF self, uint64_t word);
#define CO_ENTRY co_entry_t *

#include "questions.h"

/* ---- A ring without semantics ------------------------------------------------------- */

/* Coroutines that go on as the next one, round and round. */
static struct {
  struct limit **at;
  size_t size, left;
  struct limit host;
} ring;

static uint64_t run_in_ring(struct limit *self, uint64_t word)
{
  struct limit *const next = ring.at[(self->place + 1) % ring.size];
  while (ring.left) {
    ring.left--;
    word = limit_switch(self, next, word + 1);
  }
  return limit_switch(self, &ring.host, word);
}

static void run_ring(const struct subject *subject, size_t count, double answer[MAX_METRICS], size_t size)
{
  stacks_start(subject->coloured, false);
  ring.at = calloc(size, sizeof *ring.at);
  bench_expect(ring.at != NULL, "no memory");
  ring.size = size;
  ring.left = count;
  for (size_t i = 0; i < size; i++) {
    ring.at[i] = limit_new(run_in_ring);
    ring.at[i]->place = i;
  }

  double start = now_ns();
  uint64_t word = limit_switch(&ring.host, ring.at[0], 0);
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(word == count, "ring: wrong count");
  free(ring.at);
}

static void ring2(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  run_ring(subject, count, answer, 2);
}

static void ring1000(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  run_ring(subject, count, answer, 1000);
}

/* ---- Threads: what the machine gives to programs that share nothing ------------------------ */

struct own_trips {
  _Alignas(OWN_LINES) struct limit *co;
};

static uint64_t make_trips(void *state, size_t count)
{
  struct limit *const co = ((struct own_trips *)state)->co;
  uint64_t word = 0;
  for (size_t i = 0; i < count; i++)
    word = limit_resume(co, word);
  return word;
}

static void own_begin(const struct subject *subject, void *state)
{
  (void)subject;
  struct own_trips *own = state;
  own->co = limit_new(yield_for_ever);
  limit_resume(own->co, 0);
}

static void own_end(void *state)
{
  limit_free(((struct own_trips *)state)->co);
}

static void in_threads(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  const struct thread_part part = { sizeof(struct own_trips), own_begin, make_trips, own_end };
  stacks_start(subject->coloured, false);
  ask_threads(subject, &part, count, answer);
}

const struct subject subject_bare_ring = {
  .name = "bare-ring",
  .about = "bare inline switch to the next one",
  .coloured = true,
  .asks = { [RING2] = ring2, [RING1000] = ring1000 },
};

#define LIMIT_ANSWERS { ANSWERS_OF_ALL, [THREADS] = in_threads }

const struct subject subject_limit = {
  .name = "limit",
  .about = "bare inline switch",
  .asks = LIMIT_ANSWERS,
};

const struct subject subject_limit_coloured = {
  .name = "limit-coloured",
  .about = "the same, tops of stacks spread over a page",
  .coloured = true,
  .asks = LIMIT_ANSWERS,
};
