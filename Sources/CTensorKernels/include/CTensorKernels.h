#ifndef C_TENSOR_KERNELS_H
#define C_TENSOR_KERNELS_H

#ifdef __linux__
#include <malloc.h>
#endif
#include <stdint.h>

/// Vector kernels that BLAS has no call for. Each is one plain C loop, written once in a `.inc` file for the
/// element type `REAL` and compiled for every pair of instruction set (baseline, AVX2 + FMA, AVX-512) and
/// element type (float, double). The best instruction set the processor has is taken at the first call.
typedef enum { TK_FLOAT32 = 0, TK_FLOAT64 = 1 } TKType;

/// How a matrix of weights is stored: in the type that is computed in, or in what is widened on the way: 16 bits, or blocks
/// of 32 neighbours of a row (34 bytes: a scale in half precision, then signed bytes).
typedef enum { TK_AS_COMPUTED = 0, TK_FLOAT16 = 1, TK_BFLOAT16 = 2, TK_Q8_0 = 3 } TKStored;

/// The instruction sets in rising order. On arm64 `TK_BASELINE` is NEON.
typedef enum { TK_BASELINE = 0, TK_AVX2 = 1, TK_AVX512 = 2 } TKLevel;

/// Functions of one number.
typedef enum {
  TK_EXP, TK_LOG, TK_SQRT, TK_POWER, TK_TANH, TK_SIGMOID, TK_SILU, TK_RELU, TK_LEAKY_RELU, TK_SOFTPLUS, TK_GELU,
  TK_GELU_TANH, TK_GELU_QUICK, TK_ERF, TK_CLAMP, TK_ABS
} TKUnary;

/// Functions of two numbers; comparisons give 1 or 0.
typedef enum {
  TK_ADD, TK_SUBTRACT, TK_MULTIPLY, TK_DIVIDE, TK_MAXIMUM, TK_MINIMUM, TK_POWER_OF, TK_GREATER, TK_LESS, TK_EQUAL
} TKBinary;

/// The best level this processor runs.
TKLevel tk_processor_level(void);
/// The level in use: the processor's, or what `tk_set_level` bounded it to.
TKLevel tk_level(void);
/// Bounds the level; one above the processor's is lowered to it. Not to be called while kernels run.
void tk_set_level(TKLevel level);

/// How windows slide over a picture `[height, width, channels]` (convolution, pooling) and what comes out.
typedef struct {
  long height, width, channels;
  long out_height, out_width;
  long kernel_height, kernel_width;
  long stride_y, stride_x;
  /// Padding before the first row and column; what is needed behind the last follows from the sizes.
  long top, left;
  long dilation_y, dilation_x;
} TKWindow;

/// One head of attention, and what one pass over it reads and writes. A pass takes panels of lanes, which are queries in
/// one direction and keys in the other, against all rows, which are the opposite.
typedef struct {
  long rows, size, value_size;
  double scale;
  int causal, lanes_are_queries;
  /// The rows' operands in strips (`gemm_strips`) of 12 rows: of the scores, and of the weights' gradients.
  const void *row_strips, *value_strips;
  /// What is summed over the rows, in strips of 12 columns: by the scores' gradients, and by the weights.
  const void *row_columns, *value_columns;
  /// The lanes' operands, `[lanes, size]` and `[lanes, value_size]`, and the distances of their rows.
  const void *score_lanes, *value_lanes;
  long score_stride, value_stride;
  /// Added to the scores where it is not null, at `row * mask_row + lane * mask_lane`.
  const void *mask;
  long mask_row, mask_lane;
  /// Each query's logarithm to base 2 of the sum of its weights, and its result times the result's gradient.
  void *log_sums;
  const void *inner;
  /// Results, a row a lane; null where not wanted.
  void *score_out, *value_out;
  long score_out_stride, value_out_stride;
} TKAttention;

/// Whether this processor multiplies in bfloat16, and the level allows it.
int tk_has_bfloat(void);
/// C [m, n] = A B (+ bias) with both operands rounded to bfloat16 and float32 sums. A [m, k] has rows of stride `a_row`; B's
/// element (p, j) is element `p * b_row + j * b_column` of `b`, one of the two being 1. k is even, and so is `b_column` where
/// `b_row` is 1. B is stored in bfloat16, or with `b_row` 1 in blocks. Call it where `tk_has_bfloat` says so.
void tk_bfloat_tile(long m, long n, long k, const float *a, long a_row, TKStored stored, const void *b, long b_row,
                    long b_column, const float *bias, float *c, long c_row, float *scratch);
/// How many floats its scratch has.
long tk_bfloat_tile_scratch(long n, long k);
/// The largest size of a head that is computed so; sizes are even.
#define TK_MOST_BFLOAT_SIZE 512
/// A head's `[tokens, size]` in strips of 12 tokens (`[strip, size / 2, 12]` pairs) or of 12 columns
/// (`[strip, (tokens + 1) / 2, 12]` pairs).
void tk_bfloat_strips(long tokens, long size, long stride, const float *x, int by_rows, float *strips);
/// Attention as `attention`, with both products in bfloat16: queries are the lanes, strips come from `tk_bfloat_strips`, and
/// there is neither a mask nor an order.
void tk_bfloat_attention(const TKAttention *x, long first, long count, float *scratch);
/// How many floats its scratch has.
long tk_bfloat_attention_scratch(long size, long value_size);

/// Declares `void tk_name(TKType type, parameters...)`.
#define KERNEL(name, parameters, arguments) void tk_##name TK_WITH_TYPE parameters;
#define TK_WITH_TYPE(...) (TKType type, __VA_ARGS__)
#include "kernels.def"
#undef KERNEL

/// A turn of waiting for another thread, which leaves the core's other work its place.
static inline void tk_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// One pointer for every kernel, filled by each instruction set for each element type.
struct kernel_table {
#define KERNEL(name, parameters, arguments) void(*name) parameters;
#include "kernels.def"
#undef KERNEL
};

/// The kernels of a level that the processor has, whatever level is in use: tests compare them all in one process.
const struct kernel_table *tk_kernels(TKLevel level, TKType type);

// Gives the system back what freed memory malloc holds between blocks in use, where the C library can.
static inline void tk_trim_heap(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

#endif
