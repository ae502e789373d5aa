/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only a host does: barriers, chain roots, and leaving frames by longjmp.
 * The fortified longjmp takes a jump to another stack for an error.
 */
#undef _FORTIFY_SOURCE
#include "support.h"
#include "jump.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/** What the bodies here get. */
struct fixture {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *pause, *swap; /* [] -> [i64] */
  wasmfx_tag_t *oops;         /* [] -> [] */
  const wasmfx_handlers_t *on_pause, *on_both;
  wasmfx_type_t *wait;
  void (*inside)(struct fixture *fixture);
  wasmfx_scope_t scope;
  wasmfx_mark_t mark;
  wasmfx_cont_t kept;
  jmp_buf out;
  size_t levels, entered;
};

static void fixture_init(struct fixture *fixture, wasmfx_runtime_t *rt)
{
  memset(fixture, 0, sizeof(*fixture));
  fixture->rt = rt;
  fixture->pause = tag_of(rt, ":l");
  fixture->swap = tag_of(rt, ":l");
  fixture->oops = tag_of(rt, ":");
  fixture->on_pause = HANDLERS(rt, ON_LABEL(fixture->pause));
  fixture->on_both = HANDLERS(rt, ON_LABEL(fixture->pause), ON_SWITCH(fixture->swap));
  fixture->wait = type_of(rt, "lc:l");
}

static uint64_t run_inside(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  (void)rt, (void)from;
  fixture->inside(fixture);
  return word;
}

static wasmfx_cont_t new_cont(struct fixture *fixture, void (*inside)(struct fixture *fixture))
{
  fixture->inside = inside;
  return word_cont_of(fixture->rt, ":l", run_inside, fixture);
}

/** Runs `inside` in a continuation that can suspend and switch; it has to return. */
static void run(struct fixture *fixture, void (*inside)(struct fixture *fixture))
{
  wasmfx_cont_t cont = new_cont(fixture, inside);
  const struct view before = view_of(fixture->rt);
  assert_outcome(wasmfx_resume_word(fixture->rt, &cont, fixture->on_both, 0), WASMFX_RETURNED);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  assert_live(fixture->rt, before.stats.conts_live - 1, before.stats.stacks_used);
  assert_int_equal(wasmfx_depth(fixture->rt), before.depth);
}

static uint64_t pause_once(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct fixture *fixture = env;
  (void)word, (void)from;
  return wasmfx_suspend_word(rt, fixture->pause, 0).word;
}

/** A suspension and a switch from here both answer `expected`, and change nothing. */
static void assert_cannot_leave(struct fixture *fixture, wasmfx_status_t expected)
{
  wasmfx_runtime_t *rt = fixture->rt;
  wasmfx_cont_t target = word_cont_of(rt, "lc:l", pause_once, fixture);
  const wasmfx_cont_t given = target;
  const wasmfx_value_t word = i64_value(1);
  const struct view before = view_of(rt);
  assert_outcome(wasmfx_suspend_word(rt, fixture->pause, 0), expected);
  assert_outcome(wasmfx_suspend(rt, fixture->pause, NULL, 0), expected);
  assert_outcome(wasmfx_switch_word(rt, &target, fixture->swap, fixture->wait, 1), expected);
  assert_outcome(wasmfx_switch(rt, &target, fixture->swap, fixture->wait, &word, 1), expected);
  assert_int_equal(target, given);
  assert_unchanged(rt, &before);
  assert_status(wasmfx_drop(rt, &target), WASMFX_OK);
}

/* ---- Barriers ------------------------------------------------------------------- */

static void a_barrier(struct fixture *fixture)
{
  wasmfx_scope_t scope;
  assert_status(wasmfx_barrier_enter(fixture->rt, &scope), WASMFX_OK);
  assert_int_equal(wasmfx_depth(fixture->rt), 1); /* a barrier does not hide where one is */
  assert_cannot_leave(fixture, WASMFX_TRAP_BARRIER);
  assert_status(wasmfx_barrier_leave(fixture->rt, &scope), WASMFX_OK);
}

static void no_suspension_crosses_a_barrier(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  run(&fixture, a_barrier);
}

static void suspend_below_a_barrier(struct fixture *fixture)
{
  wasmfx_scope_t scope;
  assert_status(wasmfx_barrier_enter(fixture->rt, &scope), WASMFX_OK);
  wasmfx_cont_t inner = word_cont_of(fixture->rt, ":l", pause_once, fixture);
  assert_outcome(wasmfx_resume_word(fixture->rt, &inner, fixture->on_pause, 0), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_word(fixture->rt, &inner, fixture->on_pause, 1), WASMFX_RETURNED);
  assert_status(wasmfx_barrier_leave(fixture->rt, &scope), WASMFX_OK);
}

static void what_is_handled_inside_of_a_barrier_is_no_business_of_it(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  run(&fixture, suspend_below_a_barrier);
}

