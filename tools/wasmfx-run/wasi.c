/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WASI, preview 1, as far as C programs go that read, write, ask for the time and sleep: standard input, output and
 * error, and no files. What else there is answers ENOSYS (host_modules.h).
 *
 * Every pointer is checked against the memory that the calling module exports. The functions run on the host's stack:
 * the C library wants more than a continuation may have, and none of them suspends.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "given.h"

typedef struct Z_wasi_snapshot_preview1_instance_t instance_t;

/* As WASI numbers them. */
enum {
  WASI_OK = 0,
  WASI_EAGAIN = 6,
  WASI_EBADF = 8,
  WASI_EFAULT = 21,
  WASI_EINTR = 27,
  WASI_EINVAL = 28,
  WASI_EIO = 29,
  WASI_EISDIR = 31,
  WASI_ENOSPC = 51,
  WASI_ENOTSUP = 58,
  WASI_EPIPE = 64,
  WASI_ESPIPE = 70,
  WASI_ENOTCAPABLE = 76,
};

static u32 error_of(int number)
{
  switch (number) {
  case EAGAIN:
    return WASI_EAGAIN;
  case EBADF:
    return WASI_EBADF;
  case EINTR:
    return WASI_EINTR;
  case EINVAL:
    return WASI_EINVAL;
  case EISDIR:
    return WASI_EISDIR;
  case ENOSPC:
    return WASI_ENOSPC;
  case EPIPE:
    return WASI_EPIPE;
  case ESPIPE:
    return WASI_ESPIPE;
  default:
    return WASI_EIO;
  }
}

/* ---- Calls on the host's stack -------------------------------------------------------------------- */

struct call {
  instance_t *instance;
  u64 arguments[9];
  u32 error;
  u32 (*function)(const struct call *call);
};

static void make_call(void *arg)
{
  struct call *call = arg;
  call->error = call->function(call);
}

#define ON_HOST_STACK(does, ...)                                                                                       \
  struct call call = { instance, { __VA_ARGS__ }, 0, does };                                                           \
  wasmfx_rt_call_on_host_stack(host_rt, make_call, &call)

static u32 argument(const struct call *call, int place)
{
  return (u32)call->arguments[place];
}

/* ---- Memory ------------------------------------------------------------------------------------------ */

/* Where so many bytes lie; NULL if not all of them are in the memory. It may have moved since the last call. */
static void *at(const struct call *call, u32 address, u64 bytes)
{
  const wasm_rt_memory_t *memory = call->instance->memory();
  if (!memory || address > memory->size || bytes > memory->size - address)
    return NULL;
  return memory->data + address;
}

static bool put(const struct call *call, u32 address, const void *from, u32 bytes)
{
  void *to = at(call, address, bytes);
  if (to)
    memcpy(to, from, bytes);
  return to;
}

static bool put_u32(const struct call *call, u32 address, u32 value)
{
  return put(call, address, &value, sizeof value);
}

static bool put_u64(const struct call *call, u32 address, u64 value)
{
  return put(call, address, &value, sizeof value);
}

/* What was looked at with at() before. */
static u32 load_u32(const void *from)
{
  u32 value;
  memcpy(&value, from, sizeof value);
  return value;
}

static u64 load_u64(const void *from)
{
  u64 value;
  memcpy(&value, from, sizeof value);
  return value;
}

/* ---- Arguments and environment ------------------------------------------------------------------------ */

static u32 count_texts(const struct call *call, char **texts)
{
  u32 count = 0;
  u64 bytes = 0;
  for (; texts[count]; count++)
    bytes += strlen(texts[count]) + 1;
  if (!put_u32(call, argument(call, 0), count) || !put_u32(call, argument(call, 1), (u32)bytes))
    return WASI_EFAULT;
  return WASI_OK;
}

static u32 put_texts(const struct call *call, char **texts)
{
  u64 place = argument(call, 0), to = argument(call, 1);
  for (; *texts; texts++, place += 4) {
    const size_t bytes = strlen(*texts) + 1;
    if (place > UINT32_MAX || to > UINT32_MAX || bytes > UINT32_MAX || !put_u32(call, (u32)place, (u32)to) ||
        !put(call, (u32)to, *texts, (u32)bytes))
      return WASI_EFAULT;
    to += bytes;
  }
  return WASI_OK;
}

static u32 args_sizes_get(const struct call *call)
{
  return count_texts(call, host_arguments);
}

static u32 args_get(const struct call *call)
{
  return put_texts(call, host_arguments);
}

static u32 environ_sizes_get(const struct call *call)
{
  return count_texts(call, host_environment);
}

static u32 environ_get(const struct call *call)
{
  return put_texts(call, host_environment);
}

/* ---- Clocks --------------------------------------------------------------------------------------------- */

