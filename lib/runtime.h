/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_RUNTIME_H
#define WFX_RUNTIME_H
/** @file runtime.h  The runtime's two parts: what every verb touches, in slot 0 of the arena, and the rest. */
#include <string.h>

#include <wasmfx/runtime.h>

#include "handler.h"
#include "object.h"
#include "overflow.h"
#include "payload.h"
#include "sanitize.h"
#include "stackpool/stackpool.h"

/* How many bytes of stack the library's own functions need, which make sure of them before they change anything. The
 * frames of a sanitizer are larger, and those of a compiler that does not optimize. */
#ifdef WFX_ANNOUNCE
#define WFX_STACK_ROOM 4096
#elif defined(__OPTIMIZE__)
#define WFX_STACK_ROOM 1024
#else
#define WFX_STACK_ROOM 2048
#endif
/* What some need besides, which make and free runtimes, or deal with signals. */
#define WFX_STACK_MORE_ROOM WFX_STACK_ROOM

/** What does not have to be near: configuration, memory, counters. */
struct wfx_house {
  char beside[64];      /* what a neighbour of its block writes does not slow down what counts */
  uint64_t made;        /* continuations, without those that could not be */
  uint64_t may_be_made; /* as many as may be alive at once, and one more for each that has died */
  wasmfx_runtime_config_t config;
  wasmfx_stack_allocator_t host_stacks; /* the host's own, that of `config` calls it */
  struct wfx_os os;
  struct wfx_stackpool stacks;
  size_t arena_bytes;
  uint32_t arena_slots;     /* that the reservation has room for */
  uint32_t committed_slots; /* that have memory */
  uint64_t first_revision;  /* shifted: the `ref` of a slot that was never used, less its slot */
  uint32_t tenant;          /* of continuations that are made now */
  uint64_t allocations;
  uint64_t retired;
  uint64_t tags_made;
  bool stacks_are_watched;       /* by who would have to be told of each change of them */
  uint64_t marks;                /* numbers given to own barriers that marks name */
  struct wfx_object *nothing;    /* what the stub of a resume cuts */
  struct wfx_member *members;    /* types, tags and tables */
  wasmfx_exception_t exception;  /* the one on its way */
  wasmfx_value_t *inbox;         /* payloads whose sender's stack is gone, or that had to be put together */
  size_t inbox_count;
  size_t inbox_used;             /* slots of it that hold something */
  struct wfx_watch watch;        /* for overflow of its stacks */
  struct wfx_track track;        /* of the stack that the host's root stands on */
};

/** Hot part and handle of a runtime. */
struct wasmfx_runtime {
  uint64_t null_ref;          /* never equal to the null reference */
  struct wfx_object *current; /* the running continuation or root */
  uint32_t short_count;       /* slots that references may name on short paths: none, where these are not to be taken */
  uint32_t careful;           /* WFX_CAREFUL_*: why not */
  struct wfx_stack_list free_stacks; /* class 0, tenant 0 */
  wasmfx_cont_t received;     /* the contref that came with the last waking */
  struct {
    struct wfx_object *from; /* who leaves */
    wfx_landing_t *landing;  /* where its landing address belongs */
    wasmfx_cont_t cont;
    uint64_t event;
    uint64_t word;
    struct wfx_object **cut; /* the link to a resumer that the stub cuts last; of a resume, the house's `nothing` */
  } transfer; /* from a prepare function to the stub that called it */
  struct wfx_object *free_objects;
  struct wfx_house *house;
  struct wfx_object *scope; /* innermost open root or barrier */
  uint32_t object_count; /* slots that references may name */
  uint32_t stack_room;   /* bytes of stack to make sure of before anything changes: the library's own, and the host's;
                            and WFX_STACK_ROOM_COMPARED */
};

/** Whether a stack's end stops whoever writes on; else functions compare, and stacks may be small. */
static inline bool wfx_has_guards(const struct wasmfx_runtime *rt)
{
  return !(rt->stack_room & WFX_STACK_ROOM_COMPARED);
}

