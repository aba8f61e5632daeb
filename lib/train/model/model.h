/* What the models share: the table of a kind, the body of every model, the plan
 * of its memory, its linear layers, activations and losses.
 *
 * A new kind is a folder with one table, a header with its options, and a row
 * of kinds[] in kinds.c. */
#ifndef NGI_TRAIN_MODEL_H
#define NGI_TRAIN_MODEL_H

#include <stdint.h>

#include <natgrad/train/model.h>
#include <natgrad/work.h>

#include "lib/train/model/options.h"

/* ---- Kinds ----------------------------------------------------------------- */

typedef struct ngi_plan ngi_plan;

typedef struct {
    const char *name;    /* "mlp"; its options are filled by ng_<name>_init */
    size_t options_size; /* of its options struct, which begins as ngi_options */
    const ngi_field *fields;
    size_t field_count;
    size_t size; /* of its struct, which begins with struct ng_model and is zero before create */
    /* (optional) what no single field says */
    ng_status (*check)(const void *options, ng_error *error);
    /* sets max_batch, places and loss; allocates what is no matrix. Only options that passed */
    ng_status (*create)(ng_model *model, const void *options, ng_error *error);
    /* (optional) releases that; also behind a create that failed */
    void (*destroy)(ng_model *model);
    /* plans every matrix, parameter and linear layer; called twice with the same answers */
    void (*lay_out)(ngi_plan *plan, const void *options);
    /* logits of the first model->batch rows of the input, a batch in range */
    ng_status (*forward)(ng_model *model, ng_error *error);
    /* every dw, from the derivative at the logits (g of the last linear layer) */
    ng_status (*backward)(ng_model *model, ng_error *error);
    /* dz (rows of logits, dense) <- J v: natgrad/train/likelihood.h; hidden, row and ones of
     * model->tangents are there */
    ng_status (*tangent)(ng_model *model, ng_mat dz, ng_mat v, ng_error *error);
    /* (optional) one label a row of logits from the n of the caller; NULL: not the right number */
    const int *(*labels)(ng_model *model, const int *labels, size_t n);
} ngi_model_kind;

extern const ngi_model_kind ngi_mlp_kind, ngi_cnn_kind, ngi_gpt_kind;

ng_status ngi_model_create(ng_model **model, const ngi_model_kind *kind, const void *options,
                           ng_error *error);

/* NULL for an unknown one. */
const ngi_model_kind *ngi_model_kind_find(const char *name);

/* What such a model would take: numbers in its parameters, and bytes of its buffers;
 * SIZE_MAX where that does not fit. Options are checked, nothing of that size allocated. */
ng_status ngi_model_measure(size_t *elements, size_t *bytes, const ngi_model_kind *kind,
                            const void *options, ng_error *error);

/* ---- The body of a model ---------------------------------------------------- */

/* How far a model has come with its batch; each stage includes those before. */
typedef enum { STAGE_NONE, STAGE_FORWARD, STAGE_LOSS, STAGE_BACKWARD } ngi_stage;

typedef struct {
    char name[40];
    size_t blocks;
    ng_mat w, dw;
    double variance; /* of the weights at the start: normal; 0: they are `value` */
    double value;
} ngi_model_parameter;

typedef struct {
    char name[32];
    size_t weight, bias; /* parameters; bias may be NG_MODEL_NONE */
    ng_mat a, g;         /* (max_batch * places) x in, x out */
    size_t places;       /* rows a sample */
    double scale;        /* times the batch: what to capture with */
    int shared;
} ngi_linear;

/* Scratch of tangents, none before the first. */
typedef struct {
    ng_work memory;
    ng_mat hidden[2];  /* each for any layer's outputs, and inputs but the first one's */
    ng_mat dz[2];      /* as the logits */
    ng_mat row;        /* 1 x the widest layer's outputs */
    ng_mat ones;       /* rows of any layer x 1 */
    ng_mat p, numbers; /* 1 x classes, in double */
} ngi_tangents;

struct ng_model {
    const ngi_model_kind *kind;
    void *options; /* owned: a copy of those it was made of */
    ng_dtype dtype;
    ng_loss loss;
    size_t max_batch, batch; /* batch: samples of the last forward pass */
    size_t places;           /* rows of logits a sample */
    ngi_stage stage;
    ng_mat input; /* max_batch x features */
    ng_mat w, dw; /* 1 x all parameters */
    size_t params, layers;
    ngi_model_parameter *param;
    ngi_linear *linear; /* the last one makes the logits, its g is the derivative there */
    ng_mat logits;      /* (max_batch * places) x classes */
    ng_work memory;     /* every matrix above */
    ngi_tangents tangents;
};

