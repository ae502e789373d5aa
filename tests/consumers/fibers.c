/* SPDX-License-Identifier: Apache-2.0 */
/* A program written against the published fiber interface: it names the header as that does. Prints what was yielded. */
#include <fiber.h>
#include <stdio.h>

static void *say(void *word)
{
  return fiber_yield(word);
}

int main(void)
{
  static char hello[] = "hello", goodbye[] = "goodbye";
  fiber_result_t result;
  fiber_init();
  fiber_t fiber = fiber_alloc(say);
  const char *yielded = fiber_resume(fiber, hello, &result);
  if (result != FIBER_YIELD)
    return 1;
  const char *returned = fiber_resume(fiber, goodbye, &result);
  printf("%s, %s\n", yielded, returned);
  fiber_free(fiber);
  fiber_finalize();
  return result == FIBER_OK && yielded == hello && returned == goodbye ? 0 : 1;
}
