/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers that are called in place: who is asked, what they get, what they may do, and in which ways they end. */
#undef _FORTIFY_SOURCE /* its longjmp takes a jump to another stack for an attack */
#include "jump.h"
#include "support.h"

#include <string.h>
#include <wasmfx/backtrace.h>
#include <wasmfx/collect.h>
#include <wasmfx/overflow.h>

/* A chain: who is called `first` by the host under `outer`, and at each further level one more under `between`. The
 * innermost runs `body`. */
struct stage {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *ask, *pause, *swap, *oops; /* [i64] -> [i64] twice, [] -> [i64], [i64] -> [] */
  const wasmfx_handlers_t *outer, *between;
  uint64_t (*body)(struct stage *stage, uint64_t word);
  wasmfx_word_call_t handler;
  size_t depth;
  wasmfx_status_t inside; /* what a handler has seen */
  wasmfx_cont_t other;
  wasmfx_mark_t mark;
  wasmfx_scope_t scope;
  jmp_buf out;
  size_t calls, returned; /* of the latter, to resumes inside */
};

static uint64_t enter(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  if (stage->depth == 1)
    return stage->body(stage, word);
  stage->depth--;
  wasmfx_cont_t next = word_cont_of(rt, "l:l", enter, stage);
  const wasmfx_outcome_t out = wasmfx_resume_word(rt, &next, stage->between, word);
  assert_outcome(out, WASMFX_RETURNED);
  stage->returned++;
  return out.word;
}

static struct stage stage_of(wasmfx_runtime_t *rt, uint64_t (*body)(struct stage *stage, uint64_t word))
{
  struct stage stage = { .rt = rt, .ask = tag_of(rt, "l:l"), .pause = tag_of(rt, "l:l"), .swap = tag_of(rt, ":l"),
                         .oops = tag_of(rt, "l:"), .body = body, .depth = 1 };
  return stage;
}

/* Runs it under a handler for `ask`; what that gets is the stage. */
static wasmfx_outcome_t run(struct stage *stage, wasmfx_word_call_t handler)
{
  stage->outer = HANDLERS(stage->rt, ON_CALL_WORD(stage->ask, handler, stage), ON_LABEL(stage->pause));
  wasmfx_cont_t k = word_cont_of(stage->rt, "l:l", enter, stage);
  const wasmfx_outcome_t out = wasmfx_resume_word(stage->rt, &k, stage->outer, 1);
  stage->other = k;
  return out;
}

static void run_to_its_end(struct stage *stage, wasmfx_word_call_t handler)
{
  const size_t depth = stage->depth;
  assert_outcome(run(stage, handler), WASMFX_RETURNED);
  assert_live(stage->rt, 0, 0);
  stage->depth = depth;
}

static uint64_t ask_once(struct stage *stage, uint64_t word)
{
  const wasmfx_outcome_t out = wasmfx_suspend_word(stage->rt, stage->ask, word);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(out.by_address, 0);
  assert_int_equal(out.handler, 0);
  return out.word;
}

static const size_t depths[] = { 1, 2, 7 };

#define AT_EACH_DEPTH(stage) for (size_t d = 0; d < COUNT_OF(depths) && ((stage).depth = depths[d]); d++)

/* ---- The answer ------------------------------------------------------------------------------- */

static uint64_t double_it(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  struct stage *stage = env;
  void *low, *high;
  const char *here = __builtin_frame_address(0);
  stage->calls++;
  assert_ptr_equal(rt, stage->rt);
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  assert_true((char *)low <= here && here < (char *)high);
  return 2 * word;
}

static uint64_t ask_five_times(struct stage *stage, uint64_t word)
{
  const struct view before = view_of(stage->rt);
  for (size_t i = 0; i < 5; i++) {
    const uint64_t next = ask_once(stage, word);
    assert_int_equal(next, 2 * word);
    assert_unchanged(stage->rt, &before);
    word = next;
  }
  return word;
}

static void a_handler_answers_on_the_stack_of_who_suspends_and_nothing_is_captured(void **state)
{
  struct stage stage = stage_of(runtime_of(state), ask_five_times);
  AT_EACH_DEPTH(stage)
  {
    stage.calls = 0;
    const size_t depth = stage.depth;
    const wasmfx_outcome_t out = run(&stage, double_it);
    assert_outcome(out, WASMFX_RETURNED);
    assert_int_equal(out.word, 32);
    assert_int_equal(stage.calls, 5);
    assert_live(stage.rt, 0, 0);
    stage.depth = depth;
  }
}

/* ---- Which handler? ----------------------------------------------------------------------------- */

static uint64_t say_10(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  (void)rt, (void)env, (void)word;
  return 10;
}

static uint64_t say_20(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  (void)rt, (void)env, (void)word;
  return 20;
}

