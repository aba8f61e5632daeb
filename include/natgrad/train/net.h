/* natgrad/train/net.h: a feed-forward net with its backward pass.
 *
 * Layer l = 1 ... L is dense: Z_l = A_l W_l^T + b_l, with A_1 the input and
 * A_{l+1} = phi(Z_l). Batches lie row by row: A is batch x in, W is out x in,
 * b is 1 x out, Z is batch x out. The hidden layers share one activation phi;
 * the last layer is linear, its Z are the logits the loss works on. A training
 * step is
 *
 *     ng_mat x = ng_net_input(net, batch);     write the samples into its rows
 *     ng_net_forward(net, batch, &error);
 *     ng_net_loss_labels(net, &loss, NULL, labels, batch, &error);
 *     ng_net_backward(net, &error);            gradients are in ng_net_layer()
 *
 * followed by a step of the optimizer that the weights were given to.
 * Everything is allocated by ng_net_create; the other calls allocate nothing.
 * All views handed out belong to the net, keep their data pointer until
 * ng_net_destroy, and may be given to ng_group_add once and for all.
 * A net is used by one thread at a time. */
#ifndef NATGRAD_TRAIN_NET_H
#define NATGRAD_TRAIN_NET_H

#include <stddef.h>
#include <natgrad/train/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* phi of the hidden layers. NaN stays NaN in all of them. */
typedef enum {
    NG_ACTIVATION_LINEAR = 0,
    NG_ACTIVATION_RELU,    /* max(z, 0); slope 0 at 0 */
    NG_ACTIVATION_TANH,
    NG_ACTIVATION_SIGMOID, /* 1 / (1 + exp(-z)) */
    NG_ACTIVATION_GELU     /* z Phi(z), Phi the normal distribution function by erfc, not the tanh
                            * approximation (Hendrycks and Gimpel, arXiv:1606.08415) */
} ng_activation;

/* The loss, always a mean over the rows of the batch and a sum over outputs;
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

typedef struct {
    size_t size;              /* sizeof(ng_net_options), set by ng_net_options_init */
    ng_dtype dtype;           /* of everything; default NG_F32 */
    size_t inputs;            /* columns of the input, >= 1; no default */
    const size_t *widths;     /* outputs of each layer, >= 1; the last are the logits; copied */
    size_t layers;            /* number of widths, >= 1; no default */
    ng_activation activation; /* of the hidden layers; default NG_ACTIVATION_RELU */
    ng_loss loss;             /* default NG_LOSS_SOFTMAX */
    size_t max_batch;         /* rows the buffers have room for, >= 1; default 64 */
} ng_net_options;

NG_API void ng_net_options_init(ng_net_options *options);

typedef struct ng_net ng_net;

/* A net whose weights and biases are zero. NG_EOPTION for an option out of its
 * range, NG_EDTYPE, NG_ENOMEM; then *net is NULL. */
NG_API ng_status ng_net_create(ng_net **net, const ng_net_options *options, ng_error *error);

/* NULL is fine. */
NG_API void ng_net_destroy(ng_net *net);

/* Biases zero, weights independent N(0, v), drawn layer by layer and row by
 * row, by the hidden activation:
 *   relu, gelu             v = 2 / in          (He et al., arXiv:1502.01852, eq. 10)
 *   linear, tanh, sigmoid  v = 2 / (in + out)  (Glorot and Bengio, AISTATS 2010, eq. 12)
 * The last layer follows the same rule: what He's factor 2 makes up for is a
 * rectified input. NG_EARG without fill_normal. */
NG_API ng_status ng_net_initialise(ng_net *net, const ng_random *random, ng_error *error);

/* The first `batch` rows of the net's input buffer (batch x inputs, dense, for
 * writing): gather samples straight into it. Without rows and with data NULL
 * if batch exceeds max_batch. */
NG_API ng_mat ng_net_input(const ng_net *net, size_t batch);

/* Logits from the first `batch` rows of the input buffer, 1 <= batch <=
 * max_batch (else NG_ESHAPE; NG_ERANGE for widths beyond the BLAS integer). */
NG_API ng_status ng_net_forward(ng_net *net, size_t batch, ng_error *error);

/* The logits of the last forward pass, batch x outputs; no rows before. */
NG_API ng_mat ng_net_output(const ng_net *net);

/* Softmax loss of the last forward pass for class labels 0 ... outputs-1, one
 * a row, and its derivative at the logits for ng_net_backward. correct (may be
 * NULL) counts the rows whose largest logit, the first of equals, is the
 * label's. After one forward pass loss and backward may be called again, for
 * instance with labels drawn from the model (the true Fisher matrix).
 * NG_ENODATA without a forward pass, NG_EUNSUPPORTED for other losses,
 * NG_ESHAPE if n is not the batch, NG_EARG naming the row of a label out of
 * range, NG_ENONFINITE naming where the first NaN or infinity is.
 * On an error there is no derivative and backward refuses. */
NG_API ng_status ng_net_loss_labels(ng_net *net, double *loss, size_t *correct, const int *labels,
                                    size_t n, ng_error *error);

/* The same for the Bernoulli and the squared loss; targets are batch x outputs
 * (NG_ESHAPE) of the net's dtype (NG_EDTYPE), any stride; a target outside
 * [0, 1] (Bernoulli) or not finite (squared) is NG_EARG naming its row. */
NG_API ng_status ng_net_loss_targets(ng_net *net, double *loss, ng_mat targets, ng_error *error);

/* Writes (does not add) the gradients of the last loss into weight_grad and
 * bias_grad of every layer. Weights must be those of the forward pass.
 * NG_ENODATA without a loss since the last forward pass. Gradients that
 * overflow are left to the optimizer, which refuses them. */
NG_API ng_status ng_net_backward(ng_net *net, ng_error *error);

/* One dense layer, as views. */
typedef struct {
    const char *name;        /* "fc1", "fc2", ...; owned by the net, like the next two */
    const char *weight_name; /* "fc1.weight" */
    const char *bias_name;   /* "fc1.bias" */
    ng_mat weight, weight_grad; /* out x in */
    ng_mat bias, bias_grad;     /* 1 x out */
    /* For ng_group_capture (K-FAC): A (batch x in) of the last forward pass, and
     * G (batch x out), the derivative of the MEAN loss with respect to Z, of the
     * last backward pass: weight_grad = G^T A. One sample's own derivative is
     * batch * G, so the scale to capture with is the batch size, inputs.rows.
     * No rows as long as they would be out of date. A of the first layer is the
     * input buffer: capture before the next gather. */
    ng_mat inputs;       /* A */
    ng_mat outputs_grad; /* G */
} ng_layer;

/* Number of layers. */
NG_API size_t ng_net_layers(const ng_net *net);

/* Layer i = 0 ... layers-1; NG_EARG beyond. */
NG_API ng_status ng_net_layer(const ng_net *net, ng_layer *layer, size_t i, ng_error *error);

/* The net as a model of natgrad/train/model.h: parameter 2i is the weight of
 * layer i, 2i + 1 its bias, and the scale of every layer is the batch. It is
 * the net, not a copy: destroy one of the two. */
NG_API ng_model *ng_net_model(ng_net *net);

#ifdef __cplusplus
}
#endif
#endif
