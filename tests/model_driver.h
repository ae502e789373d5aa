/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_MODEL_DRIVER_H
#define WASMFX_TESTS_MODEL_DRIVER_H
/**
 * @file model_driver.h
 * What the files of the random-program driver share; model.c says how it works.
 *
 *     model.c             the command, which decides at random
 *     model_programs.c    interpreter, programs, eras
 *     model_operations.c  one function for each verb
 *     model_collect.c     collections
 *     model_choices.c     operands
 *     model_check.c       what is found, held against the model; reports
 *     model_reference.c   the model, which knows none of these
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "jump.h"
#include "model_reference.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum {
  TYPES = 19,
  TAGS = 11,
  TABLES = 12,
  HISTORY = 40,   /* operations that are shown after a mismatch */
#ifdef MODEL_SMALL
  SEEN = 1 << 12,
#else
  SEEN = 1 << 19, /* references of an era that are remembered, at most half of this */
#endif
  FAVOURITE_TABLES = 3,
  FAVOURITE_TAGS = 2
};

enum operation {
  OP_NEW, OP_BIND, OP_RESUME, OP_SUSPEND, OP_SWITCH, OP_RESUME_THROW, OP_RESUME_THROW_REF, OP_THROW, OP_THROW_REF,
  OP_TRAP, OP_RETURN, OP_DROP, OP_CANCEL, OP_BARRIER, OP_ROOT, OP_LEAVE, OP_MARK, OP_UNWIND, OP_HOST_CALL, OP_HOST_WORD,
  OP_STACK_CLASS, OP_TENANT, OP_FREE, OP_COLLECT, OP_KEEP, OPERATIONS
};

/** What somebody means to do with a reference that it has just got. */
struct intention {
  struct model_reference *cont; /* NULL: nothing */
  uint64_t number;              /* if it is still this one */
  bool by_switch;
  int under; /* the table, or the tag to switch by */
};

/** What the interpreter of a running or waiting link keeps. */
struct frame {
  uint64_t call;         /* the number of the call that it is in; 0: its body has not begun */
  jmp_buf jump;          /* into its loop */
  wasmfx_mark_t mark;
  struct model_mark model_mark;
  bool is_marked;
  wasmfx_scope_t *scope; /* of a barrier or root */
  bool is_ending;        /* its loop is to be left; of a continuation: also those of its scopes */

  struct model_exception exception;  /* the last one that it threw itself; */
  wasmfx_exception_t real_exception; /* who catches it may be itself, and may throw it on */
  const wasmfx_exception_t *arrived; /* one that has just arrived, and is valid until the next call */

  volatile wasmfx_cont_t *keepsake; /* a reference in a variable of its interpreter; NULL: that has not begun */

  bool starts;           /* it means to make another and resume it */
  struct intention next; /* what it means to do with a reference */
  unsigned repeats;      /* how often it means to suspend again with the same tag */
  int repeats_tag;
  const struct model_link *captured_at; /* where its last deep capture ended */
  int captured_by;                      /* and the tag; TAGS more for a switch */
};

/** What a verb is called with, for who reads a mismatch. */
struct record {
  uint64_t number;
  enum operation operation;
  uint64_t actor;
  const char *cont_state;
  uint64_t cont_number;
  int tag, table;
  size_t count;
};

/** An era: a runtime, and types, tags and tables, each as the library and as the model has it. */
struct era {
  struct model_type model_types[TYPES];
  struct model_tag model_tags[TAGS];
  struct model_table model_tables[TABLES];
  wasmfx_type_t *types[TYPES];
  wasmfx_tag_t *tags[TAGS];
  wasmfx_handlers_t *tables[TABLES];
  uint32_t tenants;
  wasmfx_cont_t seen[SEEN]; /* every reference that there ever was: a hash table */
  size_t seen_count;
  struct {
    bool is_set;
    wasmfx_mark_t mark;
    struct model_mark same;
  } old_marks[8]; /* kept beyond their time */
  bool has_hook;
  struct {
    unsigned calls; /* since it was looked at last */
    void *to;
    uint64_t body; /* who was running then */
    uint64_t died, died_sum;
  } hook;
};

/** A program: what it does often. */
struct program {
  uint64_t steps_left;
  unsigned weights[OPERATIONS], weights_total;
  unsigned growth;      /* percent: a body that begins makes another and resumes it */
  unsigned insistence;  /* percent: who gets a reference uses it at once */
  unsigned repetition;  /* a suspension is repeated up to so many times */
  int favourite_tables[FAVOURITE_TABLES], favourite_tags[FAVOURITE_TAGS];
};

/** The run, and what is printed at its end. */
struct run {
  uint64_t seed, random_state, operations, wanted, trace_from;
  uint64_t counts[OPERATIONS], failures, consumed_used, captures, deep_captures, repeated_captures, retired, collected;
  uint64_t calls, deep_calls;
  size_t longest_chain, dropped_at_ends;
  unsigned eras, programs;
  bool shows_progress;
  bool is_dense; /* stacks are packed, and without guards */
  struct record history[HISTORY];
};

extern wasmfx_runtime_t *rt;
extern struct model model;
extern struct frame frames[MODEL_MAX_LINKS];
extern struct era era;
extern struct program program;
extern struct run run;
extern const char *const type_signatures[TYPES];
extern const char *const tag_signatures[TAGS];

