/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder of instructions. */
#include "code.h"

#include <string.h>

enum { GC_PREFIX = 0xfb, MISC_PREFIX = 0xfc, VECTOR_PREFIX = 0xfd, VECTOR_OPS = 0x114, GC_OPS = 0x1f, MISC_OPS = 0x12 };

/* ---- Opcodes --------------------------------------------------------------------------- */

static bool illegal(struct wl_cursor *cursor, uint32_t offset, unsigned byte)
{
  cursor->at = cursor->end;
  return wl_fail(cursor->error, WL_MALFORMED, offset, "illegal opcode %02x", byte);
}

static bool illegal_after(struct wl_cursor *cursor, uint32_t offset, unsigned prefix, unsigned number)
{
  cursor->at = cursor->end;
  return wl_fail(cursor->error, WL_MALFORMED, offset, "illegal opcode %02x %02x", prefix, number);
}

static bool unsupported(struct wl_cursor *cursor, uint32_t offset, const char *name)
{
  cursor->at = cursor->end;
  return wl_fail(cursor->error, WL_UNSUPPORTED, offset, "not supported: %s", name);
}

static bool read_prefixed(struct wl_cursor *cursor, struct wl_instruction *i, unsigned prefix)
{
  const uint32_t number = wl_u32(cursor);
  if (wl_failed(cursor))
    return false;
  if (prefix == VECTOR_PREFIX && number < VECTOR_OPS)
    return unsupported(cursor, i->offset, "instructions of v128");
  if (prefix == VECTOR_PREFIX || number >= (prefix == GC_PREFIX ? GC_OPS : MISC_OPS))
    return illegal_after(cursor, i->offset, prefix, number);
  i->opcode = (uint16_t)((prefix == GC_PREFIX ? WL_GC : WL_MISC) + number);
  return true;
}

static bool read_opcode(struct wl_cursor *cursor, struct wl_instruction *i)
{
  const uint8_t byte = wl_byte(cursor);
  i->opcode = byte;
  if (GC_PREFIX <= byte && byte <= VECTOR_PREFIX) {
    if (!read_prefixed(cursor, i, byte))
      return false;
  } else if (!wl_ops[byte].name) {
    return illegal(cursor, i->offset, byte);
  }
  i->op = &wl_ops[i->opcode];
  return i->op->is_unsupported ? unsupported(cursor, i->offset, i->op->name) : true;
}

/* ---- Immediates -------------------------------------------------------------------------- */

static void read_block_type(struct wl_cursor *cursor, struct wl_instruction *i)
{
  const int byte = wl_peek(cursor);
  if (byte == 0x40) {
    wl_byte(cursor);
    i->block_form = WL_BLOCK_EMPTY;
  } else if (byte >= 0 && (byte & 0xc0) == 0x40) {
    i->block_form = WL_BLOCK_VALUE;
    i->type = wl_read_type(cursor);
  } else {
    const uint32_t at = cursor->at;
    const int64_t index = wl_signed(cursor, 33);
    i->block_form = WL_BLOCK_TYPE;
    i->type_index = (uint32_t)index;
    if (index < 0)
      wl_malformed(cursor, at, "malformed block type");
  }
}

static void begin_list(struct wl_cursor *cursor, struct wl_instruction *i)
{
  i->count = wl_count(cursor);
  i->list = cursor->at;
}

static void read_labels(struct wl_cursor *cursor, struct wl_instruction *i)
{
  begin_list(cursor, i);
  for (uint32_t k = 0; k < i->count && !wl_failed(cursor); k++)
    wl_u32(cursor);
  i->x = wl_u32(cursor);
}

static void read_types(struct wl_cursor *cursor, struct wl_instruction *i)
{
  begin_list(cursor, i);
  for (uint32_t k = 0; k < i->count && !wl_failed(cursor); k++) {
    const wl_type type = wl_read_type(cursor);
    i->type = k ? i->type : type;
  }
}

struct wl_clause wl_next_catch(struct wl_cursor *cursor)
{
  struct wl_clause clause = { .offset = cursor->at, .kind = wl_byte(cursor) };
  if (clause.kind > WL_CATCH_ALL_REF)
    wl_malformed(cursor, clause.offset, "malformed catch clause");
  if (clause.kind < WL_CATCH_ALL)
    clause.tag = wl_u32(cursor);
  clause.label = wl_u32(cursor);
  return clause;
}

