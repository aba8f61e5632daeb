/* An ESD against that of the same elements in random order, and that against the law of
 * Marchenko and Pastur. */
#include "lib/geometry/esd.h"

#include <math.h>
#include <string.h>

#include "lib/core/mat.h"
#include "lib/core/try.h"
#include "lib/linalg/check.h"

static const double pi = 3.14159265358979323846;

static void *element(ng_mat w, size_t i)
{
    size_t place = w.stride == w.cols ? i : i / w.cols * w.stride + i % w.cols;
    return (char *)w.data + place * ng_dtype_size(w.dtype);
}

static void swap(void *a, void *b, size_t size)
{
    char kept[8];
    memcpy(kept, a, size);
    memcpy(a, b, size);
    memcpy(b, kept, size);
}

ng_status ng_mat_shuffle(ng_mat w, const ng_random *random, ng_error *error)
{
    enum { AT_ONCE = 512 };
    double u[AT_ONCE];
    if (random == NULL || random->fill_uniform == NULL)
        return ng_error_set(error, NG_EARG, "random is NULL or has no fill_uniform");
    TRY(ngi_check_shape(w, "w", w.rows, w.cols, w.dtype, error));
    size_t left = w.rows * w.cols;
    while (left > 1) {
        size_t count = left - 1 < AT_ONCE ? left - 1 : AT_ONCE;
        random->fill_uniform(random->data, u, count);
        for (size_t k = 0; k < count; k++, left--)
            swap(element(w, left - 1), element(w, (size_t)(u[k] * (double)left)),
                 ng_dtype_size(w.dtype));
    }
    return NG_OK;
}

double ng_marchenko_pastur(double x, double ratio, double s)
{
    const double root = 1 / sqrt(ratio), v = s * s;
    const double low = v * (1 - root) * (1 - root), high = v * (1 + root) * (1 + root);
    if (!(x > low && x < high && x > 0))
        return 0;
    return ratio * sqrt((high - x) * (x - low)) / (2 * pi * v * x);
}

/* ---- The law nearest to rescaled eigenvalues --------------------------------------------------
 */

enum { POINTS = 200, WIDTHS = 8 };

typedef struct {
    double x[POINTS], density[POINTS], ratio;
} kernel_density;

/* Gaussians of width 0.1, on points from 0 to a little above the law of s = 1: a few eigenvalues
 * far out do not make it coarse. values: ascending. */
static void estimate(kernel_density *k, const double *values, size_t m, double ratio)
{
    const double width = 0.1, end = 2 * (1 + 1 / sqrt(ratio)) * (1 + 1 / sqrt(ratio));
    size_t first = 0;
    k->ratio = ratio;
    for (size_t i = 0; i < POINTS; i++) {
        k->x[i] = end * ((double)i + 0.5) / POINTS;
        while (first < m && values[first] < k->x[i] - WIDTHS * width)
            first++;
        k->density[i] = 0;
        for (size_t j = first; j < m && values[j] < k->x[i] + WIDTHS * width; j++) {
            double z = (values[j] - k->x[i]) / width;
            k->density[i] += exp(-z * z / 2) / ((double)m * width * sqrt(2 * pi));
        }
    }
}

static double misfit(const kernel_density *k, double s)
{
    double sum = 0;
    for (size_t i = 0; i < POINTS; i++) {
        double d = ng_marchenko_pastur(k->x[i], k->ratio, s) - k->density[i];
        sum += d * d;
    }
    return sum;
}

/* Least squares over s in [0.05, 1.4]: a grid, then golden sections about its best point. */
static double fit_scale(const kernel_density *k)
{
    enum { GRID = 135, SECTIONS = 40 };
    const double golden = 0.61803398874989485;
    double best = (double)INFINITY, s = 1;
    for (int i = 0; i <= GRID; i++) {
        double at = 0.05 + 0.01 * i, f = misfit(k, at);
        if (f < best) {
            best = f;
            s = at;
        }
    }
    double low = s - 0.01, high = s + 0.01;
    for (int i = 0; i < SECTIONS; i++) {
        double a = high - golden * (high - low), b = low + golden * (high - low);
        if (misfit(k, a) < misfit(k, b))
            high = b;
        else
            low = a;
    }
    return (low + high) / 2;
}

/* ---- Comparison ---------------------------------------------------------------------------------
 */

static double entropy_against(double p, double q)
{
    return p > 0 ? p * log(2 * p / (p + q)) : 0;
}

/* Jensen-Shannon distance of two lists as shares of their sums. */
static double jensen_shannon(const double *a, double sum_a, const double *b, double sum_b, size_t m)
{
    double sum = 0;
    for (size_t i = 0; i < m; i++) {
        double p = a[i] / sum_a, q = b[i] / sum_b;
        sum += (entropy_against(p, q) + entropy_against(q, p)) / 2;
    }
    return sqrt(fmax(0, sum));
}

void ngi_esd_compare(ng_esd *e, const double *values, double *random)
{
    const double ratio = (double)e->n / (double)e->m;
    ng_esd_bulk *b = &e->bulk;
    kernel_density k;
    double sum = 0;
    for (size_t i = 0; i < e->m; i++)
        sum += random[i];
    b->largest = random[e->m - 1];
    b->distance = jensen_shannon(values, e->trace, random, sum, e->m);
    for (size_t i = 0; i < e->m; i++)
        random[i] *= (double)e->m / sum;
    estimate(&k, random, e->m, ratio);
    b->scale = fit_scale(&k);
    const double edge = b->scale * b->scale * (1 + 1 / sqrt(ratio)) * (1 + 1 / sqrt(ratio));
    const double widom =
        1 / sqrt(ratio) * pow(edge, 2.0 / 3) * pow((double)e->m, -2.0 / 3); /* Tracy, Widom */
    b->edge = edge * sum / (double)e->m;
    b->soft_rank = b->edge / e->lambda_max;
    b->random_soft_rank = b->largest / e->lambda_max;
    for (size_t i = 0; i < e->m; i++) {
        b->spikes += values[i] > b->edge;
        b->traps += random[i] > edge + sqrt(widom);
    }
}
