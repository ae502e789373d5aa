/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter that is the body of every continuation; programs, which say what it does often; and eras, the
 * worlds in which programs run.
 */
#undef _FORTIFY_SOURCE /* its longjmp takes a jump to another stack for an attack */

#include "model_driver.h"

#define LEFT_ALIVE 20 /* references that a program may leave to the next */

const char *const type_signatures[TYPES] = {
  ":", ":l", "l:l", "c:l", "lc:l", "cc:l", "lllc:l", "livfdc:l", "vc:l", "il:l", "c:", "lc:",
  "lll:ll", "llc:ll", "c:ll", "v:v", "livfde:edfvil", "f:c", "ec:c",
};
const char *const tag_signatures[TAGS] = {
  "l:l", ":l", ":", ":ll", "lll:lc", "v:livfde", "c:c", ":llc", "ll:v", "l:", "livfde:",
};

wasmfx_runtime_t *rt;
struct model model;
struct frame frames[MODEL_MAX_LINKS];
struct era era;
struct program program;

/* ---- The interpreter ----------------------------------------------------------------- */

void open_frame(const struct model_link *link)
{
  struct frame *frame = frame_of(link);
  frame->call = 0;
  frame->is_marked = false;
  frame->scope = NULL;
  frame->is_ending = false;
  frame->arrived = NULL;
  frame->keepsake = NULL;
  frame->starts = false;
  frame->next.cont = NULL;
  frame->repeats = 0;
  frame->captured_at = NULL;
}

static enum operation choose_operation(void)
{
  unsigned choice = below(program.weights_total);
  enum operation operation = OP_NEW;
  while (choice >= program.weights[operation])
    choice -= program.weights[operation++];
  return operation;
}

/* An exception that has just arrived may be passed on as it is, before anything else is called. */
static bool react_to_exception(struct model_link *self)
{
  struct frame *frame = frame_of(self);
  const wasmfx_exception_t *exception = frame->arrived;
  frame->arrived = NULL;
  if (!exception || !one_in(4))
    return false;
  const struct model_exception same = model.landing.exception;
  const int tag = (int)(same.tag - era.model_tags);
  return one_in(4) ? resume_throw_this(self, exception, &same, tag) : throw_this(self, exception, &same, tag);
}

static bool follow_intention(struct model_link *self)
{
  struct frame *frame = frame_of(self);
  const struct intention next = frame->next;
  frame->next.cont = NULL;
  if (frame->starts) {
    frame->starts = false;
    const size_t newest = model.live_count;
    make_cont(self);
    if (model.live_count > newest)
      intend(self, model.live[newest], false, choose_table());
    return true;
  }
  if (next.cont && next.cont->is_alive && next.cont->number == next.number)
    return next.by_switch ? switch_by(self, operand_of(next.cont), next.under)
                          : resume_under(self, operand_of(next.cont), next.under);
  if (frame->repeats == 0)
    return false;
  frame->repeats--;
  return suspend_by(self, frame->repeats_tag);
}

static void take_step(struct model_link *self)
{
  if (react_to_exception(self))
    return;
  look_around();
  if (follow_intention(self))
    return;
  if (model.live_count == 0 && !one_in(8))
    make_cont(self);
  else
    repertory[choose_operation()].perform(self);
}

static bool is_finished(const struct model_link *self)
{
  const struct model_link *owner = model_function_of(&model, self);
  return program.steps_left == 0 || frame_of(self)->is_ending || (owner && frame_of(owner)->is_ending);
}

void interpret(struct model_link *self)
{
  volatile wasmfx_cont_t keepsake = WASMFX_NULL_CONT;
  frame_of(self)->keepsake = &keepsake;
  if (setjmp(frame_of(self)->jump) != 0)
    land_after_jump(self);
  while (!is_finished(self))
    take_step(self);
  frame_of(self)->keepsake = NULL;
}

