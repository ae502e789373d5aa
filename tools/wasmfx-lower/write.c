/* SPDX-License-Identifier: Apache-2.0 */
/* The lowered module, section by section. From here on it is known how many functions are imported. */
#include <stdio.h>
#include <string.h>

#include "emit.h"
#include "read.h"
#include "types.h"
#include "verbs.h"

struct writer {
  struct wl_lowering *l;
  struct wl_array out;     /* the module */
  struct wl_array section; /* the items of the section that is being written */
  uint32_t count;          /* of these */
};

static struct wl_module *module_of(const struct writer *w)
{
  return w->l->module;
}

/* ---- Into the section ------------------------------------------------------------------------ */

static void byte(struct writer *w, uint8_t value)
{
  wl_put_byte(w->l, &w->section, value);
}

static void number(struct writer *w, uint64_t value)
{
  wl_put_unsigned(w->l, &w->section, value);
}

static void text(struct writer *w, const char *value)
{
  number(w, strlen(value));
  wl_put_bytes(w->l, &w->section, (const uint8_t *)value, strlen(value));
}

static void type(struct writer *w, wl_type value)
{
  byte(w, (uint8_t)wl_low_type(module_of(w), value));
}

static uint32_t length_of_number(uint64_t value)
{
  uint32_t length = 1;
  for (; value >= 0x80; value >>= 7)
    length++;
  return length;
}

static void begin(struct writer *w)
{
  w->section.count = 0;
  w->count = 0;
}

/* A section with a list of items; none of it, if there are none. */
static void end(struct writer *w, uint8_t id)
{
  struct wl_lowering *l = w->l;
  if (w->count == 0)
    return;
  wl_put_byte(l, &w->out, id);
  wl_put_unsigned(l, &w->out, length_of_number(w->count) + w->section.count);
  wl_put_unsigned(l, &w->out, w->count);
  wl_put_bytes(l, &w->out, w->section.items, w->section.count);
}

/* A section that is no list. */
static void end_whole(struct writer *w, uint8_t id)
{
  wl_put_byte(w->l, &w->out, id);
  wl_put_unsigned(w->l, &w->out, w->section.count);
  wl_put_bytes(w->l, &w->out, w->section.items, w->section.count);
}

/* ---- Functions and code ---------------------------------------------------------------------- */

static uint32_t final_index(const struct wl_lowering *l, uint32_t function)
{
  return function < l->module->imported[WL_KIND_FUNC] ? function : function + l->verbs.count;
}

/* A piece of code with the indices in their places. `begin` is what the places count from. */
static void put_code(struct wl_lowering *l, struct wl_array *out, const uint8_t *code, uint32_t from, uint32_t to,
                     const struct wl_fixup *fixups, uint32_t count)
{
  for (uint32_t i = 0; i < count && !wl_lower_failed(l); i++) {
    wl_put_bytes(l, out, code + from, fixups[i].at - from);
    wl_put_unsigned(l, out, final_index(l, fixups[i].function));
    from = fixups[i].at;
  }
  wl_put_bytes(l, out, code + from, to - from);
}

static void expression(struct writer *w, uint32_t at)
{
  struct wl_lowering *l = w->l;
  wl_begin_function(l, 0);
  wl_lower_expression(l, at);
  put_code(l, &w->section, l->bytes.items, 0, l->bytes.count, l->places.items, l->places.count);
  byte(w, WL_END);
}

static uint32_t length_of_body(const struct wl_lowering *l, const struct wl_finished *finished)
{
  uint32_t length = finished->end - finished->begin;
  for (uint32_t i = finished->first_fixup; i < finished->end_fixup; i++)
    length += length_of_number(final_index(l, WL_ITEM(wl_fixup, l->fixups, i)->function));
  return length;
}

static void write_functions(struct writer *w)
{
  begin(w);
  w->count = w->l->finished.count;
  for (uint32_t i = 0; i < w->count && !wl_lower_failed(w->l); i++)
    number(w, WL_ITEM(wl_finished, w->l->finished, i)->type);
  end(w, 3);
}

