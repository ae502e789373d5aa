/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_STACKPOOL_H
#define WFX_STACKPOOL_H
/**
 * @file stackpool.h
 * Where stacks come from and where they go.
 *
 * One reservation of addresses for each size class, cut into slots:
 *
 *     | guard |  usable, grows down        | guard |  usable            | ...
 *             ^ low              header ---^ ^ colour
 *             <------------ slot ------------>
 *
 *  - Memory is committed a slab of slots at a time, guards included, and the
 *    kernel fills in pages as they are touched: a stack grows in place.
 *  - The header, struct wfx_stack, lies at the top, in the cache line next to the
 *    first frame. The tops of neighbours differ by a *colour*, a few cache lines
 *    within the top page; without it all first frames would fight for the
 *    same few sets of the cache.
 *  - A stack that comes back is the next to be taken. Above a watermark of
 *    free ones, memory is given back to the system, but for the stack that came last:
 *    its continuation may still be standing on it for a few instructions.
 *  - The dense policy has no guards, and packs stacks that are no larger than a page:
 *
 *        |      usable, grows down   header | usable, grows down       header | ...
 *        ^ floor  ^ low                     <----------- slot --------------->
 *
 *    A slot is an odd number of pairs of cache lines, so that the tops of neighbours go through all sets of the cache
 *    by themselves. Slots follow each other over the borders of slabs. A slab has the size of a huge page, and becomes
 *    one when all of it is in use, if the kernel has such. Memory of packed ones goes back when the pool goes. Larger
 *    ones are as in the default policy, but for the guard.
 *  - Below the low end of a stack without a guard lies a reserve that belongs to it.
 *  - Each tenant has free stacks of its own. When new ones are not to be had,
 *    a stack crosses from another tenant, and is wiped.
 *
 * Another policy is another pair of get and put behind struct wfx_stackpool; the
 * host's allocator is one.
 */
#include <stdbool.h>

#include <wasmfx/runtime.h>

#include "os.h"

/** A stack, described at its own top: its usable bytes are [low, this), with a reserve below if it has no guard. */
struct wfx_stack {
  struct wfx_stack *next; /* in a list of free ones */
  void *owner;            /* whose stack it is, for whom walks frames: an object in the runtime's arena */
  char *low;
  uint32_t tenant;
  uint16_t stack_class;
  bool is_short; /* taken by a short path, and to be put back by one: see wfx_body in lib/arch */
  uint8_t reserve; /* below `low`, in units of WFX_RESERVE_UNIT bytes */
  uint32_t slot;
  uint32_t valgrind; /* its number there */
  void *memory;  /* of the host's allocator: what it answered */
  uint64_t life; /* a number that no other use of any stack of the pool has */
  void *track;   /* for whom watches switches: lib/sanitize.h */
};

#define WFX_RESERVE_UNIT 16

/** Where its memory begins. */
static inline const char *wfx_stack_floor(const struct wfx_stack *stack)
{
  return stack->low - (size_t)stack->reserve * WFX_RESERVE_UNIT;
}
static inline size_t wfx_stack_bytes(const struct wfx_stack *stack)
{
  return (size_t)((const char *)stack - wfx_stack_floor(stack));
}

/** Free stacks, the last one in front. */
struct wfx_stack_list {
  struct wfx_stack *top;
  int64_t may_keep; /* how many more until memory is given back; less than none where none can be */
};

/** A size class. */
struct wfx_stack_class {
  bool is_packed;
  size_t packed_committed; /* bytes of slots with memory, where they are packed */
  size_t usable_bytes;
  size_t slot_bytes;
  char *slots;          /* the first one; NULL before the first stack */
  char *range;          /* what was reserved: room for `trimmed`, then the slots */
  size_t range_bytes;
  uint32_t slot_count;  /* in the reservation */
  uint32_t ready;       /* slots with memory and guard */
  uint32_t used;        /* of these, those that ever held a stack */
  uint32_t *trimmed;    /* slots whose memory was given back, or is due to be */
  size_t trimmed_committed; /* bytes of that array with memory */
  uint32_t trimmed_count;
  uint32_t due, due_count; /* the first of some neighbours among these whose memory is still to go back */
};

