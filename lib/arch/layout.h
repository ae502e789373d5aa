/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers on which C and assembly must agree: offsets into the few structs
 * that assembly touches, and the bits that it tests. Numbers only, so that both
 * can include it. lib/layout.c holds each one against its struct.
 */
#ifndef WFX_LAYOUT_H
#define WFX_LAYOUT_H

/* Sanitizers that have to be told of switches; how, lib/sanitize.h says. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WFX_ANNOUNCE
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define WFX_ANNOUNCE
#endif
#endif

/* Whether somebody watches stacks, who would have to be told of each change of them. */
#ifdef WFX_ANNOUNCE
#define WFX_HAS_STACKS_WATCHED 1
#else
#define WFX_HAS_STACKS_WATCHED 0
#endif

/* A reference: revision above, index of the object below. */
#ifndef WFX_REVISION_BITS
#define WFX_REVISION_BITS 32
#endif
#define WFX_REVISION_SHIFT (64 - WFX_REVISION_BITS)
#define WFX_OBJECT_SHIFT 7 /* an object is two cache lines */
#define WFX_HOST_ROOT (1 << WFX_OBJECT_SHIFT) /* slot 1 */

/* struct wasmfx_runtime, slot 0 of the object arena */
#define WFX_RT_CURRENT 8
#define WFX_RT_SHORT_COUNT 16
#define WFX_RT_CAREFUL 20
#define WFX_RT_FREE_STACK 24
#define WFX_RT_STACKS_MAY_KEEP 32
#define WFX_RT_RECEIVED 40
#define WFX_RT_FROM 48
#define WFX_RT_LANDING 56
#define WFX_RT_CONT 64
#define WFX_RT_EVENT 72
#define WFX_RT_WORD 80
#define WFX_RT_CUT 88
#define WFX_RT_FREE_OBJECTS 96
#define WFX_RT_HOUSE 104
#define WFX_RT_SCOPE 112
#define WFX_RT_STACK_ROOM 124

/* struct wfx_house */
#define WFX_HOUSE_MADE 64
#define WFX_HOUSE_MAY_BE_MADE 72

/* bits of `careful`: why the short paths must not be taken */
#define WFX_CAREFUL_HOOK 1
#define WFX_CAREFUL_FLOAT 2
#define WFX_CAREFUL_ANNOUNCE 4

/* From one touch of the stack to the next: never more than a page, or it might step over a guard. */
#define WFX_STACK_STEP 1024

/* A bit of `stack_room`: below the runtime's stacks there is nothing that a touch could run into. */
#define WFX_STACK_ROOM_COMPARED 1

/* What lies below the low end of such a stack and belongs to it: for what writes without looking, the short paths of
 * the verbs, functions that only look, those that compare until they have, and code that keeps something below its
 * stack pointer. The frames of a sanitizer are larger, and those of a compiler that does not optimize. */
#ifdef WFX_ANNOUNCE
#define WFX_STACK_RESERVE 2048
#elif defined(__OPTIMIZE__)
#define WFX_STACK_RESERVE 256
#else
#define WFX_STACK_RESERVE 512
#endif

/* struct wfx_object, first cache line */
#define WFX_OBJ_REF 0
#define WFX_OBJ_PC 8
#define WFX_OBJ_SP 16
#define WFX_OBJ_FP 24
#define WFX_OBJ_ENTRY 16 /* while fresh, where sp will be */
#define WFX_OBJ_ENV 24   /* while fresh, where fp will be */
#define WFX_OBJ_PARENT 32
#define WFX_OBJ_HANDLERS 40
#define WFX_OBJ_AWAITS 48
#define WFX_OBJ_NEXT_FREE 48 /* while free */
#define WFX_OBJ_TYPE 56
/* second cache line */
#define WFX_OBJ_STACK 64
#define WFX_OBJ_HOST_WORD 72
#define WFX_OBJ_DEEP_PC 88
#define WFX_OBJ_HEAD 96
#define WFX_OBJ_INNER_PARENT 104
#define WFX_OBJ_INNER_HANDLERS 112
#define WFX_OBJ_DEEP_TAG 120
#define WFX_OBJ_SCOPE_OWNER 96 /* of a root */
#define WFX_OBJ_START_ENTRY 104 /* from where a stack is given to a fresh one until it starts */
#define WFX_OBJ_START_ENV 112
#define WFX_OBJ_SCOPE_LINK 88
#define WFX_OBJ_SCOPE_HANDLERS 112

