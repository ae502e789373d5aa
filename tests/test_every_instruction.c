/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps through the library one instruction at a time, and from each of them walks the stack by its call frame
 * information, as a profiler or a debugger does that stops anywhere.
 *
 * The cast is the host H and the bodies A and B. A walk is read as a text of those that it passes, innermost first:
 * "BAH" is B, resumed by A, resumed by the host. It must end in main() and _start. A program is the sequence of what is
 * read on its way, each text once for as long as it stays: "H AH H" is a resume and a return. Any walk that is broken,
 * that misses somebody or goes the wrong way at a single instruction is a text more.
 *
 * Each program is run as it is, with float control words, with a hook, with both, and without guards, since these take
 * other paths.
 * With an argument, the instructions that were met are written to that file, for every_instruction.sh to find those
 * that were not.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its longjmp takes a jump to another stack for an error */
#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <wasmfx/backtrace.h>
#include <wasmfx/fiber.h>
#include <wasmfx/overflow.h>

#include "fiber_tls.h"

/* ---- The cast: sections tell who is who ------------------------------------------------------------- */

#define PART(who) __attribute__((noinline, section("part_" #who)))

extern const char __start_part_A[], __stop_part_A[], __start_part_B[], __stop_part_B[];
extern const char __start_part_H[], __stop_part_H[], __start_part_M[], __stop_part_M[];
extern void _start(void);

static const struct {
  const char *start, *stop;
  char letter;
} parts[] = {
  { __start_part_A, __stop_part_A, 'A' },
  { __start_part_B, __stop_part_B, 'B' },
  { __start_part_H, __stop_part_H, 'H' },
  { __start_part_M, __stop_part_M, 'M' },
};

static char letter_at(const char *pc)
{
  for (size_t i = 0; i < COUNT_OF(parts); i++)
    if (parts[i].start <= pc && pc < parts[i].stop)
      return parts[i].letter;
  return '\0';
}

/* ---- Steps and walks --------------------------------------------------------------------------------- */

enum { MAX_FRAMES = 64, MAX_WALKS = 64, START_BYTES = 64, TRAP_FLAG = 0x100, REACH = 1 << 16 };

static volatile bool is_stepping;
static char walks[MAX_WALKS][MAX_FRAMES];
static const char *first_at[MAX_WALKS]; /* the instruction from which a walk was read first */
static size_t walk_count;
static const wasmfx_runtime_t *seen_runtime;
static bool is_met[2 * REACH]; /* instructions, by their distance from wasmfx_resume() */

static ptrdiff_t distance_of(const char *pc)
{
  return pc - (const char *)(uintptr_t)wasmfx_resume;
}

static bool is_in_start(uintptr_t pc)
{
  return (uintptr_t)_start <= pc && pc < (uintptr_t)_start + START_BYTES;
}

/* By the shorter way that libunwind has for frames that are simple, or that it takes for simple. */
static bool shorter_way_comes_to_start(void)
{
  void *frames[MAX_FRAMES];
  const int count = unw_backtrace(frames, MAX_FRAMES);
  return count > 0 && is_in_start((uintptr_t)frames[count - 1]);
}

/* The C library's, with the compiler's unwinder. From the handler on: it crosses the signal by itself. */
static int (*libc_backtrace)(void **frames, int count);

static bool libc_comes_to_start(void)
{
  void *frames[MAX_FRAMES];
  const int count = libc_backtrace(frames, MAX_FRAMES);
  return count > 0 && is_in_start((uintptr_t)frames[count - 1]);
}

/* libunwind has one of the same name; and the first call loads a library. */
static void load_libc_backtrace(void)
{
  void *frames[2], *libc = dlopen("libc.so.6", RTLD_LAZY);
  assert_non_null(libc);
  *(void **)&libc_backtrace = dlsym(libc, "backtrace");
  libc_backtrace(frames, 2);
  dlclose(libc);
}

/* In the pinned tier the last instructions of who leaves stand in its own function. They are seen as called by who
 * goes on: "HAH" where the host resumes. */
static bool is_leaving(const char *pc)
{
  static const char cut[] = "\x49\xc7\x41\x20", load_sp[] = "\x48\x8b\x60\x10", load_fp[] = "\x48\x8b\x68\x18",
                    go_on[] = "\xff\x60\x08";
  return letter_at(pc) && (memcmp(pc, cut, 4) == 0 || memcmp(pc, load_sp, 4) == 0 || memcmp(pc, load_fp, 4) == 0 ||
                           memcmp(pc, go_on, 3) == 0);
}

/* The library's own backtraces come to the same, but for the frames of the verbs at borders, which they leave out. */
static bool backtrace_comes_to_start(const wasmfx_runtime_t *rt, const ucontext_t *context, const char *expected)
{
  wasmfx_frame_t frames[MAX_FRAMES];
  size_t count = 0, length = 0;
  char last = '\0';
  if (wasmfx_backtrace_at(rt, context, frames, MAX_FRAMES, &count) != WASMFX_OK)
    return true; /* built without */
  for (size_t i = count && is_leaving(frames[0].pc); i < count; i++) {
    const char letter = letter_at(frames[i].pc);
    if (letter && letter != last && letter != expected[length++])
      return false;
    last = letter ? letter : last;
  }
  return count > 0 && expected[length] == '\0' && is_in_start((uintptr_t)frames[count - 1].pc);
}

/* Where it did not end as it should there is a '!', or a '?' if the shorter way did not, a '~' if the library's, a '^'
 * if the C library's. */
static void read_walk(ucontext_t *context, char *text)
{
  unw_cursor_t cursor;
  unw_word_t pc = 0;
  size_t length = 0;
  int step = unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME) == 0 ? 1 : -1;
  for (int frame = 0; frame < MAX_FRAMES && step > 0; frame++) {
    unw_get_reg(&cursor, UNW_REG_IP, &pc);
    const char letter = letter_at((const char *)(uintptr_t)pc);
    if (letter && (length == 0 || text[length - 1] != letter) && !(frame == 0 && is_leaving((const char *)pc)))
      text[length++] = letter;
    step = unw_step(&cursor);
  }
  text[length] = '\0';
  const bool is_agreed = backtrace_comes_to_start(seen_runtime, context, text);
  if (step == 0 && is_in_start(pc) && length && text[length - 1] == 'M')
    length--;
  else
    text[length++] = '!';
  if (!is_agreed)
    text[length++] = '~';
  if (!shorter_way_comes_to_start())
    text[length++] = '?';
  if (!libc_comes_to_start())
    text[length++] = '^';
  text[length] = '\0';
}

