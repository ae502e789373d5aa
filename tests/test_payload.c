/* SPDX-License-Identifier: Apache-2.0 */
/* What travels with a resume, a suspension, a switch and a result, in both forms. */
#include "lists.h"

#include <stdlib.h>
#include <string.h>

/* ---- General verbs: lists of any length ---------------------------------------- */

/** An exchange of lists between the host and one continuation. */
struct exchange {
  struct lists lists;
  wasmfx_tag_t *tag;  /* [kinds] -> [kinds] */
  wasmfx_tag_t *oops; /* [kinds] -> [] */
};

static void talk(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  static const wasmfx_value_t zero;
  const struct exchange *exchange = env;
  const struct lists *lists = &exchange->lists;
  assert_arrived(lists, args, 0);
  for (size_t i = 0; i < lists->count; i++)
    assert_memory_equal(&results[i], &zero, sizeof(zero));
  const wasmfx_outcome_t woken = wasmfx_suspend(rt, exchange->tag, lists->sent[1], lists->count);
  assert_outcome(woken, WASMFX_RETURNED);
  assert_int_equal(woken.by_address, 1);
  assert_arrived(lists, woken.values, 2);
  if (lists->count)
    memcpy(results, lists->sent[3], lists->count * sizeof(results[0]));
}

static void listen_for_exception(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const struct exchange *exchange = env;
  const struct lists *lists = &exchange->lists;
  (void)args, (void)results;
  const wasmfx_outcome_t woken = wasmfx_suspend(rt, exchange->tag, lists->sent[1], lists->count);
  assert_outcome(woken, WASMFX_THREW);
  assert_ptr_equal(woken.exception->tag, exchange->oops);
  assert_int_equal(woken.exception->count, lists->count);
  assert_arrived(lists, woken.exception->values, 2);
  wasmfx_throw(rt, exchange->oops, lists->sent[3], lists->count);
}

static void exchange_values(wasmfx_runtime_t *rt, struct exchange *exchange, const wasmfx_type_t *type)
{
  const struct lists *lists = &exchange->lists;
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(exchange->tag));
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  assert_status(wasmfx_cont_new(rt, type, talk, exchange, &cont), WASMFX_OK);
  assert_status(wasmfx_cont_stack_class(rt, cont, 3), WASMFX_OK);
  assert_int_equal(wasmfx_cont_arity(rt, cont), lists->count);

  wasmfx_outcome_t outcome = wasmfx_resume(rt, &cont, handlers, lists->sent[0], lists->count);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  assert_int_equal(outcome.by_address, 1);
  assert_arrived(lists, outcome.values, 1);
  assert_int_equal(wasmfx_cont_arity(rt, cont), lists->count);

  outcome = wasmfx_resume(rt, &cont, handlers, lists->sent[2], lists->count);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.by_address, 1);
  assert_arrived(lists, outcome.values, 3);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  wasmfx_handlers_free(rt, handlers);
}

static void exchange_exceptions(wasmfx_runtime_t *rt, struct exchange *exchange, const wasmfx_type_t *type)
{
  const struct lists *lists = &exchange->lists;
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(exchange->tag));
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  assert_status(wasmfx_cont_new(rt, type, listen_for_exception, exchange, &cont), WASMFX_OK);
  assert_status(wasmfx_cont_stack_class(rt, cont, 3), WASMFX_OK);
  assert_outcome(wasmfx_resume(rt, &cont, handlers, lists->sent[0], lists->count), WASMFX_SUSPENDED);

  const wasmfx_outcome_t outcome =
    wasmfx_resume_throw(rt, &cont, handlers, exchange->oops, lists->sent[2], lists->count);
  assert_outcome(outcome, WASMFX_THREW);
  assert_ptr_equal(outcome.exception->tag, exchange->oops);
  assert_int_equal(outcome.exception->count, lists->count);
  assert_arrived(lists, outcome.exception->values, 3);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  wasmfx_handlers_free(rt, handlers);
}

static void exchange_lists(wasmfx_runtime_t *rt, size_t count, size_t first_kind)
{
  struct exchange exchange;
  struct lists *lists = &exchange.lists;
  lists_init(lists, count, first_kind);
  wasmfx_type_t *type, *sent_only;
  assert_status(wasmfx_type_new(rt, lists->kinds, count, lists->kinds, count, &type), WASMFX_OK);
  assert_status(wasmfx_type_new(rt, lists->kinds, count, NULL, 0, &sent_only), WASMFX_OK);
  assert_status(wasmfx_tag_new(rt, type, &exchange.tag), WASMFX_OK);
  assert_status(wasmfx_tag_new(rt, sent_only, &exchange.oops), WASMFX_OK);
  exchange_values(rt, &exchange, type);
  exchange_exceptions(rt, &exchange, type);
  assert_live(rt, 0, 0);
  wasmfx_tag_free(rt, exchange.tag);
  wasmfx_tag_free(rt, exchange.oops);
  wasmfx_type_free(rt, type);
  wasmfx_type_free(rt, sent_only);
  lists_free(lists);
}

