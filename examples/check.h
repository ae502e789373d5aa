/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_EXAMPLES_CHECK_H
#define WASMFX_EXAMPLES_CHECK_H
/** @file check.h  What the examples do with a status that they did not expect: say so, and give up. */
#include <stdio.h>
#include <stdlib.h>

#include <wasmfx/wasmfx.h>

static inline _Noreturn void give_up(wasmfx_status_t status, wasmfx_status_t expected)
{
  fprintf(stderr, "expected \"%s\", got \"%s\"\n", wasmfx_status_text(expected), wasmfx_status_text(status));
  exit(EXIT_FAILURE);
}

static inline void expect(wasmfx_status_t status, wasmfx_status_t expected)
{
  if (status != expected)
    give_up(status, expected);
}

static inline void ok(wasmfx_status_t status)
{
  expect(status, WASMFX_OK);
}

#endif
