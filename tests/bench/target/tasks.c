/* The eight tasks: small enough that a step's own cost shows, different enough that no method wins
 * them all. Everything is drawn from fixed seeds; the text is Debian's copy of the GPL. */
#include "tests/bench/target/target.h"

#include <math.h>
#include <stdlib.h>

#include "lib/core/try.h"

static const double PI = 3.14159265358979323846;

/* ---- Models ------------------------------------------------------------------------ */

static ng_status feed_forward(ng_model **model, const task *t, const ng_dataset *data,
                              ng_error *error)
{
    size_t widths[16], targets = ng_schema_targets(ng_dataset_schema(data));
    ng_mlp_options o;
    TRY(ng_mlp_init(&o));
    for (size_t i = 0; i < t->depth; i++)
        widths[i] = t->hidden;
    widths[t->depth] = targets > 0 ? targets : ng_dataset_classes(data);
    o.inputs = ng_dataset_features(data);
    o.widths = widths;
    o.layers = t->depth + 1;
    o.activation = t->activation;
    o.loss = targets > 0 ? NG_LOSS_SQUARED : NG_LOSS_SOFTMAX;
    o.max_batch = t->batch > 256 ? t->batch : 256;
    return ng_model_create_mlp(model, &o, error);
}

static ng_status transformer(ng_model **model, const task *t, const ng_dataset *data,
                             ng_error *error)
{
    ng_gpt_options o;
    TRY(ng_gpt_init(&o));
    o.vocabulary = ng_dataset_classes(data);
    o.context = ng_dataset_features(data);
    o.width = t->hidden;
    o.layers = t->depth;
    o.max_batch = 2 * t->batch;
    return ng_model_create_gpt(model, &o, error);
}

/* ---- Data -------------------------------------------------------------------------------- */

static const char gpl[] = "/usr/share/common-licenses/GPL-3";

static ng_status open_source(ng_dataset **all, const char *source, size_t context, size_t classes,
                             ng_error *error)
{
    ng_dataset_options o;
    TRY(ng_dataset_init(&o));
    o.context = context;
    o.classes = classes;
    o.features = 32;
    o.separation = 3;
    return ng_dataset_open(all, source, &o, error);
}

static ng_status digits(ng_dataset **all, const task *t, ng_error *error)
{
    (void)t;
    return open_source(all, "digits:5000", 1, 1, error);
}

static ng_status mixture(ng_dataset **all, const task *t, ng_error *error)
{
    (void)t;
    return open_source(all, "mixture:8000", 1, 26, error);
}

static ng_status mixture_of_ten(ng_dataset **all, const task *t, ng_error *error)
{
    (void)t;
    return open_source(all, "mixture:8000", 1, 10, error);
}

static ng_status characters(ng_dataset **all, const task *t, ng_error *error)
{
    char source[64];
    (void)t;
    snprintf(source, sizeof source, "text:%s", gpl);
    return open_source(all, source, 8, 1, error);
}

static ng_status sequences(ng_dataset **all, const task *t, ng_error *error)
{
    char source[64];
    (void)t;
    snprintf(source, sizeof source, "sequences:%s", gpl);
    return open_source(all, source, 32, 1, error);
}

static void draw(double *out, size_t n, const ng_random *random, int normal)
{
    (normal ? random->fill_normal : random->fill_uniform)(random->data, out, n);
}

/* Three arms of 1.25 turns, radius with noise 0.03: x n x 2, label the arm. */
static void fill_spirals(double *x, int *labels, size_t n, const ng_random *random)
{
    for (size_t i = 0; i < n; i++) {
        double u[1], noise[2];
        draw(u, 1, random, 0);
        draw(noise, 2, random, 1);
        labels[i] = (int)(i % 3);
        double angle = 2.5 * PI * u[0] + 2 * PI * labels[i] / 3;
        x[2 * i] = (0.1 + u[0]) * cos(angle) + 0.03 * noise[0];
        x[2 * i + 1] = (0.1 + u[0]) * sin(angle) + 0.03 * noise[1];
    }
}

static ng_status spirals(ng_dataset **all, const task *t, ng_error *error)
{
    (void)t;
    enum { N = 4000 };
    static double x[2 * N];
    static int labels[N];
    ng_random random;
    TRY(ng_rng_create(&random, 2026, error));
    fill_spirals(x, labels, N, &random);
    ng_rng_destroy(&random);
    return ng_dataset_from_labels(all, ng_f64(x, N, 2), labels, 3, error);
}

enum { TEACHER_INPUTS = 32, TEACHER_WIDTH = 16 };

/* y = tanh(x V^T) u + 0.01 noise; the standard deviations of x fall from 1 to 1/100, so that its
 * covariance has condition 1e4, and V reads each column in its own unit. */
static void fill_teacher(double *x, double *y, size_t n, const ng_random *random)
{
    double v[TEACHER_WIDTH * TEACHER_INPUTS], u[TEACHER_WIDTH], noise[1];
    draw(v, TEACHER_WIDTH * TEACHER_INPUTS, random, 1);
    draw(u, TEACHER_WIDTH, random, 1);
    draw(x, n * TEACHER_INPUTS, random, 1);
    for (size_t i = 0; i < n; i++, x += TEACHER_INPUTS) {
        draw(noise, 1, random, 1);
        y[i] = 0.01 * noise[0];
        for (size_t k = 0; k < TEACHER_WIDTH; k++) {
            double z = 0;
            for (size_t j = 0; j < TEACHER_INPUTS; j++)
                z += v[k * TEACHER_INPUTS + j] * x[j] / sqrt((double)TEACHER_INPUTS);
            y[i] += u[k] * tanh(z) / sqrt((double)TEACHER_WIDTH);
        }
        for (size_t j = 0; j < TEACHER_INPUTS; j++)
            x[j] *= pow(10, -2.0 * (double)j / (TEACHER_INPUTS - 1));
    }
}

static ng_status teacher(ng_dataset **all, const task *t, ng_error *error)
{
    (void)t;
    enum { N = 6000 };
    static double x[N * TEACHER_INPUTS], y[N];
    ng_random random;
    TRY(ng_rng_create(&random, 2026, error));
    fill_teacher(x, y, N, &random);
    ng_rng_destroy(&random);
    return ng_dataset_from_targets(all, ng_f64(x, N, TEACHER_INPUTS), ng_f64(y, N, 1), error);
}

const task tasks[TASKS] = {
    {"digits", "drawn digits, 784-64-64-10", 64, 10, digits, feed_forward, 64, 2,
     NG_ACTIVATION_RELU},
    {"spirals", "three spirals, 2-64-64-3", 32, 40, spirals, feed_forward, 64, 2,
     NG_ACTIVATION_RELU},
    {"teacher", "regression, inputs of condition 1e4, 32-64-1", 64, 40, teacher, feed_forward, 64,
     1, NG_ACTIVATION_TANH},
    {"mixture", "26 Gaussians, 32-64-26", 64, 15, mixture, feed_forward, 64, 1, NG_ACTIVATION_RELU},
    {"text64", "characters of the GPL, batch 64, one hidden layer of 64", 64, 3, characters,
     feed_forward, 64, 1, NG_ACTIVATION_RELU},
    {"text512", "the same, batch 512", 512, 8, characters, feed_forward, 64, 1, NG_ACTIVATION_RELU},
    {"gpt", "transformer of one block, width 64", 16, 4, sequences, transformer, 64, 1,
     NG_ACTIVATION_GELU},
    {"deep", "10 Gaussians, eight tanh layers of 32", 64, 10, mixture_of_ten, feed_forward, 32, 8,
     NG_ACTIVATION_TANH},
};
