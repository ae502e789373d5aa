/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that the source does not have: entries, by which functions are referred to; start functions, with which
 * continuations begin; and what the module begins with.
 */
#include <string.h>

#include "body.h"
#include "emit.h"
#include "read.h"
#include "types.h"
#include "verbs.h"

static const wl_type of_start[] = { WL_I64, WL_REF | WL_NULL | WL_EXTERN };
static const struct wl_list nothing = { NULL, 0 }, start_params = { of_start, 2 }, one_word = { of_start, 1 };

uint32_t wl_add(struct wl_lowering *l, struct wl_added added)
{
  const uint8_t key[6] = { added.addition, added.is_general, (uint8_t)added.index, (uint8_t)(added.index >> 8),
                           (uint8_t)(added.index >> 16), (uint8_t)(added.index >> 24) };
  bool is_new;
  const struct wl_interned *item = wl_intern(&l->module->memory, &l->additions, key, sizeof key, &is_new);
  if (!item) {
    wl_fail_for_memory(&l->module->error, 0);
    return 0;
  }
  return l->module->functions.count + (uint32_t)(item - wl_interned(&l->additions, 0));
}

static struct wl_added added_at(const struct wl_lowering *l, uint32_t number)
{
  const uint8_t *key = wl_interned_bytes(&l->additions, wl_interned(&l->additions, number));
  return (struct wl_added){ key[0], key[1],
                            key[2] | (uint32_t)key[3] << 8 | (uint32_t)key[4] << 16 | (uint32_t)key[5] << 24 };
}

static uint32_t type_of_function(const struct wl_lowering *l, uint32_t function)
{
  return WL_ITEM(wl_function, l->module->functions, function)->type;
}

/* ---- Entries --------------------------------------------------------------------------------- */

/* Goes out of the block if this is the type by which it was called: two i64 after the parameters. */
static void compare_identity(struct wl_lowering *l, uint32_t definition, uint32_t params)
{
  for (uint32_t half = 0; half < 2; half++) {
    wl_emit_index(l, WL_LOCAL_GET, params + half);
    wl_emit_half_identity(l, definition, half);
    wl_emit(l, WL_I64_EQ);
  }
  wl_emit(l, WL_I32_AND);
  wl_emit_branch(l, WL_BR_IF, l->depth - 1);
}

static void call_with_parameters(struct wl_lowering *l, uint32_t params, uint32_t function)
{
  for (uint32_t i = 0; i < params && !wl_lower_failed(l); i++)
    wl_emit_index(l, WL_LOCAL_GET, i);
  wl_emit_function(l, WL_CALL, function);
  wl_emit(l, WL_END);
}

/* A call by the own type or by one above it goes through. */
static void lower_entry(struct wl_lowering *l, struct wl_added added)
{
  const uint32_t type = type_of_function(l, added.index);
  const struct wl_list params = wl_params(l->module, type), results = wl_results(l->module, type);
  const uint32_t low_type = wl_low_list_type(l, params, results, true);
  wl_begin_function(l, params.count + 3);
  wl_open(l, WL_BLOCK);
  for (uint32_t t = type; t != WL_NONE && !wl_lower_failed(l); t = wl_definition(l->module, t)->supertype)
    compare_identity(l, t, params.count);
  wl_emit_trap(l, WL_TRAP_CALL_TYPE);
  wl_close(l);
  call_with_parameters(l, params.count, added.index);
  wl_finish_function(l, low_type);
}

static void lower_passage(struct wl_lowering *l, struct wl_added added)
{
  const uint32_t type = type_of_function(l, added.index), params = wl_params(l->module, type).count;
  wl_begin_function(l, params);
  call_with_parameters(l, params, added.index);
  wl_finish_function(l, wl_low_function_type(l, type));
}

/* ---- Start functions ------------------------------------------------------------------------- */

enum { WORD = 0, FROM = 1 /* their parameters */ };

static void take_arguments(struct wl_lowering *l, struct wl_list params, bool is_general)
{
  if (is_general) {
    wl_take_values(l, params);
    return;
  }
  const bool has_from = wl_ends_in_cont(l->module, params);
  if (params.count > has_from) {
    wl_emit_index(l, WL_LOCAL_GET, WORD);
    wl_from_word(l, params.types[0]);
  }
  if (has_from)
    wl_emit_index(l, WL_LOCAL_GET, FROM);
}

