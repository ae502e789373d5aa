/* SPDX-License-Identifier: Apache-2.0 */
/* Backtraces across continuations: libunwind walks, this file knows where a continuation ends. */
#define _GNU_SOURCE /* dladdr */
#include <wasmfx/backtrace.h>

#include <dlfcn.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

#ifdef WFX_HAVE_LIBUNWIND

/* How much stack libunwind and the loader want, with locks held and signals blocked. A first walk was seen to take
 * 7.2 KiB, finding a name 10.5 KiB; wider registers, which lazy binding saves, take more. What is walked on
 * a stack of the smallest class should still have a chance. */
#define WALK_BYTES ((size_t)10240)
#define NAME_BYTES ((size_t)14336)

#define UNW_LOCAL_ONLY
#include <libunwind.h>

/* ---- Walking --------------------------------------------------------------------------- */

struct walk {
  unw_cursor_t cursor;
  uint32_t segment;
};

static uintptr_t register_of(struct walk *walk, unw_regnum_t number)
{
  unw_word_t value = 0;
  return unw_get_reg(&walk->cursor, number, &value) == 0 ? (uintptr_t)value : 0;
}

static bool is_base(uintptr_t pc)
{
  return (uintptr_t)wfx_base < pc && pc <= (uintptr_t)wfx_base_end;
}

static wasmfx_frame_t frame_of(struct walk *walk)
{
  const uintptr_t pc = register_of(walk, UNW_REG_IP);
  return (wasmfx_frame_t){ (void *)pc, (void *)register_of(walk, UNW_REG_SP), walk->segment, is_base(pc) };
}

/* From the base of a continuation to the landing where who resumed it waits. */
static bool leave_segment(struct walk *walk)
{
  const struct wfx_stack *stack = (const struct wfx_stack *)register_of(walk, wfx_base_register);
  /* The library's frame information says where this register is: libunwind does not fail to find it. */
  const struct wfx_object *owner = stack->owner; /* NOLINT(clang-analyzer-core.NullDereference) */
  walk->segment++;
  return owner->parent && unw_step(&walk->cursor) > 0;
}

static bool step(struct walk *walk, bool from_base)
{
  if (from_base && !leave_segment(walk))
    return false;
  if (from_base && !wfx_is_landing_of_verb((void *)register_of(walk, UNW_REG_IP)))
    return true; /* it is the resumer's own */
  return unw_step(&walk->cursor) > 0;
}

/* Writes the frames from the cursor on. */
static size_t collect(struct walk *walk, wasmfx_frame_t *frames, size_t capacity)
{
  size_t count = 0;
  bool goes_on = true;
  while (goes_on && count < capacity) {
    frames[count] = frame_of(walk);
    goes_on = frames[count].pc && step(walk, frames[count].is_base);
    count += frames[count].pc != NULL;
  }
  return count;
}

/* From the caller of the caller. The frames of these functions are large, so that others make sure of the stack. */
static __attribute__((noinline)) size_t walk_from_here(wasmfx_frame_t *frames, size_t capacity)
{
  unw_context_t here;
  struct walk walk = { .segment = 0 };
  unw_getcontext(&here);
  if (unw_init_local(&walk.cursor, &here) != 0 || !step(&walk, false) || !step(&walk, false))
    return 0;
  return collect(&walk, frames, capacity);
}

wasmfx_status_t wasmfx_backtrace(const wasmfx_runtime_t *rt, wasmfx_frame_t *frames, size_t capacity, size_t *count)
{
  wfx_claim_stack_bytes(rt, WALK_BYTES);
  *count = walk_from_here(frames, capacity); /* not a tail call: this is the frame in between */
  return WASMFX_OK;
}

static size_t walk_from(unw_context_t *context, bool skips_first, wasmfx_frame_t *frames, size_t capacity)
{
  struct walk walk = { .segment = 0 };
  if (unw_init_local2(&walk.cursor, context, UNW_INIT_SIGNAL_FRAME) != 0 || (skips_first && !step(&walk, false)))
    return 0;
  return collect(&walk, frames, capacity);
}

wasmfx_status_t wasmfx_backtrace_at(const wasmfx_runtime_t *rt, const void *context, wasmfx_frame_t *frames,
                                    size_t capacity, size_t *count)
{
  (void)rt;
  unw_context_t at;
  memcpy(&at, context, sizeof at);
  *count = walk_from(&at, false, frames, capacity);
  return WASMFX_OK;
}

