/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_RT_H
#define WASMFX_RT_H
/**
 * @file wasmfx-rt.h
 * What a host of modules includes that wasmfx-lower has lowered and wasm2c has translated to C.
 *
 * One wasmfx_rt_t is the module `wasmfx` that those modules import: its address is what Z_<module>_instantiate() wants
 * for that. All modules that share continuations, tags or exceptions have one. The verbs are in wasmfx-rt-imports.h,
 * the rest in wasmfx-rt-impl.c, which takes the place of wasm2c's wasm-rt-impl.c.
 *
 * *Threads:* a wasmfx_rt_t is used by one thread at a time, as the wasmfx_runtime_t in it.
 * *Linux only*, and faults of linear memory are told from others on x86-64 only.
 */
#include <wasmfx/wasmfx.h>

#include "wasm-rt.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How many values a list can have that does not travel in registers. */
#define WASMFX_RT_MAX_VALUES 1000

struct wasmfx_rt_house;

/** The fields are for the imports, which are inlined into modules. Hosts use the functions. */
typedef struct Z_wasmfx_instance_t {
  wasmfx_runtime_t *runtime;
  wasm_rt_externref_t thrown;       /* the global of the contract */
  const wasmfx_value_t *values;     /* what has arrived last */
  const wasm_rt_funcref_t *starting; /* the second operand of the closure that is starting */
  struct wasmfx_rt_house *house;    /* all that is seldom needed */
  uint32_t *followers;      /* by the place of a continuation: that of who was resumed after it, the last time */
  uint32_t follower_count;  /* so many places */
  uint32_t resumed_last;    /* the place of who was resumed last, among these */
  size_t argument_count;
  wasmfx_value_t arguments[WASMFX_RT_MAX_VALUES]; /* for the next verb */
} wasmfx_rt_t;

/** What ends an invocation. Below these are the codes of wasm_rt_trap_t, which mean what they mean there. */
enum wasmfx_rt_trap {
  WASMFX_RT_TRAP_UNHANDLED_TAG = 64,
  WASMFX_RT_TRAP_CONSUMED,
  WASMFX_RT_TRAP_NULL_CONT,
  WASMFX_RT_TRAP_NULL_FUNCTION,
  WASMFX_RT_TRAP_NULL_REFERENCE,
  WASMFX_RT_TRAP_NULL_EXCEPTION,
  WASMFX_RT_TRAP_BARRIER,
  WASMFX_RT_TRAP_TYPE_MISMATCH,
  WASMFX_RT_TRAP_CAST,
  WASMFX_RT_TRAP_OUT_OF_MEMORY, /**< or at a limit of the configuration */
  WASMFX_RT_TRAP_CONTRACT       /**< the module has called its imports as no lowered module does */
};

/** The words of the specification for a code of either kind. wasm2c has one code where that has several texts: they are
 *  named together. Never NULL. Threads: any. */
const char *wasmfx_rt_strerror(int code);

/* ---- Life ---------------------------------------------------------------- */

/**
 * Makes one, with a runtime by `config` (NULL: the defaults). Its `host`, `switched` and `died` are the host's.
 * Installs a handler for SIGSEGV with the first of the process.
 * *Errors:* those of wasmfx_runtime_new(); UNSUPPORTED (another libwasmfx than this was compiled for, or the system
 * refuses the handler); `*rt` is NULL then.
 */
wasmfx_status_t wasmfx_rt_new(const wasmfx_runtime_config_t *config, wasmfx_rt_t **rt);
/** Frees it with all that its modules have made of it. NULL is ignored. *Errors:* STATE (called from inside). */
wasmfx_status_t wasmfx_rt_free(wasmfx_rt_t *rt);

/** The library's runtime in it: for counters, backtraces and whatever else is in its headers. Its host words are not
 *  for hosts. */
static inline wasmfx_runtime_t *wasmfx_rt_runtime(const wasmfx_rt_t *rt)
{
  return rt->runtime;
}

/** The one whose innermost wasmfx_rt_try() has not returned, in this thread; else NULL. */
wasmfx_rt_t *wasmfx_rt_running(void);

/* ---- Calling modules ------------------------------------------------------------- */

/**
 * Calls `function(arg)`, which calls exports of modules; Z_<module>_instantiate() too, since start functions can trap.
 * Opens a root. Calls nest: an import may be one that calls this. Where a continuation runs, the function is called on
 * the host's stack.
 *
 * Answers 0 if the function has returned; else the code of the trap that has left it, or
 * WASM_RT_TRAP_UNCAUGHT_EXCEPTION, for which see wasmfx_rt_exception(). What a trap leaves, it leaves as by longjmp.
 */
int wasmfx_rt_try(wasmfx_rt_t *rt, void (*function)(void *arg), void *arg);

/** The exception that the last wasmfx_rt_try() has answered with; NULL if it ended otherwise. It lives until a
 *  collection after the next try of the same wasmfx_rt_t. */
