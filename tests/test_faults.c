/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever is refused, a call that fails is a status, has changed nothing, and
 * succeeds when it is made again. Each scenario runs with each of its requests refused
 * alone and with each two of them, on several kinds of runtimes; and all of them in a
 * row on one runtime, with two refusals that are not too far apart.
 *
 *     test_faults [DISTANCE]
 */
#define _GNU_SOURCE /* sigaction */
#include "faults.h"
#include "tools.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  MANY = 100,  /* values of a list that does not go on the stack */
  VERY_MANY = 3 * MANY,
  LEVELS = 4,  /* of a chain */
  CROWD = 4,   /* more than stay cached */
#ifdef NARROW_REVISIONS
  LIFE = 64, /* resumes after which a slot is used up */
#endif
};

/** What a scenario works with. */
struct lab {
  wasmfx_runtime_config_t config;
  wasmfx_runtime_t *rt;
  wasmfx_type_t *number, *triple, *peer, *many; /* [i64]->[i64], [3 x i64]->[i64], [i64 contref]->[i64], long */
  wasmfx_tag_t *ask, *swap, *stop;              /* [i64]->[i64], []->[i64], [i64]->[] */
  wasmfx_handlers_t *on_ask, *on_both;
  void (*act)(struct lab *lab);
  size_t levels, died;
};

static size_t distance = 10;

static const wasmfx_value_t three[3] = { { .i64 = 1 }, { .i64 = 20 }, { .i64 = 300 } };

static void refuse_nothing_while(struct lab *lab, void (*prepare)(struct lab *lab))
{
  count_requests(false);
  prepare(lab);
  count_requests(true);
}

/* ---- Bodies ------------------------------------------------------------------------- */

static uint64_t answer_twice(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct lab *lab = env;
  (void)from;
  const wasmfx_outcome_t woken = wasmfx_suspend_word(rt, lab->ask, word + 1);
  return woken.status == WASMFX_RETURNED ? woken.word + 2 : 0;
}

static void sum_of_three(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  results[0].i64 = args[0].i64 + args[1].i64 + args[2].i64;
}

static void count_up(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env, (void)args;
  for (size_t i = 0; i < VERY_MANY; i++)
    results[i].word = i;
}

static void reverse_many(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  for (size_t i = 0; i < MANY; i++)
    results[i] = args[MANY - 1 - i];
}

/** A chain that gets everything that it is made of while it runs. */
static uint64_t descend(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct lab *lab = env;
  if (--lab->levels == 0)
    return answer_twice(rt, env, word, from);
  wasmfx_cont_t inner = WASMFX_NULL_CONT;
  wasmfx_outcome_t out = { 0 };
  insist(rt, &inner, wasmfx_cont_new_word(rt, lab->number, descend, lab, &inner));
  insist(rt, &inner, (out = wasmfx_resume_word(rt, &inner, NULL, word + 10)).status);
  assert_outcome(out, WASMFX_RETURNED);
  return out.word + 10;
}

static uint64_t switch_back(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct lab *lab = env;
  const wasmfx_outcome_t out = wasmfx_switch_word(rt, &from, lab->swap, NULL, word + 1);
  assert_outcome(out, WASMFX_RETURNED);
  return out.word;
}

/** Switches to two that are fresh, and drops what is left of them. */
static uint64_t switch_to_fresh_ones(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct lab *lab = env;
  (void)from;
  for (int i = 0; i < 2; i++) {
    wasmfx_cont_t peer = WASMFX_NULL_CONT;
    wasmfx_outcome_t out = { 0 };
    insist(rt, &peer, wasmfx_cont_new_word(rt, lab->peer, switch_back, env, &peer));
    if (i == 0) {
      insist(rt, &peer, (out = wasmfx_switch_word(rt, &peer, lab->swap, lab->peer, word)).status);
      word = out.word;
    } else {
      const wasmfx_value_t value = i64_value((int64_t)word);
      insist(rt, &peer, (out = wasmfx_switch(rt, &peer, lab->swap, lab->peer, &value, 1)).status);
      word = out.values[0].word;
    }
    assert_outcome(out, WASMFX_RETURNED);
    assert_state(rt, peer, WASMFX_STATE_SUSPENDED);
    assert_status(wasmfx_drop(rt, &peer), WASMFX_OK);
  }
  return word;
}

