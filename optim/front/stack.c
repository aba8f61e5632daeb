/* Stacks of matrices, and blocks of a matrix, as parameters of their own. */
#include "optim/front/front.h"

#include <stdio.h>

#include "lib/core/mat.h"
#include "lib/core/try.h"

/* ---- Adding ------------------------------------------------------------------------------ */

/* How a stack is divided: `count` blocks of these outputs; 0: the matrix is whole. */
typedef struct {
    const size_t *outputs;
    size_t count;
    ng_layout layout;
} division;

static ng_status check_outputs(const char *name, ng_mat w, const division *d, ng_error *error)
{
    size_t all = d->layout == NG_OUT_IN ? w.rows : w.cols, sum = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (d->outputs[i] == 0 || d->outputs[i] > all - sum)
            return ng_error_set(error, NG_ESHAPE,
                                "'%.60s': block %zu of %zu outputs after %zu of %zu", name, i,
                                d->outputs[i], sum, all);
        sum += d->outputs[i];
    }
    if (d->count > 0 && sum != all)
        return ng_error_set(error, NG_ESHAPE, "'%.60s': blocks cover %zu of %zu outputs", name, sum,
                            all);
    return NG_OK;
}

static ng_mat block(ng_mat m, size_t start, size_t outputs, ng_layout layout)
{
    if (m.data == NULL) /* no gradient so far */
        return m;
    return layout == NG_OUT_IN ? ng_mat_block(m, start, 0, outputs, m.cols)
                               : ng_mat_block(m, 0, start, m.rows, outputs);
}

static ng_status append_matrix(ng_group *group, const char *name, ng_mat w, ng_mat dw,
                               const division *d)
{
    char own[NGI_NAME];
    if (d->count == 0)
        return ngi_group_add_laid(group, name, w, dw, d->layout);
    for (size_t i = 0, start = 0; i < d->count; start += d->outputs[i++]) {
        snprintf(own, sizeof own, "%.*s[%zu]", NGI_NAME - 30, name, i);
        TRY(ngi_group_add_laid(group, own, block(w, start, d->outputs[i], d->layout),
                               block(dw, start, d->outputs[i], d->layout), d->layout));
    }
    return NG_OK;
}

static ng_status append_stack(ng_group *group, const char *name, ng_stack w, ng_stack dw,
                              const division *d)
{
    char own[NGI_NAME];
    for (size_t l = 0; l < w.count; l++) {
        snprintf(own, sizeof own, "%.*s[%zu]", NGI_NAME - 60, name, l);
        TRY(append_matrix(group, own, ng_stack_at(w, l), ng_stack_at(dw, l), d));
    }
    return NG_OK;
}

static ng_status check(const char *name, ng_mat w, ng_mat dw, const division *d, ng_error *error)
{
    if (name == NULL || (d->outputs == NULL && d->count > 0))
        return ng_error_set(error, NG_EARG, "blocks need a name and their outputs");
    if (d->layout != NG_OUT_IN && d->layout != NG_IN_OUT)
        return ng_error_set(error, NG_EARG, "'%.60s': unknown layout %d", name, (int)d->layout);
    TRY(ngi_check_views(name, w, dw, error));
    return check_outputs(name, w, d, error);
}

/* All or none. */
static ng_status finish(ng_group *group, size_t *first, size_t before, ng_status status)
{
    if (status != NG_OK)
        ngi_group_truncate(group, before);
    else if (first != NULL)
        *first = before;
    return status;
}

ng_status ng_group_add_blocks(ng_group *group, size_t *first, const char *name, ng_mat w, ng_mat dw,
                              const size_t *outputs, size_t count, ng_layout layout)
{
    division d = {outputs, count, layout};
    if (group == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(group->optimizer);
    TRY(check(name, w, dw, &d, error));
    if (count == 0)
        return ng_error_set(error, NG_ESHAPE, "'%.60s': no blocks", name);
    size_t before = group->count;
    return finish(group, first, before, append_matrix(group, name, w, dw, &d));
}

ng_status ng_group_add_stack(ng_group *group, size_t *first, const char *name, ng_stack w,
                             ng_stack dw, const size_t *outputs, size_t count, ng_layout layout)
{
    division d = {outputs, count, layout};
    if (group == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(group->optimizer);
    TRY(check(name, w.first, dw.first, &d, error));
    if (w.count == 0 || w.count != dw.count)
        return ng_error_set(error, NG_ESHAPE, "'%.60s': a stack of %zu matrices with %zu gradients",
                            name, w.count, dw.count);
    size_t before = group->count;
    return finish(group, first, before, append_stack(group, name, w, dw, &d));
}

/* ---- Cutting what belongs to them ------------------------------------------------------------ */

/* The pieces of one pair from parameter *next on, until its outputs are used up. */
static ng_status cut(ngi_pieces *p, const ng_group *group, size_t *next, ng_mat x, ng_mat y,
                     int cut_x, ng_error *error)
{
    size_t start = 0;
    do {
        if (*next == group->count)
            return ng_error_set(error, NG_ESHAPE,
                                "the group's parameters end before %zu of %zu outputs",
                                y.cols - start, y.cols);
        ngi_param *param = group->params[(*next)++];
        size_t n = ngi_outputs(param);
        if (n > y.cols - start)
            return ng_error_set(error, NG_ESHAPE,
                                "parameter '%.60s' has %zu outputs, %zu are left of %zu",
                                param->name, n, y.cols - start, y.cols);
        p->items[p->count].param = param;
        p->items[p->count].x = cut_x ? ng_mat_block(x, 0, start, x.rows, n) : x;
        p->items[p->count++].y =
            y.data != NULL ? ng_mat_block(y, 0, start, y.rows, n) : ng_mat_none();
        start += n;
    } while (start < y.cols);
    return NG_OK;
}

ng_status ngi_pieces_cut(ngi_pool *pool, ngi_pieces *pieces, const ng_group *group, size_t first,
                         ng_stack x, ng_stack y, int cut_x)
{
    ng_error *error = &group->optimizer->error;
    const char *name = group->params[first]->name;
    TRY(ngi_mat_check_any(x.first, "the first stack", error));
    if (y.first.data != NULL || !cut_x) /* gradients of biases may be none so far */
        TRY(ngi_mat_check_any(y.first, "the second stack", error));
    else
        y = ng_stack_of(ngi_gradient_view(x.first, y.first), x.count, 0);
    if (x.count == 0 || x.count != y.count || (cut_x && x.first.cols != y.first.cols))
        return ng_error_set(error, NG_ESHAPE, "'%.60s': stacks of %zu of %zu and %zu of %zu", name,
                            x.count, x.first.cols, y.count, y.first.cols);
    pieces->count = 0;
    TRY(ngi_pool_array(pool, &pieces->items, group->count, sizeof *pieces->items, "pieces", error));
    for (size_t l = 0; l < x.count; l++)
        TRY(cut(pieces, group, &first, ng_stack_at(x, l), ng_stack_at(y, l), cut_x, error));
    return NG_OK;
}
