/* langevin: a hidden direction from samples by normalised SGD of one sample a step, which samples a
 * stationary law about it, and the average of its path (Wei, Damian and Lee 2026,
 * arXiv:2603.06028). y = h_k(theta* x), h_k the normalised Hermite polynomial: the averaged iterate
 * finds theta* for odd k, the top eigenvector of the averaged second moment for even k. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "examples/support/paper.h"
#include "examples/support/program.h"

typedef struct {
    int k; /* information exponent, 3 or 4 */
    size_t d, n, steps;
    double eta;
    ng_mat x;             /* n x d */
    double *y;            /* theta* is the first axis */
    ng_mat first, second; /* averages of theta and theta theta^T */
    double squares;       /* sum of theta_1^2 */
} problem;

static double hermite(int k, double z)
{
    return k == 3 ? (z * z * z - 3 * z) / sqrt(6) : (z * z * z * z - 6 * z * z + 3) / sqrt(24);
}

static double hermite_slope(int k, double z)
{
    return sqrt(k) * (k == 3 ? (z * z - 1) / sqrt(2) : (z * z * z - 3 * z) / sqrt(6));
}

static problem make(paper *p, int k, size_t d, size_t n, size_t steps, double eta)
{
    problem q = {.k = k, .d = d, .n = n, .steps = steps, .eta = eta};
    q.x = paper_mat(n, d);
    q.y = paper_mat(1, n).data;
    q.first = paper_mat(1, d);
    q.second = paper_mat(d, d);
    paper_normal(q.x, paper_random(p, (size_t)k));
    for (size_t i = 0; i < n; i++)
        q.y[i] = hermite(k, ng_mat_get(q.x, i, 0));
    return q;
}

