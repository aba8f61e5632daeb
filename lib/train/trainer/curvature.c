/* What a method asks for beside gradients: statistics for its Fisher matrix, and the matrix
 * itself. */
#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>
#include <natgrad/natural.h>
#include <natgrad/options.h>
#include <natgrad/train/likelihood.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"
#include "lib/train/trainer/trainer.h"

enum { DIRECTIONS = 2 };    /* at once: a step's and the last step */
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

/* Between the group as one vector, x, and its places in the row of all parameters. */
static ng_status carry(const ng_trainer *t, ng_mat row, ng_mat x, int there, ng_error *error)
{
    for (size_t i = 0; i < t->model->layers; i++) {
        const size_t parts[] = {t->model->linear[i].weight, t->model->linear[i].bias};
        for (int k = 0; k < 2 && t->captured[i] != NG_MODEL_NONE; k++) {
            if (parts[k] == NG_MODEL_NONE)
                continue;
            ng_mat place = ngi_direction(t->model, row, parts[k]),
                   part = ng_mat_take(&x, place.rows, place.cols);
            TRY(there ? ng_copy(place, part, error) : ng_copy(part, place, error));
        }
    }
    return NG_OK;
}

/* t->apart has that many rows. */
static ng_status set_apart(ng_trainer *t, size_t rows, ng_error *error)
{
    ng_mat more = t->weights;
    if (t->apart.rows >= rows)
        return NG_OK;
    more.rows = rows;
    more.data = calloc(rows, ng_dtype_size(more.dtype) * more.cols);
    if (more.data == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu directions of %zu weights", rows,
                            more.cols);
    free(t->apart.data);
    t->apart = more;
    return NG_OK;
}

static ng_mat apart(const ng_trainer *t, size_t i)
{
    return ng_mat_block(t->apart, i, 0, 1, t->apart.cols);
}

/* By way of two rows, of which the second is left as it was. */
static ng_status mul(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    ng_trainer *t = data;
    TRY(set_apart(t, DIRECTIONS, error));
    for (size_t i = 0; i < x.rows; i++) {
        TRY(carry(t, apart(t, 0), ng_mat_block(x, i, 0, 1, x.cols), 1, error));
        TRY(t->whole.mul(t->whole.data, apart(t, 1), apart(t, 0), error));
        TRY(carry(t, apart(t, 1), ng_mat_block(y, i, 0, 1, y.cols), 0, error));
        ng_fill(apart(t, 1), 0);
    }
    return NG_OK;
}

static ng_status forms(void *data, ng_mat a, ng_mat x, ng_error *error)
{
    ng_trainer *t = data;
    TRY(set_apart(t, x.rows, error));
    for (size_t i = 0; i < x.rows; i++)
        TRY(carry(t, apart(t, i), ng_mat_block(x, i, 0, 1, x.cols), 1, error));
    return t->whole.forms(t->whole.data, a, ng_mat_block(t->apart, 0, 0, x.rows, t->apart.cols),
                          error);
}

/* How many there are in the group. */
static size_t numbers_of_group(const ng_trainer *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->model->layers; i++) {
        const ngi_linear *l = &t->model->linear[i];
        if (t->captured[i] != NG_MODEL_NONE)
            n += l->g.cols * (l->a.cols + (l->bias != NG_MODEL_NONE));
    }
    return n;
}

/* The model's, or its rows and columns of the group's parameters where others are AdamW's. */
ng_status ngi_trainer_curve(ng_trainer *t)
{
    const ng_fisher_product part = {.mul = mul, .data = t, .forms = forms};
    if (!option(t->o.method, "rate"))
        return NG_OK;
    if (ngi_trainer_shares(t))
        return ng_error_set(&t->error, NG_EOPTION, "rate = quadratic is of one process alone");
    t->tells = option(t->o.method, "retract") ? 1 : TELL_INTERVAL;
    if (t->captures == NULL)
        return NG_OK;
    TRY(ng_model_fisher_product(t->model, &t->whole, &t->error));
    if (t->rest != NULL)
        TRY(set_apart(t, DIRECTIONS, &t->error));
    TRY(ng_fisher_create_matrix_free(&t->fisher, numbers_of_group(t), t->model->dtype, NULL,
                                     t->rest != NULL ? &part : &t->whole, &t->error));
    return ngi_of_optimizer(t, ng_group_set_fisher(t->group, t->fisher));
}
