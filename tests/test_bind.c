/* SPDX-License-Identifier: Apache-2.0 */
/* cont.bind at every arity; and payloads of a length that is not the type's. */
#include "lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Bodies -------------------------------------------------------------------------------- */

/** What a body saw when it started, and what it needs to go away. */
struct seen {
  wasmfx_tag_t *tag;
  wasmfx_type_t *wait;
  wasmfx_cont_t target;
  uint64_t word, more;
  wasmfx_cont_t cont;
};

static const wasmfx_cont_t some_cont = UINT64_C(0x1122334455667788); /* a payload like any other */

static void never_in_slots(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env, (void)args, (void)results;
  fail_msg("this continuation must not run");
}

static uint64_t see_start(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct seen *seen = env;
  (void)rt;
  seen->word = word;
  seen->cont = from;
  return word;
}

static void see_start_with_two_words(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args,
                                     wasmfx_value_t *results)
{
  struct seen *seen = env;
  seen->word = args[0].word;
  seen->more = args[1].word;
  seen->cont = args[2].contref;
  assert_state(rt, seen->cont, WASMFX_STATE_SUSPENDED);
  results[0] = args[0];
}

static uint64_t suspend_by_tag(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct seen *seen = env;
  (void)from;
  wasmfx_suspend_word(rt, seen->tag, word);
  return word;
}

static uint64_t switch_away(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct seen *seen = env;
  (void)from;
  wasmfx_switch_word(rt, &seen->target, seen->tag, seen->wait, 5);
  fail_msg("who switched is dropped");
  return word;
}

/* ---- cont.bind --------------------------------------------------------------------------- */

/** A continuation that has to get list 0, fresh or when it was suspended. */
struct binding {
  struct lists lists;
  wasmfx_type_t *type;  /* [kinds] -> [] */
  wasmfx_tag_t *tag;    /* [] -> [kinds] */
  wasmfx_handlers_t *handlers;
  bool got_all;
};

static void want_list(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct binding *binding = env;
  (void)rt, (void)results;
  assert_arrived(&binding->lists, args, 0);
  binding->got_all = true;
}

static void suspend_for_list(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct binding *binding = env;
  (void)args, (void)results;
  const wasmfx_outcome_t woken = wasmfx_suspend(rt, binding->tag, NULL, 0);
  assert_outcome(woken, WASMFX_RETURNED);
  assert_arrived(&binding->lists, woken.values, 0);
  binding->got_all = true;
}

static void binding_init(struct binding *binding, wasmfx_runtime_t *rt, size_t count, size_t first_kind)
{
  lists_init(&binding->lists, count, first_kind);
  wasmfx_type_t *woken;
  assert_status(wasmfx_type_new(rt, binding->lists.kinds, count, NULL, 0, &binding->type), WASMFX_OK);
  assert_status(wasmfx_type_new(rt, NULL, 0, binding->lists.kinds, count, &woken), WASMFX_OK);
  assert_status(wasmfx_tag_new(rt, woken, &binding->tag), WASMFX_OK);
  binding->handlers = HANDLERS(rt, ON_LABEL(binding->tag));
}

static wasmfx_cont_t bindable(struct binding *binding, wasmfx_runtime_t *rt, bool suspended)
{
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  binding->got_all = false;
  if (suspended) {
    cont = cont_of(rt, ":", suspend_for_list, binding);
    assert_outcome(wasmfx_resume(rt, &cont, binding->handlers, NULL, 0), WASMFX_SUSPENDED);
  } else {
    assert_status(wasmfx_cont_new(rt, binding->type, want_list, binding, &cont), WASMFX_OK);
  }
  return cont;
}

