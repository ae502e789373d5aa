/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where stacks come from: reservations, slabs, guards, colours, reuse, growth,
 * trimming, tenants, and what happens when the system has no more of something.
 * All through the public interface; what would kill or starve the process
 * happens in a child.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <wasmfx/wasmfx.h>

#include "counters.h"
#include "tools.h"

/* ---- A world with one type, one tag, and a body that does what it is told --------- */

struct world {
  wasmfx_runtime_t *rt;
  wasmfx_type_t *type;
  wasmfx_tag_t *tag;
  wasmfx_handlers_t *handlers;
};

enum { DEPTH = 90 }; /* of some 300 bytes each, more under sanitizers */

enum { YIELD, BOUNDS_LOW, BOUNDS_HIGH, TOUCH, HIT_GUARD, RECURSE, PLANT, LOOK };

static size_t distance_of_hit = 1; /* bytes below the stack */

static struct world world_new(const wasmfx_runtime_config_t *config)
{
  struct world w;
  const wasmfx_kind_t i64 = WASMFX_I64;
  assert_int_equal(wasmfx_runtime_new(config, &w.rt), WASMFX_OK);
  assert_int_equal(wasmfx_type_new(w.rt, &i64, 1, &i64, 1, &w.type), WASMFX_OK);
  assert_int_equal(wasmfx_tag_new(w.rt, w.type, &w.tag), WASMFX_OK);
  const wasmfx_clause_t clause = { .tag = w.tag, .kind = WASMFX_ON_LABEL };
  assert_int_equal(wasmfx_handlers_new(w.rt, &clause, 1, &w.handlers), WASMFX_OK);
  return w;
}

static void world_free(struct world *w)
{
  assert_int_equal(wasmfx_runtime_free(w->rt, NULL), WASMFX_OK);
}

static wasmfx_stats_t stats_of(const struct world *w)
{
  wasmfx_stats_t stats;
  wasmfx_runtime_stats(w->rt, &stats, sizeof stats);
  return stats;
}

__attribute__((noinline)) static uint64_t recurse(uint64_t depth)
{
  volatile char frame[256];
  frame[0] = (char)depth;
  return depth == 0 ? (uint64_t)frame[0] : recurse(depth - 1) + 1;
}

#define SECRET 0x5ec2e75ec2e75ec2u

