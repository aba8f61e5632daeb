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
    /* y <- the projection of x; may overwrite x */
    ng_status (*project)(ng_mat y, ngi_report *report, ng_mat x, const ng_steepest_options *o,
                         ng_work *work, ng_error *error);
    /* half (k x k) with project(X) = half^T half X from the Gram matrix of X's smaller side (lower
     * triangle); X half^T half where that is the right one. Only for balls that ignore the scale of
     * X: the caller scales X so that its squares are safe. Its work is covered by `work` (optional)
     */
    ng_status (*half_multiplier)(ng_mat half, ngi_report *report, ng_mat gram,
                                 const ng_steepest_options *o, ng_work *work, ng_error *error);
    /* does half_multiplier hold under these options? (present when it is) */
    int (*has_multiplier)(const ng_steepest_options *o);
} ngi_ball;

extern const ngi_ball ngi_ball_none, ngi_ball_frobenius, ngi_ball_spectral;

/* NULL beyond the last (optim/registry.c) */
const ngi_ball *ngi_ball_find(ng_ball ball);

#endif
