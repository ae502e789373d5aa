/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collection: what nothing reaches is dropped, what anything reaches stays.
 *
 * What the tests themselves remember lies in static memory or on the host's stack,
 * where nobody looks.
 */
#include "support.h"
#include "tools.h"

#include <stdlib.h>
#include <string.h>
#include <wasmfx/fast.h>

enum { NAMED = 8 };

/** What the bodies here get. */
struct fixture {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *pause, *far; /* [] -> [] */
  const wasmfx_handlers_t *on_pause, *on_far;
  wasmfx_cont_t named[NAMED]; /* what the host names */
  void (*inside)(struct fixture *fixture);
  size_t dropped; /* by the last collection */
  uintptr_t hosts_frame;
};

static void fixture_init(struct fixture *fixture, wasmfx_runtime_t *rt)
{
  memset(fixture, 0, sizeof(*fixture));
  fixture->rt = rt;
  fixture->pause = tag_of(rt, ":");
  fixture->far = tag_of(rt, ":");
  fixture->on_pause = HANDLERS(rt, ON_LABEL(fixture->pause));
  fixture->on_far = HANDLERS(rt, ON_LABEL(fixture->far));
}

static struct fixture *fixture_of(void **state)
{
  static struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  return &fixture;
}

/* ---- Collecting ----------------------------------------------------------------------- */

static void mark_named(wasmfx_collector_t *collector, void *context)
{
  const struct fixture *fixture = context;
  for (size_t i = 0; i < NAMED; i++)
    wasmfx_collect_mark(collector, fixture->named[i]);
}

/** Collects with what the fixture names, stacks and words being scanned. */
static void collect(struct fixture *fixture)
{
  const wasmfx_roots_t roots = { mark_named, NULL, fixture };
  assert_status(wasmfx_collect(fixture->rt, &roots, &fixture->dropped), WASMFX_OK);
}

#define assert_collected(fixture, expected) \
  do {                                      \
    collect(fixture);                       \
    assert_int_equal((fixture)->dropped, (expected)); \
  } while (0)

/** Collects with `cont` as all that the host names. */
#define assert_collected_under(fixture, cont, expected) \
  do {                                                  \
    (fixture)->named[0] = (cont);                       \
    assert_collected((fixture), (expected));            \
    (fixture)->named[0] = WASMFX_NULL_CONT;             \
  } while (0)

/* ---- Continuations that hold others ------------------------------------------------------ */

static uint64_t return_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return word;
}

static wasmfx_cont_t fresh(struct fixture *fixture)
{
  return word_cont_of(fixture->rt, "l:l", return_word, NULL);
}

/** Pauses with its word in a local variable, until it is woken. */
static uint64_t hold_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct fixture *fixture = env;
  volatile wasmfx_cont_t held = word;
  (void)from;
  assert_outcome(wasmfx_suspend_word(rt, fixture->pause, 0), WASMFX_RETURNED);
  return held;
}

/** A suspended continuation with `held` on its stack; 0: nothing. */
static wasmfx_cont_t holder_of(struct fixture *fixture, wasmfx_cont_t held)
{
  wasmfx_cont_t cont = word_cont_of(fixture->rt, "l:l", hold_word, fixture);
  assert_outcome(wasmfx_resume_word(fixture->rt, &cont, fixture->on_pause, held), WASMFX_SUSPENDED);
  return cont;
}

/** Ends a holder; it has held `expected`. */
static void let_go(struct fixture *fixture, wasmfx_cont_t holder, wasmfx_cont_t expected)
{
  const wasmfx_outcome_t outcome = wasmfx_resume_word(fixture->rt, &holder, NULL, 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, expected);
}

static uint64_t run_inside(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  (void)rt, (void)from;
  fixture->inside(fixture);
  return word;
}

/** Runs `inside` in a continuation; what it returns is awaited. */
static void run(struct fixture *fixture, void (*inside)(struct fixture *fixture))
{
  wasmfx_cont_t cont = word_cont_of(fixture->rt, ":l", run_inside, fixture);
  fixture->inside = inside;
  assert_outcome(wasmfx_resume_word(fixture->rt, &cont, fixture->on_pause, 0), WASMFX_RETURNED);
}

/* ---- Roots -------------------------------------------------------------------------------- */

static void what_nothing_reaches_is_dropped(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t young = fresh(fixture), old = holder_of(fixture, 0);
  assert_live(fixture->rt, 2, 1);
  assert_collected(fixture, 2);
  assert_dead(fixture->rt, young);
  assert_dead(fixture->rt, old);
  assert_live(fixture->rt, 0, 0);
  assert_collected(fixture, 0);
}

static void without_roots_the_host_holds_nothing(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t cont = fresh(fixture);
  assert_status(wasmfx_collect(fixture->rt, NULL, NULL), WASMFX_OK);
  assert_dead(fixture->rt, cont);
}

static void what_the_host_names_stays_as_it_was(void **state)
{
  struct fixture *fixture = fixture_of(state);
  wasmfx_cont_t young = fixture->named[0] = fresh(fixture);
  const wasmfx_cont_t old = fixture->named[1] = holder_of(fixture, 0);
  assert_collected(fixture, 0);
  assert_state(fixture->rt, young, WASMFX_STATE_FRESH);
  assert_state(fixture->rt, old, WASMFX_STATE_SUSPENDED);
  assert_outcome(wasmfx_resume_word(fixture->rt, &young, NULL, 7), WASMFX_RETURNED);
  let_go(fixture, old, 0);
  assert_live(fixture->rt, 0, 0);
}

static void of_two_the_one_that_is_named_stays(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t kept = holder_of(fixture, 0), lost = holder_of(fixture, 0);
  assert_collected_under(fixture, kept, 1);
  assert_dead(fixture->rt, lost);
  let_go(fixture, kept, 0);
}

static void what_is_no_live_reference_names_nothing(void **state)
{
  struct fixture *fixture = fixture_of(state);
  uint64_t seed = 1;
  wasmfx_cont_t cont = fresh(fixture);
  fixture->named[0] = WASMFX_NULL_CONT;
  fixture->named[1] = cont;                    /* consumed by the bind */
  assert_status(wasmfx_cont_bind(fixture->rt, &cont, NULL, NULL, 0), WASMFX_OK);
  fixture->named[2] = cont + ((uint64_t)1 << 32); /* not yet a reference */
  fixture->named[3] = cont + 1;                /* of a slot that was never used */
  fixture->named[4] = UINT64_MAX;
  fixture->named[5] = (uint32_t)cont;
  fixture->named[6] = random_word(&seed);
  fixture->named[7] = (uintptr_t)fixture;
  assert_collected(fixture, 1);
  assert_dead(fixture->rt, cont);
  memset(fixture->named, 0, sizeof(fixture->named));
}

static void name_the_running_one(struct fixture *fixture)
{
  /* The number that it will have as soon as it suspends is not alive yet. */
  fixture->named[0] += (uint64_t)1 << 32;
  assert_collected(fixture, 0);
}