static void cannot_leave(struct fixture *fixture)
{
  assert_cannot_leave(fixture, WASMFX_TRAP_BARRIER);
}

static void resume_below_a_barrier(struct fixture *fixture)
{
  wasmfx_scope_t scope;
  wasmfx_cont_t inner;
  assert_status(wasmfx_barrier_enter(fixture->rt, &scope), WASMFX_OK);
  inner = new_cont(fixture, cannot_leave);
  assert_outcome(wasmfx_resume_word(fixture->rt, &inner, NULL, 0), WASMFX_RETURNED);
  assert_status(wasmfx_barrier_leave(fixture->rt, &scope), WASMFX_OK);
}

static void a_barrier_also_stops_the_continuations_below_it(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  run(&fixture, resume_below_a_barrier);
}

static void suspend_after_the_leave(struct fixture *fixture)
{
  wasmfx_scope_t scope;
  assert_status(wasmfx_barrier_enter(fixture->rt, &scope), WASMFX_OK);
  assert_cannot_leave(fixture, WASMFX_TRAP_BARRIER);
  assert_status(wasmfx_barrier_leave(fixture->rt, &scope), WASMFX_OK);
  assert_outcome(wasmfx_suspend_word(fixture->rt, fixture->pause, 0), WASMFX_RETURNED);
}

static void after_the_leave_suspensions_pass_again(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = new_cont(&fixture, suspend_after_the_leave);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_both, 0), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, NULL, 0), WASMFX_RETURNED);
}

/** Each level resumes the next; the innermost raises barriers and roots between suspensions that go all the way out. */
static uint64_t raise_between_suspensions(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  (void)from;
  if (++fixture->entered < fixture->levels) {
    wasmfx_cont_t inner = word_cont_of(rt, ":l", raise_between_suspensions, env);
    assert_outcome(wasmfx_resume_word(rt, &inner, NULL, 0), WASMFX_RETURNED);
    return word;
  }
  for (int round = 0; round < 3; round++) {
    wasmfx_scope_t scope;
    assert_outcome(wasmfx_suspend_word(rt, fixture->pause, 0), WASMFX_RETURNED);
    assert_outcome(wasmfx_suspend_word(rt, fixture->pause, 0), WASMFX_RETURNED);
    assert_status(wasmfx_barrier_enter(rt, &scope), WASMFX_OK);
    assert_cannot_leave(fixture, WASMFX_TRAP_BARRIER);
    assert_status(wasmfx_barrier_leave(rt, &scope), WASMFX_OK);
    assert_outcome(wasmfx_suspend_word(rt, fixture->pause, 0), WASMFX_RETURNED);
    assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
    assert_cannot_leave(fixture, WASMFX_TRAP_UNHANDLED);
    assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
  }
  return word;
}

static void a_barrier_stops_suspensions_that_know_their_way(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  for (fixture.levels = 1; fixture.levels <= 4; fixture.levels++) {
    wasmfx_cont_t cont = word_cont_of(fixture.rt, ":l", raise_between_suspensions, &fixture);
    fixture.entered = 0;
    for (int i = 0; i < 9; i++)
      assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_both, 0), WASMFX_SUSPENDED);
    assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_both, 0), WASMFX_RETURNED);
  }
}

static void a_barrier_on_the_hosts_stack_encloses_whole_resumes(void **state)
{
  struct fixture fixture;
  wasmfx_scope_t scope;
  fixture_init(&fixture, runtime_of(state));
  assert_status(wasmfx_barrier_enter(fixture.rt, &scope), WASMFX_OK);
  wasmfx_cont_t cont = word_cont_of(fixture.rt, ":l", pause_once, &fixture);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
  assert_status(wasmfx_barrier_leave(fixture.rt, &scope), WASMFX_OK);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, NULL, 0), WASMFX_RETURNED); /* and it may leave in between */
}

/* ---- Bodies that end inside ----------------------------------------------------------- */

static void leave_all_open(struct fixture *fixture)
{
  wasmfx_scope_t scopes[4];
  assert_status(wasmfx_barrier_enter(fixture->rt, &scopes[0]), WASMFX_OK);
  assert_status(wasmfx_barrier_enter(fixture->rt, &scopes[1]), WASMFX_OK);
  if (fixture->levels > 1) {
    assert_status(wasmfx_root_enter(fixture->rt, &scopes[2]), WASMFX_OK);
    assert_status(wasmfx_barrier_enter(fixture->rt, &scopes[3]), WASMFX_OK);
  }
  fixture->scope = scopes[1];
}

static void leave_all_open_and_throw(struct fixture *fixture)
{
  leave_all_open(fixture);
  wasmfx_throw(fixture->rt, fixture->oops, NULL, 0);
}

static void leave_all_open_and_trap(struct fixture *fixture)
{
  leave_all_open(fixture);
  wasmfx_trap(fixture->rt, 1);
}

