/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_H
#define BENCH_H
/*
 * Benchmarks are questions put to subjects. A round puts each question to every
 * subject in turn, so that what the machine does meanwhile hits all of them;
 * answers are compared within a round, and the median over the rounds is shown.
 */
#include <stdbool.h>
#include <stddef.h>

enum { MAX_METRICS = 3, MAX_ROUNDS = 101, MAX_POINTS = 8, LIVE = 10000 };

enum {
  ROUNDTRIP,
  TABLE8,
  DEPTH1,
  DEPTH10,
  DEPTH100,
  DEPTH100_FIRST,
  INPLACE1,
  INPLACE100,
  RING2,
  RING1000,
  CREATE,
  RR100,
  RR10000,
  C10M_IO0,
  C10M_IO1,
  C10M_IO10,
  C10M_IO1_SHUFFLED,
  DEEP_WARM,
  DEEP_COLD,
  SUSPENDED,
  FRESH,
  TENANTS,
  THREADS,
  LIVE_AT,
  SEARCH_AT,
  SEARCH_FIRST_AT,
  MEMORY_AT,
  QUESTIONS,
  NOTHING = QUESTIONS /* where ratios are what was measured */
};

struct subject;

/* Does something `count` times and stores the metrics of its question. Set-up
 * and tear-down are not timed. Runs in a process of its own. */
typedef void ask_t(const struct subject *subject, size_t count, double answer[MAX_METRICS]);

/* What is compared. Where a question makes no sense, its answer is NULL. */
struct subject {
  const char *name;
  const char *about;
  const char *missing; /* why it cannot be asked here, or NULL */
  const char *elsewhere; /* the name of the subject of wasmfx-bench-shared that is asked, or NULL */
  bool coloured;       /* for those that use stacks.h */
  size_t stack_bytes;  /* for the library; 0: its default */
  bool dense;          /* for the library: its dense stacks */
  unsigned tenants;    /* for the library: how many there are; 0: it knows of none */
  unsigned turns;      /* how many of them take turns */
  unsigned max_stacks; /* for the library; 0: its default */
  ask_t *asks[QUESTIONS];
};

extern const struct subject subject_limit, subject_limit_coloured, subject_bare_ring, subject_host_stack,
  subject_fcontext, subject_plain, subject_plain_shared, subject_plain_16k, subject_fast, subject_fast_shared,
  subject_fast_default, subject_fast_dense,
  subject_pinned, subject_fiber, subject_fiber_fast, subject_state_machine, subject_tenants_stays,
  subject_tenants_turns, subject_tenants_crosses;

/* ---- For subjects ------------------------------------------------------------ */

/* Time that this process has had on a CPU, not what others took in between. */
double now_ns(void);

/* Resident bytes of this process, and bytes of its page tables. */
struct memory {
  double resident, page_tables;
};
struct memory memory_now(void);

/* The number that a question is asked for: how many, or how deep. 0: it asks for none. */
extern size_t asked_at;

/* Ends the program. A measurement that came to a wrong result is not shown. */
_Noreturn void bench_fail(const char *why);

static inline void bench_expect(bool right, const char *what)
{
  if (!right)
    bench_fail(what);
}

/* ---- For the program ---------------------------------------------------------- */

struct metric {
  const char *name, *unit;
};

struct question {
  const char *name;
  const char *about;
  const char *one; /* what a ratio of 1 is */
  struct metric metrics[MAX_METRICS];
  size_t metric_count;
  size_t count, quick_count; /* how often a round does it */
  int reference;             /* what is asked for the ratios */
  const struct subject *by;  /* who is asked that; NULL: the first subject */
};

/* One line of the result: the answers of a subject in one metric, and their
 * ratios to the reference of the same round. */
struct row {
  const struct question *question;
  const struct subject *subject;
  const struct metric *metric;
  size_t at;           /* the number that the question is asked for, or 0 */
  const char *missing; /* why there are no answers, or NULL */
  bool failed;         /* there should be, but something went wrong */
  size_t rounds;
  double answers[MAX_ROUNDS], ratios[MAX_ROUNDS];
};

double median(const double *values, size_t count);
double minimum(const double *values, size_t count);

void report_machine(const char *prefix);
void report_table(const struct question *question, const struct row *rows, size_t count, size_t rounds);
void report_csv_header(void);
void report_csv(const struct row *rows, size_t count);

/* Compares with the figures that the library promises; false if it misses one. */
bool report_targets(const struct row *rows, size_t count);

/* The most bytes that this process has had resident at once. */
double memory_peak(void);

void pin_to_one_cpu(void);
/* Where it was allowed to run before. */
void unpin(void);
size_t count_cpus(void);
#endif
