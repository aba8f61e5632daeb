/* The transfer matrix' world, and what its two files share. */
#ifndef NGI_TRANSFER_H
#define NGI_TRANSFER_H

#include <stdint.h>

#include <natgrad/linalg.h>

#include "lib/lab/lattice/lattice.h"

enum { NGI_PARITIES = 2 };

/* A row has full = q^L states. Exchanges of colours that commute with all bonds
 * and are their own inverses (XOR with 0 ... g-1; g = 2, 4 or, for three
 * colours, none) split them: rows i stand for their m = full/g orbits, columns
 * a m + r for the state r changed by a. The matrix of O in a sector of
 * character chi is sum over a of chi(a) O(i, a m + r), m x m; sectors that
 * colour permutations exchange are computed once and counted by multiplicity. */
typedef struct {
    size_t length, colours, group, m, full, sectors, bonds; /* bonds a row: 2 L */
    double weight, low, high; /* factor of a satisfied bond; values of T */
    double multiplicity[NGI_PARITIES];
    double mean, partition;       /* <T>; Z in units of the largest eigenvalue^L */
    double top;                   /* the largest eigenvalue */
    uint32_t *satisfied;          /* m x full: bits 0 ... L-1 bonds of row i, L ... to row j */
    double *half;                 /* full: factor of half the bonds of a row */
    double *powers;               /* weight^count */
    ng_mat joint;                 /* m x full: P(i, j) of two neighbouring rows */
    ng_mat vectors[NGI_PARITIES]; /* m x m, rows */
    double *lambda[NGI_PARITIES]; /* m, largest 1 */
    double *same;                 /* 2 x 2L x 2L: bonds of one row; the first at the origin */
    double *three;                /* 2 x (L/3 + 1) x 2L x L x 2L: A, p, B, q, C */
    double *two;                  /* 2 x L x 2L: A, q, C */
    ng_work work;
} ngi_transfer;

static inline double ngi_character(size_t sector, size_t a)
{
    return sector == 1 && (a & 1) ? -1 : 1;
}

/* T(i, column) over the largest eigenvalue. */
static inline double ngi_transfer_entry(const ngi_transfer *t, size_t i, size_t column)
{
    uint32_t down = t->satisfied[i * t->full + column] >> t->length;
    return t->half[i] * t->powers[__builtin_popcount(down)] * t->half[column] / t->top;
}

/* T_b - <T> there */
static inline double ngi_transfer_delta(const ngi_transfer *t, size_t i, size_t column, size_t b)
{
    return (t->satisfied[i * t->full + column] >> b & 1 ? t->high : t->low) - t->mean;
}

static inline size_t ngi_transfer_at(const ngi_transfer *t, size_t a, size_t p, size_t b, size_t q)
{
    return (((a * (t->length / 3 + 1) + p) * t->bonds + b) * t->length + q) * t->bonds;
}

/* Adds one sector's traces to two and three; bytes of work, which the caller resets. */
ng_status ngi_transfer_traces(ngi_transfer *t, size_t sector, ng_error *error);
size_t ngi_transfer_traces_work(size_t m, size_t length);

#endif
