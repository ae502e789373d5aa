/* SPDX-License-Identifier: Apache-2.0 */
/* The default policy: slabs of one reservation for each class. The dense one, which packs small stacks. And the host's
 * allocator as another. */
#include "stackpool.h"

#include <string.h>

#include "valgrind.h"

#define SLAB_SLOTS 64u
#define MIN_STACK_BYTES ((size_t)16384)
#define MIN_DENSE_BYTES ((size_t)2048)
#define MAX_PACKED_BYTES ((size_t)4096) /* above, what is not used would have memory as well */
#define MAX_STACK_BYTES ((size_t)1 << 40)
#define MAX_RANGE_BYTES (SIZE_MAX / 4)
#define CACHE_LINE ((size_t)64)
#define LINE_PAIR (2 * CACHE_LINE) /* which processors fetch together */
#define PACKED_SLAB_BYTES ((size_t)2 << 20) /* a huge page */

/* Colours: a stride that is coprime to their number visits each, far from its neighbours. */
#define COLOURS 32u
#define COLOUR_STRIDE 13u

static size_t round_up(size_t bytes, size_t unit)
{
  return (bytes + unit - 1) / unit * unit;
}

static struct wfx_stack_list *list_of(const struct wfx_stackpool *pool, uint32_t stack_class, uint32_t tenant)
{
  if (stack_class == 0 && tenant == 0)
    return pool->front;
  return &pool->lists[(size_t)stack_class * pool->config->tenants + tenant];
}

static void push(struct wfx_stack_list *list, struct wfx_stack *stack)
{
  stack->next = list->top;
  list->top = stack;
  list->may_keep--;
}

static struct wfx_stack *pop(struct wfx_stack_list *list)
{
  struct wfx_stack *stack = list->top;
  if (stack) {
    list->top = stack->next;
    list->may_keep++;
  }
  return stack;
}

/* ---- Life ------------------------------------------------------------------------------ */

static size_t lists_bytes(const struct wfx_stackpool *pool)
{
  return (size_t)WASMFX_STACK_CLASSES * pool->config->tenants * sizeof *pool->lists;
}

static size_t usable_bytes(const struct wfx_stackpool *pool, bool is_packed, size_t stack_bytes)
{
  const bool is_dense = pool->config->stack_policy == WASMFX_STACKS_DENSE;
  if (is_packed)
    return ((stack_bytes / LINE_PAIR - 1) | 1) * LINE_PAIR;
  return round_up(stack_bytes, is_dense && pool->config->stack_allocator.allocate ? CACHE_LINE : pool->os->page_bytes);
}

static bool init_class(struct wfx_stackpool *pool, struct wfx_stack_class *class, size_t stack_bytes,
                       size_t extra_frames)
{
  const bool is_dense = pool->config->stack_policy == WASMFX_STACKS_DENSE;
  if (stack_bytes < (is_dense ? MIN_DENSE_BYTES : MIN_STACK_BYTES) || stack_bytes > MAX_STACK_BYTES)
    return false;
  class->is_packed = is_dense && !pool->config->stack_allocator.allocate && stack_bytes <= MAX_PACKED_BYTES;
  class->usable_bytes = usable_bytes(pool, class->is_packed, stack_bytes + (is_dense ? extra_frames : 0));
  class->slot_bytes = class->usable_bytes + pool->guard_bytes;
  return pool->config->max_stacks <= MAX_RANGE_BYTES / class->slot_bytes;
}

