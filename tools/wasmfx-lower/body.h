/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_BODY_H
#define WASMFX_LOWER_BODY_H
/**
 * @file body.h
 * One body of code, or one constant expression, while it is validated: its stack of types and its open blocks. The
 * rules of single instructions (rules.c) are said in the words of this file.
 *
 * Every call that can fail answers false then, with the module's error set.
 */
#include "code.h"
#include "types.h"

struct wl_frame {
  uint8_t opcode;       /* what opened it; WL_UNREACHABLE: the body itself */
  uint8_t block_form;   /* enum wl_block_form */
  bool is_unreachable;  /* below here the stack is whatever it has to be */
  wl_type type;         /* of its value, or the index of its type */
  uint32_t height;      /* of the stack below it */
  uint32_t set_height;  /* of `sets`, likewise */
};

/* Declared locals of one type, up to but without `end`. */
struct wl_locals {
  uint32_t end;
  wl_type type;
  uint32_t flags; /* where their flags begin, if they have no default; else WL_NONE */
};

struct wl_body {
  struct wl_module *module;
  struct wl_cursor cursor;
  struct wl_instruction now;
  struct wl_list params, results;
  bool is_constant;        /* an expression: few instructions, and globals only as far as they are known */
  uint32_t known_globals;
  wl_type constant_type;   /* where `results` lies then */

  /* Used again for the next body. */
  struct wl_array operands; /* wl_type */
  struct wl_array frames;   /* struct wl_frame */
  struct wl_array locals;   /* struct wl_locals, without parameters */
  struct wl_array sets;     /* uint32_t: flags in the order in which they were raised, to be lowered again */
  uint8_t *flags;           /* a byte for each local without a default: whether it has been set */
};

/** Validates a function that is not imported, or an expression of a type that begins at `at`. */
bool wl_check_body(struct wl_body *body, uint32_t function);
bool wl_check_expression(struct wl_body *body, uint32_t at, wl_type type, uint32_t known_globals);

/* ---- One instruction after the other, for those who do more than validate -------------------- */

/** Begins a function that is not imported: its locals are read, its outermost block is open. */
bool wl_open_body(struct wl_body *body, uint32_t function);
/** Reads the next instruction into `now`, and checks that one. */
bool wl_read_instruction(struct wl_body *body);
bool wl_check_instruction(struct wl_body *body);

static inline bool wl_is_open(const struct wl_body *body)
{
  return body->frames.count > 0;
}

/** The type on top of the stack; WL_BOTTOM where nothing can be known. */
wl_type wl_top_operand(const struct wl_body *body);

/* ---- For rules ----------------------------------------------------------------------------- */

/** Fails with the instruction's name and then this. Answers false. */
bool wl_invalid(struct wl_body *body, const char *format, ...) WL_FORMAT(2, 3);
/** "type mismatch: expected ..., found ...". */
bool wl_mismatch(struct wl_body *body, wl_type expected, wl_type found);
/** The same of lists; `where` says what has the wrong one. */
bool wl_list_mismatch(struct wl_body *body, const char *where, struct wl_list expected, struct wl_list found);

/**
 * Before a list is gone over: two bytes can name a thousand types, and what takes too long for its size is refused.
 * Lists that are found by an index, and those that are popped, have been counted.
 */
bool wl_spend(struct wl_body *body, uint32_t types);

bool wl_push(struct wl_body *body, wl_type type);
bool wl_push_list(struct wl_body *body, struct wl_list list);
bool wl_pop(struct wl_body *body, wl_type expected);
bool wl_pop_list(struct wl_body *body, struct wl_list list);
/** Whatever is there; WL_BOTTOM where nothing can be known. */
bool wl_pop_any(struct wl_body *body, wl_type *type);
/** A reference of whatever kind: its heap type. */
bool wl_pop_reference(struct wl_body *body, uint32_t *heap, bool *null);
/** As if popped and pushed again. */
bool wl_find_list(struct wl_body *body, struct wl_list list);
bool wl_apply(struct wl_body *body, struct wl_list params, struct wl_list results);
/** What follows is not reached. */
bool wl_end_here(struct wl_body *body);

/** Blocks. The parameters of a block are on the stack already, and stay. */
bool wl_enter(struct wl_body *body);
bool wl_leave(struct wl_body *body, struct wl_frame *frame);
/** What a branch to a label takes. */
bool wl_label(struct wl_body *body, uint32_t label, struct wl_list *list);

bool wl_local(struct wl_body *body, uint32_t index, wl_type *type, uint32_t *flag);
bool wl_set_flag(struct wl_body *body, uint32_t flag);

/** The rule of the instruction `body->now`; its signature is applied after. */
bool wl_check_rule(struct wl_body *body);

#endif
