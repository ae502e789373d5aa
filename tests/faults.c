/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "effort.h"
#include "tools.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static struct {
  bool counts;
  size_t count;              /* of requests since the scenario began */
  size_t refused[2];         /* which of them are, counted from 1; 0: none */
  enum request next;         /* of this kind the next one is; REQUEST_KINDS: none */
  size_t refusals;
  bool kernel_is_old;        /* and knows no light guards */
  size_t of_kind[REQUEST_KINDS];
  size_t blocks;             /* of all allocators, now held */
  size_t addresses;          /* bytes mapped and not unmapped */
} faults = { .next = REQUEST_KINDS };

void count_requests(bool on)
{
  faults.counts = on;
}

size_t requests_of(enum request kind)
{
  return faults.of_kind[kind];
}

size_t refusals(void)
{
  return faults.refusals;
}

size_t blocks_held(void)
{
  return faults.blocks;
}

void refuse_next(enum request kind)
{
  faults.next = kind;
}

void pretend_old_kernel(bool on)
{
  faults.kernel_is_old = on;
}

/* Their runtime calls these functions too, before it is ready for instrumented ones. */
#if WITH_SANITIZER && defined(__clang__)
#define IN_PLACE __attribute__((disable_sanitizer_instrumentation))
#else
#define IN_PLACE
#endif

IN_PLACE static bool is_refused(enum request kind, int error)
{
  if (!faults.counts)
    return false;
  faults.count++;
  faults.of_kind[kind]++;
  if (faults.count != faults.refused[0] && faults.count != faults.refused[1] && kind != faults.next)
    return false;
  if (kind == faults.next)
    faults.next = REQUEST_KINDS;
  faults.refusals++;
  errno = error;
  return true;
}

/* ---- Allocators ------------------------------------------------------------------ */

/* Past the wrapped ones, which would count them again. */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void __real_free(void *block);

IN_PLACE static void *held(void *block)
{
  faults.blocks += block != NULL;
  return block;
}

static const char fence[] = "here the block ends";

/* With a fence behind it: who was refused a larger block does not write over the end of the old one. */
static void *fenced(void *block, size_t bytes)
{
  if (block)
    memcpy((char *)block + bytes, fence, sizeof fence);
  return held(block);
}

static void *allocate(void *context, size_t bytes)
{
  (void)context;
  return is_refused(ALLOCATION, ENOMEM) ? NULL : fenced(__real_malloc(bytes + sizeof fence), bytes);
}

static void release(void *context, void *block, size_t bytes)
{
  (void)context;
  assert_memory_equal((char *)block + bytes, fence, sizeof fence);
  faults.blocks--;
  __real_free(block);
}

static void *allocate_stack(void *context, size_t bytes, uint32_t tenant)
{
  (void)context, (void)tenant;
  return is_refused(HOST_STACK, ENOMEM) ? NULL : fenced(__real_malloc(bytes + sizeof fence), bytes);
}

static void release_stack(void *context, void *memory, size_t bytes, uint32_t tenant)
{
  (void)tenant;
  release(context, memory, bytes);
}

wasmfx_allocator_t refusing_allocator(void)
{
  return (wasmfx_allocator_t){ allocate, release, NULL };
}

wasmfx_stack_allocator_t refusing_stack_allocator(void)
{
  return (wasmfx_stack_allocator_t){ allocate_stack, release_stack, NULL };
}

/* ---- In place of the C library's ------------------------------------------------------- */

IN_PLACE void *__wrap_malloc(size_t bytes);
IN_PLACE void *__wrap_calloc(size_t count, size_t bytes);
IN_PLACE void __wrap_free(void *block);
void *__real_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset);
IN_PLACE void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset);
int __real_munmap(void *address, size_t bytes);
IN_PLACE int __wrap_munmap(void *address, size_t bytes);
int __real_mprotect(void *address, size_t bytes, int protection);
IN_PLACE int __wrap_mprotect(void *address, size_t bytes, int protection);
int __real_madvise(void *address, size_t bytes, int advice);
IN_PLACE int __wrap_madvise(void *address, size_t bytes, int advice);
int __real_open(const char *path, int flags, ...);
IN_PLACE int __wrap_open(const char *path, int flags, ...);
ssize_t __real_read(int file, void *text, size_t bytes);
IN_PLACE ssize_t __wrap_read(int file, void *text, size_t bytes);
int __real_sigaltstack(const stack_t *stack, stack_t *old);
IN_PLACE int __wrap_sigaltstack(const stack_t *stack, stack_t *old);
int __real_sigaction(int signal, const struct sigaction *action, struct sigaction *old);
IN_PLACE int __wrap_sigaction(int signal, const struct sigaction *action, struct sigaction *old);
int __real_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
IN_PLACE int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int __real_pthread_setspecific(pthread_key_t key, const void *value);
IN_PLACE int __wrap_pthread_setspecific(pthread_key_t key, const void *value);

