/* Geodesics as a system of 2n equations, (theta, velocity). */
#include <natgrad/lab/geodesic.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <natgrad/linalg.h>

#include "lib/core/try.h"

enum { MAX_STEPS = 100000 };

typedef struct {
    size_t n;
    double amari_alpha;
    ng_family_at family;
    void *data;
    double *f, *third, *state; /* n^2, n^3, 2n */
    ng_status status;          /* of the last failing callback */
    ng_error *error;
} path;

/* acceleration <- -(1 - a)/2 F^-1 kappa(v, v, .) */
static ng_status accelerate(path *p, double *acceleration, const double *theta, const double *v)
{
    size_t n = p->n;
    ng_mat f = ng_f64(p->f, n, n), row = ng_f64(acceleration, 1, n);
    TRY(p->family(p->data, f, p->third, theta, p->error));
    for (size_t c = 0; c < n; c++) {
        double sum = 0;
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; b < n; b++)
                sum += p->third[(c * n + a) * n + b] * v[a] * v[b];
        acceleration[c] = -0.5 * (1 - p->amari_alpha) * sum;
        if (!isfinite(sum))
            return ng_error_set(p->error, NG_ENONFINITE, "third cumulants are not finite");
    }
    TRY(ng_cholesky(f, NULL, f, p->error));
    TRY(ng_trsm(row, NG_RIGHT, f, NG_TRANS, 1, p->error));
    return ng_trsm(row, NG_RIGHT, f, NG_NOTRANS, 1, p->error);
}

static int slope(double t, const double y[], double dydt[], void *data)
{
    path *p = data;
    (void)t;
    memcpy(dydt, y + p->n, p->n * sizeof *dydt);
    p->status = accelerate(p, dydt + p->n, y, y + p->n);
    return p->status == NG_OK ? GSL_SUCCESS : GSL_EBADFUNC; /* the one that ends it all */
}

static ng_status integrate(path *p, double time, double tolerance, ng_error *error)
{
    double t = 0;
    gsl_odeiv2_system system = {slope, NULL, 2 * p->n, p};
    gsl_odeiv2_driver *driver = gsl_odeiv2_driver_alloc_y_new(&system, gsl_odeiv2_step_rk8pd,
                                                              0.01 * time, tolerance, tolerance);
    if (driver == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory to integrate %zu equations",
                            system.dimension);
    gsl_odeiv2_driver_set_nmax(driver, MAX_STEPS);
    int code = gsl_odeiv2_driver_apply(driver, &t, time, p->state);
    gsl_odeiv2_driver_free(driver);
    TRY(p->status);
    for (size_t i = 0; i < 2 * p->n && code == GSL_SUCCESS; i++)
        code = isfinite(p->state[i]) ? GSL_SUCCESS : GSL_FAILURE;
    return code == GSL_SUCCESS
               ? NG_OK
               : ng_error_set(error, NG_ENOCONV, "the geodesic stops at time %g of %g: %s", t, time,
                              code == GSL_EMAXITER ? "too many steps" : "steps too small");
}

static ng_status check(ng_mat theta, ng_mat velocity, double time, double amari_alpha,
                       double tolerance, ng_family_at family, ng_error *error)
{
    TRY(ng_mat_check(theta, "theta", error));
    TRY(ng_mat_check(velocity, "velocity", error));
    if (theta.dtype != NG_F64 || velocity.dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "theta and velocity must be NG_F64");
    if (theta.rows != 1 || velocity.rows != 1 || theta.cols != velocity.cols || theta.cols == 0)
        return ng_error_set(error, NG_ESHAPE, "theta is %zu x %zu, velocity %zu x %zu", theta.rows,
                            theta.cols, velocity.rows, velocity.cols);
    if (!ng_is_finite(theta) || !ng_is_finite(velocity))
        return ng_error_set(error, NG_ENONFINITE, "theta or velocity is not finite");
    if (family == NULL || !(time >= 0) || !isfinite(time) || !isfinite(amari_alpha) ||
        !(tolerance >= 1e-14 && tolerance <= 0.1))
        return ng_error_set(error, NG_EARG,
                            "time %g, amari_alpha %g, tolerance %g, or the family is NULL", time,
                            amari_alpha, tolerance);
    return NG_OK;
}

/* Allocates, integrates with GSL's handler off, and writes the result. */
static ng_status follow(path *p, ng_mat theta, ng_mat velocity, double time, double tolerance,
                        ng_error *error)
{
    const size_t n = p->n;
    if (n <= SIZE_MAX / sizeof(double) / n / n) {
        p->f = calloc(n * n, sizeof(double));
        p->third = calloc(n * n * n, sizeof(double));
        p->state = calloc(2 * n, sizeof(double));
    }
    if (p->f == NULL || p->third == NULL || p->state == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a family of %zu parameters", n);
    memcpy(p->state, theta.data, n * sizeof(double));
    memcpy(p->state + n, velocity.data, n * sizeof(double));
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    ng_status status = integrate(p, time, tolerance, error);
    gsl_set_error_handler(handler);
    TRY(status);
    memcpy(theta.data, p->state, n * sizeof(double));
    memcpy(velocity.data, p->state + n, n * sizeof(double));
    return NG_OK;
}

ng_status ng_geodesic_move(ng_mat theta, ng_mat velocity, double time, double amari_alpha,
                           double tolerance, ng_family_at family, void *data, ng_error *error)
{
    path p = {.n = theta.cols,
              .amari_alpha = amari_alpha,
              .family = family,
              .data = data,
              .error = error};
    TRY(check(theta, velocity, time, amari_alpha, tolerance, family, error));
    if (time == 0)
        return NG_OK;
    ng_status status = follow(&p, theta, velocity, time, tolerance, error);
    free(p.f);
    free(p.third);
    free(p.state);
    return status;
}
