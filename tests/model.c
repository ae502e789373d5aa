/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random programs on the library, held against the reference model.
 *
 *     model OPERATIONS [SEED] [--expect-retired N] [--trace N]
 *
 * The body of every continuation is the same interpreter: it draws a verb and
 * its operands, asks the model (model_reference.h) where control will land and
 * with what, and calls the library. Whoever gets control next, as the body of
 * a new continuation or where a call of its own returns, checks that it is the
 * one and that it finds what the model said. So each operation is checked as a
 * whole: status, clause, payload, the reference left behind, and what can be
 * looked at from outside.
 *
 * A run is a sequence of *eras*, each with a runtime, types and tables of its
 * own, and an era of *programs*, which differ in what they do often. What is
 * alive after a program is mostly dropped, the rest goes on into the next one.
 *
 * A seed determines a run. After a mismatch the last operations and the
 * model's lists are printed, and the exit status is 1. `--trace N` prints each
 * operation from the N-th on; `--expect-retired N` fails unless so many objects
 * have used up their revisions, for builds where these are narrow.
 */
#undef _FORTIFY_SOURCE /* its longjmp takes a jump to another stack for an attack */
#define _DEFAULT_SOURCE

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model_reference.h"

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define FORGET_FRAMES_BELOW(here) __asan_unpoison_memory_region((here) - JUMPED_BYTES, JUMPED_BYTES)
#else
#define FORGET_FRAMES_BELOW(here) ((void)(here))
#endif
#define JUMPED_BYTES (40 << 10) /* no interpreter is deeper than this */

#define LEFT_ALIVE 20 /* references that a program may leave to the next */

/* ---- What the driver knows --------------------------------------------------------------- */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum {
  TYPES = 19,
  TAGS = 11,
  TABLES = 12,
  HISTORY = 40,   /* operations that are shown after a mismatch */
  SEEN = 1 << 19, /* references of an era that are remembered, at most half of this */
  FAVOURITE_TABLES = 3,
  FAVOURITE_TAGS = 2
};

enum operation {
  OP_NEW, OP_BIND, OP_RESUME, OP_SUSPEND, OP_SWITCH, OP_RESUME_THROW, OP_RESUME_THROW_REF, OP_THROW, OP_THROW_REF,
  OP_TRAP, OP_RETURN, OP_DROP, OP_CANCEL, OP_BARRIER, OP_ROOT, OP_LEAVE, OP_MARK, OP_UNWIND, OP_HOST_WORD,
  OP_STACK_CLASS, OP_TENANT, OP_FREE, OPERATIONS
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
  uint64_t counts[OPERATIONS], failures, consumed_used, captures, deep_captures, repeated_captures, retired;
  size_t longest_chain, dropped_at_ends;
  unsigned eras, programs;
  bool shows_progress;
  struct record history[HISTORY];
};

/** A reference as a verb gets it: what the model knows of it, NULL for null, and its value. */
struct operand {
  struct model_reference *cont;
  wasmfx_cont_t value;
};

enum form { WORD, GENERAL };

/** What can be done, and how often it is. Answers whether it could be. `self` is who has control. */
struct repertory {
  const char *name;
  bool (*perform)(struct model_link *self);
  unsigned weight;
};

static const char *const type_signatures[TYPES] = {
  ":", ":l", "l:l", "c:l", "lc:l", "cc:l", "lllc:l", "livfdc:l", "vc:l", "il:l", "c:", "lc:",
  "lll:ll", "llc:ll", "c:ll", "v:v", "livfde:edfvil", "f:c", "ec:c",
};
static const char *const tag_signatures[TAGS] = {
  "l:l", ":l", ":", ":ll", "lll:lc", "v:livfde", "c:c", ":llc", "ll:v", "l:", "livfde:",
};

static wasmfx_runtime_t *rt;
static struct model model;
static struct frame frames[MODEL_MAX_LINKS];
static struct era era;
static struct program program;
static struct run run = { .trace_from = UINT64_MAX };

static const struct repertory repertory[OPERATIONS];
static const struct model_link *jumps_to;
static int switched_by; /* the tag of the last switch */

static struct frame *frame_of(const struct model_link *link)
{
  return &frames[link - model.links];
}

/* ---- Numbers ------------------------------------------------------------------------- */

/* splitmix64 */
static uint64_t draw(void)
{
  uint64_t x = run.random_state += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

static unsigned below(unsigned limit)
{
  return (unsigned)(((draw() >> 32) * limit) >> 32);
}

static bool one_in(unsigned n)
{
  return below(n) == 0;
}

static bool percent(unsigned n)
{
  return below(100) < n;
}

static void *draw_pointer(void)
{
  return (void *)(uintptr_t)draw();
}

static void draw_values(wasmfx_value_t *values, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    const uint64_t low = draw(), high = draw();
    memcpy(&values[i].v128[0], &low, sizeof low);
    memcpy(&values[i].v128[8], &high, sizeof high);
  }
}

/* ---- References ---------------------------------------------------------------------- */

static struct operand operand_of(struct model_reference *cont)
{
  return (struct operand){ cont, cont->value };
}

static struct operand null_operand(void)
{
  return (struct operand){ NULL, WASMFX_NULL_CONT };
}

/* A number that was never a reference: as good as a dead one. */
static struct operand garbage_operand(void)
{
  static struct model_reference garbage;
  return (struct operand){ &garbage, draw() | 1 };
}

static struct model_reference *live_one(size_t among)
{
  return model.live[model.live_count - 1 - below((unsigned)among)];
}

/* A long chain, if a few tries find one. */
static struct model_reference *long_one(void)
{
  struct model_reference *longest = live_one(model.live_count);
  for (unsigned tries = 0; tries < 8; tries++) {
    struct model_reference *other = live_one(model.live_count);
    if (other->length > longest->length)
      longest = other;
  }
  return longest;
}

/* Mostly alive, and mostly young or long. */
static struct operand choose_cont(void)
{
  const unsigned choice = below(64);
  if (choice == 0)
    return null_operand();
  if (choice == 1)
    return garbage_operand();
  if (choice < 5 && model.reference_count)
    return operand_of(&model.references[below((unsigned)model.reference_count)]);
  if (model.live_count == 0)
    return null_operand();
  if (choice < 24)
    return operand_of(long_one());
  return operand_of(live_one(choice < 44 && model.live_count > 2 ? 2 : model.live_count));
}

/* ---- Tags, tables, types, exceptions ------------------------------------------------- */

/* A tag that somebody handles; if there is none, mostly -1. */
static int choose_tag(void)
{
  int tag = program.favourite_tags[below(FAVOURITE_TAGS)];
  if (one_in(16))
    return tag;
  for (unsigned tries = 0; tries < 2 * TAGS; tries++, tag = (int)below(TAGS))
    if (model_search(&model, &era.model_tags[tag], WASMFX_ON_LABEL) == WASMFX_OK)
      return tag;
  return -1;
}

/* Exceptions have no results. Sometimes wrong. */
static int choose_exception_tag(void)
{
  int tag = (int)below(TAGS);
  while (era.model_tags[tag].type.results.count && !one_in(32))
    tag = (int)below(TAGS);
  return tag;
}

/* A table, or -1 for none. */
static int choose_table(void)
{
  return one_in(8) ? (int)below(TABLES + 1) - 1 : program.favourite_tables[below(FAVOURITE_TABLES)];
}

static size_t choose_count(size_t right)
{
  return one_in(24) ? below(MODEL_MAX_VALUES + 1) : right;
}

/* A random exception of `self`. If its tag is wrong, then nothing else is: which of two faults is reported is nobody's
 * business. Answers the tag. */
