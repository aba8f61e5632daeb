/* bandlimited: shallow nets whose hidden weights are random within a band and stay so, the outer
 * ones by least squares: too narrow a band cannot represent the target, too wide a one cannot be
 * fitted (Li, Sonoda, Cao, Wang and Liang 2023, arXiv:2008.08427). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/support/median.h"
#include "examples/support/paper.h"
#include "examples/support/program.h"

enum { NODES = 200, POINTS = 1000, BANDS = 7, TARGETS = 4, MOST = 25 };

static const double bands[BANDS] = {1, 3, 10, 30, 100, 300, 1000};
static const double pi = 3.14159265358979323846;

/* sin(omega pi x); ridge: on the coefficients, or singular values are cut at 1e-10 of the largest
 */
static const struct {
    const char *name;
    double omega, ridge;
    double known[BANDS]; /* median test error of five nets */
} targets[TARGETS] = {
    {"sin_2pi_x", 2, 0, {1.9e-6, 1.4e-9, 3.7e-10, 9.6e-7, 9.8e-3, 3.4e-2, 4.9e-2}},
    {"sin_10pi_x", 10, 0, {0.67, 3.5e-3, 5.9e-7, 1.1e-4, 0.064, 0.17, 0.24}},
    {"sin_20pi_x", 20, 0, {0.70, 0.68, 7.3e-4, 5.2e-3, 0.14, 0.34, 0.42}},
    {"sin_20pi_x_ridge", 20, 1e-6 * POINTS, {0.704, 0.700, 0.695, 0.147, 0.181, 0.354, 0.418}}};
static double errors[TARGETS][BANDS];

/* phi (points x nodes) <- tanh(a x + b) */
static void features(ng_mat phi, ng_mat x, ng_mat a, ng_mat b)
{
    for (size_t i = 0; i < phi.rows; i++)
        for (size_t j = 0; j < phi.cols; j++)
            ng_mat_set(phi, i, j,
                       tanh(ng_mat_get(a, 0, j) * ng_mat_get(x, 0, i) + ng_mat_get(b, 0, j)));
}

static void uniform(ng_mat x, double most, const ng_random *random)
{
    random->fill_uniform(random->data, x.data, x.cols);
    for (size_t i = 0; i < x.cols; i++)
        ng_mat_set(x, 0, i, most * (2 * ng_mat_get(x, 0, i) - 1));
}

/* Room for one net. */
typedef struct {
    ng_mat x, test, a, b, phi, check, u, s, vt, y, c, middle;
} net;

/* The fit of one target, given phi = u diag(s) vt; the root mean square error on the other points.
 */
static double fit(net *n, int target)
{
    double sum = 0;
    for (size_t i = 0; i < POINTS; i++)
        ng_mat_set(n->y, i, 0, sin(targets[target].omega * pi * ng_mat_get(n->x, 0, i)));
    ng_gemm(n->middle, n->u, NG_TRANS, n->y, NG_NOTRANS, 1, 0, NULL);
    for (size_t k = 0; k < NODES; k++) {
        double s = ng_mat_get(n->s, 0, k), ridge = targets[target].ridge;
        double filter = ridge > 0                            ? s / (s * s + ridge)
                        : s > 1e-10 * ng_mat_get(n->s, 0, 0) ? 1 / s
                                                             : 0;
        ng_mat_set(n->middle, k, 0, filter * ng_mat_get(n->middle, k, 0));
    }
    ng_gemm(n->c, n->vt, NG_TRANS, n->middle, NG_NOTRANS, 1, 0, NULL);
    ng_gemm(n->y, n->check, NG_NOTRANS, n->c, NG_NOTRANS, 1, 0, NULL);
    for (size_t i = 0; i < POINTS; i++)
        sum += pow(ng_mat_get(n->y, i, 0) -
                       sin(targets[target].omega * pi * ng_mat_get(n->test, 0, i)),
                   2);
    return sqrt(sum / POINTS);
}

static void one_net(paper *p, net *n, double band, size_t stream, double found[TARGETS])
{
    ng_error error = {NG_OK, ""};
    const ng_random *random = paper_random(p, stream);
    for (size_t i = 0; i < POINTS; i++)
        ng_mat_set(n->x, 0, i, -1 + 2 * (double)i / (POINTS - 1));
    uniform(n->test, 1, random);
    uniform(n->a, band, random);
    uniform(n->b, band, random);
    features(n->phi, n->x, n->a, n->b);
    features(n->check, n->test, n->a, n->b);
    paper_must(ng_svd(n->u, n->s, n->vt, NULL, n->phi, NULL, &error), &error);
    for (int t = 0; t < TARGETS; t++)
        found[t] = fit(n, t);
}

