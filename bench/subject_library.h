/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's calls in word form, all checks on, in one of its tiers. No include guard, since a file that includes
 * it is a subject; it first defines
 *
 *   NEW                       wasmfx_cont_new_word(), or what does the same
 *   RESUME, SUSPEND, SWITCH   wasmfx_resume_word() and so on, or what does the same, with the address of the runtime
 *   WAIT                      of a member of a ring: NULL or ring.member
 *   BENCH_INLINE              an attribute for what calls these
 *
 * and gets ANSWERS for its struct subject.
 */
#include "bench.h"
#include "threads.h"

#include <stdlib.h>
#include <wasmfx/wasmfx.h>

struct world {
  wasmfx_runtime_t *rt;
  const wasmfx_type_t *type;
  const wasmfx_handlers_t *handlers;
};

/* The bodies' tags: their own, since a body reaches no world of its own. */
static wasmfx_tag_t *yielded;

static void check(wasmfx_status_t status)
{
  if (status < 0)
    bench_fail(wasmfx_status_text(status));
}

static struct world world_begin(const struct subject *subject, bool guarded)
{
  (void)guarded; /* always, but for dense ones */
  struct world world = { NULL, NULL, NULL };
  const wasmfx_kind_t word = WASMFX_I64;
  wasmfx_type_t *type;
  wasmfx_handlers_t *handlers;
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.stack_bytes[0] = subject->stack_bytes;
  config.stack_policy = subject->dense ? WASMFX_STACKS_DENSE : WASMFX_STACKS_SEPARATE;
  config.tenants = subject->tenants;
  config.max_stacks = subject->max_stacks;
  check(wasmfx_runtime_new(&config, &world.rt));
  check(wasmfx_type_new(world.rt, &word, 1, &word, 1, &type));
  check(wasmfx_tag_new(world.rt, type, &yielded));
  check(wasmfx_handlers_new(world.rt, &(wasmfx_clause_t){ .tag = yielded, .kind = WASMFX_ON_LABEL }, 1, &handlers));
  world.type = type;
  world.handlers = handlers;
  return world;
}

static void world_end(struct world world)
{
  check(wasmfx_runtime_free(world.rt, NULL));
}

typedef wasmfx_cont_t co_t;

#define CO_BODY(name, self, word)                                                                                      \
  static uint64_t name##_body(wasmfx_runtime_t *self, uint64_t word);                                                  \
  static uint64_t name(wasmfx_runtime_t *self, void *env, uint64_t word, wasmfx_cont_t from)                           \
  {                                                                                                                    \
    (void)env;                                                                                                         \
    (void)from;                                                                                                        \
    return name##_body(self, word);                                                                                    \
  }                                                                                                                    \
  static uint64_t name##_body(wasmfx_runtime_t *self, uint64_t word)

static inline BENCH_INLINE void co_new(struct world world, co_t *co, wasmfx_word_entry_t body)
{
  check(NEW(world.rt, world.type, body, NULL, co));
}

static inline BENCH_INLINE uint64_t co_resume(struct world world, co_t *co, uint64_t word)
{
  wasmfx_outcome_t outcome = RESUME(&world.rt, co, world.handlers, word);
  if (outcome.status != WASMFX_SUSPENDED)
    check(WASMFX_ERROR_STATE);
  return outcome.word;
}

#define co_start co_resume

static inline BENCH_INLINE uint64_t co_finish(struct world world, co_t *co, uint64_t word)
{
  wasmfx_outcome_t outcome = RESUME(&world.rt, co, world.handlers, word);
  if (outcome.status != WASMFX_RETURNED)
    check(WASMFX_ERROR_STATE);
  return outcome.word;
}

#define co_run co_finish

static inline void co_abandon(struct world world, co_t *co)
{
  check(wasmfx_drop(world.rt, co));
}

#define co_yield(self, payload) SUSPEND(&(self), yielded, payload).word

#define co_work(self, work) check(wasmfx_call_on_host_stack((self), do_work, (work)))
#define co_prefetch(world, co) wasmfx_prefetch((world).rt, *(co))
#define CO_SELF wasmfx_runtime_t *
#define CO_ENTRY wasmfx_word_entry_t

#include "questions.h"

/* ---- What only the library has ---------------------------------------------------------- */

/* Whoever awaits a suspension finds its tag behind seven others. */
static void table8(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  struct world world = world_begin(subject, false);
  wasmfx_clause_t clauses[8];
  for (size_t i = 0; i < 7; i++) {
    wasmfx_tag_t *other;
    check(wasmfx_tag_new(world.rt, world.type, &other));
    clauses[i] = (wasmfx_clause_t){ .tag = other, .kind = WASMFX_ON_LABEL };
  }
  clauses[7] = (wasmfx_clause_t){ .tag = yielded, .kind = WASMFX_ON_LABEL };
  wasmfx_handlers_t *handlers;
  check(wasmfx_handlers_new(world.rt, clauses, 8, &handlers));
  world.handlers = handlers;
  co_t co;
  co_new(world, &co, yield_for_ever);
  uint64_t word = co_start(world, &co, 0);

  double start = now_ns();
  for (size_t i = 0; i < count; i++)
    word = co_resume(world, &co, word);
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(word == count + 1, "table8: wrong count");
  co_abandon(world, &co);
  world_end(world);
}

