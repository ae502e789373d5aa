/* SPDX-License-Identifier: Apache-2.0 */
/* What a module is made of: definitions of types, sections, and bytes that are no module at all. */
#include "check.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* ---- Definitions of types -------------------------------------------------------------------- */

struct definitions {
  const char *name;
  const uint8_t *types; /* the section */
  size_t count;
  uint8_t one, other;   /* a function that gives a parameter of type `(ref null one)` as `(ref null other)` */
  const char *error;
};

/* The two types are all the function mentions, in a type at the end. */
static void make_conversion(struct bytes *to, const struct definitions *definitions, uint8_t type)
{
  static struct bytes section;
  section.count = 0;
  put(&section, definitions->types, definitions->count);
  put(&section, BYTES(FUNC, 1, REF_NULL(definitions->one), 1, REF_NULL(definitions->other)));
  section.at[0]++;
  begin_module(to);
  put_section(to, TYPE_SECTION, section.at, section.count);
  put_section(to, FUNCTION_SECTION, BYTES(1, type));
  put_section(to, CODE_SECTION, BYTES(1, 4, 0, GET(0), END));
}

/* `last` is the index of the type that is added. */
static void check_definitions(const struct definitions *definitions, uint8_t last)
{
  static struct bytes module;
  make_conversion(&module, definitions, last);
  check_module(definitions->name, &module, definitions->error);
}

/* The bytes are those of the type section; `last` is how many types that is, groups gone through. */
#define TRY(name, last, one, other, error, ...) \
  check_definitions(&(struct definitions){ name, BYTES(__VA_ARGS__), one, other, error }, last)

static void types_are_equal_by_their_groups(void **state)
{
  const char *const differ = "end: type mismatch";
  (void)state;
  TRY("equal function types are one", 2, 0, 1, NULL, 2, FUNC, 0, 0, FUNC, 0, 0);
  TRY("others are not", 2, 0, 1, differ, 2, FUNC, 0, 0, FUNC, 1, I32, 0);
  TRY("parameters are not results", 2, 0, 1, differ, 2, FUNC, 1, I32, 0, FUNC, 0, 1, I32);
  TRY("continuations of equal types are equal", 4, 2, 3, NULL, 4, FUNC, 0, 0, FUNC, 0, 0, CONT, 0, CONT, 1);
  TRY("of others not", 4, 2, 3, differ, 4, FUNC, 0, 0, FUNC, 1, I32, 0, CONT, 0, CONT, 1);
  TRY("a group of one is the type itself", 2, 0, 1, NULL, 2, FUNC, 0, 0, REC, 1, FUNC, 0, 0);
  TRY("a group of two is another thing", 3, 0, 1, differ, 2, FUNC, 0, 0, REC, 2, FUNC, 0, 0, CONT, 1);
  TRY("places in a group differ", 2, 0, 1, differ, 1, REC, 2, FUNC, 0, 0, FUNC, 0, 0);
  TRY("equal recursive groups are one", 4, 1, 3, NULL, 2, REC, 2, FUNC, 1, REF(1), 0, CONT, 0, REC, 2, FUNC, 1,
    REF(3), 0, CONT, 2);
  TRY("what is said of oneself is not what is said of another", 4, 1, 3, differ, 2, REC, 2, FUNC, 1, REF(1), 0, CONT,
    0, REC, 2, FUNC, 1, REF(1), 0, CONT, 2);
  TRY("nor of a third one", 3, 1, 2, differ, 3, FUNC, 0, 0, REC, 1, FUNC, 1, REF(1), 0, FUNC, 1, REF(0), 0);
  TRY("nor what is said of the other one of the group", 4, 0, 2, differ, 2, REC, 2, FUNC, 1, REF(0), 0, FUNC, 1,
    REF(1), 0, REC, 2, FUNC, 1, REF(3), 0, FUNC, 1, REF(2), 0);
  TRY("null or not is a difference", 3, 1, 2, differ, 3, FUNC, 0, 0, FUNC, 1, REF(0), 0, FUNC, 1, REF_NULL(0), 0);
  TRY("final or not is a difference", 2, 0, 1, differ, 2, FUNC, 0, 0, SUB, 0, FUNC, 0, 0);
  TRY("final may be said", 2, 0, 1, NULL, 2, FUNC, 0, 0, SUB_FINAL, 0, FUNC, 0, 0);
  TRY("the supertype is a difference", 4, 1, 2, differ, 4, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC, 0, 0, SUB, 1, 1, FUNC,
    0, 0, SUB, 1, 0, FUNC, 0, 0);
  TRY("equal with equal supertypes", 4, 1, 3, NULL, 4, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC, 0, 0, SUB, 0, FUNC, 0, 0,
    SUB, 1, 2, FUNC, 0, 0);
  TRY("mutable fields are a difference", 2, 0, 1, differ, 2, STRUCT, 1, I32, 0, STRUCT, 1, I32, 1);
  TRY("packed fields are a difference", 2, 0, 1, differ, 2, ARRAY, 0x78, 0, ARRAY, 0x77, 0);
}

