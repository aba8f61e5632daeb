/* natgrad/train/trainer.h: trains a model on a data set with any method.
 *
 *   ng_trainer_options o;
 *   ng_trainer_init(&o);
 *   o.method = &fismo, o.epochs = 20, o.patience = 3;
 *   ng_trainer_create(&trainer, model, &o, &error);
 *   if (ng_trainer_fit(trainer, train, validation) < 0)
 *       die(ng_trainer_error(trainer));
 *   ng_trainer_evaluate(trainer, &loss, &score, test);
 *   ng_trainer_destroy(trainer);
 *
 * The loss is the model's: softmax for classes; Bernoulli and squared, the Gaussian likelihood,
 * for targets. Each epoch goes through the training set in a new order, batch by batch; the last
 * batch of an epoch may be smaller. The same seed, data and options give the same bits on the same
 * machine, and so does a training that is saved, killed and loaded in another process.
 *
 * Parameters go
 *   to a method that asks for statistics (ng_options_want_capture): whole layers, weights and
 *     biases, unless their weight is shared; embeddings and norms to AdamW;
 *   to an element-wise method: everything;
 *   to any other method: hidden weights, those of fused layers each by itself; what
 *     ng_policy_elementwise names and the last layer to AdamW.
 *
 * A method with rate = quadratic (the preset kfac_auto) that asks for statistics has the model's own
 * Fisher matrix, of the parameters in its group alone, and every five steps, with retract every
 * step, the loss of its batch behind the step (ng_group_adapt_damping): behind AdamW's part of it
 * too, where embeddings and norms are AdamW's.
 *
 * Several processes (options.exchange) train one model: each makes the same trainer of the same
 * model and data, computes its shards of every batch and its part of an evaluation, and steps the
 * parameters it owns. Create, fit, evaluate, save and load are then calls of all of them, with one
 * status for all; what it computes depends on the number of shards and not on that of processes.
 * Rank 0 writes, its clock counts, and its `watch` is the one that may ask to stop.
 *
 * The model is borrowed and must live as long as the trainer. One trainer, one thread at a time;
 * different ones may run at the same time. Unless said otherwise an error's text is in the trainer
 * (ng_trainer_error) and NG_EARG means an argument that is NULL. */
#ifndef NATGRAD_TRAIN_TRAINER_H
#define NATGRAD_TRAIN_TRAINER_H

#include <stdint.h>
#include <natgrad/exchange.h>
#include <natgrad/optimizer.h>
#include <natgrad/schedule.h>
#include <natgrad/train/data.h>
#include <natgrad/train/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ng_trainer ng_trainer;

/* Where a training stood after an epoch. score: the share of the rows of logits (samples; of a
 * text, positions) that are right; for targets R^2, the share of their variance explained (1 - sum
 * of squared errors / sum of squares about the mean). NaN without a validation set. */
typedef struct {
    double seconds;     /* of training, evaluations not counted */
    double lr;          /* of the method in its last step */
    double train_loss;  /* of the whole training set, with the weights at the end of the epoch */
    double loss, score; /* of the validation set */
} ng_trainer_point;

/* ---- Watching -------------------------------------------------------------------- */

typedef enum {
    NG_TRAINER_STEP = 0,  /* a step is done */
    NG_TRAINER_JUDGE = 1, /* a part of an evaluation is done */
    NG_TRAINER_EPOCH = 2  /* an epoch is done and judged: the moment to save */
} ng_trainer_event_kind;

typedef struct {
    size_t size; /* sizeof this struct in the library: later fields only if it is large enough */
    ng_trainer_event_kind kind;
    size_t epoch;                  /* 1 for the first */
    size_t done, count;            /* samples of the epoch trained on, of how many */
    double loss, score;            /* of the last 20 batches or so, before they were learnt from */
    const ng_trainer_point *point; /* of NG_TRAINER_EPOCH, else NULL */
} ng_trainer_event;

/* Non-zero asks to stop: fit ends behind the present step, or evaluation, with NG_STOPPED. May
 * call ng_trainer_save (but in an evaluation: NG_EARG), and nothing that trains. */
typedef int (*ng_trainer_watch)(ng_trainer *trainer, const ng_trainer_event *event, void *data);

