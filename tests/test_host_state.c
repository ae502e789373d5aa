/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host keeps beside the library: registers of a small machine of its own that follow the continuations, copies
 * of a whole process after fork(), and calls back and forth between host and continuations, 64 deep.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its longjmp takes a jump to another stack for an error */
#include "support.h"
#include "jump.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- A machine with a value stack ------------------------------------------------------------
 *
 * An interpreter keeps two registers: where its value stack ends, and how deep its calls are nested. Each side has both
 * of its own; the hook exchanges them at each switch. So code that runs uses the registers and knows nothing of it.
 */

enum { VALUES = 32, MACHINES = 4 };

struct machine {
  int values[VALUES];
  int *top; /* the registers, while this side does not run */
  int depth;
};

static struct registers {
  int *top;
  int depth;
} registers;

static void exchange_registers(wasmfx_runtime_t *rt, void **from_word, void **to_word)
{
  struct machine *from = *from_word;
  const struct machine *to = *to_word;
  (void)rt;
  from->top = registers.top;
  from->depth = registers.depth;
  registers.top = to->top;
  registers.depth = to->depth;
}

/* machines[0] is the host's, the others belong to the continuations A, B and C. */
struct machines {
  struct machine all[MACHINES];
  wasmfx_cont_t conts[MACHINES];
  wasmfx_tag_t *inner, *outer; /* [i64] -> [] */
  wasmfx_tag_t *swap;          /* [] -> [i64] */
  wasmfx_tag_t *oops;          /* [] -> [] */
  const wasmfx_handlers_t *on_inner, *on_outer, *on_swap;
};

static void push(int value)
{
  *registers.top++ = value;
}

static int pop(void)
{
  return *--registers.top;
}

/* The registers are those of machine `self`, whose stack has `values` values, at a depth of as many calls. */
static void assert_registers(const struct machines *machines, size_t self, int values)
{
  assert_ptr_equal(registers.top, machines->all[self].values + values);
  assert_int_equal(registers.depth, values);
}

/* Calls itself with a frame on the value stack for each call; in the innermost one it does `work`. */
static void call_down(wasmfx_runtime_t *rt, struct machines *machines, size_t self, int calls,
                      void (*work)(wasmfx_runtime_t *rt, struct machines *machines, size_t self))
{
  if (calls == 0) {
    work(rt, machines, self);
    return;
  }
  push((int)self * 100 + calls);
  registers.depth++;
  call_down(rt, machines, self, calls - 1, work);
  registers.depth--;
  assert_int_equal(pop(), (int)self * 100 + calls);
}

static struct world *machine_world(struct machines *machines)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.switched = exchange_registers;
  struct world *world = world_new(&config);
  wasmfx_runtime_t *rt = world->rt;
  memset(machines, 0, sizeof(*machines));
  for (size_t i = 0; i < MACHINES; i++)
    machines->all[i].top = machines->all[i].values;
  machines->inner = tag_of(rt, "l:");
  machines->outer = tag_of(rt, "l:");
  machines->swap = tag_of(rt, ":l");
  machines->oops = tag_of(rt, ":");
  machines->on_inner = HANDLERS(rt, ON_LABEL(machines->inner));
  machines->on_outer = HANDLERS(rt, ON_LABEL(machines->outer));
  machines->on_swap = HANDLERS(rt, ON_SWITCH(machines->swap));
  *wasmfx_host_word(rt) = &machines->all[0];
  registers.top = machines->all[0].values;
  registers.depth = 0;
  return world;
}

static void load(wasmfx_runtime_t *rt, struct machines *machines, size_t self, const char *signature,
                 wasmfx_word_entry_t entry)
{
  machines->conts[self] = word_cont_of(rt, signature, entry, machines);
  *wasmfx_cont_host_word(rt, machines->conts[self]) = &machines->all[self];
}

static size_t running_machine(wasmfx_runtime_t *rt, const struct machines *machines)
{
  return (size_t)((const struct machine *)*wasmfx_host_word(rt) - machines->all);
}