static void a_body_that_ends_closes_the_scopes_that_it_opened(void **state)
{
  static const struct {
    void (*inside)(struct fixture *fixture);
    wasmfx_status_t answer;
    size_t levels;
  } cases[] = {
    { leave_all_open, WASMFX_RETURNED, 1 },
    { leave_all_open_and_throw, WASMFX_THREW, 1 },
    { leave_all_open_and_trap, WASMFX_TRAPPED, 1 },
    { leave_all_open, WASMFX_RETURNED, 2 },
  };
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  for (int outer = 0; outer <= 1; outer++)
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
      wasmfx_scope_t scope;
      fixture.levels = cases[i].levels;
      if (outer)
        assert_status(wasmfx_root_enter(fixture.rt, &scope), WASMFX_OK);
      wasmfx_cont_t cont = new_cont(&fixture, cases[i].inside);
      assert_outcome(wasmfx_resume_word(fixture.rt, &cont, NULL, 0), cases[i].answer);
      assert_int_equal(wasmfx_depth(fixture.rt), 0);
      assert_live(fixture.rt, 0, 0);
      assert_status(wasmfx_barrier_leave(fixture.rt, &fixture.scope), WASMFX_ERROR_STATE);
      cont = word_cont_of(fixture.rt, ":l", pause_once, &fixture); /* nothing is in the way any more */
      assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
      assert_status(wasmfx_drop(fixture.rt, &cont), WASMFX_OK);
      if (outer)
        assert_status(wasmfx_root_leave(fixture.rt, &scope), WASMFX_OK);
    }
}

/* ---- Roots ------------------------------------------------------------------------------- */

static void a_root(struct fixture *fixture)
{
  wasmfx_runtime_t *rt = fixture->rt;
  wasmfx_scope_t scope;
  void **outside = wasmfx_host_word(rt);
  *outside = fixture;
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  assert_int_equal(wasmfx_depth(rt), 0);
  assert_ptr_equal(*wasmfx_host_word(rt), fixture); /* a copy */
  *wasmfx_host_word(rt) = NULL;
  assert_cannot_leave(fixture, WASMFX_TRAP_UNHANDLED);
  void *low, *high; /* it stands on the stack of who opened it */
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  const char *here = __builtin_frame_address(0); /* not of a variable: sanitizers may keep those elsewhere */
  assert_true((char *)low < here && here < (char *)high);

  wasmfx_cont_t inner = word_cont_of(rt, ":l", pause_once, fixture);
  assert_outcome(wasmfx_resume_word(rt, &inner, fixture->on_pause, 0), WASMFX_SUSPENDED);
  assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
  assert_int_equal(wasmfx_depth(rt), 1);
  assert_ptr_equal(*wasmfx_host_word(rt), fixture);
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  assert_true((char *)low < here && here < (char *)high);
  assert_outcome(wasmfx_resume_word(rt, &inner, NULL, 0), WASMFX_RETURNED); /* made in there, it may live on out here */
}

static void the_hosts_own_stack_has_no_bounds_to_tell(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_scope_t scope;
  void *low = &scope, *high = &scope;
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_ERROR_STATE);
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_ERROR_STATE);
  assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
  assert_ptr_equal(low, &scope);
  assert_ptr_equal(high, &scope);
}

static void a_root_starts_a_chain_of_its_own(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  run(&fixture, a_root);
}

static void root_on_root(struct fixture *fixture)
{
  wasmfx_scope_t outer, inner;
  assert_status(wasmfx_root_enter(fixture->rt, &outer), WASMFX_OK);
  assert_null(*wasmfx_host_word(fixture->rt));
  *wasmfx_host_word(fixture->rt) = &outer;
  assert_status(wasmfx_root_enter(fixture->rt, &inner), WASMFX_OK);
  assert_ptr_equal(*wasmfx_host_word(fixture->rt), &outer);
  *wasmfx_host_word(fixture->rt) = &inner;
  assert_cannot_leave(fixture, WASMFX_TRAP_UNHANDLED);
  assert_status(wasmfx_root_leave(fixture->rt, &inner), WASMFX_OK);
  assert_ptr_equal(*wasmfx_host_word(fixture->rt), &outer);
  assert_status(wasmfx_root_leave(fixture->rt, &outer), WASMFX_OK);
  assert_null(*wasmfx_host_word(fixture->rt));
}

static void roots_nest_and_each_has_a_host_word_of_its_own(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  root_on_root(&fixture);
  run(&fixture, root_on_root);
}

static void wait_below_a_root(struct fixture *fixture)
{
  wasmfx_scope_t scope;
  assert_status(wasmfx_root_enter(fixture->rt, &scope), WASMFX_OK);
  wasmfx_cont_t inner = word_cont_of(fixture->rt, ":l", pause_once, fixture);
  assert_int_equal(wasmfx_depth(fixture->rt), 0);
  assert_outcome(wasmfx_resume_word(fixture->rt, &inner, fixture->on_pause, 0), WASMFX_SUSPENDED);
  assert_status(wasmfx_root_leave(fixture->rt, &scope), WASMFX_OK);
  fixture->kept = inner;
}

