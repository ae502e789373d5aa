/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_CODE_H
#define WASMFX_LOWER_CODE_H
/**
 * @file code.h
 * Instructions, one after the other.
 *
 *     struct wl_instruction i;
 *     while (wl_next(&cursor, &i)) ...
 *
 * ends after the last byte, or at something malformed. Blocks are not matched here: `end` and `else` are instructions.
 */
#include "module.h"

/** What follows an opcode, in the order of the file. */
enum wl_immediates {
  WL_NOTHING,
  WL_IMM_BLOCK,        /* a type of blocks */
  WL_IMM_INDEX,        /* x */
  WL_IMM_INDICES,      /* x, y */
  WL_IMM_LABELS,       /* a list of labels, and x, the default */
  WL_IMM_CATCHES,      /* a type of blocks, a list of catch clauses */
  WL_IMM_HANDLERS,     /* x, a list of handlers */
  WL_IMM_TAG_HANDLERS, /* x, y, a list of handlers */
  WL_IMM_TYPES,        /* a list of types */
  WL_IMM_HEAP,         /* a heap type */
  WL_IMM_CAST,         /* nullabilities, x, two heap types */
  WL_IMM_ACCESS,       /* of memory: alignment, x, offset */
  WL_IMM_I32,
  WL_IMM_I64,
  WL_IMM_F32,
  WL_IMM_F64,
};

struct wl_op {
  const char *name;      /* NULL: there is no such opcode */
  uint8_t immediates;    /* enum wl_immediates */
  uint8_t align;         /* of accesses: the natural one, as a power of two */
  bool is_unsupported;
  bool is_constant;      /* may stand in constant expressions */
  const char *signature; /* "il:i" is [i32 i64] -> [i32]; f and d are f32 and f64. NULL: it depends */
};

/** Opcodes: the byte; after a prefix, one of these and the number that follows. */
enum {
  WL_GC = 0x100,   /* 0xfb */
  WL_MISC = 0x120, /* 0xfc */
  WL_OPS = 0x132,

  WL_UNREACHABLE = 0x00,
  WL_BLOCK = 0x02,
  WL_LOOP = 0x03,
  WL_IF = 0x04,
  WL_ELSE = 0x05,
  WL_THROW = 0x08,
  WL_THROW_REF = 0x0a,
  WL_END = 0x0b,
  WL_BR = 0x0c,
  WL_BR_IF = 0x0d,
  WL_BR_TABLE = 0x0e,
  WL_RETURN = 0x0f,
  WL_CALL = 0x10,
  WL_CALL_INDIRECT = 0x11,
  WL_RETURN_CALL = 0x12,
  WL_RETURN_CALL_INDIRECT = 0x13,
  WL_CALL_REF = 0x14,
  WL_RETURN_CALL_REF = 0x15,
  WL_DROP = 0x1a,
  WL_SELECT = 0x1b,
  WL_SELECT_TYPED = 0x1c,
  WL_TRY_TABLE = 0x1f,
  WL_LOCAL_GET = 0x20,
  WL_LOCAL_SET = 0x21,
  WL_LOCAL_TEE = 0x22,
  WL_GLOBAL_GET = 0x23,
  WL_GLOBAL_SET = 0x24,
  WL_TABLE_GET = 0x25,
  WL_TABLE_SET = 0x26,
  WL_MEMORY_SIZE = 0x3f,
  WL_MEMORY_GROW = 0x40,
  WL_REF_NULL = 0xd0,
  WL_REF_IS_NULL = 0xd1,
  WL_REF_FUNC = 0xd2,
  WL_REF_AS_NON_NULL = 0xd4,
  WL_BR_ON_NULL = 0xd5,
  WL_BR_ON_NON_NULL = 0xd6,
  WL_CONT_NEW = 0xe0,
  WL_CONT_BIND = 0xe1,
  WL_SUSPEND = 0xe2,
  WL_RESUME = 0xe3,
  WL_RESUME_THROW = 0xe4,
  WL_RESUME_THROW_REF = 0xe5,
  WL_SWITCH = 0xe6,
  WL_REF_TEST = WL_GC + 0x14,
  WL_REF_TEST_NULL = WL_GC + 0x15,
  WL_REF_CAST = WL_GC + 0x16,
  WL_REF_CAST_NULL = WL_GC + 0x17,
  WL_BR_ON_CAST = WL_GC + 0x18,
  WL_BR_ON_CAST_FAIL = WL_GC + 0x19,
  WL_MEMORY_INIT = WL_MISC + 0x08,
  WL_DATA_DROP = WL_MISC + 0x09,
  WL_MEMORY_COPY = WL_MISC + 0x0a,
  WL_MEMORY_FILL = WL_MISC + 0x0b,
  WL_TABLE_INIT = WL_MISC + 0x0c,
  WL_ELEM_DROP = WL_MISC + 0x0d,
  WL_TABLE_COPY = WL_MISC + 0x0e,
  WL_TABLE_GROW = WL_MISC + 0x0f,
  WL_TABLE_SIZE = WL_MISC + 0x10,
  WL_TABLE_FILL = WL_MISC + 0x11,
};

extern const struct wl_op wl_ops[WL_OPS];

enum wl_block_form { WL_BLOCK_EMPTY, WL_BLOCK_VALUE, WL_BLOCK_TYPE };

struct wl_instruction {
  const struct wl_op *op;
  uint32_t offset;
  uint32_t x, y;          /* indices */
  wl_type type, type2;    /* the type of a block's value; heap types as references, of a cast the source first */
  uint32_t type_index;    /* of a block */
  uint8_t block_form;     /* enum wl_block_form */
  uint32_t count, list;   /* a list, and where its items begin */
  uint64_t value;         /* a constant's bits; what an access adds to the address */
  uint32_t align;         /* of an access, as a power of two */
  uint16_t opcode;
};

/** Goes over the declarations of locals, with which a body begins. */
void wl_skip_locals(struct wl_cursor *cursor);

/** The next instruction; false after the last, and at something malformed or not supported. */
bool wl_next(struct wl_cursor *cursor, struct wl_instruction *instruction);

enum wl_clause_kind { WL_CATCH, WL_CATCH_REF, WL_CATCH_ALL, WL_CATCH_ALL_REF, WL_ON_LABEL, WL_ON_SWITCH };

/** A clause of `try_table`, or a handler of a resume. */
struct wl_clause {
  uint32_t offset;
  uint8_t kind; /* enum wl_clause_kind */
  uint32_t tag, label;
};

/** Items of the lists, which `wl_next` has gone over before: nothing can be wrong with them. */
struct wl_clause wl_next_catch(struct wl_cursor *cursor);
struct wl_clause wl_next_handler(struct wl_cursor *cursor);

#endif
