#include "checks.h"

void check_reductions(Checks *t) {
  const long rows = length(t, chance(t, 10) ? 9000 : 200), inner = chance(t, 3) ? 1 : length(t, 60);
  begin(t, "reduction of %ld rows of %ld", rows, inner);
  double *x = numbers(t, rows * inner, -2, 2), *sum = zeros(t, inner), *most = zeros(t, inner), *bound = zeros(t, inner);
  double square = 0;
  if (chance(t, 8)) x[any(t, 0, rows * inner - 1)] = NAN;
  for (long j = 0; j < inner; j++) {
    most[j] = x[j];
    for (long i = 0; i < rows; i++) {
      const double v = x[i * inner + j];
      sum[j] += v;
      bound[j] += (double)rows * t->unit * fabs(v);
      most[j] = isnan(v) || isnan(most[j]) ? NAN : v > most[j] ? v : most[j];
      square += v * v;
    }
  }
  void *in = typed(t, x, rows * inner), *out = blank(t, inner);
  t->k->sum_rows(rows, inner, in, out);
  near(t, "sums", out, sum, bound, inner);
  t->k->max_rows(rows, inner, in, out);
  same(t, "maxima", out, most, inner);
  double squares = NAN, dots = 0;
  t->k->sum_of_squares(rows * inner, in, &squares);
  if (!(fabs(squares - square) <= 1e-11 * square) && !isnan(square)) fail(t, "squares %.17g, expected %.17g", squares, square);
  // Rows of the same, times themselves.
  const long width = any(t, 1, inner);
  void *products = blank(t, rows);
  t->k->row_dots(rows, width, inner, in, in, products);
  double *expected = zeros(t, rows), *most_wrong = zeros(t, rows);
  for (long i = 0; i < rows; i++) {
    dots = 0;
    for (long j = 0; j < width; j++) dots += x[i * inner + j] * x[i * inner + j];
    expected[i] = dots;
    most_wrong[i] = (double)(width + 1) * t->unit * dots;
  }
  near(t, "row products", products, expected, most_wrong, rows);
  finish(t);
}

void check_softmax(Checks *t) {
  const long rows = any(t, 0, 6), n = length(t, 400);
  const int logarithm = chance(t, 2);
  const double smoothing = chance(t, 2) ? 0 : 0.1, range = chance(t, 4) ? 60 : 4;
  begin(t, "softmax of %ld rows of %ld, logarithm %d, smoothing %g", rows, n, logarithm, smoothing);
  double *x = numbers(t, rows * n, -range, range), *g = numbers(t, rows * n, -1, 1), *y = zeros(t, rows * n);
  double *bound = zeros(t, rows * n), *back = zeros(t, rows * n), *back_bound = zeros(t, rows * n);
  for (long r = 0; r < rows; r++) {
    double top = x[r * n], sum = 0;
    for (long i = 0; i < n; i++) top = fmax(top, x[r * n + i]);
    for (long i = 0; i < n; i++) sum += exp(x[r * n + i] - top);
    for (long i = 0; i < n; i++) {
      const double below = x[r * n + i] - top, p = exp(below) / sum, roundings = (double)(n + 16) - below;
      y[r * n + i] = logarithm ? below - log(sum) : p;
      bound[r * n + i] = t->unit * roundings * (logarithm ? 2 : p) + 0x1p-126;
    }
  }
  void *in = typed(t, x, rows * n), *found = blank(t, rows * n), *out = blank(t, rows * n);
  t->k->softmax_rows(rows, n, logarithm, in, found);
  near(t, "softmax", found, y, bound, rows * n);
  // The gradient's operand is what was found.
  double *z = values(t, found, rows * n);
  for (long r = 0; r < rows; r++) {
    double sum = 0, size = 0;
    for (long i = r * n; i < (r + 1) * n; i++) sum += g[i] * (logarithm ? 1 : z[i]), size += fabs(g[i] * (logarithm ? 1 : z[i]));
    for (long i = r * n; i < (r + 1) * n; i++) {
      const double p = logarithm ? exp(z[i]) : z[i];
      back[i] = logarithm ? g[i] - p * sum : p * (g[i] - sum);
      back_bound[i] = t->unit * (double)(n + 16) * (logarithm ? fabs(g[i]) + p * size * (1 + fabs(z[i])) : p * (fabs(g[i]) + size))
                      + 0x1p-126;
    }
  }
  t->k->softmax_gradient(rows, n, logarithm, typed(t, g, rows * n), found, out);
  near(t, "softmax's gradient", out, back, back_bound, rows * n);
  long *targets = memory(t, (size_t)rows * sizeof(long), 0);
  double *losses = zeros(t, rows), *loss_bound = zeros(t, rows);
  for (long r = 0; r < rows && logarithm; r++) {
    targets[r] = chance(t, 5) ? -1 : any(t, 0, n - 1);
    double mean = 0, size = 0;
    for (long i = 0; i < n; i++) mean += z[r * n + i] / (double)n, size += fabs(z[r * n + i]) / (double)n;
    const double own = targets[r] < 0 ? 0 : z[r * n + targets[r]];
    losses[r] = targets[r] < 0 ? 0 : -(1 - smoothing) * own - smoothing * mean;
    loss_bound[r] = t->unit * (double)(n + 8) * (fabs(own) + size);
    for (long i = 0; i < n; i++) {
      const double p = exp(z[r * n + i]), hit = i == targets[r] ? 1 - smoothing : 0;
      back[r * n + i] = targets[r] < 0 ? 0 : g[r] * (p - smoothing / (double)n - hit);
      back_bound[r * n + i] = 16 * t->unit * fabs(g[r]) * (p * (1 + fabs(z[r * n + i])) + 1) + 0x1p-126;
    }
  }
  if (logarithm) {
    void *loss = blank(t, rows);
    t->k->cross_entropy_rows(rows, n, smoothing, found, targets, loss);
    near(t, "cross entropy", loss, losses, loss_bound, rows);
    t->k->cross_entropy_gradient(rows, n, smoothing, found, targets, typed(t, g, rows), out);
    near(t, "cross entropy's gradient", out, back, back_bound, rows * n);
  }
  finish(t);
}

