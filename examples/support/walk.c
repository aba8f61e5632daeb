#include "examples/support/walk.h"

#include <math.h>

#include "examples/support/program.h"

static const double FACTOR = 2;

typedef struct {
    walk_try *try;
    void *data;
    double lr, best; /* the best so far, and its loss */
    int trials;
} walk;

/* From the best rate so far by steps of `factor` while that helps. */
static int descend(walk *w, double factor)
{
    double loss = INFINITY, lr = w->lr;
    while (w->trials < WALK_TRIALS && !program_interrupted()) {
        lr *= factor;
        w->trials++;
        if (w->try(w->data, lr, &loss) != 0)
            return 1;
        if (program_interrupted())
            break; /* before its end */
        if (loss >= w->best && isfinite(w->best))
            return 0;
        w->best = loss;
        w->lr = lr;
    }
    return 0;
}

int walk_rates(double *lr, const char *name, walk_try *try, void *data)
{
    walk w = {.try = try, .data = data, .lr = *lr, .best = INFINITY, .trials = 1};
    int status = try(data, *lr, &w.best);
    if (status == 0)
        status = descend(&w, 1 / FACTOR);
    if (status == 0 && w.lr >= *lr)
        status = descend(&w, FACTOR);
    if (status == 0 && !isfinite(w.best) && !program_interrupted())
        status = program_error("%s diverges at every rate", name);
    *lr = w.lr;
    return status;
}
