/* What gradient descent and natural gradient do with the modes of the tangent kernel: a net of
 * 4,096 units on ten points of a circle, squared loss. */
#include "examples/wide_networks/wide.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <natgrad/natural.h>
#include <natgrad/sgd.h>

#include "examples/support/program.h"

enum { POINTS = 10, WIDE = 4096, PLANE = 2, STEPS = 400, PARAMETERS = WIDE * (PLANE + 1) };
static const double natural_lr = 0.02;
static const double start_at = 0.001; /* small: as linear as infinite width */

typedef struct {
    ng_mat x, y, u, v, du, dv; /* du, dv: the gradient's two parts of g */
    ng_mat out, j, g;          /* 1 x k, k x P, 1 x P */
    ng_mat values, vectors;    /* of J J^T where it begins */
    ng_mat start, modes;       /* residuals in its eigenbasis: 1 x k */
    ng_optimizer *opt;
} run;

/* out <- residuals, modes, and g */
static void look(run *r)
{
    nets_shallow(r->out, r->j, r->u, r->v, r->x);
    ng_axpby(r->out, r->y, -1, 1, NULL);
    ng_gemm(r->g, r->out, NG_NOTRANS, r->j, NG_NOTRANS, 1, 0, NULL);
    ng_gemm(r->modes, r->out, NG_NOTRANS, r->vectors, NG_TRANS, 1, 0, NULL);
}

/* The net of one seed, on points of a circle of radius sqrt(2), the top mode last */
static run begin(paper *p)
{
    ng_error error = {NG_OK, ""};
    run r = {.x = paper_mat(POINTS, PLANE), .y = paper_mat(1, POINTS)};
    r.u = paper_mat(WIDE, PLANE), r.v = paper_mat(1, WIDE);
    r.out = paper_mat(1, POINTS), r.j = paper_mat(POINTS, PARAMETERS);
    r.g = paper_mat(1, PARAMETERS), r.values = paper_mat(1, POINTS);
    r.du = ng_f64(r.g.data, WIDE, PLANE);
    r.dv = ng_f64((double *)r.g.data + WIDE * PLANE, 1, WIDE);
    r.vectors = paper_mat(POINTS, POINTS), r.start = paper_mat(1, POINTS);
    r.modes = paper_mat(1, POINTS);
    paper_normal(r.u, paper_random(p, 7)), paper_normal(r.v, paper_random(p, 8));
    for (size_t i = 0; i < POINTS; i++) {
        double angle = 2 * acos(-1) * ((double)i + 0.3 * sin(5.0 * (double)i)) / POINTS;
        ng_mat_set(r.x, i, 0, sqrt(2) * cos(angle)), ng_mat_set(r.x, i, 1, sqrt(2) * sin(angle));
    }
    ng_mat k = paper_mat(POINTS, POINTS);
    look(&r);
    ng_syrk(k, r.j, NG_NOTRANS, 1, 0, NULL);
    ng_mirror(k);
    paper_must(ng_eigh(r.values, r.vectors, NULL, k, NULL, &error), &error);
    for (size_t i = 0; i < POINTS; i++) /* every mode begins alike */
        for (size_t l = 0; l < POINTS; l++)
            ng_mat_set(r.y, 0, l, ng_mat_get(r.y, 0, l) - start_at * ng_mat_get(r.vectors, i, l));
    nets_shallow(r.out, ng_mat_none(), r.u, r.v, r.x);
    ng_axpby(r.y, r.out, 1, 1, NULL);
    look(&r);
    ng_copy(r.start, r.modes, NULL);
    return r;
}

static void check(run *r, ng_status status)
{
    if (status != NG_OK)
        exit(program_end(program_error("%s", ng_optimizer_error(r->opt))));
}

static void add(run *r, const void *options, ng_fisher *f)
{
    ng_group *group;
    check(r, ng_optimizer_create(&r->opt, NULL));
    check(r, ng_optimizer_add_group(r->opt, &group, options));
    check(r, ng_group_add(group, NULL, "u", r->u, r->du));
    check(r, ng_group_add(group, NULL, "v", r->v, r->dv));
    if (f != NULL)
        check(r, ng_group_set_fisher(group, f));
}

