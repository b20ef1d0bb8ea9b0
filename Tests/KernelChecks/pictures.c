#include "checks.h"

/// Any window over any picture, whose last rows and columns need not be used.
static TKWindow window(Checks *t, long most, int dilates) {
  TKWindow w;
  do {
    w = (TKWindow){.height = any(t, 1, 12), .width = any(t, 1, 12), .channels = length(t, most), .kernel_height = any(t, 1, 4),
                   .kernel_width = any(t, 1, 4), .stride_y = any(t, 1, 3), .stride_x = any(t, 1, 3), .top = any(t, 0, 3),
                   .left = any(t, 0, 3), .dilation_y = dilates ? any(t, 1, 3) : 1, .dilation_x = dilates ? any(t, 1, 3) : 1};
    w.top %= w.kernel_height;
    w.left %= w.kernel_width;
    const long down = w.height + w.top + any(t, 0, w.kernel_height - 1) - w.dilation_y * (w.kernel_height - 1) - 1;
    const long across = w.width + w.left + any(t, 0, w.kernel_width - 1) - w.dilation_x * (w.kernel_width - 1) - 1;
    w.out_height = down < 0 ? 0 : down / w.stride_y + 1;
    w.out_width = across < 0 ? 0 : across / w.stride_x + 1;
  } while (w.out_height == 0 || w.out_width == 0);
  return w;
}

static void describe(Checks *t, const char *name, const TKWindow *w, long batch) {
  begin(t, "%s %ldx%ldx%ldx%ld to %ldx%ld, kernel %ldx%ld, stride %ld %ld, padding %ld %ld, dilation %ld %ld", name, batch,
        w->height, w->width, w->channels, w->out_height, w->out_width, w->kernel_height, w->kernel_width, w->stride_y, w->stride_x,
        w->top, w->left, w->dilation_y, w->dilation_x);
}

/// The element of the picture that a tap of an output pixel sees, or -1.
static long seen(const TKWindow *w, long pixel, long tap) {
  const long y = pixel / w->out_width * w->stride_y - w->top + tap / w->kernel_width * w->dilation_y;
  const long x = pixel % w->out_width * w->stride_x - w->left + tap % w->kernel_width * w->dilation_x;
  return y < 0 || x < 0 || y >= w->height || x >= w->width ? -1 : (y * w->width + x) * w->channels;
}

void check_windows(Checks *t) {
  const long batch = any(t, 1, 3);
  const TKWindow w = window(t, 40, 1);
  describe(t, "windows of", &w, batch);
  const long pixels = w.out_height * w.out_width, all = w.kernel_height * w.kernel_width, size = w.height * w.width * w.channels;
  const long first = any(t, 0, batch * pixels - 1), count = any(t, 1, batch * pixels - first);
  const long tap = any(t, 0, all - 1), taps = any(t, 1, all - tap), channel = any(t, 0, w.channels - 1);
  const long channels = any(t, 1, w.channels - channel);
  double *x = numbers(t, batch * size, -1, 1), *rows = zeros(t, count * taps * channels);
  for (long i = 0; i < count; i++)
    for (long s = 0; s < taps; s++) {
      const long from = seen(&w, (first + i) % pixels, tap + s), sample = (first + i) / pixels;
      for (long c = 0; c < channels && from >= 0; c++)
        rows[(i * taps + s) * channels + c] = x[sample * size + from + channel + c];
    }
  void *out = blank(t, count * taps * channels);
  t->k->unfold(&w, first, count, channel, channels, tap, taps, typed(t, x, batch * size), out);
  same(t, "unfolded", out, rows, count * taps * channels);
  // The adjoint, of one sample's columns and some of its pixels.
  double *columns = numbers(t, pixels * all * channels, -1, 1), *folded = zeros(t, size), *bound = zeros(t, size);
  for (long pixel = 0; pixel < pixels; pixel++)
    for (long s = 0; s < all; s++) {
      const long to = seen(&w, pixel, s);
      for (long c = 0; c < channels && to >= 0; c++) {
        folded[to + channel + c] += columns[(pixel * all + s) * channels + c];
        bound[to + channel + c] += 16 * t->unit * fabs(columns[(pixel * all + s) * channels + c]);
      }
    }
  const long start = any(t, 0, w.height * w.width - 1), some = any(t, 1, w.height * w.width - start);
  double *before = numbers(t, size, -1, 1);
  void *picture = typed(t, before, size);
  for (long i = 0; i < size; i++) {
    const int written = i / w.channels >= start && i / w.channels < start + some && i % w.channels >= channel &&
                        i % w.channels < channel + channels;
    if (!written) folded[i] = before[i], bound[i] = 0;
  }
  t->k->fold(&w, start, some, channel, channels, typed(t, columns, pixels * all * channels), picture);
  near(t, "folded", picture, folded, bound, size);
  const long c = length(t, 40), n = length(t, 40);
  double *weight = numbers(t, all * c * n, -1, 1), *flipped = zeros(t, all * c * n);
  for (long s = 0; s < all; s++)
    for (long i = 0; i < c; i++)
      for (long j = 0; j < n; j++) flipped[((all - 1 - s) * n + j) * c + i] = weight[(s * c + i) * n + j];
  void *turned = blank(t, all * c * n);
  t->k->flip_weights(all, c, n, typed(t, weight, all * c * n), turned);
  same(t, "flipped weights", turned, flipped, all * c * n);
  finish(t);
}