/* Straight into the module, since it is most of it. */
static void write_code(struct writer *w)
{
  struct wl_lowering *l = w->l;
  uint64_t size = length_of_number(l->finished.count);
  for (uint32_t i = 0; i < l->finished.count; i++) {
    const uint32_t length = length_of_body(l, WL_ITEM(wl_finished, l->finished, i));
    size += length + length_of_number(length);
  }
  if (l->finished.count == 0)
    return;
  wl_put_byte(l, &w->out, 10);
  wl_put_unsigned(l, &w->out, size);
  wl_put_unsigned(l, &w->out, l->finished.count);
  for (uint32_t i = 0; i < l->finished.count && !wl_lower_failed(l); i++) {
    const struct wl_finished *finished = WL_ITEM(wl_finished, l->finished, i);
    wl_put_unsigned(l, &w->out, length_of_body(l, finished));
    put_code(l, &w->out, l->code.items, finished->begin, finished->end,
             (struct wl_fixup *)l->fixups.items + finished->first_fixup,
             finished->end_fixup - finished->first_fixup);
  }
}

/* ---- Types ----------------------------------------------------------------------------------- */

static void write_types(struct writer *w)
{
  const struct wl_interner *types = &w->l->types;
  begin(w);
  w->count = types->items.count;
  wl_put_bytes(w->l, &w->section, types->bytes.items, types->bytes.count);
  end(w, 1);
}

/* ---- Names ----------------------------------------------------------------------------------- */

/* A name of the source, with each # doubled; after it, if there is one, a single # and an identity. */
static void name(struct writer *w, struct wl_name source, const struct wl_identity *identity)
{
  static const char digits[] = "0123456789abcdef";
  const uint8_t *bytes = module_of(w)->bytes + source.at;
  uint32_t length = source.length + (identity ? 33 : 0);
  for (uint32_t i = 0; i < source.length; i++)
    length += bytes[i] == '#';
  number(w, length);
  for (uint32_t i = 0; i < source.length && !wl_lower_failed(w->l); i++) {
    byte(w, bytes[i]);
    if (bytes[i] == '#')
      byte(w, '#');
  }
  if (!identity)
    return;
  byte(w, '#');
  for (uint32_t i = 0; i < sizeof identity->bytes; i++) {
    byte(w, (uint8_t)digits[identity->bytes[i] >> 4]);
    byte(w, (uint8_t)digits[identity->bytes[i] & 15]);
  }
}

/* Types that the lowered ones say as well. */
static bool is_plain(wl_type value)
{
  return !wl_is_ref(value) || value == wl_ref(WL_FUNC, true) || value == wl_ref(WL_EXTERN, true);
}

static bool are_plain(struct wl_list list)
{
  for (uint32_t i = 0; i < list.count; i++)
    if (!is_plain(list.types[i]))
      return false;
  return true;
}

static bool is_plain_function(const struct wl_module *module, uint32_t definition)
{
  return wl_is_alone(module, definition) && are_plain(wl_params(module, definition)) &&
         are_plain(wl_results(module, definition));
}

/* What an import or export is called besides its name. False: nothing. */
static bool identity_of(struct writer *w, uint8_t kind, uint32_t index, struct wl_identity *identity)
{
  const struct wl_module *module = module_of(w);
  const struct wl_identity *known = w->l->identities;
  const struct wl_global *global;
  switch ((enum wl_kind)kind) {
  case WL_KIND_FUNC:
    *identity = wl_identity_of_function(module, known, WL_ITEM(wl_function, module->functions, index)->type);
    return !is_plain_function(module, WL_ITEM(wl_function, module->functions, index)->type);
  case WL_KIND_TABLE:
    *identity = wl_identity_of_table(module, known, WL_ITEM(wl_table, module->tables, index)->type);
    return !is_plain(WL_ITEM(wl_table, module->tables, index)->type);
  case WL_KIND_GLOBAL:
    global = WL_ITEM(wl_global, module->globals, index);
    *identity = wl_identity_of_global(module, known, global->type, global->is_mutable);
    return !is_plain(global->type);
  case WL_KIND_TAG:
    *identity = wl_identity_of_tag(module, known, WL_ITEM(wl_tag, module->tags, index)->type);
    return true;
  default: return false;
  }
}

/* ---- Imports --------------------------------------------------------------------------------- */

static void limits(struct writer *w, struct wl_limits value)
{
  byte(w, value.has_most);
  number(w, value.least);
  if (value.has_most)
    number(w, value.most);
}

