/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs of the reference model (../model.c says how they work), with the bytes of an input in place of chance.
 *
 *     | world | decisions ...
 *       2       1 each, or more where there are more than 256 ways
 *
 * The world is a number from which the rest is drawn that is decided beforehand: configuration, handler tables, how
 * often the program does what. Decisions are the operations and their operands. Payloads and the like are drawn too,
 * for they only travel. Where the input ends, the program ends.
 *
 * Each input has a runtime of its own. So that narrow revisions run out within one input, some have been used before
 * it begins.
 */
#include "../model_driver.h"
#include "fuzz.h"

enum {
  WORLD_BYTES = 2,
  LONGEST_INPUT = 1024, /* the model remembers only so many references */
  OLDEST = 64           /* all references to an object, where revisions are narrow */
};

struct run run;

static struct {
  const uint8_t *next, *end;
} input;

/* ---- Decisions ----------------------------------------------------------------------- */

/* splitmix64 */
uint64_t draw(void)
{
  uint64_t x = run.random_state += 0x9e3779b97f4a7c15;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

/* As many bytes as `limit` needs. Once they have run out, what still has to be decided is drawn. */
unsigned below(unsigned limit)
{
  uint64_t number = 0, numbers = 1;
  while (numbers < limit && input.next < input.end) {
    number = number << 8 | *input.next++;
    numbers <<= 8;
  }
  if (numbers >= limit)
    return (unsigned)(number * limit / numbers);
  program.steps_left = 0;
  return (unsigned)(draw() % limit);
}

_Noreturn void end_after_mismatch(void)
{
  abort();
}

/* ---- Inputs -------------------------------------------------------------------------- */

/* Uses up references to the object that a new continuation gets. */
static void age(unsigned references)
{
  struct model_link *host = model.running[0];
  while (references--) {
    make_cont(host);
    if (model.live_count)
      drop_this(host, operand_of(model.live[0]));
  }
}

static void open_world(unsigned seed)
{
  input.next = input.end = NULL;
  run = (struct run){ .seed = seed, .random_state = seed, .wanted = UINT64_MAX, .trace_from = UINT64_MAX };
  open_era();
  age(one_in(2) ? below(OLDEST) : 0);
  choose_program();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < WORLD_BYTES || size > LONGEST_INPUT)
    return 0;
  open_world((unsigned)data[0] << 8 | data[1]);
  input.next = data + WORLD_BYTES;
  input.end = data + size;
  run_program();
  close_era();
  return 0;
}
