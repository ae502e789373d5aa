/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of a continuation's stack the library's functions take, and what they do where there is less. Each makes
 * sure of so many bytes, and must not take more: the stack below is painted, the function is called, and what has lost
 * its paint was used. On stacks without guards each is called at any distance from the low end: it happens, or it has
 * not and its caller has overflowed; and nothing below the stack is written.
 */
#include "support.h"
#include "tools.h"

#include <string.h>
#include <wasmfx/backtrace.h>
#include <wasmfx/collect.h>
#include <wasmfx/overflow.h>

#include "runtime.h"

enum {
  MANY = 200, /* values of a list that is kept with the object */
  FRAMES = 8,
  NEIGHBOUR_BYTES = 1984,
};

#define PAINT 0xa5a5a5a5a5a5a5a5u

/** What a scene works with. */
static struct {
  wasmfx_runtime_t *rt;
  wasmfx_type_t *word, *peer, *triple, *many, *spare;
  wasmfx_tag_t *yield, *swap, *stop, *ask, *ask_much; /* those two are answered in place */
  wasmfx_handlers_t *handlers;
  const struct scene *scene;
  bool paints;
  size_t distance;  /* from the low end, of who calls; 0: where it comes to stand */
  char *low;        /* of the stack at work */
  char *called_at;  /* its stack pointer when the function was called */
  wasmfx_cont_t other;
  enum wasmfx_state state_of_other; /* before the act */
  wasmfx_scope_t barrier, root;
  wasmfx_mark_t mark;
  void *out[5]; /* of a jump */
  wasmfx_runtime_t *second;
  wasmfx_kind_t kinds[MANY];
} w;

/** Something that can be asked of the library. */
struct scene {
  const char *name;
  void (*prepare)(void); /* by the host */
  void (*inside)(void);  /* by the body, with stack enough */
  void (*act)(void);
  bool takes_more; /* it makes sure of more than others */
};

static const wasmfx_value_t three[3] = { { .i64 = 1 }, { .i64 = 2 }, { .i64 = 3 } };

/** How many bytes below the stack pointer of the call were written. */
LOOKS_ANYWHERE static size_t used(void)
{
  const volatile uint64_t *at = (const volatile uint64_t *)(void *)w.low;
  while (*at == PAINT)
    at++;
  return (size_t)(w.called_at - (const char *)(uintptr_t)at);
}

/** Calls something of the library's, right below here. */
#define CALL(call)                                                                                                     \
  do {                                                                                                                 \
    volatile uint64_t *sp;                                                                                             \
    __asm__ volatile("movq %%rsp, %0" : "=r"(sp));                                                                     \
    w.called_at = (char *)(uintptr_t)sp;                                                                               \
    for (volatile uint64_t *at = (volatile uint64_t *)(void *)w.low; w.paints && at < sp; at++)                        \
      *at = PAINT;                                                                                                     \
    call;                                                                                                              \
    __asm__ volatile("" : : : "memory");                                                                               \
  } while (0)

#define ACT(name, call)                                                                                                \
  LOOKS_ANYWHERE static void name(void)                                                                                \
  {                                                                                                                    \
    CALL(call);                                                                                                        \
  }

/* ---- Bodies of others ------------------------------------------------------------------------ */

static uint64_t answer(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  return word;
}

static uint64_t yield_for_ever(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  for (;;)
    word = wasmfx_suspend_word(rt, w.yield, word).word;
  return word;
}

static uint64_t yield_below(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const size_t depth = (size_t)(uintptr_t)env;
  (void)from;
  if (depth == 0)
    return yield_for_ever(rt, NULL, word, from);
  wasmfx_cont_t inner;
  if (wasmfx_cont_new_word(rt, w.word, yield_below, (void *)(uintptr_t)(depth - 1), &inner) < 0)
    return 0;
  return wasmfx_resume_word(rt, &inner, NULL, word).word;
}

static void add(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  results[0] = args[0];
}

