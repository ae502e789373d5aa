/* SPDX-License-Identifier: Apache-2.0 */
/* Handler tables and the search for a handler: the only place where tags are compared. */
#include "handler.h"

#include "runtime.h"

#define FILTER(kind) ((kind) == WFX_TABLE_CLAUSES ? 0 : UINT64_MAX)
#define MARK(name, kind)                                                                          \
  { .word_tag = &(name), .switch_tag = &(name), .call_tag = &(name), .table = (kind),             \
    .suspend_filter = FILTER(kind), .switch_filter = FILTER(kind) }
const struct wasmfx_handlers wfx_no_handlers = MARK(wfx_no_handlers, WFX_TABLE_CLAUSES);
const struct wasmfx_handlers wfx_everything = MARK(wfx_everything, WFX_TABLE_EVERYTHING);
const struct wasmfx_handlers wfx_barrier = MARK(wfx_barrier, WFX_TABLE_BARRIER);
const struct wasmfx_handlers wfx_root = MARK(wfx_root, WFX_TABLE_ROOT);

/* ---- Tables ------------------------------------------------------------------- */

static wasmfx_status_t check_clause(const struct wasmfx_runtime *rt, const wasmfx_clause_t *clause)
{
  const struct wasmfx_tag *tag = clause->tag;
  if (!tag || tag->member.rt != rt)
    return WASMFX_ERROR_ARGUMENT;
  switch (clause->kind) {
  case WASMFX_ON_LABEL: return WASMFX_OK;
  case WASMFX_ON_SWITCH: return tag->params->count ? WASMFX_ERROR_TYPE : WASMFX_OK;
  case WASMFX_ON_CALL:
    if (!clause->call)
      return WASMFX_TRAP_NULL_FUNCTION;
    return tag->results->count > WFX_SLOTS_ON_STACK ? WASMFX_ERROR_TYPE : WASMFX_OK;
  case WASMFX_ON_CALL_WORD:
    if (!clause->call_word)
      return WASMFX_TRAP_NULL_FUNCTION;
    return (tag->params->send_form | tag->results->send_form) > 1 ? WASMFX_ERROR_TYPE : WASMFX_OK;
  default: return WASMFX_ERROR_ARGUMENT;
  }
}

static wasmfx_status_t check_clauses(const struct wasmfx_runtime *rt, const wasmfx_clause_t *clauses, size_t count)
{
  if (count > UINT32_MAX / 64 || (count && !clauses))
    return WASMFX_ERROR_ARGUMENT;
  for (size_t i = 0; i < count; i++) {
    const wasmfx_status_t status = check_clause(rt, &clauses[i]);
    if (status < 0)
      return status;
  }
  return WASMFX_OK;
}

enum { FILLING = WFX_CLAUSES_AT_ONCE - 1 };

static const struct wfx_clause *first_switch(const struct wasmfx_handlers *table)
{
  return &table->clauses[table->suspend_bytes / WFX_CLAUSE_BYTES];
}

static bool is_call(uint32_t kind)
{
  return kind == WASMFX_ON_CALL || kind == WASMFX_ON_CALL_WORD;
}

static const struct wfx_call *call_of(const struct wasmfx_handlers *table, const struct wfx_clause *clause)
{
  const uint32_t bytes = clause->how & ~(uint32_t)WFX_HOW_LONG;
  return bytes ? (const struct wfx_call *)(const void *)((const char *)table + bytes) : NULL;
}

/* What a clause calls goes to the end of the table, which is `*bytes` long by now. Short paths take a word and bring
 * one, and nothing beside it. */
static uint32_t append_call(struct wasmfx_handlers *table, const wasmfx_clause_t *clause, uint32_t *bytes)
{
  struct wfx_call *call = (struct wfx_call *)(void *)((char *)table + *bytes);
  const uint32_t how = *bytes;
  *bytes += (uint32_t)sizeof *call;
  call->env = clause->env;
  call->is_word = clause->kind == WASMFX_ON_CALL_WORD;
  if (call->is_word)
    call->word_function = clause->call_word;
  else
    call->function = clause->call;
  return call->is_word && clause->tag->results->wake_form <= 1 ? how : how | WFX_HOW_LONG;
}

