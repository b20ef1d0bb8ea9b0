#include "checks.h"

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double gelu_argument(double x) { return sqrt(2 / M_PI) * (x + 0.044715 * x * x * x); }

static double function(TKUnary f, double x, double alpha, double beta) {
  switch (f) {
    case TK_EXP: return exp(x);
    case TK_LOG: return log(x);
    case TK_SQRT: return sqrt(x);
    case TK_POWER: return pow(x, alpha);
    case TK_TANH: return tanh(x);
    case TK_SIGMOID: return sigmoid(x);
    case TK_SILU: return x * sigmoid(x);
    case TK_RELU: return x < 0 ? 0 : x;
    case TK_LEAKY_RELU: return x < 0 ? alpha * x : x;
    case TK_SOFTPLUS: return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case TK_GELU: return 0.5 * x * (1 + erf(x / sqrt(2)));
    case TK_GELU_TANH: return 0.5 * x * (1 + tanh(gelu_argument(x)));
    case TK_GELU_QUICK: return x * sigmoid(1.702 * x);
    case TK_ERF: return erf(x);
    case TK_CLAMP: return x < alpha ? alpha : x > beta ? beta : x;
    case TK_ABS: return fabs(x);
  }
  return NAN;
}

static double slope(TKUnary f, double x, double alpha, double beta) {
  const double s = sigmoid(x), q = sigmoid(1.702 * x), h = tanh(gelu_argument(x));
  switch (f) {
    case TK_EXP: return exp(x);
    case TK_LOG: return 1 / x;
    case TK_SQRT: return 0.5 / sqrt(x);
    case TK_POWER: return alpha * pow(x, alpha - 1);
    case TK_TANH: return 1 - tanh(x) * tanh(x);
    case TK_SIGMOID: return s * (1 - s);
    case TK_SILU: return s * (1 + x * (1 - s));
    case TK_RELU: return x > 0;
    case TK_LEAKY_RELU: return x > 0 ? 1 : alpha;
    case TK_SOFTPLUS: return s;
    case TK_GELU: return 0.5 * (1 + erf(x / sqrt(2))) + x * exp(-x * x / 2) / sqrt(2 * M_PI);
    case TK_GELU_TANH: return 0.5 * (1 + h) + 0.5 * x * (1 - h * h) * sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);
    case TK_GELU_QUICK: return q * (1 + 1.702 * x * (1 - q));
    case TK_ERF: return 2 / sqrt(M_PI) * exp(-x * x);
    case TK_CLAMP: return x >= alpha && x <= beta;
    case TK_ABS: return x > 0 ? 1 : x < 0 ? -1 : 0;
  }
  return NAN;
}

/// Eight roundings of what is added up; an error of the argument of an exponential counts as many times as it is large.
/// The slopes of saturating functions are differences from 1.
static void bounds(const Checks *t, long n, const double *x, const double *g, double *value, double *gradient, const double *y,
                   const double *dx) {
  for (long i = 0; i < n; i++) {
    value[i] = 16 * t->unit * (fabs(y[i]) * (1 + fabs(x[i])) + fabs(x[i])) + 0x1p-126;
    gradient[i] = 32 * t->unit * (fabs(dx[i]) + fabs(g[i]) * (1 + x[i] * x[i])) + 0x1p-126;
  }
}