static int make_exception(struct model_link *self, void *host)
{
  struct model_exception *exception = &frame_of(self)->exception;
  const int tag = choose_exception_tag();
  const struct model_type *type = &era.model_tags[tag].type;
  exception->tag = &era.model_tags[tag];
  exception->count = type->results.count ? type->params.count : choose_count(type->params.count);
  exception->host = host;
  draw_values(exception->values, exception->count);
  frame_of(self)->real_exception =
    (wasmfx_exception_t){ era.tags[tag], exception->values, exception->count, exception->host };
  return tag;
}

/* A target that waits for a contref and has these results, if a few tries find one. */
static bool choose_target(const struct model_list *results, struct operand *target)
{
  for (unsigned tries = 0; tries < 12; tries++) {
    *target = choose_cont();
    if (model_awaits_cont(target->cont) && model_same_list(&target->cont->chain[0]->type->results, results))
      return true;
  }
  return false;
}

/* A tag by which the running continuation can switch, and to whom. Sometimes any. */
static bool choose_switch(int *tag, struct operand *target)
{
  for (unsigned tries = 0; tries < 2 * TAGS; tries++) {
    *tag = (int)below(TAGS);
    const struct model_list *promised = model_promised(&model, &era.model_tags[*tag]);
    if (promised && model_same_list(promised, &era.model_tags[*tag].type.results))
      return choose_target(promised, target) || one_in(32);
  }
  *target = choose_cont();
  return one_in(16);
}

/* What a switch is to wait for, and its type: -1 for what the verb waits for if it is not told. */
static struct model_list choose_wait(int *type, bool by_word)
{
  if (!one_in(3)) {
    *type = -1;
    return model_type_of(by_word ? "lc:" : "c:").params;
  }
  *type = (int)below(TYPES);
  return era.model_types[*type].params;
}

/* A type that fits what binding leaves, if there is one in the list; sometimes another. */
static int choose_bound_type(const struct model_reference *cont, size_t count)
{
  if (one_in(2) || model_state(cont) == WASMFX_STATE_CONSUMED || !cont || count > model_arity(cont))
    return -1;
  const struct model_link *link = cont->chain[cont->length - 1];
  const size_t bound = link->bound + count;
  for (int type = 0; type < TYPES && !one_in(32); type++) {
    const struct model_list *params = &era.model_types[type].params;
    if (params->count == link->awaits.count - bound &&
        memcmp(params->kinds, link->awaits.kinds + bound, params->count * sizeof *params->kinds) == 0 &&
        model_same_list(&cont->chain[0]->type->results, &era.model_types[type].results))
      return type;
  }
  return one_in(4) ? (int)below(TYPES) : -1;
}

/* ---- Reports ------------------------------------------------------------------------- */

static int table_index(const struct model_table *table)
{
  return table ? (int)(table - era.model_tables) : -1;
}

static void print_link(size_t place, const struct model_link *link)
{
  static const char *const names[] = { "cont", "barrier", "root" };
  printf("%s | %s %" PRIu64, place && place % 6 == 0 ? "\n   " : "", names[link->kind], link->number);
  if (link->kind != MODEL_CONT)
    return;
  if (link->cancelling.active)
    printf(" [cancel]");
  else
    printf(" [table %d]", table_index(link->handlers));
}

static void print_record(const struct record *record)
{
  printf("%12" PRIu64 ": %" PRIu64 " %s", record->number, record->actor, repertory[record->operation].name);
  if (record->cont_state)
    printf(" reference %" PRIu64 " (%s)", record->cont_number, record->cont_state);
  if (record->tag >= 0)
    printf(" tag %d (%s)", record->tag, tag_signatures[record->tag]);
  if (record->table >= 0)
    printf(" table %d", record->table);
  printf(" count %zu\n", record->count);
}

static void print_tables(void)
{
  for (int i = 0; i < TABLES; i++) {
    printf("  table %d:", i);
    for (size_t k = 0; k < era.model_tables[i].count; k++)
      printf(" %s %d", era.model_tables[i].clauses[k].kind == WASMFX_ON_SWITCH ? "switch" : "label",
             (int)(era.model_tables[i].clauses[k].tag - era.model_tags));
    printf("\n");
  }
}

static void print_failure(const char *what)
{
  printf("model: operation %" PRIu64 " of seed %" PRIu64 " (era %u, program %u): %s\n", run.operations, run.seed,
         run.eras, run.programs, what);
}

static _Noreturn void print_world_and_exit(void)
{
  const struct model_landing *landing = &model.landing;
  printf("  the model says that control lands in %" PRIu64 " with status %d, handler %u, %zu values%s%s\n",
         landing->receiver ? landing->receiver->number : 0, (int)landing->status, (unsigned)landing->handler,
         landing->list ? landing->list->count : 0, landing->enters ? ", at the entry" : "",
         landing->minted ? ", and a new reference" : "");
  printf("  running:");
  for (size_t i = 0; i < model.running_count; i++)
    print_link(i, model.running[i]);
  printf("\n");
  print_tables();
  printf("  the last operations (number: who does what):\n");
  for (uint64_t i = run.operations < HISTORY ? 1 : run.operations - HISTORY + 1; i <= run.operations; i++)
    print_record(&run.history[i % HISTORY]);
  fflush(stdout);
  _exit(1);
}

static _Noreturn void mismatch(const char *what, uint64_t expected, uint64_t found, int line)
{
  print_failure("mismatch");
  printf("  %s (line %d): expected %" PRIu64 " (0x%" PRIx64 "), found %" PRIu64 " (0x%" PRIx64 ")\n", what, line,
         expected, expected, found, found);
  print_world_and_exit();
}

static void expect_at(const char *what, uint64_t expected, uint64_t found, int line)
{
  if (expected != found)
    mismatch(what, expected, found, line);
}

#define EXPECT(what, expected, found) expect_at((what), (uint64_t)(expected), (uint64_t)(found), __LINE__)
#define EXPECT_STATUS(expected, found) \
  expect_at("status", (uint64_t)(int64_t)(expected), (uint64_t)(int64_t)(found), __LINE__)

static _Noreturn void give_up(const char *what)
{
  print_failure(what);
  print_world_and_exit();
}

static void on_crash(int signal_number)
{
  give_up(signal_number == SIGABRT ? "aborted" : "crashed");
}

/* A library that follows links in circles does not crash. */
static void on_alarm(int signal_number)
{
  static uint64_t last;
  (void)signal_number;
  if (run.operations == last)
    give_up("hangs");
  last = run.operations;
  alarm(10);
}

/* Reports crashes and hangs as mismatches are. */
static void watch(void)
{
  static char stack[64 << 10];
  const stack_t alternative = { .ss_sp = stack, .ss_size = sizeof stack };
  struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK };
  sigaltstack(&alternative, NULL);
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGILL, &action, NULL);
  sigaction(SIGABRT, &action, NULL);
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, NULL);
  alarm(10);
}

static void show_progress(void)
{
  if (run.operations % (1 << 18) == 0)
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " operations ", run.operations, run.wanted);
}

/* ---- Calls and what is found after them ---------------------------------------------- */

/* Every operation begins here. Answers its number, by which who returns from a call is known. `operand` may be NULL;
 * `tag` and `table` are -1 where there are none. */
