/* SPDX-License-Identifier: Apache-2.0 */
/* Stack switching and exceptions in lowered code. Pictures of the stack have its top on the right. */
#include "verbs.h"

#include <string.h>

#include "types.h"

static const struct wl_list nothing = { NULL, 0 };

/* ---- Lists of types -------------------------------------------------------------------------- */

static struct wl_list first_of(struct wl_list list, uint32_t count)
{
  return (struct wl_list){ list.types, count };
}

static bool is_cont(const struct wl_module *module, wl_type type)
{
  return wl_is_ref(type) && wl_top(module, wl_heap(type)) == WL_CONT;
}

bool wl_ends_in_cont(const struct wl_module *module, struct wl_list list)
{
  return list.count && is_cont(module, list.types[list.count - 1]);
}

bool wl_is_word_form(const struct wl_module *module, struct wl_list params, struct wl_list results)
{
  return params.count - wl_ends_in_cont(module, params) <= 1 && results.count <= 1;
}

static uint32_t function_of(const struct wl_module *module, uint32_t cont)
{
  return wl_definition(module, cont)->first;
}

static uint32_t type_of_tag(const struct wl_module *module, uint32_t tag)
{
  return WL_ITEM(wl_tag, module->tags, tag)->type;
}

/* ---- Words ----------------------------------------------------------------------------------- */

void wl_to_word(struct wl_lowering *l, wl_type type)
{
  switch (wl_low_type(l->module, type)) {
  case WL_LOW_F32:
    wl_emit(l, WL_I32_REINTERPRET_F32);
    wl_emit(l, WL_I64_EXTEND_I32_U);
    break;
  case WL_LOW_I32: wl_emit(l, WL_I64_EXTEND_I32_U); break;
  case WL_LOW_I64: break;
  case WL_LOW_F64: wl_emit(l, WL_I64_REINTERPRET_F64); break;
  case WL_LOW_FUNC: wl_emit_verb(l, WL_V_FUNCTION_WORD, WL_ALONE); break;
  default: wl_emit_verb(l, WL_V_WORD, WL_ALONE);
  }
}

void wl_from_word(struct wl_lowering *l, wl_type type)
{
  switch (wl_low_type(l->module, type)) {
  case WL_LOW_F32:
    wl_emit(l, WL_I32_WRAP_I64);
    wl_emit(l, WL_F32_REINTERPRET_I32);
    break;
  case WL_LOW_I32: wl_emit(l, WL_I32_WRAP_I64); break;
  case WL_LOW_I64: break;
  case WL_LOW_F64: wl_emit(l, WL_F64_REINTERPRET_I64); break;
  case WL_LOW_FUNC: wl_emit_verb(l, WL_V_FUNCTION, WL_ALONE); break;
  default: wl_emit_verb(l, WL_V_REFERENCE, WL_ALONE);
  }
}

static void get(struct wl_lowering *l, uint32_t local)
{
  wl_emit_index(l, WL_LOCAL_GET, local);
}

static void set(struct wl_lowering *l, uint32_t local)
{
  wl_emit_index(l, WL_LOCAL_SET, local);
}

/* The top of the stack into a local for this instruction. */
static uint32_t put_away(struct wl_lowering *l, uint32_t low_type)
{
  const uint32_t local = wl_scratch(l, low_type);
  set(l, local);
  return local;
}

void wl_take_values(struct wl_lowering *l, struct wl_list list)
{
  for (uint32_t i = 0; i < list.count && !wl_lower_failed(l); i++) {
    wl_emit_i32(l, i);
    wl_emit_verb(l, WL_V_VALUE, WL_ALONE);
    wl_from_word(l, list.types[i]);
  }
}

/* What has arrived: the word in a local, or what the host has. */
static void take(struct wl_lowering *l, struct wl_list list, bool is_word, uint32_t word)
{
  if (!is_word || list.count > 1) {
    wl_take_values(l, list);
  } else if (list.count == 1) {
    get(l, word);
    wl_from_word(l, list.types[0]);
  }
}

