/* forecast: a graph GRU with prototypes and deviation losses, after ST-SSDL (arXiv:2510.04908), on
 * waves whose best forecast is known. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "examples/forecast/forecast.h"
#include "examples/support/program.h"

enum { SEEDS = 3, VARIANTS = 3, METHODS = VARIANTS + 3 };

static const variant variants[VARIANTS] = {{0, 0, 0}, {1, 0, 0}, {1, 0.1, 0.1}};
static const char *const names[METHODS] = {"graph GRU",          "with prototypes",
                                           "with both losses",   "exact conditional mean",
                                           "historical average", "persistence"};
static double found[METHODS][SEEDS][AHEAD];

/* ---- The gradient
 * -------------------------------------------------------------------------------- */

static double loss_at(net *n, const variant *v, const waves *w, const size_t *first)
{
    net_forecast(n, v, w, w, first);
    return net_loss(n, v, w, first);
}

/* Differences at three entries of each parameter. Queries are constants of the losses on the
 * prototypes: with these only the prototypes' own derivative is that of the loss. */
static void check_gradient(paper *p)
{
    const waves w = waves_make(paper_random(p, 1));
    net *n = net_create(paper_random(p, 2));
    size_t first[BATCH];
    double worst = 0;
    const double h = 1e-6;
    for (size_t b = 0; b < BATCH; b++)
        first[b] = 7 * b;
    for (int i = 0; i < PARAMETERS; i++) {
        const variant *v = &variants[i == PROTO ? 2 : 1];
        ng_mat param = net_parameter(n, i), gradient = net_gradient(n, i);
        const size_t size = param.rows * param.cols;
        for (size_t k = 0; k < 3; k++) {
            double *x = (double *)param.data + (k * size / 3 + size / 5) % size, start = *x;
            loss_at(n, v, &w, first);
            double slope = ((double *)gradient.data)[(k * size / 3 + size / 5) % size],
                   scale = ng_max_abs(gradient);
            *x = start + h;
            double right = loss_at(n, v, &w, first);
            *x = start - h;
            double left = loss_at(n, v, &w, first);
            *x = start;
            worst = fmax(worst, fabs((right - left) / (2 * h) - slope) / scale);
        }
    }
    target_print("stssdl", "gradient_against_differences", 0, worst, 1e-4);
}

/* ---- Training
 * ---------------------------------------------------------------------------------------- */

static void must(ng_optimizer *opt, ng_status status)
{
    if (status != NG_OK)
        exit(program_end(program_error("%s", ng_optimizer_error(opt))));
}

/* AdamW from lr 0.01, as published, falling as a cosine. */
static void train(const paper *p, net *n, const variant *v, const waves *w, const ng_random *random)
{
    ng_optimizer *opt;
    ng_group *group;
    ng_adamw_options o;
    ng_adamw_init(&o);
    o.weight_decay = 0;
    if (ng_optimizer_create(&opt, NULL) != NG_OK)
        exit(program_end(program_no_memory()));
    must(opt, ng_optimizer_add_group(opt, &group, &o));
    for (int i = 0; i < PARAMETERS; i++)
        must(opt, ng_group_add(group, NULL, net_name(i), net_parameter(n, i), net_gradient(n, i)));
    for (size_t step = 0; step < p->samples; step++) {
        size_t first[BATCH];
        ng_error error = {NG_OK, ""};
        paper_must(ng_rng_integers(random, first, BATCH, HOURS - WINDOW - AHEAD, &error), &error);
        net_forecast(n, v, w, w, first);
        net_loss(n, v, w, first);
        must(opt, ng_group_set(group, "lr",
                               0.005 * (1 + cos(acos(-1) * (double)step / (double)p->samples))));
        must(opt, ng_optimizer_step(opt));
    }
    ng_optimizer_destroy(opt);
}

static void test(net *n, const variant *v, const waves *w, const waves *trained,
                 double error[AHEAD])
{
    for (size_t k = 0; k < AHEAD; k++)
        error[k] = 0;
    for (size_t batch = 0; batch < TESTS / BATCH; batch++) {
        size_t first[BATCH];
        for (size_t b = 0; b < BATCH; b++)
            first[b] = test_window(batch * BATCH + b);
        ng_mat out = net_forecast(n, v, w, trained, first);
        for (size_t row = 0; row < ROWS; row++)
            for (size_t k = 0; k < AHEAD; k++)
                error[k] += fabs(ng_mat_get(out, row, k) -
                                 ng_mat_get(w->x, first[row / NODES] + WINDOW + k, row % NODES)) /
                            (TESTS * NODES);
    }
}

static void one_seed(paper *p, size_t seed)
{
    const waves known = waves_make(paper_random(p, 10 * seed + 11)),
                unknown = waves_make(paper_random(p, 10 * seed + 12));
    for (int v = 0; v < VARIANTS; v++) {
        net *n = net_create(paper_random(p, 10 * seed + 13));
        train(p, n, &variants[v], &known, paper_random(p, 10 * seed + 14));
        test(n, &variants[v], &unknown, &known, found[v][seed]);
    }
    conditional_error(found[VARIANTS][seed], &unknown);
    average_error(found[VARIANTS + 1][seed], &unknown, &known);
    persistence_error(found[VARIANTS + 2][seed], &unknown);
    for (int m = 0; m < METHODS; m++)
        for (size_t k = 0; k < AHEAD; k++)
            fprintf(p->rows.to, "\"%s\",%zu,%zu,%.6g\n", names[m], seed + 1, k + 1,
                    found[m][seed][k]);
}

