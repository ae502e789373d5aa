/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs, one function for each transition. Where a verb switches, its
 * entry is a stub in lib/arch, and what stands here is the part before the switch:
 * check, search, get memory, and only then consume and link.
 */
#include "cont.h"

#include <assert.h>
#include <string.h>

#include "handler.h"
#include "runtime.h"

/* ---- Transfers --------------------------------------------------------------------- */

static uint64_t event(wasmfx_status_t status, bool by_address, uint32_t handler)
{
  return (uint16_t)status | (uint64_t)by_address << 16 | (uint64_t)handler << 32;
}

/* Nothing to switch to: the caller gets the status, and nothing else has happened. */
static struct wfx_object *fail(struct wasmfx_runtime *rt, wasmfx_status_t status)
{
  rt->transfer.event = event(status, false, 0);
  rt->transfer.word = 0;
  return NULL;
}

/* Makes `to` the running one in place of the running one, whose landing address belongs at `*landing`. */
static struct wfx_object *transfer(struct wasmfx_runtime *rt, struct wfx_object *to, wfx_landing_t *landing,
                                   uint64_t what, const struct wfx_parcel *parcel)
{
  struct wfx_object *from = rt->current;
  assert(wfx_object_is_root(from) || from->parent);
  rt->transfer.from = from;
  rt->transfer.landing = landing;
  rt->transfer.cont = parcel->cont;
  rt->transfer.event = what;
  rt->transfer.word = parcel->word;
  wfx_switched(rt, from, to);
  rt->current = to;
  return to;
}

/* ---- Getting a continuation ready to run ------------------------------------------------ */

/* From here on it has a stack and does not look for one when it starts. */
static void give_stack(struct wasmfx_runtime *rt, struct wfx_object *object, struct wfx_stack *stack)
{
  object->stack = stack;
  stack->owner = object;
  stack->is_short = false;
  object->fresh.start = object->entry;
  object->fresh.env = object->env;
  object->sp = stack;
  object->fp = NULL;
  object->pc = rt->careful & WFX_CAREFUL_FLOAT ? wfx_start_float : wfx_start;
}

/* Consumes the reference of `*object`, which moves if its revisions are used up. Errors: NO_MEMORY, LIMIT. */
static wasmfx_status_t renew(struct wasmfx_runtime *rt, struct wfx_object **object)
{
  if (!wfx_object_exhausted(*object)) {
    wfx_object_consume(*object);
    return WASMFX_OK;
  }
  struct wfx_object *spare;
  const wasmfx_status_t status = wfx_object_take(rt, &spare);
  if (status < 0)
    return status;
  wfx_object_move(rt, *object, spare);
  *object = spare;
  return WASMFX_OK;
}

/*
 * Consumes the reference of `object`, and gets all the memory that this takes
 * before it does: a stack if it is fresh, another object if its revisions are
 * used up. Answers through `object`, since it may have moved.
 */
static wasmfx_status_t consume(struct wasmfx_runtime *rt, struct wfx_object **object)
{
  const uint64_t ref = (*object)->ref;
  struct wfx_stack *stack = NULL;
  wasmfx_status_t status = WASMFX_OK;
  if (wfx_object_is_fresh(*object))
    status = wfx_stackpool_get(&rt->house->stacks, (*object)->fresh.stack_class, (*object)->fresh.tenant, &stack);
  if (status < 0)
    return status;
  status = renew(rt, object);
  if (stack && status < 0)
    wfx_stackpool_put(&rt->house->stacks, stack);
  else if (stack)
    give_stack(rt, *object, stack);
  assert((wfx_object_of(rt, ref) == NULL) == (status == WASMFX_OK));
  (void)ref;
  return status;
}

/* All of a bound prefix is on its way. */
static void unbind(struct wfx_object *object)
{
  object->awaits = wfx_awaited(object);
}

/* ---- cont.new, cont.bind ------------------------------------------------------------------ */

static uint64_t enter_values(struct wasmfx_runtime *rt, void *env, uint64_t word, wasmfx_cont_t from);

