/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Call frame information: libunwind walks from the innermost of three nested
 * continuations, each on a stack of its own, through their resumers down to
 * _start: through resumes of either form, in a chain that was captured and
 * resumed, and with float control words saved. On its way it finds the registers
 * that each resumer had.
 *
 * With an argument it does nothing but nest three continuations and call innermost_place():
 * with --stop for a debugger to stop at, with --abort to die there and leave a core file, with
 * --backtrace to print what the C library's backtrace() finds.
 */
#define _GNU_SOURCE
#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <wasmfx/wasmfx.h>

#include "tools.h"

#define MAX_FRAMES 64
#define NAME_BYTES 64

static char walked[MAX_FRAMES][NAME_BYTES];
static int walked_count;
static bool reached_the_end;

/* Walks from here to the end of the call chain and notes each function's name. */
__attribute__((noinline)) static void walk(void)
{
  unw_context_t context;
  unw_cursor_t cursor;
  walked_count = 0;
  unw_getcontext(&context);
  unw_init_local(&cursor, &context);
  int step;
  STRANGERS_BEGIN();
  do {
    unw_word_t offset;
    if (unw_get_proc_name(&cursor, walked[walked_count], NAME_BYTES, &offset) != 0)
      strcpy(walked[walked_count], "?");
    walked_count++;
    step = unw_step(&cursor);
  } while (step > 0 && walked_count < MAX_FRAMES);
  STRANGERS_END();
  reached_the_end = step == 0;
}

/* Compilers may append to a name, after a dot. */
static bool is_named(const char *walked_name, const char *name)
{
  const size_t length = strlen(name);
  return strncmp(walked_name, name, length) == 0 && (walked_name[length] == '\0' || walked_name[length] == '.');
}

static int place_of(const char *name, int from)
{
  for (int i = from; i < walked_count; i++)
    if (is_named(walked[i], name))
      return i;
  return -1;
}

/* All of `names`, in this order, with anything between them. */
static void assert_walked(const char *const *names, size_t count)
{
  int place = -1;
  for (size_t i = 0; i < count; i++) {
    place = place_of(names[i], place + 1);
    if (place < 0) {
      for (int k = 0; k < walked_count; k++)
        print_error("  #%d %s\n", k, walked[k]);
      fail_msg("%s is not where it should be in the walk above", names[i]);
    }
  }
  assert_true(reached_the_end);
  assert_string_equal(walked[walked_count - 1], "_start");
}

/* ---- Three nested continuations ---------------------------------------------- */

struct nest {
  wasmfx_tag_t *tag;
  wasmfx_type_t *type, *by_address;
  wasmfx_handlers_t *handlers;
  bool general, suspends;
};

/* libunwind has a function of the same name, which would be taken for it. */
static void print_backtrace(void)
{
  void *frames[MAX_FRAMES], *libc = dlopen("libc.so.6", RTLD_LAZY);
  int (*backtrace)(void **frames, int count);
  void (*backtrace_symbols_fd)(void *const *frames, int count, int fd);
  assert_non_null(libc);
  *(void **)&backtrace = dlsym(libc, "backtrace");
  *(void **)&backtrace_symbols_fd = dlsym(libc, "backtrace_symbols_fd");
  backtrace_symbols_fd(frames, backtrace(frames, MAX_FRAMES), STDOUT_FILENO);
}

static void (*look)(void) = walk;

__attribute__((noinline)) void innermost_place(void);
void innermost_place(void)
{
  look();
  __asm__ volatile(""); /* no tail call: this frame is to be seen */
}

static uint64_t innermost(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct nest *nest = env;
  (void)from;
  if (nest->suspends)
    assert_int_equal(wasmfx_suspend_word(rt, nest->tag, word).status, WASMFX_RETURNED);
  innermost_place();
  return word + 1;
}

