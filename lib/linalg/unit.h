/* Scaling to order 1, without touching a bit of the mantissas. */
#ifndef NGI_UNIT_H
#define NGI_UNIT_H

#include <natgrad/mat.h>

/* y <- 2^-e x with max |y| in [1/2, 1); returns 2^e (infinity if out of range).
 * max is ng_max_abs(x); 0, infinity and NaN give y = x and return 1. y may be x. Squares
 * and reciprocals of norms of the result are safe in x's dtype, even when x was
 * subnormal. */
double ngi_scale_to_unit(ng_mat y, ng_mat x, double max);

/* x <- (length / ||x||_F) x for any finite x, also where that factor or the norm
 * has no place in the dtype; 0 stays 0. */
void ngi_scale_to_norm(ng_mat x, double length);

/* Is max, of a matrix relative to something of order 1, so large or small that products of three or
 * four such matrices may leave f32? */
static inline int ngi_extreme(double max)
{
    return !(max > 0x1p-20 && max < 0x1p20);
}

#endif
