/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_PINNED_H
#define WASMFX_PINNED_H
/**
 * @file pinned.h
 * Opt-in: cont.new, resume, suspend and switch in word form, inlined whole over the layout of abi.h. For hosts that
 * build the library in, or compare WASMFX_ABI_VERSION with wasmfx_abi_version() when they start.
 *
 * The functions do what those of cont.h do that have the same names without `pinned`; what has suspended by one tier
 * may be resumed by another. What is not on their short path goes to the others. The rules of fast.h hold here,
 * too: the runtime comes by the address of a variable, and for where these functions may not stand. Compiled where
 * fast.h has nothing better than cont.h, neither has this.
 */
#include <wasmfx/abi.h>
#include <wasmfx/fast.h>

#if WASMFX_HAVE_FAST

/* Assembly, a line each: fields of the runtime, and of the objects that leave (r9) and go on (rax). */
#define WASMFX_PINNED_TEXT_(number) #number
#define WASMFX_PINNED_TEXT(number) WASMFX_PINNED_TEXT_(number)
#define WASMFX_PINNED_NUMBER(field) WASMFX_PINNED_TEXT(WASMFX_ABI_##field)
#define WASMFX_PINNED_RT(field) WASMFX_PINNED_NUMBER(RT_##field) "(%%rdi)"
#define WASMFX_PINNED_FROM(field) WASMFX_PINNED_NUMBER(OBJECT_##field) "(%%r9)"
#define WASMFX_PINNED_TO(field) WASMFX_PINNED_NUMBER(OBJECT_##field) "(%%rax)"
#define WASMFX_PINNED_MOVE(from, to) "movq " from ", " to "\n\t"
#define WASMFX_PINNED_COMPARE(one, other) "cmpq " one ", " other "\n\t"
#define WASMFX_PINNED_DECLINE_IF(condition) "j" condition " %l[declined]\n\t"

/* For walkers, while the stack pointer is the other one's already: the landing in the object in rax has made a call. */
#ifdef __GCC_HAVE_DWARF2_CFI_ASM
#define WASMFX_PINNED_RAX(field) "0x70, 0, 0x23, " WASMFX_PINNED_NUMBER(OBJECT_##field)
#define WASMFX_PINNED_CFI_BEGIN                                                                                        \
  ".cfi_remember_state\n\t"                                                                                            \
  ".cfi_escape 0x0f, 5, " WASMFX_PINNED_RAX(SP) ", 0x06\n\t"               /* the frame ends at *(rax + SP) */         \
  ".cfi_escape 0x16, 16, 7, " WASMFX_PINNED_RAX(PC) ", 0x06, 0x23, 1\n\t"  /* rip is *(rax + PC) + 1 */                \
  ".cfi_escape 0x10, 6, 4, " WASMFX_PINNED_RAX(FP) "\n\t"                  /* rbp lies at rax + FP */                  \
  ".cfi_same_value %%rbx\n\t"                                                                                          \
  ".cfi_same_value %%r12\n\t"                                                                                          \
  ".cfi_same_value %%r13\n\t"                                                                                          \
  ".cfi_same_value %%r14\n\t"                                                                                          \
  ".cfi_same_value %%r15\n\t"
#define WASMFX_PINNED_CFI_END ".cfi_restore_state\n\t"
#else
#define WASMFX_PINNED_CFI_BEGIN
#define WASMFX_PINNED_CFI_END
#endif

/* rax = the object of the reference in rdx, if that is alive. */
#define WASMFX_PINNED_FIND                                                                                             \
  "movl %%edx, %%eax\n\t"                                                                                              \
  "cmpl " WASMFX_PINNED_RT(SLOTS) ", %%eax\n\t"                                                                        \
  WASMFX_PINNED_DECLINE_IF("ae")                                                                                       \
  "shlq $" WASMFX_PINNED_NUMBER(OBJECT_SHIFT) ", %%rax\n\t"                                                            \
  "addq %%rdi, %%rax\n\t"                                                                                              \
  WASMFX_PINNED_COMPARE(WASMFX_PINNED_TO(REFERENCE), "%%rdx")                                                          \
  WASMFX_PINNED_DECLINE_IF("ne")

/* r10 = the reference after the one in rdx, if there is one. */
#define WASMFX_PINNED_NEXT                                                                                             \
  "movabsq $(1 << " WASMFX_PINNED_NUMBER(REVISION_SHIFT) "), %%r10\n\t"                                                \
  "addq %%rdx, %%r10\n\t"                                                                                              \
  WASMFX_PINNED_DECLINE_IF("c")

