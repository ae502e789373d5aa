/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs as text: words between white space.
 *
 *     type NAME PARAM... -> RESULT... ;     kinds: i64 cont exn
 *     tag NAME PARAM... -> RESULT... ;
 *     func NAME TYPE LOCALS                 then instructions and labels "NAME:"
 *     end                                   returns, as "return" does
 *
 * Functions and labels may be used before they stand there, so that all names are
 * looked up at the end.
 */
#include "interpreter.h"

#include <ctype.h>
#include <string.h>

enum { MAX_WORD = 24, MAX_NAMES = 48, MAX_USES = 128 };

/* What an instruction is written as. Operands: n number, t type, g tag, f function, l label, h host function,
 * * clauses: "on TAG LABEL" and "on TAG switch", any number of them. */
static const struct {
  const char *name, *operands;
} instructions[] = {
  [OP_CONST] = { "const", "n" },
  [OP_NULL] = { "null", "" },
  [OP_REF] = { "ref", "f" },
  [OP_GET] = { "get", "n" },
  [OP_SET] = { "set", "n" },
  [OP_DROP] = { "drop", "" },
  [OP_ADD] = { "add", "" },
  [OP_LESS] = { "less", "" },
  [OP_NOT] = { "not", "" },
  [OP_BR] = { "br", "l" },
  [OP_BR_IF] = { "br_if", "l" },
  [OP_CALL] = { "call", "f" },
  [OP_HOST] = { "host", "h" },
  [OP_RETURN] = { "return", "" },
  [OP_TRY] = { "try", "gl" },
  [OP_THROW] = { "throw", "g" },
  [OP_THROW_REF] = { "throw_ref", "" },
  [OP_CONT_NEW] = { "cont.new", "t" },
  [OP_CONT_BIND] = { "cont.bind", "tt" },
  [OP_SUSPEND] = { "suspend", "g" },
  [OP_RESUME] = { "resume", "t*" },
  [OP_RESUME_THROW] = { "resume_throw", "tg*" },
  [OP_RESUME_THROW_REF] = { "resume_throw_ref", "t*" },
  [OP_SWITCH] = { "switch", "ttg" },
};

enum { OPCODES = sizeof instructions / sizeof instructions[0] };

struct name {
  char kind, text[MAX_WORD];
  uint32_t value;
};

struct assembler {
  struct program *program;
  const char *next;
  char word[MAX_WORD]; /* empty at the end of the text */
  struct name names[MAX_NAMES];
  struct name uses[MAX_USES];
  uint32_t *used_at[MAX_USES];
  uint32_t name_count, use_count;
};

static _Noreturn void refuse(const struct assembler *a, const char *word)
{
  fprintf(stderr, "not a program: \"%s\"; read up to \"%.20s\"\n", word, a->next);
  exit(EXIT_FAILURE);
}

static void require(const struct assembler *a, bool condition)
{
  if (!condition)
    refuse(a, a->word);
}

static void next_word(struct assembler *a)
{
  size_t length = 0;
  while (isspace((unsigned char)*a->next))
    a->next++;
  while (*a->next && !isspace((unsigned char)*a->next)) {
    require(a, length + 1 < MAX_WORD);
    a->word[length++] = *a->next++;
  }
  a->word[length] = '\0';
}

static bool is(const struct assembler *a, const char *text)
{
  return strcmp(a->word, text) == 0;
}

/* Gives the word a meaning. */
static void define(struct assembler *a, char kind, uint32_t value)
{
  require(a, a->word[0] && a->name_count < MAX_NAMES);
  struct name *name = &a->names[a->name_count++];
  *name = (struct name){ .kind = kind, .value = value };
  memcpy(name->text, a->word, sizeof a->word);
}

static uint32_t meaning(const struct assembler *a, char kind, const char *text)
{
  for (uint32_t i = 0; i < a->name_count; i++)
    if (a->names[i].kind == kind && strcmp(a->names[i].text, text) == 0)
      return a->names[i].value;
  refuse(a, text);
}

/* The meaning of the word, which may be defined later, is wanted at `*where`. */
static void use(struct assembler *a, char kind, uint32_t *where)
{
  if (!a->word[0] || a->use_count == MAX_USES)
    refuse(a, a->word);
  a->uses[a->use_count].kind = kind;
  memcpy(a->uses[a->use_count].text, a->word, sizeof a->word);
  a->used_at[a->use_count++] = where;
}

static uint32_t number(struct assembler *a)
{
  char *end;
  const long value = strtol(a->word, &end, 10);
  require(a, a->word[0] && !*end);
  return (uint32_t)value;
}

/* ---- Types, tags, functions -------------------------------------------------- */

