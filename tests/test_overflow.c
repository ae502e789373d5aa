/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stack that runs into its guard is a trap of its continuation: at every distance from the guard and in every verb,
 * under each kind of guard, a thousand deep, with scopes open, and whatever the processor was doing. What else may come
 * as a signal, and to whom it goes, is in test_overflow_signals.c.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */

#include "support.h"
#include "tools.h"

#include <wasmfx/fast.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Built in a file of its own: with -fstack-clash-protection. */
uint64_t fill_large_frame(unsigned index);

static volatile uint64_t sink;
static unsigned deepest; /* how many frames the last recursion had */

/* Recurses without end. `step` bytes more in each frame, so that the guard is met at every distance. */
__attribute__((noinline)) static uint64_t recurse(unsigned depth, size_t step)
{
  volatile char *frame = __builtin_alloca(step + 16);
  frame[0] = (char)depth;
  deepest = depth;
  const uint64_t below = recurse(depth + 1, step);
  sink += below + (uint64_t)frame[0];
  return below + 1;
}

static uint64_t run_recursion(wasmfx_runtime_t *rt, void *env, uint64_t step, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return recurse(0, (size_t)step);
}

static uint64_t run_nothing(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return word;
}

/* In the test itself, not in its set-up: around each of these cmocka puts handlers of its own. */
static wasmfx_runtime_t *catching(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  return rt;
}

static wasmfx_outcome_t overflow_once(wasmfx_runtime_t *rt, wasmfx_word_entry_t entry, uint64_t word)
{
  wasmfx_cont_t k = word_cont_of(rt, "l:l", entry, NULL);
  const wasmfx_cont_t used = k;
  deepest = 0;
  const wasmfx_outcome_t out = wasmfx_resume_word(rt, &k, NULL, word);
  assert_true(k == WASMFX_NULL_CONT);
  assert_dead(rt, used);
  return out;
}

/* ---- What overflow is ------------------------------------------------------------------------ */

static void overflow_ends_the_continuation_and_its_resume_says_so(void **state)
{
  wasmfx_runtime_t *rt = catching(state);
  const wasmfx_outcome_t out = overflow_once(rt, run_recursion, 0);
  assert_outcome(out, WASMFX_OVERFLOWED);
  assert_int_equal(out.word, 0);
  assert_true(deepest > 100);
  assert_live(rt, 0, 0);
  assert_int_equal(wasmfx_depth(rt), 0);
  assert_string_equal(wasmfx_status_text(out.status), "call stack exhausted");
}

static void the_stack_of_an_overflow_is_used_again(void **state)
{
  wasmfx_runtime_t *rt = catching(state);
  for (unsigned i = 0; i < 100; i++)
    assert_outcome(overflow_once(rt, run_recursion, 0), WASMFX_OVERFLOWED);
  assert_int_equal(stats_of(rt).stacks_made, 1);
  const wasmfx_outcome_t out = overflow_once(rt, run_nothing, 7);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(out.word, 7);
}

static void overflow_is_caught_at_every_distance_from_the_guard(void **state)
{
  wasmfx_runtime_t *rt = catching(state);
  for (size_t step = 0; step < 4096; step += 16)
    assert_outcome(overflow_once(rt, run_recursion, step), WASMFX_OVERFLOWED);
}

static uint64_t run_large_frame(wasmfx_runtime_t *rt, void *env, uint64_t index, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return fill_large_frame((unsigned)index);
}

static void a_frame_larger_than_the_guard_is_caught_where_it_is_probed(void **state)
{
  assert_outcome(overflow_once(catching(state), run_large_frame, 5), WASMFX_OVERFLOWED);
}

static wasmfx_tag_t *question;

static uint64_t run_after_a_suspension(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_outcome_t out = wasmfx_suspend_word(rt, question, word);
  return run_recursion(rt, env, out.word, from);
}

static void overflow_after_a_suspension_is_one_of_the_last_resumer(void **state)
{
  wasmfx_runtime_t *rt = catching(state);
  question = tag_of(rt, "l:l");
  wasmfx_cont_t k = word_cont_of(rt, "l:l", run_after_a_suspension, NULL);
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(question));
  assert_outcome(wasmfx_resume_word(rt, &k, handlers, 3), WASMFX_SUSPENDED);
  const wasmfx_outcome_t out = wasmfx_resume(rt, &k, NULL, &(wasmfx_value_t){ .i64 = 0 }, 1);
  assert_outcome(out, WASMFX_OVERFLOWED);
  assert_live(rt, 0, 0);
}

/* ---- Guards ------------------------------------------------------------------------------------ */

static void overflow_is_caught_by_guards_of_either_kind(void **state)
{
  static const uint32_t guards[] = { WASMFX_GUARD_LIGHT, WASMFX_GUARD_PROTECT };
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  for (size_t i = 0; i < COUNT_OF(guards); i++) {
    config.guard = guards[i];
    struct world *world = world_new(&config);
    assert_status(wasmfx_overflow_catch(world->rt), WASMFX_OK);
    assert_outcome(overflow_once(world->rt, run_recursion, 0), WASMFX_OVERFLOWED);
    if (stats_of(world->rt).guard != guards[i])
      print_message("# this kernel has no light guards: others were tried twice\n");
    world_free(world);
  }
}

