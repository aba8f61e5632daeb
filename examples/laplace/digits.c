/* Drawn digits: a net that has learnt wrong labels by heart, and what is no digit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/laplace/laplace.h"
#include "examples/support/target.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10, TESTS = 2000, BINS = 15 };

static const size_t widths[3] = {64, 32, CLASSES};

/* ---- Data ------------------------------------------------------------------------------ */

typedef struct {
    ng_dataset *learnt, *test, *noise, *turned; /* the last two: as many as there are tests */
    int *truth;                                 /* of the tests */
} world;

/* The first `count` of the digits of a seed with their labels, a share of them wrong. */
static ng_dataset *mislabel(ng_mat x, int *labels, double wrong, const ng_random *random)
{
    ng_dataset *made;
    ng_error error;
    for (size_t i = 0; i < x.rows; i++) {
        double u[2];
        random->fill_uniform(random->data, u, 2);
        if (u[0] < wrong)
            labels[i] = (labels[i] + 1 + (int)(u[1] * (CLASSES - 1))) % CLASSES;
    }
    must(ng_dataset_from_labels(&made, x, labels, CLASSES, &error), &error);
    return made;
}

/* Pictures of the same numbers a quarter turn on, or every pixel at random. */
static ng_dataset *no_digits(ng_mat x, const int *labels, const ng_random *random)
{
    ng_dataset *made;
    ng_error error;
    ng_mat y = matrix(x.rows, PIXELS);
    if (random != NULL)
        random->fill_uniform(random->data, y.data, x.rows * PIXELS);
    for (size_t i = 0; i < x.rows && random == NULL; i++)
        for (size_t j = 0; j < PIXELS; j++)
            ng_mat_set(y, i, j % SIDE * SIDE + (SIDE - 1 - j / SIDE), ng_mat_get(x, i, j));
    must(ng_dataset_from_labels(&made, y, labels, CLASSES, &error), &error);
    free(y.data);
    return made;
}

static world world_open(size_t samples, double wrong, unsigned long seed)
{
    world w;
    size_t count = samples + TESTS, *index = calloc(count, sizeof *index);
    int *labels = calloc(count, sizeof *labels);
    ng_mat x = matrix(count, PIXELS);
    ng_random random;
    ng_dataset *all;
    ng_error error;
    if (index == NULL || labels == NULL)
        exit(program_end(program_no_memory()));
    for (size_t i = 0; i < count; i++)
        index[i] = i;
    must(ng_rng_create(&random, seed, &error), &error);
    must(ng_dataset_digits(&all, count, &random, &error), &error);
    must(ng_dataset_gather(all, x, labels, index, count, &error), &error);
    ng_dataset_destroy(all);
    ng_mat tests = ng_mat_block(x, samples, 0, TESTS, PIXELS);
    w.truth = labels + samples;
    w.learnt = mislabel(ng_mat_block(x, 0, 0, samples, PIXELS), labels, wrong, &random);
    must(ng_dataset_from_labels(&w.test, tests, w.truth, CLASSES, &error), &error);
    w.noise = no_digits(tests, w.truth, &random);
    w.turned = no_digits(tests, w.truth, NULL);
    ng_rng_destroy(&random);
    free(x.data);
    free(index);
    return w;
}

static void world_close(world *w, size_t samples)
{
    ng_dataset_destroy(w->learnt);
    ng_dataset_destroy(w->test);
    ng_dataset_destroy(w->noise);
    ng_dataset_destroy(w->turned);
    free(w->truth - samples);
}

/* ---- Scores ------------------------------------------------------------------------------ */

typedef struct {
    double accuracy, loss, ece;
    double noise, turned; /* area under the curve: entropy there above that of digits */
} score;

static void entropies(double *h, ng_mat p)
{
    for (size_t i = 0; i < p.rows; i++) {
        h[i] = 0;
        for (size_t j = 0; j < p.cols; j++) {
            double q = ng_mat_get(p, i, j);
            h[i] -= q > 0 ? q * log(q) : 0;
        }
    }
}