/** For functions that need more stack than others. */
static inline void wfx_claim_more_stack(const struct wasmfx_runtime *rt)
{
  wfx_claim_stack_bytes(rt, rt->stack_room + WFX_STACK_MORE_ROOM);
}

/** Continuations that have died. */
static inline uint64_t wfx_dead_conts(const struct wfx_house *house)
{
  return house->may_be_made - house->config.max_conts;
}

/** Those that are alive. */
static inline uint32_t wfx_live_conts(const struct wfx_house *house)
{
  return (uint32_t)(house->made - wfx_dead_conts(house));
}

/** The root that the host starts on. */
static inline struct wfx_object *wfx_host_root(const struct wasmfx_runtime *rt)
{
  return (struct wfx_object *)rt + 1;
}

/** Takes an object, which has neither stack, parent nor host word; its `ref` may be handed out. Errors: NO_MEMORY,
 *  LIMIT. */
static inline wasmfx_status_t wfx_object_take(struct wasmfx_runtime *rt, struct wfx_object **object)
{
  struct wfx_object *last = rt->free_objects;
  if (!last)
    return wfx_object_new(rt, object);
  rt->free_objects = last->next_free;
  last->parent = NULL;
  *object = last;
  return WASMFX_OK;
}

/** Puts an object back whose reference has been consumed. */
static inline void wfx_object_put(struct wasmfx_runtime *rt, struct wfx_object *object)
{
  object->pc = NULL;
  object->host_word = NULL;
  object->next_free = rt->free_objects;
  rt->free_objects = object;
}

/** What waits for `object` to end: over a root, the continuation that entered it. NULL: the host. */
static inline struct wfx_object *wfx_below(const struct wasmfx_runtime *rt, const struct wfx_object *object)
{
  if (!wfx_object_is_root(object))
    return object->parent;
  return object == wfx_host_root(rt) ? NULL : object->scope.owner;
}

/** Who has the stack that `object` stands on: a root, who entered it. */
static inline struct wfx_object *wfx_bearer(const struct wasmfx_runtime *rt, struct wfx_object *object)
{
  while (wfx_object_is_root(object) && object != wfx_host_root(rt))
    object = object->scope.owner;
  return object;
}

/* ---- Scopes: open roots and barriers. The record of one is an object of the arena or, of an *own* barrier, the
 * continuation that it is around. */

static inline struct wfx_object *wfx_scope_outer(const struct wfx_object *scope)
{
  return (struct wfx_object *)(scope->scope.link & ~(uintptr_t)WFX_SCOPE_FLAGS);
}

static inline bool wfx_scope_is_own(const struct wfx_object *scope)
{
  return !wfx_object_is_root(scope);
}

/** What was running when it was opened. */
static inline struct wfx_object *wfx_scope_owner(struct wfx_object *scope)
{
  return wfx_scope_is_own(scope) ? scope : scope->scope.owner;
}

/** Of a call on the host's stack: where the owner's own ends meanwhile; else NULL. */
static inline void *wfx_scope_left(const struct wfx_object *scope)
{
  return scope->scope.link & WFX_SCOPE_IN_PLACE ? NULL : scope->scope.left;
}

/** The innermost scope of `object`, or NULL. */
static inline struct wfx_object *wfx_scope_of(const struct wasmfx_runtime *rt, const struct wfx_object *object)
{
  struct wfx_object *scope = rt->scope;
  while (scope && wfx_scope_owner(scope) != object)
    scope = wfx_scope_outer(scope);
  return scope;
}

/** Opens the own barrier of the running continuation, whose clauses are no barrier yet. */
static inline void wfx_own_barrier_open(struct wasmfx_runtime *rt, struct wfx_object *self, uintptr_t flags)
{
  self->scope.link = (uintptr_t)rt->scope | flags;
  self->scope.handlers = self->handlers;
  self->deep.tag |= WFX_KEY_MASKED; /* what it remembers would jump the barrier */
  self->handlers = &wfx_barrier;
  rt->scope = self;
}

