/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands behind the imports of lowered modules that wasm3 runs.
 *
 * wasm3 has two stacks: its own of values, and C's, where its operations call each other. Both must be the
 * continuation's. So the values of a continuation lie in the frame of its start function, and each part grows into its
 * own room:
 *
 *     high +-------------------------+
 *          | start                   |  struct stack: what wasm3 has to know of this stack
 *          |      values             |  a quarter, upwards
 *          |      operations of      |
 *          ~      wasm3, imports     ~  downwards
 *          +- - - - - - - - - - - - -+  <- limit: wasm3 traps below
 *          |      HOST_BYTES         |  for imports, and the library
 *     low  +-------------------------+
 *
 * wasm3 looks at three words to know how far it may grow: `stackLimit` and `numStackSlots` of the runtime, and
 * `maxStack` in the header of the linear memory. The hook `switched` sets them, by the host word of who is to run next.
 * A fourth, `stack` of the runtime, wasm3 itself puts back when an import returns.
 *
 * A trap is a text that is returned from operation to operation, up to m3_Call(). In a continuation that is the one in
 * its start function, which ends by wasmfx_trap(); the import that has resumed it returns the same text. Nothing jumps.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "m3_env.h"

#include "wasmfx-m3.h"

/* What imports and the library may use where wasm3 thinks that the stack has ended. */
#define HOST_BYTES 8192
/* What the hook uses. */
#define HOOK_BYTES 1024
/* How many values a list can have that is not in the arguments of a verb. */
#define MAX_VALUES 1000
/* So many exceptions make the first collection. */
#define FIRST_COLLECTION 1024

const M3Result wasmfx_m3_uncaught = "unhandled exception";
const M3Result wasmfx_m3_contract = "the module breaks the contract of its imports";

/* ---- What there is ------------------------------------------------------------------------ */

/* What wasm3 has to know of a stack: what the host word of a continuation or root points to, in a frame of that. */
struct stack {
  void *limit;
  void *values_end;
  uint32_t slots;
};

/* What an import finds as its user data: how many values it takes. */
struct link {
  wasmfx_m3_t *m3;
  uint32_t count; /* COUNT_FOLLOWS: its first argument says */
};
#define COUNT_FOLLOWS 5

/* An exception, as the library knows it and as the module holds it. */
struct exception {
  wasmfx_exception_t known; /* first: the address is that of the object. Its `host` points there, too */
  struct exception *next, **place;
  bool is_held; /* somebody may have kept a reference */
  bool is_marked;
  struct exception *next_marked;
  wasmfx_value_t values[];
};

/* A start function, and what it calls. */
struct closure {
  wasmfx_m3_t *m3;
  IM3Function function, called;
  bool may_throw;
  struct closure *next;
};

struct wasmfx_m3 {
  wasmfx_runtime_t *runtime;
  IM3Module module; /* NULL: not linked yet */
  IM3Runtime engine;
  IM3Global thrown;              /* NULL: the module has no exceptions */
  const wasmfx_value_t *values;  /* what has arrived last */
  const struct closure *starting;
  struct link links[COUNT_FOLLOWS + 1];
  /* exceptions */
  struct exception *exceptions; /* all there are */
  size_t exception_count;
  size_t collect_at; /* so many are there */
  struct exception *caught;     /* was caught last and nobody holds it: its values can still be asked for */
  struct exception *escaped;    /* what the last call has answered with */
  /* closures, by what they are of */
  struct closure **buckets;
  size_t bucket_count, closure_count;
  /* the type, the table of handlers and the arguments that are being listed */
  wasmfx_kind_t kinds[2][MAX_VALUES];
  size_t kind_count[2];
  wasmfx_clause_t clauses[MAX_VALUES];
  size_t clause_count;
  wasmfx_value_t arguments[MAX_VALUES];
  size_t argument_count;
  uint32_t host_slots; /* of the values of the host's stack */
  char *outermost; /* where the part of the host's stack begins that the module runs on; NULL: it does not */
  bool is_compiled;
};

/* ---- What follows the stack ----------------------------------------------------------------- */

static void follow(IM3Runtime engine, const struct stack *stack)
{
  engine->stackLimit = stack->limit;
  engine->numStackSlots = stack->slots;
  engine->memory.mallocated->maxStack = stack->values_end;
}

/* A continuation that has not begun has no word: its start function does the same. */
static void switched(wasmfx_runtime_t *runtime, void **from_word, void **to_word)
{
  const wasmfx_m3_t *m3 = wasmfx_runtime_host(runtime);
  (void)from_word;
  if (*to_word)
    follow(m3->engine, *to_word);
}

/* ---- Traps ------------------------------------------------------------------------------------ */

static M3Result failed(wasmfx_status_t status)
{
  switch (status) {
  case WASMFX_ERROR_NO_MEMORY:
  case WASMFX_ERROR_NO_ADDRESS_SPACE:
  case WASMFX_ERROR_NO_MAPS:
  case WASMFX_ERROR_LIMIT:
  case WASMFX_TRAP_NULL_FUNCTION:
  case WASMFX_TRAP_NULL_CONT:
  case WASMFX_TRAP_CONSUMED:
  case WASMFX_TRAP_NULL_EXCEPTION:
  case WASMFX_TRAP_UNHANDLED:
  case WASMFX_TRAP_BARRIER:
    return wasmfx_status_text(status);
  default:
    return wasmfx_m3_contract;
  }
}

