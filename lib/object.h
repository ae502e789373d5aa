/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_OBJECT_H
#define WFX_OBJECT_H
/**
 * @file object.h
 * The continuation object, its memory, and references to it.
 *
 * Objects lie in one arena, the runtime itself in slot 0:
 *
 *     | runtime | host's root | object 2 | object 3 | ...      (128 bytes each)
 *       slot 0     slot 1
 *
 * A reference is `revision << 32 | slot`. It is alive if, and only if, it equals
 * the `ref` of the object in its slot. To consume it, the object's revision is
 * advanced; the value it then has is not known to anybody until the object is
 * suspended or made anew, and is handed out then. So one addition kills the old
 * reference and mints the next. Slot 0 holds a number there that is no
 * reference to it, so that null fails the same comparison as a stale reference.
 *
 * The arena stays mapped as long as the runtime lives, so a stale reference can
 * always be looked at. A slot whose revisions are used up is retired for ever,
 * and what lives in it moves to another one.
 */
#include <stdbool.h>

#include <wasmfx/cont.h>

#include "arch/arch.h"
#include "arch/layout.h"
#include "stackpool/stackpool.h"

#define WFX_REVISION_ONE ((uint64_t)1 << WFX_REVISION_SHIFT)

/**
 * A continuation, or a root (then `type` is NULL).
 *
 * Its state is not written down but follows from the rest: a reference to it is
 * alive only while it is FRESH (`pc` is wfx_fresh) or SUSPENDED; it
 * is RUNNING if it is the runtime's `current`, and waiting if it is reached from
 * there over `parent`.
 */
struct wfx_object {
  uint64_t ref;     /* the only reference that is alive, or the next one that will be */
  wfx_landing_t pc; /* where it lands when it is switched to */
  union {
    void *sp;                  /* suspended or waiting */
    wasmfx_word_entry_t entry; /* fresh */
  };
  union {
    void *fp;               /* suspended or waiting; for tiers that do not push it */
    uint64_t float_control; /* with WFX_CAREFUL_FLOAT: MXCSR, then the x87 control word */
    void *env;              /* fresh */
  };
  struct wfx_object *parent;              /* whose resume it runs under; NULL: suspended, fresh or a root */
  const struct wasmfx_handlers *handlers; /* the clauses of that resume */
  union {
    const struct wfx_list *awaits; /* what it must be woken with; wfx_head_list: the head of a captured chain */
    struct wfx_object *next_free;  /* free; `parent` stays for who walks a stack that is just being left */
  };
  const struct wasmfx_type *type;

  struct wfx_stack *stack; /* from the first resume on */
  void *host_word;
  struct wfx_bound *bound; /* a prefix of what it awaits; memory kept for the next one */
  union {
    /* Captured together with parents of its own (pc is wfx_deep), it is the innermost of a chain. Kept after the
     * chain has been resumed: as long as it does nothing but run, pc stays and the chain up to `head` is as it was.
     * Then the next search for `tag` may start at `head`. */
    struct {
      wfx_landing_t pc;                       /* where it lands in truth */
      struct wfx_object *head;                /* the outermost of the chain */
      struct wfx_object *parent;              /* its own parent, in the chain */
      const struct wasmfx_handlers *handlers; /* its own clauses */
      uintptr_t tag;                          /* what was searched for, and WFX_KEY_* */
    } deep;
    struct {
      wasmfx_entry_t entry; /* general form */
      uint32_t stack_class;
      uint32_t tenant;
      wasmfx_word_entry_t start; /* with a stack, and so with sp and fp of its own: where those were */
      void *env;
    } fresh;
    /* The record of an open root or barrier. A running continuation may be that of one barrier of its own, around a
     * function that is called: then it is its own owner, and what it remembers of its last deep search stays with it.
     * So its handlers lie where that has them. runtime.h has the accessors. */
    struct {
      uintptr_t link;           /* the scope that was the innermost one before, and WFX_SCOPE_* */
      struct wfx_object *owner; /* what was running before; not of an own barrier */
      void *left;               /* of a call on the host's stack: where the owner's own ends meanwhile */
      const struct wasmfx_handlers *handlers; /* the owner's, for a barrier */
    } scope;
  };
};

static inline uint32_t wfx_ref_slot(uint64_t ref)
{
  return (uint32_t)ref;
}

/** The object of a reference that is alive, else NULL. Any value may be asked; of those that were never handed out,
 *  the next one of a slot is taken for alive. */
struct wfx_object *wfx_object_of(const struct wasmfx_runtime *rt, wasmfx_cont_t cont);

/** What is wrong with a reference for which wfx_object_of() answered NULL. */
wasmfx_status_t wfx_ref_trap(wasmfx_cont_t cont);

/** Takes a slot that was never used. Errors: NO_MEMORY, LIMIT. */
wasmfx_status_t wfx_object_new(struct wasmfx_runtime *rt, struct wfx_object **object);

/** Whether consuming the object's reference uses up its last revision. */
static inline bool wfx_object_exhausted(const struct wfx_object *object)
{
  return object->ref + WFX_REVISION_ONE < object->ref;
}
/** Consumes the reference. The object must not be exhausted. */
static inline void wfx_object_consume(struct wfx_object *object)
{
  object->ref += WFX_REVISION_ONE;
}
/** Moves what lives in an exhausted object to `fresh`, and retires the old slot. The old reference is dead then. */
void wfx_object_move(struct wasmfx_runtime *rt, struct wfx_object *old, struct wfx_object *fresh);
/** Consumes the reference of an object and puts it back, or retires it if that was the last revision. */
void wfx_object_kill(struct wasmfx_runtime *rt, struct wfx_object *object);

bool wfx_object_is_fresh(const struct wfx_object *object);
bool wfx_object_is_deep(const struct wfx_object *object);

static inline bool wfx_object_is_root(const struct wfx_object *object)
{
  return object->type == NULL;
}

/** Where one that waits lands in the end. */
static inline wfx_landing_t wfx_object_landing(const struct wfx_object *object)
{
  return wfx_object_is_deep(object) ? object->deep.pc : object->pc;
}

/** The outermost of the chain that a suspended object is the innermost of. */
static inline struct wfx_object *wfx_object_head(struct wfx_object *object)
{
  return wfx_object_is_deep(object) ? object->deep.head : object;
}

/** Whether an address lies on a stack, or in what belongs to it below. */
static inline bool wfx_stands_on(const struct wfx_stack *stack, const void *address)
{
  return (uintptr_t)wfx_stack_floor(stack) <= (uintptr_t)address && (uintptr_t)address < (uintptr_t)stack;
}

/** The tenant of a continuation. */
static inline uint32_t wfx_object_tenant(const struct wfx_object *object)
{
  return object->stack ? object->stack->tenant : object->fresh.tenant;
}

#endif
