/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AddressSanitizer knows which stack is running, after every kind of switch: it is asked what it takes the frame for
 * that asks. And the fake stacks that it may keep beside real ones go with them.
 */
#undef _FORTIFY_SOURCE /* takes a jump to another stack for an error */
#include "support.h"
#include "jump.h"

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/** Whether an address is known to lie on the stack that is running. */
static bool is_on_the_known_stack(const void *address)
{
  char name[16];
  void *region;
  size_t bytes;
  return strcmp(__asan_locate_address((void *)(uintptr_t)address, name, sizeof(name), &region, &bytes), "stack") == 0;
}

__attribute__((noinline)) static bool knows_where_it_is(void)
{
  return is_on_the_known_stack(__builtin_frame_address(0));
}

/** What the bodies work with. */
struct scene {
  wasmfx_runtime_t *rt;
  wasmfx_tag_t *pause, *swap;
  wasmfx_type_t *type, *peer; /* [] -> [], [contref] -> [] */
  const wasmfx_handlers_t *handlers;
  wasmfx_mark_t mark;
  jmp_buf place;
  const void *frame_of_host;
  unsigned levels;
};

static void scene_init(struct scene *scene, wasmfx_runtime_t *rt)
{
  memset(scene, 0, sizeof(*scene));
  scene->rt = rt;
  scene->pause = tag_of(rt, ":");
  scene->swap = tag_of(rt, ":");
  scene->type = type_of(rt, ":");
  scene->peer = type_of(rt, "c:");
  scene->handlers = HANDLERS(rt, ON_LABEL(scene->pause), ON_SWITCH(scene->swap));
  scene->frame_of_host = __builtin_frame_address(0);
}

static wasmfx_cont_t cont_in(struct scene *scene, wasmfx_word_entry_t entry)
{
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  assert_status(wasmfx_cont_new_word(scene->rt, scene->type, entry, scene, &cont), WASMFX_OK);
  return cont;
}

/* ---- Every kind of switch ------------------------------------------------------------- */

static uint64_t pause_and_look(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct scene *scene = env;
  (void)from;
  assert_true(knows_where_it_is());
  assert_false(is_on_the_known_stack(scene->frame_of_host));
  assert_true(wasmfx_suspend_word(rt, scene->pause, 0).status >= 0);
  assert_true(knows_where_it_is());
  return word;
}

static void resumes_suspensions_and_returns_are_known(void **state)
{
  struct scene scene;
  scene_init(&scene, runtime_of(state));
  assert_true(knows_where_it_is());
  for (int i = 0; i < 3; i++) {
    wasmfx_cont_t cont = cont_in(&scene, pause_and_look);
    assert_outcome(wasmfx_resume_word(scene.rt, &cont, scene.handlers, 0), WASMFX_SUSPENDED);
    assert_true(knows_where_it_is());
    assert_outcome(wasmfx_resume_word(scene.rt, &cont, scene.handlers, 0), WASMFX_RETURNED);
    assert_true(knows_where_it_is());
  }
}

static uint64_t nest_and_look(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct scene *scene = env;
  if (scene->levels-- == 0)
    return pause_and_look(rt, env, word, from);
  wasmfx_cont_t inner = cont_in(scene, nest_and_look);
  assert_outcome(wasmfx_resume_word(rt, &inner, NULL, word), WASMFX_RETURNED);
  assert_true(knows_where_it_is());
  return word;
}

static void a_chain_is_known_by_each_of_its_stacks(void **state)
{
  struct scene scene;
  scene_init(&scene, runtime_of(state));
  scene.levels = 3;
  wasmfx_cont_t cont = cont_in(&scene, nest_and_look);
  assert_outcome(wasmfx_resume_word(scene.rt, &cont, scene.handlers, 0), WASMFX_SUSPENDED);
  assert_true(knows_where_it_is());
  assert_outcome(wasmfx_resume_word(scene.rt, &cont, scene.handlers, 0), WASMFX_RETURNED);
  assert_true(knows_where_it_is());
}

static uint64_t be_switched_to(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct scene *scene = env;
  (void)word;
  assert_true(knows_where_it_is());
  (void)wasmfx_switch(rt, &from, scene->swap, NULL, NULL, 0);
  return 0;
}

