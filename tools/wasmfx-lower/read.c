/* SPDX-License-Identifier: Apache-2.0 */
/* From the binary format to a module. What a module may not mean is left to the validation. */
#include "read.h"

#include <string.h>

#include "code.h"

enum {
  /* As engines on the Web have it. */
  MOST_BYTES = 1 << 30,
  MOST_FUNCTIONS = 1000000,

  HEADER = 8,
  MEMORY_TIMES = 8, /* of the input; with what holds that, less than ten times */
  MEMORY_LEAST = 1 << 16,
  WORK_TIMES = 64, /* of the input; code that people or compilers write takes a few times */
  WORK_LEAST = 1 << 20,

  FUNCTION_NAMES = 1, /* a subsection of the section "name" */
};

void wl_read_out_of_memory(struct wl_reader *reader)
{
  wl_fail_for_memory(reader->cursor.error, reader->cursor.at);
  reader->cursor.at = reader->cursor.end;
}

void wl_read_unsupported(struct wl_reader *reader, uint32_t offset, const char *what)
{
  wl_fail(reader->cursor.error, WL_UNSUPPORTED, offset, "not supported: %s", what);
  reader->cursor.at = reader->cursor.end;
}

/* A new item at the end of a list, all zero. After a failure it is one that nobody sees. */
static void *add(struct wl_reader *reader, struct wl_array *array, size_t size)
{
  if (!wl_failed(&reader->cursor) && !wl_make_room(&reader->module->memory, array, size))
    wl_read_out_of_memory(reader);
  if (wl_failed(&reader->cursor))
    return memset(reader->nowhere, 0, sizeof reader->nowhere);
  return (char *)array->items + size * array->count++;
}

#define ADD(reader, kind, array) ((struct kind *)add(reader, &(reader)->module->array, sizeof(struct kind)))

/* ---- What several sections have ---------------------------------------------------------------- */

uint32_t wl_skip_expression(struct wl_cursor *cursor)
{
  const uint32_t start = cursor->at;
  struct wl_instruction i;
  uint32_t depth = 1;
  while (depth && wl_next(cursor, &i))
    depth = i.opcode == WL_END ? depth - 1
      : i.op->immediates == WL_IMM_BLOCK || i.op->immediates == WL_IMM_CATCHES ? depth + 1 : depth;
  if (depth)
    wl_malformed(cursor, cursor->end, "unexpected end of section or function");
  return start;
}

static struct wl_limits read_limits(struct wl_reader *reader, const char *wide)
{
  struct wl_cursor *cursor = &reader->cursor;
  const uint32_t at = cursor->at;
  const uint8_t flags = wl_byte(cursor);
  struct wl_limits limits = { flags & 1, 0, 0 };
  if (flags & 0xfa)
    wl_malformed(cursor, at, "malformed limits flags");
  else if (flags & 4)
    wl_read_unsupported(reader, at, wide);
  limits.least = wl_unsigned(cursor, 64);
  limits.most = limits.has_most ? wl_unsigned(cursor, 64) : 0;
  return limits;
}

static void read_table_type(struct wl_reader *reader)
{
  struct wl_table *table = ADD(reader, wl_table, tables);
  table->offset = reader->cursor.at;
  table->type = wl_read_reference(&reader->cursor);
  table->limits = read_limits(reader, "a table with 64-bit indices");
}

static void read_memory_type(struct wl_reader *reader)
{
  struct wl_linear_memory *memory = ADD(reader, wl_linear_memory, memories);
  memory->offset = reader->cursor.at;
  memory->limits = read_limits(reader, "a memory with 64-bit addresses");
}

static struct wl_global *read_global_type(struct wl_reader *reader)
{
  struct wl_global *global = ADD(reader, wl_global, globals);
  global->offset = reader->cursor.at;
  global->type = wl_read_type(&reader->cursor);
  global->is_mutable = wl_read_mutability(&reader->cursor);
  return global;
}

static void read_tag_type(struct wl_reader *reader)
{
  struct wl_tag *tag = ADD(reader, wl_tag, tags);
  tag->offset = reader->cursor.at;
  if (wl_byte(&reader->cursor))
    wl_malformed(&reader->cursor, tag->offset, "zero byte expected");
  tag->type = wl_u32(&reader->cursor);
}

