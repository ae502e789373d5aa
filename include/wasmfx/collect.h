/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_COLLECT_H
#define WASMFX_COLLECT_H
/**
 * @file collect.h
 * For hosts with a garbage collector: everything that continuations hold, to look at
 * and to change. For hosts without one: dropping what nothing reaches any more.
 *
 * *Threads:* as the runtime. Visiting changes nothing of the library's, allocates
 * nothing and may be done inside a collector's or an allocator's callback, but not in
 * a hook of the runtime. A continuation that has begun to end is not shown there any
 * more. What the verb that is going on was given, payload or `env`, is its caller's to
 * name, and must not move.
 *
 * *What has arrived is the receiver's.* The `args` of an entry function, and the values
 * or exception of an outcome, may lie where nothing is shown any more: in memory of the
 * library's, if they were bound, are many, or came from one that has ended. Or they lie
 * in a frame of the library's, for which a host has no map. Who has got them copies
 * what a collector must see before anything that may collect.
 */
#include <wasmfx/base.h>
#include <wasmfx/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Looking at everything ------------------------------------------------- */

/**
 * A stack; or a continuation that has none yet; or one more host word.
 *
 * The live bytes are [`low`, `high`); they, and `*saved_fp`, hold the frames, and the registers that the
 * calling convention preserves. `pc`, `sp` and `fp` are those of the code that called
 * into the library, there a walk by frame maps begins (by the fast tier `pc` is where it goes on, which is no return
 * address); of the stack that is running
 * they are NULL, since its caller knows better, and `low` is its stack pointer. Where the
 * host's own stack begins, the host knows: of that one `high` is NULL.
 *
 * The host word is that of the continuation or, if roots are open on the stack, of the
 * innermost one. The words of the others follow, each with nothing else.
 *
 * All of it is good until the next verb.
 */
typedef struct wasmfx_stack {
  wasmfx_cont_t cont; /**< the suspended or fresh continuation that it belongs to; null: running, or waiting */
  void *low, *high;   /**< `low` NULL: fresh, no stack yet, or one more host word */
  void *pc, *sp, *fp; /**< where its frames begin */
  void **host_word;
  void **env; /**< fresh: what the entry function will get; else NULL */
  void **saved_fp; /**< where the frame pointer lies, if that is not among the live bytes, as in the fast tier; else NULL.
                        Compilers keep in that register what they like: it is one more word of the frames */
} wasmfx_stack_t;

/** What is called for each thing. Either may be NULL. They may change `*value`, `*host_word`, `*env`, `*saved_fp` and
 * the bytes of the stack, as a collector that moves objects does, and call nothing of the library but
 * wasmfx_visit_cont(). An
 *  overflow of the stack in them is not caught. */
typedef struct wasmfx_visitor {
  void (*stack)(void *context, const wasmfx_stack_t *stack);
  /** A bound argument of a suspended or fresh one; a result that its body has written, if there are many. */
  void (*value)(void *context, wasmfx_kind_t kind, wasmfx_value_t *value);
  void *context;
} wasmfx_visitor_t;

/** Visits all that a suspended or fresh continuation holds; of a chain that was captured together, every stack.
 *  *Errors:* NULL_CONT, CONSUMED. */
WASMFX_API wasmfx_status_t wasmfx_visit_cont(wasmfx_runtime_t *rt, wasmfx_cont_t cont, const wasmfx_visitor_t *visitor);

/** Visits the stacks that are running or waiting: from the running one outwards, the host's own last. */
WASMFX_API void wasmfx_visit_running(wasmfx_runtime_t *rt, const wasmfx_visitor_t *visitor);

/** Visits both, and every suspended and fresh continuation. Takes time in proportion to the number of continuations
 *  that were ever alive together. */
WASMFX_API void wasmfx_visit_all(wasmfx_runtime_t *rt, const wasmfx_visitor_t *visitor);

/* ---- Dropping what nothing reaches --------------------------------------------- */

/** A collection that is going on. */
typedef struct wasmfx_collector wasmfx_collector_t;

/** What the host adds to a collection. Of the library, its functions call the two below and what only looks: what they
 *  made would be dropped or not by accident. An overflow of the stack in them is not caught. */
typedef struct wasmfx_roots {
  /** Names, by the two functions below, what the host holds: in globals, tables, its heap and its own stack. */
  void (*mark)(wasmfx_collector_t *collector, void *context);
  /** Called for each continuation that is reached, to name what it holds: its frames, and what its host word and `env`
   *  stand for. NULL: these are scanned as by wasmfx_collect_scan(). Bound arguments are the library's business. */
  void (*trace)(wasmfx_collector_t *collector, const wasmfx_stack_t *stack, void *context);
  void *context;
} wasmfx_roots_t;

/**
 * Drops the suspended and fresh continuations that nothing reaches: neither what
 * `roots` names, nor a stack that is running or waiting, nor another continuation that
 * is reached. The host's own stack is not scanned, only its host words are. It is a
 * verb: a reference that only the last outcome holds must be named too.
 * *Shapes:* `dropped`, if not NULL, receives how many, each of a chain counted.
 * *Errors:* NO_MEMORY (four bytes for each continuation that was ever alive
 * together with others); nothing is dropped then.
 */
WASMFX_API wasmfx_status_t wasmfx_collect(wasmfx_runtime_t *rt, const wasmfx_roots_t *roots, size_t *dropped);

/** Names a reference. Any value may be given; what is no live reference is ignored. */
WASMFX_API void wasmfx_collect_mark(wasmfx_collector_t *collector, wasmfx_cont_t cont);

/** Names every reference that lies in a range of memory, at addresses that are a multiple of 8. A number that is a live
 *  reference by accident keeps a continuation alive; since references carry a revision that hardly ever happens. */
WASMFX_API void wasmfx_collect_scan(wasmfx_collector_t *collector, const void *low, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
