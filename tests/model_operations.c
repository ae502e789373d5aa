/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One function for each verb: it chooses operands, tells the model, calls the
 * library, and checks what it finds when control is back. A verb that switches
 * lets others run in between, and some calls never return.
 */
#undef _FORTIFY_SOURCE /* its longjmp takes a jump to another stack for an attack */

#include "model_driver.h"

#if WITH_ADDRESS_SANITIZER
#define FORGET_FRAMES_BELOW(here) \
  __asan_unpoison_memory_region((void *)((uintptr_t)(here) - JUMPED_BYTES), JUMPED_BYTES)
#else
#define FORGET_FRAMES_BELOW(here) ((void)(here))
#endif
#define JUMPED_BYTES (40 << 10) /* no interpreter is deeper than this */

static const struct model_link *jumps_to;
static int switched_by; /* the tag of the last switch */

/* ---- Intentions ---------------------------------------------------------------------- */

void intend(struct model_link *self, struct model_reference *cont, bool by_switch, int under)
{
  frame_of(self)->next = (struct intention){ cont, cont->number, by_switch, under };
}

/* What has just been captured may be resumed again at once, mostly under the same table. */
static void mind_captured(struct model_link *self, int table)
{
  if (model.landing.minted && percent(program.insistence))
    intend(self, model.landing.minted, false, one_in(3) ? choose_table() : table);
}

/* Who has just switched here may be switched back to. */
void mind_switched(struct model_link *self)
{
  if (model.landing.minted && percent(program.insistence))
    intend(self, model.landing.minted, true, switched_by);
}

/* ---- Making, dropping ---------------------------------------------------------------- */

bool make_cont(struct model_link *self)
{
  const int type = (int)below(TYPES);
  const struct model_type *model_type = &era.model_types[type];
  const bool is_word_type = model_wakes_by_word(&model_type->params) && model_is_word(&model_type->results);
  const bool by_word = is_word_type ? one_in(2) : one_in(32);
  if (!model_may_make(&model))
    return false;
  wasmfx_cont_t cont = draw();
  const wasmfx_cont_t before = cont;
  begin(self, OP_NEW, NULL, -1, -1, model_type->params.count);
  if (one_in(64)) {
    EXPECT_STATUS(WASMFX_TRAP_NULL_FUNCTION, by_word ? wasmfx_cont_new_word(rt, era.types[type], NULL, NULL, &cont)
                                                     : wasmfx_cont_new(rt, era.types[type], NULL, NULL, &cont));
    EXPECT("the reference is untouched", before, cont);
    return true;
  }
  if (by_word && !is_word_type) {
    EXPECT_STATUS(WASMFX_ERROR_TYPE, wasmfx_cont_new_word(rt, era.types[type], word_body, NULL, &cont));
    EXPECT("the reference is untouched", before, cont);
    return true;
  }
  const struct model_landing *landing = model_new(&model, model_type);
  struct model_link *link = landing->minted->chain[0];
  open_frame(link);
  EXPECT_STATUS(landing->status, by_word ? wasmfx_cont_new_word(rt, era.types[type], word_body, link, &cont)
                                         : wasmfx_cont_new(rt, era.types[type], general_body, link, &cont));
  expect_variable(before, cont);
  if (percent(program.insistence))
    intend(self, landing->minted, false, choose_table());
  return true;
}

static bool bind(struct model_link *self)
{
  const struct operand operand = choose_cont();
  const size_t arity = model_arity(operand.cont);
  const size_t count = choose_count(below((unsigned)arity + 1));
  const int to = choose_bound_type(operand.cont, count);
  wasmfx_value_t values[MODEL_MAX_VALUES];
  wasmfx_cont_t cont = operand.value;
  draw_values(values, count);
  begin(self, OP_BIND, &operand, -1, -1, count);
  const struct model_landing *landing =
    model_bind(&model, operand.cont, to < 0 ? NULL : &era.model_types[to], values, count);
  EXPECT_STATUS(landing->status, wasmfx_cont_bind(rt, &cont, to < 0 ? NULL : era.types[to], values, count));
  expect_variable(operand.value, cont);
  return true;
}

bool drop_this(struct model_link *self, struct operand operand)
{
  wasmfx_cont_t cont = operand.value;
  begin(self, OP_DROP, &operand, -1, -1, 0);
  const struct model_landing *landing = model_drop(&model, operand.cont);
  EXPECT_STATUS(landing->status, wasmfx_drop(rt, &cont));
  expect_variable(operand.value, cont);
  return true;
}

