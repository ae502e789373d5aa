/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collections. What a program holds is known exactly: host words, bound
 * arguments, and one *keepsake* in a local variable of each interpreter. Half of the
 * collections trace host words only; then what is dropped is exactly what the
 * model does not reach. The others scan whole stacks, where much more may lie;
 * then nothing is dropped that the model does reach.
 */
#include "model_driver.h"

struct names {
  wasmfx_cont_t conts[MODEL_MAX_REFERENCES];
  size_t count;
};

static void mark_names(wasmfx_collector_t *collector, void *context)
{
  const struct names *names = context;
  for (size_t i = 0; i < names->count; i++)
    wasmfx_collect_mark(collector, names->conts[i]);
}

static void trace_host_word(wasmfx_collector_t *collector, const wasmfx_stack_t *stack, void *context)
{
  (void)context;
  wasmfx_collect_scan(collector, stack->host_word, sizeof *stack->host_word);
}

static wasmfx_cont_t keepsake_of(const struct model_link *link)
{
  const volatile wasmfx_cont_t *keepsake = frame_of(link)->keepsake;
  return keepsake ? *keepsake : WASMFX_NULL_CONT;
}

/* Some of those that are alive, all or none; and what names nothing. */
static void choose_names(struct names *names)
{
  const uint64_t pattern = one_in(3) ? draw() : one_in(4) ? 0 : UINT64_MAX;
  names->count = 0;
  for (size_t i = 0; i < model.live_count; i++)
    if (pattern >> i % 64 & 1)
      names->conts[names->count++] = model.live[i]->value;
  names->conts[names->count++] = choose_cont().value;
  names->conts[names->count++] = draw();
}

/* Those that the library has dropped die in the model too. Answers how many continuations. */
static size_t bury_the_dropped(bool is_exact)
{
  const size_t before = model.conts_live;
  for (size_t i = model.live_count; i--;) {
    struct model_reference *cont = model.live[i];
    const bool is_dropped = wasmfx_cont_state(rt, cont->value) == WASMFX_STATE_CONSUMED;
    if (cont->is_reached || is_exact)
      EXPECT("dropped, if not reached", !cont->is_reached, is_dropped);
    if (is_dropped)
      model_drop(&model, cont);
  }
  return before - model.conts_live;
}

bool collect(struct model_link *self)
{
  static struct names names;
  const bool is_exact = one_in(2);
  const wasmfx_roots_t roots = { mark_names, is_exact ? trace_host_word : NULL, &names };
  size_t dropped = 0;
  choose_names(&names);
  begin(self, OP_COLLECT, NULL, -1, -1, names.count);
  model_reach(&model, names.conts, names.count, is_exact ? NULL : keepsake_of);
  EXPECT_STATUS(WASMFX_OK, wasmfx_collect(rt, &roots, &dropped));
  EXPECT("how many were dropped", bury_the_dropped(is_exact), dropped);
  run.collected += dropped;
  return true;
}

bool change_keepsake(struct model_link *self)
{
  const struct operand operand = choose_cont();
  begin(self, OP_KEEP, &operand, -1, -1, 0);
  *frame_of(self)->keepsake = operand.value;
  return true;
}
