/* guidance: what classifier-free guidance and four of its repairs do to a law that is known
 * exactly.
 *
 * Class 0 of a mixture in the plane, components of variance 0.02 at (1, +-0.6), class 1 at
 * (-1, +-0.6). Both denoisers are exact: nothing that happens is the fault of a net. */
#include <math.h>
#include <stdio.h>

#include "examples/guidance/guidance.h"

enum { PAIRS = 400, SEEN = 200 }; /* points compared by W2, and drawn */

static ng_mixture *mixture;
static ng_mat start, truth, x;

typedef struct {
    double mean, sd, within, w2; /* E x, its deviation, E |y|, distance to the true law */
} finding;

static void prepare(paper *p)
{
    static double means[8] = {1, 0.6, 1, -0.6, -1, 0.6, -1, -0.6};
    static const int labels[4] = {0, 0, 1, 1};
    ng_error error = {NG_OK, ""};
    mixture = paper_mixture(ng_f64(means, 4, 2), 0.02, NULL, labels);
    start = paper_mat(p->samples, 2);
    x = paper_mat(p->samples, 2);
    truth = paper_mat(p->samples < PAIRS ? p->samples : PAIRS, 2);
    paper_normal(start, paper_random(p, 0));
    paper_must(ng_mixture_sample(mixture, truth, NULL, 0, paper_random(p, 1), &error), &error);
    printf("%-10s %6s %8s %8s %8s %8s\n", "method", "w", "E x", "sd x", "E |y|", "W2");
}

static finding look(paper *p, const char *method, double w)
{
    finding f = {paper_mean(x, 0), paper_sd(x, 0), 0, 0};
    for (size_t i = 0; i < x.rows; i++)
        f.within += fabs(ng_mat_get(x, i, 1)) / (double)x.rows;
    f.w2 = paper_w2(ng_mat_block(x, 0, 0, truth.rows, 2), truth);
    printf("%-10s %6g %8.3f %8.3f %8.3f %8.3f\n", method, w, f.mean, f.sd, f.within, f.w2);
    fprintf(p->rows.to, "%s,%g,%.6g,%.6g,%.6g,%.6g,,\n", method, w, f.mean, f.sd, f.within, f.w2);
    return f;
}

/* Points for the picture. */
static void keep(paper *p, const char *method, double w)
{
    for (size_t i = 0; i < x.rows && i < SEEN; i++)
        fprintf(p->rows.to, "%s-points,%g,,,,,%.4f,%.4f\n", method, w, ng_mat_get(x, i, 0),
                ng_mat_get(x, i, 1));
}

static void target2(const char *paper_name, const char *what, double w, double expected,
                    double found, double tolerance)
{
    char name[64];
    snprintf(name, sizeof name, "%s_w=%g", what, w);
    target_print(paper_name, name, expected, found, tolerance);
}

/* ---- Diffusions: CFG, CFG++, APG --------------------------------------------------------------
 */

/* expected: by another program with other random numbers, 1500 samples; 0: not known */
static const struct {
    double w, mean, sd;
} cfg_rows[] = {
    {1, 0.995, 0.135}, {2, 1.086, 0.093}, {4, 1.184, 0.073}, {8, 1.303, 0.059}, {16, 1.455, 0.050}};

static finding sample(paper *p, guide *g, const char *method, double w)
{
    double levels[STEPS + 1];
    log_levels(levels, STEPS, 20, 0.01);
    ng_lincomb(x, 20, start, 0, start, NULL);
    g->w = w;
    guide_sample(g, x, levels, STEPS + 1);
    return look(p, method, w);
}

/* Errors of 1500 samples: of a mean sd / 39, of an sd sd / 55, of E|y| 0.004; two samples, three
 * standard errors, and the last digit */
