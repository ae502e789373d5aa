/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64, System V calling convention.
 *
 * The contract of this file is arch.h. Here is how it looks on this CPU: the
 * registers of every landing, the frames that the verbs leave behind, and
 * the bottom of every continuation's stack.
 *
 *     to = rax   rt = rdi   word = rsi   cont = rdx   event = rcx
 *     rsp and rbp as they are in `to`
 *
 * Whoever lands stands on its own stack already, pops what it pushed, and
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
 * One that waits in the fast tier has left no frame: it goes on in the middle of its caller, where nothing is kept in
 * registers.
 *
 *     high +------------------+
 *          ~ the caller's own ~  WFX_OBJ_PC is in it, WFX_OBJ_FP is its rbp
 *     low  +------------------+ <- WFX_OBJ_SP
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
 *     rbx -> stack.owner -> object.parent -> object.pc, object.sp, object.fp
 *
 * and each of these is rewritten by the library whenever it changes, so gdb,
 * libunwind and C++ walk from a running continuation into its resumer, from
 * every instruction. In the same way whoever is about to go on in `to` has been called
 * from there. What a suspension captures loses its link to the resumer right
 * before that is so.
 *
 * Nothing is written before the stack has been touched as far down as it will be needed:
 * a verb that runs into the guard of its stack has not happened. Where there is no guard, what does not
 * take a short path compares with the low end; short paths need no more than what lies in reserve below that.
 */
#include "asm.h"
#include "layout.h"
#include "x86_64.h"

    .text

/* The registers that a function preserves, where they are in the caller as they are here. */
.macro CFI_REGISTERS_UNCHANGED
    .cfi_same_value %rbx
    .cfi_same_value %r12
    .cfi_same_value %r13
    .cfi_same_value %r14
    .cfi_same_value %r15
.endm

/*
 * As the picture says: called, so to speak, from a landing, which has information of its own for the rest. A landing is
 * an address that control comes to, not one that it came from: in functions that are not marked by .cfi_signal_frame,
 * walkers look at the byte before, and are told of the one behind.
 */
#define LANDING_IS_EXACT 0
#define LANDING_IS_RETURN 1

/* From that of `to`. */
.macro CFI_FROM_LANDING at=WFX_OBJ_PC
    CFA_AT(DW_RAX, WFX_OBJ_SP)
    CALLERS_VALUE(DW_RIP, DW_RAX, \at, LANDING_IS_RETURN)
    CALLERS_REGISTER_AT(DW_RBP, DW_RAX, WFX_OBJ_FP)
    CFI_REGISTERS_UNCHANGED
.endm

/* From that of the resumer of `to`. */
.macro CFI_FROM_LANDING_OF_PARENT is_return=LANDING_IS_RETURN
    CFA_AT_2(DW_RAX, WFX_OBJ_PARENT, WFX_OBJ_SP)
    CALLERS_VALUE_2(DW_RIP, DW_RAX, WFX_OBJ_PARENT, WFX_OBJ_PC, \is_return)
    CALLERS_REGISTER_AT_2(DW_RBP, DW_RAX, WFX_OBJ_PARENT, WFX_OBJ_FP)
    CALLERS_REGISTER(DW_RAX, DW_RAX, WFX_OBJ_PARENT)
    CFI_REGISTERS_UNCHANGED
.endm

/* From that of the resumer of whose stack rbx leads to. */
.macro CFI_FROM_LANDING_OF_RESUMER
    CFA_AT_3(DW_RBX, WFX_STACK_OWNER, WFX_OBJ_PARENT, WFX_OBJ_SP)
    CALLERS_VALUE_3(DW_RIP, DW_RBX, WFX_STACK_OWNER, WFX_OBJ_PARENT, WFX_OBJ_PC, LANDING_IS_EXACT)
    CALLERS_REGISTER_AT_3(DW_RBP, DW_RBX, WFX_STACK_OWNER, WFX_OBJ_PARENT, WFX_OBJ_FP)
    CALLERS_REGISTER_2(DW_RAX, DW_RBX, WFX_STACK_OWNER, WFX_OBJ_PARENT)
    CFI_REGISTERS_UNCHANGED
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

/* Not .cfi_restore: where a function begins with its frame, gas takes that for what is to be restored. */
.macro POP reg
    popq \reg
    .cfi_adjust_cfa_offset -8
    .cfi_same_value \reg
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

/* The same at a landing: where the caller's registers are. */
.macro CFI_FRAME
    .cfi_def_cfa %rsp, FRAME_BYTES
    .cfi_offset %rbp, -24
    .cfi_offset %rbx, -32
    .cfi_offset %r12, -40
    .cfi_offset %r13, -48
    .cfi_offset %r14, -56
    .cfi_offset %r15, -64
.endm

/* Goes on in `to`, where all the registers of a landing but those of its stack are what they should be. */
.macro GO
    CFI_FROM_LANDING
    movq WFX_OBJ_SP(%rax), %rsp
    movq WFX_OBJ_FP(%rax), %rbp
    jmpq *WFX_OBJ_PC(%rax)
.endm

.macro LANDING name
    .p2align 4
\name:
    .cfi_startproc
    CFI_FRAME
    LANDING_PAD
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

/* Ends a landing: the outcome is in rax:rdx, the return address on top. It stays where it was for walkers, since what
 * lies that near below rsp is left alone by signals; libunwind's shorter way does not look for it in a register. */
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

/* suspend: who wakes it has kept the reference for wasmfx_received_cont(). */
.macro LAND_WITHOUT_CONT
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
    CFI_FRAME
    LANDING_PAD
    movq FRAME_RBP(%rsp), %rbp          /* until then it is what the control words look like */
    ldmxcsr WFX_OBJ_FP(%rax)
    fldcw WFX_OBJ_FP+4(%rax)
    jmp \name
    .cfi_endproc
.endm

/* Those of the verbs in C lie between two labels. */
    .globl wfx_landings
    .hidden wfx_landings
wfx_landings:

LANDING land_resume_word
    LAND_WITH_CONT
    LEAVE_TO_CALLER

LANDING land_resume
    LAND_WITH_CONT
    CALL_WITH_OUTCOME wfx_outcome_values
    LEAVE_TO_CALLER

FLOAT_LANDING land_resume_word
FLOAT_LANDING land_resume

LANDING land_switch_word
    LAND_WITH_CONT
    LEAVE_TO_CALLER

LANDING land_switch
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

/* ---- Landings of calls by handle: see below ---- */

/* Ends a landing that has another end further down. */
.macro LEAVE_TO_CALLER_HERE
    popq %rcx
    .cfi_adjust_cfa_offset -8
    notrack jmpq *%rcx
    .cfi_adjust_cfa_offset 8
.endm

/* rcx is 0 or 1, as the caller wants it, or there is more to be said. */
LANDING land_fiber_resume
    POP_REGISTERS
    popq %r8
    .cfi_adjust_cfa_offset -8
#ifndef WFX_ANNOUNCE
    cmpq $1, %rcx
    ja 2f
    testq %r8, %r8
    jz 1f
    movl %ecx, (%r8)
1:  movq %rsi, %rax
    LEAVE_TO_CALLER_HERE
#endif
2:  movq %rcx, %rdi                     /* wasmfx_fiber_resumed(event, cont, word, status) */
    xchgq %rsi, %rdx
    movq %r8, %rcx
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call wasmfx_fiber_resumed
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    LEAVE_TO_CALLER

LANDING land_fiber_yield
    movq %rsi, %rax
    POP_REGISTERS
    leaq 8(%rsp), %rsp
    .cfi_adjust_cfa_offset -8
    LEAVE_TO_CALLER

