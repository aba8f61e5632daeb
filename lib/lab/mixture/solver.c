/* Solvers along a known field: one table, one step function each. */
#include <natgrad/lab/solver.h>

#include <math.h>
#include <string.h>

#include <natgrad/linalg.h>

#include "lib/core/try.h"
#include "lib/lab/view.h"

typedef struct {
    const double *nodes;
    size_t count;
    double diffusion;
    const ng_random *random;
    ng_solver_field field;
    void *data;
    ng_mat x, f, g, point, noise; /* n x d; f, g: fields of this step and the one before */
    ng_mat ddim;                  /* n x d: the first order step of evodiff */
} run;

typedef struct {
    ng_solver_info info;
    ng_status (*step)(run *r, size_t i, ng_error *error); /* x from nodes[i] to nodes[i + 1] */
} kind;

static ng_status ask(run *r, ng_mat f, ng_mat x, double t, ng_error *error)
{
    TRY(r->field(r->data, f, x, t, error));
    if (!ng_is_finite(f))
        return ng_error_set(error, NG_ENONFINITE, "the field at %g is not finite", t);
    return NG_OK;
}

/* ---- Velocities ---------------------------------------------------------------------- */

static ng_status euler(run *r, size_t i, ng_error *error)
{
    TRY(ask(r, r->f, r->x, r->nodes[i], error));
    return ng_axpby(r->x, r->f, r->nodes[i + 1] - r->nodes[i], 1, error);
}

static ng_status heun(run *r, size_t i, ng_error *error)
{
    const double h = r->nodes[i + 1] - r->nodes[i];
    TRY(ask(r, r->f, r->x, r->nodes[i], error));
    TRY(ng_lincomb(r->point, 1, r->x, h, r->f, error));
    TRY(ask(r, r->g, r->point, r->nodes[i + 1], error));
    TRY(ng_axpby(r->x, r->f, h / 2, 1, error));
    return ng_axpby(r->x, r->g, h / 2, 1, error);
}

static ng_status stochastic_heun(run *r, size_t i, ng_error *error)
{
    const double h = fabs(r->nodes[i + 1] - r->nodes[i]);
    r->random->fill_normal(r->random->data, r->noise.data, r->noise.rows * r->noise.cols);
    TRY(ng_axpby(r->x, r->noise, sqrt(2 * r->diffusion * h), 1, error));
    return heun(r, i, error);
}

/* ---- Denoisers -------------------------------------------------------------------------- */

static ng_status ddim(run *r, size_t i, ng_error *error)
{
    const double keep = r->nodes[i + 1] / r->nodes[i];
    TRY(ask(r, r->f, r->x, r->nodes[i], error));
    return ng_axpby(r->x, r->f, 1 - keep, keep, error);
}

/* g: D at the node before */
static ng_status dpm2m(run *r, size_t i, ng_error *error)
{
    const double keep = r->nodes[i + 1] / r->nodes[i];
    double more = 0; /* share of the extrapolation, 1 / 2r */
    if (i > 0)
        more = 0.5 * log(r->nodes[i] / r->nodes[i + 1]) / log(r->nodes[i - 1] / r->nodes[i]);
    TRY(ask(r, r->f, r->x, r->nodes[i], error));
    TRY(ng_axpby(r->x, r->f, (1 - keep) * (1 + more), keep, error));
    if (i > 0)
        TRY(ng_axpby(r->x, r->g, -(1 - keep) * more, 1, error));
    return ng_copy(r->g, r->f, error);
}

/* ---- EVODiff ------------------------------------------------------------------------------ */

