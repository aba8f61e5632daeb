/* Epoch after epoch. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <natgrad/linalg.h>
#include <natgrad/train/rng.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"
#include "lib/train/trainer/trainer.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- Which weights the model holds ------------------------------------------------------- */

static ng_status swap_average(ng_trainer *t)
{
    return ng_average_count(t->average) > 0 ? ng_average_swap(t->average, &t->error) : NG_OK;
}

static void copy_row(ng_mat to, ng_mat from)
{
    memcpy(to.data, from.data, to.cols * ng_dtype_size(to.dtype));
}

ng_status ngi_trainer_show(ng_trainer *t)
{
    if (!t->shown && t->at.best > 0) {
        copy_row(t->live, t->weights);
        copy_row(t->weights, t->best);
    } else if (!t->shown)
        TRY(swap_average(t));
    t->shown = 1;
    return NG_OK;
}

ng_status ngi_trainer_hide(ng_trainer *t)
{
    if (t->shown && t->at.best > 0)
        copy_row(t->weights, t->live);
    else if (t->shown)
        TRY(swap_average(t));
    t->shown = 0;
    return NG_OK;
}

/* ---- Before the first step ------------------------------------------------------------------ */

static ng_status check_data(ng_trainer *t, const ng_dataset *data)
{
    if (data == NULL || ng_dataset_count(data) == 0)
        return ng_error_set(&t->error, NG_EARG, "fit: there are no samples");
    if (!ng_dataset_labelled(data))
        return ng_error_set(&t->error, NG_ENODATA,
                            "%s: there is nothing to learn, neither labels "
                            "nor targets",
                            ng_dataset_name(data));
    if (ng_dataset_features(data) != t->model->input.cols)
        return ng_error_set(&t->error, NG_ESHAPE, "%s: %zu features, the model reads %zu",
                            ng_dataset_name(data), ng_dataset_features(data), t->model->input.cols);
    size_t classes = ng_dataset_classes(data);
    if (t->targets.data == NULL && classes > t->model->logits.cols)
        return ng_error_set(&t->error, NG_ESHAPE, "%s: %zu classes, the model tells %zu",
                            ng_dataset_name(data), classes, t->model->logits.cols);
    return NG_OK;
}

static ng_status begin(ng_trainer *t, size_t count)
{
    ngi_position *at = &t->at;
    if (at->count > 0)
        return at->count == count
                   ? NG_OK
                   : ng_error_set(&t->error, NG_ESHAPE,
                                  "fit: %zu samples, but the training began with %zu", count,
                                  at->count);
    at->order = malloc(count * sizeof *at->order);
    if (at->order == NULL)
        return ng_error_set(&t->error, NG_ENOMEM, "no memory for the order of %zu samples", count);
    for (size_t i = 0; i < count; i++)
        at->order[i] = i;
    at->count = count;
    return NG_OK;
}

/* ---- Learning rates ----------------------------------------------------------------------------
 */

static ng_status set_rate(ng_trainer *t, ng_group *group, double peak)
{
    const ng_trainer_options *o = &t->o;
    ng_schedule s;
    ng_schedule_init(&s);
    s.shape = o->schedule;
    s.peak = peak;
    s.final = o->final;
    s.steps = (unsigned long long)o->epochs * ((t->at.count + o->batch - 1) / o->batch);
    s.warmup = (unsigned long long)(o->warmup * (double)s.steps);
    s.warmup = s.warmup < s.steps ? s.warmup : s.steps - 1;
    s.decay = (unsigned long long)(o->decay * (double)s.steps);
    s.decay = s.decay < 1 ? 1 : s.decay > s.steps - s.warmup ? s.steps - s.warmup : s.decay;
    return ngi_of_optimizer(t, ng_group_schedule(group, "lr", &s));
}

static ng_status set_rates(ng_trainer *t)
{
    if (t->o.schedule == NG_SCHEDULE_CONSTANT && t->o.warmup == 0)
        return NG_OK;
    TRY(set_rate(t, t->group, t->lr));
    return t->rest != NULL ? set_rate(t, t->rest, t->rest_lr) : NG_OK;
}

/* ---- Steps
 * ---------------------------------------------------------------------------------------- */