/** Binds the values [from, from + count), which are the next ones. */
static void bind_next(struct binding *binding, wasmfx_runtime_t *rt, wasmfx_cont_t *cont, size_t from, size_t count)
{
  const wasmfx_cont_t old = *cont;
  const enum wasmfx_state state = wasmfx_cont_state(rt, old);
  assert_int_equal(wasmfx_cont_arity(rt, old), binding->lists.count - from);
  assert_status(wasmfx_cont_bind(rt, cont, NULL, binding->lists.sent[0] + from, count), WASMFX_OK);
  assert_true(*cont != old);
  assert_dead(rt, old);
  assert_state(rt, *cont, state);
  assert_int_equal(wasmfx_cont_arity(rt, *cont), binding->lists.count - from - count);
}

static void resume_with_rest(struct binding *binding, wasmfx_runtime_t *rt, wasmfx_cont_t *cont, size_t from)
{
  assert_outcome(wasmfx_resume(rt, cont, NULL, binding->lists.sent[0] + from, binding->lists.count - from),
                 WASMFX_RETURNED);
  assert_int_equal(*cont, WASMFX_NULL_CONT);
  assert_true(binding->got_all);
  assert_live(rt, 0, 0);
}

static void bind_works_at_every_split(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t count = 0; count <= 10; count++)
    for (size_t first_kind = 0; first_kind < KINDS; first_kind += 2) {
      struct binding binding;
      binding_init(&binding, rt, count, first_kind);
      for (size_t prefix = 0; prefix <= count; prefix++)
        for (int suspended = 0; suspended <= 1; suspended++) {
          wasmfx_cont_t cont = bindable(&binding, rt, suspended);
          bind_next(&binding, rt, &cont, 0, prefix);
          resume_with_rest(&binding, rt, &cont, prefix);
        }
      lists_free(&binding.lists);
    }
}

static void bind_works_one_value_at_a_time(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t count = 0; count <= 12; count++)
    for (int suspended = 0; suspended <= 1; suspended++) {
      struct binding binding;
      binding_init(&binding, rt, count, count);
      wasmfx_cont_t cont = bindable(&binding, rt, suspended);
      for (size_t i = 0; i < count; i++) {
        bind_next(&binding, rt, &cont, i, 1);
        bind_next(&binding, rt, &cont, i + 1, 0);
      }
      resume_with_rest(&binding, rt, &cont, count);
      lists_free(&binding.lists);
    }
}

static void bind_works_with_thousands_of_values(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  static const size_t splits[] = { 0, 1, 2, 999, 40000, 65534, 65535 };
  struct binding binding;
  binding_init(&binding, rt, 65535, 3);
  for (int suspended = 0; suspended <= 1; suspended++)
    for (size_t i = 0; i < COUNT_OF(splits); i++) {
      wasmfx_cont_t cont = bindable(&binding, rt, suspended);
      bind_next(&binding, rt, &cont, 0, splits[i]);
      resume_with_rest(&binding, rt, &cont, splits[i]);
    }
  lists_free(&binding.lists);
}

static void bound_values_are_copied(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct seen seen = { 0 };
  wasmfx_value_t value = i64_value(7);
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", see_start, &seen);
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, &value, 1), WASMFX_OK);
  value = i64_value(8);
  assert_int_equal(wasmfx_cont_arity(rt, cont), 0);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, NULL, 0), WASMFX_RETURNED);
  assert_int_equal(seen.word, 7);
}

enum { RELAYED = 2, RELAYS = 6 };

/** What a body passes on, it gets again with one value more: 2, then 3, and so on. */
struct relay {
  wasmfx_tag_t *tags[RELAYS]; /* by their place, [2 + place values] -> [3 + place values] */
  bool got_all;
};

static void assert_counts_up(const wasmfx_value_t *values, size_t count)
{
  for (size_t i = 0; i < count; i++)
    assert_int_equal(values[i].i64, 100 + i);
}

