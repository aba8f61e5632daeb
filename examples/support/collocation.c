#include "examples/support/collocation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/paper.h"
#include "examples/support/program.h"

/* ---- Classes of points --------------------------------------------------------------------- */

void collocation_open(collocation *c, const ng_smooth_options *net)
{
    ng_error error = {NG_OK, ""};
    ng_smooth *plan;
    ng_smooth_options o = *net;
    memset(c, 0, sizeof *c);
    o.max_batch = 1;
    paper_must(ng_smooth_create(&plan, &o, &error), &error);
    c->n = ng_smooth_count(plan);
    c->layers = o.layers;
    ng_smooth_destroy(plan);
    c->w = paper_mat(1, c->n);
    c->g = paper_mat(1, c->n);
    c->sum = paper_mat(1, c->n);
}

void collocation_add(collocation *c, const ng_smooth_options *net, ng_smooth_order order, ng_mat x,
                     size_t per, double weight, collocation_residual *residual, void *data)
{
    ng_error error = {NG_OK, ""};
    collocation_class *k = &c->classes[c->count++];
    ng_smooth_options o = *net;
    o.order = order;
    o.max_batch = x.rows;
    memset(k, 0, sizeof *k);
    paper_must(ng_smooth_create(&k->net, &o, &error), &error);
    size_t jets = ng_smooth_jet(k->net) * o.widths[o.layers - 1];
    k->residual = residual;
    k->data = data;
    k->per = per;
    k->weight = weight;
    k->x = x;
    k->jets = paper_mat(x.rows, jets);
    k->r = paper_mat(x.rows, per);
    k->seeds = paper_mat(x.rows, per * jets);
    k->part = paper_mat(x.rows, jets);
}

void collocation_close(collocation *c)
{
    ng_optimizer_destroy(c->opt);
    ng_residuals_destroy(c->res);
    c->opt = NULL;
    c->res = NULL;
    for (size_t i = 0; i < c->count; i++)
        ng_smooth_destroy(c->classes[i].net);
    c->count = 0;
}

/* r and seeds of a class at w: 0, or -1 where the net's numbers end */
static int look(collocation_class *k, ng_mat w)
{
    ng_error error = {NG_OK, ""};
    if (!ng_is_finite(w))
        return -1;
    ng_status status = ng_smooth_forward(k->net, k->jets, w, k->x, &error);
    if (status == NG_ERANGE)
        return -1;
    paper_must(status, &error);
    ng_fill(k->seeds, 0);
    for (size_t b = 0; b < k->x.rows; b++)
        k->residual((double *)k->r.data + b * k->per, (double *)k->seeds.data + b * k->seeds.stride,
                    (const double *)k->jets.data + b * k->jets.stride,
                    (const double *)k->x.data + b * k->x.stride, b, k->data);
    return 0;
}

double collocation_loss(collocation *c, ng_mat w)
{
    double sum = 0;
    for (size_t i = 0; i < c->count; i++) {
        collocation_class *k = &c->classes[i];
        if (look(k, w) != 0)
            return INFINITY;
        sum += k->weight * ng_dot(k->r, k->r) / 2;
    }
    return isfinite(sum) ? sum : (double)INFINITY;
}

/* part <- sum_i scale_bi seeds_i; scale: NULL, of ones */
static void mix(collocation_class *k, const double *scale)
{
    size_t jets = k->jets.cols;
    double *part = k->part.data;
    const double *seeds = k->seeds.data;
    for (size_t b = 0; b < k->x.rows; b++)
        for (size_t q = 0; q < jets; q++) {
            double sum = 0;
            for (size_t i = 0; i < k->per; i++)
                sum += (scale != NULL ? scale[b * k->per + i] : 1) *
                       seeds[(b * k->per + i) * jets + q];
            part[b * jets + q] = k->weight * sum;
        }
}

double collocation_gradient(collocation *c, ng_mat w)
{
    ng_error error = {NG_OK, ""};
    double loss = collocation_loss(c, w);
    ng_fill(c->g, 0);
    for (size_t i = 0; i < c->count && isfinite(loss); i++) {
        collocation_class *k = &c->classes[i];
        mix(k, k->r.data);
        paper_must(ng_smooth_gradient(k->net, c->sum, w, k->part, &error), &error);
        ng_axpby(c->g, c->sum, 1, 1, NULL);
    }
    return loss;
}

static size_t residuals(const collocation *c)
{
    size_t m = 0;
    for (size_t i = 0; i < c->count; i++)
        m += c->classes[i].x.rows * c->classes[i].per;
    return m;
}

void collocation_rows(collocation *c)
{
    ng_error error = {NG_OK, ""};
    if (c->res == NULL)
        paper_must(ng_residuals_create(&c->res, c->n, residuals(c), NULL, &error), &error);
    ng_residuals_clear(c->res);
    for (size_t i = 0; i < c->count; i++) {
        collocation_class *k = &c->classes[i];
        if (look(k, c->w) != 0)
            exit(program_end(program_error("the net has left the numbers")));
        for (size_t p = 0; p < k->per; p++) {
            ng_mat j, r,
                seeds = ng_mat_block(k->seeds, 0, p * k->jets.cols, k->x.rows, k->jets.cols);
            paper_must(ng_residuals_add(c->res, &j, &r, k->x.rows, k->weight, &error), &error);
            paper_must(ng_smooth_rows(k->net, j, c->w, seeds, &error), &error);
            ng_fill(ng_mat_block(j, 0, 0, j.rows, c->frozen), 0);
            for (size_t b = 0; b < k->x.rows; b++)
                ng_mat_set(r, 0, b, ng_mat_get(k->r, b, p));
        }
    }
}

