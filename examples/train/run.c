/* One training run: model, optimizer, epochs. */
#include "examples/train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/support/learner.h"

enum { EVALUATE_BATCH = 500 };

typedef struct {
    const config *c;
    const source *s;
    learner l;
    ng_random random;
    size_t *order; /* the training samples, shuffled each epoch */
    int *labels;
    size_t evaluate, room; /* samples evaluated at a time; largest batch */
} trainer;

/* ---- Setting up ------------------------------------------------------------------ */

static ng_status create_learner(trainer *t, const ng_preset *method, const void *options)
{
    ng_model *model;
    ng_status status = model_create(&model, t->c, t->s, t->room, &t->l.error);
    return status != NG_OK
               ? status
               : learner_create(&t->l, model, &t->random, method, options, &t->c->methods);
}

static ng_status trainer_create(trainer *t, const config *c, const source *s, const run *r,
                                const void *options)
{
    size_t count = ng_dataset_count(s->train);
    memset(t, 0, sizeof *t);
    t->c = c;
    t->s = s;
    t->evaluate = c->model == MODEL_GPT ? c->batch : EVALUATE_BATCH;
    t->room = c->batch > t->evaluate ? c->batch : t->evaluate;
    t->order = malloc(count * sizeof *t->order);
    t->labels = malloc(t->room * sizeof *t->labels);
    if (t->order == NULL || t->labels == NULL)
        return ng_error_set(&t->l.error, NG_ENOMEM, "no memory for %zu samples", count);
    for (size_t i = 0; i < count; i++)
        t->order[i] = i;
    ng_status status = ng_rng_create(&t->random, r->seed, &t->l.error);
    return status == NG_OK ? create_learner(t, r->method, options) : status;
}

static void trainer_destroy(trainer *t)
{
    learner_destroy(&t->l);
    ng_rng_destroy(&t->random);
    free(t->order);
    free(t->labels);
}

/* ---- Steps ------------------------------------------------------------------------- */

static ng_status step(trainer *t, const size_t *index, size_t batch, double *loss, double *share)
{
    ng_status status = learner_forward(&t->l, loss, share, t->labels, t->s->train, index, batch);
    return status == NG_OK ? learner_capture_step(&t->l) : status;
}

/* Mean loss and accuracy over a data set. */
static ng_status evaluate(trainer *t, const ng_dataset *data, double *loss, double *accuracy,
                          progress *bar, double done)
{
    size_t count = ng_dataset_count(data), index[EVALUATE_BATCH];
    size_t most = t->evaluate < EVALUATE_BATCH ? t->evaluate : EVALUATE_BATCH;
    double total = 0, right = 0, mean, share;
    for (size_t first = 0; first < count; first += most) {
        size_t batch = count - first < most ? count - first : most;
        for (size_t i = 0; i < batch; i++)
            index[i] = first + i;
        ng_status status = learner_forward(&t->l, &mean, &share, t->labels, data, index, batch);
        if (status != NG_OK)
            return status;
        progress_update(bar, done, "judging");
        total += mean * (double)batch;
        right += share * (double)batch;
    }
    *loss = total / (double)count;
    *accuracy = right / (double)count;
    return NG_OK;
}

static ng_status epoch(trainer *t, run *r, progress *bar, int number, point *p)
{
    size_t count = ng_dataset_count(t->s->train), batch = t->c->batch;
    double loss = 0, share = 0, smooth = 0, accuracy = 0, start = progress_clock();
    char note[80];
    ng_status status = NG_OK;
    ng_rng_shuffle(&t->random, t->order, count);
    for (size_t first = 0; first < count && status == NG_OK; first += batch) {
        if (program_interrupted())
            return NG_STOPPED;
        size_t size = count - first < batch ? count - first : batch;
        status = step(t, t->order + first, size, &loss, &share);
        /* of the last 20 batches or so, before they were learnt from */
        double keep = first == 0 ? 0 : 0.95;
        smooth = keep * smooth + (1 - keep) * loss;
        accuracy = keep * accuracy + (1 - keep) * share;
        snprintf(note, sizeof note, "%d/%d  loss %.4f  accuracy %.4f", number + 1, t->c->epochs,
                 smooth, accuracy);
        progress_update(bar, (double)number * (double)count + (double)(first + size), note);
    }
    double unused, done = (number + 1.0) * (double)count;
    p->seconds = progress_clock() - start + (number > 0 ? r->points[number - 1].seconds : 0);
    if (status == NG_OK)
        status = evaluate(t, t->s->train, &p->train_loss, &unused, bar, done);
    if (status == NG_OK)
        status = evaluate(t, t->s->held_out, &p->held_out_loss, &p->held_out_accuracy, bar, done);
    return status;
}

static void say_epoch(progress *bar, const run *r, const trainer *t, const point *p)
{
    char text[256], seed[32] = "";
    if (t->c->seeds.count > 1)
        snprintf(seed, sizeof seed, " seed %lu ", r->seed);
    snprintf(text, sizeof text, "%-11s%s %d/%d  train loss %.4f  %s %.4f  accuracy %.4f  %.1f s",
             r->method->name, seed, r->epochs, t->c->epochs, p->train_loss, t->s->held_out_name,
             p->held_out_loss, p->held_out_accuracy, p->seconds);
    if (!t->c->sweep)
        progress_line(bar, text);
}

static ng_status train(trainer *t, run *r, progress *bar)
{
    ng_status status = NG_OK;
    if (r->log != NULL &&
        (status = regimes_watch(r->log, t->l.opt, t->c->regimes, r->method, r->seed)) != NG_OK)
        return ng_error_set(&t->l.error, status, "%s", ng_optimizer_error(t->l.opt));
    for (int number = 0; number < t->c->epochs && status == NG_OK; number++) {
        status = epoch(t, r, bar, number, &r->points[number]);
        if (status == NG_OK) {
            r->epochs++;
            say_epoch(bar, r, t, &r->points[number]);
        }
    }
    return status;
}

int run_train(run *r, const config *c, const source *s, const void *options, progress *bar)
{
    trainer t;
    r->epochs = r->failed = 0;
    r->points = calloc((size_t)c->epochs, sizeof *r->points);
    ng_status status = trainer_create(&t, c, s, r, options);
    if (r->points == NULL && status == NG_OK)
        status = ng_error_set(&t.l.error, NG_ENOMEM, "no memory for %d epochs", c->epochs);
    if (status == NG_OK)
        status = train(&t, r, bar);
    if (learner_diverged(status)) {
        r->failed = 1;
        snprintf(r->why, sizeof r->why, "%s", t.l.error.text);
    } else if (status < NG_OK) {
        progress_end(bar);
        program_error("%s: %s", r->method->name, t.l.error.text);
    }
    trainer_destroy(&t);
    return status < NG_OK && !r->failed;
}

void run_free(run *r)
{
    free(r->points);
    r->points = NULL;
}
