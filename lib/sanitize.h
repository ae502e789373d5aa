/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_SANITIZE_H
#define WFX_SANITIZE_H
/**
 * @file sanitize.h
 * What AddressSanitizer has to be told: frames that are abandoned leave their
 * marks in its shadow memory, and the next user of the stack would trip over them.
 */
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define WFX_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WFX_ADDRESS_SANITIZER 1
#endif
#endif

#ifdef WFX_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
static inline void wfx_forget_frames(const volatile void *low, size_t bytes)
{
  __asan_unpoison_memory_region(low, bytes);
}
#else
static inline void wfx_forget_frames(const volatile void *low, size_t bytes)
{
  (void)low;
  (void)bytes;
}
#endif

#endif
