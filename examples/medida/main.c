/* medida: what an imperfect model lacks, from pairs of states: the increments that it does not
 * explain, regressed sparsely on a library of terms (Mojgani, Chattopadhyay and Hassanzadeh, Chaos
 * 32, 061105; arXiv:2309.13211), on the equation of Kuramoto and Sivashinsky. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/medida/medida.h"
#include "examples/support/program.h"

/* A model, and what is known of its cases: NaN where nothing is. */
typedef struct {
    const char *name;
    double c[COEFFICIENTS], known[3];
} model;

#define UNKNOWN (double)NAN
static const model models[] = {
    {"no_uu_x", {0, 1, 1}, {-0.972, UNKNOWN, UNKNOWN}},
    {"no_u_xx", {1, 0, 1}, {UNKNOWN, -0.992, UNKNOWN}},
    {"no_u_xxxx", {1, 1, 0}, {UNKNOWN, UNKNOWN, -1.007}},
    {"uu_x_alone", {1, 0, 0}, {UNKNOWN, UNKNOWN, UNKNOWN}},
    {"u_xx_alone", {0, 1, 0}, {UNKNOWN, UNKNOWN, UNKNOWN}},
    {"u_xxxx_alone", {0, 0, 1}, {UNKNOWN, UNKNOWN, UNKNOWN}},
    {"half_uu_x", {0.5, 1, 1}, {-0.486, UNKNOWN, UNKNOWN}},
    {"half_u_xx", {1, 0.5, 1}, {UNKNOWN, -0.497, UNKNOWN}},
    {"half_u_xxxx", {1, 1, 0.5}, {UNKNOWN, UNKNOWN, -0.497}},
    {"all_twice", {2, 2, 2}, {UNKNOWN, UNKNOWN, UNKNOWN}},
    {"0_half_2", {0, 0.5, 2}, {UNKNOWN, UNKNOWN, UNKNOWN}},
    {"half_0_1", {0.5, 0, 1}, {-0.471, -0.999, UNKNOWN}},
    {"and_0.1_u_xxx", {1, 1, 1, 0.1}, {UNKNOWN, UNKNOWN, UNKNOWN}},
    {"and_0.5_u_xxx", {1, 1, 1, 0.5}, {UNKNOWN, UNKNOWN, UNKNOWN}},
    {"and_u_xxx", {1, 1, 1, 1}, {UNKNOWN, UNKNOWN, UNKNOWN}},
    {"and_1.5_u^2u_x", {1, 1, 1, 0, 1.5}, {UNKNOWN, UNKNOWN, UNKNOWN}},
    {"and_0.15_u^2u_x", {1, 1, 1, 0, 0.15}, {UNKNOWN, UNKNOWN, UNKNOWN}},
    {"and_0.015_u^2u_x", {1, 1, 1, 0, 0.015}, {UNKNOWN, UNKNOWN, UNKNOWN}}};
enum { MODELS = sizeof models / sizeof *models, MAIN = 12, CUBIC = 15 };

enum { STEPS = 3 };
static const double steps[STEPS] = {5e-3, 1e-3, 2e-4};
static const double truth[COEFFICIENTS] = {1, 1, 1, 0, 0};
static double found[STEPS][MODELS][TERMS], unexplained[STEPS][MODELS];

/* Which column the term of a coefficient is. */
static size_t column_of(size_t coefficient)
{
    static const size_t p[COEFFICIENTS] = {1, 0, 0, 0, 2}, q[COEFFICIENTS] = {1, 2, 4, 3, 1};
    return ks_term(p[coefficient], q[coefficient]);
}

/* What a model lacks of term i. */
static double lacking(const model *m, size_t i)
{
    for (size_t k = 0; k < COEFFICIENTS; k++)
        if (column_of(k) == i)
            return m->c[k] - truth[k];
    return 0;
}

/* ---- States ------------------------------------------------------------------------------------
 */

