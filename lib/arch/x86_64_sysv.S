/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64, System V calling convention.
 *
 * The contract of this file is arch.h. Here is how it looks on this CPU: the
 * five registers of every landing, the frames that the verbs leave behind, and
 * the bottom of every continuation's stack.
 *
 *     to = rax   rt = rdi   word = rsi   cont = rdx   event = rcx
 *
 * Whoever lands loads its own stack pointer from `to`, pops what it pushed, and
 * leaves by `pop; jmp`. It does not `ret`: the call that pushed that address was
 * on this stack, but the calls since then were on others, so the processor's
 * return predictor would have to be wrong, at ten times the price.
 *
 * A waiting or suspended continuation, in one of the verbs:
 *
 *     high +------------------+
 *          | return address   |  the caller of the verb
 *          | &cont            |  resume, switch: where the reference that arrives is stored
 *          |                  |  suspend: not used
 *          | rbp rbx r12 .. 15|  what the caller may expect back
 *     low  +------------------+ <- WFX_OBJ_SP, FRAME_BYTES below the caller's frame
 *
 * The bottom of a running continuation's stack:
 *
 *     high +------------------+
 *          | struct wfx_stack |  rbx points here as long as the body runs
 *          |   .owner         |  WFX_STACK_OWNER: the object, which finds the resumer
 *          +------------------+
 *          | return address   |  into wfx_body, behind `enter`
 *          ~ frames           ~
 *     low  +------------------+
 *
 * The frame of wfx_body has no caller on its own stack. Its call frame
 * information says that it was called from the landing where its resumer waits:
 *
 *     rbx -> stack.owner -> object.parent -> object.pc, and object.sp -> the frame above
 *
 * and each of these is rewritten by the library whenever it changes, so gdb,
 * libunwind and C++ walk from a running continuation into its resumer, from
 * every instruction. So what a suspension captures loses its link to the resumer by
 * the last instruction before the jump, and there the frame is already
 * the one that will be landed in.
 *
 * Nothing is written before the stack has been touched as far down as it will be needed:
 * a verb that runs into the guard of its stack has not happened.
 */
#include "asm.h"
#include "layout.h"
#include "x86_64.h"

    .text

/* Where the resumer waits, once the object in rax has been hung under it. */
#define CFA_AT_PARENT CFA_AT_REGISTER_2(DW_RAX, WFX_OBJ_PARENT, WFX_OBJ_SP, FRAME_BYTES)

/* As the picture says: called, so to speak, from the landing of the resumer, to
 * whose object rax leads there. Its own information does the rest. */
.macro CFI_CALLED_FROM_LANDING
    .cfi_def_cfa %rbx, 0
    CALLERS_REGISTER_2(DW_RAX, DW_RBX, WFX_STACK_OWNER, WFX_OBJ_PARENT)
    CALLERS_REGISTER_AT_2(DW_RIP, DW_RBX, WFX_STACK_OWNER, WFX_OBJ_PARENT, WFX_OBJ_PC)
    .cfi_same_value %rbx
    .cfi_same_value %rbp
    .cfi_same_value %r12
    .cfi_same_value %r13
    .cfi_same_value %r14
    .cfi_same_value %r15
.endm

/* The unwinder's interface */
#define UA_SEARCH_PHASE 1
#define URC_END_OF_STACK 5
#define URC_CONTINUE_UNWIND 8

/* ---- Leaving and landing -------------------------------------------------- */

/* For builds with sanitizers: lib/sanitize.h. In: rdi, rax as for a landing; the
 * stack is aligned. */
.macro ANNOUNCE_LEAVING function
#ifdef WFX_ANNOUNCE
    pushq %rax
    pushq %rdi
    movq %rax, %rsi
    call \function
    popq %rdi
    popq %rax
#endif
.endm

.macro ANNOUNCE_CALL
#ifdef WFX_ANNOUNCE
    pushq %rdi
    pushq %rsi
    pushq %rdx
    subq $8, %rsp
    call wfx_announce_call
    addq $8, %rsp
    popq %rdx
    popq %rsi
    popq %rdi
#endif
.endm

.macro ANNOUNCE_LANDED
#ifdef WFX_ANNOUNCE
    pushq %rax
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %r8
    call wfx_announce_landed
    popq %r8
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    popq %rax
#endif
.endm

.macro PUSH reg
    pushq \reg
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset \reg, 0
.endm

