/* Kernels of nets of infinite width (natgrad/lab/wide.h). */
#include <natgrad/lab/wide.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/lab/view.h"

enum { HIDDEN_MAX = 4096 };
static const double pi = 3.14159265358979323846;

const char *ng_wide_activation_name(ng_wide_activation activation)
{
    static const char *const names[NG_WIDE_ACTIVATIONS] = {"relu", "erf", "step"};
    return (size_t)activation < NG_WIDE_ACTIVATIONS ? names[activation] : "unknown";
}

/* ---- Two Gaussian numbers ------------------------------------------------------------------ */

typedef struct {
    double value, slope;
} pair;

/* s, r: the variances' roots; c: the covariance */
static pair relu_pair(double s, double r, double c)
{
    double sine = sqrt(fmax(0, (s * r - c) * (s * r + c))), rest = pi - atan2(sine, c);
    return (pair){(sine + rest * c) / (2 * pi), rest / (2 * pi)};
}

static pair step_pair(double s, double r, double c)
{
    return (pair){relu_pair(s, r, c).slope, 0};
}

static pair erf_pair(double s, double r, double c)
{
    double a = hypot(1, sqrt(2) * s), b = hypot(1, sqrt(2) * r); /* roots of 1 + 2 s^2 */
    double x = 2 * (c / a) / b;
    return (pair){2 / pi * asin(fmax(-1, fmin(1, x))), 4 / pi / (a * b) / sqrt((1 - x) * (1 + x))};
}

static pair pair_of(ng_wide_activation activation, double s, double r, double c)
{
    static pair (*const pairs[NG_WIDE_ACTIVATIONS])(double, double, double) = {relu_pair, erf_pair,
                                                                               step_pair};
    if (s == 0 || r == 0)
        return activation == NG_WIDE_ERF ? erf_pair(s, r, 0) : (pair){0, 0};
    return pairs[activation](s, r, fmax(-s * r, fmin(s * r, c)));
}

/* ---- Checks -------------------------------------------------------------------------------- */

static ng_status check_activation(ng_wide_activation activation, int slope, ng_error *error)
{
    if ((size_t)activation >= NG_WIDE_ACTIVATIONS)
        return ng_error_set(error, NG_EOPTION, "no activation is %d", (int)activation);
    if (slope && activation == NG_WIDE_STEP)
        return ng_error_set(error, NG_EUNSUPPORTED, "step has no derivative, and no NTK");
    return NG_OK;
}

static ng_status check_variance(double v, const char *name, ng_error *error)
{
    if (!(v >= 0 && isfinite(v)))
        return ng_error_set(error, NG_EOPTION, "%s = %g is no variance", name, v);
    return NG_OK;
}

/* k x k, or left out */
static ng_status check_output(ng_mat m, size_t k, const char *name, ng_error *error)
{
    return m.data == NULL && m.rows == 0 ? NG_OK : ngi_lab_view(m, k, k, name, error);
}

static int wanted(ng_mat m)
{
    return m.data != NULL;
}

static ng_status check_input(ng_mat x, ng_error *error)
{
    TRY(ngi_lab_view(x, x.rows, x.cols, "x", error));
    if (x.rows == 0 || x.cols == 0)
        return ng_error_set(error, NG_ESHAPE, "x is %zu x %zu", x.rows, x.cols);
    if (!ng_is_finite(x))
        return ng_error_set(error, NG_ENONFINITE, "x is not finite");
    return NG_OK;
}

static ng_status check_result(ng_mat m, const char *name, ng_error *error)
{
    if (wanted(m) && !ng_is_finite(m))
        return ng_error_set(error, NG_ERANGE, "%s overflows", name);
    return NG_OK;
}