static void give_word(struct wl_lowering *l, struct wl_list list)
{
  if (list.count)
    wl_to_word(l, list.types[0]);
  else
    wl_emit_i64(l, 0);
}

/* Puts all away, the last first, and answers where: `operands` is the list of the locals. */
static const uint32_t *put_all_away(struct wl_lowering *l, struct wl_list list)
{
  l->operands.count = 0;
  for (uint32_t i = 0; i < list.count && !wl_lower_failed(l); i++)
    if (!wl_make_room(&l->module->memory, &l->operands, sizeof(uint32_t)))
      wl_fail_for_memory(&l->module->error, 0);
    else
      ((uint32_t *)l->operands.items)[l->operands.count++] = wl_scratch(l, wl_low_type(l->module, list.types[i]));
  for (uint32_t i = l->operands.count; i-- > 0;)
    set(l, ((uint32_t *)l->operands.items)[i]);
  return l->operands.items;
}

static void give(struct wl_lowering *l, struct wl_list list, bool as_arguments)
{
  const uint32_t *locals = put_all_away(l, list);
  for (uint32_t i = 0; i < list.count && !wl_lower_failed(l); i++) {
    get(l, locals[i]);
    wl_to_word(l, list.types[i]);
    if (as_arguments)
      wl_emit_verb(l, WL_V_ARGUMENT, WL_ALONE);
  }
}

void wl_give_arguments(struct wl_lowering *l, struct wl_list list)
{
  give(l, list, true);
}

enum wl_variant wl_give_values(struct wl_lowering *l, struct wl_list list)
{
  const bool has_family = 0 < list.count && list.count <= 4;
  give(l, list, !has_family);
  if (has_family)
    return (enum wl_variant)(WL_WITH_1 + list.count - 1);
  wl_emit_i32(l, list.count);
  return WL_WITH_N;
}

/* ---- What the host makes once ---------------------------------------------------------------- */

static void put_kinds(struct wl_lowering *l, struct wl_list list)
{
  for (uint32_t i = 0; i < list.count && !wl_lower_failed(l); i++) {
    const wl_type type = list.types[i];
    uint8_t kind = (uint8_t)wl_low_type(l->module, type);
    if (is_cont(l->module, type))
      kind = WL_CONT & 0xff;
    else if (wl_is_ref(type) && wl_top(l->module, wl_heap(type)) == WL_EXN)
      kind = WL_EXN & 0xff;
    wl_put_byte(l, &l->temporary, kind);
  }
}

/* The number of the global of what `temporary` describes; a new one, if it is described for the first time. */
static uint32_t made_once(struct wl_lowering *l, struct wl_interner *interner)
{
  bool is_new = false;
  struct wl_interned *item = wl_lower_failed(l) ? NULL
    : wl_intern(&l->module->memory, interner, l->temporary.items, l->temporary.count, &is_new);
  if (!item) {
    wl_fail_for_memory(&l->module->error, 0);
    return 0;
  }
  if (is_new)
    item->value = l->globals++;
  return item->value;
}

void wl_emit_type(struct wl_lowering *l, uint32_t definition)
{
  l->temporary.count = 0;
  put_kinds(l, wl_params(l->module, definition));
  wl_put_byte(l, &l->temporary, 0);
  put_kinds(l, wl_results(l->module, definition));
  wl_emit_index(l, WL_GLOBAL_GET, wl_added_global(l, made_once(l, &l->kinds)));
}

void wl_emit_tag(struct wl_lowering *l, uint32_t tag)
{
  wl_emit_index(l, WL_GLOBAL_GET, wl_tag_global(l, tag));
}

