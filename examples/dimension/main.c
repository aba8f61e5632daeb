/* dimension: the intrinsic dimension of data from the score of their noisy law. E[s s^T] = -E[grad
 * s] is the Fisher matrix of the location family of that law: 1/sigma^2 across the data, little
 * along them. And what of a score is gauge (arXiv:2402.03845). */
#include <math.h>
#include <stdio.h>

#include "examples/dimension/dimension.h"

size_t along(double values[WIDEST], ng_mat jacobians, size_t row, size_t d, double sigma)
{
    double square[WIDEST * WIDEST], vectors[WIDEST * WIDEST];
    ng_error error = {NG_OK, ""};
    size_t count = 0;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++)
            square[i * d + j] =
                -sigma * sigma / 2 *
                (ng_mat_get(jacobians, row, i * d + j) + ng_mat_get(jacobians, row, j * d + i));
    paper_must(ng_eigh(ng_f64(values, 1, d), ng_f64(vectors, d, d), NULL, ng_f64(square, d, d),
                       NULL, &error),
               &error);
    while (count < d && values[count] < 0.5)
        count++;
    return count;
}

static int counted = 1; /* right by the spectrum so far */

typedef struct {
    double count, flipd, least,
        most; /* means over points: of both estimates, of extreme eigenvalues */
} estimate;

/* Both estimates at the rows of x: eigenvalues, and FLIPD's D + sigma^2 (div s + |s|^2). */
static estimate look(const ng_mixture *m, ng_mat x, double sigma)
{
    const size_t d = x.cols;
    ng_mat score = paper_mat(x.rows, d), jacobian = paper_mat(x.rows, d * d);
    const ng_mixture_fields f = {.score = score, .jacobian = jacobian};
    ng_error error = {NG_OK, ""};
    estimate e = {0, 0, 0, 0};
    paper_must(ng_mixture_evaluate(m, &f, x, 1, sigma, NG_MIXTURE_ALL, &error), &error);
    for (size_t row = 0; row < x.rows; row++) {
        double values[WIDEST], n = (double)x.rows, flipd = 0;
        e.count += (double)along(values, jacobian, row, d, sigma) / n;
        for (size_t i = 0; i < d; i++)
            flipd += ng_mat_get(jacobian, row, i * d + i) + pow(ng_mat_get(score, row, i), 2);
        e.flipd += ((double)d + sigma * sigma * flipd) / n;
        e.least += values[0] / n;
        e.most += values[d - 1] / n;
    }
    return e;
}

static void tell(paper *p, const char *name, double sigma, double truth, estimate e)
{
    printf("%-22s %6g %6g %9.4f %9.4f %9.5f %9.5f\n", name, sigma, truth, e.count, e.flipd, e.least,
           e.most);
    fprintf(p->rows.to, "%s,%g,%g,%.6g,%.6g\n", name, sigma, truth, e.count, e.flipd);
}

/* ---- A plane ----------------------------------------------------------------------------------
 */

static ng_status denoise(void *data, ng_mat f, ng_mat x, double sigma, ng_error *error)
{
    const ng_mixture_fields fields = {.mean = f};
    return ng_mixture_evaluate(data, &fields, x, 1, sigma, NG_MIXTURE_ALL, error);
}

/* N(0, diag(1.5, 1, 0.6, 0, 0, 0)^2): the flow of the score is linear, and scales axis i by
 * sqrt((s_i^2 + smin^2)/(s_i^2 + smax^2)) */
