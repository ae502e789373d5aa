/* SPDX-License-Identifier: Apache-2.0 */
/* What a host hangs on continuations: its words, and the hooks that tell when one starts, stops or dies. */
#undef _FORTIFY_SOURCE /* its longjmp takes a jump to another stack for an error */
#include "support.h"
#include "jump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t return_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return word;
}

/* ---- Host words ------------------------------------------------------------------------- */

static int some_object;

static uint64_t see_own_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_tag_t *pause = env;
  (void)from;
  assert_ptr_equal(*wasmfx_host_word(rt), &some_object);
  *wasmfx_host_word(rt) = rt;
  wasmfx_suspend_word(rt, pause, 0);
  assert_null(*wasmfx_host_word(rt)); /* what the other side has set meanwhile */
  return word;
}

static void each_continuation_has_a_host_word_that_follows_it(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *pause = tag_of(rt, ":l");
  wasmfx_cont_t cont = word_cont_of(rt, ":l", see_own_word, pause);
  assert_null(*wasmfx_host_word(rt));
  assert_null(*wasmfx_cont_host_word(rt, cont));
  *wasmfx_host_word(rt) = state;
  *wasmfx_cont_host_word(rt, cont) = &some_object;
  assert_outcome(wasmfx_resume_word(rt, &cont, HANDLERS(rt, ON_LABEL(pause)), 0), WASMFX_SUSPENDED);
  assert_ptr_equal(*wasmfx_host_word(rt), state);
  assert_ptr_equal(*wasmfx_cont_host_word(rt, cont), rt);
  *wasmfx_cont_host_word(rt, cont) = NULL;
  const wasmfx_cont_t old = cont;
  assert_outcome(wasmfx_resume_word(rt, &cont, NULL, 0), WASMFX_RETURNED);
  assert_null(wasmfx_cont_host_word(rt, old));
  assert_null(wasmfx_cont_host_word(rt, WASMFX_NULL_CONT));
  *wasmfx_host_word(rt) = NULL;

  cont = word_cont_of(rt, ":l", return_word, NULL); /* on recycled memory */
  assert_null(*wasmfx_cont_host_word(rt, cont));
  assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);
}

/* ---- Diaries ------------------------------------------------------------------------------ */

/*
 * Each side's host word points to its letter: H the host, A, B, C the
 * continuations, R a root. What the hooks see of a program is a text, such as
 * "HA AB BH" for the switches.
 */
static char letters[] = "ABCHR";

enum { MAX_SWITCHES = 64 };

struct diary {
  size_t switch_count;
  struct {
    void **from, **to;
    const char *frame; /* where the hook stood */
    char from_letter, to_letter;
  } switches[MAX_SWITCHES];
  char deaths[64];
  size_t death_count;

  wasmfx_tag_t *pause, *swap, *oops;
  const wasmfx_handlers_t *handlers;
  struct {
    char *low, *high;
  } stacks[3]; /* of A, B, C */
  void (*act[3])(wasmfx_runtime_t *rt, struct diary *diary);
  wasmfx_cont_t conts[3];
  wasmfx_cont_t switched_away;
  jmp_buf out;
};

static char letter_of(void *const *word)
{
  return *word ? *(const char *)*word : '.';
}

static void note_switch(wasmfx_runtime_t *rt, void **from_word, void **to_word)
{
  struct diary *diary = wasmfx_runtime_host(rt);
  const size_t i = diary->switch_count++;
  diary->switches[i].from = from_word;
  diary->switches[i].to = to_word;
  diary->switches[i].from_letter = letter_of(from_word);
  diary->switches[i].to_letter = letter_of(to_word);
  diary->switches[i].frame = __builtin_frame_address(0);
}

static void note_death(wasmfx_runtime_t *rt, void *word)
{
  struct diary *diary = wasmfx_runtime_host(rt);
  diary->deaths[diary->death_count++] = *(const char *)word;
}

static uint64_t act_by_letter(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct diary *diary = env;
  const size_t self = (size_t)((const char *)*wasmfx_host_word(rt) - letters);
  void *low, *high;
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  diary->stacks[self].low = low;
  diary->stacks[self].high = high;
  diary->switched_away = from;
  if (diary->act[self])
    diary->act[self](rt, diary);
  return word;
}

