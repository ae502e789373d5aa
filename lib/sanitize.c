/* SPDX-License-Identifier: Apache-2.0 */
/* Tells sanitizers of switches. These functions run between two stacks, so they are not instrumented themselves. */
#include "sanitize.h"

#ifdef WFX_ANNOUNCE

#include <string.h>

#include "runtime.h"

#if defined(__has_feature)
#define HAS(sanitizer) __has_feature(sanitizer)
#else
#define HAS(sanitizer) 0
#endif

#if !HAS(memory_sanitizer)
/* The stack that an object stands on; NULL: the host's own. */
WFX_UNCHECKED static struct wfx_stack *stack_under(const struct wasmfx_runtime *rt, const struct wfx_object *object)
{
  while (object->type == NULL && object != (const struct wfx_object *)rt + 1)
    object = object->scope.owner;
  return object->stack;
}

WFX_UNCHECKED static void **track_under(struct wasmfx_runtime *rt, const struct wfx_object *object)
{
  struct wfx_stack *stack = stack_under(rt, object);
  return stack ? &stack->track : &rt->house->track.track;
}
#endif

/* ---- AddressSanitizer ------------------------------------------------------------------ */

#if defined(__SANITIZE_ADDRESS__) || HAS(address_sanitizer)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

WFX_UNCHECKED static void start(struct wasmfx_runtime *rt, const struct wfx_object *to, void **save)
{
  const struct wfx_stack *stack = stack_under(rt, to);
  if (stack)
    __sanitizer_start_switch_fiber(save, wfx_stack_floor(stack), wfx_stack_bytes(stack));
  else
    __sanitizer_start_switch_fiber(save, rt->house->track.low, rt->house->track.bytes);
}

/* Nobody but who arrives is told the bounds of the stack that was left: go there and back. */
WFX_UNCHECKED static void learn_bounds(struct wfx_track *host)
{
  void *here = NULL;
  __sanitizer_start_switch_fiber(&here, NULL, 0);
  __sanitizer_finish_switch_fiber(here, &host->low, &host->bytes);
  __sanitizer_start_switch_fiber(&here, host->low, host->bytes);
  __sanitizer_finish_switch_fiber(here, NULL, NULL);
}

WFX_UNCHECKED void wfx_announce_leaving(struct wasmfx_runtime *rt, struct wfx_object *to)
{
  struct wfx_track *host = &rt->house->track;
  void **track = track_under(rt, rt->transfer.from);
  if (track == &host->track)
    learn_bounds(host);
  start(rt, to, track);
}

WFX_UNCHECKED void wfx_announce_ending(struct wasmfx_runtime *rt, struct wfx_object *to)
{
  start(rt, to, NULL);
}

WFX_UNCHECKED void wfx_announce_landed(struct wasmfx_runtime *rt)
{
  void **track = track_under(rt, rt->current);
  void *fake_stack = *track;
  *track = NULL;
  __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
}

/* Goes to a fake stack that nobody needs any more, and leaves it for good. */
WFX_UNCHECKED static void release(void *fake_stack)
{
  if (!fake_stack)
    return;
  void *here = NULL;
  const void *low;
  size_t bytes;
  __sanitizer_start_switch_fiber(&here, NULL, 0);
  __sanitizer_finish_switch_fiber(fake_stack, &low, &bytes);
  __sanitizer_start_switch_fiber(NULL, low, bytes);
  __sanitizer_finish_switch_fiber(here, NULL, NULL);
}

/* What calls this may have variables on the fake stack that is left: it goes at the next occasion. */
WFX_UNCHECKED void wfx_announce_jump(struct wasmfx_runtime *rt, struct wfx_object *target)
{
  if (stack_under(rt, rt->current) == stack_under(rt, target))
    return;
  void **track = track_under(rt, target), *fake_stack = *track;
  *track = NULL;
  release(rt->house->track.leaving);
  start(rt, target, &rt->house->track.leaving);
  __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
}

WFX_UNCHECKED void wfx_announce_death(struct wasmfx_runtime *rt, struct wfx_stack *stack)
{
  (void)rt;
  release(stack->track);
  stack->track = NULL;
  __asan_unpoison_memory_region(wfx_stack_floor(stack), wfx_stack_bytes(stack));
}

WFX_UNCHECKED void wfx_announce_end(struct wasmfx_runtime *rt)
{
  release(rt->house->track.leaving);
}

WFX_UNCHECKED const void *wfx_fake_frame(const struct wfx_stack *stack, uintptr_t address, size_t *bytes)
{
  void *low, *high, *fake_stack = stack->track ? stack->track : __asan_get_current_fake_stack();
  if (!fake_stack || !__asan_addr_is_in_fake_stack(fake_stack, (void *)address, &low, &high))
    return NULL;
  *bytes = (size_t)((char *)high - (char *)low);
  return low;
}