/* Makes of an object a fresh continuation, which is counted. */
static inline void begin(struct wasmfx_runtime *rt, struct wfx_object *object, const struct wasmfx_type *type,
                         const struct wfx_list *awaits, wasmfx_word_entry_t entry, void *env, uint32_t tenant)
{
  object->pc = wfx_fresh;
  object->entry = entry;
  object->env = env;
  object->awaits = awaits;
  object->type = wfx_unknown((void *)(uintptr_t)type); /* or it would be stored as one with its neighbour */
  object->fresh.stack_class = 0;
  object->fresh.tenant = tenant;
  rt->house->made++;
}

/* Errors: LIMIT, NO_MEMORY. */
static wasmfx_status_t make(struct wasmfx_runtime *rt, const struct wasmfx_type *type, wasmfx_word_entry_t entry,
                            void *env, struct wfx_object **object)
{
  wfx_claim_stack(rt);
  if (rt->house->made >= rt->house->may_be_made)
    return WASMFX_ERROR_LIMIT;
  const wasmfx_status_t status = wfx_object_take(rt, object);
  if (status == WASMFX_OK)
    begin(rt, *object, type, type->fresh_params, entry, env, rt->house->tenant);
  return status;
}

static wasmfx_status_t reserve_long_lists(struct wasmfx_runtime *rt, struct wfx_object *object)
{
  const size_t params = object->type->params->count, gathered = wfx_gathered_count(object->type);
  const wfx_landing_t fresh = object->pc;
  object->pc = NULL; /* nobody knows of it yet, and nobody is shown it */
  wasmfx_status_t status = wfx_bound_reserve(rt, object, (uint32_t)(params > gathered ? params : gathered));
  if (status == WASMFX_OK)
    status = wfx_bound_reserve_results(rt, object, object->type->results->count);
  object->pc = fresh;
  return status;
}

static wasmfx_status_t check_new(const struct wasmfx_runtime *rt, const struct wasmfx_type *type, bool has_entry)
{
  if (!has_entry)
    return WASMFX_TRAP_NULL_FUNCTION;
  return type && type->member.rt == rt ? WASMFX_OK : WASMFX_ERROR_ARGUMENT;
}

wasmfx_status_t wasmfx_cont_new(wasmfx_runtime_t *rt, const wasmfx_type_t *type, wasmfx_entry_t entry, void *env,
                                wasmfx_cont_t *cont)
{
  wasmfx_status_t status = check_new(rt, type, entry != NULL);
  if (status < 0)
    return status;
  struct wfx_object *object;
  status = make(rt, type, enter_values, env, &object);
  if (status < 0)
    return status;
  object->fresh.entry = entry;
  if (type->is_long) {
    status = reserve_long_lists(rt, object);
    if (status < 0) {
      rt->house->made--;
      wfx_object_put(rt, object);
      return status;
    }
  }
  *cont = object->ref;
  return WASMFX_OK;
}

static __attribute__((noinline)) wasmfx_status_t new_carefully(wasmfx_runtime_t *rt, const wasmfx_type_t *type,
                                                               wasmfx_word_entry_t entry, void *env,
                                                               wasmfx_cont_t *cont)
{
  wasmfx_status_t status = check_new(rt, type, entry != NULL);
  if (status < 0)
    return status;
  if (!type->is_word)
    return WASMFX_ERROR_TYPE;
  struct wfx_object *object;
  status = make(rt, type, entry, env, &object);
  if (status < 0)
    return status;
  if (type->short_params)
    object->awaits = type->short_params;
  *cont = object->ref;
  return WASMFX_OK;
}

/* Where there is an object at hand, and the type allows for short paths, which there are with one tenant only, it calls
 * nothing. */
wasmfx_status_t wasmfx_cont_new_word(wasmfx_runtime_t *rt, const wasmfx_type_t *type, wasmfx_word_entry_t entry,
                                     void *env, wasmfx_cont_t *cont)
{
  struct wfx_object *object = rt->free_objects;
  const struct wfx_house *house = rt->house;
  if (!entry || !type || type->member.rt != rt || !type->short_params || !object || house->made >= house->may_be_made)
    return new_carefully(rt, type, entry, env, cont);
  rt->free_objects = object->next_free;
  object->parent = NULL;
  begin(rt, object, type, type->short_params, entry, env, 0);
  *cont = object->ref;
  return WASMFX_OK;
}

