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
  &subject_limit,         &subject_limit_coloured, &subject_bare_ring,       &subject_pinned,
  &subject_fast,          &subject_fast_shared,    &subject_fast_default,    &subject_fast_dense,
     &subject_plain,           &subject_plain_shared,
  &subject_plain_16k,     &subject_fiber,          &subject_fiber_fast,      &subject_fcontext,
  &subject_state_machine, &subject_host_stack,     &subject_tenants_stays,   &subject_tenants_turns,
  &subject_tenants_crosses,
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

#define TIME { { "time", "ns" } }, 1
#define BYTES { { "resident", "bytes" }, { "page-tables", "bytes" }, { "total", "bytes" } }, 3

#define TIME_AND_PEAK { { "time", "ns" }, { "peak", "MB" } }, 2
#define RATE { { "time", "ns" }, { "rate", "M/s" }, { "linear", "%" } }, 3

#define STATE_MACHINE "the state machine"
#define HOST_STACK "the same on the host's stack"
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
  [RR100] = { "rr100", "100 coroutines that keep something in their frames, resumed in turn: each time",
              "the coloured limit", TIME,
              3000000, 300000, RR100, &subject_limit_coloured },
  [RR10000] = { "rr10000", "10,000 of them: each time", "the coloured limit", TIME,
                2000000, 200000, RR10000, &subject_limit_coloured },
  [C10M_IO0] = { "c10m-io0", "10,000,000 coroutines, 10,000 alive at a time, each yields once: each",
                 "the coloured limit", TIME_AND_PEAK, 10000000, 1000000, C10M_IO0, &subject_limit_coloured },
  [C10M_IO1] = { "c10m-io1", "the same with some work before and after the yield, each", STATE_MACHINE, TIME_AND_PEAK,
                 1000000, 100000, C10M_IO1, &subject_state_machine },
  [C10M_IO10] = { "c10m-io10", "the same with ten yields", STATE_MACHINE, TIME_AND_PEAK,
                  200000, 20000, C10M_IO10, &subject_state_machine },
  [C10M_IO1_SHUFFLED] = { "c10m-io1-shuffled", "with one, where they are not resumed in order", STATE_MACHINE,
                          TIME_AND_PEAK, 1000000, 100000, C10M_IO1_SHUFFLED, &subject_state_machine },
  [SUSPENDED] = { "memory-suspended", "100,000 coroutines that wait, with guards: memory of each", "the limit", BYTES,
                  100000, 20000, SUSPENDED, NULL },
  [FRESH] = { "memory-fresh", "a million continuations that have never run: memory of each", NULL, BYTES,
              1000000, 100000, NOTHING, NULL },
  [DEEP_WARM] = { "deep-warm", "a coroutine goes a thousand calls down and up again, on a stack that it knows: each",
                  HOST_STACK, TIME, 20000000, 2000000, DEEP_WARM, &subject_host_stack },
  [DEEP_COLD] = { "deep-cold", "the same, each time in another that is new, as is its stack", HOST_STACK, TIME,
                  4000000, 1000000, DEEP_COLD, &subject_host_stack },
  [THREADS] = { "threads", "threads that resume coroutines of their own, each on a CPU: a resume, and all of them",
                NULL, RATE, 10000000, 2000000, NOTHING, NULL },
  [LIVE_AT] = { "live", "so many coroutines, resumed in turn: each time", ROUND_TRIP_OF_LIMIT, TIME,
                2000000, 200000, ROUNDTRIP, NULL },
  [SEARCH_AT] = { "search", "suspended from so many continuations deep, again and again", ROUND_TRIP_OF_LIMIT, TIME,
                  2000000, 200000, ROUNDTRIP, NULL },
  [SEARCH_FIRST_AT] = { "search-first", "the same, each time for another tag than the last", ROUND_TRIP_OF_LIMIT, TIME,
                        200000, 20000, ROUNDTRIP, NULL },
  [MEMORY_AT] = { "memory", "so many coroutines that wait, with guards: memory of each", "the limit", BYTES,
                  1, 1, MEMORY_AT, NULL },
  [TENANTS] = { "tenants", "create + run + destroy, for one tenant or for two in turn",
                "the same within one tenant of two", TIME, 300000, 30000, TENANTS, &subject_tenants_stays },
};

