/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TYPES_H
#define WASMFX_TYPES_H
/**
 * @file types.h
 * Value kinds, function types, tags, exceptions, and the tables of handler
 * clauses that a resume carries.
 *
 * *Payloads.* Every list of parameters or results travels in one of two
 * forms, and its type alone decides which:
 *  - **word**: a list of at most one value, v128 excepted, travels in a
 *    machine register, as an uint64_t;
 *  - **by address**: any other list travels as the address of its slots,
 *    16 bytes each, in the order of the type.
 * One exception: where a continuation is *woken* (by resume or switch), a
 * last parameter of kind contref travels beside the payload, since that is
 * where switch puts the continuation that it suspends. The rest of the list
 * then decides the form. See wasmfx_received_cont().
 *
 * The upper half of a word that carries an i32 or f32 is unspecified, as is a word that arrives where the list is
 * empty.
 *
 * A payload is copied by neither side: the receiver reads the sender's slots.
 * They are valid until the receiver's *next verb*: the next call of cont.h but those
 * that only look, or the next wasmfx_type_new() or wasmfx_collect().
 *
 * *Ownership.* Types, tags and tables belong to their runtime, which frees
 * them at its end; the _free functions are for hosts that unload code before.
 * A type must outlive the continuations and tags that were made of it and the
 * switches that wait by it, a tag the suspensions and tables that name it, a table the
 * resumes that it was given to. All three are good for the verbs of their own runtime
 * only; not every verb looks. *Threads:* as the runtime.
 */
#include <wasmfx/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Value kinds, numbered as in the binary format of WebAssembly. */
enum wasmfx_kind {
  WASMFX_I32 = 0x7f,
  WASMFX_I64 = 0x7e,
  WASMFX_F32 = 0x7d,
  WASMFX_F64 = 0x7c,
  WASMFX_V128 = 0x7b,
  WASMFX_FUNCREF = 0x70,
  WASMFX_EXTERNREF = 0x6f,
  WASMFX_EXNREF = 0x69,
  WASMFX_CONTREF = 0x68
};
typedef uint8_t wasmfx_kind_t;

typedef struct wasmfx_exception wasmfx_exception_t;

/** A payload slot: 16 bytes, aligned to 16. Which member counts, the type says. */
typedef union wasmfx_value {
  WASMFX_ALIGNAS(16) uint8_t v128[16];
  int32_t i32;
  int64_t i64;
  float f32;
  double f64;
  void *funcref;
  void *externref;
  const wasmfx_exception_t *exnref;
  wasmfx_cont_t contref;
  uint64_t word; /**< the first eight bytes, whatever they are */
} wasmfx_value_t;

/** A function type [params] -> [results]. Of `cont` types it is the type of
 *  the function inside. */
typedef struct wasmfx_type wasmfx_type_t;

/**
 * Makes a function type.
 * *Shapes:* `params` has `param_count` kinds, `results` has `result_count`; both
 * are copied and may be NULL when empty.
 * *Errors:* ARGUMENT (unknown kind, more than 65,535 values), NO_MEMORY.
 */
WASMFX_API wasmfx_status_t wasmfx_type_new(wasmfx_runtime_t *rt, const wasmfx_kind_t *params, size_t param_count,
                                           const wasmfx_kind_t *results, size_t result_count, wasmfx_type_t **type);
/** Frees a type before its runtime goes. NULL is ignored. */
WASMFX_API void wasmfx_type_free(wasmfx_runtime_t *rt, wasmfx_type_t *type);

/** The parameter or result kinds of a type, `*count` of them; they live as long as the type. */
WASMFX_API const wasmfx_kind_t *wasmfx_type_params(const wasmfx_type_t *type, size_t *count);
WASMFX_API const wasmfx_kind_t *wasmfx_type_results(const wasmfx_type_t *type, size_t *count);

/**
 * A tag: what a suspension, a switch or an exception is named by.
 * Its identity is its address: two tags of the same type are two tags.
 * *Spec:* an instance's tag; an import shares it, a second instantiation makes another.
 */
typedef struct wasmfx_tag wasmfx_tag_t;

/**
 * Makes a tag of type [params] -> [results]. For `suspend` the parameters go to
 * the handler and the results come back; for `switch` there are no parameters
 * and the results are those of the handling resume; for exceptions there are
 * no results. One tag may serve all three.
 * *Errors:* ARGUMENT (no type, or a type of another runtime), NO_MEMORY.
 */
