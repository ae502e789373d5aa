/* SPDX-License-Identifier: Apache-2.0 */
/* The typing rules of instructions, each kept and broken. */
#include "check.h"

struct rule {
  const char *name;
  struct body body;
  const char *error; /* NULL: valid */
};

#define CODE(type, ...) { type, NULL, 0, BYTES(__VA_ARGS__) }
/* With locals, as their bytes. */
#define LOCALS(...) __VA_ARGS__
#define CODE_WITH(type, locals, ...) \
  { type, (const uint8_t[]){ locals }, sizeof((const uint8_t[]){ locals }), BYTES(__VA_ARGS__) }

static void check_rules(const struct rule *rules, size_t count)
{
  static struct bytes module;
  for (size_t i = 0; i < count; i++) {
    make_world(&module, &rules[i].body);
    check_module(rules[i].name, &module, rules[i].error);
  }
}

#define CHECK_RULES(rules) check_rules(rules, sizeof(rules) / sizeof *(rules))

static void values_are_pushed_and_popped(void **state)
{
  const struct rule rules[] = {
    { "an empty body gives nothing", CODE(F, 0x01), NULL },
    { "a body gives its results", CODE(F__i, I32_CONST(1)), NULL },
    { "and no others", CODE(F__i, I64_CONST(1)), "end: type mismatch: expected i32, found i64" },
    { "and not fewer", CODE(F__i, 0x01), "end: type mismatch: expected i32, found nothing" },
    { "and not more", CODE(F, I32_CONST(1)),
      "end: type mismatch: values remain at the end of the block: expected [], found [i32]" },
    { "an addition takes two of its kind", CODE(F__i, I32_CONST(1), I32_CONST(2), I32_ADD), NULL },
    { "none of another kind", CODE(F__i, I32_CONST(1), I64_CONST(2), I32_ADD),
      "i32.add: type mismatch: expected i32, found i64" },
    { "and both of them", CODE(F__i, I32_CONST(1), I32_ADD), "i32.add: type mismatch" },
    { "a block hides what is below it", CODE(F, I32_CONST(1), BLOCK(NO_VALUE), DROP, END, DROP),
      "drop: type mismatch" },
    { "drop takes anything", CODE(F, NULL_OF(C), DROP, F64_ZERO, DROP), NULL },
    { "drop takes something", CODE(F, DROP), "drop: type mismatch" },
    { "select takes two numbers of one type", CODE(F__i, I32_CONST(1), I32_CONST(2), I32_CONST(0), SELECT), NULL },
    { "not of two", CODE(F, I32_CONST(1), F32_ZERO, I32_CONST(0), SELECT, DROP),
      "select: type mismatch: expected i32, found f32" },
    { "no references", CODE(F, NULL_OF(C), NULL_OF(C), I32_CONST(0), SELECT, DROP), "select: type mismatch" },
    { "unless it says so", CODE(F, NULL_OF(C), NULL_OF(C), I32_CONST(0), 0x1c, 1, REF_NULL(C), DROP), NULL },
    { "of that type", CODE(F, NULL_OF(C), NULL_OF(F), I32_CONST(0), 0x1c, 1, REF_NULL(C), DROP),
      "select: type mismatch" },
    { "a select has one type", CODE(F, I32_CONST(0), 0x1c, 2, I32, I32), "select: invalid result arity" },
    { "what is not reached may be anything", CODE(F__i, UNREACHABLE, I32_ADD), NULL },
    { "but what it makes itself is what it is", CODE(F__i, UNREACHABLE, I64_CONST(0)),
      "end: type mismatch: expected i32, found i64" },
    { "not reached, a select knows nothing", CODE(F__i, UNREACHABLE, SELECT), NULL },
    { "not reached, a reference is below all", CODE(F, UNREACHABLE, AS_NON_NULL, CONT_NEW(C), DROP), NULL },
    { "and is still a reference", CODE(F__i, UNREACHABLE, AS_NON_NULL), "end: type mismatch: expected i32" },
    { "an opcode has to exist", CODE(F, 0x27), "illegal opcode 27" },
    { "also after a prefix", CODE(F, 0xfc, 0x12), "illegal opcode fc 12" },
  };
  (void)state;
  CHECK_RULES(rules);
}

