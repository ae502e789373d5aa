/* SPDX-License-Identifier: Apache-2.0 */
/* A module with one of everything. */
#include "world.h"

static const uint8_t types[] = {
  22,
  FUNC, 0, 0,
  FUNC, 1, I32, 0,
  FUNC, 0, 1, I32,
  FUNC, 1, I32, 1, I32,
  CONT, F,
  CONT, F_i,
  CONT, F__i,
  CONT, F_i_i,
  REC, 2, FUNC, 1, REF_NULL(C_SELF), 0, CONT, F_SELF,
  SUB, 0, FUNC, 0, 0,
  SUB_FINAL, 1, F_BASE, FUNC, 0, 0,
  FUNC, 2, I32, I64, 1, I32,
  CONT, F_il_i,
  FUNC, 1, I64, 1, I32,
  CONT, F_l_i,
  SUB, 0, CONT, F_BASE,
  SUB, 1, C_BASE, CONT, F_DERIVED,
  REC, 4, FUNC, 1, REF(F_DERIVED), 1, REF(F_BASE), FUNC, 1, REF(F_BASE), 1, REF(F_DERIVED), CONT, F_d_b, CONT, F_b_d,
  FUNC, 0, 2, REF(F_BASE), REF(C_d_b),
  FUNC, 0, 2, REF(F_BASE), REF(C_b_d),
  STRUCT, 2, I32, 0, I64, 1,
  REC, 2, FUNC, 2, I32, REF(C_SELF_i), 0, CONT, F_SELF_i,
};

void make_world(struct bytes *to, const struct body *body)
{
  static struct bytes code, section;
  const uint8_t none[] = { 0 };
  begin_module(to);
  put_section(to, TYPE_SECTION, types, sizeof types);
  put_section(to, IMPORT_SECTION, BYTES(2, 1, 'm', 1, 'f', 0, F, 1, 'm', 1, 'g', 3, I32, 0));
  put_section(to, FUNCTION_SECTION, BYTES(2, F_i_i, body->type));
  put_section(to, TABLE_SECTION, BYTES(3, FUNCREF, 0, 4, EXTERNREF, 1, 4, 8, REF_NULL(C), 0, 4));
  put_section(to, MEMORY_SECTION, BYTES(1, 0, 1));
  put_section(to, TAG_SECTION, BYTES(5, 0, F, 0, F_i, 0, F__i, 0, F_i_i, 0, F_d_b));
  put_section(to, GLOBAL_SECTION, BYTES(2, I64, 1, I64_CONST(0), END, REF_NULL(C), 1, NULL_OF(C), END));
  put_section(to, EXPORT_SECTION, BYTES(1, 3, 'r', 'u', 'n', 0, TESTED));
  put_section(to, ELEMENT_SECTION, BYTES(2, 1, 0, 1, INCREMENT, 3, 0, 1, IMPORTED));
  put_section(to, DATA_COUNT_SECTION, BYTES(1));
  code.count = section.count = 0;
  put(&code, body->locals_count ? body->locals : none, body->locals_count ? body->locals_count : 1);
  put(&code, body->code, body->code_count);
  put(&code, BYTES(END));
  put(&section, BYTES(2, 7, 0, GET(0), I32_CONST(1), I32_ADD, END));
  put_number(&section, (uint32_t)code.count);
  put(&section, code.at, code.count);
  put_section(to, CODE_SECTION, section.at, section.count);
  put_section(to, DATA_SECTION, BYTES(1, 1, 2, 'h', 'i'));
}
