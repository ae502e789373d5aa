/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every state of a reference against every verb, in one table.
 *
 * The subject is a continuation that waits for one i64 (and, where it is
 * switched to, for the contref that comes with it) and returns one i64. Each
 * cell arranges the subject in a state and applies the verb, always from
 * inside another continuation, the actor, whose resume allows switching.
 */
#include "support.h"

struct scene;

/* The verbs: the columns. */
enum verb {
  BIND_NOTHING,
  BIND_ONE,
  RESUME,
  RESUME_WORD,
  RESUME_THROW,
  RESUME_THROW_REF,
  SWITCH,
  SWITCH_WORD,
  DROP,
  CANCEL,
  STATE,
  ARITY,
  STACK_CLASS,
  HOST_WORD,
  VERBS
};
static const char *const verb_names[VERBS] = {
  "cont_bind nothing", "cont_bind one value", "resume", "resume_word", "resume_throw", "resume_throw_ref", "switch",
  "switch_word", "drop", "cancel", "cont_state", "cont_arity", "cont_stack_class", "cont_host_word",
};

/* What they answer: one line for each kind of reference. */
enum outlook { IS_NULL, IS_FRESH, IS_SUSPENDED, IS_CONSUMED };
static const int answers[][VERBS] = {
  [IS_NULL] = {
    WASMFX_TRAP_NULL_CONT, WASMFX_TRAP_NULL_CONT, WASMFX_TRAP_NULL_CONT, WASMFX_TRAP_NULL_CONT,
    WASMFX_TRAP_NULL_CONT, WASMFX_TRAP_NULL_CONT, WASMFX_TRAP_NULL_CONT, WASMFX_TRAP_NULL_CONT,
    WASMFX_TRAP_NULL_CONT, WASMFX_TRAP_NULL_CONT, WASMFX_STATE_NULL, 0, WASMFX_TRAP_NULL_CONT, false,
  },
  [IS_FRESH] = {
    WASMFX_OK, WASMFX_OK, WASMFX_RETURNED, WASMFX_RETURNED,
    WASMFX_THREW, WASMFX_THREW, WASMFX_RETURNED, WASMFX_RETURNED,
    WASMFX_OK, WASMFX_THREW, WASMFX_STATE_FRESH, 1, WASMFX_OK, true,
  },
  [IS_SUSPENDED] = {
    WASMFX_OK, WASMFX_OK, WASMFX_RETURNED, WASMFX_RETURNED,
    WASMFX_THREW, WASMFX_THREW, WASMFX_RETURNED, WASMFX_RETURNED,
    WASMFX_OK, WASMFX_THREW, WASMFX_STATE_SUSPENDED, 1, WASMFX_ERROR_STATE, true,
  },
  [IS_CONSUMED] = {
    WASMFX_TRAP_CONSUMED, WASMFX_TRAP_CONSUMED, WASMFX_TRAP_CONSUMED, WASMFX_TRAP_CONSUMED,
    WASMFX_TRAP_CONSUMED, WASMFX_TRAP_CONSUMED, WASMFX_TRAP_CONSUMED, WASMFX_TRAP_CONSUMED,
    WASMFX_TRAP_CONSUMED, WASMFX_TRAP_CONSUMED, WASMFX_STATE_CONSUMED, 0, WASMFX_TRAP_CONSUMED, false,
  },
};

/* The states: the rows. Each arranges a subject, calls act(), and tidies up. */
struct row {
  const char *name;
  enum outlook outlook;
  void (*arrange)(struct scene *scene);
};

/** One cell at work. */
struct scene {
  wasmfx_runtime_t *rt;
  const struct row *row;
  enum verb verb;
  wasmfx_cont_t actor;        /* the reference with which the actor was resumed: long consumed */
  uint64_t subjects;          /* continuations that the subject consists of */
  wasmfx_type_t *subject_type;
  wasmfx_type_t *awakening;   /* how the actor is to be woken when it switches */
  wasmfx_tag_t *pause;        /* suspends the subject */
  wasmfx_tag_t *swap;         /* for switching */
  wasmfx_tag_t *oops;         /* the exception */
  wasmfx_handlers_t *on_pause;
  wasmfx_handlers_t *on_swap;
  bool acted;
};

