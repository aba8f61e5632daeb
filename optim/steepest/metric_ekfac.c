/* EKFAC (natgrad/metric/ekfac.h): the eigenbases of K-FAC's factors, with the second
 * moments of the samples' own gradients there instead of products of eigenvalues.
 *
 * In the bases u, v the gradient of a sample is (u g)(v a)^T, so its squares
 * summed over samples are one product of squares. They are taken at capture,
 * in the bases of the last step. */
#include "optim/steepest/eigenbases.h"
#include "optim/steepest/statistics.h"

#include <math.h>

#include "lib/core/mat.h"
#include "lib/core/size.h"
#include "lib/core/try.h"
#include "lib/linalg/eigenbasis.h"

#define OWNER(field) ekfac.field
#include "optim/steepest/table.h"

enum { ROWS = 512 }; /* captured rows in scratch at a time */

static const char pending[] = "diagonal_pending";

static ngi_rule rule(const ng_steepest_options *o)
{
    const ng_ekfac_options *own = &o->ekfac;
    return (ngi_rule){.metric_scale = own->metric_scale,
                      .factor_dtype = own->factor_dtype,
                      .factor_start = own->factor_start,
                      .ema_decay = own->ema_decay,
                      .damping = own->damping,
                      .update_interval = own->update_interval,
                      .inverse_interval = own->inverse_interval};
}

static ng_status check(const ng_steepest_options *o, ng_error *error)
{
    return ngi_check_gradient_space(o, "metric = ekfac", error);
}

static ng_status create(ngi_param *param, const ng_steepest_options *o, ng_error *error)
{
    TRY(ngi_statistics_create(param, o, error));
    TRY(ngi_eigen_create(param, param->w.dtype, error));
    TRY(ngi_param_tensor(param, pending, param->rows, param->cols, param->w.dtype, NGI_IN_PLACE,
                         error));
    ngi_tensor_legal(param, pending, NGI_NONNEGATIVE);
    ngi_tensor_sharing(param, pending, NGI_CAPTURED);
    for (int i = 0; i < 2; i++)
        ngi_tensor_sharing(param, ngi_root.name[i], NGI_CAPTURE_READS);
    return NG_OK;
}

/* ---- Second moments of captured gradients ------------------------------------------------- */

/* sums <- beta sums + scale^2 (squares of left)^T (squares of right) */
static void add(ngi_param *param, ng_mat left, ng_mat right, double scale, double beta,
                ng_work *work)
{
    size_t mark = work->used;
    ng_mat l, r;
    ng_work_mat(work, &l, left.rows, param->rows, left.dtype, NULL);
    ng_work_mat(work, &r, left.rows, param->cols, left.dtype, NULL);
    ngi_basis_moments(ngi_tensor_find(param, pending)->now, left, right,
                      ngi_kron_root(param, NG_LEFT, NGI_OLD),
                      ngi_kron_root(param, NG_RIGHT, NGI_OLD), param->bias_input, scale * scale,
                      beta, l, r, NULL);
    work->used = mark;
}

/* NG_ERANGE if an element could leave the dtype: none of a sample's exceeds the squares of its
 * two norms. */
static ng_status check_range(const ngi_param *param, ng_mat a, ng_mat g, double scale,
                             ng_error *error)
{
    double of_g = fabs(scale) * ng_max_abs(g), of_a = fmax(1, ng_max_abs(a));
    double old = param->captured > 0 ? ng_max_abs(ngi_tensor_find(param, pending)->now) : 0;
    double norms = of_g * sqrt((double)g.cols) * of_a * sqrt((double)a.cols + 1);
    double left = (ngi_dtype_max(param->w.dtype) - old) / (double)a.rows;
    if (norms < sqrt(left) && of_a * of_a * ((double)a.cols + 1) < ngi_dtype_max(param->w.dtype))
        return NG_OK;
    return ng_error_set(error, NG_ERANGE, "the captured second moments overflow their dtype");
}

static size_t block_rows(size_t rows)
{
    return rows < ROWS ? rows : ROWS;
}

static void add_all(ngi_param *param, ng_mat a, ng_mat g, double scale, double beta, ng_work *work)
{
    int out_left = ngi_output_side(param) == NG_LEFT;
    for (size_t i = 0, block = block_rows(a.rows); i < a.rows; i += block, beta = 1) {
        size_t rows = a.rows - i < block ? a.rows - i : block;
        ng_mat inputs = ng_mat_block(a, i, 0, rows, a.cols);
        ng_mat outputs = ng_mat_block(g, i, 0, rows, g.cols);
        add(param, out_left ? outputs : inputs, out_left ? inputs : outputs, scale, beta, work);
    }
}

/* At first the products of eigenvalues serve. */
static int takes_moments(const ngi_param *param, const ng_steepest_options *o)
{
    return ngi_due(param, o->ekfac.update_interval) && param->step > 0;
}

static ng_status check_capture(const ngi_param *param, const ng_steepest_options *o, ng_mat a,
                               ng_mat g, double scale, ng_error *error)
{
    if (takes_moments(param, o))
        TRY(check_range(param, a, g, scale, error));
    return ngi_statistics_check(param, o, a, g, scale, error);
}

static size_t capture_work(const ngi_param *param, const ng_steepest_options *o, size_t rows)
{
    size_t block = block_rows(rows);
    return takes_moments(param, o)
               ? ngi_size_add(ng_work_mat_size(block, param->rows, param->w.dtype),
                              ng_work_mat_size(block, param->cols, param->w.dtype))
               : 0;
}