static void locals_globals_and_memory(void **state)
{
  const struct rule rules[] = {
    { "a parameter is a local", CODE(F_i_i, GET(0)), NULL },
    { "declared ones follow", CODE_WITH(F_i_i, LOCALS(1, 2, I64), GET(2), SET(1), GET(0)), NULL },
    { "and no more", CODE_WITH(F_i_i, LOCALS(1, 2, I64), GET(3), DROP, GET(0)), "local.get: unknown local 3" },
    { "they have types", CODE_WITH(F, LOCALS(2, 1, I64, 1, F32), GET(0), SET(1)),
      "local.set: type mismatch: expected f32, found i64" },
    { "tee leaves the value", CODE(F_i_i, I32_CONST(1), TEE(0)), NULL },
    { "a reference without a null is not there before it is set", CODE_WITH(F, LOCALS(1, 1, REF(C)), GET(0), DROP),
      "local.get: uninitialized local 0" },
    { "and is after", CODE_WITH(F, LOCALS(1, 1, REF(C)), NULL_OF(C), AS_NON_NULL, SET(0), GET(0), DROP), NULL },
    { "as long as the block in which it was set", CODE_WITH(F, LOCALS(1, 1, REF(C)), BLOCK(NO_VALUE), NULL_OF(C),
      AS_NON_NULL, SET(0), END, GET(0), DROP), "local.get: uninitialized local 0" },
    { "not in the other half of an if", CODE_WITH(F, LOCALS(1, 1, REF(C)), I32_CONST(1), IF(NO_VALUE), NULL_OF(C),
      AS_NON_NULL, SET(0), ELSE, GET(0), DROP, END), "local.get: uninitialized local 0" },
    { "one that may be null is null", CODE_WITH(F, LOCALS(1, 1, REF_NULL(C)), GET(0), DROP), NULL },
    { "locals are not without end", CODE_WITH(F, LOCALS(2, 0xff, 0xff, 0xff, 0xff, 0x0f, I32, 1, I32), 0x01),
      "too many locals" },
    { "and fewer than they may be in the format", CODE_WITH(F, LOCALS(1, 0xd1, 0x86, 0x03, I32), 0x01),
      "not supported: more than 50000 locals" },
    { "a global is read", CODE(F__i, GLOBAL_GET(CONSTANT)), NULL },
    { "a constant one is not written", CODE(F, I32_CONST(1), GLOBAL_SET(CONSTANT)),
      "global.set: immutable global 0" },
    { "a mutable one is", CODE(F, I64_CONST(1), GLOBAL_SET(COUNTER)), NULL },
    { "with its type", CODE(F, NULL_OF(C_i), GLOBAL_SET(CURRENT)),
      "global.set: type mismatch: expected (ref null $4), found (ref null $5)" },
    { "if it is there", CODE(F, GLOBAL_GET(3), DROP), "global.get: unknown global 3" },
    { "memory is read at an address", CODE(F__i, I32_CONST(0), I32_LOAD(2, 4)), NULL },
    { "aligned at most by nature", CODE(F__i, I32_CONST(0), I32_LOAD(3, 4)),
      "i32.load: alignment must not be larger than natural" },
    { "it is written with a value", CODE(F, I32_CONST(0), I64_CONST(1), I64_STORE(3, 0)), NULL },
    { "of its type", CODE(F, I32_CONST(0), I32_CONST(1), I64_STORE(3, 0)),
      "i64.store: type mismatch: expected i64, found i32" },
    { "offsets have 32 bits", CODE(F__i, I32_CONST(0), 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x10),
      "i32.load: offset out of range" },
    { "there is one memory", CODE(F__i, 0x3f, 1), "memory.size: unknown memory 1" },
    { "it grows by a number of pages", CODE(F_i_i, GET(0), 0x40, 0), NULL },
    { "bulk", CODE(F, I32_CONST(0), I32_CONST(0), I32_CONST(1), 0xfc, 8, 0, 0, 0xfc, 9, 0, I32_CONST(0), I32_CONST(0),
      I32_CONST(0), 0xfc, 10, 0, 0, I32_CONST(0), I32_CONST(0), I32_CONST(0), 0xfc, 11, 0), NULL },
    { "of a segment that is there", CODE(F, 0xfc, 9, 1), "data.drop: unknown data segment 1" },
  };
  (void)state;
  CHECK_RULES(rules);
}

