#ifndef TABLE_H
#define TABLE_H

#include "CTensorKernels.h"

#define TABLE_NAME_(type, level) kernel_table_##type##_##level
#define TABLE_NAME(type, level) TABLE_NAME_(type, level)

#endif
