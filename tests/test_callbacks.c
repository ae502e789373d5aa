/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host whose collector runs whenever memory is asked for or given back: in every callback of its two
 * allocators it visits everything. All that it is shown must be alive: stacks that it has lent and not got back,
 * the one that it stands on first, references that it knows, host words whose owner has not died. Blocks and stacks
 * are gone already when the visit begins that their release makes.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#undef _FORTIFY_SOURCE /* its longjmp takes a jump to another stack for an attack */
#include "jump.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { STACKS = 64, CONTS = 64, DEPTH = 4, LONG = 100, HOST_BYTES = 8 << 20, NEAR_BYTES = 64 << 10 };

static struct host {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *pause, *oops; /* [i64] -> [i64], [] -> [] */
  const wasmfx_handlers_t *handlers;
  char *stacks[STACKS];              /* lent; NULL: none */
  size_t stack_bytes;
  wasmfx_cont_t conts[CONTS];        /* that are fresh or suspended */
  bool is_dead;                      /* the word that the next one to end has */
  const char *bottom;                /* of the host's own stack */
  bool is_first;                     /* of a visit */
  size_t visits, seen;
  jmp_buf out;
  wasmfx_mark_t mark;
} host;

/* ---- Looking --------------------------------------------------------------------------- */

static bool is_lent(const char *low, const char *high)
{
  for (size_t i = 0; i < STACKS; i++)
    if (host.stacks[i] && host.stacks[i] <= low && low < high && high <= host.stacks[i] + host.stack_bytes)
      return true;
  return false;
}

static bool is_known(wasmfx_cont_t cont)
{
  for (size_t i = 0; i < CONTS; i++)
    if (host.conts[i] == cont)
      return true;
  return false;
}

static void see_stack(void *context, const wasmfx_stack_t *stack)
{
  const char *here = __builtin_frame_address(0), *low = stack->low;
  (void)context;
  if (host.is_first) {
    assert_true(here < low && low < here + NEAR_BYTES);
    assert_null(stack->pc);
  }
  host.is_first = false;
  host.seen++;
  if (stack->high)
    assert_true(is_lent(low, stack->high));
  else if (low)
    assert_true(host.bottom - HOST_BYTES < low && low < host.bottom);
  assert_true(!stack->cont || is_known(stack->cont));
  assert_true(!*stack->host_word || (*stack->host_word == &host.is_dead && !host.is_dead));
}

/* Those that are bound are small numbers. */
static void see_value(void *context, wasmfx_kind_t kind, wasmfx_value_t *value)
{
  (void)context;
  host.seen++;
  if (kind == WASMFX_I64)
    assert_in_range(value->i64, 0, LONG);
}

static void visit(void)
{
  const wasmfx_visitor_t visitor = { see_stack, see_value, NULL };
  if (!host.rt)
    return;
  host.visits++;
  host.is_first = true;
  wasmfx_visit_all(host.rt, &visitor);
}

/* ---- Lending ------------------------------------------------------------------------------ */

static void *allocate(void *context, size_t bytes)
{
  visit();
  (*(size_t *)context)++;
  return malloc(bytes);
}

static void release(void *context, void *block, size_t bytes)
{
  memset(block, 0xdb, bytes);
  free(block);
  (*(size_t *)context)--;
  visit();
}

static void *lend(void *context, size_t bytes, uint32_t tenant)
{
  size_t i = 0;
  (void)context, (void)tenant;
  visit();
  while (host.stacks[i])
    i++;
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(i < STACKS && memory != MAP_FAILED);
  host.stack_bytes = bytes;
  return host.stacks[i] = memory;
}

static void take_back(void *context, void *memory, size_t bytes, uint32_t tenant)
{
  (void)context, (void)tenant;
  for (size_t i = 0; i < STACKS; i++)
    if (host.stacks[i] == memory)
      host.stacks[i] = NULL;
  munmap(memory, bytes);
  visit();
}

static void note_death(wasmfx_runtime_t *rt, void *word)
{
  (void)rt;
  *(bool *)word = true;
}

/* ---- A program that does everything ----------------------------------------------------------- */

/* What its reference is now that it has come to rest. */
static void know(wasmfx_cont_t cont)
{
  size_t i = 0;
  while (host.conts[i])
    i++;
  host.conts[i] = cont;
}

static void forget(wasmfx_cont_t cont)
{
  for (size_t i = 0; i < CONTS; i++)
    if (host.conts[i] == cont)
      host.conts[i] = WASMFX_NULL_CONT;
}

/* The reference may be shown until the continuation starts, which may take memory. While it runs it has another one,
 * which is not known before it suspends. */
