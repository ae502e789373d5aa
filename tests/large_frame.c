/* SPDX-License-Identifier: Apache-2.0 */
/* A frame larger than a guard. Built with -fstack-clash-protection, as programs should be whose functions have such. */
#include <stdint.h>
#include <string.h>

uint64_t fill_large_frame(unsigned index);

__attribute__((noinline)) uint64_t fill_large_frame(unsigned index)
{
  volatile char large[20000];
  large[index] = (char)index;
  const uint64_t below = fill_large_frame(index);
  return below + (uint64_t)large[index];
}
