/* Fits of |R| against the number of sites n. */
#include <math.h>

#include "examples/curvature/curvature.h"

/* y = p + q x over count points with weights: the normal equations */
static void line(double *p, double *q, const double *x, const double *y, const double *w,
                 size_t count)
{
    double s = 0, mx = 0, my = 0, xx = 0, xy = 0;
    for (size_t i = 0; i < count; i++) {
        s += w[i];
        mx += w[i] * x[i];
        my += w[i] * y[i];
    }
    mx /= s;
    my /= s;
    for (size_t i = 0; i < count; i++) {
        xx += w[i] * (x[i] - mx) * (x[i] - mx);
        xy += w[i] * (x[i] - mx) * (y[i] - my);
    }
    *q = xy / xx;
    *p = my - *q * mx;
}

int fit_both(fits *f, const point *points, size_t count)
{
    double x[MAX_SIZES], y[MAX_SIZES], w[MAX_SIZES], r[MAX_SIZES];
    if (count < 3 || count > MAX_SIZES)
        return -1;
    for (size_t i = 0; i < count; i++) {
        r[i] = fabs(points[i].curvature);
        if (!(points[i].curvature * points[0].curvature > 0))
            return -1;
        x[i] = log(points[i].sites);
        y[i] = log(r[i]);
        w[i] = 1;
    }
    line(&f->power_a, &f->power_d, x, y, w, count);
    f->power_a = exp(f->power_a);
    for (size_t i = 0; i < count; i++) { /* (n (a + b ln n) - |R|)/|R| */
        y[i] = r[i] / points[i].sites;
        w[i] = 1 / (y[i] * y[i]);
    }
    line(&f->log_a, &f->log_b, x, y, w, count);
    f->power_rms = f->log_rms = 0;
    for (size_t i = 0; i < count; i++) {
        double power = f->power_a * pow(points[i].sites, f->power_d) / r[i] - 1;
        double log_n = points[i].sites * (f->log_a + f->log_b * x[i]) / r[i] - 1;
        f->power_rms += power * power / (double)count;
        f->log_rms += log_n * log_n / (double)count;
    }
    f->power_rms = sqrt(f->power_rms);
    f->log_rms = sqrt(f->log_rms);
    return 0;
}

double effective_exponent(const point *a, const point *b)
{
    double ratio = b->curvature / a->curvature;
    return ratio > 0 ? log(ratio) / log(b->sites / a->sites) : (double)NAN;
}