static void cfg(paper *p)
{
    guide g = guide_make(mixture, p->samples, rule_cfg);
    finding f[5];
    for (int i = 0; i < 5; i++) {
        f[i] = sample(p, &g, "cfg", cfg_rows[i].w);
        if (i == 0 || i == 3)
            keep(p, "cfg", cfg_rows[i].w);
    }
    for (int i = 0; i < 5; i++) {
        double sd = cfg_rows[i].sd;
        target2("cfg", "mean", cfg_rows[i].w, cfg_rows[i].mean, f[i].mean,
                3 * 1.5 * sd / 39 + 5e-4);
        target2("cfg", "sd", cfg_rows[i].w, sd, f[i].sd, 3 * 1.5 * sd / 55 + 5e-4);
    }
    verdict_print("cfg", "guidance samples the tilted density", VERDICT_NO);
    verdict_print("cfg", "larger w overshoots the mean and collapses the spread",
                  f[4].mean > f[2].mean && f[2].mean > f[0].mean && f[4].sd < f[2].sd &&
                          f[2].sd < f[0].sd
                      ? VERDICT_YES
                      : VERDICT_NO);
}

static void plus_plus(paper *p)
{
    static const struct {
        double lambda, mean, sd;
    } rows[3] = {{0.25, 1.071, 0.098}, {0.5, 1.165, 0.075}, {1, 1.280, 0.061}};
    double levels[STEPS + 1];
    guide g = guide_make(mixture, p->samples, rule_cfg);
    finding f[3];
    log_levels(levels, STEPS, 20, 0.01);
    for (int i = 0; i < 3; i++) {
        ng_lincomb(x, 20, start, 0, start, NULL);
        guide_sample_pp(&g, x, levels, STEPS + 1, rows[i].lambda);
        f[i] = look(p, "cfg++", rows[i].lambda / (1 - levels[1] / levels[0]));
    }
    for (int i = 0; i < 3; i++) {
        double sd = rows[i].sd;
        target2("cfg++", "mean", rows[i].lambda, rows[i].mean, f[i].mean, 4.5 * sd / 39 + 5e-4);
        target2("cfg++", "sd", rows[i].lambda, sd, f[i].sd, 4.5 * sd / 55 + 5e-4);
    }
    verdict_print("cfg++", "renoising without guidance leaves CFG's curve", VERDICT_NO);
}

static void apg(paper *p)
{
    guide g = guide_make(mixture, p->samples, rule_apg);
    finding f[5];
    for (int i = 0; i < 5; i++) {
        f[i] = sample(p, &g, "apg", cfg_rows[i].w);
        if (i == 3)
            keep(p, "apg", cfg_rows[i].w);
    }
    target2("apg", "mean", 8, 1.005, f[3].mean, 0.016);
    target2("apg", "sd", 8, 0.131, f[3].sd, 0.011);
    target2("apg", "within", 1, 0.587, f[0].within, 0.018);
    target2("apg", "within", 8, 0.467, f[3].within, 0.018);
    target2("apg", "within", 16, 0.377, f[4].within, 0.018);
    verdict_print("apg", "projection removes the overshoot",
                  fabs(f[3].mean - 1) < 0.03 ? VERDICT_YES : VERDICT_NO);
    verdict_print("apg", "the guided law keeps the structure within the class",
                  f[4].within > 0.55 ? VERDICT_YES : VERDICT_NO);
}

/* ---- Flow matching: manifold projection
 * ---------------------------------------------------------- */

static finding project(paper *p, guide *g, const char *method, projection how, double *gap)
{
    ng_copy(x, start, NULL);
    *gap = guide_project(g, x, &how);
    return look(p, method, g->w);
}

