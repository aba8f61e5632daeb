/* What the element-wise methods share: their updates run over rows, and
 * return the sum of squares of the update when somebody listens. */
#ifndef NGI_ELEMENTWISE_H
#define NGI_ELEMENTWISE_H

#include <string.h>

#include <natgrad/linalg.h>

#include "optim/front/method.h"

/* The error of a step that cannot be made. */
static inline ng_status ngi_step_overflows(const ngi_param *param, ng_error *error)
{
    if (!ng_is_finite(ngi_own_weights(param)))
        return ng_error_set(error, NG_ENONFINITE, "weights hold NaN or infinity");
    return ng_error_set(error, NG_ERANGE, "the step overflows its dtype");
}

/* A parameter by runs of elements side by side: rows, one long row if all views are dense so that
 * small rows cost nothing, pieces that stay in the cache where weights have sixteen bits. */
enum { NGI_RUN = 256 };

typedef struct {
    size_t n;      /* elements of this run */
    const void *g; /* their gradient */
    void *w;       /* and weights, in the dtype of the methods */
    const ngi_param *param;
    int commit; /* what is in w then goes to the caller's weights */
    size_t rows, cols, i, j;
    _Alignas(64) unsigned char room[2][NGI_RUN * 4]; /* of an f32 */
} ngi_run;

void ngi_run_begin(ngi_run *run, const ngi_param *param, int commit);

/* The next run, or 0. */
int ngi_run_next(ngi_run *run);

/* Those elements of a state tensor, which is dense. */
static inline void *ngi_run_state(const ngi_run *run, const ngi_tensor *tensor)
{
    return (char *)tensor->now.data +
           (run->i * run->cols + run->j) * ng_dtype_size(tensor->now.dtype);
}

#endif