void check_pooling(Checks *t) {
  const long batch = any(t, 1, 3), bottom = any(t, 0, 2), right = any(t, 0, 2);
  const int padded = chance(t, 2);
  const TKWindow w = window(t, 40, 1);
  describe(t, padded ? "padded pooling of" : "pooling of", &w, batch);
  const long pixels = w.out_height * w.out_width, all = w.kernel_height * w.kernel_width, c = w.channels;
  const long size = w.height * w.width * c, results = batch * pixels * c;
  double *x = numbers(t, batch * size, -1, 1), *dy = numbers(t, results, -1, 1), *mean = zeros(t, results), *most = zeros(t, results);
  double *winner = zeros(t, results), *bound = zeros(t, results), *of_mean = zeros(t, batch * size), *of_most = zeros(t, batch * size);
  double *back_bound = zeros(t, batch * size);
  // Equal values too: the first of them wins.
  for (long i = 0; i < batch * size && padded; i++) x[i] = rint(2 * x[i]) / 2;
  for (long e = 0; e < results; e++) {
    const long pixel = e / c % pixels, sample = e / c / pixels, k = e % c;
    const long y0 = pixel / w.out_width * w.stride_y - w.top, x0 = pixel % w.out_width * w.stride_x - w.left;
    double sum = 0, counted = 0, size_of = 0;
    most[e] = -INFINITY;
    winner[e] = -1;
    for (long s = 0; s < all; s++) {
      const long from = seen(&w, pixel, s), yy = y0 + s / w.kernel_width * w.dilation_y, xx = x0 + s % w.kernel_width * w.dilation_x;
      counted += padded ? yy < w.height + bottom && xx < w.width + right : from >= 0;
      if (from < 0) continue;
      const double v = x[sample * size + from + k];
      sum += v;
      size_of += fabs(v);
      if (v > most[e] || winner[e] < 0) most[e] = v, winner[e] = (double)s;
    }
    mean[e] = sum / counted;
    bound[e] = 20 * t->unit * size_of / counted;
    for (long s = 0; s < all; s++) {
      const long to = seen(&w, pixel, s);
      if (to < 0) continue;
      of_mean[sample * size + to + k] += dy[e] / counted;
      of_most[sample * size + to + k] += winner[e] == (double)s ? dy[e] : 0;
      back_bound[sample * size + to + k] += 20 * t->unit * fabs(dy[e]);
    }
  }
  void *in = typed(t, x, batch * size), *seed = typed(t, dy, results), *out = blank(t, results), *which = blank(t, results);
  void *back = blank(t, batch * size);
  const long cut = any(t, 0, batch * pixels), back_cut = any(t, 0, batch * w.height * w.width);
  t->k->average_pool(&w, bottom, right, padded, 0, cut, in, out);
  t->k->average_pool(&w, bottom, right, padded, cut, batch * pixels - cut, in, out);
  near(t, "means", out, mean, bound, results);
  t->k->average_pool_gradient(&w, bottom, right, padded, 0, back_cut, seed, back);
  t->k->average_pool_gradient(&w, bottom, right, padded, back_cut, batch * w.height * w.width - back_cut, seed, back);
  near(t, "means' gradient", back, of_mean, back_bound, batch * size);
  t->k->max_pool(&w, 0, batch * pixels, in, out, which);
  same(t, "maxima", out, most, results);
  same(t, "winners", which, winner, results);
  t->k->max_pool_gradient(&w, 0, batch * w.height * w.width, seed, which, back);
  near(t, "maxima's gradient", back, of_most, back_bound, batch * size);
  finish(t);
}

static double pixel_of(const double *x, long height, long width, long channels, long i, long j, long k) {
  return i < 0 || j < 0 || i >= height || j >= width ? 0 : x[(i * width + j) * channels + k];
}

