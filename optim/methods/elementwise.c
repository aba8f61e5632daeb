/* A parameter by runs of elements. */
#include "optim/methods/elementwise.h"

#include "lib/core/half.h"
#include "optim/front/narrow.h"

void ngi_run_begin(ngi_run *run, const ngi_param *param, int commit)
{
    ng_mat w = ngi_own_weights(param);
    run->param = param;
    run->commit = commit;
    run->rows = w.rows;
    run->cols = w.cols;
    run->n = run->i = run->j = 0;
    if (w.rows > 1 && w.stride == w.cols && param->g.stride == w.cols) {
        run->cols *= run->rows;
        run->rows = 1;
    }
}

static void *at(ng_mat m, const ngi_run *run)
{
    return (char *)m.data + (run->i * m.stride + run->j) * ng_dtype_size(m.dtype);
}

/* Gradient and weights of the run in f32, in its own room or where they are. */
static void load(ngi_run *run)
{
    const ngi_param *param = run->param;
    run->n = run->n < NGI_RUN ? run->n : NGI_RUN;
    if (ngi_is_half(param->g.dtype)) {
        ngi_half_of(param->g.dtype)->widen(run->n, run->room[0], run->g);
        run->g = run->room[0];
    }
    run->w = run->commit && !param->stochastic ? at(param->w, run) : run->room[1];
    ngi_narrow_load(run->w, param, run->i, run->j, run->n);
}

int ngi_run_next(ngi_run *run)
{
    const ngi_param *param = run->param;
    if (run->n > 0 && run->commit && ngi_is_narrow(param))
        ngi_narrow_store(param, run->i, run->j, run->n, run->w);
    run->j += run->n;
    if (run->j == run->cols) {
        run->j = 0;
        run->i++;
    }
    if (run->i == run->rows)
        return 0;
    run->n = run->cols - run->j;
    run->g = at(param->g, run);
    if (ngi_is_narrow(param))
        load(run);
    else
        run->w = at(param->w, run);
    return 1;
}