/* rdx is the reference to who left, whose host word leads to its handle. */
LANDING land_fiber_switch
    POP_REGISTERS
    popq %r8
    .cfi_adjust_cfa_offset -8
#ifndef WFX_ANNOUNCE
    movl %edx, %eax
    shlq $WFX_OBJECT_SHIFT, %rax
    movq WFX_OBJ_HOST_WORD(%rdi,%rax), %rax
    cmpl $0, WFX_HANDLE_GIVEN_UP(%rax)
    jne 2f
    testq %r8, %r8
    jz 1f
    movq %rax, (%r8)
1:  movq %rsi, %rax
    LEAVE_TO_CALLER_HERE
#endif
2:  movq %rdx, %rdi                     /* wfx_fiber_switched(cont, word, from) */
    movq %r8, %rdx
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call wfx_fiber_switched
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    LEAVE_TO_CALLER

    .globl wfx_landings_end
    .hidden wfx_landings_end
wfx_landings_end:

/* ---- The verbs ---------------------------------------------------------------- */

/*
 * The body of a verb: prepare in C, then leave. In: the verb's C arguments,
 * rdi = runtime, rsi = &cont where there is one. The call is an ordinary one,
 * so its return is predicted.
 *
 * The link to the resumer is cut last. If there is nothing to switch to, the outcome
 * is (event, word) of the runtime.
 */
.macro PREPARE_AND_LEAVE prepare, landing
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    pushq %rsi
    .cfi_adjust_cfa_offset 8
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call wfx_claim_stack
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
    jmp 8f
7:  movq %rbp, WFX_OBJ_FP(%r9)
8:  movq WFX_RT_LANDING(%rdi), %r10
    movq %r8, (%r10)
    movq %rsp, WFX_OBJ_SP(%r9)
    ANNOUNCE_LEAVING wfx_announce_leaving
    movq WFX_RT_WORD(%rdi), %rsi
    movq WFX_RT_CONT(%rdi), %rdx
    movq WFX_RT_EVENT(%rdi), %rcx
    movq WFX_RT_CUT(%rdi), %r10
    movq $0, (%r10)
    GO
    CFI_RESTORE_STATE
9:  movq WFX_RT_EVENT(%rdi), %rax
    movq WFX_RT_WORD(%rdi), %rdx
    ret
.endm

/*
 * wasmfx_outcome_t wasmfx_resume_word(rt, wasmfx_cont_t *cont, handlers, word)
 *                                     rdi rsi                 rdx       rcx
 *
 * The short path: the reference is alive, no value but one word or nothing is
 * awaited, the revisions last, and there are clauses. If it is fresh, there must be
 * a stack at hand, too. Anything else, and every error, goes the long way. Nothing is
 * written before the last check.
 */
.macro RESUME_WORD_UNLESS_CAREFUL
    testq %rdx, %rdx
    jz resume_word_carefully
    movabsq $(1 << WFX_REVISION_SHIFT), %r10
    addq %r10, %r8                      /* consumes this reference and mints the next */
    jc resume_word_carefully
.endm

/* Hangs the object in rax under the running one, which waits at `land_resume_word`. */
.macro RESUME_WORD_LINK
    PUSH_FRAME %rsi
    movq WFX_RT_CURRENT(%rdi), %r9
    movq %r8, WFX_OBJ_REF(%rax)
    movq %r9, WFX_OBJ_PARENT(%rax)
    movq %rdx, WFX_OBJ_HANDLERS(%rax)
    movq %rax, WFX_RT_CURRENT(%rdi)
    leaq land_resume_word(%rip), %r8
    movq %r8, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)          /* lands in it, until the frame is popped */
    movq %rcx, %rsi
    xorl %edx, %edx
    xorl %ecx, %ecx                     /* RETURNED, in word form */
.endm

FUNCTION wasmfx_resume_word
    movq (%rsi), %r8
    movl %r8d, %eax                     /* the slot: the lower half */
    cmpl WFX_RT_SHORT_COUNT(%rdi), %eax
    jae resume_word_carefully
    shlq $WFX_OBJECT_SHIFT, %rax
    addq %rdi, %rax
    cmpq WFX_OBJ_REF(%rax), %r8         /* null meets the runtime itself, and differs */
    jne resume_word_carefully
    testb $WFX_LIST_PLACE, WFX_OBJ_AWAITS(%rax)
    jnz resume_word_fresh
    RESUME_WORD_UNLESS_CAREFUL
    .cfi_remember_state
    movq -64(%rsp), %r10                /* where `enter` is going to push */
    RESUME_WORD_LINK
    leaq wfx_go(%rip), %r11
    jmp enter
    CFI_RESTORE_STATE
resume_word_fresh:
    testb $WFX_LIST_NOT_WORD_FRESH, WFX_OBJ_AWAITS(%rax)
    jnz resume_word_carefully
    movq WFX_RT_FREE_STACK(%rdi), %r11
    testq %r11, %r11
    jz resume_word_carefully
    RESUME_WORD_UNLESS_CAREFUL
    .cfi_remember_state
    RESUME_WORD_LINK
    jmp start_fresh
    CFI_RESTORE_STATE
resume_word_carefully:
    PREPARE_AND_LEAVE wfx_prepare_resume_word, land_resume_word
END wasmfx_resume_word

/*
 * The running continuation is in r9, its table in r10, whose first clause is not the right one. Looks through the
 * others; and if it was captured together with its resumers, or has called a handler in place from beyond them, has
 * done nothing but run since, and that was for the same tag, through those of the chain's head.
 * Out: r11 = the outermost to be captured, r10 = where the landing address belongs, rcx = event. Clobbers rax.
 * At \special, if the clause is none of a label by word: r11 as above, r10 = where the clause is, less CLAUSE(0).
 * At \call, if what stands in front of the head's table says it at once: r10 = that table.
 */
#define CLAUSE(offset) WFX_HANDLERS_CLAUSES + (offset)
#define CLAUSE_TAG(n) CLAUSE(WFX_CLAUSE_TAG + (n) * WFX_CLAUSE_BYTES)

.macro SEARCH tag, otherwise, special, call
    cmpl $0, WFX_RT_CAREFUL(%rdi)
    jne \otherwise
    movq %r9, %r11
    leaq wfx_deep(%rip), %rax
    cmpq %rax, WFX_OBJ_PC(%r9)
    jne 1f
    cmpq \tag, WFX_OBJ_DEEP_TAG(%r9)
    jne 1f
    movq WFX_OBJ_HEAD(%r9), %r11
    movq WFX_OBJ_HANDLERS(%r11), %r10
    cmpq WFX_HANDLERS_WORD_TAG(%r10), \tag
    jne 6f
    movq WFX_HANDLERS_WORD_EVENT(%r10), %rcx
    leaq WFX_OBJ_DEEP_PC(%r9), %r10
    jmp 7f
6:
#ifndef WFX_ANNOUNCE
    cmpq WFX_HANDLERS_CALL_TAG(%r10), \tag
    je \call
#endif
1:  movl WFX_HANDLERS_SUSPEND_BYTES(%r10), %ecx
    addq %r10, %rcx
2:  cmpq %rcx, %r10
    je \otherwise
    cmpq CLAUSE_TAG(0)(%r10), \tag
    je 3f
    cmpq CLAUSE_TAG(1)(%r10), \tag
    je 4f
    cmpq CLAUSE_TAG(2)(%r10), \tag
    je 5f
    cmpq CLAUSE_TAG(3)(%r10), \tag
    leaq 4 * WFX_CLAUSE_BYTES(%r10), %r10
    jne 2b
    subq $3 * WFX_CLAUSE_BYTES, %r10
