/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench-commit.h"

double now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

void bench_fail(const char *why)
{
  fprintf(stderr, "wasmfx-bench: %s\n", why);
  exit(1);
}

/* The first line of a file under /proc that starts with `key`, behind the colon. */
static bool proc_line(const char *path, const char *key, char *value, size_t size)
{
  FILE *file = fopen(path, "r");
  if (!file)
    return false;
  char line[512];
  bool found = false;
  while (!found && fgets(line, sizeof line, file)) {
    char *colon = strchr(line, ':');
    found = colon && strncmp(line, key, strlen(key)) == 0;
    if (found) {
      line[strcspn(line, "\n")] = '\0';
      snprintf(value, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
    }
  }
  fclose(file);
  return found;
}

static double proc_kilobytes(const char *key)
{
  char value[64];
  bench_expect(proc_line("/proc/self/status", key, value, sizeof value), "cannot read /proc/self/status");
  return strtod(value, NULL) * 1024;
}

/* VmRSS is what each CPU has told so far, which may be some pages off; the other is counted when it is read. */
struct memory memory_now(void)
{
  char value[64];
  const bool counted = proc_line("/proc/self/smaps_rollup", "Rss", value, sizeof value);
  return (struct memory){ counted ? strtod(value, NULL) * 1024 : proc_kilobytes("VmRSS"), proc_kilobytes("VmPTE") };
}

/* Not from getrusage(), where a program inherits the peak of the one that started it. */
double memory_peak(void)
{
  return proc_kilobytes("VmHWM");
}

/* ---- CPUs ------------------------------------------------------------------- */

static cpu_set_t allowed_before;
static bool is_pinned;

void pin_to_one_cpu(void)
{
  cpu_set_t one;
  int cpu = sched_getcpu();
  if (cpu < 0 || sched_getaffinity(0, sizeof allowed_before, &allowed_before) != 0)
    return;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  is_pinned = sched_setaffinity(0, sizeof one, &one) == 0;
  if (!is_pinned)
    fprintf(stderr, "wasmfx-bench: not pinned to a CPU, expect noise\n");
}

void unpin(void)
{
  if (is_pinned)
    sched_setaffinity(0, sizeof allowed_before, &allowed_before);
}

size_t count_cpus(void)
{
  cpu_set_t now;
  if (is_pinned)
    return (size_t)CPU_COUNT(&allowed_before);
  return sched_getaffinity(0, sizeof now, &now) == 0 ? (size_t)CPU_COUNT(&now) : 1;
}

void report_machine(const char *prefix)
{
  char model[256] = "unknown CPU";
  proc_line("/proc/cpuinfo", "model name", model, sizeof model);
  struct utsname system;
  uname(&system);
  printf("%smachine: %s, %ld CPUs, pinned to one; %s %s\n", prefix, model, sysconf(_SC_NPROCESSORS_ONLN),
         system.sysname, system.release);
#ifdef __clang__
  printf("%scompiler: %s\n", prefix, __VERSION__);
#else
  printf("%scompiler: gcc %s\n", prefix, __VERSION__);
#endif
  printf("%sflags: %s\n", prefix, BENCH_FLAGS);
  printf("%scommit: %s\n", prefix, BENCH_COMMIT);
}
