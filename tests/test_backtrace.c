/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backtraces by call: of what runs, through all its resumers, and of what is suspended. Built once with frame pointers
 * and once without. Functions that call something leave a mark behind it, so that they have a frame to be seen.
 *
 * With an argument it prints one, for a person to look at.
 */
#define _GNU_SOURCE
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasmfx/backtrace.h>

enum { MOST_FRAMES = 64, MOST_TEXT = 8192 };

/* What is looked at from inside of the continuations. */
static struct {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *near, *far; /* [i64] -> [i64] */
  const wasmfx_handlers_t *near_handlers, *far_handlers;
  size_t capacity;
  wasmfx_frame_t frames[MOST_FRAMES];
  size_t count;
} look;

static volatile uint64_t mark;

static void look_with(wasmfx_runtime_t *rt)
{
  memset(&look, 0, sizeof look);
  look.rt = rt;
  look.near = tag_of(rt, "l:l");
  look.far = tag_of(rt, "l:l");
  look.near_handlers = HANDLERS(rt, ON_LABEL(look.near));
  look.far_handlers = HANDLERS(rt, ON_LABEL(look.far));
  look.capacity = MOST_FRAMES;
}

/* ---- The cast ------------------------------------------------------------------------------------------------ */

__attribute__((noinline)) void take_a_look(void);
void take_a_look(void)
{
  assert_status(wasmfx_backtrace(look.rt, look.frames, look.capacity, &look.count), WASMFX_OK);
  mark++;
}

__attribute__((noinline)) uint64_t inner_body(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from);
uint64_t inner_body(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)from;
  if (env)
    word = wasmfx_suspend_word(rt, *(wasmfx_tag_t **)env, word).word;
  take_a_look();
  mark++;
  return word;
}

__attribute__((noinline)) uint64_t run_inner(wasmfx_runtime_t *rt, void *env);
uint64_t run_inner(wasmfx_runtime_t *rt, void *env)
{
  wasmfx_cont_t k = word_cont_of(rt, "l:l", inner_body, env);
  const wasmfx_outcome_t out = wasmfx_resume_word(rt, &k, look.near_handlers, 1);
  assert_outcome(out, WASMFX_RETURNED);
  mark++;
  return out.word;
}

__attribute__((noinline)) uint64_t outer_body(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from);
uint64_t outer_body(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)word, (void)from;
  const uint64_t answer = run_inner(rt, env);
  mark++;
  return answer;
}

/* An outer body that resumes an inner one, which suspends by `*tag` first where there is one. */
__attribute__((noinline)) wasmfx_outcome_t run_outer(wasmfx_cont_t *k, wasmfx_tag_t **tag);
wasmfx_outcome_t run_outer(wasmfx_cont_t *k, wasmfx_tag_t **tag)
{
  *k = word_cont_of(look.rt, "l:l", outer_body, tag);
  const wasmfx_outcome_t out = wasmfx_resume_word(look.rt, k, look.far_handlers, 1);
  mark++;
  return out;
}

/* ---- Reading a backtrace ---------------------------------------------------------------------------------------- */

static const char *text_of_look(void)
{
  static char text[MOST_TEXT];
  assert_true(wasmfx_backtrace_text(look.frames, look.count, text, sizeof text) < sizeof text);
  return text;
}

/* The line, from 0, that has `name` as its function, from `from` on; -1: none. */
static int line_of(const char *text, const char *name, int from)
{
  char wanted[64];
  snprintf(wanted, sizeof wanted, " in %s+0x", name);
  for (int line = 0; *text; line++) {
    const size_t length = strcspn(text, "\n");
    const char *found = strstr(text, wanted);
    if (line >= from && found && found < text + length)
      return line;
    text += length + (text[length] == '\n');
  }
  return -1;
}

/* The names of functions, or "--" for the border of two continuations, in this order, and with nothing between. */
static void assert_lines(const char *const *names, size_t count)
{
  const char *text = text_of_look();
  int line = line_of(text, names[0], 0);
  if (line < 0)
    fail_msg("%s is not in\n%s", names[0], text);
  for (size_t i = 0; i < count; i++, line++) {
    const char *at = text;
    for (int skip = 0; skip < line; skip++)
      at += strcspn(at, "\n") + 1;
    const bool is_border = strncmp(at, "     -- a continuation, resumed by:\n", 36) == 0;
    if (strcmp(names[i], "--") == 0 ? !is_border : line_of(text, names[i], line) != line)
      fail_msg("line %d should be %s:\n%s", line, names[i], text);
  }
}