static void global_type(struct writer *w, uint32_t low_type, bool is_mutable)
{
  byte(w, (uint8_t)low_type);
  byte(w, is_mutable);
}

static void described(struct writer *w, uint8_t kind, uint32_t index)
{
  const struct wl_module *module = module_of(w);
  byte(w, kind == WL_KIND_TAG ? WL_KIND_GLOBAL : kind);
  switch ((enum wl_kind)kind) {
  case WL_KIND_FUNC:
    number(w, wl_low_function_type(w->l, WL_ITEM(wl_function, module->functions, index)->type));
    break;
  case WL_KIND_TABLE:
    type(w, WL_ITEM(wl_table, module->tables, index)->type);
    limits(w, WL_ITEM(wl_table, module->tables, index)->limits);
    break;
  case WL_KIND_MEMORY: limits(w, WL_ITEM(wl_linear_memory, module->memories, index)->limits); break;
  case WL_KIND_GLOBAL:
    global_type(w, wl_low_type(module, WL_ITEM(wl_global, module->globals, index)->type),
                WL_ITEM(wl_global, module->globals, index)->is_mutable);
    break;
  default: global_type(w, WL_LOW_EXTERN, true);
  }
}

static void write_imports_of_source(struct writer *w, bool tags)
{
  struct wl_identity identity;
  for (uint32_t i = 0; i < module_of(w)->imports.count && !wl_lower_failed(w->l); i++) {
    const struct wl_import *import = WL_ITEM(wl_import, module_of(w)->imports, i);
    if ((import->kind == WL_KIND_TAG) != tags)
      continue;
    number(w, import->module.length);
    wl_put_bytes(w->l, &w->section, module_of(w)->bytes + import->module.at, import->module.length);
    name(w, import->name, identity_of(w, import->kind, import->index, &identity) ? &identity : NULL);
    described(w, import->kind, import->index);
    w->count++;
  }
}

/* l, e, r, i: as in the table of docs/lowering.md. In families the values come before. */
static const struct verb {
  const char *name, *takes, *gives;
  const char *family_gives; /* NULL: no family; alone, those with one take a word before, if `is_word` */
  bool is_word;
} verb_of[WL_VERBS] = {
  [WL_V_TYPE_PARAMETER] = { "type_parameter", "i", "", NULL, false },
  [WL_V_TYPE_RESULT] = { "type_result", "i", "", NULL, false },
  [WL_V_TYPE] = { "type", "", "e", NULL, false },
  [WL_V_TAG] = { "tag", "e", "e", NULL, false },
  [WL_V_CLAUSE] = { "clause", "ei", "", NULL, false },
  [WL_V_HANDLERS] = { "handlers", "", "e", NULL, false },
  [WL_V_CLOSURE] = { "closure", "rri", "e", NULL, false },
  [WL_V_CONT_NEW] = { "cont_new", "ee", "e", NULL, false },
  [WL_V_CONT_NEW_N] = { "cont_new_n", "ee", "e", NULL, false },
  [WL_V_CONT_BIND] = { "cont_bind", "ee", "", "e", false },
  [WL_V_RESUME] = { "resume", "ee", "ile", "ile", true },
  [WL_V_RESUME_THROW] = { "resume_throw", "eee", "ile", NULL, false },
  [WL_V_SUSPEND] = { "suspend", "e", "l", "", true },
  [WL_V_SWITCH] = { "switch", "eee", "le", "", true },
  [WL_V_ARGUMENT] = { "argument", "l", "", NULL, false },
  [WL_V_VALUE] = { "value", "i", "l", NULL, false },
  [WL_V_WORD] = { "word", "e", "l", NULL, false },
  [WL_V_REFERENCE] = { "reference", "l", "e", NULL, false },
  [WL_V_FUNCTION_WORD] = { "function_word", "r", "l", NULL, false },
  [WL_V_FUNCTION] = { "function", "l", "r", NULL, false },
  [WL_V_START_FUNCTION] = { "start_function", "", "r", NULL, false },
  [WL_V_EXCEPTION] = { "exception", "e", "e", "e", true },
  [WL_V_CATCHES] = { "catches", "e", "i", NULL, false },
  [WL_V_CAUGHT] = { "caught", "i", "l", NULL, false },
  [WL_V_TRAP] = { "trap", "i", "", NULL, false },
};

