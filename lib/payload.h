/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_PAYLOAD_H
#define WFX_PAYLOAD_H
/**
 * @file payload.h
 * Lists of kinds, types, tags; payloads on their way; bound prefixes.
 */
#include <stdbool.h>

#include <wasmfx/types.h>

#include "arch/layout.h"

/* How a list travels. Without a bit: in a register, 0 or 1 values. */
#define WFX_FORM_COUNT 0x0fffffffu     /* values, the contref beside them not counted */
/* WFX_FORM_CONTREF and WFX_FORM_FRESH: layout.h */
#define WFX_FORM_BY_ADDRESS 0x80000000u
#define WFX_FORM_BOUND 0xffffffffu     /* stands for "part of it is bound" */

/* Longer lists do not go on the continuation's own stack: on one that may be small, and on others. */
#define WFX_SLOTS_ON_SMALL_STACK 8
#define WFX_SLOTS_ON_STACK 64

/** A list of kinds: parameters or results. Those that somebody may await lie at WFX_LIST_PLACE. */
struct wfx_list {
  uint32_t wake_form; /* where it wakes a continuation */
  uint32_t send_form; /* where it goes to a handler or a resumer */
  uint32_t count;
  wasmfx_kind_t kinds[];
};

/** A number that is the same for two lists only if they are equal; and if they are short, also the other way round. */
uint64_t wfx_list_shape(const struct wfx_list *list);

/** What types, tags and tables begin with: links them to their runtime, which frees what is left. */
struct wfx_member {
  struct wfx_member *next, **link;
  struct wasmfx_runtime *rt;
  size_t bytes;
};

struct wasmfx_type {
  struct wfx_member member;
  const struct wfx_list *params;
  const struct wfx_list *fresh_params; /* the same, and WFX_FORM_FRESH */
  const struct wfx_list *short_params; /* the same, where short paths find it; NULL: they must not */
  const struct wfx_list *results;
  uint64_t results_shape;
  bool is_long; /* the general form keeps parameters and results with the object, for being too many for the stack */
  bool is_word; /* both travel in a register, a contref beside the parameters apart */
};

struct wasmfx_tag {
  struct wfx_member member;
  const struct wfx_list *results;
  const struct wfx_list *params;
  const struct wasmfx_type *type;
  uint64_t results_shape;
  uint64_t filter; /* one bit, which other tags may have as well */
};

/** A prefix of what a continuation awaits, and room for long results. Kept with the object from use to use. */
struct wfx_bound {
  const struct wfx_list *awaits; /* the whole list */
  uint32_t count;                /* values bound by now */
  uint32_t capacity;
  uint32_t tenant;
  uint32_t result_capacity;
  wasmfx_value_t *results;
  wasmfx_value_t values[];
};

/** What a continuation awaits of which a prefix is bound: WFX_FORM_BOUND. */
extern const struct wfx_list *const wfx_bound_list;
/** What the head of a captured chain awaits, whom nobody has a reference to: the same form. */
extern const struct wfx_list *const wfx_head_list;
/** [contref], and [i64 contref]: what a switch waits for if it is not told. */
extern const struct wasmfx_type wfx_contref_type, wfx_word_contref_type;

/** A block of `bytes` bytes that begins with a member, zeroed and linked; NULL: no memory. */
void *wfx_member_new(struct wasmfx_runtime *rt, size_t bytes);
void wfx_member_free(struct wfx_member *member);

struct wfx_object;

/** What a continuation awaits, bound or not. */
const struct wfx_list *wfx_awaited(const struct wfx_object *object);
/** How many of these values are bound already. */
uint32_t wfx_bound_count(const struct wfx_object *object);

/** Room for `count` bound values; those that are bound stay. Errors: NO_MEMORY. */
wasmfx_status_t wfx_bound_reserve(struct wasmfx_runtime *rt, struct wfx_object *object, uint32_t count);
/** Room for `count` results as well. Errors: NO_MEMORY. */
wasmfx_status_t wfx_bound_reserve_results(struct wasmfx_runtime *rt, struct wfx_object *object, uint32_t count);
void wfx_bound_free(struct wasmfx_runtime *rt, struct wfx_object *object);
/** Writes values behind the bound prefix, where nobody looks before they are appended. They may lie in the object's own
 *  buffer: it may have passed them on itself. Errors: NO_MEMORY. */
wasmfx_status_t wfx_bound_write(struct wasmfx_runtime *rt, struct wfx_object *object, const wasmfx_value_t *values,
                                uint32_t count);
/** Makes them part of the prefix. */
void wfx_bound_append(struct wfx_object *object, uint32_t count);

/** A payload ready to travel: what the five registers of arch.h carry of it. */
struct wfx_parcel {
  uint64_t word;
  wasmfx_cont_t cont;
  bool by_address;
};

/** Packs what still has to be passed to a continuation, `contref` apart if the verb itself supplies it (switch).
 *  Nothing is consumed. Errors: ARITY. */
wasmfx_status_t wfx_pack_waking(struct wfx_object *object, const wasmfx_value_t *values, size_t count,
                                bool brings_contref, struct wfx_parcel *parcel);
/** The same for one word, or for nothing. */
wasmfx_status_t wfx_pack_waking_word(struct wfx_object *object, uint64_t word, bool brings_contref,
                                     struct wfx_parcel *parcel);
/** Packs a list for a handler or a resumer. Errors: ARITY. */
wasmfx_status_t wfx_pack_sending(const struct wfx_list *list, const wasmfx_value_t *values, size_t count,
                                 struct wfx_parcel *parcel);

/** How many parameters have to be put together before an entry function of the general form sees them. */
static inline size_t wfx_gathered_count(const struct wasmfx_type *type)
{
  const uint32_t form = type->params->wake_form;
  return form & WFX_FORM_BY_ADDRESS && !(form & WFX_FORM_CONTREF) ? 0 : (form & WFX_FORM_COUNT) + 1;
}

bool wfx_list_equal(const struct wfx_list *a, const struct wfx_list *b);

/** Whether a list travels in a register in both roles, a contref beside it apart. */
static inline bool wfx_form_is_word(uint32_t form)
{
  return (form & ~(WFX_FORM_CONTREF | WFX_FORM_FRESH)) <= 1;
}

#endif
