/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a runtime, its counters; roots, barriers and marks in the chain. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "runtime.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wasmfx/abi.h>

#include "handler.h"
#include "stackpool/valgrind.h"

#define DEFAULT_MAX_CONTS (1u << 24)
#define SLOT_LIMIT (1ull << 28)
#define DEFAULT_MAX_STACKS (1u << 20)
#define MAX_CONFIG_BYTES 4096
#define DEFAULT_HOST_STACK_BYTES 8192 /* printf of a number takes a good half of it */
#define LEAST_BESIDE_BYTES 8192 /* for the library and the bodies */
#define MAX_HOST_STACK_BYTES ((size_t)1 << 30)
#define LEAST_BESIDE_DENSE_BYTES 2048
#ifdef WFX_ANNOUNCE
#define EXTRA_DENSE_BYTES ((size_t)16384) /* for the frames of a sanitizer */
#else
#define EXTRA_DENSE_BYTES ((size_t)2 * (WFX_STACK_ROOM - 1024)) /* for those that nobody has optimized */
#endif
#define DEFAULT_CACHED_STACKS (1u << 14)
#define SPARE_SLOTS (1u << 20) /* for roots and barriers, and in place of slots that are retired */

static const size_t default_stack_bytes[WASMFX_STACK_CLASSES] = { 64 << 10, 16 << 10, 256 << 10, 1 << 20 };
static const size_t default_dense_bytes[WASMFX_STACK_CLASSES] = { 2 << 10, 4 << 10, 16 << 10, 64 << 10 };

/* ---- Memory ----------------------------------------------------------------------- */

static void *allocate_from_libc(void *context, size_t bytes)
{
  (void)context;
  return malloc(bytes);
}

static void release_to_libc(void *context, void *block, size_t bytes)
{
  (void)context;
  (void)bytes;
  free(block);
}

void *wfx_allocate(struct wasmfx_runtime *rt, size_t bytes)
{
  struct wfx_house *house = rt->house;
  house->allocations++;
  const void *outer = wfx_host_call_begin();
  void *block = house->config.allocator.allocate(house->config.allocator.context, bytes);
  wfx_host_call_end(outer);
  return block;
}

void wfx_release(struct wasmfx_runtime *rt, void *block, size_t bytes)
{
  struct wfx_house *house = rt->house;
  if (!block)
    return;
  const void *outer = wfx_host_call_begin();
  house->config.allocator.release(house->config.allocator.context, block, bytes);
  wfx_host_call_end(outer);
}

/* What the pool takes for the host's. */
static void *allocate_stack(void *context, size_t bytes, uint32_t tenant)
{
  const wasmfx_stack_allocator_t *host = context;
  const void *outer = wfx_host_call_begin();
  void *memory = host->allocate(host->context, bytes, tenant);
  wfx_host_call_end(outer);
  return memory;
}

static void release_stack(void *context, void *memory, size_t bytes, uint32_t tenant)
{
  const wasmfx_stack_allocator_t *host = context;
  const void *outer = wfx_host_call_begin();
  host->release(host->context, memory, bytes, tenant);
  wfx_host_call_end(outer);
}

void wfx_release_values(struct wasmfx_runtime *rt, void *block, size_t bytes)
{
  if (block && rt->house->config.tenants > 1)
    memset(block, 0, bytes);
  wfx_release(rt, block, bytes);
}

wasmfx_status_t wfx_inbox_reserve(struct wasmfx_runtime *rt, size_t count)
{
  struct wfx_house *house = rt->house;
  if (count <= house->inbox_count)
    return WASMFX_OK;
  wasmfx_value_t *inbox = wfx_allocate(rt, count * sizeof *inbox);
  if (!inbox)
    return WASMFX_ERROR_NO_MEMORY;
  memset(inbox, 0, count * sizeof *inbox);
  wfx_release_values(rt, house->inbox, house->inbox_count * sizeof *inbox);
  house->inbox = inbox;
  house->inbox_count = count;
  return WASMFX_OK;
}

/* ---- Configuration ------------------------------------------------------------------ */

/* Whether a caller that knows more fields than this library has left them all at their defaults. */
static bool is_zero(const char *bytes, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (bytes[i])
      return false;
  return true;
}

static bool calls_host(const wasmfx_runtime_config_t *config)
{
  return config->allocator.allocate || config->stack_allocator.allocate || config->switched || config->died;
}