/* F <- J^T J */
static void refresh(run *r, ng_fisher *f)
{
    ng_error error = {NG_OK, ""};
    ng_fisher_batch batch;
    ng_fisher_batch_init(&batch);
    batch.normalisation = NG_FISHER_SUM;
    batch.decay = 0;
    paper_must(ng_fisher_accumulate(f, r->j, ng_mat_none(), &batch, &error), &error);
}

static double part(const run *r, size_t mode)
{
    return ng_mat_get(r->modes, 0, mode) / ng_mat_get(r->start, 0, mode);
}

/* exp(-lr lambda t) for gradient descent, exp(-lr t) for natural gradient; rates up to where a mode
 * has fallen by e, or the end: the largest relative error */
static double follow(paper *p, run *r, ng_fisher *f, const double *rates, const char *name)
{
    double worst = 0;
    int seen[POINTS] = {0};
    for (size_t t = 1; t <= STEPS && !program_interrupted(); t++) {
        if (f != NULL)
            refresh(r, f);
        check(r, ng_optimizer_step(r->opt));
        look(r);
        for (size_t i = 0; i < POINTS; i++) {
            double exponent = rates[i] * (double)t;
            if (!seen[i] && (exponent > 1 || (t == STEPS && exponent > 0.05))) {
                seen[i] = 1;
                worst = fmax(worst, fabs(-log(part(r, i)) / exponent - 1));
            }
            if (t % 8 == 0 && (POINTS - i) % 2 == 1)
                fprintf(p->rows.to, "%s_%zu,%zu,%.6g,%.6g\n", name, POINTS - i, t, part(r, i),
                        exp(-exponent));
        }
    }
    ng_optimizer_destroy(r->opt);
    return worst;
}

/* One small natural step with damping lambda moves mode i by lambda_i / (lambda_i + lambda). */
static void one_step(run *r, ng_fisher *f, ng_natural_options *o)
{
    double worst = 0;
    o->lr = 1e-4;
    o->damping = ng_mat_get(r->values, 0, POINTS / 2);
    refresh(r, f);
    add(r, o, f);
    check(r, ng_optimizer_step(r->opt));
    ng_optimizer_destroy(r->opt);
    look(r);
    for (size_t i = 0; i < POINTS; i++) {
        double value = ng_mat_get(r->values, 0, i);
        worst = fmax(worst, fabs((1 - part(r, i)) / o->lr - value / (value + o->damping)));
    }
    target_print("wide_networks", "damped_step_in_function_space_apart", 0, worst, 0.005);
}

void modes_stage(paper *p)
{
    ng_error error = {NG_OK, ""};
    ng_sgd_options sgd;
    ng_natural_options natural;
    ng_fisher *f;
    double rates[POINTS], even[POINTS];
    run r = begin(p);
    const double top = ng_mat_get(r.values, 0, POINTS - 1);
    ng_sgd_init(&sgd), ng_natural_init(&natural);
    sgd.lr = 0.02 / top, sgd.momentum = 0;
    for (size_t i = 0; i < POINTS; i++) {
        rates[i] = -log1p(-sgd.lr * ng_mat_get(r.values, 0, i));
        even[i] = -log1p(-natural_lr);
    }
    printf("eigenvalues of J J^T from %.3g to %.3g\n", ng_mat_get(r.values, 0, 0), top);
    add(&r, &sgd, NULL);
    double descent = follow(p, &r, NULL, rates, "gd"), least = part(&r, POINTS - 1);
    double slowest = part(&r, 0);
    target_print("wide_networks", "gradient_descent_rates_off", 0, descent, 0.1);
    verdict_print("wide_networks", "gradient descent decays mode i like exp(-lr lambda_i t)",
                  descent < 0.1 && slowest > 100 * fabs(least) ? VERDICT_YES : VERDICT_NO);
    paper_must(ng_fisher_create_lowrank(&f, PARAMETERS, POINTS, NG_F64, &error), &error);
    r = begin(p);
    one_step(&r, f, &natural);
    r = begin(p);
    natural.lr = natural_lr;
    natural.damping = 1e-6 * ng_mat_get(r.values, 0, 0);
    add(&r, &natural, f);
    double equal = follow(p, &r, f, even, "ngd");
    ng_fisher_destroy(f);
    target_print("wide_networks", "natural_gradient_rates_off", 0, equal, 0.02);
    verdict_print("wide_networks", "natural gradient decays all modes at one rate",
                  equal < 0.02 ? VERDICT_YES : VERDICT_NO);
}