static void plane(paper *p)
{
    enum { D = 6, STEPS = 4000 };
    const double widths[D] = {1.5, 1, 0.6, 0, 0, 0}, sigma = 0.1, far = 20;
    static double levels[STEPS + 1];
    ng_mat covariance = paper_mat(D, D), x = paper_mat(1, D), axes = paper_mat(D, D),
           jacobian = paper_mat(1, D * D);
    const ng_mixture_fields f = {.jacobian = jacobian};
    ng_error error = {NG_OK, ""};
    double values[WIDEST], worst = 0, flow = 0;
    for (size_t i = 0; i < D; i++)
        ng_mat_set(covariance, i, i, widths[i] * widths[i]);
    ng_mixture *m = paper_laws(paper_mat(1, D), covariance, NULL, NULL);
    paper_normal(x, paper_random(p, 0));
    paper_must(ng_mixture_evaluate(m, &f, x, 1, sigma, NG_MIXTURE_ALL, &error), &error);
    size_t count = along(values, jacobian, 0, D, sigma);
    for (size_t i = 0; i <= STEPS; i++)
        levels[i] = far * pow(sigma / far, (double)i / STEPS);
    ng_set_identity(axes);
    paper_must(ng_solver_run(axes, ng_solver_find("dpm++2m"), levels, STEPS + 1, 0, NULL, denoise,
                             m, &error),
               &error);
    for (size_t i = 0; i < D; i++) {
        double s2 = widths[i] * widths[i], low = sigma * sigma, high = far * far;
        worst = fmax(worst, fabs(values[i] - low / (s2 + low)));
        flow = fmax(flow, fabs(ng_mat_get(axes, i, i) / sqrt((s2 + low) / (s2 + high)) - 1));
    }
    counted &= target_print("dimension", "plane_count", 3, (double)count, 0);
    target_print("dimension", "plane_eigenvalues", 0, worst, 1e-12);
    target_print("dimension", "plane_singular_values_of_the_flow", 0, flow, 1e-4);
    printf("%-22s %6s %6s %9s %9s %9s %9s\n", "data", "sigma", "true", "spectrum", "FLIPD", "least",
           "most");
}

/* ---- Curved data
 * ---------------------------------------------------------------------------------- */

ng_mixture *circle(size_t points)
{
    ng_mat means = paper_mat(points, 2);
    for (size_t i = 0; i < points; i++) {
        double angle = 4 * acos(0) * (double)i / (double)points;
        ng_mat_set(means, i, 0, cos(angle));
        ng_mat_set(means, i, 1, sin(angle));
    }
    return paper_mixture(means, 0, NULL, NULL);
}

/* I1(x)/I0(x) by its continued fraction */
static double bessel_ratio(double x)
{
    double fraction = 0;
    for (int k = 400; k >= 1; k--)
        fraction = 1 / (2 * k / x + fraction);
    return fraction;
}

static void round_data(paper *p)
{
    const double sigmas[2] = {0.1, 0.05}, expected[2] = {1.0025, 1.0006};
    ng_mixture *ring = circle(1000);
    ng_mat x = paper_mat(1, 2), score = paper_mat(1, 2);
    const ng_mixture_fields f = {.score = score};
    ng_error error = {NG_OK, ""};
    double worst = 0;
    char name[40];
    for (double r = 0.4; r < 2; r += 0.2) { /* the closed form of the score, off the circle too */
        const double s2 = 0.09;
        ng_mat_set(x, 0, 0, r * 0.6);
        ng_mat_set(x, 0, 1, r * 0.8);
        paper_must(ng_mixture_evaluate(ring, &f, x, 1, 0.3, NG_MIXTURE_ALL, &error), &error);
        double s = (bessel_ratio(r / s2) - r) / s2;
        worst = fmax(worst,
                     hypot(ng_mat_get(score, 0, 0) - 0.6 * s, ng_mat_get(score, 0, 1) - 0.8 * s));
    }
    ng_mat_set(x, 0, 0, 0.6);
    ng_mat_set(x, 0, 1, 0.8);
    estimate e[2] = {look(ring, x, sigmas[0]), look(ring, x, sigmas[1])};
    tell(p, "circle", sigmas[0], 1, e[0]);
    tell(p, "circle", sigmas[1], 1, e[1]);
    target_print("dimension", "circle_score_by_bessel_functions", 0, worst, 1e-11);
    target_print("dimension", "circle_radial", 0.99497, e[0].most, 1e-5);
    target_print("dimension", "circle_tangential", 0.00501, e[0].least, 1e-5);
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "circle_FLIPD_sigma=%g", sigmas[i]);
        target_print("dimension", name, expected[i], e[i].flipd, 1e-4);
    }
}