static M3Result import_trap(uint32_t number)
{
  static const char *const texts[] = { "null function reference", "null reference", "indirect call type mismatch",
                                       "null exception reference", "cast failure" };
  return number - 1 < sizeof texts / sizeof *texts ? texts[number - 1] : wasmfx_m3_contract;
}

/* ---- Exceptions ------------------------------------------------------------------------------- */

static struct exception *thrown(const wasmfx_m3_t *m3)
{
  return m3->thrown ? (struct exception *)(uintptr_t)m3->thrown->i64Value : NULL;
}

static void set_thrown(wasmfx_m3_t *m3, const struct exception *exception)
{
  if (m3->thrown)
    m3->thrown->i64Value = (int64_t)(uintptr_t)exception;
}

static void free_exception(wasmfx_m3_t *m3, struct exception *exception)
{
  m3->exception_count--;
  *exception->place = exception->next;
  if (exception->next)
    exception->next->place = exception->place;
  free(exception);
}

/* What was caught last has been read by now. */
static void end_caught(wasmfx_m3_t *m3)
{
  if (m3->caught)
    free_exception(m3, m3->caught);
  m3->caught = NULL;
}

static struct exception *make_exception(wasmfx_m3_t *m3, const wasmfx_tag_t *tag, const wasmfx_value_t *values,
                                        size_t count)
{
  struct exception *exception = malloc(sizeof *exception + count * sizeof *values);
  if (!exception)
    return NULL;
  *exception = (struct exception){ .known = { tag, exception->values, count, exception },
                                   .next = m3->exceptions,
                                   .place = &m3->exceptions };
  if (count)
    memcpy(exception->values, values, count * sizeof *values);
  if (exception->next)
    exception->next->place = &exception->next;
  m3->exceptions = exception;
  m3->exception_count++;
  end_caught(m3);
  return exception;
}

/* The exception is on its way in the module from here on. */
static M3Result throw_here(wasmfx_m3_t *m3, const struct exception *exception)
{
  if (!exception)
    return failed(WASMFX_ERROR_NO_MEMORY);
  if (!m3->thrown)
    return wasmfx_m3_uncaught;
  set_thrown(m3, exception);
  return m3Err_none;
}

/* One that the host has thrown by the library's functions becomes an object here. */
static M3Result throw_known(wasmfx_m3_t *m3, const wasmfx_exception_t *exception)
{
  if (exception->host)
    return throw_here(m3, exception->host);
  return wasmfx_m3_throw(m3, exception->tag, exception->values, exception->count);
}

M3Result wasmfx_m3_throw(wasmfx_m3_t *m3, const wasmfx_tag_t *tag, const wasmfx_value_t *values, size_t count)
{
  struct exception *exception = make_exception(m3, tag, values, count);
  if (exception)
    exception->is_held = true;
  return throw_here(m3, exception);
}

/* What the caller has just made is in wasm3's values, where it is found. */
static void collect_exceptions(wasmfx_m3_t *m3)
{
  (void)wasmfx_m3_collect(m3, NULL);
  m3->collect_at = 2 * m3->exception_count;
  if (m3->collect_at < FIRST_COLLECTION)
    m3->collect_at = FIRST_COLLECTION;
}

static M3Result exception_new(wasmfx_m3_t *m3, const wasmfx_tag_t *tag, const wasmfx_value_t *values, size_t count,
                              uint64_t *result)
{
  size_t wanted = 0;
  (void)wasmfx_type_params(wasmfx_tag_type(tag), &wanted);
  if (wanted != count && !(wanted == 0 && count == 1)) /* a word is passed where there is no value, too */
    return wasmfx_m3_contract;
  const struct exception *exception = make_exception(m3, tag, values, wanted);
  *result = (uint64_t)(uintptr_t)exception;
  if (!exception)
    return failed(WASMFX_ERROR_NO_MEMORY);
  if (m3->exception_count >= m3->collect_at)
    collect_exceptions(m3);
  return m3Err_none;
}

static M3Result caught(wasmfx_m3_t *m3, bool is_held, uint64_t *result)
{
  struct exception *exception = thrown(m3);
  end_caught(m3);
  if (!exception)
    return wasmfx_m3_contract;
  set_thrown(m3, NULL);
  m3->values = exception->values;
  exception->is_held |= is_held; /* for ever: it may be thrown again by who holds it */
  if (!exception->is_held)
    m3->caught = exception;
  *result = exception->known.count ? exception->values[0].word : 0;
  return m3Err_none;
}

/* ---- What verbs have answered -------------------------------------------------------------------- */

/* As many values as there can be. */
static const wasmfx_value_t nothing[MAX_VALUES];

/* Of a list, or an exception, it would be the address. */
static uint64_t word_of(wasmfx_outcome_t outcome)
{
  return outcome.by_address || outcome.status > WASMFX_SUSPENDED ? 0 : outcome.word;
}

static M3Result arrived(wasmfx_m3_t *m3, wasmfx_outcome_t outcome)
{
  switch (outcome.status) {
  case WASMFX_RETURNED:
  case WASMFX_SUSPENDED:
    if (outcome.by_address)
      m3->values = outcome.values;
    return m3Err_none;
  case WASMFX_THREW:
    m3->values = nothing; /* who does not look, finds zeros and nulls */
    return throw_known(m3, outcome.exception);
  case WASMFX_TRAPPED:
    return (M3Result)(intptr_t)outcome.code;
  case WASMFX_OVERFLOWED:
    return m3Err_trapStackOverflow;
  default:
    return failed(outcome.status);
  }
}

