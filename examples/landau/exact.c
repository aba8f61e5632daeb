/* The exact solution and particles' velocities. */
#include <math.h>

#include "examples/landau/landau.h"

static const double pi = 3.14159265358979323846;

bkw bkw_at(int d, double t)
{
    bkw f = {d, d == 2 ? 1.0 / 16 : 1.0 / 24, 0};
    f.k = 1 - (d == 2 ? 0.5 : 1) * exp(-2 * (d - 1) * f.b * t);
    return f;
}

static double p_of(const bkw *f)
{
    return ((f->d + 2) * f->k - f->d) / (2 * f->k);
}

static double q_of(const bkw *f)
{
    return (1 - f->k) / (2 * f->k * f->k);
}

double bkw_slope(const bkw *f, double u)
{
    return -1 / f->k + 2 * q_of(f) / (p_of(f) + q_of(f) * u);
}

double bkw_slope_change(const bkw *f, double u)
{
    double q = q_of(f), all = p_of(f) + q * u;
    return -2 * q * q / (all * all);
}

double bkw_cdf(const bkw *f, double u)
{
    double x = u / (2 * f->k);
    return 1 - exp(-x) * (1 + (1 - f->k) / f->k * x);
}

/* By halving, down to the last bit. */
double bkw_quantile(const bkw *f, double p)
{
    double low = 0, high = 200;
    for (int i = 0; i < 120; i++) {
        double middle = (low + high) / 2;
        if (bkw_cdf(f, middle) < p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* ---- Quadrature over r = |v|: Simpson's rule
 * ------------------------------------------------------ */

typedef double value(const bkw *f, double u);

static double density(const bkw *f, double u)
{
    return pow(2 * pi * f->k, -f->d / 2.0) * exp(-u / (2 * f->k)) * (p_of(f) + q_of(f) * u);
}

static double expect(const bkw *f, value *of)
{
    enum { CELLS = 4000 };
    double h = 14.0 / CELLS, sum = 0;
    for (int i = 1; i <= CELLS; i++) { /* nothing at r = 0, where a score may end */
        double r = i * h, u = r * r, weight = i == CELLS ? 1 : i % 2 ? 4 : 2;
        double shell = f->d == 2 ? 2 * pi * r : 4 * pi * u;
        sum += weight * shell * density(f, u) * of(f, u);
    }
    return sum * h / 3;
}

static double square(const bkw *f, double u)
{
    return bkw_slope(f, u) * bkw_slope(f, u) * u;
}

static double fourth(const bkw *f, double u)
{
    (void)f;
    return u * u;
}

static double log_density(const bkw *f, double u)
{
    double x = density(f, u);
    return x > 0 ? log(x) : 0;
}

/* div (slope(u) v) = d slope + 2 u slope' */
static double matching(const bkw *f, double u)
{
    return square(f, u) / 2 + f->d * bkw_slope(f, u) + 2 * u * bkw_slope_change(f, u);
}

double bkw_fisher(const bkw *f)
{
    return expect(f, square);
}

double bkw_fourth(const bkw *f)
{
    return expect(f, fourth);
}

double bkw_entropy(const bkw *f)
{
    return expect(f, log_density);
}

double bkw_matching(const bkw *f)
{
    return expect(f, matching);
}

/* ---- Particles
 * -------------------------------------------------------------------------------------- */

void bkw_flow(double *v, const double *v0, double t)
{
    bkw before = bkw_at(2, 0), after = bkw_at(2, t);
    double u = v0[0] * v0[0] + v0[1] * v0[1];
    double scale = u > 0 ? sqrt(bkw_quantile(&after, bkw_cdf(&before, u)) / u) : 1;
    v[0] = scale * v0[0];
    v[1] = scale * v0[1];
}

void bkw_sample(ng_mat v, const bkw *f)
{
    for (size_t i = 0; i < v.rows; i++) {
        double r = sqrt(bkw_quantile(f, ((double)i + 0.5) / (double)v.rows));
        double angle = 2 * pi * 0.61803398874989485 * (double)i;
        ng_mat_set(v, i, 0, r * cos(angle));
        ng_mat_set(v, i, 1, r * sin(angle));
    }
}

static const double *row(ng_mat m, size_t i)
{
    return (const double *)m.data + i * m.stride;
}

/* <A(v - w)(s(v) - s(w))>_w / B with A(z) = B (|z|^2 I - z z^T), from M = <w s^T>, S = <s>, W =
 * <w>, q = <|w|^2 s>, p = <w (w.s)>, e = <|w|^2>, C = <w w^T> */
void landau_moments(ng_mat u, ng_mat v, ng_mat s, double b)
{
    size_t d = v.cols;
    double m[3][3] = {{0}}, c[3][3] = {{0}}, mean[3] = {0}, w[3] = {0}, q[3] = {0}, p[3] = {0};
    double e = 0, trace = 0, n = (double)v.rows;
    for (size_t i = 0; i < v.rows; i++) {
        const double *a = row(v, i), *g = row(s, i);
        double square_ = 0, both = 0;
        for (size_t j = 0; j < d; j++) {
            square_ += a[j] * a[j];
            both += a[j] * g[j];
        }
        e += square_ / n;
        trace += both / n;
        for (size_t j = 0; j < d; j++) {
            mean[j] += g[j] / n;
            w[j] += a[j] / n;
            q[j] += square_ * g[j] / n;
            p[j] += a[j] * both / n;
            for (size_t k = 0; k < d; k++) {
                m[j][k] += a[j] * g[k] / n;
                c[j][k] += a[j] * a[k] / n;
            }
        }
    }
    for (size_t i = 0; i < v.rows; i++) {
        const double *a = row(v, i), *g = row(s, i);
        double square_ = 0, along = 0, aw = 0, ga = 0, gw = 0;
        for (size_t j = 0; j < d; j++) {
            square_ += a[j] * a[j];
            along += a[j] * mean[j];
            aw += a[j] * w[j];
            ga += g[j] * a[j];
            gw += g[j] * w[j];
        }
        for (size_t j = 0; j < d; j++) {
            double own = (square_ - 2 * aw + e) * g[j] - a[j] * (ga - gw) + w[j] * ga;
            double others = square_ * mean[j] + q[j] - a[j] * along + a[j] * trace - p[j];
            for (size_t k = 0; k < d; k++) {
                own -= c[j][k] * g[k];
                others += -2 * m[k][j] * a[k] + m[j][k] * a[k];
            }
            ng_mat_set(u, i, j, -b * (own - others));
        }
    }
}

void landau_sum(ng_mat u, ng_mat v, ng_mat s, double b)
{
    size_t d = v.cols;
    ng_fill(u, 0);
    for (size_t i = 0; i < v.rows; i++)
        for (size_t j = 0; j < v.rows; j++) {
            double z[3], g[3], square_ = 0, both = 0;
            for (size_t k = 0; k < d; k++) {
                z[k] = row(v, i)[k] - row(v, j)[k];
                g[k] = row(s, i)[k] - row(s, j)[k];
                square_ += z[k] * z[k];
                both += z[k] * g[k];
            }
            for (size_t k = 0; k < d; k++)
                ng_mat_set(u, i, k,
                           ng_mat_get(u, i, k) -
                               b * (square_ * g[k] - z[k] * both) / (double)v.rows);
        }
}