static void the_next_number_of_what_runs_names_nothing(void **state)
{
  struct fixture *fixture = fixture_of(state);
  wasmfx_cont_t cont = fixture->named[0] = word_cont_of(fixture->rt, ":l", run_inside, fixture);
  fixture->inside = name_the_running_one;
  assert_outcome(wasmfx_resume_word(fixture->rt, &cont, fixture->on_pause, 0), WASMFX_RETURNED);
  assert_live(fixture->rt, 0, 0);
}

static void what_only_the_last_outcome_holds_is_dropped(void **state)
{
  struct fixture *fixture = fixture_of(state);
  wasmfx_cont_t giver = fresh(fixture);
  const wasmfx_cont_t gift = fresh(fixture);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(fixture->rt, &giver, NULL, gift);
  assert_int_equal(outcome.word, gift);
  assert_collected(fixture, 1);
  assert_dead(fixture->rt, gift);
}

static void scan_part_of_the_array(wasmfx_collector_t *collector, void *context)
{
  const struct fixture *fixture = context;
  const char *begin = (const char *)fixture->named;
  wasmfx_collect_scan(collector, begin + 1, 5 * 8 - 2); /* the whole words in it are 1, 2 and 3 */
  wasmfx_collect_scan(collector, begin + 6 * 8, 7);
  wasmfx_collect_scan(collector, begin + 7 * 8, 0);
  wasmfx_collect_scan(collector, NULL, 0);
}

static void a_scan_sees_the_words_that_lie_in_the_range(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_roots_t roots = { scan_part_of_the_array, NULL, fixture };
  for (size_t i = 0; i < NAMED; i++)
    fixture->named[i] = fresh(fixture);
  assert_status(wasmfx_collect(fixture->rt, &roots, &fixture->dropped), WASMFX_OK);
  assert_int_equal(fixture->dropped, NAMED - 3);
  for (size_t i = 0; i < NAMED; i++)
    assert_state(fixture->rt, fixture->named[i], i >= 1 && i <= 3 ? WASMFX_STATE_FRESH : WASMFX_STATE_CONSUMED);
  memset(fixture->named, 0, sizeof(fixture->named));
  assert_collected(fixture, 3);
}

/* ---- Stacks ------------------------------------------------------------------------------- */

static void a_local_of_a_suspended_one_keeps_what_it_names(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t held = fresh(fixture), holder = holder_of(fixture, held);
  assert_collected_under(fixture, holder, 0);
  assert_state(fixture->rt, held, WASMFX_STATE_FRESH);
  let_go(fixture, holder, held);
  assert_collected(fixture, 1); /* nobody holds it any more */
  assert_dead(fixture->rt, held);
}

static void a_local_of_one_that_is_not_reached_keeps_nothing(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t held = fresh(fixture);
  holder_of(fixture, held);
  assert_collected(fixture, 2);
  assert_dead(fixture->rt, held);
}

/*
 * Register by register: NAME(call, argument, ~cont) puts the reference into one that the convention preserves, and
 * nowhere else, while it calls call(argument); answers what is in it afterwards.
 */
uint64_t hold_in_rbx(void (*call)(void *), void *argument, uint64_t hidden);
uint64_t hold_in_rbp(void (*call)(void *), void *argument, uint64_t hidden);
uint64_t hold_in_r12(void (*call)(void *), void *argument, uint64_t hidden);
uint64_t hold_in_r13(void (*call)(void *), void *argument, uint64_t hidden);
uint64_t hold_in_r14(void (*call)(void *), void *argument, uint64_t hidden);
uint64_t hold_in_r15(void (*call)(void *), void *argument, uint64_t hidden);

#define HOLD_IN(name)                                    \
  __asm__(".pushsection .text\n"                         \
          ".globl hold_in_" name "\n"                    \
          ".hidden hold_in_" name "\n"                   \
          ".type hold_in_" name ", @function\n"          \
          "hold_in_" name ":\n"                          \
          "  push %" name "\n"                           \
          "  mov %rdx, %" name "\n"                      \
          "  not %" name "\n"                            \
          "  mov %rdi, %rax\n"                           \
          "  mov %rsi, %rdi\n"                           \
          "  call *%rax\n"                               \
          "  mov %" name ", %rax\n"                      \
          "  pop %" name "\n"                            \
          "  ret\n"                                      \
          ".size hold_in_" name ", . - hold_in_" name "\n" \
          ".popsection")
HOLD_IN("rbx");
HOLD_IN("rbp");
HOLD_IN("r12");
HOLD_IN("r13");
HOLD_IN("r14");
HOLD_IN("r15");

/** Holds nothing: the control of the experiment. */
static uint64_t hold_hidden(void (*call)(void *), void *argument, uint64_t hidden)
{
  volatile uint64_t kept = hidden; /* or else it would be turned over beforehand */
  call(argument);
  return ~kept;
}

typedef uint64_t (*hold_t)(void (*call)(void *), void *argument, uint64_t hidden);
static const hold_t registers[] = { hold_in_rbx, hold_in_rbp, hold_in_r12, hold_in_r13, hold_in_r14, hold_in_r15 };

/** A continuation that holds what it gets, its bits turned over, in one register while it calls `call`. */
struct holding {
  struct fixture *fixture;
  hold_t hold;
  void (*call)(void *fixture);
};

static uint64_t hold_while_calling(wasmfx_runtime_t *rt, void *env, uint64_t hidden, wasmfx_cont_t from)
{
  const struct holding *holding = env;
  (void)rt, (void)from;
  return holding->hold(holding->call, holding->fixture, hidden);
}

static void call_pause(void *context)
{
  const struct fixture *fixture = context;
  assert_outcome(wasmfx_suspend_word(fixture->rt, fixture->pause, 0), WASMFX_RETURNED);
}

static void call_collect(void *context)
{
  collect(context);
}

static void call_another_that_collects(void *context)
{
  run(context, collect);
}

/** How many are dropped if `hold` holds a fresh one while `call` is going on; `call` collects, or suspends. */
static size_t dropped_while_held(struct fixture *fixture, hold_t hold, void (*call)(void *))
{
  struct holding holding = { fixture, hold, call };
  wasmfx_cont_t cont = word_cont_of(fixture->rt, "l:l", hold_while_calling, &holding);
  volatile uint64_t hidden = ~fresh(fixture); /* not in a register of who resumes: it would come along */
  wasmfx_outcome_t outcome = wasmfx_resume_word(fixture->rt, &cont, fixture->on_pause, hidden);
  if (outcome.status == WASMFX_SUSPENDED) {
    fixture->named[0] = cont;
    collect(fixture);
    fixture->named[0] = WASMFX_NULL_CONT;
    outcome = wasmfx_resume_word(fixture->rt, &cont, NULL, 0);
  }
  const size_t dropped = fixture->dropped;
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, ~hidden);
  assert_collected(fixture, 1 - dropped);
  assert_dead(fixture->rt, ~hidden);
  return dropped;
}

static void assert_registers_keep(struct fixture *fixture, void (*call)(void *))
{
  for (size_t i = 0; i < COUNT_OF(registers); i++)
    assert_int_equal(dropped_while_held(fixture, registers[i], call), 0);
  assert_int_equal(dropped_while_held(fixture, hold_hidden, call), 1);
}

static void a_register_at_a_suspension_keeps_what_it_names(void **state)
{
  assert_registers_keep(fixture_of(state), call_pause);
}

