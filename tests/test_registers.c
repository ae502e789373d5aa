/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a switch keeps: the callee-saved registers, and the control words of floating point where that is asked for.
 * The fortified longjmp takes a jump to another stack for an error.
 */
#undef _FORTIFY_SOURCE
#include "support.h"
#include "jump.h"

#include <setjmp.h>
#include <string.h>

#if !defined(__x86_64__)
#error "these are the registers of x86-64: a port brings its own test"
#endif

/* ---- Callee-saved registers ------------------------------------------------------- */

/** rbx, rbp, r12, r13, r14, r15. */
struct registers {
  uint64_t saved[6];
};

/** Calls `function(argument)` with the registers of `set`, and stores in `after` what they are when it returns. */
void call_with_registers(const struct registers *set, void (*function)(void *), void *argument,
                         struct registers *after);

__asm__(".text\n"
        ".globl call_with_registers\n"
        ".hidden call_with_registers\n"
        ".type call_with_registers, @function\n"
        "call_with_registers:\n"
        "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "  push %rcx\n" /* `after`; the stack is aligned for the call now */
        "  mov %rsi, %rax\n"
        "  mov %rdi, %rsi\n"
        "  mov %rdx, %rdi\n"
        "  mov (%rsi), %rbx\n"
        "  mov 8(%rsi), %rbp\n"
        "  mov 16(%rsi), %r12\n"
        "  mov 24(%rsi), %r13\n"
        "  mov 32(%rsi), %r14\n"
        "  mov 40(%rsi), %r15\n"
        "  call *%rax\n"
        "  pop %rcx\n"
        "  mov %rbx, (%rcx)\n"
        "  mov %rbp, 8(%rcx)\n"
        "  mov %r12, 16(%rcx)\n"
        "  mov %r13, 24(%rcx)\n"
        "  mov %r14, 32(%rcx)\n"
        "  mov %r15, 40(%rcx)\n"
        "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "  ret\n"
        ".size call_with_registers, . - call_with_registers\n");

static uint64_t seed = 0x9e3779b97f4a7c15;

/** Calls `function` with random registers, and checks that it has kept them. */
static void call_and_check(void (*function)(void *), void *argument)
{
  struct registers set, after;
  for (size_t i = 0; i < COUNT_OF(set.saved); i++)
    set.saved[i] = random_word(&seed);
  memset(&after, 0, sizeof(after));
  call_with_registers(&set, function, argument, &after);
  assert_memory_equal(&after, &set, sizeof(set));
}

enum { ROUNDS = 2000 };

/** Two sides that suspend, resume and switch, each with registers of its own. */
struct game {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *pause, *swap; /* [] -> [i64], [] -> [i64] */
  wasmfx_type_t *wait;
  const wasmfx_handlers_t *handlers;
  wasmfx_cont_t cont, peer;
  wasmfx_outcome_t outcome;
  bool general;
  size_t levels;
};

static void resume_step(void *env)
{
  struct game *game = env;
  const wasmfx_value_t slot = i64_value(3);
  game->outcome = game->general ? wasmfx_resume(game->rt, &game->cont, game->handlers, &slot, 1)
                                : wasmfx_resume_word(game->rt, &game->cont, game->handlers, 3);
}

static void suspend_step(void *env)
{
  struct game *game = env;
  const wasmfx_outcome_t woken = game->general ? wasmfx_suspend(game->rt, game->pause, NULL, 0)
                                               : wasmfx_suspend_word(game->rt, game->pause, 0);
  assert_outcome(woken, WASMFX_RETURNED);
}

static uint64_t suspend_many_times(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)from;
  for (int i = 0; i < ROUNDS; i++)
    call_and_check(suspend_step, env);
  return word;
}

static void game_init(struct game *game, wasmfx_runtime_t *rt)
{
  memset(game, 0, sizeof(*game));
  game->rt = rt;
  game->pause = tag_of(rt, ":l");
  game->swap = tag_of(rt, ":l");
  game->wait = type_of(rt, "lc:l");
  game->handlers = HANDLERS(rt, ON_LABEL(game->pause), ON_SWITCH(game->swap));
}

static void play(struct game *game, wasmfx_word_entry_t body)
{
  game->cont = word_cont_of(game->rt, "l:l", body, game);
  for (int i = 0; i < ROUNDS; i++) {
    call_and_check(resume_step, game);
    assert_outcome(game->outcome, WASMFX_SUSPENDED);
  }
  call_and_check(resume_step, game);
  assert_outcome(game->outcome, WASMFX_RETURNED);
}

