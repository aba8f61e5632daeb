/* The power law of a tail, by the least Kolmogorov-Smirnov distance over all beginnings. */
#include <natgrad/esd.h>

#include <math.h>

#include "lib/core/memory.h"
#include "lib/core/try.h"
#include "lib/linalg/check.h"

/* The distance of values i ... n - 1 (their logarithms) from the law; those of `bound` and more
 * are not told apart, which saves most of the work. */
static double distance(const double *logs, size_t i, size_t n, double alpha, double bound)
{
    const double count = (double)(n - i);
    double most = 0;
    for (size_t j = i; j < n && most < bound; j++)
        most =
            fmax(most, fabs(-expm1((1 - alpha) * (logs[j] - logs[i])) - (double)(j - i) / count));
    return most;
}

static void scan(ng_power_law *tail, const double *logs, size_t n)
{
    double sum = 0, best = (double)INFINITY;
    size_t at = n;
    for (size_t i = 0; i < n; i++)
        sum += logs[i] - logs[0];
    for (size_t i = 0; i + 1 < n; i++) {
        const double count = (double)(n - i);
        double alpha = 1 + count / sum;
        double ks = alpha > 1 && alpha < (double)INFINITY ? distance(logs, i, n, alpha, best)
                                                          : (double)INFINITY;
        if (ks < best) {
            best = ks;
            at = i;
            tail->alpha = alpha;
        }
        sum = fmax(0, sum - (count - 1) * (logs[i + 1] - logs[i]));
    }
    if (at == n)
        return;
    tail->ks = best;
    tail->xmin = exp(logs[at]);
    tail->sigma = (tail->alpha - 1) / sqrt((double)(n - at));
    tail->spikes = n - at;
}

ng_status ng_power_law_fit(ng_power_law *tail, ng_mat values, ng_error *error)
{
    ngi_pool pool = {NULL};
    double *logs;
    if (tail == NULL)
        return ng_error_set(error, NG_EARG, "tail is NULL");
    TRY(ngi_check_shape(values, "values", 1, values.cols, NG_F64, error));
    TRY(ngi_check_finite(values, "values", error));
    for (size_t i = 0; i < values.cols; i++) {
        double x = ng_mat_get(values, 0, i);
        if (!(x > 0) || (i > 0 && x < ng_mat_get(values, 0, i - 1)))
            return ng_error_set(error, NG_EARG,
                                "value %zu of %zu is %g: they are to be positive and ascend", i,
                                values.cols, x);
    }
    TRY(ngi_pool_array(&pool, &logs, values.cols + 1, sizeof *logs, "logarithms", error));
    for (size_t i = 0; i < values.cols; i++)
        logs[i] = log(ng_mat_get(values, 0, i));
    *tail = (ng_power_law){(double)NAN, (double)NAN, (double)NAN, (double)NAN, 0};
    scan(tail, logs, values.cols);
    if (tail->spikes > 0) {
        size_t i = values.cols - tail->spikes;
        tail->xmin = ng_mat_get(values, 0, i);
        while (i > 0 && ng_mat_get(values, 0, i - 1) == tail->xmin)
            i--, tail->spikes++;
    }
    return ngi_pool_close(&pool, NG_OK);
}