/* By whole steps where it is touched. */
static uint32_t stack_room(const wasmfx_runtime_config_t *config)
{
  const uint32_t step = wfx_stackpool_guards(config) ? WFX_STACK_STEP : 2 * WFX_STACK_ROOM_COMPARED;
  return WFX_STACK_ROOM + ((uint32_t)config->host_stack_bytes + step - 1) / step * step;
}

static bool is_dense(const wasmfx_runtime_config_t *config)
{
  return config->stack_policy == WASMFX_STACKS_DENSE;
}

static size_t default_bytes(const wasmfx_runtime_config_t *config, unsigned stack_class)
{
  return is_dense(config) ? default_dense_bytes[stack_class] + config->host_stack_bytes
                          : default_stack_bytes[stack_class];
}

/* Whether each class leaves something to the bodies. */
static bool leaves_stack(const wasmfx_runtime_config_t *config)
{
  const size_t least = is_dense(config) ? LEAST_BESIDE_DENSE_BYTES : LEAST_BESIDE_BYTES;
  if (config->host_stack_bytes > MAX_HOST_STACK_BYTES)
    return false;
  for (unsigned i = 0; i < WASMFX_STACK_CLASSES; i++)
    if (config->stack_bytes[i] < least || config->stack_bytes[i] - least < config->host_stack_bytes)
      return false;
  return true;
}

static wasmfx_status_t read_config(const wasmfx_runtime_config_t *given, wasmfx_runtime_config_t *config)
{
  wasmfx_runtime_config_init(config);
  if (given) {
    const size_t known = given->size < sizeof *config ? given->size : sizeof *config;
    if (known < offsetof(wasmfx_runtime_config_t, stack_allocator) || known % _Alignof(wasmfx_runtime_config_t) ||
        given->size > MAX_CONFIG_BYTES || !is_zero((const char *)given + known, given->size - known))
      return WASMFX_ERROR_ARGUMENT;
    memcpy(config, given, known);
  }
  if (!config->allocator.allocate != !config->allocator.release ||
      !config->stack_allocator.allocate != !config->stack_allocator.release || config->guard > WASMFX_GUARD_NONE)
    return WASMFX_ERROR_ARGUMENT;
  if (config->stack_policy > WASMFX_STACKS_DENSE || config->reserved ||
      (is_dense(config) && (config->guard_bytes || (config->guard && config->guard != WASMFX_GUARD_NONE))))
    return WASMFX_ERROR_ARGUMENT;
  if (config->host_stack_bytes == 0 && calls_host(config))
    config->host_stack_bytes = DEFAULT_HOST_STACK_BYTES;
  if (!config->allocator.allocate) {
    config->allocator.allocate = allocate_from_libc;
    config->allocator.release = release_to_libc;
  }
  for (unsigned i = 0; i < WASMFX_STACK_CLASSES; i++)
    if (config->stack_bytes[i] == 0)
      config->stack_bytes[i] = default_bytes(config, i);
  if (config->max_conts == 0)
    config->max_conts = DEFAULT_MAX_CONTS;
  if (config->max_stacks == 0)
    config->max_stacks = DEFAULT_MAX_STACKS;
  if (config->cached_stacks == 0)
    config->cached_stacks = DEFAULT_CACHED_STACKS;
  if (config->tenants == 0)
    config->tenants = 1;
  return config->max_conts < SLOT_LIMIT && leaves_stack(config) ? WASMFX_OK : WASMFX_ERROR_ARGUMENT;
}

/* ---- Life --------------------------------------------------------------------------- */

static const struct wfx_stack_extras stack_extras = { WFX_STACK_RESERVE, EXTRA_DENSE_BYTES };

/* Where the numbering of references starts: a point of its own in the lower half of the revisions for each runtime. */
static uint64_t draw_first_revision(const void *arena)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t x = (uint64_t)(uintptr_t)arena ^ (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u; /* the mixing of splitmix64 */
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  x ^= x >> 31;
  return (x >> WFX_REVISION_SHIFT | 1) << WFX_REVISION_SHIFT & ~((uint64_t)1 << 63);
}

