/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_FIBER_TLS_H
#define WFX_FIBER_TLS_H
/**
 * @file fiber_tls.h
 * What the fibers of a thread share.
 *
 * One runtime serves both interfaces of a thread. So where a program mixes them,
 * its fibers form one chain, and a yield that leaves a fiber_main() captures all
 * of it.
 */
#include <stdbool.h>

#include <wasmfx/wasmfx.h>

#include "fiber_object.h"

/** What a thread needs for its fibers. */
struct fiber_thread {
  uint64_t number; /* never used again, unlike the address */
  wasmfx_runtime_t *rt;
  wasmfx_mark_t outside;         /* outside all fibers */
  wasmfx_type_t *types[2];       /* by kind: [i64] -> [i64], and [i64 contref] -> [i64] */
  wasmfx_tag_t *yield;           /* [i64] -> [i64] */
  wasmfx_tag_t *exchange;        /* [] -> [i64] */
  wasmfx_handlers_t *on_yield;   /* of fiber_resume() */
  wasmfx_handlers_t *on_switch;  /* of fiber_main() */
  struct fiber *first;           /* of the outermost fiber_main() */
  struct fiber_thread *next;
  _Atomic(struct fiber *) left; /* freed, to be collected by this thread */
};

/** What the stubs know of a thread (arch/arch.h): all zero if it has no state. */
struct wfx_desk {
  uint64_t key, switch_key; /* of its fibers */
  wasmfx_runtime_t *rt;
  const wasmfx_handlers_t *on_yield;
  const wasmfx_tag_t *yield, *exchange;
  struct fiber_thread *thread;
};

/* Initial-exec costs one load where a shared library's default costs a call; seven words are little to ask of the room
 * that loaders keep for it. */
extern _Thread_local struct wfx_desk wfx_desk
  __attribute__((tls_model("initial-exec"), visibility("hidden")));

/** The calling thread's state, NULL if it has none. */
struct fiber_thread *wfx_fiber_thread(void);
/** The same, made if there is none; NULL if memory is short. */
struct fiber_thread *wfx_fiber_thread_make(void);
/** Frees it. Does nothing inside a fiber. */
void wfx_fiber_thread_end(void);

/** Leaves a freed fiber, from any thread, to its own one. false: that has ended, and the fiber with it. */
bool wfx_fiber_leave(struct fiber *fiber);
/** Takes all that were left, by their `next_left`. */
struct fiber *wfx_fiber_take_left(struct fiber_thread *thread);

#endif