static void emit_handlers(struct wl_lowering *l, struct wl_body *body)
{
  struct wl_cursor cursor = wl_cursor_at(l->module, body->now.list, body->cursor.end);
  if (body->now.count == 0) {
    wl_emit_null(l, WL_LOW_EXTERN);
    return;
  }
  l->temporary.count = 0;
  for (uint32_t i = 0; i < body->now.count && !wl_lower_failed(l); i++) {
    const struct wl_clause clause = wl_next_handler(&cursor);
    const uint32_t tag = clause.tag;
    const uint8_t bytes[5] = { clause.kind == WL_ON_SWITCH, (uint8_t)tag, (uint8_t)(tag >> 8), (uint8_t)(tag >> 16),
                               (uint8_t)(tag >> 24) };
    wl_put_bytes(l, &l->temporary, bytes, sizeof bytes);
  }
  wl_emit_index(l, WL_GLOBAL_GET, wl_added_global(l, made_once(l, &l->handlers)));
}

/* ---- What is on its way ---------------------------------------------------------------------- */

uint32_t wl_landing(const struct wl_lowering *l)
{
  return l->levels.count ? WL_ITEM(wl_level, l->levels, l->levels.count - 1)->landing : l->landing;
}

static void get_thrown(struct wl_lowering *l)
{
  wl_emit_index(l, WL_GLOBAL_GET, wl_thrown_global(l));
}

void wl_emit_test(struct wl_lowering *l)
{
  if (!l->throws)
    return;
  get_thrown(l);
  wl_emit(l, WL_REF_IS_NULL);
  wl_emit(l, WL_I32_EQZ);
  wl_emit_branch(l, WL_BR_IF, wl_landing(l));
}

/* [exception] -> []; what follows is not reached. */
static void throw_it(struct wl_lowering *l)
{
  wl_emit_index(l, WL_GLOBAL_SET, wl_thrown_global(l));
  wl_emit_branch(l, WL_BR, wl_landing(l));
  l->is_dead = true;
}

/* [values] -> [exception] */
static void make_exception(struct wl_lowering *l, uint32_t tag)
{
  const struct wl_list values = wl_params(l->module, type_of_tag(l->module, tag));
  enum wl_variant variant = WL_ALONE;
  if (values.count <= 1)
    give_word(l, values);
  else
    variant = wl_give_values(l, values);
  wl_emit_tag(l, tag);
  wl_emit_verb(l, WL_V_EXCEPTION, variant);
}

void wl_lower_throw(struct wl_lowering *l, struct wl_body *body)
{
  make_exception(l, body->now.x);
  throw_it(l);
}

void wl_lower_throw_ref(struct wl_lowering *l, struct wl_body *body)
{
  (void)body;
  const uint32_t exception = wl_scratch(l, WL_LOW_EXTERN);
  wl_emit_index(l, WL_LOCAL_TEE, exception);
  wl_emit(l, WL_REF_IS_NULL);
  wl_open(l, WL_IF);
  wl_emit_trap(l, WL_TRAP_NULL_EXCEPTION);
  wl_close(l);
  get(l, exception);
  throw_it(l);
}

/* What a clause hands over: the values, and the exception itself if it asks for that; then to its label. */
static void catch_it(struct wl_lowering *l, struct wl_clause clause, uint32_t label)
{
  const bool has_reference = clause.kind == WL_CATCH_REF || clause.kind == WL_CATCH_ALL_REF;
  const struct wl_list values =
    clause.kind < WL_CATCH_ALL ? wl_params(l->module, type_of_tag(l->module, clause.tag)) : nothing;
  const uint32_t exception = has_reference ? wl_scratch(l, WL_LOW_EXTERN) : 0;
  if (has_reference) {
    get_thrown(l);
    set(l, exception);
  }
  wl_emit_i32(l, has_reference);
  wl_emit_verb(l, WL_V_CAUGHT, WL_ALONE);
  if (values.count == 1)
    wl_from_word(l, values.types[0]);
  else
    wl_emit(l, WL_DROP);
  if (values.count > 1)
    wl_take_values(l, values);
  if (has_reference)
    get(l, exception);
  wl_emit_branch(l, WL_BR, label);
}

