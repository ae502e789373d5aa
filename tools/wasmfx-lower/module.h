/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_MODULE_H
#define WASMFX_LOWER_MODULE_H
/**
 * @file module.h
 * A module in memory. What only has to be gone through once stays where it is, in the file, and is remembered by its
 * offset: bodies, constant expressions, the items of segments, names.
 */
#include "cursor.h"
#include "memory.h"

/* ---- Types of values --------------------------------------------------------------------- */

/**
 * A type of values, or of a field. References: `WL_REF`, `WL_NULL` if there is a null, and a heap type.
 *
 * A heap type is the index of a type definition, or `WL_ABSTRACT` and the byte that stands for it in the file. After
 * validation an index is the first one of all equal definitions, so equal types are equal numbers.
 */
typedef uint32_t wl_type;

#define WL_REF 0x80000000u
#define WL_NULL 0x40000000u
#define WL_MUTABLE 0x20000000u /* of a field */
#define WL_ABSTRACT 0x08000000u
#define WL_HEAP 0x0fffffffu

enum {
  WL_BOTTOM, /* what instructions that nobody reaches find on the stack */
  WL_I32,
  WL_I64,
  WL_F32,
  WL_F64,
  WL_V128,
  WL_I8, /* of fields only */
  WL_I16,
};

enum {
  WL_NEVER = WL_ABSTRACT, /* below every heap type: where null is taken off a `WL_BOTTOM` */
  WL_NOCONT = WL_ABSTRACT | 0x75,
  WL_NOEXN = WL_ABSTRACT | 0x74,
  WL_NOFUNC = WL_ABSTRACT | 0x73,
  WL_NOEXTERN = WL_ABSTRACT | 0x72,
  WL_NO_ANY = WL_ABSTRACT | 0x71,
  WL_FUNC = WL_ABSTRACT | 0x70,
  WL_EXTERN = WL_ABSTRACT | 0x6f,
  WL_ANY = WL_ABSTRACT | 0x6e,
  WL_EQ = WL_ABSTRACT | 0x6d,
  WL_I31 = WL_ABSTRACT | 0x6c,
  WL_STRUCT = WL_ABSTRACT | 0x6b,
  WL_ARRAY = WL_ABSTRACT | 0x6a,
  WL_EXN = WL_ABSTRACT | 0x69,
  WL_CONT = WL_ABSTRACT | 0x68,
};

static inline bool wl_is_ref(wl_type type)
{
  return type & WL_REF;
}

static inline uint32_t wl_heap(wl_type type)
{
  return type & WL_HEAP;
}

static inline wl_type wl_ref(uint32_t heap, bool null)
{
  return WL_REF | (null ? WL_NULL : 0) | heap;
}

static inline bool wl_is_index(uint32_t heap)
{
  return !(heap & WL_ABSTRACT);
}

struct wl_list {
  const wl_type *types;
  uint32_t count;
};

/* ---- Definitions of types -------------------------------------------------------------------- */

enum wl_form {
  WL_FUNC_FORM = 0x60,
  WL_STRUCT_FORM = 0x5f,
  WL_ARRAY_FORM = 0x5e,
  WL_CONT_FORM = 0x5d,
};

struct wl_definition {
  uint8_t form;       /* enum wl_form */
  bool is_final;
  bool has_v128;      /* among its own parameters, results or fields */
  uint8_t depth;      /* how many supertypes there are above it */
  uint16_t params;    /* how many; of a struct, its fields, of an array, one */
  uint16_t results;
  uint32_t first;     /* where they begin in the pool; of a continuation type, its function type */
  uint32_t supertype; /* or WL_NONE */
  uint32_t canonical; /* the first definition that is equal to it */
  uint32_t group;     /* where its recursion group begins */
  uint32_t hash;      /* of the whole group, with the first of it */
  uint32_t offset;
};

/* ---- What a module has -------------------------------------------------------------------------- */

enum wl_kind { WL_KIND_FUNC, WL_KIND_TABLE, WL_KIND_MEMORY, WL_KIND_GLOBAL, WL_KIND_TAG, WL_KINDS };

struct wl_limits {
  bool has_most;
  uint64_t least, most;
};

struct wl_function {
  uint32_t type, offset; /* where it is declared */
  uint32_t body, end;    /* its locals and its code; both 0: imported */
};

struct wl_table {
  wl_type type;
  uint32_t offset, init; /* an expression; 0: null */
  struct wl_limits limits;
};

struct wl_linear_memory {
  uint32_t offset;
  struct wl_limits limits;
};

struct wl_global {
  wl_type type;
  bool is_mutable;
  uint32_t offset, init; /* 0: imported */
};

struct wl_tag {
  uint32_t type, offset;
};

struct wl_import {
  struct wl_name module, name;
  uint32_t index; /* among those of its kind */
  uint8_t kind;   /* enum wl_kind */
};

struct wl_export {
  struct wl_name name;
  uint32_t index, offset;
  uint8_t kind; /* enum wl_kind */
};

enum wl_mode { WL_ACTIVE, WL_PASSIVE, WL_DECLARED };

struct wl_elements {
  uint32_t offset, table, place; /* `place` is an expression, if active */
  wl_type type;
  uint32_t count, items; /* where they begin: indices of functions, or expressions */
  uint8_t mode;          /* enum wl_mode */
  bool are_expressions;
};

struct wl_data {
  uint32_t offset, memory, place; /* as above */
  uint32_t count, bytes;          /* where they begin */
  uint8_t mode;
};

struct wl_module {
  const uint8_t *bytes;
  uint32_t size;
  struct wl_memory memory;
  struct wl_error error;
  uint64_t work_left; /* how many types of lists the validation may still go over */

  struct wl_array definitions; /* struct wl_definition */
  struct wl_array pool;        /* wl_type: parameters, results, fields */
  uint32_t *groups;            /* a hash table of recursion groups: 1 + where each begins */
  uint32_t group_room;

  struct wl_array functions, tables, memories, globals, tags; /* imported ones first */
  struct wl_array imports, exports, elements, datas;
  uint32_t imported[WL_KINDS]; /* how many of each kind */
  uint32_t start;              /* or WL_NONE */
  uint32_t start_offset;
  uint32_t data_count; /* as announced, or WL_NONE */
  uint32_t names;      /* where the subsection of the names of functions begins, or 0 */
  uint32_t names_end;
  uint8_t *declared; /* a bit each: functions that code may refer to */
};

#define WL_ITEM(kind, array, index) (&((struct kind *)(array).items)[index])

static inline struct wl_definition *wl_definition(const struct wl_module *module, uint32_t index)
{
  return WL_ITEM(wl_definition, module->definitions, index);
}

/** A cursor from an offset on, for what has been gone through before. */
static inline struct wl_cursor wl_cursor_at(struct wl_module *module, uint32_t at, uint32_t end)
{
  return (struct wl_cursor){ module->bytes, at, end, &module->error };
}

/**
 * Reads a module. Answers false with `module->error` set; either way `wl_module_free` is to be called. Memory is
 * limited to eight times the input and a little. The bytes have to stay as long as the module does.
 */
bool wl_read(struct wl_module *module, const uint8_t *bytes, size_t size);

void wl_module_free(struct wl_module *module);

/** The name of a function, which may lie in the name section or be that of an export; of length 0 if there is none. */
struct wl_name wl_function_name(const struct wl_module *module, uint32_t function);

/** Types as they stand in the file. */
wl_type wl_read_type(struct wl_cursor *cursor);
uint32_t wl_read_heap(struct wl_cursor *cursor);

#endif
