/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_VALIDATE_H
#define WASMFX_LOWER_VALIDATE_H
/** @file validate.h  The typing rules of a module. */
#include "module.h"

/**
 * Validates a module that was read. Answers false with `module->error` set: against the rules, not supported, or
 * malformed in its code. Afterwards all types that the module holds are canonical.
 */
bool wl_validate(struct wl_module *module);

#endif