static wasmfx_status_t make_arena(struct wfx_house *house, struct wasmfx_runtime **rt)
{
  const size_t page_slots = house->os.page_bytes >> WFX_OBJECT_SHIFT;
  const size_t wanted = (size_t)house->config.max_conts + house->config.max_conts / 8 + SPARE_SLOTS;
  const size_t slots = (wanted + page_slots - 1) / page_slots * page_slots;
  void *arena = NULL;
  wasmfx_status_t status = wfx_os_reserve(&house->os, slots << WFX_OBJECT_SHIFT, &arena);
  if (status < 0)
    return status;
  status = wfx_os_commit(&house->os, arena, house->os.page_bytes);
  if (status < 0) {
    wfx_os_release(&house->os, arena, slots << WFX_OBJECT_SHIFT);
    return status;
  }
  house->arena_bytes = slots << WFX_OBJECT_SHIFT;
  house->arena_slots = (uint32_t)slots;
  house->committed_slots = (uint32_t)page_slots;
  house->first_revision = draw_first_revision(arena);
  *rt = arena;
  return WASMFX_OK;
}

static void init_hot_part(struct wasmfx_runtime *rt, struct wfx_house *house)
{
  struct wfx_object *root = wfx_host_root(rt);
  root->handlers = &wfx_root;
  rt->null_ref = ~WASMFX_NULL_CONT;
  rt->current = root;
  rt->object_count = 2;
  rt->stack_room = stack_room(&house->config);
  if (!wfx_stackpool_guards(&house->config))
    rt->stack_room |= WFX_STACK_ROOM_COMPARED;
  rt->house = house;
#ifdef WFX_ANNOUNCE
  rt->careful |= WFX_CAREFUL_ANNOUNCE;
#endif
  if (house->config.switched)
    rt->careful |= WFX_CAREFUL_HOOK;
  if (house->config.float_control)
    rt->careful |= WFX_CAREFUL_FLOAT;
  rt->short_count = rt->careful ? 0 : rt->object_count;
}

/* Not inlined: its frame is large, so that others make sure of the stack. */
static __attribute__((noinline)) void dismantle(struct wasmfx_runtime *rt)
{
  struct wfx_house *house = rt->house, last;
  wfx_announce_end(rt);
  while (house->members)
    wfx_member_free(house->members);
  wfx_release_values(rt, house->inbox, house->inbox_count * sizeof *house->inbox);
  wfx_stackpool_destroy(&house->stacks);
  last = *house; /* for who visits while its block goes back */
  /* cppcheck-suppress autoVariables; the runtime goes before this does */
  rt->house = &last;
  wfx_release(rt, house, sizeof *house);
  wfx_os_release(&last.os, rt, last.arena_bytes);
}

static struct wfx_house *make_house(const wasmfx_runtime_config_t *config)
{
  struct wfx_house *house = config->allocator.allocate(config->allocator.context, sizeof *house);
  if (!house)
    return NULL;
  memset(house, 0, sizeof *house);
  house->config = *config;
  house->may_be_made = config->max_conts;
  house->host_stacks = config->stack_allocator;
  if (config->stack_allocator.allocate)
    house->config.stack_allocator = (wasmfx_stack_allocator_t){ allocate_stack, release_stack, &house->host_stacks };
  house->allocations = 2; /* this one, and the one that the pool makes */
  house->stacks_are_watched = WFX_HAS_STACKS_WATCHED || wfx_valgrind_watches();
  wfx_os_init(&house->os);
  return house;
}

static wasmfx_status_t make(const wasmfx_runtime_config_t *config, wasmfx_runtime_t **out)
{
  struct wfx_house *house = make_house(config);
  if (!house)
    return WASMFX_ERROR_NO_MEMORY;
  struct wasmfx_runtime *rt = NULL;
  wasmfx_status_t status = make_arena(house, &rt);
  if (status < 0) {
    config->allocator.release(config->allocator.context, house, sizeof *house);
    return status;
  }
  init_hot_part(rt, house);
  status = wfx_inbox_reserve(rt, 4);
  if (status == WASMFX_OK)
    status = wfx_stackpool_init(&house->stacks, &house->os, &house->config, stack_extras, &rt->free_stacks);
  if (status < 0) {
    dismantle(rt);
    return status;
  }
  *out = rt;
  return WASMFX_OK;
}

/* What is made and freed in the continuation of another runtime, is made and freed in one piece. */
wasmfx_status_t wasmfx_runtime_new(const wasmfx_runtime_config_t *given, wasmfx_runtime_t **out)
{
  wasmfx_runtime_config_t config;
  *out = NULL;
  wasmfx_status_t status = read_config(given, &config);
  if (status < 0)
    return status;
  wfx_probe_stack(stack_room(&config) + WFX_STACK_MORE_ROOM);
  const void *outer = wfx_host_call_begin();
  status = make(&config, out);
  wfx_host_call_end(outer);
  return status;
}

