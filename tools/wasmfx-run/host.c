/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main program of what wasmfx-run builds: instantiates the modules, calls a function of the last, and says how it
 * ended.
 *
 *     PROGRAM [--invoke FUNCTION] [--stack BYTES] [--env NAME=VALUE]... -- NAME [ARGUMENT]...
 *
 * wasmfx-run has checked the options.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

enum { STATUS_TRAP = 134, STATUS_OWN = 125 };

/* The most parameters or results of a function that is called by name. */
#define MAX_VALUES 1000

wasmfx_rt_t *host_rt;
char **host_arguments, **host_environment;
int host_making = -1;

static struct host_trace trace;
static bool is_traced, is_fault; /* of the trap that is on its way */
static struct sigaction of_glue; /* who handles faults */

static struct {
  const char *function;
  size_t stack_bytes;
} options;

/* ---- Traps ------------------------------------------------------------------------------------ */

/* Continuations have little stack; the host has enough. */
static void take_trace(void *context)
{
  (void)context;
  trace.status = wasmfx_backtrace(wasmfx_rt_runtime(host_rt), trace.frames, HOST_FRAMES, &trace.count);
}

static void at_trap(wasmfx_rt_t *rt, int code, void *context)
{
  (void)code;
  if (!is_traced && wasmfx_call_on_host_stack(rt->runtime, take_trace, context) != WASMFX_OK)
    trace.count = 0;
  is_traced = true;
}

/* Before the glue, which makes a trap of it. */
static void on_fault(int number, siginfo_t *info, void *context)
{
  if (wasmfx_rt_running()) {
    trace.status =
      wasmfx_backtrace_at(wasmfx_rt_runtime(host_rt), context, trace.frames, HOST_FRAMES, &trace.count);
    is_traced = is_fault = true;
  }
  of_glue.sa_sigaction(number, info, context);
}

static bool watch_traps(void)
{
  struct sigaction action;
  wasmfx_rt_at_trap(host_rt, at_trap, NULL);
  if (sigaction(SIGSEGV, NULL, &of_glue) != 0)
    return false;
  action = of_glue;
  action.sa_sigaction = on_fault;
  return sigaction(SIGSEGV, &action, NULL) == 0;
}

/* ---- Values --------------------------------------------------------------------------------------- */

static void print_value(FILE *file, char letter, wasmfx_value_t value)
{
  if (letter == 'i')
    fprintf(file, "i32 %" PRId32, (int32_t)value.i32);
  else if (letter == 'j')
    fprintf(file, "i64 %" PRId64, (int64_t)value.i64);
  else if (letter == 'f')
    fprintf(file, "f32 %.9g", (double)value.f32);
  else if (letter == 'd')
    fprintf(file, "f64 %.17g", value.f64);
  else
    fputs(value.externref ? "a reference" : "null", file);
}

static char letter_of(wasmfx_kind_t kind)
{
  switch (kind) {
  case WASMFX_I32:
    return 'i';
  case WASMFX_I64:
    return 'j';
  case WASMFX_F32:
    return 'f';
  case WASMFX_F64:
    return 'd';
  default:
    return 'e';
  }
}

/* As Wasm reads numbers: signed or not, as long as they fit. */
static bool read_integer(const char *text, unsigned bits, uint64_t *value)
{
  char *end;
  errno = 0;
  *value = text[0] == '-' ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
  const bool fits = bits == 64 || (text[0] == '-' ? (int64_t)*value >= INT32_MIN : *value <= UINT32_MAX);
  return errno == 0 && end != text && !*end && fits;
}

static bool read_value(const char *text, char letter, wasmfx_value_t *value)
{
  char *end = NULL;
  uint64_t integer = 0;
  const bool is_integer = letter == 'i' || letter == 'j';
  memset(value, 0, sizeof *value);
  if (is_integer && !read_integer(text, letter == 'i' ? 32 : 64, &integer))
    return false;
  if (letter == 'i')
    value->i32 = (uint32_t)integer;
  else if (letter == 'j')
    value->i64 = integer;
  else if (letter == 'f')
    value->f32 = strtof(text, &end);
  else if (letter == 'd')
    value->f64 = strtod(text, &end);
  else
    return strcmp(text, "null") == 0;
  return is_integer || (end != text && !*end);
}

/* ---- Calls ------------------------------------------------------------------------------------------ */

struct call {
  const struct host_export *function;
  wasmfx_value_t values[MAX_VALUES];
};

static void make_call(void *arg)
{
  struct call *call = arg;
  call->function->call(call->values);
}

static const struct host_export *find_export(const char *name)
{
  for (const struct host_export *function = host_exports; function->name; function++)
    if (strcmp(function->name, name) == 0)
      return function;
  return NULL;
}

static void say_what_was_thrown(void)
{
  const wasmfx_exception_t *exception = wasmfx_rt_exception(host_rt);
  const char *name = host_tag_name(exception->tag);
  size_t count;
  const wasmfx_kind_t *kinds = wasmfx_type_params(wasmfx_tag_type(exception->tag), &count);
  fprintf(stderr, "wasmfx-run: uncaught exception %s", name ? name : "of a tag that the program does not export");
  for (size_t i = 0; i < count; i++) {
    fputs(i ? ", " : ": ", stderr);
    print_value(stderr, letter_of(kinds[i]), exception->values[i]);
  }
  fputs("\n", stderr);
}

