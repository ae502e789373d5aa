// SPDX-License-Identifier: Apache-2.0
// Holds modules and instances of one script, and calls them: a line of words asks, a line answers.
//
//   load MODULE PATH                        ok
//   instantiate INSTANCE MODULE SLOT...     ok, or how the start function ended; SLOT: INSTANCE:EXPORT, of each import
//   size INSTANCE EXPORT                    size N: of a table or a memory, now
//   invoke INSTANCE EXPORT VALUE...         values VALUE..., or how it ended
//   get INSTANCE EXPORT                     values VALUE
//
// EXPORT is its place in the module, VALUE a kind and bits in hexadecimal: i32:ff, extern:1, null:0. What does not end
// well ends by "trap TEXT", "exhaustion TEXT", "suspension TEXT", "exception"; "died TEXT" is a fault of who asks.
#define _POSIX_C_SOURCE 200809L // getline, strdup
#include "engine_wasmfx.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasmfx-rt.h>

enum { VALUES = 1000 };

typedef struct {
  char *key;
  const wast_module_t *module;
  void *instance; // none: it is a module
} entry_t;

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

static void enter(const char *key, const wast_module_t *module, void *instance) {
  entries = checked(realloc(entries, (entry_count + 1) * sizeof *entries));
  entries[entry_count++] = (entry_t){ checked(strdup(key)), module, instance };
}

static const entry_t *find(const char *key) {
  for (size_t i = 0; key != NULL && i < entry_count; i++)
    if (strcmp(entries[i].key, key) == 0)
      return &entries[i];
  return NULL;
}

static const wast_export_t *export_of(const entry_t *entry, const char *place) {
  return entry == NULL || place == NULL ? NULL : &entry->module->exports[strtoul(place, NULL, 10)];
}

// ---- Values ---------------------------------------------------------------------------------------------

// What stands for the hosts' references of a script: the place of its number.
static uint64_t **externs;
static size_t extern_count;

static wasm_rt_externref_t extern_of(uint64_t number) {
  for (size_t i = 0; i < extern_count; i++)
    if (*externs[i] == number)
      return externs[i];
  externs = checked(realloc(externs, (extern_count + 1) * sizeof *externs));
  uint64_t *place = checked(malloc(sizeof *place));
  *place = number;
  return externs[extern_count++] = place;
}

static void read_value(char type, const char *text, wast_value_t *value) {
  const char *bits = strchr(text, ':');
  uint64_t number = bits == NULL ? 0 : strtoull(bits + 1, NULL, 16);
  memset(value, 0, sizeof *value);
  if (type == 'e')
    value->externref = text[0] == 'n' ? wasm_rt_externref_null_value : extern_of(number);
  else if (type == 'r')
    value->funcref = wasm_rt_funcref_null_value;
  else
    value->i64 = number; // the others begin there too
}

static void write_externref(wasm_rt_externref_t reference) {
  for (size_t i = 0; i < extern_count; i++)
    if (externs[i] == reference) {
      printf(" extern:%llx", (unsigned long long)*externs[i]);
      return;
    }
  fputs(reference == wasm_rt_externref_null_value ? " null:0" : " any:0", stdout);
}

static void write_value(char type, const wast_value_t *value) {
  switch (type) {
  case 'i': printf(" i32:%x", value->i32); break;
  case 'j': printf(" i64:%llx", (unsigned long long)value->i64); break;
  case 'f': printf(" f32:%x", value->i32); break;
  case 'd': printf(" f64:%llx", (unsigned long long)value->i64); break;
  case 'r': fputs(value->funcref.func == NULL ? " null:0" : " func:0", stdout); break;
  default: write_externref(value->externref);
  }
}

static void write_values(const char *types, const wast_value_t *values) {
  fputs("values", stdout);
  for (size_t i = 0; types[i] != '\0'; i++)
    write_value(types[i], &values[i]);
  putchar('\n');
}

// ---- Calls, and how they end ---------------------------------------------------------------------------------

typedef struct {
  const entry_t *entry;
  const wast_export_t *export;
  void *instance, *slots;
  wast_value_t *values;
} call_t;

static wasmfx_rt_t *rt;

// Whether it came back. If not, the answer has been written.
static bool attempt(void (*body)(void *), call_t *call) {
  int code = wasmfx_rt_try(rt, body, call);
  switch (code) {
  case 0: return true;
  case WASM_RT_TRAP_UNCAUGHT_EXCEPTION: puts("exception"); break;
  case WASM_RT_TRAP_EXHAUSTION: printf("exhaustion %s\n", wasmfx_rt_strerror(code)); break;
  case WASMFX_RT_TRAP_UNHANDLED_TAG: printf("suspension %s\n", wasmfx_rt_strerror(code)); break;
  default: printf("trap %s\n", wasmfx_rt_strerror(code));
  }
  return false;
}

