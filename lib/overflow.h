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

/** Whether another thread watches. */
bool wfx_watched_elsewhere(const struct wasmfx_runtime *rt);

#endif
