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
 * pointers. WFX_SLEB1 keeps offsets to one byte: -64 .. 63; U2 takes two. */
#define DW_CFA_def_cfa_expression 0x0f
#define DW_CFA_expression 0x10
#define DW_CFA_val_expression 0x16
#define DW_EH_PE_pcrel_sdata4 0x1b
#define DW_OP_deref 0x06
#define DW_OP_plus_uconst 0x23
#define DW_OP_breg(n) (0x70 + (n))

/* The frame ends at *(register + offset) + bytes. */
#define CFA_AT_REGISTER(regno, offset, bytes) \
    .cfi_escape DW_CFA_def_cfa_expression, 5, DW_OP_breg(regno), (offset), DW_OP_deref, DW_OP_plus_uconst, (bytes)

/* The frame ends at *(*(register + a) + b) + bytes. */
#define CFA_AT_REGISTER_2(regno, a, b, bytes) \
    .cfi_escape DW_CFA_def_cfa_expression, 8, DW_OP_breg(regno), (a), DW_OP_deref, DW_OP_plus_uconst, (b), \
                DW_OP_deref, DW_OP_plus_uconst, (bytes)

/* In the caller, register `saved` is *(*(register + a) + b). */
#define CALLERS_REGISTER_2(saved, regno, a, b) \
    .cfi_escape DW_CFA_val_expression, (saved), 6, DW_OP_breg(regno), (a), DW_OP_deref, DW_OP_plus_uconst, (b), \
                DW_OP_deref

/* In the caller, register `saved` is what lies at *(*(register + a) + b) + c. */
#define CALLERS_REGISTER_AT_2(saved, regno, a, b, c) \
    .cfi_escape DW_CFA_expression, (saved), 8, DW_OP_breg(regno), (a), DW_OP_deref, DW_OP_plus_uconst, (b), \
                DW_OP_deref, DW_OP_plus_uconst, (c)

#endif