static uint32_t how_of(struct wasmfx_handlers *table, const wasmfx_clause_t *clause, uint32_t *bytes)
{
  if (is_call(clause->kind))
    return append_call(table, clause, bytes);
  return wfx_form_is_word(clause->tag->params->send_form) ? 0 : WFX_HOW_LONG;
}

/* The clauses for suspensions, in their order, and behind them what no search finds. */
static void append_suspend_clauses(struct wasmfx_handlers *table, const wasmfx_clause_t *clauses, size_t count,
                                   uint32_t *bytes)
{
  uint32_t used = 0;
  for (size_t i = 0; i < count; i++)
    if (clauses[i].kind != WASMFX_ON_SWITCH)
      table->clauses[used++] =
        (struct wfx_clause){ clauses[i].tag, (uint32_t)i, how_of(table, &clauses[i], bytes) };
  table->suspend_count = used;
  while (used % WFX_CLAUSES_AT_ONCE)
    table->clauses[used++] = (struct wfx_clause){ (const struct wasmfx_tag *)(const void *)table, 0, 0 };
  table->suspend_bytes = used * (uint32_t)sizeof *table->clauses;
}

static void append_switch_clauses(struct wasmfx_handlers *table, const wasmfx_clause_t *clauses, size_t count)
{
  struct wfx_clause *to = &table->clauses[table->suspend_bytes / WFX_CLAUSE_BYTES];
  for (size_t i = 0; i < count; i++)
    if (clauses[i].kind == WASMFX_ON_SWITCH)
      to[table->switch_count++] = (struct wfx_clause){ clauses[i].tag, (uint32_t)i, 0 };
}

static uint64_t filter_of(const struct wfx_clause *clauses, uint32_t count)
{
  uint64_t filter = 0;
  for (uint32_t i = 0; i < count; i++)
    filter |= clauses[i].tag->filter;
  return filter;
}

static const struct wfx_clause *match(const struct wasmfx_handlers *table, const struct wasmfx_tag *tag,
                                      bool is_switch)
{
  const struct wfx_clause *clause = is_switch ? first_switch(table) : table->clauses;
  const struct wfx_clause *end = clause + (is_switch ? table->switch_count : table->suspend_count);
  for (; clause < end; clause++)
    if (clause->tag == tag)
      return clause;
  return NULL;
}

/* What stands in front, for the short paths. */
static void put_in_front(struct wasmfx_handlers *table, bool takes_short_paths)
{
  const struct wfx_clause *first = table->clauses, *end = first + table->suspend_count;
  table->word_tag = table->call_tag = table;
  table->switch_tag = table->switch_count ? (const void *)first_switch(table)->tag : table;
  if (takes_short_paths && first < end && first->how == 0) {
    table->word_tag = first->tag;
    table->word_event = WASMFX_SUSPENDED | (uint64_t)first->index << 32;
  }
  for (const struct wfx_clause *clause = first; clause < end && table->call_tag == table; clause++) {
    const struct wfx_call *call = clause->how & WFX_HOW_LONG ? NULL : call_of(table, clause);
    if (call && match(table, clause->tag, false) == clause) {
      table->call_tag = clause->tag;
      table->call = *call;
    }
  }
}

/* How many bytes a table takes; before those, its calls begin. */
static size_t table_bytes(const wasmfx_clause_t *clauses, size_t count, uint32_t *calls_at)
{
  size_t calls = 0;
  for (size_t i = 0; i < count; i++)
    calls += is_call(clauses[i].kind);
  *calls_at = (uint32_t)(sizeof(struct wasmfx_handlers) + (count + FILLING) * sizeof(struct wfx_clause));
  return *calls_at + calls * sizeof(struct wfx_call);
}