static uint64_t throw_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct lab *lab = env;
  const wasmfx_value_t value = { .word = word };
  (void)from;
  wasmfx_throw(rt, lab->stop, &value, 1);
  return 0;
}

static uint64_t trap_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  wasmfx_trap(rt, (int64_t)word);
  return 0;
}

/** Asks again whatever it is answered, values or exceptions, until it is asked for 0. */
static uint64_t ask_on(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct lab *lab = env;
  (void)from;
  for (;;) {
    const wasmfx_outcome_t woken = wasmfx_suspend_word(rt, lab->ask, word);
    word = woken.status == WASMFX_RETURNED ? woken.word : 99;
    if (word == 0)
      return 0;
  }
}

static uint64_t open_scopes(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_scope_t barrier, root;
  (void)env, (void)from;
  insist(rt, NULL, wasmfx_barrier_enter(rt, &barrier));
  insist(rt, NULL, wasmfx_root_enter(rt, &root));
  assert_int_equal(wasmfx_depth(rt), 0);
  assert_status(wasmfx_root_leave(rt, &root), WASMFX_OK);
  assert_status(wasmfx_barrier_leave(rt, &barrier), WASMFX_OK);
  return word;
}

/** Counts what is not zero in the lower half of the stack, and fills that. */
LOOKS_ANYWHERE static uint64_t look_and_fill(wasmfx_runtime_t *rt)
{
  void *low, *high;
  uint64_t found = 0;
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  open_to_looks(low, high);
  const size_t words = (size_t)((char *)high - (char *)low) / 2 / sizeof(uint64_t);
  for (volatile uint64_t *word = low; word < (uint64_t *)low + words; word++) {
    found += *word != 0;
    *word = UINT64_MAX;
  }
  return found;
}

/** Recurses without end. */
__attribute__((noinline)) static uint64_t fall_from(uint64_t depth)
{
  volatile uint64_t frame[64];
  frame[0] = depth;
  return fall_from(depth + 1) + frame[0];
}

static uint64_t fall(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return fall_from(word);
}

static uint64_t look_around(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct lab *lab = env;
  (void)word, (void)from;
  return wasmfx_suspend_word(rt, lab->ask, look_and_fill(rt)).word;
}

/* ---- Steps ---------------------------------------------------------------------------- */

static wasmfx_cont_t new_cont(struct lab *lab, wasmfx_word_entry_t entry)
{
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  insist(lab->rt, &cont, wasmfx_cont_new_word(lab->rt, lab->number, entry, lab, &cont));
  assert_state(lab->rt, cont, WASMFX_STATE_FRESH);
  return cont;
}

static wasmfx_outcome_t resume(struct lab *lab, wasmfx_cont_t *cont, uint64_t word)
{
  wasmfx_outcome_t out = { 0 };
  insist(lab->rt, cont, (out = wasmfx_resume_word(lab->rt, cont, lab->on_both, word)).status);
  return out;
}

/** One that asks, suspended. */
static wasmfx_cont_t started(struct lab *lab, wasmfx_word_entry_t entry)
{
  wasmfx_cont_t cont = new_cont(lab, entry);
  assert_outcome(resume(lab, &cont, 7), WASMFX_SUSPENDED);
  assert_state(lab->rt, cont, WASMFX_STATE_SUSPENDED);
  return cont;
}

/* ---- Acts ------------------------------------------------------------------------------- */

static void types_tags_and_tables(struct lab *lab)
{
  wasmfx_kind_t kinds[VERY_MANY];
  wasmfx_type_t *type = NULL;
  wasmfx_tag_t *tag = NULL;
  wasmfx_handlers_t *table = NULL;
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  wasmfx_outcome_t out = { 0 };
  memset(kinds, WASMFX_I64, sizeof kinds);
  insist(lab->rt, NULL, wasmfx_type_new(lab->rt, NULL, 0, kinds, COUNT_OF(kinds), &type));
  insist(lab->rt, &cont, wasmfx_cont_new(lab->rt, type, count_up, NULL, &cont));
  insist(lab->rt, &cont, (out = wasmfx_resume(lab->rt, &cont, NULL, NULL, 0)).status);
  for (size_t i = 0; i < VERY_MANY; i++)
    assert_int_equal(out.values[i].word, i);
  insist(lab->rt, NULL, wasmfx_tag_new(lab->rt, type, &tag));
  const wasmfx_clause_t clauses[] = { ON_LABEL(tag), ON_LABEL(lab->ask), ON_SWITCH(lab->swap) };
  insist(lab->rt, NULL, wasmfx_handlers_new(lab->rt, clauses, COUNT_OF(clauses), &table));
  wasmfx_handlers_free(lab->rt, table);
  wasmfx_tag_free(lab->rt, tag);
  wasmfx_type_free(lab->rt, type);
}

