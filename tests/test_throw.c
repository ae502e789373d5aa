/* SPDX-License-Identifier: Apache-2.0 */
/* The ways in which a continuation ends: exceptions, traps, cancelling, dropping, and the end of its runtime. */
#include "effort.h"
#include "support.h"

#include <string.h>

/** What the bodies here get. */
struct fixture {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *pause, *other_pause; /* [i64] -> [i64] */
  wasmfx_tag_t *oops;                /* [i64] -> [] */
  wasmfx_tag_t *swap;                /* [] -> [i64] */
  const wasmfx_handlers_t *on_pause;
  size_t entered;
  size_t levels;
  size_t catcher; /* the level that catches, 0: none */
  enum end { RETURNS, SUSPENDS, THROWS, TRAPS, OVERFLOWS } end; /* how a body is to end */
  wasmfx_cont_t kept;
  wasmfx_value_t thrown;
};

static void fixture_init(struct fixture *fixture, wasmfx_runtime_t *rt)
{
  memset(fixture, 0, sizeof(*fixture));
  fixture->rt = rt;
  fixture->pause = tag_of(rt, "l:l");
  fixture->other_pause = tag_of(rt, "l:l");
  fixture->oops = tag_of(rt, "l:");
  fixture->swap = tag_of(rt, ":l");
  fixture->on_pause = HANDLERS(rt, ON_LABEL(fixture->pause));
}

static wasmfx_exception_t exception_of(const wasmfx_tag_t *tag, const wasmfx_value_t *value)
{
  const wasmfx_exception_t exception = { tag, value, 1, NULL };
  return exception;
}

static void assert_exception(wasmfx_outcome_t outcome, const wasmfx_tag_t *tag, int64_t value)
{
  assert_outcome(outcome, WASMFX_THREW);
  assert_ptr_equal(outcome.exception->tag, tag);
  assert_int_equal(outcome.exception->count, 1);
  assert_int_equal(outcome.exception->values[0].i64, value);
}

/** The value lies in the fixture: whoever gets the exception reads it there. */
static wasmfx_outcome_t throw_into(struct fixture *fixture, wasmfx_cont_t *cont, int64_t value)
{
  fixture->thrown = i64_value(value);
  return wasmfx_resume_throw(fixture->rt, cont, fixture->on_pause, fixture->oops, &fixture->thrown, 1);
}

/* ---- resume_throw ---------------------------------------------------------------- */

static uint64_t never(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  fail_msg("this body must not run");
  return word;
}

static void never_in_slots(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env, (void)args, (void)results;
  fail_msg("this body must not run");
}

static void resume_throw_of_a_fresh_cont_never_runs_its_body(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", never, NULL);
  const wasmfx_cont_t old = cont;
  assert_exception(throw_into(&fixture, &cont, 5), fixture.oops, 5);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  assert_dead(fixture.rt, old);
  assert_live(fixture.rt, 0, 0);
  assert_int_equal(stats_of(fixture.rt).stacks_made, 0); /* nor did it ever have a stack */
}

static void resume_throw_of_a_fresh_cont_drops_its_bound_arguments(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  const wasmfx_value_t values[3] = { i64_value(1), i64_value(2), i64_value(3) };
  wasmfx_cont_t cont = cont_of(fixture.rt, "llll:", never_in_slots, NULL);
  assert_status(wasmfx_cont_bind(fixture.rt, &cont, NULL, values, 3), WASMFX_OK);
  assert_exception(throw_into(&fixture, &cont, 5), fixture.oops, 5);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  assert_live(fixture.rt, 0, 0);
}

static uint64_t catch_once(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct fixture *fixture = env;
  (void)from;
  const wasmfx_outcome_t woken = wasmfx_suspend_word(rt, fixture->pause, word);
  assert_exception(woken, fixture->oops, 5);
  return 6;
}

static void a_suspended_cont_may_catch_and_return(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", catch_once, &fixture);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
  const wasmfx_cont_t old = cont;
  const wasmfx_outcome_t outcome = throw_into(&fixture, &cont, 5);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.values[0].i64, 6);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  assert_dead(fixture.rt, old);
  assert_live(fixture.rt, 0, 0);
}

static uint64_t catch_and_suspend_again(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct fixture *fixture = env;
  (void)from;
  for (int64_t i = 0; i < 10; i++) {
    const wasmfx_outcome_t woken = wasmfx_suspend_word(rt, fixture->pause, (uint64_t)i);
    assert_exception(woken, fixture->oops, i);
  }
  return word;
}

