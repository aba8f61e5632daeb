/* Fits of |R| against the number of sites n, by least squares of relative
 * residuals. */
#include <math.h>

#include "examples/curvature/curvature.h"

enum { TERMS = 3 };

static double dot(const double *x, const double *y, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += x[i] * y[i];
    return sum;
}

/* to <- to - (to . unit) unit; returns the product */
static double remove_part(double *to, const double *unit, size_t count)
{
    double part = dot(to, unit, count);
    for (size_t i = 0; i < count; i++)
        to[i] -= part * unit[i];
    return part;
}

/* x: the factors of the columns whose sum is nearest to 1 everywhere, by
 * modified Gram-Schmidt, which overwrites them. Returns the rms of the rest. */
static double solve(double *x, double column[TERMS][MAX_SIZES], size_t terms, size_t count)
{
    double r[TERMS][TERMS] = {{0}}, rest[MAX_SIZES];
    for (size_t i = 0; i < count; i++)
        rest[i] = 1;
    for (size_t j = 0; j < terms; j++) {
        r[j][j] = sqrt(dot(column[j], column[j], count));
        for (size_t i = 0; i < count; i++)
            column[j][i] /= r[j][j];
        for (size_t k = j + 1; k < terms; k++)
            r[j][k] = remove_part(column[k], column[j], count);
        x[j] = remove_part(rest, column[j], count);
    }
    for (size_t j = terms; j-- > 0;) {
        for (size_t k = j + 1; k < terms; k++)
            x[j] -= r[j][k] * x[k];
        x[j] /= r[j][j];
    }
    return sqrt(dot(rest, rest, count) / (double)count);
}

/* A n^d (1 + c/L) for one d */
static double fit_amplitude(growth *g, const point *points, size_t count, int corrected, double d)
{
    double column[TERMS][MAX_SIZES], x[TERMS] = {0};
    for (size_t i = 0; i < count; i++) {
        column[0][i] = pow(points[i].sites, d) / fabs(points[i].curvature);
        column[1][i] = column[0][i] / (double)points[i].length;
    }
    g->power_rms = solve(x, column, corrected ? 2 : 1, count);
    g->power_a = x[0];
    g->power_c = x[1] / x[0];
    g->power_d = d;
    return g->power_rms;
}

static void fit_power(growth *g, const point *points, size_t count, int corrected)
{
    const double golden = 0.6180339887498949;
    double low = 0, high = 3;
    for (int step = 0; step < 80; step++) {
        double left = high - golden * (high - low), right = low + golden * (high - low);
        if (fit_amplitude(g, points, count, corrected, left) <
            fit_amplitude(g, points, count, corrected, right))
            high = right;
        else
            low = left;
    }
    fit_amplitude(g, points, count, corrected, 0.5 * (low + high));
}

int fit_growth(growth *g, const point *points, size_t count, int corrected)
{
    double column[TERMS][MAX_SIZES], x[TERMS] = {0};
    if (count < (corrected ? 5 : 3) || count > MAX_SIZES)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const point *p = &points[i];
        if (!(p->curvature * points[0].curvature > 0))
            return -1;
        column[0][i] = p->sites / fabs(p->curvature);
        column[1][i] = column[0][i] * log(p->sites);
        column[2][i] = column[0][i] / (double)p->length;
    }
    g->from = points[0].length;
    g->log_rms = solve(x, column, corrected ? 3 : 2, count);
    g->log_a = x[0];
    g->log_b = x[1];
    g->log_c = x[2];
    fit_power(g, points, count, corrected);
    return 0;
}

int digits_of(const point *p)
{
    double digits = ceil(log10(fabs(p->curvature) / p->error)) + (p->sampled ? 1 : 0);
    return digits >= 1 ? digits < 15 ? (int)digits : 15 : digits < 1 ? 1 : 15; /* 0/0: 15 */
}

double effective_exponent(const point *a, const point *b)
{
    double ratio = b->curvature / a->curvature;
    return ratio > 0 ? log(ratio) / log(b->sites / a->sites) : (double)NAN;
}

size_t first_large(const point *points, size_t count)
{
    size_t first = 0;
    while (first < count && points[first].length < FIRST_LARGE)
        first++;
    return count - first >= 3 ? first : 0;
}
