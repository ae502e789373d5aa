/* SPDX-License-Identifier: Apache-2.0 */
/* Calls its host seldom, and computes for long in between. */
#include "plugin.h"

static void run(const struct plugin_api *api)
{
  volatile unsigned long sum = 0;
  api->say("adds up");
  for (;;) {
    for (unsigned long i = 0; i < 20000000; i++)
      sum = sum + i;
    (void)api->frame();
  }
}

const struct plugin_export plugin = { run };
