/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do two handlers compose that know nothing of each other?
 *
 * Each task runs its body under the environment handler of dynbind.h, with a
 * value of its own, and all of them under the scheduler of lwt.h. A yield finds
 * no clause at the environment handler and passes it by: what the scheduler
 * gets is the body together with the handler around it. So the variable has
 * become local to the task, and neither header was written for that.
 *
 *     lwt_run -> task: dynbind_run -> ask_around
 *            `---- one continuation ----'
 *
 * Expected output:
 *
 *     0 1 2 3 0 1 2 3
 *
 * Next: actors.h and actors.c, tasks that wait for one another.
 */
#include "dynbind.h"
#include "lwt.h"

static struct lwt scheduler;
static struct dynbind variable;

static uint64_t ask_around(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody)
{
  (void)rt, (void)env, (void)nothing, (void)nobody;
  printf("%d ", dynbind_ask(&variable));
  lwt_yield(&scheduler);
  printf("%d ", dynbind_ask(&variable));
  return 0;
}

static uint64_t run_task(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody)
{
  (void)rt, (void)nothing, (void)nobody;
  const int32_t *value = env;
  dynbind_run(&variable, *value, ask_around, NULL);
  return 0;
}

int main(void)
{
  wasmfx_runtime_t *rt;
  ok(wasmfx_runtime_new(NULL, &rt));
  scheduler = lwt_new(rt);
  variable = dynbind_new(rt);
  int32_t values[] = { 0, 1, 2, 3 };
  for (int i = 0; i < 4; i++)
    lwt_spawn(&scheduler, run_task, &values[i]);
  lwt_run(&scheduler);
  puts("");
  ok(wasmfx_runtime_free(rt, NULL));
  return 0;
}
