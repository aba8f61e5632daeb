/* Averages of the weights: one dense copy of every view. */
#include <natgrad/average.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "optim/front/front.h"
#include "optim/front/range.h"
#include "optim/front/state.h"

struct ng_average {
    const ngi_average_table *calls;
    const ng_optimizer *optimizer;
    double decay;
    unsigned long long count;
    int swapped;
    size_t params;  /* of the optimizer at creation */
    void **weights; /* params copies of weights, then params of biases (NULL: none) */
};

/* View i of the caller: weights of parameter i, or for i >= params the bias of i - params. */
static ng_mat live_view(const ng_average *a, size_t i, const char **name)
{
    size_t index = i % a->params;
    for (size_t g = 0; g < a->optimizer->group_count; g++) {
        const ng_group *group = a->optimizer->groups[g];
        if (index < group->count) {
            const ngi_param *param = group->params[index];
            *name = param->name;
            return i < a->params ? param->w : param->bias;
        }
        index -= group->count;
    }
    ng_mat none = {NULL, 0, 0, 0, NG_F32};
    *name = "";
    return none;
}

static ng_mat kept_view(const ng_average *a, size_t i, ng_mat live)
{
    ng_mat kept = {a->weights[i], live.rows, live.cols, live.cols, live.dtype};
    return kept;
}

static const ngi_average_table calls = {
    .tensor = ng_average_tensor,
    .count = ng_average_count,
    .decay = ng_average_decay,
    .set = ng_average_set,
};

static ng_status check_decay(double decay, ng_error *error)
{
    return decay >= 0 && decay <= 1
               ? NG_OK
               : ng_error_set(error, NG_EOPTION, "average: decay %g is not in 0 ... 1", decay);
}

static ng_status check_dtypes(const ng_optimizer *optimizer, ng_error *error)
{
    for (size_t g = 0; g < optimizer->group_count; g++)
        for (size_t i = 0; i < optimizer->groups[g]->count; i++)
            if (ngi_is_narrow(optimizer->groups[g]->params[i]))
                return ng_error_set(error, NG_EDTYPE,
                                    "average: '%.60s' has weights of sixteen bits",
                                    optimizer->groups[g]->params[i]->name);
    return NG_OK;
}

