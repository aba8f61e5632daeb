/* One training run. */
#include "examples/autoencoder/autoencoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/natural.h>

enum { EVALUATE_BATCH = 500, STATISTICS_PART = 4, TELL_INTERVAL = 5 };

/* Hinton and Salakhutdinov's encoder (Science 313, 2006) and its mirror at 28 x 28 digits,
 * narrower: the whole table is to take minutes. */
static const size_t widths[] = {400, 200, 100, 30, 100, 200, 400, PIXELS};

typedef struct {
    const config *c;
    ng_model *model;
    ng_trainer *it;
    ng_random random; /* of the order and of the targets drawn */
    ng_error error;
    size_t *order; /* the training samples, shuffled each epoch */
    int captures;  /* the method wants statistics of the layers */
    int quadratic; /* and says by a quadratic model how far it goes */
} trainer;

static ng_status create_net(trainer *t)
{
    ng_mlp_options o;
    ng_mlp_init(&o);
    o.inputs = PIXELS;
    o.widths = widths;
    o.layers = sizeof widths / sizeof *widths;
    o.activation = NG_ACTIVATION_TANH;
    o.loss = NG_LOSS_BERNOULLI;
    o.max_batch = t->c->batch > EVALUATE_BATCH ? t->c->batch : EVALUATE_BATCH;
    return ng_model_create_mlp(&t->model, &o, &t->error);
}

static ng_status create_it(trainer *t, const run *r, void *options)
{
    ng_trainer_options how;
    ng_trainer_init(&how);
    how.batch = t->c->batch;
    how.seed = r->seed;
    ng_status status = ng_options_set(options, "lr", r->lr, &t->error);
    if (status == NG_OK)
        status = ng_rng_create(&t->random, r->seed, &t->error);
    if (status == NG_OK)
        status = create_net(t);
    return status == NG_OK ? training_create(&t->it, t->model, &how, &t->c->methods, r->method,
                                             options, &t->error)
                           : status;
}

static ng_status trainer_create(trainer *t, const run *r, const config *c, size_t count)
{
    memset(t, 0, sizeof *t);
    t->c = c;
    t->order = malloc(count * sizeof *t->order);
    void *options = methods_options(&c->methods, r->method);
    ng_status status = NG_ENOMEM;
    if (t->order == NULL || options == NULL)
        ng_error_set(&t->error, status, "no memory for %zu samples", count);
    else
        status = create_it(t, r, options);
    t->captures = options != NULL && ng_options_want_capture(options);
    t->quadratic = options != NULL && methods_quadratic(options);
    for (size_t i = 0; i < count && t->order != NULL; i++)
        t->order[i] = i;
    free(options);
    return status;
}

static void trainer_destroy(trainer *t)
{
    ng_trainer_destroy(t->it);
    ng_model_destroy(t->model);
    ng_rng_destroy(&t->random);
    free(t->order);
}

/* The text of a call of the trainer, beside those of the others. */
static ng_status told(trainer *t, ng_status status)
{
    return status == NG_OK ? NG_OK : ng_error_set(&t->error, status, "%s", ng_trainer_error(t->it));
}

static ng_status forward(trainer *t, const ng_dataset *data, const size_t *index, size_t batch)
{
    ng_mat x = ng_model_input(t->model, batch);
    ng_status status = ng_dataset_gather(data, x, NULL, index, batch, &t->error);
    return status == NG_OK ? ng_model_forward(t->model, batch, &t->error) : status;
}

/* The pictures are input and target. */
static ng_status reconstruct(trainer *t, const ng_dataset *data, const size_t *index, size_t batch,
                             double *loss)
{
    ng_status status = forward(t, data, index, batch);
    if (status == NG_OK)
        status = ng_model_loss_targets(t->model, loss, ng_model_input(t->model, batch), &t->error);
    return status;
}

/* The Fisher matrix proper: targets drawn from the model's own distribution, on a part of the
 * batch (Martens and Grosse, arXiv:1503.05671, sections 5 and 8: 1/8 of theirs). */
static ng_status capture(trainer *t, const ng_dataset *data, const size_t *index, size_t batch)
{
    size_t part = (batch + STATISTICS_PART - 1) / STATISTICS_PART;
    ng_status status = forward(t, data, index, part);
    if (status == NG_OK)
        status = ng_model_loss_sampled(t->model, &t->random, &t->error);
    return status == NG_OK ? told(t, ng_trainer_capture(t->it)) : status;
}