/* Leaves a secret all over the stack but where this function and its callers are. */
LOOKS_ANYWHERE static void plant(wasmfx_runtime_t *rt)
{
  void *low, *high;
  assert_int_equal(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  open_to_looks(low, high);
  volatile uint64_t *end = (volatile uint64_t *)((uintptr_t)__builtin_frame_address(0) - 1024);
  for (volatile uint64_t *p = low; p < end; p++)
    *p = SECRET;
}

/* How often the secret can be found below here. */
LOOKS_ANYWHERE static uint64_t look(wasmfx_runtime_t *rt)
{
  void *low, *high;
  uint64_t found = 0;
  assert_int_equal(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  open_to_looks(low, high);
  for (volatile uint64_t *p = low; p < (volatile uint64_t *)high; p++)
    found += *p == SECRET;
  return found;
}

static uint64_t body(wasmfx_runtime_t *rt, void *env, uint64_t what, wasmfx_cont_t from)
{
  const struct world *w = env;
  void *low = NULL, *high = NULL;
  (void)from;
  for (;;) {
    assert_int_equal(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
    uint64_t answer = 0;
    switch (what) {
    case BOUNDS_LOW: answer = (uintptr_t)low; break;
    case BOUNDS_HIGH: answer = (uintptr_t)high; break;
    case TOUCH: *(volatile char *)low = 1; break;
    case HIT_GUARD: *((volatile char *)low - distance_of_hit) = 1; break;
    case RECURSE: return recurse(DEPTH);
    case PLANT: plant(rt); return 0;
    case LOOK: return look(rt);
    default: break;
    }
    what = wasmfx_suspend_word(rt, w->tag, answer).word;
  }
}

static wasmfx_cont_t new_cont(struct world *w)
{
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  assert_int_equal(wasmfx_cont_new_word(w->rt, w->type, body, w, &cont), WASMFX_OK);
  return cont;
}

static uint64_t ask(struct world *w, wasmfx_cont_t *cont, uint64_t what)
{
  const wasmfx_outcome_t outcome = wasmfx_resume_word(w->rt, cont, w->handlers, what);
  assert_true(outcome.status >= 0);
  return outcome.word;
}

/* Runs `what` in a child; answers its wait status. */
static int in_child(void (*what)(void))
{
  fflush(NULL);
  const pid_t pid = fork();
  if (pid == 0) {
    what();
    save_counters();
    _exit(0);
  }
  int status = -1;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return status;
}

/* In a child an assertion of cmocka cannot be reported: this says where it was by the exit code. */
#define REQUIRE(condition)                                               \
  do {                                                                   \
    if (!(condition)) {                                                  \
      fprintf(stderr, "# line %d: %s\n", __LINE__, #condition);          \
      _exit(1);                                                          \
    }                                                                    \
  } while (0)

static long count_maps(void)
{
  long count = 0;
  FILE *file = fopen("/proc/self/maps", "r");
  assert_non_null(file);
  for (int c; (c = getc(file)) != EOF;)
    count += c == '\n';
  fclose(file);
  return count;
}

/* What the kernel says of the map around an address: its permissions and its flags. */
struct map {
  char permissions[8], flags[512];
};

static struct map map_of(const void *address)
{
  struct map map = { "", "" };
  char line[512];
  bool inside = false;
  FILE *file = fopen("/proc/self/smaps", "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file)) {
    unsigned long low, high;
    char permissions[8];
    if (sscanf(line, "%lx-%lx %7s", &low, &high, permissions) == 3) {
      inside = low <= (uintptr_t)address && (uintptr_t)address < high;
      if (inside)
        strcpy(map.permissions, permissions);
    } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
      strcpy(map.flags, line + 8);
    }
  }
  fclose(file);
  return map;
}

/* Whether the page at an address has memory. */
static bool is_in_memory(char *page)
{
  unsigned char answer;
  assert_int_equal(mincore(page, 1, &answer), 0);
  return answer & 1;
}

/* ---- Reuse, colours, growth ------------------------------------------------------------ */

static void nothing_is_reserved_before_the_first_resume(void **state)
{
  (void)state;
  struct world w = world_new(NULL);
  wasmfx_cont_t cont = new_cont(&w);
  assert_int_equal(stats_of(&w).stack_reservations, 0);
  assert_int_equal(stats_of(&w).stacks_made, 0);
  ask(&w, &cont, YIELD);
  assert_int_equal(stats_of(&w).stack_reservations, 1);
  assert_int_equal(stats_of(&w).stacks_made, 1);
  assert_int_equal(stats_of(&w).stacks_used, 1);
  world_free(&w);
}

static void the_stack_that_came_back_last_is_the_next(void **state)
{
  (void)state;
  struct world w = world_new(NULL);
  wasmfx_cont_t first = new_cont(&w), second = new_cont(&w);
  const uint64_t first_top = ask(&w, &first, BOUNDS_HIGH), second_top = ask(&w, &second, BOUNDS_HIGH);
  assert_int_not_equal(first_top, second_top);
  wasmfx_drop(w.rt, &first);
  wasmfx_drop(w.rt, &second);
  assert_int_equal(stats_of(&w).stacks_cached, 2);
  wasmfx_cont_t third = new_cont(&w), fourth = new_cont(&w);
  assert_int_equal(ask(&w, &third, BOUNDS_HIGH), second_top);
  assert_int_equal(ask(&w, &fourth, BOUNDS_HIGH), first_top);
  assert_int_equal(stats_of(&w).stacks_made, 2);
  world_free(&w);
}

static void tops_are_coloured_within_one_page(void **state)
{
  enum { STACKS = 64, PAGE = 4096 };
  (void)state;
  struct world w = world_new(NULL);
  bool seen[PAGE] = { false };
  int colours = 0;
  for (int i = 0; i < STACKS; i++) {
    wasmfx_cont_t cont = new_cont(&w);
    const uint64_t offset = ask(&w, &cont, BOUNDS_HIGH) % PAGE;
    assert_int_equal(offset % 64, 0);
    assert_true(offset >= PAGE / 2 - 64); /* so that half a page is left for the first frames */
    colours += !seen[offset];
    seen[offset] = true;
  }
  assert_true(colours >= 32);
  world_free(&w);
}

static void a_stack_has_the_bytes_of_its_class_and_grows_in_place(void **state)
{
  (void)state;
  struct world w = world_new(NULL);
  const uint64_t expected[WASMFX_STACK_CLASSES] = { 64 << 10, 16 << 10, 256 << 10, 1 << 20 };
  for (uint32_t i = 0; i < WASMFX_STACK_CLASSES; i++) {
    wasmfx_cont_t cont = new_cont(&w);
    assert_int_equal(wasmfx_cont_stack_class(w.rt, cont, i), WASMFX_OK);
    const uint64_t bytes = ask(&w, &cont, BOUNDS_HIGH) - ask(&w, &cont, BOUNDS_LOW);
    assert_true(bytes <= expected[i] && bytes > expected[i] - 4096);
    assert_int_equal(wasmfx_cont_stack_class(w.rt, cont, 0), WASMFX_ERROR_STATE);
  }
  wasmfx_cont_t cont = new_cont(&w);
  assert_int_equal(ask(&w, &cont, RECURSE) & 0xff, DEPTH);
  assert_int_equal(cont, WASMFX_NULL_CONT);
  world_free(&w);
}

static void neither_stacks_nor_references_can_be_executed(void **state)
{
  (void)state;
  for (uint32_t guard = WASMFX_GUARD_AUTO; guard <= WASMFX_GUARD_NONE; guard++) {
    wasmfx_runtime_config_t config;
    wasmfx_runtime_config_init(&config);
    config.guard = guard;
    struct world w = world_new(&config);
    wasmfx_cont_t cont = new_cont(&w);
    const void *low = (const void *)ask(&w, &cont, BOUNDS_LOW);
    assert_string_equal(map_of(low).permissions, "rw-p");
    assert_string_equal(map_of(wasmfx_host_word(w.rt)).permissions, "rw-p"); /* it lies among the references */
    world_free(&w);
  }
}

static void no_huge_page_lies_under_a_stack(void **state)
{
  (void)state;
  if (access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) != 0)
    skip(); /* this kernel has none */
  struct world w = world_new(NULL);
  wasmfx_cont_t cont = new_cont(&w);
  const void *low = (const void *)ask(&w, &cont, BOUNDS_LOW);
  assert_non_null(strstr(map_of(low).flags, " nh"));
  world_free(&w);
}

/* ---- Guards ---------------------------------------------------------------------------- */

/* Whether the kernel puts guards into memory that has been committed (Linux 6.13). */
static bool kernel_has_light_guards(void)
{
  enum { GUARD_INSTALL = 102 };
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(memory != MAP_FAILED);
  const bool has = madvise(memory, page, GUARD_INSTALL) == 0;
  assert_int_equal(munmap(memory, page), 0);
  return has;
}

static void guards_are_light_where_the_kernel_has_such_and_nobody_says_otherwise(void **state)
{
  (void)state;
  const uint32_t best = kernel_has_light_guards() ? WASMFX_GUARD_LIGHT : WASMFX_GUARD_PROTECT;
  const struct { uint32_t asked, given; } cases[] = {
    { WASMFX_GUARD_AUTO, best },
    { WASMFX_GUARD_LIGHT, best },
    { WASMFX_GUARD_PROTECT, WASMFX_GUARD_PROTECT },
    { WASMFX_GUARD_NONE, WASMFX_GUARD_NONE },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    wasmfx_runtime_config_t config;
    wasmfx_runtime_config_init(&config);
    config.guard = cases[i].asked;
    struct world w = world_new(&config);
    wasmfx_cont_t cont = new_cont(&w);
    ask(&w, &cont, YIELD);
    assert_int_equal(stats_of(&w).guard, cases[i].given);
    world_free(&w);
  }
}

static void asking_the_kernel_for_guards_leaves_nothing_behind(void **state)
{
  (void)state;
  long before = 0;
  for (int i = 0; i < 20; i++) {
    struct world w = world_new(NULL);
    wasmfx_cont_t cont = new_cont(&w);
    ask(&w, &cont, YIELD);
    world_free(&w);
    if (i == 9)
      before = count_maps();
  }
  assert_int_equal(count_maps(), before);
}

static uint32_t guard_of_child;
static size_t guard_bytes_of_child;

static void hit_the_guard(void)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.guard = guard_of_child;
  config.guard_bytes = guard_bytes_of_child;
  const struct rlimit no_core = { 0, 0 };
  setrlimit(RLIMIT_CORE, &no_core);
  signal(SIGSEGV, SIG_DFL); /* cmocka's own handler would make a failed test of it */
  struct world w = world_new(&config);
  wasmfx_cont_t above = new_cont(&w), cont = new_cont(&w);
  ask(&w, &above, YIELD); /* its neighbour, which must not be hit instead */
  ask(&w, &cont, HIT_GUARD);
}

static void below_each_stack_lies_a_guard_of_either_kind(void **state)
{
  (void)state;
  for (uint32_t guard = WASMFX_GUARD_AUTO; guard <= WASMFX_GUARD_PROTECT; guard++) {
    guard_of_child = guard;
    const int status = in_child(hit_the_guard);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
  }
}

static void a_guard_has_the_bytes_that_were_asked_for(void **state)
{
  (void)state;
  guard_bytes_of_child = distance_of_hit = 64 << 10; /* its last byte; below that lies the neighbour */
  below_each_stack_lies_a_guard_of_either_kind(state);
  guard_bytes_of_child = 0;
  distance_of_hit = 1;
}

static void light_guards_split_no_map(void **state)
{
  enum { CONTS = 20000 };
  (void)state;
  if (is_left_out(WITH_THREAD_SANITIZER, "it makes maps of its own for each stack"))
    return;
  struct world w = world_new(NULL);
  wasmfx_cont_t first = new_cont(&w);
  ask(&w, &first, YIELD);
  if (stats_of(&w).guard != WASMFX_GUARD_LIGHT) {
    world_free(&w);
    skip();
  }
  const long maps = count_maps();
  for (int i = 0; i < CONTS; i++) {
    wasmfx_cont_t cont = new_cont(&w);
    ask(&w, &cont, YIELD);
  }
  assert_int_equal(stats_of(&w).stacks_used, CONTS + 1);
  assert_true(count_maps() <= maps + 4);
  size_t dropped = 0;
  assert_int_equal(wasmfx_runtime_free(w.rt, &dropped), WASMFX_OK);
  assert_int_equal(dropped, CONTS + 1);
}

/* ---- Trimming ----------------------------------------------------------------------------- */

/* Whichever list of free stacks a class has. */
static void assert_memory_goes_back_above_the_watermark(uint32_t stack_class)
{
  enum { CONTS = 100, WATERMARK = 10, MOST_DUE = 15 };
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.cached_stacks = WATERMARK;
  struct world w = world_new(&config);
  wasmfx_cont_t conts[CONTS];
  char *lows[CONTS];
  for (int i = 0; i < CONTS; i++) {
    conts[i] = new_cont(&w);
    assert_int_equal(wasmfx_cont_stack_class(w.rt, conts[i], stack_class), WASMFX_OK);
    lows[i] = (char *)ask(&w, &conts[i], BOUNDS_LOW);
    ask(&w, &conts[i], TOUCH);
    assert_true(is_in_memory(lows[i]));
  }
  for (int i = 0; i < CONTS; i++)
    assert_int_equal(wasmfx_drop(w.rt, &conts[i]), WASMFX_OK);
  int in_memory = 0;
  for (int i = 0; i < CONTS; i++)
    in_memory += is_in_memory(lows[i]);
  assert_in_range(in_memory, WATERMARK, WATERMARK + MOST_DUE);
  wasmfx_stats_t stats = stats_of(&w);
  assert_int_equal(stats.stacks_used, 0);
  assert_int_equal(stats.stacks_cached, WATERMARK);
  assert_int_equal(stats.stacks_trimmed, CONTS - WATERMARK);
  assert_int_equal(stats.stack_trims, CONTS - WATERMARK);

  for (int i = 0; i < CONTS; i++) { /* all of them are used again before a new one is made */
    conts[i] = new_cont(&w);
    assert_int_equal(wasmfx_cont_stack_class(w.rt, conts[i], stack_class), WASMFX_OK);
    ask(&w, &conts[i], YIELD);
  }
  stats = stats_of(&w);
  assert_int_equal(stats.stacks_made, CONTS);
  assert_int_equal(stats.stacks_trimmed, 0);
  world_free(&w);
}

static void above_the_watermark_memory_goes_back_to_the_system(void **state)
{
  (void)state;
  for (uint32_t stack_class = 0; stack_class < WASMFX_STACK_CLASSES; stack_class++)
    assert_memory_goes_back_above_the_watermark(stack_class);
}

/* In whatever order they go: what is trimmed has lost its memory, but for the few that are due, and nobody else has. */
static void assert_others_keep_theirs(int from, int step, int count)
{
  enum { CONTS = 120, MOST_DUE = 15 };
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.cached_stacks = 1;
  struct world w = world_new(&config);
  wasmfx_cont_t conts[CONTS];
  char *lows[CONTS];
  for (int i = 0; i < CONTS; i++) {
    conts[i] = new_cont(&w);
    lows[i] = (char *)ask(&w, &conts[i], BOUNDS_LOW);
    ask(&w, &conts[i], TOUCH);
  }
  for (int i = 0; i < count; i++)
    assert_int_equal(wasmfx_drop(w.rt, &conts[from + i * step]), WASMFX_OK);
  int in_memory = 0;
  for (int i = 0; i < CONTS; i++) {
    if (conts[i] != WASMFX_NULL_CONT)
      assert_true(is_in_memory(lows[i]));
    else
      in_memory += is_in_memory(lows[i]);
  }
  assert_in_range(in_memory, 1, 1 + MOST_DUE);
  assert_int_equal(stats_of(&w).stack_trims, count - 1);
  world_free(&w);
}

static void trimmed_neighbours_leave_others_their_memory(void **state)
{
  (void)state;
  assert_others_keep_theirs(20, 1, 80);
  assert_others_keep_theirs(99, -1, 80);
  assert_others_keep_theirs(1, 2, 59);
  assert_others_keep_theirs(118, -2, 59);
}

static void a_body_that_ends_above_the_watermark_keeps_the_stack_it_stands_on(void **state)
{
  (void)state;
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.cached_stacks = 1;
  struct world w = world_new(&config);
  for (int i = 0; i < 100; i++) {
    wasmfx_cont_t other = new_cont(&w), cont = new_cont(&w);
    ask(&w, &other, YIELD);
    assert_int_equal(ask(&w, &cont, RECURSE) & 0xff, DEPTH);
    assert_int_equal(wasmfx_drop(w.rt, &other), WASMFX_OK);
  }
  assert_true(stats_of(&w).stack_trims > 0);
  world_free(&w);
}

/* Each resumes the next one, and all return in word form. */
static uint64_t go_down_and_return(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct world *w = env;
  (void)from;
  if (word) {
    wasmfx_cont_t next;
    assert_int_equal(wasmfx_cont_new_word(rt, w->type, go_down_and_return, env, &next), WASMFX_OK);
    assert_int_equal(wasmfx_resume_word(rt, &next, w->handlers, word - 1).status, WASMFX_RETURNED);
  }
  return word;
}

static void bodies_that_return_above_the_watermark_give_memory_back(void **state)
{
  enum { CACHED = 2, DEEP = 10 };
  (void)state;
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.cached_stacks = CACHED;
  struct world w = world_new(&config);
  for (unsigned i = 1; i <= 4; i++) { /* from the second time on, the first ones find a stack at hand */
    wasmfx_cont_t first;
    assert_int_equal(wasmfx_cont_new_word(w.rt, w.type, go_down_and_return, &w, &first), WASMFX_OK);
    assert_int_equal(wasmfx_resume_word(w.rt, &first, w.handlers, DEEP - 1).status, WASMFX_RETURNED);
    assert_int_equal(stats_of(&w).stacks_cached, CACHED);
    assert_int_equal(stats_of(&w).stack_trims, i * (DEEP - CACHED));
  }
  world_free(&w);
}

/* ---- Tenants --------------------------------------------------------------------------------- */

/* One stack only, so that it has to cross. */
static struct world world_of_two_tenants(void)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.tenants = 2;
  config.max_stacks = 1;
  return world_new(&config);
}