/* Where who leaves will land. */
#define WASMFX_PINNED_WAIT                                                                                             \
  "leaq 1f(%%rip), %%r8\n\t"                                                                                           \
  WASMFX_PINNED_MOVE("%%r8", WASMFX_PINNED_FROM(PC))                                                                   \
  WASMFX_PINNED_MOVE("%%rsp", WASMFX_PINNED_FROM(SP))                                                                  \
  WASMFX_PINNED_MOVE("%%rbp", WASMFX_PINNED_FROM(FP))
/* The link to a resumer is cut last, and as soon as walkers do not need it. */
#define WASMFX_PINNED_CUT WASMFX_PINNED_MOVE("$0", WASMFX_PINNED_FROM(PARENT))
#define WASMFX_PINNED_GO                                                                                               \
  WASMFX_PINNED_MOVE(WASMFX_PINNED_TO(SP), "%%rsp")                                                                    \
  WASMFX_PINNED_MOVE(WASMFX_PINNED_TO(FP), "%%rbp")                                                                    \
  "jmpq *" WASMFX_PINNED_TO(PC) "\n\t"
#define WASMFX_PINNED_LAND "1:\n\t" WASMFX_FAST_MARK

/* Hangs `to` under `from`, by its next reference and the table in rcx. */
#define WASMFX_PINNED_RESUME                                                                                           \
  WASMFX_PINNED_MOVE(WASMFX_PINNED_RT(CURRENT), "%%r9")                                                                \
  WASMFX_PINNED_MOVE("%%r10", WASMFX_PINNED_TO(REFERENCE))                                                             \
  WASMFX_PINNED_MOVE("%%r9", WASMFX_PINNED_TO(PARENT))                                                                 \
  WASMFX_PINNED_MOVE("%%rcx", WASMFX_PINNED_TO(HANDLERS))                                                              \
  WASMFX_PINNED_MOVE("%%rax", WASMFX_PINNED_RT(CURRENT))                                                               \
  WASMFX_PINNED_WAIT                                                                                                   \
  "xorl %%edx, %%edx\n\t"                                                                                              \
  "xorl %%ecx, %%ecx\n\t"

/* Keeps compilers from moving a value together with its neighbour: what was stored in two pieces takes long to load as
 * one. */
#define WASMFX_PINNED_ALONE(value) __asm__("" : "+r"(value))

/* Addresses by which continuations are told apart are the library's own: not what a program that is linked with a
 * shared one takes for them. */