static void lists_of_up_to_20_values_of_any_kind_arrive(void **state)
{
  for (size_t count = 0; count <= 20; count++)
    for (size_t first_kind = 0; first_kind < KINDS; first_kind++)
      exchange_lists(runtime_of(state), count, first_kind);
}

static void a_list_of_1000_values_arrives(void **state)
{
  for (size_t first_kind = 0; first_kind < 2; first_kind++)
    exchange_lists(runtime_of(state), 1000, first_kind);
}

static void a_list_of_65535_values_arrives(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.stack_bytes[3] = 4 << 20;
  struct world *world = world_new(&config);
  for (size_t first_kind = 0; first_kind < 4; first_kind++)
    exchange_lists(world->rt, 65535, first_kind);
  world_free(world);
}

/** A list on the smallest stack: only there, only back, or both. */
struct on_a_small_stack {
  struct lists lists;
  wasmfx_tag_t *pause;
  bool there, back;
  bool in_bounds;
};

static void take_and_send_back(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct on_a_small_stack *it = env;
  void *low, *high;
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  const uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
  it->in_bounds = frame > (uintptr_t)low && frame < (uintptr_t)high;
  if (it->there)
    assert_arrived(&it->lists, args, 0);
  if (it->back)
    memcpy(results, it->lists.sent[1], it->lists.count * sizeof(results[0]));
}

enum { NEIGHBOURS = 72, NEIGHBOUR_BYTES = 4096 };

/** Leaves a pattern in its frame, and answers how much of it has changed when it is resumed. */
static uint64_t keep_a_frame(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct on_a_small_stack *it = env;
  volatile unsigned char frame[NEIGHBOUR_BYTES];
  uint64_t changed = 0;
  (void)word, (void)from;
  for (size_t i = 0; i < NEIGHBOUR_BYTES; i++)
    frame[i] = 0x5a;
  wasmfx_suspend_word(rt, it->pause, 0);
  for (size_t i = 0; i < NEIGHBOUR_BYTES; i++)
    changed += frame[i] != 0x5a;
  return changed;
}

static void send_on_a_small_stack(struct on_a_small_stack *it, wasmfx_runtime_t *rt, size_t bound)
{
  const struct lists *lists = &it->lists;
  const size_t params = it->there ? lists->count : 0, results = it->back ? lists->count : 0;
  wasmfx_type_t *type;
  wasmfx_cont_t cont;
  assert_status(wasmfx_type_new(rt, lists->kinds, params, lists->kinds, results, &type), WASMFX_OK);
  assert_status(wasmfx_cont_new(rt, type, take_and_send_back, it, &cont), WASMFX_OK);
  assert_status(wasmfx_cont_stack_class(rt, cont, 1), WASMFX_OK);
  if (bound)
    assert_status(wasmfx_cont_bind(rt, &cont, NULL, lists->sent[0], bound), WASMFX_OK);
  it->in_bounds = false;
  const wasmfx_outcome_t outcome = wasmfx_resume(rt, &cont, NULL, lists->sent[0] + bound, params - bound);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_true(it->in_bounds);
  if (it->back)
    assert_arrived(lists, outcome.values, 1);
  wasmfx_type_free(rt, type);
}

static void send_both_ways(struct on_a_small_stack *it, wasmfx_runtime_t *rt)
{
  for (unsigned ways = 1; ways <= 3; ways++) {
    it->there = ways & 1;
    it->back = ways >> 1;
    send_on_a_small_stack(it, rt, 0);
    if (it->there)
      send_on_a_small_stack(it, rt, it->lists.count / 2);
  }
}

/** With a last contref the parameters are put together where the body finds them; without, they arrive so. */
static void send_among_neighbours(wasmfx_runtime_t *rt, size_t count, wasmfx_kind_t last)
{
  struct on_a_small_stack it = { .pause = tag_of(rt, ":l") };
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(it.pause));
  wasmfx_cont_t neighbours[NEIGHBOURS];
  lists_init(&it.lists, count, 0);
  it.lists.kinds[count - 1] = last;
  for (size_t i = 0; i < NEIGHBOURS; i++) {
    neighbours[i] = word_cont_of(rt, ":l", keep_a_frame, &it);
    assert_status(wasmfx_cont_stack_class(rt, neighbours[i], 1), WASMFX_OK);
    assert_outcome(wasmfx_resume_word(rt, &neighbours[i], handlers, 0), WASMFX_SUSPENDED);
  }
  send_both_ways(&it, rt);
  for (size_t i = 0; i < NEIGHBOURS; i++) {
    const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &neighbours[i], NULL, 0);
    assert_outcome(outcome, WASMFX_RETURNED);
    assert_int_equal(outcome.word, 0);
  }
  lists_free(&it.lists);
}

static void long_lists_fit_the_smallest_stack_and_leave_its_neighbours_alone(void **state)
{
  static const size_t counts[] = { 63, 64, 65, 5000, 65535 };
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.host_stack_bytes = 1024; /* the frames are large */
  struct world *world = world_new(&config);
  for (size_t i = 0; i < COUNT_OF(counts); i++) {
    send_among_neighbours(world->rt, counts[i], WASMFX_I64);
    send_among_neighbours(world->rt, counts[i], WASMFX_CONTREF);
  }
  world_free(world);
}