static void check_binomial(Checks *t, long channels) {
  const long height = 2 * any(t, 1, 5), width = 2 * any(t, 1, 5), size = height * width * channels;
  const long row = any(t, 0, height / 2 - 1), up = any(t, 0, 2 * height - 1);
  const double scale = uniform(t, 0.01, 1), by[4] = {1, 3, 3, 1};
  double *x = numbers(t, size, -1, 1), *half = zeros(t, width / 2 * channels), *twice = zeros(t, 2 * width * channels);
  double *bound = zeros(t, 2 * width * channels), *none = zeros(t, channels);
  for (long e = 0; e < 2 * width * channels; e++) {
    const long j = e / channels, k = e % channels, far_i = up % 2 ? up / 2 + 1 : up / 2 - 1, far_j = j % 2 ? j / 2 + 1 : j / 2 - 1;
    for (int a = 0; a < 2; a++)
      for (int b = 0; b < 2; b++)
        twice[e] += scale * (a ? 1 : 3) * (b ? 1 : 3) *
                    pixel_of(x, height, width, channels, a ? far_i : up / 2, b ? far_j : j / 2, k);
    bound[e] = 64 * 8 * t->unit * scale;
    if (j >= width / 2) continue;
    for (int a = 0; a < 4; a++)
      for (int b = 0; b < 4; b++)
        half[e] += scale * by[a] * by[b] * pixel_of(x, height, width, channels, 2 * row - 1 + a, 2 * j - 1 + b, k);
  }
  void *in = typed(t, x, size), *zero = typed(t, none, channels), *small = blank(t, width / 2 * channels);
  void *large = blank(t, 2 * width * channels);
  t->k->binomial_halve(height, width, channels, row, scale, in, zero, small);
  near(t, "binomial halves", small, half, bound, width / 2 * channels);
  t->k->binomial_double(height, width, channels, up, scale, in, zero, large);
  near(t, "binomial doubles", large, twice, bound, 2 * width * channels);
}

void check_resampling(Checks *t) {
  const long n = length(t, 40), columns = length(t, 30), c = length(t, 40);
  begin(t, "resampling %ld to %ld columns of %ld", columns, n, c);
  long *left = memory(t, (size_t)n * sizeof(long), 0), *right = memory(t, (size_t)n * sizeof(long), 0);
  double *across = numbers(t, n, 0, 1), down = uniform(t, 0, 1), share = uniform(t, 0, 1);
  double *above = numbers(t, columns * c, -1, 1), *below = numbers(t, columns * c, -1, 1), *dy = numbers(t, n * c, -1, 1);
  double *picked = zeros(t, n * c), *blend = zeros(t, n * c), *sums = numbers(t, columns * c, -1, 1), *bound = zeros(t, n * c);
  double *spread = zeros(t, columns * c), *sum_bound = zeros(t, columns * c), *start = zeros(t, columns * c);
  memcpy(start, sums, (size_t)(columns * c) * sizeof(double));
  memcpy(spread, sums, (size_t)(columns * c) * sizeof(double));
  for (long i = 0; i < columns * c; i++) sum_bound[i] = (double)(2 * n + 8) * t->unit * fabs(sums[i]);
  for (long i = 0; i < n; i++) {
    left[i] = any(t, 0, columns - 1);
    right[i] = any(t, 0, columns - 1);
    for (long k = 0; k < c; k++) {
      const long a = left[i] * c + k, b = right[i] * c + k, e = i * c + k;
      picked[e] = above[a];
      blend[e] = (1 - down) * ((1 - across[i]) * above[a] + across[i] * above[b]) +
                 down * ((1 - across[i]) * below[a] + across[i] * below[b]);
      bound[e] = 8 * t->unit;
      sums[a] += dy[e];
      spread[a] += share * (1 - across[i]) * dy[e];
      spread[b] += share * across[i] * dy[e];
      sum_bound[a] += (double)(2 * n + 8) * t->unit * fabs(dy[e]);
      sum_bound[b] += (double)(2 * n + 8) * t->unit * fabs(dy[e]);
    }
  }
  void *up = typed(t, above, columns * c), *low = typed(t, below, columns * c), *seed = typed(t, dy, n * c), *out = blank(t, n * c);
  void *first = typed(t, start, columns * c), *second = typed(t, start, columns * c);
  t->k->gather_columns(n, c, left, up, out);
  same(t, "gathered columns", out, picked, n * c);
  t->k->blend_columns(n, c, left, right, across, down, up, low, out);
  near(t, "blended columns", out, blend, bound, n * c);
  t->k->scatter_columns(n, c, left, seed, first);
  near(t, "scattered columns", first, sums, sum_bound, columns * c);
  t->k->spread_columns(n, c, left, right, across, share, seed, second);
  near(t, "spread columns", second, spread, sum_bound, columns * c);
  check_binomial(t, c);
  finish(t);
}
