/* A checkerboard in the plane as so many points, its separation by sampling, and how well few steps
 * of Euler's method sample it along three paths. */
#include <math.h>
#include <stdio.h>

#include "examples/kinetic/kinetic.h"

enum { POINTS = 512, GRID = 160, LOOKS = 2048, COMPARED = 512, FIRST = 1 };

static ng_mixture *board;
static ng_mat data;
static optimum best;

/* 1 - lambda at s = exp(low + i step), and what lies between is straight in log s */
static const double low = -4.5, step = 0.05;
static double rest[GRID];

/* count points of the black squares of a 4 x 4 board of unit variance in each direction; the
 * variance of a coordinate that is uniform on 0 ... 4 is 4/3 */
static void throw_points(ng_mat x, const ng_random *random)
{
    for (size_t i = 0; i < x.rows; i++) {
        double u[3];
        random->fill_uniform(random->data, u, 3);
        double row = floor(4 * u[0]), column = 2 * floor(2 * u[1]) + fmod(row, 2);
        ng_mat_set(x, i, 0, (column + u[2] - 2) / sqrt(4.0 / 3));
        ng_mat_set(x, i, 1, (4 * u[0] - 2) / sqrt(4.0 / 3));
    }
}

static double sampled(void *unused, double s, double *slope)
{
    (void)unused;
    double at = s > 0 ? (log(s) - low) / step : -1;
    *slope = 0;  /* nobody asks */
    if (at <= 0) /* lambda ~ s^2 */
        return 1 - (1 - rest[0]) * exp(2 * at * step) * (s > 0);
    if (at >= GRID - 1)
        return 0;
    size_t i = (size_t)at;
    return rest[i] + (at - (double)i) * (rest[i + 1] - rest[i]);
}

/* Exactly normalised, so that lambda(s) >= s^2 / (1 + s^2) as for any law of this variance. */
static void normalise(ng_mat x)
{
    double sum = 0, mean[2] = {paper_mean(x, 0), paper_mean(x, 1)};
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < 2; j++)
            ng_mat_set(x, i, j, ng_mat_get(x, i, j) - mean[j]);
    sum = ng_dot(x, x) / (2 * (double)x.rows);
    ng_scale(x, 1 / sqrt(sum));
}

void board_prepare(paper *p)
{
    ng_error error = {NG_OK, ""};
    const ng_random *random = paper_random(p, 1);
    const size_t looks = p->samples < LOOKS ? p->samples : LOOKS;
    ng_mat x = paper_mat(looks, 2), y = paper_mat(looks, 2), mean = paper_mat(looks, 2);
    const ng_mixture_fields f = {.mean = mean};
    data = paper_mat(POINTS, 2);
    throw_points(data, random);
    normalise(data);
    board = paper_mixture(data, 0, NULL, NULL);
    paper_must(ng_mixture_sample(board, x, NULL, NG_MIXTURE_ALL, random, &error), &error);
    ng_mat z = paper_mat(looks, 2);
    paper_normal(z, random);
    for (size_t i = 0; i < GRID; i++) {
        double s = exp(low + step * (double)i);
        ng_lincomb(y, 1, x, 1 / s, z, NULL);
        paper_must(ng_mixture_evaluate(board, &f, y, 1, 1 / s, NG_MIXTURE_ALL, &error), &error);
        /* E |x1 - mean|^2 = d (1 - lambda): less noise than E |mean|^2 where lambda is near 1 */
        double square = ng_dot(mean, mean) / (2 * (double)looks);
        ng_axpby(mean, x, -1, 1, NULL);
        double miss = ng_dot(mean, mean) / (2 * (double)looks);
        rest[i] = fmin(s < 1 ? 1 - square : miss, 1 / (1 + s * s));
    }
    optimum_find(&best, sampled, NULL);
}

/* ---- Sampling -------------------------------------------------------------------------------- */

typedef struct {
    path *path;
    ng_mat mean;
} field;

/* m'/m x + (a' - a m'/m) E[x1 | x] */
static ng_status velocity(void *context, ng_mat f, ng_mat x, double t, ng_error *error)
{
    field *w = context;
    moment now = w->path(&best, fmax(t, 1e-7));
    const ng_mixture_fields wanted = {.mean = w->mean};
    ng_status status = ng_mixture_evaluate(board, &wanted, x, now.a, now.m, NG_MIXTURE_ALL, error);
    double alpha = now.m_rate / now.m;
    return status == NG_OK ? ng_lincomb(f, alpha, x, now.a_rate - now.a * alpha, w->mean, error)
                           : status;
}

/* The distance W2 of the samples from the data themselves, after `steps` steps of Euler. */
static double sample(const paper *p, path *which, size_t steps, const char *name)
{
    double t[65];
    ng_error error = {NG_OK, ""};
    const size_t n = p->samples < COMPARED ? p->samples : COMPARED;
    ng_mat x = paper_mat(n, 2);
    field w = {which, paper_mat(n, 2)};
    paper_normal(x, paper_random(p, 9));
    for (size_t i = 0; i <= steps; i++)
        t[i] = (double)i / (double)steps;
    paper_must(
        ng_solver_run(x, ng_solver_find("euler"), t, steps + 1, 0, NULL, velocity, &w, &error),
        &error);
    if (steps == 6)
        for (size_t i = 0; i < n; i++)
            fprintf(p->rows.to, "board,%s,%.4f,%.4f\n", name, ng_mat_get(x, i, 0),
                    ng_mat_get(x, i, 1));
    return paper_w2(x, ng_mat_block(data, 0, 0, n, 2));
}

void board_sample(paper *p)
{
    static const size_t steps[4] = {2, 6, 10, 16};
    double found[3];
    int all = 1;
    printf("checkerboard: kinetic energy 2 - 2 cos Phi %.4f, trigonometric %.4f, Cond-OT %.4f\n",
           2 - 2 * cos(best.total), energy(path_trigonometric, &best),
           energy(path_conditional, &best));
    puts("W2 after Euler steps   optimal  Cond-OT  trigonometric");
    for (int i = 0; i < 4; i++) {
        char name[40];
        found[0] = sample(p, path_optimal, steps[i], "optimal");
        found[1] = sample(p, path_conditional, steps[i], "Cond-OT");
        found[2] = sample(p, path_trigonometric, steps[i], "trigonometric");
        printf("%20zu   %7.4f  %7.4f  %7.4f\n", steps[i], found[0], found[1], found[2]);
        fprintf(p->rows.to,
                "steps,optimal,%zu,%.6g\nsteps,Cond-OT,%zu,%.6g\n"
                "steps,trigonometric,%zu,%.6g\n",
                steps[i], found[0], steps[i], found[1], steps[i], found[2]);
        snprintf(name, sizeof name, "optimal_beats_cond_ot_%zu_steps", steps[i]);
        target_print("kinetic", name, 1, found[0] < found[1], 0);
        all = all && found[0] < found[1];
    }
    verdict_print("kinetic", "the kinetic optimal path samples a checkerboard better in few steps",
                  all ? VERDICT_YES : VERDICT_NO);
}