static void resume_and_suspend_keep_the_registers_of_both_sides(void **state)
{
  struct game game;
  game_init(&game, runtime_of(state));
  for (int general = 0; general <= 1; general++) {
    game.general = general;
    play(&game, suspend_many_times);
  }
}

static void resume_inner_step(void *env)
{
  struct game *game = env;
  wasmfx_cont_t inner = word_cont_of(game->rt, "l:l", suspend_many_times, env);
  assert_outcome(wasmfx_resume_word(game->rt, &inner, NULL, 1), WASMFX_RETURNED);
}

static uint64_t wait_for_another(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)from;
  call_and_check(resume_inner_step, env);
  return word;
}

static void a_captured_chain_keeps_the_registers_of_all_its_members(void **state)
{
  struct game game;
  game_init(&game, runtime_of(state));
  for (int general = 0; general <= 1; general++) {
    game.general = general;
    play(&game, wait_for_another);
  }
}

static void switch_step(void *env)
{
  struct game *game = env;
  wasmfx_cont_t target = game->peer;
  const wasmfx_value_t slot = i64_value(3);
  const wasmfx_outcome_t woken =
    game->general ? wasmfx_switch(game->rt, &target, game->swap, game->wait, &slot, 1)
                  : wasmfx_switch_word(game->rt, &target, game->swap, game->wait, 3);
  assert_outcome(woken, WASMFX_RETURNED);
  game->peer = target;
}

static uint64_t switch_back_for_ever(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct game *game = env;
  (void)rt;
  game->peer = from;
  for (;;)
    call_and_check(switch_step, env);
  return word;
}

static uint64_t switch_many_times(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct game *game = env;
  (void)from;
  game->peer = word_cont_of(rt, "lc:l", switch_back_for_ever, env);
  for (int i = 0; i < ROUNDS; i++)
    call_and_check(switch_step, env);
  return word;
}

static void switch_keeps_the_registers_of_both_sides(void **state)
{
  struct game game;
  game_init(&game, runtime_of(state));
  for (int general = 0; general <= 1; general++) {
    game.general = general;
    game.cont = word_cont_of(game.rt, "l:l", switch_many_times, &game);
    call_and_check(resume_step, &game);
    assert_outcome(game.outcome, WASMFX_RETURNED);
    assert_status(wasmfx_drop(game.rt, &game.peer), WASMFX_OK);
  }
}

static uint64_t throw_or_trap(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct game *game = env;
  (void)from;
  if (game->levels)
    wasmfx_trap(rt, 1);
  wasmfx_throw(rt, tag_of(rt, ":"), NULL, 0);
  return word;
}

static void the_resumer_keeps_its_registers_whatever_the_end(void **state)
{
  struct game game;
  game_init(&game, runtime_of(state));
  for (game.levels = 0; game.levels <= 1; game.levels++)
    for (int i = 0; i < 100; i++) {
      game.cont = word_cont_of(game.rt, "l:l", throw_or_trap, &game);
      call_and_check(resume_step, &game);
      assert_outcome(game.outcome, game.levels ? WASMFX_TRAPPED : WASMFX_THREW);
    }
}

static void failing_step(void *env)
{
  struct game *game = env;
  wasmfx_cont_t null = WASMFX_NULL_CONT;
  assert_outcome(wasmfx_resume_word(game->rt, &null, NULL, 0), WASMFX_TRAP_NULL_CONT);
  assert_outcome(wasmfx_suspend_word(game->rt, game->pause, 0), WASMFX_TRAP_UNHANDLED);
  assert_outcome(wasmfx_switch_word(game->rt, &null, game->swap, NULL, 0), WASMFX_TRAP_NULL_CONT);
}

static void a_failing_verb_keeps_the_registers(void **state)
{
  struct game game;
  game_init(&game, runtime_of(state));
  for (int i = 0; i < 100; i++)
    call_and_check(failing_step, &game);
}

/* ---- The stack that a body starts on ------------------------------------------------------ */

