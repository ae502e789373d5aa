/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_WASM_ARGUMENTS_H
#define BENCH_WASM_ARGUMENTS_H
/* What the programs share: their arguments are numbers, and what cannot happen ends them. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Argument `which`, from 1, or what it is if it is not given. */
static inline uint32_t number_argument(int argc, char **argv, int which, uint32_t otherwise)
{
  return which < argc ? (uint32_t)strtoul(argv[which], NULL, 10) : otherwise;
}

/* Not inlined: what it puts on the shadow stack, all who call it would have there. */
static _Noreturn __attribute__((noinline, cold)) void fail(const char *what)
{
  fprintf(stderr, "not so: %s\n", what);
  exit(1);
}

static inline void must(int holds, const char *what)
{
  if (!holds)
    fail(what);
}

static inline void print_checksum(uint64_t checksum)
{
  printf("%" PRIu64 "\n", checksum);
}
#endif
