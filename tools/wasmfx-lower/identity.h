/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_IDENTITY_H
#define WASMFX_LOWER_IDENTITY_H
/**
 * @file identity.h
 * Types as they are the same in all modules: 128 bits of a SHA-256 of what a definition is, with the whole recursion
 * group around it. Two modules that are lowered apart agree on them.
 *
 * To find a type for a given identity takes 2^128 hashes; to find two with one, for who writes both modules, 2^64.
 */
#include "module.h"

struct wl_identity {
  uint8_t bytes[16];
};

/** Finds the identities of all definitions; NULL where that would take too much memory. */
struct wl_identity *wl_identify(struct wl_module *module);

/** Of what is imported and exported: a kind of thing, and its type. */
struct wl_identity wl_identity_of_function(const struct wl_module *module, const struct wl_identity *identities,
                                           uint32_t type);
struct wl_identity wl_identity_of_tag(const struct wl_module *module, const struct wl_identity *identities,
                                      uint32_t type);
struct wl_identity wl_identity_of_table(const struct wl_module *module, const struct wl_identity *identities,
                                        wl_type type);
struct wl_identity wl_identity_of_global(const struct wl_module *module, const struct wl_identity *identities,
                                         wl_type type, bool is_mutable);

#endif
