/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tenant leaves behind, no other one finds. One plants a secret in all that the
 * library lends to it: its stacks, to their low ends and in every register that is saved there, its
 * payloads, bound arguments, results, exceptions. It ends in some way; another one gets the memory,
 * and looks through all that it can reach. Within one tenant the same search finds
 * the secret everywhere, so it does look.
 *
 *     test_tenants [ROUNDS]
 */
#include "effort.h"
#include "support.h"
#include "tools.h"

#include <stdlib.h>
#include <string.h>

enum {
  LONG = 100,   /* values of a list that lies in a buffer of its own */
  SHORTER = 70, /* and of one that leaves some of such a buffer unused */
  BOUND = 60,
  DEPTH = 5,
  TENANTS = 3,
};

/** How a tenant's continuation ends. */
enum end { RETURN, THROW, TRAP, DROP, CANCEL, NEVER_RUN, THROW_INTO_FRESH, ENDS };

/** Where a secret may be found. */
enum place { STACK, ARGUMENTS, RESULTS, OUTCOME, EXCEPTION, WAKING, HOST_WORD, BLOCK, PLACES };
static const char *const place_names[PLACES] = { "the stack", "arguments", "results", "an outcome",
                                                 "an exception", "what it was woken with", "its host word",
                                                 "a block given back" };

/** All blocks of the runtime, so that one can look around in the one that a pointer leads into. */
struct block {
  struct block *next, **link;
  size_t bytes;
  _Alignas(16) char memory[];
};

struct house {
  wasmfx_runtime_t *rt;
  struct block *blocks;
  wasmfx_type_t *number, *triple, *many, *fewer; /* [i64]->[i64], 3 -> 3, LONG -> LONG, SHORTER -> SHORTER */
  wasmfx_tag_t *ask, *ask_triple, *stop;         /* [i64]->[i64], 3 -> 3, 3 -> [] */
  wasmfx_tag_t *ask_peer;                        /* [i64]->[i64 i64 contref] */
  wasmfx_handlers_t *handlers;
  enum end end;
  uint32_t tenant, searcher;                     /* the one that is named now; the one that searches */
  size_t searches;
  size_t found[PLACES];
};

enum { DEFAULT_ROUNDS = 5000 };
static size_t rounds = DEFAULT_ROUNDS;

/** For the slower tests: all of them where more are asked for than by default. */
static size_t some_rounds(void)
{
  return rounds > DEFAULT_ROUNDS ? rounds : rounds / 10;
}

/* ---- The secret ------------------------------------------------------------------------- */

/* Never as it is but in the hands of those who plant it: who searches must not leave it behind. Volatile, so that
 * the compiler cannot put it together. */
static volatile uint64_t masks[2], masked[2];
static uint64_t seed = 0x9e3779b97f4a7c15;

static void draw_secret(void)
{
  for (int i = 0; i < 2; i++) {
    masks[i] = random_word(&seed);
    masked[i] = random_word(&seed);
  }
}

static uint64_t secret_word(size_t i)
{
  return masks[i % 2] ^ masked[i % 2];
}

static void fill_with_secrets(wasmfx_value_t *values, size_t count)
{
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < 2; k++) {
      const uint64_t word = secret_word(k);
      memcpy(&values[i].v128[8 * k], &word, sizeof word);
    }
}

/** How often either half of the secret lies in [low, high), at any byte. */
LOOKS_ANYWHERE static size_t search(const void *low, const void *high)
{
  size_t found = 0;
  open_to_looks(low, high);
  for (const char *at = low; at + sizeof(uint64_t) <= (const char *)high; at++) {
    const uint64_t word = *(const volatile uint64_t *)(const void *)at;
    found += (word ^ masks[0]) == masked[0] || (word ^ masks[1]) == masked[1];
  }
  return found;
}

/* ---- Blocks ------------------------------------------------------------------------------- */

static void *allocate(void *context, size_t bytes)
{
  struct house *house = context;
  struct block *block = calloc(1, sizeof *block + bytes); /* what is in it is the allocator's business */
  block->bytes = bytes;
  block->link = &house->blocks;
  block->next = house->blocks;
  if (block->next)
    block->next->link = &block->next;
  house->blocks = block;
  return block->memory;
}

