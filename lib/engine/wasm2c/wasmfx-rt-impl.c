/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands behind the imports of lowered modules, and wasm2c's own runtime, which it includes: compile it with the
 * folder of wasm-rt-impl.c among the include folders, and link it in place of that.
 *
 *     a trap in a module ---> wasm_rt_trap ---> on_trap
 *                                in a continuation: wasmfx_trap(), and the import that resumed it traps again there
 *                                else: longjmp to the innermost wasmfx_rt_try()
 *     a fault ---> on_fault, on the alternate stack
 *                    an overflow of a continuation: wasmfx_overflow_handle()
 *                    in a linear memory: as if the code had called wasm_rt_trap
 *                    of the host's stack: longjmp as above
 *
 * An invocation (struct invocation) is the host word of the root that wasmfx_rt_try() opens.
 */
#undef _FORTIFY_SOURCE /* it takes a jump out of the alternate stack for an error */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pthread_getattr_np, sigaltstack, names of registers */
#endif
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <wasmfx/abi.h>

#include "wasmfx-rt.h"

/* ---- wasm2c's runtime -------------------------------------------------------------------------- */

static WASM_RT_NO_RETURN void on_trap(int code);

/* What allocates is wrapped below, so that faults and collections know where memories and tables lie. */
static void plain_allocate_memory(wasm_rt_memory_t *memory, uint32_t initial_pages, uint32_t max_pages);
static void plain_free_memory(wasm_rt_memory_t *memory);
static void plain_allocate_table(wasm_rt_externref_table_t *table, uint32_t elements, uint32_t max_elements);
static void plain_free_table(wasm_rt_externref_table_t *table);

#define wasm_rt_allocate_memory plain_allocate_memory
#define wasm_rt_free_memory plain_free_memory
#define wasm_rt_allocate_externref_table plain_allocate_table
#define wasm_rt_free_externref_table plain_free_table
#define WASM_RT_TRAP_HANDLER on_trap
#undef WASM_RT_SKIP_SIGNAL_RECOVERY
#define WASM_RT_SKIP_SIGNAL_RECOVERY 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wunused-function"
#include "wasm-rt-impl.c"
#pragma GCC diagnostic pop
#undef wasm_rt_allocate_memory
#undef wasm_rt_free_memory
#undef wasm_rt_allocate_externref_table
#undef wasm_rt_free_externref_table

#if WASM_RT_USE_STACK_DEPTH_COUNT
#error "the depth of calls would have to follow the stack: compile with WASM_RT_USE_STACK_DEPTH_COUNT=0"
#endif

/* ---- What there is ----------------------------------------------------------------------------- */

/* An exception, as the library knows it and as modules hold it. */
struct exception {
  wasmfx_exception_t known; /* first: the address is that of the object. Its `host` points there, too */
  size_t place;             /* in the house's list */
  bool is_held;             /* somebody may have kept a reference */
  bool is_marked;
  struct exception *next; /* while it is free */
  wasmfx_value_t values[];
};

/* Objects with room for so many values are used again. */
#define COMMON_VALUES 4

/* So many exceptions make the first collection. */
#define FIRST_COLLECTION 1024

struct range {
  const char *low;
  size_t bytes;
};

struct wasmfx_rt_house {
  /* exceptions */
  struct exception **exceptions; /* all there are */
  size_t exception_count, exception_room;
  size_t collect_at;
  struct exception *free_exceptions;
  struct exception *caught;  /* was caught last and nobody holds it: its values can still be asked for */
  struct exception *escaped; /* what the last try has answered with */
  /* closures, by what they are of */
  wasmfx_rt_closure_t **buckets;
  size_t bucket_count, closure_count;
  uint32_t start_types[3]; /* of functions that continuations start with: without result, i32, i64 */
  /* the type and the table of handlers that are being listed */
  wasmfx_kind_t kinds[2][WASMFX_RT_MAX_VALUES];
  size_t kind_count[2];
  wasmfx_clause_t *clauses;
  size_t clause_count, clause_room;
  /* what collections look at */
  struct range *ranges;
  size_t range_count, range_room;
  char *outermost; /* where the part of the host's stack begins that modules run on; NULL: they do not */
  /* traps */
  void (*at_trap)(wasmfx_rt_t *rt, int code, void *context);
  void *at_trap_context;
};

/* One wasmfx_rt_try(). */
struct invocation {
  wasmfx_rt_t *rt;
  void (*function)(void *arg);
  void *arg;
  int code;
  sigjmp_buf target;
};

/* Of this thread, read by its signal handler. */
static _Thread_local struct own {
  wasmfx_rt_t *running;
  bool is_ready;
  char *signal_stack;
  uintptr_t stack_low; /* of the host's stack */
} own __attribute__((tls_model("initial-exec")));

/* Compilers keep the address of a thread-local variable over calls, also those that come back in another thread. */
static __attribute__((noinline)) wasmfx_rt_t **running(void)
{
  wasmfx_rt_t **volatile place = &own.running;
  return place;
}

/* ---- Traps ------------------------------------------------------------------------------------- */

/* Up to whoever resumed, or to the innermost try. Does not return. */
static WASM_RT_NO_RETURN void raise_trap(wasmfx_rt_t *rt, int code)
{
  *running() = rt;
  (void)wasmfx_trap(rt->runtime, code);
  struct invocation *invocation = *wasmfx_host_word(rt->runtime);
  if (!invocation)
    abort(); /* a module was called outside of wasmfx_rt_try(): there is nowhere to go */
  invocation->code = code;
  siglongjmp(invocation->target, 1);
}

void wasmfx_rt_trap(wasmfx_rt_t *rt, int code)
{
  const struct wasmfx_rt_house *house = rt->house;
  if (house->at_trap)
    house->at_trap(rt, code, house->at_trap_context);
  raise_trap(rt, code);
}

static void on_trap(int code)
{
  wasmfx_rt_t *rt = *running();
  if (!rt)
    abort();
  wasmfx_rt_trap(rt, code);
}

static int code_of(wasmfx_status_t status)
{
  switch (status) {
  case WASMFX_TRAP_NULL_FUNCTION:
    return WASMFX_RT_TRAP_NULL_FUNCTION;
  case WASMFX_TRAP_NULL_CONT:
    return WASMFX_RT_TRAP_NULL_CONT;
  case WASMFX_TRAP_CONSUMED:
    return WASMFX_RT_TRAP_CONSUMED;
  case WASMFX_TRAP_NULL_EXCEPTION:
    return WASMFX_RT_TRAP_NULL_EXCEPTION;
  case WASMFX_TRAP_UNHANDLED:
    return WASMFX_RT_TRAP_UNHANDLED_TAG;
  case WASMFX_TRAP_BARRIER:
    return WASMFX_RT_TRAP_BARRIER;
  case WASMFX_ERROR_NO_MEMORY:
  case WASMFX_ERROR_NO_ADDRESS_SPACE:
  case WASMFX_ERROR_NO_MAPS:
  case WASMFX_ERROR_LIMIT:
    return WASMFX_RT_TRAP_OUT_OF_MEMORY;
  default:
    return WASMFX_RT_TRAP_CONTRACT;
  }
}

