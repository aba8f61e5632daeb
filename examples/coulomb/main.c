/* coulomb: cumulants of linear statistics L = sum f(|z_i|) of a Coulomb gas in the plane, from the
 * edge alone (De Bruyne, Le Doussal, Majumdar and Schehr, arXiv:2310.16420), against the Ginibre
 * ensemble, where N |z_i|^2 are independent Gamma(1), ..., Gamma(N) (Kostlan 1992). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/support/paper.h"

enum { FUNCTIONS = 4, SIZES = 3, CUMULANTS = 3, POINTS = 4000 };

static const size_t sizes[SIZES] = {50, 200, 800};
static const double beta = 2;

/* f on the disc of radius 1, with its derivatives at the edge */
typedef struct {
    const char *name;
    double (*f)(double r), (*slope)(double r);
    double first, second;    /* f'(1), f''(1) */
    double exact[CUMULANTS]; /* k2, N k3, N^2 k4 at N = 800 */
    double exact_error;
} function;

static double square(double r)
{
    return r * r;
}

static double square_slope(double r)
{
    return 2 * r;
}

static double fourth(double r)
{
    return r * r * r * r;
}

static double fourth_slope(double r)
{
    return 4 * r * r * r;
}

static double wave(double r)
{
    return cos(2 * r);
}

static double wave_slope(double r)
{
    return -2 * sin(2 * r);
}

static double cone(double r)
{
    return exp(-r);
}

static double cone_slope(double r)
{
    return -exp(-r);
}

static function functions[FUNCTIONS] = {
    {"r^2", square, square_slope, 2, 2, {0.50062, 1.00125, 3.00375}, 1e-5},
    {"r^4", fourth, fourth_slope, 4, 12, {1.00668, 8.0803, 113.54}, 1e-4},
    {"cos_2r", wave, wave_slope, 0, 0, {0.79188, -0.74871, -0.56974}, 2e-5},
    {"exp_-r", cone, cone_slope, 0, 0, {(double)NAN, (double)NAN, -0.0365}, 1e-3}};
static double found[FUNCTIONS][SIZES][CUMULANTS];

/* ---- The formulas -----------------------------------------------------------------------------
 */

/* kappa_2 = 1/beta int_0^1 r f'^2 dr (Simpson's rule); kappa_3, kappa_4 at the edge y = r^2 = 1:
 * kappa_q = beta^(1-q) N^(2-q) / 2 (d/dy)^(q-3) y^(q/2-1) f'(sqrt y)^q. Times N^(q-2). */
static void edge(double k[CUMULANTS], const function *f)
{
    double sum = 0, a = f->first, b = f->second;
    for (int i = 0; i <= POINTS; i++) {
        double r = (double)i / POINTS, s = f->slope(r);
        sum += (i == 0 || i == POINTS ? 1 : i % 2 ? 4 : 2) * r * s * s;
    }
    k[0] = sum / (3.0 * POINTS) / beta;
    k[1] = a * a * a / (2 * beta * beta);
    k[2] = (pow(a, 4) + 2 * pow(a, 3) * b) / (2 * pow(beta, 3));
}

/* ---- The exact ensemble ---------------------------------------------------------------------- */

/* Means over x ~ Gamma(k) by the trapezoidal rule in log x, where the density is smooth and decays:
 * visit(data, sqrt(x / N), weight). */
static void over_gamma(size_t k, size_t n, void (*visit)(void *data, double r, double weight),
                       void *data)
{
    const double shape = (double)k, centre = log(shape), width = 12 / sqrt(shape);
    const double low = centre - width - 40 / shape, high = centre + fmin(width, 6);
    const double h = (high - low) / POINTS, norm = lgamma(shape);
    for (int i = 0; i <= POINTS; i++) {
        double t = low + h * i;
        visit(data, sqrt(exp(t) / (double)n), h * exp(shape * t - exp(t) - norm));
    }
}

typedef struct {
    const function *f;
    double about, s, m[5], mass, mgf;
} moments;

