/* What holds exactly: CFG++ is CFG, a guided Gaussian has a closed law, equal weights of all
 * frequencies are no weights, and a mode of a signal obeys the law of its own weight. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/guidance/guidance.h"

/* ---- CFG++ ------------------------------------------------------------------------------ */

/* On levels of uneven steps w = lambda / (1 - sigma'/sigma) changes from step to step. */
void check_plus_plus(paper *p)
{
    double levels[STEPS + 1], place[8] = {1, 0.6, 1, -0.6, -1, 0.6, -1, -0.6};
    const int labels[4] = {0, 0, 1, 1};
    const ng_mixture *m = paper_mixture(ng_f64(place, 4, 2), 0.02, NULL, labels);
    guide g = guide_make(m, 64, rule_cfg);
    ng_mat x = paper_mat(64, 2), y = paper_mat(64, 2);
    paper_normal(x, paper_random(p, 50));
    ng_scale(x, 20);
    ng_copy(y, x, NULL);
    for (size_t i = 0; i <= STEPS; i++)
        levels[i] = 20 * pow(0.0005, pow((double)i / STEPS, 1.4));
    for (size_t i = 0; i < STEPS; i++) {
        g.w = 0.7 / (1 - levels[i + 1] / levels[i]);
        guide_sample(&g, x, levels + i, 2);
    }
    guide_sample_pp(&g, y, levels, STEPS + 1, 0.7);
    ng_axpby(y, x, -1, 1, NULL);
    log_levels(levels, STEPS, 20, 0.01);
    puts("identities");
    target_print("cfg++", "step_is_cfg_with_w_of_the_step", 0, ng_max_abs(y), 1e-11);
    target_print("cfg++", "w_of_lambda_1_in_50_steps", 7.1, 1 / (1 - levels[1] / levels[0]), 0.05);
}

/* ---- Gaussians ------------------------------------------------------------------------------ */

/* D of N(mean, sd^2) in one dimension */
typedef struct {
    double mu, u, c, w; /* conditional mean, standard deviations, weight */
} pair;

static ng_status gaussian(void *data, ng_mat f, ng_mat x, double sigma, ng_error *error)
{
    const pair *g = data;
    (void)error;
    for (size_t i = 0; i < x.rows; i++) {
        double v = ng_mat_get(x, i, 0), du = g->u * g->u * v / (g->u * g->u + sigma * sigma),
               dc = (g->c * g->c * v + sigma * sigma * g->mu) / (g->c * g->c + sigma * sigma);
        ng_mat_set(f, i, 0, du + g->w * (dc - du));
    }
    return NG_OK;
}

/* The flow is affine: two points tell all. */
static void flow_of(const pair *g, double *mean, double *sd)
{
    enum { FINE = 8000 };
    const double far = 1e4;
    static double levels[FINE + 1];
    double x[2] = {-far, far};
    ng_error error = {NG_OK, ""};
    log_levels(levels, FINE, far, 1e-5);
    pair copy = *g;
    paper_must(ng_solver_run(ng_f64(x, 2, 1), ng_solver_find("dpm++2m"), levels, FINE + 1, 0, NULL,
                             gaussian, &copy, &error),
               &error);
    *mean = (x[0] + x[1]) / 2;
    *sd = (x[1] - x[0]) / 2;
}

/* w mu/2 tu^(1-w) tc^w INT_0^inf (tc^2 + y)^(-1-w/2) (tu^2 + y)^((w-1)/2) dy, with y = e^v and the
 * trapezoidal rule, which has no error but rounding on such a bell */
static double mean_of(const pair *g)
{
    double sum = 0;
    const double h = 0.02;
    for (double v = -60; v < 60; v += h) {
        double y = exp(v);
        sum += h * y * pow(g->c * g->c + y, -1 - g->w / 2) * pow(g->u * g->u + y, (g->w - 1) / 2);
    }
    return 0.5 * g->w * g->mu * pow(g->u, 1 - g->w) * pow(g->c, g->w) * sum;
}

