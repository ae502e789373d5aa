/* SPDX-License-Identifier: Apache-2.0 */
/* What lowered modules import, for those that are compiled without wasmfx-rt-imports.h in front. */
#define WASMFX_RT_OPAQUE
#include "wasmfx-rt-imports.h"