static void the_first_clause_wins_be_it_a_label_or_a_call(void **state)
{
  struct stage stage = stage_of(runtime_of(state), ask_once);
  wasmfx_runtime_t *rt = stage.rt;
  wasmfx_tag_t *ask = stage.ask, *t = stage.pause;
  const struct {
    wasmfx_handlers_t *table;
    wasmfx_status_t status;
    uint64_t word;
    uint32_t handler;
  } cases[] = {
    { HANDLERS(rt, ON_CALL_WORD(ask, say_10, NULL), ON_LABEL(ask)), WASMFX_RETURNED, 10, 0 },
    { HANDLERS(rt, ON_LABEL(ask), ON_CALL_WORD(ask, say_10, NULL)), WASMFX_SUSPENDED, 1, 0 },
    { HANDLERS(rt, ON_LABEL(t), ON_LABEL(ask), ON_CALL_WORD(ask, say_10, NULL)), WASMFX_SUSPENDED, 1, 1 },
    { HANDLERS(rt, ON_CALL_WORD(ask, say_20, NULL), ON_CALL_WORD(ask, say_10, NULL)), WASMFX_RETURNED, 20, 0 },
    { HANDLERS(rt, ON_CALL_WORD(t, say_20, NULL), ON_CALL_WORD(ask, say_10, NULL)), WASMFX_RETURNED, 10, 0 },
    { HANDLERS(rt, ON_LABEL(t), ON_CALL_WORD(t, say_20, NULL), ON_CALL_WORD(ask, say_10, NULL)),
      WASMFX_RETURNED, 10, 0 },
    { HANDLERS(rt, ON_LABEL(t), ON_LABEL(t), ON_LABEL(t), ON_LABEL(t), ON_CALL_WORD(t, say_20, NULL),
               ON_CALL_WORD(ask, say_10, NULL), ON_LABEL(ask)), WASMFX_RETURNED, 10, 0 },
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    wasmfx_cont_t k = word_cont_of(rt, "l:l", enter, &stage);
    const wasmfx_outcome_t out = wasmfx_resume_word(rt, &k, cases[i].table, 1);
    assert_outcome(out, cases[i].status);
    assert_int_equal(out.word, cases[i].word);
    assert_int_equal(out.handler, cases[i].handler);
    if (k)
      assert_status(wasmfx_drop(rt, &k), WASMFX_OK);
    assert_live(rt, 0, 0);
  }
}

static uint64_t try_to_switch(struct stage *stage, uint64_t word)
{
  wasmfx_cont_t k = cont_of(stage->rt, "c:l", (wasmfx_entry_t)1, NULL);
  stage->inside = wasmfx_switch(stage->rt, &k, stage->swap, NULL, NULL, 0).status;
  assert_status(wasmfx_drop(stage->rt, &k), WASMFX_OK);
  return word;
}

static void a_switch_skips_calls(void **state)
{
  struct stage stage = stage_of(runtime_of(state), try_to_switch);
  wasmfx_handlers_t *call = HANDLERS(stage.rt, ON_CALL_WORD(stage.swap, say_10, NULL));
  wasmfx_cont_t k = word_cont_of(stage.rt, "l:l", enter, &stage);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, call, 1), WASMFX_RETURNED);
  assert_status(stage.inside, WASMFX_TRAP_UNHANDLED);
}

static uint64_t ask_from_behind(struct stage *stage, uint64_t word)
{
  wasmfx_scope_t scope;
  assert_status(wasmfx_barrier_enter(stage->rt, &scope), WASMFX_OK);
  assert_outcome(wasmfx_suspend_word(stage->rt, stage->ask, word), WASMFX_TRAP_BARRIER);
  assert_status(wasmfx_barrier_leave(stage->rt, &scope), WASMFX_OK);
  assert_int_equal(ask_once(stage, word), 2 * word);
  assert_status(wasmfx_barrier_enter(stage->rt, &scope), WASMFX_OK);
  assert_outcome(wasmfx_suspend_word(stage->rt, stage->ask, word), WASMFX_TRAP_BARRIER);
  assert_status(wasmfx_barrier_leave(stage->rt, &scope), WASMFX_OK);
  assert_status(wasmfx_root_enter(stage->rt, &scope), WASMFX_OK);
  assert_outcome(wasmfx_suspend_word(stage->rt, stage->ask, word), WASMFX_TRAP_UNHANDLED);
  assert_status(wasmfx_root_leave(stage->rt, &scope), WASMFX_OK);
  return ask_once(stage, word);
}

static void barriers_and_roots_stop_the_search_as_they_do_any(void **state)
{
  struct stage stage = stage_of(runtime_of(state), ask_from_behind);
  AT_EACH_DEPTH(stage)
    run_to_its_end(&stage, double_it);
}

/* ---- Forms ------------------------------------------------------------------------------------------ */

/* [i64 i64] -> [i64 i64], [i64] -> [i64], [] -> [contref], [i64] -> [i64 contref], [i64] -> [] */
struct forms {
  wasmfx_tag_t *two, *one, *cont, *both, *none;
  wasmfx_cont_t sent;
  size_t calls;
};

static void answer_two(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  assert_int_equal(results[0].i64, 0);
  assert_int_equal(results[1].i64, 0);
  results[0].i64 = args[1].i64;
  results[1].i64 = args[0].i64;
}

static void answer_one(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  results[0].i64 = args[0].i64 + 1;
}

static uint64_t answer_cont(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  (void)rt, (void)word;
  return ((struct forms *)env)->sent;
}

static void answer_both(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt;
  results[0].i64 = -args[0].i64;
  results[1].contref = ((struct forms *)env)->sent;
}

