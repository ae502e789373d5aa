/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_PINNED_EVERYWHERE_H
#define WASMFX_TESTS_PINNED_EVERYWHERE_H
/**
 * @file pinned_everywhere.h
 * Included before all else by the compiler, it makes a test use the pinned tier wherever there is one.
 */
/* The C library decides at its first header, which comes next. Tests that jump to another stack undefine it too, but
 * too late: its longjmp takes that for an attack. */
#undef _FORTIFY_SOURCE
#include <wasmfx/pinned.h>

#define wasmfx_cont_new_word(...) wasmfx_pinned_cont_new_word(__VA_ARGS__)
#define wasmfx_resume_word(rt, ...) wasmfx_pinned_resume_word(&(wasmfx_runtime_t *){ rt }, __VA_ARGS__)
#define wasmfx_switch_word(rt, ...) wasmfx_pinned_switch_word(&(wasmfx_runtime_t *){ rt }, __VA_ARGS__)
#define wasmfx_suspend_word(rt, ...) wasmfx_pinned_suspend_word(&(wasmfx_runtime_t *){ rt }, __VA_ARGS__)

#endif