static struct world *diary_world(struct diary *diary)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.switched = note_switch;
  config.died = note_death;
  config.host = diary;
  struct world *world = world_new(&config);
  memset(diary, 0, sizeof(*diary));
  diary->pause = tag_of(world->rt, ":");
  diary->swap = tag_of(world->rt, ":");
  diary->oops = tag_of(world->rt, ":");
  diary->handlers = HANDLERS(world->rt, ON_LABEL(diary->pause), ON_SWITCH(diary->swap));
  *wasmfx_host_word(world->rt) = &letters[3];
  return world;
}

/** A, B or C; `signature` is ":", or "c:" for one that is switched to. */
static wasmfx_cont_t *cast(wasmfx_runtime_t *rt, struct diary *diary, char letter, const char *signature,
                           void (*act)(wasmfx_runtime_t *rt, struct diary *diary))
{
  const size_t self = (size_t)(letter - 'A');
  diary->act[self] = act;
  diary->conts[self] = word_cont_of(rt, signature, act_by_letter, diary);
  *wasmfx_cont_host_word(rt, diary->conts[self]) = &letters[self];
  return &diary->conts[self];
}

/** Since the last look: these switches, each from where the one before had gone to, on the stack that was left. */
static void assert_switches(struct diary *diary, const char *expected)
{
  char text[3 * MAX_SWITCHES + 1] = "";
  for (size_t i = 0; i < diary->switch_count; i++) {
    const char from = diary->switches[i].from_letter;
    snprintf(text + strlen(text), 4, "%s%c%c", i ? " " : "", from, diary->switches[i].to_letter);
    if (i)
      assert_ptr_equal(diary->switches[i].from, diary->switches[i - 1].to);
    for (size_t self = 0; self < COUNT_OF(diary->stacks); self++)
      if (from == letters[self])
        assert_true(diary->stacks[self].low <= diary->switches[i].frame &&
                    diary->switches[i].frame < diary->stacks[self].high);
  }
  assert_string_equal(text, expected);
  diary->switch_count = 0;
}

/** These have died since the last look, in whatever order. */
static void assert_deaths(struct diary *diary, const char *expected)
{
  assert_int_equal(diary->death_count, strlen(expected));
  for (size_t i = 0; i < diary->death_count; i++)
    assert_non_null(strchr(expected, diary->deaths[i]));
  for (size_t i = 1; i < diary->death_count; i++)
    assert_null(memchr(diary->deaths, diary->deaths[i], i));
  diary->death_count = 0;
}

/* ---- What the cast does --------------------------------------------------------------------- */

static void diary_pause(wasmfx_runtime_t *rt, struct diary *diary)
{
  assert_outcome(wasmfx_suspend_word(rt, diary->pause, 0), WASMFX_RETURNED);
}

static void diary_resume_b(wasmfx_runtime_t *rt, struct diary *diary)
{
  wasmfx_resume_word(rt, &diary->conts[1], NULL, 0);
}

static void diary_resume_c(wasmfx_runtime_t *rt, struct diary *diary)
{
  wasmfx_resume_word(rt, &diary->conts[2], NULL, 0);
}

static void diary_switch_to_b(wasmfx_runtime_t *rt, struct diary *diary)
{
  wasmfx_switch(rt, &diary->conts[1], diary->swap, NULL, NULL, 0);
}

static void diary_throw(wasmfx_runtime_t *rt, struct diary *diary)
{
  wasmfx_throw(rt, diary->oops, NULL, 0);
}

static void diary_trap(wasmfx_runtime_t *rt, struct diary *diary)
{
  (void)diary;
  wasmfx_trap(rt, 0);
}

static void diary_catch(wasmfx_runtime_t *rt, struct diary *diary)
{
  assert_outcome(wasmfx_suspend_word(rt, diary->pause, 0), WASMFX_THREW);
  assert_outcome(wasmfx_suspend_word(rt, diary->pause, 0), WASMFX_THREW);
}

static void diary_root(wasmfx_runtime_t *rt, struct diary *diary)
{
  wasmfx_scope_t scope;
  (void)diary;
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  *wasmfx_host_word(rt) = &letters[4];
  assert_status(wasmfx_root_leave(rt, &scope), WASMFX_OK);
}

