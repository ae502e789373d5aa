/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backtraces as Wasm has them. The program's own table of symbols says which function an address is in, and of which
 * module: local ones stand under the names of their files. addr2line, if there is one, says what compilers have inlined
 * there. What is no function of a module is of the host, and left out.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

#define NAME_BYTES 256

/* A call of a module's function. */
struct call {
  char name[NAME_BYTES]; /* as it is printed */
  int module;
  uint32_t segment;
  bool is_export; /* what wasm2c makes of an export: it calls the function */
  bool is_start;  /* has no name in the source, as what lowering has put at the bottom of continuations */
};

static struct call calls[4 * HOST_FRAMES];
static size_t call_count;

struct image {
  const char *bytes;
  size_t size;
  uintptr_t loaded_at;
  const ElfW(Sym) *symbols;
  size_t symbol_count;
  const char *strings;
};

static int take_address(struct dl_phdr_info *info, size_t size, void *address)
{
  (void)size;
  *(uintptr_t *)address = info->dlpi_addr;
  return 1; /* the program comes first */
}

static bool map_self(struct image *image)
{
  struct stat file;
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  void *bytes = MAP_FAILED;
  if (fstat(fd, &file) == 0)
    bytes = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (bytes == MAP_FAILED)
    return false;
  image->bytes = bytes;
  image->size = (size_t)file.st_size;
  dl_iterate_phdr(take_address, &image->loaded_at);
  return true;
}

/* The file is the linker's, of a moment ago: it is well-formed. */
static bool find_symbols(struct image *image)
{
  const ElfW(Ehdr) *head = (const ElfW(Ehdr) *)image->bytes;
  const ElfW(Shdr) *sections = (const ElfW(Shdr) *)(image->bytes + head->e_shoff);
  for (size_t i = 0; i < head->e_shnum; i++)
    if (sections[i].sh_type == SHT_SYMTAB) {
      image->symbols = (const ElfW(Sym) *)(image->bytes + sections[i].sh_offset);
      image->symbol_count = sections[i].sh_size / sizeof *image->symbols;
      image->strings = image->bytes + sections[sections[i].sh_link].sh_offset;
      return true;
    }
  return false;
}

/* The number of the module that a file of C was made of, from its name; -1 if it is another's. */
static int module_of_file(const char *name)
{
  char *end;
  if (name[0] != 'm')
    return -1;
  const long number = strtol(name + 1, &end, 10);
  return end > name + 1 && strcmp(end, ".c") == 0 ? (int)number - 1 : -1;
}

/* Undoes what mangling did to an export's name, and leaves out its type. */
static void unmangle(const char *mangled, char *name, size_t room)
{
  size_t count = 0;
  while (*mangled && count + 1 < room) {
    unsigned byte = (unsigned char)*mangled++;
    if (byte == 'Z' && sscanf(mangled, "%2X", &byte) == 1)
      mangled += 2;
    if (byte == '#' && strncmp(mangled, "Z23", 3) != 0)
      break;
    if (byte == '#')
      mangled += 3;
    name[count++] = byte < ' ' || byte == 0x7f ? '?' : (char)byte;
  }
  name[count] = '\0';
}

/* ---- Names ---------------------------------------------------------------------------------- */

/* Compilers put suffixes behind a dot. */
static void name_static(struct call *call, const char *symbol, int module)
{
  const char *name = symbol + strlen("w2c_");
  const int length = (int)strcspn(name, ".");
  call->module = module;
  call->is_export = false;
  call->is_start = name[0] == 'f' && length > 1 && strspn(name + 1, "0123456789") == (size_t)length - 1;
  snprintf(call->name, sizeof call->name, "%s!%.*s", host_modules[module].name, length, name);
}

/* The number of the module that an export's symbol names; -1 if it is none. */
static int module_of_export(const char *symbol)
{
  if (strncmp(symbol, "Z_", 2) == 0)
    for (int i = 0; host_modules[i].name; i++) {
      const size_t length = strlen(host_modules[i].symbol);
      if (strncmp(symbol + 2, host_modules[i].symbol, length) == 0 && strncmp(symbol + 2 + length, "Z_", 2) == 0)
        return i;
    }
  return -1;
}

static void name_export(struct call *call, const char *symbol, int module)
{
  char part[NAME_BYTES / 2];
  unmangle(symbol + strlen("Z_") + strlen(host_modules[module].symbol) + strlen("Z_"), part, sizeof part);
  call->module = module;
  call->is_export = true;
  call->is_start = false;
  snprintf(call->name, sizeof call->name, "%.*s!%s", NAME_BYTES / 2 - 2, host_modules[module].name, part);
}

/* Notes a call of a function of C, if it is a module's. `module` is the one whose code the call is in. */
static void note(const char *symbol, int module, uint32_t segment)
{
  struct call *call = &calls[call_count];
  const int exporter = module_of_export(symbol);
  if (call_count == sizeof calls / sizeof *calls)
    return;
  if (module >= 0 && strncmp(symbol, "w2c_", 4) == 0)
    name_static(call, symbol, module);
  else if (exporter >= 0)
    name_export(call, symbol, exporter);
  else
    return;
  call->segment = segment;
  call_count++;
}

/* ---- By the table of symbols -------------------------------------------------------------------- */

