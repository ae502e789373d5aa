/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_LOWER_ASSEMBLE_H
#define WASMFX_TESTS_LOWER_ASSEMBLE_H
/** @file assemble.h  Modules of bytes: sections get their lengths, the rest is written out. */
#include <stddef.h>
#include <stdint.h>

struct bytes {
  size_t count;
  uint8_t at[1 << 17];
};

/** A list of bytes as one argument: where they are, and how many. */
#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

void put(struct bytes *to, const uint8_t *bytes, size_t count);
void put_number(struct bytes *to, uint32_t number);
/** The header. */
void begin_module(struct bytes *to);
void put_section(struct bytes *to, uint8_t id, const uint8_t *bytes, size_t count);

enum {
  CUSTOM_SECTION, TYPE_SECTION, IMPORT_SECTION, FUNCTION_SECTION, TABLE_SECTION, MEMORY_SECTION, GLOBAL_SECTION,
  EXPORT_SECTION, START_SECTION, ELEMENT_SECTION, CODE_SECTION, DATA_SECTION, DATA_COUNT_SECTION, TAG_SECTION
};

/* ---- Bytes of the format ------------------------------------------------------------------ */

#define I32 0x7f
#define I64 0x7e
#define F32 0x7d
#define F64 0x7c
#define V128 0x7b
#define FUNCREF 0x70
#define EXTERNREF 0x6f
#define EXNREF 0x69
#define CONTREF 0x68
#define NULLCONTREF 0x75
#define REF(heap) 0x64, heap
#define REF_NULL(heap) 0x63, heap
#define ANY_FUNC 0x70
#define ANY_CONT 0x68
#define NO_CONT 0x75

#define FUNC 0x60
#define STRUCT 0x5f
#define ARRAY 0x5e
#define CONT 0x5d
#define REC 0x4e
#define SUB 0x50
#define SUB_FINAL 0x4f

#define UNREACHABLE 0x00
#define BLOCK(type) 0x02, type
#define LOOP(type) 0x03, type
#define IF(type) 0x04, type
#define ELSE 0x05
#define THROW(tag) 0x08, tag
#define THROW_REF 0x0a
#define END 0x0b
#define BR(label) 0x0c, label
#define BR_IF(label) 0x0d, label
#define RETURN 0x0f
#define CALL(function) 0x10, function
#define CALL_INDIRECT(type, table) 0x11, type, table
#define RETURN_CALL(function) 0x12, function
#define RETURN_CALL_INDIRECT(type, table) 0x13, type, table
#define CALL_REF(type) 0x14, type
#define RETURN_CALL_REF(type) 0x15, type
#define DROP 0x1a
#define SELECT 0x1b
#define SELECT_TYPED(type) 0x1c, 1, type
#define TRY_TABLE(type, count) 0x1f, type, count
#define CATCH(tag, label) 0x00, tag, label
#define CATCH_REF(tag, label) 0x01, tag, label
#define CATCH_ALL(label) 0x02, label
#define CATCH_ALL_REF(label) 0x03, label
#define GET(local) 0x20, local
#define SET(local) 0x21, local
#define TEE(local) 0x22, local
#define GLOBAL_GET(global) 0x23, global
#define GLOBAL_SET(global) 0x24, global
#define TABLE_GET(table) 0x25, table
#define TABLE_SET(table) 0x26, table
#define I32_LOAD(align, offset) 0x28, align, offset
#define I64_STORE(align, offset) 0x37, align, offset
#define I32_CONST(value) 0x41, value
#define I64_CONST(value) 0x42, value
#define F32_ZERO 0x43, 0, 0, 0, 0
#define F64_ZERO 0x44, 0, 0, 0, 0, 0, 0, 0, 0
#define I32_ADD 0x6a
#define I64_ADD 0x7c
#define NULL_OF(heap) 0xd0, heap
#define IS_NULL 0xd1
#define REF_FUNC(function) 0xd2, function
#define AS_NON_NULL 0xd4
#define BR_ON_NULL(label) 0xd5, label
#define BR_ON_NON_NULL(label) 0xd6, label
#define REF_TEST(heap) 0xfb, 0x14, heap
#define REF_CAST(heap) 0xfb, 0x16, heap
#define BR_ON_CAST(label, from, to) 0xfb, 0x18, 3, label, from, to
#define BR_ON_CAST_FAIL(label, from, to) 0xfb, 0x19, 3, label, from, to

#define CONT_NEW(type) 0xe0, type
#define CONT_BIND(from, to) 0xe1, from, to
#define SUSPEND(tag) 0xe2, tag
#define RESUME(type, count) 0xe3, type, count
#define RESUME_THROW(type, tag, count) 0xe4, type, tag, count
#define RESUME_THROW_REF(type, count) 0xe5, type, count
#define SWITCH(type, tag) 0xe6, type, tag
#define ON(tag, label) 0x00, tag, label
#define ON_SWITCH(tag) 0x01, tag

#define NO_VALUE 0x40 /* of blocks */

#endif