/* ---- Three nested continuations */

static void suspend_twice(wasmfx_runtime_t *rt, struct machines *machines, size_t self)
{
  assert_registers(machines, self, 3 * (int)self);
  assert_outcome(wasmfx_suspend_word(rt, machines->inner, 1), WASMFX_RETURNED);
  assert_registers(machines, self, 3 * (int)self);
  assert_outcome(wasmfx_suspend_word(rt, machines->outer, 2), WASMFX_RETURNED);
  assert_registers(machines, self, 3 * (int)self);
}

/* B handles what C suspends with first, nobody but the host the rest. */
static void resume_the_next(wasmfx_runtime_t *rt, struct machines *machines, size_t self)
{
  const wasmfx_handlers_t *handlers = self == 2 ? machines->on_inner : NULL;
  wasmfx_cont_t *next = &machines->conts[self + 1];
  wasmfx_outcome_t outcome = wasmfx_resume_word(rt, next, handlers, 0);
  assert_registers(machines, self, 3 * (int)self);
  if (outcome.status == WASMFX_SUSPENDED)
    outcome = wasmfx_resume_word(rt, next, handlers, 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_registers(machines, self, 3 * (int)self);
}

static uint64_t run_machine(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct machines *machines = env;
  const size_t self = running_machine(rt, machines);
  (void)from;
  assert_registers(machines, self, 0);
  call_down(rt, machines, self, 3 * (int)self, self == 3 ? suspend_twice : resume_the_next);
  assert_registers(machines, self, 0);
  return word;
}

static void a_value_stack_and_a_call_depth_follow_three_nested_continuations(void **state)
{
  struct machines machines;
  struct world *world = machine_world(&machines);
  wasmfx_runtime_t *rt = world->rt;
  (void)state;
  for (size_t self = 1; self <= 3; self++)
    load(rt, &machines, self, ":", run_machine);
  push(-1);
  registers.depth++;
  assert_outcome(wasmfx_resume_word(rt, &machines.conts[1], machines.on_outer, 0), WASMFX_SUSPENDED);
  assert_registers(&machines, 0, 1);
  for (int self = 1; self <= 3; self++)
    assert_ptr_equal(machines.all[self].top, machines.all[self].values + 3 * self); /* all three are parked */
  push(-2);
  registers.depth++; /* the host works on meanwhile */
  assert_outcome(wasmfx_resume_word(rt, &machines.conts[1], NULL, 0), WASMFX_RETURNED);
  assert_registers(&machines, 0, 2);
  assert_int_equal(pop(), -2);
  assert_int_equal(pop(), -1);
  world_free(world);
}

/* ---- A ring of switches */

enum { ROUNDS = 5 };

static wasmfx_outcome_t switch_on(wasmfx_runtime_t *rt, struct machines *machines, size_t self)
{
  const size_t next = self % 3 + 1, before = (self + 1) % 3 + 1;
  wasmfx_cont_t target = machines->conts[next];
  machines->conts[next] = WASMFX_NULL_CONT;
  const wasmfx_outcome_t outcome = wasmfx_switch(rt, &target, machines->swap, NULL, NULL, 0);
  machines->conts[before] = target; /* who switched here */
  return outcome;
}

static void go_around(wasmfx_runtime_t *rt, struct machines *machines, size_t self)
{
  for (int round = 0; round < ROUNDS; round++) {
    push(round);
    registers.depth++;
    assert_outcome(switch_on(rt, machines, self), WASMFX_RETURNED);
    assert_registers(machines, self, (int)self + round + 1);
  }
  for (int round = ROUNDS; round-- > 0; registers.depth--)
    assert_int_equal(pop(), round);
}

static void run_in_a_ring(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct machines *machines = env;
  const size_t self = running_machine(rt, machines), before = (self + 1) % 3 + 1;
  assert_registers(machines, self, 0);
  if (self != 1) /* A is resumed, by nobody of the ring */
    machines->conts[before] = args[0].contref;
  call_down(rt, machines, self, (int)self, go_around);
  assert_registers(machines, self, 0);
  results[0] = i64_value((int64_t)self);
}

static void a_value_stack_follows_a_ring_of_switches(void **state)
{
  struct machines machines;
  struct world *world = machine_world(&machines);
  wasmfx_runtime_t *rt = world->rt;
  (void)state;
  for (size_t self = 1; self <= 3; self++) {
    machines.conts[self] = cont_of(rt, "c:l", run_in_a_ring, &machines);
    *wasmfx_cont_host_word(rt, machines.conts[self]) = &machines.all[self];
  }
  const wasmfx_value_t nobody = cont_value(WASMFX_NULL_CONT);
  wasmfx_cont_t a = machines.conts[1];
  const wasmfx_outcome_t outcome = wasmfx_resume(rt, &a, machines.on_swap, &nobody, 1);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.values[0].i64, 1); /* A began, so it is the first to have gone around */
  assert_registers(&machines, 0, 0);
  assert_live(rt, 2, 2);
  for (size_t self = 2; self <= 3; self++) { /* they wait in their last switch, within their calls */
    assert_ptr_equal(machines.all[self].top, machines.all[self].values + self + ROUNDS);
    assert_int_equal(machines.all[self].depth, (int)self + ROUNDS);
    assert_status(wasmfx_drop(rt, &machines.conts[self]), WASMFX_OK);
  }
  world_free(world);
}

