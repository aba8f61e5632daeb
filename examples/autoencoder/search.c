/* Learning rates: the same walk for every optimizer. */
#include "examples/autoencoder/autoencoder.h"

#include <math.h>
#include <stdlib.h>

#include "examples/support/samples.h"
#include "examples/support/walk.h"

typedef struct {
    const config *c;
    pictures divided;
    run *r;
} trials;

static int try(void *data, double lr, double *loss)
{
    progress bar;
    trials *t = data;
    run *r = t->r;
    size_t count = ng_dataset_count(t->divided.train);
    r->lr = lr;
    r->seed = 1;
    progress_start(&bar, r->method->name, t->c->search_epochs * (double)count, "pictures");
    int status = run_train(r, t->c, &t->divided, t->c->search_epochs, -INFINITY, &bar);
    progress_end(&bar);
    const point *last = &r->points[r->epochs];
    *loss = r->failed || !isfinite(last->held_out_loss) ? (double)INFINITY : last->held_out_loss;
    if (status == 0 && !program_interrupted())
        printf("%-12s %10.6g %12.3f %12.3f %9.2f%s\n", r->method->name, lr, last->train_loss, *loss,
               last->cpu, r->failed ? "  diverged" : "");
    fflush(stdout);
    return status;
}

int search_lr(double *lr, const config *c, const ng_preset *method, const ng_dataset *train)
{
    ng_error error = {NG_OK, ""};
    trials t = {.c = c, .r = calloc(1, sizeof *t.r)};
    void *options = methods_options(&c->methods, method);
    ng_dataset *all = NULL;
    size_t count = ng_dataset_count(train);
    int status = t.r == NULL || options == NULL ||
                 ng_options_get(options, "lr", lr, &error) != NG_OK ||
                 ng_dataset_view(&all, train, 0, count, &error) != NG_OK ||
                 samples_hold_out(&t.divided.train, &t.divided.held_out, all, 8, &error) != NG_OK;
    if (status != 0)
        program_error("%s", error.status != NG_OK ? error.text : "out of memory");
    else {
        t.r->method = method;
        status = c->search_epochs > 0 && !methods_quadratic(options)
                     ? walk_rates(lr, method->name, try, &t)
                     : 0;
    }
    ng_dataset_destroy(t.divided.train);
    ng_dataset_destroy(t.divided.held_out);
    free(options);
    free(t.r);
    return status;
}