WASMFX_API wasmfx_status_t wasmfx_tag_new(wasmfx_runtime_t *rt, const wasmfx_type_t *type, wasmfx_tag_t **tag);
/** Frees a tag before its runtime goes. NULL is ignored. */
WASMFX_API void wasmfx_tag_free(wasmfx_runtime_t *rt, wasmfx_tag_t *tag);
/** The type that a tag was made of. */
WASMFX_API const wasmfx_type_t *wasmfx_tag_type(const wasmfx_tag_t *tag);

/**
 * An exception on its way: a tag and its payload.
 *
 * The library only carries it. The exception that an outcome hands over is
 * valid, like every payload, until the next verb; who wants to
 * keep it, copies tag and values into an object of their own, for which `host`
 * has room. That object can be thrown again by wasmfx_throw_ref() or
 * wasmfx_resume_throw_ref().
 * *Shapes:* `values` has `count` slots, as the tag's parameters say.
 */
struct wasmfx_exception {
  const wasmfx_tag_t *tag;
  const wasmfx_value_t *values;
  size_t count;
  void *host; /**< travels along, never read; for an engine's own exception object */
};

/** The kinds of clauses. The last two are not in the specification. */
enum wasmfx_clause_kind {
  WASMFX_ON_LABEL = 0,    /**< `(on $tag $label)`: suspensions come back to the resume */
  WASMFX_ON_SWITCH = 1,   /**< `(on $tag switch)`: the resume allows switching under it */
  WASMFX_ON_CALL = 2,     /**< `(on $tag call $f)`: suspensions call `call` where they are, and go on */
  WASMFX_ON_CALL_WORD = 3 /**< the same with `call_word` */
};

/**
 * A handler that is called in place, general form: answers a suspension at once. It runs on the stack of who suspends;
 * nothing is captured.
 * *Shapes:* `args` has the tag's parameters, `results` room for its results, zero at entry. `args` are those of the
 * suspension, valid until the next verb; `results` lie on the stack.
 * *State:* who suspends is the running continuation, as if in a barrier: a suspension or switch that would leave the
 * function answers BARRIER. It may resume others, and call wasmfx_call_on_host_stack(). If it ends by wasmfx_throw(),
 * wasmfx_trap() or an overflow of the stack, that is the outcome of the resume with the clause, and all that run under
 * that one die, the innermost first. longjmp and wasmfx_unwind_to() may leave it, an exception of C++ must not.
 */
typedef void (*wasmfx_call_t)(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results);

/** The same in word form: takes and answers the one value, or nothing. */
typedef uint64_t (*wasmfx_word_call_t)(wasmfx_runtime_t *rt, void *env, uint64_t word);

/** One clause of a resume. In C the first two fields are mostly all: { .tag = yield, .kind = WASMFX_ON_LABEL }. The
 *  others are read for calls only. */
typedef struct wasmfx_clause {
  const wasmfx_tag_t *tag;
  uint32_t kind; /**< enum wasmfx_clause_kind */
  union {
    wasmfx_call_t call;           /**< ON_CALL */
    wasmfx_word_call_t call_word; /**< ON_CALL_WORD */
  };
  void *env; /**< what the function gets */
} wasmfx_clause_t;

/** The clauses of a resume, made ready for the search. Immutable: built once
 *  for a call site, used by any number of resumes. */
typedef struct wasmfx_handlers wasmfx_handlers_t;

/**
 * Builds a table of clauses. The first clause that matches wins, and an outcome
 * names it by its place in `clauses`. A suspension sees label and call clauses, a switch those for switching.
 * *Shapes:* `count` clauses, copied; 0 is allowed (as is a NULL table at a resume).
 * *Errors:* ARGUMENT (a clause without a tag or of an unknown kind), NULL_FUNCTION
 * (a call clause without one), TYPE (a switch clause whose tag has parameters; a
 * call clause in word form whose tag has more than one word either way; one of the
 * other form whose tag has more than 64 results), NO_MEMORY.
 */
WASMFX_API wasmfx_status_t wasmfx_handlers_new(wasmfx_runtime_t *rt, const wasmfx_clause_t *clauses, size_t count,
                                               wasmfx_handlers_t **handlers);
/** Frees a table before its runtime goes. NULL is ignored. */
WASMFX_API void wasmfx_handlers_free(wasmfx_runtime_t *rt, wasmfx_handlers_t *handlers);

#ifdef __cplusplus
}
#endif
#endif