static wl_type type_of_letter(char letter)
{
  switch (letter) {
  case 'i': return WL_I32;
  case 'l': return WL_I64;
  case 'e': return wl_ref(WL_EXTERN, true);
  default: return wl_ref(WL_FUNC, true);
  }
}

static struct wl_list types_of_letters(const char *letters, wl_type *types)
{
  const uint32_t count = (uint32_t)strlen(letters);
  for (uint32_t i = 0; i < count; i++)
    types[i] = type_of_letter(letters[i]);
  return (struct wl_list){ types, count };
}

static const char *values_of(const struct verb *verb, enum wl_variant variant)
{
  switch (variant) {
  case WL_ALONE: return verb->is_word ? "l" : "";
  case WL_WITH_1: return "l";
  case WL_WITH_2: return "ll";
  case WL_WITH_3: return "lll";
  case WL_WITH_4: return "llll";
  case WL_WITH_N: return "i";
  default: return "";
  }
}

static uint32_t type_of_verb(struct writer *w, const struct verb *verb, enum wl_variant variant)
{
  char letters[16];
  wl_type params[16], results[4];
  snprintf(letters, sizeof letters, "%s%s", values_of(verb, variant), verb->takes);
  return wl_low_list_type(w->l, types_of_letters(letters, params),
                          types_of_letters(variant == WL_ALONE ? verb->gives : verb->family_gives, results), false);
}

static void write_verb(struct writer *w, uint16_t which)
{
  static const char *const suffixes[WL_VARIANTS] = { "", "_1", "_2", "_3", "_4", "_0", "_n" };
  const struct verb *verb = &verb_of[which / WL_VARIANTS];
  const enum wl_variant variant = which % WL_VARIANTS;
  char name_of_it[32];
  snprintf(name_of_it, sizeof name_of_it, "%s%s", verb->name, suffixes[variant]);
  text(w, "wasmfx");
  text(w, name_of_it);
  byte(w, WL_KIND_FUNC);
  number(w, type_of_verb(w, verb, variant));
  w->count++;
}

/* Functions in the order of their indices; tags after the globals of the source. */
static void write_imports(struct writer *w)
{
  begin(w);
  write_imports_of_source(w, false);
  write_imports_of_source(w, true);
  for (uint32_t i = 0; i < w->l->verbs.count; i++)
    write_verb(w, w->l->verbs.order[i]);
  if (w->l->can_throw) {
    text(w, "wasmfx");
    text(w, "thrown");
    byte(w, WL_KIND_GLOBAL);
    global_type(w, WL_LOW_EXTERN, true);
    w->count++;
  }
  end(w, 2);
}

/* ---- Tables, memories, globals --------------------------------------------------------------- */

static void write_tables(struct writer *w)
{
  const struct wl_module *module = module_of(w);
  begin(w);
  for (uint32_t i = module->imported[WL_KIND_TABLE]; i < module->tables.count && !wl_lower_failed(w->l); i++) {
    type(w, WL_ITEM(wl_table, module->tables, i)->type);
    limits(w, WL_ITEM(wl_table, module->tables, i)->limits);
    w->count++;
  }
  if (w->l->has_scratch_table) {
    byte(w, WL_LOW_FUNC);
    limits(w, (struct wl_limits){ true, 1, 1 });
    w->count++;
  }
  end(w, 4);
}

static void write_memories(struct writer *w)
{
  const struct wl_module *module = module_of(w);
  begin(w);
  for (uint32_t i = module->imported[WL_KIND_MEMORY]; i < module->memories.count; i++) {
    limits(w, WL_ITEM(wl_linear_memory, module->memories, i)->limits);
    w->count++;
  }
  end(w, 5);
}

static void write_globals(struct writer *w)
{
  const struct wl_module *module = module_of(w);
  const uint32_t made = module->tags.count - module->imported[WL_KIND_TAG] + w->l->globals;
  begin(w);
  for (uint32_t i = module->imported[WL_KIND_GLOBAL]; i < module->globals.count && !wl_lower_failed(w->l); i++) {
    const struct wl_global *global = WL_ITEM(wl_global, module->globals, i);
    global_type(w, wl_low_type(module, global->type), global->is_mutable);
    expression(w, global->init);
    w->count++;
  }
  for (uint32_t i = 0; i < made && !wl_lower_failed(w->l); i++) {
    global_type(w, WL_LOW_EXTERN, true);
    byte(w, WL_REF_NULL);
    byte(w, WL_LOW_EXTERN);
    byte(w, WL_END);
    w->count++;
  }
  end(w, 6);
}