/* Some of the C library's functions run on into the next (memset, fortified): what fills the place between the two is
 * in no table of frames. */
static bool is_between_functions(const char *pc)
{
  extern const char __executable_start, etext;
  extern const void *_Unwind_Find_FDE(void *pc, void *bases); /* the compiler's */
  void *bases[3];
  return (pc < &__executable_start || pc >= &etext) && !_Unwind_Find_FDE((void *)(uintptr_t)pc, bases);
}

static void look(ucontext_t *context)
{
  const char *pc = (const char *)(uintptr_t)context->uc_mcontext.gregs[REG_RIP];
  char *text = walks[walk_count];
  if (walk_count == MAX_WALKS || is_between_functions(pc))
    return;
  if (-REACH <= distance_of(pc) && distance_of(pc) < REACH)
    is_met[REACH + distance_of(pc)] = true;
  read_walk(context, text);
  if (walk_count == 0 || strcmp(text, walks[walk_count - 1]) != 0)
    first_at[walk_count++] = pc;
}

static void on_step(int number, siginfo_t *info, void *context)
{
  const int error = errno;
  greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];
  (void)number, (void)info;
  *flags = is_stepping ? *flags | TRAP_FLAG : *flags & ~TRAP_FLAG;
  if (is_stepping)
    look(context);
  errno = error;
}

/* The handler of `number` runs on a stack of its own. */
static void handle(int number, void (*handler)(int number, siginfo_t *info, void *context))
{
  static char alternate[256 << 10];
  const stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  assert_int_equal(sigaltstack(&stack, NULL), 0);
  assert_int_equal(sigaction(number, &action, NULL), 0);
}

/* ---- The stage ------------------------------------------------------------------------------------------ */

/* What the programs need. While they run they make no assertions, which would be stepped through as well. */
struct stage {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *first, *second, *third, *fourth, *fifth; /* [i64] -> [i64]; only the first takes the shortest path */
  wasmfx_tag_t *many;           /* [i64 i64] -> [i64 i64] */
  wasmfx_tag_t *swap;           /* [] -> [i64] */
  wasmfx_tag_t *oops;           /* [] -> [] */
  const wasmfx_type_t *word_and_other; /* [i64 contref] -> [i64] */
  const wasmfx_handlers_t *handlers;
  wasmfx_cont_t a, b;
  bool is_right;
  jmp_buf out;
};

static void expect(struct stage *stage, bool condition)
{
  stage->is_right = stage->is_right && condition;
}

static void expect_status(struct stage *stage, wasmfx_outcome_t outcome, wasmfx_status_t status)
{
  expect(stage, outcome.status == status);
}

static void do_nothing(wasmfx_runtime_t *rt, void **from_word, void **to_word)
{
  (void)rt, (void)from_word, (void)to_word;
}

/* What there is in a world. */
struct world_of_walks {
  bool float_control, hook, no_guards;
  uint32_t cached_stacks;
  size_t host_stack_bytes;
};

static void prepare(struct stage *stage, const struct world_of_walks *world)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.float_control = world->float_control;
  config.switched = world->hook ? do_nothing : NULL;
  config.guard = world->no_guards ? WASMFX_GUARD_NONE : WASMFX_GUARD_AUTO;
  config.cached_stacks = world->cached_stacks;
  config.max_stacks = 4; /* or most instructions were those that make guards for more */
  config.host_stack_bytes = world->host_stack_bytes;
  if (world->host_stack_bytes)
    for (unsigned i = 0; i < WASMFX_STACK_CLASSES; i++)
      config.stack_bytes[i] = 2 * world->host_stack_bytes;
  memset(stage, 0, sizeof *stage);
  assert_status(wasmfx_runtime_new(&config, &stage->rt), WASMFX_OK);
  stage->first = tag_of(stage->rt, "l:l");
  stage->second = tag_of(stage->rt, "l:l");
  stage->third = tag_of(stage->rt, "l:l");
  stage->fourth = tag_of(stage->rt, "l:l");
  stage->fifth = tag_of(stage->rt, "l:l");
  stage->many = tag_of(stage->rt, "ll:ll");
  stage->swap = tag_of(stage->rt, ":l");
  stage->oops = tag_of(stage->rt, ":");
  stage->word_and_other = type_of(stage->rt, "lc:l");
  stage->handlers = HANDLERS(stage->rt, ON_LABEL(stage->first), ON_LABEL(stage->second), ON_LABEL(stage->third),
                             ON_LABEL(stage->fourth), ON_LABEL(stage->fifth), ON_LABEL(stage->many),
                             ON_SWITCH(stage->swap));
  stage->is_right = true;
}

static void go(void)
{
  is_stepping = true;
  raise(SIGTRAP);
}

static void stop(void)
{
  is_stepping = false;
}

