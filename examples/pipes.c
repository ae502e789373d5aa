/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How do the stages of a pipeline run, if each is written as if it were alone?
 *
 *     numbers | primes | head
 *
 * Between two neighbours is a pipe with room for a few values. A stage that finds
 * its pipe full, or empty, switches to the neighbour at the other end. At any time
 * one stage runs; each pipe holds the continuation of the neighbour that does not:
 *
 *     numbers runs:            [primes]  [head]
 *     primes runs:   [numbers]           [head]
 *     head runs:     [numbers] [primes]
 *
 * The numbers never end. When head has enough it returns, and main breaks the pipes
 * behind it: it throws an exception into whoever still waits there.
 *
 * Expected output:
 *
 *     2 3 5 7 11 13 17 19 23 29
 *     primes: broken pipe
 *     numbers: broken pipe
 *     never more than 4 values in a pipe; 40 numbers made, 26 switches
 *
 * Next: async_poll.c, where what a task waits for comes from outside.
 */
#include <stdbool.h>

#include "check.h"

enum { CAPACITY = 4 };

struct pipe {
  int values[CAPACITY];
  size_t first, count;
  wasmfx_cont_t neighbour; /* at whichever end does not run */
};

static wasmfx_runtime_t *runtime;
static wasmfx_tag_t *hand_over; /* for switching */
static wasmfx_tag_t *broken;    /* an exception */
static struct pipe numbers_to_primes, primes_to_head;
static size_t most, made, switches;

/* Runs the neighbour until it needs us. False if the pipe is broken. */
static bool switch_over(struct pipe *pipe)
{
  switches++;
  /* The two ends share this variable: it names the target now, and who switched here afterwards. */
  const wasmfx_outcome_t outcome = wasmfx_switch(runtime, &pipe->neighbour, hand_over, NULL, NULL, 0);
  if (outcome.status == WASMFX_THREW)
    return false;
  expect(outcome.status, WASMFX_RETURNED);
  return true;
}

static bool put(struct pipe *pipe, int value)
{
  if (pipe->count == CAPACITY && !switch_over(pipe))
    return false;
  pipe->values[(pipe->first + pipe->count++) % CAPACITY] = value;
  most = pipe->count > most ? pipe->count : most;
  return true;
}

static bool get(struct pipe *pipe, int *value)
{
  if (pipe->count == 0 && !switch_over(pipe))
    return false;
  *value = pipe->values[pipe->first];
  pipe->first = (pipe->first + 1) % CAPACITY;
  pipe->count--;
  return true;
}

static void numbers(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env, (void)results;
  numbers_to_primes.neighbour = args[0].contref; /* who wanted the first number */
  for (int number = 2; put(&numbers_to_primes, number); number++)
    made++;
  puts("numbers: broken pipe");
}

static bool is_prime(int number)
{
  for (int divisor = 2; divisor * divisor <= number; divisor++)
    if (number % divisor == 0)
      return false;
  return true;
}

static void primes(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env, (void)results;
  primes_to_head.neighbour = args[0].contref;
  int number;
  while (get(&numbers_to_primes, &number))
    if (is_prime(number) && !put(&primes_to_head, number))
      break;
  puts("primes: broken pipe");
}

static void head(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  (void)rt, (void)env, (void)args, (void)results;
  int prime;
  for (int i = 0; i < 10 && get(&primes_to_head, &prime); i++)
    printf("%d ", prime);
  puts("");
}

int main(void)
{
  static const wasmfx_kind_t contref = WASMFX_CONTREF;
  wasmfx_type_t *thunk, *of_stage;
  wasmfx_handlers_t *on_hand_over;
  ok(wasmfx_runtime_new(NULL, &runtime));
  ok(wasmfx_type_new(runtime, NULL, 0, NULL, 0, &thunk));
  ok(wasmfx_type_new(runtime, &contref, 1, NULL, 0, &of_stage));
  ok(wasmfx_tag_new(runtime, thunk, &hand_over));
  ok(wasmfx_tag_new(runtime, thunk, &broken));
  ok(wasmfx_handlers_new(runtime, &(wasmfx_clause_t){ .tag = hand_over, .kind = WASMFX_ON_SWITCH }, 1, &on_hand_over));

  wasmfx_cont_t last;
  const wasmfx_value_t from_main = { .contref = WASMFX_NULL_CONT };
  ok(wasmfx_cont_new(runtime, of_stage, numbers, NULL, &numbers_to_primes.neighbour));
  ok(wasmfx_cont_new(runtime, of_stage, primes, NULL, &primes_to_head.neighbour));
  ok(wasmfx_cont_new(runtime, of_stage, head, NULL, &last));
  expect(wasmfx_resume(runtime, &last, on_hand_over, &from_main, 1).status, WASMFX_RETURNED);
  expect(wasmfx_resume_throw(runtime, &primes_to_head.neighbour, NULL, broken, NULL, 0).status, WASMFX_RETURNED);
  expect(wasmfx_resume_throw(runtime, &numbers_to_primes.neighbour, NULL, broken, NULL, 0).status, WASMFX_RETURNED);
  printf("never more than %zu values in a pipe; %zu numbers made, %zu switches\n", most, made, switches);
  ok(wasmfx_runtime_free(runtime, NULL));
  return 0;
}