static void a_suspended_cont_may_catch_and_suspend_under_the_new_handlers(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_runtime_t *rt = fixture.rt;
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", catch_and_suspend_again, &fixture);
  const wasmfx_handlers_t *others = HANDLERS(rt, ON_LABEL(fixture.other_pause), ON_LABEL(fixture.pause));
  wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, fixture.on_pause, 1);
  for (int64_t i = 0; i < 10; i++) {
    assert_outcome(outcome, WASMFX_SUSPENDED);
    assert_int_equal(outcome.by_address ? outcome.values[0].i64 : (int64_t)outcome.word, i);
    assert_int_equal(outcome.handler, i > 0);
    const wasmfx_cont_t old = cont;
    const wasmfx_value_t slot = i64_value(i);
    outcome = wasmfx_resume_throw(rt, &cont, others, fixture.oops, &slot, 1);
    assert_dead(rt, old);
  }
  assert_outcome(outcome, WASMFX_RETURNED);
}

static uint64_t catch_nothing(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct fixture *fixture = env;
  (void)from;
  const wasmfx_outcome_t woken = wasmfx_suspend_word(rt, fixture->pause, word);
  if (woken.status == WASMFX_THREW)
    wasmfx_throw_ref(rt, woken.exception);
  return woken.word;
}

static void what_a_suspended_cont_does_not_catch_arrives_at_the_resume_throw(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", catch_nothing, &fixture);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
  const wasmfx_cont_t old = cont;
  assert_exception(throw_into(&fixture, &cont, 5), fixture.oops, 5);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  assert_dead(fixture.rt, old);
  assert_live(fixture.rt, 0, 0);
}

/** A chain of `levels`; the innermost suspends, and each level may catch what comes out of the one below. */
static uint64_t chain_level(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  const size_t level = ++fixture->entered;
  wasmfx_outcome_t outcome;
  (void)from;
  if (level == fixture->levels) {
    outcome = wasmfx_suspend_word(rt, fixture->pause, word);
  } else {
    wasmfx_cont_t inner = word_cont_of(rt, "l:l", chain_level, env);
    outcome = wasmfx_resume_word(rt, &inner, NULL, word);
    assert_int_equal(inner, WASMFX_NULL_CONT);
  }
  if (outcome.status != WASMFX_THREW)
    return outcome.word + 1;
  assert_exception(outcome, fixture->oops, 5);
  assert_int_equal(wasmfx_depth(rt), level);
  if (level == fixture->catcher)
    return 1000;
  wasmfx_throw_ref(rt, outcome.exception);
  return 0;
}

static void an_exception_thrown_into_a_chain_starts_at_its_innermost(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  for (fixture.levels = 1; fixture.levels <= 8; fixture.levels++)
    for (fixture.catcher = 0; fixture.catcher <= fixture.levels; fixture.catcher++) {
      wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", chain_level, &fixture);
      fixture.entered = 0;
      assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
      assert_live(fixture.rt, fixture.levels, fixture.levels);
      const wasmfx_outcome_t outcome = throw_into(&fixture, &cont, 5);
      if (fixture.catcher) {
        assert_outcome(outcome, WASMFX_RETURNED);
        assert_int_equal(outcome.values[0].i64, 1000 + fixture.catcher - 1);
      } else {
        assert_exception(outcome, fixture.oops, 5);
      }
      assert_int_equal(cont, WASMFX_NULL_CONT);
      assert_live(fixture.rt, 0, 0);
    }
}

static uint64_t keep_switcher(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  (void)rt;
  fixture->kept = from;
  return word;
}

static uint64_t catch_at_a_switch(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  wasmfx_cont_t target = word_cont_of(rt, "lc:l", keep_switcher, env);
  (void)from;
  const wasmfx_outcome_t woken = wasmfx_switch_word(rt, &target, fixture->swap, NULL, word);
  assert_exception(woken, fixture->oops, 5);
  assert_int_equal(target, WASMFX_NULL_CONT);
  return 7;
}

