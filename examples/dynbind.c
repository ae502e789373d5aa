/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How does code get a value from its context that nobody passed to it?
 *
 * It asks, and the innermost handler around it answers. The handler is in
 * dynbind.h. The same body runs four times here, each time with another value.
 *
 * Expected output:
 *
 *     0 0 1 1 2 2 3 3
 *
 * Next: numbers.c, where handlers are functions.
 */
#include "dynbind.h"

static uint64_t ask_twice(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody)
{
  (void)rt, (void)nothing, (void)nobody;
  const struct dynbind *variable = env;
  printf("%d ", dynbind_ask(variable));
  printf("%d ", dynbind_ask(variable));
  return 0;
}

int main(void)
{
  wasmfx_runtime_t *rt;
  ok(wasmfx_runtime_new(NULL, &rt));
  struct dynbind variable = dynbind_new(rt);
  for (int32_t value = 0; value < 4; value++)
    dynbind_run(&variable, value, ask_twice, &variable);
  puts("");
  ok(wasmfx_runtime_free(rt, NULL));
  return 0;
}
