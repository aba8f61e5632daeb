/* Weights and gradients of sixteen bits, and the f32 that methods see (narrow.h). */
#include "optim/front/narrow.h"

#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/half.h"
#include "lib/core/size.h"
#include "lib/core/try.h"

static const char master[] = "master";

static void *at(ng_mat m, size_t i, size_t j)
{
    return (char *)m.data + (i * m.stride + j) * ng_dtype_size(m.dtype);
}

/* ---- The master -------------------------------------------------------------------------- */

void ngi_narrow_split(ngi_param *param, ng_mat w)
{
    ng_mat wide = {NULL, w.rows, w.cols, w.cols, NG_F32};
    param->w = ngi_is_half(w.dtype) ? wide : w;
    param->half = ngi_is_half(w.dtype) ? w : ng_mat_none();
}

ng_status ngi_narrow_declare(ngi_param *param, ng_error *error)
{
    if (!ngi_is_narrow(param) || param->stochastic)
        return NG_OK;
    return ngi_param_tensor(param, master, param->rows, param->cols, NG_F32, NGI_IN_PLACE, error);
}

/* [W b] in f32 */
static void bind(ngi_param *param, ng_mat whole)
{
    param->w = ngi_weight_part(param, whole);
    if (ngi_biased(param))
        param->bias = ngi_bias_part(param, whole);
}

void ngi_narrow_bind(ngi_param *param)
{
    const ngi_tensor *tensor = ngi_is_narrow(param) ? ngi_tensor_find(param, master) : NULL;
    if (tensor != NULL)
        bind(param, tensor->now);
}

/* ---- Rounding ---------------------------------------------------------------------------- */

/* splitmix64's mixer */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

uint64_t ngi_narrow_key(uint64_t seed, const char *name)
{
    uint64_t key = mix(seed + 0x9e3779b97f4a7c15U);
    for (; *name != '\0'; name++)
        key = mix(key ^ (unsigned char)*name);
    return key;
}

/* Elements of one row, of the weights or the bias; `first` numbers the first of them. */
static void load(const ngi_param *param, void *f32, const void *half, size_t n)
{
    const ngi_half *convert = ngi_half_of(param->half.dtype);
    if (param->stochastic)
        convert->widen(n, f32, half);
    else
        convert->follow(n, f32, half);
}

static void store(const ngi_param *param, void *half, const void *f32, size_t n, uint64_t first)
{
    const ngi_half *convert = ngi_half_of(param->half.dtype);
    ngi_dice dice = {mix(param->key + 0x9e3779b97f4a7c15U * (param->step + 1)), first};
    if (param->stochastic)
        convert->dice(n, half, f32, dice);
    else
        convert->narrow(n, half, f32);
}

void ngi_narrow_load(void *f32, const ngi_param *param, size_t i, size_t j, size_t n)
{
    if (!param->stochastic && f32 != at(param->w, i, j))
        memcpy(f32, at(param->w, i, j), n * ng_dtype_size(NG_F32));
    load(param, f32, at(param->half, i, j), n);
}

void ngi_narrow_store(const ngi_param *param, size_t i, size_t j, size_t n, const void *f32)
{
    store(param, at(param->half, i, j), f32, n, (uint64_t)i * param->half.cols + j);
}

/* ---- Whole parameters --------------------------------------------------------------------- */

size_t ngi_narrow_work(const ngi_param *param)
{
    size_t whole = ng_work_mat_size(param->rows, param->cols, NG_F32);
    return !ngi_is_narrow(param) ? 0 : param->stochastic ? ngi_size_add(whole, whole) : whole;
}

static ng_status lend_gradient(ngi_param *param, ng_work *work, ng_error *error)
{
    ng_mat whole, g, g_bias;
    TRY(ng_work_mat(work, &whole, param->rows, param->cols, NG_F32, error));
    g = ngi_weight_part(param, whole);
    TRY(ng_copy(g, param->g, error));
    if (ngi_biased(param)) {
        g_bias = ngi_bias_part(param, whole);
        TRY(ng_copy(g_bias, param->g_bias, error));
        param->g_bias = g_bias;
    }
    param->g = g;
    return NG_OK;
}

static ng_status open_weights(ngi_param *param, ng_work *work, ng_error *error)
{
    ng_mat whole;
    if (param->stochastic) {
        TRY(ng_work_mat(work, &whole, param->rows, param->cols, NG_F32, error));
        bind(param, whole);
    }
    for (size_t i = 0; i < param->half.rows; i++)
        load(param, at(param->w, i, 0), at(param->half, i, 0), param->half.cols);
    for (size_t i = 0; i < param->half_bias.rows; i++)
        load(param, at(param->bias, i, 0), at(param->half_bias, i, 0), 1);
    return NG_OK;
}

static void close_weights(ngi_param *param)
{
    uint64_t cols = param->half.cols, behind = param->half.rows * cols;
    for (size_t i = 0; i < param->half.rows; i++)
        store(param, at(param->half, i, 0), at(param->w, i, 0), param->half.cols, i * cols);
    for (size_t i = 0; i < param->half_bias.rows; i++)
        store(param, at(param->half_bias, i, 0), at(param->bias, i, 0), 1, behind + i);
    if (param->stochastic)
        param->w.data = param->bias.data = NULL;
}

ng_status ngi_narrow_open(ngi_param *param, int commit, ng_work *work, ng_error *error)
{
    if (!ngi_is_narrow(param))
        return NG_OK;
    if (ngi_is_half(param->g.dtype))
        TRY(lend_gradient(param, work, error));
    return commit ? open_weights(param, work, error) : NG_OK;
}

void ngi_narrow_close(ngi_param *param, int commit)
{
    if (!ngi_is_narrow(param))
        return;
    if (commit)
        close_weights(param);
    if (param->g.data != param->staged.data) {
        param->g = param->dw;
        param->g_bias = param->dbias;
    }
}

/* ---- Sums --------------------------------------------------------------------------------- */

ng_status ngi_narrow_axpby(ng_mat y, ng_mat x, double a, double b, ng_error *error)
{
    enum { ROOM = 512 };
    uint64_t room[ROOM]; /* of doubles */
    if (!ngi_is_half(x.dtype))
        return ng_axpby(y, x, a, b, error);
    for (size_t i = 0; i < x.rows; i++)
        for (size_t j = 0; j < x.cols; j += ROOM) {
            size_t n = x.cols - j < ROOM ? x.cols - j : ROOM;
            ng_mat wide = {room, 1, n, n, y.dtype};
            TRY(ng_copy(wide, ng_mat_block(x, i, j, 1, n), error));
            TRY(ng_axpby(ng_mat_block(y, i, j, 1, n), wide, a, b, error));
        }
    return NG_OK;
}
