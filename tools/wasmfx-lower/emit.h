/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_EMIT_H
#define WASMFX_LOWER_EMIT_H
/**
 * @file emit.h
 * The code of the function that is being made. Nothing here answers whether there was memory: who lowers an
 * instruction asks `wl_lower_failed` after it.
 */
#include "code.h"
#include "lower.h"

/* Opcodes that no instruction of a source has to name. */
enum {
  WL_I32_CONST = 0x41,
  WL_I64_CONST = 0x42,
  WL_F32_CONST = 0x43,
  WL_F64_CONST = 0x44,
  WL_I32_EQZ = 0x45,
  WL_I32_ADD = 0x6a,
  WL_I64_EQ = 0x51,
  WL_I32_AND = 0x71,
  WL_I32_WRAP_I64 = 0xa7,
  WL_I64_EXTEND_I32_U = 0xad,
  WL_I32_REINTERPRET_F32 = 0xbc,
  WL_I64_REINTERPRET_F64 = 0xbd,
  WL_F32_REINTERPRET_I32 = 0xbe,
  WL_F64_REINTERPRET_I64 = 0xbf,
  WL_MISC_PREFIX = 0xfc,
  WL_NO_VALUES = 0x40, /* a type of blocks */
};

/* Into any array of bytes. */
void wl_put_byte(struct wl_lowering *l, struct wl_array *bytes, uint8_t byte);
void wl_put_bytes(struct wl_lowering *l, struct wl_array *bytes, const uint8_t *from, size_t count);
void wl_put_unsigned(struct wl_lowering *l, struct wl_array *bytes, uint64_t number);
void wl_put_signed(struct wl_lowering *l, struct wl_array *bytes, int64_t number);

/* Into the function. */
void wl_begin_function(struct wl_lowering *l, uint32_t params);
/** Declares locals, before any code. */
void wl_declare(struct wl_lowering *l, uint32_t count, uint32_t low_type);
void wl_finish_function(struct wl_lowering *l, uint32_t low_type);

void wl_emit(struct wl_lowering *l, uint8_t opcode);
void wl_emit_index(struct wl_lowering *l, uint8_t opcode, uint32_t index);
void wl_emit_i32(struct wl_lowering *l, uint32_t number);
void wl_emit_i64(struct wl_lowering *l, uint64_t number);
void wl_emit_null(struct wl_lowering *l, uint32_t low_type);
/** Zero, or null. */
void wl_emit_default(struct wl_lowering *l, uint32_t low_type);
/** An instruction that names a function: of the source, or an added one. */
void wl_emit_function(struct wl_lowering *l, uint8_t opcode, uint32_t function);
void wl_emit_verb(struct wl_lowering *l, enum wl_verb verb, enum wl_variant variant);
/** Calls an element of a table as a function of a type. The operands and the index lie on the stack. */
void wl_emit_call_indirect(struct wl_lowering *l, uint32_t definition, uint32_t table);
void wl_emit_trap(struct wl_lowering *l, enum wl_trap trap);

/** A block, loop or if without values, or with the parameters and results of lists. */
void wl_open(struct wl_lowering *l, uint8_t opcode);
void wl_open_typed(struct wl_lowering *l, uint8_t opcode, struct wl_list params, struct wl_list results);
void wl_close(struct wl_lowering *l);
/** A branch to a label that has so many around it. */
void wl_emit_branch(struct wl_lowering *l, uint8_t opcode, uint32_t label);

/** A local for the use of one instruction. `wl_release` begins the next. */
uint32_t wl_scratch(struct wl_lowering *l, uint32_t low_type);
void wl_release(struct wl_lowering *l);

#endif
