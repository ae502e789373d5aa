/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_RT_IMPORTS_H
#define WASMFX_RT_IMPORTS_H
/**
 * @file wasmfx-rt-imports.h
 * What a lowered module imports from `wasmfx`, by the names that wasm2c gives them. Two ways:
 *  - included before the C that wasm2c has made of a module (cc -include wasmfx-rt-imports.h -c module.c), all is
 *    inlined there: nothing stands between a verb and the switch. The declarations in the module's header are of these;
 *  - compiled once with WASMFX_RT_OPAQUE defined (wasmfx-rt-imports.c), for modules that are compiled as they are.
 *
 * Both kinds may be in one program. WASMFX_RT_TIER says by which of the library's headers the verbs in word form are
 * called: 2 pinned.h, 1 fast.h, 0 cont.h. Inlined, it is 2 by itself; else 0, which is as fast there.
 */
#ifndef WASMFX_RT_TIER
#ifdef WASMFX_RT_OPAQUE
#define WASMFX_RT_TIER 0
#else
#define WASMFX_RT_TIER 2
#endif
#endif

#include "wasmfx-rt.h"
#if WASMFX_RT_TIER == 2
#include <wasmfx/pinned.h>
#elif WASMFX_RT_TIER == 1
#include <wasmfx/fast.h>
#endif

#ifdef WASMFX_RT_OPAQUE
#define WASMFX_RT_IMPORT(result, name, parameters)                                                                     \
  result name parameters;                                                                                              \
  result name parameters
#else
#define WASMFX_RT_IMPORT(result, name, parameters)                                                                     \
  static inline __attribute__((unused, always_inline)) result name parameters;                                         \
  static inline result name parameters
#endif

/*
 * The verbs that switch. As functions they end by a jump: they were called on one stack and return on another, and
 * a processor that takes them for the end of the last call predicts wrong each time, which takes longer than all else.
 */
#if defined(WASMFX_RT_OPAQUE) && defined(__x86_64__) && defined(__has_attribute)
#if __has_attribute(function_return)
#define WASMFX_RT_VERB(result, name, parameters)                                                                       \
  result name parameters;                                                                                              \
  __attribute__((function_return("thunk-extern"))) result name parameters
__asm__(".pushsection .text\n"
        ".weak __x86_return_thunk\n"
        ".hidden __x86_return_thunk\n"
        ".type __x86_return_thunk, @function\n"
        "__x86_return_thunk:\n"
        "  .cfi_startproc\n"
        "  popq %rcx\n"
        "  .cfi_def_cfa_offset 0\n"
        "  .cfi_register %rip, %rcx\n"
        "  jmpq *%rcx\n"
        "  .cfi_endproc\n"
        ".size __x86_return_thunk, . - __x86_return_thunk\n"
        ".popsection");
#endif
#endif
#ifndef WASMFX_RT_VERB
#define WASMFX_RT_VERB WASMFX_RT_IMPORT
#endif

#define WASMFX_RT_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* As wasm2c has them. */
#ifndef wasm_multi_ije
#define wasm_multi_ije wasm_multi_ije
struct wasm_multi_ije {
  uint32_t i0;
  uint64_t j1;
  wasm_rt_externref_t e2;
};
#endif
#ifndef wasm_multi_je
#define wasm_multi_je wasm_multi_je
struct wasm_multi_je {
  uint64_t j0;
  wasm_rt_externref_t e1;
};
#endif

/* ---- References as C has them ---------------------------------------------------------- */

static inline wasmfx_cont_t wasmfx_rt_cont(wasm_rt_externref_t reference)
{
  return (wasmfx_cont_t)(uintptr_t)reference;
}

static inline wasm_rt_externref_t wasmfx_rt_externref(uint64_t word)
{
  return (wasm_rt_externref_t)(uintptr_t)word;
}

/* ---- The three verbs, by the tier -------------------------------------------------------- */