/* ---- Exports --------------------------------------------------------------------------------- */

static uint32_t exported_index(const struct wl_lowering *l, const struct wl_export *export)
{
  switch ((enum wl_kind)export->kind) {
  case WL_KIND_FUNC: return final_index(l, export->index);
  case WL_KIND_GLOBAL: return wl_low_global(l, export->index);
  case WL_KIND_TAG: return wl_tag_global(l, export->index);
  default: return export->index;
  }
}

static void export_as(struct writer *w, const struct wl_export *export, const struct wl_identity *identity)
{
  name(w, export->name, identity);
  byte(w, export->kind == WL_KIND_TAG ? WL_KIND_GLOBAL : export->kind);
  number(w, exported_index(w->l, export));
  w->count++;
}

/* Once for the type and for each that it is declared to be a subtype of. */
static void export_function(struct writer *w, const struct wl_export *export)
{
  const struct wl_module *module = module_of(w);
  uint32_t definition = WL_ITEM(wl_function, module->functions, export->index)->type;
  if (is_plain_function(module, definition)) {
    export_as(w, export, NULL);
    return;
  }
  for (; definition != WL_NONE; definition = wl_definition(module, definition)->supertype) {
    const struct wl_identity identity = wl_identity_of_function(module, w->l->identities, definition);
    export_as(w, export, &identity);
  }
}

static void export_global_as(struct writer *w, const struct wl_export *export, wl_type value)
{
  const struct wl_identity identity = wl_identity_of_global(module_of(w), w->l->identities, value, false);
  export_as(w, export, is_plain(value) ? NULL : &identity);
}

/* An immutable global of references: as each type above its own, with and without null. */
static void export_constant(struct writer *w, const struct wl_export *export, wl_type value)
{
  const struct wl_module *module = module_of(w);
  const uint32_t own = wl_heap(value), top = wl_top(module, own);
  for (uint32_t null = value & WL_NULL ? 1 : 0; null <= 1; null++) {
    for (uint32_t heap = own; heap != WL_NONE && heap != top;
         heap = wl_is_index(heap) ? wl_definition(module, heap)->supertype : WL_NONE)
      export_global_as(w, export, wl_ref(heap, null));
    export_global_as(w, export, wl_ref(top, null));
  }
}

static void write_exports(struct writer *w)
{
  const struct wl_module *module = module_of(w);
  struct wl_identity identity;
  begin(w);
  for (uint32_t i = 0; i < module->exports.count && !wl_lower_failed(w->l); i++) {
    const struct wl_export *export = WL_ITEM(wl_export, module->exports, i);
    const struct wl_global *global =
      export->kind == WL_KIND_GLOBAL ? WL_ITEM(wl_global, module->globals, export->index) : NULL;
    if (export->kind == WL_KIND_FUNC)
      export_function(w, export);
    else if (global && !global->is_mutable && wl_is_ref(global->type))
      export_constant(w, export, global->type);
    else
      export_as(w, export, identity_of(w, export->kind, export->index, &identity) ? &identity : NULL);
  }
  end(w, 7);
}

/* ---- Elements and data ----------------------------------------------------------------------- */

/* The function of an item, or WL_NONE: null, or what only an expression says. The cursor goes over it. */
static uint32_t next_item(const struct wl_elements *elements, struct wl_cursor *cursor)
{
  struct wl_instruction i;
  if (!elements->are_expressions)
    return wl_u32(cursor);
  const uint32_t at = wl_skip_expression(cursor);
  struct wl_cursor expression = *cursor;
  expression.at = at;
  return wl_next(&expression, &i) && i.opcode == WL_REF_FUNC ? i.x : WL_NONE;
}

static bool are_functions(struct wl_module *module, const struct wl_elements *elements)
{
  struct wl_cursor cursor = wl_cursor_at(module, elements->items, module->size);
  for (uint32_t i = 0; i < elements->count; i++)
    if (next_item(elements, &cursor) == WL_NONE)
      return false;
  return wl_low_type(module, elements->type) == WL_LOW_FUNC;
}

