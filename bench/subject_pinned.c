/* SPDX-License-Identifier: Apache-2.0 */
/* The pinned tier: pinned.h, where it is there. */
#include <wasmfx/pinned.h>

#define BENCH_INLINE __attribute__((always_inline))
#define NEW wasmfx_pinned_cont_new_word
#define RESUME wasmfx_pinned_resume_word
#define SUSPEND wasmfx_pinned_suspend_word
#define SWITCH wasmfx_pinned_switch_word
#define WAIT ring.member
#include "subject_library.h"

#if WASMFX_HAVE_FAST
#define MISSING NULL
#else
#define MISSING "not with this compiler"
#endif

const struct subject subject_pinned = {
  .name = "pinned",
  .about = "pinned.h, inlined over the layout",
  .missing = MISSING,
  .asks = LIBRARY_ANSWERS,
};
