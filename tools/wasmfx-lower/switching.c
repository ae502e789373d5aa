/* SPDX-License-Identifier: Apache-2.0 */
/* The typing rules of stack switching. A continuation type is written [t1*] -> [t2*] here, as its function type is. */
#include <inttypes.h>

#include "rules.h"

static const struct wl_list nothing = { NULL, 0 };

static struct wl_list part(struct wl_list list, uint32_t begin, uint32_t end)
{
  return begin == end ? nothing : (struct wl_list){ list.types + begin, end - begin };
}

static bool find_cont(struct wl_body *body, uint32_t index, struct wl_signature *signature)
{
  if (index >= body->module->definitions.count)
    return wl_invalid(body, "unknown type %" PRIu32, index);
  const struct wl_definition *definition = wl_definition(body->module, index);
  if (definition->form != WL_CONT_FORM)
    return wl_invalid(body, "non-continuation type %" PRIu32, index);
  return wl_function_of_type(body, definition->first, signature);
}

/* The last of a list, which has to be a reference to a continuation of a type that says what it takes and gives. */
static bool find_last_cont(struct wl_body *body, struct wl_list list, const char *where, struct wl_signature *signature)
{
  char text[160] = "";
  const wl_type last = list.count ? list.types[list.count - 1] : WL_BOTTOM;
  if (wl_is_ref(last) && wl_is_index(wl_heap(last)))
    return find_cont(body, wl_heap(last), signature);
  wl_append_list(text, sizeof text, list);
  return wl_invalid(body, "type mismatch: instruction requires concrete continuation reference type but %s has %s",
                    where, text);
}

static bool check_conts_match(struct wl_body *body, const char *where, struct wl_signature sub,
                              struct wl_signature super)
{
  if (!wl_lists_match(body->module, super.params, sub.params))
    return wl_list_mismatch(body, where, sub.params, super.params);
  if (!wl_lists_match(body->module, sub.results, super.results))
    return wl_list_mismatch(body, where, super.results, sub.results);
  return true;
}

/* ---- Making them --------------------------------------------------------------------------------- */

bool wl_check_cont_new(struct wl_body *body)
{
  struct wl_signature cont = { .params = { NULL, 0 } };
  if (!find_cont(body, body->now.x, &cont))
    return false;
  const uint32_t function = wl_definition(body->module, body->now.x)->first;
  return wl_pop(body, wl_ref_of(body, function, true)) && wl_push(body, wl_ref_of(body, body->now.x, false));
}

/* What is bound is a prefix of the parameters: what the second type does not have. */
bool wl_check_cont_bind(struct wl_body *body)
{
  struct wl_signature from = { .params = { NULL, 0 } }, to = from;
  if (!find_cont(body, body->now.x, &from) || !find_cont(body, body->now.y, &to))
    return false;
  if (from.params.count < to.params.count)
    return wl_list_mismatch(body, " in continuation arguments", from.params, to.params);
  const uint32_t bound = from.params.count - to.params.count;
  const struct wl_signature rest = { part(from.params, bound, from.params.count), from.results };
  return check_conts_match(body, " in continuation types", rest, to) &&
         wl_pop(body, wl_ref_of(body, body->now.x, true)) && wl_pop_list(body, part(from.params, 0, bound)) &&
         wl_push(body, wl_ref_of(body, body->now.y, false));
}

/* ---- Handlers -------------------------------------------------------------------------------- */

/* (on $e $l), $e: [t1*] -> [t2*]: the label takes t1* and a continuation that takes t2* and gives `results`. */
static bool check_on_label(struct wl_body *body, struct wl_clause clause, struct wl_signature tag,
                           struct wl_list results)
{
  struct wl_list label = nothing;
  struct wl_signature cont = { .params = { NULL, 0 } };
  if (!wl_label(body, clause.label, &label) || !find_last_cont(body, label, "label", &cont))
    return false;
  const struct wl_list payload = part(label, 0, label.count - 1);
  if (!wl_lists_match(body->module, tag.params, payload))
    return wl_list_mismatch(body, " in what a handler takes", payload, tag.params);
  return check_conts_match(body, " in continuation type", (struct wl_signature){ tag.results, results }, cont);
}

