/* SPDX-License-Identifier: Apache-2.0 */
/* Modules, right or wrong. */
#include "check.h"

#include <string.h>

#include "again.h"

bool is_valid(struct wl_module *module, const struct bytes *bytes)
{
  return wl_read(module, bytes->at, bytes->count) && wl_validate(module);
}

void check_module(const char *name, const struct bytes *bytes, const char *expected)
{
  struct wl_module module;
  const bool valid = is_valid(&module, bytes);
  const struct wl_error error = module.error;
  size_t written;
  const char *wrong = valid ? lower_again(&module, &written) : NULL;
  wl_module_free(&module);
  assert_int_equal(module.memory.given, 0);
  if (!expected && !valid)
    fail_msg("%s: should be valid, and is said to be wrong: %s", name, error.text);
  if (wrong)
    fail_msg("%s: what it is lowered to is no core module: %s", name, wrong);
  if (expected && valid)
    fail_msg("%s: should be refused with \"%s\", and is said to be valid", name, expected);
  if (expected && strncmp(error.text, expected, strlen(expected)) != 0)
    fail_msg("%s: should be refused with \"%s\", and is with \"%s\"", name, expected, error.text);
}