static void pass_on_the_slots_that_came(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args,
                                        wasmfx_value_t *results)
{
  struct relay *relay = env;
  const wasmfx_value_t *came = args;
  (void)results;
  for (size_t i = 0; i < RELAYS; i++) {
    const wasmfx_outcome_t woken = wasmfx_suspend(rt, relay->tags[i], came, RELAYED + i);
    assert_outcome(woken, WASMFX_RETURNED);
    came = woken.values;
    assert_counts_up(came, RELAYED + i + 1);
  }
  relay->got_all = true;
}

static void *allocate(void *context, size_t bytes)
{
  (void)context;
  return malloc(bytes);
}

/** Whoever reads a block after it was released must notice, sanitizer or not. */
static void clobber_and_release(void *context, void *block, size_t bytes)
{
  volatile unsigned char *bytes_of_block = block;
  (void)context;
  for (size_t i = 0; i < bytes; i++)
    bytes_of_block[i] = 0xdb;
  free(block);
}

static wasmfx_runtime_t *runtime_on_a_clobbering_heap(void)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_t *rt;
  wasmfx_runtime_config_init(&config);
  config.allocator = (wasmfx_allocator_t){ allocate, clobber_and_release, NULL };
  assert_status(wasmfx_runtime_new(&config, &rt), WASMFX_OK);
  return rt;
}

static void relay_init(struct relay *relay, wasmfx_runtime_t *rt)
{
  const char letters[] = "llllllll";
  char signature[sizeof(letters) * 2];
  relay->got_all = false;
  for (size_t i = 0; i < RELAYS; i++) {
    snprintf(signature, sizeof(signature), "%.*s:%.*s", (int)(RELAYED + i), letters, (int)(RELAYED + i + 1), letters);
    relay->tags[i] = tag_of(rt, signature);
  }
}

static void a_body_may_be_bound_again_the_very_slots_that_it_passed_on(void **state)
{
  wasmfx_runtime_t *rt = runtime_on_a_clobbering_heap();
  const wasmfx_value_t values[RELAYED] = { i64_value(100), i64_value(101) };
  struct relay relay;
  (void)state;
  relay_init(&relay, rt);
  wasmfx_cont_t cont = cont_of(rt, "ll:", pass_on_the_slots_that_came, &relay);
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, values, RELAYED), WASMFX_OK);
  wasmfx_outcome_t outcome = wasmfx_resume(rt, &cont, HANDLERS(rt, ON_LABEL(relay.tags[0])), NULL, 0);
  for (size_t i = 0; i < RELAYS; i++) {
    const size_t passed_on = RELAYED + i;
    const wasmfx_value_t one_more = i64_value((int64_t)(100 + passed_on));
    assert_outcome(outcome, WASMFX_SUSPENDED);
    assert_counts_up(outcome.values, passed_on);
    assert_status(wasmfx_cont_bind(rt, &cont, NULL, outcome.values, passed_on), WASMFX_OK);
    assert_int_equal(wasmfx_cont_arity(rt, cont), 1);
    outcome = wasmfx_resume(rt, &cont, HANDLERS(rt, ON_LABEL(relay.tags[(i + 1) % RELAYS])), &one_more, 1);
  }
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_true(relay.got_all);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
}

static void what_remains_after_a_bind_may_travel_as_a_word(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct binding binding;
  binding_init(&binding, rt, 4, 5); /* [funcref externref exnref contref] */
  binding.lists.kinds[3] = WASMFX_I64;
  assert_status(wasmfx_type_new(rt, binding.lists.kinds, 4, NULL, 0, &binding.type), WASMFX_OK);
  wasmfx_cont_t cont = bindable(&binding, rt, false);
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 1), WASMFX_ERROR_ARITY);
  bind_next(&binding, rt, &cont, 0, 3);
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, binding.lists.sent[0][3].word), WASMFX_RETURNED);
  assert_true(binding.got_all);
  lists_free(&binding.lists);
}

