/* SPDX-License-Identifier: Apache-2.0 */
/* What carries types between modules: identities, and the names that have them. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "identity.h"
#include "lower.h"
#include "sha256.h"

/* ---- SHA-256 ------------------------------------------------------------------------------------ */

static void check_digest(const char *text, size_t times, const char *expected)
{
  struct wl_sha256 sha;
  uint8_t digest[32];
  char found[65] = "";
  wl_sha256_begin(&sha);
  for (size_t i = 0; i < times; i++)
    wl_sha256_add(&sha, text, strlen(text));
  wl_sha256_end(&sha, digest);
  for (size_t i = 0; i < sizeof digest; i++)
    snprintf(found + 2 * i, 3, "%02x", digest[i]);
  assert_string_equal(found, expected);
}

/* The examples that the standard gives, and lengths around that of a block. */
static void sha256_is_that_of_the_standard(void **state)
{
  (void)state;
  check_digest("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  check_digest("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  check_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  check_digest("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  check_digest("a", 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  check_digest("a", 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  check_digest("a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

/* ---- Identities ----------------------------------------------------------------------------------- */

/* Of the last definition of a section of types. */
static struct wl_identity identity_of(const uint8_t *types, size_t count)
{
  static struct bytes bytes;
  struct wl_module module;
  begin_module(&bytes);
  put_section(&bytes, TYPE_SECTION, types, count);
  assert_true(is_valid(&module, &bytes));
  const struct wl_identity *all = wl_identify(&module);
  assert_non_null(all);
  const struct wl_identity last = all[module.definitions.count - 1];
  wl_module_free(&module);
  return last;
}

static bool are_same(struct wl_identity a, struct wl_identity b)
{
  return memcmp(&a, &b, sizeof a) == 0;
}

#define IDENTITY(...) identity_of(BYTES(__VA_ARGS__))

static void equal_types_have_one_identity_wherever_they_stand(void **state)
{
  (void)state;
  const struct wl_identity cont = IDENTITY(2, FUNC, 1, I32, 0, CONT, 0);
  assert_true(are_same(cont, IDENTITY(3, FUNC, 0, 0, FUNC, 1, I32, 0, CONT, 1)));
  assert_true(are_same(cont, IDENTITY(4, FUNC, 1, I32, 0, FUNC, 0, 0, CONT, 1, CONT, 0)));
  assert_true(are_same(cont, IDENTITY(3, FUNC, 1, I32, 0, FUNC, 1, I32, 0, CONT, 1)));
  assert_true(are_same(IDENTITY(1, REC, 2, FUNC, 1, REF(1), 0, CONT, 0),
                       IDENTITY(2, FUNC, 0, 0, REC, 2, FUNC, 1, REF(2), 0, CONT, 1)));
}

static void others_have_another(void **state)
{
  const struct wl_identity some[] = {
    IDENTITY(1, FUNC, 0, 0),
    IDENTITY(1, FUNC, 1, I32, 0),
    IDENTITY(1, FUNC, 0, 1, I32),
    IDENTITY(1, FUNC, 1, I64, 0),
    IDENTITY(1, FUNC, 1, EXTERNREF, 0),
    IDENTITY(1, FUNC, 1, CONTREF, 0),
    IDENTITY(1, FUNC, 1, EXNREF, 0),
    IDENTITY(1, SUB, 0, FUNC, 0, 0),
    IDENTITY(1, REC, 2, FUNC, 0, 0, FUNC, 0, 0),
    IDENTITY(2, FUNC, 0, 0, CONT, 0),
    IDENTITY(2, FUNC, 1, I32, 0, CONT, 0),
    IDENTITY(1, REC, 2, FUNC, 0, 0, CONT, 0),
    IDENTITY(2, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC, 0, 0),
    IDENTITY(3, FUNC, 0, 0, CONT, 0, FUNC, 1, REF(1), 0),
    IDENTITY(3, FUNC, 0, 0, CONT, 0, FUNC, 1, REF_NULL(1), 0),
    IDENTITY(3, FUNC, 1, I32, 0, CONT, 0, FUNC, 1, REF(1), 0),
  };
  const size_t count = sizeof some / sizeof *some;
  (void)state;
  for (size_t i = 0; i < count; i++)
    for (size_t k = i + 1; k < count; k++)
      assert_false(are_same(some[i], some[k]));
}

/* ---- Names ------------------------------------------------------------------------------------------ */

struct names {
  size_t count;
  char text[16][96];
};

static void note(struct names *names, const struct wl_module *module, struct wl_name name)
{
  assert_true(names->count < 16 && name.length < sizeof names->text[0]);
  memcpy(names->text[names->count], module->bytes + name.at, name.length);
  names->text[names->count++][name.length] = '\0';
}

/* What a lowered module exports. */
static void find_exports(const struct bytes *bytes, struct names *names)
{
  const struct wl_options options = { NULL, 0 };
  struct wl_output output;
  struct wl_module module, lowered;
  assert_true(is_valid(&module, bytes));
  assert_true(wl_lower(&module, &options, &output));
  assert_true(wl_read(&lowered, output.bytes, output.size));
  names->count = 0;
  for (uint32_t i = 0; i < lowered.exports.count; i++)
    note(names, &lowered, WL_ITEM(wl_export, lowered.exports, i)->name);
  wl_module_free(&lowered);
  wl_module_free(&module);
}

/* A module that exports one global, which is null, under the name "g". */
static void export_global(struct names *names, uint8_t is_mutable, const uint8_t *types, size_t types_count,
                          const uint8_t *type, size_t count)
{
  static struct bytes module, section;
  section.count = 0;
  put(&section, BYTES(1));
  put(&section, type, count);
  put(&section, BYTES(is_mutable, 0xd0));
  put(&section, type + count - 1, 1);
  put(&section, BYTES(END));
  begin_module(&module);
  put_section(&module, TYPE_SECTION, types, types_count);
  put_section(&module, GLOBAL_SECTION, section.at, section.count);
  put_section(&module, EXPORT_SECTION, BYTES(1, 1, 'g', 3, 0));
  find_exports(&module, names);
}

static void globals_are_exported_as_what_they_may_be_imported_as(void **state)
{
  struct names names;
  (void)state;
  export_global(&names, 1, BYTES(1, FUNC, 0, 0), BYTES(EXTERNREF));
  assert_int_equal(names.count, 1);
  assert_string_equal(names.text[0], "g");
  export_global(&names, 1, BYTES(2, FUNC, 0, 0, CONT, 0), BYTES(REF_NULL(1)));
  assert_int_equal(names.count, 1);
  assert_int_equal(strlen(names.text[0]), 1 + 33);
  assert_memory_equal(names.text[0], "g#", 2);
  export_global(&names, 0, BYTES(2, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC, 0, 0), BYTES(REF_NULL(1)));
  assert_int_equal(names.count, 3); /* itself, the supertype, funcref */
  assert_string_equal(names.text[2], "g");
}

static void functions_are_exported_as_each_supertype(void **state)
{
  static struct bytes module;
  struct names names;
  (void)state;
  begin_module(&module);
  put_section(&module, TYPE_SECTION, BYTES(3, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC, 0, 0, FUNC, 0, 0));
  put_section(&module, FUNCTION_SECTION, BYTES(2, 1, 2));
  put_section(&module, EXPORT_SECTION, BYTES(2, 1, 'f', 0, 0, 1, 'g', 0, 1));
  put_section(&module, CODE_SECTION, BYTES(2, 2, 0, END, 2, 0, END));
  find_exports(&module, &names);
  assert_int_equal(names.count, 3);
  assert_memory_equal(names.text[0], "f#", 2);
  assert_memory_equal(names.text[1], "f#", 2);
  assert_string_not_equal(names.text[0], names.text[1]);
  assert_string_equal(names.text[2], "g");
}

static void no_name_of_the_source_looks_like_one_with_a_type(void **state)
{
  static struct bytes module;
  struct names names;
  (void)state;
  begin_module(&module);
  put_section(&module, TYPE_SECTION, BYTES(1, FUNC, 0, 0));
  put_section(&module, FUNCTION_SECTION, BYTES(1, 0));
  put_section(&module, EXPORT_SECTION, BYTES(2, 3, 'f', '#', '0', 0, 0, 2, '#', '#', 0, 0));
  put_section(&module, CODE_SECTION, BYTES(1, 2, 0, END));
  find_exports(&module, &names);
  assert_string_equal(names.text[0], "f##0");
  assert_string_equal(names.text[1], "####");
}

static void what_is_imported_from_the_host_must_not_be_asked_for_by_the_source(void **state)
{
  static struct bytes bytes;
  const struct wl_options options = { NULL, 0 };
  struct wl_output output;
  struct wl_module module;
  (void)state;
  begin_module(&bytes);
  put_section(&bytes, IMPORT_SECTION, BYTES(1, 6, 'w', 'a', 's', 'm', 'f', 'x', 1, 'g', 3, EXTERNREF, 1));
  assert_true(is_valid(&module, &bytes));
  assert_false(wl_lower(&module, &options, &output));
  assert_int_equal(module.error.fault, WL_UNSUPPORTED);
  wl_module_free(&module);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(sha256_is_that_of_the_standard),
    cmocka_unit_test(equal_types_have_one_identity_wherever_they_stand),
    cmocka_unit_test(others_have_another),
    cmocka_unit_test(globals_are_exported_as_what_they_may_be_imported_as),
    cmocka_unit_test(functions_are_exported_as_each_supertype),
    cmocka_unit_test(no_name_of_the_source_looks_like_one_with_a_type),
    cmocka_unit_test(what_is_imported_from_the_host_must_not_be_asked_for_by_the_source),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
