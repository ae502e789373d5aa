/* SPDX-License-Identifier: Apache-2.0 */
/* fiber.h: ordinary calls. */
#define BENCH_INLINE
#include "subject_fibers.h"

const struct subject subject_fiber = {
  .name = "fiber-plain",
  .about = "fiber.h of libwasmfx, static",
  .asks = ANSWERS,
};