static void release(void *context, void *memory, size_t bytes)
{
  struct block *block = (struct block *)(void *)((char *)memory - offsetof(struct block, memory));
  struct house *house = context;
  assert_int_equal(block->bytes, bytes);
  house->found[BLOCK] += search(block->memory, block->memory + bytes);
  *block->link = block->next;
  if (block->next)
    block->next->link = block->link;
  free(block);
}

/** Searches the whole block that a pointer leads into, if it is one of the runtime's. */
static size_t search_block(const struct house *house, const void *pointer)
{
  const uintptr_t address = (uintptr_t)pointer;
  for (const struct block *block = house->blocks; block; block = block->next)
    if (address >= (uintptr_t)block->memory && address < (uintptr_t)block->memory + block->bytes)
      return search(block->memory, block->memory + block->bytes);
  return 0;
}

static void name_tenant(struct house *house, uint32_t tenant)
{
  if (tenant != house->tenant)
    assert_status(wasmfx_tenant_set(house->rt, tenant), WASMFX_OK);
  house->tenant = tenant;
}

/* ---- Who plants ------------------------------------------------------------------------------ */

/** Calls a function while every register that a call preserves holds half of the secret. */
void call_with_secrets(const uint64_t secret[2], void (*function)(void *argument), void *argument);
__asm__(".text\n"
        ".p2align 4\n"
        ".globl call_with_secrets\n"
        "call_with_secrets:\n"
        "  pushq %rbx\n  pushq %rbp\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  subq $8, %rsp\n"
        "  movq (%rdi), %rbx\n  movq 8(%rdi), %rbp\n"
        "  movq %rbx, %r12\n  movq %rbp, %r13\n  movq %rbx, %r14\n  movq %rbp, %r15\n"
        "  movq %rsi, %rax\n"
        "  movq %rdx, %rdi\n"
        "  call *%rax\n"
        "  addq $8, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbp\n  popq %rbx\n"
        "  ret\n");

/** From the low end of the stack to below this frame, its red zone included. */
LOOKS_ANYWHERE static void fill_the_rest(wasmfx_runtime_t *rt)
{
  void *low, *high;
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  open_to_looks(low, high);
  volatile uint64_t *end = (volatile uint64_t *)((uintptr_t)__builtin_frame_address(0) - 256);
  size_t i = 0;
  for (volatile uint64_t *word = low; word < end; word++)
    *word = secret_word(i++);
}

static void suspend_in_both_forms(void *argument)
{
  const struct house *house = argument;
  wasmfx_value_t values[3];
  fill_with_secrets(values, 3);
  for (wasmfx_outcome_t out = { 0 }; out.status != WASMFX_THREW;) {
    out = wasmfx_suspend(house->rt, house->ask_triple, values, 3);
    if (out.status == WASMFX_RETURNED)
      out = wasmfx_suspend_word(house->rt, house->ask, secret_word(0));
    if (out.status == WASMFX_RETURNED && out.word == 0)
      return;
  }
  wasmfx_throw(house->rt, house->stop, values, 3);
}

/** Suspends at the bottom of some frames. */
__attribute__((noinline)) static void dive(struct house *house, int depth)
{
  volatile uint64_t frame[16];
  for (size_t i = 0; i < COUNT_OF(frame); i++)
    frame[i] = secret_word(i);
  if (depth > 0) {
    dive(house, depth - 1);
  } else {
    const uint64_t secret[2] = { secret_word(0), secret_word(1) };
    fill_the_rest(house->rt);
    call_with_secrets(secret, suspend_in_both_forms, house);
  }
  frame[0] = frame[1];
}

static void plant_inside(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt;
  memcpy(results, args, 3 * sizeof *args);
  dive(env, DEPTH);
}

/** Uses a stack and an inner one, and ends as it is told. */
static void plant(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct house *house = env;
  wasmfx_cont_t inner;
  assert_status(wasmfx_cont_new(rt, house->triple, plant_inside, env, &inner), WASMFX_OK);
  const wasmfx_outcome_t out = wasmfx_resume(rt, &inner, NULL, args, 3);
  if (out.status == WASMFX_THREW)
    wasmfx_throw_ref(rt, out.exception);
  dive(house, DEPTH);
  memcpy(results, args, LONG * sizeof *args);
  wasmfx_value_t values[3];
  fill_with_secrets(values, 3);
  if (house->end == THROW)
    wasmfx_throw(rt, house->stop, values, 3);
  if (house->end == TRAP)
    wasmfx_trap(rt, (int64_t)secret_word(1));
}