/* A body of either form: is it the one that should run, with these values? */
static void begin_body(struct model_link *self, wasmfx_outcome_t arrived, enum form form, wasmfx_cont_t from)
{
  expect_receiver(self, 0, true);
  EXPECT_STATUS(WASMFX_RETURNED, model.landing.status);
  expect_payload(arrived, form);
  expect_variable(WASMFX_NULL_CONT, from);
  mind_switched(self);
  if (percent(program.growth))
    frame_of(self)->starts = true;
}

static void end_body(struct model_link *self, const wasmfx_value_t *results)
{
  begin(self, OP_RETURN, NULL, -1, -1, self->type->results.count);
  model_return(&model, results);
}

void general_body(wasmfx_runtime_t *runtime, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  struct model_link *self = env;
  const struct model_list *params = &self->type->params;
  const bool has_contref = model_ends_with_cont(params);
  const size_t result_count = self->type->results.count;
  EXPECT("runtime", (uintptr_t)rt, (uintptr_t)runtime);
  begin_body(self, (wasmfx_outcome_t){ .by_address = 1, .values = args }, GENERAL,
             has_contref ? args[params->count - 1].contref : WASMFX_NULL_CONT);
  for (size_t i = 0; i < result_count; i++)
    EXPECT("room for results is zero", 0, results[i].word);
  interpret(self);
  wasmfx_value_t values[MODEL_MAX_VALUES];
  draw_values(values, result_count);
  end_body(self, values);
  if (result_count)
    memcpy(results, values, result_count * sizeof *values);
}

uint64_t word_body(wasmfx_runtime_t *runtime, void *env, uint64_t word, wasmfx_cont_t from)
{
  struct model_link *self = env;
  EXPECT("runtime", (uintptr_t)rt, (uintptr_t)runtime);
  begin_body(self, (wasmfx_outcome_t){ .word = word }, WORD, from);
  interpret(self);
  wasmfx_value_t value;
  draw_values(&value, 1);
  end_body(self, &value);
  return value.word;
}

/* A handler, called by who has just suspended. It may well try what led here again. */
static struct model_link *begin_call(const struct model_tag *tag, wasmfx_outcome_t arrived, enum form form)
{
  struct model_link *self = model_top(&model);
  expect_receiver(self, 0, true);
  EXPECT("the tag of the handler", self->tag - era.model_tags, tag - era.model_tags);
  expect_payload(arrived, form);
  frame_of(self)->repeats = one_in(4);
  frame_of(self)->repeats_tag = (int)(tag - era.model_tags);
  return self;
}

static void end_call(const struct model_link *self, const wasmfx_value_t *results)
{
  begin(self, OP_RETURN, NULL, -1, -1, self->tag->type.results.count);
  model_answer(&model, self, results);
}

static void general_handler(wasmfx_runtime_t *runtime, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const struct model_tag *tag = env;
  const size_t result_count = tag->type.results.count;
  EXPECT("runtime", (uintptr_t)rt, (uintptr_t)runtime);
  struct model_link *self = begin_call(tag, (wasmfx_outcome_t){ .by_address = 1, .values = args }, GENERAL);
  for (size_t i = 0; i < result_count; i++)
    EXPECT("room for results is zero", 0, results[i].word);
  if (has_stack_for_another())
    interpret(self);
  wasmfx_value_t values[MODEL_MAX_VALUES];
  draw_values(values, result_count);
  end_call(self, values);
  if (result_count)
    memcpy(results, values, result_count * sizeof *values);
}

static uint64_t word_handler(wasmfx_runtime_t *runtime, void *env, uint64_t word)
{
  EXPECT("runtime", (uintptr_t)rt, (uintptr_t)runtime);
  struct model_link *self = begin_call(env, (wasmfx_outcome_t){ .word = word }, WORD);
  if (has_stack_for_another())
    interpret(self);
  wasmfx_value_t value;
  draw_values(&value, 1);
  end_call(self, &value);
  return value.word;
}

/* ---- Programs ------------------------------------------------------------------------ */

