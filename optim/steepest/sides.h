/* The two sides of a parameter's matrix, and the state that belongs to one of them. */
#ifndef NGI_SIDES_H
#define NGI_SIDES_H

#include "optim/steepest/metric.h"

/* Which copy: the state of the last step, or the newest there is. */
typedef enum { NGI_OLD, NGI_NEW } ngi_age;

/* The state's names on both sides; LEFT belongs to the rows of the view, RIGHT to its columns,
 * whatever the layout. */
typedef struct {
    const char *name[2];
} ngi_pair;

/* The side of the layer's outputs (factor P); the other one is its inputs (Q). */
static inline ng_side ngi_output_side(const ngi_param *param)
{
    return param->layout == NG_OUT_IN ? NG_LEFT : NG_RIGHT;
}

static inline ng_side ngi_other(ng_side side)
{
    return side == NG_LEFT ? NG_RIGHT : NG_LEFT;
}

static inline size_t ngi_side_length(const ngi_param *param, ng_side side)
{
    return side == NG_LEFT ? param->rows : param->cols;
}

/* The side without which one factor is left: the longer one, of equal ones the right one. */
static inline ng_side ngi_larger_side(const ngi_param *param)
{
    return param->rows > param->cols ? NG_LEFT : NG_RIGHT;
}

/* Does the parameter declare tensors of statistics on this side, or those whose inputs it shares?
 */
static inline int ngi_leads(const ngi_param *param, ng_side side)
{
    return param->leader == NULL || side == ngi_output_side(param);
}

static inline int ngi_has_own(const ngi_param *param, ngi_pair pair, ng_side side)
{
    return ngi_tensor_find(param, pair.name[side == NG_LEFT ? 0 : 1]) != NULL;
}

/* Its own or that of its inputs' leader. NULL: this side has none. */
static inline ngi_tensor *ngi_side_tensor(const ngi_param *param, ngi_pair pair, ng_side side)
{
    int led = !ngi_leads(param, side) && !ngi_has_own(param, pair, side);
    return ngi_tensor_find(led ? param->leader : param, pair.name[side == NG_LEFT ? 0 : 1]);
}

static inline void ngi_side_legal(ngi_param *param, ngi_pair pair, ngi_legal legal)
{
    ngi_tensor_legal(param, pair.name[0], legal);
    ngi_tensor_legal(param, pair.name[1], legal);
}

static inline ng_mat ngi_aged(const ngi_tensor *t, ngi_age age)
{
    return age == NGI_NEW ? ngi_newest(t) : t->now;
}

static inline ngi_rule ngi_rule_of(const ng_steepest_options *o)
{
    return ngi_metric_find(o->metric)->rule(o);
}

/* Are the factors scaled to mean eigenvalue 1? */
static inline int ngi_trace_scaled(const ng_steepest_options *o)
{
    ng_metric_scale scale = ngi_rule_of(o).metric_scale;
    return scale == NG_METRIC_SCALE_TRACE ||
           (scale == NG_METRIC_SCALE_AUTO && o->ball != NG_BALL_NONE);
}

#endif
