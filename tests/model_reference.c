/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each verb does to the lists of links. Read the second half first: one
 * function for each verb, in the words of the specification; checks in the
 * order null, consumed, arity, types, handler, and only then changes.
 */
#include "model_reference.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- Lists of kinds --------------------------------------------------------------- */

static wasmfx_kind_t kind_of(char letter)
{
  switch (letter) {
  case 'i': return WASMFX_I32;
  case 'l': return WASMFX_I64;
  case 'f': return WASMFX_F32;
  case 'd': return WASMFX_F64;
  case 'v': return WASMFX_V128;
  case 'e': return WASMFX_EXTERNREF;
  case 'c': return WASMFX_CONTREF;
  }
  abort();
}

static struct model_list list_of(const char *letters, size_t count)
{
  struct model_list list = { .count = count };
  assert(count <= MODEL_MAX_VALUES);
  for (size_t i = 0; i < count; i++)
    list.kinds[i] = kind_of(letters[i]);
  return list;
}

struct model_type model_type_of(const char *signature)
{
  const size_t params = strcspn(signature, ":");
  const char *results = signature + params + 1;
  return (struct model_type){ list_of(signature, params), list_of(results, strlen(results)) };
}

bool model_same_list(const struct model_list *a, const struct model_list *b)
{
  return a->count == b->count && memcmp(a->kinds, b->kinds, a->count * sizeof *a->kinds) == 0;
}

static bool is_word(const wasmfx_kind_t *kinds, size_t count)
{
  return count == 0 || (count == 1 && kinds[0] != WASMFX_V128);
}

bool model_is_word(const struct model_list *list)
{
  return is_word(list->kinds, list->count);
}

bool model_ends_with_cont(const struct model_list *list)
{
  return list->count && list->kinds[list->count - 1] == WASMFX_CONTREF;
}

bool model_wakes_by_word(const struct model_list *list)
{
  return is_word(list->kinds, list->count - model_ends_with_cont(list));
}

/* ---- The stores of links and references ---------------------------------------------- */

static struct model_link *make_link(struct model *m, enum model_link_kind kind)
{
  while (m->links[m->next_link].in_use)
    m->next_link = (m->next_link + 1) % MODEL_MAX_LINKS;
  struct model_link *link = &m->links[m->next_link];
  m->next_link = (m->next_link + 1) % MODEL_MAX_LINKS;
  link->kind = kind;
  link->number = m->links_born++;
  link->host_word = NULL;
  link->is_host_call = link->on_host_stack = false;
  link->in_use = true;
  return link;
}

/* A continuation dies, a barrier or root is closed. */
static void end_link(struct model *m, struct model_link *link)
{
  if (link->kind == MODEL_CONT) {
    m->conts_live--;
    m->stacks_used -= !link->is_fresh;
    m->words_died += link->host_word != NULL;
    m->words_sum += (uintptr_t)link->host_word;
  }
  link->in_use = false;
}

/* The longest dead entry: references die for ever, but only so many of the dead can be remembered. */
static struct model_reference *spare_reference(struct model *m)
{
  if (m->reference_count < MODEL_MAX_REFERENCES)
    return &m->references[m->reference_count++];
  while (m->references[m->oldest].is_alive)
    m->oldest = (m->oldest + 1) % MODEL_MAX_REFERENCES;
  struct model_reference *reference = &m->references[m->oldest];
  m->oldest = (m->oldest + 1) % MODEL_MAX_REFERENCES;
  return reference;
}

/* A new reference to a chain. */
static struct model_reference *mint(struct model *m, struct model_link *const *chain, size_t length)
{
  struct model_reference *reference = spare_reference(m);
  reference->number = m->references_born++;
  reference->value = WASMFX_NULL_CONT;
  reference->is_alive = true;
  reference->length = length;
  memmove(reference->chain, chain, length * sizeof *chain);
  reference->place = m->live_count;
  m->live[m->live_count++] = reference;
  return reference;
}

/* A reference dies; what it referred to goes on. */
static void consume(struct model *m, struct model_reference *reference)
{
  struct model_reference *last = m->live[--m->live_count];
  last->place = reference->place;
  m->live[last->place] = last;
  reference->is_alive = false;
}