static uint64_t answer_nothing(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  (void)rt;
  assert_int_equal(word, 9);
  ((struct forms *)env)->calls++;
  return 0;
}

static uint64_t use_all_forms(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct forms *forms = env;
  const wasmfx_value_t values[] = { i64_value(3), i64_value(4) };
  (void)from;

  wasmfx_outcome_t out = wasmfx_suspend(rt, forms->two, values, 2);
  assert_outcome(out, WASMFX_RETURNED);
  assert_true(out.values[0].i64 == 4 && out.values[1].i64 == 3);
  assert_outcome(wasmfx_suspend(rt, forms->two, values, 1), WASMFX_ERROR_ARITY);
  assert_outcome(wasmfx_suspend_word(rt, forms->two, 1), WASMFX_ERROR_ARITY);

  assert_int_equal(wasmfx_suspend_word(rt, forms->one, 5).word, 6);
  out = wasmfx_suspend(rt, forms->one, values, 1);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(out.by_address, 1);
  assert_int_equal(out.values[0].i64, 4);

  out = wasmfx_suspend_word(rt, forms->cont, 0);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(wasmfx_received_cont(rt), forms->sent);
  out = wasmfx_suspend(rt, forms->cont, NULL, 0);
  assert_int_equal(out.values[0].contref, forms->sent);

  out = wasmfx_suspend_word(rt, forms->both, 7);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(out.by_address, 0);
  assert_int_equal((int64_t)out.word, -7);
  assert_int_equal(wasmfx_received_cont(rt), forms->sent);
  out = wasmfx_suspend(rt, forms->both, values, 1);
  assert_int_equal(out.values[0].i64, -3);
  assert_int_equal(out.values[1].contref, forms->sent);

  assert_int_equal(wasmfx_suspend_word(rt, forms->one, 5).word, 6);
  assert_int_equal(wasmfx_received_cont(rt), WASMFX_NULL_CONT);
  assert_outcome(wasmfx_suspend_word(rt, forms->none, 9), WASMFX_RETURNED);
  assert_outcome(wasmfx_suspend(rt, forms->none, &(wasmfx_value_t){ .i64 = 9 }, 1), WASMFX_RETURNED);
  assert_int_equal(forms->calls, 2);
  return word;
}

static void both_forms_of_handlers_answer_both_forms_of_suspend(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct forms forms = { tag_of(rt, "ll:ll"), tag_of(rt, "l:l"), tag_of(rt, ":c"), tag_of(rt, "l:lc"), tag_of(rt, "l:"),
                         word_cont_of(rt, "l:l", enter, NULL), 0 };
  wasmfx_handlers_t *table =
    HANDLERS(rt, ON_CALL(forms.two, answer_two, &forms), ON_CALL(forms.one, answer_one, &forms),
             ON_CALL_WORD(forms.cont, answer_cont, &forms), ON_CALL(forms.both, answer_both, &forms),
             ON_CALL_WORD(forms.none, answer_nothing, &forms));
  wasmfx_cont_t k = word_cont_of(rt, "l:l", use_all_forms, &forms);
  assert_outcome(wasmfx_resume_word(rt, &k, table, 1), WASMFX_RETURNED);
  assert_status(wasmfx_drop(rt, &forms.sent), WASMFX_OK);
}

static void tables_are_checked(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  char results[67] = ":";
  memset(results + 1, 'l', 64);
  wasmfx_tag_t *word = tag_of(rt, "l:l"), *two = tag_of(rt, "ll:l"), *vector = tag_of(rt, ":v");
  wasmfx_tag_t *most = tag_of(rt, results);
  strcat(results, "l");
  wasmfx_tag_t *more = tag_of(rt, results);
  const wasmfx_call_t call = answer_one;
  const struct {
    wasmfx_clause_t clause;
    wasmfx_status_t answer;
  } cases[] = {
    { ON_CALL(word, call, NULL), WASMFX_OK },          { ON_CALL_WORD(word, say_10, NULL), WASMFX_OK },
    { ON_CALL(word, NULL, NULL), WASMFX_TRAP_NULL_FUNCTION },
    { ON_CALL_WORD(word, NULL, NULL), WASMFX_TRAP_NULL_FUNCTION },
    { ON_CALL(NULL, call, NULL), WASMFX_ERROR_ARGUMENT },
    { ON_CALL(two, call, NULL), WASMFX_OK },           { ON_CALL_WORD(two, say_10, NULL), WASMFX_ERROR_TYPE },
    { ON_CALL(vector, call, NULL), WASMFX_OK },        { ON_CALL_WORD(vector, say_10, NULL), WASMFX_ERROR_TYPE },
    { ON_CALL(most, call, NULL), WASMFX_OK },          { ON_CALL(more, call, NULL), WASMFX_ERROR_TYPE },
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    wasmfx_handlers_t *table;
    assert_status(wasmfx_handlers_new(rt, &cases[i].clause, 1, &table), cases[i].answer);
    assert_int_equal(table != NULL, cases[i].answer == WASMFX_OK);
  }
}

/* ---- What a handler may do ----------------------------------------------------------------------------- */

