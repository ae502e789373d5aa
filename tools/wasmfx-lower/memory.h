/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_MEMORY_H
#define WASMFX_LOWER_MEMORY_H
/** @file memory.h  Memory with a limit: whatever the input says, the program takes no more than was set beforehand. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wl_block;

struct wl_memory {
  struct wl_block *blocks; /* all that was given and not taken back */
  size_t left;             /* bytes that may still be given */
  size_t given, most;      /* bytes: now, and at the worst */
};

/**
 * Makes a block larger, or a new one of NULL; what is added is zero.
 * Answers NULL where it would be too much, and then `block` is what it was.
 */
void *wl_resize(struct wl_memory *memory, void *block, size_t bytes);

/** A new block of `count` times `size` bytes, at least one, all zero; NULL where it would be too much. */
void *wl_allocate(struct wl_memory *memory, size_t count, size_t size);

/** Takes all blocks back. */
void wl_free_all(struct wl_memory *memory);

/** A growing array: `count` items of which there is room for `room`. */
struct wl_array {
  void *items;
  uint32_t count, room;
};

/** Room for `more` items of `size` bytes; false where it would be too much. */
bool wl_make_room_for(struct wl_memory *memory, struct wl_array *array, size_t size, uint32_t more);
/** The same for one. */
bool wl_make_room(struct wl_memory *memory, struct wl_array *array, size_t size);

#endif
