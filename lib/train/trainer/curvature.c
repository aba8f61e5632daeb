/* What a method asks for beside gradients: statistics for its Fisher matrix, and the matrix
 * itself. */
#include <math.h>

#include <natgrad/natural.h>
#include <natgrad/options.h>
#include <natgrad/train/likelihood.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"
#include "lib/train/trainer/trainer.h"

enum { TELL_INTERVAL = 5 }; /* steps from one loss behind a step to the next; Martens & Grosse */

static const char *const fishers[] = {"empirical", "sampled", "exact"};

const char *ng_trainer_fisher_name(ng_trainer_fisher fisher)
{
    size_t i = (size_t)fisher;
    return i < sizeof fishers / sizeof *fishers ? fishers[i] : NULL;
}

/* ---- Statistics ---------------------------------------------------------------------------- */

/* Of the present derivative at the logits, times factor. */
static ng_status capture(ng_trainer *t, double factor)
{
    TRY(ng_model_backward(t->model, &t->error));
    for (size_t i = 0; i < ng_model_layers(t->model); i++) {
        ng_model_linear it;
        if (t->captured[i] == NG_MODEL_NONE)
            continue;
        TRY(ng_model_layer(t->model, &it, i, &t->error));
        TRY(ngi_of_optimizer(t, ng_group_capture(t->captures, t->captured[i], it.inputs,
                                                 it.outputs_grad, factor * it.scale)));
    }
    return NG_OK;
}

/* As many captures as logits are one of so many times its rows: their roots make up for it. */
static ng_status capture_exact(ng_trainer *t)
{
    size_t columns = t->model->logits.cols;
    for (size_t i = 0; i < columns; i++) {
        TRY(ng_model_loss_root(t->model, i, &t->error));
        TRY(capture(t, sqrt((double)columns)));
    }
    return NG_OK;
}

ng_status ngi_trainer_capture(ng_trainer *t, ng_trainer_fisher fisher)
{
    if (t->captures == NULL)
        return ng_model_backward(t->model, &t->error);
    switch (fisher) {
    case NG_TRAINER_FISHER_SAMPLED:
        TRY(ng_model_loss_sampled(t->model, &t->random, &t->error));
        return capture(t, 1);
    case NG_TRAINER_FISHER_EXACT:
        return capture_exact(t);
    case NG_TRAINER_FISHER_EMPIRICAL:
        break;
    }
    return capture(t, 1);
}

/* ---- The net's own Fisher matrix ------------------------------------------------------------ */

static int option(const void *options, const char *name)
{
    double value = 0;
    return ng_options_get(options, name, &value, NULL) == NG_OK && value > 0;
}

/* A net whose parameters are not all in the group leaves the
 * method to its metric. */
ng_status ngi_trainer_curve(ng_trainer *t)
{
    ng_fisher_product product;
    if (!option(t->o.method, "rate"))
        return NG_OK;
    if (ngi_trainer_shares(t))
        return ng_error_set(&t->error, NG_EOPTION, "rate = quadratic is of one process alone");
    t->tells = option(t->o.method, "retract") ? 1 : TELL_INTERVAL;
    if (t->captures == NULL || t->rest != NULL)
        return NG_OK;
    TRY(ng_model_fisher_product(t->model, &product, &t->error));
    TRY(ng_fisher_create_matrix_free(&t->fisher, t->weights.cols, t->model->dtype, NULL, &product,
                                     &t->error));
    return ngi_of_optimizer(t, ng_group_set_fisher(t->group, t->fisher));
}