static void a_bound_contref_arrives_as_the_last_parameter(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  const wasmfx_value_t values[2] = { i64_value(7), cont_value(some_cont) };
  for (size_t step = 1; step <= 2; step++) {
    struct seen seen = { 0 };
    wasmfx_cont_t cont = word_cont_of(rt, "lc:l", see_start, &seen);
    for (size_t i = 0; i < 2; i += step)
      assert_status(wasmfx_cont_bind(rt, &cont, NULL, values + i, step), WASMFX_OK);
    assert_int_equal(wasmfx_cont_arity(rt, cont), 0);
    assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 0), WASMFX_RETURNED);
    assert_int_equal(seen.word, 7);
    assert_true(seen.cont == some_cont);
  }
}

static void a_switch_target_may_have_a_bound_prefix(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  const wasmfx_value_t seven = i64_value(7);
  struct seen seen = { .tag = tag_of(rt, ":l"), .wait = type_of(rt, "lc:l") }, target = { 0 };
  seen.target = cont_of(rt, "llc:l", see_start_with_two_words, &target);
  assert_status(wasmfx_cont_bind(rt, &seen.target, NULL, &seven, 1), WASMFX_OK);
  wasmfx_cont_t cont = word_cont_of(rt, ":l", switch_away, &seen);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_SWITCH(seen.tag)), 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(target.word, 7);
  assert_int_equal(target.more, 5);
  assert_status(wasmfx_drop(rt, &target.cont), WASMFX_OK);
}

/** Suspends in general form by a tag with results [i64 i64 contref]. */
static void suspend_for_two_words(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct seen *seen = env;
  (void)args;
  const wasmfx_outcome_t woken = wasmfx_suspend(rt, seen->tag, NULL, 0);
  assert_outcome(woken, WASMFX_RETURNED);
  seen->word = woken.values[0].word;
  seen->more = woken.values[1].word;
  seen->cont = woken.values[2].contref;
  results[0] = woken.values[0];
}

static void a_suspended_switch_target_may_have_a_bound_prefix(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  const wasmfx_value_t seven = i64_value(7);
  struct seen seen = { .tag = tag_of(rt, ":l"), .wait = type_of(rt, "lc:l") }, target = { .tag = tag_of(rt, ":llc") };
  seen.target = cont_of(rt, ":l", suspend_for_two_words, &target);
  assert_outcome(wasmfx_resume(rt, &seen.target, HANDLERS(rt, ON_LABEL(target.tag)), NULL, 0), WASMFX_SUSPENDED);
  assert_status(wasmfx_cont_bind(rt, &seen.target, NULL, &seven, 1), WASMFX_OK);
  wasmfx_cont_t cont = word_cont_of(rt, ":l", switch_away, &seen);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_SWITCH(seen.tag)), 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(target.word, 7);
  assert_int_equal(target.more, 5);
  assert_state(rt, target.cont, WASMFX_STATE_SUSPENDED);
  assert_status(wasmfx_drop(rt, &target.cont), WASMFX_OK);
}

static uint64_t switch_to_what_waits_for_nothing(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct seen *seen = env;
  const wasmfx_value_t values[2] = { i64_value(7), cont_value(some_cont) };
  (void)from;
  seen->target = cont_of(rt, "lc:l", never_in_slots, NULL);
  assert_status(wasmfx_cont_bind(rt, &seen->target, NULL, values, 2), WASMFX_OK);
  const wasmfx_cont_t given = seen->target;
  const struct view before = view_of(rt);
  assert_outcome(wasmfx_switch(rt, &seen->target, seen->tag, seen->wait, values, 0), WASMFX_ERROR_ARITY);
  assert_outcome(wasmfx_switch(rt, &seen->target, seen->tag, seen->wait, values, 1), WASMFX_ERROR_ARITY);
  assert_outcome(wasmfx_switch_word(rt, &seen->target, seen->tag, seen->wait, 5), WASMFX_ERROR_ARITY);
  assert_int_equal(seen->target, given);
  assert_unchanged(rt, &before);
  assert_status(wasmfx_drop(rt, &seen->target), WASMFX_OK);
  return word;
}