static void a_cont_that_has_switched_away_finds_the_exception_at_its_switch(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", catch_at_a_switch, &fixture);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, HANDLERS(fixture.rt, ON_SWITCH(fixture.swap)), 0),
                 WASMFX_RETURNED);
  assert_state(fixture.rt, fixture.kept, WASMFX_STATE_SUSPENDED);
  const wasmfx_outcome_t outcome = throw_into(&fixture, &fixture.kept, 5);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.values[0].i64, 7);
  assert_live(fixture.rt, 0, 0);
}

/* ---- throw and trap, from anywhere in a body ----------------------------------------- */

/** Recursion that the compiler does not turn into a loop: each frame is looked at after the call. */
static uint64_t recurse(struct fixture *fixture, size_t depth, void (*at_the_end)(struct fixture *fixture))
{
  volatile uint64_t frame[4] = { depth, depth + 1, depth + 2, depth + 3 };
  if (depth == 0)
    at_the_end(fixture);
  else
    frame[0] = recurse(fixture, depth - 1, at_the_end);
  return frame[0] + frame[3];
}

static void throw_oops(struct fixture *fixture)
{
  const wasmfx_value_t value = i64_value(5);
  wasmfx_throw(fixture->rt, fixture->oops, &value, 1);
  fail_msg("wasmfx_throw has returned");
}

static void trap_42(struct fixture *fixture)
{
  wasmfx_trap(fixture->rt, 42);
  fail_msg("wasmfx_trap has returned");
}

static uint64_t throw_from_depth(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)from;
  return recurse(env, word, throw_oops);
}

static uint64_t trap_from_depth(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)from;
  return recurse(env, word, trap_42);
}

static void throw_and_trap_leave_a_body_from_any_depth_of_calls(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  for (uint64_t depth = 0; depth <= 400; depth += depth < 4 ? 1 : 44) {
    wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", throw_from_depth, &fixture);
    assert_status(wasmfx_cont_stack_class(fixture.rt, cont, 3), WASMFX_OK); /* frames are large under a sanitizer */
    assert_exception(wasmfx_resume_word(fixture.rt, &cont, NULL, depth), fixture.oops, 5);
    assert_int_equal(cont, WASMFX_NULL_CONT);
    assert_live(fixture.rt, 0, 0);

    cont = word_cont_of(fixture.rt, "l:l", trap_from_depth, &fixture);
    assert_status(wasmfx_cont_stack_class(fixture.rt, cont, 3), WASMFX_OK);
    const wasmfx_outcome_t outcome = wasmfx_resume_word(fixture.rt, &cont, NULL, depth);
    assert_outcome(outcome, WASMFX_TRAPPED);
    assert_int_equal(outcome.code, 42);
    assert_int_equal(cont, WASMFX_NULL_CONT);
    assert_live(fixture.rt, 0, 0);
    assert_int_equal(wasmfx_depth(fixture.rt), 0);
  }
}

/** Each level resumes the next; the innermost traps; each level hands the trap on, as an engine does. */
static uint64_t pass_the_trap_on(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)from;
  if (word == 0)
    wasmfx_trap(rt, INT64_MIN);
  wasmfx_cont_t inner = word_cont_of(rt, "l:l", pass_the_trap_on, env);
  const wasmfx_cont_t old = inner;
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &inner, NULL, word - 1);
  assert_outcome(outcome, WASMFX_TRAPPED);
  assert_int_equal(inner, WASMFX_NULL_CONT);
  assert_dead(rt, old);
  assert_int_equal(wasmfx_depth(rt), 31 - word);
  assert_live(rt, 31 - word, 31 - word);
  wasmfx_trap(rt, outcome.code + 1);
  return 0;
}

static void a_trap_ends_one_continuation_and_its_resumer_decides(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", pass_the_trap_on, NULL);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(fixture.rt, &cont, NULL, 30);
  assert_outcome(outcome, WASMFX_TRAPPED);
  assert_int_equal(outcome.code, INT64_MIN + 30);
  assert_live(fixture.rt, 0, 0);
}

static uint64_t end_as_told(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  const wasmfx_value_t value = i64_value((int64_t)word);
  switch (fixture->end) {
  case RETURNS: break;
  case SUSPENDS: return wasmfx_suspend_word(rt, fixture->pause, word).word;
  case THROWS: wasmfx_throw(rt, fixture->oops, &value, 1); break;
  case TRAPS: wasmfx_trap(rt, (int64_t)word); break;
  case OVERFLOWS: return recurse_for_ever(rt, env, word, from);
  }
  return word;
}