/* The share of pairs in which the first is larger, ties half. */
static double area(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            sum += (a[i] > b[j]) + 0.5 * (a[i] == b[j]);
    return sum / ((double)n * (double)n);
}

static score judge(const world *w, ng_model *model, ng_laplace *bars, asking how)
{
    static double of[3][TESTS], bin[BINS][3], classes[CLASSES][3];
    ng_mat p = matrix(TESTS, CLASSES), none = ng_mat_none();
    const ng_dataset *sets[3] = {w->noise, w->turned, w->test};
    ng_error error;
    score s = {0};
    for (int k = 0; k < 3; k++) {
        ask(p, none, model, bars, how, sets[k]);
        entropies(of[k], p);
    }
    for (size_t i = 0; i < TESTS; i++)
        s.loss -= log(fmax(ng_mat_get(p, i, (size_t)w->truth[i]), 1e-300)) / TESTS;
    must(ng_metrics_classes(ng_f64(&classes[0][0], CLASSES, 3), &s.accuracy, p, w->truth, &error),
         &error);
    must(ng_metrics_calibration(ng_f64(&bin[0][0], BINS, 3), &s.ece, p, w->truth, &error), &error);
    s.noise = area(of[0], of[2], TESTS);
    s.turned = area(of[1], of[2], TESTS);
    free(p.data);
    return s;
}

static void add(score *to, score s, size_t of)
{
    double *sum = &to->accuracy, *one = &s.accuracy;
    for (size_t i = 0; i < sizeof s / sizeof(double); i++)
        sum[i] += one[i] / (double)of;
}

/* ---- After learning by heart ------------------------------------------------------------------
 */

/* The rows of the table, per labels. */
enum { PLAIN, AFTER, PROBIT, DREW, MEAN, ALL, ROWS };
static const char *const names[ROWS] = {
    "net", "last, not refitted", "last", "last, 100 draws", "its weights alone", "kron"};

static void judge_all(score *sums, const world *w, ng_model *model, size_t of)
{
    ng_laplace *bars;
    add(&sums[PLAIN], judge(w, model, NULL, ASK_NET), of);
    bars = fit(model, w->learnt, NG_LAPLACE_LAST, 0, 0, NULL);
    add(&sums[AFTER], judge(w, model, bars, ASK_PROBIT), of);
    ng_laplace_destroy(bars);
    bars = fit(model, w->learnt, NG_LAPLACE_LAST, 1, 0, NULL);
    add(&sums[PROBIT], judge(w, model, bars, ASK_PROBIT), of);
    add(&sums[DREW], judge(w, model, bars, ASK_DRAWS), of);
    add(&sums[MEAN], judge(w, model, bars, ASK_NET), of);
    ng_laplace_destroy(bars);
    bars = fit(model, w->learnt, NG_LAPLACE_KRON, 1, 0, NULL);
    add(&sums[ALL], judge(w, model, bars, ASK_PROBIT), of);
    ng_laplace_destroy(bars);
}

static void print_rows(const score *s, FILE *rows, double wrong)
{
    for (int i = 0; i < ROWS; i++) {
        printf("%-20s %6.0f %% %10.4f %8.4f %8.4f %8.3f %8.3f\n", names[i], 100 * wrong,
               s[i].accuracy, s[i].loss, s[i].ece, s[i].noise, s[i].turned);
        fprintf(rows, "\"%s\",%g,%.6g,%.6g,%.6g,%.6g,%.6g\n", names[i], wrong, s[i].accuracy,
                s[i].loss, s[i].ece, s[i].noise, s[i].turned);
    }
}

