/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's handler among those of the host: what is no overflow, or may not be one, goes to whoever had the signal
 * before; handlers and alternate stacks of the host's stay what they are; each thread catches for itself. What kills the
 * process happens in a child.
 */
#define _GNU_SOURCE    /* sigaltstack, REG_RIP */
#undef _FORTIFY_SOURCE /* its longjmp takes a jump to another stack for an error */

#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* ---- Bodies ------------------------------------------------------------------------------------- */

static volatile uint64_t sink;

/* In a section of its own, so that it can be said whether an address is in it; and it calls no sanitizer, which would
 * overflow in its place. */
__attribute__((noinline, section("recursion"), no_sanitize("address", "thread", "undefined"))) static uint64_t recurse(uint64_t depth)
{
  volatile char frame[64];
  frame[0] = (char)depth;
  const uint64_t below = recurse(depth + 1);
  sink += below + (uint64_t)frame[0];
  return below + 1;
}

extern const char __start_recursion[], __stop_recursion[];

static bool is_in_recurse(const void *pc)
{
  return __start_recursion <= (const char *)pc && (const char *)pc < __stop_recursion;
}

static uint64_t run_recursion(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return recurse(word);
}

static wasmfx_status_t overflow_once(wasmfx_runtime_t *rt)
{
  wasmfx_cont_t k = word_cont_of(rt, "l:l", run_recursion, NULL);
  return wasmfx_resume_word(rt, &k, NULL, 0).status;
}

/* A write of three bytes of code, which a handler can step over. */
enum { TOUCH_BYTES = 3 };
__attribute__((noinline, no_sanitize("address", "undefined"))) static void touch(const void *address)
{
  __asm__ volatile("movb $0, (%%rdi)" : : "D"(address) : "memory");
}

static uint64_t run_touch(wasmfx_runtime_t *rt, void *env, uint64_t address, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  touch((const void *)(uintptr_t)address);
  return address;
}

/* Touches an address in a continuation, which goes on afterwards. */
static void touch_inside(wasmfx_runtime_t *rt, uintptr_t address)
{
  wasmfx_cont_t k = word_cont_of(rt, "l:l", run_touch, NULL);
  const wasmfx_outcome_t out = wasmfx_resume_word(rt, &k, NULL, address);
  assert_outcome(out, WASMFX_RETURNED);
  assert_true(out.word == address);
}

/* ---- Handlers of the host's ------------------------------------------------------------------------ */

static struct {
  unsigned count;
  const void *address;
  int code;
  bool has_context;
  bool blocks_fault, blocks_usr2;
  const char *frame; /* where it ran */
} seen;

/* Notes what it got, and steps over the touch. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
  sigset_t mask;
  (void)signal;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  seen.count++;
  seen.address = info->si_addr;
  seen.code = info->si_code;
  seen.has_context = context != NULL;
  seen.blocks_fault = sigismember(&mask, SIGSEGV);
  seen.blocks_usr2 = sigismember(&mask, SIGUSR2);
  seen.frame = __builtin_frame_address(0);
  ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += TOUCH_BYTES;
}

/* Puts a handler, and answers what was there. */
static struct sigaction put_handler(void (*handler)(int, siginfo_t *, void *), int flags)
{
  struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | flags }, old;
  sigemptyset(&action.sa_mask);
  assert_int_equal(sigaction(SIGSEGV, &action, &old), 0);
  return old;
}

static void restore(const struct sigaction *action)
{
  assert_int_equal(sigaction(SIGSEGV, action, NULL), 0);
}

static bool has_signal(void (*handler)(int, siginfo_t *, void *))
{
  struct sigaction now;
  assert_int_equal(sigaction(SIGSEGV, NULL, &now), 0);
  return now.sa_flags & SA_SIGINFO && now.sa_sigaction == handler;
}

/* A handler of the host's below, the library's above. */
static wasmfx_runtime_t *catching_above(void **state, struct sigaction *old)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  memset(&seen, 0, sizeof seen);
  *old = put_handler(on_fault, 0);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  return rt;
}

/* And the end of that, after which the host has the signal again. */
static void ignore(wasmfx_runtime_t *rt, const struct sigaction *old)
{
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  assert_true(has_signal(on_fault));
  restore(old);
}

/* ---- What is no overflow ----------------------------------------------------------------------------- */

static void a_null_pointer_goes_to_the_handler_that_was_there_before(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  touch_inside(rt, 16);
  ignore(rt, &old);
  assert_int_equal(seen.count, 1);
  assert_true((uintptr_t)seen.address == 16);
  assert_int_equal(seen.code, SEGV_MAPERR);
  assert_true(seen.has_context);
}

/* The low end of its own stack, which is then free, and not the next one to be taken. */
static uint64_t run_bounds(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  void *low, *high;
  (void)env, (void)from, (void)word;
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  return (uintptr_t)low;
}

static uint64_t run_bounds_and_wait(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const uintptr_t low = run_bounds(rt, env, word, from);
  (void)wasmfx_suspend_word(rt, env, low);
  return low;
}

static void the_guard_of_another_stack_is_no_overflow(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  wasmfx_tag_t *tag = tag_of(rt, "l:l");
  wasmfx_cont_t other = word_cont_of(rt, "l:l", run_bounds_and_wait, tag);
  const wasmfx_outcome_t out = wasmfx_resume_word(rt, &other, HANDLERS(rt, ON_LABEL(tag)), 0);
  assert_outcome(out, WASMFX_SUSPENDED);
  touch_inside(rt, out.word - 8);
  ignore(rt, &old);
  assert_int_equal(seen.count, 1);
  assert_true((uintptr_t)seen.address == out.word - 8);
  assert_status(wasmfx_drop(rt, &other), WASMFX_OK);
}

static uint64_t run_touch_of_own_guard(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  touch((const void *)(uintptr_t)(run_bounds(rt, env, word, from) - 8));
  return word;
}

static void the_own_guard_is_no_overflow_while_the_stack_pointer_is_far_away(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  wasmfx_cont_t k = word_cont_of(rt, "l:l", run_touch_of_own_guard, NULL);
  assert_outcome(wasmfx_resume_word(rt, &k, NULL, 0), WASMFX_RETURNED);
  ignore(rt, &old);
  assert_int_equal(seen.count, 1);
}