/* ---- The running list ---------------------------------------------------------------- */

struct model_link *model_top(const struct model *m)
{
  return m->running[m->running_count - 1];
}

struct model_link *model_body(const struct model *m)
{
  size_t place = m->running_count - 1;
  while (m->running[place]->kind == MODEL_BARRIER || m->running[place]->kind == MODEL_CALL)
    place--;
  return m->running[place];
}

/* Where a link is in the running list, counted from 1; 0: nowhere. */
static size_t place_of(const struct model *m, uint64_t number)
{
  size_t place = m->running_count;
  while (place && m->running[place - 1]->number != number)
    place--;
  return place;
}

struct model_link *model_stack_owner(const struct model *m, const struct model_link *link)
{
  struct model_link *owner = NULL;
  for (size_t i = 0; i < m->running_count; i++) {
    if (m->running[i]->kind == MODEL_CONT)
      owner = m->running[i];
    if (m->running[i]->on_host_stack)
      owner = NULL;
    if (m->running[i] == link)
      return owner;
  }
  return NULL;
}

struct model_link *model_function_of(const struct model *m, const struct model_link *link)
{
  struct model_link *function = NULL;
  for (size_t i = 0; i < m->running_count; i++) {
    if (m->running[i]->kind == MODEL_CONT || m->running[i]->kind == MODEL_CALL || m->running[i]->is_host_call)
      function = m->running[i];
    if (m->running[i] == link)
      return function;
  }
  return NULL;
}

bool model_may_resume(const struct model *m, const struct model_reference *cont)
{
  return m->depth + cont->length <= MODEL_MAX_DEPTH;
}

bool model_may_enter(const struct model *m)
{
  return m->scopes_open < MODEL_MAX_SCOPES;
}

bool model_may_make(const struct model *m)
{
  return m->conts_live < MODEL_MAX_LINKS - MODEL_MAX_SCOPES - 1 && m->live_count < MODEL_MAX_REFERENCES / 2;
}

bool model_may_call_on_host_stack(const struct model *m)
{
  const struct model_link *body = model_body(m);
  bool is_there = body->kind == MODEL_ROOT;
  for (size_t i = place_of(m, body->number); i < m->running_count; i++)
    is_there = is_there || m->running[i]->is_host_call;
  return !is_there && model_may_enter(m);
}

size_t model_depth(const struct model *m)
{
  size_t depth = 0;
  for (size_t i = m->running_count; m->running[--i]->kind != MODEL_ROOT;)
    depth += m->running[i]->kind == MODEL_CONT;
  return depth;
}

static void push(struct model *m, struct model_link *link)
{
  assert(m->running_count < MODEL_MAX_RUNNING);
  m->running[m->running_count++] = link;
  m->depth += link->kind == MODEL_CONT;
  m->scopes_open += link->kind != MODEL_CONT;
}

static struct model_link *pop(struct model *m)
{
  struct model_link *link = m->running[--m->running_count];
  m->depth -= link->kind == MODEL_CONT;
  m->scopes_open -= link->kind != MODEL_CONT;
  return link;
}

/* Ends all links from `place` on. Answers how many continuations died. */
static size_t cut(struct model *m, size_t place)
{
  size_t died = 0;
  while (m->running_count > place) {
    struct model_link *link = pop(m);
    died += link->kind == MODEL_CONT;
    end_link(m, link);
  }
  return died;
}

/* Takes all links from `place` on off the list, as the chain of a new reference. The innermost one awaits `wait`. */
static struct model_reference *capture(struct model *m, size_t place, const struct model_list *wait)
{
  struct model_link *innermost = model_top(m);
  innermost->awaits = *wait;
  innermost->bound = 0;
  const size_t length = m->running_count - place;
  m->captures++;
  m->deep_captures += length > 1;
  while (m->running_count > place)
    pop(m);
  return mint(m, m->running + place, length);
}