/* Takes less than what is made sure of, and more than there is below a stack. */
static uint64_t reply(wasmfx_runtime_t *rt, void *env, uint64_t word)
{
  volatile char room[400];
  (void)rt, (void)env;
  room[0] = 1;
  return word + (uint64_t)room[0] - 1;
}

static void reply_at_length(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env;
  results[7] = args[0];
}

static void nothing(void *arg)
{
  (void)arg;
}

static __attribute__((noinline)) void jump_out(void)
{
  __builtin_longjmp(w.out, 1);
}

static uint64_t jump(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  jump_out();
  return word;
}

/* Takes more than any body has that the scenes are played in. */
static void use_stack(void *arg)
{
  wasmfx_type_t *type;
  volatile char room[65536];
  (void)arg;
  for (size_t i = 0; i < sizeof room; i += 256)
    room[i] = 1;
  assert_status(wasmfx_type_new(w.rt, w.kinds, MANY, w.kinds, MANY, &type), WASMFX_OK);
  wasmfx_type_free(w.rt, type);
}

static uint64_t call_there(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)env, (void)from;
  assert_status(wasmfx_call_on_host_stack(rt, use_stack, NULL), WASMFX_OK);
  return word;
}

/* ---- Others, made by the host ------------------------------------------------------------------- */

static void one(wasmfx_type_t *type)
{
  assert_status(wasmfx_cont_new_word(w.rt, type, answer, NULL, &w.other), WASMFX_OK);
}

static void one_fresh(void)
{
  one(w.word);
}

static void one_that_jumps(void)
{
  assert_status(wasmfx_cont_new_word(w.rt, w.word, jump, NULL, &w.other), WASMFX_OK);
}

static void one_that_calls_there(void)
{
  assert_status(wasmfx_cont_new_word(w.rt, w.word, call_there, NULL, &w.other), WASMFX_OK);
}

static void one_of_class_3(void)
{
  one(w.word);
  assert_status(wasmfx_cont_stack_class(w.rt, w.other, 3), WASMFX_OK);
}

static void one_to_switch_to(void)
{
  one(w.peer);
  assert_status(wasmfx_cont_stack_class(w.rt, w.other, 2), WASMFX_OK);
}

static void one_of_three(void)
{
  assert_status(wasmfx_cont_new(w.rt, w.triple, add, NULL, &w.other), WASMFX_OK);
  assert_status(wasmfx_cont_stack_class(w.rt, w.other, 2), WASMFX_OK);
}

static void chain(size_t depth)
{
  assert_status(wasmfx_cont_new_word(w.rt, w.word, yield_below, (void *)(uintptr_t)depth, &w.other), WASMFX_OK);
  assert_outcome(wasmfx_resume_word(w.rt, &w.other, w.handlers, 0), WASMFX_SUSPENDED);
}

static void one_suspended(void)
{
  chain(0);
}

static void three_suspended(void)
{
  chain(2);
}

static void full_arena(void)
{
  wasmfx_cont_t cont;
  while (w.rt->free_objects || w.rt->object_count + 1 != w.rt->house->committed_slots)
    assert_status(wasmfx_cont_new_word(w.rt, w.word, answer, NULL, &cont), WASMFX_OK);
}

static void spare_type(void)
{
  w.spare = type_of(w.rt, "ll:l");
}

static void second_runtime(void)
{
  assert_status(wasmfx_runtime_new(NULL, &w.second), WASMFX_OK);
  type_of(w.second, "lll:l");
}

static void caught(void)
{
  assert_status(wasmfx_overflow_catch(w.rt), WASMFX_OK);
}

/* ---- What is open, made by the body ---------------------------------------------------------------- */

static void open_barrier(void)
{
  assert_status(wasmfx_barrier_enter(w.rt, &w.barrier), WASMFX_OK);
}

static void open_root(void)
{
  wasmfx_mark(w.rt, &w.mark);
  assert_status(wasmfx_root_enter(w.rt, &w.root), WASMFX_OK);
}

/* Jumps out of a continuation that it has resumed, back onto this stack, and unwinds. */
static void mark_here(void)
{
  wasmfx_mark(w.rt, &w.mark);
}

