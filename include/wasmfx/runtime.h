/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_RUNTIME_H
#define WASMFX_RUNTIME_H
/**
 * @file runtime.h
 * Life of a runtime, its configuration, its counters, and the marks in its
 * chain that only a host makes: roots, barriers, and marks to unwind to.
 *
 * *Threads:* a runtime is used by one thread at a time. The verbs have no hidden
 * thread-local state: a runtime may move between threads while no continuation
 * of it is running, and no thread catches its overflows (overflow.h).
 */
#include <wasmfx/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Configuration ------------------------------------------------------ */

/**
 * Where the library gets small memory from: runtime, types, tags, tables,
 * bound arguments. Blocks must be aligned to 16 bytes, as malloc's are.
 * All NULL means malloc and free. Stacks and continuation objects do not come
 * from here: they are address ranges of the operating system.
 */
typedef struct wasmfx_allocator {
  void *(*allocate)(void *context, size_t bytes); /**< NULL when there is none */
  void (*release)(void *context, void *block, size_t bytes);
  void *context;
} wasmfx_allocator_t;

/**
 * Where stacks come from, if the host brings its own. The library puts no
 * guard into such a stack, neither clears nor trims it, and returns it whole, the
 * last one only when the next is asked for or given back: it may still be in use.
 * All NULL means the library's own pool.
 */
typedef struct wasmfx_stack_allocator {
  /** Memory of at least `bytes` bytes aligned to 16, or NULL. `tenant` is the
   *  continuation's. */
  void *(*allocate)(void *context, size_t bytes, uint32_t tenant);
  void (*release)(void *context, void *memory, size_t bytes, uint32_t tenant);
  void *context;
} wasmfx_stack_allocator_t;

/** How a stack's low end is guarded. */
enum wasmfx_guard {
  WASMFX_GUARD_AUTO = 0,     /**< the best that the kernel has */
  WASMFX_GUARD_LIGHT = 1,    /**< MADV_GUARD_INSTALL (Linux 6.13): splits no map; else as PROTECT */
  WASMFX_GUARD_PROTECT = 2,  /**< mprotect: two maps for each stack */
  WASMFX_GUARD_NONE = 3      /**< none: for code whose stack use is checked; the library compares, as on dense stacks */
};

/** Where stacks lie, and what keeps them apart. */
enum wasmfx_stack_policy {
  /** Each by itself, with a guard below, in a large range of addresses in which it grows in place. */
  WASMFX_STACKS_SEPARATE = 0,
  /**
   * Small, side by side and without guards: for code whose stack use is checked, or known. Those of up to 4 KiB are
   * packed, into huge pages where the kernel has them. Their memory is used again, but goes back to the system only
   * when the runtime goes, whatever `cached_stacks` says. Larger ones have pages of their own, and go back as others
   * do.
   *
   * *Nothing stops a body that uses more than it has*: it writes into the stack of another. So whatever runs on such a
   * stack, with all that it calls, compares with wasmfx_stack_bounds() in its prologues, or is known to need less. The
   * rest, the C library for one, runs by wasmfx_call_on_host_stack(). Handlers of signals must be installed with
   * SA_ONSTACK. Programs must be bound when they are loaded (-Wl,-z,now): what binds a function at its first call
   * leaves all registers on the stack, some 3 KiB; and a thread's first call of malloc, by an allocation of the
   * library's too, takes more than later ones.
   *
   * *The library's functions compare by themselves.* With less stack than they need they have not happened: the
   * continuation ends, and its resume answers WASMFX_OVERFLOWED, as by a guard. That needs nobody who catches overflows
   * (overflow.h), and does not ask `may_abandon`: nothing is interrupted. Below the low end they have a few bytes of
   * their own, so that they may be called by who has used up all that is above; code that keeps something below its
   * stack pointer may have it there.
   * They cannot compare where they do not know whose stack it is: on one of *another* runtime, or called without any.
   * What they take is to be known then: up to 2 KiB, and 14 KiB for wasmfx_backtrace_text().
   */
  WASMFX_STACKS_DENSE = 1
};

/** Stack sizes that continuations can choose from. */
#define WASMFX_STACK_CLASSES 4