struct wl_clause wl_next_handler(struct wl_cursor *cursor)
{
  struct wl_clause clause = { .offset = cursor->at };
  const uint8_t byte = wl_byte(cursor);
  clause.kind = byte ? WL_ON_SWITCH : WL_ON_LABEL;
  if (byte > 1)
    wl_malformed(cursor, clause.offset, "malformed handler");
  clause.tag = wl_u32(cursor);
  if (clause.kind == WL_ON_LABEL)
    clause.label = wl_u32(cursor);
  return clause;
}

static void read_clauses(struct wl_cursor *cursor, struct wl_instruction *i,
                         struct wl_clause next(struct wl_cursor *cursor))
{
  begin_list(cursor, i);
  for (uint32_t k = 0; k < i->count && !wl_failed(cursor); k++)
    next(cursor);
}

static void read_cast(struct wl_cursor *cursor, struct wl_instruction *i)
{
  const uint32_t at = cursor->at;
  const uint8_t flags = wl_byte(cursor);
  if (flags > 3)
    wl_malformed(cursor, at, "malformed br_on_cast flags");
  i->x = wl_u32(cursor);
  i->type = wl_ref(wl_read_heap(cursor), flags & 1);
  i->type2 = wl_ref(wl_read_heap(cursor), flags & 2);
}

static void read_access(struct wl_cursor *cursor, struct wl_instruction *i)
{
  const uint32_t at = cursor->at, flags = wl_u32(cursor);
  if (flags >= 0x80)
    wl_malformed(cursor, at, "malformed memop flags");
  if (flags & 0x40)
    i->x = wl_u32(cursor);
  i->align = flags & 0x3f;
  i->value = wl_unsigned(cursor, 64);
}

static void read_bits(struct wl_cursor *cursor, struct wl_instruction *i, uint32_t bytes)
{
  for (uint32_t k = 0; k < bytes; k++)
    i->value |= (uint64_t)wl_byte(cursor) << 8 * k;
}

static void read_immediates(struct wl_cursor *cursor, struct wl_instruction *i)
{
  switch ((enum wl_immediates)i->op->immediates) {
  case WL_NOTHING: break;
  case WL_IMM_BLOCK: read_block_type(cursor, i); break;
  case WL_IMM_INDICES:
    i->x = wl_u32(cursor);
    i->y = wl_u32(cursor);
    break;
  case WL_IMM_INDEX: i->x = wl_u32(cursor); break;
  case WL_IMM_LABELS: read_labels(cursor, i); break;
  case WL_IMM_CATCHES:
    read_block_type(cursor, i);
    read_clauses(cursor, i, wl_next_catch);
    break;
  case WL_IMM_TAG_HANDLERS:
    i->x = wl_u32(cursor);
    i->y = wl_u32(cursor);
    read_clauses(cursor, i, wl_next_handler);
    break;
  case WL_IMM_HANDLERS:
    i->x = wl_u32(cursor);
    read_clauses(cursor, i, wl_next_handler);
    break;
  case WL_IMM_TYPES: read_types(cursor, i); break;
  case WL_IMM_HEAP: i->type = wl_ref(wl_read_heap(cursor), true); break;
  case WL_IMM_CAST: read_cast(cursor, i); break;
  case WL_IMM_ACCESS: read_access(cursor, i); break;
  case WL_IMM_I32: i->value = (uint32_t)wl_signed(cursor, 32); break;
  case WL_IMM_I64: i->value = (uint64_t)wl_signed(cursor, 64); break;
  case WL_IMM_F32: read_bits(cursor, i, 4); break;
  case WL_IMM_F64: read_bits(cursor, i, 8); break;
  }
}

void wl_skip_locals(struct wl_cursor *cursor)
{
  for (uint32_t count = wl_u32(cursor); count > 0; count--) {
    wl_u32(cursor);
    wl_read_type(cursor);
  }
}

bool wl_next(struct wl_cursor *cursor, struct wl_instruction *i)
{
  if (!wl_has_more(cursor))
    return false;
  memset(i, 0, sizeof *i);
  i->offset = cursor->at;
  if (!read_opcode(cursor, i))
    return false;
  read_immediates(cursor, i);
  return !wl_failed(cursor);
}