/* ---- Exceptions */

static void throw_oops(wasmfx_runtime_t *rt, struct machines *machines, size_t self)
{
  assert_registers(machines, self, 6);
  wasmfx_throw(rt, machines->oops, NULL, 0);
}

static uint64_t run_until_throw(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)from;
  call_down(rt, env, running_machine(rt, env), 6, throw_oops);
  return word;
}

static void let_it_through(wasmfx_runtime_t *rt, struct machines *machines, size_t self)
{
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &machines->conts[self + 1], NULL, 0);
  assert_outcome(outcome, WASMFX_THREW);
  assert_registers(machines, self, 4); /* the one that threw is gone, and its calls with it */
  wasmfx_throw_ref(rt, outcome.exception);
}

static uint64_t run_and_let_it_through(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)from;
  call_down(rt, env, running_machine(rt, env), 4, let_it_through);
  return word;
}

static void catch_it(wasmfx_runtime_t *rt, struct machines *machines, size_t self)
{
  assert_outcome(wasmfx_resume_word(rt, &machines->conts[self + 1], NULL, 0), WASMFX_THREW);
  assert_registers(machines, self, 2);
  assert_outcome(wasmfx_suspend_word(rt, machines->outer, 0), WASMFX_THREW);
  assert_registers(machines, self, 2);
}

static uint64_t run_and_catch(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)from;
  call_down(rt, env, running_machine(rt, env), 2, catch_it);
  return word;
}

static void a_value_stack_is_the_catchers_after_a_throw_out_of_nested_continuations(void **state)
{
  struct machines machines;
  struct world *world = machine_world(&machines);
  wasmfx_runtime_t *rt = world->rt;
  (void)state;
  load(rt, &machines, 1, ":", run_and_catch);
  load(rt, &machines, 2, ":", run_and_let_it_through);
  load(rt, &machines, 3, ":", run_until_throw);
  assert_outcome(wasmfx_resume_word(rt, &machines.conts[1], machines.on_outer, 0), WASMFX_SUSPENDED);
  assert_registers(&machines, 0, 0);
  assert_live(rt, 1, 1);
  assert_outcome(wasmfx_resume_throw(rt, &machines.conts[1], NULL, machines.oops, NULL, 0), WASMFX_RETURNED);
  assert_registers(&machines, 0, 0);
  world_free(world);
}

/* ---- fork ------------------------------------------------------------------------------------- */

enum { PARKED = 8 };

/* Continuations that have counted to three, each in frames of its own, when the process is copied. */
struct nursery {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *pause; /* [i64] -> [] */
  const wasmfx_handlers_t *handlers;
  wasmfx_cont_t conts[PARKED];
};