static double dot(const double *a, const double *b, size_t d)
{
    double s[4] = {0};
    size_t i = 0;
    for (; i + 4 <= d; i += 4)
        for (size_t j = 0; j < 4; j++)
            s[j] += a[i + j] * b[i + j];
    for (; i < d; i++)
        s[0] += a[i] * b[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

/* theta <- (theta + eta y h_k'(theta x) P x) / |...|, P off theta: one sample of the gradient of
 * the correlation, and back to the sphere. */
static void step(double *theta, const problem *q, size_t i)
{
    const double *x = (const double *)q->x.data + i * q->d;
    const double z = dot(theta, x, q->d);
    const double a = q->eta * q->y[i] * hermite_slope(q->k, z);
    double b = 1 - a * z, norm = 0;
    for (size_t j = 0; j < q->d; j++)
        theta[j] = b * theta[j] + a * x[j];
    norm = 1 / sqrt(dot(theta, theta, q->d));
    for (size_t j = 0; j < q->d; j++)
        theta[j] *= norm;
}

/* The second moment is averaged over every d-th step, as far apart as it changes. */
static void average(problem *q, const double *theta, size_t t, double *sum)
{
    for (size_t j = 0; j < q->d; j++)
        sum[j] += theta[j];
    q->squares += theta[0] * theta[0];
    if (q->k % 2 == 0 && t % q->d == 0)
        ng_gemm(q->second, ng_f64((double *)(size_t)theta, 1, q->d), NG_TRANS,
                ng_f64((double *)(size_t)theta, 1, q->d), NG_NOTRANS, 1, 1, NULL);
}

static void walk(paper *p, problem *q)
{
    enum { AT_ONCE = 4096 };
    double u[AT_ONCE], *theta = paper_mat(1, q->d).data;
    const ng_random *random = paper_random(p, 10 + (size_t)q->k);
    const size_t every = q->steps / 200 + 1;
    random->fill_normal(random->data, theta, q->d);
    ng_scale(ng_f64(theta, 1, q->d), 1 / ng_norm(ng_f64(theta, 1, q->d)));
    for (size_t t = 0; t < q->steps && !program_interrupted(); t++) {
        if (t % AT_ONCE == 0)
            random->fill_uniform(random->data, u, AT_ONCE);
        step(theta, q, (size_t)(u[t % AT_ONCE] * (double)q->n));
        average(q, theta, t, q->first.data);
        if (t % every == 0)
            fprintf(p->rows.to, "%d,%g,%zu,%.6g,%.6g\n", q->k, q->eta, t, theta[0],
                    ng_mat_get(q->first, 0, 0) / ng_norm(q->first));
    }
}

/* theta_1 of the average, of length 1; and of the top eigenvector, without its sign */
static double averaged(const problem *q)
{
    return ng_mat_get(q->first, 0, 0) / ng_norm(q->first);
}

static double top(const problem *q)
{
    ng_error error = {NG_OK, ""};
    ng_mat values = paper_mat(1, q->d), vectors = paper_mat(q->d, q->d);
    paper_must(ng_eigh(values, vectors, NULL, q->second, NULL, &error), &error);
    return fabs(ng_mat_get(vectors, q->d - 1, 0));
}

/* ---- Stages ------------------------------------------------------------------------------------
 */

static void odd(paper *p)
{
    problem q = make(p, 3, 100, 100000, p->samples * 1000, 0.005);
    walk(p, &q);
    double a = averaged(&q), rms = sqrt(q.squares / (double)q.steps);
    printf("k = 3, d = 100: averaged iterate %.3f, iterate rms %.3f\n", a, rms);
    target_print("langevin", "k=3_averaged_iterate", 0.99, a, 0.02);
    target_print("langevin", "k=3_iterate_rms", 0.24, rms, 0.08);
    problem fast = make(p, 3, 100, 100000, p->samples * 1000, 0.02);
    walk(p, &fast);
    double wrong = averaged(&fast);
    printf("the same with a step of 0.02 instead of 0.005: %.3f\n", wrong);
    verdict_print("langevin", "large steps end at the wrong sign, k = 3",
                  wrong < -0.2 ? VERDICT_YES : VERDICT_NO);
    verdict_print("langevin", "odd k: the averaged iterate finds what iterates do not",
                  a > 0.95 && rms < 0.5 ? VERDICT_YES : VERDICT_NO);
}

static void even(paper *p)
{
    problem q = make(p, 4, 50, 25000, p->samples * 125, 0.02);
    walk(p, &q);
    double t = top(&q), a = fabs(averaged(&q)), rms = sqrt(q.squares / (double)q.steps);
    printf("k = 4, d = 50: top eigenvector %.3f, averaged iterate %.3f, iterate rms %.3f\n", t, a,
           rms);
    target_print("langevin", "k=4_top_eigenvector", 0.996, t, 0.015);
    target_print("langevin", "k=4_iterate_rms", 0.27, rms, 0.08);
    verdict_print("langevin", "even k: the second moment finds what the first does not",
                  t > 0.95 && a < 0.95 ? VERDICT_YES : VERDICT_NO);
}

/* Langevin dynamics of the population, drift eps k m^(k-1) along theta*, against the stationary
 * density exp(2 eps m^k) (1 - m^2)^((d-3)/2) of m = theta_1. */
static void stationary(paper *p)
{
    enum { D = 10, K = 3, STEPS = 400000 };
    const double eps = 3, dt = 0.002, root = sqrt(dt);
    const ng_random *random = paper_random(p, 30);
    double theta[D] = {1}, z[D], mean = 0, square = 0, exact[3] = {0};
    for (int t = 0; t < STEPS; t++) {
        random->fill_normal(random->data, z, D);
        theta[0] += dt * eps * K * theta[0] * theta[0];
        for (int j = 0; j < D; j++)
            theta[j] += root * z[j];
        double norm = 1 / sqrt(dot(theta, theta, D));
        for (int j = 0; j < D; j++)
            theta[j] *= norm;
        mean += theta[0] / STEPS;
        square += theta[0] * theta[0] / STEPS;
    }
    for (int i = 0; i < 20000; i++) {
        double m = -1 + (i + 0.5) / 10000,
               w = exp(2 * eps * m * m * m) * pow(1 - m * m, (D - 3) / 2.0);
        exact[0] += w;
        exact[1] += w * m;
        exact[2] += w * m * m;
    }
    target_print("langevin", "stationary_mean", exact[1] / exact[0], mean, 0.03);
    target_print("langevin", "stationary_mean_square", exact[2] / exact[0], square, 0.02);
}

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs("set multiplot layout 1,2\nset grid lc rgb '#cccccc'\nset yrange [-1:1]\nset xlabel "
          "'steps'\n"
          "set key bottom right\nset format x '%.0s%c'\n",
          out);
    fputs("set title 'k = 3'\n"
          "plot $rows using ($2 == 0.005 ? $3 : NaN):4 with points pt 7 ps 0.4 lc rgb '#0072B2' "
          "title 'iterate', "
          "$rows using ($2 == 0.005 ? $3 : NaN):5 with points pt 7 ps 0.5 lc rgb '#D55E00' title "
          "'its average, of length 1', "
          "$rows using ($1 == 3 && $2 == 0.02 ? $3 : NaN):5 with points pt 5 ps 0.4 lc rgb "
          "'#009E73' title 'the same, steps four times as large'\n"
          "set title 'k = 4'\nset key bottom right\n"
          "plot $rows using ($1 == 4 ? $3 : NaN):4 with points pt 7 ps 0.4 lc rgb '#0072B2' title "
          "'iterate', "
          "$rows using ($1 == 4 ? $3 : NaN):5 with points pt 7 ps 0.5 lc rgb '#D55E00' title "
          "'its average, of length 1'\n",
          out);
    fputs("unset multiplot\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {odd, even, stationary, NULL};
    paper p = {.name = "langevin",
               .about =
                   "A hidden direction by averages of normalised SGD, a sampler on the sphere.",
               .header = "k,eta,step,iterate,average",
               .counted = "thousands of steps at k = 3",
               .samples = 8000,
               .least = 1,
               .most = 100000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 1000,
               .height = 420};
    return paper_main(&p, argc, argv);
}
