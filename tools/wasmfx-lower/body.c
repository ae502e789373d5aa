/* SPDX-License-Identifier: Apache-2.0 */
/* The stack of types, the blocks and the locals of a body. */
#include "body.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_LOCALS = 50000 /* as engines on the Web have it */ };

/* ---- Messages ------------------------------------------------------------------------------- */

bool wl_invalid(struct wl_body *body, const char *format, ...)
{
  char text[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return wl_fail(&body->module->error, WL_INVALID, body->now.offset, "%s: %s", body->now.op->name, text);
}

bool wl_mismatch(struct wl_body *body, wl_type expected, wl_type found)
{
  char ours[64] = "", theirs[64] = "";
  wl_append_type(ours, sizeof ours, expected);
  wl_append_type(theirs, sizeof theirs, found);
  return wl_invalid(body, "type mismatch: expected %s, found %s", ours, theirs);
}

bool wl_list_mismatch(struct wl_body *body, const char *where, struct wl_list expected, struct wl_list found)
{
  char ours[160] = "", theirs[160] = "";
  wl_append_list(ours, sizeof ours, expected);
  wl_append_list(theirs, sizeof theirs, found);
  return wl_invalid(body, "type mismatch%s: expected %s, found %s", where, ours, theirs);
}

static bool out_of_memory(struct wl_body *body)
{
  return wl_fail_for_memory(&body->module->error, body->now.offset);
}

bool wl_spend(struct wl_body *body, uint32_t types)
{
  struct wl_module *module = body->module;
  if (types > module->work_left)
    return wl_fail(&module->error, WL_UNSUPPORTED, body->now.offset,
                   "not supported: it would take more time than there is for its size");
  module->work_left -= types;
  return true;
}

/* ---- The stack --------------------------------------------------------------------------------- */

static struct wl_frame *innermost(const struct wl_body *body)
{
  return WL_ITEM(wl_frame, body->frames, body->frames.count - 1);
}

static wl_type *operands(const struct wl_body *body)
{
  return body->operands.items;
}

bool wl_push(struct wl_body *body, wl_type type)
{
  if (!wl_make_room(&body->module->memory, &body->operands, sizeof type))
    return out_of_memory(body);
  operands(body)[body->operands.count++] = type;
  return true;
}

bool wl_push_list(struct wl_body *body, struct wl_list list)
{
  for (uint32_t i = 0; i < list.count; i++)
    if (!wl_push(body, list.types[i]))
      return false;
  return true;
}

/* The type `depth` below the top; false where there is none, and then something if anything could be there. */
static bool peek(const struct wl_body *body, uint32_t depth, wl_type *type)
{
  const struct wl_frame *frame = innermost(body);
  const bool is_there = depth < body->operands.count - frame->height;
  *type = is_there ? operands(body)[body->operands.count - 1 - depth] : (wl_type)WL_BOTTOM;
  return is_there || frame->is_unreachable;
}

static void forget_top(struct wl_body *body)
{
  if (body->operands.count > innermost(body)->height)
    body->operands.count--;
}

wl_type wl_top_operand(const struct wl_body *body)
{
  wl_type type;
  peek(body, 0, &type);
  return type;
}

bool wl_pop_any(struct wl_body *body, wl_type *type)
{
  if (!peek(body, 0, type))
    return wl_invalid(body, "type mismatch: expected a value, found nothing");
  forget_top(body);
  return true;
}

static bool find(struct wl_body *body, uint32_t depth, wl_type expected)
{
  wl_type found;
  char text[64] = "";
  if (!peek(body, depth, &found)) {
    wl_append_type(text, sizeof text, expected);
    return wl_invalid(body, "type mismatch: expected %s, found nothing", text);
  }
  return wl_matches(body->module, found, expected) ? true : wl_mismatch(body, expected, found);
}

bool wl_pop(struct wl_body *body, wl_type expected)
{
  if (!find(body, 0, expected))
    return false;
  forget_top(body);
  return true;
}

bool wl_find_list(struct wl_body *body, struct wl_list list)
{
  for (uint32_t i = 0; i < list.count; i++)
    if (!find(body, i, list.types[list.count - 1 - i]))
      return false;
  return true;
}

bool wl_pop_list(struct wl_body *body, struct wl_list list)
{
  if (!wl_spend(body, list.count))
    return false;
  for (uint32_t i = list.count; i-- > 0;)
    if (!wl_pop(body, list.types[i]))
      return false;
  return true;
}

bool wl_pop_reference(struct wl_body *body, uint32_t *heap, bool *null)
{
  wl_type type;
  char text[64] = "";
  if (!wl_pop_any(body, &type))
    return false;
  *heap = type == WL_BOTTOM ? WL_NEVER : wl_heap(type);
  *null = type & WL_NULL;
  if (type == WL_BOTTOM || wl_is_ref(type))
    return true;
  wl_append_type(text, sizeof text, type);
  return wl_invalid(body, "type mismatch: expected a reference, found %s", text);
}

bool wl_apply(struct wl_body *body, struct wl_list params, struct wl_list results)
{
  return wl_pop_list(body, params) && wl_push_list(body, results);
}

bool wl_end_here(struct wl_body *body)
{
  struct wl_frame *frame = innermost(body);
  frame->is_unreachable = true;
  body->operands.count = frame->height;
  return true;
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static struct wl_list params_of(const struct wl_body *body, const struct wl_frame *frame)
{
  return frame->block_form == WL_BLOCK_TYPE ? wl_params(body->module, frame->type) : (struct wl_list){ NULL, 0 };
}

/* Lies in the frame itself, if it is a single value. */
static struct wl_list results_of(const struct wl_body *body, const struct wl_frame *frame)
{
  if (frame->opcode == WL_UNREACHABLE)
    return body->results;
  if (frame->block_form == WL_BLOCK_TYPE)
    return wl_results(body->module, frame->type);
  return (struct wl_list){ &frame->type, frame->block_form == WL_BLOCK_VALUE };
}

static bool open_frame(struct wl_body *body, struct wl_frame frame)
{
  if (!wl_make_room(&body->module->memory, &body->frames, sizeof frame))
    return out_of_memory(body);
  frame.height = body->operands.count;
  frame.set_height = body->sets.count;
  *WL_ITEM(wl_frame, body->frames, body->frames.count++) = frame;
  return true;
}

static bool check_block_type(struct wl_body *body, struct wl_frame *frame)
{
  struct wl_instruction *now = &body->now;
  frame->type = now->type;
  if (frame->block_form == WL_BLOCK_VALUE)
    return wl_canonical(body->module, &frame->type, now->offset);
  if (frame->block_form == WL_BLOCK_EMPTY)
    return true;
  frame->type = now->type_index;
  if (now->type_index >= body->module->definitions.count)
    return wl_invalid(body, "unknown type %" PRIu32, now->type_index);
  const struct wl_definition *definition = wl_definition(body->module, now->type_index);
  if (definition->form != WL_FUNC_FORM)
    return wl_invalid(body, "non-function type %" PRIu32, now->type_index);
  if (definition->has_v128)
    return wl_fail(&body->module->error, WL_UNSUPPORTED, now->offset, "not supported: v128");
  return true;
}

bool wl_enter(struct wl_body *body)
{
  struct wl_frame frame = { .opcode = (uint8_t)body->now.opcode, .block_form = body->now.block_form };
  return check_block_type(body, &frame) && wl_pop_list(body, params_of(body, &frame)) && open_frame(body, frame) &&
         wl_push_list(body, params_of(body, &frame));
}

static void lower_flags(struct wl_body *body, uint32_t height)
{
  while (body->sets.count > height)
    body->flags[((uint32_t *)body->sets.items)[--body->sets.count]] = 0;
}

static bool check_results(struct wl_body *body)
{
  const struct wl_frame *frame = innermost(body);
  const struct wl_list results = results_of(body, frame);
  if (!wl_pop_list(body, results))
    return false;
  if (body->operands.count == frame->height)
    return true;
  const struct wl_list rest = { operands(body) + frame->height, body->operands.count - frame->height };
  return wl_list_mismatch(body, ": values remain at the end of the block", (struct wl_list){ NULL, 0 }, rest);
}

/* Without an else, an if gives what it takes. */
static bool check_if(struct wl_body *body, const struct wl_frame *frame)
{
  const struct wl_list params = params_of(body, frame), results = results_of(body, frame);
  if (frame->opcode != WL_IF || body->now.opcode == WL_ELSE || wl_lists_match(body->module, params, results))
    return true;
  return wl_list_mismatch(body, ", if without else", results, params);
}

/* Ends the innermost block, or the first half of an if, which comes back open. */
bool wl_leave(struct wl_body *body, struct wl_frame *closed)
{
  if (!check_results(body) || !check_if(body, innermost(body)))
    return false;
  *closed = *innermost(body);
  lower_flags(body, closed->set_height);
  body->frames.count--;
  if (body->now.opcode == WL_END)
    return wl_push_list(body, results_of(body, closed));
  if (closed->opcode != WL_IF)
    return wl_fail(&body->module->error, WL_MALFORMED, body->now.offset, "END opcode expected");
  struct wl_frame second = *closed;
  second.opcode = WL_ELSE;
  second.is_unreachable = false;
  return open_frame(body, second) && wl_push_list(body, params_of(body, &second));
}

bool wl_label(struct wl_body *body, uint32_t label, struct wl_list *list)
{
  if (label >= body->frames.count)
    return wl_invalid(body, "unknown label %" PRIu32, label);
  const struct wl_frame *frame = WL_ITEM(wl_frame, body->frames, body->frames.count - 1 - label);
  *list = frame->opcode == WL_LOOP ? params_of(body, frame) : results_of(body, frame);
  return wl_spend(body, list->count);
}

/* ---- Locals ---------------------------------------------------------------------------------- */

static const struct wl_locals *run_of(const struct wl_body *body, uint32_t index)
{
  uint32_t low = 0, high = body->locals.count;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (index < WL_ITEM(wl_locals, body->locals, middle)->end)
      high = middle;
    else
      low = middle + 1;
  }
  return low < body->locals.count ? WL_ITEM(wl_locals, body->locals, low) : NULL;
}

bool wl_local(struct wl_body *body, uint32_t index, wl_type *type, uint32_t *flag)
{
  *flag = WL_NONE;
  if (index < body->params.count) {
    *type = body->params.types[index];
    return true;
  }
  const struct wl_locals *run = run_of(body, index);
  if (!run)
    return wl_invalid(body, "unknown local %" PRIu32, index);
  *type = run->type;
  if (run->flags != WL_NONE)
    *flag = run->flags + (run->end - 1 - index);
  return true;
}

bool wl_set_flag(struct wl_body *body, uint32_t flag)
{
  if (flag == WL_NONE || body->flags[flag])
    return true;
  if (!wl_make_room(&body->module->memory, &body->sets, sizeof flag))
    return out_of_memory(body);
  ((uint32_t *)body->sets.items)[body->sets.count++] = flag;
  body->flags[flag] = 1;
  return true;
}

/* One run of the declarations; `*flags` locals without a default came before it. */
static bool read_locals(struct wl_body *body, uint64_t *end, uint32_t *flags)
{
  const uint32_t at = body->cursor.at, count = wl_u32(&body->cursor);
  struct wl_locals run = { .type = wl_read_type(&body->cursor), .flags = WL_NONE };
  struct wl_error *error = &body->module->error;
  if (wl_failed(&body->cursor))
    return false;
  *end += count;
  if (*end > UINT32_MAX)
    return wl_malformed(&body->cursor, at, "too many locals");
  if (!wl_canonical(body->module, &run.type, at))
    return false;
  if (!wl_make_room(&body->module->memory, &body->locals, sizeof run))
    return wl_fail_for_memory(error, at);
  run.end = (uint32_t)*end;
  if (!wl_has_default(run.type)) {
    run.flags = *flags;
    *flags += count;
  }
  *WL_ITEM(wl_locals, body->locals, body->locals.count++) = run;
  return true;
}

/* All that is declared is known to be few before there is room for it. */
static bool open_locals(struct wl_body *body)
{
  const uint32_t at = body->cursor.at, count = wl_count(&body->cursor);
  uint64_t end = body->params.count;
  uint32_t flags = 0;
  body->locals.count = body->sets.count = 0;
  for (uint32_t i = 0; i < count; i++)
    if (!read_locals(body, &end, &flags))
      return false;
  if (end - body->params.count > MOST_LOCALS)
    return wl_fail(&body->module->error, WL_UNSUPPORTED, at, "not supported: more than 50000 locals");
  if (flags && !body->flags)
    body->flags = wl_allocate(&body->module->memory, MOST_LOCALS, 1);
  if (flags && !body->flags)
    return out_of_memory(body);
  if (flags)
    memset(body->flags, 0, flags);
  return !wl_failed(&body->cursor);
}

/* ---- Bodies ---------------------------------------------------------------------------------- */

static bool apply_signature(struct wl_body *body, const char *signature)
{
  static const uint8_t type_of[] = { ['i'] = WL_I32, ['l'] = WL_I64, ['f'] = WL_F32, ['d'] = WL_F64 };
  const char *colon = strchr(signature, ':');
  for (const char *letter = colon; letter-- > signature;)
    if (!wl_pop(body, type_of[(unsigned char)*letter]))
      return false;
  for (const char *letter = colon + 1; *letter; letter++)
    if (!wl_push(body, type_of[(unsigned char)*letter]))
      return false;
  return true;
}

bool wl_check_instruction(struct wl_body *body)
{
  const struct wl_op *op = body->now.op;
  if (body->is_constant && !op->is_constant && body->now.opcode != WL_END)
    return wl_invalid(body, "constant expression required");
  return wl_check_rule(body) && (!op->signature || apply_signature(body, op->signature));
}

static bool open_outermost(struct wl_body *body)
{
  body->operands.count = body->frames.count = 0;
  body->now.offset = body->cursor.at;
  return open_frame(body, (struct wl_frame){ .opcode = WL_UNREACHABLE });
}

bool wl_read_instruction(struct wl_body *body)
{
  return wl_next(&body->cursor, &body->now) ? true
    : wl_malformed(&body->cursor, body->cursor.end, "unexpected end of section or function");
}

/* Up to the end of the outermost block. */
static bool check_instructions(struct wl_body *body)
{
  while (wl_is_open(body))
    if (!wl_read_instruction(body) || !wl_check_instruction(body))
      return false;
  return true;
}

bool wl_open_body(struct wl_body *body, uint32_t index)
{
  struct wl_module *module = body->module;
  const struct wl_function *function = WL_ITEM(wl_function, module->functions, index);
  module->error.function = index;
  body->cursor = wl_cursor_at(module, function->body, function->end);
  body->params = wl_params(module, function->type);
  body->results = wl_results(module, function->type);
  body->is_constant = false;
  return open_locals(body) && open_outermost(body);
}

bool wl_check_body(struct wl_body *body, uint32_t index)
{
  struct wl_module *module = body->module;
  if (!wl_open_body(body, index) || !check_instructions(body))
    return false;
  if (wl_has_more(&body->cursor))
    return wl_malformed(&body->cursor, body->cursor.at, "section size mismatch");
  module->error.function = WL_NONE;
  return true;
}

bool wl_check_expression(struct wl_body *body, uint32_t at, wl_type type, uint32_t known_globals)
{
  body->cursor = wl_cursor_at(body->module, at, body->module->size);
  body->constant_type = type;
  body->params = (struct wl_list){ NULL, 0 };
  body->results = (struct wl_list){ &body->constant_type, 1 };
  body->is_constant = true;
  body->known_globals = known_globals;
  return open_outermost(body) && check_instructions(body);
}