/* Touches an address when hardly more than a page of the stack is left. */
static uint64_t run_touch_near_the_guard(wasmfx_runtime_t *rt, void *env, uint64_t address, wasmfx_cont_t from)
{
  const uintptr_t low = run_bounds(rt, env, 0, from);
  volatile char *frame = __builtin_alloca((uintptr_t)__builtin_frame_address(0) - low - 4500);
  frame[0] = 0;
  touch((const void *)(uintptr_t)(address ? address : low - 8));
  return address;
}

static void the_stack_pointer_near_the_guard_makes_no_overflow_of_another_fault(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  wasmfx_cont_t k = word_cont_of(rt, "l:l", run_touch_near_the_guard, NULL);
  assert_outcome(wasmfx_resume_word(rt, &k, NULL, 16), WASMFX_RETURNED);
  assert_int_equal(seen.count, 1);
  k = word_cont_of(rt, "l:l", run_touch_near_the_guard, NULL);
  assert_outcome(wasmfx_resume_word(rt, &k, NULL, UINT64_C(0xffffffff81000000)), WASMFX_RETURNED); /* the kernel's */
  assert_int_equal(seen.count, 2);
  k = word_cont_of(rt, "l:l", run_touch_near_the_guard, NULL);
  assert_outcome(wasmfx_resume_word(rt, &k, NULL, 0), WASMFX_OVERFLOWED); /* in the guard itself it is one */
  ignore(rt, &old);
  assert_int_equal(seen.count, 2);
}

/* Touches its guard from a stack of the host's that lies anywhere below. */
__attribute__((no_sanitize("address", "undefined"))) static uint64_t
run_touch_from_elsewhere(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  static char elsewhere[65536];
  const uintptr_t guard = run_bounds(rt, env, word, from) - 8;
  __asm__ volatile("movq %%rsp, %%rbx\n movq %0, %%rsp\n movb $0, (%%rdi)\n movq %%rbx, %%rsp"
                   :
                   : "r"(elsewhere + sizeof elsewhere), "D"(guard)
                   : "rbx", "memory");
  assert_true((uintptr_t)elsewhere + sizeof elsewhere < guard);
  return word;
}

static void a_stack_of_the_hosts_does_not_overflow_into_ours(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  wasmfx_cont_t k = word_cont_of(rt, "l:l", run_touch_from_elsewhere, NULL);
  assert_outcome(wasmfx_resume_word(rt, &k, NULL, 0), WASMFX_RETURNED);
  ignore(rt, &old);
  assert_int_equal(seen.count, 1);
}

static void a_fault_outside_of_any_continuation_is_no_overflow(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  touch(NULL);
  ignore(rt, &old);
  assert_int_equal(seen.count, 1);
}

static void the_handler_before_runs_with_the_mask_that_it_asked_for(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO }, old;
  sigset_t after;
  memset(&seen, 0, sizeof seen);
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGUSR2);
  sigaction(SIGSEGV, &action, &old);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  touch_inside(rt, 16);
  ignore(rt, &old);
  sigprocmask(SIG_BLOCK, NULL, &after);
  assert_int_equal(seen.count, 1);
  assert_true(seen.blocks_fault);
  assert_true(seen.blocks_usr2);
  assert_false(sigismember(&after, SIGSEGV));
  assert_false(sigismember(&after, SIGUSR2));
}

static void the_handler_before_may_want_its_own_signal_unblocked(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  memset(&seen, 0, sizeof seen);
  const struct sigaction old = put_handler(on_fault, SA_NODEFER);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  touch_inside(rt, 16);
  ignore(rt, &old);
  assert_int_equal(seen.count, 1);
  assert_false(seen.blocks_fault);
}

static void the_handler_before_may_be_for_one_fault_only(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct sigaction now;
  memset(&seen, 0, sizeof seen);
  const struct sigaction old = put_handler(on_fault, (int)SA_RESETHAND);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  touch_inside(rt, 16);
  assert_int_equal(seen.count, 1);
  assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  sigaction(SIGSEGV, &old, &now);
  assert_true(now.sa_handler == SIG_DFL); /* what it would be without the library */
}

static volatile sig_atomic_t plain_signals;

static void on_plain_signal(int signal)
{
  plain_signals += signal == SIGSEGV;
}

static void the_handler_before_may_be_one_without_siginfo(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct sigaction action = { .sa_handler = on_plain_signal }, old, now;
  sigaction(SIGSEGV, &action, &old);
  plain_signals = 0;
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  raise(SIGSEGV);
  assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  sigaction(SIGSEGV, &old, &now);
  assert_int_equal(plain_signals, 1);
  assert_true(now.sa_handler == on_plain_signal);
}

static void a_fault_that_is_sent_stays_ignored_where_it_was(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct sigaction action = { .sa_handler = SIG_IGN }, old, now;
  sigaction(SIGSEGV, &action, &old);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  raise(SIGSEGV);
  raise(SIGSEGV);
  assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  sigaction(SIGSEGV, &old, &now);
  assert_true(now.sa_handler == SIG_IGN);
}

static sigjmp_buf way_out;

static void jump_out(int signal, siginfo_t *info, void *context)
{
  (void)signal, (void)info, (void)context;
  seen.count++;
  siglongjmp(way_out, 1);
}

static uint64_t run_touch_and_jump(wasmfx_runtime_t *rt, void *env, uint64_t address, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  if (sigsetjmp(way_out, 1) == 0)
    touch((const void *)(uintptr_t)address);
  return address;
}

static void the_handler_before_may_leave_by_a_jump(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  memset(&seen, 0, sizeof seen);
  const struct sigaction old = put_handler(jump_out, 0);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  for (unsigned i = 1; i <= 3; i++) {
    wasmfx_cont_t k = word_cont_of(rt, "l:l", run_touch_and_jump, NULL);
    assert_outcome(wasmfx_resume_word(rt, &k, NULL, 16), WASMFX_RETURNED);
    assert_int_equal(seen.count, i);
    assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  }
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  assert_int_equal(seen.count, 3);
  restore(&old);
}

/* ---- Handlers above ------------------------------------------------------------------------------------ */

static struct sigaction below; /* what the one above has found */
static unsigned above_count;
static bool above_jumps;

static void above(int signal, siginfo_t *info, void *context)
{
  above_count++;
  if (above_jumps)
    siglongjmp(way_out, 1);
  below.sa_sigaction(signal, info, context);
}