/* The results of a resume: which clause, the word, the continuation. */
static M3Result resumed(wasmfx_m3_t *m3, wasmfx_cont_t cont, wasmfx_outcome_t outcome, uint64_t *results)
{
  results[0] = outcome.status == WASMFX_SUSPENDED ? outcome.handler + 1 : 0;
  results[1] = word_of(outcome);
  results[2] = cont;
  return arrived(m3, outcome);
}

/* ---- Start functions -------------------------------------------------------------------------------- */

/* The values of this continuation, for as long as the caller's frame is there. */
static void lay_out(struct stack *stack, void *values, size_t bytes, char *low)
{
  stack->limit = low + HOST_BYTES;
  stack->values_end = (char *)values + bytes;
  stack->slots = (uint32_t)(bytes / sizeof(m3slot_t));
}

static M3Result call_start(const struct closure *closure, uint64_t word, wasmfx_cont_t from, uint64_t *result)
{
  const void *arguments[] = { &word, &from };
  const void *results[] = { result };
  closure->m3->starting = closure;
  M3Result answer = m3_Call(closure->function, 2, arguments);
  /* an i32 fills the lower half */
  return answer ? answer : m3_GetResults(closure->function, m3_GetRetCount(closure->function), results);
}

/* On the stack of a continuation that begins. What it has thrown leaves it as an exception of the library. */
static uint64_t start(wasmfx_runtime_t *runtime, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct closure *closure = env;
  wasmfx_m3_t *m3 = closure->m3;
  struct stack stack;
  void *low = NULL, *high = NULL;
  uint64_t result = 0;
  (void)wasmfx_stack_bounds(runtime, &low, &high);
  const size_t bytes = (size_t)((char *)high - (char *)low) / 64 * 16;
  void *values = __builtin_alloca(bytes);
  lay_out(&stack, values, bytes, low);
  *wasmfx_host_word(runtime) = &stack;
  follow(m3->engine, &stack);
  m3->engine->stack = values;
  const M3Result answer = call_start(closure, word, from, &result);
  const struct exception *exception = thrown(m3);
  if (answer)
    (void)wasmfx_trap(runtime, (intptr_t)answer);
  if (closure->may_throw && exception) {
    set_thrown(m3, NULL);
    m3->argument_count = 0;
    (void)wasmfx_throw_ref(runtime, &exception->known);
  }
  return result;
}

/* Parameters are asked for by `value`, results named by `argument`. */
static void start_with_list(wasmfx_runtime_t *runtime, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  wasmfx_m3_t *m3 = ((const struct closure *)env)->m3;
  m3->values = args;
  (void)start(runtime, env, 0, WASMFX_NULL_CONT);
  if (m3->argument_count)
    memcpy(results, m3->arguments, m3->argument_count * sizeof *results);
  m3->argument_count = 0;
}

/* ---- Closures ----------------------------------------------------------------------------------------- */

static size_t place_of(const wasmfx_m3_t *m3, IM3Function function, IM3Function called)
{
  const uint64_t mixed = ((uintptr_t)function ^ (uintptr_t)called * 3) * 0x9e3779b97f4a7c15u;
  return (size_t)(mixed >> 32) & (m3->bucket_count - 1);
}

static struct closure *find_closure(const wasmfx_m3_t *m3, IM3Function function, IM3Function called, bool may_throw)
{
  struct closure *closure = m3->bucket_count ? m3->buckets[place_of(m3, function, called)] : NULL;
  while (closure && !(closure->function == function && closure->called == called && closure->may_throw == may_throw))
    closure = closure->next;
  return closure;
}

static void put_closure(wasmfx_m3_t *m3, struct closure *closure)
{
  struct closure **bucket = &m3->buckets[place_of(m3, closure->function, closure->called)];
  closure->next = *bucket;
  *bucket = closure;
}

/* As many buckets as closures, if there is memory. */
static bool grow_buckets(wasmfx_m3_t *m3)
{
  struct closure **before = m3->buckets;
  const size_t count = m3->bucket_count, larger = count ? 2 * count : 64;
  if (m3->closure_count < count)
    return true;
  struct closure **buckets = calloc(larger, sizeof(struct closure *));
  if (!buckets)
    return count > 0;
  m3->buckets = buckets;
  m3->bucket_count = larger;
  for (size_t i = 0; i < count; i++)
    for (struct closure *closure = before[i], *next; closure; closure = next) {
      next = closure->next;
      put_closure(m3, closure);
    }
  free(before);
  return true;
}

/* Of [i64 externref] -> [i64], [i32] or nothing. */
static bool is_start_function(IM3Function function)
{
  const bool takes_word = m3_GetArgCount(function) == 2 && m3_GetArgType(function, 0) == c_m3Type_i64 &&
                          m3_GetArgType(function, 1) == c_m3Type_externref;
  if (!takes_word || m3_GetRetCount(function) == 0)
    return takes_word;
  return m3_GetRetCount(function) == 1 &&
         (m3_GetRetType(function, 0) == c_m3Type_i64 || m3_GetRetType(function, 0) == c_m3Type_i32);
}

