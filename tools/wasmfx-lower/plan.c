/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to be known of all functions before one is lowered: which may end with an exception on its way, so that
 * their callers have to look, and which call themselves in a tail.
 */
#include <string.h>

#include "code.h"
#include "lower.h"
#include "types.h"

/* The calls of all bodies, function after function. */
struct calls {
  struct wl_array callees; /* uint32_t */
  uint32_t *ends;          /* of each function's, in `callees` */
  bool has_throws;         /* something throws, somewhere */
};

enum { ROUNDS = 16 /* after which what is not settled is taken for thrown through */ };

/* ---- What others can do ---------------------------------------------------------------------- */

static bool is_name(const struct wl_module *module, struct wl_name name, const char *text)
{
  return name.length == strlen(text) && memcmp(module->bytes + name.at, text, name.length) == 0;
}

bool wl_is_from_host(const struct wl_lowering *l, struct wl_name module)
{
  static const char *const always[] = { "wasi_snapshot_preview1", "wasi_unstable" };
  for (uint32_t i = 0; i < sizeof always / sizeof *always; i++)
    if (is_name(l->module, module, always[i]))
      return true;
  for (uint32_t i = 0; i < l->options->host_count; i++)
    if (is_name(l->module, module, l->options->hosts[i]))
      return true;
  return false;
}

static bool holds_only_numbers(struct wl_list list)
{
  for (uint32_t i = 0; i < list.count; i++)
    if (wl_is_ref(list.types[i]))
      return false;
  return true;
}

/* Whether another module could get at a continuation, a tag or a function that throws through this one thing. */
static bool is_open(const struct wl_module *module, uint8_t kind, uint32_t index)
{
  uint32_t type;
  switch ((enum wl_kind)kind) {
  case WL_KIND_FUNC:
    type = WL_ITEM(wl_function, module->functions, index)->type;
    return !holds_only_numbers(wl_params(module, type)) || !holds_only_numbers(wl_results(module, type));
  case WL_KIND_TABLE: return true;
  case WL_KIND_GLOBAL: return wl_is_ref(WL_ITEM(wl_global, module->globals, index)->type);
  case WL_KIND_TAG: return true;
  default: return false;
  }
}

/* An imported function of any type may throw, unless it is the host's; that may still hand over others' references. */
static bool is_open_import(const struct wl_lowering *l, const struct wl_import *import)
{
  if (import->kind == WL_KIND_FUNC && !wl_is_from_host(l, import->module))
    return true;
  return is_open(l->module, import->kind, import->index);
}

static bool has_others(const struct wl_lowering *l)
{
  const struct wl_module *module = l->module;
  for (uint32_t i = 0; i < module->imports.count; i++)
    if (is_open_import(l, WL_ITEM(wl_import, module->imports, i)))
      return true;
  for (uint32_t i = 0; i < module->exports.count; i++) {
    const struct wl_export *export = WL_ITEM(wl_export, module->exports, i);
    if (is_open(module, export->kind, export->index))
      return true;
  }
  return false;
}

/* ---- What bodies do -------------------------------------------------------------------------- */

static bool add_call(struct wl_lowering *l, struct calls *calls, uint32_t callee)
{
  if (!wl_make_room(&l->module->memory, &calls->callees, sizeof callee))
    return wl_fail_for_memory(&l->module->error, 0);
  ((uint32_t *)calls->callees.items)[calls->callees.count++] = callee;
  return true;
}

/* Instructions after which an exception may be on its way, if there are any at all; but for calls of functions. */
static bool may_throw(uint16_t opcode)
{
  switch (opcode) {
  case WL_THROW:
  case WL_THROW_REF:
  case WL_CALL_INDIRECT:
  case WL_CALL_REF:
  case WL_RETURN_CALL_INDIRECT:
  case WL_RETURN_CALL_REF:
  case WL_SUSPEND:
  case WL_RESUME:
  case WL_RESUME_THROW:
  case WL_RESUME_THROW_REF:
  case WL_SWITCH: return true;
  default: return false;
  }
}