#if WASMFX_RT_TIER == 2
#define WASMFX_RT_CONT_NEW wasmfx_pinned_cont_new_word
#define WASMFX_RT_RESUME(rt, cont, handlers, word) wasmfx_pinned_resume_word(&(rt), &(cont), handlers, word)
#define WASMFX_RT_SUSPEND(rt, tag, word) wasmfx_pinned_suspend_word(&(rt), tag, word)
#define WASMFX_RT_SWITCH(rt, cont, tag, wait, word) wasmfx_pinned_switch_word(&(rt), &(cont), tag, wait, word)
#elif WASMFX_RT_TIER == 1
#define WASMFX_RT_CONT_NEW wasmfx_cont_new_word
#define WASMFX_RT_RESUME(rt, cont, handlers, word) wasmfx_fast_resume_word(&(rt), &(cont), handlers, word)
#define WASMFX_RT_SUSPEND(rt, tag, word) wasmfx_fast_suspend_word(&(rt), tag, word)
#define WASMFX_RT_SWITCH(rt, cont, tag, wait, word) wasmfx_fast_switch_word(&(rt), &(cont), tag, wait, word)
#else
#define WASMFX_RT_CONT_NEW wasmfx_cont_new_word
#define WASMFX_RT_RESUME(rt, cont, handlers, word) wasmfx_resume_word(rt, &(cont), handlers, word)
#define WASMFX_RT_SUSPEND(rt, tag, word) wasmfx_suspend_word(rt, tag, word)
#define WASMFX_RT_SWITCH(rt, cont, tag, wait, word) wasmfx_switch_word(rt, &(cont), tag, wait, word)
#endif

/* Whether a verb that has failed is worth another try: it wanted memory, or met a limit, and some have been dropped. */
static inline bool wasmfx_rt_has_made_room(wasmfx_rt_t *rt, wasmfx_status_t status)
{
  return WASMFX_RT_UNLIKELY(status <= WASMFX_ERROR_NO_MEMORY) && wasmfx_rt_make_room(rt, status);
}

/* ---- What has come out --------------------------------------------------------------------- */

/* The first half of the outcome as one number: above 1 is all that is not a word of somebody who has returned, or has
 * been suspended if that is possible. */
static inline uint32_t wasmfx_rt_event(wasmfx_outcome_t outcome)
{
  return (uint32_t)(uint16_t)outcome.status | (uint32_t)outcome.by_address << 16;
}

/* Behind a resume in word form that has answered anything but a word. */
static inline wasmfx_outcome_t wasmfx_rt_resumed_otherwise(wasmfx_rt_t *rt, wasmfx_cont_t *cont,
                                                           const wasmfx_handlers_t *handlers, uint64_t word,
                                                           wasmfx_outcome_t outcome)
{
  if (wasmfx_rt_has_made_room(rt, outcome.status))
    outcome = wasmfx_resume_word(rt->runtime, cont, handlers, word);
  if (wasmfx_rt_event(outcome) > WASMFX_SUSPENDED) {
    wasmfx_rt_arrived(rt, outcome);
    outcome.word = 0; /* it was the address of a list, or of an exception */
  }
  return outcome;
}

static inline struct wasm_multi_ije wasmfx_rt_resumed(wasmfx_cont_t cont, wasmfx_outcome_t outcome)
{
  const struct wasm_multi_ije result = { outcome.status == WASMFX_SUSPENDED ? outcome.handler + 1 : 0, outcome.word,
                                         wasmfx_rt_externref(cont) };
  return result;
}

/* Behind a verb that takes values. */
static inline struct wasm_multi_ije wasmfx_rt_resumed_list(wasmfx_rt_t *rt, wasmfx_cont_t cont,
                                                           wasmfx_outcome_t outcome)
{
  wasmfx_rt_arrived(rt, outcome);
  const struct wasm_multi_ije result = { outcome.status == WASMFX_SUSPENDED ? outcome.handler + 1 : 0, 0,
                                         wasmfx_rt_externref(cont) };
  return result;
}

/* The next verb ends in _n and takes `count` values: those that `argument` was called with. */
static inline const wasmfx_value_t *wasmfx_rt_arguments(wasmfx_rt_t *rt, uint32_t count)
{
  const bool is_right = rt->argument_count == count;
  rt->argument_count = 0;
  if (WASMFX_RT_UNLIKELY(!is_right))
    wasmfx_rt_failed(rt, WASMFX_ERROR_ARITY);
  return rt->arguments;
}

