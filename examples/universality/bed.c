/* Classes that are images of normal laws, their exact moments, and regressions that tell them
 * apart. */
#include <math.h>
#include <string.h>

#include "examples/universality/universality.h"

enum {
    GRID = 27
}; /* -6.5, -6, ..., 6.5: tanh is analytic, so that sums over it are exact to 1e-8 */

static double node(int q)
{
    return 0.5 * (q - GRID / 2);
}

static double weight(int q)
{
    return 0.5 * exp(-0.5 * node(q) * node(q)) / sqrt(2 * 3.14159265358979323846);
}

/* E[tanh(u) tanh(v)] of normal u, v with means m, n and covariance ((a, c), (c, b)) */
static double product(double m, double n, double a, double b, double c)
{
    const double s = sqrt(a), rest = sqrt(fmax(0, b - c * c / a));
    double sum = 0;
    for (int q = 0; q < GRID; q++) {
        double inner = 0;
        for (int r = 0; r < GRID; r++)
            inner += weight(r) * tanh(n + c / s * node(q) + rest * node(r));
        sum += weight(q) * tanh(m + s * node(q)) * inner;
    }
    return sum;
}

static double first(double m, double variance)
{
    double sum = 0;
    for (int q = 0; q < GRID; q++)
        sum += weight(q) * tanh(m + sqrt(variance) * node(q));
    return sum;
}

static void moments(classes *bed, size_t c)
{
    ng_error error = {NG_OK, ""};
    ng_mat gram = paper_mat(bed->d, bed->d);
    paper_must(ng_syrk(gram, bed->w[c], NG_NOTRANS, 1, 0, &error), &error);
    for (size_t i = 0; i < bed->d; i++)
        ng_mat_set(bed->means, c, i, first(ng_mat_get(bed->b, c, i), ng_mat_get(gram, i, i)));
    for (size_t i = 0; i < bed->d; i++)
        for (size_t j = 0; j <= i; j++)
            ng_mat_set(bed->covariances, c * bed->d + i, j,
                       product(ng_mat_get(bed->b, c, i), ng_mat_get(bed->b, c, j),
                               ng_mat_get(gram, i, i), ng_mat_get(gram, j, j),
                               ng_mat_get(gram, i, j)) -
                           ng_mat_get(bed->means, c, i) * ng_mat_get(bed->means, c, j));
}

size_t bed_draws(const paper *p)
{
    const size_t draws = p->samples / 10000;
    return draws < 1 ? 1 : draws > DRAWS ? DRAWS : draws;
}

size_t bed_tested(const paper *p)
{
    return p->samples / bed_draws(p) / CLASSES * CLASSES;
}

void bed_make(classes *bed, const paper *p, size_t d, size_t latent, size_t stream)
{
    const ng_random *random = paper_random(p, stream);
    bed->d = d;
    bed->latent = latent;
    bed->b = paper_mat(CLASSES, d);
    bed->means = paper_mat(CLASSES, d);
    bed->covariances = paper_mat(CLASSES * d, d);
    paper_normal(bed->b, random);
    ng_scale(bed->b, 0.125 * sqrt((double)DIMENSION / (double)d));
    for (size_t c = 0; c < CLASSES; c++) {
        bed->w[c] = paper_mat(d, latent);
        paper_normal(bed->w[c], random);
        ng_scale(bed->w[c], 1 / sqrt((double)latent));
        moments(bed, c);
    }
    bed->matched = paper_laws(bed->means, bed->covariances, NULL, NULL);
}

ng_mat bed_class(ng_mat x, size_t c)
{
    ng_mat rows = ng_f64((double *)x.data + c * x.stride, x.rows / CLASSES, x.cols);
    rows.stride = CLASSES * x.stride;
    return rows;
}

