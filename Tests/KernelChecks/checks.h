#ifndef CHECKS_H
#define CHECKS_H

#include <math.h>
#include <string.h>

#include "KernelChecks.h"

/// One run of a topic: the kernels, a generator, and the memory of the case at hand.
typedef struct {
  const struct kernel_table *k;
  TKType type;
  /// Half the distance of two numbers about 1, in the type.
  double unit;
  uint64_t state;
  char shape[256];
  KernelCheckReport report;
  struct block {
    char *start;
    size_t bytes;
  } blocks[128];
  int count;
} Checks;

/// Begins a case; the text says its shape.
void begin(Checks *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/// Ends it: nothing may have been written around any block. Gives its memory back.
void finish(Checks *t);
void fail(Checks *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// A number of `low ... high`.
long any(Checks *t, long low, long high);
/// A length of 1 to `most`: a third are small, a third stand next to a multiple of 12 or 16, a third are any.
long length(Checks *t, long most);
int chance(Checks *t, int one_in);
double uniform(Checks *t, double low, double high);
/// Rounded to the type.
double rounded(const Checks *t, double x);

/// Memory of the case, with guards around it: `bytes` that are set to not-a-number, or to 0.
void *memory(Checks *t, size_t bytes, int filled);
/// `n` random numbers of the type, as doubles.
double *numbers(Checks *t, long n, double low, double high);
double *zeros(Checks *t, long n);
/// The same in the type.
void *typed(Checks *t, const double *x, long n);
/// `n` elements of the type that are not numbers yet.
void *blank(Checks *t, long n);
/// Elements of the type as doubles.
double *values(Checks *t, const void *x, long n);
/// The address of an element of the type.
static inline void *at(const Checks *t, const void *x, long i) {
  return (char *)x + i * (t->type == TK_FLOAT32 ? 4 : 8);
}

double half_value(uint16_t x);
double bfloat_value(uint16_t x);
/// A matrix of weights as it is stored, and its elements.
typedef struct {
  TKStored stored;
  void *elements;
  double *values;
} Weights;
/// `n` of them, stored in any way up to `last`.
Weights weights(Checks *t, long n, TKStored last);

/// Every element within its bound; what is not a number has to be none in both.
void near(Checks *t, const char *what, const void *found, const double *expected, const double *bound, long n);
/// Every element equal.
void same(Checks *t, const char *what, const void *found, const double *expected, long n);

void check_gemm(Checks *t);
void check_gemm_tiles(Checks *t);
void check_unary(Checks *t);
void check_binary(Checks *t);
void check_halves(Checks *t);
void check_reductions(Checks *t);
void check_softmax(Checks *t);
void check_group_norm(Checks *t);
void check_row_norm(Checks *t);
void check_windows(Checks *t);
void check_winograd4(Checks *t);
void check_winograd2(Checks *t);
void check_attention(Checks *t);
void check_pooling(Checks *t);
void check_resampling(Checks *t);
void check_optimizers(Checks *t);
void check_random(Checks *t);
void check_bfloat(Checks *t);

#endif
