/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assembler macros that every ELF port can use: functions, visibility, the
 * notes at the end, and call frame information by name instead of bytes.
 */
#ifndef WFX_ASM_H
#define WFX_ASM_H

/* -fcf-protection=branch asks for a mark wherever an indirect jump may land.
 * Shadow stacks are not supported, so the object is never marked for them. */
#if defined(__CET__) && (__CET__ & 1)
#define LANDING_PAD endbr64
#else
#define LANDING_PAD
#endif

.macro HIDDEN_FUNCTION name
    .p2align 5
    .globl \name
    .hidden \name
    .type \name, @function
\name:
    .cfi_startproc
.endm

.macro FUNCTION name
    .p2align 5
    .globl \name
    .type \name, @function
\name:
    .cfi_startproc
    LANDING_PAD
.endm

/* Another name for the address that has been come to, for those outside. */
.macro ALIAS name
    .globl \name
    .type \name, @function
\name:
.endm

.macro END name
    .cfi_endproc
    .size \name, . - \name
.endm

/* At the end of every file: no executable stack; branch tracking if it was asked for. */
.macro END_OF_FILE
    .section .note.GNU-stack, "", @progbits
#if defined(__CET__) && (__CET__ & 1)
    .section .note.gnu.property, "a", @note
    .p2align 3
    .long 4, 16, 5                      /* name size, size, NT_GNU_PROPERTY_TYPE_0 */
    .asciz "GNU"
    .long 0xc0000002, 4, 1, 0           /* GNU_PROPERTY_X86_FEATURE_1_AND: IBT, without shadow stacks */
#endif
.endm

/* DWARF operations, for canonical frame addresses that are found by following
 * pointers. Offsets take one byte: they are below 128. */
#define DW_CFA_def_cfa_expression 0x0f
#define DW_CFA_expression 0x10
#define DW_CFA_val_expression 0x16
#define DW_EH_PE_pcrel_sdata4 0x1b
#define DW_OP_deref 0x06
#define DW_OP_plus_uconst 0x23
#define DW_OP_breg(n) (0x70 + (n))

#define WFX_AT(regno, a) DW_OP_breg(regno), 0, DW_OP_plus_uconst, (a)
#define WFX_FROM_1(regno, a) WFX_AT(regno, a), DW_OP_deref
#define WFX_FROM_2(regno, a, b) WFX_FROM_1(regno, a), DW_OP_plus_uconst, (b), DW_OP_deref
#define WFX_FROM_3(regno, a, b, c) WFX_FROM_2(regno, a, b), DW_OP_plus_uconst, (c), DW_OP_deref

/* The frame ends at *(register + a), or further along: *(*(register + a) + b) and so on. */
#define CFA_AT(regno, a) .cfi_escape DW_CFA_def_cfa_expression, 5, WFX_FROM_1(regno, a)
#define CFA_AT_2(regno, a, b) .cfi_escape DW_CFA_def_cfa_expression, 8, WFX_FROM_2(regno, a, b)
#define CFA_AT_3(regno, a, b, c) .cfi_escape DW_CFA_def_cfa_expression, 11, WFX_FROM_3(regno, a, b, c)

/* The frame ends at register + bytes: said in a way that keeps libunwind from taking it for a usual frame. */
#define CFA_IN(regno, bytes) .cfi_escape DW_CFA_def_cfa_expression, 2, DW_OP_breg(regno), (bytes)

/* In the caller, register `saved` is what this one is here. Not .cfi_register: libunwind takes that for the register
 * as it was where the walk began, which may be in the handler of a signal. */
#define CALLERS_REGISTER_IN(saved, regno) .cfi_escape DW_CFA_val_expression, (saved), 2, DW_OP_breg(regno), 0

/* In the caller, register `saved` is *(register + a), or further along. */
#define CALLERS_REGISTER(saved, regno, a) .cfi_escape DW_CFA_val_expression, (saved), 5, WFX_FROM_1(regno, a)
#define CALLERS_REGISTER_2(saved, regno, a, b) \
    .cfi_escape DW_CFA_val_expression, (saved), 8, WFX_FROM_2(regno, a, b)

/* The same, and `plus` to it. */
#define CALLERS_VALUE(saved, regno, a, plus) \
    .cfi_escape DW_CFA_val_expression, (saved), 7, WFX_FROM_1(regno, a), DW_OP_plus_uconst, (plus)
#define CALLERS_VALUE_2(saved, regno, a, b, plus) \
    .cfi_escape DW_CFA_val_expression, (saved), 10, WFX_FROM_2(regno, a, b), DW_OP_plus_uconst, (plus)
#define CALLERS_VALUE_3(saved, regno, a, b, c, plus) \
    .cfi_escape DW_CFA_val_expression, (saved), 13, WFX_FROM_3(regno, a, b, c), DW_OP_plus_uconst, (plus)

/* In the caller, register `saved` is what lies there: the same, but for gdb, which changes it there. */
#define CALLERS_REGISTER_AT(saved, regno, a) \
    .cfi_escape DW_CFA_expression, (saved), 4, WFX_AT(regno, a)
#define CALLERS_REGISTER_AT_2(saved, regno, a, b) \
    .cfi_escape DW_CFA_expression, (saved), 7, WFX_FROM_1(regno, a), DW_OP_plus_uconst, (b)
#define CALLERS_REGISTER_AT_3(saved, regno, a, b, c) \
    .cfi_escape DW_CFA_expression, (saved), 10, WFX_FROM_2(regno, a, b), DW_OP_plus_uconst, (c)

#endif
