// Runs the kernels' checks on whatever processor this is compiled for.
#include <stdio.h>
#include <stdlib.h>

#include "KernelChecks.h"

int main(int count, char **arguments) {
  const uint64_t seed = count > 1 ? strtoull(arguments[1], 0, 10) : 1;
  const long rounds = count > 2 ? atol(arguments[2]) : 200;
  int failed = 0;
  printf("seed %llu, %ld cases of each kind\n", (unsigned long long)seed, rounds);
  for (int level = 0; level <= (int)tk_processor_level(); level++)
    for (int type = 0; type < 2; type++)
      for (int topic = 0; topic < kernel_check_topics(); topic++) {
        const KernelCheckReport report = kernel_check(topic, (TKLevel)level, (TKType)type, seed, rounds);
        const int fails = report.failure[0] != 0;
        if (fails)
          printf("FAILED: %s in float%d at level %d, case %ld: %s\n", kernel_check_name(topic), type ? 64 : 32, level,
                 report.cases, report.failure);
        failed |= fails;
      }
  printf(failed ? "kernels differ from their oracles\n" : "all kernels equal their oracles\n");
  return failed;
}
