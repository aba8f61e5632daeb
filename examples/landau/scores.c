/* Learnt scores: supervised, and by implicit score matching. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "examples/landau/landau.h"

/* ---- The net
 * ------------------------------------------------------------------------------------- */

/* r_o = s_o - wanted_o; jets of order gradient: o (1 + d) is the value */
static void differ(double *r, double *seeds, const double *jet, const double *x, size_t point,
                   void *data)
{
    const score *s = data;
    (void)x;
    for (size_t o = 0; o < 2; o++) {
        r[o] = jet[3 * o] - ng_mat_get(s->wanted, point, o);
        seeds[6 * o + 3 * o] = 1;
    }
}

void score_open(score *s, const paper *p, size_t n, size_t seed)
{
    static const size_t widths[3] = {16, 16, 2};
    ng_error error = {NG_OK, ""};
    ng_smooth_init(&s->net);
    s->net.inputs = 2;
    s->net.widths = widths;
    s->net.layers = 3;
    s->v = paper_mat(n, 2);
    s->wanted = paper_mat(n, 2);
    s->fisher = NULL;
    s->opt = NULL;
    collocation_open(&s->c, &s->net);
    collocation_add(&s->c, &s->net, NG_SMOOTH_GRADIENT, s->v, 2, 1 / (double)n, differ, s);
    s->gram = paper_mat(s->c.n, s->c.n);
    paper_must(ng_smooth_initialise(s->c.classes[0].net, s->c.w, paper_random(p, seed), &error),
               &error);
}

void score_close(score *s)
{
    ng_optimizer_destroy(s->opt);
    ng_fisher_destroy(s->fisher);
    collocation_close(&s->c);
}

/* ---- Supervised
 * ------------------------------------------------------------------------------------ */

size_t score_fit(score *s, double goal, size_t most, double *error)
{
    ng_residual_options o;
    double norm = ng_dot(s->wanted, s->wanted) / (double)s->v.rows;
    size_t k = 0;
    ng_residual_init(&o);
    o.damping_mode = NG_DAMPING_MODE_LM;
    o.damping = 1e-2;
    o.damping_factor = 0.3;
    collocation_natural(&s->c, &o, 0);
    *error = 2 * collocation_loss(&s->c, s->c.w) / norm;
    for (; k<most && * error> goal; k++) {
        if (!collocation_step(&s->c, 0))
            break;
        *error = 2 * collocation_loss(&s->c, s->c.w) / norm;
    }
    return k;
}

static void want_exact(score *s, const bkw *f)
{
    for (size_t i = 0; i < s->v.rows; i++) {
        double x = ng_mat_get(s->v, i, 0), y = ng_mat_get(s->v, i, 1);
        double g = bkw_slope(f, x * x + y * y);
        ng_mat_set(s->wanted, i, 0, g * x);
        ng_mat_set(s->wanted, i, 1, g * y);
    }
}

void supervised(paper *p)
{
    static const double rates[6] = {3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1};
    enum { N = 2000, ADAM = 3000 };
    bkw f = bkw_at(2, 0.5);
    score s;
    double error, best = INFINITY, start = progress_cpu();
    score_open(&s, p, N, 11);
    bkw_sample(s.v, &f);
    want_exact(&s, &f);
    size_t steps = score_fit(&s, 1e-4, 60, &error);
    printf("supervised score, t = 0.5: natural gradient %zu steps, error %.2g, %.1f s\n", steps,
           error, progress_cpu() - start);
    fprintf(p->rows.to, "natural,%zu,%.6g,,\n", steps, error);
    target_print("landau", "supervised_error", 0, error, 1e-4);
    target_print("landau", "supervised_steps", 0, (double)steps, 20);
    score_close(&s);
    double norm = ng_dot(s.wanted, s.wanted) / N;
    for (int i = 0; i < 6 && !program_interrupted(); i++) {
        score a;
        score_open(&a, p, N, 11);
        bkw_sample(a.v, &f);
        want_exact(&a, &f);
        collocation_preset(&a.c, "adamw", rates[i]);
        for (size_t k = 0; k < p->samples && !program_interrupted(); k++)
            collocation_step(&a.c, (double)k / (double)p->samples);
        double reached = 2 * collocation_loss(&a.c, a.c.w) / norm;
        best = fmin(best, reached);
        fprintf(p->rows.to, "adamw,%zu,%.6g,%g,\n", p->samples, reached, rates[i]);
        score_close(&a);
    }
    printf("supervised score, t = 0.5: AdamW %zu steps, best of six rates, error %.2g\n",
           p->samples, best);
    verdict_print("landau", "20 steps of natural gradient reach what thousands of AdamW's do not",
                  steps > 20 || error > 1e-4 || best <= 1e-4 ? VERDICT_NO
                  : p->samples < 3000                        ? VERDICT_PARTLY
                                                             : VERDICT_YES);
}

/* ---- Implicit score matching
 * ------------------------------------------------------------------------- */