wasmfx_status_t wasmfx_handlers_new(wasmfx_runtime_t *rt, const wasmfx_clause_t *clauses, size_t count,
                                    wasmfx_handlers_t **out)
{
  uint32_t bytes;
  *out = NULL;
  wfx_claim_stack(rt);
  const wasmfx_status_t status = check_clauses(rt, clauses, count);
  if (status < 0)
    return status;
  wasmfx_handlers_t *table = wfx_member_new(rt, table_bytes(clauses, count, &bytes));
  if (!table)
    return WASMFX_ERROR_NO_MEMORY;
  table->table = WFX_TABLE_CLAUSES;
  append_suspend_clauses(table, clauses, count, &bytes);
  append_switch_clauses(table, clauses, count);
  table->suspend_filter = filter_of(table->clauses, table->suspend_count);
  table->switch_filter = filter_of(first_switch(table), table->switch_count);
  put_in_front(table, !rt->careful);
  *out = table;
  return WASMFX_OK;
}

void wasmfx_handlers_free(wasmfx_runtime_t *rt, wasmfx_handlers_t *handlers)
{
  (void)rt;
  if (handlers)
    wfx_member_free(&handlers->member);
}

/* ---- Search --------------------------------------------------------------------- */

/*
 * Remembers that nothing below `segment` handles `key`. As long as the landing
 * address of `current` is wfx_deep it has done nothing but run since: every
 * suspension, switch or resume of its own writes another one. And while it
 * runs, nothing between it and `segment` can.
 */
static void remember(struct wfx_object *current, struct wfx_object *segment, uintptr_t key)
{
  current->deep.head = segment;
  current->deep.parent = current->parent;
  current->deep.handlers = current->handlers;
  current->deep.tag = key;
  current->pc = wfx_deep;
}

/*
 * The object's parent. Continuations that resume one another are often neighbours in the arena, since they were made
 * one after the other. So that is what is tried first: where it is right time and again, the processor foretells the
 * branch and goes on from there, instead of waiting for what it reads.
 */
static inline struct wfx_object *parent_of(struct wfx_object *object)
{
  struct wfx_object *parent = object->parent, *neighbour = object - 1;
  return parent == neighbour ? wfx_unknown(neighbour) : parent;
}

/* The next one whose table may have a clause for a tag with this bit; the root's, at the latest. */
static struct wfx_object *next_to_ask(struct wfx_object *segment, uint64_t bit, bool is_switch)
{
  if (is_switch)
    while (!(segment->handlers->switch_filter & bit))
      segment = parent_of(segment);
  else
    while (!(segment->handlers->suspend_filter & bit))
      segment = parent_of(segment);
  return segment;
}

struct wfx_found wfx_find(struct wfx_object *current, const struct wasmfx_tag *tag, bool is_switch)
{
  const uintptr_t key = (uintptr_t)tag | is_switch;
  struct wfx_object *segment = current;
  if (wfx_object_is_deep(current) && current->deep.tag == key)
    segment = current->deep.head;
  for (; segment; segment = segment->parent) {
    segment = next_to_ask(segment, tag->filter, is_switch);
    const struct wasmfx_handlers *table = segment->handlers;
    if (table->table == WFX_TABLE_BARRIER)
      return (struct wfx_found){ .status = WASMFX_TRAP_BARRIER };
    if (table->table == WFX_TABLE_EVERYTHING && is_switch)
      break; /* or else it would capture who cancels */
    const struct wfx_clause *clause = match(table, tag, is_switch);
    if (!clause && table->table != WFX_TABLE_EVERYTHING)
      continue;
    if (segment != current)
      remember(current, segment, key);
    if (!clause)
      return (struct wfx_found){ .segment = segment };
    return (struct wfx_found){ segment, clause->index, WASMFX_OK, is_switch ? NULL : call_of(table, clause) };
  }
  return (struct wfx_found){ .status = WASMFX_TRAP_UNHANDLED };
}
