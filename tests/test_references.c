/* SPDX-License-Identifier: Apache-2.0 */
/* What is a reference and what is not: other runtimes' values, dead ones, and any 64 bits. */
#include "support.h"

/* ---- Bodies ------------------------------------------------------------------------ */

static uint64_t return_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return word;
}

static uint64_t pause_once(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_tag_t *pause = env;
  (void)word, (void)from;
  return wasmfx_suspend_word(rt, pause, 0).word;
}

/* ---- Several runtimes ------------------------------------------------------------------------------ */

/** A continuation of one runtime that works with those of another. */
struct visit {
  wasmfx_runtime_t *home, *abroad;
  wasmfx_tag_t *pause_at_home, *pause_abroad;
  const wasmfx_handlers_t *handlers_abroad;
};

static uint64_t visit_another_runtime(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct visit *visit = env;
  wasmfx_cont_t cont = word_cont_of(visit->abroad, ":l", pause_once, visit->pause_abroad);
  (void)from;
  assert_outcome(wasmfx_resume_word(visit->abroad, &cont, visit->handlers_abroad, 0), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_suspend_word(rt, visit->pause_at_home, 0), WASMFX_RETURNED);
  assert_int_equal(wasmfx_depth(rt), 1);
  assert_int_equal(wasmfx_depth(visit->abroad), 0);
  assert_outcome(wasmfx_resume_word(visit->abroad, &cont, NULL, 0), WASMFX_RETURNED);
  return word;
}

static void several_runtimes_live_side_by_side(void **state)
{
  struct world *world = world_new(NULL);
  struct visit visit = { .home = runtime_of(state), .abroad = world->rt };
  visit.pause_at_home = tag_of(visit.home, ":l");
  visit.pause_abroad = tag_of(visit.abroad, ":l");
  visit.handlers_abroad = HANDLERS(visit.abroad, ON_LABEL(visit.pause_abroad));
  const wasmfx_handlers_t *handlers = HANDLERS(visit.home, ON_LABEL(visit.pause_at_home));
  wasmfx_cont_t conts[20];
  for (size_t i = 0; i < COUNT_OF(conts); i++) {
    conts[i] = word_cont_of(visit.home, ":l", visit_another_runtime, &visit);
    assert_outcome(wasmfx_resume_word(visit.home, &conts[i], handlers, 0), WASMFX_SUSPENDED);
    assert_live(visit.home, i + 1, i + 1);
    assert_live(visit.abroad, i + 1, i + 1);
  }
  for (size_t i = 0; i < COUNT_OF(conts); i++)
    assert_outcome(wasmfx_resume_word(visit.home, &conts[i], NULL, 0), WASMFX_RETURNED);
  assert_live(visit.home, 0, 0);
  assert_live(visit.abroad, 0, 0);
  world_free(world);
}

/** Nothing may be done with `cont` here. */
static void assert_no_reference(wasmfx_runtime_t *rt, wasmfx_cont_t cont)
{
  const wasmfx_cont_t given = cont;
  const wasmfx_value_t one = i64_value(1);
  assert_state(rt, cont, WASMFX_STATE_CONSUMED);
  assert_int_equal(wasmfx_cont_arity(rt, cont), 0);
  assert_null(wasmfx_cont_host_word(rt, cont));
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, &one, 1), WASMFX_TRAP_CONSUMED);
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 1), WASMFX_TRAP_CONSUMED);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, &one, 1), WASMFX_TRAP_CONSUMED);
  assert_outcome(wasmfx_switch_word(rt, &cont, NULL, NULL, 1), WASMFX_TRAP_CONSUMED);
  assert_status(wasmfx_drop(rt, &cont), WASMFX_TRAP_CONSUMED);
  assert_status(wasmfx_cont_stack_class(rt, cont, 0), WASMFX_TRAP_CONSUMED);
  assert_int_equal(cont, given);
}