void check_unary(Checks *t) {
  const TKUnary f = (TKUnary)any(t, TK_EXP, TK_ABS);
  const long n = length(t, 300), is_positive = f == TK_LOG || f == TK_SQRT || f == TK_POWER;
  const double alpha = f == TK_CLAMP ? -1.5 : rounded(t, 0.3), beta = 2.5;
  begin(t, "function %d of %ld", (int)f, n);
  double *x = numbers(t, n, is_positive ? 0.01 : -12, 12), *g = numbers(t, n, -2, 2), *y = zeros(t, n), *dx = zeros(t, n);
  for (long i = 0; i < n; i++) y[i] = function(f, x[i], alpha, beta), dx[i] = g[i] * slope(f, x[i], alpha, beta);
  double *value = zeros(t, n), *gradient = zeros(t, n);
  bounds(t, n, x, g, value, gradient, y, dx);
  // The logarithm of a number about 1 has an argument of full accuracy, and no more.
  for (long i = 0; i < n && f == TK_LOG; i++) value[i] = 16 * t->unit * (fabs(y[i]) + t->unit);
  void *in = typed(t, x, n), *found = blank(t, n), *out = blank(t, n);
  t->k->unary(f, n, alpha, beta, in, found);
  near(t, "function", found, y, value, n);
  t->k->unary_gradient(f, n, alpha, beta, typed(t, g, n), in, found, out);
  near(t, "gradient", out, dx, gradient, n);
  // Gated: rows [h, gate].
  const long rows = any(t, 0, 4);
  double *pairs = numbers(t, 2 * rows * n, -5, 5), *seeds = numbers(t, rows * n, -2, 2);
  double *gated = zeros(t, rows * n), *gated_bound = zeros(t, rows * n), *back = zeros(t, 2 * rows * n);
  double *back_bound = zeros(t, 2 * rows * n);
  for (long i = 0; i < rows * n; i++) {
    const long at_h = i / n * 2 * n + i % n, at_gate = at_h + n;
    const double h = pairs[at_h], gate = pairs[at_gate], whole = function(TK_GELU, gate, 0, 0);
    gated[i] = h * whole;
    gated_bound[i] = 32 * t->unit * fabs(h) * (fabs(gate) + fabs(whole));
    back[at_h] = seeds[i] * whole;
    back[at_gate] = seeds[i] * h * slope(TK_GELU, gate, 0, 0);
    back_bound[at_h] = 32 * t->unit * fabs(seeds[i]) * (fabs(gate) + fabs(whole));
    back_bound[at_gate] = 64 * t->unit * fabs(seeds[i] * h) * (1 + gate * gate);
  }
  void *both = typed(t, pairs, 2 * rows * n), *one = blank(t, rows * n), *two = blank(t, 2 * rows * n);
  t->k->gated_gelu(rows, n, both, one);
  near(t, "gated GELU", one, gated, gated_bound, rows * n);
  t->k->gated_gelu_gradient(rows, n, typed(t, seeds, rows * n), both, two);
  near(t, "gated GELU's gradient", two, back, back_bound, 2 * rows * n);
  finish(t);
}

static double pair(TKBinary f, double a, double b) {
  switch (f) {
    case TK_ADD: return a + b;
    case TK_SUBTRACT: return a - b;
    case TK_MULTIPLY: return a * b;
    case TK_DIVIDE: return a / b;
    case TK_MAXIMUM: return isnan(a) || isnan(b) ? NAN : a > b ? a : b;
    case TK_MINIMUM: return isnan(a) || isnan(b) ? NAN : a < b ? a : b;
    case TK_POWER_OF: return pow(a, b);
    case TK_GREATER: return a > b;
    case TK_LESS: return a < b;
    case TK_EQUAL: return a == b;
  }
  return NAN;
}

void check_binary(Checks *t) {
  const TKBinary f = (TKBinary)any(t, TK_ADD, TK_EQUAL);
  const long n = length(t, 300), a_stride = any(t, 0, 1), b_stride = any(t, 0, 1), stride = any(t, 1, 5);
  begin(t, "pairs %d of %ld, strides %ld %ld, gathered by %ld", (int)f, n, a_stride, b_stride, stride);
  double *a = numbers(t, n, f == TK_POWER_OF ? 0.1 : -3, 3), *b = numbers(t, n, -3, 3), *y = zeros(t, n);
  for (long i = 0; i < n; i++) {
    if (chance(t, 6)) b[i] = a[i];
    if (chance(t, 20) && f != TK_POWER_OF) a[i] = NAN;
  }
  double *bound = zeros(t, n);
  for (long i = 0; i < n; i++) {
    // A sum or product in double, rounded to float, is the float's own: double has more than twice its digits.
    y[i] = rounded(t, pair(f, a[i * a_stride], b[i * b_stride]));
    bound[i] = f == TK_POWER_OF ? 8 * t->unit * fabs(y[i]) : 0;
  }
  void *left = typed(t, a, n), *right = typed(t, b, n), *found = blank(t, n);
  t->k->binary(f, n, left, a_stride, right, b_stride, found);
  near(t, "pairs", found, y, bound, n);
  double *c = zeros(t, n), *z = zeros(t, n), *shifted = numbers(t, n, -3, 3), *moved = zeros(t, n), *added = zeros(t, n);
  const double scale = uniform(t, -2, 2), shift = uniform(t, -2, 2);
  for (long i = 0; i < n; i++) {
    c[i] = chance(t, 2);
    z[i] = c[i] != 0 ? a[i] : b[i];
    moved[i] = scale * shifted[i] + shift;
    added[i] = b[i] + scale * shifted[i];
    bound[i] = 2 * t->unit * (fabs(scale * shifted[i]) + fabs(shift) + fabs(b[i]));
  }
  t->k->select(n, typed(t, c, n), left, right, found);
  same(t, "selected", found, z, n);
  t->k->affine(n, scale, shift, typed(t, shifted, n), found);
  near(t, "affine", found, moved, bound, n);
  t->k->axpy(n, scale, typed(t, shifted, n), right);
  near(t, "axpy", right, added, bound, n);
  const long count = (n + stride - 1) / stride;
  for (long i = 0; i < count; i++) z[i] = a[i * stride];
  t->k->gather(count, stride, left, found);
  same(t, "gathered", found, z, count);
  int finite = -1, expected = 1;
  for (long i = 0; i < n; i++) expected &= isfinite(a[i]) != 0;
  t->k->finite(n, left, &finite);
  if (finite != expected) fail(t, "finite is %d, expected %d", finite, expected);
  finish(t);
}