/* What is thrown has no results: none are named then. */
static void return_if_thrown(struct wl_lowering *l)
{
  wl_emit_index(l, WL_GLOBAL_GET, wl_thrown_global(l));
  wl_emit(l, WL_REF_IS_NULL);
  wl_emit(l, WL_I32_EQZ);
  wl_open(l, WL_IF);
  wl_emit_i64(l, 0);
  wl_emit(l, WL_RETURN);
  wl_close(l);
}

/* Where the function has no result, or an i32, nothing is left to do after the call: what it answers is the answer, and
 * a compiler may make a jump of the call. */
static bool ends_by_call(struct wl_list results)
{
  return results.count == 0 || results.types[0] == WL_I32;
}

/* One after the other for a list, though they lie on the stack with the last on top. */
static void give_results(struct wl_lowering *l, struct wl_list results, bool is_general)
{
  if (is_general) {
    wl_give_arguments(l, results);
    wl_emit_i64(l, 0);
  } else if (!ends_by_call(results)) {
    wl_to_word(l, results.types[0]);
  }
}

static bool may_throw(const struct wl_lowering *l, struct wl_added added)
{
  return l->can_throw && (added.addition != WL_START || l->functions[added.index] & WL_MAY_THROW);
}

static void lower_start_of(struct wl_lowering *l, struct wl_added added, uint32_t type)
{
  const struct wl_list results = wl_results(l->module, type);
  const bool is_known = added.addition == WL_START, answers_as_it_is = !added.is_general && ends_by_call(results);
  const uint32_t low_type = wl_low_list_type(l, start_params, answers_as_it_is ? results : one_word, false);
  wl_begin_function(l, start_params.count);
  uint32_t function = 0;
  if (!is_known) {
    function = wl_scratch(l, WL_LOW_FUNC);
    wl_emit_verb(l, WL_V_START_FUNCTION, WL_ALONE);
    wl_emit_index(l, WL_LOCAL_SET, function);
  }
  take_arguments(l, wl_params(l->module, type), added.is_general);
  if (is_known) {
    wl_emit_function(l, WL_CALL, added.index);
  } else {
    wl_emit_index(l, WL_LOCAL_GET, function);
    wl_emit_call_ref(l, type, true);
  }
  wl_release(l);
  if (added.is_general && may_throw(l, added))
    return_if_thrown(l);
  give_results(l, results, added.is_general);
  wl_emit(l, WL_END);
  wl_finish_function(l, low_type);
}

/* What expressions outside of code refer to. Code has said so already. */
static void refer_in_expression(struct wl_lowering *l, uint32_t at)
{
  wl_begin_function(l, 0);
  if (at)
    wl_lower_expression(l, at);
}

static void refer_in_elements(struct wl_lowering *l, const struct wl_elements *elements)
{
  struct wl_cursor cursor = wl_cursor_at(l->module, elements->items, l->module->size);
  for (uint32_t i = 0; i < elements->count && !wl_lower_failed(l); i++)
    if (elements->are_expressions)
      refer_in_expression(l, wl_skip_expression(&cursor));
    else
      wl_referred(l, wl_u32(&cursor));
  if (elements->mode == WL_ACTIVE)
    l->places_later |= elements->table < l->module->imported[WL_KIND_TABLE] || wl_reads_globals(l->module, elements);
}

static void refer_outside_of_code(struct wl_lowering *l)
{
  for (uint32_t i = 0; i < l->module->globals.count && !wl_lower_failed(l); i++)
    refer_in_expression(l, WL_ITEM(wl_global, l->module->globals, i)->init);
  for (uint32_t i = 0; i < l->module->tables.count && !wl_lower_failed(l); i++) {
    refer_in_expression(l, WL_ITEM(wl_table, l->module->tables, i)->init);
    l->places_later |= WL_ITEM(wl_table, l->module->tables, i)->init != 0;
  }
  for (uint32_t i = 0; i < l->module->elements.count && !wl_lower_failed(l); i++)
    refer_in_elements(l, WL_ITEM(wl_elements, l->module->elements, i));
}

