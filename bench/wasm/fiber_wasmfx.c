/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fiber.h with stack switching. The verbs are WebAssembly, in fiber_wasmfx.wat, which becomes one module with this. A
 * fiber is a number: its continuation stands in a table there, what else belongs to it in a table here. While it is
 * neither fresh nor suspended, its continuation is null.
 */
#include <fiber.h>

#include "shadow.h"

#include <string.h>

#define VERB(name) __attribute__((import_module("verbs"), import_name(name)))

VERB("new") void verb_new(uint32_t number);
VERB("drop") void verb_drop(uint32_t number);
VERB("waits") uint32_t verb_waits(uint32_t number);
VERB("grow") uint32_t verb_grow(uint32_t count);
VERB("resume") uint64_t verb_resume(uint32_t number, void *word); /* fiber_result_t in the upper half */
VERB("yield") void *verb_yield(void *word);

struct record {
  fiber_entry_point_t entry; /* null when finished */
  union {
    uint32_t next; /* of a free one: the next */
    uintptr_t top; /* of its shadow stack, or 0 if it has none */
  };
};

enum { FIRST_COUNT = 1024, NOBODY = 0 };

static struct record *records; /* by number; 0 is nobody's */
static uint32_t count, used;   /* so many records, so many of which have ever been given out */
static uint32_t free_number;   /* the first of those that came back */
static uint32_t current;       /* which runs */
static uint32_t doomed;        /* so many were freed while they ran */
static uintptr_t resumed_at;   /* the shadow stack's pointer at the last resume; FIBER_CHECK only */

/* ---- Numbers -------------------------------------------------------------------------------------- */

static int grow(void)
{
  const uint32_t wanted = count ? 2 * count : FIRST_COUNT;
  struct record *grown = realloc(records, wanted * sizeof *grown);
  if (!grown)
    return 0;
  records = grown;
  if (verb_grow(wanted - count) == UINT32_MAX)
    return 0;
  memset(records + count, 0, (wanted - count) * sizeof *records);
  count = wanted;
  return 1;
}

/* One that was never used, or 0 if memory is short. */
static __attribute__((noinline)) uint32_t unused_number(void)
{
  if (used + 1 >= count && !grow())
    return NOBODY;
  return ++used;
}

static void release(uint32_t number)
{
  if (FIBER_OWN_STACKS && records[number].top)
    give_shadow(records[number].top);
  records[number].next = free_number;
  free_number = number;
}

/* What a fiber that was freed while it ran has in place of its entry, which has been called long ago. */
static void *doomed_entry(void *arg)
{
  return arg;
}

/* ---- The interface -------------------------------------------------------------------------------- */

fiber_t fiber_alloc(fiber_entry_point_t entry)
{
  uint32_t number = free_number;
  if (!entry)
    return NULL;
  if (number != NOBODY)
    free_number = records[number].next;
  else if ((number = unused_number()) == NOBODY)
    return NULL;
  records[number] = (struct record){ entry, { 0 } };
  verb_new(number);
  return (fiber_t)(uintptr_t)number;
}

void fiber_free(fiber_t fiber)
{
  const uint32_t number = (uint32_t)(uintptr_t)fiber;
  if (number == NOBODY)
    return;
  if (records[number].entry) {
    if (!verb_waits(number)) {
      records[number].entry = doomed_entry;
      doomed++;
      return;
    }
    verb_drop(number);
  }
  release(number);
}

/* The body of all continuations. Found by the linker that joins the two modules. */
__attribute__((export_name("start"))) void *fiber_start(void *arg)
{
  struct record *record = &records[current];
  if (FIBER_OWN_STACKS) {
    record->top = take_shadow();
    set_shadow_pointer(record->top);
  }
  return record->entry(arg);
}

static __attribute__((noinline)) void release_doomed(uint32_t number)
{
  if (records[number].entry != doomed_entry)
    return;
  doomed--;
  verb_drop(number);
  release(number);
}

/* Lets one run; fiber_result_t is in the upper half of the answer. */
static uint64_t run(uint32_t number, void *arg)
{
  const uint32_t outer = current;
  const uintptr_t pointer = FIBER_OWN_STACKS || FIBER_CHECK ? shadow_pointer() : 0, outer_at = resumed_at;
  current = number;
  if (FIBER_CHECK)
    resumed_at = pointer;
  const uint64_t outcome = verb_resume(number, arg);
  current = outer;
  if (FIBER_CHECK)
    resumed_at = outer_at;
  if (FIBER_OWN_STACKS)
    set_shadow_pointer(pointer);
  if (__builtin_expect(doomed != 0, 0) && outcome >> 32 != FIBER_ERROR)
    release_doomed(number);
  else if (outcome >> 32 == FIBER_OK)
    records[number].entry = NULL;
  return outcome;
}

/* Inlined, so that *status need not be in memory: who resumes would have it on the shadow stack, and may be a fiber. */
__attribute__((always_inline)) void *fiber_resume(fiber_t fiber, void *arg, fiber_result_t *status)
{
  const uint64_t outcome = fiber ? run((uint32_t)(uintptr_t)fiber, arg) : (uint64_t)FIBER_ERROR << 32;
  if (status)
    *status = (fiber_result_t)(outcome >> 32);
  return (void *)(uintptr_t)(uint32_t)outcome;
}

void *fiber_yield(void *arg)
{
  if (current == NOBODY)
    return NULL;
  if (FIBER_CHECK)
    check_shadow(records[current].top, resumed_at);
  const uintptr_t pointer = FIBER_OWN_STACKS ? shadow_pointer() : 0;
  arg = verb_yield(arg);
  if (FIBER_OWN_STACKS)
    set_shadow_pointer(pointer);
  return arg;
}

void fiber_init(void)
{
}

void fiber_finalize(void)
{
}