/// The nearest 16-bit float by its distance, the even one of two.
static uint16_t narrowed(double x, int bfloat) {
  double (*value)(uint16_t) = bfloat ? bfloat_value : half_value;
  const uint16_t infinite = bfloat ? 0x7f80 : 0x7c00;
  uint16_t low = 0, high = infinite;
  while (high - low > 1) {
    const uint16_t middle = (uint16_t)((low + high) / 2);
    if (value(middle) <= fabs(x)) low = middle;
    else high = middle;
  }
  // Infinity stands where the next number would.
  const double top = high == infinite ? 2 * value(low) - value((uint16_t)(low - 1)) : value(high);
  const double below = fabs(x) - value(low), above = top - fabs(x);
  const uint16_t nearest = above < below || (above == below && low % 2) ? high : low;
  return (uint16_t)(nearest | (signbit(x) ? 0x8000 : 0));
}

/// Every element within half of a step of the block's scale, which is the greatest magnitude over 127 in half precision.
static void check_narrow_blocks(Checks *t, long blocks) {
  double *x = numbers(t, 32 * blocks, -3, 3);
  uint8_t *found = memory(t, (size_t)(34 * blocks), 0);
  t->k->narrow_blocks(blocks, typed(t, x, 32 * blocks), found);
  for (long b = 0; b < blocks; b++) {
    double most = 0;
    for (long i = 0; i < 32; i++) most = fmax(most, fabs((double)(float)x[32 * b + i]));
    uint16_t scale;
    memcpy(&scale, found + 34 * b, 2);
    if (scale != narrowed((double)(float)((float)most / 127), 0)) fail(t, "scale %04x of a block of %g", scale, most);
    for (long i = 0; i < 32; i++) {
      const double step = most / 127, y = (int8_t)found[34 * b + 2 + i] * step;
      if (!(fabs(y - x[32 * b + i]) <= step * (0.5 + 0x1p-14))) fail(t, "%g in a block of %g became %g", x[32 * b + i], most, y);
    }
  }
}

void check_halves(Checks *t) {
  const long n = length(t, 300);
  const int bfloat = chance(t, 2);
  begin(t, "%ld 16-bit floats, bfloat %d", n, bfloat);
  uint16_t *codes = memory(t, (size_t)n * 2, 0), *found = memory(t, (size_t)n * 2, 1);
  double *wide = zeros(t, n), *x = zeros(t, n);
  for (long i = 0; i < n; i++) {
    codes[i] = (uint16_t)any(t, 0, 65535);
    wide[i] = bfloat ? bfloat_value(codes[i]) : half_value(codes[i]);
    // Near a 16-bit float, half way between two, and of any size.
    const double step = uniform(t, -1, 1) * 0x1p-8, half = bfloat ? 0x1p-8 : 0x1p-11;
    const double base = isfinite(wide[i]) ? wide[i] : uniform(t, -70000, 70000);
    x[i] = rounded(t, chance(t, 3) ? base * (1 + half) : chance(t, 2) ? base * (1 + step) : base);
    // About the largest numbers, the smallest, and half of the smallest.
    const double edges[] = {65504, 65519, 65520, 65536, 0x1p-14, 0x1p-24, 0x1p-25, 0x1.8p-24, 0x1p-126, 0x1.fep127, 0x1.fffffep127};
    if (chance(t, 8)) x[i] = rounded(t, edges[any(t, 0, 10)] * (chance(t, 3) ? 1 - 0x1p-20 : 1));
    if (!isfinite(x[i])) x[i] = 0;
  }
  void *widened = blank(t, n);
  t->k->widen(n, bfloat, codes, widened);
  same(t, "widened", widened, wide, n);
  t->k->narrow(n, bfloat, typed(t, x, n), found);
  for (long i = 0; i < n; i++)
    if (found[i] != narrowed(x[i], bfloat))
      fail(t, "narrowed %.17g is %04x, expected %04x", x[i], found[i], narrowed(x[i], bfloat));
  const Weights w = weights(t, n, TK_Q8_0);
  if (w.stored == TK_Q8_0) {
    const long first = any(t, 0, n - 1);
    t->k->widen_blocks(n - first, w.elements, first, widened);
    same(t, "widened blocks", widened, w.values + first, n - first);
  }
  check_narrow_blocks(t, any(t, 0, 5));
  finish(t);
}
