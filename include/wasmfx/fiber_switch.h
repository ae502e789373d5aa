/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_FIBER_SWITCH_H
#define WASMFX_FIBER_SWITCH_H
/**
 * @file fiber_switch.h
 * Fibers that switch to one another directly, with no scheduler between them.
 *
 * A program runs in fiber_main(), which makes it the first fiber. From there on
 * each fiber says who runs next, and learns who ran before.
 *
 * Source compatible with the interface published by the WasmFX project. Its
 * programs write `#include <fiber_switch.h>`: give the compiler
 * -I<prefix>/include/wasmfx and they build unchanged.
 *
 * fiber.h is the other interface. It uses the same names for other types, so a
 * source file includes one of the two, never both; a program may have files of
 * either kind, since each name stands for a symbol of its own. Used inside one
 * another, each sees its own: a fiber of fiber.h may run fiber_main() and yield
 * from within; and inside such a fiber one is outside the fiber_main() around
 * it.
 *
 * *Threads:* each thread has fibers of its own. Switching to one of another
 * thread fails; any thread may free it.
 * *Switches stacks?* fiber_switch, fiber_switch_return and fiber_main do. A
 * fiber has 64 KiB of stack. Leave it by these functions or by returning, not by
 * longjmp or an exception; pthread_exit and exit are fine.
 */
#ifdef WASMFX_FIBER_H
#error "fiber.h and fiber_switch.h give the same names to different things: include one of them"
#endif
#include "base.h" /* so, and not <wasmfx/base.h>, for programs that find only this folder */

#ifdef __cplusplus
extern "C" {
#endif

/** A fiber. Opaque; belongs to whoever allocated it, until fiber_free(). */
typedef struct fiber *fiber_t;

/** The function of a fiber: gets what fiber_switch() would return in it and put
 *  into `*switched_from`. When it returns, its fiber_main() returns the same. */
typedef void *(*fiber_entry_point_t)(void *, fiber_t);

/** Part of the published interface; no function here answers it. */
typedef enum { FIBER_OK = 0, FIBER_SWITCH = 1, FIBER_ERROR = 2 } fiber_result_t;

/**
 * Makes a fiber that will run `entry`. It has no stack before it is first
 * switched to.
 * *Errors:* NULL, if `entry` is NULL or memory is short.
 */
WASMFX_API fiber_t fiber_alloc(fiber_entry_point_t entry) __asm__("wasmfx_fiber_switch_alloc");

/**
 * Frees a fiber. *State:* a finished one is only memory. A suspended one is
 * dropped: its stack goes back, and nothing in it runs any more. A running one,
 * or one that waits in a fiber_main() of its own, runs on until it ends or
 * switches, and is freed then; the target is told NULL as who switched. The one
 * that runs the program of a fiber_main() is freed by that, later. NULL is
 * ignored. A freed fiber must not be used again.
 */
WASMFX_API void fiber_free(fiber_t fiber) __asm__("wasmfx_fiber_switch_free");

/**
 * Suspends the running fiber and runs `target`: a new one gets `arg` as its
 * argument, in any other its fiber_switch() returns `arg`. Returns when somebody
 * switches back, with the argument given there.
 * *Shapes:* `*switched_from` receives who switched back, or NULL if it ended by
 * fiber_switch_return() or had been freed. May be NULL.
 * *Errors:* NULL at once, and nothing has changed: `target` is NULL, finished,
 * running (the caller itself), waiting in a fiber_main() of its own, or of
 * another thread; no fiber_main() runs here; or there is no memory for the
 * target's stack.
 */
WASMFX_API void *fiber_switch(fiber_t target, void *arg, fiber_t *switched_from) __asm__("wasmfx_fiber_switch_switch");

/**
 * Ends the running fiber and runs `target` as fiber_switch() does; the target is
 * told NULL as who switched. What ended still has to be freed.
 * *Errors:* returns where fiber_switch() fails, else never.
 */
WASMFX_API void fiber_switch_return(fiber_t target, void *arg) __asm__("wasmfx_fiber_switch_return");

/**
 * Runs `program(argc, argv)` as a fiber, and returns what it returns, or what
 * the first other fiber returns that ends by returning from its function.
 * Fibers that are suspended then stay so, and may be switched to under another
 * fiber_main(); only the one that ran `program` is freed, also if fiber_main()
 * never returns, because it was called in a fiber that has been dropped. One fiber_main() may
 * run inside another: fibers inside switch among themselves.
 * *Errors:* NULL, if `program` is NULL, memory is short, or a fiber trapped.
 */
WASMFX_API void *fiber_main(void *(*program)(int, char **), int argc, char **argv) __asm__("wasmfx_fiber_switch_main");

#ifdef __cplusplus
}
#endif
#endif
