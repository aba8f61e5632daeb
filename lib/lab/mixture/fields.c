/* The laws and fields of a mixture under a schedule, and between two mixtures. */
#include <math.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/lab/mixture/mixture.h"

static const double log_2pi = 1.8378770664093454836;

/* ---- Under x = a x1 + s z ---------------------------------------------------------------- */

typedef struct {
    const ng_mixture *mixture;
    double a, s;
    int label;
    double weight; /* of the class */
    ngi_laws laws;
    ngi_field score, mean;
} scheduled;

/* Law `to` of component c: W = diag(u^-1/2) V with u = a^2 value + s^2 and V its eigenvectors.
 * score: back = -W, D = -W^T W. mean: base m, back = diag(a value u^-1/2) V,
 * D = V^T diag(value s^2 / u) V. */
static ng_status add_law(scheduled *p, size_t to, size_t c, ng_error *error)
{
    const ng_mixture *m = p->mixture;
    const size_t d = m->d;
    double log_det = 0;
    for (size_t i = 0; i < d; i++) {
        double value = ng_mat_get(m->values, c, i), u = p->a * p->a * value + p->s * p->s;
        double w = 1 / sqrt(u), dot = 0;
        if (!(u > 0) || !isfinite(u) || !isfinite(w))
            return ng_error_set(error, u > 0 ? NG_ERANGE : NG_ESINGULAR,
                                "component %zu has variance %g in some direction", c, u);
        log_det += log(u);
        for (size_t j = 0; j < d; j++) {
            double v = ng_mat_get(m->vectors, c * d + i, j);
            dot += v * p->a * ng_mat_get(m->means, c, j);
            ng_mat_set(p->laws.whiten, j, to * d + i, w * v);
            ng_mat_set(p->score.back, to * d + i, j, -w * v);
            ng_mat_set(p->mean.back, to * d + i, j, p->a * value * w * v);
        }
        p->laws.offset[to * d + i] = w * dot;
    }
    for (size_t i = 0; i < d; i++)
        ng_mat_set(p->mean.base, to, i, ng_mat_get(m->means, c, i));
    p->laws.log_weight[to] =
        log(m->weight[c] / p->weight) - 0.5 * log_det - 0.5 * (double)d * log_2pi;
    p->laws.index[to] = c;
    return NG_OK;
}

/* The D of both fields, where spreads are wanted. */
static void add_within(scheduled *p, size_t to, size_t c)
{
    const ng_mixture *m = p->mixture;
    const size_t d = m->d;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++) {
            double precision = 0, left = 0;
            for (size_t e = 0; e < d; e++) {
                double value = ng_mat_get(m->values, c, e),
                       pair = ng_mat_get(m->vectors, c * d + e, i) *
                              ng_mat_get(m->vectors, c * d + e, j) /
                              (p->a * p->a * value + p->s * p->s);
                precision += pair;
                left += pair * value * p->s * p->s;
            }
            ng_mat_set(p->score.within, to, i * d + j, -precision);
            ng_mat_set(p->mean.within, to, i * d + j, left);
        }
}

/* A spread needs its mean: where only the spread is wanted that goes to scratch. */
static void want(ngi_field *field, ng_mat out, ng_mat spread, ng_mat scratch)
{
    field->out = !ngi_wanted(out) && ngi_wanted(spread) ? scratch : out;
    field->spread = spread;
}

static ng_status evaluate(scheduled *p, const ng_mixture_fields *fields, ng_mat x, size_t count,
                          ng_work *work, ng_error *error)
{
    const ng_mixture *m = p->mixture;
    const int spreads = ngi_wanted(fields->jacobian) || ngi_wanted(fields->covariance);
    ng_mat scratch;
    size_t to = 0;
    TRY(ngi_laws_take(&p->laws, count, m->d, work, error));
    TRY(ngi_field_take(&p->score, count, m->d, work, error));
    TRY(ngi_field_take(&p->mean, count, m->d, work, error));
    TRY(ng_work_mat(work, &scratch, spreads ? x.rows : 0, m->d, NG_F64, error));
    for (size_t c = 0; c < m->k; c++)
        if (ngi_has_label(m, c, p->label)) {
            TRY(add_law(p, to, c, error));
            if (spreads)
                add_within(p, to, c);
            to++;
        }
    p->score.base = ng_mat_none();
    want(&p->score, fields->score, fields->jacobian, scratch);
    want(&p->mean, fields->mean, fields->covariance, scratch);
    if (ngi_wanted(fields->responsibility))
        ng_fill(fields->responsibility, 0);
    const ngi_field both[2] = {p->score, p->mean};
    return ngi_laws_evaluate(&p->laws, fields->log_density, fields->responsibility, both, 2, x,
                             error);
}

