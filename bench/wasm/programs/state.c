/* SPDX-License-Identifier: Apache-2.0 */
/* A fiber counts with a variable that it does not have: it asks who resumes it to read and to write it. Argument: how
 * far. */
#include <fiber.h>

#include "arguments.h"

static struct {
  enum { READ, WRITE } what;
  uint32_t value;
} request;

static uint32_t most;

static uint32_t read_state(void)
{
  request.what = READ;
  return (uint32_t)(uintptr_t)fiber_yield(&request);
}

static void write_state(uint32_t value)
{
  request.what = WRITE;
  request.value = value;
  fiber_yield(&request);
}

static void *count(void *arg)
{
  while (read_state() < most)
    write_state(read_state() + 1);
  return arg;
}

int main(int argc, char **argv)
{
  most = number_argument(argc, argv, 1, 10000000);
  fiber_init();
  fiber_t counter = fiber_alloc(count);
  uint32_t state = 0;
  fiber_result_t result;
  fiber_resume(counter, NULL, &result);
  while (result == FIBER_YIELD) {
    if (request.what == WRITE)
      state = request.value;
    fiber_resume(counter, (void *)(uintptr_t)state, &result);
  }
  must(result == FIBER_OK, "the counter comes to its end");
  fiber_free(counter);
  fiber_finalize();
  print_checksum(state);
  return 0;
}
