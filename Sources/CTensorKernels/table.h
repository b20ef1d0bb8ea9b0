#ifndef TABLE_H
#define TABLE_H

#include "CTensorKernels.h"

/// One pointer for every kernel, filled by each instruction set for each element type.
struct kernel_table {
#define KERNEL(name, parameters, arguments) void(*name) parameters;
#include "kernels.def"
#undef KERNEL
};

#define TABLE_NAME_(type, level) kernel_table_##type##_##level
#define TABLE_NAME(type, level) TABLE_NAME_(type, level)

#endif
