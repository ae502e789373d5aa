/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_RUN_GIVEN_H
#define WASMFX_RUN_GIVEN_H
/** @file given.h  For the host's modules: the functions of host_modules.h declared. */
#include "host.h"

typedef uint32_t u32;
typedef uint64_t u64;
typedef float f32;
typedef double f64;

HOST_MODULE(wasi_snapshot_preview1);
HOST_MODULE(spectest);

#define HOST_FUNCTION(result, module, name, ...)                                                                       \
  result Z_##module##Z_##name(struct Z_##module##_instance_t *, __VA_ARGS__);
#define HOST_FUNCTION_0(result, module, name) result Z_##module##Z_##name(struct Z_##module##_instance_t *);
#define HOST_STUB(...)
#include "host_modules.h"
#endif