/* Runs a continuation under no clauses, in the form that the test is about. */
__attribute__((noinline)) static uint64_t run_inside(wasmfx_runtime_t *rt, struct nest *nest, wasmfx_cont_t *cont,
                                                     uint64_t word)
{
  if (!nest->general) {
    const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, cont, NULL, word);
    assert_int_equal(outcome.status, WASMFX_RETURNED);
    return outcome.word;
  }
  const wasmfx_value_t value = { .word = word };
  const wasmfx_outcome_t outcome = wasmfx_resume(rt, cont, NULL, &value, 1);
  assert_int_equal(outcome.status, WASMFX_RETURNED);
  return outcome.values[0].word;
}

__attribute__((noinline)) static uint64_t middle(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_cont_t cont;
  (void)from;
  assert_int_equal(wasmfx_cont_new_word(rt, ((struct nest *)env)->type, innermost, env, &cont), WASMFX_OK);
  return run_inside(rt, env, &cont, word) + 1;
}

__attribute__((noinline)) static uint64_t outermost(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_cont_t cont;
  (void)from;
  assert_int_equal(wasmfx_cont_new_word(rt, ((struct nest *)env)->type, middle, env, &cont), WASMFX_OK);
  return run_inside(rt, env, &cont, word) + 1;
}

static const char *const whole_way[] = { "walk",       "innermost_place", "innermost", "run_inside", "middle",
                                         "run_inside", "outermost",       "nest_three", "main",      "_start" };

