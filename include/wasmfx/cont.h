/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_CONT_H
#define WASMFX_CONT_H
/**
 * @file cont.h
 * The verbs: cont.new, cont.bind, resume, suspend, switch, resume_throw,
 * resume_throw_ref, and what a host adds to them.
 *
 * *Two ways to pass a payload.* Each verb that carries one comes twice: the
 * general form takes `values` and their `count` and works with every type; the
 * `_word` form is for payloads in word form (types.h) and is faster. Both
 * meet: a continuation suspended by one may be resumed by the other.
 *
 * *References are passed by address.* A verb that consumes `*cont` takes the
 * reference out of the caller's variable and leaves there what is alive now: a
 * new reference, or null. A call that fails leaves it as it was.
 *
 * *State.* A continuation is FRESH until it is first resumed, then RUNNING, or
 * waiting inside a resume of its own, or SUSPENDED, and at last dead. The
 * checks come in this order: null, consumed, arity, handler, the types of a
 * switch, memory; only then does anything change.
 *
 * *Threads:* as the runtime. *Switches stacks:* resume, resume_throw, suspend,
 * switch, throw and trap do. After each return of the first four, whatever the
 * caller had cached of its instance (memory base, stack limit, tables) may be
 * stale.
 */
#include <wasmfx/base.h>
#include <wasmfx/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What a verb that can switch answers. Returned by value: two machine words.
 *
 * `values` if `by_address` is set, else `word`; the general verbs always set it,
 * the `_word` verbs when what arrives does not fit a word. With status
 * WASMFX_THREW it is `exception`, with WASMFX_TRAPPED `code`, in both. All
 * pointers are valid until the next verb (types.h). Below zero it is 0.
 */
typedef struct wasmfx_outcome {
  int16_t status;      /**< enum wasmfx_status */
  uint16_t by_address; /**< 1: the payload is in `values`, 0: in `word` */
  uint32_t handler;    /**< SUSPENDED: the clause that matched, by its place in the table */
  union {
    uint64_t word;
    const wasmfx_value_t *values;
    const wasmfx_exception_t *exception;
    int64_t code;
  };
} wasmfx_outcome_t;

/* ---- Making --------------------------------------------------------------- */

/**
 * The function of a continuation, general form.
 * *Shapes:* `args` has the type's parameters, `results` room for its results,
 * zero at entry. They lie on the continuation's own stack, `args` also with the
 * sender; or, if they were bound or are many, in memory of the allocator. `args` are
 * valid until the next verb; for collectors see collect.h.
 */
typedef void (*wasmfx_entry_t)(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results);

/** The function of a continuation, word form: takes and returns the one value,
 *  or nothing. `from` is the last parameter if that is a contref, else null. */
typedef uint64_t (*wasmfx_word_entry_t)(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from);

/**
 * cont.new: a FRESH continuation that will run `entry(rt, env, ...)`. Costs
 * 128 bytes; there is no stack before the first resume.
 * *Errors:* NULL_FUNCTION; ARGUMENT (no type, or one of another runtime); LIMIT
 * (max_conts), NO_MEMORY, NO_MAPS.
 * *Spec:* cont.new
 */
WASMFX_API wasmfx_status_t wasmfx_cont_new(wasmfx_runtime_t *rt, const wasmfx_type_t *type, wasmfx_entry_t entry,
                                           void *env, wasmfx_cont_t *cont);
/** The same for a function in word form. *Errors:* also TYPE, if parameters or
 *  results of the type do not travel in word form. */
WASMFX_API wasmfx_status_t wasmfx_cont_new_word(wasmfx_runtime_t *rt, const wasmfx_type_t *type,
                                                wasmfx_word_entry_t entry, void *env, wasmfx_cont_t *cont);

