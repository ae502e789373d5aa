/* SPDX-License-Identifier: Apache-2.0 */
/* Who handles a suspension or a switch, what is captured, and what stays. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

/* ---- Nests -------------------------------------------------------------------- */

/*
 * A nest is a chain of continuations: level 1 is resumed by the host, each
 * resumes the next one under the table of its level, and the last one acts.
 * Whatever the act answers goes back out, plus one for each level.
 */
enum { NEST_LEVELS = 101 };

struct nest {
  wasmfx_runtime_t *rt;
  size_t levels;
  size_t entered;
  uint64_t (*act)(struct nest *nest);
  const wasmfx_handlers_t *tables[NEST_LEVELS + 1]; /* [n]: those of the resume of level n; the host's is [1] */
  uint32_t caught_by;                               /* the level of the resume that caught, 0: none of the inner ones */
  wasmfx_outcome_t caught;                          /* what it got */
  wasmfx_cont_t captured;
  wasmfx_tag_t *tags[4];
};

static uint64_t nest_level(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct nest *nest = env;
  const size_t level = ++nest->entered;
  (void)word, (void)from;
  assert_int_equal(wasmfx_depth(rt), level);
  if (level == nest->levels)
    return nest->act(nest);
  wasmfx_cont_t inner = word_cont_of(rt, ":l", nest_level, nest);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &inner, nest->tables[level + 1], 0);
  if (outcome.status != WASMFX_SUSPENDED) {
    assert_outcome(outcome, WASMFX_RETURNED);
    return outcome.word + 1;
  }
  nest->caught_by = (uint32_t)level + 1;
  nest->caught = outcome;
  nest->captured = inner;
  return 0;
}

/** Runs a nest; its outermost resume is the host's. */
static wasmfx_outcome_t nest_run(struct nest *nest, wasmfx_cont_t *cont)
{
  nest->entered = 0;
  nest->caught_by = 0;
  nest->captured = WASMFX_NULL_CONT;
  *cont = word_cont_of(nest->rt, ":l", nest_level, nest);
  return wasmfx_resume_word(nest->rt, cont, nest->tables[1], 0);
}

static void nest_init(struct nest *nest, wasmfx_runtime_t *rt, size_t levels, uint64_t (*act)(struct nest *nest))
{
  memset(nest, 0, sizeof(*nest));
  nest->rt = rt;
  nest->levels = levels;
  nest->act = act;
  for (size_t i = 0; i < COUNT_OF(nest->tags); i++)
    nest->tags[i] = tag_of(rt, ":l");
}

static uint64_t suspend_by_tag_0(struct nest *nest)
{
  const wasmfx_outcome_t woken = wasmfx_suspend_word(nest->rt, nest->tags[0], 0);
  assert_outcome(woken, WASMFX_RETURNED);
  return woken.word;
}

/* ---- The search ----------------------------------------------------------------- */

static void the_innermost_handler_wins(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t handling = 1; handling <= 5; handling++) {
    struct nest nest;
    nest_init(&nest, rt, 5, suspend_by_tag_0);
    for (size_t level = 1; level <= handling; level++) /* this one and all outer ones would do */
      nest.tables[level] = HANDLERS(rt, ON_LABEL(nest.tags[0]));
    wasmfx_cont_t cont;
    const wasmfx_outcome_t outcome = nest_run(&nest, &cont);
    if (handling == 1) {
      assert_outcome(outcome, WASMFX_SUSPENDED);
      nest.captured = cont;
    } else {
      assert_outcome(outcome, WASMFX_RETURNED);
      assert_int_equal(nest.caught_by, handling);
    }
    assert_state(rt, nest.captured, WASMFX_STATE_SUSPENDED);
    assert_live(rt, 5 - handling + 1, 5 - handling + 1); /* what was captured is all that lives */
    assert_status(wasmfx_drop(rt, &nest.captured), WASMFX_OK);
    assert_live(rt, 0, 0);
  }
}

static void the_first_clause_that_matches_wins(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (uint32_t place = 0; place < 8; place++) {
    struct nest nest;
    nest_init(&nest, rt, 1, suspend_by_tag_0);
    wasmfx_clause_t clauses[10];
    for (uint32_t i = 0; i < COUNT_OF(clauses); i++)
      clauses[i] = (wasmfx_clause_t)ON_LABEL(nest.tags[i < place ? 1 + i % 3 : 0]);
    nest.tables[1] = handlers_of(rt, clauses, COUNT_OF(clauses));
    wasmfx_cont_t cont;
    const wasmfx_outcome_t outcome = nest_run(&nest, &cont);
    assert_outcome(outcome, WASMFX_SUSPENDED);
    assert_int_equal(outcome.handler, place);
    assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);
  }
}

static void clauses_are_named_by_their_place_whatever_their_kinds(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct nest nest;
  nest_init(&nest, rt, 1, suspend_by_tag_0);
  wasmfx_tag_t **tags = nest.tags;
  nest.tables[1] = HANDLERS(rt, ON_SWITCH(tags[0]), ON_LABEL(tags[1]), ON_SWITCH(tags[2]), ON_LABEL(tags[0]),
                            ON_LABEL(tags[0]));
  wasmfx_cont_t cont;
  const wasmfx_outcome_t outcome = nest_run(&nest, &cont);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  assert_int_equal(outcome.handler, 3);
  assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);
}

