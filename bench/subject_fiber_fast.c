/* SPDX-License-Identifier: Apache-2.0 */
/* The fiber interface over the fast tier: fiber_fast.h, where that is there. */
#define WASMFX_FIBER_FAST_NAMES
#include <wasmfx/fiber_fast.h>

#define BENCH_INLINE __attribute__((always_inline))
#include "subject_fibers.h"

const struct subject subject_fiber_fast = {
  .name = "fiber-fast",
  .about = "fiber_fast.h of libwasmfx, static",
#if !WASMFX_HAVE_FAST
  .missing = "not with this compiler",
#endif
  .asks = ANSWERS,
};
