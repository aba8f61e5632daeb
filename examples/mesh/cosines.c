/* phi = sum c_kl cos(pi k x) cos(pi l y), k, l < K, not both 0: the boundary stays where it is. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "examples/mesh/mesh.h"

enum { SIDE = 40, CHECKED = 60 };
static const double pi = 3.14159265358979323846;

typedef struct {
    size_t k;
    ng_mat w, jets; /* 1 x (K^2 - 1); 5 (K^2 - 1): the derivatives of each at one point */
} series;

static void at(const series *s, double value[5], const double *xi)
{
    double *jets = s->jets.data;
    const double *w = s->w.data;
    for (int q = 0; q < 5; q++)
        value[q] = 0;
    for (size_t k = 0, i = 0; k < s->k; k++)
        for (size_t l = 0; l < s->k; l++) {
            double a = pi * (double)k, b = pi * (double)l;
            double ca = cos(a * xi[0]), cb = cos(b * xi[1]), sa = sin(a * xi[0]),
                   sb = sin(b * xi[1]);
            const double all[5] = {-a * sa * cb, -b * ca * sb, -a * a * ca * cb, a * b * sa * sb,
                                   -b * b * ca * cb};
            if (k == 0 && l == 0)
                continue;
            for (int q = 0; q < 5; q++) {
                jets[5 * i + (size_t)q] = all[q];
                value[q] += w[i] * all[q];
            }
            i++;
        }
}

static double fill(series *s, ng_residuals *res)
{
    ng_error error = {NG_OK, ""};
    ng_mat j, r;
    double sum = 0;
    ng_residuals_clear(res);
    paper_must(ng_residuals_add(res, &j, &r, SIDE * SIDE, 1.0 / (SIDE * SIDE), &error), &error);
    for (size_t b = 0; b < SIDE * SIDE; b++) {
        double xi[2] = {((double)(b / SIDE) + 0.5) / SIDE, ((double)(b % SIDE) + 0.5) / SIDE};
        double value[5], slope[5], x;
        at(s, value, xi);
        ng_mat_set(r, 0, b, x = monge_ampere(slope, xi, value));
        sum += x * x / (SIDE * SIDE);
        for (size_t i = 0; i < s->w.cols; i++) {
            double d = 0;
            for (size_t q = 0; q < 5; q++)
                d += slope[q] * ((double *)s->jets.data)[5 * i + q];
            ng_mat_set(j, b, i, d);
        }
    }
    return sqrt(sum);
}

static double map_error(const series *s)
{
    double worst = 0;
    for (size_t b = 0; b <= CHECKED; b++)
        for (size_t c = 0; c <= CHECKED; c++) {
            double xi[2] = {(double)b / CHECKED, (double)c / CHECKED}, value[5];
            at(s, value, xi);
            for (int axis = 0; axis < 2; axis++)
                worst = fmax(worst, fabs(xi[axis] + value[axis] - exact_map(axis, xi[axis])));
        }
    return worst;
}

/* M1. Returns the steps. */
static size_t solve(series *s)
{
    ng_error error = {NG_OK, ""};
    ng_residuals *res;
    ng_optimizer *opt;
    ng_group *group;
    ng_residual_options o;
    size_t n = s->w.cols, steps = 0;
    double damping = 0, now, after = INFINITY;
    ng_residual_init(&o);
    o.damping_mode = NG_DAMPING_MODE_LM;
    o.damping = 1e-3;
    o.damping_factor = 0.1;
    paper_must(ng_residuals_create(&res, n, SIDE * SIDE, NULL, &error), &error);
    paper_must(ng_optimizer_create(&opt, NULL), &error);
    paper_must(ng_optimizer_add_group(opt, &group, &o), &error);
    paper_must(ng_group_add(group, NULL, "phi", s->w, paper_mat(1, n)), &error);
    paper_must(ng_group_set_residuals(group, res, NULL), &error);
    for (now = fill(s, res); steps < 40 && !program_interrupted(); steps++) {
        if (ng_optimizer_step(opt) != NG_OK)
            exit(program_end(program_error("%s", ng_optimizer_error(opt))));
        after = fill(s, res);
        ng_group_adapt_damping(group, NULL, now * now / 2, after * after / 2);
        ng_group_get(group, "damping", &damping);
        double gain = now - after;
        now = fill(s, res); /* where the step was taken back the rows are those before it */
        if (gain >= 0 && gain < 1e-7 * now)
            break;
    }
    ng_optimizer_destroy(opt);
    ng_residuals_destroy(res);
    return steps;
}