5:  addq $WFX_CLAUSE_BYTES, %r10
4:  addq $WFX_CLAUSE_BYTES, %r10
3:  cmpl $0, CLAUSE(WFX_CLAUSE_HOW)(%r10)
    jne \special
    movl CLAUSE(WFX_CLAUSE_INDEX)(%r10), %ecx
    shlq $32, %rcx
    orq $WFX_SUSPENDED, %rcx
    leaq WFX_OBJ_PC(%r9), %r10
    leaq WFX_OBJ_DEEP_PC(%r9), %rax
    cmpq %r9, %r11
    cmovneq %rax, %r10
7:
.endm

/* After SEARCH, at \special. Out: r10 = what is to be called, rcx = what the own barrier is to say. */
.macro FIND_CALL otherwise
    movl CLAUSE(WFX_CLAUSE_HOW)(%r10), %r10d
    testb $WFX_HOW_LONG, %r10b
    jnz \otherwise
    addq WFX_OBJ_HANDLERS(%r11), %r10
    movl $WFX_SCOPE_IN_PLACE, %ecx
    movl $(WFX_SCOPE_IN_PLACE | WFX_SCOPE_DEEP), %eax
    cmpq %r9, %r11
    cmovnel %eax, %ecx
.endm

/* Opens the own barrier of the running continuation in r9, which is going to find the results of \tag. In: rcx as
 * above. Clobbers rax and r8. */
.macro OPEN_OWN_BARRIER tag
    movq WFX_TAG_RESULTS(\tag), %r8
    movq %r8, WFX_OBJ_AWAITS(%r9)
    orq WFX_RT_SCOPE(%rdi), %rcx
    movq WFX_OBJ_HANDLERS(%r9), %rax
    leaq wfx_barrier(%rip), %r8
    movq %rcx, WFX_OBJ_SCOPE_LINK(%r9)
    movq %rax, WFX_OBJ_SCOPE_HANDLERS(%r9)
    orq $WFX_KEY_MASKED, WFX_OBJ_DEEP_TAG(%r9)
    movq %r8, WFX_OBJ_HANDLERS(%r9)
    movq %r9, WFX_RT_SCOPE(%rdi)
.endm

/* Closes it. Out: r9 = the running continuation. Clobbers rcx and r8. */
.macro CLOSE_OWN_BARRIER otherwise
    movq WFX_RT_CURRENT(%rdi), %r9
    cmpq %r9, WFX_RT_SCOPE(%rdi)
    jne \otherwise
    cmpq $0, WFX_OBJ_TYPE(%r9)          /* a root that is open is both, too */
    je \otherwise
    movq WFX_OBJ_SCOPE_LINK(%r9), %rcx
    movq WFX_OBJ_SCOPE_HANDLERS(%r9), %r8
    andq $~WFX_SCOPE_FLAGS, %rcx
    andq $~WFX_KEY_MASKED, WFX_OBJ_DEEP_TAG(%r9)
    movq %rcx, WFX_RT_SCOPE(%rdi)
    movq %r8, WFX_OBJ_HANDLERS(%r9)
.endm

/*
 * wasmfx_outcome_t wasmfx_suspend_word(rt, tag, word)
 *                                      rdi rsi  rdx
 *
 * The shortest path: the first clause of the innermost resume is for this tag, and
 * the tag's parameters travel in word form, which is what its being in
 * `word_tag` says. Nearly as short: the innermost resume has a handler for it that is called in place.
 */
FUNCTION wasmfx_suspend_word
    movq WFX_RT_CURRENT(%rdi), %r9
    movq WFX_OBJ_HANDLERS(%r9), %r10
    cmpq WFX_HANDLERS_WORD_TAG(%r10), %rsi
    jne suspend_word_search
    movq WFX_TAG_RESULTS(%rsi), %r11
    movq WFX_OBJ_PARENT(%r9), %rax
    .cfi_remember_state
    PUSH_FRAME %rsi
    movq %r11, WFX_OBJ_AWAITS(%r9)
    movq %rax, WFX_RT_CURRENT(%rdi)
    leaq land_suspend_word(%rip), %r11
    movq %r11, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
    movq %rdx, %rsi
    movq WFX_OBJ_REF(%r9), %rdx
    movq WFX_HANDLERS_WORD_EVENT(%r10), %rcx
    movq $0, WFX_OBJ_PARENT(%r9)
    GO
    CFI_RESTORE_STATE
suspend_word_search:
#ifndef WFX_ANNOUNCE
    cmpq WFX_HANDLERS_CALL_TAG(%r10), %rsi
    je suspend_word_call
#endif
    SEARCH %rsi, suspend_word_carefully, suspend_word_special, suspend_word_call_deep
    movq WFX_TAG_RESULTS(%rsi), %r8
    .cfi_remember_state
    PUSH_FRAME %rsi
    movq WFX_OBJ_PARENT(%r11), %rax
    movq %r8, WFX_OBJ_AWAITS(%r9)
    movq %rax, WFX_RT_CURRENT(%rdi)
    leaq land_suspend_word(%rip), %r8
    movq %r8, (%r10)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
    movq %rdx, %rsi
    movq WFX_OBJ_REF(%r9), %rdx
    movq $0, WFX_OBJ_PARENT(%r11)
    GO
    CFI_RESTORE_STATE
suspend_word_special:
    FIND_CALL suspend_word_carefully
    jmp suspend_word_in_place
suspend_word_carefully:
    PREPARE_AND_LEAVE wfx_prepare_suspend_word, land_suspend_word

/*
 * A handler that takes a word and answers one is called in place: the call is in r10, the running continuation in r9,
 * in rcx what its own barrier is to say. Both calls are ordinary ones, and so are the returns. But the handler may
 * have left scopes open, or have closed this one.
 */
suspend_word_call_deep:
    movl $(WFX_SCOPE_IN_PLACE | WFX_SCOPE_DEEP), %ecx
    jmp 1f
suspend_word_call:
    movl $WFX_SCOPE_IN_PLACE, %ecx
1:  leaq WFX_HANDLERS_CALL(%r10), %r10
suspend_word_in_place:
    testb $WFX_STACK_ROOM_COMPARED, WFX_RT_STACK_ROOM(%rdi)
    jnz suspend_word_carefully
    PUSH %rdi
    movq %rdi, -8(%rsp)                 /* where the call is going to push */
    OPEN_OWN_BARRIER %rsi
    movq WFX_CALL_ENV(%r10), %rsi
    call *WFX_CALL_FUNCTION(%r10)
    POP %rdi
    CLOSE_OWN_BARRIER wfx_left_open
    movq %rax, %rdx
    xorl %eax, %eax                     /* RETURNED, in word form */
    ret
END wasmfx_suspend_word

/*
 * The running continuation, alone, hands over to another one that is alone and waits for a word and a contref: the
 * first switch clause of the innermost resume is for this tag, and it is promised what both of them will give.
 * Out: rax = the target, r9 = the running one, r11 = the target's next reference, \wait = what is awaited from now on.
 * Clobbers r10.
 */
