/* The inside of a trainer. */
#ifndef NGI_TRAIN_TRAINER_H
#define NGI_TRAIN_TRAINER_H

#include <natgrad/average.h>
#include <natgrad/exchange.h>
#include <natgrad/fisher.h>
#include <natgrad/train/trainer.h>

/* What every method's options begin with. */
typedef struct {
    size_t size;
    const ng_method *method;
} ngi_head;

/* Where a training is: with the weights, the average and the optimizer all that a resumed one
 * needs. */
typedef struct {
    size_t count;  /* samples of the training set; 0: not begun */
    size_t *order; /* owned: of the samples, shuffled each epoch */
    size_t epoch;  /* epochs done */
    size_t next;   /* samples of the present epoch done */
    double loss, score, seconds;
    size_t best, waited; /* epoch of the lowest loss (0: none); epochs since */
    double best_loss;
    ng_trainer_point *points; /* owned: one an epoch, and one where time ran out */
    size_t point_count;
} ngi_position;

struct ng_trainer {
    ng_trainer_options o; /* method and rest: copies, owned */
    ng_model *model;
    ng_optimizer *opt;
    ng_group *group;    /* what the method steps */
    ng_group *rest;     /* what AdamW steps beside it; NULL if nothing */
    ng_group *captures; /* its parameters are layers that want their statistics; or NULL */
    size_t *captured;   /* owned: which of it each of the model's layers is, or NG_MODEL_NONE */
    double lr, rest_lr; /* peaks of the schedule */
    ng_random random;
    ng_average *average; /* NULL without ema */
    ng_mat weights;      /* the model's, flat */
    ng_mat best, live;   /* owned, flat, with patience: the best ones; where the last ones are while
                          * the model shows the best */
    int shown;           /* the model holds what is to be used, not the last weights */
    ngi_position at;
    ng_trainer_end end;
    int asked;
    int judging;          /* an epoch: the model may hold the average */
    size_t most;          /* samples evaluated at a time */
    size_t *index;        /* owned: most */
    int *labels;          /* owned: most or batch */
    ng_mat targets;       /* owned: most or batch x outputs; of losses with targets */
    double *mean;         /* owned: a target each */
    ng_exchange exchange; /* the other processes of this training; size 0: none */
    double *shard;        /* owned: loss and share right of each shard, by its part of the batch */
    ng_exchange_item *parts; /* owned: one a rank */
    ng_fisher *fisher; /* owned: the model's, of the group alone, for a rate by a quadratic model;
                        * or NULL */
    ng_fisher_product whole; /* of all parameters */
    ng_mat apart;            /* owned: a few rows of all weights, 0 but for the group's */
    unsigned tells;          /* steps from one loss behind a step to the next; 0: nobody asks */
    ng_error error;
};

enum { NGI_EVALUATED = 500 };

/* The groups of the optimizer: assign.c. */
ng_status ngi_trainer_assign(ng_trainer *t);

/* Inputs and loss of a batch; *correct: rows that are right, or 0. */
ng_status ngi_trainer_pass(ng_trainer *t, double *loss, size_t *correct, const ng_dataset *data,
                           const size_t *index, size_t batch);

/* A status of the optimizer's with its text. */
static inline ng_status ngi_of_optimizer(ng_trainer *t, ng_status status)
{
    return status == NG_OK ? NG_OK
                           : ng_error_set(&t->error, status, "%s", ng_optimizer_error(t->opt));
}

/* Loss of a batch whose logits are there. */
ng_status ngi_trainer_loss(ng_trainer *t, double *loss, size_t *correct, const ng_dataset *data,
                           const size_t *index, size_t batch);

/* Backward, and statistics for a method that wants some: curvature.c. Empirical: of the loss there
 * is, whose gradients stay. */
ng_status ngi_trainer_capture(ng_trainer *t, ng_trainer_fisher fisher);

/* For a method whose rate comes of a quadratic model: the model's Fisher matrix, and, where it is
 * time, the loss behind a step for its damping. */
ng_status ngi_trainer_curve(ng_trainer *t);
ng_status ngi_trainer_tell_loss(ng_trainer *t, double before, const ng_dataset *data,
                                const size_t *index, size_t batch);

/* Mean loss and score; tells `watch`. */
ng_status ngi_trainer_judge(ng_trainer *t, double *loss, double *score, const ng_dataset *data);

/* The model shows the weights to be used, or those that are trained. */
ng_status ngi_trainer_show(ng_trainer *t);
ng_status ngi_trainer_hide(ng_trainer *t);

/* Calls watch, if there is one. */
void ngi_trainer_tell(ng_trainer *t, ng_trainer_event_kind kind);

/* ---- Several processes (ranks.c); alone nothing of it does anything ---- */

static inline int ngi_trainer_shares(const ng_trainer *t)
{
    return t->exchange.size > 0;
}

/* The status of all, and t->error; mark, which must be alike. Of what only this rank knows: not of
 * a call that has agreed itself. */
ng_status ngi_trainer_agree(ng_trainer *t, ng_status own, size_t mark);

/* The optimizer joins the others; built: what came of making the trainer. */
ng_status ngi_trainer_attach(ng_trainer *t, ng_status built);

/* Of pieces of `each` numbers those of every rank (ng_exchange_part) on all of them. */
void ngi_trainer_gather(ng_trainer *t, double *numbers, size_t pieces, size_t each);

/* Rank 0's clock, and whether its `watch` asked, on all ranks. */
void ngi_trainer_meet(ng_trainer *t);

/* This rank's shards of a batch: mean loss and share right of all, and their gradients and captures
 * reduced. */
ng_status ngi_trainer_shards(ng_trainer *t, double *loss, double *share, const ng_dataset *train,
                             const size_t *index, size_t batch);

/* A flat row of as many zeros as the model has weights. */
ng_status ngi_trainer_row(ng_trainer *t, ng_mat *row);

#endif
