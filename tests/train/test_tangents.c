/* What the tangents of nets with convolutions, norms and attention are for: products with the
 * Fisher matrix, of all weights and of a training's group alone, and kfac_auto's steps. That they
 * are right stands beside each net's gradients. */
#include "lib/train/trainer/trainer.h"
#include "tests/support/faults.h"
#include "tests/train/files.h"
#include "tests/train/fisher_world.h"

enum { CNN, GPT, GPT_TIED, MLP, NETS, BATCH = 3, CLASSES = 3 };

typedef struct {
    ng_model *model;
    ng_dataset *data;
} world;

static ng_model *create(int net, ng_dtype dtype)
{
    const size_t filters[] = {2, 1}, widths[] = {3, CLASSES};
    ng_error error = {NG_OK, ""};
    ng_model *model;
    ng_cnn_options cnn;
    ng_gpt_options gpt;
    ng_mlp_options mlp;
    ng_cnn_init(&cnn);
    cnn.dtype = dtype, cnn.height = 5, cnn.width = 4, cnn.stages = 2, cnn.filters = filters;
    cnn.classes = CLASSES, cnn.max_batch = BATCH;
    ng_gpt_init(&gpt);
    gpt.dtype = dtype, gpt.vocabulary = CLASSES, gpt.context = 2, gpt.layers = 1, gpt.width = 4;
    gpt.heads = 2, gpt.tied = net == GPT_TIED, gpt.max_batch = BATCH;
    ng_mlp_init(&mlp);
    mlp.dtype = dtype, mlp.inputs = 2, mlp.widths = widths, mlp.layers = 2, mlp.max_batch = BATCH;
    ng_assert_ok(net == CNN   ? ng_model_create_cnn(&model, &cnn, &error)
                 : net == MLP ? ng_model_create_mlp(&model, &mlp, &error)
                              : ng_model_create_gpt(&model, &gpt, &error),
                 &error);
    return model;
}

/* With inputs for every net: small whole numbers. */
static world world_open(int net, ng_dtype dtype)
{
    world w = {.model = create(net, dtype)};
    test_rng rng = {3};
    ng_error error = {NG_OK, ""};
    int labels[BATCH];
    ng_mat x = ng_model_input(w.model, BATCH);
    model_draw(w.model, &rng);
    for (size_t i = 0; i < BATCH; i++) {
        for (size_t j = 0; j < x.cols; j++)
            ng_mat_set(x, i, j, (int)(test_uniform(&rng) * CLASSES));
        labels[i] = (int)(test_uniform(&rng) * CLASSES);
    }
    ng_assert_ok(ng_dataset_from_labels(&w.data, x, labels, CLASSES, &error), &error);
    ng_assert_ok(ng_model_forward(w.model, BATCH, &error), &error);
    return w;
}

static void world_close(world *w)
{
    ng_dataset_destroy(w->data);
    ng_model_destroy(w->model);
}

static ng_fisher *fisher_by_products(ng_model *model)
{
    ng_error error = {NG_OK, ""};
    ng_fisher_product product;
    ng_fisher *f;
    ng_mat w = model_weights(model);
    ng_assert_ok(ng_model_fisher_product(model, &product, &error), &error);
    ng_assert_ok(ng_fisher_create_matrix_free(&f, w.cols, w.dtype, NULL, &product, &error), &error);
    return f;
}

/* Products and forms of f are those of `want`. */
static void check_fisher(ng_fisher *f, ng_mat want)
{
    test_rng rng = {5};
    ng_error error = {NG_OK, ""};
    ng_mat dense = dense_mat(want.rows, want.cols), forms = dense_mat(3, 3),
           v = dense_normal(3, want.cols, &rng);
    ng_assert_ok(ng_fisher_forms(f, forms, v, &error), &error);
    ng_assert_mat(forms, dense_mul(dense_mul(v, 0, want, 0), 0, v, 1), 1e-12);
    ng_assert_ok(ng_fisher_to_dense(f, dense, &error), &error);
    ng_assert_mat(dense, want, 1e-12);
    ng_assert_ok(ng_fisher_forms(f, forms, v, &error), &error);
    ng_assert_mat(forms, dense_mul(dense_mul(v, 0, want, 0), 0, v, 1), 1e-12);
}

START_TEST(products)
{
    world w = world_open(_i, NG_F64);
    ng_fisher *f = fisher_by_products(w.model);
    check_fisher(f, fisher_of(w.model, NG_LOSS_SOFTMAX));
    ng_fisher_destroy(f);
    world_close(&w);
}
END_TEST

