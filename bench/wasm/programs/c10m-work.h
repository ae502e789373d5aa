/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_WASM_C10M_WORK_H
#define BENCH_WASM_C10M_WORK_H
/*
 * C10M: ten million coroutines, of which ten thousand are alive at a time. Each formats a line, then yields and formats
 * another so many times; it may have the host write lines. Here is what is not about coroutines.
 */
#include "arguments.h"

struct c10m {
  uint32_t total, live; /* coroutines, in all and at a time */
  uint32_t yields;      /* of each */
  uint32_t calls;       /* of the host, by each: the I/O, before the first yield and after the last */
  uint32_t made, begun, ended;
  uint64_t checksum; /* of all lines, whatever their order */
};

static struct c10m work;

enum { LINE_BYTES = 32 };

/* Eight digits of a number to the base of 16, all at once: to print them one by one would be most of the work. */
static inline uint64_t hexadecimal(uint32_t number)
{
  const uint64_t ones = UINT64_C(0x0101010101010101);
  uint64_t digits = __builtin_bswap32(number);
  digits = (digits | digits << 16) & UINT64_C(0x0000ffff0000ffff);
  digits = (digits | digits << 8) & UINT64_C(0x00ff00ff00ff00ff);
  digits = (digits >> 4 | digits << 8) & (ones * 0x0f);
  const uint64_t letters = (digits + ones * 6) >> 4 & ones;
  return digits + ones * '0' + letters * ('a' - '0' - 10);
}

/* "coroutine 0000002a, yield no. 0\n" */
static inline void format_line(char line[LINE_BYTES], uint32_t number, uint32_t which)
{
  const uint64_t digits = hexadecimal(number);
  __builtin_memcpy(line, "coroutine ........, yield no. 0\n", LINE_BYTES);
  __builtin_memcpy(line + 10, &digits, sizeof digits);
  line[30] = (char)('0' + which);
}

static inline uint64_t checksum_of(const char line[LINE_BYTES])
{
  uint64_t words[LINE_BYTES / 8];
  __builtin_memcpy(words, line, LINE_BYTES);
  return words[0] * 3 + words[1] * UINT64_C(0x9e3779b97f4a7c15) + words[2] * 5 + words[3] * 7;
}

/* To the standard error stream: what the program has to say is on the other. */
static inline void call_host(const char line[LINE_BYTES])
{
  const __wasi_ciovec_t bytes = { (const uint8_t *)line, LINE_BYTES };
  __wasi_size_t written;
  must(__wasi_fd_write(SAY_ERROR, &bytes, 1, &written) == 0, "the line is written");
}

/* A function of its own, so that the line is nowhere while its coroutine waits. */
static __attribute__((noinline)) void do_work(uint32_t number, uint32_t which)
{
  char line[LINE_BYTES];
  format_line(line, number, which);
  uint32_t calls = which == work.yields ? work.calls - work.calls / 2 : 0;
  calls += which == 0 ? work.calls / 2 : 0;
  for (uint32_t i = 0; i < calls; i++)
    call_host(line);
  work.checksum += checksum_of(line);
}

static void read_arguments(int argc, char **argv)
{
  work.total = number_argument(argc, argv, 1, 10000000);
  work.live = number_argument(argc, argv, 2, 10000);
  work.yields = number_argument(argc, argv, 3, 1);
  work.calls = number_argument(argc, argv, 4, 0);
  must(work.live > 0 && work.total >= work.live, "there are as many coroutines as live at a time");
}

static int print_result(void)
{
  print_checksum(work.checksum);
  return work.ended == work.total ? 0 : 1;
}
#endif
