/* Scaling to order 1 by powers of two (unit.h). */
#include "lib/linalg/unit.h"

#include <math.h>

#include <natgrad/linalg.h>

double ngi_scale_to_unit(ng_mat x, double max)
{
    int exponent = 0, limit = x.dtype == NG_F32 ? 120 : 1000;
    if (max > 0 && isfinite(max))
        frexp(max, &exponent);
    for (int left = exponent; left != 0;) { /* 2^-exponent itself may be out of range */
        int part = left > limit ? limit : left < -limit ? -limit : left;
        ng_scale(x, ldexp(1, -part));
        left -= part;
    }
    return ldexp(1, exponent);
}