static void a_handler_above_may_call_the_librarys(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  below = put_handler(above, 0);
  above_count = 0;
  assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  assert_int_equal(above_count, 1);
  assert_int_equal(seen.count, 0);
  touch_inside(rt, 16);
  assert_int_equal(above_count, 2);
  assert_int_equal(seen.count, 1);
  restore(&below);
  ignore(rt, &old);
}

/* The library's cannot go from under it. Without a runtime to catch for, it passes on all that comes. */
static void a_handler_above_stays_after_the_last_ignore_and_may_go_on_calling(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  below = put_handler(above, 0);
  above_count = 0;
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  assert_true(has_signal(above));
  touch_inside(rt, 16);
  assert_int_equal(above_count, 1);
  assert_int_equal(seen.count, 1);

  for (unsigned i = 2; i <= 4; i++) { /* each time it goes on top: library, above, library, host */
    assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
    assert_false(has_signal(above));
    touch_inside(rt, 16);
    assert_int_equal(above_count, i);
    assert_int_equal(seen.count, i);
    assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
    assert_int_equal(above_count, i);
    assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
    assert_true(has_signal(above));
  }
  restore(&old);
}

/* Another two of the same kind, each above what it finds. */
static struct sigaction below_second, below_third;
static unsigned second_count, third_count;

static void second_above(int signal, siginfo_t *info, void *context)
{
  second_count++;
  below_second.sa_sigaction(signal, info, context);
}

static void third_above(int signal, siginfo_t *info, void *context)
{
  third_count++;
  below_third.sa_sigaction(signal, info, context);
}

static void catch_again(wasmfx_runtime_t *rt)
{
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
}

static void handlers_that_come_above_time_and_again_are_each_called_once(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  above_count = second_count = third_count = 0;
  below = put_handler(above, 0);
  catch_again(rt);
  below_second = put_handler(second_above, 0);
  catch_again(rt);
  below_third = put_handler(third_above, 0);
  catch_again(rt);
  for (unsigned i = 1; i <= 2; i++) {
    touch_inside(rt, 16);
    assert_int_equal(third_count, i);
    assert_int_equal(second_count, i);
    assert_int_equal(above_count, i);
    assert_int_equal(seen.count, i);
    assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  }
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  assert_true(has_signal(third_above)); /* and the library's below: it goes on */
  touch_inside(rt, 16);
  assert_int_equal(third_count, 3);
  assert_int_equal(second_count, 3);
  assert_int_equal(above_count, 3);
  assert_int_equal(seen.count, 3);
  restore(&below_third); /* step by step back */
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  assert_true(has_signal(second_above));
  restore(&below_second);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  assert_true(has_signal(above));
  restore(&below);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  ignore(rt, &old);
}

#define NUMBERED(number) \
  static void handler_##number(int signal, siginfo_t *info, void *context) { (void)signal, (void)info, (void)context; }
NUMBERED(0) NUMBERED(1) NUMBERED(2) NUMBERED(3) NUMBERED(4) NUMBERED(5) NUMBERED(6) NUMBERED(7)

static void above_too_many_handlers_catching_is_refused(void **state)
{
  void (*const handlers[])(int, siginfo_t *, void *) = { handler_0, handler_1, handler_2, handler_3,
                                                         handler_4, handler_5, handler_6, handler_7 };
  struct sigaction old[COUNT_OF(handlers)], first;
  wasmfx_runtime_t *rt = catching_above(state, &first);
  wasmfx_status_t status = WASMFX_OK;
  size_t count = 0;
  while (status == WASMFX_OK && count < COUNT_OF(handlers)) {
    old[count] = put_handler(handlers[count], 0);
    count++;
    assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
    status = wasmfx_overflow_catch(rt);
  }
  assert_status(status, WASMFX_ERROR_UNSUPPORTED);
  assert_true(has_signal(handlers[count - 1]));
  while (count-- > 0) {
    restore(&old[count]);
    assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
    assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  }
  assert_true(has_signal(on_fault));
  restore(&first);
}

/* As test frames do around each test: the same one, which calls nobody. */
static void a_handler_that_comes_above_again_and_again_counts_once(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  for (unsigned i = 1; i <= 20; i++) {
    put_handler(on_fault, 0);
    assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
    assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
    touch_inside(rt, 16);
    assert_int_equal(seen.count, i);
  }
  ignore(rt, &old);
}

static void a_host_may_put_the_librarys_handler_back_when_it_has_gone(void **state)
{
  struct sigaction old, librarys;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  sigaction(SIGSEGV, NULL, &librarys);
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  assert_true(has_signal(on_fault));
  restore(&librarys);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  touch_inside(rt, 16);
  assert_int_equal(seen.count, 1);
  ignore(rt, &old);
}

static char host_stack[2 * 65536];

static stack_t put_signal_stack_at(char *low)
{
  const stack_t stack = { .ss_sp = low, .ss_size = sizeof host_stack / 2 };
  stack_t old;
  assert_int_equal(sigaltstack(&stack, &old), 0);
  return old;
}

static stack_t put_signal_stack(void)
{
  return put_signal_stack_at(host_stack);
}

/* What comes next, on a stack below, is not taken for the same fault that comes again from the one above. */
static void a_handler_above_may_leave_by_a_jump_and_gets_the_next_fault(void **state)
{
  struct sigaction old;
  const stack_t old_stack = put_signal_stack_at(host_stack + sizeof host_stack / 2);
  wasmfx_runtime_t *rt = catching_above(state, &old);
  put_handler(jump_out, 0);
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  for (unsigned i = 1; i <= 2; i++) {
    wasmfx_cont_t k = word_cont_of(rt, "l:l", run_touch_and_jump, NULL);
    assert_outcome(wasmfx_resume_word(rt, &k, NULL, 16), WASMFX_RETURNED);
    assert_int_equal(seen.count, i);
    assert_null(seen.frame); /* of the oldest one */
    put_signal_stack();
  }
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  assert_true(has_signal(jump_out));
  sigaltstack(&old_stack, NULL);
  restore(&old);
}

/* Nor is any fault later, when that one is long gone. */
static void a_fault_that_was_left_by_a_jump_is_forgotten(void **state)
{
  struct sigaction old;
  const stack_t old_stack = put_signal_stack_at(host_stack + sizeof host_stack / 2);
  wasmfx_runtime_t *rt = catching_above(state, &old);
  below = put_handler(above, 0);
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  above_count = 0;
  above_jumps = true;
  wasmfx_cont_t k = word_cont_of(rt, "l:l", run_touch_and_jump, NULL);
  assert_outcome(wasmfx_resume_word(rt, &k, NULL, 16), WASMFX_RETURNED);
  above_jumps = false;
  assert_int_equal(above_count, 1);

  put_signal_stack();
  for (unsigned i = 1; i <= 3; i++) { /* library, above, library, host */
    touch_inside(rt, 16);
    assert_int_equal(above_count, 1 + i);
    assert_int_equal(seen.count, i);
  }
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  sigaltstack(&old_stack, NULL);
  restore(&old);
}