__attribute__((noinline)) static void nest_three(struct nest nest, const wasmfx_runtime_config_t *config)
{
  wasmfx_runtime_t *rt;
  const wasmfx_kind_t i64 = WASMFX_I64;
  assert_int_equal(wasmfx_runtime_new(config, &rt), WASMFX_OK);
  assert_int_equal(wasmfx_type_new(rt, &i64, 1, &i64, 1, &nest.type), WASMFX_OK);
  assert_int_equal(wasmfx_tag_new(rt, nest.type, &nest.tag), WASMFX_OK);
  const wasmfx_clause_t clause = { .tag = nest.tag, .kind = WASMFX_ON_LABEL };
  assert_int_equal(wasmfx_handlers_new(rt, &clause, 1, &nest.handlers), WASMFX_OK);

  wasmfx_cont_t cont;
  assert_int_equal(wasmfx_cont_new_word(rt, nest.type, outermost, &nest, &cont), WASMFX_OK);
  wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, nest.handlers, 1);
  if (nest.suspends) {
    assert_int_equal(outcome.status, WASMFX_SUSPENDED);
    outcome = wasmfx_resume_word(rt, &cont, nest.handlers, 1);
  }
  assert_int_equal(outcome.status, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 4);
  assert_int_equal(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

/* ---- Registers ------------------------------------------------------------------- */

#if defined(__x86_64__)
/* Calls `function(argument)` with 1 to 6 in the registers that a callee preserves. */
void call_with_marks(void (*function)(void *), void *argument);
__asm__(".text\n"
        ".globl call_with_marks\n"
        ".hidden call_with_marks\n"
        ".type call_with_marks, @function\n"
        "call_with_marks:\n"
        "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rax\n"
        "  mov %rdi, %rax\n"
        "  mov %rsi, %rdi\n"
        "  mov $1, %ebx; mov $2, %ebp; mov $3, %r12d; mov $4, %r13d; mov $5, %r14d; mov $6, %r15d\n"
        "  call *%rax\n"
        "  pop %rax; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "  ret\n"
        ".size call_with_marks, . - call_with_marks\n");
static const unw_regnum_t preserved[] = { UNW_X86_64_RBX, UNW_X86_64_RBP, UNW_X86_64_R12,
                                          UNW_X86_64_R13, UNW_X86_64_R14, UNW_X86_64_R15 };
#else
#error "these are the registers of x86-64: a port brings its own"
#endif

enum { PRESERVED = sizeof preserved / sizeof *preserved };

static unw_word_t marks[PRESERVED];

/* Walks from a continuation into its resumer, up to call_with_marks(), and notes the registers there. */
static uint64_t look_for_marks(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  unw_context_t context;
  unw_cursor_t cursor;
  char name[NAME_BYTES] = "";
  unw_word_t offset;
  (void)rt, (void)env, (void)from;
  unw_getcontext(&context);
  unw_init_local(&cursor, &context);
  while (strcmp(name, "call_with_marks") != 0 && unw_step(&cursor) > 0)
    if (unw_get_proc_name(&cursor, name, NAME_BYTES, &offset) != 0)
      strcpy(name, "?");
  for (size_t i = 0; i < PRESERVED; i++)
    assert_int_equal(unw_get_reg(&cursor, preserved[i], &marks[i]), 0);
  return word + 1;
}

struct errand {
  wasmfx_runtime_t *rt;
  struct nest *nest;
  wasmfx_cont_t cont;
};

static void run_errand(void *env)
{
  struct errand *errand = env;
  assert_int_equal(run_inside(errand->rt, errand->nest, &errand->cont, 1), 2);
}

static void assert_marks_are_found(bool general, uint32_t float_control)
{
  struct nest nest = { .general = general };
  struct errand errand = { .nest = &nest };
  const wasmfx_kind_t i64 = WASMFX_I64;
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.float_control = float_control;
  assert_int_equal(wasmfx_runtime_new(&config, &errand.rt), WASMFX_OK);
  assert_int_equal(wasmfx_type_new(errand.rt, &i64, 1, &i64, 1, &nest.type), WASMFX_OK);
  assert_int_equal(wasmfx_cont_new_word(errand.rt, nest.type, look_for_marks, NULL, &errand.cont), WASMFX_OK);
  memset(marks, 0, sizeof marks);
  call_with_marks(run_errand, &errand);
  for (size_t i = 0; i < PRESERVED; i++)
    assert_int_equal(marks[i], i + 1);
  assert_int_equal(wasmfx_runtime_free(errand.rt, NULL), WASMFX_OK);
}

/* ---- Tests ---------------------------------------------------------------------- */

static void walk_crosses_three_nested_continuations_down_to_start(void **state)
{
  (void)state;
  nest_three((struct nest){ .general = false }, NULL);
  assert_walked(whole_way, sizeof whole_way / sizeof *whole_way);
}

static void walk_crosses_resumes_of_the_general_form(void **state)
{
  (void)state;
  nest_three((struct nest){ .general = true }, NULL);
  assert_walked(whole_way, sizeof whole_way / sizeof *whole_way);
}

static void walk_crosses_a_chain_that_was_captured_and_resumed(void **state)
{
  (void)state;
  nest_three((struct nest){ .suspends = true }, NULL);
  assert_walked(whole_way, sizeof whole_way / sizeof *whole_way);
}

static void walk_works_with_float_control_words_saved(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.float_control = 1;
  nest_three((struct nest){ .suspends = true }, &config);
  assert_walked(whole_way, sizeof whole_way / sizeof *whole_way);
}

static void walk_finds_the_registers_of_the_resumer(void **state)
{
  (void)state;
  for (int general = 0; general <= 1; general++)
    for (uint32_t float_control = 0; float_control <= 1; float_control++)
      assert_marks_are_found(general, float_control);
}

/* ---- For others to walk ----------------------------------------------------------- */

static void stop_at(const char *what)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  /* Debuggers write core files by reading through the stacks, and stop at light guards. */
  if (strcmp(what, "--stop") == 0)
    config.guard = WASMFX_GUARD_PROTECT;
  else
    look = strcmp(what, "--abort") == 0 ? abort : print_backtrace;
  nest_three((struct nest){ .suspends = true }, &config);
}

int main(int argc, char **argv)
{
  if (argc > 1) {
    stop_at(argv[1]);
    return 0;
  }
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(walk_crosses_three_nested_continuations_down_to_start),
    cmocka_unit_test(walk_crosses_resumes_of_the_general_form),
    cmocka_unit_test(walk_crosses_a_chain_that_was_captured_and_resumed),
    cmocka_unit_test(walk_works_with_float_control_words_saved),
    cmocka_unit_test(walk_finds_the_registers_of_the_resumer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
