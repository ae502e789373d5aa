/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_LOWER_AGAIN_H
#define WASMFX_TESTS_LOWER_AGAIN_H
/** @file again.h  What is lowered is a module again, which the same rules find valid, of what core engines have. */
#include "lower.h"

/**
 * Lowers a module that has been validated, and validates what comes out. Answers what is wrong, or NULL; what the tool
 * says it cannot lower is right, then `module->error` is set. `written` receives the size of the lowered module.
 */
const char *lower_again(struct wl_module *module, size_t *written);

#endif
