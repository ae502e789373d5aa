/* SPDX-License-Identifier: Apache-2.0 */
/* The typing rules of a module: its index spaces, segments, exports; of code, body.c and rules.c have them. */
#include "validate.h"

#include <inttypes.h>
#include <string.h>

#include "body.h"

enum { MOST_PAGES = 1 << 16 };

/* NOLINTBEGIN(bugprone-macro-parentheses): they are names, and the name of a type */
#define EACH(kind, item, module, array)                                                         \
  struct kind *item = (module)->array.items, *item##_end = item ? item + (module)->array.count : item; \
  item < item##_end; item++
/* NOLINTEND(bugprone-macro-parentheses) */

static bool invalid(struct wl_module *module, uint32_t offset, const char *text)
{
  return wl_fail(&module->error, WL_INVALID, offset, "%s", text);
}

static bool unknown(struct wl_module *module, uint32_t offset, const char *what, uint32_t index)
{
  return wl_fail(&module->error, WL_INVALID, offset, "unknown %s %" PRIu32, what, index);
}

static bool unsupported(struct wl_module *module, uint32_t offset, const char *what)
{
  return wl_fail(&module->error, WL_UNSUPPORTED, offset, "not supported: %s", what);
}

/* ---- Index spaces -------------------------------------------------------------------------------- */

static bool check_function_type(struct wl_module *module, uint32_t type, uint32_t offset)
{
  if (type >= module->definitions.count)
    return unknown(module, offset, "type", type);
  if (wl_definition(module, type)->form != WL_FUNC_FORM)
    return wl_fail(&module->error, WL_INVALID, offset, "non-function type %" PRIu32, type);
  return wl_definition(module, type)->has_v128 ? unsupported(module, offset, "v128") : true;
}

static bool check_functions(struct wl_module *module)
{
  for (EACH(wl_function, function, module, functions))
    if (!check_function_type(module, function->type, function->offset))
      return false;
  return true;
}

static bool check_tags(struct wl_module *module)
{
  for (EACH(wl_tag, tag, module, tags))
    if (!check_function_type(module, tag->type, tag->offset))
      return false;
  return true;
}

static bool check_limits(struct wl_module *module, struct wl_limits limits, uint64_t most, uint32_t offset,
                         const char *text)
{
  if (limits.least > most || (limits.has_most && limits.most > most))
    return invalid(module, offset, text);
  if (limits.has_most && limits.least > limits.most)
    return invalid(module, offset, "size minimum must not be greater than maximum");
  return true;
}

static bool check_table(struct wl_module *module, struct wl_table *table, bool is_imported)
{
  if (!wl_canonical(module, &table->type, table->offset) ||
      !check_limits(module, table->limits, UINT32_MAX, table->offset, "table size must be at most 2^32-1"))
    return false;
  if (!is_imported && !table->init && !wl_has_default(table->type))
    return invalid(module, table->offset, "type mismatch: a table of references without null needs a first value");
  return true;
}

static bool check_tables(struct wl_module *module)
{
  uint32_t index = 0;
  for (EACH(wl_table, table, module, tables))
    if (!check_table(module, table, index++ < module->imported[WL_KIND_TABLE]))
      return false;
  return true;
}

static bool check_memories(struct wl_module *module)
{
  for (EACH(wl_linear_memory, memory, module, memories)) {
    if (!check_limits(module, memory->limits, MOST_PAGES, memory->offset,
                      "memory size must be at most 2^16 pages (4 GiB)"))
      return false;
    if (memory != module->memories.items)
      return unsupported(module, memory->offset, "more than one memory");
  }
  return true;
}

static bool check_global_types(struct wl_module *module)
{
  for (EACH(wl_global, global, module, globals))
    if (!wl_canonical(module, &global->type, global->offset))
      return false;
  return true;
}

/* ---- Expressions and segments ---------------------------------------------------------------- */

