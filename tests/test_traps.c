/* SPDX-License-Identifier: Apache-2.0 */
/* The traps of the instructions: their words, when they come, and which of two comes first. */
#include "support.h"

#include <string.h>

/** What the bodies of this file get. */
struct fixture {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *tag;  /* [] -> [i64] */
  wasmfx_tag_t *swap; /* [] -> [i64] */
  wasmfx_type_t *type;
  void (*inside)(struct fixture *fixture); /* what the body does */
  bool ran;
};

static void fixture_init(struct fixture *fixture, wasmfx_runtime_t *rt)
{
  memset(fixture, 0, sizeof(*fixture));
  fixture->rt = rt;
  fixture->tag = tag_of(fixture->rt, ":l");
  fixture->swap = tag_of(fixture->rt, ":l");
  fixture->type = type_of(fixture->rt, "l:l");
}

static uint64_t run_inside(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  (void)rt, (void)from;
  fixture->ran = true;
  if (fixture->inside)
    fixture->inside(fixture);
  return word;
}

static uint64_t suspend_once(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct fixture *fixture = env;
  (void)word, (void)from;
  return wasmfx_suspend_word(rt, fixture->tag, 0).word;
}

/** Runs `inside` in a continuation under `handlers`; it has to return. */
static void run_in_a_continuation(struct fixture *fixture, const wasmfx_handlers_t *handlers,
                                  void (*inside)(struct fixture *fixture))
{
  wasmfx_cont_t cont = word_cont_of(fixture->rt, "l:l", run_inside, fixture);
  fixture->inside = inside;
  fixture->ran = false;
  assert_outcome(wasmfx_resume_word(fixture->rt, &cont, handlers, 1), WASMFX_RETURNED);
  assert_true(fixture->ran);
}

static wasmfx_cont_t fresh(struct fixture *fixture)
{
  return word_cont_of(fixture->rt, "l:l", suspend_once, fixture);
}

/** A reference that was consumed, with its continuation still alive under another one. */
static wasmfx_cont_t consumed(struct fixture *fixture, wasmfx_cont_t *alive)
{
  const wasmfx_cont_t old = *alive = fresh(fixture);
  assert_status(wasmfx_cont_bind(fixture->rt, alive, NULL, NULL, 0), WASMFX_OK);
  return old;
}

static void drop(struct fixture *fixture, wasmfx_cont_t cont)
{
  assert_status(wasmfx_drop(fixture->rt, &cont), WASMFX_OK);
}

/* ---- The words ------------------------------------------------------------- */

static void traps_have_the_words_of_the_specification(void **state)
{
  (void)state;
  assert_string_equal(wasmfx_status_text(WASMFX_TRAP_NULL_FUNCTION), "null function reference");
  assert_string_equal(wasmfx_status_text(WASMFX_TRAP_NULL_CONT), "null continuation reference");
  assert_string_equal(wasmfx_status_text(WASMFX_TRAP_CONSUMED), "continuation already consumed");
  assert_string_equal(wasmfx_status_text(WASMFX_TRAP_NULL_EXCEPTION), "null exception reference");
  assert_string_equal(wasmfx_status_text(WASMFX_TRAP_UNHANDLED), "unhandled tag");
  assert_string_equal(wasmfx_status_text(WASMFX_TRAP_BARRIER), "barrier hit by suspension");
}

static void every_status_has_words_of_its_own(void **state)
{
  static const wasmfx_status_t statuses[] = {
    WASMFX_OK, WASMFX_SUSPENDED, WASMFX_THREW, WASMFX_TRAPPED, WASMFX_TRAP_NULL_FUNCTION, WASMFX_TRAP_NULL_CONT,
    WASMFX_TRAP_CONSUMED, WASMFX_TRAP_NULL_EXCEPTION, WASMFX_TRAP_UNHANDLED, WASMFX_TRAP_BARRIER, WASMFX_ERROR_ARITY,
    WASMFX_ERROR_TYPE, WASMFX_ERROR_STATE, WASMFX_ERROR_ARGUMENT, WASMFX_ERROR_NO_MEMORY,
    WASMFX_ERROR_NO_ADDRESS_SPACE, WASMFX_ERROR_NO_MAPS, WASMFX_ERROR_LIMIT,
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(statuses); i++) {
    assert_true(strlen(wasmfx_status_text(statuses[i])) > 0);
    for (size_t j = 0; j < i; j++)
      assert_string_not_equal(wasmfx_status_text(statuses[i]), wasmfx_status_text(statuses[j]));
  }
}