static double front(double x, double y)
{
    return tanh(20 * (x - 0.4)) + tanh(20 * (y - 0.6));
}

/* Root mean square of bilinear interpolation in the middles of 20 x 20 cells. */
static double interpolation(const series *s, double *area, double *least)
{
    enum { CELLS = 20 };
    double x[CELLS + 1][CELLS + 1][2], sum = 0;
    *area = 0;
    *least = INFINITY;
    for (int i = 0; i <= CELLS; i++)
        for (int j = 0; j <= CELLS; j++) {
            double xi[2] = {(double)i / CELLS, (double)j / CELLS}, v[5] = {0};
            if (s != NULL)
                at(s, v, xi);
            x[i][j][0] = xi[0] + v[0];
            x[i][j][1] = xi[1] + v[1];
            *least = fmin(*least, (1 + v[2]) * (1 + v[4]) - v[3] * v[3]);
        }
    for (int i = 0; i < CELLS; i++)
        for (int j = 0; j < CELLS; j++) {
            double at_middle[2] = {0, 0}, u = 0;
            const double *corner[4] = {x[i][j], x[i + 1][j], x[i + 1][j + 1], x[i][j + 1]};
            for (int c = 0; c < 4; c++) {
                const double *next = corner[(c + 1) % 4];
                at_middle[0] += corner[c][0] / 4;
                at_middle[1] += corner[c][1] / 4;
                u += front(corner[c][0], corner[c][1]) / 4;
                *area += (corner[c][0] * next[1] - next[0] * corner[c][1]) / 2;
            }
            sum += pow(u - front(at_middle[0], at_middle[1]), 2) / (CELLS * CELLS);
        }
    return sqrt(sum);
}

static void keep(paper *p, const series *s)
{
    for (int i = 0; i <= 24; i++)
        for (int j = 0; j <= 24; j++) {
            double xi[2] = {i / 24.0, j / 24.0}, v[5];
            at(s, v, xi);
            fprintf(p->rows.to, "mesh,%d,%d,,%.5f,%.5f\n", i, j, xi[0] + v[0], xi[1] + v[1]);
        }
}

void cosines(paper *p)
{
    static const size_t sizes[4] = {6, 10, 14, 18};
    static const double prototype[3] = {2.6e-2, 5.4e-3, 1.2e-3}; /* of another program */
    printf("%-10s %9s %7s %12s %10s\n", "phi", "unknowns", "steps", "map error", "CPU s");
    for (int i = 0; i < 4 && !program_interrupted(); i++) {
        size_t n = sizes[i] * sizes[i] - 1;
        series s = {sizes[i], paper_mat(1, n), paper_mat(1, 5 * n)};
        double start = progress_cpu(), area, least, still, moved;
        size_t steps = solve(&s);
        double error = map_error(&s);
        char name[64];
        printf("%-10s %9zu %7zu %12.2g %10.2f\n", "cosines", n, steps, error,
               progress_cpu() - start);
        snprintf(name, sizeof name, "M1_map_error_of_%zu_unknowns", n);
        target_print("mesh", name, i < 3 ? prototype[i] : 0, error,
                     i < 3 ? 0.1 * prototype[i] : 5e-4);
        if (i < 3)
            continue;
        keep(p, &s);
        still = interpolation(NULL, &area, &least);
        moved = interpolation(&s, &area, &least);
        printf("a steep front on 20 x 20 cells: interpolation error %.3g, on the moved mesh %.3g\n",
               still, moved);
        target_print("mesh", "M3_area", 1, area, 1e-9);
        target_print("mesh", "M3_least_determinant_is_positive", 1, least > 0, 0);
        target_print("mesh", "M3_interpolation_error_moved_over_even", 0, moved / still, 0.5);
    }
}
