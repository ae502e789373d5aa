/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions, written once and compiled into every subject, so that each is
 * measured the way its users would get it: inlined where it can be inlined. No
 * include guard, since a file that includes it is a subject; it first defines
 *
 *   struct world                             what the calls need, passed by value
 *   world_begin(subject, guarded)            makes one
 *   world_end(world)
 *   co_t                                     a handle
 *   CO_BODY(name, self, word) { ... }        a function that runs as a coroutine
 *   co_new(world, &co, name)
 *   co_start(world, &co, word)               the first resume; what it yields or returns
 *   co_resume(world, &co, word)              a later one that comes back with a yield
 *   co_finish(world, &co, word)              a later one that comes back with the result; frees
 *   co_run(world, &co, word)                 the first one, if it comes back with the result; frees
 *   co_abandon(world, &co)                   frees one that is suspended
 *   co_yield(self, word)
 *   co_work(self, &work)                     does work, where that is best done
 *   co_prefetch(world, &co)                  says that it will be resumed soon
 *   CO_SELF, CO_ENTRY                        the types of `self` and of a body's name
 *
 * and gets ANSWERS for its struct subject.
 */
#include "bench.h"
#include "work.h"

#include <stdlib.h>
#include <string.h>

CO_BODY(yield_for_ever, self, word)
{
  for (;;)
    word = co_yield(self, word + 1);
  return word; /* never; compilers want it */
}

/* The same by a body that keeps something in its frame, as most do. */
CO_BODY(count_and_yield, self, word)
{
  for (volatile uint64_t turns = 0;; turns = turns + 1)
    word = co_yield(self, word + 1);
  return word;
}

CO_BODY(yield_once, self, word)
{
  return co_yield(self, word) + 1;
}

CO_BODY(return_at_once, self, word)
{
  (void)self;
  return word + 1;
}

/* Work, and a yield, so often; and work once more. */
static inline __attribute__((always_inline)) uint64_t work_and_yield(CO_SELF self, uint64_t word, unsigned yields)
{
  struct work work = { .number = word };
  for (unsigned i = 0; i < yields; i++) {
    co_work(self, &work);
    word = co_yield(self, word);
  }
  co_work(self, &work);
  return work.checksum;
}

CO_BODY(work_once, self, word)
{
  return work_and_yield(self, word, 1);
}

CO_BODY(work_ten_times, self, word)
{
  return work_and_yield(self, word, 10);
}

CO_BODY(go_down_for_ever, self, word)
{
  for (;;)
    word = co_yield(self, word + go_down(DEEP_CALLS));
  return word;
}

static co_t *make_live(struct world world, size_t count)
{
  co_t *live = calloc(count, sizeof *live);
  bench_expect(live != NULL, "no memory");
  for (size_t i = 0; i < count; i++) {
    co_new(world, &live[i], count_and_yield);
    bench_expect(co_start(world, &live[i], i) == i + 1, "wrong word");
  }
  return live;
}

static void abandon_live(struct world world, co_t *live, size_t count)
{
  for (size_t i = 0; i < count; i++)
    co_abandon(world, &live[i]);
  free(live);
}

/* One coroutine, resumed again and again. */
static void round_trip(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  struct world world = world_begin(subject, false);
  co_t co;
  co_new(world, &co, yield_for_ever);
  uint64_t word = co_start(world, &co, 0);

  double start = now_ns();
  for (size_t i = 0; i < count; i++)
    word = co_resume(world, &co, word);
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(word == count + 1, "round trip: wrong count");
  co_abandon(world, &co);
  world_end(world);
}

/* Coroutines that run once and are gone, one after the other. */
static void create(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  struct world world = world_begin(subject, false);
  co_t co;
  co_new(world, &co, return_at_once);
  uint64_t word = co_run(world, &co, 0);

  double start = now_ns();
  for (size_t i = 0; i < count; i++) {
    co_new(world, &co, return_at_once);
    word = co_run(world, &co, word);
  }
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(word == count + 1, "create: wrong count");
  world_end(world);
}

/* Many suspended ones, resumed in turn. */
static void round_robin(const struct subject *subject, size_t count, double answer[MAX_METRICS], size_t size)
{
  struct world world = world_begin(subject, false);
  co_t *live = make_live(world, size);
  uint64_t word = 0;
  for (size_t i = 0; i < size; i++)
    word = co_resume(world, &live[i], word);

  double start = now_ns();
  for (size_t turn = 0; turn < count / size; turn++)
    for (size_t i = 0; i < size; i++)
      word = co_resume(world, &live[i], word);
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(word == count + size, "round robin: wrong count");
  abandon_live(world, live, size);
  world_end(world);
}

static void round_robin_100(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  round_robin(subject, count, answer, 100);
}

static void round_robin_10000(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  round_robin(subject, count, answer, LIVE);
}

/* As many as asked for. */
static void live(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  round_robin(subject, count / asked_at ? count / asked_at * asked_at : asked_at, answer, asked_at);
}

/* Down and up again on a stack where somebody has been as deep before. */
static void deep_warm(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  struct world world = world_begin(subject, false);
  co_t co;
  co_new(world, &co, go_down_for_ever);
  uint64_t word = co_start(world, &co, 0);

  double start = now_ns();
  for (size_t done = 0; done < count; done += DEEP_CALLS)
    word = co_resume(world, &co, word);
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(word == count + DEEP_CALLS, "deep: wrong count");
  co_abandon(world, &co);
  world_end(world);
}

