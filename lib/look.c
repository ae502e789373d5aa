/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of a reference, and of what is running: nothing here changes a state, but for a fresh one's stack.
 * */
#include "payload.h"
#include "runtime.h"

enum wasmfx_state wasmfx_cont_state(const wasmfx_runtime_t *rt, wasmfx_cont_t cont)
{
  const struct wfx_object *object = wfx_object_of(rt, cont);
  if (!object)
    return cont ? WASMFX_STATE_CONSUMED : WASMFX_STATE_NULL;
  return wfx_object_is_fresh(object) ? WASMFX_STATE_FRESH : WASMFX_STATE_SUSPENDED;
}

size_t wasmfx_cont_arity(const wasmfx_runtime_t *rt, wasmfx_cont_t cont)
{
  const struct wfx_object *object = wfx_object_of(rt, cont);
  return object ? wfx_awaited(object)->count - wfx_bound_count(object) : 0;
}

wasmfx_status_t wasmfx_cont_stack_class(wasmfx_runtime_t *rt, wasmfx_cont_t cont, uint32_t stack_class)
{
  struct wfx_object *object = wfx_object_of(rt, cont);
  if (!object)
    return wfx_ref_trap(cont);
  if (!wfx_object_is_fresh(object))
    return WASMFX_ERROR_STATE;
  if (stack_class >= WASMFX_STACK_CLASSES)
    return WASMFX_ERROR_ARGUMENT;
  object->fresh.stack_class = stack_class;
  if (object->awaits == object->type->short_params)
    object->awaits = object->type->fresh_params;
  return WASMFX_OK;
}

size_t wasmfx_depth(const wasmfx_runtime_t *rt)
{
  size_t depth = 0;
  for (const struct wfx_object *object = rt->current; object->parent; object = object->parent)
    depth++;
  return depth;
}

void **wasmfx_host_word(wasmfx_runtime_t *rt)
{
  return &rt->current->host_word;
}

void **wasmfx_cont_host_word(wasmfx_runtime_t *rt, wasmfx_cont_t cont)
{
  struct wfx_object *object = wfx_object_of(rt, cont);
  return object ? &object->host_word : NULL;
}

wasmfx_status_t wasmfx_stack_bounds(const wasmfx_runtime_t *rt, void **low, void **high)
{
  const struct wfx_stack *stack = wfx_bearer(rt, rt->current)->stack;
  if (!stack || !wfx_stands_on(stack, __builtin_frame_address(0)))
    return WASMFX_ERROR_STATE;
  *low = stack->low;
  *high = (void *)(uintptr_t)stack;
  return WASMFX_OK;
}

/* Between the start of a continuation and its first instruction it has no stack, or none yet. */
void wasmfx_current(const wasmfx_runtime_t *rt, wasmfx_current_t *current)
{
  struct wfx_object *object = rt->current;
  const struct wfx_stack *stack = wfx_bearer(rt, object)->stack;
  *current = (wasmfx_current_t){ .host_word = object->host_word };
  if (!stack)
    return;
  current->id = stack->life;
  current->low = stack->low;
  current->high = (void *)(uintptr_t)stack;
}
