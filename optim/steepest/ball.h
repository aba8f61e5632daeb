/* A ball supplies the projection of ng_steepest, Y = argmax <X, Y> over its
 * unit sphere. It knows no metric. New ball = one file, a value of enum ng_ball and a
 * row in optim/registry.c; with options of its own also natgrad/ball/NAME.h. */
#ifndef NGI_BALL_H
#define NGI_BALL_H

#include <natgrad/linalg.h>
#include <natgrad/steepest.h>

#include "optim/front/method.h"

typedef struct {
    const char *name;
    const ng_option *options; /* as in metric.h (optional: none) */
    int unit;                 /* Y has length one, whatever X's: ng_steepest rests at a floor */
    /* how far a step of length one goes in a layer with outputs x inputs weights (optional: lr) */
    double (*step_size)(double outputs, double inputs, const ng_steepest_options *o);
    /* scratch bytes for an m x n matrix (optional: none) */
    size_t (*work)(size_t m, size_t n, ng_dtype dtype, const ng_steepest_options *o);
    /* y <- the projection of x, whose rows (NG_LEFT) or columns belong to the layer's outputs. work
     * NULL: it allocates for itself */
    ng_status (*project)(ng_mat y, ngi_report *report, ng_mat x, ng_side outputs,
                         const ng_steepest_options *o, ng_work *work, ng_error *error);
    /* k (both triangles) <- S^-T F S^-1 where F X = project(X) for X = S^-1 Z, P = S S^T its
     * factor on that side (lower triangle; no data: the identity) and a = Z Q^-1 Z^T with the
     * other side's: S is not needed. bound > 0: not less than the largest eigenvalue of P^-1 a.
     * Only for balls that ignore the scale of X (optional) */
    ng_status (*multiplier)(ng_mat k, ngi_report *report, ng_mat a, ng_mat p, double bound,
                            const ng_steepest_options *o, ng_work *work, ng_error *error);
    /* scratch bytes of that for an n x n one (present when it is) */
    size_t (*multiplier_work)(size_t n, ng_dtype dtype);
    /* does it hold under these options? (present when it is) */
    int (*has_multiplier)(const ng_steepest_options *o);
} ngi_ball;

extern const ngi_ball ngi_ball_none, ngi_ball_frobenius, ngi_ball_spectral, ngi_ball_sign,
    ngi_ball_rows, ngi_ball_columns;

/* y <- x with each of its rows (NG_LEFT) or columns to norm 1; 0 stays 0 */
ng_status ngi_unit_lines(ng_mat y, ng_mat x, ng_side side, ng_error *error);

/* NULL beyond the last (optim/registry.c) */
const ngi_ball *ngi_ball_find(ng_ball ball);

#endif