static void long_lists(struct lab *lab)
{
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  wasmfx_value_t values[MANY];
  wasmfx_outcome_t out = { 0 };
  for (int i = 0; i < MANY; i++)
    values[i] = i64_value(i);
  insist(lab->rt, &cont, wasmfx_cont_new(lab->rt, lab->triple, sum_of_three, lab, &cont));
  insist(lab->rt, &cont, wasmfx_cont_bind(lab->rt, &cont, NULL, three, 1));
  assert_status(wasmfx_drop(lab->rt, &cont), WASMFX_OK); /* leaves a short buffer, which is to be replaced */
  insist(lab->rt, &cont, wasmfx_cont_new(lab->rt, lab->many, reverse_many, lab, &cont));
  assert_int_equal(wasmfx_cont_arity(lab->rt, cont), MANY);
  insist(lab->rt, &cont, wasmfx_cont_bind(lab->rt, &cont, NULL, values, 2));
  assert_int_equal(wasmfx_cont_arity(lab->rt, cont), MANY - 2);
  insist(lab->rt, &cont, (out = wasmfx_resume(lab->rt, &cont, NULL, values + 2, MANY - 2)).status);
  assert_outcome(out, WASMFX_RETURNED);
  for (int i = 0; i < MANY; i++)
    assert_int_equal(out.values[i].i64, MANY - 1 - i);
}

static void binding(struct lab *lab)
{
  wasmfx_cont_t fresh = WASMFX_NULL_CONT;
  wasmfx_outcome_t out = { 0 };
  insist(lab->rt, &fresh, wasmfx_cont_new(lab->rt, lab->triple, sum_of_three, lab, &fresh));
  insist(lab->rt, &fresh, wasmfx_cont_bind(lab->rt, &fresh, NULL, three, 1));
  insist(lab->rt, &fresh, wasmfx_cont_bind(lab->rt, &fresh, lab->number, three + 1, 1));
  assert_int_equal(wasmfx_cont_arity(lab->rt, fresh), 1);
  insist(lab->rt, &fresh, (out = wasmfx_resume_word(lab->rt, &fresh, NULL, 300)).status);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(out.word, 321);

  wasmfx_cont_t asking = started(lab, ask_on);
  insist(lab->rt, &asking, wasmfx_cont_bind(lab->rt, &asking, NULL, three, 1));
  assert_int_equal(wasmfx_cont_arity(lab->rt, asking), 0);
  insist(lab->rt, &asking, (out = wasmfx_resume(lab->rt, &asking, lab->on_ask, NULL, 0)).status);
  assert_int_equal(out.values[0].i64, 1);
  assert_status(wasmfx_drop(lab->rt, &asking), WASMFX_OK);
}

static void first_stacks_of_each_class(struct lab *lab)
{
  for (uint32_t i = 0; i < WASMFX_STACK_CLASSES; i++) {
    wasmfx_cont_t cont = new_cont(lab, answer_twice);
    assert_status(wasmfx_cont_stack_class(lab->rt, cont, i), WASMFX_OK);
    wasmfx_outcome_t out = resume(lab, &cont, i);
    assert_outcome(out, WASMFX_SUSPENDED);
    assert_int_equal(out.word, i + 1);
    out = resume(lab, &cont, 40);
    assert_outcome(out, WASMFX_RETURNED);
    assert_int_equal(out.word, 42);
    assert_int_equal(cont, WASMFX_NULL_CONT);
  }
}

static void a_deep_chain(struct lab *lab)
{
  lab->levels = LEVELS;
  wasmfx_cont_t cont = new_cont(lab, descend);
  wasmfx_outcome_t out = resume(lab, &cont, 0);
  assert_outcome(out, WASMFX_SUSPENDED);
  assert_int_equal(out.word, (LEVELS - 1) * 10 + 1);
  out = resume(lab, &cont, 0);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(out.word, (LEVELS - 1) * 10 + 2);
}