static void subtypes_are_declared(void **state)
{
  const char *const differ = "end: type mismatch";
  (void)state;
  TRY("a declared subtype is one", 2, 1, 0, NULL, 2, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC, 0, 0);
  TRY("not the other way round", 2, 0, 1, differ, 2, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC, 0, 0);
  TRY("over several steps", 3, 2, 0, NULL, 3, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC, 0, 0, SUB, 1, 1, FUNC, 0, 0);
  TRY("not of a final type", 2, 0, 0, "sub type 1 has final super type 0", 2, FUNC, 0, 0, SUB, 1, 0, FUNC, 0, 0);
  TRY("only of what fits", 2, 0, 0, "sub type 1 does not match super type 0", 2, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC,
    1, I32, 0);
  TRY("of one kind", 2, 0, 0, "sub type 1 does not match super type 0", 2, SUB, 0, FUNC, 0, 0, SUB, 1, 0, CONT, 0);
  TRY("what stands before", 2, 0, 0, "unknown type 1", 2, SUB, 1, 1, FUNC, 0, 0, SUB, 0, FUNC, 0, 0);
  TRY("also in a group", 2, 0, 0, "forward use of type 1 in sub type definition", 1, REC, 2, SUB, 1, 1, FUNC, 0, 0,
    SUB, 0, FUNC, 0, 0);
  TRY("continuations with their function types", 4, 3, 2, NULL, 4, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC, 0, 0, SUB, 0,
    CONT, 0, SUB, 1, 2, CONT, 1);
  TRY("not against them", 4, 0, 0, "sub type 3 does not match super type 2", 4, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC,
    0, 0, SUB, 0, CONT, 1, SUB, 1, 2, CONT, 0);
  TRY("functions take more and give less", 4, 3, 2, NULL, 4, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC, 0, 0, SUB, 0, FUNC,
    1, REF(1), 1, REF(0), SUB, 1, 2, FUNC, 1, REF(0), 1, REF(1));
  TRY("not the other way round", 4, 0, 0, "sub type 3 does not match super type 2", 4, SUB, 0, FUNC, 0, 0, SUB, 1, 0,
    FUNC, 0, 0, SUB, 0, FUNC, 1, REF(0), 1, REF(1), SUB, 1, 2, FUNC, 1, REF(1), 1, REF(0));
  TRY("structs have fields at their end", 2, 1, 0, NULL, 2, SUB, 0, STRUCT, 1, I32, 0, SUB, 1, 0, STRUCT, 2, I32, 0,
    I64, 0);
  TRY("not fewer", 2, 0, 0, "sub type 1 does not match super type 0", 2, SUB, 0, STRUCT, 2, I32, 0, I64, 0, SUB, 1, 0,
    STRUCT, 1, I32, 0);
  TRY("mutable fields stay what they are", 4, 0, 0, "sub type 3 does not match super type 2", 4, SUB, 0, FUNC, 0, 0,
    SUB, 1, 0, FUNC, 0, 0, SUB, 0, ARRAY, REF(0), 1, SUB, 1, 2, ARRAY, REF(1), 1);
  TRY("others may be of a subtype", 4, 3, 2, NULL, 4, SUB, 0, FUNC, 0, 0, SUB, 1, 0, FUNC, 0, 0, SUB, 0, ARRAY,
    REF(0), 0, SUB, 1, 2, ARRAY, REF(1), 0);
  TRY("continuations are of functions", 2, 0, 0, "non-function type 1", 2, FUNC, 0, 0, CONT, 1);
  TRY("that are there", 1, 0, 0, "unknown type 9", 1, CONT, 9);
  TRY("by the end of the group", 2, 0, 0, "unknown type 1", 2, FUNC, 1, REF(1), 0, FUNC, 0, 0);
  TRY("of a type, not of all", 1, 0, 0, "malformed type index", 1, CONT, ANY_FUNC);
}

