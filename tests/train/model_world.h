/* What the tests of the models behind natgrad/train/model.h share: parameters
 * drawn at random, differences of a loss written naively, and what must hold
 * for every linear layer. */
#ifndef NG_TEST_MODEL_WORLD_H
#define NG_TEST_MODEL_WORLD_H

#include <natgrad-train.h>

#include "tests/support/support.h"

static inline ng_model_param model_param(const ng_model *model, size_t i)
{
    ng_model_param p;
    ng_assert_ok(ng_model_parameter(model, &p, i, NULL), NULL);
    return p;
}

/* The parameter of that name. */
static inline ng_mat model_weight(const ng_model *model, const char *name)
{
    for (size_t i = 0; i < ng_model_parameters(model); i++)
        if (strcmp(model_param(model, i).name, name) == 0)
            return model_param(model, i).w;
    ck_abort_msg("no parameter %s", name);
}

/* All weights as one row, and their gradients. */
static inline ng_mat model_weights(const ng_model *model)
{
    ng_mat row = model_param(model, 0).w;
    row.rows = 1;
    row.cols = 0;
    for (size_t i = 0; i < ng_model_parameters(model); i++)
        row.cols += model_param(model, i).w.rows * model_param(model, i).w.cols;
    row.stride = row.cols;
    return row;
}

static inline ng_mat model_gradients(const ng_model *model)
{
    ng_mat row = model_weights(model);
    row.data = model_param(model, 0).dw.data;
    return row;
}

/* Matrices N(0, 1 / cols), vectors N(mean, 0.3^2) with mean 1 for norms' weights. */
static inline void model_draw(ng_model *model, test_rng *rng)
{
    for (size_t i = 0; i < ng_model_parameters(model); i++) {
        ng_model_param p = model_param(model, i);
        int norm = strstr(p.name, "ln_") != NULL && strstr(p.name, "weight") != NULL;
        int vector = norm || strstr(p.name, "bias") != NULL;
        test_fill_normal(p.w, rng);
        for (size_t r = 0; r < p.w.rows; r++)
            for (size_t c = 0; c < p.w.cols; c++)
                ng_mat_set(p.w, r, c,
                           norm +
                               ng_mat_get(p.w, r, c) * (vector ? 0.3 : 1 / sqrt((double)p.w.cols)));
    }
}

static inline void model_normal(void *data, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = test_normal(data);
}

/* At the start: the generator's next numbers, row by row, times the deviation
 * where there is one, else the value. */
static inline void model_check_start(ng_model_param p, test_rng *same, double deviation,
                                     double value)
{
    for (size_t i = 0; i < p.w.rows; i++)
        for (size_t j = 0; j < p.w.cols; j++) {
            double want = deviation > 0 ? deviation * test_normal(same) : value;
            double error = fabs(ng_mat_get(p.w, i, j) - want);
            ck_assert_msg(error <= ng_dtype_eps(p.w.dtype) * fabs(want), "%s: (%zu, %zu) is %g off",
                          p.name, i, j, error);
        }
}

/* Forward, loss and backward. */
static inline double model_pass(ng_model *model, size_t batch, const int *labels, size_t count)
{
    double loss;
    ng_error error = {NG_OK, ""};
    ng_assert_ok(ng_model_forward(model, batch, &error), &error);
    ng_assert_ok(ng_model_loss_labels(model, &loss, NULL, labels, count, &error), &error);
    ng_assert_ok(ng_model_backward(model, &error), &error);
    return loss;
}

/* The first parameters of `to` and its inputs become those of `from`. */
static inline void model_assign(ng_model *to, const ng_model *from, size_t batch)
{
    for (size_t i = 0; i < ng_model_parameters(from); i++)
        test_assign(model_param(to, i).w, model_param(from, i).w);
    test_assign(ng_model_input(to, batch), ng_model_input(from, batch));
}