.macro POP reg
    popq \reg
    .cfi_adjust_cfa_offset -8
    .cfi_restore \reg
.endm

/* As at .cfi_remember_state, where nothing was pushed: clang's assembler forgets the offset that later adjustments go
 * from, so it is said again. */
.macro CFI_RESTORE_STATE
    .cfi_restore_state
    .cfi_def_cfa_offset 8
.endm

/* The frame of the picture; \cont is the register that holds &cont, or any. */
.macro PUSH_FRAME cont
    pushq \cont
    .cfi_adjust_cfa_offset 8
    PUSH %rbp
    PUSH %rbx
    PUSH %r12
    PUSH %r13
    PUSH %r14
    PUSH %r15
.endm

/* Where the caller's registers are, seen from the end of the frame. */
.macro CFI_SAVED_REGISTERS
    .cfi_offset %rbp, -24
    .cfi_offset %rbx, -32
    .cfi_offset %r12, -40
    .cfi_offset %r13, -48
    .cfi_offset %r14, -56
    .cfi_offset %r15, -64
.endm

/* The frame of whoever rax leads to, who waits. */
.macro CFI_AT_LANDING
    CFA_AT_REGISTER(DW_RAX, WFX_OBJ_SP, FRAME_BYTES)
    CFI_SAVED_REGISTERS
.endm

/* The frame of the resumer of whoever rax leads to, who may never have run. */
.macro CFI_AT_PARENT
    CFA_AT_PARENT
    CFI_SAVED_REGISTERS
.endm

/* A landing: rsp is still the sender's, rax leads to ours. */
.macro LANDING name
    .p2align 4
\name:
    .cfi_startproc
    CFI_AT_LANDING
    LANDING_PAD
    movq WFX_OBJ_SP(%rax), %rsp
    .cfi_def_cfa %rsp, FRAME_BYTES
    ANNOUNCE_LANDED
.endm

.macro POP_REGISTERS
    POP %r15
    POP %r14
    POP %r13
    POP %r12
    POP %rbx
    POP %rbp
.endm

/* Ends a landing: the outcome is in rax:rdx, the return address on top. It stays where it was for walkers, since what lies
 * that near below rsp is left alone by signals; libunwind's shorter way does not look for it in a register. */
.macro LEAVE_TO_CALLER
    popq %rcx
    .cfi_adjust_cfa_offset -8
    notrack jmpq *%rcx                  /* no landing pad there: it is a return address */
    .cfi_endproc
.endm

/* Calls a C function that makes slots of what arrived. In and out: outcome in
 * rax:rdx; rdi is the runtime. The return address is on top. */
.macro CALL_WITH_OUTCOME function
    movq %rax, %rsi
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call \function
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
.endm

/* resume and switch: the outcome is (event, word); the reference that arrives
 * goes where the caller wants it. */
.macro LAND_WITH_CONT
    movq %rcx, %rax
    POP_REGISTERS
    popq %rcx
    .cfi_adjust_cfa_offset -8
    movq %rdx, (%rcx)
    movq %rsi, %rdx
.endm

/* suspend: the reference is kept for wasmfx_received_cont(), as wherever a
 * continuation is woken. */
.macro LAND_WITHOUT_CONT
    movq %rdx, WFX_RT_RECEIVED(%rdi)
    movq %rcx, %rax
    POP_REGISTERS
    leaq 8(%rsp), %rsp
    .cfi_adjust_cfa_offset -8
    movq %rsi, %rdx
.endm

/* The same for runtimes whose continuations have float control words of their
 * own: those are in the object, then all is as above. */
.macro FLOAT_LANDING name
    .p2align 4
float_\name:
    .cfi_startproc
    CFI_AT_LANDING
    LANDING_PAD
    ldmxcsr WFX_OBJ_FP(%rax)
    fldcw WFX_OBJ_FP+4(%rax)
    jmp \name
    .cfi_endproc
.endm

LANDING land_resume_word
    LAND_WITH_CONT
    LEAVE_TO_CALLER

LANDING land_resume
    LAND_WITH_CONT
    CALL_WITH_OUTCOME wfx_outcome_values
    LEAVE_TO_CALLER

FLOAT_LANDING land_resume_word
FLOAT_LANDING land_resume

/* Where those wait that a reference leads to lies between two labels. */
    .globl wfx_suspensions
    .hidden wfx_suspensions
wfx_suspensions:

