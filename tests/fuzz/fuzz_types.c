/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types, tags and handler tables of any shape, and what travels by them.
 *
 *     | count of types | types ... | count of tables | tables ... | what the host and the bodies do ...
 *
 * A type is two lists of kinds, a table a list of clauses; right or wrong, and the library must tell. Then parties
 * talk: a party is a continuation with all that it awaits. The host makes them, binds, resumes, throws into them; a
 * body suspends, switches to another party, throws, traps, returns. Whoever sends keeps a record; whoever gets control
 * compares. Wrong counts and types that do not fit must be refused, and nothing must have changed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasmfx/wasmfx.h>

#include "fuzz.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CHECK(condition) check((condition), #condition, __LINE__)

enum {
  LONGEST_LIST = 65535,
  TOO_LONG = 65540,
  SHORT = 24, /* of most lists */
  TYPES = 6,
  TABLES = 3,
  CLAUSES = 12,
  PARTIES = 4,
  NONE = -1
};

struct list {
  size_t count;
  const wasmfx_kind_t *kinds;
};

struct type {
  struct list params, results;
  wasmfx_type_t *made;
  wasmfx_tag_t *tag;
  wasmfx_kind_t kinds[2][TOO_LONG];
};

struct table {
  size_t count;
  struct {
    int type; /* of the tag */
    uint32_t kind;
  } clauses[CLAUSES];
  wasmfx_handlers_t *made;
};

struct party {
  bool is_alive, is_fresh;
  wasmfx_cont_t cont, stale; /* as long as it is not running, and a reference that has been used */
  const struct type *type;
  struct list awaits;
  size_t bound;
  wasmfx_value_t given[LONGEST_LIST]; /* to it: the record of all that it is woken with */
};

static const wasmfx_kind_t contref_kinds[] = { WASMFX_I64, WASMFX_CONTREF };
static const struct list plain_wait = { 1, contref_kinds + 1 }, word_wait = { 2, contref_kinds };

static wasmfx_runtime_t *rt;
static struct type types[TYPES];
static struct table tables[TABLES];
static struct party parties[PARTIES];
static size_t type_count, table_count;

static struct party *running;
static struct party *switcher;       /* who has just switched, and has no reference yet */
static const struct table *under;    /* the table of the resume */
static wasmfx_value_t sent[LONGEST_LIST], slots[LONGEST_LIST]; /* the record of what is sent to the host; room */

static struct {
  wasmfx_status_t status;
  const struct list *list; /* the record is in `sent`, or with the party that is woken */
  const wasmfx_tag_t *exception;
  uint32_t handler;
  int64_t code;
} sending;

static void check(bool holds, const char *what, int line)
{
  if (holds)
    return;
  printf("fuzz_types.c:%d: it should be that %s\n", line, what);
  fflush(stdout);
  abort();
}

static void expect(wasmfx_status_t expected, wasmfx_status_t found, const char *what)
{
  if (expected == found)
    return;
  printf("fuzz_types.c: %s answers %d (%s), should answer %d (%s)\n", what, (int)found, wasmfx_status_text(found),
         (int)expected, wasmfx_status_text(expected));
  fflush(stdout);
  abort();
}

/* ---- The input --------------------------------------------------------------------- */

static struct {
  const uint8_t *next, *end;
  uint64_t drawn;
} input;

static bool has_ended(void)
{
  return input.next == input.end;
}

/* 0 for ever, once it has ended. */
static uint8_t next_byte(void)
{
  return has_ended() ? 0 : *input.next++;
}

static size_t below(size_t limit)
{
  return limit ? next_byte() % limit : 0;
}

/* Mostly the right one. */
static size_t choose_count(size_t right)
{
  const uint8_t byte = next_byte();
  return byte < 224 ? right : byte < 240 ? right + byte - 231 : (size_t)byte - 240;
}

static struct type *choose_type(void)
{
  return &types[below(type_count)];
}

