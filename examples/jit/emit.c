/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "emit.h"

#include <string.h>
#include <sys/mman.h>

#include "../check.h"

/* ---- The buffer --------------------------------------------------------------- */

void code_begin(struct code *code, size_t size)
{
  void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (bytes == MAP_FAILED)
    give_up(WASMFX_ERROR_NO_MEMORY, WASMFX_OK);
  *code = (struct code){ bytes, 0, size };
}

void code_end(struct code *code)
{
  if (mprotect(code->bytes, code->size, PROT_READ | PROT_EXEC) != 0)
    give_up(WASMFX_ERROR_NO_MEMORY, WASMFX_OK);
}

void code_free(struct code *code)
{
  munmap(code->bytes, code->size);
}

static void byte(struct code *code, int value)
{
  if (code->used == code->size)
    give_up(WASMFX_ERROR_LIMIT, WASMFX_OK);
  code->bytes[code->used++] = (uint8_t)value;
}

static void number(struct code *code, uint64_t value, int bytes)
{
  for (int i = 0; i < bytes; i++, value >>= 8)
    byte(code, (int)(value & 0xff));
}

/* ---- Instructions: prefix, operation, which registers ----------------------------- */

enum { WIDE = 0x48, NARROW = 0x40 };

static void with_memory(struct code *code, int prefix, int operation, int reg, enum reg base, int disp)
{
  byte(code, prefix | reg >> 3 << 2 | (int)base >> 3);
  byte(code, operation);
  byte(code, 0x40 | (reg & 7) << 3 | ((int)base & 7));
  if (((int)base & 7) == RSP)
    byte(code, 0x24);
  byte(code, disp);
}

static void with_register(struct code *code, int prefix, int operation, int reg, enum reg other)
{
  byte(code, prefix | reg >> 3 << 2 | (int)other >> 3);
  byte(code, operation);
  byte(code, 0xc0 | (reg & 7) << 3 | ((int)other & 7));
}

void load(struct code *code, enum reg to, enum reg base, int disp)
{
  with_memory(code, WIDE, 0x8b, (int)to, base, disp);
}

void store(struct code *code, enum reg base, int disp, enum reg from)
{
  with_memory(code, WIDE, 0x89, (int)from, base, disp);
}

void compare(struct code *code, enum reg base, int disp, enum reg with)
{
  with_memory(code, WIDE, 0x39, (int)with, base, disp);
}

void compare_32(struct code *code, enum reg with, enum reg base, int disp)
{
  with_memory(code, NARROW, 0x3b, (int)with, base, disp);
}

void add_to(struct code *code, enum reg base, int disp, enum reg what)
{
  with_memory(code, WIDE, 0x01, (int)what, base, disp);
}

void decrement(struct code *code, enum reg base, int disp)
{
  with_memory(code, WIDE, 0xff, 1, base, disp);
}

void jump_to(struct code *code, enum reg base, int disp)
{
  with_memory(code, NARROW, 0xff, 4, base, disp);
}

void move(struct code *code, enum reg to, enum reg from)
{
  with_register(code, WIDE, 0x89, (int)from, to);
}

void move_32(struct code *code, enum reg to, enum reg from)
{
  with_register(code, NARROW, 0x89, (int)from, to);
}

void add(struct code *code, enum reg to, enum reg what)
{
  with_register(code, WIDE, 0x01, (int)what, to);
}

void test(struct code *code, enum reg what)
{
  with_register(code, WIDE, 0x85, (int)what, what);
}

void clear(struct code *code, enum reg to)
{
  with_register(code, NARROW, 0x31, (int)to, to);
}

void store_zero(struct code *code, enum reg base, int disp)
{
  with_memory(code, WIDE, 0xc7, 0, base, disp);
  number(code, 0, 4);
}

void test_byte(struct code *code, enum reg base, int disp, int bits)
{
  with_memory(code, NARROW, 0xf6, 0, base, disp);
  byte(code, bits);
}

void add_number(struct code *code, enum reg to, int value)
{
  with_register(code, WIDE, 0x83, 0, to);
  byte(code, value);
}

void shift_left(struct code *code, enum reg to, int bits)
{
  with_register(code, WIDE, 0xc1, 4, to);
  byte(code, bits);
}

void compare_16(struct code *code, enum reg what, int value)
{
  byte(code, 0x66);
  with_register(code, NARROW, 0x83, 7, what);
  byte(code, value);
}

void move_number(struct code *code, enum reg to, uint64_t value)
{
  byte(code, WIDE | (int)to >> 3);
  byte(code, 0xb8 | ((int)to & 7));
  number(code, value, 8);
}

void push(struct code *code, enum reg what)
{
  byte(code, NARROW | (int)what >> 3);
  byte(code, 0x50 | ((int)what & 7));
}

void pop(struct code *code, enum reg to)
{
  byte(code, NARROW | (int)to >> 3);
  byte(code, 0x58 | ((int)to & 7));
}

void call(struct code *code, void (*function)(void))
{
  move_number(code, R11, (uintptr_t)function);
  with_register(code, NARROW, 0xff, 2, R11);
}

void ret(struct code *code)
{
  byte(code, 0xc3);
}

/* ---- Labels ----------------------------------------------------------------------- */

static void distance_to(struct code *code, struct label *label)
{
  if (!label->at)
    label->uses[label->use_count++] = code->used;
  number(code, label->at - (code->used + 4), 4);
}

void jump(struct code *code, enum condition condition, struct label *label)
{
  if (condition == ALWAYS) {
    byte(code, 0xe9);
  } else {
    byte(code, 0x0f);
    byte(code, 0x80 | (int)condition);
  }
  distance_to(code, label);
}

void address_of(struct code *code, enum reg to, struct label *label)
{
  byte(code, WIDE | (int)to >> 3 << 2);
  byte(code, 0x8d);
  byte(code, 0x05 | ((int)to & 7) << 3); /* from the next instruction on */
  distance_to(code, label);
}

void here(struct code *code, struct label *label)
{
  label->at = code->used;
  for (size_t i = 0; i < label->use_count; i++) {
    const uint32_t distance = (uint32_t)(label->at - (label->uses[i] + 4));
    memcpy(code->bytes + label->uses[i], &distance, sizeof distance);
  }
}