static void count_up(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)args;
  for (size_t i = 0; i < *(const size_t *)env; i++)
    results[i].i64 = (int64_t)i;
}

static void long_results_need_no_parameters(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  size_t count = 70;
  wasmfx_kind_t kinds[70];
  wasmfx_type_t *type;
  wasmfx_cont_t cont;
  memset(kinds, WASMFX_I64, count);
  assert_status(wasmfx_type_new(rt, NULL, 0, kinds, count, &type), WASMFX_OK);
  assert_status(wasmfx_cont_new(rt, type, count_up, &count, &cont), WASMFX_OK);
  const wasmfx_outcome_t outcome = wasmfx_resume(rt, &cont, NULL, NULL, 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(outcome.values[i].i64, i);
}

static void a_list_of_65536_values_is_refused(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_kind_t *kinds = malloc(65536);
  wasmfx_type_t *type;
  memset(kinds, WASMFX_I32, 65536);
  assert_status(wasmfx_type_new(rt, kinds, 65536, NULL, 0, &type), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_type_new(rt, NULL, 0, kinds, 65536, &type), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_type_new(rt, kinds, SIZE_MAX, NULL, 0, &type), WASMFX_ERROR_ARGUMENT);
  free(kinds);
}

static void a_type_whose_kinds_are_missing_is_refused(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_type_t *type = (wasmfx_type_t *)&type;
  assert_status(wasmfx_type_new(rt, NULL, 1, NULL, 0, &type), WASMFX_ERROR_ARGUMENT);
  assert_null(type);
  assert_status(wasmfx_type_new(rt, NULL, 0, NULL, 1, &type), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_type_new(rt, NULL, 0, NULL, 0, &type), WASMFX_OK);
}

static void an_unknown_kind_is_refused(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (unsigned kind = 0; kind < 256; kind++) {
    const wasmfx_kind_t list[2] = { WASMFX_I32, (wasmfx_kind_t)kind };
    wasmfx_type_t *type = NULL;
    bool known = false;
    for (size_t i = 0; i < KINDS; i++)
      known |= nth_kind(i) == kind;
    assert_status(wasmfx_type_new(rt, list, 2, NULL, 0, &type), known ? WASMFX_OK : WASMFX_ERROR_ARGUMENT);
    assert_status(wasmfx_type_new(rt, NULL, 0, list, 2, &type), known ? WASMFX_OK : WASMFX_ERROR_ARGUMENT);
  }
}

static void a_type_tells_its_kinds(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_kind_t kinds[] = { WASMFX_I32, WASMFX_V128, WASMFX_CONTREF };
  wasmfx_type_t *type;
  wasmfx_tag_t *tag;
  size_t count;
  assert_status(wasmfx_type_new(rt, kinds, 3, kinds + 1, 1, &type), WASMFX_OK);
  kinds[0] = kinds[1] = WASMFX_F64; /* they were copied */
  const wasmfx_kind_t *params = wasmfx_type_params(type, &count);
  assert_int_equal(count, 3);
  assert_int_equal(params[0], WASMFX_I32);
  assert_int_equal(params[1], WASMFX_V128);
  assert_int_equal(params[2], WASMFX_CONTREF);
  const wasmfx_kind_t *results = wasmfx_type_results(type, &count);
  assert_int_equal(count, 1);
  assert_int_equal(results[0], WASMFX_V128);
  assert_status(wasmfx_tag_new(rt, type, &tag), WASMFX_OK);
  assert_ptr_equal(wasmfx_tag_type(tag), type);
}

/* ---- One value: words and slots, on either side ---------------------------------- */

static const uint64_t edge_patterns[] = {
  0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, UINT64_C(0x100000000),
  UINT64_C(0x7fffffffffffffff), UINT64_C(0x8000000000000000), UINT64_MAX, UINT64_C(0x0123456789abcdef),
  /* f32: one, a denormal, the least and the largest normal, infinities, quiet and signalling NaNs; then f64 */
  0x3f800000, 0x80000001, 0x00800000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001,
  0xffbfffff,
  UINT64_C(0x3ff0000000000000), UINT64_C(0x8000000000000001), UINT64_C(0x0010000000000000),
  UINT64_C(0x7fefffffffffffff), UINT64_C(0x7ff0000000000000), UINT64_C(0xfff0000000000000),
  UINT64_C(0x7ff8000000000000), UINT64_C(0xfff8000000000000), UINT64_C(0x7ff0000000000001),
  UINT64_C(0xfff7ffffffffffff),
};

enum form { WORD, SLOTS };

struct echo {
  wasmfx_tag_t *tag; /* [kind] -> [kind] */
  size_t bytes;
};

static uint64_t echo_in_words(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct echo *echo = env;
  assert_int_equal(from, WASMFX_NULL_CONT);
  const wasmfx_outcome_t woken = wasmfx_suspend_word(rt, echo->tag, word);
  assert_outcome(woken, WASMFX_RETURNED);
  assert_int_equal(woken.by_address, 0);
  return woken.word;
}

static void echo_in_slots(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const struct echo *echo = env;
  const wasmfx_outcome_t woken = wasmfx_suspend(rt, echo->tag, args, 1);
  assert_outcome(woken, WASMFX_RETURNED);
  assert_int_equal(woken.by_address, 1);
  results[0] = woken.values[0];
}

static wasmfx_cont_t new_echo(wasmfx_runtime_t *rt, struct echo *echo, enum form body)
{
  wasmfx_cont_t cont;
  const wasmfx_type_t *type = wasmfx_tag_type(echo->tag);
  if (body == WORD)
    assert_status(wasmfx_cont_new_word(rt, type, echo_in_words, echo, &cont), WASMFX_OK);
  else
    assert_status(wasmfx_cont_new(rt, type, echo_in_slots, echo, &cont), WASMFX_OK);
  return cont;
}

/** Resumes with a bit pattern; the same pattern has to come back. */
static void resume_with(wasmfx_runtime_t *rt, wasmfx_cont_t *cont, const wasmfx_handlers_t *handlers,
                        const struct echo *echo, enum form host, uint64_t pattern, wasmfx_status_t expected)
{
  const wasmfx_value_t slot = { .word = pattern };
  const wasmfx_outcome_t outcome = host == WORD ? wasmfx_resume_word(rt, cont, handlers, pattern)
                                                : wasmfx_resume(rt, cont, handlers, &slot, 1);
  assert_outcome(outcome, expected);
  assert_int_equal(outcome.by_address, host == SLOTS);
  const uint64_t answer = host == WORD ? outcome.word : outcome.values[0].word;
  assert_memory_equal(&answer, &pattern, echo->bytes);
}

static void one_value_of_any_kind_arrives_whatever_the_two_sides_use(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  const char word_kinds[] = "ilfdpex";
  for (size_t k = 0; k < strlen(word_kinds); k++) {
    const char signature[] = { word_kinds[k], ':', word_kinds[k], 0 };
    struct echo echo = { tag_of(rt, signature), strchr("if", word_kinds[k]) ? 4 : 8 };
    wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(echo.tag));
    for (unsigned mix = 0; mix < 8; mix++)
      for (size_t p = 0; p < COUNT_OF(edge_patterns); p++) {
        wasmfx_cont_t cont = new_echo(rt, &echo, (enum form)(mix & 1));
        resume_with(rt, &cont, handlers, &echo, (enum form)(mix >> 1 & 1), edge_patterns[p], WASMFX_SUSPENDED);
        resume_with(rt, &cont, handlers, &echo, (enum form)(mix >> 2 & 1), ~edge_patterns[p], WASMFX_RETURNED);
        assert_live(rt, 0, 0);
      }
  }
}

