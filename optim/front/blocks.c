/* Blocks of one matrix as parameters of their own. */
#include "optim/front/front.h"

#include <stdio.h>

#include "lib/core/try.h"

static ng_status check_outputs(const char *name, ng_mat w, const size_t *outputs, size_t count,
                               ng_layout layout, ng_error *error)
{
    size_t all = layout == NG_OUT_IN ? w.rows : w.cols, sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (outputs[i] == 0 || outputs[i] > all - sum)
            return ng_error_set(error, NG_ESHAPE,
                                "'%.60s': block %zu of %zu outputs after %zu of %zu", name, i,
                                outputs[i], sum, all);
        sum += outputs[i];
    }
    if (sum != all)
        return ng_error_set(error, NG_ESHAPE, "'%.60s': blocks cover %zu of %zu outputs", name, sum,
                            all);
    return NG_OK;
}

static ng_mat block(ng_mat m, size_t start, size_t outputs, ng_layout layout)
{
    return layout == NG_OUT_IN ? ng_mat_block(m, start, 0, outputs, m.cols)
                               : ng_mat_block(m, 0, start, m.rows, outputs);
}

static ng_status append_blocks(ng_group *group, const char *name, ng_mat w, ng_mat dw,
                               const size_t *outputs, size_t count, ng_layout layout)
{
    char block_name[128];
    for (size_t i = 0, start = 0; i < count; start += outputs[i++]) {
        size_t index;
        snprintf(block_name, sizeof block_name, "%.100s[%zu]", name, i);
        TRY(ngi_group_append(group, &index, block_name, block(w, start, outputs[i], layout),
                             block(dw, start, outputs[i], layout)));
        TRY(ngi_param_set_layout(group->params[index], layout, &group->optimizer->error));
    }
    return NG_OK;
}

ng_status ng_group_add_blocks(ng_group *group, size_t *first, const char *name, ng_mat w, ng_mat dw,
                              const size_t *outputs, size_t count, ng_layout layout)
{
    if (group == NULL)
        return NG_EARG;
    ng_error *error = ngi_begin(group->optimizer);
    if (name == NULL || outputs == NULL)
        return ng_error_set(error, NG_EARG, "blocks need a name and their outputs");
    if (layout != NG_OUT_IN && layout != NG_IN_OUT)
        return ng_error_set(error, NG_EARG, "'%.60s': unknown layout %d", name, (int)layout);
    TRY(ngi_check_views(name, w, dw, error));
    TRY(check_outputs(name, w, outputs, count, layout, error));
    size_t before = group->count;
    ng_status status = append_blocks(group, name, w, dw, outputs, count, layout);
    if (status != NG_OK)
        ngi_group_truncate(group, before);
    else if (first != NULL)
        *first = before;
    return status;
}