LANDING land_switch_word
    movq %rdx, WFX_RT_RECEIVED(%rdi)
    LAND_WITH_CONT
    LEAVE_TO_CALLER

LANDING land_switch
    movq %rdx, WFX_RT_RECEIVED(%rdi)
    LAND_WITH_CONT
    CALL_WITH_OUTCOME wfx_waking_values
    LEAVE_TO_CALLER

LANDING land_suspend_word
    LAND_WITHOUT_CONT
    LEAVE_TO_CALLER

LANDING land_suspend
    LAND_WITHOUT_CONT
    CALL_WITH_OUTCOME wfx_waking_values
    LEAVE_TO_CALLER

FLOAT_LANDING land_switch_word
FLOAT_LANDING land_switch
FLOAT_LANDING land_suspend_word
FLOAT_LANDING land_suspend

    .globl wfx_suspensions_end
    .hidden wfx_suspensions_end
wfx_suspensions_end:

/* ---- The verbs ---------------------------------------------------------------- */

/* Reads the stack as far down as r10 says, so that nothing runs into the guard later: by steps that are shorter than a
 * guard, and with rsp, since what lies below that is nobody's. What it reads it keeps to the end: valgrind leaves out a
 * read of which nobody needs the result. Clobbers rax, r10 and r11. */
.macro PROBE_STACK
    movq %rsp, %r11
    .cfi_def_cfa_register %r11
8:  subq $WFX_STACK_ROOM, %rsp
    addl (%rsp), %eax
    subq $WFX_STACK_ROOM, %r10
    ja 8b
    movq %r11, %rsp
    .cfi_def_cfa_register %rsp
.endm

/*
 * The body of a verb: prepare in C, then leave. In: the verb's C arguments,
 * rdi = runtime, rsi = &cont where there is one. The call is an ordinary one,
 * so its return is predicted.
 *
 * The link to the resumer is cut last, and `cfi_behind` says whose frame it is
 * after that. If there is nothing to switch to, the outcome is (event, word) of the
 * runtime.
 */
.macro PREPARE_AND_LEAVE prepare, landing, cfi_behind
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    pushq %rsi
    .cfi_adjust_cfa_offset 8
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    movq WFX_RT_STACK_ROOM(%rdi), %r10
    PROBE_STACK
    call \prepare
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %rsi
    .cfi_adjust_cfa_offset -8
    popq %rdi
    .cfi_adjust_cfa_offset -8
    testq %rax, %rax
    jz 9f
    .cfi_remember_state
    PUSH_FRAME %rsi
    leaq \landing(%rip), %r8
    movq WFX_RT_FROM(%rdi), %r9
    testb $WFX_CAREFUL_FLOAT, WFX_RT_CAREFUL(%rdi)
    jz 7f
    leaq float_\landing(%rip), %r8
    stmxcsr WFX_OBJ_FP(%r9)
    fnstcw WFX_OBJ_FP+4(%r9)
7:  movq WFX_RT_LANDING(%rdi), %r10
    movq %r8, (%r10)
    movq %rsp, WFX_OBJ_SP(%r9)
    ANNOUNCE_LEAVING wfx_announce_leaving
    movq WFX_RT_WORD(%rdi), %rsi
    movq WFX_RT_CONT(%rdi), %rdx
    movq WFX_RT_EVENT(%rdi), %rcx
    movq WFX_RT_CUT(%rdi), %r10
    movq $0, (%r10)
    \cfi_behind
    jmpq *WFX_OBJ_PC(%rax)
    CFI_RESTORE_STATE
9:  movq WFX_RT_EVENT(%rdi), %rax
    movq WFX_RT_WORD(%rdi), %rdx
    ret
.endm

/* A resume cuts nothing: its own frame is the right one to the end. */
.macro CFI_UNCHANGED
.endm

/*
 * wasmfx_outcome_t wasmfx_resume_word(rt, wasmfx_cont_t *cont, handlers, word)
 *                                     rdi rsi                 rdx       rcx
 *
 * The short path: the reference is alive, no value but one word or nothing is
 * awaited, the revisions last, and there are clauses. Anything else, and every
 * error, goes the long way. Nothing is written before the last check.
 */
