/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C++ in continuations: where exceptions end that leave an entry function, how they pass with wasmfx/exceptions.hpp,
 * and what the C++ runtime keeps for a thread that should be kept for a stack.
 */
#include <wasmfx/exceptions.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "tools.h"

namespace {

bool failed;

#define CHECK(condition) check((condition), #condition, __LINE__)

void check(bool holds, const char *condition, int line)
{
  if (!holds)
    std::printf("# line %d: not so: %s\n", line, condition);
  failed = failed || !holds;
}

/* ---- Things to throw and to destroy -------------------------------------------------------- */

/* An exception that is counted: none may be left at the end of a test. */
struct Oops {
  explicit Oops(int given) : number(given) { alive++; }
  Oops(const Oops &other) : number(other.number) { alive++; }
  ~Oops() { alive--; }
  Oops &operator=(const Oops &) = default;
  int number;
  static int alive;
};
int Oops::alive;

/* Notes its letter when its scope is left. */
struct Guard {
  explicit Guard(char own) : letter(own) {}
  Guard(const Guard &) = delete;
  Guard &operator=(const Guard &) = delete;
  ~Guard() { left += letter; }
  char letter;
  static std::string left;
};
std::string Guard::left;

/* ---- A runtime, with all that the tests need ------------------------------------------------- */

struct World {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *oops, *pause;
  wasmfx_type_t *type; /* [i64] -> [i64] */
  wasmfx_handlers_t *handlers;
  wasmfx_cont_t next; /* for bodies that resume another one */

  explicit World(const wasmfx_runtime_config_t *config = nullptr) : next(WASMFX_NULL_CONT)
  {
    const wasmfx_kind_t i64 = WASMFX_I64;
    CHECK(wasmfx_runtime_new(config, &rt) == WASMFX_OK);
    CHECK(wasmfx::exception_tag_new(rt, &oops) == WASMFX_OK);
    CHECK(wasmfx_type_new(rt, &i64, 1, &i64, 1, &type) == WASMFX_OK);
    CHECK(wasmfx_tag_new(rt, type, &pause) == WASMFX_OK);
    wasmfx_clause_t clause = {};
    clause.tag = pause;
    clause.kind = WASMFX_ON_LABEL;
    CHECK(wasmfx_handlers_new(rt, &clause, 1, &handlers) == WASMFX_OK);
  }
  ~World()
  {
    size_t dropped = 0;
    CHECK(wasmfx_runtime_free(rt, &dropped) == WASMFX_OK);
    CHECK(dropped == 0);
    CHECK(Oops::alive == 0);
    CHECK(!std::current_exception());
  }
  World(const World &) = delete;
  World &operator=(const World &) = delete;

