/* Curvature from F and third cumulants by the plain sums of the definition;
 * for oracles. Third cumulants are n x n x n, row-major. */
#ifndef NG_TEST_TENSOR_H
#define NG_TEST_TENSOR_H

#include "tests/support/dense.h"

/* |kappa|^2 and |tr kappa|^2 with indices raised by F^-1; R = (difference)/4. */
typedef struct {
    double curvature, square, trace;
} tensor_norms;

tensor_norms tensor_curvature(ng_mat f, const double *kappa);

/* Indices all transformed by w (n x n): out_abc = w_ai w_bj w_ck kappa_ijk; free it. */
double *tensor_transform(ng_mat w, const double *kappa);

/* An exponential family on 2^bits states, enumerated: p(s) ~ exp(sum theta_a
 * T_a(s)), T_a(s) = +1 or -1 by the parity of s & mask[a]. f: n x n or empty;
 * kappa: n^3 numbers or NULL; mean: n numbers or NULL. Returns log Z. */
double tensor_walsh(ng_mat f, double *kappa, double *mean, size_t n, const size_t *mask,
                    const double *theta, int bits);

#endif
