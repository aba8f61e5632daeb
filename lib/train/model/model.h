/* What the models of the lab share: the table behind natgrad/train/model.h, and
 * a base for models that keep their parameters in one flat buffer. */
#ifndef NGI_TRAIN_MODEL_H
#define NGI_TRAIN_MODEL_H

#include <natgrad/train/model.h>
#include <natgrad/work.h>

/* The slots are the calls of natgrad/train/model.h, which has their contracts. */
typedef struct {
    void (*destroy)(ng_model *model); /* never NULL */
    ng_status (*initialise)(ng_model *model, const ng_random *random, ng_error *error);
    ng_mat (*input)(const ng_model *model, size_t batch);
    ng_status (*forward)(ng_model *model, size_t batch, ng_error *error);
    ng_mat (*output)(const ng_model *model);
    ng_status (*loss_labels)(ng_model *model, double *loss, size_t *correct, const int *labels,
                             size_t n, ng_error *error);
    ng_status (*loss_targets)(ng_model *model, double *loss, ng_mat targets,
                              ng_error *error); /* (optional) */
    ng_status (*backward)(ng_model *model, ng_error *error);
    size_t (*parameters)(const ng_model *model);
    void (*parameter)(const ng_model *model, ng_model_param *parameter, size_t i); /* i exists */
    size_t (*layers)(const ng_model *model);
    void (*layer)(const ng_model *model, ng_model_linear *layer, size_t i); /* i exists */
} ngi_model;

/* The first member of every model. */
struct ng_model {
    const ngi_model *table;
};

/* How far a model has come with its batch; each stage includes those before. */
typedef enum { STAGE_NONE, STAGE_FORWARD, STAGE_LOSS, STAGE_BACKWARD } ngi_stage;

/* The first rows of a dense buffer. */
static inline ng_mat ngi_rows(ng_mat m, size_t rows)
{
    return ng_mat_block(m, 0, 0, rows, m.cols);
}

/* m <- independent N(0, variance), row by row, drawn in double whatever the dtype */
void ngi_fill_normal(ng_mat m, const ng_random *random, double variance);
ng_status ngi_normal_check(const ng_random *random, ng_error *error);

/* ---- The flat base --------------------------------------------------------- */

typedef struct {
    char name[40];
    size_t blocks;
    ng_mat w, dw;
    double variance; /* of the weights at the start: normal; 0: they are `value` */
    double value;
} ngi_param;

typedef struct {
    char name[32];
    size_t weight, bias;
    ng_mat a, g;   /* (max_batch * places) x in, x out */
    size_t places; /* rows a sample */
    double scale;  /* times the batch: what to capture with */
    int shared;
} ngi_linear;

typedef struct {
    ng_model model;
    ng_dtype dtype;
    size_t max_batch, batch; /* batch: samples of the last forward pass */
    size_t places;           /* rows of logits a sample */
    ngi_stage stage;
    ng_mat input; /* max_batch x features */
    ng_mat w, dw; /* 1 x all parameters */
    size_t params, layers;
    ngi_param *param;
    ngi_linear *linear; /* the last one's g is the derivative at the logits */
    ng_mat logits;      /* (max_batch * places) x classes */
    ng_work memory;     /* every matrix above */
} ngi_flat;

/* A plan is made twice by one function of the model: first dry, to count, then
 * with memory. Only then are the views and the indices' arrays there. */
typedef struct {
    ngi_flat *flat;
    int dry;
    size_t bytes, elements; /* of buffers; of parameters */
    size_t params, layers;  /* made so far */
    ng_mat w, dw;           /* what is left of the flat buffers */
} ngi_plan;

ng_mat ngi_plan_buffer(ngi_plan *plan, size_t rows, size_t cols);
int *ngi_plan_ints(ngi_plan *plan, size_t count);

/* The index of the next parameter, named prefix.suffix. At the start it is
 * normal of that variance or, when that is 0, filled with value. */
size_t ngi_plan_param(ngi_plan *plan, size_t rows, size_t cols, double variance, double value,
                      const char *prefix, const char *suffix);

/* The next linear layer, with everything but its name from *layer. */
void ngi_plan_linear(ngi_plan *plan, const char *name, const ngi_linear *layer);

/* Allocates everything. dtype, max_batch and places are set. */
ng_status ngi_flat_allocate(ngi_flat *flat, void (*plan)(ngi_plan *plan, const void *options),
                            const void *options, ng_error *error);
void ngi_flat_release(ngi_flat *flat);

/* Ready for the slots of the table. */
ng_status ngi_flat_initialise(ng_model *model, const ng_random *random, ng_error *error);
ng_mat ngi_flat_input(const ng_model *model, size_t batch);
ng_mat ngi_flat_output(const ng_model *model);
size_t ngi_flat_parameters(const ng_model *model);
void ngi_flat_parameter(const ng_model *model, ng_model_param *parameter, size_t i);
size_t ngi_flat_layers(const ng_model *model);
void ngi_flat_layer(const ng_model *model, ng_model_linear *layer, size_t i);

/* Begins a forward pass: batch in range, else NG_ESHAPE. */
ng_status ngi_flat_begin(ngi_flat *flat, size_t batch, ng_error *error);

/* Softmax loss, one label a row of logits. */
ng_status ngi_flat_loss(ngi_flat *flat, double *loss, size_t *correct, const int *labels,
                        ng_error *error);

/* Layer's Z <- A W^T + Z. */
ng_status ngi_linear_forward(const ngi_flat *flat, size_t layer, ng_mat z, ng_error *error);

/* dw <- G^T A; where a_grad has data, a_grad <- G W. */
ng_status ngi_linear_backward(const ngi_flat *flat, size_t layer, ng_mat a_grad, ng_error *error);

#endif
