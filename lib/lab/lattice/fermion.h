/* The free-fermion tables of the uniform 2-D Ising torus. */
#ifndef NGI_LAB_FERMION_H
#define NGI_LAB_FERMION_H

#include <stddef.h>
#include <natgrad/status.h>

enum { NGI_SECTORS = 5 }; /* PP as the mean of two, PA, AP, AA */

/* Tables over displacements r run over [-(L-1), L-1]^2, row-major, so that a
 * difference of two sites needs no modulus: wide = 2L - 1. Derivatives are by
 * t = tanh J of the polynomial part of Z. */
typedef struct {
    size_t length, wide;
    double t;
    double share[NGI_SECTORS];    /* sum 1; the first two have opposite signs */
    double mean[NGI_SECTORS][2];  /* d log Pf/dt of a bond, by direction */
    double overall[2];            /* of the mixture */
    double *bond[NGI_SECTORS][4]; /* [alpha beta]: M[i][j][r] (fermion.c) */
    double *pair[4];              /* second cumulants */
    double *mixed[2][4];          /* covariance over sectors: mean of one, cumulant of two */
    double constant[8];           /* third central moment over sectors of the means */
    double *numbers;
} ngi_fermion;

ng_status ngi_fermion_create(ngi_fermion *f, size_t length, double coupling, ng_error *error);
void ngi_fermion_destroy(ngi_fermion *f);
size_t ngi_fermion_numbers(size_t length); /* doubles it allocates */

#endif
