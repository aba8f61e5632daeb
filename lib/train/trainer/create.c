/* Options, life and what a trainer is made of. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/train/rng.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"
#include "lib/train/trainer/trainer.h"

ng_status ng_trainer_init_sized(ng_trainer_options *options, size_t size)
{
    if (options == NULL || size != sizeof *options)
        return NG_EOPTION;
    *options =
        (ng_trainer_options){.size = size, .batch = 64, .epochs = 10, .seed = 1, .decay = 0.2};
    return NG_OK;
}

/* ---- Checks ---------------------------------------------------------------------------- */

static ng_status check_share(double value, const char *name, double most, ng_error *error)
{
    return value >= 0 && value <= most
               ? NG_OK
               : ng_error_set(error, NG_EOPTION, "%s = %g is not in 0 ... %g", name, value, most);
}

static ng_status check_options(const ng_trainer_options *o, const ng_model *model, ng_error *error)
{
    if (o->size != sizeof *o)
        return ng_error_set(error, NG_EOPTION,
                            "trainer options of %zu bytes: ng_trainer_init fills "
                            "in %zu",
                            o->size, sizeof *o);
    if (o->batch < 1 || o->batch > model->max_batch)
        return ng_error_set(error, NG_EOPTION,
                            "batch = %zu is not in 1 ... %zu, the model's "
                            "max_batch",
                            o->batch, model->max_batch);
    if (o->epochs < 1 || o->epochs > (size_t)1 << 31)
        return ng_error_set(error, NG_EOPTION, "epochs = %zu is not in 1 ... 2^31", o->epochs);
    if (ng_schedule_shape_name(NULL, o->schedule) == NULL)
        return ng_error_set(error, NG_EOPTION, "schedule = %d is none", (int)o->schedule);
    if (ng_trainer_fisher_name(o->fisher) == NULL)
        return ng_error_set(error, NG_EOPTION, "fisher = %d is none", (int)o->fisher);
    TRY(check_share(o->warmup, "warmup", 1, error));
    TRY(check_share(o->final, "final", 1, error));
    TRY(check_share(o->decay, "decay", 1, error));
    TRY(check_share(o->seconds, "seconds", INFINITY, error));
    if (o->schedule == NG_SCHEDULE_WSD && o->warmup + o->decay > 1)
        return ng_error_set(error, NG_EOPTION, "warmup = %g and decay = %g are more than the run",
                            o->warmup, o->decay);
    if (!(o->ema >= 0 && o->ema < 1))
        return ng_error_set(error, NG_EOPTION, "ema = %g is not in [0, 1)", o->ema);
    if (o->exchange != NULL && o->exchange->size != sizeof *o->exchange)
        return ng_error_set(error, NG_EOPTION, "an exchange of %zu bytes, this library's have %zu",
                            o->exchange->size, sizeof *o->exchange);
    if (o->exchange != NULL && o->exchange->shards == 0)
        return ng_error_set(error, NG_EOPTION, "exchange: it has no shards");
    if (o->exchange != NULL && o->fisher != NG_TRAINER_FISHER_EMPIRICAL)
        return ng_error_set(error, NG_EOPTION, "fisher = %s is of one process alone",
                            ng_trainer_fisher_name(o->fisher));
    return o->method != NULL ? ng_options_check(o->method, error) : NG_OK;
}

/* ---- Life -------------------------------------------------------------------------------- */

ng_status ngi_trainer_row(ng_trainer *t, ng_mat *row)
{
    *row = t->weights;
    row->data = calloc(row->cols, ng_dtype_size(row->dtype));
    return row->data != NULL
               ? NG_OK
               : ng_error_set(&t->error, NG_ENOMEM, "no memory for %zu weights", row->cols);
}

/* *copy <- the options struct, whose first field is its size */
static ng_status copy_options(ng_trainer *t, const void **copy, const void *options)
{
    size_t size;
    if (options == NULL)
        return NG_OK;
    memcpy(&size, options, sizeof size);
    void *own = malloc(size);
    if (own == NULL)
        return ng_error_set(&t->error, NG_ENOMEM, "no memory for options");
    *copy = memcpy(own, options, size);
    return NG_OK;
}

static ng_status take_options(ng_trainer *t, const ng_trainer_options *given)
{
    t->o = *given;
    t->o.method = t->o.rest = NULL;
    t->o.exchange = NULL;
    if (given->rest != NULL)
        TRY(ng_options_check(given->rest, &t->error));
    TRY(copy_options(t, &t->o.rest, given->rest));
    if (given->method != NULL)
        return copy_options(t, &t->o.method, given->method);
    void *adamw;
    TRY(ng_options_new(&adamw, "adamw", &t->error));
    t->o.method = adamw;
    return NG_OK;
}