static uint64_t suspend_in_vain(struct nest *nest)
{
  const struct view before = view_of(nest->rt);
  assert_outcome(wasmfx_suspend_word(nest->rt, nest->tags[0], 0), WASMFX_TRAP_UNHANDLED);
  assert_outcome(wasmfx_suspend(nest->rt, nest->tags[0], NULL, 0), WASMFX_TRAP_UNHANDLED);
  assert_unchanged(nest->rt, &before);
  return 40;
}

static void tags_are_told_apart_by_identity_not_by_type(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct nest nest;
  nest_init(&nest, rt, 3, suspend_in_vain);
  assert_true(wasmfx_tag_type(nest.tags[0]) != NULL);
  wasmfx_tag_t *twin = NULL;
  assert_status(wasmfx_tag_new(rt, wasmfx_tag_type(nest.tags[0]), &twin), WASMFX_OK);
  assert_true(twin != nest.tags[0]);
  for (size_t level = 1; level <= 3; level++)
    nest.tables[level] = HANDLERS(rt, ON_LABEL(twin), ON_LABEL(nest.tags[1]));
  wasmfx_cont_t cont;
  const wasmfx_outcome_t outcome = nest_run(&nest, &cont);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 42);
}

static void suspend_does_not_see_switch_clauses(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct nest nest;
  nest_init(&nest, rt, 3, suspend_in_vain);
  for (size_t level = 1; level <= 3; level++)
    nest.tables[level] = HANDLERS(rt, ON_SWITCH(nest.tags[0]));
  wasmfx_cont_t cont;
  assert_outcome(nest_run(&nest, &cont), WASMFX_RETURNED);

  nest.act = suspend_by_tag_0; /* with a label clause outside of them it is found there */
  nest.tables[1] = HANDLERS(rt, ON_SWITCH(nest.tags[0]), ON_LABEL(nest.tags[0]));
  const wasmfx_outcome_t outcome = nest_run(&nest, &cont);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  assert_int_equal(outcome.handler, 1);
  assert_live(rt, 3, 3);
  assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);
}

static uint64_t return_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_cont_t *kept = env;
  assert_state(rt, from, WASMFX_STATE_SUSPENDED);
  *kept = from;
  return word;
}

static uint64_t switch_in_vain(struct nest *nest)
{
  wasmfx_runtime_t *rt = nest->rt;
  wasmfx_cont_t target = word_cont_of(rt, "lc:l", return_word, &nest->captured);
  wasmfx_type_t *wait = type_of(rt, "lc:l");
  const struct view before = view_of(rt);
  assert_outcome(wasmfx_switch_word(rt, &target, nest->tags[0], wait, 1), WASMFX_TRAP_UNHANDLED);
  assert_unchanged(rt, &before);
  assert_status(wasmfx_drop(rt, &target), WASMFX_OK);
  return 40;
}

static uint64_t switch_by_tag_0(struct nest *nest)
{
  wasmfx_cont_t target = word_cont_of(nest->rt, "lc:l", return_word, &nest->captured);
  wasmfx_switch_word(nest->rt, &target, nest->tags[0], type_of(nest->rt, "lc:l"), 70);
  fail_msg("who switched is dropped");
  return 0;
}

static void switch_does_not_see_label_clauses(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct nest nest;
  nest_init(&nest, rt, 3, switch_in_vain);
  for (size_t level = 1; level <= 3; level++)
    nest.tables[level] = HANDLERS(rt, ON_LABEL(nest.tags[0]));
  wasmfx_cont_t cont;
  wasmfx_outcome_t outcome = nest_run(&nest, &cont);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 42);

  nest.act = switch_by_tag_0; /* with a switch clause outside of them it is found there, and all inside captured */
  nest.tables[2] = HANDLERS(rt, ON_LABEL(nest.tags[0]), ON_SWITCH(nest.tags[0]));
  outcome = nest_run(&nest, &cont);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 71); /* level 2's resume, inside level 1, returned what the target returned */
  assert_live(rt, 2, 2);
  assert_status(wasmfx_drop(rt, &nest.captured), WASMFX_OK);
}

static void one_tag_may_serve_suspensions_and_switches_in_one_table(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (int switch_first = 0; switch_first <= 1; switch_first++) {
    struct nest nest;
    nest_init(&nest, rt, 1, suspend_by_tag_0);
    nest.tables[1] = switch_first ? HANDLERS(rt, ON_SWITCH(nest.tags[0]), ON_LABEL(nest.tags[0]))
                                  : HANDLERS(rt, ON_LABEL(nest.tags[0]), ON_SWITCH(nest.tags[0]));
    wasmfx_cont_t cont;
    wasmfx_outcome_t outcome = nest_run(&nest, &cont);
    assert_outcome(outcome, WASMFX_SUSPENDED);
    assert_int_equal(outcome.handler, switch_first);
    assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);

    nest.act = switch_by_tag_0;
    outcome = nest_run(&nest, &cont);
    assert_outcome(outcome, WASMFX_RETURNED);
    assert_int_equal(outcome.word, 70);
    assert_status(wasmfx_drop(rt, &nest.captured), WASMFX_OK);
  }
}

