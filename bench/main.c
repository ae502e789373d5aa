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
  &subject_limit,        &subject_limit_coloured, &subject_bare_ring,      &subject_pinned,
  &subject_fast,         &subject_fast_shared,    &subject_plain,          &subject_plain_shared,
  &subject_plain_16k,    &subject_fiber,          &subject_fiber_fast,     &subject_fcontext,
  &subject_state_machine,
  &subject_tenants_stays, &subject_tenants_turns, &subject_tenants_crosses,
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

#define TIME { { "time", "ns" } }, 1
#define BYTES { { "resident", "bytes" }, { "page-tables", "bytes" }, { "total", "bytes" } }, 3

#define STATE_MACHINE "the state machine"
#define ROUND_TRIP_OF_LIMIT "the round trip of the limit"

static const struct question questions[QUESTIONS] = {
  [ROUNDTRIP] = { "roundtrip", "resume one coroutine, which suspends again", ROUND_TRIP_OF_LIMIT, TIME,
                  5000000, 500000, ROUNDTRIP, NULL },
  [TABLE8] = { "table8", "the same, where the last of eight clauses matches", ROUND_TRIP_OF_LIMIT, TIME,
               5000000, 500000, ROUNDTRIP, NULL },
  [DEPTH1] = { "depth1", "the same, where the second of two clauses would not", ROUND_TRIP_OF_LIMIT, TIME,
               5000000, 500000, ROUNDTRIP, NULL },
  [DEPTH10] = { "depth10", "the same from ten continuations deep, again and again", ROUND_TRIP_OF_LIMIT, TIME,
                5000000, 500000, ROUNDTRIP, NULL },
  [DEPTH100] = { "depth100", "the same from a hundred deep", ROUND_TRIP_OF_LIMIT, TIME,
                 5000000, 500000, ROUNDTRIP, NULL },
  [DEPTH100_FIRST] = { "depth100-first", "the same, each time for another tag than the last", ROUND_TRIP_OF_LIMIT,
                       TIME, 500000, 50000, ROUNDTRIP, NULL },
  [INPLACE1] = { "inplace1", "a suspension that a handler answers in place", ROUND_TRIP_OF_LIMIT, TIME,
                 5000000, 500000, ROUNDTRIP, NULL },
  [INPLACE100] = { "inplace100", "the same, with that handler a hundred continuations away", ROUND_TRIP_OF_LIMIT, TIME,
                   5000000, 500000, ROUNDTRIP, NULL },
  [RING2] = { "ring2", "two coroutines that switch to each other: each switch", "the bare ring", TIME,
              5000000, 500000, RING2, &subject_bare_ring },
  [RING1000] = { "ring1000", "a thousand in a ring", "the bare ring", TIME,
                 5000000, 500000, RING1000, &subject_bare_ring },
  [CREATE] = { "create", "create + run + destroy, out of a pool", ROUND_TRIP_OF_LIMIT, TIME,
               3000000, 300000, ROUNDTRIP, NULL },
  [RR100] = { "rr100", "100 coroutines, resumed in turn: each time", "the coloured limit", TIME,
              3000000, 300000, RR100, &subject_limit_coloured },
  [RR10000] = { "rr10000", "10,000 coroutines, resumed in turn: each time", "the coloured limit", TIME,
                2000000, 200000, RR10000, &subject_limit_coloured },
  [C10M_IO0] = { "c10m-io0", "10,000,000 coroutines, 10,000 alive at a time, each yields once: each",
                 "the coloured limit", TIME, 10000000, 1000000, C10M_IO0, &subject_limit_coloured },
  [C10M_IO1] = { "c10m-io1", "the same with some work before and after the yield, each", STATE_MACHINE, TIME,
                 1000000, 100000, C10M_IO1, &subject_state_machine },
  [C10M_IO10] = { "c10m-io10", "the same with ten yields", STATE_MACHINE, TIME,
                  200000, 20000, C10M_IO10, &subject_state_machine },
  [C10M_IO1_SHUFFLED] = { "c10m-io1-shuffled", "with one, where they are not resumed in order", STATE_MACHINE, TIME,
                          1000000, 100000, C10M_IO1_SHUFFLED, &subject_state_machine },
  [SUSPENDED] = { "memory-suspended", "100,000 coroutines that wait, with guards: memory of each", "the limit", BYTES,
                  100000, 20000, SUSPENDED, NULL },
  [FRESH] = { "memory-fresh", "a million continuations that have never run: memory of each", "a byte", BYTES,
              1000000, 100000, NOTHING, NULL },
  [TENANTS] = { "tenants", "create + run + destroy, for one tenant or for two in turn",
                "the same within one tenant of two", TIME, 300000, 30000, TENANTS, &subject_tenants_stays },
};

