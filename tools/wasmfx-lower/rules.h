/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_RULES_H
#define WASMFX_LOWER_RULES_H
/** @file rules.h  Between the files with the rules of instructions. Each call answers false after a failure. */
#include "body.h"

struct wl_signature {
  struct wl_list params, results;
};

/** What a function type, by its index, takes and gives. */
bool wl_function_of_type(struct wl_body *body, uint32_t index, struct wl_signature *signature);
bool wl_signature_of_tag(struct wl_body *body, uint32_t index, struct wl_signature *signature);
/** The values of an exception; a tag that has results makes none. */
bool wl_exception(struct wl_body *body, uint32_t tag, struct wl_list *values);

/** A reference to a type that is there. */
static inline wl_type wl_ref_of(const struct wl_body *body, uint32_t index, bool null)
{
  return wl_ref(wl_definition(body->module, index)->canonical, null);
}

/** Stack switching. */
bool wl_check_cont_new(struct wl_body *body);
bool wl_check_cont_bind(struct wl_body *body);
bool wl_check_suspend(struct wl_body *body);
bool wl_check_resume(struct wl_body *body);
bool wl_check_resume_throw(struct wl_body *body);
bool wl_check_resume_throw_ref(struct wl_body *body);
bool wl_check_switch(struct wl_body *body);

#endif