/* What was read, each text behind the last. The first is from where stepping begins: nobody is on stage yet. */
static void assert_texts(const char *expected)
{
  char text[MAX_WALKS * MAX_FRAMES] = "";
  for (size_t k = 1; k < walk_count; k++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", k > 1 ? " " : "", walks[k]);
  if (walk_count && strcmp(walks[walk_count - 1], "") == 0)
    text[strlen(text) - 1] = '\0';
  if (strcmp(text, expected) != 0)
    for (size_t k = 0; k < walk_count; k++)
      print_error("  \"%s\" from wasmfx_resume%+td\n", walks[k], distance_of(first_at[k]));
  assert_string_equal(text, expected);
}

/* Runs a program step by step, in some worlds. */
static void assert_walks_in(const struct world_of_walks *worlds, size_t count, void (*set_up)(struct stage *stage),
                            void (*program)(struct stage *stage), const char *expected)
{
  for (size_t i = 0; i < count; i++) {
    static struct stage stage;
    prepare(&stage, &worlds[i]);
    set_up(&stage);
    walk_count = 0;
    seen_runtime = stage.rt;
    go();
    program(&stage);
    stop();
    assert_texts(expected);
    assert_true(stage.is_right);
    assert_live(stage.rt, 0, 0);
    assert_status(wasmfx_runtime_free(stage.rt, NULL), WASMFX_OK);
  }
}

/* The other tiers have ways of their own in the first of these only; in the rest they decline. */
static const struct world_of_walks guarded[] = { { .hook = false }, { .float_control = true, .hook = true },
#ifndef WASMFX_FAST_H
                                                 { .float_control = true }, { .hook = true },
#endif
};
static const struct world_of_walks unguarded[] = { { .no_guards = true } };

static void assert_walks(void (*set_up)(struct stage *stage), void (*program)(struct stage *stage),
                         const char *expected)
{
  assert_walks_in(guarded, COUNT_OF(guarded), set_up, program, expected);
  assert_walks_in(unguarded, COUNT_OF(unguarded), set_up, program, expected);
}

/* ---- resume, suspend, return --------------------------------------------------------------------------------- */

PART(A) static uint64_t a_suspends_twice(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  expect_status(stage, wasmfx_suspend_word(rt, stage->first, word), WASMFX_RETURNED);
  expect_status(stage, wasmfx_suspend_word(rt, stage->second, word), WASMFX_RETURNED);
  return word;
}

static void two_that_suspend(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_suspends_twice, stage);
  stage->b = word_cont_of(stage->rt, "l:l", a_suspends_twice, stage);
}

PART(H) static void run_both(struct stage *stage)
{
  wasmfx_cont_t *both[] = { &stage->a, &stage->b }; /* the second finds a stack at hand */
  for (int i = 0; i < 2; i++) {
    expect_status(stage, wasmfx_resume_word(stage->rt, both[i], stage->handlers, 1), WASMFX_SUSPENDED);
    expect_status(stage, wasmfx_resume_word(stage->rt, both[i], stage->handlers, 1), WASMFX_SUSPENDED);
    expect_status(stage, wasmfx_resume_word(stage->rt, both[i], NULL, 1), WASMFX_RETURNED);
  }
}

static void resume_suspend_and_return_in_word_form(void **state)
{
  (void)state;
  assert_walks(two_that_suspend, run_both, "H AH H AH H AH H AH H AH H AH H");
}

PART(A) static uint64_t a_suspends_to_each_clause(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  const wasmfx_tag_t *tags[] = { stage->first, stage->second, stage->third, stage->fourth, stage->fifth };
  (void)from;
  for (int i = 0; i < 5; i++)
    expect_status(stage, wasmfx_suspend_word(rt, tags[i], word), WASMFX_RETURNED);
  return word;
}

static void one_that_suspends_to_each_clause(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_suspends_to_each_clause, stage);
}

PART(H) static void expect_each_clause(struct stage *stage)
{
  for (uint32_t i = 0; i < 5; i++) {
    const wasmfx_outcome_t outcome = wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1);
    expect(stage, outcome.status == WASMFX_SUSPENDED && outcome.handler == i);
  }
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_RETURNED);
}

static void a_suspension_to_each_clause_of_a_table(void **state)
{
  (void)state;
  assert_walks(one_that_suspends_to_each_clause, expect_each_clause, "H AH H AH H AH H AH H AH H AH H");
}

static void two_of_another_class(struct stage *stage)
{
  two_that_suspend(stage);
  wasmfx_cont_stack_class(stage->rt, stage->a, 1);
  wasmfx_cont_stack_class(stage->rt, stage->b, 1);
}

static void a_fresh_start_on_a_stack_that_is_not_at_hand(void **state)
{
  (void)state;
  assert_walks(two_of_another_class, run_both, "H AH H AH H AH H AH H AH H AH H");
}

PART(A) static void a_suspends_values(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args,
                                      wasmfx_value_t *results)
{
  struct stage *stage = env;
  const wasmfx_value_t values[2] = { args[0], args[1] };
  expect_status(stage, wasmfx_suspend(rt, stage->many, values, 2), WASMFX_RETURNED);
  expect_status(stage, wasmfx_suspend(rt, stage->first, values, 1), WASMFX_RETURNED); /* by word */
  results[0] = values[0];
  results[1] = values[1];
}

static void one_of_values(struct stage *stage)
{
  stage->a = cont_of(stage->rt, "ll:ll", a_suspends_values, stage);
}

PART(H) static void run_values(struct stage *stage)
{
  const wasmfx_value_t values[2] = { { .i64 = 1 }, { .i64 = 2 } };
  expect_status(stage, wasmfx_resume(stage->rt, &stage->a, stage->handlers, values, 2), WASMFX_SUSPENDED);
  expect_status(stage, wasmfx_resume(stage->rt, &stage->a, stage->handlers, values, 2), WASMFX_SUSPENDED);
  expect_status(stage, wasmfx_resume(stage->rt, &stage->a, stage->handlers, values, 1), WASMFX_RETURNED);
}

static void resume_suspend_and_return_in_general_form(void **state)
{
  (void)state;
  assert_walks(one_of_values, run_values, "H AH H AH H AH H");
}

/* ---- Chains ------------------------------------------------------------------------------------------------- */

PART(B) static uint64_t b_suspends_twice(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  const wasmfx_value_t values[2] = { { .i64 = 1 }, { .i64 = 2 } };
  expect_status(stage, wasmfx_suspend_word(rt, stage->first, word), WASMFX_RETURNED);
  expect_status(stage, wasmfx_suspend(rt, stage->many, values, 2), WASMFX_RETURNED);
  return word;
}

PART(A) static uint64_t a_resumes_b(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  expect_status(stage, wasmfx_resume_word(rt, &stage->b, NULL, word), WASMFX_RETURNED);
  return word;
}

static void one_in_another(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_resumes_b, stage);
  stage->b = word_cont_of(stage->rt, "l:l", b_suspends_twice, stage);
}