#define WASMFX_PINNED_LANDING(name)                                                                                    \
  __extension__({                                                                                                      \
    const char *landing;                                                                                               \
    __asm__("movq " #name "@GOTPCREL(%%rip), %0" : "=r"(landing));                                                     \
    landing;                                                                                                           \
  })

/** wasmfx_cont_new_word(). */
WASMFX_FAST_INLINE wasmfx_status_t wasmfx_pinned_cont_new_word(wasmfx_runtime_t *rt, const wasmfx_type_t *type,
                                                               wasmfx_word_entry_t entry, void *env,
                                                               wasmfx_cont_t *cont)
{
  struct wasmfx_abi_runtime *hot = (struct wasmfx_abi_runtime *)(void *)rt;
  const struct wasmfx_abi_type *known = (const struct wasmfx_abi_type *)(const void *)type;
  struct wasmfx_abi_object *object = hot->free_object;
  struct wasmfx_abi_house *house = hot->house;
  const uint64_t made = house->made;
  if (__builtin_expect(!entry || !type || known->runtime != rt || !known->short_params || !object ||
                         made >= house->may_be_made, 0))
    return wasmfx_cont_new_word(rt, type, entry, env, cont);
  hot->free_object = object->next_free;
  object->pc = WASMFX_PINNED_LANDING(wasmfx_abi_fresh);
  object->entry = entry;
  object->env = env;
  object->parent = NULL;
  object->awaits = known->short_params;
  WASMFX_PINNED_ALONE(known);
  object->type = known;
  object->stack_class = 0;
  house->made = made + 1;
  *cont = object->reference;
  return WASMFX_OK;
}

/** wasmfx_resume_word(). */
WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_pinned_resume_word(wasmfx_runtime_t **rt, wasmfx_cont_t *cont,
                                                              const wasmfx_handlers_t *handlers, uint64_t word)
{
  wasmfx_runtime_t *runtime = *rt;
  wasmfx_cont_t reference = *cont;
  uint64_t event = (uint64_t)(uintptr_t)handlers;
  __asm__ volatile goto(WASMFX_PINNED_FIND WASMFX_PINNED_NEXT
                          "testq %%rcx, %%rcx\n\t" WASMFX_PINNED_DECLINE_IF("z")
                          "testb $" WASMFX_PINNED_NUMBER(AWAITS_PLACE) ", " WASMFX_PINNED_TO(AWAITS) "\n\t"
                          "jnz 2f\n\t"
                        WASMFX_PINNED_RESUME
                        WASMFX_PINNED_CFI_BEGIN WASMFX_PINNED_GO WASMFX_PINNED_CFI_END
                        "2:\n\t" /* it is fresh */
                          "testb $" WASMFX_PINNED_NUMBER(AWAITS_NOT_FRESH) ", " WASMFX_PINNED_TO(AWAITS) "\n\t"
                          WASMFX_PINNED_DECLINE_IF("nz")
                          WASMFX_PINNED_COMPARE("$0", WASMFX_PINNED_RT(FREE_STACK)) WASMFX_PINNED_DECLINE_IF("e")
                        WASMFX_PINNED_RESUME
                        "jmpq *wasmfx_abi_start@GOTPCREL(%%rip)\n\t"
                        WASMFX_PINNED_LAND
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
WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_pinned_suspend_word(wasmfx_runtime_t **rt, const wasmfx_tag_t *tag,
                                                               uint64_t word)
{
  wasmfx_runtime_t *runtime = *rt;
  uint64_t event, name = (uint64_t)(uintptr_t)tag;
  __asm__ volatile goto(WASMFX_PINNED_MOVE(WASMFX_PINNED_RT(CURRENT), "%%r9")
                          WASMFX_PINNED_MOVE(WASMFX_PINNED_FROM(HANDLERS), "%%r10")
                          WASMFX_PINNED_COMPARE(WASMFX_PINNED_NUMBER(HANDLERS_FIRST_TAG) "(%%r10)", "%%rdx")
                          WASMFX_PINNED_DECLINE_IF("ne")
                        WASMFX_PINNED_MOVE(WASMFX_PINNED_NUMBER(TAG_RESULTS) "(%%rdx)", "%%r11")
                        WASMFX_PINNED_MOVE(WASMFX_PINNED_FROM(PARENT), "%%rax")
                        WASMFX_PINNED_MOVE("%%r11", WASMFX_PINNED_FROM(AWAITS))
                        WASMFX_PINNED_MOVE("%%rax", WASMFX_PINNED_RT(CURRENT))
                        WASMFX_PINNED_WAIT
                        WASMFX_PINNED_MOVE(WASMFX_PINNED_FROM(REFERENCE), "%%rdx")
                        WASMFX_PINNED_MOVE(WASMFX_PINNED_NUMBER(HANDLERS_FIRST_EVENT) "(%%r10)", "%%rcx")
                        WASMFX_PINNED_CFI_BEGIN WASMFX_PINNED_CUT WASMFX_PINNED_GO WASMFX_PINNED_CFI_END
                        WASMFX_PINNED_LAND
                        : "+D"(runtime), "+S"(word), "+d"(name), "=c"(event)
                        :
                        : "rbx", WASMFX_FAST_REGISTERS
                        : declined);
  WASMFX_FAST_ARRIVED();
  *rt = runtime;
  return wasmfx_fast_outcome(event, word);
declined:
  WASMFX_FAST_ARRIVED();
  *rt = runtime;
  return wasmfx_fast_suspend_word(rt, (const wasmfx_tag_t *)(uintptr_t)name, word);
}

/** wasmfx_switch_word(). The short path wants a `wait`. */
WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_pinned_switch_word(wasmfx_runtime_t **rt, wasmfx_cont_t *cont,
                                                              const wasmfx_tag_t *tag, const wasmfx_type_t *wait,
                                                              uint64_t word)
{
  wasmfx_runtime_t *runtime = *rt;
  wasmfx_cont_t reference = *cont;
  uint64_t event = (uint64_t)(uintptr_t)tag, awaited = (uint64_t)(uintptr_t)wait;
  __asm__ volatile goto(WASMFX_PINNED_FIND WASMFX_PINNED_NEXT
                          WASMFX_PINNED_MOVE(WASMFX_PINNED_RT(CURRENT), "%%r9")
                          WASMFX_PINNED_MOVE(WASMFX_PINNED_FROM(HANDLERS), "%%r11")
                          WASMFX_PINNED_COMPARE(WASMFX_PINNED_NUMBER(HANDLERS_SWITCH_TAG) "(%%r11)", "%%rcx")
                          WASMFX_PINNED_DECLINE_IF("ne")
                          WASMFX_PINNED_MOVE("wasmfx_abi_deep@GOTPCREL(%%rip)", "%%r8") /* who was captured alone */
                          WASMFX_PINNED_COMPARE("%%r8", WASMFX_PINNED_TO(PC)) WASMFX_PINNED_DECLINE_IF("e")
                          "movl " WASMFX_PINNED_TO(AWAITS) ", %%r8d\n\t"
                          "andl $" WASMFX_PINNED_NUMBER(AWAITS_PLACE) ", %%r8d\n\t"
                          "cmpl $" WASMFX_PINNED_NUMBER(AWAITS_CONTREF) ", %%r8d\n\t" WASMFX_PINNED_DECLINE_IF("ne")
                          /* both give what the resume was promised */
                          WASMFX_PINNED_MOVE(WASMFX_PINNED_NUMBER(TAG_RESULTS_SHAPE) "(%%rcx)", "%%r12")
                          WASMFX_PINNED_MOVE(WASMFX_PINNED_TO(TYPE), "%%r8")
                          WASMFX_PINNED_COMPARE(WASMFX_PINNED_NUMBER(TYPE_RESULTS_SHAPE) "(%%r8)", "%%r12")
                          WASMFX_PINNED_DECLINE_IF("ne")
                          WASMFX_PINNED_MOVE(WASMFX_PINNED_FROM(TYPE), "%%r8")
                          WASMFX_PINNED_COMPARE(WASMFX_PINNED_NUMBER(TYPE_RESULTS_SHAPE) "(%%r8)", "%%r12")
                          WASMFX_PINNED_DECLINE_IF("ne")
                          "testq %%rbx, %%rbx\n\t" WASMFX_PINNED_DECLINE_IF("z")
                          WASMFX_PINNED_COMPARE("%%rdi", WASMFX_PINNED_NUMBER(TYPE_RUNTIME) "(%%rbx)")
                          WASMFX_PINNED_DECLINE_IF("ne")
                        WASMFX_PINNED_MOVE("%%r10", WASMFX_PINNED_TO(REFERENCE))
                        WASMFX_PINNED_MOVE(WASMFX_PINNED_NUMBER(TYPE_PARAMS) "(%%rbx)", "%%r8")
                        WASMFX_PINNED_MOVE("%%r8", WASMFX_PINNED_FROM(AWAITS))
                        WASMFX_PINNED_WAIT
                        WASMFX_PINNED_MOVE(WASMFX_PINNED_FROM(PARENT), "%%r10")
                        WASMFX_PINNED_MOVE("%%r10", WASMFX_PINNED_TO(PARENT))
                        WASMFX_PINNED_MOVE("%%r11", WASMFX_PINNED_TO(HANDLERS))
                        WASMFX_PINNED_MOVE("%%rax", WASMFX_PINNED_RT(CURRENT))
                        WASMFX_PINNED_MOVE(WASMFX_PINNED_FROM(REFERENCE), "%%rdx")
                        WASMFX_PINNED_MOVE("%%rdx", WASMFX_PINNED_RT(RECEIVED))
                        "xorl %%ecx, %%ecx\n\t"
                        WASMFX_PINNED_CFI_BEGIN WASMFX_PINNED_CUT WASMFX_PINNED_GO WASMFX_PINNED_CFI_END
                        WASMFX_PINNED_LAND
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

WASMFX_FAST_INLINE wasmfx_status_t wasmfx_pinned_cont_new_word(wasmfx_runtime_t *rt, const wasmfx_type_t *type,
                                                               wasmfx_word_entry_t entry, void *env,
                                                               wasmfx_cont_t *cont)
{
  return wasmfx_cont_new_word(rt, type, entry, env, cont);
}

WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_pinned_resume_word(wasmfx_runtime_t **rt, wasmfx_cont_t *cont,
                                                              const wasmfx_handlers_t *handlers, uint64_t word)
{
  return wasmfx_resume_word(*rt, cont, handlers, word);
}

WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_pinned_suspend_word(wasmfx_runtime_t **rt, const wasmfx_tag_t *tag,
                                                               uint64_t word)
{
  return wasmfx_suspend_word(*rt, tag, word);
}

WASMFX_FAST_INLINE wasmfx_outcome_t wasmfx_pinned_switch_word(wasmfx_runtime_t **rt, wasmfx_cont_t *cont,
                                                              const wasmfx_tag_t *tag, const wasmfx_type_t *wait,
                                                              uint64_t word)
{
  return wasmfx_switch_word(*rt, cont, tag, wait, word);
}

#endif
#endif