static ng_status check_fields(const ng_mixture *m, const ng_mixture_fields *f, ng_mat x,
                              ng_error *error)
{
    const struct {
        const char *name;
        ng_mat view;
        size_t cols;
    } list[] = {{"log_density", f->log_density, 1},
                {"responsibility", f->responsibility, m->k},
                {"score", f->score, m->d},
                {"jacobian", f->jacobian, m->d * m->d},
                {"mean", f->mean, m->d},
                {"covariance", f->covariance, m->d * m->d}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (ngi_wanted(list[i].view)) {
            TRY(ngi_lab_view(list[i].view, x.rows, list[i].cols, list[i].name, error));
            if (list[i].view.data == x.data && x.rows > 0)
                return ng_error_set(error, NG_EARG, "%s is x itself", list[i].name);
        }
    return NG_OK;
}

ng_status ng_mixture_evaluate(const ng_mixture *mixture, const ng_mixture_fields *fields, ng_mat x,
                              double a, double s, int label, ng_error *error)
{
    size_t count;
    double weight;
    ng_work work;
    if (fields == NULL)
        return ng_error_set(error, NG_EARG, "fields is NULL");
    TRY(ngi_mixture_points(mixture, x, error));
    if (!isfinite(a) || !isfinite(s) || s < 0)
        return ng_error_set(error, NG_EARG, "a = %g, s = %g", a, s);
    TRY(ngi_mixture_class(mixture, &count, &weight, label, error));
    TRY(check_fields(mixture, fields, x, error));
    const size_t d = mixture->d;
    scheduled p = {.mixture = mixture, .a = a, .s = s, .label = label, .weight = weight};
    TRY(ng_work_create(&work, ngi_laws_bytes(count, d, 2) + ng_work_mat_size(x.rows, d, NG_F64),
                       error));
    ng_status status = evaluate(&p, fields, x, count, &work, error);
    ng_work_destroy(&work);
    return status;
}

/* ---- Between two mixtures ---------------------------------------------------------------- */

typedef struct {
    const ng_mixture *from, *to;
    const ng_interpolant *at;
    ngi_laws laws;
    ngi_field velocity, score;
    ng_mat c, rate, w; /* d x d: C_ij, its derivative, the whitener */
} pairs;

/* C = L L^T, W = L^-1, y = W (x - m). velocity: base m', back = W C' / 2; score: back = -W. */
static ng_status add_pair(pairs *p, size_t to, size_t i, size_t j, ng_error *error)
{
    const ng_interpolant *t = p->at;
    const size_t d = p->laws.d;
    double log_det = 0;
    for (size_t a = 0; a < d; a++)
        for (size_t b = 0; b < d; b++) {
            double from = ng_mat_get(p->from->covariances, i * d + a, b),
                   target = ng_mat_get(p->to->covariances, j * d + a, b);
            ng_mat_set(p->c, a, b,
                       t->alpha * t->alpha * from + t->beta * t->beta * target +
                           (a == b ? t->gamma * t->gamma : 0));
            ng_mat_set(p->rate, a, b,
                       2 * (t->alpha * t->alpha_rate * from + t->beta * t->beta_rate * target +
                            (a == b ? t->gamma_rate : 0)));
        }
    TRY(ng_cholesky(p->c, NULL, p->c, error));
    ng_set_identity(p->w);
    TRY(ng_trsm(p->w, NG_LEFT, p->c, NG_NOTRANS, 1, error));
    TRY(ng_gemm(ng_mat_block(p->velocity.back, to * d, 0, d, d), p->w, NG_NOTRANS, p->rate,
                NG_NOTRANS, 0.5, 0, error));
    for (size_t a = 0; a < d; a++) {
        double dot = 0, from = ng_mat_get(p->from->means, i, a),
               target = ng_mat_get(p->to->means, j, a);
        for (size_t b = 0; b < d; b++) {
            double w = ng_mat_get(p->w, a, b);
            dot += w * (t->alpha * ng_mat_get(p->from->means, i, b) +
                        t->beta * ng_mat_get(p->to->means, j, b));
            ng_mat_set(p->laws.whiten, b, to * d + a, w);
            ng_mat_set(p->score.back, to * d + a, b, -w);
        }
        p->laws.offset[to * d + a] = dot;
        ng_mat_set(p->velocity.base, to, a, t->alpha_rate * from + t->beta_rate * target);
        log_det += 2 * log(ng_mat_get(p->c, a, a));
    }
    p->laws.log_weight[to] =
        log(p->from->weight[i]) + log(p->to->weight[j]) - 0.5 * log_det - 0.5 * (double)d * log_2pi;
    return NG_OK;
}

static ng_status interpolate(pairs *p, ng_mat log_density, ng_mat velocity, ng_mat score, ng_mat x,
                             ng_work *work, ng_error *error)
{
    const size_t k = p->from->k, l = p->to->k, d = p->from->d;
    TRY(ngi_laws_take(&p->laws, k * l, d, work, error));
    TRY(ngi_field_take(&p->velocity, k * l, d, work, error));
    TRY(ngi_field_take(&p->score, k * l, d, work, error));
    ng_mat *square[] = {&p->c, &p->rate, &p->w};
    for (size_t i = 0; i < 3; i++)
        TRY(ng_work_mat(work, square[i], d, d, NG_F64, error));
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < l; j++)
            TRY(add_pair(p, i * l + j, i, j, error));
    p->velocity.out = velocity;
    p->score.out = score;
    p->score.base = p->velocity.spread = p->score.spread = ng_mat_none();
    const ngi_field both[2] = {p->velocity, p->score};
    return ngi_laws_evaluate(&p->laws, log_density, ng_mat_none(), both, 2, x, error);
}

