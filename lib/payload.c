/* SPDX-License-Identifier: Apache-2.0 */
/* Types and tags: how each list of kinds travels is decided here, once. */
#include "payload.h"

#include <assert.h>
#include <string.h>

#include "runtime.h"

#define MAX_VALUES 65535

/* A constant list at its place. From `wake_form` on it has the layout of struct wfx_list, but a size. */
#define CONSTANT_LIST(name, place, wake, send, number, ...)                                     \
  static const struct {                                                                         \
    _Alignas(WFX_LIST_ALIGN) char before[place];                                                \
    uint32_t wake_form, send_form, count;                                                       \
    wasmfx_kind_t kinds[2];                                                                     \
  } name = { "", wake, send, number, { __VA_ARGS__ } }
#define LIST(name) (const struct wfx_list *)(const void *)&(name).wake_form

CONSTANT_LIST(bound_at, WFX_LIST_OTHER, WFX_FORM_BOUND, WFX_FORM_BOUND, 0, 0, 0);
CONSTANT_LIST(head_at, WFX_LIST_OTHER, WFX_FORM_BOUND, WFX_FORM_BOUND, 0, 0, 0);
CONSTANT_LIST(contref_at, WFX_LIST_WORD_CONTREF, WFX_FORM_CONTREF, 1, 1, WASMFX_CONTREF, 0);
CONSTANT_LIST(word_contref_at, WFX_LIST_WORD_CONTREF, WFX_FORM_CONTREF | 1, WFX_FORM_BY_ADDRESS | 2, 2,
              WASMFX_I64, WASMFX_CONTREF);
CONSTANT_LIST(empty_at, WFX_LIST_OTHER, 0, 0, 0, 0, 0);

const struct wfx_list *const wfx_bound_list = LIST(bound_at);
const struct wfx_list *const wfx_head_list = LIST(head_at);

/* Nothing is made of these. */
const struct wasmfx_type wfx_contref_type = { .params = LIST(contref_at), .results = LIST(empty_at), .is_word = true };
const struct wasmfx_type wfx_word_contref_type = { .params = LIST(word_contref_at), .results = LIST(empty_at),
                                                   .is_word = true };

/* ---- Members ---------------------------------------------------------------- */

void *wfx_member_new(struct wasmfx_runtime *rt, size_t bytes)
{
  struct wfx_member *member = wfx_allocate(rt, bytes);
  if (!member)
    return NULL;
  memset(member, 0, bytes);
  member->rt = rt;
  member->bytes = bytes;
  member->link = &rt->house->members;
  member->next = *member->link;
  if (member->next)
    member->next->link = &member->next;
  *member->link = member;
  return member;
}

void wfx_member_free(struct wfx_member *member)
{
  wfx_claim_stack(member->rt);
  *member->link = member->next;
  if (member->next)
    member->next->link = member->link;
  wfx_release(member->rt, member, member->bytes);
}

/* ---- Lists and types ---------------------------------------------------------- */

static bool is_kind(wasmfx_kind_t kind)
{
  switch ((enum wasmfx_kind)kind) {
  case WASMFX_I32:
  case WASMFX_I64:
  case WASMFX_F32:
  case WASMFX_F64:
  case WASMFX_V128:
  case WASMFX_FUNCREF:
  case WASMFX_EXTERNREF:
  case WASMFX_EXNREF:
  case WASMFX_CONTREF: return true;
  }
  return false;
}

static bool are_kinds(const wasmfx_kind_t *kinds, size_t count)
{
  if (count > MAX_VALUES || (count && !kinds))
    return false;
  for (size_t i = 0; i < count; i++)
    if (!is_kind(kinds[i]))
      return false;
  return true;
}

static uint32_t form_of(const wasmfx_kind_t *kinds, size_t count)
{
  const bool fits_register = count == 0 || (count == 1 && kinds[0] != WASMFX_V128);
  return (uint32_t)count | (fits_register ? 0 : WFX_FORM_BY_ADDRESS);
}

static uint32_t wake_form_of(const wasmfx_kind_t *kinds, size_t count)
{
  if (count && kinds[count - 1] == WASMFX_CONTREF)
    return WFX_FORM_CONTREF | form_of(kinds, count - 1);
  return form_of(kinds, count);
}

