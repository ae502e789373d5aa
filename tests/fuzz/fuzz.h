/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_TESTS_FUZZ_H
#define WASMFX_TESTS_FUZZ_H
/** @file fuzz.h  What a target of libFuzzer is, by the names that libFuzzer gives. */
#include <stddef.h>
#include <stdint.h>

/** Tries one input, and aborts if something is wrong. Each input begins from nothing: it finds again what it found
 *  once, whatever was tried before it. Answers 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
