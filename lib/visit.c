/* SPDX-License-Identifier: Apache-2.0 */
/* What continuations hold, for collectors: stacks, bound arguments, and the words that are the host's. */
#include <wasmfx/collect.h>

#include "runtime.h"

/* ---- Values ------------------------------------------------------------------------ */

static void visit_values(const wasmfx_visitor_t *visitor, const struct wfx_list *list, wasmfx_value_t *values,
                         size_t count)
{
  for (size_t i = 0; i < count; i++)
    visitor->value(visitor->context, list->kinds[i], &values[i]);
}

/* Bound arguments; and of a body with long results, those that it has written by now. */
static void visit_buffers(const struct wfx_object *object, const wasmfx_visitor_t *visitor)
{
  if (!visitor->value || !object->bound)
    return;
  visit_values(visitor, wfx_awaited(object), object->bound->values, wfx_bound_count(object));
  if (object->stack && object->type->is_long)
    visit_values(visitor, object->type->results, object->bound->results, object->type->results->count);
}

/* ---- Stacks -------------------------------------------------------------------------- */

/* Where the own stack of `object` ends, of whom something is said to end at `low`. That may be in a call on the host's
 * stack, of which nobody here knows the bounds; or below its own, by a little: what a function has not touched yet. */
static void *own_end(const struct wasmfx_runtime *rt, const struct wfx_object *object, void *low)
{
  if (!object->stack || wfx_stands_on(object->stack, low))
    return low;
  void *left = wfx_left(rt, object);
  return left ? left : object->stack->low;
}

/* A stack whose frames end with that of the verb that `top` waits in: `object`, or a root on its stack. */
static void visit_waiting(const struct wasmfx_runtime *rt, struct wfx_object *object, wasmfx_cont_t cont,
                          struct wfx_object *top, const wasmfx_visitor_t *visitor)
{
  const struct wfx_registers caller = wfx_saved_registers(wfx_object_landing(top), top);
  const wasmfx_stack_t stack = { .cont = cont, .low = own_end(rt, object, caller.low), .high = object->stack,
                                 .pc = caller.pc, .sp = caller.sp, .fp = caller.fp, .host_word = &top->host_word,
                                 .saved_fp = caller.saved_fp };
  if (visitor->stack)
    visitor->stack(visitor->context, &stack);
}

static void visit_fresh(struct wfx_object *object, const wasmfx_visitor_t *visitor)
{
  const wasmfx_stack_t stack = { .cont = object->ref, .host_word = &object->host_word, .env = &object->env };
  if (visitor->stack)
    visitor->stack(visitor->context, &stack);
  visit_buffers(object, visitor);
}

static void visit_chain(const struct wasmfx_runtime *rt, struct wfx_object *innermost, const wasmfx_visitor_t *visitor)
{
  const wasmfx_cont_t cont = innermost->ref;
  for (struct wfx_object *object = innermost, *outer; object; object = outer) {
    outer = object->parent;
    visit_waiting(rt, object, cont, object, visitor);
    visit_buffers(object, visitor);
  }
}

/* Visitors are the host's. Inside another of its functions nothing is caught, and no more stack than was granted to
 * that one must be touched. Answers what the end is to be told. */
static const void *begin(const struct wasmfx_runtime *rt)
{
  if (!wfx_is_in_host_call(rt))
    wfx_claim_stack(rt);
  return wfx_host_call_begin();
}

static void visit_held(const struct wasmfx_runtime *rt, struct wfx_object *object, const wasmfx_visitor_t *visitor)
{
  if (wfx_object_is_fresh(object))
    visit_fresh(object, visitor);
  else
    visit_chain(rt, object, visitor);
}

wasmfx_status_t wasmfx_visit_cont(wasmfx_runtime_t *rt, wasmfx_cont_t cont, const wasmfx_visitor_t *visitor)
{
  struct wfx_object *object = wfx_object_of(rt, cont);
  if (!object || !wfx_object_is_held(rt, object))
    return wfx_ref_trap(cont);
  const void *outer = begin(rt);
  visit_held(rt, object, visitor);
  wfx_host_call_end(outer);
  return WASMFX_OK;
}

/* What stands below `top` on its stack has a word too, up to whose stack it is. */
static void visit_words(struct wasmfx_runtime *rt, struct wfx_object *top, const wasmfx_visitor_t *visitor)
{
  while (visitor->stack && top != wfx_bearer(rt, top)) {
    top = top->scope.owner;
    visitor->stack(visitor->context, &(wasmfx_stack_t){ .host_word = &top->host_word });
  }
}

/* A continuation and the roots on its stack are one stack: it ends where the innermost of them waits, or runs. Where
 * the host's own begins nobody has told. */
static void visit_stacks(struct wasmfx_runtime *rt, void *sp, const wasmfx_visitor_t *visitor)
{
  for (struct wfx_object *top = rt->current, *bearer; top; top = bearer->parent) {
    bearer = wfx_bearer(rt, top);
    if (top != rt->current)
      visit_waiting(rt, bearer, WASMFX_NULL_CONT, top, visitor);
    else if (visitor->stack)
      visitor->stack(visitor->context,
                     &(wasmfx_stack_t){ .low = own_end(rt, bearer, sp), .high = bearer->stack,
                                        .host_word = &top->host_word });
    visit_words(rt, top, visitor);
    visit_buffers(bearer, visitor);
  }
}

static __attribute__((noinline)) void visit_running(struct wasmfx_runtime *rt, const wasmfx_visitor_t *visitor)
{
  visit_stacks(rt, __builtin_frame_address(0), visitor);
}

/* Whatever the caller has in preserved registers gets into this frame, and so above the next one. */
void wasmfx_visit_running(wasmfx_runtime_t *rt, const wasmfx_visitor_t *visitor)
{
  const void *outer = begin(rt);
  __builtin_unwind_init();
  visit_running(rt, visitor);
  wfx_host_call_end(outer);
}

void wasmfx_visit_all(wasmfx_runtime_t *rt, const wasmfx_visitor_t *visitor)
{
  struct wfx_object *objects = wfx_host_root(rt);
  wasmfx_visit_running(rt, visitor);
  const void *outer = wfx_host_call_begin();
  for (uint32_t i = 1; i + 1 < rt->object_count; i++)
    if (wfx_object_is_held(rt, &objects[i]))
      visit_held(rt, &objects[i], visitor);
  wfx_host_call_end(outer);
}
