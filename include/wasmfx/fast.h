/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_FAST_H
#define WASMFX_FAST_H
/**
 * @file fast.h
 * Opt-in: resume, suspend and switch in word form without a function call.
 *
 * The functions do what those of cont.h do that have the same names without `fast`, and the two meet: what has
 * suspended by one may be resumed by the other. They take the runtime by the address of a variable, and leave it as it
 * is: that way the compiler learns that it is in a register where they come back. Else it would fetch it from the
 * stack of the continuation, which may not have been touched for long, and the next suspension would have to wait for
 * it.
 *
 * They are for loops where the call, and the registers that it
 * saves and restores, are what takes the time. Compiled where this is not possible they are those
 * functions: WASMFX_HAVE_FAST is 0 then.
 *
 * *How.* The library's entry point is reached by a jump out of the middle of the
 * caller, whose compiler has been told that every register is destroyed but the stack
 * and frame pointers. So it saves what is alive there and nothing else. What is agreed
 * on with the library is these registers, not the layout of anything:
 *
 *     resume    rdi runtime   rsi word   rdx reference   rcx table             r8 landing
 *     suspend   rdi runtime   rsi word   rdx tag                               r8 landing
 *     switch    rdi runtime   rsi word   rdx reference   rcx tag    rbx wait   r8 landing
 *     after     rdi runtime   rsi word   rdx reference   rcx the first half of the outcome
 *
 * Where the library has to do more than its short path it comes back five bytes before the
 * landing, with everything as it was, and the caller makes an ordinary call.
 *
 * *Where.* x86-64 with the System V convention, by gcc 11 or clang 17 and later. Not with
 * sanitizers, which want to be told of switches, and not where the compiler may use registers that
 * this header does not know (APX; AMX with clang).
 *
 * *Not in functions* that
 *  - are compiled for another processor than the file (the attributes target and target_clones, or a pragma), since
 *    they may keep values in registers of which the file knows nothing;
 *  - have destructors, cleanups or try blocks, if a thread may end, or be cancelled, in what they resume, or in a handler
 *    that is called in place: to an unwinder a jump is not a place where something can be thrown, and C++ terminates;
 *  - have both variable-length arrays, or alloca, and variables that are aligned to more than 16 bytes, by clang
 *    before 20, which finds the latter by a register that is destroyed here.
 */
#include <wasmfx/cont.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define WASMFX_FAST_WATCHED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WASMFX_FAST_WATCHED
#endif

#if defined(__clang__)
#define WASMFX_FAST_COMPILER (__clang_major__ >= 17)
#elif defined(__GNUC__)
#define WASMFX_FAST_COMPILER (__GNUC__ >= 11)
#else
#define WASMFX_FAST_COMPILER 0
#endif

/** Whether the functions below are faster than those of cont.h, or the same. */
#if WASMFX_FAST_COMPILER && defined(__x86_64__) && defined(__LP64__) && defined(__ELF__) && defined(__SSE2__) && \
  !defined(_SOFT_FLOAT) && !defined(__APX_F__) && !defined(WASMFX_FAST_WATCHED) && \
  !(defined(__clang__) && defined(__AMX_TILE__))
#define WASMFX_HAVE_FAST 1
#else
#define WASMFX_HAVE_FAST 0
#endif

#if WASMFX_HAVE_FAST

#ifdef __cplusplus
extern "C" {
#endif
/* Where the library is entered: code that follows no calling convention. Not for callers, as all down to the
 * functions. */
WASMFX_API extern const char wasmfx_fast_resume[];
WASMFX_API extern const char wasmfx_fast_suspend[];
WASMFX_API extern const char wasmfx_fast_switch[];
#ifdef __cplusplus
}
#endif

/* An indirect jump leads to the landing: it wants a mark where these are checked. */
#if defined(__CET__) && (__CET__ & 1)
#define WASMFX_FAST_MARK "endbr64\n\t"
#else
#define WASMFX_FAST_MARK
#endif

/* The jump in front of the landing is five bytes long: that is what the library reckons with. */
#define WASMFX_FAST_GO(entry)                                                                                          \
  "leaq 1f(%%rip), %%r8\n\t"                                                                                           \
  "jmpq *" entry "@GOTPCREL(%%rip)\n\t"                                                                                \
  ".byte 0xe9\n\t"                                                                                                     \
  ".long %l[declined] - . - 4\n"                                                                                       \
  "1:\n\t" WASMFX_FAST_MARK

#ifdef __AVX512F__
#define WASMFX_FAST_MORE_REGISTERS                                                                                     \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",        \
    "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define WASMFX_FAST_MORE_REGISTERS
#endif

#define WASMFX_FAST_REGISTERS                                                                                          \
  "rax", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", WASMFX_FAST_OTHER_REGISTERS