/* Puts the chain of a reference on the list, under a resume with `handlers`; consumes the reference. */
static void reinstate(struct model *m, struct model_reference *cont, const struct model_table *handlers)
{
  consume(m, cont);
  cont->chain[0]->handlers = handlers;
  cont->chain[0]->cancelling.active = false;
  for (size_t i = 0; i < cont->length; i++)
    push(m, cont->chain[i]);
  if (m->depth > m->longest)
    m->longest = m->depth;
}

static struct model_link *innermost(const struct model_reference *cont)
{
  return cont->chain[cont->length - 1];
}

/* The results of a chain are those of its outermost continuation. */
static const struct model_list *results_of(const struct model_reference *cont)
{
  return &cont->chain[0]->type->results;
}

/* What a continuation still waits for. */
static struct model_list remaining(const struct model_reference *cont)
{
  const struct model_link *link = innermost(cont);
  struct model_list list = { .count = link->awaits.count - link->bound };
  memcpy(list.kinds, link->awaits.kinds + link->bound, list.count * sizeof *list.kinds);
  return list;
}

/* ---- The search for a handler ---------------------------------------------------------- */

/* A suspension may come to a label, or to a handler that is called. */
static bool is_for(enum wasmfx_clause_kind clause, enum wasmfx_clause_kind kind)
{
  return (clause == WASMFX_ON_SWITCH) == (kind == WASMFX_ON_SWITCH);
}

/* The first clause that matches wins; a clause of the other kind is none. */
static bool has_clause(const struct model_table *handlers, const struct model_tag *tag, enum wasmfx_clause_kind kind,
                       uint32_t *clause)
{
  for (size_t i = 0; handlers && i < handlers->count; i++) {
    if (handlers->clauses[i].tag == tag && is_for(handlers->clauses[i].kind, kind)) {
      *clause = (uint32_t)i;
      return true;
    }
  }
  return false;
}

/* A cancel handles each suspension, whatever the tag. */
static bool handles(const struct model_link *link, const struct model_tag *tag, enum wasmfx_clause_kind kind,
                    uint32_t *clause)
{
  *clause = 0;
  if (link->cancelling.active)
    return true;
  return has_clause(link->handlers, tag, kind, clause);
}

/* Innermost first. Answers the place of the continuation that the handling resume started. */
static wasmfx_status_t search(const struct model *m, const struct model_tag *tag, enum wasmfx_clause_kind kind,
                              size_t *place, uint32_t *clause)
{
  for (*place = m->running_count; (*place)-- > 0;) {
    const struct model_link *link = m->running[*place];
    if (link->kind == MODEL_ROOT)
      return WASMFX_TRAP_UNHANDLED;
    if (link->kind == MODEL_BARRIER || link->kind == MODEL_CALL)
      return WASMFX_TRAP_BARRIER;
    if (link->cancelling.active && kind == WASMFX_ON_SWITCH)
      return WASMFX_TRAP_UNHANDLED; /* who cancels is not captured */
    if (handles(link, tag, kind, clause))
      return WASMFX_OK;
  }
  abort(); /* the first link is a root */
}

wasmfx_status_t model_search(const struct model *m, const struct model_tag *tag, enum wasmfx_clause_kind kind)
{
  size_t place;
  uint32_t clause;
  return search(m, tag, kind, &place, &clause);
}

static bool is_call(const struct model_link *link, uint32_t clause)
{
  return !link->cancelling.active && link->handlers->clauses[clause].kind != WASMFX_ON_LABEL;
}

bool model_calls(const struct model *m, const struct model_tag *tag)
{
  size_t place;
  uint32_t clause;
  return search(m, tag, WASMFX_ON_LABEL, &place, &clause) == WASMFX_OK && is_call(m->running[place], clause);
}

const struct model_list *model_promised(const struct model *m, const struct model_tag *tag)
{
  size_t place;
  uint32_t clause;
  if (search(m, tag, WASMFX_ON_SWITCH, &place, &clause) != WASMFX_OK)
    return NULL;
  return &m->running[place]->type->results;
}

/* ---- Landings ------------------------------------------------------------------------- */

