/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does something wrong in a continuation that was suspended meanwhile, or its harmless twin, for sees.sh to find out
 * whether a tool sees the one and not the other.
 *
 *     sees ACT
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasmfx/wasmfx.h>

enum { THREADS = 8, TURNS = 1000 };

struct place {
  wasmfx_runtime_t *rt;
  wasmfx_type_t *type; /* [] -> [] */
  wasmfx_tag_t *pause; /* the same */
};

static void pause_in(struct place *place)
{
  if (wasmfx_suspend_word(place->rt, place->pause, 0).status != WASMFX_RETURNED)
    abort();
}

static volatile size_t length = 16;
static volatile int sink;

/* ---- Beyond the end of a variable ------------------------------------------------------- */

static void write_to_the_end(struct place *place, size_t count)
{
  char variable[16];
  char *volatile at = variable;
  pause_in(place);
  for (volatile size_t i = 0; i < count; i++)
    at[i] = 1;
  sink = variable[length - 1];
}

static void within(struct place *place)
{
  write_to_the_end(place, length);
}

static void beyond(struct place *place)
{
  write_to_the_end(place, length + 1);
}

/* ---- After the function of a variable has returned ------------------------------------------- */

static volatile int *variable_at;

static __attribute__((noinline)) void have_a_variable(volatile int *from_outside)
{
  volatile int variable[64];
  memset((void *)(uintptr_t)variable, 0, sizeof(variable));
  variable_at = from_outside ? from_outside : &variable[1];
  sink = *variable_at;
}

static void before_return(struct place *place)
{
  volatile int variable = 1;
  have_a_variable(&variable);
  pause_in(place);
  sink = *variable_at;
}

static void after_return(struct place *place)
{
  have_a_variable(NULL);
  pause_in(place);
  sink = *variable_at;
}

/* ---- What nobody has written ---------------------------------------------------------------- */

static void look_at_a_variable(struct place *place, size_t written)
{
  volatile int variable[16];
  pause_in(place);
  for (size_t i = 0; i < written; i++)
    variable[i] = 1;
  if (variable[length - 1] == 1)
    sink = 1;
}

static void written(struct place *place)
{
  look_at_a_variable(place, length);
}

static void unwritten(struct place *place)
{
  look_at_a_variable(place, 1);
}

/* Where it is passed and looked at by nobody, either way, it harms nobody. */
static uint64_t give_unwritten(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct place *place = env;
  volatile uint64_t variable;
  if (place->rt != rt || from != WASMFX_NULL_CONT)
    abort();
  (void)word;
  return variable;
}

static void passed(struct place *place)
{
  volatile uint64_t variable;
  wasmfx_cont_t cont;
  if (wasmfx_cont_new_word(place->rt, place->type, give_unwritten, place, &cont) < 0)
    abort();
  if (wasmfx_resume_word(place->rt, &cont, NULL, variable).status != WASMFX_RETURNED)
    abort();
}

/* ---- Two threads at once ------------------------------------------------------------------------ */

static int counter;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void guarded(struct place *place)
{
  for (int i = 0; i < TURNS; i++) {
    pause_in(place);
    pthread_mutex_lock(&lock);
    counter++;
    pthread_mutex_unlock(&lock);
  }
}

static void unguarded(struct place *place)
{
  for (int i = 0; i < TURNS; i++) {
    pause_in(place);
    counter++;
  }
}

/* ---- Running one ---------------------------------------------------------------------------------- */

static const struct act {
  const char *name;
  void (*act)(struct place *place);
  int threads;
} acts[] = {
  { "within", within, 1 },       { "beyond", beyond, 1 },
  { "before-return", before_return, 1 }, { "after-return", after_return, 1 },
  { "written", written, 1 },     { "unwritten", unwritten, 1 },
  { "passed", passed, 1 },
  { "guarded", guarded, THREADS }, { "unguarded", unguarded, THREADS },
};

static const struct act *chosen;

static uint64_t act_inside(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  (void)rt, (void)from;
  chosen->act(env);
  return word;
}

/* A runtime of its own, and in it two continuations that take turns. */
static void *run(void *nothing)
{
  struct place place;
  wasmfx_handlers_t *handlers;
  wasmfx_cont_t conts[2];
  if (wasmfx_runtime_new(NULL, &place.rt) < 0 || wasmfx_type_new(place.rt, NULL, 0, NULL, 0, &place.type) < 0 ||
      wasmfx_tag_new(place.rt, place.type, &place.pause) < 0 ||
      wasmfx_handlers_new(place.rt, &(wasmfx_clause_t){ .tag = place.pause }, 1, &handlers) < 0 ||
      wasmfx_cont_new_word(place.rt, place.type, act_inside, &place, &conts[0]) < 0 ||
      wasmfx_cont_new_word(place.rt, place.type, act_inside, &place, &conts[1]) < 0)
    abort();
  for (size_t left = 2; left;)
    for (size_t i = 0; i < 2; i++)
      if (wasmfx_cont_state(place.rt, conts[i]) != WASMFX_STATE_CONSUMED)
        left -= wasmfx_resume_word(place.rt, &conts[i], handlers, 0).status == WASMFX_RETURNED;
  if (wasmfx_runtime_free(place.rt, NULL) < 0)
    abort();
  return nothing;
}

int main(int argc, char **argv)
{
  pthread_t threads[THREADS];
  for (size_t i = 0; argc == 2 && i < sizeof(acts) / sizeof(acts[0]); i++)
    if (strcmp(argv[1], acts[i].name) == 0)
      chosen = &acts[i];
  if (!chosen)
    return 2;
  for (int i = 1; i < chosen->threads; i++)
    if (pthread_create(&threads[i], NULL, run, NULL) != 0)
      abort();
  run(NULL);
  for (int i = 1; i < chosen->threads; i++)
    pthread_join(threads[i], NULL);
  puts("done");
  return 0;
}