static ng_status check_covariance(ng_mat s, ng_error *error)
{
    for (size_t i = 0; i < s.rows; i++)
        for (size_t j = 0; j < s.rows; j++) {
            double c = ng_mat_get(s, i, j), a = ng_mat_get(s, i, i), b = ng_mat_get(s, j, j);
            if (!isfinite(c))
                return ng_error_set(error, NG_ENONFINITE, "s[%zu][%zu] = %g", i, j, c);
            if (a < 0 || (b >= 0 && fabs(c) > sqrt(a) * sqrt(b) * (1 + 1e-8)))
                return ng_error_set(error, NG_EINDEFINITE,
                                    "s[%zu][%zu] = %g beside the variances %g and %g", i, j, c, a,
                                    b);
        }
    return NG_OK;
}

/* n doubles, zero; what of several is the same */
static ng_status take(double **numbers, size_t count, size_t square, ng_error *error)
{
    *numbers = square < 1u << 24 ? calloc(count * square * square, sizeof **numbers) : NULL;
    if (*numbers == NULL)
        return ng_error_set(error, NG_ENOMEM, "no memory for %zu kernels of %zu x %zu", count,
                            square, square);
    return NG_OK;
}

/* ---- Matrices ------------------------------------------------------------------------------ */

static void transform(ng_mat value, ng_mat slope, ng_mat s, ng_wide_activation activation)
{
    for (size_t i = 0; i < s.rows; i++)
        for (size_t j = 0; j < s.rows; j++) {
            pair p = pair_of(activation, sqrt(ng_mat_get(s, i, i)), sqrt(ng_mat_get(s, j, j)),
                             ng_mat_get(s, i, j));
            if (wanted(value))
                ng_mat_set(value, i, j, p.value);
            if (wanted(slope))
                ng_mat_set(slope, i, j, p.slope);
        }
}

ng_status ng_wide_transform(ng_mat value, ng_mat slope, ng_mat s, ng_wide_activation activation,
                            ng_error *error)
{
    TRY(check_output(slope, s.rows, "slope", error));
    TRY(check_activation(activation, wanted(slope), error));
    TRY(ngi_lab_view(s, s.rows, s.rows, "s", error));
    TRY(ngi_lab_view(value, s.rows, s.rows, "value", error));
    TRY(check_covariance(s, error));
    transform(value, slope, s, activation);
    return NG_OK;
}

/* s <- variance x x^T / d + bias; by rows, so that no square overflows before it has to */
static ng_status inputs(ng_mat s, ng_mat x, double variance, double bias, ng_error *error)
{
    ng_fill(s, 1);
    TRY(ng_gemm(s, x, NG_NOTRANS, x, NG_TRANS, variance / (double)x.cols, bias, error));
    ng_mirror(s);
    return check_result(s, "x x^T", error);
}

/* ---- Feed-forward nets --------------------------------------------------------------------- */

ng_status ng_wide_mlp_init_sized(ng_wide_mlp *mlp, size_t size)
{
    const ng_wide_mlp defaults = {.size = sizeof defaults,
                                  .activation = NG_WIDE_RELU,
                                  .hidden = 1,
                                  .var_first = 1,
                                  .var_w = 2};
    if (mlp == NULL || size != sizeof defaults)
        return mlp == NULL ? NG_EARG : NG_EOPTION;
    *mlp = defaults;
    return NG_OK;
}

static ng_status check_mlp(const ng_wide_mlp *mlp, ng_error *error)
{
    if (mlp == NULL)
        return ng_error_set(error, NG_EARG, "mlp is NULL");
    if (mlp->size != sizeof *mlp || mlp->hidden > HIDDEN_MAX)
        return ng_error_set(error, NG_EOPTION, "mlp of %zu bytes with %zu hidden layers", mlp->size,
                            mlp->hidden);
    TRY(check_variance(mlp->var_first, "var_first", error));
    TRY(check_variance(mlp->var_w, "var_w", error));
    return check_variance(mlp->var_b, "var_b", error);
}

