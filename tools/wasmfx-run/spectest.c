/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of the module `spectest` that WebAssembly's own tests print with: a line each, with their values. */
#include <inttypes.h>
#include <stdio.h>

#include "given.h"

struct line {
  bool has_integer;
  int64_t integer;
  int float_count;
  int digits; /* that tell floats of this size from each other */
  f64 floats[2];
};

static void print_line(void *arg)
{
  const struct line *line = arg;
  if (line->has_integer)
    printf("%" PRId64, line->integer);
  for (int i = 0; i < line->float_count; i++)
    printf("%s%.*g", i || line->has_integer ? " " : "", line->digits, line->floats[i]);
  puts("");
  fflush(stdout);
}

/* The C library wants more stack than a continuation may have. */
static void print(struct line line)
{
  wasmfx_rt_call_on_host_stack(host_rt, print_line, &line);
}

void Z_spectestZ_print(struct Z_spectest_instance_t *instance)
{
  (void)instance;
  print((struct line){ .has_integer = false });
}

void Z_spectestZ_print_i32(struct Z_spectest_instance_t *instance, u32 value)
{
  (void)instance;
  print((struct line){ .has_integer = true, .integer = (int32_t)value });
}

void Z_spectestZ_print_i64(struct Z_spectest_instance_t *instance, u64 value)
{
  (void)instance;
  print((struct line){ .has_integer = true, .integer = (int64_t)value });
}

void Z_spectestZ_print_f32(struct Z_spectest_instance_t *instance, f32 value)
{
  (void)instance;
  print((struct line){ .float_count = 1, .digits = 9, .floats = { (f64)value } });
}

void Z_spectestZ_print_f64(struct Z_spectest_instance_t *instance, f64 value)
{
  (void)instance;
  print((struct line){ .float_count = 1, .digits = 17, .floats = { value } });
}

void Z_spectestZ_print_i32_f32(struct Z_spectest_instance_t *instance, u32 integer, f32 value)
{
  (void)instance;
  print((struct line){ true, (int32_t)integer, 1, 9, { (f64)value } });
}

void Z_spectestZ_print_f64_f64(struct Z_spectest_instance_t *instance, f64 first, f64 second)
{
  (void)instance;
  print((struct line){ .float_count = 2, .digits = 17, .floats = { first, second } });
}