static void a_guard_may_be_of_many_pages(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.guard_bytes = 65536;
  struct world *world = world_new(&config);
  assert_status(wasmfx_overflow_catch(world->rt), WASMFX_OK);
  /* One touch in each frame, far from the last: it meets the guard at some place in the middle. */
  for (size_t step = 4096; step < 60000; step += 5000)
    assert_outcome(overflow_once(world->rt, run_recursion, step), WASMFX_OVERFLOWED);
  world_free(world);
}

/* A host's stacks: a page that nobody may touch, and the stack above it. */
static void *allocate_guarded(void *context, size_t bytes, uint32_t tenant)
{
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  (void)context, (void)tenant;
  char *range = mmap(NULL, page + bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(range != MAP_FAILED);
  assert_int_equal(mprotect(range, page, PROT_NONE), 0);
  return range + page;
}

static void release_guarded(void *context, void *memory, size_t bytes, uint32_t tenant)
{
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  (void)context, (void)tenant;
  assert_int_equal(munmap((char *)memory - page, page + bytes), 0);
}

static void the_page_below_a_stack_of_the_hosts_is_a_guard(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.stack_allocator = (wasmfx_stack_allocator_t){ allocate_guarded, release_guarded, NULL };
  struct world *world = world_new(&config);
  assert_status(wasmfx_overflow_catch(world->rt), WASMFX_OK);
  for (unsigned i = 0; i < 10; i++)
    assert_outcome(overflow_once(world->rt, run_recursion, 0), WASMFX_OVERFLOWED);
  assert_live(world->rt, 0, 0);
  world_free(world);
}

/* ---- What is around the continuation ------------------------------------------------------------- */

enum { NEST = 1000 };
static unsigned overflows_seen;

static uint64_t run_nest(wasmfx_runtime_t *rt, void *env, uint64_t depth, wasmfx_cont_t from)
{
  if (depth < NEST) {
    wasmfx_cont_t k = word_cont_of(rt, "l:l", run_nest, env);
    assert_outcome(wasmfx_resume_word(rt, &k, NULL, depth + 1), WASMFX_OVERFLOWED);
    assert_int_equal(wasmfx_depth(rt), depth);
    overflows_seen++;
  }
  return run_recursion(rt, env, 0, from);
}

static void a_thousand_nested_ones_overflow_one_after_the_other(void **state)
{
  wasmfx_runtime_t *rt = catching(state);
  overflows_seen = 0;
  assert_outcome(overflow_once(rt, run_nest, 1), WASMFX_OVERFLOWED);
  assert_int_equal(overflows_seen, NEST - 1);
  assert_int_equal(stats_of(rt).stacks_made, NEST);
  assert_live(rt, 0, 0);
}

static uint64_t run_inside_scopes(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_scope_t scopes[4];
  assert_status(wasmfx_barrier_enter(rt, &scopes[0]), WASMFX_OK);
  assert_status(wasmfx_root_enter(rt, &scopes[1]), WASMFX_OK);
  assert_status(wasmfx_barrier_enter(rt, &scopes[2]), WASMFX_OK);
  assert_status(wasmfx_root_enter(rt, &scopes[3]), WASMFX_OK);
  assert_int_equal(wasmfx_depth(rt), 0);
  return run_recursion(rt, env, word, from);
}

static void overflow_closes_the_roots_and_barriers_that_it_left_open(void **state)
{
  wasmfx_runtime_t *rt = catching(state);
  wasmfx_scope_t outside;
  assert_status(wasmfx_barrier_enter(rt, &outside), WASMFX_OK);
  assert_outcome(overflow_once(rt, run_inside_scopes, 0), WASMFX_OVERFLOWED);
  assert_status(wasmfx_barrier_leave(rt, &outside), WASMFX_OK); /* the innermost one again */
  assert_live(rt, 0, 0);
}

static uint64_t run_under_a_root(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_scope_t root;
  (void)env, (void)from;
  assert_status(wasmfx_root_enter(rt, &root), WASMFX_OK);
  assert_outcome(overflow_once(rt, run_recursion, 0), WASMFX_OVERFLOWED);
  assert_int_equal(wasmfx_depth(rt), 0);
  assert_status(wasmfx_root_leave(rt, &root), WASMFX_OK);
  assert_int_equal(wasmfx_depth(rt), 1);
  return word;
}

static void overflow_under_a_root_ends_at_the_resume_inside_it(void **state)
{
  wasmfx_runtime_t *rt = catching(state);
  const wasmfx_outcome_t out = overflow_once(rt, run_under_a_root, 7);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(out.word, 7);
}

/* Resumes another, which suspends through both of them, then overflows; and overflows itself. */
static uint64_t run_outer(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_cont_t inner = word_cont_of(rt, "l:l", run_after_a_suspension, env);
  assert_outcome(wasmfx_resume_word(rt, &inner, NULL, word), WASMFX_OVERFLOWED);
  return run_after_a_suspension(rt, env, word + 1, from);
}

static void overflow_in_a_chain_that_was_captured_ends_its_innermost_alone(void **state)
{
  wasmfx_runtime_t *rt = catching(state);
  question = tag_of(rt, "l:l");
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(question));
  wasmfx_cont_t k = word_cont_of(rt, "l:l", run_outer, NULL);
  wasmfx_outcome_t out = wasmfx_resume_word(rt, &k, handlers, 1);
  assert_outcome(out, WASMFX_SUSPENDED);
  assert_int_equal(out.word, 1); /* from the inner one, with both captured */
  assert_live(rt, 2, 2);
  out = wasmfx_resume_word(rt, &k, handlers, 0);
  assert_outcome(out, WASMFX_SUSPENDED);
  assert_int_equal(out.word, 2); /* from the outer one: the inner one has overflowed */
  assert_live(rt, 1, 1);
  assert_outcome(wasmfx_resume_word(rt, &k, handlers, 0), WASMFX_OVERFLOWED);
  assert_live(rt, 0, 0);
}

