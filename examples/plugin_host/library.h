/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_EXAMPLES_LIBRARY_H
#define WASMFX_EXAMPLES_LIBRARY_H
/**
 * @file library.h
 * A plugin's shared library, and where its code lies.
 */
#include <stdbool.h>

#include "plugin.h"

struct library {
  void *handle;
  const struct plugin_export *plugin;
  const char *code_low, *code_high;
};

/** Loads `folder`/`prefix``name`.so. False, with a word to stderr, if there is none or if it is no plugin. */
bool library_open(struct library *library, const char *folder, const char *prefix, const char *name);
void library_close(struct library *library);

/** Whether an instruction is the plugin's own. Async-signal-safe. */
bool library_has_code(const struct library *library, const void *pc);

#endif
