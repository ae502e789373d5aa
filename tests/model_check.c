/* SPDX-License-Identifier: Apache-2.0 */
/* What is found after each operation, held against the model; and what is printed where they differ. */
#define _GNU_SOURCE /* sigaltstack */

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "model_driver.h"

/* ---- Reports ------------------------------------------------------------------------- */

static int table_index(const struct model_table *table)
{
  return table ? (int)(table - era.model_tables) : -1;
}

static void print_link(size_t place, const struct model_link *link)
{
  static const char *const names[] = { "cont", "barrier", "root", "call" };
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
  static const char *const kinds[] = { "label", "switch", "call", "call-word" };
  for (int i = 0; i < TABLES; i++) {
    printf("  table %d:", i);
    for (size_t k = 0; k < era.model_tables[i].count; k++)
      printf(" %s %d", kinds[era.model_tables[i].clauses[k].kind],
             (int)(era.model_tables[i].clauses[k].tag - era.model_tags));
    printf("\n");
  }
}

static void print_failure(const char *what)
{
  printf("model: operation %" PRIu64 " of seed %" PRIu64 " (era %u, program %u): %s\n", run.operations, run.seed,
         run.eras, run.programs, what);
}

static _Noreturn void print_world_and_end(void)
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
  end_after_mismatch();
}

_Noreturn void mismatch(const char *what, uint64_t expected, uint64_t found, int line)
{
  print_failure("mismatch");
  printf("  %s (line %d): expected %" PRIu64 " (0x%" PRIx64 "), found %" PRIu64 " (0x%" PRIx64 ")\n", what, line,
         expected, expected, found, found);
  print_world_and_end();
}

void expect_at(const char *what, uint64_t expected, uint64_t found, int line)
{
  if (expected != found)
    mismatch(what, expected, found, line);
}

static _Noreturn void give_up(const char *what)
{
  print_failure(what);
  print_world_and_end();
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

void watch(void)
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

uint64_t begin(const struct model_link *self, enum operation operation, const struct operand *operand, int tag,
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
void expect_variable(wasmfx_cont_t before, wasmfx_cont_t found)
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
void expect_payload(wasmfx_outcome_t outcome, enum form form)
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

void expect_receiver(const struct model_link *self, uint64_t call, bool enters)
{
  EXPECT("who has control", model.landing.receiver->number, self->number);
  EXPECT("which call returns", frame_of(model.landing.receiver)->call, call);
  EXPECT("at an entry", model.landing.enters, enters);
}

/* A call of `self` has returned. */
void expect_outcome(struct model_link *self, uint64_t call, wasmfx_outcome_t outcome, enum form form)
{
  const struct model_landing *landing = &model.landing;
  expect_receiver(self, call, false);
  EXPECT_STATUS(landing->status, outcome.status);
  EXPECT("handler", landing->handler, outcome.handler);
  switch ((enum wasmfx_status)outcome.status) {
  case WASMFX_SUSPENDED:
    if (landing->variable == MODEL_VARIABLE_NULL)
      break; /* a cancel has dropped it, and nothing is left to look at */
    /* fall through */
  case WASMFX_RETURNED: expect_payload(outcome, form); break;
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
  const uintptr_t here = (uintptr_t)__builtin_frame_address(0); /* not of a variable: sanitizers may keep those elsewhere */
  const wasmfx_status_t status = wasmfx_stack_bounds(rt, &low, &high);
  if (!model_stack_owner(&model, model_top(&model))) {
    EXPECT_STATUS(WASMFX_ERROR_STATE, status);
    return;
  }
  EXPECT_STATUS(WASMFX_OK, status);
  EXPECT("runs on its own stack", true, (uintptr_t)low <= here && here < (uintptr_t)high);
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

void look_around(void)
{
  look_at_hook();
  EXPECT("depth", model_depth(&model), wasmfx_depth(rt));
  EXPECT("host word", (uintptr_t)model_body(&model)->host_word, (uintptr_t)*wasmfx_host_word(rt));
  look_at_stats();
  look_at_stack();
  look_at_cont(choose_cont());
}
