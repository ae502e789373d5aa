/* SPDX-License-Identifier: Apache-2.0 */
/* Some fibers take turns. Arguments: turns of each, how many fibers. */
#include <fiber.h>

#include "arguments.h"

static uint32_t turns;

struct worker {
  fiber_t fiber;
  uint32_t done; /* turns */
};

static void *work(void *arg)
{
  struct worker *worker = arg;
  for (uint32_t i = 0; i < turns; i++) {
    worker->done++;
    fiber_yield(NULL);
  }
  return NULL;
}

/* Until all have come to their end. */
static void run(struct worker *workers, uint32_t count)
{
  for (uint32_t i = 0, left = count; left > 0; i = i + 1 < count ? i + 1 : 0) {
    if (!workers[i].fiber)
      continue;
    fiber_result_t result;
    fiber_resume(workers[i].fiber, &workers[i], &result);
    if (result == FIBER_YIELD)
      continue;
    must(result == FIBER_OK, "a worker yields or ends");
    fiber_free(workers[i].fiber);
    workers[i].fiber = NULL;
    left--;
  }
}

int main(int argc, char **argv)
{
  turns = number_argument(argc, argv, 1, 10000000);
  const uint32_t count = number_argument(argc, argv, 2, 10);
  struct worker *workers = calloc(count, sizeof *workers);
  uint64_t sum = 0;
  must(workers != NULL, "there is memory");
  fiber_init();
  for (uint32_t i = 0; i < count; i++)
    must((workers[i].fiber = fiber_alloc(work)) != NULL, "there is memory");
  run(workers, count);
  for (uint32_t i = 0; i < count; i++)
    sum += workers[i].done * (uint64_t)(i + 1);
  fiber_finalize();
  free(workers);
  print_checksum(sum);
  return 0;
}
