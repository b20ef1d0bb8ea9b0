// Matrix products in bfloat16 with float32 sums, where the processor has instructions for them (AVX512_BF16).
//
// Two neighbours along k lie side by side in 32 bits: an operand is packed as the float32 ones are, pairs in place of
// elements, and one instruction multiplies and adds both.
#include <math.h>
#include <string.h>

#include "table.h"

#if defined(__x86_64__)
#include <immintrin.h>

int tk_has_bfloat(void) {
  __builtin_cpu_init();
  return tk_level() == TK_AVX512 && __builtin_cpu_supports("avx512bf16");
}

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma,f16c,bmi2"))), apply_to = function)

// The float32 helpers, compiled once more for these instructions.
#define LEVEL bfloat
#define VECTOR_BYTES 64
#define GEMM_ROWS 12
#define REAL float
#define REAL_IS_FLOAT 1
#define SUFFIX f32
#include "kernels.inc"

/// Rows of a strip and columns of a panel.
#define ROWS GEMM_ROWS
#define WIDTH GEMM_WIDTH
/// Most pairs of a block: a panel of them stays in the first-level cache.
#define MOST_PAIRS 320

static long block_pairs(long k) {
  const long pairs = k / 2, parts = (pairs + MOST_PAIRS - 1) / MOST_PAIRS;
  return parts > 1 ? (pairs + parts - 1) / parts : pairs;
}

/// `count` floats (even) rounded to nearest even, as pairs.
static inline void round_pairs(long count, const float *x, float *pairs) {
  long i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m512bh both = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i));
    _mm512_storeu_si512(pairs + i / 2, (__m512i)both);
  }
  for (; i < count; i += 16) {
    const __mmask16 mask = count - i < 16 ? (__mmask16)((1u << (count - i)) - 1) : 0xffff;
    const __m256bh some = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + i));
    _mm256_mask_storeu_epi16(pairs + i / 2, mask, (__m256i)some);
  }
}

/// Panels of a matrix whose columns are contiguous: rows 2 p and 2 p + 1 side by side.
static void interleave(long pairs, long n, const uint16_t *b, long row, float *panels) {
  for (long j = 0; j < n; j += WIDTH, panels += pairs * WIDTH)
    for (long v = 0; v < WIDTH; v += 16) {
      const long left = n - j - v;
      const __mmask16 mask = left >= 16 ? 0xffff : left > 0 ? (__mmask16)((1u << left) - 1) : 0;
      for (long p = 0; p < pairs; p++) {
        const uint16_t *x = b + 2 * p * row + j + v;
        const __m512i even = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, x));
        const __m512i odd = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, x + row));
        _mm512_storeu_si512(panels + p * WIDTH + v, _mm512_or_si512(even, _mm512_slli_epi32(odd, 16)));
      }
    }
}

/// `rows` rows (a constant where this is inlined) by a panel of `width` columns: c = start + a b, `start` being the
/// bias, c itself or nothing.
static inline __attribute__((always_inline)) void block(
    const long rows, long pairs, const float *a, const float *b, const float *start, long start_row, float *c, long c_row,
    long width) {
  __m512 sum[ROWS][2];
#pragma clang loop unroll(full)
  for (long i = 0; i < rows; i++) sum[i][0] = sum[i][1] = _mm512_setzero_ps();
  for (long p = 0; p < pairs; p++, a += ROWS, b += WIDTH) {
    const __m512bh left = (__m512bh)_mm512_loadu_ps(b), right = (__m512bh)_mm512_loadu_ps(b + 16);
#pragma clang loop unroll(full)
    for (long i = 0; i < rows; i++) {
      const __m512bh factor = (__m512bh)_mm512_set1_ps(a[i]);
      sum[i][0] = _mm512_dpbf16_ps(sum[i][0], factor, left);
      sum[i][1] = _mm512_dpbf16_ps(sum[i][1], factor, right);
    }
  }
#pragma clang loop unroll(full)
  for (long i = 0; i < rows; i++)
    for (long v = 0; v < 2; v++) {
      const long left = width - 16 * v;
      const __mmask16 mask = left >= 16 ? 0xffff : left > 0 ? (__mmask16)((1u << left) - 1) : 0;
      __m512 y = sum[i][v];
      if (start) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, start + i * start_row + 16 * v));
      _mm512_mask_storeu_ps(c + i * c_row + 16 * v, mask, y);
    }
}