static void switching(struct lab *lab)
{
  wasmfx_cont_t cont = new_cont(lab, switch_to_fresh_ones);
  const wasmfx_outcome_t out = resume(lab, &cont, 5);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(out.word, 7);
}

static void ending_in_all_ways(struct lab *lab)
{
  const wasmfx_exception_t why = { lab->stop, three, 1, NULL };
  wasmfx_outcome_t out = { 0 };
  wasmfx_cont_t cont = new_cont(lab, throw_word);
  out = resume(lab, &cont, 3);
  assert_outcome(out, WASMFX_THREW);
  assert_int_equal(out.exception->values[0].i64, 3);

  cont = new_cont(lab, trap_word);
  out = resume(lab, &cont, 4);
  assert_outcome(out, WASMFX_TRAPPED);
  assert_int_equal(out.code, 4);

  cont = new_cont(lab, trap_word); /* never runs */
  insist(lab->rt, &cont, (out = wasmfx_resume_throw(lab->rt, &cont, NULL, lab->stop, three + 1, 1)).status);
  assert_outcome(out, WASMFX_THREW);
  assert_int_equal(out.exception->values[0].i64, 20);

  cont = started(lab, ask_on);
  insist(lab->rt, &cont, (out = wasmfx_resume_throw_ref(lab->rt, &cont, lab->on_ask, &why)).status);
  assert_outcome(out, WASMFX_SUSPENDED);
  assert_int_equal(out.values[0].i64, 99);
  insist(lab->rt, &cont, (out = wasmfx_cancel(lab->rt, &cont, &why, 3)).status);
  assert_outcome(out, WASMFX_SUSPENDED);
  assert_int_equal(cont, WASMFX_NULL_CONT);
}

static void scopes(struct lab *lab)
{
  wasmfx_scope_t root;
  insist(lab->rt, NULL, wasmfx_root_enter(lab->rt, &root));
  wasmfx_cont_t cont = new_cont(lab, open_scopes);
  assert_outcome(resume(lab, &cont, 1), WASMFX_RETURNED);
  assert_status(wasmfx_root_leave(lab->rt, &root), WASMFX_OK);
}

/** Gives back more stacks than stay cached, and takes them again. */
static void trimming(struct lab *lab)
{
  wasmfx_cont_t crowd[CROWD];
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < CROWD; i++)
      crowd[i] = started(lab, ask_on);
    for (int i = 0; i < CROWD; i++)
      assert_status(wasmfx_drop(lab->rt, &crowd[i]), WASMFX_OK);
  }
}

/** Each tenant in turn takes all stacks that there are, and finds nothing there. */
static void crossing_tenants(struct lab *lab)
{
  wasmfx_cont_t crowd[CROWD];
  for (uint32_t tenant = 0; tenant < lab->config.tenants; tenant++) {
    assert_status(wasmfx_tenant_set(lab->rt, tenant), WASMFX_OK);
    for (int i = 0; i < CROWD; i++) {
      crowd[i] = new_cont(lab, look_around);
      const wasmfx_outcome_t out = resume(lab, &crowd[i], 0);
      assert_outcome(out, WASMFX_SUSPENDED);
      if (tenant > 0 && !lab->config.stack_allocator.allocate) /* what the host brings, the host clears */
        assert_int_equal(out.word, 0);
    }
    for (int i = 0; i < CROWD; i++)
      assert_outcome(resume(lab, &crowd[i], 0), WASMFX_RETURNED);
  }
  assert_status(wasmfx_tenant_set(lab->rt, 0), WASMFX_OK);
}

/** Ends a continuation by overflow, ends catching, and catches again, which the end of the runtime ends. */
static void catching_overflow(struct lab *lab)
{
  const bool is_guarded = lab->config.guard != WASMFX_GUARD_NONE && !lab->config.stack_policy &&
                          !lab->config.stack_allocator.allocate;
  for (int i = 0; i < 2; i++) {
    struct sigaction before, now;
    sigaction(SIGSEGV, NULL, &before);
    insist(lab->rt, NULL, wasmfx_overflow_catch(lab->rt));
    sigaction(SIGSEGV, NULL, &now);
    assert_true(before.sa_handler != now.sa_handler);
    assert_status(wasmfx_overflow_catch(lab->rt), WASMFX_ERROR_STATE);
    if (is_guarded) {
      wasmfx_cont_t cont = new_cont(lab, fall);
      assert_outcome(resume(lab, &cont, 1), WASMFX_OVERFLOWED);
    }
    if (i == 0)
      assert_status(wasmfx_overflow_ignore(lab->rt), WASMFX_OK);
  }
}

