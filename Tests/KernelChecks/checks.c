#include "checks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { GUARD = 64 };

static const struct {
  const char *name;
  void (*check)(Checks *t);
} topics[] = {
    {"products", check_gemm},         {"tiles of products", check_gemm_tiles},
    {"unary functions", check_unary}, {"binary functions", check_binary},
    {"16-bit floats", check_halves},  {"reductions", check_reductions},
    {"softmax", check_softmax},       {"group norm", check_group_norm},
    {"row norm", check_row_norm},     {"windows", check_windows},
    {"Winograd 4", check_winograd4},  {"Winograd 2", check_winograd2},
    {"attention", check_attention},   {"pooling", check_pooling},
    {"resampling", check_resampling}, {"optimizers and combinations", check_optimizers},
    {"random numbers", check_random}, {"bfloat16 products", check_bfloat},
};

int kernel_check_topics(void) { return sizeof topics / sizeof *topics; }
const char *kernel_check_name(int topic) { return topics[topic].name; }

KernelCheckReport kernel_check(int topic, TKLevel level, TKType type, uint64_t seed, long rounds) {
  Checks *t = calloc(1, sizeof *t);
  if (!t) abort();
  t->k = tk_kernels(level, type);
  t->type = type;
  t->unit = type == TK_FLOAT32 ? 0x1p-24 : 0x1p-53;
  t->state = (seed * 64 + (uint64_t)topic) * 0x9E3779B97F4A7C15u | 1;
  for (long round = 0; round < rounds && !t->report.failure[0]; round++) {
    topics[topic].check(t);
    t->report.cases++;
  }
  const KernelCheckReport report = t->report;
  free(t);
  return report;
}

void fail(Checks *t, const char *format, ...) {
  if (t->report.failure[0]) return;
  const int used = snprintf(t->report.failure, sizeof t->report.failure, "%s: ", t->shape);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(t->report.failure + used, sizeof t->report.failure - (size_t)used, format, arguments);
  va_end(arguments);
}

void begin(Checks *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(t->shape, sizeof t->shape, format, arguments);
  va_end(arguments);
}

void *memory(Checks *t, size_t bytes, int filled) {
  if (t->count == (int)(sizeof t->blocks / sizeof *t->blocks)) abort();
  char *start = malloc(bytes + 2 * GUARD);
  if (!start) abort();
  memset(start, 0xa5, GUARD);
  memset(start + GUARD, filled ? 0xff : 0, bytes);
  memset(start + GUARD + bytes, 0xa5, GUARD);
  t->blocks[t->count++] = (struct block){start, bytes};
  return start + GUARD;
}

void finish(Checks *t) {
  for (int i = 0; i < t->count; i++) {
    const struct block b = t->blocks[i];
    for (int j = 0; j < GUARD; j++) {
      if ((unsigned char)b.start[j] != 0xa5) fail(t, "wrote before block %d of %zu bytes", i, b.bytes);
      if ((unsigned char)b.start[GUARD + b.bytes + (size_t)j] != 0xa5)
        fail(t, "wrote behind block %d of %zu bytes", i, b.bytes);
    }
    free(b.start);
  }
  t->count = 0;
}

static uint64_t next(Checks *t) {
  t->state ^= t->state << 13;
  t->state ^= t->state >> 7;
  t->state ^= t->state << 17;
  return t->state;
}

long any(Checks *t, long low, long high) { return low + (long)((next(t) >> 11) % (uint64_t)(high - low + 1)); }
int chance(Checks *t, int one_in) { return any(t, 1, one_in) == 1; }

long length(Checks *t, long most) {
  const long kind = any(t, 0, 2);
  if (kind == 0) return any(t, 1, most < 8 ? most : 8);
  if (kind == 2) return any(t, 1, most);
  const long step = chance(t, 2) ? 12 : 16, near = step * any(t, 0, most / step) + any(t, -1, 1);
  return near < 1 ? 1 : near > most ? most : near;
}

double rounded(const Checks *t, double x) { return t->type == TK_FLOAT32 ? (double)(float)x : x; }

double uniform(Checks *t, double low, double high) {
  return rounded(t, low + (high - low) * (double)(next(t) >> 11) * 0x1p-53);
}

