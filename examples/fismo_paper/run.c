/* One training run of so many steps. */
#include "examples/fismo_paper/fismo_paper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { JUDGED_TEXTS = 256 }; /* of a set, in an evaluation */

typedef struct {
    const config *c;
    const task *t;
    const watcher *watch;
    run *r;
    ng_model *model;
    ng_trainer *it;
    ng_random random;    /* of the order */
    size_t *order, next; /* the training samples, shuffled whenever all were used */
    size_t *index;
    ng_error error;
    ng_schedule lr, rest_lr;
    double cpu;
} trainer;

/* ---- Setting up ------------------------------------------------------------------- */

static void schedule(ng_schedule *s, double peak, size_t steps)
{
    ng_schedule_init(s);
    s->shape = NG_SCHEDULE_COSINE;
    s->peak = peak;
    s->final = 0.1;
    s->warmup = steps / 20;
    s->steps = steps;
}

static ng_status create_trainer(trainer *t, const void *options)
{
    ng_trainer_options how;
    ng_trainer_init(&how);
    how.batch = t->c->batch;
    how.seed = t->r->seed;
    ng_status status = task_model(&t->model, t->c, t->t, &t->error);
    return status == NG_OK ? training_create(&t->it, t->model, &how, &t->c->methods, t->r->method,
                                             options, &t->error)
                           : status;
}

static ng_status trainer_create(trainer *t, run *r, const config *c, const task *task_,
                                const void *options)
{
    size_t count = ng_dataset_count(task_->train);
    t->c = c;
    t->t = task_;
    t->r = r;
    t->order = malloc(count * sizeof *t->order);
    t->index = malloc(c->batch * sizeof *t->index);
    if (t->order == NULL || t->index == NULL)
        return ng_error_set(&t->error, NG_ENOMEM, "no memory for %zu samples", count);
    for (size_t i = 0; i < count; i++)
        t->order[i] = i;
    t->next = count;
    schedule(&t->lr, r->lr, c->steps);
    schedule(&t->rest_lr, r->rest_lr, c->steps);
    ng_status status = ng_rng_create(&t->random, r->seed, &t->error);
    return status == NG_OK ? create_trainer(t, options) : status;
}

static void trainer_destroy(trainer *t)
{
    ng_trainer_destroy(t->it);
    ng_model_destroy(t->model);
    ng_rng_destroy(&t->random);
    free(t->order);
    free(t->index);
}

/* The text of a call of the trainer, beside those of the others. */
static ng_status told(trainer *t, ng_status status)
{
    return status == NG_OK ? NG_OK : ng_error_set(&t->error, status, "%s", ng_trainer_error(t->it));
}

/* ---- Evaluation ---------------------------------------------------------------------- */

/* Mean loss and accuracy over samples spread over the set. */
static ng_status evaluate(trainer *t, const ng_dataset *data, double *loss, double *accuracy)
{
    size_t count = ng_dataset_count(data), batch;
    size_t most = t->c->kind == TASK_TEXT ? JUDGED_TEXTS : t->c->samples;
    size_t judged = count < most ? count : most;
    double mean, share;
    *loss = *accuracy = 0;
    for (size_t first = 0; first < judged; first += batch) {
        batch = judged - first < t->c->batch ? judged - first : t->c->batch;
        for (size_t i = 0; i < batch; i++)
            t->index[i] = (first + i) * count / judged;
        ng_status status = told(t, ng_trainer_forward(t->it, &mean, &share, data, t->index, batch));
        if (status != NG_OK)
            return status;
        *loss += mean * (double)batch / (double)judged;
        *accuracy += share * (double)batch / (double)judged;
    }
    return NG_OK;
}

static ng_status judge(trainer *t, size_t step)
{
    double unused;
    point *p = &t->r->points[t->r->count];
    p->step = step;
    p->cpu = t->cpu;
    ng_status status = evaluate(t, t->t->train, &p->train_loss, &unused);
    if (status == NG_OK)
        status = evaluate(t, t->t->held_out, &p->held_out_loss, &p->held_out_accuracy);
    if (status == NG_OK)
        t->r->count++;
    return status;
}

/* ---- Steps ---------------------------------------------------------------------------- */

static ng_status set_rates(trainer *t)
{
    ng_status status = ng_group_schedule(ng_trainer_group(t->it), "lr", &t->lr);
    if (status == NG_OK && ng_trainer_rest(t->it) != NULL)
        status = ng_group_schedule(ng_trainer_rest(t->it), "lr", &t->rest_lr);
    return status == NG_OK ? status
                           : ng_error_set(&t->error, status, "%s",
                                          ng_optimizer_error(ng_trainer_optimizer(t->it)));
}

static ng_status step(trainer *t, size_t number, double *loss)
{
    double share, start = progress_cpu();
    size_t count = ng_dataset_count(t->t->train), batch = t->c->batch;
    if (t->next + batch > count) {
        ng_rng_shuffle(&t->random, t->order, count);
        t->next = 0;
    }
    ng_status status =
        told(t, ng_trainer_forward(t->it, loss, &share, t->t->train, t->order + t->next, batch));
    t->next += batch;
    if (status == NG_OK)
        status = set_rates(t);
    if (status == NG_OK && t->watch != NULL)
        status = t->watch->before(t->model, t->watch->data, &t->error);
    if (status == NG_OK)
        status = told(t, ng_trainer_capture_step(t->it));
    t->cpu += progress_cpu() - start;
    if (status == NG_OK && t->watch != NULL)
        status = t->watch->after(t->model, number, t->watch->data, &t->error);
    return status;
}

static ng_status train(trainer *t, progress *bar)
{
    size_t steps = t->c->steps, evaluations = t->r->evaluations, done = 0;
    double loss = 0, smooth = 0;
    ng_status status = evaluations > 1 ? judge(t, 0) : NG_OK;
    for (size_t k = 1; k <= evaluations && status == NG_OK; k++) {
        size_t until = steps * k / evaluations;
        if (until == done)
            continue;
        while (done < until && status == NG_OK) {
            char note[64];
            if (program_interrupted())
                return NG_STOPPED;
            status = step(t, ++done, &loss);
            smooth = done == 1 ? loss : 0.95 * smooth + 0.05 * loss;
            snprintf(note, sizeof note, "loss %.4f", smooth);
            progress_update(bar, (double)done, note);
        }
        if (status == NG_OK)
            status = judge(t, done);
    }
    return status;
}

int run_train(run *r, const config *c, const task *task_, const void *options, const watcher *watch,
              progress *bar)
{
    trainer t = {.watch = watch};
    r->count = 0;
    r->failed = 0;
    ng_status status = trainer_create(&t, r, c, task_, options);
    if (status == NG_OK)
        status = train(&t, bar);
    if (ng_trainer_diverged(status)) {
        r->failed = 1;
        snprintf(r->why, sizeof r->why, "%s", t.error.text);
    } else if (status < NG_OK) {
        progress_end(bar);
        program_error("%s: %s", r->method->name, t.error.text);
    }
    trainer_destroy(&t);
    return status < NG_OK && !r->failed;
}

const point *run_last(const run *r)
{
    static const point none = {0, NAN, NAN, NAN, NAN};
    return r->failed || r->count == 0 ? &none : &r->points[r->count - 1];
}