/* Who has control now finds `status`, and so far nothing else. */
static struct model_landing *land(struct model *m, wasmfx_status_t status, enum model_variable variable)
{
  static const struct model_list nothing = { 0 };
  struct model_landing *landing = &m->landing;
  landing->receiver = model_top(m);
  landing->enters = false;
  landing->is_woken = false;
  landing->status = status;
  landing->handler = 0;
  landing->list = &nothing;
  landing->minted = NULL;
  landing->variable = variable;
  return landing;
}

/* A failing call leaves the world as it was. */
static struct model_landing *fail(struct model *m, wasmfx_status_t status)
{
  return land(m, status, MODEL_VARIABLE_UNTOUCHED);
}

static void carry(struct model_landing *landing, const struct model_list *list, const wasmfx_value_t *values)
{
  landing->list = list;
  if (list->count)
    memcpy(landing->values, values, list->count * sizeof *values);
}

/*
 * The innermost continuation of the chain that was just reinstated goes on with
 * all that it awaits: what was bound, then `values`, and at last, after a
 * switch, the reference to who switched.
 */
static const struct model_landing *wake(struct model *m, const wasmfx_value_t *values, size_t count,
                                        struct model_reference *switched_from)
{
  struct model_link *link = model_top(m);
  struct model_landing *landing = land(m, WASMFX_RETURNED, MODEL_VARIABLE_NULL);
  landing->enters = link->is_fresh;
  landing->is_woken = true;
  landing->list = &link->awaits;
  memcpy(landing->values, link->prefix, link->bound * sizeof *values);
  if (count)
    memcpy(landing->values + link->bound, values, count * sizeof *values);
  landing->minted = switched_from;
  if (model_ends_with_cont(&link->awaits))
    landing->variable = switched_from ? MODEL_VARIABLE_MINTED : MODEL_VARIABLE_SENT;
  m->stacks_used += link->is_fresh;
  link->is_fresh = false;
  return landing;
}

/* An exception arrives at who has control. */
static const struct model_landing *raise_here(struct model *m, const struct model_exception *exception)
{
  struct model_landing *landing = land(m, WASMFX_THREW, MODEL_VARIABLE_NULL);
  landing->exception = *exception;
  return landing;
}

/* What ends with the running continuation: if a handler runs there in place, all that it handles. */
static const struct model_link *outermost_to_end(const struct model *m)
{
  const struct model_link *body = model_body(m);
  for (size_t i = place_of(m, body->number); i < m->running_count; i++)
    if (m->running[i]->kind == MODEL_CALL)
      return m->running[place_of(m, m->running[i]->handled) - 1];
  return body;
}

/* A continuation dies with the scopes that it opened; its resume answers. */
static struct model_landing *end_body(struct model *m, const struct model_link *body, wasmfx_status_t status)
{
  cut(m, place_of(m, body->number) - 1);
  return land(m, status, MODEL_VARIABLE_NULL);
}

/* ---- The checks that every consumer begins with ------------------------------------------ */

static wasmfx_status_t check_alive(const struct model_reference *cont)
{
  if (!cont)
    return WASMFX_TRAP_NULL_CONT;
  return cont->is_alive ? WASMFX_OK : WASMFX_TRAP_CONSUMED;
}

static wasmfx_status_t check_arity(const struct model_reference *cont, size_t count)
{
  const wasmfx_status_t status = check_alive(cont);
  if (status != WASMFX_OK)
    return status;
  return count == model_arity(cont) ? WASMFX_OK : WASMFX_ERROR_ARITY;
}

/* Exceptions have no way back: their tags have no results. */
static wasmfx_status_t check_exception(const struct model_exception *exception)
{
  if (exception->count != exception->tag->type.params.count)
    return WASMFX_ERROR_ARITY;
  return exception->tag->type.results.count ? WASMFX_ERROR_TYPE : WASMFX_OK;
}

/* ---- The verbs: making and looking -------------------------------------------------------- */

void model_init(struct model *m)
{
  memset(m, 0, sizeof *m);
  push(m, make_link(m, MODEL_ROOT));
}

const struct model_landing *model_new(struct model *m, const struct model_type *type)
{
  struct model_link *link = make_link(m, MODEL_CONT);
  link->is_fresh = true;
  link->type = type;
  link->awaits = type->params;
  link->bound = 0;
  m->conts_created++;
  m->conts_live++;
  struct model_reference *minted = mint(m, &link, 1);
  struct model_landing *landing = land(m, WASMFX_OK, MODEL_VARIABLE_MINTED);
  landing->minted = minted;
  return landing;
}