static uint64_t count_to_six(wasmfx_runtime_t *rt, void *env, uint64_t start, wasmfx_cont_t from)
{
  const struct nursery *nursery = env;
  volatile uint64_t counted[7]; /* in the frame, to be read again after the fork */
  (void)from;
  for (uint64_t i = 0; i < 6; i++) {
    counted[i] = start + i;
    wasmfx_suspend_word(rt, nursery->pause, start + i);
    if (counted[i] != start + i)
      return 0;
  }
  return start + 6;
}

static void settle_nursery(struct nursery *nursery, uint32_t guard)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.guard = guard;
  assert_status(wasmfx_runtime_new(&config, &nursery->rt), WASMFX_OK);
  nursery->pause = tag_of(nursery->rt, "l:");
  nursery->handlers = HANDLERS(nursery->rt, ON_LABEL(nursery->pause));
  for (size_t i = 0; i < PARKED; i++) {
    nursery->conts[i] = word_cont_of(nursery->rt, "l:l", count_to_six, nursery);
    for (uint64_t round = 0; round < 3; round++) {
      const wasmfx_outcome_t outcome =
        wasmfx_resume_word(nursery->rt, &nursery->conts[i], nursery->handlers, 1000 * i);
      assert_outcome(outcome, WASMFX_SUSPENDED);
      assert_int_equal(outcome.word, 1000 * i + round);
    }
  }
}

/* Lets all count to the end, and frees the runtime. Whether all went well: a child must not answer to cmocka. */
static bool bring_home(struct nursery *nursery)
{
  for (size_t i = 0; i < PARKED; i++) {
    for (uint64_t round = 3; round < 6; round++) {
      const wasmfx_outcome_t outcome = wasmfx_resume_word(nursery->rt, &nursery->conts[i], nursery->handlers, 0);
      if (outcome.status != WASMFX_SUSPENDED || outcome.word != 1000 * i + round)
        return false;
    }
    const wasmfx_outcome_t outcome = wasmfx_resume_word(nursery->rt, &nursery->conts[i], nursery->handlers, 0);
    if (outcome.status != WASMFX_RETURNED || outcome.word != 1000 * i + 6)
      return false;
  }
  size_t dropped;
  return wasmfx_runtime_free(nursery->rt, &dropped) == WASMFX_OK && dropped == 0;
}

/* How a child ends that does `work`: the status of waitpid(). */
static int in_a_child(int (*work)(struct nursery *nursery), struct nursery *nursery)
{
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(work(nursery));
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  return status;
}

static const uint32_t guards[] = { WASMFX_GUARD_LIGHT, WASMFX_GUARD_PROTECT };

static int child_brings_home(struct nursery *nursery)
{
  return bring_home(nursery) ? 0 : 1;
}

static void after_fork_parent_and_child_resume_their_own_copies(void **state)
{
  (void)state;
  if (is_left_out(WITH_THREAD_SANITIZER, "after a fork it heeds no synchronization, not even that of a switch"))
    return;
  for (size_t i = 0; i < COUNT_OF(guards); i++) {
    struct nursery nursery;
    settle_nursery(&nursery, guards[i]);
    const int status = in_a_child(child_brings_home, &nursery);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(bring_home(&nursery)); /* as if there had never been a child */
  }
}

static int child_frees(struct nursery *nursery)
{
  size_t dropped = 0;
  const bool freed = wasmfx_runtime_free(nursery->rt, &dropped) == WASMFX_OK && dropped == PARKED;
  settle_nursery(nursery, WASMFX_GUARD_AUTO); /* and may begin anew */
  return freed && bring_home(nursery) ? 0 : 1;
}

static void after_fork_a_child_may_free_the_runtime(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT_OF(guards); i++) {
    struct nursery nursery;
    settle_nursery(&nursery, guards[i]);
    const int status = in_a_child(child_frees, &nursery);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(bring_home(&nursery));
  }
}