/* ---- Acts ------------------------------------------------------------------------------------------- */

static wasmfx_type_t *type_out;
static wasmfx_tag_t *tag_out;
static wasmfx_handlers_t *handlers_out;
static wasmfx_cont_t cont_out;
static wasmfx_stats_t stats_out;
static wasmfx_frame_t frames[FRAMES];
static size_t count_out;
static wasmfx_clause_t clauses[4];

static void visit_stack(void *context, const wasmfx_stack_t *stack)
{
  (void)context, (void)stack;
}

static const wasmfx_visitor_t visitor = { .stack = visit_stack };

ACT(make_type, wasmfx_type_new(w.rt, w.kinds, MANY, w.kinds, MANY, &type_out))
ACT(free_type, wasmfx_type_free(w.rt, w.spare))
ACT(make_tag, wasmfx_tag_new(w.rt, w.word, &tag_out))
ACT(make_handlers, wasmfx_handlers_new(w.rt, clauses, COUNT_OF(clauses), &handlers_out))
ACT(make_word, wasmfx_cont_new_word(w.rt, w.word, answer, NULL, &cont_out))
ACT(make_long, wasmfx_cont_new(w.rt, w.many, add, NULL, &cont_out))
ACT(bind_two, wasmfx_cont_bind(w.rt, &w.other, NULL, three, 2))
ACT(resume_word, wasmfx_resume_word(w.rt, &w.other, w.handlers, 0))
ACT(resume_unhandled, wasmfx_resume_word(w.rt, &w.other, NULL, 0))
ACT(resume, wasmfx_resume(w.rt, &w.other, w.handlers, three, 3))
ACT(throw_into, wasmfx_resume_throw(w.rt, &w.other, w.handlers, w.stop, three, 1))
ACT(suspend, wasmfx_suspend(w.rt, w.yield, three, 1))
ACT(suspend_word, wasmfx_suspend_word(w.rt, w.yield, 1))
ACT(suspend_unhandled, wasmfx_suspend_word(w.rt, w.stop, 1))
ACT(ask, wasmfx_suspend(w.rt, w.ask, three, 1))
ACT(ask_word, wasmfx_suspend_word(w.rt, w.ask, 1))
ACT(ask_much, wasmfx_suspend_word(w.rt, w.ask_much, 1))
ACT(switch_to, wasmfx_switch(w.rt, &w.other, w.swap, NULL, three, 1))
ACT(trap, wasmfx_trap(w.rt, 1))
ACT(throw, wasmfx_throw(w.rt, w.stop, three, 1))
ACT(drop, wasmfx_drop(w.rt, &w.other))
ACT(cancel, wasmfx_cancel(w.rt, &w.other, &(wasmfx_exception_t){ w.stop, three, 1, NULL }, 3))
ACT(call_nothing_there, wasmfx_call_on_host_stack(w.rt, nothing, NULL))
ACT(call_and_use_much_there, wasmfx_call_on_host_stack(w.rt, use_stack, NULL))
ACT(enter_barrier, wasmfx_barrier_enter(w.rt, &w.barrier))
ACT(leave_barrier, wasmfx_barrier_leave(w.rt, &w.barrier))
ACT(enter_root, wasmfx_root_enter(w.rt, &w.root))
ACT(leave_root, wasmfx_root_leave(w.rt, &w.root))
ACT(unwind, wasmfx_unwind_to(w.rt, &w.mark, NULL))
ACT(resume_and_unwind, {
  if (__builtin_setjmp(w.out) == 0)
    wasmfx_resume_word(w.rt, &w.other, w.handlers, 0);
  else
    wasmfx_unwind_to(w.rt, &w.mark, NULL);
})
ACT(mark, wasmfx_mark(w.rt, &w.mark))
ACT(visit_all, wasmfx_visit_all(w.rt, &visitor))
ACT(collect, wasmfx_collect(w.rt, NULL, &count_out))
ACT(look, wasmfx_runtime_stats(w.rt, &stats_out, sizeof stats_out))
ACT(look_at_state, wasmfx_cont_state(w.rt, w.other))
ACT(look_at_arity, wasmfx_cont_arity(w.rt, w.other))
ACT(choose_class, wasmfx_cont_stack_class(w.rt, w.other, 1))
ACT(look_at_running, wasmfx_current(w.rt, (wasmfx_current_t *)(void *)frames))
ACT(look_at_bounds, wasmfx_stack_bounds(w.rt, (void **)&frames[0].pc, (void **)&frames[1].pc))
ACT(prefetch, wasmfx_prefetch(w.rt, w.other))
ACT(set_tenant, wasmfx_tenant_set(w.rt, 0))
ACT(catch_overflows, wasmfx_overflow_catch(w.rt))
ACT(ignore_overflows, wasmfx_overflow_ignore(w.rt))
ACT(free_own, wasmfx_runtime_free(w.rt, NULL))
ACT(make_second, wasmfx_runtime_new(NULL, &w.second))
ACT(free_second, { wasmfx_runtime_free(w.second, NULL); w.second = NULL; })
ACT(walk, wasmfx_backtrace(w.rt, frames, FRAMES, &count_out))
ACT(walk_other, wasmfx_cont_backtrace(w.rt, w.other, frames, FRAMES, &count_out))

