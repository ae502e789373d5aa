/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* dl_iterate_phdr */
#include "library.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>

/* Called for each loaded object; ours is the one that has the plugin's export in one of its segments. */
static int find_code(struct dl_phdr_info *object, size_t size, void *context)
{
  struct library *library = context;
  const uintptr_t exported = (uintptr_t)library->plugin;
  const ElfW(Phdr) *code = NULL;
  bool ours = false;
  (void)size;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD)
      continue;
    ours |= exported - object->dlpi_addr - segment->p_vaddr < segment->p_memsz;
    if (segment->p_flags & PF_X)
      code = segment;
  }
  if (!ours || !code)
    return 0;
  library->code_low = (const char *)(uintptr_t)(object->dlpi_addr + code->p_vaddr);
  library->code_high = library->code_low + code->p_memsz;
  return 1;
}

bool library_open(struct library *library, const char *folder, const char *prefix, const char *name)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/%s%s.so", folder, prefix, name);
  library->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  library->plugin = library->handle ? dlsym(library->handle, "plugin") : NULL;
  if (library->plugin && dl_iterate_phdr(find_code, library))
    return true;
  fprintf(stderr, "%s\n", library->handle ? "no plugin" : dlerror());
  library_close(library);
  return false;
}

void library_close(struct library *library)
{
  if (library->handle)
    dlclose(library->handle);
  *library = (struct library){ .handle = NULL };
}

bool library_has_code(const struct library *library, const void *pc)
{
  return (uintptr_t)pc >= (uintptr_t)library->code_low && (uintptr_t)pc < (uintptr_t)library->code_high;
}
