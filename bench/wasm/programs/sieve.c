/* SPDX-License-Identifier: Apache-2.0 */
/* Each prime is a fiber that says whether what it is resumed with is a multiple. Argument: how many primes. */
#include <fiber.h>

#include "arguments.h"

/* Resumed with its prime, then with candidates, then with 0. */
static void *filter(void *arg)
{
  const uint32_t prime = (uint32_t)(uintptr_t)arg;
  uint32_t candidate = (uint32_t)(uintptr_t)fiber_yield(NULL);
  while (candidate > 0)
    candidate = (uint32_t)(uintptr_t)fiber_yield((void *)(uintptr_t)(candidate % prime == 0));
  return NULL;
}

static void *ask(fiber_t fiber, uint32_t word, fiber_result_t expected)
{
  fiber_result_t result;
  void *answer = fiber_resume(fiber, (void *)(uintptr_t)word, &result);
  must(result == expected, "a filter goes on until it is told to end");
  return answer;
}

static int is_prime(fiber_t *filters, uint32_t count, uint32_t candidate)
{
  for (uint32_t i = 0; i < count; i++)
    if (ask(filters[i], candidate, FIBER_YIELD))
      return 0;
  return 1;
}

int main(int argc, char **argv)
{
  const uint32_t wanted = number_argument(argc, argv, 1, 2000);
  fiber_t *filters = calloc(wanted, sizeof *filters);
  uint64_t sum = 0;
  must(filters != NULL, "there is memory");
  fiber_init();
  for (uint32_t count = 0, candidate = 2; count < wanted; candidate++) {
    if (!is_prime(filters, count, candidate))
      continue;
    sum += candidate;
    must((filters[count] = fiber_alloc(filter)) != NULL, "there is memory");
    ask(filters[count++], candidate, FIBER_YIELD);
  }
  for (uint32_t i = 0; i < wanted; i++) {
    ask(filters[i], 0, FIBER_OK);
    fiber_free(filters[i]);
  }
  fiber_finalize();
  free(filters);
  print_checksum(sum);
  return 0;
}