/* Binds a prefix; the rest must be what `to` asks for. */
const struct model_landing *model_bind(struct model *m, struct model_reference *cont, const struct model_type *to,
                                       const wasmfx_value_t *values, size_t count)
{
  const wasmfx_status_t status = check_alive(cont);
  if (status != WASMFX_OK)
    return fail(m, status);
  if (count > model_arity(cont))
    return fail(m, WASMFX_ERROR_ARITY);
  struct model_link *link = innermost(cont);
  link->bound += count;
  const struct model_list rest = remaining(cont);
  if (to && !(model_same_list(&rest, &to->params) && model_same_list(results_of(cont), &to->results))) {
    link->bound -= count;
    return fail(m, WASMFX_ERROR_TYPE);
  }
  if (count)
    memcpy(link->prefix + link->bound - count, values, count * sizeof *values);
  consume(m, cont);
  struct model_reference *minted = mint(m, cont->chain, cont->length);
  struct model_landing *landing = land(m, WASMFX_OK, MODEL_VARIABLE_MINTED);
  landing->minted = minted;
  return landing;
}

enum wasmfx_state model_state(const struct model_reference *cont)
{
  if (!cont)
    return WASMFX_STATE_NULL;
  if (!cont->is_alive)
    return WASMFX_STATE_CONSUMED;
  return innermost(cont)->is_fresh ? WASMFX_STATE_FRESH : WASMFX_STATE_SUSPENDED;
}

size_t model_arity(const struct model_reference *cont)
{
  return cont && cont->is_alive ? remaining(cont).count : 0;
}

bool model_awaits_cont(const struct model_reference *cont)
{
  if (!cont || !cont->is_alive)
    return false;
  const struct model_list rest = remaining(cont);
  return model_ends_with_cont(&rest);
}

void **model_host_word_of(const struct model_reference *cont)
{
  return cont && cont->is_alive ? &innermost(cont)->host_word : NULL;
}

/* ---- The verbs: resuming -------------------------------------------------------------------- */

const struct model_landing *model_resume(struct model *m, struct model_reference *cont,
                                         const struct model_table *handlers, const wasmfx_value_t *values,
                                         size_t count)
{
  const wasmfx_status_t status = check_arity(cont, count);
  if (status != WASMFX_OK)
    return fail(m, status);
  reinstate(m, cont, handlers);
  return wake(m, values, count, NULL);
}

/* The word form: for one value or none, but not for a contref, which only switch can send beside a word. */
const struct model_landing *model_resume_word(struct model *m, struct model_reference *cont,
                                              const struct model_table *handlers, uint64_t word)
{
  const wasmfx_status_t status = check_alive(cont);
  if (status != WASMFX_OK)
    return fail(m, status);
  const struct model_list list = remaining(cont);
  if (!model_is_word(&list) || model_ends_with_cont(&list))
    return fail(m, WASMFX_ERROR_ARITY);
  const wasmfx_value_t value = { .word = word };
  return model_resume(m, cont, handlers, &value, list.count);
}

/* The body of a fresh one never runs: it dies at once, and the exception appears at the caller. */
static const struct model_landing *throw_into(struct model *m, struct model_reference *cont,
                                              const struct model_table *handlers,
                                              const struct model_exception *exception)
{
  reinstate(m, cont, handlers);
  if (model_top(m)->is_fresh)
    cut(m, m->running_count - 1);
  return raise_here(m, exception);
}

const struct model_landing *model_resume_throw(struct model *m, struct model_reference *cont,
                                               const struct model_table *handlers,
                                               const struct model_exception *exception)
{
  wasmfx_status_t status = check_alive(cont);
  if (status == WASMFX_OK)
    status = exception ? check_exception(exception) : WASMFX_TRAP_NULL_EXCEPTION;
  if (status != WASMFX_OK)
    return fail(m, status);
  return throw_into(m, cont, handlers, exception);
}

/* ---- The verbs: suspending -------------------------------------------------------------------- */