/**
 * cont.bind: binds the next `count` parameters; consumes `*cont` and puts a new
 * reference to the same continuation there, also when `count` is 0.
 * *Shapes:* `values` has `count` slots, copied. `to`, if not NULL, is the type
 * of the result: its parameters must be those that remain, its results the same.
 * *Errors:* NULL_CONT, CONSUMED, ARITY (more than there are), ARGUMENT (`to` is
 * of another runtime), TYPE (`to` does not fit), LIMIT, NO_MEMORY, NO_MAPS.
 * *Spec:* cont.bind
 */
WASMFX_API wasmfx_status_t wasmfx_cont_bind(wasmfx_runtime_t *rt, wasmfx_cont_t *cont, const wasmfx_type_t *to,
                                            const wasmfx_value_t *values, size_t count);

/* ---- Resuming -------------------------------------------------------------- */

/**
 * resume: runs a continuation until it ends or a suspension reaches one of
 * `handlers` (NULL: none).
 * *Shapes:* `values` has `count` slots: the parameters that are not yet bound.
 * *State:* `*cont` FRESH or SUSPENDED -> RUNNING, the caller waits. Afterwards:
 *   - RETURNED: dead, `*cont` null, payload: the type's results;
 *   - SUSPENDED: `*cont` is the captured continuation, `handler` the clause,
 *     payload: the tag's parameters;
 *   - THREW: dead, `*cont` null, `exception` left the entry function;
 *   - TRAPPED: dead, `*cont` null, `code` as given to wasmfx_trap();
 *   - OVERFLOWED: dead, `*cont` null; only where overflow.h catches.
 * *Errors:* NULL_CONT, CONSUMED, ARITY, ARGUMENT (`handlers` of another runtime;
 * the short path of the `_word` form does not look), LIMIT, NO_MEMORY,
 * NO_ADDRESS_SPACE, NO_MAPS.
 * *Spec:* resume
 */
WASMFX_API wasmfx_outcome_t wasmfx_resume(wasmfx_runtime_t *rt, wasmfx_cont_t *cont, const wasmfx_handlers_t *handlers,
                                          const wasmfx_value_t *values, size_t count);
/** The same for a payload in word form. *Errors:* also ARITY, if the
 *  continuation waits for anything else: for a contref, say, which must be bound
 *  or passed by the general form. */
WASMFX_API wasmfx_outcome_t wasmfx_resume_word(wasmfx_runtime_t *rt, wasmfx_cont_t *cont,
                                               const wasmfx_handlers_t *handlers, uint64_t word);

/**
 * resume_throw: wakes a continuation with an exception in place of values. A
 * SUSPENDED one finds THREW as the outcome of its suspend or switch and may catch
 * it there; a FRESH one dies at once, its body never runs and its bound
 * arguments are dropped.
 * *Shapes:* `values` has `count` slots: the parameters of `tag`.
 * *Errors:* as wasmfx_resume(), and TYPE if the tag has results, ARGUMENT if
 * it is NULL.
 * *Spec:* resume_throw
 */
WASMFX_API wasmfx_outcome_t wasmfx_resume_throw(wasmfx_runtime_t *rt, wasmfx_cont_t *cont,
                                                const wasmfx_handlers_t *handlers, const wasmfx_tag_t *tag,
                                                const wasmfx_value_t *values, size_t count);
/**
 * resume_throw_ref: the same with an exception that is there already; it stays
 * the caller's and must stay valid until the receiver has read it.
 * *Errors:* as wasmfx_resume_throw(), and NULL_EXCEPTION, which is looked at after
 * the continuation. *Spec:* resume_throw_ref
 */
WASMFX_API wasmfx_outcome_t wasmfx_resume_throw_ref(wasmfx_runtime_t *rt, wasmfx_cont_t *cont,
                                                    const wasmfx_handlers_t *handlers,
                                                    const wasmfx_exception_t *exception);

/* ---- Suspending ------------------------------------------------------------- */

