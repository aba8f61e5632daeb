/* The guided steps of four papers. */
#include <math.h>
#include <string.h>

#include "examples/guidance/guidance.h"

guide guide_make(const ng_mixture *mixture, size_t n, void (*rule)(guide *, ng_mat))
{
    const size_t d = ng_mixture_dimension(mixture);
    return (guide){.mixture = mixture,
                   .w = 1,
                   .radius = 2.5,
                   .beta = -0.5,
                   .conditional = paper_mat(n, d),
                   .unconditional = paper_mat(n, d),
                   .momentum = paper_mat(n, d),
                   .rule = rule};
}

void log_levels(double *levels, size_t steps, double from, double to)
{
    for (size_t i = 0; i <= steps; i++)
        levels[i] = from * pow(to / from, (double)i / (double)steps);
}

/* ---- Rules -------------------------------------------------------------------------------- */

void rule_cfg(guide *g, ng_mat mixed)
{
    ng_lincomb(mixed, g->w, g->conditional, 1 - g->w, g->unconditional, NULL);
}

void rule_apg(guide *g, ng_mat mixed)
{
    const size_t d = mixed.cols;
    for (size_t i = 0; i < mixed.rows; i++) {
        ng_mat m = ng_mat_block(g->momentum, i, 0, 1, d),
               c = ng_mat_block(g->conditional, i, 0, 1, d),
               u = ng_mat_block(g->unconditional, i, 0, 1, d);
        ng_lincomb(m, g->beta, m, 1, c, NULL);
        ng_axpby(m, u, -1, 1, NULL);
        double length = ng_norm(m), shrink = length > g->radius ? g->radius / length : 1,
               along = shrink * ng_dot(m, c) / ng_dot(c, c);
        for (size_t j = 0; j < d; j++) {
            double part = along * ng_mat_get(c, 0, j), across = shrink * ng_mat_get(m, 0, j) - part;
            ng_mat_set(mixed, i, j, ng_mat_get(c, 0, j) + (g->w - 1) * (across + g->eta * part));
        }
    }
}

/* ---- Diffusions ------------------------------------------------------------------------------ */

static ng_status denoisers(guide *g, ng_mat x, double a, double s, ng_error *error)
{
    const ng_mixture_fields c = {.mean = g->conditional}, u = {.mean = g->unconditional};
    ng_status status = ng_mixture_evaluate(g->mixture, &c, x, a, s, 0, error);
    return status == NG_OK ? ng_mixture_evaluate(g->mixture, &u, x, a, s, NG_MIXTURE_ALL, error)
                           : status;
}

static ng_status guided(void *data, ng_mat f, ng_mat x, double sigma, ng_error *error)
{
    guide *g = data;
    ng_status status = denoisers(g, x, 1, sigma, error);
    if (status == NG_OK)
        g->rule(g, f);
    return status;
}

void guide_sample(guide *g, ng_mat x, const double *levels, size_t count)
{
    ng_error error = {NG_OK, ""};
    ng_fill(g->momentum, 0);
    paper_must(ng_solver_run(x, ng_solver_find("ddim"), levels, count, 0, NULL, guided, g, &error),
               &error);
}

void guide_sample_pp(guide *g, ng_mat x, const double *levels, size_t count, double lambda)
{
    ng_error error = {NG_OK, ""};
    for (size_t i = 0; i + 1 < count; i++) {
        const double keep = levels[i + 1] / levels[i];
        paper_must(denoisers(g, x, 1, levels[i], &error), &error);
        ng_axpby(x, g->conditional, lambda, keep, NULL);
        ng_axpby(x, g->unconditional, 1 - lambda - keep, 1, NULL);
    }
}

/* ---- Manifold projection ------------------------------------------------------------------------
 */

typedef struct {
    guide *g;
    double t, h;
} projecting;

/* v <- the velocity of flow matching at t, x_t = t x1 + (1 - t) z */
static ng_status velocity(const guide *g, ng_mat v, ng_mat x, double t, int label, ng_error *error)
{
    const ng_mixture_fields f = {.mean = v};
    ng_status status = ng_mixture_evaluate(g->mixture, &f, x, t, 1 - t, label, error);
    return status == NG_OK ? ng_lincomb(v, 1 / (1 - t), v, -1 / (1 - t), x, error) : status;
}