static void a_resume_without_a_table_or_with_an_empty_one_handles_nothing(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct nest nest;
  nest_init(&nest, rt, 2, suspend_in_vain);
  wasmfx_cont_t cont;
  assert_outcome(nest_run(&nest, &cont), WASMFX_RETURNED);
  nest.tables[1] = nest.tables[2] = handlers_of(rt, NULL, 0);
  assert_outcome(nest_run(&nest, &cont), WASMFX_RETURNED);
}

static void a_table_of_many_clauses_is_searched_to_its_end(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  enum { MANY = 1000 };
  static wasmfx_clause_t clauses[MANY];
  struct nest nest;
  nest_init(&nest, rt, 1, suspend_by_tag_0);
  for (size_t i = 0; i < MANY; i++) {
    wasmfx_tag_t *tag;
    assert_status(wasmfx_tag_new(rt, wasmfx_tag_type(nest.tags[0]), &tag), WASMFX_OK);
    clauses[i] = (wasmfx_clause_t)ON_LABEL(i == MANY - 1 ? nest.tags[0] : tag);
  }
  nest.tables[1] = handlers_of(rt, clauses, MANY);
  memset(clauses, 0, sizeof(clauses)); /* they were copied */
  wasmfx_cont_t cont;
  const wasmfx_outcome_t outcome = nest_run(&nest, &cont);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  assert_int_equal(outcome.handler, MANY - 1);
  assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);
}

static void a_table_of_nonsense_is_refused(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct world *elsewhere = world_new(NULL);
  wasmfx_handlers_t *handlers = NULL;
  wasmfx_tag_t *tag = tag_of(rt, ":"), *with_params = tag_of(rt, "l:l"), *foreign = tag_of(elsewhere->rt, ":");
  const struct {
    wasmfx_clause_t clause;
    wasmfx_status_t answer;
  } cases[] = {
    { ON_LABEL(NULL), WASMFX_ERROR_ARGUMENT },
    { ON_SWITCH(NULL), WASMFX_ERROR_ARGUMENT },
    { { .tag = tag, .kind = WASMFX_ON_CALL_WORD + 1 }, WASMFX_ERROR_ARGUMENT },
    { { .tag = tag, .kind = UINT32_MAX }, WASMFX_ERROR_ARGUMENT },
    { ON_SWITCH(with_params), WASMFX_ERROR_TYPE },
    { ON_LABEL(with_params), WASMFX_OK },
    { ON_LABEL(foreign), WASMFX_ERROR_ARGUMENT },
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const wasmfx_clause_t clauses[2] = { ON_LABEL(tag), cases[i].clause };
    assert_status(wasmfx_handlers_new(rt, clauses, 2, &handlers), cases[i].answer);
  }
  handlers = (wasmfx_handlers_t *)&handlers;
  assert_status(wasmfx_handlers_new(rt, NULL, 1, &handlers), WASMFX_ERROR_ARGUMENT); /* clauses that are missing */
  assert_null(handlers);
  const wasmfx_clause_t clause = ON_LABEL(tag);
  assert_status(wasmfx_handlers_new(rt, &clause, UINT32_MAX, &handlers), WASMFX_ERROR_ARGUMENT); /* too many */
  world_free(elsewhere);
}

static uint64_t answer(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return word;
}

/* But for the short path, which only takes what is suspended, or finds a stack at hand. */
static void a_table_of_another_runtime_is_refused(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct world *elsewhere = world_new(NULL);
  const wasmfx_handlers_t *foreign = HANDLERS(elsewhere->rt, ON_LABEL(tag_of(elsewhere->rt, ":")));
  const wasmfx_value_t value = i64_value(5);
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", answer, NULL);
  const struct view before = view_of(rt);
  assert_outcome(wasmfx_resume_word(rt, &cont, foreign, 5), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_resume(rt, &cont, foreign, &value, 1), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_resume(rt, &cont, foreign, NULL, 0), WASMFX_ERROR_ARITY);
  assert_state(rt, cont, WASMFX_STATE_FRESH);
  assert_unchanged(rt, &before);
  assert_int_equal(wasmfx_resume_word(rt, &cont, NULL, 5).word, 5);
  world_free(elsewhere);
}

/* ---- Captures ---------------------------------------------------------------------- */

static void a_chain_of_any_depth_is_captured_and_resumed_as_one(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t levels = 1; levels <= 100; levels++) {
    struct nest nest;
    nest_init(&nest, rt, levels, suspend_by_tag_0);
    nest.tables[1] = HANDLERS(rt, ON_LABEL(nest.tags[0]));
    wasmfx_cont_t cont;
    assert_outcome(nest_run(&nest, &cont), WASMFX_SUSPENDED);
    assert_state(rt, cont, WASMFX_STATE_SUSPENDED);
    assert_int_equal(wasmfx_cont_arity(rt, cont), 1);
    assert_int_equal(wasmfx_depth(rt), 0);
    assert_live(rt, levels, levels);
    const wasmfx_cont_t old = cont;
    const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, NULL, 1000);
    assert_outcome(outcome, WASMFX_RETURNED);
    assert_int_equal(outcome.word, 1000 + levels - 1);
    assert_int_equal(cont, WASMFX_NULL_CONT);
    assert_dead(rt, old);
    assert_live(rt, 0, 0);
  }
}

