/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_FAST_EVERYWHERE_H
#define WASMFX_TESTS_FAST_EVERYWHERE_H
/**
 * @file fast_everywhere.h
 * Included before all else by the compiler, it makes a test use the fast tier wherever there is one.
 */
#define WASMFX_FIBER_FAST_NAMES
/* The C library decides at its first header, which comes next. Tests that jump to another stack undefine it too, but
 * too late: its longjmp takes that for an attack. */
#undef _FORTIFY_SOURCE
#include <wasmfx/fast.h>
#include <wasmfx/fiber_fast.h>

#define wasmfx_resume_word(rt, ...) wasmfx_fast_resume_word(&(wasmfx_runtime_t *){ rt }, __VA_ARGS__)
#define wasmfx_switch_word(rt, ...) wasmfx_fast_switch_word(&(wasmfx_runtime_t *){ rt }, __VA_ARGS__)
#define wasmfx_suspend_word(rt, ...) wasmfx_fast_suspend_word(&(wasmfx_runtime_t *){ rt }, __VA_ARGS__)

#endif
