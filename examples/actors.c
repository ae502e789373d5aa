/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What if all tasks wait for one another?
 *
 * Actors say for whom they wait, since they suspend with it. So when nobody can go
 * on, the scheduler can find the circle, and end it: it throws an exception into
 * one of those who wait. The actors are in actors.h.
 *
 * An account belongs to whoever asked first, until that one says by how much it
 * changes. Two transfers between the same accounts, in opposite directions, get one
 * account each and wait for the other.
 *
 * Expected output:
 *
 *     rent has ann (100)
 *     wages has bob (100)
 *     deadlock: rent waits for bob, bob for wages, wages for ann, ann for rent
 *     rent gives up
 *     wages has ann (100)
 *     ann 130, bob 70
 *     2 actors still wait, for anybody
 *
 * Next: pipes.c, where tasks hand over to one another.
 */
#include "actors.h"

enum { RENT, WAGES, ANN, BOB, ACTORS };

static struct actors scheduler;
static uint64_t account(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody);
static uint64_t transfer(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody);

static struct actor actors[ACTORS] = {
  [RENT] = { .name = "rent", .body = transfer },
  [WAGES] = { .name = "wages", .body = transfer },
  [ANN] = { .name = "ann", .body = account },
  [BOB] = { .name = "bob", .body = account },
};
static int balances[ACTORS] = { [ANN] = 100, [BOB] = 100 };

static uint64_t account(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody)
{
  (void)rt, (void)nothing, (void)nobody;
  struct actor *self = env;
  int *balance = &balances[self - actors];
  struct message message;
  while (actors_receive(&scheduler, NULL, &message)) {
    struct actor *owner = message.from;
    actors_send(self, owner, *balance);
    if (actors_receive(&scheduler, owner, &message))
      *balance += message.amount;
  }
  return 0;
}

static bool acquire(struct actor *self, struct actor *wanted)
{
  struct message balance;
  actors_send(self, wanted, 0);
  if (!actors_receive(&scheduler, wanted, &balance))
    return false;
  printf("%s has %s (%d)\n", self->name, wanted->name, balance.amount);
  return true;
}

static uint64_t transfer(wasmfx_runtime_t *rt, void *env, uint64_t nothing, wasmfx_cont_t nobody)
{
  (void)rt, (void)nothing, (void)nobody;
  struct actor *self = env;
  struct actor *source = &actors[self == &actors[RENT] ? ANN : BOB];
  struct actor *target = &actors[self == &actors[RENT] ? BOB : ANN];
  const bool has_both = acquire(self, source) && acquire(self, target);
  if (!has_both)
    printf("%s gives up\n", self->name);
  /* Both go back; if it gave up, the one that is still to come does so when it comes. */
  actors_send(self, source, has_both ? -30 : 0);
  actors_send(self, target, has_both ? 30 : 0);
  return 0;
}

static void run_until_nobody_can(void)
{
  bool somebody;
  do {
    somebody = false;
    for (size_t i = 0; i < ACTORS; i++)
      somebody |= actors_go_on(&scheduler, &actors[i]);
  } while (somebody);
}

static struct actor *find_deadlock(void)
{
  size_t i = 0;
  while (i < ACTORS && !actors_in_circle(&actors[i], ACTORS))
    i++;
  return i < ACTORS ? &actors[i] : NULL;
}

static void report(const struct actor *first)
{
  printf("deadlock: %s waits for %s", first->name, first->awaited->name);
  for (const struct actor *next = first->awaited; next != first; next = next->awaited)
    printf(", %s for %s", next->name, next->awaited->name);
  puts("");
}

int main(void)
{
  wasmfx_runtime_t *rt;
  struct actor *stuck;
  size_t idle;
  ok(wasmfx_runtime_new(NULL, &rt));
  scheduler = actors_new(rt);
  for (int i = 0; i < ACTORS; i++)
    actors_begin(&scheduler, &actors[i]);

  for (run_until_nobody_can(); (stuck = find_deadlock()); run_until_nobody_can()) {
    report(stuck);
    actors_break(&scheduler, stuck);
  }
  printf("ann %d, bob %d\n", balances[ANN], balances[BOB]);
  ok(wasmfx_runtime_free(rt, &idle));
  printf("%zu actors still wait, for anybody\n", idle);
  return 0;
}
