/* SPDX-License-Identifier: Apache-2.0 */
/* Linux: the only file that calls mmap and its kin. */
#define _GNU_SOURCE
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Linux 6.13; the headers of older distributions lack it. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* Linux 6.1. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define MAPS_IN_RESERVE 16 /* so near to the limit of maps it counts as reached */

void wfx_os_init(struct wfx_os *os)
{
  os->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
}

/* Without stdio, which wants more stack and memory than there may be. */
static long read_map_limit(void)
{
  char text[24];
  const int file = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  const ssize_t length = file < 0 ? -1 : read(file, text, sizeof text);
  if (file >= 0)
    close(file);
  long limit = 0;
  for (ssize_t i = 0; i < length && text[i] >= '0' && text[i] <= '9'; i++)
    limit = limit * 10 + (text[i] - '0');
  return limit ? limit : 65530;
}

static long count_maps(void)
{
  char text[128]; /* it may be asked on a continuation's stack */
  long count = 0;
  const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return 0;
  for (ssize_t length; (length = read(file, text, sizeof text)) > 0;)
    for (ssize_t i = 0; i < length; i++)
      count += text[i] == '\n';
  close(file);
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

/* The system may refuse something in a call that succeeds, and in one that is tried again in another way: so each
 * function below puts errno back. */
static wasmfx_status_t answer(wasmfx_status_t status, int error_before)
{
  errno = error_before;
  return status;
}

wasmfx_status_t wfx_os_reserve(struct wfx_os *os, size_t bytes, void **address)
{
  const int error_before = errno;
  os->calls += 3;
  void *range = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED)
    return answer(why_no_memory(WASMFX_ERROR_NO_ADDRESS_SPACE), error_before);
  /* A huge page under a stack costs 2 MiB for the first byte. Refusal harms nothing. */
  (void)madvise(range, bytes, MADV_NOHUGEPAGE);
  /* Debuggers that write core files would write many gibibytes of nothing. */
  (void)madvise(range, bytes, MADV_DONTDUMP);
  *address = range;
  return answer(WASMFX_OK, error_before);
}

void wfx_os_release(struct wfx_os *os, void *address, size_t bytes)
{
  const int error_before = errno;
  os->calls++;
  (void)munmap(address, bytes);
  errno = error_before;
}

wasmfx_status_t wfx_os_commit(struct wfx_os *os, void *address, size_t bytes)
{
  const int error_before = errno;
  os->calls += 2;
  if (mprotect(address, bytes, PROT_READ | PROT_WRITE) != 0)
    return answer(why_no_memory(WASMFX_ERROR_NO_MEMORY), error_before);
  (void)madvise(address, bytes, MADV_DODUMP);
  return answer(WASMFX_OK, error_before);
}

bool wfx_os_discard(struct wfx_os *os, void *address, size_t bytes)
{
  const int error_before = errno;
  os->calls++;
  const bool done = madvise(address, bytes, MADV_DONTNEED) == 0;
  errno = error_before;
  return done;
}

/* Without the second request the kernel does it when it comes to it. */
void wfx_os_make_huge_pages(struct wfx_os *os, void *address, size_t bytes)
{
  const int error_before = errno;
  os->calls += 2;
  if (madvise(address, bytes, MADV_HUGEPAGE) == 0)
    (void)madvise(address, bytes, MADV_COLLAPSE);
  errno = error_before;
}

wasmfx_status_t wfx_os_probe_light_guards(struct wfx_os *os, bool *has)
{
  void *page = NULL;
  const wasmfx_status_t status = wfx_os_reserve(os, os->page_bytes, &page);
  if (status < 0)
    return status;
  const int error_before = errno;
  os->calls++;
  const int error = madvise(page, os->page_bytes, MADV_GUARD_INSTALL) == 0 ? 0 : errno;
  wfx_os_release(os, page, os->page_bytes);
  *has = error == 0;
  /* EINVAL: a kernel that knows no such guards. */
  return answer(error == ENOMEM ? WASMFX_ERROR_NO_MEMORY : WASMFX_OK, error_before);
}

wasmfx_status_t wfx_os_guard(struct wfx_os *os, void *address, size_t bytes)
{
  const int error_before = errno;
  os->calls++;
  const bool done = madvise(address, bytes, MADV_GUARD_INSTALL) == 0;
  return answer(done ? WASMFX_OK : WASMFX_ERROR_NO_MEMORY, error_before);
}
