/* SPDX-License-Identifier: Apache-2.0 */
/* Equality of types, subtypes, names. */
#include "types.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DEEPEST = 63 }; /* subtypes of subtypes, as engines on the Web have it */

/* How many types a definition has in the pool. */
static uint32_t values_of(const struct wl_definition *definition)
{
  return (uint32_t)definition->params + definition->results;
}

static wl_type *values(const struct wl_module *module, const struct wl_definition *definition)
{
  return values_of(definition) ? (wl_type *)module->pool.items + definition->first : NULL;
}

struct wl_list wl_params(const struct wl_module *module, uint32_t index)
{
  const struct wl_definition *definition = wl_definition(module, index);
  const wl_type *types = values(module, definition);
  return (struct wl_list){ types, types ? definition->params : 0 };
}

struct wl_list wl_results(const struct wl_module *module, uint32_t index)
{
  const struct wl_definition *definition = wl_definition(module, index);
  if (!definition->results)
    return (struct wl_list){ NULL, 0 };
  return (struct wl_list){ values(module, definition) + definition->params, definition->results };
}

/* ---- Subtypes -------------------------------------------------------------------------------- */

static bool definition_matches(const struct wl_module *module, uint32_t sub, uint32_t super)
{
  const uint32_t wanted = wl_definition(module, super)->canonical;
  for (; sub != WL_NONE; sub = wl_definition(module, sub)->supertype)
    if (wl_definition(module, sub)->canonical == wanted)
      return true;
  return false;
}

/* The least abstract type above a definition. */
static uint32_t abstract_of(const struct wl_module *module, uint32_t index)
{
  switch (wl_definition(module, index)->form) {
  case WL_FUNC_FORM: return WL_FUNC;
  case WL_CONT_FORM: return WL_CONT;
  case WL_STRUCT_FORM: return WL_STRUCT;
  default: return WL_ARRAY;
  }
}

/* What stands directly above an abstract type that is not the least of its kind; itself, if it is the greatest. */
static uint32_t above(uint32_t heap)
{
  switch (heap) {
  case WL_I31:
  case WL_STRUCT:
  case WL_ARRAY: return WL_EQ;
  case WL_EQ: return WL_ANY;
  default: return heap;
  }
}

/* The top above which a least type stands; 0 if it is none. */
static uint32_t top_of_least(uint32_t heap)
{
  switch (heap) {
  case WL_NOCONT: return WL_CONT;
  case WL_NOEXN: return WL_EXN;
  case WL_NOFUNC: return WL_FUNC;
  case WL_NOEXTERN: return WL_EXTERN;
  case WL_NO_ANY: return WL_ANY;
  default: return 0;
  }
}

uint32_t wl_top(const struct wl_module *module, uint32_t heap)
{
  if (wl_is_index(heap))
    heap = abstract_of(module, heap);
  if (top_of_least(heap))
    return top_of_least(heap);
  while (above(heap) != heap)
    heap = above(heap);
  return heap;
}

bool wl_heap_matches(const struct wl_module *module, uint32_t sub, uint32_t super)
{
  if (sub == super || sub == WL_NEVER)
    return true;
  if (super == WL_NEVER)
    return false;
  if (top_of_least(sub))
    return wl_top(module, super) == top_of_least(sub);
  if (wl_is_index(super))
    return wl_is_index(sub) && definition_matches(module, sub, super);
  if (wl_is_index(sub))
    sub = abstract_of(module, sub);
  while (sub != super && above(sub) != sub)
    sub = above(sub);
  return sub == super;
}

bool wl_matches(const struct wl_module *module, wl_type sub, wl_type super)
{
  if (sub == super || sub == WL_BOTTOM)
    return true;
  if (!wl_is_ref(sub) || !wl_is_ref(super) || (sub & WL_NULL & ~super))
    return false;
  return wl_heap_matches(module, wl_heap(sub), wl_heap(super));
}

bool wl_lists_match(const struct wl_module *module, struct wl_list sub, struct wl_list super)
{
  if (sub.count != super.count)
    return false;
  for (uint32_t i = 0; i < sub.count; i++)
    if (!wl_matches(module, sub.types[i], super.types[i]))
      return false;
  return true;
}