static void chains_of_subtypes_end(void **state)
{
  static struct bytes section, module;
  (void)state;
  for (uint8_t count = 64; count <= 65; count++) {
    section.count = 0;
    put(&section, BYTES(count, SUB, 0, FUNC, 0, 0));
    for (uint8_t i = 0; i + 1 < count; i++)
      put(&section, BYTES(SUB, 1, i, FUNC, 0, 0));
    begin_module(&module);
    put_section(&module, TYPE_SECTION, section.at, section.count);
    check_module("depth", &module, count > 64 ? "not supported: more than 63 super types" : NULL);
  }
}

/* ---- Sections ------------------------------------------------------------------------------------- */

struct sections {
  const char *name;
  const uint8_t *bytes; /* after the header */
  size_t count;
  const char *error;
};

#define TYPES_F 1, 4, 1, FUNC, 0, 0         /* [] -> [] */
#define TYPES_F_i 1, 5, 1, FUNC, 1, I32, 0  /* [i32] -> [] */
#define ONE_FUNCTION 3, 2, 1, 0
#define ITS_CODE 10, 4, 1, 2, 0, END

static void check_sections(const struct sections *sections, size_t count)
{
  static struct bytes module;
  for (size_t i = 0; i < count; i++) {
    begin_module(&module);
    put(&module, sections[i].bytes, sections[i].count);
    check_module(sections[i].name, &module, sections[i].error);
  }
}

static void sections_have_an_order(void **state)
{
  const struct sections sections[] = {
    { "none at all is a module", NULL, 0, NULL },
    { "a function", BYTES(TYPES_F, ONE_FUNCTION, ITS_CODE), NULL },
    { "in order", BYTES(ONE_FUNCTION, TYPES_F, ITS_CODE), "unexpected content after last section" },
    { "each once", BYTES(TYPES_F, TYPES_F), "unexpected content after last section" },
    { "custom ones where they like", BYTES(0, 2, 1, 'x', TYPES_F, 0, 2, 1, 'x', 0, 1, 0), NULL },
    { "with a name", BYTES(0, 0), "unexpected end of section or function" },
    { "in UTF-8", BYTES(0, 3, 2, 0xc0, 0x80), "malformed UTF-8 encoding" },
    { "tags stand before globals", BYTES(TYPES_F, 13, 3, 1, 0, 0, 6, 6, 1, I32, 0, I32_CONST(0), END), NULL },
    { "there are 14 kinds", BYTES(14, 1, 0), "malformed section id" },
    { "as long as they say", BYTES(1, 5, 1, FUNC, 0, 0, 0), "section size mismatch" },
    { "not shorter", BYTES(1, 3, 1, FUNC, 0), "unexpected end of section or function" },
    { "not longer than the file", BYTES(1, 9, 1), "length out of bounds" },
    { "functions have code", BYTES(TYPES_F, ONE_FUNCTION), "function and code section have inconsistent lengths" },
    { "and code functions", BYTES(TYPES_F, ITS_CODE), "function and code section have inconsistent lengths" },
    { "data is as much as was announced", BYTES(5, 3, 1, 0, 1, 12, 1, 2, 11, 3, 1, 1, 0),
      "data count and data section have inconsistent lengths" },
    { "code that uses it wants it announced", BYTES(TYPES_F, ONE_FUNCTION, 10, 7, 1, 5, 0, 0xfc, 9, 0, END, 11, 3, 1,
      1, 0), "data count section required" },
  };
  (void)state;
  check_sections(sections, COUNT_OF(sections));
}

