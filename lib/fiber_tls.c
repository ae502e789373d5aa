/* SPDX-License-Identifier: Apache-2.0 */
/* A thread's state for its fibers: made by its first fiber, ended with the thread. */
#include "fiber_tls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

_Thread_local struct wfx_desk wfx_desk;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct fiber_thread *threads;
static uint64_t last_number;
static pthread_key_t exit_key; /* exists if last_number is not 0 */

/* Never inlined: compilers keep the address of a thread-local variable over calls, also over those that come back on
 * another stack. */
__attribute__((noinline)) struct fiber_thread *wfx_fiber_thread(void)
{
  return wfx_desk.thread;
}

static __attribute__((noinline)) void desk_set(const struct wfx_desk *desk)
{
  wfx_desk = *desk;
}

/* From here on its fibers can be made and resumed. */
static void open_desk(struct fiber_thread *thread)
{
  desk_set(&(struct wfx_desk){ wfx_fiber_key(thread->number, FIBER_RESUMED),
                               wfx_fiber_key(thread->number, FIBER_SWITCHED), thread->rt, thread->on_yield,
                               thread->yield, thread->exchange, thread });
}

/* In a child the lock would stay locked for ever if another thread had it. */
static void before_fork(void)
{
  pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
  pthread_mutex_unlock(&lock);
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
  wasmfx_runtime_config_t config;
  wasmfx_runtime_t *rt;
  wasmfx_type_t *exchanged;
  wasmfx_runtime_config_init(&config);
  config.died = wfx_fiber_died;
  config.host_stack_bytes = 2048; /* it frees, and no more */
  if (wasmfx_runtime_new(&config, &thread->rt) < 0)
    return false;
  rt = thread->rt;
  wasmfx_mark(rt, &thread->outside);
  if (wasmfx_type_new(rt, kinds, 1, kinds, 1, &thread->types[FIBER_RESUMED]) < 0 ||
      wasmfx_type_new(rt, kinds, 2, kinds, 1, &thread->types[FIBER_SWITCHED]) < 0 ||
      wasmfx_type_new(rt, NULL, 0, kinds, 1, &exchanged) < 0 ||
      wasmfx_tag_new(rt, thread->types[FIBER_RESUMED], &thread->yield) < 0 ||
      wasmfx_tag_new(rt, exchanged, &thread->exchange) < 0)
    return false;
  const wasmfx_clause_t on_yield = { .tag = thread->yield, .kind = WASMFX_ON_LABEL };
  const wasmfx_clause_t on_switch = { .tag = thread->exchange, .kind = WASMFX_ON_SWITCH };
  return wasmfx_handlers_new(rt, &on_yield, 1, &thread->on_yield) >= 0 &&
         wasmfx_handlers_new(rt, &on_switch, 1, &thread->on_switch) >= 0;
}

/* What is done once in a process. */
static bool prepare(void)
{
  static bool minds_fork;
  minds_fork = minds_fork || pthread_atfork(before_fork, after_fork, after_fork) == 0;
  return last_number || (minds_fork && pthread_key_create(&exit_key, at_thread_exit) == 0);
}

/* Makes the thread known, to its exit and to the others. */
static bool enter(struct fiber_thread *thread)
{
  pthread_mutex_lock(&lock);
  bool entered = prepare();
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
  open_desk(thread);
  return thread;
}

bool wfx_fiber_leave(struct fiber *fiber)
{
  pthread_mutex_lock(&lock);
  struct fiber_thread *thread = threads;
  while (thread && thread->number != wfx_fiber_thread_number(fiber))
    thread = thread->next;
  if (thread) {
    fiber->next_left = atomic_load_explicit(&thread->left, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&thread->left, &fiber->next_left, fiber, memory_order_release,
                                                  memory_order_relaxed))
      ;
  }
  pthread_mutex_unlock(&lock);
  return thread != NULL;
}

struct fiber *wfx_fiber_take_left(struct fiber_thread *thread)
{
  /* Read first: the exchange is dear, and there is hardly ever anything. */
  if (!atomic_load_explicit(&thread->left, memory_order_relaxed))
    return NULL;
  return atomic_exchange_explicit(&thread->left, NULL, memory_order_acquire);
}

void wfx_fiber_thread_end(void)
{
  struct fiber_thread *thread = wfx_fiber_thread();
  if (!thread || wasmfx_runtime_free(thread->rt, NULL) != WASMFX_OK)
    return;
  desk_set(&(struct wfx_desk){ 0 });
  pthread_mutex_lock(&lock);
  pthread_setspecific(exit_key, NULL);
  struct fiber_thread **link = &threads;
  while (*link != thread)
    link = &(*link)->next;
  *link = thread->next;
  pthread_mutex_unlock(&lock);
  for (struct fiber *fiber = wfx_fiber_take_left(thread), *next; fiber; fiber = next) {
    next = fiber->next_left;
    free(fiber);
  }
  free(thread->first); /* there is one if the thread exited in a fiber_main() */
  free(thread);
}
