/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program needs of its host, around the C that wasm2c makes of its module: a little of WASI, and a main().
 * Compiled with MODULE_C naming that C, so that all is one unit. WASMFX: the module is a lowered one, the library is
 * there; IMPORTS are what it wants when it is instantiated. OPAQUE: the verbs are not inlined. DENSE: on dense stacks.
 *
 * With WASM_BENCH_REPORT=FILE in the environment: seconds in _start and the most memory that was resident, in KB, go
 * there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef WASMFX
#include "wasmfx-rt.h"
#ifndef OPAQUE
#include "wasmfx-rt-imports.h"
#endif
#else
#include "wasm-rt-impl.h"
#endif
#include MODULE_C

/* The module imports what it is, and would link to nothing else. */
struct Z_wasi_snapshot_preview1_instance_t {
  int argc;
  char **argv;
};
typedef struct Z_wasi_snapshot_preview1_instance_t wasi_t;

static Z_m_instance_t module;
#ifdef WASMFX
static wasmfx_rt_t *rt;
#endif

/* ---- Memory -------------------------------------------------------------------------------- */

static char *at(u32 address, u64 bytes)
{
  const wasm_rt_memory_t *memory = Z_mZ_memory(&module);
  if (address + bytes > memory->size)
    wasm_rt_trap(WASM_RT_TRAP_OOB);
  return (char *)memory->data + address;
}

static void put(u32 address, u32 value)
{
  memcpy(at(address, sizeof value), &value, sizeof value);
}

static u32 get(u32 address)
{
  u32 value;
  memcpy(&value, at(address, sizeof value), sizeof value);
  return value;
}

/* ---- WASI ---------------------------------------------------------------------------------- */

enum { SUCCESS = 0, BAD_DESCRIPTOR = 8, IO = 29, NOT_SUPPORTED = 58, CHARACTER_DEVICE = 2, FDSTAT_BYTES = 24 };

u32 Z_wasi_snapshot_preview1Z_args_sizes_get(wasi_t *wasi, u32 count, u32 bytes)
{
  u32 sum = 0;
  for (int i = 0; i < wasi->argc; i++)
    sum += (u32)strlen(wasi->argv[i]) + 1;
  put(count, (u32)wasi->argc);
  put(bytes, sum);
  return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_args_get(wasi_t *wasi, u32 pointers, u32 bytes)
{
  for (int i = 0; i < wasi->argc; i++) {
    const u32 length = (u32)strlen(wasi->argv[i]) + 1;
    put(pointers + 4 * (u32)i, bytes);
    memcpy(at(bytes, length), wasi->argv[i], length);
    bytes += length;
  }
  return SUCCESS;
}

struct write {
  u32 descriptor, pieces, count, written, error;
};

static void do_write(void *arg)
{
  struct write *call = arg;
  u32 sum = 0;
  for (u32 i = 0; i < call->count; i++) {
    const u32 length = get(call->pieces + 8 * i + 4);
    const ssize_t done = write((int)call->descriptor, at(get(call->pieces + 8 * i), length), length);
    if (done < 0) {
      call->error = IO;
      return;
    }
    sum += (u32)done;
    if ((u32)done < length)
      break;
  }
  put(call->written, sum);
}

u32 Z_wasi_snapshot_preview1Z_fd_write(wasi_t *wasi, u32 descriptor, u32 pieces, u32 count, u32 written)
{
  struct write call = { descriptor, pieces, count, written, SUCCESS };
  (void)wasi;
  if (descriptor != STDOUT_FILENO && descriptor != STDERR_FILENO)
    return BAD_DESCRIPTOR;
#ifdef WASMFX
  wasmfx_rt_call_on_host_stack(rt, do_write, &call);
#else
  do_write(&call);
#endif
  return call.error;
}

u32 Z_wasi_snapshot_preview1Z_fd_fdstat_get(wasi_t *wasi, u32 descriptor, u32 result)
{
  (void)wasi;
  if (descriptor > STDERR_FILENO)
    return BAD_DESCRIPTOR;
  char *stat = at(result, FDSTAT_BYTES);
  memset(stat, 0, FDSTAT_BYTES);
  *stat = CHARACTER_DEVICE;
  return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_fd_close(wasi_t *wasi, u32 descriptor)
{
  (void)wasi, (void)descriptor;
  return SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_fd_seek(wasi_t *wasi, u32 descriptor, u64 offset, u32 whence, u32 result)
{
  (void)wasi, (void)descriptor, (void)offset, (void)whence, (void)result;
  return NOT_SUPPORTED;
}

void Z_wasi_snapshot_preview1Z_proc_exit(wasi_t *wasi, u32 status)
{
  (void)wasi;
  _exit((int)status);
}

/* ---- Running it ------------------------------------------------------------------------------ */

static double seconds_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Not from getrusage(), where a program inherits the peak of the one that started it. */
static unsigned long peak_kilobytes(void)
{
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  unsigned long peak = 0;
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, "VmHWM:", 6) == 0)
      peak = strtoul(line + 6, NULL, 10);
  if (file)
    fclose(file);
  return peak;
}

static void report(double seconds)
{
  const char *path = getenv("WASM_BENCH_REPORT");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file)
    return;
  fprintf(file, "%.6f %lu\n", seconds, peak_kilobytes());
  fclose(file);
}

static void start(void *arg)
{
  const double begun = seconds_now();
  (void)arg;
  Z_mZ__start(&module);
  report(seconds_now() - begun);
}

#ifdef WASMFX
static wasi_t wasi;

static void instantiate(void *arg)
{
  (void)arg;
  Z_m_instantiate(&module, IMPORTS);
}

int main(int argc, char **argv)
{
  wasi = (wasi_t){ argc, argv };
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
#ifdef DENSE
  config.stack_policy = WASMFX_STACKS_DENSE;
#endif
  if (wasmfx_rt_new(&config, &rt) != WASMFX_OK)
    return 1;
  Z_m_init_module();
  int trap = wasmfx_rt_try(rt, instantiate, NULL);
  if (!trap)
    trap = wasmfx_rt_try(rt, start, NULL);
  if (trap)
    fprintf(stderr, "trap: %s\n", wasmfx_rt_strerror(trap));
  return trap != 0;
}
#else
int main(int argc, char **argv)
{
  wasi_t wasi = { argc, argv };
  wasm_rt_init();
  Z_m_init_module();
  Z_m_instantiate(&module, &wasi);
  const int trap = wasm_rt_impl_try();
  if (trap) {
    fprintf(stderr, "trap: %s\n", wasm_rt_strerror((wasm_rt_trap_t)trap));
    return 1;
  }
  start(NULL);
  return 0;
}
#endif