void wasmfx_rt_failed(wasmfx_rt_t *rt, wasmfx_status_t status)
{
  wasmfx_rt_trap(rt, code_of(status));
}

static const char *text_of_wasm2c(int code)
{
  switch (code) {
  case WASM_RT_TRAP_NONE:
    return "no trap";
  case WASM_RT_TRAP_OOB:
    return "out of bounds memory access or out of bounds table access";
  case WASM_RT_TRAP_INT_OVERFLOW:
    return "integer overflow";
  case WASM_RT_TRAP_DIV_BY_ZERO:
    return "integer divide by zero";
  case WASM_RT_TRAP_INVALID_CONVERSION:
    return "invalid conversion to integer";
  case WASM_RT_TRAP_UNREACHABLE:
    return "unreachable";
  case WASM_RT_TRAP_CALL_INDIRECT:
    return "undefined element, uninitialized element or indirect call type mismatch";
  case WASM_RT_TRAP_UNCAUGHT_EXCEPTION:
    return "unhandled exception";
  case WASM_RT_TRAP_EXHAUSTION:
    return "call stack exhausted";
  default:
    return "a trap of the host's";
  }
}

const char *wasmfx_rt_strerror(int code)
{
  switch (code) {
  case WASMFX_RT_TRAP_UNHANDLED_TAG:
    return wasmfx_status_text(WASMFX_TRAP_UNHANDLED);
  case WASMFX_RT_TRAP_CONSUMED:
    return wasmfx_status_text(WASMFX_TRAP_CONSUMED);
  case WASMFX_RT_TRAP_NULL_CONT:
    return wasmfx_status_text(WASMFX_TRAP_NULL_CONT);
  case WASMFX_RT_TRAP_NULL_FUNCTION:
    return wasmfx_status_text(WASMFX_TRAP_NULL_FUNCTION);
  case WASMFX_RT_TRAP_NULL_REFERENCE:
    return "null reference";
  case WASMFX_RT_TRAP_NULL_EXCEPTION:
    return wasmfx_status_text(WASMFX_TRAP_NULL_EXCEPTION);
  case WASMFX_RT_TRAP_BARRIER:
    return wasmfx_status_text(WASMFX_TRAP_BARRIER);
  case WASMFX_RT_TRAP_TYPE_MISMATCH:
    return "indirect call type mismatch";
  case WASMFX_RT_TRAP_CAST:
    return "cast failure";
  case WASMFX_RT_TRAP_OUT_OF_MEMORY:
    return "out of memory";
  case WASMFX_RT_TRAP_CONTRACT:
    return "the module breaks the contract of its imports";
  default:
    return text_of_wasm2c(code);
  }
}

void wasmfx_rt_at_trap(wasmfx_rt_t *rt, void (*function)(wasmfx_rt_t *rt, int code, void *context), void *context)
{
  rt->house->at_trap = function;
  rt->house->at_trap_context = context;
}

/* ---- Room on the stack ------------------------------------------------------------------------- */

/* More than whoever is called by roomy() takes. */
#define ROOM_BYTES 16384

static __attribute__((noinline)) void touch_stack(void)
{
  volatile char room[ROOM_BYTES];
  for (size_t at = sizeof room; at >= 4096; at -= 4096)
    room[at - 1] = 0;
  room[0] = 0;
}

struct roomy_call {
  void (*function)(void *arg);
  void *arg;
};

static void touch_and_call(void *arg)
{
  const struct roomy_call *call = arg;
  touch_stack();
  call->function(call->arg);
}

/* For what must not be left half-done by an overflow, the allocator above all: calls a function where there is room.
 * The function must not trap. */
static void roomy(wasmfx_rt_t *rt, void (*function)(void *arg), void *arg)
{
  struct roomy_call call = { function, arg };
  const wasmfx_status_t status = wasmfx_call_on_host_stack(rt->runtime, touch_and_call, &call);
  if (status != WASMFX_OK)
    wasmfx_rt_failed(rt, status);
}

/* Makes room for one more in a list. */
static bool grow(void **list, size_t *room, size_t count, size_t bytes)
{
  if (count < *room)
    return true;
  const size_t larger = *room ? 2 * *room : 16;
  void *grown = realloc(*list, larger * bytes);
  if (!grown)
    return false;
  *list = grown;
  *room = larger;
  return true;
}

/* ---- Types, tags and tables of handlers -------------------------------------------------------- */

void wasmfx_rt_kind(wasmfx_rt_t *rt, uint32_t kind, bool is_result)
{
  struct wasmfx_rt_house *house = rt->house;
  size_t *count = &house->kind_count[is_result];
  if (*count == WASMFX_RT_MAX_VALUES)
    wasmfx_rt_failed(rt, WASMFX_ERROR_LIMIT);
  house->kinds[is_result][(*count)++] = (wasmfx_kind_t)kind;
}

wasm_rt_externref_t wasmfx_rt_type(wasmfx_rt_t *rt)
{
  struct wasmfx_rt_house *house = rt->house;
  wasmfx_type_t *type = NULL;
  const wasmfx_status_t status = wasmfx_type_new(rt->runtime, house->kinds[0], house->kind_count[0], house->kinds[1],
                                                 house->kind_count[1], &type);
  house->kind_count[0] = house->kind_count[1] = 0;
  if (status < 0)
    wasmfx_rt_failed(rt, status);
  return type;
}

wasm_rt_externref_t wasmfx_rt_tag(wasmfx_rt_t *rt, wasm_rt_externref_t type)
{
  wasmfx_tag_t *tag = NULL;
  const wasmfx_status_t status = wasmfx_tag_new(rt->runtime, type, &tag);
  if (status < 0)
    wasmfx_rt_failed(rt, status);
  return tag;
}

struct clause_call {
  wasmfx_rt_t *rt;
  bool is_done;
};

static void grow_clauses(void *arg)
{
  struct clause_call *call = arg;
  struct wasmfx_rt_house *house = call->rt->house;
  void *list = house->clauses;
  call->is_done = grow(&list, &house->clause_room, house->clause_count, sizeof *house->clauses);
  house->clauses = list;
}

void wasmfx_rt_clause(wasmfx_rt_t *rt, wasm_rt_externref_t tag, uint32_t kind)
{
  struct clause_call call = { rt, false };
  roomy(rt, grow_clauses, &call);
  if (!call.is_done)
    wasmfx_rt_failed(rt, WASMFX_ERROR_NO_MEMORY);
  rt->house->clauses[rt->house->clause_count++] =
    (wasmfx_clause_t){ .tag = tag, .kind = kind ? WASMFX_ON_SWITCH : WASMFX_ON_LABEL };
}