/* The first rows of a dense buffer. */
static inline ng_mat ngi_rows(ng_mat m, size_t rows)
{
    return ng_mat_block(m, 0, 0, rows, m.cols);
}

/* The part of v (1 x all parameters) that goes along that parameter. */
static inline ng_mat ngi_direction(const ng_model *model, ng_mat v, size_t parameter)
{
    ng_mat w = model->param[parameter].w;
    w.data = (char *)v.data + ((const char *)w.data - (const char *)model->w.data);
    return w;
}

/* hidden[i], dense. */
static inline ng_mat ngi_tangent_room(const ng_model *model, size_t i, size_t rows, size_t cols)
{
    return (ng_mat){model->tangents.hidden[i].data, rows, cols, cols, model->dtype};
}

/* ---- Memory: plan.c ------------------------------------------------------------ */

/* A plan is made twice: first dry, to count, then with memory. Only then are the
 * views' data and the indices' arrays there. Sizes that do not fit stay at
 * SIZE_MAX, which no allocation grants. */
struct ngi_plan {
    ng_model *model;
    int dry;
    size_t bytes, elements; /* of buffers; of parameters */
    size_t params, layers;  /* made so far */
    ng_mat w, dw;           /* what is left of the flat buffers */
};

static inline size_t ngi_times(size_t a, size_t b)
{
    return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

ng_mat ngi_plan_buffer(ngi_plan *plan, size_t rows, size_t cols);
int *ngi_plan_ints(ngi_plan *plan, size_t count);

/* The index of the next parameter, named prefix.suffix. At the start it is
 * normal of that variance or, when that is 0, filled with value. */
size_t ngi_plan_param(ngi_plan *plan, size_t rows, size_t cols, double variance, double value,
                      const char *prefix, const char *suffix);

/* The next linear layer, with everything but its name from *layer: its number. */
size_t ngi_plan_linear(ngi_plan *plan, const char *name, const ngi_linear *layer);

/* The same with a weight and a bias of its own; places and scale of *layer, a and g. */
size_t ngi_plan_affine(ngi_plan *plan, const char *name, double variance, ngi_linear layer);

/* Lays out without memory; gives the numbers of parameters and layers to the model. */
void ngi_plan_measure(ngi_plan *dry, ng_model *model, const void *options);

/* Allocates everything lay_out of the model's kind plans. */
ng_status ngi_plan_carry_out(ng_model *model, const void *options, ng_error *error);

/* ---- Activations: activation.c -------------------------------------------------- */

/* One activation. Buffers are dense, rows x cols, and distinct. */
typedef struct {
    const char *name;
    /* variance of a weight with that many inputs and outputs at the start */
    double (*variance)(double in, double out);
    /* z <- z + bias (1 x cols) in every row; h <- phi(z) */
    void (*forward[2])(size_t rows, size_t cols, void *z, void *h, const void *bias);
    /* g <- g * phi'(z), where h = phi(z); bias_grad (1 x cols) <- column sums of g */
    void (*backward[2])(size_t rows, size_t cols, void *g, void *bias_grad, const void *z,
                        const void *h);
} ngi_activation;

/* The row of the table; NULL beyond the last one. */
const ngi_activation *ngi_activation_find(ng_activation activation);

/* ---- Linear layers: linear.c ---------------------------------------------------- */

/* z <- A W^T + beta z */
ng_status ngi_linear_product(const ng_model *model, size_t layer, ng_mat z, double beta,
                             ng_error *error);

/* z <- A W^T + b, h <- phi(z) */
ng_status ngi_linear_forward(const ng_model *model, size_t layer, ng_mat z, ng_mat h,
                             ng_activation activation, ng_error *error);

/* dw <- G^T A; where a_grad has data, a_grad <- G W */
ng_status ngi_linear_gradient(const ng_model *model, size_t layer, ng_mat a_grad, ng_error *error);

/* dz <- A V^T + da W^T + 1 v_b + beta dz, where da has data and a bias is there: how Z changes as
 * weights and bias go along their parts of v and the inputs along da. dz and da have a row a
 * place */
ng_status ngi_linear_tangent(const ng_model *model, size_t layer, ng_mat dz, ng_mat da, ng_mat v,
                             double beta, ng_error *error);

/* dz <- dz phi'(z), where h = phi(z): dz (dense) becomes the direction of h */
void ngi_activation_tangent(const ng_model *model, ng_mat dz, ng_mat z, ng_mat h,
                            ng_activation activation);

/* G <- G phi'(z), db <- column sums of G, and the gradient above */
ng_status ngi_linear_backward(const ng_model *model, size_t layer, ng_mat a_grad, ng_mat z,
                              ng_mat h, ng_activation activation, ng_error *error);

#endif