static uint64_t suspend_by_tags_in_turn(struct nest *nest)
{
  uint64_t sum = 0;
  for (size_t round = 0; round < 8; round++) {
    const wasmfx_outcome_t woken = wasmfx_suspend_word(nest->rt, nest->tags[round % 4], 0);
    assert_outcome(woken, WASMFX_RETURNED);
    assert_int_equal(wasmfx_depth(nest->rt), nest->levels);
    sum += woken.word;
  }
  return sum;
}

static void each_resume_brings_its_own_handlers_and_the_old_ones_are_gone(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t levels = 1; levels <= 100; levels += levels < 5 ? 1 : 19) {
    struct nest nest;
    nest_init(&nest, rt, levels, suspend_by_tags_in_turn);
    wasmfx_tag_t **tags = nest.tags;
    nest.tables[1] = HANDLERS(rt, ON_LABEL(tags[0]));
    wasmfx_cont_t cont;
    wasmfx_outcome_t outcome = nest_run(&nest, &cont);
    for (size_t round = 1; round < 8; round++) {
      assert_outcome(outcome, WASMFX_SUSPENDED);
      assert_int_equal(outcome.handler, round > 1);
      const wasmfx_cont_t old = cont;
      const wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(tags[(round + 1) % 4]), ON_LABEL(tags[round % 4]));
      outcome = wasmfx_resume_word(rt, &cont, handlers, 1);
      assert_dead(rt, old);
      assert_live(rt, levels, levels);
    }
    outcome = wasmfx_resume_word(rt, &cont, NULL, 1);
    assert_outcome(outcome, WASMFX_RETURNED);
    assert_int_equal(outcome.word, 8 + levels - 1);
  }
}

static uint64_t suspend_twice_by_tag_0(struct nest *nest)
{
  assert_outcome(wasmfx_suspend_word(nest->rt, nest->tags[0], 0), WASMFX_RETURNED);
  assert_outcome(wasmfx_suspend_word(nest->rt, nest->tags[0], 0), WASMFX_TRAP_UNHANDLED);
  return 5;
}

static void the_handlers_of_the_matching_resume_are_gone_after_the_capture(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t levels = 1; levels <= 3; levels++) {
    struct nest nest;
    nest_init(&nest, rt, levels, suspend_twice_by_tag_0);
    nest.tables[1] = HANDLERS(rt, ON_LABEL(nest.tags[0]));
    wasmfx_cont_t cont;
    assert_outcome(nest_run(&nest, &cont), WASMFX_SUSPENDED);
    assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 1), WASMFX_RETURNED);
  }
}

static uint64_t suspend_outwards_then_inwards(struct nest *nest)
{
  assert_outcome(wasmfx_suspend_word(nest->rt, nest->tags[0], 0), WASMFX_RETURNED);
  return wasmfx_suspend_word(nest->rt, nest->tags[1], 0).word;
}

static void inner_handlers_are_captured_with_the_chain(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t keeper = 2; keeper <= 6; keeper++) {
    struct nest nest;
    nest_init(&nest, rt, 6, suspend_outwards_then_inwards);
    nest.tables[1] = HANDLERS(rt, ON_LABEL(nest.tags[0]));
    nest.tables[keeper] = HANDLERS(rt, ON_LABEL(nest.tags[2]), ON_LABEL(nest.tags[1]));
    wasmfx_cont_t cont;
    assert_outcome(nest_run(&nest, &cont), WASMFX_SUSPENDED);
    assert_int_equal(nest.caught_by, 0);
    /* A handler for the same tag outside of the chain is not asked. */
    assert_outcome(wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_LABEL(nest.tags[1])), 1), WASMFX_RETURNED);
    assert_int_equal(nest.caught_by, keeper);
    assert_int_equal(nest.caught.handler, 1);
    assert_live(rt, 6 - keeper + 1, 6 - keeper + 1);
    assert_status(wasmfx_drop(rt, &nest.captured), WASMFX_OK);
  }
}

/** Resumes the chain that it is given from some levels further down. */
struct transplant {
  wasmfx_cont_t cont;
  size_t levels;
  wasmfx_outcome_t outcome;
};

static uint64_t resume_further_down(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct transplant *transplant = env;
  (void)from;
  if (word == 0) {
    transplant->outcome = wasmfx_resume_word(rt, &transplant->cont, NULL, 3);
    return transplant->outcome.word;
  }
  wasmfx_cont_t inner = word_cont_of(rt, "l:l", resume_further_down, env);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &inner, NULL, word - 1);
  assert_outcome(outcome, WASMFX_RETURNED);
  return outcome.word;
}

static uint64_t suspend_twice(struct nest *nest)
{
  uint64_t sum = wasmfx_suspend_word(nest->rt, nest->tags[0], 0).word;
  assert_int_equal(wasmfx_depth(nest->rt), nest->levels + 4); /* where it was resumed now counts */
  sum += wasmfx_suspend_word(nest->rt, nest->tags[0], 0).word;
  assert_int_equal(wasmfx_depth(nest->rt), nest->levels + 4);
  return sum;
}

