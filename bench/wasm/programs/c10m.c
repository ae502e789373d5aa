/* SPDX-License-Identifier: Apache-2.0 */
/* C10M with fibers. Arguments: how many, how many at a time, yields of each, calls of the host by each. */
#include <fiber.h>

#include "c10m-work.h"

static void *coroutine(void *arg)
{
  const uint32_t number = work.begun++;
  do_work(number, 0);
  for (uint32_t yield = 1; yield <= work.yields; yield++) {
    fiber_yield(NULL);
    do_work(number, yield);
  }
  return arg;
}

/* Whether it has ended. */
static int step(fiber_t fiber)
{
  fiber_result_t result;
  fiber_resume(fiber, NULL, &result);
  must(result != FIBER_ERROR, "a coroutine yields or ends");
  return result == FIBER_OK;
}

/* At its first yield, if it has any; NULL if there are none left to make. */
static fiber_t next_coroutine(void)
{
  if (work.made == work.total)
    return NULL;
  work.made++;
  fiber_t fiber = fiber_alloc(coroutine);
  must(fiber != NULL, "there is memory");
  if (work.yields > 0)
    step(fiber);
  return fiber;
}

/* Each in its turn; where one has ended, another takes its place. */
static void run(fiber_t *window)
{
  for (uint32_t slot = 0; slot < work.live; slot++)
    window[slot] = next_coroutine();
  for (uint32_t slot = 0; work.ended < work.total; slot = slot + 1 < work.live ? slot + 1 : 0) {
    if (!window[slot] || !step(window[slot]))
      continue;
    work.ended++;
    fiber_free(window[slot]);
    window[slot] = next_coroutine();
  }
}

int main(int argc, char **argv)
{
  read_arguments(argc, argv);
  fiber_t *window = calloc(work.live, sizeof *window);
  must(window != NULL, "there is memory");
  fiber_init();
  run(window);
  fiber_finalize();
  free(window);
  return print_result();
}