static uintptr_t place_of(uint32_t wake_form, bool is_short)
{
  if (is_short)
    return WFX_LIST_WORD_FRESH;
  if (wake_form <= 1)
    return WFX_LIST_WORD;
  return (wake_form & ~1u) == WFX_FORM_CONTREF ? WFX_LIST_WORD_CONTREF : WFX_LIST_OTHER;
}

/* Makes a list behind `*end`, at its place; `fresh` is WFX_FORM_FRESH or 0. */
static const struct wfx_list *put_list(char **end, const wasmfx_kind_t *kinds, size_t count, uint32_t fresh,
                                       bool is_short)
{
  const uint32_t wake_form = wake_form_of(kinds, count) | fresh;
  const uintptr_t beyond = (uintptr_t)*end % WFX_LIST_ALIGN;
  char *at = *end + (beyond ? WFX_LIST_ALIGN - beyond : 0) + place_of(wake_form, is_short);
  struct wfx_list *list = (struct wfx_list *)(void *)at;
  list->wake_form = wake_form;
  list->send_form = form_of(kinds, count);
  list->count = (uint32_t)count;
  if (count)
    memcpy(list->kinds, kinds, count);
  *end = at + sizeof *list + count;
  return list;
}

/* The kinds themselves, or what no kinds look like, since none has its highest bit set. */
uint64_t wfx_list_shape(const struct wfx_list *list)
{
  uint64_t shape = 0;
  if (list->count > sizeof shape)
    return (uintptr_t)list | (uint64_t)1 << 63;
  for (uint32_t i = 0; i < list->count; i++)
    shape = shape << 8 | list->kinds[i];
  return shape;
}

bool wfx_list_equal(const struct wfx_list *a, const struct wfx_list *b)
{
  return a == b || (a->count == b->count && memcmp(a->kinds, b->kinds, a->count) == 0);
}

static size_t list_bytes(size_t count)
{
  return WFX_LIST_ALIGN - 1 + WFX_LIST_PLACE + sizeof(struct wfx_list) + count;
}

wasmfx_status_t wasmfx_type_new(wasmfx_runtime_t *rt, const wasmfx_kind_t *params, size_t param_count,
                                const wasmfx_kind_t *results, size_t result_count, wasmfx_type_t **out)
{
  *out = NULL;
  wfx_claim_stack(rt);
  if (!are_kinds(params, param_count) || !are_kinds(results, result_count))
    return WASMFX_ERROR_ARGUMENT;
  /* A payload may need the inbox when there is no way back any more: make room now. One slot more than any list is
   * for the contref that came beside it. */
  const wasmfx_status_t status = wfx_inbox_reserve(rt, (param_count > result_count ? param_count : result_count) + 1);
  if (status < 0)
    return status;
  wasmfx_type_t *type =
    wfx_member_new(rt, sizeof *type + 3 * list_bytes(param_count) + list_bytes(result_count));
  if (!type)
    return WASMFX_ERROR_NO_MEMORY;
  char *end = (char *)(type + 1);
  type->params = put_list(&end, params, param_count, 0, false);
  type->fresh_params = put_list(&end, params, param_count, WFX_FORM_FRESH, false);
  type->results = put_list(&end, results, result_count, 0, false);
  type->results_shape = wfx_list_shape(type->results);
  type->is_word = wfx_form_is_word(type->params->wake_form) && wfx_form_is_word(type->results->send_form);
  if (type->is_word && type->params->wake_form <= 1 && rt->house->stacks.is_simple)
    type->short_params = put_list(&end, params, param_count, WFX_FORM_FRESH, true);
  const size_t most = wfx_has_guards(rt) ? WFX_SLOTS_ON_STACK : WFX_SLOTS_ON_SMALL_STACK;
  type->is_long = result_count > most || wfx_gathered_count(type) > most;
  *out = type;
  return WASMFX_OK;
}

void wasmfx_type_free(wasmfx_runtime_t *rt, wasmfx_type_t *type)
{
  (void)rt;
  if (type)
    wfx_member_free(&type->member);
}

const wasmfx_kind_t *wasmfx_type_params(const wasmfx_type_t *type, size_t *count)
{
  *count = type->params->count;
  return type->params->kinds;
}

const wasmfx_kind_t *wasmfx_type_results(const wasmfx_type_t *type, size_t *count)
{
  *count = type->results->count;
  return type->results->kinds;
}

/* ---- Tags ------------------------------------------------------------------------ */