#define ASSERT_LINES(...) \
  assert_lines((const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__})))

/* Each on the stack that it says: the running one's addresses rise, and each base ends its segment. */
static void assert_segments(uint32_t segments)
{
  assert_true(look.count > 0);
  assert_int_equal(look.frames[0].segment, 0);
  for (size_t i = 1; i < look.count; i++) {
    const wasmfx_frame_t *inside = &look.frames[i - 1], *frame = &look.frames[i];
    assert_int_equal(frame->segment, inside->segment + inside->is_base);
    assert_true(inside->is_base || (char *)frame->sp > (char *)inside->sp);
  }
  assert_int_equal(look.frames[look.count - 1].segment, segments - 1);
}

/* ---- What runs ---------------------------------------------------------------------------------------------------- */

static void a_backtrace_goes_from_the_caller_through_all_resumers_to_the_host(void **state)
{
  wasmfx_cont_t k;
  look_with(runtime_of(state));
  assert_outcome(run_outer(&k, NULL), WASMFX_RETURNED);
  ASSERT_LINES("take_a_look", "inner_body", "--", "run_inner", "outer_body", "--", "run_outer");
  assert_true(line_of(text_of_look(), "main", 0) > 0);
  assert_segments(3);
}

static void outside_of_continuations_a_backtrace_is_the_hosts(void **state)
{
  look_with(runtime_of(state));
  take_a_look();
  assert_int_equal(line_of(text_of_look(), "take_a_look", 0), 0);
  assert_true(line_of(text_of_look(), "main", 0) > 0);
  assert_segments(1);
}

static void after_a_suspension_it_goes_through_the_new_resumer(void **state)
{
  wasmfx_cont_t k;
  look_with(runtime_of(state));
  assert_outcome(run_outer(&k, &look.far), WASMFX_SUSPENDED);
  assert_int_equal(look.count, 0);
  assert_outcome(wasmfx_resume_word(look.rt, &k, NULL, 1), WASMFX_RETURNED);
  ASSERT_LINES("take_a_look", "inner_body", "--", "run_inner", "outer_body", "--",
               "after_a_suspension_it_goes_through_the_new_resumer");
  assert_segments(3);
}

static void where_there_is_no_room_the_outermost_are_left_out(void **state)
{
  wasmfx_cont_t k;
  look_with(runtime_of(state));
  for (size_t capacity = 0; capacity <= 6; capacity++) {
    look.capacity = capacity;
    memset(look.frames, 0, sizeof look.frames);
    assert_outcome(run_outer(&k, NULL), WASMFX_RETURNED);
    assert_int_equal(look.count, capacity);
    assert_null(look.frames[capacity].pc);
    if (capacity)
      assert_int_equal(line_of(text_of_look(), "take_a_look", 0), 0);
  }
  assert_int_equal(line_of(text_of_look(), "outer_body", 0), 4);
}

/* ---- What is suspended ------------------------------------------------------------------------------------------------ */

static void look_at(wasmfx_cont_t k)
{
  assert_status(wasmfx_cont_backtrace(look.rt, k, look.frames, MOST_FRAMES, &look.count), WASMFX_OK);
}

static void a_suspended_one_ends_at_its_entry_function(void **state)
{
  look_with(runtime_of(state));
  wasmfx_cont_t k = word_cont_of(look.rt, "l:l", inner_body, &look.near);
  assert_outcome(wasmfx_resume_word(look.rt, &k, look.near_handlers, 1), WASMFX_SUSPENDED);
  look_at(k);
  assert_int_equal(look.count, 2);
  assert_int_equal(line_of(text_of_look(), "inner_body", 0), 0);
  assert_true(look.frames[1].is_base);
  assert_segments(1);
  assert_state(look.rt, k, WASMFX_STATE_SUSPENDED);
  assert_outcome(wasmfx_resume_word(look.rt, &k, NULL, 1), WASMFX_RETURNED);
}

