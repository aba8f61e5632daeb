/* connections: Amari's alpha-connections of families known by their scores alone, as the flat
 * connections with torsion or non-metricity by which Adak, Dereli, Kok and Sert (arXiv:2602.01408)
 * describe defects of crystals. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/connections/connections.h"

enum { ALPHAS = 17 };

static ng_error error;

/* A family where it is looked at. */
typedef struct {
    const family *f;
    double at[MOST], steps[MOST];
    ng_mat x, step, g, cubic, gamma, riemann;
} place;

static double alpha_of(int i)
{
    return -2 + 0.25 * i;
}

static place look(const family *f)
{
    const size_t n = f->n;
    place p = {.f = f, .g = paper_mat(n, n), .cubic = paper_mat(n, n * n)};
    p.x = paper_mat(1, n);
    p.step = paper_mat(1, n);
    p.gamma = paper_mat(n, n * n);
    p.riemann = paper_mat(n * n, n * n);
    memcpy(p.x.data, f->at, n * sizeof(double));
    paper_must(family_metric((void *)f, p.g, p.x, &error), &error);
    paper_must(family_cubic((void *)f, p.cubic, p.x, &error), &error);
    for (size_t i = 0; i < n; i++)
        ng_mat_set(p.step, 0, i, 0.005 / sqrt(ng_mat_get(p.g, i, i)));
    return p;
}

static void connect(place *p, double amari_alpha)
{
    ng_alpha_connection c = {family_metric, family_cubic, (void *)p->f, p->step, amari_alpha};
    paper_must(ng_connection_alpha(&c, p->gamma, p->x, &error), &error);
    paper_must(ng_connection_curvature(p->riemann, p->x, p->step, ng_connection_alpha, &c, &error),
               &error);
}

static ng_mat inverse_of(ng_mat g)
{
    ng_mat root = paper_mat(g.rows, g.rows), inverse = paper_mat(g.rows, g.rows);
    ng_set_identity(inverse);
    paper_must(ng_cholesky(root, NULL, g, &error), &error);
    paper_must(ng_trsm(inverse, NG_LEFT, root, NG_NOTRANS, 1, &error), &error);
    paper_must(ng_trsm(inverse, NG_LEFT, root, NG_TRANS, 1, &error), &error);
    return inverse;
}

/* g^bd R^a_bad / (n (n - 1)): the mean of the sectional curvatures */
static double mean_curvature(const place *p, ng_mat inverse)
{
    const size_t n = p->f->n;
    double sum = 0;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++)
            for (size_t d = 0; d < n; d++)
                sum += ng_mat_get(inverse, b, d) * ng_mat_get(p->riemann, a * n + b, a * n + d);
    return sum / (double)(n * (n - 1));
}

/* The largest |R^a_acd|: the curl of the trace of Gamma, -alpha/2 d(tr C) for Amari's. */
static double homothetic(const place *p)
{
    const size_t n = p->f->n;
    double most = 0;
    for (size_t cd = 0; cd < n * n; cd++) {
        double sum = 0;
        for (size_t a = 0; a < n; a++)
            sum += ng_mat_get(p->riemann, a * n + a, cd);
        most = fmax(most, fabs(sum));
    }
    return most;
}

int check(const char *whose, const char *what, double expected, double found, double tolerance)
{
    char name[96];
    snprintf(name, sizeof name, "%s_%s", whose, what);
    return target_print("connections", name, expected, found, tolerance);
}

/* ---- The normal family, number by number ------------------------------------------------------
 */

/* det g in the natural coordinates (mu/sigma^2, -1/(2 sigma^2)): their Jacobian is sigma^-5. */
static double natural_determinant(double sigma)
{
    double at[2] = {0.4, sigma}, numbers[4];
    ng_mat g = ng_f64(numbers, 2, 2);
    paper_must(family_metric((void *)&families[0], g, ng_f64(at, 1, 2), &error), &error);
    return (numbers[0] * numbers[3] - numbers[1] * numbers[2]) * pow(sigma, 10);
}