static inline struct frame *frame_of(const struct model_link *link)
{
  return &frames[link - model.links];
}

/* ---- model_choices.c ------------------------------------------------------------ */

/** A reference as a verb gets it: what the model knows of it, NULL for null, and its value. */
struct operand {
  struct model_reference *cont;
  wasmfx_cont_t value;
};

bool one_in(unsigned n);
bool percent(unsigned n);
void *draw_pointer(void);
/** A number that may be a reference. */
uint64_t draw_held(void);
void draw_values(wasmfx_value_t *values, size_t count);

struct operand operand_of(struct model_reference *cont);
/** Mostly alive, and mostly young or long. */
struct operand choose_cont(void);
/** A tag that somebody handles; if there is none, mostly -1. */
int choose_tag(void);
/** A tag by which the running continuation can switch, and to whom. Sometimes any. */
bool choose_switch(int *tag, struct operand *target);
/** What a switch is to wait for, and its type: -1 for what the verb waits for if it is not told. */
struct model_list choose_wait(int *type, bool by_word);
/** A table, or -1 for none. */
int choose_table(void);
/** Mostly the right one. */
size_t choose_count(size_t right);
/** A type for cont.bind to bind to; -1 for none. */
int choose_bound_type(const struct model_reference *cont, size_t count);
/** Makes a random exception of `self`, in its frame. Answers the tag. */
int make_exception(struct model_link *self, void *host);

/* ---- model_check.c ---------------------------------------------------------------- */

/** Every operation begins here. Answers its number, by which who returns from a call is known. `operand` may be NULL;
 *  `tag` and `table` are -1 where there are none. */
uint64_t begin(const struct model_link *self, enum operation operation, const struct operand *operand, int tag,
               int table, size_t count);

_Noreturn void mismatch(const char *what, uint64_t expected, uint64_t found, int line);
void expect_at(const char *what, uint64_t expected, uint64_t found, int line);

#define EXPECT(what, expected, found) expect_at((what), (uint64_t)(expected), (uint64_t)(found), __LINE__)
#define EXPECT_STATUS(expected, found) \
  expect_at("status", (uint64_t)(int64_t)(expected), (uint64_t)(int64_t)(found), __LINE__)

/* The same for what the model's landing says. */
enum form { WORD, GENERAL };
void expect_receiver(const struct model_link *self, uint64_t call, bool enters);
void expect_payload(wasmfx_outcome_t outcome, enum form form);
/** The variable that held `before` when the verb was called. A new reference is named by this. */
void expect_variable(wasmfx_cont_t before, wasmfx_cont_t found);
/** All of an outcome: a call of `self` has returned. */
void expect_outcome(struct model_link *self, uint64_t call, wasmfx_outcome_t outcome, enum form form);

/** Compares what can be seen from outside. */
void look_around(void);
/** Reports crashes and hangs as mismatches are. */
void watch(void);

/* ---- model_operations.c -------------------------------------------------------------- */

/** What can be done, and how often it is. Answers whether it could be. `self` is who has control. */
struct repertory {
  const char *name;
  bool (*perform)(struct model_link *self);
  unsigned weight;
};
extern const struct repertory repertory[OPERATIONS];

bool make_cont(struct model_link *self);
bool drop_this(struct model_link *self, struct operand operand);
bool cancel_this(struct model_link *self, struct operand operand);
bool resume_under(struct model_link *self, struct operand operand, int table);
bool suspend_by(struct model_link *self, int tag);
bool switch_by(struct model_link *self, struct operand operand, int tag);
bool throw_this(struct model_link *self, const wasmfx_exception_t *exception, const struct model_exception *same,
                int tag);
bool resume_throw_this(struct model_link *self, const wasmfx_exception_t *exception,
                       const struct model_exception *same, int tag);
/** A longjmp has come to `self`. */
void land_after_jump(struct model_link *self);

void intend(struct model_link *self, struct model_reference *cont, bool by_switch, int under);
/** Somebody has switched to `self`, which may mean to switch back. */
void mind_switched(struct model_link *self);

/* ---- model_collect.c ----------------------------------------------------------------- */

bool collect(struct model_link *self);
/** Another reference for the variable of its interpreter. */
bool change_keepsake(struct model_link *self);

/* ---- model_programs.c ------------------------------------------------------------------- */

/** The frame of a link that begins. */
void open_frame(const struct model_link *link);
/** The bodies of all continuations: `env` is the link. */
void general_body(wasmfx_runtime_t *runtime, void *env, const wasmfx_value_t *args, wasmfx_value_t *results);
uint64_t word_body(wasmfx_runtime_t *runtime, void *env, uint64_t word, wasmfx_cont_t from);
/** Does operations as `self` until it ends. */
void interpret(struct model_link *self);
/** Whether there is stack for a program inside another: a dense one has room for one or two. */
bool has_stack_for_another(void);

/** Decides what the next program does often, and how long it is. */
void choose_program(void);
/** Runs it, and ends most of what is alive then. */
void run_program(void);
void open_era(void);
void close_era(void);

/* ---- model.c, or whoever else decides ------------------------------------------------------ */

/** A number that means nothing: it only travels. */
uint64_t draw(void);
/** A decision. */
unsigned below(unsigned limit);
/** What happens after a mismatch has been printed. */
_Noreturn void end_after_mismatch(void);

#endif