FUNCTION wasmfx_resume_word
    movq (%rsi), %r8
    movl %r8d, %eax                     /* the slot: the lower half */
    cmpl WFX_RT_OBJECT_COUNT(%rdi), %eax
    jae resume_word_carefully
    shlq $WFX_OBJECT_SHIFT, %rax
    addq %rdi, %rax
    cmpq WFX_OBJ_REF(%rax), %r8         /* null meets the runtime itself, and differs */
    jne resume_word_carefully
    movq WFX_OBJ_AWAITS(%rax), %r9
    cmpl $1, WFX_LIST_WAKE_FORM(%r9)
    ja resume_word_carefully
    cmpl $0, WFX_RT_CAREFUL(%rdi)
    jne resume_word_carefully
    testq %rdx, %rdx
    jz resume_word_carefully
    movabsq $(1 << WFX_REVISION_SHIFT), %r10
    addq %r10, %r8                      /* consumes this reference and mints the next */
    jc resume_word_carefully
    .cfi_remember_state
    PUSH_FRAME %rsi
    movq -8(%rsp), %r10                 /* where `enter` is going to push */
    movq WFX_RT_CURRENT(%rdi), %r9
    movq %r8, WFX_OBJ_REF(%rax)
    movq %r9, WFX_OBJ_PARENT(%rax)
    movq %rdx, WFX_OBJ_HANDLERS(%rax)
    movq %rax, WFX_RT_CURRENT(%rdi)
    leaq land_resume_word(%rip), %r8
    movq %r8, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rcx, %rsi
    xorl %edx, %edx
    xorl %ecx, %ecx                     /* RETURNED, in word form */
    jmp enter
    CFI_RESTORE_STATE
resume_word_carefully:
    PREPARE_AND_LEAVE wfx_prepare_resume_word, land_resume_word, CFI_UNCHANGED
END wasmfx_resume_word

/*
 * wasmfx_outcome_t wasmfx_suspend_word(rt, tag, word)
 *                                      rdi rsi  rdx
 *
 * The short path: the first clause of the innermost resume is for this tag, and
 * the tag's parameters travel in word form, which is what its being in
 * `word_tag` says.
 */
FUNCTION wasmfx_suspend_word
    movq WFX_RT_CURRENT(%rdi), %r9
    movq WFX_OBJ_HANDLERS(%r9), %r8
    cmpq WFX_HANDLERS_WORD_TAG(%r8), %rsi
    jne suspend_word_carefully
    cmpl $0, WFX_RT_CAREFUL(%rdi)
    jne suspend_word_carefully
    movq WFX_TAG_RESULTS(%rsi), %r10
    movq WFX_OBJ_PARENT(%r9), %rax
    .cfi_remember_state
    PUSH_FRAME %rsi
    movq %r10, WFX_OBJ_AWAITS(%r9)
    movq %rax, WFX_RT_CURRENT(%rdi)
    leaq land_suspend_word(%rip), %r10
    movq %r10, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rdx, %rsi
    movq WFX_OBJ_REF(%r9), %rdx
    movq WFX_HANDLERS_WORD_EVENT(%r8), %rcx
    movq $0, WFX_OBJ_PARENT(%r9)
    CFI_AT_LANDING
    jmpq *WFX_OBJ_PC(%rax)
    CFI_RESTORE_STATE
suspend_word_carefully:
    PREPARE_AND_LEAVE wfx_prepare_suspend_word, land_suspend_word, CFI_AT_LANDING
END wasmfx_suspend_word

/* The other verbs have no short path. */
.macro VERB name, prepare, landing, cfi_behind
FUNCTION \name
    PREPARE_AND_LEAVE \prepare, \landing, \cfi_behind
END \name
.endm

VERB wasmfx_resume, wfx_prepare_resume, land_resume, CFI_UNCHANGED
VERB wasmfx_resume_throw, wfx_prepare_resume_throw, land_resume, CFI_UNCHANGED
VERB wasmfx_resume_throw_ref, wfx_prepare_resume_throw_ref, land_resume, CFI_UNCHANGED
VERB wasmfx_suspend, wfx_prepare_suspend, land_suspend, CFI_AT_LANDING
VERB wasmfx_switch, wfx_prepare_switch, land_switch, CFI_AT_PARENT
VERB wasmfx_switch_word, wfx_prepare_switch_word, land_switch_word, CFI_AT_PARENT

/* ---- A chain that was captured ---------------------------------------------------- */

/*
 * Landing of the innermost continuation of a chain. Whoever resumed it has
 * hung it under the new parent as if it were alone:
 *
 *     parent <- to ... (inner parents) ... head        before
 *     parent <- head ... (inner parents) ... to        after
 *
 * All but r8 to r11 is as it arrived.
 */