ng_status ng_average_create(ng_average **result, const ng_optimizer *optimizer, double decay,
                            ng_error *error)
{
    if (result == NULL || optimizer == NULL)
        return ng_error_set(error, NG_EARG, "average: NULL argument");
    *result = NULL;
    TRY(check_decay(decay, error));
    TRY(check_dtypes(optimizer, error));
    if (optimizer->param_count == 0)
        return ng_error_set(error, NG_ENODATA, "average: the optimizer has no parameters");
    ng_average *a = calloc(1, sizeof *a);
    if (a == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for an average");
    a->calls = &calls;
    a->optimizer = optimizer;
    a->decay = decay;
    a->params = optimizer->param_count;
    a->weights = calloc(2 * a->params, sizeof *a->weights);
    for (size_t i = 0; a->weights != NULL && i < 2 * a->params; i++) {
        const char *name;
        ng_mat live = live_view(a, i, &name);
        if (live.data == NULL)
            continue;
        a->weights[i] = calloc(live.rows * live.cols, ng_dtype_size(live.dtype));
        if (a->weights[i] == NULL) {
            ng_average_destroy(a);
            return ng_error_set(error, NG_ENOMEM, "no memory for the average of '%.60s'", name);
        }
    }
    if (a->weights == NULL) {
        ng_average_destroy(a);
        return ng_error_set(error, NG_ENOMEM, "no memory for an average");
    }
    *result = a;
    return NG_OK;
}

void ng_average_destroy(ng_average *average)
{
    if (average == NULL)
        return;
    for (size_t i = 0; average->weights != NULL && i < 2 * average->params; i++)
        free(average->weights[i]);
    free(average->weights);
    free(average);
}

/* Every view still has a copy of its own. */
static ng_status check_same(const ng_average *a, ng_error *error)
{
    if (a == NULL)
        return ng_error_set(error, NG_EARG, "average: NULL argument");
    int same = a->optimizer->param_count == a->params;
    for (size_t i = 0; same && i < 2 * a->params; i++) {
        const char *name;
        same = (live_view(a, i, &name).data != NULL) == (a->weights[i] != NULL);
    }
    return same ? NG_OK
                : ng_error_set(error, NG_EARG,
                               "average: parameters or biases were added after it was created");
}

/* View i is finite, and so is what the average becomes of it. */
static ng_status check_view(const ng_average *a, size_t i, double part, ng_error *error)
{
    const char *name;
    ng_mat live = live_view(a, i, &name);
    double max = ng_max_abs(live), limit = ngi_dtype_max(live.dtype);
    if (!isfinite(max))
        return ng_error_set(error, NG_ENONFINITE, "average: '%.60s' holds NaN or infinity", name);
    if (max <= ngi_dtype_harmless(live.dtype) ||
        part * max + (1 - part) * ng_max_abs(kept_view(a, i, live)) <=
            limit * (1 - 4 * ng_dtype_eps(live.dtype)))
        return NG_OK;
    return ng_error_set(error, NG_ERANGE, "average: that of '%.60s' overflows its dtype", name);
}

ng_status ng_average_update(ng_average *a, ng_error *error)
{
    TRY(check_same(a, error));
    if (a->swapped)
        return ng_error_set(error, NG_EARG, "average: swapped in, there are no weights to take");
    double part = fmax(1 - a->decay, 1 / ((double)a->count + 1));
    for (size_t i = 0; i < 2 * a->params; i++)
        TRY(check_view(a, i, part, error));
    for (size_t i = 0; i < 2 * a->params; i++) {
        const char *name;
        ng_mat live = live_view(a, i, &name);
        if (live.data != NULL)
            ng_axpby(kept_view(a, i, live), live, part, 1 - part, NULL);
    }
    a->count++;
    return NG_OK;
}

unsigned long long ng_average_count(const ng_average *average)
{
    return average != NULL ? average->count : 0;
}

static void swap_bytes(char *a, char *b, size_t count)
{
    char buffer[512];
    for (size_t done = 0; done < count;) {
        size_t part = count - done < sizeof buffer ? count - done : sizeof buffer;
        memcpy(buffer, a + done, part);
        memcpy(a + done, b + done, part);
        memcpy(b + done, buffer, part);
        done += part;
    }
}

static void swap_views(ng_mat a, ng_mat b)
{
    size_t size = ng_dtype_size(a.dtype);
    for (size_t i = 0; i < a.rows; i++)
        swap_bytes((char *)a.data + i * a.stride * size, (char *)b.data + i * b.stride * size,
                   a.cols * size);
}

ng_status ng_average_swap(ng_average *a, ng_error *error)
{
    TRY(check_same(a, error));
    if (a->count == 0)
        return ng_error_set(error, NG_ENODATA, "average: nothing was averaged yet");
    for (size_t i = 0; i < 2 * a->params; i++) {
        const char *name;
        ng_mat live = live_view(a, i, &name);
        if (live.data != NULL)
            swap_views(kept_view(a, i, live), live);
    }
    a->swapped = !a->swapped;
    return NG_OK;
}

ng_status ng_average_restore(ng_average *a, unsigned long long count, ng_error *error)
{
    TRY(check_same(a, error));
    if (a->swapped || count == 0)
        return ng_error_set(error, NG_EARG, "average: %s",
                            a->swapped ? "swapped in" : "restored from no update");
    for (size_t i = 0; i < 2 * a->params; i++) {
        const char *name;
        ng_mat live = live_view(a, i, &name);
        if (live.data != NULL)
            ng_copy(kept_view(a, i, live), live, NULL);
    }
    a->count = count;
    return NG_OK;
}

int ng_average_swapped(const ng_average *average)
{
    return average != NULL && average->swapped;
}

/* ---- For files ------------------------------------------------------------------------------ */

ng_status ng_average_tensor(ng_average *a, const char **parameter, const char **name, ng_mat *view,
                            size_t index, ng_error *error)
{
    TRY(check_same(a, error));
    if (parameter == NULL || name == NULL || view == NULL)
        return ng_error_set(error, NG_EARG, "average: no place for a tensor");
    if (a->swapped)
        return ng_error_set(error, NG_EARG, "average: swapped in");
    for (size_t k = 0, seen = 0; k < 2 * a->params; k++) {
        size_t i = k / 2 + k % 2 * a->params; /* a bias behind its weights */
        ng_mat live = live_view(a, i, parameter);
        if (live.data == NULL || seen++ < index)
            continue;
        *name = k % 2 == 0 ? "average" : "bias_average";
        *view = kept_view(a, i, live);
        if (k % 2 > 0) { /* a row */
            view->cols = view->stride = view->rows * view->cols;
            view->rows = 1;
        }
        return NG_OK;
    }
    return ng_error_set(error, NG_ENODATA, "average: no tensor %zu", index);
}

double ng_average_decay(const ng_average *average)
{
    return average != NULL ? average->decay : 0;
}

ng_status ng_average_set(ng_average *a, unsigned long long count, double decay, ng_error *error)
{
    if (a == NULL || a->swapped)
        return ng_error_set(error, NG_EARG, "average: %s", a != NULL ? "swapped in" : "NULL");
    TRY(check_decay(decay, error));
    a->count = count;
    a->decay = decay;
    return NG_OK;
}
