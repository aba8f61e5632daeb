/* Scaling to order 1 by powers of two (unit.h). */
#include "lib/linalg/unit.h"

#include <math.h>

#include <natgrad/linalg.h>

double ngi_scale_to_unit(ng_mat y, ng_mat x, double max)
{
    int exponent = 0, limit = x.dtype == NG_F32 ? 120 : 1000;
    if (max > 0 && isfinite(max))
        frexp(max, &exponent);
    int left = exponent; /* 2^-exponent itself may be out of range */
    do {
        int part = left > limit ? limit : left < -limit ? -limit : left;
        if (part != 0 || y.data != x.data)
            ng_axpby(y, x, ldexp(1, -part), 0, NULL);
        left -= part;
        x = y;
    } while (left != 0);
    return ldexp(1, exponent);
}

void ngi_scale_to_norm(ng_mat x, double length)
{
    double norm = ng_norm(x), room = x.dtype == NG_F32 ? 0x1p100 : 0x1p900;
    if (norm == 0)
        return;
    if (!(norm > 1 / room && norm < room)) { /* no bit more is lost than x has lost already */
        ngi_scale_to_unit(x, x, ng_max_abs(x));
        norm = ng_norm(x);
    }
    ng_scale(x, length / norm);
}
