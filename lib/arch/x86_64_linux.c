/* SPDX-License-Identifier: Apache-2.0 */
/* x86-64 Linux: registers of code that waits in a verb, or that a signal has interrupted. */
#define _GNU_SOURCE /* the names of the registers in <ucontext.h> */
#include <stdint.h>
#include <ucontext.h>

#include "arch.h"
#include "x86_64.h"

/* The direction flag: the convention wants it clear where a function begins. */
#define EFLAGS_DIRECTION 0x400

const int wfx_base_register = DW_RBX;

static void *word_at(const char *at)
{
  return *(void *const *)(const void *)at;
}

struct wfx_registers wfx_saved_registers(const void *sp)
{
  const char *frame = sp;
  return (struct wfx_registers){
    .pc = word_at(frame + FRAME_RETURN), .sp = (void *)(uintptr_t)(frame + FRAME_BYTES), .fp = word_at(frame + FRAME_RBP)
  };
}

static void *address(greg_t value)
{
  return (void *)(uintptr_t)value;
}

struct wfx_registers wfx_interrupted(const void *context)
{
  const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
  return (struct wfx_registers){ address(registers[REG_RIP]), address(registers[REG_RSP]), address(registers[REG_RBP]) };
}

void wfx_overflowed(void);

void wfx_divert_to_overflow(void *context, struct wasmfx_runtime *rt, void *stack)
{
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  registers[REG_RIP] = (greg_t)(uintptr_t)wfx_overflowed;
  registers[REG_RSP] = (greg_t)(uintptr_t)stack;
  registers[REG_RBX] = (greg_t)(uintptr_t)stack;
  registers[REG_R12] = (greg_t)(uintptr_t)rt;
  registers[REG_RBP] = 0;
  registers[REG_EFL] &= ~(greg_t)EFLAGS_DIRECTION;
}

/* A landing's call frame information begins with rax, which leads to who lands. */
void wfx_waiting_context(void *context, wfx_landing_t landing, const struct wfx_object *to)
{
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  registers[REG_RIP] = (greg_t)(uintptr_t)landing;
  registers[REG_RAX] = (greg_t)(uintptr_t)to;
}
