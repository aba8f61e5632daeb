/* The Fisher matrix of a model's likelihood from its definition, for small models. */
#ifndef NG_TEST_FISHER_WORLD_H
#define NG_TEST_FISHER_WORLD_H

#include "tests/support/dense.h"
#include "tests/train/model_world.h"

/* H of row i of the logits, from the definition of the loss. */
static inline ng_mat fisher_at_logits(ng_loss loss, ng_mat z, size_t i)
{
    ng_mat h = dense_mat(z.cols, z.cols);
    double sum = 0;
    for (size_t j = 0; j < z.cols; j++)
        sum += exp(ng_mat_get(z, i, j));
    for (size_t j = 0; j < z.cols; j++)
        for (size_t k = 0; k < z.cols; k++) {
            double pj = exp(ng_mat_get(z, i, j)) / sum, pk = exp(ng_mat_get(z, i, k)) / sum;
            double p = 1 / (1 + exp(-ng_mat_get(z, i, j)));
            double value = loss == NG_LOSS_SOFTMAX   ? (j == k ? pj : 0) - pj * pk
                           : j != k                  ? 0
                           : loss == NG_LOSS_SQUARED ? 1
                                                     : p * (1 - p);
            ng_mat_set(h, j, k, value);
        }
    return h;
}

/* F from the derivatives of single logits by backward passes, behind a forward pass. */
static inline ng_mat fisher_of(ng_model *model, ng_loss loss)
{
    ng_error error = {NG_OK, ""};
    size_t n = model_weights(model).cols;
    ng_mat z = ng_model_output(model), f = dense_mat(n, n);
    for (size_t i = 0; i < z.rows; i++) {
        ng_mat j = dense_mat(z.cols, n);
        for (size_t k = 0; k < z.cols; k++) {
            ng_mat one = dense_mat(z.rows, z.cols);
            ng_mat_set(one, i, k, 1);
            ng_assert_ok(ng_model_loss_gradient(model, one, &error), &error);
            ng_assert_ok(ng_model_backward(model, &error), &error);
            test_assign(ng_mat_block(j, k, 0, 1, n), model_gradients(model));
        }
        ng_mat hj = dense_mul(fisher_at_logits(loss, z, i), 0, j, 0);
        f = dense_add(1, f, 1 / (double)z.rows, dense_mul(j, 1, hj, 0));
    }
    return f;
}

#endif