HIDDEN_FUNCTION wfx_deep
    CFI_AT_PARENT
    LANDING_PAD
    movq WFX_OBJ_HEAD(%rax), %r8
    movq WFX_OBJ_PARENT(%rax), %r9
    movq WFX_OBJ_HANDLERS(%rax), %r10
    movq %r9, WFX_OBJ_PARENT(%r8)
    movq %r10, WFX_OBJ_HANDLERS(%r8)
    movq WFX_OBJ_INNER_PARENT(%rax), %r9
    movq WFX_OBJ_INNER_HANDLERS(%rax), %r10
    movq %r10, WFX_OBJ_HANDLERS(%rax)
    movq %r9, WFX_OBJ_PARENT(%rax)      /* from here on it is not the resumer, but the next one out */
    CFI_AT_LANDING
    jmpq *WFX_OBJ_DEEP_PC(%rax)
END wfx_deep

/* ---- Beginning and end --------------------------------------------------------------- */

/*
 * Landings of a continuation that has never run. rsp is still the resumer's,
 * whose frame has just been pushed.
 *
 * wfx_fresh is where the short path of resume leads, which has not looked whether
 * there is a stack. If there is none at hand, wfx_fresh_slow takes back what that
 * path did and goes the long way, which gets one before it consumes anything.
 */
HIDDEN_FUNCTION wfx_fresh
    CFI_AT_PARENT
    LANDING_PAD
    movq WFX_RT_FREE_STACK(%rdi), %r8
    testq %r8, %r8
    jz take_back
    movq WFX_STACK_NEXT(%r8), %r9
    movq %r9, WFX_RT_FREE_STACK(%rdi)
    decq WFX_RT_FREE_STACK_COUNT(%rdi)
    movq %rax, WFX_STACK_OWNER(%r8)
    movq %r8, WFX_OBJ_STACK(%rax)
    jmp wfx_body
END wfx_fresh

HIDDEN_FUNCTION wfx_fresh_slow
    CFI_AT_PARENT
    LANDING_PAD
take_back:
    movq WFX_OBJ_PARENT(%rax), %r9
    movq WFX_OBJ_SP(%r9), %rsp
    .cfi_def_cfa %rsp, FRAME_BYTES
    movq %r9, WFX_RT_CURRENT(%rdi)
    movabsq $(1 << WFX_REVISION_SHIFT), %r10
    subq %r10, WFX_OBJ_REF(%rax)
    movq $0, WFX_OBJ_PARENT(%rax)
    movq WFX_OBJ_HANDLERS(%rax), %rdx
    movq %rsi, %rcx
    POP_REGISTERS
    popq %rsi
    .cfi_adjust_cfa_offset -8
    jmp resume_word_carefully
END wfx_fresh_slow

HIDDEN_FUNCTION wfx_start_float
    CFI_AT_PARENT
    LANDING_PAD
    ldmxcsr default_mxcsr(%rip)
    fldcw default_x87_control(%rip)
    jmp start
END wfx_start_float

HIDDEN_FUNCTION wfx_start
    CFI_AT_PARENT
    LANDING_PAD
start:
    movq WFX_OBJ_STACK(%rax), %r8
    jmp wfx_body
END wfx_start

/*
 * The bottom of every stack: calls the entry function and ends the continuation
 * when it returns. In: the five registers, r8 = its stack.
 *
 * rbx and r12 survive the call since the entry function preserves them. rbp is
 * zero, which is how walkers of frame pointers know the end. The other registers that
 * a function would save on its stack are cleared.
 *
 * One instruction, `enter`, makes every entry into a continuation, the first and,
 * from the short path of resume, all later ones. A later one lands by itself
 * and needs no return address: the one that is pushed on the resumer's
 * stack is never read. But the processor notes it, and so expects the
 * return of the entry function, whose true return address may have to come from
 * memory that nobody has touched for long. With a jump there it would wait for
 * it, at each end of each continuation. For the same reason the continuation that
 * ends is taken to be the running one, which it is unless it left a root open,
 * and only compared with what the stack says: the processor goes on with the
 * resumer, and the next one, while that line is on its way. The two together
 * make ten thousand continuations that end in turn three times as fast.
 *
 * .cfi_signal_frame: else gdb stops here, since the resumer's stack may lie lower;
 * and a landing is an address that control comes to, not one that it came from.
 * Walkers look up a caller's frame by the last byte of its call, and a frame that
 * is interrupted by the first byte of its instruction. At `enter` the two differ:
 * rax leads to the resumer before the call, rbx does after it. The prefix is
 * there to give each a byte of its own.
 */
