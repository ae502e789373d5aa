/* SPDX-License-Identifier: Apache-2.0 */
/* Input that means no good: an answer to all of it, in memory that its size limits. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

enum { TIMES = 8, LEAST = 1 << 16 };

/* Something of each kind of instruction, with all kinds of lists. */
static const uint8_t busy_locals[] = { 2, 3, I64, 1, REF(C) };
static const uint8_t busy_code[] = {
  BLOCK(I32), I32_CONST(1), I32_CONST(0), 0x0e, 2, 0, 0, 0, END, DROP,
  BLOCK(EXNREF), TRY_TABLE(NO_VALUE, 2), CATCH_REF(E, 0), CATCH_ALL_REF(0), END, UNREACHABLE, END, DROP,
  NULL_OF(C), AS_NON_NULL, SET(3), GET(3), DROP,
  0x02, REF_NULL(C), NULL_OF(C), RESUME(C, 2), ON(E, 0), ON_SWITCH(E), UNREACHABLE, END, DROP,
  I32_CONST(1), NULL_OF(C_i_i), RESUME_THROW(C_i_i, E_i, 0), DROP,
  NULL_OF(0x69), NULL_OF(C), RESUME_THROW_REF(C, 1), ON_SWITCH(E),
  I32_CONST(1), NULL_OF(C_il_i), CONT_BIND(C_il_i, C_l_i), DROP,
  NULL_OF(C_SELF), SWITCH(C_SELF, E), DROP,
  I32_CONST(0), I32_CONST(0), I32_CONST(1), 0xfc, 8, 0, 0, 0xfc, 9, 0,
  NULL_OF(C), NULL_OF(C), I32_CONST(0), 0x1c, 1, REF_NULL(C), DROP,
  I32_CONST(1), IF(NO_VALUE), F32_ZERO, DROP, ELSE, F64_ZERO, DROP, END,
  I32_CONST(0), I32_CONST(0), CALL_INDIRECT(F_i_i, FUNCTIONS), DROP,
};
static const struct body busy = { F, busy_locals, sizeof busy_locals, busy_code, sizeof busy_code };

/* In a block of its own size, so that sanitizers see a read beyond it. Whatever the answer is. */
static bool try_bytes(const uint8_t *bytes, size_t count)
{
  struct wl_module module;
  uint8_t *copy = malloc(count + !count);
  assert_non_null(copy);
  if (count)
    memcpy(copy, bytes, count);
  const bool is_valid = wl_read(&module, copy, count) && wl_validate(&module);
  assert_int_equal(is_valid, module.error.fault == WL_RIGHT);
  assert_true(is_valid || module.error.text[0]);
  assert_true(is_valid || module.error.offset <= count);
  if (module.error.function != WL_NONE)
    wl_function_name(&module, module.error.function);
  assert_true(module.memory.most <= TIMES * count + LEAST);
  wl_module_free(&module);
  free(copy);
  return is_valid;
}

static void a_module_cut_short_is_none(void **state)
{
  static struct bytes module;
  unsigned valid = 0;
  (void)state;
  make_world(&module, &busy);
  check_module("busy", &module, NULL);
  for (size_t count = 0; count < module.count; count++)
    valid += try_bytes(module.at, count);
  assert_int_equal(valid, 3); /* the header; the types; the imports: from there on something is owed */
}

static void a_byte_that_is_another_one_does_no_harm(void **state)
{
  static struct bytes module;
  unsigned refused = 0;
  (void)state;
  make_world(&module, &busy);
  for (size_t at = 0; at < module.count; at++) {
    const uint8_t right = module.at[at];
    for (unsigned byte = 0; byte < 256; byte++) {
      module.at[at] = (uint8_t)byte;
      refused += !try_bytes(module.at, module.count);
    }
    module.at[at] = right;
  }
  assert_true(refused > module.count * 128);
}

static void a_byte_too_many_or_too_few_does_no_harm(void **state)
{
  static struct bytes module, changed;
  (void)state;
  make_world(&module, &busy);
  for (size_t at = 0; at < module.count; at++) {
    changed.count = 0;
    put(&changed, module.at, at);
    put(&changed, module.at + at + 1, module.count - at - 1);
    try_bytes(changed.at, changed.count);
    for (unsigned byte = 0; byte < 256; byte += 15) {
      changed.count = at;
      put(&changed, (const uint8_t[]){ (uint8_t)byte }, 1);
      put(&changed, module.at + at, module.count - at);
      try_bytes(changed.at, changed.count);
    }
  }
}

/* ---- Much of one thing ---------------------------------------------------------------------------- */

/* A section of `count` times the same. */
static void put_many(struct bytes *to, uint8_t id, uint32_t count, const uint8_t *item, size_t size)
{
  static struct bytes section;
  section.count = 0;
  put_number(&section, count);
  for (uint32_t i = 0; i < count; i++)
    put(&section, item, size);
  put_section(to, id, section.at, section.count);
}