wasm_rt_externref_t wasmfx_rt_handlers(wasmfx_rt_t *rt)
{
  struct wasmfx_rt_house *house = rt->house;
  wasmfx_handlers_t *handlers = NULL;
  const wasmfx_status_t status = wasmfx_handlers_new(rt->runtime, house->clauses, house->clause_count, &handlers);
  house->clause_count = 0;
  if (status < 0)
    wasmfx_rt_failed(rt, status);
  return handlers;
}

/* ---- Start functions --------------------------------------------------------------------------- */

/* wasm2c's C for [i64 externref] -> [i64]. */
typedef uint64_t (*start_t)(void *instance, uint64_t word, wasm_rt_externref_t from);

static wasm_rt_externref_t externref_of(wasmfx_cont_t cont)
{
  return (wasm_rt_externref_t)(uintptr_t)cont;
}

/* What is thrown leaves the continuation, as an exception of the library. */
static __attribute__((noinline)) void hand_over(wasmfx_rt_t *rt)
{
  const wasmfx_exception_t *exception = rt->thrown;
  rt->thrown = NULL;
  rt->argument_count = 0;
  wasmfx_rt_failed(rt, wasmfx_throw_ref(rt->runtime, exception));
}

/* The calls of start functions come last where nothing is left to do: then nothing of ours is on the stack. */
static uint64_t start(wasmfx_runtime_t *runtime, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_rt_closure_t *closure = env;
  (void)runtime;
  return ((start_t)closure->function.func)(closure->function.module_instance, word, externref_of(from));
}

static uint64_t start_by_callee(wasmfx_runtime_t *runtime, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_rt_closure_t *closure = env;
  closure->rt->starting = &closure->called;
  return start(runtime, env, word, from);
}

static uint64_t start_that_throws(wasmfx_runtime_t *runtime, void *env, uint64_t word, wasmfx_cont_t from)
{
  const wasmfx_rt_closure_t *closure = env;
  const uint64_t result = start_by_callee(runtime, env, word, from);
  if (__builtin_expect(closure->rt->thrown != NULL, 0))
    hand_over(closure->rt);
  return result;
}

/* Parameters are asked for by `value`, results named by `argument`. */
static void start_with_list(wasmfx_runtime_t *runtime, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  wasmfx_rt_t *rt = ((const wasmfx_rt_closure_t *)env)->rt;
  rt->values = args;
  (void)start_that_throws(runtime, env, 0, WASMFX_NULL_CONT);
  if (rt->argument_count)
    memcpy(results, rt->arguments, rt->argument_count * sizeof *results);
  rt->argument_count = 0;
}

/* ---- Closures ---------------------------------------------------------------------------------- */

enum closure_kind { KIND_FUNCTION, KIND_START, KIND_START_THROWS };

static bool are_same(const wasm_rt_funcref_t *a, const wasm_rt_funcref_t *b)
{
  return a->func == b->func && a->module_instance == b->module_instance && a->func_type == b->func_type;
}

static bool is_null(const wasm_rt_funcref_t *function)
{
  return !function->func;
}

static size_t hash(const wasm_rt_funcref_t *function, const wasm_rt_funcref_t *called, uint32_t kind)
{
  const uint64_t words[] = { (uint64_t)(uintptr_t)function->func, (uint64_t)(uintptr_t)function->module_instance,
                             (uint64_t)(uintptr_t)called->func, (uint64_t)(uintptr_t)called->module_instance, kind };
  uint64_t mixed = 0;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    mixed = (mixed ^ words[i]) * 0x9e3779b97f4a7c15u;
    mixed ^= mixed >> 32;
  }
  return (size_t)mixed;
}

static wasmfx_rt_closure_t *find_closure(const struct wasmfx_rt_house *house, const wasm_rt_funcref_t *function,
                                         const wasm_rt_funcref_t *called, uint32_t kind)
{
  if (!house->bucket_count)
    return NULL;
  wasmfx_rt_closure_t *closure = house->buckets[hash(function, called, kind) & (house->bucket_count - 1)];
  while (closure && !(closure->kind == kind && are_same(&closure->function, function) &&
                      are_same(&closure->called, called)))
    closure = closure->next;
  return closure;
}

static void put_closure(struct wasmfx_rt_house *house, wasmfx_rt_closure_t *closure)
{
  const size_t place = hash(&closure->function, &closure->called, closure->kind) & (house->bucket_count - 1);
  closure->next = house->buckets[place];
  house->buckets[place] = closure;
}

/* Twice as many buckets as closures, if there is memory. */
static bool grow_buckets(struct wasmfx_rt_house *house)
{
  if (house->closure_count < house->bucket_count)
    return true;
  wasmfx_rt_closure_t **before = house->buckets;
  const size_t count = house->bucket_count, larger = count ? 2 * count : 64;
  wasmfx_rt_closure_t **buckets = calloc(larger, sizeof(wasmfx_rt_closure_t *));
  if (!buckets)
    return count > 0;
  house->buckets = buckets;
  house->bucket_count = larger;
  for (size_t i = 0; i < count; i++)
    for (wasmfx_rt_closure_t *closure = before[i], *next; closure; closure = next) {
      next = closure->next;
      put_closure(house, closure);
    }
  free(before);
  return true;
}

struct closure_call {
  wasmfx_rt_t *rt;
  const wasm_rt_funcref_t *function, *called;
  uint32_t kind;
  wasmfx_rt_closure_t *closure;
};

static void make_closure(void *arg)
{
  struct closure_call *call = arg;
  struct wasmfx_rt_house *house = call->rt->house;
  wasmfx_rt_closure_t *closure = grow_buckets(house) ? malloc(sizeof *closure) : NULL;
  if (!closure)
    return;
  *closure = (wasmfx_rt_closure_t){ .function = *call->function, .called = *call->called, .rt = call->rt,
                                    .kind = call->kind, .entry = start_with_list };
  closure->word_entry = call->kind == KIND_START_THROWS ? start_that_throws
                        : is_null(call->called)         ? start
                                                        : start_by_callee;
  put_closure(house, closure);
  house->closure_count++;
  call->closure = closure;
}

static wasmfx_rt_closure_t *closure_of(wasmfx_rt_t *rt, const wasm_rt_funcref_t *function,
                                       const wasm_rt_funcref_t *called, uint32_t kind)
{
  struct closure_call call = { rt, function, called, kind, find_closure(rt->house, function, called, kind) };
  if (!call.closure)
    roomy(rt, make_closure, &call);
  if (!call.closure)
    wasmfx_rt_failed(rt, WASMFX_ERROR_NO_MEMORY);
  return call.closure;
}

