/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_LOWER_LOWER_H
#define WASMFX_LOWER_LOWER_H
/**
 * @file lower.h
 * From a valid module with stack switching to a core module that asks its host for it. docs/lowering.md says what
 * comes out; this is what is kept while it is made.
 *
 *     plan.c    which functions may throw, which call themselves in a tail
 *     lower.c   bodies
 *     verbs.c   in them, stack switching and exceptions
 *     added.c   functions that the source does not have: entries, start functions
 *     emit.c    the code of the function that is being made
 *     write.c   sections
 */
#include "identity.h"
#include "intern.h"
#include "module.h"

struct wl_options {
  const char *const *hosts; /* modules whose functions neither suspend nor throw */
  uint32_t host_count;
};

/** A growing string of bytes; or, lowered, the module. */
struct wl_output {
  const uint8_t *bytes;
  size_t size;
};

/**
 * Lowers a module that has been validated. What comes out belongs to the module's memory. Answers false with
 * `module->error` set: something that cannot be lowered, or too much memory for its size.
 */
bool wl_lower(struct wl_module *module, const struct wl_options *options, struct wl_output *output);

/* ---- Inside ---------------------------------------------------------------------------------- */

/* Types of values in a lowered module, as in the binary format. */
enum { WL_LOW_I32 = 0x7f, WL_LOW_I64 = 0x7e, WL_LOW_F32 = 0x7d, WL_LOW_F64 = 0x7c, WL_LOW_FUNC = 0x70,
       WL_LOW_EXTERN = 0x6f, WL_LOW_TYPES = 6 };

/** What a module imports from its host. Those with families come with values: see enum wl_variant. */
enum wl_verb {
  WL_V_TYPE_PARAMETER, WL_V_TYPE_RESULT, WL_V_TYPE, WL_V_TAG, WL_V_CLAUSE, WL_V_HANDLERS, WL_V_CLOSURE,
  WL_V_CONT_NEW, WL_V_CONT_NEW_N, WL_V_CONT_BIND, WL_V_RESUME, WL_V_RESUME_THROW, WL_V_SUSPEND, WL_V_SWITCH,
  WL_V_ARGUMENT, WL_V_VALUE, WL_V_WORD, WL_V_REFERENCE, WL_V_FUNCTION_WORD, WL_V_FUNCTION, WL_V_START_FUNCTION,
  WL_V_EXCEPTION, WL_V_CATCHES, WL_V_CAUGHT, WL_V_TRAP,
  WL_VERBS
};

/** As it stands; with so many values before its operands; with a number, and `argument` called before. */
enum wl_variant { WL_ALONE, WL_WITH_1, WL_WITH_2, WL_WITH_3, WL_WITH_4, WL_WITH_0, WL_WITH_N, WL_VARIANTS };

/** Operands of `trap`. */
enum wl_trap { WL_TRAP_NULL_FUNCTION = 1, WL_TRAP_NULL_REFERENCE, WL_TRAP_CALL_TYPE, WL_TRAP_NULL_EXCEPTION,
               WL_TRAP_CAST };

/** A place in code where the index of a function goes, which is known only at the end. */
struct wl_fixup {
  uint32_t at;
  uint32_t function; /* of the source; those that are added have numbers after the last of it */
};

/** A function that is finished: its code lies in `code`, its fixups in `fixups`. */
struct wl_finished {
  uint32_t type;
  uint32_t begin, end;
  uint32_t first_fixup, end_fixup;
};

/** A function that the source does not have. */
enum wl_addition {
  WL_ENTRY,       /* by which a function of the source is referred to, if the type does not say it all */
  WL_PASSAGE,     /* the same for an imported one: there are engines that refer well to their own only */
  WL_START,       /* of continuations, for a function of the source */
  WL_START_TYPE,  /* the same for all functions of a type */
};

struct wl_added {
  uint8_t addition; /* enum wl_addition */
  bool is_general;  /* of start functions: payloads are not in word form */
  uint32_t index;   /* of the function, or of the type */
};

/** The label of a block of the source, in lowered code. */
struct wl_level {
  uint32_t label;         /* how many labels there are around it */
  uint32_t landing;       /* to which label what is thrown inside goes */
  bool is_try;            /* whose landing stands before its end, with clauses */
  uint32_t clauses, count;
};

struct wl_constant;

/** What is known of a function of the source before it is lowered. */
enum { WL_MAY_THROW = 1, WL_CALLS_ITSELF = 2 /* in a tail */ };

struct wl_lowering {
  struct wl_module *module;
  const struct wl_options *options;

  struct wl_constant *constants; /* what each global is (constant.h) */
  struct wl_array evaluated;     /* for a moment: the stack of an expression */