static void the_five_outcomes_are_told_apart_whatever_they_carry(void **state)
{
  static const int64_t payloads[] = { 0, 1, 2, 3, -1, -2, -3, INT64_MIN, INT64_MAX, 0x10000, INT32_MIN };
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  assert_status(wasmfx_overflow_catch(fixture.rt), WASMFX_OK);
  for (size_t i = 0; i < COUNT_OF(payloads); i++)
    for (enum end end = RETURNS; end <= OVERFLOWS; end++)
      for (int words = 0; words <= 1; words++) {
        const wasmfx_value_t slot = i64_value(payloads[i]);
        wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", end_as_told, &fixture);
        fixture.end = end;
        const wasmfx_outcome_t outcome =
          words ? wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, (uint64_t)payloads[i])
                : wasmfx_resume(fixture.rt, &cont, fixture.on_pause, &slot, 1);
        assert_outcome(outcome, (wasmfx_status_t)end); /* they are numbered alike */
        if (end == THROWS)
          assert_exception(outcome, fixture.oops, payloads[i]);
        else if (end == TRAPS)
          assert_true(outcome.code == payloads[i]);
        else if (end == OVERFLOWS)
          assert_int_equal(outcome.word, 0);
        else
          assert_true((words ? (int64_t)outcome.word : outcome.values[0].i64) == payloads[i]);
        if (end == SUSPENDS)
          assert_status(wasmfx_drop(fixture.rt, &cont), WASMFX_OK);
        assert_int_equal(cont, WASMFX_NULL_CONT);
      }
}

static void nothing_can_be_thrown_or_trapped_outside_of_a_continuation(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  const wasmfx_value_t value = i64_value(1);
  const wasmfx_exception_t exception = exception_of(fixture.oops, &value);
  const struct view before = view_of(fixture.rt);
  assert_status(wasmfx_throw(fixture.rt, fixture.oops, &value, 1), WASMFX_ERROR_STATE);
  assert_status(wasmfx_throw_ref(fixture.rt, &exception), WASMFX_ERROR_STATE);
  assert_status(wasmfx_trap(fixture.rt, 1), WASMFX_ERROR_STATE);
  assert_unchanged(fixture.rt, &before);
}

static uint64_t end_inside_a_root(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct fixture *fixture = env;
  const wasmfx_value_t value = i64_value(1);
  wasmfx_scope_t scope;
  (void)from;
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  assert_status(wasmfx_throw(rt, fixture->oops, &value, 1), WASMFX_ERROR_STATE);
  assert_status(wasmfx_trap(rt, 1), WASMFX_ERROR_STATE);
  assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
  return word;
}

static void nothing_can_be_thrown_or_trapped_across_a_root(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", end_inside_a_root, &fixture);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, NULL, 1), WASMFX_RETURNED);
}

/* ---- cancel ------------------------------------------------------------------------------ */

/** Swallows `levels` exceptions, suspending by one tag and the other, and ends as told then. */
static uint64_t swallow(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  for (size_t i = 0; i <= fixture->levels; i++) {
    const wasmfx_outcome_t woken = wasmfx_suspend_word(rt, i % 2 ? fixture->other_pause : fixture->pause, word);
    assert_exception(woken, fixture->oops, 5);
    fixture->entered++;
  }
  return end_as_told(rt, env, word, from);
}

static wasmfx_cont_t swallowing(struct fixture *fixture, size_t swallowed, enum end end)
{
  wasmfx_cont_t cont = word_cont_of(fixture->rt, "l:l", swallow, fixture);
  fixture->levels = swallowed;
  fixture->end = end;
  fixture->entered = 0;
  assert_outcome(wasmfx_resume_word(fixture->rt, &cont, fixture->on_pause, 3), WASMFX_SUSPENDED);
  return cont;
}

static void cancel_throws_at_each_suspension_until_the_cont_is_dead(void **state)
{
  static const struct {
    enum end end;
    wasmfx_status_t answer;
  } ends[] = { { RETURNS, WASMFX_RETURNED }, { THROWS, WASMFX_THREW }, { TRAPS, WASMFX_TRAPPED } };
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  const wasmfx_value_t five = i64_value(5);
  const wasmfx_exception_t exception = exception_of(fixture.oops, &five);
  for (size_t swallowed = 0; swallowed <= 12; swallowed++)
    for (size_t e = 0; e < COUNT_OF(ends); e++) {
      wasmfx_cont_t cont = swallowing(&fixture, swallowed, ends[e].end);
      const wasmfx_cont_t old = cont;
      const wasmfx_outcome_t outcome = wasmfx_cancel(fixture.rt, &cont, &exception, 0);
      assert_outcome(outcome, ends[e].answer);
      assert_int_equal(fixture.entered, swallowed + 1);
      assert_int_equal(cont, WASMFX_NULL_CONT);
      assert_dead(fixture.rt, old);
      assert_live(fixture.rt, 0, 0);
    }
}