static bool switches(enum verb verb)
{
  return verb == SWITCH || verb == SWITCH_WORD;
}

static bool consumes(enum verb verb)
{
  return verb < STATE;
}

/* ---- The verbs ------------------------------------------------------------ */

static int apply(struct scene *scene, wasmfx_cont_t *cont)
{
  wasmfx_runtime_t *rt = scene->rt;
  const wasmfx_value_t values[2] = { i64_value(7), cont_value(WASMFX_NULL_CONT) };
  const wasmfx_exception_t exception = { scene->oops, NULL, 0, NULL };
  switch (scene->verb) {
  case BIND_NOTHING: return wasmfx_cont_bind(rt, cont, NULL, NULL, 0);
  case BIND_ONE: return wasmfx_cont_bind(rt, cont, NULL, values, 1);
  case RESUME: return wasmfx_resume(rt, cont, NULL, values, 1).status;
  case RESUME_WORD: return wasmfx_resume_word(rt, cont, NULL, 7).status;
  case RESUME_THROW: return wasmfx_resume_throw(rt, cont, NULL, scene->oops, NULL, 0).status;
  case RESUME_THROW_REF: return wasmfx_resume_throw_ref(rt, cont, NULL, &exception).status;
  case SWITCH: return wasmfx_switch(rt, cont, scene->swap, scene->awakening, values, 1).status;
  case SWITCH_WORD: return wasmfx_switch_word(rt, cont, scene->swap, scene->awakening, 7).status;
  case DROP: return wasmfx_drop(rt, cont);
  case CANCEL: return wasmfx_cancel(rt, cont, &exception, 0).status;
  case STATE: return (int)wasmfx_cont_state(rt, *cont);
  case ARITY: return (int)wasmfx_cont_arity(rt, *cont);
  case STACK_CLASS: return wasmfx_cont_stack_class(rt, *cont, 1);
  case HOST_WORD: return wasmfx_cont_host_word(rt, *cont) != NULL;
  case VERBS: break;
  }
  return -1;
}

/** After a verb that took a live subject: what became of it. */
static void assert_taken(const struct scene *scene, wasmfx_cont_t old, wasmfx_cont_t cont, const struct view *before)
{
  wasmfx_runtime_t *rt = scene->rt;
  assert_dead(rt, old);
  if (scene->verb == BIND_NOTHING || scene->verb == BIND_ONE) {
    assert_state(rt, cont, scene->row->outlook == IS_FRESH ? WASMFX_STATE_FRESH : WASMFX_STATE_SUSPENDED);
    assert_int_equal(wasmfx_cont_arity(rt, cont), scene->verb == BIND_NOTHING);
  } else if (switches(scene->verb)) {
    assert_state(rt, cont, WASMFX_STATE_SUSPENDED); /* the subject has switched back */
  } else {
    assert_int_equal(cont, WASMFX_NULL_CONT);
    assert_int_equal(stats_of(rt).conts_live, before->stats.conts_live - scene->subjects);
    return;
  }
  assert_int_equal(stats_of(rt).conts_live, before->stats.conts_live);
}

/** Applies the verb to the subject and checks the cell. Answers what is left of the subject. */
static wasmfx_cont_t act(struct scene *scene, wasmfx_cont_t subject)
{
  const int expected = answers[scene->row->outlook][scene->verb];
  const struct view before = view_of(scene->rt);
  const wasmfx_cont_t old = subject;
  const int actual = apply(scene, &subject);
  scene->acted = true;
  if (actual != expected) {
    print_error("%s of a reference that is %s: %d, should be %d\n", verb_names[scene->verb], scene->row->name, actual,
                expected);
    fail();
  }
  assert_int_equal(wasmfx_depth(scene->rt), before.depth);
  if (consumes(scene->verb) && expected >= 0) {
    assert_taken(scene, old, subject, &before);
  } else {
    assert_int_equal(subject, old);
    assert_unchanged(scene->rt, &before);
  }
  return subject;
}

