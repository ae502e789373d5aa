/* SPDX-License-Identifier: Apache-2.0 */
/* Calls on the host's stack: where they run, what they may do, and in which ways they end. */
#undef _FORTIFY_SOURCE /* its longjmp takes a jump to another stack for an attack */
#include "jump.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <wasmfx/backtrace.h>
#include <wasmfx/collect.h>

#define IS_WATCHED (WITH_SANITIZER || under_valgrind())

struct stage {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *pause, *oops; /* [i64] -> [i64], [] -> [] */
  const wasmfx_handlers_t *handlers;
  void (*function)(void *stage); /* what a body calls there */
  wasmfx_status_t inside;        /* what it has seen there */
  const char *place;             /* where it stood */
  wasmfx_cont_t other;
  wasmfx_mark_t mark;
  wasmfx_scope_t scope;
  jmp_buf out;
  size_t calls;
};

static void note_place(struct stage *stage)
{
  stage->place = __builtin_frame_address(0);
  stage->calls++;
}

static bool stands_on_own_stack(struct stage *stage)
{
  void *low, *high;
  return wasmfx_stack_bounds(stage->rt, &low, &high) == WASMFX_OK;
}

/* Where stacks are watched it is called where the caller stands. */
static void assert_on_host_stack(struct stage *stage)
{
  if (!IS_WATCHED)
    assert_false(stands_on_own_stack(stage));
}

/* Calls there, suspends, calls there again. */
static uint64_t call_there_twice(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  assert_status(wasmfx_call_on_host_stack(rt, stage->function, stage), WASMFX_OK);
  assert_true(stands_on_own_stack(stage));
  word = wasmfx_suspend_word(rt, stage->pause, word).word;
  assert_status(wasmfx_call_on_host_stack(rt, stage->function, stage), WASMFX_OK);
  return word;
}

static struct stage open_stage(void **state, void (*function)(void *stage))
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct stage stage = { .rt = rt, .pause = tag_of(rt, "l:l"), .oops = tag_of(rt, ":"), .function = function };
  stage.handlers = HANDLERS(rt, ON_LABEL(stage.pause));
  return stage;
}

static wasmfx_cont_t body_of(struct stage *stage)
{
  return word_cont_of(stage->rt, "l:l", call_there_twice, stage);
}

static void run_to_its_end(struct stage *stage)
{
  wasmfx_cont_t k = body_of(stage);
  assert_outcome(wasmfx_resume_word(stage->rt, &k, stage->handlers, 1), WASMFX_SUSPENDED);
  const wasmfx_outcome_t out = wasmfx_resume_word(stage->rt, &k, stage->handlers, 7);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(out.word, 7);
}

/* ---- Where it runs ------------------------------------------------------------------------------- */

static void look_around(void *arg)
{
  struct stage *stage = arg;
  assert_on_host_stack(stage);
  assert_int_equal(wasmfx_depth(stage->rt), 1);
  note_place(stage);
}

static void a_function_runs_on_the_host_stack_below_who_waits_there(void **state)
{
  struct stage stage = open_stage(state, look_around);
  const char *here = __builtin_frame_address(0);
  run_to_its_end(&stage);
  assert_int_equal(stage.calls, 2);
  if (!IS_WATCHED)
    assert_true(stage.place < here && here - stage.place < 4096);
}

static void all_continuations_share_one_place(void **state)
{
  struct stage stage = open_stage(state, look_around);
  const char *first = NULL;
  for (size_t i = 0; i < 100; i++) {
    run_to_its_end(&stage);
    first = first ? first : stage.place;
    if (!IS_WATCHED)
      assert_ptr_equal(stage.place, first);
  }
}

static void note_call(void *arg)
{
  note_place(arg);
}

