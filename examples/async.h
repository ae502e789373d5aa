/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_EXAMPLES_ASYNC_H
#define WASMFX_EXAMPLES_ASYNC_H
/**
 * @file async.h
 * An event loop: tasks that await a descriptor, a time, or the end of another task.
 *
 * A task suspends with its wish, which lies in its own frame: it stays where it is
 * as long as the task is suspended.
 */
#include <poll.h>
#include <stdbool.h>
#include <time.h>

#include "check.h"

#define ASYNC_MAX 16
#define ASYNC_NEVER INT64_MAX

struct async_wish {
  int readable;                   /* a descriptor, or -1 */
  int64_t until;                  /* ms since the loop was made, or ASYNC_NEVER */
  const struct async_task *other; /* whose end, or NULL */
};

struct async_task {
  wasmfx_cont_t cont; /* null: it runs, or has ended */
  const struct async_wish *wish;
  bool ended, failed;
  int32_t result; /* or the reason of the failure */
};

struct async {
  wasmfx_runtime_t *rt;
  wasmfx_type_t *of_task; /* [] -> [i32] */
  wasmfx_tag_t *await;    /* [wish] -> [i32] */
  wasmfx_tag_t *failure;  /* [i32], an exception */
  wasmfx_handlers_t *on_await;
  struct timespec began;
  struct async_task tasks[ASYNC_MAX];
  size_t count;
};

static inline void async_init(struct async *loop, wasmfx_runtime_t *rt)
{
  static const wasmfx_kind_t i32 = WASMFX_I32, externref = WASMFX_EXTERNREF;
  wasmfx_type_t *of_await, *of_failure;
  *loop = (struct async){ .rt = rt };
  ok(wasmfx_type_new(rt, NULL, 0, &i32, 1, &loop->of_task));
  ok(wasmfx_type_new(rt, &externref, 1, &i32, 1, &of_await));
  ok(wasmfx_type_new(rt, &i32, 1, NULL, 0, &of_failure));
  ok(wasmfx_tag_new(rt, of_await, &loop->await));
  ok(wasmfx_tag_new(rt, of_failure, &loop->failure));
  ok(wasmfx_handlers_new(rt, &(wasmfx_clause_t){ .tag = loop->await, .kind = WASMFX_ON_LABEL }, 1, &loop->on_await));
  clock_gettime(CLOCK_MONOTONIC, &loop->began);
}

/** Makes a task that will run `body(.., env, ..)`. */
static inline const struct async_task *async_spawn(struct async *loop, wasmfx_word_entry_t body, void *env)
{
  static const struct async_wish at_once = { -1, 0, NULL };
  expect(loop->count < ASYNC_MAX ? WASMFX_OK : WASMFX_ERROR_LIMIT, WASMFX_OK);
  struct async_task *task = &loop->tasks[loop->count++];
  *task = (struct async_task){ .wish = &at_once };
  ok(wasmfx_cont_new_word(loop->rt, loop->of_task, body, env, &task->cont));
  return task;
}

/* ---- Inside a task --------------------------------------------------------- */

static inline void async_readable(const struct async *loop, int descriptor)
{
  const struct async_wish wish = { descriptor, ASYNC_NEVER, NULL };
  expect(wasmfx_suspend_word(loop->rt, loop->await, (uintptr_t)&wish).status, WASMFX_RETURNED);
}

static inline void async_until(const struct async *loop, int64_t time)
{
  const struct async_wish wish = { -1, time, NULL };
  expect(wasmfx_suspend_word(loop->rt, loop->await, (uintptr_t)&wish).status, WASMFX_RETURNED);
}

/** Waits for the end of a task: RETURNED with its result in `word`, or THREW with the exception of its failure. */
static inline wasmfx_outcome_t async_await(const struct async *loop, const struct async_task *other)
{
  const struct async_wish wish = { -1, ASYNC_NEVER, other };
  return wasmfx_suspend_word(loop->rt, loop->await, (uintptr_t)&wish);
}

/** Ends the task by an exception. */
static inline void async_fail(const struct async *loop, int32_t reason)
{
  ok(wasmfx_throw(loop->rt, loop->failure, &(wasmfx_value_t){ .i32 = reason }, 1)); /* does not come back */
}

/* ---- The loop -------------------------------------------------------------- */

static inline int async_milliseconds(const struct async *loop, int64_t until)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t passed = (now.tv_sec - loop->began.tv_sec) * 1000 + (now.tv_nsec - loop->began.tv_nsec) / 1000000;
  return until == ASYNC_NEVER ? -1 : until > passed ? (int)(until - passed) : 0;
}

/* A task that can go on; sleeps until there is one. What has arrived goes before what is due. NULL: none is left. */
static inline struct async_task *async_next(struct async *loop)
{
  struct pollfd polled[ASYNC_MAX];
  struct async_task *earliest = NULL;
  for (size_t i = 0; i < loop->count; i++) {
    struct async_task *task = &loop->tasks[i];
    polled[i] = (struct pollfd){ .fd = task->ended ? -1 : task->wish->readable, .events = POLLIN };
    if (task->ended)
      continue;
    if (task->wish->other && task->wish->other->ended)
      return task;
    if (!earliest || task->wish->until < earliest->wish->until)
      earliest = task;
  }
  if (!earliest)
    return NULL;
  const int ready = poll(polled, loop->count, async_milliseconds(loop, earliest->wish->until));
  expect(ready >= 0 ? WASMFX_OK : WASMFX_ERROR_STATE, WASMFX_OK);
  for (size_t i = 0; i < loop->count; i++)
    if (polled[i].revents)
      return &loop->tasks[i];
  return earliest;
}

static inline wasmfx_outcome_t async_resume(const struct async *loop, struct async_task *task)
{
  const struct async_task *other = task->wish->other;
  const wasmfx_value_t value = { .i32 = other ? other->result : 0 };
  if (other && other->failed)
    return wasmfx_resume_throw(loop->rt, &task->cont, loop->on_await, loop->failure, &value, 1);
  return wasmfx_resume_word(loop->rt, &task->cont, loop->on_await, value.word);
}

/** Runs the tasks until all have ended. */
static inline void async_run(struct async *loop)
{
  struct async_task *task;
  while ((task = async_next(loop))) {
    const wasmfx_outcome_t outcome = async_resume(loop, task);
    if (outcome.status == WASMFX_SUSPENDED) {
      task->wish = (const struct async_wish *)(uintptr_t)outcome.word;
      continue;
    }
    task->ended = true;
    task->failed = outcome.status == WASMFX_THREW;
    if (!task->failed)
      expect(outcome.status, WASMFX_RETURNED);
    task->result = task->failed ? outcome.exception->values[0].i32 : (int32_t)outcome.word;
  }
}

#endif