static size_t kinds(struct assembler *a, wasmfx_kind_t *list, const char *end)
{
  size_t count = 0;
  for (next_word(a); !is(a, end); next_word(a)) {
    require(a, count < MAX_VALUES && (is(a, "i64") || is(a, "cont") || is(a, "exn")));
    list[count++] = is(a, "i64") ? WASMFX_I64 : is(a, "cont") ? WASMFX_CONTREF : WASMFX_EXNREF;
  }
  return count;
}

static struct signature signature(struct assembler *a)
{
  wasmfx_kind_t params[MAX_VALUES], results[MAX_VALUES];
  struct signature made;
  made.param_count = (uint32_t)kinds(a, params, "->");
  made.result_count = (uint32_t)kinds(a, results, ";");
  ok(wasmfx_type_new(a->program->rt, params, made.param_count, results, made.result_count, &made.type));
  return made;
}

static void type(struct assembler *a)
{
  struct program *program = a->program;
  next_word(a);
  require(a, program->type_count < MAX_TYPES);
  define(a, 't', program->type_count);
  program->types[program->type_count++] = signature(a);
}

static void tag(struct assembler *a)
{
  struct program *program = a->program;
  next_word(a);
  require(a, program->tag_count < MAX_TAGS);
  define(a, 'g', program->tag_count);
  const struct signature of_tag = signature(a);
  struct tag *made = &program->tags[program->tag_count++];
  *made = (struct tag){ of_tag.param_count, of_tag.result_count, NULL };
  ok(wasmfx_tag_new(program->rt, of_tag.type, &made->tag));
}

static void clauses(struct assembler *a, struct clauses *list)
{
  for (; is(a, "on"); next_word(a)) {
    const uint32_t i = list->count++;
    require(a, i < MAX_CLAUSES);
    next_word(a);
    use(a, 'g', &list->tags[i]);
    next_word(a);
    list->kinds[i] = is(a, "switch") ? WASMFX_ON_SWITCH : WASMFX_ON_LABEL;
    if (list->kinds[i] == WASMFX_ON_LABEL)
      use(a, 'l', &list->targets[i]);
  }
}

static struct instruction *emit(struct assembler *a, enum opcode op)
{
  require(a, a->program->code_count < MAX_CODE);
  struct instruction *made = &a->program->code[a->program->code_count++];
  made->op = op;
  return made;
}

/* Reads one instruction, and the word behind it. */
static void instruction(struct assembler *a)
{
  uint32_t op = 0;
  while (op < OPCODES && !is(a, instructions[op].name))
    op++;
  require(a, op < OPCODES);
  struct instruction *made = emit(a, (enum opcode)op);
  uint32_t *operand = made->operands;
  next_word(a);
  for (const char *kind = instructions[op].operands; *kind; kind++, operand++) {
    if (*kind == '*') {
      clauses(a, &made->clauses);
      return;
    }
    if (*kind == 'n')
      *operand = number(a);
    else if (*kind == 'h')
      require(a, host_function(a->word, operand));
    else
      use(a, *kind, operand);
    next_word(a);
  }
}

static void function(struct assembler *a)
{
  struct program *program = a->program;
  require(a, is(a, "func") && program->function_count < MAX_FUNCTIONS);
  next_word(a);
  define(a, 'f', program->function_count);
  next_word(a);
  const struct signature *of_function = &program->types[meaning(a, 't', a->word)];
  next_word(a);
  program->functions[program->function_count++] = (struct function){
    program, of_function->param_count, of_function->result_count, number(a), program->code_count
  };
  next_word(a);
  while (!is(a, "end")) {
    char *colon = strchr(a->word, ':');
    if (!colon) {
      instruction(a);
      continue;
    }
    *colon = '\0';
    define(a, 'l', program->code_count);
    next_word(a);
  }
  emit(a, OP_RETURN);
}

/* ---- All of it --------------------------------------------------------------- */

/* The handler table of a resume is made once, not each time that it is executed. */
static void make_handlers(struct program *program, struct clauses *list)
{
  wasmfx_clause_t made[MAX_CLAUSES];
  for (uint32_t i = 0; i < list->count; i++)
    made[i] = (wasmfx_clause_t){ .tag = program->tags[list->tags[i]].tag, .kind = list->kinds[i] };
  ok(wasmfx_handlers_new(program->rt, made, list->count, &list->table));
}

void assemble(struct program *program, const char *text)
{
  struct assembler a = { .program = program, .next = text };
  for (next_word(&a); a.word[0]; next_word(&a)) {
    if (is(&a, "type"))
      type(&a);
    else if (is(&a, "tag"))
      tag(&a);
    else
      function(&a);
  }
  for (uint32_t i = 0; i < a.use_count; i++)
    *a.used_at[i] = meaning(&a, a.uses[i].kind, a.uses[i].text);
  for (uint32_t i = 0; i < program->code_count; i++)
    if (program->code[i].clauses.count > 0)
      make_handlers(program, &program->code[i].clauses);
}