static uint64_t re_enter(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  wasmfx_scope_t scope;
  (void)from;
  assert_int_equal(wasmfx_depth(rt), 1);
  if (word == 0) {
    wait_below_a_root(fixture);
    return 0;
  }
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  wasmfx_cont_t inner = word_cont_of(rt, "l:l", re_enter, env);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &inner, NULL, word - 1);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
  return outcome.word + 1;
}

static void the_host_may_be_re_entered_many_times(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = word_cont_of(fixture.rt, "l:l", re_enter, &fixture);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(fixture.rt, &cont, NULL, 200);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 200);
  assert_live(fixture.rt, 1, 1);
  assert_outcome(wasmfx_resume_word(fixture.rt, &fixture.kept, NULL, 0), WASMFX_RETURNED);
}

/* ---- Misuse ---------------------------------------------------------------------------------- */

static void leave_what_is_not_open(struct fixture *fixture)
{
  wasmfx_runtime_t *rt = fixture->rt;
  wasmfx_scope_t never, outer, inner;
  memset(&never, 0, sizeof(never));
  const struct view before = view_of(rt);
  assert_status(wasmfx_barrier_leave(rt, &never), WASMFX_ERROR_STATE);
  assert_status(wasmfx_root_leave(rt, &never), WASMFX_ERROR_STATE);
  assert_unchanged(rt, &before);

  assert_status(wasmfx_barrier_enter(rt, &outer), WASMFX_OK);
  assert_status(wasmfx_barrier_enter(rt, &inner), WASMFX_OK);
  assert_status(wasmfx_barrier_leave(rt, &outer), WASMFX_ERROR_STATE); /* not the innermost */
  assert_status(wasmfx_root_leave(rt, &inner), WASMFX_ERROR_STATE);    /* not a root */
  assert_cannot_leave(fixture, WASMFX_TRAP_BARRIER);
  assert_status(wasmfx_barrier_leave(rt, &inner), WASMFX_OK);
  assert_status(wasmfx_barrier_leave(rt, &inner), WASMFX_ERROR_STATE); /* twice */
  assert_cannot_leave(fixture, WASMFX_TRAP_BARRIER);
  assert_status(wasmfx_barrier_leave(rt, &outer), WASMFX_OK);
  assert_status(wasmfx_barrier_leave(rt, &outer), WASMFX_ERROR_STATE);

  assert_status(wasmfx_root_enter(rt, &outer), WASMFX_OK);
  assert_status(wasmfx_barrier_enter(rt, &inner), WASMFX_OK);
  assert_status(wasmfx_root_leave(rt, &outer), WASMFX_ERROR_STATE);    /* not the innermost */
  assert_status(wasmfx_barrier_leave(rt, &outer), WASMFX_ERROR_STATE); /* not a barrier */
  assert_status(wasmfx_barrier_leave(rt, &inner), WASMFX_OK);
  assert_status(wasmfx_barrier_leave(rt, &outer), WASMFX_ERROR_STATE);
  assert_status(wasmfx_root_leave(rt, &outer), WASMFX_OK);
  assert_status(wasmfx_root_leave(rt, &outer), WASMFX_ERROR_STATE);
}

static void only_the_innermost_open_scope_can_be_left_and_once(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  run(&fixture, leave_what_is_not_open);
}

static void leave_the_resumers_scope(struct fixture *fixture)
{
  const struct view before = view_of(fixture->rt);
  assert_status(wasmfx_barrier_leave(fixture->rt, &fixture->scope), WASMFX_ERROR_STATE);
  assert_status(wasmfx_root_leave(fixture->rt, &fixture->scope), WASMFX_ERROR_STATE);
  assert_unchanged(fixture->rt, &before);
}

static void open_for_another(struct fixture *fixture)
{
  wasmfx_runtime_t *rt = fixture->rt;
  wasmfx_cont_t inner = new_cont(fixture, leave_the_resumers_scope);
  assert_status(wasmfx_barrier_enter(rt, &fixture->scope), WASMFX_OK);
  assert_outcome(wasmfx_resume_word(rt, &inner, NULL, 0), WASMFX_RETURNED);
  assert_status(wasmfx_barrier_leave(rt, &fixture->scope), WASMFX_OK);

  inner = new_cont(fixture, leave_the_resumers_scope);
  assert_status(wasmfx_root_enter(rt, &fixture->scope), WASMFX_OK);
  assert_outcome(wasmfx_resume_word(rt, &inner, NULL, 0), WASMFX_RETURNED);
  assert_status(wasmfx_root_leave(rt, &fixture->scope), WASMFX_OK);
}