static uint64_t try_everything(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  struct stage *stage = env;
  wasmfx_cont_t k = cont_of(rt, "c:l", (wasmfx_entry_t)1, NULL);
  assert_outcome(wasmfx_suspend_word(rt, stage->ask, 1), WASMFX_TRAP_BARRIER);
  assert_outcome(wasmfx_suspend_word(rt, stage->pause, 1), WASMFX_TRAP_BARRIER);
  assert_outcome(wasmfx_suspend(rt, stage->ask, &(wasmfx_value_t){ .i64 = 1 }, 1), WASMFX_TRAP_BARRIER);
  assert_outcome(wasmfx_switch(rt, &k, stage->swap, NULL, NULL, 0), WASMFX_TRAP_BARRIER);
  assert_status(wasmfx_drop(rt, &k), WASMFX_OK);
  return word;
}

static uint64_t ask_suspend_and_ask(struct stage *stage, uint64_t word)
{
  ask_once(stage, word);
  assert_outcome(wasmfx_suspend_word(stage->rt, stage->pause, word), WASMFX_RETURNED);
  ask_once(stage, word);
  ask_once(stage, word);
  assert_outcome(wasmfx_suspend_word(stage->rt, stage->pause, word), WASMFX_RETURNED);
  return ask_once(stage, word);
}

static void a_handler_may_not_suspend_but_who_called_it_may(void **state)
{
  struct stage stage = stage_of(runtime_of(state), ask_suspend_and_ask);
  AT_EACH_DEPTH(stage)
  {
    const size_t depth = stage.depth;
    assert_outcome(run(&stage, try_everything), WASMFX_SUSPENDED);
    assert_live(stage.rt, depth, depth);
    assert_outcome(wasmfx_resume_word(stage.rt, &stage.other, stage.outer, 1), WASMFX_SUSPENDED);
    assert_outcome(wasmfx_resume_word(stage.rt, &stage.other, stage.outer, 1), WASMFX_RETURNED);
    assert_live(stage.rt, 0, 0);
    stage.depth = depth;
  }
}

static uint64_t suspend_twice(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  assert_outcome(wasmfx_suspend_word(rt, stage->ask, word), WASMFX_TRAP_BARRIER); /* the handlers outside are masked */
  word = wasmfx_suspend_word(rt, stage->oops, word).word;
  return wasmfx_suspend_word(rt, stage->oops, word).word;
}

static uint64_t run_another(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  struct stage *stage = env;
  wasmfx_handlers_t *own = HANDLERS(rt, ON_LABEL(stage->oops));
  wasmfx_cont_t k = word_cont_of(rt, "l:l", suspend_twice, stage);
  assert_outcome(wasmfx_resume_word(rt, &k, own, word), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_word(rt, &k, own, word), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_word(rt, &k, own, word), WASMFX_RETURNED);
  wasmfx_handlers_free(rt, own);
  return 2 * word;
}

static void a_handler_may_resume_others(void **state)
{
  struct stage stage = stage_of(runtime_of(state), ask_suspend_and_ask);
  AT_EACH_DEPTH(stage)
  {
    const size_t depth = stage.depth;
    assert_outcome(run(&stage, run_another), WASMFX_SUSPENDED);
    assert_outcome(wasmfx_resume_word(stage.rt, &stage.other, stage.outer, 1), WASMFX_SUSPENDED);
    assert_outcome(wasmfx_resume_word(stage.rt, &stage.other, stage.outer, 1), WASMFX_RETURNED);
    assert_live(stage.rt, 0, 0);
    stage.depth = depth;
  }
}

static void be_called_there(void *arg)
{
  struct stage *stage = arg;
  stage->calls++;
  assert_outcome(wasmfx_suspend_word(stage->rt, stage->pause, 1), WASMFX_TRAP_BARRIER);
}

static uint64_t call_on_host_stack(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  assert_status(wasmfx_call_on_host_stack(rt, be_called_there, env), WASMFX_OK);
  return double_it(rt, env, word);
}

static void a_handler_may_call_on_the_hosts_stack(void **state)
{
  struct stage stage = stage_of(runtime_of(state), ask_five_times);
  AT_EACH_DEPTH(stage)
    run_to_its_end(&stage, call_on_host_stack);
  assert_int_equal(stage.calls, 2 * 5 * COUNT_OF(depths));
}

static uint64_t answer_with_word_of(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  (void)env;
  return *(uint64_t *)*wasmfx_host_word(rt) + word;
}

static uint64_t ask_with_host_word(struct stage *stage, uint64_t word)
{
  uint64_t mine = 100;
  *wasmfx_host_word(stage->rt) = &mine;
  assert_int_equal(ask_once(stage, word), 101);
  *wasmfx_host_word(stage->rt) = NULL;
  return word;
}

static void the_running_continuation_is_who_suspends(void **state)
{
  struct stage stage = stage_of(runtime_of(state), ask_with_host_word);
  AT_EACH_DEPTH(stage)
    run_to_its_end(&stage, answer_with_word_of);
}

/* ---- What is remembered --------------------------------------------------------------------------------- */

