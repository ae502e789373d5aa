/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_ARCH_H
#define WFX_ARCH_H
/**
 * @file arch.h
 * What a port to another CPU must give: one assembly file with the entries
 * below. A port knows registers, frames and the offsets of layout.h. It knows
 * nothing of tags, types or memory.
 *
 * The switch. To leave a continuation, push what the C calling convention wants
 * preserved, store the stack pointer and a *landing* address in its object, load the
 * stack and frame pointers of the object to go to, and jump to its landing address.
 * Everything that goes from one side to the other is in five registers, the same for every
 * landing:
 *
 *     to     the object that lands
 *     rt     the runtime
 *     word   the payload, or its address
 *     cont   the reference that arrives with it, or null
 *     event  status | by_address << 16 | handler << 32, as in wasmfx_outcome_t
 *
 * So a landing address says all there is to know about how a continuation
 * waits, and nothing on the way tests for it:
 *
 *     wfx_fresh        it has never run and has no stack: nobody goes there
 *     wfx_start        it has never run, but has its stack already
 *     wfx_start_float  the same, and float control words are to be set
 *     wfx_deep         it is the innermost of a captured chain: hang the
 *                      chain's head under the new parent, then land at deep_pc
 *     (others)         inside one of the verbs, whose frame it pops; or, in the fast
 *                      tier, in the caller
 *
 * The verbs of cont.h that can switch are entered here. Each calls its
 * wfx_prepare_* function in C, which checks, searches, gets memory, and only
 * then consumes and links; it answers the object to go to, or NULL if there is
 * nothing to switch to, be it that a handler has answered in place; and has left in the
 * runtime: `from` (who leaves),
 * `landing` (where its landing address belongs), `cont`, `event`, `word`, and `cut`,
 * a link that the stub sets to NULL as the last thing before it goes.
 * Before that call they make sure of the stack as far down as the runtime's `stack_room` says.
 * A port may add short paths of its own for the most frequent cases, as
 * long as they fall back to this one for everything else; and the entries of fast.h, which
 * are short paths alone.
 *
 * Calls by handle. What the fiber interface has around its verbs would, in C, return to where the
 * processor does not expect it; so its calls that switch are entered here as well:
 * wasmfx_fiber_resume(), wasmfx_fiber_yield() and wasmfx_fiber_switch_switch(). What they know of fibers
 * is in two structs of lib/fiber*.h:
 *
 *     a handle   what a continuation's host word points to: the reference that it can be resumed by,
 *                of whom it is (a key), and whether it has been given up
 *     a desk     a thread's own: the keys that it may use, its runtime, table and tags
 *
 * A handle of another key is refused. Whoever suspends what a handle is for files the new reference
 * there before it goes, so that nobody who lands needs to know which handle it was. The desk is a
 * thread-local variable, read anew in each call. Where all is well the answer is the word that arrives;
 * where something has been given up or did not happen, C is called for it. Here, too, the way by the
 * prepare functions is enough, and short paths are a port's own affair.
 */

#include <stdbool.h>
#include <stddef.h>

struct wasmfx_runtime;
struct wfx_object;

/** A landing address: where a continuation goes on when it is switched to. Never called from C. */
typedef void (*wfx_landing_t)(void);

void wfx_fresh(void);
void wfx_start(void);
void wfx_start_float(void);
void wfx_deep(void);

/** The landings of the verbs in C, which pop a frame, lie between these two; those of the fast tier are the caller's.
 * */
extern const char wfx_landings[], wfx_landings_end[];
bool wfx_is_landing_of_verb(const void *pc);

/** The library's frame at the bottom of a stack is one of which the address where it goes on lies between these. */
extern const char wfx_base[], wfx_base_end[];

/** In that frame this register holds the stack, a struct wfx_stack; the number is libunwind's. */
extern const int wfx_base_register;

/**
 * Makes sure of the stack, as far down as the runtime's `stack_room` says, or `bytes`. What changes more than one thing
 * calls it first. Where there are guards it reads the stack, touching every page: if that runs into the guard, nothing
 * has happened yet. Else it compares, and if there is less ends the continuation whose stack that is, with all that it
 * has resumed: it does not return, and its caller has done nothing yet.
 */
void wfx_claim_stack(const struct wasmfx_runtime *rt);
void wfx_claim_stack_bytes(const struct wasmfx_runtime *rt, size_t bytes);

/** For who has no runtime: reads, whatever there is. */
void wfx_probe_stack(size_t bytes);

/** The registers of code that waits, at `landing`, in a verb. */
struct wfx_registers {
  void *pc, *sp, *fp;
  void *low; /* below this it keeps nothing */
  void **saved_fp; /* where `fp` lies, if not above that; else NULL */
};
struct wfx_registers wfx_saved_registers(wfx_landing_t landing, const struct wfx_object *waiting);

/** What a signal has interrupted; `context` is the third argument of its handler. */
struct wfx_registers wfx_interrupted(const void *context);

/** Makes what was interrupted go on by ending the continuation on `stack`, as if that had nothing on it any more. */
void wfx_divert_to_overflow(void *context, struct wasmfx_runtime *rt, void *stack);

/** Where libunwind begins with a continuation that waits to land: `context` is an unw_context_t of zeros. */
void wfx_waiting_context(void *context, wfx_landing_t landing, const struct wfx_object *waiting);

/** Calls `function(arg)` on another stack, below `top`; `*left` is where the running one ends meanwhile. */
void wfx_call_on(void (*function)(void *arg), void *arg, void *top, void **left);

/** The same address, but the compiler does not know that. */
static inline void *wfx_unknown(void *address)
{
  __asm__("" : "+r"(address));
  return address;
}

/** Sets the float control words as they are saved in an object. */
void wfx_load_float_control(const void *float_control);

/** Leaves the running stack for good and lands in `to` with what is in `rt`. */
_Noreturn void wfx_leave(struct wasmfx_runtime *rt, struct wfx_object *to);

#endif
