/* SPDX-License-Identifier: Apache-2.0 */
/* Types and their definitions, as they stand in the file. */
#include "read.h"

enum {
  /* As engines on the Web have it. */
  MOST_TYPES = 1000000,
  MOST_VALUES = 1000, /* parameters, and results */
  MOST_FIELDS = 10000,

  REC = 0x4e,
  SUB_FINAL = 0x4f,
  SUB = 0x50,
  REF_NULL = 0x63,
  REF = 0x64,
};

/* ---- Types of values --------------------------------------------------------------------- */

static bool is_abstract(int byte)
{
  return 0x68 <= byte && byte <= 0x75;
}

uint32_t wl_read_index_of_type(struct wl_cursor *cursor, const char *else_text)
{
  const uint32_t at = cursor->at;
  const int64_t index = wl_signed(cursor, 33);
  if (index < 0)
    wl_malformed(cursor, at, else_text);
  if (index < 0)
    return 0;
  return index < WL_ABSTRACT ? (uint32_t)index : WL_ABSTRACT - 1; /* that large, it is unknown anyway */
}

uint32_t wl_read_heap(struct wl_cursor *cursor)
{
  if (is_abstract(wl_peek(cursor)))
    return WL_ABSTRACT | wl_byte(cursor);
  return wl_read_index_of_type(cursor, "malformed heap type");
}

static wl_type read_storage(struct wl_cursor *cursor, bool is_field)
{
  static const uint8_t numeric[] = { WL_V128, WL_F64, WL_F32, WL_I64, WL_I32 };
  const uint32_t at = cursor->at;
  const uint8_t byte = wl_byte(cursor);
  if (0x7b <= byte && byte <= 0x7f)
    return numeric[byte - 0x7b];
  if (is_field && (byte == 0x78 || byte == 0x77))
    return byte == 0x78 ? WL_I8 : WL_I16;
  if (is_abstract(byte))
    return wl_ref(WL_ABSTRACT | byte, true);
  if (byte == REF || byte == REF_NULL)
    return wl_ref(wl_read_heap(cursor), byte == REF_NULL);
  wl_malformed(cursor, at, is_field ? "malformed storage type" : "malformed reference type");
  return WL_BOTTOM;
}

wl_type wl_read_type(struct wl_cursor *cursor)
{
  return read_storage(cursor, false);
}

wl_type wl_read_reference(struct wl_cursor *cursor)
{
  const uint32_t at = cursor->at;
  const wl_type type = wl_read_type(cursor);
  if (!wl_is_ref(type))
    wl_malformed(cursor, at, "malformed reference type");
  return type;
}

bool wl_read_mutability(struct wl_cursor *cursor)
{
  const uint32_t at = cursor->at;
  const uint8_t byte = wl_byte(cursor);
  if (byte > 1)
    wl_malformed(cursor, at, "malformed mutability");
  return byte;
}

/* ---- Definitions --------------------------------------------------------------------------- */

static void add_to_pool(struct wl_reader *reader, struct wl_definition *definition, wl_type type)
{
  struct wl_array *pool = &reader->module->pool;
  if (wl_failed(&reader->cursor))
    return;
  if (!wl_make_room(&reader->module->memory, pool, sizeof type)) {
    wl_read_out_of_memory(reader);
    return;
  }
  definition->has_v128 |= (type & ~WL_MUTABLE) == WL_V128;
  ((wl_type *)pool->items)[pool->count++] = type;
}

static uint16_t read_values(struct wl_reader *reader, struct wl_definition *definition, const char *what)
{
  const uint32_t at = reader->cursor.at, count = wl_count(&reader->cursor);
  if (count > MOST_VALUES)
    wl_read_unsupported(reader, at, what);
  for (uint32_t i = 0; i < count && !wl_failed(&reader->cursor); i++)
    add_to_pool(reader, definition, wl_read_type(&reader->cursor));
  return (uint16_t)count;
}

static void read_field(struct wl_reader *reader, struct wl_definition *definition)
{
  const wl_type type = read_storage(&reader->cursor, true);
  const bool is_mutable = wl_read_mutability(&reader->cursor);
  add_to_pool(reader, definition, type | (is_mutable ? WL_MUTABLE : 0));
}

static void read_fields(struct wl_reader *reader, struct wl_definition *definition)
{
  const uint32_t at = reader->cursor.at, count = wl_count(&reader->cursor);
  if (count > MOST_FIELDS)
    wl_read_unsupported(reader, at, "more than 10000 fields");
  for (uint32_t i = 0; i < count && !wl_failed(&reader->cursor); i++)
    read_field(reader, definition);
  definition->params = (uint16_t)count;
}

static void read_form(struct wl_reader *reader, struct wl_definition *definition)
{
  const uint32_t at = reader->cursor.at;
  definition->form = wl_byte(&reader->cursor);
  switch (definition->form) {
  case WL_FUNC_FORM:
    definition->params = read_values(reader, definition, "more than 1000 parameters");
    definition->results = read_values(reader, definition, "more than 1000 results");
    break;
  case WL_STRUCT_FORM: read_fields(reader, definition); break;
  case WL_ARRAY_FORM:
    read_field(reader, definition);
    definition->params = 1;
    break;
  case WL_CONT_FORM: definition->first = wl_read_index_of_type(&reader->cursor, "malformed type index"); break;
  default: wl_malformed(&reader->cursor, at, "malformed definition type");
  }
}

static void read_supertypes(struct wl_reader *reader, struct wl_definition *definition)
{
  const uint32_t at = reader->cursor.at, count = wl_count(&reader->cursor);
  if (count > 1)
    wl_fail(reader->cursor.error, WL_INVALID, at, "sub type has more than one super type");
  if (count) {
    const uint32_t supertype = wl_u32(&reader->cursor);
    definition->supertype = supertype < WL_ABSTRACT ? supertype : WL_ABSTRACT - 1;
  }
}

static void read_definition(struct wl_reader *reader, uint32_t group)
{
  struct wl_array *definitions = &reader->module->definitions;
  struct wl_definition definition = { .is_final = true, .supertype = WL_NONE, .group = group };
  const int byte = wl_peek(&reader->cursor);
  definition.offset = reader->cursor.at;
  definition.first = reader->module->pool.count;
  definition.canonical = definitions->count;
  if (byte == SUB || byte == SUB_FINAL) {
    definition.is_final = wl_byte(&reader->cursor) == SUB_FINAL;
    read_supertypes(reader, &definition);
  }
  read_form(reader, &definition);
  if (wl_failed(&reader->cursor))
    return;
  if (definitions->count == MOST_TYPES)
    wl_read_unsupported(reader, definition.offset, "more than 1000000 types");
  else if (!wl_make_room(&reader->module->memory, definitions, sizeof definition))
    wl_read_out_of_memory(reader);
  else
    *wl_definition(reader->module, definitions->count++) = definition;
}

void wl_read_group(struct wl_reader *reader)
{
  const uint32_t group = reader->module->definitions.count;
  uint32_t count = 1;
  if (wl_peek(&reader->cursor) == REC) {
    wl_byte(&reader->cursor);
    count = wl_count(&reader->cursor);
  }
  for (uint32_t i = 0; i < count && !wl_failed(&reader->cursor); i++)
    read_definition(reader, group);
}
