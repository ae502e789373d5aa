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
 * preserved, store the stack pointer and a *landing* address in its object, and
 * jump to the landing address of the object to go to. Everything that goes from
 * one side to the other is in five registers, the same for every landing:
 *
 *     to     the object that lands (it loads its own stack pointer from it)
 *     rt     the runtime
 *     word   the payload, or its address
 *     cont   the reference that arrives with it, or null
 *     event  status | by_address << 16 | handler << 32, as in wasmfx_outcome_t
 *
 * So a landing address says all there is to know about how a continuation
 * waits, and nothing on the way tests for it:
 *
 *     wfx_fresh        it has never run: take a stack from the runtime's free
 *                      list and call the entry function
 *     wfx_fresh_slow   the same, but its stack needs more thought than that
 *     wfx_start        it has never run, but has its stack already
 *     wfx_start_float  the same, and float control words are to be set
 *     wfx_deep         it is the innermost of a captured chain: hang the
 *                      chain's head under the new parent, then land at deep_pc
 *     (others)         inside one of the verbs, whose frame it pops
 *
 * The verbs of cont.h that can switch are entered here. Each calls its
 * wfx_prepare_* function in C, which checks, searches, gets memory, and only
 * then consumes and links; it answers the object to go to, or NULL if there is
 * nothing to switch to, and has left in the runtime: `from` (who leaves),
 * `landing` (where its landing address belongs), `cont`, `event`, `word`.
 * A port may add short paths of its own for the most frequent cases, as
 * long as they fall back to this one for everything else.
 */

struct wasmfx_runtime;
struct wfx_object;

/** A landing address: where a continuation goes on when it is switched to. Never called from C. */
typedef void (*wfx_landing_t)(void);

void wfx_fresh(void);
void wfx_fresh_slow(void);
void wfx_start(void);
void wfx_start_float(void);
void wfx_deep(void);

/** Sets the float control words as they are saved in an object. */
void wfx_load_float_control(const void *float_control);

/** Leaves the running stack for good and lands in `to` with what is in `rt`. */
_Noreturn void wfx_leave(struct wasmfx_runtime *rt, struct wfx_object *to);

#endif