static void choose_style(void)
{
  static const unsigned growths[] = { 0, 10, 50, 90 }, insistences[] = { 0, 50, 85, 97 };
  static const unsigned factors[] = { 0, 1, 1, 4 };
  program.weights_total = 0;
  for (unsigned i = 0; i < OPERATIONS; i++) {
    program.weights[i] = repertory[i].weight * factors[below(COUNT_OF(factors))];
    if (i == OP_NEW || i == OP_RESUME || i == OP_RETURN)
      program.weights[i] += 8;
    program.weights_total += program.weights[i];
  }
  program.growth = growths[below(COUNT_OF(growths))];
  program.insistence = insistences[below(COUNT_OF(insistences))];
  program.repetition = below(3) * 8;
  for (unsigned i = 0; i < FAVOURITE_TABLES; i++)
    program.favourite_tables[i] = (int)below(TABLES);
  for (unsigned i = 0; i < FAVOURITE_TAGS; i++)
    program.favourite_tags[i] = (int)below(TAGS);
}

void choose_program(void)
{
  run.programs++;
  choose_style();
  program.steps_left = 500 + below(20000);
  if (program.steps_left > run.wanted - run.operations)
    program.steps_left = run.wanted - run.operations;
}

void run_program(void)
{
  struct model_link *host = model.running[0];
  frame_of(host)->is_marked = false;
  interpret(host);
  EXPECT("links running after a program", 1, model.running_count);
  const size_t keep = below(LEFT_ALIVE);
  while (model.live_count > keep) {
    const struct operand newest = operand_of(model.live[model.live_count - 1]);
    if (one_in(4))
      cancel_this(host, newest);
    else
      drop_this(host, newest);
  }
  look_around();
}

/* ---- Eras ---------------------------------------------------------------------------- */

static struct model_clause choose_clause(void)
{
  struct model_clause clause;
  clause.kind = one_in(2) ? WASMFX_ON_SWITCH : one_in(3) ? WASMFX_ON_CALL : WASMFX_ON_LABEL;
  clause.tag = &era.model_tags[below(TAGS)];
  while (clause.kind == WASMFX_ON_SWITCH && clause.tag->type.params.count)
    clause.tag = &era.model_tags[below(TAGS)];
  const struct model_type *type = &clause.tag->type;
  if (clause.kind == WASMFX_ON_CALL && model_is_word(&type->params) && model_is_word(&type->results) && !one_in(4))
    clause.kind = WASMFX_ON_CALL_WORD;
  return clause;
}

static wasmfx_clause_t real_clause(const struct model_clause *clause)
{
  const ptrdiff_t tag = clause->tag - era.model_tags;
  wasmfx_clause_t real = { .tag = era.tags[tag], .kind = clause->kind, .env = &era.model_tags[tag] };
  if (clause->kind == WASMFX_ON_CALL)
    real.call = general_handler;
  else if (clause->kind == WASMFX_ON_CALL_WORD)
    real.call_word = word_handler;
  return real;
}

/* The first table is empty; small ones are frequent, so that searches go far. */
static void make_tables(void)
{
  for (unsigned i = 0; i < TABLES; i++) {
    wasmfx_clause_t clauses[MODEL_MAX_CLAUSES];
    struct model_table *table = &era.model_tables[i];
    table->count = i == 0 ? 0 : i < TABLES / 2 ? 1 + below(2) : below(MODEL_MAX_CLAUSES + 1);
    for (size_t k = 0; k < table->count; k++) {
      table->clauses[k] = k && one_in(4) ? table->clauses[k - 1] : choose_clause();
      clauses[k] = real_clause(&table->clauses[k]);
    }
    EXPECT_STATUS(WASMFX_OK, wasmfx_handlers_new(rt, clauses, table->count, &era.tables[i]));
  }
}

static wasmfx_type_t *make_type(const struct model_type *type)
{
  wasmfx_type_t *made;
  EXPECT_STATUS(WASMFX_OK, wasmfx_type_new(rt, type->params.kinds, type->params.count, type->results.kinds,
                                           type->results.count, &made));
  return made;
}