static uint64_t mix(struct stage *stage, uint64_t word)
{
  uint64_t sum = 0;
  for (uint64_t i = 1; i <= 6; i++) {
    sum += ask_once(stage, i);
    sum += ask_once(stage, i);
    assert_outcome(wasmfx_suspend_word(stage->rt, stage->pause, i), WASMFX_RETURNED);
    if (i % 2)
      assert_outcome(wasmfx_suspend_word(stage->rt, stage->pause, i), WASMFX_RETURNED);
    sum += ask_once(stage, i);
    if (i % 3 == 0) {
      wasmfx_cont_t k = word_cont_of(stage->rt, "l:l", suspend_twice, stage);
      assert_status(wasmfx_drop(stage->rt, &k), WASMFX_OK);
    }
  }
  (void)word;
  return sum;
}

static void suspensions_and_calls_in_turn_find_their_handlers(void **state)
{
  struct stage stage = stage_of(runtime_of(state), mix);
  AT_EACH_DEPTH(stage)
  {
    const size_t depth = stage.depth;
    wasmfx_outcome_t out = run(&stage, double_it);
    for (size_t i = 0; i < 9; i++) {
      assert_outcome(out, WASMFX_SUSPENDED);
      out = wasmfx_resume_word(stage.rt, &stage.other, stage.outer, 0);
    }
    assert_outcome(out, WASMFX_RETURNED);
    assert_int_equal(out.word, 6 * 21);
    stage.depth = depth;
  }
}

/* A nearer one is called between two suspensions that go further, and makes a mark. */
static uint64_t make_a_mark(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  struct stage *stage = env;
  wasmfx_mark(rt, &stage->mark);
  assert_outcome(wasmfx_suspend_word(rt, stage->pause, word), WASMFX_TRAP_BARRIER);
  return word;
}

static uint64_t pause_and_ask(struct stage *stage, uint64_t word)
{
  for (size_t i = 0; i < 8; i++) {
    assert_outcome(wasmfx_suspend_word(stage->rt, stage->pause, word), WASMFX_RETURNED);
    if (i % 3 == 2)
      ask_once(stage, word);
  }
  return word;
}

static void a_mark_in_a_nearer_handler_takes_no_chain_apart(void **state)
{
  struct stage stage = stage_of(runtime_of(state), pause_and_ask);
  stage.between = HANDLERS(stage.rt, ON_CALL_WORD(stage.ask, make_a_mark, &stage));
  AT_EACH_DEPTH(stage)
  {
    const size_t depth = stage.depth;
    wasmfx_outcome_t out = run(&stage, make_a_mark);
    for (size_t i = 0; i < 8; i++) {
      assert_outcome(out, WASMFX_SUSPENDED);
      assert_live(stage.rt, depth, depth);
      out = wasmfx_resume_word(stage.rt, &stage.other, stage.outer, 1);
    }
    assert_outcome(out, WASMFX_RETURNED);
    assert_live(stage.rt, 0, 0);
    stage.depth = depth;
  }
}

/* The way to a handler that has been remembered ends at what now is another resume. */
static uint64_t pause_between(struct stage *stage, uint64_t word)
{
  assert_int_equal(ask_once(stage, word), 2);
  assert_int_equal(ask_once(stage, word), 2);
  assert_outcome(wasmfx_suspend_word(stage->rt, stage->pause, word), WASMFX_RETURNED);
  return ask_once(stage, word) + ask_once(stage, word);
}

static void who_is_resumed_under_others_finds_those(void **state)
{
  struct stage stage = stage_of(runtime_of(state), pause_between);
  wasmfx_handlers_t *others = HANDLERS(stage.rt, ON_CALL_WORD(stage.ask, say_20, NULL));
  AT_EACH_DEPTH(stage)
  {
    const size_t depth = stage.depth;
    assert_outcome(run(&stage, double_it), WASMFX_SUSPENDED);
    const wasmfx_outcome_t out = wasmfx_resume_word(stage.rt, &stage.other, others, 1);
    assert_outcome(out, WASMFX_RETURNED);
    assert_int_equal(out.word, 40);
    stage.depth = depth;
  }
}

/* ---- Ways to end -------------------------------------------------------------------------------------------- */

static uint64_t ask_in_vain(struct stage *stage, uint64_t word)
{
  ask_once(stage, word);
  fail_msg("nobody comes back here");
  return word;
}

static uint64_t ask_in_vain_again(struct stage *stage, uint64_t word)
{
  stage->calls = 2;
  ask_once(stage, word);
  ask_once(stage, word);
  stage->calls = 0;
  return ask_in_vain(stage, word);
}

static uint64_t throw(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  struct stage *stage = env;
  if (stage->calls)
    return word;
  wasmfx_throw(rt, stage->oops, &(wasmfx_value_t){ .i64 = 42 }, 1);
  return word;
}

static uint64_t trap(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  struct stage *stage = env;
  if (stage->calls)
    return word;
  wasmfx_trap(rt, 43);
  return word;
}

static void throw_there(void *arg)
{
  throw(((struct stage *)arg)->rt, arg, 0);
}

static uint64_t throw_on_host_stack(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  (void)wasmfx_call_on_host_stack(rt, throw_there, env);
  return word;
}

static uint64_t throw_behind_barriers(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  wasmfx_scope_t scopes[2];
  if (((struct stage *)env)->calls)
    return word;
  assert_status(wasmfx_barrier_enter(rt, &scopes[0]), WASMFX_OK);
  assert_status(wasmfx_barrier_enter(rt, &scopes[1]), WASMFX_OK);
  return throw(rt, env, word);
}