#else

WFX_UNCHECKED const void *wfx_fake_frame(const struct wfx_stack *stack, uintptr_t address, size_t *bytes)
{
  (void)stack, (void)address, (void)bytes;
  return NULL;
}

#endif

/* ---- ThreadSanitizer --------------------------------------------------------------------- */

#if defined(__SANITIZE_THREAD__) || HAS(thread_sanitizer)
#include <sanitizer/tsan_interface.h>

/* How instrumented functions begin and end. */
extern void __tsan_func_entry(void *caller);
extern void __tsan_func_exit(void);

WFX_UNCHECKED static void go_to(struct wasmfx_runtime *rt, const struct wfx_object *to)
{
  void **track = track_under(rt, to);
  if (!*track)
    *track = __tsan_create_fiber(0);
  __tsan_switch_to_fiber(*track, 0);
}

WFX_UNCHECKED void wfx_announce_leaving(struct wasmfx_runtime *rt, struct wfx_object *to)
{
  void **track = track_under(rt, rt->transfer.from);
  if (track == &rt->house->track.track)
    *track = __tsan_get_current_fiber();
  go_to(rt, to);
}

WFX_UNCHECKED void wfx_announce_ending(struct wasmfx_runtime *rt, struct wfx_object *to)
{
  go_to(rt, to);
}

WFX_UNCHECKED void wfx_announce_landed(struct wasmfx_runtime *rt)
{
  void *fiber = rt->house->track.leaving;
  rt->house->track.leaving = NULL;
  if (fiber)
    __tsan_destroy_fiber(fiber);
}

/* The function that calls this began on one fiber and ends on another. Each keeps account of its own functions. */
WFX_UNCHECKED void wfx_announce_jump(struct wasmfx_runtime *rt, struct wfx_object *target)
{
  if (stack_under(rt, rt->current) == stack_under(rt, target))
    return;
  __tsan_func_exit();
  go_to(rt, target);
  __tsan_func_entry(__builtin_return_address(0));
}

WFX_UNCHECKED void wfx_announce_death(struct wasmfx_runtime *rt, struct wfx_stack *stack)
{
  void *fiber = stack->track;
  stack->track = NULL;
  if (fiber && fiber == __tsan_get_current_fiber())
    rt->house->track.leaving = fiber;
  else if (fiber)
    __tsan_destroy_fiber(fiber);
}

WFX_UNCHECKED void wfx_announce_end(struct wasmfx_runtime *rt)
{
  (void)rt;
}

#endif

/* ---- MemorySanitizer ----------------------------------------------------------------------- */

#if HAS(memory_sanitizer)
#include <sanitizer/msan_interface.h>

/* Where instrumented code puts the shadows of arguments and results. */
extern _Thread_local uint64_t __msan_param_tls[100], __msan_retval_tls[100];

WFX_UNCHECKED void wfx_announce_call(void)
{
  memset(__msan_param_tls, 0, sizeof __msan_param_tls);
  memset(__msan_retval_tls, 0, sizeof __msan_retval_tls);
}

WFX_UNCHECKED void wfx_announce_landed(struct wasmfx_runtime *rt)
{
  (void)rt;
  wfx_announce_call();
}

WFX_UNCHECKED void wfx_announce_leaving(struct wasmfx_runtime *rt, struct wfx_object *to)
{
  (void)rt;
  (void)to;
}

WFX_UNCHECKED void wfx_announce_ending(struct wasmfx_runtime *rt, struct wfx_object *to)
{
  (void)rt;
  (void)to;
}

WFX_UNCHECKED void wfx_announce_jump(struct wasmfx_runtime *rt, struct wfx_object *target)
{
  (void)rt;
  (void)target;
}

WFX_UNCHECKED void wfx_announce_death(struct wasmfx_runtime *rt, struct wfx_stack *stack)
{
  (void)rt;
  (void)stack;
}

WFX_UNCHECKED void wfx_announce_end(struct wasmfx_runtime *rt)
{
  (void)rt;
}

/* What they write counts as not written, and libc is asked to look. */
WFX_UNCHECKED void wfx_announce_strangers(bool are_called)
{
  if (are_called)
    __msan_scoped_disable_interceptor_checks();
  else
    __msan_scoped_enable_interceptor_checks();
}

#else

WFX_UNCHECKED void wfx_announce_call(void)
{
}

WFX_UNCHECKED void wfx_announce_strangers(bool are_called)
{
  (void)are_called;
}

#endif
#endif
