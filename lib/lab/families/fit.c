/* Maximum likelihood by natural gradient: theta moves along F^-1 r, r = moments
 * - eta (Amari 1998; for an exponential family in natural coordinates this is
 * Newton's direction), with Armijo backtracking on the exact cross-entropy. */
#include "lib/lab/families/family.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

enum { HALVINGS_MAX = 60 };
static const double slope_factor = 1e-4, depth_min = 1e-12;

ng_status ng_fit_init_sized(ng_fit_options *options, size_t size)
{
    const ng_fit_options defaults = {
        .size = sizeof defaults,
        .method = NG_FIT_NATURAL,
        .backtracking = 1,
        .lr = 1,
        .tolerance = 1e-12,
        .max_steps = 100,
    };
    if (options == NULL || size != sizeof defaults)
        return NG_EOPTION;
    *options = defaults;
    return NG_OK;
}

typedef struct {
    ng_family *family;
    const ng_fit_options *options;
    const double *moments;
    /* n each: where the fit began; where it stands, and where it tries to go;
     * moments - eta; F^-1 of that; the direction of the step */
    double *start, *here, *trial, *residual, *natural, *direction;
    ng_mat fisher;
    double cross_entropy, decrement, lr;
    size_t step;
} fit;

static ng_status check_options(const ng_fit_options *o, ng_error *error)
{
    if (o->size != sizeof *o)
        return ng_error_set(error, NG_EOPTION, "size: %zu, call ng_fit_init first", o->size);
    if (o->method != NG_FIT_NATURAL && o->method != NG_FIT_GRADIENT)
        return ng_error_set(error, NG_EOPTION, "method: unknown method %d", (int)o->method);
    if (!(o->lr > 0 && isfinite(o->lr)))
        return ng_error_set(error, NG_EOPTION, "lr: %g, expected a number > 0", o->lr);
    if (!(o->tolerance > 0 && o->tolerance < 1))
        return ng_error_set(error, NG_EOPTION, "tolerance: %g, not in (0, 1)", o->tolerance);
    return NG_OK;
}

