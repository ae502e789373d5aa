/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_TYPES_H
#define WASMFX_LOWER_TYPES_H
/**
 * @file types.h
 * When types are equal, when one is a subtype of another, and what they are called in messages.
 *
 * Definitions are equal if their whole recursion groups are, with what a group says of itself read as places in it.
 * `wl_check_definitions` finds out once and for all, and gives every definition the index of the first one that is
 * equal to it; `wl_canonical` puts that into a type. From then on equal types are equal numbers.
 */
#include "module.h"

/** The typing rules of definitions. Answers false with the module's error set. */
bool wl_check_definitions(struct wl_module *module);

/** Makes a type canonical in place; it may be one that is not defined, or not supported as a value. */
bool wl_canonical(struct wl_module *module, wl_type *type, uint32_t offset);

/* All types below are canonical; indices of definitions need not be. */

bool wl_heap_matches(const struct wl_module *module, uint32_t sub, uint32_t super);
bool wl_matches(const struct wl_module *module, wl_type sub, wl_type super);
bool wl_lists_match(const struct wl_module *module, struct wl_list sub, struct wl_list super);

/** Function types by what they take and give, whatever was declared. */
bool wl_functions_match(const struct wl_module *module, struct wl_list sub_params, struct wl_list sub_results,
                        struct wl_list super_params, struct wl_list super_results);

/** The greatest heap type above this one. */
uint32_t wl_top(const struct wl_module *module, uint32_t heap);

bool wl_has_default(wl_type type);

/** What a function type takes and gives, or what fields a struct or an array has. */
struct wl_list wl_params(const struct wl_module *module, uint32_t definition);
struct wl_list wl_results(const struct wl_module *module, uint32_t definition);

/** Ends `text` with the name of a type, or with a list of them in brackets, as far as there is room for it. */
void wl_append_type(char *text, size_t room, wl_type type);
void wl_append_list(char *text, size_t room, struct wl_list list);

#endif
