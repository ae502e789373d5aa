/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the modules that command.sh runs into a folder: those with stack switching, which wabt has no text for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assemble.h"

static const char *folder;

static void write_module(const char *name, const struct bytes *module)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.wasm", folder, name);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(module->at, 1, module->count, file) != module->count || fclose(file) != 0) {
    perror(path);
    exit(1);
  }
}

/* A name, or the name of an import or export. */
static void put_text(struct bytes *to, const char *text)
{
  put_number(to, (uint32_t)strlen(text));
  put(to, (const uint8_t *)text, strlen(text));
}

/* ---- Sections that grow ---------------------------------------------------------------------- */

static struct bytes module;
static struct list {
  uint32_t count;
  struct bytes bytes;
} functions, codes, exports, imports, tags, names;

static void begin(const uint8_t *types, size_t count)
{
  struct list *const lists[] = { &functions, &codes, &exports, &imports, &tags, &names };
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    lists[i]->count = 0, lists[i]->bytes.count = 0;
  begin_module(&module);
  put_section(&module, TYPE_SECTION, types, count);
}

static void put_list(uint8_t id, const struct list *list)
{
  static struct bytes section;
  section.count = 0;
  put_number(&section, list->count);
  put(&section, list->bytes.at, list->bytes.count);
  if (list->count)
    put_section(&module, id, section.at, section.count);
}

static void import_function(const char *from, const char *name, uint8_t type)
{
  imports.count++;
  put_text(&imports.bytes, from);
  put_text(&imports.bytes, name);
  put(&imports.bytes, BYTES(0, type));
}

/* With a name, by which it is exported too. The body begins with its locals. */
static void function(const char *name, uint8_t type, const uint8_t *body, size_t count)
{
  const uint32_t index = imports.count + functions.count++;
  put(&functions.bytes, &type, 1);
  exports.count++;
  put_text(&exports.bytes, name);
  put(&exports.bytes, BYTES(0, (uint8_t)index));
  codes.count++;
  put_number(&codes.bytes, (uint32_t)count + 1);
  put(&codes.bytes, body, count);
  put(&codes.bytes, BYTES(END));
  names.count++;
  put_number(&names.bytes, index);
  put_text(&names.bytes, name);
}

static void tag(const char *name, uint8_t type)
{
  put(&tags.bytes, BYTES(0, type));
  exports.count++;
  put_text(&exports.bytes, name);
  put(&exports.bytes, BYTES(4, (uint8_t)tags.count++));
}

static void put_names(void)
{
  static struct bytes section, map;
  section.count = map.count = 0;
  put_number(&map, names.count);
  put(&map, names.bytes.at, names.bytes.count);
  put_text(&section, "name");
  put_section(&section, 1, map.at, map.count); /* a part of it has the form of a section */
  put_section(&module, CUSTOM_SECTION, section.at, section.count);
}

static void end(const char *name)
{
  put_list(IMPORT_SECTION, &imports);
  put_list(FUNCTION_SECTION, &functions);
  put_list(TAG_SECTION, &tags);
  put_list(EXPORT_SECTION, &exports);
  put_list(CODE_SECTION, &codes);
  put_names();
  write_module(name, &module);
}

/* ---- The modules ------------------------------------------------------------------------------- */

/* The first two of `count` types: [] -> [] and its continuation; then [i32] -> [] and its continuation. */
#define TYPES(count) count, FUNC, 0, 0, CONT, 0, FUNC, 1, I32, 0, CONT, 2
enum { PLAIN, PLAIN_CONT, NUMBER, NUMBER_CONT, OTHER };

#define NO_LOCALS 0
#define I32_EQ 0x46

/* Prints what a generator suspends with. */
static void numbers(void)
{
  begin(BYTES(TYPES(5), FUNC, 0, 2, I32, REF(PLAIN_CONT)));
  import_function("spectest", "print_i32", NUMBER);
  tag("number", NUMBER);
  function("generate", PLAIN,
           BYTES(NO_LOCALS, I32_CONST(1), SUSPEND(0), I32_CONST(2), SUSPEND(0), I32_CONST(3), SUSPEND(0)));
  function("_start", PLAIN,
           BYTES(1, 1, REF_NULL(PLAIN_CONT), REF_FUNC(1), CONT_NEW(PLAIN_CONT), SET(0), LOOP(NO_VALUE), BLOCK(OTHER),
                 GET(0), RESUME(PLAIN_CONT, 1), ON(0, 0), RETURN, END, SET(0), CALL(0), BR(0), END));
  end("numbers");
}