.macro SWITCH_WORD_CHECK reference, tag, wait, otherwise
    movq \reference, %r11
    movl %r11d, %eax
    cmpl WFX_RT_SHORT_COUNT(%rdi), %eax
    jae \otherwise
    shlq $WFX_OBJECT_SHIFT, %rax
    addq %rdi, %rax
    cmpq WFX_OBJ_REF(%rax), %r11
    jne \otherwise
    movq WFX_RT_CURRENT(%rdi), %r9
    movq WFX_OBJ_HANDLERS(%r9), %r10
    cmpq WFX_HANDLERS_SWITCH_TAG(%r10), \tag
    jne \otherwise
    leaq wfx_deep(%rip), %r10
    cmpq %r10, WFX_OBJ_PC(%rax)
    je \otherwise
    movl WFX_OBJ_AWAITS(%rax), %r10d
    andl $WFX_LIST_PLACE, %r10d
    cmpl $WFX_LIST_WORD_CONTREF, %r10d  /* and not fresh */
    jne \otherwise
    movq WFX_OBJ_TYPE(%rax), %r10
    movq WFX_TYPE_RESULTS_SHAPE(%r10), %r10
    cmpq WFX_TAG_RESULTS_SHAPE(\tag), %r10
    jne \otherwise
    movq WFX_OBJ_TYPE(%r9), %r10
    movq WFX_TYPE_RESULTS_SHAPE(%r10), %r10
    cmpq WFX_TAG_RESULTS_SHAPE(\tag), %r10
    jne \otherwise
    movabsq $(1 << WFX_REVISION_SHIFT), %r10
    addq %r10, %r11
    jc \otherwise
    leaq wfx_word_contref_type(%rip), %r10
    testq \wait, \wait
    jz 1f
    cmpq %rdi, WFX_TYPE_RUNTIME(\wait)
    jne \otherwise
    movq \wait, %r10
1:  movq WFX_TYPE_PARAMS(%r10), \wait
.endm

.macro SWITCH_WORD_LINK awaits
    movq \awaits, WFX_OBJ_AWAITS(%r9)
    movq WFX_OBJ_PARENT(%r9), %r10
    movq WFX_OBJ_HANDLERS(%r9), %r11
    movq %r10, WFX_OBJ_PARENT(%rax)
    movq %r11, WFX_OBJ_HANDLERS(%rax)
    movq %rax, WFX_RT_CURRENT(%rdi)
    movq WFX_OBJ_REF(%r9), %rdx
    movq %rdx, WFX_RT_RECEIVED(%rdi)
    xorl %ecx, %ecx                     /* RETURNED, in word form */
    movq $0, WFX_OBJ_PARENT(%r9)
.endm

/*
 * wasmfx_outcome_t wasmfx_switch_word(rt, wasmfx_cont_t *cont, tag, wait, word)
 *                                     rdi rsi                  rdx  rcx   r8
 */
FUNCTION wasmfx_switch_word
    SWITCH_WORD_CHECK (%rsi), %rdx, %rcx, switch_word_carefully
    .cfi_remember_state
    PUSH_FRAME %rsi
    movq %r11, WFX_OBJ_REF(%rax)
    leaq land_switch_word(%rip), %r11
    movq %r11, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
    movq %r8, %rsi
    SWITCH_WORD_LINK %rcx
    GO
    CFI_RESTORE_STATE
switch_word_carefully:
    PREPARE_AND_LEAVE wfx_prepare_switch_word, land_switch_word
END wasmfx_switch_word

/* ---- The fast tier ------------------------------------------------------------ */

.macro FAST_RESUME_UNLESS_CAREFUL
    testq %rcx, %rcx
    jz decline
    movabsq $(1 << WFX_REVISION_SHIFT), %r10
    addq %rdx, %r10
    jc decline
.endm

.macro FAST_RESUME_LINK
    movq WFX_RT_CURRENT(%rdi), %r9
    movq %r10, WFX_OBJ_REF(%rax)
    movq %r9, WFX_OBJ_PARENT(%rax)
    movq %rcx, WFX_OBJ_HANDLERS(%rax)
    movq %rax, WFX_RT_CURRENT(%rdi)
    movq %r8, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
    xorl %edx, %edx
    xorl %ecx, %ecx
.endm

/*
 * fast.h jumps here, out of the middle of a function. There is no frame to push: its compiler has been told that all
 * registers are destroyed but rsp and rbp, and below rsp it may keep something, so nothing is written there. These have
 * the short paths of the verbs above, and where those would call C they decline: they go back to where
 * fast.h makes an ordinary call, with all of their arguments as they were.
 *
 *     r8 = the landing; WASMFX_FAST_DECLINED bytes before it is where to go if they decline
 */
#define WASMFX_FAST_DECLINED 5

.macro FAST_FUNCTION name
    .p2align 5
    .globl \name
    .type \name, @function
\name:
    .cfi_startproc
    CFA_IN(DW_RSP, 0)
    CALLERS_REGISTER_IN(DW_RIP, DW_R8)
    LANDING_PAD
.endm

/*
 * rt = rdi   word = rsi   reference = rdx   handlers = rcx; outcome: as in landings
 */
FAST_FUNCTION wasmfx_fast_resume
    movl %edx, %eax
    cmpl WFX_RT_SHORT_COUNT(%rdi), %eax
    jae decline
    shlq $WFX_OBJECT_SHIFT, %rax
    addq %rdi, %rax
    cmpq WFX_OBJ_REF(%rax), %rdx
    jne decline
    testb $WFX_LIST_PLACE, WFX_OBJ_AWAITS(%rax)
    jnz fast_resume_fresh
    FAST_RESUME_UNLESS_CAREFUL
    .cfi_remember_state
    FAST_RESUME_LINK
    GO
    .cfi_restore_state
fast_resume_fresh:
    testb $WFX_LIST_NOT_WORD_FRESH, WFX_OBJ_AWAITS(%rax)
    jnz decline
    movq WFX_RT_FREE_STACK(%rdi), %r11
    testq %r11, %r11
    jz decline
    FAST_RESUME_UNLESS_CAREFUL
    FAST_RESUME_LINK
    jmp start_fresh
decline:
    leaq -WASMFX_FAST_DECLINED(%r8), %r8
    notrack jmpq *%r8
END wasmfx_fast_resume

/*
 * rt = rdi   word = rsi   tag = rdx; outcome: as in landings
 */
FAST_FUNCTION wasmfx_fast_suspend
    movq WFX_RT_CURRENT(%rdi), %r9
    movq WFX_OBJ_HANDLERS(%r9), %r10
    cmpq WFX_HANDLERS_WORD_TAG(%r10), %rdx
    jne fast_suspend_search
    movq WFX_TAG_RESULTS(%rdx), %r11
    movq WFX_OBJ_PARENT(%r9), %rax
    movq %r11, WFX_OBJ_AWAITS(%r9)
    movq %rax, WFX_RT_CURRENT(%rdi)
    movq %r8, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
    movq WFX_OBJ_REF(%r9), %rdx
    movq WFX_HANDLERS_WORD_EVENT(%r10), %rcx
    movq $0, WFX_OBJ_PARENT(%r9)
    .cfi_remember_state
    GO
    .cfi_restore_state
fast_suspend_search:
#ifndef WFX_ANNOUNCE
    cmpq WFX_HANDLERS_CALL_TAG(%r10), %rdx
    je fast_suspend_call
#endif
    SEARCH %rdx, fast_suspend_declined, fast_suspend_special, fast_suspend_call_deep
    movq WFX_TAG_RESULTS(%rdx), %rbx
    movq WFX_OBJ_PARENT(%r11), %rax
    movq %rbx, WFX_OBJ_AWAITS(%r9)
    movq %rax, WFX_RT_CURRENT(%rdi)
    movq %r8, (%r10)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
    movq WFX_OBJ_REF(%r9), %rdx
    movq $0, WFX_OBJ_PARENT(%r11)
    .cfi_remember_state
    GO
    .cfi_restore_state
fast_suspend_special:
    FIND_CALL fast_suspend_declined
    jmp fast_suspend_in_place
fast_suspend_declined:
    leaq -WASMFX_FAST_DECLINED(%r8), %r8
    notrack jmpq *%r8