static void the_smallest_items_take_little_memory(void **state)
{
  static struct bytes module;
  enum { MANY = 16000 };
  (void)state;
  const struct {
    uint8_t id;
    const uint8_t *item;
    size_t size;
  } kinds[] = {
    { TYPE_SECTION, BYTES(STRUCT, 0) },
    { TYPE_SECTION, BYTES(FUNC, 0, 0) },
    { TYPE_SECTION, BYTES(REC, 0) },
    { IMPORT_SECTION, BYTES(0, 0, 2, 0, 0) },
    { FUNCTION_SECTION, BYTES(0) },
    { TABLE_SECTION, BYTES(FUNCREF, 0, 0) },
    { MEMORY_SECTION, BYTES(0, 0) },
    { GLOBAL_SECTION, BYTES(I32, 0, END) },
    { EXPORT_SECTION, BYTES(0, 0, 0) },
    { ELEMENT_SECTION, BYTES(1, 0, 0) },
    { DATA_SECTION, BYTES(1, 0) },
    { TAG_SECTION, BYTES(0, 0) },
  };
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    begin_module(&module);
    put_many(&module, kinds[k].id, MANY, kinds[k].item, kinds[k].size);
    try_bytes(module.at, module.count);
  }
}

/* The code of a world, `count` times the same, and then some. */
static bool try_code(const uint8_t *item, size_t size, uint32_t count, const uint8_t *rest, size_t rest_size)
{
  static struct bytes code, module;
  code.count = 0;
  for (uint32_t i = 0; i < count; i++)
    put(&code, item, size);
  put(&code, rest, rest_size);
  make_world(&module, &(struct body){ F, NULL, 0, code.at, code.count });
  return try_bytes(module.at, module.count);
}

static void blocks_in_blocks_take_little_memory(void **state)
{
  static uint8_t ends[10000];
  (void)state;
  memset(ends, END, sizeof ends);
  assert_true(try_code(BYTES(BLOCK(NO_VALUE)), sizeof ends, ends, sizeof ends));
  assert_false(try_code(BYTES(BLOCK(NO_VALUE)), 25000, BYTES(UNREACHABLE)));
  assert_false(try_code(BYTES(I32_CONST(0), IF(NO_VALUE)), 12000, BYTES(UNREACHABLE)));
}

static void values_upon_values_take_little_memory(void **state)
{
  (void)state;
  assert_true(try_code(BYTES(I32_CONST(0)), 20000, BYTES(UNREACHABLE)));
  assert_false(try_code(BYTES(I32_CONST(0)), 20000, BYTES(DROP)));
}

/* A function of one type, the other one imported, and code that calls that time and again. */
static void make_calls(struct bytes *module, const struct bytes *types, unsigned calls)
{
  static struct bytes section, code;
  section.count = code.count = 0;
  begin_module(module);
  put_section(module, TYPE_SECTION, types->at, types->count);
  put_section(module, IMPORT_SECTION, BYTES(2, 0, 0, 0, 1, 0, 0, 0, 2));
  put_section(module, FUNCTION_SECTION, BYTES(1, 0));
  put(&section, BYTES(0, CALL(0)));
  for (unsigned i = 1; i < calls; i++)
    put(&section, BYTES(CALL(1)));
  put(&section, BYTES(UNREACHABLE, END));
  put(&code, BYTES(1));
  put_number(&code, (uint32_t)section.count);
  put(&code, section.at, section.count);
  put_section(module, CODE_SECTION, code.at, code.count);
}

static void put_values(struct bytes *to, unsigned count)
{
  put_number(to, count);
  for (unsigned i = 0; i < count; i++)
    put(to, BYTES(I32));
}

/* Three types: [] -> []; [] -> i32*; i32* -> i32*, the last of which gives as much. */
static void make_wide_types(struct bytes *to, unsigned taken, unsigned given)
{
  to->count = 0;
  put(to, BYTES(3, FUNC, 0, 0, FUNC, 0));
  put_values(to, given);
  put(to, BYTES(FUNC));
  put_values(to, taken);
  put_values(to, given);
}

/* Two bytes that push a thousand values. */
static void calls_that_give_much_take_no_more_memory(void **state)
{
  static struct bytes types, module;
  (void)state;
  make_wide_types(&types, 0, 1000);
  make_calls(&module, &types, 10000);
  check_module("much", &module, "not supported: it would take more memory");
  assert_false(try_bytes(module.at, module.count));
  make_calls(&module, &types, 10);
  check_module("enough", &module, NULL);
  make_wide_types(&types, 0, 1001);
  make_calls(&module, &types, 1);
  check_module("too much", &module, "not supported: more than 1000 results");
}

/* Two bytes that pop as many, and push them again. */
static void calls_that_take_much_take_no_more_time(void **state)
{
  static struct bytes types, module;
  (void)state;
  make_wide_types(&types, 1000, 1000);
  make_calls(&module, &types, 40000);
  check_module("much", &module, "not supported: it would take more time");
  make_calls(&module, &types, 100);
  check_module("enough", &module, NULL);
}

static void what_is_declared_to_be_huge_is_not_believed(void **state)
{
  static struct bytes module;
  (void)state;
  for (uint8_t id = TYPE_SECTION; id <= TAG_SECTION; id++) {
    begin_module(&module);
    put_section(&module, id, BYTES(0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0));
    assert_false(try_bytes(module.at, module.count));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_module_cut_short_is_none),
    cmocka_unit_test(a_byte_that_is_another_one_does_no_harm),
    cmocka_unit_test(a_byte_too_many_or_too_few_does_no_harm),
    cmocka_unit_test(the_smallest_items_take_little_memory),
    cmocka_unit_test(blocks_in_blocks_take_little_memory),
    cmocka_unit_test(values_upon_values_take_little_memory),
    cmocka_unit_test(calls_that_give_much_take_no_more_memory),
    cmocka_unit_test(calls_that_take_much_take_no_more_time),
    cmocka_unit_test(what_is_declared_to_be_huge_is_not_believed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