static void what_ends_a_handler_is_the_outcome_of_the_resume_that_has_it(void **state)
{
  const wasmfx_word_call_t handlers[] = { throw, trap, throw_on_host_stack, throw_behind_barriers };
  uint64_t (*const bodies[])(struct stage *, uint64_t) = { ask_in_vain, ask_in_vain_again };
  for (size_t i = 0; i < COUNT_OF(handlers) * COUNT_OF(bodies); i++) {
    struct stage stage = stage_of(runtime_of(state), bodies[i / COUNT_OF(handlers)]);
    const wasmfx_word_call_t handler = handlers[i % COUNT_OF(handlers)];
    AT_EACH_DEPTH(stage)
    {
      const size_t depth = stage.depth;
      const wasmfx_outcome_t out = run(&stage, handler);
      assert_outcome(out, handler == trap ? WASMFX_TRAPPED : WASMFX_THREW);
      if (handler == trap)
        assert_int_equal(out.code, 43);
      else
        assert_int_equal(out.exception->values[0].i64, 42);
      assert_int_equal(stage.other, WASMFX_NULL_CONT);
      assert_live(stage.rt, 0, 0);
      stage.depth = depth;
      stage.calls = 0;
    }
  }
}

/* Two resumes further out than the handling one, nothing has happened. */
static uint64_t handle_inside(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  stage->depth = 3;
  stage->body = ask_in_vain;
  assert_outcome(run(stage, throw), WASMFX_THREW);
  assert_live(rt, 1, 1);
  stage->depth = 1;
  return wasmfx_suspend_word(rt, stage->ask, word).word;
}

static void who_resumed_the_handling_one_goes_on(void **state)
{
  struct stage stage = stage_of(runtime_of(state), NULL);
  wasmfx_handlers_t *table = HANDLERS(stage.rt, ON_CALL_WORD(stage.ask, say_20, NULL));
  wasmfx_cont_t k = word_cont_of(stage.rt, "l:l", handle_inside, &stage);
  const wasmfx_outcome_t out = wasmfx_resume_word(stage.rt, &k, table, 1);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(out.word, 20);
}

static struct {
  size_t died, switched;
  uintptr_t words[8];
} hooks;

static void note_death(wasmfx_runtime_t *rt, void *word)
{
  (void)rt;
  hooks.words[hooks.died++] = (uintptr_t)word;
}

static void note_switch(wasmfx_runtime_t *rt, void **from, void **to)
{
  (void)rt, (void)from, (void)to;
  hooks.switched++;
}

static uint64_t enter_with_host_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  *wasmfx_host_word(rt) = (void *)(uintptr_t)stage->depth;
  if (stage->depth-- == 1) {
    hooks.switched = 0;
    stage->calls = 1;
    ask_once(stage, word);
    assert_int_equal(hooks.switched, 0);
    stage->calls = 0;
    return ask_in_vain(stage, word);
  }
  wasmfx_cont_t next = word_cont_of(rt, "l:l", enter_with_host_word, stage);
  return wasmfx_resume_word(rt, &next, NULL, word).word;
}

static void the_innermost_dies_first_and_the_hook_is_told_of_one_switch(void **state)
{
  (void)state;
  for (int own_stacks = 0; own_stacks < 2; own_stacks++) {
    wasmfx_runtime_config_t config;
    wasmfx_runtime_config_init(&config);
    config.switched = note_switch;
    config.died = note_death;
    config.cached_stacks = own_stacks ? 1 : 0;
    struct world *world = world_new(&config);
    struct stage stage = stage_of(world->rt, NULL);
    stage.depth = 4;
    memset(&hooks, 0, sizeof hooks);
    wasmfx_handlers_t *table = HANDLERS(world->rt, ON_CALL_WORD(stage.ask, throw, &stage));
    wasmfx_cont_t k = word_cont_of(world->rt, "l:l", enter_with_host_word, &stage);
    assert_outcome(wasmfx_resume_word(world->rt, &k, table, 1), WASMFX_THREW);
    assert_int_equal(hooks.switched, 1);
    assert_int_equal(hooks.died, 4);
    for (size_t i = 0; i < 4; i++)
      assert_int_equal(hooks.words[i], i + 1);
    assert_live(world->rt, 0, 0);
    world_free(world);
  }
}

static uint64_t recurse_here(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  return recurse_for_ever(rt, env, word, WASMFX_NULL_CONT);
}

static void an_overflow_in_a_handler_is_one_of_the_resume_that_has_it(void **state)
{
  struct stage stage = stage_of(runtime_of(state), ask_in_vain);
  if (wasmfx_overflow_catch(stage.rt) != WASMFX_OK)
    skip();
  AT_EACH_DEPTH(stage)
  {
    const size_t depth = stage.depth;
    assert_outcome(run(&stage, recurse_here), WASMFX_OVERFLOWED);
    assert_live(stage.rt, 0, 0);
    stage.depth = depth;
  }
  assert_status(wasmfx_overflow_ignore(stage.rt), WASMFX_OK);
}

static uint64_t jump(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  (void)rt, (void)word;
  longjmp(((struct stage *)env)->out, 1);
}