static void numbers_are_no_longer_than_they_may_be(void **state)
{
  const struct sections sections[] = {
    { "padded, a number may be", BYTES(0x01, 0x84, 0x80, 0x80, 0x80, 0x00, 1, FUNC, 0, 0), NULL },
    { "up to its width", BYTES(0x01, 0x84, 0x80, 0x80, 0x80, 0x80, 0x00, 1, FUNC, 0, 0),
      "integer representation too long" },
    { "with nothing beyond it", BYTES(0x01, 0x84, 0x80, 0x80, 0x80, 0x10, 1, FUNC, 0, 0), "integer too large" },
    { "also of 33 bits, with a sign", BYTES(1, 7, 1, CONT, 0x80, 0x80, 0x80, 0x80, 0x20), "integer too large" },
    { "a constant of 32 bits", BYTES(6, 10, 1, I32, 0, 0x41, 0xff, 0xff, 0xff, 0xff, 0x07, END), NULL },
    { "has its sign in the last byte", BYTES(6, 10, 1, I32, 0, 0x41, 0xff, 0xff, 0xff, 0xff, 0x0f, END),
      "integer too large" },
    { "a count is not more than there are bytes", BYTES(1, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, FUNC),
      "length out of bounds" },
  };
  (void)state;
  check_sections(sections, COUNT_OF(sections));
}

static void index_spaces_and_segments_have_rules(void **state)
{
  const struct sections sections[] = {
    { "a function has a type", BYTES(ONE_FUNCTION, ITS_CODE), "unknown type 0" },
    { "of functions", BYTES(1, 6, 2, FUNC, 0, 0, CONT, 0, 3, 2, 1, 1, ITS_CODE), "non-function type 1" },
    { "a tag as well", BYTES(1, 6, 2, FUNC, 0, 0, CONT, 0, 13, 3, 1, 0, 1), "non-function type 1" },
    { "and it may give something", BYTES(1, 5, 1, FUNC, 0, 1, I32, 13, 3, 1, 0, 0), NULL },
    { "its attribute is zero", BYTES(TYPES_F, 13, 3, 1, 1, 0), "zero byte expected" },
    { "a limit is not below the other", BYTES(5, 4, 1, 1, 2, 1), "size minimum must not be greater than maximum" },
    { "memory has 4 GiB at most", BYTES(5, 5, 1, 0, 0x81, 0x80, 0x04), "memory size must be at most" },
    { "one memory", BYTES(5, 5, 2, 0, 1, 0, 1), "not supported: more than one memory" },
    { "with 32-bit addresses", BYTES(5, 3, 1, 4, 1), "not supported: a memory with 64-bit addresses" },
    { "not shared", BYTES(5, 4, 1, 3, 1, 1), "malformed limits flags" },
    { "tables with 32-bit indices", BYTES(4, 4, 1, FUNCREF, 4, 1), "not supported: a table with 64-bit indices" },
    { "a table has references", BYTES(4, 4, 1, I32, 0, 1), "malformed reference type" },
    { "that may be null", BYTES(TYPES_F, 4, 5, 1, REF(0), 0, 1),
      "type mismatch: a table of references without null" },
    { "or begin as something", BYTES(TYPES_F, ONE_FUNCTION, 4, 10, 1, 0x40, 0, REF(0), 0, 1, REF_FUNC(0), END,
      ITS_CODE), NULL },
    { "of their type", BYTES(TYPES_F, ONE_FUNCTION, 4, 10, 1, 0x40, 0, REF(0), 0, 1, NULL_OF(0), END, ITS_CODE),
      "end: type mismatch" },
    { "a global begins as its type", BYTES(6, 6, 1, I64, 0, I32_CONST(0), END),
      "end: type mismatch: expected i64, found i32" },
    { "as a constant expression", BYTES(6, 7, 1, I32, 0, I32_CONST(0), 0x67, END),
      "i32.clz: constant expression required" },
    { "which may add", BYTES(6, 9, 1, I32, 0, I32_CONST(0), I32_CONST(1), I32_ADD, END), NULL },
    { "may refer to globals before", BYTES(6, 11, 2, I32, 0, I32_CONST(0), END, I32, 0, GLOBAL_GET(0), END), NULL },
    { "not to itself", BYTES(6, 6, 1, I32, 0, GLOBAL_GET(0), END), "global.get: unknown global 0" },
    { "not to what changes", BYTES(6, 11, 2, I32, 1, I32_CONST(0), END, I32, 0, GLOBAL_GET(0), END),
      "global.get: constant expression required" },
    { "and ends", BYTES(6, 5, 1, I32, 0, I32_CONST(0)), "unexpected end of section or function" },
    { "mutable or not, no third way", BYTES(6, 6, 1, I32, 2, I32_CONST(0), END), "malformed mutability" },
    { "a segment has functions that are there", BYTES(TYPES_F, 9, 5, 1, 1, 0, 1, 0), "unknown function 0" },
    { "a table that is there", BYTES(TYPES_F, 9, 6, 1, 0, I32_CONST(0), END, 0), "unknown table 0" },
    { "and fits", BYTES(4, 4, 1, EXTERNREF, 0, 1, 9, 6, 1, 0, I32_CONST(0), END, 0), "type mismatch" },
    { "expressions of its type", BYTES(TYPES_F, 9, 7, 1, 5, FUNCREF, 1, NULL_OF(EXTERNREF), END),
      "end: type mismatch: expected (ref null func), found (ref null extern)" },
    { "there are eight kinds of segments", BYTES(9, 2, 1, 8), "malformed elements segment kind" },
    { "data goes into a memory", BYTES(11, 6, 1, 0, I32_CONST(0), END, 0), "unknown memory 0" },
    { "the start takes nothing", BYTES(TYPES_F_i, ONE_FUNCTION, 8, 1, 0, ITS_CODE),
      "start function must not have parameters or results" },
    { "and is there", BYTES(TYPES_F, ONE_FUNCTION, 8, 1, 1, ITS_CODE), "unknown function 1" },
    { "exports have names of their own", BYTES(TYPES_F, ONE_FUNCTION, 7, 9, 2, 1, 'a', 0, 0, 1, 'a', 0, 0, ITS_CODE),
      "duplicate export name" },
    { "and are there", BYTES(7, 5, 1, 1, 'a', 4, 0), "unknown tag 0" },
    { "of five kinds", BYTES(7, 5, 1, 1, 'a', 5, 0), "malformed export kind" },
    { "as imports are", BYTES(2, 6, 1, 1, 'a', 0, 5, 0), "malformed import kind" },
    { "code refers to functions that are declared outside of it", BYTES(TYPES_F, ONE_FUNCTION, 10, 7, 1, 5, 0,
      REF_FUNC(0), DROP, END), "ref.func: undeclared function reference 0" },
    { "as by an export", BYTES(TYPES_F, ONE_FUNCTION, 7, 5, 1, 1, 'a', 0, 0, 10, 7, 1, 5, 0, REF_FUNC(0), DROP, END),
      NULL },
    { "not by the start", BYTES(TYPES_F, ONE_FUNCTION, 8, 1, 0, 10, 7, 1, 5, 0, REF_FUNC(0), DROP, END),
      "ref.func: undeclared function reference 0" },
    { "v128 may stand in types", BYTES(1, 5, 1, FUNC, 1, V128, 0), NULL },
    { "of no function", BYTES(1, 5, 1, FUNC, 1, V128, 0, ONE_FUNCTION, ITS_CODE), "not supported: v128" },
  };
  (void)state;
  check_sections(sections, COUNT_OF(sections));
}