wasmfx_status_t wfx_stackpool_init(struct wfx_stackpool *pool, struct wfx_os *os,
                                   const wasmfx_runtime_config_t *config, struct wfx_stack_extras extras,
                                   struct wfx_stack_list *front)
{
  memset(pool, 0, sizeof *pool);
  pool->os = os;
  pool->config = config;
  pool->front = front;
  /* What is asked for is only tried: the kernel has the last word. */
  pool->guard = config->guard == WASMFX_GUARD_LIGHT ? WASMFX_GUARD_AUTO : config->guard;
  pool->lives = (uint64_t)1 << 63;
  if (config->guard_bytes > MAX_STACK_BYTES)
    return WASMFX_ERROR_ARGUMENT;
  if (!wfx_stackpool_guards(config)) {
    pool->guard = WASMFX_GUARD_NONE;
    pool->reserve_bytes = extras.reserve;
  } else
    pool->guard_bytes = round_up(config->guard_bytes ? config->guard_bytes : 1, os->page_bytes);
  pool->is_simple = config->tenants == 1 && !config->stack_allocator.allocate;
  for (unsigned i = 0; i < WASMFX_STACK_CLASSES; i++)
    if (!init_class(pool, &pool->classes[i], config->stack_bytes[i], extras.frames))
      return WASMFX_ERROR_ARGUMENT;
  pool->lists = config->allocator.allocate(config->allocator.context, lists_bytes(pool));
  if (!pool->lists)
    return WASMFX_ERROR_NO_MEMORY;
  memset(pool->lists, 0, lists_bytes(pool));
  for (uint32_t i = 0; i < WASMFX_STACK_CLASSES; i++)
    for (uint32_t tenant = 0; tenant < config->tenants; tenant++)
      list_of(pool, i, tenant)->may_keep = config->cached_stacks;
  return WASMFX_OK;
}

void wfx_stackpool_release_leaving(struct wfx_stackpool *pool)
{
  struct wfx_stack *stack = pool->leaving;
  pool->leaving = NULL;
  pool->gone++;
  wfx_valgrind_deregister(stack);
  wfx_valgrind_forget(stack);
  const wasmfx_stack_allocator_t *host = &pool->config->stack_allocator;
  host->release(host->context, stack->memory, pool->classes[stack->stack_class].usable_bytes, stack->tenant);
}

/* All that are not in use. */
static void deregister(const struct wfx_stackpool *pool)
{
  for (uint32_t i = 0; i < WASMFX_STACK_CLASSES; i++)
    for (uint32_t tenant = 0; tenant < pool->config->tenants; tenant++)
      for (struct wfx_stack *stack = list_of(pool, i, tenant)->top; stack; stack = stack->next)
        wfx_valgrind_deregister(stack);
}

void wfx_stackpool_destroy(struct wfx_stackpool *pool)
{
  if (!pool->config)
    return;
  wfx_stackpool_make_way(pool);
  if (pool->lists && wfx_valgrind_watches())
    deregister(pool);
  for (unsigned i = 0; i < WASMFX_STACK_CLASSES; i++)
    if (pool->classes[i].range)
      wfx_os_release(pool->os, pool->classes[i].range, pool->classes[i].range_bytes);
  if (pool->lists)
    pool->config->allocator.release(pool->config->allocator.context, pool->lists, lists_bytes(pool));
}

size_t wfx_stackpool_cached(const struct wfx_stackpool *pool)
{
  size_t count = pool->leaving ? 1 : 0;
  for (uint32_t i = 0; i < WASMFX_STACK_CLASSES; i++)
    for (uint32_t tenant = 0; tenant < pool->config->tenants; tenant++)
      count += (size_t)(pool->config->cached_stacks - list_of(pool, i, tenant)->may_keep);
  return count;
}

/* ---- Slots and slabs --------------------------------------------------------------------- */

static size_t trimmed_bytes(const struct wfx_stackpool *pool, uint32_t slots)
{
  return round_up(slots * sizeof(uint32_t), pool->os->page_bytes);
}

/* Reserves as many slots as there are addresses for, down to one slab. */
static wasmfx_status_t reserve_class(struct wfx_stackpool *pool, struct wfx_stack_class *class)
{
  uint32_t slots = pool->config->max_stacks;
  const size_t unit = class->is_packed ? PACKED_SLAB_BYTES : 1; /* where slots begin and end */
  for (;; slots /= 2) {
    const size_t bytes = trimmed_bytes(pool, slots) + round_up(slots * class->slot_bytes, unit) + unit - 1;
    void *range = NULL;
    const wasmfx_status_t status = wfx_os_reserve(pool->os, bytes, &range);
    if (status == WASMFX_OK) {
      class->range = range;
      class->range_bytes = bytes;
      class->slots = (char *)round_up((uintptr_t)range + trimmed_bytes(pool, slots), unit);
      class->trimmed = range;
      class->slot_count = slots;
      pool->reservations++;
      return WASMFX_OK;
    }
    if (status != WASMFX_ERROR_NO_ADDRESS_SPACE || slots <= SLAB_SLOTS)
      return status;
  }
}