static uint64_t switch_and_look(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct scene *scene = env;
  wasmfx_cont_t peer;
  (void)from;
  assert_status(wasmfx_cont_new_word(rt, scene->peer, be_switched_to, env, &peer), WASMFX_OK);
  assert_outcome(wasmfx_switch(rt, &peer, scene->swap, NULL, NULL, 0), WASMFX_RETURNED);
  assert_true(knows_where_it_is());
  assert_status(wasmfx_drop(rt, &peer), WASMFX_OK);
  return word;
}

static void switches_are_known(void **state)
{
  struct scene scene;
  scene_init(&scene, runtime_of(state));
  wasmfx_cont_t cont = cont_in(&scene, switch_and_look);
  assert_outcome(wasmfx_resume_word(scene.rt, &cont, scene.handlers, 0), WASMFX_RETURNED);
  assert_true(knows_where_it_is());
}

static uint64_t trap_at_once(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  assert_true(knows_where_it_is());
  (void)wasmfx_trap(rt, 1);
  return word;
}

static void traps_are_known(void **state)
{
  struct scene scene;
  scene_init(&scene, runtime_of(state));
  wasmfx_cont_t cont = cont_in(&scene, trap_at_once);
  assert_outcome(wasmfx_resume_word(scene.rt, &cont, scene.handlers, 0), WASMFX_TRAPPED);
  assert_true(knows_where_it_is());
}

static uint64_t jump_out(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct scene *scene = env;
  (void)rt, (void)word, (void)from;
  longjmp(scene->place, 1);
}

static void a_jump_is_known_from_the_unwinding_on(void **state)
{
  static struct scene scene; /* unlike a variable, as it was after the jump */
  scene_init(&scene, runtime_of(state));
  for (volatile int i = 0; i < 3; i++) {
    wasmfx_mark(scene.rt, &scene.mark);
    if (setjmp(scene.place) == 0) {
      wasmfx_cont_t cont = cont_in(&scene, jump_out);
      (void)wasmfx_resume_word(scene.rt, &cont, scene.handlers, 0);
    }
    assert_status(wasmfx_unwind_to(scene.rt, &scene.mark, NULL), WASMFX_OK);
    assert_true(knows_where_it_is());
  }
}

/* ---- Fake stacks -------------------------------------------------------------------------- */

static size_t address_space(void)
{
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  assert_non_null(file);
  assert_int_equal(fscanf(file, "%lu", &pages), 1);
  fclose(file);
  return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/** Has a variable that lies on the fake stack, if there is one. */
static uint64_t pause_with_a_variable(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct scene *scene = env;
  volatile char variable[64];
  (void)from;
  memset((char *)(uintptr_t)variable, 1, sizeof(variable));
  (void)wasmfx_suspend_word(rt, scene->pause, 0);
  return word + (uint64_t)variable[0];
}

static void a_fake_stack_goes_with_its_continuation(void **state)
{
  enum { MANY = 1000 };
  const size_t fake_stack = (size_t)1 << 18; /* one has more than that */
  struct scene scene;
  size_t before = 0;
  scene_init(&scene, runtime_of(state));
  for (int i = 0; i < 2 * MANY; i++) {
    wasmfx_cont_t cont = cont_in(&scene, pause_with_a_variable);
    assert_outcome(wasmfx_resume_word(scene.rt, &cont, scene.handlers, 0), WASMFX_SUSPENDED);
    assert_status(wasmfx_drop(scene.rt, &cont), WASMFX_OK);
    if (i == MANY)
      before = address_space();
  }
  assert_true(address_space() < before + MANY / 10 * fake_stack);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(resumes_suspensions_and_returns_are_known),
    in_a_world(a_chain_is_known_by_each_of_its_stacks),
    in_a_world(switches_are_known),
    in_a_world(traps_are_known),
    in_a_world(a_jump_is_known_from_the_unwinding_on),
    in_a_world(a_fake_stack_goes_with_its_continuation),
  };
  return cmocka_run_group_tests_name("sanitize", tests, NULL, NULL);
}