PART(H) static void run_chain(struct stage *stage)
{
  const wasmfx_value_t values[2] = { { .i64 = 1 }, { .i64 = 2 } };
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_SUSPENDED);
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_SUSPENDED);
  expect_status(stage, wasmfx_resume(stage->rt, &stage->a, stage->handlers, values, 2), WASMFX_RETURNED);
}

static void a_chain_is_captured_and_resumed(void **state)
{
  (void)state;
  assert_walks(one_in_another, run_chain, "H AH BAH H BAH H BAH AH H");
}

PART(B) static uint64_t b_suspends_from_the_same_place(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  const wasmfx_tag_t *tags[] = { stage->second, stage->first };
  for (int i = 0; i < 6; i++) /* each tag's third time its handler is remembered */
    expect_status(stage, wasmfx_suspend_word(rt, tags[i / 3], word), WASMFX_RETURNED);
  return word;
}

static void one_that_repeats_itself_in_another(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_resumes_b, stage);
  stage->b = word_cont_of(stage->rt, "l:l", b_suspends_from_the_same_place, stage);
}

PART(H) static void run_repetitions(struct stage *stage)
{
  for (int i = 0; i < 6; i++)
    expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_SUSPENDED);
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_RETURNED);
}

static void a_chain_is_captured_again_and_again(void **state)
{
  (void)state;
  assert_walks(one_that_repeats_itself_in_another, run_repetitions,
               "H AH BAH H BAH H BAH H BAH H BAH H BAH H BAH AH H");
}

PART(B) static uint64_t b_returns(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return word;
}

/* A finds the stack of one that has ended; what B leaves behind is all that is kept. */
static void one_that_finds_a_stack_in_another(struct stage *stage)
{
  stage->b = word_cont_of(stage->rt, "l:l", b_returns, stage);
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->b, NULL, 1), WASMFX_RETURNED);
  stage->a = word_cont_of(stage->rt, "l:l", a_resumes_b, stage);
  stage->b = word_cont_of(stage->rt, "l:l", b_returns, stage);
}

PART(H) static void run_to_the_end(struct stage *stage)
{
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_RETURNED);
}

static void an_end_of_a_stack_that_is_not_kept(void **state)
{
  static const struct world_of_walks keeps_one[] = { { .cached_stacks = 1 } };
  (void)state;
  assert_walks_in(keeps_one, 1, one_that_finds_a_stack_in_another, run_to_the_end, "H AH BAH AH H");
}

/* ---- Calls on the host's stack ---------------------------------------------------------------------------------- */

PART(B) static void b_is_called_there(void *arg)
{
  struct stage *stage = arg;
  stage->is_right = stage->is_right && stage->rt;
}

PART(A) static uint64_t a_calls_on_the_host_stack(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  expect(stage, wasmfx_call_on_host_stack(rt, b_is_called_there, stage) == WASMFX_OK);
  return word;
}

static void one_that_calls(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_calls_on_the_host_stack, stage);
}

PART(H) static void run_a_call(struct stage *stage)
{
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_RETURNED);
}

static void a_call_on_the_host_stack_and_back(void **state)
{
  (void)state;
  assert_walks(one_that_calls, run_a_call, "H AH BAH AH H");
}

/* ---- Handlers in place --------------------------------------------------------------------------------------- */

PART(B) static uint64_t b_handles(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  struct stage *stage = env;
  expect(stage, rt == stage->rt);
  return word + 1;
}

PART(B) static void b_handles_values(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args,
                                     wasmfx_value_t *results)
{
  results[0].i64 = (int64_t)b_handles(rt, env, args[0].word);
}

PART(B) static uint64_t b_leaves_a_barrier_open(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  wasmfx_scope_t scope;
  expect(env, wasmfx_barrier_enter(rt, &scope) == WASMFX_OK);
  return word;
}

PART(B) static uint64_t b_leaves_a_root_open(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  wasmfx_scope_t scope;
  expect(env, wasmfx_root_enter(rt, &scope) == WASMFX_OK);
  return word;
}

PART(A) static uint64_t a_is_answered_twice(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  const wasmfx_tag_t *tags[] = { stage->first, stage->second, stage->third };
  (void)from;
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 2; k++) { /* the second time a handler further out is remembered */
      const wasmfx_outcome_t outcome = wasmfx_suspend_word(rt, tags[i], word);
      expect(stage, outcome.status == WASMFX_RETURNED && outcome.word == word + 1);
    }
  return word;
}

PART(A) static uint64_t a_is_told(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  expect_status(stage, wasmfx_suspend_word(rt, stage->first, word), WASMFX_ERROR_STATE);
  expect_status(stage, wasmfx_suspend_word(rt, stage->second, word), WASMFX_ERROR_STATE);
  return word;
}

static void one_that_is_answered(struct stage *stage)
{
  stage->handlers =
    HANDLERS(stage->rt, ON_CALL_WORD(stage->first, b_handles, stage), ON_CALL_WORD(stage->second, b_handles, stage),
             ON_CALL(stage->third, b_handles_values, stage));
  stage->a = word_cont_of(stage->rt, "l:l", a_is_answered_twice, stage);
}

/* A stands for both: the one that is answered, and who resumed it. */
static void one_that_is_answered_from_further_out(struct stage *stage)
{
  one_that_is_answered(stage);
  stage->b = stage->a;
  stage->a = word_cont_of(stage->rt, "l:l", a_resumes_b, stage);
}

static void one_that_is_told_what_was_left_open(struct stage *stage)
{
  stage->handlers = HANDLERS(stage->rt, ON_CALL_WORD(stage->first, b_leaves_a_barrier_open, stage),
                             ON_CALL_WORD(stage->second, b_leaves_a_root_open, stage));
  stage->a = word_cont_of(stage->rt, "l:l", a_is_told, stage);
}

static void handlers_answer_in_place(void **state)
{
  (void)state;
  assert_walks(one_that_is_answered, run_a_call, "H AH BAH AH BAH AH BAH AH BAH AH BAH AH BAH AH H");
}

static void handlers_further_out_answer_in_place(void **state)
{
  (void)state;
  assert_walks(one_that_is_answered_from_further_out, run_a_call,
               "H AH BAH AH BAH AH BAH AH BAH AH BAH AH BAH AH H");
}

