/* SPDX-License-Identifier: Apache-2.0 */
#include "c10m-work.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void c10m_fail(const char *why)
{
  fprintf(stderr, "%s: %s\n", c10m_name, why);
  exit(1);
}

/* ---- The I/O ------------------------------------------------------------------------ */

enum { LINE_BYTES = 32 };

/* "coroutine 0000000042 call no. 1\n". Not by printf, which would need more time
 * and more stack than all the rest. */
static void format_line(char line[LINE_BYTES], uint64_t number, unsigned which)
{
  memcpy(line, "coroutine 0000000000 call no. 0\n", LINE_BYTES);
  for (char *digit = line + 19; number; number /= 10)
    *digit-- = (char)('0' + number % 10);
  line[30] = (char)('1' + which);
}

static uint64_t add_to_checksum(uint64_t checksum, const char line[LINE_BYTES])
{
  for (size_t i = 0; i < LINE_BYTES; i += sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, line + i, sizeof word);
    checksum = (checksum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
  }
  return checksum;
}

void c10m_write(struct c10m *work, uint64_t number, unsigned which)
{
  char line[LINE_BYTES];
  format_line(line, number, which);
  for (size_t done = 0; done < LINE_BYTES;) {
    ssize_t count = write(work->output, line + done, LINE_BYTES - done);
    if (count < 0 && errno != EINTR)
      c10m_fail(strerror(errno));
    if (count > 0)
      done += (size_t)count;
  }
  work->bytes += LINE_BYTES;
  work->checksum = add_to_checksum(work->checksum, line);
}

/* ---- Progress and result ---------------------------------------------------------------- */

enum { PROGRESS_EVERY = 100000 };
static uint64_t next_progress = UINT64_MAX;

static void show_progress(const struct c10m *work)
{
  fprintf(stderr, "\r\033[K  %s: %llu of %llu", c10m_name, (unsigned long long)work->ended,
          (unsigned long long)work->total);
  if (work->ended == work->total)
    fputs("\r\033[K", stderr);
  next_progress += PROGRESS_EVERY;
}

void c10m_ended(struct c10m *work, uint64_t number)
{
  work->ended++;
  work->numbers += number;
  if (work->ended >= next_progress)
    show_progress(work);
}

/* The most memory that was resident at once. Not from getrusage(), where a
 * program inherits the peak of the one that started it. */
static unsigned long long peak_kilobytes(void)
{
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  unsigned long long peak = 0;
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, "VmHWM:", 6) == 0)
      peak = strtoull(line + 6, NULL, 10);
  if (file)
    fclose(file);
  return peak;
}

static void print_result(const struct c10m *work)
{
  printf("ended=%llu numbers=%llu bytes=%llu checksum=%016llx peak_kilobytes=%llu\n", (unsigned long long)work->ended,
         (unsigned long long)work->numbers, (unsigned long long)work->bytes, (unsigned long long)work->checksum,
         peak_kilobytes());
}

/* ---- The command line ---------------------------------------------------------------------- */

static void choose_io(struct c10m *work, const char *io)
{
  static const struct {
    const char *name;
    unsigned before, after;
  } choices[] = { { "none", 0, 0 }, { "one", 0, 1 }, { "repeated", 2, 3 } };
  for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
    if (strcmp(io, choices[i].name) == 0) {
      work->before = choices[i].before;
      work->after = choices[i].after;
      return;
    }
  c10m_fail("--io is none, one or repeated");
}

static uint64_t number_option(const char *text)
{
  char *end;
  uint64_t number = strtoull(text, &end, 10);
  if (*end || number == 0)
    c10m_fail("--total and --live take a number above zero");
  return number;
}

static void print_usage(FILE *to)
{
  fprintf(to,
          "%s [--io none|one|repeated] [--total N] [--live N] [--output FILE]\n"
          "N coroutines (10000000), some of them alive at a time (10000); each yields once and makes none, one or\n"
          "five calls of write(2), to /dev/null or FILE. Prints what it counted.\n",
          c10m_name);
}

int main(int argc, char **argv)
{
  enum { IO, TOTAL, ALIVE, OUTPUT, HELP };
  static const struct option names[] = {
    { "io", required_argument, NULL, IO },         { "total", required_argument, NULL, TOTAL },
    { "live", required_argument, NULL, ALIVE },    { "output", required_argument, NULL, OUTPUT },
    { "help", no_argument, NULL, HELP },           { NULL, 0, NULL, 0 },
  };
  struct c10m work = { .total = 10000000, .live = 10000 };
  const char *output = "/dev/null";
  for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;)
    switch (option) {
    case IO: choose_io(&work, optarg); break;
    case TOTAL: work.total = number_option(optarg); break;
    case ALIVE: work.live = number_option(optarg); break;
    case OUTPUT: output = optarg; break;
    case HELP: print_usage(stdout); return 0;
    default: print_usage(stderr); return 2;
    }
  work.output = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (work.output < 0)
    c10m_fail(strerror(errno));
  if (isatty(STDERR_FILENO))
    next_progress = 0;
  c10m_run(&work);
  print_result(&work);
  return work.ended == work.total ? 0 : 1;
}