wasmfx_status_t wasmfx_tag_new(wasmfx_runtime_t *rt, const wasmfx_type_t *type, wasmfx_tag_t **out)
{
  *out = NULL;
  wfx_claim_stack(rt);
  if (!type || type->member.rt != rt)
    return WASMFX_ERROR_ARGUMENT;
  wasmfx_tag_t *tag = wfx_member_new(rt, sizeof *tag);
  if (!tag)
    return WASMFX_ERROR_NO_MEMORY;
  tag->type = type;
  tag->params = type->params;
  tag->results = type->results;
  tag->results_shape = type->results_shape;
  tag->filter = (uint64_t)1 << rt->house->tags_made++ % 64;
  *out = tag;
  return WASMFX_OK;
}

void wasmfx_tag_free(wasmfx_runtime_t *rt, wasmfx_tag_t *tag)
{
  (void)rt;
  if (tag)
    wfx_member_free(&tag->member);
}

const wasmfx_type_t *wasmfx_tag_type(const wasmfx_tag_t *tag)
{
  return tag->type;
}

/* ---- Bound prefixes ---------------------------------------------------------------- */

const struct wfx_list *wfx_awaited(const struct wfx_object *object)
{
  return object->awaits == wfx_bound_list ? object->bound->awaits : object->awaits;
}

uint32_t wfx_bound_count(const struct wfx_object *object)
{
  return object->awaits == wfx_bound_list ? object->bound->count : 0;
}

static size_t bound_bytes(size_t capacity)
{
  return sizeof(struct wfx_bound) + capacity * sizeof(wasmfx_value_t);
}

/* What another tenant left in the buffers is cleared before this one uses them. */
static void change_tenant(struct wfx_bound *bound, uint32_t tenant)
{
  if (bound->tenant == tenant)
    return;
  memset(bound->values, 0, bound->capacity * sizeof(wasmfx_value_t));
  if (bound->results)
    memset(bound->results, 0, bound->result_capacity * sizeof(wasmfx_value_t));
  bound->tenant = tenant;
}

static void release_bound(struct wasmfx_runtime *rt, struct wfx_bound *bound)
{
  if (bound)
    wfx_release_values(rt, bound, bound_bytes(bound->capacity));
}

void wfx_bound_free(struct wasmfx_runtime *rt, struct wfx_object *object)
{
  struct wfx_bound *bound = object->bound;
  if (!bound)
    return;
  object->bound = NULL;
  wfx_release_values(rt, bound->results, bound->result_capacity * sizeof(wasmfx_value_t));
  release_bound(rt, bound);
}

/* Grows the buffer; the old one, if it was replaced, is the caller's to release. */
static wasmfx_status_t grow_bound(struct wasmfx_runtime *rt, struct wfx_object *object, uint32_t count,
                                  struct wfx_bound **replaced)
{
  const uint32_t tenant = wfx_object_tenant(object);
  struct wfx_bound *old = object->bound;
  *replaced = NULL;
  if (old)
    change_tenant(old, tenant);
  if (old && old->capacity >= count)
    return WASMFX_OK;
  struct wfx_bound *bound = wfx_allocate(rt, bound_bytes(count));
  if (!bound)
    return WASMFX_ERROR_NO_MEMORY;
  memset(bound, 0, bound_bytes(count));
  if (old)
    memcpy(bound, old, bound_bytes(old->capacity));
  bound->capacity = count;
  bound->tenant = tenant;
  object->bound = bound;
  *replaced = old;
  return WASMFX_OK;
}

wasmfx_status_t wfx_bound_reserve(struct wasmfx_runtime *rt, struct wfx_object *object, uint32_t count)
{
  struct wfx_bound *replaced;
  const wasmfx_status_t status = grow_bound(rt, object, count, &replaced);
  if (status == WASMFX_OK)
    release_bound(rt, replaced);
  return status;
}

wasmfx_status_t wfx_bound_reserve_results(struct wasmfx_runtime *rt, struct wfx_object *object, uint32_t count)
{
  const wasmfx_status_t status = wfx_bound_reserve(rt, object, 0);
  if (status < 0)
    return status;
  struct wfx_bound *bound = object->bound;
  if (bound->result_capacity >= count)
    return WASMFX_OK;
  wasmfx_value_t *results = wfx_allocate(rt, count * sizeof *results);
  if (!results)
    return WASMFX_ERROR_NO_MEMORY;
  wfx_release_values(rt, bound->results, bound->result_capacity * sizeof *results);
  bound->results = results;
  bound->result_capacity = count;
  return WASMFX_OK;
}