/* The first tangent allocates, no other one does. */
START_TEST(memory)
{
    world w = world_open(_i, NG_F32);
    ng_error error = {NG_OK, ""};
    ng_mat z = ng_model_output(w.model), v = model_weights(w.model);
    ng_mat dz = test_mat(z.rows, z.cols, 0, NG_F32), again = test_mat(z.rows, z.cols, 0, NG_F32);
    fault_once(FAULT_MEMORY, 1, FAIL);
    ng_status status = ng_model_tangent(w.model, dz, v, &error);
    fault_over();
    ck_assert_int_eq(status, NG_ENOMEM);
    ng_assert_ok(ng_model_tangent(w.model, dz, v, &error), &error);
    fault_once(FAULT_MEMORY, 1, FAIL);
    status = ng_model_tangent(w.model, again, v, &error);
    ck_assert_int_eq(fault_over(), 0);
    ng_assert_ok(status, &error);
    ck_assert(test_same_bits(dz, again));
    test_free(dz);
    test_free(again);
    world_close(&w);
}
END_TEST

/* m's first column, of an embedding whichever row is used, is NaN while `see` looks. */
static void with_nan(ng_mat m, void (*see)(world *w, ng_mat v), world *w, ng_mat v)
{
    ng_mat column = ng_mat_block(m, 0, 0, m.rows, 1), before = dense_of(column);
    ng_fill(column, NAN);
    see(w, v);
    test_assign(column, before);
}

static void see_direction(world *w, ng_mat v)
{
    ng_error error = {NG_OK, ""};
    ng_mat z = ng_model_output(w->model), dz = dense_mat(z.rows, z.cols);
    ng_assert_ok(ng_model_tangent(w->model, dz, v, &error), &error);
    ck_assert(!ng_is_finite(dz));
}

static void see_weights(world *w, ng_mat v)
{
    ng_error error = {NG_OK, ""};
    ng_fisher *f = fisher_by_products(w->model);
    ng_mat form = dense_mat(1, 1);
    ng_assert_ok(ng_model_forward(w->model, BATCH, &error), &error);
    ng_assert_fails(ng_fisher_forms(f, form, v, &error), NG_ENONFINITE, &error, "forms");
    ng_fisher_destroy(f);
}

/* NaN in any parameter's direction comes out; in any parameter, forms say so. */
START_TEST(not_finite)
{
    world w = world_open(_i, NG_F64);
    ng_mat v = dense_of(model_weights(w.model)), rest = v;
    for (size_t i = 0; i < ng_model_parameters(w.model); i++) {
        ng_mat p = model_param(w.model, i).w;
        with_nan(ng_mat_take(&rest, p.rows, p.cols), see_direction, &w, v);
    }
    for (size_t i = 0; i < ng_model_parameters(w.model); i++)
        with_nan(model_param(w.model, i).w, see_weights, &w, v);
    world_close(&w);
}
END_TEST

/* ---- A training ------------------------------------------------------------------------ */

enum { EPOCHS = 6 };

/* watch_data: epochs to stop after */
static int stop_after(ng_trainer *t, const ng_trainer_event *event, void *data)
{
    size_t count;
    ng_trainer_points(t, &count);
    return event->kind == NG_TRAINER_EPOCH && count == *(size_t *)data;
}

static ng_trainer *train(const world *w, size_t *stop)
{
    ng_error error = {NG_OK, ""};
    ng_trainer *trainer;
    ng_trainer_options o;
    void *method;
    ng_assert_ok(ng_options_new(&method, "kfac_auto", &error), &error);
    ng_assert_ok(ng_options_set(method, "model_damping", 0.3, &error), &error);
    ng_trainer_init(&o);
    o.method = method;
    o.batch = BATCH - 1; /* and a batch of one */
    o.epochs = EPOCHS;
    o.keep_weights = 1;
    o.watch = stop_after;
    o.watch_data = stop;
    ng_assert_ok(ng_trainer_create(&trainer, w->model, &o, &error), &error);
    ng_options_free(method);
    return trainer;
}

/* 1 where all weights as one row have one of the group's, else 0: whole layers. */
static ng_mat of_group(const ng_model *model)
{
    ng_mat ones = dense_mat(1, model_weights(model).cols), rest = ones;
    for (size_t i = 0; i < ng_model_parameters(model); i++) {
        ng_mat w = model_param(model, i).w;
        const char *name = model_param(model, i).name;
        int norm = strstr(name, "ln_") != NULL, embedding = strstr(name, "w") == name;
        ng_fill(ng_mat_take(&rest, w.rows, w.cols), !norm && !embedding);
    }
    return ones;
}

START_TEST(of_a_group)
{
    world w = world_open(_i, NG_F64);
    ng_trainer *t = train(&w, NULL);
    ng_mat whole = fisher_of(w.model, NG_LOSS_SOFTMAX), chosen = of_group(w.model);
    size_t n = (size_t)dense_dot(chosen, chosen), r = 0;
    ng_mat part = dense_mat(n, n);
    for (size_t i = 0; i < whole.rows; i++) {
        size_t c = 0;
        for (size_t j = 0; j < whole.cols && ng_mat_get(chosen, 0, i) > 0; j++)
            if (ng_mat_get(chosen, 0, j) > 0)
                ng_mat_set(part, r, c++, ng_mat_get(whole, i, j));
        r += ng_mat_get(chosen, 0, i) > 0;
    }
    ck_assert_int_eq(n < whole.rows, _i == GPT || _i == GPT_TIED);
    ck_assert_uint_eq(ng_fisher_size(t->fisher), n);
    check_fisher(t->fisher, part);
    ng_trainer_destroy(t);
    world_close(&w);
}
END_TEST