HIDDEN_FUNCTION wfx_body
    .cfi_signal_frame
    .cfi_personality DW_EH_PE_pcrel_sdata4, wfx_personality
    CFI_AT_PARENT
    movq %r8, %rbx
    movq %r8, %rsp
    ANNOUNCE_LANDED
    movq WFX_OBJ_ENTRY(%rax), %r10
    movq WFX_OBJ_ENV(%rax), %r11
    movq %r10, WFX_OBJ_PC(%rax)         /* for `enter` */
    movq %rdx, WFX_RT_RECEIVED(%rdi)
    movq %rdi, %r12
    xorl %ebp, %ebp
    xorl %r13d, %r13d                   /* what the resumer had in them is none of its business */
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    movq %rdx, %rcx                     /* entry(rt, env, word, cont) */
    movq %rsi, %rdx
    movq %r11, %rsi
enter:
    .byte 0x3e                          /* a prefix without effect, see above */
    CFI_CALLED_FROM_LANDING
    .globl wfx_base
    .hidden wfx_base
wfx_base:
    call *WFX_OBJ_PC(%rax)
    movq %r12, %rdi                     /* wfx_return(rt, self, word) */
    movq WFX_RT_CURRENT(%rdi), %rsi
    cmpq %rsi, WFX_STACK_OWNER(%rsp)    /* rsp is rbx, but is there sooner */
    jne 2f
1:  movq %rax, %rdx
    ANNOUNCE_CALL
    call wfx_return
    movq %r12, %rdi
    jmp leave
2:  movq WFX_STACK_OWNER(%rsp), %rsi
    jmp 1b

/*
 * Where a continuation goes on that has run into its guard, with nothing on its
 * stack, rbx and r12 as after `enter`. It was stopped anywhere: the direction of
 * string instructions and the x87 stack are not what the convention says.
 */
    .globl wfx_overflowed
    .hidden wfx_overflowed
wfx_overflowed:
    LANDING_PAD
    cld
    emms
    movq %r12, %rdi                     /* wfx_overflow(rt, self) */
    movq WFX_STACK_OWNER(%rsp), %rsi
    ANNOUNCE_CALL
    call wfx_overflow
    movq %r12, %rdi
    jmp leave
    .globl wfx_base_end
    .hidden wfx_base_end
wfx_base_end:
END wfx_body

/*
 * _Unwind_Reason_Code wfx_personality(int version, _Unwind_Action actions, ...)
 *                                     edi          esi
 *
 * Frames may be unwound through the bottom of a stack by force, as
 * pthread_exit() does, but no exception finds its handler beyond it: to whoever
 * throws, the stack ends here.
 */
HIDDEN_FUNCTION wfx_personality
    LANDING_PAD
    movl $URC_CONTINUE_UNWIND, %eax
    movl $URC_END_OF_STACK, %ecx
    testl $UA_SEARCH_PHASE, %esi
    cmovnzl %ecx, %eax
    ret
END wfx_personality

/*
 * void wfx_load_float_control(const void *float_control)
 *                             rdi
 */
HIDDEN_FUNCTION wfx_load_float_control
    ldmxcsr (%rdi)
    fldcw 4(%rdi)
    ret
END wfx_load_float_control

/*
 * void wfx_leave(rt, to)
 *                rdi rsi
 */
HIDDEN_FUNCTION wfx_leave
    movq %rsi, %rax
    subq $8, %rsp                       /* aligned, as where wfx_body comes from */
    .cfi_adjust_cfa_offset 8
leave:
    CFI_AT_LANDING
    ANNOUNCE_LEAVING wfx_announce_ending
    movq WFX_RT_WORD(%rdi), %rsi
    movq WFX_RT_CONT(%rdi), %rdx
    movq WFX_RT_EVENT(%rdi), %rcx
    jmpq *WFX_OBJ_PC(%rax)
END wfx_leave

/*
 * void wfx_probe_stack(bytes)
 *                      rdi
 */
HIDDEN_FUNCTION wfx_probe_stack
    movq %rdi, %r10
    PROBE_STACK
    ret
END wfx_probe_stack

    .section .rodata
    .p2align 2
default_mxcsr:
    .long 0x1f80
default_x87_control:
    .short 0x037f

    END_OF_FILE