/*
 * As suspend_word_in_place. Nobody knows whether rsp is aligned, and below it something may be kept. But all other
 * registers are free, so the function preserves what is needed after it.
 */
fast_suspend_call_deep:
    movl $(WFX_SCOPE_IN_PLACE | WFX_SCOPE_DEEP), %ecx
    jmp 1f
fast_suspend_call:
    movl $WFX_SCOPE_IN_PLACE, %ecx
1:  leaq WFX_HANDLERS_CALL(%r10), %r10
fast_suspend_in_place:
    testb $WFX_STACK_ROOM_COMPARED, WFX_RT_STACK_ROOM(%rdi)
    jnz fast_suspend_declined
    .cfi_remember_state
    movq %rsp, %rbx
    CFA_IN(DW_RBX, 0)
    movq %r8, %r12
    CALLERS_REGISTER_IN(DW_RIP, DW_R12)
    movq %rdi, %r13
    subq $RED_ZONE, %rsp
    andq $-16, %rsp
    movq %rdi, -8(%rsp)                 /* as above */
    OPEN_OWN_BARRIER %rdx
    movq %rsi, %rdx
    movq WFX_CALL_ENV(%r10), %rsi
    call *WFX_CALL_FUNCTION(%r10)
    movq %r13, %rdi
    CLOSE_OWN_BARRIER fast_suspend_left_open
    movq %rax, %rsi
    xorl %ecx, %ecx                     /* RETURNED, in word form */
    movq %rbx, %rsp
    jmpq *%r12
fast_suspend_left_open:
    call wfx_left_open
    movq %r13, %rdi
    movq %rax, %rcx
    movq %rdx, %rsi
    movq %rbx, %rsp
    jmpq *%r12
    .cfi_restore_state
END wasmfx_fast_suspend

/*
 * rt = rdi   word = rsi   reference = rdx   tag = rcx   wait = rbx; outcome: as in landings
 */
FAST_FUNCTION wasmfx_fast_switch
    SWITCH_WORD_CHECK %rdx, %rcx, %rbx, fast_switch_declined
    movq %r11, WFX_OBJ_REF(%rax)
    movq %r8, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
    SWITCH_WORD_LINK %rbx
    .cfi_remember_state
    GO
    .cfi_restore_state
fast_switch_declined:
    leaq -WASMFX_FAST_DECLINED(%r8), %r8
    notrack jmpq *%r8
END wasmfx_fast_switch

/* The other verbs have no short path. */
.macro VERB name, prepare, landing
FUNCTION \name
    PREPARE_AND_LEAVE \prepare, \landing
END \name
.endm

VERB wasmfx_resume, wfx_prepare_resume, land_resume
VERB wasmfx_resume_throw, wfx_prepare_resume_throw, land_resume
VERB wasmfx_resume_throw_ref, wfx_prepare_resume_throw_ref, land_resume
VERB wasmfx_suspend, wfx_prepare_suspend, land_suspend
VERB wasmfx_switch, wfx_prepare_switch, land_switch

/* ---- Calls by handle ------------------------------------------------------------- */

/*
 * fiber_resume(), fiber_yield() and fiber_switch(), which lib/fiber.c and lib/fiber_switch.c would otherwise have to
 * put around the verbs, in functions that return where the processor does not expect it (arch.h).
 *
 * They rely on what their callers cannot change: all that has a handle waits for one word, and a contref if it is
 * switched to; a reference in a handle is dead, or names something that waits so; and the runtime has neither hooks nor
 * float control words. So there is less to test than in the verbs, and less to say: who waits in a yield is told the
 * word alone.
 *
 * The address of the desk, r11, is that of the thread that runs: it is read anew in each call, and not needed once
 * anything has been switched.
 */
.macro DESK
    movq wfx_desk@gottpoff(%rip), %r11
.endm
    .hidden wfx_desk

/* What the handle in rdi names, if it is for \key. With sanitizers there are no short paths.
 * Out: r10 = the runtime, rax = the object, \reference. */
.macro FIND_BY_HANDLE key, reference, refused, otherwise
    testq %rdi, %rdi
    jz \refused
    movq WFX_HANDLE_KEY(%rdi), %rax
    cmpq %fs:\key(%r11), %rax
    jne \refused
#ifdef WFX_ANNOUNCE
    jmp \otherwise
#endif
    movq WFX_HANDLE_CONT(%rdi), \reference
    movq %fs:WFX_DESK_RT(%r11), %r10
    movl WFX_HANDLE_CONT(%rdi), %eax    /* the slot */
    shlq $WFX_OBJECT_SHIFT, %rax
    addq %r10, %rax
    cmpq WFX_OBJ_REF(%rax), \reference  /* null meets the runtime itself, and differs */
    jne \otherwise
.endm

/* What a function answers that has nothing to call, to callers with sanitizers, too. */
.macro ANSWER_NULL
#ifdef WFX_ANNOUNCE
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    ANNOUNCE_CALL
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
#endif
    xorl %eax, %eax
    ret
.endm

/* An event that says that nothing happened: its status is below 0. */
#define REFUSED 0xffff

/* Makes a reference the next one of its object, unless it is the last. */
.macro CONSUME_IN reference, scratch, otherwise
    movabsq $(1 << WFX_REVISION_SHIFT), \scratch
    addq \scratch, \reference
    jc \otherwise
.endm

/* Which of its references the handle in rdi goes by: the address, in \place. */
.macro PLACE_OF_REFERENCE place
    leaq WFX_HANDLE_CONT(%rdi), \place
    cmpq $0, (\place)
    jne 1f
    leaq WFX_HANDLE_FRESH(%rdi), \place
1:
.endm

/*
 * As PREPARE_AND_LEAVE. \kept is put where a landing finds it. If \files, the reference to who leaves goes to the
 * handle of the outermost that is captured; if \tells, the event says whether that has been given up. If there is
 * nothing to switch to, goes on at 9, with \kept in rsi.
 */
.macro PREPARE_AND_LEAVE_BY_HANDLE function, kept, landing, files=0, tells=0
    pushq \kept
    .cfi_adjust_cfa_offset 8
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call wfx_claim_stack
    call \function
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %rdi
    .cfi_adjust_cfa_offset -8
    popq %rsi
    .cfi_adjust_cfa_offset -8
    testq %rax, %rax
    jz 9f
    .cfi_remember_state
    PUSH_FRAME %rsi
    leaq \landing(%rip), %r8
    movq WFX_RT_FROM(%rdi), %r9
    movq WFX_RT_LANDING(%rdi), %r10
    movq %r8, (%r10)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
    .if \files
    movq WFX_RT_CUT(%rdi), %r10         /* its link to its parent */
    movq WFX_OBJ_HOST_WORD-WFX_OBJ_PARENT(%r10), %r8
    movq WFX_RT_CONT(%rdi), %r9
    movq %r9, WFX_HANDLE_CONT(%r8)
    .endif
    .if \tells
    cmpl $0, WFX_HANDLE_GIVEN_UP(%r8)
    je 7f
    orq $WFX_EVENT_GIVEN_UP, WFX_RT_EVENT(%rdi)
7:
    .endif
    ANNOUNCE_LEAVING wfx_announce_leaving
    movq WFX_RT_WORD(%rdi), %rsi
    movq WFX_RT_CONT(%rdi), %rdx
    movq WFX_RT_EVENT(%rdi), %rcx
    movq WFX_RT_CUT(%rdi), %r8
    movq $0, (%r8)
    GO
    CFI_RESTORE_STATE
.endm