static void name_it(wasmfx_collector_t *collector, void *cont)
{
  wasmfx_collect_mark(collector, *(const wasmfx_cont_t *)cont);
}

/** Of two suspended ones the host names one. */
static void collecting(struct lab *lab)
{
  wasmfx_cont_t named = started(lab, ask_on), forgotten = started(lab, ask_on);
  const wasmfx_roots_t roots = { name_it, NULL, &named };
  size_t dropped = 0;
  insist(lab->rt, &forgotten, wasmfx_collect(lab->rt, &roots, &dropped));
  assert_true(dropped > 0);
  assert_state(lab->rt, named, WASMFX_STATE_SUSPENDED);
  assert_dead(lab->rt, forgotten);
  assert_live(lab->rt, 1, 1);
  assert_status(wasmfx_drop(lab->rt, &named), WASMFX_OK);
}

/** So many that the objects of a runtime need more than their first page. */
static void leave_a_crowd(struct lab *lab)
{
  const long slots = sysconf(_SC_PAGESIZE) / 128 - 3;
  for (long i = 0; i < slots; i++)
    (void)new_cont(lab, ask_on);
}

static void objects_beyond_the_first_page(struct lab *lab)
{
  leave_a_crowd(lab);
  for (int i = 0; i < 3; i++)
    (void)new_cont(lab, ask_on);
}

/* The crowd leaves one slot, so that it is the second scope that needs memory. */

static void barriers_beyond_the_first_page(struct lab *lab)
{
  wasmfx_scope_t root, barrier;
  refuse_nothing_while(lab, leave_a_crowd);
  insist(lab->rt, NULL, wasmfx_root_enter(lab->rt, &root));
  insist(lab->rt, NULL, wasmfx_barrier_enter(lab->rt, &barrier));
  assert_status(wasmfx_barrier_leave(lab->rt, &barrier), WASMFX_OK);
  assert_status(wasmfx_root_leave(lab->rt, &root), WASMFX_OK);
}

static void roots_beyond_the_first_page(struct lab *lab)
{
  wasmfx_scope_t root, barrier;
  refuse_nothing_while(lab, leave_a_crowd);
  insist(lab->rt, NULL, wasmfx_barrier_enter(lab->rt, &barrier));
  insist(lab->rt, NULL, wasmfx_root_enter(lab->rt, &root));
  assert_status(wasmfx_root_leave(lab->rt, &root), WASMFX_OK);
  assert_status(wasmfx_barrier_leave(lab->rt, &barrier), WASMFX_OK);
}

#ifdef NARROW_REVISIONS

/* Slots that are used up are retired, and what lives there moves: where no slot is left, that takes memory. */

static void wear_out_by_resuming(struct lab *lab)
{
  refuse_nothing_while(lab, leave_a_crowd);
  wasmfx_cont_t cont = started(lab, ask_on);
  for (uint64_t i = 1; i <= LIFE; i++) {
    const wasmfx_outcome_t out = resume(lab, &cont, i);
    assert_outcome(out, WASMFX_SUSPENDED);
    assert_int_equal(out.word, i);
  }
}

/** Where a fresh one is to be moved as well as given a stack, either may be refused. */
static void wear_out_by_running(struct lab *lab)
{
  refuse_nothing_while(lab, leave_a_crowd);
  for (int i = 0; i < LIFE; i++) {
    wasmfx_cont_t cont = new_cont(lab, throw_word);
    assert_outcome(resume(lab, &cont, 1), WASMFX_THREW);
  }
}

static void wear_out_by_binding(struct lab *lab)
{
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  wasmfx_outcome_t out = { 0 };
  refuse_nothing_while(lab, leave_a_crowd);
  insist(lab->rt, &cont, wasmfx_cont_new(lab->rt, lab->triple, sum_of_three, lab, &cont));
  insist(lab->rt, &cont, wasmfx_cont_bind(lab->rt, &cont, NULL, three, 1));
  for (int i = 0; i < LIFE; i++)
    insist(lab->rt, &cont, wasmfx_cont_bind(lab->rt, &cont, NULL, NULL, 0));
  insist(lab->rt, &cont, (out = wasmfx_resume(lab->rt, &cont, NULL, three + 1, 2)).status);
  assert_int_equal(out.values[0].i64, 321);
}