/* s, theta <- one layer on; theta may be none */
static void layer(ng_mat s, ng_mat theta, ng_mat value, ng_mat slope, const ng_wide_mlp *mlp)
{
    transform(value, wanted(theta) ? slope : theta, s, mlp->activation);
    for (size_t i = 0; i < s.rows; i++)
        for (size_t j = 0; j < s.rows; j++) {
            double next = mlp->var_w * ng_mat_get(value, i, j) + mlp->var_b;
            ng_mat_set(s, i, j, next);
            if (wanted(theta))
                ng_mat_set(theta, i, j,
                           next + mlp->var_w * ng_mat_get(slope, i, j) * ng_mat_get(theta, i, j));
        }
}

static ng_status mlp_kernels(const ng_wide_mlp *mlp, ng_mat gp, ng_mat ntk, ng_mat x,
                             double *numbers, ng_error *error)
{
    const size_t k = x.rows;
    ng_mat s = ng_f64(numbers, k, k), value = ng_f64(numbers + k * k, k, k),
           slope = ng_f64(numbers + 2 * k * k, k, k);
    TRY(inputs(s, x, mlp->var_first, mlp->var_b, error));
    if (wanted(ntk))
        TRY(ng_copy(ntk, s, error));
    for (size_t l = 0; l < mlp->hidden; l++) {
        layer(s, ntk, value, slope, mlp);
        TRY(check_result(s, "gp", error));
    }
    return wanted(gp) ? ng_copy(gp, s, error) : NG_OK;
}

ng_status ng_wide_mlp_kernels(const ng_wide_mlp *mlp, ng_mat gp, ng_mat ntk, ng_mat x,
                              ng_error *error)
{
    double *numbers;
    TRY(check_mlp(mlp, error));
    TRY(check_activation(mlp->activation, wanted(ntk) && mlp->hidden > 0, error));
    TRY(check_input(x, error));
    TRY(check_output(gp, x.rows, "gp", error));
    TRY(check_output(ntk, x.rows, "ntk", error));
    TRY(take(&numbers, 3, x.rows, error));
    ng_status status = mlp_kernels(mlp, gp, ntk, x, numbers, error);
    free(numbers);
    return status != NG_OK ? status : check_result(ntk, "ntk", error);
}

/* ---- Recurrent nets ------------------------------------------------------------------------ */

ng_status ng_wide_rnn_init_sized(ng_wide_rnn *rnn, size_t size)
{
    const ng_wide_rnn defaults = {.size = sizeof defaults,
                                  .activation = NG_WIDE_ERF,
                                  .steps = 1,
                                  .var_w = 1,
                                  .var_u = 2,
                                  .var_b = 0.2,
                                  .var_v = 1};
    if (rnn == NULL || size != sizeof defaults)
        return rnn == NULL ? NG_EARG : NG_EOPTION;
    *rnn = defaults;
    return NG_OK;
}

static ng_status check_rnn(const ng_wide_rnn *rnn, size_t rows, ng_error *error)
{
    if (rnn == NULL)
        return ng_error_set(error, NG_EARG, "rnn is NULL");
    if (rnn->size != sizeof *rnn || rnn->steps == 0)
        return ng_error_set(error, NG_EOPTION, "rnn of %zu bytes with %zu steps", rnn->size,
                            rnn->steps);
    if (rows % rnn->steps != 0)
        return ng_error_set(error, NG_ESHAPE, "x: %zu rows of sequences of %zu steps", rows,
                            rnn->steps);
    TRY(check_variance(rnn->var_w, "var_w", error));
    TRY(check_variance(rnn->var_u, "var_u", error));
    TRY(check_variance(rnn->var_b, "var_b", error));
    return check_variance(rnn->var_v, "var_v", error);
}

/* What is known of rows i = (sequence, step) of x: all (k steps) x (k steps). */
typedef struct {
    ng_mat s, value, p; /* p: the slopes, then P */
} rnn_state;

