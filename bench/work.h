/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H
/*
 * A piece of work as coroutines do it between two yields: a line is formatted by the C library, and goes nowhere. It
 * touches some 2.6 KB of whatever stack it runs on.
 */
#include <stdint.h>

struct work {
  uint64_t number;   /* of the coroutine */
  uint64_t checksum; /* of all that was formatted */
};

/* For wasmfx_call_on_host_stack() too. */
void do_work(void *work);

/* Goes down so many calls and up again; answers how many. Each call keeps one register on the stack and does next to
 * nothing: what it costs is the stack. */
uint64_t go_down(uint64_t calls);

/* So many of them fit the stacks that everybody has by default. */
enum { DEEP_CALLS = 1000 };

/* The order in which `count` are resumed when that is not by number: the same each time. */
void shuffle(uint32_t *order, uint32_t count);
#endif