static void an_unknown_status_has_a_text_too(void **state)
{
  (void)state;
  for (wasmfx_status_t status = -200; status <= 200; status++)
    assert_non_null(wasmfx_status_text(status));
  assert_non_null(wasmfx_status_text(INT32_MIN));
  assert_non_null(wasmfx_status_text(INT32_MAX));
}

/* ---- One trap after the other ------------------------------------------------ */

static void cont_new_of_a_null_function_traps(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  const struct view before = view_of(fixture.rt);
  wasmfx_cont_t cont = 42;
  assert_status(wasmfx_cont_new(fixture.rt, fixture.type, NULL, NULL, &cont), WASMFX_TRAP_NULL_FUNCTION);
  assert_status(wasmfx_cont_new_word(fixture.rt, fixture.type, NULL, NULL, &cont), WASMFX_TRAP_NULL_FUNCTION);
  assert_int_equal(cont, 42);
  assert_unchanged(fixture.rt, &before);
}

/** Every verb that consumes, on `cont`: each answers `expected`. */
static void assert_consumers_answer(struct fixture *fixture, wasmfx_cont_t cont, wasmfx_status_t expected)
{
  wasmfx_runtime_t *rt = fixture->rt;
  const wasmfx_cont_t given = cont;
  const wasmfx_value_t one = i64_value(1);
  const wasmfx_exception_t exception = { tag_of(rt, ":"), NULL, 0, NULL };
  const struct view before = view_of(rt);
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, NULL, 0), expected);
  assert_status(wasmfx_cont_bind(rt, &cont, fixture->type, &one, 1), expected);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, &one, 1), expected);
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 1), expected);
  assert_outcome(wasmfx_resume_throw(rt, &cont, NULL, exception.tag, NULL, 0), expected);
  assert_outcome(wasmfx_resume_throw_ref(rt, &cont, NULL, &exception), expected);
  assert_outcome(wasmfx_switch(rt, &cont, fixture->swap, NULL, &one, 1), expected);
  assert_outcome(wasmfx_switch_word(rt, &cont, fixture->swap, NULL, 1), expected);
  assert_status(wasmfx_drop(rt, &cont), expected);
  assert_outcome(wasmfx_cancel(rt, &cont, &exception, 0), expected);
  assert_status(wasmfx_cont_stack_class(rt, cont, 0), expected);
  assert_int_equal(cont, given);
  assert_unchanged(rt, &before);
}

static void use_null(struct fixture *fixture)
{
  assert_consumers_answer(fixture, WASMFX_NULL_CONT, WASMFX_TRAP_NULL_CONT);
}

static void every_consumer_of_a_null_cont_traps(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  use_null(&fixture);
  run_in_a_continuation(&fixture, HANDLERS(fixture.rt, ON_SWITCH(fixture.swap)), use_null);
}

static void use_consumed(struct fixture *fixture)
{
  wasmfx_cont_t alive;
  assert_consumers_answer(fixture, consumed(fixture, &alive), WASMFX_TRAP_CONSUMED);
  assert_state(fixture->rt, alive, WASMFX_STATE_FRESH);
  drop(fixture, alive);
}

static void every_consumer_of_a_consumed_cont_traps(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  use_consumed(&fixture);
  run_in_a_continuation(&fixture, HANDLERS(fixture.rt, ON_SWITCH(fixture.swap)), use_consumed);
}

static void resume_throw_ref_of_a_null_exception_traps(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = fresh(&fixture);
  const wasmfx_cont_t given = cont;
  const struct view before = view_of(fixture.rt);
  assert_outcome(wasmfx_resume_throw_ref(fixture.rt, &cont, NULL, NULL), WASMFX_TRAP_NULL_EXCEPTION);
  assert_outcome(wasmfx_cancel(fixture.rt, &cont, NULL, 0), WASMFX_TRAP_NULL_EXCEPTION);
  assert_int_equal(cont, given);
  assert_unchanged(fixture.rt, &before);
  drop(&fixture, cont);
}

