/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_CONSTANT_H
#define WASMFX_LOWER_CONSTANT_H
/**
 * @file constant.h
 * What constant expressions come to. WebAssembly 3.0 has arithmetic in them, and globals that the module itself has
 * defined; core engines know single instructions, and imported globals.
 */
#include "lower.h"

enum wl_constant_kind {
  WL_UNKNOWN_CONSTANT, /* arithmetic with an imported global, or a variable */
  WL_NUMBER,           /* `value`: its bits */
  WL_IMPORTED,         /* `value`: an imported global */
  WL_FUNCTION_REFERENCE,
  WL_NULL_REFERENCE,
};

struct wl_constant {
  uint8_t kind;     /* enum wl_constant_kind */
  uint8_t low_type; /* of numbers and null */
  uint64_t value;
};

/** Finds out what each global is. Answers false where that would take too much memory. */
bool wl_find_constants(struct wl_lowering *l);

/** What an expression comes to. */
struct wl_constant wl_evaluate(struct wl_lowering *l, uint32_t at);

#endif
