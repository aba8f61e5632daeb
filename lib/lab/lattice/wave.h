/* Discrete Fourier transforms of lattice fields as products with small
 * matrices. At L <= 128 these are as fast as an FFT, for every L alike, and
 * half of an axis costs half.
 *
 * A real field of L^d numbers is row-major. A complex one is rows along the
 * last axis, each row all real parts and then all imaginary parts. The sign is
 * f(k) = sum_x e^(-i k x) f(x). */
#ifndef NGI_LAB_WAVE_H
#define NGI_LAB_WAVE_H

#include <natgrad/mat.h>

typedef struct {
    size_t dim, length, half; /* half = L/2 + 1 */
    double *numbers;          /* all of the matrices */
    ng_mat last_half;         /* L x 2 half: [cos | -sin], first half of the waves */
    ng_mat last_full;         /* 2L x 2L: the complex transform of a row */
    ng_mat left_half;         /* 2 half x L: [cos; sin] */
    ng_mat left_full;         /* 2L x L */
} ngi_wave;

ng_status ngi_wave_create(ngi_wave *w, size_t dim, size_t length, ng_error *error);
void ngi_wave_destroy(ngi_wave *w);
size_t ngi_wave_numbers(size_t length); /* doubles it allocates */

/* count real fields -> their waves 0 ... half - 1 on every axis, rows of
 * 2 half. out and scratch: count L^(d-1) 2 half numbers each, scratch twice. */
ng_status ngi_wave_half(const ngi_wave *w, double *out, double *scratch, double *in, size_t count,
                        ng_error *error);

/* count complex fields, rows of 2L, all waves; in is destroyed.
 * out: as many; scratch: 4 L^d. */
ng_status ngi_wave_full(const ngi_wave *w, double *out, double *scratch, double *in, size_t count,
                        ng_error *error);

#endif