static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                    CLOCK_THREAD_CPUTIME_ID };

#define SECOND ((u64)1000000000)

static u64 nanoseconds(struct timespec time)
{
  return (u64)time.tv_sec * SECOND + (u64)time.tv_nsec;
}

static u32 clock_get(const struct call *call, int (*get)(clockid_t clock, struct timespec *time), int result)
{
  struct timespec time;
  if (argument(call, 0) >= sizeof clocks / sizeof *clocks)
    return WASI_EINVAL;
  if (get(clocks[argument(call, 0)], &time) != 0)
    return error_of(errno);
  return put_u64(call, argument(call, result), nanoseconds(time)) ? WASI_OK : WASI_EFAULT;
}

static u32 clock_res_get(const struct call *call)
{
  return clock_get(call, clock_getres, 1);
}

static u32 clock_time_get(const struct call *call)
{
  return clock_get(call, clock_gettime, 2);
}

/* ---- Files ------------------------------------------------------------------------------------------------ */

#define FILES 3

static bool is_closed[FILES];

static bool is_open(u32 file)
{
  return file < FILES && !is_closed[file];
}

static u32 fd_close(const struct call *call)
{
  if (!is_open(argument(call, 0)))
    return WASI_EBADF;
  is_closed[argument(call, 0)] = true;
  return WASI_OK;
}

/* More than that in one call are done by the next ones: to do less than all is allowed. */
#define PIECES 16

/* Reads a list of places and lengths. Answers how many there are of some length; -1 if one is outside. */
static int read_pieces(const struct call *call, struct iovec *pieces)
{
  int count = 0;
  const u64 length = argument(call, 2);
  const char *list = at(call, argument(call, 1), length * 8);
  if (!list)
    return -1;
  for (u64 i = 0; i < length && count < PIECES; i++) {
    const u32 bytes = load_u32(list + i * 8 + 4);
    void *place = at(call, load_u32(list + i * 8), bytes);
    if (!place)
      return -1;
    if (bytes)
      pieces[count++] = (struct iovec){ place, bytes };
  }
  return count;
}

static u32 transfer(const struct call *call, ssize_t (*act)(int file, const struct iovec *pieces, int count))
{
  struct iovec pieces[PIECES];
  if (!is_open(argument(call, 0)))
    return WASI_EBADF;
  const int count = read_pieces(call, pieces);
  if (count < 0 || !at(call, argument(call, 3), 4))
    return WASI_EFAULT;
  const ssize_t bytes = count ? act((int)argument(call, 0), pieces, count) : 0;
  if (bytes < 0)
    return error_of(errno);
  put_u32(call, argument(call, 3), (u32)bytes);
  return WASI_OK;
}

static u32 fd_read(const struct call *call)
{
  return transfer(call, readv);
}

static u32 fd_write(const struct call *call)
{
  return transfer(call, writev);
}

static u32 fd_seek(const struct call *call)
{
  static const int whences[] = { SEEK_SET, SEEK_CUR, SEEK_END };
  if (!is_open(argument(call, 0)))
    return WASI_EBADF;
  if (argument(call, 2) >= sizeof whences / sizeof *whences)
    return WASI_EINVAL;
  if (!at(call, argument(call, 3), 8))
    return WASI_EFAULT;
  const off_t place = lseek((int)argument(call, 0), (off_t)call->arguments[1], whences[argument(call, 2)]);
  if (place < 0)
    return error_of(errno);
  put_u64(call, argument(call, 3), (u64)place);
  return WASI_OK;
}

/* The kinds of files as WASI numbers them. */
static uint8_t kind_of(int file)
{
  struct stat status;
  if (fstat(file, &status) != 0)
    return 0;
  return S_ISCHR(status.st_mode) ? 2 : S_ISREG(status.st_mode) ? 4 : S_ISSOCK(status.st_mode) ? 6 : 0;
}

static u32 fd_fdstat_get(const struct call *call)
{
  enum { READ = 1 << 1, SEEK_AND_TELL = 1 << 2 | 1 << 5, WRITE = 1 << 6, POLL = 1 << 27 };
  uint8_t answer[24] = { 0 };
  const u32 file = argument(call, 0);
  if (!is_open(file))
    return WASI_EBADF;
  answer[0] = kind_of((int)file);
  /* Without seeking, a character device is a terminal to the C library, and its lines are written one by one. */
  const u64 rights = (file == 0 ? READ : WRITE) | POLL | (answer[0] == 4 ? SEEK_AND_TELL : 0);
  memcpy(answer + 8, &rights, sizeof rights);
  return put(call, argument(call, 1), answer, sizeof answer) ? WASI_OK : WASI_EFAULT;
}