/* With _FILE_OFFSET_BITS=64 two of them have another name. */
IN_PLACE void *__wrap_mmap64(void *address, size_t bytes, int protection, int flags, int file, off_t offset);
IN_PLACE int __wrap_open64(const char *path, int flags, ...);

/* The test's own blocks do not count: what is not counted when it is had is freed while nothing is. */
IN_PLACE static void *held_if_counted(void *block)
{
  return faults.counts ? held(block) : block;
}

void *__wrap_malloc(size_t bytes)
{
  return is_refused(C_MEMORY, ENOMEM) ? NULL : held_if_counted(__real_malloc(bytes));
}

void *__wrap_calloc(size_t count, size_t bytes)
{
  return is_refused(C_MEMORY, ENOMEM) ? NULL : held_if_counted(__real_calloc(count, bytes));
}

void __wrap_free(void *block)
{
  faults.blocks -= block && faults.counts;
  __real_free(block);
}

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset)
{
  if (is_refused(RESERVATION, ENOMEM))
    return MAP_FAILED;
  void *range = __real_mmap(address, bytes, protection, flags, file, offset);
  faults.addresses += range == MAP_FAILED ? 0 : bytes;
  return range;
}

void *__wrap_mmap64(void *address, size_t bytes, int protection, int flags, int file, off_t offset)
{
  return __wrap_mmap(address, bytes, protection, flags, file, offset);
}

int __wrap_munmap(void *address, size_t bytes)
{
  faults.addresses -= bytes;
  return __real_munmap(address, bytes);
}

int __wrap_mprotect(void *address, size_t bytes, int protection)
{
  return is_refused(COMMITMENT, ENOMEM) ? -1 : __real_mprotect(address, bytes, protection);
}

int __wrap_madvise(void *address, size_t bytes, int advice)
{
  const enum request kind = advice == MADV_GUARD_INSTALL ? GUARD : advice == MADV_DONTNEED ? DISCARD : ADVICE;
  if (is_refused(kind, kind == GUARD ? ENOMEM : EINVAL))
    return -1;
  if (kind == GUARD && faults.kernel_is_old) {
    errno = EINVAL;
    return -1;
  }
  return __real_madvise(address, bytes, advice);
}

/* Here files are only read: there is no third argument. */
int __wrap_open(const char *path, int flags, ...)
{
  return is_refused(FILE_TO_READ, EMFILE) ? -1 : __real_open(path, flags);
}

int __wrap_open64(const char *path, int flags, ...)
{
  return __wrap_open(path, flags);
}

ssize_t __wrap_read(int file, void *text, size_t bytes)
{
  return is_refused(FILE_TO_READ, ENOMEM) ? -1 : __real_read(file, text, bytes);
}

/* To ask, and to go back to what was before, cannot fail. */

int __wrap_sigaltstack(const stack_t *stack, stack_t *old)
{
  const bool is_new = stack && !(stack->ss_flags & SS_DISABLE);
  return is_new && is_refused(SIGNAL_STACK, ENOMEM) ? -1 : __real_sigaltstack(stack, old);
}

int __wrap_sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
  const bool is_new = action && action->sa_flags & SA_ONSTACK;
  return is_new && is_refused(SIGNAL_ACTION, EINVAL) ? -1 : __real_sigaction(signal, action, old);
}

int __wrap_pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
  return is_refused(THREAD_KEY, EAGAIN) ? EAGAIN : __real_pthread_key_create(key, destructor);
}

int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
  /* NULL is how it is undone, which takes no memory. */
  return value && is_refused(THREAD_KEY, ENOMEM) ? ENOMEM : __real_pthread_setspecific(key, value);
}

/* ---- What a scenario leaves behind --------------------------------------------------------- */

enum { MAPS_BYTES = 1 << 16 };

/* Those of tools come and go. */
static bool maps_are_ours(void)
{
  return !WITH_SANITIZER && !under_valgrind();
}

/* What the process holds: its next file descriptor, what it does with a fault, its maps as text. */
struct holdings {
  int descriptor;
  void (*on_fault)(int signal);
  void *signal_stack;
  char maps[MAPS_BYTES];
};

/* Takes out the line of a map that grows and shrinks as it likes. */
static void ignore_map(char *maps, const char *name)
{
  char *end = strstr(maps, name);
  if (!end)
    return;
  end += strlen(name);
  char *begin = end;
  while (begin > maps && begin[-1] != '\n')
    begin--;
  memmove(begin, end, strlen(end) + 1);
}