static void normal_law(paper *unused)
{
    place p = look(&families[0]);
    const double s = families[0].at[1], h = 1e-3 * s;
    ng_mat first = paper_mat(1, 2), second = paper_mat(1, 2);
    (void)unused;
    check("normal", "g_mumu_sigma^2", 1, ng_mat_get(p.g, 0, 0) * s * s, 1e-13);
    check("normal", "g_sigmasigma_sigma^2", 2, ng_mat_get(p.g, 1, 1) * s * s, 1e-13);
    check("normal", "C_mumusigma_sigma^3", 2, ng_mat_get(p.cubic, 0, 1) * pow(s, 3), 1e-13);
    check("normal", "C_sigmasigmasigma_sigma^3", 8, ng_mat_get(p.cubic, 1, 3) * pow(s, 3), 1e-13);
    paper_must(ng_connection_traces(first, second, p.cubic, p.g, &error), &error);
    check("normal", "first_trace_mu", 0, ng_mat_get(first, 0, 0), 1e-12);
    check("normal", "first_trace_sigma_times_sigma", 6, ng_mat_get(first, 0, 1) * s, 1e-12);
    check("normal", "det_g_theta_over_sigma^6", 2, natural_determinant(s) / pow(s, 6), 1e-12);
    double slope = log(natural_determinant(s + h) / natural_determinant(s - h)) / (2 * h);
    check("normal", "dlogdet_over_first_trace", 1, slope / ng_mat_get(first, 0, 1), 1e-6);
}

/* ---- Curvature against alpha ------------------------------------------------------------------
 */

static double curve[FAMILIES][ALPHAS];
static double share[FAMILIES][PARTS];
static int closed[2] = {1, 1};    /* the trace of nabla g: of other families, of exponential ones */
static int flat_at_1[2] = {1, 1}; /* alike */

/* Torsion, nabla g - alpha C, and the difference of both traces, largest of all alphas. */
static void compare_tensors(place *p, double amari_alpha, double worst[3])
{
    const size_t n = p->f->n;
    ng_mat t = paper_mat(n, n * n), q = paper_mat(n, n * n), d = paper_mat(1, n);
    ng_mat first = paper_mat(1, n), second = paper_mat(1, n);
    paper_must(ng_connection_torsion(t, p->gamma, p->g, &error), &error);
    paper_must(
        ng_connection_nonmetricity(q, p->gamma, p->x, p->step, family_metric, (void *)p->f, &error),
        &error);
    paper_must(ng_connection_traces(first, second, q, p->g, &error), &error);
    paper_must(ng_lincomb(d, 1, first, -1, second, &error), &error);
    paper_must(ng_axpby(q, p->cubic, -amari_alpha, 1, &error), &error);
    const double size = ng_max_abs(p->cubic);
    worst[0] = fmax(worst[0], ng_max_abs(t) / size);
    worst[1] = fmax(worst[1], ng_max_abs(q) / size);
    worst[2] = fmax(worst[2], ng_max_abs(d) / size);
}

static void judge_family(const family *f, const double *k, double flat, const double worst[3],
                         double curl)
{
    double apart = 0;
    for (int i = 0; i < ALPHAS; i++)
        apart = fmax(apart, fabs(k[i] - (1 - alpha_of(i) * alpha_of(i)) * k[8]) / fabs(k[8]));
    check(f->name, "torsion", 0, worst[0], 1e-11);
    check(f->name, "nabla_g_less_alpha_C", 0, worst[1], 1e-9);
    check(f->name, "first_less_second_trace", 0, worst[2], 1e-9);
    if (!isnan(f->curvature))
        check(f->name, "curvature_at_0", f->curvature, k[8], 1e-8);
    if (f->exponential) {
        check(f->name, "largest_R_at_+-1", 0, flat, 1e-7);
        check(f->name, "from_1-alpha^2_over_K0", 0, apart, 1e-7);
        check(f->name, "homothetic_curvature", 0, curl, 1e-7);
    }
    closed[f->exponential] &= curl <= 1e-7;
    flat_at_1[f->exponential] &= flat <= 1e-7;
    printf("%-12s K(0) = %9.6f  |R(+-1)| = %.2g  |K - (1 - alpha^2) K(0)| = %.2g K(0)  "
           "|R^a_acd| = %.2g\n",
           f->name, k[8], flat, apart, curl);
}

static void judge(const char *claim, int holds)
{
    verdict_print("connections", claim, holds ? VERDICT_YES : VERDICT_NO);
}

