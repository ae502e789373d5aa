/* SPDX-License-Identifier: Apache-2.0 */
/* Operands drawn at random: mostly such that a verb succeeds, for that is where most can go wrong. */
#include "model_driver.h"

/* ---- Numbers ------------------------------------------------------------------------- */

bool one_in(unsigned n)
{
  return below(n) == 0;
}

bool percent(unsigned n)
{
  return below(100) < n;
}

void *draw_pointer(void)
{
  return (void *)(uintptr_t)draw();
}

/* What is held is no decision: it is drawn like other numbers. */
uint64_t draw_held(void)
{
  const uint64_t number = draw();
  return model.live_count && number % 4 == 0 ? model.live[number / 4 % model.live_count]->value : number;
}

void draw_values(wasmfx_value_t *values, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    const uint64_t low = draw_held(), high = draw_held();
    memcpy(&values[i].v128[0], &low, sizeof low);
    memcpy(&values[i].v128[8], &high, sizeof high);
  }
}

/* ---- References ---------------------------------------------------------------------- */

struct operand operand_of(struct model_reference *cont)
{
  return (struct operand){ cont, cont->value };
}

static struct operand null_operand(void)
{
  return (struct operand){ NULL, WASMFX_NULL_CONT };
}

/* A number that was never a reference: as good as a dead one. */
static struct operand garbage_operand(void)
{
  static struct model_reference garbage;
  return (struct operand){ &garbage, draw() | 1 };
}

static struct model_reference *live_one(size_t among)
{
  return model.live[model.live_count - 1 - below((unsigned)among)];
}

/* A long chain, if a few tries find one. */
static struct model_reference *long_one(void)
{
  struct model_reference *longest = live_one(model.live_count);
  for (unsigned tries = 0; tries < 8; tries++) {
    struct model_reference *other = live_one(model.live_count);
    if (other->length > longest->length)
      longest = other;
  }
  return longest;
}

struct operand choose_cont(void)
{
  const unsigned choice = below(64);
  if (choice == 0)
    return null_operand();
  if (choice == 1)
    return garbage_operand();
  if (choice < 5 && model.reference_count)
    return operand_of(&model.references[below((unsigned)model.reference_count)]);
  if (model.live_count == 0)
    return null_operand();
  if (choice < 24)
    return operand_of(long_one());
  return operand_of(live_one(choice < 44 && model.live_count > 2 ? 2 : model.live_count));
}

/* ---- Tags, tables, types, exceptions ------------------------------------------------- */

int choose_tag(void)
{
  int tag = program.favourite_tags[below(FAVOURITE_TAGS)];
  if (one_in(16))
    return tag;
  for (unsigned tries = 0; tries < 2 * TAGS; tries++, tag = (int)below(TAGS))
    if (model_search(&model, &era.model_tags[tag], WASMFX_ON_LABEL) == WASMFX_OK)
      return tag;
  return -1;
}

/* Exceptions have no results. Sometimes wrong. */
static int choose_exception_tag(void)
{
  int tag = (int)below(TAGS);
  while (era.model_tags[tag].type.results.count && !one_in(32))
    tag = (int)below(TAGS);
  return tag;
}

int choose_table(void)
{
  return one_in(8) ? (int)below(TABLES + 1) - 1 : program.favourite_tables[below(FAVOURITE_TABLES)];
}

size_t choose_count(size_t right)
{
  return one_in(24) ? below(MODEL_MAX_VALUES + 1) : right;
}

/* A random exception of `self`. If its tag is wrong, then nothing else is: which of two faults is reported is nobody's
 * business. Answers the tag. */
int make_exception(struct model_link *self, void *host)
{
  struct model_exception *exception = &frame_of(self)->exception;
  const int tag = choose_exception_tag();
  const struct model_type *type = &era.model_tags[tag].type;
  exception->tag = &era.model_tags[tag];
  exception->count = type->results.count ? type->params.count : choose_count(type->params.count);
  exception->host = host;
  draw_values(exception->values, exception->count);
  frame_of(self)->real_exception =
    (wasmfx_exception_t){ era.tags[tag], exception->values, exception->count, exception->host };
  return tag;
}

/* A target that waits for a contref and has these results, if a few tries find one. */
static bool choose_target(const struct model_list *results, struct operand *target)
{
  for (unsigned tries = 0; tries < 12; tries++) {
    *target = choose_cont();
    if (model_awaits_cont(target->cont) && model_same_list(&target->cont->chain[0]->type->results, results))
      return true;
  }
  return false;
}

bool choose_switch(int *tag, struct operand *target)
{
  for (unsigned tries = 0; tries < 2 * TAGS; tries++) {
    *tag = (int)below(TAGS);
    const struct model_list *promised = model_promised(&model, &era.model_tags[*tag]);
    if (promised && model_same_list(promised, &era.model_tags[*tag].type.results))
      return choose_target(promised, target) || one_in(32);
  }
  *target = choose_cont();
  return one_in(16);
}

struct model_list choose_wait(int *type, bool by_word)
{
  if (!one_in(3)) {
    *type = -1;
    return model_type_of(by_word ? "lc:" : "c:").params;
  }
  *type = (int)below(TYPES);
  return era.model_types[*type].params;
}

/* A type that fits what binding leaves, if there is one in the list; sometimes another. */
int choose_bound_type(const struct model_reference *cont, size_t count)
{
  if (one_in(2) || model_state(cont) == WASMFX_STATE_CONSUMED || !cont || count > model_arity(cont))
    return -1;
  const struct model_link *link = cont->chain[cont->length - 1];
  const size_t bound = link->bound + count;
  for (int type = 0; type < TYPES && !one_in(32); type++) {
    const struct model_list *params = &era.model_types[type].params;
    if (params->count == link->awaits.count - bound &&
        memcmp(params->kinds, link->awaits.kinds + bound, params->count * sizeof *params->kinds) == 0 &&
        model_same_list(&cont->chain[0]->type->results, &era.model_types[type].results))
      return type;
  }
  return one_in(4) ? (int)below(TYPES) : -1;
}