/* No guard and nothing to compare: what has no runtime, or deals with another one, only takes no more than it says. */
#define SCENE(prepare, inside, act) { #act " (" #prepare ")", prepare, inside, act, false }
#define SCENE_WITH_MORE(prepare, inside, act) { #act " (" #prepare ")", prepare, inside, act, true }
static const struct scene scenes[] = {
  SCENE(NULL, NULL, make_type),
  SCENE(spare_type, NULL, free_type),
  SCENE(NULL, NULL, make_tag),
  SCENE(NULL, NULL, make_handlers),
  SCENE(NULL, NULL, make_word),
  SCENE(full_arena, NULL, make_word),
  SCENE(NULL, NULL, make_long),
  SCENE(one_of_three, NULL, bind_two),
  SCENE(one_fresh, NULL, resume_word),
  SCENE(one_suspended, NULL, resume_word),
  SCENE(one_of_class_3, NULL, resume_word),
  SCENE(three_suspended, NULL, resume_unhandled),
  SCENE(one_of_three, NULL, resume),
  SCENE(three_suspended, NULL, throw_into),
  SCENE(one_fresh, NULL, throw_into),
  SCENE(NULL, NULL, suspend),
  SCENE(NULL, NULL, suspend_word),
  SCENE(NULL, NULL, suspend_unhandled),
  SCENE(NULL, NULL, ask),
  SCENE(NULL, NULL, ask_word),
  SCENE_WITH_MORE(NULL, NULL, ask_much),
  SCENE(one_to_switch_to, NULL, switch_to),
  SCENE(NULL, NULL, trap),
  SCENE(NULL, open_barrier, trap),
  SCENE(NULL, NULL, throw),
  SCENE(NULL, open_root, throw),
  SCENE(three_suspended, NULL, drop),
  SCENE(three_suspended, NULL, cancel),
  SCENE(NULL, NULL, call_nothing_there),
  SCENE(NULL, NULL, enter_barrier),
  SCENE(NULL, open_barrier, leave_barrier),
  SCENE(NULL, NULL, enter_root),
  SCENE(NULL, open_root, leave_root),
  SCENE(NULL, open_root, unwind),
  SCENE(NULL, open_root, mark),
  SCENE(one_of_class_3, open_root, resume_word),
  SCENE(NULL, open_root, make_type),
  SCENE(one_that_jumps, mark_here, resume_and_unwind),
  SCENE(three_suspended, NULL, visit_all),
  SCENE(three_suspended, NULL, collect),
  SCENE(NULL, NULL, look),
  SCENE(one_fresh, NULL, look_at_state),
  SCENE(one_fresh, NULL, look_at_arity),
  SCENE(one_fresh, NULL, choose_class),
  SCENE(NULL, NULL, look_at_running),
  SCENE(NULL, NULL, look_at_bounds),
  SCENE(one_suspended, NULL, prefetch),
  SCENE(NULL, NULL, set_tenant),
  SCENE_WITH_MORE(NULL, NULL, catch_overflows),
  SCENE_WITH_MORE(caught, NULL, ignore_overflows),
  SCENE_WITH_MORE(NULL, NULL, free_own),
};
static const struct scene scenes_of_others[] = {
  SCENE_WITH_MORE(NULL, NULL, make_second),
  SCENE_WITH_MORE(second_runtime, NULL, free_second),
};
/* With guards the other one would have the stack of the first one for the host's. */
static const struct scene scenes_of_small_ones[] = {
  SCENE(one_that_calls_there, open_root, resume_word),
  SCENE(NULL, open_root, call_and_use_much_there),
};
static const struct scene scenes_of_walks[] = {
  SCENE(NULL, NULL, walk),
  SCENE(one_suspended, NULL, walk_other),
};