static M3Result closure_of(wasmfx_m3_t *m3, IM3Function function, IM3Function called, bool may_throw,
                           uint64_t *result)
{
  if (!function)
    return failed(WASMFX_TRAP_NULL_FUNCTION);
  if (!is_start_function(function))
    return wasmfx_m3_contract;
  struct closure *closure = find_closure(m3, function, called, may_throw);
  if (!closure) {
    closure = grow_buckets(m3) ? malloc(sizeof *closure) : NULL;
    if (!closure)
      return failed(WASMFX_ERROR_NO_MEMORY);
    *closure = (struct closure){ m3, function, called, may_throw, NULL };
    put_closure(m3, closure);
    m3->closure_count++;
  }
  *result = (uint64_t)(uintptr_t)closure;
  return m3Err_none;
}

static void free_closures(wasmfx_m3_t *m3)
{
  for (size_t i = 0; i < m3->bucket_count; i++)
    for (struct closure *closure = m3->buckets[i], *next; closure; closure = next) {
      next = closure->next;
      free(closure);
    }
  free(m3->buckets);
}

/* ---- Collecting ---------------------------------------------------------------------------------------- */

/* Exceptions by address, so that a word which lies somewhere can be taken for one. */
struct marking {
  wasmfx_m3_t *m3;
  wasmfx_collector_t *collector;
  struct exception **sorted;
  size_t count;
  struct exception *waiting; /* marked, and not yet looked into */
  const char *here;          /* the end of the stack that the collection runs on */
  wasmfx_status_t status;
  size_t dropped;
};

static int compare(const void *a, const void *b)
{
  const uintptr_t one = *(const uintptr_t *)a, other = *(const uintptr_t *)b;
  return (one > other) - (one < other);
}

static bool sort_exceptions(struct marking *marking)
{
  marking->sorted = calloc(marking->m3->exception_count + 1, sizeof(struct exception *));
  if (!marking->sorted)
    return false;
  for (struct exception *exception = marking->m3->exceptions; exception; exception = exception->next) {
    exception->is_marked = false;
    marking->sorted[marking->count++] = exception;
  }
  qsort(marking->sorted, marking->count, sizeof(struct exception *), compare);
  return true;
}

static void mark_exception(struct marking *marking, struct exception *exception)
{
  if (!exception || exception->is_marked)
    return;
  exception->is_marked = true;
  exception->next_marked = marking->waiting;
  marking->waiting = exception;
}

static void scan(struct marking *marking, const void *low, size_t bytes)
{
  const uintptr_t *words = low;
  wasmfx_collect_scan(marking->collector, low, bytes);
  for (size_t i = 0; i < bytes / sizeof *words; i++) {
    struct exception **found =
      bsearch(&words[i], marking->sorted, marking->count, sizeof(struct exception *), compare);
    mark_exception(marking, found ? *found : NULL);
  }
}

/* What exceptions hold. They may hold each other. */
static void scan_exceptions(struct marking *marking)
{
  while (marking->waiting) {
    const struct exception *exception = marking->waiting;
    marking->waiting = exception->next_marked;
    scan(marking, exception->values, exception->known.count * sizeof *exception->values);
  }
}

static void scan_module(struct marking *marking, const M3Module *module)
{
  for (uint32_t i = 0; i < module->numGlobals; i++)
    scan(marking, &module->globals[i].i64Value, sizeof(uint64_t));
  for (uint32_t i = 0; i < module->numTables; i++)
    scan(marking, module->tables[i].elements, module->tables[i].size * sizeof(void *));
}

static void scan_host_stack(struct marking *marking, const char *low)
{
  const char *high = marking->m3->outermost;
  const size_t bytes = high && low < high ? (size_t)(high - low) : 0;
  scan(marking, low, bytes);
}

static void trace_value(void *context, wasmfx_kind_t kind, wasmfx_value_t *value)
{
  (void)kind;
  scan(context, value, sizeof *value);
}

/* The values of the host's stack, of which nobody says how many are in use, count as long as a call is going on. */
static void mark(wasmfx_collector_t *collector, void *context)
{
  struct marking *marking = context;
  const wasmfx_m3_t *m3 = marking->m3;
  const wasmfx_visitor_t values = { NULL, trace_value, marking };
  void *low = NULL, *high = NULL;
  marking->collector = collector;
  scan_module(marking, m3->module);
  scan(marking, m3->arguments, m3->argument_count * sizeof *m3->arguments);
  mark_exception(marking, m3->caught);
  mark_exception(marking, m3->escaped);
  if (m3->outermost)
    scan(marking, m3->engine->originStack, m3->host_slots * sizeof(m3slot_t));
  if (wasmfx_stack_bounds(m3->runtime, &low, &high) != WASMFX_OK)
    scan_host_stack(marking, marking->here);
  wasmfx_visit_running(m3->runtime, &values);
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
  if (stack->cont)
    (void)wasmfx_visit_cont(marking->m3->runtime, stack->cont, &values);
  scan_exceptions(marking);
}

static __attribute__((noinline)) void collect_from_here(struct marking *marking)
{
  const wasmfx_roots_t roots = { mark, trace, marking };
  marking->here = __builtin_frame_address(0);
  marking->status = wasmfx_collect(marking->m3->runtime, &roots, &marking->dropped);
}