static void a_switch_target_whose_contref_is_bound_is_refused(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct seen seen = { .tag = tag_of(rt, ":l"), .wait = type_of(rt, "lc:l") };
  wasmfx_cont_t cont = word_cont_of(rt, ":l", switch_to_what_waits_for_nothing, &seen);
  assert_outcome(wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_SWITCH(seen.tag)), 0), WASMFX_RETURNED);
}

static void bind_checks_the_type_that_it_is_to_give(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  static const struct {
    const char *to;
    size_t count;
    wasmfx_status_t answer;
  } cases[] = { /* of [i32 i64 contref] -> [f64] */
    { "ilc:d", 0, WASMFX_OK },         { "lc:d", 1, WASMFX_OK },          { "c:d", 2, WASMFX_OK },
    { ":d", 3, WASMFX_OK },            { "lc:d", 0, WASMFX_ERROR_TYPE },  { "ilc:d", 1, WASMFX_ERROR_TYPE },
    { "ilc:", 0, WASMFX_ERROR_TYPE },  { "ilc:f", 0, WASMFX_ERROR_TYPE }, { "ilc:dd", 0, WASMFX_ERROR_TYPE },
    { "llc:d", 0, WASMFX_ERROR_TYPE }, { "il:d", 0, WASMFX_ERROR_TYPE },  { "il:d", 1, WASMFX_ERROR_TYPE },
    { "c:l", 2, WASMFX_ERROR_TYPE },   { "c:d", 3, WASMFX_ERROR_TYPE },   { ":d", 2, WASMFX_ERROR_TYPE },
    { ":d", 4, WASMFX_ERROR_ARITY },
  };
  const wasmfx_value_t values[4] = { { .word = 1 } };
  wasmfx_tag_t *tag = tag_of(rt, ":ilc");
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(tag));
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    for (int suspended = 0; suspended <= 1; suspended++) {
      struct seen seen = { .tag = tag };
      wasmfx_cont_t cont;
      if (suspended) {
        cont = word_cont_of(rt, ":d", suspend_by_tag, &seen);
        assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 0), WASMFX_SUSPENDED);
      } else {
        cont = cont_of(rt, "ilc:d", never_in_slots, NULL);
      }
      const wasmfx_cont_t given = cont;
      const wasmfx_type_t *to = type_of(rt, cases[i].to);
      const struct view before = view_of(rt);
      const wasmfx_status_t status = wasmfx_cont_bind(rt, &cont, to, values, cases[i].count);
      if (status != cases[i].answer)
        print_error("%zu values, to \"%s\"\n", cases[i].count, cases[i].to);
      assert_status(status, cases[i].answer);
      assert_int_equal(cont == given, status < 0);
      assert_int_equal(wasmfx_cont_arity(rt, cont), 3 - (status < 0 ? 0 : cases[i].count));
      if (status < 0)
        assert_unchanged(rt, &before);
      assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);
    }
}

/* ---- Wrong lengths -------------------------------------------------------------------------- */

static void assert_refused(wasmfx_runtime_t *rt, wasmfx_cont_t cont, size_t arity)
{
  const wasmfx_cont_t given = cont;
  const wasmfx_value_t values[24] = { { .word = 1 } };
  wasmfx_tag_t *oops = tag_of(rt, "ll:");
  const struct view before = view_of(rt);
  assert_int_equal(wasmfx_cont_arity(rt, cont), arity);
  for (size_t count = 0; count <= 22; count++) {
    if (count != arity)
      assert_outcome(wasmfx_resume(rt, &cont, NULL, values, count), WASMFX_ERROR_ARITY);
    if (count > arity)
      assert_status(wasmfx_cont_bind(rt, &cont, NULL, values, count), WASMFX_ERROR_ARITY);
    if (count != 2)
      assert_outcome(wasmfx_resume_throw(rt, &cont, NULL, oops, values, count), WASMFX_ERROR_ARITY);
  }
  assert_outcome(wasmfx_resume(rt, &cont, NULL, values, SIZE_MAX), WASMFX_ERROR_ARITY);
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, values, SIZE_MAX), WASMFX_ERROR_ARITY);
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, values, (size_t)1 << 32), WASMFX_ERROR_ARITY);
  assert_int_equal(cont, given);
  assert_unchanged(rt, &before);
}