static wasmfx_runtime_t *asked;

static void ask(int signal, siginfo_t *info, void *context)
{
  if (wasmfx_overflow_handle(asked, info->si_addr, context) != WASMFX_OK)
    on_fault(signal, info, context);
}

static stack_t signal_stack(void)
{
  stack_t stack;
  assert_int_equal(sigaltstack(NULL, &stack), 0);
  return stack;
}

static void a_host_with_a_handler_of_its_own_asks_from_there(void **state)
{
  asked = runtime_of(state);
  memset(&seen, 0, sizeof seen);
  const stack_t old_stack = put_signal_stack();
  const struct sigaction old = put_handler(ask, 0);
  assert_status(overflow_once(asked), WASMFX_OVERFLOWED);
  assert_int_equal(seen.count, 0);
  touch_inside(asked, 16);
  assert_int_equal(seen.count, 1);
  assert_true(has_signal(ask));
  restore(&old);
  sigaltstack(&old_stack, NULL);
}

/* ---- Handlers restored ---------------------------------------------------------------------------------- */

static void the_last_ignore_restores_the_handler(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  struct world *second = world_new(NULL), *third = world_new(NULL);
  assert_status(wasmfx_overflow_catch(second->rt), WASMFX_OK);
  assert_status(wasmfx_overflow_catch(third->rt), WASMFX_OK);
  assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  assert_status(overflow_once(third->rt), WASMFX_OVERFLOWED);
  assert_status(wasmfx_overflow_ignore(second->rt), WASMFX_OK);
  assert_false(has_signal(on_fault));
  assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  assert_false(has_signal(on_fault));
  world_free(third); /* which ignores */
  assert_true(has_signal(on_fault));
  world_free(second);
  restore(&old);
}

static void catching_twice_or_ignoring_what_is_not_caught_answers_a_status(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = runtime_of(state);
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_ERROR_STATE);
  catching_above(state, &old);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_ERROR_STATE);
  ignore(rt, &old);
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_ERROR_STATE);
}

/* ---- Alternate stacks -------------------------------------------------------------------------------------- */

static bool is_on(const stack_t *stack, const char *address)
{
  return (const char *)stack->ss_sp <= address && address < (const char *)stack->ss_sp + stack->ss_size;
}

static void an_alternate_stack_of_the_hosts_is_used_and_never_replaced(void **state)
{
  struct sigaction old;
  const stack_t old_stack = put_signal_stack(), before = signal_stack();
  wasmfx_runtime_t *rt = catching_above(state, &old);
  stack_t now = signal_stack();
  assert_memory_equal(&now, &before, sizeof now);
  touch_inside(rt, 16);
  assert_true(is_on(&before, seen.frame));
  assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  now = signal_stack();
  assert_memory_equal(&now, &before, sizeof now);
  ignore(rt, &old);
  now = signal_stack();
  assert_memory_equal(&now, &before, sizeof now);
  sigaltstack(&old_stack, NULL);
}

static void disable_signal_stack(stack_t *old)
{
  const stack_t none = { .ss_flags = SS_DISABLE };
  assert_int_equal(sigaltstack(&none, old), 0);
}

static void a_thread_without_one_gets_one_until_the_last_ignore(void **state)
{
  struct sigaction old;
  stack_t old_stack;
  disable_signal_stack(&old_stack);
  wasmfx_runtime_t *rt = catching_above(state, &old);
  struct world *second = world_new(NULL);
  const stack_t given = signal_stack();
  assert_int_equal(given.ss_flags, 0);
  assert_status(wasmfx_overflow_catch(second->rt), WASMFX_OK);
  assert_ptr_equal(signal_stack().ss_sp, given.ss_sp);
  touch_inside(rt, 16);
  assert_true(is_on(&given, seen.frame));
  assert_status(overflow_once(second->rt), WASMFX_OVERFLOWED);
  world_free(second);
  assert_ptr_equal(signal_stack().ss_sp, given.ss_sp);
  ignore(rt, &old);
  assert_int_equal(signal_stack().ss_flags, SS_DISABLE);
  sigaltstack(&old_stack, NULL);
}

static void one_that_the_host_puts_later_is_used_and_stays(void **state)
{
  struct sigaction old;
  stack_t old_stack;
  disable_signal_stack(&old_stack);
  wasmfx_runtime_t *rt = catching_above(state, &old);
  put_signal_stack();
  const stack_t before = signal_stack();
  touch_inside(rt, 16);
  assert_true(is_on(&before, seen.frame));
  assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  ignore(rt, &old);
  const stack_t now = signal_stack();
  assert_memory_equal(&now, &before, sizeof now);
  sigaltstack(&old_stack, NULL);
}

static void a_thread_whose_own_stack_has_gone_gets_one_at_the_next_catch(void **state)
{
  struct sigaction old;
  stack_t none;
  const stack_t old_stack = put_signal_stack();
  wasmfx_runtime_t *rt = catching_above(state, &old);
  disable_signal_stack(&none);
  struct world *second = world_new(NULL);
  assert_status(wasmfx_overflow_catch(second->rt), WASMFX_OK);
  const stack_t given = signal_stack();
  assert_int_equal(given.ss_flags, 0);
  assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  disable_signal_stack(&none); /* that one too: it is put again */
  assert_status(wasmfx_overflow_ignore(second->rt), WASMFX_OK);
  assert_status(wasmfx_overflow_catch(second->rt), WASMFX_OK);
  assert_ptr_equal(signal_stack().ss_sp, given.ss_sp);
  assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  world_free(second);
  ignore(rt, &old);
  assert_int_equal(signal_stack().ss_flags, SS_DISABLE);
  sigaltstack(&old_stack, NULL);
}

static struct {
  wasmfx_runtime_t *rt;
  wasmfx_status_t ignored, freed;
} tidy;

static void tidy_up(int signal, siginfo_t *info, void *context)
{
  tidy.ignored = wasmfx_overflow_ignore(tidy.rt);
  tidy.freed = wasmfx_runtime_free(tidy.rt, NULL);
  on_fault(signal, info, context);
}