static __attribute__((noinline)) size_t walk_waiting(const struct wfx_object *object, wasmfx_frame_t *frames,
                                                     size_t capacity)
{
  unw_context_t landing;
  memset(&landing, 0, sizeof landing);
  const wfx_landing_t at = wfx_object_landing(object);
  wfx_waiting_context(&landing, at, object);
  return walk_from(&landing, wfx_is_landing_of_verb((void *)(uintptr_t)at), frames, capacity);
}

wasmfx_status_t wasmfx_cont_backtrace(const wasmfx_runtime_t *rt, wasmfx_cont_t cont, wasmfx_frame_t *frames,
                                      size_t capacity, size_t *count)
{
  wfx_claim_stack_bytes(rt, WALK_BYTES);
  *count = 0;
  const struct wfx_object *object = wfx_object_of(rt, cont);
  if (!object || !wfx_object_is_held(rt, object))
    return wfx_ref_trap(cont);
  if (!wfx_object_is_fresh(object))
    *count = walk_waiting(object, frames, capacity);
  return WASMFX_OK;
}

/* ---- Names --------------------------------------------------------------------------------- */

/* The function around `pc`, functions that are not exported included. A call may be the last of its function. */
static bool find_function(const void *pc, char *name, size_t capacity, uintptr_t *offset)
{
  unw_context_t context;
  unw_cursor_t cursor;
  unw_word_t distance = 0;
  unw_getcontext(&context);
  if (unw_init_local(&cursor, &context) != 0 || unw_set_reg(&cursor, UNW_REG_IP, (uintptr_t)pc - 1) != 0)
    return false;
  wfx_announce_strangers(true);
  const int error = unw_get_proc_name(&cursor, name, capacity, &distance);
  wfx_announce_strangers(false);
  *offset = (uintptr_t)distance + 1;
  return error == 0 || error == -UNW_ENOMEM; /* that: cut off */
}

#else

#define NAME_BYTES ((size_t)4096) /* of the loader and of printf */

wasmfx_status_t wasmfx_backtrace(const wasmfx_runtime_t *rt, wasmfx_frame_t *frames, size_t capacity, size_t *count)
{
  (void)rt, (void)frames, (void)capacity;
  *count = 0;
  return WASMFX_ERROR_UNSUPPORTED;
}

wasmfx_status_t wasmfx_backtrace_at(const wasmfx_runtime_t *rt, const void *context, wasmfx_frame_t *frames,
                                    size_t capacity, size_t *count)
{
  (void)context;
  return wasmfx_backtrace(rt, frames, capacity, count);
}

wasmfx_status_t wasmfx_cont_backtrace(const wasmfx_runtime_t *rt, wasmfx_cont_t cont, wasmfx_frame_t *frames,
                                      size_t capacity, size_t *count)
{
  (void)cont;
  return wasmfx_backtrace(rt, frames, capacity, count);
}

static bool find_function(const void *pc, char *name, size_t capacity, uintptr_t *offset)
{
  (void)pc, (void)name, (void)capacity, (void)offset;
  return false;
}

#endif

/* ---- Text -------------------------------------------------------------------------------------- */

struct text {
  char *at;
  size_t room, length;
};

__attribute__((format(printf, 2, 3))) static void append(struct text *text, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  const size_t used = text->length < text->room ? text->length : text->room;
  const int length = vsnprintf(text->room ? text->at + used : NULL, text->room - used, format, arguments);
  va_end(arguments);
  if (length > 0)
    text->length += (size_t)length;
}

static const char *file_of(const void *pc)
{
  Dl_info info;
  if (!dladdr(pc, &info) || !info.dli_fname)
    return "?";
  const char *slash = strrchr(info.dli_fname, '/');
  return slash ? slash + 1 : info.dli_fname;
}

static void append_frame(struct text *text, size_t number, const wasmfx_frame_t *frame)
{
  char name[256] = "";
  uintptr_t offset = 0;
  append(text, "#%-3zu 0x%016" PRIxPTR, number, (uintptr_t)frame->pc);
  if (find_function(frame->pc, name, sizeof name, &offset))
    append(text, " in %s+0x%" PRIxPTR, name, offset);
  append(text, " (%s)\n", file_of(frame->pc));
}

size_t wasmfx_backtrace_text(const wasmfx_frame_t *frames, size_t count, char *buffer, size_t capacity)
{
  struct text text = { buffer, capacity, 0 };
  wfx_probe_stack(NAME_BYTES);
  if (capacity)
    buffer[0] = '\0';
  for (size_t i = 0, number = 0; i < count; i++) {
    if (!frames[i].is_base)
      append_frame(&text, number++, &frames[i]);
    else if (i + 1 < count)
      append(&text, "     -- a continuation, resumed by:\n");
  }
  return text.length;
}