double *zeros(Checks *t, long n) { return memory(t, (size_t)n * sizeof(double), 0); }

double *numbers(Checks *t, long n, double low, double high) {
  double *x = zeros(t, n);
  for (long i = 0; i < n; i++) x[i] = uniform(t, low, high);
  return x;
}

void *blank(Checks *t, long n) { return memory(t, (size_t)n * (t->type == TK_FLOAT32 ? 4 : 8), 1); }

void *typed(Checks *t, const double *x, long n) {
  void *y = blank(t, n);
  for (long i = 0; i < n; i++)
    if (t->type == TK_FLOAT32) ((float *)y)[i] = (float)x[i];
    else ((double *)y)[i] = x[i];
  return y;
}

static double value(const Checks *t, const void *x, long i) {
  return t->type == TK_FLOAT32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

double *values(Checks *t, const void *x, long n) {
  double *y = zeros(t, n);
  for (long i = 0; i < n; i++) y[i] = value(t, x, i);
  return y;
}

double half_value(uint16_t x) {
  const int exponent = x >> 10 & 31, fraction = x & 1023;
  const double size = exponent == 31  ? (fraction ? NAN : INFINITY)
                      : exponent == 0 ? ldexp(fraction, -24)
                                      : ldexp(1024 + fraction, exponent - 25);
  return x >> 15 ? -size : size;
}

double bfloat_value(uint16_t x) {
  const uint32_t bits = (uint32_t)x << 16;
  float y;
  memcpy(&y, &bits, 4);
  return y;
}

/// Blocks of 32: a scale in half precision, then signed bytes.
static Weights blocks(Checks *t, long n, Weights w) {
  uint8_t *bytes = memory(t, (size_t)(n + 31) / 32 * 34, 0);
  for (long i = 0; i < n; i++) {
    uint8_t *block = bytes + i / 32 * 34;
    if (i % 32 == 0) {
      const uint16_t scale = (uint16_t)any(t, 0x1c00, 0x2400);
      memcpy(block, &scale, 2);
    }
    const int8_t value = (int8_t)any(t, -127, 127);
    uint16_t scale;
    memcpy(&scale, block, 2);
    block[2 + i % 32] = (uint8_t)value;
    w.values[i] = rounded(t, half_value(scale) * value);
  }
  w.elements = bytes;
  return w;
}

Weights weights(Checks *t, long n, TKStored last) {
  Weights w = {(TKStored)any(t, 0, last), 0, zeros(t, n)};
  if (w.stored == TK_Q8_0) return blocks(t, n, w);
  if (w.stored == TK_AS_COMPUTED) {
    for (long i = 0; i < n; i++) w.values[i] = uniform(t, -1, 1);
    w.elements = typed(t, w.values, n);
    return w;
  }
  uint16_t *codes = memory(t, (size_t)n * 2, 0);
  for (long i = 0; i < n; i++) {
    // Numbers of 2^-6 to 2 of either sign, in either kind.
    const uint64_t draw = next(t) >> 16;
    const uint16_t sign = (uint16_t)(draw & 0x8000);
    codes[i] = w.stored == TK_FLOAT16 ? sign | (uint16_t)(0x2400 + (draw >> 16) % 0x1c00)
                                      : sign | (uint16_t)(0x3c80 + (draw >> 16) % 0x380);
    w.values[i] = w.stored == TK_FLOAT16 ? half_value(codes[i]) : bfloat_value(codes[i]);
  }
  w.elements = codes;
  return w;
}

void near(Checks *t, const char *what, const void *found, const double *expected, const double *bound, long n) {
  for (long i = 0; i < n; i++) {
    const double x = value(t, found, i), y = expected[i], most = bound ? bound[i] : 0;
    if (x == y || (isnan(x) && isnan(y)) || fabs(x - y) <= most) continue;
    fail(t, "%s: element %ld of %ld is %.9g, expected %.9g within %.2g", what, i, n, x, y, most);
    return;
  }
}

void same(Checks *t, const char *what, const void *found, const double *expected, long n) {
  near(t, what, found, expected, 0, n);
}