static wasmfx_cont_t left_behind;

static uint64_t run_with_a_suspended_one(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  left_behind = word_cont_of(rt, "l:l", run_after_a_suspension, env);
  assert_outcome(wasmfx_resume_word(rt, &left_behind, HANDLERS(rt, ON_LABEL(question)), word), WASMFX_SUSPENDED);
  return run_recursion(rt, env, 0, from);
}

static void a_suspended_one_outlives_the_overflow_of_who_held_it(void **state)
{
  wasmfx_runtime_t *rt = catching(state);
  question = tag_of(rt, "l:l");
  assert_outcome(overflow_once(rt, run_with_a_suspended_one, 0), WASMFX_OVERFLOWED);
  assert_state(rt, left_behind, WASMFX_STATE_SUSPENDED);
  assert_live(rt, 1, 1);
  assert_outcome(wasmfx_resume_word(rt, &left_behind, NULL, 0), WASMFX_OVERFLOWED);
  assert_live(rt, 0, 0);
}

/* ---- Hooks --------------------------------------------------------------------------------------- */

static char diary[16];

static void note(char letter)
{
  const size_t length = strlen(diary);
  assert_true(length + 1 < sizeof diary);
  diary[length] = letter;
}

/* A host word here is a letter; the host's own is none. */
static char letter_of(void *word)
{
  return word ? *(const char *)word : '-';
}

static void note_switch(wasmfx_runtime_t *rt, void **from_word, void **to_word)
{
  (void)rt;
  note(letter_of(*from_word));
  note('>');
  note(letter_of(*to_word));
  note(' ');
}

static void note_death(wasmfx_runtime_t *rt, void *word)
{
  (void)rt;
  note('+');
  note(letter_of(word));
}

static void hooks_are_told_of_an_overflow_as_of_a_return(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.switched = note_switch;
  config.died = note_death;
  struct world *world = world_new(&config);
  assert_status(wasmfx_overflow_catch(world->rt), WASMFX_OK);
  memset(diary, 0, sizeof diary);
  wasmfx_cont_t k = word_cont_of(world->rt, "l:l", run_recursion, NULL);
  *wasmfx_cont_host_word(world->rt, k) = (char[]){ 'A' };
  assert_outcome(wasmfx_resume_word(world->rt, &k, NULL, 0), WASMFX_OVERFLOWED);
  assert_string_equal(diary, "->A A>- +A");
  world_free(world);
}

/* ---- The processor --------------------------------------------------------------------------------- */

#define DIRECTION_FLAG 0x400u

/* Goes on as near to the guard as an overflow is, and touches the guard with the direction flag set and all eight
 * registers of the x87 full. */
static uint64_t run_in_disorder(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  void *low, *high;
  (void)env, (void)from;
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  volatile char *frame = __builtin_alloca((uintptr_t)__builtin_frame_address(0) - (uintptr_t)low - 4096);
  frame[0] = 0;
  __asm__ volatile("std\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n movb $0, -8(%0)"
                   :
                   : "r"(low)
                   : "memory", "cc");
  return word;
}

static uint64_t flags(void)
{
  uint64_t flags;
  __asm__ volatile("pushfq\n popq %0" : "=r"(flags));
  return flags;
}

/* 0xffff: all registers are empty. */
static uint16_t x87_tags(void)
{
  uint32_t environment[7];
  __asm__ volatile("fnstenv %0\n fldenv %0" : "=m"(environment));
  return (uint16_t)environment[2];
}

static void overflow_leaves_the_processor_as_the_calling_convention_says(void **state)
{
  wasmfx_runtime_t *rt = catching(state);
  assert_outcome(overflow_once(rt, run_in_disorder, 0), WASMFX_OVERFLOWED);
  assert_int_equal(flags() & DIRECTION_FLAG, 0);
  assert_int_equal(x87_tags(), 0xffff);
  volatile long double third = 1;
  third /= 3;
  assert_true(third * 3 == 1);
}

struct float_control {
  uint32_t mxcsr;
  uint16_t x87;
};

static struct float_control float_control(void)
{
  struct float_control control;
  __asm__ volatile("stmxcsr %0\n fnstcw %1" : "=m"(control.mxcsr), "=m"(control.x87));
  control.mxcsr &= ~0x3fu; /* what has happened, not what is to happen */
  return control;
}