static void take_stock(struct holdings *now)
{
  struct sigaction action;
  stack_t stack;
  memset(now, 0, sizeof *now);
  assert_int_equal(sigaction(SIGSEGV, NULL, &action), 0);
  assert_int_equal(sigaltstack(NULL, &stack), 0);
  now->on_fault = action.sa_handler;
  now->signal_stack = stack.ss_flags & SS_DISABLE ? NULL : stack.ss_sp;
  now->descriptor = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  assert_true(now->descriptor >= 0);
  size_t used = 0;
  for (ssize_t got = maps_are_ours(); got > 0; used += (size_t)got)
    got = read(now->descriptor, now->maps + used, MAPS_BYTES - 1 - used);
  ignore_map(now->maps, "[heap]");
  ignore_map(now->maps, "[stack]");
  assert_int_equal(close(now->descriptor), 0);
}

static void assert_nothing_left(const struct holdings *before)
{
  static struct holdings now;
  take_stock(&now);
  assert_int_equal(faults.blocks, 0);
  assert_int_equal(faults.addresses, 0);
  assert_int_equal(now.descriptor, before->descriptor);
  assert_true(now.on_fault == before->on_fault);
  assert_ptr_equal(now.signal_stack, before->signal_stack);
  assert_string_equal(now.maps, before->maps);
}

/* ---- Runs -------------------------------------------------------------------------------------- */

void run_once(void (*scenario)(void *context), void *context)
{
  static struct holdings before;
  take_stock(&before);
  faults.count = faults.refusals = faults.blocks = faults.addresses = 0;
  memset(faults.of_kind, 0, sizeof faults.of_kind);
  scenario(context);
  count_requests(false);
  assert_nothing_left(&before);
}

/* Answers how many requests were refused. */
static size_t run_refusing(void (*scenario)(void *context), void *context, size_t first, size_t second)
{
  faults.refused[0] = first;
  faults.refused[1] = second;
  run_once(scenario, context);
  faults.refused[0] = faults.refused[1] = 0;
  return faults.refusals;
}

size_t each_refusal(void (*scenario)(void *context), void *context, size_t window)
{
  const size_t step = 1000 / effort(1000); /* from pair to pair; 1 where there is time for all of them */
  size_t runs = 1;
  assert_int_equal(run_refusing(scenario, context, 0, 0), 0);
  assert_true(faults.count > 0);
  for (size_t first = 1; runs++, run_refusing(scenario, context, first, 0) == 1; first++)
    for (size_t second = first + 1; second - first <= window; second += step, runs++)
      if (run_refusing(scenario, context, first, second) < 2)
        break;
  return runs;
}

int tell_refusals(void **state)
{
  (void)state;
  count_requests(false);
  if (faults.refused[0])
    print_message("# refused: request %zu, request %zu, of %zu so far\n", faults.refused[0], faults.refused[1],
                  faults.count);
  faults.refused[0] = faults.refused[1] = 0;
  faults.next = REQUEST_KINDS;
  pretend_old_kernel(false);
  return 0;
}

/* ---- Calls that may be refused ------------------------------------------------------------------- */

static const int errno_before = EDOM; /* which nothing here sets */

struct before before_call(const wasmfx_runtime_t *rt, const wasmfx_cont_t *place)
{
  struct before before = { .rt = rt, .place = place, .refusals = faults.refusals };
  if (rt)
    before.view = view_of(rt);
  if (place)
    before.cont = *place;
  if (rt && place) {
    before.state = wasmfx_cont_state(rt, *place);
    before.arity = wasmfx_cont_arity(rt, *place);
  }
  errno = errno_before;
  return before;
}

/* What the library keeps in store may have grown: a reservation, a stack that was made and not used. */
static bool is_as_before(const struct before *before)
{
  const struct before now = before_call(before->rt, before->place);
  const wasmfx_stats_t *is = &now.view.stats, *was = &before->view.stats;
  return now.cont == before->cont && now.state == before->state && now.arity == before->arity &&
         now.view.depth == before->view.depth && is->conts_created == was->conts_created &&
         is->conts_live == was->conts_live && is->objects_retired == was->objects_retired &&
         is->stacks_used == was->stacks_used;
}

/* Something has run out, or the system does not let it be done. */
static bool is_of_the_system(wasmfx_status_t status)
{
  return status == WASMFX_ERROR_NO_MEMORY || status == WASMFX_ERROR_NO_ADDRESS_SPACE ||
         status == WASMFX_ERROR_NO_MAPS || status == WASMFX_ERROR_UNSUPPORTED;
}

bool was_refused(struct before *before, wasmfx_status_t status, const char *what, const char *file, int line)
{
  if (status >= 0 && errno != errno_before) {
    print_error("%s succeeded, and errno is %d\n", what, errno);
    _fail(file, line);
  }
  if (status >= 0)
    return false;
  if (faults.refusals == before->refusals || !is_of_the_system(status))
    check_status(status, WASMFX_OK, what, file, line);
  if (!is_as_before(before)) {
    print_error("%s failed, and something has changed\n", what);
    _fail(file, line);
  }
  before->refusals = faults.refusals;
  errno = errno_before;
  return true;
}
