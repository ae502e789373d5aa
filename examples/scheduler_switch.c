/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How do tasks take turns without a scheduler in between?
 *
 * Each takes the next one from the queue itself and switches to it. The switch
 * suspends the task and hands its continuation to the next one, which puts it
 * into the queue. The resume in main says by its switch clause that those under
 * it may do so; it comes back only when a task has ended.
 *
 * A continuation that is switched to takes a continuation: type [contref] -> [].
 *
 * Expected output:
 *
 *     a0 b0 c0 a1 b1 a2
 *     3 resumes
 *
 * Next: cancel.c, for a task that is not wanted any more.
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

/* Null is what comes from main instead of a task. */
static void enqueue(wasmfx_cont_t task)
{
  if (task != WASMFX_NULL_CONT)
    queue[(head + count++) % TASKS] = task;
}

static wasmfx_cont_t dequeue(void)
{
  const wasmfx_cont_t task = queue[head];
  head = (head + 1) % TASKS;
  count--;
  return task;
}

static void next_turn(wasmfx_runtime_t *rt)
{
  if (count == 0)
    return;
  wasmfx_cont_t task = dequeue();
  expect(wasmfx_switch(rt, &task, yield, NULL, NULL, 0).status, WASMFX_RETURNED);
  enqueue(task); /* it is who switched here now */
}

static void work(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)results;
  enqueue(args[0].contref);
  const struct task *task = env;
  for (int step = 0; step < task->steps; step++) {
    printf("%c%d ", task->name, step);
    next_turn(rt);
  }
}

int main(void)
{
  static const wasmfx_kind_t contref = WASMFX_CONTREF;
  struct task tasks[TASKS] = { { 'a', 3 }, { 'b', 2 }, { 'c', 1 } };
  wasmfx_runtime_t *rt;
  wasmfx_type_t *thunk, *of_task;
  wasmfx_handlers_t *on_yield;
  ok(wasmfx_runtime_new(NULL, &rt));
  ok(wasmfx_type_new(rt, NULL, 0, NULL, 0, &thunk));
  ok(wasmfx_type_new(rt, &contref, 1, NULL, 0, &of_task));
  ok(wasmfx_tag_new(rt, thunk, &yield));
  ok(wasmfx_handlers_new(rt, &(wasmfx_clause_t){ .tag = yield, .kind = WASMFX_ON_SWITCH }, 1, &on_yield));
  for (int i = 0; i < TASKS; i++) {
    wasmfx_cont_t task;
    ok(wasmfx_cont_new(rt, of_task, work, &tasks[i], &task));
    enqueue(task);
  }

  int resumes = 0;
  while (count > 0) {
    wasmfx_cont_t task = dequeue();
    const wasmfx_value_t from_main = { .contref = WASMFX_NULL_CONT };
    expect(wasmfx_resume(rt, &task, on_yield, &from_main, 1).status, WASMFX_RETURNED);
    resumes++;
  }
  printf("\n%d resumes\n", resumes);
  ok(wasmfx_runtime_free(rt, NULL));
  return 0;
}