static void set_float_control(struct float_control control)
{
  __asm__ volatile("ldmxcsr %0\n fldcw %1" : : "m"(control.mxcsr), "m"(control.x87));
}

#define ROUND_DOWN ((struct float_control){ 0x3f80, 0x077f })
#define ROUND_UP ((struct float_control){ 0x5f80, 0x0b7f })

static uint64_t run_rounding_up(wasmfx_runtime_t *rt, void *env, uint64_t step, wasmfx_cont_t from)
{
  set_float_control(ROUND_UP);
  return run_recursion(rt, env, step, from);
}

static void the_resumer_of_an_overflow_has_its_own_float_control(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.float_control = 1;
  struct world *world = world_new(&config);
  assert_status(wasmfx_overflow_catch(world->rt), WASMFX_OK);
  const struct float_control before = float_control();
  wasmfx_cont_t k = word_cont_of(world->rt, "l:l", run_rounding_up, NULL);
  set_float_control(ROUND_DOWN);
  const wasmfx_outcome_t out = wasmfx_resume_word(world->rt, &k, NULL, 0);
  const struct float_control after = float_control();
  set_float_control(before);
  assert_outcome(out, WASMFX_OVERFLOWED);
  assert_int_equal(after.mxcsr, ROUND_DOWN.mxcsr);
  assert_int_equal(after.x87, ROUND_DOWN.x87);
  world_free(world);
}

/* ---- In other people's code -------------------------------------------------------------------------- */

/* Sorts as long as there is stack for one more sorting. */
static int compare_by_sorting(const void *left, const void *right)
{
  int numbers[64];
  for (int i = 0; i < 64; i++)
    numbers[i] = 63 - i;
  deepest++;
  qsort(numbers, 64, sizeof *numbers, compare_by_sorting);
  return *(const int *)left - *(const int *)right + numbers[0];
}

static uint64_t run_sorting(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return word + (uint64_t)compare_by_sorting(&word, &word);
}

static void overflow_below_a_function_of_libc_is_caught(void **state)
{
  wasmfx_runtime_t *rt = catching(state);
  for (unsigned i = 0; i < 10; i++) {
    assert_outcome(overflow_once(rt, run_sorting, 0), WASMFX_OVERFLOWED);
    assert_true(deepest > 10);
  }
  assert_live(rt, 0, 0);
}

/* ---- Checks instead ------------------------------------------------------------------------------------ */

enum { RESERVE = 16384, EXHAUSTED = 99 };

/* An interpreter's call: it leaves a reserve for what does not check. */
__attribute__((noinline)) static uint64_t interpret_call(wasmfx_runtime_t *rt, const char *limit, uint64_t depth)
{
  volatile char locals[128];
  locals[0] = (char)depth;
  if ((const char *)__builtin_frame_address(0) < limit)
    wasmfx_trap(rt, EXHAUSTED);
  deepest = (unsigned)depth;
  const uint64_t below = interpret_call(rt, limit, depth + 1);
  return below + (uint64_t)locals[0];
}

static void *checked_low;

static uint64_t run_interpreter(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  void *high;
  (void)env, (void)from;
  assert_status(wasmfx_stack_bounds(rt, &checked_low, &high), WASMFX_OK);
  return interpret_call(rt, (const char *)checked_low + RESERVE, word);
}

/* A stack is all zeros before it is first used. */
LOOKS_ANYWHERE static bool is_untouched(const char *low, size_t bytes)
{
  open_to_looks(low, low + bytes);
  for (size_t i = 0; i < bytes; i++)
    if (low[i])
      return false;
  return true;
}

static void code_that_checks_its_stack_traps_by_itself_and_keeps_its_reserve(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state); /* nothing is caught: running into the guard would be the end */
  const wasmfx_outcome_t out = overflow_once(rt, run_interpreter, 0);
  assert_outcome(out, WASMFX_TRAPPED);
  assert_int_equal(out.code, EXHAUSTED);
  assert_true(deepest > 50);
  assert_true(is_untouched(checked_low, RESERVE / 3)); /* the trap itself needs some */
  assert_false(is_untouched(checked_low, 2 * RESERVE));
}

/* ---- In the library's own functions ------------------------------------------------------------------ */

struct verbs {
  wasmfx_type_t *type;
  wasmfx_tag_t *tag;
  wasmfx_cont_t bound; /* one that is bound to, over and over */
  wasmfx_runtime_t *rt;
  unsigned which;
};