/* Asks the kernel once, and not again after it has answered. */
static wasmfx_status_t choose_guard(struct wfx_stackpool *pool)
{
  if (pool->guard != WASMFX_GUARD_AUTO)
    return WASMFX_OK;
  bool light = false;
  const wasmfx_status_t status = wfx_os_probe_light_guards(pool->os, &light);
  if (status == WASMFX_OK)
    pool->guard = light ? WASMFX_GUARD_LIGHT : WASMFX_GUARD_PROTECT;
  return status;
}

static char *slot_at(const struct wfx_stack_class *class, uint32_t slot)
{
  return class->slots + slot * class->slot_bytes;
}

/* Light guards are put into memory; with mprotect the guard is the part that stays without memory. */
static wasmfx_status_t ready_slot(struct wfx_stackpool *pool, struct wfx_stack_class *class, uint32_t slot)
{
  char *low = slot_at(class, slot);
  if (pool->guard == WASMFX_GUARD_LIGHT)
    return wfx_os_guard(pool->os, low, pool->guard_bytes);
  if (pool->guard == WASMFX_GUARD_PROTECT)
    return wfx_os_commit(pool->os, low + pool->guard_bytes, class->usable_bytes);
  return WASMFX_OK;
}

/* So that putting a stack back never needs memory. */
static wasmfx_status_t ready_trimmed(struct wfx_stackpool *pool, struct wfx_stack_class *class, uint32_t slots)
{
  const size_t bytes = trimmed_bytes(pool, slots);
  if (bytes <= class->trimmed_committed)
    return WASMFX_OK;
  const wasmfx_status_t status = wfx_os_commit(pool->os, class->range, bytes);
  if (status == WASMFX_OK)
    class->trimmed_committed = bytes;
  return status;
}

/* A slab gets its memory by small pages, as it is used. When it is full, and the next one begins, it becomes a huge
 * one. */
static wasmfx_status_t ready_packed_slab(struct wfx_stackpool *pool, struct wfx_stack_class *class)
{
  char *slab = class->slots + class->packed_committed;
  const wasmfx_status_t status = wfx_os_commit(pool->os, slab, PACKED_SLAB_BYTES);
  if (status < 0)
    return status;
  if (class->packed_committed)
    wfx_os_make_huge_pages(pool->os, slab - PACKED_SLAB_BYTES, PACKED_SLAB_BYTES);
  class->packed_committed += PACKED_SLAB_BYTES;
  const size_t ready = class->packed_committed / class->slot_bytes;
  class->ready = ready < class->slot_count ? (uint32_t)ready : class->slot_count;
  return WASMFX_OK;
}

/* Readies the next slab; a part of one is good enough. */
static wasmfx_status_t ready_slab(struct wfx_stackpool *pool, struct wfx_stack_class *class)
{
  uint32_t slots = class->slot_count - class->ready;
  if (slots == 0)
    return class->slot_count < pool->config->max_stacks ? WASMFX_ERROR_NO_ADDRESS_SPACE : WASMFX_ERROR_LIMIT;
  if (class->is_packed)
    return ready_packed_slab(pool, class);
  if (slots > SLAB_SLOTS)
    slots = SLAB_SLOTS;
  wasmfx_status_t status = ready_trimmed(pool, class, class->ready + slots);
  if (status == WASMFX_OK && pool->guard != WASMFX_GUARD_PROTECT)
    status = wfx_os_commit(pool->os, slot_at(class, class->ready), slots * class->slot_bytes);
  uint32_t done = 0;
  while (status == WASMFX_OK && done < slots) {
    status = ready_slot(pool, class, class->ready + done);
    done += status == WASMFX_OK;
  }
  class->ready += done;
  return done ? WASMFX_OK : status;
}

