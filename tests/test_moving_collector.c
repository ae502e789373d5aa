/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host whose collector moves. Before and after each verb every object goes to
 * another address, and where it was is poison. So a single place that
 * wasmfx_visit_all() did not show, or where a change was lost, is a stale
 * pointer, which the next use finds.
 *
 *     roots of the toy             where
 *     ---------------------------  --------------------------------------
 *     frames (struct frame)        on the stacks; the host word leads to the innermost
 *     host word and `env`          of a fresh continuation: an object each
 *     bound arguments              wherever the library keeps them
 *     long results                 likewise, as far as they have been written
 *
 * Continuations do not move. References to them are numbers, also those in objects.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

/* ---- Objects ------------------------------------------------------------------------ */

enum { SPACES = 8, SPACE_OBJECTS = 8192, POISON = 0xdb };

struct object {
  uint64_t check;         /* of the number: tells an object from poison */
  struct object *forward; /* while moving: where it is now */
  struct object *next;
  wasmfx_cont_t cont;
  int64_t number;
};

/** Where a function of the toy keeps its objects. */
struct frame {
  struct frame *outer;
  struct object *roots[4];
};

static struct {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *yield;  /* [externref] -> [externref] */
  wasmfx_tag_t *swap;   /* [] -> [externref]: for switching */
  wasmfx_tag_t *oops;   /* [externref] -> []: an exception */
  wasmfx_tag_t *far;    /* [externref] -> [externref] */
  wasmfx_type_t *task;  /* [externref] -> [externref] */
  wasmfx_type_t *peer;  /* [externref contref] -> [externref] */
  const wasmfx_handlers_t *on_yield, *on_swap, *on_far;
  struct object *spaces[SPACES];
  size_t space, used; /* where objects are now */
  size_t target, moved, moves;
} toy;