/* wrong: some labels were. Ratios to the net's are to be at most so much: within that of 0. */
static void conclude(const score *s, int wrong)
{
    double loss = s[PROBIT].loss / s[PLAIN].loss, ece = s[PROBIT].ece / s[PLAIN].ece;
    double lost = fmax(s[PLAIN].accuracy - s[PROBIT].accuracy, 0);
    if (wrong) {
        target_print("laplace", "ece_ratio", 0, ece, 0.55);
        target_print("laplace", "loss_ratio", 0, loss, 0.65);
        target_print("laplace", "accuracy_lost", 0, lost, 0.005);
        return;
    }
    target_print("laplace", "accuracy_lost_right_labels", 0, lost, 0.005);
    verdict_print("laplace", "without refit a net that fits its labels becomes underconfident",
                  s[AFTER].ece > 2 * s[PLAIN].ece ? VERDICT_YES : VERDICT_NO);
    verdict_print("laplace", "refitting the last layer to the evidence's prior mends it",
                  ece < 1                                             ? VERDICT_YES
                  : loss < 1 && ece < s[AFTER].ece / s[PLAIN].ece / 2 ? VERDICT_PARTLY
                                                                      : VERDICT_NO);
}

/* The mean over the seeds; 0 when it was stopped. */
static int average(score *s, const config *c, double wrong)
{
    for (size_t i = 0; i < c->seeds.count; i++) {
        world w = world_open(c->samples, wrong, c->seeds.list[i]);
        ng_model *model = train_net(w.learnt, NG_LOSS_SOFTMAX, widths, 3, epochs_of(c, 400), 0.01,
                                    0, c->seeds.list[i]);
        if (!program_interrupted())
            judge_all(s, &w, model, c->seeds.count);
        ng_model_destroy(model);
        world_close(&w, c->samples);
    }
    return !program_interrupted();
}

int digits(const config *c)
{
    static const double shares[2] = {0.2, 0};
    table t;
    int status = table_open(&t, c->out, "digits", "predictor,wrong,accuracy,loss,ece,noise,turned");
    printf("%-20s %8s %10s %8s %8s %8s %8s\n", "digits", "wrong", "accuracy", "loss", "ece",
           "noise", "turned");
    for (int k = 0; k < 2 && status == 0; k++) {
        score s[ROWS] = {{0}};
        if (!average(s, c, shares[k]))
            break;
        print_rows(s, t.to, shares[k]);
        conclude(s, k == 0);
    }
    if (status == 0)
        status = table_save(&t);
    table_free(&t);
    return status;
}

/* ---- What is no digit ---------------------------------------------------------------------------
 */

/* The net, its last layer, all layers: the mean over the seeds. */
static int average_odd(score *s, const config *c)
{
    for (size_t i = 0; i < c->seeds.count; i++) {
        world w = world_open(c->samples, 0, c->seeds.list[i]);
        ng_model *model = train_net(w.learnt, NG_LOSS_SOFTMAX, widths, 3, epochs_of(c, 400), 0.05,
                                    1, c->seeds.list[i]);
        for (int k = 0; k < 3 && !program_interrupted(); k++) {
            ng_laplace *bars = NULL;
            if (k > 0)
                bars = fit(model, w.learnt, (ng_laplace_structure)(k - 1), 1, 0, NULL);
            add(&s[k], judge(&w, model, bars, k == 0 ? ASK_NET : ASK_PROBIT), c->seeds.count);
            ng_laplace_destroy(bars);
        }
        ng_model_destroy(model);
        world_close(&w, c->samples);
    }
    return !program_interrupted();
}

void odd_ones(const config *c)
{
    static const char *const what[3] = {"net", "last", "kron"};
    score s[3] = {{0}};
    if (!average_odd(s, c))
        return;
    printf("\n%-29s %10s %8s %8s %8s %8s\n", "trained with decay of tau = 1", "accuracy", "loss",
           "ece", "noise", "turned");
    for (int k = 0; k < 3; k++)
        printf("%-29s %10.4f %8.4f %8.4f %8.3f %8.3f\n", what[k], s[k].accuracy, s[k].loss,
               s[k].ece, s[k].noise, s[k].turned);
    target_print("laplace", "noise_auroc", 1, s[2].noise, 0.1);
}