static void control_and_calls(void **state)
{
  const struct rule rules[] = {
    { "a branch takes what the block gives", CODE(F__i, BLOCK(I32), I32_CONST(1), BR(0), END), NULL },
    { "and nothing else", CODE(F__i, BLOCK(I32), I64_CONST(1), BR(0), END),
      "br: type mismatch: expected i32, found i64" },
    { "to a label that is there", CODE(F, BR(1)), "br: unknown label 1" },
    { "the body is a block", CODE(F__i, I32_CONST(1), BR(0)), NULL },
    { "a branch to a loop takes what the loop takes", CODE(F, I32_CONST(1), LOOP(F_i_i), BR(0), END, DROP), NULL },
    { "not what it gives", CODE(F__i, LOOP(F__i), BR(0), END), NULL },
    { "if takes a condition", CODE(F, I64_CONST(1), IF(NO_VALUE), END),
      "if: type mismatch: expected i32, found i64" },
    { "both halves give the same", CODE(F__i, I32_CONST(1), IF(I32), I32_CONST(1), ELSE, I64_CONST(1), END),
      "end: type mismatch: expected i32, found i64" },
    { "one half gives what it takes", CODE(F, I32_CONST(1), IF(I32), I32_CONST(1), END, DROP),
      "end: type mismatch, if without else" },
    { "both halves take what the if takes", CODE(F, I32_CONST(1), I32_CONST(1), IF(F_i), DROP, ELSE, DROP, END),
      NULL },
    { "else belongs to an if", CODE(F, BLOCK(NO_VALUE), ELSE, END), "END opcode expected" },
    { "once", CODE(F, I32_CONST(0), IF(NO_VALUE), ELSE, ELSE, END), "END opcode expected" },
    { "blocks have types that are there", CODE(F, BLOCK(60), END), "block: unknown type 60" },
    { "of functions", CODE(F, BLOCK(C), END), "block: non-function type 4" },
    { "a conditional branch leaves what it did not take", CODE(F__i, BLOCK(I32), I32_CONST(1), I32_CONST(0), BR_IF(0),
      END), NULL },
    { "the labels of a table take the same", CODE(F, BLOCK(NO_VALUE), I32_CONST(0), 0x0e, 1, 0, 1, END), NULL },
    { "in number", CODE(F, BLOCK(I32), I32_CONST(0), I32_CONST(0), 0x0e, 1, 0, 1, END, DROP),
      "br_table: type mismatch" },
    { "whichever comes first", CODE(F, BLOCK(I32), I32_CONST(0), I32_CONST(0), 0x0e, 1, 1, 0, END, DROP),
      "br_table: type mismatch" },
    { "and in type", CODE(F__i, BLOCK(I64), I32_CONST(0), I32_CONST(0), 0x0e, 1, 0, 1, END, DROP, I32_CONST(0)),
      "br_table: type mismatch: expected i64, found i32" },
    { "return gives the results", CODE(F__i, I32_CONST(1), RETURN), NULL },
    { "of the function", CODE(F__i, I64_CONST(1), RETURN), "return: type mismatch" },
    { "a call takes arguments", CODE(F__i, I32_CONST(1), CALL(INCREMENT)), NULL },
    { "all of them", CODE(F__i, CALL(INCREMENT)), "call: type mismatch: expected i32, found nothing" },
    { "of a function that is there", CODE(F, CALL(3)), "call: unknown function 3" },
    { "an indirect call names a type and a table", CODE(F__i, I32_CONST(1), I32_CONST(0), CALL_INDIRECT(F_i_i,
      FUNCTIONS)), NULL },
    { "a table of functions", CODE(F__i, I32_CONST(1), I32_CONST(0), CALL_INDIRECT(F_i_i, EXTERNS)),
      "call_indirect: type mismatch: expected (ref null func), found (ref null extern)" },
    { "not of continuations", CODE(F, I32_CONST(0), CALL_INDIRECT(F, CONTS)), "call_indirect: type mismatch" },
    { "a type of functions", CODE(F, I32_CONST(0), CALL_INDIRECT(C, FUNCTIONS)),
      "call_indirect: non-function type 4" },
    { "a call by reference", CODE(F__i, I32_CONST(1), REF_FUNC(INCREMENT), CALL_REF(F_i_i)), NULL },
    { "of that type", CODE(F, REF_FUNC(INCREMENT), CALL_REF(F)),
      "call_ref: type mismatch: expected (ref null $0), found (ref $3)" },
    { "by a subtype", CODE(F, NULL_OF(F_DERIVED), CALL_REF(F_BASE)), NULL },
    { "not by a supertype", CODE(F, NULL_OF(F_BASE), CALL_REF(F_DERIVED)), "call_ref: type mismatch" },
    { "a tail call gives what the function gives", CODE(F_i_i, GET(0), RETURN_CALL(INCREMENT)), NULL },
    { "and nothing else", CODE(F, I32_CONST(0), RETURN_CALL(INCREMENT)),
      "return_call: type mismatch of results: expected [], found [i32]" },
    { "also an indirect one", CODE(F, I32_CONST(0), RETURN_CALL_INDIRECT(F__i, FUNCTIONS)),
      "return_call_indirect: type mismatch of results" },
    { "also by reference", CODE(F_i_i, GET(0), REF_FUNC(INCREMENT), RETURN_CALL_REF(F_i_i)), NULL },
    { "code refers to declared functions", CODE(F, REF_FUNC(IMPORTED), DROP), NULL },
    { "and to no others", CODE(F, REF_FUNC(3), DROP), "ref.func: unknown function 3" },
    { "a body ends once", CODE(F, END), "section size mismatch" },
    { "after all its blocks", CODE(F, BLOCK(NO_VALUE)), "unexpected end of section or function" },
  };
  (void)state;
  CHECK_RULES(rules);
}

