/* Spectra and searches over beta, shared by the files of lib/geometry. */
#ifndef NGI_GEOMETRY_SPECTRUM_H
#define NGI_GEOMETRY_SPECTRUM_H

#include <natgrad/functional.h>

/* 1 x n, NG_F64, ascending, finite, > 0. */
ng_status ngi_spectrum_check(ng_mat spectrum, ng_error *error);

typedef double (*ngi_curve)(const ng_functional *self, const double *lambda, size_t n, double beta);

/* *y = curve(beta), which must be finite: NG_ERANGE. */
ng_status ngi_evaluate(double *y, const ng_functional *f, ngi_curve curve, ng_mat spectrum,
                       double beta, ng_error *error);

/* Searches over a checked spectrum; variation of log tau below flat is none. */
ng_status ngi_minimise_slope(const ng_functional *f, ng_minimum *minimum, ng_mat spectrum,
                             double flat, ng_error *error);
ng_status ngi_minimise_values(const ng_functional *f, ng_minimum *minimum, ng_mat spectrum,
                              double flat, ng_error *error);

#endif
