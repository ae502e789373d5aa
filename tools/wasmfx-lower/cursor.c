/* SPDX-License-Identifier: Apache-2.0 */
/* Reading bytes, numbers and names. */
#include "cursor.h"

bool wl_malformed(struct wl_cursor *cursor, uint32_t offset, const char *text)
{
  wl_fail(cursor->error, WL_MALFORMED, offset, "%s", text);
  cursor->at = cursor->end;
  return false;
}

static void fail_at_end(struct wl_cursor *cursor)
{
  wl_malformed(cursor, cursor->end, "unexpected end of section or function");
}

uint8_t wl_byte(struct wl_cursor *cursor)
{
  if (wl_has_more(cursor))
    return cursor->bytes[cursor->at++];
  fail_at_end(cursor);
  return 0;
}

void wl_skip(struct wl_cursor *cursor, uint32_t count)
{
  if (count > cursor->end - cursor->at)
    fail_at_end(cursor);
  else
    cursor->at += count;
}

/* ---- LEB128 -------------------------------------------------------------------------- */

/* What of its last byte a number of `left` more bits may use. */
static bool fits_unsigned(uint8_t byte, unsigned left)
{
  return left >= 7 || (byte & 0x7f) < 1 << left;
}

static bool fits_signed(uint8_t byte, unsigned left)
{
  const unsigned sign = 0x7fu & ~0u << (left < 7 ? left - 1 : 6);
  return left >= 7 || (byte & sign) == 0 || (byte & sign) == sign;
}

/* Bytes of a number, into `*bits`; answers how many bits there are, or 0 after a failure. */
static unsigned leb(struct wl_cursor *cursor, unsigned width, bool fits(uint8_t, unsigned), uint64_t *bits)
{
  unsigned shift = 0;
  for (*bits = 0; shift < width; shift += 7) {
    const uint32_t at = cursor->at;
    const uint8_t byte = wl_byte(cursor);
    if (!fits(byte, width - shift))
      wl_malformed(cursor, at, "integer too large");
    if (wl_failed(cursor))
      return 0;
    *bits |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80)
      return shift + 7;
  }
  wl_malformed(cursor, cursor->at, "integer representation too long");
  return 0;
}

uint64_t wl_unsigned(struct wl_cursor *cursor, unsigned width)
{
  uint64_t bits;
  return leb(cursor, width, fits_unsigned, &bits) ? bits : 0;
}

int64_t wl_signed(struct wl_cursor *cursor, unsigned width)
{
  uint64_t bits;
  const unsigned used = leb(cursor, width, fits_signed, &bits);
  if (used == 0)
    return 0;
  if (used < 64 && bits >> (used - 1) & 1)
    bits |= ~(uint64_t)0 << used;
  return (int64_t)bits;
}

/* ---- Counts, parts, names ---------------------------------------------------------------- */

uint32_t wl_count(struct wl_cursor *cursor)
{
  const uint32_t at = cursor->at, count = wl_u32(cursor);
  if (count <= cursor->end - cursor->at)
    return count;
  wl_malformed(cursor, at, "length out of bounds");
  return 0;
}

struct wl_cursor wl_part(struct wl_cursor *cursor, uint32_t length)
{
  struct wl_cursor part = *cursor;
  wl_skip(cursor, length);
  part.end = cursor->at;
  if (wl_failed(cursor))
    part.at = part.end;
  return part;
}

/* How many bytes follow this one in UTF-8; -1: it begins nothing. */
static int followers(uint8_t byte)
{
  if (byte < 0x80)
    return 0;
  if (byte < 0xc2 || byte > 0xf4)
    return -1;
  return byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
}

/* Neither longer than it had to be, nor a surrogate, nor beyond 0x10ffff: the second byte tells. */
static bool is_second(uint8_t first, uint8_t second)
{
  const uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  return least <= second && second <= most;
}

static bool is_utf8(const uint8_t *bytes, uint32_t length)
{
  for (uint32_t i = 0; i < length;) {
    const uint8_t first = bytes[i++];
    const int more = followers(first);
    if (more < 0 || (uint32_t)more > length - i || (more && !is_second(first, bytes[i])))
      return false;
    for (int k = 1; k < more; k++)
      if ((bytes[i + (uint32_t)k] & 0xc0) != 0x80)
        return false;
    i += (uint32_t)more;
  }
  return true;
}

struct wl_name wl_name(struct wl_cursor *cursor)
{
  const uint32_t start = cursor->at, length = wl_count(cursor);
  const struct wl_name name = { cursor->at, length };
  wl_skip(cursor, length);
  if (wl_failed(cursor))
    return (struct wl_name){ 0, 0 };
  if (!is_utf8(cursor->bytes + name.at, name.length))
    wl_malformed(cursor, start, "malformed UTF-8 encoding");
  return name;
}
