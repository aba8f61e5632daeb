/* The table of functionals. With M, m the largest and smallest eigenvalue of F,
 * cond(g) = M (M + beta) / (m (m + beta)), rho(g) = M (M + beta); with Hessian F
 * the modes of g^-1 F are 1 / (lambda + beta). */
#include <natgrad/functional.h>

#include <math.h>
#include <string.h>

#include "lib/core/try.h"
#include "lib/geometry/spectrum.h"

/* Less than this part of tau is no variation. */
static const double flat = 1e-12;

const char *ng_verdict_name(ng_verdict verdict)
{
    static const char *const names[] = {[NG_MINIMUM_INTERIOR] = "interior",
                                        [NG_MINIMUM_ZERO] = "at 0",
                                        [NG_MINIMUM_INFINITY] = "at infinity",
                                        [NG_MINIMUM_FLAT] = "flat"};
    return (unsigned)verdict < sizeof names / sizeof *names ? names[verdict] : "unknown";
}

/* log((M + beta) / (m + beta)), accurate near 0 */
static double log_ratio(const double *lambda, size_t n, double beta)
{
    return log1p((lambda[n - 1] - lambda[0]) / (lambda[0] + beta));
}

/* its derivative */
static double ratio_slope(const ng_functional *self, const double *lambda, size_t n, double beta)
{
    (void)self;
    return (lambda[0] - lambda[n - 1]) / (lambda[n - 1] + beta) / (lambda[0] + beta);
}

static double slowest_slope(const ng_functional *self, const double *lambda, size_t n, double beta)
{
    (void)self;
    return 1 / (lambda[n - 1] + beta);
}

static ng_verdict at_zero(const ng_functional *self, double *beta, const double *lambda, size_t n)
{
    (void)self, (void)beta, (void)lambda, (void)n;
    return NG_MINIMUM_ZERO;
}

/* the whole variation of the ratio is from M / m to 1 */
static ng_verdict at_infinity(const ng_functional *self, double *beta, const double *lambda,
                              size_t n)
{
    (void)self, (void)beta;
    return log_ratio(lambda, n, 0) < flat ? NG_MINIMUM_FLAT : NG_MINIMUM_INFINITY;
}

/* (M + beta)^2 / (m + beta) times anything without beta */
static double product_slope(const ng_functional *self, const double *lambda, size_t n, double beta)
{
    (void)self;
    double largest = lambda[n - 1], least = lambda[0];
    return (beta - (largest - 2 * least)) / (largest + beta) / (least + beta);
}

static ng_verdict product_closed(const ng_functional *self, double *beta, const double *lambda,
                                 size_t n)
{
    (void)self;
    *beta = lambda[n - 1] - 2 * lambda[0];
    return *beta > 0 ? NG_MINIMUM_INTERIOR : NG_MINIMUM_ZERO;
}

static double product_natural(const ng_functional *self, const double *lambda, size_t n,
                              double beta)
{
    (void)self;
    return log_ratio(lambda, n, beta) + log(lambda[n - 1] + beta);
}

static double condition_times_radius(const ng_functional *self, const double *lambda, size_t n,
                                     double beta)
{
    return 2 * log(lambda[n - 1]) - log(lambda[0]) + product_natural(self, lambda, n, beta);
}

static double condition(const ng_functional *self, const double *lambda, size_t n, double beta)
{
    (void)self;
    return log_ratio(lambda, n, 0) + log_ratio(lambda, n, beta);
}

static double condition_natural(const ng_functional *self, const double *lambda, size_t n,
                                double beta)
{
    (void)self;
    return log_ratio(lambda, n, beta);
}

static double slowest(const ng_functional *self, const double *lambda, size_t n, double beta)
{
    (void)self;
    return log(lambda[n - 1]) + log(lambda[n - 1] + beta);
}

static double slowest_natural(const ng_functional *self, const double *lambda, size_t n,
                              double beta)
{
    (void)self;
    return log(lambda[n - 1] + beta);
}

/* sum x (x + beta/M) and sum x over x = lambda/M */
static void trace_sums(double *g, double *f, const double *lambda, size_t n, double beta)
{
    double unit = lambda[n - 1];
    *g = *f = 0;
    for (size_t k = 0; k < n; k++) {
        double x = lambda[k] / unit;
        *g += x * (x + beta / unit);
        *f += x;
    }
}

static double trace(const ng_functional *self, const double *lambda, size_t n, double beta)
{
    double g, f;
    (void)self;
    trace_sums(&g, &f, lambda, n, beta);
    return log(g) + 2 * log(lambda[n - 1]);
}

static double trace_slope(const ng_functional *self, const double *lambda, size_t n, double beta)
{
    double g, f;
    (void)self;
    trace_sums(&g, &f, lambda, n, beta);
    return f / g / lambda[n - 1];
}

static const char interior[] = "interior at lambda_max - 2 lambda_min iff cond(F) > 2, else at 0";
static const char zero[] = "at 0 always";
static const char infinity[] = "at infinity; flat if cond(F) = 1";

