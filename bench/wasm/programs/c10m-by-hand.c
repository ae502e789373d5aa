/* SPDX-License-Identifier: Apache-2.0 */
/* C10M without fibers: a coroutine is a record of what it has to do next. Arguments as c10m.c. */
#include "c10m-work.h"

struct machine {
  uint32_t number, yield;
  enum { NONE, FRESH, STARTED } state;
};

/* Runs to the next yield; whether it has ended. Not inlined: a scheduler does not know which machine it runs. */
static __attribute__((noinline)) int step(struct machine *machine)
{
  if (machine->state == FRESH) {
    machine->state = STARTED;
    machine->number = work.begun++;
    machine->yield = 0;
  }
  do_work(machine->number, machine->yield);
  return machine->yield++ == work.yields;
}

/* At its first yield, if it has any. */
static void next_machine(struct machine *machine)
{
  machine->state = NONE;
  if (work.made == work.total)
    return;
  work.made++;
  machine->state = FRESH;
  if (work.yields > 0)
    step(machine);
}

/* Each in its turn; where one has ended, another takes its place. */
static void run(struct machine *window)
{
  for (uint32_t slot = 0; slot < work.live; slot++)
    next_machine(&window[slot]);
  for (uint32_t slot = 0; work.ended < work.total; slot = slot + 1 < work.live ? slot + 1 : 0) {
    if (window[slot].state == NONE || !step(&window[slot]))
      continue;
    work.ended++;
    next_machine(&window[slot]);
  }
}

int main(int argc, char **argv)
{
  read_arguments(argc, argv);
  struct machine *window = calloc(work.live, sizeof *window);
  must(window != NULL, "there is memory");
  run(window);
  free(window);
  return print_result();
}
