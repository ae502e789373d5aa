/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_HANDLER_H
#define WFX_HANDLER_H
/** @file handler.h  Tables of clauses, and the search up the chain. */
#include "object.h"
#include "payload.h"

struct wfx_clause {
  const struct wasmfx_tag *tag;
  uint32_t index; /* its place as the host gave it */
  uint32_t how;   /* 0: a label, by word; WFX_HOW_LONG; else how many bytes into the table its call lies */
};

/** What a clause calls in place. */
struct wfx_call {
  union {
    wasmfx_call_t function;
    wasmfx_word_call_t word_function;
  };
  void *env;
  bool is_word;
};

/** What a table is: a resume's clauses, or one of the marks that end a search. */
enum wfx_table {
  WFX_TABLE_CLAUSES,
  WFX_TABLE_EVERYTHING, /* a label clause for every tag: what cancelling resumes under */
  WFX_TABLE_BARRIER,
  WFX_TABLE_ROOT
};

/**
 * The clauses for suspensions stand first, labels and calls, then the switch clauses, each in the host's
 * order; and behind them what is called. The first of each kind stands also in front, for the short paths; that of a
 * label only if it is the first of all, its parameters travel in word form, and the runtime takes short paths; that of
 * a call only if nothing but a word travels either way, and no clause before it has the same tag. Otherwise there
 * stands the table's own address, which no tag has; so it does in the clauses that fill up those for suspensions, that
 * these may be looked at WFX_CLAUSES_AT_ONCE at a time.
 */
struct wasmfx_handlers {
  struct wfx_member member;
  const void *word_tag;
  uint64_t word_event;
  const void *switch_tag;
  enum wfx_table table;
  uint32_t suspend_count;
  uint32_t switch_count;
  uint32_t suspend_bytes; /* that the clauses for suspensions take, with what fills them up */
  uint64_t suspend_filter, switch_filter; /* the bits of all tags among the clauses; of marks, all bits */
  const void *call_tag;
  struct wfx_call call;
  struct wfx_clause clauses[];
};

extern const struct wasmfx_handlers wfx_no_handlers, wfx_everything, wfx_barrier, wfx_root;

/** Where a search ended. */
struct wfx_found {
  struct wfx_object *segment;  /* the continuation that the handling resume started; NULL: none */
  uint32_t index;              /* the clause */
  wasmfx_status_t status;      /* why there is none */
  const struct wfx_call *call; /* what it calls in place; NULL: nothing */
};

/** Looks for who handles a suspension (or a switch) of the running continuation by `tag`. */
struct wfx_found wfx_find(struct wfx_object *current, const struct wasmfx_tag *tag, bool is_switch);

#endif
