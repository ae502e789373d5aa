/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_EXAMPLES_PLUGIN_H
#define WASMFX_EXAMPLES_PLUGIN_H
/**
 * @file plugin.h
 * What a plugin knows of its host: four functions. It knows nothing of continuations.
 */

/** What a plugin may call. Nothing else, libc included: see may_abandon() in host.c. */
struct plugin_api {
  void (*say)(const char *text);
  int (*frame)(void);            /**< the number of the frame */
  void (*next_frame)(void);      /**< comes back in the next frame */
  void (*fail)(const char *why); /**< does not come back */
};

/** What a plugin exports, as a constant with the name "plugin". */
struct plugin_export {
  void (*run)(const struct plugin_api *api);
};

#endif