/* What the child that overflows knows of the stack that it overflows. */
static char *guarded_low;

enum { ELSEWHERE = 3, PAGE = 4096 };

/* The fault is in the page below the stack: then it may kill. Elsewhere it is no guard that was hit. */
static void note_fault(int number, siginfo_t *info, void *context)
{
  const char *address = info->si_addr;
  (void)context;
  if (!(guarded_low - PAGE <= address && address < guarded_low))
    _exit(ELSEWHERE);
  signal(number, SIG_DFL); /* the instruction is repeated */
}

__attribute__((noinline)) static uint64_t recurse(uint64_t calls)
{
  volatile uint64_t mine[16];
  mine[0] = calls;
  return calls ? recurse(calls - 1) + mine[0] : 0;
}

static uint64_t overflow(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  void *low, *high;
  (void)env, (void)word, (void)from;
  if (wasmfx_stack_bounds(rt, &low, &high) < 0)
    return 0;
  guarded_low = low;
  return recurse(UINT64_C(1) << 40);
}

/* On a stack whose guard was made before the fork: one that has come back, with others in use on either side of it. */
static int child_overflows(struct nursery *nursery)
{
  static char alternate[64 << 10];
  const stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = note_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaltstack(&stack, NULL);
  sigaction(SIGSEGV, &action, NULL);
  wasmfx_drop(nursery->rt, &nursery->conts[PARKED / 2]);
  wasmfx_cont_t cont = word_cont_of(nursery->rt, "l:l", overflow, NULL);
  const uint64_t made = stats_of(nursery->rt).stacks_made;
  wasmfx_resume_word(nursery->rt, &cont, NULL, 0);
  return stats_of(nursery->rt).stacks_made == made ? 1 : 2;
}

static void after_fork_a_guard_still_guards_in_the_child(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT_OF(guards); i++) {
    struct nursery nursery;
    settle_nursery(&nursery, guards[i]);
    const int status = in_a_child(child_overflows, &nursery);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    assert_true(bring_home(&nursery)); /* nothing of it has reached the parent */
  }
}

/* ---- Host, continuation, host, continuation ... ------------------------------------------------ */

enum { NESTED = 64 };

/* Each level is a root of the host's with a continuation in it, which calls the host again. */
struct tower {
  wasmfx_tag_t *pause;
  const wasmfx_handlers_t *handlers;
  size_t built; /* levels that are open */
  void (*at_the_top)(wasmfx_runtime_t *rt, struct tower *tower);
  jmp_buf out;
};

static void enter_host(wasmfx_runtime_t *rt, struct tower *tower);

static uint64_t build_a_level(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct tower *tower = env;
  (void)from;
  const size_t level = ++tower->built;
  assert_int_equal(wasmfx_depth(rt), 1);
  assert_live(rt, level, level);
  if (level < NESTED)
    enter_host(rt, tower);
  else
    tower->at_the_top(rt, tower);
  assert_int_equal(tower->built, level);
  tower->built--;
  return word + level;
}

/* What a host function does. Its resume has a clause, which those inside of a further root must not see. */
static void enter_host(wasmfx_runtime_t *rt, struct tower *tower)
{
  wasmfx_scope_t scope;
  const size_t level = tower->built;
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  assert_int_equal(wasmfx_depth(rt), 0);
  assert_outcome(wasmfx_suspend_word(rt, tower->pause, 0), WASMFX_TRAP_UNHANDLED);
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", build_a_level, tower);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &cont, tower->handlers, 1000);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 1000 + level + 1);
  assert_outcome(wasmfx_suspend_word(rt, tower->pause, 0), WASMFX_TRAP_UNHANDLED);
  assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
  assert_live(rt, level, level);
}

static struct tower tower_of(wasmfx_runtime_t *rt, void (*at_the_top)(wasmfx_runtime_t *rt, struct tower *tower))
{
  struct tower tower = { .pause = tag_of(rt, "l:"), .at_the_top = at_the_top };
  tower.handlers = HANDLERS(rt, ON_LABEL(tower.pause));
  return tower;
}