static void a_scope_is_left_by_who_opened_it(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  open_for_another(&fixture);
  run(&fixture, open_for_another);
}

enum { NESTED = 64 };

static void nest_scopes(struct fixture *fixture)
{
  wasmfx_scope_t scopes[NESTED];
  for (size_t i = 0; i < NESTED; i++) {
    const bool root = fixture->levels == 3 ? i % 3 == 0 : fixture->levels == 2;
    assert_status(root ? wasmfx_root_enter(fixture->rt, &scopes[i]) : wasmfx_barrier_enter(fixture->rt, &scopes[i]),
                  WASMFX_OK);
  }
  for (size_t i = NESTED; i-- > 0;) {
    const bool root = fixture->levels == 3 ? i % 3 == 0 : fixture->levels == 2;
    assert_cannot_leave(fixture, root ? WASMFX_TRAP_UNHANDLED : WASMFX_TRAP_BARRIER);
    assert_status(root ? wasmfx_root_leave(fixture->rt, &scopes[i]) : wasmfx_barrier_leave(fixture->rt, &scopes[i]),
                  WASMFX_OK);
  }
}

static void barriers_and_roots_nest_64_deep(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  for (fixture.levels = 1; fixture.levels <= 3; fixture.levels++) { /* barriers, roots, both */
    nest_scopes(&fixture);
    run(&fixture, nest_scopes);
  }
}

static void scopes_use_nothing_up(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.max_conts = 4;
  struct world *world = world_new(&config);
  struct fixture fixture;
  fixture_init(&fixture, world->rt);
  fixture.levels = 2;
  for (int i = 0; i < 20000; i++) {
    wasmfx_scope_t scope;
    assert_status(wasmfx_barrier_enter(world->rt, &scope), WASMFX_OK);
    assert_status(wasmfx_barrier_leave(world->rt, &scope), WASMFX_OK);
    assert_status(wasmfx_root_enter(world->rt, &scope), WASMFX_OK);
    assert_status(wasmfx_root_leave(world->rt, &scope), WASMFX_OK);
    wasmfx_cont_t cont = new_cont(&fixture, leave_all_open);
    assert_outcome(wasmfx_resume_word(world->rt, &cont, NULL, 0), WASMFX_RETURNED);
  }
  world_free(world);
}

static void too_many_scopes_are_a_limit(void **state)
{
  enum { MANY = 1 << 21 };
  wasmfx_runtime_config_t config;
  wasmfx_scope_t *scopes = calloc(MANY, sizeof(*scopes));
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.max_conts = 100; /* so that the memory for scopes does not end where that for a thousand more would */
  struct world *world = world_new(&config);
  size_t open = 0;
  wasmfx_status_t status = WASMFX_OK;
  for (; open < MANY && status == WASMFX_OK; open += status == WASMFX_OK)
    status = open % 2 ? wasmfx_barrier_enter(world->rt, &scopes[open]) : wasmfx_root_enter(world->rt, &scopes[open]);
  assert_status(status, WASMFX_ERROR_LIMIT);
  assert_in_range(open, 1000, MANY - 1);
  const struct view before = view_of(world->rt);
  assert_status(wasmfx_barrier_enter(world->rt, &scopes[open]), WASMFX_ERROR_LIMIT);
  assert_status(wasmfx_root_enter(world->rt, &scopes[open]), WASMFX_ERROR_LIMIT);
  assert_unchanged(world->rt, &before);
  while (open-- > 0) {
    wasmfx_scope_t *scope = &scopes[open];
    assert_status(open % 2 ? wasmfx_barrier_leave(world->rt, scope) : wasmfx_root_leave(world->rt, scope), WASMFX_OK);
  }
  free(scopes);
  world_free(world);
}

/* ---- Marks --------------------------------------------------------------------------------------- */

static void jump(struct fixture *fixture)
{
  longjmp(fixture->out, 1);
}

static uint64_t resume_the_next(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  (void)from;
  if (++fixture->entered == fixture->levels)
    jump(fixture);
  wasmfx_cont_t inner = word_cont_of(rt, ":l", resume_the_next, env);
  wasmfx_resume_word(rt, &inner, fixture->on_both, 0);
  fail_msg("longjmp has left this frame");
  return word;
}

/** Jumps out of `levels` nested resumes back to here, and unwinds. */
static void jump_and_unwind(struct fixture *fixture, size_t levels)
{
  wasmfx_runtime_t *rt = fixture->rt;
  const struct view before = view_of(rt);
  size_t killed = 12345;
  fixture->levels = levels;
  fixture->entered = 0;
  wasmfx_mark(rt, &fixture->mark);
  if (setjmp(fixture->out) == 0) {
    wasmfx_cont_t cont = fixture->kept = word_cont_of(rt, ":l", resume_the_next, fixture);
    wasmfx_resume_word(rt, &cont, NULL, 0);
    fail_msg("longjmp has left this call");
  }
  assert_int_equal(wasmfx_depth(rt), before.depth + levels);
  assert_live(rt, before.stats.conts_live + levels, before.stats.stacks_used + levels);
  assert_status(wasmfx_unwind_to(rt, &fixture->mark, &killed), WASMFX_OK);
  assert_int_equal(killed, levels);
  assert_int_equal(wasmfx_depth(rt), before.depth);
  assert_dead(rt, fixture->kept);
  assert_live(rt, before.stats.conts_live, before.stats.stacks_used);
}