/* Single-precision gradients are the double ones up to rounding. */
static inline void model_check_single(ng_model *single, ng_model *twice, size_t batch,
                                      const int *labels, size_t count, double tol)
{
    model_assign(twice, single, batch);
    model_pass(single, batch, labels, count);
    model_pass(twice, batch, labels, count);
    for (size_t i = 0; i < ng_model_parameters(single); i++) {
        ng_mat got = test_convert(model_param(single, i).dw, NG_F64);
        ng_mat want = model_param(twice, i).dw;
        ng_axpby(got, want, -1, 1, NULL);
        ng_assert_le(test_norm(got), tol * test_norm(want) + tol / 100);
        test_free(got);
    }
}

/* ---- Tangents ------------------------------------------------------------------ */

/* The logits of a world by the naive net, as a function of the weights of its model. */
typedef void (*model_logits)(const void *data, ng_mat logits);

/* Fourth-order difference of the logits when all weights move along v. */
static inline void model_logits_slope(ng_mat slope, ng_mat w, ng_mat v, model_logits naive,
                                      const void *data)
{
    const double h = 1e-3, at[4] = {-2, -1, 1, 2}, weight[4] = {1, -8, 8, -1};
    ng_mat start = test_copy(w), z = test_mat(slope.rows, slope.cols, 0, NG_F64);
    ng_fill(slope, 0);
    for (int k = 0; k < 4; k++) {
        ng_lincomb(w, 1, start, at[k] * h, v, NULL);
        naive(data, z);
        ng_lincomb(slope, 1, slope, weight[k] / (12 * h), z, NULL);
    }
    test_assign(w, start);
    test_free(start);
    test_free(z);
}

/* Along v, of length 1: J v against differences and, for the model in single precision, against
 * them too; <u, J v> = <J^T u, v> with a u of its own. Both have come through a forward pass. */
static inline void model_check_tangent(ng_model *model, ng_model *single, ng_mat v,
                                       model_logits naive, const void *data, test_rng *rng)
{
    ng_error error = {NG_OK, ""};
    ng_mat z = ng_model_output(model), dz = test_mat(z.rows, z.cols, 0, NG_F64);
    ng_mat want = test_mat(z.rows, z.cols, 0, NG_F64), u = test_mat(z.rows, z.cols, 0, NG_F64);
    ng_mat v32 = test_convert(v, NG_F32), dz32 = test_mat(z.rows, z.cols, 0, NG_F32);
    ng_assert_ok(ng_model_tangent(model, dz, v, &error), &error);
    model_logits_slope(want, model_weights(model), v, naive, data);
    double size = test_norm(want);
    test_fill_normal(u, rng);
    ng_assert_ok(ng_model_loss_gradient(model, u, &error), &error);
    ng_assert_ok(ng_model_backward(model, &error), &error);
    ng_assert_le(fabs(ng_dot(u, dz) - ng_dot(model_gradients(model), v)),
                 1e-12 * test_norm(u) * (size + 1e-3));
    ng_lincomb(want, 1, want, -1, dz, NULL);
    ng_assert_le(test_norm(want), 1e-8 * size + 1e-11);
    ng_assert_ok(ng_model_tangent(single, dz32, v32, &error), &error);
    ng_mat wide = test_convert(dz32, NG_F64);
    ng_lincomb(wide, 1, wide, -1, dz, NULL);
    ng_assert_le(test_norm(wide), 1e-4 * size + 1e-6);
    const ng_mat made[] = {dz, want, u, v32, dz32, wide};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        test_free(made[i]);
}

/* Along every parameter alone, and along all at once. */
static inline void model_check_tangents(ng_model *model, ng_model *single, size_t batch,
                                        model_logits naive, const void *data)
{
    test_rng rng = {13};
    ng_error error = {NG_OK, ""};
    size_t count = ng_model_parameters(model);
    ng_mat all = model_weights(model);
    model_assign(single, model, batch);
    model_assign(model, single, batch); /* both have the weights of single precision */
    ng_assert_ok(ng_model_forward(model, batch, &error), &error);
    ng_assert_ok(ng_model_forward(single, batch, &error), &error);
    for (size_t i = 0; i <= count; i++) {
        ng_mat v = test_mat(1, all.cols, 0, NG_F64), rest = v;
        for (size_t k = 0; k < count; k++) {
            ng_mat w = model_param(model, k).w, part = ng_mat_take(&rest, w.rows, w.cols);
            if (i == k || i == count)
                test_fill_normal(part, &rng);
        }
        ng_scale(v, 1 / test_norm(v));
        model_check_tangent(model, single, v, naive, data, &rng);
        test_free(v);
    }
}

