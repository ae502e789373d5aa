/* SPDX-License-Identifier: Apache-2.0 */
/* Modules of bytes. */
#include "assemble.h"

#include <stdlib.h>
#include <string.h>

void put(struct bytes *to, const uint8_t *bytes, size_t count)
{
  if (count > sizeof to->at - to->count)
    abort();
  if (count)
    memcpy(to->at + to->count, bytes, count);
  to->count += count;
}

void put_number(struct bytes *to, uint32_t number)
{
  for (; number >= 0x80; number >>= 7)
    put(to, BYTES((uint8_t)(number | 0x80)));
  put(to, BYTES((uint8_t)number));
}

void begin_module(struct bytes *to)
{
  to->count = 0;
  put(to, BYTES(0, 'a', 's', 'm', 1, 0, 0, 0));
}

void put_section(struct bytes *to, uint8_t id, const uint8_t *bytes, size_t count)
{
  put(to, &id, 1);
  put_number(to, (uint32_t)count);
  put(to, bytes, count);
}