/* ---- Made once --------------------------------------------------------------------------------- */

WASMFX_RT_IMPORT(wasm_rt_externref_t *, Z_wasmfxZ_thrown, (wasmfx_rt_t * rt))
{
  return &rt->thrown;
}

WASMFX_RT_IMPORT(void, Z_wasmfxZ_type_parameter, (wasmfx_rt_t * rt, uint32_t kind))
{
  wasmfx_rt_kind(rt, kind, false);
}

WASMFX_RT_IMPORT(void, Z_wasmfxZ_type_result, (wasmfx_rt_t * rt, uint32_t kind))
{
  wasmfx_rt_kind(rt, kind, true);
}

WASMFX_RT_IMPORT(wasm_rt_externref_t, Z_wasmfxZ_type, (wasmfx_rt_t * rt))
{
  return wasmfx_rt_type(rt);
}

WASMFX_RT_IMPORT(wasm_rt_externref_t, Z_wasmfxZ_tag, (wasmfx_rt_t * rt, wasm_rt_externref_t type))
{
  return wasmfx_rt_tag(rt, type);
}

WASMFX_RT_IMPORT(void, Z_wasmfxZ_clause, (wasmfx_rt_t * rt, wasm_rt_externref_t tag, uint32_t kind))
{
  wasmfx_rt_clause(rt, tag, kind);
}

WASMFX_RT_IMPORT(wasm_rt_externref_t, Z_wasmfxZ_handlers, (wasmfx_rt_t * rt))
{
  return wasmfx_rt_handlers(rt);
}

WASMFX_RT_IMPORT(wasm_rt_externref_t, Z_wasmfxZ_closure,
                 (wasmfx_rt_t * rt, wasm_rt_funcref_t function, wasm_rt_funcref_t called, uint32_t may_throw))
{
  return wasmfx_rt_closure(rt, &function, &called, may_throw);
}

/* ---- cont.new and cont.bind -------------------------------------------------------------------- */

WASMFX_RT_IMPORT(wasm_rt_externref_t, Z_wasmfxZ_cont_new,
                 (wasmfx_rt_t * rt, wasm_rt_externref_t closure, wasm_rt_externref_t type))
{
  const wasmfx_rt_closure_t *start = (const wasmfx_rt_closure_t *)closure;
  wasmfx_cont_t cont;
  if (WASMFX_RT_UNLIKELY(!start || WASMFX_RT_CONT_NEW(rt->runtime, (const wasmfx_type_t *)type, start->word_entry,
                                                      closure, &cont) != WASMFX_OK))
    return wasmfx_rt_cont_new(rt, closure, type, false);
  return wasmfx_rt_externref(cont);
}

WASMFX_RT_IMPORT(wasm_rt_externref_t, Z_wasmfxZ_cont_new_n,
                 (wasmfx_rt_t * rt, wasm_rt_externref_t closure, wasm_rt_externref_t type))
{
  return wasmfx_rt_cont_new(rt, closure, type, true);
}

static inline wasm_rt_externref_t wasmfx_rt_bind(wasmfx_rt_t *rt, wasm_rt_externref_t reference,
                                                 wasm_rt_externref_t type, const wasmfx_value_t *values, size_t count)
{
  wasmfx_cont_t cont = wasmfx_rt_cont(reference);
  const wasmfx_status_t status =
    wasmfx_cont_bind(rt->runtime, &cont, (const wasmfx_type_t *)type, values, count);
  if (WASMFX_RT_UNLIKELY(status != WASMFX_OK))
    wasmfx_rt_failed(rt, status);
  return wasmfx_rt_externref(cont);
}

WASMFX_RT_IMPORT(wasm_rt_externref_t, Z_wasmfxZ_cont_bind_0,
                 (wasmfx_rt_t * rt, wasm_rt_externref_t cont, wasm_rt_externref_t type))
{
  return wasmfx_rt_bind(rt, cont, type, NULL, 0);
}

