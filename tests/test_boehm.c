/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host on the Boehm-Demers-Weiser collector (libgc), which finds pointers by
 * looking at every word of the stacks that it knows. It has to be told of
 *
 *  - the stacks that wait or are suspended, and bound arguments, at each collection:
 *    GC_set_push_other_roots() and wasmfx_visit_all();
 *  - the other end of the stack that runs, at each switch: the `switched` hook.
 *
 * Here all objects are held by continuations. Without the first, they are lost.
 */
#include "support.h"

#include <gc/gc.h>
#include <gc/gc_mark.h>
#include <stdlib.h>
#include <string.h>

enum { CONTS = 1000, NODES = 10, ROUNDS = 5 };

struct node {
  struct node *next;
  uint64_t owner, place, check;
  char ballast[64];
};

/** The host word: where the stack ends on which a continuation or the host runs. It lies there itself. */
struct activation {
  struct GC_stack_base base;
};

static struct {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *pause; /* [] -> [] */
  const wasmfx_handlers_t *on_pause;
  void *thread; /* as libgc names it */
  struct activation host;
  GC_push_other_roots_proc push_the_rest;
  bool pushes;
  wasmfx_cont_t conts[CONTS];
  void **links; /* weak: NULL when the object has been collected. libgc does not look at malloc's memory */
  size_t link_count, collections;
} host;

/* ---- Telling libgc --------------------------------------------------------------------------- */

static void *set_stack_base(void *activation)
{
  GC_set_stackbottom(host.thread, &((struct activation *)activation)->base);
  return NULL;
}

static void run_on(struct activation *activation)
{
  GC_call_with_alloc_lock(set_stack_base, activation);
}

/** The `switched` hook. One that has no word yet starts, and says itself where it runs. */
static void switched(wasmfx_runtime_t *rt, void **from_word, void **to_word)
{
  (void)rt, (void)from_word;
  if (*to_word)
    run_on(*to_word);
}

/** What an entry function begins with. */
static void begin(struct activation *here)
{
  void *low;
  assert_status(wasmfx_stack_bounds(host.rt, &low, &here->base.mem_base), WASMFX_OK);
  *wasmfx_host_word(host.rt) = here;
  run_on(here);
}

static void push_stack(void *context, const wasmfx_stack_t *stack)
{
  (void)context;
  if (stack->low)
    GC_push_all_eager(stack->low, stack->high ? stack->high : host.host.base.mem_base);
  if (stack->env)
    GC_push_all_eager(stack->env, stack->env + 1);
  if (stack->saved_fp)
    GC_push_all_eager(stack->saved_fp, stack->saved_fp + 1);
}

static void push_value(void *context, wasmfx_kind_t kind, wasmfx_value_t *value)
{
  (void)context, (void)kind;
  GC_push_all_eager(value, value + 1);
}

static void push_roots(void)
{
  static const wasmfx_visitor_t visitor = { push_stack, push_value, NULL };
  if (host.pushes)
    wasmfx_visit_all(host.rt, &visitor);
  if (host.push_the_rest)
    host.push_the_rest();
  host.collections++;
}

/* ---- Objects ---------------------------------------------------------------------------------- */

static uint64_t check_of(const struct node *node)
{
  return (node->owner * 1000003 + node->place) * UINT64_C(0x9e3779b97f4a7c15);
}

static void watch(struct node *node)
{
  void **link = &host.links[host.link_count++];
  *link = node;
  assert_int_equal(GC_general_register_disappearing_link(link, node), GC_SUCCESS);
}

static struct node *make_node(uint64_t owner, uint64_t place, struct node *next)
{
  struct node *node = GC_MALLOC(sizeof(*node));
  assert_non_null(node);
  *node = (struct node){ .next = next, .owner = owner, .place = place };
  node->check = check_of(node);
  memset(node->ballast, (int)place, sizeof(node->ballast));
  return node;
}

static void assert_list(const struct node *node, uint64_t owner, uint64_t count)
{
  for (; count--; node = node->next) {
    assert_int_equal(node->owner, owner);
    assert_int_equal(node->place, count);
    assert_int_equal(node->check, check_of(node));
    assert_int_equal((unsigned char)node->ballast[sizeof(node->ballast) - 1], (unsigned char)count);
  }
  assert_null(node);
}