static void first_seed(paper *p)
{
    one_seed(p, 0);
}

static void second_seed(paper *p)
{
    one_seed(p, 1);
}

static void third_seed(paper *p)
{
    one_seed(p, 2);
}

/* ---- What it says
 * ----------------------------------------------------------------------------------------- */

/* over the hours ahead */
static double mean_of(int method, int seed)
{
    double sum = 0;
    for (int k = 0; k < AHEAD; k++)
        sum += found[method][seed][k] / AHEAD;
    return sum;
}

/* Does `better` beat `worse` in every seed, in none, or in some? */
static verdict_kind beats(int better, int worse, double by)
{
    int wins = 0;
    for (int s = 0; s < SEEDS; s++)
        wins += mean_of(better, s) < (1 - by) * mean_of(worse, s);
    return wins == SEEDS ? VERDICT_YES : wins == 0 ? VERDICT_NO : VERDICT_PARTLY;
}

static void report(paper *p)
{
    double bound[AHEAD], still, mean[METHODS][AHEAD] = {{0}}, all[METHODS] = {0};
    (void)p;
    bayes_error(bound);
    stationary_error(&still);
    printf(
        "mean absolute error      hours ahead: 1       2       3   by seed: 1       2       3\n");
    printf("%-32s %7.4f %7.4f %7.4f\n", "Bayes bound, closed form", bound[0], bound[1], bound[2]);
    for (int m = 0; m < METHODS; m++) {
        for (int k = 0; k < AHEAD; k++)
            for (int s = 0; s < SEEDS; s++)
                mean[m][k] += found[m][s][k] / SEEDS;
        for (int s = 0; s < SEEDS; s++)
            all[m] += mean_of(m, s) / SEEDS;
        printf("%-32s %7.4f %7.4f %7.4f     %7.4f %7.4f %7.4f\n", names[m], mean[m][0], mean[m][1],
               mean[m][2], mean_of(m, 0), mean_of(m, 1), mean_of(m, 2));
    }
    /* errors of the mean over three tests of 512 windows by 12 nodes, correlated over a few of
     * either */
    target_print("stssdl", "bayes_error_1_hour", bound[0], mean[VARIANTS][0], 0.01);
    target_print("stssdl", "bayes_error_3_hours", bound[2], mean[VARIANTS][2], 0.015);
    target_print("stssdl", "historical_average", still, mean[VARIANTS + 1][0], 0.03);
    target_print("stssdl", "nothing_beats_the_bound", 1,
                 fmin(fmin(all[0], all[1]), all[2]) > all[VARIANTS] - 0.005, 0);
    verdict_print("stssdl", "the graph GRU forecasts better than the historical average",
                  beats(0, VARIANTS + 1, 0));
    verdict_print("stssdl", "prototypes alone help it by 1 %", beats(1, 0, 0.01));
    verdict_print("stssdl", "the contrastive and deviation losses help it by 1 %",
                  beats(2, 0, 0.01));
}

static void draw(FILE *out, paper *p)
{
    double bound[AHEAD];
    (void)p;
    bayes_error(bound);
    fputs("set grid lc rgb '#cccccc'\nset xlabel 'hours ahead'\nset ylabel 'mean absolute error'\n"
          "set xrange [0.8:3.2]\nset yrange [0.22:0.34]\nset xtics 1\nset key outside right "
          "top\nplot ",
          out);
    for (int m = 0; m < METHODS - 1; m++)
        fprintf(out,
                "$rows using (strcol(1) eq '%s' ? $3 + %g : NaN):4 with points pt %d ps 1.2 lc rgb "
                "'%s' "
                "title '%s', ",
                names[m], 0.02 * (m - 2), m + 4, plot_colour((size_t)m), names[m]);
    fputs("'-' using 1:2 with lines lw 2 lc rgb '#000000' title 'Bayes bound'\n", out);
    for (int k = 0; k < AHEAD; k++)
        fprintf(out, "%d,%.6g\n", k + 1, bound[k]);
    fputs("e\n", out);
}

int main(int argc, char **argv)
{
    static void (*const stages[])(paper *) = {check_gradient, first_seed, second_seed,
                                              third_seed,     report,     NULL};
    paper p = {
        .name = "forecast",
        .about =
            "A graph GRU with and without prototypes and deviation losses, and the Bayes bound.",
        .header = "method,seed,ahead,error",
        .counted = "steps of training of each of nine nets",
        .samples = 400,
        .least = 1,
        .most = 100000,
        .seed = 1,
        .stages = stages,
        .draw = draw,
        .width = 900,
        .height = 420};
    return paper_main(&p, argc, argv);
}
