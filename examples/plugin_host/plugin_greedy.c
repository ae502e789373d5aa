/* SPDX-License-Identifier: Apache-2.0 */
/* Polls the frame's number instead of waiting for the next frame. */
#include "plugin.h"

static void run(const struct plugin_api *api)
{
  const int first = api->frame();
  api->say("waits for frame 2");
  while (api->frame() == first)
    ;
  api->say("this is never said");
}

const struct plugin_export plugin = { run };
