#include "checks.h"

// Bounds: a sum of k products in any order errs by at most (k + 2) units of the sum of their sizes (Higham 2002, chapter 4);
// a sum in blocks of 320 by fewer.
static double chain(long k) { return (double)((k < 320 ? k : 320) + k / 160 + 4); }

/// C = A B (+ bias) (+ C) and the sizes of the terms; A's element (i, p) at `i * a_row + p * a_step`, and so on.
static void product(Checks *t, long m, long n, long k, const double *a, long a_row, long a_step, const double *b, long b_row,
                    long b_column, const double *bias, double *c, long c_row, int adds, double *bound) {
  for (long i = 0; i < m; i++)
    for (long j = 0; j < n; j++) {
      double sum = bias ? bias[j] : 0, size = fabs(sum);
      if (adds) sum += c[i * c_row + j], size += fabs(c[i * c_row + j]);
      for (long p = 0; p < k; p++) {
        const double term = a[i * a_row + p * a_step] * b[p * b_row + j * b_column];
        sum += term;
        size += fabs(term);
      }
      c[i * c_row + j] = sum;
      bound[i * c_row + j] = chain(k) * t->unit * size;
    }
}

/// The packed forms are copies with zeros behind the last column.
static void check_packing(Checks *t, long k, long n, long width, Weights w, long row, long column, const void *panels) {
  const long count = (n + width - 1) / width;
  double *expected = zeros(t, count * k * width);
  for (long j = 0; j < n; j++)
    for (long p = 0; p < k; p++) expected[(j / width * k + p) * width + j % width] = w.values[p * row + j * column];
  same(t, "packed panels", panels, expected, count * k * width);
}

void check_gemm(Checks *t) {
  const long m = length(t, 60), n = length(t, 90), k = chance(t, 20) ? 0 : length(t, chance(t, 8) ? 900 : 120);
  const int a_transposed = chance(t, 2), b_transposed = chance(t, 2), biased = chance(t, 2), adds = !biased && chance(t, 3);
  const long a_row = a_transposed ? 1 : k + any(t, 0, 3), a_step = a_transposed ? m + any(t, 0, 3) : 1;
  const long b_row = b_transposed ? 1 : n + any(t, 0, 3), b_column = b_transposed ? k + any(t, 0, 3) : 1;
  const long c_row = n + any(t, 0, 3);
  long width = 0;
  t->k->gemm_width(&width);
  begin(t, "%ldx%ldx%ld, a %ld %ld, b %ld %ld, c %ld, bias %d, adds %d", m, n, k, a_row, a_step, b_row, b_column, c_row, biased,
        adds);
  double *a = numbers(t, (m + 4) * (k + 4), -1, 1), *bias = numbers(t, n, -1, 1), *c = numbers(t, m * c_row, -1, 1);
  double *bound = zeros(t, m * c_row);
  const Weights b = weights(t, (n + 4) * (k + 4), TK_Q8_0);
  void *found = typed(t, c, m * c_row), *panels = blank(t, (n + width - 1) / width * width * k);
  t->k->gemm_pack(k, n, b.stored, b.elements, b_row, b_column, panels, blank(t, width * k));
  check_packing(t, k, n, width, b, b_row, b_column, panels);
  t->k->gemm(m, n, k, typed(t, a, (m + 4) * (k + 4)), a_row, a_step, panels, width, width * k, biased ? typed(t, bias, n) : 0,
             found, c_row, adds);
  product(t, m, n, k, a, a_row, a_step, b.values, b_row, b_column, biased ? bias : 0, c, c_row, adds, bound);
  near(t, "product", found, c, bound, m * c_row);
  finish(t);
}

