/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_VERBS_H
#define WASMFX_LOWER_VERBS_H
/**
 * @file verbs.h
 * Stack switching and exceptions in lowered code. `body->now` is the instruction; its operands lie on the stack.
 */
#include "body.h"
#include "emit.h"

/** What lies on the stack becomes a word, and a word becomes a value of the type. */
void wl_to_word(struct wl_lowering *l, wl_type type);
void wl_from_word(struct wl_lowering *l, wl_type type);
/** Values of what has arrived, one after the other, by `value`. */
void wl_take_values(struct wl_lowering *l, struct wl_list list);
/** Whether the host passes these in word form. Of parameters of continuations, a last one beside. */
bool wl_is_word_form(const struct wl_module *module, struct wl_list params, struct wl_list results);
bool wl_ends_in_cont(const struct wl_module *module, struct wl_list list);
/** Values on the stack become operands of a verb of a family. */
enum wl_variant wl_give_values(struct wl_lowering *l, struct wl_list list);
/** Values on the stack become arguments, one after the other. */
void wl_give_arguments(struct wl_lowering *l, struct wl_list list);
/** The global with the host's type for a definition of a function type. */
void wl_emit_type(struct wl_lowering *l, uint32_t definition);
void wl_emit_tag(struct wl_lowering *l, uint32_t tag);
/** The identity of a type by which a function is called, as the last operands of an entry. */
void wl_emit_identity(struct wl_lowering *l, uint32_t definition);
void wl_emit_half_identity(struct wl_lowering *l, uint32_t definition, uint32_t half);
/** Calls a reference that is on the stack, which is not null if `is_checked`. The operands lie below. */
void wl_emit_call_ref(struct wl_lowering *l, uint32_t definition, bool is_checked);

/** After a call: to the landing, if something is thrown. */
void wl_emit_test(struct wl_lowering *l);
uint32_t wl_landing(const struct wl_lowering *l);

void wl_lower_cont_new(struct wl_lowering *l, struct wl_body *body);
/** `ref.func` and `cont.new`, which come one after the other. */
void wl_lower_cont_of(struct wl_lowering *l, uint32_t function, uint32_t cont);
void wl_lower_cont_bind(struct wl_lowering *l, struct wl_body *body);
void wl_lower_suspend(struct wl_lowering *l, struct wl_body *body);
void wl_lower_resume(struct wl_lowering *l, struct wl_body *body);
void wl_lower_resume_throw(struct wl_lowering *l, struct wl_body *body);
void wl_lower_resume_throw_ref(struct wl_lowering *l, struct wl_body *body);
void wl_lower_switch(struct wl_lowering *l, struct wl_body *body);
void wl_lower_throw(struct wl_lowering *l, struct wl_body *body);
void wl_lower_throw_ref(struct wl_lowering *l, struct wl_body *body);
/** The clauses of a try_table, where what is thrown lands. */
void wl_lower_clauses(struct wl_lowering *l, struct wl_body *body, struct wl_level level);

#endif