/* u a step before, at the time, a step later */
static double states[PAIRS][3][N];

static void observe(paper *p)
{
    const ng_random *random = paper_random(p, 1);
    double u[N];
    random->fill_normal(random->data, u, N);
    ks_truth(u, 0.05, 4000);
    for (size_t i = 0; i < PAIRS; i++) {
        ks_truth(u, 0.05, 200);
        memcpy(states[i][0], u, sizeof u);
    }
}

static void follow(double step)
{
    for (size_t i = 0; i < PAIRS; i++)
        for (int j = 1; j < 3; j++) {
            memcpy(states[i][j], states[i][j - 1], sizeof states[i][j]);
            ks_truth(states[i][j], step / 5, 5);
        }
}

/* y <- what a model lacks, (u_obs - u_model) / step; phi <- the terms where it began. */
static void increments(double *y, ng_mat phi, const double *c, double step)
{
    double next[N];
    for (size_t i = 0; i < PAIRS; i++) {
        ks_terms(phi, i * N, states[i][1]);
        ks_model(next, states[i][1], states[i][0], c, step);
        for (size_t j = 0; j < N; j++)
            y[i * N + j] = (states[i][2][j] - next[j]) / step;
    }
}

/* ---- Cases -------------------------------------------------------------------------------------
 */

/* |y - Phi w| / |y| */
static double remainder_of(const double *y, ng_mat phi, const double *w)
{
    double rest = 0, whole = 0;
    for (size_t k = 0; k < SAMPLES; k++) {
        double sum = y[k];
        for (size_t i = 0; i < TERMS; i++)
            sum -= w[i] * ng_mat_get(phi, k, i);
        rest += sum * sum;
        whole += y[k] * y[k];
    }
    return sqrt(rest / whole);
}

static void report(paper *p, int step, const model *m, const double *w, double rest)
{
    printf("%-17s %5g ", m->name, steps[step]);
    for (size_t i = 0; i < TERMS; i++) {
        double lacks = lacking(m, i);
        if (w[i] == 0 && lacks == 0)
            continue;
        printf(" %s %+.4f (%+g)", ks_term_name(i), w[i], lacks);
        fprintf(p->rows.to, "%s,%g,%s,%g,%.9g\n", m->name, steps[step], ks_term_name(i), lacks,
                w[i]);
    }
    printf("; unexplained %.1f %%\n", 100 * rest);
}

static void regress(paper *p)
{
    ng_mat phi = paper_mat(SAMPLES, TERMS), y = paper_mat(1, SAMPLES);
    printf("%-17s %5s  what it lacks, found (expected)\n", "model", "step");
    for (int s = 0; s < STEPS; s++) {
        follow(steps[s]);
        for (size_t m = 0; m < MODELS && !program_interrupted(); m++) {
            rvm r;
            increments(y.data, phi, models[m].c, steps[s]);
            rvm_regress(&r, found[s][m], phi, y.data, 1e2, 1e-1);
            unexplained[s][m] = remainder_of(y.data, phi, found[s][m]);
            report(p, s, &models[m], found[s][m], unexplained[s][m]);
        }
    }
}

/* The right terms and no others. */
static int right_terms(int step, size_t m)
{
    int right = 1;
    for (size_t i = 0; i < TERMS; i++)
        right &= (found[step][m][i] != 0) == (lacking(&models[m], i) != 0);
    return right;
}

/* From the two shorter steps to none: errors are of first order in the step. */
static double extrapolated(size_t m, size_t i)
{
    const double ratio = steps[1] / steps[2];
    return (ratio * found[2][m][i] - found[1][m][i]) / (ratio - 1);
}

