/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large numbers: a million suspended continuations, ten million fresh ones, as many
 * as the kernel has maps for, and how fast they go. Each figure is printed beside its
 * limit; exit status 1 if one is missed, 77 if there was no room to try.
 *
 *     scale            all of it; needs 6 GiB
 *     scale 100        a hundredth of it
 *
 * Each part runs in a process of its own, so that none finds what another left.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <wasmfx/wasmfx.h>

enum { MILLION = 1000000, MOST_MAPS = 64, SAMPLE = 1000 };

static const double TEARDOWN_SECONDS = 2 /* by the clock */, TOLERANCE = 0.01;
static const double OBJECT_BYTES = 128;

static size_t divisor = 1;

/* ---- Saying ------------------------------------------------------------------------ */

static bool all_good = true;

/* One line of the report: whether it is as it has to be, and the figure. */
static void verdict(bool good, const char *format, ...)
{
  va_list values;
  va_start(values, format);
  printf("  %s  ", good ? "ok  " : "MISS");
  vprintf(format, values);
  printf("\n");
  va_end(values);
  fflush(stdout);
  all_good = all_good && good;
}

static void check_ok(wasmfx_status_t status, const char *what)
{
  if (status >= 0)
    return;
  printf("  MISS  %s: %s\n", what, wasmfx_status_text(status));
  exit(1);
}

static void progress(const char *what, size_t done, size_t of)
{
  if (done % (of / 100 + 1) == 0 && isatty(STDERR_FILENO))
    fprintf(stderr, done + of / 100 + 1 < of ? "\r\033[K  %s: %zu %%" : "\r\033[K", what, done * 100 / of);
}

/* ---- Measuring ------------------------------------------------------------------------ */

struct stopwatch {
  double cpu, wall;
};

static double seconds_of(clockid_t clock)
{
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct stopwatch start_watch(void)
{
  return (struct stopwatch){ seconds_of(CLOCK_PROCESS_CPUTIME_ID), seconds_of(CLOCK_MONOTONIC) };
}

static struct stopwatch stop_watch(struct stopwatch since)
{
  const struct stopwatch now = start_watch();
  return (struct stopwatch){ now.cpu - since.cpu, now.wall - since.wall };
}

/* A figure in KiB of a file in /proc, in bytes. */
static double proc_figure(const char *path, const char *label)
{
  char line[256];
  double kib = 0;
  FILE *file = fopen(path, "re");
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, label, strlen(label)) == 0)
      kib = strtod(line + strlen(label), NULL);
  if (file)
    fclose(file);
  return kib * 1024;
}

/* Memory that is the process's own; which pages of programs are there depends on what has been called. (statm would be
 * quicker, and is not exact.) */
static double resident_bytes(void)
{
  return proc_figure("/proc/self/smaps_rollup", "Anonymous:");
}

static size_t count_maps(void)
{
  size_t count = 0;
  FILE *file = fopen("/proc/self/maps", "re");
  for (int c; file && (c = getc(file)) != EOF;)
    count += c == '\n';
  if (file)
    fclose(file);
  return count;
}

/* ---- A world of one body --------------------------------------------------------------- */

struct world {
  wasmfx_runtime_t *rt;
  wasmfx_type_t *type;
  wasmfx_tag_t *pause;
  wasmfx_handlers_t *handlers;
  wasmfx_cont_t *conts;
};

static uint64_t pause_for_ever(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const struct world *world = env;
  (void)from;
  for (;;)
    word = wasmfx_suspend_word(rt, world->pause, word + 1).word;
  return word;
}

static void open_world(struct world *world, enum wasmfx_guard guard)
{
  const wasmfx_kind_t number = WASMFX_I64;
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.guard = guard;
  check_ok(wasmfx_runtime_new(&config, &world->rt), "a runtime");
  check_ok(wasmfx_type_new(world->rt, &number, 1, &number, 1, &world->type), "a type");
  check_ok(wasmfx_tag_new(world->rt, world->type, &world->pause), "a tag");
  const wasmfx_clause_t clause = { .tag = world->pause, .kind = WASMFX_ON_LABEL };
  check_ok(wasmfx_handlers_new(world->rt, &clause, 1, &world->handlers), "a table");
}

static wasmfx_status_t suspend_one(struct world *world, wasmfx_cont_t *cont)
{
  check_ok(wasmfx_cont_new_word(world->rt, world->type, pause_for_ever, world, cont), "a continuation");
  const wasmfx_outcome_t out = wasmfx_resume_word(world->rt, cont, world->handlers, 1);
  return out.status < 0 ? out.status : out.status == WASMFX_SUSPENDED && out.word == 2 ? 0 : WASMFX_ERROR_STATE;
}