/* Questions that are asked for numbers, each in rows of its own. */
static const struct points {
  size_t at[MAX_POINTS]; /* up to a 0 */
  size_t few;            /* how many of them are enough unless the question is named */
  bool is_threaded;      /* they are numbers of threads, each on a CPU of its own */
} points[QUESTIONS] = {
  [THREADS] = { { 1, 2, 4, 8, 16 }, MAX_POINTS, true },
  [LIVE_AT] = { { 1, 10, 100, 1000, 10000, 100000, 1000000 }, 5, false },
  [SEARCH_AT] = { { 1, 3, 10, 30, 100, 300, 1000 }, 5, false },
  [SEARCH_FIRST_AT] = { { 1, 3, 10, 30, 100, 300, 1000 }, 5, false },
  [MEMORY_AT] = { { 10, 100, 1000, 10000, 100000, 1000000 }, 4, false },
};

struct options {
  bool csv, check, quick, answer, by_name, chosen[QUESTIONS];
  size_t rounds; /* 0: as many as are usual */
  size_t at[MAX_POINTS + 1], at_count; /* instead of the points of the questions, up to a 0 */
};

size_t asked_at;

/* ---- Asking ----------------------------------------------------------------------- */

static bool answer_to(size_t q, const struct subject *subject, size_t count, int to)
{
  double values[MAX_METRICS] = { 0 };
  subject->asks[q](subject, count, values);
  for (size_t m = 0; m < questions[q].metric_count; m++)
    if (strcmp(questions[q].metrics[m].name, "peak") == 0) /* which no subject has to measure */
      values[m] = memory_peak() / 1e6;
  return write(to, values, sizeof values) == (ssize_t)sizeof values;
}

/* The same program, linked with the shared library, answers on its standard output. */
static _Noreturn void ask_elsewhere(size_t q, const struct subject *subject, size_t count, int to)
{
  char path[4096], times[32], at[32];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof "-shared");
  bench_expect(length > 0 && dup2(to, STDOUT_FILENO) >= 0, "cannot ask the other program");
  strcpy(path + length, "-shared");
  snprintf(times, sizeof times, "%zu", count);
  snprintf(at, sizeof at, "--at=%zu", asked_at);
  execl(path, path, "--answer", questions[q].name, subject->elsewhere, times, asked_at ? at : NULL, (char *)NULL);
  bench_fail("wasmfx-bench-shared is not there");
}

/* Each answer comes from a process of its own: it finds no memory warm or pool
 * filled by those before it, and what it leaves behind disturbs nobody. */
