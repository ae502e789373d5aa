/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_COUNTERS_H
#define WASMFX_TESTS_COUNTERS_H
/** @file counters.h  In builds with coverage, what a child has run counts too: it ends by _exit(), which saves nothing. */

#ifdef WITH_COUNTERS
void __gcov_dump(void);
static inline void save_counters(void)
{
  __gcov_dump();
}
#else
static inline void save_counters(void)
{
}
#endif

#endif
