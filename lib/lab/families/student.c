/* Student's t in n dimensions. */
#include <natgrad/lab/student.h>

#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <natgrad/linalg.h>

#include "lib/lab/view.h"

static ng_status check(const ng_student *s, ng_error *error)
{
    if (s == NULL)
        return ng_error_set(error, NG_EARG, "student is NULL");
    if (s->n < 1 || !(s->dof > 0 && isfinite(s->dof)) || !(s->scale > 0 && isfinite(s->scale)))
        return ng_error_set(error, NG_EARG, "student: n = %zu, dof = %g, scale = %g", s->n, s->dof,
                            s->scale);
    for (size_t i = 0; i < s->n && s->center != NULL; i++)
        if (!isfinite(s->center[i]))
            return ng_error_set(error, NG_ENONFINITE, "center[%zu] = %g", i, s->center[i]);
    return NG_OK;
}

static double center_of(const ng_student *s, size_t i)
{
    return s->center == NULL ? 0 : s->center[i];
}

ng_status ng_student_log_density(const ng_student *student, ng_mat log_density, ng_mat x,
                                 ng_error *error)
{
    TRY(check(student, error));
    TRY(ngi_lab_view(x, x.rows, student->n, "x", error));
    TRY(ngi_lab_view(log_density, x.rows, 1, "log_density", error));
    if (!ng_is_finite(x))
        return ng_error_set(error, NG_ENONFINITE, "x is not finite");
    const double n = (double)student->n, dof = student->dof, s = student->scale;
    const double constant = gsl_sf_lngamma((dof + n) / 2) - gsl_sf_lngamma(dof / 2) -
                            n / 2 * log(acos(-1) * dof) - n * log(s);
    for (size_t row = 0; row < x.rows; row++) {
        double length = 0; /* of (x - center)/scale, without squares that overflow */
        for (size_t i = 0; i < student->n; i++)
            length = hypot(length, (ng_mat_get(x, row, i) - center_of(student, i)) / s);
        double rest = length < 1e150 ? log1p(length / dof * length) : 2 * log(length) - log(dof);
        ng_mat_set(log_density, row, 0, constant - (dof + n) / 2 * rest);
    }
    return NG_OK;
}

ng_status ng_student_fisher(const ng_student *student, ng_mat f, ng_error *error)
{
    TRY(check(student, error));
    const size_t n = student->n;
    TRY(ngi_lab_view(f, n + 1, n + 1, "f", error));
    const double dof = student->dof, all = dof + (double)n;
    ng_fill(f, 0);
    for (size_t i = 0; i < n; i++)
        ng_mat_set(f, i, i, all / (all + 2) / student->scale / student->scale);
    ng_mat_set(f, n, n, 2 * (double)n * dof / (all + 2));
    return NG_OK;
}

ng_status ng_student_radius_cdf(const ng_student *student, ng_mat cdf, ng_mat radius,
                                ng_error *error)
{
    TRY(check(student, error));
    TRY(ngi_lab_view(radius, radius.rows, 1, "radius", error));
    TRY(ngi_lab_view(cdf, radius.rows, 1, "cdf", error));
    for (size_t row = 0; row < radius.rows; row++) {
        double r = ng_mat_get(radius, row, 0) / student->scale, square = r * r;
        if (!(r >= 0))
            return ng_error_set(error, NG_EARG, "radius %zu is %g", row,
                                ng_mat_get(radius, row, 0));
        double share = isfinite(square) ? square / (square + student->dof) : 1;
        ng_mat_set(cdf, row, 0, gsl_cdf_beta_P(share, (double)student->n / 2, student->dof / 2));
    }
    return NG_OK;
}

/* the logarithm of a gamma number of that shape */
static double log_gamma_number(double shape, const ng_random *random)
{
    double boost = 0, z, u;
    if (shape < 1) { /* gamma(shape) = gamma(shape + 1) u^(1/shape) */
        random->fill_uniform(random->data, &u, 1);
        boost = log1p(-u) / shape;
        shape += 1;
    }
    const double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        random->fill_normal(random->data, &z, 1);
        random->fill_uniform(random->data, &u, 1);
        double v = pow(1 + c * z, 3);
        if (v > 0 && log1p(-u) < 0.5 * z * z + d - d * v + d * log(v))
            return log(d * v) + boost;
    }
}

ng_status ng_student_sample(const ng_student *student, ng_mat x, const ng_random *random,
                            ng_error *error)
{
    TRY(check(student, error));
    TRY(ngi_lab_view(x, x.rows, student->n, "x", error));
    if (random == NULL || random->fill_normal == NULL || random->fill_uniform == NULL)
        return ng_error_set(error, NG_EARG, "random: fill_uniform and fill_normal are needed");
    for (size_t row = 0; row < x.rows; row++) {
        double wide =
            student->scale *
            exp(0.5 * (log(student->dof / 2) - log_gamma_number(student->dof / 2, random)));
        for (size_t i = 0; i < student->n; i++) {
            double z;
            random->fill_normal(random->data, &z, 1);
            ng_mat_set(x, row, i, center_of(student, i) + wide * z);
        }
    }
    return ng_is_finite(x)
               ? NG_OK
               : ng_error_set(error, NG_ERANGE, "a sample of dof = %g overflows", student->dof);
}