static void read_function_type(struct wl_reader *reader)
{
  struct wl_function *function = ADD(reader, wl_function, functions);
  function->offset = reader->cursor.at;
  function->type = wl_u32(&reader->cursor);
  if (reader->module->functions.count > MOST_FUNCTIONS)
    wl_read_unsupported(reader, function->offset, "more than 1000000 functions");
}

/* ---- Items of sections --------------------------------------------------------------------------- */

static void read_type(struct wl_reader *reader)
{
  wl_read_group(reader);
}

static void read_import(struct wl_reader *reader)
{
  struct wl_import *import = ADD(reader, wl_import, imports);
  import->module = wl_name(&reader->cursor);
  import->name = wl_name(&reader->cursor);
  const uint32_t at = reader->cursor.at;
  import->kind = wl_byte(&reader->cursor);
  switch (import->kind) {
  case WL_KIND_FUNC: read_function_type(reader); break;
  case WL_KIND_TABLE: read_table_type(reader); break;
  case WL_KIND_MEMORY: read_memory_type(reader); break;
  case WL_KIND_GLOBAL: read_global_type(reader); break;
  case WL_KIND_TAG: read_tag_type(reader); break;
  default: wl_malformed(&reader->cursor, at, "malformed import kind"); return;
  }
  import->index = reader->module->imported[import->kind]++;
}

static void read_table(struct wl_reader *reader)
{
  enum { WITH_EXPRESSION = 0x40 };
  if (wl_peek(&reader->cursor) != WITH_EXPRESSION) {
    read_table_type(reader);
    return;
  }
  wl_byte(&reader->cursor);
  const uint32_t at = reader->cursor.at;
  if (wl_byte(&reader->cursor))
    wl_malformed(&reader->cursor, at, "zero byte expected");
  read_table_type(reader);
  const uint32_t init = wl_skip_expression(&reader->cursor);
  if (!wl_failed(&reader->cursor))
    WL_ITEM(wl_table, reader->module->tables, reader->module->tables.count - 1)->init = init;
}

static void read_global(struct wl_reader *reader)
{
  struct wl_global *global = read_global_type(reader);
  global->init = wl_skip_expression(&reader->cursor);
}

static void read_export(struct wl_reader *reader)
{
  struct wl_export *export = ADD(reader, wl_export, exports);
  export->offset = reader->cursor.at;
  export->name = wl_name(&reader->cursor);
  const uint32_t at = reader->cursor.at;
  export->kind = wl_byte(&reader->cursor);
  if (export->kind >= WL_KINDS)
    wl_malformed(&reader->cursor, at, "malformed export kind");
  export->index = wl_u32(&reader->cursor);
}

/* Of the three bits: 1 not active; 2 with an index of a table, or declared only; 4 with expressions. */
static void read_elements_head(struct wl_reader *reader, struct wl_elements *elements, uint32_t bits)
{
  struct wl_cursor *cursor = &reader->cursor;
  elements->mode = bits & 1 ? (bits & 2 ? WL_DECLARED : WL_PASSIVE) : WL_ACTIVE;
  elements->are_expressions = bits & 4;
  elements->type = wl_ref(WL_FUNC, elements->are_expressions);
  if (elements->mode == WL_ACTIVE) {
    elements->table = bits & 2 ? wl_u32(cursor) : 0;
    elements->place = wl_skip_expression(cursor);
  }
  if (!(bits & 3))
    return;
  const uint32_t at = cursor->at;
  if (elements->are_expressions)
    elements->type = wl_read_reference(cursor);
  else if (wl_byte(cursor))
    wl_malformed(cursor, at, "malformed element kind");
}

static void read_elements(struct wl_reader *reader)
{
  struct wl_elements *elements = ADD(reader, wl_elements, elements);
  elements->offset = reader->cursor.at;
  const uint32_t bits = wl_u32(&reader->cursor);
  if (bits > 7)
    wl_malformed(&reader->cursor, elements->offset, "malformed elements segment kind");
  read_elements_head(reader, elements, bits);
  elements->count = wl_count(&reader->cursor);
  elements->items = reader->cursor.at;
  for (uint32_t i = 0; i < elements->count && !wl_failed(&reader->cursor); i++)
    if (elements->are_expressions)
      wl_skip_expression(&reader->cursor);
    else
      wl_u32(&reader->cursor);
}

