/* The smooth net forward and backward (natgrad/train/smooth.h). */
#include "lib/train/smooth/smooth.h"

#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"

static ng_status check(const char *name, ng_mat m, size_t rows, size_t cols, ng_error *error)
{
    TRY(ng_mat_check(m, name, error));
    if (m.dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "smooth: %s is not NG_F64", name);
    if (m.rows != rows || m.cols != cols)
        return ng_error_set(error, NG_ESHAPE, "smooth: %s is %zu x %zu, expected %zu x %zu", name,
                            m.rows, m.cols, rows, cols);
    return NG_OK;
}

/* The first `rows` rows of a buffer. */
static ng_mat top(ng_mat buffer, size_t rows)
{
    return ng_mat_block(buffer, 0, 0, rows, buffer.cols);
}

/* Row b of number c of the jets in a buffer with that many points. */
static double *row_of(ng_mat buffer, size_t c, size_t b, size_t batch)
{
    return (double *)buffer.data + (c * batch + b) * buffer.stride;
}

/* ---- Forward ------------------------------------------------------------------------------ */

/* The jet of the inputs: x, unit vectors, zeros; behind them what biases multiply. */
static void enter(const ng_smooth *net, ng_mat x)
{
    ng_mat a = top(net->layer[0].a, net->jet * x.rows);
    ng_fill(a, 0);
    for (size_t b = 0; b < x.rows; b++) {
        double *row = row_of(a, 0, b, x.rows);
        for (size_t j = 0; j < x.cols; j++)
            row[j] = ((const double *)x.data)[b * x.stride + j];
        for (size_t i = 1; i < net->second; i++)
            row_of(a, i, b, x.rows)[i - 1] = 1;
    }
}

/* y <- y + a b c, element by element */
static void add_product(double *y, const double *a, const double *b, const double *c, size_t n)
{
    for (size_t k = 0; k < n; k++)
        y[k] += a[k] * b[k] * c[k];
}

static void multiply(double *y, const double *a, const double *b, size_t n)
{
    for (size_t k = 0; k < n; k++)
        y[k] = a[k] * b[k];
}

/* above.a <- the jets of phi behind layer */
static void activate(const ng_smooth *net, const ngi_smooth_layer *layer, ng_mat above,
                     size_t batch)
{
    size_t n = layer->out;
    for (size_t b = 0; b < batch; b++) {
        double *const d[3] = {layer->slope[0] + b * n, layer->slope[1] + b * n,
                              layer->slope[2] + b * n};
        ngi_smooth_activate(net->activation, row_of(above, 0, b, batch), d,
                            row_of(layer->z, 0, b, batch), n);
        row_of(above, 0, b, batch)[n] = 1;
        for (size_t c = 1; c < net->jet; c++) {
            multiply(row_of(above, c, b, batch), d[0], row_of(layer->z, c, b, batch), n);
            row_of(above, c, b, batch)[n] = 0;
        }
        for (size_t t = 0; t < net->terms; t++)
            add_product(row_of(above, net->term[t].q, b, batch), d[1],
                        row_of(layer->z, net->term[t].i, b, batch),
                        row_of(layer->z, net->term[t].j, b, batch), n);
    }
}

static ng_status run(ng_smooth *net, ng_mat w, ng_mat x, ng_error *error)
{
    size_t rows = net->jet * x.rows;
    enter(net, x);
    for (size_t b = 0; b < x.rows; b++)
        row_of(net->layer[0].a, 0, b, x.rows)[net->inputs] = 1;
    for (size_t l = 0; l < net->layers; l++) {
        ngi_smooth_layer *layer = &net->layer[l];
        TRY(ng_gemm(top(layer->z, rows), top(layer->a, rows), NG_NOTRANS,
                    ng_smooth_layer(net, w, l), NG_TRANS, 1, 0, error));
        if (l + 1 < net->layers)
            activate(net, layer, net->layer[l + 1].a, x.rows);
    }
    return NG_OK;
}

ng_status ng_smooth_forward(ng_smooth *net, ng_mat jets, ng_mat w, ng_mat x, ng_error *error)
{
    if (net == NULL)
        return ng_error_set(error, NG_EARG, "smooth: no net");
    if (x.rows == 0 || x.rows > net->max_batch)
        return ng_error_set(error, NG_ESHAPE, "smooth: %zu points, not in 1 ... %zu", x.rows,
                            net->max_batch);
    TRY(check("x", x, x.rows, net->inputs, error));
    TRY(check("w", w, 1, net->count, error));
    TRY(check("jets", jets, x.rows, net->outputs * net->jet, error));
    net->batch = 0;
    net->seeded = 0;
    TRY(run(net, w, x, error));
    ng_mat z = net->layer[net->layers - 1].z;
    for (size_t b = 0; b < x.rows; b++)
        for (size_t o = 0; o < net->outputs; o++)
            for (size_t c = 0; c < net->jet; c++)
                ((double *)jets.data)[b * jets.stride + o * net->jet + c] =
                    row_of(z, c, b, x.rows)[o];
    if (!ng_is_finite(jets))
        return ng_error_set(error, NG_ERANGE, "smooth: the net's values are not finite");
    net->batch = x.rows;
    return NG_OK;
}

/* ---- Backward ------------------------------------------------------------------------------- */