/**
 * A configuration. Fill it with wasmfx_runtime_config_init(), then change what
 * should differ. In every field 0 means the default; fields that the library is
 * too old to know must be 0.
 *
 * `switched`, if set, is called at each change of the running continuation,
 * just before it, on the stack that is being left, with the addresses of the
 * host words of the continuation or root that stops running and of the one that
 * starts. What `*from_word` points to may lie in frames that are gone, if a body has
 * just ended. It costs the short paths.
 *
 * `died`, if set, is called when a continuation whose host word is not NULL dies,
 * in whatever way, with that word: to free what it stands for.
 *
 * Of the library, hooks may call wasmfx_runtime_host() only.
 */
typedef struct wasmfx_runtime_config {
  size_t size;                               /**< sizeof this struct, for compatibility */
  wasmfx_allocator_t allocator;
  wasmfx_stack_allocator_t stack_allocator;
  /** Bytes of a stack, by class: at least 16 KiB, and 8 KiB more than `host_stack_bytes`; default 64 KiB, 16 KiB,
   *  256 KiB, 1 MiB. Dense ones: at least 2 KiB more than `host_stack_bytes`; default 2 KiB, 4 KiB, 16 KiB, 64 KiB, and
   *  `host_stack_bytes`. Of these the library wants up to 1 KiB and `host_stack_bytes` wherever it is called, and keeps
   *  some bytes at either end; dense ones of up to 4 KiB are rounded down, to an odd multiple of 128. */
  size_t stack_bytes[WASMFX_STACK_CLASSES];
  size_t guard_bytes;                        /**< below each stack; default one page; dense stacks: 0 */
  uint32_t guard;                            /**< enum wasmfx_guard; dense stacks: AUTO or NONE */
  uint32_t max_conts;                        /**< continuations alive at once; default 16,777,216 */
  uint32_t max_stacks;                       /**< stacks of one class; default 1,048,576 */
  /** Free ones of a class and tenant that keep their memory; default 16,384. That of others goes back, of up to 16
   *  neighbours at once. */
  uint32_t cached_stacks;
  uint32_t tenants;                          /**< how many tenants may be named; default 1 */
  uint32_t float_control;                    /**< 1: each continuation has its own rounding mode and exception mask */
  void (*switched)(wasmfx_runtime_t *rt, void **from_word, void **to_word);
  void (*died)(wasmfx_runtime_t *rt, void *word);
  void *host;                                /**< what wasmfx_runtime_host() answers */
  /** Whether the code at `pc` may be abandoned by an overflow (overflow.h). NULL: any. Called in a signal handler. */
  int (*may_abandon)(wasmfx_runtime_t *rt, const void *pc);
  /** Bytes of stack that the host's hooks and allocators want where the library calls them, most often on a
   *  continuation's stack. The library makes sure of them before it changes anything: with less, its caller overflows.
   *  Default 8 KiB if any of these is set, else 0; at most 1 GiB. */
  size_t host_stack_bytes;
  uint32_t stack_policy; /**< enum wasmfx_stack_policy */
  uint32_t reserved;     /**< 0 */
} wasmfx_runtime_config_t;

/** Fills in the defaults: all zero but `size`. */
static inline void wasmfx_runtime_config_init(wasmfx_runtime_config_t *config)
{
  const wasmfx_runtime_config_t defaults = {
    sizeof(wasmfx_runtime_config_t), { NULL, NULL, NULL }, { NULL, NULL, NULL }, { 0, 0, 0, 0 }, 0, 0, 0, 0, 0, 0, 0,
    NULL, NULL, NULL, NULL, 0, 0, 0
  };
  *config = defaults;
}

/* ---- Life ---------------------------------------------------------------- */

/**
 * Makes a runtime. `config` NULL means all defaults.
 * Reserves address space for the references (128 bytes for each of max_conts);
 * no stack, and no memory for stacks, before the first resume.
 * *Errors:* ARGUMENT (a configuration that no runtime can have), NO_MEMORY,
 * NO_ADDRESS_SPACE; `*rt` is NULL then.
 */
WASMFX_API wasmfx_status_t wasmfx_runtime_new(const wasmfx_runtime_config_t *config, wasmfx_runtime_t **rt);

