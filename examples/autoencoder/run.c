/* One training run. */
#define _POSIX_C_SOURCE 200809L
#include "examples/autoencoder/autoencoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EVALUATE_BATCH = 500 };

/* Hinton and Salakhutdinov's encoder (Science 313, 2006) and its mirror at 28 x 28 digits,
 * narrower: the whole table is to take minutes. */
static const size_t widths[] = {400, 200, 100, 30, 100, 200, 400, PIXELS};

typedef struct {
    const config *c;
    learner l;
    ng_random random;
    size_t *order; /* the training samples, shuffled each epoch */
} trainer;

static double cpu_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static ng_status trainer_create(trainer *t, const run *r, const config *c, size_t count)
{
    ng_net_options o;
    memset(t, 0, sizeof *t);
    t->c = c;
    t->order = malloc(count * sizeof *t->order);
    void *options = methods_options(&c->methods, r->method);
    if (t->order == NULL || options == NULL) {
        free(options);
        return ng_error_set(&t->l.error, NG_ENOMEM, "no memory for %zu samples", count);
    }
    for (size_t i = 0; i < count; i++)
        t->order[i] = i;
    ng_net_options_init(&o);
    o.inputs = PIXELS;
    o.widths = widths;
    o.layers = sizeof widths / sizeof *widths;
    o.activation = NG_ACTIVATION_TANH;
    o.loss = NG_LOSS_BERNOULLI;
    o.max_batch = c->batch > EVALUATE_BATCH ? c->batch : EVALUATE_BATCH;
    ng_status status = ng_options_set(options, "lr", r->lr, &t->l.error);
    if (status == NG_OK)
        status = ng_rng_create(&t->random, r->seed, &t->l.error);
    if (status == NG_OK)
        status = learner_create(&t->l, &o, &t->random, r->method, options);
    free(options);
    return status;
}

static void trainer_destroy(trainer *t)
{
    learner_destroy(&t->l);
    ng_rng_destroy(&t->random);
    free(t->order);
}

/* The pictures are input and target. */
static ng_status forward(trainer *t, const ng_dataset *data, const size_t *index, size_t batch,
                         double *loss)
{
    ng_mat x = ng_net_input(t->l.net, batch);
    ng_status status = ng_dataset_gather(data, x, NULL, index, batch, &t->l.error);
    if (status == NG_OK)
        status = ng_net_forward(t->l.net, batch, &t->l.error);
    return status == NG_OK ? ng_net_loss_targets(t->l.net, loss, x, &t->l.error) : status;
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
        ng_status status = forward(t, data, index, batch, &mean);
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
    double wall = progress_clock(), cpu = cpu_clock(), loss = 0;
    ng_status status = NG_OK;
    ng_rng_shuffle(&t->random, t->order, count);
    for (size_t first = 0; first < count && status == NG_OK; first += size) {
        char note[64];
        size = count - first < t->c->batch ? count - first : t->c->batch;
        status = forward(t, p->train, t->order + first, size, &loss);
        if (status == NG_OK)
            status = learner_step(&t->l);
        snprintf(note, sizeof note, "epoch %d  loss %.2f", r->epochs + 1, loss);
        progress_update(bar, (size_t)r->epochs * count + first + size, note);
    }
    at->seconds = before->seconds + progress_clock() - wall;
    at->cpu = before->cpu + cpu_clock() - cpu;
    return status == NG_OK ? judge(t, p, at) : status;
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
        r->epochs += status == NG_OK;
    }
    if (status != NG_OK && learner_diverged(status)) {
        r->failed = 1;
        snprintf(r->why, sizeof r->why, "%s", t.l.error.text);
    } else if (status != NG_OK) {
        progress_end(bar);
        fprintf(stderr, "autoencoder: %s: %s\n", r->method->name, t.l.error.text);
    }
    trainer_destroy(&t);
    return status != NG_OK && !r->failed;
}
