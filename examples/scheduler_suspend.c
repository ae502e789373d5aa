/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How do tasks take turns?
 *
 * Each suspends when it has done a step. The scheduler puts what it gets back at
 * the end of its queue and resumes what is at the front. Every turn costs two
 * switches of stacks: to the scheduler, and on to the next task.
 *
 * Expected output:
 *
 *     a0 b0 c0 a1 b1 a2
 *     9 resumes
 *
 * Next: scheduler_switch.c, the same with one switch of stacks a turn.
 */
#include "check.h"

enum { TASKS = 3 };

struct task {
  char name;
  int steps;
};

static wasmfx_tag_t *yield;

/* A queue of those that wait for their turn. */
static wasmfx_cont_t queue[TASKS];
static size_t head, count;

static void enqueue(wasmfx_cont_t task)
{
  queue[(head + count++) % TASKS] = task;
}

static wasmfx_cont_t dequeue(void)
{
  const wasmfx_cont_t task = queue[head];
  head = (head + 1) % TASKS;
  count--;
  return task;
}

static uint64_t work(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody)
{
  (void)nothing, (void)nobody;
  const struct task *task = env;
  for (int step = 0; step < task->steps; step++) {
    printf("%c%d ", task->name, step);
    expect(wasmfx_suspend_word(rt, yield, 0).status, WASMFX_RETURNED);
  }
  return 0;
}

int main(void)
{
  struct task tasks[TASKS] = { { 'a', 3 }, { 'b', 2 }, { 'c', 1 } };
  wasmfx_runtime_t *rt;
  wasmfx_type_t *thunk;
  wasmfx_handlers_t *on_yield;
  ok(wasmfx_runtime_new(NULL, &rt));
  ok(wasmfx_type_new(rt, NULL, 0, NULL, 0, &thunk));
  ok(wasmfx_tag_new(rt, thunk, &yield));
  ok(wasmfx_handlers_new(rt, &(wasmfx_clause_t){ .tag = yield, .kind = WASMFX_ON_LABEL }, 1, &on_yield));
  for (int i = 0; i < TASKS; i++) {
    wasmfx_cont_t task;
    ok(wasmfx_cont_new_word(rt, thunk, work, &tasks[i], &task));
    enqueue(task);
  }

  int resumes = 0;
  while (count > 0) {
    wasmfx_cont_t task = dequeue();
    const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &task, on_yield, 0);
    resumes++;
    if (outcome.status == WASMFX_SUSPENDED)
      enqueue(task);
    else
      expect(outcome.status, WASMFX_RETURNED);
  }
  printf("\n%d resumes\n", resumes);
  ok(wasmfx_runtime_free(rt, NULL));
  return 0;
}
