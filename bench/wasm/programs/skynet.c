/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of fibers, ten below each; a leaf yields its number, and those above add up. Arguments: levels, and how many
 * are below each: a constant would have compilers write the loop out, with two resumes for each. */
#include <fiber.h>

#include "arguments.h"

static uint32_t children;
static uint64_t sum;

/* A leaf gives its number out at its yield; who is not one resumes those below. The level is in the uppermost bits of
 * the word. */
enum { LEVEL_SHIFT = 28 };

static void *node(void *arg)
{
  const uint32_t word = (uint32_t)(uintptr_t)arg, level = word >> LEVEL_SHIFT;
  const uint32_t number = word & ((1u << LEVEL_SHIFT) - 1);
  if (level == 0) {
    fiber_yield((void *)(uintptr_t)number);
    return NULL;
  }
  for (uint32_t i = 0; i < children; i++) {
    const uint32_t below = (level - 1) << LEVEL_SHIFT | (number * children + i);
    fiber_result_t result;
    fiber_t child = fiber_alloc(node);
    must(child != NULL, "there is memory");
    void *answer = fiber_resume(child, (void *)(uintptr_t)below, &result);
    if (result == FIBER_YIELD) {
      sum += (uintptr_t)answer;
      fiber_resume(child, NULL, &result);
    }
    must(result == FIBER_OK, "a node comes to its end");
    fiber_free(child);
  }
  return NULL;
}

int main(int argc, char **argv)
{
  const uint32_t levels = number_argument(argc, argv, 1, 6);
  children = number_argument(argc, argv, 2, 10);
  must(levels <= 8 && children <= 10, "the numbers of the leaves fit");
  fiber_init();
  node((void *)(uintptr_t)(levels << LEVEL_SHIFT));
  fiber_finalize();
  print_checksum(sum);
  return 0;
}