bool wl_lower_added(struct wl_lowering *l)
{
  refer_outside_of_code(l);
  for (uint32_t i = 0; i < l->additions.items.count && !wl_lower_failed(l); i++) {
    const struct wl_added added = added_at(l, i);
    switch ((enum wl_addition)added.addition) {
    case WL_ENTRY: lower_entry(l, added); break;
    case WL_PASSAGE: lower_passage(l, added); break;
    case WL_START: lower_start_of(l, added, type_of_function(l, added.index)); break;
    case WL_START_TYPE: lower_start_of(l, added, added.index); break;
    }
  }
  return !wl_lower_failed(l);
}

/* ---- What the module begins with ------------------------------------------------------------- */

static void set_added(struct wl_lowering *l, uint32_t number)
{
  wl_emit_index(l, WL_GLOBAL_SET, wl_added_global(l, number));
}

static void make_types(struct wl_lowering *l)
{
  for (uint32_t i = 0; i < l->kinds.items.count && !wl_lower_failed(l); i++) {
    const struct wl_interned *item = wl_interned(&l->kinds, i);
    enum wl_verb verb = WL_V_TYPE_PARAMETER;
    for (uint32_t k = 0; k < item->length && !wl_lower_failed(l); k++) {
      const uint8_t kind = wl_interned_bytes(&l->kinds, item)[k];
      if (kind == 0) {
        verb = WL_V_TYPE_RESULT;
        continue;
      }
      wl_emit_i32(l, kind);
      wl_emit_verb(l, verb, WL_ALONE);
    }
    wl_emit_verb(l, WL_V_TYPE, WL_ALONE);
    set_added(l, item->value);
  }
}

static void make_tags(struct wl_lowering *l)
{
  for (uint32_t i = l->module->imported[WL_KIND_TAG]; i < l->module->tags.count && !wl_lower_failed(l); i++) {
    wl_emit_type(l, WL_ITEM(wl_tag, l->module->tags, i)->type);
    wl_emit_verb(l, WL_V_TAG, WL_ALONE);
    wl_emit_index(l, WL_GLOBAL_SET, wl_tag_global(l, i));
  }
}

static void make_handlers(struct wl_lowering *l)
{
  for (uint32_t i = 0; i < l->handlers.items.count && !wl_lower_failed(l); i++) {
    const struct wl_interned *item = wl_interned(&l->handlers, i);
    for (uint32_t k = 0; k < item->length && !wl_lower_failed(l); k += 5) {
      const uint8_t *clause = wl_interned_bytes(&l->handlers, item) + k;
      wl_emit_tag(l, clause[1] | (uint32_t)clause[2] << 8 | (uint32_t)clause[3] << 16 | (uint32_t)clause[4] << 24);
      wl_emit_i32(l, clause[0]);
      wl_emit_verb(l, WL_V_CLAUSE, WL_ALONE);
    }
    wl_emit_verb(l, WL_V_HANDLERS, WL_ALONE);
    set_added(l, item->value);
  }
}

static void make_closures(struct wl_lowering *l)
{
  for (uint32_t i = 0; i < l->closures.items.count && !wl_lower_failed(l); i++) {
    const struct wl_interned *item = wl_interned(&l->closures, i);
    uint32_t number;
    memcpy(&number, wl_interned_bytes(&l->closures, item), sizeof number);
    wl_emit_function(l, WL_REF_FUNC, number);
    wl_emit_null(l, WL_LOW_FUNC);
    wl_emit_i32(l, may_throw(l, added_at(l, number - l->module->functions.count)));
    wl_emit_verb(l, WL_V_CLOSURE, WL_ALONE);
    set_added(l, item->value);
  }
}

/* An instruction with a prefix, and its first index. */
static void emit_bulk(struct wl_lowering *l, uint16_t opcode, uint32_t index)
{
  wl_emit(l, WL_MISC_PREFIX);
  wl_put_unsigned(l, &l->bytes, opcode - WL_MISC);
  wl_put_unsigned(l, &l->bytes, index);
}

static void fill_tables(struct wl_lowering *l)
{
  for (uint32_t i = l->module->imported[WL_KIND_TABLE]; i < l->module->tables.count && !wl_lower_failed(l); i++) {
    const struct wl_table *table = WL_ITEM(wl_table, l->module->tables, i);
    if (!table->init)
      continue;
    wl_emit_i32(l, 0);
    wl_lower_expression(l, table->init);
    wl_emit_i32(l, (uint32_t)table->limits.least);
    emit_bulk(l, WL_TABLE_FILL, i);
  }
}

