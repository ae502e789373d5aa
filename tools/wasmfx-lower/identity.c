/* SPDX-License-Identifier: Apache-2.0 */
/* Identities of types. Definitions mention only what stands before them or in their own group: one pass is enough. */
#include "identity.h"

#include <string.h>

#include "sha256.h"
#include "types.h"

/* The group that is gone over; what lies in it is meant by its place. */
struct pass {
  const struct wl_module *module;
  const struct wl_identity *known;
  uint32_t group;
  struct wl_sha256 sha;
};

static void add_number(struct pass *pass, uint32_t number)
{
  const uint8_t bytes[4] = { (uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16),
                             (uint8_t)(number >> 24) };
  wl_sha256_add(&pass->sha, bytes, sizeof bytes);
}

/* An index, after a number that says how to read what follows. */
static void add_index(struct pass *pass, uint32_t index)
{
  if (index == WL_NONE) {
    add_number(pass, 0);
  } else if (index >= pass->group) {
    add_number(pass, 1);
    add_number(pass, index - pass->group);
  } else {
    add_number(pass, 2);
    wl_sha256_add(&pass->sha, pass->known[index].bytes, sizeof pass->known[index].bytes);
  }
}

static void add_type(struct pass *pass, wl_type type)
{
  const bool has_index = wl_is_ref(type) && wl_is_index(wl_heap(type));
  add_number(pass, has_index ? type & ~WL_HEAP : type);
  if (has_index)
    add_index(pass, wl_heap(type));
}

static void add_list(struct pass *pass, struct wl_list list)
{
  for (uint32_t i = 0; i < list.count; i++)
    add_type(pass, list.types[i]);
}

static void add_definition(struct pass *pass, uint32_t index)
{
  const struct wl_definition *definition = wl_definition(pass->module, index);
  add_number(pass, definition->form);
  add_number(pass, definition->is_final);
  add_index(pass, definition->supertype);
  add_number(pass, definition->params);
  add_number(pass, definition->results);
  if (definition->form == WL_CONT_FORM) {
    add_index(pass, definition->first);
    return;
  }
  add_list(pass, wl_params(pass->module, index));
  add_list(pass, wl_results(pass->module, index));
}

static struct wl_identity finish(struct pass *pass)
{
  struct wl_identity identity;
  uint8_t digest[32];
  wl_sha256_end(&pass->sha, digest);
  memcpy(identity.bytes, digest, sizeof identity.bytes);
  return identity;
}

/* Of each definition of a group: the identity of the group, and its place. */
static void identify_group(struct pass *pass, struct wl_identity *known, uint32_t end)
{
  wl_sha256_begin(&pass->sha);
  add_number(pass, end - pass->group);
  for (uint32_t i = pass->group; i < end; i++)
    add_definition(pass, i);
  const struct wl_identity whole = finish(pass);
  for (uint32_t i = pass->group; i < end; i++) {
    wl_sha256_begin(&pass->sha);
    wl_sha256_add(&pass->sha, whole.bytes, sizeof whole.bytes);
    add_number(pass, i - pass->group);
    known[i] = finish(pass);
  }
}

struct wl_identity *wl_identify(struct wl_module *module)
{
  const uint32_t count = module->definitions.count;
  struct wl_identity *known = wl_allocate(&module->memory, count, sizeof *known);
  struct pass pass = { .module = module, .known = known };
  for (uint32_t begin = 0, end; known && begin < count; begin = end) {
    const uint32_t first = wl_definition(module, begin)->canonical;
    pass.group = begin;
    for (end = begin + 1; end < count && wl_definition(module, end)->group == begin; end++)
      continue;
    if (first == begin)
      identify_group(&pass, known, end);
    else
      memcpy(known + begin, known + first, (end - begin) * sizeof *known);
  }
  return known;
}

/* ---- Things ---------------------------------------------------------------------------------- */

static struct pass begin(const struct wl_module *module, const struct wl_identity *identities, enum wl_kind kind)
{
  struct pass pass = { .module = module, .known = identities, .group = module->definitions.count };
  wl_sha256_begin(&pass.sha);
  add_number(&pass, kind);
  return pass;
}

static struct wl_identity identity_of(const struct wl_module *module, const struct wl_identity *identities,
                                      enum wl_kind kind, uint32_t definition)
{
  struct pass pass = begin(module, identities, kind);
  add_index(&pass, definition);
  return finish(&pass);
}

struct wl_identity wl_identity_of_function(const struct wl_module *module, const struct wl_identity *identities,
                                           uint32_t type)
{
  return identity_of(module, identities, WL_KIND_FUNC, type);
}

struct wl_identity wl_identity_of_tag(const struct wl_module *module, const struct wl_identity *identities,
                                      uint32_t type)
{
  return identity_of(module, identities, WL_KIND_TAG, type);
}

struct wl_identity wl_identity_of_table(const struct wl_module *module, const struct wl_identity *identities,
                                        wl_type type)
{
  struct pass pass = begin(module, identities, WL_KIND_TABLE);
  add_type(&pass, type);
  return finish(&pass);
}

struct wl_identity wl_identity_of_global(const struct wl_module *module, const struct wl_identity *identities,
                                         wl_type type, bool is_mutable)
{
  struct pass pass = begin(module, identities, WL_KIND_GLOBAL);
  add_number(&pass, is_mutable);
  add_type(&pass, type);
  return finish(&pass);
}