static uint64_t begin(const struct model_link *self, enum operation operation, const struct operand *operand, int tag,
               int table, size_t count)
{
  static const char *const states[] = { "null", "fresh", "suspended", "dead" };
  struct record *record = &run.history[++run.operations % HISTORY];
  *record = (struct record){ run.operations, operation, self->number, NULL, 0, tag, table, count };
  if (operand) {
    record->cont_state = states[model_state(operand->cont)];
    record->cont_number = operand->cont ? operand->cont->number : 0;
    run.consumed_used += model_state(operand->cont) == WASMFX_STATE_CONSUMED;
  }
  if (run.operations >= run.trace_from)
    print_record(record);
  if (run.shows_progress)
    show_progress();
  program.steps_left -= program.steps_left > 0;
  run.counts[operation]++;
  frame_of(self)->call = run.operations;
  frame_of(self)->arrived = NULL;
  return run.operations;
}

static bool same_value(wasmfx_kind_t kind, const wasmfx_value_t *a, const wasmfx_value_t *b)
{
  switch (kind) {
  case WASMFX_I32:
  case WASMFX_F32: return memcmp(a, b, 4) == 0;
  case WASMFX_V128: return memcmp(a, b, 16) == 0;
  default: return a->word == b->word;
  }
}

static void expect_values(const struct model_list *list, const wasmfx_value_t *expected, const wasmfx_value_t *found,
                          size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (!same_value(list->kinds[i], &expected[i], &found[i]))
      mismatch("value", expected[i].word, found[i].word, __LINE__);
}

/* A new reference is not null, and no other has had its value in this era. */
static void learn(struct model_reference *minted, wasmfx_cont_t value)
{
  EXPECT("a new reference is not null", true, value != WASMFX_NULL_CONT);
  size_t place = (value * 0x9e3779b97f4a7c15) >> 32;
  for (; era.seen[place % SEEN] != WASMFX_NULL_CONT; place++)
    if (era.seen[place % SEEN] == value)
      mismatch("a new reference differs from all others", 0, value, __LINE__);
  era.seen[place % SEEN] = value;
  era.seen_count++;
  minted->value = value;
}

/* Holds the reference that was found in a variable against what the model says. */
static void expect_variable(wasmfx_cont_t before, wasmfx_cont_t found)
{
  struct model_landing *landing = &model.landing;
  switch (landing->variable) {
  case MODEL_VARIABLE_UNTOUCHED: EXPECT("the reference is untouched", before, found); break;
  case MODEL_VARIABLE_NULL: EXPECT("the reference is null", WASMFX_NULL_CONT, found); break;
  case MODEL_VARIABLE_MINTED: learn(landing->minted, found); break;
  case MODEL_VARIABLE_SENT: EXPECT("the contref", landing->values[landing->list->count - 1].contref, found); break;
  }
}

/* The values that came. A contref at the end of what wakes a continuation is looked at by expect_variable(). */
static void expect_payload(wasmfx_outcome_t outcome, enum form form)
{
  const struct model_landing *landing = &model.landing;
  const struct model_list *list = landing->list;
  const bool has_contref = landing->is_woken && model_ends_with_cont(list);
  const bool is_word = landing->is_woken ? model_wakes_by_word(list) : model_is_word(list);
  EXPECT("by address", form == GENERAL || !is_word, outcome.by_address);
  const wasmfx_value_t word = { .word = outcome.word };
  expect_values(list, landing->values, outcome.by_address ? outcome.values : &word, list->count - has_contref);
}

static void expect_exception(const wasmfx_exception_t *found)
{
  const struct model_exception *expected = &model.landing.exception;
  EXPECT("tag of the exception", (uintptr_t)era.tags[expected->tag - era.model_tags], (uintptr_t)found->tag);
  EXPECT("count of the exception", expected->count, found->count);
  EXPECT("host word of the exception", (uintptr_t)expected->host, (uintptr_t)found->host);
  expect_values(&expected->tag->type.params, expected->values, found->values, found->count);
}

static void expect_receiver(const struct model_link *self, uint64_t call, bool enters)
{
  EXPECT("who has control", model.landing.receiver->number, self->number);
  EXPECT("which call returns", frame_of(model.landing.receiver)->call, call);
  EXPECT("at an entry", model.landing.enters, enters);
}

/* A call of `self` has returned. */
static void expect_outcome(struct model_link *self, uint64_t call, wasmfx_outcome_t outcome, enum form form)
{
  const struct model_landing *landing = &model.landing;
  expect_receiver(self, call, false);
  EXPECT_STATUS(landing->status, outcome.status);
  EXPECT("handler", landing->handler, outcome.handler);
  switch ((enum wasmfx_status)outcome.status) {
  case WASMFX_RETURNED:
  case WASMFX_SUSPENDED: expect_payload(outcome, form); break;
  case WASMFX_TRAPPED: EXPECT("code", landing->code, outcome.code); break;
  case WASMFX_THREW:
    expect_exception(outcome.exception);
    frame_of(self)->arrived = outcome.exception;
    break;
  default: EXPECT("a failing call brings", 0, outcome.word); run.failures++;
  }
}

/* ---- Looking around ------------------------------------------------------------------ */

static void look_at_stats(void)
{
  wasmfx_stats_t stats;
  wasmfx_runtime_stats(rt, &stats, sizeof stats);
  EXPECT("continuations created", model.conts_created, stats.conts_created);
  EXPECT("continuations alive", model.conts_live, stats.conts_live);
  EXPECT("stacks used", model.stacks_used, stats.stacks_used);
}

static void look_at_cont(struct operand operand)
{
  EXPECT("state", model_state(operand.cont), wasmfx_cont_state(rt, operand.value));
  EXPECT("arity", model_arity(operand.cont), wasmfx_cont_arity(rt, operand.value));
  void **expected = model_host_word_of(operand.cont), **found = wasmfx_cont_host_word(rt, operand.value);
  EXPECT("host word of a reference", expected != NULL, found != NULL);
  if (expected)
    EXPECT("host word of a reference", (uintptr_t)*expected, (uintptr_t)*found);
}

/* A root stands on the stack of who opened it. */
static void look_at_stack(void)
{
  void *low = NULL, *high = NULL;
  char here;
  const wasmfx_status_t status = wasmfx_stack_bounds(rt, &low, &high);
  if (!model_stack_owner(&model, model_top(&model))) {
    EXPECT_STATUS(WASMFX_ERROR_STATE, status);
    return;
  }
  EXPECT_STATUS(WASMFX_OK, status);
  EXPECT("runs on its own stack", true, (uintptr_t)low <= (uintptr_t)&here && (uintptr_t)&here < (uintptr_t)high);
}

/* The hook was told who runs now. */
static void look_at_hook(void)
{
  const struct model_link *body = model_body(&model);
  if (era.has_hook && era.hook.calls > 0)
    EXPECT("the host word that the hook saw", (uintptr_t)body->host_word, (uintptr_t)era.hook.to);
  if (era.has_hook && body->number != era.hook.body)
    EXPECT("the hook was called", true, era.hook.calls > 0);
  era.hook.calls = 0;
  era.hook.body = body->number;
  if (era.has_hook) {
    EXPECT("how many died with a host word", model.words_died, era.hook.died);
    EXPECT("the sum of their host words", model.words_sum, era.hook.died_sum);
  }
}

/* Compares what can be seen from outside. */
static void look_around(void)
{
  look_at_hook();
  EXPECT("depth", model_depth(&model), wasmfx_depth(rt));
  EXPECT("host word", (uintptr_t)model_body(&model)->host_word, (uintptr_t)*wasmfx_host_word(rt));
  look_at_stats();
  look_at_stack();
  look_at_cont(choose_cont());
}

/* ---- The verbs ----------------------------------------------------------------------
 *
 * One function for each: it chooses operands, tells the model, calls the
 * library, and checks what it finds when control is back. A verb that switches
 * lets others run in between, and some calls never return. */

