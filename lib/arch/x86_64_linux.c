/* SPDX-License-Identifier: Apache-2.0 */
/* x86-64 Linux: registers of code that waits in a verb, or that a signal has interrupted. */
#define _GNU_SOURCE /* the names of the registers in <ucontext.h> */
#include <stdint.h>
#include <ucontext.h>

#include "arch.h"
#include "layout.h"
#include "x86_64.h"

/* The direction flag: the convention wants it clear where a function begins. */
#define EFLAGS_DIRECTION 0x400

const int wfx_base_register = DW_RBX;

#define AT_REGISTER(name, number) _Static_assert(offsetof(ucontext_t, uc_mcontext.gregs[name]) == (number), #name)
AT_REGISTER(REG_RBP, SIGNAL_RBP);
AT_REGISTER(REG_RSP, SIGNAL_RSP);
AT_REGISTER(REG_RIP, SIGNAL_RIP);

static void *word_at(const char *at)
{
  return *(void *const *)(const void *)at;
}

static void *address_of(wfx_landing_t landing)
{
  return (void *)(uintptr_t)landing;
}

bool wfx_is_landing_of_verb(const void *pc)
{
  return (uintptr_t)wfx_landings <= (uintptr_t)pc && (uintptr_t)pc < (uintptr_t)wfx_landings_end;
}

struct wfx_registers wfx_saved_registers(wfx_landing_t landing, const struct wfx_object *waiting)
{
  char *sp = word_at((const char *)waiting + WFX_OBJ_SP);
  if (wfx_is_landing_of_verb(address_of(landing)))
    return (struct wfx_registers){ word_at(sp + FRAME_RETURN), sp + FRAME_BYTES, word_at(sp + FRAME_RBP), sp, NULL };
  void **saved_fp = (void **)(uintptr_t)((const char *)waiting + WFX_OBJ_FP);
  return (struct wfx_registers){ address_of(landing), sp, *saved_fp, sp - RED_ZONE, saved_fp };
}

static void *address(greg_t value)
{
  return (void *)(uintptr_t)value;
}


struct wfx_registers wfx_interrupted(const void *context)
{
  const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
  char *sp = address(registers[REG_RSP]);
  return (struct wfx_registers){ address(registers[REG_RIP]), sp, address(registers[REG_RBP]), sp - RED_ZONE,
                                 NULL };
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

void wfx_waiting_context(void *context, wfx_landing_t landing, const struct wfx_object *waiting)
{
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  registers[REG_RIP] = (greg_t)(uintptr_t)landing;
  registers[REG_RSP] = (greg_t)(uintptr_t)word_at((const char *)waiting + WFX_OBJ_SP);
  registers[REG_RBP] = (greg_t)(uintptr_t)word_at((const char *)waiting + WFX_OBJ_FP);
}