static void a_stack_that_crosses_tenants_shows_nothing(void **state)
{
  (void)state;
  struct world w = world_of_two_tenants();
  for (int i = 0; i < 100; i++) {
    assert_int_equal(wasmfx_tenant_set(w.rt, 0), WASMFX_OK);
    wasmfx_cont_t planter = new_cont(&w);
    ask(&w, &planter, PLANT);
    assert_int_equal(wasmfx_tenant_set(w.rt, 1), WASMFX_OK);
    wasmfx_cont_t looker = new_cont(&w);
    assert_int_equal(ask(&w, &looker, LOOK), 0);
  }
  assert_int_equal(stats_of(&w).stacks_made, 1);
  assert_true(stats_of(&w).stacks_wiped >= 100);
  world_free(&w);
}

static void a_stack_in_locked_memory_crosses_tenants_just_as_clean(void **state)
{
  (void)state;
  struct world w = world_of_two_tenants();
  wasmfx_cont_t planter = new_cont(&w);
  char *low = (char *)ask(&w, &planter, BOUNDS_LOW), *high = (char *)ask(&w, &planter, BOUNDS_HIGH);
  if (mlock(low, (size_t)(high - low)) != 0) {
    world_free(&w);
    skip(); /* so much may not be locked here */
  }
  ask(&w, &planter, PLANT);
  assert_int_equal(wasmfx_tenant_set(w.rt, 1), WASMFX_OK);
  wasmfx_cont_t looker = new_cont(&w);
  assert_int_equal(ask(&w, &looker, LOOK), 0);
  assert_int_equal(stats_of(&w).stacks_wiped, 1);
  world_free(&w);
}