static void a_v128_travels_by_address_and_keeps_all_its_bytes(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct echo echo = { tag_of(rt, "v:v"), 16 };
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(echo.tag));
  wasmfx_cont_t cont = new_echo(rt, &echo, SLOTS);
  wasmfx_value_t slot;
  for (unsigned i = 0; i < 16; i++)
    slot.v128[i] = (uint8_t)(0xf0 + i);
  wasmfx_outcome_t outcome = wasmfx_resume(rt, &cont, handlers, &slot, 1);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  assert_memory_equal(&outcome.values[0], &slot, 16);
  outcome = wasmfx_resume(rt, &cont, handlers, &slot, 1);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_memory_equal(&outcome.values[0], &slot, 16);
}

/* ---- Word verbs where more than a word comes back --------------------------------- */

static void three_for_one(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const wasmfx_tag_t *tag = env; /* [i64 i64 i64] -> [i64] */
  const wasmfx_value_t values[3] = { args[0], i64_value(2), i64_value(3) };
  const wasmfx_outcome_t woken = wasmfx_suspend(rt, tag, values, 3);
  assert_outcome(woken, WASMFX_RETURNED);
  results[0] = woken.values[0];
  results[1] = i64_value(5);
  results[2] = i64_value(6);
}

static void resume_word_gives_an_address_where_a_list_comes_back(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *tag = tag_of(rt, "lll:l");
  wasmfx_cont_t cont = cont_of(rt, "l:lll", three_for_one, tag);
  wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_LABEL(tag)), 1);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  assert_int_equal(outcome.by_address, 1);
  for (int i = 0; i < 3; i++)
    assert_int_equal(outcome.values[i].i64, i + 1);
  outcome = wasmfx_resume_word(rt, &cont, NULL, 4);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.by_address, 1);
  for (int i = 0; i < 3; i++)
    assert_int_equal(outcome.values[i].i64, i + 4);
}

static uint64_t one_for_three(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_tag_t *tag = env; /* [i64] -> [i64 i64 i64] */
  (void)from;
  const wasmfx_outcome_t woken = wasmfx_suspend_word(rt, tag, word);
  assert_outcome(woken, WASMFX_RETURNED);
  assert_int_equal(woken.by_address, 1);
  return (uint64_t)(woken.values[0].i64 * 100 + woken.values[1].i64 * 10 + woken.values[2].i64);
}