/* An active segment of elements is passive in the lowered module then. */
static void place_whole(struct wl_lowering *l, const struct wl_elements *elements, uint32_t index)
{
  wl_lower_expression(l, elements->place);
  wl_emit_i32(l, 0);
  wl_emit_i32(l, elements->count);
  emit_bulk(l, WL_TABLE_INIT, index);
  wl_put_unsigned(l, &l->bytes, elements->table);
  emit_bulk(l, WL_ELEM_DROP, index);
}

/* Traps where the last would not fit, before the first is placed. */
static void look_at_last(struct wl_lowering *l, const struct wl_elements *elements, uint32_t place)
{
  wl_emit_index(l, WL_LOCAL_GET, place);
  wl_emit_i32(l, elements->count - 1);
  wl_emit(l, WL_I32_ADD);
  wl_emit_index(l, WL_TABLE_GET, elements->table);
  wl_emit(l, WL_DROP);
}

static void place_items(struct wl_lowering *l, const struct wl_elements *elements)
{
  struct wl_cursor cursor = wl_cursor_at(l->module, elements->items, l->module->size);
  const uint32_t place = wl_scratch(l, WL_LOW_I32), item = wl_scratch(l, wl_low_type(l->module, elements->type));
  wl_lower_expression(l, elements->place);
  wl_emit_index(l, WL_LOCAL_SET, place);
  look_at_last(l, elements, place);
  for (uint32_t i = 0; i < elements->count && !wl_lower_failed(l); i++) {
    wl_lower_expression(l, cursor.at);
    wl_emit_index(l, WL_LOCAL_SET, item);
    wl_emit_index(l, WL_LOCAL_GET, place);
    wl_emit_i32(l, i);
    wl_emit(l, WL_I32_ADD);
    wl_emit_index(l, WL_LOCAL_GET, item);
    wl_emit_index(l, WL_TABLE_SET, elements->table);
    wl_skip_expression(&cursor);
  }
}

static void place_elements(struct wl_lowering *l)
{
  for (uint32_t i = 0; l->places_later && i < l->module->elements.count && !wl_lower_failed(l); i++) {
    const struct wl_elements *elements = WL_ITEM(wl_elements, l->module->elements, i);
    wl_release(l);
    if (elements->mode != WL_ACTIVE)
      continue;
    if (wl_reads_globals(l->module, elements))
      place_items(l, elements);
    else
      place_whole(l, elements, i);
  }
}

/* After the elements, as it would be without this. */
static void place_datas(struct wl_lowering *l)
{
  for (uint32_t i = 0; l->places_later && i < l->module->datas.count && !wl_lower_failed(l); i++) {
    const struct wl_data *data = WL_ITEM(wl_data, l->module->datas, i);
    if (data->mode != WL_ACTIVE)
      continue;
    wl_lower_expression(l, data->place);
    wl_emit_i32(l, 0);
    wl_emit_i32(l, data->count);
    emit_bulk(l, WL_MEMORY_INIT, i);
    wl_put_unsigned(l, &l->bytes, data->memory);
    emit_bulk(l, WL_DATA_DROP, i);
  }
}

/* The types of tags are among those that are made. */
static void ask_for_types_of_tags(struct wl_lowering *l)
{
  for (uint32_t i = l->module->imported[WL_KIND_TAG]; i < l->module->tags.count && !wl_lower_failed(l); i++)
    wl_emit_type(l, WL_ITEM(wl_tag, l->module->tags, i)->type);
}

uint32_t wl_lower_start(struct wl_lowering *l)
{
  const struct wl_module *module = l->module;
  wl_begin_function(l, 0);
  ask_for_types_of_tags(l);
  if (l->globals == 0 && !l->places_later)
    return module->start;
  wl_begin_function(l, 0);
  l->is_start = true;
  make_types(l);
  make_tags(l);
  make_handlers(l);
  make_closures(l);
  fill_tables(l);
  place_elements(l);
  place_datas(l);
  if (module->start != WL_NONE)
    wl_emit_function(l, WL_CALL, module->start);
  wl_emit(l, WL_END);
  wl_finish_function(l, wl_low_list_type(l, nothing, nothing, false));
  return module->functions.count + l->additions.items.count;
}
