/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How does a compiler that makes machine code resume and suspend?
 *
 * It emits the switch in place of a call, by the numbers of abi.h, and calls the library for what is not on the
 * short path. Here it makes two functions: one hands out the numbers from n down to 1, the other sums up
 * what a continuation hands out. Each works with its twin in C, too: a continuation does not know who resumes it.
 *
 * Expected output:
 *
 *     C hands out, C sums up: 500500
 *     C hands out, generated code sums up: 500500
 *     generated code hands out, C sums up: 500500
 *     generated code hands out, generated code sums up: 500500
 *
 * Next: fibers.c, the interface for those who want no more than fibers.
 */
#include "../check.h"
#include "emit.h"
#include "verbs.h"

#include <wasmfx/abi.h>

typedef uint64_t (*sum_t)(wasmfx_runtime_t *rt, wasmfx_cont_t *cont, const wasmfx_handlers_t *handlers);

/* ---- In C ------------------------------------------------------------------------ */

static uint64_t hand_out(wasmfx_runtime_t *rt, void *tag, uint64_t count, wasmfx_cont_t from)
{
  (void)from;
  for (; count; count--)
    expect(wasmfx_suspend_word(rt, tag, count).status, WASMFX_RETURNED);
  return 0;
}

static uint64_t sum_up(wasmfx_runtime_t *rt, wasmfx_cont_t *cont, const wasmfx_handlers_t *handlers)
{
  uint64_t sum = 0;
  wasmfx_outcome_t outcome = wasmfx_resume_word(rt, cont, handlers, 0);
  for (; outcome.status == WASMFX_SUSPENDED; outcome = wasmfx_resume_word(rt, cont, handlers, 0))
    sum += outcome.word;
  return sum;
}

/* ---- Generated --------------------------------------------------------------------- */

static const enum reg preserved[] = { RBX, RBP, R12, R13, R14, R15 };
enum { PRESERVED = sizeof preserved / sizeof *preserved, FIRST = 0, SECOND = 8, THIRD = 16, FOURTH = 24, FRAME = 40 };

/* The first three arguments in slots. */
static void *emit_entry(struct code *code)
{
  void *start = code->bytes + code->used;
  for (int i = 0; i < PRESERVED; i++)
    push(code, preserved[i]);
  add_number(code, RSP, -FRAME);
  store(code, RSP, FIRST, RDI);
  store(code, RSP, SECOND, RSI);
  store(code, RSP, THIRD, RDX);
  return start;
}

static void emit_exit(struct code *code)
{
  add_number(code, RSP, FRAME);
  for (int i = PRESERVED; i-- > 0;)
    pop(code, preserved[i]);
  ret(code);
}

static wasmfx_word_entry_t generate_hand_out(struct code *code)
{
  struct label again = { 0 };
  void *start = emit_entry(code); /* rt, tag, count */
  here(code, &again);
  emit_suspend(code, FIRST, SECOND, THIRD);
  decrement(code, RSP, THIRD);
  jump(code, NOT_ZERO, &again);
  clear(code, RAX);
  emit_exit(code);
  return (wasmfx_word_entry_t)(uintptr_t)start;
}

static sum_t generate_sum_up(struct code *code)
{
  struct label again = { 0 }, end = { 0 };
  void *start = emit_entry(code); /* rt, &cont, handlers */
  store_zero(code, RSP, FOURTH);
  here(code, &again);
  emit_resume(code, FIRST, SECOND, THIRD);
  compare_16(code, RCX, WASMFX_SUSPENDED);
  jump(code, NOT_EQUAL, &end);
  add_to(code, RSP, FOURTH, RSI);
  jump(code, ALWAYS, &again);
  here(code, &end);
  load(code, RAX, RSP, FOURTH);
  emit_exit(code);
  return (sum_t)(uintptr_t)start;
}

/* ---- All four -------------------------------------------------------------------------- */

int main(void)
{
  static const wasmfx_kind_t i64 = WASMFX_I64;
  static const char *const by[] = { "C", "generated code" };
  wasmfx_runtime_t *rt;
  wasmfx_type_t *counted, *of_give;
  wasmfx_tag_t *give;
  wasmfx_handlers_t *on_give;
  if (wasmfx_abi_version() != WASMFX_ABI_VERSION) {
    fputs("the library keeps another contract than abi.h\n", stderr);
    return 1;
  }
  ok(wasmfx_runtime_new(NULL, &rt));
  ok(wasmfx_type_new(rt, &i64, 1, NULL, 0, &counted));
  ok(wasmfx_type_new(rt, &i64, 1, NULL, 0, &of_give));
  ok(wasmfx_tag_new(rt, of_give, &give));
  ok(wasmfx_handlers_new(rt, &(wasmfx_clause_t){ .tag = give, .kind = WASMFX_ON_LABEL }, 1, &on_give));

  struct code code;
  code_begin(&code, 4096);
  const wasmfx_word_entry_t bodies[] = { hand_out, generate_hand_out(&code) };
  const sum_t sums[] = { sum_up, generate_sum_up(&code) };
  code_end(&code);

  for (int i = 0; i < 4; i++) {
    const wasmfx_value_t count = { .i64 = 1000 };
    wasmfx_cont_t cont;
    ok(wasmfx_cont_new_word(rt, counted, bodies[i / 2], give, &cont));
    ok(wasmfx_cont_bind(rt, &cont, NULL, &count, 1));
    const unsigned long long sum = sums[i % 2](rt, &cont, on_give);
    printf("%s hands out, %s sums up: %llu\n", by[i / 2], by[i % 2], sum);
  }
  ok(wasmfx_runtime_free(rt, NULL));
  code_free(&code);
  return 0;
}
