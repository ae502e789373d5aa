/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_RUN_HOST_H
#define WASMFX_RUN_HOST_H
/** @file host.h  A program that wasmfx-run builds: what link.awk writes, and what it is linked with. */
#include <wasmfx/backtrace.h>
#include <wasmfx/runtime.h>

#include "wasmfx-rt.h"

/** A module of the host's (host_modules.h) has an instance for each module that imports it, which knows that one's
 *  memory; NULL if it exports none. */
typedef wasm_rt_memory_t *host_memory_t(void);
#define HOST_MODULE(name)                                                                                              \
  struct Z_##name##_instance_t {                                                                                       \
    host_memory_t *memory;                                                                                             \
  }

#define HOST_ENOSYS 52 /**< as WASI has it */

/* ---- Written by link.awk ------------------------------------------------------------------ */

struct host_module {
  const char *name;
  const char *symbol; /**< the name as wasm2c mangles it */
};

/** A function that the program exports. */
struct host_export {
  const char *name;
  const char *parameters, *results;      /**< a letter each: i j f d, e externref, r funcref */
  void (*call)(wasmfx_value_t *values); /**< takes parameters and leaves results there; NULL: not callable from here */
};

extern const struct host_module host_modules[]; /**< in the order of instantiation; ends with NULL */
extern const struct host_export host_exports[]; /**< of the last of these; ends with NULL */

/** Instantiates them all. `context` is the wasmfx_rt_t. */
void host_make_instances(void *context);
/** By which name a tag is exported; NULL if it is not. */
const char *host_tag_name(const void *tag);

/* ---- For that, in host.c -------------------------------------------------------------------- */

extern int host_making; /**< which module is being instantiated */
void host_register(const void *instance, size_t bytes);

/* ---- Of the program, for the host's modules --------------------------------------------------- */

extern wasmfx_rt_t *host_rt;
extern char **host_arguments, **host_environment; /**< each ends with NULL */

/* ---- Backtraces, in trace.c --------------------------------------------------------------------- */

#define HOST_FRAMES 128

/** What was running when a trap began. */
struct host_trace {
  wasmfx_frame_t frames[HOST_FRAMES];
  size_t count;
  wasmfx_status_t status;
};

/** Prints it on standard error: functions of modules only, and a line between two continuations. */
void host_print_trace(const struct host_trace *trace);
#endif
