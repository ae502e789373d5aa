/* SPDX-License-Identifier: Apache-2.0 */
/* Finds, two calls down and in the second frame, that it cannot go on. */
#include "plugin.h"

static void open_level(const struct plugin_api *api, int level)
{
  api->next_frame();
  if (level > 1)
    api->fail("no such level");
}

static void run(const struct plugin_api *api)
{
  api->say("opens level 2");
  open_level(api, 2);
  api->say("this is never said");
}

const struct plugin_export plugin = { run };