static void a_reference_means_nothing_on_another_runtime(void **state)
{
  wasmfx_runtime_t *here = runtime_of(state);
  struct world *world = world_new(NULL);
  wasmfx_cont_t ours[100], theirs[100];
  for (size_t i = 0; i < 100; i++) {
    ours[i] = word_cont_of(here, "l:l", return_word, NULL);
    theirs[i] = word_cont_of(world->rt, "l:l", return_word, NULL);
  }
  for (size_t i = 0; i < 100; i++) {
    assert_no_reference(here, theirs[i]);
    assert_no_reference(world->rt, ours[i]);
  }
  for (size_t i = 0; i < 100; i++) {
    assert_outcome(wasmfx_resume_word(here, &ours[i], NULL, i), WASMFX_RETURNED);
    assert_outcome(wasmfx_resume_word(world->rt, &theirs[i], NULL, i), WASMFX_RETURNED);
  }
  world_free(world);
}

static void assert_foreign_things_are_refused(wasmfx_runtime_t *rt, wasmfx_cont_t cont, const wasmfx_tag_t *foreign_tag,
                                              const wasmfx_type_t *foreign_type)
{
  const wasmfx_exception_t exception = { foreign_tag, NULL, 0, NULL };
  const wasmfx_cont_t given = cont;
  const enum wasmfx_state state = wasmfx_cont_state(rt, cont);
  const struct view before = view_of(rt);
  assert_outcome(wasmfx_resume_throw(rt, &cont, NULL, foreign_tag, NULL, 0), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_resume_throw_ref(rt, &cont, NULL, &exception), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_cancel(rt, &cont, &exception, 0), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_cont_bind(rt, &cont, foreign_type, NULL, 0), WASMFX_ERROR_ARGUMENT);
  assert_int_equal(cont, given);
  assert_state(rt, cont, state);
  assert_unchanged(rt, &before);
}

static void tags_and_types_of_another_runtime_change_no_continuation(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct world *elsewhere = world_new(NULL);
  const wasmfx_tag_t *foreign_tag = tag_of(elsewhere->rt, ":");
  const wasmfx_type_t *foreign_type = type_of(elsewhere->rt, ":l"); /* would fit */
  wasmfx_tag_t *pause = tag_of(rt, ":");
  wasmfx_cont_t cont = word_cont_of(rt, ":l", pause_once, pause);
  assert_foreign_things_are_refused(rt, cont, foreign_tag, foreign_type);
  assert_outcome(wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_LABEL(pause)), 0), WASMFX_SUSPENDED);
  assert_foreign_things_are_refused(rt, cont, foreign_tag, foreign_type);
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 0), WASMFX_RETURNED);
  world_free(elsewhere);
}

static void a_reference_means_nothing_on_a_runtime_that_comes_after(void **state)
{
  enum { LIVES = 50, CONTS = 20 };
  static wasmfx_cont_t old[LIVES * CONTS];
  (void)state;
  for (size_t life = 0; life < LIVES; life++) {
    struct world *world = world_new(NULL); /* at the same addresses, likely */
    wasmfx_cont_t conts[CONTS];
    for (size_t i = 0; i < CONTS; i++)
      conts[i] = old[life * CONTS + i] = word_cont_of(world->rt, "l:l", return_word, NULL);
    for (size_t i = 0; i < life * CONTS; i++)
      assert_no_reference(world->rt, old[i]);
    for (size_t i = 0; i < CONTS; i++)
      assert_outcome(wasmfx_resume_word(world->rt, &conts[i], NULL, i), WASMFX_RETURNED);
    world_free(world);
  }
}

/* ---- Values that are no references ------------------------------------------------------------------- */

