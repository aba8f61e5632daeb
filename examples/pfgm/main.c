/* pfgm: PFGM++ (arXiv:2302.04265). Data are charges in N of N + D dimensions; their field, averaged
 * over the directions of the other D, perturbs each point by Student's t with D degrees of freedom
 * and scale sigma = r / sqrt(D). D = infinity is diffusion. The field of three charges is exact
 * here. */
#include <math.h>
#include <stdio.h>

#include "examples/support/paper.h"

enum { N = 2, CHARGES = 3, STEPS = 60, COMPARED = 400, DIMENSIONS = 4 };

static const double where[CHARGES][N] = {{1, 0}, {-0.6, 0.8}, {-0.5, -0.9}},
                    weight[CHARGES] = {0.5, 0.3, 0.2};
static const double dimensions[DIMENSIONS] = {1, 4, 64, 2048};

/* ---- The field ------------------------------------------------------------------------------- */

typedef struct {
    double d;     /* D */
    size_t used;  /* charges */
    double noise; /* standard deviation of an error of the velocity, each component and call */
    const ng_random *random;
} charges;

/* dx/dsigma = (x - E[y | x]) / sigma, weights w (|x - y|^2 + r^2)^(-(N + D)/2) */
static ng_status field(void *data, ng_mat f, ng_mat x, double sigma, ng_error *error)
{
    const charges *c = data;
    const double r2 = sigma * sigma * c->d;
    (void)error;
    for (size_t row = 0; row < x.rows; row++) {
        double log_w[CHARGES], most = -HUGE_VAL, sum = 0, mean[N] = {0}, z[N] = {0};
        for (size_t k = 0; k < c->used; k++) {
            double away = 0;
            for (size_t i = 0; i < N; i++)
                away += pow(ng_mat_get(x, row, i) - where[k][i], 2);
            log_w[k] = log(weight[k]) - (N + c->d) / 2 * log1p(away / r2);
            most = fmax(most, log_w[k]);
        }
        for (size_t k = 0; k < c->used; k++) {
            double w = exp(log_w[k] - most);
            sum += w;
            for (size_t i = 0; i < N; i++)
                mean[i] += w * where[k][i];
        }
        if (c->noise > 0)
            c->random->fill_normal(c->random->data, z, N);
        for (size_t i = 0; i < N; i++)
            ng_mat_set(f, row, i,
                       (ng_mat_get(x, row, i) - mean[i] / sum) / sigma + c->noise * z[i]);
    }
    return NG_OK;
}

/* Levels from 80 to 0.002 with rho = 7 */
static void levels(double *sigma)
{
    for (int i = 0; i <= STEPS; i++)
        sigma[i] = pow(pow(80, 1.0 / 7) + (pow(0.002, 1.0 / 7) - pow(80, 1.0 / 7)) * i / STEPS, 7);
}

/* x <- where samples of the prior, the kernel at the largest level, land */
static void land(ng_mat x, charges *c, const ng_random *random)
{
    double sigma[STEPS + 1];
    ng_error error = {NG_OK, ""};
    levels(sigma);
    ng_student prior = {N, c->d, sigma[0], NULL};
    paper_must(ng_student_sample(&prior, x, random, &error), &error);
    paper_must(
        ng_solver_run(x, ng_solver_find("heun"), sigma, STEPS + 1, 0, NULL, field, c, &error),
        &error);
}

static size_t nearest(ng_mat x, size_t row)
{
    size_t best = 0;
    double least = HUGE_VAL;
    for (size_t k = 0; k < CHARGES; k++) {
        double away =
            hypot(ng_mat_get(x, row, 0) - where[k][0], ng_mat_get(x, row, 1) - where[k][1]);
        if (away < least) {
            least = away;
            best = k;
        }
    }
    return best;
}

/* ---- Kernels ------------------------------------------------------------------------------------
 */

static double radial(void *data, double square)
{
    const ng_student *s = data;
    double radius = sqrt(square * s->dof), cdf = 0;
    ng_error error = {NG_OK, ""};
    paper_must(ng_student_radius_cdf(s, ng_f64(&cdf, 1, 1), ng_f64(&radius, 1, 1), &error), &error);
    return cdf;
}

