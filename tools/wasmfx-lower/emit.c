/* SPDX-License-Identifier: Apache-2.0 */
/* The code of the function that is being made. */
#include "emit.h"

#include <string.h>

/* ---- Bytes and numbers ------------------------------------------------------------------------- */

static void out_of_memory(struct wl_lowering *l)
{
  wl_fail_for_memory(&l->module->error, 0);
}

void wl_put_byte(struct wl_lowering *l, struct wl_array *bytes, uint8_t byte)
{
  if (!wl_make_room(&l->module->memory, bytes, 1))
    out_of_memory(l);
  else
    ((uint8_t *)bytes->items)[bytes->count++] = byte;
}

void wl_put_bytes(struct wl_lowering *l, struct wl_array *bytes, const uint8_t *from, size_t count)
{
  if (count > UINT32_MAX || !wl_make_room_for(&l->module->memory, bytes, 1, (uint32_t)count)) {
    out_of_memory(l);
  } else if (count) {
    memcpy((uint8_t *)bytes->items + bytes->count, from, count);
    bytes->count += (uint32_t)count;
  }
}

void wl_put_unsigned(struct wl_lowering *l, struct wl_array *bytes, uint64_t number)
{
  for (; number >= 0x80; number >>= 7)
    wl_put_byte(l, bytes, (uint8_t)(number | 0x80));
  wl_put_byte(l, bytes, (uint8_t)number);
}

void wl_put_signed(struct wl_lowering *l, struct wl_array *bytes, int64_t number)
{
  for (; number < -0x40 || number >= 0x40; number >>= 7)
    wl_put_byte(l, bytes, (uint8_t)(number | 0x80));
  wl_put_byte(l, bytes, (uint8_t)(number & 0x7f));
}

/* ---- Instructions ---------------------------------------------------------------------------- */

void wl_emit(struct wl_lowering *l, uint8_t opcode)
{
  wl_put_byte(l, &l->bytes, opcode);
}

void wl_emit_index(struct wl_lowering *l, uint8_t opcode, uint32_t index)
{
  wl_emit(l, opcode);
  wl_put_unsigned(l, &l->bytes, index);
}

void wl_emit_i32(struct wl_lowering *l, uint32_t number)
{
  wl_emit(l, WL_I32_CONST);
  wl_put_signed(l, &l->bytes, (int32_t)number);
}

void wl_emit_i64(struct wl_lowering *l, uint64_t number)
{
  wl_emit(l, WL_I64_CONST);
  wl_put_signed(l, &l->bytes, (int64_t)number);
}

void wl_emit_null(struct wl_lowering *l, uint32_t low_type)
{
  wl_emit(l, WL_REF_NULL);
  wl_emit(l, (uint8_t)low_type);
}

void wl_emit_default(struct wl_lowering *l, uint32_t low_type)
{
  static const uint8_t zeros[8] = { 0 };
  switch (low_type) {
  case WL_LOW_I32: wl_emit_i32(l, 0); break;
  case WL_LOW_I64: wl_emit_i64(l, 0); break;
  case WL_LOW_F32:
    wl_emit(l, WL_F32_CONST);
    wl_put_bytes(l, &l->bytes, zeros, 4);
    break;
  case WL_LOW_F64:
    wl_emit(l, WL_F64_CONST);
    wl_put_bytes(l, &l->bytes, zeros, 8);
    break;
  default: wl_emit_null(l, low_type);
  }
}

void wl_emit_function(struct wl_lowering *l, uint8_t opcode, uint32_t function)
{
  wl_emit(l, opcode);
  if (function < l->module->imported[WL_KIND_FUNC]) {
    wl_put_unsigned(l, &l->bytes, function);
  } else if (!wl_make_room(&l->module->memory, &l->places, sizeof(struct wl_fixup))) {
    out_of_memory(l);
  } else {
    *WL_ITEM(wl_fixup, l->places, l->places.count++) = (struct wl_fixup){ l->bytes.count, function };
  }
}

void wl_emit_verb(struct wl_lowering *l, enum wl_verb verb, enum wl_variant variant)
{
  uint32_t *slot = &l->verbs.slot[verb][variant];
  if (!*slot) {
    l->verbs.order[l->verbs.count] = (uint16_t)(verb * WL_VARIANTS + variant);
    *slot = ++l->verbs.count;
  }
  wl_emit_index(l, WL_CALL, l->module->imported[WL_KIND_FUNC] + *slot - 1);
}