/* The imported globals, and of its own those before. */
static bool check_globals(struct wl_body *body)
{
  uint32_t known = 0;
  for (EACH(wl_global, global, body->module, globals)) {
    if (global->init && !wl_check_expression(body, global->init, global->type, known))
      return false;
    known++;
  }
  return true;
}

static bool check_table_values(struct wl_body *body)
{
  const uint32_t known = body->module->imported[WL_KIND_GLOBAL];
  for (EACH(wl_table, table, body->module, tables))
    if (table->init && !wl_check_expression(body, table->init, table->type, known))
      return false;
  return true;
}

static bool check_items(struct wl_body *body, const struct wl_elements *elements)
{
  struct wl_module *module = body->module;
  struct wl_cursor cursor = wl_cursor_at(module, elements->items, module->size);
  for (uint32_t i = 0; i < elements->count; i++) {
    const uint32_t at = cursor.at;
    if (elements->are_expressions) {
      if (!wl_check_expression(body, at, elements->type, module->globals.count))
        return false;
      cursor.at = body->cursor.at;
    } else {
      const uint32_t function = wl_u32(&cursor);
      if (function >= module->functions.count)
        return unknown(module, at, "function", function);
    }
  }
  return true;
}

static bool check_segment(struct wl_body *body, struct wl_elements *elements)
{
  struct wl_module *module = body->module;
  if (!wl_canonical(module, &elements->type, elements->offset) || !check_items(body, elements))
    return false;
  if (elements->mode != WL_ACTIVE)
    return true;
  if (elements->table >= module->tables.count)
    return unknown(module, elements->offset, "table", elements->table);
  if (!wl_matches(module, elements->type, WL_ITEM(wl_table, module->tables, elements->table)->type))
    return invalid(module, elements->offset, "type mismatch: the table does not take what the segment has");
  return wl_check_expression(body, elements->place, WL_I32, module->globals.count);
}

static bool check_elements(struct wl_body *body)
{
  for (EACH(wl_elements, elements, body->module, elements))
    if (!check_segment(body, elements))
      return false;
  return true;
}

static bool check_datas(struct wl_body *body)
{
  struct wl_module *module = body->module;
  for (EACH(wl_data, data, module, datas)) {
    if (data->mode != WL_ACTIVE)
      continue;
    if (data->memory >= module->memories.count)
      return unknown(module, data->offset, "memory", data->memory);
    if (!wl_check_expression(body, data->place, WL_I32, module->globals.count))
      return false;
  }
  return true;
}

/* ---- Which functions code may refer to ------------------------------------------------------- */

static void declare(struct wl_module *module, uint32_t function)
{
  if (function < module->functions.count)
    module->declared[function / 8] |= (uint8_t)(1 << function % 8);
}

/* Answers where the expression ends. */
static uint32_t declare_in_expression(struct wl_module *module, uint32_t at)
{
  struct wl_cursor cursor = wl_cursor_at(module, at, module->size);
  struct wl_instruction i;
  while (at && wl_next(&cursor, &i) && i.opcode != WL_END)
    if (i.opcode == WL_REF_FUNC)
      declare(module, i.x);
  return cursor.at;
}

static void declare_in_elements(struct wl_module *module, const struct wl_elements *elements)
{
  struct wl_cursor cursor = wl_cursor_at(module, elements->items, module->size);
  for (uint32_t i = 0; i < elements->count; i++)
    if (elements->are_expressions)
      cursor.at = declare_in_expression(module, cursor.at);
    else
      declare(module, wl_u32(&cursor));
}

static bool declare_all(struct wl_module *module)
{
  module->declared = wl_allocate(&module->memory, module->functions.count / 8 + 1, 1);
  if (!module->declared)
    return wl_fail_for_memory(&module->error, 0);
  for (EACH(wl_export, export, module, exports))
    if (export->kind == WL_KIND_FUNC)
      declare(module, export->index);
  for (EACH(wl_global, global, module, globals))
    declare_in_expression(module, global->init);
  for (EACH(wl_table, table, module, tables))
    declare_in_expression(module, table->init);
  for (EACH(wl_elements, elements, module, elements))
    declare_in_elements(module, elements);
  return true;
}

