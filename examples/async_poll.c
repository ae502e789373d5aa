/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How does a task wait for the outside world without holding up the others?
 *
 * It suspends with what it waits for: a descriptor to be readable, a time, the end
 * of another task. The event loop in async.h gathers these wishes, sleeps in
 * poll(2), and resumes whom the answer concerns. Who awaits a task that fails gets
 * its exception, there where the await stands.
 *
 * Two sensors write into pipes, each at its own pace; for each pipe there is a task
 * that adds up what arrives. A reading below zero makes no sense to it: it fails.
 *
 * Expected output:
 *
 *     cellar: 5
 *     roof: 20
 *     cellar: 6
 *     cellar: 7
 *     the cellar adds up to 18
 *     roof: -27
 *     the roof failed: -27 makes no sense
 *
 * Next: interpreter/main.c, an engine that has all this as instructions.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "async.h"

#include <unistd.h>

static struct async loop;

struct sensor {
  const char *name;
  int32_t readings[4]; /* up to a 0 */
  int64_t pace;        /* ms between two */
  int from, to;        /* the two ends of the pipe */
};

static uint64_t measure(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody)
{
  (void)rt, (void)nothing, (void)nobody;
  const struct sensor *sensor = env;
  for (int i = 0; sensor->readings[i]; i++) {
    async_until(&loop, (i + 1) * sensor->pace);
    if (write(sensor->to, &sensor->readings[i], sizeof(int32_t)) != sizeof(int32_t))
      break;
  }
  close(sensor->to);
  return 0;
}

/* False after the last one. */
static bool receive(const struct sensor *sensor, int32_t *reading)
{
  async_readable(&loop, sensor->from);
  return read(sensor->from, reading, sizeof *reading) == sizeof *reading;
}

static uint64_t add_up(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody)
{
  (void)rt, (void)nothing, (void)nobody;
  const struct sensor *sensor = env;
  int32_t sum = 0, reading;
  while (receive(sensor, &reading)) {
    printf("%s: %d\n", sensor->name, reading);
    if (reading < 0)
      async_fail(&loop, reading);
    sum += reading;
  }
  return (uint32_t)sum;
}

static uint64_t report(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody)
{
  (void)rt, (void)nothing, (void)nobody;
  struct sensor *sensors = env;
  const struct async_task *sums[2];
  for (int i = 0; i < 2; i++) {
    (void)async_spawn(&loop, measure, &sensors[i]);
    sums[i] = async_spawn(&loop, add_up, &sensors[i]);
  }
  for (int i = 0; i < 2; i++) {
    const wasmfx_outcome_t outcome = async_await(&loop, sums[i]);
    if (outcome.status == WASMFX_RETURNED)
      printf("the %s adds up to %d\n", sensors[i].name, (int32_t)outcome.word);
    else if (outcome.status == WASMFX_THREW)
      printf("the %s failed: %d makes no sense\n", sensors[i].name, outcome.exception->values[0].i32);
  }
  return 0;
}

int main(void)
{
  struct sensor sensors[] = {
    { .name = "cellar", .readings = { 5, 6, 7 }, .pace = 20 },
    { .name = "roof", .readings = { 20, -27, 21 }, .pace = 35 },
  };
  wasmfx_runtime_t *rt;
  ok(wasmfx_runtime_new(NULL, &rt));
  async_init(&loop, rt);
  for (int i = 0; i < 2; i++) {
    int ends[2];
    expect(pipe(ends), 0);
    sensors[i].from = ends[0];
    sensors[i].to = ends[1];
  }
  (void)async_spawn(&loop, report, sensors);
  async_run(&loop);
  for (int i = 0; i < 2; i++)
    close(sensors[i].from);
  ok(wasmfx_runtime_free(rt, NULL));
  return 0;
}