void wl_emit_trap(struct wl_lowering *l, enum wl_trap trap)
{
  wl_emit_i32(l, trap);
  wl_emit_verb(l, WL_V_TRAP, WL_ALONE);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

void wl_open(struct wl_lowering *l, uint8_t opcode)
{
  wl_emit(l, opcode);
  wl_emit(l, WL_NO_VALUES);
  l->depth++;
}

void wl_open_typed(struct wl_lowering *l, uint8_t opcode, struct wl_list params, struct wl_list results)
{
  wl_emit(l, opcode);
  if (params.count == 0 && results.count == 0)
    wl_emit(l, WL_NO_VALUES);
  else if (params.count == 0 && results.count == 1)
    wl_emit(l, (uint8_t)wl_low_type(l->module, results.types[0]));
  else
    wl_put_signed(l, &l->bytes, wl_low_list_type(l, params, results, false));
  l->depth++;
}

void wl_close(struct wl_lowering *l)
{
  wl_emit(l, WL_END);
  l->depth--;
}

void wl_emit_branch(struct wl_lowering *l, uint8_t opcode, uint32_t label)
{
  wl_emit_index(l, opcode, l->depth - 1 - label);
}

/* ---- Locals ---------------------------------------------------------------------------------- */

/* Runs of locals: a count in four bytes, and a type. */
struct run {
  uint32_t count, low_type;
};

void wl_declare(struct wl_lowering *l, uint32_t count, uint32_t low_type)
{
  struct run *last = l->declared.count ? (struct run *)l->declared.items + l->declared.count - 1 : NULL;
  l->locals += count;
  if (last && last->low_type == low_type) {
    last->count += count;
  } else if (!wl_make_room(&l->module->memory, &l->declared, sizeof(struct run))) {
    out_of_memory(l);
  } else {
    ((struct run *)l->declared.items)[l->declared.count++] = (struct run){ count, low_type };
  }
}

static uint32_t class_of(uint32_t low_type)
{
  return low_type >= WL_LOW_F64 ? WL_LOW_I32 - low_type : low_type == WL_LOW_FUNC ? 4 : 5;
}

uint32_t wl_scratch(struct wl_lowering *l, uint32_t low_type)
{
  struct wl_array *locals = &l->scratch[class_of(low_type)];
  uint32_t *used = &l->used[class_of(low_type)];
  if (*used < locals->count)
    return ((uint32_t *)locals->items)[(*used)++];
  if (!wl_make_room(&l->module->memory, locals, sizeof(uint32_t))) {
    out_of_memory(l);
    return 0;
  }
  ((uint32_t *)locals->items)[locals->count++] = l->locals;
  (*used)++;
  wl_declare(l, 1, low_type);
  return l->locals - 1;
}

void wl_release(struct wl_lowering *l)
{
  memset(l->used, 0, sizeof l->used);
}

/* ---- Functions ------------------------------------------------------------------------------- */

void wl_begin_function(struct wl_lowering *l, uint32_t params)
{
  l->bytes.count = l->places.count = l->declared.count = l->levels.count = 0;
  for (uint32_t i = 0; i < WL_LOW_TYPES; i++)
    l->scratch[i].count = 0;
  wl_release(l);
  l->locals = params;
  l->depth = 1;
  l->landing = l->head = WL_NONE;
  l->throws = l->is_dead = l->is_start = false;
  l->skipped = 0;
}

static void put_locals(struct wl_lowering *l)
{
  wl_put_unsigned(l, &l->code, l->declared.count);
  for (uint32_t i = 0; i < l->declared.count; i++) {
    const struct run *run = (struct run *)l->declared.items + i;
    wl_put_unsigned(l, &l->code, run->count);
    wl_put_byte(l, &l->code, (uint8_t)run->low_type);
  }
}

static void put_fixups(struct wl_lowering *l, uint32_t begin)
{
  for (uint32_t i = 0; i < l->places.count && !wl_lower_failed(l); i++) {
    struct wl_fixup fixup = *WL_ITEM(wl_fixup, l->places, i);
    fixup.at += begin;
    if (!wl_make_room(&l->module->memory, &l->fixups, sizeof fixup))
      out_of_memory(l);
    else
      *WL_ITEM(wl_fixup, l->fixups, l->fixups.count++) = fixup;
  }
}

void wl_finish_function(struct wl_lowering *l, uint32_t low_type)
{
  struct wl_finished finished = { .type = low_type, .begin = l->code.count, .first_fixup = l->fixups.count };
  put_locals(l);
  put_fixups(l, l->code.count);
  wl_put_bytes(l, &l->code, l->bytes.items, l->bytes.count);
  finished.end = l->code.count;
  finished.end_fixup = l->fixups.count;
  if (!wl_make_room(&l->module->memory, &l->finished, sizeof finished))
    out_of_memory(l);
  else
    *WL_ITEM(wl_finished, l->finished, l->finished.count++) = finished;
}
