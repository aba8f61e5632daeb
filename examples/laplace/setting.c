/* Nets, error bars and answers. */
#include <stdlib.h>

#include "examples/laplace/laplace.h"

enum { BATCH = 50, MOST = 100, DRAWS = 100 };

void must(ng_status status, const ng_error *error)
{
    if (status < 0)
        exit(program_end(program_error("%s", error->text)));
}

ng_mat matrix(size_t rows, size_t cols)
{
    double *numbers = calloc(rows * cols, sizeof *numbers);
    if (numbers == NULL)
        exit(program_end(program_no_memory()));
    return ng_f64(numbers, rows, cols);
}

static ng_model *new_net(const ng_dataset *data, ng_loss loss, const size_t *widths, size_t layers)
{
    ng_model *model;
    ng_mlp_options o;
    ng_error error;
    ng_mlp_init(&o);
    o.dtype = NG_F32;
    o.inputs = ng_dataset_features(data);
    o.widths = widths;
    o.layers = layers;
    o.activation = loss == NG_LOSS_SQUARED ? NG_ACTIVATION_TANH : NG_ACTIVATION_RELU;
    o.loss = loss;
    o.max_batch = MOST;
    must(ng_model_create_mlp(&model, &o, &error), &error);
    return model;
}

static int interrupted(ng_trainer *trainer, const ng_trainer_event *event, void *data)
{
    (void)trainer, (void)event, (void)data;
    return program_interrupted();
}

ng_model *train_net(const ng_dataset *data, ng_loss loss, const size_t *widths, size_t layers,
                    size_t epochs, double lr, double decay, unsigned long seed)
{
    ng_model *model = new_net(data, loss, widths, layers);
    ng_trainer *trainer;
    ng_trainer_options o;
    ng_adamw_options adam;
    ng_sgd_options sgd;
    ng_error error;
    ng_adamw_init(&adam);
    adam.lr = lr;
    adam.weight_decay = 0;
    ng_sgd_init(&sgd);
    sgd.lr = lr;
    sgd.weight_decay = decay / (double)ng_dataset_count(data);
    sgd.weight_decay_kind = NG_DECAY_COUPLED;
    ng_trainer_init(&o);
    o.method = decay > 0 ? (void *)&sgd : &adam;
    o.batch = BATCH;
    o.epochs = epochs;
    o.seed = seed;
    o.watch = interrupted;
    must(ng_trainer_create(&trainer, model, &o, &error), &error);
    ng_status status = ng_trainer_fit(trainer, data, NULL);
    snprintf(error.text, sizeof error.text, "%s", ng_trainer_error(trainer));
    must(status, &error);
    ng_trainer_destroy(trainer);
    return model;
}

ng_laplace *fit(ng_model *model, const ng_dataset *data, ng_laplace_structure structure, int refit,
                double tau, ng_laplace_info *info)
{
    ng_laplace *bars;
    ng_laplace_options o;
    ng_error error;
    ng_laplace_init(&o);
    o.structure = structure;
    o.refit = refit;
    o.prior_precision = tau;
    must(ng_laplace_fit(&bars, model, data, &o, &error), &error);
    if (info != NULL) {
        info->size = sizeof *info;
        ng_laplace_get(bars, info);
    }
    return bars;
}

/* By draws, batch by batch. */
static void draw(ng_mat p, ng_model *model, ng_laplace *bars, const ng_dataset *data)
{
    size_t index[MOST];
    ng_random random;
    ng_error error;
    must(ng_rng_create(&random, 1, &error), &error);
    for (size_t i = 0, n; i < p.rows; i += n) {
        n = p.rows - i < MOST ? p.rows - i : MOST;
        for (size_t k = 0; k < n; k++)
            index[k] = i + k;
        must(ng_dataset_gather(data, ng_model_input(model, n), NULL, index, n, &error), &error);
        must(ng_laplace_sample(bars, ng_mat_block(p, i, 0, n, p.cols), n, DRAWS, &random, &error),
             &error);
    }
    ng_rng_destroy(&random);
}

void ask(ng_mat p, ng_mat v, ng_model *model, ng_laplace *bars, asking how, const ng_dataset *data)
{
    ng_error error;
    if (how == ASK_NET)
        must(ng_model_predict(model, p, NULL, data, &error), &error);
    else if (how == ASK_PROBIT)
        must(ng_laplace_predict_data(bars, p, v, data, &error), &error);
    else
        draw(p, model, bars, data);
}
