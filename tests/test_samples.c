/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profiler: a timer interrupts a program that does nothing but switch, ten thousand times a second. Each time the
 * handler asks what is running, and walks the stack, with libunwind and with the C library. The answers must fit
 * together wherever in the library it was.
 *
 * With an argument that is how many switches there are to be, and progress is told.
 */
#define _GNU_SOURCE
#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

enum { MAX_FRAMES = 64, START_BYTES = 64, PERIOD_NS = 100000, SWITCHES_OF_A_ROUND = 116, PAUSES = 50 };

static uint64_t switches_wanted = 10000000;

static bool is_long_run(void)
{
  return switches_wanted >= 100000000;
}

/* ---- What the handler knows of the program -------------------------------------------------------------- */

enum { HOST, PAUSER, GENERAL, RING_A, RING_B, OUTER, INNER, SHORT, THROWER, ACTORS };

/* Who runs: the host word of a side points to it. */
struct actor {
  volatile uint64_t id; /* 0: not known yet */
  void *volatile low, *volatile high;
};

static struct program {
  wasmfx_runtime_t *rt;
  wasmfx_type_t *task, *peer;   /* [i64] -> [i64], [i64 contref] -> [i64] */
  wasmfx_tag_t *pause;          /* [i64] -> [i64] */
  wasmfx_tag_t *pause_pair;     /* [i64 i64] -> [i64 i64] */
  wasmfx_tag_t *swap, *oops;    /* [] -> [i64], [] -> [] */
  const wasmfx_handlers_t *handlers;
  struct actor actors[ACTORS];
  wasmfx_cont_t conts[ACTORS];
  volatile bool is_wrong;
} program;

/* ---- Samples ---------------------------------------------------------------------------------------------- */

static struct {
  volatile uint64_t samples, of_host, of_continuations, in_program;
  const char *volatile complaint; /* the first */
  void *volatile complaint_at;
} seen;

static void complain(const char *what, void *pc)
{
  if (!seen.complaint) {
    seen.complaint_at = pc;
    seen.complaint = what;
  }
}

/* The program's own functions lie together. */
#define PROGRAM __attribute__((noinline, section("part_program")))
extern const char __start_part_program[], __stop_part_program[];
extern void _start(void);

static bool is_in_program(const char *pc)
{
  return __start_part_program <= pc && pc < __stop_part_program;
}

static bool is_in_start(uintptr_t pc)
{
  return (uintptr_t)_start <= pc && pc < (uintptr_t)_start + START_BYTES;
}

static const char *wrong_about_current(const wasmfx_current_t *current)
{
  const struct actor *actor = current->host_word;
  if (actor < program.actors || actor >= program.actors + ACTORS)
    return "the host word is nobody's";
  if (current->id == 0 && (current->low || current->high))
    return "no id, but a stack";
  if (current->id == 0 && actor != &program.actors[HOST] && actor->id)
    return "no id, but it has started";
  if (current->id && actor == &program.actors[HOST])
    return "an id with the host's word";
  if (current->id && current->low >= current->high)
    return "a stack without bytes";
  if (current->id && actor->id && current->id != actor->id)
    return "the id and the host word are not of the same one";
  if (current->id && actor->id && (current->low != actor->low || current->high != actor->high))
    return "the stack is not that of this id";
  return NULL;
}

/* In the program itself there is no doubt who runs. */
static const char *wrong_about_stack(const wasmfx_current_t *current, const char *pc, const char *sp)
{
  if (!is_in_program(pc))
    return NULL;
  const bool is_on_it = (const char *)current->low <= sp && sp < (const char *)current->high;
  return is_on_it == (current->id != 0) ? NULL : "the stack pointer is not on the stack";
}

/* libunwind has one of the same name, with rules of its own for frames that are simple. */
static int (*libc_backtrace)(void **frames, int count);

static bool comes_to_start(int (*walk)(void **frames, int count))
{
  void *frames[MAX_FRAMES];
  const int count = walk(frames, MAX_FRAMES);
  return count > 0 && is_in_start((uintptr_t)frames[count - 1]);
}