static bool ask_in_child(size_t q, size_t at, const struct subject *subject, size_t count, double answer[MAX_METRICS])
{
  int ends[2];
  bench_expect(pipe(ends) == 0, "no pipe");
  fflush(NULL);
  pid_t child = fork();
  bench_expect(child >= 0, "no process");
  if (child == 0) {
    asked_at = at;
    if (points[q].is_threaded)
      unpin();
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

/* The numbers for which a question is asked, up to a 0; a 0 alone, if it has none. */
static const size_t *numbers_of(size_t q, const struct options *options, size_t numbers[MAX_POINTS + 1])
{
  const bool all = options->by_name && !options->quick;
  size_t count = 0;
  if (options->at_count && points[q].at[0])
    return options->at;
  while (count < MAX_POINTS && points[q].at[count] && (all || count < points[q].few)) {
    numbers[count] = points[q].at[count];
    count++;
  }
  numbers[count] = 0;
  return numbers;
}

/* Whether there are rows for it. Curves of the shared library are not drawn, and threads that have to share a CPU say
 * nothing about the library. */
static bool can_ask(size_t q, const struct subject *subject, size_t at)
{
  if (!subject->asks[q] && !subject->missing)
    return false;
  if (points[q].is_threaded)
    return at <= count_cpus();
  return !at || !subject->elsewhere;
}

static size_t make_rows(size_t q, const struct options *options, struct row *rows)
{
  size_t count = 0, space[MAX_POINTS + 1] = { 0 };
  const size_t *at = numbers_of(q, options, space);
  for (size_t i = 0; i == 0 || at[i]; i++)
    for (size_t s = 0; s < SUBJECTS; s++)
      for (size_t m = 0; m < questions[q].metric_count && can_ask(q, subjects[s], at[i]); m++)
        rows[count++] = (struct row){ .question = &questions[q],
                                      .subject = subjects[s],
                                      .metric = &questions[q].metrics[m],
                                      .at = at[i],
                                      .missing = subjects[s]->missing };
  return count;
}

/* Puts a question to the subject of some rows, one row for each metric. */
static void ask_subject(size_t q, size_t times, const double reference[MAX_METRICS], struct row *rows)
{
  double answer[MAX_METRICS];
  if (rows->missing)
    return;
  bool answered = ask_in_child(q, rows->at, rows->subject, times, answer);
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
  const size_t of = (size_t)questions[q].reference;
  for (size_t i = 0; i < count; i += questions[q].metric_count) {
    const bool is_known = i > 0 && (of != q || rows[i].at == rows[i - 1].at);
    if (of != NOTHING && !is_known)
      bench_expect(ask_in_child(of, of == q ? rows[i].at : 0, by, times, reference), "no reference");
    ask_subject(q, times, reference, &rows[i]);
  }
}

/* Puts one question to all, round by round; how many rows it gave. */
static size_t ask_question(size_t q, const struct options *options, struct row *rows)
{
  size_t count = make_rows(q, options, rows);
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
  static struct row rows[QUESTIONS * SUBJECTS * MAX_METRICS * MAX_POINTS];
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
      report_table(&questions[q], first, added, options->rounds);
  }
  return !options->check || report_targets(rows, count);
}

/* ---- The command line ----------------------------------------------------------------- */

static const char usage[] =
  "wasmfx-bench [OPTION]... [QUESTION]...\n"
  "Measures libwasmfx against a bare switch of stacks (\"limit\") and others, in one run.\n"
  "  --list              the questions\n"
  "  --quick             fewer repetitions, for a look\n"
  "  --rounds N          rounds of each question (default 7; with --quick, 3)\n"
  "  --at N              for questions that ask how many or how deep: for N, once or more often, instead of what the\n"
  "                      list shows, of which the far end is left out unless the question is named\n"
  "  --csv               comma-separated values\n"
  "  --check             compare with the figures that the library promises; exit status 1 if one is missed\n"
  "  --answer QUESTION SUBJECT N   one answer, as binary: for a counter of instructions\n";

static void list(void)
{
  for (size_t q = 0; q < QUESTIONS; q++) {
    printf("%-18s %s", questions[q].name, questions[q].about);
    for (size_t p = 0; p < MAX_POINTS && points[q].at[p]; p++)
      printf("%s%zu", p ? ", " : "; --at ", points[q].at[p]);
    printf("\n");
  }
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
      if (!asked_at)
        asked_at = points[q].at[0];
      return answer_to(q, subjects[s], strtoull(words[2], NULL, 10), STDOUT_FILENO) ? 0 : 1;
    }
  bench_fail("no such subject");
}

static void at_option(const char *text, struct options *options)
{
  const size_t at = strtoull(text, NULL, 10);
  if (at < 1 || at > 10000000 || options->at_count == MAX_POINTS)
    bench_fail("--at takes 1 to 10000000, and eight of them at most");
  options->at[options->at_count++] = at;
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
  enum { LIST, QUICK, ROUNDS, AT, CSV, CHECK, ANSWER, HELP };
  static const struct option names[] = {
    { "list", no_argument, NULL, LIST },        { "quick", no_argument, NULL, QUICK },
    { "rounds", required_argument, NULL, ROUNDS }, { "csv", no_argument, NULL, CSV },
    { "check", no_argument, NULL, CHECK },      { "answer", no_argument, NULL, ANSWER },
    { "at", required_argument, NULL, AT },      { "help", no_argument, NULL, HELP },
    { NULL, 0, NULL, 0 },
  };
  struct options options = { .rounds = 0 };
  for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;)
    switch (option) {
    case LIST: list(); return 0;
    case QUICK: options.quick = true; break;
    case ROUNDS: options.rounds = rounds_option(optarg); break;
    case AT: at_option(optarg, &options); break;
    case CSV: options.csv = true; break;
    case CHECK: options.check = true; break;
    case ANSWER: options.answer = true; break;
    case HELP: fputs(usage, stdout); return 0;
    default: fputs(usage, stderr); return 2;
    }
  asked_at = options.at[0];
  if (options.answer)
    return answer_only(argv + optind, argc - optind);
  options.by_name = optind < argc;
  if (!options.rounds)
    options.rounds = options.quick ? 3 : 7;
  for (int i = optind; i < argc; i++)
    options.chosen[question_of(argv[i])] = true;
  if (optind == argc)
    memset(options.chosen, true, sizeof options.chosen);
  pin_to_one_cpu();
  return run(&options) ? 0 : 1;
}
