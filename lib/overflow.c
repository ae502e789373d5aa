/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stack that runs into its guard ends its continuation.
 *
 *     the fault ---> on_fault, on the thread's alternate stack
 *                      an overflow of a runtime that this thread watches?
 *                        no:  the handler that was there before
 *                        yes: what was interrupted goes on at the bottom of its stack,
 *                             where the continuation ends (lib/arch)
 *
 * The kernel's return from the signal does the rest: mask and alternate stack are
 * as they were before the fault.
 *
 * It is no accident that the library's own functions do not stand in the way: they touch the stack before they change
 * anything (wfx_claim_stack), so that a fault in them is one in their caller. While a function of the host's runs
 * inside one of them, of whatever runtime, the stack that it runs on is not abandoned.
 */
#define _GNU_SOURCE /* sigaltstack, SA_ONSTACK */
#include "overflow.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "runtime.h"

#define SIGNAL_STACK_BYTES ((size_t)65536)

/* How far the stack pointer may be below the guard when it meets it: a large frame, of which the far end is touched
 * first. Above, it is the touch of somebody who looks ahead, the library for one. */
#define NEAR_BYTES ((uintptr_t)65536)

/* How many handlers of others the library's can be installed above. */
#define MAX_INSTALLED 8

/* A fault that is being passed on, from where, and how often it has come again since. */
struct passing {
  uintptr_t frame;
  const void *context;
  unsigned level;
};

struct wfx_thread {
  struct wfx_watch *watches;
  char *signal_stack; /* with a guard of its own below; NULL: the host has one */
  size_t signal_stack_bytes;
  struct passing passing_on; /* stays where a handler has left by longjmp */
  const char *host_call; /* from where a function of the host's was called last, that has not returned; or NULL */
};

/* Of this thread. Read by its signal handler, where nothing but a plain load will do. */
static _Thread_local struct wfx_thread own __attribute__((tls_model("initial-exec")));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static size_t threads;                                   /* that watch */
static bool has_key;
static pthread_key_t exit_key;
static unsigned installed;      /* how often; the last time perhaps below a handler that somebody put above it */
static struct sigaction before[MAX_INSTALLED]; /* who had the signal each time */

/* Never inlined: compilers keep the address of a thread-local variable over calls, also over those that come back on
 * another stack. Nor do they see through it what the answer is: it would be the same at each call, they think. */
static __attribute__((noinline)) struct wfx_thread *this_thread(void)
{
  struct wfx_thread *volatile thread = &own;
  return thread;
}

/* ---- Calls of the host's functions ------------------------------------------------------------ */

const void *wfx_host_call_begin(void)
{
  struct wfx_thread *thread = this_thread();
  const void *outer = thread->host_call;
  thread->host_call = __builtin_frame_address(0);
  return outer;
}

void wfx_host_call_end(const void *outer)
{
  this_thread()->host_call = outer;
}

/* Calls from this stack end in turn, and no continuation runs on while one of its own has not: the last one tells. */
static bool has_host_call(const struct wfx_stack *stack)
{
  const char *call = this_thread()->host_call;
  return call && wfx_stands_on(stack, call);
}

bool wfx_is_in_host_call(const struct wasmfx_runtime *rt)
{
  const struct wfx_stack *stack = wfx_bearer(rt, rt->current)->stack;
  return stack && has_host_call(stack);
}

/* ---- Is it one? ------------------------------------------------------------------------------ */

static bool is_overflow(const struct wasmfx_runtime *rt, const struct wfx_stack *stack, uintptr_t address, uintptr_t sp)
{
  const uintptr_t low = (uintptr_t)stack->low;
  const uintptr_t guard = rt->house->stacks.guard_bytes, page = rt->house->os.page_bytes;
  return low - guard <= address && address < low && low - guard - NEAR_BYTES <= sp && sp < low + WFX_STACK_ROOM + page;
}

