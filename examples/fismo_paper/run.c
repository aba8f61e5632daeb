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
    learner l;
    ng_random random;
    size_t *order, next; /* the training samples, shuffled whenever all were used */
    size_t *index;
    int *labels;
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

static ng_status create_learner(trainer *t, const void *options)
{
    ng_model *model;
    void *own = options == NULL ? methods_options(&t->c->methods, t->r->method) : NULL;
    if (options == NULL && own == NULL)
        return ng_error_set(&t->l.error, NG_EOPTION, "its options");
    ng_status status = task_model(&model, t->c, t->t, &t->l.error);
    if (status == NG_OK)
        status = learner_create(&t->l, model, &t->random, t->r->method,
                                options != NULL ? options : own, &t->c->methods);
    free(own);
    return status;
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
    t->labels = malloc(c->batch * sizeof *t->labels);
    if (t->order == NULL || t->index == NULL || t->labels == NULL)
        return ng_error_set(&t->l.error, NG_ENOMEM, "no memory for %zu samples", count);
    for (size_t i = 0; i < count; i++)
        t->order[i] = i;
    t->next = count;
    schedule(&t->lr, r->lr, c->steps);
    schedule(&t->rest_lr, r->rest_lr, c->steps);
    ng_status status = ng_rng_create(&t->random, r->seed, &t->l.error);
    return status == NG_OK ? create_learner(t, options) : status;
}

static void trainer_destroy(trainer *t)
{
    learner_destroy(&t->l);
    ng_rng_destroy(&t->random);
    free(t->order);
    free(t->index);
    free(t->labels);
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
        ng_status status = learner_forward(&t->l, &mean, &share, t->labels, data, t->index, batch);
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
    ng_status status = ng_group_schedule(t->l.method, "lr", &t->lr);
    if (status == NG_OK && t->l.rest != NULL)
        status = ng_group_schedule(t->l.rest, "lr", &t->rest_lr);
    return status == NG_OK ? status
                           : ng_error_set(&t->l.error, status, "%s", ng_optimizer_error(t->l.opt));
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
        learner_forward(&t->l, loss, &share, t->labels, t->t->train, t->order + t->next, batch);
    t->next += batch;
    if (status == NG_OK)
        status = set_rates(t);
    if (status == NG_OK && t->watch != NULL)
        status = t->watch->before(&t->l, t->watch->data);
    if (status == NG_OK)
        status = learner_capture_step(&t->l);
    t->cpu += progress_cpu() - start;
    if (status == NG_OK && t->watch != NULL)
        status = t->watch->after(&t->l, number, t->watch->data);
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

const point *run_last(const run *r)
{
    static const point none = {0, NAN, NAN, NAN, NAN};
    return r->failed || r->count == 0 ? &none : &r->points[r->count - 1];
}
