#define LEVEL baseline
#include "level.inc"