static void strip_by_panel(long rows, long pairs, const float *a, const float *b, const float *start, long start_row,
                           float *c, long c_row, long width) {
#define ROWS_CASE(n)                                                \
  case n:                                                           \
    block(n, pairs, a, b, start, start_row, c, c_row, width);       \
    break;
  switch (rows) {
    ROWS_CASE(1) ROWS_CASE(2) ROWS_CASE(3) ROWS_CASE(4) ROWS_CASE(5) ROWS_CASE(6) ROWS_CASE(7) ROWS_CASE(8)
    ROWS_CASE(9) ROWS_CASE(10) ROWS_CASE(11) ROWS_CASE(12)
    default: break;
  }
#undef ROWS_CASE
}

/// Panels of a matrix stored in blocks along its columns, from element `first` on.
static void round_blocks(long pairs, long n, const void *b, long first, long column, float *panels, float *scratch) {
  float *widened = scratch, *rounded = widened + 2 * pairs;
  for (long j = 0; j < n; j += WIDTH, panels += pairs * WIDTH) {
    const long columns = n - j < WIDTH ? n - j : WIDTH;
    for (long i = 0; i < columns; i++) {
      HELPER(widen_blocks)(2 * pairs, b, first + (j + i) * column, widened);
      round_pairs(2 * pairs, widened, rounded + i * pairs);
    }
    HELPER(pack)(WIDTH, pairs, columns, rounded, 1, pairs, panels, 0);
  }
}

long tk_bfloat_tile_scratch(long n, long k) {
  return block_pairs(k) * (2 + ROWS + WIDTH + (n + WIDTH - 1) / WIDTH * WIDTH);
}

void tk_bfloat_tile(long m, long n, long k, const float *a, long a_row, TKStored stored, const void *b, long b_row,
                    long b_column, const float *bias, float *c, long c_row, float *scratch) {
  const long most = block_pairs(k), all = k / 2;
  // What is rounded is of the right operand first, of the left one then.
  float *strip = scratch, *rounded = strip + most * ROWS, *panels = rounded + most * (WIDTH + 2);
  for (long first = 0; first < all; first += most) {
    const long pairs = all - first < most ? all - first : most;
    const uint16_t *right = (const uint16_t *)b + 2 * first * b_row;
    if (stored == TK_Q8_0)
      round_blocks(pairs, n, b, 2 * first, b_column, panels, rounded);
    else if (b_row == 1)
      HELPER(pack)(WIDTH, pairs, n, (const float *)right, 1, b_column / 2, panels, pairs * WIDTH);
    else
      interleave(pairs, n, right, b_row, panels);
    for (long i = 0; i < m; i += ROWS) {
      const long rows = m - i < ROWS ? m - i : ROWS;
      for (long r = 0; r < rows; r++) round_pairs(2 * pairs, a + (i + r) * a_row + 2 * first, rounded + r * pairs);
      HELPER(pack)(ROWS, pairs, rows, rounded, 1, pairs, strip, 0);
      for (long j = 0; j < n; j += WIDTH) {
        float *target = c + i * c_row + j;
        const float *start = first > 0 ? target : bias ? bias + j : 0;
        strip_by_panel(rows, pairs, strip, panels + j * pairs, start, first > 0 ? c_row : 0, target, c_row, n - j);
      }
    }
  }
}

/// Two rows of 16 lanes as pairs.
static inline __m512i paired(__m512 even, __m512 odd) {
  const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(even));
  const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(odd));
  return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

void tk_bfloat_strips(long tokens, long size, long stride, const float *x, int by_rows, float *strips) {
  if (by_rows) {
    float rounded[ROWS * TK_MOST_BFLOAT_SIZE / 2];
    for (long i = 0; i < tokens; i += ROWS, strips += ROWS * size / 2) {
      const long rows = tokens - i < ROWS ? tokens - i : ROWS;
      for (long r = 0; r < rows; r++) round_pairs(size, x + (i + r) * stride, rounded + r * size / 2);
      HELPER(pack)(ROWS, size / 2, rows, rounded, 1, size / 2, strips, 0);
    }
    return;
  }
  for (long i = 0; i < size; i += ROWS) {
    const long columns = size - i < ROWS ? size - i : ROWS;
    const __mmask16 mask = (__mmask16)((1u << columns) - 1), whole = (1u << ROWS) - 1;
    for (long t = 0; t < tokens; t += 2, strips += ROWS) {
      const __m512 even = _mm512_maskz_loadu_ps(mask, x + t * stride + i);
      const __m512 odd = _mm512_maskz_loadu_ps(t + 1 < tokens ? mask : 0, x + (t + 1) * stride + i);
      _mm512_mask_storeu_epi32(strips, whole, paired(even, odd));
    }
  }
}