/* x . y / y . y within -2 ... 2; 0 where y is 0 */
static double part(double xy, double yy)
{
    return yy > 0 ? fmax(-2, fmin(2, xy / yy)) : 0;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* What a step from s to t, with u before s, says to all rows. h is measured in 1/sigma. */
typedef struct {
    double h, th; /* h; t h = 1 - t/s */
    double ratio; /* of the steps in log sigma */
    double base;  /* what the difference of two D is balanced by, without the inner products */
    double weight;
    double keep; /* t/s */
    int many;    /* over twenty steps */
} tempo;

static tempo tempo_of(const run *r, size_t i)
{
    const double u = r->nodes[i - 1], s = r->nodes[i], t = r->nodes[i + 1],
                 last = r->nodes[r->count - 1], time = (t + last) / (r->nodes[0] + last);
    return (tempo){.h = 1 / t - 1 / s,
                   .th = 1 - t / s,
                   .ratio = log(u / s) / log(s / t),
                   .base = sqrt(t / s / (s / u)),
                   .weight = 0.5 * (1 - time * time),
                   .keep = t / s,
                   .many = r->count - 1 > 20};
}

static double balance(const tempo *w, double product)
{
    return (1 - w->weight) * w->base + w->weight * product;
}

/* point <- DDIM's step plus a multiple of m0 - rho m1: where the corrector looks. */
static void probe(const run *r, const tempo *w, size_t row)
{
    const size_t d = r->x.cols;
    const double *m0 = ngi_lab_row(r->f, row), *m1 = ngi_lab_row(r->g, row),
                 *x = ngi_lab_row(r->x, row);
    double *ddim_row = ngi_lab_row(r->ddim, row), *point = ngi_lab_row(r->point, row);
    double rho = balance(w, part(ngi_lab_dot(m0, m1, d), ngi_lab_dot(m1, m1, d)));
    double scale = fmax(0.25, fmin(1.5, sigmoid(0.25 * fabs(rho)))) * w->ratio;
    for (size_t j = 0; j < d; j++) {
        ddim_row[j] = w->keep * x[j] + w->th * m0[j];
        point[j] = ddim_row[j] + 0.5 * w->th / scale * (m0[j] - rho * m1[j]);
    }
}

/* The inner products that decide about a row, with D1 = m0 - rho m1, D2 = m - rho' m0. */
typedef struct {
    double d1d1, d1d2, d2d2; /* of the differences */
    double pull;             /* m0 . (m0 - m1) over its square */
} products;

static double zeta_of(const tempo *w, const products *p, double look, double eta)
{
    /* (point - ddim) - half of B, both along D1, in units of the step */
    double b1 = -eta / w->ratio, b2 = w->ratio * (1 - eta);
    double along = 0.5 * w->th / look * (1 - b1);
    double projected =
        p->d1d1 > 0 ? fmax(-2, fmin(2, along - 0.5 * w->th / look * b2 * p->d1d2 / p->d1d1)) : 0;
    double shift = fabs(projected / w->th) - 0.5;
    if (!w->many)
        return sigmoid(shift);
    return sigmoid(-shift * sigmoid(p->pull * (2 - w->keep * w->keep)));
}

/* x <- DDIM's step plus half of B / zeta; m: D at the point looked at. */
static void correct(run *r, const tempo *w, ng_mat m, size_t row)
{
    const size_t d = r->x.cols;
    const double *m0 = ngi_lab_row(r->f, row), *m1 = ngi_lab_row(r->g, row),
                 *mt = ngi_lab_row(m, row);
    double *x = ngi_lab_row(r->x, row);
    double rho1 = balance(w, part(ngi_lab_dot(m0, m1, d), ngi_lab_dot(m1, m1, d))),
           rho2 = balance(w, part(ngi_lab_dot(mt, m0, d), ngi_lab_dot(m0, m0, d)));
    double look = fmax(0.25, fmin(1.5, sigmoid(0.25 * fabs(rho1)))) * w->ratio;
    products p = {0, 0, 0, 0};
    double change = 0, pull = 0, forward = w->ratio / w->h, back = 1 / (w->ratio * w->h);
    for (size_t j = 0; j < d; j++) {
        double d1 = m0[j] - rho1 * m1[j], d2 = mt[j] - rho2 * m0[j], step = (m0[j] - m1[j]) / w->h;
        p.d1d1 += d1 * d1;
        p.d1d2 += d1 * d2;
        p.d2d2 += d2 * d2;
        change += step * step;
        pull += m0[j] * step;
    }
    p.pull = part(pull, change);
    double eta_star =
        0.5 * part(forward * forward * p.d2d2 - back * back * p.d1d1,
                   forward * forward * p.d2d2 + back * back * p.d1d1 - 2 * forward * back * p.d1d2);
    double eta = 0.5 * sigmoid(fabs(eta_star)), zeta = zeta_of(w, &p, look, eta);
    for (size_t j = 0; j < d; j++)
        x[j] = ngi_lab_row(r->ddim, row)[j] + 0.5 * w->th / zeta *
                                                  (-eta / w->ratio * (m0[j] - rho1 * m1[j]) +
                                                   w->ratio * (1 - eta) * (mt[j] - rho2 * m0[j]));
}

/* The last step: DDIM plus half of m0 - r m1, times `factor`. */
static void finish(run *r, size_t i, int factor)
{
    const double s = r->nodes[i], t = r->nodes[i + 1], keep = t / s;
    const double part_of_m1 = 1 - 0.5 * sqrt(keep < 0.5 ? keep : keep - 0.5),
                 shrink = factor ? 1 - sqrt(s * t) : 1;
    for (size_t row = 0; row < r->x.rows; row++)
        for (size_t j = 0; j < r->x.cols; j++) {
            double m0 = ngi_lab_row(r->f, row)[j], m1 = ngi_lab_row(r->g, row)[j],
                   *x = ngi_lab_row(r->x, row) + j;
            *x = shrink * (keep * *x + (1 - keep) * m0) + 0.5 * (1 - keep) * (m0 - part_of_m1 * m1);
        }
}

/* At the end of a step f is D at the new node, as the corrector's look found it, and g the one
 * before. */
static ng_status evodiff_step(run *r, size_t i, int factor, ng_error *error)
{
    if (i == 0) {
        const double keep = r->nodes[1] / r->nodes[0];
        TRY(ask(r, r->g, r->x, r->nodes[0], error));
        TRY(ng_axpby(r->x, r->g, 1 - keep, keep, error));
        return r->count > 2 ? ask(r, r->f, r->x, r->nodes[1], error) : NG_OK;
    }
    if (i + 2 == r->count) {
        finish(r, i, factor);
        return NG_OK;
    }
    const tempo w = tempo_of(r, i);
    for (size_t row = 0; row < r->x.rows; row++)
        probe(r, &w, row);
    TRY(ask(r, r->noise, r->point, r->nodes[i + 1], error));
    for (size_t row = 0; row < r->x.rows; row++)
        correct(r, &w, r->noise, row);
    TRY(ng_copy(r->g, r->f, error));
    return ng_copy(r->f, r->noise, error);
}

static ng_status evodiff(run *r, size_t i, ng_error *error)
{
    return evodiff_step(r, i, 1, error);
}

static ng_status evodiff_plain(run *r, size_t i, ng_error *error)
{
    return evodiff_step(r, i, 0, error);
}

/* ---- The table ------------------------------------------------------------------------------ */

static const kind kinds[] = {
    {{.name = "euler", .order = 1}, euler},
    {{.name = "heun", .order = 2}, heun},
    {{.name = "stochastic_heun", .order = 1, .stochastic = 1}, stochastic_heun},
    {{.name = "ddim", .order = 1, .denoises = 1}, ddim},
    {{.name = "dpm++2m", .order = 2, .denoises = 1}, dpm2m},
    {{.name = "evodiff", .order = 0, .denoises = 1}, evodiff},
    {{.name = "evodiff_plain", .order = 1, .denoises = 1}, evodiff_plain},
};

size_t ng_solver_count(void)
{
    return sizeof kinds / sizeof *kinds;
}

const ng_solver_info *ng_solver_get(size_t i)
{
    return i < ng_solver_count() ? &kinds[i].info : NULL;
}

const ng_solver_info *ng_solver_find(const char *name)
{
    for (size_t i = 0; i < ng_solver_count() && name != NULL; i++)
        if (strcmp(kinds[i].info.name, name) == 0)
            return &kinds[i].info;
    return NULL;
}

static const kind *kind_of(const ng_solver_info *info)
{
    for (size_t i = 0; i < ng_solver_count(); i++)
        if (&kinds[i].info == info)
            return &kinds[i];
    return NULL;
}

static ng_status check_nodes(const ng_solver_info *info, const double *nodes, size_t count,
                             ng_error *error)
{
    if (nodes == NULL || count < 2)
        return ng_error_set(error, NG_EARG, "%zu nodes, expected at least 2", count);
    for (size_t i = 0; i < count; i++) {
        double step = i == 0 ? nodes[1] - nodes[0] : nodes[i] - nodes[i - 1];
        if (!isfinite(nodes[i]) || step == 0 || (step > 0) != (nodes[1] > nodes[0]) ||
            (info->denoises && (step > 0 || !(nodes[i] > 0))))
            return ng_error_set(error, NG_EARG, "nodes[%zu] = %g: %s", i, nodes[i],
                                info->denoises ? "noise levels are positive and fall"
                                               : "times go one way");
    }
    return NG_OK;
}

static ng_status take(run *r, ng_mat x, ng_work *work, ng_error *error)
{
    ng_mat *mats[] = {&r->x, &r->f, &r->g, &r->point, &r->noise, &r->ddim};
    for (size_t i = 0; i < sizeof mats / sizeof *mats; i++)
        TRY(ng_work_mat(work, mats[i], x.rows, x.cols, NG_F64, error));
    return ng_copy(r->x, x, error);
}

static ng_status follow(run *r, const kind *solver, ng_mat x, ng_work *work, ng_error *error)
{
    TRY(take(r, x, work, error));
    for (size_t i = 0; i + 1 < r->count; i++) {
        TRY(solver->step(r, i, error));
        if (!ng_is_finite(r->x))
            return ng_error_set(error, NG_ENONFINITE, "x is not finite at node %zu", i + 1);
    }
    return ng_copy(x, r->x, error);
}

ng_status ng_solver_run(ng_mat x, const ng_solver_info *solver, const double *nodes, size_t count,
                        double diffusion, const ng_random *random, ng_solver_field field,
                        void *data, ng_error *error)
{
    const kind *k = kind_of(solver);
    ng_work work;
    TRY(ng_mat_check(x, "x", error));
    if (x.dtype != NG_F64)
        return ng_error_set(error, NG_EDTYPE, "x: expected NG_F64");
    if (k == NULL || field == NULL)
        return ng_error_set(error, NG_EARG, "%s",
                            k == NULL ? "solver: no row of the table" : "field is NULL");
    TRY(check_nodes(solver, nodes, count, error));
    if (solver->stochastic && (random == NULL || random->fill_normal == NULL || !(diffusion >= 0) ||
                               !isfinite(diffusion)))
        return ng_error_set(error, NG_EARG, "%s needs random numbers and a diffusion >= 0, not %g",
                            solver->name, diffusion);
    if (!ng_is_finite(x))
        return ng_error_set(error, NG_ENONFINITE, "x is not finite");
    run r = {nodes, count, diffusion, random, field, data, .x = ng_mat_none()};
    TRY(ng_work_create(&work, 6 * ng_work_mat_size(x.rows, x.cols, NG_F64), error));
    ng_status status = follow(&r, k, x, &work, error);
    ng_work_destroy(&work);
    return status;
}