/* At w = 1 the plain flow is the conditional law, and whatever moves it away is an error. */
static void manifold(paper *p)
{
    guide g = guide_make(mixture, p->samples, rule_cfg);
    double gap[4];
    finding plain = project(p, &g, "cfg-flow", (projection){10, 0, 0, 0}, &gap[0]),
            mp = project(p, &g, "mp", (projection){10, 3, 0, 0}, &gap[1]),
            plus = project(p, &g, "mp+", (projection){10, 3, 1, 0}, &gap[2]);
    keep(p, "mp+", 1);
    finding fine = project(p, &g, "mp+20", (projection){20, 3, 1, 0}, &gap[3]);
    g.w = 1.75;
    finding dit = project(p, &g, "mp+dit", (projection){10, 2, 1, 1e-4}, &gap[3]),
            dit_mp = project(p, &g, "mp-dit", (projection){10, 2, 0, 0}, &gap[3]);
    printf("mean |v_c - v_u| along the way: cfg %.3f, mp %.3f, mp+ %.3f\n", gap[0], gap[1], gap[2]);
    target2("cfg-mp", "cfg_mean", 1, 1.001, plain.mean, 0.012);
    target2("cfg-mp", "cfg_sd", 1, 0.099, plain.sd, 0.008);
    target2("cfg-mp", "mp_mean", 1, 1.090, mp.mean, 0.008);
    target2("cfg-mp", "mp_sd", 1, 0.063, mp.sd, 0.006);
    target2("cfg-mp", "mp+_sd", 1, 0, plus.sd, 5e-4);
    target2("cfg-mp", "mp+_20_steps_sd", 1, 0, fine.sd, 5e-4);
    target2("cfg-mp", "mp+_20_steps_within", 1, 0.07, fine.within, 0.02);
    target2("cfg-mp", "ridge_1e-4_turns_anderson_off", 1.75, dit_mp.mean, dit.mean, 0.01);
    verdict_print("cfg-mp", "a smaller gap between the predictions is a better law",
                  gap[1] < gap[0] && mp.w2 < plain.w2 ? VERDICT_YES : VERDICT_NO);
    verdict_print("cfg-mp", "accelerated projection keeps the law",
                  plus.sd > 0.05 ? VERDICT_YES : VERDICT_NO);
}

/* ---- The picture --------------------------------------------------------------------------------
 */

static void draw(FILE *out, paper *p)
{
    static const struct {
        const char *name, *title;
        double w;
    } clouds[] = {{"cfg", "conditional law, w = 1", 1},
                  {"cfg", "CFG, w = 8", 8},
                  {"apg", "APG, w = 8", 8},
                  {"mp+", "MP+, w = 1", 1}};
    (void)p;
    fputs("set multiplot layout 1,2\nset grid lc rgb '#cccccc'\nset xlabel 'x'\nset ylabel 'y'\n"
          "set xrange [0.4:1.9]\nset yrange [-1.2:1.2]\nset key top right\nplot ",
          out);
    for (int i = 0; i < 4; i++)
        fprintf(
            out,
            "%s$rows using (strcol(1) eq '%s-points' && $2 == %g ? $7 : NaN):8 with points pt 7 "
            "ps %g lc rgb '%s' title '%s'",
            i > 0 ? ", " : "", clouds[i].name, clouds[i].w, i == 3 ? 1.5 : 0.4,
            plot_colour((size_t)i), clouds[i].title);
    fputs("\nset logscale x 2\nset xlabel 'guidance weight w'\nset ylabel 'W2 to the true law'\n"
          "set xrange [0.9:18]\nset yrange [0:*]\nset key top left\nplot ",
          out);
    static const char *const curves[] = {"cfg", "cfg++", "apg"};
    for (int i = 0; i < 3; i++)
        fprintf(
            out,
            "%s$rows using (strcol(1) eq '%s' ? $2 : NaN):6 with linespoints lw 1.5 pt %d lc rgb "
            "'%s' title '%s'",
            i > 0 ? ", " : "", curves[i], i + 5, plot_colour((size_t)i + 1), curves[i]);
    fputs("\nunset multiplot\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {
        prepare,           cfg, plus_plus, apg, manifold, check_plus_plus, check_gaussian,
        check_frequencies, NULL};
    paper p = {.name = "guidance",
               .about =
                   "What classifier-free guidance and its repairs do to a mixture known exactly.",
               .header = "method,w,mean,sd,within,w2,x,y",
               .counted = "points of each law",
               .samples = 1500,
               .least = 8,
               .most = 1000000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 1100,
               .height = 440};
    return paper_main(&p, argc, argv);
}
