/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WFX_OS_H
#define WFX_OS_H
/**
 * @file os.h
 * What an operating system must give: ranges of addresses, memory for parts of
 * them, guards, and memory back. Each answers a status; nothing is done when it fails.
 * All addresses and sizes are multiples of the page size.
 */
#include <stdbool.h>

#include <wasmfx/base.h>

struct wfx_os {
  size_t page_bytes;
  uint64_t calls; /* requests to the system, ever */
};

void wfx_os_init(struct wfx_os *os);

/** A range of addresses without memory. Errors: NO_ADDRESS_SPACE, NO_MAPS. */
wasmfx_status_t wfx_os_reserve(struct wfx_os *os, size_t bytes, void **address);
void wfx_os_release(struct wfx_os *os, void *address, size_t bytes);

/** Lets a part of a range be read and written; it reads as zero. Errors: NO_MEMORY, NO_MAPS. */
wasmfx_status_t wfx_os_commit(struct wfx_os *os, void *address, size_t bytes);
/** Gives the memory of a committed part back; it reads as zero again. Guards in it stay. False: the system refuses, as
 * it does for locked memory. */
bool wfx_os_discard(struct wfx_os *os, void *address, size_t bytes);

/** Asks for a part that is in use to become one of huge pages. The system may refuse, or do so later: that harms
 * nothing. */
void wfx_os_make_huge_pages(struct wfx_os *os, void *address, size_t bytes);

/** Finds out whether guards can be put into committed memory without splitting its map. Errors: what keeps it from
 *  finding out: NO_ADDRESS_SPACE, NO_MAPS, NO_MEMORY. */
wasmfx_status_t wfx_os_probe_light_guards(struct wfx_os *os, bool *has);
/** Puts such a guard. Errors: NO_MEMORY. */
wasmfx_status_t wfx_os_guard(struct wfx_os *os, void *address, size_t bytes);

#endif