/* Whether binding `count` values leaves what `to` says. */
static bool leaves(struct wfx_object *object, const struct wasmfx_type *to, uint32_t bound)
{
  const struct wfx_list *list = wfx_awaited(object);
  const struct wfx_list *results = wfx_object_head(object)->type->results;
  return to->params->count == list->count - bound &&
         memcmp(to->params->kinds, list->kinds + bound, to->params->count) == 0 &&
         wfx_list_equal(to->results, results);
}

wasmfx_status_t wasmfx_cont_bind(wasmfx_runtime_t *rt, wasmfx_cont_t *cont, const wasmfx_type_t *to,
                                 const wasmfx_value_t *values, size_t count)
{
  wfx_claim_stack(rt);
  struct wfx_object *object = wfx_object_of(rt, *cont);
  if (!object)
    return wfx_ref_trap(*cont);
  const uint32_t bound = wfx_bound_count(object), total = wfx_awaited(object)->count;
  if (count > total - bound || (count && !values))
    return WASMFX_ERROR_ARITY;
  if (to && to->member.rt != rt)
    return WASMFX_ERROR_ARGUMENT;
  if (to && !leaves(object, to, bound + (uint32_t)count))
    return WASMFX_ERROR_TYPE;
  if (count && wfx_bound_write(rt, object, values, (uint32_t)count) < 0)
    return WASMFX_ERROR_NO_MEMORY;
  const wasmfx_status_t status = renew(rt, &object);
  if (status < 0)
    return status;
  if (count)
    wfx_bound_append(object, (uint32_t)count);
  *cont = object->ref;
  return WASMFX_OK;
}

/* ---- resume -------------------------------------------------------------------------------- */

/* Runs `object` under the running one. */
static struct wfx_object *resume(struct wasmfx_runtime *rt, struct wfx_object *object,
                                 const struct wasmfx_handlers *handlers, wasmfx_status_t status,
                                 const struct wfx_parcel *parcel)
{
  if (handlers && handlers->table == WFX_TABLE_CLAUSES && handlers->member.rt != rt)
    return fail(rt, WASMFX_ERROR_ARGUMENT);
  const wasmfx_status_t ready = consume(rt, &object);
  if (ready < 0)
    return fail(rt, ready);
  rt->transfer.cut = &rt->house->nothing;
  rt->received = parcel->cont;
  unbind(object);
  object->parent = rt->current;
  object->handlers = handlers ? handlers : &wfx_no_handlers;
  return transfer(rt, object, &rt->current->pc, event(status, parcel->by_address, 0), parcel);
}

struct wfx_object *wfx_prepare_resume(struct wasmfx_runtime *rt, wasmfx_cont_t *cont,
                                      const wasmfx_handlers_t *handlers, const wasmfx_value_t *values, size_t count)
{
  struct wfx_object *object = wfx_object_of(rt, *cont);
  if (!object)
    return fail(rt, wfx_ref_trap(*cont));
  struct wfx_parcel parcel;
  const wasmfx_status_t status = wfx_pack_waking(object, values, count, false, &parcel);
  if (status < 0)
    return fail(rt, status);
  return resume(rt, object, handlers, WASMFX_RETURNED, &parcel);
}

struct wfx_object *wfx_prepare_resume_word(struct wasmfx_runtime *rt, wasmfx_cont_t *cont,
                                           const wasmfx_handlers_t *handlers, uint64_t word)
{
  struct wfx_object *object = wfx_object_of(rt, *cont);
  if (!object)
    return fail(rt, wfx_ref_trap(*cont));
  struct wfx_parcel parcel;
  const wasmfx_status_t status = wfx_pack_waking_word(object, word, false, &parcel);
  if (status < 0)
    return fail(rt, status);
  return resume(rt, object, handlers, WASMFX_RETURNED, &parcel);
}

/* ---- resume_throw ------------------------------------------------------------------------------ */

static wasmfx_status_t check_exception(const struct wasmfx_runtime *rt, const struct wasmfx_tag *tag,
                                       const wasmfx_value_t *values, size_t count)
{
  if (!tag || tag->member.rt != rt)
    return WASMFX_ERROR_ARGUMENT;
  if (tag->results->count)
    return WASMFX_ERROR_TYPE;
  return count == tag->params->count && (values || !count) ? WASMFX_OK : WASMFX_ERROR_ARITY;
}