static void cancel_drops_the_cont_when_its_attempts_are_used_up(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  const wasmfx_value_t five = i64_value(5);
  const wasmfx_exception_t exception = exception_of(fixture.oops, &five);
  for (size_t attempts = 1; attempts <= 6; attempts++) {
    wasmfx_cont_t cont = swallowing(&fixture, 4, RETURNS);
    const wasmfx_cont_t old = cont;
    const wasmfx_outcome_t outcome = wasmfx_cancel(fixture.rt, &cont, &exception, attempts);
    assert_outcome(outcome, attempts < 5 ? WASMFX_SUSPENDED : WASMFX_RETURNED);
    assert_int_equal(fixture.entered, attempts < 5 ? attempts : 5);
    assert_int_equal(cont, WASMFX_NULL_CONT);
    assert_dead(fixture.rt, old);
    assert_live(fixture.rt, 0, 0);
  }
}

static void cancel_of_a_fresh_cont_never_runs_its_body(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  const wasmfx_value_t five = i64_value(5);
  const wasmfx_exception_t exception = exception_of(fixture.oops, &five);
  wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", never, NULL);
  assert_exception(wasmfx_cancel(fixture.rt, &cont, &exception, 1), fixture.oops, 5);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  assert_live(fixture.rt, 0, 0);
}

static uint64_t switch_when_cancelled(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct fixture *fixture = env;
  const wasmfx_value_t value = i64_value(1);
  (void)from;
  assert_exception(wasmfx_suspend_word(rt, fixture->pause, word), fixture->oops, 5);
  wasmfx_cont_t target = word_cont_of(rt, "lc:l", never, NULL);
  const wasmfx_cont_t given = target;
  const struct view before = view_of(rt);
  assert_outcome(wasmfx_switch_word(rt, &target, fixture->swap, NULL, 1), WASMFX_TRAP_UNHANDLED);
  assert_outcome(wasmfx_switch(rt, &target, fixture->swap, NULL, &value, 1), WASMFX_TRAP_UNHANDLED);
  assert_int_equal(target, given);
  assert_unchanged(rt, &before);
  assert_status(wasmfx_drop(rt, &target), WASMFX_OK);
  return 8;
}

/** Runs where a switch has a handler, which is nothing to whom it cancels. */
static uint64_t cancel_who_switches(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct fixture *fixture = env;
  const wasmfx_value_t five = i64_value(5);
  const wasmfx_exception_t exception = exception_of(fixture->oops, &five);
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", switch_when_cancelled, env);
  (void)from;
  assert_outcome(wasmfx_resume_word(rt, &cont, fixture->on_pause, word), WASMFX_SUSPENDED);
  const wasmfx_outcome_t outcome = wasmfx_cancel(rt, &cont, &exception, 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.values[0].i64, 8);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  assert_int_equal(wasmfx_depth(rt), 1);
  return 9;
}

static void who_is_cancelled_cannot_switch_its_canceller_away(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", cancel_who_switches, &fixture);
  const wasmfx_outcome_t outcome =
    wasmfx_resume_word(fixture.rt, &cont, HANDLERS(fixture.rt, ON_SWITCH(fixture.swap)), 1);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 9);
  assert_live(fixture.rt, 0, 0);
}

static void cancel_ends_a_whole_chain(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  const wasmfx_value_t five = i64_value(5);
  const wasmfx_exception_t exception = exception_of(fixture.oops, &five);
  wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", chain_level, &fixture);
  fixture.levels = 20;
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
  assert_live(fixture.rt, 20, 20);
  assert_exception(wasmfx_cancel(fixture.rt, &cont, &exception, 1), fixture.oops, 5);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  assert_live(fixture.rt, 0, 0);
}

/* ---- drop --------------------------------------------------------------------------------- */