static uint64_t check_of(int64_t number)
{
  return (uint64_t)number * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static struct object *use(struct object *object)
{
  const struct object *space = toy.spaces[toy.space];
  assert_in_range((uintptr_t)object, (uintptr_t)space, (uintptr_t)(space + toy.used) - 1);
  assert_int_equal(object->check, check_of(object->number));
  return object;
}

/** Moves nothing: only verbs do. */
static struct object *make(int64_t number, struct object *next)
{
  assert_true(toy.used < SPACE_OBJECTS);
  struct object *object = &toy.spaces[toy.space][toy.used++];
  *object = (struct object){ .check = check_of(number), .next = next, .number = number };
  return object;
}

/* ---- The collector ---------------------------------------------------------------------- */

static bool is_moved(const struct object *object)
{
  const struct object *space = toy.spaces[toy.target];
  return (uintptr_t)object >= (uintptr_t)space && (uintptr_t)object < (uintptr_t)(space + SPACE_OBJECTS);
}

static void move_one(struct object **slot)
{
  if (!*slot || is_moved(*slot))
    return;
  struct object *object = use(*slot);
  if (!object->forward) {
    struct object *copy = &toy.spaces[toy.target][toy.moved++];
    *copy = *object;
    object->forward = copy;
  }
  *slot = object->forward;
}

static void move_word(void **word)
{
  struct object *object = *word;
  move_one(&object);
  *word = object;
}

static void move_stack(void *context, const wasmfx_stack_t *stack)
{
  (void)context;
  if (stack->env) {
    move_word(stack->env);
    move_word(stack->host_word);
    return;
  }
  for (struct frame *frame = *stack->host_word; frame; frame = frame->outer)
    for (size_t i = 0; i < COUNT_OF(frame->roots); i++)
      move_one(&frame->roots[i]);
}

static void move_value(void *context, wasmfx_kind_t kind, wasmfx_value_t *value)
{
  (void)context;
  if (kind == WASMFX_EXTERNREF)
    move_word(&value->externref);
  else if (kind == WASMFX_FUNCREF)
    move_word(&value->funcref);
}

/** A copying collection. */
static void move_all(void)
{
  static const wasmfx_visitor_t visitor = { move_stack, move_value, NULL };
  toy.target = (toy.space + 1) % SPACES;
  toy.moved = 0;
  wasmfx_visit_all(toy.rt, &visitor);
  for (size_t i = 0; i < toy.moved; i++)
    move_one(&toy.spaces[toy.target][i].next);
  memset(toy.spaces[toy.space], POISON, toy.used * sizeof(struct object));
  toy.space = toy.target;
  toy.used = toy.moved;
  toy.moves++;
}

/* ---- Frames and verbs --------------------------------------------------------------------- */

static void open_frame(struct frame *frame)
{
  memset(frame->roots, 0, sizeof(frame->roots));
  frame->outer = *wasmfx_host_word(toy.rt);
  *wasmfx_host_word(toy.rt) = frame;
}

static void close_frame(struct frame *frame)
{
  assert_ptr_equal(*wasmfx_host_word(toy.rt), frame);
  *wasmfx_host_word(toy.rt) = frame->outer;
}

/** The frame of an entry function: takes the environment and the host word, which were objects so far. */
static void begin_body(struct frame *frame, void *env, uint64_t word)
{
  struct object *name = *wasmfx_host_word(toy.rt);
  *wasmfx_host_word(toy.rt) = NULL;
  open_frame(frame);
  frame->roots[0] = env;
  frame->roots[1] = (struct object *)(uintptr_t)word;
  frame->roots[2] = name;
  move_all();
}

/** `slot` is a root: it holds what is sent before the call, and what has arrived after it. */
static wasmfx_status_t arrive(wasmfx_outcome_t outcome, struct object **slot)
{
  if (outcome.status == WASMFX_THREW)
    *slot = outcome.exception->values[0].externref;
  else if (outcome.status == WASMFX_RETURNED || outcome.status == WASMFX_SUSPENDED)
    *slot = (struct object *)(uintptr_t)outcome.word;
  move_all();
  return outcome.status;
}

static wasmfx_status_t resume(wasmfx_cont_t *cont, const wasmfx_handlers_t *handlers, struct object **slot)
{
  move_all();
  return arrive(wasmfx_resume_word(toy.rt, cont, handlers, (uintptr_t)*slot), slot);
}

static wasmfx_status_t resume_throw(wasmfx_cont_t *cont, const wasmfx_handlers_t *handlers, struct object **slot)
{
  move_all();
  const wasmfx_value_t value = { .externref = *slot };
  return arrive(wasmfx_resume_throw(toy.rt, cont, handlers, toy.oops, &value, 1), slot);
}

static wasmfx_status_t suspend(wasmfx_tag_t *tag, struct object **slot)
{
  move_all();
  return arrive(wasmfx_suspend_word(toy.rt, tag, (uintptr_t)*slot), slot);
}

static wasmfx_status_t switch_to(wasmfx_cont_t *cont, struct object **slot)
{
  move_all();
  return arrive(wasmfx_switch_word(toy.rt, cont, toy.swap, toy.peer, (uintptr_t)*slot), slot);
}

static void throw(struct object **slot)
{
  move_all();
  const wasmfx_value_t value = { .externref = *slot };
  assert_status(wasmfx_throw(toy.rt, toy.oops, &value, 1), WASMFX_OK);
}

/** A new continuation; `env` and `name` are roots or NULL. */
static wasmfx_cont_t new_cont(const wasmfx_type_t *type, wasmfx_word_entry_t entry, struct object **env,
                              struct object **name)
{
  wasmfx_cont_t cont;
  move_all();
  assert_status(wasmfx_cont_new_word(toy.rt, type, entry, env ? *env : NULL, &cont), WASMFX_OK);
  *wasmfx_cont_host_word(toy.rt, cont) = name ? *name : NULL;
  move_all();
  return cont;
}

/* ---- Worlds ---------------------------------------------------------------------------------- */

static int open_toy(void **state)
{
  open_world(state);
  wasmfx_runtime_t *rt = toy.rt = runtime_of(state);
  toy.yield = tag_of(rt, "e:e");
  toy.far = tag_of(rt, "e:e");
  toy.swap = tag_of(rt, ":e");
  toy.oops = tag_of(rt, "e:");
  toy.task = type_of(rt, "e:e");
  toy.peer = type_of(rt, "ec:e");
  toy.on_yield = HANDLERS(rt, ON_LABEL(toy.yield));
  toy.on_swap = HANDLERS(rt, ON_SWITCH(toy.swap));
  toy.on_far = HANDLERS(rt, ON_LABEL(toy.far));
  for (size_t i = 0; i < SPACES; i++) {
    toy.spaces[i] = malloc(SPACE_OBJECTS * sizeof(struct object));
    assert_non_null(toy.spaces[i]);
    memset(toy.spaces[i], POISON, SPACE_OBJECTS * sizeof(struct object));
  }
  toy.space = toy.used = toy.moves = 0;
  return 0;
}

static int close_toy(void **state)
{
  move_all();
  assert_int_equal(toy.used, 0); /* nothing is held any more */
  for (size_t i = 0; i < SPACES; i++)
    free(toy.spaces[i]);
  return close_world(state);
}

#define in_a_toy(test) cmocka_unit_test_setup_teardown(test, open_toy, close_toy)

/* ---- Tests ---------------------------------------------------------------------------------- */

static void a_pointer_that_nobody_shows_is_stale(void **state)
{
  struct frame f;
  (void)state;
  open_frame(&f);
  const struct object *shown = f.roots[0] = make(1, NULL), *hidden = make(2, NULL);
  move_all();
  assert_true(f.roots[0] != shown);
  assert_int_equal(use(f.roots[0])->number, 1);
  assert_int_equal(shown->check, UINT64_C(0x0101010101010101) * POISON);
  assert_int_equal(hidden->check, UINT64_C(0x0101010101010101) * POISON);
  assert_int_equal(toy.used, 1);
  close_frame(&f);
}

/** Yields new objects, up to the number of what it was given. */
static uint64_t count_up(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct frame f;
  (void)rt, (void)from;
  begin_body(&f, env, word);
  for (int64_t i = 1; i <= use(f.roots[1])->number; i++) {
    f.roots[3] = make(i, f.roots[0]); /* each leads to the generator's environment */
    assert_status(suspend(toy.yield, &f.roots[3]), WASMFX_RETURNED);
  }
  close_frame(&f);
  return (uintptr_t)f.roots[2];
}

/** Runs a generator up to `count` and adds what comes; `f` has room in its roots. */
static void consume_generator(struct frame *f, int64_t count)
{
  int64_t sum = 0, seen = 0;
  f->roots[0] = make(77, NULL);
  f->roots[1] = make(88, NULL);
  wasmfx_cont_t cont = new_cont(toy.task, count_up, &f->roots[0], &f->roots[1]);
  f->roots[2] = make(count, NULL);
  while (resume(&cont, toy.on_yield, &f->roots[2]) == WASMFX_SUSPENDED) {
    sum += use(f->roots[2])->number;
    assert_int_equal(use(f->roots[2]->next)->number, 77);
    seen++;
  }
  assert_int_equal(seen, count);
  assert_int_equal(sum, count * (count + 1) / 2);
  assert_int_equal(use(f->roots[2])->number, 88); /* its name is its result */
}

static void a_generator_of_objects(void **state)
{
  struct frame f;
  (void)state;
  open_frame(&f);
  consume_generator(&f, 500);
  close_frame(&f);
  assert_true(toy.moves > 2000);
}

static uint64_t append_to_list(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct frame f;
  (void)rt, (void)from;
  begin_body(&f, env, word);
  for (int64_t i = 0; i < 2000; i++) {
    f.roots[3] = make(i, f.roots[3]);
    if (i % 20 == 0)
      assert_status(suspend(toy.yield, &f.roots[0]), WASMFX_RETURNED);
  }
  close_frame(&f);
  return (uintptr_t)f.roots[3];
}

static void a_long_list_that_only_a_suspended_stack_holds(void **state)
{
  struct frame f;
  (void)state;
  open_frame(&f);
  wasmfx_cont_t cont = new_cont(toy.task, append_to_list, NULL, NULL);
  while (resume(&cont, toy.on_yield, &f.roots[0]) == WASMFX_SUSPENDED)
    f.roots[0] = NULL;
  for (int64_t i = 2000; i--; f.roots[0] = use(f.roots[0])->next)
    assert_int_equal(use(f.roots[0])->number, i);
  assert_null(f.roots[0]);
  close_frame(&f);
}

/** Adds to the account that is its environment, yielding after each step. */
static uint64_t work(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct frame f;
  (void)rt, (void)from;
  begin_body(&f, env, word);
  for (int64_t i = 0; i < use(f.roots[2])->number; i++) {
    use(f.roots[0])->number++;
    f.roots[0]->check = check_of(f.roots[0]->number);
    assert_status(suspend(toy.yield, &f.roots[3]), WASMFX_RETURNED);
  }
  close_frame(&f);
  return 0;
}

/** The queue is a list of objects that hold the tasks. roots: account, first of the queue, a name. */
static void a_scheduler_whose_queue_is_in_the_heap(void **state)
{
  enum { TASKS = 40, STEPS = 10 };
  struct frame f;
  (void)state;
  open_frame(&f);
  f.roots[0] = make(0, NULL);
  for (size_t i = 0; i < TASKS; i++) {
    f.roots[2] = make(STEPS, NULL); /* as its name: how much it works */
    const wasmfx_cont_t cont = new_cont(toy.task, work, &f.roots[0], &f.roots[2]);
    f.roots[1] = make(0, f.roots[1]);
    f.roots[1]->cont = cont;
  }
  f.roots[2] = NULL;
  size_t turns = 0;
  while (f.roots[1]) {
    wasmfx_cont_t cont = use(f.roots[1])->cont;
    f.roots[1] = f.roots[1]->next;
    turns++;
    if (resume(&cont, toy.on_yield, &f.roots[3]) != WASMFX_SUSPENDED)
      continue;
    struct object **last = &f.roots[1];
    while (*last)
      last = &use(*last)->next;
    *last = make(0, NULL);
    (*last)->cont = cont;
  }
  assert_int_equal(turns, TASKS * (STEPS + 1));
  assert_int_equal(use(f.roots[0])->number, TASKS * STEPS);
  close_frame(&f);
}

/** Passes the token on until it is worn out; each adds itself to the list that hangs on it. */
static uint64_t pass_on(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct frame f;
  (void)rt;
  begin_body(&f, env, word);
  wasmfx_cont_t next = use(f.roots[0])->cont; /* who was made before; the first one has nobody and ends it */
  for (; next; assert_status(switch_to(&next, &f.roots[1]), WASMFX_RETURNED)) {
    f.roots[1]->next = make(use(f.roots[0])->number, use(f.roots[1])->next);
    if (from) {
      use(f.roots[0])->cont = from; /* whoever gets round to dropping it */
      from = WASMFX_NULL_CONT;
    }
  }
  close_frame(&f);
  return (uintptr_t)f.roots[1];
}

static void a_row_of_switches_with_an_object_as_token(void **state)
{
  enum { COUNT = 50 };
  struct frame f;
  wasmfx_cont_t conts[COUNT] = { 0 };
  (void)state;
  open_frame(&f);
  for (size_t i = 0; i < COUNT; i++) {
    f.roots[0] = make((int64_t)i, NULL);
    f.roots[0]->cont = i ? conts[i - 1] : WASMFX_NULL_CONT;
    conts[i] = new_cont(toy.peer, pass_on, &f.roots[0], NULL);
  }
  const wasmfx_value_t nobody = cont_value(WASMFX_NULL_CONT);
  f.roots[1] = make(1000, NULL);
  move_all();
  const wasmfx_value_t values[] = { { .externref = f.roots[1] }, nobody };
  const wasmfx_outcome_t outcome = wasmfx_resume(toy.rt, &conts[COUNT - 1], toy.on_swap, values, 2);
  assert_outcome(outcome, WASMFX_RETURNED);
  f.roots[1] = outcome.values[0].externref;
  move_all();
  assert_int_equal(use(f.roots[1])->number, 1000);
  for (int64_t i = 1; i < COUNT; i++) {
    f.roots[1] = use(f.roots[1])->next;
    assert_int_equal(use(f.roots[1])->number, i);
  }
  size_t dropped;
  assert_status(wasmfx_collect(toy.rt, NULL, &dropped), WASMFX_OK); /* those that wait for ever */
  assert_int_equal(dropped, COUNT - 1);
  close_frame(&f);
}

/** Two that switch to and fro: each reference is used as soon as it arrives. */
static uint64_t play(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t other)
{
  struct frame f;
  (void)rt;
  begin_body(&f, env, word);
  while (use(f.roots[1])->number > 0) {
    f.roots[1] = make(f.roots[1]->number - 1, f.roots[0]);
    assert_status(switch_to(&other, &f.roots[1]), WASMFX_RETURNED);
    assert_int_equal(use(use(f.roots[1])->next)->number, 55);
  }
  close_frame(&f);
  return (uintptr_t)f.roots[1];
}

static void two_that_switch_to_and_fro(void **state)
{
  struct frame f;
  (void)state;
  open_frame(&f);
  f.roots[0] = make(55, NULL);
  wasmfx_cont_t one = new_cont(toy.peer, play, &f.roots[0], NULL), other = new_cont(toy.peer, play, &f.roots[0], NULL);
  f.roots[1] = make(300, f.roots[0]);
  move_all();
  const wasmfx_value_t values[] = { { .externref = f.roots[1] }, cont_value(other) };
  const wasmfx_outcome_t outcome = wasmfx_resume(toy.rt, &one, toy.on_swap, values, 2);
  assert_outcome(outcome, WASMFX_RETURNED);
  f.roots[1] = outcome.values[0].externref;
  move_all();
  assert_int_equal(use(f.roots[1])->number, 0);
  size_t dropped;
  assert_status(wasmfx_collect(toy.rt, NULL, &dropped), WASMFX_OK);
  assert_int_equal(dropped, 1);
  close_frame(&f);
}

/** Catches what is thrown into it, wraps it, and throws that. */
static uint64_t catch_and_throw(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct frame f;
  (void)rt, (void)from;
  begin_body(&f, env, word);
  assert_status(suspend(toy.yield, &f.roots[1]), WASMFX_THREW);
  f.roots[1] = make(2, f.roots[1]);
  throw(&f.roots[1]);
  return 0;
}

static void exceptions_that_carry_objects(void **state)
{
  struct frame f;
  (void)state;
  open_frame(&f);
  for (int i = 0; i < 50; i++) {
    wasmfx_cont_t cont = new_cont(toy.task, catch_and_throw, NULL, NULL);
    f.roots[0] = make(7, NULL);
    assert_status(resume(&cont, toy.on_yield, &f.roots[0]), WASMFX_SUSPENDED);
    assert_int_equal(use(f.roots[0])->number, 7);
    f.roots[0] = make(1, NULL);
    assert_status(resume_throw(&cont, toy.on_yield, &f.roots[0]), WASMFX_THREW);
    assert_int_equal(use(f.roots[0])->number, 2);
    assert_int_equal(use(f.roots[0]->next)->number, 1);
  }
  close_frame(&f);
}

/** Nests, an object in each frame; the innermost one suspends them all. */
static uint64_t nest(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct frame f;
  (void)rt, (void)from;
  begin_body(&f, env, word);
  const int64_t depth = use(f.roots[1])->number;
  f.roots[3] = make(depth, NULL);
  f.roots[1] = make(depth - 1, NULL);
  if (depth == 0) {
    assert_status(suspend(toy.far, &f.roots[0]), WASMFX_RETURNED);
  } else {
    wasmfx_cont_t inner = new_cont(toy.task, nest, &f.roots[0], NULL);
    assert_status(resume(&inner, toy.on_yield, &f.roots[1]), WASMFX_RETURNED);
    assert_int_equal(use(f.roots[1])->number, depth - 1);
  }
  close_frame(&f);
  return (uintptr_t)f.roots[3];
}

static void a_chain_that_was_captured_together(void **state)
{
  struct frame f;
  (void)state;
  open_frame(&f);
  f.roots[0] = make(9, NULL);
  f.roots[1] = make(20, NULL);
  wasmfx_cont_t cont = new_cont(toy.task, nest, &f.roots[0], NULL);
  assert_status(resume(&cont, toy.on_far, &f.roots[1]), WASMFX_SUSPENDED);
  assert_int_equal(use(f.roots[1])->number, 9);
  consume_generator(&f, 10);
  assert_status(resume(&cont, NULL, &f.roots[1]), WASMFX_RETURNED);
  assert_int_equal(use(f.roots[1])->number, 20);
  close_frame(&f);
}

/** Calls back into the host, which opens a root: its frames hang on a word of their own. */
static uint64_t open_a_root(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct frame f, inside;
  wasmfx_scope_t root;
  (void)from;
  begin_body(&f, env, word);
  f.roots[3] = make(33, NULL);
  assert_status(wasmfx_root_enter(rt, &root), WASMFX_OK);
  *wasmfx_host_word(rt) = NULL; /* what is outside is the business of the word outside */
  open_frame(&inside);
  consume_generator(&inside, 30);
  close_frame(&inside);
  assert_status(wasmfx_root_leave(rt, &root), WASMFX_OK);
  assert_int_equal(use(f.roots[0])->number, 11);
  assert_int_equal(use(f.roots[1])->number, 22);
  assert_int_equal(use(f.roots[3])->number, 33);
  close_frame(&f);
  return (uintptr_t)f.roots[3];
}

static void a_root_inside_a_continuation(void **state)
{
  struct frame f;
  (void)state;
  open_frame(&f);
  f.roots[0] = make(11, NULL);
  f.roots[1] = make(22, NULL);
  wasmfx_cont_t cont = new_cont(toy.task, open_a_root, &f.roots[0], NULL);
  assert_status(resume(&cont, NULL, &f.roots[1]), WASMFX_RETURNED);
  assert_int_equal(use(f.roots[1])->number, 33);
  close_frame(&f);
}

enum { LONG = 100 }; /* more than go on the continuation's own stack */

/** Gives its arguments back in reverse order. It suspends when half of the results are written. */
static void reverse(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct frame f;
  (void)rt;
  for (size_t i = 0; i < LONG; i++)
    use(args[i].externref)->next = i ? args[i - 1].externref : NULL;
  begin_body(&f, env, (uintptr_t)args[LONG - 1].externref);
  for (size_t i = 0; i < LONG; i++, f.roots[1] = f.roots[1]->next) {
    if (i == LONG / 2)
      assert_status(suspend(toy.yield, &f.roots[3]), WASMFX_RETURNED);
    results[i].externref = use(f.roots[1]);
  }
  close_frame(&f);
}

static void bind(wasmfx_cont_t *cont, int64_t begin, size_t count)
{
  wasmfx_value_t values[LONG];
  for (size_t i = 0; i < count; i++)
    values[i] = (wasmfx_value_t){ .externref = make(begin + (int64_t)i, NULL) };
  assert_status(wasmfx_cont_bind(toy.rt, cont, NULL, values, count), WASMFX_OK);
  move_all();
}

static void long_lists_bound_and_returned_bit_by_bit(void **state)
{
  struct frame f;
  wasmfx_kind_t kinds[LONG];
  wasmfx_type_t *type;
  wasmfx_cont_t cont;
  (void)state;
  open_frame(&f);
  for (size_t i = 0; i < LONG; i++)
    kinds[i] = WASMFX_EXTERNREF;
  assert_status(wasmfx_type_new(toy.rt, kinds, LONG, kinds, LONG, &type), WASMFX_OK);
  f.roots[0] = make(4, NULL);
  assert_status(wasmfx_cont_new(toy.rt, type, reverse, f.roots[0], &cont), WASMFX_OK);
  move_all();
  bind(&cont, 0, 40);
  consume_generator(&f, 3);
  bind(&cont, 40, 0);
  bind(&cont, 40, 60);
  assert_outcome(wasmfx_resume(toy.rt, &cont, toy.on_yield, NULL, 0), WASMFX_SUSPENDED);
  consume_generator(&f, 3);
  const wasmfx_value_t nothing = { .externref = NULL };
  const wasmfx_outcome_t outcome = wasmfx_resume(toy.rt, &cont, NULL, &nothing, 1);
  assert_outcome(outcome, WASMFX_RETURNED);
  for (int64_t i = 0; i < LONG; i++)
    assert_int_equal(use(outcome.values[i].externref)->number, LONG - 1 - i);
  close_frame(&f);
}

static void take_funcref(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  assert_int_equal(use(args[0].funcref)->number, 12);
  results[0] = args[1]; /* a number, whatever it looks like */
  results[1] = args[2];
}

static void only_references_to_objects_change(void **state)
{
  (void)state;
  struct object *object = make(12, NULL);
  const int64_t number = (int64_t)(uintptr_t)object;
  const wasmfx_value_t values[] = { { .funcref = object }, { .i64 = number } };
  wasmfx_cont_t cont = cont_of(toy.rt, "ple:le", take_funcref, NULL);
  assert_status(wasmfx_cont_bind(toy.rt, &cont, NULL, values, 2), WASMFX_OK);
  move_all();
  const wasmfx_value_t last = { .externref = make(13, NULL) };
  const wasmfx_outcome_t outcome = wasmfx_resume(toy.rt, &cont, NULL, &last, 1);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.values[0].i64, number);
  assert_int_equal(use(outcome.values[1].externref)->number, 13);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_toy(a_pointer_that_nobody_shows_is_stale),
    in_a_toy(a_generator_of_objects),
    in_a_toy(a_long_list_that_only_a_suspended_stack_holds),
    in_a_toy(a_scheduler_whose_queue_is_in_the_heap),
    in_a_toy(a_row_of_switches_with_an_object_as_token),
    in_a_toy(two_that_switch_to_and_fro),
    in_a_toy(exceptions_that_carry_objects),
    in_a_toy(a_chain_that_was_captured_together),
    in_a_toy(a_root_inside_a_continuation),
    in_a_toy(long_lists_bound_and_returned_bit_by_bit),
    in_a_toy(only_references_to_objects_change),
  };
  return cmocka_run_group_tests_name("moving_collector", tests, NULL, NULL);
}