/* One call of the library, of which there are COUNT_OF_CALLS. */
enum { COUNT_OF_CALLS = 10 };
static void call_library(struct verbs *verbs)
{
  wasmfx_runtime_t *rt = verbs->rt;
  wasmfx_cont_t k = WASMFX_NULL_CONT;
  wasmfx_scope_t scope;
  wasmfx_type_t *type;
  wasmfx_mark_t mark;
  switch (verbs->which) {
  case 0: (void)wasmfx_suspend_word(rt, verbs->tag, 1); break; /* unhandled: the long way, and back */
  case 1:
    if (wasmfx_cont_new_word(rt, verbs->type, run_nothing, NULL, &k) == WASMFX_OK)
      (void)wasmfx_drop(rt, &k);
    break;
  case 2: (void)wasmfx_cont_bind(rt, &verbs->bound, NULL, NULL, 0); break;
  case 3:
    if (wasmfx_barrier_enter(rt, &scope) == WASMFX_OK)
      (void)wasmfx_barrier_leave(rt, &scope);
    break;
  case 4:
    if (wasmfx_root_enter(rt, &scope) == WASMFX_OK)
      (void)wasmfx_root_leave(rt, &scope);
    break;
  case 5:
    if (wasmfx_type_new(rt, NULL, 0, NULL, 0, &type) == WASMFX_OK)
      wasmfx_type_free(rt, type);
    break;
  case 6:
    if (wasmfx_cont_new_word(rt, verbs->type, run_nothing, NULL, &k) == WASMFX_OK)
      (void)wasmfx_resume_word(rt, &k, NULL, 1);
    break;
  case 7: (void)wasmfx_throw(rt, verbs->tag, NULL, 99); break; /* of the wrong arity: it returns */
  case 8:
    wasmfx_mark(rt, &mark);
    (void)wasmfx_unwind_to(rt, &mark, NULL);
    break;
  default: (void)wasmfx_collect(rt, NULL, NULL); break;
  }
}

__attribute__((noinline)) static uint64_t call_and_recurse(struct verbs *verbs, unsigned depth, size_t step)
{
  volatile char *frame = __builtin_alloca(step + 16);
  frame[0] = (char)depth;
  call_library(verbs);
  const uint64_t below = call_and_recurse(verbs, depth + 1, step);
  sink += below + (uint64_t)frame[0];
  return below + 1;
}

static uint64_t run_calls(wasmfx_runtime_t *rt, void *env, uint64_t step, wasmfx_cont_t from)
{
  (void)rt, (void)from;
  return call_and_recurse(env, 0, (size_t)step);
}

/* Where nothing is kept for hooks, faults come near the library's own frames. */
static wasmfx_runtime_t *catching_without_hooks(void)
{
  wasmfx_runtime_t *rt;
  assert_status(wasmfx_runtime_new(NULL, &rt), WASMFX_OK);
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  return rt;
}

/* The library touches the stack before it changes anything. If it did not, one of these distances would stop it between
 * two changes: with a continuation too many, say, or a barrier that is open for ever. */
static void overflow_in_a_verb_leaves_nothing_half_done(void **state)
{
  (void)state;
  wasmfx_runtime_t *rt = catching_without_hooks();
  struct verbs verbs = { .type = type_of(rt, "l:l"), .tag = tag_of(rt, "l:l"), .rt = rt };
  verbs.bound = word_cont_of(rt, "l:l", run_nothing, &verbs);
  const wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(verbs.tag));
  for (verbs.which = 0; verbs.which < COUNT_OF_CALLS; verbs.which++)
    for (size_t step = 640; step < 640 + 4096; step += verbs.which == 9 ? 1024 : 48) {
      wasmfx_cont_t k = word_cont_of(rt, "l:l", run_calls, &verbs);
      assert_outcome(wasmfx_resume_word(rt, &k, handlers, step), verbs.which ? WASMFX_OVERFLOWED : WASMFX_SUSPENDED);
      if (verbs.which == 0)
        assert_status(wasmfx_drop(rt, &k), WASMFX_OK);
      assert_int_equal(wasmfx_depth(rt), 0);
      assert_int_equal(stats_of(rt).stacks_used, 0);
    }
  (void)wasmfx_collect(rt, NULL, NULL);
  assert_live(rt, 0, 0);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

/* ---- At every distance from the guard, to the word ------------------------------------------------------ */

/* What a body does when it has so much stack left; `other` is the continuation that it does it to. */
struct near {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *tag, *second, *swap; /* [i64] -> [i64] twice, [] -> [] */
  wasmfx_tag_t *turn, *change;       /* [i64] -> [i64 contref], [] -> [i64] */
  const wasmfx_handlers_t *handlers; /* for the tags: labels, but `change` for switches */
  wasmfx_type_t *type;
  void (*act)(struct near *near);
  wasmfx_cont_t other;
  size_t kept; /* made to be in the way */
};

static void act_resume(struct near *near)
{
  const wasmfx_value_t value = i64_value(1);
  (void)wasmfx_resume(near->rt, &near->other, NULL, &value, 1);
}

static void act_resume_word(struct near *near)
{
  (void)wasmfx_resume_word(near->rt, &near->other, NULL, 1);
}

/* With clauses, the short way. */
static void act_resume_word_shortly(struct near *near)
{
  (void)wasmfx_resume_word(near->rt, &near->other, near->handlers, 1);
}

static void act_suspend_word_shortly(struct near *near)
{
  (void)wasmfx_suspend_word(near->rt, near->tag, 1);
}

static void act_throw_into(struct near *near)
{
  (void)wasmfx_resume_throw(near->rt, &near->other, NULL, near->swap, NULL, 0);
}

