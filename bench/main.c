/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The first is what most ratios are multiples of. */
static const struct subject *const subjects[] = {
  &subject_limit,       &subject_limit_coloured, &subject_fcontext,      &subject_library,
  &subject_library_16k, &subject_library_stays,  &subject_library_turns, &subject_library_crosses,
  &subject_fiber,       &subject_state_machine,
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

#define TIME { { "time", "ns" } }, 1
#define BYTES { { "resident", "bytes" }, { "page-tables", "bytes" }, { "total", "bytes" } }, 3

static const struct question questions[QUESTIONS] = {
  [ROUND_TRIP] = { "round-trip", "resume one coroutine, which suspends again", "the round trip of the limit", TIME,
                   5000000, 500000, ROUND_TRIP, NULL },
  [CREATE] = { "create", "create + run + destroy, out of a pool", "the round trip of the limit", TIME,
               3000000, 300000, ROUND_TRIP, NULL },
  [ROUND_ROBIN] = { "round-robin", "10,000 coroutines, resumed in turn: each time", "the limit", TIME,
                    2000000, 200000, ROUND_ROBIN, NULL },
  [SUSPENDED] = { "suspended", "100,000 coroutines that wait, with guards: memory of each", "the limit", BYTES,
                  100000, 20000, SUSPENDED, NULL },
  [TENANTS] = { "tenants", "create + run + destroy, for one tenant or for two in turn",
                "the same within one tenant of two", TIME, 300000, 30000, TENANTS, &subject_library_stays },
  [C10M] = { "c10m", "10,000,000 coroutines, 10,000 alive at a time, each yields once: each", "the limit", TIME,
             10000000, 1000000, C10M, NULL },
};

struct options {
  bool csv, check, quick, chosen[QUESTIONS];
  size_t rounds;
};

/* ---- Asking ----------------------------------------------------------------------- */

/* Each answer comes from a process of its own: it finds no memory warm or pool
 * filled by those before it, and what it leaves behind disturbs nobody. */
static bool ask_in_child(ask_t *ask, const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  int ends[2];
  bench_expect(pipe(ends) == 0, "no pipe");
  fflush(NULL);
  pid_t child = fork();
  bench_expect(child >= 0, "no process");
  if (child == 0) {
    double values[MAX_METRICS] = { 0 };
    ask(subject, count, values);
    _exit(write(ends[1], values, sizeof values) == (ssize_t)sizeof values ? 0 : 1);
  }
  close(ends[1]);
  bool complete = read(ends[0], answer, MAX_METRICS * sizeof *answer) == (ssize_t)(MAX_METRICS * sizeof *answer);
  close(ends[0]);
  int status;
  waitpid(child, &status, 0);
  return complete && status == 0;
}

static size_t make_rows(size_t q, struct row *rows)
{
  size_t count = 0;
  for (size_t s = 0; s < SUBJECTS; s++)
    for (size_t m = 0; m < questions[q].metric_count; m++)
      if (subjects[s]->asks[q] || subjects[s]->missing)
        rows[count++] = (struct row){ .question = &questions[q],
                                      .subject = subjects[s],
                                      .metric = &questions[q].metrics[m],
                                      .missing = subjects[s]->missing };
  return count;
}

/* Puts a question to the subject of some rows, one row for each metric. */
static void ask_subject(size_t q, size_t times, const double reference[MAX_METRICS], struct row *rows)
{
  double answer[MAX_METRICS];
  if (rows->missing)
    return;
  bool answered = ask_in_child(rows->subject->asks[q], rows->subject, times, answer);
  for (size_t m = 0; m < questions[q].metric_count; m++, rows++) {
    if (!answered) {
      rows->missing = "failed";
      rows->failed = true;
      continue;
    }
    rows->answers[rows->rounds] = answer[m];
    rows->ratios[rows->rounds] = answer[m] / reference[m];
    rows->rounds++;
  }
}

/* The reference is asked on its own, also where it is a row as well: that row's
 * ratio then shows how much two runs of the same thing differ. */
static void ask_round(size_t q, size_t times, struct row *rows, size_t count)
{
  double reference[MAX_METRICS];
  const struct subject *by = questions[q].by ? questions[q].by : subjects[0];
  bench_expect(ask_in_child(by->asks[questions[q].reference], by, times, reference), "no reference");
  for (size_t i = 0; i < count; i += questions[q].metric_count)
    ask_subject(q, times, reference, &rows[i]);
}

/* Puts one question to all, round by round; how many rows it gave. */
static size_t ask_question(size_t q, const struct options *options, struct row *rows)
{
  size_t count = make_rows(q, rows);
  size_t times = options->quick ? questions[q].quick_count : questions[q].count;
  for (size_t round = 0; round < options->rounds; round++) {
    if (isatty(STDERR_FILENO))
      fprintf(stderr, "\r\033[K%s: round %zu of %zu", questions[q].name, round + 1, options->rounds);
    ask_round(q, times, rows, count);
  }
  if (isatty(STDERR_FILENO))
    fprintf(stderr, "\r\033[K");
  return count;
}

static bool run(const struct options *options)
{
  static struct row rows[QUESTIONS * SUBJECTS * MAX_METRICS];
  size_t count = 0;
  report_machine(options->csv ? "# " : "");
  if (options->csv)
    report_csv_header();
  for (size_t q = 0; q < QUESTIONS; q++) {
    if (!options->chosen[q])
      continue;
    struct row *first = &rows[count];
    size_t added = ask_question(q, options, first);
    count += added;
    if (options->csv)
      report_csv(first, added);
    else
      report_table(&questions[q], first, added);
  }
  return !options->check || report_targets(rows, count);
}

/* ---- The command line ----------------------------------------------------------------- */

static const char usage[] =
  "wasmfx-bench [OPTION]... [QUESTION]...\n"
  "Measures libwasmfx against a bare switch of stacks (\"limit\") and others, in one run.\n"
  "  --list              the questions\n"
  "  --quick             fewer repetitions, for a look\n"
  "  --rounds N          rounds of each question (default 7)\n"
  "  --csv               comma-separated values\n"
  "  --check             compare with the figures that the library promises; exit status 1 if one is missed\n"
  "  --count SUBJECT N   only N round trips of one subject, for an instruction counter\n";

static void list(void)
{
  for (size_t q = 0; q < QUESTIONS; q++)
    printf("%-12s %s\n", questions[q].name, questions[q].about);
}

/* N round trips and nothing else; exit status 77 if the subject is not there. */
static int count_only(const char *name, const char *times)
{
  double answer[MAX_METRICS];
  for (size_t s = 0; s < SUBJECTS; s++)
    if (strcmp(subjects[s]->name, name) == 0) {
      if (!subjects[s]->asks[ROUND_TRIP])
        return 77;
      subjects[s]->asks[ROUND_TRIP](subjects[s], times ? strtoull(times, NULL, 10) : 0, answer);
      return 0;
    }
  bench_fail("no such subject");
}

static void choose(struct options *options, const char *name)
{
  for (size_t q = 0; q < QUESTIONS; q++)
    if (strcmp(questions[q].name, name) == 0) {
      options->chosen[q] = true;
      return;
    }
  fprintf(stderr, "wasmfx-bench: no question '%s'; --list shows them\n", name);
  exit(2);
}

static size_t rounds_option(const char *text)
{
  size_t rounds = strtoull(text, NULL, 10);
  if (rounds < 1 || rounds > MAX_ROUNDS)
    bench_fail("--rounds takes 1 to 101");
  return rounds;
}

int main(int argc, char **argv)
{
  enum { LIST, QUICK, ROUNDS, CSV, CHECK, COUNT, HELP };
  static const struct option names[] = {
    { "list", no_argument, NULL, LIST },        { "quick", no_argument, NULL, QUICK },
    { "rounds", required_argument, NULL, ROUNDS }, { "csv", no_argument, NULL, CSV },
    { "check", no_argument, NULL, CHECK },      { "count", required_argument, NULL, COUNT },
    { "help", no_argument, NULL, HELP },        { NULL, 0, NULL, 0 },
  };
  struct options options = { .rounds = 7 };
  for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;)
    switch (option) {
    case LIST: list(); return 0;
    case QUICK: options.quick = true; break;
    case ROUNDS: options.rounds = rounds_option(optarg); break;
    case CSV: options.csv = true; break;
    case CHECK: options.check = true; break;
    case COUNT: return count_only(optarg, argv[optind]);
    case HELP: fputs(usage, stdout); return 0;
    default: fputs(usage, stderr); return 2;
    }
  for (int i = optind; i < argc; i++)
    choose(&options, argv[i]);
  if (optind == argc)
    memset(options.chosen, true, sizeof options.chosen);
  pin_to_one_cpu();
  return run(&options) ? 0 : 1;
}
