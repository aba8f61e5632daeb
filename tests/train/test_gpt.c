/* The transformer against one written naively, position by position in double,
 * against its finite differences, and properties: causality, tied weights. */
#include <stdio.h>

#include "tests/train/model_world.h"

enum { MAX_ROWS = 64, MAX_WIDTH = 80, MAX_VOCABULARY = 16 };

typedef struct {
    size_t vocabulary, context, layers, width, heads, batch, max_batch;
    int tied;
} shape;

static const shape shapes[] = {
    {5, 4, 2, 6, 2, 3, 4, 0}, {5, 4, 2, 6, 2, 3, 4, 1},  {3, 1, 1, 4, 4, 2, 2, 0},
    {1, 1, 1, 1, 1, 1, 1, 0}, {7, 5, 1, 66, 6, 2, 3, 0}, {4, 6, 3, 8, 1, 1, 2, 1},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct {
    shape s;
    ng_model *model;
    int tokens[MAX_ROWS], labels[MAX_ROWS];
    int per_sample; /* labels: one a sample */
} world;

static world world_create(shape s, ng_dtype dtype, unsigned long long seed)
{
    world w = {.s = s};
    test_rng rng = {seed};
    ng_gpt_options o;
    ng_error error = {NG_OK, ""};
    ng_gpt_init(&o);
    o.dtype = dtype;
    o.vocabulary = s.vocabulary;
    o.context = s.context;
    o.layers = s.layers;
    o.width = s.width;
    o.heads = s.heads;
    o.tied = s.tied;
    o.max_batch = s.max_batch;
    ng_assert_ok(ng_model_create_gpt(&w.model, &o, &error), &error);
    model_draw(w.model, &rng);
    ng_mat x = ng_model_input(w.model, s.batch);
    for (size_t r = 0; r < s.batch * s.context; r++) {
        w.tokens[r] = (int)(test_uniform(&rng) * (double)s.vocabulary);
        w.labels[r] = (int)(test_uniform(&rng) * (double)s.vocabulary);
        ng_mat_set(x, r / s.context, r % s.context, w.tokens[r]);
    }
    return w;
}

/* ---- The naive transformer ---------------------------------------------------- */

typedef struct {
    double v[MAX_ROWS][4 * MAX_WIDTH];
} rows;

static ng_mat part(const world *w, size_t block, const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "h%zu.%s", block, name);
    return model_weight(w->model, full);
}

static void naive_norm(double *out, const double *x, size_t n, ng_mat weight, ng_mat bias)
{
    double mean = 0, variance = 0;
    for (size_t j = 0; j < n; j++)
        mean += x[j] / (double)n;
    for (size_t j = 0; j < n; j++)
        variance += pow(x[j] - mean, 2) / (double)n;
    for (size_t j = 0; j < n; j++)
        out[j] = ng_mat_get(weight, 0, j) * (x[j] - mean) / sqrt(variance + 1e-5) +
                 ng_mat_get(bias, 0, j);
}

static void naive_linear(double *out, const double *x, ng_mat weight, const ng_mat *bias)
{
    for (size_t o = 0; o < weight.rows; o++) {
        out[o] = bias != NULL ? ng_mat_get(*bias, 0, o) : 0;
        for (size_t k = 0; k < weight.cols; k++)
            out[o] += ng_mat_get(weight, o, k) * x[k];
    }
}

/* y_t of one head: the sum over s <= t of exp(q_t k_s / sqrt d) v_s, normalised */
static void naive_head(double *y, const rows *qkv, size_t first, size_t t, size_t width,
                       size_t from, size_t size)
{
    double total = 0;
    for (size_t j = 0; j < size; j++)
        y[from + j] = 0;
    for (size_t s = 0; s <= t; s++) {
        double score = 0;
        for (size_t j = 0; j < size; j++)
            score += qkv->v[first + t][from + j] * qkv->v[first + s][width + from + j];
        double weight = exp(score / sqrt((double)size));
        total += weight;
        for (size_t j = 0; j < size; j++)
            y[from + j] += weight * qkv->v[first + s][2 * width + from + j];
    }
    for (size_t j = 0; j < size; j++)
        y[from + j] /= total;
}

