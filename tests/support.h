/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_SUPPORT_H
#define WASMFX_TESTS_SUPPORT_H
/**
 * @file support.h
 * What the tests share: a runtime on an allocator that counts, types written
 * as text, and assertions that name the state that they expect.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <wasmfx/wasmfx.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/** An allocator that counts, and that can be told to fail. */
struct heap {
  size_t blocks;  /**< now held */
  size_t bytes;   /**< now held */
  size_t calls;   /**< allocations ever tried */
  size_t fail_at; /**< this call fails, counted from 1; 0: none */
};
wasmfx_allocator_t heap_allocator(struct heap *heap);

/** A runtime on a counting heap: the fixture of most tests. */
struct world {
  wasmfx_runtime_t *rt;
  struct heap heap;
};
/** A world with another configuration than the default; the allocator is set by the world. */
struct world *world_new(const wasmfx_runtime_config_t *config);
/** Frees it; fails the test if continuations were left over, or memory leaked. */
void world_free(struct world *world);
/** The same as set-up and teardown of a test. */
int open_world(void **state);
int close_world(void **state);
/** The runtime of a test's world. */
wasmfx_runtime_t *runtime_of(void **state);

#define in_a_world(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

/**
 * A type as text, "params:results", one letter a value: i i32, l i64, f f32,
 * d f64, v v128, p funcref, e externref, x exnref, c contref. "lc:i" is
 * [i64 contref] -> [i32]. Belongs to the runtime.
 */
wasmfx_type_t *type_of(wasmfx_runtime_t *rt, const char *signature);
wasmfx_tag_t *tag_of(wasmfx_runtime_t *rt, const char *signature);

/** Handler tables: HANDLERS(rt, ON_LABEL(a), ON_SWITCH(b)). */
#define ON_LABEL(of) { .tag = (of), .kind = WASMFX_ON_LABEL }
#define ON_SWITCH(of) { .tag = (of), .kind = WASMFX_ON_SWITCH }
#define ON_CALL(of, function, with) { .tag = (of), .kind = WASMFX_ON_CALL, .call = (function), .env = (with) }
#define ON_CALL_WORD(of, function, with) \
  { .tag = (of), .kind = WASMFX_ON_CALL_WORD, .call_word = (function), .env = (with) }
#define HANDLERS(rt, ...) \
  handlers_of((rt), (const wasmfx_clause_t[]){__VA_ARGS__}, COUNT_OF(((const wasmfx_clause_t[]){__VA_ARGS__})))
wasmfx_handlers_t *handlers_of(wasmfx_runtime_t *rt, const wasmfx_clause_t *clauses, size_t count);

/** New continuations; they fail the test where the library refuses. */
wasmfx_cont_t cont_of(wasmfx_runtime_t *rt, const char *signature, wasmfx_entry_t entry, void *env);
wasmfx_cont_t word_cont_of(wasmfx_runtime_t *rt, const char *signature, wasmfx_word_entry_t entry, void *env);

/** An entry function that recurses until its stack is used up. */
uint64_t recurse_for_ever(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from);

/** One value of each kind, as a slot. */
wasmfx_value_t i64_value(int64_t value);
wasmfx_value_t cont_value(wasmfx_cont_t value);

wasmfx_stats_t stats_of(const wasmfx_runtime_t *rt);

/** All that may be seen of a runtime from outside. */
struct view {
  wasmfx_stats_t stats;
  size_t depth;
};
struct view view_of(const wasmfx_runtime_t *rt);

/* Assertions. They report the line that uses them. */

#define assert_status(actual, expected) check_status((actual), (expected), #actual, __FILE__, __LINE__)
/** The status of an outcome; of a failing one also that it carries nothing. */
#define assert_outcome(actual, expected) check_outcome((actual), (expected), #actual, __FILE__, __LINE__)
#define assert_state(rt, cont, expected) \
  check_state(wasmfx_cont_state((rt), (cont)), (expected), #cont, __FILE__, __LINE__)
#define assert_dead(rt, cont) assert_state((rt), (cont), WASMFX_STATE_CONSUMED)
/** How many continuations are alive and how many stacks they hold. */
#define assert_live(rt, conts, stacks) check_live((rt), (conts), (stacks), __FILE__, __LINE__)
/** Nothing has happened since `before` was taken. */
#define assert_unchanged(rt, before) check_unchanged((rt), (before), __FILE__, __LINE__)

void check_status(wasmfx_status_t actual, wasmfx_status_t expected, const char *what, const char *file, int line);
void check_outcome(wasmfx_outcome_t actual, wasmfx_status_t expected, const char *what, const char *file, int line);
void check_state(enum wasmfx_state actual, enum wasmfx_state expected, const char *what, const char *file, int line);
void check_live(const wasmfx_runtime_t *rt, uint64_t conts, uint64_t stacks, const char *file, int line);
void check_unchanged(const wasmfx_runtime_t *rt, const struct view *before, const char *file, int line);

/** A repeatable source of random words. */
uint64_t random_word(uint64_t *seed);

#endif
