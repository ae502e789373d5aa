/* SPDX-License-Identifier: Apache-2.0 */
/* A lowered module, looked at as any other. */
#include "again.h"

#include "code.h"
#include "validate.h"

#include <string.h>

static bool is_core_type(wl_type type)
{
  return !wl_is_ref(type) || type == wl_ref(WL_FUNC, true) || type == wl_ref(WL_EXTERN, true);
}

static bool has_core_types(const struct wl_module *module)
{
  for (uint32_t i = 0; i < module->definitions.count; i++) {
    const struct wl_definition *definition = wl_definition(module, i);
    if (definition->form != WL_FUNC_FORM || !definition->is_final || definition->supertype != WL_NONE)
      return false;
  }
  for (uint32_t i = 0; i < module->pool.count; i++)
    if (!is_core_type(((const wl_type *)module->pool.items)[i]))
      return false;
  for (uint32_t i = 0; i < module->tables.count; i++)
    if (!is_core_type(WL_ITEM(wl_table, module->tables, i)->type) || WL_ITEM(wl_table, module->tables, i)->init)
      return false;
  for (uint32_t i = 0; i < module->globals.count; i++)
    if (!is_core_type(WL_ITEM(wl_global, module->globals, i)->type))
      return false;
  return module->tags.count == 0;
}

static bool is_core_instruction(const struct wl_instruction *i)
{
  switch (i->opcode) {
  case WL_THROW:
  case WL_THROW_REF:
  case WL_TRY_TABLE:
  case WL_RETURN_CALL:
  case WL_RETURN_CALL_INDIRECT:
  case WL_CALL_REF:
  case WL_RETURN_CALL_REF:
  case WL_REF_AS_NON_NULL:
  case WL_BR_ON_NULL:
  case WL_BR_ON_NON_NULL: return false;
  default:
    return (i->opcode < WL_CONT_NEW || i->opcode > WL_SWITCH) && (i->opcode < WL_GC || i->opcode >= WL_MISC) &&
           is_core_type(i->block_form == WL_BLOCK_VALUE || i->opcode == WL_SELECT_TYPED ? i->type : (wl_type)WL_I32);
  }
}

static bool has_core_code(struct wl_module *module)
{
  struct wl_instruction i;
  for (uint32_t f = module->imported[WL_KIND_FUNC]; f < module->functions.count; f++) {
    const struct wl_function *function = WL_ITEM(wl_function, module->functions, f);
    struct wl_cursor cursor = wl_cursor_at(module, function->body, function->end);
    wl_skip_locals(&cursor);
    while (wl_next(&cursor, &i))
      if (!is_core_instruction(&i))
        return false;
  }
  return true;
}

static const char *complaint(struct wl_module *again)
{
  static char text[sizeof again->error.text];
  if (again->error.fault != WL_RIGHT) {
    memcpy(text, again->error.text, sizeof text);
    return text;
  }
  if (!has_core_types(again))
    return "it has types that core modules have not";
  return has_core_code(again) ? NULL : "it has instructions that core modules have not";
}

const char *lower_again(struct wl_module *module, size_t *written)
{
  static const char *const hosts[] = { "host" };
  const struct wl_options options = { hosts, 1 };
  struct wl_output output = { NULL, 0 };
  struct wl_module again;
  *written = 0;
  if (!wl_lower(module, &options, &output))
    return module->error.fault == WL_UNSUPPORTED ? NULL : "it failed otherwise than by saying what is not supported";
  *written = output.size;
  if (wl_read(&again, output.bytes, output.size))
    wl_validate(&again);
  const char *wrong = complaint(&again);
  wl_module_free(&again);
  return wrong;
}
