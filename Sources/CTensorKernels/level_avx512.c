#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi2"))), apply_to = function)
#define LEVEL avx512
#define VECTOR_BYTES 64
#define GEMM_ROWS 12
#include "level.inc"
#pragma clang attribute pop
#endif