static const char *wrong_about_walks(ucontext_t *context)
{
  unw_cursor_t cursor;
  unw_word_t pc = 0;
  int step = unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME) == 0 ? 1 : -1;
  for (int frame = 0; frame < MAX_FRAMES && step > 0; frame++) {
    unw_get_reg(&cursor, UNW_REG_IP, &pc);
    step = unw_step(&cursor);
  }
  if (step != 0 || !is_in_start(pc))
    return "libunwind does not come to _start";
  if (!comes_to_start(unw_backtrace))
    return "unw_backtrace() does not come to _start";
  return comes_to_start(libc_backtrace) ? NULL : "backtrace() does not come to _start";
}

static void take_sample(int number, siginfo_t *info, void *data)
{
  const int error = errno;
  ucontext_t *context = data;
  char *pc = (char *)context->uc_mcontext.gregs[REG_RIP];
  const char *sp = (const char *)context->uc_mcontext.gregs[REG_RSP];
  wasmfx_current_t current;
  (void)number, (void)info;
  wasmfx_current(program.rt, &current);
  const char *wrong = wrong_about_current(&current);
  if (!wrong)
    wrong = wrong_about_stack(&current, pc, sp);
  if (!wrong)
    wrong = wrong_about_walks(context);
  if (wrong)
    complain(wrong, pc);
  seen.samples++;
  seen.of_host += current.id == 0;
  seen.of_continuations += current.id != 0;
  seen.in_program += is_in_program(pc);
  errno = error;
}

static timer_t start_samples(void)
{
  static char alternate[256 << 10];
  const stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
  struct sigaction action;
  struct sigevent event;
  const struct itimerspec every = { { 0, PERIOD_NS }, { 0, PERIOD_NS } };
  timer_t timer;
  void *frames[2], *libc = dlopen("libc.so.6", RTLD_LAZY);
  assert_non_null(libc);
  *(void **)&libc_backtrace = dlsym(libc, "backtrace");
  libc_backtrace(frames, 2); /* the first call loads a library */
  dlclose(libc);
  memset(&seen, 0, sizeof seen);
  memset(&action, 0, sizeof action);
  action.sa_sigaction = take_sample;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGPROF;
  assert_int_equal(sigaltstack(&stack, NULL), 0);
  assert_int_equal(sigaction(SIGPROF, &action, NULL), 0);
  assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  assert_int_equal(timer_settime(timer, 0, &every, NULL), 0);
  return timer;
}

/* ---- The program ------------------------------------------------------------------------------------------- */

/* Makes itself known. The id comes last: until then nothing is held against it. */
PROGRAM static void enter(wasmfx_runtime_t *rt)
{
  struct actor *self = *wasmfx_host_word(rt);
  wasmfx_current_t current;
  wasmfx_current(rt, &current);
  self->low = current.low;
  self->high = current.high;
  self->id = current.id;
}

PROGRAM static void expect(wasmfx_outcome_t outcome, wasmfx_status_t status)
{
  program.is_wrong = program.is_wrong || outcome.status != status;
}

PROGRAM static uint64_t pause_for_ever(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  enter(rt);
  while (!program.is_wrong)
    word = wasmfx_suspend_word(rt, program.pause, word).word;
  return word;
}

PROGRAM static void pause_with_pairs(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args,
                                     wasmfx_value_t *results)
{
  wasmfx_value_t pair[2] = { args[0], args[0] };
  (void)env, (void)results;
  enter(rt);
  while (!program.is_wrong)
    expect(wasmfx_suspend(rt, program.pause_pair, pair, 2), WASMFX_RETURNED);
}

PROGRAM static uint64_t switch_back_for_ever(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t other)
{
  (void)env;
  enter(rt);
  while (!program.is_wrong)
    word = wasmfx_switch_word(rt, &other, program.swap, NULL, word).word;
  return word;
}

PROGRAM static uint64_t switch_and_pause(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  enter(rt);
  while (!program.is_wrong) {
    word = wasmfx_switch_word(rt, &program.conts[RING_B], program.swap, NULL, word).word;
    word = wasmfx_suspend_word(rt, program.pause, word).word;
  }
  return word;
}

PROGRAM static uint64_t resume_inner(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  enter(rt);
  return wasmfx_resume_word(rt, &program.conts[INNER], NULL, word).word;
}

