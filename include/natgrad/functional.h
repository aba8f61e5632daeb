/* natgrad/functional.h: models tau(beta) of how long learning under the metric
 * g = F^2 + beta F takes, as functions of the spectrum of F alone, and where
 * over beta >= 0 they are least.
 *
 * With eigenvalues lambda_k of F those of g are mu_k = lambda_k (lambda_k +
 * beta). Which beta is best depends on the model, so a number that follows from
 * one is worth nothing without the model's name: under most of those below no
 * beta > 0 is best.
 *
 * Spectra are 1 x n, n >= 1, NG_F64, ascending, finite and > 0 (else NG_ESHAPE,
 * NG_EDTYPE, NG_EARG, NG_ENONFINITE, NG_ESINGULAR).
 * Source: the functional A, arXiv:2603.09067; the others are the candidates for
 * alternatives to it. */
#ifndef NATGRAD_FUNCTIONAL_H
#define NATGRAD_FUNCTIONAL_H

#include <natgrad/mat.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where on 0 <= beta <= 1e8 lambda_max the smallest tau lies. */
typedef enum {
    NG_MINIMUM_INTERIOR = 0, /* at a finite beta > 0 */
    NG_MINIMUM_ZERO = 1,     /* at beta = 0 */
    NG_MINIMUM_INFINITY = 2, /* tau still decreases at the end */
    NG_MINIMUM_FLAT = 3      /* tau varies by less than 1e-12 of itself */
} ng_verdict;

/* "interior", "at 0", "at infinity", "flat"; "unknown" for anything else. */
NG_API const char *ng_verdict_name(ng_verdict verdict);

typedef struct {
    ng_verdict verdict;
    double beta; /* where; 0 if flat, HUGE_VAL if at infinity */
} ng_minimum;

/* A functional. Callers may fill in their own: the callbacks get it as their
 * first argument, and lambda[0 ... n-1] ascending, > 0, and beta >= 0. */
typedef struct ng_functional ng_functional;
struct ng_functional {
    const char *name;
    /* log tau(beta) */
    double (*log_value)(const ng_functional *self, const double *lambda, size_t n, double beta);
    /* (optional) d log tau / d beta; its sign matters, so avoid cancellation */
    double (*slope)(const ng_functional *self, const double *lambda, size_t n, double beta);
    /* (optional) the verdict in closed form; *beta as in ng_minimum, for interior alone */
    ng_verdict (*closed)(const ng_functional *self, double *beta, const double *lambda, size_t n);
    const char *domain; /* verdicts over beta >= 0 and when they hold */
    const char *doc;    /* the formula of tau */
    const void *data;   /* the callbacks' own */
};

/* Built in: A, condition, slowest, trace, slowest_natural, condition_natural,
 * product_natural. Number 0 is A: tau = cond(g) rho(g), interior at lambda_max - 2
 * lambda_min iff cond(F) > 2. NULL from ng_functional_count() on. */
NG_API size_t ng_functional_count(void);
NG_API const ng_functional *ng_functional_get(size_t index);

/* The one of that name, or NULL. */
NG_API const ng_functional *ng_functional_find(const char *name);

/* *log_tau = log tau(beta), beta >= 0. NG_ERANGE if it is not finite. */
NG_API ng_status ng_functional_log_value(const ng_functional *f, double *log_tau, ng_mat spectrum,
                                         double beta, ng_error *error);

/* The closed form. NG_EUNSUPPORTED if the functional has none. */
NG_API ng_status ng_functional_closed(const ng_functional *f, ng_minimum *minimum, ng_mat spectrum,
                                      ng_error *error);

/* The same by search: signs of the slope on beta = 0 and 25 decades up to
 * 1e8 lambda_max, four points a decade, then Brent's root finder; of several
 * minima the lowest. Right to rounding of the slope. NG_EUNSUPPORTED without a
 * slope, NG_ERANGE if a callback returns NaN or infinity. */
NG_API ng_status ng_functional_minimise(const ng_functional *f, ng_minimum *minimum,
                                        ng_mat spectrum, ng_error *error);

/* The same from values alone: the smallest of that grid, then Brent's
 * minimiser. A minimum is as sharp as the square root of the rounding of
 * log tau allows, about 1e-7 lambda_max; nearer to 0 than that it is at 0. */
NG_API ng_status ng_functional_minimise_values(const ng_functional *f, ng_minimum *minimum,
                                               ng_mat spectrum, ng_error *error);

/* The best of the three that the functional has, in that order. */
NG_API ng_status ng_functional_minimum(const ng_functional *f, ng_minimum *minimum, ng_mat spectrum,
                                       ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