static void longjmp_over_three_nested_resumes_with_unwind_to(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  jump_and_unwind(&fixture, 3);
  run(&fixture, a_barrier); /* the runtime is as good as new */
}

static void longjmp_over_any_number_of_nested_resumes(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  for (size_t levels = 1; levels <= 60; levels++)
    jump_and_unwind(&fixture, levels);
}

static void jump_and_unwind_here(struct fixture *fixture)
{
  jump_and_unwind(fixture, 3);
  assert_outcome(wasmfx_suspend_word(fixture->rt, fixture->pause, 0), WASMFX_RETURNED);
  jump_and_unwind(fixture, 2);
}

static void a_mark_may_be_made_in_a_continuation(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = new_cont(&fixture, jump_and_unwind_here);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
  assert_live(fixture.rt, 1, 1);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, NULL, 0), WASMFX_RETURNED);
  assert_live(fixture.rt, 0, 0);
}

static void mark_suspend_and_unwind(struct fixture *fixture)
{
  wasmfx_runtime_t *rt = fixture->rt;
  size_t killed = 12345;
  wasmfx_mark(rt, &fixture->mark);
  for (int i = 0; i < 3; i++)
    assert_outcome(wasmfx_suspend_word(rt, fixture->pause, 0), WASMFX_RETURNED);
  fixture->levels = 4;
  fixture->entered = 0;
  if (setjmp(fixture->out) == 0) {
    wasmfx_cont_t cont = word_cont_of(rt, ":l", resume_the_next, fixture);
    wasmfx_resume_word(rt, &cont, NULL, 0);
  }
  assert_status(wasmfx_unwind_to(rt, &fixture->mark, &killed), WASMFX_OK);
  assert_int_equal(killed, 4);
}

static void a_mark_holds_while_its_continuation_is_suspended_and_resumed(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = new_cont(&fixture, mark_suspend_and_unwind);
  for (int i = 0; i < 3; i++)
    assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, 0), WASMFX_RETURNED);
  assert_live(fixture.rt, 0, 0);
}

