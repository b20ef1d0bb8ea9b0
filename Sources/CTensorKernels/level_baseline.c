#define LEVEL baseline
#define VECTOR_BYTES 16
#if defined(__aarch64__)
// NEON is arm64's baseline, and has 32 registers.
#define GEMM_ROWS 12
#else
#define GEMM_ROWS 6
#endif
#include "level.inc"
