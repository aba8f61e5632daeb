/* Rows of residual derivatives: what a solve needs, and the solve
 * (natgrad/residuals.h). */
#include "lib/fisher/residuals.h"

#include <math.h>
#include <stdlib.h>

#include <natgrad/linalg.h>

#include "lib/core/size.h"
#include "lib/core/try.h"

/* ---- Factor --------------------------------------------------------------------------- */

ng_status ng_residual_solving_init_sized(ng_residual_solving *solving, size_t size)
{
    const ng_residual_solving defaults = {
        .size = sizeof defaults, .tolerance = 1e-10, .max_iterations = 1000, .sketch = 50};
    if (solving == NULL)
        return NG_EARG;
    if (size != sizeof *solving)
        return NG_EOPTION;
    *solving = defaults;
    return NG_OK;
}

static ng_status check_solving(const ng_residuals *r, const ng_residual_solving *o, ng_error *error)
{
    if (o->size != sizeof *o)
        return ng_error_set(error, NG_EOPTION, "solving: a struct of %zu bytes, expected %zu",
                            o->size, sizeof *o);
    if ((unsigned)o->solver > NG_RESIDUAL_CG || !(o->tolerance > 0 && o->tolerance < 1) ||
        o->max_iterations == 0)
        return ng_error_set(error, NG_EOPTION,
                            "solving: solver %d, tolerance %g, max_iterations %zu", (int)o->solver,
                            o->tolerance, o->max_iterations);
    if (r->products.times != NULL &&
        (o->solver == NG_RESIDUAL_DUAL || o->solver == NG_RESIDUAL_PRIMAL))
        return ng_error_set(error, NG_EUNSUPPORTED,
                            "solver = dual and primal need rows of J, which is known by its "
                            "products");
    return NG_OK;
}

static ng_status check_rows(const ng_residuals *r, double damping, ng_error *error)
{
    if (r->m == 0)
        return ng_error_set(error, NG_ENODATA, "there are no residuals (ng_residuals_add)");
    if (!(damping >= 0) || isinf(damping))
        return ng_error_set(error, NG_EARG, "damping: %g, expected at least 0", damping);
    if (!ng_is_finite(ng_residuals_values(r)))
        return ng_error_set(error, NG_ENONFINITE, "a residual is NaN or infinite");
    if (r->products.times == NULL && !ng_is_finite(ngi_residual_rows(r)))
        return ng_error_set(error, NG_ENONFINITE,
                            "the derivative of a residual is NaN or infinite");
    return NG_OK;
}

/* k <- a p x p matrix, in memory that is kept */
static ng_status take_matrix(ng_residuals *r, size_t p, ng_error *error)
{
    if (ngi_size_mul(p, p) > r->room) {
        free(r->k.data);
        r->room = 0;
        TRY(ngi_mat_create(&r->k, p, p, NG_F64, error));
        r->room = p * p;
    }
    r->k = ng_f64(r->k.data, p, p);
    return NG_OK;
}

static ng_status factor_directly(ng_residuals *r, ng_error *error)
{
    TRY(take_matrix(r, r->dual ? r->m : r->n, error));
    TRY(r->dual ? ngi_residual_dual(r, r->k, error) : ngi_residual_primal(r, r->k, error));
    if (r->dual && r->centred) {
        ng_mat s = ngi_residual_roots(r), column = {s.data, r->m, 1, 1, NG_F64};
        TRY(ng_syrk(r->k, column, NG_NOTRANS, 1 / ng_dot(s, s), 1, error));
    }
    ng_add_diagonal(r->k, r->damping);
    ng_status status = ng_cholesky(r->k, NULL, r->k, error);
    if (status == NG_ESINGULAR)
        return ng_error_set(error, status,
                            "the %s matrix of %zu residuals and %zu weights with damping %g is "
                            "not positive definite",
                            r->dual ? "dual" : "primal", r->m, r->n, r->damping);
    return status;
}

ng_status ng_residuals_factor(ng_residuals *r, double damping, const ng_residual_solving *solving,
                              ng_error *error)
{
    if (r == NULL)
        return ng_error_set(error, NG_EARG, "no residuals");
    ng_residual_solving o;
    ng_residual_solving_init(&o);
    if (solving != NULL)
        o = *solving;
    TRY(check_solving(r, &o, error));
    TRY(check_rows(r, damping, error));
    if (o.solver == NG_RESIDUAL_AUTO && r->products.times != NULL)
        o.solver = NG_RESIDUAL_CG;
    r->ready = 0;
    r->dual = o.solver == NG_RESIDUAL_DUAL || (o.solver != NG_RESIDUAL_PRIMAL && r->m <= r->n);
    r->solving = o;
    r->damping = damping;
    TRY(o.solver == NG_RESIDUAL_CG ? ngi_residual_sketch(r, error) : factor_directly(r, error));
    r->ready = 1;
    return NG_OK;
}

/* ---- Solve ---------------------------------------------------------------------------- */

/* z <- (A + damping I)^-1 b, 1 x p */
static ng_status invert(const ng_residuals *r, ng_mat z, ng_mat b, ngi_pool *pool, ng_error *error)
{
    if (r->solving.solver == NG_RESIDUAL_CG)
        return ngi_residual_iterate(r, z, b, pool, error);
    TRY(ng_copy(z, b, error));
    ng_mat column = {z.data, z.cols, 1, 1, NG_F64};
    TRY(ng_trsm(column, NG_LEFT, r->k, NG_NOTRANS, 1, error));
    return ng_trsm(column, NG_LEFT, r->k, NG_TRANS, 1, error);
}

static ng_status solve(const ng_residuals *r, ng_mat x, ng_mat y, ngi_pool *pool, ng_error *error)
{
    ng_mat b, c;
    TRY(ngi_pool_mat(pool, &b, 1, r->m, NG_F64, error));
    TRY(ngi_pool_mat(pool, &c, 1, r->dual ? r->m : r->n, NG_F64, error));
    TRY(ng_copy(b, y, error));
    ngi_residual_weigh(r, b);
    ngi_residual_project(r, b);
    if (r->dual) {
        TRY(invert(r, c, b, pool, error));
        ngi_residual_project(r, c);
        ngi_residual_weigh(r, c);
        return ngi_residual_transposed(r, x, c, error);
    }
    ngi_residual_weigh(r, b);
    TRY(ngi_residual_transposed(r, c, b, error));
    return invert(r, x, c, pool, error);
}

ng_status ng_residuals_solve(ng_residuals *r, ng_mat x, ng_mat y, ng_error *error)
{
    ngi_pool pool = {NULL};
    TRY(ngi_residual_check(r, x, y, error));
    if (!r->ready)
        return ng_error_set(error, NG_ENODATA,
                            "solve: ng_residuals_factor comes first, and anew after a change");
    if (!ng_is_finite(y))
        return ng_error_set(error, NG_ENONFINITE, "solve: y is not finite");
    TRY(ngi_pool_close(&pool, solve(r, x, y, &pool, error)));
    if (!ng_is_finite(x))
        return ng_error_set(error, NG_ERANGE, "solve: the solution overflows");
    return NG_OK;
}