static const ng_functional functionals[] = {
    {.name = "A",
     .log_value = condition_times_radius,
     .slope = product_slope,
     .closed = product_closed,
     .domain = interior,
     .doc = "cond(g) rho(g): condition number times slowest mode, isotropic loss"},
    {.name = "condition",
     .log_value = condition,
     .slope = ratio_slope,
     .closed = at_infinity,
     .domain = infinity,
     .doc = "cond(g)"},
    {.name = "slowest",
     .log_value = slowest,
     .slope = slowest_slope,
     .closed = at_zero,
     .domain = zero,
     .doc = "rho(g): the slowest mode, isotropic loss"},
    {.name = "trace",
     .log_value = trace,
     .slope = trace_slope,
     .closed = at_zero,
     .domain = zero,
     .doc = "tr g"},
    {.name = "slowest_natural",
     .log_value = slowest_natural,
     .slope = slowest_slope,
     .closed = at_zero,
     .domain = zero,
     .doc = "lambda_max + beta: the slowest mode, Hessian F"},
    {.name = "condition_natural",
     .log_value = condition_natural,
     .slope = ratio_slope,
     .closed = at_infinity,
     .domain = infinity,
     .doc = "(lambda_max + beta)/(lambda_min + beta): condition number, Hessian F"},
    {.name = "product_natural",
     .log_value = product_natural,
     .slope = product_slope,
     .closed = product_closed,
     .domain = interior,
     .doc = "(lambda_max + beta)^2/(lambda_min + beta): condition times slowest mode, Hessian F"},
};

enum { FUNCTIONALS = sizeof functionals / sizeof *functionals };

size_t ng_functional_count(void)
{
    return FUNCTIONALS;
}

const ng_functional *ng_functional_get(size_t index)
{
    return index < FUNCTIONALS ? &functionals[index] : NULL;
}

const ng_functional *ng_functional_find(const char *name)
{
    for (size_t i = 0; i < FUNCTIONALS && name != NULL; i++)
        if (strcmp(functionals[i].name, name) == 0)
            return &functionals[i];
    return NULL;
}

ng_status ngi_spectrum_check(ng_mat spectrum, ng_error *error)
{
    const double *lambda = spectrum.data;
    TRY(ng_mat_check(spectrum, "spectrum", error));
    if (spectrum.rows != 1 || spectrum.cols == 0)
        return ng_error_set(error, NG_ESHAPE, "spectrum is %zu x %zu, expected 1 x n",
                            spectrum.rows, spectrum.cols);
    if (spectrum.dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "spectrum is f32, expected f64");
    for (size_t k = 0; k < spectrum.cols; k++) {
        if (!isfinite(lambda[k]))
            return ng_error_set(error, NG_ENONFINITE, "eigenvalue %zu is %g", k, lambda[k]);
        if (!(lambda[k] > 0))
            return ng_error_set(error, NG_ESINGULAR, "eigenvalue %zu is %g", k, lambda[k]);
        if (k > 0 && lambda[k] < lambda[k - 1])
            return ng_error_set(error, NG_EARG,
                                "eigenvalue %zu is %g, less than that before it, %g", k, lambda[k],
                                lambda[k - 1]);
    }
    return NG_OK;
}

/* functional and spectrum of a call */
static ng_status check(const ng_functional *f, const void *result, ng_mat spectrum, ng_error *error)
{
    if (f == NULL || f->name == NULL || f->log_value == NULL || result == NULL)
        return ng_error_set(error, NG_EARG, "functional or result is NULL");
    return ngi_spectrum_check(spectrum, error);
}

ng_status ng_functional_log_value(const ng_functional *f, double *log_tau, ng_mat spectrum,
                                  double beta, ng_error *error)
{
    double y;
    TRY(check(f, log_tau, spectrum, error));
    if (!(beta >= 0 && isfinite(beta)))
        return ng_error_set(error, NG_EARG, "beta is %g, expected >= 0", beta);
    TRY(ngi_evaluate(&y, f, f->log_value, spectrum, beta, error));
    *log_tau = y;
    return NG_OK;
}

ng_status ng_functional_closed(const ng_functional *f, ng_minimum *minimum, ng_mat spectrum,
                               ng_error *error)
{
    double beta = 0;
    TRY(check(f, minimum, spectrum, error));
    if (f->closed == NULL)
        return ng_error_set(error, NG_EUNSUPPORTED, "functional %s: no closed form", f->name);
    minimum->verdict = f->closed(f, &beta, spectrum.data, spectrum.cols);
    minimum->beta = minimum->verdict == NG_MINIMUM_INTERIOR   ? beta
                    : minimum->verdict == NG_MINIMUM_INFINITY ? HUGE_VAL
                                                              : 0;
    return NG_OK;
}

ng_status ng_functional_minimise(const ng_functional *f, ng_minimum *minimum, ng_mat spectrum,
                                 ng_error *error)
{
    TRY(check(f, minimum, spectrum, error));
    if (f->slope == NULL)
        return ng_error_set(error, NG_EUNSUPPORTED, "functional %s: no slope", f->name);
    return ngi_minimise_slope(f, minimum, spectrum, flat, error);
}

ng_status ng_functional_minimise_values(const ng_functional *f, ng_minimum *minimum,
                                        ng_mat spectrum, ng_error *error)
{
    TRY(check(f, minimum, spectrum, error));
    return ngi_minimise_values(f, minimum, spectrum, flat, error);
}

ng_status ng_functional_minimum(const ng_functional *f, ng_minimum *minimum, ng_mat spectrum,
                                ng_error *error)
{
    return f != NULL && f->closed != NULL ? ng_functional_closed(f, minimum, spectrum, error)
           : f != NULL && f->slope != NULL
               ? ng_functional_minimise(f, minimum, spectrum, error)
               : ng_functional_minimise_values(f, minimum, spectrum, error);
}