/* A fresh continuation has nobody who could catch: it dies, and the exception is at the resume itself. */
static struct wfx_object *throw_into(struct wasmfx_runtime *rt, wasmfx_cont_t *cont, struct wfx_object *object,
                                     const wasmfx_handlers_t *handlers, const wasmfx_exception_t *exception)
{
  const struct wfx_parcel parcel = { (uintptr_t)exception, WASMFX_NULL_CONT, false };
  if (!wfx_object_is_fresh(object))
    return resume(rt, object, handlers, WASMFX_THREW, &parcel);
  wfx_chain_bury(rt, object);
  *cont = WASMFX_NULL_CONT;
  rt->transfer.event = event(WASMFX_THREW, false, 0);
  rt->transfer.word = parcel.word;
  return NULL;
}

struct wfx_object *wfx_prepare_resume_throw(struct wasmfx_runtime *rt, wasmfx_cont_t *cont,
                                            const wasmfx_handlers_t *handlers, const wasmfx_tag_t *tag,
                                            const wasmfx_value_t *values, size_t count)
{
  struct wfx_object *object = wfx_object_of(rt, *cont);
  if (!object)
    return fail(rt, wfx_ref_trap(*cont));
  const wasmfx_status_t status = check_exception(rt, tag, values, count);
  if (status < 0)
    return fail(rt, status);
  rt->house->exception = (wasmfx_exception_t){ tag, values, count, NULL };
  return throw_into(rt, cont, object, handlers, &rt->house->exception);
}

struct wfx_object *wfx_prepare_resume_throw_ref(struct wasmfx_runtime *rt, wasmfx_cont_t *cont,
                                                const wasmfx_handlers_t *handlers,
                                                const wasmfx_exception_t *exception)
{
  struct wfx_object *object = wfx_object_of(rt, *cont);
  if (!object)
    return fail(rt, wfx_ref_trap(*cont));
  if (!exception)
    return fail(rt, WASMFX_TRAP_NULL_EXCEPTION);
  const wasmfx_status_t status = check_exception(rt, exception->tag, exception->values, exception->count);
  if (status < 0)
    return fail(rt, status);
  return throw_into(rt, cont, object, handlers, exception);
}

/* ---- Handlers in place ------------------------------------------------------------------------- */

enum form { WORD_FORM, GENERAL_FORM };

/* The suspender goes on with `results`, in the form of its verb: there is nobody to switch to. */
static struct wfx_object *answer(struct wasmfx_runtime *rt, const struct wfx_list *list, const wasmfx_value_t *results,
                                 enum form form)
{
  wasmfx_value_t *inbox = rt->house->inbox;
  const bool by_address = form == GENERAL_FORM || list->wake_form & WFX_FORM_BY_ADDRESS;
  memcpy(inbox, results, list->count * sizeof *inbox);
  wfx_inbox_filled(rt, list->count);
  rt->current->awaits = list; /* as if it had been woken */
  if (list->wake_form & WFX_FORM_CONTREF)
    rt->received = inbox[list->count - 1].contref;
  rt->transfer.event = event(WASMFX_RETURNED, by_address, 0);
  rt->transfer.word = by_address ? (uintptr_t)inbox : list->wake_form & WFX_FORM_COUNT ? results[0].word : 0;
  return NULL;
}

wasmfx_outcome_t wfx_left_open(struct wasmfx_runtime *rt)
{
  struct wfx_object *self = wfx_bearer(rt, rt->current);
  wfx_claim_stack(rt);
  wfx_close_what_is_left(rt, self, self);
  return (wasmfx_outcome_t){ .status = WASMFX_ERROR_STATE };
}

/* Calls a handler on the stack of the running continuation, inside an own barrier. That says how far an exception goes
 * which ends the handler. */
