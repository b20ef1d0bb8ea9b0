#include <stdatomic.h>
#include <stddef.h>

#include "table.h"

extern const struct kernel_table kernel_table_f32_baseline, kernel_table_f64_baseline;
#if defined(__x86_64__)
extern const struct kernel_table kernel_table_f32_avx2, kernel_table_f64_avx2;
extern const struct kernel_table kernel_table_f32_avx512, kernel_table_f64_avx512;
#endif

/// By level, then by type.
static const struct kernel_table *const tables[3][2] = {
    {&kernel_table_f32_baseline, &kernel_table_f64_baseline},
#if defined(__x86_64__)
    {&kernel_table_f32_avx2, &kernel_table_f64_avx2},
    {&kernel_table_f32_avx512, &kernel_table_f64_avx512},
#endif
};

TKLevel tk_processor_level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return TK_AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return TK_AVX2;
#endif
  return TK_BASELINE;
}

static _Atomic int chosen = -1;

TKLevel tk_level(void) {
  int level = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (level >= 0) return (TKLevel)level;
  tk_set_level(TK_AVX512);
  return (TKLevel)atomic_load_explicit(&chosen, memory_order_relaxed);
}

void tk_set_level(TKLevel level) {
  TKLevel most = tk_processor_level();
  atomic_store_explicit(&chosen, level < most ? level : most, memory_order_relaxed);
}

const struct kernel_table *tk_kernels(TKLevel level, TKType type) { return tables[level][type]; }

#define TK_WITH_TYPE_DEFINITION(...) (TKType type, __VA_ARGS__)
#define KERNEL(name, parameters, arguments) \
  void tk_##name TK_WITH_TYPE_DEFINITION parameters { tables[tk_level()][type]->name arguments; }
#include "kernels.def"