static void open_frame(const struct model_link *link);
static void interpret(struct model_link *self);
static void general_body(wasmfx_runtime_t *runtime, void *env, const wasmfx_value_t *args, wasmfx_value_t *results);
static uint64_t word_body(wasmfx_runtime_t *runtime, void *env, uint64_t word, wasmfx_cont_t from);

/* ---- Intentions ---------------------------------------------------------------------- */

static void intend(struct model_link *self, struct model_reference *cont, bool by_switch, int under)
{
  frame_of(self)->next = (struct intention){ cont, cont->number, by_switch, under };
}

/* What has just been captured may be resumed again at once, mostly under the same table. */
static void mind_captured(struct model_link *self, int table)
{
  if (model.landing.minted && percent(program.insistence))
    intend(self, model.landing.minted, false, one_in(3) ? choose_table() : table);
}

/* Who has just switched here may be switched back to. */
static void mind_switched(struct model_link *self)
{
  if (model.landing.minted && percent(program.insistence))
    intend(self, model.landing.minted, true, switched_by);
}

/* ---- Making, dropping ---------------------------------------------------------------- */

static bool make_cont(struct model_link *self)
{
  const int type = (int)below(TYPES);
  const struct model_type *model_type = &era.model_types[type];
  const bool is_word_type = model_wakes_by_word(&model_type->params) && model_is_word(&model_type->results);
  const bool by_word = is_word_type ? one_in(2) : one_in(32);
  if (!model_may_make(&model))
    return false;
  wasmfx_cont_t cont = draw();
  const wasmfx_cont_t before = cont;
  begin(self, OP_NEW, NULL, -1, -1, model_type->params.count);
  if (one_in(64)) {
    EXPECT_STATUS(WASMFX_TRAP_NULL_FUNCTION, by_word ? wasmfx_cont_new_word(rt, era.types[type], NULL, NULL, &cont)
                                                     : wasmfx_cont_new(rt, era.types[type], NULL, NULL, &cont));
    EXPECT("the reference is untouched", before, cont);
    return true;
  }
  if (by_word && !is_word_type) {
    EXPECT_STATUS(WASMFX_ERROR_TYPE, wasmfx_cont_new_word(rt, era.types[type], word_body, NULL, &cont));
    EXPECT("the reference is untouched", before, cont);
    return true;
  }
  const struct model_landing *landing = model_new(&model, model_type);
  struct model_link *link = landing->minted->chain[0];
  open_frame(link);
  EXPECT_STATUS(landing->status, by_word ? wasmfx_cont_new_word(rt, era.types[type], word_body, link, &cont)
                                         : wasmfx_cont_new(rt, era.types[type], general_body, link, &cont));
  expect_variable(before, cont);
  if (percent(program.insistence))
    intend(self, landing->minted, false, choose_table());
  return true;
}

static bool bind(struct model_link *self)
{
  const struct operand operand = choose_cont();
  const size_t arity = model_arity(operand.cont);
  const size_t count = choose_count(below((unsigned)arity + 1));
  const int to = choose_bound_type(operand.cont, count);
  wasmfx_value_t values[MODEL_MAX_VALUES];
  wasmfx_cont_t cont = operand.value;
  draw_values(values, count);
  begin(self, OP_BIND, &operand, -1, -1, count);
  const struct model_landing *landing =
    model_bind(&model, operand.cont, to < 0 ? NULL : &era.model_types[to], values, count);
  EXPECT_STATUS(landing->status, wasmfx_cont_bind(rt, &cont, to < 0 ? NULL : era.types[to], values, count));
  expect_variable(operand.value, cont);
  return true;
}

static bool drop_this(struct model_link *self, struct operand operand)
{
  wasmfx_cont_t cont = operand.value;
  begin(self, OP_DROP, &operand, -1, -1, 0);
  const struct model_landing *landing = model_drop(&model, operand.cont);
  EXPECT_STATUS(landing->status, wasmfx_drop(rt, &cont));
  expect_variable(operand.value, cont);
  return true;
}

static bool drop(struct model_link *self)
{
  return drop_this(self, choose_cont());
}

static bool choose_stack_class(struct model_link *self)
{
  const struct operand operand = choose_cont();
  const uint32_t stack_class = below(WASMFX_STACK_CLASSES + 1);
  wasmfx_status_t expected = stack_class < WASMFX_STACK_CLASSES ? WASMFX_OK : WASMFX_ERROR_ARGUMENT;
  switch (model_state(operand.cont)) {
  case WASMFX_STATE_NULL: expected = WASMFX_TRAP_NULL_CONT; break;
  case WASMFX_STATE_CONSUMED: expected = WASMFX_TRAP_CONSUMED; break;
  case WASMFX_STATE_SUSPENDED: expected = WASMFX_ERROR_STATE; break;
  case WASMFX_STATE_FRESH: break;
  }
  begin(self, OP_STACK_CLASS, &operand, -1, -1, stack_class);
  EXPECT_STATUS(expected, wasmfx_cont_stack_class(rt, operand.value, stack_class));
  return true;
}

/* ---- Resuming ------------------------------------------------------------------------ */

static const struct model_table *model_table(int table)
{
  return table < 0 ? NULL : &era.model_tables[table];
}

static const wasmfx_handlers_t *real_table(int table)
{
  return table < 0 ? NULL : era.tables[table];
}

static bool may_resume(const struct model_reference *cont)
{
  return !cont || !cont->is_alive || model_may_resume(&model, cont);
}

static bool resume_under(struct model_link *self, struct operand operand, int table)
{
  if (!may_resume(operand.cont))
    return false;
  const size_t count = choose_count(model_arity(operand.cont));
  const bool by_word = one_in(count <= 1 && !model_awaits_cont(operand.cont) ? 2 : 32);
  wasmfx_value_t values[MODEL_MAX_VALUES];
  wasmfx_cont_t cont = operand.value;
  wasmfx_outcome_t outcome;
  draw_values(values, MODEL_MAX_VALUES);
  const uint64_t call = begin(self, OP_RESUME, &operand, -1, table, by_word ? 1 : count);
  if (by_word) {
    model_resume_word(&model, operand.cont, model_table(table), values[0].word);
    outcome = wasmfx_resume_word(rt, &cont, real_table(table), values[0].word);
  } else {
    model_resume(&model, operand.cont, model_table(table), values, count);
    outcome = wasmfx_resume(rt, &cont, real_table(table), values, count);
  }
  expect_outcome(self, call, outcome, by_word ? WORD : GENERAL);
  expect_variable(operand.value, cont);
  mind_captured(self, table);
  return true;
}

static bool resume(struct model_link *self)
{
  const struct operand operand = choose_cont();
  return resume_under(self, operand, choose_table());
}

static bool resume_throw(struct model_link *self)
{
  const struct operand operand = choose_cont();
  const int table = choose_table();
  const int tag = make_exception(self, NULL);
  const struct model_exception *exception = &frame_of(self)->exception;
  if (!may_resume(operand.cont))
    return false;
  wasmfx_cont_t cont = operand.value;
  const uint64_t call = begin(self, OP_RESUME_THROW, &operand, tag, table, exception->count);
  model_resume_throw(&model, operand.cont, model_table(table), exception);
  const wasmfx_outcome_t outcome =
    wasmfx_resume_throw(rt, &cont, real_table(table), era.tags[tag], exception->values, exception->count);
  expect_outcome(self, call, outcome, GENERAL);
  expect_variable(operand.value, cont);
  mind_captured(self, table);
  return true;
}

