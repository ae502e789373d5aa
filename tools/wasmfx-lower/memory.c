/* SPDX-License-Identifier: Apache-2.0 */
/* Memory with a limit. */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

struct wl_block {
  struct wl_block *next, **link; /* `link` is what points here */
  size_t bytes;                  /* of the items, without this */
  max_align_t items[];
};

enum { FIRST_ROOM = 16 };

static struct wl_block *block_of(void *items)
{
  return items ? (struct wl_block *)(void *)((char *)items - offsetof(struct wl_block, items)) : NULL;
}

static void enter(struct wl_memory *memory, struct wl_block *block)
{
  block->next = memory->blocks;
  block->link = &memory->blocks;
  if (block->next)
    block->next->link = &block->next;
  memory->blocks = block;
}

static void leave(struct wl_block *block)
{
  *block->link = block->next;
  if (block->next)
    block->next->link = block->link;
}

static void count(struct wl_memory *memory, size_t more)
{
  memory->left -= more;
  memory->given += more;
  if (memory->given > memory->most)
    memory->most = memory->given;
}

void *wl_resize(struct wl_memory *memory, void *items, size_t bytes)
{
  struct wl_block *old = block_of(items);
  const size_t before = old ? old->bytes : 0;
  const size_t more = bytes - before + (old ? 0 : sizeof(struct wl_block));
  if (bytes < before || bytes > SIZE_MAX / 2 || more > memory->left)
    return NULL;
  if (old)
    leave(old);
  struct wl_block *block = realloc(old, sizeof *block + bytes);
  if (!block) {
    if (old)
      enter(memory, old);
    return NULL;
  }
  memset((char *)block->items + before, 0, bytes - before);
  block->bytes = bytes;
  enter(memory, block);
  count(memory, more);
  return block->items;
}

void *wl_allocate(struct wl_memory *memory, size_t items, size_t size)
{
  if (items > SIZE_MAX / 2 / size)
    return NULL;
  return wl_resize(memory, NULL, items ? items * size : size);
}

void wl_free_all(struct wl_memory *memory)
{
  while (memory->blocks) {
    struct wl_block *block = memory->blocks;
    memory->blocks = block->next;
    free(block);
  }
  memory->left += memory->given;
  memory->given = 0;
}

/* By a half each time, so that what is given stays in proportion to what is used. */
bool wl_make_room_for(struct wl_memory *memory, struct wl_array *array, size_t size, uint32_t more)
{
  if (more <= array->room - array->count)
    return true;
  uint64_t room = array->room ? array->room + array->room / 2 : FIRST_ROOM;
  if (room < (uint64_t)array->count + more)
    room = (uint64_t)array->count + more;
  void *items = room <= UINT32_MAX ? wl_resize(memory, array->items, room * size) : NULL;
  if (!items)
    return false;
  array->items = items;
  array->room = (uint32_t)room;
  return true;
}

bool wl_make_room(struct wl_memory *memory, struct wl_array *array, size_t size)
{
  return array->count < array->room || wl_make_room_for(memory, array, size, 1);
}
