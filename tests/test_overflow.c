/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stack that runs into its guard is a trap of its continuation: at every distance from the guard and in every verb, under
 * both kinds of guards, a thousand deep; and what is no overflow goes to the handler that was there before.
 */
#define _GNU_SOURCE /* sigaltstack, REG_RIP */

#include "support.h"

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

/* The library touches the stack before it changes anything. If it did not, one of these distances would stop it between
 * two changes: with a continuation too many, say, or a barrier that is open for ever. */
static void overflow_in_a_verb_leaves_nothing_half_done(void **state)
{
  wasmfx_runtime_t *rt = catching(state);
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
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(overflow_ends_the_continuation_and_its_resume_says_so),
    in_a_world(the_stack_of_an_overflow_is_used_again),
    in_a_world(overflow_is_caught_at_every_distance_from_the_guard),
    in_a_world(a_frame_larger_than_the_guard_is_caught_where_it_is_probed),
    in_a_world(overflow_after_a_suspension_is_one_of_the_last_resumer),
    in_a_world(overflow_in_a_verb_leaves_nothing_half_done),
  };
  return cmocka_run_group_tests_name("overflow", tests, NULL, NULL);
}