/* Makes the object in rax, of which the next reference is in r8, hang under the running one, which waits for it. */
.macro HANDLE_RESUME_LINK
    movq WFX_RT_CURRENT(%r10), %r9
    movq %r8, WFX_OBJ_REF(%rax)
    movq %fs:WFX_DESK_HANDLERS(%r11), %r8
    movq %r9, WFX_OBJ_PARENT(%rax)
    movq %r8, WFX_OBJ_HANDLERS(%rax)
    movq %rax, WFX_RT_CURRENT(%r10)
    leaq land_fiber_resume(%rip), %r8
    movq %r8, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
.endm

/*
 * void *fiber_resume(handle, word, unsigned *status)
 *                    rdi     rsi   rdx
 */
FUNCTION wasmfx_fiber_resume
    DESK
    FIND_BY_HANDLE WFX_DESK_KEY, %r8, fiber_resume_refused, fiber_resume_first
    CONSUME_IN %r8, %r9, fiber_resume_carefully
    .cfi_remember_state
    movq -64(%rsp), %r9                 /* where `enter` is going to push */
    PUSH_FRAME %rdx
    HANDLE_RESUME_LINK
    leaq wfx_go(%rip), %r11
    jmp enter
    CFI_RESTORE_STATE
fiber_resume_first:
#ifndef WFX_ANNOUNCE
    movq WFX_HANDLE_FRESH(%rdi), %r8
    movl %r8d, %eax
    shlq $WFX_OBJECT_SHIFT, %rax
    addq %r10, %rax
    cmpq WFX_OBJ_REF(%rax), %r8
    jne fiber_resume_carefully
    leaq wfx_fresh(%rip), %r9
    cmpq %r9, WFX_OBJ_PC(%rax)
    jne fiber_resume_carefully
    cmpq $0, WFX_RT_FREE_STACK(%r10)
    je fiber_resume_carefully
    CONSUME_IN %r8, %r9, fiber_resume_carefully
    .cfi_remember_state
    PUSH_FRAME %rdx
    HANDLE_RESUME_LINK
    movq %r10, %rdi
    xorl %edx, %edx
    movq WFX_RT_FREE_STACK(%rdi), %r11
    jmp start_fresh
    CFI_RESTORE_STATE
#endif
fiber_resume_carefully:
    movq %rdx, %r9
    movq %rsi, %rcx
    PLACE_OF_REFERENCE %rsi
    movq %fs:WFX_DESK_HANDLERS(%r11), %rdx
    movq %fs:WFX_DESK_RT(%r11), %rdi
    PREPARE_AND_LEAVE_BY_HANDLE wfx_prepare_resume_word, %r9, land_fiber_resume
9:  movq %rsi, %rdx
fiber_resume_refused:
#ifdef WFX_ANNOUNCE
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    ANNOUNCE_CALL
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
#endif
    movq %rdx, %rcx                     /* wasmfx_fiber_resumed(event, cont, word, status) */
    movl $REFUSED, %edi
    xorl %esi, %esi
    xorl %edx, %edx
    jmp wasmfx_fiber_resumed
END wasmfx_fiber_resume

/*
 * void *fiber_yield(word)
 *                   rdi
 */
FUNCTION wasmfx_fiber_yield
    DESK
    movq %rdi, %rsi
    movq %fs:WFX_DESK_RT(%r11), %rdi
    testq %rdi, %rdi
    jz 9f
    movq %fs:WFX_DESK_YIELD(%r11), %rdx
#ifndef WFX_ANNOUNCE
    movq WFX_RT_CURRENT(%rdi), %r9
    movq WFX_OBJ_HANDLERS(%r9), %r10
    cmpq WFX_HANDLERS_WORD_TAG(%r10), %rdx
    jne fiber_yield_carefully
    movq WFX_OBJ_HOST_WORD(%r9), %r8
    cmpl $0, WFX_HANDLE_GIVEN_UP(%r8)
    jne fiber_yield_carefully
    movq WFX_TAG_RESULTS(%rdx), %r11
    movq WFX_OBJ_PARENT(%r9), %rax
    .cfi_remember_state
    PUSH_FRAME %rsi
    movq %rax, WFX_RT_CURRENT(%rdi)
    movq %r11, WFX_OBJ_AWAITS(%r9)
    leaq land_fiber_yield(%rip), %r11
    movq %r11, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
    movq WFX_OBJ_REF(%r9), %rdx
    movq WFX_HANDLERS_WORD_EVENT(%r10), %rcx
    movq %rdx, WFX_HANDLE_CONT(%r8)
    movq $0, WFX_OBJ_PARENT(%r9)
    GO
    CFI_RESTORE_STATE
#endif
fiber_yield_carefully:
    xchgq %rdx, %rsi
    PREPARE_AND_LEAVE_BY_HANDLE wfx_prepare_suspend_word, %rsi, land_fiber_yield, 1, 1
9:  ANSWER_NULL
END wasmfx_fiber_yield

/*
 * void *fiber_switch(handle, word, handle *from)
 *                    rdi     rsi   rdx
 */
FUNCTION wasmfx_fiber_switch_switch
    DESK
    FIND_BY_HANDLE WFX_DESK_SWITCH_KEY, %r8, fiber_switch_refused, fiber_switch_carefully
    movq WFX_RT_CURRENT(%r10), %r9
    movq WFX_OBJ_HANDLERS(%r9), %rcx
    movq %fs:WFX_DESK_EXCHANGE(%r11), %r11
    cmpq WFX_HANDLERS_SWITCH_TAG(%rcx), %r11
    jne fiber_switch_carefully
    CONSUME_IN %r8, %r11, fiber_switch_carefully
    .cfi_remember_state
    PUSH_FRAME %rdx
    leaq wfx_word_contref_type(%rip), %r11
    movq WFX_TYPE_PARAMS(%r11), %r11
    movq %r8, WFX_OBJ_REF(%rax)
    movq %r11, WFX_OBJ_AWAITS(%r9)
    leaq land_fiber_switch(%rip), %r11
    movq %r11, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
    movq WFX_OBJ_PARENT(%r9), %r8
    movq %rcx, WFX_OBJ_HANDLERS(%rax)
    movq %r8, WFX_OBJ_PARENT(%rax)
    movq %rax, WFX_RT_CURRENT(%r10)
    movq WFX_OBJ_HOST_WORD(%r9), %r8
    movq WFX_OBJ_REF(%r9), %rdx
    movq %rdx, WFX_HANDLE_CONT(%r8)
    movq %r10, %rdi
    xorl %ecx, %ecx
    movq $0, WFX_OBJ_PARENT(%r9)
    GO
    CFI_RESTORE_STATE
fiber_switch_carefully:
    DESK
    movq %fs:WFX_DESK_RT(%r11), %r10
    movq WFX_RT_CURRENT(%r10), %rax
    movq WFX_OBJ_HOST_WORD(%rax), %rax  /* who would leave: only one of this kind may */
    testq %rax, %rax
    jz fiber_switch_refused
    movq WFX_HANDLE_KEY(%rax), %rax
    cmpq %fs:WFX_DESK_SWITCH_KEY(%r11), %rax
    jne fiber_switch_refused
    movq %rdx, %r9
    movq %rsi, %r8
    PLACE_OF_REFERENCE %rsi
    movq %fs:WFX_DESK_EXCHANGE(%r11), %rdx
    xorl %ecx, %ecx
    movq %r10, %rdi
    PREPARE_AND_LEAVE_BY_HANDLE wfx_prepare_switch_word, %r9, land_fiber_switch, 1
9:
fiber_switch_refused:
    ANSWER_NULL
END wasmfx_fiber_switch_switch

