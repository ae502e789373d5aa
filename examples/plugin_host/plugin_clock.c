/* SPDX-License-Identifier: Apache-2.0 */
/* Well-behaved: does a little in each frame. */
#include "plugin.h"

static void run(const struct plugin_api *api)
{
  for (;;) {
    api->say(api->frame() % 2 ? "tick" : "tock");
    api->next_frame();
  }
}

const struct plugin_export plugin = { run };
