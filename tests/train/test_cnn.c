/* The convolutional net against one that convolves naively, number by number
 * in double, and against its finite differences. */
#include <stdio.h>

#include "tests/train/model_world.h"

enum { MAX_SIDE = 12, MAX_CHANNELS = 5, MAX_STAGES = 3, MAX_BATCH = 4, MAX_CLASSES = 6 };

typedef struct {
    size_t channels, height, width, filters[MAX_STAGES], stages, classes, batch, max_batch;
} shape;

static const shape shapes[] = {
    {1, 4, 4, {2, 3}, 2, 3, 2, 2}, {2, 5, 6, {3, 2}, 2, 4, 2, 4},    {1, 2, 3, {1}, 1, 2, 1, 1},
    {3, 3, 2, {5}, 1, 6, 3, 3},    {1, 9, 8, {2, 1, 2}, 3, 2, 1, 2},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct {
    shape s;
    ng_model *model;
    int labels[MAX_BATCH];
} world;

typedef struct {
    size_t channels, height, width;
    double v[MAX_CHANNELS][MAX_SIDE][MAX_SIDE];
} picture;

/* relu(W * x + b); margin falls to the smallest |z| */
static void naive_convolution(picture *out, const picture *in, ng_mat weight, ng_mat bias,
                              double *margin)
{
    out->channels = weight.rows;
    out->height = in->height;
    out->width = in->width;
    for (size_t o = 0; o < weight.rows; o++)
        for (size_t y = 0; y < in->height; y++)
            for (size_t x = 0; x < in->width; x++) {
                double z = ng_mat_get(bias, 0, o);
                for (size_t c = 0; c < in->channels; c++)
                    for (int dy = -1; dy <= 1; dy++)
                        for (int dx = -1; dx <= 1; dx++) {
                            int v = (int)y + dy, u = (int)x + dx;
                            if (v < 0 || u < 0 || v >= (int)in->height || u >= (int)in->width)
                                continue;
                            size_t tap = c * 9 + (size_t)((dy + 1) * 3 + dx + 1);
                            z += ng_mat_get(weight, o, tap) * in->v[c][v][u];
                        }
                *margin = fmin(*margin, fabs(z));
                out->v[o][y][x] = z > 0 ? z : 0;
            }
}

/* margin falls to the smallest distance of the two largest, where it matters */
static void naive_pool(picture *out, const picture *in, double *margin)
{
    out->channels = in->channels;
    out->height = in->height / 2;
    out->width = in->width / 2;
    for (size_t c = 0; c < out->channels; c++)
        for (size_t y = 0; y < out->height; y++)
            for (size_t x = 0; x < out->width; x++) {
                double first = 0, second = 0;
                for (size_t k = 0; k < 4; k++) {
                    double v = in->v[c][2 * y + k / 2][2 * x + k % 2];
                    second = v > first ? first : fmax(second, v);
                    first = fmax(first, v);
                }
                if (first > 0)
                    *margin = fmin(*margin, first - second);
                out->v[c][y][x] = first;
            }
}

static void naive_logits(const world *w, double *z, size_t sample, double *margin)
{
    static picture a, b;
    char name[32];
    ng_mat x = ng_model_input(w->model, w->s.batch);
    a.channels = w->s.channels;
    a.height = w->s.height;
    a.width = w->s.width;
    for (size_t k = 0, c = 0; c < a.channels; c++)
        for (size_t y = 0; y < a.height; y++)
            for (size_t u = 0; u < a.width; u++)
                a.v[c][y][u] = ng_mat_get(x, sample, k++);
    for (size_t i = 0; i < w->s.stages; i++) {
        snprintf(name, sizeof name, "conv%zu.weight", i + 1);
        ng_mat weight = model_weight(w->model, name);
        snprintf(name, sizeof name, "conv%zu.bias", i + 1);
        naive_convolution(&b, &a, weight, model_weight(w->model, name), margin);
        naive_pool(&a, &b, margin);
    }
    ng_mat weight = model_weight(w->model, "fc.weight"), bias = model_weight(w->model, "fc.bias");
    for (size_t o = 0; o < weight.rows; o++) {
        z[o] = ng_mat_get(bias, 0, o);
        for (size_t k = 0, y = 0; y < a.height; y++)
            for (size_t u = 0; u < a.width; u++)
                for (size_t c = 0; c < a.channels; c++)
                    z[o] += ng_mat_get(weight, o, k++) * a.v[c][y][u];
    }
}

static double naive(const world *w, ng_mat logits, double *margin)
{
    double loss = 0, z[MAX_CLASSES];
    for (size_t i = 0; i < w->s.batch; i++) {
        double sum = 0;
        naive_logits(w, z, i, margin);
        for (size_t j = 0; j < w->s.classes; j++) {
            sum += exp(z[j]);
            if (logits.data != NULL)
                ng_mat_set(logits, i, j, z[j]);
        }
        loss += log(sum) - z[w->labels[i]];
    }
    return loss / (double)w->s.batch;
}

static const ng_mat none = {NULL, 0, 0, 0, NG_F64};

static double naive_loss(const void *w)
{
    double margin = 1;
    return naive(w, none, &margin);
}

static world world_create(shape s, ng_dtype dtype, unsigned long long seed)
{
    world w = {.s = s};
    test_rng rng = {seed};
    ng_cnn_options o;
    ng_error error = {NG_OK, ""};
    ng_cnn_init(&o);
    o.dtype = dtype;
    o.channels = s.channels;
    o.height = s.height;
    o.width = s.width;
    o.filters = s.filters;
    o.stages = s.stages;
    o.classes = s.classes;
    o.max_batch = s.max_batch;
    ng_assert_ok(ng_model_create_cnn(&w.model, &o, &error), &error);
    model_draw(w.model, &rng);
    test_fill_normal(ng_model_input(w.model, s.batch), &rng);
    for (size_t i = 0; i < s.batch; i++)
        w.labels[i] = (int)(test_uniform(&rng) * (double)s.classes);
    return w;
}

/* A seed that stays away from the kinks of relu and maximum. */
static world nth_world(int n, ng_dtype dtype)
{
    for (unsigned long long seed = 1; seed < 2000; seed++) {
        world w = world_create(shapes[n], dtype, seed);
        double margin = 1;
        naive(&w, none, &margin);
        if (margin > 0.01)
            return w;
        ng_model_destroy(w.model);
    }
    ck_abort_msg("no seed keeps away from the kinks");
}

static double pass(world *w)
{
    return model_pass(w->model, w->s.batch, w->labels, w->s.batch);
}

START_TEST(forward_and_loss)
{
    for (int dtype = NG_F32; dtype <= NG_F64; dtype++) {
        double tol = dtype == NG_F32 ? 2e-5 : 1e-13, margin = 1;
        world w = world_create(shapes[_i], (ng_dtype)dtype, 3);
        ng_mat logits = test_mat(w.s.batch, w.s.classes, 0, NG_F64);
        double expected = naive(&w, logits, &margin);
        ng_assert_rel(pass(&w), expected, tol);
        ng_assert_mat(ng_model_output(w.model), logits, tol);
        test_free(logits);
        ng_model_destroy(w.model);
    }
}
END_TEST

START_TEST(gradients)
{
    world w = nth_world(_i, NG_F64);
    pass(&w);
    for (size_t i = 0; i < ng_model_parameters(w.model); i++)
        model_check_gradient(model_param(w.model, i), naive_loss, &w, 1e-8);
    model_check_layers(w.model);
    for (size_t i = 0; i < ng_model_layers(w.model); i++) {
        ng_model_linear l;
        ng_model_layer(w.model, &l, i, NULL);
        double places = (double)l.inputs.rows / (double)w.s.batch;
        ng_assert_rel(l.scale, (double)w.s.batch * sqrt(places), 1e-15);
    }
    ng_model_destroy(w.model);
}
END_TEST

START_TEST(single_against_double)
{
    world s = world_create(shapes[_i], NG_F32, 5), d = world_create(shapes[_i], NG_F64, 5);
    model_check_single(s.model, d.model, s.s.batch, s.labels, s.s.batch, 1e-5);
    ng_model_destroy(s.model);
    ng_model_destroy(d.model);
}
END_TEST

static void naive_output(const void *w, ng_mat logits)
{
    double margin = 1;
    naive(w, logits, &margin);
}

START_TEST(tangents)
{
    world w = nth_world(_i, NG_F64), single = world_create(shapes[_i], NG_F32, 1);
    model_check_tangents(w.model, single.model, w.s.batch, naive_output, &w);
    ng_model_destroy(single.model);
    ng_model_destroy(w.model);
}
END_TEST

START_TEST(start_and_refusals)
{
    const size_t filters[2] = {16, 32};
    ng_cnn_options good, o;
    ng_error error = {NG_OK, ""};
    ng_model *model;
    test_rng rng = {11}, same = {11};
    const ng_random random = {.fill_normal = model_normal, .data = &rng};
    ng_cnn_init(&good);
    good.height = good.width = 28;
    good.filters = filters;
    good.stages = 2;
    good.classes = 10;
    ng_assert_ok(ng_model_create_cnn(&model, &good, &error), &error);
    ng_assert_ok(ng_model_initialise(model, &random, &error), &error);
    const double want[] = {2.0 / 9, 0, 2.0 / 144, 0, 2.0 / 1568, 0};
    for (size_t i = 0; i < 6; i++)
        model_check_start(model_param(model, i), &same, sqrt(want[i]), 0);
    ng_model_destroy(model);
    world w = world_create(shapes[1], NG_F64, 3);
    model_check_stages(w.model, w.s.max_batch, w.labels, w.s.batch);
    ng_model_destroy(w.model);
#define REFUSED(field, value, status)                                                              \
    do {                                                                                           \
        o = good;                                                                                  \
        o.field = value;                                                                           \
        ng_assert_fails(ng_model_create_cnn(&model, &o, &error), status, &error, #field);          \
        ck_assert_ptr_null(model);                                                                 \
    } while (0)
    const size_t empty[2] = {3, 0};
    REFUSED(size, 1, NG_EOPTION);
    REFUSED(dtype, (ng_dtype)5, NG_EDTYPE);
    REFUSED(channels, 0, NG_EOPTION);
    REFUSED(height, 3, NG_EOPTION);
    REFUSED(width, 0, NG_EOPTION);
    REFUSED(filters, NULL, NG_EOPTION);
    REFUSED(filters, empty, NG_EOPTION);
    REFUSED(stages, 17, NG_EOPTION);
    REFUSED(classes, 0, NG_EOPTION);
    REFUSED(max_batch, 0, NG_EOPTION);
    o = good;
    o.channels = o.height = o.width = 1 << 16; /* more bytes than a size_t counts */
    o.max_batch = o.classes = 1 << 20;
    ng_assert_fails(ng_model_create_cnn(&model, &o, &error), NG_ENOMEM, &error, "no memory");
}
END_TEST

TEST_SUITE(cnn)
{
    TCase *tcase = tcase_create("cnn");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, forward_and_loss, 0, SHAPES);
    tcase_add_loop_test(tcase, gradients, 0, SHAPES);
    tcase_add_loop_test(tcase, single_against_double, 0, SHAPES);
    tcase_add_loop_test(tcase, tangents, 0, SHAPES);
    tcase_add_test(tcase, start_and_refusals);
    suite_add_tcase(suite, tcase);
}
