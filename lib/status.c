/* SPDX-License-Identifier: Apache-2.0 */
/* The words for each status, and the version. */
#include <wasmfx/base.h>

const char *wasmfx_status_text(wasmfx_status_t status)
{
  switch ((enum wasmfx_status)status) {
  case WASMFX_RETURNED: return "returned";
  case WASMFX_SUSPENDED: return "suspended";
  case WASMFX_THREW: return "exception";
  case WASMFX_TRAPPED: return "trap";
  case WASMFX_OVERFLOWED: return "call stack exhausted";
  case WASMFX_TRAP_NULL_FUNCTION: return "null function reference";
  case WASMFX_TRAP_NULL_CONT: return "null continuation reference";
  case WASMFX_TRAP_CONSUMED: return "continuation already consumed";
  case WASMFX_TRAP_NULL_EXCEPTION: return "null exception reference";
  case WASMFX_TRAP_UNHANDLED: return "unhandled tag";
  case WASMFX_TRAP_BARRIER: return "barrier hit by suspension";
  case WASMFX_ERROR_ARITY: return "payload of the wrong length";
  case WASMFX_ERROR_TYPE: return "types do not fit together";
  case WASMFX_ERROR_STATE: return "not possible here or now";
  case WASMFX_ERROR_ARGUMENT: return "invalid argument";
  case WASMFX_ERROR_NO_MEMORY: return "out of memory";
  case WASMFX_ERROR_NO_ADDRESS_SPACE: return "out of address space";
  case WASMFX_ERROR_NO_MAPS: return "out of memory maps";
  case WASMFX_ERROR_LIMIT: return "limit of the configuration reached";
  case WASMFX_ERROR_UNSUPPORTED: return "not in this build of the library";
  }
  return "unknown status";
}

#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(number) #number

const char *wasmfx_version(void)
{
  return TEXT(WASMFX_VERSION_MAJOR) "." TEXT(WASMFX_VERSION_MINOR) "." TEXT(WASMFX_VERSION_PATCH);
}
