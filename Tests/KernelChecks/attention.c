#include "checks.h"

/// One head: operands, what is expected and how far from it an answer may be.
typedef struct {
  long queries, keys, size, value_size, q_row, k_row, v_row, o_row;
  int causal, masked;
  double scale;
  double *q, *k, *v, *g, *mask;
  double *p, *out, *out_bound, *dq, *dk, *dv, *dq_bound, *dk_bound, *dv_bound;
} Head;

static Head drawn(Checks *t) {
  Head h = {.queries = length(t, 70), .keys = length(t, chance(t, 8) ? 420 : 70), .size = length(t, chance(t, 8) ? 512 : 60),
            .value_size = length(t, chance(t, 8) ? 512 : 60), .causal = chance(t, 3), .masked = chance(t, 3)};
  h.q_row = h.size + any(t, 0, 5), h.k_row = h.size + any(t, 0, 5);
  h.v_row = h.value_size + any(t, 0, 5), h.o_row = h.value_size + any(t, 0, 5);
  h.scale = 1 / sqrt((double)h.size);
  begin(t, "attention %ldx%ldx%ld:%ld, rows %ld %ld %ld %ld, causal %d, mask %d", h.queries, h.keys, h.size, h.value_size, h.q_row,
        h.k_row, h.v_row, h.o_row, h.causal, h.masked);
  h.q = numbers(t, h.queries * h.q_row, -2, 2), h.k = numbers(t, h.keys * h.k_row, -2, 2);
  h.v = numbers(t, h.keys * h.v_row, -1, 1), h.g = numbers(t, h.queries * h.o_row, -1, 1);
  h.mask = numbers(t, h.queries * h.keys, -2, 2);
  for (long i = 0; i < h.queries * h.keys; i++)
    if (chance(t, 7) || i / h.keys == 5) h.mask[i] = -INFINITY;
  return h;
}

static double dot(long n, const double *x, const double *y, double *size) {
  double sum = 0;
  for (long i = 0; i < n; i++) sum += x[i] * y[i], *size += fabs(x[i] * y[i]);
  return sum;
}

/// Weights of a query, and by how much of themselves they may be off: by what their scores are off, and the sum's roundings.
static double weigh(const Checks *t, const Head *h, long i, double *p, double unit) {
  double top = -INFINITY, sum = 0, largest = 0;
  for (long j = 0; j < h->keys; j++) {
    double size = 0;
    p[j] = h->scale * dot(h->size, h->q + i * h->q_row, h->k + j * h->k_row, &size);
    size *= h->scale;
    if (h->masked) p[j] += h->mask[i * h->keys + j], size += isinf(p[j]) ? 0 : fabs(h->mask[i * h->keys + j]);
    if (h->causal && j > i) p[j] = -INFINITY;
    largest = fmax(largest, size);
    top = fmax(top, p[j]);
  }
  for (long j = 0; j < h->keys; j++) sum += p[j] = isinf(top) ? 0 : exp(p[j] - top);
  for (long j = 0; j < h->keys; j++) p[j] = sum == 0 ? 0 : p[j] / sum;
  return unit * ((double)h->size + 8) * largest + t->unit * (double)(h->keys + 24);
}

static void expect(Checks *t, Head *h) {
  h->p = zeros(t, h->keys), h->out = zeros(t, h->queries * h->o_row), h->out_bound = zeros(t, h->queries * h->o_row);
  h->dq = zeros(t, h->queries * h->q_row), h->dq_bound = zeros(t, h->queries * h->q_row);
  h->dk = zeros(t, h->keys * h->k_row), h->dk_bound = zeros(t, h->keys * h->k_row);
  h->dv = zeros(t, h->keys * h->v_row), h->dv_bound = zeros(t, h->keys * h->v_row);
  for (long i = 0; i < h->queries; i++) {
    const double off = weigh(t, h, i, h->p, t->unit), *g = h->g + i * h->o_row;
    for (long j = 0; j < h->keys; j++)
      for (long c = 0; c < h->value_size; c++) {
        h->out[i * h->o_row + c] += h->p[j] * h->v[j * h->v_row + c];
        h->out_bound[i * h->o_row + c] += 4 * off * h->p[j] * fabs(h->v[j * h->v_row + c]);
      }
    double inner_size = 0, inner = dot(h->value_size, h->out + i * h->o_row, g, &inner_size);
    for (long c = 0; c < h->value_size; c++) inner_size += fabs(g[c]);
    for (long j = 0; j < h->keys; j++) {
      double size = 0, of_weight = dot(h->value_size, g, h->v + j * h->v_row, &size);
      const double slope = h->p[j] * (of_weight - inner) * h->scale;
      const double loss = 4 * h->p[j] * h->scale * (size + inner_size) * (off + t->unit * (double)(h->value_size + 8)) +
                          fabs(slope) * t->unit * (double)(h->queries + h->keys);
      for (long c = 0; c < h->size; c++) {
        h->dq[i * h->q_row + c] += slope * h->k[j * h->k_row + c];
        h->dq_bound[i * h->q_row + c] += loss * fabs(h->k[j * h->k_row + c]);
        h->dk[j * h->k_row + c] += slope * h->q[i * h->q_row + c];
        h->dk_bound[j * h->k_row + c] += loss * fabs(h->q[i * h->q_row + c]);
      }
      for (long c = 0; c < h->value_size; c++) {
        h->dv[j * h->v_row + c] += h->p[j] * g[c];
        h->dv_bound[j * h->v_row + c] += (4 * off + t->unit * (double)h->queries) * h->p[j] * fabs(g[c]);
      }
    }
  }
}