static void references_and_tables(void **state)
{
  const struct rule rules[] = {
    { "null is of a type", CODE_WITH(F, LOCALS(1, 1, REF_NULL(C)), NULL_OF(C), SET(0)), NULL },
    { "of no other", CODE_WITH(F, LOCALS(1, 1, REF_NULL(C)), NULL_OF(C_i), SET(0)), "local.set: type mismatch" },
    { "that is there", CODE(F, NULL_OF(60), DROP), "unknown type 60" },
    { "the least continuation is any", CODE_WITH(F, LOCALS(1, 1, REF_NULL(C)), NULL_OF(NO_CONT), SET(0)), NULL },
    { "any continuation is one", CODE_WITH(F, LOCALS(1, 1, CONTREF), NULL_OF(C), SET(0)), NULL },
    { "which is not any", CODE_WITH(F, LOCALS(1, 1, REF_NULL(C)), NULL_OF(ANY_CONT), SET(0)),
      "local.set: type mismatch: expected (ref null $4), found (ref null cont)" },
    { "a continuation is no function", CODE_WITH(F, LOCALS(1, 1, FUNCREF), NULL_OF(C), SET(0)),
      "local.set: type mismatch: expected (ref null func), found (ref null $4)" },
    { "the least continuation is no function", CODE_WITH(F, LOCALS(1, 1, FUNCREF), NULL_OF(NO_CONT), SET(0)),
      "local.set: type mismatch: expected (ref null func), found (ref null nocont)" },
    { "and the least function no continuation", CODE_WITH(F, LOCALS(1, 1, REF_NULL(C)), NULL_OF(0x73), SET(0)),
      "local.set: type mismatch: expected (ref null $4), found (ref null nofunc)" },
    { "and nothing of the garbage collector's", CODE_WITH(F, LOCALS(1, 1, 0x6e), NULL_OF(C), SET(0)),
      "local.set: type mismatch" },
    { "a struct is", CODE_WITH(F, LOCALS(1, 1, 0x6d), NULL_OF(PAIR), SET(0)), NULL },
    { "continuations have declared subtypes", CODE_WITH(F, LOCALS(1, 1, REF_NULL(C_BASE)), NULL_OF(C_DERIVED),
      SET(0)), NULL },
    { "one way", CODE_WITH(F, LOCALS(1, 1, REF_NULL(C_DERIVED)), NULL_OF(C_BASE), SET(0)),
      "local.set: type mismatch" },
    { "and only declared ones", CODE_WITH(F, LOCALS(1, 1, REF_NULL(C_d_b)), NULL_OF(C_b_d), SET(0)),
      "local.set: type mismatch" },
    { "null is tested", CODE(F__i, NULL_OF(C), IS_NULL), NULL },
    { "of references", CODE(F__i, I32_CONST(0), IS_NULL),
      "ref.is_null: type mismatch: expected a reference, found i32" },
    { "what may be null is not what may not", CODE_WITH(F, LOCALS(1, 1, REF(C)), NULL_OF(C), SET(0)),
      "local.set: type mismatch: expected (ref $4), found (ref null $4)" },
    { "br_on_null goes on without null", CODE_WITH(F, LOCALS(1, 1, REF(C)), NULL_OF(C), BR_ON_NULL(0), SET(0)),
      NULL },
    { "and takes what the label takes", CODE(F__i, NULL_OF(C), BR_ON_NULL(0), DROP, I32_CONST(0)),
      "br_on_null: type mismatch: expected i32, found nothing" },
    { "br_on_non_null gives it to the label", CODE(F, 0x02, REF(C), NULL_OF(C), BR_ON_NON_NULL(0), UNREACHABLE, END,
      DROP), NULL },
    { "which has to take it", CODE(F, BLOCK(NO_VALUE), NULL_OF(C), BR_ON_NON_NULL(0), END),
      "br_on_non_null: type mismatch" },
    { "as it is", CODE(F, 0x02, REF(C_i), NULL_OF(C), BR_ON_NON_NULL(0), UNREACHABLE, END, DROP),
      "br_on_non_null: type mismatch" },
    { "functions are cast", CODE(F__i, NULL_OF(ANY_FUNC), REF_TEST(F)), NULL },
    { "from what is under the same top", CODE(F__i, NULL_OF(C), REF_TEST(F)), "ref.test: type mismatch" },
    { "a cast gives its type", CODE(F, NULL_OF(ANY_FUNC), REF_CAST(F), CALL_REF(F)), NULL },
    { "no test for continuations", CODE(F__i, NULL_OF(ANY_CONT), REF_TEST(C)), "ref.test: invalid cast" },
    { "not for all of them", CODE(F__i, NULL_OF(ANY_CONT), REF_TEST(ANY_CONT)), "ref.test: invalid cast" },
    { "not for none", CODE(F__i, NULL_OF(NO_CONT), REF_TEST(NO_CONT)), "ref.test: invalid cast" },
    { "no cast to one", CODE(F, NULL_OF(ANY_CONT), REF_CAST(C), DROP), "ref.cast: invalid cast" },
    { "no branch by one", CODE(F, 0x02, CONTREF, NULL_OF(ANY_CONT), BR_ON_CAST(0, ANY_CONT, C), END, DROP),
      "br_on_cast: invalid cast" },
    { "nor by its failure", CODE(F, 0x02, CONTREF, NULL_OF(ANY_CONT), BR_ON_CAST_FAIL(0, ANY_CONT, C), END, DROP),
      "br_on_cast_fail: invalid cast" },
    { "a branch by a cast of functions", CODE(F, BLOCK(FUNCREF), NULL_OF(ANY_FUNC), BR_ON_CAST(0, ANY_FUNC, F), END,
      DROP), NULL },
    { "down, not up", CODE(F, BLOCK(FUNCREF), NULL_OF(F), BR_ON_CAST(0, F, ANY_FUNC), END, DROP),
      "br_on_cast: type mismatch" },
    { "a table gives what it has", CODE_WITH(F, LOCALS(1, 1, REF_NULL(C)), I32_CONST(0), TABLE_GET(CONTS), SET(0)),
      NULL },
    { "and takes only that", CODE(F, I32_CONST(0), NULL_OF(C_i), TABLE_SET(CONTS)),
      "table.set: type mismatch: expected (ref null $4), found (ref null $5)" },
    { "at an index", CODE(F, I64_CONST(0), NULL_OF(C), TABLE_SET(CONTS)),
      "table.set: type mismatch: expected i32, found i64" },
    { "a table that is there", CODE(F, I32_CONST(0), TABLE_GET(3), DROP), "table.get: unknown table 3" },
    { "it grows", CODE(F__i, NULL_OF(C), I32_CONST(1), 0xfc, 15, CONTS), NULL },
    { "and has a size", CODE(F__i, 0xfc, 16, CONTS), NULL },
    { "and is filled", CODE(F, I32_CONST(0), NULL_OF(C), I32_CONST(1), 0xfc, 17, CONTS), NULL },
    { "tables of one type are copied", CODE(F, I32_CONST(0), I32_CONST(0), I32_CONST(1), 0xfc, 14, CONTS, CONTS),
      NULL },
    { "not of two", CODE(F, I32_CONST(0), I32_CONST(0), I32_CONST(1), 0xfc, 14, CONTS, FUNCTIONS),
      "table.copy: type mismatch" },
    { "a segment goes into a table of its type", CODE(F, I32_CONST(0), I32_CONST(0), I32_CONST(1), 0xfc, 12, 0,
      FUNCTIONS, 0xfc, 13, 0), NULL },
    { "of no other", CODE(F, I32_CONST(0), I32_CONST(0), I32_CONST(1), 0xfc, 12, 0, CONTS),
      "table.init: type mismatch" },
    { "if it is there", CODE(F, 0xfc, 13, 2), "elem.drop: unknown elem segment 2" },
  };
  (void)state;
  CHECK_RULES(rules);
}