static void a_register_of_the_running_one_keeps_what_it_names(void **state)
{
  assert_registers_keep(fixture_of(state), call_collect);
}

static void a_register_of_a_waiting_one_keeps_what_it_names(void **state)
{
  assert_registers_keep(fixture_of(state), call_another_that_collects);
}

#if WASMFX_HAVE_FAST
/* (rt, tag, ~cont): suspends by the fast tier, which saves no registers, while rbp holds the reference; answers what it
 * holds afterwards, or 0 if that was declined. */
uint64_t suspend_with_rbp(wasmfx_runtime_t *rt, const wasmfx_tag_t *tag, uint64_t hidden);
__asm__(".pushsection .text\n"
        ".globl suspend_with_rbp\n"
        ".hidden suspend_with_rbp\n"
        ".type suspend_with_rbp, @function\n"
        "suspend_with_rbp:\n"
        "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "  mov %rdx, %rbp\n"
        "  not %rbp\n"
        "  mov %rsi, %rdx\n"
        "  xor %esi, %esi\n"
        "  lea 1f(%rip), %r8\n"
        "  jmp *wasmfx_fast_suspend@GOTPCREL(%rip)\n"
        "  .byte 0xe9\n"
        "  .long 2f - . - 4\n"
        "1: mov %rbp, %rax\n"
        "3: pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "  ret\n"
        "2: xor %eax, %eax\n"
        "  jmp 3b\n"
        ".size suspend_with_rbp, . - suspend_with_rbp\n"
        ".popsection");

static uint64_t hold_in_rbp_alone(wasmfx_runtime_t *rt, void *env, uint64_t hidden, wasmfx_cont_t from)
{
  const struct fixture *fixture = env;
  (void)from;
  return suspend_with_rbp(rt, fixture->pause, hidden);
}

static void the_frame_pointer_at_a_fast_suspension_keeps_what_it_names(void **state)
{
  struct fixture *fixture = fixture_of(state);
  volatile uint64_t hidden = ~fresh(fixture);
  fixture->named[0] = word_cont_of(fixture->rt, "l:l", hold_in_rbp_alone, fixture);
  assert_outcome(wasmfx_resume_word(fixture->rt, &fixture->named[0], fixture->on_pause, hidden), WASMFX_SUSPENDED);
  assert_collected(fixture, 0);
  wasmfx_cont_t cont = fixture->named[0];
  fixture->named[0] = WASMFX_NULL_CONT;
  const wasmfx_outcome_t outcome = wasmfx_resume_word(fixture->rt, &cont, NULL, 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, ~hidden);
  assert_collected(fixture, 1);
}
#endif

static void collect_with_a_local(struct fixture *fixture)
{
  volatile wasmfx_cont_t held = ~fixture->named[1]; /* the host keeps it with its bits turned over */
  collect(fixture);
  assert_state(fixture->rt, held, WASMFX_STATE_SUSPENDED);
}

static void run_another_with_a_local(struct fixture *fixture)
{
  volatile wasmfx_cont_t held = ~fixture->named[2];
  run(fixture, collect_with_a_local);
  assert_state(fixture->rt, held, WASMFX_STATE_FRESH);
}

static void locals_of_running_and_waiting_ones_keep_what_they_name(void **state)
{
  struct fixture *fixture = fixture_of(state);
  fixture->named[1] = ~holder_of(fixture, 0);
  fixture->named[2] = ~fresh(fixture);
  fresh(fixture);
  run(fixture, run_another_with_a_local);
  assert_int_equal(fixture->dropped, 1);
  assert_live(fixture->rt, 2, 1);
  memset(fixture->named, 0, sizeof(fixture->named));
  assert_collected(fixture, 2);
}

/* ---- Arguments, words ---------------------------------------------------------------------- */

static void take_values(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  results[0] = args[0];
}

/** A continuation of type `signature` with its first argument bound: `held`, in the half of the slot that is said. */
static wasmfx_cont_t bound_to(struct fixture *fixture, const char *signature, wasmfx_cont_t held, size_t half)
{
  wasmfx_cont_t cont = cont_of(fixture->rt, signature, take_values, NULL);
  wasmfx_value_t value = i64_value(0);
  memcpy(&value.v128[8 * half], &held, sizeof(held));
  assert_status(wasmfx_cont_bind(fixture->rt, &cont, NULL, &value, 1), WASMFX_OK);
  return cont;
}

static void a_bound_argument_keeps_what_it_names_whatever_its_kind(void **state)
{
  static const char *const signatures[] = { "cl:c", "ll:l", "el:e", "vl:v", "dl:d" };
  struct fixture *fixture = fixture_of(state);
  for (size_t i = 0; i < COUNT_OF(signatures); i++) {
    const wasmfx_value_t last = i64_value(0);
    const wasmfx_cont_t held = fresh(fixture);
    wasmfx_cont_t holder = bound_to(fixture, signatures[i], held, 0);
    assert_collected_under(fixture, holder, 0);
    const wasmfx_outcome_t outcome = wasmfx_resume(fixture->rt, &holder, NULL, &last, 1);
    assert_outcome(outcome, WASMFX_RETURNED);
    assert_int_equal(outcome.values[0].contref, held);
    assert_collected(fixture, 1);
    assert_dead(fixture->rt, held);
  }
}

static void the_upper_half_of_a_bound_argument_counts_too(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t held = fresh(fixture), holder = bound_to(fixture, "vl:v", held, 1);
  assert_collected_under(fixture, holder, 0);
  assert_collected(fixture, 2);
}

static uint64_t wait_for_a_cont(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)word, (void)from;
  assert_outcome(wasmfx_suspend_word(rt, env, 0), WASMFX_RETURNED);
  return wasmfx_received_cont(rt);
}

static void what_is_bound_to_a_suspended_one_stays(void **state)
{
  struct fixture *fixture = fixture_of(state);
  wasmfx_tag_t *give = tag_of(fixture->rt, ":c");
  wasmfx_cont_t cont = word_cont_of(fixture->rt, ":l", wait_for_a_cont, give);
  assert_outcome(wasmfx_resume_word(fixture->rt, &cont, HANDLERS(fixture->rt, ON_LABEL(give)), 0), WASMFX_SUSPENDED);
  const wasmfx_value_t held = cont_value(fresh(fixture));
  assert_status(wasmfx_cont_bind(fixture->rt, &cont, NULL, &held, 1), WASMFX_OK);
  assert_collected_under(fixture, cont, 0);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(fixture->rt, &cont, NULL, 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, held.contref);
  assert_collected(fixture, 1);
}

static void what_was_bound_before_keeps_nothing(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t held = fresh(fixture);
  const wasmfx_value_t last = i64_value(0);
  wasmfx_cont_t first = bound_to(fixture, "ll:l", held, 0);
  assert_outcome(wasmfx_resume(fixture->rt, &first, NULL, &last, 1), WASMFX_RETURNED);
  const wasmfx_cont_t second = bound_to(fixture, "ll:l", 0, 0); /* in the same place, with the same buffer */
  assert_int_equal((uint32_t)second, (uint32_t)held + 1);
  assert_collected_under(fixture, second, 1);
  assert_dead(fixture->rt, held);
  assert_collected(fixture, 1);
}