static void naive_block(const world *w, rows *x, size_t block)
{
    static rows qkv;
    size_t n = w->s.batch * w->s.context, width = w->s.width, size = width / w->s.heads;
    double a[4 * MAX_WIDTH], h[4 * MAX_WIDTH];
    ng_mat norm[4] = {part(w, block, "ln_1.weight"), part(w, block, "ln_1.bias"),
                      part(w, block, "ln_2.weight"), part(w, block, "ln_2.bias")};
    ng_mat m[4] = {part(w, block, "attn.qkv.weight"), part(w, block, "attn.proj.weight"),
                   part(w, block, "mlp.fc.weight"), part(w, block, "mlp.proj.weight")};
    ng_mat b[4] = {part(w, block, "attn.qkv.bias"), part(w, block, "attn.proj.bias"),
                   part(w, block, "mlp.fc.bias"), part(w, block, "mlp.proj.bias")};
    for (size_t r = 0; r < n; r++) {
        naive_norm(a, x->v[r], width, norm[0], norm[1]);
        naive_linear(qkv.v[r], a, m[0], &b[0]);
    }
    for (size_t r = 0; r < n; r++) {
        size_t t = r % w->s.context;
        for (size_t j = 0; j < w->s.heads; j++)
            naive_head(a, &qkv, r - t, t, width, j * size, size);
        naive_linear(h, a, m[1], &b[1]);
        for (size_t j = 0; j < width; j++)
            x->v[r][j] += h[j];
        naive_norm(a, x->v[r], width, norm[2], norm[3]);
        naive_linear(h, a, m[2], &b[2]);
        for (size_t j = 0; j < 4 * width; j++)
            h[j] *= 0.5 * (1 + erf(h[j] / sqrt(2)));
        naive_linear(a, h, m[3], &b[3]);
        for (size_t j = 0; j < width; j++)
            x->v[r][j] += a[j];
    }
}

static double naive(const world *w, ng_mat logits)
{
    static rows x;
    size_t n = w->s.batch * w->s.context, context = w->s.context;
    double loss = 0, a[MAX_WIDTH], z[MAX_VOCABULARY];
    ng_mat wte = model_weight(w->model, "wte.weight"), wpe = model_weight(w->model, "wpe.weight");
    ng_mat last[2] = {model_weight(w->model, "ln_f.weight"), model_weight(w->model, "ln_f.bias")};
    ng_mat head = w->s.tied ? wte : model_weight(w->model, "head.weight");
    for (size_t r = 0; r < n; r++)
        for (size_t j = 0; j < w->s.width; j++)
            x.v[r][j] = ng_mat_get(wte, (size_t)w->tokens[r], j) + ng_mat_get(wpe, r % context, j);
    for (size_t i = 0; i < w->s.layers; i++)
        naive_block(w, &x, i);
    for (size_t r = 0; r < n; r++) {
        int label = !w->per_sample              ? w->labels[r]
                    : r % context + 1 < context ? w->tokens[r + 1]
                                                : w->labels[r / context];
        double sum = 0;
        naive_norm(a, x.v[r], w->s.width, last[0], last[1]);
        naive_linear(z, a, head, NULL);
        for (size_t v = 0; v < w->s.vocabulary; v++) {
            sum += exp(z[v]);
            if (logits.data != NULL)
                ng_mat_set(logits, r, v, z[v]);
        }
        loss += log(sum) - z[label];
    }
    return loss / (double)n;
}

static double naive_loss(const void *w)
{
    const ng_mat none = {NULL, 0, 0, 0, NG_F64};
    return naive(w, none);
}

/* ---- Tests ------------------------------------------------------------------------- */

static double pass(world *w)
{
    size_t count = w->s.batch * (w->per_sample ? 1 : w->s.context);
    return model_pass(w->model, w->s.batch, w->labels, count);
}

START_TEST(forward_and_loss)
{
    for (int dtype = NG_F32; dtype <= NG_F64; dtype++) {
        double tol = dtype == NG_F32 ? 2e-5 : 1e-13;
        world w = world_create(shapes[_i], (ng_dtype)dtype, 3);
        ng_mat logits = test_mat(w.s.batch * w.s.context, w.s.vocabulary, 0, NG_F64);
        for (w.per_sample = 0; w.per_sample <= 1; w.per_sample++) {
            double expected = naive(&w, logits), loss = pass(&w);
            ng_assert_mat(ng_model_output(w.model), logits, tol);
            ng_assert_le(fabs(loss - expected), tol * fabs(expected) + 1e-15);
        }
        test_free(logits);
        ng_model_destroy(w.model);
    }
}
END_TEST