static uint64_t be_jumped_back_to(struct stage *stage, uint64_t word)
{
  for (volatile size_t i = 0; i < 3; i++) {
    wasmfx_mark(stage->rt, &stage->mark);
    if (setjmp(stage->out) == 0)
      ask_in_vain(stage, word);
    assert_outcome(wasmfx_suspend_word(stage->rt, stage->pause, word), WASMFX_TRAP_BARRIER);
    assert_status(wasmfx_unwind_to(stage->rt, &stage->mark, NULL), WASMFX_OK);
    assert_outcome(wasmfx_suspend_word(stage->rt, stage->pause, word), WASMFX_RETURNED);
  }
  return word;
}

static void a_jump_out_of_a_handler_closes_its_barrier_when_it_is_told(void **state)
{
  struct stage stage = stage_of(runtime_of(state), be_jumped_back_to);
  AT_EACH_DEPTH(stage)
  {
    const size_t depth = stage.depth;
    wasmfx_outcome_t out = run(&stage, jump);
    for (size_t i = 0; i < 3; i++) {
      assert_outcome(out, WASMFX_SUSPENDED);
      out = wasmfx_resume_word(stage.rt, &stage.other, stage.outer, 1);
    }
    assert_outcome(out, WASMFX_RETURNED);
    stage.depth = depth;
  }
}

static uint64_t return_after_a_jump(struct stage *stage, uint64_t word)
{
  if (setjmp(stage->out) == 0)
    ask_in_vain(stage, word);
  return word;
}

/* Each resume on the way to the host answers RETURNED. */
static void a_body_that_returns_after_a_jump_ends_alone(void **state)
{
  struct stage stage = stage_of(runtime_of(state), return_after_a_jump);
  AT_EACH_DEPTH(stage)
  {
    stage.returned = 0;
    run_to_its_end(&stage, jump);
    assert_int_equal(stage.returned, stage.depth - 1);
  }
}

/* The jump is to the frame that resumes, since AddressSanitizer would remember others on the host's stack. */
static void a_jump_past_the_handling_resume_kills_all_above_it(void **state)
{
  struct stage stage = stage_of(runtime_of(state), ask_in_vain);
  wasmfx_handlers_t *table = HANDLERS(stage.rt, ON_CALL_WORD(stage.ask, jump, &stage));
  AT_EACH_DEPTH(stage)
  {
    size_t killed = 0;
    wasmfx_cont_t k = word_cont_of(stage.rt, "l:l", enter, &stage);
    wasmfx_mark(stage.rt, &stage.mark);
    if (setjmp(stage.out) == 0)
      wasmfx_resume_word(stage.rt, &k, table, 1);
    assert_status(wasmfx_unwind_to(stage.rt, &stage.mark, &killed), WASMFX_OK);
    assert_int_equal(killed, depths[d]);
    assert_live(stage.rt, 0, 0);
  }
}

static uint64_t leave_a_barrier_open(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  assert_status(wasmfx_barrier_enter(rt, &((struct stage *)env)->scope), WASMFX_OK);
  return word;
}

static uint64_t leave_a_root_open(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  assert_status(wasmfx_root_enter(rt, &((struct stage *)env)->scope), WASMFX_OK);
  return word;
}

static uint64_t unwind_to_who_asks(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  assert_status(wasmfx_unwind_to(rt, &((struct stage *)env)->mark, NULL), WASMFX_OK);
  return word;
}

static uint64_t be_told(struct stage *stage, uint64_t word)
{
  for (size_t i = 0; i < 3; i++) {
    const wasmfx_value_t value = i64_value(1);
    const struct view before = view_of(stage->rt);
    wasmfx_mark(stage->rt, &stage->mark);
    assert_outcome(i % 2 ? wasmfx_suspend(stage->rt, stage->ask, &value, 1)
                         : wasmfx_suspend_word(stage->rt, stage->ask, word), WASMFX_ERROR_STATE);
    assert_unchanged(stage->rt, &before);
    assert_status(wasmfx_barrier_leave(stage->rt, &stage->scope), WASMFX_ERROR_STATE);
    assert_status(wasmfx_root_leave(stage->rt, &stage->scope), WASMFX_ERROR_STATE);
    assert_outcome(wasmfx_suspend_word(stage->rt, stage->pause, word), WASMFX_RETURNED);
  }
  return word;
}

static void what_a_handler_leaves_open_is_closed_and_reported(void **state)
{
  const wasmfx_word_call_t handlers[] = { leave_a_barrier_open, leave_a_root_open, unwind_to_who_asks };
  for (size_t i = 0; i < COUNT_OF(handlers); i++) {
    struct stage stage = stage_of(runtime_of(state), be_told);
    AT_EACH_DEPTH(stage)
    {
      const size_t depth = stage.depth;
      wasmfx_outcome_t out = run(&stage, handlers[i]);
      for (size_t k = 0; k < 3; k++) {
        assert_outcome(out, WASMFX_SUSPENDED);
        out = wasmfx_resume_word(stage.rt, &stage.other, stage.outer, 1);
      }
      assert_outcome(out, WASMFX_RETURNED);
      assert_live(stage.rt, 0, 0);
      stage.depth = depth;
    }
  }
}