/** Makes a list longer, and garbage besides. */
static struct node *grow(struct node *list, uint64_t owner, uint64_t count)
{
  for (uint64_t i = 0; i < NODES; i++) {
    list = make_node(owner, count + i, list);
    watch(list);
    for (int k = 0; k < 3; k++)
      make_node(~owner, k, NULL);
  }
  return list;
}

static size_t links_lost(void)
{
  size_t lost = 0;
  for (size_t i = 0; i < host.link_count; i++)
    lost += host.links[i] == NULL;
  return lost;
}

/* ---- Worlds ------------------------------------------------------------------------------------- */

static int open_host(void **state)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.switched = switched;
  struct world *world = *state = world_new(&config);
  host.rt = world->rt;
  host.pause = tag_of(host.rt, ":");
  host.on_pause = HANDLERS(host.rt, ON_LABEL(host.pause));
  host.thread = GC_get_my_stackbottom(&host.host.base);
  *wasmfx_host_word(host.rt) = &host.host;
  host.push_the_rest = GC_get_push_other_roots();
  GC_set_push_other_roots(push_roots);
  host.pushes = true;
  host.links = calloc(CONTS * NODES * ROUNDS, sizeof(*host.links));
  host.link_count = host.collections = 0;
  return host.links ? 0 : -1;
}

static int close_host(void **state)
{
  GC_set_push_other_roots(host.push_the_rest);
  for (size_t i = 0; i < host.link_count; i++)
    GC_unregister_disappearing_link(&host.links[i]);
  free(host.links);
  world_free(*state);
  return 0;
}

#define on_libgc(test) cmocka_unit_test_setup_teardown(test, open_host, close_host)

/* ---- Tests ---------------------------------------------------------------------------------------- */

/** Its list is in a local variable, which libgc sees only where it looks at this stack. */
static uint64_t keep_a_list(wasmfx_runtime_t *rt, void *env, uint64_t owner, wasmfx_cont_t from)
{
  struct activation here;
  struct node *list = NULL;
  (void)env, (void)from;
  begin(&here);
  for (uint64_t count = 0; count < NODES * ROUNDS; count += NODES) {
    assert_list(list, owner, count);
    list = grow(list, owner, count);
    if (owner % 100 == 0)
      GC_gcollect();
    if (wasmfx_suspend_word(rt, host.pause, 0).status != WASMFX_RETURNED)
      return 0;
  }
  assert_list(list, owner, NODES * ROUNDS);
  return 1;
}

static void start_keepers(void)
{
  for (size_t i = 0; i < CONTS; i++) {
    host.conts[i] = word_cont_of(host.rt, "l:l", keep_a_list, NULL);
    assert_outcome(wasmfx_resume_word(host.rt, &host.conts[i], host.on_pause, i), WASMFX_SUSPENDED);
  }
}

static void drop_keepers(void)
{
  for (size_t i = 0; i < CONTS; i++)
    assert_status(wasmfx_drop(host.rt, &host.conts[i]), WASMFX_OK);
}

static void what_a_thousand_suspended_stacks_hold_survives(void **state)
{
  (void)state;
  start_keepers();
  for (size_t round = 1; round < ROUNDS; round++) {
    for (size_t i = 0; i < CONTS; i++)
      assert_outcome(wasmfx_resume_word(host.rt, &host.conts[i], host.on_pause, 0), WASMFX_SUSPENDED);
    GC_gcollect();
    assert_int_equal(links_lost(), 0);
  }
  for (size_t i = 0; i < CONTS; i++) {
    const wasmfx_outcome_t outcome = wasmfx_resume_word(host.rt, &host.conts[i], host.on_pause, 0);
    assert_outcome(outcome, WASMFX_RETURNED);
    assert_int_equal(outcome.word, 1);
  }
  assert_true(host.collections > ROUNDS * CONTS / 100);
}

