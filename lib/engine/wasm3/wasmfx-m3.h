/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_M3_H
#define WASMFX_M3_H
/**
 * @file wasmfx-m3.h
 * What a host includes that runs modules by wasm3 which wasmfx-lower has lowered.
 *
 * One wasmfx_m3_t serves one M3Runtime and one module in it: wasm3 links no modules with each other. Order of things:
 *
 *     m3_LoadModule, m3_LinkRawFunction for the host's own imports, wasmfx_m3_link, wasmfx_m3_start, wasmfx_m3_call ...
 *
 * The host may use the library on the runtime in it, resume a continuation say, in imports of the module only.
 *
 * *Units:* a result is one of wasm3's, a text or NULL, valid for ever.
 * *Threads:* a wasmfx_m3_t is used by one thread at a time, with its M3Runtime.
 */
#include <wasmfx/wasmfx.h>

#include "wasm3.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wasmfx_m3 wasmfx_m3_t;

/** What a call has answered that an exception has ended. */
extern const M3Result wasmfx_m3_uncaught;
/** What is answered where a module has called its imports as no lowered module does. */
extern const M3Result wasmfx_m3_contract;

/* ---- Life ---------------------------------------------------------------- */

/**
 * Makes one, with a runtime by `config` (NULL: the defaults). Its `host`, `switched` and `host_stack_bytes` are the
 * glue's. Stacks of 16 KiB are the smallest that a module gets anything done on.
 * *Errors:* those of wasmfx_runtime_new(); `*m3` is NULL then.
 */
wasmfx_status_t wasmfx_m3_new(const wasmfx_runtime_config_t *config, wasmfx_m3_t **m3);
/** Frees it with all that its module has made of it; the M3Runtime first or afterwards. NULL is ignored.
 *  *Errors:* STATE (called from inside). */
wasmfx_status_t wasmfx_m3_free(wasmfx_m3_t *m3);
/** The library's runtime in it: for counters and whatever else is in its headers. Its host words are not for hosts. */
wasmfx_runtime_t *wasmfx_m3_runtime(const wasmfx_m3_t *m3);

/**
 * Gives a module, which is loaded, what it imports from `wasmfx`.
 * *Errors:* as a text: an import of another type, a second module, or a glue that was compiled with other settings
 * than wasm3 was (m3_config.h, DEBUG): structs of wasm3 would not be what the glue takes them for.
 */
M3Result wasmfx_m3_link(wasmfx_m3_t *m3, IM3Module module);

/* ---- Calling the module ---------------------------------------------------- */

/** Compiles all functions, which takes more stack than continuations have, and runs the start function: what the first
 *  wasmfx_m3_call() does otherwise. Answers as that. */
M3Result wasmfx_m3_start(wasmfx_m3_t *m3);

/**
 * Calls a function of the module as m3_Call() does, in a root of its own; results are had from m3_GetResults(). Answers
 * NULL, wasm3's text of a trap, the library's of one of its own, or `wasmfx_m3_uncaught`. Calls nest: an import may be
 * one that calls this.
 */
M3Result wasmfx_m3_call(wasmfx_m3_t *m3, IM3Function function, uint32_t count, const void *arguments[]);

/** The exception that the last wasmfx_m3_call() has answered with; NULL if it ended otherwise. It lives until a
 *  collection after the next call. */
const wasmfx_exception_t *wasmfx_m3_exception(const wasmfx_m3_t *m3);

/** For imports of the host's: throws a copy of an exception, which arrives when the import returns what this answers.
 *  The module must not have been lowered with that import's module as a --host. */
M3Result wasmfx_m3_throw(wasmfx_m3_t *m3, const wasmfx_tag_t *tag, const wasmfx_value_t *values, size_t count);

/* ---- What nothing reaches ---------------------------------------------------- */

/**
 * Drops the continuations and frees the exceptions that nothing reaches: no global or table of the module, no stack of
 * a continuation, and while a call is going on neither the values of wasm3 nor the host's stack from the outermost
 * wasmfx_m3_call() on. Called by itself where exceptions have doubled, or continuations are at the limit of the
 * configuration. `dropped`, if not NULL, receives how many continuations died. *Errors:* NO_MEMORY.
 */
wasmfx_status_t wasmfx_m3_collect(wasmfx_m3_t *m3, size_t *dropped);

/** How many exceptions there are. */
size_t wasmfx_m3_exception_count(const wasmfx_m3_t *m3);

#ifdef __cplusplus
}
#endif
#endif