static void throw_null(struct fixture *fixture)
{
  assert_status(wasmfx_throw_ref(fixture->rt, NULL), WASMFX_TRAP_NULL_EXCEPTION);
  assert_int_equal(wasmfx_depth(fixture->rt), 1);
}

static void throw_ref_of_a_null_exception_traps(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  run_in_a_continuation(&fixture, NULL, throw_null);
}

static void suspend_unhandled(struct fixture *fixture)
{
  const struct view before = view_of(fixture->rt);
  assert_outcome(wasmfx_suspend(fixture->rt, fixture->tag, NULL, 0), WASMFX_TRAP_UNHANDLED);
  assert_outcome(wasmfx_suspend_word(fixture->rt, fixture->tag, 0), WASMFX_TRAP_UNHANDLED);
  assert_unchanged(fixture->rt, &before);
}

static void suspend_without_a_handler_traps(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  suspend_unhandled(&fixture); /* on the host's own stack */
  run_in_a_continuation(&fixture, NULL, suspend_unhandled);
  run_in_a_continuation(&fixture, HANDLERS(fixture.rt, ON_LABEL(fixture.swap)), suspend_unhandled);
}

static void switch_unhandled(struct fixture *fixture)
{
  wasmfx_runtime_t *rt = fixture->rt;
  wasmfx_type_t *wait = type_of(rt, "lc:l");
  wasmfx_cont_t cont = word_cont_of(rt, "lc:l", suspend_once, fixture);
  const wasmfx_cont_t given = cont;
  const wasmfx_value_t one = i64_value(1);
  const struct view before = view_of(rt);
  assert_outcome(wasmfx_switch(rt, &cont, fixture->swap, wait, &one, 1), WASMFX_TRAP_UNHANDLED);
  assert_outcome(wasmfx_switch_word(rt, &cont, fixture->swap, wait, 1), WASMFX_TRAP_UNHANDLED);
  assert_int_equal(cont, given);
  assert_unchanged(rt, &before);
  drop(fixture, cont);
}

static void switch_without_a_handler_traps(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  switch_unhandled(&fixture);
  run_in_a_continuation(&fixture, NULL, switch_unhandled);
  run_in_a_continuation(&fixture, HANDLERS(fixture.rt, ON_SWITCH(fixture.tag)), switch_unhandled);
}

static void suspend_across_a_barrier(struct fixture *fixture)
{
  wasmfx_scope_t scope;
  assert_status(wasmfx_barrier_enter(fixture->rt, &scope), WASMFX_OK);
  const struct view before = view_of(fixture->rt);
  assert_outcome(wasmfx_suspend(fixture->rt, fixture->tag, NULL, 0), WASMFX_TRAP_BARRIER);
  assert_outcome(wasmfx_suspend_word(fixture->rt, fixture->tag, 0), WASMFX_TRAP_BARRIER);
  assert_unchanged(fixture->rt, &before);
  assert_status(wasmfx_barrier_leave(fixture->rt, &scope), WASMFX_OK);
}

static void suspend_across_a_barrier_traps(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  run_in_a_continuation(&fixture, HANDLERS(fixture.rt, ON_LABEL(fixture.tag)), suspend_across_a_barrier);
}

/* ---- Which comes first --------------------------------------------------------- */

/** One more value than any of the continuations here takes. */
static const wasmfx_value_t too_many[5];

static void null_cont_comes_before_arity_and_exception(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_runtime_t *rt = fixture.rt;
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  wasmfx_tag_t *with_results = tag_of(rt, ":l");
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, too_many, 5), WASMFX_TRAP_NULL_CONT);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, too_many, 5), WASMFX_TRAP_NULL_CONT);
  assert_outcome(wasmfx_resume_throw(rt, &cont, NULL, with_results, too_many, 5), WASMFX_TRAP_NULL_CONT);
  assert_outcome(wasmfx_resume_throw_ref(rt, &cont, NULL, NULL), WASMFX_TRAP_NULL_CONT);
  assert_outcome(wasmfx_cancel(rt, &cont, NULL, 0), WASMFX_TRAP_NULL_CONT);
  assert_outcome(wasmfx_switch(rt, &cont, fixture.swap, NULL, too_many, 5), WASMFX_TRAP_NULL_CONT);
}

