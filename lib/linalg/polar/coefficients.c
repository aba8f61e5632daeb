/* Coefficients of the odd quintics p(x) = a x + b x^3 + c x^5. */
#include "lib/linalg/polar/routes.h"

#include <math.h>
#include <string.h>

static const double muon[3] = {3.4445, -4.7750, 2.0315};

static const double five_step[5][3] = {{4.0848, -6.8946, 2.9270},
                                       {3.9505, -6.3029, 2.6377},
                                       {3.7418, -5.5913, 2.3037},
                                       {2.8769, -3.1427, 1.2046},
                                       {2.8366, -3.0525, 1.2012}};

static double evaluate(const double p[3], double x)
{
    return x * (p[0] + x * x * (p[1] + x * x * p[2]));
}

/* Solves the 4 x 4 system a z = y by elimination with pivoting; y <- z. */
static void solve4(double a[4][4], double y[4])
{
    for (int k = 0; k < 4; k++) {
        int pivot = k;
        for (int i = k + 1; i < 4; i++)
            pivot = fabs(a[i][k]) > fabs(a[pivot][k]) ? i : pivot;
        for (int j = 0; j < 4; j++) {
            double t = a[k][j];
            a[k][j] = a[pivot][j];
            a[pivot][j] = t;
        }
        double t = y[k];
        y[k] = y[pivot];
        y[pivot] = t;
        for (int i = k + 1; i < 4; i++) {
            double factor = a[i][k] / a[k][k];
            for (int j = k; j < 4; j++)
                a[i][j] -= factor * a[k][j];
            y[i] -= factor * y[k];
        }
    }
    for (int k = 4; k-- > 0;) {
        for (int j = k + 1; j < 4; j++)
            y[k] -= a[k][j] * y[j];
        y[k] /= a[k][k];
    }
}

/* p <- the odd quintic closest to 1 on [l, u] in the maximum norm (Remez): the error alternates
 * at l < q < r < u, where q and r are the extrema of p. */
static void minimax(double p[3], double l, double u)
{
    double q = (3 * l + u) / 4, r = (l + 3 * u) / 4, error = INFINITY;
    if (l / u >= 1 - 5e-6) { /* the limit l -> u: value 1, slope and curvature 0 at u */
        p[0] = 15 / 8.0 / u;
        p[1] = -10 / 8.0 / (u * u * u);
        p[2] = 3 / 8.0 / (u * u * u * u * u);
        return;
    }
    for (int round = 0; round < 100; round++) {
        double points[4] = {l, q, r, u}, system[4][4], y[4] = {1, 1, 1, 1};
        for (int i = 0; i < 4; i++) {
            double x = points[i];
            system[i][0] = x;
            system[i][1] = x * x * x;
            system[i][2] = x * x * x * x * x;
            system[i][3] = i % 2 == 0 ? 1 : -1;
        }
        solve4(system, y);
        memcpy(p, y, 3 * sizeof *p);
        if (fabs(y[3] - error) < 1e-15)
            break;
        error = y[3];
        double root = sqrt(fmax(9 * p[1] * p[1] - 20 * p[0] * p[2], 0));
        q = sqrt((-3 * p[1] - root) / (10 * p[2]));
        r = sqrt((-3 * p[1] + root) / (10 * p[2]));
    }
}

/* Polar Express (Amsel, Persson, Musco, Gower 2025, arXiv:2505.16932): each quintic is the best
 * for the interval the ones before lead to. Fits never start below a part (the cushion) of the
 * upper end, lest small singular values fall behind the large ones, and are recentred on 1. All but
 * the last are damped by 1.01, so that rounding above the upper end does no harm. */
static void polar_express(double (*p)[3], int steps, double l)
{
    const double cushion = 0.02407327424182761, safety = 1.01;
    double u = 1;
    for (int t = 0; t < steps; t++) {
        minimax(p[t], fmax(l, cushion * u), u);
        double centre = 2 / (evaluate(p[t], l) + evaluate(p[t], u));
        for (int i = 0; i < 3; i++)
            p[t][i] *= centre;
        l = evaluate(p[t], l);
        u = 2 - l;
    }
    for (int t = 0; t + 1 < steps; t++) {
        p[t][0] /= safety;
        p[t][1] /= pow(safety, 3);
        p[t][2] /= pow(safety, 5);
    }
}

ng_status ng_polar_coefficients(double (*coefficients)[3], ng_polar_iteration iteration, int steps,
                                double lower_bound, ng_error *error)
{
    if (coefficients == NULL || steps < 0 || steps > NGI_POLAR_MAX_STEPS ||
        !(lower_bound > 0 && lower_bound < 1))
        return ng_error_set(error, NG_EARG, "%d steps with lower bound %g", steps, lower_bound);
    switch (iteration) {
    case NG_ITERATION_POLAR_EXPRESS:
        polar_express(coefficients, steps, lower_bound);
        return NG_OK;
    case NG_ITERATION_MUON:
        for (int t = 0; t < steps; t++)
            memcpy(coefficients[t], muon, sizeof muon);
        return NG_OK;
    case NG_ITERATION_FIVE_STEP:
        for (int t = 0; t < steps; t++)
            memcpy(coefficients[t], five_step[t < 5 ? t : 4], sizeof five_step[0]);
        return NG_OK;
    }
    return ng_error_set(error, NG_EARG, "unknown iteration %d", (int)iteration);
}

int ngi_polar_steps(const ng_polar_options *options)
{
    if (options->steps > 0)
        return options->steps;
    return options->iteration == NG_ITERATION_POLAR_EXPRESS ? 8 : 5;
}