/* `exception` NULL: the null exception reference. */
static bool resume_throw_this(struct model_link *self, const wasmfx_exception_t *exception,
                       const struct model_exception *same, int tag)
{
  const struct operand operand = choose_cont();
  const int table = choose_table();
  if (!may_resume(operand.cont))
    return false;
  wasmfx_cont_t cont = operand.value;
  const uint64_t call = begin(self, OP_RESUME_THROW_REF, &operand, tag, table, same ? same->count : 0);
  model_resume_throw(&model, operand.cont, model_table(table), same);
  const wasmfx_outcome_t outcome = wasmfx_resume_throw_ref(rt, &cont, real_table(table), exception);
  expect_outcome(self, call, outcome, GENERAL);
  expect_variable(operand.value, cont);
  mind_captured(self, table);
  return true;
}

static bool resume_throw_ref(struct model_link *self)
{
  if (one_in(32))
    return resume_throw_this(self, NULL, NULL, -1);
  const int tag = make_exception(self, draw_pointer());
  return resume_throw_this(self, &frame_of(self)->real_exception, &frame_of(self)->exception, tag);
}

static bool cancel_this(struct model_link *self, struct operand operand)
{
  const int tag = make_exception(self, draw_pointer());
  const bool is_null = one_in(32);
  const size_t attempts = below(4);
  if (!may_resume(operand.cont))
    return false;
  wasmfx_cont_t cont = operand.value;
  const uint64_t call = begin(self, OP_CANCEL, &operand, tag, -1, attempts);
  model_cancel(&model, operand.cont, is_null ? NULL : &frame_of(self)->exception, attempts);
  const wasmfx_outcome_t outcome =
    wasmfx_cancel(rt, &cont, is_null ? NULL : &frame_of(self)->real_exception, attempts);
  expect_outcome(self, call, outcome, GENERAL);
  expect_variable(operand.value, cont);
  return true;
}

static bool cancel(struct model_link *self)
{
  return cancel_this(self, choose_cont());
}

/* ---- Suspending ---------------------------------------------------------------------- */

/* Counts deep captures that end where the last one of the same continuation did: there the search may have
 * remembered the way. */
static void count_capture(const struct model_link *self, int key)
{
  struct frame *frame = frame_of(self);
  const struct model_reference *minted = model.landing.minted;
  if (!minted || minted->length < 2)
    return;
  run.repeated_captures += frame->captured_at == minted->chain[0] && frame->captured_by == key;
  frame->captured_at = minted->chain[0];
  frame->captured_by = key;
}

/* Somebody resumed or switched to a suspended continuation, or threw into it. */
static void be_woken(struct model_link *self, uint64_t call, wasmfx_outcome_t outcome, enum form form)
{
  expect_outcome(self, call, outcome, form);
  if (outcome.status != WASMFX_RETURNED || !model_ends_with_cont(model.landing.list))
    return;
  const size_t last = model.landing.list->count - 1;
  const wasmfx_cont_t received = form == GENERAL ? outcome.values[last].contref : wasmfx_received_cont(rt);
  expect_variable(WASMFX_NULL_CONT, received);
  EXPECT("the received contref", received, wasmfx_received_cont(rt));
  mind_switched(self);
}

static bool suspend_by(struct model_link *self, int tag)
{
  const struct model_list *params = &era.model_tags[tag].type.params;
  const size_t count = choose_count(params->count);
  const bool by_word = one_in(model_is_word(params) ? 2 : 16);
  wasmfx_value_t values[MODEL_MAX_VALUES];
  wasmfx_outcome_t outcome;
  draw_values(values, MODEL_MAX_VALUES);
  const uint64_t call = begin(self, OP_SUSPEND, NULL, tag, -1, by_word ? 1 : count);
  if (by_word) {
    model_suspend_word(&model, &era.model_tags[tag], values[0].word);
    count_capture(self, tag);
    outcome = wasmfx_suspend_word(rt, era.tags[tag], values[0].word);
  } else {
    model_suspend(&model, &era.model_tags[tag], values, count);
    count_capture(self, tag);
    outcome = wasmfx_suspend(rt, era.tags[tag], values, count);
  }
  be_woken(self, call, outcome, by_word ? WORD : GENERAL);
  if (outcome.status < 0)
    frame_of(self)->repeats = 0;
  return true;
}

static bool suspend(struct model_link *self)
{
  struct frame *frame = frame_of(self);
  const int tag = choose_tag();
  if (tag < 0)
    return false;
  if (program.repetition && one_in(2)) {
    frame->repeats = below(program.repetition);
    frame->repeats_tag = tag;
  }
  return suspend_by(self, tag);
}

static bool switch_by(struct model_link *self, struct operand operand, int tag)
{
  int wait_type;
  if (!may_resume(operand.cont))
    return false;
  const size_t arity = model_arity(operand.cont);
  const size_t count = choose_count(arity ? arity - 1 : 0);
  const bool by_word = one_in(count <= 1 ? 2 : 16);
  const struct model_list wait = choose_wait(&wait_type, by_word);
  const wasmfx_type_t *real_wait = wait_type < 0 ? NULL : era.types[wait_type];
  wasmfx_value_t values[MODEL_MAX_VALUES];
  wasmfx_cont_t cont = operand.value;
  wasmfx_outcome_t outcome;
  draw_values(values, MODEL_MAX_VALUES);
  switched_by = tag;
  const uint64_t call = begin(self, OP_SWITCH, &operand, tag, -1, by_word ? 1 : count);
  if (by_word) {
    model_switch_word(&model, operand.cont, &era.model_tags[tag], &wait, values[0].word);
    count_capture(self, TAGS + tag);
    outcome = wasmfx_switch_word(rt, &cont, era.tags[tag], real_wait, values[0].word);
  } else {
    model_switch(&model, operand.cont, &era.model_tags[tag], &wait, values, count);
    count_capture(self, TAGS + tag);
    outcome = wasmfx_switch(rt, &cont, era.tags[tag], real_wait, values, count);
  }
  expect_outcome(self, call, outcome, by_word ? WORD : GENERAL);
  expect_variable(operand.value, cont);
  if (model.landing.is_woken && model_ends_with_cont(model.landing.list)) {
    if (!by_word)
      EXPECT("the contref among the values", cont, outcome.values[model.landing.list->count - 1].contref);
    EXPECT("the received contref", cont, wasmfx_received_cont(rt));
    mind_switched(self);
  }
  return true;
}

static bool switch_to(struct model_link *self)
{
  struct operand operand;
  int tag;
  return choose_switch(&tag, &operand) && switch_by(self, operand, tag);
}

/* ---- Ending -------------------------------------------------------------------------- */

/* A throw or trap does not come back, unless it fails. */
static bool throw_this(struct model_link *self, const wasmfx_exception_t *exception, const struct model_exception *same,
                int tag)
{
  begin(self, OP_THROW_REF, NULL, tag, -1, same->count);
  const struct model_landing *landing = model_throw(&model, same);
  EXPECT_STATUS(landing->status, wasmfx_throw_ref(rt, exception));
  EXPECT("a throw that comes back has failed", true, landing->status < 0);
  return true;
}

static bool throw_ref(struct model_link *self)
{
  const int tag = make_exception(self, draw_pointer());
  return throw_this(self, &frame_of(self)->real_exception, &frame_of(self)->exception, tag);
}

static bool throw(struct model_link *self)
{
  const int tag = make_exception(self, NULL);
  const struct model_exception exception = frame_of(self)->exception; /* on the stack that goes */
  begin(self, OP_THROW, NULL, tag, -1, exception.count);
  const struct model_landing *landing = model_throw(&model, &exception);
  EXPECT_STATUS(landing->status, wasmfx_throw(rt, era.tags[tag], exception.values, exception.count));
  EXPECT("a throw that comes back has failed", true, landing->status < 0);
  return true;
}