static uint64_t look_at_the_stack(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  void *low, *high;
  _Alignas(32) volatile char aligned[32];
  (void)env, (void)from;
  aligned[0] = 1;
  assert_int_equal((uintptr_t)aligned % 32, 0);
  assert_int_equal((uintptr_t)__builtin_frame_address(0) % 16, 0); /* the convention: aligned at the call */
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  const char *here = __builtin_frame_address(0); /* not of a variable: sanitizers may keep those elsewhere */
  assert_true((char *)low < here && here < (char *)high);
  assert_true((size_t)((char *)high - (char *)low) >= 60000);
  return word;
}

/* A function that asks for its frame has one, which begins with the caller's frame pointer. */
static uint64_t look_at_the_frame_pointer(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  void *const *frame = __builtin_frame_address(0);
  (void)rt, (void)env, (void)from;
  assert_null(*frame);
  return word;
}

static void start_one(void *env)
{
  struct game *game = env;
  game->outcome = wasmfx_resume_word(game->rt, &game->cont, game->handlers, 0);
}

static void the_chain_of_frame_pointers_ends_with_the_body(void **state)
{
  struct game game;
  game_init(&game, runtime_of(state));
  for (int i = 0; i < 10; i++) {
    game.cont = word_cont_of(game.rt, ":", look_at_the_frame_pointer, NULL);
    call_and_check(start_one, &game);
    assert_outcome(game.outcome, WASMFX_RETURNED);
  }
}

static void a_body_starts_on_an_aligned_stack_of_its_own(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  for (int i = 0; i < 40; i++) {
    wasmfx_cont_t cont = word_cont_of(rt, ":", look_at_the_stack, NULL);
    assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 0), WASMFX_RETURNED);
  }
}

/* ---- Control words ------------------------------------------------------------------------ */

struct float_control {
  uint32_t mxcsr;
  uint16_t x87;
};

static struct float_control read_float_control(void)
{
  struct float_control control;
  __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(control.mxcsr), "=m"(control.x87));
  return control;
}

static void write_float_control(struct float_control control)
{
  __asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(control.mxcsr), "m"(control.x87));
}

static const struct float_control defaults = { 0x1f80, 0x037f };
static const struct float_control toward_zero = { 0x1f80 | 3u << 13, 0x037f | 3u << 10 };
static const struct float_control upward = { 0x1f80 | 2u << 13 | 1u << 15, 0x027f | 2u << 10 };
static const struct float_control downward_unmasked = { 0x1d00 | 1u << 13, 0x0373 | 1u << 10 };

/** The control bits; what was raised by arithmetic in between does not count. */
static bool has_float_control(struct float_control expected)
{
  const struct float_control now = read_float_control();
  return (now.mxcsr & ~0x3fu) == (expected.mxcsr & ~0x3fu) && now.x87 == expected.x87;
}

/** Who changes its control words while others run. Checks are kept until all is back to normal. */
struct floats {
  wasmfx_tag_t *pause, *swap;
  wasmfx_type_t *wait;
  const wasmfx_handlers_t *handlers;
  struct float_control at_start, at_switch;
  bool kept;
  wasmfx_cont_t peer;
};

static uint64_t change_and_suspend(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct floats *floats = env;
  (void)from;
  floats->at_start = read_float_control();
  write_float_control(upward);
  wasmfx_suspend_word(rt, floats->pause, 0);
  floats->kept = has_float_control(upward);
  write_float_control(downward_unmasked);
  wasmfx_suspend(rt, floats->pause, NULL, 0);
  floats->kept &= has_float_control(downward_unmasked);
  return word;
}

static uint64_t note_and_switch_back(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct floats *floats = env;
  floats->at_switch = read_float_control();
  write_float_control(downward_unmasked);
  wasmfx_switch_word(rt, &from, floats->swap, floats->wait, word);
  fail_msg("this one is dropped");
  return word;
}

static uint64_t change_and_switch(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct floats *floats = env;
  wasmfx_cont_t peer = word_cont_of(rt, "lc:l", note_and_switch_back, env);
  (void)from;
  write_float_control(upward);
  wasmfx_switch_word(rt, &peer, floats->swap, floats->wait, word);
  floats->kept = has_float_control(upward);
  floats->peer = peer;
  return word;
}

static struct world *float_world(struct floats *floats, uint32_t float_control)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.float_control = float_control;
  struct world *world = world_new(&config);
  memset(floats, 0, sizeof(*floats));
  floats->pause = tag_of(world->rt, ":l");
  floats->swap = tag_of(world->rt, ":l");
  floats->wait = type_of(world->rt, "lc:l");
  floats->handlers = HANDLERS(world->rt, ON_LABEL(floats->pause), ON_SWITCH(floats->swap));
  return world;
}

