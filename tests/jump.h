/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_JUMP_H
#define WASMFX_TESTS_JUMP_H
/**
 * @file jump.h
 * setjmp and longjmp for jumps from one stack to another. The longjmp that
 * ThreadSanitizer puts in place of that of the C library ends the process where the setjmp
 * was not on the running fiber, and there is no way to tell it. So they jump by the
 * one that it hides.
 */
#include <setjmp.h>

#include "tools.h"

#if WITH_THREAD_SANITIZER
#include <dlfcn.h>
#include <stdlib.h>

static inline _Noreturn void jump_across_stacks(jmp_buf place, int value)
{
  void (*jump)(jmp_buf place, int value);
  *(void **)&jump = dlsym(dlopen("libc.so.6", RTLD_LAZY), "longjmp");
  jump(place, value);
  abort();
}
#undef longjmp
#define longjmp jump_across_stacks
#endif

#endif
