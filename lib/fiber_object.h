/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_FIBER_OBJECT_H
#define WFX_FIBER_OBJECT_H
/**
 * @file fiber_object.h
 * The fiber object of both interfaces.
 *
 * A fiber is its continuation's host word, and ends when the runtime says that
 * the continuation has died: by its return, dropped, or with a chain or a thread
 * that it was part of. It is running, or waiting, if it has neither ended nor a
 * `cont`.
 */
#include <stdbool.h>

#include <wasmfx/wasmfx.h>

struct fiber_thread;

struct fiber {
  uint64_t thread;           /* the number of the thread state that it belongs to */
  const wasmfx_type_t *type; /* resumed or switched: which interface it belongs to */
  wasmfx_cont_t cont;        /* alive while it is fresh or suspended, else null */
  void (*entry)(void);       /* a fiber_entry_point_t, of the interface's kind */
  struct fiber *inside;      /* suspended, of fiber.h: who was current inside */
  struct fiber *first;       /* of the fiber_main() that it waits in */
  struct fiber *next_left;
  bool ended;
  bool held;  /* a `first`: fiber_main() frees it, nobody else */
  bool freed; /* goes when it ends */
};

/** Makes a fiber of a type, whose continuation runs `body` with the fiber as its `env`. */
struct fiber *wfx_fiber_new(struct fiber_thread *thread, const wasmfx_type_t *type, wasmfx_word_entry_t body,
                            void (*entry)(void));
/** fiber_free() of both interfaces. */
void wfx_fiber_free(struct fiber *fiber);
/** The runtime's hook. */
void wfx_fiber_died(wasmfx_runtime_t *rt, void *word);

#endif