static void kernel(paper *p)
{
    ng_error error = {NG_OK, ""};
    ng_mat x = paper_mat(p->samples, 5), square = paper_mat(p->samples, 1);
    double f[36];
    for (int k = 0; k < DIMENSIONS; k++) {
        ng_student s = {5, dimensions[k], 1, NULL};
        char name[40];
        paper_must(ng_student_sample(&s, x, paper_random(p, 10 + (size_t)k), &error), &error);
        for (size_t i = 0; i < x.rows; i++) /* R^2 / r^2 with r^2 = D */
            ng_mat_set(square, i, 0, pow(ng_norm(ng_mat_block(x, i, 0, 1, 5)), 2) / dimensions[k]);
        snprintf(name, sizeof name, "radial_law_ks_D=%g", dimensions[k]);
        target_print("pfgm", name, 0, paper_ks(square, radial, &s),
                     1.95 / sqrt((double)p->samples));
    }
    ng_student s = {5, 10, 1, NULL};
    paper_must(ng_student_fisher(&s, ng_f64(f, 6, 6), &error), &error);
    target_print("pfgm", "fisher_location_N=5_D=10", 0.8824, f[0], 5e-5);
    target_print("pfgm", "fisher_log_scale_N=5_D=10", 5.8824, f[35], 5e-5);
}

/* Half of INT |p_D - N(0, 1)| on the line, which falls as 1/D. */
static double distance(double d)
{
    enum { POINTS = 20001 };
    ng_student s = {1, d, 1, NULL};
    ng_error error = {NG_OK, ""};
    double sum = 0;
    for (int i = 0; i < POINTS; i++) {
        double x = -20 + 40.0 * i / (POINTS - 1), log_density = 0;
        paper_must(ng_student_log_density(&s, ng_f64(&log_density, 1, 1), ng_f64(&x, 1, 1), &error),
                   &error);
        sum += 0.5 * 40.0 / (POINTS - 1) *
               fabs(exp(log_density) - exp(-x * x / 2) / sqrt(4 * acos(0)));
    }
    return sum;
}

static void limit(paper *p)
{
    double order = log(distance(256) / distance(1024)) / log(4);
    for (double d = 1; d < 5000; d *= 4)
        fprintf(p->rows.to, "gaussian,%g,,%.6g\n", d, distance(d));
    target_print("pfgm", "order_of_the_gaussian_limit", 1, order, 0.02);
}

/* ---- Flows
 * ---------------------------------------------------------------------------------------- */

/* One charge: x - y keeps its direction, and shrinks as sigma. */
static void rays(paper *p)
{
    charges c = {4, 1, 0, NULL};
    double sigma[STEPS + 1], worst = 0;
    ng_error error = {NG_OK, ""};
    ng_mat x = paper_mat(50, N), y = paper_mat(50, N);
    levels(sigma);
    paper_normal(x, paper_random(p, 20));
    ng_scale(x, 80);
    ng_copy(y, x, NULL);
    paper_must(
        ng_solver_run(y, ng_solver_find("heun"), sigma, STEPS / 2, 0, NULL, field, &c, &error),
        &error);
    for (size_t i = 0; i < 50; i++) {
        double a = ng_mat_get(x, i, 0) - 1, b = ng_mat_get(x, i, 1), e = ng_mat_get(y, i, 0) - 1,
               f = ng_mat_get(y, i, 1);
        worst = fmax(worst, fabs(a * f - b * e) / hypot(a, b) / hypot(e, f));
    }
    target_print("pfgm", "one_charge_sine_of_the_angle", 0, worst, 1e-12);
}

static void fractions(paper *p)
{
    static const double known[DIMENSIONS][CHARGES] = {
        {0.504, 0.296, 0.200}, {0, 0, 0}, {0, 0, 0}, {0.495, 0.299, 0.207}};
    ng_mat x = paper_mat(p->samples, N);
    double found[DIMENSIONS][CHARGES] = {{0}};
    puts("fractions that land     0.5     0.3     0.2");
    for (int k = 0; k < DIMENSIONS; k++) {
        charges c = {dimensions[k], CHARGES, 0, NULL};
        land(x, &c, paper_random(p, 30 + (size_t)k));
        for (size_t i = 0; i < x.rows; i++)
            found[k][nearest(x, i)] += 1 / (double)x.rows;
        printf("D = %-16g %7.4f %7.4f %7.4f\n", dimensions[k], found[k][0], found[k][1],
               found[k][2]);
    }
    for (int k = 0; k < DIMENSIONS; k++)
        for (int j = 0; j < CHARGES; j++) {
            char name[64];
            double q = weight[j], far = 3.3 * sqrt(q * (1 - q) / (double)p->samples);
            snprintf(name, sizeof name, "fraction_of_%g_D=%g", q, dimensions[k]);
            target_print("pfgm", name, q, found[k][j], far);
            if (known[k][0] > 0) { /* another program's samples, some 2000 of them */
                snprintf(name, sizeof name, "fraction_of_%g_D=%g_as_found", q, dimensions[k]);
                target_print("pfgm", name, known[k][j], found[k][j],
                             far + 3.3 * sqrt(q * (1 - q) / 2000));
            }
        }
}