static uint64_t resume_who_calls(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  wasmfx_cont_t k = word_cont_of(rt, "l:l", call_there_twice, stage);
  (void)from;
  assert_outcome(wasmfx_resume_word(rt, &k, stage->handlers, 1), WASMFX_SUSPENDED);
  assert_status(wasmfx_drop(rt, &k), WASMFX_OK);
  return word;
}

static void from_deeper_inside_it_runs_there_too(void **state)
{
  struct stage stage = open_stage(state, note_call);
  const char *here = __builtin_frame_address(0);
  wasmfx_cont_t k = word_cont_of(stage.rt, "l:l", resume_who_calls, &stage);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, NULL, 1), WASMFX_RETURNED);
  assert_int_equal(stage.calls, 1);
  if (!IS_WATCHED)
    assert_true(stage.place < here && here - stage.place < 4096);
}

static void use_much(void *arg)
{
  volatile char room[512 << 10]; /* eight times what a continuation has */
  for (size_t i = 0; i < sizeof room; i += 512)
    room[i] = 1;
  look_around(arg);
}

static void what_runs_there_has_the_hosts_room(void **state)
{
  struct stage stage = open_stage(state, IS_WATCHED ? look_around : use_much);
  run_to_its_end(&stage);
}

static void from_the_host_it_is_an_ordinary_call(void **state)
{
  struct stage stage = open_stage(state, NULL);
  const struct view before = view_of(stage.rt);
  assert_status(wasmfx_call_on_host_stack(stage.rt, note_call, &stage), WASMFX_OK);
  assert_int_equal(stage.calls, 1);
  assert_unchanged(stage.rt, &before);
}

static void call_again(void *arg)
{
  struct stage *stage = arg;
  const char *outside = __builtin_frame_address(0);
  assert_status(wasmfx_call_on_host_stack(stage->rt, look_around, stage), WASMFX_OK);
  assert_true(stage->place < outside);
}

static void a_call_from_there_is_an_ordinary_one(void **state)
{
  struct stage stage = open_stage(state, call_again);
  run_to_its_end(&stage);
  assert_int_equal(stage.calls, 2);
}

/* ---- Suspending and resuming -------------------------------------------------------------------------- */

static void try_to_suspend(void *arg)
{
  struct stage *stage = arg;
  stage->inside = wasmfx_suspend_word(stage->rt, stage->pause, 1).status;
}

static void a_suspension_from_there_hits_a_barrier(void **state)
{
  struct stage stage = open_stage(state, try_to_suspend);
  run_to_its_end(&stage); /* which suspends in between */
  assert_status(stage.inside, WASMFX_TRAP_BARRIER);
}

static void resume_another(void *arg)
{
  struct stage *outer = arg;
  volatile uint64_t mine[64];
  for (size_t i = 0; i < COUNT_OF(mine); i++)
    mine[i] = i;
  struct stage inner = *outer;
  inner.function = note_call;
  inner.calls = 0;
  wasmfx_cont_t k = body_of(&inner);
  assert_outcome(wasmfx_resume_word(inner.rt, &k, inner.handlers, 1), WASMFX_SUSPENDED);
  if (!IS_WATCHED)
    assert_true(inner.place < (const char *)&mine);
  assert_outcome(wasmfx_resume_word(inner.rt, &k, inner.handlers, 1), WASMFX_RETURNED);
  assert_int_equal(inner.calls, 2);
  for (size_t i = 0; i < COUNT_OF(mine); i++)
    assert_int_equal(mine[i], i);
}

static void what_is_resumed_from_there_calls_further_down(void **state)
{
  struct stage stage = open_stage(state, resume_another);
  run_to_its_end(&stage);
}

static void resume_another_behind_a_barrier(void *arg)
{
  struct stage *stage = arg;
  wasmfx_scope_t scope;
  assert_status(wasmfx_barrier_enter(stage->rt, &scope), WASMFX_OK);
  resume_another(stage);
  assert_status(wasmfx_barrier_leave(stage->rt, &scope), WASMFX_OK);
}