static void add_moments(void *data, double r, double weight)
{
    moments *x = data;
    double d = x->f->f(r) - x->about, power = weight;
    x->mass += weight;
    for (int j = 0; j < 5; j++, power *= d)
        x->m[j] += power;
    x->mgf += weight * exp(x->s * d);
}

/* Cumulants add up over independent radii; log_z: the log of E exp(s L), less s times what L is
 * about, if not NULL. */
static void exact(double k[CUMULANTS], double *log_z, const function *f, size_t n, double s)
{
    k[0] = k[1] = k[2] = 0;
    for (size_t i = 1; i <= n; i++) {
        moments x = {.f = f, .about = f->f(sqrt((double)i / (double)n)), .s = s};
        over_gamma(i, n, add_moments, &x);
        double a = x.m[1], b = x.m[2], c = x.m[3], d = x.m[4];
        k[0] += b - a * a;
        k[1] += c - 3 * a * b + 2 * a * a * a;
        k[2] += d - 4 * a * c - 3 * b * b + 12 * a * a * b - 6 * pow(a, 4);
        if (log_z != NULL)
            *log_z += log(x.mgf);
    }
}

static void compare(paper *p)
{
    printf("%-8s %5s %10s %10s %10s   %s\n", "f", "N", "k2", "N k3", "N^2 k4", "from the edge");
    for (int i = 0; i < FUNCTIONS; i++) {
        function *f = &functions[i];
        f->first = f->slope(1);
        f->second = i == 2 ? -4 * cos(2) : i == 3 ? exp(-1) : f->second;
        double formula[CUMULANTS];
        edge(formula, f);
        for (int j = 0; j < SIZES; j++) {
            double *k = found[i][j], n = (double)sizes[j];
            exact(k, NULL, f, sizes[j], 0);
            k[1] *= n;
            k[2] *= n * n;
            printf("%-8s %5zu %10.5f %10.5f %10.5f   %.5f %.5f %.5f\n", f->name, sizes[j], k[0],
                   k[1], k[2], formula[0], formula[1], formula[2]);
            for (int q = 0; q < CUMULANTS; q++)
                fprintf(p->rows.to, "%s,%zu,%d,%.9g,%.9g\n", f->name, sizes[j], q + 2, k[q],
                        formula[q]);
        }
    }
}

static void judge(paper *p)
{
    char name[64];
    int smooth = 1;
    (void)p;
    for (int i = 0; i < FUNCTIONS; i++)
        for (int q = 0; q < CUMULANTS; q++) {
            const function *f = &functions[i];
            double formula[CUMULANTS], *k = found[i][2];
            edge(formula, f);
            if (isnan(f->exact[q]))
                continue;
            snprintf(name, sizeof name, "%s_k%d_N=800", f->name, q + 2);
            target_print("coulomb", name, f->exact[q], k[q],
                         fmax(f->exact_error, 6e-5 * fabs(f->exact[q])));
            if (i == 3)
                continue;
            /* the error falls like 1/N: a quarter from 200 to 800 */
            snprintf(name, sizeof name, "%s_k%d_error_200_over_800", f->name, q + 2);
            smooth &= target_print("coulomb", name, 4,
                                   (found[i][1][q] - formula[q]) / (k[q] - formula[q]), 0.2);
        }
    double formula[CUMULANTS];
    edge(formula, &functions[3]);
    target_print("coulomb", "exp_-r_k4_from_the_edge", -0.0011, formula[2], 1e-4);
    verdict_print("coulomb", "cumulants from the third on depend on the edge alone, f smooth",
                  smooth ? VERDICT_YES : VERDICT_NO);
    verdict_print("coulomb", "the same of f with a cone at the origin, exp(-r)",
                  fabs(found[3][2][2] - formula[2]) > 0.01 ? VERDICT_NO : VERDICT_YES);
}

/* ---- As an exponential family -----------------------------------------------------------------
 */

/* Weights exp(s L) / Z: d^2 log Z = kappa_2 is the Fisher information, d^3 log Z = kappa_3 the
 * Amari-Chentsov tensor, by differences of the exact log Z. */