static void an_environment_keeps_what_it_is(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t held = fresh(fixture);
  wasmfx_cont_t holder = word_cont_of(fixture->rt, "l:l", return_word, (void *)(uintptr_t)held);
  assert_collected_under(fixture, holder, 0);
  assert_outcome(wasmfx_resume_word(fixture->rt, &holder, NULL, 0), WASMFX_RETURNED);
  assert_collected(fixture, 1);
  assert_dead(fixture->rt, held);
}

static void a_host_word_keeps_what_it_is(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t holders[] = { fresh(fixture), holder_of(fixture, 0) };
  for (size_t i = 0; i < COUNT_OF(holders); i++) {
    const wasmfx_cont_t held = fresh(fixture);
    *wasmfx_cont_host_word(fixture->rt, holders[i]) = (void *)(uintptr_t)held;
    fixture->named[i] = holders[i];
    fixture->named[1 - i] = holders[1 - i];
    assert_collected(fixture, 0);
    *wasmfx_cont_host_word(fixture->rt, holders[i]) = NULL;
    assert_collected(fixture, 1);
    assert_dead(fixture->rt, held);
  }
  memset(fixture->named, 0, sizeof(fixture->named));
  assert_collected(fixture, 2);
}

static void collect_with_a_host_word(struct fixture *fixture)
{
  *wasmfx_host_word(fixture->rt) = (void *)(uintptr_t)~fixture->named[1];
  collect(fixture);
  *wasmfx_host_word(fixture->rt) = NULL;
}

static void run_another_with_a_host_word(struct fixture *fixture)
{
  *wasmfx_host_word(fixture->rt) = (void *)(uintptr_t)~fixture->named[2];
  run(fixture, collect_with_a_host_word);
}

static void host_words_of_running_and_waiting_ones_keep_what_they_are(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t held[] = { fresh(fixture), fresh(fixture), fresh(fixture) };
  for (size_t i = 0; i < COUNT_OF(held); i++)
    fixture->named[i + 1] = ~held[i];
  *wasmfx_host_word(fixture->rt) = (void *)(uintptr_t)held[2]; /* the host's own */
  run(fixture, run_another_with_a_host_word);
  assert_int_equal(fixture->dropped, 0);
  *wasmfx_host_word(fixture->rt) = NULL;
  memset(fixture->named, 0, sizeof(fixture->named));
  assert_collected(fixture, 3);
}

/* ---- Roots and barriers ------------------------------------------------------------------------ */

/** Each root has a word of its own; those of outer ones are out of sight, but will be back. */
static void collect_in_roots_with_words(struct fixture *fixture)
{
  wasmfx_scope_t scopes[3];
  for (size_t i = 0; i < COUNT_OF(scopes); i++) {
    *wasmfx_host_word(fixture->rt) = (void *)(uintptr_t)~fixture->named[1 + i];
    assert_status(wasmfx_root_enter(fixture->rt, &scopes[i]), WASMFX_OK);
  }
  *wasmfx_host_word(fixture->rt) = (void *)(uintptr_t)~fixture->named[1 + COUNT_OF(scopes)];
  collect(fixture);
  for (size_t i = COUNT_OF(scopes); i--;)
    assert_status(wasmfx_root_leave(fixture->rt, &scopes[i]), WASMFX_OK);
  *wasmfx_host_word(fixture->rt) = NULL;
}

static void host_words_under_open_roots_keep_what_they_are(void **state)
{
  struct fixture *fixture = fixture_of(state);
  for (int on_the_hosts_stack = 0; on_the_hosts_stack < 2; on_the_hosts_stack++) {
    for (size_t i = 0; i < 4; i++)
      fixture->named[1 + i] = ~fresh(fixture);
    fresh(fixture);
    if (on_the_hosts_stack)
      collect_in_roots_with_words(fixture);
    else
      run(fixture, collect_in_roots_with_words);
    assert_int_equal(fixture->dropped, 1);
    memset(fixture->named, 0, sizeof(fixture->named));
    assert_collected(fixture, 4);
  }
}

static void collect_in_scopes(struct fixture *fixture)
{
  wasmfx_scope_t barrier, root;
  volatile wasmfx_cont_t below = ~fixture->named[1];
  assert_status(wasmfx_barrier_enter(fixture->rt, &barrier), WASMFX_OK);
  assert_status(wasmfx_root_enter(fixture->rt, &root), WASMFX_OK);
  volatile wasmfx_cont_t inside = ~fixture->named[2];
  collect(fixture);
  assert_int_equal(fixture->dropped, 1);
  run(fixture, collect_with_a_local);
  assert_int_equal(fixture->dropped, 0);
  assert_state(fixture->rt, inside, WASMFX_STATE_FRESH);
  assert_status(wasmfx_root_leave(fixture->rt, &root), WASMFX_OK);
  assert_status(wasmfx_barrier_leave(fixture->rt, &barrier), WASMFX_OK);
  assert_state(fixture->rt, below, WASMFX_STATE_SUSPENDED);
}

static void a_stack_with_open_scopes_is_seen_whole(void **state)
{
  struct fixture *fixture = fixture_of(state);
  fixture->named[1] = ~holder_of(fixture, 0);
  fixture->named[2] = ~fresh(fixture);
  fresh(fixture);
  run(fixture, collect_in_scopes);
  assert_live(fixture->rt, 2, 1);
  memset(fixture->named, 0, sizeof(fixture->named));
  assert_collected(fixture, 2);
}

/** One that runs again keeps the marks of its last suspension; it is no garbage for all that. */
static uint64_t collect_when_woken(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  wasmfx_scope_t scope;
  (void)from;
  assert_outcome(wasmfx_suspend_word(rt, fixture->pause, 0), WASMFX_RETURNED);
  collect(fixture);
  assert_status(wasmfx_barrier_enter(rt, &scope), WASMFX_OK);
  collect(fixture);
  assert_status(wasmfx_barrier_leave(rt, &scope), WASMFX_OK);
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  collect(fixture);
  run(fixture, collect);
  assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
  run(fixture, collect);
  return word;
}

static void what_runs_again_after_a_suspension_is_not_dropped(void **state)
{
  struct fixture *fixture = fixture_of(state);
  wasmfx_cont_t cont = word_cont_of(fixture->rt, "l:l", collect_when_woken, fixture);
  assert_outcome(wasmfx_resume_word(fixture->rt, &cont, fixture->on_pause, 5), WASMFX_SUSPENDED);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(fixture->rt, &cont, fixture->on_pause, 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 5);
  assert_live(fixture->rt, 0, 0);
}

/* ---- Paths, cycles, chains ----------------------------------------------------------------------- */

/** One holds the next: a stack, an argument, an environment, a host word, a stack. Answers the first. */
static wasmfx_cont_t path(struct fixture *fixture, wasmfx_cont_t *last)
{
  wasmfx_cont_t cont = *last = holder_of(fixture, 0);
  cont = holder_of(fixture, cont);
  const wasmfx_cont_t next = fresh(fixture);
  *wasmfx_cont_host_word(fixture->rt, next) = (void *)(uintptr_t)cont;
  cont = word_cont_of(fixture->rt, "l:l", return_word, (void *)(uintptr_t)next);
  cont = bound_to(fixture, "cl:c", cont, 0);
  return holder_of(fixture, cont);
}