static void capture(ngi_param *param, const ng_steepest_options *o, ng_mat a, ng_mat g,
                    double scale, ng_work *work)
{
    double beta = param->captured > 0 ? 1 : 0;
    ngi_statistics_capture(param, o, a, g, scale, work);
    if (takes_moments(param, o))
        add_all(param, a, g, scale, beta, work);
}

/* ---- The diagonal ---------------------------------------------------------------------------- */

/* new diagonal <- old + (captured mean - old) / weight */
static ng_status average(ngi_param *param, ng_error *error)
{
    ngi_tensor *t = ngi_tensor_find(param, ngi_diagonal);
    const ngi_tensor *weights = ngi_tensor_find(param, ngi_average_weight);
    double weight = ng_mat_get(weights->next, 0, 0);
    if (weights->fresh && param->step > 0)
        TRY(ng_lincomb(t->next, 1 / weight / param->captured, ngi_tensor_find(param, pending)->now,
                       1 - 1 / weight, t->now, error));
    else
        TRY(ng_copy(t->next, t->now, error));
    t->fresh = 1;
    return NG_OK;
}

/* The first diagonal is the product of eigenvalues. */
static ng_status first_bases(ngi_param *param, ng_work *work, ng_error *error)
{
    ng_mat values[2];
    TRY(ng_work_mat(work, &values[0], 1, param->rows, NG_F64, error));
    TRY(ng_work_mat(work, &values[1], 1, param->cols, NG_F64, error));
    TRY(ngi_eigen_bases(param, values, 0, work, error));
    ngi_eigen_products(param, values);
    return NG_OK;
}

/* Later ones are carried along. */
static ng_status next_bases(ngi_param *param, const ng_steepest_options *o, ng_work *work,
                            ng_error *error)
{
    const ng_mat none[2] = {{.data = NULL}, {.data = NULL}};
    TRY(ngi_eigen_bases(param, none, o->ekfac.eigenbasis == NG_EIGENBASIS_QR, work, error));
    return ngi_eigen_carry(param, work, error);
}

static ng_status new_bases(ngi_param *param, const ng_steepest_options *o, ng_work *work,
                           ng_error *error)
{
    size_t mark = work->used;
    ng_status status =
        param->step == 0 ? first_bases(param, work, error) : next_bases(param, o, work, error);
    work->used = mark;
    return status == NG_ENOCONV ? NG_OK : status; /* the last good ones serve */
}

static ng_status check_singular(const ngi_param *param, ng_error *error)
{
    ng_mat s = ngi_newest(ngi_tensor_find(param, ngi_diagonal));
    double least = INFINITY, most = ng_max_abs(s);
    for (size_t i = 0; i < s.rows; i++)
        for (size_t j = 0; j < s.cols; j++)
            least = fmin(least, ng_mat_get(s, i, j));
    if (least > (double)(s.rows + s.cols) * ng_dtype_eps(s.dtype) * most)
        return NG_OK;
    return ngi_statistics_singular(error);
}

static ng_status update(ngi_param *param, const ng_steepest_options *o, ng_mat g, ng_work *work,
                        ng_error *error)
{
    (void)g;
    if (ngi_due(param, o->ekfac.update_interval))
        TRY(ngi_statistics_average(param, o, error));
    TRY(average(param, error));
    if (ngi_due(param, o->ekfac.inverse_interval))
        TRY(new_bases(param, o, work, error));
    return o->ekfac.damping > 0 ? NG_OK : check_singular(param, error);
}

static ngi_spectrum spectrum(const ng_steepest_options *o)
{
    ngi_spectrum h = {1, 1, o->ekfac.damping};
    return h;
}

static ng_status whiten(const ngi_param *param, const ng_steepest_options *o, ng_mat x,
                        ng_work *work, ng_error *error)
{
    return ngi_eigen_whiten(param, o, spectrum(o), x, work, error);
}

static ng_status unwhiten(const ngi_param *param, const ng_steepest_options *o, ng_mat y,
                          ng_work *work, ng_error *error)
{
    return ngi_eigen_unwhiten(param, o, spectrum(o), y, work, error);
}

static size_t work_size(const ngi_param *param, const ng_steepest_options *o)
{
    (void)o;
    return ngi_eigen_work(param);
}

/* ---- Options and presets ----------------------------------------------------------------------
 */

static const ng_option table[] = {
    REAL(ema_decay, 0.95, 1, 1, "decay of the averages of factors and second moments"),
    REAL(damping, 0.001, DBL_MAX, 0, "damping in the units of F: a sample's squared gradient"),
    FACTOR_START,
    INTERVALS("captures", "eigenbasis"),
    CHOICE(eigenbasis, NG_EIGENBASIS_EIGH, ngi_eigenbases, 0, "how eigenbases follow"),
    METRIC_SCALE,
    FACTOR_DTYPE(NG_FACTORS_AUTO),
    {.name = NULL},
};

ng_status ng_steepest_init_ekfac_sized(ng_steepest_options *options, size_t size)
{
    TRY(ng_steepest_init_sized(options, size));
    options->metric = NG_METRIC_EKFAC;
    options->lr = 0.0025;
    options->momentum = 0.9;
    options->kl_clip = 0.001;
    return NG_OK;
}

const ngi_metric ngi_metric_ekfac = {
    .name = "ekfac",
    .options = table,
    .check = check,
    .rule = rule,
    .create = create,
    .work = work_size,
    .turn_work = ngi_eigen_turn_work,
    .check_capture = check_capture,
    .capture_work = capture_work,
    .capture = capture,
    .ready = ngi_statistics_ready,
    .update = update,
    .whiten = whiten,
    .unwhiten = unwhiten,
};
