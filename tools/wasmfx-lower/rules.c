/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The typing rules of instructions that a signature does not say. Each function checks what its instruction names, pops
 * what it takes and pushes what it gives; those of instructions with a signature leave the last two to that.
 */
#include <inttypes.h>

#include "body.h"
#include "rules.h"

static const struct wl_list nothing = { NULL, 0 };

static struct wl_list one(const wl_type *type)
{
  return (struct wl_list){ type, 1 };
}

static struct wl_list first_of(struct wl_list list, uint32_t count)
{
  return (struct wl_list){ list.types, count };
}

/* ---- What indices name ------------------------------------------------------------------------ */

static bool unknown(struct wl_body *body, const char *what, uint32_t index)
{
  return wl_invalid(body, "unknown %s %" PRIu32, what, index);
}

static bool find_table(struct wl_body *body, uint32_t index, wl_type *type)
{
  if (index >= body->module->tables.count)
    return unknown(body, "table", index);
  *type = WL_ITEM(wl_table, body->module->tables, index)->type;
  return true;
}

static bool check_memory(struct wl_body *body, uint32_t index)
{
  return index < body->module->memories.count ? true : unknown(body, "memory", index);
}

bool wl_function_of_type(struct wl_body *body, uint32_t index, struct wl_signature *signature)
{
  if (index >= body->module->definitions.count)
    return unknown(body, "type", index);
  if (wl_definition(body->module, index)->form != WL_FUNC_FORM)
    return wl_invalid(body, "non-function type %" PRIu32, index);
  *signature = (struct wl_signature){ wl_params(body->module, index), wl_results(body->module, index) };
  return wl_spend(body, signature->params.count + signature->results.count);
}

bool wl_signature_of_tag(struct wl_body *body, uint32_t index, struct wl_signature *signature)
{
  if (index >= body->module->tags.count)
    return unknown(body, "tag", index);
  return wl_function_of_type(body, WL_ITEM(wl_tag, body->module->tags, index)->type, signature);
}

bool wl_exception(struct wl_body *body, uint32_t tag, struct wl_list *values)
{
  struct wl_signature signature = { .params = { NULL, 0 } };
  if (!wl_signature_of_tag(body, tag, &signature))
    return false;
  *values = signature.params;
  if (signature.results.count == 0)
    return true;
  return wl_list_mismatch(body, " in the tag of an exception", nothing, signature.results);
}

/* ---- Control ------------------------------------------------------------------------------------ */

static bool check_unreachable(struct wl_body *body)
{
  return wl_end_here(body);
}

static bool check_if(struct wl_body *body)
{
  return wl_pop(body, WL_I32) && wl_enter(body);
}

static bool check_end(struct wl_body *body)
{
  struct wl_frame closed;
  return wl_leave(body, &closed);
}

/* A clause's label stands outside of the block that has the clause: it is called before the block is entered. */
static bool check_catch(struct wl_body *body, struct wl_clause clause)
{
  const wl_type exception = wl_ref(WL_EXN, false);
  const bool has_reference = clause.kind == WL_CATCH_REF || clause.kind == WL_CATCH_ALL_REF;
  struct wl_list label = nothing, values = nothing;
  if (clause.kind < WL_CATCH_ALL && !wl_exception(body, clause.tag, &values))
    return false;
  if (!wl_label(body, clause.label, &label))
    return false;
  const uint32_t count = values.count + has_reference;
  if (label.count == count && wl_lists_match(body->module, values, first_of(label, values.count)) &&
      (!has_reference || wl_matches(body->module, exception, label.types[values.count])))
    return true;
  return wl_list_mismatch(body, has_reference ? " in a catch clause, and a reference follows" : " in a catch clause",
                          label, values);
}

static bool check_try_table(struct wl_body *body)
{
  struct wl_cursor clauses = wl_cursor_at(body->module, body->now.list, body->cursor.end);
  for (uint32_t i = 0; i < body->now.count; i++)
    if (!check_catch(body, wl_next_catch(&clauses)))
      return false;
  return wl_enter(body);
}

static bool check_throw(struct wl_body *body)
{
  struct wl_list values = nothing;
  return wl_exception(body, body->now.x, &values) && wl_pop_list(body, values) && wl_end_here(body);
}

static bool check_throw_ref(struct wl_body *body)
{
  return wl_pop(body, wl_ref(WL_EXN, true)) && wl_end_here(body);
}

static bool check_br(struct wl_body *body)
{
  struct wl_list label = nothing;
  return wl_label(body, body->now.x, &label) && wl_pop_list(body, label) && wl_end_here(body);
}