/* Every few steps the damping learns how good the last one was. */
static ng_status tell(trainer *t, const ng_dataset *data, const size_t *index, size_t batch,
                      double before)
{
    double after;
    ng_group *group = ng_trainer_group(t->it);
    ng_optimizer *opt = ng_trainer_optimizer(t->it);
    if (!t->quadratic || ng_optimizer_steps(opt) % TELL_INTERVAL != 0)
        return NG_OK;
    ng_status status = reconstruct(t, data, index, batch, &after);
    if (status != NG_OK)
        return status;
    status = ng_group_adapt_damping(group, NULL, before, after);
    return status == NG_OK ? NG_OK : ng_error_set(&t->error, status, "%s", ng_optimizer_error(opt));
}

static ng_status step(trainer *t, const ng_dataset *data, const size_t *index, size_t batch,
                      double *loss)
{
    ng_status status = NG_OK;
    if (t->captures)
        status = capture(t, data, index, batch);
    if (status == NG_OK)
        status = reconstruct(t, data, index, batch, loss);
    if (status == NG_OK)
        status = told(t, ng_trainer_step(t->it));
    return status == NG_OK ? tell(t, data, index, batch, *loss) : status;
}

static ng_status evaluate(trainer *t, const ng_dataset *data, double *loss)
{
    size_t count = ng_dataset_count(data), index[EVALUATE_BATCH];
    double mean;
    *loss = 0;
    for (size_t first = 0; first < count; first += EVALUATE_BATCH) {
        size_t batch = count - first < EVALUATE_BATCH ? count - first : EVALUATE_BATCH;
        for (size_t i = 0; i < batch; i++)
            index[i] = first + i;
        ng_status status = reconstruct(t, data, index, batch, &mean);
        if (status != NG_OK)
            return status;
        *loss += mean * (double)batch / (double)count;
    }
    return NG_OK;
}

static ng_status judge(trainer *t, const pictures *p, point *at)
{
    ng_status status = evaluate(t, p->train, &at->train_loss);
    return status == NG_OK ? evaluate(t, p->held_out, &at->held_out_loss) : status;
}

static ng_status epoch(trainer *t, run *r, const pictures *p, progress *bar)
{
    size_t count = ng_dataset_count(p->train), size;
    point *before = &r->points[r->epochs], *at = before + 1;
    double wall = progress_clock(), cpu = progress_cpu(), loss = 0;
    ng_status status = NG_OK;
    ng_rng_shuffle(&t->random, t->order, count);
    for (size_t first = 0; first < count && status == NG_OK; first += size) {
        char note[64];
        if (program_interrupted())
            return NG_STOPPED;
        size = count - first < t->c->batch ? count - first : t->c->batch;
        status = step(t, p->train, t->order + first, size, &loss);
        snprintf(note, sizeof note, "epoch %d  loss %.2f", r->epochs + 1, loss);
        progress_update(bar, r->epochs * (double)count + (double)(first + size), note);
    }
    at->seconds = before->seconds + progress_clock() - wall;
    at->cpu = before->cpu + progress_cpu() - cpu;
    return status == NG_OK ? judge(t, p, at) : status;
}

static void say_epoch(progress *bar, const run *r)
{
    const point *p = &r->points[r->epochs];
    char text[160];
    snprintf(
        text, sizeof text, "%-12s lr %-8.4g seed %lu  %d  train loss %.3f  held out %.3f  %.1f s",
        r->method->name, r->lr, r->seed, r->epochs, p->train_loss, p->held_out_loss, p->seconds);
    progress_line(bar, text);
}

int run_train(run *r, const config *c, const pictures *p, int epochs, double target, progress *bar)
{
    trainer t;
    ng_status status = trainer_create(&t, r, c, ng_dataset_count(p->train));
    memset(&r->points[0], 0, sizeof r->points[0]);
    r->epochs = 0;
    r->failed = 0;
    if (status == NG_OK)
        status = judge(&t, p, &r->points[0]);
    while (status == NG_OK && r->epochs < epochs && r->points[r->epochs].train_loss > target) {
        status = epoch(&t, r, p, bar);
        if (status == NG_OK) {
            r->epochs++;
            say_epoch(bar, r);
        }
    }
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