/* The module's function that an address is in; NULL if it is of the host. Global ones name their module. */
static const char *find_function(const struct image *image, uintptr_t place, int *module)
{
  int file_module = -1;
  for (size_t i = 0; i < image->symbol_count; i++) {
    const ElfW(Sym) *symbol = &image->symbols[i];
    const char *text = image->strings + symbol->st_name;
    const int type = ELF64_ST_TYPE(symbol->st_info);
    if (type == STT_FILE)
      file_module = module_of_file(text);
    if (type != STT_FUNC || place - symbol->st_value >= symbol->st_size)
      continue;
    *module = ELF64_ST_BIND(symbol->st_info) == STB_LOCAL ? file_module : module_of_export(text);
    return *module >= 0 ? text : NULL;
  }
  return NULL;
}

/* A return address may be that behind the function's last instruction. */
static uintptr_t place_of(const struct image *image, const wasmfx_frame_t *frame)
{
  return (uintptr_t)frame->pc - 1 - image->loaded_at;
}

static void note_by_symbols(const struct image *image, const struct host_trace *trace)
{
  for (size_t i = 0; i < trace->count; i++) {
    int module;
    const char *symbol = find_function(image, place_of(image, &trace->frames[i]), &module);
    if (symbol)
      note(symbol, module, trace->frames[i].segment);
  }
}

/* ---- By addr2line ---------------------------------------------------------------------------------- */

static FILE *ask_addr2line(const struct image *image, const struct host_trace *trace)
{
  char command[64 + HOST_FRAMES * 20];
  int length = snprintf(command, sizeof command, "exec addr2line -afie /proc/%ld/exe", (long)getpid());
  for (size_t i = 0; i < trace->count; i++)
    length += snprintf(command + length, sizeof command - (size_t)length, " 0x%lx",
                       (unsigned long)place_of(image, &trace->frames[i]));
  snprintf(command + length, sizeof command - (size_t)length, " 2>&-");
  return popen(command, "r");
}

static bool read_line(FILE *file, char *line, size_t room)
{
  if (!fgets(line, (int)room, file))
    return false;
  line[strcspn(line, "\n")] = '\0';
  return true;
}

/* It answers, for each address, a line with that, and for each function two more, the innermost first: its name, and
 * its file, which is that of what has been inlined and says nothing. */
static void note_by_addr2line(FILE *answers, const struct image *image, const struct host_trace *trace)
{
  char line[4096], path[4096];
  size_t addresses = 0;
  int module = -1;
  while (read_line(answers, line, sizeof line)) {
    if (strncmp(line, "0x", 2) == 0) {
      if (addresses == trace->count || !find_function(image, place_of(image, &trace->frames[addresses]), &module))
        module = -1;
      addresses++;
    } else if (read_line(answers, path, sizeof path) && module >= 0) {
      note(line, module, trace->frames[addresses - 1].segment);
    }
  }
}

/* Answers whether it knew something. */
static bool note_with_inlined(const struct image *image, const struct host_trace *trace)
{
  FILE *answers = ask_addr2line(image, trace);
  if (!answers)
    return false;
  note_by_addr2line(answers, image, trace);
  pclose(answers);
  return call_count > 0;
}

/* ---- Printing --------------------------------------------------------------------------------------- */

static bool is_inside(size_t i, size_t other)
{
  return other < call_count && calls[other].segment == calls[i].segment;
}

/* An export stands for the function that it calls, and what lowering has added for the one that it starts. */
static bool is_shown(size_t i)
{
  const struct call *call = &calls[i];
  const bool has_inner = i > 0 && is_inside(i, i - 1);
  if (call->is_export && has_inner && calls[i - 1].module == call->module && !calls[i - 1].is_export)
    return false;
  return !call->is_start || !has_inner || is_inside(i, i + 1);
}

static void print_call(const char *name, size_t times)
{
  if (times > 1)
    fprintf(stderr, "    %s (%zu times)\n", name, times);
  else if (times)
    fprintf(stderr, "    %s\n", name);
}

/* Lines that are alike are counted and printed once. */
static void print_calls(void)
{
  uint32_t segment = 0;
  size_t times = 0;
  const char *last = "";
  for (size_t i = 0; i < call_count; i++) {
    if (!is_shown(i))
      continue;
    if (times && calls[i].segment == segment && strcmp(last, calls[i].name) == 0) {
      times++;
      continue;
    }
    print_call(last, times);
    for (; segment < calls[i].segment; segment++)
      fputs("  -- resumed by --\n", stderr);
    last = calls[i].name;
    times = 1;
  }
  print_call(last, times);
}

void host_print_trace(const struct host_trace *trace)
{
  struct image image = { .bytes = NULL };
  if (trace->status == WASMFX_ERROR_UNSUPPORTED) {
    fputs("  (no backtrace: libwasmfx was built without libunwind)\n", stderr);
    return;
  }
  if (!trace->count || !map_self(&image))
    return;
  call_count = 0;
  if (find_symbols(&image) && !note_with_inlined(&image, trace))
    note_by_symbols(&image, trace);
  print_calls();
  if (trace->count == HOST_FRAMES)
    fputs("    ...\n", stderr);
  munmap((void *)(uintptr_t)image.bytes, image.size);
}