static ng_status allocate(ng_trainer *t)
{
    const ng_model *m = t->model;
    size_t room = t->o.batch, outputs = m->logits.cols;
    t->most = m->max_batch < NGI_EVALUATED ? m->max_batch : NGI_EVALUATED;
    room = room > t->most ? room : t->most;
    t->captured = calloc(m->layers, sizeof *t->captured);
    t->index = calloc(t->most, sizeof *t->index);
    t->labels = calloc(room, sizeof *t->labels);
    if (m->loss != NG_LOSS_SOFTMAX) {
        t->targets = (ng_mat){NULL, room, outputs, outputs, m->dtype};
        t->targets.data = calloc(room, outputs * ng_dtype_size(m->dtype));
        t->mean = calloc(outputs, sizeof *t->mean);
    }
    if (t->captured == NULL || t->index == NULL || t->labels == NULL ||
        (m->loss != NG_LOSS_SOFTMAX && (t->targets.data == NULL || t->mean == NULL)))
        return ng_error_set(&t->error, NG_ENOMEM, "no memory for a trainer");
    if (t->o.patience == 0)
        return NG_OK;
    TRY(ngi_trainer_row(t, &t->best));
    return ngi_trainer_row(t, &t->live);
}

static ng_status make_optimizer(ng_trainer *t)
{
    ng_status status = ng_optimizer_create(&t->opt, NULL);
    if (status != NG_OK)
        return ng_error_set(&t->error, status, "cannot create an optimizer");
    status = ngi_trainer_assign(t);
    if (status != NG_OK)
        return ng_error_set(&t->error, status, "%s", ng_optimizer_error(t->opt));
    ng_group_get(t->group, "lr", &t->lr);
    if (t->rest != NULL)
        ng_group_get(t->rest, "lr", &t->rest_lr);
    return ngi_trainer_curve(t);
}

static ng_status build(ng_trainer *t, const ng_trainer_options *options)
{
    t->weights = t->model->w;
    TRY(take_options(t, options));
    TRY(allocate(t));
    TRY(make_optimizer(t));
    if (t->o.ema > 0)
        TRY(ng_average_create(&t->average, t->opt, t->o.ema, &t->error));
    TRY(ng_rng_create(&t->random, t->o.seed, &t->error));
    return t->o.keep_weights ? NG_OK : ng_model_initialise(t->model, &t->random, &t->error);
}

ng_status ng_trainer_create(ng_trainer **trainer, ng_model *model,
                            const ng_trainer_options *options, ng_error *error)
{
    ng_trainer_options defaults;
    if (trainer == NULL || model == NULL)
        return ng_error_set(error, NG_EARG, "trainer or model is NULL");
    *trainer = NULL;
    ng_trainer_init(&defaults);
    if (options == NULL)
        options = &defaults;
    TRY(check_options(options, model, error));
    ng_trainer *t = calloc(1, sizeof *t);
    if (t == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for a trainer");
    t->model = model;
    if (options->exchange != NULL)
        t->exchange = *options->exchange;
    ng_status status = ngi_trainer_attach(t, build(t, options));
    if (status == NG_OK) {
        *trainer = t;
        return NG_OK;
    }
    ng_error_set(error, status, "%s", t->error.text);
    t->exchange.destroy = NULL; /* it remains the caller's */
    ng_trainer_destroy(t);
    return status;
}

void ng_trainer_destroy(ng_trainer *t)
{
    if (t == NULL)
        return;
    ng_average_destroy(t->average);
    ng_optimizer_destroy(t->opt);
    ng_fisher_destroy(t->fisher);
    ng_rng_destroy(&t->random);
    free((void *)t->o.method);
    free((void *)t->o.rest);
    free(t->captured);
    free(t->index);
    free(t->labels);
    free(t->targets.data);
    free(t->mean);
    free(t->best.data);
    free(t->live.data);
    free(t->apart.data);
    free(t->at.order);
    free(t->at.points);
    free(t->shard);
    free(t->parts);
    if (t->exchange.destroy != NULL)
        t->exchange.destroy(t->exchange.data);
    free(t);
}

/* ---- Looking ------------------------------------------------------------------------------ */

const char *ng_trainer_error(const ng_trainer *t)
{
    return t != NULL && t->error.status != NG_OK ? t->error.text : "";
}

ng_optimizer *ng_trainer_optimizer(ng_trainer *t)
{
    return t != NULL ? t->opt : NULL;
}

ng_group *ng_trainer_group(ng_trainer *t)
{
    return t != NULL ? t->group : NULL;
}

ng_group *ng_trainer_rest(ng_trainer *t)
{
    return t != NULL ? t->rest : NULL;
}

ng_model *ng_trainer_model(ng_trainer *t)
{
    return t != NULL ? t->model : NULL;
}

int ng_trainer_diverged(ng_status status)
{
    return status == NG_ENONFINITE || status == NG_ERANGE || status == NG_ESINGULAR;
}

ng_trainer_end ng_trainer_ended(const ng_trainer *t)
{
    return t != NULL ? t->end : NG_TRAINER_BEGUN;
}

const ng_trainer_point *ng_trainer_points(const ng_trainer *t, size_t *count)
{
    *count = t != NULL ? t->at.point_count : 0;
    return *count > 0 ? t->at.points : NULL;
}

size_t ng_trainer_best(const ng_trainer *t)
{
    return t != NULL ? t->at.best : 0;
}