/* S, V and V' from the first steps on, variances before what needs them; s holds the inputs'. */
static void forward(rnn_state *r, const ng_wide_rnn *rnn, int diagonal)
{
    const size_t n = r->s.rows;
    for (size_t i = 0; i < n; i++)
        for (size_t j = diagonal ? i : 0; j < (diagonal ? i + 1 : n); j++) {
            double s = ng_mat_get(r->s, i, j);
            if (!diagonal && i == j)
                continue;
            if (i % rnn->steps > 0 && j % rnn->steps > 0)
                s += rnn->var_w * ng_mat_get(r->value, i - 1, j - 1);
            ng_mat_set(r->s, i, j, s);
            pair p = pair_of(rnn->activation, sqrt(i == j ? s : ng_mat_get(r->s, i, i)),
                             sqrt(i == j ? s : ng_mat_get(r->s, j, j)), s);
            ng_mat_set(r->value, i, j, p.value);
            ng_mat_set(r->p, i, j, p.slope);
        }
}

/* c_t: how much of a step the output reads */
static double read_out(const ng_wide_rnn *rnn, size_t i)
{
    return rnn->pooled ? 1 / (double)rnn->steps : (double)((i + 1) % rnn->steps == 0);
}

/* p <- P, from the last steps back */
static void backward(rnn_state *r, const ng_wide_rnn *rnn)
{
    const size_t n = r->s.rows, steps = rnn->steps;
    for (size_t i = n; i-- > 0;)
        for (size_t j = n; j-- > 0;) {
            double sum = rnn->var_v * read_out(rnn, i) * read_out(rnn, j);
            if ((i + 1) % steps > 0 && (j + 1) % steps > 0)
                sum += rnn->var_w * ng_mat_get(r->p, i + 1, j + 1);
            ng_mat_set(r->p, i, j, sum * ng_mat_get(r->p, i, j));
        }
}

/* m[a][b] += numbers of the sequences a and b */
static void gather(ng_mat m, const rnn_state *r, const ng_wide_rnn *rnn, int tangent)
{
    for (size_t i = 0; i < r->s.rows; i++)
        for (size_t j = 0; j < r->s.rows; j++) {
            const size_t a = i / rnn->steps, b = j / rnn->steps;
            double term =
                rnn->var_v * read_out(rnn, i) * read_out(rnn, j) * ng_mat_get(r->value, i, j);
            if (tangent)
                term += ng_mat_get(r->p, i, j) * ng_mat_get(r->s, i, j);
            ng_mat_set(m, a, b, ng_mat_get(m, a, b) + term);
        }
}

static ng_status rnn_kernels(const ng_wide_rnn *rnn, ng_mat gp, ng_mat ntk, ng_mat x,
                             double *numbers, ng_error *error)
{
    const size_t n = x.rows;
    rnn_state r = {ng_f64(numbers, n, n), ng_f64(numbers + n * n, n, n),
                   ng_f64(numbers + 2 * n * n, n, n)};
    TRY(inputs(r.s, x, rnn->var_u, rnn->var_b, error));
    forward(&r, rnn, 1);
    forward(&r, rnn, 0);
    backward(&r, rnn);
    ng_mat *const outputs[] = {&gp, &ntk};
    for (int tangent = 0; tangent < 2; tangent++)
        if (wanted(*outputs[tangent])) {
            ng_fill(*outputs[tangent], 0);
            gather(*outputs[tangent], &r, rnn, tangent);
        }
    return check_result(gp, "gp", error);
}

ng_status ng_wide_rnn_kernels(const ng_wide_rnn *rnn, ng_mat gp, ng_mat ntk, ng_mat x,
                              ng_error *error)
{
    double *numbers;
    TRY(check_input(x, error));
    TRY(check_rnn(rnn, x.rows, error));
    TRY(check_activation(rnn->activation, wanted(ntk), error));
    TRY(check_output(gp, x.rows / rnn->steps, "gp", error));
    TRY(check_output(ntk, x.rows / rnn->steps, "ntk", error));
    TRY(take(&numbers, 3, x.rows, error));
    ng_status status = rnn_kernels(rnn, gp, ntk, x, numbers, error);
    free(numbers);
    return status != NG_OK ? status : check_result(ntk, "ntk", error);
}