PROGRAM static uint64_t return_at_once(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  enter(rt);
  return word;
}

PROGRAM static uint64_t throw_at_once(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  enter(rt);
  wasmfx_throw(rt, program.oops, NULL, 0);
  return word;
}

/* The one who had the part before is dead; the new one is not known yet. */
PROGRAM static void cast(int part, const wasmfx_type_t *type, wasmfx_word_entry_t entry)
{
  program.actors[part].id = 0;
  if (wasmfx_cont_new_word(program.rt, type, entry, NULL, &program.conts[part]) < 0)
    program.is_wrong = true;
  else
    *wasmfx_cont_host_word(program.rt, program.conts[part]) = &program.actors[part];
}

PROGRAM static wasmfx_outcome_t resume(int part)
{
  return wasmfx_resume_word(program.rt, &program.conts[part], program.handlers, 1);
}

static void prepare(const wasmfx_runtime_config_t *config)
{
  wasmfx_runtime_t *rt;
  memset(&program, 0, sizeof program);
  assert_status(wasmfx_runtime_new(config, &rt), WASMFX_OK);
  program.rt = rt;
  program.task = type_of(rt, "l:l");
  program.peer = type_of(rt, "lc:l");
  program.pause = tag_of(rt, "l:l");
  program.pause_pair = tag_of(rt, "ll:ll");
  program.swap = tag_of(rt, ":l");
  program.oops = tag_of(rt, ":");
  program.handlers =
    HANDLERS(rt, ON_LABEL(program.pause), ON_LABEL(program.pause_pair), ON_SWITCH(program.swap));
  *wasmfx_host_word(rt) = &program.actors[HOST];
  cast(PAUSER, program.task, pause_for_ever);
  cast(RING_A, program.task, switch_and_pause);
  cast(RING_B, program.peer, switch_back_for_ever);
  cast(OUTER, program.task, resume_inner);
  cast(INNER, program.task, pause_for_ever);
  program.conts[GENERAL] = cont_of(rt, "ll:", pause_with_pairs, NULL);
  *wasmfx_cont_host_word(rt, program.conts[GENERAL]) = &program.actors[GENERAL];
}

PROGRAM static void go_round(void)
{
  const wasmfx_value_t pair[2] = { { .i64 = 1 }, { .i64 = 2 } };
  for (int i = 0; i < PAUSES; i++)
    expect(resume(PAUSER), WASMFX_SUSPENDED);
  for (int i = 0; i < 2; i++)
    expect(wasmfx_resume(program.rt, &program.conts[GENERAL], program.handlers, pair, 2), WASMFX_SUSPENDED);
  expect(resume(RING_A), WASMFX_SUSPENDED); /* A, B, A: four switches */
  expect(resume(OUTER), WASMFX_SUSPENDED);  /* a chain of two */
  cast(SHORT, program.task, return_at_once);
  expect(resume(SHORT), WASMFX_RETURNED);
  cast(THROWER, program.task, throw_at_once);
  expect(resume(THROWER), WASMFX_THREW);
}

static void do_nothing(wasmfx_runtime_t *rt, void **from_word, void **to_word)
{
  (void)rt, (void)from_word, (void)to_word;
}

static double cpu_seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Of the time that the process had, since others may run on this processor. Handlers, which walk three times, are most of
 * it; machines that are busy, or virtual, deliver late. */
static void check_rate(double seconds)
{
  const double wanted = seconds * 1e9 / PERIOD_NS, part = is_long_run() ? 0.1 : 0.01;
  print_message("# %.0f samples a second, %.0f %% of those wanted\n", (double)seen.samples / seconds,
                100 * (double)seen.samples / wanted);
  assert_true((double)seen.samples >= part * wanted);
}