static void diary_open_root(wasmfx_runtime_t *rt, struct diary *diary)
{
  wasmfx_scope_t scope;
  (void)diary;
  assert_status(wasmfx_root_enter(rt, &scope), WASMFX_OK);
  *wasmfx_host_word(rt) = &letters[4];
}

static void diary_jump(wasmfx_runtime_t *rt, struct diary *diary)
{
  (void)rt;
  longjmp(diary->out, 1);
}

static void diary_fail(wasmfx_runtime_t *rt, struct diary *diary)
{
  wasmfx_cont_t null = WASMFX_NULL_CONT;
  assert_outcome(wasmfx_suspend_word(rt, diary->oops, 0), WASMFX_TRAP_UNHANDLED);
  assert_outcome(wasmfx_resume_word(rt, &null, NULL, 0), WASMFX_TRAP_NULL_CONT);
  assert_outcome(wasmfx_switch(rt, &null, diary->swap, NULL, NULL, 0), WASMFX_TRAP_NULL_CONT);
}

/* ---- switched ------------------------------------------------------------------------------- */

static void the_hook_sees_every_switch_once(void **state)
{
  struct diary diary;
  struct world *world = diary_world(&diary);
  wasmfx_runtime_t *rt = world->rt;
  (void)state;

  wasmfx_cont_t *a = cast(rt, &diary, 'A', ":", diary_pause), *b;
  assert_outcome(wasmfx_resume_word(rt, a, diary.handlers, 0), WASMFX_SUSPENDED);
  assert_switches(&diary, "HA AH");
  assert_outcome(wasmfx_resume_word(rt, a, diary.handlers, 0), WASMFX_RETURNED);
  assert_switches(&diary, "HA AH");

  a = cast(rt, &diary, 'A', ":", diary_throw);
  assert_outcome(wasmfx_resume_word(rt, a, NULL, 0), WASMFX_THREW);
  a = cast(rt, &diary, 'A', ":", diary_trap);
  assert_outcome(wasmfx_resume_word(rt, a, NULL, 0), WASMFX_TRAPPED);
  assert_switches(&diary, "HA AH HA AH");

  cast(rt, &diary, 'C', ":", diary_pause);
  cast(rt, &diary, 'B', ":", diary_resume_c);
  a = cast(rt, &diary, 'A', ":", diary_resume_b);
  assert_outcome(wasmfx_resume_word(rt, a, diary.handlers, 0), WASMFX_SUSPENDED);
  assert_switches(&diary, "HA AB BC CH");
  assert_outcome(wasmfx_resume_word(rt, a, diary.handlers, 0), WASMFX_RETURNED);
  assert_switches(&diary, "HC CB BA AH");

  a = cast(rt, &diary, 'A', ":", diary_switch_to_b);
  b = cast(rt, &diary, 'B', "c:", NULL);
  assert_outcome(wasmfx_resume_word(rt, a, diary.handlers, 0), WASMFX_RETURNED);
  assert_switches(&diary, "HA AB BH");
  assert_int_equal(*b, diary.conts[1]);
  assert_status(wasmfx_drop(rt, &diary.switched_away), WASMFX_OK); /* A */
  assert_switches(&diary, "");
  world_free(world);
}

static void the_hook_sees_exceptions_go_in(void **state)
{
  struct diary diary;
  struct world *world = diary_world(&diary);
  wasmfx_runtime_t *rt = world->rt;
  const wasmfx_exception_t exception = { diary.oops, NULL, 0, NULL };
  (void)state;

  wasmfx_cont_t *a = cast(rt, &diary, 'A', ":", diary_catch);
  assert_outcome(wasmfx_resume_word(rt, a, diary.handlers, 0), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_throw(rt, a, diary.handlers, diary.oops, NULL, 0), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_resume_throw_ref(rt, a, diary.handlers, &exception), WASMFX_RETURNED);
  assert_switches(&diary, "HA AH HA AH HA AH");

  a = cast(rt, &diary, 'A', ":", diary_catch);
  assert_outcome(wasmfx_resume_word(rt, a, diary.handlers, 0), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_cancel(rt, a, &exception, 0), WASMFX_RETURNED);
  assert_switches(&diary, "HA AH HA AH HA AH");
  world_free(world);
}