WASMFX_RT_IMPORT(wasm_rt_externref_t, Z_wasmfxZ_cont_bind_n,
                 (wasmfx_rt_t * rt, uint32_t count, wasm_rt_externref_t cont, wasm_rt_externref_t type))
{
  return wasmfx_rt_bind(rt, cont, type, wasmfx_rt_arguments(rt, count), count);
}

/* ---- Looking ahead ----------------------------------------------------------------------------- */

/*
 * Who schedules many continuations resumes them in one order again and again, as a rule; by the time one's turn comes,
 * its object and its stack have left the caches. So who follows whom is remembered, and what the next one needs is
 * fetched while this one runs: its object two turns ahead, since that says where the stack is.
 *
 * The first places are left out: few continuations stay in the caches.
 */
#if WASMFX_RT_TIER == 2
#define WASMFX_RT_FEW 1024

static inline const struct wasmfx_abi_object *wasmfx_rt_object(const wasmfx_runtime_t *runtime, uint32_t place)
{
  return (const struct wasmfx_abi_object *)((const char *)runtime + ((size_t)place << WASMFX_ABI_OBJECT_SHIFT));
}

static inline __attribute__((always_inline)) void wasmfx_rt_look_ahead(wasmfx_rt_t *rt, wasmfx_cont_t cont)
{
  const uint32_t place = (uint32_t)cont;
  if (place < WASMFX_RT_FEW)
    return;
  if (WASMFX_RT_UNLIKELY(place >= rt->follower_count) && !wasmfx_rt_make_followers(rt, place))
    return;
  rt->followers[rt->resumed_last] = place;
  rt->resumed_last = place;
  const uint32_t next = rt->followers[place];
  const char *stack = (const char *)wasmfx_rt_object(rt->runtime, next)->sp;
  __builtin_prefetch(wasmfx_rt_object(rt->runtime, rt->followers[next]));
  __builtin_prefetch(stack - 64);
  __builtin_prefetch(stack);
  __builtin_prefetch(stack + 64);
}
#else
static inline void wasmfx_rt_look_ahead(wasmfx_rt_t *rt, wasmfx_cont_t cont)
{
  (void)rt, (void)cont;
}
#endif

/* ---- resume ------------------------------------------------------------------------------------ */

WASMFX_RT_VERB(struct wasm_multi_ije, Z_wasmfxZ_resume,
               (wasmfx_rt_t * rt, uint64_t word, wasm_rt_externref_t reference, wasm_rt_externref_t handlers))
{
  wasmfx_runtime_t *runtime = rt->runtime;
  wasmfx_cont_t cont = wasmfx_rt_cont(reference);
  wasmfx_rt_look_ahead(rt, cont);
  wasmfx_outcome_t outcome = WASMFX_RT_RESUME(runtime, cont, (const wasmfx_handlers_t *)handlers, word);
  if (WASMFX_RT_UNLIKELY(wasmfx_rt_event(outcome) > WASMFX_SUSPENDED))
    outcome = wasmfx_rt_resumed_otherwise(rt, &cont, (const wasmfx_handlers_t *)handlers, word, outcome);
  return wasmfx_rt_resumed(cont, outcome);
}

static inline struct wasm_multi_ije wasmfx_rt_resume(wasmfx_rt_t *rt, wasm_rt_externref_t reference,
                                                     wasm_rt_externref_t handlers, const wasmfx_value_t *values,
                                                     size_t count)
{
  wasmfx_cont_t cont = wasmfx_rt_cont(reference);
  wasmfx_outcome_t outcome = wasmfx_resume(rt->runtime, &cont, (const wasmfx_handlers_t *)handlers, values, count);
  if (wasmfx_rt_has_made_room(rt, outcome.status))
    outcome = wasmfx_resume(rt->runtime, &cont, (const wasmfx_handlers_t *)handlers, values, count);
  return wasmfx_rt_resumed_list(rt, cont, outcome);
}

