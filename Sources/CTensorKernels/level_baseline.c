#define LEVEL baseline
#define VECTOR_BYTES 16
#define GEMM_ROWS 6
#include "level.inc"
