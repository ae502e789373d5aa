/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop. Calls are C recursion, so a continuation that suspends in the middle of
 * them keeps their C frames, as it keeps its value stack.
 */
#include "interpreter.h"

#include <inttypes.h>
#include <string.h>

/* What a call has: a part of the value stack, a place in the code, and at most one handler. */
struct frame {
  wasmfx_value_t *locals; /* parameters first */
  uint32_t pc;
  const wasmfx_tag_t *caught; /* NULL: no handler */
  uint32_t handler;
  wasmfx_value_t *handler_top;
};

enum next trap(struct machine *m, wasmfx_status_t code)
{
  m->trap = code;
  return TRAP;
}

static enum next raise(struct machine *m, struct exception *exception)
{
  m->raised = exception;
  return exception ? RAISE : trap(m, WASMFX_TRAP_NULL_EXCEPTION);
}

void push(struct machine *m, const wasmfx_value_t *values, size_t count)
{
  if (count > 0)
    memcpy(m->top, values, count * sizeof *values);
  m->top += count;
}

wasmfx_value_t pop(struct machine *m)
{
  return *--m->top;
}

static void push_number(struct machine *m, int64_t number)
{
  *m->top++ = (wasmfx_value_t){ .i64 = number };
}

static bool has_room(const struct machine *m, size_t slots)
{
  const size_t most_of_one_instruction = MAX_VALUES + 1;
  return (size_t)(m->slots + sizeof m->slots / sizeof m->slots[0] - m->top) >= slots + most_of_one_instruction;
}

struct exception *exception_new(struct program *program, const wasmfx_tag_t *tag, const wasmfx_value_t *values,
                                size_t count)
{
  struct exception *made = malloc(sizeof *made);
  if (!made)
    give_up(WASMFX_ERROR_NO_MEMORY, WASMFX_OK);
  if (count > 0)
    memcpy(made->values, values, count * sizeof *values);
  made->head = (wasmfx_exception_t){ tag, made->values, count, made };
  made->next = program->exceptions;
  program->exceptions = made;
  return made;
}

/* ---- The host's functions. They are given no machine: they use the value stack of whoever runs. ---- */

static void print(struct program *program)
{
  printf("%" PRId64 " ", pop(program->current).i64);
}

/* Null is ignored: what comes from the host in place of a task. */
static void enqueue(struct program *program)
{
  const wasmfx_cont_t cont = pop(program->current).contref;
  expect(program->queue_count < MAX_QUEUED ? WASMFX_OK : WASMFX_ERROR_LIMIT, WASMFX_OK);
  if (cont != WASMFX_NULL_CONT)
    program->queue[(program->queue_first + program->queue_count++) % MAX_QUEUED] = cont;
}

/* Null if the queue is empty. */
static void dequeue(struct program *program)
{
  wasmfx_value_t cont = { .contref = WASMFX_NULL_CONT };
  if (program->queue_count > 0) {
    cont.contref = program->queue[program->queue_first];
    program->queue_first = (program->queue_first + 1) % MAX_QUEUED;
    program->queue_count--;
  }
  push(program->current, &cont, 1);
}

static void waiting(struct program *program)
{
  push_number(program->current, program->queue_count);
}

static const struct {
  const char *name;
  void (*function)(struct program *program);
} host_functions[] = { { "print", print }, { "enqueue", enqueue }, { "dequeue", dequeue }, { "waiting", waiting } };

bool host_function(const char *name, uint32_t *place)
{
  const uint32_t count = sizeof host_functions / sizeof host_functions[0];
  *place = 0;
  while (*place < count && strcmp(host_functions[*place].name, name) != 0)
    ++*place;
  return *place < count;
}

/* ---- Instructions ------------------------------------------------------------ */

static enum next control(struct machine *m, struct frame *frame, const struct instruction *i)
{
  struct program *program = m->program;
  switch (i->op) {
  case OP_BR_IF:
    if (!pop(m).i64)
      return NEXT;
    /* fall through */
  case OP_BR:
    frame->pc = i->operands[0];
    return NEXT;
  case OP_CALL:
    return run(m, &program->functions[i->operands[0]]);
  case OP_HOST:
    host_functions[i->operands[0]].function(program);
    return NEXT;
  case OP_TRY:
    frame->caught = program->tags[i->operands[0]].tag;
    frame->handler = i->operands[1];
    frame->handler_top = m->top;
    return NEXT;
  case OP_THROW: {
    const struct tag *tag = &program->tags[i->operands[0]];
    m->top -= tag->param_count;
    return raise(m, exception_new(program, tag->tag, m->top, tag->param_count));
  }
  case OP_THROW_REF: {
    const wasmfx_exception_t *exception = pop(m).exnref;
    return raise(m, exception ? exception->host : NULL);
  }
  default:
    return switch_stacks(m, i);
  }
}

static enum next step(struct machine *m, struct frame *frame, const struct instruction *i)
{
  int64_t right;
  switch (i->op) {
  case OP_CONST:
    push_number(m, (int32_t)i->operands[0]);
    return NEXT;
  case OP_NULL:
    push(m, &(wasmfx_value_t){ .word = 0 }, 1);
    return NEXT;
  case OP_REF:
    push(m, &(wasmfx_value_t){ .funcref = &m->program->functions[i->operands[0]] }, 1);
    return NEXT;
  case OP_GET:
    push(m, &frame->locals[i->operands[0]], 1);
    return NEXT;
  case OP_SET:
    frame->locals[i->operands[0]] = pop(m);
    return NEXT;
  case OP_DROP:
    pop(m);
    return NEXT;
  case OP_ADD:
    right = pop(m).i64;
    push_number(m, (int64_t)((uint64_t)pop(m).i64 + (uint64_t)right));
    return NEXT;
  case OP_LESS:
    right = pop(m).i64;
    push_number(m, pop(m).i64 < right);
    return NEXT;
  case OP_NOT:
    push_number(m, !pop(m).i64);
    return NEXT;
  default:
    return control(m, frame, i);
  }
}

/* Goes to the handler of this call, if it has one for what is raised. It gets the payload and the exception. */
static bool caught(struct machine *m, struct frame *frame)
{
  const wasmfx_exception_t *exception = &m->raised->head;
  if (frame->caught != exception->tag)
    return false;
  frame->caught = NULL;
  frame->pc = frame->handler;
  m->top = frame->handler_top;
  push(m, exception->values, exception->count);
  push(m, &(wasmfx_value_t){ .exnref = exception }, 1);
  return true;
}

/* Calls a function: its parameters are on top of the value stack, and then its results. */
enum next run(struct machine *m, const struct function *function)
{
  struct frame frame = { .locals = m->top - function->param_count, .pc = function->start, .handler_top = m->top };
  if ((uintptr_t)&frame < m->native_limit || !has_room(m, function->local_count))
    return trap(m, WASMFX_OVERFLOWED);
  for (uint32_t local = 0; local < function->local_count; local++)
    push_number(m, 0);

  for (;;) {
    const struct instruction *i = &m->program->code[frame.pc++];
    if (i->op == OP_RETURN)
      break;
    const enum next next = has_room(m, 0) ? step(m, &frame, i) : trap(m, WASMFX_OVERFLOWED);
    if (next == BRANCH)
      frame.pc = i->clauses.targets[m->clause];
    else if (next == TRAP || (next == RAISE && !caught(m, &frame)))
      return next;
  }
  memmove(frame.locals, m->top - function->result_count, function->result_count * sizeof *m->top);
  m->top = frame.locals + function->result_count;
  return NEXT;
}