  wasmfx_cont_t bare(wasmfx_word_entry_t entry, void *env)
  {
    wasmfx_cont_t cont = WASMFX_NULL_CONT;
    CHECK(wasmfx_cont_new_word(rt, type, entry, env, &cont) == WASMFX_OK);
    return cont;
  }
  wasmfx_outcome_t resume(wasmfx_cont_t *cont, uint64_t word = 0)
  {
    return wasmfx_resume_word(rt, cont, handlers, word);
  }
  /* From inside a body. */
  uint64_t suspend(uint64_t word = 0)
  {
    return wasmfx::rethrow(wasmfx_suspend_word(rt, pause, word), oops).word;
  }
};

typedef wasmfx::throwing<wasmfx_word_entry_t> Throwing;

/* A continuation that may throw, in a scope. */
struct Body {
  Body(World *world, wasmfx_word_entry_t entry) : throwing{ entry, world, world->oops }
  {
    cont = world->bare(wasmfx::run_word, &throwing);
  }
  Throwing throwing;
  wasmfx_cont_t cont;
};

/* ---- An exception that leaves an entry function --------------------------------------------------- */

uint64_t throw_runtime_error(wasmfx_runtime_t *, void *, uint64_t, wasmfx_cont_t)
{
  throw std::runtime_error("nobody here");
}

const int good_end = 42;

[[noreturn]] void tell_what_is_current()
{
  try {
    std::rethrow_exception(std::current_exception());
  } catch (const std::runtime_error &error) {
    _exit(std::strcmp(error.what(), "nobody here") == 0 ? good_end : 1);
  } catch (...) {
    _exit(2);
  }
}

/* How a child ends that runs `work`, which does not return: its exit status, or 256 and the signal. */
int end_of_child(void (*work)())
{
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(3);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

void let_one_leave()
{
  std::set_terminate(tell_what_is_current);
  World world;
  wasmfx_cont_t cont = world.bare(throw_runtime_error, nullptr);
  try {
    world.resume(&cont);
  } catch (...) {
    _exit(4); /* it has crossed */
  }
}

uint64_t resume_the_next(wasmfx_runtime_t *, void *env, uint64_t word, wasmfx_cont_t)
{
  World *world = static_cast<World *>(env);
  try {
    world->resume(&world->next, word);
  } catch (...) {
    _exit(4);
  }
  return word;
}

void let_one_leave_inside_of_another()
{
  std::set_terminate(tell_what_is_current);
  World world;
  wasmfx_cont_t outer = world.bare(resume_the_next, &world);
  world.next = world.bare(throw_runtime_error, nullptr);
  world.resume(&outer);
}

void an_exception_that_leaves_an_entry_function_terminates()
{
  CHECK(end_of_child(let_one_leave) == good_end);
  CHECK(end_of_child(let_one_leave_inside_of_another) == good_end);
}

void let_a_noexcept_function_throw()
{
  std::set_terminate(tell_what_is_current);
  World world;
  Body body(&world, [](wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from) noexcept -> uint64_t {
    return throw_runtime_error(rt, env, word, from);
  });
  world.resume(&body.cont);
}

void what_may_not_throw_terminates_in_a_continuation_as_anywhere()
{
  CHECK(end_of_child(let_a_noexcept_function_throw) == good_end);
}

/* ---- A thread that ends ----------------------------------------------------------------------------- */

uint64_t exit_thread(wasmfx_runtime_t *, void *, uint64_t, wasmfx_cont_t)
{
  const Guard guard('B');
  pthread_exit(nullptr);
}

uint64_t guard_the_next(wasmfx_runtime_t *, void *env, uint64_t word, wasmfx_cont_t)
{
  World *world = static_cast<World *>(env);
  const Guard guard('A');
  return world->resume(&world->next, word).word;
}

void *exit_inside(void *env)
{
  World *world = static_cast<World *>(env);
  const Guard guard('H');
  wasmfx_mark_t outside;
  wasmfx_mark(world->rt, &outside);
  struct Unwinding {
    wasmfx_runtime_t *rt;
    const wasmfx_mark_t *mark;
    ~Unwinding()
    {
      size_t killed = 0;
      CHECK(wasmfx_unwind_to(rt, mark, &killed) == WASMFX_OK);
      CHECK(killed == 2);
    }
  } unwinding = { world->rt, &outside };
  Body outer(world, guard_the_next), inner(world, exit_thread); /* run_word() has a catch-all: it lets this pass */
  world->next = inner.cont;
  world->resume(&outer.cont);
  Guard::left += '!';
  (void)unwinding;
  return nullptr;
}

void a_thread_that_exits_runs_the_destructors_on_all_of_its_stacks()
{
  if (is_left_out(KNOWS_ONE_STACK_A_THREAD, "it takes the stack that a thread ends on for the thread\'s"))
    return;
  World world;
  pthread_t thread;
  Guard::left.clear();
  CHECK(pthread_create(&thread, nullptr, exit_inside, &world) == 0);
  CHECK(pthread_join(thread, nullptr) == 0);
  CHECK(Guard::left == "BAH");
}

/* ---- Out of a body ------------------------------------------------------------------------------------ */

uint64_t throw_oops(wasmfx_runtime_t *, void *, uint64_t word, wasmfx_cont_t)
{
  const Guard guard('C');
  throw Oops(static_cast<int>(word));
}

void an_exception_passes_from_a_body_to_its_resumer()
{
  World world;
  Guard::left.clear();
  Body body(&world, throw_oops);
  const wasmfx_outcome_t outcome = world.resume(&body.cont, 7);
  CHECK(outcome.status == WASMFX_THREW);
  CHECK(outcome.exception->tag == world.oops);
  CHECK(body.cont == WASMFX_NULL_CONT);
  CHECK(Guard::left == "C");
  CHECK(!std::current_exception()); /* the catch block is left */
  try {
    wasmfx::rethrow(outcome, world.oops);
    CHECK(!"thrown");
  } catch (const Oops &oops) {
    CHECK(oops.number == 7);
  }
}

void throw_from_values(wasmfx_runtime_t *, void *, const wasmfx_value_t *args, wasmfx_value_t *)
{
  throw Oops(static_cast<int>(args[0].i64));
}

void an_exception_passes_from_a_body_of_the_general_form()
{
  World world;
  wasmfx::throwing<wasmfx_entry_t> body = { throw_from_values, nullptr, world.oops };
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  wasmfx_value_t value = wasmfx_value_t();
  value.i64 = 8;
  CHECK(wasmfx_cont_new(world.rt, world.type, wasmfx::run, &body, &cont) == WASMFX_OK);
  try {
    wasmfx::rethrow(wasmfx_resume(world.rt, &cont, nullptr, &value, 1), world.oops);
    CHECK(!"thrown");
  } catch (const Oops &oops) {
    CHECK(oops.number == 8);
  }
}

uint64_t return_twice(wasmfx_runtime_t *, void *env, uint64_t word, wasmfx_cont_t)
{
  return 2 * static_cast<World *>(env)->suspend(word);
}

void a_body_that_does_not_throw_returns_as_ever()
{
  World world;
  Body body(&world, return_twice);
  wasmfx_outcome_t outcome = wasmfx::rethrow(world.resume(&body.cont, 5), world.oops);
  CHECK(outcome.status == WASMFX_SUSPENDED && outcome.word == 5);
  outcome = wasmfx::rethrow(world.resume(&body.cont, 6), world.oops);
  CHECK(outcome.status == WASMFX_RETURNED && outcome.word == 12);
}

/* Each level resumes the next and lets pass what comes out of it. */
uint64_t pass_on(wasmfx_runtime_t *, void *env, uint64_t word, wasmfx_cont_t)
{
  World *world = static_cast<World *>(env);
  const Guard guard(word == 2 ? 'A' : 'B');
  Body inner(world, word == 2 ? pass_on : throw_oops);
  return wasmfx::rethrow(world->resume(&inner.cont, word - 1), world->oops).word;
}

void an_exception_passes_through_three_nested_continuations()
{
  World world;
  Guard::left.clear();
  Body body(&world, pass_on);
  try {
    wasmfx::rethrow(world.resume(&body.cont, 2), world.oops);
    CHECK(!"thrown");
  } catch (const Oops &oops) {
    CHECK(oops.number == 0);
    CHECK(Oops::alive == 1); /* the same object all the way */
  }
  CHECK(Guard::left == "CBA");
}

void what_is_taken_and_not_thrown_again_is_freed()
{
  World world;
  Body body(&world, throw_oops);
  const wasmfx_outcome_t outcome = world.resume(&body.cont, 1);
  CHECK(Oops::alive == 1);
  CHECK(wasmfx::take(outcome, world.oops) != nullptr);
  CHECK(Oops::alive == 0);
}

uint64_t throw_another_tag(wasmfx_runtime_t *rt, void *env, uint64_t, wasmfx_cont_t)
{
  wasmfx_throw(rt, static_cast<const wasmfx_tag_t *>(env), nullptr, 0);
  return 0;
}

void exceptions_that_are_not_of_cxx_stay_in_the_outcome()
{
  World world;
  wasmfx_tag_t *other = nullptr;
  CHECK(wasmfx::exception_tag_new(world.rt, &other) == WASMFX_OK); /* alike, but another */
  Throwing throwing = { throw_another_tag, other, world.oops };
  wasmfx_cont_t cont = world.bare(wasmfx::run_word, &throwing);
  const wasmfx_outcome_t outcome = wasmfx::rethrow(world.resume(&cont), world.oops);
  CHECK(outcome.status == WASMFX_THREW && outcome.exception->tag == other);
  CHECK(wasmfx::take(outcome, world.oops) == nullptr);
}

uint64_t throw_with_scopes_open(wasmfx_runtime_t *rt, void *, uint64_t word, wasmfx_cont_t)
{
  wasmfx_scope_t barrier, root;
  CHECK(wasmfx_barrier_enter(rt, &barrier) == WASMFX_OK);
  CHECK(wasmfx_root_enter(rt, &root) == WASMFX_OK);
  throw Oops(static_cast<int>(word));
}

void an_exception_closes_the_scopes_that_it_leaves()
{
  World world;
  Body body(&world, throw_with_scopes_open);
  const wasmfx_outcome_t outcome = world.resume(&body.cont, 9);
  CHECK(outcome.status == WASMFX_THREW);
  CHECK(wasmfx_depth(world.rt) == 0);
  CHECK(wasmfx::take(outcome, world.oops) != nullptr);
}

/* ---- Into a body ----------------------------------------------------------------------------------------- */

uint64_t catch_and_go_on(wasmfx_runtime_t *, void *env, uint64_t word, wasmfx_cont_t)
{
  World *world = static_cast<World *>(env);
  int caught = 0;
  for (;;) {
    try {
      return world->suspend(word) + static_cast<uint64_t>(caught);
    } catch (const Oops &oops) {
      caught += oops.number;
    }
  }
}

void an_exception_is_caught_at_the_suspension_that_it_wakes()
{
  World world;
  Body body(&world, catch_and_go_on);
  CHECK(world.resume(&body.cont).status == WASMFX_SUSPENDED);
  for (int i = 1; i <= 3; i++) {
    const std::exception_ptr exception = std::make_exception_ptr(Oops(i));
    CHECK(wasmfx::resume_throw(world.rt, &body.cont, world.handlers, world.oops, exception).status ==
          WASMFX_SUSPENDED);
  }
  const wasmfx_outcome_t outcome = world.resume(&body.cont, 100);
  CHECK(outcome.status == WASMFX_RETURNED && outcome.word == 106);
}

uint64_t suspend_with_a_guard(wasmfx_runtime_t *, void *env, uint64_t word, wasmfx_cont_t)
{
  const Guard guard('S');
  return static_cast<World *>(env)->suspend(word);
}

void an_exception_that_a_body_does_not_catch_comes_back_out()
{
  World world;
  Guard::left.clear();
  Body body(&world, suspend_with_a_guard);
  CHECK(world.resume(&body.cont).status == WASMFX_SUSPENDED);
  const std::exception_ptr exception = std::make_exception_ptr(Oops(4));
  const wasmfx_outcome_t outcome = wasmfx::resume_throw(world.rt, &body.cont, nullptr, world.oops, exception);
  CHECK(outcome.status == WASMFX_THREW);
  CHECK(wasmfx::take(outcome, world.oops) == exception); /* not a copy */
  CHECK(Guard::left == "S");
}

void an_exception_into_a_fresh_continuation_comes_back_at_once()
{
  World world;
  Body body(&world, throw_oops);
  const std::exception_ptr exception = std::make_exception_ptr(Oops(4));
  const wasmfx_outcome_t outcome = wasmfx::resume_throw(world.rt, &body.cont, nullptr, world.oops, exception);
  CHECK(outcome.status == WASMFX_THREW);
  CHECK(wasmfx::take(outcome, world.oops) == exception);
}

void an_exception_that_cannot_be_sent_stays_the_senders()
{
  World world;
  const std::exception_ptr exception = std::make_exception_ptr(Oops(4));
  wasmfx_cont_t null = WASMFX_NULL_CONT;
  CHECK(wasmfx::resume_throw(world.rt, &null, nullptr, world.oops, exception).status == WASMFX_TRAP_NULL_CONT);
  CHECK(Oops::alive == 1);
}

/* ---- Without memory -------------------------------------------------------------------------------------- */

bool no_memory;

void memory_that_is_short_arrives_as_bad_alloc()
{
  World world;
  Body body(&world, throw_oops);
  no_memory = true; /* for boxes, see operator new below */
  const wasmfx_outcome_t outcome = world.resume(&body.cont, 1);
  no_memory = false;
  CHECK(Oops::alive == 0);
  try {
    wasmfx::rethrow(outcome, world.oops);
    CHECK(!"thrown");
  } catch (const std::bad_alloc &) {
  }
  no_memory = true;
  wasmfx_cont_t null = WASMFX_NULL_CONT;
  CHECK(wasmfx::resume_throw(world.rt, &null, nullptr, world.oops, nullptr).status == WASMFX_ERROR_NO_MEMORY);
  no_memory = false;
}

/* ---- Suspending while catching -------------------------------------------------------------------------- */

int number_of_current()
{
  try {
    throw;
  } catch (const Oops &oops) {
    return oops.number;
  }
}

/* Catches one and suspends twice in the catch block; what it says is who it sees being caught. */
uint64_t suspend_in_a_catch_block(wasmfx_runtime_t *, void *env, uint64_t number, wasmfx_cont_t)
{
  World *world = static_cast<World *>(env);
  try {
    throw Oops(static_cast<int>(number));
  } catch (const Oops &) {
    world->suspend(static_cast<uint64_t>(number_of_current()));
    world->suspend(static_cast<uint64_t>(number_of_current()));
  }
  return 0;
}

/* The second one ends first: in another order the mixed-up list would be freed wrongly. */
void without_a_hook_a_catch_block_sees_the_exception_of_another()
{
  World world;
  Body a(&world, suspend_in_a_catch_block), b(&world, suspend_in_a_catch_block);
  CHECK(world.resume(&a.cont, 1).word == 1);
  CHECK(std::current_exception() != nullptr); /* the host catches nothing, and yet */
  CHECK(world.resume(&b.cont, 2).word == 2);
  CHECK(world.resume(&a.cont).word == 2); /* wrong: it is catching 1 */
  CHECK(world.resume(&b.cont).word == 2);
  CHECK(world.resume(&b.cont).status == WASMFX_RETURNED);
  CHECK(world.resume(&a.cont).status == WASMFX_RETURNED);
}

void exchange_lists(wasmfx_runtime_t *, void **from, void **to)
{
  wasmfx::exchange(static_cast<wasmfx::catching *>(*from), static_cast<wasmfx::catching *>(*to));
}

/* A world in which each side catches for itself. */
struct ExchangingWorld : World {
  ExchangingWorld() : World(config()) { *wasmfx_host_word(rt) = &lists[0]; }
  static const wasmfx_runtime_config_t *config()
  {
    static wasmfx_runtime_config_t config;
    wasmfx_runtime_config_init(&config);
    config.switched = exchange_lists;
    return &config;
  }
  void give_list(wasmfx_cont_t cont, size_t which) { *wasmfx_cont_host_word(rt, cont) = &lists[which]; }
  wasmfx::catching lists[4] = {};
};

void with_the_hook_each_catch_block_sees_its_own_exception_in_any_order()
{
  for (int first = 0; first < 2; first++) {
    ExchangingWorld world;
    Body a(&world, suspend_in_a_catch_block), b(&world, suspend_in_a_catch_block);
    world.give_list(a.cont, 1);
    world.give_list(b.cont, 2);
    CHECK(world.resume(&a.cont, 1).word == 1);
    CHECK(!std::current_exception());
    CHECK(world.resume(&b.cont, 2).word == 2);
    CHECK(world.resume(&a.cont).word == 1);
    CHECK(world.resume(&b.cont).word == 2);
    CHECK(Oops::alive == 2);
    Body &ends_first = first ? b : a, &ends_last = first ? a : b;
    CHECK(world.resume(&ends_first.cont).status == WASMFX_RETURNED);
    CHECK(Oops::alive == 1);
    CHECK(world.resume(&ends_last.cont).status == WASMFX_RETURNED);
    CHECK(Oops::alive == 0);
  }
}

void with_the_hook_the_host_may_be_catching_itself()
{
  ExchangingWorld world;
  Body a(&world, suspend_in_a_catch_block), thrower(&world, throw_oops);
  world.give_list(a.cont, 1);
  world.give_list(thrower.cont, 2);
  try {
    throw Oops(50);
  } catch (const Oops &) {
    CHECK(world.resume(&a.cont, 1).word == 1);
    CHECK(number_of_current() == 50);
    CHECK(wasmfx::take(world.resume(&thrower.cont, 3), world.oops) != nullptr);
    CHECK(number_of_current() == 50);
  }
  CHECK(world.resume(&a.cont).word == 1);
  CHECK(world.resume(&a.cont).status == WASMFX_RETURNED);
}

/* Suspends from a destructor that an exception has called: there is one on its way, on this stack. */
struct SuspendsWhenLeft {
  World *world;
  ~SuspendsWhenLeft() { wasmfx_suspend_word(world->rt, world->pause, 0); }
};

uint64_t suspend_on_the_way(wasmfx_runtime_t *, void *env, uint64_t word, wasmfx_cont_t)
{
  const SuspendsWhenLeft left = { static_cast<World *>(env) };
  throw Oops(static_cast<int>(word));
}

void resume_on_the_way(World *world, Body *body, bool host_sees_it)
{
  CHECK(world->resume(&body->cont, 3).status == WASMFX_SUSPENDED);
  CHECK(std::uncaught_exception() == host_sees_it);
  const wasmfx_outcome_t outcome = world->resume(&body->cont);
  CHECK(outcome.status == WASMFX_THREW);
  CHECK(!std::uncaught_exception());
  try {
    wasmfx::rethrow(outcome, world->oops);
  } catch (const Oops &oops) {
    CHECK(oops.number == 3);
  }
}

void with_the_hook_an_exception_on_its_way_is_its_own_stacks_only()
{
  {
    World world;
    Body body(&world, suspend_on_the_way);
    resume_on_the_way(&world, &body, true);
  }
  ExchangingWorld world;
  Body body(&world, suspend_on_the_way);
  world.give_list(body.cont, 1);
  resume_on_the_way(&world, &body, false);
}

/* ---- All of them ------------------------------------------------------------------------------------------- */

struct Test {
  const char *name;
  void (*run)();
};

#define TEST(function) { #function, function }

const Test tests[] = {
  TEST(an_exception_that_leaves_an_entry_function_terminates),
  TEST(what_may_not_throw_terminates_in_a_continuation_as_anywhere),
  TEST(a_thread_that_exits_runs_the_destructors_on_all_of_its_stacks),
  TEST(an_exception_passes_from_a_body_to_its_resumer),
  TEST(an_exception_passes_from_a_body_of_the_general_form),
  TEST(a_body_that_does_not_throw_returns_as_ever),
  TEST(an_exception_passes_through_three_nested_continuations),
  TEST(what_is_taken_and_not_thrown_again_is_freed),
  TEST(exceptions_that_are_not_of_cxx_stay_in_the_outcome),
  TEST(an_exception_closes_the_scopes_that_it_leaves),
  TEST(an_exception_is_caught_at_the_suspension_that_it_wakes),
  TEST(an_exception_that_a_body_does_not_catch_comes_back_out),
  TEST(an_exception_into_a_fresh_continuation_comes_back_at_once),
  TEST(an_exception_that_cannot_be_sent_stays_the_senders),
  TEST(memory_that_is_short_arrives_as_bad_alloc),
  TEST(without_a_hook_a_catch_block_sees_the_exception_of_another),
  TEST(with_the_hook_each_catch_block_sees_its_own_exception_in_any_order),
  TEST(with_the_hook_the_host_may_be_catching_itself),
  TEST(with_the_hook_an_exception_on_its_way_is_its_own_stacks_only),
};

} // namespace

/* Boxes are what is allocated without throwing. */
void *operator new(std::size_t bytes, const std::nothrow_t &) noexcept
{
  return no_memory ? nullptr : std::malloc(bytes);
}
void *operator new(std::size_t bytes)
{
  void *memory = std::malloc(bytes);
  if (!memory)
    throw std::bad_alloc();
  return memory;
}
void operator delete(void *memory) noexcept
{
  std::free(memory);
}

int main()
{
  bool any_failed = false;
  int count = 0;
  for (const Test &test : tests) {
    failed = false;
    test.run();
    std::printf("%s %d - %s\n", failed ? "not ok" : "ok", ++count, test.name);
    any_failed = any_failed || failed;
  }
  std::printf("1..%d\n", count);
  return any_failed;
}
