/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_FIBER_H
#define WASMFX_FIBER_H
/**
 * @file fiber.h
 * Fibers: functions that can stop in the middle, hand a value to whoever
 * resumed them, and be resumed there later.
 *
 * Source compatible with the fiber interface published by the WasmFX project.
 * Its programs write `#include <fiber.h>`: give the compiler
 * -I<prefix>/include/wasmfx and they build unchanged.
 *
 * fiber_switch.h is the other interface. It uses the same names for other
 * types, so a source file includes one of the two, never both; a program may
 * have files of either kind, since each name stands for a symbol of its own.
 * fiber_fast.h has fiber_resume and fiber_yield without a function call.
 *
 * *Threads:* each thread has fibers of its own. To use one in another thread is
 * an error that is reported (FIBER_ERROR), except that any thread may free it.
 * *Switches stacks?* fiber_resume and fiber_yield do. A fiber has 64 KiB of
 * stack. Leave it by yielding or returning, not by longjmp or an exception;
 * pthread_exit and exit are fine.
 */
#ifdef WASMFX_FIBER_SWITCH_H
#error "fiber.h and fiber_switch.h give the same names to different things: include one of them"
#endif
#include "base.h" /* so, and not <wasmfx/base.h>, for programs that find only this folder */

#ifdef __cplusplus
extern "C" {
#endif

/** The function of a fiber: gets the argument of the first resume; what it
 *  returns, the last resume returns. */
typedef void *(*fiber_entry_point_t)(void *);

/** A fiber. Opaque; belongs to whoever allocated it, until fiber_free(). */
typedef struct fiber *fiber_t;

/** What became of a resume. */
typedef enum {
  FIBER_OK = 0,    /**< the fiber has returned */
  FIBER_YIELD = 1, /**< it has yielded, and may be resumed again */
  FIBER_ERROR = 2  /**< it could not be resumed, or trapped */
} fiber_result_t;

/**
 * Makes a fiber that will run `entry`. It has no stack before its first resume.
 * *Errors:* NULL, if `entry` is NULL or memory is short.
 */
WASMFX_API fiber_t fiber_alloc(fiber_entry_point_t entry) __asm__("wasmfx_fiber_alloc");

/**
 * Frees a fiber. *State:* a finished one is only memory. A suspended one is
 * dropped: its stack goes back, and nothing in it runs any more. A running one,
 * or one that waits in a resume of its own, runs on until it ends or yields, and
 * is freed then. NULL is ignored. A freed fiber must not be used again.
 */
WASMFX_API void fiber_free(fiber_t fiber) __asm__("wasmfx_fiber_free");

/**
 * Stops the running fiber: its resume returns `arg` with FIBER_YIELD.
 * Returns the argument of the next resume. *Errors:* NULL at once, if no fiber is
 * running here.
 */
WASMFX_API void *fiber_yield(void *arg) __asm__("wasmfx_fiber_yield");

/**
 * Runs a fiber until it yields or ends. The first resume passes `arg` to its
 * function, each later one makes its fiber_yield() return `arg`. Fibers may
 * resume fibers.
 * *Shapes:* `status` may be NULL.
 * *Errors:* FIBER_ERROR and NULL, and the fiber is as it was: it is NULL, finished,
 * running, waiting in a resume of its own, or of another thread, or there is no
 * memory for its stack. FIBER_ERROR and NULL for one that trapped: it is finished.
 */
WASMFX_API void *fiber_resume(fiber_t fiber, void *arg, fiber_result_t *status) __asm__("wasmfx_fiber_resume");

/** Makes ready what the calling thread's fibers need. Not needed: the first
 *  fiber_alloc() does it. */
WASMFX_API void fiber_init(void) __asm__("wasmfx_fiber_init");

/**
 * Gives back what the calling thread's fibers needed, those of fiber_switch.h
 * too; the end of the thread does the same. Fibers that are still suspended are
 * dropped; they cannot be resumed any more but still have to be freed. Does
 * nothing when called inside a fiber.
 */
WASMFX_API void fiber_finalize(void) __asm__("wasmfx_fiber_finalize");

#ifdef __cplusplus
}
#endif
#endif
