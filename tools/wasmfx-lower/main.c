/* SPDX-License-Identifier: Apache-2.0 */
/* The command: reads a module, says what is wrong with it, or writes what it is lowered to. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lower.h"
#include "validate.h"

static const char help[] =
  "usage: wasmfx-lower FILE -o OUT [--host MODULE]...\n"
  "       wasmfx-lower --check FILE\n"
  "\n"
  "Turns a WebAssembly module that uses stack switching, exceptions and typed function\n"
  "references into one that any engine can run whose host has the verbs: docs/lowering.md\n"
  "has the contract. FILE is in the binary format, and validated; - is the standard input.\n"
  "\n"
  "  -o OUT         where the lowered module goes; - is the standard output\n"
  "  --host MODULE  functions that are imported from there neither suspend nor throw, as\n"
  "                 those of WASI by themselves\n"
  "  --check        only validates\n"
  "\n"
  "Exit status 0: it is valid, and written. 1: it is not, or needs what is not supported\n"
  "(garbage collection, v128, 64-bit memories, more than one memory, legacy exceptions,\n"
  "casts of function references); one line says what is wrong, and where. 2: the command was.\n";

struct command {
  const char *input, *output; /* `output` NULL: it is only to be checked */
  const char **hosts;
  uint32_t host_count;
};

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

static bool write_all(FILE *file, struct wl_output output)
{
  return fwrite(output.bytes, 1, output.size, file) == output.size && fflush(file) == 0;
}

/* Not a device, which would be gone. */
static bool is_file(const char *path)
{
  struct stat status;
  return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* What could not be written whole is taken away again. */
static bool write_file(const char *path, struct wl_output output)
{
  if (strcmp(path, "-") == 0)
    return write_all(stdout, output);
  FILE *file = fopen(path, "wb");
  if (!file)
    return false;
  const bool is_written = write_all(file, output);
  if (fclose(file) == 0 && is_written)
    return true;
  const int reason = errno;
  if (is_file(path))
    remove(path);
  errno = reason;
  return false;
}

/* Answers the exit status. */
static int lower(const struct command *command, struct wl_module *module)
{
  const struct wl_options options = { command->hosts, command->host_count };
  struct wl_output output = { NULL, 0 };
  if (!wl_validate(module) || (command->output && !wl_lower(module, &options, &output))) {
    print_error(command->input, module);
    return 1;
  }
  if (!command->output || write_file(command->output, output))
    return 0;
  perror(command->output);
  return 1;
}

static int run(const struct command *command)
{
  struct input input = { NULL, 0, 0 };
  struct wl_module module;
  int status = 1;
  if (!read_file(command->input, &input)) {
    perror(command->input);
    free(input.bytes);
    return 1;
  }
  if (wl_read(&module, input.bytes, input.size))
    status = lower(command, &module);
  else
    print_error(command->input, &module);
  wl_module_free(&module);
  free(input.bytes);
  return status;
}

/* ---- The command line ------------------------------------------------------------------------- */

static bool read_option(struct command *command, char **arguments, bool *is_check)
{
  if (strcmp(arguments[0], "-o") == 0 && !command->output)
    return (command->output = arguments[1]) != NULL;
  if (strcmp(arguments[0], "--host") == 0 && arguments[1]) {
    command->hosts[command->host_count++] = arguments[1];
    return true;
  }
  *is_check |= strcmp(arguments[0], "--check") == 0;
  return strcmp(arguments[0], "--check") == 0;
}

/* `hosts` has room for as many as there are arguments. */
static bool read_command(char **arguments, struct command *command)
{
  bool is_check = false;
  for (; *arguments; arguments++) {
    const bool is_option = (*arguments)[0] == '-' && (*arguments)[1] != '\0';
    const bool has_operand = is_option && strcmp(*arguments, "--check") != 0;
    if (is_option ? !read_option(command, arguments, &is_check) : command->input != NULL)
      return false;
    if (!is_option)
      command->input = *arguments;
    arguments += has_operand;
  }
  return command->input && is_check == !command->output;
}

int main(int argc, char **argv)
{
  struct command command = { .hosts = (const char **)calloc((size_t)argc + 1, sizeof *command.hosts) };
  int status = 2;
  if (argc == 2 && strcmp(argv[1], "--help") == 0) {
    fputs(help, stdout);
    status = 0;
  } else if (!command.hosts) {
    perror("wasmfx-lower");
    status = 1;
  } else if (read_command(argv + 1, &command)) {
    status = run(&command);
  } else {
    fputs(help, stderr);
  }
  free((void *)command.hosts);
  return status;
}
