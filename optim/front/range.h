/* Numbers that stay in their dtype: bounds that decide without reading more. */
#ifndef NGI_RANGE_H
#define NGI_RANGE_H

#include "lib/core/mat.h"
#include "optim/front/method.h"

/* Less than half the last bit of the largest number: added to any number of the dtype, what is no
 * larger than this leaves it finite. */
static inline double ngi_dtype_harmless(ng_dtype dtype)
{
    return dtype == NG_F32 ? 0x1p102 : 0x1p969;
}

/* Of the caller's weights and bias: NaN if there is a NaN, else the largest. */
double ngi_weights_max(const ngi_param *param);

/* Is keep w + d finite for all |d| <= step, known without reading w? Of sixteen bits w is read. */
int ngi_weights_stay_finite(const ngi_param *param, double keep, double step);

/* The tensor's bound; reads it once where that is not known. */
double ngi_tensor_bound(ngi_tensor *tensor);

/* NG_ERANGE unless keep w + d is finite for all |d| <= step; weights and bias are read only where
 * the two numbers alone do not say so (then NG_ENONFINITE if the weights are not). */
ng_status ngi_check_weights(const ngi_param *param, double keep, double step, ng_error *error);

#endif