/* Ends the program. */
static void end_by_trap(int code)
{
  if (host_making >= 0)
    fprintf(stderr, "wasmfx-run: while %s was instantiated:\n", host_modules[host_making].name);
  if (code == WASM_RT_TRAP_UNCAUGHT_EXCEPTION && wasmfx_rt_exception(host_rt)) {
    say_what_was_thrown();
  } else {
    /* No fault: it may be a table, or a copy or fill of either. */
    const bool is_memory = code == WASM_RT_TRAP_OOB && is_fault;
    fprintf(stderr, "wasmfx-run: trap: %s\n", is_memory ? "out of bounds memory access" : wasmfx_rt_strerror(code));
    host_print_trace(&trace);
  }
  exit(STATUS_TRAP);
}

static void call_or_end(void (*function)(void *arg), void *arg)
{
  is_traced = is_fault = false;
  trace.count = 0;
  const int code = wasmfx_rt_try(host_rt, function, arg);
  if (code != 0)
    end_by_trap(code);
}

static void print_results(const struct call *call)
{
  for (size_t i = 0; call->function->results[i]; i++) {
    print_value(stdout, call->function->results[i], call->values[i]);
    fputs("\n", stdout);
  }
}

/* Calls a function with what the command line says, and prints what it answers. */
static int call_with_arguments(const struct host_export *function)
{
  static struct call call;
  const size_t count = strlen(function->parameters);
  char **arguments = host_arguments + 1;
  call.function = function;
  for (size_t i = 0; i < count; i++)
    if (!arguments[i] || !read_value(arguments[i], function->parameters[i], &call.values[i])) {
      fprintf(stderr, "wasmfx-run: %s: argument %zu is to be %s\n", function->name, i + 1,
              strchr("ij", function->parameters[i]) ? "an integer in range" :
              function->parameters[i] == 'e'        ? "null" :
                                                      "a number");
      return STATUS_OWN;
    }
  if (arguments[count]) {
    fprintf(stderr, "wasmfx-run: %s takes %zu arguments\n", function->name, count);
    return STATUS_OWN;
  }
  call_or_end(make_call, &call);
  print_results(&call);
  return 0;
}

static bool takes_nothing(const struct host_export *function)
{
  return function && !*function->parameters && !*function->results;
}

static void call_plainly(const struct host_export *function)
{
  struct call call = { .function = function };
  call_or_end(make_call, &call);
}

static int say_what_there_is(const char *wanted)
{
  enum { NAMED = 10 };
  fprintf(stderr, "wasmfx-run: the program exports no function %s", wanted);
  for (int i = 0; i <= NAMED && host_exports[i].name; i++)
    fprintf(stderr, "%s%s", i ? ", " : "; there is: ", i < NAMED ? host_exports[i].name : "...");
  fputs("\n", stderr);
  return STATUS_OWN;
}

static int run(void)
{
  const struct host_export *start = find_export("_start");
  const struct host_export *initialize = find_export("_initialize");
  call_or_end(host_make_instances, host_rt);
  host_making = -1;
  if (!options.function && takes_nothing(start)) {
    call_plainly(start);
    return 0;
  }
  const struct host_export *function = find_export(options.function ? options.function : "main");
  if (!function && (options.function || !takes_nothing(initialize)))
    return say_what_there_is(options.function ? options.function : "_start or main");
  if (function && (!function->call || strlen(function->results) > MAX_VALUES)) {
    fprintf(stderr, "wasmfx-run: %s takes a reference to a function: it cannot be called from here\n", function->name);
    return STATUS_OWN;
  }
  if (takes_nothing(initialize) && function != initialize)
    call_plainly(initialize);
  else if (!function)
    function = initialize;
  return function ? call_with_arguments(function) : 0;
}

/* ---- The program ---------------------------------------------------------------------------------- */

void host_register(const void *instance, size_t bytes)
{
  if (wasmfx_rt_register(host_rt, instance, bytes) != WASMFX_OK)
    wasmfx_rt_trap(host_rt, WASMFX_RT_TRAP_OUT_OF_MEMORY);
}

/* Answers where the arguments begin. */
static int read_options(int argc, char **argv)
{
  static char *none[] = { NULL };
  int at = 1, variables = 0;
  host_environment = calloc((size_t)argc + 1, sizeof *host_environment);
  if (!host_environment)
    host_environment = none;
  for (; at + 1 < argc && strcmp(argv[at], "--") != 0; at += 2) {
    if (strcmp(argv[at], "--invoke") == 0)
      options.function = argv[at + 1];
    else if (strcmp(argv[at], "--stack") == 0)
      options.stack_bytes = strtoul(argv[at + 1], NULL, 0);
    else if (strcmp(argv[at], "--env") == 0 && host_environment != none)
      host_environment[variables++] = argv[at + 1];
  }
  return at + 1;
}

int main(int argc, char **argv)
{
  wasmfx_runtime_config_t config = { .size = sizeof config };
  host_arguments = argv + read_options(argc, argv);
  config.stack_bytes[0] = options.stack_bytes;
  const wasmfx_status_t status = wasmfx_rt_new(&config, &host_rt);
  if (status != WASMFX_OK || !watch_traps()) {
    fprintf(stderr, "wasmfx-run: no runtime%s: %s\n", options.stack_bytes ? " with such stacks" : "",
            wasmfx_status_text(status));
    return STATUS_OWN;
  }
  const int result = run();
  if (fflush(stdout) != 0) {
    perror("wasmfx-run");
    return STATUS_OWN;
  }
  return result;
}