void check_gaussian(paper *p)
{
    const double weights[3] = {1, 2, 4};
    (void)p;
    for (int i = 0; i < 3; i++) {
        pair g = {1, 1, 0.5, weights[i]};
        double mean, sd;
        char name[40];
        flow_of(&g, &mean, &sd);
        snprintf(name, sizeof name, "gaussian_sd_w=%g", g.w);
        target_print("guidance", name, pow(g.u, 1 - g.w) * pow(g.c, g.w), sd, 1e-4);
        snprintf(name, sizeof name, "gaussian_mean_w=%g", g.w);
        target_print("guidance", name, mean_of(&g), mean, 2e-4);
    }
    target_print("guidance", "sd_of_the_tilted_density_w=4", 0.2774, 1 / sqrt(4 / 0.25 - 3), 1e-4);
}

/* ---- Frequencies -------------------------------------------------------------------------------
 */

/* A stationary signal of NUMBERS: DCT mode k is N(0, tau_u^2) or, given the class, N(0, tau_c^2).
 */
enum { NUMBERS = 16 };

static double mode(size_t k, size_t i)
{
    return (k == 0 ? 1 : sqrt(2)) / sqrt(NUMBERS) *
           cos(acos(-1) * (double)k * ((double)i + 0.5) / NUMBERS);
}

typedef struct {
    const double *weights; /* of each mode, or of the levels of a pyramid */
    size_t levels;         /* 0: modes */
} bands;

static double tau(size_t k, int conditional)
{
    return (conditional ? 0.6 : 1) / (1 + 0.2 * (double)k);
}

static ng_status signal_field(void *data, ng_mat f, ng_mat x, double sigma, ng_error *error)
{
    const bands *b = data;
    (void)error;
    for (size_t row = 0; row < x.rows; row++) {
        double d[2][NUMBERS] = {{0}};
        double *out = (double *)f.data + row * f.stride;
        for (size_t k = 0; k < NUMBERS; k++) {
            double amplitude = 0, u = pow(tau(k, 0), 2), c = pow(tau(k, 1), 2);
            for (size_t i = 0; i < NUMBERS; i++)
                amplitude += mode(k, i) * ng_mat_get(x, row, i);
            double shrink[2] = {u / (u + sigma * sigma), c / (c + sigma * sigma)};
            if (b->levels == 0) /* the weight belongs to the mode */
                shrink[1] = shrink[0] + b->weights[k] * (shrink[1] - shrink[0]);
            for (size_t i = 0; i < NUMBERS; i++)
                for (int w = 0; w < 2; w++)
                    d[w][i] += shrink[w] * amplitude * mode(k, i);
        }
        if (b->levels == 0)
            memcpy(out, d[1], sizeof d[1]);
        else
            fdg_mix(out, d[1], d[0], NUMBERS, b->weights, b->levels);
    }
    return NG_OK;
}

/* x <- the images of all modes of length `far` */
static void carry(ng_mat x, bands *b, double far, size_t steps)
{
    enum { FINE = 3000 };
    static double levels[FINE + 1];
    ng_error error = {NG_OK, ""};
    for (size_t k = 0; k < NUMBERS; k++)
        for (size_t i = 0; i < NUMBERS; i++)
            ng_mat_set(x, k, i, far * mode(k, i));
    log_levels(levels, steps, far, 1e-4);
    paper_must(ng_solver_run(x, ng_solver_find("dpm++2m"), levels, steps + 1, 0, NULL, signal_field,
                             b, &error),
               &error);
}

void check_frequencies(paper *p)
{
    double weights[NUMBERS], equal[3] = {3, 3, 3}, worst = 0;
    ng_mat x = paper_mat(NUMBERS, NUMBERS), y = paper_mat(NUMBERS, NUMBERS);
    (void)p;
    for (size_t k = 0; k < NUMBERS; k++)
        weights[k] = k < NUMBERS / 2 ? 1.5 : 4;
    bands by_mode = {weights, 0}, one = {equal, 1}, pyramid = {equal, 3};
    carry(x, &one, 100, 200);
    carry(y, &pyramid, 100, 200);
    ng_axpby(y, x, -1, 1, NULL);
    target_print("fdg", "equal_weights_are_cfg", 0, ng_max_abs(y), 1e-12);
    carry(x, &by_mode, 1000, 3000);
    for (size_t k = 0; k < NUMBERS; k++) {
        double sd = ng_norm(ng_mat_block(x, k, 0, 1, NUMBERS)),
               law = pow(tau(k, 0), 1 - weights[k]) * pow(tau(k, 1), weights[k]);
        worst = fmax(worst, fabs(sd / law - 1));
    }
    target_print("fdg", "modes_obey_their_own_weight", 0, worst, 2e-4);
}
