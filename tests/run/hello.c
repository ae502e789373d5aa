/* SPDX-License-Identifier: Apache-2.0 */
/* A program as C has them: arguments, environment, standard streams, memory, time, no files, an exit status. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int main(int argc, char **argv)
{
  char line[80];
  const struct timespec moment = { 0, 1000000 };
  struct timespec begin, end;
  const char *name = getenv("NAME");
  printf("%d arguments, the last is %s; NAME is %s\n", argc - 1, argv[argc - 1], name ? name : "not there");
  while (fgets(line, sizeof line, stdin))
    printf("read %s", line);
  char *bytes = malloc(10 << 20);
  if (!bytes)
    return 1;
  memset(bytes, 1, 10 << 20);
  printf("%d, %.3f\n", bytes[(10 << 20) - 1], 1.0 / 3);
  clock_gettime(CLOCK_MONOTONIC, &begin);
  nanosleep(&moment, NULL);
  clock_gettime(CLOCK_MONOTONIC, &end);
  puts(end.tv_sec > begin.tv_sec || end.tv_nsec - begin.tv_nsec >= 1000000 ? "slept" : "did not sleep");
  puts(fopen("/etc/passwd", "r") ? "there are files" : "there are no files");
  fputs("an error\n", stderr);
  exit(42);
}