static bool trap(struct model_link *self)
{
  const int64_t code = (int64_t)draw();
  begin(self, OP_TRAP, NULL, -1, -1, 0);
  const struct model_landing *landing = model_trap(&model, code);
  EXPECT_STATUS(landing->status, wasmfx_trap(rt, code));
  EXPECT("a trap that comes back has failed", true, landing->status < 0);
  return true;
}

/* The loop of `self` is left: a body returns, a scope is closed. A scope may also be left open by its body's return. */
static bool end_loop(struct model_link *self)
{
  struct model_link *owner = model_stack_owner(&model, self);
  if (self == model.running[0])
    return false;
  frame_of(self->kind != MODEL_CONT && owner && one_in(3) ? owner : self)->is_ending = true;
  return true;
}

/* ---- Roots, barriers, marks ---------------------------------------------------------- */

static wasmfx_status_t leave(enum model_link_kind kind, wasmfx_scope_t *scope)
{
  return kind == MODEL_ROOT ? wasmfx_root_leave(rt, scope) : wasmfx_barrier_leave(rt, scope);
}

/* What `self` captured last ended outside the scope: inside, the way there must not be remembered. */
static void suspend_as_before(const struct model_link *self, struct model_link *scope)
{
  if (!frame_of(self)->captured_at || frame_of(self)->captured_by >= TAGS || one_in(2))
    return;
  frame_of(scope)->repeats = 1;
  frame_of(scope)->repeats_tag = frame_of(self)->captured_by;
}

/* A whole sub-program inside a barrier or root. */
static bool run_inside(struct model_link *self, enum model_link_kind kind)
{
  wasmfx_scope_t scope;
  const struct model_link *owner = model_stack_owner(&model, self);
  if (!model_may_enter(&model))
    return false;
  begin(self, kind == MODEL_ROOT ? OP_ROOT : OP_BARRIER, NULL, -1, -1, 0);
  EXPECT_STATUS(WASMFX_OK, kind == MODEL_ROOT ? wasmfx_root_enter(rt, &scope) : wasmfx_barrier_enter(rt, &scope));
  struct model_link *link = model_enter(&model, kind);
  open_frame(link);
  frame_of(link)->scope = &scope;
  suspend_as_before(self, link);
  interpret(link);
  if (owner && frame_of(owner)->is_ending)
    return true; /* the body returns out of it */
  begin(link, OP_LEAVE, NULL, -1, -1, 0);
  EXPECT_STATUS(model_leave(&model, link), leave(kind, &scope));
  return true;
}

static bool run_inside_barrier(struct model_link *self)
{
  return run_inside(self, MODEL_BARRIER);
}

static bool run_inside_root(struct model_link *self)
{
  return run_inside(self, MODEL_ROOT);
}

/* Only the innermost scope can be closed, only by who opened it, and only as what it is. */
static bool leave_wrongly(struct model_link *self)
{
  struct model_link *link = model.running[below((unsigned)model.running_count)];
  if (!frame_of(link)->scope || link->kind == MODEL_CONT)
    return false;
  enum model_link_kind kind = link->kind;
  if (link == self)
    kind = kind == MODEL_ROOT ? MODEL_BARRIER : MODEL_ROOT;
  begin(self, OP_LEAVE, NULL, -1, -1, 0);
  EXPECT_STATUS(WASMFX_ERROR_STATE, leave(kind, frame_of(link)->scope));
  return true;
}

static bool mark(struct model_link *self)
{
  struct frame *frame = frame_of(self);
  begin(self, OP_MARK, NULL, -1, -1, 0);
  wasmfx_mark(rt, &frame->mark);
  model_mark(&model, &frame->model_mark);
  frame->is_marked = true;
  const unsigned place = below(COUNT_OF(era.old_marks));
  era.old_marks[place].is_set = true;
  era.old_marks[place].mark = frame->mark;
  era.old_marks[place].same = frame->model_mark;
  return true;
}

/* A call of unwind_to from where it must fail, or has nothing to do. */
static bool unwind_from_here(struct model_link *self, const wasmfx_mark_t *to, const struct model_mark *same)
{
  size_t killed = 0;
  const wasmfx_status_t status = model_may_unwind(&model, same, model_stack_owner(&model, self));
  if (status == WASMFX_OK && model_unwinds(&model, same))
    return false;
  begin(self, OP_UNWIND, NULL, -1, -1, 0);
  EXPECT_STATUS(status, wasmfx_unwind_to(rt, to, &killed));
  EXPECT("continuations killed", 0, killed);
  return true;
}

static bool unwind(struct model_link *self)
{
  if (one_in(3)) {
    const unsigned place = below(COUNT_OF(era.old_marks));
    return era.old_marks[place].is_set &&
           unwind_from_here(self, &era.old_marks[place].mark, &era.old_marks[place].same);
  }

  const struct model_link *link = model.running[below((unsigned)model.running_count)];
  struct frame *frame = frame_of(link);
  if (!frame->is_marked)
    return false;
  if (one_in(4) || model_may_unwind(&model, &frame->model_mark, model_stack_owner(&model, link)) != WASMFX_OK)
    return unwind_from_here(self, &frame->mark, &frame->model_mark);
  begin(self, OP_UNWIND, NULL, -1, -1, 0);
  jumps_to = link;
  longjmp(frame->jump, 1);
}

/* A longjmp has come to `self`. */
static void land_after_jump(struct model_link *self)
{
  size_t killed = 0;
  char here = 0;
  FORGET_FRAMES_BELOW(&here); /* AddressSanitizer does not know where a stack that is not its own ends */
  EXPECT("who was jumped to", jumps_to->number, self->number);
  EXPECT_STATUS(WASMFX_OK, wasmfx_unwind_to(rt, &frame_of(self)->mark, &killed));
  EXPECT("continuations killed", model_unwind_to(&model, &frame_of(self)->model_mark), killed);
  EXPECT("who has control", model_top(&model)->number, self->number);
}

/* ---- The rest ------------------------------------------------------------------------ */

static bool set_host_word(struct model_link *self)
{
  const struct operand operand = choose_cont();
  void *word = draw_pointer();
  begin(self, OP_HOST_WORD, &operand, -1, -1, 0);
  if (one_in(2)) {
    *wasmfx_host_word(rt) = word;
    model_body(&model)->host_word = word;
  } else if (model_host_word_of(operand.cont)) {
    *wasmfx_cont_host_word(rt, operand.value) = word;
    *model_host_word_of(operand.cont) = word;
  }
  return true;
}

static bool set_tenant(struct model_link *self)
{
  const uint32_t tenant = below(3);
  begin(self, OP_TENANT, NULL, -1, -1, tenant);
  EXPECT_STATUS(tenant < era.tenants ? WASMFX_OK : WASMFX_ERROR_ARGUMENT, wasmfx_tenant_set(rt, tenant));
  return true;
}

/* From inside. */
static bool free_runtime(struct model_link *self)
{
  size_t dropped = 0;
  if (model.running_count == 1)
    return false;
  begin(self, OP_FREE, NULL, -1, -1, 0);
  EXPECT_STATUS(WASMFX_ERROR_STATE, wasmfx_runtime_free(rt, &dropped));
  return true;
}