/* Room for the references, touched, and the code, run: what is measured later is neither. */
static void make_room(struct world *world, size_t count)
{
  wasmfx_cont_t cont;
  open_world(world, WASMFX_GUARD_AUTO);
  check_ok(suspend_one(world, &cont), "a suspension");
  check_ok(wasmfx_drop(world->rt, &cont), "a drop");
  check_ok(wasmfx_runtime_free(world->rt, NULL), "the end");
  world->conts = malloc(count * sizeof *world->conts);
  if (!world->conts)
    exit(1);
  memset(world->conts, 0xff, count * sizeof *world->conts);
}

static void suspend_many(struct world *world, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    check_ok(suspend_one(world, &world->conts[i]), "a suspension");
    progress("suspended", i, count);
  }
}

/* That those in some places still are what they were. */
static bool sample_is_alive(struct world *world, size_t count)
{
  for (size_t i = 0; i < count; i += count / SAMPLE + 1)
    if (wasmfx_resume_word(world->rt, &world->conts[i], world->handlers, i).word != i + 1)
      return false;
  return true;
}

static wasmfx_stats_t stats_of(const struct world *world)
{
  wasmfx_stats_t stats;
  wasmfx_runtime_stats(world->rt, &stats, sizeof stats);
  return stats;
}

static bool is_back(double now, double before)
{
  return now <= before * (1 + TOLERANCE);
}

static void tell_teardown(const char *how, struct stopwatch took, double before)
{
  const double now = resident_bytes();
  verdict(took.wall <= TEARDOWN_SECONDS, "%s: %.2f s by the clock (%.2f s of the processor), at most %.0f", how,
          took.wall, took.cpu, TEARDOWN_SECONDS);
  verdict(is_back(now, before), "resident again: %.2f MiB, before %.2f, at most 1 %% more", now / (1 << 20),
          before / (1 << 20));
}

/* ---- Parts ------------------------------------------------------------------------------ */

/* What both parts about suspended ones begin with. */
static double open_with_suspended(struct world *world, size_t count)
{
  make_room(world, count);
  const size_t maps = count_maps();
  const double before = resident_bytes(), tables = proc_figure("/proc/self/status", "VmPTE:");
  open_world(world, WASMFX_GUARD_AUTO);
  const struct stopwatch since = start_watch();
  suspend_many(world, count);
  const struct stopwatch took = stop_watch(since);
  const double grown = resident_bytes() - before, grown_tables = proc_figure("/proc/self/status", "VmPTE:") - tables;
  const size_t more_maps = count_maps() - maps;
  printf("        %zu suspended in %.2f s; each %.0f bytes, and %.0f of page tables\n", count, took.cpu,
         grown / (double)count, grown_tables / (double)count);
  if (stats_of(world).guard == WASMFX_GUARD_LIGHT)
    verdict(more_maps <= MOST_MAPS, "%zu guarded stacks in %zu maps, at most %d", count, more_maps, MOST_MAPS);
  else
    printf("  --    this kernel has no guards that split no map\n");
  verdict(stats_of(world).conts_live == count && sample_is_alive(world, count), "all of them can be resumed");
  return before;
}

static void suspended_and_freed(size_t count)
{
  struct world world;
  const double before = open_with_suspended(&world, count);
  size_t dropped;
  const struct stopwatch since = start_watch();
  check_ok(wasmfx_runtime_free(world.rt, &dropped), "the end");
  const struct stopwatch took = stop_watch(since);
  verdict(dropped == count, "dropped with their runtime: %zu", dropped);
  tell_teardown("with their runtime", took, before);
}

static void suspended_and_dropped(size_t count)
{
  struct world world;
  const double before = open_with_suspended(&world, count);
  struct stopwatch since = start_watch();
  for (size_t i = 0; i < count; i++) {
    check_ok(wasmfx_drop(world.rt, &world.conts[i]), "a drop");
    progress("dropped", i, count);
  }
  const struct stopwatch took = stop_watch(since);
  const wasmfx_stats_t stats = stats_of(&world);
  const double kept = resident_bytes() - before;
  const double page = (double)sysconf(_SC_PAGESIZE);
  const double wanted = (double)count * (OBJECT_BYTES + sizeof(uint32_t)) + (double)stats.stacks_cached * page;
  verdict(stats.conts_live == 0 && stats.stacks_used == 0, "none is left, %" PRIu64 " stacks are cached",
          stats.stacks_cached);
  verdict(kept <= wanted * (1 + TOLERANCE) + 64 * page,
          "kept for the next: %.2f MiB, at most objects and cached stacks: %.2f",
          kept / (1 << 20), wanted / (1 << 20));
  since = start_watch();
  check_ok(wasmfx_runtime_free(world.rt, NULL), "the end");
  const struct stopwatch last = stop_watch(since);
  tell_teardown("one by one", (struct stopwatch){ took.cpu + last.cpu, took.wall + last.wall }, before);
}