static void the_hook_does_not_see_what_is_no_switch(void **state)
{
  struct diary diary;
  struct world *world = diary_world(&diary);
  wasmfx_runtime_t *rt = world->rt;
  (void)state;

  wasmfx_cont_t *a = cast(rt, &diary, 'A', ":", NULL);
  assert_status(wasmfx_cont_bind(rt, a, NULL, NULL, 0), WASMFX_OK);
  assert_outcome(wasmfx_resume_throw(rt, a, NULL, diary.oops, NULL, 0), WASMFX_THREW); /* fresh: it never ran */
  a = cast(rt, &diary, 'A', ":", NULL);
  assert_status(wasmfx_drop(rt, a), WASMFX_OK);
  diary_fail(rt, &diary);
  wasmfx_mark_t mark;
  wasmfx_mark(rt, &mark);
  assert_status(wasmfx_unwind_to(rt, &mark, NULL), WASMFX_OK);
  assert_switches(&diary, "");

  a = cast(rt, &diary, 'A', ":", diary_fail);
  assert_outcome(wasmfx_resume_word(rt, a, NULL, 0), WASMFX_RETURNED);
  assert_switches(&diary, "HA AH");
  world_free(world);
}

static void the_hook_sees_roots_come_and_go(void **state)
{
  struct diary diary;
  struct world *world = diary_world(&diary);
  (void)state;
  wasmfx_cont_t *a = cast(world->rt, &diary, 'A', ":", diary_root);
  assert_outcome(wasmfx_resume_word(world->rt, a, NULL, 0), WASMFX_RETURNED);
  assert_switches(&diary, "HA AA RA AH");
  world_free(world);
}

/** It is not for the root to end: the body's own end closes it. */
static void the_hook_sees_a_body_end_below_a_root(void **state)
{
  struct diary diary;
  struct world *world = diary_world(&diary);
  (void)state;
  wasmfx_cont_t *a = cast(world->rt, &diary, 'A', ":", diary_open_root);
  assert_outcome(wasmfx_resume_word(world->rt, a, NULL, 0), WASMFX_RETURNED);
  assert_switches(&diary, "HA AA RH");
  world_free(world);
}

static void the_hook_sees_an_unwinding_as_one_switch(void **state)
{
  struct diary diary;
  struct world *world = diary_world(&diary);
  wasmfx_runtime_t *rt = world->rt;
  wasmfx_mark_t mark;
  (void)state;
  wasmfx_mark(rt, &mark);
  if (setjmp(diary.out) == 0) {
    cast(rt, &diary, 'C', ":", diary_jump);
    cast(rt, &diary, 'B', ":", diary_resume_c);
    wasmfx_resume_word(rt, cast(rt, &diary, 'A', ":", diary_resume_b), NULL, 0);
  }
  assert_status(wasmfx_unwind_to(rt, &mark, NULL), WASMFX_OK);
  assert_int_equal(diary.switch_count, 4);
  assert_true(diary.switches[3].from_letter == 'C' && diary.switches[3].to_letter == 'H');
  assert_deaths(&diary, "ABC");
  world_free(world);
}

/* ---- died ----------------------------------------------------------------------------------- */

static void the_hook_sees_each_death_once_whatever_the_end(void **state)
{
  struct diary diary;
  struct world *world = diary_world(&diary);
  wasmfx_runtime_t *rt = world->rt;
  const wasmfx_exception_t exception = { diary.oops, NULL, 0, NULL };
  (void)state;

  assert_outcome(wasmfx_resume_word(rt, cast(rt, &diary, 'A', ":", NULL), NULL, 0), WASMFX_RETURNED);
  assert_deaths(&diary, "A");
  assert_outcome(wasmfx_resume_word(rt, cast(rt, &diary, 'B', ":", diary_throw), NULL, 0), WASMFX_THREW);
  assert_deaths(&diary, "B");
  assert_outcome(wasmfx_resume_word(rt, cast(rt, &diary, 'C', ":", diary_trap), NULL, 0), WASMFX_TRAPPED);
  assert_deaths(&diary, "C");
  assert_status(wasmfx_drop(rt, cast(rt, &diary, 'A', ":", NULL)), WASMFX_OK);
  assert_deaths(&diary, "A");
  assert_outcome(wasmfx_resume_throw(rt, cast(rt, &diary, 'B', ":", NULL), NULL, diary.oops, NULL, 0), WASMFX_THREW);
  assert_deaths(&diary, "B");

  wasmfx_cont_t *a = cast(rt, &diary, 'A', ":", diary_pause);
  assert_outcome(wasmfx_resume_word(rt, a, diary.handlers, 0), WASMFX_SUSPENDED);
  assert_status(wasmfx_cont_bind(rt, a, NULL, NULL, 0), WASMFX_OK);
  assert_deaths(&diary, "");
  assert_status(wasmfx_drop(rt, a), WASMFX_OK);
  assert_deaths(&diary, "A");

  a = cast(rt, &diary, 'A', ":", diary_catch);
  assert_outcome(wasmfx_resume_word(rt, a, diary.handlers, 0), WASMFX_SUSPENDED);
  assert_outcome(wasmfx_cancel(rt, a, &exception, 1), WASMFX_SUSPENDED);
  assert_deaths(&diary, "A");
  world_free(world);
  assert_deaths(&diary, "");
}