static void judge_model(size_t m)
{
    const model *of = &models[m];
    char name[96];
    int first = m < CUBIC ? 0 : 1; /* the step from which on the terms are right */
    snprintf(name, sizeof name, "%s_right_terms_at_step_%g", of->name, steps[first]);
    target_print("medida", name, 1, right_terms(first, m), 0);
    for (size_t k = 0; k < COEFFICIENTS; k++) {
        const size_t i = column_of(k);
        if (of->c[k] == truth[k])
            continue;
        if (k < 3 && !isnan(of->known[k])) {
            snprintf(name, sizeof name, "%s_%s", of->name, ks_term_name(i));
            target_print("medida", name, of->known[k], found[0][m][i], 0.003);
        }
        snprintf(name, sizeof name, "%s_%s_without_step", of->name, ks_term_name(i));
        target_print("medida", name, lacking(of, i), extrapolated(m, i),
                     0.005 * fabs(lacking(of, i)));
    }
}

static verdict_kind all_right(int step, size_t from, size_t to)
{
    size_t right = 0;
    for (size_t m = from; m < to; m++)
        right += right_terms(step, m) != 0;
    return right == to - from ? VERDICT_YES : right == 0 ? VERDICT_NO : VERDICT_PARTLY;
}

/* The share of a model's error, in its coefficients, that what was found takes away. */
static double removed(int step, size_t m)
{
    double rest = 0, whole = 0;
    for (size_t i = 0; i < TERMS; i++) {
        rest += pow(found[step][m][i] - lacking(&models[m], i), 2);
        whole += pow(lacking(&models[m], i), 2);
    }
    return 1 - sqrt(rest / whole);
}

static void judge(paper *unused)
{
    double least = 1, most = 0;
    (void)unused;
    for (size_t m = 0; m < MAIN; m++) {
        least = fmin(least, removed(0, m));
        most = fmax(most, removed(0, m));
    }
    printf("error of the coefficients removed, twelve models, step 0.005: %.1f to %.1f %%\n",
           100 * least, 100 * most);
    verdict_print("medida", "up to 99 % of a model's error is removed, without noise",
                  most >= 0.99 ? VERDICT_YES : VERDICT_NO);
    for (size_t m = 0; m < MODELS; m++)
        judge_model(m);
    verdict_print("medida", "the right terms of twelve models of u u_x, u_xx, u_xxxx, step 0.005",
                  all_right(0, 0, MAIN));
    verdict_print("medida", "the right terms of a model with u_xxx too many, step 0.005",
                  all_right(0, MAIN, CUBIC));
    verdict_print("medida", "the right terms of a model with u^2 u_x too many, step 0.005",
                  all_right(0, CUBIC, MODELS));
    verdict_print("medida", "the same, step 0.001", all_right(1, CUBIC, MODELS));
}

static void draw(FILE *out, paper *unused)
{
    (void)unused;
    fputs("set multiplot layout 1,2\nset grid lc rgb '#cccccc'\nset key top left\n"
          "set xlabel 'what a model lacks'\nset ylabel 'coefficient found'\n"
          "set title 'terms of 18 models'\nset xrange [-1.2:1.8]\nset yrange [-1.2:1.8]\n"
          "plot x with lines lc rgb '#000000' dt 2 notitle",
          out);
    for (int s = 0; s < STEPS; s++)
        fprintf(out,
                ", $rows using ($2 == %g ? $4 : NaN):5 with points pt %d ps %g lc rgb '%s' title "
                "'step %g'",
                steps[s], s + 4, 1.6 - 0.4 * s, plot_colour((size_t)s), steps[s]);
    fputs("\n", out);
    features_draw(out);
    fputs("unset multiplot\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {observe, regress, judge, evidence, features, NULL};
    paper p = {.name = "medida",
               .about = "What an imperfect model lacks, by sparse Bayesian regression of its "
                        "increments;\nspectral bias of nets, and two cures.",
               .header = "model,step,term,lacking,found",
               .option = "nets",
               .counted = "nets of each kind",
               .samples = 5,
               .least = 1,
               .most = 1000,
               .seed = 1,
               .stages = stages,
               .draw = draw,
               .width = 1100,
               .height = 460};
    return paper_main(&p, argc, argv);
}