static void names_are_found_and_never_in_the_way(void **state)
{
  static struct bytes bytes;
  struct wl_module module;
  (void)state;
  begin_module(&bytes);
  put(&bytes, BYTES(TYPES_F, ONE_FUNCTION, ITS_CODE, 0, 12, 4, 'n', 'a', 'm', 'e', 1, 5, 1, 0, 2, 'g', 'o'));
  assert_true(is_valid(&module, &bytes));
  assert_int_equal(wl_function_name(&module, 0).length, 2);
  assert_memory_equal(module.bytes + wl_function_name(&module, 0).at, "go", 2);
  wl_module_free(&module);
  for (uint8_t at = 0; at < 7; at++) {
    begin_module(&bytes);
    put(&bytes, BYTES(TYPES_F, ONE_FUNCTION, ITS_CODE, 0, 12, 4, 'n', 'a', 'm', 'e', 1, 5, 1, 0, 2, 'g', 'o'));
    bytes.at[bytes.count - 7 + at] = 0xff;
    assert_true(is_valid(&module, &bytes));
    wl_function_name(&module, 0);
    wl_module_free(&module);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(types_are_equal_by_their_groups),
    cmocka_unit_test(subtypes_are_declared),
    cmocka_unit_test(chains_of_subtypes_end),
    cmocka_unit_test(sections_have_an_order),
    cmocka_unit_test(numbers_are_no_longer_than_they_may_be),
    cmocka_unit_test(index_spaces_and_segments_have_rules),
    cmocka_unit_test(names_are_found_and_never_in_the_way),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