WASMFX_RT_VERB(struct wasm_multi_ije, Z_wasmfxZ_resume_n,
               (wasmfx_rt_t * rt, uint32_t count, wasm_rt_externref_t cont, wasm_rt_externref_t handlers))
{
  return wasmfx_rt_resume(rt, cont, handlers, wasmfx_rt_arguments(rt, count), count);
}

WASMFX_RT_VERB(struct wasm_multi_ije, Z_wasmfxZ_resume_throw,
               (wasmfx_rt_t * rt, wasm_rt_externref_t exception, wasm_rt_externref_t reference,
                  wasm_rt_externref_t handlers))
{
  wasmfx_cont_t cont = wasmfx_rt_cont(reference);
  const wasmfx_outcome_t outcome = wasmfx_resume_throw_ref(rt->runtime, &cont, (const wasmfx_handlers_t *)handlers,
                                                           (const wasmfx_exception_t *)exception);
  return wasmfx_rt_resumed_list(rt, cont, outcome);
}

/* ---- suspend ------------------------------------------------------------------------------------ */

WASMFX_RT_VERB(uint64_t, Z_wasmfxZ_suspend, (wasmfx_rt_t * rt, uint64_t word, wasm_rt_externref_t tag))
{
  wasmfx_runtime_t *runtime = rt->runtime;
  const wasmfx_outcome_t outcome = WASMFX_RT_SUSPEND(runtime, (const wasmfx_tag_t *)tag, word);
  if (WASMFX_RT_UNLIKELY(wasmfx_rt_event(outcome) != WASMFX_RETURNED)) {
    wasmfx_rt_arrived(rt, outcome);
    return 0;
  }
  return outcome.word;
}

static inline void wasmfx_rt_suspend(wasmfx_rt_t *rt, wasm_rt_externref_t tag, const wasmfx_value_t *values,
                                     size_t count)
{
  wasmfx_rt_arrived(rt, wasmfx_suspend(rt->runtime, (const wasmfx_tag_t *)tag, values, count));
}

WASMFX_RT_VERB(void, Z_wasmfxZ_suspend_n, (wasmfx_rt_t * rt, uint32_t count, wasm_rt_externref_t tag))
{
  wasmfx_rt_suspend(rt, tag, wasmfx_rt_arguments(rt, count), count);
}

/* ---- switch -------------------------------------------------------------------------------------- */

WASMFX_RT_VERB(struct wasm_multi_je, Z_wasmfxZ_switch,
               (wasmfx_rt_t * rt, uint64_t word, wasm_rt_externref_t reference, wasm_rt_externref_t tag,
                  wasm_rt_externref_t wait))
{
  wasmfx_runtime_t *runtime = rt->runtime;
  wasmfx_cont_t cont = wasmfx_rt_cont(reference);
  wasmfx_outcome_t outcome =
    WASMFX_RT_SWITCH(runtime, cont, (const wasmfx_tag_t *)tag, (const wasmfx_type_t *)wait, word);
  if (wasmfx_rt_has_made_room(rt, outcome.status))
    outcome = wasmfx_switch_word(rt->runtime, &cont, (const wasmfx_tag_t *)tag, (const wasmfx_type_t *)wait, word);
  if (WASMFX_RT_UNLIKELY(wasmfx_rt_event(outcome) != WASMFX_RETURNED)) {
    wasmfx_rt_arrived(rt, outcome);
    outcome.word = 0;
  }
  const struct wasm_multi_je result = { outcome.word, wasmfx_rt_externref(cont) };
  return result;
}

static inline void wasmfx_rt_switch(wasmfx_rt_t *rt, wasm_rt_externref_t reference, wasm_rt_externref_t tag,
                                    wasm_rt_externref_t wait, const wasmfx_value_t *values, size_t count)
{
  wasmfx_cont_t cont = wasmfx_rt_cont(reference);
  wasmfx_outcome_t outcome =
    wasmfx_switch(rt->runtime, &cont, (const wasmfx_tag_t *)tag, (const wasmfx_type_t *)wait, values, count);
  if (wasmfx_rt_has_made_room(rt, outcome.status))
    outcome = wasmfx_switch(rt->runtime, &cont, (const wasmfx_tag_t *)tag, (const wasmfx_type_t *)wait, values, count);
  wasmfx_rt_arrived(rt, outcome);
}

