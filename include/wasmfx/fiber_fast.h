/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_FIBER_FAST_H
#define WASMFX_FIBER_FAST_H
/**
 * @file fiber_fast.h
 * Opt-in: fiber_resume() and fiber_yield() without a function call.
 *
 * The functions do what those of fiber.h do that have the same names without `fast`, and the two meet: what has
 * yielded by one may be resumed by the other, in any file of a program. Where WASMFX_HAVE_FAST is 0 they are those
 * functions; and where the library has more to do than to switch, they call them.
 *
 * A file that defines WASMFX_FIBER_FAST_NAMES before it includes this header gets them under the names of fiber.h, and
 * need not be changed otherwise.
 *
 * *How, where, and not in which functions:* see fast.h, to which this adds two entry points. What is agreed on with the
 * library is registers again. Fibers stay opaque, and the variables of a thread that they need are the library's own
 * business.
 *
 *     resume    rdi fiber   rsi argument   r8 landing
 *     yield                 rsi argument   r8 landing
 *     after     rsi word    rdx, rcx       for wasmfx_fiber_resumed(), unless rcx is FIBER_OK or FIBER_YIELD
 */
#include <wasmfx/fast.h>
#include <wasmfx/fiber.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What fiber_fast_resume() leaves to the library: answers what that is to return. Not for callers. */
WASMFX_API void *wasmfx_fiber_resumed(uint64_t event, wasmfx_cont_t cont, uint64_t word, fiber_result_t *status);

#if WASMFX_HAVE_FAST
/* Where the library is entered: code that follows no calling convention. Not for callers. */
WASMFX_API extern const char wasmfx_fast_fiber_resume[];
WASMFX_API extern const char wasmfx_fast_fiber_yield[];
#endif

#ifdef __cplusplus
}
#endif

#if WASMFX_HAVE_FAST

/** fiber_resume(). */
WASMFX_FAST_INLINE void *fiber_fast_resume(fiber_t fiber, void *arg, fiber_result_t *status)
{
  uint64_t event, cont;
  __asm__ volatile goto(WASMFX_FAST_GO("wasmfx_fast_fiber_resume")
               : "+D"(fiber), "+S"(arg), "=d"(cont), "=c"(event)
               :
               : "rbx", WASMFX_FAST_REGISTERS
               : declined);
  WASMFX_FAST_ARRIVED();
  if (__builtin_expect(event > (uint64_t)FIBER_YIELD, 0))
    return wasmfx_fiber_resumed(event, cont, (uint64_t)(uintptr_t)arg, status);
  if (status)
    *status = (fiber_result_t)event;
  return arg;
declined:
  WASMFX_FAST_ARRIVED();
  return fiber_resume(fiber, arg, status);
}

/** fiber_yield(). */
WASMFX_FAST_INLINE void *fiber_fast_yield(void *arg)
{
  __asm__ volatile goto(WASMFX_FAST_GO("wasmfx_fast_fiber_yield")
               : "+S"(arg)
               :
               : "rdi", "rdx", "rcx", "rbx", WASMFX_FAST_REGISTERS
               : declined);
  WASMFX_FAST_ARRIVED();
  return arg;
declined:
  WASMFX_FAST_ARRIVED();
  return fiber_yield(arg);
}

#else

/** fiber_resume(). */
WASMFX_FAST_INLINE void *fiber_fast_resume(fiber_t fiber, void *arg, fiber_result_t *status)
{
  return fiber_resume(fiber, arg, status);
}

/** fiber_yield(). */
WASMFX_FAST_INLINE void *fiber_fast_yield(void *arg)
{
  return fiber_yield(arg);
}

#endif

#ifdef WASMFX_FIBER_FAST_NAMES
#define fiber_resume fiber_fast_resume
#define fiber_yield fiber_fast_yield
#endif
#endif