/* ---- Playing them ------------------------------------------------------------------------------------- */

static void act(void)
{
  if (w.scene->inside)
    w.scene->inside();
  void *high;
  assert_status(wasmfx_stack_bounds(w.rt, (void **)&w.low, &high), WASMFX_OK);
  if (!w.distance) {
    w.scene->act();
    return;
  }
  const size_t bytes = (size_t)((char *)__builtin_frame_address(0) - w.low) - w.distance;
  volatile char *room = __builtin_alloca(bytes / 16 * 16);
  room[bytes / 16 * 16 - 1] = 1;
  w.scene->act();
  room[bytes / 16 * 16 - 1] = 2;
}

static uint64_t play(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)env, (void)from;
  act();
  return word;
}

static void begin(const wasmfx_runtime_config_t *config)
{
  memset(&w, 0, sizeof w);
  assert_status(wasmfx_runtime_new(config, &w.rt), WASMFX_OK);
  w.word = type_of(w.rt, "l:l");
  w.peer = type_of(w.rt, "lc:l");
  w.triple = type_of(w.rt, "lll:l");
  w.yield = tag_of(w.rt, "l:l");
  w.swap = tag_of(w.rt, ":l");
  w.stop = tag_of(w.rt, "l:");
  memset(w.kinds, WASMFX_I64, sizeof w.kinds);
  assert_status(wasmfx_type_new(w.rt, w.kinds, MANY, w.kinds, MANY, &w.many), WASMFX_OK);
  w.ask = tag_of(w.rt, "l:l");
  w.ask_much = tag_of(w.rt, "l:llllllll");
  w.handlers = HANDLERS(w.rt, ON_LABEL(w.yield), ON_SWITCH(w.swap),
                        ON_CALL_WORD(w.ask, reply, NULL),
                        ON_CALL(w.ask_much, reply_at_length, NULL));
  const wasmfx_clause_t some[] = { ON_LABEL(w.yield), ON_LABEL(w.stop), ON_SWITCH(w.swap), ON_LABEL(w.yield) };
  memcpy(clauses, some, sizeof clauses);
}

static void end(void)
{
  assert_status(wasmfx_runtime_free(w.rt, NULL), WASMFX_OK);
  if (w.second)
    assert_status(wasmfx_runtime_free(w.second, NULL), WASMFX_OK);
}

static wasmfx_outcome_t play_scene(const struct scene *scene, size_t distance)
{
  w.scene = scene;
  w.distance = distance;
  w.other = WASMFX_NULL_CONT;
  if (scene->prepare)
    scene->prepare();
  w.state_of_other = wasmfx_cont_state(w.rt, w.other);
  wasmfx_cont_t cont;
  assert_status(wasmfx_cont_new_word(w.rt, w.word, play, NULL, &cont), WASMFX_OK);
  assert_status(wasmfx_cont_stack_class(w.rt, cont, 1), WASMFX_OK);
  const wasmfx_outcome_t out = wasmfx_resume_word(w.rt, &cont, w.handlers, 0);
  assert_true(out.status >= 0);
  if (cont)
    assert_status(wasmfx_drop(w.rt, &cont), WASMFX_OK);
  return out;
}