/** Closes it, when it is the innermost scope. */
static inline void wfx_own_barrier_close(struct wasmfx_runtime *rt, struct wfx_object *self)
{
  self->handlers = self->scope.handlers;
  if (!(self->scope.link & WFX_SCOPE_IN_PLACE))
    self->deep.parent = self->parent; /* `left` was there */
  self->deep.tag &= ~(uintptr_t)WFX_KEY_MASKED;
  rt->scope = wfx_scope_outer(self);
}

/** Where the stack of `object` ends while something of it is called on the host's; NULL: nothing is. */
static inline void *wfx_left(const struct wasmfx_runtime *rt, const struct wfx_object *object)
{
  if (object->handlers != &wfx_barrier)
    return NULL;
  struct wfx_object *scope = rt->scope;
  while (scope && (wfx_scope_owner(scope) != object || !wfx_scope_left(scope)))
    scope = wfx_scope_outer(scope);
  return scope ? wfx_scope_left(scope) : NULL;
}

/** Whether a reference to it is alive: it is fresh, or suspended and the innermost of what was captured. */
bool wfx_object_is_held(const struct wasmfx_runtime *rt, const struct wfx_object *object);

void *wfx_allocate(struct wasmfx_runtime *rt, size_t bytes);
void wfx_release(struct wasmfx_runtime *rt, void *block, size_t bytes);
/** The same for a block that has held values; if there are tenants, it is cleared before. */
void wfx_release_values(struct wasmfx_runtime *rt, void *block, size_t bytes);

/** Makes room for `count` slots in the inbox. Errors: NO_MEMORY. */
wasmfx_status_t wfx_inbox_reserve(struct wasmfx_runtime *rt, size_t count);

/** Says that the inbox holds a payload of `count` slots now. What a longer one has left behind it may be another
 *  tenant's, and is cleared. */
static inline void wfx_inbox_filled(struct wasmfx_runtime *rt, size_t count)
{
  struct wfx_house *house = rt->house;
  if (house->inbox_used > count && house->config.tenants > 1)
    memset(house->inbox + count, 0, (house->inbox_used - count) * sizeof *house->inbox);
  house->inbox_used = count;
}

/** Makes `target` the running one again: buries what runs above it, and closes the scopes that it opened itself
 *  until `keep` is the innermost; NULL: all of them. Answers how many continuations were buried. */
size_t wfx_unwind(struct wasmfx_runtime *rt, struct wfx_object *target, const struct wfx_object *keep);
/** What `self` has called inside its barrier `scope` has returned. If it has left others open, closes them and that one,
 *  and answers true. */
bool wfx_close_what_is_left(struct wasmfx_runtime *rt, struct wfx_object *self, struct wfx_object *scope);

/** A continuation is dead: its stack goes back, and the host may free what its word stands for. Nobody visits it any
 * more as suspended. */
static inline void wfx_stack_bury(struct wasmfx_runtime *rt, struct wfx_object *object)
{
  object->pc = NULL;
  if (object->host_word && rt->house->config.died) {
    const void *outer = wfx_host_call_begin();
    rt->house->config.died(rt, object->host_word);
    wfx_host_call_end(outer);
  }
  if (object->stack) {
    wfx_announce_death(rt, object->stack);
    wfx_stackpool_put(&rt->house->stacks, object->stack);
  }
  object->stack = NULL;
  rt->house->may_be_made++;
}
/** Ends a continuation whose reference has been consumed: its stack and object go back. */
static inline void wfx_cont_bury(struct wasmfx_runtime *rt, struct wfx_object *object)
{
  wfx_stack_bury(rt, object);
  wfx_object_put(rt, object);
}
/** Ends a suspended or fresh one with all that was captured with it; consumes its reference. */
void wfx_chain_bury(struct wasmfx_runtime *rt, struct wfx_object *innermost);

static inline void wfx_switched(struct wasmfx_runtime *rt, struct wfx_object *from, struct wfx_object *to)
{
  if (rt->careful & WFX_CAREFUL_HOOK) {
    const void *outer = wfx_host_call_begin();
    rt->house->config.switched(rt, &from->host_word, &to->host_word);
    wfx_host_call_end(outer);
  }
}

#endif