static void look_around(wasmfx_runtime_t *rt, struct tower *tower)
{
  wasmfx_scope_t scope;
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  assert_outcome(wasmfx_suspend_word(rt, tower->pause, 0), WASMFX_TRAP_UNHANDLED);
  assert_outcome(wasmfx_suspend(rt, tower->pause, (wasmfx_value_t[1]){ { .word = 0 } }, 1), WASMFX_TRAP_UNHANDLED);
  assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
}

static void sixty_four_nested_roots_are_returned_through_one_by_one(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  struct tower tower = tower_of(rt, look_around);
  enter_host(rt, &tower);
  assert_int_equal(tower.built, 0);
  assert_int_equal(wasmfx_depth(rt), 0);
  assert_live(rt, 0, 0);
}

static void leap(wasmfx_runtime_t *rt, struct tower *tower)
{
  (void)rt;
  longjmp(tower->out, 1);
}

static void sixty_four_nested_roots_are_unwound_at_once_to_a_mark(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  static struct tower tower;
  tower = tower_of(rt, leap);
  wasmfx_mark_t mark;
  wasmfx_mark(rt, &mark);
  if (setjmp(tower.out) == 0)
    enter_host(rt, &tower);
  assert_int_equal(tower.built, NESTED);
  assert_status(wasmfx_runtime_free(rt, NULL), WASMFX_ERROR_STATE);
  size_t killed = 0;
  assert_status(wasmfx_unwind_to(rt, &mark, &killed), WASMFX_OK);
  assert_int_equal(killed, NESTED);
  assert_int_equal(wasmfx_depth(rt), 0);
  assert_live(rt, 0, 0);

  tower = tower_of(rt, look_around); /* and all is as at the beginning */
  enter_host(rt, &tower);
  assert_live(rt, 0, 0);
}

/* The tower is on hold while a continuation at its top is suspended into the innermost root, and outlives it. */
static wasmfx_cont_t left_behind;

static uint64_t pause_once(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct tower *tower = env;
  (void)from;
  assert_outcome(wasmfx_suspend_word(rt, tower->pause, word), WASMFX_RETURNED);
  return word;
}

static void leave_one_behind(wasmfx_runtime_t *rt, struct tower *tower)
{
  left_behind = word_cont_of(rt, "l:l", pause_once, tower);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &left_behind, tower->handlers, 7);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  longjmp(tower->out, 1);
}

static void what_was_suspended_in_a_nested_root_outlives_its_unwinding(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  static struct tower tower;
  tower = tower_of(rt, leave_one_behind);
  wasmfx_mark_t mark;
  wasmfx_mark(rt, &mark);
  if (setjmp(tower.out) == 0)
    enter_host(rt, &tower);
  size_t killed = 0;
  assert_status(wasmfx_unwind_to(rt, &mark, &killed), WASMFX_OK);
  assert_int_equal(killed, NESTED);
  assert_live(rt, 1, 1);
  assert_state(rt, left_behind, WASMFX_STATE_SUSPENDED);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(rt, &left_behind, NULL, 0);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_int_equal(outcome.word, 7);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_value_stack_and_a_call_depth_follow_three_nested_continuations),
    cmocka_unit_test(a_value_stack_follows_a_ring_of_switches),
    cmocka_unit_test(a_value_stack_is_the_catchers_after_a_throw_out_of_nested_continuations),
    cmocka_unit_test(after_fork_parent_and_child_resume_their_own_copies),
    cmocka_unit_test(after_fork_a_child_may_free_the_runtime),
    cmocka_unit_test(after_fork_a_guard_still_guards_in_the_child),
    in_a_world(sixty_four_nested_roots_are_returned_through_one_by_one),
    in_a_world(sixty_four_nested_roots_are_unwound_at_once_to_a_mark),
    in_a_world(what_was_suspended_in_a_nested_root_outlives_its_unwinding),
  };
  return cmocka_run_group_tests_name("host state", tests, NULL, NULL);
}