bool wl_reads_globals(struct wl_module *module, const struct wl_elements *elements)
{
  struct wl_cursor cursor = wl_cursor_at(module, elements->items, module->size);
  struct wl_instruction i;
  for (uint32_t k = 0; elements->are_expressions && k < elements->count; k++)
    while (wl_next(&cursor, &i) && i.opcode != WL_END)
      if (i.opcode == WL_GLOBAL_GET)
        return true;
  return false;
}

static void items(struct writer *w, const struct wl_elements *elements, bool as_functions)
{
  struct wl_cursor cursor = wl_cursor_at(module_of(w), elements->items, module_of(w)->size);
  number(w, elements->count);
  for (uint32_t i = 0; i < elements->count && !wl_lower_failed(w->l); i++) {
    const uint32_t at = cursor.at, function = next_item(elements, &cursor);
    if (as_functions)
      number(w, final_index(w->l, wl_referred(w->l, function)));
    else
      expression(w, at);
  }
}

/* Of the bits that a segment begins with: 1 not active; 2 with a table, or declared; 4 with expressions. */
static void segment(struct writer *w, const struct wl_elements *elements)
{
  struct wl_module *module = module_of(w);
  const bool as_functions = are_functions(module, elements);
  const bool is_active = elements->mode == WL_ACTIVE && !w->l->places_later;
  const bool is_first = elements->table == 0 && wl_low_type(module, elements->type) == WL_LOW_FUNC;
  uint8_t bits = is_active ? (is_first ? 0 : 2) : elements->mode == WL_DECLARED ? 3 : 1;
  bits |= as_functions ? 0 : 4;
  byte(w, bits);
  if (bits == 2 || bits == 6)
    number(w, elements->table);
  if (is_active)
    expression(w, elements->place);
  if (bits & 3 && as_functions)
    byte(w, 0);
  else if (bits & 3)
    type(w, elements->type);
  items(w, elements, as_functions);
}

/* Of a segment with items that are read from globals: what has been placed one by one is empty, what was declared is
 * the functions among them. */
static void rest_of_segment(struct writer *w, const struct wl_elements *elements)
{
  struct wl_cursor cursor = wl_cursor_at(module_of(w), elements->items, module_of(w)->size);
  struct wl_cursor again = cursor;
  const uint32_t items = elements->mode == WL_DECLARED ? elements->count : 0;
  uint32_t functions = 0;
  for (uint32_t i = 0; i < items; i++)
    functions += next_item(elements, &cursor) != WL_NONE;
  byte(w, elements->mode == WL_DECLARED ? 3 : 1);
  byte(w, 0);
  number(w, functions);
  for (uint32_t i = 0; i < items && !wl_lower_failed(w->l); i++) {
    const uint32_t function = next_item(elements, &again);
    if (function != WL_NONE)
      number(w, final_index(w->l, wl_referred(w->l, function)));
  }
}

/* Code may refer to what is added, and to what stands in it only now. */
static void declare_added(struct writer *w)
{
  const uint32_t count = w->l->additions.items.count, moved = w->l->moved.count;
  if (count + moved == 0)
    return;
  byte(w, 3);
  byte(w, 0);
  number(w, count + moved);
  for (uint32_t i = 0; i < count && !wl_lower_failed(w->l); i++)
    number(w, final_index(w->l, module_of(w)->functions.count + i));
  for (uint32_t i = 0; i < moved && !wl_lower_failed(w->l); i++)
    number(w, final_index(w->l, ((const uint32_t *)w->l->moved.items)[i]));
  w->count++;
}

static void write_elements(struct writer *w)
{
  const struct wl_module *module = module_of(w);
  begin(w);
  for (uint32_t i = 0; i < module->elements.count && !wl_lower_failed(w->l); i++) {
    const struct wl_elements *elements = WL_ITEM(wl_elements, module->elements, i);
    if (elements->mode != WL_PASSIVE && wl_reads_globals(module_of(w), elements))
      rest_of_segment(w, elements);
    else
      segment(w, elements);
    w->count++;
  }
  declare_added(w);
  end(w, 9);
}