static double silu_slope(double y) {
  const double s = 1 / (1 + exp(-y));
  return s * (1 + y * (1 - s));
}

void check_group_norm(Checks *t) {
  const long groups = any(t, 1, 8), width = length(t, 20), channels = groups * width, rows = length(t, 40);
  const long chunk = any(t, 1, rows), chunks = (rows + chunk - 1) / chunk, n = rows * channels;
  const int silu = chance(t, 2);
  const double epsilon = 1e-5, offset = uniform(t, -3, 3);
  begin(t, "group norm of %ld rows of %ld in %ld groups, chunks of %ld, SiLU %d", rows, channels, groups, chunk, silu);
  double *x = numbers(t, n, offset - 1.5, offset + 1.5), *g = numbers(t, n, -1, 1);
  double *w = numbers(t, channels, -2, 2), *b = numbers(t, channels, -1, 1), *y = zeros(t, n), *bound = zeros(t, n);
  double *dx = zeros(t, n), *dx_bound = zeros(t, n), *dw = zeros(t, channels), *db = zeros(t, channels), *d_bound = zeros(t, channels);
  // What sums of a group's length lose at most.
  const double loss = t->unit * ((double)(rows * width) + 64);
  for (long group = 0; group < groups; group++) {
    double mean = 0, square = 0, level = 0, along = 0, size = 0, along_size = 0;
    const double count = (double)(rows * width);
    for (long i = 0; i < rows; i++)
      for (long c = group * width; c < (group + 1) * width; c++) mean += x[i * channels + c] / count;
    for (long i = 0; i < rows; i++)
      for (long c = group * width; c < (group + 1) * width; c++) square += pow(x[i * channels + c] - mean, 2) / count;
    const double inverse = 1 / sqrt(square + epsilon), scale = fabs(mean) + 2;
    for (int pass = 0; pass < 2; pass++)
      for (long i = 0; i < rows; i++)
        for (long c = group * width; c < (group + 1) * width; c++) {
          const long e = i * channels + c;
          const double u = (x[e] - mean) * inverse, plain = u * w[c] + b[c];
          const double z = g[e] * (silu ? silu_slope(plain) : 1), off = loss * (scale * inverse * fabs(w[c]) * (1 + u * u) + fabs(b[c]));
          if (pass) {
            dx[e] = (w[c] * z - level - u * along) * inverse;
            dx_bound[e] = 8 * (loss * (fabs(w[c] * z) + size + fabs(u) * along_size) * (1 + scale * inverse) +
                               off * (fabs(w[c] * g[e]) + size * (1 + fabs(u)))) * inverse;
            continue;
          }
          y[e] = silu ? plain / (1 + exp(-plain)) : plain;
          bound[e] = 2 * off * (1 + fabs(plain)) + 32 * t->unit;
          level += w[c] * z / count;
          along += w[c] * z * u / count;
          size += fabs(w[c] * g[e]) * 1.2 / count;
          along_size += fabs(w[c] * g[e] * u) * 1.2 / count;
          dw[c] += z * u;
          db[c] += z;
          d_bound[c] += 4 * fabs(g[e]) * (1 + fabs(u)) * (loss * (1 + scale * inverse) + off);
        }
  }
  void *in = typed(t, x, n), *seed = typed(t, g, n), *weight = typed(t, w, channels), *bias = typed(t, b, channels);
  void *table = blank(t, 3 * channels), *out = blank(t, n), *scratch = blank(t, 2 * channels), *sums = blank(t, 2 * channels * chunks);
  double *moments = zeros(t, 2 * groups * chunks), *statistics = zeros(t, 2 * groups);
  for (long k = 0; k < chunks; k++) {
    const long part = rows - k * chunk < chunk ? rows - k * chunk : chunk;
    t->k->group_moments(part, channels, groups, at(t, in, k * chunk * channels), scratch, moments + 2 * k * groups);
  }
  t->k->group_coefficients(rows, chunk, channels, groups, epsilon, moments, weight, bias, statistics, table);
  t->k->group_apply(rows, channels, silu, table, in, out);
  near(t, "group norm", out, y, bound, n);
  for (long k = 0; k < chunks; k++) {
    const long part = rows - k * chunk < chunk ? rows - k * chunk : chunk, start = k * chunk * channels;
    t->k->group_gradient_sums(part, channels, silu, table, at(t, in, start), at(t, seed, start), at(t, sums, 2 * k * channels));
  }
  void *of_weight = blank(t, channels), *of_bias = blank(t, channels), *more = blank(t, 2 * channels);
  t->k->group_gradient_coefficients(rows, chunks, channels, groups, statistics, table, sums, of_weight, of_bias, more);
  near(t, "group norm's weight gradient", of_weight, dw, d_bound, channels);
  near(t, "group norm's bias gradient", of_bias, db, d_bound, channels);
  t->k->group_gradient(rows, channels, silu, table, more, in, seed, out);
  near(t, "group norm's gradient", out, dx, dx_bound, n);
  finish(t);
}