/*
 * The two that fast.h's tier has, with its contract:
 *
 *     resume    rdi handle   rsi word   r8 landing
 *     yield                  rsi word   r8 landing; outcome: as in landings
 */
FAST_FUNCTION wasmfx_fast_fiber_resume
    DESK
    FIND_BY_HANDLE WFX_DESK_KEY, %rdx, fast_fiber_resume_declined, fast_fiber_resume_declined
    CONSUME_IN %rdx, %rcx, fast_fiber_resume_declined
    movq WFX_RT_CURRENT(%r10), %r9
    movq %rdx, WFX_OBJ_REF(%rax)
    movq %fs:WFX_DESK_HANDLERS(%r11), %rcx
    movq %r9, WFX_OBJ_PARENT(%rax)
    movq %rcx, WFX_OBJ_HANDLERS(%rax)
    movq %rax, WFX_RT_CURRENT(%r10)
    movq %r8, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
    .cfi_remember_state
    GO
    .cfi_restore_state
fast_fiber_resume_declined:
    leaq -WASMFX_FAST_DECLINED(%r8), %r8
    notrack jmpq *%r8
END wasmfx_fast_fiber_resume

FAST_FUNCTION wasmfx_fast_fiber_yield
#ifndef WFX_ANNOUNCE
    DESK
    movq %fs:WFX_DESK_RT(%r11), %rdi
    testq %rdi, %rdi
    jz fast_fiber_yield_declined
    movq %fs:WFX_DESK_YIELD(%r11), %rdx
    movq WFX_RT_CURRENT(%rdi), %r9
    movq WFX_OBJ_HANDLERS(%r9), %r10
    cmpq WFX_HANDLERS_WORD_TAG(%r10), %rdx
    jne fast_fiber_yield_declined
    movq WFX_OBJ_HOST_WORD(%r9), %rbx
    cmpl $0, WFX_HANDLE_GIVEN_UP(%rbx)
    jne fast_fiber_yield_declined
    movq WFX_TAG_RESULTS(%rdx), %r11
    movq WFX_OBJ_PARENT(%r9), %rax
    movq %rax, WFX_RT_CURRENT(%rdi)
    movq %r11, WFX_OBJ_AWAITS(%r9)
    movq %r8, WFX_OBJ_PC(%r9)
    movq %rsp, WFX_OBJ_SP(%r9)
    movq %rbp, WFX_OBJ_FP(%r9)
    movq WFX_OBJ_REF(%r9), %rdx
    movq WFX_HANDLERS_WORD_EVENT(%r10), %rcx
    movq %rdx, WFX_HANDLE_CONT(%rbx)
    movq $0, WFX_OBJ_PARENT(%r9)
    .cfi_remember_state
    GO
    .cfi_restore_state
#endif
fast_fiber_yield_declined:
    leaq -WASMFX_FAST_DECLINED(%r8), %r8
    notrack jmpq *%r8
END wasmfx_fast_fiber_yield

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
    ALIAS wasmfx_abi_deep
    CFI_FROM_LANDING_OF_PARENT
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
    CFI_FROM_LANDING WFX_OBJ_DEEP_PC
    jmpq *WFX_OBJ_DEEP_PC(%rax)
END wfx_deep

/* ---- Beginning and end --------------------------------------------------------------- */

/* Goes on in the object in rax: `enter` calls this, and generated code jumps here. */
HIDDEN_FUNCTION wfx_go
    ALIAS wasmfx_abi_go
    CFI_FROM_LANDING
    LANDING_PAD
    GO
END wfx_go

/*
 * Where a fresh continuation would land; but nobody goes there. Only the short path of
 * resume starts it as it is, after it has seen that a stack is at hand, and that no other is wanted. The others give
 * it a stack first, and it lands below.
 */
HIDDEN_FUNCTION wfx_fresh
    ALIAS wasmfx_abi_fresh
    LANDING_PAD
    ud2
END wfx_fresh

/* Landings of a continuation that has never run but has a stack, on which rsp stands. */
HIDDEN_FUNCTION wfx_start_float
    CFI_FROM_LANDING_OF_PARENT
    LANDING_PAD
    ldmxcsr default_mxcsr(%rip)
    fldcw default_x87_control(%rip)
    jmp start
END wfx_start_float

HIDDEN_FUNCTION wfx_start
    CFI_FROM_LANDING_OF_PARENT
    LANDING_PAD
start:
    ANNOUNCE_LANDED
    movq %rsp, %rbx
    movq WFX_OBJ_START_ENTRY(%rax), %r11
    movq WFX_OBJ_START_ENV(%rax), %r10
    jmp body
END wfx_start

/*
 * The bottom of every stack: calls the entry function and ends the continuation
 * when it returns. In: the registers of a landing, but r11 = its stack, since rsp is still
 * the resumer's. At body: rbx = its stack, as rsp, r11 = the entry function, r10 = its env.
 *
 * rbx, r12 and r13 survive the call since the entry function preserves them. rbp is
 * zero, which is how walkers of frame pointers know the end. The other registers that
 * a function would save on its stack are cleared.
 *
 * One instruction, `enter`, makes every entry into a continuation, the first and,
 * from the short path of resume, by way of wfx_go, all later ones. A later one lands by itself
 * and needs no return address: the one that is pushed on the resumer's
 * stack is never read. But the processor notes it, and so expects the
 * return of the entry function, whose true return address may have to come from
 * memory that nobody has touched for long. With a jump there it would wait for
 * it, at each end of each continuation. For the same reason the continuation that
 * ends is taken to be the one that has begun here, which it is unless that has moved to another object, or
 * left a root open; it is only compared with what the runtime says: the processor goes on with the
 * resumer, and the next one, while the stack is on its way. The two together
 * make ten thousand continuations that end in turn three times as fast.
 *
 * What ends here as most do, having taken its stack off the free list, with no hook to call and no scope open, puts
 * that and its object back by itself.
 *
 * .cfi_signal_frame: else gdb stops here, since the resumer's stack may lie lower.
 * Walkers look up a caller's frame by the last byte of its call, and a frame that
 * is interrupted by the first byte of its instruction. At `enter` the two differ:
 * rax leads to the resumer before the call, rbx does after it. The prefix is
 * there to give each a byte of its own.
 */
    .p2align 5
ALIAS wasmfx_abi_start                  /* for generated code: what is done before a jump there is in abi.h */
    .cfi_startproc
    .cfi_signal_frame
    .cfi_personality DW_EH_PE_pcrel_sdata4, wfx_personality
    CFI_FROM_LANDING_OF_PARENT LANDING_IS_EXACT
    LANDING_PAD
    movq WFX_RT_FREE_STACK(%rdi), %r11
    .size wasmfx_abi_start, . - wasmfx_abi_start
    .globl wfx_body
    .hidden wfx_body
    .type wfx_body, @function
wfx_body:
start_fresh:
    movq WFX_STACK_NEXT(%r11), %r9
    movq %r9, WFX_RT_FREE_STACK(%rdi)
    incq WFX_RT_STACKS_MAY_KEEP(%rdi)
    movq %rax, WFX_STACK_OWNER(%r11)
    movb $1, WFX_STACK_IS_SHORT(%r11)
    movq %r11, WFX_OBJ_STACK(%rax)
    movq %r11, %rbx
    movq %r11, %rsp
    movq WFX_OBJ_ENTRY(%rax), %r11
    movq WFX_OBJ_ENV(%rax), %r10