void wl_lower_clauses(struct wl_lowering *l, struct wl_body *body, struct wl_level level)
{
  struct wl_cursor cursor = wl_cursor_at(l->module, level.clauses, body->cursor.end);
  for (uint32_t i = 0; i < level.count && !wl_lower_failed(l); i++) {
    const struct wl_clause clause = wl_next_catch(&cursor);
    const uint32_t label = WL_ITEM(wl_level, l->levels, l->levels.count - 1 - clause.label)->label;
    wl_release(l);
    if (clause.kind >= WL_CATCH_ALL) {
      catch_it(l, clause, label);
      return;
    }
    wl_emit_tag(l, clause.tag);
    wl_emit_verb(l, WL_V_CATCHES, WL_ALONE);
    wl_open(l, WL_IF);
    catch_it(l, clause, label);
    wl_close(l);
  }
  wl_emit_branch(l, WL_BR, wl_landing(l));
}

/* ---- Function references --------------------------------------------------------------------- */

void wl_emit_half_identity(struct wl_lowering *l, uint32_t definition, uint32_t half)
{
  const uint8_t *bytes = l->identities[definition].bytes + (size_t)8 * half;
  uint64_t number = 0;
  for (unsigned i = 0; i < 8; i++)
    number |= (uint64_t)bytes[i] << 8 * i;
  wl_emit_i64(l, number);
}

void wl_emit_identity(struct wl_lowering *l, uint32_t definition)
{
  wl_emit_half_identity(l, definition, 0);
  wl_emit_half_identity(l, definition, 1);
}

/* [operands function] -> [results] */
void wl_emit_call_ref(struct wl_lowering *l, uint32_t definition, bool is_checked)
{
  const uint32_t table = l->module->tables.count, function = wl_scratch(l, WL_LOW_FUNC);
  l->has_scratch_table = true;
  wl_emit_index(l, is_checked ? WL_LOCAL_SET : WL_LOCAL_TEE, function);
  if (!is_checked) {
    wl_emit(l, WL_REF_IS_NULL);
    wl_open(l, WL_IF);
    wl_emit_trap(l, WL_TRAP_NULL_FUNCTION);
    wl_close(l);
  }
  wl_emit_i32(l, 0);
  get(l, function);
  wl_emit_index(l, WL_TABLE_SET, table);
  wl_emit_i32(l, 0);
  wl_emit_call_indirect(l, definition, table);
}

/* ---- cont.new, cont.bind --------------------------------------------------------------------- */

static bool has_word_form(const struct wl_module *module, uint32_t cont)
{
  const uint32_t function = function_of(module, cont);
  return wl_is_word_form(module, wl_params(module, function), wl_results(module, function));
}

/* [closure] -> [continuation] */
static void make_cont(struct wl_lowering *l, uint32_t cont)
{
  wl_emit_type(l, function_of(l->module, cont));
  wl_emit_verb(l, has_word_form(l->module, cont) ? WL_V_CONT_NEW : WL_V_CONT_NEW_N, WL_ALONE);
}

void wl_lower_cont_of(struct wl_lowering *l, uint32_t function, uint32_t cont)
{
  const struct wl_added start = { WL_START, !has_word_form(l->module, cont), function };
  const uint32_t number = wl_add(l, start);
  l->temporary.count = 0;
  wl_put_bytes(l, &l->temporary, (const uint8_t *)&number, sizeof number);
  wl_emit_index(l, WL_GLOBAL_GET, wl_added_global(l, made_once(l, &l->closures)));
  make_cont(l, cont);
}

/* [function] -> [continuation]. A closure is the start function for the type, and the function. */
void wl_lower_cont_new(struct wl_lowering *l, struct wl_body *body)
{
  const uint32_t cont = body->now.x, function = wl_scratch(l, WL_LOW_FUNC);
  const struct wl_added start = { WL_START_TYPE, !has_word_form(l->module, cont),
                                  wl_definition(l->module, function_of(l->module, cont))->canonical };
  wl_emit_index(l, WL_LOCAL_TEE, function);
  wl_emit(l, WL_REF_IS_NULL);
  wl_open(l, WL_IF);
  wl_emit_trap(l, WL_TRAP_NULL_FUNCTION);
  wl_close(l);
  wl_emit_function(l, WL_REF_FUNC, wl_add(l, start));
  get(l, function);
  wl_emit_i32(l, l->can_throw);
  wl_emit_verb(l, WL_V_CLOSURE, WL_ALONE);
  make_cont(l, cont);
}

