/* Particles from t = 0 to 1: step by step with a learnt score, and all times at once. */
#include <math.h>
#include <stdio.h>

#include "examples/landau/landau.h"

enum { N = 2000, STEPS = 25, RENEWALS = 2 };

static double map_errors[2]; /* learnt score step by step; */

/* Root mean square distance from where the flow takes the particles, relative. */
static double distance(ng_mat v, ng_mat start, double t)
{
    double wrong = 0, all = 0;
    for (size_t i = 0; i < v.rows; i++) {
        double exact[2];
        bkw_flow(exact, (const double *)start.data + 2 * i, t);
        for (size_t j = 0; j < 2; j++) {
            wrong += pow(ng_mat_get(v, i, j) - exact[j], 2);
            all += exact[j] * exact[j];
        }
    }
    return sqrt(wrong / all);
}

static double fourth(ng_mat v)
{
    double sum = 0;
    for (size_t i = 0; i < v.rows; i++)
        sum += pow(pow(ng_mat_get(v, i, 0), 2) + pow(ng_mat_get(v, i, 1), 2), 2);
    return sum / (double)v.rows;
}

/* ---- Step by step
 * ---------------------------------------------------------------------------------- */

typedef struct {
    double momentum, energy; /* the rates, which are zero */
} kept;

static void velocities(score *s, ng_mat u, ng_mat values, kept *k)
{
    double momentum[2] = {0, 0}, energy = 0;
    score_matching(s, s->v, values);
    landau_moments(u, s->v, values, 1.0 / 16);
    for (size_t i = 0; i < u.rows; i++)
        for (size_t j = 0; j < 2; j++) {
            momentum[j] += ng_mat_get(u, i, j) / N;
            energy += ng_mat_get(u, i, j) * ng_mat_get(s->v, i, j) / N;
        }
    k->momentum = fmax(k->momentum, fmax(fabs(momentum[0]), fabs(momentum[1])));
    k->energy = fmax(k->energy, fabs(energy));
}

static void renew(score *s)
{
    for (int k = 0; k < RENEWALS; k++)
        score_step(s, 0.1, 0.5);
}

/* Heun's rule: the score is renewed once a step, and used again at the predicted places. */
static void advance(score *s, double h, ng_mat *scratch, kept *k)
{
    ng_mat start = scratch[0], u = scratch[1], second = scratch[2], values = scratch[3];
    ng_copy(start, s->v, NULL);
    velocities(s, u, values, k);
    ng_axpby(s->v, u, h, 1, NULL);
    renew(s);
    velocities(s, second, values, k);
    ng_lincomb(s->v, 1, start, h / 2, u, NULL);
    ng_axpby(s->v, second, h / 2, 1, NULL);
}

void time_steps(paper *p)
{
    bkw f = bkw_at(2, 0), end = bkw_at(2, 1);
    score s;
    ng_mat start = paper_mat(N, 2), scratch[4];
    kept k = {0, 0};
    double error, before = INFINITY, rises = 0;
    for (int i = 0; i < 4; i++)
        scratch[i] = paper_mat(N, 2);
    score_open(&s, p, N, 21);
    bkw_sample(s.v, &f);
    ng_copy(start, s.v, NULL);
    for (size_t i = 0; i < N; i++) {
        double x = ng_mat_get(s.v, i, 0), y = ng_mat_get(s.v, i, 1);
        ng_mat_set(s.wanted, i, 0, bkw_slope(&f, x * x + y * y) * x);
        ng_mat_set(s.wanted, i, 1, bkw_slope(&f, x * x + y * y) * y);
    }
    score_fit(&s, 1e-3, 100, &error);
    for (int i = 0; i <= STEPS && !program_interrupted(); i++) {
        bkw now = bkw_at(2, (double)i / STEPS);
        score_matching(&s, s.v, scratch[3]);
        double information = ng_dot(scratch[3], scratch[3]) / N;
        rises = fmax(rises, information - before);
        before = information;
        fprintf(p->rows.to, "steps,%d,%.6g,%.6g,%.6g\n", i, information, bkw_fisher(&now),
                fourth(s.v));
        if (i < STEPS)
            advance(&s, 1.0 / STEPS, scratch, &k);
    }
    map_errors[0] = distance(s.v, start, 1);
    printf("time steps, %d particles: score error %.2g and map error %.2g at t = 1\n", N,
           score_error(&s, s.v, &end), map_errors[0]);
    double exact = 8 * end.k * (2 - end.k);
    target_print("landau", "steps_fourth_moment_t=1", exact, fourth(s.v), 0.01 * exact);
    target_print("landau", "steps_fisher_information_rises", 0, fmax(0, rises), 0);
    target_print("landau", "steps_momentum_rate", 0, k.momentum, 1e-14);
    target_print("landau", "steps_energy_rate", 0, k.energy, 1e-14);
    score_close(&s);
}