/* Several that are neighbours, and go back together; the system refuses, and each is cleared by hand. */
static void trimmed_stacks_in_locked_memory_are_just_as_clean(void **state)
{
  enum { CONTS = 6 };
  (void)state;
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.cached_stacks = 1;
  config.tenants = 2;
  struct world w = world_new(&config);
  wasmfx_cont_t conts[CONTS];
  bool is_locked = true;
  for (int i = 0; i < CONTS; i++) {
    conts[i] = new_cont(&w);
    char *low = (char *)ask(&w, &conts[i], BOUNDS_LOW), *high = (char *)ask(&w, &conts[i], BOUNDS_HIGH);
    is_locked = is_locked && mlock(low, (size_t)(high - low)) == 0;
  }
  for (int i = 0; i < CONTS; i++)
    ask(&w, &conts[i], PLANT);
  assert_true(stats_of(&w).stack_trims >= CONTS - 1);
  assert_int_equal(wasmfx_tenant_set(w.rt, 1), WASMFX_OK);
  for (int i = 0; i < CONTS; i++) {
    conts[i] = new_cont(&w);
    ask(&w, &conts[i], YIELD);
  }
  for (int i = 0; i < CONTS; i++)
    assert_int_equal(ask(&w, &conts[i], LOOK), 0);
  assert_true(stats_of(&w).stacks_made <= CONTS + 1);
  world_free(&w);
  if (!is_locked)
    skip(); /* so much may not be locked here */
}

