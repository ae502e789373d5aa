/* SPDX-License-Identifier: Apache-2.0 */
/* Handler tables and the search for a handler: the only place where tags are compared. */
#include "handler.h"

#include "runtime.h"

#define FILTER(kind) (kind == WFX_TABLE_CLAUSES ? 0 : UINT64_MAX)
#define MARK(name, kind) { .word_tag = &name, .switch_tag = &name, .table = kind, .label_filter = FILTER(kind), .switch_filter = FILTER(kind) }
const struct wasmfx_handlers wfx_no_handlers = MARK(wfx_no_handlers, WFX_TABLE_CLAUSES);
const struct wasmfx_handlers wfx_everything = MARK(wfx_everything, WFX_TABLE_EVERYTHING);
const struct wasmfx_handlers wfx_barrier = MARK(wfx_barrier, WFX_TABLE_BARRIER);
const struct wasmfx_handlers wfx_root = MARK(wfx_root, WFX_TABLE_ROOT);

/* ---- Tables ------------------------------------------------------------------- */

static wasmfx_status_t check_clauses(const struct wasmfx_runtime *rt, const wasmfx_clause_t *clauses, size_t count)
{
  if (count > UINT32_MAX / 32 || (count && !clauses))
    return WASMFX_ERROR_ARGUMENT;
  for (size_t i = 0; i < count; i++) {
    if (!clauses[i].tag || clauses[i].tag->member.rt != rt)
      return WASMFX_ERROR_ARGUMENT;
    if (clauses[i].kind != WASMFX_ON_LABEL && clauses[i].kind != WASMFX_ON_SWITCH)
      return WASMFX_ERROR_ARGUMENT;
    if (clauses[i].kind == WASMFX_ON_SWITCH && clauses[i].tag->params->count)
      return WASMFX_ERROR_TYPE;
  }
  return WASMFX_OK;
}

enum { FILLING = WFX_CLAUSES_AT_ONCE - 1 };

static const struct wfx_clause *first_switch(const struct wasmfx_handlers *table)
{
  return table->clauses + table->label_bytes / sizeof *table->clauses;
}

/* Appends the clauses of one kind, in their order. */
static uint32_t append(struct wfx_clause *to, const wasmfx_clause_t *clauses, size_t count, uint32_t kind)
{
  uint32_t used = 0;
  for (size_t i = 0; i < count; i++)
    if (clauses[i].kind == kind)
      to[used++] = (struct wfx_clause){ clauses[i].tag, (uint32_t)i };
  return used;
}

static uint64_t filter_of(const struct wfx_clause *clauses, uint32_t count)
{
  uint64_t filter = 0;
  for (uint32_t i = 0; i < count; i++)
    filter |= clauses[i].tag->filter;
  return filter;
}

/* Behind the label clauses, with what no search finds; how many there are then. */
static uint32_t fill_up(struct wasmfx_handlers *table)
{
  uint32_t count = table->label_count;
  while (count % WFX_CLAUSES_AT_ONCE)
    table->clauses[count++] = (struct wfx_clause){ (const struct wasmfx_tag *)(const void *)table, 0 };
  return count;
}

wasmfx_status_t wasmfx_handlers_new(wasmfx_runtime_t *rt, const wasmfx_clause_t *clauses, size_t count,
                                    wasmfx_handlers_t **out)
{
  *out = NULL;
  wfx_probe_stack(rt->stack_room);
  const wasmfx_status_t status = check_clauses(rt, clauses, count);
  if (status < 0)
    return status;
  wasmfx_handlers_t *table = wfx_member_new(rt, sizeof *table + (count + FILLING) * sizeof *table->clauses);
  if (!table)
    return WASMFX_ERROR_NO_MEMORY;
  table->table = WFX_TABLE_CLAUSES;
  table->label_count = append(table->clauses, clauses, count, WASMFX_ON_LABEL);
  const uint32_t labels = fill_up(table);
  table->label_bytes = labels * (uint32_t)sizeof *table->clauses;
  table->switch_count = append(table->clauses + labels, clauses, count, WASMFX_ON_SWITCH);
  table->label_filter = filter_of(table->clauses, table->label_count);
  table->switch_filter = filter_of(first_switch(table), table->switch_count);
  table->word_tag = table;
  table->switch_tag = table->switch_count ? (const void *)first_switch(table)->tag : table;
  if (!rt->careful && table->label_count && wfx_form_is_word(table->clauses[0].tag->params->send_form)) {
    table->word_tag = table->clauses[0].tag;
    table->word_event = WASMFX_SUSPENDED | (uint64_t)table->clauses[0].index << 32;
  }
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

static const struct wfx_clause *match(const struct wasmfx_handlers *table, const struct wasmfx_tag *tag,
                                      bool is_switch)
{
  const struct wfx_clause *clause = is_switch ? first_switch(table) : table->clauses;
  const struct wfx_clause *end = clause + (is_switch ? table->switch_count : table->label_count);
  for (; clause < end; clause++)
    if (clause->tag == tag)
      return clause;
  return NULL;
}

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
 * one after the other. So that is what is tried first: where it is right time and again, the processor foretells the branch
 * and goes on from there, instead of waiting for what it reads.
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
    while (!(segment->handlers->label_filter & bit))
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
      return (struct wfx_found){ NULL, 0, WASMFX_TRAP_BARRIER };
    if (table->table == WFX_TABLE_EVERYTHING && is_switch)
      break; /* or else it would capture who cancels */
    const struct wfx_clause *clause = match(table, tag, is_switch);
    if (!clause && table->table != WFX_TABLE_EVERYTHING)
      continue;
    if (segment != current)
      remember(current, segment, key);
    return (struct wfx_found){ segment, clause ? clause->index : 0, WASMFX_OK };
  }
  return (struct wfx_found){ NULL, 0, WASMFX_TRAP_UNHANDLED };
}