static void of_a_chain_that_was_captured_it_shows_every_stack(void **state)
{
  wasmfx_cont_t k;
  look_with(runtime_of(state));
  assert_outcome(run_outer(&k, &look.far), WASMFX_SUSPENDED);
  look_at(k);
  ASSERT_LINES("inner_body", "--", "run_inner", "outer_body");
  assert_int_equal(look.count, 5);
  assert_segments(2);
  assert_status(wasmfx_drop(look.rt, &k), WASMFX_OK);
}

static uint64_t suspend_by_address(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_value_t value = i64_value(1);
  (void)env, (void)word, (void)from;
  assert_outcome(wasmfx_suspend(rt, look.near, &value, 1), WASMFX_RETURNED);
  mark++;
  return 0;
}

static void it_does_not_matter_by_which_verb_it_waits(void **state)
{
  look_with(runtime_of(state));
  wasmfx_cont_t k = word_cont_of(look.rt, "l:l", suspend_by_address, NULL);
  assert_outcome(wasmfx_resume_word(look.rt, &k, look.near_handlers, 1), WASMFX_SUSPENDED);
  look_at(k);
  assert_int_equal(line_of(text_of_look(), "suspend_by_address", 0), 0);
  assert_int_equal(look.count, 2);
  assert_status(wasmfx_drop(look.rt, &k), WASMFX_OK);
}

static void a_fresh_one_has_no_frames(void **state)
{
  look_with(runtime_of(state));
  wasmfx_cont_t k = word_cont_of(look.rt, "l:l", inner_body, NULL);
  look.count = 1;
  look_at(k);
  assert_int_equal(look.count, 0);
  assert_string_equal(text_of_look(), "");
  assert_status(wasmfx_drop(look.rt, &k), WASMFX_OK);
}

static void what_is_no_live_reference_has_none_and_says_so(void **state)
{
  look_with(runtime_of(state));
  wasmfx_cont_t k = word_cont_of(look.rt, "l:l", inner_body, NULL), stale = k;
  assert_outcome(wasmfx_resume_word(look.rt, &k, NULL, 1), WASMFX_RETURNED);
  look.count = 1;
  assert_status(wasmfx_cont_backtrace(look.rt, stale, look.frames, MOST_FRAMES, &look.count), WASMFX_TRAP_CONSUMED);
  assert_int_equal(look.count, 0);
  assert_status(wasmfx_cont_backtrace(look.rt, WASMFX_NULL_CONT, look.frames, MOST_FRAMES, &look.count),
                WASMFX_TRAP_NULL_CONT);
}

/* The number that a running one will be suspended by next: a forgery, that some verbs cannot tell. */
static uint64_t look_at_oneself(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  const uint64_t ref = wasmfx_suspend_word(rt, look.near, word).word;
  look.count = 1;
  return (uint64_t)wasmfx_cont_backtrace(rt, ref + ((uint64_t)1 << 32), look.frames, MOST_FRAMES, &look.count);
}

static void what_runs_is_not_walked_as_if_it_were_suspended(void **state)
{
  look_with(runtime_of(state));
  wasmfx_cont_t k = word_cont_of(look.rt, "l:l", look_at_oneself, NULL);
  assert_outcome(wasmfx_resume_word(look.rt, &k, look.near_handlers, 0), WASMFX_SUSPENDED);
  const wasmfx_outcome_t out = wasmfx_resume_word(look.rt, &k, NULL, k);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal((wasmfx_status_t)out.word, WASMFX_TRAP_CONSUMED);
  assert_int_equal(look.count, 0);
}

/* ---- Where a collector begins ------------------------------------------------------------------------------------------ */

static const void *frame_of_body;

static uint64_t suspend_and_tell(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  frame_of_body = __builtin_frame_address(0);
  word = wasmfx_suspend_word(rt, look.near, word).word;
  mark++;
  return word;
}

static void note_stack(void *context, const wasmfx_stack_t *stack)
{
  *(wasmfx_stack_t *)context = *stack;
}

