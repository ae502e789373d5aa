/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H
/*
 * The limit: what a change of stacks costs when it does nothing else.
 *
 * No handlers, no checks, no references: a switch stores where it was, loads
 * where it goes and jumps. It is inlined and declares that it destroys every
 * register but rsp and rbp, so that the compiler saves exactly what is alive,
 * which in a tight loop is nothing. What the library costs is told as multiples
 * of this.
 *
 * A coroutine's block lies at the top of its stack:
 *
 *     high +------------------+  top of the stack
 *          | struct limit     |  where it stopped, and where its resumer waits
 *          +------------------+
 *          ~ frames           ~
 *     low  +------------------+
 */
#include "stacks.h"

#include <stddef.h>
#include <stdint.h>

struct limit_place {
  void *pc, *sp, *fp;
};

struct limit {
  _Alignas(STACK_LINE) struct limit_place inside; /* of the coroutine while it is suspended */
  struct limit_place outside; /* of its resumer while it runs */
  uint64_t (*body)(struct limit *self, uint64_t word);
  size_t place; /* in a ring */
};

#ifdef __AVX512F__
#define LIMIT_WIDE_REGISTERS                                                                                           \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",        \
    "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define LIMIT_WIDE_REGISTERS
#endif

/*
 * Stores this side as `from`, of the block that the register `leaver` leads to, and goes on as `to` of the one in rdi.
 * That and rsi, the payload, arrive at a place where a switch like this one waits, and at the
 * entry of a fresh coroutine, where they are the first two arguments.
 */
#define LIMIT_SWITCH(leaver)                                                                                           \
  "leaq 1f(%%rip), %%rax\n\t"                                                                                          \
  "movq %%rsp, %c[from_sp](" leaver ")\n\t"                                                                            \
  "movq %%rax, %c[from_pc](" leaver ")\n\t"                                                                            \
  "movq %%rbp, %c[from_fp](" leaver ")\n\t"                                                                            \
  "movq %c[to_sp](%%rdi), %%rsp\n\t"                                                                                   \
  "movq %c[to_fp](%%rdi), %%rbp\n\t"                                                                                   \
  "jmpq *%c[to_pc](%%rdi)\n\t"                                                                                         \
  ".p2align 4\n"                                                                                                       \
  "1:\n\t"

#define LIMIT_PLACES(from, to)                                                                                         \
  [from_pc] "i"(offsetof(struct limit, from.pc)), [from_sp] "i"(offsetof(struct limit, from.sp)),                      \
    [from_fp] "i"(offsetof(struct limit, from.fp)), [to_pc] "i"(offsetof(struct limit, to.pc)),                        \
    [to_sp] "i"(offsetof(struct limit, to.sp)), [to_fp] "i"(offsetof(struct limit, to.fp))

#define LIMIT_CLOBBERS                                                                                                 \
  "rax", "rbx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",   \
    "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory",            \
    "cc" LIMIT_WIDE_REGISTERS

static inline __attribute__((always_inline)) uint64_t limit_resume(struct limit *co, uint64_t word)
{
  __asm__ volatile(LIMIT_SWITCH("%%rdi")
                   : "+D"(co), "+S"(word)
                   : LIMIT_PLACES(outside, inside)
                   : "rcx", LIMIT_CLOBBERS);
  return word;
}

static inline __attribute__((always_inline)) uint64_t limit_yield(struct limit *co, uint64_t word)
{
  __asm__ volatile(LIMIT_SWITCH("%%rdi")
                   : "+D"(co), "+S"(word)
                   : LIMIT_PLACES(inside, outside)
                   : "rcx", LIMIT_CLOBBERS);
  return word;
}

/* From one to another, neither of which is the other's resumer. */
static inline __attribute__((always_inline)) uint64_t limit_switch(struct limit *from, struct limit *to, uint64_t word)
{
  __asm__ volatile(LIMIT_SWITCH("%%rcx")
                   : "+D"(to), "+S"(word), "+c"(from)
                   : LIMIT_PLACES(inside, inside)
                   : LIMIT_CLOBBERS);
  return word;
}

/* Where a fresh coroutine starts; it is over with the last yield, and its
 * resumer has to know that. */
static _Noreturn void limit_entry(struct limit *co, uint64_t word)
{
  limit_yield(co, co->body(co, word));
  __builtin_unreachable();
}

static inline struct limit *limit_new(uint64_t (*body)(struct limit *self, uint64_t word))
{
  struct limit *co = (struct limit *)stack_take() - 1;
  co->body = body;
  co->inside.pc = (void *)(uintptr_t)limit_entry;
  co->inside.sp = (char *)co - sizeof(void *); /* as after a call: 8 below a multiple of 16 */
  co->inside.fp = NULL;
  return co;
}

static inline void limit_free(struct limit *co)
{
  stack_give(co + 1);
}
#endif