/* layer.g <- derivatives before phi of those behind it, `below` */
static void pass_activation(const ng_smooth *net, const ngi_smooth_layer *layer, size_t batch)
{
    size_t n = layer->out;
    ng_mat above = {net->below.data, net->below.rows, n + 1, n + 1, NG_F64}, g = layer->g,
           z = layer->z;
    for (size_t b = 0; b < batch; b++) {
        const double *d[3] = {layer->slope[0] + b * n, layer->slope[1] + b * n,
                              layer->slope[2] + b * n};
        for (size_t c = 0; c < net->jet; c++)
            multiply(row_of(g, c, b, batch), d[0], row_of(above, c, b, batch), n);
        double *g0 = row_of(g, 0, b, batch);
        for (size_t c = 1; c < net->jet; c++)
            add_product(g0, d[1], row_of(z, c, b, batch), row_of(above, c, b, batch), n);
        for (size_t t = 0; t < net->terms; t++) {
            const ngi_smooth_term *s = &net->term[t];
            const double *zi = row_of(z, s->i, b, batch), *zj = row_of(z, s->j, b, batch);
            const double *hq = row_of(above, s->q, b, batch);
            for (size_t k = 0; k < n; k++)
                g0[k] += d[2][k] * zi[k] * zj[k] * hq[k];
            add_product(row_of(g, s->i, b, batch), d[1], zj, hq, n);
            add_product(row_of(g, s->j, b, batch), d[1], zi, hq, n);
        }
    }
}

static ng_status backward(ng_smooth *net, ng_mat w, ng_mat seeds, ng_error *error)
{
    size_t batch = net->batch, rows = net->jet * batch;
    ng_mat last = net->layer[net->layers - 1].g;
    for (size_t b = 0; b < batch; b++)
        for (size_t o = 0; o < net->outputs; o++)
            for (size_t c = 0; c < net->jet; c++)
                row_of(last, c, b, batch)[o] =
                    ((const double *)seeds.data)[b * seeds.stride + o * net->jet + c];
    for (size_t l = net->layers; l-- > 1;) {
        ngi_smooth_layer *layer = &net->layer[l];
        ng_mat below = ng_f64(net->below.data, rows, layer->in + 1);
        TRY(ng_gemm(below, top(layer->g, rows), NG_NOTRANS, ng_smooth_layer(net, w, l), NG_NOTRANS,
                    1, 0, error));
        pass_activation(net, &net->layer[l - 1], batch);
    }
    net->seeded = 1;
    return NG_OK;
}

static ng_status begin(ng_smooth *net, ng_mat result, const char *name, size_t rows, ng_mat w,
                       ng_mat seeds, ng_error *error)
{
    if (net->batch == 0)
        return ng_error_set(error, NG_ENODATA, "smooth: ng_smooth_forward comes first");
    TRY(check(name, result, rows, net->count, error));
    TRY(check("w", w, 1, net->count, error));
    TRY(check("seeds", seeds, net->batch, net->outputs * net->jet, error));
    return backward(net, w, seeds, error);
}

/* The numbers of one point's jet, C x cols, in a buffer of jets. */
static ng_mat jet_of(const ng_smooth *net, ng_mat buffer, size_t b)
{
    return ng_f64_strided(row_of(buffer, 0, b, net->batch), net->jet, buffer.cols,
                          net->batch * buffer.stride);
}

ng_status ng_smooth_rows(ng_smooth *net, ng_mat rows, ng_mat w, ng_mat seeds, ng_error *error)
{
    if (net == NULL)
        return ng_error_set(error, NG_EARG, "smooth: no net");
    TRY(begin(net, rows, "rows", net->batch, w, seeds, error));
    for (size_t b = 0; b < net->batch; b++)
        for (size_t l = 0; l < net->layers; l++) {
            ng_mat row = ng_mat_block(rows, b, 0, 1, rows.cols);
            TRY(ng_gemm(ng_smooth_layer(net, row, l), jet_of(net, net->layer[l].g, b), NG_TRANS,
                        jet_of(net, net->layer[l].a, b), NG_NOTRANS, 1, 0, error));
        }
    return NG_OK;
}

ng_status ng_smooth_gradient(ng_smooth *net, ng_mat g, ng_mat w, ng_mat seeds, ng_error *error)
{
    if (net == NULL)
        return ng_error_set(error, NG_EARG, "smooth: no net");
    TRY(begin(net, g, "g", 1, w, seeds, error));
    for (size_t l = 0; l < net->layers; l++) {
        size_t rows = net->jet * net->batch;
        TRY(ng_gemm(ng_smooth_layer(net, g, l), top(net->layer[l].g, rows), NG_TRANS,
                    top(net->layer[l].a, rows), NG_NOTRANS, 1, 0, error));
    }
    return NG_OK;
}

ng_status ng_smooth_factors(const ng_smooth *net, ng_mat *a, ng_mat *g, size_t layer,
                            ng_error *error)
{
    if (net == NULL || a == NULL || g == NULL || layer >= net->layers)
        return ng_error_set(error, NG_EARG, "smooth: no net, no such layer, or no place");
    if (!net->seeded)
        return ng_error_set(error, NG_ENODATA, "smooth: ng_smooth_gradient comes first");
    *a = top(net->layer[layer].a, net->jet * net->batch);
    *g = top(net->layer[layer].g, net->jet * net->batch);
    return NG_OK;
}
