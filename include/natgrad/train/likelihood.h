/* natgrad/train/likelihood.h: the Fisher matrix of a model's likelihood at the last forward pass,
 *
 *   F = mean over the rows of the logits of J^T H J,
 *
 * J the derivative of a row of logits z by all weights, H the Fisher matrix of the loss by z:
 * diag(p) - p p^T (softmax), diag(p (1 - p)) (Bernoulli), I (squared). It knows no labels; for
 * these losses it is the generalised Gauss-Newton matrix (Martens 2020, arXiv:1412.1193). The
 * empirical one, of the gradients by the labels there are, is another matrix.
 *
 * By products (ng_model_fisher_product), and by derivatives at the logits in place of a loss's,
 * whose outer products are H in the mean (ng_model_loss_sampled) or in sum (ng_model_loss_root):
 * backward then makes of them statistics for ng_group_capture. */
#ifndef NATGRAD_TRAIN_LIKELIHOOD_H
#define NATGRAD_TRAIN_LIKELIHOOD_H

#include <natgrad/fisher.h>
#include <natgrad/train/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* dz (as the logits) <- J v at the last forward pass, row by row: how the logits change as the
 * weights go along v (1 x all parameters, one after the other, rows of each one after the
 * other). Both dense, of the model's dtype. The first call here allocates the largest layer's
 * inputs and outputs a few times, which the model keeps. NG_ENODATA without a forward pass,
 * NG_ESHAPE, NG_EDTYPE, NG_ENOMEM. */
NG_API ng_status ng_model_tangent(ng_model *model, ng_mat dz, ng_mat v, ng_error *error);

/* For ng_fisher_create_matrix_free(&f, n, dtype, NULL, &product, &error), n all parameters: F at
 * the last forward pass whenever it is asked. `forms` goes forward alone and touches nothing but
 * scratch of the model. `mul` goes forward and backward, and with that overwrites every gradient: a
 * further backward needs a loss before it. The model is borrowed. NG_ENOMEM. */
NG_API ng_status ng_model_fisher_product(ng_model *model, ng_fisher_product *product,
                                         ng_error *error);

/* In place of a loss, as ng_model_loss_gradient: the derivative of the mean loss for labels or
 * targets drawn from the model itself. random needs fill_uniform, for the squared loss
 * fill_normal. NG_ENODATA, NG_EARG, NG_ENONFINITE (logits). */
NG_API ng_status ng_model_loss_sampled(ng_model *model, const ng_random *random, ng_error *error);

/* In place of a loss: column `column` of a root of H in every row (sum over columns of its outer
 * products = H), over the number of rows. As many columns as logits. NG_ENODATA, NG_EARG,
 * NG_ENONFINITE. */
NG_API ng_status ng_model_loss_root(ng_model *model, size_t column, ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
