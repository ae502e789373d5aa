/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies: what is the same is copied, what is not is written anew. Types are known: each body is validated again. */
#include "lower.h"

#include <string.h>

#include "body.h"
#include "constant.h"
#include "emit.h"
#include "types.h"
#include "verbs.h"

static const struct wl_list nothing = { NULL, 0 };

/* ---- Types ----------------------------------------------------------------------------------- */

uint32_t wl_low_type(const struct wl_module *module, wl_type type)
{
  if (!wl_is_ref(type))
    return (uint32_t)WL_LOW_I32 + WL_I32 - type;
  return wl_top(module, wl_heap(type)) == WL_FUNC ? WL_LOW_FUNC : WL_LOW_EXTERN;
}

static bool has_reference(struct wl_list list)
{
  for (uint32_t i = 0; i < list.count; i++)
    if (wl_is_ref(list.types[i]))
      return true;
  return false;
}

static void put_list(struct wl_lowering *l, struct wl_list list)
{
  for (uint32_t i = 0; i < list.count && !wl_lower_failed(l); i++)
    wl_put_byte(l, &l->temporary, (uint8_t)wl_low_type(l->module, list.types[i]));
}

/* As it stands in the section of types. */
uint32_t wl_low_list_type(struct wl_lowering *l, struct wl_list params, struct wl_list results, bool ids)
{
  static const uint8_t identity[3] = { WL_LOW_I64, WL_LOW_I64, WL_LOW_EXTERN };
  const uint32_t more = !ids ? 0 : has_reference(params) || has_reference(results) ? 2 : 3;
  bool is_new;
  l->temporary.count = 0;
  wl_put_byte(l, &l->temporary, WL_FUNC_FORM);
  wl_put_unsigned(l, &l->temporary, params.count + more);
  put_list(l, params);
  wl_put_bytes(l, &l->temporary, identity, more);
  wl_put_unsigned(l, &l->temporary, results.count);
  put_list(l, results);
  const struct wl_interned *item = wl_lower_failed(l) ? NULL
    : wl_intern(&l->module->memory, &l->types, l->temporary.items, l->temporary.count, &is_new);
  if (!item) {
    wl_fail_for_memory(&l->module->error, 0);
    return 0;
  }
  return (uint32_t)(item - wl_interned(&l->types, 0));
}

uint32_t wl_low_function_type(struct wl_lowering *l, uint32_t definition)
{
  uint32_t *known = &l->type_of[wl_definition(l->module, definition)->canonical];
  if (!*known)
    *known =
      1 + wl_low_list_type(l, wl_params(l->module, definition), wl_results(l->module, definition), false);
  return *known - 1;
}

bool wl_is_alone(const struct wl_module *module, uint32_t definition)
{
  const uint32_t index = wl_definition(module, definition)->canonical;
  const struct wl_definition *canonical = wl_definition(module, index);
  const bool is_first = canonical->group == index;
  const bool is_last =
    index + 1 == module->definitions.count || wl_definition(module, index + 1)->group != canonical->group;
  return is_first && is_last && canonical->is_final && canonical->supertype == WL_NONE;
}

bool wl_is_called_plainly(const struct wl_module *module, uint32_t definition)
{
  return wl_is_alone(module, definition) && !has_reference(wl_params(module, definition)) &&
         !has_reference(wl_results(module, definition));
}

/* ---- Index spaces ---------------------------------------------------------------------------- */

/*
 * Globals: those of the source that are imported, tags that are, `thrown`; those of the source that are not, its tags,
 * and what the start function makes.
 */
static uint32_t imported_globals(const struct wl_lowering *l)
{
  return l->module->imported[WL_KIND_GLOBAL] + l->module->imported[WL_KIND_TAG] + l->can_throw;
}

uint32_t wl_low_global(const struct wl_lowering *l, uint32_t global)
{
  const uint32_t imported = l->module->imported[WL_KIND_GLOBAL];
  return global < imported ? global : global - imported + imported_globals(l);
}