static void within_a_tenant_nothing_is_wiped(void **state)
{
  (void)state;
  struct world w = world_of_two_tenants();
  wasmfx_cont_t planter = new_cont(&w);
  ask(&w, &planter, PLANT);
  wasmfx_cont_t looker = new_cont(&w);
  assert_true(ask(&w, &looker, LOOK) > 1000); /* so that the test before this one could fail */
  assert_int_equal(stats_of(&w).stacks_wiped, 0);
  world_free(&w);
}

static void a_stack_crosses_tenants_only_where_no_new_one_is_to_be_had(void **state)
{
  (void)state;
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.tenants = 2;
  config.max_stacks = 2;
  struct world w = world_new(&config);
  wasmfx_cont_t first = new_cont(&w);
  ask(&w, &first, PLANT); /* leaves a free stack */
  assert_int_equal(wasmfx_tenant_set(w.rt, 1), WASMFX_OK);
  wasmfx_cont_t second = new_cont(&w), third = new_cont(&w);
  ask(&w, &second, YIELD);
  assert_int_equal(stats_of(&w).stacks_made, 2);
  assert_int_equal(stats_of(&w).stacks_wiped, 0);
  ask(&w, &third, YIELD);
  assert_int_equal(stats_of(&w).stacks_made, 2);
  assert_int_equal(stats_of(&w).stacks_wiped, 1);
  world_free(&w);
}

static void the_tenant_is_that_of_the_making_not_of_the_resume(void **state)
{
  (void)state;
  struct world w = world_of_two_tenants();
  wasmfx_cont_t planter = new_cont(&w);
  assert_int_equal(wasmfx_tenant_set(w.rt, 1), WASMFX_OK);
  ask(&w, &planter, PLANT);
  wasmfx_cont_t looker = new_cont(&w);
  assert_int_equal(ask(&w, &looker, LOOK), 0);
  world_free(&w);
}

/* ---- The dense policy --------------------------------------------------------------------- */

enum { LINE_PAIR = 128, HEADER = 64 };

static struct world dense_world(size_t stack_bytes)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.stack_policy = WASMFX_STACKS_DENSE;
  config.stack_bytes[0] = stack_bytes;
  config.tenants = 2;
  config.cached_stacks = 1;
  return world_new(&config);
}

static void dense_stacks_lie_side_by_side(void **state)
{
  enum { STACKS = 32 };
  (void)state;
  struct world w = dense_world(0);
  uint64_t tops[STACKS];
  bool is_taken[STACKS] = { false };
  for (int i = 0; i < STACKS; i++) {
    wasmfx_cont_t cont = new_cont(&w);
    const uint64_t low = ask(&w, &cont, BOUNDS_LOW);
    tops[i] = ask(&w, &cont, BOUNDS_HIGH);
    const uint64_t distance = i ? tops[i] - tops[i - 1] : 0;
    assert_int_equal((tops[i] + HEADER) % LINE_PAIR, 0);
    assert_true(i == 0 || distance == tops[1] - tops[0]);
    assert_true(i == 0 || (tops[i - 1] + HEADER < low && low <= tops[i - 1] + HEADER + 2048)); /* a reserve between */
    const uint64_t set = tops[i] / LINE_PAIR % STACKS; /* two of the cache's: each has its own */
    assert_false(is_taken[set]);
    is_taken[set] = true;
  }
  if (!WITH_SANITIZER)
    assert_in_range(tops[1] - tops[0], 1024, 2048 + 2 * 1024); /* more where nothing was optimized */
  assert_int_equal(stats_of(&w).guard, WASMFX_GUARD_NONE);
  assert_int_equal(stats_of(&w).stacks_used, STACKS);
  world_free(&w);
}

static void a_dense_stack_has_the_bytes_that_were_asked_for_but_for_some_lines(void **state)
{
  (void)state;
  for (size_t bytes = 2048; bytes <= 4096; bytes += 16) {
    struct world w = dense_world(bytes);
    wasmfx_cont_t first = new_cont(&w), second = new_cont(&w);
    const uint64_t distance = ask(&w, &first, BOUNDS_HIGH), top = ask(&w, &second, BOUNDS_HIGH) - distance;
    if (!WITH_SANITIZER)
      assert_true(bytes < top + 2 * LINE_PAIR && top <= bytes + 2048);
    world_free(&w);
  }
}

static void a_dense_stack_that_came_back_last_is_the_next(void **state)
{
  (void)state;
  struct world w = dense_world(0);
  wasmfx_cont_t conts[4];
  uint64_t tops[4];
  for (int i = 0; i < 4; i++) {
    conts[i] = new_cont(&w);
    tops[i] = ask(&w, &conts[i], BOUNDS_HIGH);
  }
  for (int i = 0; i < 4; i++)
    assert_int_equal(wasmfx_drop(w.rt, &conts[i]), WASMFX_OK);
  assert_int_equal(stats_of(&w).stacks_cached, 4); /* above the watermark of one, too */
  assert_int_equal(stats_of(&w).stack_trims, 0);
  for (int i = 4; i-- > 0;) {
    conts[i] = new_cont(&w);
    assert_int_equal(ask(&w, &conts[i], BOUNDS_HIGH), tops[i]);
  }
  assert_int_equal(stats_of(&w).stacks_made, 4);
  world_free(&w);
}