static bool check_br_if(struct wl_body *body)
{
  struct wl_list label = nothing;
  return wl_label(body, body->now.x, &label) && wl_pop(body, WL_I32) && wl_apply(body, label, label);
}

static bool check_target(struct wl_body *body, uint32_t index, uint32_t arity)
{
  struct wl_list label = nothing;
  if (!wl_label(body, index, &label))
    return false;
  if (label.count != arity)
    return wl_invalid(body, "type mismatch: one label takes %" PRIu32 " values, another %" PRIu32, arity, label.count);
  return wl_find_list(body, label);
}

static bool check_br_table(struct wl_body *body)
{
  struct wl_cursor targets = wl_cursor_at(body->module, body->now.list, body->cursor.end);
  struct wl_list otherwise = nothing;
  if (!wl_label(body, body->now.x, &otherwise) || !wl_pop(body, WL_I32))
    return false;
  for (uint32_t i = 0; i < body->now.count; i++)
    if (!check_target(body, wl_u32(&targets), otherwise.count))
      return false;
  return wl_pop_list(body, otherwise) && wl_end_here(body);
}

static bool check_return(struct wl_body *body)
{
  return wl_pop_list(body, body->results) && wl_end_here(body);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static bool finish_call(struct wl_body *body, struct wl_signature callee)
{
  return wl_apply(body, callee.params, callee.results);
}

static bool finish_tail_call(struct wl_body *body, struct wl_signature callee)
{
  if (!wl_lists_match(body->module, callee.results, body->results))
    return wl_list_mismatch(body, " of results", body->results, callee.results);
  return wl_pop_list(body, callee.params) && wl_end_here(body);
}

static bool find_callee(struct wl_body *body, struct wl_signature *callee)
{
  const uint32_t index = body->now.x;
  if (index >= body->module->functions.count)
    return unknown(body, "function", index);
  return wl_function_of_type(body, WL_ITEM(wl_function, body->module->functions, index)->type, callee);
}

static bool find_indirect(struct wl_body *body, struct wl_signature *callee)
{
  wl_type table = WL_BOTTOM;
  if (!find_table(body, body->now.y, &table) || !wl_function_of_type(body, body->now.x, callee))
    return false;
  if (!wl_matches(body->module, table, wl_ref(WL_FUNC, true)))
    return wl_mismatch(body, wl_ref(WL_FUNC, true), table);
  return wl_pop(body, WL_I32);
}

static bool find_by_reference(struct wl_body *body, struct wl_signature *callee)
{
  return wl_function_of_type(body, body->now.x, callee) && wl_pop(body, wl_ref_of(body, body->now.x, true));
}

static bool check_call(struct wl_body *body)
{
  struct wl_signature callee = { .params = { NULL, 0 } };
  return find_callee(body, &callee) && finish_call(body, callee);
}

static bool check_call_indirect(struct wl_body *body)
{
  struct wl_signature callee = { .params = { NULL, 0 } };
  return find_indirect(body, &callee) && finish_call(body, callee);
}

static bool check_call_ref(struct wl_body *body)
{
  struct wl_signature callee = { .params = { NULL, 0 } };
  return find_by_reference(body, &callee) && finish_call(body, callee);
}

static bool check_return_call(struct wl_body *body)
{
  struct wl_signature callee = { .params = { NULL, 0 } };
  return find_callee(body, &callee) && finish_tail_call(body, callee);
}

static bool check_return_call_indirect(struct wl_body *body)
{
  struct wl_signature callee = { .params = { NULL, 0 } };
  return find_indirect(body, &callee) && finish_tail_call(body, callee);
}

static bool check_return_call_ref(struct wl_body *body)
{
  struct wl_signature callee = { .params = { NULL, 0 } };
  return find_by_reference(body, &callee) && finish_tail_call(body, callee);
}

/* ---- Values that are only moved -------------------------------------------------------------- */

static bool check_drop(struct wl_body *body)
{
  wl_type type = WL_BOTTOM;
  return wl_pop_any(body, &type);
}

static bool check_select(struct wl_body *body)
{
  wl_type one_type = WL_BOTTOM, other = WL_BOTTOM;
  if (!wl_pop(body, WL_I32) || !wl_pop_any(body, &one_type) || !wl_pop_any(body, &other))
    return false;
  if (wl_is_ref(one_type) || wl_is_ref(other))
    return wl_invalid(body, "type mismatch: without a type it takes numbers only");
  if (one_type != other && one_type != WL_BOTTOM && other != WL_BOTTOM)
    return wl_mismatch(body, other, one_type);
  return wl_push(body, one_type == WL_BOTTOM ? other : one_type);
}

static bool check_select_typed(struct wl_body *body)
{
  wl_type type = body->now.type;
  if (body->now.count != 1)
    return wl_invalid(body, "invalid result arity");
  return wl_canonical(body->module, &type, body->now.offset) && wl_pop(body, WL_I32) && wl_pop(body, type) &&
         wl_pop(body, type) && wl_push(body, type);
}

static bool check_local_get(struct wl_body *body)
{
  wl_type type = WL_BOTTOM;
  uint32_t flag = WL_NONE;
  if (!wl_local(body, body->now.x, &type, &flag))
    return false;
  if (flag != WL_NONE && !body->flags[flag])
    return wl_invalid(body, "uninitialized local %" PRIu32, body->now.x);
  return wl_push(body, type);
}

static bool check_local_set(struct wl_body *body)
{
  wl_type type = WL_BOTTOM;
  uint32_t flag = WL_NONE;
  return wl_local(body, body->now.x, &type, &flag) && wl_pop(body, type) && wl_set_flag(body, flag);
}

static bool check_local_tee(struct wl_body *body)
{
  wl_type type = WL_BOTTOM;
  uint32_t flag = WL_NONE;
  return wl_local(body, body->now.x, &type, &flag) && wl_apply(body, one(&type), one(&type)) && wl_set_flag(body, flag);
}

static bool find_global(struct wl_body *body, struct wl_global *global)
{
  const uint32_t known = body->is_constant ? body->known_globals : body->module->globals.count;
  if (body->now.x >= known)
    return unknown(body, "global", body->now.x);
  *global = *WL_ITEM(wl_global, body->module->globals, body->now.x);
  return true;
}

static bool check_global_get(struct wl_body *body)
{
  struct wl_global global = { .type = WL_BOTTOM };
  if (!find_global(body, &global))
    return false;
  if (body->is_constant && global.is_mutable)
    return wl_invalid(body, "constant expression required: global %" PRIu32 " is mutable", body->now.x);
  return wl_push(body, global.type);
}

static bool check_global_set(struct wl_body *body)
{
  struct wl_global global = { .type = WL_BOTTOM };
  if (!find_global(body, &global))
    return false;
  return global.is_mutable ? wl_pop(body, global.type) : wl_invalid(body, "immutable global %" PRIu32, body->now.x);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static bool check_table_get(struct wl_body *body)
{
  wl_type type = WL_BOTTOM;
  return find_table(body, body->now.x, &type) && wl_pop(body, WL_I32) && wl_push(body, type);
}

static bool check_table_set(struct wl_body *body)
{
  wl_type type = WL_BOTTOM;
  return find_table(body, body->now.x, &type) && wl_pop(body, type) && wl_pop(body, WL_I32);
}

static bool check_table_size(struct wl_body *body)
{
  wl_type type = WL_BOTTOM;
  return find_table(body, body->now.x, &type) && wl_push(body, WL_I32);
}

static bool check_table_grow(struct wl_body *body)
{
  wl_type type = WL_BOTTOM;
  return find_table(body, body->now.x, &type) && wl_pop(body, WL_I32) && wl_pop(body, type) && wl_push(body, WL_I32);
}

static bool check_table_fill(struct wl_body *body)
{
  wl_type type = WL_BOTTOM;
  return find_table(body, body->now.x, &type) && wl_pop(body, WL_I32) && wl_pop(body, type) && wl_pop(body, WL_I32);
}

static bool check_table_copy(struct wl_body *body)
{
  wl_type to = WL_BOTTOM, from = WL_BOTTOM;
  if (!find_table(body, body->now.x, &to) || !find_table(body, body->now.y, &from))
    return false;
  return wl_matches(body->module, from, to) ? true : wl_mismatch(body, to, from);
}

static bool find_elements(struct wl_body *body, uint32_t index, wl_type *type)
{
  if (index >= body->module->elements.count)
    return unknown(body, "elem segment", index);
  *type = WL_ITEM(wl_elements, body->module->elements, index)->type;
  return true;
}

static bool check_table_init(struct wl_body *body)
{
  wl_type to = WL_BOTTOM, from = WL_BOTTOM;
  if (!find_table(body, body->now.y, &to) || !find_elements(body, body->now.x, &from))
    return false;
  return wl_matches(body->module, from, to) ? true : wl_mismatch(body, to, from);
}

static bool check_elem_drop(struct wl_body *body)
{
  wl_type type = WL_BOTTOM;
  return find_elements(body, body->now.x, &type);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static bool check_access(struct wl_body *body)
{
  if (!check_memory(body, body->now.x))
    return false;
  if (body->now.align > body->now.op->align)
    return wl_invalid(body, "alignment must not be larger than natural");
  return body->now.value <= UINT32_MAX ? true : wl_invalid(body, "offset out of range");
}

static bool check_memory_alone(struct wl_body *body)
{
  return check_memory(body, body->now.x);
}

static bool check_memory_copy(struct wl_body *body)
{
  return check_memory(body, body->now.x) && check_memory(body, body->now.y);
}

/* How many there are must have been said before the code. */
static bool check_data(struct wl_body *body, uint32_t index)
{
  if (body->module->data_count == WL_NONE)
    return wl_fail(&body->module->error, WL_MALFORMED, body->now.offset, "data count section required");
  return index < body->module->data_count ? true : unknown(body, "data segment", index);
}

static bool check_memory_init(struct wl_body *body)
{
  return check_memory(body, body->now.y) && check_data(body, body->now.x);
}

static bool check_data_drop(struct wl_body *body)
{
  return check_data(body, body->now.x);
}

/* ---- References ------------------------------------------------------------------------------ */

static bool check_ref_null(struct wl_body *body)
{
  wl_type type = body->now.type;
  return wl_canonical(body->module, &type, body->now.offset) && wl_push(body, type);
}

static bool check_ref_is_null(struct wl_body *body)
{
  uint32_t heap = WL_NEVER;
  bool null = false;
  return wl_pop_reference(body, &heap, &null) && wl_push(body, WL_I32);
}

static bool check_ref_as_non_null(struct wl_body *body)
{
  uint32_t heap = WL_NEVER;
  bool null = false;
  return wl_pop_reference(body, &heap, &null) && wl_push(body, wl_ref(heap, false));
}

static bool check_ref_func(struct wl_body *body)
{
  const uint32_t index = body->now.x;
  if (index >= body->module->functions.count)
    return unknown(body, "function", index);
  if (!body->is_constant && !(body->module->declared[index / 8] >> index % 8 & 1))
    return wl_invalid(body, "undeclared function reference %" PRIu32, index);
  return wl_push(body, wl_ref_of(body, WL_ITEM(wl_function, body->module->functions, index)->type, false));
}

static bool check_br_on_null(struct wl_body *body)
{
  struct wl_list label = nothing;
  uint32_t heap = WL_NEVER;
  bool null = false;
  return wl_label(body, body->now.x, &label) && wl_pop_reference(body, &heap, &null) && wl_apply(body, label, label) &&
         wl_push(body, wl_ref(heap, false));
}

/* The label's last type, and the others; it must take a reference that is not null. */
static bool split_label(struct wl_body *body, wl_type given, struct wl_list *others)
{
  struct wl_list label = nothing;
  if (!wl_label(body, body->now.x, &label))
    return false;
  if (label.count == 0)
    return wl_list_mismatch(body, " in the label", one(&given), label);
  *others = first_of(label, label.count - 1);
  const wl_type last = label.types[label.count - 1];
  return wl_matches(body->module, given, last) ? true : wl_mismatch(body, last, given);
}

static bool check_br_on_non_null(struct wl_body *body)
{
  struct wl_list others = nothing;
  uint32_t heap = WL_NEVER;
  bool null = false;
  return wl_pop_reference(body, &heap, &null) && split_label(body, wl_ref(heap, false), &others) &&
         wl_apply(body, others, others);
}

static bool check_castable(struct wl_body *body, wl_type target)
{
  if (wl_top(body->module, wl_heap(target)) == WL_CONT)
    return wl_invalid(body, "invalid cast to continuation types");
  return true;
}

/* To a heap type; null or not, it takes what is under the same top. */
static bool find_cast(struct wl_body *body, wl_type *target)
{
  const bool null = body->now.opcode == WL_REF_TEST_NULL || body->now.opcode == WL_REF_CAST_NULL;
  *target = wl_ref(wl_heap(body->now.type), null);
  return wl_canonical(body->module, target, body->now.offset) && check_castable(body, *target) &&
         wl_pop(body, wl_ref(wl_top(body->module, wl_heap(*target)), true));
}

static bool check_ref_test(struct wl_body *body)
{
  wl_type target = WL_BOTTOM;
  return find_cast(body, &target) && wl_push(body, WL_I32);
}

static bool check_ref_cast(struct wl_body *body)
{
  wl_type target = WL_BOTTOM;
  return find_cast(body, &target) && wl_push(body, target);
}

static bool check_br_on_cast(struct wl_body *body)
{
  wl_type from = body->now.type, to = body->now.type2;
  struct wl_list others = nothing;
  if (!wl_canonical(body->module, &from, body->now.offset) || !wl_canonical(body->module, &to, body->now.offset) ||
      !check_castable(body, to))
    return false;
  if (!wl_matches(body->module, to, from))
    return wl_mismatch(body, from, to);
  const wl_type rest = to & WL_NULL ? from & ~WL_NULL : from;
  const bool on_success = body->now.opcode == WL_BR_ON_CAST;
  return split_label(body, on_success ? to : rest, &others) && wl_pop(body, from) && wl_apply(body, others, others) &&
         wl_push(body, on_success ? rest : to);
}

/* ---- Which is for which ------------------------------------------------------------------------- */

static bool (*const rules[WL_OPS])(struct wl_body *) = {
  [WL_UNREACHABLE] = check_unreachable,
  [WL_BLOCK] = wl_enter,
  [WL_LOOP] = wl_enter,
  [WL_IF] = check_if,
  [WL_ELSE] = check_end,
  [WL_END] = check_end,
  [WL_TRY_TABLE] = check_try_table,
  [WL_THROW] = check_throw,
  [WL_THROW_REF] = check_throw_ref,
  [WL_BR] = check_br,
  [WL_BR_IF] = check_br_if,
  [WL_BR_TABLE] = check_br_table,
  [WL_RETURN] = check_return,
  [WL_CALL] = check_call,
  [WL_CALL_INDIRECT] = check_call_indirect,
  [WL_CALL_REF] = check_call_ref,
  [WL_RETURN_CALL] = check_return_call,
  [WL_RETURN_CALL_INDIRECT] = check_return_call_indirect,
  [WL_RETURN_CALL_REF] = check_return_call_ref,
  [WL_DROP] = check_drop,
  [WL_SELECT] = check_select,
  [WL_SELECT_TYPED] = check_select_typed,
  [WL_LOCAL_GET] = check_local_get,
  [WL_LOCAL_SET] = check_local_set,
  [WL_LOCAL_TEE] = check_local_tee,
  [WL_GLOBAL_GET] = check_global_get,
  [WL_GLOBAL_SET] = check_global_set,
  [WL_TABLE_GET] = check_table_get,
  [WL_TABLE_SET] = check_table_set,
  [WL_TABLE_SIZE] = check_table_size,
  [WL_TABLE_GROW] = check_table_grow,
  [WL_TABLE_FILL] = check_table_fill,
  [WL_TABLE_COPY] = check_table_copy,
  [WL_TABLE_INIT] = check_table_init,
  [WL_ELEM_DROP] = check_elem_drop,
  [WL_MEMORY_SIZE] = check_memory_alone,
  [WL_MEMORY_GROW] = check_memory_alone,
  [WL_MEMORY_FILL] = check_memory_alone,
  [WL_MEMORY_COPY] = check_memory_copy,
  [WL_MEMORY_INIT] = check_memory_init,
  [WL_DATA_DROP] = check_data_drop,
  [WL_REF_NULL] = check_ref_null,
  [WL_REF_IS_NULL] = check_ref_is_null,
  [WL_REF_AS_NON_NULL] = check_ref_as_non_null,
  [WL_REF_FUNC] = check_ref_func,
  [WL_BR_ON_NULL] = check_br_on_null,
  [WL_BR_ON_NON_NULL] = check_br_on_non_null,
  [WL_REF_TEST] = check_ref_test,
  [WL_REF_TEST_NULL] = check_ref_test,
  [WL_REF_CAST] = check_ref_cast,
  [WL_REF_CAST_NULL] = check_ref_cast,
  [WL_BR_ON_CAST] = check_br_on_cast,
  [WL_BR_ON_CAST_FAIL] = check_br_on_cast,
  [WL_CONT_NEW] = wl_check_cont_new,
  [WL_CONT_BIND] = wl_check_cont_bind,
  [WL_SUSPEND] = wl_check_suspend,
  [WL_RESUME] = wl_check_resume,
  [WL_RESUME_THROW] = wl_check_resume_throw,
  [WL_RESUME_THROW_REF] = wl_check_resume_throw_ref,
  [WL_SWITCH] = wl_check_switch,
};

bool wl_check_rule(struct wl_body *body)
{
  if (body->now.op->immediates == WL_IMM_ACCESS)
    return check_access(body);
  return rules[body->now.opcode] ? rules[body->now.opcode](body) : true;
}