static struct party *choose_party(void)
{
  return &parties[below(PARTIES)];
}

/* splitmix64: what only travels is not in the input. */
static uint64_t draw(void)
{
  uint64_t x = input.drawn += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

/* `count` values, in `here` if that has room for them, and in the record if there is one. */
static wasmfx_value_t *draw_values(wasmfx_value_t here[SHORT], size_t count, wasmfx_value_t *record)
{
  if (count > LONGEST_LIST)
    return NULL;
  wasmfx_value_t *values = count > SHORT ? slots : here;
  for (size_t i = 0; i < count; i++) {
    const uint64_t halves[2] = { draw(), draw() };
    memcpy(&values[i], halves, sizeof halves);
  }
  if (record)
    memcpy(record, values, count * sizeof *values);
  return values;
}

/* ---- Lists --------------------------------------------------------------------------- */

static bool is_kind(wasmfx_kind_t kind)
{
  return (kind >= WASMFX_V128 && kind <= WASMFX_I32) || kind == WASMFX_FUNCREF || kind == WASMFX_EXTERNREF ||
         kind == WASMFX_EXNREF || kind == WASMFX_CONTREF;
}

static bool is_list(const struct list *list)
{
  if (list->count > LONGEST_LIST || (list->count && !list->kinds))
    return false;
  for (size_t i = 0; i < list->count; i++)
    if (!is_kind(list->kinds[i]))
      return false;
  return true;
}

static bool same_list(const struct list *a, const struct list *b)
{
  return a->count == b->count && (a->count == 0 || memcmp(a->kinds, b->kinds, a->count) == 0);
}

static bool ends_with_cont(const struct list *list)
{
  return list->count && list->kinds[list->count - 1] == WASMFX_CONTREF;
}

static bool is_word(const wasmfx_kind_t *kinds, size_t count)
{
  return count == 0 || (count == 1 && kinds[0] != WASMFX_V128);
}

static bool wakes_by_word(const struct list *list)
{
  return is_word(list->kinds, list->count - ends_with_cont(list));
}

static size_t bytes_of(wasmfx_kind_t kind)
{
  return kind == WASMFX_V128 ? 16 : kind == WASMFX_I32 || kind == WASMFX_F32 ? 4 : 8;
}

static void expect_values(const struct list *list, const wasmfx_value_t *record, const wasmfx_value_t *found,
                          size_t count)
{
  for (size_t i = 0; i < count; i++)
    CHECK(memcmp(&record[i], &found[i], bytes_of(list->kinds[i])) == 0);
}

/* ---- Types, tags, tables: all that can be wrong with them ----------------------------- */

static wasmfx_kind_t choose_kind(void)
{
  static const wasmfx_kind_t kinds[] = {
    WASMFX_I32, WASMFX_I64, WASMFX_F32, WASMFX_F64, WASMFX_V128, WASMFX_FUNCREF, WASMFX_EXTERNREF, WASMFX_EXNREF,
    WASMFX_CONTREF,
  };
  const uint8_t byte = next_byte();
  return byte < 252 ? kinds[byte % COUNT_OF(kinds)] : next_byte();
}

/* Only the first type of an input may have long lists, for they take time. */
static struct list choose_list(bool may_be_long, wasmfx_kind_t kinds[TOO_LONG])
{
  static const size_t long_counts[] = {
    64, 255, 256, 4096, LONGEST_LIST - 1, LONGEST_LIST, LONGEST_LIST + 1, TOO_LONG,
  };
  const uint8_t byte = next_byte();
  const size_t count = may_be_long && byte == 246 ? long_counts[below(COUNT_OF(long_counts))] : byte % SHORT;
  for (size_t i = 0; i < count; i++)
    kinds[i] = i < SHORT ? choose_kind() : kinds[i % SHORT];
  return (struct list){ count, byte == 247 ? NULL : kinds };
}

static void expect_list(const struct list *list, const wasmfx_kind_t *found, size_t count)
{
  CHECK(count == list->count);
  CHECK(count == 0 || memcmp(found, list->kinds, count) == 0);
}

/* A type and its tag. */
static bool make_type(struct type *type, bool may_be_long)
{
  size_t count;
  type->params = choose_list(may_be_long, type->kinds[0]);
  type->results = choose_list(may_be_long, type->kinds[1]);
  const bool is_right = is_list(&type->params) && is_list(&type->results);
  expect(is_right ? WASMFX_OK : WASMFX_ERROR_ARGUMENT,
         wasmfx_type_new(rt, type->params.kinds, type->params.count, type->results.kinds, type->results.count,
                         &type->made), "type_new");
  CHECK(is_right == (type->made != NULL));
  expect(is_right ? WASMFX_OK : WASMFX_ERROR_ARGUMENT, wasmfx_tag_new(rt, type->made, &type->tag), "tag_new");
  if (!is_right)
    return false;
  const wasmfx_kind_t *params = wasmfx_type_params(type->made, &count);
  expect_list(&type->params, params, count);
  const wasmfx_kind_t *results = wasmfx_type_results(type->made, &count);
  expect_list(&type->results, results, count);
  CHECK(wasmfx_tag_type(type->tag) == type->made);
  return true;
}

/* What is called in place answers what the party is to find. */
static void answer(wasmfx_runtime_t *runtime, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const struct type *type = env;
  wasmfx_value_t here[SHORT] = { 0 };
  CHECK(runtime == rt);
  expect_values(&type->params, sent, args, type->params.count);
  for (size_t i = 0; i < type->results.count; i++)
    CHECK(results[i].word == 0);
  const wasmfx_value_t *values = draw_values(here, type->results.count, running->given);
  memcpy(results, values, type->results.count * sizeof *values);
}

static uint64_t answer_word(wasmfx_runtime_t *runtime, void *env, uint64_t word)
{
  wasmfx_value_t result = { 0 };
  CHECK(((const struct type *)env)->results.count <= 1);
  answer(runtime, env, &(wasmfx_value_t){ .word = word }, &result);
  return result.word;
}

static wasmfx_clause_t clause_of(struct type *type, uint32_t kind)
{
  wasmfx_clause_t clause = { .tag = type ? type->tag : NULL, .kind = kind, .env = type };
  if (kind == WASMFX_ON_CALL_WORD)
    clause.call_word = answer_word;
  else
    clause.call = answer;
  return clause;
}

static bool has_right_type(const struct type *type, uint32_t kind)
{
  switch (kind) {
  case WASMFX_ON_SWITCH: return type->params.count == 0;
  case WASMFX_ON_CALL: return type->results.count <= 64;
  case WASMFX_ON_CALL_WORD: return is_word(type->params.kinds, type->params.count) &&
                                   is_word(type->results.kinds, type->results.count);
  default: return true;
  }
}

/* If several clauses are wrong, it is open which of them is reported. */
static bool make_table(struct table *table)
{
  wasmfx_clause_t clauses[CLAUSES];
  bool bad_argument = false, bad_type = false;
  table->count = below(CLAUSES + 1);
  for (size_t i = 0; i < table->count; i++) {
    const uint8_t byte = next_byte(), kind = next_byte();
    const int type = byte < 250 ? (int)(byte % type_count) : NONE;
    table->clauses[i].type = type;
    table->clauses[i].kind = kind < 160 ? kind % 2 : kind < 250 ? WASMFX_ON_CALL + kind % 2 : kind;
    clauses[i] = clause_of(type == NONE ? NULL : &types[type], table->clauses[i].kind);
    bad_argument |= type == NONE || table->clauses[i].kind > WASMFX_ON_CALL_WORD;
    bad_type |= type != NONE && !has_right_type(&types[type], table->clauses[i].kind);
  }
  const wasmfx_status_t status = wasmfx_handlers_new(rt, clauses, table->count, &table->made);
  CHECK((status == WASMFX_OK) == (!bad_argument && !bad_type));
  CHECK(status == WASMFX_OK || (status == WASMFX_ERROR_ARGUMENT && bad_argument) ||
        (status == WASMFX_ERROR_TYPE && bad_type));
  CHECK((status == WASMFX_OK) == (table->made != NULL));
  return status == WASMFX_OK;
}

/* The place of the first clause that matches; NONE if no resume handles this. */
static int find_clause(const struct type *type, uint32_t kind)
{
  for (size_t i = 0; under && i < under->count; i++)
    if (&types[under->clauses[i].type] == type &&
        (under->clauses[i].kind == WASMFX_ON_SWITCH) == (kind == WASMFX_ON_SWITCH))
      return (int)i;
  return NONE;
}

/* ---- Parties ---------------------------------------------------------------------------- */

static size_t missing(const struct party *party)
{
  return party->awaits.count - party->bound;
}

static struct list remaining(const struct party *party)
{
  return (struct list){ missing(party), party->awaits.kinds + party->bound };
}

static void look_at(const struct party *party)
{
  const bool is_waiting = party->is_alive && party != running;
  CHECK((party->cont != WASMFX_NULL_CONT) == is_waiting);
  CHECK(wasmfx_cont_arity(rt, party->cont) == (is_waiting ? missing(party) : 0));
  CHECK(wasmfx_cont_state(rt, party->cont) == (!is_waiting        ? WASMFX_STATE_NULL
                                               : party->is_fresh ? WASMFX_STATE_FRESH
                                                                 : WASMFX_STATE_SUSPENDED));
}

/* It waits again: for `awaits`, by this reference. */
static void wait_again(struct party *party, wasmfx_cont_t cont, struct list awaits)
{
  CHECK(cont != WASMFX_NULL_CONT && cont != party->stale);
  party->cont = cont;
  party->awaits = awaits;
  party->bound = 0;
  party->is_fresh = false;
  look_at(party);
}

/* It is about to run. */
static void start(struct party *party)
{
  running = party;
  party->stale = party->cont;
  party->cont = WASMFX_NULL_CONT;
  sending.list = &party->awaits;
  sending.status = WASMFX_RETURNED;
}

static void end(struct party *party)
{
  party->is_alive = false;
  party->cont = WASMFX_NULL_CONT;
}

/* ---- What a body finds when it is woken ---------------------------------------------------- */

static void expect_exception(const wasmfx_exception_t *found)
{
  CHECK(found->tag == sending.exception);
  CHECK(found->count == sending.list->count);
  expect_values(sending.list, sent, found->values, found->count);
}

/* `self` was woken with all that it awaited: a contref at the end came as `from`. */
static void expect_waking(struct party *self, const wasmfx_value_t *values, wasmfx_cont_t from)
{
  const size_t count = self->awaits.count;
  CHECK(running == self);
  CHECK(sending.status == WASMFX_RETURNED);
  CHECK(wasmfx_cont_state(rt, self->stale) == WASMFX_STATE_CONSUMED);
  expect_values(&self->awaits, self->given, values, count - ends_with_cont(&self->awaits));
  if (switcher) {
    wait_again(switcher, from, switcher->awaits);
    switcher = NULL;
  } else if (ends_with_cont(&self->awaits)) {
    CHECK(from == self->given[count - 1].contref);
  } else {
    CHECK(from == WASMFX_NULL_CONT);
  }
}

/* The same for what a suspend or switch answers. */
static void be_woken(struct party *self, wasmfx_outcome_t outcome, bool by_word)
{
  expect(sending.status, outcome.status, "a suspension");
  CHECK(running == self);
  if (outcome.status == WASMFX_THREW) {
    expect_exception(outcome.exception);
    return;
  }
  const wasmfx_cont_t from = wasmfx_received_cont(rt);
  const wasmfx_value_t word = { .word = outcome.word };
  CHECK(outcome.by_address == (!by_word || !wakes_by_word(&self->awaits)));
  if (!by_word && ends_with_cont(&self->awaits))
    CHECK(outcome.values[self->awaits.count - 1].contref == from);
  expect_waking(self, outcome.by_address ? outcome.values : &word, from);
}

/* ---- What a body does -------------------------------------------------------------------------- */

static void refused(wasmfx_status_t expected, wasmfx_outcome_t outcome, const char *what)
{
  expect(expected, outcome.status, what);
  CHECK(expected < 0 && outcome.word == 0);
}

static void suspend(struct party *self)
{
  struct type *type = choose_type();
  const struct list *params = &type->params;
  const bool by_word = below(2);
  const size_t count = by_word ? params->count : choose_count(params->count);
  const int clause = find_clause(type, WASMFX_ON_LABEL);
  wasmfx_value_t here[SHORT] = { 0 };
  const wasmfx_value_t *values = draw_values(here, count, sent);
  wasmfx_status_t status = WASMFX_OK;
  if (count != params->count || (by_word && !is_word(params->kinds, params->count)))
    status = WASMFX_ERROR_ARITY;
  else if (clause == NONE)
    status = WASMFX_TRAP_UNHANDLED;
  if (status == WASMFX_OK && clause != NONE) {
    const bool calls = under->clauses[clause].kind != WASMFX_ON_LABEL;
    sending.status = calls ? WASMFX_RETURNED : WASMFX_SUSPENDED;
    sending.list = params;
    sending.handler = (uint32_t)clause;
    self->awaits = type->results;
  }
  const wasmfx_outcome_t outcome = by_word ? wasmfx_suspend_word(rt, type->tag, values ? values[0].word : 0)
                                           : wasmfx_suspend(rt, type->tag, values, count);
  if (status < 0)
    refused(status, outcome, "suspend");
  else
    be_woken(self, outcome, by_word);
}

/* In the order in which the checks are promised. */
static wasmfx_status_t may_switch(const struct party *self, const struct party *target, const struct type *type,
                                  size_t count, bool by_word)
{
  const struct list list = remaining(target);
  if (!target->cont)
    return WASMFX_TRAP_NULL_CONT;
  if (!ends_with_cont(&list) || (by_word ? !wakes_by_word(&list) : count != list.count - 1))
    return WASMFX_ERROR_ARITY;
  if (find_clause(type, WASMFX_ON_SWITCH) == NONE)
    return WASMFX_TRAP_UNHANDLED;
  if (!same_list(&self->type->results, &type->results) || !same_list(&self->type->results, &target->type->results))
    return WASMFX_ERROR_TYPE;
  return WASMFX_OK;
}

static void switch_over(struct party *self)
{
  struct party *target = choose_party();
  struct type *type = choose_type();
  const struct type *wait = below(2) ? choose_type() : NULL;
  const bool by_word = below(2);
  const size_t right = missing(target) ? missing(target) - 1 : 0;
  const size_t count = by_word ? right : choose_count(right);
  const wasmfx_status_t status = may_switch(self, target, type, count, by_word);
  wasmfx_value_t here[SHORT] = { 0 };
  const wasmfx_value_t *values =
    draw_values(here, count, status == WASMFX_OK ? target->given + target->bound : NULL);
  wasmfx_cont_t cont = target->cont;
  if (status == WASMFX_OK) {
    self->awaits = wait ? wait->params : by_word ? word_wait : plain_wait;
    switcher = self;
    start(target);
  }
  const wasmfx_type_t *made = wait ? wait->made : NULL;
  const wasmfx_outcome_t outcome =
    by_word ? wasmfx_switch_word(rt, &cont, type->tag, made, values ? values[0].word : 0)
            : wasmfx_switch(rt, &cont, type->tag, made, values, count);
  if (status < 0) {
    refused(status, outcome, "switch");
    CHECK(cont == target->cont);
    look_at(target);
    return;
  }
  if (outcome.status == WASMFX_RETURNED)
    CHECK(cont == wasmfx_received_cont(rt));
  be_woken(self, outcome, by_word);
}

/* Does not come back if it is right. */
static void throw_out(void)
{
  struct type *type = choose_type();
  const size_t count = choose_count(type->params.count);
  wasmfx_value_t here[SHORT];
  const wasmfx_value_t *values = draw_values(here, count, sent);
  const bool bad_type = type->results.count != 0, bad_arity = count != type->params.count;
  if (!bad_type && !bad_arity) {
    sending.status = WASMFX_THREW;
    sending.list = &type->params;
    sending.exception = type->tag;
  }
  const wasmfx_status_t status = wasmfx_throw(rt, type->tag, values, count);
  CHECK((bad_type && status == WASMFX_ERROR_TYPE) || (bad_arity && status == WASMFX_ERROR_ARITY));
}

static void trap(void)
{
  sending.status = WASMFX_TRAPPED;
  sending.code = (int64_t)draw();
  wasmfx_trap(rt, sending.code);
  CHECK(!"a trap inside a continuation comes back");
}

static void act(struct party *self)
{
  while (!has_ended()) {
    switch (below(8)) {
    case 0: return;
    case 1: throw_out(); break;
    case 2: trap(); break;
    case 3:
    case 4:
    case 5: switch_over(self); break;
    default: suspend(self);
    }
  }
}

/* The record of the results. */
static const wasmfx_value_t *give_results(struct party *self, wasmfx_value_t here[SHORT])
{
  sending.status = WASMFX_RETURNED;
  sending.list = &self->type->results;
  return draw_values(here, self->type->results.count, sent);
}

static void general_body(wasmfx_runtime_t *runtime, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct party *self = env;
  wasmfx_value_t here[SHORT];
  CHECK(runtime == rt);
  expect_waking(self, args, ends_with_cont(&self->awaits) ? args[self->awaits.count - 1].contref : WASMFX_NULL_CONT);
  for (size_t i = 0; i < self->type->results.count; i++)
    CHECK(results[i].word == 0);
  act(self);
  const wasmfx_value_t *values = give_results(self, here);
  if (self->type->results.count)
    memcpy(results, values, self->type->results.count * sizeof *values);
}

static uint64_t word_body(wasmfx_runtime_t *runtime, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct party *self = env;
  const wasmfx_value_t value = { .word = word };
  wasmfx_value_t here[SHORT] = { 0 };
  CHECK(runtime == rt);
  expect_waking(self, &value, from);
  act(self);
  return give_results(self, here)[0].word;
}

/* ---- What the host does ------------------------------------------------------------------------ */

static void make_party(struct party *party)
{
  const struct type *type = choose_type();
  const bool by_word = below(2);
  const bool fits = wakes_by_word(&type->params) && is_word(type->results.kinds, type->results.count);
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  if (party->is_alive)
    return;
  expect(by_word && !fits ? WASMFX_ERROR_TYPE : WASMFX_OK,
         by_word ? wasmfx_cont_new_word(rt, type->made, word_body, party, &cont)
                 : wasmfx_cont_new(rt, type->made, general_body, party, &cont), "cont_new");
  if (by_word && !fits)
    return;
  party->is_alive = party->is_fresh = true;
  party->cont = cont;
  party->type = type;
  party->awaits = type->params;
  party->bound = 0;
  look_at(party);
}

static bool fits_after_binding(const struct type *to, const struct party *party, size_t count)
{
  const struct list rest = { missing(party) - count, party->awaits.kinds + party->bound + count };
  return same_list(&to->params, &rest) && same_list(&to->results, &party->type->results);
}

static void bind(struct party *party)
{
  const size_t wanted = below(2) ? below(missing(party) + 1) : missing(party) - (missing(party) > 0);
  const size_t count = choose_count(wanted); /* often all but one, which can then come as a word */
  const struct type *to = below(4) ? NULL : choose_type();
  wasmfx_value_t here[SHORT];
  wasmfx_status_t status = WASMFX_OK;
  if (!party->is_alive)
    status = WASMFX_TRAP_NULL_CONT;
  else if (count > missing(party))
    status = WASMFX_ERROR_ARITY;
  else if (to && !fits_after_binding(to, party, count))
    status = WASMFX_ERROR_TYPE;
  wasmfx_value_t *values =
    draw_values(here, count, status == WASMFX_OK ? party->given + party->bound : NULL);
  const wasmfx_cont_t before = party->cont;
  expect(status, wasmfx_cont_bind(rt, &party->cont, to ? to->made : NULL, values, count), "cont_bind");
  memset(here, 0xee, sizeof here); /* they were copied */
  CHECK((party->cont == before) == (status < 0));
  if (status == WASMFX_OK) {
    party->stale = before;
    party->bound += count;
  }
  look_at(party);
}

/* The tag that a clause names answers what its suspension is to be woken with. */
static const struct type *type_of_clause(uint32_t handler)
{
  return &types[under->clauses[handler].type];
}

/* A resume has come back, and somebody has ended or suspended: not always the one that was resumed. */
static void receive(wasmfx_outcome_t outcome, wasmfx_cont_t cont, bool by_word)
{
  struct party *party = running;
  const wasmfx_value_t word = { .word = outcome.word };
  running = NULL;
  expect(sending.status, outcome.status, "resume");
  CHECK((cont == WASMFX_NULL_CONT) == (outcome.status != WASMFX_SUSPENDED));
  if (outcome.status == WASMFX_THREW) {
    expect_exception(outcome.exception);
  } else if (outcome.status == WASMFX_TRAPPED) {
    CHECK(outcome.code == sending.code);
  } else {
    CHECK(outcome.by_address == (!by_word || !is_word(sending.list->kinds, sending.list->count)));
    expect_values(sending.list, sent, outcome.by_address ? outcome.values : &word, sending.list->count);
  }
  CHECK(wasmfx_cont_state(rt, party->stale) == WASMFX_STATE_CONSUMED);
  if (outcome.status == WASMFX_SUSPENDED) {
    CHECK(outcome.handler == sending.handler);
    wait_again(party, cont, type_of_clause(outcome.handler)->results);
  } else {
    end(party);
  }
}

static wasmfx_status_t may_resume(const struct party *party, size_t count, bool by_word)
{
  const struct list list = remaining(party);
  if (!party->is_alive)
    return WASMFX_TRAP_NULL_CONT;
  if (by_word ? !is_word(list.kinds, list.count) || ends_with_cont(&list) : count != list.count)
    return WASMFX_ERROR_ARITY;
  return WASMFX_OK;
}

static const struct table *choose_table(void)
{
  const size_t table = below(table_count + 1);
  return table < table_count ? &tables[table] : NULL;
}

static void resume(struct party *party)
{
  under = choose_table();
  const wasmfx_handlers_t *handlers = under ? under->made : NULL;
  const bool by_word = below(2);
  const size_t count = by_word ? missing(party) : choose_count(missing(party));
  const wasmfx_status_t status = may_resume(party, count, by_word);
  wasmfx_value_t here[SHORT] = { 0 };
  const wasmfx_value_t *values =
    draw_values(here, count, status == WASMFX_OK ? party->given + party->bound : NULL);
  wasmfx_cont_t cont = party->cont;
  if (status == WASMFX_OK)
    start(party);
  const wasmfx_outcome_t outcome = by_word ? wasmfx_resume_word(rt, &cont, handlers, values ? values[0].word : 0)
                                           : wasmfx_resume(rt, &cont, handlers, values, count);
  if (status == WASMFX_OK) {
    receive(outcome, cont, by_word);
    return;
  }
  refused(status, outcome, "resume");
  CHECK(cont == party->cont);
  look_at(party);
}

/* A suspended party finds the exception where it waits; a fresh one hands it back at once. */
static void resume_throw(struct party *party)
{
  const struct type *type = choose_type();
  under = choose_table();
  const size_t count = choose_count(type->params.count);
  wasmfx_value_t here[SHORT];
  const wasmfx_value_t *values = draw_values(here, count, sent);
  const bool bad_type = type->results.count != 0, bad_arity = count != type->params.count;
  const bool is_right = party->is_alive && !bad_type && !bad_arity;
  wasmfx_cont_t cont = party->cont;
  if (is_right) {
    start(party);
    sending.status = WASMFX_THREW;
    sending.list = &type->params;
    sending.exception = type->tag;
  }
  const wasmfx_outcome_t outcome =
    wasmfx_resume_throw(rt, &cont, under ? under->made : NULL, type->tag, values, count);
  if (is_right) {
    receive(outcome, cont, false);
    return;
  }
  CHECK(party->is_alive ? (bad_type && outcome.status == WASMFX_ERROR_TYPE) ||
                            (bad_arity && outcome.status == WASMFX_ERROR_ARITY)
                        : outcome.status == WASMFX_TRAP_NULL_CONT);
  CHECK(cont == party->cont);
  look_at(party);
}

/* A used reference is dead, whatever it was used for. */
static void use_again(struct party *party)
{
  wasmfx_cont_t cont = party->stale;
  if (cont == WASMFX_NULL_CONT)
    return;
  refused(WASMFX_TRAP_CONSUMED, wasmfx_resume(rt, &cont, NULL, NULL, 0), "resume of a used reference");
  expect(WASMFX_TRAP_CONSUMED, wasmfx_cont_bind(rt, &cont, NULL, NULL, 0), "cont_bind of a used reference");
  CHECK(cont == party->stale);
  look_at(party);
}

static void drop(struct party *party)
{
  expect(party->is_alive ? WASMFX_OK : WASMFX_TRAP_NULL_CONT, wasmfx_drop(rt, &party->cont), "drop");
  CHECK(party->cont == WASMFX_NULL_CONT);
  end(party);
}

static void talk(void)
{
  while (!has_ended()) {
    struct party *party = choose_party();
    switch (below(8)) {
    case 0: make_party(party); break;
    case 1: bind(party); break;
    case 2: resume_throw(party); break;
    case 3: use_again(party); break;
    case 4: drop(party); break;
    default: party->is_alive ? resume(party) : make_party(party);
    }
  }
}

/* ---- Inputs -------------------------------------------------------------------------------------- */

static void open_world(void)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.max_conts = 1 << 10;
  config.max_stacks = 2 * PARTIES;
  expect(WASMFX_OK, wasmfx_runtime_new(&config, &rt), "runtime_new");
  for (size_t i = 0; i < PARTIES; i++) {
    parties[i].is_alive = false;
    parties[i].cont = parties[i].stale = WASMFX_NULL_CONT;
    parties[i].awaits.count = parties[i].bound = 0;
  }
  running = switcher = NULL;
  under = NULL;
  type_count = table_count = 0;
}

static void close_world(void)
{
  size_t alive = 0, dropped = 0;
  for (size_t i = 0; i < PARTIES; i++)
    alive += parties[i].is_alive;
  expect(WASMFX_OK, wasmfx_runtime_free(rt, &dropped), "runtime_free");
  CHECK(dropped == alive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  input.next = data;
  input.end = data + size;
  input.drawn = size;
  open_world();
  for (size_t wanted = 1 + below(TYPES), i = 0; i < wanted; i++)
    type_count += make_type(&types[type_count], i == 0);
  for (size_t wanted = below(TABLES + 1), i = 0; i < wanted && type_count; i++)
    table_count += make_table(&tables[table_count]);
  if (type_count)
    talk();
  close_world();
  return 0;
}