START_TEST(gradients)
{
    world w = world_create(shapes[_i], NG_F64, 5);
    w.per_sample = _i % 2;
    pass(&w);
    for (size_t i = 0; i < ng_model_parameters(w.model); i++)
        model_check_gradient(model_param(w.model, i), naive_loss, &w, 2e-8);
    ng_model_destroy(w.model);
}
END_TEST

START_TEST(single_against_double)
{
    world s = world_create(shapes[_i], NG_F32, 5), d = world_create(shapes[_i], NG_F64, 5);
    model_check_single(s.model, d.model, s.s.batch, s.labels, s.s.batch * s.s.context, 1e-4);
    ng_model_destroy(s.model);
    ng_model_destroy(d.model);
}
END_TEST

static void naive_output(const void *w, ng_mat logits)
{
    naive(w, logits);
}

START_TEST(tangents)
{
    world w = world_create(shapes[_i], NG_F64, 5), single = world_create(shapes[_i], NG_F32, 1);
    model_check_tangents(w.model, single.model, w.s.batch, naive_output, &w);
    ng_model_destroy(single.model);
    ng_model_destroy(w.model);
}
END_TEST

START_TEST(statistics)
{
    world w = world_create(shapes[_i], NG_F64, 5);
    ng_model_linear l;
    pass(&w);
    ck_assert_uint_eq(ng_model_layers(w.model), 4 * w.s.layers + 1);
    for (size_t i = 0; i < ng_model_layers(w.model); i++) {
        ng_model_layer(w.model, &l, i, NULL);
        ck_assert_uint_eq(l.inputs.rows, w.s.batch * w.s.context);
        ck_assert_double_eq(l.scale, (double)(w.s.batch * w.s.context));
        ck_assert_int_eq(l.shared, w.s.tied && i + 1 == ng_model_layers(w.model));
    }
    if (w.s.width > 1) /* one number a row: the norms hide everything, and so dw is rounding */
        model_check_layers(w.model);
    ng_model_destroy(w.model);
}
END_TEST

/* Another token at position t: the logits before it keep their bits, those from it on change. */
START_TEST(causality)
{
    world w = world_create(shapes[4], NG_F32, 5);
    for (size_t t = 0; t < w.s.context; t++) {
        ng_assert_ok(ng_model_forward(w.model, w.s.batch, NULL), NULL);
        ng_mat before = test_copy(ng_model_output(w.model)), x = ng_model_input(w.model, 1);
        ng_mat_set(x, 0, t, (w.tokens[t] + 1) % (int)w.s.vocabulary);
        ng_assert_ok(ng_model_forward(w.model, w.s.batch, NULL), NULL);
        ng_mat after = ng_model_output(w.model);
        for (size_t r = 0; r < after.rows; r++) {
            ng_mat row[2] = {ng_mat_block(before, r, 0, 1, after.cols),
                             ng_mat_block(after, r, 0, 1, after.cols)};
            int touched = r >= t && r < w.s.context;
            ck_assert_msg(test_same_bits(row[0], row[1]) != touched, "position %zu, row %zu", t, r);
        }
        ng_mat_set(x, 0, t, w.tokens[t]);
        test_free(before);
    }
    ng_model_destroy(w.model);
}
END_TEST

/* With the head's weight a copy of wte, the two gradients add up to the tied one. */
START_TEST(tied_gradient)
{
    shape s = shapes[1];
    world tied = world_create(s, NG_F64, 5);
    s.tied = 0;
    world apart = world_create(s, NG_F64, 5);
    size_t count = ng_model_parameters(tied.model);
    ck_assert_uint_eq(ng_model_parameters(apart.model), count + 1);
    model_assign(apart.model, tied.model, s.batch);
    test_assign(model_param(apart.model, count).w, model_param(tied.model, 0).w);
    memcpy(apart.labels, tied.labels, sizeof apart.labels);
    pass(&tied);
    pass(&apart);
    ng_mat sum = test_copy(model_param(apart.model, 0).dw);
    ng_axpby(sum, model_param(apart.model, count).dw, 1, 1, NULL);
    ng_assert_mat(model_param(tied.model, 0).dw, sum, 1e-13);
    ng_assert_mat(model_param(tied.model, 1).dw, model_param(apart.model, 1).dw, 1e-13);
    test_free(sum);
    ng_model_destroy(tied.model);
    ng_model_destroy(apart.model);
}
END_TEST