static void so_it_does_from_behind_another_barrier(void **state)
{
  struct stage stage = open_stage(state, resume_another_behind_a_barrier);
  run_to_its_end(&stage);
}

static void enter_a_root(void *arg)
{
  struct stage *stage = arg;
  wasmfx_scope_t scope;
  assert_status(wasmfx_root_enter(stage->rt, &scope), WASMFX_OK);
  assert_status(wasmfx_suspend_word(stage->rt, stage->pause, 1).status, WASMFX_TRAP_UNHANDLED);
  resume_another(stage);
  assert_status(wasmfx_root_leave(stage->rt, &scope), WASMFX_OK);
}

static void a_root_may_be_entered_there(void **state)
{
  struct stage stage = open_stage(state, enter_a_root);
  run_to_its_end(&stage);
}

/* ---- Ways to end ------------------------------------------------------------------------------------------ */

static void trap(void *arg)
{
  struct stage *stage = arg;
  note_place(stage);
  wasmfx_trap(stage->rt, 42);
}

static void throw(void *arg)
{
  struct stage *stage = arg;
  note_place(stage);
  wasmfx_throw(stage->rt, stage->oops, NULL, 0);
}

static void a_trap_there_ends_the_continuation_and_nothing_else(void **state)
{
  struct stage stage = open_stage(state, trap);
  const char *first = NULL;
  for (size_t i = 0; i < 3; i++) {
    wasmfx_cont_t k = body_of(&stage);
    const wasmfx_outcome_t out = wasmfx_resume_word(stage.rt, &k, stage.handlers, 1);
    assert_outcome(out, WASMFX_TRAPPED);
    assert_int_equal(out.code, 42);
    assert_live(stage.rt, 0, 0);
    first = first ? first : stage.place;
    assert_true(labs((long)(stage.place - first)) < 1024); /* the frame of the resume is not always the same */
  }
  stage.function = look_around;
  run_to_its_end(&stage);
}

static void an_exception_there_arrives_at_the_resume(void **state)
{
  struct stage stage = open_stage(state, throw);
  wasmfx_cont_t k = body_of(&stage);
  const wasmfx_outcome_t out = wasmfx_resume_word(stage.rt, &k, stage.handlers, 1);
  assert_outcome(out, WASMFX_THREW);
  assert_ptr_equal(out.exception->tag, stage.oops);
  assert_live(stage.rt, 0, 0);
}

static void jump_back(void *arg)
{
  struct stage *stage = arg;
  longjmp(stage->out, 1);
}

static uint64_t be_jumped_back_to(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  wasmfx_mark(rt, &stage->mark);
  if (setjmp(stage->out) == 0)
    (void)wasmfx_call_on_host_stack(rt, jump_back, stage);
  assert_status(wasmfx_unwind_to(rt, &stage->mark, NULL), WASMFX_OK);
  return wasmfx_suspend_word(rt, stage->pause, word).word;
}

static void a_jump_back_closes_the_barrier_when_it_is_told(void **state)
{
  struct stage stage = open_stage(state, NULL);
  wasmfx_cont_t k = word_cont_of(stage.rt, "l:l", be_jumped_back_to, &stage);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_RETURNED);
}

static void try_to_suspend_with_a_mark(void *arg)
{
  struct stage *stage = arg;
  wasmfx_mark(stage->rt, &stage->mark);
  try_to_suspend(arg);
}

/* What is remembered of a deep search is of use again after a call; unless that has been marked, and needed the room.
 * */
static uint64_t call_and_suspend(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  while (word) {
    assert_status(wasmfx_call_on_host_stack(rt, stage->function, stage), WASMFX_OK);
    word = wasmfx_suspend_word(rt, stage->pause, word).word;
  }
  return 7;
}

static uint64_t resume_who_suspends(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  wasmfx_cont_t k = word_cont_of(rt, "l:l", call_and_suspend, stage);
  (void)from;
  assert_outcome(wasmfx_resume_word(rt, &k, NULL, word), WASMFX_RETURNED);
  return 8;
}

