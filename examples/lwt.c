/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is a task, if a handler makes it?
 *
 * A function that yields knows nothing of queues. The scheduler in lwt.h turns
 * each yield into an object, a continuation, and keeps a queue of them.
 *
 * Expected output:
 *
 *     0 1 2 3 0 1 2 3
 *
 * Next: lwt_dynbind.c, which uses both handlers together.
 */
#include "lwt.h"

struct task {
  const struct lwt *scheduler;
  int32_t number;
};

static uint64_t print_twice(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody)
{
  (void)rt, (void)nothing, (void)nobody;
  const struct task *task = env;
  printf("%d ", task->number);
  lwt_yield(task->scheduler);
  printf("%d ", task->number);
  return 0;
}

int main(void)
{
  wasmfx_runtime_t *rt;
  ok(wasmfx_runtime_new(NULL, &rt));
  struct lwt scheduler = lwt_new(rt);
  struct task tasks[4];
  for (int32_t i = 0; i < 4; i++) {
    tasks[i] = (struct task){ &scheduler, i };
    lwt_spawn(&scheduler, print_twice, &tasks[i]);
  }
  lwt_run(&scheduler);
  puts("");
  ok(wasmfx_runtime_free(rt, NULL));
  return 0;
}
