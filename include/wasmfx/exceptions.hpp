/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WASMFX_EXCEPTIONS_HPP
#define WASMFX_EXCEPTIONS_HPP
/**
 * @file exceptions.hpp
 * C++ exceptions that pass from a continuation to its resumer, and the other way.
 *
 * By itself none does: one that leaves an entry function ends the program by
 * std::terminate(), since the frames that come next belong to another stack. Here they
 * cross as exceptions of the library, in a box that holds the C++ one:
 *
 *     the body throws -> wasmfx::run() boxes it -> outcome THREW -> wasmfx::rethrow() throws it
 *
 * *Ownership.* A box is a small object on the heap. wasmfx::rethrow() and wasmfx::take()
 * empty and free it. So each outcome whose status is THREW goes to one of them, once; one
 * that goes to none leaks the exception. To cancel, call wasmfx::resume_throw() in a loop:
 * wasmfx_cancel() throws the same exception again and again, and a box is empty then.
 *
 * *Memory.* Where there is none for a box, std::bad_alloc arrives in place of the exception.
 *
 * *Catch blocks.* C++ keeps what is being caught in a list of the thread, not of the stack. A
 * body that suspends inside a catch block, or inside a destructor that an exception has
 * called, leaves its entries there, and others that catch meanwhile mix them up with
 * theirs: `throw;` and std::current_exception() find the wrong one, and the wrong one is
 * freed. Leave the block before suspending; or let a hook exchange the lists, see
 * wasmfx::catching.
 *
 * C++11, header only. *Threads:* as the runtime.
 */
#include <wasmfx/wasmfx.h>

#include <cstring>
#include <cxxabi.h>
#include <exception>
#include <new>
#include <utility>