static bool has_no_control_words(void)
{
  return is_left_out(under_valgrind(), "of the control words it keeps the rounding only");
}

static void with_float_control_each_continuation_has_control_words_of_its_own(void **state)
{
  if (has_no_control_words())
    return;
  struct floats floats;
  struct world *world = float_world(&floats, 1);
  wasmfx_cont_t cont = word_cont_of(world->rt, ":l", change_and_suspend, &floats);
  wasmfx_outcome_t outcomes[3];
  bool kept = true;
  (void)state;
  write_float_control(toward_zero);
  for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
    outcomes[i] = wasmfx_resume_word(world->rt, &cont, floats.handlers, 0);
    kept &= has_float_control(toward_zero);
  }
  write_float_control(defaults);
  assert_outcome(outcomes[0], WASMFX_SUSPENDED);
  assert_outcome(outcomes[1], WASMFX_SUSPENDED);
  assert_outcome(outcomes[2], WASMFX_RETURNED);
  assert_true(kept);
  assert_true(floats.kept);
  assert_int_equal(floats.at_start.mxcsr, defaults.mxcsr);
  assert_int_equal(floats.at_start.x87, defaults.x87);
  world_free(world);
}

static void with_float_control_a_switch_keeps_them_too(void **state)
{
  if (has_no_control_words())
    return;
  struct floats floats;
  struct world *world = float_world(&floats, 1);
  wasmfx_cont_t cont = word_cont_of(world->rt, ":l", change_and_switch, &floats);
  (void)state;
  write_float_control(toward_zero);
  const wasmfx_outcome_t outcome = wasmfx_resume_word(world->rt, &cont, floats.handlers, 0);
  const bool kept = has_float_control(toward_zero);
  write_float_control(defaults);
  assert_outcome(outcome, WASMFX_RETURNED);
  assert_true(kept);
  assert_true(floats.kept);
  assert_int_equal(floats.at_switch.mxcsr, defaults.mxcsr);
  assert_int_equal(floats.at_switch.x87, defaults.x87);
  assert_status(wasmfx_drop(world->rt, &floats.peer), WASMFX_OK);
  world_free(world);
}

/** A recycled stack and object must not show the control words of who had them before. */
static void with_float_control_each_start_has_the_defaults(void **state)
{
  struct floats floats;
  struct world *world = float_world(&floats, 1);
  (void)state;
  for (int i = 0; i < 50; i++) {
    wasmfx_cont_t cont = word_cont_of(world->rt, ":l", change_and_suspend, &floats);
    assert_outcome(wasmfx_resume_word(world->rt, &cont, floats.handlers, 0), WASMFX_SUSPENDED);
    assert_int_equal(floats.at_start.mxcsr, defaults.mxcsr);
    assert_int_equal(floats.at_start.x87, defaults.x87);
    assert_status(wasmfx_drop(world->rt, &cont), WASMFX_OK);
  }
  world_free(world);
}

static uint64_t change_and_end(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  write_float_control(upward);
  if (word == 1)
    wasmfx_throw(rt, env, NULL, 0);
  if (word == 2)
    wasmfx_trap(rt, 0);
  return word;
}

static void with_float_control_the_resumer_gets_its_own_back_whatever_the_end(void **state)
{
  struct floats floats;
  struct world *world = float_world(&floats, 1);
  wasmfx_tag_t *oops = tag_of(world->rt, ":");
  (void)state;
  for (uint64_t end = 0; end <= 2; end++) {
    wasmfx_cont_t cont = word_cont_of(world->rt, "l:l", change_and_end, oops);
    write_float_control(toward_zero);
    wasmfx_resume_word(world->rt, &cont, NULL, end);
    const bool kept = has_float_control(toward_zero);
    write_float_control(defaults);
    assert_true(kept);
  }
  world_free(world);
}

/** Who changes its control words and jumps over `levels` resumes, and who finds its own after the unwinding. */
struct jump {
  jmp_buf out;
  wasmfx_mark_t mark;
  size_t levels, killed;
  bool kept;
};

static uint64_t change_and_jump(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct jump *jump = env;
  (void)from;
  write_float_control(upward);
  if (word == 1)
    longjmp(jump->out, 1);
  wasmfx_cont_t inner = word_cont_of(rt, "l:l", change_and_jump, env);
  return wasmfx_resume_word(rt, &inner, NULL, word - 1).word;
}

