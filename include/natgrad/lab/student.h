/* natgrad/lab/student.h: Student's t distribution in n dimensions with its Fisher metric.
 *
 *   p(x) = c (1 + |x - center|^2 / (dof scale^2))^(-(dof + n)/2)
 *   c    = Gamma((dof + n)/2) / (Gamma(dof/2) (pi dof)^(n/2) scale^n)
 *
 * A q-exponential family (Amari) with q = 1 + 2/(dof + n), not an exponential one; it becomes
 * N(center, scale^2 I) as dof grows. |x - center|^2 / (dof scale^2) is beta prime with n/2 and
 * dof/2.
 * In the coordinates (center, log scale) the Fisher matrix of one sample is diagonal,
 *
 *   center     (dof + n) / (dof + n + 2) / scale^2     n times
 *   log scale  2 n dof / (dof + n + 2)
 *
 * Views are of NG_F64 (else NG_EDTYPE; NG_ESHAPE); n < 1, dof or scale not positive and finite and
 * NULL where something is needed are NG_EARG; NaN and infinity in an input NG_ENONFINITE. */
#ifndef NATGRAD_LAB_STUDENT_H
#define NATGRAD_LAB_STUDENT_H

#include <natgrad/mat.h>
#include <natgrad/random.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t n;             /* dimensions */
    double dof, scale;    /* degrees of freedom and scale, > 0 */
    const double *center; /* n numbers; NULL: zero */
} ng_student;

/* log_density (k x 1) <- log p in nats at the rows of x (k x n) */
NG_API ng_status ng_student_log_density(const ng_student *student, ng_mat log_density, ng_mat x,
                                        ng_error *error);

/* f ((n + 1) x (n + 1)) <- the Fisher matrix, log scale last */
NG_API ng_status ng_student_fisher(const ng_student *student, ng_mat f, ng_error *error);

/* cdf (k x 1) <- P(|x - center| <= radius) for the radii >= 0 (k x 1; else NG_EARG) */
NG_API ng_status ng_student_radius_cdf(const ng_student *student, ng_mat cdf, ng_mat radius,
                                       ng_error *error);

/* Rows of x (k x n) <- independent samples: a normal vector over the root of an independent gamma
 * number with shape dof/2 (Marsaglia and Tsang, ACM Trans. Math. Softw. 26, 2000). NG_ERANGE where a
 * dof near 0 makes numbers that overflow. */
NG_API ng_status ng_student_sample(const ng_student *student, ng_mat x, const ng_random *random,
                                   ng_error *error);

#ifdef __cplusplus
}
#endif
#endif