static void suspend_word_gives_an_address_where_a_list_comes_back(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *tag = tag_of(rt, "l:lll");
  const wasmfx_value_t values[3] = { i64_value(3), i64_value(2), i64_value(1) };
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", one_for_three, tag);
  wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_LABEL(tag)), 9);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  assert_int_equal(outcome.by_address, 0);
  assert_int_equal(outcome.word, 9);
  assert_int_equal(wasmfx_cont_arity(rt, cont), 3);
  outcome = wasmfx_resume(rt, &cont, NULL, values, 3);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.values[0].i64, 321);
}

static uint64_t never(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  fail_msg("this continuation must not run");
  return word;
}

static void never_in_slots(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env, (void)args, (void)results;
  fail_msg("this continuation must not run");
}

static void cont_new_word_takes_the_types_that_travel_in_words(void **state)
{
  static const struct {
    const char *signature;
    wasmfx_status_t answer;
  } cases[] = {
    { ":", WASMFX_OK },           { "i:", WASMFX_OK },          { ":d", WASMFX_OK },
    { "c:c", WASMFX_OK },         { "lc:l", WASMFX_OK },        { "cc:", WASMFX_OK },
    { "xc:x", WASMFX_OK },        { "v:", WASMFX_ERROR_TYPE },  { ":v", WASMFX_ERROR_TYPE },
    { "vc:", WASMFX_ERROR_TYPE }, { "ll:", WASMFX_ERROR_TYPE }, { "cl:", WASMFX_ERROR_TYPE },
    { ":ll", WASMFX_ERROR_TYPE }, { ":lc", WASMFX_ERROR_TYPE }, { ":cc", WASMFX_ERROR_TYPE },
    { "llc:", WASMFX_ERROR_TYPE },
  };
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    wasmfx_type_t *type = type_of(rt, cases[i].signature);
    wasmfx_cont_t cont = 42;
    const struct view before = view_of(rt);
    const wasmfx_status_t status = wasmfx_cont_new_word(rt, type, never, NULL, &cont);
    if (status != cases[i].answer)
      print_error("type \"%s\"\n", cases[i].signature);
    assert_status(status, cases[i].answer);
    if (status == WASMFX_OK) {
      assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);
    } else {
      assert_int_equal(cont, 42);
      assert_unchanged(rt, &before);
    }
  }
}

static void cont_new_refuses_no_type_and_a_foreign_type(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct world *elsewhere = world_new(NULL);
  wasmfx_type_t *foreign = type_of(elsewhere->rt, "l:l");
  wasmfx_cont_t cont = 42;
  assert_status(wasmfx_cont_new(rt, NULL, never_in_slots, NULL, &cont), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_cont_new(rt, foreign, never_in_slots, NULL, &cont), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_cont_new_word(rt, NULL, never, NULL, &cont), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_cont_new_word(rt, foreign, never, NULL, &cont), WASMFX_ERROR_ARGUMENT);
  wasmfx_tag_t *tag;
  assert_status(wasmfx_tag_new(rt, foreign, &tag), WASMFX_ERROR_ARGUMENT);
  assert_status(wasmfx_tag_new(rt, NULL, &tag), WASMFX_ERROR_ARGUMENT);
  assert_int_equal(cont, 42);
  assert_live(rt, 0, 0);
  world_free(elsewhere);
}

/* ---- The contref that ends a list ---------------------------------------------------- */

/** What a body saw when it started or was woken. */
struct seen {
  wasmfx_tag_t *tag;
  const wasmfx_type_t *wait;
  wasmfx_cont_t *target; /* whom to switch to */
  uint64_t word;
  uint64_t more;
  wasmfx_cont_t cont;
  wasmfx_cont_t beside; /* by wasmfx_received_cont */
};

static uint64_t see_start(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct seen *seen = env;
  (void)rt;
  seen->word = word;
  seen->cont = from;
  return word;
}

static void see_start_in_slots(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct seen *seen = env;
  (void)rt;
  seen->word = args[0].word;
  seen->cont = args[1].contref;
  results[0] = args[0];
}

static const wasmfx_cont_t some_cont = UINT64_C(0x1122334455667788); /* a payload like any other */

static void a_fresh_continuation_gets_its_last_contref_as_from(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  const wasmfx_value_t values[2] = { i64_value(7), cont_value(some_cont) };
  struct seen seen = { 0 };
  wasmfx_cont_t cont = word_cont_of(rt, "lc:l", see_start, &seen);
  assert_int_equal(wasmfx_cont_arity(rt, cont), 2);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, values, 2), WASMFX_RETURNED);
  assert_int_equal(seen.word, 7);
  assert_true(seen.cont == some_cont);

  cont = word_cont_of(rt, "c:", see_start, &seen);
  seen.cont = 0;
  assert_outcome(wasmfx_resume(rt, &cont, NULL, values + 1, 1), WASMFX_RETURNED);
  assert_true(seen.cont == some_cont);
}