static void family(paper *p)
{
    enum { N = 50 };
    const double h = 0.02;
    double k[CUMULANTS], z[5] = {0};
    char name[64];
    (void)p;
    for (int i = 0; i < 3; i++) {
        for (int j = -2; j <= 2; j++) {
            z[j + 2] = 0;
            exact(k, &z[j + 2], &functions[i], N, h * j);
        }
        double second = (-z[4] + 16 * z[3] - 30 * z[2] + 16 * z[1] - z[0]) / (12 * h * h);
        double third = (z[4] - 2 * z[3] + 2 * z[1] - z[0]) / (2 * h * h * h);
        snprintf(name, sizeof name, "%s_fisher_information_over_k2", functions[i].name);
        target_print("coulomb", name, 1, second / k[0], 1e-5);
        snprintf(name, sizeof name, "%s_cubic_tensor_over_k3", functions[i].name);
        target_print("coulomb", name, 1, third / k[1], 1e-3);
        printf("%s: statistical curvature scale k3^2/k2^3 at N = %d: %.3g\n", functions[i].name, N,
               k[1] * k[1] / pow(k[0], 3));
    }
}

/* ---- By samples --------------------------------------------------------------------------------
 */

/* L of r^2 from its radii: Gamma(k) as a sum of k exponentials. */
static void sample(paper *p)
{
    enum { N = 50 };
    const ng_random *random = paper_random(p, 1);
    double u[N], s[3] = {0}, n = (double)p->samples, k[CUMULANTS];
    exact(k, NULL, &functions[1], N, 0);
    double mean = 0;
    for (size_t i = 1; i <= N; i++)
        mean += (double)i * (double)(i + 1) / (N * (double)N); /* E r^4 = k (k + 1) / N^2 */
    for (size_t t = 0; t < p->samples; t++) {
        double l = -mean;
        for (size_t i = 1; i <= N; i++) {
            double x = 0;
            random->fill_uniform(random->data, u, i);
            for (size_t j = 0; j < i; j++)
                x -= log(1 - u[j]);
            l += x * x / (N * (double)N);
        }
        s[0] += l;
        s[1] += l * l;
        s[2] += l * l * l;
    }
    double a = s[0] / n, b = s[1] / n - a * a;
    target_print("coulomb", "sampled_k2_over_exact_in_errors", 0, (b / k[0] - 1) * sqrt(n / 2), 4);
    target_print("coulomb", "sampled_k3_in_errors", 0,
                 (s[2] / n - 3 * a * s[1] / n + 2 * a * a * a - k[1]) / sqrt(6 * pow(k[0], 3) / n),
                 4);
}

static void draw(FILE *out, paper *p)
{
    (void)p;
    fputs("set multiplot layout 1,3\nset logscale xy\nset grid lc rgb '#cccccc'\nset xrange "
          "[35:1100]\n"
          "set xtics (50, 200, 800)\nset format y '10^{%T}'\nset xlabel 'N'\nset key top right\n",
          out);
    for (int q = 2; q <= 4; q++) {
        fprintf(out, "set title 'cumulant %d'\nset ylabel '%s'\nplot ", q,
                q == 2 ? "|exact - from the edge|, times N^{q-2}" : "");
        for (int i = 0; i < FUNCTIONS; i++)
            fprintf(out,
                    "%s$rows using (strcol(1) eq '%s' && $3 == %d ? $2 : NaN):(abs($4 - $5)) with "
                    "linespoints pt %d lc rgb '%s' title '%s'",
                    i > 0 ? ", " : "", functions[i].name, q, i + 4, plot_colour((size_t)i),
                    i == 2   ? "cos 2r"
                    : i == 3 ? "exp(-r)"
                             : functions[i].name);
        fputs("\n", out);
    }
    fputs("unset multiplot\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {compare, judge, family, sample, NULL};
    paper p = {.name = "coulomb",
               .about =
                   "Cumulants of linear statistics of a Coulomb gas: from its edge, exactly, by "
                   "samples.",
               .header = "f,N,q,exact,edge",
               .counted = "sets of radii",
               .samples = 20000,
               .least = 1,
               .most = 10000000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 1200,
               .height = 400};
    return paper_main(&p, argc, argv);
}