/* G: half a step back along the unconditional flow, half a step on along the conditional one */
static ng_status there_and_back(void *data, ng_mat out, ng_mat x, ng_error *error)
{
    projecting *p = data;
    ng_mat v = p->g->unconditional;
    ng_status status = velocity(p->g, v, x, p->t, NG_MIXTURE_ALL, error);
    if (status == NG_OK)
        status = ng_lincomb(out, 1, x, -p->h / 2, v, error);
    if (status == NG_OK)
        status = velocity(p->g, v, out, p->t, 0, error);
    return status == NG_OK ? ng_axpby(out, v, p->h / 2, 1, error) : status;
}

static double mean_length(ng_mat x)
{
    double sum = 0;
    for (size_t i = 0; i < x.rows; i++)
        sum += ng_norm(ng_mat_block(x, i, 0, 1, x.cols));
    return sum / (double)x.rows;
}

double guide_project(guide *g, ng_mat x, const projection *p)
{
    ng_error error = {NG_OK, ""};
    ng_anderson_options o;
    double gap = 0;
    ng_anderson_init(&o);
    o.memory = p->anderson ? 1 : 0;
    o.iterations = p->rounds;
    o.ridge = p->ridge;
    for (size_t i = 0; i < p->steps; i++) {
        projecting now = {g, (double)i / (double)p->steps, 1 / (double)p->steps};
        if (now.t < 0.6 && p->rounds > 0)
            paper_must(ng_fixed_point(x, NULL, &o, there_and_back, &now, &error), &error);
        paper_must(velocity(g, g->conditional, x, now.t, 0, &error), &error);
        paper_must(velocity(g, g->unconditional, x, now.t, NG_MIXTURE_ALL, &error), &error);
        ng_axpby(x, g->conditional, now.h * g->w, 1, NULL);
        ng_axpby(x, g->unconditional, now.h * (1 - g->w), 1, NULL);
        ng_axpby(g->conditional, g->unconditional, -1, 1, NULL);
        gap += mean_length(g->conditional) / (double)p->steps;
    }
    return gap;
}

/* ---- Frequencies
 * ----------------------------------------------------------------------------------- */

enum { LONGEST = 64 };

/* half (n / 2) <- x smoothed by (1 4 6 4 1) / 16 on a ring, every second number */
static void reduce(double *half, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i += 2)
        half[i / 2] = (x[(i + n - 2) % n] + 4 * x[(i + n - 1) % n] + 6 * x[i] + 4 * x[(i + 1) % n] +
                       x[(i + 2) % n]) /
                      16;
}

/* x (n) <- half with zeros between, smoothed and doubled */
static void expand(double *x, const double *half, size_t n)
{
    const size_t m = n / 2;
    for (size_t i = 0; i < m; i++) {
        x[2 * i] = (half[(i + m - 1) % m] + 6 * half[i] + half[(i + 1) % m]) / 8;
        x[2 * i + 1] = (half[i] + half[(i + 1) % m]) / 2;
    }
}

/* Level by level: what the coarse half does not say is mixed with the level's weight. */
void fdg_mix(double *out, const double *c, const double *u, size_t n, const double *weights,
             size_t levels)
{
    double half_c[LONGEST], half_u[LONGEST], coarse[LONGEST], up_c[LONGEST], up_u[LONGEST],
        up[LONGEST];
    const double w = weights[0];
    if (levels == 1) {
        for (size_t i = 0; i < n; i++)
            out[i] = u[i] + w * (c[i] - u[i]);
        return;
    }
    reduce(half_c, c, n);
    reduce(half_u, u, n);
    fdg_mix(coarse, half_c, half_u, n / 2, weights + 1, levels - 1);
    expand(up, coarse, n);
    expand(up_c, half_c, n);
    expand(up_u, half_u, n);
    for (size_t i = 0; i < n; i++)
        out[i] = up[i] + (1 - w) * (u[i] - up_u[i]) + w * (c[i] - up_c[i]);
}
