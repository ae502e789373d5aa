/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_OVERFLOW_H
#define WFX_OVERFLOW_H
/** @file overflow.h  A runtime's entry among those whose overflows its thread catches. */
#include <stdbool.h>

#include <wasmfx/overflow.h>

struct wfx_thread;

struct wfx_watch {
  struct wasmfx_runtime *rt;
  struct wfx_watch *next;
  struct wfx_thread *thread; /* NULL: nobody watches */
};

/** Whether somebody watches whom wasmfx_overflow_ignore() would not end: another thread, or one that is not done with a
 *  fault. */
bool wfx_must_be_watched(const struct wasmfx_runtime *rt);

/** One of the host's functions is about to be called inside one of the library's: until the end of the call, what runs
 *  on this stack is not abandoned. Answers what the end is to be told. */
const void *wfx_host_call_begin(void);
void wfx_host_call_end(const void *outer);
/** Whether one has been called on the stack of what is running, and has not returned. */
bool wfx_is_in_host_call(const struct wasmfx_runtime *rt);

#endif