static void nobody_takes_away_the_stack_that_he_stands_on(void **state)
{
  stack_t old_stack;
  disable_signal_stack(&old_stack);
  tidy.rt = runtime_of(state);
  tidy.ignored = tidy.freed = WASMFX_OK;
  memset(&seen, 0, sizeof seen);
  const struct sigaction old = put_handler(tidy_up, 0);
  assert_status(wasmfx_overflow_catch(tidy.rt), WASMFX_OK);
  touch(NULL);
  assert_int_equal(seen.count, 1);
  assert_status(tidy.ignored, WASMFX_ERROR_STATE);
  assert_status(tidy.freed, WASMFX_ERROR_STATE);
  assert_status(overflow_once(tidy.rt), WASMFX_OVERFLOWED);
  assert_status(wasmfx_overflow_ignore(tidy.rt), WASMFX_OK);
  assert_int_equal(signal_stack().ss_flags, SS_DISABLE);
  sigaltstack(&old_stack, NULL);
  restore(&old);
}

/* ---- Threads ------------------------------------------------------------------------------------------------- */

enum { ROUNDS = 200 };

/* What a thread is given, and what it has seen: threads cannot fail a test themselves. */
struct visitor {
  wasmfx_runtime_t *rt;
  wasmfx_type_t *type;
  wasmfx_status_t first, second; /* of what it does */
  unsigned overflows;
  stack_t stack;
};

static void *overflow_often(void *given)
{
  struct visitor *visitor = given;
  wasmfx_cont_t k;
  visitor->first = wasmfx_overflow_catch(visitor->rt);
  for (unsigned i = 0; i < ROUNDS; i++)
    if (wasmfx_cont_new_word(visitor->rt, visitor->type, run_recursion, NULL, &k) == WASMFX_OK)
      visitor->overflows += wasmfx_resume_word(visitor->rt, &k, NULL, 0).status == WASMFX_OVERFLOWED;
  visitor->second = wasmfx_overflow_ignore(visitor->rt);
  return NULL;
}

static void threads_catch_each_for_itself(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  struct world *worlds[2];
  struct visitor visitors[2];
  pthread_t threads[2];
  memset(visitors, 0, sizeof visitors);
  for (unsigned i = 0; i < 2; i++) {
    worlds[i] = world_new(NULL);
    visitors[i].rt = worlds[i]->rt;
    visitors[i].type = type_of(worlds[i]->rt, "l:l");
    assert_int_equal(pthread_create(&threads[i], NULL, overflow_often, &visitors[i]), 0);
  }
  for (unsigned i = 0; i < 2; i++) {
    assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
    pthread_join(threads[i], NULL);
    assert_status(visitors[i].first, WASMFX_OK);
    assert_int_equal(visitors[i].overflows, ROUNDS);
    assert_status(visitors[i].second, WASMFX_OK);
    world_free(worlds[i]);
  }
  assert_false(has_signal(on_fault)); /* this thread goes on catching */
  ignore(rt, &old);
}

static void *free_and_ignore(void *given)
{
  struct visitor *visitor = given;
  visitor->first = wasmfx_runtime_free(visitor->rt, NULL);
  visitor->second = wasmfx_overflow_ignore(visitor->rt);
  return NULL;
}

static void in_a_thread(void *(*what)(void *), struct visitor *visitor)
{
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, what, visitor), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
}

static void what_one_thread_catches_another_neither_ignores_nor_frees(void **state)
{
  struct sigaction old;
  struct visitor visitor = { .rt = catching_above(state, &old) };
  in_a_thread(free_and_ignore, &visitor);
  assert_status(visitor.first, WASMFX_ERROR_STATE);
  assert_status(visitor.second, WASMFX_ERROR_STATE);
  assert_status(overflow_once(visitor.rt), WASMFX_OVERFLOWED);
  ignore(visitor.rt, &old);
}

static void *catch_and_exit(void *given)
{
  struct visitor *visitor = given;
  stack_t old;
  const stack_t none = { .ss_flags = SS_DISABLE };
  sigaltstack(&none, &old);
  visitor->first = wasmfx_overflow_catch(visitor->rt);
  sigaltstack(NULL, &visitor->stack);
  return NULL;
}

static bool is_mapped(const void *address)
{
  FILE *maps = fopen("/proc/self/maps", "r");
  uintptr_t low, high;
  bool found = false;
  char line[512];
  assert_non_null(maps);
  while (!found && fgets(line, sizeof line, maps))
    found = sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &low, &high) == 2 && low <= (uintptr_t)address &&
            (uintptr_t)address < high;
  fclose(maps);
  return found;
}

static void a_thread_that_ends_ignores_what_it_caught(void **state)
{
  struct visitor visitor = { .rt = runtime_of(state) };
  const struct sigaction old = put_handler(on_fault, 0);
  in_a_thread(catch_and_exit, &visitor);
  assert_status(visitor.first, WASMFX_OK);
  assert_int_equal(visitor.stack.ss_flags, 0);
  assert_false(is_mapped(visitor.stack.ss_sp));
  assert_true(has_signal(on_fault));
  assert_status(wasmfx_overflow_catch(visitor.rt), WASMFX_OK); /* it is this thread's now */
  assert_status(overflow_once(visitor.rt), WASMFX_OVERFLOWED);
  ignore(visitor.rt, &old);
}

/* ---- fork() ------------------------------------------------------------------------------------------------ */

static struct {
  bool is_on; /* for the tests that want it */
  pthread_t thread;
  struct visitor visitor;
  atomic_bool has_caught;
  bool has_caught_early;
} fork_test;

static void *catch_while_forking(void *given)
{
  struct visitor *visitor = given;
  visitor->first = wasmfx_overflow_catch(visitor->rt);
  atomic_store(&fork_test.has_caught, true);
  visitor->second = wasmfx_overflow_ignore(visitor->rt);
  return NULL;
}

/* Runs after the library has prepared itself, as it was registered before. */
static void at_fork(void)
{
  if (!fork_test.is_on)
    return;
  pthread_create(&fork_test.thread, NULL, catch_while_forking, &fork_test.visitor);
  for (unsigned i = 0; i < 50 && !fork_test.has_caught_early; i++) {
    usleep(1000);
    fork_test.has_caught_early = atomic_load(&fork_test.has_caught);
  }
}

