/* A metric supplies linear maps for ng_steepest: whiten X = S^-1 M and its
 * adjoint un-whiten D = S^-T Y, from state it updates with each gradient. It
 * knows no ball. New metric = one file, its header in natgrad/metric/ and a line
 * of natgrad/metric/list.h. */
#ifndef NGI_METRIC_H
#define NGI_METRIC_H

#include <natgrad/linalg.h>
#include <natgrad/steepest.h>

#include "optim/front/method.h"

/* What of its options a metric with factors lets the shared parts know (factors.h, gram.h,
 * statistics.h, eigenbases.h); what a part does not read may be left out. */
typedef struct {
    ng_root root;
    ng_root wide; /* instead of inverse where the factor is in double and the weights are not */
    ng_metric_scale metric_scale;
    ng_one_sided one_sided;
    ng_factor_dtype factor_dtype;
    ng_factor_start factor_start;
    double ema_decay, damping, refresh_tolerance;
    int update_interval, inverse_interval;
    int rank; /* of the larger side's factor, 0: it is whole */
    int separate_roots; /* a side's root is a matter of its own factor alone */
    int in_commit;      /* factors have no spare copies: commit averages once more (statistics.h) */
} ngi_rule;

typedef struct {
    const char *name;
    /* of ng_steepest_options, the fields of its own struct; ends with name = NULL (optional: none)
     */
    const ng_option *options;
    /* combinations the tables cannot express (optional) */
    ng_status (*check)(const ng_steepest_options *o, ng_error *error);
    /* (present where shared parts are used) */
    ngi_rule (*rule)(const ng_steepest_options *o);
    /* adds the metric's state (optional: none) */
    ng_status (*create)(ngi_param *param, const ng_steepest_options *o, ng_error *error);
    /* scratch bytes of update (optional: none) */
    size_t (*work)(const ngi_param *param, const ng_steepest_options *o);
    /* and of whiten and unwhiten (optional: none) */
    size_t (*turn_work)(const ngi_param *param, const ng_steepest_options *o);
    /* scratch bytes of solve_side on either side and of factor_side on that one, whose result is
     * not counted (optional: none) */
    size_t (*side_work)(const ngi_param *param, const ng_steepest_options *o, ng_side side);
    /* captured statistics, as in method.h; a metric that has these slots needs them (optional) */
    ng_status (*check_capture)(const ngi_param *param, const ng_steepest_options *o, ng_mat a,
                               ng_mat g, double scale, ng_error *error);
    size_t (*capture_work)(const ngi_param *param, const ng_steepest_options *o, size_t rows);
    void (*capture)(ngi_param *param, const ng_steepest_options *o, ng_mat a, ng_mat g,
                    double scale, ng_work *work);
    /* are the statistics there that update is due to read? NG_ENODATA (optional: yes) */
    ng_status (*ready)(const ngi_param *param, const ng_steepest_options *o, ng_error *error);
    /* new state from the gradient g, dense, gradient_scale applied (optional) */
    ng_status (*update)(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error);
    /* what of the state has no spare copy; cannot fail (optional: nothing) */
    void (*commit)(ngi_param *param, const ng_steepest_options *o);
    /* x <- S^-1 x and y <- S^-T y with the new state, in place (optional: identity) */
    ng_status (*whiten)(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                        ng_work *work, ng_error *error);
    ng_status (*unwhiten)(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                          ng_work *work, ng_error *error);
    /* for the fused form, with the new state: the factor of a side, a view of its own or taken from
     * work, lower triangle, in W's dtype; no data where it is the identity (optional: not
     * Kronecker) */
    ng_status (*factor_side)(ng_mat *factor, const ngi_param *param, const ng_steepest_options *o,
                             ng_side side, ng_work *work, ng_error *error);
    /* z <- P^-1 x or x Q^-1; x has any number of columns, or rows (present when factor_side is) */
    ng_status (*solve_side)(ng_mat z, const ngi_param *param, const ng_steepest_options *o,
                            ng_side side, ng_mat x, ng_work *work, ng_error *error);
    /* are whiten and unwhiten the product of their sides under these options? (optional: yes) */
    int (*is_kronecker)(const ng_steepest_options *o);
} ngi_metric;

extern const ngi_metric ngi_metric_identity;
#define NGI_METRIC_EXTERN(NAME, name) extern const ngi_metric ngi_metric_##name;
NG_METRIC_LIST(NGI_METRIC_EXTERN)
#undef NGI_METRIC_EXTERN

/* NULL beyond the last (optim/registry.c) */
const ngi_metric *ngi_metric_find(ng_metric metric);

/* The checks of most metrics: momentum is averaged in gradient space; or it is not, and roots are
 * symmetric. NG_EOPTION; what: whose rule it is, "soap" or "damping_kind = exact_eigen". */
ng_status ngi_check_gradient_space(const ng_steepest_options *o, const char *what, ng_error *error);
ng_status ngi_check_whitened_root(const ng_steepest_options *o, ng_root root, ng_error *error);

#endif