body:
    movq %r11, WFX_OBJ_PC(%rax)         /* not fresh any more */
    movq %rdi, %r12
    movq %rax, %r13
    xorl %ebp, %ebp
    xorl %r14d, %r14d                   /* what the resumer had in them is none of its business */
    xorl %r15d, %r15d
    movq %rdx, %rcx                     /* entry(rt, env, word, cont) */
    movq %rsi, %rdx
    movq %r10, %rsi
enter:
    .byte 0x3e                          /* a prefix without effect, see above */
    CFI_FROM_LANDING_OF_RESUMER
    .globl wfx_base
    .hidden wfx_base
wfx_base:
    call *%r11
    movq %r12, %rdi
    cmpq %r13, WFX_RT_CURRENT(%rdi)
    jne return_carefully
    cmpb $0, WFX_STACK_IS_SHORT(%rsp)   /* rsp is rbx, but is there sooner */
    je return_carefully
    leaq wfx_barrier(%rip), %r8
    cmpq %r8, WFX_OBJ_HANDLERS(%r13)    /* it has left one open */
    je return_carefully
    cmpq $0, WFX_OBJ_HOST_WORD(%r13)
    jne return_carefully
    decq WFX_RT_STACKS_MAY_KEEP(%rdi)
    js return_without_room
    movq %rax, %rsi
    movq WFX_OBJ_PARENT(%r13), %rax     /* stays, as does the owner, for who walks from here */
    movq %rax, WFX_RT_CURRENT(%rdi)
    movq WFX_RT_HOUSE(%rdi), %r8
    movq WFX_HOUSE_MAY_BE_MADE(%r8), %r10
    incq %r10
    movq %r10, WFX_HOUSE_MAY_BE_MADE(%r8)
    movq %r10, WFX_STACK_LIFE(%rsp)     /* a number that no other life has */
    movq WFX_RT_FREE_STACK(%rdi), %r11
    movq %r11, WFX_STACK_NEXT(%rsp)
    movq %rsp, WFX_RT_FREE_STACK(%rdi)
    movq $0, WFX_OBJ_STACK(%r13)
    movq $0, WFX_OBJ_PC(%r13)
    movq WFX_RT_FREE_OBJECTS(%rdi), %r10
    movq %r10, WFX_OBJ_NEXT_FREE(%r13)
    movq %r13, WFX_RT_FREE_OBJECTS(%rdi)
    xorl %edx, %edx
    xorl %ecx, %ecx                     /* RETURNED, in word form */
    .cfi_remember_state
    GO
    .cfi_restore_state
return_without_room:
    incq WFX_RT_STACKS_MAY_KEEP(%rdi)
return_carefully:
    movq WFX_STACK_OWNER(%rsp), %rsi    /* wfx_return(rt, self, word) */
    movq %rax, %rdx
    ANNOUNCE_CALL
    call wfx_return
    movq %r12, %rdi
    jmp leave

/*
 * Where a continuation goes on that has run out of stack in one of the library's functions, which has done nothing yet:
 * rdi = rt, rbx = its stack. All that is on it is left behind.
 */
out_of_stack:
    movq %rbx, %rsp
    movq %rdi, %r12
    /* falls through */

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
    CFI_FROM_LANDING
    ANNOUNCE_LEAVING wfx_announce_ending
    movq WFX_RT_WORD(%rdi), %rsi
    movq WFX_RT_CONT(%rdi), %rdx
    movq WFX_RT_EVENT(%rdi), %rcx
    GO
END wfx_leave

/*
 * void wfx_call_on(function, arg, top, &left)
 *                  rdi       rsi  rdx  rcx
 *
 * An ordinary call but for the stack: the frame is found by rbp, which the function preserves. While that runs, the
 * frame is one as of a signal, or else gdb stops here, since who is outside may lie lower. libunwind's shorter way
 * looks in such frames for what the kernel leaves there, so it is there:
 *
 *     high +------------------+ <- top
 *          | rip              |  SIGNAL_RIP
 *          | rsp              |  SIGNAL_RSP: of the caller
 *          | rbp              |  SIGNAL_RBP
 *          ~ not used         ~
 *     low  +------------------+ <- rsp, SIGNAL_BYTES below
 */
HIDDEN_FUNCTION wfx_call_on
    PUSH %rbp
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    movq %rsp, (%rcx)
    andq $-16, %rdx
    subq $SIGNAL_BYTES, %rdx
    movq (%rbp), %rax
    movq %rax, SIGNAL_RBP(%rdx)
    movq 8(%rbp), %rax
    movq %rax, SIGNAL_RIP(%rdx)
    leaq 16(%rbp), %rax
    movq %rax, SIGNAL_RSP(%rdx)
    movq %rdi, %rax
    movq %rsi, %rdi
    movq %rdx, %rsp
    .cfi_endproc
    .cfi_startproc
    .cfi_signal_frame
    .cfi_def_cfa %rbp, 16
    .cfi_offset %rbp, -16
    call *%rax
    movq %rbp, %rsp
    .cfi_endproc
    .cfi_startproc
    .cfi_def_cfa %rsp, 16
    .cfi_offset %rbp, -16
    POP %rbp
    ret
END wfx_call_on

/*
 * void wfx_claim_stack(rt)                  rdi
 * void wfx_claim_stack_bytes(rt, bytes)     rdi rsi
 * void wfx_probe_stack(bytes)               rdi
 *
 * The verbs call the first one with their arguments in registers: only rax, r10 and r11 are destroyed.
 */
HIDDEN_FUNCTION wfx_claim_stack_bytes
    movq %rsi, %r10
    jmp claim
END wfx_claim_stack_bytes

HIDDEN_FUNCTION wfx_claim_stack
    movl WFX_RT_STACK_ROOM(%rdi), %r10d
claim:
    testb $WFX_STACK_ROOM_COMPARED, WFX_RT_STACK_ROOM(%rdi)
    jnz compare
    /* By steps that are shorter than a guard, and with rsp, since what lies below that is nobody's. What it reads it
     * keeps to the end: valgrind leaves out a read of which nobody needs the result. */
touch:
    movq %rsp, %r11
    .cfi_remember_state
    .cfi_def_cfa_register %r11
1:  subq $WFX_STACK_STEP, %rsp
    addl (%rsp), %eax
    subq $WFX_STACK_STEP, %r10
    ja 1b
    movq %r11, %rsp
    CFI_RESTORE_STATE
    ret
    /* With the stack on which rsp stands: the running one's, or, in a call on the host's stack or after a jump, one of
     * those further out; or none of them, which is the host's. */
compare:
    movq WFX_RT_CURRENT(%rdi), %r11
1:  cmpq $0, WFX_OBJ_TYPE(%r11)
    je 3f
    movq WFX_OBJ_STACK(%r11), %rax
    cmpq %rax, %rsp
    jae 2f
    movq WFX_STACK_LOW(%rax), %rax
    subq $WFX_STACK_RESERVE, %rax
    subq %rsp, %rax
    negq %rax
    js 2f
    cmpq %r10, %rax
    jb 5f
    ret
2:  movq WFX_OBJ_PARENT(%r11), %r11
    jmp 1b
3:  leaq WFX_HOST_ROOT(%rdi), %rax
    cmpq %rax, %r11
    je 4f
    movq WFX_OBJ_SCOPE_OWNER(%r11), %r11
    jmp 1b
4:  ret
5:  movq WFX_OBJ_STACK(%r11), %rbx      /* as it is at the bottom: walkers do not mind */
    jmp out_of_stack
END wfx_claim_stack

HIDDEN_FUNCTION wfx_probe_stack
    movq %rdi, %r10
    jmp touch
END wfx_probe_stack

    .section .rodata
    .p2align 2
default_mxcsr:
    .long 0x1f80
default_x87_control:
    .short 0x037f

    END_OF_FILE