static void a_mark_holds_when_a_scope_of_its_resumer_is_left(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  for (int is_root = 0; is_root <= 1; is_root++) {
    wasmfx_runtime_t *rt = fixture.rt;
    wasmfx_scope_t scope;
    wasmfx_cont_t cont = new_cont(&fixture, mark_suspend_and_unwind);
    assert_status(is_root ? wasmfx_root_enter(rt, &scope) : wasmfx_barrier_enter(rt, &scope), WASMFX_OK);
    assert_outcome(wasmfx_resume_word(rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
    assert_status(is_root ? wasmfx_root_leave(rt, &scope) : wasmfx_barrier_leave(rt, &scope), WASMFX_OK);
    for (int i = 0; i < 2; i++)
      assert_outcome(wasmfx_resume_word(rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
    assert_outcome(wasmfx_resume_word(rt, &cont, fixture.on_pause, 0), WASMFX_RETURNED);
    assert_live(rt, 0, 0);
  }
}

static void suspended_continuations_survive_an_unwinding(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t bystander = word_cont_of(fixture.rt, ":l", pause_once, &fixture);
  assert_outcome(wasmfx_resume_word(fixture.rt, &bystander, fixture.on_pause, 0), WASMFX_SUSPENDED);
  jump_and_unwind(&fixture, 3);
  assert_state(fixture.rt, bystander, WASMFX_STATE_SUSPENDED);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(fixture.rt, &bystander, NULL, 5);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 5);
}

/** Barriers, roots and resumes by turns, and then out. */
static uint64_t open_and_resume_the_next(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct fixture *fixture = env;
  wasmfx_scope_t scopes[3];
  (void)from;
  fixture->entered++;
  if (fixture->entered % 2)
    assert_status(wasmfx_barrier_enter(rt, &scopes[0]), WASMFX_OK);
  assert_status(wasmfx_root_enter(rt, &scopes[1]), WASMFX_OK);
  assert_status(wasmfx_barrier_enter(rt, &scopes[2]), WASMFX_OK);
  fixture->scope = scopes[2];
  if (fixture->entered == fixture->levels)
    jump(fixture);
  wasmfx_cont_t inner = word_cont_of(rt, ":l", open_and_resume_the_next, env);
  wasmfx_resume_word(rt, &inner, NULL, 0);
  fail_msg("longjmp has left this frame");
  return word;
}

static void unwind_scopes(struct fixture *fixture)
{
  wasmfx_runtime_t *rt = fixture->rt;
  const struct view before = view_of(rt);
  size_t killed = 12345;
  fixture->levels = 5;
  fixture->entered = 0;
  wasmfx_mark(rt, &fixture->mark);
  if (setjmp(fixture->out) == 0) {
    wasmfx_scope_t scope;
    assert_status(wasmfx_barrier_enter(rt, &scope), WASMFX_OK);
    wasmfx_cont_t cont = word_cont_of(rt, ":l", open_and_resume_the_next, fixture);
    wasmfx_resume_word(rt, &cont, NULL, 0);
  }
  assert_status(wasmfx_unwind_to(rt, &fixture->mark, &killed), WASMFX_OK);
  assert_int_equal(killed, 5);
  assert_int_equal(wasmfx_depth(rt), before.depth);
  assert_live(rt, before.stats.conts_live, before.stats.stacks_used);
  assert_status(wasmfx_barrier_leave(rt, &fixture->scope), WASMFX_ERROR_STATE);
}

static void unwind_scopes_and_suspend(struct fixture *fixture)
{
  unwind_scopes(fixture);
  assert_outcome(wasmfx_suspend_word(fixture->rt, fixture->pause, 0), WASMFX_RETURNED); /* nothing stops it */
}

static void unwinding_closes_the_scopes_that_were_opened_above_the_mark(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  unwind_scopes(&fixture);
  wasmfx_cont_t cont = new_cont(&fixture, unwind_scopes_and_suspend);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, NULL, 0), WASMFX_RETURNED);
}

static void scopes_that_were_open_at_the_mark_stay_open(void **state)
{
  struct fixture fixture;
  wasmfx_scope_t root, barrier;
  fixture_init(&fixture, runtime_of(state));
  assert_status(wasmfx_root_enter(fixture.rt, &root), WASMFX_OK);
  assert_status(wasmfx_barrier_enter(fixture.rt, &barrier), WASMFX_OK);
  jump_and_unwind(&fixture, 4);
  unwind_scopes(&fixture);
  assert_cannot_leave(&fixture, WASMFX_TRAP_BARRIER);
  assert_status(wasmfx_barrier_leave(fixture.rt, &barrier), WASMFX_OK);
  assert_status(wasmfx_root_leave(fixture.rt, &root), WASMFX_OK);
}

static void unwinding_where_nothing_has_happened_kills_nothing(void **state)
{
  struct fixture fixture;
  size_t killed = 12345;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_mark(fixture.rt, &fixture.mark);
  const struct view before = view_of(fixture.rt);
  assert_status(wasmfx_unwind_to(fixture.rt, &fixture.mark, &killed), WASMFX_OK);
  assert_status(wasmfx_unwind_to(fixture.rt, &fixture.mark, NULL), WASMFX_OK);
  assert_int_equal(killed, 0);
  assert_unchanged(fixture.rt, &before);
}

/* ---- Marks that are no good any more ----------------------------------------------------------------- */

static void assert_mark_is_stale(struct fixture *fixture)
{
  const struct view before = view_of(fixture->rt);
  size_t killed = 12345;
  assert_status(wasmfx_unwind_to(fixture->rt, &fixture->mark, &killed), WASMFX_ERROR_STATE);
  assert_int_equal(killed, 12345);
  assert_unchanged(fixture->rt, &before);
}

static void mark_here(struct fixture *fixture)
{
  wasmfx_mark(fixture->rt, &fixture->mark);
}

static void mark_here_and_suspend(struct fixture *fixture)
{
  wasmfx_mark(fixture->rt, &fixture->mark);
  assert_outcome(wasmfx_suspend_word(fixture->rt, fixture->pause, 0), WASMFX_RETURNED);
}

static void a_mark_in_a_continuation_that_is_dead_is_stale(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  run(&fixture, mark_here);
  assert_mark_is_stale(&fixture);
  run(&fixture, assert_mark_is_stale); /* also when another one uses its memory */
}

static void a_mark_in_a_continuation_that_is_suspended_is_stale(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  wasmfx_cont_t cont = new_cont(&fixture, mark_here_and_suspend);
  assert_outcome(wasmfx_resume_word(fixture.rt, &cont, fixture.on_pause, 0), WASMFX_SUSPENDED);
  assert_mark_is_stale(&fixture);
  run(&fixture, assert_mark_is_stale);
  assert_state(fixture.rt, cont, WASMFX_STATE_SUSPENDED);
  assert_status(wasmfx_drop(fixture.rt, &cont), WASMFX_OK);
}

static void a_mark_in_a_scope_that_was_left_is_stale(void **state)
{
  struct fixture fixture;
  wasmfx_scope_t scope;
  fixture_init(&fixture, runtime_of(state));
  assert_status(wasmfx_barrier_enter(fixture.rt, &scope), WASMFX_OK);
  mark_here(&fixture);
  assert_status(wasmfx_barrier_leave(fixture.rt, &scope), WASMFX_OK);
  assert_mark_is_stale(&fixture);
  assert_status(wasmfx_barrier_enter(fixture.rt, &scope), WASMFX_OK); /* another one, in the same memory */
  assert_mark_is_stale(&fixture);
  assert_status(wasmfx_barrier_leave(fixture.rt, &scope), WASMFX_OK);

  assert_status(wasmfx_root_enter(fixture.rt, &scope), WASMFX_OK);
  mark_here(&fixture);
  assert_status(wasmfx_root_leave(fixture.rt, &scope), WASMFX_OK);
  assert_mark_is_stale(&fixture);
  assert_status(wasmfx_root_enter(fixture.rt, &scope), WASMFX_OK);
  assert_mark_is_stale(&fixture);
  assert_status(wasmfx_root_leave(fixture.rt, &scope), WASMFX_OK);
}

static void who_would_die_cannot_unwind(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  mark_here(&fixture); /* on the host's stack; the call comes from the continuation */
  run(&fixture, assert_mark_is_stale);
}

static void below_a_root_who_would_die_cannot_unwind(struct fixture *fixture)
{
  wasmfx_scope_t scope;
  assert_status(wasmfx_root_enter(fixture->rt, &scope), WASMFX_OK);
  assert_mark_is_stale(fixture);
  assert_status(wasmfx_root_leave(fixture->rt, &scope), WASMFX_OK);
}

static void who_would_die_cannot_unwind_from_a_root_either(void **state)
{
  struct fixture fixture;
  fixture_init(&fixture, runtime_of(state));
  mark_here(&fixture);
  run(&fixture, below_a_root_who_would_die_cannot_unwind);
}

/* ---- Where one is --------------------------------------------------------------------------------------- */

static uint64_t count_depth(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)from;
  assert_int_equal(wasmfx_depth(rt), word);
  if (word == 100)
    return word;
  wasmfx_cont_t inner = word_cont_of(rt, "l:l", count_depth, env);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &inner, NULL, word + 1);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(wasmfx_depth(rt), word);
  return outcome.word;
}