wasmfx_rt_closure_t *wasmfx_rt_function(wasmfx_rt_t *rt, const wasm_rt_funcref_t *function)
{
  return closure_of(rt, function, &wasm_rt_funcref_null_value, KIND_FUNCTION);
}

/* Called as if all answered an i64: of an i32 the other half means nothing, nor does it where there is no result. */
static bool is_start(const struct wasmfx_rt_house *house, const wasm_rt_funcref_t *function)
{
  for (size_t i = 0; i < sizeof house->start_types / sizeof *house->start_types; i++)
    if (function->func_type == house->start_types[i])
      return true;
  return false;
}

wasm_rt_externref_t wasmfx_rt_closure(wasmfx_rt_t *rt, const wasm_rt_funcref_t *function,
                                      const wasm_rt_funcref_t *called, uint32_t may_throw)
{
  if (is_null(function))
    wasmfx_rt_failed(rt, WASMFX_TRAP_NULL_FUNCTION);
  if (!is_start(rt->house, function))
    wasmfx_rt_failed(rt, WASMFX_ERROR_TYPE);
  return closure_of(rt, function, called, may_throw ? KIND_START_THROWS : KIND_START);
}

static void free_closures(struct wasmfx_rt_house *house)
{
  for (size_t i = 0; i < house->bucket_count; i++)
    for (wasmfx_rt_closure_t *closure = house->buckets[i], *next; closure; closure = next) {
      next = closure->next;
      free(closure);
    }
  free(house->buckets);
}

/* ---- Continuations ----------------------------------------------------------------------------- */

static wasmfx_status_t make_cont(wasmfx_rt_t *rt, wasmfx_rt_closure_t *closure, const wasmfx_type_t *type,
                                 bool takes_list, wasmfx_cont_t *cont)
{
  if (takes_list)
    return wasmfx_cont_new(rt->runtime, type, closure->entry, closure, cont);
  return wasmfx_cont_new_word(rt->runtime, type, closure->word_entry, closure, cont);
}

struct more_followers {
  wasmfx_rt_t *rt;
  uint32_t count;
};

static void grow_followers(void *arg)
{
  const struct more_followers *more = arg;
  wasmfx_rt_t *rt = more->rt;
  uint32_t *followers = realloc(rt->followers, more->count * sizeof *followers);
  if (!followers)
    return;
  memset(followers + rt->follower_count, 0, (more->count - rt->follower_count) * sizeof *followers);
  rt->followers = followers;
  rt->follower_count = more->count;
}

/* Twice as many places as that at most. Who gets none looks ahead less; at so many it does not help any more. */
bool wasmfx_rt_make_followers(wasmfx_rt_t *rt, uint32_t place)
{
  enum { MOST_FOLLOWERS = 1 << 24, FIRST_FOLLOWERS = 1 << 14 };
  struct more_followers more = { rt, rt->follower_count ? rt->follower_count : FIRST_FOLLOWERS };
  while (more.count <= place && more.count < MOST_FOLLOWERS)
    more.count *= 2;
  if (more.count > place)
    roomy(rt, grow_followers, &more);
  return place < rt->follower_count;
}

/* Where nothing is registered a collection would take what hosts hold. */
static bool may_collect(const wasmfx_rt_t *rt)
{
  return rt->house->range_count > 0;
}

bool wasmfx_rt_make_room(wasmfx_rt_t *rt, wasmfx_status_t status)
{
  size_t dropped = 0;
  return status <= WASMFX_ERROR_NO_MEMORY && status != WASMFX_ERROR_UNSUPPORTED && may_collect(rt) &&
         wasmfx_rt_collect(rt, &dropped) == WASMFX_OK && dropped > 0;
}

wasm_rt_externref_t wasmfx_rt_cont_new(wasmfx_rt_t *rt, wasm_rt_externref_t closure, wasm_rt_externref_t type,
                                       bool takes_list)
{
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  if (!closure)
    wasmfx_rt_failed(rt, WASMFX_TRAP_NULL_FUNCTION);
  wasmfx_status_t status = make_cont(rt, closure, type, takes_list, &cont);
  if (wasmfx_rt_make_room(rt, status))
    status = make_cont(rt, closure, type, takes_list, &cont);
  if (status < 0)
    wasmfx_rt_failed(rt, status);
  return externref_of(cont);
}

/* ---- Exceptions -------------------------------------------------------------------------------- */

static void forget_exception(struct wasmfx_rt_house *house, struct exception *exception)
{
  struct exception *last = house->exceptions[--house->exception_count];
  house->exceptions[exception->place] = last;
  last->place = exception->place;
}

/* Where a common one is kept for the next, the allocator is not called. */
static void free_exception(struct wasmfx_rt_house *house, struct exception *exception)
{
  forget_exception(house, exception);
  if (exception->known.count > COMMON_VALUES) {
    free(exception);
    return;
  }
  exception->next = house->free_exceptions;
  house->free_exceptions = exception;
}

struct exception_call {
  wasmfx_rt_t *rt;
  size_t count;
  struct exception *exception;
  struct exception *freed;
};

static void allocate_exception(void *arg)
{
  struct exception_call *call = arg;
  struct wasmfx_rt_house *house = call->rt->house;
  const size_t room = call->count > COMMON_VALUES ? call->count : COMMON_VALUES;
  void *list = house->exceptions;
  const bool has_place =
    grow(&list, &house->exception_room, house->exception_count, sizeof(struct exception *));
  house->exceptions = list;
  if (has_place)
    call->exception = malloc(sizeof *call->exception + room * sizeof(wasmfx_value_t));
}

static void release_exception(void *arg)
{
  struct exception_call *call = arg;
  free_exception(call->rt->house, call->freed);
}

/* What was caught last has been read by now. */
static void end_caught(wasmfx_rt_t *rt)
{
  struct exception_call call = { .rt = rt, .freed = rt->house->caught };
  if (!call.freed)
    return;
  rt->house->caught = NULL;
  if (call.freed->known.count > COMMON_VALUES)
    roomy(rt, release_exception, &call);
  else
    free_exception(rt->house, call.freed);
}

static struct exception *take_exception(wasmfx_rt_t *rt, size_t count)
{
  struct wasmfx_rt_house *house = rt->house;
  struct exception_call call = { .rt = rt, .count = count };
  struct exception *exception = count <= COMMON_VALUES ? house->free_exceptions : NULL;
  if (exception && house->exception_count < house->exception_room) {
    house->free_exceptions = exception->next;
    return exception;
  }
  roomy(rt, allocate_exception, &call);
  return call.exception;
}

