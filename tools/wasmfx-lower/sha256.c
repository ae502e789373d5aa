/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256. The names of the specification: a to h are the working variables, w the message schedule. */
#include "sha256.h"

#include <string.h>

static const uint32_t first_state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

static const uint32_t constants[64] = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotated(uint32_t word, unsigned by)
{
  return word >> by | word << (32 - by);
}

static void expand(uint32_t w[64], const uint8_t *block)
{
  for (size_t i = 0; i < 16; i++)
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
           block[4 * i + 3];
  for (unsigned i = 16; i < 64; i++) {
    const uint32_t s0 = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3;
    const uint32_t s1 = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
}

static void compress(uint32_t state[8], const uint8_t *block)
{
  uint32_t w[64], v[8]; /* v: a, b, ... h */
  expand(w, block);
  memcpy(v, state, sizeof v);
  for (unsigned i = 0; i < 64; i++) {
    const uint32_t s1 = rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25);
    const uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
    const uint32_t one = v[7] + s1 + choice + constants[i] + w[i];
    const uint32_t s0 = rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22);
    const uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += one;
    v[0] = one + s0 + majority;
  }
  for (unsigned i = 0; i < 8; i++)
    state[i] += v[i];
}

void wl_sha256_begin(struct wl_sha256 *sha)
{
  memcpy(sha->state, first_state, sizeof first_state);
  sha->length = 0;
}

void wl_sha256_add(struct wl_sha256 *sha, const void *bytes, size_t count)
{
  const uint8_t *from = bytes;
  while (count) {
    const size_t used = sha->length % 64, room = 64 - used, part = count < room ? count : room;
    memcpy(sha->block + used, from, part);
    sha->length += part;
    from += part;
    count -= part;
    if (used + part == 64)
      compress(sha->state, sha->block);
  }
}

void wl_sha256_end(struct wl_sha256 *sha, uint8_t digest[32])
{
  static const uint8_t padding[64] = { 0x80 };
  const uint64_t bits = sha->length * 8;
  uint8_t length[8];
  for (unsigned i = 0; i < 8; i++)
    length[i] = (uint8_t)(bits >> (56 - 8 * i));
  wl_sha256_add(sha, padding, 1 + (119 - sha->length % 64) % 64);
  wl_sha256_add(sha, length, sizeof length);
  for (unsigned i = 0; i < 32; i++)
    digest[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}