static bool makes_exceptions(uint16_t opcode)
{
  return opcode == WL_THROW || opcode == WL_THROW_REF || opcode == WL_RESUME_THROW || opcode == WL_RESUME_THROW_REF;
}

static bool look_at(struct wl_lowering *l, struct calls *calls, uint32_t function, const struct wl_instruction *i)
{
  calls->has_throws |= makes_exceptions(i->opcode);
  if (may_throw(i->opcode))
    l->functions[function] |= WL_MAY_THROW;
  if (i->opcode == WL_RETURN_CALL && i->x == function)
    l->functions[function] |= WL_CALLS_ITSELF;
  return (i->opcode != WL_CALL && i->opcode != WL_RETURN_CALL) || add_call(l, calls, i->x);
}

static bool look_at_bodies(struct wl_lowering *l, struct calls *calls)
{
  struct wl_module *module = l->module;
  struct wl_instruction i;
  for (uint32_t f = module->imported[WL_KIND_FUNC]; f < module->functions.count; f++) {
    const struct wl_function *function = WL_ITEM(wl_function, module->functions, f);
    struct wl_cursor cursor = wl_cursor_at(module, function->body, function->end);
    wl_skip_locals(&cursor);
    while (wl_next(&cursor, &i))
      if (!look_at(l, calls, f, &i))
        return false;
    calls->ends[f] = calls->callees.count;
  }
  return true;
}

static void look_at_imports(struct wl_lowering *l)
{
  for (uint32_t i = 0; i < l->module->imports.count; i++) {
    const struct wl_import *import = WL_ITEM(wl_import, l->module->imports, i);
    if (import->kind == WL_KIND_FUNC && !wl_is_from_host(l, import->module))
      l->functions[import->index] |= WL_MAY_THROW;
  }
}

/* ---- Who passes it on ------------------------------------------------------------------------ */

/* Where the calls of a function begin. The imported have none. */
static uint32_t begin_of(const struct calls *calls, uint32_t function)
{
  return function ? calls->ends[function - 1] : 0;
}

static bool passes_on(const struct wl_lowering *l, const struct calls *calls, uint32_t function)
{
  for (uint32_t i = begin_of(calls, function); i < calls->ends[function]; i++)
    if (l->functions[((uint32_t *)calls->callees.items)[i]] & WL_MAY_THROW)
      return true;
  return false;
}

/* Whoever calls one that may throw may throw; after too many rounds, whoever calls. Answers whether somebody is new. */
static bool pass_on(struct wl_lowering *l, const struct calls *calls, bool whoever_calls)
{
  const uint32_t first = l->module->imported[WL_KIND_FUNC];
  bool is_new = false;
  for (uint32_t f = l->module->functions.count; f-- > first;) {
    const bool has_calls = calls->ends[f] > begin_of(calls, f);
    if (l->functions[f] & WL_MAY_THROW || !has_calls || !(whoever_calls || passes_on(l, calls, f)))
      continue;
    l->functions[f] |= WL_MAY_THROW;
    is_new = true;
  }
  return is_new;
}

bool wl_plan(struct wl_lowering *l)
{
  struct wl_module *module = l->module;
  struct calls calls = { .has_throws = false };
  calls.ends = wl_allocate(&module->memory, module->functions.count, sizeof *calls.ends);
  l->functions = wl_allocate(&module->memory, module->functions.count, 1);
  if (!calls.ends || !l->functions)
    return wl_fail_for_memory(&module->error, 0);
  if (!look_at_bodies(l, &calls))
    return false;
  look_at_imports(l);
  l->can_throw = calls.has_throws || has_others(l);
  uint32_t rounds = 0;
  while (l->can_throw && pass_on(l, &calls, rounds == ROUNDS) && rounds < ROUNDS)
    rounds++;
  return true;
}
