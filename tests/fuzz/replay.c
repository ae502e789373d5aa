/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of libFuzzer: tries each input of the files and folders that it is given, by name.
 */
#define _DEFAULT_SOURCE /* scandir */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

enum { LONGEST = 1 << 16 };

static unsigned tried;

static int fail(const char *path)
{
  perror(path);
  return 1;
}

/* The input is copied to a block of its own size, so that sanitizers see a read beyond it. */
static int replay_file(const char *path)
{
  static uint8_t buffer[LONGEST];
  FILE *file = fopen(path, "rb");
  if (!file)
    return fail(path);
  const size_t size = fread(buffer, 1, sizeof buffer, file);
  fclose(file);
  uint8_t *input = malloc(size + !size);
  if (!input)
    return fail(path);
  for (size_t i = 0; i < size; i++)
    input[i] = buffer[i];
  printf("# %s\n", path);
  fflush(stdout); /* the last line names the input, should it crash */
  tried++;
  LLVMFuzzerTestOneInput(input, size);
  free(input);
  return 0;
}

static int replay_folder(const char *folder)
{
  struct dirent **entries;
  const int count = scandir(folder, &entries, NULL, alphasort);
  int status = 0;
  if (count < 0)
    return replay_file(folder);
  for (int i = 0; i < count; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.')
      status |= replay_file(path);
    free(entries[i]);
  }
  free((void *)entries);
  return status;
}

int main(int argc, char **argv)
{
  int status = 0;
  for (int i = 1; i < argc; i++)
    status |= replay_folder(argv[i]);
  if (tried == 0) {
    fprintf(stderr, "usage: replay FILE-OR-FOLDER...; no input was found\n");
    return 2;
  }
  printf("%u inputs replayed\n", tried);
  return status;
}
