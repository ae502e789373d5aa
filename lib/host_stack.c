/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on the stack of the chain's root, which is warm and large, from continuations whose own need be neither. */
#include <assert.h>
#include <stdint.h>

#include "runtime.h"

/* Whether that root is on a large stack: the host's, or that of a continuation which has entered it, if these are large
 * or it has been called on the host's. */
static bool is_on_large_stack(const struct wasmfx_runtime *rt, struct wfx_object *root)
{
  const struct wfx_object *bearer = wfx_bearer(rt, root);
  return wfx_has_guards(rt) || bearer == wfx_host_root(rt) || wfx_left(rt, bearer);
}

static bool waits_on_large_stack(const struct wasmfx_runtime *rt, struct wfx_object *object)
{
  assert(object); /* the host's root is below all, and does */
  return wfx_object_is_root(object) ? is_on_large_stack(rt, object) : wfx_left(rt, object) != NULL;
}

/*
 * The stack pointer below which nothing of that stack is in use. The root waits there for who it resumed; or somebody
 * nearer does who was called there as we are going to be, and has resumed in turn.
 */
static void *free_part(const struct wasmfx_runtime *rt)
{
  struct wfx_object *object = wfx_below(rt, rt->current);
  while (!waits_on_large_stack(rt, object))
    object = wfx_below(rt, object);
  return wfx_saved_registers(object->pc, object).low; /* who has resumed lands where its pc says, chain or not */
}

/* The innermost scope is a barrier of the caller's. Errors: STATE, and that is closed. */
static inline wasmfx_status_t call(struct wasmfx_runtime *rt, void (*function)(void *arg), void *arg)
{
  struct wfx_object *self = rt->current, *scope = rt->scope;
  void **left = &scope->scope.left;
  *left = NULL;
  if (rt->house->stacks_are_watched)
    function(arg);
  else
    wfx_call_on(function, arg, free_part(rt), left);
  return wfx_close_what_is_left(rt, self, scope) ? WASMFX_ERROR_STATE : WASMFX_OK;
}

/* There is one already, or the caller is a root. If it is that of such a call, the caller stands there; else another one
 * needs a record. That is seen by what is near: the bounds of a stack may not have been touched for long. */
static __attribute__((noinline)) wasmfx_status_t call_behind_barrier(struct wasmfx_runtime *rt,
                                                                     void (*function)(void *arg), void *arg)
{
  wasmfx_scope_t scope;
  if (wfx_left(rt, rt->current)) {
    function(arg);
    return WASMFX_OK;
  }
  wasmfx_status_t status = wasmfx_barrier_enter(rt, &scope);
  if (status < 0)
    return status;
  status = call(rt, function, arg);
  return status < 0 ? status : wasmfx_barrier_leave(rt, &scope);
}

wasmfx_status_t wasmfx_call_on_host_stack(wasmfx_runtime_t *rt, void (*function)(void *arg), void *arg)
{
  struct wfx_object *self = rt->current;
  if (wfx_object_is_root(self) && is_on_large_stack(rt, self)) {
    function(arg);
    return WASMFX_OK;
  }
  if (wfx_object_is_root(self) || self->handlers == &wfx_barrier)
    return call_behind_barrier(rt, function, arg);
  wfx_claim_stack(rt);
  wfx_own_barrier_open(rt, self, 0);
  const wasmfx_status_t status = call(rt, function, arg);
  if (status == WASMFX_OK)
    wfx_own_barrier_close(rt, self);
  return status;
}

void wasmfx_prefetch(const wasmfx_runtime_t *rt, wasmfx_cont_t cont)
{
  enum { LINE = 64, LINES = 4 };
  const struct wfx_object *object = wfx_object_of(rt, cont);
  if (!object || wfx_object_is_fresh(object))
    return;
  const char *line = object->sp;
  __builtin_prefetch((const void *)&object->stack, 1);
  for (int i = 0; i < LINES; i++, line += LINE)
    __builtin_prefetch(line, 1);
}
