#ifndef EXAMPLES_MEDIAN_H
#define EXAMPLES_MEDIAN_H

#include <stddef.h>

/* Median of n numbers, which are put in order; a NaN counts as larger than any
 * number. NaN for none. */
double median_of(double *values, size_t n);

#endif