static uint64_t use_mark_of_first_call(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  struct stage *stage = env;
  wasmfx_mark_t again;
  wasmfx_mark(rt, &again);
  if (stage->calls++ == 0)
    wasmfx_mark(rt, &stage->mark);
  stage->inside = wasmfx_unwind_to(rt, &stage->mark, NULL);
  assert_status(wasmfx_unwind_to(rt, &again, NULL), WASMFX_OK);
  return word;
}

static uint64_t ask_with_marks(struct stage *stage, uint64_t word)
{
  ask_once(stage, word);
  assert_status(stage->inside, WASMFX_OK);
  assert_status(wasmfx_unwind_to(stage->rt, &stage->mark, NULL), WASMFX_ERROR_STATE);
  ask_once(stage, word);
  assert_status(stage->inside, WASMFX_ERROR_STATE);
  ask_once(stage, word);
  assert_status(stage->inside, WASMFX_ERROR_STATE);
  stage->calls = 0;
  return word;
}

static void a_mark_made_in_a_handler_is_good_for_that_call_only(void **state)
{
  struct stage stage = stage_of(runtime_of(state), ask_with_marks);
  AT_EACH_DEPTH(stage)
    run_to_its_end(&stage, use_mark_of_first_call);
}

/* ---- Who looks at it ------------------------------------------------------------------------------------------ */

static uint64_t walk(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  struct stage *stage = env;
  wasmfx_frame_t frames[256];
  size_t count = 0, bases = 0;
  stage->inside = wasmfx_backtrace(rt, frames, COUNT_OF(frames), &count);
  for (size_t i = 0; i < count; i++)
    bases += frames[i].is_base;
  stage->calls = bases;
  return word;
}

static void backtraces_go_through_it_to_the_host(void **state)
{
  struct stage stage = stage_of(runtime_of(state), ask_once);
  AT_EACH_DEPTH(stage)
  {
    run_to_its_end(&stage, walk);
    if (stage.inside == WASMFX_OK)
      assert_int_equal(stage.calls, stage.depth);
  }
}

static void see_stack(void *context, const wasmfx_stack_t *stack)
{
  struct stage *stage = context;
  stage->calls += stack->high != NULL;
}

static uint64_t look_and_collect(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  struct stage *stage = env;
  const wasmfx_visitor_t visitor = { .context = stage, .stack = see_stack };
  size_t dropped = 0;
  stage->calls = 0;
  wasmfx_visit_running(rt, &visitor);
  assert_status(wasmfx_collect(rt, NULL, &dropped), WASMFX_OK);
  assert_int_equal(dropped, 0);
  assert_state(rt, word, WASMFX_STATE_FRESH);
  return word;
}

static uint64_t send_a_reference(struct stage *stage, uint64_t word)
{
  wasmfx_cont_t k = ask_once(stage, word_cont_of(stage->rt, "l:l", enter, stage));
  assert_status(wasmfx_drop(stage->rt, &k), WASMFX_OK);
  return word;
}

static void visitors_see_all_stacks_and_collections_what_is_sent(void **state)
{
  struct stage stage = stage_of(runtime_of(state), send_a_reference);
  AT_EACH_DEPTH(stage)
  {
    run_to_its_end(&stage, look_and_collect);
    assert_int_equal(stage.calls, stage.depth);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(a_handler_answers_on_the_stack_of_who_suspends_and_nothing_is_captured),
    in_a_world(the_first_clause_wins_be_it_a_label_or_a_call),
    in_a_world(a_switch_skips_calls),
    in_a_world(barriers_and_roots_stop_the_search_as_they_do_any),
    in_a_world(tables_are_checked),
    in_a_world(both_forms_of_handlers_answer_both_forms_of_suspend),
    in_a_world(a_handler_may_not_suspend_but_who_called_it_may),
    in_a_world(a_handler_may_resume_others),
    in_a_world(a_handler_may_call_on_the_hosts_stack),
    in_a_world(the_running_continuation_is_who_suspends),
    in_a_world(suspensions_and_calls_in_turn_find_their_handlers),
    in_a_world(a_mark_in_a_nearer_handler_takes_no_chain_apart),
    in_a_world(who_is_resumed_under_others_finds_those),
    in_a_world(what_ends_a_handler_is_the_outcome_of_the_resume_that_has_it),
    in_a_world(who_resumed_the_handling_one_goes_on),
    cmocka_unit_test(the_innermost_dies_first_and_the_hook_is_told_of_one_switch),
    in_a_world(an_overflow_in_a_handler_is_one_of_the_resume_that_has_it),
    in_a_world(a_jump_out_of_a_handler_closes_its_barrier_when_it_is_told),
    in_a_world(a_body_that_returns_after_a_jump_ends_alone),
    in_a_world(a_jump_past_the_handling_resume_kills_all_above_it),
    in_a_world(what_a_handler_leaves_open_is_closed_and_reported),
    in_a_world(a_mark_made_in_a_handler_is_good_for_that_call_only),
    in_a_world(backtraces_go_through_it_to_the_host),
    in_a_world(visitors_see_all_stacks_and_collections_what_is_sent),
  };
  return cmocka_run_group_tests_name("in_place", tests, NULL, NULL);
}