static void calls_between_suspensions_of_a_chain_leave_it_as_it_is(void **state)
{
  struct stage stage = open_stage(state, NULL);
  wasmfx_cont_t k = word_cont_of(stage.rt, "l:l", resume_who_suspends, &stage);
  for (uint64_t i = 9; i > 0; i--) {
    stage.function = i % 3 ? try_to_suspend : try_to_suspend_with_a_mark;
    const wasmfx_outcome_t out = wasmfx_resume_word(stage.rt, &k, stage.handlers, i);
    assert_outcome(out, WASMFX_SUSPENDED);
    assert_int_equal(out.word, i);
    assert_status(stage.inside, WASMFX_TRAP_BARRIER);
    assert_live(stage.rt, 2, 2);
  }
  const wasmfx_outcome_t out = wasmfx_resume_word(stage.rt, &k, stage.handlers, 0);
  assert_outcome(out, WASMFX_RETURNED);
  assert_int_equal(out.word, 8);
}

/* ---- Marks ------------------------------------------------------------------------------------------------- */

static void use_mark_of_first_call(void *arg)
{
  struct stage *stage = arg;
  wasmfx_mark_t again;
  wasmfx_mark(stage->rt, &again);
  if (stage->calls++ == 0)
    wasmfx_mark(stage->rt, &stage->mark);
  stage->inside = wasmfx_unwind_to(stage->rt, &stage->mark, NULL);
  assert_status(wasmfx_unwind_to(stage->rt, &again, NULL), WASMFX_OK);
}

static uint64_t call_twice_with_marks(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  assert_status(wasmfx_call_on_host_stack(rt, use_mark_of_first_call, stage), WASMFX_OK);
  assert_status(stage->inside, WASMFX_OK);
  assert_status(wasmfx_unwind_to(rt, &stage->mark, NULL), WASMFX_ERROR_STATE);
  assert_status(wasmfx_call_on_host_stack(rt, use_mark_of_first_call, stage), WASMFX_OK);
  assert_status(stage->inside, WASMFX_ERROR_STATE);
  return wasmfx_suspend_word(rt, stage->pause, word).word;
}

static void a_mark_made_there_is_good_for_that_call_only(void **state)
{
  struct stage stage = open_stage(state, NULL);
  wasmfx_cont_t k = word_cont_of(stage.rt, "l:l", call_twice_with_marks, &stage);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_RETURNED);
}

static void leave_a_barrier_open(void *arg)
{
  struct stage *stage = arg;
  assert_status(wasmfx_barrier_enter(stage->rt, &stage->scope), WASMFX_OK);
}

static void leave_a_root_open(void *arg)
{
  struct stage *stage = arg;
  assert_status(wasmfx_root_enter(stage->rt, &stage->scope), WASMFX_OK);
}

static void look_where_it_runs(void *arg)
{
  assert_on_host_stack(arg);
}

static uint64_t call_who_leaves_something_open(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  for (int i = 0; i < 2; i++) {
    assert_status(wasmfx_call_on_host_stack(rt, stage->function, stage), WASMFX_ERROR_STATE);
    assert_status(wasmfx_barrier_leave(rt, &stage->scope), WASMFX_ERROR_STATE);
    assert_status(wasmfx_root_leave(rt, &stage->scope), WASMFX_ERROR_STATE);
    assert_status(wasmfx_call_on_host_stack(rt, look_where_it_runs, stage), WASMFX_OK);
    word = wasmfx_suspend_word(rt, stage->pause, word).word;
  }
  return word;
}

static void what_is_left_open_there_is_reported_and_closed(void **state)
{
  static void (*const functions[])(void *) = { leave_a_barrier_open, leave_a_root_open };
  for (size_t i = 0; i < COUNT_OF(functions); i++) {
    struct stage stage = open_stage(state, functions[i]);
    wasmfx_cont_t k = word_cont_of(stage.rt, "l:l", call_who_leaves_something_open, &stage);
    assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_SUSPENDED);
    assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_SUSPENDED);
    assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_RETURNED);
  }
}

