/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Not a measurement: fibers that have something on the shadow stack while they wait. Each must find it as it was. Sound
 * only if each has a shadow stack of its own; where they share one, FIBER_CHECK ends this. Argument: calls deep.
 */
#include <fiber.h>

#include "arguments.h"

enum { FIBERS = 100, BYTES = 64 };

static uint32_t depth;

static __attribute__((noinline)) void fill(volatile uint8_t *bytes, uint8_t value)
{
  for (int i = 0; i < BYTES; i++)
    bytes[i] = value;
}

/* Twice, so that the second time shows where the first has come back to. */
static __attribute__((noinline)) uint32_t wait_twice(uint8_t value)
{
  volatile uint8_t bytes[BYTES];
  uint32_t sum = 0;
  for (int time = 0; time < 2; time++) {
    fill(bytes, (uint8_t)(value + time));
    fiber_yield(NULL);
    for (int i = 0; i < BYTES; i++)
      sum += bytes[i] == (uint8_t)(value + time);
  }
  return sum;
}

static __attribute__((noinline)) uint32_t go_down(uint32_t calls, uint8_t value)
{
  volatile uint8_t bytes[BYTES];
  fill(bytes, value);
  uint32_t sum = calls > 1 ? go_down(calls - 1, value) : wait_twice(value);
  for (int i = 0; i < BYTES; i++)
    sum += bytes[i] == value;
  return sum;
}

static void *body(void *arg)
{
  return (void *)(uintptr_t)go_down(depth, (uint8_t)(uintptr_t)arg);
}

int main(int argc, char **argv)
{
  fiber_t fibers[FIBERS];
  uint64_t sum = 0;
  depth = number_argument(argc, argv, 1, 10);
  fiber_init();
  for (uintptr_t i = 0; i < FIBERS; i++) {
    fibers[i] = fiber_alloc(body);
    fiber_resume(fibers[i], (void *)i, NULL);
  }
  for (int i = 0; i < FIBERS; i++)
    fiber_resume(fibers[i], NULL, NULL);
  for (int i = 0; i < FIBERS; i++) {
    sum += (uintptr_t)fiber_resume(fibers[i], NULL, NULL);
    fiber_free(fibers[i]);
  }
  fiber_finalize();
  print_checksum(sum);
  return 0;
}