/* A suspension has reached a cancel: that throws again or, if that was the last attempt, drops what it has. */
static const struct model_landing *cancel_again(struct model *m, size_t place)
{
  struct model_cancelling *cancelling = &m->running[place]->cancelling;
  if (cancelling->attempts_left == 0) {
    cut(m, place);
    return land(m, WASMFX_SUSPENDED, MODEL_VARIABLE_NULL);
  }
  cancelling->attempts_left--;
  return raise_here(m, &cancelling->exception);
}

/* The handler runs on top of who suspends, who waits for it. */
static const struct model_landing *call(struct model *m, size_t place, const struct model_tag *tag,
                                        const wasmfx_value_t *values)
{
  const uint64_t handled = m->running[place]->number;
  m->calls++;
  m->deep_calls += place + 1 < m->running_count;
  struct model_link *link = make_link(m, MODEL_CALL);
  link->tag = tag;
  link->handled = handled;
  push(m, link);
  struct model_landing *landing = land(m, WASMFX_RETURNED, MODEL_VARIABLE_NULL);
  landing->enters = true;
  carry(landing, &tag->type.params, values);
  return landing;
}

const struct model_landing *model_answer(struct model *m, const struct model_link *call, const wasmfx_value_t *results)
{
  const struct model_tag *tag = call->tag;
  const bool is_clean = model_top(m) == call;
  cut(m, place_of(m, call->number) - 1);
  if (!is_clean)
    return fail(m, WASMFX_ERROR_STATE);
  struct model_landing *landing =
    land(m, WASMFX_RETURNED, model_ends_with_cont(&tag->type.results) ? MODEL_VARIABLE_SENT : MODEL_VARIABLE_NULL);
  landing->is_woken = true;
  carry(landing, &tag->type.results, results);
  return landing;
}

/* Captures all from here up to the innermost resume with a clause for `tag`; that one answers, if it is a label. */
const struct model_landing *model_suspend(struct model *m, const struct model_tag *tag, const wasmfx_value_t *values,
                                          size_t count)
{
  size_t place;
  uint32_t clause;
  if (count != tag->type.params.count)
    return fail(m, WASMFX_ERROR_ARITY);
  const wasmfx_status_t status = search(m, tag, WASMFX_ON_LABEL, &place, &clause);
  if (status != WASMFX_OK)
    return fail(m, status);
  if (m->running[place]->cancelling.active)
    return cancel_again(m, place);
  if (is_call(m->running[place], clause))
    return call(m, place, tag, values);

  struct model_reference *minted = capture(m, place, &tag->type.results);
  struct model_landing *landing = land(m, WASMFX_SUSPENDED, MODEL_VARIABLE_MINTED);
  landing->handler = clause;
  landing->minted = minted;
  carry(landing, &tag->type.params, values);
  return landing;
}

const struct model_landing *model_suspend_word(struct model *m, const struct model_tag *tag, uint64_t word)
{
  const wasmfx_value_t value = { .word = word };
  if (!model_is_word(&tag->type.params))
    return fail(m, WASMFX_ERROR_ARITY);
  return model_suspend(m, tag, &value, tag->type.params.count);
}

/*
 * Captures as suspend does, up to a switch clause, and puts the target there
 * instead: the resume with the clause now runs the target, under the same table.
 */
const struct model_landing *model_switch(struct model *m, struct model_reference *cont, const struct model_tag *tag,
                                         const struct model_list *wait, const wasmfx_value_t *values, size_t count)
{
  size_t place;
  uint32_t clause;
  wasmfx_status_t status = check_arity(cont, count + 1);
  if (status != WASMFX_OK)
    return fail(m, status);
  if (!model_awaits_cont(cont))
    return fail(m, WASMFX_ERROR_ARITY);
  status = search(m, tag, WASMFX_ON_SWITCH, &place, &clause);
  if (status != WASMFX_OK)
    return fail(m, status);
  const struct model_list *promised = &m->running[place]->type->results;
  if (!model_same_list(promised, &tag->type.results) || !model_same_list(promised, results_of(cont)))
    return fail(m, WASMFX_ERROR_TYPE);

  const struct model_table *handlers = m->running[place]->handlers;
  struct model_reference *minted = capture(m, place, wait);
  reinstate(m, cont, handlers);
  return wake(m, values, count, minted);
}