static void a_collector_is_told_where_the_frames_of_a_suspended_one_begin(void **state)
{
  wasmfx_stack_t stack = { .pc = NULL };
  const wasmfx_visitor_t visitor = { .stack = note_stack, .context = &stack };
  look_with(runtime_of(state));
  wasmfx_cont_t k = word_cont_of(look.rt, "l:l", suspend_and_tell, NULL);
  assert_outcome(wasmfx_resume_word(look.rt, &k, look.near_handlers, 0), WASMFX_SUSPENDED);
  look_at(k);
  assert_status(wasmfx_visit_cont(look.rt, k, &visitor), WASMFX_OK);
  assert_ptr_equal(stack.pc, look.frames[0].pc);
  assert_ptr_equal(stack.sp, look.frames[0].sp);
#ifdef WITH_FRAME_POINTERS
  assert_ptr_equal(stack.fp, frame_of_body);
#endif
  assert_status(wasmfx_drop(look.rt, &k), WASMFX_OK);
}

/* ---- Where a signal has interrupted ------------------------------------------------------------------------------------ */

static void on_signal(int number, siginfo_t *info, void *context)
{
  (void)number, (void)info;
  (void)wasmfx_backtrace_at(look.rt, context, look.frames, look.capacity, &look.count);
}

__attribute__((noinline)) uint64_t interrupted_body(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from);
uint64_t interrupted_body(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  raise(SIGUSR1);
  mark++;
  return word;
}

static void a_signal_handler_sees_what_it_has_interrupted(void **state)
{
  struct sigaction action, before;
  look_with(runtime_of(state));
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO;
  assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
  wasmfx_cont_t k = word_cont_of(look.rt, "l:l", interrupted_body, NULL);
  assert_outcome(wasmfx_resume_word(look.rt, &k, NULL, 1), WASMFX_RETURNED);
  assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
  ASSERT_LINES("interrupted_body", "--", "a_signal_handler_sees_what_it_has_interrupted");
  assert_int_equal(look.frames[look.count - 1].segment, 1);
}

/* ---- The text ------------------------------------------------------------------------------------------------------------ */

static void a_line_is_a_number_an_address_a_function_and_a_file(void **state)
{
  char expected[128];
  look_with(runtime_of(state));
  take_a_look();
  const uintptr_t pc = (uintptr_t)look.frames[0].pc, function = (uintptr_t)take_a_look;
  snprintf(expected, sizeof expected, "#0   0x%016lx in take_a_look+0x%lx (test_backtrace", (unsigned long)pc,
           (unsigned long)(pc - function));
  assert_memory_equal(text_of_look(), expected, strlen(expected));
}

static void what_has_no_name_is_an_address(void **state)
{
  static char nowhere[16]; /* in no function */
  char text[256];
  const wasmfx_frame_t frames[] = { { .pc = nowhere + 8 }, { .pc = (void *)(uintptr_t)16 } };
  (void)state;
  assert_true(wasmfx_backtrace_text(frames, 2, text, sizeof text) < sizeof text);
  assert_null(strstr(text, " in "));
  assert_memory_equal(strchr(text, '\n') + 1, "#1   0x0000000000000010 (?)\n", 28);
}

static void text_that_is_cut_off_says_how_long_it_is(void **state)
{
  wasmfx_cont_t k;
  char part[MOST_TEXT];
  look_with(runtime_of(state));
  assert_outcome(run_outer(&k, NULL), WASMFX_RETURNED);
  const char *whole = text_of_look();
  const size_t length = strlen(whole);
  assert_int_equal(wasmfx_backtrace_text(look.frames, look.count, NULL, 0), length);
  for (size_t capacity = 1; capacity <= length + 1; capacity++) {
    memset(part, '#', sizeof part);
    assert_int_equal(wasmfx_backtrace_text(look.frames, look.count, part, capacity), length);
    assert_memory_equal(part, whole, capacity - 1);
    assert_int_equal(part[capacity - 1], '\0');
    assert_int_equal(part[capacity], '#');
  }
}

/* ---- For a person ----------------------------------------------------------------------------------------------------------- */

static int show(void)
{
  struct world *world = world_new(NULL);
  wasmfx_cont_t k;
  look_with(world->rt);
  (void)run_outer(&k, &look.far);
  look_at(k);
  printf("A suspended chain:\n%s", text_of_look());
  (void)wasmfx_resume_word(look.rt, &k, NULL, 1);
  printf("The same, when it runs:\n%s", text_of_look());
  world_free(world);
  return 0;
}

/* ---- With little stack left ------------------------------------------------------------------------------------ */

static wasmfx_cont_t looked_at;

