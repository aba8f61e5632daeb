/* The Fisher matrix of a model's likelihood (natgrad/train/likelihood.h). */
#include <natgrad/train/likelihood.h>

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/train/model/model.h"

#define T float
#define K(name) f32_##name
#include "lib/train/model/likelihood_kernels.h"
#undef T
#undef K

#define T double
#define K(name) f64_##name
#include "lib/train/model/likelihood_kernels.h"
#undef T
#undef K

/* Of a row of n logits z; p: scratch of n. */
typedef struct {
    void (*curve[2])(size_t n, void *y, const void *z, const void *u, double *p, double scale);
    void (*draw[2])(size_t n, void *g, const void *z, const double *r, double *p, double scale);
    void (*root[2])(size_t n, void *g, const void *z, size_t column, double *p, double scale);
    int one_number; /* a draw needs one, else n */
    int normal;     /* they are normal, else uniform */
} likelihood;

#define ROW(name)                                                                                  \
    {                                                                                              \
        f32_##name, f64_##name                                                                     \
    }
static const likelihood likelihoods[] = {
    [NG_LOSS_SOFTMAX] = {ROW(softmax_curve), ROW(softmax_draw), ROW(softmax_root), .one_number = 1},
    [NG_LOSS_BERNOULLI] = {ROW(bernoulli_curve), ROW(bernoulli_draw), ROW(bernoulli_root)},
    [NG_LOSS_SQUARED] = {ROW(squared_curve), ROW(squared_draw), ROW(squared_root), .normal = 1},
};
#undef ROW

/* ---- Scratch ------------------------------------------------------------------------------- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* What the largest layer has of each; numbers as of `hidden`. The model has buffers of all these
 * sizes, so that they fit. */
typedef struct {
    size_t rows, width, numbers;
} extent;

static extent extent_of(const ng_model *m)
{
    extent most = {0};
    for (size_t i = 0; i < m->layers; i++) {
        const ngi_linear *l = &m->linear[i];
        size_t rows = m->max_batch * l->places, cols = larger(l->g.cols, i > 0 ? l->a.cols : 0);
        most.rows = larger(most.rows, rows);
        most.width = larger(most.width, l->g.cols);
        most.numbers = larger(most.numbers, rows * cols);
    }
    return most;
}

static ng_status lay_out(ngi_tangents *t, const ng_model *m, extent most, ng_error *error)
{
    size_t rows = m->max_batch * m->places;
    for (int i = 0; i < 2; i++) {
        TRY(ng_work_mat(&t->memory, &t->hidden[i], 1, most.numbers, m->dtype, error));
        TRY(ng_work_mat(&t->memory, &t->dz[i], rows, m->logits.cols, m->dtype, error));
    }
    TRY(ng_work_mat(&t->memory, &t->row, 1, most.width, m->dtype, error));
    TRY(ng_work_mat(&t->memory, &t->p, 1, m->logits.cols, NG_F64, error));
    TRY(ng_work_mat(&t->memory, &t->numbers, 1, m->logits.cols, NG_F64, error));
    TRY(ng_work_mat(&t->memory, &t->ones, most.rows, 1, m->dtype, error));
    ng_fill(t->ones, 1);
    return NG_OK;
}

static ng_status reserve(ng_model *m, ng_error *error)
{
    ngi_tangents *t = &m->tangents;
    extent most = extent_of(m);
    size_t rows = m->max_batch * m->places, classes = m->logits.cols;
    if (t->memory.data != NULL)
        return NG_OK;
    size_t bytes =
        ng_work_mat_size(1, most.numbers, m->dtype) + ng_work_mat_size(rows, classes, m->dtype);
    bytes = 2 * bytes + ng_work_mat_size(1, most.width, m->dtype) +
            ng_work_mat_size(most.rows, 1, m->dtype) + 2 * ng_work_mat_size(1, classes, NG_F64);
    TRY(ng_work_create(&t->memory, bytes, error));
    return lay_out(t, m, most, error);
}

/* ---- J v ---------------------------------------------------------------------------------------
 */

static ng_status begin(ng_model *m, ng_error *error)
{
    if (m->stage < STAGE_FORWARD)
        return ng_error_set(error, NG_ENODATA, "tangent: no forward pass yet");
    return reserve(m, error);
}

static ng_status check_direction(const ng_model *m, ng_mat v, ng_error *error)
{
    TRY(ng_mat_check(v, "v", error));
    if (v.rows != 1 || v.cols != m->w.cols)
        return ng_error_set(error, NG_ESHAPE, "v: %zu x %zu, expected 1 x %zu", v.rows, v.cols,
                            m->w.cols);
    return v.dtype == m->dtype ? NG_OK
                               : ng_error_set(error, NG_EDTYPE, "v: not the dtype of the model");
}

ng_status ng_model_tangent(ng_model *model, ng_mat dz, ng_mat v, ng_error *error)
{
    ng_mat z;
    TRY(begin(model, error));
    TRY(check_direction(model, v, error));
    z = ng_model_output(model);
    TRY(ng_mat_check(dz, "dz", error));
    if (dz.rows != z.rows || dz.cols != z.cols || dz.stride != dz.cols)
        return ng_error_set(error, NG_ESHAPE, "dz: %zu x %zu, expected %zu x %zu, dense", dz.rows,
                            dz.cols, z.rows, z.cols);
    if (dz.dtype != model->dtype)
        return ng_error_set(error, NG_EDTYPE, "dz: not the dtype of the model");
    return model->kind->tangent(model, dz, v, error);
}

/* ---- F
 * ------------------------------------------------------------------------------------------- */

static const void *line(ng_mat m, size_t i)
{
    return (const char *)m.data + i * m.stride * ng_dtype_size(m.dtype);
}