static void exceptions(void **state)
{
  const struct rule rules[] = {
    { "throw takes what the tag takes", CODE(F, I32_CONST(1), THROW(E_i)), NULL },
    { "and nothing else", CODE(F, I64_CONST(1), THROW(E_i)), "throw: type mismatch: expected i32, found i64" },
    { "a tag that is there", CODE(F, THROW(5)), "throw: unknown tag 5" },
    { "that gives nothing", CODE(F, THROW(E__i)),
      "throw: type mismatch in the tag of an exception: expected [], found [i32]" },
    { "throw_ref takes an exception", CODE(F, NULL_OF(0x69), THROW_REF), NULL },
    { "no continuation", CODE(F, NULL_OF(C), THROW_REF), "throw_ref: type mismatch" },
    { "a clause gives its label what the tag takes", CODE(F__i, BLOCK(I32), TRY_TABLE(NO_VALUE, 1), CATCH(E_i, 0),
      END, I32_CONST(0), END), NULL },
    { "and nothing else", CODE(F, BLOCK(NO_VALUE), TRY_TABLE(NO_VALUE, 1), CATCH(E_i, 0), END, END),
      "try_table: type mismatch in a catch clause" },
    { "its label is outside", CODE(F, TRY_TABLE(I32, 1), CATCH(E_i, 0), I32_CONST(0), END, DROP),
      "try_table: type mismatch" },
    { "with the exception, if it says so", CODE(F, BLOCK(EXNREF), TRY_TABLE(NO_VALUE, 1), CATCH_REF(E, 0), END,
      UNREACHABLE, END, DROP), NULL },
    { "which the label has to take", CODE(F, BLOCK(NO_VALUE), TRY_TABLE(NO_VALUE, 1), CATCH_REF(E, 0), END, END),
      "try_table: type mismatch in a catch clause, and a reference" },
    { "catching all gives nothing", CODE(F, TRY_TABLE(NO_VALUE, 1), CATCH_ALL(0), END), NULL },
    { "or the exception", CODE(F, BLOCK(EXNREF), TRY_TABLE(NO_VALUE, 1), CATCH_ALL_REF(0), END, UNREACHABLE, END,
      DROP), NULL },
    { "not to a label that takes more", CODE(F__i, TRY_TABLE(NO_VALUE, 1), CATCH_ALL(0), END, I32_CONST(0)),
      "try_table: type mismatch" },
    { "to a label that is there", CODE(F, TRY_TABLE(NO_VALUE, 1), CATCH_ALL(1), END), "try_table: unknown label 1" },
    { "there are four kinds of clauses", CODE(F, TRY_TABLE(NO_VALUE, 1), 4, 0, END), "malformed catch clause" },
    { "legacy exceptions are another thing", CODE(F, 0x06, NO_VALUE, END), "not supported: try" },
  };
  (void)state;
  CHECK_RULES(rules);
}