static bool drop(struct model_link *self)
{
  return drop_this(self, choose_cont());
}

static bool choose_stack_class(struct model_link *self)
{
  const struct operand operand = choose_cont();
  const uint32_t stack_class = below(WASMFX_STACK_CLASSES + 1);
  wasmfx_status_t expected = stack_class < WASMFX_STACK_CLASSES ? WASMFX_OK : WASMFX_ERROR_ARGUMENT;
  switch (model_state(operand.cont)) {
  case WASMFX_STATE_NULL: expected = WASMFX_TRAP_NULL_CONT; break;
  case WASMFX_STATE_CONSUMED: expected = WASMFX_TRAP_CONSUMED; break;
  case WASMFX_STATE_SUSPENDED: expected = WASMFX_ERROR_STATE; break;
  case WASMFX_STATE_FRESH: break;
  }
  begin(self, OP_STACK_CLASS, &operand, -1, -1, stack_class);
  EXPECT_STATUS(expected, wasmfx_cont_stack_class(rt, operand.value, stack_class));
  return true;
}

/* ---- Resuming ------------------------------------------------------------------------ */

static const struct model_table *model_table(int table)
{
  return table < 0 ? NULL : &era.model_tables[table];
}

static const wasmfx_handlers_t *real_table(int table)
{
  return table < 0 ? NULL : era.tables[table];
}

static bool may_resume(const struct model_reference *cont)
{
  return !cont || !cont->is_alive || model_may_resume(&model, cont);
}

bool resume_under(struct model_link *self, struct operand operand, int table)
{
  if (!may_resume(operand.cont))
    return false;
  const size_t count = choose_count(model_arity(operand.cont));
  const bool by_word = one_in(count <= 1 && !model_awaits_cont(operand.cont) ? 2 : 32);
  wasmfx_value_t values[MODEL_MAX_VALUES];
  wasmfx_cont_t cont = operand.value;
  wasmfx_outcome_t outcome;
  draw_values(values, MODEL_MAX_VALUES);
  const uint64_t call = begin(self, OP_RESUME, &operand, -1, table, by_word ? 1 : count);
  if (by_word) {
    model_resume_word(&model, operand.cont, model_table(table), values[0].word);
    outcome = wasmfx_resume_word(rt, &cont, real_table(table), values[0].word);
  } else {
    model_resume(&model, operand.cont, model_table(table), values, count);
    outcome = wasmfx_resume(rt, &cont, real_table(table), values, count);
  }
  expect_outcome(self, call, outcome, by_word ? WORD : GENERAL);
  expect_variable(operand.value, cont);
  mind_captured(self, table);
  return true;
}

static bool resume(struct model_link *self)
{
  const struct operand operand = choose_cont();
  return resume_under(self, operand, choose_table());
}

static bool resume_throw(struct model_link *self)
{
  const struct operand operand = choose_cont();
  const int table = choose_table();
  const int tag = make_exception(self, NULL);
  const struct model_exception *exception = &frame_of(self)->exception;
  if (!may_resume(operand.cont))
    return false;
  wasmfx_cont_t cont = operand.value;
  const uint64_t call = begin(self, OP_RESUME_THROW, &operand, tag, table, exception->count);
  model_resume_throw(&model, operand.cont, model_table(table), exception);
  const wasmfx_outcome_t outcome =
    wasmfx_resume_throw(rt, &cont, real_table(table), era.tags[tag], exception->values, exception->count);
  expect_outcome(self, call, outcome, GENERAL);
  expect_variable(operand.value, cont);
  mind_captured(self, table);
  return true;
}

/* `exception` NULL: the null exception reference. */
bool resume_throw_this(struct model_link *self, const wasmfx_exception_t *exception,
                       const struct model_exception *same, int tag)
{
  const struct operand operand = choose_cont();
  const int table = choose_table();
  if (!may_resume(operand.cont))
    return false;
  wasmfx_cont_t cont = operand.value;
  const uint64_t call = begin(self, OP_RESUME_THROW_REF, &operand, tag, table, same ? same->count : 0);
  model_resume_throw(&model, operand.cont, model_table(table), same);
  const wasmfx_outcome_t outcome = wasmfx_resume_throw_ref(rt, &cont, real_table(table), exception);
  expect_outcome(self, call, outcome, GENERAL);
  expect_variable(operand.value, cont);
  mind_captured(self, table);
  return true;
}

