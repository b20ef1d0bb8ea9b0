#include "checks.h"

// Winograd's algorithm adds up terms that are larger than the result: by the transforms' own row sums (for F(4, 3) with points
// 0, 1/sqrt 2, sqrt 2 at most 5.5, 4 and 7.7 a dimension), 64 stands for what is left of them beside the sum over the taps.
static double factor(const Checks *t, long terms) { return 64 * t->unit * (double)(terms + 30); }

typedef struct {
  TKWindow w;
  long batch, n, tiles, out, positions;
} Case;

static Case drawn(Checks *t, long out) {
  Case c = {.batch = any(t, 1, 2), .n = length(t, 40), .out = out, .positions = (out + 2) * (out + 2)};
  c.w = (TKWindow){.height = any(t, 3, 13), .width = any(t, 3, 13), .channels = length(t, 40), .kernel_height = 3,
                   .kernel_width = 3, .stride_y = 1, .stride_x = 1, .top = any(t, 0, 2), .left = any(t, 0, 2), .dilation_y = 1,
                   .dilation_x = 1};
  c.w.out_height = c.w.height + c.w.top + any(t, 0, 2) - 2;
  c.w.out_width = c.w.width + c.w.left + any(t, 0, 2) - 2;
  c.tiles = c.batch * ((c.w.out_height + out - 1) / out) * ((c.w.out_width + out - 1) / out);
  begin(t, "F(%ld, 3) %ldx%ldx%ldx%ld:%ld to %ldx%ld, padding %ld %ld", out, c.batch, c.w.height, c.w.width, c.w.channels, c.n,
        c.w.out_height, c.w.out_width, c.w.top, c.w.left);
  return c;
}

/// Calls `term(output element, input element, weight element)` for each product of a direct convolution.
#define EACH_TERM(c, body)                                                                                                      \
  for (long s = 0; s < (c).batch; s++)                                                                                          \
    for (long oy = 0; oy < (c).w.out_height; oy++)                                                                              \
      for (long ox = 0; ox < (c).w.out_width; ox++)                                                                             \
        for (long tap = 0; tap < 9; tap++) {                                                                                    \
          const long iy = oy - (c).w.top + tap / 3, ix = ox - (c).w.left + tap % 3;                                             \
          if (iy < 0 || ix < 0 || iy >= (c).w.height || ix >= (c).w.width) continue;                                            \
          const long in = ((s * (c).w.height + iy) * (c).w.width + ix) * (c).w.channels;                                        \
          const long at_y = ((s * (c).w.out_height + oy) * (c).w.out_width + ox) * (c).n;                                       \
          for (long i = 0; i < (c).w.channels; i++)                                                                             \
            for (long j = 0; j < (c).n; j++) {                                                                                  \
              const long ex = in + i, ey = at_y + j, ew = (tap * (c).w.channels + i) * (c).n + j;                               \
              body;                                                                                                             \
            }                                                                                                                   \
        }

static double largest(const double *x, long n) {
  double most = 0;
  for (long i = 0; i < n; i++) most = fmax(most, fabs(x[i]));
  return most;
}

