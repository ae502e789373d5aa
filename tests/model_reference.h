/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_MODEL_REFERENCE_H
#define WASMFX_TESTS_MODEL_REFERENCE_H
/**
 * @file model_reference.h
 * The verbs without a stack: an executable specification.
 *
 * What is running is a list of links, outermost first. It begins with the
 * host's root; each resume adds the links of the chain that it was given, and
 * roots, barriers and calls of handlers in place are links of their own:
 *
 *     root | cont 3 | cont 7 | barrier | cont 9 | root | cont 12
 *     host                                               running
 *
 * A suspension cuts the list at a continuation whose resume handles it. What
 * was cut off becomes the chain of a new reference, as the list that it is:
 *
 *     reference 31 -> | cont 7 | cont 8 | cont 9 |
 *                       outermost          innermost: suspended
 *
 * Each verb is a function that changes these lists and answers a *landing*: who
 * receives control then, and what it finds. The model never runs anything; a
 * driver runs the library beside it and compares.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wasmfx/wasmfx.h>

enum {
  MODEL_MAX_VALUES = 6,        /* of a payload */
  MODEL_MAX_CLAUSES = 8,       /* of a table */
#ifdef MODEL_SMALL             /* for worlds that are made anew all the time */
  MODEL_MAX_DEPTH = 12,
  MODEL_MAX_SCOPES = 6,
  MODEL_MAX_LINKS = 48,
  MODEL_MAX_REFERENCES = 64,
#else
  MODEL_MAX_DEPTH = 100,       /* continuations running and waiting at once */
  MODEL_MAX_SCOPES = 16,       /* barriers and roots open at once */
  MODEL_MAX_LINKS = 1024,      /* continuations alive, roots and barriers */
  MODEL_MAX_REFERENCES = 1024, /* alive, and dead ones that are remembered */
#endif
  MODEL_MAX_RUNNING = 1 + MODEL_MAX_DEPTH + MODEL_MAX_SCOPES
};

/* ---- Types, tags, tables: never changed by a verb ---------------------------- */

/** Parameters or results. */
struct model_list {
  size_t count;
  wasmfx_kind_t kinds[MODEL_MAX_VALUES];
};

/** [params] -> [results] */
struct model_type {
  struct model_list params, results;
};

/** A tag. Its identity is its address. */
struct model_tag {
  struct model_type type;
};

struct model_clause {
  const struct model_tag *tag;
  enum wasmfx_clause_kind kind;
};

/** The clauses of a resume. */
struct model_table {
  size_t count;
  struct model_clause clauses[MODEL_MAX_CLAUSES];
};

/** An exception with its payload. */
struct model_exception {
  const struct model_tag *tag;
  wasmfx_value_t values[MODEL_MAX_VALUES];
  size_t count;
  void *host;
};

/** Reads a type from text: "params:results", a letter for each value: i i32, l i64, f f32, d f64, v v128, e externref,
 *  c contref. */
struct model_type model_type_of(const char *signature);
bool model_same_list(const struct model_list *a, const struct model_list *b);
/** Whether the payload of a list travels as a word: at most one value, v128 excepted. */
bool model_is_word(const struct model_list *list);
/** The same for the payload that wakes a continuation, whose last contref travels beside it. */
bool model_wakes_by_word(const struct model_list *list);
/** Whether a list ends with a contref. */
bool model_ends_with_cont(const struct model_list *list);

/* ---- Links, references, marks ------------------------------------------------- */

/** A call is that of a handler in place, by the link below it: a barrier that knows where an exception goes. */
enum model_link_kind { MODEL_CONT, MODEL_BARRIER, MODEL_ROOT, MODEL_CALL };

/** What cancelling does at a suspension that reaches it. */
struct model_cancelling {
  bool active;
  size_t attempts_left; /* further throws that are allowed */
  struct model_exception exception;
};

/** A continuation, barrier, root or call. */
struct model_link {
  enum model_link_kind kind;
  uint64_t number; /* no two links ever have the same */
  void *host_word; /* not of barriers and calls, which have none; of a root at first that of who opened it */

  /* continuations only */
  bool is_fresh;
  const struct model_type *type;
  struct model_list awaits; /* all that it is woken with... */
  size_t bound;             /* ...of which so many are bound */
  wasmfx_value_t prefix[MODEL_MAX_VALUES];
  const struct model_table *handlers; /* of the resume that it runs under; outermost links of chains have none */
  struct model_cancelling cancelling; /* if that resume is part of a cancel */