static uint32_t defined_globals(const struct wl_lowering *l)
{
  return l->module->globals.count - l->module->imported[WL_KIND_GLOBAL];
}

uint32_t wl_tag_global(const struct wl_lowering *l, uint32_t tag)
{
  const uint32_t imported = l->module->imported[WL_KIND_TAG];
  return tag < imported ? l->module->imported[WL_KIND_GLOBAL] + tag
                        : imported_globals(l) + defined_globals(l) + tag - imported;
}

uint32_t wl_thrown_global(const struct wl_lowering *l)
{
  return l->module->imported[WL_KIND_GLOBAL] + l->module->imported[WL_KIND_TAG];
}

uint32_t wl_added_global(const struct wl_lowering *l, uint32_t number)
{
  return imported_globals(l) + defined_globals(l) + l->module->tags.count - l->module->imported[WL_KIND_TAG] + number;
}

uint32_t wl_referred(struct wl_lowering *l, uint32_t function)
{
  if (!wl_is_called_plainly(l->module, WL_ITEM(wl_function, l->module->functions, function)->type))
    return wl_add(l, (struct wl_added){ WL_ENTRY, false, function });
  if (function < l->module->imported[WL_KIND_FUNC])
    return wl_add(l, (struct wl_added){ WL_PASSAGE, false, function });
  return function;
}

/* ---- What is copied -------------------------------------------------------------------------- */

static void copy(struct wl_lowering *l, struct wl_body *body)
{
  wl_put_bytes(l, &l->bytes, l->module->bytes + body->now.offset, body->cursor.at - body->now.offset);
}

/* The memory need not be named, there is only one. */
static void lower_access(struct wl_lowering *l, struct wl_body *body)
{
  if (!(l->module->bytes[body->now.offset + 1] & 0x40)) {
    copy(l, body);
    return;
  }
  wl_emit_index(l, (uint8_t)body->now.opcode, body->now.align);
  wl_put_unsigned(l, &l->bytes, body->now.value);
}

/* ---- Blocks and branches --------------------------------------------------------------------- */

static void push_level(struct wl_lowering *l, struct wl_level level)
{
  if (!wl_make_room(&l->module->memory, &l->levels, sizeof level))
    wl_fail_for_memory(&l->module->error, 0);
  else
    *WL_ITEM(wl_level, l->levels, l->levels.count++) = level;
}

static struct wl_level *level_of(const struct wl_lowering *l, uint32_t label)
{
  return WL_ITEM(wl_level, l->levels, l->levels.count - 1 - label);
}

static struct wl_list params_of_block(const struct wl_lowering *l, const struct wl_instruction *i)
{
  return i->block_form == WL_BLOCK_TYPE ? wl_params(l->module, i->type_index) : nothing;
}

static struct wl_list results_of_block(const struct wl_lowering *l, const struct wl_instruction *i)
{
  if (i->block_form == WL_BLOCK_TYPE)
    return wl_results(l->module, i->type_index);
  return (struct wl_list){ &i->type, i->block_form == WL_BLOCK_VALUE };
}

static void open_block(struct wl_lowering *l, struct wl_body *body, uint8_t opcode)
{
  struct wl_instruction i = body->now;
  if (i.block_form == WL_BLOCK_VALUE)
    wl_canonical(l->module, &i.type, i.offset);
  const struct wl_level level = { .label = l->depth, .landing = wl_landing(l) };
  wl_open_typed(l, opcode, params_of_block(l, &i), results_of_block(l, &i));
  push_level(l, level);
}

static void lower_block(struct wl_lowering *l, struct wl_body *body)
{
  open_block(l, body, (uint8_t)body->now.opcode);
}

/*
 *     block (the results)      the label of the source
 *       block                  the landing
 *         ...
 *         br 1
 *       end
 *       (clauses, where what was thrown has landed)
 *     end
 */