static void a_fresh_continuation_in_general_form_gets_its_last_contref_as_a_slot(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  const wasmfx_value_t values[2] = { i64_value(7), cont_value(some_cont) };
  struct seen seen = { 0 };
  wasmfx_cont_t cont = cont_of(rt, "lc:l", see_start_in_slots, &seen);
  const wasmfx_outcome_t outcome = wasmfx_resume(rt, &cont, NULL, values, 2);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.values[0].i64, 7);
  assert_int_equal(seen.word, 7);
  assert_true(seen.cont == some_cont);
}

static void of_two_contrefs_only_the_last_travels_beside(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  const wasmfx_value_t values[2] = { cont_value(99), cont_value(some_cont) };
  struct seen seen = { 0 };
  wasmfx_cont_t cont = word_cont_of(rt, "cc:c", see_start, &seen);
  const wasmfx_outcome_t outcome = wasmfx_resume(rt, &cont, NULL, values, 2);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.values[0].contref, 99); /* results do not wake anybody: a contref is a word like any other */
  assert_int_equal(seen.word, 99);
  assert_true(seen.cont == some_cont);
}

static void nothing_is_received_where_no_contref_was_sent(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  const wasmfx_value_t values[2] = { i64_value(7), cont_value(some_cont) };
  struct seen seen = { 0 };
  wasmfx_cont_t cont = word_cont_of(rt, "lc:l", see_start, &seen);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, values, 2), WASMFX_RETURNED);
  assert_true(seen.cont == some_cont);
  cont = word_cont_of(rt, "l:l", see_start, &seen);
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 7), WASMFX_RETURNED);
  assert_int_equal(seen.cont, WASMFX_NULL_CONT);
}

static uint64_t see_suspend_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct seen *seen = env;
  (void)from;
  const wasmfx_outcome_t woken = wasmfx_suspend_word(rt, seen->tag, word);
  assert_outcome(woken, WASMFX_RETURNED);
  seen->cont = seen->beside = wasmfx_received_cont(rt);
  seen->word = woken.by_address ? woken.values[0].word : woken.word;
  seen->more = woken.by_address ? woken.values[1].word : 0;
  return word;
}

static uint64_t see_suspend(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct seen *seen = env;
  size_t count;
  (void)from;
  wasmfx_type_results(wasmfx_tag_type(seen->tag), &count);
  const wasmfx_outcome_t woken = wasmfx_suspend(rt, seen->tag, NULL, 0);
  assert_outcome(woken, WASMFX_RETURNED);
  assert_int_equal(woken.by_address, 1);
  seen->beside = wasmfx_received_cont(rt);
  seen->word = woken.values[0].word;
  seen->cont = woken.values[count - 1].contref;
  return word;
}

/** Suspends a body by `tag` and wakes it with `values`. */
static void wake(wasmfx_runtime_t *rt, wasmfx_word_entry_t body, struct seen *seen, const char *tag,
                 const wasmfx_value_t *values, size_t count)
{
  memset(seen, 0, sizeof(*seen));
  seen->tag = tag_of(rt, tag);
  wasmfx_cont_t cont = word_cont_of(rt, ":l", body, seen);
  assert_outcome(wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_LABEL(seen->tag)), 1), WASMFX_SUSPENDED);
  assert_int_equal(wasmfx_cont_arity(rt, cont), count);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, values, count), WASMFX_RETURNED);
}

static void a_suspension_is_woken_with_the_last_contref_beside(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  const wasmfx_value_t values[3] = { i64_value(7), i64_value(8), cont_value(some_cont) };
  struct seen seen;

  wake(rt, see_suspend_word, &seen, ":lc", (const wasmfx_value_t[]){ values[0], values[2] }, 2);
  assert_int_equal(seen.word, 7);
  assert_true(seen.cont == some_cont);

  wake(rt, see_suspend_word, &seen, ":c", values + 2, 1);
  assert_true(seen.cont == some_cont);

  wake(rt, see_suspend_word, &seen, ":llc", values, 3);
  assert_int_equal(seen.word, 7);
  assert_int_equal(seen.more, 8);
  assert_true(seen.cont == some_cont);

  wake(rt, see_suspend, &seen, ":lc", (const wasmfx_value_t[]){ values[0], values[2] }, 2);
  assert_int_equal(seen.word, 7);
  assert_true(seen.cont == some_cont && seen.beside == some_cont);

  wake(rt, see_suspend, &seen, ":c", values + 2, 1);
  assert_true(seen.cont == some_cont && seen.beside == some_cont);

  wake(rt, see_suspend, &seen, ":llc", values, 3);
  assert_int_equal(seen.word, 7);
  assert_true(seen.cont == some_cont && seen.beside == some_cont);
}

static uint64_t send_cont(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_tag_t *tag = env; /* [contref] -> [i64] */
  (void)word, (void)from;
  return wasmfx_suspend_word(rt, tag, some_cont).word;
}