/* `go` ends in a continuation in a continuation, in the way that its number says. No function ends by a call, which may
 * leave nothing of it on the stack. */
static void ends(void)
{
  enum { FALLS, ASKS, THROWS, DEEP, INNER, OUTER };
  begin(BYTES(TYPES(5), FUNC, 1, I32, 1, I32));
  tag("boom", NUMBER);
  function("falls", PLAIN, BYTES(NO_LOCALS, UNREACHABLE));
  function("asks", PLAIN, BYTES(NO_LOCALS, I32_CONST(7), SUSPEND(0), UNREACHABLE));
  function("throws", PLAIN, BYTES(NO_LOCALS, I32_CONST(42), THROW(0)));
  function("deep", OTHER,
           BYTES(NO_LOCALS, GET(0), CALL(DEEP), GET(0), I32_CONST(1), I32_ADD, CALL(DEEP), I32_ADD));
  function("inner", NUMBER,
           BYTES(NO_LOCALS, GET(0), I32_CONST(FALLS), I32_EQ, IF(NO_VALUE), CALL(FALLS), END, GET(0), I32_CONST(ASKS),
                 I32_EQ, IF(NO_VALUE), CALL(ASKS), END, GET(0), I32_CONST(THROWS), I32_EQ, IF(NO_VALUE), CALL(THROWS),
                 END, GET(0), CALL(DEEP), DROP));
  function("outer", NUMBER,
           BYTES(NO_LOCALS, GET(0), REF_FUNC(INNER), CONT_NEW(NUMBER_CONT), RESUME(NUMBER_CONT, 0)));
  function("go", NUMBER, BYTES(NO_LOCALS, GET(0), REF_FUNC(OUTER), CONT_NEW(NUMBER_CONT), RESUME(NUMBER_CONT, 0)));
  function("nothing", PLAIN, BYTES(NO_LOCALS));
  function("twice", PLAIN,
           BYTES(1, 1, REF_NULL(PLAIN_CONT), REF_FUNC(7), CONT_NEW(PLAIN_CONT), TEE(0), RESUME(PLAIN_CONT, 0), GET(0),
                 RESUME(PLAIN_CONT, 0)));
  end("ends");
}

/* Runs what it is given. */
static void keeper(void)
{
  begin(BYTES(TYPES(5), FUNC, 1, REF_NULL(PLAIN_CONT), 0));
  function("run", OTHER, BYTES(NO_LOCALS, GET(0), RESUME(PLAIN_CONT, 0)));
  end("keeper");
}

/* Has the keeper run what prints 5. */
static void user(void)
{
  begin(BYTES(TYPES(5), FUNC, 1, REF_NULL(PLAIN_CONT), 0));
  import_function("keeper", "run", OTHER);
  import_function("spectest", "print_i32", NUMBER);
  function("five", PLAIN, BYTES(NO_LOCALS, I32_CONST(5), CALL(1)));
  function("_start", PLAIN, BYTES(NO_LOCALS, REF_FUNC(2), CONT_NEW(PLAIN_CONT), CALL(0)));
  end("user");
}

/* Would hand it a continuation of another type. Lowered, the two are the same. */
static void stranger(void)
{
  begin(BYTES(TYPES(5), FUNC, 1, REF_NULL(NUMBER_CONT), 0));
  import_function("keeper", "run", OTHER);
  function("nothing", NUMBER, BYTES(NO_LOCALS));
  function("_start", PLAIN, BYTES(NO_LOCALS, REF_FUNC(1), CONT_NEW(NUMBER_CONT), CALL(0)));
  end("stranger");
}

int main(int argc, char **argv)
{
  if (argc != 2)
    return 2;
  folder = argv[1];
  numbers();
  ends();
  keeper();
  user();
  stranger();
  return 0;
}