/* Of a pass whose loss is there. Statistics of other derivatives than the loss's come first. */
static ng_status differentiate(ng_trainer *t, const ng_dataset *train, const size_t *index,
                               size_t batch)
{
    double unused;
    size_t correct;
    if (t->captures == NULL || t->o.fisher == NG_TRAINER_FISHER_EMPIRICAL)
        return ng_trainer_capture(t);
    TRY(ngi_trainer_capture(t, t->o.fisher));
    TRY(ngi_trainer_loss(t, &unused, &correct, train, index, batch));
    return ng_model_backward(t->model, &t->error);
}

/* Mean loss and share right of a batch, its gradients and captures. */
static ng_status gradients(ng_trainer *t, double *loss, double *share, const ng_dataset *train,
                           const size_t *index, size_t batch)
{
    size_t correct;
    if (ngi_trainer_shares(t))
        return ngi_trainer_shards(t, loss, share, train, index, batch);
    TRY(ngi_trainer_pass(t, loss, &correct, train, index, batch));
    *share = (double)correct / (double)ng_model_output(t->model).rows;
    return differentiate(t, train, index, batch);
}

/* With weights drawn from what the optimizer has a distribution of. */
static ng_status pass(ng_trainer *t, double *loss, double *share, const ng_dataset *train,
                      const size_t *index, size_t batch)
{
    TRY(ngi_of_optimizer(t, ng_optimizer_sample(t->opt, &t->random)));
    ng_status status = gradients(t, loss, share, train, index, batch);
    if (status != NG_OK) {
        ng_optimizer_restore(t->opt);
        ng_optimizer_drop(t->opt);
    }
    return status;
}

static ng_status step(ng_trainer *t, const ng_dataset *train)
{
    ngi_position *at = &t->at;
    size_t left = at->count - at->next, batch = left < t->o.batch ? left : t->o.batch;
    double loss, share, start = now(), keep = at->next == 0 ? 0 : 0.95;
    TRY(pass(t, &loss, &share, train, at->order + at->next, batch));
    double score = t->targets.data != NULL ? (double)NAN : share;
    TRY(set_rates(t));
    TRY(ngi_of_optimizer(t, ng_optimizer_step(t->opt)));
    TRY(ngi_trainer_tell_loss(t, loss, train, at->order + at->next, batch));
    if (t->average != NULL)
        TRY(ng_average_update(t->average, &t->error));
    at->next += batch;
    at->loss = keep > 0 ? keep * at->loss + (1 - keep) * loss : loss;
    at->score = keep > 0 ? keep * at->score + (1 - keep) * score : score;
    at->seconds += now() - start;
    return NG_OK;
}

/* Steps to the end of the epoch, or an earlier one. */
static ng_status steps(ng_trainer *t, const ng_dataset *train)
{
    ngi_position *at = &t->at;
    if (at->next == 0)
        ng_rng_shuffle(&t->random, at->order, at->count);
    while (at->next < at->count) {
        TRY(step(t, train));
        ngi_trainer_tell(t, NG_TRAINER_STEP);
        ngi_trainer_meet(t);
        if (t->asked && at->next < at->count) {
            t->end = NG_TRAINER_ASKED;
            return NG_OK;
        }
        if (t->o.seconds > 0 && at->seconds >= t->o.seconds) {
            t->end = NG_TRAINER_TIME;
            return NG_OK;
        }
    }
    return NG_OK;
}

/* ---- Epochs
 * ------------------------------------------------------------------------------------------ */

static ng_status judge_both(ng_trainer *t, ng_trainer_point *p, const ng_dataset *train,
                            const ng_dataset *validation)
{
    double unused;
    TRY(ngi_trainer_judge(t, &p->train_loss, &unused, train));
    p->loss = p->score = NAN;
    if (validation != NULL)
        TRY(ngi_trainer_judge(t, &p->loss, &p->score, validation));
    if (t->o.patience == 0)
        return NG_OK;
    t->at.waited++;
    if (t->at.best == 0 || p->loss < t->at.best_loss) {
        t->at.best = t->at.epoch + 1;
        t->at.best_loss = p->loss;
        t->at.waited = 0;
        copy_row(t->best, t->weights);
    }
    return NG_OK;
}

