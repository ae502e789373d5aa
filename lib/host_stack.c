/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on the stack of the chain's root, which is warm and large, from continuations whose own need be neither. */
#include <stdint.h>

#include "runtime.h"
#include "stackpool/valgrind.h"

/*
 * The stack pointer below which nothing of that stack is in use. The root waits there for who it resumed; or somebody
 * nearer does who was called there as we are going to be, and has resumed in turn.
 */
static void *free_part(const struct wasmfx_runtime *rt)
{
  const struct wfx_object *object = rt->current->parent;
  while (!wfx_object_is_root(object) && !wfx_left(rt, object))
    object = object->parent;
  return wfx_saved_registers(wfx_object_landing(object), object).low;
}

/* By what is near: the stack's bounds may not have been touched for long. */
static bool is_on_its_own_stack(const struct wasmfx_runtime *rt)
{
  return !wfx_object_is_root(rt->current) && !wfx_left(rt, rt->current);
}

wasmfx_status_t wasmfx_call_on_host_stack(wasmfx_runtime_t *rt, void (*function)(void *arg), void *arg)
{
  wasmfx_scope_t scope;
  if (!is_on_its_own_stack(rt)) {
    function(arg);
    return WASMFX_OK;
  }
  const wasmfx_status_t status = wasmfx_barrier_enter(rt, &scope);
  if (status < 0)
    return status;
  if (WFX_HAS_STACKS_WATCHED || wfx_valgrind_watches())
    function(arg);
  else
    wfx_call_on(function, arg, free_part(rt), &rt->house->scope->scope.left);
  return wasmfx_barrier_leave(rt, &scope);
}

void wasmfx_prefetch(const wasmfx_runtime_t *rt, wasmfx_cont_t cont)
{
  enum { LINE = 64, LINES = 4 };
  const struct wfx_object *object = wfx_object_of(rt, cont);
  if (!object || wfx_object_is_fresh(object))
    return;
  const char *line = object->sp;
  __builtin_prefetch(&object->stack, 1);
  for (int i = 0; i < LINES; i++, line += LINE)
    __builtin_prefetch(line, 1);
}