static struct wfx_stack *put_header(struct wfx_stackpool *pool, uint32_t stack_class, uint32_t tenant, uint32_t slot)
{
  struct wfx_stack_class *class = &pool->classes[stack_class];
  char *low = slot_at(class, slot), *top = low + class->slot_bytes;
  const size_t colour = class->is_packed ? 0 : slot * COLOUR_STRIDE % COLOURS * CACHE_LINE;
  struct wfx_stack *stack = (struct wfx_stack *)(void *)(top - colour) - 1;
  stack->low = low + pool->guard_bytes + pool->reserve_bytes;
  stack->reserve = (uint8_t)(pool->reserve_bytes / WFX_RESERVE_UNIT);
  stack->tenant = tenant;
  stack->stack_class = (uint16_t)stack_class;
  stack->slot = slot;
  stack->life = ++pool->lives;
  wfx_valgrind_register(stack);
  return stack;
}

/* ---- Memory that goes back --------------------------------------------------------------------- */

/* How many neighbours give their memory back by one request: their number hardly matters, that of the requests does. */
#define MAX_DUE 16

/* It reads as zero afterwards; by hand where the system refuses. */
static void discard(struct wfx_stackpool *pool, char *low, size_t bytes)
{
  if (!wfx_os_discard(pool->os, low, bytes))
    memset(low, 0, bytes);
}

/* The guards between them stay. */
static void discard_due(struct wfx_stackpool *pool, struct wfx_stack_class *class)
{
  const uint32_t count = class->due_count;
  char *low = slot_at(class, class->due) + pool->guard_bytes;
  class->due_count = 0;
  if (count == 0 || wfx_os_discard(pool->os, low, count * class->slot_bytes - pool->guard_bytes))
    return;
  for (uint32_t i = 0; i < count; i++)
    discard(pool, low + i * class->slot_bytes, class->usable_bytes);
}

static void make_due(struct wfx_stackpool *pool, struct wfx_stack_class *class, uint32_t slot)
{
  const bool is_above = slot == class->due + class->due_count, is_below = slot + 1 == class->due;
  if (!is_above && !is_below)
    discard_due(pool, class);
  if (class->due_count == 0 || is_below)
    class->due = slot;
  if (++class->due_count == MAX_DUE)
    discard_due(pool, class);
}

/* ---- Clean ones ------------------------------------------------------------------------------------ */

/* A stack that holds nothing of anybody: one that was trimmed, or that never was. */
static wasmfx_status_t get_clean(struct wfx_stackpool *pool, uint32_t stack_class, uint32_t tenant,
                                 struct wfx_stack **stack)
{
  struct wfx_stack_class *class = &pool->classes[stack_class];
  if (class->trimmed_count) {
    discard_due(pool, class);
    pool->trimmed--;
    *stack = put_header(pool, stack_class, tenant, class->trimmed[--class->trimmed_count]);
    return WASMFX_OK;
  }
  wasmfx_status_t status = WASMFX_OK;
  if (!class->range) {
    status = choose_guard(pool);
    if (status == WASMFX_OK)
      status = reserve_class(pool, class);
  }
  if (status == WASMFX_OK && class->used == class->ready)
    status = ready_slab(pool, class);
  if (status < 0)
    return status;
  pool->made++;
  *stack = put_header(pool, stack_class, tenant, class->used++);
  return WASMFX_OK;
}

/* ---- Crossing tenants, trimming -------------------------------------------------------------- */

static char *top_page(const struct wfx_stackpool *pool, const struct wfx_stack *stack)
{
  return (char *)((uintptr_t)stack / pool->os->page_bytes * pool->os->page_bytes);
}

/* Everything below the header: in the page of the header by hand, the rest goes back to the system. Packed ones have
 * pages together with others. */
