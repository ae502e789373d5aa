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

/* The stack policies, where they make a difference. */
#define POLICY_ANSWERS                                                                                                 \
  [RR100] = round_robin_100, [RR10000] = round_robin_10000, [C10M_IO0] = c10m, ANSWERS_WITH_WORK,                      \
    [SUSPENDED] = suspended, [FRESH] = fresh

const struct subject subject_fast_default = {
  .name = "fast/default",
  .about = "the same as fast, beside",
  .missing = MISSING,
  .asks = { POLICY_ANSWERS },
};

/* Beside `fast` in the curves as well. */
const struct subject subject_fast_dense = {
  .name = "fast/dense",
  .about = "fast.h, small stacks side by side, without guards",
  .missing = MISSING,
  .dense = true,
  .asks = { POLICY_ANSWERS, ANSWERS_WITH_POINTS },
};
