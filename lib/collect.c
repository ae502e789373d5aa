/* SPDX-License-Identifier: Apache-2.0 */
/* Drops what nothing reaches: marks from the roots over all that is reached, then drops the rest. */
#include <wasmfx/collect.h>

#include <string.h>

#include "runtime.h"
#include "stackpool/valgrind.h"

/*
 * One block of memory, before anything is marked:
 *
 *     | a bit for each slot | room for the slots that are marked, and not yet looked into |
 */
struct wasmfx_collector {
  struct wasmfx_runtime *rt;
  const wasmfx_roots_t *roots;
  size_t slots; /* that the block is for; what is made later in the collection is not its business */
  uint32_t *bits;
  uint32_t *waiting;
  size_t waiting_count;
  bool valgrind_watches;
};

#define BITS 32u

static bool is_marked(const struct wasmfx_collector *collector, uint32_t slot)
{
  return collector->bits[slot / BITS] >> slot % BITS & 1;
}

void wasmfx_collect_mark(wasmfx_collector_t *collector, wasmfx_cont_t cont)
{
  struct wasmfx_runtime *rt = collector->rt;
  const struct wfx_object *object = wfx_object_of(rt, cont);
  const uint32_t slot = wfx_ref_slot(cont);
  if (!object || slot >= collector->slots || is_marked(collector, slot) || !wfx_object_is_held(rt, object))
    return;
  collector->bits[slot / BITS] |= 1u << slot % BITS;
  collector->waiting[collector->waiting_count++] = slot;
}

/* ---- Scanning ----------------------------------------------------------------------- */

/* Stacks hold what sanitizers would rather not see read. */
WFX_UNCHECKED static wasmfx_cont_t word_at(const char *at)
{
  return *(const wasmfx_cont_t *)(const void *)at;
}

WFX_UNCHECKED void wasmfx_collect_scan(wasmfx_collector_t *collector, const void *low, size_t bytes)
{
  const size_t step = sizeof(wasmfx_cont_t);
  for (size_t at = -(uintptr_t)low % step; at + step <= bytes; at += step) {
    const wasmfx_cont_t word = word_at((const char *)low + at);
    wasmfx_collect_mark(collector, collector->valgrind_watches ? wfx_valgrind_defined(word) : word);
  }
}

static void scan_fake_frames(struct wasmfx_collector *collector, const wasmfx_stack_t *stack)
{
  for (const char *at = stack->low; at < (const char *)stack->high; at += sizeof(wasmfx_cont_t)) {
    size_t bytes;
    const void *frame = wfx_fake_frame(stack->high, word_at(at), &bytes);
    if (frame)
      wasmfx_collect_scan(collector, frame, bytes);
  }
}

static void trace_stack(void *context, const wasmfx_stack_t *stack)
{
  struct wasmfx_collector *collector = context;
  const wasmfx_roots_t *roots = collector->roots;
  if (roots->trace) {
    roots->trace(collector, stack, roots->context);
    return;
  }
  if (stack->high) {
    wasmfx_collect_scan(collector, stack->low, (size_t)((char *)stack->high - (char *)stack->low));
    scan_fake_frames(collector, stack);
  }
  wasmfx_collect_scan(collector, (const void *)stack->host_word, sizeof *stack->host_word);
  if (stack->env)
    wasmfx_collect_scan(collector, (const void *)stack->env, sizeof *stack->env);
  if (stack->saved_fp)
    wasmfx_collect_scan(collector, (const void *)stack->saved_fp, sizeof *stack->saved_fp);
}

/* Of whatever kind: a host may pass references as integers. */
static void trace_value(void *context, wasmfx_kind_t kind, wasmfx_value_t *value)
{
  (void)kind;
  wasmfx_collect_scan(context, value, sizeof *value);
}

/* ---- Collecting ------------------------------------------------------------------------ */

static void mark(struct wasmfx_collector *collector)
{
  struct wasmfx_runtime *rt = collector->rt;
  const struct wfx_object *objects = (const struct wfx_object *)rt;
  const wasmfx_visitor_t visitor = { trace_stack, trace_value, collector };
  const void *outer = wfx_host_call_begin(); /* there is a block that must not be left behind */
  if (collector->roots->mark)
    collector->roots->mark(collector, collector->roots->context);
  wasmfx_visit_running(rt, &visitor);
  while (collector->waiting_count)
    wasmfx_visit_cont(rt, objects[collector->waiting[--collector->waiting_count]].ref, &visitor);
  wfx_host_call_end(outer);
}

static void sweep(const struct wasmfx_collector *collector)
{
  struct wfx_object *objects = (struct wfx_object *)collector->rt;
  for (uint32_t slot = 2; slot < collector->slots; slot++)
    if (!is_marked(collector, slot) && wfx_object_is_held(collector->rt, &objects[slot]))
      wfx_chain_bury(collector->rt, &objects[slot]);
}

static __attribute__((noinline)) wasmfx_status_t collect(wasmfx_runtime_t *rt, const wasmfx_roots_t *roots,
                                                         size_t *dropped)
{
  static const wasmfx_roots_t none = { NULL, NULL, NULL };
  const uint64_t died = wfx_dead_conts(rt->house);
  const size_t slots = rt->object_count, words = slots / BITS + 1;
  const size_t bytes = (words + slots) * sizeof(uint32_t);
  uint32_t *block = wfx_allocate(rt, bytes);
  if (!block)
    return WASMFX_ERROR_NO_MEMORY;
  memset(block, 0, words * sizeof *block);
  struct wasmfx_collector collector = { .rt = rt, .roots = roots ? roots : &none, .slots = slots, .bits = block,
                                        .waiting = block + words, .valgrind_watches = wfx_valgrind_watches() };
  mark(&collector);
  sweep(&collector);
  wfx_release(rt, block, bytes);
  if (dropped)
    *dropped = (size_t)(wfx_dead_conts(rt->house) - died);
  return WASMFX_OK;
}

wasmfx_status_t wasmfx_collect(wasmfx_runtime_t *rt, const wasmfx_roots_t *roots, size_t *dropped)
{
  wfx_claim_stack(rt);
  return collect(rt, roots, dropped);
}
