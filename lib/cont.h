/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_CONT_H
#define WFX_CONT_H
/**
 * @file cont.h
 * What the stubs of lib/arch call: before a switch to prepare it, after it to
 * hand over what arrived, and where a body ends.
 *
 * A prepare function has the parameters of the verb that it is for. It
 * answers the object to switch to, or NULL if there is none; see arch.h.
 */
#include "object.h"

struct wfx_object *wfx_prepare_resume(struct wasmfx_runtime *rt, wasmfx_cont_t *cont,
                                      const wasmfx_handlers_t *handlers, const wasmfx_value_t *values, size_t count);
struct wfx_object *wfx_prepare_resume_word(struct wasmfx_runtime *rt, wasmfx_cont_t *cont,
                                           const wasmfx_handlers_t *handlers, uint64_t word);
struct wfx_object *wfx_prepare_resume_throw(struct wasmfx_runtime *rt, wasmfx_cont_t *cont,
                                            const wasmfx_handlers_t *handlers, const wasmfx_tag_t *tag,
                                            const wasmfx_value_t *values, size_t count);
struct wfx_object *wfx_prepare_resume_throw_ref(struct wasmfx_runtime *rt, wasmfx_cont_t *cont,
                                                const wasmfx_handlers_t *handlers,
                                                const wasmfx_exception_t *exception);
struct wfx_object *wfx_prepare_suspend(struct wasmfx_runtime *rt, const wasmfx_tag_t *tag,
                                       const wasmfx_value_t *values, size_t count);
struct wfx_object *wfx_prepare_suspend_word(struct wasmfx_runtime *rt, const wasmfx_tag_t *tag, uint64_t word);
struct wfx_object *wfx_prepare_switch(struct wasmfx_runtime *rt, wasmfx_cont_t *cont, const wasmfx_tag_t *tag,
                                      const wasmfx_type_t *wait, const wasmfx_value_t *values, size_t count);
struct wfx_object *wfx_prepare_switch_word(struct wasmfx_runtime *rt, wasmfx_cont_t *cont, const wasmfx_tag_t *tag,
                                           const wasmfx_type_t *wait, uint64_t word);

/** What a resume of the general form answers: the payload in slots, however it travelled. */
wasmfx_outcome_t wfx_outcome_values(struct wasmfx_runtime *rt, wasmfx_outcome_t arrived);
/** What a suspend or switch of the general form answers: the same, and a contref that came beside the payload last. */
wasmfx_outcome_t wfx_waking_values(struct wasmfx_runtime *rt, wasmfx_outcome_t arrived);

/** A handler that a stub has called in place has left scopes open: closes them. */
wasmfx_outcome_t wfx_left_open(struct wasmfx_runtime *rt);

/** The entry function of `self` has returned: ends it. Answers the resumer. Runs on the stack that goes. */
struct wfx_object *wfx_return(struct wasmfx_runtime *rt, struct wfx_object *self, uint64_t word);
/** The same for one that has run into its guard; nothing is on its stack any more. */
struct wfx_object *wfx_overflow(struct wasmfx_runtime *rt, struct wfx_object *self);

#endif