static void a_chain_can_be_resumed_somewhere_else_and_captured_with_what_is_there(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t levels = 1; levels <= 4; levels++) {
    struct nest nest;
    struct transplant transplant;
    nest_init(&nest, rt, levels, suspend_twice);
    const wasmfx_handlers_t *handlers = nest.tables[1] = HANDLERS(rt, ON_LABEL(nest.tags[0]));
    assert_outcome(nest_run(&nest, &transplant.cont), WASMFX_SUSPENDED);
    wasmfx_cont_t cont = word_cont_of(rt, "l:l", resume_further_down, &transplant);
    assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 3), WASMFX_SUSPENDED);
    assert_dead(rt, transplant.cont); /* its resume has not come back yet */
    assert_live(rt, levels + 4, levels + 4);
    const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, NULL, 4);
    assert_outcome(outcome, WASMFX_RETURNED);
    assert_int_equal(outcome.word, 7 + levels - 1);
    assert_outcome(transplant.outcome, WASMFX_RETURNED);
    assert_int_equal(transplant.cont, WASMFX_NULL_CONT);
  }
}

static uint64_t suspend_once(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_tag_t *tag = env;
  (void)word, (void)from;
  return wasmfx_suspend_word(rt, tag, 0).word;
}

/** Suspends by tag 0 as often as it takes to remember the way, then once more below a resume of its own. */
static uint64_t suspend_below_a_new_resume(struct nest *nest)
{
  wasmfx_runtime_t *rt = nest->rt;
  wasmfx_tag_t *tag = nest->tags[0];
  assert_outcome(wasmfx_suspend_word(rt, tag, 0), WASMFX_RETURNED);
  assert_outcome(wasmfx_suspend_word(rt, tag, 0), WASMFX_RETURNED);
  wasmfx_cont_t inner = word_cont_of(rt, ":l", suspend_once, tag);
  assert_outcome(wasmfx_resume_word(rt, &inner, HANDLERS(rt, ON_LABEL(tag)), 0), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_word(rt, &inner, NULL, 1), WASMFX_RETURNED);
  assert_outcome(wasmfx_suspend_word(rt, tag, 0), WASMFX_RETURNED);
  return 9;
}

static void a_search_sees_resumes_that_are_newer_than_the_last_one(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t levels = 1; levels <= 4; levels++) {
    struct nest nest;
    nest_init(&nest, rt, levels, suspend_below_a_new_resume);
    const wasmfx_handlers_t *handlers = nest.tables[1] = HANDLERS(rt, ON_LABEL(nest.tags[0]));
    wasmfx_cont_t cont;
    assert_outcome(nest_run(&nest, &cont), WASMFX_SUSPENDED);
    assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 0), WASMFX_SUSPENDED);
    assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 0), WASMFX_SUSPENDED);
    assert_live(rt, levels, levels);
    assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 0), WASMFX_RETURNED);
  }
}

/* ---- Exceptions and suspensions do not see each other ---------------------------------- */

static uint64_t throw_by_tag_0(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)from;
  wasmfx_throw(rt, env, NULL, 0);
  return word;
}

static void an_exception_is_not_caught_by_a_clause_for_its_tag(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *tag = tag_of(rt, ":");
  wasmfx_cont_t cont = word_cont_of(rt, ":l", throw_by_tag_0, tag);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_LABEL(tag), ON_SWITCH(tag)), 0);
  assert_outcome(outcome, WASMFX_THREW);
  assert_ptr_equal(outcome.exception->tag, tag);
}

/* ---- Switching ----------------------------------------------------------------------------- */

struct switch_case {
  const char *resumed, *tag, *target;
  wasmfx_status_t answer;
};

/* What is switched to: it has never run, has suspended alone, or from inside another one that promises other results.
 * */
enum target_state { FRESH, ALONE, IN_ANOTHER, TARGET_STATES };

struct switching {
  wasmfx_tag_t *tag, *turn; /* `turn` is [] -> [i64 contref] */
  const struct switch_case *expected;
  const wasmfx_type_t *foreign; /* [i64 contref] -> [i64], of another runtime */
  wasmfx_cont_t kept;
  bool is_refused; /* to switch by `foreign` */
};

static uint64_t wait_for_a_switch(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct switching *it = env;
  (void)from;
  word = wasmfx_suspend_word(rt, it->turn, 0).word;
  it->kept = wasmfx_received_cont(rt);
  return word;
}

static uint64_t have_another_wait(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_cont_t inner = word_cont_of(rt, ":f", wait_for_a_switch, env);
  (void)word, (void)from;
  return wasmfx_resume_word(rt, &inner, NULL, 0).word;
}

static wasmfx_cont_t target_of(wasmfx_runtime_t *rt, struct switching *it, enum target_state target_state)
{
  if (target_state == FRESH)
    return word_cont_of(rt, it->expected->target, return_word, &it->kept);
  wasmfx_cont_t target = word_cont_of(rt, strchr(it->expected->target, ':'),
                                      target_state == ALONE ? wait_for_a_switch : have_another_wait, it);
  assert_outcome(wasmfx_resume_word(rt, &target, HANDLERS(rt, ON_LABEL(it->turn)), 0), WASMFX_SUSPENDED);
  return target;
}