static void write_datas(struct writer *w)
{
  const struct wl_module *module = module_of(w);
  begin(w);
  for (uint32_t i = 0; i < module->datas.count && !wl_lower_failed(w->l); i++) {
    const struct wl_data *data = WL_ITEM(wl_data, module->datas, i);
    const bool is_active = data->mode == WL_ACTIVE && !w->l->places_later;
    byte(w, !is_active);
    if (is_active)
      expression(w, data->place);
    number(w, data->count);
    wl_put_bytes(w->l, &w->section, module->bytes + data->bytes, data->count);
    w->count++;
  }
  end(w, 11);
}

static void write_data_count(struct writer *w)
{
  if (module_of(w)->data_count == WL_NONE && !w->l->places_later)
    return;
  begin(w);
  number(w, module_of(w)->datas.count);
  end_whole(w, 12);
}

static void write_start(struct writer *w, uint32_t start)
{
  if (start == WL_NONE)
    return;
  begin(w);
  number(w, final_index(w->l, start));
  end_whole(w, 8);
}

/* ---- Names of functions, for people ---------------------------------------------------------- */

static bool is_new_name(struct writer *w, struct wl_interner *known, struct wl_name source)
{
  struct wl_module *module = module_of(w);
  bool is_new = false;
  if (!wl_intern(&module->memory, known, module->bytes + source.at, source.length, &is_new))
    wl_fail_for_memory(&module->error, 0);
  return is_new;
}

/* As far as they are in order; of equal ones the first, since engines may make names of their own of these. */
static void write_names(struct writer *w)
{
  struct wl_module *module = module_of(w);
  struct wl_error ignored = { .fault = WL_RIGHT };
  struct wl_cursor cursor = { module->bytes, module->names, module->names_end, &ignored };
  struct wl_interner known = { .room = 0 };
  uint32_t kept = 0, next = 0;
  if (!module->names)
    return;
  begin(w);
  for (uint32_t count = wl_count(&cursor); count > 0 && !wl_lower_failed(w->l); count--) {
    const uint32_t function = wl_u32(&cursor);
    const struct wl_name source = wl_name(&cursor);
    if (wl_failed(&cursor) || function < next || function >= module->functions.count)
      break;
    next = function + 1;
    if (!is_new_name(w, &known, source))
      continue;
    number(w, final_index(w->l, function));
    number(w, source.length);
    wl_put_bytes(w->l, &w->section, module->bytes + source.at, source.length);
    kept++;
  }
  const struct wl_array pairs = w->section;
  w->section = (struct wl_array){ NULL, 0, 0 };
  text(w, "name");
  byte(w, 1);
  number(w, length_of_number(kept) + pairs.count);
  number(w, kept);
  wl_put_bytes(w->l, &w->section, pairs.items, pairs.count);
  end_whole(w, 0);
}

/* ---- All of it ------------------------------------------------------------------------------- */

static bool check_elements(struct wl_lowering *l)
{
  for (uint32_t i = 0; i < l->module->elements.count; i++) {
    const struct wl_elements *elements = WL_ITEM(wl_elements, l->module->elements, i);
    if (elements->mode == WL_PASSIVE && wl_reads_globals(l->module, elements))
      return wl_fail(&l->module->error, WL_UNSUPPORTED, elements->offset,
                     "not supported: a passive segment of elements that are read from globals");
  }
  return true;
}

/* Imports are the last to say which types there are, and stand after them. */
bool wl_write(struct wl_lowering *l, uint32_t start, struct wl_output *output)
{
  static const uint8_t header[8] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };
  struct writer w = { .l = l };
  if (!check_elements(l))
    return false;
  write_imports(&w);
  const struct wl_array imports = w.out;
  w.out = (struct wl_array){ NULL, 0, 0 };
  wl_put_bytes(l, &w.out, header, sizeof header);
  write_types(&w);
  wl_put_bytes(l, &w.out, imports.items, imports.count);
  write_functions(&w);
  write_tables(&w);
  write_memories(&w);
  write_globals(&w);
  write_exports(&w);
  write_start(&w, start);
  write_elements(&w);
  write_data_count(&w);
  write_code(&w);
  write_datas(&w);
  write_names(&w);
  *output = (struct wl_output){ w.out.items, w.out.count };
  return !wl_lower_failed(l);
}