static void continuations_are_made_and_bound(void **state)
{
  const struct rule rules[] = {
    { "cont.new takes a function of its type", CODE_WITH(F, LOCALS(1, 1, REF(C_i_i)), REF_FUNC(INCREMENT),
      CONT_NEW(C_i_i), SET(0)), NULL },
    { "that may be null", CODE(F, NULL_OF(F_i_i), CONT_NEW(C_i_i), DROP), NULL },
    { "or of a subtype", CODE(F, NULL_OF(F_DERIVED), CONT_NEW(C_BASE), DROP), NULL },
    { "of no other type", CODE(F, REF_FUNC(INCREMENT), CONT_NEW(C_i), DROP),
      "cont.new: type mismatch: expected (ref null $1), found (ref $3)" },
    { "not a continuation", CODE(F, NULL_OF(C), CONT_NEW(C), DROP), "cont.new: type mismatch" },
    { "a type of continuations", CODE(F, NULL_OF(F), CONT_NEW(F), DROP), "cont.new: non-continuation type 0" },
    { "that is there", CODE(F, NULL_OF(F), CONT_NEW(60), DROP), "cont.new: unknown type 60" },
    { "cont.bind takes the first parameters", CODE(F, I32_CONST(1), NULL_OF(C_il_i), CONT_BIND(C_il_i, C_l_i), DROP),
      NULL },
    { "all of them, if the second type has none", CODE(F, I32_CONST(1), I64_CONST(1), NULL_OF(C_il_i),
      CONT_BIND(C_il_i, C__i), DROP), NULL },
    { "or none", CODE(F, NULL_OF(C_il_i), CONT_BIND(C_il_i, C_il_i), DROP), NULL },
    { "in their order", CODE(F, I64_CONST(1), NULL_OF(C_il_i), CONT_BIND(C_il_i, C_l_i), DROP),
      "cont.bind: type mismatch: expected i32, found i64" },
    { "each of them", CODE(F, NULL_OF(C_il_i), CONT_BIND(C_il_i, C_l_i), DROP),
      "cont.bind: type mismatch: expected i32, found nothing" },
    { "the last ones remain", CODE(F, I32_CONST(1), NULL_OF(C_il_i), CONT_BIND(C_il_i, C_i_i), DROP),
      "cont.bind: type mismatch in continuation types: expected [i64], found [i32]" },
    { "with the results", CODE(F, I32_CONST(1), NULL_OF(C_i_i), CONT_BIND(C_i_i, C), DROP),
      "cont.bind: type mismatch in continuation types: expected [], found [i32]" },
    { "there cannot be more", CODE(F, NULL_OF(C), CONT_BIND(C, C_i), DROP),
      "cont.bind: type mismatch in continuation arguments" },
    { "a null it may be", CODE(F, NULL_OF(C_i_i), CONT_BIND(C_i_i, C_i_i), DROP), NULL },
    { "a continuation of the first type", CODE(F, NULL_OF(C_l_i), CONT_BIND(C_i_i, C_i_i), DROP),
      "cont.bind: type mismatch: expected (ref null $7)" },
    { "the second type may take less and give more", CODE(F, NULL_OF(C_b_d), CONT_BIND(C_b_d, C_d_b), DROP), NULL },
    { "not the other way round", CODE(F, NULL_OF(C_d_b), CONT_BIND(C_d_b, C_b_d), DROP),
      "cont.bind: type mismatch in continuation types" },
    { "both are continuations", CODE(F, NULL_OF(C), CONT_BIND(C, F), DROP), "cont.bind: non-continuation type 0" },
    { "suspend takes and gives what the tag does", CODE(F__i, I32_CONST(1), SUSPEND(E_i_i)), NULL },
    { "and nothing else", CODE(F__i, I64_CONST(1), SUSPEND(E_i_i)),
      "suspend: type mismatch: expected i32, found i64" },
    { "a tag that is there", CODE(F, SUSPEND(5)), "suspend: unknown tag 5" },
  };
  (void)state;
  CHECK_RULES(rules);
}