WASMFX_RT_VERB(void, Z_wasmfxZ_switch_n,
               (wasmfx_rt_t * rt, uint32_t count, wasm_rt_externref_t cont, wasm_rt_externref_t tag,
                  wasm_rt_externref_t wait))
{
  wasmfx_rt_switch(rt, cont, tag, wait, wasmfx_rt_arguments(rt, count), count);
}

/* ---- The verbs of one to four values ---------------------------------------------------------------- */

#define WASMFX_RT_PARAMETERS_1 uint64_t a
#define WASMFX_RT_PARAMETERS_2 WASMFX_RT_PARAMETERS_1, uint64_t b
#define WASMFX_RT_PARAMETERS_3 WASMFX_RT_PARAMETERS_2, uint64_t c
#define WASMFX_RT_PARAMETERS_4 WASMFX_RT_PARAMETERS_3, uint64_t d
#define WASMFX_RT_VALUES_1 { .word = a }
#define WASMFX_RT_VALUES_2 WASMFX_RT_VALUES_1, { .word = b }
#define WASMFX_RT_VALUES_3 WASMFX_RT_VALUES_2, { .word = c }
#define WASMFX_RT_VALUES_4 WASMFX_RT_VALUES_3, { .word = d }

#define WASMFX_RT_FAMILY(count)                                                                                        \
  WASMFX_RT_IMPORT(wasm_rt_externref_t, Z_wasmfxZ_cont_bind_##count,                                                   \
                   (wasmfx_rt_t * rt, WASMFX_RT_PARAMETERS_##count, wasm_rt_externref_t cont,                          \
                    wasm_rt_externref_t type))                                                                         \
  {                                                                                                                    \
    const wasmfx_value_t values[] = { WASMFX_RT_VALUES_##count };                                                      \
    return wasmfx_rt_bind(rt, cont, type, values, count);                                                              \
  }                                                                                                                    \
  WASMFX_RT_VERB(struct wasm_multi_ije, Z_wasmfxZ_resume_##count,                                                      \
                 (wasmfx_rt_t * rt, WASMFX_RT_PARAMETERS_##count, wasm_rt_externref_t cont,                            \
                    wasm_rt_externref_t handlers))                                                                     \
  {                                                                                                                    \
    const wasmfx_value_t values[] = { WASMFX_RT_VALUES_##count };                                                      \
    return wasmfx_rt_resume(rt, cont, handlers, values, count);                                                        \
  }                                                                                                                    \
  WASMFX_RT_VERB(void, Z_wasmfxZ_suspend_##count,                                                                      \
                 (wasmfx_rt_t * rt, WASMFX_RT_PARAMETERS_##count, wasm_rt_externref_t tag))                            \
  {                                                                                                                    \
    const wasmfx_value_t values[] = { WASMFX_RT_VALUES_##count };                                                      \
    wasmfx_rt_suspend(rt, tag, values, count);                                                                         \
  }                                                                                                                    \
  WASMFX_RT_VERB(void, Z_wasmfxZ_switch_##count,                                                                       \
                 (wasmfx_rt_t * rt, WASMFX_RT_PARAMETERS_##count, wasm_rt_externref_t cont,                            \
                    wasm_rt_externref_t tag, wasm_rt_externref_t wait))                                                \
  {                                                                                                                    \
    const wasmfx_value_t values[] = { WASMFX_RT_VALUES_##count };                                                      \
    wasmfx_rt_switch(rt, cont, tag, wait, values, count);                                                              \
  }

#define WASMFX_RT_EXCEPTION(name, count)                                                                               \
  WASMFX_RT_IMPORT(wasm_rt_externref_t, name,                                                                          \
                   (wasmfx_rt_t * rt, WASMFX_RT_PARAMETERS_##count, wasm_rt_externref_t tag))                          \
  {                                                                                                                    \
    const wasmfx_value_t values[] = { WASMFX_RT_VALUES_##count };                                                      \
    return wasmfx_rt_exception_new(rt, tag, values, count);                                                            \
  }

WASMFX_RT_FAMILY(1)
WASMFX_RT_FAMILY(2)
WASMFX_RT_FAMILY(3)
WASMFX_RT_FAMILY(4)

/* ---- Payloads ------------------------------------------------------------------------------------------ */

WASMFX_RT_IMPORT(void, Z_wasmfxZ_argument, (wasmfx_rt_t * rt, uint64_t word))
{
  if (WASMFX_RT_UNLIKELY(rt->argument_count == WASMFX_RT_MAX_VALUES))
    wasmfx_rt_failed(rt, WASMFX_ERROR_LIMIT);
  rt->arguments[rt->argument_count++].word = word;
}

WASMFX_RT_IMPORT(uint64_t, Z_wasmfxZ_value, (wasmfx_rt_t * rt, uint32_t place))
{
  return rt->values[place].word;
}

WASMFX_RT_IMPORT(uint64_t, Z_wasmfxZ_word, (wasmfx_rt_t * rt, wasm_rt_externref_t reference))
{
  (void)rt;
  return (uint64_t)(uintptr_t)reference;
}

WASMFX_RT_IMPORT(wasm_rt_externref_t, Z_wasmfxZ_reference, (wasmfx_rt_t * rt, uint64_t word))
{
  (void)rt;
  return wasmfx_rt_externref(word);
}

WASMFX_RT_IMPORT(uint64_t, Z_wasmfxZ_function_word, (wasmfx_rt_t * rt, wasm_rt_funcref_t function))
{
  return function.func ? (uint64_t)(uintptr_t)wasmfx_rt_function(rt, &function) : 0;
}

WASMFX_RT_IMPORT(wasm_rt_funcref_t, Z_wasmfxZ_function, (wasmfx_rt_t * rt, uint64_t word))
{
  (void)rt;
  const wasmfx_rt_closure_t *function = (const wasmfx_rt_closure_t *)wasmfx_rt_externref(word);
  return function ? function->function : wasm_rt_funcref_null_value;
}

WASMFX_RT_IMPORT(wasm_rt_funcref_t, Z_wasmfxZ_start_function, (wasmfx_rt_t * rt))
{
  return *rt->starting;
}

/* ---- Exceptions and traps --------------------------------------------------------------------------------- */

WASMFX_RT_EXCEPTION(Z_wasmfxZ_exception, 1)
WASMFX_RT_EXCEPTION(Z_wasmfxZ_exception_2, 2)
WASMFX_RT_EXCEPTION(Z_wasmfxZ_exception_3, 3)
WASMFX_RT_EXCEPTION(Z_wasmfxZ_exception_4, 4)

WASMFX_RT_IMPORT(wasm_rt_externref_t, Z_wasmfxZ_exception_n,
                 (wasmfx_rt_t * rt, uint32_t count, wasm_rt_externref_t tag))
{
  return wasmfx_rt_exception_new(rt, tag, wasmfx_rt_arguments(rt, count), count);
}

WASMFX_RT_IMPORT(uint32_t, Z_wasmfxZ_catches, (wasmfx_rt_t * rt, wasm_rt_externref_t tag))
{
  return ((const wasmfx_exception_t *)rt->thrown)->tag == (const wasmfx_tag_t *)tag;
}

WASMFX_RT_IMPORT(uint64_t, Z_wasmfxZ_caught, (wasmfx_rt_t * rt, uint32_t is_held))
{
  return wasmfx_rt_caught(rt, is_held);
}

WASMFX_RT_IMPORT(void, Z_wasmfxZ_trap, (wasmfx_rt_t * rt, uint32_t number))
{
  static const int codes[] = { WASMFX_RT_TRAP_NULL_FUNCTION, WASMFX_RT_TRAP_NULL_REFERENCE,
                               WASMFX_RT_TRAP_TYPE_MISMATCH, WASMFX_RT_TRAP_NULL_EXCEPTION, WASMFX_RT_TRAP_CAST };
  wasmfx_rt_trap(rt, number - 1 < sizeof codes / sizeof *codes ? codes[number - 1] : WASMFX_RT_TRAP_CONTRACT);
}
#endif
