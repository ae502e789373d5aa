/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"
#include "stacks.h"

#include <stdint.h>

#define ABOUT "Boost.Context's switch, saves mxcsr and x87 control word"

#ifndef HAVE_FCONTEXT

const struct subject subject_fcontext = {
  .name = "fcontext",
  .about = ABOUT,
  .missing = "not installed (libboost-context-dev)",
};

#else

/* The C interface below Boost.Context, which its own headers declare for C++
 * only. A switch hands over a word, and the context that it left. */
typedef void *fcontext_t;
typedef struct transfer {
  fcontext_t from;
  void *data;
} transfer_t;
fcontext_t make_fcontext(void *top, size_t size, void (*entry)(transfer_t));
transfer_t jump_fcontext(fcontext_t to, void *data);

/* Lies at the top of its stack, as the limit's block does. */
struct fcontext {
  _Alignas(STACK_LINE) fcontext_t context; /* the coroutine's while it is suspended, its resumer's while it runs */
  uint64_t (*body)(struct fcontext *self, uint64_t word);
  uint64_t first; /* the word of the first resume, whose data is the address of this */
};

static inline uint64_t fcontext_jump(struct fcontext *co, void *data)
{
  transfer_t back = jump_fcontext(co->context, data);
  co->context = back.from;
  return (uint64_t)(uintptr_t)back.data;
}

static void fcontext_entry(transfer_t transfer)
{
  struct fcontext *co = transfer.data;
  co->context = transfer.from;
  fcontext_jump(co, (void *)(uintptr_t)co->body(co, co->first));
}

struct world {
  char none;
};

static struct world world_begin(const struct subject *subject, bool guarded)
{
  stacks_start(subject->coloured, guarded && stacks_can_guard());
  return (struct world){ 0 };
}

static void world_end(struct world world)
{
  (void)world;
}

typedef struct fcontext *co_t;

#define CO_BODY(name, self, word) static uint64_t name(struct fcontext *self, uint64_t word)

static inline void co_new(struct world world, co_t *co, uint64_t (*body)(struct fcontext *self, uint64_t word))
{
  (void)world;
  *co = (struct fcontext *)stack_take() - 1;
  (*co)->body = body;
  (*co)->context = make_fcontext(*co, 0, fcontext_entry); /* the size is not looked at on x86-64 */
}

static inline uint64_t co_start(struct world world, co_t *co, uint64_t word)
{
  (void)world;
  (*co)->first = word;
  return fcontext_jump(*co, *co);
}

static inline uint64_t co_resume(struct world world, co_t *co, uint64_t word)
{
  (void)world;
  return fcontext_jump(*co, (void *)(uintptr_t)word);
}

static inline void co_abandon(struct world world, co_t *co)
{
  (void)world;
  stack_give(*co + 1);
}

static inline uint64_t co_finish(struct world world, co_t *co, uint64_t word)
{
  uint64_t result = co_resume(world, co, word);
  co_abandon(world, co);
  return result;
}

static inline uint64_t co_run(struct world world, co_t *co, uint64_t word)
{
  uint64_t result = co_start(world, co, word);
  co_abandon(world, co);
  return result;
}

static inline uint64_t co_yield(struct fcontext *self, uint64_t word)
{
  return fcontext_jump(self, (void *)(uintptr_t)word);
}

/* Nothing of the kind: work is done where the coroutine stands. */
#define co_work(self, work) do_work(work)
#define co_prefetch(world, co) ((void)0)
#define CO_SELF struct fcontext *
typedef uint64_t co_entry_t(CO_SELF self, uint64_t word);
#define CO_ENTRY co_entry_t *

#include "questions.h"

const struct subject subject_fcontext = {
  .name = "fcontext",
  .about = ABOUT,
  .asks = ANSWERS,
};

#endif