#define HANDLED(type, ...) 0x02, type, __VA_ARGS__, UNREACHABLE, END
static void continuations_are_resumed(void **state)
{
  const struct rule rules[] = {
    { "resume takes parameters and a continuation", CODE(F__i, I32_CONST(1), NULL_OF(C_i_i), RESUME(C_i_i, 0)),
      NULL },
    { "in this order", CODE(F__i, NULL_OF(C_i_i), I32_CONST(1), RESUME(C_i_i, 0)),
      "resume: type mismatch: expected (ref null $7), found i32" },
    { "each of them", CODE(F__i, NULL_OF(C_i_i), RESUME(C_i_i, 0)),
      "resume: type mismatch: expected i32, found nothing" },
    { "of a type of continuations", CODE(F, NULL_OF(F), RESUME(F, 0)), "resume: non-continuation type 0" },
    { "and of no other type", CODE(F, NULL_OF(C_SELF), RESUME(C, 0)),
      "resume: type mismatch: expected (ref null $4), found (ref null $9)" },
    { "no function", CODE(F, NULL_OF(F), RESUME(C, 0)),
      "resume: type mismatch: expected (ref null $4), found (ref null $0)" },
    { "a handler gives its label a continuation", CODE(F, HANDLED(REF(C), NULL_OF(C), RESUME(C, 1), ON(E, 0)), DROP),
      NULL },
    { "that may be null to the label", CODE(F, HANDLED(REF_NULL(C), NULL_OF(C), RESUME(C, 1), ON(E, 0)), DROP),
      NULL },
    { "that takes what the tag gives", CODE(F, HANDLED(REF(C_i), NULL_OF(C), RESUME(C, 1), ON(E__i, 0)), DROP),
      NULL },
    { "and not what it does not", CODE(F, HANDLED(REF(C_i), NULL_OF(C), RESUME(C, 1), ON(E, 0)), DROP),
      "resume: type mismatch in continuation type: expected [], found [i32]" },
    { "that gives what the resumed one gives", CODE(F, HANDLED(REF(C__i), NULL_OF(C__i), RESUME(C__i, 1), ON(E, 0)),
      DROP), NULL },
    { "and not what it does not", CODE(F, HANDLED(REF(C), NULL_OF(C__i), RESUME(C__i, 1), ON(E, 0), DROP), DROP),
      "resume: type mismatch in continuation type: expected [], found [i32]" },
    { "both by subtypes, declared or not", CODE(F, BLOCK(F__bd), UNREACHABLE, RESUME(C_b_d, 1), ON(E_d__b, 0),
      UNREACHABLE, END, DROP, DROP), NULL },
    { "and only the right way round", CODE(F, BLOCK(F__bb), UNREACHABLE, RESUME(C_d_b, 1), ON(E_d__b, 0), UNREACHABLE,
      END, DROP, DROP), "resume: type mismatch in continuation type" },
    { "a label has to take a continuation", CODE(F, BLOCK(NO_VALUE), NULL_OF(C), RESUME(C, 1), ON(E, 0), END),
      "resume: type mismatch" },
    { "of a type that says what it takes", CODE(F, HANDLED(REF(ANY_CONT), NULL_OF(C), RESUME(C, 1), ON(E, 0)), DROP),
      "resume: type mismatch: instruction requires concrete continuation reference type but label has [(ref cont)]" },
    { "which is no function", CODE(F, HANDLED(REF(F), NULL_OF(C), RESUME(C, 1), ON(E, 0)), DROP),
      "resume: non-continuation type 0" },
    { "and before it what the tag takes", CODE(F, HANDLED(REF(C), NULL_OF(C), RESUME(C, 1), ON(E_i, 0)), DROP),
      "resume: type mismatch in what a handler takes: expected [], found [i32]" },
    { "a tag that is there", CODE(F, HANDLED(REF(C), NULL_OF(C), RESUME(C, 1), ON(5, 0)), DROP),
      "resume: unknown tag 5" },
    { "a label that is there", CODE(F, NULL_OF(C), RESUME(C, 1), ON(E, 1)), "resume: unknown label 1" },
    { "a label may serve several tags", CODE(F, HANDLED(REF(C), NULL_OF(C), RESUME(C, 2), ON(E, 0), ON(E, 0)), DROP),
      NULL },
    { "a handler of switches has no label", CODE(F, NULL_OF(C), RESUME(C, 1), ON_SWITCH(E)), NULL },
    { "and a tag that takes nothing", CODE(F, NULL_OF(C), RESUME(C, 1), ON_SWITCH(E_i)),
      "resume: type mismatch in switch tag: expected [], found [i32]" },
    { "and gives what the resume gives", CODE(F__i, NULL_OF(C__i), RESUME(C__i, 1), ON_SWITCH(E__i)), NULL },
    { "and nothing else", CODE(F, NULL_OF(C), RESUME(C, 1), ON_SWITCH(E__i)),
      "resume: type mismatch in the results of a switch tag: expected [], found [i32]" },
    { "there are two kinds of handlers", CODE(F, NULL_OF(C), RESUME(C, 1), 2, E), "malformed handler" },
    { "resume_throw takes what the exception takes", CODE(F__i, I32_CONST(1), NULL_OF(C_l_i), RESUME_THROW(C_l_i, E_i,
      0)), NULL },
    { "not what the continuation takes", CODE(F__i, I64_CONST(1), NULL_OF(C_l_i), RESUME_THROW(C_l_i, E_i, 0)),
      "resume_throw: type mismatch: expected i32, found i64" },
    { "an exception that gives nothing", CODE(F, NULL_OF(C), RESUME_THROW(C, E__i, 0)),
      "resume_throw: type mismatch in the tag of an exception" },
    { "by a tag that is there", CODE(F, NULL_OF(C), RESUME_THROW(C, 5, 0)), "resume_throw: unknown tag 5" },
    { "to a continuation", CODE(F, NULL_OF(F), RESUME_THROW(F, E, 0)), "resume_throw: non-continuation type 0" },
    { "with handlers", CODE(F, HANDLED(REF(C), NULL_OF(C), RESUME_THROW(C, E, 1), ON(E, 0)), DROP), NULL },
    { "that are right", CODE(F, HANDLED(REF(C_i), NULL_OF(C), RESUME_THROW(C, E, 1), ON(E, 0)), DROP),
      "resume_throw: type mismatch in continuation type" },
    { "resume_throw_ref takes the exception first", CODE(F__i, NULL_OF(0x69), NULL_OF(C_i_i), RESUME_THROW_REF(C_i_i,
      0)), NULL },
    { "and the continuation last", CODE(F__i, NULL_OF(C_i_i), NULL_OF(0x69), RESUME_THROW_REF(C_i_i, 0)),
      "resume_throw_ref: type mismatch: expected (ref null $7), found (ref null exn)" },
    { "an exception, not its values", CODE(F__i, I32_CONST(1), NULL_OF(C_i_i), RESUME_THROW_REF(C_i_i, 0)),
      "resume_throw_ref: type mismatch: expected (ref null exn), found i32" },
    { "with handlers that are right", CODE(F, NULL_OF(0x69), NULL_OF(C), RESUME_THROW_REF(C, 1), ON_SWITCH(E_i)),
      "resume_throw_ref: type mismatch in switch tag" },
  };
  (void)state;
  CHECK_RULES(rules);
}

