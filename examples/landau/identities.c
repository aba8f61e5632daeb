/* What is known exactly: C1 to C8. */
#include <math.h>
#include <stdio.h>

#include "examples/landau/landau.h"

/* C1: for isotropic laws with E v v^T = I the operator is linear: U = -B (d - 1)(s + v). */
static void linear(paper *p)
{
    bkw f = bkw_at(2, 1);
    ng_mat v = paper_mat(20000, 2), s = paper_mat(20000, 2), u = paper_mat(20000, 2);
    double worst = 0;
    (void)p;
    bkw_sample(v, &f);
    for (size_t i = 0; i < v.rows; i++) {
        double g = bkw_slope(&f, pow(ng_mat_get(v, i, 0), 2) + pow(ng_mat_get(v, i, 1), 2));
        for (size_t j = 0; j < 2; j++)
            ng_mat_set(s, i, j, g * ng_mat_get(v, i, j));
    }
    landau_moments(u, v, s, f.b);
    for (size_t i = 0; i < v.rows; i += 7)
        for (size_t j = 0; j < 2; j++)
            if (fabs(ng_mat_get(v, i, j)) < 2)
                worst = fmax(worst, fabs(ng_mat_get(u, i, j) +
                                         f.b * (ng_mat_get(s, i, j) + ng_mat_get(v, i, j))));
    target_print("landau", "C1_linear_operator", 0, worst, 2e-3);
}

/* C2: the flow map against Runge-Kutta of du/dt = 2 v.U. */
static double speed(double u, double t)
{
    bkw f = bkw_at(2, t);
    return -2 * f.b * (bkw_slope(&f, u) + 1) * u;
}

static void map(void)
{
    static const double begin[2] = {1, 8}, end[2] = {0.678532041270859, 10.370614046449};
    static const char *const names[2] = {"C2_flow_map_u0=1", "C2_flow_map_u0=8"};
    for (int i = 0; i < 2; i++) {
        double u = begin[i], h = 5.0 / 4000, v0[2] = {sqrt(u), 0}, v[2];
        for (int k = 0; k < 4000; k++) {
            double t = k * h, a = speed(u, t), b = speed(u + h / 2 * a, t + h / 2);
            double c = speed(u + h / 2 * b, t + h / 2), d = speed(u + h * c, t + h);
            u += h / 6 * (a + 2 * b + 2 * c + d);
        }
        bkw_flow(v, v0, 5);
        target_print("landau", names[i], end[i], v[0] * v[0], 1e-11 * end[i]);
        target_print("landau", "C2_runge_kutta", u, v[0] * v[0], 1e-10 * u);
    }
}

/* C3, C4, C8 */
static void moments(void)
{
    static const double fisher[][3] = {{2, 0, 4},          {2, 1, 2.60142341},   {2, 2, 2.26003120},
                                       {2, 5, 2.03386282}, {3, 5.5, 3.88465539}, {3, 6, 3.44270002},
                                       {3, 7, 3.15675675}};
    double before = INFINITY, worst = 0;
    int falls = 1;
    for (size_t i = 0; i < sizeof fisher / sizeof *fisher; i++) {
        bkw f = bkw_at((int)fisher[i][0], fisher[i][1]);
        char name[64];
        snprintf(name, sizeof name, "C3_fisher_information_%gd_t=%g", fisher[i][0], fisher[i][1]);
        target_print("landau", name, fisher[i][2], bkw_fisher(&f), 2e-8);
        worst = fmax(worst, fabs(bkw_fourth(&f) / (f.d * (f.d + 2) * f.k * (2 - f.k)) - 1));
        worst = fmax(worst, fabs(bkw_matching(&f) / (-bkw_fisher(&f) / 2) - 1));
    }
    target_print("landau", "C3_C8_fourth_moment_and_matching", 0, worst, 1e-9);
    bkw one = bkw_at(2, 1);
    target_print("landau", "C3_entropy_2d_t=1", -2.78904929, bkw_entropy(&one), 2e-8);
    for (int k = 0; k <= 50; k++) {
        bkw f = bkw_at(2, k / 10.0);
        falls = falls && bkw_fisher(&f) < before;
        before = bkw_fisher(&f);
    }
    target_print("landau", "C4_fisher_information_falls", 1, falls, 0);
    bkw left = bkw_at(2, 1 - 1e-3), right = bkw_at(2, 1 + 1e-3);
    target_print("landau", "C4_de_bruijn_t=1", -one.b * (bkw_fisher(&one) - 2),
                 (bkw_entropy(&right) - bkw_entropy(&left)) / 2e-3, 1e-7);
}

/* C5: Gaussian particles: the deviator of their covariance decays with the rate 4 d B = 1/2. C6,
 * C7: any score whatever keeps momentum and energy, loses entropy, and moments are the double sum.
 */
static void particles(paper *p)
{
    enum { N = 300, MANY = 200000 };
    static const double sigma[3] = {1.8, 0.2, 1};
    const ng_random *random = paper_random(p, 5);
    ng_mat v = paper_mat(MANY, 3), s = paper_mat(MANY, 3), u = paper_mat(MANY, 3);
    double change[3] = {0}, kept = 0, energy = 0, produced = 0, size = 0;
    paper_normal(v, random);
    for (size_t i = 0; i < MANY; i++)
        for (size_t j = 0; j < 3; j++) {
            double x = sqrt(sigma[j]) * ng_mat_get(v, i, j);
            ng_mat_set(v, i, j, x);
            ng_mat_set(s, i, j, -x / sigma[j]);
        }
    landau_moments(u, v, s, 1.0 / 24);
    for (size_t i = 0; i < MANY; i++)
        for (size_t j = 0; j < 3; j++)
            change[j] += 2 * ng_mat_get(v, i, j) * ng_mat_get(u, i, j) / MANY;
    for (size_t j = 0; j < 2; j++)
        target_print("landau", "C5_rate_of_the_deviator", 0.5, -change[j] / (sigma[j] - 1), 0.02);
    v = ng_mat_block(v, 0, 0, N, 3), s = ng_mat_block(s, 0, 0, N, 3);
    paper_normal(v, random);
    paper_normal(s, random);
    ng_mat a = ng_mat_block(u, 0, 0, N, 3), b = paper_mat(N, 3);
    landau_moments(a, v, s, 1);
    landau_sum(b, v, s, 1);
    for (size_t j = 0; j < 3; j++) {
        double momentum = 0;
        for (size_t i = 0; i < N; i++) {
            momentum += ng_mat_get(a, i, j);
            energy += ng_mat_get(a, i, j) * ng_mat_get(v, i, j);
            produced += ng_mat_get(a, i, j) * ng_mat_get(s, i, j) / N;
            size += fabs(ng_mat_get(a, i, j));
        }
        kept = fmax(kept, fabs(momentum));
    }
    target_print("landau", "C6_momentum_and_energy", 0, fmax(kept, fabs(energy)) / size, 1e-13);
    target_print("landau", "C6_entropy_production_at_most", 0, fmax(0, produced), 0);
    ng_lincomb(a, 1, a, -1, b, NULL);
    target_print("landau", "C7_moments_against_double_sum", 0, ng_norm(a) / ng_norm(b), 1e-13);
}

void check_identities(paper *p)
{
    linear(p);
    map();
    moments();
    particles(p);
}