void wl_lower_cont_bind(struct wl_lowering *l, struct wl_body *body)
{
  const uint32_t from = function_of(l->module, body->now.x), to = function_of(l->module, body->now.y);
  const struct wl_list params = wl_params(l->module, from);
  const struct wl_list bound = first_of(params, params.count - wl_params(l->module, to).count);
  const uint32_t cont = put_away(l, WL_LOW_EXTERN);
  const enum wl_variant variant = bound.count ? wl_give_values(l, bound) : WL_WITH_0;
  get(l, cont);
  wl_emit_type(l, to);
  wl_emit_verb(l, WL_V_CONT_BIND, variant);
}

/* ---- suspend, switch ------------------------------------------------------------------------- */

/* In word form, if both ways are and nothing comes beside. */
void wl_lower_suspend(struct wl_lowering *l, struct wl_body *body)
{
  const uint32_t type = type_of_tag(l->module, body->now.x);
  const struct wl_list params = wl_params(l->module, type), results = wl_results(l->module, type);
  const bool is_word = params.count <= 1 && results.count <= 1 && !wl_ends_in_cont(l->module, results);
  enum wl_variant variant = WL_ALONE;
  if (is_word)
    give_word(l, params);
  else
    variant = wl_give_values(l, params);
  wl_emit_tag(l, body->now.x);
  wl_emit_verb(l, WL_V_SUSPEND, variant);
  wl_emit_test(l);
  if (!is_word)
    wl_take_values(l, results);
  else if (results.count)
    wl_from_word(l, results.types[0]);
  else
    wl_emit(l, WL_DROP);
}

/* After `switch` in word form: [word continuation] -> what who waited here waited for. */
static void take_switched(struct wl_lowering *l, struct wl_list list)
{
  const uint32_t from = put_away(l, WL_LOW_EXTERN), word = put_away(l, WL_LOW_I64);
  const struct wl_list rest = first_of(list, list.count - wl_ends_in_cont(l->module, list));
  wl_emit_test(l);
  if (rest.count > 1) {
    wl_take_values(l, list);
    return;
  }
  take(l, rest, true, word);
  if (rest.count < list.count)
    get(l, from);
}

void wl_lower_switch(struct wl_lowering *l, struct wl_body *body)
{
  const struct wl_list target = wl_params(l->module, function_of(l->module, body->now.x));
  const struct wl_list values = first_of(target, target.count - 1);
  const uint32_t self = function_of(l->module, wl_heap(target.types[target.count - 1]));
  const uint32_t cont = put_away(l, WL_LOW_EXTERN);
  const bool is_word = values.count <= 1;
  enum wl_variant variant = WL_ALONE;
  if (is_word)
    give_word(l, values);
  else
    variant = wl_give_values(l, values);
  get(l, cont);
  wl_emit_tag(l, body->now.y);
  wl_emit_type(l, self);
  wl_emit_verb(l, WL_V_SWITCH, variant);
  if (is_word) {
    take_switched(l, wl_params(l->module, self));
  } else {
    wl_emit_test(l);
    wl_take_values(l, wl_params(l->module, self));
  }
}

/* ---- resume ---------------------------------------------------------------------------------- */

/* Where what a resume has answered lies. */
struct resumed {
  uint32_t which, word, cont;
  bool is_word;
};

static void to_handler(struct wl_lowering *l, struct wl_clause clause, struct resumed resumed)
{
  take(l, wl_params(l->module, type_of_tag(l->module, clause.tag)), resumed.is_word, resumed.word);
  get(l, resumed.cont);
  wl_emit_branch(l, WL_BR, WL_ITEM(wl_level, l->levels, l->levels.count - 1 - clause.label)->label);
}