static const struct repertory repertory[OPERATIONS] = {
  [OP_NEW] = { "new", make_cont, 40 },
  [OP_BIND] = { "bind", bind, 15 },
  [OP_RESUME] = { "resume", resume, 100 },
  [OP_SUSPEND] = { "suspend", suspend, 150 },
  [OP_SWITCH] = { "switch", switch_to, 60 },
  [OP_RESUME_THROW] = { "resume_throw", resume_throw, 6 },
  [OP_RESUME_THROW_REF] = { "resume_throw_ref", resume_throw_ref, 6 },
  [OP_THROW] = { "throw", throw, 3 },
  [OP_THROW_REF] = { "throw_ref", throw_ref, 3 },
  [OP_TRAP] = { "trap", trap, 3 },
  [OP_RETURN] = { "return", end_loop, 15 },
  [OP_DROP] = { "drop", drop, 5 },
  [OP_CANCEL] = { "cancel", cancel, 4 },
  [OP_BARRIER] = { "barrier", run_inside_barrier, 5 },
  [OP_ROOT] = { "root", run_inside_root, 5 },
  [OP_LEAVE] = { "leave", leave_wrongly, 2 },
  [OP_MARK] = { "mark", mark, 8 },
  [OP_UNWIND] = { "unwind", unwind, 4 },
  [OP_HOST_WORD] = { "host_word", set_host_word, 6 },
  [OP_STACK_CLASS] = { "stack_class", choose_stack_class, 3 },
  [OP_TENANT] = { "tenant", set_tenant, 1 },
  [OP_FREE] = { "free", free_runtime, 1 },
};

/* ---- The interpreter ----------------------------------------------------------------- */

/* The frame of a link that begins. */
static void open_frame(const struct model_link *link)
{
  struct frame *frame = frame_of(link);
  frame->call = 0;
  frame->is_marked = false;
  frame->scope = NULL;
  frame->is_ending = false;
  frame->arrived = NULL;
  frame->starts = false;
  frame->next.cont = NULL;
  frame->repeats = 0;
  frame->captured_at = NULL;
}

static enum operation choose_operation(void)
{
  unsigned choice = below(program.weights_total);
  enum operation operation = OP_NEW;
  while (choice >= program.weights[operation])
    choice -= program.weights[operation++];
  return operation;
}

/* An exception that has just arrived may be passed on as it is, before anything else is called. */
static bool react_to_exception(struct model_link *self)
{
  struct frame *frame = frame_of(self);
  const wasmfx_exception_t *exception = frame->arrived;
  frame->arrived = NULL;
  if (!exception || !one_in(4))
    return false;
  const struct model_exception same = model.landing.exception;
  const int tag = (int)(same.tag - era.model_tags);
  return one_in(4) ? resume_throw_this(self, exception, &same, tag) : throw_this(self, exception, &same, tag);
}

static bool follow_intention(struct model_link *self)
{
  struct frame *frame = frame_of(self);
  const struct intention next = frame->next;
  frame->next.cont = NULL;
  if (frame->starts) {
    frame->starts = false;
    const size_t newest = model.live_count;
    make_cont(self);
    if (model.live_count > newest)
      intend(self, model.live[newest], false, choose_table());
    return true;
  }
  if (next.cont && next.cont->is_alive && next.cont->number == next.number)
    return next.by_switch ? switch_by(self, operand_of(next.cont), next.under)
                          : resume_under(self, operand_of(next.cont), next.under);
  if (frame->repeats == 0)
    return false;
  frame->repeats--;
  return suspend_by(self, frame->repeats_tag);
}

static void take_step(struct model_link *self)
{
  if (react_to_exception(self))
    return;
  look_around();
  if (follow_intention(self))
    return;
  if (model.live_count == 0 && !one_in(8))
    make_cont(self);
  else
    repertory[choose_operation()].perform(self);
}

static bool is_finished(const struct model_link *self)
{
  const struct model_link *owner = model_stack_owner(&model, self);
  return program.steps_left == 0 || frame_of(self)->is_ending || (owner && frame_of(owner)->is_ending);
}

/* Does random operations as `self` until it ends. */
static void interpret(struct model_link *self)
{
  if (setjmp(frame_of(self)->jump) != 0)
    land_after_jump(self);
  while (!is_finished(self))
    take_step(self);
}

/* A body of either form: is it the one that should run, with these values? */
static void begin_body(struct model_link *self, wasmfx_outcome_t arrived, enum form form, wasmfx_cont_t from)
{
  expect_receiver(self, 0, true);
  EXPECT_STATUS(WASMFX_RETURNED, model.landing.status);
  expect_payload(arrived, form);
  expect_variable(WASMFX_NULL_CONT, from);
  mind_switched(self);
  if (percent(program.growth))
    frame_of(self)->starts = true;
}

static void end_body(struct model_link *self, const wasmfx_value_t *results)
{
  begin(self, OP_RETURN, NULL, -1, -1, self->type->results.count);
  model_return(&model, results);
}

/* The bodies of all continuations: `env` is the link. */
static void general_body(wasmfx_runtime_t *runtime, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct model_link *self = env;
  const struct model_list *params = &self->type->params;
  const bool has_contref = model_ends_with_cont(params);
  const size_t result_count = self->type->results.count;
  EXPECT("runtime", (uintptr_t)rt, (uintptr_t)runtime);
  begin_body(self, (wasmfx_outcome_t){ .by_address = 1, .values = args }, GENERAL,
             has_contref ? args[params->count - 1].contref : WASMFX_NULL_CONT);
  for (size_t i = 0; i < result_count; i++)
    EXPECT("room for results is zero", 0, results[i].word);
  interpret(self);
  wasmfx_value_t values[MODEL_MAX_VALUES];
  draw_values(values, result_count);
  end_body(self, values);
  if (result_count)
    memcpy(results, values, result_count * sizeof *values);
}

static uint64_t word_body(wasmfx_runtime_t *runtime, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct model_link *self = env;
  EXPECT("runtime", (uintptr_t)rt, (uintptr_t)runtime);
  begin_body(self, (wasmfx_outcome_t){ .word = word }, WORD, from);
  interpret(self);
  wasmfx_value_t value;
  draw_values(&value, 1);
  end_body(self, &value);
  return value.word;
}

/* ---- Programs ------------------------------------------------------------------------ */

static void choose_style(void)
{
  static const unsigned growths[] = { 0, 10, 50, 90 }, insistences[] = { 0, 50, 85, 97 };
  static const unsigned factors[] = { 0, 1, 1, 4 };
  program.weights_total = 0;
  for (unsigned i = 0; i < OPERATIONS; i++) {
    program.weights[i] = repertory[i].weight * factors[below(COUNT_OF(factors))];
    if (i == OP_NEW || i == OP_RESUME || i == OP_RETURN)
      program.weights[i] += 8;
    program.weights_total += program.weights[i];
  }
  program.growth = growths[below(COUNT_OF(growths))];
  program.insistence = insistences[below(COUNT_OF(insistences))];
  program.repetition = below(3) * 8;
  for (unsigned i = 0; i < FAVOURITE_TABLES; i++)
    program.favourite_tables[i] = (int)below(TABLES);
  for (unsigned i = 0; i < FAVOURITE_TAGS; i++)
    program.favourite_tags[i] = (int)below(TAGS);
}

static void run_program(void)
{
  struct model_link *host = model.running[0];
  run.programs++;
  choose_style();
  program.steps_left = 500 + below(20000);
  if (program.steps_left > run.wanted - run.operations)
    program.steps_left = run.wanted - run.operations;
  frame_of(host)->is_marked = false;
  interpret(host);
  EXPECT("links running after a program", 1, model.running_count);
  const size_t keep = below(LEFT_ALIVE);
  while (model.live_count > keep) {
    const struct operand newest = operand_of(model.live[model.live_count - 1]);
    if (one_in(4))
      cancel_this(host, newest);
    else
      drop_this(host, newest);
  }
  look_around();
}