wasmfx_status_t wfx_bound_write(struct wasmfx_runtime *rt, struct wfx_object *object, const wasmfx_value_t *values,
                                uint32_t count)
{
  struct wfx_bound *replaced;
  const wasmfx_status_t status = grow_bound(rt, object, wfx_awaited(object)->count, &replaced);
  if (status < 0)
    return status;
  memmove(object->bound->values + wfx_bound_count(object), values, count * sizeof *values);
  release_bound(rt, replaced);
  return WASMFX_OK;
}

void wfx_bound_append(struct wfx_object *object, uint32_t count)
{
  struct wfx_bound *bound = object->bound;
  if (object->awaits != wfx_bound_list) {
    bound->awaits = object->awaits;
    bound->count = 0;
    object->awaits = wfx_bound_list;
  }
  bound->count += count;
  assert(bound->count <= bound->awaits->count && bound->awaits->count <= bound->capacity);
}

/* ---- Parcels ------------------------------------------------------------------------- */

/* `values` is the whole list that a waking brings, but for a contref that the verb itself supplies. */
static void pack_whole(const struct wfx_list *list, const wasmfx_value_t *values, bool brings_contref,
                       struct wfx_parcel *parcel)
{
  const uint32_t form = list->wake_form;
  parcel->by_address = (form & WFX_FORM_BY_ADDRESS) != 0;
  if (parcel->by_address)
    parcel->word = (uintptr_t)values;
  else
    parcel->word = form & WFX_FORM_COUNT ? values[0].word : 0;
  /* NOLINTNEXTLINE(clang-analyzer-security.ArrayBound): the form says contref only if the kinds do, which were seen */
  parcel->cont = form & WFX_FORM_CONTREF && !brings_contref ? values[list->count - 1].contref : WASMFX_NULL_CONT;
}

wasmfx_status_t wfx_pack_waking(struct wfx_object *object, const wasmfx_value_t *values, size_t count,
                                bool brings_contref, struct wfx_parcel *parcel)
{
  const struct wfx_list *list = wfx_awaited(object);
  const uint32_t bound = wfx_bound_count(object);
  const uint32_t missing = list->count - bound;
  if (brings_contref && (missing == 0 || !(list->wake_form & WFX_FORM_CONTREF)))
    return WASMFX_ERROR_ARITY;
  if (count != missing - brings_contref || (count && !values))
    return WASMFX_ERROR_ARITY;
  if (bound) {
    /* There is room behind the prefix, and nobody looks there if the call fails after this. */
    if (count)
      memmove(object->bound->values + bound, values, count * sizeof *values);
    values = object->bound->values;
  }
  pack_whole(list, values, brings_contref, parcel);
  return WASMFX_OK;
}

wasmfx_status_t wfx_pack_waking_word(struct wfx_object *object, uint64_t word, bool brings_contref,
                                     struct wfx_parcel *parcel)
{
  const struct wfx_list *list = wfx_awaited(object);
  const uint32_t bound = wfx_bound_count(object);
  if (list->count < bound + brings_contref)
    return WASMFX_ERROR_ARITY;
  const uint32_t missing = list->count - bound - brings_contref;
  if (missing > 1)
    return WASMFX_ERROR_ARITY;
  if (missing == 1 && list->kinds[bound] == WASMFX_V128)
    return WASMFX_ERROR_ARITY;
  if (missing == 1 && !brings_contref && list->kinds[bound] == WASMFX_CONTREF)
    return WASMFX_ERROR_ARITY;
  const wasmfx_value_t value = { .word = word };
  return wfx_pack_waking(object, &value, missing, brings_contref, parcel);
}

wasmfx_status_t wfx_pack_sending(const struct wfx_list *list, const wasmfx_value_t *values, size_t count,
                                 struct wfx_parcel *parcel)
{
  if (count != list->count || (count && !values))
    return WASMFX_ERROR_ARITY;
  parcel->by_address = (list->send_form & WFX_FORM_BY_ADDRESS) != 0;
  parcel->word = parcel->by_address ? (uintptr_t)values : count ? values[0].word : 0;
  parcel->cont = WASMFX_NULL_CONT;
  return WASMFX_OK;
}