static bool resume_throw_ref(struct model_link *self)
{
  if (one_in(32))
    return resume_throw_this(self, NULL, NULL, -1);
  const int tag = make_exception(self, draw_pointer());
  return resume_throw_this(self, &frame_of(self)->real_exception, &frame_of(self)->exception, tag);
}

bool cancel_this(struct model_link *self, struct operand operand)
{
  const int tag = make_exception(self, draw_pointer());
  const bool is_null = one_in(32);
  const size_t attempts = below(4);
  if (!may_resume(operand.cont))
    return false;
  wasmfx_cont_t cont = operand.value;
  const uint64_t call = begin(self, OP_CANCEL, &operand, tag, -1, attempts);
  model_cancel(&model, operand.cont, is_null ? NULL : &frame_of(self)->exception, attempts);
  const wasmfx_outcome_t outcome =
    wasmfx_cancel(rt, &cont, is_null ? NULL : &frame_of(self)->real_exception, attempts);
  expect_outcome(self, call, outcome, GENERAL);
  expect_variable(operand.value, cont);
  return true;
}

static bool cancel(struct model_link *self)
{
  return cancel_this(self, choose_cont());
}

/* ---- Suspending ---------------------------------------------------------------------- */

/* Counts deep captures that end where the last one of the same continuation did: there the search may have
 * remembered the way. */
static void count_capture(const struct model_link *self, int key)
{
  struct frame *frame = frame_of(self);
  const struct model_reference *minted = model.landing.minted;
  if (!minted || minted->length < 2)
    return;
  run.repeated_captures += frame->captured_at == minted->chain[0] && frame->captured_by == key;
  frame->captured_at = minted->chain[0];
  frame->captured_by = key;
}

/* Somebody resumed or switched to a suspended continuation, or threw into it. */
static void be_woken(struct model_link *self, uint64_t call, wasmfx_outcome_t outcome, enum form form)
{
  expect_outcome(self, call, outcome, form);
  if (outcome.status != WASMFX_RETURNED || !model_ends_with_cont(model.landing.list))
    return;
  const size_t last = model.landing.list->count - 1;
  const wasmfx_cont_t received = form == GENERAL ? outcome.values[last].contref : wasmfx_received_cont(rt);
  expect_variable(WASMFX_NULL_CONT, received);
  EXPECT("the received contref", received, wasmfx_received_cont(rt));
  mind_switched(self);
}

/* A handler begins. */
static void mind_call(void)
{
  if (model.landing.enters)
    open_frame(model.landing.receiver);
}

bool suspend_by(struct model_link *self, int tag)
{
  const struct model_list *params = &era.model_tags[tag].type.params;
  const size_t count = choose_count(params->count);
  const bool by_word = one_in(model_is_word(params) ? 2 : 16);
  wasmfx_value_t values[MODEL_MAX_VALUES];
  wasmfx_outcome_t outcome;
  if (model_calls(&model, &era.model_tags[tag]) && !model_may_enter(&model))
    return false;
  draw_values(values, MODEL_MAX_VALUES);
  const uint64_t call = begin(self, OP_SUSPEND, NULL, tag, -1, by_word ? 1 : count);
  if (by_word) {
    model_suspend_word(&model, &era.model_tags[tag], values[0].word);
    mind_call();
    count_capture(self, tag);
    outcome = wasmfx_suspend_word(rt, era.tags[tag], values[0].word);
  } else {
    model_suspend(&model, &era.model_tags[tag], values, count);
    mind_call();
    count_capture(self, tag);
    outcome = wasmfx_suspend(rt, era.tags[tag], values, count);
  }
  be_woken(self, call, outcome, by_word ? WORD : GENERAL);
  if (outcome.status < 0)
    frame_of(self)->repeats = 0;
  return true;
}

static bool suspend(struct model_link *self)
{
  struct frame *frame = frame_of(self);
  const int tag = choose_tag();
  if (tag < 0)
    return false;
  if (program.repetition && one_in(2)) {
    frame->repeats = below(program.repetition);
    frame->repeats_tag = tag;
  }
  return suspend_by(self, tag);
}