static void a_long_path_keeps_all_along_it(void **state)
{
  struct fixture *fixture = fixture_of(state);
  wasmfx_cont_t last;
  const wasmfx_cont_t first = path(fixture, &last);
  assert_live(fixture->rt, 6, 3);
  assert_collected_under(fixture, first, 0);
  assert_state(fixture->rt, last, WASMFX_STATE_SUSPENDED);
  assert_collected(fixture, 6);
}

static void in_the_middle_of_a_path_what_is_before_is_dropped(void **state)
{
  struct fixture *fixture = fixture_of(state);
  wasmfx_cont_t last;
  path(fixture, &last);
  assert_collected_under(fixture, last, 5);
  let_go(fixture, last, 0);
}

/** Pauses with the reference that it was given as a host word meanwhile: so two may hold each other. */
static wasmfx_cont_t cycle_of_two(struct fixture *fixture)
{
  const wasmfx_cont_t one = holder_of(fixture, 0), other = holder_of(fixture, one);
  *wasmfx_cont_host_word(fixture->rt, one) = (void *)(uintptr_t)other;
  return one;
}

static void a_cycle_that_nothing_reaches_is_dropped(void **state)
{
  struct fixture *fixture = fixture_of(state);
  cycle_of_two(fixture);
  const wasmfx_cont_t itself = fresh(fixture);
  *wasmfx_cont_host_word(fixture->rt, itself) = (void *)(uintptr_t)itself;
  assert_collected(fixture, 3);
}

static void a_cycle_that_something_reaches_stays(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t one = cycle_of_two(fixture);
  assert_collected_under(fixture, one, 0);
  assert_live(fixture->rt, 2, 2);
  assert_collected_under(fixture, holder_of(fixture, one), 0);
  assert_collected(fixture, 3);
}

/** Resumes another of its kind, `word` of them in all; the last one suspends to the host. Each holds a fresh one. */
static uint64_t nest(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  volatile wasmfx_cont_t held = fresh(fixture);
  (void)from;
  if (word == 1) {
    assert_outcome(wasmfx_suspend_word(rt, fixture->far, 0), WASMFX_RETURNED);
  } else {
    wasmfx_cont_t inner = word_cont_of(rt, "l:l", nest, fixture);
    assert_outcome(wasmfx_resume_word(rt, &inner, fixture->on_pause, word - 1), WASMFX_RETURNED);
  }
  assert_state(rt, held, WASMFX_STATE_FRESH);
  return held;
}

static wasmfx_cont_t chain_of(struct fixture *fixture, size_t length)
{
  wasmfx_cont_t cont = word_cont_of(fixture->rt, "l:l", nest, fixture);
  assert_outcome(wasmfx_resume_word(fixture->rt, &cont, fixture->on_far, length), WASMFX_SUSPENDED);
  assert_live(fixture->rt, 2 * length, length);
  return cont;
}

static void a_chain_that_was_captured_together_is_dropped_whole(void **state)
{
  struct fixture *fixture = fixture_of(state);
  for (size_t length = 1; length < 6; length++) {
    chain_of(fixture, length);
    assert_collected(fixture, 2 * length);
    assert_live(fixture->rt, 0, 0);
  }
}

static void a_chain_stays_whole_with_what_each_of_its_stacks_holds(void **state)
{
  struct fixture *fixture = fixture_of(state);
  for (size_t length = 1; length < 6; length++) {
    wasmfx_cont_t chain = chain_of(fixture, length);
    assert_collected_under(fixture, chain, 0);
    assert_outcome(wasmfx_resume_word(fixture->rt, &chain, NULL, 0), WASMFX_RETURNED);
    assert_collected(fixture, length); /* the fresh ones */
  }
}

/* ---- Stale references ---------------------------------------------------------------------------- */

static void a_stale_reference_keeps_nothing(void **state)
{
  struct fixture *fixture = fixture_of(state);
  wasmfx_cont_t cont = fresh(fixture);
  const wasmfx_cont_t holder = holder_of(fixture, cont);
  assert_status(wasmfx_cont_bind(fixture->rt, &cont, NULL, NULL, 0), WASMFX_OK); /* it has another name now */
  assert_collected_under(fixture, holder, 1);
  assert_dead(fixture->rt, cont);
  const wasmfx_cont_t next = fresh(fixture); /* in the same place as the one that holder had named */
  assert_int_equal((uint32_t)next, (uint32_t)cont);
  assert_collected_under(fixture, holder, 1);
  assert_dead(fixture->rt, next);
  assert_collected(fixture, 1);
}

/* ---- Tracing by the host ---------------------------------------------------------------------------- */

enum { TRACED = 16 };

/** Stacks hold nothing that counts here: what one names is its host word. */
struct tracing {
  struct fixture *fixture;
  wasmfx_cont_t conts[TRACED];
  size_t count, stacks, waiting, words;
};

static void mark_for_tracing(wasmfx_collector_t *collector, void *context)
{
  const struct tracing *tracing = context;
  mark_named(collector, tracing->fixture);
}

static void trace(wasmfx_collector_t *collector, const wasmfx_stack_t *stack, void *context)
{
  struct tracing *tracing = context;
  if (stack->high || stack->cont)
    tracing->conts[tracing->count++] = stack->cont;
  else
    tracing->words++;
  tracing->stacks += stack->high != NULL;
  tracing->waiting += stack->high != NULL && stack->cont == WASMFX_NULL_CONT;
  assert_true(tracing->count < TRACED);
  assert_true(stack->low <= stack->high || !stack->high);
  assert_true((stack->env != NULL) == (stack->cont != WASMFX_NULL_CONT && !stack->low));
  wasmfx_collect_mark(collector, (uintptr_t)*stack->host_word);
}

static struct tracing collect_precisely(struct fixture *fixture)
{
  struct tracing tracing = { .fixture = fixture };
  const wasmfx_roots_t roots = { mark_for_tracing, trace, &tracing };
  assert_status(wasmfx_collect(fixture->rt, &roots, &fixture->dropped), WASMFX_OK);
  return tracing;
}

static void a_host_that_traces_decides_what_a_stack_holds(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t seen = fresh(fixture), unseen = fresh(fixture);
  fixture->named[0] = holder_of(fixture, unseen);
  *wasmfx_cont_host_word(fixture->rt, fixture->named[0]) = (void *)(uintptr_t)seen;
  const struct tracing tracing = collect_precisely(fixture);
  assert_int_equal(fixture->dropped, 1);
  assert_dead(fixture->rt, unseen);
  assert_state(fixture->rt, seen, WASMFX_STATE_FRESH);
  assert_int_equal(tracing.count, 2); /* each that is reached once, the others never */
  assert_int_equal(tracing.stacks, 1);
  assert_int_equal(tracing.conts[0], fixture->named[0]);
  assert_int_equal(tracing.conts[1], seen);
  fixture->named[0] = WASMFX_NULL_CONT;
  assert_collected(fixture, 2);
}

static void bound_arguments_are_followed_for_a_host_that_traces(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t held = fresh(fixture);
  fixture->named[0] = bound_to(fixture, "cl:c", held, 0);
  collect_precisely(fixture);
  assert_int_equal(fixture->dropped, 0);
  fixture->named[0] = WASMFX_NULL_CONT;
  collect_precisely(fixture);
  assert_int_equal(fixture->dropped, 2);
}

