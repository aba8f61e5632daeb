/* Where a functional is least over beta >= 0: a grid finds the bracket, Brent's
 * methods (Algorithms for Minimization without Derivatives, 1973, ch. 4 and 5)
 * the place in it. */
#include "lib/geometry/spectrum.h"

#include <float.h>
#include <math.h>

#include "lib/core/try.h"

/* beta = 0, then 1e-17 ... 1e8 lambda_max */
enum { DECADES = 25, A_DECADE = 4, GRID = DECADES * A_DECADE + 2, TRIES = 200 };

typedef struct {
    const ng_functional *f;
    ngi_curve curve;
    ng_mat spectrum;
    ng_error *error;
} search;

static double largest(ng_mat spectrum)
{
    return ng_mat_get(spectrum, 0, spectrum.cols - 1);
}

static double grid(ng_mat spectrum, int i)
{
    return i == 0 ? 0 : largest(spectrum) * pow(10, 8 - (double)(GRID - 1 - i) / A_DECADE);
}

ng_status ngi_evaluate(double *y, const ng_functional *f, ngi_curve curve, ng_mat spectrum,
                       double beta, ng_error *error)
{
    double value = *y = curve(f, spectrum.data, spectrum.cols, beta);
    if (!isfinite(value))
        return ng_error_set(error, NG_ERANGE, "functional %s: %s is %g at beta %g", f->name,
                            curve == f->log_value ? "log tau" : "its slope", value, beta);
    return NG_OK;
}

static ng_status at(double *y, const search *s, double beta)
{
    return ngi_evaluate(y, s->f, s->curve, s->spectrum, beta, s->error);
}

/* ---- By the slope ----------------------------------------------------------- */

/* The next step d of Brent's root finder, e the one before it. x: the point
 * before, the best, one on the other side of the root. Inverse quadratic or
 * secant interpolation where that stays inside and shrinks fast enough, else
 * bisection. */
static void root_step(double *d, double *e, const double x[3], const double y[3], double tolerance)
{
    double half = (x[2] - x[1]) / 2, p, q, r = y[1] / y[0];
    if (fabs(*e) < tolerance || fabs(y[0]) <= fabs(y[1])) {
        *d = *e = half;
        return;
    }
    if (x[0] == x[2]) {
        p = 2 * half * r;
        q = 1 - r;
    } else {
        double u = y[0] / y[2], v = y[1] / y[2];
        p = r * (2 * half * u * (u - v) - (x[1] - x[0]) * (v - 1));
        q = (u - 1) * (v - 1) * (r - 1);
    }
    if (p > 0)
        q = -q;
    p = fabs(p);
    if (2 * p < 3 * half * q - fabs(tolerance * q) && p < fabs(*e * q / 2)) {
        *e = *d;
        *d = p / q;
    } else
        *d = *e = half;
}

/* *root of the curve between left and right, where its signs differ */
static ng_status find_root(double *root, const search *s, double left, double right)
{
    double x[3] = {left, right, left}, y[3], d = right - left, e = d;
    TRY(at(&y[0], s, x[0]));
    TRY(at(&y[1], s, x[1]));
    y[2] = y[0];
    for (int i = 0; i < TRIES; i++) {
        if (fabs(y[2]) < fabs(y[1])) {
            x[0] = x[1], x[1] = x[2], x[2] = x[0];
            y[0] = y[1], y[1] = y[2], y[2] = y[0];
        }
        double tolerance = 2 * DBL_EPSILON * fabs(x[1]) + DBL_MIN;
        if (y[1] == 0 || fabs(x[2] - x[1]) / 2 <= tolerance)
            break;
        root_step(&d, &e, x, y, tolerance);
        x[0] = x[1], y[0] = y[1];
        x[1] += fabs(d) > tolerance ? d : copysign(tolerance, x[2] - x[1]);
        TRY(at(&y[1], s, x[1]));
        if ((y[1] > 0) == (y[2] > 0)) {
            x[2] = x[0], y[2] = y[0];
            d = e = x[1] - x[0];
        }
    }
    *root = x[1];
    return NG_OK;
}

/* Log tau on the grid, and whether it varies at all. */
static ng_status values(double *y, int *varies, const ng_functional *f, ng_mat spectrum,
                        double flat, ng_error *error)
{
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (int i = 0; i < GRID; i++) {
        TRY(ngi_evaluate(&y[i], f, f->log_value, spectrum, grid(spectrum, i), error));
        low = fmin(low, y[i]), high = fmax(high, y[i]);
    }
    *varies = high - low >= flat;
    return NG_OK;
}

/* Keeps the candidate if it is lower than what there is. */
static ng_status propose(ng_minimum *best, double *low, const search *s, ng_verdict verdict,
                         double beta)
{
    double y;
    TRY(ngi_evaluate(&y, s->f, s->f->log_value, s->spectrum, beta, s->error));
    if (y < *low) {
        *low = y;
        best->verdict = verdict;
        best->beta = verdict == NG_MINIMUM_INFINITY ? HUGE_VAL : beta;
    }
    return NG_OK;
}

