/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_WASM_ARGUMENTS_H
#define BENCH_WASM_ARGUMENTS_H
/* What the programs share: their arguments are numbers, what they print is one, and what cannot happen ends them. */
#include <stdint.h>
#include <stdlib.h>

#include "say.h"

/* Argument `which`, from 1, or what it is if it is not given. */
static inline uint32_t number_argument(int argc, char **argv, int which, uint32_t otherwise)
{
  return which < argc ? (uint32_t)strtoul(argv[which], NULL, 10) : otherwise;
}

static inline void must(int holds, const char *what)
{
  if (!holds)
    fail(what);
}

static inline void print_checksum(uint64_t checksum)
{
  char text[24] = { 0 }, *at = text + sizeof text - 2;
  *at = '\n';
  do
    *--at = (char)('0' + checksum % 10);
  while (checksum /= 10);
  say(SAY_OUTPUT, at);
}
#endif