static void wipe(struct wfx_stackpool *pool, struct wfx_stack *stack)
{
  char *floor = stack->low - pool->reserve_bytes, *page = top_page(pool, stack);
  if (page <= floor || pool->classes[stack->stack_class].is_packed)
    page = floor;
  else
    discard(pool, floor, (size_t)(page - floor));
  memset(page, 0, (size_t)((char *)stack - page));
  pool->wipes++;
}

static struct wfx_stack *cross_tenants(struct wfx_stackpool *pool, uint32_t stack_class, uint32_t tenant)
{
  for (uint32_t other = 0; other < pool->config->tenants; other++) {
    struct wfx_stack *stack = pop(list_of(pool, stack_class, other));
    if (!stack)
      continue;
    wfx_valgrind_forget(stack);
    wipe(pool, stack);
    stack->tenant = tenant;
    return stack;
  }
  return NULL;
}

/* Takes the memory of the second in the list: the first is the one that may still be stood on. */
static void trim_second(struct wfx_stackpool *pool, struct wfx_stack_list *list)
{
  struct wfx_stack *second = list->top->next;
  struct wfx_stack_class *class = &pool->classes[second->stack_class];
  list->top->next = second->next;
  list->may_keep++;
  class->trimmed[class->trimmed_count++] = second->slot;
  pool->trimmed++;
  pool->trims++;
  wfx_valgrind_deregister(second);
  wfx_valgrind_forget(second);
  make_due(pool, class, second->slot);
}

/* ---- The host's allocator ------------------------------------------------------------------------ */

static wasmfx_status_t get_from_host(struct wfx_stackpool *pool, uint32_t stack_class, uint32_t tenant,
                                     struct wfx_stack **out)
{
  const wasmfx_stack_allocator_t *host = &pool->config->stack_allocator;
  const size_t bytes = pool->classes[stack_class].usable_bytes;
  wfx_stackpool_make_way(pool);
  char *memory = host->allocate(host->context, bytes, tenant);
  if (!memory)
    return WASMFX_ERROR_NO_MEMORY;
  const uintptr_t top = ((uintptr_t)memory + bytes) / CACHE_LINE * CACHE_LINE;
  struct wfx_stack *stack = (struct wfx_stack *)top - 1;
  *stack = (struct wfx_stack){
    .low = memory + pool->reserve_bytes, .reserve = (uint8_t)(pool->reserve_bytes / WFX_RESERVE_UNIT),
    .memory = memory, .tenant = tenant,
    .stack_class = (uint16_t)stack_class, .life = ++pool->lives
  };
  pool->made++;
  wfx_valgrind_register(stack);
  *out = stack;
  return WASMFX_OK;
}

/* The continuation that it was may still be standing on it: the host gets it when the next one goes. */
static void put_to_host(struct wfx_stackpool *pool, struct wfx_stack *stack)
{
  wfx_stackpool_make_way(pool);
  pool->leaving = stack;
}

/* ---- Get and put ------------------------------------------------------------------------------------ */

wasmfx_status_t wfx_stackpool_get(struct wfx_stackpool *pool, uint32_t stack_class, uint32_t tenant,
                                  struct wfx_stack **stack)
{
  if (pool->config->stack_allocator.allocate)
    return get_from_host(pool, stack_class, tenant, stack);
  *stack = pop(list_of(pool, stack_class, tenant));
  if (*stack)
    return WASMFX_OK;
  const wasmfx_status_t status = get_clean(pool, stack_class, tenant, stack);
  if (status == WASMFX_OK)
    return WASMFX_OK;
  *stack = cross_tenants(pool, stack_class, tenant);
  return *stack ? WASMFX_OK : status;
}

void wfx_stackpool_put_slowly(struct wfx_stackpool *pool, struct wfx_stack *stack)
{
  if (pool->config->stack_allocator.allocate) {
    put_to_host(pool, stack);
    return;
  }
  struct wfx_stack_list *list = list_of(pool, stack->stack_class, stack->tenant);
  stack->life = ++pool->lives;
  push(list, stack);
  if (list->may_keep < 0 && !pool->keeps_all && !pool->classes[stack->stack_class].is_packed)
    trim_second(pool, list);
}