/* What a continuation remembers a search by is the address of a tag, and */
#define WFX_KEY_SWITCH 1
#define WFX_KEY_NONE 1 /* nothing is remembered: no tag lies at 0 */
#define WFX_KEY_MASKED 2 /* as long as its own barrier is open: as it is, no search has this */

/* The link of a scope leads to an object, and may say of an own barrier: */
#define WFX_SCOPE_IN_PLACE 1 /* it is around a handler that is called in place */
#define WFX_SCOPE_DEEP 2     /* deep.head is what the handling resume started; else it is the continuation itself */
#define WFX_SCOPE_MARKED 4   /* a mark names it, by a number */
#define WFX_SCOPE_FLAGS 7

/* struct wfx_stack, at the top of each stack */
#define WFX_STACK_NEXT 0
#define WFX_STACK_OWNER 8
#define WFX_STACK_LOW 16
#define WFX_STACK_IS_SHORT 30
#define WFX_STACK_LIFE 48

/* struct wasmfx_handlers, struct wasmfx_tag, struct wfx_list */
#define WFX_HANDLERS_WORD_TAG 32
#define WFX_HANDLERS_WORD_EVENT 40
#define WFX_HANDLERS_SWITCH_TAG 48
#define WFX_HANDLERS_SUSPEND_BYTES 68
#define WFX_HANDLERS_CALL_TAG 88
#define WFX_HANDLERS_CALL 96
#define WFX_HANDLERS_CLAUSES 120
#define WFX_CLAUSE_TAG 0
#define WFX_CLAUSE_INDEX 8
#define WFX_CLAUSE_HOW 12
#define WFX_CLAUSE_BYTES 16
#define WFX_CLAUSES_AT_ONCE 4 /* clauses for suspensions are filled up to a multiple of this */
#define WFX_CALL_FUNCTION 0
#define WFX_CALL_ENV 8

/* The lowest bit of how a clause is to be followed: not by a short path. It is all that a label has. */
#define WFX_HOW_LONG 1
#define WFX_TAG_RESULTS 32
#define WFX_TAG_RESULTS_SHAPE 56
#define WFX_TYPE_RUNTIME 16
#define WFX_TYPE_PARAMS 32
#define WFX_TYPE_RESULTS_SHAPE 64

/* Where a list lies says how it wakes, so that short paths need not look into it: these bits of its address. */
#define WFX_LIST_PLACE 24
#define WFX_LIST_WORD 0          /* by a word or nothing */
#define WFX_LIST_WORD_FRESH 8    /* the same, for who is fresh and needs nothing but a stack of the first class */
#define WFX_LIST_WORD_CONTREF 16 /* by a word or nothing, and a contref beside it */
#define WFX_LIST_OTHER 24        /* in another way, or in one of these but it is fresh */
#define WFX_LIST_NOT_WORD_FRESH 16 /* bit */
#define WFX_LIST_ALIGN 32

/* struct wfx_handle, which a host word may point to, and struct wfx_desk, a thread's */
#define WFX_HANDLE_CONT 0
#define WFX_HANDLE_FRESH 8
#define WFX_HANDLE_KEY 16
#define WFX_HANDLE_GIVEN_UP 24
#define WFX_DESK_KEY 0
#define WFX_DESK_SWITCH_KEY 8
#define WFX_DESK_RT 16
#define WFX_DESK_HANDLERS 24
#define WFX_DESK_YIELD 32
#define WFX_DESK_EXCHANGE 40

/* Bits of wake_form: a last contref travels beside the payload; who awaits it is fresh. What is below counts values. */
#define WFX_FORM_CONTREF 0x40000000
#define WFX_FORM_FRESH 0x20000000

/* The status that a suspension arrives with; and a bit of its event, if its handle has been given up. */
#define WFX_SUSPENDED 1
#define WFX_EVENT_GIVEN_UP 0x20000

#endif
