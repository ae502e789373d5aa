/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_THREADS_H
#define BENCH_THREADS_H
/*
 * Threads that do the same at the same time, each on a CPU of its own and with things of its own: how much faster it
 * is than one. Where it is less than they are many, they share something after all: a line of the cache, a lock, or
 * the machine, which a subject that has nothing to share shows.
 */
#include <stddef.h>
#include <stdint.h>

struct subject;

/* No two of what is aligned to this are on one line, nor on two that are fetched together. */
enum { OWN_LINES = 128 };

/* What belongs to a thread. All are made and freed by one thread, before and after. */
struct thread_part {
  size_t bytes;                                               /* a multiple of OWN_LINES */
  void (*begin)(const struct subject *subject, void *part);
  uint64_t (*run)(void *part, size_t count);                  /* answers `count` */
  void (*end)(void *part);
};

/* With as many threads as asked for: nanoseconds of each time, millions a second by all of them together, and this in
 * hundredths of what one alone comes to, times their number. */
void ask_threads(const struct subject *subject, const struct thread_part *part, size_t count, double answer[]);
#endif
