/* tau by the evidence against the tau whose posterior predicts new samples best. */
#include <math.h>
#include <stdlib.h>

#include "examples/laplace/laplace.h"
#include "examples/support/target.h"

enum { GRID = 33 }; /* of quarter powers of two around the evidence's */

typedef struct {
    const char *name;
    ng_dataset *train, *validation;
    ng_loss loss;
    size_t widths[2], layers, epochs;
} task;

/* y = sin 3x + N(0, 0.2^2) */
static ng_dataset *wave(size_t count, const ng_random *random)
{
    ng_dataset *made;
    ng_error error;
    ng_mat x = matrix(count, 1), y = matrix(count, 1);
    random->fill_uniform(random->data, x.data, count);
    random->fill_normal(random->data, y.data, count);
    for (size_t i = 0; i < count; i++) {
        ng_mat_set(x, i, 0, 4 * ng_mat_get(x, i, 0) - 2);
        ng_mat_set(y, i, 0, sin(3 * ng_mat_get(x, i, 0)) + 0.2 * ng_mat_get(y, i, 0));
    }
    must(ng_dataset_from_targets(&made, x, y, &error), &error);
    free(x.data);
    free(y.data);
    return made;
}

/* The first `train` of the samples, and the others. */
static void divide(task *t, ng_dataset *all, size_t train)
{
    ng_error error;
    size_t rest = ng_dataset_count(all) - train;
    must(ng_dataset_view(&t->train, all, 0, train, &error), &error);
    must(ng_dataset_view(&t->validation, all, train, rest, &error), &error);
    ng_dataset_destroy(all);
}

static task make(int which, const ng_random *random)
{
    task t = {.loss = NG_LOSS_SOFTMAX};
    ng_dataset *all;
    ng_error error;
    if (which == 0) {
        t = (task){.name = "mixture", .widths = {5}, .layers = 1, .epochs = 20};
        must(ng_dataset_mixture(&all, 2200, 5, 20, 3, random, &error), &error);
        divide(&t, all, 200);
    } else if (which == 1) {
        t = (task){.name = "digits", .widths = {32, 10}, .layers = 2, .epochs = 60};
        must(ng_dataset_digits(&all, 3000, random, &error), &error);
        divide(&t, all, 1000);
    } else {
        t = (task){.name = "wave", .widths = {20, 1}, .layers = 2, .epochs = 3000};
        t.loss = NG_LOSS_SQUARED;
        t.train = wave(60, random);
        t.validation = wave(2000, random);
    }
    return t;
}

/* The mean negative logarithm of what is predicted of the validation set. */
static double loss_of(const task *t, ng_model *model, ng_laplace *bars)
{
    size_t n = ng_dataset_count(t->validation), k = t->widths[t->layers - 1];
    ng_mat p = matrix(n, k), v = matrix(n, k), y = matrix(n, k);
    ng_error error;
    double sum = 0;
    ask(p, v, model, bars, ASK_PROBIT, t->validation);
    for (size_t i = 0; i < n; i++) {
        int label = 0;
        double x[784];
        if (t->loss == NG_LOSS_SQUARED) {
            must(ng_dataset_gather_targets(t->validation, ng_mat_block(y, 0, 0, 1, k), &i, 1,
                                           &error),
                 &error);
            double d = ng_mat_get(y, 0, 0) - ng_mat_get(p, i, 0), s = ng_mat_get(v, i, 0);
            sum += 0.5 * (log(2 * acos(-1) * s) + d * d / s);
            continue;
        }
        must(ng_dataset_gather(t->validation, ng_f64(x, 1, ng_dataset_features(t->validation)),
                               &label, &i, 1, &error),
             &error);
        sum -= log(ng_mat_get(p, i, (size_t)label));
    }
    free(p.data), free(v.data), free(y.data);
    return sum / (double)n;
}

/* The last layer is refitted to each tau: a convex problem, wherever it starts. Whether the two
 * are within a factor of two. */
static int compare(const task *t, ng_model *model)
{
    ng_laplace_info info;
    ng_laplace *bars = fit(model, t->train, NG_LAPLACE_LAST, 1, 0, &info);
    double here = loss_of(t, model, bars), best = here, at = info.prior_precision;
    ng_laplace_destroy(bars);
    for (int k = 0; k < GRID; k++) {
        double tau = info.prior_precision * pow(2, 0.25 * (k - GRID / 2));
        bars = fit(model, t->train, NG_LAPLACE_LAST, 1, tau, NULL);
        double loss = loss_of(t, model, bars);
        if (loss < best) {
            best = loss;
            at = tau;
        }
        ng_laplace_destroy(bars);
    }
    printf("%-10s %12.4g %12.4g %12.4f %12.4f\n", t->name, info.prior_precision, at, here, best);
    char name[64];
    snprintf(name, sizeof name, "log2_tau_%s", t->name);
    return target_print("laplace", name, log2(at), log2(info.prior_precision), 1);
}

void prior_choice(const config *c)
{
    ng_random random;
    ng_error error;
    int agree = 0;
    must(ng_rng_create(&random, 1, &error), &error);
    printf("\n%-10s %12s %12s %12s %12s\n", "task", "tau", "best tau", "loss", "best loss");
    for (int i = 0; i < 3 && !program_interrupted(); i++) {
        task t = make(i, &random);
        ng_model *model =
            train_net(t.train, t.loss, t.widths, t.layers, epochs_of(c, t.epochs), 0.01, 0, 1);
        if (!program_interrupted())
            agree += compare(&t, model);
        ng_model_destroy(model);
        ng_dataset_destroy(t.train);
        ng_dataset_destroy(t.validation);
    }
    ng_rng_destroy(&random);
    if (program_interrupted())
        return;
    verdict_print("laplace",
                  "the evidence finds the prior that predicts best, within a factor of two",
                  agree == 3  ? VERDICT_YES
                  : agree > 0 ? VERDICT_PARTLY
                              : VERDICT_NO);
}