static void end_a_fresh_one(struct house *house, wasmfx_cont_t cont, const wasmfx_value_t *values)
{
  wasmfx_outcome_t out;
  switch (house->end) {
  case NEVER_RUN:
    assert_status(wasmfx_drop(house->rt, &cont), WASMFX_OK);
    break;
  case THROW_INTO_FRESH:
    out = wasmfx_resume_throw(house->rt, &cont, NULL, house->stop, values, 3);
    assert_outcome(out, WASMFX_THREW);
    break;
  default:
    fail();
  }
}

static void end_a_suspended_one(struct house *house, wasmfx_cont_t cont, const wasmfx_value_t *values)
{
  const wasmfx_exception_t why = { house->stop, values, 3, NULL };
  wasmfx_outcome_t out = { .status = WASMFX_SUSPENDED, .handler = 1 };
  switch (house->end) {
  case DROP:
    assert_status(wasmfx_drop(house->rt, &cont), WASMFX_OK);
    return;
  case CANCEL:
    out = wasmfx_cancel(house->rt, &cont, &why, 0);
    assert_outcome(out, WASMFX_THREW);
    return;
  default:
    break;
  }
  while (out.status == WASMFX_SUSPENDED)
    out = out.handler == 0 ? wasmfx_resume_word(house->rt, &cont, house->handlers, 0)
                           : wasmfx_resume(house->rt, &cont, house->handlers, values, 3);
  assert_outcome(out, house->end == RETURN ? WASMFX_RETURNED : house->end == THROW ? WASMFX_THREW : WASMFX_TRAPPED);
}

/** A tenant comes, and goes. In a function of its own, so that its caller's registers do not know the secret. */
__attribute__((noinline)) static void come_and_go(struct house *house, uint32_t tenant)
{
  wasmfx_value_t values[LONG];
  wasmfx_cont_t cont;
  fill_with_secrets(values, LONG);
  name_tenant(house, tenant);
  assert_status(wasmfx_cont_new(house->rt, house->many, plant, house, &cont), WASMFX_OK);
  *wasmfx_cont_host_word(house->rt, cont) = (void *)(uintptr_t)secret_word(0);
  assert_status(wasmfx_cont_bind(house->rt, &cont, NULL, values, BOUND), WASMFX_OK);
  if (house->end == NEVER_RUN || house->end == THROW_INTO_FRESH) {
    end_a_fresh_one(house, cont, values);
    return;
  }
  const wasmfx_outcome_t out = wasmfx_resume(house->rt, &cont, house->handlers, values + BOUND, LONG - BOUND);
  assert_outcome(out, WASMFX_SUSPENDED);
  assert_int_equal(out.handler, 1);
  end_a_suspended_one(house, cont, values);
}

/* ---- Who searches ------------------------------------------------------------------------------ */

LOOKS_ANYWHERE static void search_stack(struct house *house)
{
  void *low, *high;
  assert_status(wasmfx_stack_bounds(house->rt, &low, &high), WASMFX_OK);
  house->found[STACK] += search(low, high);
  void **word = wasmfx_host_word(house->rt);
  house->found[HOST_WORD] += search(word, word + 1);
}

static uint64_t search_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct house *house = env;
  (void)from;
  search_stack(house);
  const wasmfx_outcome_t out = wasmfx_suspend(rt, house->ask, &(wasmfx_value_t){ .word = word }, 1);
  house->found[WAKING] += search_block(house, out.values);
  return word;
}

static void search_triple(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct house *house = env;
  search_stack(house);
  house->found[ARGUMENTS] += search_block(house, args);
  memset(results, 0, 3 * sizeof *results);
  (void)rt;
}

static void throw_zeros(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const struct house *house = env;
  (void)results;
  search_stack(env);
  wasmfx_throw(rt, house->stop, args, 3);
}

/** Makes another one, and looks at what comes back from it. */
static wasmfx_outcome_t run_inside(struct house *house, const wasmfx_type_t *type, wasmfx_entry_t entry)
{
  static const wasmfx_value_t zeros[3];
  wasmfx_cont_t cont;
  assert_status(wasmfx_cont_new(house->rt, type, entry, house, &cont), WASMFX_OK);
  return wasmfx_resume(house->rt, &cont, NULL, zeros, 3);
}

