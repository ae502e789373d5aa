/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_LISTS_H
#define WASMFX_TESTS_LISTS_H
/** @file lists.h  Lists of kinds with values for them, for tests of what travels. */
#include "support.h"

/** How many kinds there are. */
#define KINDS ((size_t)9)

/** The kinds in their order, over and over. */
wasmfx_kind_t nth_kind(size_t n);
/** How many bytes of a slot count. */
size_t bytes_of(wasmfx_kind_t kind);

/** `count` kinds and several lists of values for them. */
struct lists {
  size_t count;
  wasmfx_kind_t *kinds;
  wasmfx_value_t *sent[4];
};

/** Takes the kinds in their order, beginning with the one that is named, and random values. */
void lists_init(struct lists *lists, size_t count, size_t first_kind);
void lists_free(struct lists *lists);

/** The values that arrived are list `list`. Of each slot only what the kind says counts. */
void assert_arrived(const struct lists *lists, const wasmfx_value_t *values, size_t list);

#endif