/* ---- Gradients ------------------------------------------------------------------ */

/* The loss of a world, as a function of the parameters of its model. */
typedef double (*model_loss)(const void *data);

/* Fourth-order difference of the loss when w moves along d. */
static inline double model_slope(ng_mat w, ng_mat d, model_loss loss, const void *data)
{
    const double h = 1e-3, at[4] = {-2, -1, 1, 2}, weight[4] = {1, -8, 8, -1};
    double sum = 0;
    ng_mat start = test_copy(w);
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; i < w.rows; i++)
            for (size_t j = 0; j < w.cols; j++)
                ng_mat_set(w, i, j, ng_mat_get(start, i, j) + at[k] * h * ng_mat_get(d, i, j));
        sum += weight[k] * loss(data);
    }
    test_assign(w, start);
    test_free(start);
    return sum / (12 * h);
}

/* Every element of a small parameter, a few directions of unit length of a
 * large one, against differences. A gradient may be zero: absolute floor. */
static inline void model_check_gradient(ng_model_param p, model_loss loss, const void *data,
                                        double tol)
{
    test_rng rng = {7};
    size_t elements = p.w.rows * p.w.cols, tries = elements <= 64 ? elements : 8;
    double wrong = 0, norm = 0;
    for (size_t k = 0; k < tries; k++) {
        ng_mat d = test_mat(p.w.rows, p.w.cols, 0, NG_F64);
        if (tries == elements) {
            ng_mat_set(d, k / p.w.cols, k % p.w.cols, 1);
        } else {
            test_fill_normal(d, &rng);
            ng_scale(d, 1 / test_norm(d));
        }
        double difference = model_slope(p.w, d, loss, data), slope = 0;
        for (size_t i = 0; i < p.w.rows; i++)
            for (size_t j = 0; j < p.w.cols; j++)
                slope += ng_mat_get(p.dw, i, j) * ng_mat_get(d, i, j);
        wrong += pow(slope - difference, 2);
        norm += difference * difference;
        test_free(d);
    }
    ck_assert_msg(sqrt(wrong) <= tol * sqrt(norm) + 1e-11, "%s: error %.3g of %.3g", p.name,
                  sqrt(wrong), sqrt(norm));
}

/* dw = G^T A for each layer that does not share its weight, db the column sums of G. */
static inline void model_check_layers(const ng_model *model)
{
    for (size_t k = 0; k < ng_model_layers(model); k++) {
        ng_model_linear l;
        ng_assert_ok(ng_model_layer(model, &l, k, NULL), NULL);
        ck_assert_uint_eq(l.inputs.rows, l.outputs_grad.rows);
        ck_assert_uint_gt(l.inputs.rows, 0);
        ng_mat dw = test_mat(l.outputs_grad.cols, l.inputs.cols, 0, NG_F64);
        test_matmul(dw, l.outputs_grad, 1, l.inputs, 0);
        ng_axpby(dw, model_param(model, l.weight).dw, -1, 1, NULL);
        double size = test_norm(model_param(model, l.weight).dw);
        if (!l.shared)
            ck_assert_msg(test_norm(dw) <= 1e-13 * size, "%s: G^T A is not dw", l.name);
        else
            ck_assert_msg(test_norm(dw) > 1e-3 * size, "%s: nothing else in dw", l.name);
        test_free(dw);
        for (size_t j = 0; j < l.outputs_grad.cols && l.bias != NG_MODEL_NONE; j++) {
            double sum = 0;
            for (size_t i = 0; i < l.outputs_grad.rows; i++)
                sum += ng_mat_get(l.outputs_grad, i, j);
            ng_assert_le(fabs(sum - ng_mat_get(model_param(model, l.bias).dw, 0, j)), 1e-13);
        }
    }
}

