/* SPDX-License-Identifier: Apache-2.0 */
/* What constant expressions come to. */
#include "constant.h"

#include "code.h"
#include "emit.h"

enum { I32_ADD = 0x6a, I32_SUB = 0x6b, I32_MUL = 0x6c, I64_ADD = 0x7c, I64_SUB = 0x7d, I64_MUL = 0x7e };

static const struct wl_constant unknown = { .kind = WL_UNKNOWN_CONSTANT };

static uint64_t compute(uint16_t opcode, uint64_t a, uint64_t b)
{
  switch (opcode) {
  case I32_ADD: return (uint32_t)(a + b);
  case I32_SUB: return (uint32_t)(a - b);
  case I32_MUL: return (uint32_t)(a * b);
  case I64_ADD: return a + b;
  case I64_SUB: return a - b;
  default: return a * b;
  }
}

static void push(struct wl_lowering *l, struct wl_constant constant)
{
  if (!wl_make_room(&l->module->memory, &l->evaluated, sizeof constant))
    wl_fail_for_memory(&l->module->error, 0);
  else
    *WL_ITEM(wl_constant, l->evaluated, l->evaluated.count++) = constant;
}

static struct wl_constant pop(struct wl_lowering *l)
{
  return l->evaluated.count ? *WL_ITEM(wl_constant, l->evaluated, --l->evaluated.count) : unknown;
}

static struct wl_constant combine(struct wl_lowering *l, uint16_t opcode)
{
  const struct wl_constant b = pop(l), a = pop(l);
  if (a.kind != WL_NUMBER || b.kind != WL_NUMBER)
    return unknown;
  return (struct wl_constant){ WL_NUMBER, a.low_type, compute(opcode, a.value, b.value) };
}

static void evaluate_one(struct wl_lowering *l, const struct wl_instruction *i)
{
  switch (i->opcode) {
  case WL_I32_CONST:
  case WL_I64_CONST:
  case WL_F32_CONST:
  case WL_F64_CONST:
    push(l, (struct wl_constant){ WL_NUMBER, (uint8_t)(WL_LOW_I32 - (i->opcode - WL_I32_CONST)), i->value });
    break;
  case WL_GLOBAL_GET: push(l, l->constants[i->x]); break;
  case WL_REF_FUNC: push(l, (struct wl_constant){ WL_FUNCTION_REFERENCE, WL_LOW_FUNC, i->x }); break;
  case WL_REF_NULL:
    push(l, (struct wl_constant){ WL_NULL_REFERENCE, (uint8_t)wl_low_type(l->module, i->type), 0 });
    break;
  default: push(l, combine(l, i->opcode));
  }
}

struct wl_constant wl_evaluate(struct wl_lowering *l, uint32_t at)
{
  struct wl_cursor cursor = wl_cursor_at(l->module, at, l->module->size);
  struct wl_instruction i;
  l->evaluated.count = 0;
  while (!wl_lower_failed(l) && wl_next(&cursor, &i) && i.opcode != WL_END)
    evaluate_one(l, &i);
  return pop(l);
}

bool wl_find_constants(struct wl_lowering *l)
{
  const struct wl_module *module = l->module;
  l->constants = wl_allocate(&l->module->memory, module->globals.count, sizeof *l->constants);
  if (!l->constants)
    return wl_fail_for_memory(&l->module->error, 0);
  for (uint32_t i = 0; i < module->globals.count && !wl_lower_failed(l); i++) {
    const struct wl_global *global = WL_ITEM(wl_global, module->globals, i);
    if (!global->init)
      l->constants[i] = (struct wl_constant){ .kind = WL_IMPORTED, .value = i };
    else if (!global->is_mutable)
      l->constants[i] = wl_evaluate(l, global->init);
  }
  return !wl_lower_failed(l);
}