static void no_thread_is_in_the_middle_of_a_catch_while_another_forks(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  struct world *second = world_new(NULL);
  fork_test.visitor = (struct visitor){ .rt = second->rt };
  fork_test.is_on = true;
  const pid_t pid = fork();
  if (pid == 0)
    _exit(0);
  fork_test.is_on = false;
  pthread_join(fork_test.thread, NULL);
  waitpid(pid, NULL, 0);
  assert_false(fork_test.has_caught_early);
  assert_true(atomic_load(&fork_test.has_caught));
  assert_status(fork_test.visitor.first, WASMFX_OK);
  assert_status(fork_test.visitor.second, WASMFX_OK);
  world_free(second);
  ignore(rt, &old);
}

static void *catch_and_fork(void *given)
{
  struct visitor *visitor = given;
  visitor->first = wasmfx_overflow_catch(visitor->rt);
  const pid_t pid = fork();
  if (pid == 0) {
    const bool is_ignored = wasmfx_overflow_ignore(visitor->rt) == WASMFX_OK;
    struct sigaction now;
    sigaction(SIGSEGV, NULL, &now);
    _exit(is_ignored && now.sa_sigaction == on_fault ? 0 : 1);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  visitor->overflows = (unsigned)status;
  visitor->second = wasmfx_overflow_ignore(visitor->rt);
  return NULL;
}

static void in_a_child_the_other_threads_do_not_count(void **state)
{
  struct sigaction old;
  wasmfx_runtime_t *rt = catching_above(state, &old);
  struct world *second = world_new(NULL);
  struct visitor visitor = { .rt = second->rt, .overflows = 1 };
  in_a_thread(catch_and_fork, &visitor);
  assert_status(visitor.first, WASMFX_OK);
  assert_int_equal(visitor.overflows, 0);
  assert_status(visitor.second, WASMFX_OK);
  world_free(second);
  assert_status(overflow_once(rt), WASMFX_OVERFLOWED);
  ignore(rt, &old);
}

/* ---- What may not be abandoned ------------------------------------------------------------------------------- */

static struct {
  unsigned count;
  const void *pc;
} question;

static int refuse(wasmfx_runtime_t *rt, const void *pc)
{
  (void)rt;
  question.count++;
  question.pc = pc;
  return 0;
}

static int accept(wasmfx_runtime_t *rt, const void *pc)
{
  (void)refuse(rt, pc);
  errno = EINTR;
  return 1;
}

static void the_host_is_asked_with_the_place_of_the_fault(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.may_abandon = accept;
  struct world *world = world_new(&config);
  memset(&question, 0, sizeof question);
  assert_status(wasmfx_overflow_catch(world->rt), WASMFX_OK);
  errno = 0;
  assert_status(overflow_once(world->rt), WASMFX_OVERFLOWED);
  assert_int_equal(errno, 0);
  assert_int_equal(question.count, 1);
  assert_true(is_in_recurse(question.pc));
  world_free(world);
}

enum { JUMPED = 7 };

/* A refused overflow goes to the handler before. This one leaves by a jump, as a host would that knows the way. */
static uint64_t run_recursion_and_jump(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  return sigsetjmp(way_out, 1) == 0 ? run_recursion(rt, env, word, from) : JUMPED;
}

static void what_the_host_refuses_goes_to_the_handler_that_was_there_before(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.may_abandon = refuse;
  struct world *world = world_new(&config);
  memset(&question, 0, sizeof question);
  memset(&seen, 0, sizeof seen);
  const struct sigaction old = put_handler(jump_out, 0);
  assert_status(wasmfx_overflow_catch(world->rt), WASMFX_OK);
  wasmfx_cont_t k = word_cont_of(world->rt, "l:l", run_recursion_and_jump, NULL);
  const wasmfx_outcome_t out = wasmfx_resume_word(world->rt, &k, NULL, 0);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(out.word, JUMPED);
  assert_int_equal(question.count, 1);
  assert_true(is_in_recurse(question.pc));
  assert_int_equal(seen.count, 1);
  world_free(world);
  restore(&old);
}

/* ---- What kills ---------------------------------------------------------------------------------------------------- */

static int in_child(void (*what)(void))
{
  fflush(NULL);
  const pid_t pid = fork();
  if (pid == 0) {
    const struct rlimit no_core = { 0, 0 };
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGSEGV, SIG_DFL);
    what();
    _exit(0);
  }
  int status = -1;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return status;
}