/** Is a continuation's body, and is called by the host as well. */
static uint64_t be_jumped_to(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct jump *jump = env;
  (void)from;
  wasmfx_mark(rt, &jump->mark);
  write_float_control(toward_zero);
  if (setjmp(jump->out) == 0) {
    wasmfx_cont_t cont = word_cont_of(rt, "l:l", change_and_jump, env);
    wasmfx_resume_word(rt, &cont, NULL, jump->levels);
  }
  const wasmfx_status_t status = wasmfx_unwind_to(rt, &jump->mark, &jump->killed);
  jump->kept = has_float_control(toward_zero);
  write_float_control(defaults);
  assert_status(status, WASMFX_OK);
  return word;
}

static void with_float_control_who_is_unwound_to_gets_its_own_back(void **state)
{
  struct floats floats;
  struct world *world = float_world(&floats, 1);
  struct jump jump;
  (void)state;
  for (jump.levels = 1; jump.levels <= 3; jump.levels++)
    for (int inside = 0; inside <= 1; inside++) {
      jump.kept = false;
      if (inside) {
        wasmfx_cont_t cont = word_cont_of(world->rt, "l:l", be_jumped_to, &jump);
        assert_outcome(wasmfx_resume_word(world->rt, &cont, NULL, 0), WASMFX_RETURNED);
      } else {
        be_jumped_to(world->rt, &jump, 0, WASMFX_NULL_CONT);
      }
      assert_int_equal(jump.killed, jump.levels);
      assert_true(jump.kept);
      assert_live(world->rt, 0, 0);
    }
  world_free(world);
}

static void without_float_control_the_control_words_are_shared_as_among_plain_calls(void **state)
{
  if (has_no_control_words())
    return;
  struct floats floats;
  struct world *world = float_world(&floats, 0);
  wasmfx_cont_t cont = word_cont_of(world->rt, ":l", change_and_suspend, &floats);
  (void)state;
  write_float_control(toward_zero);
  wasmfx_outcome_t outcome = wasmfx_resume_word(world->rt, &cont, floats.handlers, 0);
  const bool seen_here = has_float_control(upward);
  write_float_control(defaults);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  assert_true(seen_here);
  assert_int_equal(floats.at_start.mxcsr & ~0x3fu, toward_zero.mxcsr);
  assert_int_equal(floats.at_start.x87, toward_zero.x87);

  outcome = wasmfx_resume_word(world->rt, &cont, floats.handlers, 0);
  const bool seen_again = has_float_control(downward_unmasked);
  write_float_control(defaults);
  assert_outcome(outcome, WASMFX_SUSPENDED);
  assert_true(seen_again);
  assert_false(floats.kept); /* it found the defaults that were set here */
  assert_status(wasmfx_drop(world->rt, &cont), WASMFX_OK);
  world_free(world);
}

static void with_float_control_all_registers_are_kept_as_well(void **state)
{
  struct floats floats;
  struct world *world = float_world(&floats, 1);
  struct game game;
  (void)state;
  game_init(&game, world->rt);
  play(&game, suspend_many_times);
  play(&game, wait_for_another);
  world_free(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(resume_and_suspend_keep_the_registers_of_both_sides),
    in_a_world(a_captured_chain_keeps_the_registers_of_all_its_members),
    in_a_world(switch_keeps_the_registers_of_both_sides),
    in_a_world(the_resumer_keeps_its_registers_whatever_the_end),
    in_a_world(a_failing_verb_keeps_the_registers),
    in_a_world(a_body_starts_on_an_aligned_stack_of_its_own),
    in_a_world(the_chain_of_frame_pointers_ends_with_the_body),
    cmocka_unit_test(with_float_control_each_continuation_has_control_words_of_its_own),
    cmocka_unit_test(with_float_control_a_switch_keeps_them_too),
    cmocka_unit_test(with_float_control_each_start_has_the_defaults),
    cmocka_unit_test(with_float_control_the_resumer_gets_its_own_back_whatever_the_end),
    cmocka_unit_test(with_float_control_who_is_unwound_to_gets_its_own_back),
    cmocka_unit_test(without_float_control_the_control_words_are_shared_as_among_plain_calls),
    cmocka_unit_test(with_float_control_all_registers_are_kept_as_well),
  };
  return cmocka_run_group_tests_name("registers", tests, NULL, NULL);
}
