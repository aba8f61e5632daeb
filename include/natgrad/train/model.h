/* natgrad/train/model.h: one interface to every model: the
 * feed-forward net (natgrad/train/mlp.h), the convolutional net
 * (natgrad/train/cnn.h) and the character transformer (natgrad/train/gpt.h). A
 * training step is
 *
 *     ng_mat x = ng_model_input(model, batch);    write the samples into its rows
 *     ng_model_forward(model, batch, &error);
 *     ng_model_loss_labels(model, &loss, NULL, labels, batch, &error);
 *     ng_model_backward(model, &error);           gradients are in ng_model_parameter()
 *
 * followed by a step of the optimizer that the parameters were given to.
 * Everything is allocated at creation; the calls here allocate nothing. All
 * views handed out belong to the model, keep their data pointer until
 * ng_model_destroy, and may be given to ng_group_add once and for all.
 * A model is used by one thread at a time. */
#ifndef NATGRAD_TRAIN_MODEL_H
#define NATGRAD_TRAIN_MODEL_H

#include <stddef.h>
#include <natgrad/mat.h>
#include <natgrad/random.h>
#include <natgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_model ng_model;

/* phi of hidden layers. NaN stays NaN in all of them. */
typedef enum {
    NG_ACTIVATION_LINEAR = 0,
    NG_ACTIVATION_RELU,    /* max(z, 0); slope 0 at 0 */
    NG_ACTIVATION_TANH,
    NG_ACTIVATION_SIGMOID, /* 1 / (1 + exp(-z)) */
    NG_ACTIVATION_GELU     /* z Phi(z), Phi the normal distribution function by erfc, not the tanh
                            * approximation (Hendrycks and Gimpel, arXiv:1606.08415) */
} ng_activation;

/* The loss, always a mean over the rows of the logits and a sum over outputs;
 * each is a negative log-likelihood up to a constant, so that the Fisher
 * matrix of the model is the one of that likelihood. z are the logits. */
typedef enum {
    NG_LOSS_SOFTMAX = 0, /* log sum_j exp(z_j) - z_label: categorical, natural logarithm */
    NG_LOSS_BERNOULLI,   /* sum_j log(1 + exp(z_j)) - t_j z_j, targets t_j in [0, 1] */
    NG_LOSS_SQUARED      /* 1/2 sum_j (z_j - t_j)^2: Gaussian of unit variance. With k outputs
                          * torch's mse_loss, a mean over all elements, is 2/k times this. */
} ng_loss;

/* "relu", "softmax"; NULL beyond the last one, so that a loop from 0 lists all
 * of them. Static strings. */
NG_API const char *ng_activation_name(ng_activation activation);
NG_API const char *ng_loss_name(ng_loss loss);

/* ---- Life ---------------------------------------------------------------------- */

/* The kinds of model: "mlp", "cnn", "gpt"; NULL beyond the last one. Static strings. */
NG_API const char *ng_model_kind_name(size_t i);

/* A model of that kind from its options: ng_mlp_options, ng_cnn_options or
 * ng_gpt_options, filled by its init. What ng_model_create_mlp, ..._cnn and
 * ..._gpt do, for a kind that is known by name only. All parameters are zero.
 * NG_EARG for an unknown kind (the text lists the known ones); NG_EOPTION naming
 * an option out of its range or a struct of another kind or version, NG_EDTYPE,
 * NG_ENOMEM; then *model is NULL. */
NG_API ng_status ng_model_create(ng_model **model, const char *kind, const void *options,
                                 ng_error *error);

/* The name of its kind. */
NG_API const char *ng_model_kind(const ng_model *model);

/* Samples its buffers have room for. */
NG_API size_t ng_model_max_batch(const ng_model *model);

/* NULL is fine. */
NG_API void ng_model_destroy(ng_model *model);

/* Weights at the start, as the model's header says: drawn parameter by parameter and
 * row by row. NG_EARG without fill_normal. */
NG_API ng_status ng_model_initialise(ng_model *model, const ng_random *random, ng_error *error);

/* The first `batch` rows of the input buffer, dense, for writing. What a row
 * holds is said by the model's header. Without rows and with data NULL if batch
 * exceeds the model's max_batch. */
NG_API ng_mat ng_model_input(const ng_model *model, size_t batch);