static void sweep_exceptions(wasmfx_m3_t *m3)
{
  for (struct exception *exception = m3->exceptions, *next; exception; exception = next) {
    next = exception->next;
    if (!exception->is_marked)
      free_exception(m3, exception);
  }
}

/* Whatever wasm3 has in preserved registers gets into this frame, and so above the next one. */
wasmfx_status_t wasmfx_m3_collect(wasmfx_m3_t *m3, size_t *dropped)
{
  struct marking marking = { .m3 = m3, .status = WASMFX_ERROR_NO_MEMORY };
  __builtin_unwind_init();
  if (!m3->module)
    return WASMFX_OK;
  if (sort_exceptions(&marking))
    collect_from_here(&marking);
  if (marking.status == WASMFX_OK)
    sweep_exceptions(m3);
  free(marking.sorted);
  if (dropped)
    *dropped = marking.dropped;
  return marking.status;
}

size_t wasmfx_m3_exception_count(const wasmfx_m3_t *m3)
{
  return m3->exception_count;
}

/* ---- Imports --------------------------------------------------------------------------------------------- */

/*
 * As wasm3 calls them: results first, from `slots` on, then the arguments; 64 bits each.
 */
#define IMPORT(name)                                                                                                   \
  static const void *name(IM3Runtime engine, IM3ImportContext context, uint64_t *slots, void *memory)
#define OF_IMPORT                                                                                                      \
  const struct link *link = context->userdata;                                                                         \
  wasmfx_m3_t *m3 = link->m3;                                                                                          \
  (void)engine;                                                                                                        \
  (void)memory

static void *pointer(uint64_t slot)
{
  return (void *)(uintptr_t)slot;
}

static uint64_t slot_of(const void *pointed)
{
  return (uint64_t)(uintptr_t)pointed;
}

/* Of a slot with an i32 the upper half means nothing. */
static uint32_t i32_of(uint64_t slot)
{
  return (uint32_t)slot;
}

/* The values of a verb that takes some, and the argument behind them. */
struct taken {
  const wasmfx_value_t *values;
  size_t count;
  const uint64_t *rest; /* NULL: not as many as `argument` was called with */
  wasmfx_value_t room[COUNT_FOLLOWS - 1];
};

static void take(struct taken *taken, const struct link *link, const uint64_t *arguments)
{
  wasmfx_m3_t *m3 = link->m3;
  if (link->count == COUNT_FOLLOWS) {
    taken->values = m3->arguments;
    taken->count = i32_of(arguments[0]);
    taken->rest = taken->count == m3->argument_count ? arguments + 1 : NULL;
    m3->argument_count = 0;
    return;
  }
  for (uint32_t i = 0; i < link->count; i++)
    taken->room[i].word = arguments[i];
  taken->values = taken->room;
  taken->count = link->count;
  taken->rest = arguments + link->count;
}

IMPORT(type_parameter)
{
  OF_IMPORT;
  if (m3->kind_count[0] == MAX_VALUES)
    return failed(WASMFX_ERROR_LIMIT);
  m3->kinds[0][m3->kind_count[0]++] = (wasmfx_kind_t)i32_of(slots[0]);
  return m3Err_none;
}

IMPORT(type_result)
{
  OF_IMPORT;
  if (m3->kind_count[1] == MAX_VALUES)
    return failed(WASMFX_ERROR_LIMIT);
  m3->kinds[1][m3->kind_count[1]++] = (wasmfx_kind_t)i32_of(slots[0]);
  return m3Err_none;
}

IMPORT(type)
{
  OF_IMPORT;
  wasmfx_type_t *made = NULL;
  const wasmfx_status_t status = wasmfx_type_new(m3->runtime, m3->kinds[0], m3->kind_count[0], m3->kinds[1],
                                                 m3->kind_count[1], &made);
  m3->kind_count[0] = m3->kind_count[1] = 0;
  slots[0] = slot_of(made);
  return status == WASMFX_OK ? m3Err_none : failed(status);
}

IMPORT(tag)
{
  OF_IMPORT;
  wasmfx_tag_t *made = NULL;
  const wasmfx_status_t status = wasmfx_tag_new(m3->runtime, pointer(slots[1]), &made);
  slots[0] = slot_of(made);
  return status == WASMFX_OK ? m3Err_none : failed(status);
}

IMPORT(clause)
{
  OF_IMPORT;
  if (m3->clause_count == MAX_VALUES)
    return failed(WASMFX_ERROR_LIMIT);
  m3->clauses[m3->clause_count++] =
    (wasmfx_clause_t){ .tag = pointer(slots[0]), .kind = i32_of(slots[1]) ? WASMFX_ON_SWITCH : WASMFX_ON_LABEL };
  return m3Err_none;
}

IMPORT(handlers)
{
  OF_IMPORT;
  wasmfx_handlers_t *made = NULL;
  const wasmfx_status_t status = wasmfx_handlers_new(m3->runtime, m3->clauses, m3->clause_count, &made);
  m3->clause_count = 0;
  slots[0] = slot_of(made);
  return status == WASMFX_OK ? m3Err_none : failed(status);
}

IMPORT(closure)
{
  OF_IMPORT;
  return closure_of(m3, pointer(slots[1]), pointer(slots[2]), i32_of(slots[3]) != 0, &slots[0]);
}

