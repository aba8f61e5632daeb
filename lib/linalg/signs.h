/* Signs of elements. */
#ifndef NGI_SIGNS_H
#define NGI_SIGNS_H

#include <natgrad/mat.h>

/* y_ij <- -1, 0 or 1: the sign of x_ij. Of one shape and dtype; y may be x. */
void ngi_sign(ng_mat y, ng_mat x);

/* y_ij <- a x_ij + b y_ij where x_ij y_ij >= 0, a x_ij + y_ij elsewhere. Of one shape and dtype. */
void ngi_axpby_agreeing(ng_mat y, ng_mat x, double a, double b);

#endif