static void make_a_mark(void *arg)
{
  struct stage *stage = arg;
  wasmfx_mark(stage->rt, &stage->mark);
}

/* It remembers a handler further out; the mark takes the place of that. */
static uint64_t suspend_by_no_tag_after_a_mark(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  word = wasmfx_suspend_word(rt, stage->pause, word).word;
  assert_status(wasmfx_call_on_host_stack(rt, make_a_mark, stage), WASMFX_OK);
  assert_status(wasmfx_suspend_word(rt, NULL, word).status, WASMFX_ERROR_ARGUMENT);
  return wasmfx_suspend_word(rt, stage->pause, word).word;
}

static uint64_t resume_it_without_clauses(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_cont_t inner = word_cont_of(rt, "l:l", suspend_by_no_tag_after_a_mark, env);
  (void)from;
  return wasmfx_resume_word(rt, &inner, NULL, word).word;
}

static void after_a_mark_there_no_tag_is_still_no_tag(void **state)
{
  struct stage stage = open_stage(state, NULL);
  wasmfx_cont_t k = word_cont_of(stage.rt, "l:l", resume_it_without_clauses, &stage);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_RETURNED);
}

static void unwind_from_there(void *arg)
{
  struct stage *stage = arg;
  assert_status(wasmfx_unwind_to(stage->rt, &stage->mark, NULL), IS_WATCHED ? WASMFX_OK : WASMFX_ERROR_STATE);
}

static uint64_t call_who_unwinds_from_there(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct stage *stage = env;
  (void)from;
  wasmfx_mark(rt, &stage->mark);
  assert_status(wasmfx_call_on_host_stack(rt, unwind_from_there, stage), IS_WATCHED ? WASMFX_ERROR_STATE : WASMFX_OK);
  return wasmfx_suspend_word(rt, stage->pause, word).word;
}

static void a_mark_from_before_is_not_unwound_to_from_there(void **state)
{
  struct stage stage = open_stage(state, NULL);
  wasmfx_cont_t k = word_cont_of(stage.rt, "l:l", call_who_unwinds_from_there, &stage);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_RETURNED);
}

/* ---- Who looks at it ---------------------------------------------------------------------------------------- */

struct seen {
  size_t bodies;
  const char *frame; /* of the body that is looked for */
  bool is_found;
};

static void see_stack(void *context, const wasmfx_stack_t *stack)
{
  struct seen *seen = context;
  if (!stack->high)
    return;
  seen->bodies++;
  assert_true((const char *)stack->low < (const char *)stack->high);
  assert_true((size_t)((const char *)stack->high - (const char *)stack->low) < 64 << 10);
  seen->is_found = seen->is_found || ((const char *)stack->low <= seen->frame && seen->frame < (const char *)stack->high);
}

static struct seen seen;

static void visit(void *arg)
{
  struct stage *stage = arg;
  const wasmfx_visitor_t visitor = { .context = &seen, .stack = see_stack };
  wasmfx_visit_all(stage->rt, &visitor);
  assert_true(seen.is_found);
}

static uint64_t be_seen(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)from;
  struct stage *stage = env;
  seen = (struct seen){ .frame = __builtin_frame_address(0) };
  assert_status(wasmfx_call_on_host_stack(rt, stage->function, stage), WASMFX_OK);
  return word;
}

static void visit_from_another(void *arg)
{
  struct stage *stage = arg;
  wasmfx_cont_t k = word_cont_of(stage->rt, "l:l", call_there_twice, stage);
  stage->function = visit;
  assert_outcome(wasmfx_resume_word(stage->rt, &k, stage->handlers, 1), WASMFX_SUSPENDED);
  assert_status(wasmfx_drop(stage->rt, &k), WASMFX_OK);
}

