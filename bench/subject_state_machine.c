/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"
#include "work.h"

#include <stdint.h>
#include <stdlib.h>

/* What a coroutine that yields once becomes by hand: the number of the place
* where it goes on; no variable is alive there. */
struct machine {
  enum { BEFORE_YIELD, AFTER_YIELD, DONE } place;
};

/* Not inlined: a scheduler does not know which machine it steps. */
static __attribute__((noinline)) uint64_t machine_step(struct machine *machine, uint64_t word)
{
  switch (machine->place) {
  case BEFORE_YIELD:
    machine->place = AFTER_YIELD;
    return word;
  case AFTER_YIELD:
    machine->place = DONE;
    return word + 1;
  case DONE:
    break;
  }
  return 0;
}

static void c10m(const struct subject *subject, size_t total, double answer[MAX_METRICS])
{
  (void)subject;
  struct machine *live = calloc(LIVE, sizeof *live);
  bench_expect(live != NULL, "no memory");
  uint64_t ended = 0;

  double start = now_ns();
  for (size_t i = 0; i < LIVE; i++)
    machine_step(&live[i], 0);
  for (size_t turn = 1; turn < total / LIVE; turn++)
    for (size_t i = 0; i < LIVE; i++) {
      ended += machine_step(&live[i], 0);
      live[i].place = BEFORE_YIELD;
      machine_step(&live[i], 0);
    }
  for (size_t i = 0; i < LIVE; i++)
    ended += machine_step(&live[i], 0);
  answer[0] = (now_ns() - start) / (double)total;

  bench_expect(ended == total, "c10m: wrong count");
  free(live);
}

/* One that works, yields so often, and works once more. */
struct worker {
  unsigned yields_left;
  struct work work;
};

static __attribute__((noinline)) bool worker_step(struct worker *worker)
{
  do_work(&worker->work);
  return worker->yields_left-- == 0;
}

static void c10m_with_work(size_t total, double answer[MAX_METRICS], unsigned yields, bool is_shuffled)
{
  static uint32_t order[LIVE];
  struct worker *live = calloc(LIVE, sizeof *live);
  bench_expect(live != NULL, "no memory");
  shuffle(order, is_shuffled ? LIVE : 0);
  for (uint32_t i = 0; !is_shuffled && i < LIVE; i++)
    order[i] = i;
  uint64_t checksum = 0, number = 0;

  double start = now_ns();
  for (size_t i = 0; i < LIVE; i++) {
    live[i] = (struct worker){ yields, { .number = number++ } };
    worker_step(&live[i]);
  }
  for (size_t turn = 1; turn <= total / LIVE; turn++) {
    for (unsigned again = 1; again < yields; again++)
      for (size_t i = 0; i < LIVE; i++)
        worker_step(&live[order[i]]);
    for (size_t i = 0; i < LIVE; i++) {
      struct worker *worker = &live[order[i]];
      bench_expect(worker_step(worker), "c10m: not at its end");
      checksum += worker->work.checksum;
      if (turn < total / LIVE) {
        *worker = (struct worker){ yields, { .number = number++ } };
        worker_step(worker);
      }
    }
  }
  answer[0] = (now_ns() - start) / (double)total;

  bench_expect(checksum != 0 && number == total, "c10m: wrong count");
  free(live);
}

static void c10m_io1(const struct subject *subject, size_t total, double answer[MAX_METRICS])
{
  (void)subject;
  c10m_with_work(total, answer, 1, false);
}

static void c10m_io1_shuffled(const struct subject *subject, size_t total, double answer[MAX_METRICS])
{
  (void)subject;
  c10m_with_work(total, answer, 1, true);
}

static void c10m_io10(const struct subject *subject, size_t total, double answer[MAX_METRICS])
{
  (void)subject;
  c10m_with_work(total, answer, 10, false);
}

const struct subject subject_state_machine = {
  .name = "statemachine",
  .about = "written by hand, no stacks",
  .asks = { [C10M_IO0] = c10m, [C10M_IO1] = c10m_io1, [C10M_IO1_SHUFFLED] = c10m_io1_shuffled, [C10M_IO10] = c10m_io10 },
};
