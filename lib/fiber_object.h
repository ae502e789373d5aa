/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_FIBER_OBJECT_H
#define WFX_FIBER_OBJECT_H
/**
 * @file fiber_object.h
 * The fiber object of both interfaces.
 *
 * A fiber is its continuation's host word, and ends when the runtime says that
 * the continuation has died: by its return, dropped, or with a chain or a thread
 * that it was part of. It is fresh, or suspended, as long as the reference in its
 * handle is alive; else it is running or waiting, unless it has ended.
 */
#include <stdbool.h>

#include <wasmfx/wasmfx.h>

struct fiber_thread;

/** Which interface a fiber belongs to. */
enum fiber_kind { FIBER_RESUMED, FIBER_SWITCHED };

/* Why a fiber goes as soon as it suspends. */
#define FIBER_FREED 1u /* it has been freed */
#define FIBER_ENDS 2u  /* it is in fiber_switch_return() */

/* In the event of a yield: the fiber has been given up. */
#define FIBER_EVENT_GIVEN_UP 0x20000u

/** What the stubs know of a fiber (arch/arch.h). */
struct wfx_handle {
  wasmfx_cont_t cont;  /* the one that it was suspended with last; null until then. Dead as soon as it is resumed */
  wasmfx_cont_t fresh; /* the one that it was made with; dead as soon as it is started */
  uint64_t key;        /* of its thread and its kind: wfx_fiber_key() */
  uint32_t given_up;   /* FIBER_FREED, FIBER_ENDS */
};

struct fiber {
  struct wfx_handle handle;
  void (*entry)(void);  /* a fiber_entry_point_t, of the interface's kind */
  struct fiber *first;  /* of the fiber_main() that it waits in */
  struct fiber *next_left;
  bool ended;
  bool held; /* a `first`: fiber_main() frees it, nobody else */
};

/** Thread states are numbered from 1, so no key is 0. */
static inline uint64_t wfx_fiber_key(uint64_t thread_number, enum fiber_kind kind)
{
  return thread_number << 1 | (uint64_t)kind;
}

/** The number of the thread state that a fiber belongs to. */
static inline uint64_t wfx_fiber_thread_number(const struct fiber *fiber)
{
  return fiber->handle.key >> 1;
}

/** Makes a fiber, whose continuation runs `body` with the fiber as its `env`. */
struct fiber *wfx_fiber_new(struct fiber_thread *thread, enum fiber_kind kind, wasmfx_word_entry_t body,
                            void (*entry)(void));
/** fiber_free() of both interfaces. */
void wfx_fiber_free(struct fiber *fiber);
/** The runtime's hook. */
void wfx_fiber_died(wasmfx_runtime_t *rt, void *word);

/** What the stub of fiber_switch() calls if who left has been given up, before it returns: the same, with the reference
 *  to that one. */
void *wfx_fiber_switched(wasmfx_cont_t left, uint64_t word, struct fiber **switched_from);

#endif