static void drop_of_a_fresh_cont_frees_it_and_what_was_bound(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  const wasmfx_value_t values[3] = { i64_value(1), i64_value(2), i64_value(3) };
  wasmfx_cont_t cont = cont_of(fixture.rt, "llll:", never_in_slots, NULL);
  assert_status(wasmfx_cont_bind(fixture.rt, &cont, NULL, values, 3), WASMFX_OK);
  const wasmfx_cont_t old = cont;
  assert_live(fixture.rt, 1, 0);
  assert_status(wasmfx_drop(fixture.rt, &cont), WASMFX_OK);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  assert_dead(fixture.rt, old);
  assert_live(fixture.rt, 0, 0);
}

static void drop_of_a_chain_drops_all_of_it(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  for (fixture.levels = 1; fixture.levels <= 100; fixture.levels += 11) {
    wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", chain_level, &fixture);
    fixture.entered = 0;
    assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
    assert_live(fixture.rt, fixture.levels, fixture.levels);
    const wasmfx_cont_t old = cont;
    assert_status(wasmfx_drop(fixture.rt, &cont), WASMFX_OK);
    assert_int_equal(cont, WASMFX_NULL_CONT);
    assert_dead(fixture.rt, old);
    assert_live(fixture.rt, 0, 0);
  }
}

/** Drops the other one while running, and is alive and well afterwards. */
static uint64_t drop_another(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  (void)from;
  assert_live(rt, 2, 2);
  assert_status(wasmfx_drop(rt, &fixture->kept), WASMFX_OK);
  assert_live(rt, 1, 1);
  wasmfx_cont_t next = word_cont_of(rt, "l:l", catch_nothing, env); /* on the stack that has just come back */
  assert_outcome(wasmfx_resume_word(rt, &next, fixture->on_pause, 1), WASMFX_SUSPENDED);
  assert_live(rt, 2, 2);
  assert_outcome(wasmfx_resume_word(rt, &next, NULL, 1), WASMFX_RETURNED);
  return word + 1;
}

static void a_continuation_may_drop_another(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  fixture.kept = word_cont_of(fixture.rt, "l:l", catch_nothing, &fixture);
  assert_outcome(wasmfx_resume_word(fixture.rt, &fixture.kept, fixture.on_pause, 0), WASMFX_SUSPENDED);
  wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", drop_another, &fixture);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(fixture.rt, &cont, NULL, 1);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 2);
  assert_int_equal(fixture.kept, WASMFX_NULL_CONT);
  assert_live(fixture.rt, 0, 0);
}

/* ---- The end of a runtime ----------------------------------------------------------------------- */

