/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_READ_H
#define WASMFX_LOWER_READ_H
/** @file read.h  Between the files that read a module. */
#include <stddef.h>

#include "module.h"

struct wl_reader {
  struct wl_module *module;
  struct wl_cursor cursor;   /* of the section */
  max_align_t nowhere[8];    /* where items go after a failure */
};

void wl_read_out_of_memory(struct wl_reader *reader);
/** What there is too much of. */
void wl_read_unsupported(struct wl_reader *reader, uint32_t offset, const char *what);

/** One recursion group of the type section. */
void wl_read_group(struct wl_reader *reader);

uint32_t wl_read_index_of_type(struct wl_cursor *cursor, const char *else_text);
wl_type wl_read_reference(struct wl_cursor *cursor);
bool wl_read_mutability(struct wl_cursor *cursor);

/** Goes over a constant expression, and answers where it begins. */
uint32_t wl_skip_expression(struct wl_cursor *cursor);

#endif