/* Whose Fisher matrix a method that asks for statistics gets (natgrad/train/likelihood.h). */
typedef enum {
    NG_TRAINER_FISHER_EMPIRICAL = 0, /* of the labels there are: one backward pass for both */
    NG_TRAINER_FISHER_SAMPLED = 1,   /* the likelihood's, of labels or targets drawn from the model:
                                      * a second backward pass */
    NG_TRAINER_FISHER_EXACT = 2      /* the likelihood's, no draw: a backward pass a class or output
                                      * beside the loss's */
} ng_trainer_fisher;

/* "empirical", "sampled", "exact"; NULL beyond the last one. */
NG_API const char *ng_trainer_fisher_name(ng_trainer_fisher fisher);

/* ---- Options ---------------------------------------------------------------------- */

typedef struct {
    size_t size;        /* set by ng_trainer_init */
    const void *method; /* options of any method, copied; NULL (default): AdamW's */
    const void *rest;   /* AdamW's for what the method leaves; copied; NULL: its defaults */
    size_t batch;       /* samples a step, 1 ... the model's max_batch; default 64 */
    size_t epochs;      /* passes over the training set, 1 ... 2^31; default 10 */
    uint64_t seed;      /* of the weights at the start and the order; default 1 */
    int keep_weights;   /* 1: the model's weights are the start; default 0: ng_model_initialise */
    /* Learning rates of all groups, each from its own lr as the peak, over the steps of `epochs`
     * (natgrad/schedule.h); warmup and decay (of wsd) are shares of them. */
    ng_schedule_shape schedule; /* default NG_SCHEDULE_CONSTANT */
    double warmup;              /* 0 ... 1; default 0 */
    double final;               /* 0 ... 1, share of the peak; default 0 */
    double decay;               /* 0 ... 1, with warmup at most 1; default 0.2 */
    /* Stop after so many epochs without a lower validation loss, and keep the weights of the
     * lowest. 0 (default): the last weights are kept. */
    size_t patience;
    double seconds; /* of training, evaluations not counted; then one last evaluation; 0: no end */
    /* Evaluate, and keep, a running average of the weights (natgrad/average.h) with this decay,
     * < 1; updated each step. 0 (default): the weights themselves. */
    double ema;
    /* Default empirical; read by methods that ask for statistics. The others, and rate = quadratic,
     * are of one process alone. */
    ng_trainer_fisher fisher;
    ng_trainer_watch watch; /* default NULL */
    void *watch_data;
    /* The other processes of this training, with shards (natgrad/exchange.h; over MPI
     * ng_mpi_exchange_create); copied, and the trainer's from a create that succeeds on. Default
     * NULL: there are none. */
    const ng_exchange *exchange;
} ng_trainer_options;

/* Fills in the defaults; NG_EOPTION, nothing written, for a struct of another size. */
NG_API ng_status ng_trainer_init_sized(ng_trainer_options *options, size_t size);
static inline ng_status ng_trainer_init(ng_trainer_options *options)
{
    return ng_trainer_init_sized(options, sizeof *options);
}

/* ---- Life ------------------------------------------------------------------------- */

/* options NULL means defaults. NG_EOPTION naming the option, NG_ENOMEM, NG_EARG, and what
 * ng_optimizer_add_group says to the method's options; then *trainer is NULL. */
NG_API ng_status ng_trainer_create(ng_trainer **trainer, ng_model *model,
                                   const ng_trainer_options *options, ng_error *error);

/* NULL is fine. The model stays, with the weights it has. */
NG_API void ng_trainer_destroy(ng_trainer *trainer);

/* Why the last call failed; "" after one that did not. */
NG_API const char *ng_trainer_error(const ng_trainer *trainer);

/* For monitors, regimes, counts. It belongs to the trainer, which steps it. */
NG_API ng_optimizer *ng_trainer_optimizer(ng_trainer *trainer);

/* The method's group, and AdamW's beside it: NULL if nothing is left to it. */
NG_API ng_group *ng_trainer_group(ng_trainer *trainer);
NG_API ng_group *ng_trainer_rest(ng_trainer *trainer);

NG_API ng_model *ng_trainer_model(ng_trainer *trainer);

/* ---- Training --------------------------------------------------------------------- */