static struct wfx_object *call_in_place(struct wasmfx_runtime *rt, const struct wfx_found *found,
                                        const struct wfx_list *list, const struct wfx_parcel *parcel, enum form form)
{
  struct wfx_object *self = rt->current;
  const struct wfx_call *call = found->call;
  const wasmfx_value_t word = { .word = parcel->word };
  const wasmfx_value_t *args = parcel->by_address ? (const wasmfx_value_t *)(uintptr_t)parcel->word : &word;
  const size_t bytes = (list->count + 1) * sizeof(wasmfx_value_t);
  wfx_claim_stack_bytes(rt, WFX_STACK_ROOM / 2 + bytes); /* half of what has been claimed is still there */
  wasmfx_value_t *results = __builtin_alloca(bytes);
  memset(results, 0, bytes);
  wfx_own_barrier_open(rt, self, WFX_SCOPE_IN_PLACE | (found->segment == self ? 0 : WFX_SCOPE_DEEP));
  if (call->is_word)
    results[0].word = call->word_function(rt, call->env, parcel->word);
  else
    call->function(rt, call->env, args, results);
  if (wfx_close_what_is_left(rt, self, self))
    return fail(rt, WASMFX_ERROR_STATE);
  wfx_own_barrier_close(rt, self);
  return answer(rt, list, results, form);
}

/* The outermost that ends when `self` does, in another way than by return: if that happens in a handler that was called
 * in place, the one that the handling resume started. */
static struct wfx_object *outermost_to_end(const struct wasmfx_runtime *rt, struct wfx_object *self)
{
  const struct wfx_object *scope = rt->scope;
  while (scope && scope != self)
    scope = wfx_scope_outer(scope);
  return scope && scope->scope.link & WFX_SCOPE_DEEP ? self->deep.head : self;
}

/* ---- suspend ---------------------------------------------------------------------------------- */

/*
 * Captures what runs from the running continuation up to `segment`, whose link to
 * its resumer the stub cuts; it awaits `awaits` from now on. Answers where its landing
 * address belongs: a single continuation lands itself, the innermost of a chain by way
 * of wfx_deep.
 */
static wfx_landing_t *capture(struct wasmfx_runtime *rt, struct wfx_object *segment, const struct wfx_list *awaits)
{
  struct wfx_object *current = rt->current;
  assert(!wfx_object_is_root(segment));
  segment->awaits = wfx_head_list;
  current->awaits = awaits;
  rt->transfer.cut = &segment->parent;
  return segment == current ? &current->pc : &current->deep.pc;
}

static struct wfx_object *suspend(struct wasmfx_runtime *rt, const struct wasmfx_tag *tag, struct wfx_parcel *parcel,
                                  enum form form)
{
  struct wfx_object *current = rt->current;
  const struct wfx_found found = wfx_find(current, tag, false);
  if (!found.segment)
    return fail(rt, found.status);
  if (found.call)
    return call_in_place(rt, &found, tag->results, parcel, form);
  struct wfx_object *handler = found.segment->parent;
  wfx_landing_t *landing = capture(rt, found.segment, tag->results);
  parcel->cont = current->ref;
  return transfer(rt, handler, landing, event(WASMFX_SUSPENDED, parcel->by_address, found.index), parcel);
}

struct wfx_object *wfx_prepare_suspend(struct wasmfx_runtime *rt, const wasmfx_tag_t *tag,
                                       const wasmfx_value_t *values, size_t count)
{
  if (!tag || tag->member.rt != rt)
    return fail(rt, WASMFX_ERROR_ARGUMENT);
  struct wfx_parcel parcel;
  const wasmfx_status_t status = wfx_pack_sending(tag->params, values, count, &parcel);
  if (status < 0)
    return fail(rt, status);
  return suspend(rt, tag, &parcel, GENERAL_FORM);
}

struct wfx_object *wfx_prepare_suspend_word(struct wasmfx_runtime *rt, const wasmfx_tag_t *tag, uint64_t word)
{
  if (!tag || tag->member.rt != rt)
    return fail(rt, WASMFX_ERROR_ARGUMENT);
  if (!wfx_form_is_word(tag->params->send_form))
    return fail(rt, WASMFX_ERROR_ARITY);
  struct wfx_parcel parcel = { tag->params->count ? word : 0, WASMFX_NULL_CONT, false };
  return suspend(rt, tag, &parcel, WORD_FORM);
}

/* ---- switch ------------------------------------------------------------------------------------- */

/* The handling resume goes on waiting for the results that it was promised. */
static bool same_results(struct wfx_object *segment, const struct wasmfx_tag *tag, struct wfx_object *target)
{
  const struct wfx_list *promised = segment->type->results;
  return wfx_list_equal(promised, tag->results) &&
         wfx_list_equal(promised, wfx_object_head(target)->type->results);
}