struct options {
  bool csv, check, quick, chosen[QUESTIONS];
  size_t rounds;
};

/* ---- Asking ----------------------------------------------------------------------- */

static bool answer_to(size_t q, const struct subject *subject, size_t count, int to)
{
  double values[MAX_METRICS] = { 0 };
  subject->asks[q](subject, count, values);
  return write(to, values, sizeof values) == (ssize_t)sizeof values;
}

/* The same program, linked with the shared library, answers on its standard output. */
static _Noreturn void ask_elsewhere(size_t q, const struct subject *subject, size_t count, int to)
{
  char path[4096], times[32];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof "-shared");
  bench_expect(length > 0 && dup2(to, STDOUT_FILENO) >= 0, "cannot ask the other program");
  strcpy(path + length, "-shared");
  snprintf(times, sizeof times, "%zu", count);
  execl(path, path, "--answer", questions[q].name, subject->elsewhere, times, (char *)NULL);
  bench_fail("wasmfx-bench-shared is not there");
}

/* Each answer comes from a process of its own: it finds no memory warm or pool
 * filled by those before it, and what it leaves behind disturbs nobody. */
static bool ask_in_child(size_t q, const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  int ends[2];
  bench_expect(pipe(ends) == 0, "no pipe");
  fflush(NULL);
  pid_t child = fork();
  bench_expect(child >= 0, "no process");
  if (child == 0) {
    if (subject->elsewhere)
      ask_elsewhere(q, subject, count, ends[1]);
    _exit(answer_to(q, subject, count, ends[1]) ? 0 : 1);
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
  bool answered = ask_in_child(q, rows->subject, times, answer);
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
  double reference[MAX_METRICS] = { 1, 1, 1 };
  const struct subject *by = questions[q].by ? questions[q].by : subjects[0];
  if (questions[q].reference != NOTHING)
    bench_expect(ask_in_child(questions[q].reference, by, times, reference), "no reference");
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
  "  --answer QUESTION SUBJECT N   one answer, as binary: for a counter of instructions\n";

static void list(void)
{
  for (size_t q = 0; q < QUESTIONS; q++)
    printf("%-16s %s\n", questions[q].name, questions[q].about);
}

static size_t question_of(const char *name)
{
  for (size_t q = 0; q < QUESTIONS; q++)
    if (strcmp(questions[q].name, name) == 0)
      return q;
  fprintf(stderr, "wasmfx-bench: no question '%s'; --list shows them\n", name);
  exit(2);
}

/* One question to one subject and nothing else; exit status 77 if it has no answer. For an instruction counter, and for
 * the program that this one asks. */
static int answer_only(char **words, int count)
{
  if (count != 3)
    bench_fail("--answer takes a question, a subject and a number");
  const size_t q = question_of(words[0]);
  for (size_t s = 0; s < SUBJECTS; s++)
    if (strcmp(subjects[s]->name, words[1]) == 0) {
      if (!subjects[s]->asks[q] || subjects[s]->missing)
        return 77;
      return answer_to(q, subjects[s], strtoull(words[2], NULL, 10), STDOUT_FILENO) ? 0 : 1;
    }
  bench_fail("no such subject");
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
  enum { LIST, QUICK, ROUNDS, CSV, CHECK, ANSWER, HELP };
  static const struct option names[] = {
    { "list", no_argument, NULL, LIST },        { "quick", no_argument, NULL, QUICK },
    { "rounds", required_argument, NULL, ROUNDS }, { "csv", no_argument, NULL, CSV },
    { "check", no_argument, NULL, CHECK },      { "answer", no_argument, NULL, ANSWER },
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
    case ANSWER: return answer_only(argv + optind, argc - optind);
    case HELP: fputs(usage, stdout); return 0;
    default: fputs(usage, stderr); return 2;
    }
  for (int i = optind; i < argc; i++)
    options.chosen[question_of(argv[i])] = true;
  if (optind == argc)
    memset(options.chosen, true, sizeof options.chosen);
  pin_to_one_cpu();
  return run(&options) ? 0 : 1;
}
