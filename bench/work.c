/* SPDX-License-Identifier: Apache-2.0 */
#include "work.h"

#include <inttypes.h>
#include <stdio.h>

void do_work(void *arg)
{
  struct work *work = arg;
  char line[96];
  const int length =
    snprintf(line, sizeof line, "coroutine %010" PRIu64 " call no. %d of %s\n", work->number, 1, "some");
  work->checksum = (work->checksum ^ (uint64_t)line[length / 2]) * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)length;
}

/* What compilers cannot see through is no loop to them. */
__attribute__((noinline)) uint64_t go_down(uint64_t calls)
{
  uint64_t below = 0;
  if (calls > 1)
    below = go_down(calls - 1);
  __asm__ volatile("" : "+r"(below), "+r"(calls));
  return below + (calls != 0);
}

void shuffle(uint32_t *order, uint32_t count)
{
  uint64_t seed = 88172645463325252;
  for (uint32_t i = 0; i < count; i++)
    order[i] = i;
  for (uint32_t i = count; i > 1; i--) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    const uint32_t k = (uint32_t)(seed % i), kept = order[i - 1];
    order[i - 1] = order[k];
    order[k] = kept;
  }
}