/** A runtime goes with `suspended` and `fresh` continuations and a chain of `levels` alive. */
static void free_with(size_t suspended, size_t fresh, size_t levels)
{
  struct heap heap = { 0 };
  struct fixture fixture;
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.allocator = heap_allocator(&heap);
  wasmfx_runtime_t *rt;
  assert_status(wasmfx_runtime_new(&config, &rt), WASMFX_OK);
  fixture_init(&fixture, rt);

  wasmfx_type_t *type = type_of(rt, "l:l");
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  for (size_t i = 0; i < suspended; i++) {
    assert_status(wasmfx_cont_new_word(rt, type, catch_nothing, &fixture, &cont), WASMFX_OK);
    assert_outcome(wasmfx_resume_word(rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
  }
  const wasmfx_value_t bound = i64_value(1);
  for (size_t i = 0; i < fresh; i++) {
    assert_status(wasmfx_cont_new_word(rt, type, never, &fixture, &cont), WASMFX_OK);
    if (i % 2)
      assert_status(wasmfx_cont_bind(rt, &cont, NULL, &bound, 1), WASMFX_OK);
  }
  fixture.levels = levels;
  if (levels) {
    assert_status(wasmfx_cont_new_word(rt, type, chain_level, &fixture, &cont), WASMFX_OK);
    assert_outcome(wasmfx_resume_word(rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
  }
  assert_live(rt, suspended + fresh + levels, suspended + levels);

  size_t dropped = 12345;
  assert_status(wasmfx_runtime_free(rt, &dropped), WASMFX_OK);
  assert_int_equal(dropped, suspended + fresh + levels);
  assert_int_equal(heap.blocks, 0);
  assert_int_equal(heap.bytes, 0);
}

static void a_runtime_that_goes_drops_all_and_says_how_many(void **state)
{
  (void)state;
  free_with(0, 0, 0);
  free_with(1, 0, 0);
  free_with(0, 1, 0);
  free_with(0, 0, 1);
  free_with(0, 0, 60);
  free_with(10, 20, 30);
  free_with(3000, 2000, 100);
}

/** Whether any number of stacks can be guarded; with mprotect it is at most one for two of the kernel's 65,530 maps. */
static bool guards_are_free(void)
{
  struct fixture fixture;
  wasmfx_runtime_t *rt;
  assert_status(wasmfx_runtime_new(NULL, &rt), WASMFX_OK);
  fixture_init(&fixture, rt);
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", catch_nothing, &fixture);
  assert_outcome(wasmfx_resume_word(rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
  const bool are_free = stats_of(rt).guard == WASMFX_GUARD_LIGHT;
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
  return are_free;
}

static void a_runtime_may_go_with_100000_suspended(void **state)
{
  (void)state;
  free_with(effort(guards_are_free() ? 100000 : 20000), 0, 0);
}

static uint64_t free_from_inside(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  size_t dropped = 12345;
  (void)env, (void)from;
  const struct view before = view_of(rt);
  assert_status(wasmfx_runtime_free(rt, &dropped), WASMFX_ERROR_STATE);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_ERROR_STATE);
  assert_unchanged(rt, &before);
  wasmfx_scope_t scope;
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_ERROR_STATE);
  assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
  return word;
}

static void a_runtime_cannot_be_freed_from_inside(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", free_from_inside, NULL);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(fixture.rt, &cont, NULL, 7);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 7);
}

static void a_runtime_cannot_be_freed_with_a_scope_open(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_scope_t scope;
  assert_status(wasmfx_barrier_enter(rt, &scope), WASMFX_OK);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_ERROR_STATE);
  assert_status(wasmfx_barrier_leave(rt, &scope), WASMFX_OK);
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_ERROR_STATE);
  assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
}

static void freeing_nothing_is_nothing(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  size_t dropped = 12345;
  assert_status(wasmfx_runtime_free(NULL, NULL), WASMFX_OK);
  assert_status(wasmfx_runtime_free(NULL, &dropped), WASMFX_OK);
  wasmfx_type_free(rt, NULL);
  wasmfx_tag_free(rt, NULL);
  wasmfx_handlers_free(rt, NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(resume_throw_of_a_fresh_cont_never_runs_its_body),
    in_a_world(resume_throw_of_a_fresh_cont_drops_its_bound_arguments),
    in_a_world(a_suspended_cont_may_catch_and_return),
    in_a_world(a_suspended_cont_may_catch_and_suspend_under_the_new_handlers),
    in_a_world(what_a_suspended_cont_does_not_catch_arrives_at_the_resume_throw),
    in_a_world(an_exception_thrown_into_a_chain_starts_at_its_innermost),
    in_a_world(a_cont_that_has_switched_away_finds_the_exception_at_its_switch),
    in_a_world(throw_and_trap_leave_a_body_from_any_depth_of_calls),
    in_a_world(a_trap_ends_one_continuation_and_its_resumer_decides),
    in_a_world(the_five_outcomes_are_told_apart_whatever_they_carry),
    in_a_world(nothing_can_be_thrown_or_trapped_outside_of_a_continuation),
    in_a_world(nothing_can_be_thrown_or_trapped_across_a_root),
    in_a_world(cancel_throws_at_each_suspension_until_the_cont_is_dead),
    in_a_world(cancel_drops_the_cont_when_its_attempts_are_used_up),
    in_a_world(cancel_of_a_fresh_cont_never_runs_its_body),
    in_a_world(who_is_cancelled_cannot_switch_its_canceller_away),
    in_a_world(cancel_ends_a_whole_chain),
    in_a_world(drop_of_a_fresh_cont_frees_it_and_what_was_bound),
    in_a_world(drop_of_a_chain_drops_all_of_it),
    in_a_world(a_continuation_may_drop_another),
    cmocka_unit_test(a_runtime_that_goes_drops_all_and_says_how_many),
    cmocka_unit_test(a_runtime_may_go_with_100000_suspended),
    in_a_world(a_runtime_cannot_be_freed_from_inside),
    in_a_world(a_runtime_cannot_be_freed_with_a_scope_open),
    in_a_world(freeing_nothing_is_nothing),
  };
  return cmocka_run_group_tests_name("throw", tests, NULL, NULL);
}