static size_t resident_bytes(void)
{
  FILE *file = fopen("/proc/self/statm", "r");
  size_t all = 0, resident = 0;
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%zu %zu", &all, &resident), 2);
  fclose(file);
  return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void dense_stacks_need_memory_as_they_are_used(void **state)
{
  enum { FEW = 20, MANY = 5000 };
  (void)state;
  if (WITH_SANITIZER || under_valgrind())
    skip();
  struct world w = dense_world(2048);
  (void)resident_bytes();
  const size_t before = resident_bytes();
  for (int i = 0; i < FEW; i++) {
    wasmfx_cont_t cont = new_cont(&w);
    ask(&w, &cont, YIELD);
  }
  assert_true(resident_bytes() - before < 256 << 10); /* and not a huge page */
  for (int i = FEW; i < MANY; i++) {
    wasmfx_cont_t cont = new_cont(&w);
    ask(&w, &cont, YIELD);
  }
  const size_t after = resident_bytes() - before;
  assert_true(after < MANY * (4096 + 128) + (1 << 20));
  assert_true(after > MANY * 1024);
  world_free(&w);
}

static void dense_stacks_lie_in_huge_pages_where_these_are_full(void **state)
{
  (void)state;
  if (access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) != 0)
    skip(); /* this kernel has none */
  struct world w = dense_world(4096);
  const void *first = NULL, *last = NULL;
  for (int i = 0; i < 2000; i++) {
    wasmfx_cont_t cont = new_cont(&w);
    last = (const void *)ask(&w, &cont, BOUNDS_LOW);
    first = first ? first : last;
  }
  assert_non_null(strstr(map_of(first).flags, " hg"));
  assert_null(strstr(map_of(first).flags, " nh"));
  assert_non_null(strstr(map_of(last).flags, " nh"));
  assert_string_equal(map_of(last).permissions, "rw-p");
  world_free(&w);
}

static void a_dense_stack_that_crosses_tenants_shows_nothing_and_leaves_its_neighbours_alone(void **state)
{
  (void)state;
  for (size_t bytes = 3072; bytes <= 16384; bytes += 13312) { /* packed, and not */
    wasmfx_runtime_config_t config;
    wasmfx_runtime_config_init(&config);
    config.stack_policy = WASMFX_STACKS_DENSE;
    config.stack_bytes[0] = bytes;
    config.tenants = 2;
    config.max_stacks = 3;
    struct world w = world_new(&config);
    wasmfx_cont_t below = new_cont(&w), planter = new_cont(&w), above = new_cont(&w);
    ask(&w, &below, YIELD);
    const uint64_t top = ask(&w, &planter, BOUNDS_HIGH);
    ask(&w, &above, YIELD);
    ask(&w, &planter, PLANT);
    wasmfx_cont_t same = new_cont(&w);
    assert_true(ask(&w, &same, LOOK) > 20);
    assert_int_equal(wasmfx_tenant_set(w.rt, 1), WASMFX_OK);
    const uint64_t calls = stats_of(&w).system_calls;
    wasmfx_cont_t looker = new_cont(&w);
    assert_int_equal(ask(&w, &looker, BOUNDS_HIGH), top);
    assert_true(bytes > 4096 || stats_of(&w).system_calls == calls); /* the system would take whole pages */
    assert_int_equal(stats_of(&w).stacks_wiped, 1);
    assert_int_equal(ask(&w, &looker, LOOK), 0);
    assert_true(ask(&w, &below, BOUNDS_HIGH) < top); /* they run on */
    assert_true(ask(&w, &above, BOUNDS_HIGH) > top);
    world_free(&w);
  }
}

static void larger_dense_stacks_are_given_back_as_others_are(void **state)
{
  (void)state;
  struct world w = dense_world(16384);
  wasmfx_cont_t conts[40];
  for (int i = 0; i < 40; i++) {
    conts[i] = new_cont(&w);
    ask(&w, &conts[i], YIELD);
  }
  for (int i = 0; i < 40; i++)
    assert_int_equal(wasmfx_drop(w.rt, &conts[i]), WASMFX_OK);
  assert_int_equal(stats_of(&w).stacks_cached, 1);
  assert_int_equal(stats_of(&w).stacks_trimmed, 39);
  world_free(&w);
}

static size_t asked_of_host;

static void *allocate_stack(void *context, size_t bytes, uint32_t tenant)
{
  (void)context, (void)tenant;
  asked_of_host = bytes;
  return malloc(bytes);
}

static void release_stack(void *context, void *memory, size_t bytes, uint32_t tenant)
{
  (void)context, (void)tenant;
  assert_int_equal(bytes, asked_of_host);
  free(memory);
}

static void a_host_may_bring_small_stacks_where_they_are_dense(void **state)
{
  (void)state;
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.stack_policy = WASMFX_STACKS_DENSE;
  config.stack_allocator = (wasmfx_stack_allocator_t){ allocate_stack, release_stack, NULL };
  config.host_stack_bytes = 1000;
  config.stack_bytes[0] = 4000;
  struct world w = world_new(&config);
  wasmfx_cont_t cont = new_cont(&w);
  const uint64_t low = ask(&w, &cont, BOUNDS_LOW), high = ask(&w, &cont, BOUNDS_HIGH);
  assert_true(asked_of_host >= 4000 && high - low < asked_of_host && asked_of_host - (high - low) < 4096);
  if (!WITH_SANITIZER)
    assert_in_range(asked_of_host, 4000, 4032 + 2048);
  wasmfx_drop(w.rt, &cont);
  world_free(&w);
}

