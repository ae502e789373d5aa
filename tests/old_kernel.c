/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded (LD_PRELOAD), it makes the kernel one from before Linux 6.13, which knows no light guards. Debian 12's own
 * is one. What such a kernel answers is EINVAL.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GUARD_INSTALL = 102, GUARD_REMOVE = 103 };

int madvise(void *address, size_t bytes, int advice)
{
  if (advice == GUARD_INSTALL || advice == GUARD_REMOVE) {
    errno = EINVAL;
    return -1;
  }
  return (int)syscall(SYS_madvise, address, bytes, advice);
}