static void each_stack_of_a_chain_is_traced(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t chain = fixture->named[0] = chain_of(fixture, 3);
  const struct tracing tracing = collect_precisely(fixture);
  assert_int_equal(tracing.count, 3);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(tracing.conts[i], chain);
  assert_int_equal(tracing.stacks, 3);
  assert_int_equal(fixture->dropped, 3);
  fixture->named[0] = WASMFX_NULL_CONT;
  assert_collected(fixture, 3);
}

static void trace_two_that_run(struct fixture *fixture)
{
  wasmfx_scope_t scope;
  assert_status(wasmfx_root_enter(fixture->rt, &scope), WASMFX_OK);
  const struct tracing tracing = collect_precisely(fixture);
  assert_status(wasmfx_root_leave(fixture->rt, &scope), WASMFX_OK);
  assert_int_equal(tracing.waiting, 2);
  assert_int_equal(tracing.count, 2);
  assert_int_equal(tracing.words, 2); /* of the one that is below the root, and of the host */
}

static void run_another_that_traces(struct fixture *fixture)
{
  run(fixture, trace_two_that_run);
}

static void what_runs_and_waits_is_traced(void **state)
{
  struct fixture *fixture = fixture_of(state);
  run(fixture, run_another_that_traces);
}

/* ---- What a collection does besides ------------------------------------------------------------------- */

static void out_of_memory_nothing_is_dropped(void **state)
{
  struct world *world = *state;
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t cont = holder_of(fixture, 0);
  const wasmfx_roots_t roots = { mark_named, NULL, fixture };
  struct view before = view_of(world->rt);
  fixture->dropped = 77;
  world->heap.fail_at = world->heap.calls + 1;
  assert_status(wasmfx_collect(world->rt, &roots, &fixture->dropped), WASMFX_ERROR_NO_MEMORY);
  assert_int_equal(fixture->dropped, 77);
  before.stats.allocations++;
  assert_unchanged(world->rt, &before);
  assert_state(world->rt, cont, WASMFX_STATE_SUSPENDED);
  assert_collected(fixture, 1);
}

enum { MADE = 20000 };

static void make_and_mark(wasmfx_collector_t *collector, void *context)
{
  const struct fixture *fixture = context;
  for (size_t i = 0; i < MADE; i++)
    wasmfx_collect_mark(collector, word_cont_of(fixture->rt, "l:l", return_word, NULL));
}

/* More than there was room for when it began. */
static void what_is_made_during_a_collection_is_not_its_business(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_roots_t roots = { make_and_mark, NULL, fixture };
  const wasmfx_cont_t cont = fresh(fixture);
  assert_status(wasmfx_collect(fixture->rt, &roots, &fixture->dropped), WASMFX_OK);
  assert_int_equal(fixture->dropped, 1);
  assert_dead(fixture->rt, cont);
  assert_live(fixture->rt, MADE, 0);
  assert_collected(fixture, MADE);
}

static size_t deaths;
static uintptr_t words_of_the_dead;

static void note_death(wasmfx_runtime_t *rt, void *word)
{
  (void)rt;
  deaths++;
  words_of_the_dead += (uintptr_t)word;
}

static void the_host_hears_of_each_that_is_dropped(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.died = note_death;
  struct world *world = world_new(&config);
  struct fixture *fixture = fixture_of((void **)&world);
  deaths = words_of_the_dead = 0;
  *wasmfx_cont_host_word(world->rt, chain_of(fixture, 1)) = (void *)10; /* and a fresh one that it holds, without */
  *wasmfx_cont_host_word(world->rt, fresh(fixture)) = (void *)1;
  fixture->named[0] = holder_of(fixture, 0);
  *wasmfx_cont_host_word(world->rt, fixture->named[0]) = (void *)100;
  assert_collected(fixture, 3);
  assert_int_equal(deaths, 2);
  assert_int_equal(words_of_the_dead, 11);
  fixture->named[0] = WASMFX_NULL_CONT;
  assert_collected(fixture, 1);
  assert_int_equal(words_of_the_dead, 111);
  world_free(world);
}

static void a_runtime_at_its_limit_is_usable_after_a_collection(void **state)
{
  enum { LIMIT = 100 };
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.max_conts = LIMIT;
  struct world *world = world_new(&config);
  struct fixture *fixture = fixture_of((void **)&world);
  wasmfx_type_t *type = type_of(world->rt, "l:l");
  wasmfx_cont_t cont, first = WASMFX_NULL_CONT;
  for (size_t round = 0; round < 5; round++) {
    for (size_t i = round ? 1 : 0; i < LIMIT; i++) {
      assert_status(wasmfx_cont_new_word(world->rt, type, hold_word, fixture, &cont), WASMFX_OK);
      assert_outcome(wasmfx_resume_word(world->rt, &cont, fixture->on_pause, 0), WASMFX_SUSPENDED);
      if (!first)
        first = fixture->named[0] = cont;
    }
    assert_status(wasmfx_cont_new_word(world->rt, type, hold_word, fixture, &cont), WASMFX_ERROR_LIMIT);
    assert_collected(fixture, LIMIT - 1);
    assert_state(world->rt, first, WASMFX_STATE_SUSPENDED);
  }
  fixture->named[0] = WASMFX_NULL_CONT;
  assert_collected(fixture, 1);
  world_free(world);
}

/** Each holds the one before: marking has to go all the way, and must not need stack for it. */
static void a_hundred_thousand_in_a_row(void **state)
{
  enum { COUNT = 100000, STACKS = 1000 };
  struct fixture *fixture = fixture_of(state);
  wasmfx_type_t *type = type_of(fixture->rt, "l:l");
  wasmfx_cont_t last = WASMFX_NULL_CONT;
  for (size_t i = 0; i < COUNT; i++) {
    wasmfx_cont_t cont;
    assert_status(wasmfx_cont_new_word(fixture->rt, type, return_word, (void *)(uintptr_t)last, &cont), WASMFX_OK);
    last = i % (COUNT / STACKS) ? cont : holder_of(fixture, cont);
  }
  assert_live(fixture->rt, COUNT + STACKS, STACKS);
  assert_collected_under(fixture, last, 0);
  assert_live(fixture->rt, COUNT + STACKS, STACKS);
  assert_collected(fixture, COUNT + STACKS);
}

/* ---- Looking ------------------------------------------------------------------------------------------ */

/** What is seen of a continuation. */
struct sight {
  wasmfx_stack_t stacks[TRACED];
  wasmfx_value_t *values[128];
  wasmfx_kind_t kinds[128];
  size_t stack_count, value_count;
};

static void see_stack(void *context, const wasmfx_stack_t *stack)
{
  struct sight *sight = context;
  sight->stacks[sight->stack_count++] = *stack;
}

static void see_value(void *context, wasmfx_kind_t kind, wasmfx_value_t *value)
{
  struct sight *sight = context;
  sight->kinds[sight->value_count] = kind;
  sight->values[sight->value_count++] = value;
}