static void curvatures(paper *p)
{
    for (int j = 0; j < FAMILIES; j++) {
        place here = look(&families[j]);
        ng_mat inverse = inverse_of(here.g);
        double flat = 0, curl = 0, worst[3] = {0};
        for (int i = 0; i < ALPHAS; i++) {
            const double a = alpha_of(i);
            connect(&here, a);
            curve[j][i] = mean_curvature(&here, inverse);
            fprintf(p->rows.to, "%s,%g,%.12g\n", families[j].name, a, curve[j][i]);
            flat = fabs(a) == 1 ? fmax(flat, ng_max_abs(here.riemann)) : flat;
            curl = fmax(curl, homothetic(&here));
            compare_tensors(&here, a, worst);
        }
        judge_family(&families[j], curve[j], flat, worst, curl);
    }
    judge("the trace of non-metricity is closed, exponential families", closed[1]);
    judge("the same of other families", closed[0]);
    judge("flat without torsion at alpha = 1 and -1, exponential families", flat_at_1[1]);
    judge("the same of other families", flat_at_1[0]);
}

/* Location and scale, symmetric: with g = diag(A, B) / s^2, C_mms = c / s^3, C_sss = d / s^3 the
 * curvature is -(1 + alpha c / 2A) (1 - alpha (d / 2B - c / 2A)) / B. */
static void student_law(paper *unused)
{
    place p = look(&families[3]);
    const double s = families[3].at[1], nu = student_freedom, cube = pow(s, 3);
    const double a = ng_mat_get(p.g, 0, 0) * s * s, b = ng_mat_get(p.g, 1, 1) * s * s;
    const double c = ng_mat_get(p.cubic, 0, 1) * cube / (2 * a);
    const double d = ng_mat_get(p.cubic, 1, 3) * cube / (2 * b) - c;
    double apart = 0;
    (void)unused;
    check("student", "g_mumu_sigma^2", (nu + 1) / (nu + 3), a, 1e-12);
    check("student", "g_sigmasigma_sigma^2", 2 * nu / (nu + 3), b, 1e-12);
    for (int i = 0; i < ALPHAS; i++) {
        double alpha = alpha_of(i), k = -(1 + alpha * c) * (1 - alpha * d) / b;
        apart = fmax(apart, fabs(curve[3][i] - k));
    }
    check("student", "curvature_less_closed_form", 0, apart, 1e-8);
    printf("student: flat at alpha = %.6g and %.6g\n", -1 / c, 1 / d);
}

/* ---- Irreducible parts ------------------------------------------------------------------------
 */

double square_of(ng_mat t, ng_mat g)
{
    double square;
    paper_must(ng_connection_product(&square, t, t, g, &error), &error);
    return square;
}

/* The squares of the parts of a torsion or (symmetric) a non-metricity. */
void squares(double found[PARTS], ng_mat t, ng_mat g, int symmetric)
{
    const size_t n = g.rows;
    static double numbers[PARTS][MOST * MOST * MOST];
    ng_mat part[PARTS];
    for (int i = 0; i < PARTS; i++)
        part[i] = ng_f64(numbers[i], n, n * n);
    const ng_torsion_parts torsion = {part[0], part[1], part[2]};
    const ng_nonmetricity_parts q = {part[0], part[1], part[2], part[3]};
    paper_must(symmetric ? ng_connection_split_nonmetricity(&q, t, g, &error)
                         : ng_connection_split_torsion(&torsion, t, g, &error),
               &error);
    for (int i = 0; i < PARTS; i++)
        found[i] = i < 3 || symmetric ? square_of(part[i], g) : 0;
}

/* Random tensors in an orthonormal frame: the squares of the parts add up; a part's share of the
 * square is on average its share of the components. */
