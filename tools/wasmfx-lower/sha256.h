/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_SHA256_H
#define WASMFX_LOWER_SHA256_H
/** @file sha256.h  SHA-256, as FIPS 180-4 has it: types are named by it, so that nobody makes two of one name. */
#include <stddef.h>
#include <stdint.h>

struct wl_sha256 {
  uint32_t state[8];
  uint64_t length;   /* bytes so far */
  uint8_t block[64]; /* those that do not fill one yet */
};

void wl_sha256_begin(struct wl_sha256 *sha);
void wl_sha256_add(struct wl_sha256 *sha, const void *bytes, size_t count);
void wl_sha256_end(struct wl_sha256 *sha, uint8_t digest[32]);

#endif
