/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXAMPLES_JIT_EMIT_H
#define EXAMPLES_JIT_EMIT_H
/** @file emit.h  A buffer of x86-64 code, instruction by instruction. */
#include <stddef.h>
#include <stdint.h>

enum reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
enum condition { BELOW = 2, NOT_BELOW = 3, EQUAL = 4, NOT_EQUAL = 5, ALWAYS = 16 };
#define CARRY BELOW
#define NOT_ZERO NOT_EQUAL

struct code {
  uint8_t *bytes;
  size_t used, size;
};

/** A place that may be jumped to before it is known. */
struct label {
  size_t at, uses[8], use_count;
};

void code_begin(struct code *code, size_t size);
/** From now on it can be run, and not written. */
void code_end(struct code *code);
void code_free(struct code *code);

/* Memory is `disp` bytes behind a register. */
void load(struct code *code, enum reg to, enum reg base, int disp);
void store(struct code *code, enum reg base, int disp, enum reg from);
void store_zero(struct code *code, enum reg base, int disp);
void compare(struct code *code, enum reg base, int disp, enum reg with);
void compare_32(struct code *code, enum reg with, enum reg base, int disp);
void test_byte(struct code *code, enum reg base, int disp, int bits);
void add_to(struct code *code, enum reg base, int disp, enum reg what);
void decrement(struct code *code, enum reg base, int disp);
void jump_to(struct code *code, enum reg base, int disp);

void move(struct code *code, enum reg to, enum reg from);
void move_32(struct code *code, enum reg to, enum reg from);
void move_number(struct code *code, enum reg to, uint64_t number);
void add(struct code *code, enum reg to, enum reg what);
void add_number(struct code *code, enum reg to, int number);
void shift_left(struct code *code, enum reg to, int bits);
void test(struct code *code, enum reg what);                 /* for zero */
void compare_16(struct code *code, enum reg what, int number); /* one of the first four */
void clear(struct code *code, enum reg to);                  /* one of the first eight */
void push(struct code *code, enum reg what);
void pop(struct code *code, enum reg to);
void call(struct code *code, void (*function)(void));
void ret(struct code *code);

void jump(struct code *code, enum condition condition, struct label *label);
void address_of(struct code *code, enum reg to, struct label *label);
void here(struct code *code, struct label *label);

#endif
