/* SPDX-License-Identifier: Apache-2.0 */
/* Plain C without coroutines, on the stack that the system gives to a thread: what a deep recursion costs anyway. */
#include "bench.h"
#include "work.h"

#include <alloca.h>
#include <pthread.h>
#include <sys/mman.h>

static void deep_warm(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  (void)subject;
  uint64_t word = go_down(DEEP_CALLS);

  double start = now_ns();
  for (size_t done = 0; done < count; done += DEEP_CALLS)
    word += go_down(DEEP_CALLS);
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(word == count + DEEP_CALLS, "deep: wrong count");
}

/* A thread goes down where nobody has been, again and again: each time from as much further down as stacks of
 * coroutines are large. */
enum { STEP_BYTES = 64 * 1024 };

static __attribute__((noinline)) uint64_t go_down_in_steps(size_t steps)
{
  char *const unused = alloca(STEP_BYTES);
  __asm__ volatile("" : : "r"(unused));
  uint64_t word = go_down(DEEP_CALLS);
  if (steps > 1)
    word += go_down_in_steps(steps - 1);
  __asm__ volatile("" : : "r"(unused));
  return word;
}

struct steps {
  size_t count;
  uint64_t word;
};

static void *run_steps(void *argument)
{
  struct steps *steps = argument;
  steps->word = go_down_in_steps(steps->count);
  return NULL;
}

static void deep_cold(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  (void)subject;
  struct steps steps = { count / DEEP_CALLS, 0 };
  const size_t bytes = (steps.count + 2) * (STEP_BYTES + 256);
  void *stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  pthread_attr_t attributes;
  pthread_t thread;
  bench_expect(stack != MAP_FAILED && madvise(stack, bytes, MADV_NOHUGEPAGE) == 0, "no stack");
  bench_expect(pthread_attr_init(&attributes) == 0, "no stack");
  bench_expect(pthread_attr_setstack(&attributes, stack, bytes) == 0, "no stack");

  double start = now_ns();
  bench_expect(pthread_create(&thread, &attributes, run_steps, &steps) == 0, "no thread");
  pthread_join(thread, NULL);
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(steps.word == count, "deep: wrong count");
  pthread_attr_destroy(&attributes);
  munmap(stack, bytes);
}

const struct subject subject_host_stack = {
  .name = "host-stack",
  .about = "plain C, on a stack of the system's",
  .asks = { [DEEP_WARM] = deep_warm, [DEEP_COLD] = deep_cold },
};
