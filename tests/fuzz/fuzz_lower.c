/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules, right or wrong, read, validated and lowered by wasmfx-lower.
 *
 *     | 0 | a module ...
 *     | 1 | the type of a function | its locals and its code, without the last `end`
 *
 * The latter stand in a module that has all they need. There has to be an answer, in memory that the size of the
 * module limits, and one that can be said; and what a valid module is lowered to has to be valid, of what core engines
 * have.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "again.h"
#include "fuzz.h"
#include "validate.h"
#include "world.h"

enum {
  LONGEST_INPUT = 1 << 14,
  MEMORY_TIMES = 8, /* of the input, to validate */
  MEMORY_LEAST = 1 << 16,
  LOWERING_TIMES = 20, /* to lower */
  LOWERING_LEAST = (1 << 18) + MEMORY_LEAST,
};

static void check(bool holds)
{
  if (!holds)
    abort();
}

static void try_to_lower(struct wl_module *module, size_t size)
{
  size_t written;
  check(!lower_again(module, &written));
  check(module->memory.most <= LOWERING_TIMES * size + LOWERING_LEAST);
}

static void try_module(const uint8_t *bytes, size_t size)
{
  struct wl_module module;
  const bool is_valid = wl_read(&module, bytes, size) && wl_validate(&module);
  const struct wl_error *error = &module.error;
  check(is_valid == (error->fault == WL_RIGHT));
  check(is_valid || (error->offset <= size && error->text[0] && strlen(error->text) < sizeof error->text));
  if (error->function != WL_NONE) {
    const struct wl_name name = wl_function_name(&module, error->function);
    check(name.at <= size && name.length <= size - name.at);
  }
  check(module.memory.most <= MEMORY_TIMES * size + MEMORY_LEAST);
  if (is_valid)
    try_to_lower(&module, size);
  wl_module_free(&module);
}

/* One without locals begins with a zero, as in the format. */
static void try_body(const uint8_t *data, size_t size)
{
  static struct bytes module;
  if (size < 2)
    return;
  make_world(&module, &(struct body){ .type = data[0], .locals = data + 1, .locals_count = 1,
                                      .code = data + 2, .code_count = size - 2 });
  try_module(module.at, module.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0 || size > LONGEST_INPUT)
    return 0;
  if (data[0] == 0)
    try_module(data + 1, size - 1);
  else
    try_body(data + 1, size - 1);
  return 0;
}