/* Points on the sphere at heights evenly apart and golden angles. */
static void sphere(paper *p)
{
    enum { POINTS = 20000 };
    ng_mat means = paper_mat(POINTS, 3), x = paper_mat(50, 3);
    for (size_t i = 0; i < POINTS; i++) {
        double z = 1 - (2 * (double)i + 1) / POINTS, r = sqrt(1 - z * z),
               a = 2.39996322972865 * (double)i;
        ng_mat_set(means, i, 0, r * cos(a));
        ng_mat_set(means, i, 1, r * sin(a));
        ng_mat_set(means, i, 2, z);
    }
    paper_normal(x, paper_random(p, 1));
    for (size_t i = 0; i < x.rows; i++)
        ng_scale(ng_mat_block(x, i, 0, 1, 3), 1 / ng_norm(ng_mat_block(x, i, 0, 1, 3)));
    estimate e = look(paper_mixture(means, 0, NULL, NULL), x, 0.1);
    tell(p, "sphere", 0.1, 2, e);
    target_print("dimension", "sphere_radial", 0.99, e.most, 1e-4);
    target_print("dimension", "sphere_tangential", 0.01, e.least, 1e-4);
    target_print("dimension", "sphere_FLIPD", 2, e.flipd, 5e-4);
}

/* (t cos t, 4 h, t sin t) / 4, evenly in arc length and height: inner points, and all but the rims
 * count */
static void roll(paper *p)
{
    enum { LONG = 200, HIGH = 40 };
    ng_mat means = paper_mat((size_t)LONG * HIGH, 3), x = paper_mat(60, 3);
    double t = 4.7, end = 14.1, total = 0;
    for (double u = t; u < end; u += 1e-3)
        total += 1e-3 * sqrt(1 + u * u);
    for (size_t i = 0; i < LONG; i++) {
        for (size_t j = 0; j < HIGH; j++) {
            double *to = (double *)means.data + (i * HIGH + j) * 3;
            to[0] = t * cos(t) / 4;
            to[1] = ((double)j - HIGH / 2.0) * 0.12;
            to[2] = t * sin(t) / 4;
        }
        for (double walked = 0; walked < total / LONG; t += 1e-3)
            walked += 1e-3 * sqrt(1 + t * t);
    }
    for (size_t i = 0; i < x.rows; i++)
        ng_copy(ng_mat_block(x, i, 0, 1, 3),
                ng_mat_block(means, (20 + i * 160 / x.rows) * HIGH + 10 + i % 20, 0, 1, 3), NULL);
    estimate e = look(paper_mixture(means, 0, NULL, NULL), x, 0.15);
    tell(p, "Swiss roll", 0.15, 2, e);
    counted &= target_print("dimension", "swiss_roll_count", 2, e.count, 0.01);
    target_print("dimension", "swiss_roll_FLIPD", 2, e.flipd, 0.1);
}

/* Three components on a line, a plane and a space of three through different points of five
 * dimensions. */
static void subspaces(paper *p)
{
    enum { D = 5, KINDS = 3 };
    ng_mat means = paper_mat(KINDS, D), covariances = paper_mat((size_t)KINDS * D, D),
           x = paper_mat(p->samples, D);
    ng_error error = {NG_OK, ""};
    for (size_t k = 0; k < KINDS; k++) {
        ng_mat basis = paper_mat(k + 1, D), orthonormal = paper_mat(k + 1, D);
        ng_mat_set(means, k, k, 8);
        paper_normal(basis, paper_random(p, 5 + k));
        paper_must(ng_polar(orthonormal, NULL, basis, NULL, NULL, &error), &error);
        ng_syrk(ng_mat_block(covariances, k * D, 0, D, D), orthonormal, NG_TRANS, 1, 0, NULL);
    }
    const ng_mixture *m = paper_laws(means, covariances, NULL, NULL);
    for (int k = 0; k < KINDS; k++) {
        char name[40];
        paper_must(ng_mixture_sample(m, x, NULL, k, paper_random(p, 8), &error), &error);
        estimate e = look(m, x, 0.05);
        snprintf(name, sizeof name, "subspace of %d", k + 1);
        tell(p, name, 0.05, k + 1, e);
        snprintf(name, sizeof name, "subspace_count_%d", k + 1);
        counted &= target_print("dimension", name, k + 1, e.count, 0.05);
        snprintf(name, sizeof name, "subspace_FLIPD_%d",
                 k + 1); /* |s|^2 off the law's mean varies */
        target_print("dimension", name, k + 1, e.flipd,
                     5 * sqrt(2.0 * (k + 1) / (double)p->samples) + 0.05);
    }
}