/**
 * Frees a runtime with all that belongs to it. Continuations that are still
 * suspended or fresh are dropped: their stacks go back unseen, nothing in them
 * runs. `dropped`, if not NULL, receives how many there were.
 * *State:* no continuation running, no root or barrier open.
 * *Errors:* STATE (called from inside, or where wasmfx_overflow_ignore() is refused; nothing is
 * freed). NULL is ignored.
 */
WASMFX_API wasmfx_status_t wasmfx_runtime_free(wasmfx_runtime_t *rt, size_t *dropped);

/** The `host` word of the configuration. */
WASMFX_API void *wasmfx_runtime_host(const wasmfx_runtime_t *rt);

/* ---- Counters ------------------------------------------------------------ */

/** Counters of a runtime. New ones are added at the end. */
typedef struct wasmfx_stats {
  uint64_t conts_created;       /**< by cont.new, ever */
  uint64_t conts_live;          /**< not dead: fresh, suspended, running, or waiting in a resume */
  uint64_t objects_retired;     /**< whose revisions are used up for ever */
  uint64_t stacks_used;         /**< held by live continuations */
  uint64_t stacks_cached;       /**< free, with their memory */
  uint64_t stacks_trimmed;      /**< free, memory given back to the system */
  uint64_t stacks_made;         /**< ever carved from a reservation or had from the host */
  uint64_t stacks_wiped;        /**< times that one crossed from one tenant to another */
  uint64_t stack_trims;         /**< times that a stack's memory was given back */
  uint64_t stack_reservations;  /**< address ranges held for stacks */
  uint64_t allocations;         /**< calls of the allocator, ever */
  uint64_t system_calls;        /**< requests to the operating system, ever */
  uint32_t guard;               /**< enum wasmfx_guard: what is in use; AUTO before the first stack */
  uint32_t reserved;
} wasmfx_stats_t;

/** Fills `*stats`, of which the caller knows `size` bytes (sizeof(wasmfx_stats_t)).
 *  Takes time in proportion to the number of tenants. */
WASMFX_API void wasmfx_runtime_stats(const wasmfx_runtime_t *rt, wasmfx_stats_t *stats, size_t size);

/* ---- Tenants --------------------------------------------------------------- */

/**
 * Names the tenant of continuations that are made from now on: 0, or any number
 * below the configuration's `tenants`.
 *
 * A tenant is a partition of the pool. Memory that held one tenant's stack or
 * bound arguments is cleared before another tenant gets it; within a tenant it
 * is not. Where there may be more than one, blocks that held payloads are cleared
 * before they go back to the allocator. *Errors:* ARGUMENT (no such tenant).
 */
WASMFX_API wasmfx_status_t wasmfx_tenant_set(wasmfx_runtime_t *rt, uint32_t tenant);

/* ---- What is running ------------------------------------------------------------ */

/** What is running, for profilers. */
typedef struct wasmfx_running {
  uint64_t id;      /**< a number that no other continuation of the runtime has, ever; 0: the host, or one about to start */
  void *host_word;
  void *low, *high; /**< of its stack; NULL where the host's stack is running */
} wasmfx_current_t;

/**
 * Looks what is running. In the middle of a switch that is either side.
 * *Threads:* async-signal-safe: to be called by the runtime's own thread, also in
 * a signal handler that has interrupted the library anywhere.
 */
WASMFX_API void wasmfx_current(const wasmfx_runtime_t *rt, wasmfx_current_t *current);

/* ---- Barriers and roots ------------------------------------------------------ */

/** Names a barrier or root that is open. Opaque; a plain value. */
typedef struct wasmfx_scope {
  uint64_t opaque[2];
} wasmfx_scope_t;

/**
 * Opens a barrier: until the matching leave, no suspension or switch from inside
 * may be handled outside. Such a one answers WASMFX_TRAP_BARRIER to the
 * suspender. Returns, traps and exceptions pass. `scope` receives the name
 * for the leave; scopes close in the reverse order. A body that ends with
 * scopes open closes them. *Errors:* LIMIT, NO_MEMORY.
 * *Spec:* `barrier` of the original WasmFX design.
 */
