/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_EFFORT_H
#define WASMFX_TESTS_EFFORT_H
/**
 * @file effort.h
 * How often a test repeats itself. Checkers that make every step ten or a hundred
 * times as slow, or that know only a few thousand stacks, set WASMFX_EFFORT to
 * a divisor of it.
 */
#include <stddef.h>
#include <stdlib.h>

static inline size_t effort(size_t count)
{
  const char *text = getenv("WASMFX_EFFORT");
  const long divisor = text ? strtol(text, NULL, 10) : 1;
  return divisor > 1 ? count / (size_t)divisor + 1 : count;
}

#endif
