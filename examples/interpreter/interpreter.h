/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_EXAMPLES_INTERPRETER_H
#define WASMFX_EXAMPLES_INTERPRETER_H
/**
 * @file interpreter.h
 * A small stack machine with the seven instructions of stack switching.
 *
 *     assembler.c         text -> struct program
 *     run.c               the loop, calls, exceptions, and what the host offers
 *     stack_switching.c   the seven instructions, over the library
 *     main.c              programs
 *
 * Nothing is validated: a program is trusted to use values as what they are.
 */
#include <stdbool.h>

#include "../check.h"

enum { MAX_TYPES = 8, MAX_TAGS = 4, MAX_FUNCTIONS = 8, MAX_CODE = 128, MAX_VALUES = 4, MAX_CLAUSES = 4,
       MAX_QUEUED = 8 };

enum opcode {
  OP_CONST, OP_NULL, OP_REF, OP_GET, OP_SET, OP_DROP, OP_ADD, OP_LESS, OP_NOT, OP_BR, OP_BR_IF, OP_CALL, OP_HOST,
  OP_RETURN, OP_TRY, OP_THROW, OP_THROW_REF,
  OP_CONT_NEW, OP_CONT_BIND, OP_SUSPEND, OP_RESUME, OP_RESUME_THROW, OP_RESUME_THROW_REF, OP_SWITCH
};

/** The clauses of a resume. */
struct clauses {
  uint32_t count;
  uint32_t tags[MAX_CLAUSES];
  uint32_t kinds[MAX_CLAUSES];
  uint32_t targets[MAX_CLAUSES]; /* where the program goes on */
  wasmfx_handlers_t *table;
};

struct instruction {
  enum opcode op;
  uint32_t operands[3]; /* numbers; places of types, tags, functions, instructions */
  struct clauses clauses;
};

struct signature {
  uint32_t param_count, result_count;
  wasmfx_type_t *type;
};

struct tag {
  uint32_t param_count, result_count;
  wasmfx_tag_t *tag;
};

struct function {
  struct program *program;
  uint32_t param_count, result_count, local_count;
  uint32_t start; /* its first instruction */
};

struct program {
  wasmfx_runtime_t *rt;
  struct signature types[MAX_TYPES];
  struct tag tags[MAX_TAGS];
  struct function functions[MAX_FUNCTIONS]; /* the last one is the main one */
  struct instruction code[MAX_CODE];
  uint32_t type_count, tag_count, function_count, code_count;
  wasmfx_cont_t queue[MAX_QUEUED]; /* the host's: see run.c */
  uint32_t queue_first, queue_count;
  struct machine *current;      /* whose value stack is in use; the `switched` hook of the runtime moves it */
  struct exception *exceptions; /* all that were ever made */
};

/** An exception object, what an exnref points at. */
struct exception {
  wasmfx_exception_t head; /* its `host` leads back here */
  struct exception *next;
  wasmfx_value_t values[MAX_VALUES];
};

/** A value stack and what belongs to it: one for the host, one for each continuation, in the frame of its entry. */
struct machine {
  struct program *program;
  wasmfx_value_t *top;      /* the next free slot */
  uintptr_t native_limit;   /* C frames stay above it */
  uint32_t clause;          /* after BRANCH */
  struct exception *raised; /* after RAISE */
  wasmfx_status_t trap;     /* after TRAP: a status of the library */
  wasmfx_value_t slots[256];
};

/** What an instruction tells the loop to do next. */
enum next { NEXT, BRANCH, RAISE, TRAP };

/* assembler.c */

/** Translates a program. Gives up, with a word to stderr, on text that is none. */
void assemble(struct program *program, const char *text);

/* run.c */

/** Looks up a function of the host; false if there is none of the name. */
bool host_function(const char *name, uint32_t *place);
enum next run(struct machine *m, const struct function *function);
enum next trap(struct machine *m, wasmfx_status_t code);
void push(struct machine *m, const wasmfx_value_t *values, size_t count);
wasmfx_value_t pop(struct machine *m);
struct exception *exception_new(struct program *program, const wasmfx_tag_t *tag, const wasmfx_value_t *values,
                                size_t count);

/* stack_switching.c */

enum next switch_stacks(struct machine *m, const struct instruction *i);
void switched(wasmfx_runtime_t *rt, void **from_word, void **to_word);

#endif