static void handlers_that_leave_scopes_open(void **state)
{
  (void)state;
  assert_walks(one_that_is_told_what_was_left_open, run_a_call, "H AH BAH AH BAH AH H");
}

/* ---- switch --------------------------------------------------------------------------------------------------- */

PART(B) static void b_switches_back(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args,
                                    wasmfx_value_t *results)
{
  struct stage *stage = env;
  wasmfx_cont_t other = args[0].contref;
  (void)results;
  wasmfx_switch(rt, &other, stage->swap, NULL, NULL, 0);
}

PART(A) static void a_switches_to_b(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args,
                                    wasmfx_value_t *results)
{
  struct stage *stage = env;
  (void)args, (void)results;
  expect_status(stage, wasmfx_switch(rt, &stage->b, stage->swap, NULL, NULL, 0), WASMFX_RETURNED);
}

static void two_that_switch(struct stage *stage)
{
  stage->a = cont_of(stage->rt, "c:l", a_switches_to_b, stage);
  stage->b = cont_of(stage->rt, "c:l", b_switches_back, stage);
}

PART(H) static void run_switches(struct stage *stage)
{
  const wasmfx_value_t nobody = { .contref = WASMFX_NULL_CONT };
  expect_status(stage, wasmfx_resume(stage->rt, &stage->a, stage->handlers, &nobody, 1), WASMFX_RETURNED);
  expect(stage, wasmfx_drop(stage->rt, &stage->b) == WASMFX_OK);
}

/* At the last instruction, when A is cut off and where B goes on is not looked at yet, there is neither. */
static void switch_there_and_back_in_general_form(void **state)
{
  (void)state;
  assert_walks(two_that_switch, run_switches, "H AH H BH AH H");
}

PART(B) static uint64_t b_switches_a_word_back(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t other)
{
  struct stage *stage = env;
  for (;;)
    word = wasmfx_switch_word(rt, &other, stage->swap, NULL, word).word;
  return word;
}

/* The second time what it switches to is suspended, and it says what it waits for. */
PART(A) static uint64_t a_switches_a_word_to_b(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  expect_status(stage, wasmfx_switch_word(rt, &stage->b, stage->swap, NULL, word), WASMFX_RETURNED);
  expect_status(stage, wasmfx_switch_word(rt, &stage->b, stage->swap, stage->word_and_other, word), WASMFX_RETURNED);
  return word;
}

static void two_that_switch_words(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_switches_a_word_to_b, stage);
  stage->b = word_cont_of(stage->rt, "lc:l", b_switches_a_word_back, stage);
}

PART(H) static void run_word_switches(struct stage *stage)
{
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_RETURNED);
  expect(stage, wasmfx_drop(stage->rt, &stage->b) == WASMFX_OK);
}

static void switch_there_and_back_in_word_form(void **state)
{
  (void)state;
  assert_walks(two_that_switch_words, run_word_switches, "H AH H BH AH BH AH H");
}

/* A is in a resume of B; what B leaves by a switch is both, and who comes stands directly under the host. */
PART(A) static uint64_t a_is_switched_to(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t other)
{
  struct stage *stage = env;
  expect_status(stage, wasmfx_switch_word(rt, &other, stage->swap, NULL, word), WASMFX_RETURNED);
  return word;
}

PART(B) static uint64_t b_leaves_its_resumer(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  wasmfx_cont_t target = word_cont_of(rt, "lc:l", a_is_switched_to, stage);
  (void)from;
  expect_status(stage, wasmfx_switch_word(rt, &target, stage->swap, NULL, word), WASMFX_RETURNED);
  expect(stage, wasmfx_drop(rt, &target) == WASMFX_OK);
  return word;
}

static void one_that_leaves_its_resumer(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_resumes_b, stage);
  stage->b = word_cont_of(stage->rt, "l:l", b_leaves_its_resumer, stage);
}

PART(H) static void run_a(struct stage *stage)
{
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_RETURNED);
}

static void switch_out_of_a_chain_and_back_into_it(void **state)
{
  (void)state;
  assert_walks(one_that_leaves_its_resumer, run_a, "H AH BAH H AH H BAH AH H");
}

/* ---- Ends ------------------------------------------------------------------------------------------------------- */

PART(B) static uint64_t b_throws(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)from;
  wasmfx_throw(rt, ((struct stage *)env)->oops, NULL, 0);
  return word;
}

PART(A) static uint64_t a_catches_and_traps(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  expect_status(stage, wasmfx_resume_word(rt, &stage->b, stage->handlers, word), WASMFX_THREW);
  wasmfx_trap(rt, 5);
  return word;
}

static void one_that_throws_into_one_that_traps(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_catches_and_traps, stage);
  stage->b = word_cont_of(stage->rt, "l:l", b_throws, stage);
}

PART(H) static void run_until_trap(struct stage *stage)
{
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_TRAPPED);
}

static void throw_and_trap(void **state)
{
  (void)state;
  assert_walks(one_that_throws_into_one_that_traps, run_until_trap, "H AH BAH AH H");
}

PART(A) static uint64_t a_catches_twice(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  expect_status(stage, wasmfx_suspend_word(rt, stage->first, word), WASMFX_THREW);
  expect_status(stage, wasmfx_suspend_word(rt, stage->first, word), WASMFX_THREW);
  return word;
}

static void one_that_catches(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_catches_twice, stage);
}

PART(H) static void run_throwing(struct stage *stage)
{
  const wasmfx_exception_t exception = { stage->oops, NULL, 0, NULL };
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_SUSPENDED);
  expect_status(stage, wasmfx_resume_throw(stage->rt, &stage->a, stage->handlers, stage->oops, NULL, 0),
                WASMFX_SUSPENDED);
  expect_status(stage, wasmfx_resume_throw_ref(stage->rt, &stage->a, stage->handlers, &exception), WASMFX_RETURNED);
}

static void resume_throw_and_resume_throw_ref(void **state)
{
  (void)state;
  assert_walks(one_that_catches, run_throwing, "H AH H AH H AH H");
}

PART(A) static uint64_t a_leaves_a_root_open(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_scope_t scope;
  (void)from;
  expect(env, wasmfx_root_enter(rt, &scope) == WASMFX_OK);
  return word;
}