/* Trains until one of the ends below; a further call goes on, with data sets of the same sizes
 * (else NG_ESHAPE), and does nothing where the end was that of the epochs or of patience.
 * validation may be NULL (with patience: NG_EARG). Behind it the model holds the weights to be
 * used: the best, the average, or the last ones, as the options say.
 *
 * NG_OK; NG_STOPPED (watch asked); errors of the data (NG_ESHAPE: not the model's features,
 * NG_ENODATA: no labels or targets), of the model and of ng_optimizer_step; of those what
 * ng_trainer_diverged is 1 for says that the run left the numbers: a result of its settings. After
 * an error the weights are those of the last good step. */
NG_API ng_status ng_trainer_fit(ng_trainer *trainer, const ng_dataset *train,
                                const ng_dataset *validation);

/* 1 for NG_ENONFINITE, NG_ERANGE and NG_ESINGULAR. */
NG_API int ng_trainer_diverged(ng_status status);

typedef enum {
    NG_TRAINER_BEGUN = 0,    /* not at an end */
    NG_TRAINER_EPOCHS = 1,   /* all epochs are done */
    NG_TRAINER_PATIENCE = 2, /* no lower validation loss for so long */
    NG_TRAINER_TIME = 3,     /* the seconds are over */
    NG_TRAINER_ASKED = 4,    /* watch asked */
    NG_TRAINER_FAILED = 5    /* an error */
} ng_trainer_end;

/* Why the last fit ended. */
NG_API ng_trainer_end ng_trainer_ended(const ng_trainer *trainer);

/* The points of all epochs so far, one more if the time was over within one; *count of them. Until
 * the next call that trains or loads. */
NG_API const ng_trainer_point *ng_trainer_points(const ng_trainer *trainer, size_t *count);

/* The epoch of the lowest validation loss, from 1; 0: none yet. */
NG_API size_t ng_trainer_best(const ng_trainer *trainer);

/* ---- Saving and going on ----------------------------------------------------------- */

/* A model file (natgrad/train/model_file.h) with the weights to be used and, under "trainer/" and
 * "optimizer/", all that the training needs to go on: the weights that are trained, where they are
 * others; the average and the best ones; the optimizer's state; epoch, place in it and order of the
 * samples; the generator; all points; and its settings as text. schema may be NULL. Also from
 * `watch`. What ng_model_save says; then PATH is as it was. */
NG_API ng_status ng_trainer_save(ng_trainer *trainer, const char *path, const ng_schema *schema);

/* Goes on where that file was saved, as if the training had never stopped, bit for bit (seconds
 * apart). The trainer is one for the same kind of model, with the same options; epochs, patience,
 * if not 0, and seconds may differ. Everything is checked before anything changes: NG_EOPTION names
 * the first setting that differs, NG_EFORMAT what lacks or cannot be, NG_ESHAPE, NG_ENONFINITE,
 * NG_ENOMEM, and what ng_model_load says. State of the optimizer that no step leaves, such as a
 * negative second moment, is refused by the first step (NG_ERANGE). */
NG_API ng_status ng_trainer_load(ng_trainer *trainer, const char *path);

/* ---- Using ------------------------------------------------------------------------ */

/* Mean loss and score (above) over a data set with the weights the model has; either may be
 * NULL. */
NG_API ng_status ng_trainer_evaluate(ng_trainer *trainer, double *loss, double *score,
                                     const ng_dataset *data);

/* ng_model_predict with the weights the model has (natgrad/train/predict.h): probabilities of the
 * classes, or targets in the units of the data. */
NG_API ng_status ng_trainer_predict(ng_trainer *trainer, ng_mat out, const ng_dataset *data);

/* ---- A step by hand: for loops and losses of one's own ----------------------------- */

/* Samples index[0 ... batch - 1] through the model: their mean loss and share right (of targets:
 * NaN), either may be NULL. */
NG_API ng_status ng_trainer_forward(ng_trainer *trainer, double *loss, double *share,
                                    const ng_dataset *data, const size_t *index, size_t batch);

/* Backward pass from the last loss of the model, and its statistics for a method that asks for
 * them: the Fisher matrix is the one of that loss's targets. */
NG_API ng_status ng_trainer_capture(ng_trainer *trainer);

/* Backward pass and step; the statistics, if wanted, must have been captured. */
NG_API ng_status ng_trainer_step(ng_trainer *trainer);

/* Both from one backward pass: the empirical Fisher matrix. What fit does. */
NG_API ng_status ng_trainer_capture_step(ng_trainer *trainer);

#ifdef __cplusplus
}
#endif
#endif