const struct model_landing *model_switch_word(struct model *m, struct model_reference *cont,
                                              const struct model_tag *tag, const struct model_list *wait,
                                              uint64_t word)
{
  const wasmfx_status_t status = check_alive(cont);
  if (status != WASMFX_OK)
    return fail(m, status);
  const struct model_list list = remaining(cont);
  if (!model_ends_with_cont(&list) || !model_wakes_by_word(&list))
    return fail(m, WASMFX_ERROR_ARITY);
  const wasmfx_value_t value = { .word = word };
  return model_switch(m, cont, tag, wait, &value, list.count - 1);
}

/* ---- The verbs: ending ---------------------------------------------------------------------------- */

const struct model_landing *model_return(struct model *m, const wasmfx_value_t *results)
{
  const struct model_link *body = model_stack_owner(m, model_top(m));
  const struct model_type *type = body->type;
  struct model_landing *landing = end_body(m, body, WASMFX_RETURNED);
  carry(landing, &type->results, results);
  return landing;
}

const struct model_landing *model_throw(struct model *m, const struct model_exception *exception)
{
  if (model_body(m)->kind == MODEL_ROOT)
    return fail(m, WASMFX_ERROR_STATE);
  const wasmfx_status_t status = check_exception(exception);
  if (status != WASMFX_OK)
    return fail(m, status);
  end_body(m, outermost_to_end(m), WASMFX_THREW);
  return raise_here(m, exception);
}

const struct model_landing *model_trap(struct model *m, int64_t code)
{
  if (model_body(m)->kind == MODEL_ROOT)
    return fail(m, WASMFX_ERROR_STATE);
  struct model_landing *landing = end_body(m, outermost_to_end(m), WASMFX_TRAPPED);
  landing->code = code;
  return landing;
}

/* Nothing of the chain runs any more. */
const struct model_landing *model_drop(struct model *m, struct model_reference *cont)
{
  const wasmfx_status_t status = check_alive(cont);
  if (status != WASMFX_OK)
    return fail(m, status);
  consume(m, cont);
  for (size_t i = 0; i < cont->length; i++)
    end_link(m, cont->chain[i]);
  return land(m, WASMFX_OK, MODEL_VARIABLE_NULL);
}

/* A resume_throw that is repeated at each suspension: cancel_again() is the rest of it. */
const struct model_landing *model_cancel(struct model *m, struct model_reference *cont,
                                         const struct model_exception *exception, size_t attempts)
{
  wasmfx_status_t status = check_alive(cont);
  if (status == WASMFX_OK)
    status = exception ? check_exception(exception) : WASMFX_TRAP_NULL_EXCEPTION;
  if (status != WASMFX_OK)
    return fail(m, status);
  struct model_link *outermost = cont->chain[0];
  const struct model_landing *landing = throw_into(m, cont, NULL, exception);
  /* If it was fresh it is dead by now, and nobody looks at this. */
  outermost->cancelling.active = true;
  outermost->cancelling.attempts_left = attempts ? attempts - 1 : SIZE_MAX;
  outermost->cancelling.exception = *exception;
  return landing;
}

/* ---- Collecting -------------------------------------------------------------------------------------- */

/* The live references by value, and those of them that are reached and not yet looked into. */
struct reach {
  struct model_reference *by_value[MODEL_MAX_REFERENCES], *waiting[MODEL_MAX_REFERENCES];
  size_t count, waiting_count;
  wasmfx_cont_t (*also)(const struct model_link *link);
};

static int compare_values(const void *a, const void *b)
{
  const struct model_reference *const *x = a, *const *y = b;
  return ((*x)->value > (*y)->value) - ((*x)->value < (*y)->value);
}

static void reach_word(struct reach *reach, wasmfx_cont_t value)
{
  struct model_reference key = { .value = value }, *wanted = &key;
  struct model_reference **found =
    bsearch(&wanted, reach->by_value, reach->count, sizeof *reach->by_value, compare_values);
  if (!found || (*found)->is_reached)
    return;
  (*found)->is_reached = true;
  reach->waiting[reach->waiting_count++] = *found;
}