static u32 fd_fdstat_set_flags(const struct call *call)
{
  if (!is_open(argument(call, 0)))
    return WASI_EBADF;
  return argument(call, 1) ? WASI_ENOTSUP : WASI_OK;
}

static u32 fd_filestat_get(const struct call *call)
{
  uint8_t answer[64] = { 0 };
  struct stat status;
  const u32 file = argument(call, 0);
  if (!is_open(file))
    return WASI_EBADF;
  if (fstat((int)file, &status) != 0)
    return error_of(errno);
  const u64 numbers[] = { 1, (u64)status.st_size, nanoseconds(status.st_atim), nanoseconds(status.st_mtim),
                          nanoseconds(status.st_ctim) };
  answer[16] = kind_of((int)file);
  memcpy(answer + 24, numbers, sizeof numbers);
  return put(call, argument(call, 1), answer, sizeof answer) ? WASI_OK : WASI_EFAULT;
}

/* ---- Waiting ---------------------------------------------------------------------------------------------- */

enum { SUBSCRIPTION_BYTES = 48, EVENT_BYTES = 32, SUBSCRIPTIONS = 64 };
enum { ON_CLOCK, ON_READ, ON_WRITE };

struct subscription {
  u64 user;
  uint8_t kind;
  u32 error;
  u64 end; /* of a clock: when, by the monotonic one */
  struct pollfd file;
};

static u64 now(clockid_t clock)
{
  struct timespec time = { 0, 0 };
  clock_gettime(clock, &time);
  return nanoseconds(time);
}

static struct subscription read_subscription(const char *from)
{
  struct subscription wanted = { .user = load_u64(from), .kind = (uint8_t)from[8], .file = { .fd = -1 } };
  const u32 what = load_u32(from + 16);
  if (wanted.kind == ON_CLOCK) {
    u64 wait = load_u64(from + 24);
    const bool is_absolute = from[40] & 1;
    if (what > 1)
      wanted.error = WASI_EINVAL;
    else if (is_absolute)
      wait = wait > now(clocks[what]) ? wait - now(clocks[what]) : 0;
    const u64 begin = now(CLOCK_MONOTONIC);
    wanted.end = wait < UINT64_MAX - begin ? begin + wait : UINT64_MAX;
  } else if (wanted.kind > ON_WRITE || !is_open(what)) {
    wanted.error = wanted.kind > ON_WRITE ? WASI_EINVAL : WASI_EBADF;
  } else {
    wanted.file = (struct pollfd){ .fd = (int)what, .events = wanted.kind == ON_READ ? POLLIN : POLLOUT };
  }
  return wanted;
}

/* Milliseconds until the first of the clocks; -1: none. */
static int time_left(const struct subscription *wanted, u32 count)
{
  u64 end = UINT64_MAX;
  for (u32 i = 0; i < count; i++) {
    if (wanted[i].error)
      return 0;
    if (wanted[i].kind == ON_CLOCK && wanted[i].end < end)
      end = wanted[i].end;
  }
  if (end == UINT64_MAX)
    return -1;
  const u64 time = now(CLOCK_MONOTONIC), left = end > time ? (end - time + SECOND / 1000 - 1) / (SECOND / 1000) : 0;
  return left < INT32_MAX ? (int)left : INT32_MAX;
}

static bool has_happened(const struct subscription *wanted)
{
  return wanted->error || wanted->file.revents || (wanted->kind == ON_CLOCK && wanted->end <= now(CLOCK_MONOTONIC));
}

static u32 put_events(const struct call *call, const struct subscription *wanted, u32 count)
{
  u32 happened = 0;
  for (u32 i = 0; i < count; i++) {
    if (!has_happened(&wanted[i]))
      continue;
    char event[EVENT_BYTES] = { 0 };
    const u64 bytes = wanted[i].kind != ON_CLOCK;
    memcpy(event, &wanted[i].user, 8);
    memcpy(event + 8, &wanted[i].error, 2);
    event[10] = (char)wanted[i].kind;
    memcpy(event + 16, &bytes, sizeof bytes);
    put(call, argument(call, 1) + happened++ * EVENT_BYTES, event, sizeof event);
  }
  put_u32(call, argument(call, 3), happened);
  return happened;
}

static u32 poll_oneoff(const struct call *call)
{
  struct subscription wanted[SUBSCRIPTIONS];
  struct pollfd files[SUBSCRIPTIONS];
  const u32 count = argument(call, 2);
  if (count == 0 || count > SUBSCRIPTIONS)
    return WASI_EINVAL;
  const char *list = at(call, argument(call, 0), (u64)count * SUBSCRIPTION_BYTES);
  if (!list || !at(call, argument(call, 1), (u64)count * EVENT_BYTES) || !at(call, argument(call, 3), 4))
    return WASI_EFAULT;
  for (u32 i = 0; i < count; i++) {
    wanted[i] = read_subscription(list + i * SUBSCRIPTION_BYTES);
    files[i] = wanted[i].file;
  }
  do {
    if (poll(files, count, time_left(wanted, count)) < 0 && errno != EINTR)
      return error_of(errno);
    for (u32 i = 0; i < count; i++)
      wanted[i].file.revents = files[i].revents;
  } while (!put_events(call, wanted, count));
  return WASI_OK;
}

