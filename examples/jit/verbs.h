/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXAMPLES_JIT_VERBS_H
#define EXAMPLES_JIT_VERBS_H
/**
 * @file verbs.h
 * Resume and suspend as a compiler emits them. Operands are slots of the frame, 8 bytes each from rsp on, since no
 * register survives: a function that contains one of these saves all that the convention preserves.
 */
#include "emit.h"

/** resume_word(rt, cont, handlers, 0), where `cont` is the slot of its address. Afterwards rcx is the first half of the
 *  outcome, and rsi the word. */
void emit_resume(struct code *code, int rt, int cont, int handlers);

/** suspend_word(rt, tag, word). Afterwards, the same. */
void emit_suspend(struct code *code, int rt, int tag, int word);

#endif
