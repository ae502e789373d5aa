/* SPDX-License-Identifier: Apache-2.0 */
#ifndef C10M_WORK_H
#define C10M_WORK_H
/*
 * C10M: ten million coroutines, of which ten thousand are alive at a time; each
 * yields once. Here is what both programs share, so that they differ in
 * nothing but how a coroutine is made: the command line, the I/O, the counting.
 *
 * Coroutine number n writes some lines, yields, writes some more, and ends.
 */
#include <stdint.h>

struct c10m {
  uint64_t total;         /* coroutines in all */
  uint64_t live;          /* alive at a time */
  unsigned before, after; /* lines that each writes before and after it yields */
  int output;             /* where to */

  uint64_t ended;    /* coroutines that have come to their end */
  uint64_t numbers;  /* the sum of their numbers */
  uint64_t bytes;    /* written */
  uint64_t checksum; /* of these bytes, in their order */
};

/* One I/O call: line `line` of coroutine `number`. */
void c10m_write(struct c10m *work, uint64_t number, unsigned line);

/* To be called when a coroutine has come to its end, with its number, which is
 * also its result. Shows progress on a terminal. */
void c10m_ended(struct c10m *work, uint64_t number);

/* Ends the program. */
_Noreturn void c10m_fail(const char *why);

/* What the programs differ in: lets all coroutines run, until all have ended. */
extern const char c10m_name[];
void c10m_run(struct c10m *work);
#endif