static M3Result make_cont(wasmfx_m3_t *m3, uint64_t *slots, bool takes_list)
{
  struct closure *closure = pointer(slots[1]);
  const wasmfx_type_t *type = pointer(slots[2]);
  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  if (!closure)
    return failed(WASMFX_TRAP_NULL_FUNCTION);
  const wasmfx_status_t status = takes_list
                                   ? wasmfx_cont_new(m3->runtime, type, start_with_list, closure, &cont)
                                   : wasmfx_cont_new_word(m3->runtime, type, start, closure, &cont);
  slots[0] = cont;
  if (status != WASMFX_ERROR_LIMIT)
    return status == WASMFX_OK ? m3Err_none : failed(status);
  size_t dropped = 0;
  (void)wasmfx_m3_collect(m3, &dropped);
  return dropped ? make_cont(m3, slots, takes_list) : failed(status);
}

IMPORT(cont_new)
{
  OF_IMPORT;
  return make_cont(m3, slots, false);
}

IMPORT(cont_new_n)
{
  OF_IMPORT;
  return make_cont(m3, slots, true);
}

IMPORT(cont_bind)
{
  OF_IMPORT;
  struct taken taken;
  take(&taken, link, slots + 1);
  if (!taken.rest)
    return wasmfx_m3_contract;
  wasmfx_cont_t cont = taken.rest[0];
  const wasmfx_status_t status =
    wasmfx_cont_bind(m3->runtime, &cont, pointer(taken.rest[1]), taken.values, taken.count);
  slots[0] = cont;
  return status == WASMFX_OK ? m3Err_none : failed(status);
}

IMPORT(resume)
{
  OF_IMPORT;
  wasmfx_cont_t cont = slots[4];
  const wasmfx_outcome_t outcome = wasmfx_resume_word(m3->runtime, &cont, pointer(slots[5]), slots[3]);
  return resumed(m3, cont, outcome, slots);
}

IMPORT(resume_values)
{
  OF_IMPORT;
  struct taken taken;
  take(&taken, link, slots + 3);
  if (!taken.rest)
    return wasmfx_m3_contract;
  wasmfx_cont_t cont = taken.rest[0];
  const wasmfx_outcome_t outcome =
    wasmfx_resume(m3->runtime, &cont, pointer(taken.rest[1]), taken.values, taken.count);
  return resumed(m3, cont, outcome, slots);
}

IMPORT(resume_throw)
{
  OF_IMPORT;
  wasmfx_cont_t cont = slots[4];
  const wasmfx_outcome_t outcome =
    wasmfx_resume_throw_ref(m3->runtime, &cont, pointer(slots[5]), pointer(slots[3]));
  return resumed(m3, cont, outcome, slots);
}

IMPORT(suspend)
{
  OF_IMPORT;
  const wasmfx_outcome_t outcome = wasmfx_suspend_word(m3->runtime, pointer(slots[2]), slots[1]);
  slots[0] = word_of(outcome);
  return arrived(m3, outcome);
}

IMPORT(suspend_values)
{
  OF_IMPORT;
  struct taken taken;
  take(&taken, link, slots);
  if (!taken.rest)
    return wasmfx_m3_contract;
  return arrived(m3, wasmfx_suspend(m3->runtime, pointer(taken.rest[0]), taken.values, taken.count));
}

IMPORT(switch_word)
{
  OF_IMPORT;
  wasmfx_cont_t cont = slots[3];
  const wasmfx_outcome_t outcome =
    wasmfx_switch_word(m3->runtime, &cont, pointer(slots[4]), pointer(slots[5]), slots[2]);
  slots[0] = word_of(outcome);
  slots[1] = cont;
  return arrived(m3, outcome);
}

IMPORT(switch_values)
{
  OF_IMPORT;
  struct taken taken;
  take(&taken, link, slots);
  if (!taken.rest)
    return wasmfx_m3_contract;
  wasmfx_cont_t cont = taken.rest[0];
  return arrived(m3, wasmfx_switch(m3->runtime, &cont, pointer(taken.rest[1]), pointer(taken.rest[2]), taken.values,
                                   taken.count));
}

IMPORT(argument)
{
  OF_IMPORT;
  if (m3->argument_count == MAX_VALUES)
    return failed(WASMFX_ERROR_LIMIT);
  m3->arguments[m3->argument_count++].word = slots[0];
  return m3Err_none;
}

IMPORT(value)
{
  OF_IMPORT;
  if (!m3->values)
    return wasmfx_m3_contract;
  slots[0] = m3->values[i32_of(slots[1])].word;
  return m3Err_none;
}

/* References of either kind are words in wasm3, as here. */
IMPORT(same_word)
{
  OF_IMPORT;
  (void)m3;
  slots[0] = slots[1];
  return m3Err_none;
}

IMPORT(start_function)
{
  OF_IMPORT;
  slots[0] = m3->starting ? slot_of(m3->starting->called) : 0;
  return m3Err_none;
}

IMPORT(exception)
{
  OF_IMPORT;
  struct taken taken;
  take(&taken, link, slots + 1);
  if (!taken.rest)
    return wasmfx_m3_contract;
  return exception_new(m3, pointer(taken.rest[0]), taken.values, taken.count, &slots[0]);
}