static void consumed_comes_before_arity_and_exception(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_runtime_t *rt = fixture.rt;
  wasmfx_cont_t alive, cont = consumed(&fixture, &alive);
  wasmfx_tag_t *with_results = tag_of(rt, ":l");
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, too_many, 5), WASMFX_TRAP_CONSUMED);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, too_many, 5), WASMFX_TRAP_CONSUMED);
  assert_outcome(wasmfx_resume_throw(rt, &cont, NULL, with_results, too_many, 5), WASMFX_TRAP_CONSUMED);
  assert_outcome(wasmfx_resume_throw_ref(rt, &cont, NULL, NULL), WASMFX_TRAP_CONSUMED);
  assert_outcome(wasmfx_cancel(rt, &cont, NULL, 0), WASMFX_TRAP_CONSUMED);
  assert_outcome(wasmfx_switch(rt, &cont, fixture.swap, NULL, too_many, 5), WASMFX_TRAP_CONSUMED);
  drop(&fixture, alive);
}

static void suspend_wrongly_and_unhandled(struct fixture *fixture)
{
  assert_outcome(wasmfx_suspend(fixture->rt, fixture->tag, too_many, 5), WASMFX_ERROR_ARITY);
  wasmfx_tag_t *pair = tag_of(fixture->rt, "ll:");
  assert_outcome(wasmfx_suspend_word(fixture->rt, pair, 0), WASMFX_ERROR_ARITY);
  wasmfx_cont_t cont = word_cont_of(fixture->rt, "lc:l", suspend_once, fixture);
  assert_outcome(wasmfx_switch(fixture->rt, &cont, fixture->swap, NULL, too_many, 5), WASMFX_ERROR_ARITY);
  assert_state(fixture->rt, cont, WASMFX_STATE_FRESH);
  drop(fixture, cont);
}

static void arity_comes_before_the_search_for_a_handler(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  suspend_wrongly_and_unhandled(&fixture);
  run_in_a_continuation(&fixture, NULL, suspend_wrongly_and_unhandled);
}

static void switch_with_no_stack_left(struct fixture *fixture)
{
  wasmfx_runtime_t *rt = fixture->rt;
  wasmfx_type_t *wait = type_of(rt, "lc:l");
  wasmfx_cont_t cont = word_cont_of(rt, "lc:l", suspend_once, fixture);
  assert_outcome(wasmfx_switch_word(rt, &cont, fixture->tag, wait, 1), WASMFX_TRAP_UNHANDLED);
  assert_outcome(wasmfx_switch_word(rt, &cont, fixture->swap, wait, 1), WASMFX_ERROR_LIMIT);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, too_many, 5), WASMFX_ERROR_ARITY);
  assert_state(rt, cont, WASMFX_STATE_FRESH);
  drop(fixture, cont);
}

static void arity_and_handler_come_before_memory(void **state)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.max_stacks = 1;
  struct world *world = world_new(&config);
  struct fixture fixture;
  (void)state;
  fixture_init(&fixture, world->rt);
  run_in_a_continuation(&fixture, HANDLERS(fixture.rt, ON_SWITCH(fixture.swap)), switch_with_no_stack_left);
  world_free(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(traps_have_the_words_of_the_specification),
    cmocka_unit_test(every_status_has_words_of_its_own),
    cmocka_unit_test(an_unknown_status_has_a_text_too),
    in_a_world(cont_new_of_a_null_function_traps),
    in_a_world(every_consumer_of_a_null_cont_traps),
    in_a_world(every_consumer_of_a_consumed_cont_traps),
    in_a_world(resume_throw_ref_of_a_null_exception_traps),
    in_a_world(throw_ref_of_a_null_exception_traps),
    in_a_world(suspend_without_a_handler_traps),
    in_a_world(switch_without_a_handler_traps),
    in_a_world(suspend_across_a_barrier_traps),
    in_a_world(null_cont_comes_before_arity_and_exception),
    in_a_world(consumed_comes_before_arity_and_exception),
    in_a_world(arity_comes_before_the_search_for_a_handler),
    cmocka_unit_test(arity_and_handler_come_before_memory),
  };
  return cmocka_run_group_tests_name("traps", tests, NULL, NULL);
}