bool switch_by(struct model_link *self, struct operand operand, int tag)
{
  int wait_type;
  if (!may_resume(operand.cont))
    return false;
  const size_t arity = model_arity(operand.cont);
  const size_t count = choose_count(arity ? arity - 1 : 0);
  const bool by_word = one_in(count <= 1 ? 2 : 16);
  const struct model_list wait = choose_wait(&wait_type, by_word);
  const wasmfx_type_t *real_wait = wait_type < 0 ? NULL : era.types[wait_type];
  wasmfx_value_t values[MODEL_MAX_VALUES];
  wasmfx_cont_t cont = operand.value;
  wasmfx_outcome_t outcome;
  draw_values(values, MODEL_MAX_VALUES);
  switched_by = tag;
  const uint64_t call = begin(self, OP_SWITCH, &operand, tag, -1, by_word ? 1 : count);
  if (by_word) {
    model_switch_word(&model, operand.cont, &era.model_tags[tag], &wait, values[0].word);
    count_capture(self, TAGS + tag);
    outcome = wasmfx_switch_word(rt, &cont, era.tags[tag], real_wait, values[0].word);
  } else {
    model_switch(&model, operand.cont, &era.model_tags[tag], &wait, values, count);
    count_capture(self, TAGS + tag);
    outcome = wasmfx_switch(rt, &cont, era.tags[tag], real_wait, values, count);
  }
  expect_outcome(self, call, outcome, by_word ? WORD : GENERAL);
  expect_variable(operand.value, cont);
  if (model.landing.is_woken && model_ends_with_cont(model.landing.list)) {
    if (!by_word)
      EXPECT("the contref among the values", cont, outcome.values[model.landing.list->count - 1].contref);
    EXPECT("the received contref", cont, wasmfx_received_cont(rt));
    mind_switched(self);
  }
  return true;
}

static bool switch_to(struct model_link *self)
{
  struct operand operand;
  int tag;
  return choose_switch(&tag, &operand) && switch_by(self, operand, tag);
}

/* ---- Ending -------------------------------------------------------------------------- */

/* A throw or trap does not come back, unless it fails. */
bool throw_this(struct model_link *self, const wasmfx_exception_t *exception, const struct model_exception *same,
                int tag)
{
  begin(self, OP_THROW_REF, NULL, tag, -1, same->count);
  const struct model_landing *landing = model_throw(&model, same);
  EXPECT_STATUS(landing->status, wasmfx_throw_ref(rt, exception));
  EXPECT("a throw that comes back has failed", true, landing->status < 0);
  return true;
}

static bool throw_ref(struct model_link *self)
{
  const int tag = make_exception(self, draw_pointer());
  return throw_this(self, &frame_of(self)->real_exception, &frame_of(self)->exception, tag);
}

static bool throw(struct model_link *self)
{
  const int tag = make_exception(self, NULL);
  const struct model_exception exception = frame_of(self)->exception; /* on the stack that goes */
  begin(self, OP_THROW, NULL, tag, -1, exception.count);
  const struct model_landing *landing = model_throw(&model, &exception);
  EXPECT_STATUS(landing->status, wasmfx_throw(rt, era.tags[tag], exception.values, exception.count));
  EXPECT("a throw that comes back has failed", true, landing->status < 0);
  return true;
}

static bool trap(struct model_link *self)
{
  const int64_t code = (int64_t)draw();
  begin(self, OP_TRAP, NULL, -1, -1, 0);
  const struct model_landing *landing = model_trap(&model, code);
  EXPECT_STATUS(landing->status, wasmfx_trap(rt, code));
  EXPECT("a trap that comes back has failed", true, landing->status < 0);
  return true;
}

/* The loop of `self` is left: a body or handler returns, a scope is closed. A scope may also be left open by their
 * return. */
static bool end_loop(struct model_link *self)
{
  struct model_link *owner = model_function_of(&model, self);
  if (self == model.running[0])
    return false;
  if (owner && owner->is_host_call)
    owner = self; /* what it leaves open is closed, but it ends with an error of which this model knows nothing */
  frame_of(self->kind != MODEL_CONT && owner && one_in(3) ? owner : self)->is_ending = true;
  return true;
}

/* ---- Roots, barriers, marks ---------------------------------------------------------- */

static wasmfx_status_t leave(enum model_link_kind kind, wasmfx_scope_t *scope)
{
  return kind == MODEL_ROOT ? wasmfx_root_leave(rt, scope) : wasmfx_barrier_leave(rt, scope);
}

/* What `self` captured last ended outside the scope: inside, the way there must not be remembered. */
static void suspend_as_before(const struct model_link *self, struct model_link *scope)
{
  if (!frame_of(self)->captured_at || frame_of(self)->captured_by >= TAGS || one_in(2))
    return;
  frame_of(scope)->repeats = 1;
  frame_of(scope)->repeats_tag = frame_of(self)->captured_by;
}