/* The same where nobody has been: every stack comes from the system, a page at a time. */
static void deep_cold(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  struct world world = world_begin(subject, true);
  const size_t size = count / DEEP_CALLS;
  co_t *all = calloc(size, sizeof *all);
  bench_expect(all != NULL, "no memory");
  for (size_t i = 0; i < size; i++)
    co_new(world, &all[i], go_down_for_ever);
  uint64_t word = 0;

  double start = now_ns();
  for (size_t i = 0; i < size; i++)
    word = co_start(world, &all[i], word);
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(word == count, "deep: wrong count");
  abandon_live(world, all, size);
  world_end(world);
}

/* What one costs that waits: each has run, and each has a guard. */
static void suspended(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  struct world world = world_begin(subject, true);
  co_t *handles = malloc(count * sizeof *handles);
  bench_expect(handles != NULL, "no memory");
  for (size_t i = 0; i < count; i++)
    handles[i] = (co_t)1; /* touched now, so that the array does not count */

  struct memory before = memory_now();
  for (size_t i = 0; i < count; i++) {
    co_new(world, &handles[i], yield_for_ever);
    bench_expect(co_start(world, &handles[i], i) == i + 1, "suspended: wrong word");
  }
  struct memory after = memory_now();

  answer[0] = (after.resident - before.resident) / (double)count;
  answer[1] = (after.page_tables - before.page_tables) / (double)count;
  answer[2] = answer[0] + answer[1];
  abandon_live(world, handles, count);
  world_end(world);
}

/* As many as asked for, however often it is asked. */
static void memory(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  suspended(subject, count * asked_at, answer);
}

/* A window of LIVE that slides over `total`; each yields once. */
static void c10m(const struct subject *subject, size_t total, double answer[MAX_METRICS])
{
  struct world world = world_begin(subject, false);
  co_t *live = calloc(LIVE, sizeof *live);
  bench_expect(live != NULL, "no memory");
  uint64_t ended = 0;

  double start = now_ns();
  for (size_t i = 0; i < LIVE; i++) {
    co_new(world, &live[i], yield_once);
    co_start(world, &live[i], 0);
  }
  for (size_t turn = 1; turn < total / LIVE; turn++)
    for (size_t i = 0; i < LIVE; i++) {
      ended += co_finish(world, &live[i], 0);
      co_new(world, &live[i], yield_once);
      co_start(world, &live[i], 0);
    }
  for (size_t i = 0; i < LIVE; i++)
    ended += co_finish(world, &live[i], 0);
  answer[0] = (now_ns() - start) / (double)total;

  bench_expect(ended == total, "c10m: wrong count");
  free(live);
  world_end(world);
}

/* The same with work. Each of the window is resumed `yields` times before the next one takes its place; `order` says in
 * which order the window is gone through, AHEAD places before which it is told whose turn will come. */
enum { AHEAD = 4 };

static void c10m_with_work(const struct subject *subject, size_t total, double answer[MAX_METRICS], CO_ENTRY body,
                           unsigned yields, bool is_shuffled)
{
  static uint32_t order[LIVE + AHEAD];
  struct world world = world_begin(subject, false);
  co_t *live = calloc(LIVE, sizeof *live);
  bench_expect(live != NULL, "no memory");
  shuffle(order, is_shuffled ? LIVE : 0);
  for (uint32_t i = 0; !is_shuffled && i < LIVE; i++)
    order[i] = i;
  memcpy(order + LIVE, order, AHEAD * sizeof *order);
  uint64_t checksum = 0, number = 0;

  double start = now_ns();
  for (size_t i = 0; i < LIVE; i++) {
    co_new(world, &live[i], body);
    co_start(world, &live[i], number++);
  }
  for (size_t turn = 1; turn <= total / LIVE; turn++) {
    for (unsigned again = 1; again < yields; again++)
      for (size_t i = 0; i < LIVE; i++) {
        co_prefetch(world, &live[order[i + AHEAD]]);
        co_resume(world, &live[order[i]], 0);
      }
    for (size_t i = 0; i < LIVE; i++) {
      co_prefetch(world, &live[order[i + AHEAD]]);
      checksum += co_finish(world, &live[order[i]], 0);
      if (turn < total / LIVE) {
        co_new(world, &live[order[i]], body);
        co_start(world, &live[order[i]], number++);
      }
    }
  }
  answer[0] = (now_ns() - start) / (double)total;

  bench_expect(checksum != 0 && number == total, "c10m: wrong count");
  free(live);
  world_end(world);
}

static void c10m_io1(const struct subject *subject, size_t total, double answer[MAX_METRICS])
{
  c10m_with_work(subject, total, answer, work_once, 1, false);
}

static void c10m_io1_shuffled(const struct subject *subject, size_t total, double answer[MAX_METRICS])
{
  c10m_with_work(subject, total, answer, work_once, 1, true);
}

static void c10m_io10(const struct subject *subject, size_t total, double answer[MAX_METRICS])
{
  c10m_with_work(subject, total, answer, work_ten_times, 10, false);
}

#define ANSWERS_WITH_WORK                                                                                              \
  [C10M_IO1] = c10m_io1, [C10M_IO1_SHUFFLED] = c10m_io1_shuffled, [C10M_IO10] = c10m_io10

#define ANSWERS_WITH_POINTS [LIVE_AT] = live, [MEMORY_AT] = memory
#define ANSWERS_DEEP [DEEP_WARM] = deep_warm, [DEEP_COLD] = deep_cold

#define ANSWERS_OF_ALL                                                                                                 \
  [ROUNDTRIP] = round_trip, [CREATE] = create, [RR100] = round_robin_100, [RR10000] = round_robin_10000,               \
    [SUSPENDED] = suspended, [C10M_IO0] = c10m, ANSWERS_WITH_WORK, ANSWERS_WITH_POINTS, ANSWERS_DEEP

#define ANSWERS { ANSWERS_OF_ALL }