void check_gemm_tiles(Checks *t) {
  const long m = length(t, 60), n = length(t, 90), k = length(t, chance(t, 6) ? 900 : 120);
  const int b_transposed = chance(t, 2), biased = chance(t, 2);
  const long a_row = k + any(t, 0, 3), b_row = b_transposed ? 1 : n + any(t, 0, 3);
  // Rows whole pages apart meet in the caches, and are copied.
  const long apart = chance(t, 12) ? 1024 : k + any(t, 0, 3), b_column = b_transposed ? apart : 1, c_row = n + any(t, 0, 3);
  begin(t, "%ldx%ldx%ld, a %ld, b %ld %ld, c %ld, bias %d", m, n, k, a_row, b_row, b_column, c_row, biased);
  double *a = numbers(t, (m + 1) * a_row, -1, 1), *bias = numbers(t, n, -1, 1), *c = numbers(t, m * c_row, -1, 1);
  double *bound = zeros(t, m * c_row);
  const Weights b = weights(t, (n + 4) * ((b_transposed ? apart : k) + 4), TK_Q8_0);
  void *left = typed(t, a, (m + 1) * a_row), *start = biased ? typed(t, bias, n) : 0;
  void *found = typed(t, c, m * c_row), *again = typed(t, c, m * c_row);
  long scratch = 0, width = 0;
  t->k->gemm_tile_scratch(n, k, &scratch);
  t->k->gemm_tile(m, n, k, left, a_row, 1, b.stored, b.elements, b_row, b_column, start, found, c_row, blank(t, scratch));
  product(t, m, n, k, a, a_row, 1, b.values, b_row, b_column, biased ? bias : 0, c, c_row, 0, bound);
  near(t, "tile", found, c, bound, m * c_row);
  // Strips of twelve rows are a packing like any other.
  void *strips = blank(t, (m + 11) / 12 * 12 * k);
  t->k->gemm_strips(k, m, left, 1, a_row, strips);
  check_packing(t, k, m, 12, (Weights){TK_AS_COMPUTED, 0, a}, 1, a_row, strips);
  if (b_transposed) {
    t->k->gemm_width(&width);
    t->k->gemm_few_rows_scratch(m, k, &scratch);
    void *panels = blank(t, (m + width - 1) / width * width * k);
    t->k->gemm_pack(k, m, TK_AS_COMPUTED, left, 1, a_row, panels, 0);
    t->k->gemm_few_rows(m, n, k, panels, b.stored, b.elements, b_column, start, again, c_row, blank(t, scratch));
    same(t, "few rows, against the tile's bytes", again, values(t, found, m * c_row), m * c_row);
  }
  finish(t);
}

/// To nearest even.
static uint16_t nearest_bfloat(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

void check_bfloat(Checks *t) {
  begin(t, "bfloat16");
  if (t->type != TK_FLOAT32 || !tk_has_bfloat()) return;
  const long m = length(t, 60), n = length(t, 90), k = 2 * length(t, chance(t, 6) ? 900 : 60);
  const int transposed = chance(t, 2), biased = chance(t, 2);
  const long a_row = k + any(t, 0, 3), b_row = transposed ? 1 : n + any(t, 0, 3);
  const long b_column = transposed ? k + 2 * any(t, 0, 2) : 1, c_row = n + any(t, 0, 3);
  begin(t, "bfloat16 %ldx%ldx%ld, a %ld, b %ld %ld, c %ld, bias %d", m, n, k, a_row, b_row, b_column, c_row, biased);
  double *a = numbers(t, (m + 1) * a_row, -1, 1), *bias = numbers(t, n, -1, 1), *c = numbers(t, m * c_row, -1, 1);
  double *bound = zeros(t, m * c_row);
  Weights b = weights(t, (n + 4) * (k + 4), TK_Q8_0);
  const TKStored stored = transposed && b.stored == TK_Q8_0 ? TK_Q8_0 : TK_BFLOAT16;
  uint16_t *codes = memory(t, (size_t)((n + 4) * (k + 4)) * 2, 0);
  for (long i = 0; i < (n + 4) * (k + 4); i++) {
    codes[i] = nearest_bfloat((float)b.values[i]);
    b.values[i] = bfloat_value(codes[i]);
  }
  void *found = typed(t, c, m * c_row);
  float *scratch = memory(t, (size_t)tk_bfloat_tile_scratch(n, k) * 4, 1);
  tk_bfloat_tile(m, n, k, typed(t, a, (m + 1) * a_row), a_row, stored, stored == TK_Q8_0 ? b.elements : codes, b_row, b_column,
                 biased ? typed(t, bias, n) : 0, found, c_row, scratch);
  product(t, m, n, k, a, a_row, 1, b.values, b_row, b_column, biased ? bias : 0, c, c_row, 0, bound);
  // A is rounded to 8 bits: each term by at most 2^-9 of itself. The bound so far is `chain` units.
  for (long i = 0; i < m * c_row; i++) bound[i] *= 1 + 0x1p-8 / (t->unit * chain(k));
  near(t, "bfloat16 tile", found, c, bound, m * c_row);
  finish(t);
}
