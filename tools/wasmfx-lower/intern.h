/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_INTERN_H
#define WASMFX_LOWER_INTERN_H
/** @file intern.h  Strings of bytes, each kept once and numbered in the order in which they came. */
#include "memory.h"

struct wl_interned {
  uint32_t at, length; /* of the bytes */
  uint32_t value;      /* the user's */
};

struct wl_interner {
  struct wl_array bytes;
  struct wl_array items; /* struct wl_interned */
  uint32_t *slots;       /* a hash table: 1 + the number of the item */
  uint32_t room;         /* of that, a power of two */
};

/** The item with these bytes, made if there was none, then with `*is_new`; NULL where it would be too much memory. */
struct wl_interned *wl_intern(struct wl_memory *memory, struct wl_interner *interner, const void *bytes,
                              uint32_t length, bool *is_new);

static inline struct wl_interned *wl_interned(const struct wl_interner *interner, uint32_t number)
{
  return (struct wl_interned *)interner->items.items + number;
}

static inline const uint8_t *wl_interned_bytes(const struct wl_interner *interner, const struct wl_interned *item)
{
  return (const uint8_t *)interner->bytes.items + item->at;
}

#endif