/* ---- How much ---------------------------------------------------------------------------------------- */

static size_t measure(const wasmfx_runtime_config_t *config, const struct scene *scene)
{
  begin(config);
  w.paints = true;
  (void)play_scene(scene, 0);
  const size_t bytes = used();
  end();
  return bytes;
}

static void switched(wasmfx_runtime_t *rt, void **from_word, void **to_word)
{
  (void)rt, (void)from_word, (void)to_word;
}

/* Answers what the most was. */
static size_t assert_room(const struct scene *all, size_t count)
{
  wasmfx_runtime_config_t configs[4];
  for (size_t i = 0; i < COUNT_OF(configs); i++)
    wasmfx_runtime_config_init(&configs[i]);
  configs[1].tenants = 2;
  configs[1].float_control = 1;
  configs[1].cached_stacks = 1;
  configs[2].switched = switched;
  configs[3].stack_policy = WASMFX_STACKS_DENSE;
  configs[3].stack_bytes[0] = 16384;
  size_t most = 0;
  for (size_t i = 0; i < count; i++)
    for (size_t c = 0; c < COUNT_OF(configs); c++) {
      const size_t bytes = measure(&configs[c], &all[i]);
      if (bytes > WFX_STACK_ROOM + (all[i].takes_more ? WFX_STACK_MORE_ROOM : 0))
        fail_msg("%s takes %zu bytes", all[i].name, bytes);
      if (!all[i].takes_more && bytes > most)
        most = bytes;
    }
  return most;
}

static void no_function_takes_more_stack_than_it_makes_sure_of(void **state)
{
  (void)state;
  const size_t most = assert_room(scenes, COUNT_OF(scenes));
  print_message("# the most that one has taken: %zu bytes\n", most);
  assert_room(scenes_of_others, COUNT_OF(scenes_of_others));
}

/* ---- With less ------------------------------------------------------------------------------------------- */

/* Waits on the stack below the one on which scenes are played: both are of a class that nobody else takes. */
static void make_neighbour(void)
{
  wasmfx_cont_t cont;
  assert_status(wasmfx_cont_new_word(w.rt, w.word, yield_for_ever, NULL, &cont), WASMFX_OK);
  assert_status(wasmfx_cont_stack_class(w.rt, cont, 1), WASMFX_OK);
  assert_outcome(wasmfx_resume_word(w.rt, &cont, w.handlers, 0), WASMFX_SUSPENDED);
}

LOOKS_ANYWHERE static void copy(char *to, const char *from)
{
  for (size_t i = 0; i < NEIGHBOUR_BYTES; i++)
    to[i] = from[i];
}

/* What a scene has left behind. */
static void forget(const struct scene *scene)
{
  if (scene->prepare == caught || scene->act == catch_overflows)
    (void)wasmfx_overflow_ignore(w.rt);
  (void)wasmfx_drop(w.rt, &w.other);
  if (w.second)
    assert_status(wasmfx_runtime_free(w.second, NULL), WASMFX_OK);
  w.second = NULL;
}

/* Where the acts of a scene call from, above where it was told to stand: its own frame. */
static size_t frame_of(const struct scene *scene)
{
  const size_t far = 6000;
  (void)play_scene(scene, far);
  return far - (size_t)(w.called_at - w.low);
}