/* (on $e switch), $e: [] -> [t*]: just what the resume gives, since one that switches away may be resumed elsewhere. */
static bool check_on_switch(struct wl_body *body, struct wl_signature tag, struct wl_list results)
{
  if (tag.params.count)
    return wl_list_mismatch(body, " in switch tag", nothing, tag.params);
  if (wl_lists_match(body->module, tag.results, results) && wl_lists_match(body->module, results, tag.results))
    return true;
  return wl_list_mismatch(body, " in the results of a switch tag", results, tag.results);
}

static bool check_handlers(struct wl_body *body, struct wl_list results)
{
  struct wl_cursor handlers = wl_cursor_at(body->module, body->now.list, body->cursor.end);
  for (uint32_t i = 0; i < body->now.count; i++) {
    const struct wl_clause clause = wl_next_handler(&handlers);
    struct wl_signature tag = { .params = { NULL, 0 } };
    if (!wl_signature_of_tag(body, clause.tag, &tag))
      return false;
    if (clause.kind == WL_ON_SWITCH) {
      if (!check_on_switch(body, tag, results))
        return false;
    } else if (!check_on_label(body, clause, tag, results)) {
      return false;
    }
  }
  return true;
}

/* ---- Using them ------------------------------------------------------------------------------ */

bool wl_check_suspend(struct wl_body *body)
{
  struct wl_signature tag = { .params = { NULL, 0 } };
  return wl_signature_of_tag(body, body->now.x, &tag) && wl_apply(body, tag.params, tag.results);
}

static bool find_resumed(struct wl_body *body, struct wl_signature *cont)
{
  return find_cont(body, body->now.x, cont) && check_handlers(body, cont->results) &&
         wl_pop(body, wl_ref_of(body, body->now.x, true));
}

bool wl_check_resume(struct wl_body *body)
{
  struct wl_signature cont = { .params = { NULL, 0 } };
  return find_resumed(body, &cont) && wl_apply(body, cont.params, cont.results);
}

bool wl_check_resume_throw(struct wl_body *body)
{
  struct wl_signature cont = { .params = { NULL, 0 } };
  struct wl_list values = nothing;
  return wl_exception(body, body->now.y, &values) && find_resumed(body, &cont) && wl_apply(body, values, cont.results);
}

bool wl_check_resume_throw_ref(struct wl_body *body)
{
  struct wl_signature cont = { .params = { NULL, 0 } };
  return find_resumed(body, &cont) && wl_pop(body, wl_ref(WL_EXN, true)) && wl_push_list(body, cont.results);
}

/* switch $ct1 $e, $ct1: [t1* (ref null? $ct2)] -> [te1*], $ct2: [t2*] -> [te2*], $e: [] -> [t*], te1* <: t* <: te2*. */
bool wl_check_switch(struct wl_body *body)
{
  struct wl_signature target = { .params = { NULL, 0 } }, self = target, tag = target;
  if (!find_cont(body, body->now.x, &target) || !wl_signature_of_tag(body, body->now.y, &tag) ||
      !find_last_cont(body, target.params, "the type annotation", &self))
    return false;
  if (tag.params.count)
    return wl_list_mismatch(body, " in switch tag", nothing, tag.params);
  if (!wl_lists_match(body->module, target.results, tag.results))
    return wl_list_mismatch(body, " in continuation types", tag.results, target.results);
  if (!wl_lists_match(body->module, tag.results, self.results))
    return wl_list_mismatch(body, " in continuation types", self.results, tag.results);
  return wl_pop(body, wl_ref_of(body, body->now.x, true)) &&
         wl_pop_list(body, part(target.params, 0, target.params.count - 1)) && wl_push_list(body, self.params);
}