static struct exception *make_exception(wasmfx_rt_t *rt, const wasmfx_tag_t *tag, const wasmfx_value_t *values,
                                        size_t count)
{
  struct wasmfx_rt_house *house = rt->house;
  end_caught(rt);
  struct exception *exception = take_exception(rt, count);
  if (!exception)
    wasmfx_rt_failed(rt, WASMFX_ERROR_NO_MEMORY);
  *exception = (struct exception){ .known = { tag, exception->values, count, exception },
                                   .place = house->exception_count };
  if (count)
    memcpy(exception->values, values, count * sizeof *values);
  house->exceptions[house->exception_count++] = exception;
  return exception;
}

/* What the caller has just made is on the stack, where it is found. */
static void collect_exceptions(wasmfx_rt_t *rt)
{
  struct wasmfx_rt_house *house = rt->house;
  (void)wasmfx_rt_collect(rt, NULL);
  house->collect_at = 2 * house->exception_count;
  if (house->collect_at < FIRST_COLLECTION)
    house->collect_at = FIRST_COLLECTION;
}

wasm_rt_externref_t wasmfx_rt_exception_new(wasmfx_rt_t *rt, wasm_rt_externref_t tag, const wasmfx_value_t *values,
                                            size_t count)
{
  size_t wanted;
  (void)wasmfx_type_params(wasmfx_tag_type(tag), &wanted);
  if (wanted != count && !(wanted == 0 && count == 1)) /* a word is passed where there is no value, too */
    wasmfx_rt_failed(rt, WASMFX_ERROR_ARITY);
  struct exception *exception = make_exception(rt, tag, values, wanted);
  if (rt->house->exception_count >= rt->house->collect_at && may_collect(rt))
    collect_exceptions(rt);
  return exception;
}

uint64_t wasmfx_rt_caught(wasmfx_rt_t *rt, uint32_t is_held)
{
  struct exception *exception = rt->thrown;
  end_caught(rt);
  rt->thrown = NULL;
  rt->values = exception->values;
  exception->is_held |= is_held != 0; /* for ever: it may be thrown again by who holds it */
  if (!exception->is_held)
    rt->house->caught = exception;
  return exception->known.count ? exception->values[0].word : 0;
}

/* One that the host has thrown by the library's functions becomes an object here. */
static struct exception *object_of(wasmfx_rt_t *rt, const wasmfx_exception_t *exception)
{
  if (exception->host)
    return exception->host;
  return make_exception(rt, exception->tag, exception->values, exception->count);
}

void wasmfx_rt_throw(wasmfx_rt_t *rt, const wasmfx_tag_t *tag, const wasmfx_value_t *values, size_t count)
{
  struct exception *exception = make_exception(rt, tag, values, count);
  exception->is_held = true;
  rt->thrown = exception;
}

size_t wasmfx_rt_exception_count(const wasmfx_rt_t *rt)
{
  return rt->house->exception_count;
}

static void free_exceptions(struct wasmfx_rt_house *house)
{
  for (size_t i = 0; i < house->exception_count; i++)
    free(house->exceptions[i]);
  for (struct exception *exception = house->free_exceptions, *next; exception; exception = next) {
    next = exception->next;
    free(exception);
  }
  free(house->exceptions);
}

/* ---- What verbs have answered ------------------------------------------------------------------ */

/* As many values as there can be. */
static const wasmfx_value_t nothing[WASMFX_RT_MAX_VALUES];

void wasmfx_rt_arrived(wasmfx_rt_t *rt, wasmfx_outcome_t outcome)
{
  switch (outcome.status) {
  case WASMFX_RETURNED:
  case WASMFX_SUSPENDED:
    rt->values = outcome.values;
    break;
  case WASMFX_THREW:
    rt->thrown = object_of(rt, outcome.exception);
    rt->values = nothing; /* who does not look, finds zeros and nulls */
    break;
  case WASMFX_TRAPPED:
    raise_trap(rt, (int)outcome.code);
  case WASMFX_OVERFLOWED:
    raise_trap(rt, WASM_RT_TRAP_EXHAUSTION);
  default:
    wasmfx_rt_failed(rt, outcome.status);
  }
}

/* ---- Where memories and tables lie ------------------------------------------------------------- */

/* What wasm2c reserves for a memory that is not checked otherwise. */
#define RESERVED_BYTES ((size_t)8 << 30)