namespace wasmfx {

/* ---- Out of a body ------------------------------------------------------------------------- */

/**
 * Makes the tag that C++ exceptions travel by: [] -> []. One is enough for a runtime.
 * *Errors:* NO_MEMORY.
 */
inline wasmfx_status_t exception_tag_new(wasmfx_runtime_t *rt, wasmfx_tag_t **tag)
{
  wasmfx_type_t *type = nullptr;
  *tag = nullptr;
  const wasmfx_status_t status = wasmfx_type_new(rt, nullptr, 0, nullptr, 0, &type);
  return status < 0 ? status : wasmfx_tag_new(rt, type, tag);
}

/** An entry function that may throw: the `env` of a continuation that is made with wasmfx::run() or
 *  wasmfx::run_word(). Read when the continuation starts, and not after. */
template <typename Entry> struct throwing {
  Entry entry;
  void *env;               /**< what `entry` gets */
  const wasmfx_tag_t *tag; /**< of exception_tag_new() */
};

namespace detail {

/** A C++ exception inside of one of the library's, whose `host` is the box itself. */
struct box {
  std::exception_ptr content;
  wasmfx_exception_t raised;
};

/** NULL: there is no memory. */
inline box *box_new(std::exception_ptr content, const wasmfx_tag_t *tag)
{
  box *made = new (std::nothrow) box();
  if (!made)
    return nullptr;
  made->content = std::move(content);
  made->raised.tag = tag;
  made->raised.host = made;
  return made;
}

/** Boxes what is being caught. What is no C++ exception, as that which ends a thread, goes on its way. */
inline box *box_caught(const wasmfx_tag_t *tag)
{
  std::exception_ptr caught = std::current_exception();
  if (!caught)
    throw;
  return box_new(std::move(caught), tag);
}

/** Ends the running continuation by a boxed exception. What the body had open above the mark is closed: it has been
 *  left. */
[[noreturn]] inline void leave(wasmfx_runtime_t *rt, const wasmfx_mark_t *start, const wasmfx_tag_t *tag,
                               const box *boxed)
{
  const wasmfx_exception_t no_memory = { tag, nullptr, 0, nullptr };
  if (wasmfx_unwind_to(rt, start, nullptr) == WASMFX_OK)
    wasmfx_throw_ref(rt, boxed ? &boxed->raised : &no_memory);
  std::terminate(); /* not a tag of exception_tag_new() */
}

} // namespace detail

/**
 * The entry function to make a continuation with, in word form; its `env` is the address
 * of a throwing<wasmfx_word_entry_t>. Runs the entry function in there; what that throws,
 * the resume answers as THREW, and is for wasmfx::rethrow(). Destructors run, and the catch
 * block is left before the continuation ends. Roots and barriers that are still open are
 * closed.
 */
inline uint64_t run_word(wasmfx_runtime_t *rt, void *env, uint64_t word, wasmfx_cont_t from)
{
  const throwing<wasmfx_word_entry_t> body = *static_cast<const throwing<wasmfx_word_entry_t> *>(env);
  detail::box *boxed;
  wasmfx_mark_t start;
  wasmfx_mark(rt, &start);
  try {
    return body.entry(rt, body.env, word, from);
  } catch (...) {
    boxed = detail::box_caught(body.tag);
  }
  detail::leave(rt, &start, body.tag, boxed);
}

/** The same in general form; `env` is the address of a throwing<wasmfx_entry_t>. */
inline void run(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const throwing<wasmfx_entry_t> body = *static_cast<const throwing<wasmfx_entry_t> *>(env);
  detail::box *boxed;
  wasmfx_mark_t start;
  wasmfx_mark(rt, &start);
  try {
    body.entry(rt, body.env, args, results);
    return;
  } catch (...) {
    boxed = detail::box_caught(body.tag);
  }
  detail::leave(rt, &start, body.tag, boxed);
}

/* ---- Where it arrives ------------------------------------------------------------------------ */

/** Takes the exception out of an outcome and frees its box. Null if there is no C++ exception in it. */
inline std::exception_ptr take(const wasmfx_outcome_t &outcome, const wasmfx_tag_t *tag)
{
  if (outcome.status != WASMFX_THREW || outcome.exception->tag != tag)
    return nullptr;
  detail::box *boxed = static_cast<detail::box *>(outcome.exception->host);
  if (!boxed)
    return std::make_exception_ptr(std::bad_alloc());
  std::exception_ptr exception = std::move(boxed->content);
  delete boxed;
  return exception;
}

/**
 * Throws what has arrived, if that is a C++ exception; else answers the outcome. For those of
 * resume, and those of suspend and switch, which wasmfx::resume_throw() wakes:
 *
 *     wasmfx_outcome_t answer = wasmfx::rethrow(wasmfx_suspend_word(rt, yield, 7), tag);
 */
inline wasmfx_outcome_t rethrow(const wasmfx_outcome_t &outcome, const wasmfx_tag_t *tag)
{
  std::exception_ptr exception = take(outcome, tag);
  if (exception)
    std::rethrow_exception(std::move(exception));
  return outcome;
}

/* ---- Into a body ------------------------------------------------------------------------------ */

/**
 * wasmfx_resume_throw() with a C++ exception, which is not null: a suspended body gets it at its
 * suspension, to throw it there by wasmfx::rethrow(); a fresh one dies, and it is in the
 * outcome. *Errors:* as wasmfx_resume_throw(); NO_MEMORY also if there is none for the box.
 */
inline wasmfx_outcome_t resume_throw(wasmfx_runtime_t *rt, wasmfx_cont_t *cont, const wasmfx_handlers_t *handlers,
                                     const wasmfx_tag_t *tag, std::exception_ptr exception)
{
  detail::box *boxed = detail::box_new(std::move(exception), tag);
  wasmfx_outcome_t outcome = wasmfx_outcome_t();
  outcome.status = WASMFX_ERROR_NO_MEMORY;
  if (boxed)
    outcome = wasmfx_resume_throw_ref(rt, cont, handlers, &boxed->raised);
  if (outcome.status < 0)
    delete boxed;
  return outcome;
}

/* ---- Suspending while catching ------------------------------------------------------------------ */

/**
 * What one side is catching: the C++ runtime's list, while that side does not run. One is
 * needed for each continuation that may suspend while it catches, and for the host; it
 * starts as `{}`. A hook that finds them by the host words keeps them apart:
 *
 *     void switched(wasmfx_runtime_t *, void **from, void **to)
 *     {
 *       wasmfx::exchange(static_cast<wasmfx::catching *>(*from), static_cast<wasmfx::catching *>(*to));
 *     }
 *
 * It is the struct __cxa_eh_globals of the Itanium C++ ABI.
 */
struct catching {
  void *caught;          /**< the exceptions that are being handled, innermost first */
  unsigned int uncaught; /**< how many are on their way */
};

/** Puts the running thread's list into `*from`, and `*to` in its place. */
inline void exchange(catching *from, const catching *to)
{
  void *list = abi::__cxa_get_globals();
  std::memcpy(from, list, sizeof *from);
  std::memcpy(list, to, sizeof *to);
}

} // namespace wasmfx
#endif