static void search_all(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct house *house = env;
  wasmfx_cont_t inner;
  search_stack(house);
  house->found[ARGUMENTS] += search_block(house, args);
  house->found[RESULTS] += search_block(house, results);
  /* The first payload that comes back lies where the other tenant's last one did, and is put together in either way. */
  wasmfx_outcome_t out = wasmfx_suspend(rt, house->searches++ % 2 ? house->ask_peer : house->ask, args, 1);
  house->found[WAKING] += search_block(house, out.values);
  name_tenant(house, house->searcher);
  out = run_inside(house, house->triple, search_triple);
  assert_outcome(out, WASMFX_RETURNED);
  house->found[OUTCOME] += search_block(house, out.values);
  out = run_inside(house, house->triple, throw_zeros);
  assert_outcome(out, WASMFX_THREW);
  house->found[EXCEPTION] += search_block(house, out.exception);
  house->found[EXCEPTION] += search_block(house, out.exception->values);
  assert_status(wasmfx_cont_new_word(rt, house->number, search_word, env, &inner), WASMFX_OK);
  out = wasmfx_resume(rt, &inner, house->handlers, &(wasmfx_value_t){ .word = 1 }, 1);
  assert_outcome(out, WASMFX_SUSPENDED);
  house->found[OUTCOME] += search_block(house, out.values);
  out = wasmfx_resume(rt, &inner, house->handlers, &(wasmfx_value_t){ .word = 1 }, 1);
  assert_outcome(out, WASMFX_RETURNED);
  house->found[OUTCOME] += search_block(house, out.values);
}

static wasmfx_cont_t searcher_of(struct house *house, uint32_t tenant)
{
  const wasmfx_value_t zero = i64_value(0);
  wasmfx_cont_t cont;
  house->searcher = tenant;
  name_tenant(house, tenant);
  assert_status(wasmfx_cont_new(house->rt, house->fewer, search_all, house, &cont), WASMFX_OK);
  assert_status(wasmfx_cont_bind(house->rt, &cont, NULL, &zero, 1), WASMFX_OK);
  return cont;
}

/** In word form where that can be, which leaves behind what was there. */
static void let_search(struct house *house, wasmfx_cont_t cont)
{
  static const wasmfx_value_t zeros[SHORTER - 1];
  assert_status(wasmfx_cont_bind(house->rt, &cont, NULL, zeros, SHORTER - 1), WASMFX_OK);
  assert_outcome(wasmfx_resume_word(house->rt, &cont, house->handlers, 0), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume(house->rt, &cont, NULL, zeros, wasmfx_cont_arity(house->rt, cont)), WASMFX_RETURNED);
}

/* ---- Houses ------------------------------------------------------------------------------------ */

static wasmfx_type_t *type_of_i64(wasmfx_runtime_t *rt, size_t params, size_t results)
{
  static wasmfx_kind_t kinds[LONG];
  wasmfx_type_t *type;
  memset(kinds, WASMFX_I64, sizeof kinds);
  assert_status(wasmfx_type_new(rt, kinds, params, kinds, results, &type), WASMFX_OK);
  return type;
}

static void open_house(struct house *house, wasmfx_runtime_config_t *config)
{
  memset(house, 0, sizeof *house);
  draw_secret(); /* who searches for nothing finds it */
  config->allocator = (wasmfx_allocator_t){ allocate, release, house };
  config->host_stack_bytes = 1024; /* the frames are large */
  assert_status(wasmfx_runtime_new(config, &house->rt), WASMFX_OK);
  house->number = type_of_i64(house->rt, 1, 1);
  house->triple = type_of_i64(house->rt, 3, 3);
  house->many = type_of_i64(house->rt, LONG, LONG);
  house->fewer = type_of_i64(house->rt, SHORTER, SHORTER);
  house->ask = tag_of(house->rt, "l:l");
  assert_status(wasmfx_tag_new(house->rt, house->triple, &house->ask_triple), WASMFX_OK);
  house->ask_peer = tag_of(house->rt, "l:llc");
  house->stop = tag_of(house->rt, "lll:");
  house->handlers =
    HANDLERS(house->rt, ON_LABEL(house->ask), ON_LABEL(house->ask_triple), ON_LABEL(house->ask_peer));
}

static void close_house(struct house *house)
{
  assert_status(wasmfx_runtime_free(house->rt, NULL), WASMFX_OK);
  assert_null(house->blocks);
}

