// SPDX-License-Identifier: Apache-2.0
// Runs the instances of one script by wasm3, and calls them: a line of words asks, a line answers.
//
//   instantiate INSTANCE PATH               ok, or how the start function ended
//   invoke INSTANCE NAME VALUE...           values VALUE..., or how it ended
//   get INSTANCE NAME                       values VALUE
//
// NAME is that of an export in hexadecimal, byte by byte; values and endings are those of engine_wasmfx.c. An instance
// is a module with a runtime of its own: nothing is linked.
#define _POSIX_C_SOURCE 200809L // getline, strdup
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasmfx-m3.h>

enum { VALUES = 1000, STACK_BYTES = 1 << 20 };

typedef struct {
  char *key;
  wasmfx_m3_t *m3;
  IM3Runtime engine;
  IM3Module module;
} entry_t;

static IM3Environment environment;
static entry_t *entries;
static size_t entry_count;

static void *checked(void *allocated) {
  if (allocated == NULL) {
    puts("died out of memory");
    exit(1);
  }
  return allocated;
}

static void died(const char *text) {
  printf("died %s\n", text);
}

static char *word(void) {
  return strtok(NULL, " \n");
}

static const entry_t *find(const char *key) {
  for (size_t i = 0; key != NULL && i < entry_count; i++)
    if (strcmp(entries[i].key, key) == 0)
      return &entries[i];
  return NULL;
}

// In place.
static char *name(void) {
  char *text = word();
  if (text == NULL)
    return NULL;
  size_t count = 0;
  for (unsigned byte; sscanf(text + 2 * count, "%2x", &byte) == 1; count++)
    text[count] = (char)byte;
  text[count] = '\0';
  return text;
}

// ---- Values ---------------------------------------------------------------------------------------------

// What stands for a host's reference of a script: its number and one, so that it is not null. No continuation is so
// small.
static uint64_t read_value(const char *text) {
  const char *bits = strchr(text, ':');
  uint64_t number = bits == NULL ? 0 : strtoull(bits + 1, NULL, 16);
  return text[0] == 'e' ? number + 1 : number;
}

static void write_externref(uint64_t bits) {
  if (bits == 0)
    fputs(" null:0", stdout);
  else if (bits < 65536)
    printf(" extern:%llx", (unsigned long long)(bits - 1));
  else
    fputs(" any:0", stdout);
}

static void write_value(M3ValueType type, uint64_t bits) {
  switch (type) {
  case c_m3Type_i32: printf(" i32:%x", (uint32_t)bits); break;
  case c_m3Type_i64: printf(" i64:%llx", (unsigned long long)bits); break;
  case c_m3Type_f32: printf(" f32:%x", (uint32_t)bits); break;
  case c_m3Type_f64: printf(" f64:%llx", (unsigned long long)bits); break;
  case c_m3Type_funcref: fputs(bits == 0 ? " null:0" : " func:0", stdout); break;
  default: write_externref(bits);
  }
}

// ---- How calls end -----------------------------------------------------------------------------------------

static void write_trap(const char *text) {
  static const char prefix[] = "[trap] ";
  if (strncmp(text, prefix, sizeof prefix - 1) == 0)
    text += sizeof prefix - 1;
  printf("trap %s\n", strcmp(text, "unreachable executed") == 0 ? "unreachable" : text);
}

// Whether it came back. If not, the answer has been written.
static bool has_returned(M3Result result) {
  if (result == m3Err_none)
    return true;
  if (result == wasmfx_m3_uncaught)
    puts("exception");
  else if (result == m3Err_trapStackOverflow)
    puts("exhaustion call stack exhausted");
  else if (result == wasmfx_status_text(WASMFX_TRAP_UNHANDLED))
    printf("suspension %s\n", result);
  else
    write_trap(result);
  return false;
}

// ---- Questions ---------------------------------------------------------------------------------------------