bool has_stack_for_another(void)
{
  enum { ONE = 2800 };
  void *low, *high;
  return !run.is_dense || wasmfx_stack_bounds(rt, &low, &high) != WASMFX_OK ||
         (const char *)__builtin_frame_address(0) - (const char *)low > ONE;
}

/* A whole sub-program inside a barrier or root. */
static bool run_inside(struct model_link *self, enum model_link_kind kind)
{
  wasmfx_scope_t scope;
  const struct model_link *owner = model_function_of(&model, self);
  if (!model_may_enter(&model) || !has_stack_for_another())
    return false;
  begin(self, kind == MODEL_ROOT ? OP_ROOT : OP_BARRIER, NULL, -1, -1, 0);
  EXPECT_STATUS(WASMFX_OK, kind == MODEL_ROOT ? wasmfx_root_enter(rt, &scope) : wasmfx_barrier_enter(rt, &scope));
  struct model_link *link = model_enter(&model, kind);
  open_frame(link);
  frame_of(link)->scope = &scope;
  suspend_as_before(self, link);
  interpret(link);
  if (owner && frame_of(owner)->is_ending)
    return true; /* its function returns out of it */
  begin(link, OP_LEAVE, NULL, -1, -1, 0);
  EXPECT_STATUS(model_leave(&model, link), leave(kind, &scope));
  return true;
}

static bool run_inside_barrier(struct model_link *self)
{
  return run_inside(self, MODEL_BARRIER);
}

static void begin_host_call(void *arg)
{
  struct model_link *self = model_call_on_host_stack(&model, WITH_SANITIZER || under_valgrind());
  open_frame(self);
  suspend_as_before(arg, self);
  interpret(self);
  begin(self, OP_LEAVE, NULL, -1, -1, 0);
  EXPECT_STATUS(WASMFX_OK, model_leave(&model, self));
}

/* The same on the stack of the host. */
static bool run_on_host_stack(struct model_link *self)
{
  if (!model_may_call_on_host_stack(&model) || !has_stack_for_another()) /* under a tool it stays where it is */
    return false;
  begin(self, OP_HOST_CALL, NULL, -1, -1, 0);
  EXPECT_STATUS(WASMFX_OK, wasmfx_call_on_host_stack(rt, begin_host_call, self));
  return true;
}

static bool run_inside_root(struct model_link *self)
{
  return run_inside(self, MODEL_ROOT);
}

/* Only the innermost scope can be closed, only by who opened it, and only as what it is. */
static bool leave_wrongly(struct model_link *self)
{
  struct model_link *link = model.running[below((unsigned)model.running_count)];
  if (!frame_of(link)->scope || link->kind == MODEL_CONT)
    return false;
  enum model_link_kind kind = link->kind;
  if (link == self)
    kind = kind == MODEL_ROOT ? MODEL_BARRIER : MODEL_ROOT;
  begin(self, OP_LEAVE, NULL, -1, -1, 0);
  EXPECT_STATUS(WASMFX_ERROR_STATE, leave(kind, frame_of(link)->scope));
  return true;
}

static bool mark(struct model_link *self)
{
  struct frame *frame = frame_of(self);
  begin(self, OP_MARK, NULL, -1, -1, 0);
  wasmfx_mark(rt, &frame->mark);
  model_mark(&model, &frame->model_mark);
  frame->is_marked = true;
  const unsigned place = below(COUNT_OF(era.old_marks));
  era.old_marks[place].is_set = true;
  era.old_marks[place].mark = frame->mark;
  era.old_marks[place].same = frame->model_mark;
  return true;
}

/* A call of unwind_to from where it must fail, or has nothing to do. */
static bool unwind_from_here(struct model_link *self, const wasmfx_mark_t *to, const struct model_mark *same)
{
  size_t killed = 0;
  const wasmfx_status_t status = model_may_unwind(&model, same, model_stack_owner(&model, self));
  if (status == WASMFX_OK && model_unwinds(&model, same))
    return false;
  begin(self, OP_UNWIND, NULL, -1, -1, 0);
  EXPECT_STATUS(status, wasmfx_unwind_to(rt, to, &killed));
  EXPECT("continuations killed", 0, killed);
  return true;
}

