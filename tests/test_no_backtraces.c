/* SPDX-License-Identifier: Apache-2.0 */
/* A library that was built without libunwind: it makes no backtraces and says so. The text is there. */
#include "support.h"

#include <stdio.h>
#include <string.h>

static wasmfx_frame_t frames[4];

static uint64_t ask_for_a_backtrace(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  size_t count = 7;
  (void)from;
  assert_status(wasmfx_backtrace(rt, frames, COUNT_OF(frames), &count), WASMFX_ERROR_UNSUPPORTED);
  assert_int_equal(count, 0);
  return wasmfx_suspend_word(rt, env, word).word;
}

static void all_three_answer_that_they_are_not_in_this_build(void **state)
{
  wasmfx_runtime_t *rt = runtime_of(state);
  wasmfx_tag_t *pause = tag_of(rt, "l:l");
  wasmfx_handlers_t *handlers = HANDLERS(rt, ON_LABEL(pause));
  wasmfx_cont_t cont = word_cont_of(rt, "l:l", ask_for_a_backtrace, pause);
  size_t count = 7;
  assert_outcome(wasmfx_resume_word(rt, &cont, handlers, 1), WASMFX_SUSPENDED);
  assert_status(wasmfx_cont_backtrace(rt, cont, frames, COUNT_OF(frames), &count), WASMFX_ERROR_UNSUPPORTED);
  assert_int_equal(count, 0);
  count = 7;
  assert_status(wasmfx_backtrace_at(rt, NULL, frames, COUNT_OF(frames), &count), WASMFX_ERROR_UNSUPPORTED);
  assert_int_equal(count, 0);
  assert_state(rt, cont, WASMFX_STATE_SUSPENDED);
  assert_status(wasmfx_drop(rt, &cont), WASMFX_OK);
}

static void a_text_has_files_but_no_names(void **state)
{
  const wasmfx_frame_t given[] = {
    { (void *)(uintptr_t)all_three_answer_that_they_are_not_in_this_build, NULL, 0, 0 },
    { (void *)(uintptr_t)strlen, NULL, 0, 1 },
    { (void *)(uintptr_t)16, NULL, 1, 0 },
  };
  char text[500], expected[500];
  (void)state;
  const size_t length = wasmfx_backtrace_text(given, COUNT_OF(given), text, sizeof text);
  snprintf(expected, sizeof expected,
           "#0   0x%016lx (test_no_backtraces)\n     -- a continuation, resumed by:\n#1   0x0000000000000010 (?)\n",
           (unsigned long)(uintptr_t)given[0].pc);
  assert_string_equal(text, expected);
  assert_int_equal(length, strlen(expected));
  assert_int_equal(wasmfx_backtrace_text(given, COUNT_OF(given), NULL, 0), length);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    in_a_world(all_three_answer_that_they_are_not_in_this_build),
    cmocka_unit_test(a_text_has_files_but_no_names),
  };
  return cmocka_run_group_tests_name("no backtraces", tests, NULL, NULL);
}