static wasmfx_outcome_t resume(wasmfx_cont_t *cont, uint64_t word)
{
  const wasmfx_cont_t before = *cont;
  const wasmfx_outcome_t out = wasmfx_resume_word(host.rt, cont, host.handlers, word);
  forget(before);
  if (out.status == WASMFX_SUSPENDED)
    know(*cont);
  return out;
}

static wasmfx_cont_t make(wasmfx_word_entry_t body, void *env)
{
  const wasmfx_cont_t cont = word_cont_of(host.rt, "l:l", body, env);
  know(cont);
  return cont;
}

/* Ends in the way that its word says, with a stack of its own given back. */
enum { RETURN, THROW, TRAP, JUMP, ENDS };

static uint64_t end(wasmfx_runtime_t *rt, void *env, uint64_t how, wasmfx_cont_t from)
{
  (void)env, (void)from;
  switch (how) {
  case THROW: wasmfx_throw(rt, host.oops, NULL, 0); break;
  case TRAP: wasmfx_trap(rt, 1); break;
  case JUMP: longjmp(host.out, 1);
  default: break;
  }
  return 0;
}

/* Suspends before it ends: where it landed last must not be taken for where it waits. */
static uint64_t pause_and_end(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  word = wasmfx_suspend_word(rt, host.pause, word).word;
  return end(rt, env, word, from);
}

/* Captured with all that is outside. */
static uint64_t nest(wasmfx_runtime_t *rt, void *env, uint64_t depth, wasmfx_cont_t from)
{
  wasmfx_cont_t inner = WASMFX_NULL_CONT;
  if (depth == 0)
    return pause_and_end(rt, env, 0, from);
  assert_status(wasmfx_cont_new_word(rt, type_of(rt, "l:l"), nest, NULL, &inner), WASMFX_OK);
  know(inner);
  const wasmfx_cont_t before = inner;
  const wasmfx_outcome_t out = wasmfx_resume_word(rt, &inner, NULL, depth - 1);
  forget(before);
  return out.status == WASMFX_RETURNED ? out.word : 0;
}

static wasmfx_cont_t suspended(wasmfx_word_entry_t body, uint64_t word)
{
  wasmfx_cont_t cont = make(body, NULL);
  assert_outcome(resume(&cont, word), WASMFX_SUSPENDED);
  return cont;
}

static void drop(wasmfx_cont_t cont)
{
  forget(cont);
  assert_status(wasmfx_drop(host.rt, &cont), WASMFX_OK);
}

static void open_host(size_t *blocks)
{
  wasmfx_runtime_config_t config;
  memset(&host, 0, sizeof host);
  wasmfx_runtime_config_init(&config);
  config.allocator = (wasmfx_allocator_t){ allocate, release, blocks };
  config.stack_allocator = (wasmfx_stack_allocator_t){ lend, take_back, NULL };
  config.died = note_death;
  assert_status(wasmfx_runtime_new(&config, &host.rt), WASMFX_OK);
  host.bottom = (const char *)__builtin_frame_address(0) + 4096;
  host.pause = tag_of(host.rt, "l:l");
  host.oops = tag_of(host.rt, ":");
  host.handlers = HANDLERS(host.rt, ON_LABEL(host.pause));
}

/* Nothing is alive any more but what is lent to the last to end. */
static void close_host(size_t *blocks, size_t dropped)
{
  size_t count = 0;
  assert_status(wasmfx_runtime_free(host.rt, &count), WASMFX_OK);
  host.rt = NULL;
  assert_int_equal(count, dropped);
  assert_int_equal(*blocks, 0);
  for (size_t i = 0; i < STACKS; i++)
    assert_null(host.stacks[i]);
  assert_true(host.visits > 5 && host.seen >= host.visits);
}

/* ---- Tests ---------------------------------------------------------------------------------------- */

/* Its host word is good until it dies. */
static wasmfx_cont_t with_a_word(wasmfx_cont_t cont)
{
  host.is_dead = false;
  *wasmfx_cont_host_word(host.rt, cont) = &host.is_dead;
  return cont;
}

static void what_ends_by_itself_is_not_shown(void **state)
{
  static const wasmfx_status_t statuses[] = { WASMFX_RETURNED, WASMFX_THREW, WASMFX_TRAPPED };
  size_t blocks = 0;
  (void)state;
  open_host(&blocks);
  const wasmfx_cont_t other = suspended(nest, DEPTH);
  for (uint64_t how = RETURN; how < JUMP; how++) {
    wasmfx_cont_t young = with_a_word(make(end, NULL));
    assert_outcome(resume(&young, how), statuses[how]);
    wasmfx_cont_t old = with_a_word(suspended(pause_and_end, 0));
    assert_outcome(resume(&old, how), statuses[how]);
    assert_true(host.is_dead);
    wasmfx_cont_t chain = with_a_word(suspended(nest, DEPTH));
    assert_outcome(resume(&chain, how), WASMFX_RETURNED);
    assert_true(host.is_dead);
  }
  drop(other);
  close_host(&blocks, 0);
}