static void assert_nothing_found(const struct house *house)
{
  size_t found = 0;
  for (int i = 0; i < PLACES; i++) {
    if (house->found[i])
      print_error("%s showed it %zu times\n", place_names[i], house->found[i]);
    found += house->found[i];
  }
  assert_int_equal(found, 0);
}

/* ---- Tests -------------------------------------------------------------------------------------- */

/** Two that take turns with the same few stacks. */
static void take_turns(wasmfx_runtime_config_t *config, size_t turns)
{
  struct house house;
  open_house(&house, config);
  for (size_t i = 0; i < turns; i++) {
    draw_secret();
    house.end = (enum end)(i % ENDS);
    come_and_go(&house, (uint32_t)(i % TENANTS));
    let_search(&house, searcher_of(&house, (uint32_t)((i + 1) % TENANTS)));
  }
  const wasmfx_stats_t stats = stats_of(house.rt);
  assert_true(stats.stacks_wiped + stats.stack_trims >= turns);
  close_house(&house);
  assert_nothing_found(&house);
}

static void what_crosses_from_tenant_to_tenant_shows_nothing(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.tenants = TENANTS;
  config.max_stacks = 2;
  config.stack_bytes[0] = 16384;
  take_turns(&config, rounds);
}

static void what_was_trimmed_shows_nothing(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.tenants = TENANTS;
  config.cached_stacks = 1;
  config.max_stacks = 4;
  config.stack_bytes[0] = 16384;
  take_turns(&config, rounds);
}

static void stacks_of_the_default_size_show_nothing(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.tenants = TENANTS;
  config.max_stacks = 2;
  take_turns(&config, some_rounds());
}

/** A tenant is not only named for who is made next. */
static void what_was_made_before_finds_nothing_either(void **state)
{
  struct house house;
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.tenants = TENANTS;
  config.max_stacks = 2;
  open_house(&house, &config);
  for (size_t i = 0; i < some_rounds(); i++) {
    draw_secret();
    house.end = (enum end)(i % ENDS);
    const wasmfx_cont_t searcher = searcher_of(&house, 1);
    come_and_go(&house, 0);
    let_search(&house, searcher);
  }
  close_house(&house);
  assert_nothing_found(&house);
}

/** How often each place shows a secret of the same tenant. */
static void search_within_a_tenant(struct house *house, uint32_t tenants)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.max_stacks = 2;
  config.tenants = tenants;
  open_house(house, &config);
  draw_secret();
  for (size_t i = 0; i < ENDS; i++) {
    house->end = (enum end)i;
    come_and_go(house, tenants - 1);
    let_search(house, searcher_of(house, tenants - 1));
  }
  close_house(house);
}

static void within_a_tenant_memory_is_not_cleared(void **state)
{
  struct house house;
  (void)state;
  search_within_a_tenant(&house, TENANTS);
  assert_true(house.found[STACK] > 0);
  assert_true(house.found[ARGUMENTS] > 0);
  assert_true(house.found[RESULTS] > 0);
}

/** So the search can find it in each of its places; but a host word always begins as NULL. */
static void where_there_are_no_tenants_nothing_is_cleared(void **state)
{
  struct house house;
  (void)state;
  search_within_a_tenant(&house, 1);
  for (int i = 0; i < PLACES; i++)
    if ((house.found[i] > 0) != (i != HOST_WORD))
      fail_msg("%s showed it %zu times", place_names[i], house.found[i]);
}

/* ---- Registers ------------------------------------------------------------------------------------ */

/** All that an entry function finds. */
struct registers {
  uint64_t integers[15]; /* all but the stack pointer */
  uint64_t vectors[16][2];
};

/** An entry function: notes all registers at `env`. */
uint64_t note_registers(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from);
/** Suspends while every register but those of the arguments holds a part of the secret. */
wasmfx_outcome_t suspend_with_secrets(wasmfx_runtime_t *rt, const wasmfx_tag_t *tag, uint64_t word,
                                      const uint64_t secret[2]);
#define EACH_VECTOR(do) \
  do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(8) do(9) do(10) do(11) do(12) do(13) do(14) do(15)