static void lower_try_table(struct wl_lowering *l, struct wl_body *body)
{
  open_block(l, body, WL_BLOCK);
  if (!l->throws || wl_lower_failed(l))
    return;
  struct wl_level *level = level_of(l, 0);
  level->is_try = true;
  level->landing = l->depth;
  level->clauses = body->now.list;
  level->count = body->now.count;
  wl_open_typed(l, WL_BLOCK, params_of_block(l, &body->now), nothing);
}

static void end_try(struct wl_lowering *l, struct wl_body *body, bool was_dead)
{
  const struct wl_level level = *level_of(l, 0);
  if (!was_dead)
    wl_emit_branch(l, WL_BR, level.label);
  wl_close(l);
  l->levels.count--;
  wl_lower_clauses(l, body, level);
  wl_close(l);
}

static void end_body(struct wl_lowering *l, struct wl_body *body)
{
  l->levels.count = 0;
  if (l->head != WL_NONE)
    wl_close(l);
  if (l->throws) {
    wl_close(l);
    wl_emit(l, WL_RETURN);
    wl_close(l);
    for (uint32_t i = 0; i < body->results.count && !wl_lower_failed(l); i++)
      wl_emit_default(l, wl_low_type(l->module, body->results.types[i]));
  }
  wl_emit(l, WL_END);
}

static void lower_end(struct wl_lowering *l, struct wl_body *body)
{
  const bool was_dead = l->is_dead;
  l->is_dead = false;
  if (l->levels.count == 1) {
    end_body(l, body);
  } else if (level_of(l, 0)->is_try) {
    end_try(l, body, was_dead);
  } else {
    l->levels.count--;
    wl_close(l);
  }
}

static void lower_else(struct wl_lowering *l, struct wl_body *body)
{
  l->is_dead = false;
  copy(l, body);
}

static void lower_branch(struct wl_lowering *l, struct wl_body *body)
{
  wl_emit_branch(l, (uint8_t)body->now.opcode, level_of(l, body->now.x)->label);
  l->is_dead = body->now.opcode == WL_BR;
}

static void lower_br_table(struct wl_lowering *l, struct wl_body *body)
{
  struct wl_cursor labels = wl_cursor_at(l->module, body->now.list, body->cursor.end);
  wl_emit_index(l, WL_BR_TABLE, body->now.count);
  for (uint32_t i = 0; i <= body->now.count && !wl_lower_failed(l); i++)
    wl_put_unsigned(l, &l->bytes, l->depth - 1 - level_of(l, wl_u32(&labels))->label);
  l->is_dead = true;
}

