/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host may unload the library while threads live on that have used it: nothing of it
 * is called any more when they end, or when somebody forks. Usage: test_unload LIBRARY
 */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <wasmfx/wasmfx.h>

static const char *library;
static sem_t has_used, is_unloaded;

typedef void *(*alloc_t)(void *(*entry)(void *));
typedef wasmfx_status_t (*runtime_new_t)(const wasmfx_runtime_config_t *config, wasmfx_runtime_t **rt);
typedef wasmfx_status_t (*overflow_catch_t)(wasmfx_runtime_t *rt);
typedef void (*function_t)(void);

/* A function of the library, for a cast to its type. */
static function_t function(void *loaded, const char *name)
{
  function_t found;
  *(void **)&found = dlsym(loaded, name);
  assert_non_null(found);
  return found;
}

static void *do_nothing(void *argument)
{
  return argument;
}

/* Has the library do something for this thread, and ends after it has gone. */
static void *use_fibers(void *loaded)
{
  void *fiber = ((alloc_t)function(loaded, "wasmfx_fiber_alloc"))(do_nothing);
  sem_post(&has_used);
  sem_wait(&is_unloaded);
  return fiber;
}

static void *catch_overflow(void *loaded)
{
  wasmfx_runtime_t *rt = NULL;
  if (((runtime_new_t)function(loaded, "wasmfx_runtime_new"))(NULL, &rt) == WASMFX_OK &&
      ((overflow_catch_t)function(loaded, "wasmfx_overflow_catch"))(rt) != WASMFX_OK)
    rt = NULL;
  sem_post(&has_used);
  sem_wait(&is_unloaded);
  return rt;
}

static bool can_fork(void)
{
  int status = -1;
  const pid_t pid = fork();
  if (pid == 0)
    _exit(0);
  return waitpid(pid, &status, 0) == pid && status == 0;
}

static void unload_while_a_thread_lives_that(void *(*uses)(void *loaded))
{
  pthread_t thread;
  void *result = NULL, *loaded = dlopen(library, RTLD_NOW);
  assert_non_null(loaded);
  assert_int_equal(pthread_create(&thread, NULL, uses, loaded), 0);
  sem_wait(&has_used);
  assert_int_equal(dlclose(loaded), 0);
  assert_null(dlopen(library, RTLD_NOW | RTLD_NOLOAD)); /* it is gone indeed */
  assert_true(can_fork());
  sem_post(&is_unloaded);
  assert_int_equal(pthread_join(thread, &result), 0);
  assert_non_null(result);
}

static void the_library_may_be_unloaded_before_a_thread_with_fibers_ends(void **state)
{
  (void)state;
  unload_while_a_thread_lives_that(use_fibers);
}

static void the_library_may_be_unloaded_before_a_thread_that_catches_overflow_ends(void **state)
{
  (void)state;
  unload_while_a_thread_lives_that(catch_overflow);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_library_may_be_unloaded_before_a_thread_with_fibers_ends),
    cmocka_unit_test(the_library_may_be_unloaded_before_a_thread_that_catches_overflow_ends),
  };
  if (argc != 2)
    return 2;
  library = argv[1];
  sem_init(&has_used, 0, 0);
  sem_init(&is_unloaded, 0, 0);
  return cmocka_run_group_tests_name("unload", tests, NULL, NULL);
}