/* ---- The subject ---------------------------------------------------------- */

/** The end of a subject that was woken: back to who switched here, or out. */
static void finish(struct scene *scene, wasmfx_outcome_t woken, wasmfx_cont_t from)
{
  if (woken.status == WASMFX_THREW)
    wasmfx_throw_ref(scene->rt, woken.exception);
  assert_outcome(woken, WASMFX_RETURNED);
  if (from == WASMFX_NULL_CONT)
    return;
  const wasmfx_value_t one = i64_value(1);
  wasmfx_switch(scene->rt, &from, scene->swap, scene->awakening, &one, 1);
  fail_msg("the subject is dropped after it has switched back");
}

static void fresh_subject(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct scene *scene = env;
  const wasmfx_outcome_t started = { .status = WASMFX_RETURNED };
  size_t params;
  wasmfx_type_params(scene->subject_type, &params);
  assert_ptr_equal(rt, scene->rt);
  assert_int_equal(args[params - 1 - switches(scene->verb)].i64, 7);
  results[0].i64 = 8;
  finish(scene, started, switches(scene->verb) ? args[params - 1].contref : WASMFX_NULL_CONT);
}

static void suspended_subject(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct scene *scene = env;
  (void)args;
  const wasmfx_outcome_t woken = wasmfx_suspend(rt, scene->pause, NULL, 0);
  results[0].i64 = 8;
  finish(scene, woken, switches(scene->verb) && woken.status >= 0 && woken.status != WASMFX_THREW
                         ? woken.values[1].contref : WASMFX_NULL_CONT);
}

static wasmfx_cont_t new_subject(struct scene *scene, wasmfx_entry_t entry)
{
  scene->subjects++;
  return cont_of(scene->rt, ":l", entry, scene);
}

/** Each of the first two resumes another one; the third suspends. */
static void outer_subject(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct scene *scene = env;
  (void)args;
  wasmfx_cont_t inner = new_subject(scene, scene->subjects == 1 ? outer_subject : suspended_subject);
  const wasmfx_outcome_t outcome = wasmfx_resume(rt, &inner, NULL, NULL, 0);
  results[0].i64 = 8;
  finish(scene, outcome, WASMFX_NULL_CONT);
}

static wasmfx_cont_t new_fresh(struct scene *scene)
{
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  scene->subjects++;
  assert_status(wasmfx_cont_new(scene->rt, scene->subject_type, fresh_subject, scene, &cont), WASMFX_OK);
  return cont;
}

static wasmfx_cont_t new_suspended(struct scene *scene)
{
  wasmfx_cont_t cont = new_subject(scene, suspended_subject);
  assert_outcome(wasmfx_resume(scene->rt, &cont, scene->on_pause, NULL, 0), WASMFX_SUSPENDED);
  assert_state(scene->rt, cont, WASMFX_STATE_SUSPENDED);
  return cont;
}

static void tidy(struct scene *scene, wasmfx_cont_t left)
{
  if (left != WASMFX_NULL_CONT)
    assert_status(wasmfx_drop(scene->rt, &left), WASMFX_OK);
}

/* ---- The states ----------------------------------------------------------- */

static void null(struct scene *scene)
{
  act(scene, WASMFX_NULL_CONT);
}

static void fresh(struct scene *scene)
{
  tidy(scene, act(scene, new_fresh(scene)));
}

static void fresh_with_bound_prefix(struct scene *scene)
{
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  const wasmfx_value_t prefix = i64_value(6);
  scene->subject_type = type_of(scene->rt, switches(scene->verb) ? "llc:l" : "ll:l");
  cont = new_fresh(scene);
  assert_status(wasmfx_cont_bind(scene->rt, &cont, NULL, &prefix, 1), WASMFX_OK);
  tidy(scene, act(scene, cont));
}

