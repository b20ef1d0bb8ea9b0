#ifndef KERNEL_CHECKS_H
#define KERNEL_CHECKS_H

#include "CTensorKernels.h"

/// Checks of the vector kernels on random shapes against plain loops in double, in plain C, so that they run where there is no
/// Swift: `Tests/neon` builds them for arm64. A level's kernels are taken from its own table, whatever level is in use.
typedef struct {
  /// How many random cases were tried.
  long cases;
  /// The first case that failed, with its shape, and where; empty where none did.
  char failure[512];
} KernelCheckReport;

/// How many topics there are.
int kernel_check_topics(void);
/// A topic's name.
const char *kernel_check_name(int topic);
/// Tries `rounds` random cases of a topic. The same seed gives the same cases.
KernelCheckReport kernel_check(int topic, TKLevel level, TKType type, uint64_t seed, long rounds);

#endif