static void split(paper *p)
{
    static const double components[2][2][PARTS] = {{{3, 1, 5, 0}, {3, 3, 7, 5}},
                                                   {{4, 4, 16, 0}, {4, 4, 16, 16}}};
    const ng_random *random = paper_random(p, 1);
    for (size_t n = 3; n <= 4; n++)
        for (int symmetric = 0; symmetric < 2; symmetric++) {
            const double *of = components[n - 3][symmetric], sign = symmetric ? 1 : -1;
            ng_mat t = paper_mat(n, n * n), u = paper_mat(n, n * n), g = paper_mat(n, n);
            double worst = 0, mean[PARTS] = {0}, all = of[0] + of[1] + of[2] + of[3];
            char name[64];
            ng_set_identity(g);
            for (size_t i = 0; i < p->samples; i++) {
                double part[PARTS], sum = 0, whole;
                paper_normal(u, random);
                for (size_t k = 0; k < n * n * n; k++) {
                    size_t a = k / n % n, b = k % n;
                    ng_mat_set(t, k / n / n, a * n + b,
                               ng_mat_get(u, k / n / n, a * n + b) +
                                   sign * ng_mat_get(u, k / n / n, b * n + a));
                }
                squares(part, t, g, symmetric);
                whole = square_of(t, g);
                for (int j = 0; j < PARTS; j++) {
                    sum += part[j];
                    mean[j] += part[j] / whole / (double)p->samples;
                }
                worst = fmax(worst, fabs(sum / whole - 1));
            }
            snprintf(name, sizeof name, "%s_in_%zu-D", symmetric ? "non-metricity" : "torsion", n);
            check(name, "Pythagoras", 0, worst, 1e-14);
            printf("%s, %g components: shares", name, all);
            for (int j = 0; j < (symmetric ? 4 : 3); j++)
                printf(" %.3f (%g/%g)", mean[j], of[j], all);
            printf("\n");
        }
}

static void family_parts(paper *unused)
{
    (void)unused;
    printf("|C|^2 and the shares of its parts: weyl trace symmetric mixed\n");
    for (int i = 0; i < FAMILIES; i++) {
        place p = look(&families[i]);
        double square = square_of(p.cubic, p.g);
        squares(share[i], p.cubic, p.g, 1);
        for (int j = 0; j < PARTS; j++)
            share[i][j] /= square;
        check(families[i].name, "mixed_share", 0, share[i][3], 1e-14);
        printf("%-12s %9.5f   %.4f %.4f %.4f %.4f\n", families[i].name, square, share[i][0],
               share[i][1], share[i][2], share[i][3]);
    }
}

/* ---- The picture ------------------------------------------------------------------------------
 */

static void draw(FILE *out, paper *unused)
{
    (void)unused;
    fputs("$shares << END\n", out);
    for (int i = 0; i < FAMILIES; i++)
        fprintf(out, "%s,%g,%g,%g\n", families[i].name, share[i][0], share[i][1], share[i][2]);
    fputs("END\nset multiplot layout 1,2\nset grid lc rgb '#cccccc'\nset xlabel 'alpha'\n"
          "set title 'mean sectional curvature over |that of Levi-Civita|'\nset yrange [-3.2:3.2]\n"
          "set key bottom center\nplot 0 with lines lc rgb '#000000' notitle",
          out);
    for (int i = 0; i < FAMILIES; i++)
        fprintf(out,
                ", $rows using (strcol(1) eq '%s' ? $2 : NaN):($3 / %.9g) with linespoints pt %d "
                "ps %g lc rgb '%s' title '%s'",
                families[i].name, fabs(curve[i][8]), i + 4, i == 0 ? 2.0 : 1.0,
                plot_colour((size_t)i), families[i].title);
    fputs("\nset title 'parts of the non-metricity'\nset yrange [0:1]\nset style data histograms\n"
          "set style histogram rowstacked\nset style fill solid\nset boxwidth 0.7\nset xtics font "
          "',9'\nset xlabel ''\n"
          "set key outside bottom center horizontal\nset ylabel 'share of |C|^2'\nplot ",
          out);
    static const char *const name[3] = {"weyl", "trace", "symmetric"};
    for (int j = 0; j < 3; j++)
        fprintf(out, "%s$shares using %d:xtic(1) lc rgb '%s' title '%s'", j > 0 ? ", " : "", j + 2,
                plot_colour((size_t)j), name[j]);
    fputs("\nunset multiplot\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {normal_law,   curvatures,  student_law,  split,
                                              family_parts, dislocation, point_defect, NULL};
    paper p = {.name = "connections",
               .about = "Amari's connections of five families as flat geometries with "
                        "non-metricity; torsion,\nnon-metricity and their parts.",
               .header = "family,alpha,curvature",
               .counted = "random tensors",
               .samples = 200,
               .least = 1,
               .most = 1000000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 1100,
               .height = 460};
    return paper_main(&p, argc, argv);
}