/* Candidates: 0 where tau does not fall, every change of the slope from falling
 * to rising, the end where it still falls. One of a kind whose tau has one
 * minimum, so that the values only decide between several. */
ng_status ngi_minimise_slope(const ng_functional *f, ng_minimum *minimum, ng_mat spectrum,
                             double flat, ng_error *error)
{
    search s = {f, f->slope, spectrum, error};
    ng_minimum best = {NG_MINIMUM_FLAT, 0};
    double y[GRID], low = HUGE_VAL, before = 0, slope, root;
    int varies = 0;
    TRY(values(y, &varies, f, spectrum, flat, error));
    for (int i = 0; i < GRID && varies; i++, before = slope) {
        double beta = grid(spectrum, i);
        TRY(at(&slope, &s, beta));
        if (i == 0 && slope >= 0)
            TRY(propose(&best, &low, &s, NG_MINIMUM_ZERO, 0));
        if (i > 0 && before < 0 && slope >= 0) {
            TRY(find_root(&root, &s, grid(spectrum, i - 1), beta));
            TRY(propose(&best, &low, &s, NG_MINIMUM_INTERIOR, root));
        }
        if (i == GRID - 1 && slope < 0)
            TRY(propose(&best, &low, &s, NG_MINIMUM_INFINITY, beta));
    }
    *minimum = best;
    return NG_OK;
}

/* ---- By values --------------------------------------------------------------- */

/* Three points, best first. */
typedef struct {
    double x[3], y[3];
} triple;

/* The step from the best of t: to the vertex of the parabola through the three where that falls
 * inside (left, right) and steps shrink, else the golden section of the larger part. */
static double minimum_step(double *e, double d, const triple *t, double left, double right,
                           double tolerance)
{
    const double golden = 0.3819660112501051, *x = t->x, *y = t->y;
    double r = (x[0] - x[1]) * (y[0] - y[2]), q = (x[0] - x[2]) * (y[0] - y[1]);
    double p = (x[0] - x[2]) * q - (x[0] - x[1]) * r, last = *e;
    q = 2 * (q - r);
    p = q > 0 ? -p : p;
    q = fabs(q);
    *e = d;
    if (fabs(last) > tolerance && fabs(p) < fabs(q * last / 2) && p > q * (left - x[0]) &&
        p < q * (right - x[0]))
        return p / q;
    *e = x[0] < (left + right) / 2 ? right - x[0] : left - x[0];
    return golden * *e;
}

static void insert(triple *t, double x, double y)
{
    int place = y <= t->y[0] ? 0 : y <= t->y[1] || t->x[1] == t->x[0] ? 1 : 2;
    for (int i = 2; i > place; i--)
        t->x[i] = t->x[i - 1], t->y[i] = t->y[i - 1];
    t->x[place] = x, t->y[place] = y;
}

static ng_status find_minimum(double *x, const search *s, double left, double start, double right)
{
    triple t = {{start, start, start}, {0, 0, 0}};
    double d = 0, e = 0, y;
    TRY(at(&y, s, start));
    t.y[0] = t.y[1] = t.y[2] = y;
    for (int i = 0; i < TRIES; i++) {
        double tolerance = 1e-9 * t.x[0] + 1e-12 * largest(s->spectrum), best = t.x[0];
        if (fabs(best - (left + right) / 2) <= 2 * tolerance - (right - left) / 2)
            break;
        d = minimum_step(&e, d, &t, left, right, tolerance);
        double next = best + (fabs(d) >= tolerance ? d : copysign(tolerance, d));
        TRY(at(&y, s, next));
        double *end = (y <= t.y[0]) == (next >= best) ? &left : &right;
        *end = y <= t.y[0] ? best : next;
        insert(&t, next, y);
    }
    *x = t.x[0];
    return NG_OK;
}

ng_status ngi_minimise_values(const ng_functional *f, ng_minimum *minimum, ng_mat spectrum,
                              double flat, ng_error *error)
{
    search s = {f, f->log_value, spectrum, error};
    double y[GRID], beta = 0;
    int varies, least = 0;
    TRY(values(y, &varies, f, spectrum, flat, error));
    for (int i = 1; i < GRID; i++)
        least = y[i] < y[least] ? i : least;
    double noise = 4 * DBL_EPSILON * (1 + fabs(y[least]));
    ng_verdict verdict = !varies                           ? NG_MINIMUM_FLAT
                         : y[0] - y[least] <= noise        ? NG_MINIMUM_ZERO
                         : y[GRID - 1] - y[least] <= noise ? NG_MINIMUM_INFINITY
                                                           : NG_MINIMUM_INTERIOR;
    if (verdict == NG_MINIMUM_INTERIOR)
        TRY(find_minimum(&beta, &s, grid(spectrum, least - 1), grid(spectrum, least),
                         grid(spectrum, least + 1)));
    minimum->verdict = verdict;
    minimum->beta = verdict == NG_MINIMUM_INFINITY ? HUGE_VAL : beta;
    return NG_OK;
}