/* ---- All times at once
 * --------------------------------------------------------------------------------- */

/* T = v + t n(t, v): r_o = n_o + t dn_o/dt - U_o(T), U = -B (slope + 1) T with the exact score */
static void residual(double *r, double *seeds, const double *jet, const double *x, size_t point,
                     void *data)
{
    double t = x[0], place[2] = {x[1] + t * jet[0], x[2] + t * jet[4]};
    double u = place[0] * place[0] + place[1] * place[1];
    bkw f = bkw_at(2, t);
    double g = bkw_slope(&f, u) + 1, change = 2 * bkw_slope_change(&f, u);
    (void)point, (void)data;
    for (size_t o = 0; o < 2; o++) {
        r[o] = jet[4 * o] + t * jet[4 * o + 1] + f.b * g * place[o];
        seeds[8 * o + 4 * o] = 1;
        seeds[8 * o + 4 * o + 1] = t;
        for (size_t q = 0; q < 2; q++)
            seeds[8 * o + 4 * q] += f.b * t * ((o == q ? g : 0) + change * place[o] * place[q]);
    }
}

/* Every particle at one time of its own, times even. */
void flow_map(paper *p)
{
    static const size_t widths[3] = {16, 16, 2};
    ng_smooth_options net;
    collocation c;
    ng_residual_options o;
    ng_error error = {NG_OK, ""};
    bkw f = bkw_at(2, 0);
    ng_mat x = paper_mat(N, 3), start = paper_mat(N, 2), end = paper_mat(N, 2),
           jets = paper_mat(N, 8);
    size_t k = 0;
    ng_smooth_init(&net);
    net.inputs = 3;
    net.widths = widths;
    net.layers = 3;
    bkw_sample(start, &f);
    for (size_t i = 0; i < N; i++) {
        ng_mat_set(x, i, 0, fmod(0.7548776662466927 * (double)i, 1));
        ng_mat_set(x, i, 1, ng_mat_get(start, i, 0));
        ng_mat_set(x, i, 2, ng_mat_get(start, i, 1));
    }
    collocation_open(&c, &net);
    collocation_add(&c, &net, NG_SMOOTH_GRADIENT, x, 2, 1.0 / N, residual, NULL);
    paper_must(ng_smooth_initialise(c.classes[0].net, c.w, paper_random(p, 31), &error), &error);
    ng_residual_init(&o);
    o.damping_mode = NG_DAMPING_MODE_LM;
    o.damping = 1e-2;
    collocation_natural(&c, &o, 1);
    while (k < 150 && collocation_step(&c, 0) && !program_interrupted())
        k++;
    for (size_t i = 0; i < N; i++)
        ng_mat_set(x, i, 0, 1);
    paper_must(ng_smooth_forward(c.classes[0].net, jets, c.w, x, &error), &error);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < 2; j++)
            ng_mat_set(end, i, j, ng_mat_get(start, i, j) + ng_mat_get(jets, i, 4 * j));
    map_errors[1] = distance(end, start, 1);
    printf("all times at once, %d particles, the score given: map error %.2g at t = 1 after %zu "
           "steps; "
           "time stepping with a learnt score %.2g\n",
           N, map_errors[1], k, map_errors[0]);
    target_print("landau", "flow_map_error_over_that_of_time_steps", 0,
                 map_errors[1] / map_errors[0], 1);
    collocation_close(&c);
}