bool wl_functions_match(const struct wl_module *module, struct wl_list sub_params, struct wl_list sub_results,
                        struct wl_list super_params, struct wl_list super_results)
{
  return wl_lists_match(module, super_params, sub_params) && wl_lists_match(module, sub_results, super_results);
}

bool wl_has_default(wl_type type)
{
  return !wl_is_ref(type) || type & WL_NULL;
}

static bool field_matches(const struct wl_module *module, wl_type sub, wl_type super)
{
  if ((sub ^ super) & WL_MUTABLE)
    return false;
  return sub == super || (!(sub & WL_MUTABLE) && wl_matches(module, sub, super));
}

static bool fields_match(const struct wl_module *module, uint32_t sub, uint32_t super)
{
  const struct wl_list ours = wl_params(module, sub), theirs = wl_params(module, super);
  if (ours.count < theirs.count)
    return false;
  for (uint32_t i = 0; i < theirs.count; i++)
    if (!field_matches(module, ours.types[i], theirs.types[i]))
      return false;
  return true;
}

/* Whether one definition may be declared to be a subtype of the other. */
static bool may_be_subtype(const struct wl_module *module, uint32_t sub, uint32_t super)
{
  const struct wl_definition *ours = wl_definition(module, sub), *theirs = wl_definition(module, super);
  if (ours->form != theirs->form)
    return false;
  switch (ours->form) {
  case WL_FUNC_FORM:
    return wl_functions_match(module, wl_params(module, sub), wl_results(module, sub), wl_params(module, super),
                              wl_results(module, super));
  case WL_CONT_FORM: return definition_matches(module, ours->first, theirs->first);
  default: return fields_match(module, sub, super);
  }
}

/* ---- Equality ----------------------------------------------------------------------------------- */

/* A group while it is looked at: indices from `begin` on are its own. */
struct group {
  uint32_t begin, end;
};

/* What an index means wherever the group stands: a place in it, or a definition outside. */
static uint64_t meaning(struct group group, uint32_t index)
{
  return index == WL_NONE ? UINT64_MAX : index < group.begin ? index : (uint64_t)1 << 32 | (index - group.begin);
}

static uint64_t meaning_of_type(struct group group, wl_type type)
{
  const uint64_t rest = (uint64_t)(type & ~WL_HEAP) << 32;
  return wl_is_ref(type) && wl_is_index(wl_heap(type)) ? rest | meaning(group, wl_heap(type)) : rest | wl_heap(type);
}

static uint64_t meaning_of_form(const struct wl_definition *definition)
{
  return (uint64_t)definition->form | (uint64_t)definition->is_final << 8 | (uint64_t)definition->params << 16 |
         (uint64_t)definition->results << 32;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
  hash = (hash ^ word) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 29;
}

static uint32_t hash_of(const struct wl_module *module, struct group group)
{
  uint64_t hash = group.end - group.begin;
  for (uint32_t i = group.begin; i < group.end; i++) {
    const struct wl_definition *definition = wl_definition(module, i);
    hash = mix(mix(hash, meaning_of_form(definition)), meaning(group, definition->supertype));
    if (definition->form == WL_CONT_FORM)
      hash = mix(hash, meaning(group, definition->first));
    for (uint32_t k = 0; k < values_of(definition); k++)
      hash = mix(hash, meaning_of_type(group, values(module, definition)[k]));
  }
  return (uint32_t)(mix(hash, 0) >> 32);
}

static bool definitions_are_equal(const struct wl_module *module, struct group one, struct group other, uint32_t place)
{
  const struct wl_definition *a = wl_definition(module, one.begin + place);
  const struct wl_definition *b = wl_definition(module, other.begin + place);
  if (meaning_of_form(a) != meaning_of_form(b) || meaning(one, a->supertype) != meaning(other, b->supertype))
    return false;
  if (a->form == WL_CONT_FORM)
    return meaning(one, a->first) == meaning(other, b->first);
  for (uint32_t k = 0; k < values_of(a); k++)
    if (meaning_of_type(one, values(module, a)[k]) != meaning_of_type(other, values(module, b)[k]))
      return false;
  return true;
}

