#include "examples/support/median.h"

#include <math.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return isnan(x) ? 1 : isnan(y) ? -1 : (x > y) - (x < y);
}

double median_of(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_size);
    return n == 0 ? (double)NAN : (values[(n - 1) / 2] + values[n / 2]) / 2;
}
