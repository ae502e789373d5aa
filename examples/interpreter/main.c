/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How does an engine get the seven instructions?
 *
 * This is a stack machine in four files. interpreter.h says what is where; all that
 * knows the library's verbs is in stack_switching.c, a function for each instruction.
 * Each continuation has a value stack of its own. What the programs do in other
 * respects (loops, calls, exceptions) knows nothing of continuations.
 *
 * Expected output:
 *
 *     generator: 1 1 2 3 5 8 13 21
 *     tasks: 1 2 3 1 2 3 1 2 3
 *     exceptions: 1 2 -7 100 -7 100
 *     uncaught: 1 exception "stop"
 *     twice: 1 trap "continuation already consumed"
 *     nobody: trap "unhandled tag"
 *     too deep: trap "call stack exhausted"
 *
 * Next: plugin_host/host.c, where what runs cannot be trusted.
 */
#include "interpreter.h"

/* The words between the parentheses, as a string. */
#define PROGRAM(...) #__VA_ARGS__

/* Suspends with each Fibonacci number. main stops listening at 30, and leaves it suspended. */
static const char generator[] = PROGRAM(
  type thunk -> ;
  tag give i64 -> ;

  func fibonacci thunk 2  /* two local variables: this number, the next one */
    const 1  set 1
    again:
      get 1  suspend give
      get 0  get 1  add
      get 1  set 0
      set 1
      br again
  end

  func main thunk 2  /* the generator, a number */
    ref fibonacci  cont.new thunk  set 0
    next:
      get 0  resume thunk on give given  /* goes on behind itself if the generator returns */
      return
    given:  /* number, generator */
      set 0  set 1
      get 1  const 30  less  not  br_if enough
      get 1  host print
      br next
    enough:
  end
);

/* Three workers switch to one another, in the order of a queue. */
static const char tasks[] = PROGRAM(
  type thunk -> ;
  type worker i64 cont -> ;  /* its number, and who ran before it */
  type task cont -> ;
  tag turn -> ;

  func work worker 1  /* how many steps are done */
    again:
      get 1  host enqueue
      get 0  host print
      get 2  const 1  add  set 2
      host waiting  not  br_if alone
      host dequeue  switch task task turn  set 1
      br more
    alone:
      null  set 1
    more:
      get 2  const 3  less  br_if again
      get 1  host enqueue
  end

  func main thunk 0
    const 1  ref work  cont.new worker  cont.bind worker task  host enqueue
    const 2  ref work  cont.new worker  cont.bind worker task  host enqueue
    const 3  ref work  cont.new worker  cont.bind worker task  host enqueue
    next:
      host waiting  not  br_if done
      null  host dequeue  resume task on turn switch
      br next
    done:
  end
);

/* An exception is thrown into a generator, which has a handler for it. It gives one more number, and then throws the
 * exception on. main catches that, and throws the same one into a second generator. */
static const char exceptions[] = PROGRAM(
  type thunk -> ;
  tag give i64 -> ;
  tag stop i64 -> ;

  func count thunk 2  /* the last number, the exception */
    try stop stopped
    again:
      get 0  const 1  add  set 0
      get 0  suspend give
      br again
    stopped:  /* what was thrown: its number, and itself */
      set 1
      host print
      const 100  suspend give
      get 1  throw_ref
  end

  func main thunk 2  /* a generator, an exception */
    ref count  cont.new thunk  resume thunk on give first
    return
    first:
      set 0  host print
      get 0  resume thunk on give second
      return
    second:
      set 0  host print
      const -7  get 0  resume_throw thunk stop on give last
      return
    last:
      set 0  host print
      try stop thrown
      get 0  resume thunk
      return
    thrown:
      set 1  drop
      ref count  cont.new thunk  resume thunk on give another
      return
    another:
      set 0  drop
      get 1  get 0  resume_throw_ref thunk on give another_last
      return
    another_last:
      set 0  host print
  end
);

/* Nobody catches what is thrown two continuations below main. */
static const char uncaught[] = PROGRAM(
  type thunk -> ;
  tag stop i64 -> ;

  func inner thunk 0
    const 1  host print
    const 7  throw stop
  end
  func outer thunk 0
    ref inner  cont.new thunk  resume thunk
    const 2  host print  /* is not reached */
  end
  func main thunk 0
    ref outer  cont.new thunk  resume thunk
  end
);

/* A reference is good for one resume. */
static const char twice[] = PROGRAM(
  type thunk -> ;

  func once thunk 0
    const 1  host print
  end
  func main thunk 1
    ref once  cont.new thunk  set 0
    get 0  resume thunk
    get 0  resume thunk
  end
);

static const char nobody[] = PROGRAM(
  type thunk -> ;
  tag give i64 -> ;
  tag other i64 -> ;

  func lonely thunk 0
    const 1  suspend give
  end
  func main thunk 0
    ref lonely  cont.new thunk  resume thunk on other given
    given:
  end
);

/* Calls that never return, in a continuation. */
static const char too_deep[] = PROGRAM(
  type thunk -> ;

  func deeper thunk 0
    call deeper
  end
  func main thunk 0
    ref deeper  cont.new thunk  resume thunk
  end
);

/* Runs the last function of a program on the host's own stack. */
static void execute(struct program *program)
{
  static struct machine m;
  char here;
  m = (struct machine){ .program = program, .top = m.slots, .native_limit = (uintptr_t)&here - 65536 };
  *wasmfx_host_word(program->rt) = program->current = &m;
  switch (run(&m, &program->functions[program->function_count - 1])) {
  case RAISE:
    puts("exception \"stop\"");
    break;
  case TRAP:
    printf("trap \"%s\"\n", wasmfx_status_text(m.trap));
    break;
  default:
    puts("");
  }
}

static void run_program(const char *name, const char *text)
{
  static struct program program;
  wasmfx_runtime_config_t config;

  program = (struct program){ .rt = NULL };
  wasmfx_runtime_config_init(&config);
  config.switched = switched;
  config.host = &program;
  ok(wasmfx_runtime_new(&config, &program.rt));
  assemble(&program, text);
  printf("%s: ", name);
  execute(&program);
  while (program.exceptions) {
    struct exception *last = program.exceptions;
    program.exceptions = last->next;
    free(last);
  }
  ok(wasmfx_runtime_free(program.rt, NULL)); /* with what is still suspended */
}

int main(void)
{
  run_program("generator", generator);
  run_program("tasks", tasks);
  run_program("exceptions", exceptions);
  run_program("uncaught", uncaught);
  run_program("twice", twice);
  run_program("nobody", nobody);
  run_program("too deep", too_deep);
  return 0;
}