static void *line_to(ng_mat m, size_t i)
{
    return (char *)m.data + i * m.stride * ng_dtype_size(m.dtype);
}

/* y <- scale H u, row by row; y may be u but for softmax */
static void curve(const ng_model *m, ng_mat y, ng_mat u, double scale)
{
    ng_mat z = ng_model_output(m);
    for (size_t i = 0; i < z.rows; i++)
        likelihoods[m->loss].curve[z.dtype](z.cols, line_to(y, i), line(z, i), line(u, i),
                                            m->tangents.p.data, scale);
}

/* y <- F v; the last layer's g carries H J v */
static ng_status mul_row(ng_model *m, ng_mat y, ng_mat v, ng_error *error)
{
    ng_mat z = ng_model_output(m), dz = ngi_rows(m->tangents.dz[0], z.rows);
    m->stage = STAGE_FORWARD;
    TRY(ng_model_tangent(m, dz, v, error));
    curve(m, ngi_rows(m->linear[m->layers - 1].g, z.rows), dz, 1.0 / (double)z.rows);
    TRY(m->kind->backward(m, error));
    return ng_copy(y, m->dw, error);
}

static ng_status mul(void *data, ng_mat y, ng_mat x, ng_error *error)
{
    TRY(begin(data, error));
    for (size_t i = 0; i < x.rows; i++)
        TRY(mul_row(data, ng_mat_block(y, i, 0, 1, y.cols), ng_mat_block(x, i, 0, 1, x.cols),
                    error));
    return NG_OK;
}

/* a_ij for j >= first, from the tangent of row i in dz[0] */
static ng_status fill_row(ng_model *m, ng_mat a, ng_mat x, size_t i, size_t first, ng_error *error)
{
    ngi_tangents *t = &m->tangents;
    ng_mat z = ng_model_output(m), left = ngi_rows(t->dz[0], z.rows),
           right = ngi_rows(t->dz[1], z.rows), curved = ngi_tangent_room(m, 0, z.rows, z.cols);
    for (size_t j = first; j < x.rows; j++) {
        TRY(ng_model_tangent(m, right, ng_mat_block(x, j, 0, 1, x.cols), error));
        curve(m, curved, right, 1.0 / (double)z.rows);
        ng_mat_set(a, i, j, ng_dot(left, curved));
        ng_mat_set(a, j, i, ng_mat_get(a, i, j));
        if (i == 0)
            ng_mat_set(a, j, j, ng_dot(right, curved));
    }
    return NG_OK;
}

/* The diagonal goes with the first row, so that two directions take two tangents. */
static ng_status forms(void *data, ng_mat a, ng_mat x, ng_error *error)
{
    ng_model *m = data;
    TRY(begin(m, error));
    ng_mat z = ng_model_output(m), left = ngi_rows(m->tangents.dz[0], z.rows),
           curved = ngi_tangent_room(m, 0, z.rows, z.cols);
    for (size_t i = 0; i + 1 < x.rows || i == 0; i++) {
        TRY(ng_model_tangent(m, left, ng_mat_block(x, i, 0, 1, x.cols), error));
        curve(m, curved, left, 1.0 / (double)z.rows);
        if (i == 0)
            ng_mat_set(a, 0, 0, ng_dot(left, curved));
        TRY(fill_row(m, a, x, i, i + 1, error));
    }
    return NG_OK;
}

ng_status ng_model_fisher_product(ng_model *model, ng_fisher_product *product, ng_error *error)
{
    const ng_fisher_product of = {.mul = mul, .data = model, .forms = forms};
    TRY(reserve(model, error));
    *product = of;
    return NG_OK;
}

/* ---- Derivatives in place of a loss's ----------------------------------------------------------
 */

static ng_status open(ng_model *m, ng_error *error)
{
    if (m->stage < STAGE_FORWARD)
        return ng_error_set(error, NG_ENODATA, "likelihood: no forward pass yet");
    m->stage = STAGE_FORWARD;
    if (!ng_is_finite(ng_model_output(m)))
        return ng_error_set(error, NG_ENONFINITE, "likelihood: logits that are NaN or infinite");
    return reserve(m, error);
}

ng_status ng_model_loss_sampled(ng_model *model, const ng_random *random, ng_error *error)
{
    const likelihood *of = &likelihoods[model->loss];
    if (random == NULL || (of->normal ? random->fill_normal : random->fill_uniform) == NULL)
        return ng_error_set(error, NG_EARG, "loss: no source of %s numbers",
                            of->normal ? "normal" : "uniform");
    TRY(open(model, error));
    ng_mat z = ng_model_output(model), g = model->linear[model->layers - 1].g;
    double *numbers = model->tangents.numbers.data;
    for (size_t i = 0; i < z.rows; i++) {
        (of->normal ? random->fill_normal : random->fill_uniform)(random->data, numbers,
                                                                  of->one_number ? 1 : z.cols);
        of->draw[z.dtype](z.cols, line_to(g, i), line(z, i), numbers, model->tangents.p.data,
                          1.0 / (double)z.rows);
    }
    model->stage = STAGE_LOSS;
    return NG_OK;
}

ng_status ng_model_loss_root(ng_model *model, size_t column, ng_error *error)
{
    if (column >= model->logits.cols)
        return ng_error_set(error, NG_EARG, "root: column %zu of %zu", column, model->logits.cols);
    TRY(open(model, error));
    ng_mat z = ng_model_output(model), g = model->linear[model->layers - 1].g;
    for (size_t i = 0; i < z.rows; i++)
        likelihoods[model->loss].root[z.dtype](z.cols, line_to(g, i), line(z, i), column,
                                               model->tangents.p.data, 1.0 / (double)z.rows);
    model->stage = STAGE_LOSS;
    return NG_OK;
}