static void assert_dies_of_a_fault(void (*what)(void))
{
  const int status = in_child(what);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static wasmfx_runtime_config_t child_config;

/* Makes a runtime in a child, catches, and overflows. */
static void overflow_in_child(void)
{
  const struct world *world = world_new(&child_config);
  (void)wasmfx_overflow_catch(world->rt);
  wasmfx_cont_t k = word_cont_of(world->rt, "l:l", run_recursion, NULL);
  *wasmfx_cont_host_word(world->rt, k) = &child_config;
  (void)wasmfx_resume_word(world->rt, &k, NULL, 0);
}

static void overflow_in_child_that_ignores(void)
{
  const struct world *world = world_new(&child_config);
  (void)wasmfx_overflow_catch(world->rt);
  (void)wasmfx_overflow_ignore(world->rt);
  (void)overflow_once(world->rt);
}

static void overflow_that_nobody_catches_is_a_fault(void **state)
{
  (void)state;
  wasmfx_runtime_config_init(&child_config);
  assert_dies_of_a_fault(overflow_in_child_that_ignores);
  assert_int_equal(in_child(overflow_in_child), 0); /* the same one, caught */
}

static void overflow_that_may_not_be_abandoned_is_a_fault(void **state)
{
  (void)state;
  wasmfx_runtime_config_init(&child_config);
  child_config.may_abandon = refuse;
  assert_dies_of_a_fault(overflow_in_child);
}

static void recurse_at_switch(wasmfx_runtime_t *rt, void **from_word, void **to_word)
{
  (void)rt, (void)to_word;
  if (*from_word)
    recurse(0);
}

static void recurse_at_death(wasmfx_runtime_t *rt, void *word)
{
  (void)rt, (void)word;
  recurse(0);
}

/* The second stack takes all that is left of the first, which has a guard. */
static void *recurse_for_the_second_stack(void *context, size_t bytes, uint32_t tenant)
{
  static unsigned count;
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  (void)context, (void)tenant;
  if (count++)
    recurse(0);
  char *range = mmap(NULL, page + bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(range, page, PROT_NONE);
  return range + page;
}

static void keep_stack(void *context, void *memory, size_t bytes, uint32_t tenant)
{
  (void)context, (void)memory, (void)bytes, (void)tenant;
}

static uint64_t run_another(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_cont_t k = word_cont_of(rt, "l:l", run_bounds, env);
  (void)from;
  return wasmfx_resume_word(rt, &k, NULL, word).word;
}

static void return_in_child(void)
{
  const struct world *world = world_new(&child_config);
  (void)wasmfx_overflow_catch(world->rt);
  wasmfx_cont_t k = word_cont_of(world->rt, "l:l", run_another, NULL);
  *wasmfx_cont_host_word(world->rt, k) = &child_config;
  (void)wasmfx_resume_word(world->rt, &k, NULL, 0);
}

/* It runs in the middle of one of the library's functions, which nothing may stop half-way. */
static void a_function_of_the_hosts_that_the_library_calls_may_not_overflow(void **state)
{
  (void)state;
  wasmfx_runtime_config_init(&child_config);
  assert_int_equal(in_child(return_in_child), 0);
  child_config.switched = recurse_at_switch;
  assert_dies_of_a_fault(return_in_child);
  child_config.switched = NULL;
  child_config.died = recurse_at_death;
  assert_dies_of_a_fault(return_in_child);
  child_config.died = NULL;
  child_config.stack_allocator = (wasmfx_stack_allocator_t){ recurse_for_the_second_stack, keep_stack, NULL };
  assert_dies_of_a_fault(return_in_child);
}

static struct world *inner;
static wasmfx_allocator_t inner_allocator; /* of a runtime that is used in a continuation of another one */

static void *recurse_for_memory(void *context, size_t bytes)
{
  (void)context, (void)bytes;
  recurse(0);
  return NULL;
}

static void keep_memory(void *context, void *block, size_t bytes)
{
  (void)context, (void)block, (void)bytes;
}

static uint64_t run_a_runtime(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_t *made;
  (void)rt, (void)env, (void)from;
  wasmfx_runtime_config_init(&config);
  config.allocator = inner_allocator;
  (void)wasmfx_runtime_new(&config, &made);
  return word;
}

static uint64_t run_a_switch(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_scope_t root;
  (void)rt, (void)env, (void)from;
  *wasmfx_host_word(inner->rt) = &root;
  (void)wasmfx_root_enter(inner->rt, &root); /* the hook is called for the host's root */
  return word;
}

static void make_a_runtime_in_child(void)
{
  const struct world *world = world_new(NULL);
  (void)wasmfx_overflow_catch(world->rt);
  wasmfx_cont_t k = word_cont_of(world->rt, "l:l", run_a_runtime, NULL);
  (void)wasmfx_resume_word(world->rt, &k, NULL, 0);
}

static void switch_in_another_runtime_in_child(void)
{
  const struct world *world = world_new(NULL);
  inner = world_new(&child_config);
  (void)wasmfx_overflow_catch(world->rt);
  wasmfx_cont_t k = word_cont_of(world->rt, "l:l", run_a_switch, NULL);
  (void)wasmfx_resume_word(world->rt, &k, NULL, 0);
}

/* The continuation is one runtime's, the function that must not be stopped half-way another's. */
static void nor_may_one_that_another_runtime_calls(void **state)
{
  (void)state;
  wasmfx_runtime_config_init(&child_config);
  inner_allocator = (wasmfx_allocator_t){ NULL, NULL, NULL };
  assert_int_equal(in_child(make_a_runtime_in_child), 0);
  assert_int_equal(in_child(switch_in_another_runtime_in_child), 0);
  inner_allocator = (wasmfx_allocator_t){ recurse_for_memory, keep_memory, NULL };
  assert_dies_of_a_fault(make_a_runtime_in_child);
  child_config.switched = recurse_at_switch;
  assert_dies_of_a_fault(switch_in_another_runtime_in_child);
}

static unsigned overflows;

static void overflow_at_switch(wasmfx_runtime_t *rt, void **from_word, void **to_word)
{
  (void)rt, (void)from_word, (void)to_word;
  overflows += overflow_once(inner->rt) == WASMFX_OVERFLOWED;
}

/* What the host's function resumes itself, on a stack of its own, leaves nothing half-done. */
static void a_continuation_that_such_a_function_runs_may_overflow(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.switched = overflow_at_switch;
  struct world *outer = world_new(&config);
  inner = world_new(NULL);
  overflows = 0;
  assert_status(wasmfx_overflow_catch(inner->rt), WASMFX_OK);
  wasmfx_cont_t k = word_cont_of(outer->rt, "l:l", run_bounds, NULL);
  assert_outcome(wasmfx_resume_word(outer->rt, &k, NULL, 0), WASMFX_RETURNED);
  assert_int_equal(overflows, 2); /* on the host's stack, and in the continuation */
  world_free(inner);
  world_free(outer);
}

static void recurse_at_mark(wasmfx_collector_t *collector, void *context)
{
  (void)collector, (void)context;
  recurse(0);
}

static void recurse_at_trace(wasmfx_collector_t *collector, const wasmfx_stack_t *stack, void *context)
{
  (void)collector, (void)stack, (void)context;
  recurse(0);
}

static void recurse_at_stack(void *context, const wasmfx_stack_t *stack)
{
  (void)context, (void)stack;
  recurse(0);
}

static uint64_t run_collection(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)from;
  assert_status(wasmfx_collect(rt, env, NULL), WASMFX_OK);
  return word;
}

static uint64_t run_visit(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_visitor_t visitor = { recurse_at_stack, NULL, NULL };
  wasmfx_cont_t k = word_cont_of(rt, "l:l", run_bounds, NULL);
  (void)from;
  switch (*(char *)env) {
  case 'r': wasmfx_visit_running(rt, &visitor); break;
  case 'c': (void)wasmfx_visit_cont(rt, k, &visitor); break;
  default: break;
  }
  return word;
}

static wasmfx_word_entry_t child_body;
static void *child_env;

static void run_body_in_child(void)
{
  const struct world *world = world_new(NULL);
  (void)wasmfx_overflow_catch(world->rt);
  wasmfx_cont_t k = word_cont_of(world->rt, "l:l", child_body, child_env);
  (void)wasmfx_resume_word(world->rt, &k, NULL, 0);
}

static void a_function_that_a_collection_calls_may_not_overflow(void **state)
{
  wasmfx_roots_t roots = { NULL, NULL, NULL };
  (void)state;
  child_body = run_collection;
  child_env = &roots;
  assert_int_equal(in_child(run_body_in_child), 0);
  roots.mark = recurse_at_mark;
  assert_dies_of_a_fault(run_body_in_child);
  roots = (wasmfx_roots_t){ NULL, recurse_at_trace, NULL };
  assert_dies_of_a_fault(run_body_in_child);
  child_body = run_visit;
  child_env = "n";
  assert_int_equal(in_child(run_body_in_child), 0);
  child_env = "r";
  assert_dies_of_a_fault(run_body_in_child);
  child_env = "c";
  assert_dies_of_a_fault(run_body_in_child);
}

static void die_of_a_sent_fault(void)
{
  const struct world *world = world_new(NULL);
  (void)wasmfx_overflow_catch(world->rt);
  raise(SIGSEGV);
}

static void die_of_a_null_pointer(void)
{
  const struct world *world = world_new(NULL);
  (void)wasmfx_overflow_catch(world->rt);
  touch_inside(world->rt, 16);
}

static void ignore_and_die_of_a_null_pointer(void)
{
  signal(SIGSEGV, SIG_IGN); /* for a fault that is sent; the kernel kills for others */
  die_of_a_null_pointer();
}

static void note_and_come_again(int signal, siginfo_t *info, void *context)
{
  (void)signal, (void)info, (void)context;
  if (++seen.count > 1)
    _exit(1);
}

static void die_after_one_report(void)
{
  memset(&seen, 0, sizeof seen);
  put_handler(note_and_come_again, (int)SA_RESETHAND);
  die_of_a_null_pointer();
}

static void on_upper_fault(int signal, siginfo_t *info, void *context)
{
  on_fault(signal, info, context);
}

/* The upper one of two layers was for one fault only; the lower one is not asked in its place. */
static void die_when_the_upper_handler_is_used_up(void)
{
  memset(&seen, 0, sizeof seen);
  put_handler(on_fault, 0);
  const struct world *world = world_new(NULL);
  (void)wasmfx_overflow_catch(world->rt);
  put_handler(on_upper_fault, (int)SA_RESETHAND);
  catch_again(world->rt);
  touch_inside(world->rt, 16);
  if (seen.count == 1)
    touch_inside(world->rt, 16);
  _exit(1);
}

static void a_fault_that_nobody_handles_kills_as_ever(void **state)
{
  (void)state;
  assert_dies_of_a_fault(die_of_a_sent_fault);
  assert_dies_of_a_fault(die_of_a_null_pointer);
  assert_dies_of_a_fault(ignore_and_die_of_a_null_pointer);
  assert_dies_of_a_fault(die_after_one_report);
  assert_dies_of_a_fault(die_when_the_upper_handler_is_used_up);
}

int main(void)
{
  pthread_atfork(at_fork, NULL, NULL); /* before the library's: these run the other way round */
  const struct CMUnitTest tests[] = {
    in_a_world(a_null_pointer_goes_to_the_handler_that_was_there_before),
    in_a_world(the_guard_of_another_stack_is_no_overflow),
    in_a_world(the_own_guard_is_no_overflow_while_the_stack_pointer_is_far_away),
    in_a_world(the_stack_pointer_near_the_guard_makes_no_overflow_of_another_fault),
    in_a_world(a_stack_of_the_hosts_does_not_overflow_into_ours),
    in_a_world(a_fault_outside_of_any_continuation_is_no_overflow),
    in_a_world(the_handler_before_runs_with_the_mask_that_it_asked_for),
    in_a_world(the_handler_before_may_want_its_own_signal_unblocked),
    in_a_world(the_handler_before_may_be_for_one_fault_only),
    in_a_world(the_handler_before_may_be_one_without_siginfo),
    in_a_world(a_fault_that_is_sent_stays_ignored_where_it_was),
    in_a_world(the_handler_before_may_leave_by_a_jump),
    in_a_world(a_handler_above_may_call_the_librarys),
    in_a_world(a_handler_above_stays_after_the_last_ignore_and_may_go_on_calling),
    in_a_world(handlers_that_come_above_time_and_again_are_each_called_once),
    in_a_world(above_too_many_handlers_catching_is_refused),
    in_a_world(a_handler_that_comes_above_again_and_again_counts_once),
    in_a_world(a_host_may_put_the_librarys_handler_back_when_it_has_gone),
    in_a_world(a_handler_above_may_leave_by_a_jump_and_gets_the_next_fault),
    in_a_world(a_fault_that_was_left_by_a_jump_is_forgotten),
    in_a_world(a_host_with_a_handler_of_its_own_asks_from_there),
    in_a_world(the_last_ignore_restores_the_handler),
    in_a_world(catching_twice_or_ignoring_what_is_not_caught_answers_a_status),
    in_a_world(an_alternate_stack_of_the_hosts_is_used_and_never_replaced),
    in_a_world(a_thread_without_one_gets_one_until_the_last_ignore),
    in_a_world(one_that_the_host_puts_later_is_used_and_stays),
    in_a_world(a_thread_whose_own_stack_has_gone_gets_one_at_the_next_catch),
    in_a_world(nobody_takes_away_the_stack_that_he_stands_on),
    in_a_world(threads_catch_each_for_itself),
    in_a_world(what_one_thread_catches_another_neither_ignores_nor_frees),
    in_a_world(a_thread_that_ends_ignores_what_it_caught),
    in_a_world(no_thread_is_in_the_middle_of_a_catch_while_another_forks),
    in_a_world(in_a_child_the_other_threads_do_not_count),
    cmocka_unit_test(the_host_is_asked_with_the_place_of_the_fault),
    cmocka_unit_test(what_the_host_refuses_goes_to_the_handler_that_was_there_before),
    cmocka_unit_test(overflow_that_nobody_catches_is_a_fault),
    cmocka_unit_test(overflow_that_may_not_be_abandoned_is_a_fault),
    cmocka_unit_test(a_function_of_the_hosts_that_the_library_calls_may_not_overflow),
    cmocka_unit_test(nor_may_one_that_another_runtime_calls),
    cmocka_unit_test(a_continuation_that_such_a_function_runs_may_overflow),
    cmocka_unit_test(a_function_that_a_collection_calls_may_not_overflow),
    cmocka_unit_test(a_fault_that_nobody_handles_kills_as_ever),
  };
  return cmocka_run_group_tests_name("overflow-signals", tests, NULL, NULL);
}
