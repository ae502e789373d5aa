/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_WASMFX_H
#define WASMFX_WASMFX_H
/**
 * @file wasmfx.h
 * One-shot typed delimited continuations with the semantics of WebAssembly
 * stack switching. Includes all that most programs need; fibers have headers
 * of their own, fiber.h and fiber_switch.h.
 */
#include <wasmfx/backtrace.h>
#include <wasmfx/base.h>
#include <wasmfx/collect.h>
#include <wasmfx/cont.h>
#include <wasmfx/overflow.h>
#include <wasmfx/runtime.h>
#include <wasmfx/types.h>
#endif