static void fresh(size_t count)
{
  struct world world;
  make_room(&world, count);
  const double before = resident_bytes();
  open_world(&world, WASMFX_GUARD_AUTO);
  struct stopwatch since = start_watch();
  for (size_t i = 0; i < count; i++) {
    check_ok(wasmfx_cont_new_word(world.rt, world.type, pause_for_ever, &world, &world.conts[i]), "a continuation");
    progress("fresh", i, count);
  }
  const struct stopwatch took = stop_watch(since);
  const double each = (resident_bytes() - before) / (double)count;
  printf("        %zu fresh in %.2f s\n", count, took.cpu);
  verdict(each <= OBJECT_BYTES * (1 + TOLERANCE) + 65536 / (double)count, "each %.2f bytes, at most %.0f and 1 %%",
          each, OBJECT_BYTES);
  verdict(stats_of(&world).stacks_made == 0 && sample_is_alive(&world, count),
          "without a stack, and each can be resumed");
  since = start_watch();
  check_ok(wasmfx_runtime_free(world.rt, NULL), "the end");
  tell_teardown("with their runtime", stop_watch(since), before);
}

/* As many as there are maps for; `count` is more than that. */
static void out_of_maps(size_t count)
{
  struct world world;
  enum { SOME = 500 };
  make_room(&world, count);
  const size_t maps = count_maps();
  const double before = resident_bytes();
  open_world(&world, WASMFX_GUARD_PROTECT);
  wasmfx_status_t status = WASMFX_OK;
  size_t alive = 0;
  for (; alive < count && (status = suspend_one(&world, &world.conts[alive])) == WASMFX_OK; alive++)
    progress("suspended", alive, count);
  verdict(status == WASMFX_ERROR_NO_MAPS && alive > SOME, "after %zu guards made of maps: \"%s\", with %zu maps", alive,
          wasmfx_status_text(status), count_maps() - maps);
  verdict(wasmfx_cont_state(world.rt, world.conts[alive]) == WASMFX_STATE_FRESH && sample_is_alive(&world, alive),
          "the one that got no stack is still fresh, and the others can be resumed");
  for (size_t i = 0; i < SOME; i++)
    check_ok(wasmfx_drop(world.rt, &world.conts[i]), "a drop");
  size_t again = wasmfx_resume_word(world.rt, &world.conts[alive], world.handlers, 1).status == WASMFX_SUSPENDED;
  while (again < SOME && suspend_one(&world, &world.conts[again - 1]) == WASMFX_OK)
    again++;
  verdict(again == SOME, "%d dropped, and %zu suspended again", SOME, again);
  const struct stopwatch since = start_watch();
  check_ok(wasmfx_runtime_free(world.rt, NULL), "the end");
  tell_teardown("with their runtime", stop_watch(since), before);
  verdict(count_maps() <= maps, "maps: %zu, before %zu", count_maps(), maps);
}

/* ---- The program -------------------------------------------------------------------------- */

static const struct part {
  const char *name;
  void (*run)(size_t count);
  size_t count;
  size_t bytes_each; /* that it needs, to see whether there are enough */
  bool is_whole;     /* makes no sense with less */
} parts[] = {
  { "suspended, and dropped with their runtime", suspended_and_freed, MILLION, 4500, false },
  { "suspended, and dropped one by one", suspended_and_dropped, MILLION, 4500, false },
  { "fresh", fresh, 10 * MILLION, 140, false },
  { "until there are no more maps", out_of_maps, 100000, 9000, true },
};

static int run_part(const struct part *part)
{
  const size_t count = part->is_whole ? part->count : part->count / divisor;
  printf("%zu %s\n", count, part->name);
  if (proc_figure("/proc/meminfo", "MemAvailable:") < (double)count * (double)part->bytes_each) {
    printf("  --    not enough memory to try\n");
    return 77;
  }
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    part->run(count);
    exit(all_good ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status))
    printf("  MISS  it was killed by signal %d\n", WTERMSIG(status));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
  int missed = 0, skipped = 0;
  if (argc > 1)
    divisor = strtoull(argv[1], NULL, 10);
  if (divisor < 1 || divisor > MILLION / SAMPLE) {
    fprintf(stderr, "usage: scale [DIVISOR]: 1, which is the default, to %d\n", MILLION / SAMPLE);
    return 2;
  }
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    const int status = run_part(&parts[i]);
    skipped += status == 77;
    missed += status != 77 && status != 0;
  }
  return missed ? 1 : skipped ? 77 : 0;
}
