/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_FIBER_TLS_H
#define WFX_FIBER_TLS_H
/**
 * @file fiber_tls.h
 * What the two fiber interfaces share: a thread's state and the fiber object.
 *
 * One runtime serves both interfaces of a thread. So where a program mixes them,
 * its fibers form one chain, and a yield that leaves a fiber_main() captures all
 * of it.
 */
#include <stdbool.h>

#include <wasmfx/wasmfx.h>

struct fiber {
  uint64_t thread;           /* the number of the thread state that it belongs to */
  const wasmfx_type_t *type; /* resumed or switched: which interface it belongs to */
  wasmfx_cont_t cont;        /* alive while it is fresh or suspended */
  void (*entry)(void);       /* a fiber_entry_point_t, of the interface's kind */
  struct fiber *inside;      /* suspended, of fiber.h: who was current inside */
  struct fiber *next_freed;
  bool running; /* or waiting: its frames are in use */
  bool held;    /* fiber_main() still needs the object */
  bool freed;   /* goes as soon as it is neither running nor held */
};

/** What a thread needs for its fibers. */
struct fiber_thread {
  uint64_t number; /* never used again, unlike the address */
  wasmfx_runtime_t *rt;
  wasmfx_mark_t outside;         /* outside all fibers */
  wasmfx_type_t *resumed;        /* of fibers of fiber.h: [i64] -> [i64] */
  wasmfx_type_t *switched;       /* of fibers of fiber_switch.h: [i64 contref] -> [i64] */
  wasmfx_tag_t *yield;           /* [i64] -> [i64] */
  wasmfx_tag_t *exchange;        /* [] -> [i64] */
  wasmfx_handlers_t *on_yield;   /* of fiber_resume() */
  wasmfx_handlers_t *on_switch;  /* of fiber_main() */
  struct fiber *current;         /* who runs in the innermost fiber_main(); NULL outside */
  struct fiber *departing;       /* who switched last */
  bool departing_ends;           /* by fiber_switch_return() */
  struct fiber_thread *next;
  _Atomic(struct fiber *) freed_elsewhere; /* by other threads, to be collected by this one */
};

/** The calling thread's state, NULL if it has none. */
struct fiber_thread *wfx_fiber_thread(void);
/** The same, made if there is none; NULL if memory is short. */
struct fiber_thread *wfx_fiber_thread_make(void);
/** Frees it. Does nothing inside a fiber. */
void wfx_fiber_thread_end(void);

/** Makes a fiber of a type, whose continuation runs `body` with the fiber as its `env`. */
struct fiber *wfx_fiber_new(struct fiber_thread *thread, const wasmfx_type_t *type, wasmfx_word_entry_t body,
                            void (*entry)(void));
/** fiber_free() of both interfaces. */
void wfx_fiber_free(struct fiber *fiber);
/** What is due when a fiber of the calling thread has ended. */
void wfx_fiber_ended(struct fiber *fiber);

#endif
