/* What a parameter may be bound to: usable views that share nothing with what
 * a step writes. */
#include "optim/front/front.h"

#include <stdint.h>
#include <string.h>

#include "lib/core/mat.h"
#include "lib/core/try.h"

ng_status ngi_check_pair(ng_mat a, const char *a_name, ng_mat b, const char *b_name,
                         ng_error *error)
{
    TRY(ngi_mat_check_any(a, a_name, error));
    return ngi_mat_check_any(b, b_name, error);
}

ng_mat ngi_gradient_view(ng_mat w, ng_mat dw)
{
    ng_mat shape = {NULL, w.rows, w.cols, w.cols, w.dtype};
    return dw.data != NULL ? dw : shape;
}

ng_status ngi_check_views(const char *name, ng_mat w, ng_mat dw, ng_error *error)
{
    ng_error inner = {NG_OK, ""};
    dw = ngi_gradient_view(w, dw);
    ng_status status = dw.data != NULL ? ngi_check_pair(w, "weights", dw, "gradient", &inner)
                                       : ngi_mat_check_any(w, "weights", &inner);
    if (status != NG_OK)
        return ng_error_set(error, status, "parameter '%.60s': %.150s", name, inner.text);
    if (w.dtype != dw.dtype)
        return ng_error_set(error, NG_EDTYPE,
                            "parameter '%.60s': weights and gradient differ in dtype", name);
    if (w.rows != dw.rows || w.cols != dw.cols || w.rows == 0 || w.cols == 0)
        return ng_error_set(error, NG_ESHAPE,
                            "parameter '%.60s': weights are %zu x %zu, gradient %zu x %zu", name,
                            w.rows, w.cols, dw.rows, dw.cols);
    return NG_OK;
}

/* ---- Shared memory -------------------------------------------------------------------- */

/* A view as bytes: count runs of `length`, `step` apart. */
typedef struct {
    uintptr_t start;
    ptrdiff_t count, length, step;
} runs;

static runs runs_of(ng_mat m)
{
    ptrdiff_t size = (ptrdiff_t)ng_dtype_size(m.dtype), length = (ptrdiff_t)m.cols * size;
    runs r = {(uintptr_t)m.data, (ptrdiff_t)m.rows, length,
              m.rows > 1 ? (ptrdiff_t)m.stride * size : length};
    return r;
}

static ptrdiff_t span(runs r)
{
    return (r.count - 1) * r.step + r.length;
}

static ptrdiff_t floor_divide(ptrdiff_t a, ptrdiff_t b)
{
    return a / b - (a % b < 0);
}

/* Is there a k, least <= k <= most, with -below < x + k step < above? */
static int meets(ptrdiff_t x, ptrdiff_t step, ptrdiff_t least, ptrdiff_t most, ptrdiff_t below,
                 ptrdiff_t above)
{
    ptrdiff_t k = floor_divide(-below - x, step) + 1;
    k = k < least ? least : k;
    return k <= most && x + k * step < above;
}

/* Run i of a and run j of b share a byte when -a.length < a's start - b's start < b.length. */
int ngi_share_memory(ng_mat m, ng_mat n)
{
    if (m.data == NULL || n.data == NULL)
        return 0;
    runs a = runs_of(m), b = runs_of(n);
    if (a.start > b.start ? a.start - b.start >= (uintptr_t)span(b)
                          : b.start - a.start >= (uintptr_t)span(a))
        return 0;
    if (span(a) > PTRDIFF_MAX / 4 || span(b) > PTRDIFF_MAX / 4)
        return 1; /* no memory is that large, and sums below stay in range */
    ptrdiff_t apart =
        a.start > b.start ? (ptrdiff_t)(a.start - b.start) : -(ptrdiff_t)(b.start - a.start);
    if (a.step == b.step) /* k = i - j */
        return meets(apart, a.step, 1 - b.count, a.count - 1, a.length, b.length);
    if (a.count > b.count) {
        runs t = a;
        a = b;
        b = t;
        apart = -apart;
    }
    for (ptrdiff_t i = 0; i < a.count; i++) /* k = -j */
        if (meets(apart + i * a.step, b.step, 1 - b.count, 0, a.length, b.length))
            return 1;
    return 0;
}

/* Does a step that reads dw and writes w meet one that reads read and writes written? */
static ng_status check_pair(const char *name, ng_mat w, ng_mat dw, const char *other,
                            ng_mat written, ng_mat read, ng_error *error)
{
    if (ngi_share_memory(w, written))
        return ng_error_set(error, NG_EARG, "parameters '%.60s' and '%.60s' share weights", name,
                            other);
    if (ngi_share_memory(w, read))
        return ng_error_set(error, NG_EARG, "weights of '%.60s' lie in the gradient of '%.60s'",
                            name, other);
    if (ngi_share_memory(dw, written))
        return ng_error_set(error, NG_EARG, "the gradient of '%.60s' lies in weights of '%.60s'",
                            name, other);
    return NG_OK;
}

ng_status ngi_check_binding(const ng_optimizer *optimizer, const ngi_param *self, int bias,
                            const char *name, ng_mat w, ng_mat dw, ng_error *error)
{
    if (ngi_share_memory(w, dw))
        return ng_error_set(error, NG_EARG, "parameter '%.60s': its gradient lies in its weights",
                            name);
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++) {
            const ngi_param *other = optimizer->groups[g]->params[i];
            if (other != self || bias)
                TRY(check_pair(name, w, dw, other->name, ngi_own_weights(other), other->dw, error));
            if (other != self || !bias)
                TRY(check_pair(name, w, dw, other->name, ngi_own_bias(other), other->dbias, error));
        }
    return NG_OK;
}