static ng_status judge_averaged(ng_trainer *t, ng_trainer_point *p, const ng_dataset *train,
                                const ng_dataset *validation)
{
    TRY(swap_average(t));
    ng_status judged = judge_both(t, p, train, validation);
    TRY(swap_average(t));
    return judged;
}

static ng_status reserve_point(ng_trainer *t)
{
    ngi_position *at = &t->at;
    ng_trainer_point *more = realloc(at->points, (at->epoch + 1) * sizeof *more);
    if (more == NULL)
        return ng_error_set(&t->error, NG_ENOMEM, "no memory for epoch %zu", at->epoch + 1);
    at->points = more;
    at->point_count = at->epoch;
    return NG_OK;
}

/* The point behind an epoch, or where time ran out in one. */
static ng_status add_point(ng_trainer *t, const ng_dataset *train, const ng_dataset *validation)
{
    ngi_position *at = &t->at;
    TRY(ngi_trainer_agree(t, reserve_point(t), 0));
    ng_trainer_point *more = at->points;
    t->judging = 1;
    ng_status judged = judge_averaged(t, &more[at->epoch], train, validation);
    t->judging = 0;
    TRY(judged);
    more[at->epoch].seconds = at->seconds;
    ng_group_get(t->group, "lr", &more[at->epoch].lr);
    at->point_count++;
    return NG_OK;
}

/* 1 where all epochs are done, or patience is over; also of a training that was loaded. */
static int at_end(ng_trainer *t)
{
    if (t->at.epoch >= t->o.epochs)
        t->end = NG_TRAINER_EPOCHS;
    else if (t->o.patience > 0 && t->at.waited >= t->o.patience)
        t->end = NG_TRAINER_PATIENCE;
    else
        return 0;
    return 1;
}

static ng_status epoch(ng_trainer *t, const ng_dataset *train, const ng_dataset *validation)
{
    ngi_position *at = &t->at;
    TRY(steps(t, train));
    if (t->end == NG_TRAINER_ASKED)
        return NG_STOPPED;
    TRY(add_point(t, train, validation));
    if (at->next < at->count)
        return NG_OK;
    at->epoch++;
    at->next = 0;
    ngi_trainer_tell(t, NG_TRAINER_EPOCH);
    ngi_trainer_meet(t);
    if (t->end == NG_TRAINER_TIME)
        return NG_OK;
    if (!at_end(t) && t->asked)
        t->end = NG_TRAINER_ASKED;
    return t->end == NG_TRAINER_ASKED ? NG_STOPPED : NG_OK;
}

static ng_status train_on(ng_trainer *t, const ng_dataset *train, const ng_dataset *validation)
{
    while (t->end == NG_TRAINER_BEGUN)
        TRY(epoch(t, train, validation));
    return NG_OK;
}

static ng_status check_both(ng_trainer *t, const ng_dataset *train, const ng_dataset *validation)
{
    TRY(check_data(t, train));
    if (validation != NULL)
        return check_data(t, validation);
    return t->o.patience == 0
               ? NG_OK
               : ng_error_set(&t->error, NG_EARG, "fit: patience wants a validation set");
}

/* Whatever came of it, the model shows what is to be used. */
static ng_status end(ng_trainer *t, ng_status trained)
{
    if (trained < NG_OK)
        t->end = NG_TRAINER_FAILED;
    else
        t->error = (ng_error){NG_OK, ""}; /* of a call that `watch` made */
    TRY(ngi_trainer_show(t));
    return trained;
}

ng_status ng_trainer_fit(ng_trainer *t, const ng_dataset *train, const ng_dataset *validation)
{
    if (t == NULL)
        return NG_EARG;
    t->error = (ng_error){NG_OK, ""};
    TRY(check_both(t, train, validation));
    TRY(ngi_trainer_agree(t, begin(t, ng_dataset_count(train)), ng_dataset_count(train)));
    if (at_end(t))
        return NG_OK;
    TRY(ngi_trainer_hide(t));
    t->end = NG_TRAINER_BEGUN;
    t->asked = 0;
    return end(t, train_on(t, train, validation));
}