static void the_hook_sees_all_of_a_chain_die(void **state)
{
  struct diary diary;
  struct world *world = diary_world(&diary);
  wasmfx_runtime_t *rt = world->rt;
  (void)state;
  for (int ends = 0; ends <= 1; ends++) {
    cast(rt, &diary, 'C', ":", diary_pause);
    cast(rt, &diary, 'B', ":", diary_resume_c);
    wasmfx_cont_t *a = cast(rt, &diary, 'A', ":", diary_resume_b);
    assert_outcome(wasmfx_resume_word(rt, a, diary.handlers, 0), WASMFX_SUSPENDED);
    assert_deaths(&diary, "");
    if (ends)
      assert_outcome(wasmfx_resume_word(rt, a, NULL, 0), WASMFX_RETURNED);
    else
      assert_status(wasmfx_drop(rt, a), WASMFX_OK);
    assert_deaths(&diary, "ABC");
  }
  world_free(world);
}

static void the_hook_sees_what_dies_with_the_runtime(void **state)
{
  struct diary diary;
  struct world *world = diary_world(&diary);
  wasmfx_runtime_t *rt = world->rt;
  (void)state;
  cast(rt, &diary, 'C', ":", NULL); /* fresh */
  wasmfx_cont_t *b = cast(rt, &diary, 'B', ":", diary_pause);
  assert_outcome(wasmfx_resume_word(rt, b, diary.handlers, 0), WASMFX_SUSPENDED);
  size_t dropped;
  assert_status(wasmfx_runtime_free(rt, &dropped), WASMFX_OK);
  assert_int_equal(dropped, 2);
  assert_int_equal(world->heap.blocks, 0);
  assert_deaths(&diary, "BC");
  free(world);
}

static void a_continuation_without_a_word_dies_unseen(void **state)
{
  struct diary diary;
  struct world *world = diary_world(&diary);
  (void)state;
  wasmfx_cont_t cont = word_cont_of(world->rt, ":", return_word, NULL);
  assert_outcome(wasmfx_resume_word(world->rt, &cont, NULL, 0), WASMFX_RETURNED);
  wasmfx_cont_t *a = cast(world->rt, &diary, 'A', ":", diary_pause);
  assert_outcome(wasmfx_resume_word(world->rt, a, diary.handlers, 0), WASMFX_SUSPENDED);
  *wasmfx_cont_host_word(world->rt, *a) = NULL; /* the host has freed what it stood for */
  assert_status(wasmfx_drop(world->rt, a), WASMFX_OK);
  assert_deaths(&diary, "");
  world_free(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(each_continuation_has_a_host_word_that_follows_it),
    cmocka_unit_test(the_hook_sees_every_switch_once),
    cmocka_unit_test(the_hook_sees_exceptions_go_in),
    cmocka_unit_test(the_hook_does_not_see_what_is_no_switch),
    cmocka_unit_test(the_hook_sees_roots_come_and_go),
    cmocka_unit_test(the_hook_sees_a_body_end_below_a_root),
    cmocka_unit_test(the_hook_sees_an_unwinding_as_one_switch),
    cmocka_unit_test(the_hook_sees_each_death_once_whatever_the_end),
    cmocka_unit_test(the_hook_sees_all_of_a_chain_die),
    cmocka_unit_test(the_hook_sees_what_dies_with_the_runtime),
    cmocka_unit_test(a_continuation_without_a_word_dies_unseen),
  };
  return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