static void body_of_instantiate(void *context) {
  call_t *call = context;
  call->entry->module->instantiate(call->instance, call->slots, rt);
}

static void body_of_invoke(void *context) {
  call_t *call = context;
  call->export->call(call->instance, call->values);
}

// ---- Questions ---------------------------------------------------------------------------------------------

static void load(void) {
  char *key = word(), *path = word();
  void *library = path == NULL ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const wast_module_t *module = library == NULL ? NULL : dlsym(library, "wast_module");
  if (module == NULL) {
    died(path == NULL ? "load" : dlerror());
    return;
  }
  module->init();
  enter(key, module, NULL);
  puts("ok");
}

// SLOT: INSTANCE:EXPORT
static bool read_slot(char *text, wast_slot_t *slot) {
  char *place = strchr(text, ':');
  if (place == NULL)
    return false;
  *place++ = '\0';
  const entry_t *entry = find(text);
  const wast_export_t *export = export_of(entry, place);
  if (export == NULL)
    return false;
  slot->function = export->function;
  slot->object = export->object == NULL ? entry->instance : export->object(entry->instance);
  return true;
}

// What has been instantiated stays: a table may refer to its functions even if its start function has trapped.
static void instantiate(void) {
  char *key = word();
  const entry_t *module = find(word());
  if (module == NULL) {
    died("no such module");
    return;
  }
  size_t count = 0;
  wast_slots_t *slots = checked(malloc(sizeof *slots));
  for (char *text = word(); text != NULL; text = word()) {
    slots = checked(realloc(slots, sizeof *slots + (count + 1) * sizeof *slots->slots));
    if (!read_slot(text, &slots->slots[count++])) {
      died("no such import");
      return;
    }
  }
  slots->self = slots;
  void *instance = checked(calloc(1, module->module->instance_bytes));
  call_t call = { .entry = module, .instance = instance, .slots = slots };
  if (wasmfx_rt_register(rt, instance, module->module->instance_bytes) != WASMFX_OK)
    died("out of memory");
  else if (attempt(body_of_instantiate, &call)) {
    enter(key, module->module, instance);
    puts("ok");
  }
}

static void size(const entry_t *entry, const wast_export_t *export) {
  void *object = export->object(entry->instance);
  uint32_t size = export->kind == WAST_MEMORY ? ((wasm_rt_memory_t *)object)->pages
                  : export->results[0] == 'r' ? ((wasm_rt_funcref_table_t *)object)->size
                                              : ((wasm_rt_externref_table_t *)object)->size;
  printf("size %u\n", size);
}

static void invoke(const entry_t *entry, const wast_export_t *export) {
  wast_value_t values[VALUES] = { 0 };
  for (size_t i = 0; export->parameters[i] != '\0'; i++) {
    const char *text = word();
    if (text == NULL || i == VALUES) {
      died("too few arguments, or too many");
      return;
    }
    read_value(export->parameters[i], text, &values[i]);
  }
  call_t call = { .entry = entry, .instance = entry->instance, .export = export, .values = values };
  if (attempt(body_of_invoke, &call))
    write_values(export->results, values);
}

static void get(const entry_t *entry, const wast_export_t *export) {
  wast_value_t value = { 0 };
  void *place = export->object(entry->instance);
  switch (export->results[0]) {
  case 'i':
  case 'f': value.i32 = *(uint32_t *)place; break;
  case 'j':
  case 'd': value.i64 = *(uint64_t *)place; break;
  case 'e': value.externref = *(wasm_rt_externref_t *)place; break;
  default: value.funcref = *(wasm_rt_funcref_t *)place;
  }
  write_values(export->results, &value);
}

static void about_export(void (*verb)(const entry_t *, const wast_export_t *)) {
  const entry_t *entry = find(word());
  const wast_export_t *export = export_of(entry, word());
  if (export == NULL || entry->instance == NULL)
    died("no such instance");
  else
    verb(entry, export);
}

static void answer(const char *verb) {
  if (strcmp(verb, "load") == 0)
    load();
  else if (strcmp(verb, "instantiate") == 0)
    instantiate();
  else if (strcmp(verb, "size") == 0)
    about_export(size);
  else if (strcmp(verb, "invoke") == 0)
    about_export(invoke);
  else if (strcmp(verb, "get") == 0)
    about_export(get);
  else
    died("no such verb");
}

int main(void) {
  wasmfx_status_t status = wasmfx_rt_new(NULL, &rt);
  if (status != WASMFX_OK) {
    died(wasmfx_status_text(status));
    return 1;
  }
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