/* ---- Errors of the field
 * ----------------------------------------------------------------------------- */

/* The same error in units of the velocity for all D, and the same starts with and without it: the
 * share of particles that it sends to another charge. (W2 of the landed law is the root of a few
 * misplaced shares, and drowns in the noise of sampling.) */
static void robustness(paper *p)
{
    static const double errors[3] = {0.2, 0.5, 1};
    ng_mat clean = paper_mat(p->samples, N), x = paper_mat(p->samples, N);
    double moved[3][DIMENSIONS] = {{0}}, w2[DIMENSIONS];
    int rises = 1, falls = 1;
    for (int k = 0; k < DIMENSIONS; k++) {
        charges c = {dimensions[k], CHARGES, 0, NULL};
        land(clean, &c, paper_random(p, 41));
        for (int e = 0; e < 3; e++) {
            c.noise = errors[e];
            c.random = paper_random(p, 42);
            land(x, &c, paper_random(p, 41));
            for (size_t i = 0; i < x.rows; i++)
                moved[e][k] += (nearest(x, i) != nearest(clean, i)) / (double)x.rows;
            fprintf(p->rows.to, "error,%g,%g,%.6g\n", dimensions[k], errors[e], moved[e][k]);
        }
        size_t n = p->samples < COMPARED ? p->samples : COMPARED;
        w2[k] = paper_w2(ng_mat_block(x, 0, 0, n, N), ng_mat_block(clean, 0, 0, n, N));
    }
    puts("share sent to another charge by an error of the velocity");
    for (int e = 0; e < 3; e++) {
        printf("error %-8g", errors[e]);
        for (int k = 0; k < DIMENSIONS; k++)
            printf("  D = %g: %.4f", dimensions[k], moved[e][k]);
        puts("");
        /* 64 and 2048 are as good as Gaussian both */
        rises = rises && moved[e][0] < moved[e][1] && moved[e][1] < fmin(moved[e][2], moved[e][3]);
        falls = falls && moved[e][0] > moved[e][1] && moved[e][1] > fmax(moved[e][2], moved[e][3]);
    }
    printf("W2 between landings with error 1 and without: %.3f %.3f %.3f %.3f\n", w2[0], w2[1],
           w2[2], w2[3]);
    verdict_print("pfgm", "a smaller D tolerates errors of the field better",
                  rises   ? VERDICT_YES
                  : falls ? VERDICT_NO
                          : VERDICT_PARTLY);
}

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs(
        "set multiplot layout 1,2\nset grid lc rgb '#cccccc'\nset logscale x\nset xlabel 'D'\n"
        "set title 'distance of the kernel from a Gaussian'\nset logscale y\nset format y "
        "'10^{%T}'\n"
        "set key top right\n"
        "plot $rows using (strcol(1) eq 'gaussian' ? $2 : NaN):4 with linespoints lw 2 pt 7 lc rgb "
        "'#0072B2' title 'total variation, N = 1', 0.16/x lw 1 dt 2 lc rgb '#000000' title 'as 1 / "
        "D'\n"
        "unset logscale y\nset format y '%g'\nset yrange [0:0.32]\n"
        "set title 'share sent to another charge'\nset key top left\nplot ",
        out);
    static const double errors[3] = {0.2, 0.5, 1};
    for (int i = 0; i < 3; i++)
        fprintf(
            out,
            "%s$rows using (strcol(1) eq 'error' && $3 == %g ? $2 : NaN):4 with linespoints lw 2 "
            "pt 7 lc rgb '%s' title 'error %g'",
            i > 0 ? ", " : "", errors[i], plot_colour((size_t)i), errors[i]);
    fputs("\nunset multiplot\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {kernel, limit, rays, fractions, robustness, NULL};
    paper p = {.name = "pfgm",
               .about = "PFGM++ on three charges: kernel, rays, shares, and errors of the field.",
               .header = "what,D,error,value",
               .counted = "particles that are followed",
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