struct wfx_stackpool {
  struct wfx_os *os;
  const wasmfx_runtime_config_t *config;
  bool is_simple;               /* one tenant, own memory: class 0 may be taken from `front` directly */
  uint32_t guard;               /* enum wasmfx_guard in use; AUTO: the kernel has not been asked yet */
  bool keeps_all;               /* stacks go all together: none of them is trimmed */
  size_t guard_bytes, reserve_bytes;
  struct wfx_stack_list *front; /* class 0 of tenant 0: in the runtime, where the fast paths find it */
  struct wfx_stack_list *lists; /* the others: [class][tenant] */
  struct wfx_stack_class classes[WASMFX_STACK_CLASSES];
  struct wfx_stack *leaving;    /* goes back to the host when the next one comes */
  uint64_t lives;               /* numbers given out: the upper half, the other is for who puts a stack in front itself */
  uint64_t made, gone, trimmed, trims, wipes, reservations;
};

/** Whether there is a guard below each stack, the pool's or the host's. */
static inline bool wfx_stackpool_guards(const wasmfx_runtime_config_t *config)
{
  return config->guard != WASMFX_GUARD_NONE && config->stack_policy != WASMFX_STACKS_DENSE;
}

/** What stacks without guards have besides, in bytes. */
struct wfx_stack_extras {
  size_t reserve; /* below the low end, out of what was asked for */
  size_t frames;  /* to what was asked for, where the library's own frames are larger than usual; of dense ones only */
};

/** Reads the configuration, takes no stack. Errors: ARGUMENT, NO_MEMORY. */
wasmfx_status_t wfx_stackpool_init(struct wfx_stackpool *pool, struct wfx_os *os,
                                   const wasmfx_runtime_config_t *config, struct wfx_stack_extras extras,
                                   struct wfx_stack_list *front);
/** All stacks must have been put back, or are lost. */
void wfx_stackpool_destroy(struct wfx_stackpool *pool);

/** Takes a stack. Errors: LIMIT, NO_MEMORY, NO_ADDRESS_SPACE, NO_MAPS; the pool stays usable. */
wasmfx_status_t wfx_stackpool_get(struct wfx_stackpool *pool, uint32_t stack_class, uint32_t tenant,
                                  struct wfx_stack **stack);
/** The host gets back the stack that was put back last, now rather than when the next one comes. */
void wfx_stackpool_release_leaving(struct wfx_stackpool *pool);
static inline void wfx_stackpool_make_way(struct wfx_stackpool *pool)
{
  if (pool->leaving)
    wfx_stackpool_release_leaving(pool);
}
/** Puts one back. The caller may be standing on it, until the next call. */
void wfx_stackpool_put_slowly(struct wfx_stackpool *pool, struct wfx_stack *stack);
/** Whether that is all there is to do: to put it in front. */
static inline bool wfx_stackpool_has_room(const struct wfx_stackpool *pool, const struct wfx_stack *stack)
{
  return pool->is_simple && stack->stack_class == 0 && pool->front->may_keep > 0;
}
static inline void wfx_stackpool_put_in_front(struct wfx_stackpool *pool, struct wfx_stack *stack)
{
  struct wfx_stack_list *front = pool->front;
  stack->life = ++pool->lives;
  stack->next = front->top;
  front->top = stack;
  front->may_keep--;
}
static inline void wfx_stackpool_put(struct wfx_stackpool *pool, struct wfx_stack *stack)
{
  if (wfx_stackpool_has_room(pool, stack))
    wfx_stackpool_put_in_front(pool, stack);
  else
    wfx_stackpool_put_slowly(pool, stack);
}

/** Free stacks that keep their memory. */
size_t wfx_stackpool_cached(const struct wfx_stackpool *pool);

#endif