static uint64_t switch_as_told(wasmfx_runtime_t *rt, void *env, uint64_t target_state, wasmfx_cont_t from)
{
  struct switching *it = env;
  wasmfx_cont_t target = target_of(rt, it, (enum target_state)target_state);
  const wasmfx_cont_t given = target;
  wasmfx_type_t *wait = type_of(rt, "lc:l");
  (void)from;
  const struct view before = view_of(rt);
  assert_outcome(wasmfx_switch_word(rt, &target, it->tag, it->foreign, 3), WASMFX_ERROR_ARGUMENT);
  it->is_refused = true;
  assert_outcome(wasmfx_switch_word(rt, &target, it->tag, wait, 3), it->expected->answer);
  assert_int_equal(target, given);
  assert_unchanged(rt, &before);
  assert_status(wasmfx_drop(rt, &target), WASMFX_OK);
  return 0;
}

static void target_tag_and_handling_resume_of_a_switch_have_the_same_results(void **state)
{
  static const struct switch_case cases[] = {
    { "l:l", ":l", "lc:l", WASMFX_RETURNED },   { "l:l", ":l", "lc:d", WASMFX_ERROR_TYPE },
    { "l:l", ":d", "lc:l", WASMFX_ERROR_TYPE }, { "l:d", ":l", "lc:l", WASMFX_ERROR_TYPE },
    { "l:l", ":l", "lc:", WASMFX_ERROR_TYPE },  { "l:l", ":", "lc:l", WASMFX_ERROR_TYPE },
    { "l:d", ":d", "lc:l", WASMFX_ERROR_TYPE }, { "l:d", ":d", "lc:d", WASMFX_RETURNED },
    { "l:f", ":f", "lc:l", WASMFX_ERROR_TYPE }, { "l:f", ":f", "lc:f", WASMFX_RETURNED },
  };
  wasmfx_runtime_t *rt = runtime_of(state);
  struct world *elsewhere = world_new(NULL);
  const wasmfx_type_t *foreign = type_of(elsewhere->rt, "lc:l");
  for (size_t i = 0; i < TARGET_STATES * COUNT_OF(cases); i++) {
    const struct switch_case *expected = &cases[i / TARGET_STATES];
    struct switching it = { tag_of(rt, expected->tag), tag_of(rt, ":lc"), expected, foreign, WASMFX_NULL_CONT, false };
    wasmfx_cont_t cont = word_cont_of(rt, expected->resumed, switch_as_told, &it);
    const wasmfx_handlers_t *handlers = HANDLERS(rt, ON_SWITCH(it.tag));
    assert_outcome(wasmfx_resume_word(rt, &cont, handlers, i % TARGET_STATES), WASMFX_RETURNED);
    assert_true(it.is_refused);
    const bool switched = it.kept != WASMFX_NULL_CONT;
    assert_int_equal(switched, expected->answer == WASMFX_RETURNED);
    if (switched)
      assert_status(wasmfx_drop(rt, &it.kept), WASMFX_OK);
    assert_live(rt, 0, 0);
  }
  world_free(elsewhere);
}

#define NINE "lllllllll"
#define NINE_OTHERS "lllllllld"

static void wait_in_slots(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)results;
  (void)wait_for_a_switch(rt, env, args[0].word, WASMFX_NULL_CONT);
}

static void switch_between_long_results(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args,
                                        wasmfx_value_t *results)
{
  struct switching *it = env;
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(it->turn));
  wasmfx_cont_t other = cont_of(rt, "l:" NINE_OTHERS, wait_in_slots, it), same = cont_of(rt, "l:" NINE, wait_in_slots, it);
  (void)results;
  assert_outcome(wasmfx_resume(rt, &other, handlers, args, 1), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume(rt, &same, handlers, args, 1), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_switch_word(rt, &other, it->tag, NULL, 3), WASMFX_ERROR_TYPE);
  assert_status(wasmfx_drop(rt, &other), WASMFX_OK);
  wasmfx_switch_word(rt, &same, it->tag, NULL, 3);
  fail_msg("dropped meanwhile");
}

static void long_results_of_a_switch_are_compared_too(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct switching it = { .tag = tag_of(rt, ":" NINE), .turn = tag_of(rt, ":lc") };
  const wasmfx_value_t word = i64_value(1);
  wasmfx_cont_t k = cont_of(rt, "l:" NINE, switch_between_long_results, &it);
  assert_outcome(wasmfx_resume(rt, &k, HANDLERS(rt, ON_SWITCH(it.tag)), &word, 1), WASMFX_RETURNED);
  assert_status(wasmfx_drop(rt, &it.kept), WASMFX_OK);
}

/** Who is switched to suspends by a label clause of the resume that handled the switch. */
struct relay {
  wasmfx_tag_t *swap, *pause; /* [] -> [i64] each */
  wasmfx_cont_t switched_away;
};

static uint64_t suspend_for_the_other(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct relay *relay = env;
  relay->switched_away = from;
  assert_int_equal(wasmfx_depth(rt), 1);
  return word + wasmfx_suspend_word(rt, relay->pause, 0).word;
}