/* A chain of continuations, of which each resumes the next one under clauses for another tag. */
static struct {
  struct world world;
  const wasmfx_handlers_t *others;
  wasmfx_tag_t *second; /* yielded in turn with the first */
} chain;

static uint64_t innermost(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  for (;;)
    word = SUSPEND(&rt, yielded, word + 1).word;
  return word;
}

static uint64_t innermost_in_turn(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  for (;;) {
    word = SUSPEND(&rt, yielded, word + 1).word;
    word = SUSPEND(&rt, chain.second, word + 1).word;
  }
  return word;
}

struct links {
  size_t depth;
  wasmfx_word_entry_t innermost;
};

static uint64_t link_of_chain(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct links *links = env;
  wasmfx_cont_t next;
  (void)from;
  const bool is_last = --links->depth == 1;
  check(wasmfx_cont_new_word(rt, chain.world.type, is_last ? links->innermost : link_of_chain, links, &next));
  return RESUME(&rt, &next, chain.others, word).word;
}

static void search(const struct subject *subject, size_t count, double answer[MAX_METRICS], struct links links)
{
  struct world world = world_begin(subject, false);
  wasmfx_tag_t *other;
  wasmfx_handlers_t *handlers, *others;
  check(wasmfx_tag_new(world.rt, world.type, &other));
  check(wasmfx_tag_new(world.rt, world.type, &chain.second));
  check(wasmfx_handlers_new(world.rt, &(wasmfx_clause_t){ .tag = other, .kind = WASMFX_ON_LABEL }, 1, &others));
  const wasmfx_clause_t both[] = { { .tag = yielded, .kind = WASMFX_ON_LABEL },
                                   { .tag = chain.second, .kind = WASMFX_ON_LABEL } };
  check(wasmfx_handlers_new(world.rt, both, 2, &handlers));
  world.handlers = handlers;
  chain.world = world;
  chain.others = others;
  co_t co;
  check(wasmfx_cont_new_word(world.rt, world.type, links.depth > 1 ? link_of_chain : links.innermost, &links, &co));
  uint64_t word = co_start(world, &co, 0);

  double start = now_ns();
  for (size_t i = 0; i < count; i++)
    word = co_resume(world, &co, word);
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(word == count + 1, "depth: wrong count");
  co_abandon(world, &co);
  world_end(world);
}

static void depth1(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  search(subject, count, answer, (struct links){ 1, innermost });
}

static void depth10(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  search(subject, count, answer, (struct links){ 10, innermost });
}

static void depth100(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  search(subject, count, answer, (struct links){ 100, innermost });
}

static void search_at(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  search(subject, count, answer, (struct links){ asked_at, innermost });
}

static void search_first_at(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  search(subject, count, answer, (struct links){ asked_at, innermost_in_turn });
}

static void depth100_first(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  search(subject, count, answer, (struct links){ 100, innermost_in_turn });
}

/* The innermost of a chain is answered in place. */
static uint64_t add_one(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  (void)rt, (void)env;
  return word + 1;
}

static uint64_t innermost_in_place(wasmfx_runtime_t *rt, void *env, uint64_t count, wasmfx_cont_t from)
{
  uint64_t word = 0;
  (void)env, (void)from;
  for (uint64_t i = 0; i < count; i++)
    word = SUSPEND(&rt, yielded, word).word;
  return word;
}

static void in_place(const struct subject *subject, size_t count, double answer[MAX_METRICS], struct links links)
{
  struct world world = world_begin(subject, false);
  wasmfx_tag_t *other;
  wasmfx_handlers_t *handlers, *others;
  const wasmfx_clause_t call = { .tag = yielded, .kind = WASMFX_ON_CALL_WORD, .call_word = add_one };
  check(wasmfx_tag_new(world.rt, world.type, &other));
  check(wasmfx_handlers_new(world.rt, &(wasmfx_clause_t){ .tag = other, .kind = WASMFX_ON_LABEL }, 1, &others));
  check(wasmfx_handlers_new(world.rt, &call, 1, &handlers));
  world.handlers = handlers;
  chain.world = world;
  chain.others = others;
  co_t co;
  check(wasmfx_cont_new_word(world.rt, world.type, links.depth > 1 ? link_of_chain : links.innermost, &links, &co));

  double start = now_ns();
  const uint64_t word = co_run(world, &co, count);
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(word == count, "in place: wrong count");
  world_end(world);
}

static void inplace1(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  in_place(subject, count, answer, (struct links){ 1, innermost_in_place });
}

static void inplace100(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  in_place(subject, count, answer, (struct links){ 100, innermost_in_place });
}

/* Continuations that switch to the next one, round and round. */
static struct {
  wasmfx_cont_t *at;
  size_t size, left;
  wasmfx_tag_t *tag;
  const wasmfx_type_t *member;
} ring;

