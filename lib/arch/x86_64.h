/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the x86-64 ports, for C and assembly: the frame that a verb leaves behind, from its end upwards. */
#ifndef WFX_X86_64_H
#define WFX_X86_64_H

#define FRAME_RBP 40
#define FRAME_RETURN 56
#define FRAME_BYTES 64

/* A function may keep something so far below its stack pointer. */
#define RED_ZONE 128

/* Where the kernel leaves registers in the frame of a signal: offsets into the ucontext_t at its end. */
#define SIGNAL_RBP 0x78
#define SIGNAL_RSP 0xa0
#define SIGNAL_RIP 0xa8
#define SIGNAL_BYTES 0xb0

/* The numbers that DWARF and libunwind have for registers. */
#define DW_RAX 0
#define DW_RBX 3
#define DW_RBP 6
#define DW_RSP 7
#define DW_R8 8
#define DW_R12 12
#define DW_RIP 16

#endif
