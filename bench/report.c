/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

double median(const double *values, size_t count)
{
  double sorted[MAX_ROUNDS];
  memcpy(sorted, values, count * sizeof *values);
  qsort(sorted, count, sizeof *sorted, by_value);
  return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

double minimum(const double *values, size_t count)
{
  double least = values[0];
  for (size_t i = 1; i < count; i++)
    if (values[i] < least)
      least = values[i];
  return least;
}

static bool is_ratio(const struct question *question)
{
  return question->reference != NOTHING;
}

/* A name, and behind it the point, if the question has some. */
static const char *with_point(char *text, size_t size, const char *name, size_t at)
{
  if (!at)
    return name;
  snprintf(text, size, "%s@%zu", name, at);
  return text;
}

void report_table(const struct question *question, const struct row *rows, size_t count, size_t rounds)
{
  printf("\n%s: %s\n", question->name, question->about);
  printf("  %-16s %-17s %10s %10s %-6s %8s\n", "subject", "metric", "median", "min", "unit",
         !is_ratio(question) ? "" : question->by ? "x" : "x limit");
  for (size_t i = 0; i < count; i++) {
    const struct row *row = &rows[i];
    char text[32], ratio[32] = "";
    const char *metric = with_point(text, sizeof text, row->metric->name, row->at);
    if (row->missing) {
      printf("  %-16s %-17s %s\n", row->subject->name, metric, row->missing);
      continue;
    }
    if (is_ratio(question))
      snprintf(ratio, sizeof ratio, "%.2f", median(row->ratios, row->rounds));
    printf("  %-16s %-17s %10.2f %10.2f %-6s %8s  %s\n", row->subject->name, metric,
           median(row->answers, row->rounds), minimum(row->answers, row->rounds), row->metric->unit, ratio,
           row->subject->about);
  }
  if (is_ratio(question))
    printf("  1 x is %s; medians of %zu rounds, ratios taken within each round.\n", question->one, rounds);
  else
    printf("  Medians of %zu rounds.\n", rounds);
  fflush(stdout);
}

void report_csv_header(void)
{
  printf("question,subject,metric,median,min,unit,rounds\n");
}

void report_csv(const struct row *rows, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    const struct row *row = &rows[i];
    char text[64];
    const char *name = with_point(text, sizeof text, row->question->name, row->at);
    if (row->missing)
      continue;
    printf("%s,%s,%s,%.3f,%.3f,%s,%zu\n", name, row->subject->name, row->metric->name,
           median(row->answers, row->rounds), minimum(row->answers, row->rounds), row->metric->unit, row->rounds);
    if (is_ratio(row->question))
      printf("%s,%s,%s-ratio,%.3f,%.3f,x %s,%zu\n", name, row->subject->name, row->metric->name,
             median(row->ratios, row->rounds), minimum(row->ratios, row->rounds),
             row->question->by ? row->question->by->name : "limit", row->rounds);
  }
  fflush(stdout);
}

/* ---- Targets ------------------------------------------------------------------- */

/* A figure that the library promises. */
struct target {
  const char *question, *metric, *text;
  const char *rival; /* "fcontext": at most what that one needs; NULL: at most `most` */
  bool absolute;     /* `most` is in the metric's unit, otherwise in multiples of the limit */
  double most;
};

static const struct target targets[] = {
  { "roundtrip", "time", "round trip: at most 6 x limit", NULL, false, 6 },
  { "roundtrip", "time", "round trip: faster than fcontext", "fcontext", false, 0 },
  { "create", "time", "create + run + destroy: at most 12 x limit's round trip", NULL, false, 12 },
  { "memory-suspended", "total", "suspended: at most 4.3 KiB with page tables", NULL, true, 4403 },
  { "c10m-io0", "time", "C10M without I/O: at most 3 x the coloured limit", NULL, false, 3 },
};

static const struct row *find_row(const struct row *rows, size_t count, const struct target *target,
                                  const char *subject)
{
  for (size_t i = 0; i < count; i++)
    if (strcmp(rows[i].question->name, target->question) == 0 && strcmp(rows[i].subject->name, subject) == 0 &&
        strcmp(rows[i].metric->name, target->metric) == 0)
      return &rows[i];
  return NULL;
}

static bool report_target(const struct row *rows, size_t count, const struct target *target)
{
  const struct row *library = find_row(rows, count, target, "plain");
  const struct row *rival = target->rival ? find_row(rows, count, target, target->rival) : library;
  if (!library || !rival || library->missing || rival->missing) {
    bool failed = (library && library->failed) || (rival && rival->failed);
    printf("  %s  %s: not measured\n", failed ? "MISS" : "--  ", target->text);
    return !failed;
  }
  double most = target->rival ? median(rival->ratios, rival->rounds) : target->most;
  double is = median(target->absolute ? library->answers : library->ratios, library->rounds);
  printf("  %s  %s: %.2f of %.2f\n", is <= most ? "ok  " : "MISS", target->text, is, most);
  return is <= most;
}

bool report_targets(const struct row *rows, size_t count)
{
  bool all = true;
  printf("\ntargets:\n");
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
    all = report_target(rows, count, &targets[i]) && all;
  return all;
}