static void *allocate_stack(void *context, size_t bytes, uint32_t tenant)
{
  (void)context;
  (void)tenant;
  return malloc(bytes);
}

static void release_stack(void *context, void *memory, size_t bytes, uint32_t tenant)
{
  (void)context;
  (void)bytes;
  (void)tenant;
  free(memory);
}

static void on_switched(wasmfx_runtime_t *runtime, void **from_word, void **to_word)
{
  (void)runtime;
  (void)from_word;
  era.hook.to = *to_word;
  era.hook.calls++;
}

static void on_died(wasmfx_runtime_t *runtime, void *word)
{
  (void)runtime;
  era.hook.died++;
  era.hook.died_sum += (uintptr_t)word;
}

/* Half of the runtimes are plain, where the library takes all its short paths. */
static wasmfx_runtime_config_t choose_config(void)
{
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  config.stack_bytes[1] = 48 << 10;
  config.max_conts = 1 << 20;
  config.max_stacks = 2 * MODEL_MAX_LINKS;
  if (run.is_dense) {
    config.stack_policy = WASMFX_STACKS_DENSE;
#ifdef __OPTIMIZE__
    config.stack_bytes[0] = 4096; /* the bodies are C */
#else
    config.stack_bytes[0] = 8192;
#endif
    config.stack_bytes[1] = 24576;
    config.host_stack_bytes = 1024;
  }
  config.tenants = 1;
  if (one_in(2))
    return config;
  config.tenants = 1 + below(2);
  config.cached_stacks = one_in(4) ? 4 : 0;
  config.float_control = one_in(3);
  if (one_in(3)) {
    config.switched = on_switched;
    config.died = on_died;
  }
  if (one_in(4)) {
    config.stack_allocator.allocate = allocate_stack;
    config.stack_allocator.release = release_stack;
  }
  return config;
}

/* Types and tags are the same in all eras. */
static void make_model_types(void)
{
  for (unsigned i = 0; i < TYPES; i++)
    era.model_types[i] = model_type_of(type_signatures[i]);
  for (unsigned i = 0; i < TAGS; i++)
    era.model_tags[i].type = model_type_of(tag_signatures[i]);
}

void open_era(void)
{
  const wasmfx_runtime_config_t config = choose_config();
  era.tenants = config.tenants;
  era.has_hook = config.switched != NULL;
  memset(&era.hook, 0, sizeof era.hook);
  run.eras++;
  EXPECT_STATUS(WASMFX_OK, wasmfx_runtime_new(&config, &rt));
  make_model_types();
  for (unsigned i = 0; i < TYPES; i++)
    era.types[i] = make_type(&era.model_types[i]);
  for (unsigned i = 0; i < TAGS; i++)
    EXPECT_STATUS(WASMFX_OK, wasmfx_tag_new(rt, make_type(&era.model_tags[i].type), &era.tags[i]));
  make_tables();
  model_init(&model);
  open_frame(model.running[0]);
  memset(era.seen, 0, sizeof era.seen);
  era.seen_count = 0;
  memset(era.old_marks, 0, sizeof era.old_marks);
}

void close_era(void)
{
  wasmfx_stats_t stats;
  size_t dropped = 0;
  wasmfx_runtime_stats(rt, &stats, sizeof stats);
  run.retired += stats.objects_retired;
  run.captures += model.captures;
  run.deep_captures += model.deep_captures;
  run.calls += model.calls;
  run.deep_calls += model.deep_calls;
  if (model.longest > run.longest_chain)
    run.longest_chain = model.longest;
  EXPECT_STATUS(WASMFX_OK, wasmfx_runtime_free(rt, &dropped));
  EXPECT("dropped with the runtime", model.conts_live, dropped);
  while (model.live_count)
    model_drop(&model, model.live[0]);
  if (era.has_hook)
    EXPECT("the sum of the host words of all that died", model.words_sum, era.hook.died_sum);
  run.dropped_at_ends += dropped;
}