static uint32_t count_labels(struct wl_lowering *l, struct wl_body *body, struct wl_clause *last)
{
  struct wl_cursor cursor = wl_cursor_at(l->module, body->now.list, body->cursor.end);
  uint32_t count = 0;
  for (uint32_t i = 0; i < body->now.count; i++) {
    const struct wl_clause clause = wl_next_handler(&cursor);
    if (clause.kind == WL_ON_LABEL) {
      *last = clause;
      count++;
    }
  }
  return count;
}

/*
 *     block $returned
 *       block $last ... block $first
 *         (br_table $returned $first ... $last (which))
 *       end  ;; to the first handler
 *       ...
 *     end
 */
static void dispatch(struct wl_lowering *l, struct wl_body *body, uint32_t labels, struct resumed resumed)
{
  struct wl_cursor cursor = wl_cursor_at(l->module, body->now.list, body->cursor.end);
  uint32_t place = 0;
  for (uint32_t i = 0; i <= labels && !wl_lower_failed(l); i++)
    wl_open(l, WL_BLOCK);
  get(l, resumed.which);
  wl_emit_index(l, WL_BR_TABLE, body->now.count + 1);
  wl_put_unsigned(l, &l->bytes, labels);
  for (uint32_t i = 0; i < body->now.count && !wl_lower_failed(l); i++)
    wl_put_unsigned(l, &l->bytes, wl_next_handler(&cursor).kind == WL_ON_LABEL ? place++ : labels);
  wl_put_unsigned(l, &l->bytes, labels);
  cursor = wl_cursor_at(l->module, body->now.list, body->cursor.end);
  for (uint32_t i = 0; i < body->now.count && !wl_lower_failed(l); i++) {
    const struct wl_clause clause = wl_next_handler(&cursor);
    if (clause.kind != WL_ON_LABEL)
      continue;
    wl_close(l);
    to_handler(l, clause, resumed);
  }
  wl_close(l);
}

/* [which word continuation] -> [results], or to a handler. */
static void finish_resume(struct wl_lowering *l, struct wl_body *body, bool is_word)
{
  struct wl_clause only = { .offset = 0 };
  struct resumed resumed = { .is_word = is_word };
  resumed.cont = put_away(l, WL_LOW_EXTERN);
  resumed.word = put_away(l, WL_LOW_I64);
  const uint32_t labels = count_labels(l, body, &only);
  if (labels == 0) {
    wl_emit(l, WL_DROP);
  } else if (labels == 1) {
    wl_open(l, WL_IF);
    to_handler(l, only, resumed);
    wl_close(l);
  } else {
    resumed.which = put_away(l, WL_LOW_I32);
    dispatch(l, body, labels, resumed);
  }
  wl_emit_test(l);
  take(l, wl_results(l->module, function_of(l->module, body->now.x)), is_word, resumed.word);
}

void wl_lower_resume(struct wl_lowering *l, struct wl_body *body)
{
  const struct wl_list params = wl_params(l->module, function_of(l->module, body->now.x));
  const bool is_word = params.count <= 1 && !wl_ends_in_cont(l->module, params);
  const uint32_t cont = put_away(l, WL_LOW_EXTERN);
  enum wl_variant variant = WL_ALONE;
  if (is_word)
    give_word(l, params);
  else
    variant = wl_give_values(l, params);
  get(l, cont);
  emit_handlers(l, body);
  wl_emit_verb(l, WL_V_RESUME, variant);
  finish_resume(l, body, is_word);
}

static void finish_resume_throw(struct wl_lowering *l, struct wl_body *body)
{
  emit_handlers(l, body);
  wl_emit_verb(l, WL_V_RESUME_THROW, WL_ALONE);
  finish_resume(l, body, false);
}

void wl_lower_resume_throw(struct wl_lowering *l, struct wl_body *body)
{
  const uint32_t cont = put_away(l, WL_LOW_EXTERN);
  make_exception(l, body->now.y);
  get(l, cont);
  finish_resume_throw(l, body);
}

void wl_lower_resume_throw_ref(struct wl_lowering *l, struct wl_body *body)
{
  finish_resume_throw(l, body);
}