static void act_bind(struct near *near)
{
  const wasmfx_value_t value = i64_value(1);
  (void)wasmfx_cont_bind(near->rt, &near->other, NULL, &value, 1);
}

static void act_suspend(struct near *near)
{
  const wasmfx_value_t value = i64_value(1);
  (void)wasmfx_suspend(near->rt, near->tag, &value, 1);
}

static void act_drop(struct near *near)
{
  (void)wasmfx_drop(near->rt, &near->other);
}

static void act_new_shortly(struct near *near)
{
  wasmfx_cont_t k = WASMFX_NULL_CONT;
  if (wasmfx_cont_new_word(near->rt, near->type, run_nothing, NULL, &k) == WASMFX_OK)
    near->other = k;
}

/* Whatever was used before is in use again: see happens(). */
static void act_new_from_the_arena(struct near *near)
{
  act_new_shortly(near);
}

static void act_suspend_word_by_search(struct near *near)
{
  (void)wasmfx_suspend_word(near->rt, near->second, 1);
}

static void act_switch_word_shortly(struct near *near)
{
  (void)wasmfx_switch_word(near->rt, &near->other, near->change, NULL, 1);
}

static void touch_little(void *arg)
{
  struct near *near = arg;
  sink += near->kept;
}

static void act_call_there(struct near *near)
{
  (void)wasmfx_call_on_host_stack(near->rt, touch_little, near);
}

static void act_collect(struct near *near)
{
  (void)wasmfx_collect(near->rt, NULL, NULL);
}

static void act_visit(struct near *near)
{
  const wasmfx_visitor_t blind = { NULL, NULL, NULL };
  wasmfx_visit_all(near->rt, &blind);
}

/* Goes down to `distance` bytes above the guard, in one frame. */
__attribute__((noinline)) static void act_at(struct near *near, size_t distance)
{
  void *low, *high;
  assert_status(wasmfx_stack_bounds(near->rt, &low, &high), WASMFX_OK);
  const size_t bytes = (size_t)((char *)__builtin_frame_address(0) - (char *)low) - distance;
  volatile char *room = __builtin_alloca(bytes / 16 * 16);
  room[bytes / 16 * 16 - 1] = 1;
  near->act(near);
  sink += (uint64_t)room[bytes / 16 * 16 - 1];
}

static uint64_t run_near_the_guard(wasmfx_runtime_t *rt, void *env, uint64_t distance, wasmfx_cont_t from)
{
  (void)rt, (void)from;
  act_at(env, (size_t)distance);
  return 0;
}

static uint64_t wait_for_an_answer(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)from;
  return wasmfx_suspend_word(rt, *(wasmfx_tag_t **)env, word).word;
}

/* Who comes by a switch is left to be dropped. */
static uint64_t wait_for_a_turn(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct near *near = env;
  (void)from;
  word = wasmfx_suspend_word(rt, near->turn, word).word;
  near->other = wasmfx_received_cont(rt);
  return word;
}

/* The other one before the act: fresh, or suspended. */
static wasmfx_cont_t another(struct near *near, bool is_suspended)
{
  const bool takes_turns = near->act == act_switch_word_shortly;
  wasmfx_cont_t k = takes_turns ? word_cont_of(near->rt, "l:l", wait_for_a_turn, near)
                                : word_cont_of(near->rt, "l:l", is_suspended ? wait_for_an_answer : run_nothing, &near->tag);
  if (is_suspended || takes_turns)
    assert_outcome(wasmfx_resume_word(near->rt, &k, near->handlers, 1), WASMFX_SUSPENDED);
  return k;
}

/* It has happened, or it has not: then the other one is what it was, by the same reference. */
static bool happens(struct near *near, bool is_suspended, size_t distance)
{
  wasmfx_runtime_t *rt = near->rt;
  const wasmfx_cont_t before = near->other = another(near, is_suspended);
  if (near->act == act_new_from_the_arena) {
    word_cont_of(rt, "l:l", run_nothing, NULL); /* takes what the last one has left */
    near->kept++;
  }
  wasmfx_cont_t k = word_cont_of(rt, "l:l", run_near_the_guard, near);
  const wasmfx_outcome_t out = wasmfx_resume_word(rt, &k, near->handlers, distance);
  if (out.status == WASMFX_OVERFLOWED) {
    assert_true(k == WASMFX_NULL_CONT);
    const bool has_run = is_suspended || near->act == act_switch_word_shortly;
    if (near->other == before)
      assert_state(rt, before, has_run ? WASMFX_STATE_SUSPENDED : WASMFX_STATE_FRESH);
  } else if (out.status == WASMFX_SUSPENDED) {
    assert_outcome(wasmfx_resume_word(rt, &k, NULL, 0), WASMFX_RETURNED);
  } else {
    assert_outcome(out, WASMFX_RETURNED);
  }
  assert_int_equal(wasmfx_depth(rt), 0);
  wasmfx_cont_t mine = before;
  (void)wasmfx_drop(rt, &mine);
  (void)wasmfx_drop(rt, &near->other);
  assert_live(rt, near->kept, 0);
  return out.status != WASMFX_OVERFLOWED;
}