#define NOTE_VECTOR(n) "  movups %xmm" #n ", 120+16*" #n "(%rsi)\n"
#define LOAD_VECTOR(n) "  movups (%rcx), %xmm" #n "\n"
__asm__(".text\n"
        ".p2align 4\n"
        ".globl note_registers\n"
        "note_registers:\n"
        "  movq %rax, (%rsi)\n  movq %rbx, 8(%rsi)\n  movq %rcx, 16(%rsi)\n  movq %rdx, 24(%rsi)\n"
        "  movq %rsi, 32(%rsi)\n  movq %rdi, 40(%rsi)\n  movq %rbp, 48(%rsi)\n  movq %r8, 56(%rsi)\n"
        "  movq %r9, 64(%rsi)\n  movq %r10, 72(%rsi)\n  movq %r11, 80(%rsi)\n  movq %r12, 88(%rsi)\n"
        "  movq %r13, 96(%rsi)\n  movq %r14, 104(%rsi)\n  movq %r15, 112(%rsi)\n"
        EACH_VECTOR(NOTE_VECTOR)
        "  movq %rdx, %rax\n"
        "  ret\n"
        ".p2align 4\n"
        ".globl suspend_with_secrets\n"
        "suspend_with_secrets:\n"
        "  pushq %rbx\n  pushq %rbp\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  subq $8, %rsp\n"
        EACH_VECTOR(LOAD_VECTOR)
        "  movq (%rcx), %rax\n"
        "  movq 8(%rcx), %rcx\n"
        "  movq %rax, %rbx\n  movq %rax, %rbp\n  movq %rax, %r8\n  movq %rax, %r9\n  movq %rax, %r10\n"
        "  movq %rax, %r11\n  movq %rax, %r12\n  movq %rax, %r13\n  movq %rax, %r14\n  movq %rax, %r15\n"
        "  call wasmfx_suspend_word\n"
        "  addq $8, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbp\n  popq %rbx\n"
        "  ret\n");

static uint64_t leave_secrets_in_registers(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct house *house = env;
  const uint64_t secret[2] = { secret_word(0), secret_word(1) };
  (void)from;
  return suspend_with_secrets(rt, house->ask, word, secret).word;
}

/** SECURITY.md says so: what a call does not preserve is passed on as it is, and integers are all overwritten. */
static void on_entry_only_vector_registers_show_what_ran_before(void **state)
{
  static struct registers seen;
  struct house house;
  wasmfx_runtime_config_t config;
  wasmfx_cont_t planter, searcher;
  wasmfx_type_t *type;
  (void)state;
  wasmfx_runtime_config_init(&config);
  for (config.tenants = 1; config.tenants <= TENANTS; config.tenants++) {
    open_house(&house, &config);
    draw_secret();
    type = house.number;
    assert_status(wasmfx_cont_new_word(house.rt, type, leave_secrets_in_registers, &house, &planter), WASMFX_OK);
    name_tenant(&house, config.tenants - 1);
    assert_status(wasmfx_cont_new_word(house.rt, type, note_registers, &seen, &searcher), WASMFX_OK);
    const wasmfx_outcome_t planted = wasmfx_resume_word(house.rt, &planter, house.handlers, 0);
    const wasmfx_outcome_t searched = wasmfx_resume_word(house.rt, &searcher, house.handlers, 0);
    assert_outcome(planted, WASMFX_SUSPENDED);
    assert_outcome(searched, WASMFX_RETURNED);
    assert_int_equal(search(seen.integers, seen.integers + COUNT_OF(seen.integers)), 0);
    assert_true(search(seen.vectors, seen.vectors + COUNT_OF(seen.vectors)) > 0);
    assert_status(wasmfx_drop(house.rt, &planter), WASMFX_OK);
    close_house(&house);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_crosses_from_tenant_to_tenant_shows_nothing),
    cmocka_unit_test(what_was_trimmed_shows_nothing),
    cmocka_unit_test(stacks_of_the_default_size_show_nothing),
    cmocka_unit_test(what_was_made_before_finds_nothing_either),
    cmocka_unit_test(within_a_tenant_memory_is_not_cleared),
    cmocka_unit_test(where_there_are_no_tenants_nothing_is_cleared),
    cmocka_unit_test(on_entry_only_vector_registers_show_what_ran_before),
  };
  if (argc > 1)
    rounds = strtoull(argv[1], NULL, 10);
  rounds = effort(rounds);
  return cmocka_run_group_tests_name("tenants", tests, NULL, NULL);
}
