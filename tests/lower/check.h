/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_LOWER_CHECK_H
#define WASMFX_TESTS_LOWER_CHECK_H
/** @file check.h  Modules, right or wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "validate.h"
#include "world.h"

/** Reads and validates. */
bool is_valid(struct wl_module *module, const struct bytes *bytes);

/** A module that has to be valid if `expected` is NULL, or to fail with what begins so. */
void check_module(const char *name, const struct bytes *bytes, const char *expected);

#endif