/* What lies in the arena: the dead leave at most a buffer, the rest is suspended or fresh, or in the chain of such a
 * one. */
static void empty_arena(struct wasmfx_runtime *rt)
{
  struct wfx_object *objects = wfx_host_root(rt);
  rt->house->stacks.keeps_all = true;
  for (uint32_t i = 1; i + 1 < rt->object_count; i++) {
    if (wfx_object_is_held(rt, &objects[i]))
      wfx_chain_bury(rt, &objects[i]);
    wfx_bound_free(rt, &objects[i]);
  }
}

wasmfx_status_t wasmfx_runtime_free(wasmfx_runtime_t *rt, size_t *dropped)
{
  if (dropped)
    *dropped = 0;
  if (!rt)
    return WASMFX_OK;
  if (rt->current != wfx_host_root(rt) || rt->scope || wfx_must_be_watched(rt))
    return WASMFX_ERROR_STATE;
  wfx_claim_more_stack(rt); /* which may be that of another runtime's */
  (void)wasmfx_overflow_ignore(rt);
  if (dropped)
    *dropped = wfx_live_conts(rt->house);
  const void *outer = wfx_host_call_begin();
  empty_arena(rt);
  dismantle(rt);
  wfx_host_call_end(outer);
  return WASMFX_OK;
}

void *wasmfx_runtime_host(const wasmfx_runtime_t *rt)
{
  return rt->house->config.host;
}

uint32_t wasmfx_abi_version(void)
{
  return WASMFX_ABI_VERSION;
}

/* ---- Counters ---------------------------------------------------------------------- */

void wasmfx_runtime_stats(const wasmfx_runtime_t *rt, wasmfx_stats_t *stats, size_t size)
{
  const struct wfx_house *house = rt->house;
  const struct wfx_stackpool *stacks = &house->stacks;
  const uint64_t cached = wfx_stackpool_cached(stacks);
  const wasmfx_stats_t all = {
    .conts_created = house->made,
    .conts_live = wfx_live_conts(house),
    .objects_retired = house->retired,
    .stacks_used = stacks->made - stacks->gone - cached - stacks->trimmed,
    .stacks_cached = cached,
    .stacks_trimmed = stacks->trimmed,
    .stacks_made = stacks->made,
    .stacks_wiped = stacks->wipes,
    .stack_trims = stacks->trims,
    .stack_reservations = stacks->reservations,
    .allocations = house->allocations,
    .system_calls = house->os.calls,
    .guard = stacks->guard,
  };
  memcpy(stats, &all, size < sizeof all ? size : sizeof all);
}

wasmfx_status_t wasmfx_tenant_set(wasmfx_runtime_t *rt, uint32_t tenant)
{
  struct wfx_house *house = rt->house;
  if (tenant >= house->config.tenants)
    return WASMFX_ERROR_ARGUMENT;
  house->tenant = tenant;
  return WASMFX_OK;
}

/* ---- Roots and barriers --------------------------------------------------------------
 *
 * A scope's record is an object of the arena, not a struct in the host's frame: after a longjmp that frame is gone,
 * and what was in it has been overwritten when unwind_to wants to close it.
 */

static bool scope_is_root(const struct wfx_object *scope)
{
  return scope->handlers == &wfx_root;
}

static wasmfx_status_t scope_open(struct wasmfx_runtime *rt, wasmfx_scope_t *scope, struct wfx_object **record)
{
  const wasmfx_status_t status = wfx_object_take(rt, record);
  if (status < 0)
    return status;
  (*record)->type = NULL;
  (*record)->handlers = NULL;
  (*record)->host_word = rt->current->host_word;
  (*record)->scope.link = (uintptr_t)rt->scope;
  (*record)->scope.owner = rt->current;
  (*record)->scope.handlers = rt->current->handlers;
  (*record)->scope.left = NULL;
  rt->scope = *record;
  scope->opaque[0] = (uintptr_t)*record;
  scope->opaque[1] = (*record)->ref;
  return WASMFX_OK;
}