wasmfx_status_t wasmfx_overflow_handle(wasmfx_runtime_t *rt, const void *address, void *context)
{
  struct wfx_stack *stack = wfx_bearer(rt, rt->current)->stack;
  const struct wfx_registers at = wfx_interrupted(context);
  if (!stack || has_host_call(stack))
    return WASMFX_ERROR_STATE;
  if (!is_overflow(rt, stack, (uintptr_t)address, (uintptr_t)at.sp))
    return WASMFX_ERROR_STATE;
  if (rt->house->config.may_abandon && !rt->house->config.may_abandon(rt, at.pc))
    return WASMFX_ERROR_STATE;
  wfx_divert_to_overflow(context, rt, stack);
  return WASMFX_OK;
}

/* ---- The handler --------------------------------------------------------------------------------- */

/* Whose turn it is when a fault has come so often. */
static struct sigaction *next_handler(unsigned level)
{
  return &before[level < installed ? installed - 1 - level : 0];
}

static bool has_handler(const struct sigaction *action)
{
  return action->sa_flags & SA_SIGINFO || (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

/* As the kernel would: with the mask that it asked for, and but once if that is what it asked for. */
static void call(struct sigaction *action, int signal, siginfo_t *info, void *context)
{
  const struct sigaction asked = *action;
  sigset_t mask, same;
  sigemptyset(&same);
  sigaddset(&same, signal);
  pthread_sigmask(asked.sa_flags & SA_NODEFER ? SIG_UNBLOCK : SIG_BLOCK, &same, &mask);
  pthread_sigmask(SIG_BLOCK, &asked.sa_mask, NULL);
  if (asked.sa_flags & SA_RESETHAND)
    *action = (struct sigaction){ .sa_handler = SIG_DFL };
  if (asked.sa_flags & SA_SIGINFO)
    asked.sa_sigaction(signal, info, context);
  else
    asked.sa_handler(signal);
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

/* A signal that nobody handles comes again without our handler. */
static void let_die(const struct sigaction *action, int signal, const siginfo_t *info)
{
  const bool is_sent = info->si_code <= 0; /* by kill(), say: it does not come again by itself */
  if (is_sent && action->sa_handler == SIG_IGN)
    return;
  const struct sigaction deadly = { .sa_handler = SIG_DFL };
  sigaction(signal, &deadly, NULL);
  if (is_sent)
    raise(signal);
}

/*
 * Where ours was installed again above somebody else's, that one may call it
 * once more: then it is the turn of whoever was there earlier. Its frame lies below then, unlike
 * that of the next fault after a handler has left by longjmp.
 */
static void pass_on(struct wfx_thread *thread, int signal, siginfo_t *info, void *context)
{
  const struct passing outer = thread->passing_on;
  struct passing here = { (uintptr_t)__builtin_frame_address(0), context, 0 };
  const bool comes_again = here.frame < outer.frame && here.context == outer.context;
  if (comes_again)
    here.level = outer.level + 1;
  struct sigaction *action = next_handler(here.level);
  if (!has_handler(action)) {
    let_die(action, signal, info);
    return;
  }
  thread->passing_on = here;
  call(action, signal, info, context);
  thread->passing_on = outer;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
  const int error = errno;
  struct wfx_thread *thread = this_thread();
  const struct wfx_watch *watch = thread->watches;
  while (watch && wasmfx_overflow_handle(watch->rt, info->si_addr, context) != WASMFX_OK)
    watch = watch->next;
  if (!watch)
    pass_on(thread, signal, info, context);
  errno = error;
}

static bool is_own(const struct sigaction *action)
{
  return action->sa_flags & SA_SIGINFO && action->sa_sigaction == on_fault;
}

static bool are_same(const struct sigaction *a, const struct sigaction *b)
{
  return !((a->sa_flags ^ b->sa_flags) & SA_SIGINFO) && a->sa_sigaction == b->sa_sigaction;
}

/* A handler can call but one that was there before it, so it is in the list but once. */
static void forget(const struct sigaction *action)
{
  unsigned kept = 0;
  for (unsigned i = 0; i < installed; i++)
    if (!are_same(&before[i], action))
      before[kept++] = before[i];
  installed = kept;
}

static bool install(void)
{
  const struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
  struct sigaction now;
  if (sigaction(SIGSEGV, NULL, &now) != 0)
    return false;
  if (is_own(&now))
    return true;
  forget(&now);
  if (installed == MAX_INSTALLED)
    return false;
  before[installed++] = now; /* a fault may come as soon as ours is there */
  const bool is_done = sigaction(SIGSEGV, &action, NULL) == 0;
  installed -= !is_done;
  return is_done;
}

/* Whoever has put a handler above ours may call it yet. */
static void uninstall(void)
{
  struct sigaction now;
  sigaction(SIGSEGV, NULL, &now);
  if (!is_own(&now))
    return;
  sigaction(SIGSEGV, next_handler(0), NULL);
  installed -= installed > 0; /* it is not if the host has put it back itself */
}

/* ---- The alternate stack ---------------------------------------------------------------------------- */

static bool put_signal_stack(struct wfx_os *os, char *low, size_t bytes)
{
  const stack_t stack = { .ss_sp = low, .ss_size = bytes };
  os->calls++;
  return sigaltstack(&stack, NULL) == 0;
}

static wasmfx_status_t make_signal_stack(struct wfx_os *os, struct wfx_thread *thread)
{
  const long least = sysconf(_SC_SIGSTKSZ); /* grows with the registers of the processor */
  size_t bytes = least > (long)SIGNAL_STACK_BYTES ? (size_t)least : SIGNAL_STACK_BYTES;
  bytes = (bytes / os->page_bytes + 1) * os->page_bytes;
  void *range = NULL;
  wasmfx_status_t status = wfx_os_reserve(os, bytes + os->page_bytes, &range);
  if (status < 0)
    return status;
  char *low = (char *)range + os->page_bytes;
  status = wfx_os_commit(os, low, bytes);
  if (status == WASMFX_OK && !put_signal_stack(os, low, bytes))
    status = WASMFX_ERROR_NO_MEMORY;
  if (status < 0) {
    wfx_os_release(os, range, bytes + os->page_bytes);
    return status;
  }
  thread->signal_stack = low;
  thread->signal_stack_bytes = bytes;
  return WASMFX_OK;
}

/* To a thread that has none; perhaps the one again that it had, which the host has taken away. */
static wasmfx_status_t give_signal_stack(struct wasmfx_runtime *rt, struct wfx_thread *thread)
{
  struct wfx_os *os = &rt->house->os;
  stack_t stack;
  os->calls++;
  if (sigaltstack(NULL, &stack) != 0 || !(stack.ss_flags & SS_DISABLE))
    return WASMFX_OK;
  if (!thread->signal_stack)
    return make_signal_stack(os, thread);
  return put_signal_stack(os, thread->signal_stack, thread->signal_stack_bytes) ? WASMFX_OK : WASMFX_ERROR_NO_MEMORY;
}

/* A handler of the host's that was called for a fault runs there. */
static bool is_on_signal_stack(const struct wfx_thread *thread)
{
  const char *here = __builtin_frame_address(0), *low = thread->signal_stack;
  return low && low <= here && here < low + thread->signal_stack_bytes;
}

/* One that the host has put in its place meanwhile stays. */
static void take_signal_stack(struct wasmfx_runtime *rt, struct wfx_thread *thread)
{
  struct wfx_os *os = &rt->house->os;
  stack_t stack;
  if (!thread->signal_stack)
    return;
  os->calls++;
  if (sigaltstack(NULL, &stack) == 0 && stack.ss_sp == thread->signal_stack) {
    stack = (stack_t){ .ss_flags = SS_DISABLE };
    sigaltstack(&stack, NULL);
  }
  wfx_os_release(os, thread->signal_stack - os->page_bytes, thread->signal_stack_bytes + os->page_bytes);
  thread->signal_stack = NULL;
}

/* ---- Catching and ignoring ----------------------------------------------------------------------------- */

/* In a child the lock would stay locked for ever if another thread had it, and what it guards might be half-done. */
static void before_fork(void)
{
  pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
  pthread_mutex_unlock(&lock);
}

static void in_child(void)
{
  threads = this_thread()->watches != NULL; /* it has only this one */
  pthread_mutex_unlock(&lock);
}

static void at_thread_exit(void *exiting)
{
  struct wfx_thread *thread = exiting;
  while (thread->watches)
    (void)wasmfx_overflow_ignore(thread->watches->rt);
}

static __attribute__((destructor)) void at_unload(void)
{
  if (has_key)
    pthread_key_delete(exit_key);
}

/* What is done once in a process. */
static bool prepare(void)
{
  static bool minds_fork;
  minds_fork = minds_fork || pthread_atfork(before_fork, after_fork, in_child) == 0;
  has_key = has_key || (minds_fork && pthread_key_create(&exit_key, at_thread_exit) == 0);
  return has_key;
}

/* The first watch of a thread. Nothing is done when it fails. */
static wasmfx_status_t enter(struct wfx_thread *thread)
{
  thread->passing_on = (struct passing){ 0, NULL, 0 };
  pthread_mutex_lock(&lock);
  const bool is_known = prepare() && pthread_setspecific(exit_key, thread) == 0, is_ready = is_known && install();
  threads += is_ready;
  if (is_known && !is_ready)
    pthread_setspecific(exit_key, NULL);
  pthread_mutex_unlock(&lock);
  return is_ready ? WASMFX_OK : is_known ? WASMFX_ERROR_UNSUPPORTED : WASMFX_ERROR_NO_MEMORY;
}

static void leave(struct wasmfx_runtime *rt, struct wfx_thread *thread)
{
  pthread_mutex_lock(&lock);
  if (--threads == 0)
    uninstall();
  pthread_setspecific(exit_key, NULL);
  pthread_mutex_unlock(&lock);
  take_signal_stack(rt, thread);
}

/* Not inlined, as the other one below: their frames are large, so that others make sure of the stack. */
static __attribute__((noinline)) wasmfx_status_t catch_overflows(wasmfx_runtime_t *rt)
{
  struct wfx_thread *thread = this_thread();
  struct wfx_watch *watch = &rt->house->watch;
  if (watch->thread)
    return WASMFX_ERROR_STATE;
  wasmfx_status_t status = give_signal_stack(rt, thread);
  if (status < 0)
    return status;
  if (!thread->watches)
    status = enter(thread);
  if (status < 0) {
    take_signal_stack(rt, thread);
    return status;
  }
  *watch = (struct wfx_watch){ rt, thread->watches, thread };
  thread->watches = watch;
  return WASMFX_OK;
}

wasmfx_status_t wasmfx_overflow_catch(wasmfx_runtime_t *rt)
{
  wfx_claim_more_stack(rt);
  return catch_overflows(rt);
}

static __attribute__((noinline)) wasmfx_status_t ignore_overflows(wasmfx_runtime_t *rt)
{
  struct wfx_thread *thread = this_thread();
  struct wfx_watch *watch = &rt->house->watch, **link = &thread->watches;
  if (!watch->thread || wfx_must_be_watched(rt))
    return WASMFX_ERROR_STATE;
  while (*link != watch)
    link = &(*link)->next;
  *link = watch->next;
  watch->thread = NULL;
  if (!thread->watches)
    leave(rt, thread);
  return WASMFX_OK;
}

wasmfx_status_t wasmfx_overflow_ignore(wasmfx_runtime_t *rt)
{
  wfx_claim_more_stack(rt);
  return ignore_overflows(rt);
}

bool wfx_must_be_watched(const struct wasmfx_runtime *rt)
{
  const struct wfx_watch *watch = &rt->house->watch;
  const struct wfx_thread *thread = this_thread();
  if (!watch->thread)
    return false;
  return watch->thread != thread || (is_on_signal_stack(thread) && thread->watches == watch && !watch->next);
}