static ng_status check_moment(const ng_interpolant *t, ng_error *error)
{
    if (t == NULL)
        return ng_error_set(error, NG_EARG, "moment is NULL");
    double sum = t->alpha + t->beta + t->gamma + t->alpha_rate + t->beta_rate + t->gamma_rate;
    if (!isfinite(sum) || t->gamma < 0)
        return ng_error_set(error, NG_EARG, "moment: alpha %g, beta %g, gamma %g; rates %g, %g, %g",
                            t->alpha, t->beta, t->gamma, t->alpha_rate, t->beta_rate,
                            t->gamma_rate);
    return NG_OK;
}

ng_status ng_mixture_interpolate(const ng_mixture *from, const ng_mixture *to, ng_mat log_density,
                                 ng_mat velocity, ng_mat score, ng_mat x,
                                 const ng_interpolant *moment, ng_error *error)
{
    ng_work work;
    TRY(ngi_mixture_points(from, x, error));
    TRY(ngi_mixture_points(to, x, error));
    TRY(check_moment(moment, error));
    const ng_mixture_fields list = {.log_density = log_density, .score = score, .mean = velocity};
    TRY(check_fields(from, &list, x, error));
    if (from->k > ((size_t)1 << 31) / to->k / from->d / from->d)
        return ng_error_set(error, NG_ERANGE, "%zu x %zu pairs of components", from->k, to->k);
    pairs p = {.from = from, .to = to, .at = moment};
    TRY(ng_work_create(&work, ngi_laws_bytes(from->k * to->k, from->d, 2), error));
    ng_status status = interpolate(&p, log_density, velocity, score, x, &work, error);
    ng_work_destroy(&work);
    return status;
}
