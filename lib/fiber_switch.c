/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fiber interface by switch. fiber_main() is a resume with a switch clause;
 * fibers replace one another under it. fiber_switch() is entered in lib/arch.
 *
 * A switch gives its target the reference to what it suspends. The stub files it with
 * the fiber that leaves, and whoever arrives finds that fiber by it.
 */
#include <wasmfx/fiber_switch.h>

#include "fiber_tls.h"

/* Answers who was suspended, or NULL if that one has been given up. */
static struct fiber *arrive(wasmfx_runtime_t *rt, wasmfx_cont_t suspended)
{
  struct fiber *from = *wasmfx_cont_host_word(rt, suspended);
  if (!from->handle.given_up)
    return from;
  (void)wasmfx_drop(rt, &suspended);
  return NULL;
}

static uint64_t run_entry(wasmfx_runtime_t *rt, void *env, uint64_t arg, wasmfx_cont_t suspended)
{
  const struct fiber *self = env;
  return (uintptr_t)((fiber_entry_point_t)self->entry)((void *)(uintptr_t)arg, arrive(rt, suspended));
}

fiber_t fiber_alloc(fiber_entry_point_t entry)
{
  struct fiber_thread *thread = entry ? wfx_fiber_thread_make() : NULL;
  return thread ? wfx_fiber_new(thread, FIBER_SWITCHED, run_entry, (void (*)(void))entry) : NULL;
}

void fiber_free(fiber_t fiber)
{
  wfx_fiber_free(fiber);
}

void *wfx_fiber_switched(wasmfx_cont_t left, uint64_t word, struct fiber **switched_from)
{
  struct fiber *from = arrive(wfx_fiber_thread()->rt, left);
  if (switched_from)
    *switched_from = from;
  return (void *)(uintptr_t)word;
}

void fiber_switch_return(fiber_t target, void *arg)
{
  const struct fiber_thread *thread = wfx_fiber_thread();
  struct fiber *self = thread ? *wasmfx_host_word(thread->rt) : NULL;
  if (!self)
    return;
  self->handle.given_up |= FIBER_ENDS;
  (void)fiber_switch(target, arg, NULL);
  self->handle.given_up &= ~FIBER_ENDS; /* it failed */
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
  wasmfx_cont_t cont = first->handle.fresh;
  const wasmfx_outcome_t outcome = wasmfx_resume(thread->rt, &cont, thread->on_switch, args, 2);
  return outcome.status == WASMFX_RETURNED ? (void *)(uintptr_t)outcome.values->word : NULL;
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
  struct fiber *first = thread ? wfx_fiber_new(thread, FIBER_SWITCHED, run_program, NULL) : NULL;
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
