/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_BACKTRACE_H
#define WASMFX_BACKTRACE_H
/**
 * @file backtrace.h
 * Backtraces across continuations: of what runs now through all its resumers, and of
 * what is suspended.
 *
 * They are made with libunwind. In a library that was built without it
 * they answer UNSUPPORTED. Nothing here prints: texts go into the caller's buffer.
 *
 * *Stack.* A walk makes sure of 10 KiB of the caller's stack before it begins, a text of 14 KiB: with less,
 * that is an overflow of the caller (overflow.h). So texts are better made outside of continuations, or in those
 * with large stacks. wasmfx_backtrace_at() makes sure of nothing: it is the host's alternate stack that it needs.
 *
 * *Threads:* as the runtime. wasmfx_backtrace_at() is for signal handlers.
 */
#include <wasmfx/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A frame: a function that has been called and has not returned. */
typedef struct wasmfx_frame {
  void *pc;         /**< where it goes on: the return address of the call that it waits for, as a rule */
  void *sp;         /**< its stack pointer there */
  uint32_t segment; /**< 0: on the stack of the innermost continuation, 1: on its resumer's, and so on */
  uint32_t is_base; /**< 1: the library's frame at the bottom of a continuation, under the entry function */
} wasmfx_frame_t;

/**
 * The frames of what is running, from the caller through the resumers to the host.
 * *Shapes:* `frames` has room for `capacity`; `*count` receives how many were written.
 * Where there are more, the outermost are left out.
 * *Errors:* UNSUPPORTED.
 */
WASMFX_API wasmfx_status_t wasmfx_backtrace(const wasmfx_runtime_t *rt, wasmfx_frame_t *frames, size_t capacity,
                                            size_t *count);

/**
 * The same from where a signal has interrupted: `context` is the third argument
 * of the handler. Right at every instruction, of the library's as well.
 * *Threads:* async-signal-safe as far as libunwind is.
 */
WASMFX_API wasmfx_status_t wasmfx_backtrace_at(const wasmfx_runtime_t *rt, const void *context, wasmfx_frame_t *frames,
                                               size_t capacity, size_t *count);

/**
 * The frames of a suspended continuation, from where it was suspended to its outermost
 * entry function. A fresh one has none.
 * *Errors:* NULL_CONT, CONSUMED, UNSUPPORTED.
 */
WASMFX_API wasmfx_status_t wasmfx_cont_backtrace(const wasmfx_runtime_t *rt, wasmfx_cont_t cont, wasmfx_frame_t *frames,
                                                 size_t capacity, size_t *count);

/**
 * Writes one line for each frame: its number, address, function and offset, and the
 * file that it is in; and a line between two continuations.
 * *Shapes:* as snprintf(): writes at most `capacity` bytes, the last one 0, and answers
 * the length of the whole text. `text` may be NULL if `capacity` is 0.
 */
WASMFX_API size_t wasmfx_backtrace_text(const wasmfx_frame_t *frames, size_t count, char *text, size_t capacity);

#ifdef __cplusplus
}
#endif
#endif