static void read_data(struct wl_reader *reader)
{
  struct wl_data *data = ADD(reader, wl_data, datas);
  data->offset = reader->cursor.at;
  const uint32_t bits = wl_u32(&reader->cursor);
  if (bits > 2)
    wl_malformed(&reader->cursor, data->offset, "malformed data segment kind");
  data->mode = bits == 1 ? WL_PASSIVE : WL_ACTIVE;
  data->memory = bits == 2 ? wl_u32(&reader->cursor) : 0;
  data->place = bits == 1 ? 0 : wl_skip_expression(&reader->cursor);
  data->count = wl_count(&reader->cursor);
  data->bytes = reader->cursor.at;
  wl_skip(&reader->cursor, data->count);
}

/* ---- Sections -------------------------------------------------------------------------------- */

static void read_items(struct wl_reader *reader, void read_item(struct wl_reader *))
{
  const uint32_t count = wl_count(&reader->cursor);
  for (uint32_t i = 0; i < count && !wl_failed(&reader->cursor); i++)
    read_item(reader);
}

static void read_types(struct wl_reader *reader) { read_items(reader, read_type); }
static void read_imports(struct wl_reader *reader) { read_items(reader, read_import); }
static void read_functions(struct wl_reader *reader) { read_items(reader, read_function_type); }
static void read_tables(struct wl_reader *reader) { read_items(reader, read_table); }
static void read_memories(struct wl_reader *reader) { read_items(reader, read_memory_type); }
static void read_tags(struct wl_reader *reader) { read_items(reader, read_tag_type); }
static void read_globals(struct wl_reader *reader) { read_items(reader, read_global); }
static void read_exports(struct wl_reader *reader) { read_items(reader, read_export); }
static void read_all_elements(struct wl_reader *reader) { read_items(reader, read_elements); }
static void read_datas(struct wl_reader *reader) { read_items(reader, read_data); }

static void read_start(struct wl_reader *reader)
{
  reader->module->start_offset = reader->cursor.at;
  reader->module->start = wl_u32(&reader->cursor);
}

static void read_data_count(struct wl_reader *reader)
{
  reader->module->data_count = wl_u32(&reader->cursor);
}

static bool lengths_differ(struct wl_cursor *cursor, uint32_t offset)
{
  return wl_malformed(cursor, offset, "function and code section have inconsistent lengths");
}

static void read_bodies(struct wl_reader *reader)
{
  struct wl_module *module = reader->module;
  const uint32_t at = reader->cursor.at, count = wl_count(&reader->cursor);
  const uint32_t imported = module->imported[WL_KIND_FUNC];
  if (count != module->functions.count - imported && !wl_failed(&reader->cursor))
    lengths_differ(&reader->cursor, at);
  for (uint32_t i = 0; i < count && !wl_failed(&reader->cursor); i++) {
    struct wl_function *function = WL_ITEM(wl_function, module->functions, imported + i);
    const struct wl_cursor body = wl_part(&reader->cursor, wl_count(&reader->cursor));
    function->body = body.at;
    function->end = body.end;
  }
}

/* Custom sections may hold anything. Of what they hold, only the names of functions are remembered. */
static void read_custom(struct wl_reader *reader)
{
  struct wl_cursor *cursor = &reader->cursor;
  const struct wl_name name = wl_name(cursor);
  struct wl_error ignored = { .fault = WL_RIGHT };
  struct wl_cursor rest = { cursor->bytes, cursor->at, cursor->end, &ignored };
  cursor->at = cursor->end;
  if (wl_failed(cursor) || name.length != 4 || memcmp(cursor->bytes + name.at, "name", 4) != 0)
    return;
  while (wl_has_more(&rest)) {
    const uint8_t id = wl_byte(&rest);
    const struct wl_cursor part = wl_part(&rest, wl_count(&rest));
    if (id == FUNCTION_NAMES && !wl_failed(&rest)) {
      reader->module->names = part.at;
      reader->module->names_end = part.end;
    }
  }
}

static const struct section {
  void (*read)(struct wl_reader *);
  uint8_t rank; /* sections stand in this order, each at most once; custom ones where they like */
} sections[] = {
  [0] = { read_custom, 0 },
  [1] = { read_types, 1 },
  [2] = { read_imports, 2 },
  [3] = { read_functions, 3 },
  [4] = { read_tables, 4 },
  [5] = { read_memories, 5 },
  [13] = { read_tags, 6 },
  [6] = { read_globals, 7 },
  [7] = { read_exports, 8 },
  [8] = { read_start, 9 },
  [9] = { read_all_elements, 10 },
  [12] = { read_data_count, 11 },
  [10] = { read_bodies, 12 },
  [11] = { read_datas, 13 },
};