/* E[s s^T] and -E[grad s] of the noisy circle, over its samples: the trace of either is the
 * information */
static void information(paper *p)
{
    ng_mixture *ring = circle(1000);
    const double sigma = 0.2;
    const size_t n = p->samples;
    ng_mat x = paper_mat(n, 2), z = paper_mat(n, 2), score = paper_mat(n, 2),
           jacobian = paper_mat(n, 4);
    const ng_mixture_fields f = {.score = score, .jacobian = jacobian};
    ng_error error = {NG_OK, ""};
    double trace = 0;
    paper_must(ng_mixture_sample(ring, x, NULL, NG_MIXTURE_ALL, paper_random(p, 11), &error),
               &error);
    paper_normal(z, paper_random(p, 12));
    ng_axpby(x, z, sigma, 1, NULL);
    paper_must(ng_mixture_evaluate(ring, &f, x, 1, sigma, NG_MIXTURE_ALL, &error), &error);
    for (size_t i = 0; i < n; i++)
        trace -= ng_mat_get(jacobian, i, 0) + ng_mat_get(jacobian, i, 3);
    target_print("dimension", "fisher_by_score_over_fisher_by_jacobian", 1,
                 ng_dot(score, score) / trace, 5 * sqrt(2 / (double)n) + 0.01);
    verdict_print("dimension", "the gap of the Fisher spectrum of the noisy law counts dimensions",
                  counted ? VERDICT_YES : VERDICT_NO);
}

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs(
        "set multiplot layout 1,2\nset grid lc rgb '#cccccc'\n"
        "set title 'a harmless gauge c A x on the circle, σ = 0.1'\nset logscale x\n"
        "set xlabel 'gauge c σ²'\nset ylabel 'of -σ² grad s, across and along'\nset key left top\n"
        "plot $rows using (strcol(1) eq 'gauge' ? $2 : NaN):4 with linespoints lw 2 pt 7 lc rgb "
        "'#D55E00' title 'larger singular value', $rows using (strcol(1) eq 'gauge' ? $2 : NaN):5 "
        "with "
        "linespoints lw 2 pt 7 lc rgb '#0072B2' title 'smaller singular value', $rows using "
        "(strcol(1) eq 'gauge' ? $2 : NaN):3 with linespoints lw 2 dt 2 pt 6 lc rgb '#000000' "
        "title "
        "'dimension counted'\n"
        "set title 'covariance after one turn of a gauge field'\nset logscale xy\n"
        "set xlabel 'step times frequency'\nset ylabel 'covariance - 1'\nset format y '10^{%T}'\n"
        "set key left top\n"
        "plot $rows using (strcol(1) eq 'euler' ? $2 : NaN):4 with linespoints lw 2 pt 7 lc rgb "
        "'#D55E00' title 'Euler', $rows using (strcol(1) eq 'heun' ? $2 : NaN):4 with linespoints "
        "lw "
        "2 pt 7 lc rgb '#0072B2' title 'Heun'\nunset multiplot\n",
        out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {
        plane,       round_data,        sphere,      roll,      subspaces, information,
        check_gauge, check_guided_mean, check_split, check_net, NULL};
    paper p = {
        .name = "dimension",
        .about =
            "Intrinsic dimension from exact and learnt scores, and the gauge freedom of a score.",
        .header = "what,sigma,true,spectrum,flipd",
        .counted = "points of each law",
        .samples = 4000,
        .least = 8,
        .most = 1000000,
        .seed = 1,
        .stages = stages,
        .draw = draw,
        .width = 1000,
        .height = 420};
    return paper_main(&p, argc, argv);
}