static uint64_t switch_to_the_other(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct relay *relay = env;
  wasmfx_cont_t target = word_cont_of(rt, "lc:l", suspend_for_the_other, env);
  (void)word, (void)from;
  const wasmfx_outcome_t woken = wasmfx_switch_word(rt, &target, relay->swap, type_of(rt, "l:l"), 3);
  assert_outcome(woken, WASMFX_RETURNED);
  assert_int_equal(target, WASMFX_NULL_CONT);
  return woken.word;
}

static void the_handling_resume_stays_and_encloses_the_target(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct relay relay = { tag_of(rt, ":l"), tag_of(rt, ":l"), WASMFX_NULL_CONT };
  const wasmfx_handlers_t *handlers = HANDLERS(rt, ON_SWITCH(relay.swap), ON_LABEL(relay.pause));
  wasmfx_cont_t cont = word_cont_of(rt, ":l", switch_to_the_other, &relay);
  wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, handlers, 0);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  assert_int_equal(outcome.handler, 1);
  assert_state(rt, cont, WASMFX_STATE_SUSPENDED);           /* the target */
  assert_state(rt, relay.switched_away, WASMFX_STATE_SUSPENDED); /* who switched */
  assert_true(cont != relay.switched_away);
  assert_live(rt, 2, 2);

  outcome = wasmfx_resume_word(rt, &cont, NULL, 4);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 7);
  assert_live(rt, 1, 1);
  outcome = wasmfx_resume_word(rt, &relay.switched_away, NULL, 5);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 5);
}

static uint64_t throw_after_switch(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct relay *relay = env;
  relay->switched_away = from;
  wasmfx_throw(rt, tag_of(rt, ":"), NULL, 0);
  return word;
}

static uint64_t trap_after_switch(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct relay *relay = env;
  relay->switched_away = from;
  wasmfx_trap(rt, 99);
  return word;
}

struct ending_target {
  struct relay relay;
  wasmfx_word_entry_t target;
};

static uint64_t switch_to_one_that_ends(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct ending_target *it = env;
  wasmfx_cont_t target = word_cont_of(rt, "lc:l", it->target, &it->relay);
  (void)from;
  wasmfx_switch_word(rt, &target, it->relay.swap, NULL, word);
  fail_msg("who switched is dropped");
  return word;
}

static void an_exception_or_trap_of_the_target_arrives_at_the_handling_resume(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (int traps = 0; traps <= 1; traps++) {
    struct ending_target it = { { tag_of(rt, ":l"), NULL, WASMFX_NULL_CONT },
                                traps ? trap_after_switch : throw_after_switch };
    wasmfx_cont_t cont = word_cont_of(rt, ":l", switch_to_one_that_ends, &it);
    const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_SWITCH(it.relay.swap)), 0);
    assert_outcome(outcome, traps ? WASMFX_TRAPPED : WASMFX_THREW);
    if (traps)
      assert_int_equal(outcome.code, 99);
    assert_int_equal(cont, WASMFX_NULL_CONT);
    assert_state(rt, it.relay.switched_away, WASMFX_STATE_SUSPENDED);
    assert_live(rt, 1, 1);
    assert_status(wasmfx_drop(rt, &it.relay.switched_away), WASMFX_OK);
  }
}

static uint64_t switch_to_a_chain(struct nest *nest)
{
  wasmfx_cont_t target = nest->captured;
  nest->captured = WASMFX_NULL_CONT;
  const wasmfx_outcome_t woken =
    wasmfx_switch_word(nest->rt, &target, nest->tags[1], type_of(nest->rt, "lc:l"), nest->levels);
  assert_outcome(woken, WASMFX_RETURNED);
  assert_state(nest->rt, target, WASMFX_STATE_SUSPENDED);
  assert_status(wasmfx_drop(nest->rt, &target), WASMFX_OK);
  return woken.word;
}

/** The innermost of the other chain: keeps itself suspended until it is switched to, then switches back. */
static uint64_t wait_and_switch_back(struct nest *nest)
{
  wasmfx_runtime_t *rt = nest->rt;
  const wasmfx_outcome_t woken = wasmfx_suspend_word(rt, nest->tags[2], 0);
  assert_outcome(woken, WASMFX_RETURNED);
  wasmfx_cont_t from = wasmfx_received_cont(rt);
  assert_state(rt, from, WASMFX_STATE_SUSPENDED);
  assert_int_equal(wasmfx_depth(rt), nest->levels);
  wasmfx_switch_word(rt, &from, nest->tags[1], type_of(rt, "lc:l"), woken.word * 100);
  fail_msg("this chain is dropped");
  return 0;
}