static void suspended(struct scene *scene)
{
  tidy(scene, act(scene, new_suspended(scene)));
}

static void suspended_as_a_chain_of_three(struct scene *scene)
{
  wasmfx_cont_t cont = new_subject(scene, outer_subject);
  const struct view before = view_of(scene->rt);
  assert_outcome(wasmfx_resume(scene->rt, &cont, scene->on_pause, NULL, 0), WASMFX_SUSPENDED);
  assert_int_equal(scene->subjects, 3);
  assert_live(scene->rt, before.stats.conts_live + 2, before.stats.stacks_used + 3);
  tidy(scene, act(scene, cont));
}

static void running(struct scene *scene)
{
  act(scene, scene->actor);
}

static uint64_t act_on_ancestor(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct scene *scene = env;
  (void)from;
  assert_ptr_equal(rt, scene->rt);
  act(scene, scene->actor);
  return word;
}

static void waiting_in_a_resume(struct scene *scene)
{
  wasmfx_cont_t inner = word_cont_of(scene->rt, ":l", act_on_ancestor, scene);
  assert_outcome(wasmfx_resume_word(scene->rt, &inner, scene->on_swap, 0), WASMFX_RETURNED);
}

static void consumed_by_bind(struct scene *scene)
{
  const wasmfx_cont_t old = new_suspended(scene);
  wasmfx_cont_t cont = old;
  assert_status(wasmfx_cont_bind(scene->rt, &cont, NULL, NULL, 0), WASMFX_OK);
  act(scene, old);
  assert_state(scene->rt, cont, WASMFX_STATE_SUSPENDED);
  tidy(scene, cont);
}

static uint64_t just_return(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return word;
}

static uint64_t just_throw(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct scene *scene = env;
  (void)from;
  wasmfx_throw(rt, scene->oops, NULL, 0);
  return word;
}

static uint64_t just_trap(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  wasmfx_trap(rt, 13);
  return word;
}

static void dead_after(struct scene *scene, wasmfx_word_entry_t entry, wasmfx_status_t end)
{
  wasmfx_cont_t cont = word_cont_of(scene->rt, "l:l", entry, scene);
  const wasmfx_cont_t old = cont;
  assert_outcome(wasmfx_resume_word(scene->rt, &cont, NULL, 1), end);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  act(scene, old);
}

static void dead_by_return(struct scene *scene)
{
  dead_after(scene, just_return, WASMFX_RETURNED);
}

static void dead_by_throw(struct scene *scene)
{
  dead_after(scene, just_throw, WASMFX_THREW);
}

static void dead_by_trap(struct scene *scene)
{
  dead_after(scene, just_trap, WASMFX_TRAPPED);
}

static void dead_by_overflow(struct scene *scene)
{
  assert_status(wasmfx_overflow_catch(scene->rt), WASMFX_OK);
  dead_after(scene, recurse_for_ever, WASMFX_OVERFLOWED);
  assert_status(wasmfx_overflow_ignore(scene->rt), WASMFX_OK);
}

static void dead_by_drop(struct scene *scene)
{
  wasmfx_cont_t cont = new_suspended(scene);
  const wasmfx_cont_t old = cont;
  assert_status(wasmfx_drop(scene->rt, &cont), WASMFX_OK);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  act(scene, old);
}

static uint64_t suspend_for_ever(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct scene *scene = env;
  (void)from;
  for (;;)
    word = wasmfx_suspend_word(rt, scene->pause, 0).word;
  return word;
}

/** Leaves a buffer behind with its object, which is the next to be taken. */
static void drop_with_a_buffer(struct scene *scene)
{
  const wasmfx_value_t value = i64_value(1);
  wasmfx_cont_t cont = word_cont_of(scene->rt, "l:l", just_return, scene);
  assert_status(wasmfx_cont_bind(scene->rt, &cont, NULL, &value, 1), WASMFX_OK);
  assert_status(wasmfx_drop(scene->rt, &cont), WASMFX_OK);
}