IMPORT(catches)
{
  OF_IMPORT;
  const struct exception *on_its_way = thrown(m3);
  if (!on_its_way)
    return wasmfx_m3_contract;
  slots[0] = on_its_way->known.tag == pointer(slots[1]);
  return m3Err_none;
}

IMPORT(caught_one)
{
  OF_IMPORT;
  return caught(m3, i32_of(slots[1]) != 0, &slots[0]);
}

IMPORT(trap)
{
  OF_IMPORT;
  (void)m3;
  return import_trap(i32_of(slots[0]));
}

/* ---- Linking -------------------------------------------------------------------------------------------------- */

struct import {
  const char *name;
  const char *type; /* as wasm3 writes them: I i64, R externref, r funcref */
  M3RawCall function;
  uint32_t count; /* of values: what its link says */
};

static const struct import imports[] = {
  { "type_parameter", "v(i)", type_parameter, 0 },
  { "type_result", "v(i)", type_result, 0 },
  { "type", "R()", type, 0 },
  { "tag", "R(R)", tag, 0 },
  { "clause", "v(Ri)", clause, 0 },
  { "handlers", "R()", handlers, 0 },
  { "closure", "R(rri)", closure, 0 },
  { "cont_new", "R(RR)", cont_new, 0 },
  { "cont_new_n", "R(RR)", cont_new_n, 0 },
  { "cont_bind_0", "R(RR)", cont_bind, 0 },
  { "cont_bind_1", "R(IRR)", cont_bind, 1 },
  { "cont_bind_2", "R(IIRR)", cont_bind, 2 },
  { "cont_bind_3", "R(IIIRR)", cont_bind, 3 },
  { "cont_bind_4", "R(IIIIRR)", cont_bind, 4 },
  { "cont_bind_n", "R(iRR)", cont_bind, COUNT_FOLLOWS },
  { "resume", "iIR(IRR)", resume, 0 },
  { "resume_1", "iIR(IRR)", resume_values, 1 },
  { "resume_2", "iIR(IIRR)", resume_values, 2 },
  { "resume_3", "iIR(IIIRR)", resume_values, 3 },
  { "resume_4", "iIR(IIIIRR)", resume_values, 4 },
  { "resume_n", "iIR(iRR)", resume_values, COUNT_FOLLOWS },
  { "resume_throw", "iIR(RRR)", resume_throw, 0 },
  { "suspend", "I(IR)", suspend, 0 },
  { "suspend_1", "v(IR)", suspend_values, 1 },
  { "suspend_2", "v(IIR)", suspend_values, 2 },
  { "suspend_3", "v(IIIR)", suspend_values, 3 },
  { "suspend_4", "v(IIIIR)", suspend_values, 4 },
  { "suspend_n", "v(iR)", suspend_values, COUNT_FOLLOWS },
  { "switch", "IR(IRRR)", switch_word, 0 },
  { "switch_1", "v(IRRR)", switch_values, 1 },
  { "switch_2", "v(IIRRR)", switch_values, 2 },
  { "switch_3", "v(IIIRRR)", switch_values, 3 },
  { "switch_4", "v(IIIIRRR)", switch_values, 4 },
  { "switch_n", "v(iRRR)", switch_values, COUNT_FOLLOWS },
  { "argument", "v(I)", argument, 0 },
  { "value", "I(i)", value, 0 },
  { "word", "I(R)", same_word, 0 },
  { "reference", "R(I)", same_word, 0 },
  { "function_word", "I(r)", same_word, 0 },
  { "function", "r(I)", same_word, 0 },
  { "start_function", "r()", start_function, 0 },
  { "exception", "R(IR)", exception, 1 },
  { "exception_2", "R(IIR)", exception, 2 },
  { "exception_3", "R(IIIR)", exception, 3 },
  { "exception_4", "R(IIIIR)", exception, 4 },
  { "exception_n", "R(iR)", exception, COUNT_FOLLOWS },
  { "catches", "i(R)", catches, 0 },
  { "caught", "I(i)", caught_one, 0 },
  { "trap", "v(i)", trap, 0 },
};

static IM3Global find_thrown(const M3Module *module)
{
  for (uint32_t i = 0; i < module->numGlobals; i++) {
    const M3ImportInfo *import = &module->globals[i].import;
    if (import->moduleUtf8 && import->fieldUtf8 && strcmp(import->moduleUtf8, "wasmfx") == 0 &&
        strcmp(import->fieldUtf8, "thrown") == 0)
      return &module->globals[i];
  }
  return NULL;
}

/* Whether the structs of wasm3 are laid out as this file has them. */
static bool are_known(IM3Module module)
{
  const IM3Runtime engine = m3_GetModuleRuntime(module);
  return engine && module->runtime == engine && engine->userdata == m3_GetUserData(engine) &&
         engine->stack == engine->originStack && engine->memory.mallocated &&
         engine->memory.mallocated->runtime == engine &&
         engine->memory.mallocated->maxStack == (m3slot_t *)engine->stack + engine->numStackSlots;
}

M3Result wasmfx_m3_link(wasmfx_m3_t *m3, IM3Module module)
{
  if (m3->module)
    return m3Err_moduleAlreadyLinked;
  if (!are_known(module))
    return "the glue was compiled with other settings than wasm3, or the module is not loaded";
  for (size_t i = 0; i < sizeof imports / sizeof *imports; i++) {
    const struct import *import = &imports[i];
    const M3Result answer = m3_LinkRawFunctionEx(module, "wasmfx", import->name, import->type, import->function,
                                                 &m3->links[import->count]);
    if (answer && answer != m3Err_functionLookupFailed) /* that one it does not import */
      return answer;
  }
  m3->module = module;
  m3->engine = m3_GetModuleRuntime(module);
  m3->thrown = find_thrown(module);
  m3->host_slots = m3->engine->numStackSlots;
  return m3Err_none;
}

