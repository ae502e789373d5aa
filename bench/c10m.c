/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs C10M with continuations and by hand, in turn, and reports what the one
 * needs in multiples of the other. Fails if either did not do all of the work,
 * or not the same.
 */
#include <elf.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROUNDS = 99, PATH_BYTES = PATH_MAX + 64 };

enum { CONTINUATIONS, BY_HAND, PROGRAMS };
static const char *const programs[PROGRAMS] = { "c10m-wasmfx", "c10m-statemachine" };

static const struct workload {
  const char *io, *about;
  unsigned calls;
} workloads[] = {
  { "none", "no I/O", 0 },
  { "one", "one I/O call each", 1 },
  { "repeated", "five I/O calls each", 5 },
};
enum { WORKLOADS = sizeof workloads / sizeof *workloads };

struct options {
  uint64_t total, live;
  size_t rounds;
  const char *output, *io, *library;
  char folder[PATH_MAX]; /* where the programs are */
};

static _Noreturn void fail(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  fputs("c10m: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

/* ---- Running a program ------------------------------------------------------------------ */

struct result {
  double seconds;
  uint64_t ended, numbers, bytes, checksum, peak_kilobytes;
};

static double now_seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static _Noreturn void become(const struct options *options, const char *program, const struct workload *workload,
                             int standard_output)
{
  char path[PATH_BYTES], total[32], live[32];
  snprintf(path, sizeof path, "%s/%s", options->folder, program);
  snprintf(total, sizeof total, "%" PRIu64, options->total);
  snprintf(live, sizeof live, "%" PRIu64, options->live);
  dup2(standard_output, STDOUT_FILENO);
  execl(path, program, "--io", workload->io, "--total", total, "--live", live, "--output", options->output,
        (char *)NULL);
  fail("%s: %s", path, strerror(errno));
}

static void read_result(int from, const char *program, struct result *result)
{
  char text[512];
  size_t length = 0;
  for (ssize_t count; length < sizeof text - 1 && (count = read(from, text + length, sizeof text - 1 - length)) > 0;)
    length += (size_t)count;
  text[length] = '\0';
  if (sscanf(text,
             "ended=%" SCNu64 " numbers=%" SCNu64 " bytes=%" SCNu64 " checksum=%" SCNx64 " peak_kilobytes=%" SCNu64,
             &result->ended, &result->numbers, &result->bytes, &result->checksum, &result->peak_kilobytes) != 5)
    fail("%s gave no result", program);
}

static struct result run_program(const struct options *options, const char *program, const struct workload *workload)
{
  struct result result;
  int ends[2], status;
  if (pipe(ends) != 0)
    fail("no pipe");
  fflush(NULL);
  double start = now_seconds();
  pid_t child = fork();
  if (child < 0)
    fail("no process");
  if (child == 0) {
    close(ends[0]);
    become(options, program, workload, ends[1]);
  }
  close(ends[1]);
  read_result(ends[0], program, &result);
  close(ends[0]);
  if (waitpid(child, &status, 0) != child || status != 0)
    fail("%s failed", program);
  result.seconds = now_seconds() - start;
  return result;
}

/* Did it let every coroutine come to its end, once, with all of its I/O? */
static void check_result(const struct options *options, const char *program, const struct workload *workload,
                         const struct result *result)
{
  enum { LINE_BYTES = 32 };
  if (result->ended != options->total)
    fail("%s: %" PRIu64 " coroutines ended, not %" PRIu64, program, result->ended, options->total);
  if (result->numbers != options->total * (options->total - 1) / 2)
    fail("%s: some coroutine ended twice, another never", program);
  if (result->bytes != options->total * workload->calls * LINE_BYTES)
    fail("%s: %" PRIu64 " bytes written, not what the work asks for", program, result->bytes);
}

/* ---- Sizes of files ------------------------------------------------------------------------ */

/* Bytes of code and constants in an ELF file: what size(1) shows as "text". No
 * symbols, nothing for debuggers. 0 if it cannot be read. */
static uint64_t code_bytes(const char *path)
{
  FILE *file = fopen(path, "rb");
  if (!file)
    return 0;
  Elf64_Ehdr header;
  uint64_t bytes = 0;
  if (fread(&header, sizeof header, 1, file) == 1 && memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
      fseek(file, (long)header.e_shoff, SEEK_SET) == 0) {
    Elf64_Shdr section;
    for (unsigned i = 0; i < header.e_shnum && fread(&section, sizeof section, 1, file) == 1; i++)
      if ((section.sh_flags & SHF_ALLOC) && !(section.sh_flags & SHF_WRITE) && section.sh_type != SHT_NOBITS)
        bytes += section.sh_size;
  }
  fclose(file);
  return bytes;
}

/* ---- Reporting ----------------------------------------------------------------------------- */

static int by_value(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
  qsort(values, count, sizeof *values, by_value);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* 10000000 as "10,000,000". */
static const char *grouped(uint64_t number)
{
  static char text[32];
  char *at = text + sizeof text - 1;
  *at = '\0';
  for (int digits = 0; digits == 0 || number; number /= 10, digits++) {
    if (digits && digits % 3 == 0)
      *--at = ',';
    *--at = (char)('0' + number % 10);
  }
  return at;
}

static void print_row(const char *what, const char *format, double continuations, double by_hand, double ratio)
{
  char left[32], right[32];
  snprintf(left, sizeof left, format, continuations);
  snprintf(right, sizeof right, format, by_hand);
  printf("  %-24s %14s %14s %10.2f x\n", what, left, right, ratio);
}

static void run_workload(const struct options *options, const struct workload *workload)
{
  double seconds[PROGRAMS][MAX_ROUNDS], kilobytes[PROGRAMS][MAX_ROUNDS];
  double time_ratios[MAX_ROUNDS], memory_ratios[MAX_ROUNDS];
  for (size_t round = 0; round < options->rounds; round++) {
    struct result results[PROGRAMS];
    for (size_t p = 0; p < PROGRAMS; p++) {
      results[p] = run_program(options, programs[p], workload);
      check_result(options, programs[p], workload, &results[p]);
      seconds[p][round] = results[p].seconds;
      kilobytes[p][round] = (double)results[p].peak_kilobytes;
    }
    if (results[CONTINUATIONS].checksum != results[BY_HAND].checksum)
      fail("%s: the programs have written different bytes", workload->about);
    time_ratios[round] = seconds[CONTINUATIONS][round] / seconds[BY_HAND][round];
    memory_ratios[round] = kilobytes[CONTINUATIONS][round] / kilobytes[BY_HAND][round];
  }
  printf("%s\n", workload->about);
  print_row("time", "%.2f s", median(seconds[CONTINUATIONS], options->rounds),
            median(seconds[BY_HAND], options->rounds), median(time_ratios, options->rounds));
  print_row("peak memory", "%.1f MB", median(kilobytes[CONTINUATIONS], options->rounds) / 1024,
            median(kilobytes[BY_HAND], options->rounds) / 1024, median(memory_ratios, options->rounds));
  fflush(stdout);
}

static void report_sizes(const struct options *options)
{
  char path[PATH_BYTES];
  double bytes[PROGRAMS];
  for (size_t p = 0; p < PROGRAMS; p++) {
    snprintf(path, sizeof path, "%s/%s", options->folder, programs[p]);
    bytes[p] = (double)code_bytes(path);
  }
  snprintf(path, sizeof path, "%s/../lib/libwasmfx.so", options->folder);
  double library = (double)code_bytes(options->library ? options->library : path);

  printf("binary size (code and constants, without symbols; the C library not counted)\n");
  print_row("program", "%.0f bytes", bytes[CONTINUATIONS], bytes[BY_HAND], bytes[CONTINUATIONS] / bytes[BY_HAND]);
  if (library > 0)
    print_row("with libwasmfx.so", "%.0f bytes", bytes[CONTINUATIONS] + library, bytes[BY_HAND],
              (bytes[CONTINUATIONS] + library) / bytes[BY_HAND]);
  else
    printf("  libwasmfx.so not found; --library FILE says where it is\n");
}

static void report(const struct options *options)
{
  printf("C10M: %s coroutines, ", grouped(options->total));
  printf("%s alive at a time, each yields once\n", grouped(options->live));
  printf("  %-24s %14s %14s %12s\n", "", "libwasmfx", "by hand", "ratio");
  for (size_t w = 0; w < WORKLOADS; w++)
    if (!options->io || strcmp(options->io, workloads[w].io) == 0)
      run_workload(options, &workloads[w]);
  report_sizes(options);
  printf("checked: in each run exactly %s coroutines came to their end, and both programs wrote the same bytes\n",
         grouped(options->total));
}

/* ---- The command line ------------------------------------------------------------------------- */

static const char usage[] =
  "c10m [OPTION]...\n"
  "Ten million coroutines on libwasmfx, beside a state machine written by hand that does the same work:\n"
  "time, peak memory and binary size of both, and their ratios.\n"
  "  --io none|one|repeated   only this much I/O (default: all three)\n"
  "  --total N                coroutines in all (default 10000000)\n"
  "  --live N                 alive at a time (default 10000)\n"
  "  --rounds N               runs of each, of which the median is shown (default 3)\n"
  "  --output FILE            where the I/O goes (default /dev/null)\n"
  "  --library FILE           libwasmfx.so, for its size\n";

static uint64_t number_option(const char *text, uint64_t most)
{
  char *end;
  uint64_t number = strtoull(text, &end, 10);
  if (*end || number == 0 || number > most)
    fail("'%s' is not a number from 1 to %" PRIu64, text, most);
  return number;
}

static void find_folder(struct options *options)
{
  char self[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length < 0)
    fail("cannot read /proc/self/exe");
  self[length] = '\0';
  snprintf(options->folder, sizeof options->folder, "%s", dirname(self));
}

int main(int argc, char **argv)
{
  enum { IO, TOTAL, ALIVE, ROUNDS, OUTPUT, LIBRARY, HELP };
  static const struct option names[] = {
    { "io", required_argument, NULL, IO },         { "total", required_argument, NULL, TOTAL },
    { "live", required_argument, NULL, ALIVE },    { "rounds", required_argument, NULL, ROUNDS },
    { "output", required_argument, NULL, OUTPUT }, { "library", required_argument, NULL, LIBRARY },
    { "help", no_argument, NULL, HELP },           { NULL, 0, NULL, 0 },
  };
  static struct options options = { .total = 10000000, .live = 10000, .rounds = 3, .output = "/dev/null" };
  for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;)
    switch (option) {
    case IO: options.io = optarg; break;
    case TOTAL: options.total = number_option(optarg, UINT32_MAX); break;
    case ALIVE: options.live = number_option(optarg, UINT32_MAX); break;
    case ROUNDS: options.rounds = (size_t)number_option(optarg, MAX_ROUNDS); break;
    case OUTPUT: options.output = optarg; break;
    case LIBRARY: options.library = optarg; break;
    case HELP: fputs(usage, stdout); return 0;
    default: fputs(usage, stderr); return 2;
    }
  find_folder(&options);
  report(&options);
  return 0;
}