static struct group group_at(const struct wl_module *module, uint32_t begin)
{
  struct group group = { begin, begin };
  while (group.end < module->definitions.count && wl_definition(module, group.end)->group == begin)
    group.end++;
  return group;
}

static bool are_equal(const struct wl_module *module, struct group group, uint32_t begin)
{
  const struct group other = group_at(module, begin);
  if (other.end - other.begin != group.end - group.begin)
    return false;
  for (uint32_t place = 0; place < group.end - group.begin; place++)
    if (!definitions_are_equal(module, group, other, place))
      return false;
  return true;
}

/* The first group that is equal to this one: this one, if there was none. */
static uint32_t intern(struct wl_module *module, struct group group)
{
  const uint32_t mask = module->group_room - 1;
  const uint32_t hash = wl_definition(module, group.begin)->hash = hash_of(module, group);
  uint32_t slot = hash & mask;
  for (; module->groups[slot]; slot = (slot + 1) & mask) {
    const uint32_t begin = module->groups[slot] - 1;
    if (wl_definition(module, begin)->hash == hash && are_equal(module, group, begin))
      return begin;
  }
  module->groups[slot] = group.begin + 1;
  return group.begin;
}

/* ---- The rules of definitions ---------------------------------------------------------------- */

static bool to_canonical(struct wl_module *module, uint32_t *index, uint32_t limit, uint32_t offset)
{
  if (*index >= limit)
    return wl_fail(&module->error, WL_INVALID, offset, "unknown type %" PRIu32, *index);
  *index = wl_definition(module, *index)->canonical;
  return true;
}

static bool resolve_values(struct wl_module *module, struct group group, const struct wl_definition *definition)
{
  wl_type *types = values(module, definition);
  for (uint32_t k = 0; types && k < values_of(definition); k++) {
    uint32_t heap = wl_heap(types[k]);
    if (!wl_is_ref(types[k]) || !wl_is_index(heap))
      continue;
    if (!to_canonical(module, &heap, group.end, definition->offset))
      return false;
    types[k] = (types[k] & ~WL_HEAP) | heap;
  }
  return true;
}

/* What a definition mentions, all of which must be there by the end of its group. */
static bool resolve(struct wl_module *module, struct group group, uint32_t index)
{
  struct wl_definition *definition = wl_definition(module, index);
  if (!resolve_values(module, group, definition))
    return false;
  if (definition->form == WL_CONT_FORM && !to_canonical(module, &definition->first, group.end, definition->offset))
    return false;
  if (definition->supertype == WL_NONE)
    return true;
  if (definition->supertype < group.end && definition->supertype >= index)
    return wl_fail(&module->error, WL_INVALID, definition->offset,
                   "forward use of type %" PRIu32 " in sub type definition", definition->supertype);
  return to_canonical(module, &definition->supertype, group.end, definition->offset);
}

/* Before anything goes up the chain of supertypes, it is known to be short. */
static bool find_depth(struct wl_module *module, uint32_t index)
{
  struct wl_definition *definition = wl_definition(module, index);
  if (definition->supertype == WL_NONE)
    return true;
  const uint8_t depth = wl_definition(module, definition->supertype)->depth;
  if (depth == DEEPEST)
    return wl_fail(&module->error, WL_UNSUPPORTED, definition->offset, "not supported: more than 63 super types");
  definition->depth = depth + 1;
  return true;
}

static bool check_supertype(struct wl_module *module, uint32_t index)
{
  const struct wl_definition *definition = wl_definition(module, index);
  const struct wl_definition *super = wl_definition(module, definition->supertype);
  if (super->is_final)
    return wl_fail(&module->error, WL_INVALID, definition->offset,
                   "sub type %" PRIu32 " has final super type %" PRIu32, index, definition->supertype);
  if (!may_be_subtype(module, index, definition->supertype))
    return wl_fail(&module->error, WL_INVALID, definition->offset,
                   "sub type %" PRIu32 " does not match super type %" PRIu32, index, definition->supertype);
  return true;
}

