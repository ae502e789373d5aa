/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_CURSOR_H
#define WASMFX_LOWER_CURSOR_H
/**
 * @file cursor.h
 * Reading bytes, numbers and names from a range of the input.
 *
 * After something malformed a cursor is at its end and every read answers 0: who reads a list asks `wl_failed` once in
 * each turn, and nobody else has to before it uses what it has read.
 */
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct wl_cursor {
  const uint8_t *bytes; /* of the whole file, so that offsets are those in it */
  uint32_t at, end;
  struct wl_error *error;
};

struct wl_name {
  uint32_t at, length; /* where its bytes lie in the file */
};

/** Answers false. */
bool wl_malformed(struct wl_cursor *cursor, uint32_t offset, const char *text);

static inline bool wl_failed(const struct wl_cursor *cursor)
{
  return cursor->error->fault != WL_RIGHT;
}

static inline bool wl_has_more(const struct wl_cursor *cursor)
{
  return cursor->at < cursor->end;
}

/** The next byte, which stays; -1 at the end. */
static inline int wl_peek(const struct wl_cursor *cursor)
{
  return wl_has_more(cursor) ? cursor->bytes[cursor->at] : -1;
}

uint8_t wl_byte(struct wl_cursor *cursor);
void wl_skip(struct wl_cursor *cursor, uint32_t count);
uint64_t wl_unsigned(struct wl_cursor *cursor, unsigned bits);
int64_t wl_signed(struct wl_cursor *cursor, unsigned bits);

static inline uint32_t wl_u32(struct wl_cursor *cursor)
{
  if (wl_has_more(cursor) && cursor->bytes[cursor->at] < 0x80)
    return cursor->bytes[cursor->at++];
  return (uint32_t)wl_unsigned(cursor, 32);
}

/** A number of things each of which takes at least a byte: never more than there are bytes left. */
uint32_t wl_count(struct wl_cursor *cursor);

/** The next `length` bytes as a range of their own, over which `cursor` goes. */
struct wl_cursor wl_part(struct wl_cursor *cursor, uint32_t length);

/** A name in UTF-8. */
struct wl_name wl_name(struct wl_cursor *cursor);

#endif