/* Logits from the first `batch` rows of the input buffer, 1 <= batch <=
 * max_batch (else NG_ESHAPE; NG_ERANGE for sizes beyond the BLAS integer). */
NG_API ng_status ng_model_forward(ng_model *model, size_t batch, ng_error *error);

/* The logits of the last forward pass; no rows before. */
NG_API ng_mat ng_model_output(const ng_model *model);

/* Mean softmax loss of the last forward pass over the rows of ng_model_output,
 * for class labels 0 ... classes - 1, and its derivative at the logits for
 * ng_model_backward. n is the batch, one label a sample (the transformer also
 * takes one a position). correct (may be NULL) counts the rows whose largest
 * logit, the first of equals, is the label's. After one forward pass loss and
 * backward may be called again, for instance with labels drawn from the model
 * (the true Fisher matrix). NG_ENODATA without a forward pass, NG_EUNSUPPORTED
 * for another loss, NG_ESHAPE for another n, NG_EARG naming the row of a label
 * out of range, NG_ENONFINITE naming where the first NaN or infinity is. On an
 * error there is no derivative and backward refuses. */
NG_API ng_status ng_model_loss_labels(ng_model *model, double *loss, size_t *correct,
                                      const int *labels, size_t n, ng_error *error);

/* The same for the Bernoulli and the squared loss; targets are as many rows and
 * columns as the logits (NG_ESHAPE), of the model's dtype (NG_EDTYPE), any stride;
 * a target outside [0, 1] (Bernoulli) or not finite (squared) is NG_EARG naming
 * its row. */
NG_API ng_status ng_model_loss_targets(ng_model *model, double *loss, ng_mat targets,
                                       ng_error *error);

/* In place of either, for a loss of the caller's own or one output's derivative: its
 * derivative at the logits, as many rows and columns (NG_ESHAPE), any stride,
 * either dtype; any model. What backward writes is then of that. NG_ENODATA without a
 * forward pass, NG_ENONFINITE. */
NG_API ng_status ng_model_loss_gradient(ng_model *model, ng_mat dz, ng_error *error);

/* Writes (does not add) the gradients of the last loss into dw of every
 * parameter. Weights must be those of the forward pass. NG_ENODATA without a loss
 * since it. Gradients that overflow are left to the optimizer, which refuses
 * them. */
NG_API ng_status ng_model_backward(ng_model *model, ng_error *error);

typedef struct {
    const char *name; /* "fc1.weight"; owned by the model */
    ng_mat w, dw;     /* weights: outputs x inputs; vectors: 1 x n */
    size_t blocks;    /* equal row blocks that are matrices of their own (q, k, v: 3); else 1 */
} ng_model_param;

/* All are views of one flat buffer that begins at the first parameter, in their
 * order and without gaps; the gradients are another. */
NG_API size_t ng_model_parameters(const ng_model *model);

/* Parameter i = 0 ... ng_model_parameters - 1; NG_EARG beyond. */
NG_API ng_status ng_model_parameter(const ng_model *model, ng_model_param *parameter, size_t i,
                                    ng_error *error);

/* bias of a layer that has none */
#define NG_MODEL_NONE ((size_t)-1)

/* A linear layer Z = A W^T + b and its statistics for ng_group_capture (K-FAC):
 * A (rows x in) of the last forward pass and G (rows x out), the derivative of
 * the MEAN loss with respect to Z, of the last backward pass. Rows are samples
 * times the places at which the layer is used: positions of a text, places of a
 * picture. No rows as long as they would be out of date; A of a first layer is
 * the input buffer: capture before the next gather. */
typedef struct {
    const char *name;    /* "fc1" */
    size_t weight, bias; /* which parameters; bias may be NG_MODEL_NONE */
    ng_mat inputs;       /* A */
    ng_mat outputs_grad; /* G: the weight's gradient is G^T A, unless shared */
    double scale;        /* to capture with: batch for one place a sample; see the model's header */
    int shared;          /* W serves elsewhere too, and dw has other parts */
} ng_model_linear;

/* In the order of the forward pass: the last one makes the logits. */
NG_API size_t ng_model_layers(const ng_model *model);

/* Layer i = 0 ... ng_model_layers - 1; NG_EARG beyond. */
NG_API ng_status ng_model_layer(const ng_model *model, ng_model_linear *layer, size_t i,
                                ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