static void wear_out_by_throwing(struct lab *lab)
{
  wasmfx_outcome_t out = { 0 };
  refuse_nothing_while(lab, leave_a_crowd);
  wasmfx_cont_t cont = started(lab, ask_on);
  for (int i = 0; i < LIFE; i++)
    insist(lab->rt, &cont,
           (out = wasmfx_resume_throw(lab->rt, &cont, lab->on_ask, lab->stop, three, 1)).status);
  assert_int_equal(out.values[0].i64, 99);
}

/** Cancelling throws again and again. Once it has begun, it does not fail: what cannot be thrown at is dropped. */
static void wear_out_by_cancelling(struct lab *lab)
{
  const wasmfx_exception_t why = { lab->stop, three, 1, NULL };
  wasmfx_outcome_t out = { 0 };
  refuse_nothing_while(lab, leave_a_crowd);
  wasmfx_cont_t cont = started(lab, ask_on);
  const uint64_t live = stats_of(lab->rt).conts_live;
  insist(lab->rt, &cont, (out = wasmfx_cancel(lab->rt, &cont, &why, 2 * LIFE)).status);
  assert_outcome(out, WASMFX_SUSPENDED);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  assert_int_equal(stats_of(lab->rt).conts_live, live - 1);
}

static uint64_t switch_to_and_fro(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct lab *lab = env;
  wasmfx_outcome_t out = { 0 };
  for (int i = 0; i < LIFE; i++) {
    insist(rt, &from, (out = wasmfx_switch_word(rt, &from, lab->swap, lab->peer, word + 1)).status);
    word = out.word;
  }
  return word;
}

static void wear_out_by_switching(struct lab *lab)
{
  wasmfx_cont_t peer = WASMFX_NULL_CONT;
  refuse_nothing_while(lab, leave_a_crowd);
  insist(lab->rt, &peer, wasmfx_cont_new_word(lab->rt, lab->peer, switch_to_and_fro, lab, &peer));
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  wasmfx_outcome_t out = { 0 };
  insist(lab->rt, &cont, wasmfx_cont_new_word(lab->rt, lab->peer, switch_to_and_fro, lab, &cont));
  const wasmfx_value_t both[] = { i64_value(0), cont_value(peer) };
  insist(lab->rt, &cont, (out = wasmfx_resume(lab->rt, &cont, lab->on_both, both, 2)).status);
  assert_outcome(out, WASMFX_RETURNED);
}

#endif

/* ---- Runtimes ------------------------------------------------------------------------------ */

static void count_death(wasmfx_runtime_t *rt, void *word)
{
  (void)word;
  struct lab *lab = wasmfx_runtime_host(rt);
  lab->died++;
}

static void see_switch(wasmfx_runtime_t *rt, void **from, void **to)
{
  (void)rt, (void)from, (void)to;
}

/** Runs in a configuration: each has what some of the others do without. */
static void configure(wasmfx_runtime_config_t *config, unsigned which)
{
  wasmfx_runtime_config_init(config);
  config->allocator = refusing_allocator();
  config->max_stacks = LEVELS + 1;
  config->cached_stacks = 1;
  config->tenants = 1;
  switch (which) {
  case 0:
    break;
  case 1:
    config->guard = WASMFX_GUARD_PROTECT;
    config->cached_stacks = CROWD;
    break;
  case 2:
    config->tenants = 3;
    config->cached_stacks = LEVELS;
    config->stack_bytes[0] = 16384;
    break;
  case 3:
    config->guard = WASMFX_GUARD_NONE;
    config->float_control = 1;
    config->switched = see_switch;
    config->died = count_death;
    break;
  case 4:
    config->stack_policy = WASMFX_STACKS_DENSE;
    config->stack_bytes[0] = 4096; /* packed */
    config->host_stack_bytes = 1024;
    config->tenants = 2;
    config->max_stacks = LEVELS;
    break;
  default:
    config->stack_allocator = refusing_stack_allocator();
    config->tenants = 2;
  }
}