static void one_that_leaves_a_root_open(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_leaves_a_root_open, stage);
}

static void a_return_below_an_open_root(void **state)
{
  (void)state;
  assert_walks(one_that_leaves_a_root_open, run_a, "H AH H");
}

PART(A) static uint64_t a_jumps(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)rt, (void)word, (void)from;
  stop(); /* the C library's call frame information is not right everywhere on the way */
  longjmp(stage->out, 1);
}

static void one_that_jumps(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_jumps, stage);
}

PART(H) static void run_until_jump(struct stage *stage)
{
  wasmfx_mark_t mark;
  wasmfx_mark(stage->rt, &mark);
  if (setjmp(stage->out) == 0)
    wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1);
  go();
  expect(stage, wasmfx_unwind_to(stage->rt, &mark, NULL) == WASMFX_OK);
}

static void a_jump_and_an_unwinding(void **state)
{
  (void)state;
  assert_walks(one_that_jumps, run_until_jump, "H AH H");
}

/* ---- Overflow ------------------------------------------------------------------------------------------------ */

/* From where it is all but full. Its frames are large, so that the walks are short. */
PART(A) static uint64_t a_recurses(uint64_t calls)
{
  volatile uint64_t mine[16];
  mine[calls % COUNT_OF(mine)] = calls;
  return calls ? a_recurses(calls - 1) + mine[calls % COUNT_OF(mine)] : 0;
}

PART(A) static uint64_t a_overflows(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  void *low, *high;
  (void)from;
  expect(stage, wasmfx_stack_bounds(rt, &low, &high) == WASMFX_OK);
  const size_t room = (size_t)((char *)__builtin_frame_address(0) - (char *)low);
  volatile char *most = __builtin_alloca(room - 4096);
  most[0] = 0;
  return a_recurses(word << 20);
}

static struct stage *overflowing;

/* The handler's return goes straight to where the continuation ends: no step stops there, so it is looked at now. */
static void on_fault(int number, siginfo_t *info, void *context)
{
  if (wasmfx_overflow_handle(overflowing->rt, info->si_addr, context) == WASMFX_OK)
    look(context);
  else
    signal(number, SIG_DFL);
}

static void one_that_overflows(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_overflows, stage);
  overflowing = stage;
  handle(SIGSEGV, on_fault);
}

PART(H) static void run_until_overflow(struct stage *stage)
{
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_OVERFLOWED);
}

static void an_overflow(void **state)
{
  (void)state;
  assert_walks_in(guarded, COUNT_OF(guarded), one_that_overflows, run_until_overflow, "H AH H");
}

/* Half of the stack is granted to the host; so there is less than that while there is a lot. */
PART(A) static uint64_t a_has_too_little_left(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  void *low, *high;
  wasmfx_scope_t scope;
  (void)from;
  expect(stage, wasmfx_stack_bounds(rt, &low, &high) == WASMFX_OK);
  expect(stage, word == 0 || wasmfx_root_enter(rt, &scope) == WASMFX_OK);
  volatile char *most = __builtin_alloca((size_t)((char *)high - (char *)low) / 2);
  most[0] = 0;
  expect_status(stage, wasmfx_suspend(rt, stage->oops, NULL, 0), WASMFX_OK); /* never */
  return (uint64_t)most[0];
}

static void one_that_has_too_little_left(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_has_too_little_left, stage);
  stage->b = word_cont_of(stage->rt, "l:l", a_has_too_little_left, stage);
}

PART(H) static void run_out_of_stack(struct stage *stage)
{
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 0), WASMFX_OVERFLOWED);
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->b, stage->handlers, 1), WASMFX_OVERFLOWED);
}

static void a_verb_without_stack_enough(void **state)
{
  static const struct world_of_walks worlds[] = { { .no_guards = true, .host_stack_bytes = 65536 } };
  (void)state;
  assert_walks_in(worlds, COUNT_OF(worlds), one_that_has_too_little_left, run_out_of_stack, "H AH H AH H");
}

/* What makes sure of more stack than others, of another one than the running, or has no runtime to ask. */
PART(A) static uint64_t a_unwinds(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  wasmfx_mark_t mark;
  wasmfx_scope_t scope;
  (void)from;
  wasmfx_mark(rt, &mark);
  expect(stage, wasmfx_root_enter(rt, &scope) == WASMFX_OK);
  expect(stage, wasmfx_unwind_to(rt, &mark, NULL) == WASMFX_OK);
  expect(stage, wasmfx_overflow_ignore(rt) == WASMFX_ERROR_STATE);
  (void)wasmfx_backtrace_text(NULL, 0, NULL, 0);
  return word;
}

static void one_that_unwinds(struct stage *stage)
{
  stage->a = word_cont_of(stage->rt, "l:l", a_unwinds, stage);
}

PART(H) static void run_unwinding(struct stage *stage)
{
  expect_status(stage, wasmfx_resume_word(stage->rt, &stage->a, stage->handlers, 1), WASMFX_RETURNED);
}

static void whatever_makes_sure_of_its_stack(void **state)
{
  (void)state;
  assert_walks(one_that_unwinds, run_unwinding, "H AH H");
}

/* ---- What fails, and what is only called ----------------------------------------------------------------- */

static void nobody(struct stage *stage)
{
  (void)stage;
}

PART(H) static void run_failures(struct stage *stage)
{
  const wasmfx_exception_t exception = { stage->oops, NULL, 0, NULL };
  wasmfx_runtime_t *rt = stage->rt;
  wasmfx_cont_t null = WASMFX_NULL_CONT;
  expect_status(stage, wasmfx_resume_word(rt, &null, stage->handlers, 0), WASMFX_TRAP_NULL_CONT);
  expect_status(stage, wasmfx_resume(rt, &null, stage->handlers, NULL, 0), WASMFX_TRAP_NULL_CONT);
  expect_status(stage, wasmfx_resume_throw(rt, &null, NULL, stage->oops, NULL, 0), WASMFX_TRAP_NULL_CONT);
  expect_status(stage, wasmfx_resume_throw_ref(rt, &null, NULL, &exception), WASMFX_TRAP_NULL_CONT);
  expect_status(stage, wasmfx_suspend_word(rt, stage->first, 0), WASMFX_TRAP_UNHANDLED);
  expect_status(stage, wasmfx_suspend(rt, stage->oops, NULL, 0), WASMFX_TRAP_UNHANDLED);
  expect_status(stage, wasmfx_switch(rt, &null, stage->swap, NULL, NULL, 0), WASMFX_TRAP_NULL_CONT);
  expect_status(stage, wasmfx_switch_word(rt, &null, stage->swap, NULL, 0), WASMFX_TRAP_NULL_CONT);
}