static void a_contref_on_its_way_to_a_handler_is_a_word_like_any_other(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *tag = tag_of(rt, "c:l");
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(tag));
  wasmfx_cont_t cont = word_cont_of(rt, ":l", send_cont, tag);
  wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, handlers, 0);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  assert_int_equal(outcome.by_address, 0);
  assert_true(outcome.word == some_cont);
  assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);

  cont = word_cont_of(rt, ":l", send_cont, tag);
  outcome = wasmfx_resume(rt, &cont, handlers, NULL, 0);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  assert_true(outcome.values[0].contref == some_cont);
  assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);
}

/* ---- Switching with payloads ------------------------------------------------------------ */

/** Switches to `target` with the word 5 and notes what came back. */
static uint64_t switch_in_words(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct seen *seen = env;
  (void)from;
  const wasmfx_outcome_t woken = wasmfx_switch_word(rt, seen->target, seen->tag, seen->wait, 5);
  assert_outcome(woken, WASMFX_RETURNED);
  seen->cont = *seen->target;
  seen->word = woken.by_address ? woken.values[0].word : woken.word;
  seen->more = woken.by_address ? woken.values[1].word : 0;
  return word;
}

static uint64_t switch_in_slots(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct seen *seen = env;
  const wasmfx_value_t five = i64_value(5);
  (void)from;
  const wasmfx_outcome_t woken = wasmfx_switch(rt, seen->target, seen->tag, seen->wait, &five, 1);
  assert_outcome(woken, WASMFX_RETURNED);
  assert_int_equal(woken.by_address, 1);
  seen->cont = *seen->target;
  seen->word = woken.values[0].word;
  seen->more = woken.values[1].word;
  return word;
}

static const wasmfx_word_entry_t switchers[] = { switch_in_words, switch_in_slots };

/** Keeps the reference that it was switched to from, and suspends. */
static uint64_t keep_switcher(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct seen *seen = env;
  assert_state(rt, from, WASMFX_STATE_SUSPENDED);
  seen->word = word;
  seen->cont = from;
  return word;
}

static void keep_switcher_in_slots(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args,
                                   wasmfx_value_t *results)
{
  results[0].word = keep_switcher(rt, env, args[0].word, args[1].contref);
}

/** A continuation that switches away; answers the reference under which it then waits. */
static wasmfx_cont_t suspended_by_switch(wasmfx_runtime_t *rt, wasmfx_word_entry_t switcher, bool target_in_slots,
                                         struct seen *seen, wasmfx_cont_t *variable)
{
  struct seen target = { 0 };
  seen->tag = tag_of(rt, ":l");
  seen->target = variable;
  *variable = target_in_slots ? cont_of(rt, "lc:l", keep_switcher_in_slots, &target)
                              : word_cont_of(rt, "lc:l", keep_switcher, &target);
  wasmfx_cont_t cont = word_cont_of(rt, ":l", switcher, seen);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_SWITCH(seen->tag)), 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  assert_int_equal(outcome.by_address ? outcome.values[0].i64 : (int64_t)outcome.word, 5);
  assert_int_equal(target.word, 5);
  assert_live(rt, 1, 1);
  return target.cont;
}

static void who_switched_is_woken_as_it_asked_for(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  const wasmfx_value_t values[3] = { i64_value(7), i64_value(8), cont_value(some_cont) };
  for (unsigned mix = 0; mix < 4; mix++) {
    wasmfx_word_entry_t switcher = switchers[mix & 1];
    const bool in_slots = mix >> 1;
    struct seen seen = { 0 };
    wasmfx_cont_t variable, cont;

    seen.wait = type_of(rt, "lc:l");
    cont = suspended_by_switch(rt, switcher, in_slots, &seen, &variable);
    assert_int_equal(wasmfx_cont_arity(rt, cont), 2);
    assert_outcome(wasmfx_resume(rt, &cont, NULL, (const wasmfx_value_t[]){ values[0], values[2] }, 2),
                   WASMFX_RETURNED);
    assert_int_equal(seen.word, 7);
    assert_true(seen.cont == some_cont);

    seen.wait = type_of(rt, "l:l");
    cont = suspended_by_switch(rt, switcher, in_slots, &seen, &variable);
    assert_int_equal(wasmfx_cont_arity(rt, cont), 1);
    assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 9), WASMFX_RETURNED);
    assert_int_equal(seen.word, 9);
    assert_int_equal(seen.cont, WASMFX_NULL_CONT);

    seen.wait = type_of(rt, "llc:l");
    cont = suspended_by_switch(rt, switcher, in_slots, &seen, &variable);
    assert_int_equal(wasmfx_cont_arity(rt, cont), 3);
    assert_outcome(wasmfx_resume(rt, &cont, NULL, values, 3), WASMFX_RETURNED);
    assert_int_equal(seen.word, 7);
    assert_int_equal(seen.more, 8);
    assert_true(seen.cont == some_cont);
  }
}

