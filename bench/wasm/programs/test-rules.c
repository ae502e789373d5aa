/* SPDX-License-Identifier: Apache-2.0 */
/* Not a measurement: what fiber.h promises, asked of a back end. Prints how many answers were as promised. */
#include <fiber.h>

#include "arguments.h"

static uint64_t promises;

static void promise(int holds, const char *what)
{
  must(holds, what);
  promises++;
}

static void *resume(fiber_t fiber, uintptr_t word, fiber_result_t expected)
{
  fiber_result_t result;
  void *answer = fiber_resume(fiber, (void *)word, &result);
  promise(result == expected, "the resume ends so");
  return answer;
}

static void *adds_up(void *arg)
{
  uintptr_t sum = (uintptr_t)arg;
  for (uintptr_t word; (word = (uintptr_t)fiber_yield((void *)sum)) != 0;)
    sum += word;
  return (void *)sum;
}

static void words_go_both_ways(void)
{
  fiber_t fiber = fiber_alloc(adds_up);
  promise(resume(fiber, 1, FIBER_YIELD) == (void *)1, "the first word is the argument");
  promise(resume(fiber, 2, FIBER_YIELD) == (void *)3, "the second is what the yield returns");
  promise(fiber_resume(fiber, (void *)4, NULL) == (void *)7, "nobody need ask for the status");
  promise(resume(fiber, 0, FIBER_OK) == (void *)7, "the last is what it returns");
  promise(resume(fiber, 1, FIBER_ERROR) == NULL, "a finished one cannot be resumed");
  fiber_free(fiber);
}

static fiber_t itself;

static void *resumes_itself(void *arg)
{
  promise(resume(itself, 1, FIBER_ERROR) == NULL, "a running one cannot be resumed");
  return arg;
}

static void *resumes_another(void *arg)
{
  fiber_t inner = fiber_alloc(adds_up);
  promise(resume(inner, (uintptr_t)arg, FIBER_YIELD) == arg, "an inner yield ends the inner resume");
  arg = fiber_yield(arg);
  promise(resume(inner, (uintptr_t)arg, FIBER_YIELD) == (void *)3, "which goes on when the outer one does");
  fiber_free(inner);
  return arg;
}

static void *frees_itself(void *arg)
{
  fiber_free(itself);
  fiber_yield(arg);
  fail("who was freed while it ran does not come back");
}

static void who_may_be_resumed(void)
{
  promise(fiber_alloc(NULL) == NULL, "no function, no fiber");
  promise(resume(NULL, 1, FIBER_ERROR) == NULL, "nobody cannot be resumed");
  promise(fiber_yield((void *)1) == NULL, "nobody yields outside of fibers");
  fiber_free(NULL);
  itself = fiber_alloc(resumes_itself);
  promise(resume(itself, 5, FIBER_OK) == (void *)5, "and nothing has happened to it");
  fiber_free(itself);
  fiber_t outer = fiber_alloc(resumes_another);
  promise(resume(outer, 1, FIBER_YIELD) == (void *)1, "fibers resume fibers");
  promise(resume(outer, 2, FIBER_OK) == (void *)2, "however deep");
  fiber_free(outer);
}

static void what_is_freed_is_used_again(void)
{
  enum { MANY = 5000 };
  static fiber_t fibers[MANY];
  for (int round = 0; round < 3; round++) {
    for (uintptr_t i = 0; i < MANY; i++) {
      must((fibers[i] = fiber_alloc(adds_up)) != NULL, "there is memory");
      if (i % 3 != 0)
        promise(resume(fibers[i], i, FIBER_YIELD) == (void *)i, "all are apart");
    }
    for (uintptr_t i = 0; i < MANY; i++) {
      if (i % 3 == 1)
        promise(resume(fibers[i], 0, FIBER_OK) == (void *)i, "and stay so");
      fiber_free(fibers[i]); /* fresh, finished, or suspended */
    }
  }
  itself = fiber_alloc(frees_itself);
  promise(resume(itself, 6, FIBER_YIELD) == (void *)6, "one that frees itself runs on until it yields");
  fiber_t next = fiber_alloc(adds_up);
  promise(resume(next, 7, FIBER_YIELD) == (void *)7, "and its place is free then");
  fiber_free(next);
}

int main(void)
{
  fiber_init();
  words_go_both_ways();
  who_may_be_resumed();
  what_is_freed_is_used_again();
  fiber_finalize();
  print_checksum(promises);
  return 0;
}
