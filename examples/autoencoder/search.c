/* Learning rates: the same walk for every optimizer. */
#include "examples/autoencoder/autoencoder.h"

#include <math.h>
#include <stdlib.h>

#include "examples/support/images.h"
#include "examples/support/samples.h"

static const double FACTOR = 2;

typedef struct {
    const config *c;
    pictures divided;
    run *r;
    double best_lr, best; /* validation loss */
    int trials;
} walk;

/* Loss of one more rate; infinite where the run left the numbers. 0 or 1. */
static int try(walk *w, double lr, double *loss)
{
    progress bar;
    run *r = w->r;
    size_t count = ng_dataset_count(w->divided.train);
    r->lr = lr;
    r->seed = 1;
    progress_start(&bar, r->method->name, w->c->search_epochs * (double)count, "pictures");
    int status = run_train(r, w->c, &w->divided, w->c->search_epochs, -INFINITY, &bar);
    progress_end(&bar);
    const point *last = &r->points[r->epochs];
    *loss = r->failed || !isfinite(last->held_out_loss) ? (double)INFINITY : last->held_out_loss;
    if (status == 0 && !program_interrupted())
        printf("%-12s %10.6g %12.3f %12.3f %9.2f%s\n", r->method->name, lr, last->train_loss, *loss,
               last->cpu, r->failed ? "  diverged" : "");
    fflush(stdout);
    w->trials++;
    return status;
}

/* From the best rate so far by steps of `factor` while that helps. */
static int descend(walk *w, double factor)
{
    double loss = INFINITY, lr = w->best_lr;
    while (w->trials < MAX_TRIALS && !program_interrupted()) {
        lr *= factor;
        if (try(w, lr, &loss) != 0)
            return 1;
        if (program_interrupted())
            break; /* before its end */
        if (loss >= w->best && isfinite(w->best))
            return 0;
        w->best = loss;
        w->best_lr = lr;
    }
    return 0;
}

static int search(walk *w)
{
    double start = w->best_lr;
    int status = try(w, start, &w->best);
    if (status == 0)
        status = descend(w, 1 / FACTOR);
    if (status == 0 && w->best_lr >= start)
        status = descend(w, FACTOR);
    if (status == 0 && !isfinite(w->best) && !program_interrupted())
        status = program_error("%s diverges at every rate", w->r->method->name);
    return status;
}

int search_lr(double *lr, const config *c, const ng_preset *method, const ng_dataset *train)
{
    ng_error error = {NG_OK, ""};
    walk w = {.c = c, .r = calloc(1, sizeof *w.r)};
    void *options = methods_options(&c->methods, method);
    ng_dataset *all = NULL;
    size_t count = ng_dataset_count(train);
    int status = w.r == NULL || options == NULL ||
                 ng_options_get(options, "lr", &w.best_lr, &error) != NG_OK ||
                 ng_dataset_view(&all, train, 0, count, &error) != NG_OK ||
                 samples_hold_out(&w.divided.train, &w.divided.held_out, all, 8, &error) != NG_OK;
    if (status != 0)
        program_error("%s", error.status != NG_OK ? error.text : "out of memory");
    else {
        w.r->method = method;
        status = c->search_epochs > 0 ? search(&w) : 0;
        *lr = w.best_lr;
    }
    ng_dataset_destroy(w.divided.train);
    ng_dataset_destroy(w.divided.held_out);
    free(options);
    free(w.r);
    return status;
}