static void calls_that_fail(void **state)
{
  (void)state;
  assert_walks(nobody, run_failures, "H");
}

int wfx_personality(int version, int actions);

/* As the unwinder does: there are two phases. What it answers, test_cxx.cc looks at. */
PART(H) static void call_personality(struct stage *stage)
{
  expect(stage, wfx_personality(1, 1) != wfx_personality(1, 2));
}

static void the_personality_of_the_bottom(void **state)
{
  (void)state;
  assert_walks(nobody, call_personality, "H");
}

/* ---- Fibers ---------------------------------------------------------------------------------------------- */

/* fiber_switch.h by its symbols: its names mean something else in this file. */
struct fiber *wasmfx_fiber_switch_alloc(void *(*entry)(void *, struct fiber *));
void wasmfx_fiber_switch_free(struct fiber *fiber);
void *wasmfx_fiber_switch_switch(struct fiber *target, void *arg, struct fiber **switched_from);
void wasmfx_fiber_switch_return(struct fiber *target, void *arg);
void *wasmfx_fiber_switch_main(void *(*program)(int, char **), int argc, char **argv);

/* The stage of programs of fibers, which have a runtime of their own, and no hooks. */
static struct {
  fiber_t a, b;
  struct fiber *switching;
  bool is_right;
} fibers;

static void expect_fiber(bool condition)
{
  fibers.is_right = fibers.is_right && condition;
}

static void assert_fiber_walks(void (*set_up)(void), void (*program)(void), const char *expected)
{
  fiber_init();
  memset(&fibers, 0, sizeof fibers);
  fibers.is_right = true;
  set_up();
  walk_count = 0;
  seen_runtime = wfx_fiber_thread()->rt;
  go();
  program();
  stop();
  assert_texts(expected);
  assert_true(fibers.is_right);
  fiber_free(fibers.a);
  fiber_free(fibers.b);
  wasmfx_fiber_switch_free(fibers.switching);
  assert_live(seen_runtime, 0, 0);
  fiber_finalize();
}

PART(H) static void expect_resume(fiber_t fiber, fiber_result_t expected)
{
  fiber_result_t status = FIBER_ERROR;
  expect_fiber(fiber_resume(fiber, &fibers, &status) == (expected == FIBER_ERROR ? NULL : &fibers));
  expect_fiber(status == expected);
}

PART(A) static void *a_yields_twice(void *arg)
{
  expect_fiber(fiber_yield(arg) == &fibers);
  expect_fiber(fiber_yield(arg) == &fibers);
  return arg;
}

static void two_fibers_that_yield(void)
{
  fibers.a = fiber_alloc(a_yields_twice);
  fibers.b = fiber_alloc(a_yields_twice);
}

/* The second finds a stack at hand. */
PART(H) static void resume_both_fibers(void)
{
  expect_resume(fibers.a, FIBER_YIELD);
  expect_resume(fibers.a, FIBER_YIELD);
  expect_resume(fibers.a, FIBER_OK);
  expect_fiber(fiber_resume(fibers.b, &fibers, NULL) == &fibers);
  expect_resume(fibers.b, FIBER_YIELD);
  expect_resume(fibers.b, FIBER_OK);
}

static void fibers_that_are_resumed_and_yield(void **state)
{
  (void)state;
  assert_fiber_walks(two_fibers_that_yield, resume_both_fibers, "H AH H AH H AH H AH H AH H AH H");
}

PART(B) static void *b_yields_out_of_its_program(int count, char **arg)
{
  (void)count;
  expect_fiber(fiber_yield(arg) == &fibers);
  expect_fiber(fiber_yield(arg) == &fibers);
  return arg;
}

PART(A) static void *a_runs_a_program(void *arg)
{
  expect_fiber(wasmfx_fiber_switch_main(b_yields_out_of_its_program, 0, arg) == arg);
  return arg;
}

static void a_fiber_with_a_program(void)
{
  fibers.a = fiber_alloc(a_runs_a_program);
}

PART(H) static void resume_until_the_end(void)
{
  expect_resume(fibers.a, FIBER_YIELD);
  expect_resume(fibers.a, FIBER_YIELD);
  expect_resume(fibers.a, FIBER_OK);
}

static void a_yield_out_of_a_program_in_a_fiber(void **state)
{
  (void)state;
  assert_fiber_walks(a_fiber_with_a_program, resume_until_the_end, "H AH BAH H BAH H BAH AH H");
}

PART(A) static void *a_is_freed_and_yields(void *arg)
{
  fibers.a = NULL;
  (void)fiber_yield(arg);
  expect_fiber(false);
  return NULL;
}

/* Freed while it runs: that is nothing that the stubs do. */
static void a_fiber_that_will_be_freed(void)
{
  fibers.a = fiber_alloc(a_is_freed_and_yields);
  fibers.a->handle.given_up = FIBER_FREED;
}

PART(H) static void resume_a_fiber_that_goes(void)
{
  expect_resume(fibers.a, FIBER_YIELD);
}

static void a_yield_of_a_fiber_that_has_been_freed(void **state)
{
  (void)state;
  assert_fiber_walks(a_fiber_that_will_be_freed, resume_a_fiber_that_goes, "H AH H");
}

PART(A) static void *a_resumes_itself(void *arg)
{
  arg = fiber_yield(arg);
  expect_fiber(fiber_resume(fibers.a, arg, NULL) == NULL);
  return arg;
}

static void a_fiber_that_resumes_itself(void)
{
  fibers.a = fiber_alloc(a_resumes_itself);
}