static void visitors_see_the_stack_that_was_left(void **state)
{
  struct stage stage = open_stage(state, visit);
  wasmfx_cont_t k = word_cont_of(stage.rt, "l:l", be_seen, &stage);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_RETURNED);
  stage.function = visit_from_another;
  k = word_cont_of(stage.rt, "l:l", be_seen, &stage);
  assert_outcome(wasmfx_resume_word(stage.rt, &k, stage.handlers, 1), WASMFX_RETURNED);
  assert_int_equal(seen.bodies, 2);
}

static void backtrace(void *arg)
{
  struct stage *stage = arg;
  wasmfx_frame_t frames[64];
  size_t count = 0, bases = 0;
  stage->inside = wasmfx_backtrace(stage->rt, frames, COUNT_OF(frames), &count);
  for (size_t i = 0; i < count; i++)
    bases += frames[i].is_base;
  if (stage->inside == WASMFX_OK)
    assert_true(bases == 1 && count > 6);
}

static void backtraces_go_on_into_the_continuation_and_its_resumer(void **state)
{
  struct stage stage = open_stage(state, backtrace);
  run_to_its_end(&stage);
}

/* ---- Prefetching --------------------------------------------------------------------------------------------- */

static void anything_may_be_prefetched(void **state)
{
  struct stage stage = open_stage(state, look_around);
  wasmfx_cont_t fresh = body_of(&stage), suspended = body_of(&stage), stale = suspended;
  assert_outcome(wasmfx_resume_word(stage.rt, &suspended, stage.handlers, 1), WASMFX_SUSPENDED);
  const struct view before = view_of(stage.rt);
  uint64_t seed = 1;
  wasmfx_prefetch(stage.rt, WASMFX_NULL_CONT);
  wasmfx_prefetch(stage.rt, fresh);
  wasmfx_prefetch(stage.rt, suspended);
  wasmfx_prefetch(stage.rt, stale);
  for (size_t i = 0; i < 1000; i++)
    wasmfx_prefetch(stage.rt, random_word(&seed));
  assert_unchanged(stage.rt, &before);
  assert_status(wasmfx_drop(stage.rt, &fresh), WASMFX_OK);
  assert_outcome(wasmfx_resume_word(stage.rt, &suspended, stage.handlers, 1), WASMFX_RETURNED);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(a_function_runs_on_the_host_stack_below_who_waits_there),
    in_a_world(from_deeper_inside_it_runs_there_too),
    in_a_world(all_continuations_share_one_place),
    in_a_world(what_runs_there_has_the_hosts_room),
    in_a_world(from_the_host_it_is_an_ordinary_call),
    in_a_world(a_call_from_there_is_an_ordinary_one),
    in_a_world(a_suspension_from_there_hits_a_barrier),
    in_a_world(what_is_resumed_from_there_calls_further_down),
    in_a_world(so_it_does_from_behind_another_barrier),
    in_a_world(a_root_may_be_entered_there),
    in_a_world(a_trap_there_ends_the_continuation_and_nothing_else),
    in_a_world(an_exception_there_arrives_at_the_resume),
    in_a_world(a_jump_back_closes_the_barrier_when_it_is_told),
    in_a_world(calls_between_suspensions_of_a_chain_leave_it_as_it_is),
    in_a_world(a_mark_made_there_is_good_for_that_call_only),
    in_a_world(what_is_left_open_there_is_reported_and_closed),
    in_a_world(after_a_mark_there_no_tag_is_still_no_tag),
    in_a_world(a_mark_from_before_is_not_unwound_to_from_there),
    in_a_world(visitors_see_the_stack_that_was_left),
    in_a_world(backtraces_go_on_into_the_continuation_and_its_resumer),
    in_a_world(anything_may_be_prefetched),
  };
  return cmocka_run_group_tests_name("host_stack", tests, NULL, NULL);
}