static void look_at_what_runs(void)
{
  (void)wasmfx_backtrace(look.rt, look.frames, MOST_FRAMES, &look.count);
}

static void look_at_what_waits(void)
{
  (void)wasmfx_cont_backtrace(look.rt, looked_at, look.frames, MOST_FRAMES, &look.count);
}

static void write_about_it(void)
{
  static char text[MOST_TEXT];
  const wasmfx_frame_t frame = { .pc = (char *)(uintptr_t)write_about_it + 1 };
  (void)wasmfx_backtrace_text(&frame, 1, text, sizeof text);
}

__attribute__((noinline)) static void act_at(void (*act)(void), size_t distance)
{
  void *low, *high;
  assert_status(wasmfx_stack_bounds(look.rt, &low, &high), WASMFX_OK);
  const size_t bytes = (size_t)((char *)__builtin_frame_address(0) - (char *)low) - distance;
  volatile char *room = __builtin_alloca(bytes);
  room[bytes - 1] = 1;
  act();
  mark += (uint64_t)room[bytes - 1];
}

static uint64_t run_near_the_guard(wasmfx_runtime_t *rt, void *env, uint64_t distance, wasmfx_cont_t from)
{
  void (*const acts[])(void) = { look_at_what_runs, look_at_what_waits, write_about_it };
  (void)rt, (void)from;
  act_at(acts[(uintptr_t)env], (size_t)distance);
  return 0;
}

/* Nowhere does the fault strike libunwind, which holds locks, and blocks signals: it would be the end of the process. */
static void with_little_stack_left_a_backtrace_is_an_overflow_of_its_caller(void **state)
{
  static const size_t wanted[] = { 10240, 10240, 14336 };
  look_with(runtime_of(state));
  assert_status(wasmfx_overflow_catch(look.rt), WASMFX_OK);
  looked_at = word_cont_of(look.rt, "l:l", inner_body, &look.near);
  assert_outcome(wasmfx_resume_word(look.rt, &looked_at, look.near_handlers, 1), WASMFX_SUSPENDED);
  for (uintptr_t act = 0; act < COUNT_OF(wanted); act++) {
    unsigned happened = 0;
    for (size_t distance = 512; distance <= 32768; distance += 512) {
      wasmfx_cont_t k = word_cont_of(look.rt, "l:l", run_near_the_guard, (void *)act);
      const wasmfx_status_t status = wasmfx_resume_word(look.rt, &k, NULL, distance).status;
      happened += status == WASMFX_RETURNED;
      assert_true(distance > wanted[act] || status == WASMFX_OVERFLOWED);
    }
    assert_in_range(happened, 8, 56);
  }
  assert_status(wasmfx_drop(look.rt, &looked_at), WASMFX_OK);
  assert_status(wasmfx_overflow_ignore(look.rt), WASMFX_OK);
}

int main(int argc, char **argv)
{
  (void)argv;
  if (argc > 1)
    return show();
  const struct CMUnitTest tests[] = {
    in_a_world(a_backtrace_goes_from_the_caller_through_all_resumers_to_the_host),
    in_a_world(outside_of_continuations_a_backtrace_is_the_hosts),
    in_a_world(after_a_suspension_it_goes_through_the_new_resumer),
    in_a_world(where_there_is_no_room_the_outermost_are_left_out),
    in_a_world(a_suspended_one_ends_at_its_entry_function),
    in_a_world(of_a_chain_that_was_captured_it_shows_every_stack),
    in_a_world(it_does_not_matter_by_which_verb_it_waits),
    in_a_world(with_little_stack_left_a_backtrace_is_an_overflow_of_its_caller),
    in_a_world(a_fresh_one_has_no_frames),
    in_a_world(what_is_no_live_reference_has_none_and_says_so),
    in_a_world(what_runs_is_not_walked_as_if_it_were_suspended),
    in_a_world(a_collector_is_told_where_the_frames_of_a_suspended_one_begin),
    in_a_world(a_signal_handler_sees_what_it_has_interrupted),
    in_a_world(a_line_is_a_number_an_address_a_function_and_a_file),
    cmocka_unit_test(what_has_no_name_is_an_address),
    in_a_world(text_that_is_cut_off_says_how_long_it_is),
  };
  return cmocka_run_group_tests_name("backtrace", tests, NULL, NULL);
}