static uint8_t *read_file(const char *path, uint32_t *count) {
  FILE *file = path == NULL ? NULL : fopen(path, "rb");
  if (file == NULL)
    return NULL;
  fseek(file, 0, SEEK_END);
  *count = (uint32_t)ftell(file);
  uint8_t *bytes = checked(malloc(*count + 1));
  rewind(file);
  *count = (uint32_t)fread(bytes, 1, *count, file);
  fclose(file);
  return bytes;
}

static M3Result load(entry_t *entry, const uint8_t *bytes, uint32_t count) {
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.stack_bytes[0] = STACK_BYTES;
  if (wasmfx_m3_new(&config, &entry->m3) != WASMFX_OK)
    return "out of memory";
  entry->engine = checked(m3_NewRuntime(environment, STACK_BYTES, NULL));
  M3Result result = m3_ParseModule(environment, &entry->module, bytes, count);
  if (result == m3Err_none)
    result = m3_LoadModule(entry->engine, entry->module);
  return result == m3Err_none ? wasmfx_m3_link(entry->m3, entry->module) : result;
}

static void instantiate(void) {
  uint32_t count = 0;
  entry_t entry = { .key = checked(strdup(word())) };
  const uint8_t *bytes = read_file(word(), &count);
  M3Result result = bytes == NULL ? "no such file" : load(&entry, bytes, count);
  if (result != m3Err_none) {
    died(result);
    return;
  }
  if (!has_returned(wasmfx_m3_start(entry.m3)))
    return;
  entries = checked(realloc(entries, (entry_count + 1) * sizeof *entries));
  entries[entry_count++] = entry;
  puts("ok");
}

static void write_results(IM3Function function) {
  uint64_t values[VALUES] = { 0 };
  const void *places[VALUES];
  uint32_t count = m3_GetRetCount(function);
  for (uint32_t i = 0; i < VALUES; i++)
    places[i] = &values[i];
  M3Result result = m3_GetResults(function, count, places);
  if (result != m3Err_none) {
    died(result);
    return;
  }
  fputs("values", stdout);
  for (uint32_t i = 0; i < count; i++)
    write_value(m3_GetRetType(function, i), values[i]);
  putchar('\n');
}

static void invoke(const entry_t *entry) {
  uint64_t values[VALUES];
  const void *arguments[VALUES];
  uint32_t count = 0;
  IM3Function function = NULL;
  M3Result result = m3_FindFunction(&function, entry->engine, name());
  if (result != m3Err_none) {
    died(result);
    return;
  }
  for (char *text = word(); text != NULL && count < VALUES; text = word(), count++) {
    values[count] = read_value(text);
    arguments[count] = &values[count];
  }
  if (has_returned(wasmfx_m3_call(entry->m3, function, count, arguments)))
    write_results(function);
}

// Numbers: wasm3 gives no others.
static void get(const entry_t *entry) {
  M3TaggedValue value = { 0 };
  M3Result result = m3_GetGlobal(m3_FindGlobal(entry->module, name()), &value);
  if (result != m3Err_none) {
    died(result);
    return;
  }
  fputs("values", stdout);
  write_value(value.type, value.value.i64);
  putchar('\n');
}

static void about_instance(void (*verb)(const entry_t *)) {
  const entry_t *entry = find(word());
  if (entry == NULL)
    died("no such instance");
  else
    verb(entry);
}

static void answer(const char *verb) {
  if (strcmp(verb, "instantiate") == 0)
    instantiate();
  else if (strcmp(verb, "invoke") == 0)
    about_instance(invoke);
  else if (strcmp(verb, "get") == 0)
    about_instance(get);
  else
    died("no such verb");
}

int main(void) {
  environment = checked(m3_NewEnvironment());
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, stdin) > 0) {
    const char *verb = strtok(line, " \n");
    if (verb != NULL)
      answer(verb);
    fflush(stdout);
  }
  free(line);
  return 0;
}
