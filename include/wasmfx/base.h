/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_BASE_H
#define WASMFX_BASE_H
/**
 * @file base.h
 * What every other header needs: version, export macro, the continuation
 * reference and the status codes.
 */
#include <stddef.h>
#include <stdint.h>

#define WASMFX_VERSION_MAJOR 0
#define WASMFX_VERSION_MINOR 1
#define WASMFX_VERSION_PATCH 0

#if defined(__GNUC__)
#define WASMFX_API __attribute__((visibility("default")))
#else
#define WASMFX_API
#endif

#ifdef __cplusplus
#define WASMFX_ALIGNAS(n) alignas(n)
extern "C" {
#else
#define WASMFX_ALIGNAS(n) _Alignas(n)
#endif

/** Everything that belongs together: continuations, their stacks, types and
 *  tags. Opaque. Used by one thread at a time; several may live in one thread. */
typedef struct wasmfx_runtime wasmfx_runtime_t;

/**
 * A reference to a continuation: a plain 64-bit value, 0 is null.
 *
 * It fits a register, an externref, a table slot or a foreign-function call,
 * may be copied freely and never has to be released. What is one-shot is the
 * value: each call that consumes a continuation kills the value it was given,
 * and that value stays dead for as long as the runtime lives, however often
 * the memory behind it is recycled. Using a dead value is safe and answers
 * WASMFX_TRAP_CONSUMED. A value that was never handed out is a forgery: most
 * answer the same, but who can compute numbers and pass them on as references
 * can also compute the next one of a continuation that is running. Validated
 * WebAssembly cannot; do not hand references to untrusted code as integers.
 *
 * A reference means something on its own runtime only. Another one answers
 * WASMFX_TRAP_CONSUMED too: runtimes number their references from random
 * points, so that a foreign one is taken for a live one with a chance below
 * 2^-30.
 */
typedef uint64_t wasmfx_cont_t;

/** The null continuation reference. */
#define WASMFX_NULL_CONT ((wasmfx_cont_t)0)

/**
 * What a call answers. Zero and above: what happened. Below zero: nothing
 * happened, the world is as it was before the call. The library leaves errno
 * as it was when a call succeeds, whatever the system refused on the way.
 *
 * WASMFX_TRAP_* are the traps of the instructions; wasmfx_status_text() gives
 * them the words of the specification's tests. An engine raises them in its
 * own way, for example with wasmfx_trap(). WASMFX_ERROR_* cannot happen to
 * validated WebAssembly: they tell of a mistake of the caller or of a machine
 * that has run out of something.
 */
enum wasmfx_status {
  WASMFX_OK = 0,
  WASMFX_RETURNED = 0,  /**< resume: the body returned; suspend, switch: woken with values */
  WASMFX_SUSPENDED = 1, /**< resume: a suspension reached one of the clauses */
  WASMFX_THREW = 2,     /**< an exception arrived */
  WASMFX_TRAPPED = 3,   /**< resume: the body trapped */
  WASMFX_OVERFLOWED = 4, /**< resume: the body ran into the guard of its stack (overflow.h) */

  WASMFX_TRAP_NULL_FUNCTION = -1,  /**< "null function reference" */
  WASMFX_TRAP_NULL_CONT = -2,      /**< "null continuation reference" */
  WASMFX_TRAP_CONSUMED = -3,       /**< "continuation already consumed" */
  WASMFX_TRAP_NULL_EXCEPTION = -4, /**< "null exception reference" */
  WASMFX_TRAP_UNHANDLED = -5,      /**< "unhandled tag" */
  WASMFX_TRAP_BARRIER = -6,        /**< "barrier hit by suspension" */

  WASMFX_ERROR_ARITY = -16,    /**< a payload of another length than the type says */
  WASMFX_ERROR_TYPE = -17,     /**< types that do not fit together */
  WASMFX_ERROR_STATE = -18,    /**< not here, or not now */
  WASMFX_ERROR_ARGUMENT = -19, /**< an argument that no call accepts */

  WASMFX_ERROR_NO_MEMORY = -32,        /**< the allocator or the kernel has no memory */
  WASMFX_ERROR_NO_ADDRESS_SPACE = -33, /**< no address range of the size is free */
  WASMFX_ERROR_NO_MAPS = -34,          /**< the kernel's limit of maps is reached */
  WASMFX_ERROR_LIMIT = -35,            /**< a limit of the runtime's configuration is reached */
  WASMFX_ERROR_UNSUPPORTED = -36       /**< not in this build of the library */
};

/** One of enum wasmfx_status, with a width that is the same everywhere. */
typedef int32_t wasmfx_status_t;

/** The text of a status: the words of the specification for traps, a short
 *  phrase for the rest; never NULL. Threads: any. */
WASMFX_API const char *wasmfx_status_text(wasmfx_status_t status);

/** The version of the library that was linked, as "major.minor.patch". */
WASMFX_API const char *wasmfx_version(void);

#ifdef __cplusplus
}
#endif
#endif
