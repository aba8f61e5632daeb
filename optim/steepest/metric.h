/* A metric supplies linear maps for ng_steepest: whiten X = S^-1 M and its
 * adjoint un-whiten D = S^-T Y, from state it updates with each gradient. It
 * knows no ball. New metric = one file and one row in optim/registry.c. */
#ifndef NGI_METRIC_H
#define NGI_METRIC_H

#include <natgrad/linalg.h>
#include <natgrad/steepest.h>

#include "optim/front/method.h"

/* State tensors of ng_steepest and its metrics. LEFT belongs to the rows of
 * the view, RIGHT to its columns, whatever the layout. */
enum {
    MOMENTUM,
    LEFT_FACTOR,
    RIGHT_FACTOR,
    LEFT_ROOT,
    RIGHT_ROOT,
    LEFT_BASIS,
    RIGHT_BASIS,
    LEFT_PENDING,
    RIGHT_PENDING,
    DIAGONAL, /* of what a metric has between its bases */
    DIAGONAL_PENDING,
    AVERAGE_WEIGHT,
    GRAFT_MOMENT
};

typedef struct {
    /* adds the metric's state (optional: none) */
    ng_status (*create)(ngi_param *param, const ng_steepest_options *o, ng_error *error);
    /* scratch bytes of the slots below (optional: none) */
    size_t (*work)(const ngi_param *param, const ng_steepest_options *o);
    /* adds captured statistics, as in method.h; the metric needs them at every step (optional) */
    ng_status (*capture)(ngi_param *param, const ng_steepest_options *o, ng_mat a, ng_mat g,
                         double scale, ng_error *error);
    /* new state from the gradient g, dense, gradient_scale applied (optional) */
    ng_status (*update)(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error);
    /* x <- S^-1 x and y <- S^-T y with the new state, in place (optional: identity) */
    ng_status (*whiten)(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                        ng_work *work, ng_error *error);
    ng_status (*unwhiten)(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                          ng_work *work, ng_error *error);
    /* the same one side at a time, for the fused form (optional: not Kronecker) */
    ng_status (*whiten_side)(const ngi_param *param, const ng_steepest_options *o, ng_side side,
                             ng_mat x, ng_work *work, ng_error *error);
    ng_status (*unwhiten_side)(const ngi_param *param, const ng_steepest_options *o, ng_side side,
                               ng_mat y, ng_work *work, ng_error *error);
    /* are whiten and unwhiten the product of their sides under these options? (optional: yes) */
    int (*is_kronecker)(const ng_steepest_options *o);
} ngi_metric;

extern const ngi_metric ngi_metric_identity, ngi_metric_fismo, ngi_metric_kfac, ngi_metric_ekfac,
    ngi_metric_shampoo, ngi_metric_soap, ngi_metric_type2;

const ngi_metric *ngi_metric_find(ng_metric metric);

#endif
