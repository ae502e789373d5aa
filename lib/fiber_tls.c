/* SPDX-License-Identifier: Apache-2.0 */
/* A thread's state for its fibers, and the fiber object. */
#include "fiber_tls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Initial-exec costs one load where a shared library's default costs a call; a pointer is little to ask of the room
 * that loaders keep for it. */
static _Thread_local struct fiber_thread *own __attribute__((tls_model("initial-exec")));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct fiber_thread *threads;
static uint64_t last_number;
static pthread_key_t exit_key; /* exists if last_number is not 0 */

/* ---- The thread ------------------------------------------------------------------ */

/* Never inlined: compilers keep the address of a thread-local variable over calls, also over those that come back on
 * another stack. */
__attribute__((noinline)) struct fiber_thread *wfx_fiber_thread(void)
{
  return own;
}

static __attribute__((noinline)) void own_set(struct fiber_thread *thread)
{
  own = thread;
}

/* pthread_exit() may have been called in a fiber, but this runs outside: the C library has gone back to where the
 * thread began. */
static void at_thread_exit(void *exiting)
{
  const struct fiber_thread *thread = exiting;
  (void)wasmfx_unwind_to(thread->rt, &thread->outside, NULL);
  wfx_fiber_thread_end();
}

/* So that a host that unloads the library may end its threads afterwards. */
static __attribute__((destructor)) void at_unload(void)
{
  wfx_fiber_thread_end();
  if (last_number)
    pthread_key_delete(exit_key);
}

static bool make_runtime(struct fiber_thread *thread)
{
  static const wasmfx_kind_t kinds[] = { WASMFX_I64, WASMFX_CONTREF };
  wasmfx_runtime_t *rt;
  wasmfx_type_t *exchanged;
  if (wasmfx_runtime_new(NULL, &thread->rt) < 0)
    return false;
  rt = thread->rt;
  wasmfx_mark(rt, &thread->outside);
  if (wasmfx_type_new(rt, kinds, 1, kinds, 1, &thread->resumed) < 0 ||
      wasmfx_type_new(rt, kinds, 2, kinds, 1, &thread->switched) < 0 ||
      wasmfx_type_new(rt, NULL, 0, kinds, 1, &exchanged) < 0 ||
      wasmfx_tag_new(rt, thread->resumed, &thread->yield) < 0 ||
      wasmfx_tag_new(rt, exchanged, &thread->exchange) < 0)
    return false;
  const wasmfx_clause_t on_yield = { thread->yield, WASMFX_ON_LABEL };
  const wasmfx_clause_t on_switch = { thread->exchange, WASMFX_ON_SWITCH };
  return wasmfx_handlers_new(rt, &on_yield, 1, &thread->on_yield) >= 0 &&
         wasmfx_handlers_new(rt, &on_switch, 1, &thread->on_switch) >= 0;
}

/* Makes the thread known, to its exit and to the others. */
static bool enter(struct fiber_thread *thread)
{
  pthread_mutex_lock(&lock);
  bool entered = last_number || pthread_key_create(&exit_key, at_thread_exit) == 0;
  entered = entered && pthread_setspecific(exit_key, thread) == 0;
  if (entered) {
    thread->number = ++last_number;
    thread->next = threads;
    threads = thread;
  }
  pthread_mutex_unlock(&lock);
  return entered;
}

struct fiber_thread *wfx_fiber_thread_make(void)
{
  struct fiber_thread *thread = wfx_fiber_thread();
  if (thread)
    return thread;
  thread = calloc(1, sizeof *thread);
  if (!thread)
    return NULL;
  if (!make_runtime(thread) || !enter(thread)) {
    (void)wasmfx_runtime_free(thread->rt, NULL);
    free(thread);
    return NULL;
  }
  own_set(thread);
  return thread;
}

static struct fiber *take_freed_elsewhere(struct fiber_thread *thread)
{
  return atomic_exchange_explicit(&thread->freed_elsewhere, NULL, memory_order_acquire);
}

void wfx_fiber_thread_end(void)
{
  struct fiber_thread *thread = wfx_fiber_thread();
  if (!thread || wasmfx_runtime_free(thread->rt, NULL) != WASMFX_OK)
    return;
  own_set(NULL);
  pthread_mutex_lock(&lock);
  pthread_setspecific(exit_key, NULL);
  struct fiber_thread **link = &threads;
  while (*link != thread)
    link = &(*link)->next;
  *link = thread->next;
  pthread_mutex_unlock(&lock);
  for (struct fiber *fiber = take_freed_elsewhere(thread), *next; fiber; fiber = next) {
    next = fiber->next_freed;
    free(fiber);
  }
  free(thread);
}

/* ---- The fiber ------------------------------------------------------------------- */

/* Only its own thread may drop what a fiber still holds: leave it there. If that thread has ended, nothing is held. */
static void free_elsewhere(struct fiber *fiber)
{
  pthread_mutex_lock(&lock);
  struct fiber_thread *thread = threads;
  while (thread && thread->number != fiber->thread)
    thread = thread->next;
  if (thread) {
    fiber->next_freed = atomic_load_explicit(&thread->freed_elsewhere, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&thread->freed_elsewhere, &fiber->next_freed, fiber,
                                                  memory_order_release, memory_order_relaxed))
      ;
  }
  pthread_mutex_unlock(&lock);
  if (!thread)
    free(fiber);
}

static __attribute__((noinline)) void collect_freed_elsewhere(struct fiber_thread *thread)
{
  for (struct fiber *fiber = take_freed_elsewhere(thread), *next; fiber; fiber = next) {
    next = fiber->next_freed;
    wfx_fiber_free(fiber);
  }
}

struct fiber *wfx_fiber_new(struct fiber_thread *thread, const wasmfx_type_t *type, wasmfx_word_entry_t body,
                            void (*entry)(void))
{
  if (atomic_load_explicit(&thread->freed_elsewhere, memory_order_relaxed))
    collect_freed_elsewhere(thread);
  struct fiber *fiber = malloc(sizeof *fiber);
  if (!fiber)
    return NULL;
  *fiber = (struct fiber){ .thread = thread->number, .type = type, .entry = entry };
  if (wasmfx_cont_new_word(thread->rt, type, body, fiber, &fiber->cont) < 0) {
    free(fiber);
    return NULL;
  }
  return fiber;
}

static void reclaim(struct fiber *fiber)
{
  if (fiber->freed && !fiber->running && !fiber->held)
    free(fiber);
}

void wfx_fiber_free(struct fiber *fiber)
{
  if (!fiber)
    return;
  const struct fiber_thread *thread = wfx_fiber_thread();
  if (!thread || thread->number != fiber->thread) {
    free_elsewhere(fiber);
    return;
  }
  fiber->freed = true;
  if (!fiber->running)
    (void)wasmfx_drop(thread->rt, &fiber->cont); /* a finished one has nothing left, which is fine */
  reclaim(fiber);
}

void wfx_fiber_ended(struct fiber *fiber)
{
  fiber->running = false;
  fiber->cont = WASMFX_NULL_CONT;
  reclaim(fiber);
}