/**
 * suspend: captures everything from here up to the innermost resume that has a
 * clause for `tag`, and hands it to that resume, if it is one with a label.
 * *Shapes:* `values` has `count` slots: the tag's parameters.
 * *State:* the running continuation, and those between it and the handler,
 * become one SUSPENDED continuation. Afterwards:
 *   - RETURNED: resumed or switched to, payload: the tag's results, in `values` with
 *     a last contref too;
 *   - THREW: woken by resume_throw, `exception` is to be raised here.
 * Where a clause that calls (WASMFX_ON_CALL) comes before any label, in that resume or nearer, nothing is captured or
 * switched: its function is called, and RETURNED is the outcome with what that has answered.
 * *Errors:* ARITY, ARGUMENT (no tag), UNHANDLED, BARRIER; STATE (a function that was called has left a barrier or root
 * open, which is closed now). *Spec:* suspend
 */
WASMFX_API wasmfx_outcome_t wasmfx_suspend(wasmfx_runtime_t *rt, const wasmfx_tag_t *tag, const wasmfx_value_t *values,
                                           size_t count);
/** The same for a payload in word form. *Errors:* also ARITY, if the tag's
 *  parameters do not travel in word form. */
WASMFX_API wasmfx_outcome_t wasmfx_suspend_word(wasmfx_runtime_t *rt, const wasmfx_tag_t *tag, uint64_t word);

/**
 * switch: captures as suspend does, up to the innermost resume with a switch
 * clause for `tag`, and runs `*cont` under that resume instead. The target gets
 * the payload and, as its last parameter, the reference to what was captured.
 * *Shapes:* `values` has `count` slots: the target's parameters but the last.
 * *State:* as suspend for the caller, as resume for the target. Afterwards, as
 * suspend; `*cont` is the contref that ends the parameters of this suspension:
 * who switched here, or null if none was sent (`values` has it too).
 * *Errors:* NULL_CONT, CONSUMED, ARITY (also: the target does not wait for a
 * contref), ARGUMENT (no tag, or a tag or `wait` of another runtime), UNHANDLED,
 * BARRIER, TYPE (results differ), and the memory errors of wasmfx_resume().
 * *Spec:* switch
 *
 * What the suspender waits for is not part of a tag for switching; `wait` gives
 * the type [its parameters] -> [..] by which it is to be woken (ct2 of the
 * instruction). NULL means one contref, what the two sides of a plain coroutine
 * exchange.
 */
WASMFX_API wasmfx_outcome_t wasmfx_switch(wasmfx_runtime_t *rt, wasmfx_cont_t *cont, const wasmfx_tag_t *tag,
                                          const wasmfx_type_t *wait, const wasmfx_value_t *values, size_t count);
/** The same for payloads in word form, both ways. NULL as `wait` means
 *  [i64 contref]. */
WASMFX_API wasmfx_outcome_t wasmfx_switch_word(wasmfx_runtime_t *rt, wasmfx_cont_t *cont, const wasmfx_tag_t *tag,
                                               const wasmfx_type_t *wait, uint64_t word);

/**
 * The contref that came beside the payload when this continuation was last
 * woken: who switched here. Valid right after the waking, until the next verb;
 * needed after a suspend in word form whose tag's last result is a contref. The
 * other verbs hand it over themselves.
 */
WASMFX_API wasmfx_cont_t wasmfx_received_cont(const wasmfx_runtime_t *rt);

/* ---- Ending ------------------------------------------------------------------ */

/**
 * Ends the running continuation by an exception, from any depth: its resume
 * answers WASMFX_THREW. Does not return. The frames between are abandoned, not
 * unwound: an engine first runs its own handlers inside the body. In a handler
 * that was called in place, it is the resume with that handler which answers, also for wasmfx_trap().
 * *Shapes:* `values` has `count` slots, the parameters of `tag`, copied.
 * *Errors:* returns only if it fails: STATE (no continuation is running here),
 * ARGUMENT, ARITY, TYPE (a tag with results).
 */
WASMFX_API wasmfx_status_t wasmfx_throw(wasmfx_runtime_t *rt, const wasmfx_tag_t *tag, const wasmfx_value_t *values,
                                        size_t count);
/** The same with an exception that is there already; it is copied. *Errors:*
 *  also NULL_EXCEPTION. */
