/* Which parameter of the model goes to which group. */
#include "lib/train/trainer/trainer.h"

#include <stdlib.h>

#include <natgrad/adamw.h>
#include <natgrad/policy.h>

#include "lib/core/try.h"

enum { BLOCKS = 8 };

static ng_model_param parameter(const ng_trainer *t, size_t i)
{
    ng_model_param p;
    ng_model_parameter(t->model, &p, i, NULL);
    return p;
}

static ng_model_linear layer(const ng_trainer *t, size_t i)
{
    ng_model_linear layer;
    ng_model_layer(t->model, &layer, i, NULL);
    return layer;
}

static ng_status add_rest(ng_trainer *t)
{
    ng_adamw_options adamw;
    if (t->rest != NULL)
        return NG_OK;
    ng_adamw_init(&adamw);
    return ng_optimizer_add_group(t->opt, &t->rest, t->o.rest != NULL ? t->o.rest : &adamw);
}

/* ---- Whole layers, for methods that ask for statistics -------------------------------- */

/* Of a whole layer, or in t->rest, made when there is one. */
static ng_status add_unless_captured(ng_trainer *t, size_t i)
{
    ng_model_param p = parameter(t, i);
    for (size_t k = 0; k < ng_model_layers(t->model); k++)
        if (!layer(t, k).shared && (layer(t, k).weight == i || layer(t, k).bias == i))
            return NG_OK;
    TRY(add_rest(t));
    return ng_group_add(t->rest, NULL, p.name, p.w, p.dw);
}

static ng_status add_layer(ng_trainer *t, size_t i)
{
    size_t index;
    ng_model_linear it = layer(t, i);
    ng_model_param w = parameter(t, it.weight);
    t->captured[i] = NG_MODEL_NONE;
    if (it.shared)
        return NG_OK;
    TRY(ng_group_add(t->captures, &index, w.name, w.w, w.dw));
    if (it.bias != NG_MODEL_NONE)
        TRY(ng_group_add_bias(t->captures, index, parameter(t, it.bias).w,
                              parameter(t, it.bias).dw));
    t->captured[i] = index;
    return NG_OK;
}

static ng_status add_layers(ng_trainer *t)
{
    TRY(ng_optimizer_add_group(t->opt, &t->group, t->o.method));
    t->captures = t->group;
    for (size_t i = 0; i < ng_model_layers(t->model); i++)
        TRY(add_layer(t, i));
    for (size_t i = 0; i < ng_model_parameters(t->model); i++)
        TRY(add_unless_captured(t, i));
    return NG_OK;
}

/* ---- Matrices ---------------------------------------------------------------------------- */

/* To the method's group or the other, by ng_policy; a fused weight that goes to the method goes
 * there block by block. */
static ng_status add_matrix(const ng_policy *policy, ng_model_param p)
{
    size_t outputs[BLOCKS];
    if (p.blocks == 1 || p.blocks > BLOCKS || policy->matrix == policy->rest ||
        ng_policy_elementwise(p.name, p.w))
        return ng_policy_add(policy, NULL, NULL, p.name, p.w, p.dw);
    for (size_t i = 0; i < p.blocks; i++)
        outputs[i] = p.w.rows / p.blocks;
    return ng_group_add_blocks(policy->matrix, NULL, p.name, p.w, p.dw, outputs, p.blocks,
                               NG_OUT_IN);
}

static ng_status add_matrices(ng_trainer *t)
{
    ng_policy policy;
    int alone = ng_method_elementwise(((const ngi_head *)t->o.method)->method);
    TRY(ng_optimizer_add_group(t->opt, &t->group, t->o.method));
    if (!alone)
        TRY(add_rest(t));
    ng_group *rest = alone ? t->group : t->rest;
    size_t output = layer(t, ng_model_layers(t->model) - 1).weight;
    ng_policy_rule last = {parameter(t, output).name, rest};
    ng_policy_init(&policy, t->group, rest);
    policy.rules = &last;
    policy.rule_count = 1;
    for (size_t i = 0; i < ng_model_parameters(t->model); i++)
        TRY(add_matrix(&policy, parameter(t, i)));
    return NG_OK;
}

ng_status ngi_trainer_assign(ng_trainer *t)
{
    return ng_options_want_capture(t->o.method) ? add_layers(t) : add_matrices(t);
}
