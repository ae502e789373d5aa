/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_LOWER_WORLD_H
#define WASMFX_TESTS_LOWER_WORLD_H
/**
 * @file world.h
 * A module with one of everything, around one function whose body is what is tested.
 */
#include "assemble.h"

/** Types. */
enum {
  F, F_i, F__i, F_i_i,     /* [] -> [], [i32] -> [], [] -> [i32], [i32] -> [i32] */
  C, C_i, C__i, C_i_i,     /* continuations of these */
  F_SELF, C_SELF,          /* one group: [(ref null C_SELF)] -> [], and a continuation of that */
  F_BASE, F_DERIVED,       /* [] -> [], not final, and a subtype */
  F_il_i, C_il_i,          /* [i32 i64] -> [i32] */
  F_l_i, C_l_i,            /* [i64] -> [i32] */
  C_BASE, C_DERIVED,       /* continuations of F_BASE and F_DERIVED, the latter a subtype */
  F_d_b, F_b_d,            /* [(ref F_DERIVED)] -> [(ref F_BASE)] and the other way round */
  C_d_b, C_b_d,
  F__bd, F__bb,            /* [] -> [(ref F_BASE) (ref C_d_b)]; [] -> [(ref F_BASE) (ref C_b_d)] */
  PAIR,                    /* a struct */
  F_SELF_i, C_SELF_i,      /* one group: [i32 (ref C_SELF_i)] -> [] */
};

/** Functions: an imported one, one of [i32] -> [i32], the tested one. */
enum { IMPORTED, INCREMENT, TESTED };
/** Tags, by what they take and give. */
enum { E, E_i, E__i, E_i_i, E_d__b };
/** Tables: funcref, externref, (ref null C). */
enum { FUNCTIONS, EXTERNS, CONTS };
/** Globals: i32, imported and constant; i64, mutable; (ref null C), mutable. */
enum { CONSTANT, COUNTER, CURRENT };

struct body {
  uint8_t type; /* of the function */
  const uint8_t *locals;
  size_t locals_count; /* bytes; 0: none are declared */
  const uint8_t *code;
  size_t code_count;
};

/** The world with that body, and an `end` after it. */
void make_world(struct bytes *to, const struct body *body);

#endif