/* The last yield is in a thread that has no fibers any more. */
PART(H) static void misuse_fibers(void)
{
  expect_resume(NULL, FIBER_ERROR);
  expect_fiber(fiber_yield(&fibers) == NULL);
  expect_fiber(wasmfx_fiber_switch_switch(NULL, &fibers, NULL) == NULL);
  expect_resume(fibers.a, FIBER_YIELD);
  expect_resume(fibers.a, FIBER_OK);
  expect_resume(fibers.a, FIBER_ERROR);
  stop();
  fiber_free(fibers.a);
  fibers.a = NULL;
  fiber_finalize();
  go();
  expect_fiber(fiber_yield(&fibers) == NULL);
  stop();
  fiber_init();
  seen_runtime = wfx_fiber_thread()->rt;
  go();
}

static void fibers_that_are_misused(void **state)
{
  (void)state;
  assert_fiber_walks(a_fiber_that_resumes_itself, misuse_fibers, "H AH H AH H");
}

PART(B) static void *b_switches_back_each_time(void *arg, struct fiber *from)
{
  for (;;)
    arg = wasmfx_fiber_switch_switch(from, arg, from ? &from : NULL);
  return arg;
}

PART(A) static void *a_switches_to_b_and_b_to_a(int count, char **arg)
{
  struct fiber *from = NULL;
  (void)count;
  expect_fiber(wasmfx_fiber_switch_switch(fibers.switching, arg, NULL) == arg);
  expect_fiber(wasmfx_fiber_switch_switch(fibers.switching, arg, &from) == arg);
  expect_fiber(from == fibers.switching);
  return arg;
}

static void a_program_and_a_fiber(void)
{
  fibers.switching = wasmfx_fiber_switch_alloc(b_switches_back_each_time);
}

PART(H) static void run_the_program(void)
{
  expect_fiber(wasmfx_fiber_switch_main(a_switches_to_b_and_b_to_a, 0, (char **)&fibers) == &fibers);
}

static void fibers_that_switch(void **state)
{
  (void)state;
  assert_fiber_walks(a_program_and_a_fiber, run_the_program, "H AH H BH AH BH AH H");
}

PART(B) static void *b_ends_by_a_switch(void *arg, struct fiber *from)
{
  wasmfx_fiber_switch_return(from, arg);
  return arg;
}

PART(A) static void *a_switches_where_it_cannot(int count, char **arg)
{
  struct fiber *from = fibers.switching;
  (void)count;
  expect_fiber(wasmfx_fiber_switch_switch(fibers.switching, arg, &from) == arg && from == NULL);
  expect_fiber(wasmfx_fiber_switch_switch(fibers.switching, arg, NULL) == NULL);
  return arg;
}

/* Outside of a program, and in a fiber of the other kind. */
PART(A) static void *a_switches_outside_a_program(void *arg)
{
  expect_fiber(wasmfx_fiber_switch_switch(fibers.switching, arg, NULL) == NULL);
  return arg;
}

static void one_that_switches_outside(void)
{
  fibers.switching = wasmfx_fiber_switch_alloc(b_ends_by_a_switch);
  fibers.a = fiber_alloc(a_switches_outside_a_program);
}

PART(H) static void run_what_cannot_switch(void)
{
  expect_fiber(wasmfx_fiber_switch_switch(fibers.switching, &fibers, NULL) == NULL);
  expect_resume(fibers.a, FIBER_OK);
  expect_fiber(wasmfx_fiber_switch_main(a_switches_where_it_cannot, 0, (char **)&fibers) == &fibers);
}

static void fibers_that_end_by_a_switch_or_cannot_switch(void **state)
{
  (void)state;
  assert_fiber_walks(one_that_switches_outside, run_what_cannot_switch, "H AH H AH H BH AH H");
}

static void write_met(const char *path)
{
  FILE *file = fopen(path, "w");
  if (!file)
    abort();
  for (int i = 0; i < 2 * REACH; i++)
    if (is_met[i])
      fprintf(file, "%d\n", i - REACH);
  fclose(file);
}

PART(M) int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(resume_suspend_and_return_in_word_form),
    cmocka_unit_test(a_suspension_to_each_clause_of_a_table),
    cmocka_unit_test(a_fresh_start_on_a_stack_that_is_not_at_hand),
    cmocka_unit_test(resume_suspend_and_return_in_general_form),
    cmocka_unit_test(a_chain_is_captured_and_resumed),
    cmocka_unit_test(a_chain_is_captured_again_and_again),
    cmocka_unit_test(an_end_of_a_stack_that_is_not_kept),
    cmocka_unit_test(a_call_on_the_host_stack_and_back),
    cmocka_unit_test(handlers_answer_in_place),
    cmocka_unit_test(handlers_further_out_answer_in_place),
    cmocka_unit_test(handlers_that_leave_scopes_open),
    cmocka_unit_test(switch_there_and_back_in_general_form),
    cmocka_unit_test(switch_there_and_back_in_word_form),
    cmocka_unit_test(switch_out_of_a_chain_and_back_into_it),
    cmocka_unit_test(throw_and_trap),
    cmocka_unit_test(resume_throw_and_resume_throw_ref),
    cmocka_unit_test(a_return_below_an_open_root),
    cmocka_unit_test(a_jump_and_an_unwinding),
    cmocka_unit_test(an_overflow),
    cmocka_unit_test(a_verb_without_stack_enough),
    cmocka_unit_test(whatever_makes_sure_of_its_stack),
    cmocka_unit_test(calls_that_fail),
    cmocka_unit_test(the_personality_of_the_bottom),
    cmocka_unit_test(fibers_that_are_resumed_and_yield),
    cmocka_unit_test(a_yield_out_of_a_program_in_a_fiber),
    cmocka_unit_test(a_yield_of_a_fiber_that_has_been_freed),
    cmocka_unit_test(fibers_that_are_misused),
    cmocka_unit_test(fibers_that_switch),
    cmocka_unit_test(fibers_that_end_by_a_switch_or_cannot_switch),
  };
  load_libc_backtrace();
  handle(SIGTRAP, on_step);
  const int failed = cmocka_run_group_tests_name("every instruction", tests, NULL, NULL);
  if (argc > 1)
    write_met(argv[1]);
  return failed;
}
