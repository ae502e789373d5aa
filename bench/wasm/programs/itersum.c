/* SPDX-License-Identifier: Apache-2.0 */
/* A fiber counts, and who resumes it adds up. Argument: how far. */
#include <fiber.h>

#include "arguments.h"

static void *count(void *arg)
{
  const uint32_t most = (uint32_t)(uintptr_t)arg;
  for (uint32_t i = 0; i < most; i++)
    fiber_yield((void *)(uintptr_t)i);
  return NULL;
}

int main(int argc, char **argv)
{
  const uint32_t most = number_argument(argc, argv, 1, 100000000);
  fiber_init();
  fiber_t counter = fiber_alloc(count);
  uint64_t sum = 0;
  fiber_result_t result;
  void *value = fiber_resume(counter, (void *)(uintptr_t)most, &result);
  for (; result == FIBER_YIELD; value = fiber_resume(counter, NULL, &result))
    sum += (uintptr_t)value;
  must(result == FIBER_OK, "the counter comes to its end");
  fiber_free(counter);
  fiber_finalize();
  print_checksum(sum);
  return 0;
}