/* ---- The rest --------------------------------------------------------------------------------------------- */

static u32 random_get(const struct call *call)
{
  u64 bytes = argument(call, 1);
  char *to = at(call, argument(call, 0), bytes);
  if (!to)
    return WASI_EFAULT;
  while (bytes) {
    const ssize_t got = getrandom(to, bytes, 0);
    if (got < 0 && errno != EINTR)
      return error_of(errno);
    to += got > 0 ? got : 0;
    bytes -= got > 0 ? (u64)got : 0;
  }
  return WASI_OK;
}

static u32 proc_exit(const struct call *call)
{
  fflush(stdout);
  exit((int)(argument(call, 0) & 0xff));
}

static u32 yield(const struct call *call)
{
  (void)call;
  sched_yield();
  return WASI_OK;
}

/* ---- The imports ------------------------------------------------------------------------------------------ */

#define IMPORT(name, does, parameters, ...)                                                                            \
  u32 Z_wasi_snapshot_preview1Z_##name parameters                                                                      \
  {                                                                                                                    \
    ON_HOST_STACK(does, __VA_ARGS__);                                                                                  \
    return call.error;                                                                                                 \
  }

IMPORT(args_get, args_get, (instance_t * instance, u32 a, u32 b), a, b)
IMPORT(args_sizes_get, args_sizes_get, (instance_t * instance, u32 a, u32 b), a, b)
IMPORT(environ_get, environ_get, (instance_t * instance, u32 a, u32 b), a, b)
IMPORT(environ_sizes_get, environ_sizes_get, (instance_t * instance, u32 a, u32 b), a, b)
IMPORT(clock_res_get, clock_res_get, (instance_t * instance, u32 a, u32 b), a, b)
IMPORT(clock_time_get, clock_time_get, (instance_t * instance, u32 a, u64 b, u32 c), a, b, c)
IMPORT(fd_close, fd_close, (instance_t * instance, u32 a), a)
IMPORT(fd_fdstat_get, fd_fdstat_get, (instance_t * instance, u32 a, u32 b), a, b)
IMPORT(fd_fdstat_set_flags, fd_fdstat_set_flags, (instance_t * instance, u32 a, u32 b), a, b)
IMPORT(fd_filestat_get, fd_filestat_get, (instance_t * instance, u32 a, u32 b), a, b)
IMPORT(fd_read, fd_read, (instance_t * instance, u32 a, u32 b, u32 c, u32 d), a, b, c, d)
IMPORT(fd_seek, fd_seek, (instance_t * instance, u32 a, u64 b, u32 c, u32 d), a, b, c, d)
IMPORT(fd_tell, fd_seek, (instance_t * instance, u32 a, u32 b), a, 0, 1, b)
IMPORT(fd_write, fd_write, (instance_t * instance, u32 a, u32 b, u32 c, u32 d), a, b, c, d)
IMPORT(poll_oneoff, poll_oneoff, (instance_t * instance, u32 a, u32 b, u32 c, u32 d), a, b, c, d)
IMPORT(random_get, random_get, (instance_t * instance, u32 a, u32 b), a, b)
IMPORT(sched_yield, yield, (instance_t * instance), 0)

void Z_wasi_snapshot_preview1Z_proc_exit(instance_t *instance, u32 status)
{
  ON_HOST_STACK(proc_exit, status);
}

/* There are no folders that a program could find files in. */

u32 Z_wasi_snapshot_preview1Z_fd_prestat_get(instance_t *instance, u32 file, u32 to)
{
  (void)instance, (void)file, (void)to;
  return WASI_EBADF;
}

u32 Z_wasi_snapshot_preview1Z_fd_prestat_dir_name(instance_t *instance, u32 file, u32 to, u32 bytes)
{
  (void)instance, (void)file, (void)to, (void)bytes;
  return WASI_EBADF;
}

u32 Z_wasi_snapshot_preview1Z_path_open(instance_t *instance, u32 folder, u32 how, u32 path, u32 path_bytes, u32 flags,
                                        u64 rights, u64 inherited, u32 file_flags, u32 to)
{
  (void)instance, (void)folder, (void)how, (void)path, (void)path_bytes, (void)flags;
  (void)rights, (void)inherited, (void)file_flags, (void)to;
  return WASI_ENOTCAPABLE;
}