/* One after the other, on the same stack; at `least` bytes and above they must happen. */
static void play_at_distances(const wasmfx_runtime_config_t *config, const struct scene *scene, size_t least,
                              size_t most)
{
  static char before[NEIGHBOUR_BYTES], after[NEIGHBOUR_BYTES];
  size_t happened = 0;
  begin(config);
  make_neighbour();
  const size_t frame = (frame_of(scene) + 15) / 16 * 16;
  forget(scene);
  const char *below = w.low - WFX_STACK_RESERVE - NEIGHBOUR_BYTES;
  for (size_t distance = 0; distance <= most; distance += distance < 512 ? 16 : 112) {
    copy(before, below);
    const wasmfx_status_t status = play_scene(scene, frame + distance).status;
    copy(after, below);
    assert_true(w.called_at >= w.low);
    if (memcmp(before, after, NEIGHBOUR_BYTES) != 0)
      fail_msg("%s has written below the stack, called %zu bytes above its end", scene->name, distance);
    happened += status != WASMFX_OVERFLOWED;
    assert_true(distance < least || status != WASMFX_OVERFLOWED);
    if (status == WASMFX_OVERFLOWED && scene->prepare != one_that_jumps) /* which has been resumed by then */
      assert_int_equal(wasmfx_cont_state(w.rt, w.other), w.state_of_other);
    assert_int_equal(wasmfx_depth(w.rt), 0);
    assert_null(w.rt->scope);
    forget(scene);
  }
  assert_true(happened > 0);
  end();
}

static void with_less_a_function_has_not_happened_and_nothing_is_written_below(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  for (int is_dense = 0; is_dense < 2; is_dense++) {
    config.stack_policy = is_dense ? WASMFX_STACKS_DENSE : WASMFX_STACKS_SEPARATE;
    config.guard = is_dense ? WASMFX_GUARD_AUTO : WASMFX_GUARD_NONE;
    config.stack_bytes[1] = 16384;
    for (size_t i = 0; i < COUNT_OF(scenes); i++) {
      const size_t room = WFX_STACK_ROOM + (scenes[i].takes_more ? WFX_STACK_MORE_ROOM : 0);
      play_at_distances(&config, &scenes[i], room, room + 1000);
    }
    for (size_t i = 0; i < COUNT_OF(scenes_of_small_ones); i++)
      play_at_distances(&config, &scenes_of_small_ones[i], WFX_STACK_ROOM, WFX_STACK_ROOM + 1000);
    config.stack_bytes[1] = 65536;
    for (size_t i = 0; i < COUNT_OF(scenes_of_walks); i++)
      play_at_distances(&config, &scenes_of_walks[i], 12000, 20000);
  }
}

/* ---- Calls on the host's stack --------------------------------------------------------------------------- */

static void use_stack_and_resume(void *arg)
{
  use_stack(arg);
  assert_outcome(wasmfx_resume_word(w.rt, &w.other, NULL, 0), WASMFX_RETURNED);
}

ACT(call_and_use_there, wasmfx_call_on_host_stack(w.rt, use_stack_and_resume, NULL))

static void what_is_called_on_the_host_stack_has_that_of_the_host(void **state)
{
  static const struct scene scene = SCENE(one_fresh, NULL, call_and_use_there);
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.stack_policy = WASMFX_STACKS_DENSE;
  config.stack_bytes[1] = 4096;
  begin(&config);
  assert_outcome(play_scene(&scene, 0), WASMFX_RETURNED);
  assert_live(w.rt, 0, 0);
  end();
}

/* The host has resumed something further out before it opens a root and keeps something below. */
static __attribute__((noinline)) void keep_under_a_root(void)
{
  volatile char kept[8192];
  wasmfx_scope_t scope;
  for (size_t i = 0; i < sizeof kept; i++)
    kept[i] = (char)i;
  assert_status(wasmfx_root_enter(w.rt, &scope), WASMFX_OK);
  one_that_calls_there();
  assert_outcome(wasmfx_resume_word(w.rt, &w.other, NULL, 0), WASMFX_RETURNED);
  assert_status(wasmfx_root_leave(w.rt, &scope), WASMFX_OK);
  for (size_t i = 0; i < sizeof kept; i++)
    assert_int_equal(kept[i], (char)i);
}

static void what_is_called_from_under_a_root_of_the_host_runs_below_that(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.stack_policy = WASMFX_STACKS_DENSE;
  config.stack_bytes[0] = 4096;
  begin(&config);
  one_that_calls_there();
  assert_outcome(wasmfx_resume_word(w.rt, &w.other, NULL, 0), WASMFX_RETURNED);
  keep_under_a_root();
  end();
}

