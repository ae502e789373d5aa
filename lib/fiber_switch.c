/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fiber interface by switch. fiber_main() is a resume with a switch clause;
 * fibers replace one another under it.
 *
 * A switch gives its target the reference to what it suspends. Whoever arrives
 * files it with the fiber that left, which the thread's `departing` names.
 */
#include <wasmfx/fiber_switch.h>

#include "fiber_tls.h"

/* Makes `self` the running fiber. Answers who ran before, or NULL if that one ends. */
static struct fiber *arrive(struct fiber_thread *thread, struct fiber *self, wasmfx_cont_t suspended)
{
  struct fiber *from = thread->departing;
  thread->current = self;
  self->cont = WASMFX_NULL_CONT;
  if (thread->departing_ends) {
    (void)wasmfx_drop(thread->rt, &suspended);
    return NULL;
  }
  from->cont = suspended;
  return from;
}

static uint64_t run_entry(wasmfx_runtime_t *rt, void *env, uint64_t arg, wasmfx_cont_t suspended)
{
  (void)rt;
  struct fiber *self = env;
  struct fiber *from = arrive(wfx_fiber_thread(), self, suspended);
  return (uintptr_t)((fiber_entry_point_t)self->entry)((void *)(uintptr_t)arg, from);
}

fiber_t fiber_alloc(fiber_entry_point_t entry)
{
  struct fiber_thread *thread = entry ? wfx_fiber_thread_make() : NULL;
  return thread ? wfx_fiber_new(thread, thread->switched, run_entry, (void (*)(void))entry) : NULL;
}

void fiber_free(fiber_t fiber)
{
  wfx_fiber_free(fiber);
}

static bool can_switch(const struct fiber_thread *thread, const struct fiber *target)
{
  return thread && thread->current && target && target->thread == thread->number && target->type == thread->switched;
}

static void *switch_to(struct fiber *target, void *arg, struct fiber **switched_from, bool ends)
{
  struct fiber_thread *thread = wfx_fiber_thread();
  if (!can_switch(thread, target))
    return NULL;
  struct fiber *self = thread->current;
  thread->departing = self;
  thread->departing_ends = ends || self->freed;
  /* Not &target->cont: when this comes back, the target may have been freed. */
  wasmfx_cont_t cont = target->cont;
  const wasmfx_outcome_t outcome = wasmfx_switch_word(thread->rt, &cont, thread->exchange, NULL, (uintptr_t)arg);
  if (outcome.status != WASMFX_RETURNED)
    return NULL;
  struct fiber *from = arrive(thread, self, cont);
  if (switched_from)
    *switched_from = from;
  return (void *)(uintptr_t)outcome.word;
}

void *fiber_switch(fiber_t target, void *arg, fiber_t *switched_from)
{
  return switch_to(target, arg, switched_from, false);
}

void fiber_switch_return(fiber_t target, void *arg)
{
  (void)switch_to(target, arg, NULL, true);
}

/* ---- The first fiber --------------------------------------------------------------- */

struct program {
  void *(*function)(int, char **);
  int argc;
  char **argv;
};

static uint64_t run_program(wasmfx_runtime_t *rt, void *env, uint64_t arg, wasmfx_cont_t nobody)
{
  (void)rt, (void)env, (void)nobody;
  const struct program *program = (const struct program *)(uintptr_t)arg;
  return (uintptr_t)program->function(program->argc, program->argv);
}

/* Runs `first` and whoever it switches to, until one of them ends. */
static void *run(struct fiber_thread *thread, struct fiber *first, const struct program *program)
{
  const wasmfx_value_t args[] = { { .word = (uintptr_t)program }, { .contref = WASMFX_NULL_CONT } };
  wasmfx_cont_t cont = first->cont;
  struct fiber *outside = thread->current;
  thread->current = first;
  first->cont = WASMFX_NULL_CONT;
  const wasmfx_outcome_t outcome = wasmfx_resume(thread->rt, &cont, thread->on_switch, args, 2);
  void *result = outcome.status == WASMFX_RETURNED ? (void *)(uintptr_t)outcome.values->word : NULL;
  thread->current = outside;
  (void)wasmfx_drop(thread->rt, &cont); /* alive only if it could not start */
  return result;
}

/* Where the running continuation remembers the first fiber, in case that it dies while it waits. */
static struct fiber **place_of_first(struct fiber_thread *thread)
{
  struct fiber *caller = *wasmfx_host_word(thread->rt);
  return caller ? &caller->first : &thread->first;
}

void *fiber_main(void *(*program)(int, char **), int argc, char **argv)
{
  struct fiber_thread *thread = program ? wfx_fiber_thread_make() : NULL;
  struct fiber *first = thread ? wfx_fiber_new(thread, thread->switched, run_program, NULL) : NULL;
  if (!first)
    return NULL;
  struct fiber **place = place_of_first(thread);
  *place = first;
  first->held = true;
  void *result = run(thread, first, &(struct program){ program, argc, argv });
  *place = NULL;
  first->held = false;
  wfx_fiber_free(first);
  return result;
}