void check_row_norm(Checks *t) {
  const long rows = any(t, 0, 8), n = length(t, 300);
  const int centered = chance(t, 2);
  const double epsilon = 1e-5, offset = uniform(t, -2, 2);
  begin(t, "row norm of %ld rows of %ld, centred %d", rows, n, centered);
  double *x = numbers(t, rows * n, offset - 1.5, offset + 1.5), *g = numbers(t, rows * n, -1, 1), *w = numbers(t, n, -2, 2);
  double *b = numbers(t, n, -1, 1), *y = zeros(t, rows * n), *bound = zeros(t, rows * n), *dx = zeros(t, rows * n);
  double *dx_bound = zeros(t, rows * n), *sums = zeros(t, 2 * n), *sums_bound = zeros(t, 2 * n);
  const double loss = t->unit * ((double)n + 32);
  for (long r = 0; r < rows; r++) {
    double mean = 0, square = 0, level = 0, along = 0, size = 0, along_size = 0;
    for (long i = 0; i < n && centered; i++) mean += x[r * n + i] / (double)n;
    for (long i = 0; i < n; i++) square += pow(x[r * n + i] - mean, 2) / (double)n;
    const double inverse = 1 / sqrt(square + epsilon), scale = (fabs(mean) + 4) * inverse;
    for (long i = 0; i < n; i++) {
      const long e = r * n + i;
      const double u = (x[e] - mean) * inverse, z = w[i] * g[e];
      y[e] = u * w[i] + b[i];
      bound[e] = 4 * loss * (scale * fabs(w[i]) * (1 + u * u) + fabs(b[i]));
      level += z / (double)n;
      along += z * u / (double)n;
      size += fabs(z) / (double)n;
      along_size += fabs(z * u) / (double)n;
      sums[i] += g[e] * u;
      sums[n + i] += g[e];
      sums_bound[i] += 8 * loss * fabs(g[e]) * (scale + fabs(u)) * (1 + u * u);
      sums_bound[n + i] += 8 * loss * fabs(g[e]);
    }
    for (long i = 0; i < n; i++) {
      const long e = r * n + i;
      const double u = (x[e] - mean) * inverse;
      dx[e] = (w[i] * g[e] - (centered ? level : 0) - u * along) * inverse;
      dx_bound[e] = 8 * loss * (fabs(w[i] * g[e]) + size + (1 + fabs(u)) * (along_size + size)) * (1 + scale) * (1 + scale) * inverse;
    }
  }
  void *in = typed(t, x, rows * n), *weight = typed(t, w, n), *out = blank(t, rows * n), *both = blank(t, 2 * n);
  t->k->row_norm(rows, n, centered, epsilon, weight, typed(t, b, n), in, out);
  near(t, "row norm", out, y, bound, rows * n);
  t->k->row_norm_gradient(rows, n, centered, epsilon, weight, in, typed(t, g, rows * n), out, both);
  near(t, "row norm's gradient", out, dx, dx_bound, rows * n);
  near(t, "row norm's sums", both, sums, sums_bound, 2 * n);
  finish(t);
}