long tk_bfloat_attention_scratch(long size, long value_size) {
  return WIDTH * (size + value_size + ATTENTION_ROWS + ATTENTION_ROWS / 2);
}

void tk_bfloat_attention(const TKAttention *x, long first, long count, float *scratch) {
  const long pairs = x->size / 2, row_pairs = (x->rows + 1) / 2;
  float *panel = scratch, *rounded = panel + WIDTH * pairs, *out = rounded + WIDTH * pairs;
  float *scores = out + WIDTH * x->value_size, *weights = scores + WIDTH * ATTENTION_ROWS;
  const float factor = (float)(x->scale * 1.44269504088896340736);
  for (long lane = first; lane < first + count; lane += WIDTH) {
    const long lanes = first + count - lane < WIDTH ? first + count - lane : WIDTH;
    const HELPER(vector) nothing = (HELPER(vector)){0} - INFINITY;
    HELPER(vector) maxima[2] = {nothing, nothing}, sums[2] = {{0}, {0}}, factors[2];
    for (long l = 0; l < lanes; l++) {
      const float *query = (const float *)x->score_lanes + (lane + l) * x->score_stride;
      for (long i = 0; i < x->size; i++) scores[i] = query[i] * factor;
      round_pairs(x->size, scores, rounded + l * pairs);
    }
    HELPER(pack)(WIDTH, pairs, lanes, rounded, 1, pairs, panel, 0);
    for (long row = 0; row < x->rows; row += ATTENTION_ROWS) {
      const long rows = x->rows - row < ATTENTION_ROWS ? x->rows - row : ATTENTION_ROWS;
      for (long r = 0; r < rows; r += ROWS)
        strip_by_panel(rows - r < ROWS ? rows - r : ROWS, pairs, (const float *)x->row_strips + (row + r) * pairs, panel, 0,
                       0, scores + r * WIDTH, WIDTH, WIDTH);
      HELPER(attention_weights)(rows, scores, maxima, sums, factors);
      for (long r = 0; r < rows; r += 2)
        for (long v = 0; v < WIDTH; v += 16) {
          const float *even = scores + r * WIDTH + v;
          const __m512 odd = r + 1 < rows ? _mm512_loadu_ps(even + WIDTH) : _mm512_setzero_ps();
          _mm512_storeu_si512(weights + r / 2 * WIDTH + v, paired(_mm512_loadu_ps(even), odd));
        }
      HELPER(loose) *sum = (HELPER(loose) *)out;
      for (long i = 0; row > 0 && i < 2 * x->value_size; i++) sum[i] *= factors[i % 2];
      for (long i = 0; i < x->value_size; i += ROWS)
        strip_by_panel(x->value_size - i < ROWS ? x->value_size - i : ROWS, (rows + 1) / 2,
                       (const float *)x->value_columns + i * row_pairs + row / 2 * ROWS, weights,
                       row > 0 ? out + i * WIDTH : 0, WIDTH, out + i * WIDTH, WIDTH, WIDTH);
    }
    HELPER(attention_finish)(x, lane, lanes, (const float *)maxima, (const float *)sums, out);
  }
}
#pragma clang attribute pop

#else

int tk_has_bfloat(void) { return 0; }
long tk_bfloat_tile_scratch(long n, long k) { return 0; }
void tk_bfloat_tile(long m, long n, long k, const float *a, long a_row, TKStored stored, const void *b, long b_row,
                    long b_column, const float *bias, float *c, long c_row, float *scratch) {}
void tk_bfloat_strips(long tokens, long size, long stride, const float *x, int by_rows, float *strips) {}
long tk_bfloat_attention_scratch(long size, long value_size) { return 0; }
void tk_bfloat_attention(const TKAttention *x, long first, long count, float *scratch) {}

#endif