static void check_forward(Checks *t, Case c) {
  const int is4 = c.out == 4, biased = chance(t, 2);
  const long channels = c.w.channels, size = c.batch * c.w.height * c.w.width * channels, before = any(t, 0, 3);
  const long all = before + c.n + any(t, 0, 3), pixels = c.batch * c.w.out_height * c.w.out_width;
  double *x = numbers(t, size, -1, 1), *bias = numbers(t, all, -1, 1), *y = zeros(t, pixels * c.n);
  const Weights w = weights(t, 9 * channels * c.n, TK_BFLOAT16);
  double *whole = numbers(t, pixels * all, -1, 1), *bound = zeros(t, pixels * all);
  EACH_TERM(c, y[ey] += x[ex] * w.values[ew])
  void *found = typed(t, whole, pixels * all);
  for (long p = 0; p < pixels; p++)
    for (long j = 0; j < c.n; j++) {
      double sum = 0;
      for (long i = 0; i < 9 * channels; i++) sum += fabs(w.values[i * c.n + j]);
      whole[p * all + before + j] = y[p * c.n + j] + (biased ? bias[before + j] : 0);
      bound[p * all + before + j] = factor(t, channels) * (sum * largest(x, size) + 1);
    }
  long width = 0;
  t->k->gemm_width(&width);
  const long panels = (c.n + width - 1) / width, u_step = panels * channels * width, v_step = c.tiles * channels;
  const long m_step = c.tiles * c.n, cut = any(t, 0, c.tiles), row = any(t, 0, channels);
  void *v = blank(t, c.positions * v_step), *u = blank(t, c.positions * u_step), *m = blank(t, c.positions * m_step);
  void *in = typed(t, x, size);
  __typeof__(t->k->winograd4_input) input = is4 ? t->k->winograd4_input : t->k->winograd2_input;
  __typeof__(t->k->winograd4_weights) transform = is4 ? t->k->winograd4_weights : t->k->winograd2_weights;
  __typeof__(t->k->winograd4_output) output = is4 ? t->k->winograd4_output : t->k->winograd2_output;
  input(&c.w, 0, cut, in, v, v_step);
  input(&c.w, cut, c.tiles - cut, in, at(t, v, cut * channels), v_step);
  // Rows of weights in two parts, as threads share them.
  transform(channels, c.n, 0, c.n, 0, row, w.stored, w.elements, u, u_step, channels * width);
  transform(channels, c.n, 0, c.n, row, channels - row, w.stored, w.elements, at(t, u, row * width), u_step, channels * width);
  for (long p = 0; p < c.positions; p++)
    t->k->gemm(c.tiles, c.n, channels, at(t, v, p * v_step), channels, 1, at(t, u, p * u_step), width, channels * width, 0,
               at(t, m, p * m_step), c.n, 0);
  void *start = biased ? typed(t, bias, all) : 0;
  output(&c.w, 0, cut, m, c.n, m_step, before, c.n, all, start, found);
  output(&c.w, cut, c.tiles - cut, at(t, m, cut * c.n), c.n, m_step, before, c.n, all, start, found);
  near(t, "convolution", found, whole, bound, pixels * all);
}

static void check_weight_gradient(Checks *t, Case c) {
  const long channels = c.w.channels, size = c.batch * c.w.height * c.w.width * channels;
  const long results = c.batch * c.w.out_height * c.w.out_width * c.n, count = 9 * channels * c.n;
  double *x = numbers(t, size, -1, 1), *dy = numbers(t, results, -1, 1), *dw = zeros(t, count), *bound = zeros(t, count);
  EACH_TERM(c, dw[ew] += x[ex] * dy[ey])
  for (long i = 0; i < count; i++) bound[i] = factor(t, c.tiles) * (double)(c.tiles * 16);
  long width = 0;
  t->k->gemm_width(&width);
  const long panels = (c.n + width - 1) / width, d_step = panels * c.tiles * width, v_step = c.tiles * channels;
  const long u_step = channels * c.n, row = any(t, 0, channels);
  void *v = blank(t, 36 * v_step), *d = blank(t, 36 * d_step), *du = blank(t, 36 * u_step), *found = blank(t, count);
  t->k->winograd4_input(&c.w, 0, c.tiles, typed(t, x, size), v, v_step);
  t->k->winograd4_gradient(&c.w, 0, c.tiles, c.n, typed(t, dy, results), d, d_step, c.tiles * width);
  for (long p = 0; p < 36; p++)
    t->k->gemm(channels, c.n, c.tiles, at(t, v, p * v_step), 1, channels, at(t, d, p * d_step), width, c.tiles * width, 0,
               at(t, du, p * u_step), c.n, 0);
  t->k->winograd4_weights_gradient(channels, c.n, 0, row, du, u_step, found);
  t->k->winograd4_weights_gradient(channels, c.n, row, channels - row, du, u_step, found);
  near(t, "weights' gradient", found, dw, bound, count);
}

void check_winograd4(Checks *t) {
  const Case c = drawn(t, 4);
  check_forward(t, c);
  finish(t);
  check_weight_gradient(t, c);
  finish(t);
}

void check_winograd2(Checks *t) {
  check_forward(t, drawn(t, 2));
  finish(t);
}
