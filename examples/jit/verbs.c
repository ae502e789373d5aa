/* SPDX-License-Identifier: Apache-2.0 */
/* The short paths of abi.h, line by line. */
#include "verbs.h"

#include <wasmfx/abi.h>

#define RT(field) RDI, WASMFX_ABI_RT_##field
#define TO(field) RAX, WASMFX_ABI_OBJECT_##field
#define FROM(field) R9, WASMFX_ABI_OBJECT_##field

/* The one that runs waits at `landing`. */
static void wait_at(struct code *code, struct label *landing)
{
  address_of(code, R8, landing);
  store(code, FROM(PC), R8);
  store(code, FROM(SP), RSP);
  store(code, FROM(FP), RBP);
}

static void go(struct code *code)
{
  load(code, RSP, TO(SP));
  load(code, RBP, TO(FP));
  jump_to(code, TO(PC));
}

/* Where the short path is left, the function is called; its outcome comes where a landing has it. */
static void call_verb(struct code *code, void (*function)(void))
{
  call(code, function);
  move(code, RCX, RAX);
  move(code, RSI, RDX);
}

void emit_resume(struct code *code, int rt, int cont, int handlers)
{
  struct label longer = { 0 }, landing = { 0 }, done = { 0 };
  load(code, RDI, RSP, rt);
  load(code, R11, RSP, cont);
  load(code, RCX, RSP, handlers);
  load(code, RDX, R11, 0);
  clear(code, RSI);

  move_32(code, RAX, RDX); /* rax = the object, if the reference is alive */
  compare_32(code, RAX, RT(SLOTS));
  jump(code, NOT_BELOW, &longer);
  shift_left(code, RAX, WASMFX_ABI_OBJECT_SHIFT);
  add(code, RAX, RDI);
  compare(code, TO(REFERENCE), RDX);
  jump(code, NOT_EQUAL, &longer);
  test(code, RCX);
  jump(code, EQUAL, &longer);
  test_byte(code, TO(AWAITS), WASMFX_ABI_AWAITS_PLACE);
  jump(code, NOT_ZERO, &longer);
  move_number(code, R10, WASMFX_ABI_REVISION_ONE); /* r10 = its next reference */
  add(code, R10, RDX);
  jump(code, CARRY, &longer);

  load(code, R9, RT(CURRENT));
  store(code, TO(REFERENCE), R10);
  store(code, TO(PARENT), R9);
  store(code, TO(HANDLERS), RCX);
  store(code, RT(CURRENT), RAX);
  wait_at(code, &landing);
  clear(code, RDX);
  clear(code, RCX);
  go(code);

  here(code, &longer);
  move(code, RSI, R11);
  move(code, RDX, RCX);
  clear(code, RCX);
  call_verb(code, (void (*)(void))wasmfx_resume_word);
  jump(code, ALWAYS, &done);
  here(code, &landing);
  load(code, R11, RSP, cont);
  store(code, R11, 0, RDX);
  here(code, &done);
}

void emit_suspend(struct code *code, int rt, int tag, int word)
{
  struct label longer = { 0 }, landing = { 0 };
  load(code, RDI, RSP, rt);
  load(code, RDX, RSP, tag);
  load(code, RSI, RSP, word);

  load(code, R9, RT(CURRENT));
  load(code, R10, FROM(HANDLERS));
  compare(code, R10, WASMFX_ABI_HANDLERS_FIRST_TAG, RDX);
  jump(code, NOT_EQUAL, &longer);

  load(code, R11, RDX, WASMFX_ABI_TAG_RESULTS);
  load(code, RAX, FROM(PARENT));
  store(code, FROM(AWAITS), R11);
  store(code, RT(CURRENT), RAX);
  wait_at(code, &landing);
  load(code, RDX, FROM(REFERENCE));
  load(code, RCX, R10, WASMFX_ABI_HANDLERS_FIRST_EVENT);
  store_zero(code, FROM(PARENT));
  go(code);

  here(code, &longer);
  load(code, RDX, RSP, word);
  load(code, RSI, RSP, tag);
  call_verb(code, (void (*)(void))wasmfx_suspend_word);
  here(code, &landing);
}