static void what_is_ended_is_not_shown(void **state)
{
  size_t blocks = 0, dropped = 0;
  (void)state;
  open_host(&blocks);
  const wasmfx_exception_t exception = { .tag = host.oops };
  for (size_t i = 0; i < 3; i++) {
    drop(with_a_word(make(end, NULL)));
    drop(with_a_word(suspended(pause_and_end, 0)));
    drop(with_a_word(suspended(nest, DEPTH)));
    assert_true(host.is_dead);
    wasmfx_cont_t cont = with_a_word(suspended(nest, DEPTH));
    const wasmfx_cont_t given = cont;
    (void)wasmfx_cancel(host.rt, &cont, &exception, 2);
    forget(given);
    assert_true(host.is_dead);
    with_a_word(suspended(nest, DEPTH));
    assert_status(wasmfx_collect(host.rt, NULL, &dropped), WASMFX_OK);
    assert_int_equal(dropped, DEPTH + 1);
    memset(host.conts, 0, sizeof host.conts);
  }
  close_host(&blocks, 0);
}

static void what_is_unwound_is_not_shown(void **state)
{
  size_t blocks = 0, killed = 0;
  (void)state;
  open_host(&blocks);
  for (volatile size_t i = 0; i < 3; i++) {
    wasmfx_scope_t scope;
    wasmfx_mark(host.rt, &host.mark);
    if (setjmp(host.out) == 0) {
      wasmfx_cont_t cont = suspended(nest, DEPTH);
      assert_status(wasmfx_root_enter(host.rt, &scope), WASMFX_OK);
      (void)resume(&cont, JUMP);
    }
    memset(host.conts, 0, sizeof host.conts);
    assert_status(wasmfx_unwind_to(host.rt, &host.mark, &killed), WASMFX_OK);
    assert_int_equal(killed, DEPTH + 1);
  }
  close_host(&blocks, 0);
}

static void take_list(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  memcpy(results, args, LONG * sizeof *results);
}

/* Buffers grow, and change hands. */
static void bound_arguments_are_shown_where_they_are(void **state)
{
  static const wasmfx_value_t zeros[2 * LONG];
  wasmfx_kind_t kinds[2 * LONG];
  size_t blocks = 0;
  (void)state;
  open_host(&blocks);
  memset(kinds, WASMFX_I64, sizeof kinds);
  for (size_t count = LONG; count <= 2 * LONG; count += LONG / 4) {
    wasmfx_type_t *type;
    wasmfx_cont_t cont, small;
    assert_status(wasmfx_type_new(host.rt, kinds, count, kinds, count, &type), WASMFX_OK);
    assert_status(wasmfx_cont_new_word(host.rt, type_of(host.rt, "l:l"), end, NULL, &small), WASMFX_OK);
    know(small);
    drop(small); /* leaves its slot to the next */
    assert_status(wasmfx_cont_new(host.rt, type, take_list, NULL, &cont), WASMFX_OK);
    for (size_t i = 0; i < count; i += LONG / 4) {
      know(cont);
      const wasmfx_cont_t before = cont;
      assert_status(wasmfx_cont_bind(host.rt, &cont, NULL, zeros, LONG / 4), WASMFX_OK);
      forget(before);
    }
    know(cont);
    assert_outcome(wasmfx_resume(host.rt, &cont, NULL, NULL, 0), WASMFX_RETURNED);
    memset(host.conts, 0, sizeof host.conts);
  }
  close_host(&blocks, 0);
}

static void what_goes_with_its_runtime_is_not_shown_any_more(void **state)
{
  size_t blocks = 0;
  (void)state;
  open_host(&blocks);
  for (size_t i = 0; i < 3; i++) {
    suspended(nest, DEPTH);
    make(end, NULL);
    suspended(pause_and_end, 0);
  }
  with_a_word(suspended(nest, DEPTH));
  close_host(&blocks, 4 * (DEPTH + 1) + 6);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_ends_by_itself_is_not_shown),
    cmocka_unit_test(what_is_ended_is_not_shown),
    cmocka_unit_test(what_is_unwound_is_not_shown),
    cmocka_unit_test(bound_arguments_are_shown_where_they_are),
    cmocka_unit_test(what_goes_with_its_runtime_is_not_shown_any_more),
  };
  return cmocka_run_group_tests_name("callbacks", tests, NULL, NULL);
}
