/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random programs on the library, held against the reference model.
 *
 *     model OPERATIONS [SEED] [--expect-retired N] [--trace N] [--dense]
 *
 * The body of every continuation is the same interpreter: it draws a verb and
 * its operands, asks the model (model_reference.h) where control will land and
 * with what, and calls the library. Whoever gets control next, as the body of
 * a new continuation or where a call of its own returns, checks that it is the
 * one and that it finds what the model said. So each operation is checked as a
 * whole: status, clause, payload, the reference left behind, and what can be
 * looked at from outside.
 *
 * A run is a sequence of *eras*, each with a runtime, types and tables of its
 * own, and an era of *programs*, which differ in what they do often. What is
 * alive after a program is mostly dropped, the rest goes on into the next one.
 *
 * A seed determines a run. After a mismatch the last operations and the
 * model's lists are printed, and the exit status is 1. `--trace N` prints each
 * operation from the N-th on; `--expect-retired N` fails unless so many objects
 * have used up their revisions, for builds where these are narrow; `--dense` packs the stacks.
 */
#define _GNU_SOURCE /* isatty */

#include <stdio.h>
#include <unistd.h>

#include "effort.h"
#include "model_driver.h"

struct run run = { .trace_from = UINT64_MAX };

/* ---- Decisions ----------------------------------------------------------------------- */

/* splitmix64 */
uint64_t draw(void)
{
  uint64_t x = run.random_state += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

unsigned below(unsigned limit)
{
  return (unsigned)(((draw() >> 32) * limit) >> 32);
}

_Noreturn void end_after_mismatch(void)
{
  _exit(1);
}

/* ---- The run ------------------------------------------------------------------------- */

static void run_eras(void)
{
  while (run.operations < run.wanted) {
    open_era();
    for (unsigned left = 1 + below(16); left && run.operations < run.wanted && era.seen_count < SEEN / 2; left--) {
      choose_program();
      run_program();
    }
    close_era();
  }
}

static void print_counts(void)
{
  printf("%" PRIu64 " operations:", run.operations);
  for (unsigned i = 0; i < OPERATIONS; i++)
    printf("%s %s %" PRIu64, i ? "," : "", repertory[i].name, run.counts[i]);
  printf("\n%" PRIu64 " calls that failed as they should, %" PRIu64 " of dead references; %" PRIu64
         " captures, %" PRIu64 " deep, %" PRIu64 " of them repeated from the same place; %" PRIu64
         " handlers called in place, %" PRIu64 " of them from further out; longest chain %zu; %" PRIu64
         " objects retired; %" PRIu64 " dropped by collections, %zu with their runtimes\n",
         run.failures, run.consumed_used, run.captures, run.deep_captures, run.repeated_captures, run.calls,
         run.deep_calls, run.longest_chain,
         run.retired, run.collected, run.dropped_at_ends);
}

static int usage(void)
{
  fprintf(stderr, "usage: model OPERATIONS [SEED] [--expect-retired N] [--trace N] [--dense]\n");
  return 2;
}

int main(int argc, char **argv)
{
  uint64_t numbers[2] = { 0, 1 }, expect_retired = 0;
  unsigned given = 0;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--dense") == 0) {
      run.is_dense = true;
      continue;
    }
    uint64_t *option = strcmp(argv[i], "--expect-retired") == 0 ? &expect_retired
                       : strcmp(argv[i], "--trace") == 0        ? &run.trace_from
                                                                : NULL;
    if (option ? ++i == argc : given == COUNT_OF(numbers))
      return usage();
    *(option ? option : &numbers[given++]) = strtoull(argv[i], NULL, 0);
  }
  if (given == 0)
    return usage();
  run.wanted = effort((size_t)numbers[0]);
  run.seed = run.random_state = numbers[1];
  printf("model: seed %" PRIu64 "\n", run.seed);
  fflush(stdout);

  run.shows_progress = run.wanted >= 5000000 && isatty(STDERR_FILENO);
  watch();
  run_eras();
  if (run.shows_progress)
    fprintf(stderr, "\r%40s\r", "");
  print_counts();
  if (run.wanted < numbers[0] && expect_retired)
    expect_retired = 1; /* the first takes its time */
  if (run.retired < expect_retired) {
    printf("model: only %" PRIu64 " objects retired, %" PRIu64 " expected\n", run.retired, expect_retired);
    return 1;
  }
  printf("model: the library did what the model says (%u programs, %u runtimes, seed %" PRIu64 ")\n", run.programs,
         run.eras, run.seed);
  return 0;
}