static uint64_t run_in_ring(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const size_t place = (size_t)(uintptr_t)env;
  wasmfx_cont_t *const next = &ring.at[(place + 1) % ring.size];
  wasmfx_cont_t *const previous = &ring.at[(place + ring.size - 1) % ring.size];
  if (from)
    *previous = from;
  while (ring.left) {
    ring.left--;
    wasmfx_cont_t cont = *next;
    const wasmfx_outcome_t outcome = SWITCH(&rt, &cont, ring.tag, WAIT, word + 1);
    check(outcome.status);
    word = outcome.word;
    *previous = cont;
  }
  return word;
}

static void run_ring(const struct subject *subject, size_t count, double answer[MAX_METRICS], size_t size)
{
  struct world world = world_begin(subject, false);
  const wasmfx_kind_t params[] = { WASMFX_I64, WASMFX_CONTREF };
  wasmfx_type_t *member, *tag_type;
  wasmfx_handlers_t *handlers;
  check(wasmfx_type_new(world.rt, params, 2, params, 1, &member));
  check(wasmfx_type_new(world.rt, NULL, 0, params, 1, &tag_type));
  check(wasmfx_tag_new(world.rt, tag_type, &ring.tag));
  check(wasmfx_handlers_new(world.rt, &(wasmfx_clause_t){ .tag = ring.tag, .kind = WASMFX_ON_SWITCH }, 1, &handlers));
  ring.at = calloc(size, sizeof *ring.at);
  bench_expect(ring.at != NULL, "no memory");
  ring.member = member;
  ring.size = size;
  ring.left = count;
  for (size_t i = 0; i < size; i++)
    check(wasmfx_cont_new_word(world.rt, member, run_in_ring, (void *)(uintptr_t)i, &ring.at[i]));
  const wasmfx_value_t null_cont = { .contref = WASMFX_NULL_CONT };
  wasmfx_value_t first[2] = { { .i64 = 0 }, null_cont };

  double start = now_ns();
  wasmfx_outcome_t outcome = wasmfx_resume(world.rt, &ring.at[0], handlers, first, 2);
  answer[0] = (now_ns() - start) / (double)count;

  check(outcome.status);
  bench_expect(outcome.values[0].i64 == (int64_t)count, "ring: wrong count");
  free(ring.at);
  world_end(world);
}

static void ring2(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  run_ring(subject, count, answer, 2);
}

static void ring1000(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  run_ring(subject, count, answer, 1000);
}

/* A runtime for each thread, with a coroutine that yields for ever. All are made by one thread, one after the other, so
 * that their memory lies as close as it may come to lie. */
struct own_trips {
  _Alignas(OWN_LINES) struct world world;
  co_t co;
};

/* Its tag is the environment: that of all others is the last runtime's. */
static uint64_t yield_own(wasmfx_runtime_t *rt, void *tag, uint64_t word, wasmfx_cont_t from)
{
  (void)from;
  for (;;)
    word = SUSPEND(&rt, tag, word + 1).word;
  return word;
}

static uint64_t make_trips(void *state, size_t count)
{
  struct own_trips own = *(struct own_trips *)state;
  uint64_t word = 0;
  for (size_t i = 0; i < count; i++)
    word = co_resume(own.world, &own.co, word);
  ((struct own_trips *)state)->co = own.co;
  return word;
}

static void own_begin(const struct subject *subject, void *state)
{
  struct own_trips *own = state;
  own->world = world_begin(subject, false);
  check(wasmfx_cont_new_word(own->world.rt, own->world.type, yield_own, yielded, &own->co));
  co_start(own->world, &own->co, 0);
}

static void own_end(void *state)
{
  struct own_trips *own = state;
  co_abandon(own->world, &own->co);
  world_end(own->world);
}

static void in_threads(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  const struct thread_part part = { sizeof(struct own_trips), own_begin, make_trips, own_end };
  ask_threads(subject, &part, count, answer);
}

/* What one costs that has never run. */
static void fresh(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  struct world world = world_begin(subject, false);
  struct memory before = memory_now();
  for (size_t i = 0; i < count; i++) {
    co_t co;
    co_new(world, &co, yield_for_ever);
  }
  struct memory after = memory_now();
  answer[0] = (after.resident - before.resident) / (double)count;
  answer[1] = (after.page_tables - before.page_tables) / (double)count;
  answer[2] = answer[0] + answer[1];
  world_end(world);
}

#define LIBRARY_ANSWERS                                                                                                \
  {                                                                                                                    \
    ANSWERS_OF_ALL, [TABLE8] = table8, [DEPTH1] = depth1, [DEPTH10] = depth10, [DEPTH100] = depth100,                  \
    [DEPTH100_FIRST] = depth100_first, [INPLACE1] = inplace1, [INPLACE100] = inplace100, [RING2] = ring2,               \
    [RING1000] = ring1000, [FRESH] = fresh,                                                                            \
    [SEARCH_AT] = search_at, [SEARCH_FIRST_AT] = search_first_at, [THREADS] = in_threads                               \
  }