WASMFX_API wasmfx_status_t wasmfx_barrier_enter(wasmfx_runtime_t *rt, wasmfx_scope_t *scope);
/** Closes a barrier. *Errors:* STATE (not the innermost open scope, or opened by
 *  another continuation). */
WASMFX_API wasmfx_status_t wasmfx_barrier_leave(wasmfx_runtime_t *rt, wasmfx_scope_t *scope);

/**
 * Opens a chain root: what a host function does before it calls WebAssembly
 * again. Suspensions inside do not see the resumes outside: they answer
 * WASMFX_TRAP_UNHANDLED. What is resumed inside ends inside; outside of any
 * continuation of its own a root has nothing that wasmfx_throw() or wasmfx_trap() could
 * end: the host takes the error through its own frames, and leaves the root first.
 * A root has a host word of its own, which starts as a copy of the one outside.
 * *Errors:* as wasmfx_barrier_enter().
 * *Spec:* invocation by the host starts a new stack of handlers.
 */
WASMFX_API wasmfx_status_t wasmfx_root_enter(wasmfx_runtime_t *rt, wasmfx_scope_t *scope);
/** Closes a root. *Errors:* STATE, as wasmfx_barrier_leave(). */
WASMFX_API wasmfx_status_t wasmfx_root_leave(wasmfx_runtime_t *rt, wasmfx_scope_t *scope);

/* ---- Calls on the host's stack ------------------------------------------------- */

/**
 * Calls `function(arg)` on the stack of the innermost root, the host's own as a rule, and always where a continuation
 * that has entered a root may have a small one (WASMFX_STACKS_DENSE, WASMFX_GUARD_NONE): below where that waits for
 * who it resumed. That stack is warm however many continuations take turns, and large, while theirs can be small:
 * what the C library, the system or a callback of the host needs is touched once, not once for each.
 *
 * As inside a barrier, `function` may not suspend: a suspension that would leave it answers WASMFX_TRAP_BARRIER. It may
 * resume; what it resumes may call here again, further down. It may end the running continuation by
 * wasmfx_throw() or wasmfx_trap(), or be left by longjmp and wasmfx_unwind_to(). Where the caller stands on such a
 * stack already it is an ordinary call; so it is, but for the barrier, under valgrind and with a sanitizer that wants
 * to be told of switches.
 * An overflow of that stack is not caught. *Errors:* LIMIT, NO_MEMORY: nothing has been called; STATE: it has been,
 * and had left a barrier or root open, which is closed now.
 * *Switches stacks:* there and back.
 */
WASMFX_API wasmfx_status_t wasmfx_call_on_host_stack(wasmfx_runtime_t *rt, void (*function)(void *arg), void *arg);

/**
 * Has the processor fetch what it will need to resume a continuation: for schedulers, which know some time before whom
 * they will resume. A few places ahead in the queue is right. Any value may be passed; nothing happens that
 * could be seen.
 */
WASMFX_API void wasmfx_prefetch(const wasmfx_runtime_t *rt, wasmfx_cont_t cont);

/* ---- Marks ------------------------------------------------------------------------ */

/** A place in the chain that can be unwound to. Opaque; a plain value. */
typedef struct wasmfx_place {
  uint64_t opaque[4];
} wasmfx_mark_t;

/** Remembers the running continuation and the open scopes. */
WASMFX_API void wasmfx_mark(const wasmfx_runtime_t *rt, wasmfx_mark_t *mark);

/**
 * For hosts that leave frames by longjmp or by an unwinder of their own: makes
 * the continuation that was running at the mark the running one again. The
 * continuations started above it die unseen, and roots and barriers opened
 * above it are closed. Call it after the jump, from the stack on which the mark
 * was made. (A longjmp from one stack to another that lies higher is refused by
 * glibc under _FORTIFY_SOURCE: build the file that jumps without it.)
 * `killed`, if not NULL, receives how many continuations died.
 * *Errors:* STATE (the marked continuation is not running or waiting any more, a
 * barrier that it had open at the mark has been closed, or the call comes from a
 * stack that would die); nothing changes then.
 */
WASMFX_API wasmfx_status_t wasmfx_unwind_to(wasmfx_runtime_t *rt, const wasmfx_mark_t *mark, size_t *killed);

#ifdef __cplusplus
}
#endif
#endif
