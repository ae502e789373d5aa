/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C10M by hand: a coroutine is cut at its yield into two steps, and a record
 * keeps which comes next and what is needed then.
 */
#include "c10m-work.h"

#include <stdbool.h>
#include <stdlib.h>

const char c10m_name[] = "c10m-statemachine";

struct machine {
  enum { EMPTY, BEFORE_YIELD, AFTER_YIELD } next;
  unsigned line;
  uint64_t number;
};

static void start(struct machine *machine, uint64_t number)
{
  machine->next = BEFORE_YIELD;
  machine->line = 0;
  machine->number = number;
}

/* Takes one step; whether it was the last one. Not inlined: a scheduler does not
 * know which machine it steps. */
static __attribute__((noinline)) bool step(struct machine *machine, struct c10m *work)
{
  switch (machine->next) {
  case BEFORE_YIELD:
    while (machine->line < work->before)
      c10m_write(work, machine->number, machine->line++);
    machine->next = AFTER_YIELD;
    return false;
  case AFTER_YIELD:
    while (machine->line < work->before + work->after)
      c10m_write(work, machine->number, machine->line++);
    machine->next = EMPTY;
    return true;
  case EMPTY:
    break;
  }
  return false;
}

void c10m_run(struct c10m *work)
{
  struct machine *window = calloc(work->live, sizeof *window);
  if (!window)
    c10m_fail("no memory");

  for (uint64_t number = 0, slot = 0; number < work->total + work->live; number++) {
    if (step(&window[slot], work))
      c10m_ended(work, window[slot].number);
    if (number < work->total) {
      start(&window[slot], number);
      step(&window[slot], work);
    }
    slot = slot + 1 < work->live ? slot + 1 : 0;
  }

  free(window);
}