/* NaN in any parameter is found by the loss, by name. */
static inline void model_check_finite(ng_model *model, const int *labels, size_t batch)
{
    ng_error error = {NG_OK, ""};
    double loss;
    for (size_t i = 0; i < ng_model_parameters(model); i++) {
        ng_model_param p = model_param(model, i);
        double before = ng_mat_get(p.w, 0, 0);
        ng_mat_set(p.w, 0, 0, NAN);
        ng_assert_ok(ng_model_forward(model, batch, &error), &error);
        ng_status status = ng_model_loss_labels(model, &loss, NULL, labels, batch, &error);
        if (status != NG_OK) /* an embedding that no sample uses does no harm */
            ck_assert_msg(status == NG_ENONFINITE && strstr(error.text, p.name) != NULL, "%s: %s",
                          p.name, error.text);
        else
            ck_assert_msg(strcmp(p.name, "wte.weight") == 0, "NaN in %s unseen", p.name);
        ng_mat_set(p.w, 0, 0, before);
    }
}

/* Logits and derivative are there only as far as the batch has come. */
static inline void model_check_stages(ng_model *model, size_t max_batch, const int *labels,
                                      size_t batch)
{
    ng_error error = {NG_OK, ""};
    ng_model_linear l;
    double loss;
    ck_assert_uint_eq(ng_model_output(model).rows, 0);
    ng_assert_fails(ng_model_backward(model, &error), NG_ENODATA, &error, "no loss");
    ng_assert_fails(ng_model_loss_labels(model, &loss, NULL, labels, batch, &error), NG_ENODATA,
                    &error, "no forward");
    ng_assert_fails(ng_model_forward(model, 0, &error), NG_ESHAPE, &error, "0 rows");
    ng_assert_fails(ng_model_forward(model, max_batch + 1, &error), NG_ESHAPE, &error, "rows");
    ck_assert_ptr_null(ng_model_input(model, max_batch + 1).data);
    ng_assert_ok(ng_model_forward(model, batch, &error), &error);
    ng_assert_fails(ng_model_loss_labels(model, &loss, NULL, labels, max_batch * 1000, &error),
                    NG_ESHAPE, &error, "labels");
    ng_assert_fails(ng_model_loss_labels(model, &loss, NULL, NULL, batch, &error), NG_EARG, &error,
                    "NULL");
    ng_assert_fails(ng_model_loss_targets(model, &loss, ng_model_output(model), &error),
                    NG_EUNSUPPORTED, &error, "loss_labels");
    int bad[64] = {0};
    memcpy(bad, labels, batch * sizeof *labels);
    bad[batch - 1] = -1;
    ng_assert_fails(ng_model_loss_labels(model, &loss, NULL, bad, batch, &error), NG_EARG, &error,
                    "is -1");
    ng_assert_fails(ng_model_backward(model, &error), NG_ENODATA, &error, "no loss");
    ng_assert_ok(ng_model_loss_labels(model, &loss, NULL, labels, batch, &error), &error);
    ng_model_layer(model, &l, 0, NULL);
    ck_assert_uint_eq(l.outputs_grad.rows, 0);
    ng_assert_ok(ng_model_backward(model, &error), &error);
    ng_model_layer(model, &l, 0, NULL);
    ck_assert_uint_gt(l.outputs_grad.rows, 0);
    ng_model_param p;
    ng_assert_fails(ng_model_parameter(model, &p, ng_model_parameters(model), &error), NG_EARG,
                    &error, "parameter");
    ng_assert_fails(ng_model_layer(model, &l, ng_model_layers(model), &error), NG_EARG, &error,
                    "layer");
    model_check_finite(model, labels, batch);
}

#endif