static bool unwind(struct model_link *self)
{
  if (one_in(3)) {
    const unsigned place = below(COUNT_OF(era.old_marks));
    return era.old_marks[place].is_set &&
           unwind_from_here(self, &era.old_marks[place].mark, &era.old_marks[place].same);
  }

  const struct model_link *link = model.running[below((unsigned)model.running_count)];
  struct frame *frame = frame_of(link);
  if (!frame->is_marked)
    return false;
  if (one_in(4) || model_may_unwind(&model, &frame->model_mark, model_stack_owner(&model, link)) != WASMFX_OK)
    return unwind_from_here(self, &frame->mark, &frame->model_mark);
  begin(self, OP_UNWIND, NULL, -1, -1, 0);
  jumps_to = link;
  longjmp(frame->jump, 1);
}

void land_after_jump(struct model_link *self)
{
  size_t killed = 0;
  /* AddressSanitizer does not know what the jump has left. It may keep variables apart: this is no address of one. */
  FORGET_FRAMES_BELOW(__builtin_frame_address(0));
  EXPECT("who was jumped to", jumps_to->number, self->number);
  EXPECT_STATUS(WASMFX_OK, wasmfx_unwind_to(rt, &frame_of(self)->mark, &killed));
  EXPECT("continuations killed", model_unwind_to(&model, &frame_of(self)->model_mark), killed);
  EXPECT("who has control", model_top(&model)->number, self->number);
}

/* ---- The rest ------------------------------------------------------------------------ */

static bool set_host_word(struct model_link *self)
{
  const struct operand operand = choose_cont();
  void *word = (void *)(uintptr_t)draw_held();
  begin(self, OP_HOST_WORD, &operand, -1, -1, 0);
  if (one_in(2)) {
    *wasmfx_host_word(rt) = word;
    model_body(&model)->host_word = word;
  } else if (model_host_word_of(operand.cont)) {
    *wasmfx_cont_host_word(rt, operand.value) = word;
    *model_host_word_of(operand.cont) = word;
  }
  return true;
}

static bool set_tenant(struct model_link *self)
{
  const uint32_t tenant = below(3);
  begin(self, OP_TENANT, NULL, -1, -1, tenant);
  EXPECT_STATUS(tenant < era.tenants ? WASMFX_OK : WASMFX_ERROR_ARGUMENT, wasmfx_tenant_set(rt, tenant));
  return true;
}

/* From inside. */
static bool free_runtime(struct model_link *self)
{
  size_t dropped = 0;
  if (model.running_count == 1)
    return false;
  begin(self, OP_FREE, NULL, -1, -1, 0);
  EXPECT_STATUS(WASMFX_ERROR_STATE, wasmfx_runtime_free(rt, &dropped));
  return true;
}

const struct repertory repertory[OPERATIONS] = {
  [OP_NEW] = { "new", make_cont, 40 },
  [OP_BIND] = { "bind", bind, 15 },
  [OP_RESUME] = { "resume", resume, 100 },
  [OP_SUSPEND] = { "suspend", suspend, 150 },
  [OP_SWITCH] = { "switch", switch_to, 60 },
  [OP_RESUME_THROW] = { "resume_throw", resume_throw, 6 },
  [OP_RESUME_THROW_REF] = { "resume_throw_ref", resume_throw_ref, 6 },
  [OP_THROW] = { "throw", throw, 3 },
  [OP_THROW_REF] = { "throw_ref", throw_ref, 3 },
  [OP_TRAP] = { "trap", trap, 3 },
  [OP_RETURN] = { "return", end_loop, 15 },
  [OP_DROP] = { "drop", drop, 5 },
  [OP_CANCEL] = { "cancel", cancel, 4 },
  [OP_BARRIER] = { "barrier", run_inside_barrier, 5 },
  [OP_ROOT] = { "root", run_inside_root, 5 },
  [OP_LEAVE] = { "leave", leave_wrongly, 2 },
  [OP_MARK] = { "mark", mark, 8 },
  [OP_UNWIND] = { "unwind", unwind, 4 },
  [OP_HOST_CALL] = { "host_call", run_on_host_stack, 8 },
  [OP_HOST_WORD] = { "host_word", set_host_word, 6 },
  [OP_STACK_CLASS] = { "stack_class", choose_stack_class, 3 },
  [OP_TENANT] = { "tenant", set_tenant, 1 },
  [OP_FREE] = { "free", free_runtime, 1 },
  [OP_COLLECT] = { "collect", collect, 1 },
  [OP_KEEP] = { "keep", change_keepsake, 6 },
};