/* ---- Eras ---------------------------------------------------------------------------- */

static struct model_clause choose_clause(void)
{
  struct model_clause clause;
  clause.kind = one_in(2) ? WASMFX_ON_SWITCH : WASMFX_ON_LABEL;
  clause.tag = &era.model_tags[below(TAGS)];
  while (clause.kind == WASMFX_ON_SWITCH && clause.tag->type.params.count)
    clause.tag = &era.model_tags[below(TAGS)];
  return clause;
}

/* The first table is empty; small ones are frequent, so that searches go far. */
static void make_tables(void)
{
  for (unsigned i = 0; i < TABLES; i++) {
    wasmfx_clause_t clauses[MODEL_MAX_CLAUSES];
    struct model_table *table = &era.model_tables[i];
    table->count = i == 0 ? 0 : i < TABLES / 2 ? 1 + below(2) : below(MODEL_MAX_CLAUSES + 1);
    for (size_t k = 0; k < table->count; k++) {
      table->clauses[k] = k && one_in(4) ? table->clauses[k - 1] : choose_clause();
      clauses[k].tag = era.tags[table->clauses[k].tag - era.model_tags];
      clauses[k].kind = table->clauses[k].kind;
    }
    EXPECT_STATUS(WASMFX_OK, wasmfx_handlers_new(rt, clauses, table->count, &era.tables[i]));
  }
}

static wasmfx_type_t *make_type(const struct model_type *type)
{
  wasmfx_type_t *made;
  EXPECT_STATUS(WASMFX_OK, wasmfx_type_new(rt, type->params.kinds, type->params.count, type->results.kinds,
                                           type->results.count, &made));
  return made;
}

static void *allocate_stack(void *context, size_t bytes, uint32_t tenant)
{
  (void)context;
  (void)tenant;
  return malloc(bytes);
}

static void release_stack(void *context, void *memory, size_t bytes, uint32_t tenant)
{
  (void)context;
  (void)bytes;
  (void)tenant;
  free(memory);
}

static void on_switched(wasmfx_runtime_t *runtime, void **from_word, void **to_word)
{
  (void)runtime;
  (void)from_word;
  era.hook.to = *to_word;
  era.hook.calls++;
}

static void on_died(wasmfx_runtime_t *runtime, void *word)
{
  (void)runtime;
  era.hook.died++;
  era.hook.died_sum += (uintptr_t)word;
}

/* Half of the runtimes are plain, where the library takes all its short paths. */
static wasmfx_runtime_config_t choose_config(void)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.stack_bytes[1] = 48 << 10;
  config.max_conts = 1 << 20;
  config.max_stacks = 2 * MODEL_MAX_LINKS;
  config.tenants = 1;
  if (one_in(2))
    return config;
  config.tenants = 1 + below(2);
  config.cached_stacks = one_in(4) ? 4 : 0;
  config.float_control = one_in(3);
  if (one_in(3)) {
    config.switched = on_switched;
    config.died = on_died;
  }
  if (one_in(4)) {
    config.stack_allocator.allocate = allocate_stack;
    config.stack_allocator.release = release_stack;
  }
  return config;
}

static void open_era(void)
{
  const wasmfx_runtime_config_t config = choose_config();
  era.tenants = config.tenants;
  era.has_hook = config.switched != NULL;
  memset(&era.hook, 0, sizeof era.hook);
  run.eras++;
  EXPECT_STATUS(WASMFX_OK, wasmfx_runtime_new(&config, &rt));
  for (unsigned i = 0; i < TYPES; i++)
    era.types[i] = make_type(&era.model_types[i]);
  for (unsigned i = 0; i < TAGS; i++)
    EXPECT_STATUS(WASMFX_OK, wasmfx_tag_new(rt, make_type(&era.model_tags[i].type), &era.tags[i]));
  make_tables();
  model_init(&model);
  open_frame(model.running[0]);
  memset(era.seen, 0, sizeof era.seen);
  era.seen_count = 0;
  memset(era.old_marks, 0, sizeof era.old_marks);
}

static void close_era(void)
{
  wasmfx_stats_t stats;
  size_t dropped = 0;
  wasmfx_runtime_stats(rt, &stats, sizeof stats);
  run.retired += stats.objects_retired;
  run.captures += model.captures;
  run.deep_captures += model.deep_captures;
  if (model.longest > run.longest_chain)
    run.longest_chain = model.longest;
  EXPECT_STATUS(WASMFX_OK, wasmfx_runtime_free(rt, &dropped));
  EXPECT("dropped with the runtime", model.conts_live, dropped);
  while (model.live_count)
    model_drop(&model, model.live[0]);
  if (era.has_hook)
    EXPECT("the sum of the host words of all that died", model.words_sum, era.hook.died_sum);
  run.dropped_at_ends += dropped;
}

/* ---- The run ------------------------------------------------------------------------- */

static void run_eras(void)
{
  while (run.operations < run.wanted) {
    open_era();
    for (unsigned left = 1 + below(16); left && run.operations < run.wanted && era.seen_count < SEEN / 2; left--)
      run_program();
    close_era();
  }
}

static void print_counts(void)
{
  printf("%" PRIu64 " operations:", run.operations);
  for (unsigned i = 0; i < OPERATIONS; i++)
    printf("%s %s %" PRIu64, i ? "," : "", repertory[i].name, run.counts[i]);
  printf("\n%" PRIu64 " calls that failed as they should, %" PRIu64 " of dead references; %" PRIu64
         " captures, %" PRIu64 " deep, %" PRIu64 " of them repeated from the same place; longest chain %zu; %" PRIu64
         " objects retired; %zu dropped with their runtimes\n",
         run.failures, run.consumed_used, run.captures, run.deep_captures, run.repeated_captures, run.longest_chain,
         run.retired, run.dropped_at_ends);
}

static int usage(void)
{
  fprintf(stderr, "usage: model OPERATIONS [SEED] [--expect-retired N] [--trace N]\n");
  return 2;
}

int main(int argc, char **argv)
{
  uint64_t numbers[2] = { 0, 1 }, expect_retired = 0;
  unsigned given = 0;
  for (int i = 1; i < argc; i++) {
    uint64_t *option = strcmp(argv[i], "--expect-retired") == 0 ? &expect_retired
                       : strcmp(argv[i], "--trace") == 0        ? &run.trace_from
                                                                : NULL;
    if (option ? ++i == argc : given == COUNT_OF(numbers))
      return usage();
    *(option ? option : &numbers[given++]) = strtoull(argv[i], NULL, 0);
  }
  if (given == 0)
    return usage();
  run.wanted = numbers[0];
  run.seed = run.random_state = numbers[1];
  printf("model: seed %" PRIu64 "\n", run.seed);
  fflush(stdout);

  run.shows_progress = run.wanted >= 5000000 && isatty(STDERR_FILENO);
  watch();
  for (unsigned i = 0; i < TYPES; i++)
    era.model_types[i] = model_type_of(type_signatures[i]);
  for (unsigned i = 0; i < TAGS; i++)
    era.model_tags[i].type = model_type_of(tag_signatures[i]);
  run_eras();
  if (run.shows_progress)
    fprintf(stderr, "\r%40s\r", "");
  print_counts();
  if (run.retired < expect_retired) {
    printf("model: only %" PRIu64 " objects retired, %" PRIu64 " expected\n", run.retired, expect_retired);
    return 1;
  }
  printf("model: the library did what the model says (%u programs, %u runtimes, seed %" PRIu64 ")\n", run.programs,
         run.eras, run.seed);
  return 0;
}
