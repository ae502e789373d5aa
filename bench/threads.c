/* SPDX-License-Identifier: Apache-2.0 */
#include "threads.h"

#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/* ---- CPUs --------------------------------------------------------------------- */

/* Whether others that are parts of the same core come before it. */
static bool is_sibling(int cpu)
{
  char path[96];
  int first = cpu;
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
  FILE *file = fopen(path, "r");
  if (!file)
    return false;
  const bool read = fscanf(file, "%d", &first) == 1;
  fclose(file);
  return read && first != cpu;
}

/* The first `count` that this process may run on: one of each core, and then the rest. */
static void choose_cpus(int *cpus, size_t count)
{
  cpu_set_t allowed;
  size_t chosen = 0;
  bench_expect(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "cannot ask for CPUs");
  for (int siblings = 0; siblings < 2; siblings++)
    for (int cpu = 0; cpu < CPU_SETSIZE && chosen < count; cpu++)
      if (CPU_ISSET(cpu, &allowed) && is_sibling(cpu) == siblings)
        cpus[chosen++] = cpu;
  bench_expect(chosen == count, "threads: not so many CPUs");
}

/* ---- Threads -------------------------------------------------------------------- */

struct thread {
  _Alignas(OWN_LINES) const struct thread_part *part;
  void *own;
  int cpu;
  size_t count;
  pthread_barrier_t *start;
  double ns; /* that it took */
  pthread_t id;
};

/* What this thread has had of its CPU, which other programs may want too. */
static double thread_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* How often it has left its CPU by itself. Whoever waits for another uses none, and would seem to be fast. */
static long times_waited(void)
{
  struct rusage usage;
  return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : 0;
}

static void *run_thread(void *argument)
{
  struct thread *thread = argument;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(thread->cpu, &one);
  bench_expect(sched_setaffinity(0, sizeof one, &one) == 0, "threads: not pinned");
  pthread_barrier_wait(thread->start);

  const long waited = times_waited();
  double start = thread_ns();
  const uint64_t word = thread->part->run(thread->own, thread->count);
  thread->ns = thread_ns() - start;

  bench_expect(times_waited() == waited, "threads: one has waited for another");
  bench_expect(word == thread->count, "threads: wrong count");
  return NULL;
}

/* The first `count` of them at once: how much they do in a nanosecond, together. */
static double run_together(struct thread *threads, size_t count)
{
  pthread_barrier_t start;
  double rate = 0;
  bench_expect(pthread_barrier_init(&start, NULL, (unsigned)count) == 0, "no threads");
  for (size_t i = 0; i < count; i++) {
    threads[i].start = &start;
    bench_expect(pthread_create(&threads[i].id, NULL, run_thread, &threads[i]) == 0, "no threads");
  }
  for (size_t i = 0; i < count; i++) {
    pthread_join(threads[i].id, NULL);
    rate += (double)threads[i].count / threads[i].ns;
  }
  pthread_barrier_destroy(&start);
  return rate;
}

void ask_threads(const struct subject *subject, const struct thread_part *part, size_t count, double answer[])
{
  const size_t size = asked_at;
  struct thread *threads = aligned_alloc(OWN_LINES, size * sizeof *threads);
  char *own = aligned_alloc(OWN_LINES, size * part->bytes);
  int *cpus = calloc(size, sizeof *cpus);
  bench_expect(threads && own && cpus, "no memory");
  choose_cpus(cpus, size);
  for (size_t i = 0; i < size; i++) {
    threads[i] = (struct thread){ .part = part, .own = own + i * part->bytes, .cpu = cpus[i], .count = count };
    part->begin(subject, threads[i].own);
  }

  const double one = run_together(threads, 1);
  const double all = run_together(threads, size);
  answer[0] = (double)size / all;
  answer[1] = all * 1e3;
  answer[2] = 100 * all / ((double)size * one);

  for (size_t i = 0; i < size; i++)
    part->end(threads[i].own);
  free(cpus);
  free(own);
  free(threads);
}
