/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seven instructions. Each takes its operands off the value stack, calls the
 * library's verb of the same name, and pushes what has arrived. docs/embedding.md
 * explains the pattern.
 *
 * The slots of the value stack are the library's, so the topmost values are the
 * payload: they are not copied to be sent.
 */
#include "interpreter.h"

enum { NATIVE_RESERVE = 16 * 1024 }; /* for the C functions that a program's call may end in */

/* The machine is a local variable of enter() and follows its stack by itself. What has to be moved is the program's
 * note of whose turn it is. A continuation that is just starting has no machine yet: enter() makes one. */
void switched(wasmfx_runtime_t *rt, void **from_word, void **to_word)
{
  struct program *program = wasmfx_runtime_host(rt);
  (void)from_word;
  program->current = *to_word;
}

/* The entry function of every continuation. */
static void enter(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const struct function *function = env;
  struct machine m;
  void *low, *high;

  ok(wasmfx_stack_bounds(rt, &low, &high));
  m.program = function->program;
  m.native_limit = (uintptr_t)low + NATIVE_RESERVE;
  m.top = m.slots;
  push(&m, args, function->param_count);
  *wasmfx_host_word(rt) = m.program->current = &m;

  switch (run(&m, function)) {
  case RAISE:
    wasmfx_throw_ref(rt, &m.raised->head);
    break;
  case TRAP:
    wasmfx_trap(rt, m.trap);
    break;
  default:
    for (uint32_t i = 0; i < function->result_count; i++)
      results[i] = m.slots[i];
  }
}

static enum next cont_new(struct machine *m, const struct instruction *i)
{
  void *function = pop(m).funcref;
  wasmfx_value_t cont;
  const wasmfx_status_t status = wasmfx_cont_new(m->program->rt, m->program->types[i->operands[0]].type,
                                                 function ? enter : NULL, function, &cont.contref);
  if (status < 0)
    return trap(m, status);
  push(m, &cont, 1);
  return NEXT;
}

static enum next cont_bind(struct machine *m, const struct instruction *i)
{
  const struct signature *from = &m->program->types[i->operands[0]], *to = &m->program->types[i->operands[1]];
  const uint32_t count = from->param_count - to->param_count;
  wasmfx_value_t cont = pop(m);
  m->top -= count;
  const wasmfx_status_t status = wasmfx_cont_bind(m->program->rt, &cont.contref, to->type, m->top, count);
  if (status < 0)
    return trap(m, status);
  push(m, &cont, 1);
  return NEXT;
}

/* The library's exception is valid until the next verb, ours lasts. One that was ours already stays itself. */
static enum next raise_arrived(struct machine *m, const wasmfx_exception_t *arrived)
{
  m->raised = arrived->host ? arrived->host
                            : exception_new(m->program, arrived->tag, arrived->values, arrived->count);
  return RAISE;
}

/* Where all verbs that switch come back. `cont` is what the resume is left with. */
static enum next land(struct machine *m, const struct instruction *i, wasmfx_outcome_t out, uint32_t result_count,
                      wasmfx_value_t cont)
{
  switch (out.status) {
  case WASMFX_RETURNED:
    push(m, out.values, result_count);
    return NEXT;
  case WASMFX_SUSPENDED:
    push(m, out.values, m->program->tags[i->clauses.tags[out.handler]].param_count);
    push(m, &cont, 1);
    m->clause = out.handler;
    return BRANCH;
  case WASMFX_THREW:
    return raise_arrived(m, out.exception);
  case WASMFX_TRAPPED:
    return trap(m, (wasmfx_status_t)out.code);
  case WASMFX_OVERFLOWED: /* where the host catches it: a C function that the program called; run() looks by itself */
  default:
    return trap(m, out.status);
  }
}

static enum next suspend(struct machine *m, const struct instruction *i)
{
  const struct tag *tag = &m->program->tags[i->operands[0]];
  m->top -= tag->param_count;
  const wasmfx_outcome_t out = wasmfx_suspend(m->program->rt, tag->tag, m->top, tag->param_count);
  return land(m, i, out, tag->result_count, (wasmfx_value_t){ .word = 0 });
}

static enum next resume(struct machine *m, const struct instruction *i)
{
  const struct signature *type = &m->program->types[i->operands[0]];
  wasmfx_value_t cont = pop(m);
  m->top -= type->param_count;
  const wasmfx_outcome_t out = wasmfx_resume(m->program->rt, &cont.contref, i->clauses.table, m->top,
                                             type->param_count);
  return land(m, i, out, type->result_count, cont);
}

static enum next resume_throw(struct machine *m, const struct instruction *i)
{
  const struct signature *type = &m->program->types[i->operands[0]];
  const struct tag *tag = &m->program->tags[i->operands[1]];
  wasmfx_value_t cont = pop(m);
  m->top -= tag->param_count;
  const wasmfx_outcome_t out = wasmfx_resume_throw(m->program->rt, &cont.contref, i->clauses.table, tag->tag, m->top,
                                                   tag->param_count);
  return land(m, i, out, type->result_count, cont);
}

static enum next resume_throw_ref(struct machine *m, const struct instruction *i)
{
  const struct signature *type = &m->program->types[i->operands[0]];
  wasmfx_value_t cont = pop(m);
  const wasmfx_exception_t *exception = pop(m).exnref;
  const wasmfx_outcome_t out = wasmfx_resume_throw_ref(m->program->rt, &cont.contref, i->clauses.table, exception);
  return land(m, i, out, type->result_count, cont);
}

/* Operands: the target's type, the type by which this continuation waits to be switched back to, the tag. */
static enum next switch_to(struct machine *m, const struct instruction *i)
{
  const struct signature *target = &m->program->types[i->operands[0]], *wait = &m->program->types[i->operands[1]];
  const uint32_t count = target->param_count - 1; /* the library adds the last: this continuation */
  wasmfx_value_t cont = pop(m);
  m->top -= count;
  const wasmfx_outcome_t out = wasmfx_switch(m->program->rt, &cont.contref, m->program->tags[i->operands[2]].tag,
                                             wait->type, m->top, count);
  return land(m, i, out, wait->param_count, cont);
}

enum next switch_stacks(struct machine *m, const struct instruction *i)
{
  switch (i->op) {
  case OP_CONT_NEW:
    return cont_new(m, i);
  case OP_CONT_BIND:
    return cont_bind(m, i);
  case OP_SUSPEND:
    return suspend(m, i);
  case OP_RESUME:
    return resume(m, i);
  case OP_RESUME_THROW:
    return resume_throw(m, i);
  case OP_RESUME_THROW_REF:
    return resume_throw_ref(m, i);
  default:
    return switch_to(m, i);
  }
}