/* A step by hand. s <- how far the group's weights go; g <- the gradient. */
static void step(world *w, ng_trainer *t, ng_mat *s, ng_mat *g, ng_mat *f)
{
    const size_t index[] = {0, 2};
    ng_mat before = dense_of(model_weights(w->model)), chosen = of_group(w->model);
    ck_assert_int_eq(ng_trainer_forward(t, NULL, NULL, w->data, index, 2), NG_OK);
    *f = fisher_of(w->model, NG_LOSS_SOFTMAX);
    ck_assert_int_eq(ng_trainer_forward(t, NULL, NULL, w->data, index, 2), NG_OK);
    ck_assert_msg(ng_trainer_capture_step(t) == NG_OK, "%s", ng_trainer_error(t));
    *g = dense_of(model_gradients(w->model));
    *s = dense_add(1, dense_of(model_weights(w->model)), -1, before);
    for (size_t i = 0; i < chosen.cols; i++) /* AdamW's steps are none of the model's */
        ng_mat_set(*s, 0, i, ng_mat_get(*s, 0, i) * ng_mat_get(chosen, 0, i));
}

/* The derivative of the model 1/2 s (F + lambda I) s^T + g s^T by the length of d, at its
 * minimum, against the size of its parts. */
static void check_minimum(ng_mat d, ng_mat s, ng_mat g, ng_mat f, double damping)
{
    double slope = dense_dot(g, d);
    double curved = dense_dot(dense_mul(d, 0, f, 0), s) + damping * dense_dot(d, s);
    ck_assert_msg(fabs(slope + curved) <= 1e-9 * (fabs(slope) + fabs(curved)), "%.17g and %.17g",
                  slope, curved);
}

/* Steps go to the minimum of the net's own model, along themselves and the step before. */
START_TEST(steps)
{
    world w = world_open(_i, NG_F64);
    ng_trainer *t = train(&w, NULL);
    ng_mat s, g, f, last;
    step(&w, t, &last, &g, &f);
    check_minimum(last, last, g, f, 0.3);
    for (int i = 0; i < 3; i++) {
        step(&w, t, &s, &g, &f);
        check_minimum(s, s, g, f, 0.3);
        check_minimum(last, s, g, f, 0.3);
        last = s;
    }
    ng_trainer_destroy(t);
    world_close(&w);
}
END_TEST

/* Saved, loaded by another process and gone on with. */
START_TEST(as_if_never_stopped)
{
    const char *path = files_path("training.safetensors");
    world never = world_open(_i, NG_F32), first = world_open(_i, NG_F32),
          second = world_open(_i, NG_F32);
    size_t stops[] = {EPOCHS + 1, 2, EPOCHS + 1};
    ng_trainer *t[] = {train(&never, &stops[0]), train(&first, &stops[1]),
                       train(&second, &stops[2])};
    ck_assert_msg(ng_trainer_fit(t[0], never.data, NULL) == NG_OK, "%s", ng_trainer_error(t[0]));
    ck_assert_int_eq(ng_trainer_fit(t[1], first.data, NULL), NG_STOPPED);
    ck_assert_int_eq(ng_trainer_save(t[1], path, NULL), NG_OK);
    ck_assert(!test_same_bits(model_weights(first.model), model_weights(never.model)));
    ck_assert_msg(ng_trainer_load(t[2], path) == NG_OK, "%s", ng_trainer_error(t[2]));
    ck_assert_msg(ng_trainer_fit(t[2], second.data, NULL) == NG_OK, "%s", ng_trainer_error(t[2]));
    ck_assert(test_same_bits(model_weights(second.model), model_weights(never.model)));
    for (int i = 0; i < 3; i++)
        ng_trainer_destroy(t[i]);
    world_close(&never);
    world_close(&first);
    world_close(&second);
}
END_TEST

TEST_SUITE(tangents)
{
    TCase *c = tcase_create("tangents");
    tcase_add_checked_fixture(c, NULL, dense_release);
    tcase_add_loop_test(c, products, 0, NETS);
    tcase_add_loop_test(c, memory, 0, NETS);
    tcase_add_loop_test(c, not_finite, 0, NETS);
    tcase_add_loop_test(c, of_a_group, 0, NETS);
    tcase_add_loop_test(c, steps, 0, NETS);
    tcase_add_checked_fixture(c, files_setup, files_teardown);
    tcase_add_loop_test(c, as_if_never_stopped, 0, NETS);
    suite_add_tcase(suite, c);
}