static struct wfx_object *switch_to(struct wasmfx_runtime *rt, struct wfx_object *target, const struct wasmfx_tag *tag,
                                    const struct wfx_list *awaits, struct wfx_parcel *parcel)
{
  struct wfx_object *current = rt->current;
  const struct wfx_found found = wfx_find(current, tag, true);
  if (!found.segment)
    return fail(rt, found.status);
  struct wfx_object *segment = found.segment;
  if (!same_results(segment, tag, target))
    return fail(rt, WASMFX_ERROR_TYPE);
  const wasmfx_status_t status = consume(rt, &target);
  if (status < 0)
    return fail(rt, status);
  rt->received = parcel->cont = current->ref;
  unbind(target);
  target->parent = segment->parent;
  target->handlers = segment->handlers;
  wfx_landing_t *landing = capture(rt, segment, awaits);
  return transfer(rt, target, landing, event(WASMFX_RETURNED, parcel->by_address, 0), parcel);
}

struct wfx_object *wfx_prepare_switch(struct wasmfx_runtime *rt, wasmfx_cont_t *cont, const wasmfx_tag_t *tag,
                                      const wasmfx_type_t *wait, const wasmfx_value_t *values, size_t count)
{
  struct wfx_object *target = wfx_object_of(rt, *cont);
  if (!target)
    return fail(rt, wfx_ref_trap(*cont));
  if (!tag || tag->member.rt != rt || (wait && wait->member.rt != rt))
    return fail(rt, WASMFX_ERROR_ARGUMENT);
  struct wfx_parcel parcel;
  const wasmfx_status_t status = wfx_pack_waking(target, values, count, true, &parcel);
  if (status < 0)
    return fail(rt, status);
  return switch_to(rt, target, tag, (wait ? wait : &wfx_contref_type)->params, &parcel);
}

struct wfx_object *wfx_prepare_switch_word(struct wasmfx_runtime *rt, wasmfx_cont_t *cont, const wasmfx_tag_t *tag,
                                           const wasmfx_type_t *wait, uint64_t word)
{
  struct wfx_object *target = wfx_object_of(rt, *cont);
  if (!target)
    return fail(rt, wfx_ref_trap(*cont));
  if (!tag || tag->member.rt != rt || (wait && wait->member.rt != rt))
    return fail(rt, WASMFX_ERROR_ARGUMENT);
  struct wfx_parcel parcel;
  const wasmfx_status_t status = wfx_pack_waking_word(target, word, true, &parcel);
  if (status < 0)
    return fail(rt, status);
  return switch_to(rt, target, tag, (wait ? wait : &wfx_word_contref_type)->params, &parcel);
}

/* ---- Arriving -------------------------------------------------------------------------------------- */

wasmfx_outcome_t wfx_outcome_values(struct wasmfx_runtime *rt, wasmfx_outcome_t arrived)
{
  if (arrived.status > WASMFX_SUSPENDED || arrived.by_address)
    return arrived;
  wasmfx_value_t *inbox = rt->house->inbox;
  memset(inbox, 0, sizeof *inbox);
  inbox->word = arrived.word;
  wfx_inbox_filled(rt, 1);
  arrived.by_address = 1;
  arrived.values = inbox;
  return arrived;
}

wasmfx_outcome_t wfx_waking_values(struct wasmfx_runtime *rt, wasmfx_outcome_t arrived)
{
  const struct wfx_list *list = rt->current->awaits;
  if (arrived.status != WASMFX_RETURNED || !(list->wake_form & WFX_FORM_CONTREF))
    return wfx_outcome_values(rt, arrived);
  wasmfx_value_t *inbox = rt->house->inbox;
  if (arrived.by_address)
    memmove(inbox, arrived.values, (list->count - 1) * sizeof *inbox);
  else
    arrived = wfx_outcome_values(rt, arrived);
  memset(&inbox[list->count - 1], 0, sizeof *inbox);
  inbox[list->count - 1].contref = rt->received;
  wfx_inbox_filled(rt, list->count);
  arrived.by_address = 1;
  arrived.values = inbox;
  return arrived;
}

