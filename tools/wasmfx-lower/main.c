/* SPDX-License-Identifier: Apache-2.0 */
/* The command: reads a module and says what is wrong with it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "validate.h"

static const char help[] =
  "usage: wasmfx-lower --check FILE\n"
  "\n"
  "Reads a WebAssembly module, which may use stack switching, and validates it. FILE is\n"
  "in the binary format; - is the standard input. Exit status 0: it is valid. 1: it is\n"
  "not, or needs what is not supported (garbage collection, v128, 64-bit memories, more\n"
  "than one memory, legacy exceptions); one line says what is wrong, and where.\n"
  "2: the command was.\n"
  "\n"
  "Lowering is not there yet: without --check nothing is written.\n";

struct input {
  uint8_t *bytes;
  size_t size, room;
};

/* What there is more of than the limit is of no use: a byte more shows that. */
enum { MOST_BYTES = (1 << 30) + 1, FIRST_ROOM = 1 << 16 };

static bool make_room(struct input *input)
{
  if (input->size < input->room || input->room == MOST_BYTES)
    return true;
  size_t room = input->room ? input->room * 2 : FIRST_ROOM;
  room = room < MOST_BYTES ? room : MOST_BYTES;
  uint8_t *bytes = realloc(input->bytes, room);
  if (!bytes)
    return false;
  input->bytes = bytes;
  input->room = room;
  return true;
}

static bool read_all(FILE *file, struct input *input)
{
  while (!feof(file) && !ferror(file) && input->size < MOST_BYTES) {
    if (!make_room(input))
      return false;
    input->size += fread(input->bytes + input->size, 1, input->room - input->size, file);
  }
  return !ferror(file);
}

static bool read_file(const char *path, struct input *input)
{
  if (strcmp(path, "-") == 0)
    return read_all(stdin, input);
  FILE *file = fopen(path, "rb");
  const bool is_read = file && read_all(file, input);
  if (file)
    fclose(file);
  return is_read;
}

/* Names come from the file, and what a terminal would obey is not shown. */
static void print_name(const struct wl_module *module, struct wl_name name)
{
  enum { SHOWN = 80 };
  fputs(" \"", stderr);
  for (uint32_t i = 0; i < name.length && i < SHOWN; i++) {
    const uint8_t byte = module->bytes[name.at + i];
    fputc(byte < 0x20 || byte >= 0x7f || byte == '"' ? '?' : byte, stderr);
  }
  fputs(name.length > SHOWN ? "...\"" : "\"", stderr);
}

static void print_error(const char *path, const struct wl_module *module)
{
  const struct wl_error *error = &module->error;
  fprintf(stderr, "%s:0x%" PRIx32 ": ", strcmp(path, "-") == 0 ? "<stdin>" : path, error->offset);
  if (error->function != WL_NONE) {
    const struct wl_name name = wl_function_name(module, error->function);
    fprintf(stderr, "function %" PRIu32, error->function);
    if (name.length)
      print_name(module, name);
    fputs(": ", stderr);
  }
  fprintf(stderr, "%s\n", error->text);
}

static int check(const char *path)
{
  struct input input = { NULL, 0, 0 };
  struct wl_module module;
  if (!read_file(path, &input)) {
    perror(path);
    free(input.bytes);
    return 1;
  }
  const bool is_valid = wl_read(&module, input.bytes, input.size) && wl_validate(&module);
  if (!is_valid)
    print_error(path, &module);
  wl_module_free(&module);
  free(input.bytes);
  return is_valid ? 0 : 1;
}

int main(int argc, char **argv)
{
  if (argc == 2 && strcmp(argv[1], "--help") == 0) {
    fputs(help, stdout);
    return 0;
  }
  if (argc == 3 && strcmp(argv[1], "--check") == 0)
    return check(argv[2]);
  if (argc == 2 && (argv[1][0] != '-' || argv[1][1] == '\0'))
    fputs("wasmfx-lower: lowering is not there yet; --check FILE validates\n", stderr);
  else
    fputs(help, stderr);
  return 2;
}
