/* SPDX-License-Identifier: Apache-2.0 */
/* The arena of objects, and the life of a reference. */
#include "object.h"

#include <assert.h>
#include <string.h>

#include "runtime.h"

#define COMMIT_SLOTS ((size_t)8192) /* one mebibyte at a time */

static struct wfx_object *slot_at(const struct wasmfx_runtime *rt, uint32_t slot)
{
  return (struct wfx_object *)rt + slot;
}

struct wfx_object *wfx_object_of(const struct wasmfx_runtime *rt, wasmfx_cont_t cont)
{
  if (wfx_ref_slot(cont) >= rt->object_count)
    return NULL;
  struct wfx_object *object = slot_at(rt, wfx_ref_slot(cont));
  return object->ref == cont ? object : NULL;
}

wasmfx_status_t wfx_ref_trap(wasmfx_cont_t cont)
{
  return cont == WASMFX_NULL_CONT ? WASMFX_TRAP_NULL_CONT : WASMFX_TRAP_CONSUMED;
}

bool wfx_object_is_fresh(const struct wfx_object *object)
{
  return object->pc == wfx_fresh;
}

/* Those that run keep the landing address of their last suspension: the running one, and who has entered a root. */
static bool is_running(const struct wasmfx_runtime *rt, const struct wfx_object *object)
{
  return object == rt->current || wfx_scope_of(rt, object);
}

/* What has been captured has no resumer: alone, or as the head of a chain, which awaits nothing, with another one as
 * the innermost. */
bool wfx_object_is_held(const struct wasmfx_runtime *rt, const struct wfx_object *object)
{
  if (wfx_object_is_fresh(object))
    return true;
  if (wfx_object_is_deep(object))
    return !is_running(rt, object);
  return object->pc && !object->parent && !wfx_object_is_root(object) && object->awaits != wfx_head_list;
}

bool wfx_object_is_deep(const struct wfx_object *object)
{
  return object->pc == wfx_deep;
}

/* ---- Slots ----------------------------------------------------------------------- */

static wasmfx_status_t commit_more(struct wasmfx_runtime *rt)
{
  struct wfx_house *house = rt->house;
  size_t slots = house->arena_slots - house->committed_slots;
  if (slots == 0)
    return WASMFX_ERROR_LIMIT;
  if (slots > COMMIT_SLOTS)
    slots = COMMIT_SLOTS;
  const wasmfx_status_t status =
    wfx_os_commit(&house->os, slot_at(rt, house->committed_slots), slots << WFX_OBJECT_SHIFT);
  if (status == WASMFX_OK)
    house->committed_slots += (uint32_t)slots;
  return status;
}

wasmfx_status_t wfx_object_new(struct wasmfx_runtime *rt, struct wfx_object **object)
{
  if (rt->object_count == rt->house->committed_slots) {
    const wasmfx_status_t status = commit_more(rt);
    if (status < 0)
      return status;
  }
  *object = slot_at(rt, rt->object_count);
  (*object)->ref = rt->house->first_revision | rt->object_count;
  rt->object_count++;
  if (!rt->careful)
    rt->short_count = rt->object_count;
  return WASMFX_OK;
}

/* No reference to this slot equals null, so every one of them is stale for ever. */
static void retire(struct wasmfx_runtime *rt, struct wfx_object *object)
{
  object->ref = WASMFX_NULL_CONT;
  object->pc = NULL;
  object->stack = NULL;
  rt->house->retired++;
}

void wfx_object_move(struct wasmfx_runtime *rt, struct wfx_object *old, struct wfx_object *fresh)
{
  assert(wfx_object_exhausted(old));
  const uint64_t ref = fresh->ref;
  wfx_bound_free(rt, fresh); /* while `old` is what it was, for who visits from there */
  *fresh = *old;
  fresh->ref = ref;
  if (fresh->stack)
    fresh->stack->owner = fresh;
  old->bound = NULL;
  retire(rt, old);
  assert(slot_at(rt, wfx_ref_slot(fresh->ref)) == fresh);
}

void wfx_object_kill(struct wasmfx_runtime *rt, struct wfx_object *object)
{
  if (wfx_object_exhausted(object)) {
    retire(rt, object);
    wfx_bound_free(rt, object);
    return;
  }
  wfx_object_consume(object);
  wfx_object_put(rt, object);
}
