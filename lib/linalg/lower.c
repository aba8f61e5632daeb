#include "lib/linalg/lower.h"

#include <math.h>

#include <natgrad/linalg.h>

void ngi_copy_lower(ng_mat y, ng_mat x)
{
    for (size_t i = 0; i < y.rows; i++)
        ng_copy(ng_mat_block(y, i, 0, 1, i + 1), ng_mat_block(x, i, 0, 1, i + 1), NULL);
}

double ngi_max_abs_lower(ng_mat x)
{
    double max = 0;
    for (size_t i = 0; i < x.rows && !isnan(max); i++) {
        double of_row = ng_max_abs(ng_mat_block(x, i, 0, 1, i + 1));
        max = of_row <= max ? max : of_row;
    }
    return max;
}
