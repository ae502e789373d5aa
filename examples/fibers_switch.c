/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What if neither of two routines is the other's servant?
 *
 * The problem for which coroutines were invented (M. Conway, 1963): read
 * characters, turn each ** into ^, print. Reader, squasher and printer are
 * three loops, each written as if it were the main program. They switch to one
 * another directly; the printer is the program of fiber_main().
 *
 * Expected output:
 *
 *     2^8 * 3^2
 *
 * Next: the headers in include/wasmfx, beginning with cont.h; and bench/, for
 * what all this costs.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <wasmfx/fiber_switch.h>

static const char text[] = "2**8 * 3**2";

static fiber_t make(fiber_entry_point_t entry)
{
  fiber_t fiber = fiber_alloc(entry);
  if (!fiber) {
    fputs("no memory for a fiber\n", stderr);
    exit(EXIT_FAILURE);
  }
  return fiber;
}

/* Asks a fiber for its next character; 0 is the last one. */
static char ask(fiber_t fiber)
{
  return (char)(intptr_t)fiber_switch(fiber, NULL, NULL);
}

/* Answers the fiber that asked, and waits to be asked again, by whomever. */
static fiber_t answer(fiber_t asker, char character)
{
  (void)fiber_switch(asker, (void *)(intptr_t)character, &asker);
  return asker;
}

static void *reader(void *nothing, fiber_t asker)
{
  (void)nothing;
  for (const char *next = text; *next; next++)
    asker = answer(asker, *next);
  fiber_switch_return(asker, (void *)(intptr_t)0);
  return NULL;
}

static void *squasher(void *nothing, fiber_t asker)
{
  (void)nothing;
  fiber_t source = make(reader);
  char character = ask(source);
  while (character) {
    char next = ask(source);
    if (character == '*' && next == '*') {
      character = '^';
      next = ask(source);
    }
    asker = answer(asker, character);
    character = next;
  }
  fiber_free(source);
  fiber_switch_return(asker, (void *)(intptr_t)0);
  return NULL;
}

static void *printer(int argc, char **argv)
{
  (void)argc, (void)argv;
  fiber_t source = make(squasher);
  for (char character = ask(source); character; character = ask(source))
    putchar(character);
  puts("");
  fiber_free(source);
  return NULL;
}

int main(int argc, char **argv)
{
  (void)fiber_main(printer, argc, argv);
  return 0;
}