enum { CONFIGURATIONS = 6 };

static void make_vocabulary(struct lab *lab)
{
  wasmfx_kind_t kinds[MANY];
  memset(kinds, WASMFX_I64, sizeof kinds);
  lab->number = type_of(lab->rt, "l:l");
  lab->triple = type_of(lab->rt, "lll:l");
  lab->peer = type_of(lab->rt, "lc:l");
  assert_status(wasmfx_type_new(lab->rt, kinds, MANY, kinds, MANY, &lab->many), WASMFX_OK);
  lab->ask = tag_of(lab->rt, "l:l");
  lab->swap = tag_of(lab->rt, ":l");
  lab->stop = tag_of(lab->rt, "l:");
  lab->on_ask = HANDLERS(lab->rt, ON_LABEL(lab->ask));
  lab->on_both = HANDLERS(lab->rt, ON_LABEL(lab->ask), ON_SWITCH(lab->swap));
}

static wasmfx_status_t new_runtime(struct lab *lab)
{
  lab->rt = (wasmfx_runtime_t *)lab;
  const wasmfx_status_t status = wasmfx_runtime_new(&lab->config, &lab->rt);
  assert_true(status < 0 ? lab->rt == NULL : lab->rt != NULL);
  return status;
}

/** A runtime's whole life, with an act in it. */
static void live(void *context)
{
  struct lab *lab = context;
  lab->config.host = lab;
  count_requests(true);
  insist(NULL, NULL, new_runtime(lab));
  refuse_nothing_while(lab, make_vocabulary);
  lab->act(lab);
  assert_status(wasmfx_runtime_free(lab->rt, NULL), WASMFX_OK);
}

static void survive(void (*act)(struct lab *lab), size_t window)
{
  size_t runs = 0;
  for (unsigned i = 0; i < CONFIGURATIONS; i++) {
    struct lab lab = { .act = act };
    configure(&lab.config, i);
    runs += each_refusal(live, &lab, window);
  }
  print_message("# %zu runs\n", runs);
}

#define SURVIVES(name, act) \
  static void name##_each_refusal(void **state) \
  { \
    (void)state; \
    survive(act, ALL_PAIRS); \
  }

static void nothing(struct lab *lab)
{
  (void)lab;
}

/* ---- Tests ---------------------------------------------------------------------------------- */

static void a_runtime_that_is_refused_anything_is_not_made(void **state)
{
  (void)state;
  survive(nothing, ALL_PAIRS);
}

SURVIVES(types_tags_and_tables_survive, types_tags_and_tables)
SURVIVES(long_lists_survive, long_lists)
SURVIVES(binding_survives, binding)
SURVIVES(first_stacks_of_each_class_survive, first_stacks_of_each_class)
SURVIVES(a_deep_chain_survives, a_deep_chain)
SURVIVES(switching_survives, switching)
SURVIVES(ending_in_all_ways_survives, ending_in_all_ways)
SURVIVES(scopes_survive, scopes)
SURVIVES(trimming_survives, trimming)
SURVIVES(crossing_tenants_survives, crossing_tenants)
SURVIVES(catching_overflow_survives, catching_overflow)
SURVIVES(collecting_survives, collecting)
SURVIVES(objects_beyond_the_first_page_survive, objects_beyond_the_first_page)
SURVIVES(barriers_beyond_the_first_page_survive, barriers_beyond_the_first_page)
SURVIVES(roots_beyond_the_first_page_survive, roots_beyond_the_first_page)
#ifdef NARROW_REVISIONS
SURVIVES(wearing_out_by_resuming_survives, wear_out_by_resuming)
SURVIVES(wearing_out_by_running_survives, wear_out_by_running)
SURVIVES(wearing_out_by_binding_survives, wear_out_by_binding)
SURVIVES(wearing_out_by_throwing_survives, wear_out_by_throwing)
SURVIVES(wearing_out_by_cancelling_survives, wear_out_by_cancelling)
SURVIVES(wearing_out_by_switching_survives, wear_out_by_switching)
#endif

static void everything(struct lab *lab)
{
  types_tags_and_tables(lab);
  long_lists(lab);
  binding(lab);
  first_stacks_of_each_class(lab);
  a_deep_chain(lab);
  switching(lab);
  ending_in_all_ways(lab);
  scopes(lab);
  trimming(lab);
  crossing_tenants(lab);
  collecting(lab);
  catching_overflow(lab);
  objects_beyond_the_first_page(lab);
}

