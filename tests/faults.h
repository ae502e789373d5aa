/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_FAULTS_H
#define WASMFX_TESTS_FAULTS_H
/**
 * @file faults.h
 * Refusals: everything that the library asks of its allocator, of the C library
 * and of the operating system is counted, and any one request, or any two, can be
 * refused. The linker puts the functions of faults.c in place of mmap() and its kin
 * (--wrap), so the test and the library have to be linked into one program.
 */
#include "support.h"

/** What can be asked for, and refused. */
enum request {
  ALLOCATION,    /**< of the configuration's allocator */
  HOST_STACK,    /**< of its stack allocator */
  RESERVATION,   /**< mmap */
  COMMITMENT,    /**< mprotect */
  GUARD,         /**< madvise, to put a guard */
  DISCARD,       /**< madvise, to give memory back */
  ADVICE,        /**< madvise, anything else */
  FILE_TO_READ,  /**< open, read */
  C_MEMORY,      /**< malloc, calloc */
  THREAD_KEY,    /**< pthread_key_create, pthread_setspecific */
  SIGNAL_STACK,  /**< sigaltstack */
  SIGNAL_ACTION, /**< sigaction, to install a handler */
  REQUEST_KINDS
};

/** An allocator, and one for stacks, whose requests count among the others. */
wasmfx_allocator_t refusing_allocator(void);
wasmfx_stack_allocator_t refusing_stack_allocator(void);

/** From here on requests are counted, or not any more. */
void count_requests(bool on);
/** How many were made of a kind, and refused, by the scenario at hand. */
size_t requests_of(enum request kind);
size_t refusals(void);
/** How many blocks of all allocators are held. */
size_t blocks_held(void);
/** Refuses the next request of a kind, besides those that are chosen by their number. */
void refuse_next(enum request kind);
/** From here on the kernel knows no light guards, as before Linux 6.13; or what it really knows again. */
void pretend_old_kernel(bool on);

/** Runs a scenario once. It has to end with nothing left of it: no block, no address range, no map, no file
 *  descriptor, no signal handler. */
void run_once(void (*scenario)(void *context), void *context);
/** Runs it again and again: undisturbed, with each of its requests refused alone, and with each two of them that are at
 *  most `window` requests apart (ALL_PAIRS). Answers how often it has run. */
size_t each_refusal(void (*scenario)(void *context), void *context, size_t window);
#define ALL_PAIRS ((size_t)1 << 31)
/** As a teardown: says which requests were refused when a test failed. */
int tell_refusals(void **state);

/* ---- Calls that may be refused ------------------------------------------------ */

/** What a call that was refused must leave as it was. */
struct before {
  const wasmfx_runtime_t *rt;
  const wasmfx_cont_t *place;
  wasmfx_cont_t cont;
  enum wasmfx_state state;
  size_t arity, refusals;
  struct view view;
};
struct before before_call(const wasmfx_runtime_t *rt, const wasmfx_cont_t *place);
bool was_refused(struct before *before, wasmfx_status_t status, const char *what, const char *file, int line);

/**
 * Makes a call until it is not refused any more. A status below zero must come of
 * a refusal, say that something has run out, and leave the counters, the depth, and the
 * reference at `place` (NULL: none) as they were. When it succeeds, errno is what it was.
 */
#define insist(rt, place, call) \
  do { \
    struct before before_ = before_call((rt), (place)); \
    while (was_refused(&before_, (call), #call, __FILE__, __LINE__)) \
      ; \
  } while (0)

#endif
