/* SPDX-License-Identifier: Apache-2.0 */
/* The plain tier: ordinary calls. */
#define BENCH_INLINE
#define NEW wasmfx_cont_new_word
#define RESUME(rt, ...) wasmfx_resume_word(*(rt), __VA_ARGS__)
#define SUSPEND(rt, ...) wasmfx_suspend_word(*(rt), __VA_ARGS__)
#define SWITCH(rt, ...) wasmfx_switch_word(*(rt), __VA_ARGS__)
#define WAIT NULL
#include "subject_library.h"

/* As `create`, by tenants that take turns. */
static void tenants(const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  struct world world = world_begin(subject, true);
  const uint32_t turns = subject->turns ? subject->turns : 1;
  uint64_t word = 0;
  co_t co;

  double start = now_ns();
  for (size_t i = 0; i < count; i++) {
    check(wasmfx_tenant_set(world.rt, (uint32_t)i % turns));
    co_new(world, &co, return_at_once);
    word = co_run(world, &co, word);
  }
  answer[0] = (now_ns() - start) / (double)count;

  bench_expect(word == count, "tenants: wrong count");
  world_end(world);
}

const struct subject subject_plain = {
  .name = "plain",
  .about = "plain word calls of libwasmfx, static",
  .asks = LIBRARY_ANSWERS,
};

const struct subject subject_plain_shared = {
  .name = "plain-shared",
  .about = "the same, shared",
  .elsewhere = "plain",
  .asks = LIBRARY_ANSWERS,
};

const struct subject subject_plain_16k = {
  .name = "plain-16k",
  .about = "plain, stacks of 16 KiB instead of 64",
  .stack_bytes = 16384,
  .asks = { [SUSPENDED] = suspended },
};

const struct subject subject_tenants_stays = {
  .name = "one-of-two",
  .about = "a runtime with two tenants, one does it all",
  .tenants = 2,
  .asks = { [TENANTS] = tenants },
};

const struct subject subject_tenants_turns = {
  .name = "two-in-turn",
  .about = "two in turn, each with a stack of its own",
  .tenants = 2,
  .turns = 2,
  .asks = { [TENANTS] = tenants },
};

const struct subject subject_tenants_crosses = {
  .name = "crossing",
  .about = "two in turn, with one stack that crosses, and is wiped, each time",
  .tenants = 2,
  .turns = 2,
  .max_stacks = 1,
  .asks = { [TENANTS] = tenants },
};