static void a_verb_at_any_distance_from_the_guard_happens_or_does_not(void **state)
{
  void (*const acts[])(struct near *near) = {
    act_resume, act_resume_word, act_resume_word_shortly, act_throw_into, act_bind,
    act_suspend, act_suspend_word_shortly, act_suspend_word_by_search, act_switch_word_shortly, act_drop, act_new_shortly,
    act_collect, act_visit, act_new_from_the_arena, act_call_there,
  };
  wasmfx_runtime_t *rt = catching_without_hooks();
  (void)state;
  struct near near = { .rt = rt, .tag = tag_of(rt, "l:l"), .swap = tag_of(rt, ":") };
  near.second = tag_of(rt, "l:l");
  near.turn = tag_of(rt, "l:lc");
  near.change = tag_of(rt, ":l");
  near.handlers =
    HANDLERS(rt, ON_LABEL(near.tag), ON_LABEL(near.second), ON_LABEL(near.turn), ON_SWITCH(near.change));
  near.type = type_of(rt, "l:l");
  for (size_t i = 0; i < COUNT_OF(acts); i++) {
    const bool is_short = acts[i] == act_resume_word_shortly || acts[i] == act_suspend_word_shortly ||
                          acts[i] == act_suspend_word_by_search || acts[i] == act_switch_word_shortly ||
                          acts[i] == act_new_shortly;
    near.act = acts[i];
    for (int is_suspended = 0; is_suspended < 2; is_suspended++) {
      size_t happened = 0;
      for (size_t distance = 16; distance <= 12000; distance += distance < 3500 ? 16 : 2000) {
        happened += happens(&near, is_suspended, distance);
        assert_true(distance > 1000 || is_short || !happened); /* all others make sure of 1 KiB */
      }
      assert_in_range(happened, 1, 600); /* with stack enough it does */
    }
  }
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

/* ---- Looking at one that stopped where its stack ends ---------------------------------------------------- */

struct edge {
  wasmfx_tag_t *tag; /* [i64] -> [i64] */
  size_t distance;
};

/* Suspends with its stack pointer so far above the lowest byte that is its own, or further up if the call needs that.
 * */
static __attribute__((noinline)) uint64_t suspend_at(wasmfx_runtime_t *rt, const struct edge *edge)
{
  void *low, *high;
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  const size_t bytes = (size_t)((char *)__builtin_frame_address(0) - (char *)low) - edge->distance;
  volatile char *room = __builtin_alloca(bytes / 16 * 16);
  room[bytes / 16 * 16 - 1] = 1;
  return wasmfx_fast_suspend_word(&rt, edge->tag, (uintptr_t)room - (uintptr_t)low).word;
}

static uint64_t run_to_the_edge(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)word, (void)from;
  return suspend_at(rt, env);
}

static void expect_own_stack(void *context, const wasmfx_stack_t *stack)
{
  (void)context;
  if (!stack->low || !stack->high)
    return;
  sink += *(const unsigned char *)stack->low; /* which is there */
  assert_in_range((char *)stack->high - (char *)stack->low, 1, 64 << 10);
}

static void whoever_looks_at_a_full_stack_stays_on_it(void **state)
{
  wasmfx_runtime_t *rt = catching_without_hooks();
  struct edge edge = { .tag = tag_of(rt, "l:l") };
  const wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(edge.tag));
  const wasmfx_visitor_t visitor = { .stack = expect_own_stack };
  size_t nearest = SIZE_MAX;
  (void)state;
  for (edge.distance = 16; edge.distance < 512; edge.distance += 16) {
    wasmfx_cont_t k = word_cont_of(rt, "l:l", run_to_the_edge, &edge);
    const wasmfx_outcome_t out = wasmfx_resume_word(rt, &k, handlers, 0);
    if (out.status == WASMFX_OVERFLOWED)
      continue;
    assert_outcome(out, WASMFX_SUSPENDED);
    nearest = out.word < nearest ? (size_t)out.word : nearest;
    wasmfx_visit_all(rt, &visitor);
    size_t dropped = 0;
    assert_status(wasmfx_collect(rt, NULL, &dropped), WASMFX_OK);
    assert_int_equal(dropped, 1);
  }
  assert_true(!WASMFX_HAVE_FAST || nearest < 128);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

/* ---- What the host's functions want -------------------------------------------------------------------- */

static size_t appetite;

static void eat(void)
{
  volatile char *room = __builtin_alloca(appetite);
  for (size_t i = appetite; i > 0; i -= i < 512 ? i : 512)
    room[i - 1] = 1;
  sink += (uint64_t)room[0];
}

static void eat_at_a_switch(wasmfx_runtime_t *rt, void **from_word, void **to_word)
{
  (void)rt, (void)from_word, (void)to_word;
  eat();
}

static void eat_at_a_death(wasmfx_runtime_t *rt, void *word)
{
  (void)rt, (void)word;
  eat();
}

static void act_trap(struct near *near)
{
  *wasmfx_host_word(near->rt) = near;
  (void)wasmfx_trap(near->rt, 1);
}

static void act_drop_with_a_word(struct near *near)
{
  *wasmfx_cont_host_word(near->rt, near->other) = near;
  (void)wasmfx_drop(near->rt, &near->other);
}