  /* barriers only */
  bool is_host_call;  /* that of a call on the host's stack, */
  bool on_host_stack; /* which does run there */

  /* calls only */
  const struct model_tag *tag;
  uint64_t handled; /* the number of the continuation that the handling resume started */

  bool in_use; /* of the model's store */
};

/** A reference, alive or dead. */
struct model_reference {
  uint64_t number;     /* no two references ever have the same */
  wasmfx_cont_t value; /* what the library calls it: set by the driver as soon as it is seen */
  bool is_alive;
  size_t place; /* among the live ones */
  bool is_reached; /* by the last model_reach() */
  size_t length;
  struct model_link *chain[MODEL_MAX_DEPTH]; /* outermost first; the last one is suspended or fresh */
};

/** What wasmfx_mark() remembers: links, by number. */
struct model_mark {
  uint64_t body; /* the running continuation or root */
  size_t scope_count;
  uint64_t scopes[MODEL_MAX_SCOPES]; /* the barriers that the body had open, outermost first */
};

/* ---- Landings ------------------------------------------------------------------ */

/** What a verb leaves in the variable that it was given the reference in. */
enum model_variable {
  MODEL_VARIABLE_UNTOUCHED,
  MODEL_VARIABLE_NULL,
  MODEL_VARIABLE_MINTED, /* the reference that the verb has minted */
  MODEL_VARIABLE_SENT    /* a contref that somebody sent: the last value of the payload */
};

/** Where control goes, and what is found there. */
struct model_landing {
  struct model_link *receiver;
  bool enters;   /* a body begins; else a call of the receiver's returns */
  bool is_woken; /* `list` is what a suspended or fresh continuation was woken with */
  wasmfx_status_t status;
  uint32_t handler;                  /* SUSPENDED: the clause */
  const struct model_list *list;     /* of the payload, */
  wasmfx_value_t values[MODEL_MAX_VALUES];
  struct model_exception exception;  /* THREW */
  int64_t code;                      /* TRAPPED */
  struct model_reference *minted;    /* born by this verb, its value not known yet; or NULL */
  enum model_variable variable;
};

/* ---- The model -------------------------------------------------------------------- */

struct model {
  struct model_link *running[MODEL_MAX_RUNNING]; /* outermost first; the last one has control */
  size_t running_count;

  struct model_reference references[MODEL_MAX_REFERENCES];
  size_t reference_count;                            /* entries that were ever used */
  size_t oldest;                                     /* where to look first for a dead entry to reuse */
  struct model_reference *live[MODEL_MAX_REFERENCES]; /* newest last, until one of them dies */
  size_t live_count;

  struct model_link links[MODEL_MAX_LINKS];
  size_t next_link; /* where to look first for a free one */

  uint64_t links_born, references_born;
  uint64_t words_died, words_sum; /* host words, not null, of continuations that have died */
  size_t conts_created, conts_live, stacks_used;
  size_t depth, scopes_open; /* continuations and scopes in the running list, all roots taken together */
  size_t longest, captures, deep_captures, calls, deep_calls;

  struct model_landing landing;
};

/** One host root, nothing else. */
void model_init(struct model *m);

/** Who has control. */
struct model_link *model_top(const struct model *m);
/** The continuation or root that it belongs to: barriers are part of those. */
struct model_link *model_body(const struct model *m);
/** The continuation on whose stack a running or waiting link runs: scopes run on their opener's, but
 *  for calls on the host's stack. NULL: the host's. */
struct model_link *model_stack_owner(const struct model *m, const struct model_link *link);
/** The continuation, handler in place or call on the host's stack whose function has to return before that of what is
 *  below it can go on. NULL: the host's. */
struct model_link *model_function_of(const struct model *m, const struct model_link *link);
/** Whether the chain of `cont` may be resumed now, and whether there is room for another scope or continuation. */
bool model_may_resume(const struct model *m, const struct model_reference *cont);
bool model_may_enter(const struct model *m);
/** Whether who has control is a continuation on its own stack, who may call on the host's. */
bool model_may_call_on_host_stack(const struct model *m);
bool model_may_make(const struct model *m);