static void measure(paper *p)
{
    net n = {.x = paper_mat(1, POINTS),
             .test = paper_mat(1, POINTS),
             .a = paper_mat(1, NODES),
             .b = paper_mat(1, NODES),
             .phi = paper_mat(POINTS, NODES),
             .check = paper_mat(POINTS, NODES),
             .u = paper_mat(POINTS, NODES),
             .s = paper_mat(1, NODES),
             .vt = paper_mat(NODES, NODES),
             .y = paper_mat(POINTS, 1),
             .c = paper_mat(NODES, 1),
             .middle = paper_mat(NODES, 1)};
    for (int b = 0; b < BANDS && !program_interrupted(); b++) {
        double all[TARGETS][MOST], found[TARGETS];
        for (size_t k = 0; k < p->samples; k++) {
            one_net(p, &n, bands[b], (size_t)b * MOST + k + 1, found);
            for (int t = 0; t < TARGETS; t++)
                all[t][k] = found[t];
        }
        for (int t = 0; t < TARGETS; t++) {
            errors[t][b] = median_of(all[t], p->samples);
            fprintf(p->rows.to, "%s,%g,%.6g,%.6g\n", targets[t].name, bands[b], errors[t][b],
                    targets[t].known[b]);
        }
    }
    printf("%-18s", "band");
    for (int b = 0; b < BANDS; b++)
        printf(" %8g", bands[b]);
    for (int t = 0; t < TARGETS; t++) {
        printf("\n%-18s", targets[t].name);
        for (int b = 0; b < BANDS; b++)
            printf(" %8.2g", errors[t][b]);
    }
    puts("");
}

/* By the logarithm: medians of five nets spread by a factor of 1.6 where they are large, of 4 where
 * they are small. */
static void judge(paper *p)
{
    char name[64];
    int best[TARGETS], rising = 1;
    (void)p;
    for (int t = 0; t < TARGETS; t++) {
        best[t] = 0;
        for (int b = 0; b < BANDS; b++) {
            snprintf(name, sizeof name, "%s_band_%g_log10", targets[t].name, bands[b]);
            target_print("bandlimited", name, log10(targets[t].known[b]), log10(errors[t][b]),
                         targets[t].known[b] > 0.1 ? 0.2 : 0.6);
            best[t] = errors[t][b] < errors[t][best[t]] ? b : best[t];
        }
        rising &= best[t] > 0 && best[t] < BANDS - 1;
    }
    target_print("bandlimited", "floor_below_the_band", sqrt(0.5), errors[3][0], 0.02);
    verdict_print("bandlimited", "the error against the band is U-shaped, every target",
                  rising ? VERDICT_YES : VERDICT_NO);
    verdict_print("bandlimited", "the best band is wider for faster targets",
                  best[2] > best[0]   ? VERDICT_YES
                  : best[3] > best[0] ? VERDICT_PARTLY
                                      : VERDICT_NO);
    verdict_print("bandlimited", "with bounded coefficients the floor is sharp",
                  errors[3][2] > 0.65 && errors[3][3] < 0.3 ? VERDICT_YES : VERDICT_NO);
}

static void draw(FILE *out, paper *p)
{
    static const char *const titles[TARGETS] = {"sin 2{/Symbol p}x", "sin 10{/Symbol p}x",
                                                "sin 20{/Symbol p}x",
                                                "sin 20{/Symbol p}x, ridge 10^{-6}"};
    (void)p;
    fputs(
        "set logscale xy\nset format xy '10^{%T}'\nset grid lc rgb '#cccccc'\nset xlabel 'band "
        "{/Symbol l} of the hidden weights'\nset ylabel 'test error (rms)'\nset key bottom right\n"
        "set yrange [1e-10:3]\nplot 0.70711 with lines dt 2 lc rgb '#000000' notitle",
        out);
    for (int t = 0; t < TARGETS; t++)
        fprintf(out,
                ", $rows using (strcol(1) eq '%s' ? $2 : NaN):3 with linespoints lw 2 pt %d lc rgb "
                "'%s' title \"%s\"",
                targets[t].name, t + 4, plot_colour((size_t)t), titles[t]);
    fputs("\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {measure, judge, NULL};
    paper p = {.name = "bandlimited",
               .about = "Shallow nets with random hidden weights of a limited band.",
               .header = "target,band,error,known",
               .counted = "nets of each band, whose median counts",
               .samples = 5,
               .least = 1,
               .most = MOST,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 760,
               .height = 460};
    return paper_main(&p, argc, argv);
}
