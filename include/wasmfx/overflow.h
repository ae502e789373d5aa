/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_OVERFLOW_H
#define WASMFX_OVERFLOW_H
/**
 * @file overflow.h
 * Stack overflow as a trap: a continuation that runs into the guard of its stack
 * ends, and its resume answers WASMFX_OVERFLOWED.
 *
 * *What counts.* The fault's address lies in the guard of the stack that is running,
 * the stack pointer is near it, no function of the host's that the library calls (a hook, an
 * allocator; of any runtime) is at work on that stack, and the configuration's `may_abandon` accepts. Every
 * other fault goes to the handler that was there before.
 *
 * *In the library.* Its functions make sure of the stack that they need before they change anything, with
 * `host_stack_bytes` of the configuration for the host's that they call. With less, they have not happened: it is
 * an overflow of their caller. Where stacks have no guard (WASMFX_STACKS_DENSE, WASMFX_GUARD_NONE) they compare, and
 * end the continuation themselves, whether or not anybody catches; no other overflow is noticed there.
 *
 * *What becomes of the frames.* They are abandoned, not unwound, as by wasmfx_trap():
 * no destructor runs, no lock is released. Code that holds one, of libc say,
 * must not be abandoned: that is what `may_abandon` is for.
 *
 * *Signal handlers* of the host's must be installed with SA_ONSTACK, or `may_abandon` must refuse their code. On a
 * continuation's stack a handler may overflow in the middle of one of the library's functions, which would be
 * left half-done.
 *
 * *Large frames.* A function whose frame is larger than the guard may step over it.
 * Compile what runs in continuations with -fstack-clash-protection, which touches
 * every page, or make `guard_bytes` larger than the largest frame.
 *
 * *Checks instead.* Generated code and interpreters that compare the stack pointer
 * with a limit get it from wasmfx_stack_bounds(), and end by wasmfx_trap().
 */
#include <wasmfx/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * From now on, overflow in the continuations of `rt` is a trap, in the calling
 * thread. Installs a handler for SIGSEGV if this is the first such runtime of the
 * process, and an alternate signal stack if the thread has none; one that is
 * there is used and never replaced. The first runtime of a thread sees to the handler again: one that has been
 * put above the library's stands below it then, is called for what is no overflow, and may call
 * what it found.
 * *Threads:* to be called by the thread that runs the continuations; one that hands
 * the runtime over to another first calls wasmfx_overflow_ignore().
 * *Errors:* STATE (already caught, by this thread or another), NO_MEMORY, NO_MAPS,
 * NO_ADDRESS_SPACE, UNSUPPORTED (the system refuses the handler, or eight others stand
 * below it already).
 */
WASMFX_API wasmfx_status_t wasmfx_overflow_catch(wasmfx_runtime_t *rt);

/**
 * Ends that. With the last runtime of the thread its alternate stack goes, unless the
 * host has replaced it; with the last of the process the handler that was there
 * before comes back, unless another has been put above: that one may call the library's
 * as long as the process lives, so such a library must not be unloaded. wasmfx_runtime_free() does the
 * same if the same thread calls it, and answers STATE if another does.
 * *Errors:* STATE (not caught by this thread, or called in a signal handler on the
 * alternate stack that would go).
 */
WASMFX_API wasmfx_status_t wasmfx_overflow_ignore(wasmfx_runtime_t *rt);

/**
 * The same for hosts with signal handlers of their own, which call it from there, on
 * an alternate stack. `address` is `si_addr` of the signal, `context` the third
 * argument of the handler. OK: it was an overflow of the running continuation; return
 * from the handler at once, and the resume goes on with WASMFX_OVERFLOWED.
 * *Threads:* async-signal-safe. *Errors:* STATE (something else: nothing has changed).
 */
WASMFX_API wasmfx_status_t wasmfx_overflow_handle(wasmfx_runtime_t *rt, const void *address, void *context);

#ifdef __cplusplus
}
#endif
#endif
