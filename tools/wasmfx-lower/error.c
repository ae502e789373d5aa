/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a module. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

bool wl_fail(struct wl_error *error, enum wl_fault fault, uint32_t offset, const char *format, ...)
{
  va_list arguments;
  if (error->fault != WL_RIGHT)
    return false;
  error->fault = fault;
  error->offset = offset;
  va_start(arguments, format);
  vsnprintf(error->text, sizeof error->text, format, arguments);
  va_end(arguments);
  return false;
}

bool wl_fail_for_memory(struct wl_error *error, uint32_t offset)
{
  return wl_fail(error, WL_UNSUPPORTED, offset, "not supported: it would take more memory than there is for its size");
}