static void reach_link(struct reach *reach, const struct model_link *link, bool has_stack)
{
  if (link->kind == MODEL_CONT || link->kind == MODEL_ROOT)
    reach_word(reach, (uintptr_t)link->host_word);
  if (has_stack && reach->also)
    reach_word(reach, reach->also(link));
}

static void reach_chain(struct reach *reach, const struct model_reference *cont)
{
  const struct model_link *last = innermost(cont);
  for (size_t i = 0; i < cont->length; i++)
    reach_link(reach, cont->chain[i], !cont->chain[i]->is_fresh);
  for (size_t i = 0; i < last->bound; i++) {
    wasmfx_cont_t halves[2];
    memcpy(halves, &last->prefix[i], sizeof halves);
    reach_word(reach, halves[0]);
    reach_word(reach, halves[1]);
  }
}

void model_reach(struct model *m, const wasmfx_cont_t *roots, size_t root_count,
                 wasmfx_cont_t (*also)(const struct model_link *link))
{
  static struct reach reach;
  reach.count = m->live_count;
  reach.waiting_count = 0;
  reach.also = also;
  memcpy(reach.by_value, m->live, m->live_count * sizeof *m->live);
  qsort(reach.by_value, reach.count, sizeof *reach.by_value, compare_values);
  for (size_t i = 0; i < reach.count; i++)
    reach.by_value[i]->is_reached = false;
  for (size_t i = 0; i < root_count; i++)
    reach_word(&reach, roots[i]);
  for (size_t i = 0; i < m->running_count; i++)
    reach_link(&reach, m->running[i], model_stack_owner(m, m->running[i]) != NULL);
  while (reach.waiting_count)
    reach_chain(&reach, reach.waiting[--reach.waiting_count]);
}

/* ---- Roots, barriers, marks -------------------------------------------------------------------------- */

struct model_link *model_enter(struct model *m, enum model_link_kind kind)
{
  struct model_link *scope = make_link(m, kind);
  scope->host_word = model_body(m)->host_word;
  push(m, scope);
  return scope;
}

struct model_link *model_call_on_host_stack(struct model *m, bool stays)
{
  struct model_link *link = model_enter(m, MODEL_BARRIER);
  link->is_host_call = true;
  link->on_host_stack = !stays;
  return link;
}

/* Only the innermost link may be closed. */
wasmfx_status_t model_leave(struct model *m, const struct model_link *scope)
{
  if (model_top(m) != scope)
    return WASMFX_ERROR_STATE;
  cut(m, m->running_count - 1);
  return WASMFX_OK;
}

void model_mark(const struct model *m, struct model_mark *mark)
{
  mark->body = model_body(m)->number;
  mark->scope_count = 0;
  for (size_t i = place_of(m, mark->body); i < m->running_count; i++)
    mark->scopes[mark->scope_count++] = m->running[i]->number;
}

/* What ran at the mark must be running or waiting, and each barrier that it had open must still be. How much stays of
 * the running list then: all up to the innermost of these; 0 if it cannot be. */
static size_t kept_by(const struct model *m, const struct model_mark *mark)
{
  size_t kept = place_of(m, mark->body);
  for (size_t i = 0; kept && i < mark->scope_count; i++) {
    const size_t place = place_of(m, mark->scopes[i]);
    if (place == 0)
      return 0;
    if (place > kept)
      kept = place;
  }
  return kept;
}

wasmfx_status_t model_may_unwind(const struct model *m, const struct model_mark *mark,
                                 const struct model_link *caller)
{
  const size_t kept = kept_by(m, mark);
  if (kept == 0 || (caller && place_of(m, caller->number) > kept))
    return WASMFX_ERROR_STATE;
  return WASMFX_OK;
}

bool model_unwinds(const struct model *m, const struct model_mark *mark)
{
  return kept_by(m, mark) < m->running_count;
}

size_t model_unwind_to(struct model *m, const struct model_mark *mark)
{
  return cut(m, kept_by(m, mark));
}
