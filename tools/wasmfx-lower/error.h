/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_ERROR_H
#define WASMFX_LOWER_ERROR_H
/** @file error.h  What is wrong with a module, and where. Of several things, the first that was found. */
#include <stdbool.h>
#include <stdint.h>

#define WL_NONE UINT32_MAX /* no index, no offset */

enum wl_fault {
  WL_RIGHT,
  WL_MALFORMED,   /* not a module at all */
  WL_INVALID,     /* a module, but against the typing rules */
  WL_UNSUPPORTED, /* may be valid, and is beyond this program */
};

struct wl_error {
  enum wl_fault fault;
  uint32_t offset;   /* in the file */
  uint32_t function; /* its index, or WL_NONE */
  char text[512];    /* begins with the words of Wasm's own tests, or with an instruction and then those */
};

#if defined(__GNUC__)
#define WL_FORMAT(string, rest) __attribute__((format(printf, string, rest)))
#else
#define WL_FORMAT(string, rest)
#endif

/** Answers false, for callers to pass on. */
bool wl_fail(struct wl_error *error, enum wl_fault fault, uint32_t offset, const char *format, ...) WL_FORMAT(4, 5);

/** There is no more memory, or there was to be no more. Answers false. */
bool wl_fail_for_memory(struct wl_error *error, uint32_t offset);

#endif
