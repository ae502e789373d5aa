/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How does a game go on whatever its plugins do?
 *
 * Each plugin runs as a continuation, on a stack of its own, and is resumed once in
 * each frame. What it may call are functions of the host, and each of these looks at
 * the plugin's budget first: so many calls in a frame, so much time. Whoever is over
 * it is ended there, by a trap. So is whoever runs out of stack. An exception ends it
 * as well. None of that concerns the host, which sees an outcome of its resume.
 *
 * Time is that of the processor, so that a busy machine is not the plugin's fault. A
 * plugin that never calls its host cannot be ended in this way; that takes a thread
 * or a process of its own.
 *
 * Expected output:
 *
 *     frame 1
 *       clock: tick
 *       greedy: waits for frame 2
 *       greedy is ended: too many calls in one frame
 *       maze: looks for the way out
 *       quest: opens level 2
 *       slow: adds up
 *       slow is ended: out of time
 *     frame 2
 *       clock: tock
 *       maze is ended: call stack exhausted
 *       quest is ended: exception "no such level"
 *     frame 3
 *       clock: tick
 *     the game is over, with 1 plugin left
 *
 * Next: jit, where a compiler emits the switch itself.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "library.h"

#include <time.h>

#include <wasmfx/overflow.h>

#include "../check.h"

enum { CALLS_PER_FRAME = 100, MILLISECONDS_PER_FRAME = 100, STACK_RESERVE = 16 * 1024, FRAMES = 3, PLUGINS = 5 };
enum { TRAP_CALLS = 1, TRAP_TIME, TRAP_STACK };
static const char *const trap_texts[] = {
  [TRAP_CALLS] = "too many calls in one frame", [TRAP_TIME] = "out of time", [TRAP_STACK] = "call stack exhausted"
};

struct plugin {
  const char *name;
  struct library library;
  wasmfx_cont_t cont; /* null once it has ended */
  int calls;          /* in this frame */
  int64_t deadline;
};

static wasmfx_runtime_t *runtime;
static wasmfx_tag_t *waiting; /* [] -> [] */
static wasmfx_tag_t *failure; /* [text], an exception */
static struct plugin plugins[PLUGINS] = {
  { .name = "clock" }, { .name = "greedy" }, { .name = "maze" }, { .name = "quest" }, { .name = "slow" }
};
static int current_frame;

static int64_t milliseconds(void)
{
  struct timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* ---- What plugins call: on the plugin's own stack ---------------------------- */

/* Who calls. Does not come back if that one is over its budget, or has not stack enough for what the host does. */
static struct plugin *enter_host(void)
{
  struct plugin *caller = *wasmfx_host_word(runtime);
  void *low, *high;
  ok(wasmfx_stack_bounds(runtime, &low, &high));
  if ((uintptr_t)&low - (uintptr_t)low < STACK_RESERVE)
    wasmfx_trap(runtime, TRAP_STACK);
  if (++caller->calls > CALLS_PER_FRAME)
    wasmfx_trap(runtime, TRAP_CALLS);
  if (milliseconds() > caller->deadline)
    wasmfx_trap(runtime, TRAP_TIME);
  return caller;
}

static void say(const char *text)
{
  printf("  %s: %s\n", enter_host()->name, text);
}

static int frame(void)
{
  (void)enter_host();
  return current_frame;
}

static void next_frame(void)
{
  (void)enter_host();
  expect(wasmfx_suspend(runtime, waiting, NULL, 0).status, WASMFX_RETURNED);
}

static void fail(const char *why)
{
  (void)enter_host();
  ok(wasmfx_throw(runtime, failure, &(wasmfx_value_t){ .externref = (void *)(uintptr_t)why }, 1));
}

static void enter_plugin(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  static const struct plugin_api api = { say, frame, next_frame, fail };
  struct plugin *plugin = env;
  (void)args, (void)results;
  *wasmfx_host_word(rt) = plugin;
  plugin->library.plugin->run(&api);
}

/* Frames of plugins may be abandoned in the middle; those of libc may not, which could hold a lock. */
static int may_abandon(wasmfx_runtime_t *rt, const void *pc)
{
  (void)rt;
  for (int i = 0; i < PLUGINS; i++)
    if (library_has_code(&plugins[i].library, pc))
      return 1;
  return 0;
}

/* ---- The game ---------------------------------------------------------------- */

static void report_end(const struct plugin *plugin, wasmfx_outcome_t outcome)
{
  printf("  %s is ended: ", plugin->name);
  switch (outcome.status) {
  case WASMFX_THREW:
    printf("exception \"%s\"\n", (const char *)outcome.exception->values[0].externref);
    break;
  case WASMFX_TRAPPED:
    puts(trap_texts[outcome.code]);
    break;
  default:
    puts(wasmfx_status_text(outcome.status));
  }
}

static void give_turn(struct plugin *plugin, const wasmfx_handlers_t *on_waiting)
{
  plugin->calls = 0;
  plugin->deadline = milliseconds() + MILLISECONDS_PER_FRAME;
  const wasmfx_outcome_t outcome = wasmfx_resume(runtime, &plugin->cont, on_waiting, NULL, 0);
  if (outcome.status == WASMFX_SUSPENDED)
    return;
  report_end(plugin, outcome);
  library_close(&plugin->library);
}

/* Each plugin is a tenant of its own: it finds nothing in its stack that another has left there. */
static void load(const char *folder, const wasmfx_type_t *thunk)
{
  for (uint32_t i = 0; i < PLUGINS; i++) {
    if (!library_open(&plugins[i].library, folder, "plugin_", plugins[i].name))
      exit(EXIT_FAILURE);
    ok(wasmfx_tenant_set(runtime, i));
    ok(wasmfx_cont_new(runtime, thunk, enter_plugin, &plugins[i], &plugins[i].cont));
  }
}

int main(int argc, char **argv)
{
  static const wasmfx_kind_t externref = WASMFX_EXTERNREF;
  wasmfx_runtime_config_t config;
  wasmfx_type_t *thunk, *of_failure;
  wasmfx_handlers_t *on_waiting;
  size_t left;

  wasmfx_runtime_config_init(&config);
  config.tenants = PLUGINS;
  config.may_abandon = may_abandon;
  ok(wasmfx_runtime_new(&config, &runtime));
  ok(wasmfx_overflow_catch(runtime));
  ok(wasmfx_type_new(runtime, NULL, 0, NULL, 0, &thunk));
  ok(wasmfx_type_new(runtime, &externref, 1, NULL, 0, &of_failure));
  ok(wasmfx_tag_new(runtime, thunk, &waiting));
  ok(wasmfx_tag_new(runtime, of_failure, &failure));
  ok(wasmfx_handlers_new(runtime, &(wasmfx_clause_t){ .tag = waiting, .kind = WASMFX_ON_LABEL }, 1, &on_waiting));
  load(argc > 1 ? argv[1] : ".", thunk); /* the folder of the plugins */

  for (current_frame = 1; current_frame <= FRAMES; current_frame++) {
    printf("frame %d\n", current_frame);
    for (int i = 0; i < PLUGINS; i++)
      if (plugins[i].cont != WASMFX_NULL_CONT)
        give_turn(&plugins[i], on_waiting);
  }
  ok(wasmfx_runtime_free(runtime, &left));
  printf("the game is over, with %zu plugin left\n", left);
  for (int i = 0; i < PLUGINS; i++)
    library_close(&plugins[i].library); /* after the last frame of theirs is gone */
  return 0;
}
