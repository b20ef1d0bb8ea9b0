#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi2"))), apply_to = function)
#define LEVEL avx2
#define VECTOR_BYTES 32
#define GEMM_ROWS 6
#include "level.inc"
#pragma clang attribute pop
#endif
