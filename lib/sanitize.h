/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_SANITIZE_H
#define WFX_SANITIZE_H
/**
 * @file sanitize.h
 * What sanitizers have to be told of switches, where the library is built with one.
 *
 *  - AddressSanitizer: the bounds of the stack that is switched to, and whether
 *    the one that is left will be needed again. It may keep local variables apart, on a
 *    *fake stack* for each stack. Frames that are abandoned leave marks in
 *    its shadow memory, and the next user of the stack would trip over them.
 *  - ThreadSanitizer: a *fiber* of its own for each stack.
 *  - MemorySanitizer: what a function gets and answers has its shadow in thread-local
 *    variables; those of one side must not be taken for those of the other.
 *
 * Such builds take no short paths: the stubs call the functions below, right before
 * and right after a switch. In others they are empty, and stubs do not call them.
 * Valgrind is told of stacks by the pool, in every build (stackpool/valgrind.h).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/layout.h"

struct wasmfx_runtime;
struct wfx_object;
struct wfx_stack;

/* For functions that read what is none of the sanitizers' business. */
#if defined(__clang__) && defined(WFX_ANNOUNCE)
#define WFX_UNCHECKED __attribute__((disable_sanitizer_instrumentation, noinline))
#elif defined(WFX_ANNOUNCE)
#define WFX_UNCHECKED __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#else
#define WFX_UNCHECKED
#endif

/** What is kept for the stack that the host's root stands on; for others, wfx_stack.track is enough. */
struct wfx_track {
  void *track;     /* the fake stack while it is not running, or the fiber */
  const void *low; /* as AddressSanitizer says */
  size_t bytes;
  void *leaving; /* the fiber of a stack that is gone and was stood on till the end */
};

#ifdef WFX_ANNOUNCE
/** The running stack will be left for that of `to`. */
void wfx_announce_leaving(struct wasmfx_runtime *rt, struct wfx_object *to);
/** The same, and nothing on it is needed again. */
void wfx_announce_ending(struct wasmfx_runtime *rt, struct wfx_object *to);
/** The running one has been switched to. */
void wfx_announce_landed(struct wasmfx_runtime *rt);
/** The host has left the running stack by its own means for that of `target`. */
void wfx_announce_jump(struct wasmfx_runtime *rt, struct wfx_object *target);
/** A stack goes back. It may be the running one. */
void wfx_announce_death(struct wasmfx_runtime *rt, struct wfx_stack *stack);
/** A runtime goes. */
void wfx_announce_end(struct wasmfx_runtime *rt);
/** A stub calls a function with arguments of its own. */
void wfx_announce_call(void);
/** The frame that `address` lies in, on the fake stack that belongs to `stack`; NULL: none. */
const void *wfx_fake_frame(const struct wfx_stack *stack, uintptr_t address, size_t *bytes);
/** Functions are called, or were, that no sanitizer has seen the code of, and that call libc in turn. */
void wfx_announce_strangers(bool are_called);
#else
static inline void wfx_announce_strangers(bool are_called)
{
  (void)are_called;
}
static inline void wfx_announce_end(struct wasmfx_runtime *rt)
{
  (void)rt;
}
static inline const void *wfx_fake_frame(const struct wfx_stack *stack, uintptr_t address, size_t *bytes)
{
  (void)stack, (void)address, (void)bytes;
  return NULL;
}
static inline void wfx_announce_jump(struct wasmfx_runtime *rt, struct wfx_object *target)
{
  (void)rt;
  (void)target;
}
static inline void wfx_announce_death(struct wasmfx_runtime *rt, struct wfx_stack *stack)
{
  (void)rt;
  (void)stack;
}
#endif

#endif