void bed_sample(const classes *bed, ng_mat x, law kind, const ng_random *random)
{
    static double z[TESTED / CLASSES * WIDEST];
    ng_error error = {NG_OK, ""};
    for (size_t c = 0; c < CLASSES; c++) {
        ng_mat rows = bed_class(x, c), latent = ng_f64(z, rows.rows, bed->latent);
        if (kind == NORMAL) {
            paper_must(ng_mixture_sample(bed->matched, rows, NULL, (int)c, random, &error), &error);
            continue;
        }
        paper_normal(latent, random);
        paper_must(ng_gemm(rows, latent, NG_NOTRANS, bed->w[c], NG_TRANS, 1, 0, &error), &error);
        for (size_t i = 0; i < rows.rows; i++)
            for (size_t j = 0; j < rows.cols; j++)
                ng_mat_set(rows, i, j, tanh(ng_mat_get(rows, i, j) + ng_mat_get(bed->b, c, j)));
    }
}

void bed_dataset(ng_dataset **data, ng_mat x)
{
    static int labels[TESTED];
    ng_error error = {NG_OK, ""};
    for (size_t i = 0; i < x.rows; i++)
        labels[i] = (int)(i % CLASSES);
    paper_must(ng_dataset_from_labels(data, x, labels, CLASSES, &error), &error);
}

ng_model *bed_train(ng_mat x, size_t seed)
{
    static const size_t widths[1] = {CLASSES};
    ng_error error = {NG_OK, ""};
    ng_mlp_options net;
    ng_sgd_options sgd;
    ng_trainer_options o;
    ng_trainer *trainer;
    ng_model *model;
    ng_dataset *data;
    bed_dataset(&data, x);
    ng_mlp_init(&net);
    net.dtype = NG_F64;
    net.inputs = x.cols;
    net.widths = widths;
    net.layers = 1;
    net.max_batch = 1000;
    paper_must(ng_model_create_mlp(&model, &net, &error), &error);
    ng_sgd_init(&sgd);
    sgd.lr = 0.5;
    sgd.momentum = 0;
    ng_trainer_init(&o);
    o.method = &sgd;
    o.batch = 50;
    o.epochs = 20;
    o.schedule = NG_SCHEDULE_LINEAR;
    o.keep_weights = 1; /* zeros */
    o.seed = seed;
    paper_must(ng_trainer_create(&trainer, model, &o, &error), &error);
    ng_status status = ng_trainer_fit(trainer, data, NULL);
    ng_error_set(&error, status, "%s", ng_trainer_error(trainer));
    paper_must(status, &error);
    ng_trainer_destroy(trainer);
    ng_dataset_destroy(data);
    return model;
}

double bed_error(ng_model *model, const ng_dataset *data)
{
    static double room[TESTED * CLASSES];
    ng_error error = {NG_OK, ""};
    ng_mat p = ng_f64(room, ng_dataset_count(data), CLASSES);
    size_t wrong = 0;
    paper_must(ng_model_predict(model, p, NULL, data, &error), &error);
    for (size_t i = 0; i < p.rows; i++)
        wrong += ng_metrics_choice(p, i) != i % CLASSES;
    return (double)wrong / (double)p.rows;
}

ng_mat bed_fisher(ng_model *model, ng_mat x)
{
    const size_t d = x.cols + 1; /* the last input is 1: biases */
    ng_error error = {NG_OK, ""};
    ng_mat fisher = paper_mat(CLASSES * d, CLASSES * d), p = paper_mat(x.rows, CLASSES);
    ng_mat one = paper_mat(x.rows, d), scaled = paper_mat(x.rows, d);
    ng_dataset *data;
    bed_dataset(&data, x);
    paper_must(ng_model_predict(model, p, NULL, data, &error), &error);
    ng_dataset_destroy(data);
    ng_fill(one, 1);
    paper_must(ng_copy(ng_mat_block(one, 0, 0, x.rows, x.cols), x, &error), &error);
    for (size_t a = 0; a < CLASSES; a++)
        for (size_t b = 0; b < CLASSES; b++) {
            for (size_t i = 0; i < x.rows; i++) {
                double f = ng_mat_get(p, i, a) * ((a == b) - ng_mat_get(p, i, b));
                for (size_t j = 0; j < d; j++)
                    ng_mat_set(scaled, i, j, f * ng_mat_get(one, i, j));
            }
            paper_must(ng_gemm(ng_mat_block(fisher, a * d, b * d, d, d), scaled, NG_TRANS, one,
                               NG_NOTRANS, 1 / (double)x.rows, 0, &error),
                       &error);
        }
    return fisher;
}
