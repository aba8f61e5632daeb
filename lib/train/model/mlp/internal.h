/* What the files of the net share. */
#ifndef NGI_TRAIN_NET_INTERNAL_H
#define NGI_TRAIN_NET_INTERNAL_H

#include <natgrad/train/net.h>
#include <natgrad/work.h>

#include "lib/train/model/model.h"

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

/* The sum of the rows' softmax losses; g <- scale times the derivative at the
 * logits z, both dense, rows x classes; *correct += the hits. */
double ngi_softmax_loss(ng_mat g, size_t *correct, ng_mat z, const int *labels, double scale);

/* The net behind natgrad/train/model.h. */
extern const ngi_model ngi_net_table;

typedef struct {
    char name[32], weight_name[40], bias_name[40];
    const ngi_activation *activation;
    ng_mat weight, weight_grad, bias, bias_grad;
    ng_mat z, h, g; /* max_batch x out: A W^T + b, phi(z), derivative of the loss at z */
} ngi_layer;

struct ng_net {
    ng_model model;
    ng_dtype dtype;
    ng_loss loss;
    double (*variance)(double in, double out); /* of the hidden activation, for all layers */
    size_t max_batch, batch;                   /* batch: rows of the last forward pass */
    ngi_stage stage;
    ng_mat input; /* max_batch x inputs */
    size_t layers;
    ngi_layer *layer;
    ng_work memory; /* every matrix above */
};

#endif