static void run_sampled(const wasmfx_runtime_config_t *config, uint64_t switches)
{
  prepare(config);
  const timer_t timer = start_samples();
  const double began = cpu_seconds();
  for (uint64_t done = 0, told = 1; done < switches; done += SWITCHES_OF_A_ROUND) {
    go_round();
    if (is_long_run() && done >= told * switches / 10)
      print_message("# %d0 %% of %lu switches, %lu samples\n", (int)told++, (unsigned long)switches,
                    (unsigned long)seen.samples);
  }
  const double seconds = cpu_seconds() - began;
  assert_int_equal(timer_delete(timer), 0);
  assert_int_equal(signal(SIGPROF, SIG_IGN) == SIG_ERR, 0);
  if (seen.complaint)
    print_error("at wasmfx_resume_word%+td: %s\n",
                (const char *)seen.complaint_at - (const char *)(uintptr_t)wasmfx_resume_word, seen.complaint);
  assert_null(seen.complaint);
  assert_false(program.is_wrong);
  assert_true(seen.samples > 0 && seen.of_host > 0 && seen.of_continuations > 0 && seen.samples > seen.in_program);
  print_message("# %lu samples: %lu of the host, %lu of continuations; %lu in the program itself\n",
                (unsigned long)seen.samples, (unsigned long)seen.of_host, (unsigned long)seen.of_continuations,
                (unsigned long)seen.in_program);
  check_rate(seconds);
  assert_status(wasmfx_runtime_free(program.rt, NULL), WASMFX_OK);
}

/* ---- Tests ----------------------------------------------------------------------------------------------------- */

static void samples_are_consistent_on_the_short_paths(void **state)
{
  (void)state;
  run_sampled(NULL, switches_wanted);
}

static void samples_are_consistent_with_float_control_words(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.float_control = 1;
  run_sampled(&config, switches_wanted / 4);
}

static void samples_are_consistent_with_a_hook(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.switched = do_nothing;
  run_sampled(&config, switches_wanted / 4);
}

/* ---- What is asked without a signal ------------------------------------------------------------------------------ */

enum { IDS = 20000 };

static int compare(const void *a, const void *b)
{
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static uint64_t answer_id(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_current_t current, later;
  (void)from;
  wasmfx_current(rt, &current);
  if (word)
    wasmfx_suspend_word(rt, env, 0);
  wasmfx_current(rt, &later);
  assert_int_equal(current.id, later.id);
  return current.id;
}

static void no_two_continuations_have_the_same_id_ever(void **state)
{
  static uint64_t ids[IDS];
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *pause = tag_of(rt, "l:l");
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(pause));
  wasmfx_type_t *type = type_of(rt, "l:l");
  wasmfx_current_t current;
  wasmfx_current(rt, &current);
  assert_int_equal(current.id, 0);
  for (uint64_t i = 0; i < IDS; i++) {
    wasmfx_cont_t cont;
    assert_status(wasmfx_cont_new_word(rt, type, answer_id, pause, &cont), WASMFX_OK);
    wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, handlers, i % 2);
    if (outcome.status == WASMFX_SUSPENDED)
      outcome = wasmfx_resume_word(rt, &cont, handlers, 0);
    assert_outcome(outcome, WASMFX_RETURNED);
    ids[i] = outcome.word;
    assert_int_not_equal(ids[i], 0);
  }
  qsort(ids, IDS, sizeof *ids, compare);
  for (size_t i = 1; i < IDS; i++)
    assert_true(ids[i] != ids[i - 1]);
}

static uint64_t look_in_a_root(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_current_t outside, inside;
  wasmfx_scope_t scope;
  (void)env, (void)from;
  wasmfx_current(rt, &outside);
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  *wasmfx_host_word(rt) = &scope;
  wasmfx_current(rt, &inside);
  assert_int_equal(inside.id, outside.id);
  assert_ptr_equal(inside.low, outside.low);
  assert_ptr_equal(inside.high, outside.high);
  assert_ptr_equal(inside.host_word, &scope);
  assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
  return word;
}

static void a_root_has_the_stack_of_who_opened_it_and_a_word_of_its_own(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", look_in_a_root, NULL);
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 0), WASMFX_RETURNED);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    in_a_world(no_two_continuations_have_the_same_id_ever),
    in_a_world(a_root_has_the_stack_of_who_opened_it_and_a_word_of_its_own),
    cmocka_unit_test(samples_are_consistent_on_the_short_paths),
    cmocka_unit_test(samples_are_consistent_with_float_control_words),
    cmocka_unit_test(samples_are_consistent_with_a_hook),
  };
  if (argc > 1)
    switches_wanted = strtoull(argv[1], NULL, 10);
  return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
