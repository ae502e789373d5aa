/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

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

const struct subject subject_state_machine = {
  .name = "statemachine",
  .about = "written by hand, no stacks",
  .asks = { [C10M_IO0] = c10m },
};