#define WASMFX_FAST_OTHER_REGISTERS                                                                                    \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
    "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "mm0", "mm1", "mm2", "mm3",  \
    "mm4", "mm5", "mm6", "mm7", "memory", "cc" WASMFX_FAST_MORE_REGISTERS

/* What came out is read behind this: gcc before 14 may take it from elsewhere on one of the two ways. */
#define WASMFX_FAST_ARRIVED() __asm__ volatile("")

#define WASMFX_FAST_INLINE static inline __attribute__((always_inline))

WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_fast_outcome(uint64_t event, uint64_t word)
{
  wasmfx_outcome_t outcome;
  outcome.status = (int16_t)event;
  outcome.by_address = (uint16_t)(event >> 16);
  outcome.handler = (uint32_t)(event >> 32);
  outcome.word = word;
  return outcome;
}

/** wasmfx_resume_word(). */
WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_fast_resume_word(wasmfx_runtime_t **rt, wasmfx_cont_t *cont,
                                                            const wasmfx_handlers_t *handlers, uint64_t word)
{
  wasmfx_runtime_t *runtime = *rt;
  wasmfx_cont_t reference = *cont;
  uint64_t event = (uint64_t)(uintptr_t)handlers;
  __asm__ volatile goto(WASMFX_FAST_GO("wasmfx_fast_resume")
               : "+D"(runtime), "+S"(word), "+d"(reference), "+c"(event)
               :
               : "rbx", WASMFX_FAST_REGISTERS
               : declined);
  WASMFX_FAST_ARRIVED();
  *rt = runtime;
  *cont = reference;
  return wasmfx_fast_outcome(event, word);
declined:
  WASMFX_FAST_ARRIVED();
  *cont = reference;
  return wasmfx_resume_word(runtime, cont, (const wasmfx_handlers_t *)(uintptr_t)event, word);
}

/** wasmfx_suspend_word(). */
WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_fast_suspend_word(wasmfx_runtime_t **rt, const wasmfx_tag_t *tag,
                                                             uint64_t word)
{
  wasmfx_runtime_t *runtime = *rt;
  uint64_t event, name = (uint64_t)(uintptr_t)tag;
  __asm__ volatile goto(WASMFX_FAST_GO("wasmfx_fast_suspend")
               : "+D"(runtime), "+S"(word), "+d"(name), "=c"(event)
               :
               : "rbx", WASMFX_FAST_REGISTERS
               : declined);
  WASMFX_FAST_ARRIVED();
  *rt = runtime;
  return wasmfx_fast_outcome(event, word);
declined:
  WASMFX_FAST_ARRIVED();
  return wasmfx_suspend_word(runtime, (const wasmfx_tag_t *)(uintptr_t)name, word);
}

/** wasmfx_switch_word(). */
WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_fast_switch_word(wasmfx_runtime_t **rt, wasmfx_cont_t *cont,
                                                            const wasmfx_tag_t *tag, const wasmfx_type_t *wait,
                                                            uint64_t word)
{
  wasmfx_runtime_t *runtime = *rt;
  wasmfx_cont_t reference = *cont;
  uint64_t event = (uint64_t)(uintptr_t)tag, awaited = (uint64_t)(uintptr_t)wait;
  __asm__ volatile goto(WASMFX_FAST_GO("wasmfx_fast_switch")
               : "+D"(runtime), "+S"(word), "+d"(reference), "+c"(event), "+b"(awaited)
               :
               : WASMFX_FAST_REGISTERS
               : declined);
  WASMFX_FAST_ARRIVED();
  *rt = runtime;
  *cont = reference;
  return wasmfx_fast_outcome(event, word);
declined:
  WASMFX_FAST_ARRIVED();
  *cont = reference;
  return wasmfx_switch_word(runtime, cont, (const wasmfx_tag_t *)(uintptr_t)event,
                            (const wasmfx_type_t *)(uintptr_t)awaited, word);
}

#else

#define WASMFX_FAST_INLINE static inline

WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_fast_resume_word(wasmfx_runtime_t **rt, wasmfx_cont_t *cont,
                                                            const wasmfx_handlers_t *handlers, uint64_t word)
{
  return wasmfx_resume_word(*rt, cont, handlers, word);
}

WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_fast_suspend_word(wasmfx_runtime_t **rt, const wasmfx_tag_t *tag,
                                                             uint64_t word)
{
  return wasmfx_suspend_word(*rt, tag, word);
}

WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_fast_switch_word(wasmfx_runtime_t **rt, wasmfx_cont_t *cont,
                                                            const wasmfx_tag_t *tag, const wasmfx_type_t *wait,
                                                            uint64_t word)
{
  return wasmfx_switch_word(*rt, cont, tag, wait, word);
}

#endif
#endif