static void what_no_dense_stack_can_be_is_refused(void **state)
{
  (void)state;
  wasmfx_runtime_config_t config;
  wasmfx_runtime_t *rt;
  wasmfx_runtime_config_init(&config);
  config.stack_policy = WASMFX_STACKS_DENSE + 1;
  assert_int_equal(wasmfx_runtime_new(&config, &rt), WASMFX_ERROR_ARGUMENT);
  config.stack_policy = WASMFX_STACKS_DENSE;
  config.reserved = 1;
  assert_int_equal(wasmfx_runtime_new(&config, &rt), WASMFX_ERROR_ARGUMENT);
  config.reserved = 0;
  config.guard = WASMFX_GUARD_LIGHT;
  assert_int_equal(wasmfx_runtime_new(&config, &rt), WASMFX_ERROR_ARGUMENT);
  config.guard = WASMFX_GUARD_AUTO;
  config.guard_bytes = 4096;
  assert_int_equal(wasmfx_runtime_new(&config, &rt), WASMFX_ERROR_ARGUMENT);
  config.guard_bytes = 0;
  for (unsigned i = 0; i < WASMFX_STACK_CLASSES; i++) {
    config.stack_bytes[i] = 2047;
    assert_int_equal(wasmfx_runtime_new(&config, &rt), WASMFX_ERROR_ARGUMENT);
    config.stack_bytes[i] = 2048;
    assert_int_equal(wasmfx_runtime_new(&config, &rt), WASMFX_OK);
    assert_int_equal(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
    config.host_stack_bytes = 1;
    assert_int_equal(wasmfx_runtime_new(&config, &rt), WASMFX_ERROR_ARGUMENT);
    config.stack_bytes[i] = 2049;
    assert_int_equal(wasmfx_runtime_new(&config, &rt), WASMFX_OK);
    assert_int_equal(wasmfx_runtime_free(rt, NULL), WASMFX_OK);
    config.host_stack_bytes = 0;
  }
}

/* ---- When there is no more ------------------------------------------------------------------------ */

static void a_limit_of_stacks_is_a_status_and_the_runtime_goes_on(void **state)
{
  (void)state;
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.max_stacks = 2;
  struct world w = world_new(&config);
  wasmfx_cont_t a = new_cont(&w), b = new_cont(&w), c = new_cont(&w);
  ask(&w, &a, YIELD);
  ask(&w, &b, YIELD);
  const wasmfx_cont_t before = c;
  assert_int_equal(wasmfx_resume_word(w.rt, &c, w.handlers, YIELD).status, WASMFX_ERROR_LIMIT);
  assert_int_equal(c, before);
  assert_int_equal(wasmfx_cont_state(w.rt, c), WASMFX_STATE_FRESH);
  assert_int_equal(wasmfx_drop(w.rt, &a), WASMFX_OK);
  ask(&w, &c, YIELD);
  assert_int_equal(wasmfx_cont_state(w.rt, c), WASMFX_STATE_SUSPENDED);
  world_free(&w);
}

static struct world starving_world;

static void starve_of_address_space(void)
{
  struct world *w = &starving_world;
  wasmfx_cont_t cont = new_cont(w);
  const struct rlimit none = { 1 << 20, RLIM_INFINITY }, plenty = { RLIM_INFINITY, RLIM_INFINITY };
  REQUIRE(setrlimit(RLIMIT_AS, &none) == 0);
  REQUIRE(wasmfx_resume_word(w->rt, &cont, w->handlers, YIELD).status == WASMFX_ERROR_NO_ADDRESS_SPACE);
  REQUIRE(wasmfx_cont_state(w->rt, cont) == WASMFX_STATE_FRESH);
  wasmfx_runtime_t *other;
  REQUIRE(wasmfx_runtime_new(NULL, &other) == WASMFX_ERROR_NO_ADDRESS_SPACE && other == NULL);
  REQUIRE(setrlimit(RLIMIT_AS, &plenty) == 0);
  REQUIRE(wasmfx_resume_word(w->rt, &cont, w->handlers, YIELD).status == WASMFX_SUSPENDED);
  /* What was asked of the kernel in hard times has not been taken for its answer. */
  struct world untroubled = world_new(NULL);
  wasmfx_cont_t other_cont = new_cont(&untroubled);
  REQUIRE(wasmfx_resume_word(untroubled.rt, &other_cont, untroubled.handlers, YIELD).status == WASMFX_SUSPENDED);
  REQUIRE(stats_of(w).guard == stats_of(&untroubled).guard);
}

static size_t address_space(void)
{
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%lu", &pages), 1);
  fclose(file);
  return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* There is room for a few thousand stacks, but not for the million that the configuration allows. */
static void live_in_few_addresses(void)
{
  struct world *w = &starving_world;
  const struct rlimit few = { address_space() + ((rlim_t)256 << 20), RLIM_INFINITY };
  wasmfx_cont_t last = WASMFX_NULL_CONT, cont = new_cont(w);
  wasmfx_outcome_t outcome;
  REQUIRE(setrlimit(RLIMIT_AS, &few) == 0);
  while ((outcome = wasmfx_resume_word(w->rt, &cont, w->handlers, YIELD)).status == WASMFX_SUSPENDED) {
    last = cont;
    cont = new_cont(w);
  }
  REQUIRE(outcome.status == WASMFX_ERROR_NO_ADDRESS_SPACE); /* it is no limit of the configuration */
  REQUIRE(wasmfx_cont_state(w->rt, cont) == WASMFX_STATE_FRESH);
  REQUIRE(stats_of(w).stacks_used >= 1000);
  REQUIRE(stats_of(w).stack_reservations == 1);
  REQUIRE(wasmfx_drop(w->rt, &last) == WASMFX_OK);
  REQUIRE(wasmfx_resume_word(w->rt, &cont, w->handlers, YIELD).status == WASMFX_SUSPENDED);
}

static void starve_of_memory(void)
{
  struct world *w = &starving_world;
  wasmfx_cont_t cont = new_cont(w);
  const struct rlimit none = { 1 << 16, RLIM_INFINITY }, plenty = { RLIM_INFINITY, RLIM_INFINITY };
  REQUIRE(setrlimit(RLIMIT_DATA, &none) == 0);
  REQUIRE(wasmfx_resume_word(w->rt, &cont, w->handlers, YIELD).status == WASMFX_ERROR_NO_MEMORY);
  REQUIRE(wasmfx_cont_state(w->rt, cont) == WASMFX_STATE_FRESH);
  REQUIRE(setrlimit(RLIMIT_DATA, &plenty) == 0);
  REQUIRE(wasmfx_resume_word(w->rt, &cont, w->handlers, YIELD).status == WASMFX_SUSPENDED);
}

/* Then not even the limit of maps can be read. */
static void starve_of_memory_and_files(void)
{
  const struct rlimit none = { 0, 0 };
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  starve_of_memory();
}

/* Guards by mprotect take two maps a stack, and the kernel allows so many. */
static void starve_of_maps(void)
{
  enum { ENOUGH = 200000 };
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.guard = WASMFX_GUARD_PROTECT;
  struct world w = world_new(&config);
  wasmfx_cont_t last = WASMFX_NULL_CONT, cont = WASMFX_NULL_CONT;
  wasmfx_outcome_t outcome = { .status = WASMFX_SUSPENDED };
  for (int i = 0; i < ENOUGH && outcome.status == WASMFX_SUSPENDED; i++) {
    last = cont;
    cont = new_cont(&w);
    outcome = wasmfx_resume_word(w.rt, &cont, w.handlers, YIELD);
  }
  if (outcome.status == WASMFX_SUSPENDED)
    _exit(77); /* this kernel allows more */
  REQUIRE(outcome.status == WASMFX_ERROR_NO_MAPS);
  REQUIRE(wasmfx_cont_state(w.rt, cont) == WASMFX_STATE_FRESH);
  REQUIRE(wasmfx_drop(w.rt, &last) == WASMFX_OK);
  REQUIRE(wasmfx_resume_word(w.rt, &cont, w.handlers, YIELD).status == WASMFX_SUSPENDED);
  REQUIRE(wasmfx_runtime_free(w.rt, NULL) == WASMFX_OK);
}

/* Tools ask for memory of their own while a test uses it up, and end the process when there is none. */
static bool is_starved_first(void)
{
  return is_left_out(WITH_THREAD_SANITIZER || WITH_MEMORY_SANITIZER || WITH_FAKE_STACKS || under_valgrind(),
                     "it starves before the library does");
}

static void out_of_address_space_is_a_status_and_the_runtime_goes_on(void **state)
{
  (void)state;
  if (is_left_out(under_valgrind(), "it starves before the library does"))
    return;
  starving_world = world_new(NULL);
  assert_int_equal(in_child(starve_of_address_space), 0);
  world_free(&starving_world);
}

static void with_few_addresses_there_are_fewer_stacks(void **state)
{
  (void)state;
  if (is_starved_first())
    return;
  starving_world = world_new(NULL);
  assert_int_equal(in_child(live_in_few_addresses), 0);
  world_free(&starving_world);
}

static void out_of_memory_is_a_status_and_the_runtime_goes_on(void **state)
{
  (void)state;
  if (is_starved_first())
    return;
  starving_world = world_new(NULL);
  assert_int_equal(in_child(starve_of_memory), 0);
  world_free(&starving_world);
}

static void out_of_memory_is_told_without_files_too(void **state)
{
  (void)state;
  if (is_starved_first())
    return;
  starving_world = world_new(NULL);
  assert_int_equal(in_child(starve_of_memory_and_files), 0);
  world_free(&starving_world);
}

static void out_of_maps_is_a_status_and_the_runtime_goes_on(void **state)
{
  (void)state;
  if (is_starved_first())
    return;
  const int status = in_child(starve_of_maps);
  assert_true(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77)
    skip();
  assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(nothing_is_reserved_before_the_first_resume),
    cmocka_unit_test(the_stack_that_came_back_last_is_the_next),
    cmocka_unit_test(tops_are_coloured_within_one_page),
    cmocka_unit_test(a_stack_has_the_bytes_of_its_class_and_grows_in_place),
    cmocka_unit_test(neither_stacks_nor_references_can_be_executed),
    cmocka_unit_test(no_huge_page_lies_under_a_stack),
    cmocka_unit_test(guards_are_light_where_the_kernel_has_such_and_nobody_says_otherwise),
    cmocka_unit_test(asking_the_kernel_for_guards_leaves_nothing_behind),
    cmocka_unit_test(below_each_stack_lies_a_guard_of_either_kind),
    cmocka_unit_test(a_guard_has_the_bytes_that_were_asked_for),
    cmocka_unit_test(light_guards_split_no_map),
    cmocka_unit_test(above_the_watermark_memory_goes_back_to_the_system),
    cmocka_unit_test(trimmed_neighbours_leave_others_their_memory),
    cmocka_unit_test(a_body_that_ends_above_the_watermark_keeps_the_stack_it_stands_on),
    cmocka_unit_test(bodies_that_return_above_the_watermark_give_memory_back),
    cmocka_unit_test(a_stack_that_crosses_tenants_shows_nothing),
    cmocka_unit_test(a_stack_in_locked_memory_crosses_tenants_just_as_clean),
    cmocka_unit_test(trimmed_stacks_in_locked_memory_are_just_as_clean),
    cmocka_unit_test(within_a_tenant_nothing_is_wiped),
    cmocka_unit_test(a_stack_crosses_tenants_only_where_no_new_one_is_to_be_had),
    cmocka_unit_test(the_tenant_is_that_of_the_making_not_of_the_resume),
    cmocka_unit_test(dense_stacks_lie_side_by_side),
    cmocka_unit_test(a_dense_stack_has_the_bytes_that_were_asked_for_but_for_some_lines),
    cmocka_unit_test(a_dense_stack_that_came_back_last_is_the_next),
    cmocka_unit_test(dense_stacks_need_memory_as_they_are_used),
    cmocka_unit_test(dense_stacks_lie_in_huge_pages_where_these_are_full),
    cmocka_unit_test(a_dense_stack_that_crosses_tenants_shows_nothing_and_leaves_its_neighbours_alone),
    cmocka_unit_test(larger_dense_stacks_are_given_back_as_others_are),
    cmocka_unit_test(a_host_may_bring_small_stacks_where_they_are_dense),
    cmocka_unit_test(what_no_dense_stack_can_be_is_refused),
    cmocka_unit_test(a_limit_of_stacks_is_a_status_and_the_runtime_goes_on),
    cmocka_unit_test(out_of_address_space_is_a_status_and_the_runtime_goes_on),
    cmocka_unit_test(with_few_addresses_there_are_fewer_stacks),
    cmocka_unit_test(out_of_memory_is_a_status_and_the_runtime_goes_on),
    cmocka_unit_test(out_of_memory_is_told_without_files_too),
    cmocka_unit_test(out_of_maps_is_a_status_and_the_runtime_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