/* ---- Code, start, exports -------------------------------------------------------------------- */

static bool check_bodies(struct wl_body *body)
{
  const uint32_t count = body->module->functions.count;
  for (uint32_t i = body->module->imported[WL_KIND_FUNC]; i < count; i++)
    if (!wl_check_body(body, i))
      return false;
  return true;
}

static bool check_start(struct wl_module *module)
{
  if (module->start == WL_NONE)
    return true;
  if (module->start >= module->functions.count)
    return unknown(module, module->start_offset, "function", module->start);
  const uint32_t type = WL_ITEM(wl_function, module->functions, module->start)->type;
  if (wl_params(module, type).count || wl_results(module, type).count)
    return invalid(module, module->start_offset, "start function must not have parameters or results");
  return true;
}

static bool check_exported(struct wl_module *module, const struct wl_export *export)
{
  static const char *const names[WL_KINDS] = { "function", "table", "memory", "global", "tag" };
  const uint32_t counts[WL_KINDS] = { module->functions.count, module->tables.count, module->memories.count,
                                      module->globals.count, module->tags.count };
  if (export->index < counts[export->kind])
    return true;
  return unknown(module, export->offset, names[export->kind], export->index);
}

static int compare_names(const struct wl_module *module, uint32_t one, uint32_t other)
{
  const struct wl_name a = WL_ITEM(wl_export, module->exports, one)->name;
  const struct wl_name b = WL_ITEM(wl_export, module->exports, other)->name;
  if (a.length != b.length)
    return a.length < b.length ? -1 : 1;
  return memcmp(module->bytes + a.at, module->bytes + b.at, a.length);
}

/* Heapsort: no input takes it long, and it needs no memory. */
static void sift_down(const struct wl_module *module, uint32_t *order, uint32_t at, uint32_t count)
{
  const uint32_t moved = order[at];
  for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
    if (child + 1 < count && compare_names(module, order[child], order[child + 1]) < 0)
      child++;
    if (compare_names(module, moved, order[child]) >= 0)
      break;
    order[at] = order[child];
  }
  order[at] = moved;
}

static void sort_names(const struct wl_module *module, uint32_t *order, uint32_t count)
{
  for (uint32_t i = count / 2; i-- > 0;)
    sift_down(module, order, i, count);
  for (uint32_t i = count; i-- > 1;) {
    const uint32_t greatest = order[0];
    order[0] = order[i];
    order[i] = greatest;
    sift_down(module, order, 0, i);
  }
}

static bool check_exports(struct wl_module *module)
{
  const uint32_t count = module->exports.count;
  uint32_t *order = wl_allocate(&module->memory, count, sizeof *order);
  if (!order)
    return wl_fail_for_memory(&module->error, 0);
  for (uint32_t i = 0; i < count; i++) {
    order[i] = i;
    if (!check_exported(module, WL_ITEM(wl_export, module->exports, i)))
      return false;
  }
  sort_names(module, order, count);
  for (uint32_t i = 1; i < count; i++)
    if (compare_names(module, order[i - 1], order[i]) == 0) {
      const uint32_t second = order[i - 1] > order[i] ? order[i - 1] : order[i];
      return invalid(module, WL_ITEM(wl_export, module->exports, second)->offset, "duplicate export name");
    }
  return true;
}

bool wl_validate(struct wl_module *module)
{
  struct wl_body body = { .module = module };
  return wl_check_definitions(module) && check_functions(module) && check_tags(module) && check_tables(module) &&
         check_memories(module) && check_global_types(module) && declare_all(module) && check_table_values(&body) &&
         check_globals(&body) && check_elements(&body) && check_datas(&body) && check_bodies(&body) &&
         check_start(module) && check_exports(module);
}