static struct sight look_at(wasmfx_runtime_t *rt, wasmfx_cont_t cont)
{
  struct sight sight = { .stack_count = 0 };
  const wasmfx_visitor_t visitor = { see_stack, see_value, &sight };
  assert_status(wasmfx_visit_cont(rt, cont, &visitor), WASMFX_OK);
  return sight;
}

static void what_is_not_alive_is_not_visited(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_visitor_t blind = { NULL, NULL, NULL };
  wasmfx_cont_t cont = fresh(fixture);
  const wasmfx_cont_t given = cont;
  assert_status(wasmfx_visit_cont(fixture->rt, cont, &blind), WASMFX_OK);
  assert_status(wasmfx_drop(fixture->rt, &cont), WASMFX_OK);
  assert_status(wasmfx_visit_cont(fixture->rt, given, &blind), WASMFX_TRAP_CONSUMED);
  assert_status(wasmfx_visit_cont(fixture->rt, WASMFX_NULL_CONT, &blind), WASMFX_TRAP_NULL_CONT);
  wasmfx_visit_all(fixture->rt, &blind);
}

static void a_visitor_may_change_values_words_and_environments(void **state)
{
  struct fixture *fixture = fixture_of(state);
  wasmfx_cont_t bound = bound_to(fixture, "ll:l", 1, 0), environed = word_cont_of(fixture->rt, "l:l", hold_word, NULL);
  const wasmfx_value_t last = i64_value(0);
  struct sight sight = look_at(fixture->rt, bound);
  assert_int_equal(sight.value_count, 1);
  assert_int_equal(sight.kinds[0], WASMFX_I64);
  assert_int_equal(sight.values[0]->i64, 1);
  sight.values[0]->i64 = 2;
  wasmfx_outcome_t outcome = wasmfx_resume(fixture->rt, &bound, NULL, &last, 1);
  assert_int_equal(outcome.values[0].i64, 2);

  sight = look_at(fixture->rt, environed);
  assert_int_equal(sight.stack_count, 1);
  *sight.stacks[0].env = fixture;
  assert_outcome(wasmfx_resume_word(fixture->rt, &environed, fixture->on_pause, 3), WASMFX_SUSPENDED);
  *look_at(fixture->rt, environed).stacks[0].host_word = fixture;
  assert_ptr_equal(*wasmfx_cont_host_word(fixture->rt, environed), fixture);
  let_go(fixture, environed, 3);
}

/** An object that moves. Who looks for it must not be taken for one who holds it. */
struct move {
  uintptr_t hidden_from, hidden_to;
  size_t count;
};

LOOKS_ANYWHERE static void move_in_word(struct move *move, uintptr_t *word)
{
  if (~*word != move->hidden_from)
    return;
  *word = ~move->hidden_to;
  move->count++;
}

LOOKS_ANYWHERE static void move_in_stack(void *context, const wasmfx_stack_t *stack)
{
  open_to_looks(stack->low, stack->high);
  for (uintptr_t *word = stack->low; word < (uintptr_t *)stack->high; word++)
    move_in_word(context, word);
  if (stack->saved_fp)
    move_in_word(context, (uintptr_t *)(void *)stack->saved_fp);
}

static struct move the_move;

static void move_in_what_runs(void *context)
{
  const struct fixture *fixture = context;
  const wasmfx_visitor_t visitor = { move_in_stack, NULL, &the_move };
  wasmfx_visit_running(fixture->rt, &visitor);
}

static void move_in_another(struct fixture *fixture)
{
  move_in_what_runs(fixture);
}

static void call_another_that_moves(void *context)
{
  run(context, move_in_another);
}

/** The object that a register holds, after it has moved. */
static uint64_t moved_in_register(struct fixture *fixture, hold_t hold, void (*call)(void *))
{
  struct holding holding = { fixture, hold, call };
  wasmfx_cont_t cont = word_cont_of(fixture->rt, "l:l", hold_while_calling, &holding);
  the_move.count = 0;
  wasmfx_outcome_t outcome = wasmfx_resume_word(fixture->rt, &cont, fixture->on_pause, the_move.hidden_from);
  if (outcome.status == WASMFX_SUSPENDED) {
    const wasmfx_visitor_t visitor = { move_in_stack, NULL, &the_move };
    assert_status(wasmfx_visit_cont(fixture->rt, cont, &visitor), WASMFX_OK);
    outcome = wasmfx_resume_word(fixture->rt, &cont, NULL, 0);
  }
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_true(the_move.count > 0);
  return ~outcome.word;
}

static void a_visitor_may_change_what_registers_hold(void **state)
{
  static void (*const calls[])(void *) = { call_pause, move_in_what_runs, call_another_that_moves };
  struct fixture *fixture = fixture_of(state);
  the_move = (struct move){ 0x123456789abcdef0, 0x0fedcba987654321, 0 };
  for (size_t i = 0; i < COUNT_OF(calls); i++)
    for (size_t k = 0; k < COUNT_OF(registers); k++)
      assert_int_equal(moved_in_register(fixture, registers[k], calls[i]), the_move.hidden_to);
}

static void wait_with_a_known_frame(struct fixture *fixture)
{
  struct sight sight = { .stack_count = 0 };
  const wasmfx_visitor_t visitor = { see_stack, see_value, &sight };
  wasmfx_visit_running(fixture->rt, &visitor);
  assert_int_equal(sight.stack_count, 3); /* this one, the one that waits, the host's */
  assert_null(sight.stacks[0].pc);
  assert_null(sight.stacks[0].sp);
  assert_null(sight.stacks[0].fp);
  assert_true((uintptr_t)sight.stacks[0].low < (uintptr_t)__builtin_frame_address(0));
  assert_true((uintptr_t)__builtin_frame_address(0) < (uintptr_t)sight.stacks[0].high);
  assert_ptr_equal(sight.stacks[0].host_word, wasmfx_host_word(fixture->rt));
  assert_non_null(sight.stacks[1].pc);
  assert_true(sight.stacks[1].low < sight.stacks[1].sp);
  assert_true(sight.stacks[1].sp < sight.stacks[1].high);
  assert_non_null(sight.stacks[2].pc);
  assert_true(sight.stacks[2].low < sight.stacks[2].sp);
  assert_true((uintptr_t)sight.stacks[2].sp < fixture->hosts_frame);
  assert_null(sight.stacks[2].high);
}

static void run_another_with_a_known_frame(struct fixture *fixture)
{
  run(fixture, wait_with_a_known_frame);
}

static void stacks_that_run_and_wait_are_seen_from_the_inside_out(void **state)
{
  struct fixture *fixture = fixture_of(state);
  struct sight sight = { .stack_count = 0 };
  const wasmfx_visitor_t visitor = { see_stack, see_value, &sight };
  fixture->hosts_frame = (uintptr_t)__builtin_frame_address(0);
  run(fixture, run_another_with_a_known_frame);
  wasmfx_visit_running(fixture->rt, &visitor);
  assert_int_equal(sight.stack_count, 1);
  assert_null(sight.stacks[0].pc);
  assert_true((uintptr_t)sight.stacks[0].low < fixture->hosts_frame);
  assert_null(sight.stacks[0].high);
  assert_ptr_equal(sight.stacks[0].host_word, wasmfx_host_word(fixture->rt));
}