static void read_section(struct wl_module *module, struct wl_cursor *file, uint8_t *rank)
{
  const uint32_t at = file->at;
  const uint8_t id = wl_byte(file);
  if (id >= sizeof sections / sizeof *sections) {
    wl_malformed(file, at, "malformed section id");
    return;
  }
  struct wl_reader reader = { .module = module, .cursor = wl_part(file, wl_count(file)) };
  const struct section *section = &sections[id];
  if (section->rank && section->rank <= *rank)
    wl_malformed(file, at, "unexpected content after last section");
  if (wl_failed(file))
    return;
  *rank = section->rank ? section->rank : *rank;
  section->read(&reader);
  if (wl_has_more(&reader.cursor))
    wl_malformed(&reader.cursor, reader.cursor.at, "section size mismatch");
}

static bool read_header(struct wl_cursor *file)
{
  static const uint8_t magic[] = { 0, 'a', 's', 'm' }, version[] = { 1, 0, 0, 0 };
  const uint8_t *bytes = file->bytes;
  const uint32_t size = file->end;
  if (size < sizeof magic)
    return wl_malformed(file, size, "unexpected end");
  if (memcmp(bytes, magic, sizeof magic) != 0)
    return wl_malformed(file, 0, "magic header not detected");
  if (size < HEADER)
    return wl_malformed(file, size, "unexpected end");
  if (memcmp(bytes + sizeof magic, version, sizeof version) != 0)
    return wl_malformed(file, sizeof magic, "unknown binary version");
  wl_skip(file, HEADER);
  return true;
}

static bool check_counts(struct wl_module *module, struct wl_cursor *file)
{
  const uint32_t functions = module->functions.count;
  if (functions > module->imported[WL_KIND_FUNC] && !WL_ITEM(wl_function, module->functions, functions - 1)->body)
    return lengths_differ(file, file->end);
  if (module->data_count != WL_NONE && module->data_count != module->datas.count)
    return wl_malformed(file, file->end, "data count and data section have inconsistent lengths");
  return true;
}

bool wl_read(struct wl_module *module, const uint8_t *bytes, size_t size)
{
  memset(module, 0, sizeof *module);
  module->bytes = bytes;
  module->start = module->data_count = module->error.function = WL_NONE;
  if (size > MOST_BYTES)
    return wl_fail(&module->error, WL_UNSUPPORTED, 0, "not supported: more than 1 GiB");
  module->size = (uint32_t)size;
  module->memory.left = MEMORY_TIMES * size + MEMORY_LEAST;
  module->work_left = WORK_TIMES * (uint64_t)size + WORK_LEAST;
  struct wl_cursor file = wl_cursor_at(module, 0, module->size);
  uint8_t rank = 0;
  if (!read_header(&file))
    return false;
  while (wl_has_more(&file))
    read_section(module, &file, &rank);
  return !wl_failed(&file) && check_counts(module, &file);
}

void wl_module_free(struct wl_module *module)
{
  wl_free_all(&module->memory);
}

/* ---- Names of functions ---------------------------------------------------------------------- */

static struct wl_name name_in_section(const struct wl_module *module, uint32_t function)
{
  struct wl_error ignored = { .fault = WL_RIGHT };
  struct wl_cursor cursor = { module->bytes, module->names, module->names_end, &ignored };
  const uint32_t count = wl_count(&cursor);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t index = wl_u32(&cursor);
    const struct wl_name name = wl_name(&cursor);
    if (wl_failed(&cursor))
      break;
    if (index == function)
      return name;
  }
  return (struct wl_name){ 0, 0 };
}

struct wl_name wl_function_name(const struct wl_module *module, uint32_t function)
{
  const struct wl_name name = name_in_section(module, function);
  for (uint32_t i = 0; i < module->exports.count && !name.length; i++) {
    const struct wl_export *export = WL_ITEM(wl_export, module->exports, i);
    if (export->kind == WL_KIND_FUNC && export->index == function)
      return export->name;
  }
  return name;
}