static bool check_definition(struct wl_module *module, uint32_t index)
{
  const struct wl_definition *definition = wl_definition(module, index);
  if (definition->form == WL_CONT_FORM && wl_definition(module, definition->first)->form != WL_FUNC_FORM)
    return wl_fail(&module->error, WL_INVALID, definition->offset, "non-function type %" PRIu32, definition->first);
  return definition->supertype == WL_NONE || check_supertype(module, index);
}

/* What a group says of itself becomes what the group that it is equal to says of itself. */
static void redirect(struct wl_module *module, struct group group, uint32_t to)
{
  for (uint32_t i = group.begin; i < group.end; i++) {
    struct wl_definition *definition = wl_definition(module, i);
    const struct wl_definition *same = wl_definition(module, i - group.begin + to);
    definition->canonical = i - group.begin + to;
    definition->supertype = same->supertype;
    definition->depth = same->depth;
    definition->first = same->first; /* and its place in the pool */
  }
}

static bool check_group(struct wl_module *module, struct group group)
{
  for (uint32_t i = group.begin; i < group.end; i++)
    if (!resolve(module, group, i))
      return false;
  const uint32_t same = intern(module, group);
  if (same != group.begin) {
    redirect(module, group, same);
    return true;
  }
  for (uint32_t i = group.begin; i < group.end; i++)
    if (!find_depth(module, i))
      return false;
  for (uint32_t i = group.begin; i < group.end; i++)
    if (!check_definition(module, i))
      return false;
  return true;
}

bool wl_check_definitions(struct wl_module *module)
{
  const uint32_t count = module->definitions.count;
  for (module->group_room = 4; module->group_room < count + count / 2; module->group_room *= 2)
    ;
  module->groups = wl_allocate(&module->memory, module->group_room, sizeof *module->groups);
  if (!module->groups)
    return wl_fail_for_memory(&module->error, 0);
  for (struct group group = { 0, 0 }; group.end < count;) {
    group = group_at(module, group.end);
    if (!check_group(module, group))
      return false;
  }
  return true;
}

bool wl_canonical(struct wl_module *module, wl_type *type, uint32_t offset)
{
  uint32_t heap = wl_heap(*type);
  if (*type == WL_V128)
    return wl_fail(&module->error, WL_UNSUPPORTED, offset, "not supported: v128");
  if (!wl_is_ref(*type) || !wl_is_index(heap))
    return true;
  if (!to_canonical(module, &heap, module->definitions.count, offset))
    return false;
  *type = (*type & ~WL_HEAP) | heap;
  return true;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static void append(char *text, size_t room, const char *more)
{
  const size_t length = strlen(text);
  if (length < room)
    snprintf(text + length, room - length, "%s", more);
}

static const char *abstract_name(uint32_t heap)
{
  switch (heap) {
  case WL_NOCONT: return "nocont";
  case WL_NOEXN: return "noexn";
  case WL_NOFUNC: return "nofunc";
  case WL_NOEXTERN: return "noextern";
  case WL_NO_ANY: return "none";
  case WL_FUNC: return "func";
  case WL_EXTERN: return "extern";
  case WL_ANY: return "any";
  case WL_EQ: return "eq";
  case WL_I31: return "i31";
  case WL_STRUCT: return "struct";
  case WL_ARRAY: return "array";
  case WL_EXN: return "exn";
  case WL_CONT: return "cont";
  default: return "something";
  }
}

void wl_append_type(char *text, size_t room, wl_type type)
{
  static const char *const names[] = { "something", "i32", "i64", "f32", "f64", "v128", "i8", "i16" };
  char index[16];
  if (!wl_is_ref(type)) {
    append(text, room, names[type & 7]);
    return;
  }
  snprintf(index, sizeof index, "$%" PRIu32, wl_heap(type));
  append(text, room, type & WL_NULL ? "(ref null " : "(ref ");
  append(text, room, wl_is_index(wl_heap(type)) ? index : abstract_name(wl_heap(type)));
  append(text, room, ")");
}

void wl_append_list(char *text, size_t room, struct wl_list list)
{
  enum { SHOWN = 8 };
  append(text, room, "[");
  for (uint32_t i = 0; i < list.count && i < SHOWN; i++) {
    append(text, room, i ? " " : "");
    wl_append_type(text, room, list.types[i]);
  }
  append(text, room, list.count > SHOWN ? " ...]" : "]");
}