/* A world whose hooks want so much, and are granted it: 0 stands for the default. */
static struct near hungry(size_t wants, size_t granted, struct world **world)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.switched = eat_at_a_switch;
  config.died = eat_at_a_death;
  config.stack_bytes[1] = 65536;
  config.host_stack_bytes = granted;
  appetite = wants;
  *world = world_new(&config);
  wasmfx_runtime_t *rt = (*world)->rt;
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  struct near near = { .rt = rt, .tag = tag_of(rt, "l:l"), .swap = tag_of(rt, ":") };
  near.handlers = HANDLERS(rt, ON_LABEL(near.tag));
  return near;
}

/* At no distance does the fault strike the hook itself, which would be the end of the process. */
static void hooks_have_the_stack_that_was_granted_at_any_distance_from_the_guard(void **state)
{
  void (*const acts[])(struct near *near) = { act_resume, act_suspend, act_drop_with_a_word, act_trap };
  static const size_t wants[] = { 6000, 18000 }, granted[] = { 0, 20000 };
  (void)state;
  for (size_t round = 0; round < COUNT_OF(wants); round++) {
    struct world *world;
    struct near near = hungry(wants[round], granted[round], &world);
    for (size_t i = 0; i < COUNT_OF(acts); i++) {
      near.act = acts[i];
      size_t happened = 0;
      for (size_t distance = 256; distance <= 40000; distance += distance < 26000 ? 192 : 2000) {
        wasmfx_cont_t k = word_cont_of(near.rt, "l:l", run_near_the_guard, &near);
        near.other = another(&near, true);
        const wasmfx_status_t status = wasmfx_resume_word(near.rt, &k, near.handlers, distance).status;
        happened += status != WASMFX_OVERFLOWED;
        (void)wasmfx_drop(near.rt, &k);
        (void)wasmfx_drop(near.rt, &near.other);
        assert_live(near.rt, 0, 0);
      }
      assert_in_range(happened, 1, 200);
    }
    world_free(world);
  }
}

static bool traps_at(wasmfx_runtime_t *rt, size_t distance)
{
  struct near near = { .rt = rt, .act = act_trap };
  assert_status(wasmfx_overflow_catch(rt), WASMFX_OK);
  wasmfx_cont_t k = word_cont_of(rt, "l:l", run_near_the_guard, &near);
  const wasmfx_outcome_t out = wasmfx_resume_word(rt, &k, NULL, distance);
  assert_status(wasmfx_overflow_ignore(rt), WASMFX_OK);
  return out.status == WASMFX_TRAPPED;
}

static void nothing_is_kept_for_hooks_where_there_are_none(void **state)
{
  wasmfx_runtime_t *plain;
  assert_status(wasmfx_runtime_new(NULL, &plain), WASMFX_OK);
  assert_true(traps_at(plain, 6000));
  assert_false(traps_at(runtime_of(state), 6000)); /* which has an allocator */
  assert_true(traps_at(runtime_of(state), 16000));
  assert_status(wasmfx_runtime_free(plain, NULL), WASMFX_OK);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(overflow_ends_the_continuation_and_its_resume_says_so),
    in_a_world(the_stack_of_an_overflow_is_used_again),
    in_a_world(overflow_is_caught_at_every_distance_from_the_guard),
    in_a_world(a_frame_larger_than_the_guard_is_caught_where_it_is_probed),
    in_a_world(overflow_after_a_suspension_is_one_of_the_last_resumer),
    cmocka_unit_test(overflow_is_caught_by_guards_of_either_kind),
    cmocka_unit_test(a_guard_may_be_of_many_pages),
    cmocka_unit_test(the_page_below_a_stack_of_the_hosts_is_a_guard),
    in_a_world(a_thousand_nested_ones_overflow_one_after_the_other),
    in_a_world(overflow_closes_the_roots_and_barriers_that_it_left_open),
    in_a_world(overflow_under_a_root_ends_at_the_resume_inside_it),
    in_a_world(overflow_in_a_chain_that_was_captured_ends_its_innermost_alone),
    in_a_world(a_suspended_one_outlives_the_overflow_of_who_held_it),
    cmocka_unit_test(hooks_are_told_of_an_overflow_as_of_a_return),
    in_a_world(overflow_leaves_the_processor_as_the_calling_convention_says),
    cmocka_unit_test(the_resumer_of_an_overflow_has_its_own_float_control),
    in_a_world(overflow_below_a_function_of_libc_is_caught),
    in_a_world(code_that_checks_its_stack_traps_by_itself_and_keeps_its_reserve),
    in_a_world(overflow_in_a_verb_leaves_nothing_half_done),
    in_a_world(a_verb_at_any_distance_from_the_guard_happens_or_does_not),
    in_a_world(whoever_looks_at_a_full_stack_stays_on_it),
    cmocka_unit_test(hooks_have_the_stack_that_was_granted_at_any_distance_from_the_guard),
    in_a_world(nothing_is_kept_for_hooks_where_there_are_none),
  };
  return cmocka_run_group_tests_name("overflow", tests, NULL, NULL);
}