static void one_runtime_survives_each_refusal_in_a_row(void **state)
{
  (void)state;
  survive(everything, distance);
}

/* The key of a process stays: only the first one can be refused it. */
static void the_first_that_catches_overflow_is_refused_a_key(void **state)
{
  struct lab lab = { .act = catching_overflow };
  (void)state;
  configure(&lab.config, 0);
  refuse_next(THREAD_KEY);
  run_once(live, &lab);
  assert_int_equal(refusals(), 1);
}

/** The thread has one already where it runs under AddressSanitizer, and keeps it. */
static bool has_signal_stack(void)
{
  stack_t stack;
  assert_int_equal(sigaltstack(NULL, &stack), 0);
  return !(stack.ss_flags & SS_DISABLE);
}

/** Else the tests would pass because nothing is ever refused. */
static void requests_of_all_kinds_can_be_refused(void **state)
{
  static const enum request kinds[] = { ALLOCATION, RESERVATION, COMMITMENT, GUARD,        DISCARD,
                                        ADVICE,     THREAD_KEY,  SIGNAL_STACK, SIGNAL_ACTION };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(kinds); i++) {
    struct lab lab = { .act = everything };
    if (kinds[i] == SIGNAL_STACK && has_signal_stack())
      continue;
    configure(&lab.config, 0);
    refuse_next(kinds[i]);
    run_once(live, &lab);
    assert_int_equal(refusals(), 1);
    assert_true(requests_of(kinds[i]) > 1);
    /* When the system has refused something, the library reads files to find out why. */
    assert_int_equal(requests_of(FILE_TO_READ) > 0, kinds[i] == RESERVATION || kinds[i] == COMMITMENT);
  }
}

/** Whatever was refused on the way, and the guards of a kernel that knows no light ones: insist() looks at errno. */
static void no_call_changes_errno_when_it_succeeds(void **state)
{
  static const enum request kinds[] = { RESERVATION, COMMITMENT, GUARD, DISCARD, ADVICE, REQUEST_KINDS };
  (void)state;
  for (size_t i = 0; i < 2 * COUNT_OF(kinds); i++) {
    struct lab lab = { .act = everything };
    configure(&lab.config, 0);
    lab.config.max_stacks = 1 << 20; /* fewer will do */
    pretend_old_kernel(i % 2);
    refuse_next(kinds[i / 2]);
    run_once(live, &lab);
    assert_int_equal(refusals(), kinds[i / 2] != REQUEST_KINDS);
  }
}

#define told(test) cmocka_unit_test_teardown(test, tell_refusals)

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    told(the_first_that_catches_overflow_is_refused_a_key),
    told(a_runtime_that_is_refused_anything_is_not_made),
    told(types_tags_and_tables_survive_each_refusal),
    told(long_lists_survive_each_refusal),
    told(binding_survives_each_refusal),
    told(first_stacks_of_each_class_survive_each_refusal),
    told(a_deep_chain_survives_each_refusal),
    told(switching_survives_each_refusal),
    told(ending_in_all_ways_survives_each_refusal),
    told(scopes_survive_each_refusal),
    told(trimming_survives_each_refusal),
    told(crossing_tenants_survives_each_refusal),
    told(catching_overflow_survives_each_refusal),
    told(collecting_survives_each_refusal),
    told(objects_beyond_the_first_page_survive_each_refusal),
    told(barriers_beyond_the_first_page_survive_each_refusal),
    told(roots_beyond_the_first_page_survive_each_refusal),
#ifdef NARROW_REVISIONS
    told(wearing_out_by_resuming_survives_each_refusal),
    told(wearing_out_by_running_survives_each_refusal),
    told(wearing_out_by_binding_survives_each_refusal),
    told(wearing_out_by_throwing_survives_each_refusal),
    told(wearing_out_by_cancelling_survives_each_refusal),
    told(wearing_out_by_switching_survives_each_refusal),
#endif
    told(one_runtime_survives_each_refusal_in_a_row),
    told(requests_of_all_kinds_can_be_refused),
    told(no_call_changes_errno_when_it_succeeds),
  };
  if (argc > 1)
    distance = strtoull(argv[1], NULL, 10);
  return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