/** Long after: its object was retired where revisions are narrow, or serves another continuation. */
static void dead_and_recycled(struct scene *scene)
{
  wasmfx_cont_t cont = new_suspended(scene), long_lived;
  const wasmfx_cont_t old = cont;
  const uint64_t retired = stats_of(scene->rt).objects_retired;
  assert_status(wasmfx_drop(scene->rt, &cont), WASMFX_OK);
  long_lived = word_cont_of(scene->rt, ":l", suspend_for_ever, scene);
  drop_with_a_buffer(scene);
  for (int i = 0; i < 200; i++) {
    const wasmfx_cont_t before = long_lived;
    const wasmfx_value_t values[2] = { i64_value(1), cont_value(WASMFX_NULL_CONT) };
    const size_t count = wasmfx_cont_arity(scene->rt, long_lived);
    assert_outcome(wasmfx_resume(scene->rt, &long_lived, scene->on_pause, values, count), WASMFX_SUSPENDED);
    assert_dead(scene->rt, before);
    assert_dead(scene->rt, old);
  }
#ifdef NARROW_REVISIONS
  assert_true(stats_of(scene->rt).objects_retired > retired);
#else
  assert_int_equal(stats_of(scene->rt).objects_retired, retired);
#endif
  act(scene, old);
  assert_state(scene->rt, long_lived, WASMFX_STATE_SUSPENDED);
  tidy(scene, long_lived);
}

static const struct row rows[] = {
  { "null", IS_NULL, null },
  { "fresh", IS_FRESH, fresh },
  { "fresh with a bound prefix", IS_FRESH, fresh_with_bound_prefix },
  { "suspended", IS_SUSPENDED, suspended },
  { "suspended as a chain of three", IS_SUSPENDED, suspended_as_a_chain_of_three },
  { "consumed because it runs", IS_CONSUMED, running },
  { "consumed because it waits in a resume", IS_CONSUMED, waiting_in_a_resume },
  { "consumed because it was bound", IS_CONSUMED, consumed_by_bind },
  { "dead by return", IS_CONSUMED, dead_by_return },
  { "dead by throw", IS_CONSUMED, dead_by_throw },
  { "dead by trap", IS_CONSUMED, dead_by_trap },
  { "dead by overflow", IS_CONSUMED, dead_by_overflow },
  { "dead by drop", IS_CONSUMED, dead_by_drop },
  { "dead and recycled", IS_CONSUMED, dead_and_recycled },
};

/* ---- The table ------------------------------------------------------------ */

static uint64_t actor(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct scene *scene = env;
  (void)rt, (void)from;
  scene->row->arrange(scene);
  return word;
}

static void test_cell(const struct row *row, enum verb verb)
{
  struct world *world = world_new(NULL);
  wasmfx_runtime_t *rt = world->rt;
  struct scene scene = { .rt = rt, .row = row, .verb = verb };
  scene.subject_type = type_of(rt, switches(verb) ? "lc:l" : "l:l");
  scene.awakening = type_of(rt, "lc:l");
  scene.pause = tag_of(rt, switches(verb) ? ":lc" : ":l");
  scene.swap = tag_of(rt, ":l");
  scene.oops = tag_of(rt, ":");
  scene.on_pause = HANDLERS(rt, ON_LABEL(scene.pause));
  scene.on_swap = HANDLERS(rt, ON_SWITCH(scene.swap));

  wasmfx_cont_t cont = word_cont_of(rt, ":l", actor, &scene);
  scene.actor = cont;
  assert_outcome(wasmfx_resume_word(rt, &cont, scene.on_swap, 0), WASMFX_RETURNED);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  assert_true(scene.acted);
  assert_live(rt, 0, 0);
  world_free(world);
}

static void every_verb_answers_as_the_state_says(void **state)
{
  (void)state;
  for (size_t row = 0; row < COUNT_OF(rows); row++)
    for (enum verb verb = 0; verb < VERBS; verb++)
      test_cell(&rows[row], verb);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_verb_answers_as_the_state_says),
  };
  return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