static void a_resume_or_bind_of_a_wrong_length_changes_nothing(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t count = 0; count <= 20; count++)
    for (int suspended = 0; suspended <= 1; suspended++) {
      struct binding binding;
      binding_init(&binding, rt, count, count);
      wasmfx_cont_t cont = bindable(&binding, rt, suspended);
      assert_refused(rt, cont, count);
      bind_next(&binding, rt, &cont, 0, count / 2);
      assert_refused(rt, cont, count - count / 2);
      resume_with_rest(&binding, rt, &cont, count / 2);
      lists_free(&binding.lists);
    }
}

/** A length without values is one that does not fit, whatever the length. */
static uint64_t pass_no_values(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct seen *seen = env;
  wasmfx_tag_t *ask = tag_of(rt, "ll:"), *oops = tag_of(rt, "l:");
  const wasmfx_exception_t exception = { oops, NULL, 1, NULL };
  wasmfx_cont_t plain = cont_of(rt, "ll:l", never_in_slots, NULL), target = cont_of(rt, "lc:l", never_in_slots, NULL);
  const wasmfx_cont_t given = plain, given_target = target;
  const struct view before = view_of(rt);
  (void)from;
  assert_outcome(wasmfx_resume(rt, &plain, NULL, NULL, 2), WASMFX_ERROR_ARITY);
  assert_status(wasmfx_cont_bind(rt, &plain, NULL, NULL, 1), WASMFX_ERROR_ARITY);
  assert_outcome(wasmfx_resume_throw(rt, &plain, NULL, oops, NULL, 1), WASMFX_ERROR_ARITY);
  assert_outcome(wasmfx_resume_throw_ref(rt, &plain, NULL, &exception), WASMFX_ERROR_ARITY);
  assert_outcome(wasmfx_switch(rt, &target, seen->tag, NULL, NULL, 1), WASMFX_ERROR_ARITY);
  assert_outcome(wasmfx_suspend(rt, ask, NULL, 2), WASMFX_ERROR_ARITY);
  assert_status(wasmfx_throw(rt, oops, NULL, 1), WASMFX_ERROR_ARITY);
  assert_status(wasmfx_throw_ref(rt, &exception), WASMFX_ERROR_ARITY);
  assert_int_equal(plain, given);
  assert_int_equal(target, given_target);
  assert_unchanged(rt, &before);
  assert_status(wasmfx_drop(rt, &plain), WASMFX_OK);
  assert_status(wasmfx_drop(rt, &target), WASMFX_OK);
  return word;
}

static void a_length_without_values_is_a_wrong_one(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct seen seen = { .tag = tag_of(rt, ":l") };
  wasmfx_cont_t cont = word_cont_of(rt, ":l", pass_no_values, &seen);
  assert_outcome(wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_SWITCH(seen.tag)), 0), WASMFX_RETURNED);
}

static void resume_word_of_what_waits_for_more_is_refused(void **state)
{
  static const char *const signatures[] = { "v:l", "ll:l", "lc:l", "c:l", "vc:l", "llc:l", "cc:l" };
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t i = 0; i < COUNT_OF(signatures); i++) {
    wasmfx_cont_t cont = cont_of(rt, signatures[i], never_in_slots, NULL);
    const wasmfx_cont_t given = cont;
    assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 1), WASMFX_ERROR_ARITY);
    assert_int_equal(cont, given);
    assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);
  }
}