  /* The plan. */
  bool can_throw;  /* anything at all */
  uint8_t *functions;

  /* What belongs to types. */
  struct wl_identity *identities;
  struct wl_interner types;   /* of functions, lowered, as they will be written */
  uint32_t *type_of;          /* of each definition: 1 + its lowered type, or 0 */

  /* What the host makes once; each has a global, its `value`. */
  struct wl_interner kinds;    /* types for the host: kinds of parameters, 0, kinds of results */
  struct wl_interner handlers; /* a byte for the kind and four for the tag, for each clause */
  struct wl_interner closures; /* the number of the added function */
  struct wl_interner additions; /* struct wl_added */
  uint32_t globals;            /* how many there are */

  struct {
    uint32_t slot[WL_VERBS][WL_VARIANTS]; /* 1 + the place among those that are imported */
    uint16_t order[WL_VERBS * WL_VARIANTS]; /* verb * WL_VARIANTS + variant */
    uint32_t count;
  } verbs;

  struct wl_array moved; /* functions, uint32_t, that the start function refers to where the source's code need not */
  bool has_scratch_table; /* after those of the source, for calls by reference */
  bool places_later;      /* active elements and data are placed by the start function: somebody could get at functions
                             in a table before what they need has been made, or core engines cannot place them */

  /* What is finished. */
  struct wl_array code;     /* bytes */
  struct wl_array fixups;   /* struct wl_fixup, places in `code` */
  struct wl_array finished; /* struct wl_finished: those of the source, then those that are added */

  /* The function that is being made (emit.h). */
  struct wl_array bytes, places; /* its code, struct wl_fixup */
  struct wl_array declared;      /* its locals beyond the parameters, a byte each: in runs */
  struct wl_array scratch[WL_LOW_TYPES];
  uint32_t used[WL_LOW_TYPES];   /* of these, by the instruction */
  uint32_t locals;               /* how many it has, with parameters and scratch */
  uint32_t depth;                /* labels around here */
  struct wl_array levels;        /* struct wl_level, of the source's open blocks */
  uint32_t landing;              /* the label of the function's own landing, or WL_NONE */
  uint32_t head;                 /* the label of the loop that a tail call of itself is, or WL_NONE */
  bool is_start;                 /* it is the one that the module starts with */
  bool throws;                   /* calls are followed by a test */
  bool is_dead;                  /* nobody gets here: nothing is written up to the end of the block */
  uint32_t skipped;              /* blocks that were opened since */

  struct wl_array operands, temporary; /* for a moment: locals, bytes */
};

static inline bool wl_lower_failed(const struct wl_lowering *l)
{
  return l->module->error.fault != WL_RIGHT;
}

/** plan.c */
bool wl_plan(struct wl_lowering *l);
bool wl_is_from_host(const struct wl_lowering *l, struct wl_name module);

/** lower.c */
bool wl_lower_bodies(struct wl_lowering *l);
/** What a constant expression of the source comes to, as code of the function that is being made. */
void wl_lower_expression(struct wl_lowering *l, uint32_t at);
uint32_t wl_low_type(const struct wl_module *module, wl_type type);
/** Lowered function types, by number. `ids`: with what an entry takes in addition. */
uint32_t wl_low_list_type(struct wl_lowering *l, struct wl_list params, struct wl_list results, bool ids);
uint32_t wl_low_function_type(struct wl_lowering *l, uint32_t definition);
/** Whether functions of the type are referred to by themselves: no other type is lowered to the same. */
bool wl_is_called_plainly(const struct wl_module *module, uint32_t definition);
bool wl_is_alone(const struct wl_module *module, uint32_t definition);
/** Where a global of the source lies, a tag, and those that are added. */
uint32_t wl_low_global(const struct wl_lowering *l, uint32_t global);
uint32_t wl_tag_global(const struct wl_lowering *l, uint32_t tag);
uint32_t wl_thrown_global(const struct wl_lowering *l);
uint32_t wl_added_global(const struct wl_lowering *l, uint32_t number);
/** What a function of the source is referred to by: itself, its entry, or a passage. */
uint32_t wl_referred(struct wl_lowering *l, uint32_t function);

/** added.c */
uint32_t wl_add(struct wl_lowering *l, struct wl_added added);
bool wl_lower_added(struct wl_lowering *l);
/** The function that the module starts with; WL_NONE if there is nothing to do. */
uint32_t wl_lower_start(struct wl_lowering *l);

/** Whether a segment has items that only an expression with a global says. */
bool wl_reads_globals(struct wl_module *module, const struct wl_elements *elements);

/** write.c */
bool wl_write(struct wl_lowering *l, uint32_t start, struct wl_output *output);

#endif
