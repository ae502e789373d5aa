/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a program begins. The C library's own _start leaves constructors to the linker, which then wraps all that is
 * exported into a call of them, also the function that continuations run.
 */
#include <wasi/api.h>

void __wasm_call_ctors(void);
void __wasm_call_dtors(void);
int __main_void(void);

__attribute__((export_name("_start"))) void _start(void)
{
  __wasm_call_ctors();
  const int status = __main_void();
  __wasm_call_dtors();
  if (status != 0)
    __wasi_proc_exit((__wasi_exitcode_t)status);
}
