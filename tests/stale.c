/* SPDX-License-Identifier: Apache-2.0 */
#include "stale.h"

#include <errno.h>

static _Thread_local int variable;

/* Volatile: else a compiler sees that the answer is always the same, calls once, or not at all. */
__attribute__((noinline)) const void *variable_of_this_thread(void)
{
  const void *volatile place = &variable;
  return place;
}

__attribute__((noinline)) const void *errno_of_this_thread(void)
{
  const void *volatile place = &errno;
  return place;
}

uint64_t find_variable(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct places *places = env;
  (void)from;
  places->before = &variable;
  wasmfx_suspend_word(rt, places->pause, 0);
  places->after = &variable;
  return word;
}

uint64_t find_errno(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct places *places = env;
  (void)from;
  places->before = &errno;
  wasmfx_suspend_word(rt, places->pause, 0);
  places->after = &errno;
  return word;
}

uint64_t ask_for_variable(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct places *places = env;
  (void)from;
  places->before = variable_of_this_thread();
  wasmfx_suspend_word(rt, places->pause, 0);
  places->after = variable_of_this_thread();
  return word;
}