static void no_64_bit_value_but_the_reference_is_alive(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  uint64_t seed = 0x2545f4914f6cdd1d;
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", return_word, NULL);
  const struct view before = view_of(rt);
  for (uint64_t bit = 0; bit < 64; bit++)
    assert_no_reference(rt, cont ^ UINT64_C(1) << bit);
  for (uint64_t delta = 1; delta <= 1000; delta++) {
    assert_no_reference(rt, cont + delta);
    assert_no_reference(rt, cont - delta);
    assert_no_reference(rt, cont + (delta << 32));
    assert_no_reference(rt, cont - (delta << 32));
    assert_no_reference(rt, delta);
    assert_no_reference(rt, ~delta);
  }
  for (int i = 0; i < 1000000; i++) {
    wasmfx_cont_t garbage = random_word(&seed);
    if (i % 2) /* one that names a slot in use */
      garbage = (garbage & ~UINT64_C(0xffffffff)) | (uint32_t)cont;
    if (garbage != cont && garbage != WASMFX_NULL_CONT)
      assert_no_reference(rt, garbage);
  }
  assert_unchanged(rt, &before);
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 1), WASMFX_RETURNED);
}

/** Wherever the memory for references ends, numbers beyond it are safe to use. */
static void a_number_beyond_the_last_reference_is_dead(void **state)
{
  static const uint32_t beyond[] = { 1, 2, 31, 32, 33, 1000, 8192, 1 << 20, 1 << 30, UINT32_MAX - 1000 };
  enum { PAGES = 3, CONTS = PAGES * 4096 / 128 };
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *pause = tag_of(rt, ":l");
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(pause));
  wasmfx_type_t *type = type_of(rt, "l:l");
  wasmfx_cont_t conts[CONTS];
  for (size_t i = 0; i < CONTS; i++) {
    assert_status(wasmfx_cont_new_word(rt, type, return_word, NULL, &conts[i]), WASMFX_OK);
    for (size_t k = 0; k < COUNT_OF(beyond); k++) {
      wasmfx_cont_t number = conts[i] + beyond[k];
      assert_no_reference(rt, number);
      assert_outcome(wasmfx_resume_word(rt, &number, handlers, 1), WASMFX_TRAP_CONSUMED);
    }
  }
  assert_live(rt, CONTS, 0);
  for (size_t i = 0; i < CONTS; i++)
    assert_status(wasmfx_drop(rt, &conts[i]), WASMFX_OK);
}

static void every_reference_of_a_long_life_stays_dead(void **state)
{
  enum { LIVES = 2000 };
  wasmfx_runtime_t *rt = runtime_of(state);
  static wasmfx_cont_t dead[LIVES];
  wasmfx_tag_t *pause = tag_of(rt, ":l");
  const wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(pause));
  wasmfx_type_t *type = type_of(rt, ":l");
  for (size_t i = 0; i < LIVES; i += 2) {
    wasmfx_cont_t cont;
    assert_status(wasmfx_cont_new_word(rt, type, pause_once, pause, &cont), WASMFX_OK);
    dead[i] = cont;
    assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 0), WASMFX_SUSPENDED);
    dead[i + 1] = cont;
    assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 0), WASMFX_RETURNED);
  }
  wasmfx_cont_t alive = word_cont_of(rt, "l:l", return_word, NULL);
  for (size_t i = 0; i < LIVES; i++)
    assert_no_reference(rt, dead[i]);
  for (size_t i = 0; i < LIVES; i++)
    for (size_t j = i + 1; j < LIVES && j < i + 50; j++)
      assert_true(dead[i] != dead[j]);
  assert_outcome(wasmfx_resume_word(rt, &alive, NULL, 0), WASMFX_RETURNED);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(several_runtimes_live_side_by_side),
    in_a_world(a_reference_means_nothing_on_another_runtime),
    in_a_world(tags_and_types_of_another_runtime_change_no_continuation),
    cmocka_unit_test(a_reference_means_nothing_on_a_runtime_that_comes_after),
    in_a_world(no_64_bit_value_but_the_reference_is_alive),
    in_a_world(a_number_beyond_the_last_reference_is_dead),
    in_a_world(every_reference_of_a_long_life_stays_dead),
  };
  return cmocka_run_group_tests_name("references", tests, NULL, NULL);
}