static void continuations_are_switched_to(void **state)
{
  const struct rule rules[] = {
    { "switch takes a continuation that takes one", CODE(F, NULL_OF(C_SELF), SWITCH(C_SELF, E), DROP), NULL },
    { "and what it takes before", CODE(F, I32_CONST(1), NULL_OF(C_SELF_i), SWITCH(C_SELF_i, E), DROP, DROP), NULL },
    { "of that type", CODE(F, I64_CONST(1), NULL_OF(C_SELF_i), SWITCH(C_SELF_i, E), DROP, DROP),
      "switch: type mismatch: expected i32, found i64" },
    { "a null it may be, of no other type", CODE(F, NULL_OF(C), SWITCH(C_SELF, E), DROP),
      "switch: type mismatch: expected (ref null $9), found (ref null $4)" },
    { "it comes back with what its own type takes", CODE(F__i, I32_CONST(1), NULL_OF(C_SELF_i), SWITCH(C_SELF_i, E),
      DROP), NULL },
    { "one that takes none cannot be switched to", CODE(F, NULL_OF(C), SWITCH(C, E)),
      "switch: type mismatch: instruction requires concrete continuation reference type but the type annotation" },
    { "nor one that takes a number last", CODE(F, I32_CONST(1), NULL_OF(C_i), SWITCH(C_i, E)),
      "switch: type mismatch" },
    { "a type of continuations", CODE(F, NULL_OF(F), SWITCH(F, E)), "switch: non-continuation type 0" },
    { "a tag that is there", CODE(F, NULL_OF(C_SELF), SWITCH(C_SELF, 5), DROP), "switch: unknown tag 5" },
    { "that takes nothing", CODE(F, NULL_OF(C_SELF), SWITCH(C_SELF, E_i), DROP),
      "switch: type mismatch in switch tag: expected [], found [i32]" },
    { "and gives what both give", CODE(F, NULL_OF(C_SELF), SWITCH(C_SELF, E__i), DROP),
      "switch: type mismatch in continuation types: expected [i32], found []" },
  };
  (void)state;
  CHECK_RULES(rules);
}

static void what_is_not_supported_is_said_to_be(void **state)
{
  const struct rule rules[] = {
    { "structs", CODE(F, 0xfb, 1, PAIR, DROP), "not supported: struct.new_default" },
    { "small numbers as references", CODE(F, I32_CONST(1), 0xfb, 0x1c, DROP), "not supported: ref.i31" },
    { "equality of references", CODE(F, 0xd3), "not supported: ref.eq" },
    { "vectors", CODE(F, 0xfd, 0x0f), "not supported: instructions of v128" },
    { "also as locals", CODE_WITH(F, LOCALS(1, 1, V128), 0x01), "not supported: v128" },
    { "what is no vector instruction either", CODE(F, 0xfd, 0x94, 0x02), "illegal opcode fd 114" },
  };
  (void)state;
  CHECK_RULES(rules);
}

static void messages_name_function_offset_and_rule(void **state)
{
  static struct bytes bytes;
  const struct body body = CODE(F, 0x01, NULL_OF(F), RESUME(C, 0));
  struct wl_module module;
  (void)state;
  make_world(&bytes, &body);
  assert_false(is_valid(&module, &bytes));
  assert_int_equal(module.error.fault, WL_INVALID);
  assert_int_equal(module.error.function, TESTED);
  assert_int_equal(bytes.at[module.error.offset], 0xe3);
  const struct wl_name name = wl_function_name(&module, TESTED);
  assert_int_equal(name.length, 3);
  assert_memory_equal(module.bytes + name.at, "run", 3);
  assert_int_equal(wl_function_name(&module, INCREMENT).length, 0);
  wl_module_free(&module);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_are_pushed_and_popped),
    cmocka_unit_test(locals_globals_and_memory),
    cmocka_unit_test(control_and_calls),
    cmocka_unit_test(references_and_tables),
    cmocka_unit_test(exceptions),
    cmocka_unit_test(continuations_are_made_and_bound),
    cmocka_unit_test(continuations_are_resumed),
    cmocka_unit_test(continuations_are_switched_to),
    cmocka_unit_test(what_is_not_supported_is_said_to_be),
    cmocka_unit_test(messages_name_function_offset_and_rule),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
