/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_STALE_H
#define WASMFX_TESTS_STALE_H
/**
 * @file stale.h
 * Bodies that look for a thread's own variables before and after a suspension, in a file that is always compiled with
 * optimization: it is then that a compiler looks only once.
 */
#include <wasmfx/wasmfx.h>

/** What a body has found. */
struct places {
  const wasmfx_tag_t *pause; /* [] -> [] */
  const void *before, *after;
};

/** A _Thread_local variable, by its address. */
uint64_t find_variable(wasmfx_runtime_t *rt, void *places, uint64_t word, wasmfx_cont_t from);
/** errno, which is a variable of the thread's too. */
uint64_t find_errno(wasmfx_runtime_t *rt, void *places, uint64_t word, wasmfx_cont_t from);
/** The variable again, by a function that is never inlined. */
uint64_t ask_for_variable(wasmfx_runtime_t *rt, void *places, uint64_t word, wasmfx_cont_t from);

/** The variable of the calling thread, and its errno. */
const void *variable_of_this_thread(void);
const void *errno_of_this_thread(void);

#endif