/* Addresses, in blocks that are never freed: a signal handler reads them at any time. */
struct places {
  _Atomic(uintptr_t) places[62];
  _Atomic(struct places *) next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for changes of these, and what is once in a process */
static struct places memories, tables;

static bool put_place(struct places *block, uintptr_t place)
{
  for (size_t i = 0; i < sizeof block->places / sizeof *block->places; i++)
    if (!atomic_load(&block->places[i])) {
      atomic_store(&block->places[i], place);
      return true;
    }
  struct places *next = atomic_load(&block->next);
  if (!next) {
    next = calloc(1, sizeof *next);
    if (!next)
      return false;
    atomic_store(&block->next, next);
  }
  return put_place(next, place);
}

/* The one that is wanted; or NULL. */
static _Atomic(uintptr_t) *find_place(struct places *block, bool (*is_wanted)(uintptr_t place, uintptr_t by),
                                      uintptr_t by)
{
  for (; block; block = atomic_load(&block->next))
    for (size_t i = 0; i < sizeof block->places / sizeof *block->places; i++) {
      const uintptr_t place = atomic_load(&block->places[i]);
      if (place && is_wanted(place, by))
        return &block->places[i];
    }
  return NULL;
}

static bool is_equal(uintptr_t place, uintptr_t by)
{
  return place == by;
}

static bool reserves(uintptr_t low, uintptr_t address)
{
  return low <= address && address - low < RESERVED_BYTES;
}

static void note(struct places *block, const void *place)
{
  pthread_mutex_lock(&lock);
  const bool is_noted = put_place(block, (uintptr_t)place);
  pthread_mutex_unlock(&lock);
  if (!is_noted)
    abort(); /* as wasm2c's runtime where there is no memory */
}

static void unnote(struct places *block, const void *place)
{
  pthread_mutex_lock(&lock);
  _Atomic(uintptr_t) *found = find_place(block, is_equal, (uintptr_t)place);
  if (found)
    atomic_store(found, 0);
  pthread_mutex_unlock(&lock);
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t initial_pages, uint32_t max_pages)
{
  plain_allocate_memory(memory, initial_pages, max_pages);
#if WASM_RT_MEMCHECK_SIGNAL_HANDLER
  note(&memories, memory->data);
#endif
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory)
{
#if WASM_RT_MEMCHECK_SIGNAL_HANDLER
  unnote(&memories, memory->data);
  if (memory->data)
    munmap(memory->data, RESERVED_BYTES); /* wasm2c's own returns only what is in use */
#else
  plain_free_memory(memory);
#endif
}

void wasm_rt_allocate_externref_table(wasm_rt_externref_table_t *table, uint32_t elements, uint32_t max_elements)
{
  plain_allocate_table(table, elements, max_elements);
  note(&tables, table);
}

void wasm_rt_free_externref_table(wasm_rt_externref_table_t *table)
{
  unnote(&tables, table);
  plain_free_table(table);
}

/* ---- Collecting -------------------------------------------------------------------------------- */

wasmfx_status_t wasmfx_rt_register(wasmfx_rt_t *rt, const void *low, size_t bytes)
{
  struct wasmfx_rt_house *house = rt->house;
  void *list = house->ranges;
  const bool has_room = grow(&list, &house->range_room, house->range_count, sizeof *house->ranges);
  house->ranges = list;
  if (!has_room)
    return WASMFX_ERROR_NO_MEMORY;
  house->ranges[house->range_count++] = (struct range){ low, bytes };
  return WASMFX_OK;
}

void wasmfx_rt_unregister(wasmfx_rt_t *rt, const void *low)
{
  struct wasmfx_rt_house *house = rt->house;
  for (size_t i = 0; i < house->range_count; i++)
    if (house->ranges[i].low == low) {
      house->ranges[i] = house->ranges[--house->range_count];
      return;
    }
}

/* Exceptions by address, so that a word which lies somewhere can be taken for one. */
struct marking {
  wasmfx_rt_t *rt;
  wasmfx_collector_t *collector;
  struct exception **set; /* a power of two of places, at most half of them used */
  size_t set_mask;
  struct exception *waiting; /* marked, and not yet looked into; a list through `next` */
  const char *here;          /* the end of the stack that the collection runs on */
  wasmfx_cont_t seen;        /* the continuation whose bound arguments have been looked at last */
  size_t dropped;
  wasmfx_status_t status;
};

static size_t set_place(const struct marking *marking, uintptr_t address)
{
  return (size_t)((address >> 4) * 0x9e3779b97f4a7c15u >> 20) & marking->set_mask;
}

static bool make_set(struct marking *marking)
{
  const struct wasmfx_rt_house *house = marking->rt->house;
  size_t places = 16;
  while (places < 2 * house->exception_count)
    places *= 2;
  marking->set = calloc(places, sizeof(struct exception *));
  marking->set_mask = places - 1;
  for (size_t i = 0; marking->set && i < house->exception_count; i++) {
    size_t place = set_place(marking, (uintptr_t)house->exceptions[i]);
    while (marking->set[place])
      place = (place + 1) & marking->set_mask;
    marking->set[place] = house->exceptions[i];
    house->exceptions[i]->is_marked = false;
  }
  return marking->set != NULL;
}

static void mark_exception(struct marking *marking, struct exception *exception)
{
  if (!exception || exception->is_marked)
    return;
  exception->is_marked = true;
  exception->next = marking->waiting;
  marking->waiting = exception;
}

static void mark_word(struct marking *marking, uintptr_t word)
{
  size_t place = set_place(marking, word);
  while (marking->set[place] && (uintptr_t)marking->set[place] != word)
    place = (place + 1) & marking->set_mask;
  mark_exception(marking, marking->set[place]);
}

/* Stacks hold what sanitizers would rather not see read. */
#ifdef __clang__
#define UNCHECKED __attribute__((no_sanitize("address", "memory")))
#else
#define UNCHECKED __attribute__((no_sanitize("address")))
#endif

UNCHECKED static void scan(struct marking *marking, const void *low, size_t bytes)
{
  const size_t step = sizeof(uintptr_t);
  wasmfx_collect_scan(marking->collector, low, bytes);
  for (size_t at = -(uintptr_t)low % step; at + step <= bytes; at += step)
    mark_word(marking, *(const uintptr_t *)(const void *)((const char *)low + at));
}

/* What exceptions hold. They may hold each other. */
static void scan_exceptions(struct marking *marking)
{
  while (marking->waiting) {
    const struct exception *exception = marking->waiting;
    marking->waiting = exception->next;
    scan(marking, exception->values, exception->known.count * sizeof *exception->values);
  }
}

static void scan_table(struct marking *marking, const wasm_rt_externref_table_t *table)
{
  if (table->data)
    scan(marking, table->data, table->size * sizeof *table->data);
}

/* The tables of an instance lie in its struct. */
static void scan_tables(struct marking *marking, const struct range *range)
{
  for (struct places *block = &tables; block; block = atomic_load(&block->next))
    for (size_t i = 0; i < sizeof block->places / sizeof *block->places; i++) {
      const uintptr_t place = atomic_load(&block->places[i]);
      if (place - (uintptr_t)range->low < range->bytes)
        scan_table(marking, (const wasm_rt_externref_table_t *)place);
    }
}

static void scan_host_stack(struct marking *marking, const char *low)
{
  const char *high = marking->rt->house->outermost;
  if (high && low < high)
    scan(marking, low, (size_t)(high - low));
}

static bool is_on_cont(const wasmfx_rt_t *rt, const char *here)
{
  void *low, *high;
  return wasmfx_stack_bounds(rt->runtime, &low, &high) == WASMFX_OK && (char *)low <= here && here < (char *)high;
}

static void trace_value(void *context, wasmfx_kind_t kind, wasmfx_value_t *value)
{
  (void)kind;
  scan(context, value, sizeof *value);
}

static void mark(wasmfx_collector_t *collector, void *context)
{
  struct marking *marking = context;
  const wasmfx_rt_t *rt = marking->rt;
  const struct wasmfx_rt_house *house = rt->house;
  const wasmfx_visitor_t values = { NULL, trace_value, marking };
  marking->collector = collector;
  for (size_t i = 0; i < house->range_count; i++) {
    scan(marking, house->ranges[i].low, house->ranges[i].bytes);
    scan_tables(marking, &house->ranges[i]);
  }
  scan(marking, rt->arguments, rt->argument_count * sizeof *rt->arguments);
  mark_exception(marking, rt->thrown);
  mark_exception(marking, house->caught);
  mark_exception(marking, house->escaped);
  if (!is_on_cont(rt, marking->here))
    scan_host_stack(marking, marking->here);
  wasmfx_visit_running(rt->runtime, &values);
  scan_exceptions(marking);
}

static void trace(wasmfx_collector_t *collector, const wasmfx_stack_t *stack, void *context)
{
  struct marking *marking = context;
  const wasmfx_visitor_t values = { NULL, trace_value, marking };
  (void)collector;
  if (stack->low && stack->high)
    scan(marking, stack->low, (size_t)((char *)stack->high - (char *)stack->low));
  else if (stack->low)
    scan_host_stack(marking, stack->low);
  if (stack->saved_fp)
    scan(marking, (const void *)stack->saved_fp, sizeof *stack->saved_fp);
  if (stack->cont && stack->cont != marking->seen) {
    marking->seen = stack->cont;
    (void)wasmfx_visit_cont(marking->rt->runtime, stack->cont, &values);
  }
  scan_exceptions(marking);
}

static void sweep_exceptions(struct wasmfx_rt_house *house)
{
  for (size_t i = house->exception_count; i-- > 0;)
    if (!house->exceptions[i]->is_marked)
      free_exception(house, house->exceptions[i]);
}

static __attribute__((noinline)) void collect_from_here(struct marking *marking)
{
  const wasmfx_roots_t roots = { mark, trace, marking };
  marking->here = __builtin_frame_address(0);
  marking->status = wasmfx_collect(marking->rt->runtime, &roots, &marking->dropped);
  if (marking->status == WASMFX_OK)
    sweep_exceptions(marking->rt->house);
}

/* Whatever modules have in preserved registers gets into this frame, and so above the next one. */
static void collect(void *arg)
{
  struct marking *marking = arg;
  __builtin_unwind_init();
  if (make_set(marking))
    collect_from_here(marking);
  free(marking->set);
}

wasmfx_status_t wasmfx_rt_collect(wasmfx_rt_t *rt, size_t *dropped)
{
  struct marking marking = { .rt = rt, .status = WASMFX_ERROR_NO_MEMORY };
  roomy(rt, collect, &marking);
  if (dropped && marking.status == WASMFX_OK)
    *dropped = marking.dropped;
  return marking.status;
}

/* ---- Faults ------------------------------------------------------------------------------------ */

#define SIGNAL_STACK_BYTES ((size_t)65536)

/* How far from the end of the host's stack its overflows are met: the kernel keeps a distance from what lies below. */
#define STACK_END_BYTES ((uintptr_t)2 << 20)
/* How far from the stack pointer: a large frame that is not probed. */
#define NEAR_BYTES ((uintptr_t)65536)
/* What code may have below its stack pointer, and somewhat more. */
#define RED_ZONE_BYTES 256

static struct sigaction before; /* who had the signal */
static size_t rt_count;         /* there is a handler as long as this is above 0 */

static void trap_out_of_bounds(void)
{
  wasm_rt_trap(WASM_RT_TRAP_OOB);
}

static void trap_exhausted(void)
{
  raise_trap(*running(), WASM_RT_TRAP_EXHAUSTION);
}

#ifdef REG_RIP
static uintptr_t stack_pointer(const ucontext_t *context)
{
  return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
}

/* What was interrupted goes on with a function that does not return, on a stack that ends at `top`. */
static void divert(ucontext_t *context, void (*function)(void), uintptr_t top)
{
  context->uc_mcontext.gregs[REG_RSP] = (greg_t)(top / 16 * 16 - 8);
  context->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)function;
}