/* `unreachable` and `return`. */
static void lower_final(struct wl_lowering *l, struct wl_body *body)
{
  copy(l, body);
  l->is_dead = true;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static void emit_call(struct wl_lowering *l, uint32_t function)
{
  wl_emit_function(l, WL_CALL, function);
  if (l->functions[function] & WL_MAY_THROW)
    wl_emit_test(l);
}

static void lower_call(struct wl_lowering *l, struct wl_body *body)
{
  emit_call(l, body->now.x);
}

void wl_emit_call_indirect(struct wl_lowering *l, uint32_t definition, uint32_t table)
{
  const struct wl_list params = wl_params(l->module, definition), results = wl_results(l->module, definition);
  const bool is_plain = wl_is_called_plainly(l->module, definition);
  if (!is_plain) {
    const uint32_t place = wl_scratch(l, WL_LOW_I32);
    wl_emit_index(l, WL_LOCAL_SET, place);
    wl_emit_identity(l, definition);
    if (!has_reference(params) && !has_reference(results))
      wl_emit_null(l, WL_LOW_EXTERN);
    wl_emit_index(l, WL_LOCAL_GET, place);
  }
  wl_emit_index(l, WL_CALL_INDIRECT,
                is_plain ? wl_low_function_type(l, definition) : wl_low_list_type(l, params, results, true));
  wl_put_unsigned(l, &l->bytes, table);
}

static void lower_call_indirect(struct wl_lowering *l, struct wl_body *body)
{
  wl_emit_call_indirect(l, body->now.x, body->now.y);
  wl_emit_test(l);
}

static void lower_call_ref(struct wl_lowering *l, struct wl_body *body)
{
  wl_emit_call_ref(l, body->now.x, false);
  wl_emit_test(l);
}

/* What is thrown in a call in a tail is not for this function any more: nothing is tested. */
static void emit_return(struct wl_lowering *l)
{
  wl_emit(l, WL_RETURN);
  l->is_dead = true;
}

static void lower_return_call(struct wl_lowering *l, struct wl_body *body)
{
  const uint32_t itself = l->module->error.function;
  if (body->now.x != itself) {
    wl_emit_function(l, WL_CALL, body->now.x);
    emit_return(l);
    return;
  }
  for (uint32_t i = body->params.count; i-- > 0 && !wl_lower_failed(l);)
    wl_emit_index(l, WL_LOCAL_SET, i);
  wl_emit_branch(l, WL_BR, l->head);
  l->is_dead = true;
}

static void lower_return_call_indirect(struct wl_lowering *l, struct wl_body *body)
{
  wl_emit_call_indirect(l, body->now.x, body->now.y);
  emit_return(l);
}

static void lower_return_call_ref(struct wl_lowering *l, struct wl_body *body)
{
  wl_emit_call_ref(l, body->now.x, false);
  emit_return(l);
}

/* ---- Values ---------------------------------------------------------------------------------- */

static void lower_select_typed(struct wl_lowering *l, struct wl_body *body)
{
  wl_emit_index(l, WL_SELECT_TYPED, 1);
  wl_emit(l, (uint8_t)wl_low_type(l->module, body->now.type));
}

static void lower_global(struct wl_lowering *l, struct wl_body *body)
{
  wl_emit_index(l, (uint8_t)body->now.opcode, wl_low_global(l, body->now.x));
}

/* ---- References ------------------------------------------------------------------------------ */

static void lower_ref_null(struct wl_lowering *l, struct wl_body *body)
{
  wl_emit_null(l, wl_low_type(l->module, body->now.type));
}

static bool is_cont_new_next(const struct wl_body *body, struct wl_instruction *next)
{
  struct wl_cursor ahead = body->cursor;
  return wl_peek(&ahead) == WL_CONT_NEW && wl_next(&ahead, next);
}

static void lower_ref_func(struct wl_lowering *l, struct wl_body *body)
{
  struct wl_instruction next;
  if (!is_cont_new_next(body, &next)) {
    wl_emit_function(l, WL_REF_FUNC, wl_referred(l, body->now.x));
    return;
  }
  wl_lower_cont_of(l, body->now.x, next.x);
  wl_check_instruction(body);
  wl_read_instruction(body);
}

/* [reference] -> [reference reference], the lower one only in a local. */
static uint32_t keep(struct wl_lowering *l, struct wl_body *body)
{
  const uint32_t local = wl_scratch(l, wl_low_type(l->module, wl_top_operand(body)));
  wl_emit_index(l, WL_LOCAL_TEE, local);
  return local;
}

static void trap_if_null(struct wl_lowering *l, struct wl_body *body, enum wl_trap trap)
{
  const uint32_t local = keep(l, body);
  wl_emit(l, WL_REF_IS_NULL);
  wl_open(l, WL_IF);
  wl_emit_trap(l, trap);
  wl_close(l);
  wl_emit_index(l, WL_LOCAL_GET, local);
}

static void lower_ref_as_non_null(struct wl_lowering *l, struct wl_body *body)
{
  trap_if_null(l, body, WL_TRAP_NULL_REFERENCE);
}

static void lower_br_on_null(struct wl_lowering *l, struct wl_body *body)
{
  const uint32_t local = keep(l, body);
  wl_emit(l, WL_REF_IS_NULL);
  wl_emit_branch(l, WL_BR_IF, level_of(l, body->now.x)->label);
  wl_emit_index(l, WL_LOCAL_GET, local);
}

static void lower_br_on_non_null(struct wl_lowering *l, struct wl_body *body)
{
  const uint32_t local = keep(l, body);
  wl_emit_index(l, WL_LOCAL_GET, local);
  wl_emit(l, WL_REF_IS_NULL);
  wl_emit(l, WL_I32_EQZ);
  wl_emit_branch(l, WL_BR_IF, level_of(l, body->now.x)->label);
  wl_emit(l, WL_DROP);
}

/* Only what the types say already, but for null: lowered references do not carry their type. */
static bool is_known_cast(struct wl_lowering *l, struct wl_body *body, wl_type target)
{
  const wl_type given = wl_top_operand(body);
  wl_canonical(l->module, &target, body->now.offset);
  if (wl_heap_matches(l->module, wl_heap(given), wl_heap(target)))
    return true;
  return wl_fail(&l->module->error, WL_UNSUPPORTED, body->now.offset,
                 "not supported: %s, where it depends on more than null", body->now.op->name);
}

static void lower_ref_test(struct wl_lowering *l, struct wl_body *body)
{
  if (!is_known_cast(l, body, body->now.type))
    return;
  if (body->now.opcode == WL_REF_TEST) {
    wl_emit(l, WL_REF_IS_NULL);
    wl_emit(l, WL_I32_EQZ);
  } else {
    wl_emit(l, WL_DROP);
    wl_emit_i32(l, 1);
  }
}

static void lower_ref_cast(struct wl_lowering *l, struct wl_body *body)
{
  if (is_known_cast(l, body, body->now.type) && body->now.opcode == WL_REF_CAST)
    trap_if_null(l, body, WL_TRAP_CAST);
}

static void refuse(struct wl_lowering *l, struct wl_body *body)
{
  wl_fail(&l->module->error, WL_UNSUPPORTED, body->now.offset, "not supported: lowering of %s", body->now.op->name);
}

/* ---- Which is for which ---------------------------------------------------------------------- */

static void (*const lowerings[WL_OPS])(struct wl_lowering *, struct wl_body *) = {
  [WL_UNREACHABLE] = lower_final,
  [WL_BLOCK] = lower_block,
  [WL_LOOP] = lower_block,
  [WL_IF] = lower_block,
  [WL_ELSE] = lower_else,
  [WL_END] = lower_end,
  [WL_TRY_TABLE] = lower_try_table,
  [WL_THROW] = wl_lower_throw,
  [WL_THROW_REF] = wl_lower_throw_ref,
  [WL_BR] = lower_branch,
  [WL_BR_IF] = lower_branch,
  [WL_BR_TABLE] = lower_br_table,
  [WL_RETURN] = lower_final,
  [WL_CALL] = lower_call,
  [WL_CALL_INDIRECT] = lower_call_indirect,
  [WL_CALL_REF] = lower_call_ref,
  [WL_RETURN_CALL] = lower_return_call,
  [WL_RETURN_CALL_INDIRECT] = lower_return_call_indirect,
  [WL_RETURN_CALL_REF] = lower_return_call_ref,
  [WL_SELECT_TYPED] = lower_select_typed,
  [WL_GLOBAL_GET] = lower_global,
  [WL_GLOBAL_SET] = lower_global,
  [WL_REF_NULL] = lower_ref_null,
  [WL_REF_AS_NON_NULL] = lower_ref_as_non_null,
  [WL_REF_FUNC] = lower_ref_func,
  [WL_BR_ON_NULL] = lower_br_on_null,
  [WL_BR_ON_NON_NULL] = lower_br_on_non_null,
  [WL_REF_TEST] = lower_ref_test,
  [WL_REF_TEST_NULL] = lower_ref_test,
  [WL_REF_CAST] = lower_ref_cast,
  [WL_REF_CAST_NULL] = lower_ref_cast,
  [WL_BR_ON_CAST] = refuse,
  [WL_BR_ON_CAST_FAIL] = refuse,
  [WL_CONT_NEW] = wl_lower_cont_new,
  [WL_CONT_BIND] = wl_lower_cont_bind,
  [WL_SUSPEND] = wl_lower_suspend,
  [WL_RESUME] = wl_lower_resume,
  [WL_RESUME_THROW] = wl_lower_resume_throw,
  [WL_RESUME_THROW_REF] = wl_lower_resume_throw_ref,
  [WL_SWITCH] = wl_lower_switch,
};

static bool opens_block(const struct wl_instruction *i)
{
  return i->op->immediates == WL_IMM_BLOCK || i->op->immediates == WL_IMM_CATCHES;
}

/* Nothing of a block that nobody reaches is written, nor of the blocks in it. */
static bool is_skipped(struct wl_lowering *l, const struct wl_instruction *i)
{
  if (!l->is_dead)
    return false;
  if (opens_block(i)) {
    l->skipped++;
    return true;
  }
  if (i->opcode == WL_END && l->skipped) {
    l->skipped--;
    return true;
  }
  return l->skipped || (i->opcode != WL_END && i->opcode != WL_ELSE);
}

static bool lower_instruction(struct wl_lowering *l, struct wl_body *body)
{
  wl_release(l);
  if (is_skipped(l, &body->now))
    return true;
  if (lowerings[body->now.opcode])
    lowerings[body->now.opcode](l, body);
  else if (body->now.op->immediates == WL_IMM_ACCESS)
    lower_access(l, body);
  else
    copy(l, body);
  return !wl_lower_failed(l);
}

/* ---- Bodies ---------------------------------------------------------------------------------- */

static void declare_locals(struct wl_lowering *l, const struct wl_body *body)
{
  uint32_t begin = body->params.count;
  for (uint32_t i = 0; i < body->locals.count && !wl_lower_failed(l); i++) {
    const struct wl_locals *run = WL_ITEM(wl_locals, body->locals, i);
    wl_declare(l, run->end - begin, wl_low_type(l->module, run->type));
    begin = run->end;
  }
}

static void clear_locals(struct wl_lowering *l, const struct wl_body *body)
{
  uint32_t local = body->params.count;
  for (uint32_t i = 0; i < body->locals.count; i++) {
    const struct wl_locals *run = WL_ITEM(wl_locals, body->locals, i);
    for (; local < run->end && !wl_lower_failed(l); local++) {
      wl_emit_default(l, wl_low_type(l->module, run->type));
      wl_emit_index(l, WL_LOCAL_SET, local);
    }
  }
}

/*
 *     block                    the landing, if anything is thrown
 *       block (the results)    the label of the source's body
 *         loop (the results)   if it calls itself in a tail; its locals are zero again
 *           ...
 *         end
 *       end
 *       return
 *     end
 *     (zeros)
 */
static void begin_body(struct wl_lowering *l, struct wl_body *body, uint32_t function)
{
  wl_begin_function(l, body->params.count);
  declare_locals(l, body);
  l->throws = l->can_throw && l->functions[function] & WL_MAY_THROW;
  if (l->throws) {
    l->landing = l->depth;
    wl_open(l, WL_BLOCK);
    wl_open_typed(l, WL_BLOCK, nothing, body->results);
  }
  push_level(l, (struct wl_level){ .label = l->depth - 1, .landing = l->landing });
  if (l->functions[function] & WL_CALLS_ITSELF) {
    l->head = l->depth;
    wl_open_typed(l, WL_LOOP, nothing, body->results);
    clear_locals(l, body);
  }
}

static bool lower_body(struct wl_lowering *l, struct wl_body *body, uint32_t function)
{
  const uint32_t type = WL_ITEM(wl_function, l->module->functions, function)->type;
  if (!wl_open_body(body, function))
    return false;
  begin_body(l, body, function);
  while (wl_is_open(body))
    if (!wl_read_instruction(body) || !lower_instruction(l, body) || !wl_check_instruction(body))
      return false;
  wl_finish_function(l, wl_low_function_type(l, type));
  l->module->error.function = WL_NONE;
  return !wl_lower_failed(l);
}

bool wl_lower_bodies(struct wl_lowering *l)
{
  struct wl_body body = { .module = l->module };
  for (uint32_t i = l->module->imported[WL_KIND_FUNC]; i < l->module->functions.count; i++)
    if (!lower_body(l, &body, i))
      return false;
  return true;
}

/* Outside of code any function may be referred to, in code only what is declared: it could come to lie there. */
static void refer_to(struct wl_lowering *l, uint32_t function)
{
  const uint32_t referred = wl_referred(l, function);
  wl_emit_function(l, WL_REF_FUNC, referred);
  if (!wl_make_room(&l->module->memory, &l->moved, sizeof referred))
    wl_fail_for_memory(&l->module->error, 0);
  else if (l->is_start)
    ((uint32_t *)l->moved.items)[l->moved.count++] = referred;
}

static void emit_number(struct wl_lowering *l, struct wl_constant constant)
{
  uint8_t bytes[8];
  for (unsigned i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(constant.value >> 8 * i);
  switch (constant.low_type) {
  case WL_LOW_I32: wl_emit_i32(l, (uint32_t)constant.value); break;
  case WL_LOW_I64: wl_emit_i64(l, constant.value); break;
  case WL_LOW_F32:
    wl_emit(l, WL_F32_CONST);
    wl_put_bytes(l, &l->bytes, bytes, 4);
    break;
  default:
    wl_emit(l, WL_F64_CONST);
    wl_put_bytes(l, &l->bytes, bytes, 8);
  }
}

void wl_lower_expression(struct wl_lowering *l, uint32_t at)
{
  const struct wl_constant constant = wl_evaluate(l, at);
  switch ((enum wl_constant_kind)constant.kind) {
  case WL_NUMBER: emit_number(l, constant); break;
  case WL_IMPORTED: wl_emit_index(l, WL_GLOBAL_GET, (uint32_t)constant.value); break;
  case WL_FUNCTION_REFERENCE: refer_to(l, (uint32_t)constant.value); break;
  case WL_NULL_REFERENCE: wl_emit_null(l, constant.low_type); break;
  case WL_UNKNOWN_CONSTANT:
    wl_fail(&l->module->error, WL_UNSUPPORTED, at, "not supported: arithmetic with imported globals in an expression");
  }
}

/* What is given to the lowering beyond what is left: the code once as it is made, and once as it is written. */
enum { MEMORY_TIMES = 12, MEMORY_LEAST = 1 << 18, WORK_TIMES = 64, WORK_LEAST = 1 << 20 };

static void give_means(struct wl_module *module)
{
  module->memory.left += (size_t)MEMORY_TIMES * module->size + MEMORY_LEAST;
  module->work_left = WORK_TIMES * (uint64_t)module->size + WORK_LEAST;
}

static bool refuse_reserved_imports(struct wl_module *module)
{
  for (uint32_t i = 0; i < module->imports.count; i++) {
    const struct wl_name name = WL_ITEM(wl_import, module->imports, i)->module;
    if (name.length == 6 && memcmp(module->bytes + name.at, "wasmfx", 6) == 0)
      return wl_fail(&module->error, WL_UNSUPPORTED, name.at,
                     "not supported: imports from \"wasmfx\", which are for lowered modules");
  }
  return true;
}

bool wl_lower(struct wl_module *module, const struct wl_options *options, struct wl_output *output)
{
  struct wl_lowering l = { .module = module, .options = options };
  if (!refuse_reserved_imports(module))
    return false;
  give_means(module);
  l.identities = wl_identify(module);
  l.type_of = wl_allocate(&module->memory, module->definitions.count, sizeof *l.type_of);
  if (!l.identities || !l.type_of)
    return wl_fail_for_memory(&module->error, 0);
  if (!wl_find_constants(&l) || !wl_plan(&l) || !wl_lower_bodies(&l) || !wl_lower_added(&l))
    return false;
  const uint32_t start = wl_lower_start(&l);
  return !wl_lower_failed(&l) && wl_write(&l, start, output);
}