/* One flat buffer, in the order of the header; the start is GPT-2's. */
START_TEST(flat_and_initialised)
{
    shape s = {50, 40, 2, 64, 4, 1, 1, 0};
    world w = world_create(s, NG_F64, 5);
    test_rng rng = {11}, same = {11};
    const ng_random random = {.fill_normal = model_normal, .data = &rng};
    ng_assert_ok(ng_model_initialise(w.model, &random, NULL), NULL);
    const double *next = model_param(w.model, 0).w.data, *grad = model_param(w.model, 0).dw.data;
    for (size_t i = 0; i < ng_model_parameters(w.model); i++) {
        ng_model_param p = model_param(w.model, i);
        size_t n = p.w.rows * p.w.cols;
        ck_assert_ptr_eq(p.w.data, next);
        ck_assert_ptr_eq(p.dw.data, grad);
        ck_assert_uint_eq(p.blocks, strstr(p.name, "qkv.weight") != NULL ? 3 : 1);
        next += n;
        grad += n;
        int norm = strstr(p.name, "ln_") != NULL, bias = strstr(p.name, "bias") != NULL;
        double residual = strstr(p.name, "proj") != NULL ? 2 : 1;
        model_check_start(p, &same, norm || bias ? 0 : 0.02 / residual, norm && !bias);
    }
    ng_error error = {NG_OK, ""};
    ng_assert_fails(ng_model_initialise(w.model, NULL, &error), NG_EARG, &error, "fill_normal");
    ng_model_destroy(w.model);
}
END_TEST

START_TEST(refusals)
{
    world w = world_create(shapes[0], NG_F64, 5);
    ng_error error = {NG_OK, ""};
    ng_mat x = ng_model_input(w.model, 1);
    model_check_stages(w.model, w.s.max_batch, w.labels, w.s.batch);
    const double bad[] = {-1, 5, 1.5, NAN, INFINITY, 1e30};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ng_mat_set(x, 0, 2, bad[i]);
        ng_assert_fails(ng_model_forward(w.model, 1, &error), NG_EARG, &error, "position 2");
    }
    ng_model_destroy(w.model);
}
END_TEST

START_TEST(options_refused)
{
    ng_gpt_options good, o;
    ng_error error = {NG_OK, ""};
    ng_model *model;
    ng_gpt_init(&good);
    good.vocabulary = 3;
    good.width = 6;
    good.heads = 2;
#define REFUSED(field, value, status)                                                              \
    do {                                                                                           \
        o = good;                                                                                  \
        o.field = value;                                                                           \
        ng_assert_fails(ng_model_create_gpt(&model, &o, &error), status, &error, #field);          \
        ck_assert_ptr_null(model);                                                                 \
    } while (0)
    REFUSED(size, 1, NG_EOPTION);
    REFUSED(dtype, (ng_dtype)5, NG_EDTYPE);
    REFUSED(vocabulary, 0, NG_EOPTION);
    REFUSED(vocabulary, ((size_t)1 << 24) + 1, NG_EOPTION);
    REFUSED(context, 0, NG_EOPTION);
    REFUSED(layers, 0, NG_EOPTION);
    REFUSED(width, 0, NG_EOPTION);
    REFUSED(heads, 0, NG_EOPTION);
    REFUSED(heads, 4, NG_EOPTION);
    REFUSED(max_batch, (size_t)1 << 30, NG_EOPTION);
    o = good;
    o.context = o.max_batch = (size_t)1 << 20;
    o.width = (size_t)1 << 20;
    ng_assert_fails(ng_model_create_gpt(&model, &o, &error), NG_ENOMEM, &error, "no memory");
}
END_TEST

TEST_SUITE(gpt)
{
    TCase *tcase = tcase_create("gpt");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, forward_and_loss, 0, SHAPES);
    tcase_add_loop_test(tcase, gradients, 0, SHAPES);
    tcase_add_loop_test(tcase, single_against_double, 0, SHAPES);
    tcase_add_loop_test(tcase, tangents, 0, SHAPES);
    tcase_add_loop_test(tcase, statistics, 0, SHAPES);
    tcase_add_test(tcase, causality);
    tcase_add_test(tcase, tied_gradient);
    tcase_add_test(tcase, flat_and_initialised);
    tcase_add_test(tcase, refusals);
    tcase_add_test(tcase, options_refused);
    suite_add_tcase(suite, tcase);
}