/* As if it had called the function: for who walks from there. */
static void divert_by_call(ucontext_t *context, void (*function)(void))
{
  const uintptr_t at = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
  divert(context, function, stack_pointer(context) - RED_ZONE_BYTES);
  *(uintptr_t *)stack_pointer(context) = at + 1;
}
#else
#error "how a fault goes on as a trap is not known for this processor"
#endif

/* Less than that would be met by whoever is diverted, too. */
static bool has_room(const wasmfx_rt_t *rt, uintptr_t sp)
{
  void *low, *high;
  if (wasmfx_stack_bounds(rt->runtime, &low, &high) == WASMFX_OK && (uintptr_t)low <= sp && sp < (uintptr_t)high)
    return sp - (uintptr_t)low > 2 * RED_ZONE_BYTES;
  return sp > own.stack_low + NEAR_BYTES;
}

static bool is_in_module(const wasmfx_rt_t *rt, bool *is_host)
{
  wasmfx_current_t current;
  wasmfx_current(rt->runtime, &current);
  *is_host = current.id == 0;
  return current.id != 0 || *wasmfx_host_word(rt->runtime);
}

static bool is_host_overflow(uintptr_t address, uintptr_t sp)
{
  const uintptr_t low = own.stack_low - NEAR_BYTES;
  return own.stack_low && address - low < STACK_END_BYTES && sp - low < STACK_END_BYTES &&
         address + NEAR_BYTES - sp < 2 * NEAR_BYTES;
}

/* Answers whether the fault is one of a module's. */
static bool handle(wasmfx_rt_t *rt, const void *address, ucontext_t *context)
{
  const uintptr_t sp = stack_pointer(context);
  bool is_host = false;
  if (wasmfx_overflow_handle(rt->runtime, address, context) == WASMFX_OK)
    return true;
  if (!is_in_module(rt, &is_host))
    return false;
  if (find_place(&memories, reserves, (uintptr_t)address)) {
    if (has_room(rt, sp))
      divert_by_call(context, trap_out_of_bounds);
    else
      divert(context, trap_out_of_bounds, sp - RED_ZONE_BYTES);
    return true;
  }
  if (!is_host || !is_host_overflow((uintptr_t)address, sp))
    return false;
  divert(context, trap_exhausted, (uintptr_t)context->uc_stack.ss_sp + context->uc_stack.ss_size);
  return true;
}

static void pass_on(int signal, siginfo_t *info, void *context)
{
  if (before.sa_flags & SA_SIGINFO) {
    before.sa_sigaction(signal, info, context);
    return;
  }
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signal);
    return;
  }
  const bool is_sent = info->si_code <= 0; /* by kill(), say: it does not come again by itself */
  if (is_sent && before.sa_handler == SIG_IGN)
    return;
  const struct sigaction deadly = { .sa_handler = SIG_DFL };
  sigaction(signal, &deadly, NULL);
  if (is_sent)
    raise(signal);
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
  const int error = errno;
  wasmfx_rt_t *rt = *running();
  if (!rt || info->si_code <= 0 || !handle(rt, info->si_addr, context))
    pass_on(signal, info, context);
  errno = error;
}

/* With the first of the process. The handler that was there before may leave by a jump: the signal must not stay
 * blocked then. */
static bool install_handler(void)
{
  const struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
  pthread_mutex_lock(&lock);
  const bool is_done = rt_count > 0 || sigaction(SIGSEGV, &action, &before) == 0;
  rt_count += is_done;
  pthread_mutex_unlock(&lock);
  return is_done;
}

/* Whoever has put a handler above may call this one yet. */
static void uninstall_handler(void)
{
  struct sigaction now;
  pthread_mutex_lock(&lock);
  if (--rt_count == 0 && sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_sigaction == on_fault)
    sigaction(SIGSEGV, &before, NULL);
  pthread_mutex_unlock(&lock);
}

/* ---- Threads ----------------------------------------------------------------------------------- */

static pthread_key_t exit_key;
static bool has_key;

static void at_thread_exit(void *signal_stack)
{
  stack_t stack;
  if (sigaltstack(NULL, &stack) == 0 && stack.ss_sp == signal_stack) {
    stack = (stack_t){ .ss_flags = SS_DISABLE };
    sigaltstack(&stack, NULL);
  }
  free(signal_stack);
}

