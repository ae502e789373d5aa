/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_EXAMPLES_ACTORS_H
#define WASMFX_EXAMPLES_ACTORS_H
/**
 * @file actors.h
 * Actors: tasks that share nothing and send messages. One that wants a message
 * suspends and says of whom; it is resumed when its mailbox has such a message.
 */
#include <stdbool.h>
#include <string.h>

#include "check.h"

#define ACTORS_MAILBOX 8

struct message {
  struct actor *from;
  int amount;
};

struct actor {
  const char *name;
  wasmfx_word_entry_t body; /* gets the actor as its env */
  wasmfx_cont_t cont;       /* null before it begins and when it has ended */
  struct actor *awaited;    /* of whom it wants a message; NULL: of anybody */
  struct message mailbox[ACTORS_MAILBOX];
  size_t count;
};

struct actors {
  wasmfx_runtime_t *rt;
  wasmfx_type_t *thunk;
  wasmfx_tag_t *receive;  /* [sender] -> [message] */
  wasmfx_tag_t *deadlock; /* [], an exception */
  wasmfx_handlers_t *on_receive;
};

static inline struct actors actors_new(wasmfx_runtime_t *rt)
{
  static const wasmfx_kind_t externref = WASMFX_EXTERNREF;
  struct actors actors = { .rt = rt };
  wasmfx_type_t *of_receive;
  ok(wasmfx_type_new(rt, NULL, 0, NULL, 0, &actors.thunk));
  ok(wasmfx_type_new(rt, &externref, 1, &externref, 1, &of_receive));
  ok(wasmfx_tag_new(rt, of_receive, &actors.receive));
  ok(wasmfx_tag_new(rt, actors.thunk, &actors.deadlock));
  const wasmfx_clause_t on_receive = { .tag = actors.receive, .kind = WASMFX_ON_LABEL };
  ok(wasmfx_handlers_new(rt, &on_receive, 1, &actors.on_receive));
  return actors;
}

static inline void actors_send(struct actor *from, struct actor *to, int amount)
{
  expect(to->count < ACTORS_MAILBOX ? WASMFX_OK : WASMFX_ERROR_LIMIT, WASMFX_OK);
  to->mailbox[to->count++] = (struct message){ from, amount };
}

/** The next message of `from`, or of anybody if that is NULL. False if it cannot come: there is a deadlock. */
static inline bool actors_receive(const struct actors *actors, struct actor *from, struct message *message)
{
  const wasmfx_outcome_t outcome = wasmfx_suspend_word(actors->rt, actors->receive, (uintptr_t)from);
  if (outcome.status == WASMFX_THREW)
    return false;
  expect(outcome.status, WASMFX_RETURNED);
  *message = *(const struct message *)(uintptr_t)outcome.word;
  return true;
}

/* What a resume has come back with. */
static inline void actors_settle(struct actor *actor, wasmfx_outcome_t outcome)
{
  if (outcome.status != WASMFX_SUSPENDED)
    expect(outcome.status, WASMFX_RETURNED);
  actor->awaited = outcome.status == WASMFX_SUSPENDED ? (struct actor *)(uintptr_t)outcome.word : NULL;
}

/** Runs an actor until it wants a message. */
static inline void actors_begin(const struct actors *actors, struct actor *actor)
{
  ok(wasmfx_cont_new_word(actors->rt, actors->thunk, actor->body, actor, &actor->cont));
  actors_settle(actor, wasmfx_resume_word(actors->rt, &actor->cont, actors->on_receive, 0));
}

/** Resumes an actor with the message that it wants; false if there is none, or if it has ended. */
static inline bool actors_go_on(const struct actors *actors, struct actor *actor)
{
  size_t i = 0;
  while (i < actor->count && actor->awaited && actor->mailbox[i].from != actor->awaited)
    i++;
  if (i == actor->count || actor->cont == WASMFX_NULL_CONT)
    return false;
  const struct message message = actor->mailbox[i];
  memmove(&actor->mailbox[i], &actor->mailbox[i + 1], (--actor->count - i) * sizeof message);
  actors_settle(actor, wasmfx_resume_word(actors->rt, &actor->cont, actors->on_receive, (uintptr_t)&message));
  return true;
}

/** Whether an actor waits, over others, for itself. Who waits for anybody is only idle. */
static inline bool actors_in_circle(const struct actor *actor, size_t count)
{
  const struct actor *next = actor->awaited;
  for (size_t steps = 1; next && next != actor && steps < count; steps++)
    next = next->awaited;
  return next == actor;
}

/** Ends the wait of an actor by an exception. */
static inline void actors_break(const struct actors *actors, struct actor *actor)
{
  actors_settle(actor, wasmfx_resume_throw(actors->rt, &actor->cont, actors->on_receive, actors->deadlock, NULL, 0));
}

#endif
