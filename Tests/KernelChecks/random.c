#include "checks.h"

/// Word `index` of the stream: Philox 4x32-10 (Salmon et al. 2011) by its definition.
static uint32_t word(uint64_t seed, uint64_t stream, uint64_t index) {
  const uint64_t block = index / 4;
  uint32_t x[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)};
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  for (int round = 0; round < 10; round++) {
    const uint64_t a = (uint64_t)x[0] * 0xD2511F53u, b = (uint64_t)x[2] * 0xCD9E8D57u;
    const uint32_t y[4] = {(uint32_t)(b >> 32) ^ x[1] ^ key[0], (uint32_t)b, (uint32_t)(a >> 32) ^ x[3] ^ key[1], (uint32_t)a};
    memcpy(x, y, sizeof x);
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return x[index % 4];
}

static double long_word(uint64_t seed, uint64_t stream, uint64_t index) {
  return (double)(((uint64_t)word(seed, stream, index) << 32 | word(seed, stream, index + 1)) >> 11) * 0x1p-53;
}

/// Radius and angle of the pair that element `e` belongs to (Box and Muller 1958), and the uniform number it is itself.
static void element(const Checks *t, uint64_t seed, uint64_t stream, uint64_t e, double *radius, double *angle, double *share) {
  const uint64_t pair = e & ~(uint64_t)1;
  if (t->type == TK_FLOAT32) {
    const float u = (float)word(seed, stream, pair) * 0x1p-32f + 0x1p-33f;
    *radius = sqrt(-2 * log((double)u));
    *angle = (double)((float)(word(seed, stream, pair + 1) >> 8) * (6.283185307179586f * 0x1p-24f));
    *share = (double)(word(seed, stream, e) >> 8) * 0x1p-24;
  } else {
    *radius = sqrt(-2 * log(1 - long_word(seed, stream, 2 * pair)));
    *angle = 6.283185307179586 * long_word(seed, stream, 2 * pair + 2);
    *share = long_word(seed, stream, 2 * e);
  }
}

static void expect_same_bytes(Checks *t, const char *what, const void *a, const void *b, long n) {
  if (memcmp(a, b, (size_t)n * (t->type == TK_FLOAT32 ? 4 : 8))) fail(t, "%s: other bytes than the baseline's", what);
}

void check_random(Checks *t) {
  const long n = length(t, 300), blocks = any(t, 0, 6);
  const uint64_t seed = (uint64_t)any(t, 0, 1L << 52), stream = (uint64_t)any(t, 0, 1L << 40);
  const uint64_t start = (uint64_t)any(t, 0, 2000) + (chance(t, 3) ? (uint64_t)1 << 36 : 0);
  const uint64_t words = t->type == TK_FLOAT32 ? start : 2 * start;
  const double mean = uniform(t, -2, 2), deviation = uniform(t, 0.1, 2), low = uniform(t, -3, 0), high = uniform(t, 0.5, 3);
  begin(t, "%ld random numbers from %llu, seed %llu, stream %llu", n, (unsigned long long)start, (unsigned long long)seed,
        (unsigned long long)stream);
  double *normal = zeros(t, n), *normal_bound = zeros(t, n), *even = zeros(t, n), *even_bound = zeros(t, n);
  for (long i = 0; i < n; i++) {
    double radius, angle, share;
    element(t, seed, stream, start + (uint64_t)i, &radius, &angle, &share);
    normal[i] = mean + deviation * radius * ((start + (uint64_t)i) % 2 ? sin(angle) : cos(angle));
    normal_bound[i] = 16 * t->unit * (fabs(mean) + deviation * radius);
    even[i] = low + (high - low) * share;
    even_bound[i] = 4 * t->unit * (fabs(low) + high);
  }
  const struct kernel_table *plain = tk_kernels(TK_BASELINE, t->type);
  void *found = blank(t, n), *again = blank(t, n);
  t->k->philox_normal(seed, stream, words, n, mean, deviation, found);
  near(t, "normals", found, normal, normal_bound, n);
  plain->philox_normal(seed, stream, words, n, mean, deviation, again);
  expect_same_bytes(t, "normals", found, again, n);
  t->k->philox_uniform(seed, stream, words, n, low, high, found);
  near(t, "uniforms", found, even, even_bound, n);
  const double *drawn = values(t, found, n);
  for (long i = 0; i < n; i++)
    if (drawn[i] < low || drawn[i] >= high) fail(t, "uniform %.17g is outside of [%.17g, %.17g)", drawn[i], low, high);
  plain->philox_uniform(seed, stream, words, n, low, high, again);
  expect_same_bytes(t, "uniforms", found, again, n);
  double *x = numbers(t, 16 * blocks, 0, 1), *y = zeros(t, 16 * blocks), *bound = zeros(t, 16 * blocks);
  for (long i = 0; i < 16 * blocks; i++) {
    const long first = i / 16 * 16 + i % 8;
    if (x[i] == 1) x[i] = 0;
    const double radius = sqrt(-2 * log(rounded(t, 1 - x[first]))), angle = rounded(t, rounded(t, 2 * M_PI) * x[first + 8]);
    y[i] = mean + deviation * radius * (i % 16 < 8 ? cos(angle) : sin(angle));
    bound[i] = 16 * t->unit * (fabs(mean) + deviation * radius);
  }
  void *torch = typed(t, x, 16 * blocks), *baseline = typed(t, x, 16 * blocks);
  t->k->torch_normal(blocks, mean, deviation, torch);
  near(t, "PyTorch's normals", torch, y, bound, 16 * blocks);
  plain->torch_normal(blocks, mean, deviation, baseline);
  expect_same_bytes(t, "PyTorch's normals", torch, baseline, 16 * blocks);
  finish(t);
}