const wasmfx_exception_t *wasmfx_rt_exception(const wasmfx_rt_t *rt);

/** For imports: throws a copy of an exception, which arrives when the import returns, whatever it returns. Modules must
 *  not have been lowered with that import's module as a --host. Traps if there is no memory. */
void wasmfx_rt_throw(wasmfx_rt_t *rt, const wasmfx_tag_t *tag, const wasmfx_value_t *values, size_t count);

/** For imports: traps. Does not return. `code` may be any number above 0; the host's own begin at 256. */
WASM_RT_NO_RETURN void wasmfx_rt_trap(wasmfx_rt_t *rt, int code);

/** Has a function called where a trap begins, once for each, on that stack, before anything is abandoned: for
 *  backtraces. Not called for what overflows in a continuation or on the host's stack. NULL: none. */
void wasmfx_rt_at_trap(wasmfx_rt_t *rt, void (*function)(wasmfx_rt_t *rt, int code, void *context), void *context);

/** For imports: calls `function(arg)` on the host's stack, if a continuation runs: wasmfx_call_on_host_stack(). What
 *  cannot suspend is faster there, and may use as much stack as it likes. Traps if there is no memory. */
void wasmfx_rt_call_on_host_stack(wasmfx_rt_t *rt, void (*function)(void *arg), void *arg);

/* ---- What a collection looks at --------------------------------------------------- */

/**
 * Names a range of memory that can hold references, at addresses that are a multiple of 8: the struct of an instance
 * (before it is instantiated, so that its start function may be collected in), with the tables of externref in it; or
 * whatever else the host has. Its contents may be anything. *Errors:* NO_MEMORY.
 */
wasmfx_status_t wasmfx_rt_register(wasmfx_rt_t *rt, const void *low, size_t bytes);
/** Ends that, before the memory goes. */
void wasmfx_rt_unregister(wasmfx_rt_t *rt, const void *low);

/**
 * Drops the continuations and frees the exceptions that nothing reaches: no registered range, no stack of a
 * continuation, and not the host's stack from the outermost wasmfx_rt_try() on. Happens by itself where exceptions
 * have doubled, or a verb finds no memory or meets a limit, if anything is registered. `dropped`, if not NULL, receives
 * how many continuations died. *Errors:* NO_MEMORY.
 */
wasmfx_status_t wasmfx_rt_collect(wasmfx_rt_t *rt, size_t *dropped);

/** How many exceptions there are. */
size_t wasmfx_rt_exception_count(const wasmfx_rt_t *rt);

/* ---- For the imports ---------------------------------------------------------------- */

/** A reference to a function, or to a function and what it calls: what `closure` and `function_word` answer. */
typedef struct wasmfx_rt_closure {
  wasmfx_word_entry_t word_entry;
  wasm_rt_funcref_t function;
  wasmfx_rt_t *rt;
  wasm_rt_funcref_t called; /* what `start_function` answers */
  wasmfx_entry_t entry;     /* for cont_new_n */
  uint32_t kind;
  struct wasmfx_rt_closure *next;
} wasmfx_rt_closure_t;

void wasmfx_rt_arrived(wasmfx_rt_t *rt, wasmfx_outcome_t outcome);
WASM_RT_NO_RETURN void wasmfx_rt_failed(wasmfx_rt_t *rt, wasmfx_status_t status);
wasm_rt_externref_t wasmfx_rt_cont_new(wasmfx_rt_t *rt, wasm_rt_externref_t closure, wasm_rt_externref_t type,
                                       bool takes_list);
wasmfx_rt_closure_t *wasmfx_rt_function(wasmfx_rt_t *rt, const wasm_rt_funcref_t *function);
wasm_rt_externref_t wasmfx_rt_closure(wasmfx_rt_t *rt, const wasm_rt_funcref_t *function,
                                      const wasm_rt_funcref_t *called, uint32_t may_throw);
wasm_rt_externref_t wasmfx_rt_exception_new(wasmfx_rt_t *rt, wasm_rt_externref_t tag, const wasmfx_value_t *values,
                                            size_t count);
uint64_t wasmfx_rt_caught(wasmfx_rt_t *rt, uint32_t is_held);
void wasmfx_rt_kind(wasmfx_rt_t *rt, uint32_t kind, bool is_result);
wasm_rt_externref_t wasmfx_rt_type(wasmfx_rt_t *rt);
wasm_rt_externref_t wasmfx_rt_tag(wasmfx_rt_t *rt, wasm_rt_externref_t type);
void wasmfx_rt_clause(wasmfx_rt_t *rt, wasm_rt_externref_t tag, uint32_t kind);
wasm_rt_externref_t wasmfx_rt_handlers(wasmfx_rt_t *rt);
bool wasmfx_rt_make_room(wasmfx_rt_t *rt, wasmfx_status_t status);
bool wasmfx_rt_make_followers(wasmfx_rt_t *rt, uint32_t place);

#ifdef __cplusplus
}
#endif
#endif