double score_matching(score *s, ng_mat x, ng_mat values)
{
    ng_error error = {NG_OK, ""};
    double sum = 0;
    collocation_class *k = &s->c.classes[0];
    for (size_t first = 0, count; first < x.rows; first += count) {
        count = x.rows - first < k->x.rows ? x.rows - first : k->x.rows;
        ng_mat jets = ng_mat_block(k->jets, 0, 0, count, 6);
        paper_must(
            ng_smooth_forward(k->net, jets, s->c.w, ng_mat_block(x, first, 0, count, 2), &error),
            &error);
        for (size_t i = 0; i < count; i++) {
            const double *j = (const double *)jets.data + 6 * i;
            sum += (j[0] * j[0] + j[3] * j[3]) / 2 + j[1] + j[5];
            for (size_t o = 0; o < 2 && values.data != NULL; o++)
                ng_mat_set(values, first + i, o, j[3 * o]);
        }
    }
    return sum / (double)x.rows;
}

/* The Gauss-Newton matrix of the values is the metric, and the gradient is that of the loss. */
void score_step(score *s, double damping, double lr)
{
    ng_error error = {NG_OK, ""};
    collocation_class *k = &s->c.classes[0];
    double n = (double)s->v.rows;
    if (s->opt == NULL) {
        ng_natural_options o;
        ng_natural_init(&o);
        paper_must(ng_fisher_create_dense(&s->fisher, s->c.n, NG_F64, &error), &error);
        paper_must(ng_optimizer_create(&s->opt, NULL), &(ng_error){NG_ENOMEM, "no memory"});
        paper_must(ng_optimizer_add_group(s->opt, &s->group, &o), &error);
        paper_must(ng_group_add(s->group, NULL, "w", s->c.w, s->c.g), &error);
        paper_must(ng_group_set_fisher(s->group, s->fisher), &error);
    }
    collocation_rows(&s->c);
    paper_must(ng_residuals_gram(s->c.res, s->gram, &error), &error);
    paper_must(ng_fisher_set(s->fisher, s->gram, 1, &error), &error);
    paper_must(ng_smooth_forward(k->net, k->jets, s->c.w, k->x, &error), &error);
    for (size_t i = 0; i < k->x.rows; i++) {
        const double *j = (const double *)k->jets.data + 6 * i;
        const double seeds[6] = {j[0] / n, 1 / n, 0, j[3] / n, 0, 1 / n};
        for (size_t q = 0; q < 6; q++)
            ng_mat_set(k->part, i, q, seeds[q]);
    }
    paper_must(ng_smooth_gradient(k->net, s->c.g, s->c.w, k->part, &error), &error);
    ng_group_set(s->group, "damping", damping);
    ng_group_set(s->group, "lr", lr);
    if (ng_optimizer_step(s->opt) != NG_OK)
        exit(program_end(program_error("%s", ng_optimizer_error(s->opt))));
}

double score_error(score *s, ng_mat x, const bkw *f)
{
    ng_mat values = paper_mat(x.rows, 2);
    double wrong = 0, all = 0;
    score_matching(s, x, values);
    for (size_t i = 0; i < x.rows; i++) {
        double a = ng_mat_get(x, i, 0), b = ng_mat_get(x, i, 1), g = bkw_slope(f, a * a + b * b);
        wrong +=
            pow(ng_mat_get(values, i, 0) - g * a, 2) + pow(ng_mat_get(values, i, 1) - g * b, 2);
        all += g * g * (a * a + b * b);
    }
    return wrong / all;
}

/* A random sample: u by its distribution function. */
static void draw_law(ng_mat v, const bkw *f, const ng_random *random)
{
    for (size_t i = 0; i < v.rows; i++) {
        double x[2];
        random->fill_uniform(random->data, x, 2);
        double r = sqrt(bkw_quantile(f, x[0]));
        ng_mat_set(v, i, 0, r * cos(6.283185307179586 * x[1]));
        ng_mat_set(v, i, 1, r * sin(6.283185307179586 * x[1]));
    }
}

/* Stops where the loss of held-out points is least. */
void implicit(paper *p)
{
    enum { N = 4000, HELD = 4000, STEPS = 30 };
    bkw f = bkw_at(2, 1);
    score s;
    ng_mat held = paper_mat(HELD, 2);
    double best = INFINITY, at_best = NAN, lowest = 0;
    size_t when = 0;
    score_open(&s, p, N, 12);
    draw_law(s.v, &f, paper_random(p, 13));
    draw_law(held, &f, paper_random(p, 14));
    for (size_t k = 0; k < STEPS && !program_interrupted(); k++) {
        score_step(&s, 3e-2, 0.5);
        double loss = score_matching(&s, s.v, ng_mat_none()),
               out = score_matching(&s, held, ng_mat_none());
        fprintf(p->rows.to, "matching,%zu,%.6g,%.6g,%.6g\n", k + 1, loss, out,
                score_error(&s, held, &f));
        lowest = fmin(lowest, loss);
        if (out < best) {
            best = out;
            when = k + 1;
            at_best = score_error(&s, held, &f);
        }
    }
    printf(
        "implicit score matching, t = 1: held-out loss %.4f at step %zu of %d (minimum of the law "
        "%.4f), score error %.2g; training loss down to %.4f\n",
        best, when, STEPS, -bkw_fisher(&f) / 2, at_best, lowest);
    target_print("landau", "matching_score_error_with_hold_out", 0, at_best, 5e-2);
    verdict_print("landau", "the training loss falls below the law's minimum: overfitting",
                  lowest < -bkw_fisher(&f) / 2 ? VERDICT_YES : VERDICT_NO);
    score_close(&s);
}