void check_optimizers(Checks *t) {
  const long n = length(t, 300);
  const int terms = (int)any(t, 1, 8), nesterov = chance(t, 2);
  begin(t, "optimizers and %d terms of %ld", terms, n);
  double *g = numbers(t, n, -2, 2), *m = numbers(t, n, -1, 1), *v = numbers(t, n, 0.01, 2), *p = numbers(t, n, -2, 2);
  const double keep = 0.999, step = 0.01, beta1 = 0.9, beta2 = 0.99, correction = 1.1, epsilon = 1e-8, scale = uniform(t, 0.1, 1);
  double *first = zeros(t, n), *second = zeros(t, n), *moved = zeros(t, n), *bound = zeros(t, n), *moved_bound = zeros(t, n);
  double *velocity = zeros(t, n), *descended = zeros(t, n), *average = zeros(t, n);
  for (long i = 0; i < n; i++) {
    const double d = scale * g[i];
    first[i] = m[i] + (1 - beta1) * (d - m[i]);
    second[i] = beta2 * v[i] + (1 - beta2) * d * d;
    const double below = sqrt(second[i]) * correction + epsilon;
    moved[i] = keep * p[i] - step * first[i] / below;
    bound[i] = 8 * t->unit * (fabs(m[i]) + fabs(d) + v[i] + d * d);
    moved_bound[i] = 4 * t->unit * fabs(p[i]) + step / below * (bound[i] + 16 * t->unit * fabs(first[i]));
    const double direction = d + 0.01 * p[i];
    velocity[i] = 0.9 * m[i] + direction;
    descended[i] = p[i] - 0.1 * (nesterov ? direction + 0.9 * velocity[i] : velocity[i]);
    average[i] = m[i] + 0.25 * (p[i] - m[i]);
  }
  void *gradient = typed(t, g, n), *one = typed(t, m, n), *two = typed(t, v, n), *parameter = typed(t, p, n);
  t->k->adamw(n, keep, step, beta1, beta2, correction, epsilon, scale, gradient, one, two, parameter);
  near(t, "AdamW's first moment", one, first, bound, n);
  near(t, "AdamW's second moment", two, second, bound, n);
  near(t, "AdamW's parameter", parameter, moved, moved_bound, n);
  for (long i = 0; i < n; i++) bound[i] = 8 * t->unit * (fabs(m[i]) + fabs(g[i]) + 2 * fabs(p[i]));
  void *velocities = typed(t, m, n), *parameters = typed(t, p, n), *averages = typed(t, m, n);
  t->k->sgd(n, 0.1, 0.01, 0.9, nesterov, scale, gradient, velocities, parameters);
  near(t, "velocity", velocities, velocity, bound, n);
  near(t, "descended parameter", parameters, descended, bound, n);
  t->k->move_average(n, 0.25, typed(t, p, n), averages);
  near(t, "average", averages, average, bound, n);
  double c[8] = {0}, *sum = zeros(t, n), *sum_bound = zeros(t, n);
  const void *x[8];
  for (int j = 0; j < 8; j++) {
    x[j] = gradient;
    if (j >= terms) continue;
    double *own = numbers(t, n, -2, 2);
    c[j] = uniform(t, -2, 2);
    x[j] = typed(t, own, n);
    for (long i = 0; i < n; i++) sum[i] += c[j] * own[i], sum_bound[i] += 10 * t->unit * fabs(c[j] * own[i]);
  }
  void *out = blank(t, n);
  t->k->combination(n, terms, c, x, out);
  near(t, "combination", out, sum, sum_bound, n);
  finish(t);
}