static ng_status allocate(fit *w, ng_error *error)
{
    const size_t n = w->family->n;
    if (n <= SIZE_MAX / sizeof(double) / (n + 6))
        w->start = malloc((6 + n) * n * sizeof(double));
    if (w->start == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a fit of %zu parameters", n);
    double **cut[] = {&w->here, &w->trial, &w->residual, &w->natural, &w->direction};
    for (size_t k = 0; k < sizeof cut / sizeof *cut; k++)
        *cut[k] = w->start + (k + 1) * n;
    w->fisher = ng_f64(w->start + 6 * n, n, n);
    memcpy(w->start, w->family->theta, n * sizeof(double));
    return NG_OK;
}

static double dot(const double *x, const double *y, size_t n)
{
    double sum = 0;
    for (size_t a = 0; a < n; a++)
        sum += x[a] * y[a];
    return sum;
}

/* natural, the residual so far, <- F^-1 residual; decrement */
static ng_status solve(fit *w, ng_error *error)
{
    ng_mat x = ng_f64(w->natural, 1, w->family->n);
    TRY(ng_family_fisher(w->family, w->fisher, error));
    TRY(ng_cholesky(w->fisher, NULL, w->fisher, error));
    TRY(ng_trsm(x, NG_RIGHT, w->fisher, NG_TRANS, 1, error));
    w->decrement = sqrt(dot(w->natural, w->natural, w->family->n));
    return ng_trsm(x, NG_RIGHT, w->fisher, NG_NOTRANS, 1, error);
}

/* Residual, natural <- F^-1 residual, decrement, direction at the family's theta. */
static ng_status look(fit *w, ng_error *error)
{
    const size_t n = w->family->n;
    memcpy(w->here, w->family->theta, n * sizeof(double));
    for (size_t a = 0; a < n; a++)
        w->residual[a] = w->natural[a] = w->moments[a] - w->family->eta[a];
    TRY(ng_family_cross_entropy(w->family, &w->cross_entropy, w->moments, error));
    ng_status status = solve(w, error);
    if (status == NG_ESINGULAR)
        return ng_error_set(error, status,
                            "step %zu: the Fisher matrix is not positive definite "
                            "to rounding, cross-entropy %g",
                            w->step, w->cross_entropy);
    TRY(status);
    if (!ng_is_finite(ng_f64(w->natural, 1, n)))
        return ng_error_set(error, NG_ESINGULAR, "step %zu: the natural gradient overflows",
                            w->step);
    memcpy(w->direction, w->options->method == NG_FIT_NATURAL ? w->natural : w->residual,
           n * sizeof(double));
    return NG_OK;
}

/* From inside the possible moments no direction sees the target at the edge;
 * on the edge the steps turn into the direction that does. Spoils the family. */
static ng_status check_depth(fit *w, const double *u, ng_error *error)
{
    double depth = w->family->kind->depth(w->family, w->moments, u);
    if (depth > depth_min)
        return NG_OK;
    return ng_error_set(error, NG_EBOUNDARY,
                        "moments on the boundary of the %s family or outside (depth %.3g, seen at "
                        "step %zu): the likelihood has no maximum",
                        w->family->kind->name, depth, w->step);
}

static int monitored(const fit *w)
{
    const ng_fit_event event = {
        .size = sizeof event,
        .step = w->step,
        .theta = w->family->theta,
        .mean = w->family->eta,
        .cross_entropy = w->cross_entropy,
        .decrement = w->decrement,
        .lr = w->lr,
    };
    return w->options->monitor != NULL && w->options->monitor(w->options->data, &event) != 0;
}

/* Moves the family by lr along the direction; 1 if the likelihood agrees. Near
 * the maximum the fall drowns in rounding, so a rise as small is let pass. */
static int try_step(fit *w, double lr, ng_status *status, ng_error *error)
{
    const size_t n = w->family->n;
    double value, slope = dot(w->residual, w->direction, n);
    double slack = 16 * DBL_EPSILON * (1 + fabs(w->cross_entropy));
    for (size_t a = 0; a < n; a++)
        w->trial[a] = w->here[a] + lr * w->direction[a];
    *status = ng_family_set(w->family, w->trial, error);
    if (*status != NG_OK)
        return 0; /* outside the domain */
    ng_family_cross_entropy(w->family, &value, w->moments, NULL);
    return value <= w->cross_entropy - slope_factor * lr * slope + slack;
}

static ng_status advance(fit *w, ng_error *error)
{
    ng_status status;
    double lr = w->options->lr;
    for (int k = 0; k <= HALVINGS_MAX; k++, lr /= 2) {
        int good = try_step(w, lr, &status, w->options->backtracking ? NULL : error);
        if (good || !w->options->backtracking) {
            w->lr = lr;
            w->step++;
            return status;
        }
    }
    return ng_error_set(error, NG_ENOCONV,
                        "step %zu: no step down to %g lowers the cross-entropy "
                        "%.17g, decrement %g",
                        w->step + 1, 2 * lr, w->cross_entropy, w->decrement);
}

/* Was it on the way to the boundary that F became singular? *error says it is. */
static ng_status explain_singular(fit *w, ng_error *error)
{
    ng_error edge = {NG_OK, ""};
    for (size_t a = 0; a < w->family->n; a++)
        w->trial[a] = w->here[a] - w->start[a];
    if (check_depth(w, w->trial, &edge) != NG_OK)
        return ng_error_set(error, edge.status, "%s", edge.text);
    return NG_ESINGULAR;
}

static ng_status run(fit *w, ng_error *error)
{
    for (;;) {
        ng_status status = look(w, error);
        if (status == NG_ESINGULAR)
            return explain_singular(w, error);
        TRY(status);
        if (monitored(w))
            return ng_error_set(error, NG_STOPPED, "step %zu: the monitor asked to stop", w->step);
        if (w->decrement <= w->options->tolerance)
            return NG_OK;
        if (w->step == w->options->max_steps)
            return ng_error_set(error, NG_ENOCONV, "%zu steps: decrement %g, tolerance %g", w->step,
                                w->decrement, w->options->tolerance);
        TRY(check_depth(w, w->natural, error));
        TRY(advance(w, error));
    }
}

ng_status ng_family_fit(ng_family *family, size_t *steps, const double *moments,
                        const ng_fit_options *options, ng_error *error)
{
    ng_fit_options defaults;
    ng_fit_init(&defaults);
    fit w = {
        .family = family, .options = options != NULL ? options : &defaults, .moments = moments};
    double unused;
    TRY(ng_family_cross_entropy(family, &unused, moments, error));
    TRY(check_options(w.options, error));
    TRY(allocate(&w, error));
    ng_status status = run(&w, error);
    if (status < NG_OK) /* set succeeded there once */
        ng_family_set(family, w.start, NULL);
    else if (steps != NULL)
        *steps = w.step;
    free(w.start);
    return status;
}
