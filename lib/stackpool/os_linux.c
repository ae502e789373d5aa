/* SPDX-License-Identifier: Apache-2.0 */
/* Linux: the only file that calls mmap and its kin. */
#define _GNU_SOURCE
#include "os.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux 6.13; the headers of older distributions lack it. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define MAPS_IN_RESERVE 16 /* so near to the limit of maps it counts as reached */

void wfx_os_init(struct wfx_os *os)
{
  os->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
}

static long read_map_limit(void)
{
  long limit = 65530;
  FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
  if (!file)
    return limit;
  if (fscanf(file, "%ld", &limit) != 1)
    limit = 65530;
  fclose(file);
  return limit;
}

static long count_maps(void)
{
  long count = 0;
  FILE *file = fopen("/proc/self/maps", "re");
  if (!file)
    return 0;
  for (int c; (c = getc(file)) != EOF;)
    count += c == '\n';
  fclose(file);
  return count;
}

/* The kernel says ENOMEM for three different things. Only asked after a failure. */
static wasmfx_status_t why_no_memory(wasmfx_status_t otherwise)
{
  const int error = errno;
  const bool out_of_maps = error == ENOMEM && count_maps() + MAPS_IN_RESERVE >= read_map_limit();
  errno = error;
  return out_of_maps ? WASMFX_ERROR_NO_MAPS : otherwise;
}

wasmfx_status_t wfx_os_reserve(struct wfx_os *os, size_t bytes, void **address)
{
  os->calls += 2;
  void *range = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED)
    return why_no_memory(WASMFX_ERROR_NO_ADDRESS_SPACE);
  /* A huge page under a stack costs 2 MiB for the first byte. Refusal harms nothing. */
  (void)madvise(range, bytes, MADV_NOHUGEPAGE);
  *address = range;
  return WASMFX_OK;
}

void wfx_os_release(struct wfx_os *os, void *address, size_t bytes)
{
  os->calls++;
  (void)munmap(address, bytes);
}

wasmfx_status_t wfx_os_commit(struct wfx_os *os, void *address, size_t bytes)
{
  os->calls++;
  if (mprotect(address, bytes, PROT_READ | PROT_WRITE) != 0)
    return why_no_memory(WASMFX_ERROR_NO_MEMORY);
  return WASMFX_OK;
}

void wfx_os_discard(struct wfx_os *os, void *address, size_t bytes)
{
  os->calls++;
  /* Locked memory refuses; zero it by hand, so that what callers rely on holds. */
  if (madvise(address, bytes, MADV_DONTNEED) != 0)
    memset(address, 0, bytes);
}

wasmfx_status_t wfx_os_probe_light_guards(struct wfx_os *os, bool *has)
{
  void *page = NULL;
  const wasmfx_status_t status = wfx_os_reserve(os, os->page_bytes, &page);
  if (status < 0)
    return status;
  os->calls++;
  const int error = madvise(page, os->page_bytes, MADV_GUARD_INSTALL) == 0 ? 0 : errno;
  wfx_os_release(os, page, os->page_bytes);
  *has = error == 0;
  return error == ENOMEM ? WASMFX_ERROR_NO_MEMORY : WASMFX_OK; /* EINVAL: a kernel that knows no such guards */
}

wasmfx_status_t wfx_os_guard(struct wfx_os *os, void *address, size_t bytes)
{
  os->calls++;
  return madvise(address, bytes, MADV_GUARD_INSTALL) == 0 ? WASMFX_OK : WASMFX_ERROR_NO_MEMORY;
}