/* ---- Calling the module ------------------------------------------------------------------------------------------ */

/* Everything before anything runs: the compiler needs more stack than continuations have. */
static M3Result prepare(wasmfx_m3_t *m3)
{
  if (!m3->module)
    return m3Err_moduleNotLinked;
  const M3Result answer = m3->is_compiled ? m3Err_none : m3_CompileModule(m3->module);
  m3->is_compiled = !answer;
  return answer ? answer : m3_RunStart(m3->module);
}

/* What is thrown and not caught is the host's. */
static M3Result take_escaped(wasmfx_m3_t *m3, M3Result answer)
{
  struct exception *exception = thrown(m3);
  set_thrown(m3, NULL);
  m3->argument_count = 0;
  m3->escaped = answer ? NULL : exception;
  if (!m3->escaped)
    return answer;
  exception->is_held = true;
  return wasmfx_m3_uncaught;
}

/* The root's record: what wasm3 would set by itself for a first call, or what the caller's stack has. */
static struct stack stack_of_caller(IM3Runtime engine, char *here)
{
  void *limit = engine->stackLimit ? engine->stackLimit : here - d_m3MaxNativeStack;
  return (struct stack){ limit, engine->memory.mallocated->maxStack, engine->numStackSlots };
}

static M3Result call_in_root(wasmfx_m3_t *m3, IM3Function function, uint32_t count, const void *arguments[])
{
  struct stack stack = stack_of_caller(m3->engine, __builtin_frame_address(0));
  void *const limit = m3->engine->stackLimit;
  *wasmfx_host_word(m3->runtime) = &stack;
  follow(m3->engine, &stack);
  M3Result answer = prepare(m3);
  if (!answer && !thrown(m3) && function)
    answer = m3_Call(function, count, arguments);
  m3->engine->stackLimit = limit;
  return take_escaped(m3, answer);
}

static M3Result call(wasmfx_m3_t *m3, IM3Function function, uint32_t count, const void *arguments[])
{
  char *const outermost = m3->outermost;
  wasmfx_scope_t scope;
  if (!m3->module || (function && function->module != m3->module))
    return m3Err_moduleNotLinked;
  const wasmfx_status_t status = wasmfx_root_enter(m3->runtime, &scope);
  if (status != WASMFX_OK)
    return failed(status);
  if (!outermost)
    m3->outermost = __builtin_frame_address(0);
  const M3Result answer = call_in_root(m3, function, count, arguments);
  m3->outermost = outermost;
  (void)wasmfx_root_leave(m3->runtime, &scope);
  return answer;
}

M3Result wasmfx_m3_start(wasmfx_m3_t *m3)
{
  return call(m3, NULL, 0, NULL);
}

M3Result wasmfx_m3_call(wasmfx_m3_t *m3, IM3Function function, uint32_t count, const void *arguments[])
{
  return function ? call(m3, function, count, arguments) : m3Err_functionLookupFailed;
}

const wasmfx_exception_t *wasmfx_m3_exception(const wasmfx_m3_t *m3)
{
  return m3->escaped ? &m3->escaped->known : NULL;
}

/* ---- Life ------------------------------------------------------------------------------------------------------- */

static wasmfx_runtime_config_t configuration(const wasmfx_runtime_config_t *config, wasmfx_m3_t *m3)
{
  wasmfx_runtime_config_t changed;
  wasmfx_runtime_config_init(&changed);
  if (config)
    changed = *config;
  changed.host = m3;
  changed.switched = switched;
  changed.host_stack_bytes = HOOK_BYTES;
  return changed;
}

wasmfx_status_t wasmfx_m3_new(const wasmfx_runtime_config_t *config, wasmfx_m3_t **m3)
{
  *m3 = NULL;
  wasmfx_m3_t *made = calloc(1, sizeof *made);
  if (!made)
    return WASMFX_ERROR_NO_MEMORY;
  const wasmfx_runtime_config_t changed = configuration(config, made);
  const wasmfx_status_t status = wasmfx_runtime_new(&changed, &made->runtime);
  if (status != WASMFX_OK) {
    free(made);
    return status;
  }
  for (uint32_t i = 0; i <= COUNT_FOLLOWS; i++)
    made->links[i] = (struct link){ made, i };
  made->collect_at = FIRST_COLLECTION;
  *m3 = made;
  return WASMFX_OK;
}

wasmfx_status_t wasmfx_m3_free(wasmfx_m3_t *m3)
{
  if (!m3)
    return WASMFX_OK;
  const wasmfx_status_t status = wasmfx_runtime_free(m3->runtime, NULL);
  if (status != WASMFX_OK)
    return status;
  while (m3->exceptions)
    free_exception(m3, m3->exceptions);
  free_closures(m3);
  free(m3);
  return WASMFX_OK;
}

wasmfx_runtime_t *wasmfx_m3_runtime(const wasmfx_m3_t *m3)
{
  return m3->runtime;
}