static void without_a_wait_type_switch_waits_for_a_contref_and_switch_word_for_a_word_too(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  const wasmfx_value_t values[2] = { i64_value(7), cont_value(some_cont) };
  struct seen seen = { 0 };
  wasmfx_cont_t variable, cont = suspended_by_switch(rt, switch_in_words, false, &seen, &variable);
  assert_int_equal(wasmfx_cont_arity(rt, cont), 2);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, values, 2), WASMFX_RETURNED);
  assert_int_equal(seen.word, 7);
  assert_true(seen.cont == some_cont);

  cont = suspended_by_switch(rt, switch_in_slots, false, &seen, &variable);
  assert_int_equal(wasmfx_cont_arity(rt, cont), 1);
  assert_outcome(wasmfx_resume(rt, &cont, NULL, values + 1, 1), WASMFX_RETURNED);
  assert_true(seen.cont == some_cont);
}

/** A list of any length through a switch, there and back. */
struct long_switch {
  struct lists lists;
  wasmfx_tag_t *tag;         /* [] -> [] */
  const wasmfx_type_t *wait; /* [kinds contref] -> [] */
  wasmfx_cont_t peer;
  bool back;
};

static void switch_a_list(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct long_switch *it = env;
  (void)args, (void)results;
  const wasmfx_outcome_t woken = wasmfx_switch(rt, &it->peer, it->tag, it->wait, it->lists.sent[0], it->lists.count);
  assert_outcome(woken, WASMFX_RETURNED);
  assert_arrived(&it->lists, woken.values, 1);
  assert_state(rt, it->peer, WASMFX_STATE_SUSPENDED);
  assert_true(woken.values[it->lists.count].contref == it->peer);
  it->back = true;
}

static void switch_a_list_back(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct long_switch *it = env;
  (void)results;
  assert_arrived(&it->lists, args, 0);
  wasmfx_cont_t from = args[it->lists.count].contref;
  assert_state(rt, from, WASMFX_STATE_SUSPENDED);
  wasmfx_switch(rt, &from, it->tag, it->wait, it->lists.sent[1], it->lists.count);
  fail_msg("this continuation is dropped");
}

static void switch_carries_lists_of_any_length(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (size_t count = 0; count <= 21; count++) {
    struct long_switch it = { .back = false };
    wasmfx_kind_t kinds[1001];
    lists_init(&it.lists, count == 21 ? 1000 : count, count);
    memcpy(kinds, it.lists.kinds, it.lists.count);
    kinds[it.lists.count] = WASMFX_CONTREF;
    wasmfx_type_t *type;
    assert_status(wasmfx_type_new(rt, kinds, it.lists.count + 1, NULL, 0, &type), WASMFX_OK);
    it.wait = type;
    it.tag = tag_of(rt, ":");
    assert_status(wasmfx_cont_new(rt, type, switch_a_list_back, &it, &it.peer), WASMFX_OK);
    wasmfx_cont_t cont = cont_of(rt, ":", switch_a_list, &it);
    assert_outcome(wasmfx_resume(rt, &cont, HANDLERS(rt, ON_SWITCH(it.tag)), NULL, 0), WASMFX_RETURNED);
    assert_true(it.back);
    assert_live(rt, 1, 1);
    assert_status(wasmfx_drop(rt, &it.peer), WASMFX_OK);
    lists_free(&it.lists);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(lists_of_up_to_20_values_of_any_kind_arrive),
    in_a_world(a_list_of_1000_values_arrives),
    cmocka_unit_test(a_list_of_65535_values_arrives),
    cmocka_unit_test(long_lists_fit_the_smallest_stack_and_leave_its_neighbours_alone),
    in_a_world(long_results_need_no_parameters),
    in_a_world(a_list_of_65536_values_is_refused),
    in_a_world(a_type_whose_kinds_are_missing_is_refused),
    in_a_world(an_unknown_kind_is_refused),
    in_a_world(a_type_tells_its_kinds),
    in_a_world(one_value_of_any_kind_arrives_whatever_the_two_sides_use),
    in_a_world(a_v128_travels_by_address_and_keeps_all_its_bytes),
    in_a_world(resume_word_gives_an_address_where_a_list_comes_back),
    in_a_world(suspend_word_gives_an_address_where_a_list_comes_back),
    in_a_world(cont_new_word_takes_the_types_that_travel_in_words),
    in_a_world(cont_new_refuses_no_type_and_a_foreign_type),
    in_a_world(a_fresh_continuation_gets_its_last_contref_as_from),
    in_a_world(a_fresh_continuation_in_general_form_gets_its_last_contref_as_a_slot),
    in_a_world(of_two_contrefs_only_the_last_travels_beside),
    in_a_world(nothing_is_received_where_no_contref_was_sent),
    in_a_world(a_suspension_is_woken_with_the_last_contref_beside),
    in_a_world(a_contref_on_its_way_to_a_handler_is_a_word_like_any_other),
    in_a_world(who_switched_is_woken_as_it_asked_for),
    in_a_world(without_a_wait_type_switch_waits_for_a_contref_and_switch_word_for_a_word_too),
    in_a_world(switch_carries_lists_of_any_length),
  };
  return cmocka_run_group_tests_name("payload", tests, NULL, NULL);
}
