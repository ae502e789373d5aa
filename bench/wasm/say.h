/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_WASM_SAY_H
#define BENCH_WASM_SAY_H
/* Text to the streams, without those of the C library: they would be most of every program. */
#include <stdlib.h>
#include <wasi/api.h>

enum { SAY_OUTPUT = 1, SAY_ERROR = 2 };

static inline void say(__wasi_fd_t stream, const char *text)
{
  const __wasi_ciovec_t bytes = { (const uint8_t *)text, __builtin_strlen(text) };
  __wasi_size_t written;
  if (__wasi_fd_write(stream, &bytes, 1, &written) != 0 || written != bytes.buf_len)
    abort();
}

/* Not inlined: what it puts on the shadow stack, all who call it would have there. */
static _Noreturn __attribute__((noinline, cold, unused)) void fail(const char *what)
{
  say(SAY_ERROR, what);
  say(SAY_ERROR, "\n");
  exit(1);
}
#endif