wasmfx_cont_t wasmfx_received_cont(const wasmfx_runtime_t *rt)
{
  const struct wfx_object *current = rt->current;
  if (wfx_object_is_root(current) || !(current->awaits->wake_form & WFX_FORM_CONTREF))
    return WASMFX_NULL_CONT;
  return rt->received;
}

/* ---- Entering and ending ------------------------------------------------------------------------------ */

/* The parameters of a fresh continuation as slots: where they came by address alone, those; else put together. */
static const wasmfx_value_t *gather(const struct wfx_list *params, wasmfx_value_t *room, uint64_t word,
                                    wasmfx_cont_t from)
{
  const wasmfx_value_t *sent = (const wasmfx_value_t *)(uintptr_t)word;
  const bool has_contref = (params->wake_form & WFX_FORM_CONTREF) != 0;
  const bool by_address = (params->wake_form & WFX_FORM_BY_ADDRESS) != 0;
  if (by_address && !has_contref)
    return sent;
  if (by_address)
    memmove(room, sent, (params->count - 1) * sizeof *room); /* a bound prefix may lie there already */
  else
    room[0] = (wasmfx_value_t){ .word = word };
  if (has_contref)
    room[params->count - 1] = (wasmfx_value_t){ .contref = from };
  return room;
}

/* Where the entry functions of the general form are called from: it is one of the word form itself. */
static uint64_t enter_values(struct wasmfx_runtime *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct wfx_object *self = rt->current;
  const struct wasmfx_type *type = self->type;
  const wasmfx_entry_t entry = self->fresh.entry;
  const size_t results = type->results->count;
  const size_t results_bytes = results * sizeof(wasmfx_value_t);
  wasmfx_value_t *room, *out;
  if (type->is_long) {
    room = self->bound->values;
    out = self->bound->results;
  } else {
    room = __builtin_alloca((wfx_gathered_count(type) + 1) * sizeof *room);
    out = __builtin_alloca((results + 1) * sizeof *out);
  }
  if (results)
    memset(out, 0, results_bytes);
  entry(rt, env, gather(type->params, room, word, from), out);
  if (!(type->results->send_form & WFX_FORM_BY_ADDRESS))
    return results ? out[0].word : 0;
  memcpy(rt->house->inbox, out, results_bytes);
  wfx_inbox_filled(rt, results);
  return (uintptr_t)rt->house->inbox;
}

void wfx_chain_bury(struct wasmfx_runtime *rt, struct wfx_object *innermost)
{
  struct wfx_object *outer = innermost->parent;
  wfx_stack_bury(rt, innermost);
  wfx_object_kill(rt, innermost);
  while (outer) {
    struct wfx_object *object = outer;
    outer = object->parent;
    wfx_cont_bury(rt, object);
  }
}

/* What a body seldom leaves behind: open roots and barriers, and a host that wants to know of each switch. */
__attribute__((noinline, cold)) static void tidy_up(struct wasmfx_runtime *rt, struct wfx_object *self,
                                                    struct wfx_object *to)
{
  wfx_switched(rt, rt->current, to);
  wfx_unwind(rt, self, NULL);
}

/* From the inside out. The stack of `self` is being stood on, and goes back last. */
static void bury_up_to(struct wasmfx_runtime *rt, struct wfx_object *self, const struct wfx_object *outermost)
{
  struct wfx_stack *stack = self->stack;
  struct wfx_object *object, *next = self;
  self->stack = NULL;
  do {
    object = next;
    next = object->parent;
    wfx_cont_bury(rt, object);
  } while (object != outermost);
  wfx_announce_death(rt, stack);
  wfx_stackpool_put(&rt->house->stacks, stack);
}

/* Makes `to`, which waits for it, the running one, with what that is to see. */
static inline struct wfx_object *hand_back(struct wasmfx_runtime *rt, struct wfx_object *self, struct wfx_object *to,
                                           uint64_t what, uint64_t word)
{
  assert(rt->current == self && !wfx_object_is_root(self));
  (void)self;
  rt->transfer.cont = WASMFX_NULL_CONT;
  rt->transfer.event = what;
  rt->transfer.word = word;
  rt->current = to;
  return to;
}

/* Ends `self`, which is running, with what its resumer is to see. Its stack is still being stood on: the pool leaves
 * the one that was put back last alone. */