static void all_is_visited_once(void **state)
{
  struct fixture *fixture = fixture_of(state);
  struct sight sight = { .stack_count = 0 };
  const wasmfx_visitor_t visitor = { see_stack, see_value, &sight };
  const wasmfx_cont_t chain = chain_of(fixture, 3), bound = bound_to(fixture, "ll:l", 5, 0);
  size_t of_chain = 0, of_bound = 0;
  wasmfx_visit_all(fixture->rt, &visitor);
  for (size_t i = 0; i < sight.stack_count; i++) {
    of_chain += sight.stacks[i].cont == chain;
    of_bound += sight.stacks[i].cont == bound;
  }
  assert_int_equal(sight.stack_count, 8); /* the host's, three stacks, three fresh ones on them, the other */
  assert_int_equal(of_chain, 3);
  assert_int_equal(of_bound, 1);
  assert_int_equal(sight.value_count, 1);
  assert_int_equal(sight.values[0]->i64, 5);
  assert_collected(fixture, 7);
}

enum { LONG = 100 }; /* more than go on the continuation's own stack */

static void return_long_list(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct fixture *fixture = env;
  (void)args;
  for (size_t i = 0; i < LONG; i++)
    results[i].contref = i == 50 ? ~fixture->named[1] : i;
  assert_outcome(wasmfx_suspend(rt, fixture->pause, NULL, 0), WASMFX_RETURNED);
}

static wasmfx_cont_t long_one(struct fixture *fixture)
{
  wasmfx_kind_t kinds[LONG];
  wasmfx_type_t *type;
  wasmfx_cont_t cont;
  memset(kinds, WASMFX_CONTREF, sizeof(kinds));
  assert_status(wasmfx_type_new(fixture->rt, NULL, 0, kinds, LONG, &type), WASMFX_OK);
  assert_status(wasmfx_cont_new(fixture->rt, type, return_long_list, fixture, &cont), WASMFX_OK);
  assert_outcome(wasmfx_resume(fixture->rt, &cont, fixture->on_pause, NULL, 0), WASMFX_SUSPENDED);
  return cont;
}

static void long_results_that_are_written_are_held(void **state)
{
  struct fixture *fixture = fixture_of(state);
  const wasmfx_cont_t held = fresh(fixture);
  fixture->named[1] = ~held;
  wasmfx_cont_t cont = long_one(fixture);
  const struct sight sight = look_at(fixture->rt, cont);
  assert_int_equal(sight.value_count, LONG);
  assert_int_equal(sight.kinds[50], WASMFX_CONTREF);
  assert_int_equal(sight.values[50]->contref, held);
  assert_collected_under(fixture, cont, 0);
  const wasmfx_outcome_t outcome = wasmfx_resume(fixture->rt, &cont, NULL, NULL, 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.values[50].contref, held);
  fixture->named[1] = WASMFX_NULL_CONT;
  assert_collected(fixture, 1);
}

static void pause_in_general_form(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const struct fixture *fixture = env;
  (void)args;
  results[0] = i64_value(0);
  assert_outcome(wasmfx_suspend(rt, fixture->pause, NULL, 0), WASMFX_RETURNED);
}

static void long_results_of_who_was_there_before_are_not_seen(void **state)
{
  struct fixture *fixture = fixture_of(state);
  wasmfx_cont_t before = long_one(fixture);
  assert_status(wasmfx_drop(fixture->rt, &before), WASMFX_OK);
  wasmfx_cont_t cont = cont_of(fixture->rt, ":c", pause_in_general_form, fixture); /* takes over the buffers */
  assert_outcome(wasmfx_resume(fixture->rt, &cont, fixture->on_pause, NULL, 0), WASMFX_SUSPENDED);
  assert_int_equal(look_at(fixture->rt, cont).value_count, 0);
  assert_collected(fixture, 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(what_nothing_reaches_is_dropped),
    in_a_world(without_roots_the_host_holds_nothing),
    in_a_world(what_the_host_names_stays_as_it_was),
    in_a_world(of_two_the_one_that_is_named_stays),
    in_a_world(what_is_no_live_reference_names_nothing),
    in_a_world(the_next_number_of_what_runs_names_nothing),
    in_a_world(what_only_the_last_outcome_holds_is_dropped),
    in_a_world(a_scan_sees_the_words_that_lie_in_the_range),
    in_a_world(a_local_of_a_suspended_one_keeps_what_it_names),
    in_a_world(a_local_of_one_that_is_not_reached_keeps_nothing),
    in_a_world(a_register_at_a_suspension_keeps_what_it_names),
    in_a_world(a_register_of_the_running_one_keeps_what_it_names),
    in_a_world(a_register_of_a_waiting_one_keeps_what_it_names),
#if WASMFX_HAVE_FAST
    in_a_world(the_frame_pointer_at_a_fast_suspension_keeps_what_it_names),
#endif
    in_a_world(locals_of_running_and_waiting_ones_keep_what_they_name),
    in_a_world(a_bound_argument_keeps_what_it_names_whatever_its_kind),
    in_a_world(the_upper_half_of_a_bound_argument_counts_too),
    in_a_world(what_is_bound_to_a_suspended_one_stays),
    in_a_world(what_was_bound_before_keeps_nothing),
    in_a_world(an_environment_keeps_what_it_is),
    in_a_world(a_host_word_keeps_what_it_is),
    in_a_world(host_words_of_running_and_waiting_ones_keep_what_they_are),
    in_a_world(host_words_under_open_roots_keep_what_they_are),
    in_a_world(a_stack_with_open_scopes_is_seen_whole),
    in_a_world(what_runs_again_after_a_suspension_is_not_dropped),
    in_a_world(a_long_path_keeps_all_along_it),
    in_a_world(in_the_middle_of_a_path_what_is_before_is_dropped),
    in_a_world(a_cycle_that_nothing_reaches_is_dropped),
    in_a_world(a_cycle_that_something_reaches_stays),
    in_a_world(a_chain_that_was_captured_together_is_dropped_whole),
    in_a_world(a_chain_stays_whole_with_what_each_of_its_stacks_holds),
    in_a_world(a_stale_reference_keeps_nothing),
    in_a_world(a_host_that_traces_decides_what_a_stack_holds),
    in_a_world(bound_arguments_are_followed_for_a_host_that_traces),
    in_a_world(each_stack_of_a_chain_is_traced),
    in_a_world(what_runs_and_waits_is_traced),
    in_a_world(out_of_memory_nothing_is_dropped),
    in_a_world(what_is_made_during_a_collection_is_not_its_business),
    cmocka_unit_test(the_host_hears_of_each_that_is_dropped),
    cmocka_unit_test(a_runtime_at_its_limit_is_usable_after_a_collection),
    in_a_world(a_hundred_thousand_in_a_row),
    in_a_world(what_is_not_alive_is_not_visited),
    in_a_world(a_visitor_may_change_values_words_and_environments),
    in_a_world(a_visitor_may_change_what_registers_hold),
    in_a_world(stacks_that_run_and_wait_are_seen_from_the_inside_out),
    in_a_world(all_is_visited_once),
    in_a_world(long_results_that_are_written_are_held),
    in_a_world(long_results_of_who_was_there_before_are_not_seen),
  };
  return cmocka_run_group_tests_name("collect", tests, NULL, NULL);
}