static void *strips(Checks *t, long rows, long columns, const void *x, long stride, int of_rows) {
  void *packed = blank(t, of_rows ? (rows + 11) / 12 * 12 * columns : (columns + 11) / 12 * 12 * rows);
  if (of_rows) t->k->gemm_strips(columns, rows, x, 1, stride, packed);
  else t->k->gemm_strips(rows, columns, x, stride, 1, packed);
  return packed;
}

/// Only the columns of the result are looked at: what lies between rows is checked to be as it was.
static void compare(Checks *t, const char *what, long rows, long columns, long stride, const void *found, double *expected,
                    double *bound) {
  for (long i = 0; i < rows; i++)
    for (long c = columns; c < stride; c++) expected[i * stride + c] = NAN;
  near(t, what, found, expected, bound, rows * stride);
}

void check_attention(Checks *t) {
  Head h = drawn(t);
  expect(t, &h);
  void *q = typed(t, h.q, h.queries * h.q_row), *k = typed(t, h.k, h.keys * h.k_row), *v = typed(t, h.v, h.keys * h.v_row);
  void *g = typed(t, h.g, h.queries * h.o_row), *mask = h.masked ? typed(t, h.mask, h.queries * h.keys) : 0;
  void *out = blank(t, h.queries * h.o_row), *sums = blank(t, h.queries), *inner = blank(t, h.queries);
  long elements = 0;
  t->k->attention_scratch(h.size, h.value_size, &elements);
  void *scratch = blank(t, elements), *key_rows = strips(t, h.keys, h.size, k, h.k_row, 1);
  TKAttention x = {.rows = h.keys, .size = h.size, .value_size = h.value_size, .scale = h.scale, .causal = h.causal,
                   .lanes_are_queries = 1, .row_strips = key_rows,
                   .value_columns = strips(t, h.keys, h.value_size, v, h.v_row, 0), .score_lanes = q, .score_stride = h.q_row,
                   .mask = mask, .mask_row = 1, .mask_lane = h.keys, .log_sums = sums, .value_out = out,
                   .value_out_stride = h.o_row};
  const long cut = any(t, 0, h.queries);
  t->k->attention(&x, 0, cut, scratch);
  t->k->attention(&x, cut, h.queries - cut, scratch);
  compare(t, "result", h.queries, h.value_size, h.o_row, out, h.out, h.out_bound);
  void *again = blank(t, h.queries * h.o_row);
  x.value_out = again;
  t->k->attention(&x, 0, h.queries, scratch);
  near(t, "bytes of another cut", again, values(t, out, h.queries * h.o_row), 0, h.queries * h.o_row);
  double *products = zeros(t, h.queries), *products_bound = zeros(t, h.queries), *found = values(t, out, h.queries * h.o_row);
  for (long i = 0; i < h.queries; i++)
    products[i] = dot(h.value_size, found + i * h.o_row, h.g + i * h.o_row, products_bound + i);
  for (long i = 0; i < h.queries; i++) products_bound[i] *= t->unit * (double)(h.value_size + 2);
  t->k->row_dots(h.queries, h.value_size, h.o_row, out, g, inner);
  near(t, "inner products", inner, products, products_bound, h.queries);

  void *dq = blank(t, h.queries * h.q_row), *dk = blank(t, h.keys * h.k_row), *dv = blank(t, h.keys * h.v_row);
  x.value_columns = 0, x.value_out = 0, x.inner = inner;
  x.row_columns = strips(t, h.keys, h.size, k, h.k_row, 0), x.value_strips = strips(t, h.keys, h.value_size, v, h.v_row, 1);
  x.value_lanes = g, x.value_stride = h.o_row, x.score_out = dq, x.score_out_stride = h.q_row;
  t->k->attention_gradient(&x, 0, cut, scratch);
  t->k->attention_gradient(&x, cut, h.queries - cut, scratch);
  compare(t, "queries' gradient", h.queries, h.size, h.q_row, dq, h.dq, h.dq_bound);
  TKAttention y = {.rows = h.queries, .size = h.size, .value_size = h.value_size, .scale = h.scale, .causal = h.causal,
                   .row_strips = strips(t, h.queries, h.size, q, h.q_row, 1),
                   .value_strips = strips(t, h.queries, h.value_size, g, h.o_row, 1),
                   .row_columns = strips(t, h.queries, h.size, q, h.q_row, 0),
                   .value_columns = strips(t, h.queries, h.value_size, g, h.o_row, 0), .score_lanes = k,
                   .score_stride = h.k_row, .value_lanes = v, .value_stride = h.v_row, .mask = mask, .mask_row = h.keys,
                   .mask_lane = 1, .log_sums = sums, .inner = inner, .score_out = dk, .score_out_stride = h.k_row, .value_out = dv,
                   .value_out_stride = h.v_row};
  const long key_cut = any(t, 0, h.keys);
  t->k->attention_gradient(&y, 0, key_cut, scratch);
  t->k->attention_gradient(&y, key_cut, h.keys - key_cut, scratch);
  compare(t, "keys' gradient", h.keys, h.size, h.k_row, dk, h.dk, h.dk_bound);
  compare(t, "values' gradient", h.keys, h.value_size, h.v_row, dv, h.dv, h.dv_bound);
  finish(t);
}