WASMFX_API wasmfx_status_t wasmfx_throw_ref(wasmfx_runtime_t *rt, const wasmfx_exception_t *exception);

/** Ends the running continuation by a trap, from any depth: its resume answers
 *  WASMFX_TRAPPED with `code`, which is the host's own. *Errors:* returns only if
 *  it fails: STATE (no continuation is running here). */
WASMFX_API wasmfx_status_t wasmfx_trap(wasmfx_runtime_t *rt, int64_t code);

/**
 * Drops a continuation unseen: nothing of it runs any more, its stacks go back.
 * `*cont` becomes null. *Errors:* NULL_CONT, CONSUMED.
 */
WASMFX_API wasmfx_status_t wasmfx_drop(wasmfx_runtime_t *rt, wasmfx_cont_t *cont);

/**
 * Cancels a continuation: throws `exception` into it, again at each suspension,
 * whatever the tag, until it is dead, at most `attempts` times (0: without end);
 * after that it is dropped. `*cont` becomes null. `exception` stays the caller's
 * and must stay valid until the call returns.
 * A switch inside finds no handler. `exception` must not be one that an outcome has
 * handed over unless `attempts` is 1: copy it first.
 * Answers the last outcome: RETURNED, THREW, TRAPPED or OVERFLOWED; SUSPENDED if it was still alive
 * and has been dropped. *Errors:* as wasmfx_resume_throw_ref().
 */
WASMFX_API wasmfx_outcome_t wasmfx_cancel(wasmfx_runtime_t *rt, wasmfx_cont_t *cont,
                                          const wasmfx_exception_t *exception, size_t attempts);

/* ---- Looking ------------------------------------------------------------------ */

/** States of a reference. */
enum wasmfx_state {
  WASMFX_STATE_NULL = 0,
  WASMFX_STATE_FRESH = 1,
  WASMFX_STATE_SUSPENDED = 2,
  WASMFX_STATE_CONSUMED = 3 /**< running, waiting or dead: not this reference's business any more */
};

/** The state of a reference. */
WASMFX_API enum wasmfx_state wasmfx_cont_state(const wasmfx_runtime_t *rt, wasmfx_cont_t cont);

/** How many values a reference still waits for; 0 if it is not alive. */
WASMFX_API size_t wasmfx_cont_arity(const wasmfx_runtime_t *rt, wasmfx_cont_t cont);

/** Chooses the stack size of a FRESH continuation: a class of the
 *  configuration. *Errors:* NULL_CONT, CONSUMED, STATE (not fresh), ARGUMENT. */
WASMFX_API wasmfx_status_t wasmfx_cont_stack_class(wasmfx_runtime_t *rt, wasmfx_cont_t cont, uint32_t stack_class);

/** How many continuations are running or waiting above the innermost root: 0
 *  means that the caller is the host. */
WASMFX_API size_t wasmfx_depth(const wasmfx_runtime_t *rt);

/** The host word of the running continuation or root: for a value stack, a
 *  shadow-stack pointer, a trap frame. Starts as NULL. The address is good until
 *  the next call that switches. */
WASMFX_API void **wasmfx_host_word(wasmfx_runtime_t *rt);
/** The same for a live reference; NULL if it is not alive. */
WASMFX_API void **wasmfx_cont_host_word(wasmfx_runtime_t *rt, wasmfx_cont_t cont);

/** The bounds of the running continuation's stack: for prologue checks.
 *  *Shapes:* the usable bytes are [`*low`, `*high`). The library's functions want up to 1 KiB of them, and
 *  `host_stack_bytes` of the configuration; 1 KiB more those that make and free runtimes, and begin and end to catch
 *  overflows. Code that checks leaves so much above `*low`, or the calls with less become overflows.
 *  *Errors:* STATE (the caller stands on a stack of the host's). */
WASMFX_API wasmfx_status_t wasmfx_stack_bounds(const wasmfx_runtime_t *rt, void **low, void **high);

#ifdef __cplusplus
}
#endif
#endif