static uint64_t suspend_with_wrong_lengths(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_tag_t **tags = env;
  const wasmfx_value_t values[4] = { { .word = 1 } };
  const struct view before = view_of(rt);
  (void)from;
  for (size_t wanted = 0; wanted <= 3; wanted++)
    for (size_t count = 0; count <= 4; count++)
      if (count != wanted)
        assert_outcome(wasmfx_suspend(rt, tags[wanted], values, count), WASMFX_ERROR_ARITY);
  assert_outcome(wasmfx_suspend_word(rt, tags[2], 1), WASMFX_ERROR_ARITY);
  assert_outcome(wasmfx_suspend_word(rt, tags[3], 1), WASMFX_ERROR_ARITY);
  assert_outcome(wasmfx_suspend_word(rt, tags[4], 1), WASMFX_ERROR_ARITY); /* a v128 */
  assert_outcome(wasmfx_suspend(rt, NULL, NULL, 0), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_suspend_word(rt, NULL, 0), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_throw(rt, tags[2], values, 1), WASMFX_ERROR_ARITY);
  assert_status(wasmfx_throw(rt, tags[2], values, 3), WASMFX_ERROR_ARITY);
  assert_unchanged(rt, &before);
  return word;
}

static void a_suspend_or_throw_of_a_wrong_length_changes_nothing(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *tags[] = { tag_of(rt, ":"), tag_of(rt, "l:"), tag_of(rt, "ll:"), tag_of(rt, "lll:"), tag_of(rt, "v:") };
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(tags[0]), ON_LABEL(tags[1]), ON_LABEL(tags[2]),
                                         ON_LABEL(tags[3]), ON_LABEL(tags[4]));
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", suspend_with_wrong_lengths, tags);
  assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 1), WASMFX_RETURNED);
}

static uint64_t suspend_by_no_tag(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  assert_outcome(wasmfx_suspend_word(rt, NULL, 0), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_suspend(rt, NULL, NULL, 0), WASMFX_ERROR_ARGUMENT);
  return word;
}

static void no_table_handles_a_suspension_without_a_tag(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *in_slots = tag_of(rt, "ll:"), *in_words = tag_of(rt, ":");
  const wasmfx_handlers_t *tables[] = {
    NULL, handlers_of(rt, NULL, 0), HANDLERS(rt, ON_LABEL(in_slots)), HANDLERS(rt, ON_LABEL(in_words)),
    HANDLERS(rt, ON_SWITCH(in_words)), HANDLERS(rt, ON_LABEL(in_slots), ON_LABEL(in_words)),
  };
  for (size_t i = 0; i < COUNT_OF(tables); i++) {
    wasmfx_cont_t cont = word_cont_of(rt, ":", suspend_by_no_tag, NULL);
    assert_outcome(wasmfx_resume_word(rt, &cont, tables[i], 0), WASMFX_RETURNED);
  }
}

/** Tags and types of another runtime, where one of this runtime is wanted. */
static uint64_t use_foreign_things(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct seen *foreign = env;
  const wasmfx_value_t values[1] = { { .word = 1 } };
  const wasmfx_exception_t exception = { foreign->tag, NULL, 0, NULL };
  wasmfx_tag_t *swap = tag_of(rt, ":");
  wasmfx_cont_t target = cont_of(rt, "lc:", never_in_slots, NULL);
  const wasmfx_cont_t given = target;
  (void)from;
  const struct view before = view_of(rt);
  assert_outcome(wasmfx_suspend(rt, foreign->tag, NULL, 0), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_suspend_word(rt, foreign->tag, 0), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_throw(rt, foreign->tag, NULL, 0), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_throw_ref(rt, &exception), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_switch(rt, &target, foreign->tag, NULL, values, 1), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_switch(rt, &target, swap, foreign->wait, values, 1), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_switch(rt, &target, NULL, NULL, values, 1), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_switch_word(rt, &target, foreign->tag, NULL, 1), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_switch_word(rt, &target, swap, foreign->wait, 1), WASMFX_ERROR_ARGUMENT);
  assert_outcome(wasmfx_switch_word(rt, &target, NULL, NULL, 1), WASMFX_ERROR_ARGUMENT);
  assert_int_equal(target, given);
  assert_unchanged(rt, &before);
  assert_status(wasmfx_drop(rt, &target), WASMFX_OK);
  return word;
}