/* Closes the innermost scope. Its reference number is used up so that a second leave is noticed. */
static void scope_close(struct wasmfx_runtime *rt)
{
  struct wfx_object *record = rt->scope;
  if (wfx_scope_is_own(record)) {
    wfx_own_barrier_close(rt, record);
    return;
  }
  struct wfx_object *owner = record->scope.owner;
  struct wfx_object *outer = wfx_scope_outer(record);
  if (!scope_is_root(record))
    owner->handlers = record->scope.handlers;
  if (rt->current == record)
    rt->current = owner;
  wfx_object_kill(rt, record);
  rt->scope = outer; /* last, since as long as it is there its owner counts as running */
}

static bool scope_is_innermost(const struct wasmfx_runtime *rt, const wasmfx_scope_t *scope)
{
  const struct wfx_object *record = rt->scope;
  return record && scope->opaque[0] == (uintptr_t)record && scope->opaque[1] == record->ref;
}

static wasmfx_status_t scope_leave(struct wasmfx_runtime *rt, wasmfx_scope_t *scope, bool is_root)
{
  const struct wfx_object *record = rt->scope;
  wfx_claim_stack(rt);
  if (!scope_is_innermost(rt, scope) || scope_is_root(record) != is_root)
    return WASMFX_ERROR_STATE;
  if (rt->current != (is_root ? record : record->scope.owner))
    return WASMFX_ERROR_STATE;
  if (is_root)
    wfx_switched(rt, rt->current, record->scope.owner);
  scope_close(rt);
  return WASMFX_OK;
}

wasmfx_status_t wasmfx_barrier_enter(wasmfx_runtime_t *rt, wasmfx_scope_t *scope)
{
  struct wfx_object *record;
  wfx_claim_stack(rt);
  const wasmfx_status_t status = scope_open(rt, scope, &record);
  if (status < 0)
    return status;
  rt->current->handlers = &wfx_barrier;
  if (wfx_object_is_deep(rt->current))
    rt->current->deep.tag = WFX_KEY_NONE; /* what it remembers would jump the barrier */
  return WASMFX_OK;
}

wasmfx_status_t wasmfx_barrier_leave(wasmfx_runtime_t *rt, wasmfx_scope_t *scope)
{
  return scope_leave(rt, scope, false);
}

wasmfx_status_t wasmfx_root_enter(wasmfx_runtime_t *rt, wasmfx_scope_t *scope)
{
  struct wfx_object *record;
  wfx_claim_stack(rt);
  const wasmfx_status_t status = scope_open(rt, scope, &record);
  if (status < 0)
    return status;
  record->handlers = &wfx_root;
  wfx_switched(rt, rt->current, record);
  rt->current = record;
  return WASMFX_OK;
}

wasmfx_status_t wasmfx_root_leave(wasmfx_runtime_t *rt, wasmfx_scope_t *scope)
{
  return scope_leave(rt, scope, true);
}

/* ---- Marks --------------------------------------------------------------------------- */

size_t wfx_unwind(struct wasmfx_runtime *rt, struct wfx_object *target, const struct wfx_object *keep)
{
  size_t killed = 0;
  struct wfx_object *top = rt->current, *below;
  rt->current = target; /* the caller stands on its stack */
  for (; top != target; top = below) {
    while (rt->scope && wfx_scope_owner(rt->scope) == top)
      scope_close(rt);
    below = wfx_below(rt, top);
    assert(below); /* `target` is further out */
    if (wfx_object_is_root(top)) {
      scope_close(rt);
      continue;
    }
    if (rt->careful & WFX_CAREFUL_FLOAT)
      wfx_load_float_control(&below->float_control);
    wfx_cont_bury(rt, top);
    killed++;
  }
  while (rt->scope && rt->scope != keep && wfx_scope_owner(rt->scope) == target)
    scope_close(rt);
  return killed;
}

bool wfx_close_what_is_left(struct wasmfx_runtime *rt, struct wfx_object *self, struct wfx_object *scope)
{
  const struct wfx_object *open = rt->scope;
  if (open == scope && rt->current == self)
    return false;
  while (open && open != scope)
    open = wfx_scope_outer(open);
  if (rt->current != self)
    wfx_switched(rt, rt->current, self);
  if (open)
    wfx_unwind(rt, self, wfx_scope_outer(scope));
  return true;
}

static bool runs_on(const struct wfx_object *object, const char *address)
{
  return object->stack && wfx_stands_on(object->stack, address);
}

/* What tells a running continuation or root from all others, ever. References come and go while it lives, and its
 * object may change; its stack does not. */