/* ---- The smallest ---------------------------------------------------------------------------------------- */

static uint64_t use_all_verbs(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  wasmfx_cont_t cont;
  wasmfx_scope_t scope;
  (void)env, (void)from;
  assert_status(wasmfx_cont_new(rt, w.triple, add, NULL, &cont), WASMFX_OK);
  assert_status(wasmfx_cont_bind(rt, &cont, NULL, three, 1), WASMFX_OK);
  assert_outcome(wasmfx_resume(rt, &cont, w.handlers, three + 1, 2), WASMFX_RETURNED);
  assert_status(wasmfx_barrier_enter(rt, &scope), WASMFX_OK);
  assert_status(wasmfx_barrier_leave(rt, &scope), WASMFX_OK);
  assert_status(wasmfx_call_on_host_stack(rt, nothing, NULL), WASMFX_OK);
  assert_status(wasmfx_collect(rt, NULL, NULL), WASMFX_OK);
  return wasmfx_suspend(rt, w.yield, three, 1).values[0].word + word;
}

static void on_the_smallest_stack_a_body_can_call_everything(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.stack_policy = WASMFX_STACKS_DENSE;
  for (size_t hook_bytes = 0; hook_bytes < 600; hook_bytes += 7) {
    config.host_stack_bytes = hook_bytes;
    config.switched = hook_bytes ? switched : NULL;
    config.stack_bytes[0] = 2048 + hook_bytes;
    begin(&config);
    wasmfx_cont_t cont;
    assert_status(wasmfx_cont_new_word(w.rt, w.word, use_all_verbs, NULL, &cont), WASMFX_OK);
    assert_outcome(wasmfx_resume_word(w.rt, &cont, w.handlers, 1), WASMFX_SUSPENDED);
    const wasmfx_outcome_t out = wasmfx_resume_word(w.rt, &cont, w.handlers, 2);
    assert_outcome(out, WASMFX_RETURNED);
    assert_int_equal(out.word, 3);
    end();
  }
}

/* ---- What begins there -------------------------------------------------------------------------------------- */

static void sum(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const size_t count = *(const size_t *)env;
  void *low, *high;
  assert_status(wasmfx_stack_bounds(rt, &low, &high), WASMFX_OK);
  assert_true((char *)high - (char *)__builtin_frame_address(0) < 1024);
  for (size_t i = 0; i < count; i++)
    results[i].i64 = args[count - 1 - i].i64;
}

static void long_lists_leave_a_small_stack_to_the_body(void **state)
{
  wasmfx_runtime_config_t config;
  (void)state;
  wasmfx_runtime_config_init(&config);
  config.stack_policy = WASMFX_STACKS_DENSE;
  for (size_t count = 2; count <= MANY; count += count < 70 ? 1 : 43) {
    wasmfx_value_t values[MANY];
    wasmfx_cont_t cont;
    begin(&config);
    assert_status(wasmfx_type_new(w.rt, w.kinds, count, w.kinds, count, &type_out), WASMFX_OK);
    assert_status(wasmfx_cont_new(w.rt, type_out, sum, &count, &cont), WASMFX_OK);
    for (size_t i = 0; i < count; i++)
      values[i] = i64_value((int64_t)i);
    const wasmfx_outcome_t out = wasmfx_resume(w.rt, &cont, NULL, values, count);
    assert_outcome(out, WASMFX_RETURNED);
    for (size_t i = 0; i < count; i++)
      assert_int_equal(out.values[i].i64, count - 1 - i);
    end();
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(no_function_takes_more_stack_than_it_makes_sure_of),
    cmocka_unit_test(with_less_a_function_has_not_happened_and_nothing_is_written_below),
    cmocka_unit_test(what_is_called_on_the_host_stack_has_that_of_the_host),
    cmocka_unit_test(what_is_called_from_under_a_root_of_the_host_runs_below_that),
    cmocka_unit_test(on_the_smallest_stack_a_body_can_call_everything),
    cmocka_unit_test(long_lists_leave_a_small_stack_to_the_body),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