/* ---- The residual form ------------------------------------------------------------------------
 */

static ng_status loss_at(void *data, double *loss, ng_mat w, ng_error *error)
{
    (void)error;
    *loss = collocation_loss(data, w);
    return NG_OK;
}

/* second <- second + a r(w + h v), in the order of the rows */
static ng_status add_along(collocation *c, ng_mat second, double a, ng_mat v, double h)
{
    double *out = second.data;
    ng_lincomb(c->sum, 1, c->w, h, v, NULL);
    for (size_t i = 0; i < c->count; i++) {
        collocation_class *k = &c->classes[i];
        if (look(k, c->sum) != 0)
            return NG_ERANGE;
        for (size_t p = 0; p < k->per; p++)
            for (size_t b = 0; b < k->x.rows; b++)
                *out++ += a * ng_mat_get(k->r, b, p);
    }
    return NG_OK;
}

/* Central differences over a hundredth of the step, at least as far as rounding asks for. */
static ng_status second_along(void *data, ng_mat second, ng_mat v, ng_error *error)
{
    collocation *c = data;
    double length = ng_norm(v), h = fmax(1e-2, 1e-4 * ng_norm(c->w) / (length > 0 ? length : 1));
    ng_fill(second, 0);
    if (add_along(c, second, 1 / (h * h), v, h) != NG_OK ||
        add_along(c, second, -2 / (h * h), v, 0) != NG_OK ||
        add_along(c, second, 1 / (h * h), v, -h) != NG_OK)
        return ng_error_set(error, NG_ERANGE, "the net has left the numbers");
    return NG_OK;
}

static void open_optimizer(collocation *c, const void *options)
{
    ng_optimizer_destroy(c->opt);
    paper_must(ng_optimizer_create(&c->opt, NULL), &(ng_error){NG_ENOMEM, "no memory"});
    if (ng_optimizer_add_group(c->opt, &c->group, options) != NG_OK)
        exit(program_end(program_error("%s", ng_optimizer_error(c->opt))));
}

static int must_opt(collocation *c, ng_status status)
{
    if (status == NG_ENOCONV || status == NG_ERANGE)
        return 0;
    if (status != NG_OK)
        exit(program_end(program_error("%s", ng_optimizer_error(c->opt))));
    return 1;
}

void collocation_natural(collocation *c, const ng_residual_options *options, int accelerated)
{
    const ng_residual_calls calls = {loss_at, accelerated ? second_along : NULL, c};
    collocation_rows(c);
    open_optimizer(c, options);
    must_opt(c, ng_group_add(c->group, NULL, "w", c->w, c->g));
    must_opt(c, ng_group_set_residuals(c->group, c->res, &calls));
    c->lm = options->damping_mode == NG_DAMPING_MODE_LM;
    c->lr = -1;
}

/* Rows once, then tries with more and more damping until the loss falls. */
static int step_naturally(collocation *c)
{
    collocation_rows(c);
    double before = ng_residuals_loss(c->res), after, damping;
    if (!c->lm)
        return must_opt(c, ng_optimizer_step(c->opt));
    for (int k = 0; k < 30; k++) {
        if (!must_opt(c, ng_optimizer_step(c->opt)))
            return 0;
        after = collocation_loss(c, c->w);
        must_opt(c, ng_group_adapt_damping(c->group, NULL, before, isinf(after) ? 1e300 : after));
        must_opt(c, ng_group_get(c->group, "damping", &damping));
        if (after < before)
            return 1;
        if (after == before)
            return 0;
    }
    return 0;
}

/* ---- First-order methods ------------------------------------------------------------------------
 */

void collocation_preset(collocation *c, const char *preset, double lr)
{
    ng_error error = {NG_OK, ""};
    void *options;
    paper_must(ng_options_new(&options, preset, &error), &error);
    open_optimizer(c, options);
    c->captures = ng_options_want_capture(options);
    ng_options_free(options);
    for (size_t l = 0; l < c->layers; l++) {
        char name[32];
        snprintf(name, sizeof name, "layer%zu", l + 1);
        must_opt(c, ng_group_add(c->group, NULL, name, ng_smooth_layer(c->classes[0].net, c->w, l),
                                 ng_smooth_layer(c->classes[0].net, c->g, l)));
    }
    c->lr = lr;
    c->lm = 0;
}

/* The factors of J, weights in their roots; the gradient stays in c->g. */
static void capture(collocation *c)
{
    ng_error error = {NG_OK, ""};
    for (size_t i = 0; i < c->count; i++) {
        collocation_class *k = &c->classes[i];
        mix(k, NULL);
        ng_scale(k->part, 1 / sqrt(k->weight));
        paper_must(ng_smooth_gradient(k->net, c->sum, c->w, k->part, &error), &error);
        for (size_t l = 0; l < c->layers; l++) {
            ng_mat a, g;
            paper_must(ng_smooth_factors(k->net, &a, &g, l, &error), &error);
            must_opt(c, ng_group_capture(c->group, l, a, g, 1));
        }
    }
}

int collocation_step(collocation *c, double share)
{
    if (c->lr < 0)
        return step_naturally(c);
    must_opt(c, ng_group_set(c->group, "lr",
                             c->lr * (1 + cos(3.14159265358979323846 * fmin(share, 1))) / 2));
    if (!isfinite(collocation_gradient(c, c->w)))
        return 0;
    if (c->captures)
        capture(c);
    return must_opt(c, ng_optimizer_step(c->opt));
}