static void identify(const struct wfx_object *object, uint64_t identity[2])
{
  if (wfx_object_is_root(object)) {
    identity[0] = (uintptr_t)object;
    identity[1] = object->ref;
  } else {
    identity[0] = (uintptr_t)object->stack;
    identity[1] = object->stack->life;
  }
}

static bool is_identified(const struct wfx_object *object, const uint64_t identity[2])
{
  uint64_t own[2];
  identify(object, own);
  return own[0] == identity[0] && own[1] == identity[1];
}

/* The number that tells an own barrier from those before it. It is in one of the words of a deep search that the
 * barrier does not need itself. */
static uint64_t own_number(const struct wfx_object *scope)
{
  return scope->scope.link & WFX_SCOPE_IN_PLACE ? (uintptr_t)scope->scope.left : (uintptr_t)scope->scope.owner;
}

static void set_own_number(struct wfx_object *scope, uint64_t number)
{
  if (scope->scope.link & WFX_SCOPE_IN_PLACE)
    scope->scope.left = (void *)(uintptr_t)number;
  else
    scope->scope.owner = (struct wfx_object *)(uintptr_t)number;
}

/* An own barrier gets its number from the first mark that names it. What the continuation remembers of its last search
 * has to make room for that. */
static uint64_t number_of_scope(const struct wasmfx_runtime *rt, struct wfx_object *scope)
{
  if (!wfx_scope_is_own(scope))
    return scope->ref;
  if (!(scope->scope.link & WFX_SCOPE_MARKED)) {
    scope->scope.link |= WFX_SCOPE_MARKED;
    scope->deep.tag = WFX_KEY_NONE;
    set_own_number(scope, ++rt->house->marks);
  }
  return own_number(scope);
}

void wasmfx_mark(const wasmfx_runtime_t *rt, wasmfx_mark_t *mark)
{
  struct wfx_object *scope = rt->scope;
  if (scope && wfx_scope_owner(scope) != rt->current)
    scope = NULL; /* it lies further down, and may go while what is running now is suspended */
  identify(rt->current, &mark->opaque[0]);
  mark->opaque[2] = (uintptr_t)scope;
  mark->opaque[3] = scope ? number_of_scope(rt, scope) : 0;
}

static bool is_numbered(const struct wfx_object *scope, uint64_t number)
{
  if (!wfx_scope_is_own(scope))
    return scope->ref == number;
  return scope->scope.link & WFX_SCOPE_MARKED && own_number(scope) == number;
}

/* Whether the innermost barrier that the marked continuation had open is still open, and so all that it had. */
static bool mark_scope_is_open(const struct wasmfx_runtime *rt, const wasmfx_mark_t *mark)
{
  const struct wfx_object *scope = rt->scope;
  while (scope && mark->opaque[2] != (uintptr_t)scope)
    scope = wfx_scope_outer(scope);
  return scope ? is_numbered(scope, mark->opaque[3]) : mark->opaque[2] == 0;
}

/* Whether `here` is on the host's stack, in a call by somebody who stays, that would be over. */
static bool would_end_under(const struct wasmfx_runtime *rt, const wasmfx_mark_t *mark, const char *here)
{
  struct wfx_object *scope = rt->scope;
  for (; scope && mark->opaque[2] != (uintptr_t)scope; scope = wfx_scope_outer(scope)) {
    const struct wfx_object *bearer = wfx_bearer(rt, wfx_scope_owner(scope));
    if (wfx_scope_left(scope) && bearer->stack && is_identified(wfx_scope_owner(scope), &mark->opaque[0]) &&
        !wfx_stands_on(bearer->stack, here))
      return true;
  }
  return false;
}

wasmfx_status_t wasmfx_unwind_to(wasmfx_runtime_t *rt, const wasmfx_mark_t *mark, size_t *killed)
{
  const char *here = __builtin_frame_address(0);
  struct wfx_object *target = rt->current;
  wfx_claim_stack(rt);
  for (; target && !is_identified(target, &mark->opaque[0]); target = wfx_below(rt, target))
    if (runs_on(target, here))
      return WASMFX_ERROR_STATE;
  if (!target || !mark_scope_is_open(rt, mark) || would_end_under(rt, mark, here))
    return WASMFX_ERROR_STATE;
  if (target != rt->current)
    wfx_switched(rt, rt->current, target);
  wfx_announce_jump(rt, target);
  const size_t count = wfx_unwind(rt, target, (const struct wfx_object *)(uintptr_t)mark->opaque[2]);
  if (killed)
    *killed = count;
  return WASMFX_OK;
}