/* What can be seen from outside. `cont` is NULL for the null reference. */
enum wasmfx_state model_state(const struct model_reference *cont);
size_t model_arity(const struct model_reference *cont);
size_t model_depth(const struct model *m);
/** What a suspension of this kind by `tag` would meet: OK, UNHANDLED or BARRIER. */
wasmfx_status_t model_search(const struct model *m, const struct model_tag *tag, enum wasmfx_clause_kind kind);
/** Whether a suspension by `tag` would be answered in place. */
bool model_calls(const struct model *m, const struct model_tag *tag);
/** The results that the resume which would handle a switch by `tag` has been promised; NULL if there is none. */
const struct model_list *model_promised(const struct model *m, const struct model_tag *tag);
/** Whether a reference is alive and waits for a contref as the last value, as the target of a switch must. */
bool model_awaits_cont(const struct model_reference *cont);
/** The host word of a live reference's suspended or fresh continuation. */
void **model_host_word_of(const struct model_reference *cont);

/* ---- The verbs ----------------------------------------------------------------------
 *
 * The landing that they answer is good until the next verb. */

const struct model_landing *model_new(struct model *m, const struct model_type *type);
const struct model_landing *model_bind(struct model *m, struct model_reference *cont, const struct model_type *to,
                                       const wasmfx_value_t *values, size_t count);

/** `handlers` NULL: none. The word form has the same effect for a payload that can travel so. */
const struct model_landing *model_resume(struct model *m, struct model_reference *cont,
                                         const struct model_table *handlers, const wasmfx_value_t *values,
                                         size_t count);
const struct model_landing *model_resume_word(struct model *m, struct model_reference *cont,
                                              const struct model_table *handlers, uint64_t word);
/** Of both resume_throw and resume_throw_ref. */
const struct model_landing *model_resume_throw(struct model *m, struct model_reference *cont,
                                               const struct model_table *handlers,
                                               const struct model_exception *exception);

const struct model_landing *model_suspend(struct model *m, const struct model_tag *tag, const wasmfx_value_t *values,
                                          size_t count);
const struct model_landing *model_suspend_word(struct model *m, const struct model_tag *tag, uint64_t word);
/** The handler of a call returns, perhaps with scopes open: then those are closed, and the suspension fails. */
const struct model_landing *model_answer(struct model *m, const struct model_link *call, const wasmfx_value_t *results);
/** `wait` are the parameters by which the caller is to be woken. */
const struct model_landing *model_switch(struct model *m, struct model_reference *cont, const struct model_tag *tag,
                                         const struct model_list *wait, const wasmfx_value_t *values, size_t count);
const struct model_landing *model_switch_word(struct model *m, struct model_reference *cont,
                                              const struct model_tag *tag, const struct model_list *wait,
                                              uint64_t word);

/** A continuation ends, in one of three ways: the one whose entry function returns, with all scopes that it left open;
 *  or the running one. */
const struct model_landing *model_return(struct model *m, const wasmfx_value_t *results);
const struct model_landing *model_throw(struct model *m, const struct model_exception *exception);
const struct model_landing *model_trap(struct model *m, int64_t code);

const struct model_landing *model_drop(struct model *m, struct model_reference *cont);
/** `exception` NULL: the null exception reference. */
const struct model_landing *model_cancel(struct model *m, struct model_reference *cont,
                                         const struct model_exception *exception, size_t attempts);

/** Finds out which references a collection reaches: from `roots`, from what runs, from what is reached. A link holds
 * its host word, what is bound to it and, if it has a stack of the library's, what `also` answers (NULL: nothing). */
void model_reach(struct model *m, const wasmfx_cont_t *roots, size_t root_count,
                 wasmfx_cont_t (*also)(const struct model_link *link));

/** Opens a barrier or root; it has control then. */
struct model_link *model_enter(struct model *m, enum model_link_kind kind);
/** The same for a call on the host's stack, where it may stay on the caller's: that is up to the tools. */
struct model_link *model_call_on_host_stack(struct model *m, bool stays);
/** Closes it. */
wasmfx_status_t model_leave(struct model *m, const struct model_link *scope);

void model_mark(const struct model *m, struct model_mark *mark);
/** What unwind_to answers when it is called on the stack of the continuation `caller` (NULL: the host's). */
wasmfx_status_t model_may_unwind(const struct model *m, const struct model_mark *mark,
                                 const struct model_link *caller);
/** Whether there is anything to unwind: whether links would end. */
bool model_unwinds(const struct model *m, const struct model_mark *mark);
/** unwind_to, if it may: answers how many continuations died. */
size_t model_unwind_to(struct model *m, const struct model_mark *mark);

#endif
