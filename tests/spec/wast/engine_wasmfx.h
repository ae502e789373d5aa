// SPDX-License-Identifier: Apache-2.0
// What the process that runs a script knows of a module: each is a shared object, whose one symbol describes it.
#ifndef WAST_ENGINE_WASMFX_H
#define WAST_ENGINE_WASMFX_H

#include <wasm-rt.h>

#include <stddef.h>
#include <stdint.h>

#define WAST_VISIBLE __attribute__((visibility("default")))

typedef union {
  uint32_t i32;
  uint64_t i64;
  float f32;
  double f64;
  wasm_rt_externref_t externref;
  wasm_rt_funcref_t funcref;
} wast_value_t;

typedef void (*wast_function_t)(void); // as wasm2c declares it, the instance first
typedef void *(*wast_object_t)(void *instance);

// What an import has got. For a function its C function and the instance that goes with it; else only the object, which
// is a table, a memory or the place of a global.
typedef struct {
  wast_function_t function;
  void *object;
} wast_slot_t;

// Of an instance, one for each import that is not the host's. wasm2c 1.0.32 calls an imported function that came into a
// table by a segment with the place of the pointer to this, in place of the pointer; from both `self` leads here.
typedef struct {
  void *self;
  wast_slot_t slots[];
} wast_slots_t;

typedef enum { WAST_FUNCTION, WAST_TABLE, WAST_MEMORY, WAST_GLOBAL } wast_kind_t;

// Types are the letters of wasm2c: i j f d for numbers, e for externref, r for funcref. A global has one
// result, a table that of its elements.
typedef struct {
  wast_kind_t kind;
  const char *parameters, *results;
  wast_function_t function;
  void (*call)(void *instance, wast_value_t *values); // the arguments, then the results; room for the longer
  wast_object_t object;
} wast_export_t;

typedef struct {
  size_t instance_bytes;
  const wast_export_t *exports;
  void (*init)(void);
  void (*instantiate)(void *instance, void *slots, void *host); // slots: a wast_slots_t
} wast_module_t;

#endif