static struct wfx_object *end(struct wasmfx_runtime *rt, struct wfx_object *self, uint64_t what, uint64_t word)
{
  const bool returns = (uint16_t)what == WASMFX_RETURNED;
  struct wfx_object *outermost = returns ? self : outermost_to_end(rt, self), *to = outermost->parent;
  if (rt->current != self || self->handlers == &wfx_barrier || rt->careful)
    tidy_up(rt, self, to);
  wfx_stackpool_make_way(&rt->house->stacks); /* while it still runs, for who visits from there */
  hand_back(rt, self, to, what, word);
  bury_up_to(rt, self, outermost);
  return to;
}

struct wfx_object *wfx_overflow(struct wasmfx_runtime *rt, struct wfx_object *self)
{
  return end(rt, self, event(WASMFX_OVERFLOWED, false, 0), 0);
}

struct wfx_object *wfx_return(struct wasmfx_runtime *rt, struct wfx_object *self, uint64_t word)
{
  const bool by_address = (self->type->results->send_form & WFX_FORM_BY_ADDRESS) != 0;
  return end(rt, self, event(WASMFX_RETURNED, by_address, 0), word);
}

wasmfx_status_t wasmfx_trap(wasmfx_runtime_t *rt, int64_t code)
{
  wfx_claim_stack(rt);
  if (wfx_object_is_root(rt->current))
    return WASMFX_ERROR_STATE;
  wfx_leave(rt, end(rt, rt->current, event(WASMFX_TRAPPED, false, 0), (uint64_t)code));
}

/* The values move to where they outlive the stack that they are on. */
static wasmfx_status_t throw_copy(struct wasmfx_runtime *rt, wasmfx_exception_t exception)
{
  wfx_claim_stack(rt);
  if (wfx_object_is_root(rt->current))
    return WASMFX_ERROR_STATE;
  const wasmfx_status_t status = check_exception(rt, exception.tag, exception.values, exception.count);
  if (status < 0)
    return status;
  if (exception.count)
    memmove(rt->house->inbox, exception.values, exception.count * sizeof *exception.values);
  wfx_inbox_filled(rt, exception.count);
  exception.values = rt->house->inbox;
  rt->house->exception = exception;
  const uint64_t word = (uintptr_t)&rt->house->exception;
  wfx_leave(rt, end(rt, rt->current, event(WASMFX_THREW, false, 0), word));
}

wasmfx_status_t wasmfx_throw(wasmfx_runtime_t *rt, const wasmfx_tag_t *tag, const wasmfx_value_t *values, size_t count)
{
  return throw_copy(rt, (wasmfx_exception_t){ tag, values, count, NULL });
}

wasmfx_status_t wasmfx_throw_ref(wasmfx_runtime_t *rt, const wasmfx_exception_t *exception)
{
  return exception ? throw_copy(rt, *exception) : WASMFX_TRAP_NULL_EXCEPTION;
}

wasmfx_status_t wasmfx_drop(wasmfx_runtime_t *rt, wasmfx_cont_t *cont)
{
  wfx_claim_stack(rt);
  struct wfx_object *object = wfx_object_of(rt, *cont);
  if (!object)
    return wfx_ref_trap(*cont);
  wfx_chain_bury(rt, object);
  *cont = WASMFX_NULL_CONT;
  return WASMFX_OK;
}

wasmfx_outcome_t wasmfx_cancel(wasmfx_runtime_t *rt, wasmfx_cont_t *cont, const wasmfx_exception_t *exception,
                               size_t attempts)
{
  wasmfx_outcome_t outcome = wasmfx_resume_throw_ref(rt, cont, &wfx_everything, exception);
  bool is_thrown_into = false;
  for (size_t i = 1; i != attempts && outcome.status == WASMFX_SUSPENDED; i++) {
    is_thrown_into = true;
    outcome = wasmfx_resume_throw_ref(rt, cont, &wfx_everything, exception);
  }
  /* If memory is short now, it has been thrown into before: too late to say that nothing happened. */
  if (outcome.status != WASMFX_SUSPENDED && !(outcome.status < 0 && is_thrown_into))
    return outcome;
  wasmfx_drop(rt, cont);
  return (wasmfx_outcome_t){ .status = WASMFX_SUSPENDED };
}