static void tags_and_types_of_another_runtime_are_refused(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct world *elsewhere = world_new(NULL);
  struct seen foreign = { .tag = tag_of(elsewhere->rt, ":"), .wait = type_of(elsewhere->rt, "c:") };
  wasmfx_cont_t cont = word_cont_of(rt, ":", use_foreign_things, &foreign);
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 0), WASMFX_RETURNED);
  world_free(elsewhere);
}

static uint64_t switch_with_wrong_lengths(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct seen *seen = env;
  const wasmfx_value_t values[5] = { { .word = 1 } };
  const struct { const char *signature; size_t arity; } targets[] = {
    { "c:l", 0 }, { "lc:l", 1 }, { "llc:l", 2 }, { "lllc:l", 3 }, /* take a contref last */
    { ":l", 99 }, { "l:l", 99 }, { "cl:l", 99 },                  /* take none */
  };
  (void)from;
  for (size_t i = 0; i < COUNT_OF(targets); i++) {
    wasmfx_cont_t target = cont_of(rt, targets[i].signature, never_in_slots, NULL);
    const wasmfx_cont_t given = target;
    const struct view before = view_of(rt);
    for (size_t count = 0; count <= 4; count++)
      if (count != targets[i].arity)
        assert_outcome(wasmfx_switch(rt, &target, seen->tag, seen->wait, values, count), WASMFX_ERROR_ARITY);
    if (targets[i].arity > 1)
      assert_outcome(wasmfx_switch_word(rt, &target, seen->tag, seen->wait, 1), WASMFX_ERROR_ARITY);
    assert_int_equal(target, given);
    assert_unchanged(rt, &before);
    assert_status(wasmfx_drop(rt, &target), WASMFX_OK);
  }
  return word;
}

static void a_switch_of_a_wrong_length_changes_nothing(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct seen seen = { .tag = tag_of(rt, ":l"), .wait = type_of(rt, "lc:l") };
  wasmfx_cont_t cont = word_cont_of(rt, ":l", switch_with_wrong_lengths, &seen);
  assert_outcome(wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_SWITCH(seen.tag)), 0), WASMFX_RETURNED);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(bind_works_at_every_split),
    in_a_world(bind_works_one_value_at_a_time),
    in_a_world(bind_works_with_thousands_of_values),
    in_a_world(bound_values_are_copied),
    cmocka_unit_test(a_body_may_be_bound_again_the_very_slots_that_it_passed_on),
    in_a_world(what_remains_after_a_bind_may_travel_as_a_word),
    in_a_world(a_bound_contref_arrives_as_the_last_parameter),
    in_a_world(a_switch_target_may_have_a_bound_prefix),
    in_a_world(a_suspended_switch_target_may_have_a_bound_prefix),
    in_a_world(a_switch_target_whose_contref_is_bound_is_refused),
    in_a_world(bind_checks_the_type_that_it_is_to_give),
    in_a_world(a_resume_or_bind_of_a_wrong_length_changes_nothing),
    in_a_world(a_length_without_values_is_a_wrong_one),
    in_a_world(resume_word_of_what_waits_for_more_is_refused),
    in_a_world(a_suspend_or_throw_of_a_wrong_length_changes_nothing),
    in_a_world(no_table_handles_a_suspension_without_a_tag),
    in_a_world(tags_and_types_of_another_runtime_are_refused),
    in_a_world(a_switch_of_a_wrong_length_changes_nothing),
  };
  return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
