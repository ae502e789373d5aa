/* SPDX-License-Identifier: Apache-2.0 */
/* The interface as a C++ program sees it: a generator, its handler, and an exception. Exit status 0 if all went well. */
#include <wasmfx/wasmfx.h>

#include <cstdio>

namespace {

struct Generator {
  wasmfx_tag_t *yield;
  wasmfx_tag_t *stop;
};

void count_up(wasmfx_runtime_t *rt, void *env, const wasmfx_value_t *args, wasmfx_value_t *results)
{
  const auto *generator = static_cast<const Generator *>(env);
  for (wasmfx_value_t next = args[0];; next.i64++) {
    const wasmfx_outcome_t woken = wasmfx_suspend(rt, generator->yield, &next, 1);
    if (woken.status == WASMFX_THREW) {
      results[0].i64 = next.i64 * 100;
      return;
    }
  }
}

template <size_t count> const wasmfx_type_t *type_of(wasmfx_runtime_t *rt, const wasmfx_kind_t (&kinds)[count],
                                                     size_t params, size_t results)
{
  wasmfx_type_t *type = nullptr;
  wasmfx_type_new(rt, kinds, params, kinds, results, &type);
  return type;
}

} // namespace

int main()
{
  const wasmfx_kind_t kinds[] = { WASMFX_I64 };
  wasmfx_runtime_config_t config;
  wasmfx_runtime_config_init(&config);
  wasmfx_runtime_t *rt = nullptr;
  if (wasmfx_runtime_new(&config, &rt) != WASMFX_OK)
    return 1;

  Generator generator = { nullptr, nullptr };
  wasmfx_tag_new(rt, type_of(rt, kinds, 1, 0), &generator.yield);
  wasmfx_tag_new(rt, type_of(rt, kinds, 0, 0), &generator.stop);
  wasmfx_clause_t clauses[1] = {};
  clauses[0].tag = generator.yield;
  clauses[0].kind = WASMFX_ON_LABEL;
  wasmfx_handlers_t *handlers = nullptr;
  wasmfx_handlers_new(rt, clauses, 1, &handlers);

  wasmfx_cont_t cont = WASMFX_NULL_CONT;
  wasmfx_cont_new(rt, type_of(rt, kinds, 1, 1), count_up, &generator, &cont);
  wasmfx_value_t first = {};
  first.i64 = 3;
  wasmfx_outcome_t outcome = wasmfx_resume(rt, &cont, handlers, &first, 1);
  int64_t sum = 0;
  for (int i = 0; i < 4 && outcome.status == WASMFX_SUSPENDED; i++) {
    sum += outcome.values[0].i64;
    outcome = wasmfx_resume(rt, &cont, handlers, nullptr, 0);
  }
  outcome = wasmfx_resume_throw(rt, &cont, handlers, generator.stop, nullptr, 0);
  const bool good = outcome.status == WASMFX_RETURNED && outcome.values[0].i64 == 700 && sum == 3 + 4 + 5 + 6 &&
                    cont == WASMFX_NULL_CONT;
  std::printf("%s\n", good ? "as expected" : wasmfx_status_text(outcome.status));
  return wasmfx_runtime_free(rt, nullptr) == WASMFX_OK && good ? 0 : 1;
}