static void what_nobody_shows_is_lost(void **state)
{
  (void)state;
  host.pushes = false;
  for (size_t i = 0; i < CONTS; i++) {
    host.conts[i] = word_cont_of(host.rt, "l:l", keep_a_list, NULL);
    assert_outcome(wasmfx_resume_word(host.rt, &host.conts[i], host.on_pause, i), WASMFX_SUSPENDED);
  }
  GC_gcollect();
  assert_in_range(links_lost(), CONTS * NODES * 9 / 10, CONTS * NODES); /* by accident some may be found */
  drop_keepers();
}

static void what_dropped_stacks_held_is_collected(void **state)
{
  (void)state;
  start_keepers();
  GC_gcollect();
  assert_int_equal(links_lost(), 0);
  drop_keepers();
  GC_gcollect();
  assert_in_range(links_lost(), CONTS * NODES * 9 / 10, CONTS * NODES);
}

static uint64_t collect_here(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct activation here;
  (void)rt, (void)env, (void)from;
  begin(&here);
  struct node *own = grow(NULL, 7, 0);
  GC_gcollect();
  assert_list(own, 7, NODES);
  return word;
}

static uint64_t wait_for_a_collection(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct activation here;
  wasmfx_cont_t inner = word_cont_of(rt, "l:l", collect_here, NULL);
  (void)env, (void)from;
  begin(&here);
  struct node *own = grow(NULL, word, 0);
  assert_outcome(wasmfx_resume_word(rt, &inner, host.on_pause, 0), WASMFX_RETURNED);
  assert_list(own, word, NODES);
  return word;
}

static void what_waiting_stacks_and_the_hosts_own_hold_survives(void **state)
{
  (void)state;
  wasmfx_cont_t cont = word_cont_of(host.rt, "l:l", wait_for_a_collection, NULL);
  struct node *own = grow(NULL, 1234, 0);
  assert_outcome(wasmfx_resume_word(host.rt, &cont, host.on_pause, 5), WASMFX_RETURNED);
  assert_int_equal(links_lost(), 0);
  assert_list(own, 1234, NODES);
}

static uint64_t take_list(wasmfx_runtime_t *rt, void *env, uint64_t list, wasmfx_cont_t from)
{
  struct activation here;
  (void)rt, (void)from;
  begin(&here);
  const struct node *bound = (const struct node *)(uintptr_t)list;
  assert_list(env, bound->owner + CONTS, NODES);
  assert_list(bound, bound->owner, NODES);
  return bound->owner;
}

/** The host forgets them at once. */
static __attribute__((noinline)) void make_fresh(size_t i)
{
  host.conts[i] = word_cont_of(host.rt, "e:l", take_list, grow(NULL, i + CONTS, 0));
  const wasmfx_value_t bound = { .externref = grow(NULL, i, 0) };
  assert_status(wasmfx_cont_bind(host.rt, &host.conts[i], NULL, &bound, 1), WASMFX_OK);
}

static void bound_arguments_and_environments_survive(void **state)
{
  (void)state;
  for (size_t i = 0; i < CONTS; i++)
    make_fresh(i);
  GC_gcollect();
  assert_int_equal(links_lost(), 0);
  for (size_t i = 0; i < CONTS; i++) {
    const wasmfx_outcome_t outcome = wasmfx_resume_word(host.rt, &host.conts[i], NULL, 0);
    assert_outcome(outcome, WASMFX_RETURNED);
    assert_int_equal(outcome.word, i);
  }
}

static void bound_arguments_that_nobody_shows_are_lost(void **state)
{
  (void)state;
  host.pushes = false;
  for (size_t i = 0; i < CONTS; i++)
    make_fresh(i);
  GC_gcollect();
  assert_in_range(links_lost(), 2 * CONTS * NODES * 9 / 10, 2 * CONTS * NODES);
  drop_keepers();
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    on_libgc(what_a_thousand_suspended_stacks_hold_survives),
    on_libgc(what_nobody_shows_is_lost),
    on_libgc(what_dropped_stacks_held_is_collected),
    on_libgc(what_waiting_stacks_and_the_hosts_own_hold_survives),
    on_libgc(bound_arguments_and_environments_survive),
    on_libgc(bound_arguments_that_nobody_shows_are_lost),
  };
  GC_INIT();
  return cmocka_run_group_tests_name("boehm", tests, NULL, NULL);
}
