/* SPDX-License-Identifier: Apache-2.0 */
/* A fiber walks a tree by recursion and yields at each leaf, from as deep as the tree is high. Argument: how high. */
#include <fiber.h>

#include "arguments.h"

struct tree {
  uint32_t leaf; /* if there is no left */
  struct tree *left, *right;
};

/* Both sides are the same tree: as many leaves to visit, next to no memory. */
static struct tree *make_tree(uint32_t height, uint32_t depth)
{
  struct tree *tree = calloc(1, sizeof *tree);
  must(tree != NULL, "there is memory");
  tree->leaf = depth;
  if (height > 0)
    tree->left = tree->right = make_tree(height - 1, depth + 1);
  return tree;
}

static __attribute__((noinline)) void walk(const struct tree *tree)
{
  if (!tree->left) {
    fiber_yield((void *)(uintptr_t)tree->leaf);
    return;
  }
  walk(tree->left);
  walk(tree->right);
}

static void *walker(void *tree)
{
  walk(tree);
  return NULL;
}

int main(int argc, char **argv)
{
  struct tree *tree = make_tree(number_argument(argc, argv, 1, 25), 0);
  fiber_init();
  fiber_t fiber = fiber_alloc(walker);
  uint64_t sum = 0;
  fiber_result_t result;
  void *value = fiber_resume(fiber, tree, &result);
  for (; result == FIBER_YIELD; value = fiber_resume(fiber, NULL, &result))
    sum += (uintptr_t)value;
  must(result == FIBER_OK, "the walk comes to its end");
  fiber_free(fiber);
  fiber_finalize();
  print_checksum(sum);
  return 0;
}
