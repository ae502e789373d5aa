/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_TOOLS_H
#define WASMFX_TESTS_TOOLS_H
/**
 * @file tools.h
 * Which tool watches a test: one that it is built with, or valgrind. They get in the
 * way of some tests, and some tests in theirs.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#define WITH_ADDRESS_SANITIZER 1
#else
#define WITH_ADDRESS_SANITIZER 0
#endif
#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#define WITH_THREAD_SANITIZER 1
#else
#define WITH_THREAD_SANITIZER 0
#endif
#if HAS_FEATURE(memory_sanitizer)
#define WITH_MEMORY_SANITIZER 1
#else
#define WITH_MEMORY_SANITIZER 0
#endif
/** Each of them takes memory, addresses and maps for itself, and has a malloc of its own. */
#define WITH_SANITIZER (WITH_ADDRESS_SANITIZER || WITH_THREAD_SANITIZER || WITH_MEMORY_SANITIZER)

/** These clean up after a thread, and take the stack that it ends on for the thread's own. */
#define KNOWS_ONE_STACK_A_THREAD (WITH_ADDRESS_SANITIZER || WITH_THREAD_SANITIZER)

#if WITH_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#define WITH_FAKE_STACKS (__asan_get_current_fake_stack() != NULL)
#else
#define WITH_FAKE_STACKS false
#endif

/** For functions that look at all of a stack, which is what the tools are there to forbid. */
#ifdef __clang__
#define LOOKS_ANYWHERE __attribute__((noinline, no_sanitize("address", "thread", "memory", "alignment")))
#else
#define LOOKS_ANYWHERE __attribute__((noinline, no_sanitize("address", "thread", "alignment")))
#endif

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

/** Between these, MemorySanitizer does not look at what functions of others, which it does not know, call of libc. */
#if WITH_MEMORY_SANITIZER
#include <sanitizer/msan_interface.h>
#define STRANGERS_BEGIN() __msan_scoped_disable_interceptor_checks()
#define STRANGERS_END() __msan_scoped_enable_interceptor_checks()
#else
#define STRANGERS_BEGIN() ((void)0)
#define STRANGERS_END() ((void)0)
#endif

#ifdef RUNNING_ON_VALGRIND
static inline bool under_valgrind(void)
{
  return RUNNING_ON_VALGRIND != 0;
}
/** The same to valgrind, before such a function does it: all of [low, high) may be read and written. */
static inline void open_to_looks(const void *low, const void *high)
{
  if (low < high)
    (void)VALGRIND_MAKE_MEM_DEFINED(low, (size_t)((const char *)high - (const char *)low));
}
#else
static inline bool under_valgrind(void)
{
  return false;
}
static inline void open_to_looks(const void *low, const void *high)
{
  (void)low, (void)high;
}
#endif

/** Of a test, or a part of one, that is left out where that holds: says why. */
static inline bool is_left_out(bool where, const char *why)
{
  if (where)
    printf("# left out: %s\n", why);
  return where;
}

#endif