static void depth_counts_the_resumes_above_the_root(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", count_depth, NULL);
  assert_int_equal(wasmfx_depth(rt), 0);
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 1), WASMFX_RETURNED);
  assert_int_equal(wasmfx_depth(rt), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(no_suspension_crosses_a_barrier),
    in_a_world(what_is_handled_inside_of_a_barrier_is_no_business_of_it),
    in_a_world(a_barrier_also_stops_the_continuations_below_it),
    in_a_world(after_the_leave_suspensions_pass_again),
    in_a_world(a_barrier_stops_suspensions_that_know_their_way),
    in_a_world(a_barrier_on_the_hosts_stack_encloses_whole_resumes),
    in_a_world(a_body_that_ends_closes_the_scopes_that_it_opened),
    in_a_world(a_root_starts_a_chain_of_its_own),
    in_a_world(the_hosts_own_stack_has_no_bounds_to_tell),
    in_a_world(roots_nest_and_each_has_a_host_word_of_its_own),
    in_a_world(the_host_may_be_re_entered_many_times),
    in_a_world(only_the_innermost_open_scope_can_be_left_and_once),
    in_a_world(a_scope_is_left_by_who_opened_it),
    in_a_world(barriers_and_roots_nest_64_deep),
    cmocka_unit_test(scopes_use_nothing_up),
    cmocka_unit_test(too_many_scopes_are_a_limit),
    in_a_world(longjmp_over_three_nested_resumes_with_unwind_to),
    in_a_world(longjmp_over_any_number_of_nested_resumes),
    in_a_world(a_mark_may_be_made_in_a_continuation),
    in_a_world(a_mark_holds_while_its_continuation_is_suspended_and_resumed),
    in_a_world(a_mark_holds_when_a_scope_of_its_resumer_is_left),
    in_a_world(suspended_continuations_survive_an_unwinding),
    in_a_world(unwinding_closes_the_scopes_that_were_opened_above_the_mark),
    in_a_world(scopes_that_were_open_at_the_mark_stay_open),
    in_a_world(unwinding_where_nothing_has_happened_kills_nothing),
    in_a_world(a_mark_in_a_continuation_that_is_dead_is_stale),
    in_a_world(a_mark_in_a_continuation_that_is_suspended_is_stale),
    in_a_world(a_mark_in_a_scope_that_was_left_is_stale),
    in_a_world(who_would_die_cannot_unwind),
    in_a_world(who_would_die_cannot_unwind_from_a_root_either),
    in_a_world(depth_counts_the_resumes_above_the_root),
  };
  return cmocka_run_group_tests_name("roots", tests, NULL, NULL);
}
