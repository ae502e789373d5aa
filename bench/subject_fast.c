/* SPDX-License-Identifier: Apache-2.0 */
/* The fast tier: fast.h, where it is there. */
#include <wasmfx/fast.h>

#define BENCH_INLINE __attribute__((always_inline))
#define NEW wasmfx_cont_new_word
#define RESUME wasmfx_fast_resume_word
#define SUSPEND wasmfx_fast_suspend_word
#define SWITCH wasmfx_fast_switch_word
#define WAIT NULL
#include "subject_library.h"

#if WASMFX_HAVE_FAST
#define MISSING NULL
#else
#define MISSING "not with this compiler"
#endif

const struct subject subject_fast = {
  .name = "fast",
  .about = "fast.h, static",
  .missing = MISSING,
  .asks = LIBRARY_ANSWERS,
};

const struct subject subject_fast_shared = {
  .name = "fast-shared",
  .about = "fast.h, shared",
  .missing = MISSING,
  .elsewhere = "fast",
  .asks = LIBRARY_ANSWERS,
};
