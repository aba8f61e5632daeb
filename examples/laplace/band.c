/* A regression in one dimension with a gap in its data, and its band. */
#include <math.h>
#include <stdlib.h>

#include "examples/laplace/laplace.h"
#include "examples/support/plot.h"
#include "examples/support/target.h"

enum { SAMPLES = 80, POINTS = 241 };
static const double low = -4, high = 4;
static const size_t widths[3] = {30, 30, 1};

static double truth(double x)
{
    return sin(2 * x) + 0.3 * x;
}

/* Half of the samples in -3 ... -1, half in 1 ... 3; noise of deviation 0.15 */
static ng_dataset *make(ng_mat x, ng_mat y)
{
    ng_random random;
    ng_dataset *made;
    ng_error error;
    must(ng_rng_create(&random, 5, &error), &error);
    random.fill_uniform(random.data, x.data, SAMPLES);
    random.fill_normal(random.data, y.data, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++) {
        double at = 1 + 2 * ng_mat_get(x, i, 0);
        ng_mat_set(x, i, 0, i % 2 == 0 ? at : -at);
        ng_mat_set(y, i, 0, truth(ng_mat_get(x, i, 0)) + 0.15 * ng_mat_get(y, i, 0));
    }
    ng_rng_destroy(&random);
    must(ng_dataset_from_targets(&made, x, y, &error), &error);
    return made;
}

/* The largest deviation of the function over the points in from ... to. */
static double widest(ng_mat x, ng_mat v, double noise, double from, double to)
{
    double most = 0;
    for (size_t i = 0; i < POINTS; i++)
        if (ng_mat_get(x, i, 0) >= from && ng_mat_get(x, i, 0) <= to)
            most = fmax(most, sqrt(fmax(ng_mat_get(v, i, 0) - noise, 0)));
    return most;
}

static int draw(table *t, double tau, double noise)
{
    picture p;
    if (plot_open(&p) != 0)
        return 1;
    plot_table(p.script, "band", t);
    plot_title(p.script, "all layers, prior precision %.3g and noise %.3g by the evidence", tau,
               sqrt(noise));
    fputs("set border 3\nset tics nomirror out\nset xrange [-4:4]\nset yrange [-3.5:3.5]\n"
          "set xlabel 'x'\nset ylabel 'y'\nset key top left\n"
          "plot $band using (strcol(1) eq 'net' ? $2 : NaN):($3 - 2 * $5):($3 + 2 * $5) with "
          "filledcurves fs solid 0.25 lc rgb '#0072B2' title 'two deviations, with noise', "
          "'' using (strcol(1) eq 'net' ? $2 : NaN):($3 - 2 * $4):($3 + 2 * $4) with "
          "filledcurves fs solid 0.45 lc rgb '#0072B2' title 'of the function', "
          "'' using (strcol(1) eq 'net' ? $2 : NaN):3 with lines lw 2 lc rgb '#0072B2' "
          "title 'net', sin(2 * x) + 0.3 * x with lines dt 2 lc rgb '#000000' title 'truth', "
          "'' using (strcol(1) eq 'sample' ? $2 : NaN):3 with points pt 7 ps 0.6 "
          "lc rgb '#D55E00' title 'samples'\n",
          p.script);
    return plot_draw(&p, t, 900, 480);
}

static int leave(const config *c, ng_mat x, ng_mat p, ng_mat v, ng_mat learnt, ng_mat y, double tau,
                 double noise)
{
    table t;
    int status = table_open(&t, c->out, "laplace", "what,x,y,function,observation");
    for (size_t i = 0; i < POINTS && status == 0; i++)
        fprintf(t.to, "net,%.4g,%.6g,%.6g,%.6g\n", ng_mat_get(x, i, 0), ng_mat_get(p, i, 0),
                sqrt(fmax(ng_mat_get(v, i, 0) - noise, 0)), sqrt(ng_mat_get(v, i, 0)));
    for (size_t i = 0; i < SAMPLES && status == 0; i++)
        fprintf(t.to, "sample,%.6g,%.6g,,\n", ng_mat_get(learnt, i, 0), ng_mat_get(y, i, 0));
    if (status == 0)
        status = table_save(&t);
    if (status == 0)
        status = draw(&t, tau, noise);
    table_free(&t);
    return status;
}

int band(const config *c)
{
    ng_mat learnt = matrix(SAMPLES, 1), y = matrix(SAMPLES, 1);
    ng_mat x = matrix(POINTS, 1), p = matrix(POINTS, 1), v = matrix(POINTS, 1);
    ng_dataset *data = make(learnt, y), *points;
    ng_laplace_info info;
    ng_error error;
    for (size_t i = 0; i < POINTS; i++)
        ng_mat_set(x, i, 0, low + (high - low) * (double)i / (POINTS - 1));
    must(ng_dataset_from_targets(&points, x, p, &error), &error);
    ng_model *model =
        train_net(data, NG_LOSS_SQUARED, widths, 3, epochs_of(c, 1500), 0.02, 0.02, 1);
    if (program_interrupted())
        return 0;
    ng_laplace *bars = fit(model, data, NG_LAPLACE_KRON, 1, 0, &info);
    ask(p, v, model, bars, ASK_PROBIT, points);
    double s = info.noise_variance, inside = widest(x, v, s, 1.2, 2.8);
    printf("\nregression: tau %.3g, noise %.3g, %.1f of %zu weights determined; widest band among "
           "samples %.3g, in the gap %.3g\n",
           info.prior_precision, sqrt(s), info.effective, info.parameters, inside,
           widest(x, v, s, -0.8, 0.8));
    target_print("laplace", "band_in_the_gap_wider", 1, widest(x, v, s, -0.8, 0.8) > 2 * inside, 0);
    int status = leave(c, x, p, v, learnt, y, info.prior_precision, s);
    ng_laplace_destroy(bars);
    ng_model_destroy(model);
    ng_dataset_destroy(data);
    ng_dataset_destroy(points);
    free(learnt.data), free(y.data), free(x.data), free(p.data), free(v.data);
    return status;
}
