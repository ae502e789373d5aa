/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of bytes, each kept once: a hash table with open addressing, never more than half full. */
#include "intern.h"

#include <string.h>

enum { FIRST_SLOTS = 32 };

static uint32_t hash_of(const uint8_t *bytes, uint32_t length)
{
  uint64_t hash = length;
  for (uint32_t i = 0; i < length; i++) {
    hash = (hash ^ bytes[i]) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  return (uint32_t)(hash >> 16);
}

/* Where the item is, or where it would be. */
static uint32_t *find(const struct wl_interner *interner, const uint8_t *bytes, uint32_t length)
{
  uint32_t slot = hash_of(bytes, length) & (interner->room - 1);
  for (; interner->slots[slot]; slot = (slot + 1) & (interner->room - 1)) {
    const struct wl_interned *item = wl_interned(interner, interner->slots[slot] - 1);
    if (item->length == length && (!length || memcmp(wl_interned_bytes(interner, item), bytes, length) == 0))
      break;
  }
  return &interner->slots[slot];
}

static bool grow(struct wl_memory *memory, struct wl_interner *interner)
{
  const uint32_t room = interner->room ? interner->room * 2 : FIRST_SLOTS;
  uint32_t *slots = wl_resize(memory, interner->slots, room * sizeof *slots);
  if (!slots)
    return false;
  memset(slots, 0, room * sizeof *slots);
  interner->slots = slots;
  interner->room = room;
  for (uint32_t i = 0; i < interner->items.count; i++) {
    const struct wl_interned *item = wl_interned(interner, i);
    *find(interner, wl_interned_bytes(interner, item), item->length) = i + 1;
  }
  return true;
}

static struct wl_interned *append(struct wl_memory *memory, struct wl_interner *interner, const uint8_t *bytes,
                                  uint32_t length)
{
  for (uint32_t i = 0; i < length; i++) {
    if (!wl_make_room(memory, &interner->bytes, 1))
      return NULL;
    ((uint8_t *)interner->bytes.items)[interner->bytes.count++] = bytes[i];
  }
  if (!wl_make_room(memory, &interner->items, sizeof(struct wl_interned)))
    return NULL;
  struct wl_interned *item = wl_interned(interner, interner->items.count++);
  *item = (struct wl_interned){ interner->bytes.count - length, length, 0 };
  return item;
}

struct wl_interned *wl_intern(struct wl_memory *memory, struct wl_interner *interner, const void *bytes,
                              uint32_t length, bool *is_new)
{
  if (interner->items.count * 2 >= interner->room && !grow(memory, interner))
    return NULL;
  uint32_t *slot = find(interner, bytes, length);
  *is_new = !*slot;
  if (*slot)
    return wl_interned(interner, *slot - 1);
  struct wl_interned *item = append(memory, interner, bytes, length);
  if (item)
    *slot = interner->items.count;
  return item;
}
