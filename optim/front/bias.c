/* Biases of layers: [W b] is one parameter. */
#include "optim/front/front.h"

#include "lib/core/try.h"

/* A vector, 1 x n or n x 1, as n x 1. */
static ng_mat column(ng_mat b)
{
    ng_mat of_row = {b.data, b.cols, 1, 1, b.dtype};
    return b.rows == 1 ? of_row : b;
}

static ng_status check_bias(const ng_group *group, const ngi_param *param, ng_mat b, ng_mat db)
{
    ng_error *error = &group->optimizer->error;
    int anew = !ngi_biased(param);
    b = column(b);
    db = column(db); /* or none */
    TRY(ngi_check_views(param->name, b, db, error));
    if (b.dtype != ngi_own_weights(param).dtype)
        return ng_error_set(error, NG_EDTYPE, "parameter '%.60s': its bias has another dtype",
                            param->name);
    if (b.cols != 1 || b.rows != ngi_outputs(param))
        return ng_error_set(error, NG_ESHAPE,
                            "parameter '%.60s' has %zu outputs, its bias is %zu x %zu", param->name,
                            ngi_outputs(param), b.rows, b.cols);
    if (anew && (param->step > 0 || param->captured > 0 || ngi_shares_inputs(param)))
        return ng_error_set(error, NG_EARG,
                            "parameter '%.60s': a bias comes before its first capture or step, and "
                            "before its inputs are shared",
                            param->name);
    return ngi_check_binding(group->optimizer, param, 1, param->name, b, db, error);
}

static void set_bias(ngi_param *param, ng_mat b, ng_mat db)
{
    b = column(b);
    param->dbias = ngi_gradient_view(b, column(db));
    if (ngi_is_narrow(param))
        param->half_bias = b;
    else
        param->bias = b;
}

/* The parameter with one more input and, since its shape is another one, new state. */
static ng_status extend(ngi_param *grown, const ngi_param *param, const ng_group *group, ng_mat b,
                        ng_mat db)
{
    *grown = (ngi_param){.name = param->name,
                         .w = param->w,
                         .dw = param->dw,
                         .half = param->half,
                         .stochastic = param->stochastic,
                         .key = param->key,
                         .bias = {NULL, ngi_outputs(param), 1, 1, param->w.dtype},
                         .bias_input = 1,
                         .rows = param->w.rows + (param->layout == NG_IN_OUT),
                         .cols = param->w.cols + (param->layout == NG_OUT_IN),
                         .layout = param->layout,
                         .frozen = param->frozen,
                         .skipped = param->skipped,
                         .sum = param->sum,
                         .staged = param->staged};
    set_bias(grown, b, db);
    ng_status status = ngi_param_create_state(grown, group, &group->optimizer->error);
    if (status != NG_OK)
        ngi_param_drop_state(grown);
    return status;
}

/* was <- the parameter as it is, which then has the bias. */
static ng_status bind(ngi_param *was, const ng_group *group, const ngi_piece *piece)
{
    ngi_param *param = piece->param, grown = *param;
    TRY(ngi_check_wanted(group, param, "bias"));
    TRY(check_bias(group, param, piece->x, piece->y));
    if (!ngi_biased(param))
        TRY(ngi_check_detached(group->optimizer, &group->optimizer->error));
    if (!ngi_biased(param))
        TRY(extend(&grown, param, group, piece->x, piece->y));
    set_bias(&grown, piece->x, piece->y);
    *was = *param;
    *param = grown;
    return NG_OK;
}

static void undo(ngi_param *param, const ngi_param *was)
{
    if (!ngi_biased(was))
        ngi_param_drop_state(param);
    *param = *was;
}

/* All of them or none. was: room for each parameter as it was. */
static ng_status bind_all(ngi_param *was, const ng_group *group, const ngi_pieces *p)
{
    ng_status status = NG_OK;
    size_t done = 0;
    while (done < p->count && (status = bind(&was[done], group, &p->items[done])) == NG_OK)
        done++;
    for (size_t i = done; status != NG_OK && i-- > 0;)
        undo(p->items[i].param, &was[i]);
    for (size_t i = 0; status == NG_OK && i < done; i++)
        if (!ngi_biased(&was[i]))
            ngi_param_drop_state(&was[i]);
    return status;
}

ng_status ng_group_add_bias(ng_group *group, size_t index, ng_mat b, ng_mat db)
{
    ngi_piece piece = {.x = b, .y = db};
    ngi_pieces one = {&piece, 1};
    ngi_param was;
    TRY(ngi_param_find(&piece.param, group, index));
    return bind_all(&was, group, &one);
}

static ng_status bind_stack(ngi_pool *pool, ng_group *group, size_t first, ng_stack b, ng_stack db)
{
    ng_error *error = &group->optimizer->error;
    ngi_pieces p;
    ngi_param *was;
    TRY(ngi_pieces_cut(pool, &p, group, first, b, db, 1));
    TRY(ngi_pool_array(pool, &was, p.count, sizeof *was, "biases", error));
    return bind_all(was, group, &p);
}

ng_status ng_group_add_bias_stack(ng_group *group, size_t first, ng_stack b, ng_stack db)
{
    ngi_pool pool = {NULL};
    ngi_param *param;
    TRY(ngi_param_find(&param, group, first));
    return ngi_pool_close(&pool, bind_stack(&pool, group, first, b, db));
}

ng_status ng_group_set_bias_input(ng_group *group, size_t index, double input)
{
    ngi_param *param;
    TRY(ngi_param_find(&param, group, index));
    ng_error *error = &group->optimizer->error;
    if (!ngi_biased(param))
        return ng_error_set(error, NG_EARG, "parameter '%.60s' has no bias", param->name);
    if (input != 1 && input != -1)
        return ng_error_set(error, NG_EARG,
                            "parameter '%.60s': a bias's input of %g is not 1 or -1", param->name,
                            input);
    if (param->step > 0 || param->captured > 0)
        return ng_error_set(
            error, NG_EARG,
            "parameter '%.60s': a bias's input comes before its first capture or step",
            param->name);
    param->bias_input = input;
    return NG_OK;
}
