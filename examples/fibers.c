/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do two trees have the same leaves in the same order, whatever their shape?
 *
 * A recursive walk is the simplest program that visits leaves. Here two walks
 * run side by side, each in a fiber that yields at every leaf from however deep
 * it is, and the first difference ends the comparison.
 *
 * Expected output:
 *
 *     1 1, 2 2, 3 3, 4 4: the same
 *     1 1, 2 2, 3 4: different
 *
 * Next: fibers_switch.c, fibers without anybody in the middle.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <wasmfx/fiber.h>

struct tree {
  const struct tree *left, *right; /* NULL in a leaf */
  int value;
};

static void walk(const struct tree *tree)
{
  if (!tree->left) {
    (void)fiber_yield((void *)(intptr_t)tree->value);
    return;
  }
  walk(tree->left);
  walk(tree->right);
}

static void *walk_in_fiber(void *tree)
{
  walk(tree);
  return NULL;
}

/* The next leaf; 0 after the last. The first call says of which tree. */
static int next_leaf(fiber_t walker, const struct tree *tree)
{
  fiber_result_t status;
  void *leaf = fiber_resume(walker, (void *)(uintptr_t)tree, &status);
  if (status == FIBER_ERROR) {
    fputs("a fiber could not be resumed\n", stderr);
    exit(EXIT_FAILURE);
  }
  return status == FIBER_YIELD ? (int)(intptr_t)leaf : 0;
}

static void compare(const struct tree *a, const struct tree *b)
{
  fiber_t walker_a = fiber_alloc(walk_in_fiber), walker_b = fiber_alloc(walk_in_fiber);
  bool same, more;
  const char *separator = "";
  do {
    const int leaf_a = next_leaf(walker_a, a), leaf_b = next_leaf(walker_b, b);
    same = leaf_a == leaf_b;
    more = leaf_a != 0;
    if (more)
      printf("%s%d %d", separator, leaf_a, leaf_b);
    separator = ", ";
  } while (same && more);
  puts(same ? ": the same" : ": different");
  fiber_free(walker_a); /* a walk that has not come to its end is dropped */
  fiber_free(walker_b);
}

int main(void)
{
  static const struct tree one = { .value = 1 }, two = { .value = 2 }, three = { .value = 3 }, four = { .value = 4 };
  static const struct tree one_two = { &one, &two, 0 }, three_four = { &three, &four, 0 };
  static const struct tree flat = { &one_two, &three_four, 0 };
  static const struct tree last_two = { &two, &three_four, 0 }, deep = { &one, &last_two, 0 };
  static const struct tree four_three = { &four, &three, 0 }, swapped = { &one_two, &four_three, 0 };
  fiber_init();
  compare(&flat, &deep);
  compare(&flat, &swapped);
  fiber_finalize();
  return 0;
}