static void whole_chains_switch_to_whole_chains(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t here = 1; here <= 13; here += 3)
    for (size_t there = 1; there <= 13; there += 4) {
      struct nest ours, theirs;
      nest_init(&ours, rt, here, switch_to_a_chain);
      nest_init(&theirs, rt, there, wait_and_switch_back);
      theirs.tags[1] = ours.tags[1];
      theirs.tags[2] = tag_of(rt, ":lc");
      theirs.tables[1] = HANDLERS(rt, ON_LABEL(theirs.tags[2]));
      ours.tables[1] = HANDLERS(rt, ON_SWITCH(ours.tags[1]));
      wasmfx_cont_t target, cont;
      assert_outcome(nest_run(&theirs, &target), WASMFX_SUSPENDED);
      assert_live(rt, there, there);

      struct nest *nest = &ours;
      nest->entered = 0;
      nest->captured = target;
      cont = word_cont_of(rt, ":l", nest_level, nest);
      const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, nest->tables[1], 0);
      assert_outcome(outcome, WASMFX_RETURNED);
      assert_int_equal(outcome.word, 100 * here + here - 1);
      assert_live(rt, 0, 0);
    }
}

/* ---- Rings --------------------------------------------------------------------------------- */

enum { RING = 1000 };

/** Continuations that hand a count on, each to the next. */
struct ring {
  wasmfx_tag_t *tag;
  wasmfx_type_t *wait;
  size_t size;
  uint64_t laps;
  wasmfx_cont_t members[RING];
  size_t visits[RING];
  size_t next; /* who starts next learns its place from this */
};

static uint64_t ring_member(wasmfx_runtime_t *rt, void *env, uint64_t count, wasmfx_cont_t from)
{
  struct ring *ring = env;
  const size_t self = ring->next++, before = (self + ring->size - 1) % ring->size, after = (self + 1) % ring->size;
  for (;;) {
    ring->visits[self]++;
    if (from != WASMFX_NULL_CONT)
      ring->members[before] = from;
    if (++count == ring->laps * ring->size)
      return count;
    wasmfx_cont_t other = ring->members[after];
    const wasmfx_outcome_t woken = wasmfx_switch_word(rt, &other, ring->tag, ring->wait, count);
    assert_outcome(woken, WASMFX_RETURNED);
    count = woken.word;
    from = other;
  }
}

static void run_a_ring(wasmfx_runtime_t *rt, size_t size, uint64_t laps)
{
  static struct ring ring;
  memset(&ring, 0, sizeof(ring));
  ring.tag = tag_of(rt, ":l");
  ring.wait = type_of(rt, "lc:l");
  ring.size = size;
  ring.laps = laps;
  for (size_t i = 0; i < size; i++)
    ring.members[i] = word_cont_of(rt, "lc:l", ring_member, &ring);
  const wasmfx_value_t nobody[2] = { i64_value(0), cont_value(WASMFX_NULL_CONT) };
  wasmfx_cont_t first = ring.members[0];
  const wasmfx_outcome_t outcome = wasmfx_resume(rt, &first, HANDLERS(rt, ON_SWITCH(ring.tag)), nobody, 2);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.values[0].i64, size * laps);
  assert_live(rt, size - 1, size - 1);
  for (size_t i = 0; i < size; i++)
    assert_int_equal(ring.visits[i], laps);
  for (size_t i = 0; i + 1 < size; i++)
    assert_status(wasmfx_drop(rt, &ring.members[i]), WASMFX_OK);
  assert_live(rt, 0, 0);
}

static void a_ring_of_2_switches_round_and_round(void **state)
{
  run_a_ring(runtime_of(state), 2, 100000);
}

static void a_ring_of_1000_switches_round_and_round(void **state)
{
  run_a_ring(runtime_of(state), RING, 300);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(the_innermost_handler_wins),
    in_a_world(the_first_clause_that_matches_wins),
    in_a_world(clauses_are_named_by_their_place_whatever_their_kinds),
    in_a_world(tags_are_told_apart_by_identity_not_by_type),
    in_a_world(suspend_does_not_see_switch_clauses),
    in_a_world(switch_does_not_see_label_clauses),
    in_a_world(one_tag_may_serve_suspensions_and_switches_in_one_table),
    in_a_world(a_resume_without_a_table_or_with_an_empty_one_handles_nothing),
    in_a_world(a_table_of_many_clauses_is_searched_to_its_end),
    in_a_world(a_table_of_nonsense_is_refused),
    in_a_world(a_table_of_another_runtime_is_refused),
    in_a_world(a_chain_of_any_depth_is_captured_and_resumed_as_one),
    in_a_world(each_resume_brings_its_own_handlers_and_the_old_ones_are_gone),
    in_a_world(the_handlers_of_the_matching_resume_are_gone_after_the_capture),
    in_a_world(inner_handlers_are_captured_with_the_chain),
    in_a_world(a_chain_can_be_resumed_somewhere_else_and_captured_with_what_is_there),
    in_a_world(a_search_sees_resumes_that_are_newer_than_the_last_one),
    in_a_world(an_exception_is_not_caught_by_a_clause_for_its_tag),
    in_a_world(target_tag_and_handling_resume_of_a_switch_have_the_same_results),
    in_a_world(long_results_of_a_switch_are_compared_too),
    in_a_world(the_handling_resume_stays_and_encloses_the_target),
    in_a_world(an_exception_or_trap_of_the_target_arrives_at_the_handling_resume),
    in_a_world(whole_chains_switch_to_whole_chains),
    in_a_world(a_ring_of_2_switches_round_and_round),
    in_a_world(a_ring_of_1000_switches_round_and_round),
  };
  return cmocka_run_group_tests_name("handlers", tests, NULL, NULL);
}
