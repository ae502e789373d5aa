/* SPDX-License-Identifier: Apache-2.0 */
/* Searches a maze, from the second frame on, and does not see that it has no exit: it recurses without end. */
#include "plugin.h"

struct step {
  const struct step *before;
  int place;
};

static volatile int exit_place = -1;

static int length(const struct step *last)
{
  int steps = 0;
  for (; last->before; last = last->before)
    steps++;
  return steps;
}

/* How long the way to the exit is. */
static int search(const struct step *before)
{
  const struct step here = { before, before->place + 1 };
  return here.place == exit_place ? length(&here) : search(&here);
}

static void run(const struct plugin_api *api)
{
  api->say("looks for the way out");
  api->next_frame();
  const struct step entrance = { 0, 0 };
  api->say(search(&entrance) < 100 ? "that was short" : "that was long");
}

const struct plugin_export plugin = { run };