static void make_key(void)
{
  has_key = pthread_key_create(&exit_key, at_thread_exit) == 0;
}

/* Where the host's stack ends; 0 if nobody knows. */
static uintptr_t find_stack_low(void)
{
  pthread_attr_t attributes;
  void *low = NULL;
  size_t bytes = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0)
    return 0;
  pthread_attr_getstack(&attributes, &low, &bytes);
  pthread_attr_destroy(&attributes);
  return (uintptr_t)low;
}

/* One that the host has is used. */
static bool give_signal_stack(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  const long least = sysconf(_SC_SIGSTKSZ); /* grows with the registers of the processor */
  const size_t bytes = least > (long)SIGNAL_STACK_BYTES ? (size_t)least : SIGNAL_STACK_BYTES;
  stack_t stack;
  if (sigaltstack(NULL, &stack) != 0 || !(stack.ss_flags & SS_DISABLE))
    return true;
  pthread_once(&once, make_key);
  stack = (stack_t){ .ss_sp = malloc(bytes), .ss_size = bytes };
  if (!stack.ss_sp)
    return false;
  if (!has_key || pthread_setspecific(exit_key, stack.ss_sp) != 0 || sigaltstack(&stack, NULL) != 0) {
    free(stack.ss_sp);
    return false;
  }
  return true;
}

static bool prepare_thread(void)
{
  if (own.is_ready)
    return true;
  own.stack_low = find_stack_low();
  own.is_ready = give_signal_stack();
  return own.is_ready;
}

/* ---- Calling modules --------------------------------------------------------------------------- */

wasmfx_rt_t *wasmfx_rt_running(void)
{
  return *running();
}

/* Not inlined: what a jump ends must not be changed in the frame that it goes to. */
static __attribute__((noinline)) void call_until_trap(struct invocation *invocation)
{
  if (sigsetjmp(invocation->target, 0) == 0) {
    invocation->function(invocation->arg);
    invocation->code = 0;
  }
}

/* What is thrown and not caught is the host's. */
static void take_escaped(wasmfx_rt_t *rt, struct invocation *invocation)
{
  struct wasmfx_rt_house *house = rt->house;
  house->escaped = NULL;
  if (invocation->code == 0 && rt->thrown) {
    house->escaped = rt->thrown;
    house->escaped->is_held = true;
    invocation->code = WASM_RT_TRAP_UNCAUGHT_EXCEPTION;
  }
  rt->thrown = NULL;
}

static void call_in_root(void *arg)
{
  struct invocation *invocation = arg;
  wasmfx_rt_t *rt = invocation->rt, *outer = *running();
  struct wasmfx_rt_house *house = rt->house;
  char *const outermost = house->outermost;
  wasmfx_scope_t scope;
  wasmfx_mark_t place;
  if (wasmfx_root_enter(rt->runtime, &scope) != WASMFX_OK)
    return;
  if (!outermost)
    house->outermost = __builtin_frame_address(0);
  *wasmfx_host_word(rt->runtime) = invocation;
  wasmfx_mark(rt->runtime, &place);
  *running() = rt;
  call_until_trap(invocation);
  *running() = outer;
  if (invocation->code != 0)
    (void)wasmfx_unwind_to(rt->runtime, &place, NULL); /* roots that imports have opened, and not by a try */
  rt->argument_count = 0;
  take_escaped(rt, invocation);
  (void)wasmfx_root_leave(rt->runtime, &scope);
  house->outermost = outermost;
}

int wasmfx_rt_try(wasmfx_rt_t *rt, void (*function)(void *arg), void *arg)
{
  struct invocation invocation = { .rt = rt, .function = function, .arg = arg, .code = WASMFX_RT_TRAP_OUT_OF_MEMORY };
  const wasmfx_rt_t *outer = *running();
  if (!prepare_thread())
    return invocation.code;
  if (outer)
    (void)wasmfx_call_on_host_stack(outer->runtime, call_in_root, &invocation);
  else
    call_in_root(&invocation);
  return invocation.code;
}

const wasmfx_exception_t *wasmfx_rt_exception(const wasmfx_rt_t *rt)
{
  return rt->house->escaped ? &rt->house->escaped->known : NULL;
}

void wasmfx_rt_call_on_host_stack(wasmfx_rt_t *rt, void (*function)(void *arg), void *arg)
{
  const wasmfx_status_t status = wasmfx_call_on_host_stack(rt->runtime, function, arg);
  if (status != WASMFX_OK)
    wasmfx_rt_failed(rt, status);
}

/* ---- Life -------------------------------------------------------------------------------------- */

static wasmfx_rt_t *make(void)
{
  wasmfx_rt_t *rt = calloc(1, sizeof *rt);
  struct wasmfx_rt_house *house = calloc(1, sizeof *house);
  if (!rt || !house) {
    free(rt);
    free(house);
    return NULL;
  }
  rt->house = house;
  house->collect_at = FIRST_COLLECTION;
  return rt;
}

static void unmake(wasmfx_rt_t *rt)
{
  free_exceptions(rt->house);
  free_closures(rt->house);
  free(rt->house->clauses);
  free(rt->house->ranges);
  free(rt->house);
  free(rt->followers);
  free(rt);
}

wasmfx_status_t wasmfx_rt_new(const wasmfx_runtime_config_t *config, wasmfx_rt_t **rt)
{
  *rt = NULL;
  if (wasmfx_abi_version() != WASMFX_ABI_VERSION)
    return WASMFX_ERROR_UNSUPPORTED;
  wasmfx_rt_t *made = make();
  if (!made)
    return WASMFX_ERROR_NO_MEMORY;
  wasmfx_status_t status = wasmfx_runtime_new(config, &made->runtime);
  if (status == WASMFX_OK && !install_handler())
    status = WASMFX_ERROR_UNSUPPORTED;
  if (status != WASMFX_OK) {
    (void)wasmfx_runtime_free(made->runtime, NULL);
    unmake(made);
    return status;
  }
  wasm_rt_init();
  uint32_t *types = made->house->start_types;
  types[0] = wasm_rt_register_func_type(2, 0, WASM_RT_I64, WASM_RT_EXTERNREF);
  types[1] = wasm_rt_register_func_type(2, 1, WASM_RT_I64, WASM_RT_EXTERNREF, WASM_RT_I32);
  types[2] = wasm_rt_register_func_type(2, 1, WASM_RT_I64, WASM_RT_EXTERNREF, WASM_RT_I64);
  *rt = made;
  return WASMFX_OK;
}

wasmfx_status_t wasmfx_rt_free(wasmfx_rt_t *rt)
{
  if (!rt)
    return WASMFX_OK;
  const wasmfx_status_t status = wasmfx_runtime_free(rt->runtime, NULL);
  if (status != WASMFX_OK)
    return status;
  uninstall_handler();
  unmake(rt);
  return WASMFX_OK;
}
